// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSIs reach the guest by what the device tree names: GICv2m frames, where a store raises
 * an SPI, or an ITS, which makes LPIs of them.  It decides by these nodes alone, so a
 * frame or an ITS that is named must be there and work.
 *
 * The ITS is told to act as if an MSI had come (INT): a store of a CPU to it is no MSI.
 *
 * Facts: Arm IHI 0069 (GICv3, v4), DEN0029 (the v2m frame, appendix).
 */
#include <string.h>

#include "../../boot/arm64/arm64.h"

#define V2M_TYPER	0x008
#define V2M_SETSPI	0x040

#define GICR_CTLR	0x0000
#define GICR_TYPER	0x0008
#define GICR_PROPBASER	0x0070
#define GICR_PENDBASER	0x0078

#define GITS_CTLR	0x0000
#define GITS_TYPER	0x0008
#define GITS_CBASER	0x0080
#define GITS_CWRITER	0x0088
#define GITS_CREADR	0x0090
#define GITS_BASER(n)	(0x0100 + (n) * 8)
#define BASER_TYPE(b)	((b) >> 56 & 7)
#define BASER_DEVICES	1
#define BASER_COLLECTIONS	4
#define VALID		BIT(63)
#define CACHED		(7ull << 59 | 1 << 10)	/* write-back, inner shareable */
#define PAGES_64K	(2 << 8)

#define LPI		8192
#define DEVICE		1
#define EVENTS		4		/* of the device; lpi of event n is LPI + n */
#define TABLE_SIZE	65536

static unsigned int came[EVENTS], other;
static unsigned int base_intid;
static bool got;

static void on_interrupt(unsigned int intid)
{
	if (intid >= base_intid && intid < base_intid + EVENTS)
		came[intid - base_intid]++;
	else
		other = intid;
	WRITE_ONCE(got, true);
}

static void begin_irqs(unsigned int base)
{
	memset(came, 0, sizeof(came));
	other = 0;
	base_intid = base;
	irq_handle(on_interrupt);
}

/* Just this one must come, and once. */
static void expect_interrupt(const char *what, unsigned int n)
{
	unsigned int i;

	CASE_EXPECT(wait_for(&got, 500000), "%s: no interrupt", what);
	got = false;
	wait_for(&got, 1000);
	CASE_EXPECT(!other, "%s: interrupt %u came, want %u", what, other, base_intid + n);
	for (i = 0; i < EVENTS; i++)
		CASE_EXPECT(came[i] == (i == n), "%s: interrupt %u came %u times", what, base_intid + i, came[i]);
	came[n] = 0;
	got = false;
}

/* --- who gets the MSIs of PCI --------------------------------------------- */

static bool is_msi_controller(int node)
{
	return dt_has_string(node, "compatible", "arm,gic-v2m-frame") || dt_has_string(node, "compatible", "arm,gic-v3-its");
}

static void setup(void)
{
	if (dt_compatible(-1, "arm,gic-v2m-frame") < 0 && dt_compatible(-1, "arm,gic-v3-its") < 0)
		case_skip("the device tree has neither a GICv2m frame nor an ITS");
}

static void pci_has_controller(void)
{
	int pci = dt_compatible(-1, "pci-host-ecam-generic");
	u32 phandle;

	if (pci < 0)
		case_skip("the device tree has no PCI");
	phandle = dt_cell(pci, "msi-map", 1, dt_cell(pci, "msi-parent", 0, 0));
	CASE_EXPECT(phandle, "the device tree's PCI names no MSI controller");
	CASE_EXPECT(is_msi_controller(fdt_node_offset_by_phandle(dt, phandle)),
		    "the MSI controller that PCI names, %#x, is neither a GICv2m frame nor an ITS", phandle);
}

/* --- GICv2m --------------------------------------------------------------- */

static void read_typer(void *arg)
{
	u64 *p = arg;

	p[1] = mmio_read(p[0] + V2M_TYPER);
}

static void v2m_frame(int n)
{
	unsigned int spi, count, i, last;
	u64 address, size;
	u64 typer[2];
	struct fault f;

	CASE_EXPECT(dt_reg(n, 0, &address, &size) && size >= 0x1000, "a frame without an address");
	typer[0] = address;
	CASE_EXPECT(!fault_catch(&f, read_typer, typer), "there is no frame at %#llx: ESR %#llx",
		    (unsigned long long)address, (unsigned long long)f.cause);
	spi = dt_cell(n, "arm,msi-base-spi", 0, typer[1] >> 16 & 0x3ff);
	count = dt_cell(n, "arm,msi-num-spis", 0, typer[1] & 0x3ff);
	CASE_EXPECT(spi >= 32 && count && spi + count <= 1020, "the frame at %#llx has %u SPIs from %u on",
		    (unsigned long long)address, count, spi);
	last = spi + count - 1;
	for (i = 0; i < EVENTS && i < count; i++)
		gic_enable(spi + i);
	begin_irqs(spi);
	for (i = 0; i < EVENTS && i < count; i++) {
		mmio_write(address + V2M_SETSPI, spi + i);
		expect_interrupt("a store to the frame", i);
	}
	gic_enable(last);
	begin_irqs(last);
	mmio_write(address + V2M_SETSPI, last);
	expect_interrupt("a store of the last number to the frame", 0);
}

static void v2m_delivers(void)
{
	int n = dt_compatible(-1, "arm,gic-v2m-frame");

	if (n < 0)
		case_skip("the device tree has no GICv2m frame");
	for (; n >= 0; n = dt_compatible(n, "arm,gic-v2m-frame"))
		v2m_frame(n);
}

/* --- ITS ------------------------------------------------------------------ */

static u8 properties[TABLE_SIZE] __aligned(TABLE_SIZE);
static u8 pending[TABLE_SIZE] __aligned(TABLE_SIZE);
static u8 devices[TABLE_SIZE] __aligned(TABLE_SIZE);
static u8 collections[TABLE_SIZE] __aligned(TABLE_SIZE);
static u8 translations[4096] __aligned(4096);
static u64 commands[TABLE_SIZE / 8] __aligned(TABLE_SIZE);

static u64 its;

static void command(u64 a, u64 b, u64 c)
{
	u64 w = mmio_read64(its + GITS_CWRITER);
	u64 *p = &commands[w / 8];
	u64 begin = clock_us();

	p[0] = a;
	p[1] = b;
	p[2] = c;
	p[3] = 0;
	asm volatile("dsb sy" : : : "memory");
	w = (w + 32) % TABLE_SIZE;
	mmio_write64(its + GITS_CWRITER, w);
	while (mmio_read64(its + GITS_CREADR) != w) {
		CASE_EXPECT(clock_us() - begin < 1000000, "the ITS does not take command %#x", (unsigned int)a & 0xff);
		cpu_relax();
	}
}

static void enable_lpis(u64 redist)
{
	memset(properties, 0xa0 | 2 | 1, sizeof(properties));	/* priority, RES1, enabled */
	mmio_write64(redist + GICR_PROPBASER, (u64)properties | 7 << 7 | 1 << 10 | 13);
	mmio_write64(redist + GICR_PENDBASER, (u64)pending | 7 << 7 | 1 << 10 | BIT(62));
	mmio_write(redist + GICR_CTLR, mmio_read(redist + GICR_CTLR) | 1);
}

static void give_table(unsigned int n)
{
	u64 b = mmio_read64(its + GITS_BASER(n)), table;

	if (BASER_TYPE(b) == BASER_DEVICES)
		table = (u64)devices;
	else if (BASER_TYPE(b) == BASER_COLLECTIONS)
		table = (u64)collections;
	else
		return;
	mmio_write64(its + GITS_BASER(n), VALID | CACHED | PAGES_64K | table);
}

/* Where interrupts of a collection go: the redistributor's address or its number. */
static u64 target(u64 redist)
{
	if (mmio_read64(its + GITS_TYPER) & BIT(19))
		return redist & ~0xffffull;
	return (mmio_read64(redist + GICR_TYPER) >> 8 & 0xffff) << 16;
}

static void read_its(void *arg)
{
	*(u64 *)arg = mmio_read64(its + GITS_TYPER);
}

static void its_delivers(void)
{
	u64 redist = gic_redist(), size, typer = 0, to;
	int n = dt_compatible(-1, "arm,gic-v3-its");
	unsigned int i;
	struct fault f;

	if (n < 0)
		case_skip("the device tree has no ITS");
	CASE_EXPECT(dt_reg(n, 0, &its, &size) && redist, "an ITS without an address, or without a redistributor");
	CASE_EXPECT(!fault_catch(&f, read_its, &typer) && typer & 1, "there is no ITS with LPIs at %#llx: ESR %#llx, GITS_TYPER %#llx",
		    (unsigned long long)its, (unsigned long long)f.cause, (unsigned long long)typer);
	CASE_EXPECT(mmio_read64(redist + GICR_TYPER) & 1, "the device tree has an ITS, the redistributor has no LPIs");

	enable_lpis(redist);
	for (i = 0; i < 8; i++)
		give_table(i);
	mmio_write64(its + GITS_CBASER, VALID | CACHED | (u64)commands | (TABLE_SIZE / 4096 - 1));
	mmio_write64(its + GITS_CWRITER, 0);
	mmio_write(its + GITS_CTLR, 1);
	to = target(redist);

	begin_irqs(LPI);
	command(0x09, 0, VALID | to);					/* MAPC: collection 0 */
	command(0x08 | (u64)DEVICE << 32, 1, VALID | (u64)translations);	/* MAPD: 2 bits of events */
	for (i = 0; i < EVENTS; i++)
		command(0x0a | (u64)DEVICE << 32, i | (u64)(LPI + i) << 32, 0);	/* MAPTI */
	command(0x05, 0, to);						/* SYNC */
	for (i = 0; i < EVENTS; i++) {
		command(0x03 | (u64)DEVICE << 32, i, 0);		/* INT */
		expect_interrupt("an event of the ITS", i);
	}
	mmio_write(its + GITS_CTLR, 0);
}

static const struct witness_case cases[] = {
	{
		.name = "pci_has_controller",
		.verifies = "the MSI controller that the device tree's PCI names is in the device tree",
		.needs = "PCI",
		.run = pci_has_controller,
	}, {
		.name = "v2m_delivers",
		.verifies = "a store to each GICv2m frame of the device tree raises just the SPI of that number",
		.needs = "a GICv2m frame",
		.run = v2m_delivers,
	}, {
		.name = "its_delivers",
		.verifies = "an event of a device, through the ITS of the device tree, raises just the LPI that it is mapped to",
		.needs = "an ITS",
		.run = its_delivers,
	},
};

static const struct witness_test test = {
	.name = "guest_msi",
	.needs = "a GICv2m frame or an ITS",
	.seed = "hw/arm/virt: GICv2m when there is no ITS (WHPX v8)",
	.setup = setup,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

GUEST_TEST(test);
