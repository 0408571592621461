// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmscape=off: no flush before user space, and nobody asks for one.
 *
 * Catches: a flag that is set though nothing reads it, and a mitigation that the user
 * has turned off.
 */
#include "case.h"
#include "compat.h"
#include "kallsyms.h"
#include "vmscape_guest.h"

static void setup(void)
{
	vmscape_need(VMSCAPE_NONE, "vmscape=off");
}

static const struct witness_case cases[] = {
	{
		.name = "mode_agrees",
		.verifies = "there is no mitigation, in sysfs, in memory and in fact",
		.run = vmscape_mode_agrees,
	}, {
		.name = "nobody_asks",
		.verifies = "KVM does not ask for a flush after VM-exits",
		.run = vmscape_nobody_asks,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "vmscape_off_test",
		.needs = "a processor with VMSCAPE; vmscape=off; two CPUs; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
		.seed = "x86/vmscape: VMSCAPE optimization for BHI variant (v8 2026-03-24, v12 2026-06-22)",
		.append = "setcpuid=ibpb,674,vmscape vmscape=off",
		.wants = WANTS_OWN_MITIGATIONS,
		.prepare = kallsyms_prepare,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
