// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI's calls about vCPUs: off, on, and which are on.
 *
 * Catches: a vCPU that starts elsewhere or with another context than it was told, or that
 * is no longer found by the affinity that the VMM gave it; parameters of the 32-bit calls
 * that are wider; a level of affinities that is off though one in it runs.
 *
 * Facts: Arm DEN0022 (PSCI).
 */
#include <errno.h>

#include <asm/cputype.h>
#include <linux/bits.h>

#include "case.h"
#include "psci_vm.h"

static struct kvm_vcpu *vcpus[PSCI_VCPUS];

static void cpu_off_and_on(void)
{
	const uint64_t context = 0xc0ffee00deadbeef, entry = (uint64_t)psci_guest;
	static const uint32_t ids[] = { PSCI_0_2_FN_CPU_ON, PSCI_0_2_FN64_CPU_ON };
	unsigned int n;

	psci_create(vcpus);
	for (n = 0; n < ARRAY_SIZE(ids); n++) {
		uint64_t mask = ids[n] & PSCI_0_2_64BIT ? ~0UL : 0xffffffff;
		int err;

		EXPECT_RETURNS((uint64_t)PSCI_RET_ALREADY_ON, psci_call3(vcpus[0], ids[n], 1, entry, context));
		EXPECT_RETURNS(INVALID, psci_call3(vcpus[0], ids[n], 2, entry, context));
		/* Bits that are no affinity must be zero; the 32-bit call has fewer of them. */
		EXPECT_RETURNS(INVALID, psci_call3(vcpus[0], ids[n], BIT(24) | 1, entry, context));
		EXPECT_RETURNS(ids[n] & PSCI_0_2_64BIT ? INVALID : (uint64_t)PSCI_RET_ALREADY_ON,
			       psci_call3(vcpus[0], ids[n], BIT(40) | 1, entry, context));

		psci_set_call(vcpus[1], PSCI_0_2_FN_CPU_OFF, 0, 0, 0);
		err = psci_run_until_stopped(vcpus[1]);
		CASE_EXPECT(err == EINTR && psci_stopped(vcpus[1]), "CPU_OFF: errno %d, %s", err,
			    psci_stopped(vcpus[1]) ? "off" : "still on");
		EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_OFF, psci_call(vcpus[0], PSCI_0_2_FN64_AFFINITY_INFO, 1));

		EXPECT_RETURNS(PSCI_RET_SUCCESS, psci_call3(vcpus[0], ids[n], 1, entry, context));
		CASE_EXPECT(!psci_stopped(vcpus[1]), "%#x leaves it off", ids[n]);
		CASE_EXPECT(vcpu_get_reg(vcpus[1], ARM64_CORE_REG(regs.pc)) == (entry & mask),
			    "%#x: it starts at %#lx", ids[n], vcpu_get_reg(vcpus[1], ARM64_CORE_REG(regs.pc)));
		CASE_EXPECT(psci_get_x(vcpus[1], 0) == (context & mask), "%#x: it starts with %#lx in x0", ids[n],
			    psci_get_x(vcpus[1], 0));
		EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_ON, psci_call(vcpus[0], PSCI_0_2_FN64_AFFINITY_INFO, 1));

		/* It has no page tables now. */
		psci_reset_vcpu(vcpus[1]);
	}
}

static void affinity_info(void)
{
	static const uint32_t ids[] = { PSCI_0_2_FN_AFFINITY_INFO, PSCI_0_2_FN64_AFFINITY_INFO };
	unsigned int n, on, level;

	psci_create(vcpus);
	for (n = 0; n < ARRAY_SIZE(ids); n++) {
		/* One that runs is enough for a whole level, whichever it is. */
		for (on = 0; on < 2; on++) {
			psci_set_stopped(vcpus[on], false);
			psci_set_stopped(vcpus[!on], true);
			EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_ON, psci_call3(vcpus[on], ids[n], on, 0, 0));
			EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_OFF, psci_call3(vcpus[on], ids[n], !on, 0, 0));
			for (level = 1; level <= 3; level++)
				EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_ON, psci_call3(vcpus[on], ids[n], !on, level, 0));
		}
		psci_set_stopped(vcpus[0], false);
		psci_set_stopped(vcpus[1], true);
		EXPECT_RETURNS(INVALID, psci_call3(vcpus[0], ids[n], 1, 4, 0));
		EXPECT_RETURNS(INVALID, psci_call3(vcpus[0], ids[n], 0x100, 0, 0));
		EXPECT_RETURNS(INVALID, psci_call3(vcpus[0], ids[n], BIT(31), 0, 0));
		EXPECT_RETURNS(ids[n] & PSCI_0_2_64BIT ? INVALID : PSCI_0_2_AFFINITY_LEVEL_OFF,
			       psci_call3(vcpus[0], ids[n], BIT(63) | 1, 0, 0));
	}
}

/* An affinity of the VMM's own, by which the guest must find the vCPU more than once. */
static void cpu_on_keeps_mpidr(void)
{
	const uint64_t affinity = 0x20003, mpidr = BIT(31) | affinity, reg = KVM_ARM64_SYS_REG(SYS_MPIDR_EL1);
	unsigned int round;

	psci_create(vcpus);
	vcpu_set_reg(vcpus[1], reg, mpidr);
	for (round = 0; round < 2; round++) {
		psci_set_stopped(vcpus[1], true);
		EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_OFF, psci_call(vcpus[0], PSCI_0_2_FN64_AFFINITY_INFO, affinity));
		EXPECT_RETURNS(PSCI_RET_SUCCESS, psci_call3(vcpus[0], PSCI_0_2_FN64_CPU_ON, affinity, (uint64_t)psci_guest, 0));
		CASE_EXPECT(vcpu_get_reg(vcpus[1], reg) == mpidr, "after CPU_ON its MPIDR_EL1 is %#lx, not %#lx",
			    vcpu_get_reg(vcpus[1], reg), mpidr);
		EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_ON, psci_call(vcpus[0], PSCI_0_2_FN64_AFFINITY_INFO, affinity));
	}
}

static const struct witness_case cases[] = {
	{
		.name = "cpu_off_and_on",
		.verifies = "CPU_OFF stops the caller, CPU_ON starts another vCPU, with parameters as wide as the call",
		.run = cpu_off_and_on,
	}, {
		.name = "affinity_info",
		.verifies = "AFFINITY_INFO tells of vCPUs and levels, by both widths",
		.run = affinity_info,
	}, {
		.name = "cpu_on_keeps_mpidr",
		.verifies = "a vCPU that is turned on keeps the affinity that the VMM has given it",
		.run = cpu_on_keeps_mpidr,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "psci_cpu_test",
		.needs = "KVM on arm64",
		.seed = "KVM: arm64: PSCI CPU_ON, AFFINITY_INFO",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
