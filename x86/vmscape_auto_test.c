// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmscape=auto, the default, leaves the choice to the attack vector controls: a host that
 * need not be defended against its guests has no mitigation.
 *
 * Catches: auto that is as much as on.
 */
#include "case.h"
#include "compat.h"
#include "kallsyms.h"
#include "vmscape_guest.h"

static void setup(void)
{
	vmscape_need(VMSCAPE_NONE, "mitigations=auto,no_guest_host");
}

static const struct witness_case cases[] = {
	{
		.name = "mode_agrees",
		.verifies = "there is no mitigation where guests are not to be defended against",
		.run = vmscape_mode_agrees,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "vmscape_auto_test",
		.needs = "a processor with VMSCAPE; mitigations=auto,no_guest_host; two CPUs; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
		.seed = "x86/vmscape: VMSCAPE optimization for BHI variant (v8 2026-03-24, v12 2026-06-22)",
		.append = "setcpuid=ibpb,674,vmscape mitigations=auto,no_guest_host vmscape=auto",
		.wants = WANTS_OWN_MITIGATIONS,
		.prepare = kallsyms_prepare,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
