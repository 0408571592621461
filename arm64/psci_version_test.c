// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_REG_ARM_PSCI_VERSION says which PSCI a guest has: 0.2 or 1.0 to 1.3, the latest
 * unless told otherwise, 0.1 without the feature PSCI_0_2.  A VMM that restores a guest
 * of an older host relies on it.
 *
 * Catches: a version that is taken though KVM does not have it, or not kept, or of one
 * vCPU only; 0.1 and its function numbers where they do not belong.
 *
 * Facts: Documentation/virt/kvm/arm/fw-pseudo-registers.rst.
 */
#include <errno.h>

#include "case.h"
#include "psci_vm.h"

static struct kvm_vcpu *vcpus[PSCI_VCPUS];

/* The latest is the one above which none is taken. */
static void latest(void)
{
	uint64_t version, minor;

	psci_create(vcpus);
	version = psci_get_version(vcpus[0]);
	CASE_EXPECT(PSCI_VERSION_MAJOR(version) == 1, "the default is %s", psci_text(version));
	for (minor = 0; minor < 0x100; minor++) {
		int err = psci_set_version(vcpus[0], PSCI_VERSION(1, minor));
		bool want = minor <= PSCI_VERSION_MINOR(version);

		CASE_EXPECT(!err == want, "1.%lu %s, the default is %s", minor, err ? "is refused" : "is taken",
			    psci_text(version));
	}
	psci_create(vcpus);
	EXPECT_RETURNS(version, psci_call(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
}

static void each_version(void)
{
	uint64_t newest;
	const uint64_t *v;

	psci_create(vcpus);
	newest = psci_get_version(vcpus[0]);
	for_each_psci_version(v) {
		int err = psci_set_version(vcpus[0], *v);

		if (err && *v > newest)
			break;
		CASE_EXPECT(!err, "%s is refused, errno %d", psci_text(*v), err);
		CASE_EXPECT(psci_get_version(vcpus[0]) == *v, "set to %s, it reads %s", psci_text(*v),
			    psci_text(psci_get_version(vcpus[0])));
		EXPECT_RETURNS(*v, psci_call(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
	}
}

static void unsupported(void)
{
	static const uint64_t wrong[] = {
		0, PSCI_VERSION(0, 1), PSCI_VERSION(0, 3), PSCI_VERSION(0, 0xffff), PSCI_VERSION(1, 0x8000),
		PSCI_VERSION(1, 0xffff), PSCI_VERSION(2, 0), PSCI_VERSION(2, 2), PSCI_VERSION(0x7fff, 0),
		0xffffffff, ~0UL, BIT(32) | PSCI_VERSION(1, 0), BIT(63) | PSCI_VERSION(0, 2),
	};
	static const uint64_t before[] = { PSCI_VERSION(1, 0), PSCI_VERSION(0, 2) };
	unsigned int i, b;

	psci_create(vcpus);
	for (b = 0; b < ARRAY_SIZE(before); b++) {
		TEST_ASSERT(!psci_set_version(vcpus[0], before[b]), "no PSCI %s", psci_text(before[b]));
		for (i = 0; i < ARRAY_SIZE(wrong); i++) {
			int err = psci_set_version(vcpus[0], wrong[i]);

			CASE_EXPECT(err == EINVAL, "%#lx: errno %d, not EINVAL", wrong[i], err);
			CASE_EXPECT(psci_get_version(vcpus[0]) == before[b], "after %#lx was refused it is %s",
				    wrong[i], psci_text(psci_get_version(vcpus[0])));
		}
		EXPECT_RETURNS(before[b], psci_call(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
	}
}

static void without_feature(void)
{
	const uint64_t *v;

	psci_create_0_1(vcpus);
	CASE_EXPECT(psci_get_version(vcpus[0]) == PSCI_VERSION(0, 1), "without PSCI_0_2 it is %s",
		    psci_text(psci_get_version(vcpus[0])));
	CASE_EXPECT(!psci_set_version(vcpus[0], PSCI_VERSION(0, 1)), "0.1 cannot be set: what was read cannot be restored");
	for_each_psci_version(v) {
		int err = psci_set_version(vcpus[0], *v);

		CASE_EXPECT(err == EINVAL, "%s without PSCI_0_2: errno %d, not EINVAL", psci_text(*v), err);
	}
	CASE_EXPECT(psci_get_version(vcpus[0]) == PSCI_VERSION(0, 1), "it is %s now",
		    psci_text(psci_get_version(vcpus[0])));

	/* The functions of 0.1 have numbers of KVM's own, later ones are unknown. */
	EXPECT_RETURNS(NOT_SUPPORTED, psci_call(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
	EXPECT_RETURNS(NOT_SUPPORTED, psci_call(vcpus[0], PSCI_0_2_FN_SYSTEM_OFF, 0));
	EXPECT_RETURNS(NOT_SUPPORTED, psci_call(vcpus[0], PSCI_1_0_FN_PSCI_FEATURES, PSCI_0_2_FN_CPU_OFF));
	EXPECT_RETURNS(NOT_SUPPORTED, psci_call(vcpus[0], KVM_PSCI_FN_CPU_SUSPEND, 0));
	EXPECT_RETURNS(NOT_SUPPORTED, psci_call(vcpus[0], KVM_PSCI_FN_MIGRATE, 0));
	EXPECT_RETURNS(INVALID, psci_call(vcpus[0], KVM_PSCI_FN_CPU_ON, 1));
	psci_set_stopped(vcpus[1], true);
	EXPECT_RETURNS(PSCI_RET_SUCCESS, psci_call3(vcpus[0], KVM_PSCI_FN_CPU_ON, 1, 0x1000, 0x77));
	CASE_EXPECT(!psci_stopped(vcpus[1]), "CPU_ON of 0.1 leaves the vCPU off");
	CASE_EXPECT(psci_get_x(vcpus[1], 0) == 0x77, "it starts with %#lx in x0", psci_get_x(vcpus[1], 0));
}

/* 0.1's numbers are not those of later versions. */
static void only_0_1(void)
{
	const uint64_t *v;
	unsigned int n;

	psci_create(vcpus);
	for_each_psci_version(v) {
		if (!psci_has_version(vcpus[0], *v))
			continue;
		for (n = 0; n < 4; n++)
			EXPECT_RETURNS(NOT_SUPPORTED, psci_call(vcpus[0], KVM_PSCI_FN(n), 0));
		CASE_EXPECT(!psci_stopped(vcpus[0]), "CPU_OFF of 0.1 stops it");
	}
}

static void of_the_vm(void)
{
	const uint64_t wanted = PSCI_VERSION(1, 0);

	psci_create(vcpus);
	TEST_ASSERT(!psci_set_version(vcpus[1], wanted), "no PSCI 1.0");
	CASE_EXPECT(psci_get_version(vcpus[0]) == wanted, "set by vCPU 1, vCPU 0 reads %s",
		    psci_text(psci_get_version(vcpus[0])));
	EXPECT_RETURNS(wanted, psci_call(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
	EXPECT_RETURNS(wanted, psci_call(vcpus[1], PSCI_0_2_FN_PSCI_VERSION, 0));
}

/* A VMM resets a VM by KVM_ARM_VCPU_INIT, a guest another vCPU by CPU_ON. */
static void survives_reset(void)
{
	const uint64_t wanted = PSCI_VERSION(1, 1);
	unsigned int i;

	psci_create(vcpus);
	if (!psci_has_version(vcpus[0], wanted))
		case_skip("no PSCI 1.1: Linux before 5.18");
	EXPECT_RETURNS(wanted, psci_call(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
	psci_set_stopped(vcpus[1], true);
	EXPECT_RETURNS(PSCI_RET_SUCCESS, psci_call3(vcpus[0], PSCI_0_2_FN64_CPU_ON, 1, (uint64_t)psci_guest, 0));
	CASE_EXPECT(psci_get_version(vcpus[1]) == wanted, "after CPU_ON it is %s",
		    psci_text(psci_get_version(vcpus[1])));
	/* What the last call's exit has left is finished first, as for any VMM. */
	vcpu_run_complete_io(vcpus[0]);
	for (i = 0; i < ARRAY_SIZE(vcpus); i++)
		psci_reset_vcpu(vcpus[i]);
	for (i = 0; i < ARRAY_SIZE(vcpus); i++) {
		CASE_EXPECT(psci_get_version(vcpus[i]) == wanted, "after KVM_ARM_VCPU_INIT it is %s",
			    psci_text(psci_get_version(vcpus[i])));
		EXPECT_RETURNS(wanted, psci_call(vcpus[i], PSCI_0_2_FN_PSCI_VERSION, 0));
	}
}

static const struct witness_case cases[] = {
	{
		.name = "latest",
		.verifies = "the default is the latest version that is taken, and what the guest reads",
		.run = latest,
	}, {
		.name = "each_version",
		.verifies = "each of 0.2 and 1.0 to 1.3 can be set, read back, and is what the guest reads",
		.run = each_version,
	}, {
		.name = "unsupported",
		.verifies = "any other value gives EINVAL and leaves the old version",
		.run = unsupported,
	}, {
		.name = "without_feature",
		.verifies = "without PSCI_0_2 the version is 0.1, nothing else can be set, and the functions are those of 0.1",
		.run = without_feature,
	}, {
		.name = "only_0_1",
		.verifies = "with PSCI_0_2 the function numbers of 0.1 are not supported",
		.run = only_0_1,
	}, {
		.name = "of_the_vm",
		.verifies = "the version is that of all vCPUs, whichever sets it",
		.run = of_the_vm,
	}, {
		.name = "survives_reset",
		.verifies = "the version stays over CPU_ON and KVM_ARM_VCPU_INIT",
		.run = survives_reset,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "psci_version_test",
		.needs = "KVM on arm64",
		.seed = "target/arm: PSCI 1.2 and 1.3 for WHPX (v8), KVM: arm64: PSCI SYSTEM_OFF2 function for hibernation",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
