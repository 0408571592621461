// SPDX-License-Identifier: GPL-2.0-only
/*
 * On a processor with the larger branch history KVM must not say that the short sequence
 * is adequate unless it can set BHI_DIS_S behind the guest's back (docs/bhb-short.md):
 * KVM-AMD cannot.
 *
 * Catches: a bit that is offered, or taken from user space, without anything behind it.
 */
#include "bhb_guest.h"
#include "case.h"
#include "compat.h"
#include "kallsyms.h"
#include "vmscape.h"

static void setup(void)
{
	if (!vmscape_has_bhi_ctrl())
		case_skip("this processor has no BHI_CTRL");
	if (!host_cpu_is_amd)
		case_skip("KVM can set BHI_DIS_S on this processor");
}

static const struct witness_case cases[] = {
	{
		.name = "not_offered",
		.verifies = "KVM does not offer the bit",
		.run = bhb_case_not_offered,
	}, {
		.name = "refused",
		.verifies = "KVM_SET_CPUID2 with the bit fails with EINVAL, and leaves the CPUID as it was",
		.run = bhb_case_refused,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "bhb_short_no_dis_s_test",
		.needs = "KVM-AMD on a processor that the kernel believes to have BHI_CTRL; root",
		.seed = "x86/bhi: Make clear_bhb_loop() effective on newer CPUs, its thread (2026-04-07)",
		.append = "setcpuid=ibpb,ibrs,stibp,674 clearcpuid=hypervisor",	/* 674: BHI_CTRL */
		.prepare = kallsyms_prepare,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
