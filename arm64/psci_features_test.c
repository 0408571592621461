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

static struct kvm_vcpu *vcpus[PSCI_VCPUS];

enum { NO, MAY, MUST };	/* must: the specification demands it, or KVM has had it since that version */

struct function {
	uint64_t since;
	uint8_t smc32, smc64;
};

#define NEVER	PSCI_VERSION(0x7fff, 0)

/* By number: 0x84000000 + n, and 0xc4000000 + n with 64-bit parameters. */
static const struct function functions[32] = {
	[0] = { PSCI_VERSION(0, 2), MUST, NO },		/* PSCI_VERSION */
	[1] = { PSCI_VERSION(0, 2), MUST, MUST },	/* CPU_SUSPEND */
	[2] = { PSCI_VERSION(0, 2), MUST, NO },		/* CPU_OFF */
	[3] = { PSCI_VERSION(0, 2), MUST, MUST },	/* CPU_ON */
	[4] = { PSCI_VERSION(0, 2), MUST, MUST },	/* AFFINITY_INFO */
	[5] = { PSCI_VERSION(0, 2), MAY, MAY },		/* MIGRATE */
	[6] = { PSCI_VERSION(0, 2), MUST, NO },		/* MIGRATE_INFO_TYPE */
	[7] = { PSCI_VERSION(0, 2), MAY, MAY },		/* MIGRATE_INFO_UP_CPU */
	[8] = { PSCI_VERSION(0, 2), MUST, NO },		/* SYSTEM_OFF */
	[9] = { PSCI_VERSION(0, 2), MUST, NO },		/* SYSTEM_RESET */
	[10] = { PSCI_VERSION(1, 0), MUST, NO },	/* PSCI_FEATURES */
	[11] = { PSCI_VERSION(1, 0), MAY, NO },		/* CPU_FREEZE */
	[12] = { PSCI_VERSION(1, 0), MAY, MAY },	/* CPU_DEFAULT_SUSPEND */
	[13] = { PSCI_VERSION(1, 0), MAY, MAY },	/* NODE_HW_STATE */
	[14] = { PSCI_VERSION(1, 0), MAY, MAY },	/* SYSTEM_SUSPEND: the VMM's choice */
	[15] = { PSCI_VERSION(1, 0), MAY, NO },		/* PSCI_SET_SUSPEND_MODE */
	[16] = { PSCI_VERSION(1, 0), MAY, MAY },	/* PSCI_STAT_RESIDENCY */
	[17] = { PSCI_VERSION(1, 0), MAY, MAY },	/* PSCI_STAT_COUNT */
	[18] = { PSCI_VERSION(1, 1), MUST, MUST },	/* SYSTEM_RESET2 */
	[19] = { PSCI_VERSION(1, 1), MAY, NO },		/* MEM_PROTECT */
	[20] = { PSCI_VERSION(1, 1), MAY, MAY },	/* MEM_PROTECT_CHECK_RANGE */
	[21] = { PSCI_VERSION(1, 3), MUST, MUST },	/* SYSTEM_OFF2 */
	[22] = { PSCI_VERSION(1, 3), MAY, MAY },	/* CLEAN_INV_MEMREGION */
	[23] = { PSCI_VERSION(1, 3), MAY, MAY },	/* CLEAN_INV_MEMREGION_ATTRIBUTES */
	[24 ... 31] = { NEVER, NO, NO },
};

/* Whether a version has a function: id is PSCI's, of either width. */
static int wanted_in(uint32_t id, uint64_t version)
{
	const struct function *f = &functions[id & 0x1f];

	if (version < f->since)
		return NO;
	return id & SMC64 ? f->smc64 : f->smc32;
}

#define for_each_id(id)										\
	for (id = PSCI_0_2_FN_BASE; id; id = id == PSCI_0_2_FN(31) ? PSCI_0_2_FN64_BASE :	\
					     id == PSCI_0_2_FN64(31) ? 0 : id + 1)

static void features_mandatory(void)
{
	const uint64_t *v;
	uint32_t id;

	psci_create(vcpus);
	for_each_psci_version(v) {
		if (!psci_has_version(vcpus[0], *v) || *v < PSCI_VERSION(1, 0))
			continue;
		for_each_id(id) {
			/* SYSTEM_OFF2 has one kind: hibernation. */
			uint64_t want = (id & 0x1f) == 21 ? PSCI_1_3_OFF_TYPE_HIBERNATE_OFF : 0;

			if (wanted_in(id, *v) == MUST)
				CASE_EXPECT(psci_features(vcpus[0], id) == want, "PSCI %s has no %#x",
					    psci_text(*v), id);
		}
		CASE_EXPECT(!psci_features(vcpus[0], 0x80000000), "no SMCCC_VERSION by PSCI_FEATURES");
	}
}

static void features_not_in_0_2(void)
{
	uint32_t id;

	psci_create(vcpus);
	TEST_ASSERT(!psci_set_version(vcpus[0], PSCI_VERSION(0, 2)), "no PSCI 0.2");
	for_each_id(id)
		EXPECT_RETURNS(NOT_SUPPORTED, psci_features(vcpus[0], id));
}

/* Neither offered nor served: what is of a later version, or of the other width only. */
static void nothing_of_later(void)
{
	const uint64_t *v;
	uint32_t id;

	psci_create(vcpus);
	for_each_psci_version(v) {
		if (!psci_has_version(vcpus[0], *v))
			continue;
		for_each_id(id) {
			if (wanted_in(id, *v) != NO)
				continue;
			if (*v >= PSCI_VERSION(1, 0))
				CASE_EXPECT(psci_features(vcpus[0], id) == NOT_SUPPORTED, "PSCI %s offers %#x",
					    psci_text(*v), id);
			EXPECT_RETURNS(NOT_SUPPORTED, psci_call(vcpus[0], id, 0));
		}
	}
}

/* Optional ones: a guest that asks first must not be surprised. */
static void features_agree(void)
{
	const uint64_t *v;
	uint32_t id;

	psci_create(vcpus);
	for_each_psci_version(v) {
		if (!psci_has_version(vcpus[0], *v) || *v < PSCI_VERSION(1, 0))
			continue;
		for_each_id(id) {
			if (wanted_in(id, *v) != MAY || psci_features(vcpus[0], id) != NOT_SUPPORTED)
				continue;
			EXPECT_RETURNS(NOT_SUPPORTED, psci_call(vcpus[0], id, 0));
			CASE_EXPECT(!psci_stopped(vcpus[0]), "%#x, which is not offered, stops the vCPU", id);
		}
	}
}

/* The number is in w0; what is above does not count, all bits of it do. */
static void function_ids(void)
{
	static const uint32_t wrong[] = { BIT(16), BIT(22), BIT(23), BIT(24), BIT(29), BIT(31), 0x20, 0x8000 };
	uint32_t id;
	unsigned int i;

	psci_create(vcpus);
	EXPECT_RETURNS(psci_get_version(vcpus[0]), psci_call(vcpus[0], 0xffffffffUL << 32 | PSCI_0_2_FN_PSCI_VERSION, 0));
	CASE_EXPECT(!psci_call(vcpus[0], PSCI_1_0_FN_PSCI_FEATURES, BIT(63) | BIT(32) | PSCI_0_2_FN_CPU_OFF),
		    "PSCI_FEATURES looks at more than w1");
	for_each_id(id) {
		if (wanted_in(id, psci_get_version(vcpus[0])) != MUST)
			continue;
		for (i = 0; i < ARRAY_SIZE(wrong); i++) {
			EXPECT_RETURNS(NOT_SUPPORTED, psci_call(vcpus[0], id ^ wrong[i], 0));
			EXPECT_RETURNS(NOT_SUPPORTED, psci_features(vcpus[0], id ^ wrong[i]));
		}
	}
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
	for_each_id(id) {
		int want = wanted_in(id, psci_get_version(vcpus[0]));
		uint64_t got = (uint32_t)psci_features(vcpus[0], id);

		if (id & SMC64) {
			CASE_EXPECT(got == (uint32_t)NOT_SUPPORTED, "a 32-bit guest is offered %#x", id);
			EXPECT_RETURNS((uint32_t)NOT_SUPPORTED, (uint32_t)psci_call(vcpus[0], id, 0));
		} else if (want == MUST) {
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
