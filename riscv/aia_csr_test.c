// SPDX-License-Identifier: GPL-2.0-only
/*
 * The AIA registers of a vCPU: siselect with what sireg shows through it, stopei, stopi,
 * and all of them from outside by ONE_REG.
 *
 * Catches: an iprio byte in the wrong place or one that external interrupts should not
 * have; a window of siselect that shows another; reads of stopei that claim; priorities
 * that count for nothing; registers that are lost when the vCPU stops.  In 7.3 stopei
 * and sireg answer on a vCPU that was given no Ssaia, and an external interrupt of KVM's
 * own IMSIC goes before everything, whatever its number.
 *
 * KVM keeps iprio in hviprio1 and hviprio2, whose bytes are those of interrupts 0, 1, 4,
 * 5, 8, 13-15 and of 16-23.
 */
#include <stdlib.h>

#include "aia.h"
#include "case.h"
#include "cpu.h"

#define IPRIO(i)	(0x30 + (i))
#define EIP_LAST	0xbe

#define AIA_REG(name)	__kvm_reg_id(KVM_REG_RISCV_CSR, KVM_REG_RISCV_CSR_AIA, \
				     KVM_REG_RISCV_CSR_AIA_REG(name), KVM_REG_SIZE_ULONG)
#define AIA_REGS	(sizeof(struct kvm_riscv_aia_csr) / sizeof(unsigned long))

static struct kvm_vcpu *vcpu;
static struct kvm_vm *vm;

static void setup(void)
{
	aia_need();
	/* What a vCPU finds in its CPU depends on who was there before. */
	cpu_pin_first();
}

/* --- talking to the guest --------------------------------------------------- */

static unsigned long faults, fault_cause;

static void on_fault(struct pt_regs *regs)
{
	WRITE_ONCE(faults, faults + 1);
	WRITE_ONCE(fault_cause, regs->cause);
	regs->epc += 4;
}

static void create(void (*code)(void))
{
	vm = vm_create_with_one_vcpu(&vcpu, code);
	vm_init_vector_tables(vm);
	vcpu_init_vector_tables(vcpu);
	vm_install_exception_handler(vm, EXC_INST_ILLEGAL, on_fault);
}

static void create_with_aia(int mode, void (*code)(void))
{
	struct aia_config config = { .mode = mode };

	create(code);
	aia_create(vm, &config);
}

/* The next number that the guest says. */
static unsigned long heard(void)
{
	struct ucall uc;

	vcpu_run(vcpu);
	TEST_ASSERT(get_ucall(vcpu, &uc) == UCALL_SYNC,
		    "the guest says nothing: exit reason %u, CSR %#lx",
		    vcpu->run->exit_reason, (unsigned long)vcpu->run->riscv_csr.csr_num);
	return uc.args[1];
}

static void send(unsigned int id)
{
	TEST_ASSERT(aia_signal_msi(vcpu, id) >= 0, "KVM_SIGNAL_MSI");
}

/* --- iprio ------------------------------------------------------------------- */

/* One byte for each interrupt from 8 * i on; a one where KVM has a priority. */
static const uint8_t has_priority[64] = {
	[1] = 1, [5] = 1,
	[13] = 1, [14] = 1, [15] = 1,
	[16] = 1, [17] = 1, [18] = 1, [19] = 1, [20] = 1, [21] = 1, [22] = 1, [23] = 1,
};

/* Byte b of iprio register 2 * i, when the guest has written some value for each. */
static unsigned long iprio_pattern(unsigned int i, bool kept)
{
	unsigned long value = 0;
	unsigned int b;

	for (b = 0; b < 8; b++)
		if (!kept || has_priority[8 * i + b])
			value |= (0x80UL + 8 * i + b) << 8 * b;
	return value;
}

static void iprio_guest(void)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		imsic_write(IPRIO(2 * i), iprio_pattern(i, false));
	for (i = 0; i < 8; i++)
		GUEST_SYNC(imsic_read(IPRIO(2 * i)));

	/* Bits by mask: 5's low half byte goes, 1 gets another bit. */
	csr_write(CSR_SISELECT, IPRIO(0));
	csr_clear(CSR_SIREG, 0x0fUL << 40);
	csr_set(CSR_SIREG, 0x10UL << 8);
	GUEST_SYNC(csr_read(CSR_SIREG));

	for (i = 1; i < 16; i += 2)
		imsic_read(IPRIO(i));
	GUEST_SYNC(READ_ONCE(faults));
	GUEST_SYNC(0);
	for (i = 0; i < 8; i++)
		GUEST_SYNC(imsic_read(IPRIO(2 * i)));
}

static void iprio(void)
{
	unsigned long value, wanted, hviprio[2];
	unsigned int i;

	create(iprio_guest);
	for (i = 0; i < 8; i++) {
		value = heard();
		wanted = iprio_pattern(i, true);
		CASE_EXPECT(value == wanted, "iprio%u is %#lx, not %#lx", 2 * i, value, wanted);
	}
	value = heard();
	CASE_EXPECT(value == 0x0000800000009100, "after csrc and csrs iprio0 is %#lx", value);
	value = heard();
	CASE_EXPECT(value == 8, "%lu of 8 odd iprio registers fault", value);

	/* From outside, packed. */
	heard();
	hviprio[0] = vcpu_get_reg(vcpu, AIA_REG(iprio1));
	hviprio[1] = vcpu_get_reg(vcpu, AIA_REG(iprio2));
	CASE_EXPECT(hviprio[0] == 0x8f8e8d0080009100, "iprio1 is %#lx from outside", hviprio[0]);
	CASE_EXPECT(hviprio[1] == 0x9796959493929190, "iprio2 is %#lx from outside", hviprio[1]);
	vcpu_set_reg(vcpu, AIA_REG(iprio1), 0x0102030005000700);
	vcpu_set_reg(vcpu, AIA_REG(iprio2), 0x1112131415161718);
	value = heard();
	CASE_EXPECT(value == 0x0000050000000700, "iprio0 is %#lx, set from outside", value);
	value = heard();
	CASE_EXPECT(value == 0x0102030000000000, "iprio2 is %#lx, set from outside", value);
	value = heard();
	CASE_EXPECT(value == 0x1112131415161718, "iprio4 is %#lx, set from outside", value);
}

/* --- windows ------------------------------------------------------------------ */

#define FAULTED	~0UL

/* What sireg shows, or that it faults. */
static unsigned long guest_sireg(unsigned long select)
{
	unsigned long before = READ_ONCE(faults), value;

	csr_write(CSR_SISELECT, select);
	value = csr_read(CSR_SIREG);
	return READ_ONCE(faults) == before ? value : FAULTED;
}

static unsigned long selected;

static void window_guest(void)
{
	imsic_write(IPRIO(0), 0x4200);
	for (;;)
		GUEST_SYNC(guest_sireg(READ_ONCE(selected)));
}

#define ANSWER	0x5eedUL

/* What the guest reads; KVM_EXIT_RISCV_CSR is answered. */
static unsigned long sireg(unsigned long which)
{
	selected = which;
	sync_global_to_guest(vm, selected);
	vcpu_run(vcpu);
	if (vcpu->run->exit_reason == KVM_EXIT_RISCV_CSR) {
		CASE_EXPECT(vcpu->run->riscv_csr.csr_num == CSR_SIREG &&
			    !vcpu->run->riscv_csr.write_mask,
			    "siselect %#lx: an exit for CSR %#lx, written bits %#lx", which,
			    (unsigned long)vcpu->run->riscv_csr.csr_num,
			    (unsigned long)vcpu->run->riscv_csr.write_mask);
		vcpu->run->riscv_csr.ret_value = ANSWER;
	}
	return heard();
}

static void expect_sireg(unsigned long which, unsigned long wanted)
{
	unsigned long value = sireg(which);

	CASE_EXPECT(value == wanted, "siselect %#lx shows %#lx, not %#lx", which, value, wanted);
}

static void expect_nobody(unsigned long which)
{
	unsigned long value = sireg(which);

	CASE_EXPECT(value == ANSWER || value == FAULTED, "siselect %#lx shows %#lx", which, value);
}

static void windows(void)
{
	create_with_aia(KVM_DEV_RISCV_AIA_MODE_EMUL, window_guest);
	expect_sireg(IPRIO(0), 0x4200);
	expect_sireg(IPRIO(15), FAULTED);
	expect_sireg(IPRIO(14), 0);
	/* Holes in the interrupt file: the VMM is asked. */
	expect_sireg(AIA_EIDELIVERY + 1, ANSWER);
	expect_sireg(AIA_EITHRESHOLD + 1, ANSWER);
	expect_sireg(AIA_EIP(0) - 1, ANSWER);
	/* Nobody's: the VMM is asked unless the host knows better. */
	expect_nobody(0);
	expect_nobody(IPRIO(0) - 1);
	expect_nobody(IPRIO(15) + 1);
	expect_nobody(AIA_EIDELIVERY - 1);
	expect_nobody(0x100);
	/* The interrupt file's. */
	expect_sireg(AIA_EIDELIVERY, 0);
	expect_sireg(AIA_EIP(0), 0);
	expect_sireg(AIA_EIP(0) + 1, FAULTED);
	expect_sireg(AIA_EIE(0) + 1, FAULTED);
	expect_sireg(EIP_LAST, FAULTED);
}

/* Without KVM's device all of the interrupt file is the VMM's, iprio is not. */
static void windows_without_device(void)
{
	create(window_guest);
	expect_sireg(IPRIO(0), 0x4200);
	expect_sireg(AIA_EIDELIVERY, ANSWER);
	expect_sireg(AIA_EIP(0), ANSWER);
	expect_sireg(AIA_EIE(0), ANSWER);
}

/* --- stopei -------------------------------------------------------------------- */

static void stopei_guest(void)
{
	imsic_init();
	imsic_enable(5, true);
	imsic_enable(20, true);
	GUEST_SYNC(csr_read(CSR_STOPEI));
	/* Two are pending: reads leave them. */
	GUEST_SYNC(csr_read(CSR_STOPEI));
	GUEST_SYNC(csr_read(CSR_STOPEI));
	/* Any write claims the one that it returns, whatever is written. */
	GUEST_SYNC(csr_swap(CSR_STOPEI, ~0UL));
	GUEST_SYNC(csr_read_set(CSR_STOPEI, 1));
	GUEST_SYNC(csr_swap(CSR_STOPEI, 0));
}

static void stopei(int mode)
{
	static const unsigned long wanted[] = {
		5 << 16 | 5, 5 << 16 | 5, 5 << 16 | 5, 20 << 16 | 20, 0,
	};
	unsigned long value;
	unsigned int i;

	create_with_aia(mode, stopei_guest);
	value = heard();
	CASE_EXPECT(!value, "stopei is %#lx, nothing is pending", value);
	send(20);
	send(5);
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		value = heard();
		CASE_EXPECT(value == wanted[i], "access %u of stopei: %#lx, not %#lx", i, value,
			    wanted[i]);
	}
}

static void stopei_emul(void)
{
	stopei(KVM_DEV_RISCV_AIA_MODE_EMUL);
}

static void stopei_hwaccel(void)
{
	stopei(KVM_DEV_RISCV_AIA_MODE_HWACCEL);
}

/* --- which interrupt is next ---------------------------------------------------- */

#define EXT_ID	40

/* The major interrupt that is next. */
static unsigned long guest_next(void)
{
	return csr_read(CSR_STOPI) >> 16;
}

static void guest_set_priorities(unsigned long software, unsigned long timer)
{
	imsic_write(IPRIO(0), software << 8 | timer << 40);
}

static void order_guest(void)
{
	imsic_init();
	imsic_enable(EXT_ID, true);
	csr_set(CSR_SIE, BIT(IRQ_S_SOFT) | BIT(IRQ_S_TIMER));
	guest_set_priorities(3, 2);
	GUEST_SYNC(guest_next());
	guest_set_priorities(2, 3);
	GUEST_SYNC(guest_next());
	/* Here an MSI arrives, of number EXT_ID. */
	guest_set_priorities(0, 0);
	GUEST_SYNC(guest_next());
	guest_set_priorities(200, 201);
	GUEST_SYNC(guest_next());
	guest_set_priorities(200, 2);
	GUEST_SYNC(guest_next());
	guest_set_priorities(2, 200);
	GUEST_SYNC(guest_next());
}

static void expect_next(unsigned long wanted, const char *when)
{
	unsigned long value = heard();

	CASE_EXPECT(value == wanted, "%s: stopi says %lu, not %lu", when, value, wanted);
}

/* Software and timer interrupt are pending, without a timer. */
static void create_with_pending(int mode)
{
	create_with_aia(mode, order_guest);
	vcpu_set_reg(vcpu, RISCV_GENERAL_CSR_REG(sip), BIT(IRQ_S_SOFT) | BIT(IRQ_S_TIMER));
}

/* The local ones among themselves: the same however the IMSIC is made. */
static void local_order(void)
{
	create_with_pending(KVM_DEV_RISCV_AIA_MODE_EMUL);
	expect_next(IRQ_S_TIMER, "software 3, timer 2");
	expect_next(IRQ_S_SOFT, "software 2, timer 3");
}

static void external_order(int mode)
{
	unsigned int i;

	create_with_pending(mode);
	for (i = 0; i < 2; i++)
		heard();
	send(EXT_ID);
	expect_next(IRQ_S_EXT, "an MSI, no priorities");
	expect_next(IRQ_S_EXT, "an MSI whose number is below the priorities");
	expect_next(IRQ_S_TIMER, "the timer's priority is below the MSI's number");
	expect_next(IRQ_S_SOFT, "software's priority is below the MSI's number");
}

static void external_order_emul(void)
{
	external_order(KVM_DEV_RISCV_AIA_MODE_EMUL);
}

static void external_order_hwaccel(void)
{
	external_order(KVM_DEV_RISCV_AIA_MODE_HWACCEL);
}

/* --- from outside ---------------------------------------------------------------- */

static bool is_listed(uint64_t id)
{
	struct kvm_reg_list *list = vcpu_get_reg_list(vcpu);
	bool found = false;
	unsigned int i;

	for (i = 0; i < list->n; i++)
		found |= list->reg[i] == id;
	free(list);
	return found;
}

static uint64_t aia_reg(unsigned int i)
{
	return __kvm_reg_id(KVM_REG_RISCV_CSR, KVM_REG_RISCV_CSR_AIA, i, KVM_REG_SIZE_ULONG);
}

static void siselect_guest(void)
{
	csr_write(CSR_SISELECT, IPRIO(4));
	for (;;) {
		GUEST_SYNC(csr_read(CSR_SISELECT));
		csr_write(CSR_SISELECT, csr_read(CSR_SISELECT) + 2);
	}
}

static void one_reg(void)
{
	unsigned long value;
	unsigned int i;

	create(siselect_guest);
	for (i = 0; i < AIA_REGS; i++) {
		CASE_EXPECT(is_listed(aia_reg(i)),
			    "register %u of the AIA is not in KVM_GET_REG_LIST", i);
		value = vcpu_get_reg(vcpu, aia_reg(i));
		CASE_EXPECT(!value, "register %u of the AIA is %#lx first", i, value);
		/* Any is kept until the vCPU runs, with none but itself. */
		vcpu_set_reg(vcpu, aia_reg(i), IPRIO(2 * i));
	}
	for (i = 0; i < AIA_REGS; i++) {
		value = vcpu_get_reg(vcpu, aia_reg(i));
		CASE_EXPECT(value == IPRIO(2 * i), "register %u of the AIA is %#lx, set to %#x", i,
			    value, IPRIO(2 * i));
	}
	CASE_EXPECT(__vcpu_get_reg(vcpu, aia_reg(AIA_REGS), &value) && errno == ENOENT,
		    "a register behind the last: %s", strerror(errno));
	CASE_EXPECT(__vcpu_set_reg(vcpu, aia_reg(AIA_REGS), 0) && errno == ENOENT,
		    "setting a register behind the last: %s", strerror(errno));

	value = heard();
	CASE_EXPECT(value == IPRIO(4), "the guest's siselect is %#lx", value);
	value = vcpu_get_reg(vcpu, AIA_REG(siselect));
	CASE_EXPECT(value == IPRIO(4), "siselect is %#lx from outside", value);
	/* Without anything else between the two runs. */
	for (i = 0; i < 3; i++) {
		vcpu_set_reg(vcpu, AIA_REG(siselect), AIA_EIE(0) + i);
		value = heard();
		CASE_EXPECT(value == AIA_EIE(0) + i + 2, "the guest's siselect is %#lx, set to %#x",
			    value, AIA_EIE(0) + i);
	}
}

static void apart_guest(unsigned long mine)
{
	csr_write(CSR_SISELECT, IPRIO(2));
	csr_write(CSR_SIREG, mine << 40);
	for (;;) {
		GUEST_SYNC(csr_read(CSR_SISELECT));
		GUEST_SYNC(csr_read(CSR_SIREG) >> 40);
		csr_write(CSR_SISELECT, IPRIO(2 * mine));
		GUEST_SYNC(csr_read(CSR_SISELECT));
		csr_write(CSR_SISELECT, IPRIO(2));
	}
}

/* Two vCPUs that run in turns on one CPU. */
static void kept_apart(void)
{
	struct kvm_vcpu *vcpus[2];
	unsigned long value, wanted[3];
	unsigned int i, round;

	vm = vm_create_with_vcpus(2, apart_guest, vcpus);
	for (i = 0; i < 2; i++) {
		struct kvm_mp_state run = { .mp_state = KVM_MP_STATE_RUNNABLE };

		vcpu_mp_state_set(vcpus[i], &run);
		vcpu_args_set(vcpus[i], 1, i + 1);
	}
	for (round = 0; round < 6; round++) {
		for (i = 0; i < 2; i++) {
			vcpu = vcpus[i];
			value = heard();
			wanted[0] = IPRIO(2);
			wanted[1] = i + 1;
			wanted[2] = IPRIO(2 * (i + 1));
			CASE_EXPECT(value == wanted[round % 3], "vCPU %u, round %u: %#lx, not %#lx", i,
				    round, value, wanted[round % 3]);
		}
	}
}

/* --- without Ssaia ------------------------------------------------------------------ */

static void plain_guest(void)
{
	unsigned long causes;

	csr_read(CSR_SISELECT);
	GUEST_SYNC(READ_ONCE(faults));
	csr_read(CSR_SIREG);
	GUEST_SYNC(READ_ONCE(faults));
	csr_swap(CSR_STOPEI, 0);
	GUEST_SYNC(READ_ONCE(faults));
	csr_read(CSR_STOPI);
	causes = READ_ONCE(fault_cause);
	GUEST_SYNC(READ_ONCE(faults));
	GUEST_SYNC(causes);
}

static void without_ssaia(void)
{
	static const char * const names[] = { "siselect", "sireg", "stopei", "stopi" };
	struct aia_config config = { .mode = KVM_DEV_RISCV_AIA_MODE_EMUL };
	unsigned long value;
	struct ucall uc;
	unsigned int i;

	create(plain_guest);
	if (__vcpu_set_reg(vcpu, RISCV_ISA_EXT_REG(KVM_RISCV_ISA_EXT_SSAIA), 0))
		case_skip("Ssaia cannot be taken from a vCPU: no Smstateen on this host");
	aia_create(vm, &config);
	for (i = 0; i < AIA_REGS; i++) {
		CASE_EXPECT(!is_listed(aia_reg(i)), "register %u of the AIA is in KVM_GET_REG_LIST",
			    i);
		CASE_EXPECT(__vcpu_get_reg(vcpu, aia_reg(i), &value) && errno == ENOENT,
			    "register %u of the AIA is %#lx", i, value);
		CASE_EXPECT(__vcpu_set_reg(vcpu, aia_reg(i), 0) && errno == ENOENT,
			    "register %u of the AIA can be set", i);
	}
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		vcpu_run(vcpu);
		CASE_EXPECT(vcpu->run->exit_reason != KVM_EXIT_RISCV_CSR, "the VMM is asked for %s",
			    names[i]);
		TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
		value = uc.args[1];
		CASE_EXPECT(value == i + 1, "%s does not fault", names[i]);
	}
	value = heard();
	CASE_EXPECT(value == EXC_INST_ILLEGAL, "cause %lu", value);
}

static const struct witness_case cases[] = {
	{
		.name = "iprio",
		.verifies = "iprio holds a byte for the interrupts that have a priority, zero for others, the same from outside",
		.run = iprio,
	}, {
		.name = "windows",
		.verifies = "sireg shows iprio and the interrupt file for their numbers, faults where they have none, asks the VMM between",
		.run = windows,
	}, {
		.name = "windows_without_device",
		.verifies = "without KVM's device the VMM is asked for the interrupt file, not for iprio",
		.run = windows_without_device,
	}, {
		.name = "stopei_emul",
		.verifies = "reading stopei leaves the interrupt, writing whatever value claims it",
		.run = stopei_emul,
	}, {
		.name = "stopei_hwaccel",
		.verifies = "the same with a file of the hardware",
		.needs = "guest interrupt files",
		.run = stopei_hwaccel,
	}, {
		.name = "local_order",
		.verifies = "stopi names the local interrupt that iprio puts first",
		.run = local_order,
	}, {
		.name = "external_order_emul",
		.verifies = "an MSI's number is its priority among local interrupts",
		.run = external_order_emul,
	}, {
		.name = "external_order_hwaccel",
		.verifies = "the same with a file of the hardware",
		.needs = "guest interrupt files",
		.run = external_order_hwaccel,
	}, {
		.name = "one_reg",
		.verifies = "ONE_REG lists, gets and sets the AIA's registers, and the guest has what was set",
		.run = one_reg,
	}, {
		.name = "kept_apart",
		.verifies = "two vCPUs on one CPU have registers of their own",
		.run = kept_apart,
	}, {
		.name = "without_ssaia",
		.verifies = "siselect, sireg, stopei and stopi fault on a vCPU without Ssaia, ONE_REG has none of them",
		.needs = "Smstateen",
		.run = without_ssaia,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "aia_csr_test",
		.needs = "AIA",
		.seed = "RISC-V Advanced Interrupt Architecture 1.0, chapters 2, 3, 5, 6; RISC-V: KVM, 6.4",
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
