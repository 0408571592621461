// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM that moves: APLIC and IMSIC are read by KVM's AIA device and set in another VM.
 *
 * Catches: an interrupt that a VM has lost when it is restored, or that comes twice; an
 * enable, a threshold or a target that is another.  In 7.3 setting sip behind the IMSIC's
 * registers, as a VMM that restores devices first does, takes away the interrupt that they
 * stand for.
 */
#include "aia.h"
#include "aia_device.h"
#include "case.h"

static struct kvm_vcpu *vcpu;
static struct kvm_vm *vm;
static int aia;

#define THRESHOLD	50

static void saved_guest(void)
{
	imsic_init();
	imsic_write(AIA_EITHRESHOLD, THRESHOLD);
	imsic_enable(3, true);
	imsic_enable(40, true);
	imsic_enable(60, true);
	GUEST_SYNC(0);
}

/* It relies on what saved_guest() has set up. */
static void restored_guest(void)
{
	unsigned int i;

	GUEST_SYNC(!!(csr_read(CSR_SIP) & 1UL << 9));
	for (i = 0; i < 3; i++)
		GUEST_SYNC((uint64_t)imsic_claim());
	imsic_write(AIA_EITHRESHOLD, 0);
	GUEST_SYNC((uint64_t)imsic_claim());
	imsic_enable(61, true);
	GUEST_SYNC((uint64_t)imsic_claim());
	GUEST_SYNC((uint64_t)imsic_claim());
	GUEST_SYNC(!!(csr_read(CSR_SIP) & 1UL << 9));
}

static unsigned long heard(void)
{
	struct ucall uc;

	vcpu_run(vcpu);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
	return uc.args[1];
}

static void start(int mode, void (*code)(void))
{
	struct aia_config config = { .mode = mode };

	vm = vm_create_with_one_vcpu(&vcpu, code);
	aia = aia_create(vm, &config);
}

static void save_restore(int from, int to, bool csrs_last)
{
	static const unsigned int regs[] = {
		AIA_EIDELIVERY, AIA_EITHRESHOLD, AIA_EIP(0), AIA_EIE(0),
	};
	const uint64_t csrs[] = { RISCV_GENERAL_CSR_REG(sie), RISCV_GENERAL_CSR_REG(sip) };
	static const unsigned long wanted[] = { 1, 3, 40, 0, 60, 61, 0, 0 };
	unsigned long reg[ARRAY_SIZE(regs)], csr[ARRAY_SIZE(csrs)], value;
	unsigned int i, turn;

	start(from, saved_guest);
	heard();
	for (i = 0; i < 4; i++) {
		static const unsigned int ids[] = { 61, 40, 60, 3 };

		TEST_ASSERT(aia_signal_msi(vcpu, ids[i]) >= 0, "KVM_SIGNAL_MSI");
	}
	for (i = 0; i < ARRAY_SIZE(regs); i++)
		reg[i] = aia_imsic_get(aia, vcpu, regs[i]);
	for (i = 0; i < ARRAY_SIZE(csrs); i++)
		csr[i] = vcpu_get_reg(vcpu, csrs[i]);
	CASE_EXPECT(reg[0] == 1, "eidelivery is saved as %lu", reg[0]);
	CASE_EXPECT(reg[1] == THRESHOLD, "eithreshold is saved as %lu", reg[1]);
	CASE_EXPECT(reg[2] == (BIT(3) | BIT(40) | BIT(60) | BIT(61)), "eip0 is saved as %#lx",
		    reg[2]);
	CASE_EXPECT(reg[3] == (BIT(3) | BIT(40) | BIT(60)), "eie0 is saved as %#lx", reg[3]);

	start(to, restored_guest);
	for (turn = 0; turn < 2; turn++) {
		for (i = 0; turn != csrs_last && i < ARRAY_SIZE(regs); i++)
			aia_imsic_set(aia, vcpu, regs[i], reg[i]);
		for (i = 0; turn == csrs_last && i < ARRAY_SIZE(csrs); i++)
			vcpu_set_reg(vcpu, csrs[i], csr[i]);
	}
	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		value = aia_imsic_get(aia, vcpu, regs[i]);
		CASE_EXPECT(value == reg[i], "register %#x: %#lx was restored, is %#lx", regs[i],
			    reg[i], value);
	}
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		value = heard();
		CASE_EXPECT(value == wanted[i],
			    "CSRs %s: the restored guest says %lu at place %u, not %lu",
			    csrs_last ? "last" : "first", value, i, wanted[i]);
	}
}

static void save_restore_emul(void)
{
	save_restore(KVM_DEV_RISCV_AIA_MODE_EMUL, KVM_DEV_RISCV_AIA_MODE_EMUL, false);
	save_restore(KVM_DEV_RISCV_AIA_MODE_EMUL, KVM_DEV_RISCV_AIA_MODE_EMUL, true);
}

static void save_restore_hwaccel(void)
{
	save_restore(KVM_DEV_RISCV_AIA_MODE_HWACCEL, KVM_DEV_RISCV_AIA_MODE_HWACCEL, false);
	save_restore(KVM_DEV_RISCV_AIA_MODE_HWACCEL, KVM_DEV_RISCV_AIA_MODE_HWACCEL, true);
}

static void save_restore_to_emul(void)
{
	save_restore(KVM_DEV_RISCV_AIA_MODE_HWACCEL, KVM_DEV_RISCV_AIA_MODE_EMUL, false);
	save_restore(KVM_DEV_RISCV_AIA_MODE_HWACCEL, KVM_DEV_RISCV_AIA_MODE_EMUL, true);
}

static void save_restore_to_hwaccel(void)
{
	save_restore(KVM_DEV_RISCV_AIA_MODE_EMUL, KVM_DEV_RISCV_AIA_MODE_HWACCEL, false);
	save_restore(KVM_DEV_RISCV_AIA_MODE_EMUL, KVM_DEV_RISCV_AIA_MODE_HWACCEL, true);
}

#define FIRST	28	/* of six sources around the end of a word */
#define NR	6

static const struct {
	uint32_t mode;
	int wire;
} sources[NR] = {
	{ APLIC_EDGE_RISE, 1 }, { APLIC_EDGE_FALL, 0 }, { APLIC_LEVEL_HIGH, 1 },
	{ APLIC_LEVEL_LOW, 0 }, { APLIC_LEVEL_HIGH, 0 }, { APLIC_DETACHED, 0 },
};

struct aplic_state {
	uint32_t sourcecfg[NR], target[NR];
	uint32_t pending[2], enabled[2];
};

static struct aplic_state save_aplic(void)
{
	struct aplic_state s;
	unsigned int i;

	for (i = 0; i < NR; i++) {
		s.sourcecfg[i] = aia_aplic_get(aia, APLIC_SOURCECFG(FIRST + i));
		s.target[i] = aia_aplic_get(aia, APLIC_TARGET(FIRST + i));
	}
	for (i = 0; i < 2; i++) {
		s.pending[i] = aia_aplic_get(aia, APLIC_SETIP(32 * i));
		s.enabled[i] = aia_aplic_get(aia, APLIC_SETIE(32 * i));
	}
	return s;
}

/* In the order that keeps interrupts: wires, sources, what is pending. */
static void restore_aplic(const struct aplic_state *s)
{
	unsigned int i;

	for (i = 0; i < NR; i++) {
		kvm_irq_line(vm, FIRST + i, sources[i].wire);
		aia_aplic_set(aia, APLIC_SOURCECFG(FIRST + i), s->sourcecfg[i]);
		aia_aplic_set(aia, APLIC_TARGET(FIRST + i), s->target[i]);
	}
	for (i = 0; i < 2; i++) {
		aia_aplic_set(aia, APLIC_SETIP(32 * i), s->pending[i]);
		aia_aplic_set(aia, APLIC_SETIE(32 * i), s->enabled[i]);
	}
}

static void start_with_sources(void)
{
	struct aia_config config = { .mode = KVM_DEV_RISCV_AIA_MODE_EMUL, .sources = 40 };

	vm = vm_create_with_one_vcpu(&vcpu, aia_stop_guest);
	aia = aia_create(vm, &config);
}

static void save_restore_aplic(void)
{
	struct aplic_state saved, restored;
	unsigned long eip;
	unsigned int i;

	/* The first three are pending, of which the second is not enabled. */
	start_with_sources();
	for (i = 0; i < NR; i++) {
		kvm_irq_line(vm, FIRST + i, !sources[i].wire);
		aia_aplic_set(aia, APLIC_SOURCECFG(FIRST + i), sources[i].mode);
		aia_aplic_set(aia, APLIC_TARGET(FIRST + i), APLIC_MSI(0, FIRST + i));
		aia_aplic_set(aia, APLIC_CLRIPNUM, FIRST + i);
		kvm_irq_line(vm, FIRST + i, sources[i].wire);
	}
	aia_aplic_set(aia, APLIC_CLRIPNUM, FIRST + 3);
	aia_aplic_set(aia, APLIC_SETIENUM, FIRST);
	aia_aplic_set(aia, APLIC_SETIENUM, FIRST + 2);
	saved = save_aplic();
	CASE_EXPECT(saved.pending[0] == 7u << FIRST && !saved.pending[1],
		    "pending are %#x %#x", saved.pending[0], saved.pending[1]);

	start_with_sources();
	restore_aplic(&saved);
	restored = save_aplic();
	CASE_EXPECT(!memcmp(saved.pending, restored.pending, sizeof(saved.pending)),
		    "pending are %#x %#x after", restored.pending[0], restored.pending[1]);
	CASE_EXPECT(!memcmp(&saved, &restored, sizeof(saved)), "sources are others than before");
	eip = aia_imsic_get(aia, vcpu, AIA_EIP(FIRST));
	CASE_EXPECT(!eip, "restoring sends %#lx", eip);
	aia_aplic_set(aia, APLIC_DOMAINCFG, APLIC_DOMAINCFG_ON);
	eip = aia_imsic_get(aia, vcpu, AIA_EIP(FIRST));
	CASE_EXPECT(eip == 5UL << FIRST, "the restored domain sends %#lx", eip);
}

static const struct witness_case cases[] = {
	{
		.name = "save_restore_emul",
		.verifies = "pending, masked and enabled interrupts are there after they were saved and restored",
		.run = save_restore_emul,
	}, {
		.name = "save_restore_hwaccel",
		.verifies = "the same between files of the hardware",
		.needs = "guest interrupt files",
		.run = save_restore_hwaccel,
	}, {
		.name = "save_restore_to_emul",
		.verifies = "the same from a file of the hardware to KVM's own",
		.needs = "guest interrupt files",
		.run = save_restore_to_emul,
	}, {
		.name = "save_restore_to_hwaccel",
		.verifies = "the same from KVM's own to a file of the hardware",
		.needs = "guest interrupt files",
		.run = save_restore_to_hwaccel,
	}, {
		.name = "save_restore_aplic",
		.verifies = "sources, their wires and what is pending are there after they were saved and restored",
		.run = save_restore_aplic,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "aia_save_restore_test",
		.needs = "AIA",
		.seed = "KVM: RISC-V: in-kernel irqchip (6.5), arch/riscv/include/uapi/asm/kvm.h",
		.setup = aia_need,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
