// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processors without BHI_CTRL have other variants of VMSCAPE than that of the branch
 * history: for them an IBPB is what the kernel chooses.
 *
 * Catches: a branch history that is cleared where that is not enough.
 */
#include "case.h"
#include "compat.h"
#include "kallsyms.h"
#include "vmscape_guest.h"

static void setup(void)
{
	if (!kallsyms_load() && vmscape_has_bhi_ctrl())
		case_skip("this processor has BHI_CTRL");
	vmscape_need(VMSCAPE_IBPB, NULL);
}

static const struct witness_case cases[] = {
	{
		.name = "mode_agrees",
		.verifies = "the mitigation is an IBPB",
		.run = vmscape_mode_agrees,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "vmscape_no_bhi_ctrl_test",
		.needs = "a processor with IBPB and VMSCAPE and without BHI_CTRL; vmscape=auto; two CPUs; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
		.seed = "x86/vmscape: VMSCAPE optimization for BHI variant (v8 2026-03-24, v12 2026-06-22)",
		.append = "setcpuid=ibpb,vmscape",
		.wants = WANTS_OWN_MITIGATIONS,
		.prepare = kallsyms_prepare,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
