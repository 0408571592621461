// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmscape=on asks for the best mitigation on an affected processor, whatever the attack
 * vector controls say.
 *
 * Catches: on that is no more than auto.
 */
#include "case.h"
#include "compat.h"
#include "kallsyms.h"
#include "vmscape_guest.h"

static void setup(void)
{
	vmscape_need(VMSCAPE_BHB, "vmscape=on");
}

static const struct witness_case cases[] = {
	{
		.name = "mode_agrees",
		.verifies = "the mitigation is on though guests are not to be defended against",
		.run = vmscape_mode_agrees,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "vmscape_on_test",
		.needs = "a processor with BHI_CTRL and VMSCAPE; vmscape=on; two CPUs; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
		.seed = "x86/vmscape: VMSCAPE optimization for BHI variant (v8 2026-03-24, v12 2026-06-22)",
		.append = "setcpuid=ibpb,674,vmscape mitigations=auto,no_guest_host vmscape=on",
		.wants = WANTS_OWN_MITIGATIONS,
		.prepare = kallsyms_prepare,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
