// SPDX-License-Identifier: GPL-2.0-only
/*
 * The AIA as the device tree tells of it: the CSRs are there with Ssaia and not without,
 * each hart's IMSIC takes MSIs from this hart and from others, and the APLIC makes MSIs of
 * a wire: the serial port's.  The selftests riscv/aia_*_test.c look closer, at KVM's.
 */
#include "../../boot/riscv/riscv.h"
#include "aia_regs.h"
#include "imsic.h"

#define ID	3		/* what most cases use */
#define WIRE_ID	5

static int aplic;
static u64 aplic_base;

/* The APLIC that sends MSIs to it. */
static void setup(void)
{
	u64 size;
	int n;

	imsic_find();
	aplic = -1;
	for (n = dt_compatible(-1, "riscv,aplic"); n >= 0; n = dt_compatible(n, "riscv,aplic")) {
		if (imsic.node >= 0 && dt_cell(n, "msi-parent", 0, 0) == dt_cell(imsic.node, "phandle", 0, -1) &&
		    dt_reg(n, 0, &aplic_base, &size))
			aplic = n;
	}
}

static void need_imsic(void)
{
	if (imsic.node < 0)
		case_skip("the device tree has no IMSIC of S-mode");
	if (!isa_has(this_cpu(), "ssaia"))
		case_fail("the device tree has an IMSIC, and a hart without Ssaia");
	imsic_clear(NULL);
}

/* --- CSRs ----------------------------------------------------------------- */

static void access_stopi(void *arg)
{
	aia_read(stopi);
}

static void access_siselect(void *arg)
{
	aia_write(siselect, AIA_EIDELIVERY);
}

static void access_stopei(void *arg)
{
	aia_read(stopei);
}

static void access_register(void *arg)
{
	imsic_read((u64)arg);
}

static void csrs(void)
{
	static const struct {
		const char *name;
		void (*access)(void *arg);
	} all[] = {
		{ "stopi", access_stopi }, { "siselect", access_siselect }, { "stopei", access_stopei },
	};
	bool there = isa_has(this_cpu(), "ssaia");
	struct fault f;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		bool faults = fault_catch(&f, all[i].access, NULL);

		/* stopei is the IMSIC's, which a hart may be without. */
		if (there && all[i].access == access_stopei && imsic.node < 0)
			continue;
		CASE_EXPECT(faults == !there, "Ssaia is %s, %s %s", there ? "advertised" : "hidden", all[i].name,
			    faults ? "faults" : "can be accessed");
		CASE_EXPECT(!faults || f.cause == CAUSE_ILLEGAL, "%s: scause %llu, want an illegal instruction",
			    all[i].name, (unsigned long long)f.cause);
	}
}

static void imsic_registers(void)
{
	/* Odd ones of 64 bits, and what is reserved. */
	static const unsigned int none[] = { 0x71, 0x73, 0x7f, 0x81, 0xbf, 0xc1, 0xff };
	unsigned int i, id;
	struct fault f;

	need_imsic();
	for (i = 0; i < ARRAY_SIZE(none); i++)
		CASE_EXPECT(fault_catch(&f, access_register, (void *)(u64)none[i]) && f.cause == CAUSE_ILLEGAL,
			    "register %#x of the IMSIC can be accessed", none[i]);
	CASE_EXPECT(imsic.nr_ids >= 63 && imsic.nr_ids <= 2047 && imsic.nr_ids % 64 == 63, "the device tree has %u interrupts", imsic.nr_ids);
	for (id = 0; id <= imsic.nr_ids; id += 64) {
		u64 want = id ? ~0ull : ~1ull, got;

		imsic_write(AIA_EIE(id), ~0ull);
		got = imsic_read(AIA_EIE(id));
		imsic_write(AIA_EIE(id), 0);
		CASE_EXPECT(got == want, "enables of %u to %u are %#llx, all set", id, id + 63, (unsigned long long)got);
	}
	imsic_write(AIA_EIDELIVERY, 1);
	CASE_EXPECT(imsic_read(AIA_EIDELIVERY) == 1, "eidelivery is not kept");
	imsic_write(AIA_EITHRESHOLD, imsic.nr_ids);
	CASE_EXPECT(imsic_read(AIA_EITHRESHOLD) == imsic.nr_ids, "eithreshold is not kept");
	imsic_clear(NULL);
}

/* --- MSIs ----------------------------------------------------------------- */

static unsigned int claimed;
static bool got;

static void on_external(unsigned int number)
{
	unsigned int id = number == IRQ_EXTERNAL ? imsic_claim() : 0;

	/* One that cannot be claimed would come for ever. */
	if (!id)
		csr_clear(sie, BIT(IRQ_EXTERNAL));
	WRITE_ONCE(claimed, id);
	WRITE_ONCE(got, true);
}

static void begin_irqs(void)
{
	claimed = 0;
	got = false;
	irq_handle(on_external);
}

static void expect_claimed(const char *what, unsigned int id)
{
	CASE_EXPECT(wait_for(&got, 500000), "%s: no interrupt", what);
	CASE_EXPECT(claimed == id, "%s: interrupt %u, want %u", what, claimed, id);
	got = false;
}

static void msi(void)
{
	u64 page;

	need_imsic();
	page = imsic_page_of(this_cpu());
	begin_irqs();
	imsic_enable(ID);
	imsic_enable(imsic.nr_ids);
	mmio_write(page, ID);
	expect_claimed("an MSI", ID);
	mmio_write(page, imsic.nr_ids);
	expect_claimed("an MSI with the last number", imsic.nr_ids);
	mmio_write(page, ID + 1);
	CASE_EXPECT(!wait_for(&got, 2000), "interrupt %u came, which is not enabled", claimed);
	CASE_EXPECT(imsic_read(AIA_EIP(0)) == BIT(ID + 1), "eip is %#llx, want just %u pending",
		    (unsigned long long)imsic_read(AIA_EIP(0)), ID + 1);
	mmio_write(page, imsic.nr_ids + 1);
	mmio_write(page, 0);
	CASE_EXPECT(!wait_for(&got, 2000) && imsic_read(AIA_EIP(0)) == BIT(ID + 1), "an MSI with a number that there is not came");
	imsic_clear(NULL);
}

static void priorities(void)
{
	u64 page;

	need_imsic();
	page = imsic_page_of(this_cpu());
	imsic_enable(ID);
	imsic_enable(ID + 1);
	mmio_write(page, ID + 1);
	mmio_write(page, ID);
	CASE_EXPECT(csr_read(sip) & BIT(IRQ_EXTERNAL), "two are pending, sip has no external interrupt");
	imsic_write(AIA_EITHRESHOLD, ID);
	CASE_EXPECT(!imsic_claim(), "an interrupt is not held back by a threshold of its number");
	imsic_write(AIA_EITHRESHOLD, 0);
	CASE_EXPECT(imsic_claim() == ID, "of two the lower number is not first");
	CASE_EXPECT(imsic_claim() == ID + 1, "of two the higher number is not second");
	CASE_EXPECT(!imsic_claim() && !(csr_read(sip) & BIT(IRQ_EXTERNAL)), "a third one is pending");
	imsic_clear(NULL);
}

static void accept_msi(void *arg)
{
	imsic_clear(NULL);
	imsic_enable(ID);
	WRITE_ONCE(*(bool *)arg, true);
	wait_for(&got, 1000000);
	imsic_clear(NULL);
}

static void send_msi(void *arg)
{
	mmio_write((u64)arg, ID);
}

static void ipi(void)
{
	struct cpu *cpu = second_cpu();
	bool ready = false;

	need_imsic();
	begin_irqs();
	cpu_begin(cpu, accept_msi, &ready);
	CASE_EXPECT(wait_for(&ready, 1000000), "hart 1 does not get to its IMSIC");
	mmio_write(imsic_page_of(cpu), ID);
	CASE_EXPECT(cpu_end(cpu) && got, "an MSI to the other hart: no interrupt");
	CASE_EXPECT(claimed == ID, "an MSI to the other hart: interrupt %u, want %u", claimed, ID);
	begin_irqs();
	imsic_enable(ID);
	CASE_EXPECT(cpu_run(cpu, send_msi, (void *)imsic_page_of(this_cpu())), "hart 1 does not come back from a store to an IMSIC");
	expect_claimed("an MSI of the other hart", ID);
	imsic_clear(NULL);
}

/* --- the APLIC ------------------------------------------------------------ */

static void need_aplic(void)
{
	need_imsic();
	if (aplic < 0)
		case_skip("the device tree has no APLIC that sends MSIs to S-mode");
	mmio_write(aplic_base + APLIC_DOMAINCFG, APLIC_DOMAINCFG_ON);
	begin_irqs();
	imsic_enable(WIRE_ID);
}

static void aplic_msi(void)
{
	need_aplic();
	mmio_write(aplic_base + APLIC_GENMSI, APLIC_MSI(imsic_file_of(this_cpu()), WIRE_ID));
	expect_claimed("genmsi", WIRE_ID);
	imsic_clear(NULL);
}

/* The serial port of the device tree, a 16550 whose transmitter is empty. */
static void aplic_wire(void)
{
	int n = dt_compatible(-1, "ns16550a");
	u64 uart, size;
	unsigned int source;

	need_aplic();
	if (!dt_reg(n, 0, &uart, &size))
		case_skip("the device tree has no 16550");
	source = dt_cell(n, "interrupts", 0, 0);
	if (!source || dt_cell(n, "interrupt-parent", 0, dt_cell(fdt_parent_offset(dt, n), "interrupt-parent", 0, 0)) !=
	    dt_cell(aplic, "phandle", 0, -1))
		case_skip("the 16550 is not wired to the APLIC");
	CASE_EXPECT(source <= dt_cell(aplic, "riscv,num-sources", 0, 0), "the 16550 has wire %u, the APLIC has %u", source,
		    dt_cell(aplic, "riscv,num-sources", 0, 0));
	mmio_write(aplic_base + APLIC_SOURCECFG(source), APLIC_LEVEL_HIGH);
	CASE_EXPECT(mmio_read(aplic_base + APLIC_SOURCECFG(source)) == APLIC_LEVEL_HIGH, "the APLIC does not have wire %u", source);
	mmio_write(aplic_base + APLIC_TARGET(source), APLIC_MSI(imsic_file_of(this_cpu()), WIRE_ID));
	mmio_write(aplic_base + APLIC_SETIENUM, source);
	CASE_EXPECT(!wait_for(&got, 2000), "the wire interrupts before the 16550 does");
	mmio_write8(uart + 1, 2);
	wait_for(&got, 500000);
	mmio_write8(uart + 1, 0);
	mmio_write(aplic_base + APLIC_SOURCECFG(source), APLIC_INACTIVE);
	expect_claimed("the 16550's wire", WIRE_ID);
	imsic_clear(NULL);
}

/* --- what a move of the VM must keep --------------------------------------- */

static void aia_kept(void)
{
	need_aplic();
	imsic_clear(NULL);
	imsic_write(AIA_EITHRESHOLD, ID + 4);
	imsic_write(AIA_EIE(0), BIT(ID) | BIT(ID + 1));
	mmio_write(imsic_page_of(this_cpu()), ID);
	mmio_write(aplic_base + APLIC_SOURCECFG(1), APLIC_EDGE_RISE);
	mmio_write(aplic_base + APLIC_TARGET(1), APLIC_MSI(imsic_file_of(this_cpu()), WIRE_ID));
	hold();
	CASE_EXPECT(imsic_read(AIA_EITHRESHOLD) == ID + 4, "eithreshold is %llu", (unsigned long long)imsic_read(AIA_EITHRESHOLD));
	CASE_EXPECT(imsic_read(AIA_EIE(0)) == (BIT(ID) | BIT(ID + 1)), "eie is %#llx",
		    (unsigned long long)imsic_read(AIA_EIE(0)));
	CASE_EXPECT(imsic_read(AIA_EIP(0)) == BIT(ID), "eip is %#llx", (unsigned long long)imsic_read(AIA_EIP(0)));
	CASE_EXPECT(mmio_read(aplic_base + APLIC_SOURCECFG(1)) == APLIC_EDGE_RISE &&
		    mmio_read(aplic_base + APLIC_TARGET(1)) == APLIC_MSI(imsic_file_of(this_cpu()), WIRE_ID),
		    "the APLIC's source 1 has another configuration");
	mmio_write(aplic_base + APLIC_SOURCECFG(1), APLIC_INACTIVE);
	imsic_clear(NULL);
}

static const struct witness_case cases[] = {
	{
		.name = "csrs",
		.verifies = "the AIA's CSRs can be accessed with Ssaia, and are illegal instructions without",
		.run = csrs,
	}, {
		.name = "imsic_registers",
		.verifies = "the IMSIC has the device tree's number of interrupts, and no reserved register",
		.needs = "an IMSIC",
		.run = imsic_registers,
	}, {
		.name = "msi",
		.verifies = "an MSI, up to the last number, interrupts if enabled, stays pending if not, and no other comes",
		.needs = "an IMSIC",
		.run = msi,
	}, {
		.name = "priorities",
		.verifies = "the lower number is claimed first, the threshold holds back its number and those above",
		.needs = "an IMSIC",
		.run = priorities,
	}, {
		.name = "imsic_ipi",
		.verifies = "a hart's MSI to another's file interrupts that one, both ways",
		.needs = "an IMSIC, two harts",
		.run = ipi,
	}, {
		.name = "aplic_msi",
		.verifies = "genmsi of the APLIC sends the MSI",
		.needs = "an APLIC that sends MSIs",
		.run = aplic_msi,
	}, {
		.name = "aplic_wire",
		.verifies = "the serial port's wire comes as the MSI that the APLIC is told, when it is raised and not before",
		.needs = "an APLIC that sends MSIs, a 16550",
		.run = aplic_wire,
	}, {
		.name = "aia_kept",
		.verifies = "what is enabled and pending in the IMSIC, its threshold and the APLIC's sources stay when the VM is moved",
		.needs = "an APLIC that sends MSIs; who moves the VM: --move",
		.run = aia_kept,
	},
};

static const struct witness_test test = {
	.name = "guest_aia",
	.needs = "nothing",
	.seed = "RISC-V AIA for guests",
	.setup = setup,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

GUEST_TEST(test);
