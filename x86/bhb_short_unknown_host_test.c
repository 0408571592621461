// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host that is a guest itself, and was not told how large the branch history is, must
 * not tell its own guests that the short sequence is adequate (docs/bhb-short.md).
 *
 * Catches: a host that takes the lack of BHI_CTRL in its own CPUID for old hardware, and
 * one that drops the bit instead of refusing it: a guest that was saved elsewhere has
 * long believed it.
 */
#include "bhb_guest.h"
#include "case.h"
#include "cpu.h"
#include "kallsyms.h"
#include "vmscape.h"

static void setup(void)
{
	if (vmscape_has_bhi_ctrl())
		case_skip("this processor has BHI_CTRL");
	if (!cpu_flag("hypervisor"))
		case_skip("this machine is no guest");
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
		.name = "bhb_short_unknown_host_test",
		.needs = "a processor that says it is a guest's, without BHI_CTRL and without the bit; root",
		.seed = "x86/bhi: Make clear_bhb_loop() effective on newer CPUs, its thread (2026-04-07)",
		.append = "setcpuid=ibpb,ibrs,stibp,hypervisor",
		.wants = WANTS_L1TF,	/* Skylake: no BHI_CTRL */
		.prepare = kallsyms_prepare,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
