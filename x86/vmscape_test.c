// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest can train the branch predictors that user space then uses, its own VMM first
 * of all (VMSCAPE).  On processors that are affected by the variant of the branch
 * history alone, Alder Lake and newer, the kernel clears that history before it returns
 * to user space on a CPU that has run a guest, instead of an IBPB.
 *
 * Catches: a flush too many or too few, on another CPU, or by the task instead of the
 * CPU; both kinds of flush; the sequence that is too short for these processors; and a
 * sysfs file that tells something else ("VMSCAPE optimization for BHI variant", v12
 * 2026-06-22, which is not merged).
 *
 * Sound because each flush reads data that a watchpoint sees, and each zero stands
 * beside a read that was caused on purpose.
 */
#include "case.h"
#include "compat.h"
#include "kallsyms.h"
#include "vmscape_guest.h"

#define RUNS	10

static void setup(void)
{
	vmscape_need(VMSCAPE_BHB, NULL);
}

static void long_sequence(void)
{
	struct vmscape_seen seen[VMSCAPE_CPUS];
	uint8_t outer = 0, inner = 0;
	struct kvm_vcpu *vcpu;
	int i;

	vm_create_with_one_vcpu(&vcpu, vmscape_guest_code);
	vmscape_watch_inner();
	vmscape_pin(0);
	vmscape_window_open();
	for (i = 0; i < RUNS; i++)
		vcpu_run(vcpu);
	vmscape_window_close(seen);
	TEST_ASSERT(seen[0].flushes[VMSCAPE_BHB] >= RUNS, "%u sequences", seen[0].flushes[VMSCAPE_BHB]);
	CASE_EXPECT(seen[0].inner == 12 * seen[0].outer, "%u inner loops in %u sequences, want 12 in each",
		    seen[0].inner, seen[0].outer);
	CASE_EXPECT(vmscape_loop_counts(&outer, &inner) && outer == 12 && inner == 7,
		    "%u times %u iterations, want 12 times 7", outer, inner);
}

static const struct witness_case cases[] = {
	{
		.name = "mode_agrees",
		.verifies = "the mitigation is to clear the branch history, in sysfs, in memory and in fact",
		.run = vmscape_mode_agrees,
	}, {
		.name = "once_per_return",
		.verifies = "each return to user space after VM-exits has one flush, be they few or many",
		.run = vmscape_once_per_return,
	}, {
		.name = "nothing_without_entry",
		.verifies = "KVM_RUN that does not enter the guest, and other ioctls, ask for no flush",
		.run = vmscape_nothing_without_entry,
	}, {
		.name = "on_the_cpu_that_ran",
		.verifies = "a vCPU thread that leaves its CPU before it returns to user space leaves the flush there",
		.run = vmscape_on_the_cpu_that_ran,
	}, {
		.name = "by_any_task",
		.verifies = "whichever task returns to user space first on the CPU has the one flush",
		.run = vmscape_by_any_task,
	}, {
		.name = "other_flush_unused",
		.verifies = "there is no IBPB on top",
		.run = vmscape_other_flush_unused,
	}, {
		.name = "long_sequence",
		.verifies = "the sequence is the long one, 12 times 7 branches",
		.run = long_sequence,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "vmscape_test",
		.needs = "a processor with BHI_CTRL and VMSCAPE, vmscape=auto; two CPUs; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
		.seed = "x86/vmscape: VMSCAPE optimization for BHI variant (v8 2026-03-24, v12 2026-06-22)",
		.append = "setcpuid=ibpb,674,vmscape",	/* 674: BHI_CTRL, which has no name there */
		.wants = WANTS_OWN_MITIGATIONS,
		.prepare = kallsyms_prepare,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
