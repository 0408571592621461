// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest hypervisor (L1) that is shown IBRS may rely on it against its own guest
 * (L2).  Both run in the same mode of the real processor, so KVM has to issue an
 * IBPB before L1 runs again on a CPU where L2 has run.
 *
 * Catches: no barrier at all; barriers that nobody was promised; a barrier for each
 * nested VM-exit although L1 is never entered; and a barrier on the CPU of the
 * nested VM-exit only, when L2 has run on others too.  The last one is in Linux 7.3
 * as well as in the posted deferral ("KVM: x86: Defer IBPBs for vCPU and nested
 * transitions until core run loop", 2026-01-27).
 *
 * The guests are not shown IBPB, so that no barrier for migration hides these.
 */
#include "case.h"
#include "compat.h"
#include "ibpb.h"
#include "ibpb_guest.h"
#include "kallsyms.h"

#define ROUNDS	10

static void round_trips(enum ibpb_shown shown, unsigned int want, const char *what)
{
	struct kvm_vcpu *vcpu = ibpb_create_nested(0, shown);
	struct ibpb_counts c;
	int i;

	ibpb_run_nested_on(0, vcpu, NESTED_L2_SYNC);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		ibpb_run_nested_on(0, vcpu, NESTED_L2_EXIT);
		ibpb_run_nested_on(0, vcpu, NESTED_L2_SYNC);
	}
	c = ibpb_window_close();
	ibpb_expect(&c, 0, want, what);
}

static void l1_after_l2(void)
{
	round_trips(SHOW_IBRS, ROUNDS, "10 exits from L2 to L1 and back");
}

static void l1_without_ibrs(void)
{
	round_trips(SHOW_NOTHING, 0, "10 exits from L2 to an L1 without IBRS");
}

static void l2_again(void)
{
	struct kvm_vcpu *vcpu = ibpb_create_nested(0, SHOW_IBRS);
	struct ibpb_counts c;
	int i;

	ibpb_run_nested_on(0, vcpu, NESTED_L2_SYNC);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++)
		ibpb_run_nested_on(0, vcpu, NESTED_L2_SYNC);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 0, "10 entries of an L2 that never exits to L1");
}

/*
 * KVM lets L2 exit to L1 and turns back before it enters L1: the barrier can wait.
 * User space then restores L2, and so on.
 */
static void exits_without_entry(void)
{
	struct kvm_vcpu *vcpu = ibpb_create_nested(0, SHOW_IBRS);
	struct kvm_x86_state *l2;
	struct ibpb_counts c;
	int i;

	ibpb_allow_turning_back(vcpu);
	ibpb_run_nested_on(0, vcpu, NESTED_L2_SYNC);
	/* Ends the port access that has brought L2 to user space. */
	ibpb_turn_back(vcpu);
	l2 = vcpu_save_state(vcpu);

	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		if (i)
			ibpb_load_nested(vcpu, l2);
		ibpb_queue_nmi(vcpu);
		ibpb_turn_back(vcpu);
		TEST_ASSERT(!ibpb_in_l2(vcpu), "the NMI did not make L2 exit");
	}
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 0, "10 exits from L2, no entry of L1");

	ibpb_window_open();
	ibpb_run_nmi_on(0, vcpu);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 1, "the entry of L1 after 10 exits from L2");
	kvm_x86_state_cleanup(l2);
}

static void with_vcpu_switch(void)
{
	struct kvm_vcpu *nested = ibpb_create_nested(0, SHOW_IBRS);
	struct kvm_vcpu *other = ibpb_create_vcpu(0, SHOW_NOTHING);
	struct ibpb_counts c;

	ibpb_run_nested_on(0, nested, NESTED_L2_SYNC);
	ibpb_run_on(0, other);
	ibpb_window_open();
	ibpb_queue_nmi(nested);
	ibpb_run_nmi_on(0, nested);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 1, "L1 entered after its L2 and after another vCPU");
}

static void l2_on_two_cpus(void)
{
	struct kvm_vcpu *vcpu = ibpb_create_nested(0, SHOW_IBRS);
	struct ibpb_counts c;

	ibpb_run_nested_on(0, vcpu, NESTED_L2_SYNC);
	ibpb_run_nested_on(1, vcpu, NESTED_L2_EXIT);
	ibpb_window_open();
	/* L1 goes on, on CPU 0: L2 has run there, and nobody else since. */
	ibpb_run_nested_on(0, vcpu, NESTED_L2_SYNC);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 1, "L2 ran on CPU 0 and on CPU 1, exited to L1 there, and L1 came back to CPU 0");
}

static const struct witness_case cases[] = {
	{
		.name = "l1_after_l2",
		.verifies = "an exit from L2 to an L1 with IBRS costs exactly one barrier, the way back none",
		.run = l1_after_l2,
	}, {
		.name = "l1_without_ibrs",
		.verifies = "an exit from L2 to an L1 that is not shown IBRS costs no barrier",
		.run = l1_without_ibrs,
	}, {
		.name = "l2_again",
		.verifies = "an L2 that is entered again, L1 not in between, costs no barrier",
		.run = l2_again,
	}, {
		.name = "exits_without_entry",
		.verifies = "any number of exits from L2 before one entry of L1 costs exactly one barrier",
		.run = exits_without_entry,
	}, {
		.name = "with_vcpu_switch",
		.verifies = "one barrier is enough when L1 follows both its L2 and another vCPU",
		.run = with_vcpu_switch,
	}, {
		.name = "l2_on_two_cpus",
		.verifies = "L1 gets a barrier on every CPU that its L2 has run on",
		.run = l2_on_two_cpus,
	},
};

static const struct witness_test test = {
	.name = "nested_ibpb_test",
	.needs = "nested SVM; IBPB and IBRS; two CPUs; spectre_v2_user not off; no IBPB on kernel entry; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
	.seed = "https://lore.kernel.org/kvm (2026-01-27) KVM: x86: Defer IBPBs for vCPU and nested transitions until core run loop",
	.prepare = kallsyms_prepare,
	.setup = ibpb_need_probe,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

int main(int argc, char **argv)
{
	return witness_main(&test, argc, argv);
}
