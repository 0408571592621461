// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IMSIC of a guest: MSIs that arrive, once.
 */
#include "aia.h"
#include "case.h"

static void guest(void)
{
	unsigned int id;

	imsic_init();
	for (id = 1; id < 64; id++)
		imsic_enable(id, true);
	GUEST_SYNC(0);
	for (;;) {
		while (!(id = imsic_claim()))
			guest_wfi();
		GUEST_SYNC(id);
	}
}

static void signal_msi(int mode)
{
	struct aia_config config = { .mode = mode };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	unsigned int id;

	vm = vm_create_with_one_vcpu(&vcpu, guest);
	aia_create(vm, &config);
	vcpu_run(vcpu);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
	for (id = 1; id < 64; id++) {
		TEST_ASSERT(aia_signal_msi(vcpu, id) >= 0, "KVM_SIGNAL_MSI");
		vcpu_run(vcpu);
		TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
		CASE_EXPECT(uc.args[1] == id, "%lu claimed for %u", (unsigned long)uc.args[1], id);
	}
}

static void emul(void)
{
	signal_msi(KVM_DEV_RISCV_AIA_MODE_EMUL);
}

static void hwaccel(void)
{
	signal_msi(KVM_DEV_RISCV_AIA_MODE_HWACCEL);
}

static const struct witness_case cases[] = {
	{ .name = "emul", .verifies = "x", .run = emul },
	{ .name = "hwaccel", .verifies = "x", .run = hwaccel },
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "aia_imsic_test",
		.needs = "AIA",
		.seed = "RISC-V: KVM: Read HGEIP CSR on the correct cpu (2025-10)",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
