// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMSCAPE's first mitigation, on all processors that have no better one or were told so:
 * an IBPB before the return to user space on a CPU that has run a guest.  The same as
 * vmscape_test asks of the other kind of flush.
 *
 * Catches: a barrier too many or too few, on another CPU, or by the task instead of the
 * CPU; one that is asked for and not executed; and a branch history that is cleared on
 * top.
 */
#include "case.h"
#include "compat.h"
#include "kallsyms.h"
#include "vmscape_guest.h"

static void setup(void)
{
	vmscape_need(VMSCAPE_IBPB, "vmscape=ibpb");
}

static const struct witness_case cases[] = {
	{
		.name = "mode_agrees",
		.verifies = "the mitigation is an IBPB, in sysfs, in memory and in fact",
		.run = vmscape_mode_agrees,
	}, {
		.name = "once_per_return",
		.verifies = "each return to user space after VM-exits has one barrier, be they few or many",
		.run = vmscape_once_per_return,
	}, {
		.name = "nothing_without_entry",
		.verifies = "KVM_RUN that does not enter the guest, and other ioctls, ask for no barrier",
		.run = vmscape_nothing_without_entry,
	}, {
		.name = "on_the_cpu_that_ran",
		.verifies = "a vCPU thread that leaves its CPU before it returns to user space leaves the barrier there",
		.run = vmscape_on_the_cpu_that_ran,
	}, {
		.name = "by_any_task",
		.verifies = "whichever task returns to user space first on the CPU has the one barrier",
		.run = vmscape_by_any_task,
	}, {
		.name = "other_flush_unused",
		.verifies = "the branch history is not cleared on top",
		.run = vmscape_other_flush_unused,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "vmscape_ibpb_test",
		.needs = "a processor with IBPB and VMSCAPE; vmscape=ibpb; two CPUs; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
		.seed = "x86/vmscape: VMSCAPE optimization for BHI variant (v8 2026-03-24, v12 2026-06-22)",
		.append = "setcpuid=ibpb,674,vmscape vmscape=ibpb",	/* 674: BHI_CTRL */
		.wants = WANTS_OWN_MITIGATIONS,
		.prepare = kallsyms_prepare,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
