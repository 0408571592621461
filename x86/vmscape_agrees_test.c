// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever mitigation of VMSCAPE this kernel has chosen: is it the one that sysfs tells?
 * Needs no particular parameters, and so runs on any kernel and any processor;
 * tests/vmscape_matrix.sh runs it with all combinations of them.
 *
 * Catches: a string, a static call and a flush that do not belong together.
 */
#include <stdio.h>
#include <string.h>

#include "case.h"
#include "compat.h"
#include "cpu.h"
#include "kallsyms.h"
#include "vmscape_guest.h"

static void sysfs_tells_the_truth(void)
{
	char line[128];

	if (!cpu_vulnerability("vmscape", line, sizeof(line)))
		case_skip("the kernel knows nothing of VMSCAPE");
	/* For the matrix. */
	printf("mode: %s\n", line);
	fflush(stdout);
	vmscape_as_sysfs_says();
	vmscape_mode_agrees();
}

static const struct witness_case cases[] = {
	{
		.name = "sysfs_tells_the_truth",
		.verifies = "the mitigation is in memory and in fact what it is in sysfs",
		.run = sysfs_tells_the_truth,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "vmscape_agrees_test",
		.needs = "no IBPB on kernel entry or VM-exit; two CPUs; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
		.seed = "x86/vmscape: VMSCAPE optimization for BHI variant (v8 2026-03-24, v12 2026-06-22)",
		.wants = WANTS_OWN_MITIGATIONS,
		.prepare = kallsyms_prepare,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
