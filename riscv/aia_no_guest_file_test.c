// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that have an AIA and no interrupt files for guests: those are in memory (MRIF),
 * and modes that would need others are refused.
 *
 * Catches: a mode that is accepted and cannot be had.
 */
#include <errno.h>

#include "aia.h"
#include "case.h"
#include "cpu.h"
#include "vcpu_thread.h"

static int cpu[2];

static void setup(void)
{
	aia_need();
	if (aia_has_guest_files())
		case_skip("the CPUs have interrupt files for guests");
	cpu_need(cpu, 2);
}

static void modes_refused(void)
{
	static const uint32_t refused[] = { KVM_DEV_RISCV_AIA_MODE_HWACCEL, KVM_DEV_RISCV_AIA_MODE_AUTO };
	struct kvm_vm *vm = vm_create_barebones();
	int aia = kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA);
	uint32_t mode;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		mode = refused[i];
		CASE_EXPECT(__kvm_device_attr_set(aia, KVM_DEV_RISCV_AIA_GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_MODE, &mode) &&
			    errno == EINVAL, "mode %u is accepted", mode);
	}
	kvm_device_attr_get(aia, KVM_DEV_RISCV_AIA_GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_MODE, &mode);
	CASE_EXPECT(mode == KVM_DEV_RISCV_AIA_MODE_EMUL, "the mode is %u after that", mode);
	mode = KVM_DEV_RISCV_AIA_MODE_EMUL;
	CASE_EXPECT(!__kvm_device_attr_set(aia, KVM_DEV_RISCV_AIA_GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_MODE, &mode),
		    "mode EMUL is refused");
}

static void msis_arrive(void)
{
	struct vcpu_thread thread;
	struct kvm_vcpu *vcpu;
	unsigned int i;

	aia_create_counting(1, KVM_DEV_RISCV_AIA_MODE_EMUL, &vcpu);
	vcpu_thread_start(&thread, vcpu, cpu[0]);
	aia_wait_ready(vcpu);
	for (i = 1; i <= 20; i++) {
		vcpu_thread_wait_asleep(&thread);
		vcpu_thread_move(&thread, cpu[i & 1]);
		TEST_ASSERT(aia_signal_msi(vcpu, 12 * i) >= 0, "KVM_SIGNAL_MSI");
		CASE_EXPECT(aia_wait_claims(vcpu, i) && aia_claims(vcpu, 12 * i) == 1, "MSI %u is claimed %u times",
			    12 * i, aia_claims(vcpu, 12 * i));
	}
	CASE_EXPECT(aia_all_claims(vcpu) == 20, "%u claims of 20 MSIs", aia_all_claims(vcpu));
}

static const struct witness_case cases[] = {
	{
		.name = "modes_refused",
		.verifies = "HWACCEL and AUTO are refused, EMUL is there",
		.run = modes_refused,
	}, {
		.name = "msis_arrive",
		.verifies = "MSIs to a vCPU that sleeps and is moved arrive, once",
		.run = msis_arrive,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "aia_no_guest_file_test",
		.needs = "AIA without interrupt files for guests, two CPUs",
		.seed = "RISC-V: KVM: Read HGEIP CSR on the correct cpu (2025-10)",
		.wants = WANTS_NO_GUEST_FILES,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
