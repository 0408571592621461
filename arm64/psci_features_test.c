// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which functions the PSCI of a version has, by PSCI_FEATURES and by calling them.
 *
 * Catches: a function before its version (SYSTEM_OFF2 is of 1.3, SYSTEM_RESET2 of 1.1,
 * PSCI_FEATURES of 1.0), one that PSCI_FEATURES denies and that works, or the other way
 * around; a number of which some bits do not count; 64-bit calls of a guest in AArch32.
 *
 * Facts: Arm DEN0022 (PSCI), DEN0028 (SMCCC).
 */
#include <linux/bits.h>

#include "case.h"
#include "psci_vm.h"
#include "../guest/checks/arm64/psci_functions.h"

static struct kvm_vcpu *vcpus[PSCI_VCPUS];

/* For the checks. */
static uint64_t call(uint64_t id, uint64_t x1)
{
	uint64_t got = psci_call(vcpus[0], id, x1);

	CASE_EXPECT(!psci_stopped(vcpus[0]), "call %#lx stops the vCPU", id);
	return got;
}

static void features_mandatory(void)
{
	const uint64_t *v;

	psci_create(vcpus);
	for_each_psci_version(v) {
		if (psci_has_version(vcpus[0], *v) && *v >= PSCI_VERSION(1, 0))
			check_psci_mandatory(call, *v, KVM);
	}
}

static void features_not_in_0_2(void)
{
	uint32_t id;

	psci_create(vcpus);
	TEST_ASSERT(!psci_set_version(vcpus[0], PSCI_VERSION(0, 2)), "no PSCI 0.2");
	for_each_psci_id(id)
		EXPECT_RETURNS(NOT_SUPPORTED, psci_features(vcpus[0], id));
}

static void nothing_of_later(void)
{
	const uint64_t *v;

	psci_create(vcpus);
	for_each_psci_version(v) {
		if (psci_has_version(vcpus[0], *v))
			check_psci_nothing_of_later(call, *v);
	}
}

/* A guest that asks first must not be surprised. */
static void features_agree(void)
{
	const uint64_t *v;

	psci_create(vcpus);
	for_each_psci_version(v) {
		if (psci_has_version(vcpus[0], *v) && *v >= PSCI_VERSION(1, 0))
			check_psci_features_agree(call, *v);
	}
}

static void function_ids(void)
{
	psci_create(vcpus);
	CASE_EXPECT(psci_ignores_upper_bits(call, psci_get_version(vcpus[0])), "a call looks at more than w0, or PSCI_FEATURES than w1");
	check_psci_function_ids(call, psci_get_version(vcpus[0]));
}

/* The same loop: hvc #0; str r0, [r8]; b. */
static const uint32_t guest_calls_32[] = { 0xe1400070, 0xe5880000, 0xeafffffc };

static void aarch32(void)
{
	const uint64_t code = 0x10000;
	struct kvm_vcpu_init init;
	struct kvm_vm *vm;
	uint32_t id;

	if (!kvm_has_cap(KVM_CAP_ARM_EL1_32BIT))
		case_skip("no AArch32 at EL1 on this processor");
	vm = vm_create_barebones();
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, code, 0, 1, 0);
	memcpy(addr_gpa2hva(vm, code), guest_calls_32, sizeof(guest_calls_32));
	vcpus[0] = __vm_vcpu_add(vm, 0);
	vm_ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init);
	init.features[0] = BIT(KVM_ARM_VCPU_PSCI_0_2) | BIT(KVM_ARM_VCPU_EL1_32BIT);
	vcpu_ioctl(vcpus[0], KVM_ARM_VCPU_INIT, &init);
	vcpu_set_reg(vcpus[0], ARM64_CORE_REG(regs.pc), code);
	vcpu_set_reg(vcpus[0], ARM64_CORE_REG(regs.regs[8]), PSCI_CALLED_GPA);

	EXPECT_RETURNS(psci_get_version(vcpus[0]), psci_call(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
	for_each_psci_id(id) {
		int want = psci_wanted_in(id, psci_get_version(vcpus[0]));
		uint64_t got = (uint32_t)psci_features(vcpus[0], id);

		if (id & SMC64) {
			CASE_EXPECT(got == (uint32_t)NOT_SUPPORTED, "a 32-bit guest is offered %#x", id);
			EXPECT_RETURNS((uint32_t)NOT_SUPPORTED, (uint32_t)psci_call(vcpus[0], id, 0));
		} else if (want >= KVM) {
			CASE_EXPECT(got != (uint32_t)NOT_SUPPORTED, "a 32-bit guest has no %#x", id);
		}
	}
}

static const struct witness_case cases[] = {
	{
		.name = "features_mandatory",
		.verifies = "PSCI_FEATURES offers what the version demands, and what KVM has had since",
		.run = features_mandatory,
	}, {
		.name = "features_not_in_0_2",
		.verifies = "PSCI 0.2 has no PSCI_FEATURES",
		.run = features_not_in_0_2,
	}, {
		.name = "nothing_of_later",
		.verifies = "functions of later versions, and those that the other width only has, are neither offered nor served",
		.run = nothing_of_later,
	}, {
		.name = "features_agree",
		.verifies = "an optional function that is not offered is not served",
		.run = features_agree,
	}, {
		.name = "function_ids",
		.verifies = "a function is called by all bits of w0 and by no other",
		.run = function_ids,
	}, {
		.name = "aarch32",
		.verifies = "a guest in AArch32 has the 32-bit calls only",
		.needs = "AArch32 at EL1",
		.run = aarch32,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "psci_features_test",
		.needs = "KVM on arm64",
		.seed = "target/arm: PSCI 1.2 and 1.3 for WHPX (v8), KVM: arm64: PSCI SYSTEM_OFF2 function for hibernation",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
