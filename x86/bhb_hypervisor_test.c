// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest without BHI_CTRL may run on any processor.  Unless the hypervisor says that the
 * short sequence is adequate it clears the larger branch history (docs/bhb-short.md).
 * This kernel is the guest, and the emulator the hypervisor that says nothing.
 *
 * Catches: a guest that takes the lack of BHI_CTRL for an old processor and reports itself
 * mitigated, as Linux 7.3 does.
 */
#include "bhb_sequence.h"
#include "case.h"
#include "compat.h"
#include "cpu.h"
#include "kallsyms.h"

static void setup(void)
{
	if (!cpu_flag("hypervisor"))
		case_skip("this machine is no guest");
	bhb_sequence_need();
	if (vmscape_has_bhi_ctrl())
		case_skip("this processor has BHI_CTRL");
}

static void long_sequence(void)
{
	bhb_sequence_is(12, 7);
}

static void sysfs_says_why(void)
{
	bhb_sequence_says("long, unknown hardware");
}

static const struct witness_case cases[] = {
	{
		.name = "long_sequence",
		.verifies = "the sequence at system calls is the long one, 12 times 7 branches",
		.run = long_sequence,
	}, {
		.name = "sysfs_says_why",
		.verifies = "sysfs says that it is the long one, because it does not know the hardware",
		.run = sysfs_says_why,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "bhb_hypervisor_test",
		.needs = "a processor with BHI and without BHI_CTRL that says it is a guest's; the bit is not there; two CPUs; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
		.seed = "x86/bhi: Make clear_bhb_loop() effective on newer CPUs, its thread (2026-04-07)",
		.append = "setcpuid=ibpb,ibrs,ibrs_enhanced,bhi,vmscape,hypervisor",
		.wants = WANTS_OWN_MITIGATIONS,
		.prepare = kallsyms_prepare,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
