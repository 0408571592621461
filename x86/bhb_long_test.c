// SPDX-License-Identifier: GPL-2.0-only
/*
 * spectre_bhi=long is the user's word: the long sequence, whatever the hardware is and the
 * hypervisor says.  It leaves the choice of the mitigation as it is.
 *
 * Catches: an override that is ignored, or that turns the mitigation off.
 */
#include <string.h>

#include "bhb_sequence.h"
#include "case.h"
#include "compat.h"
#include "cpu.h"
#include "kallsyms.h"

static void setup(void)
{
	if (!vmscape_parameter("spectre_bhi=long"))
		case_skip("not booted with spectre_bhi=long");
}

static void still_mitigated(void)
{
	char line[512] = "";

	cpu_vulnerability("spectre_v2", line, sizeof(line));
	if (strstr(line, "BHI: Not affected"))
		case_skip("this processor does not have BHI");
	CASE_EXPECT(strstr(line, "BHI: SW loop"), "spectre_v2 is \"%s\", want a software loop", line);
}

static void long_sequence(void)
{
	bhb_sequence_need();
	bhb_sequence_is(12, 7);
}

static void sysfs_says_why(void)
{
	bhb_sequence_need();
	bhb_sequence_says("long, says the command line");
}

static const struct witness_case cases[] = {
	{
		.name = "still_mitigated",
		.verifies = "the branch history is cleared at system calls as without the parameter",
		.run = still_mitigated,
	}, {
		.name = "long_sequence",
		.verifies = "the sequence at system calls is the long one, 12 times 7 branches",
		.run = long_sequence,
	}, {
		.name = "sysfs_says_why",
		.verifies = "sysfs says that it is the long one, because the command line does",
		.run = sysfs_says_why,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "bhb_long_test",
		.needs = "a processor with BHI and without BHI_CTRL; spectre_bhi=long; two CPUs; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
		.seed = "x86/bhi: Make clear_bhb_loop() effective on newer CPUs, its thread (2026-04-07)",
		.append = "setcpuid=ibpb,ibrs,ibrs_enhanced,bhi,vmscape clearcpuid=hypervisor spectre_bhi=long",
		.wants = WANTS_OWN_MITIGATIONS,
		.prepare = kallsyms_prepare,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
