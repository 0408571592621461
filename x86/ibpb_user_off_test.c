// SPDX-License-Identifier: GPL-2.0-only
/*
 * spectre_v2_user=off is the host's word on tasks and vCPUs: no barriers between
 * them.  It is not about instructions that KVM has promised to a guest: an L1 with
 * IBRS keeps its barrier against L2, a guest with IBPB the one when it is moved.
 *
 * Catches: one test of the static key too many, or one too few.
 */
#include "case.h"
#include "compat.h"
#include "ibpb.h"
#include "ibpb_guest.h"
#include "kallsyms.h"

#define ROUNDS	10

static void setup(void)
{
	const char *why = ibpb_probe_open();

	if (why)
		case_skip("%s", why);
	if (!ibpb_vcpu_switch_off())
		case_skip("barriers between vCPUs are on; boot with spectre_v2_user=off");
}

static void switches_are_free(void)
{
	struct kvm_vcpu *a = ibpb_create_vcpu(0, SHOW_IBPB);
	struct kvm_vcpu *b = ibpb_create_vcpu(1, SHOW_NOTHING);
	struct ibpb_counts c;
	int i;

	/* The first entry of all is no move either. */
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		ibpb_run_on(0, a);
		ibpb_run_on(0, b);
	}
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 0, "20 alternating runs");
}

static void l1_after_l2(void)
{
	struct kvm_vcpu *vcpu = ibpb_create_nested(0, SHOW_IBRS);
	struct ibpb_counts c;
	int i;

	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		ibpb_run_nested_on(0, vcpu, NESTED_L2_SYNC);
		ibpb_run_nested_on(0, vcpu, NESTED_L2_EXIT);
	}
	c = ibpb_window_close();
	ibpb_expect(&c, 0, ROUNDS, "10 exits from L2 to L1");
}

static void moved_with_ibpb(void)
{
	struct kvm_vcpu *vcpu = ibpb_create_vcpu(0, SHOW_IBPB);
	struct ibpb_counts c;
	int i;

	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		ibpb_run_on(0, vcpu);
		ibpb_run_on(1, vcpu);
	}
	c = ibpb_window_close();
	ibpb_expect_both(&c, ROUNDS - 1, ROUNDS, "a guest with IBPB moved to CPU 1 ten times, and back nine times");
}

static const struct witness_case cases[] = {
	{
		.name = "switches_are_free",
		.verifies = "vCPUs entered in turn cost no barrier, their first VM-entry neither",
		.run = switches_are_free,
	}, {
		.name = "l1_after_l2",
		.verifies = "an exit from L2 to an L1 with IBRS still costs exactly one barrier",
		.needs = "nested SVM and IBRS; what the test needs",
		.run = l1_after_l2,
	}, {
		.name = "moved_with_ibpb",
		.verifies = "a guest with IBPB still gets exactly one barrier when it is moved, not when it first runs",
		.run = moved_with_ibpb,
	},
};

static const struct witness_test test = {
	.name = "ibpb_user_off_test",
	.needs = "spectre_v2_user=off; IBPB; two CPUs; no IBPB on kernel entry; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
	.seed = "https://lore.kernel.org/kvm (2026-01-27) KVM: x86: Defer IBPBs for vCPU and nested transitions until core run loop",
	.append = "spectre_v2_user=off",
	.prepare = kallsyms_prepare,
	.setup = setup,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

int main(int argc, char **argv)
{
	return witness_main(&test, argc, argv);
}
