// SPDX-License-Identifier: GPL-2.0-only
/*
 * An IBPB that a guest issues takes effect on the CPU that it runs on.  A guest
 * that has been promised IBPB and is moved must therefore get one from KVM on the
 * new CPU: there may be predictions that it has meant to flush.
 *
 * Catches: the hole that David Kaplan reported ("KVM: x86: Emit IBPB on pCPU migration
 * if IBPB is advertised to guest", 2026-01-27), and barriers that guests without IBPB
 * or without a move have to pay.
 */
#include "case.h"
#include "compat.h"
#include "ibpb.h"
#include "ibpb_guest.h"
#include "kallsyms.h"

#define ROUNDS	10

/* Nobody else is entered: the moves alone are what may cost. */
static void moves(enum ibpb_shown shown, unsigned int want, const char *what)
{
	struct kvm_vcpu *vcpu = ibpb_create_vcpu(0, shown);
	struct ibpb_counts c;
	int i;

	ibpb_run_on(0, vcpu);
	ibpb_run_on(1, vcpu);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		ibpb_run_on(0, vcpu);
		ibpb_run_on(1, vcpu);
	}
	c = ibpb_window_close();
	ibpb_expect_both(&c, want, want, what);
}

static void moved_with_ibpb(void)
{
	moves(SHOW_IBPB, ROUNDS, "10 moves of a guest with IBPB to each CPU");
}

static void moved_without_ibpb(void)
{
	moves(SHOW_NOTHING, 0, "10 moves of a guest without IBPB to each CPU");
}

static void stayed(void)
{
	struct kvm_vcpu *vcpu = ibpb_create_vcpu(0, SHOW_IBPB);
	struct ibpb_counts c;
	int i;

	ibpb_run_on(0, vcpu);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++)
		ibpb_run_on(0, vcpu);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 0, "10 runs of a guest with IBPB on one CPU");
}

static void loaded_elsewhere(void)
{
	struct kvm_vcpu *vcpu = ibpb_create_vcpu(0, SHOW_IBPB);
	struct ibpb_counts c;
	int i;

	ibpb_run_on(0, vcpu);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		ibpb_load_on(1, vcpu);
		ibpb_run_on(0, vcpu);
	}
	c = ibpb_window_close();
	ibpb_expect_both(&c, 0, 0, "10 runs on CPU 0, loaded on CPU 1 before each");
}

static void with_vcpu_switch(void)
{
	struct kvm_vcpu *vcpu = ibpb_create_vcpu(0, SHOW_IBPB);
	struct kvm_vcpu *other = ibpb_create_vcpu(0, SHOW_NOTHING);
	struct ibpb_counts c;

	ibpb_run_on(0, vcpu);
	ibpb_run_on(1, other);
	ibpb_window_open();
	ibpb_run_on(1, vcpu);
	c = ibpb_window_close();
	ibpb_expect(&c, 1, 1, "moved to a CPU where another vCPU ran");
}

static const struct witness_case cases[] = {
	{
		.name = "moved_with_ibpb",
		.verifies = "a guest with IBPB gets exactly one barrier each time it is entered on another CPU",
		.run = moved_with_ibpb,
	}, {
		.name = "moved_without_ibpb",
		.verifies = "a guest without IBPB that comes back to a CPU costs no barrier",
		.run = moved_without_ibpb,
	}, {
		.name = "stayed",
		.verifies = "a guest with IBPB that stays on its CPU costs no barrier",
		.run = stayed,
	}, {
		.name = "loaded_elsewhere",
		.verifies = "a guest with IBPB that is only loaded on another CPU costs no barrier on either",
		.run = loaded_elsewhere,
	}, {
		.name = "with_vcpu_switch",
		.verifies = "one barrier is enough when a guest moves to a CPU where another vCPU ran",
		.run = with_vcpu_switch,
	},
};

static const struct witness_test test = {
	.name = "migration_ibpb_test",
	.needs = "IBPB; two CPUs; spectre_v2_user not off; no IBPB on kernel entry; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
	.seed = "https://lore.kernel.org/kvm (2026-01-27) KVM: x86: Emit IBPB on pCPU migration if IBPB is advertised to guest",
	.prepare = kallsyms_prepare,
	.setup = ibpb_need_probe,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

int main(int argc, char **argv)
{
	return witness_main(&test, argc, argv);
}
