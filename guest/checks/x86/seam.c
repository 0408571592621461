// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAMCALL and TDCALL in a guest that is no TD: #UD, as x86/seamcall_tdcall_ud_test.c
 * sees it from outside.  A KVM without handlers for their exits ends the VM.
 */
#include "../../boot/x86/x86.h"
#include "seam_insn.h"

static void seamcall_leaves(void)
{
	check_seam_leaves(execute, &seamcall);
}

static void tdcall_leaves(void)
{
	check_seam_leaves(execute, &tdcall);
}

/* Whether the processor has SEAM, which checks the privilege level first, is not told. */
static void user_mode(void)
{
	struct kvm_regs regs = { 0 };
	struct executed end;

	execute(3, seamcall.code, sizeof(seamcall.code), &regs, &end);
	CASE_EXPECT(end.vector == UD_VECTOR || end.vector == GP_VECTOR, "SEAMCALL at CPL 3: vector %u", end.vector);
	check_seam_insn(execute, &seamcall, 3, 0, end.vector);
	check_seam_insn(execute, &tdcall, 3, 0, end.vector);
}

static const struct witness_case cases[] = {
	{
		.name = "seamcall_leaves",
		.verifies = "SEAMCALL at CPL 0 with any leaf: #UD at the instruction, no error code, registers intact",
		.run = seamcall_leaves,
	}, {
		.name = "tdcall_leaves",
		.verifies = "TDCALL at CPL 0 with any leaf: #UD at the instruction, no error code, registers intact",
		.run = tdcall_leaves,
	}, {
		.name = "user_mode",
		.verifies = "at CPL 3 both raise #UD, or both #GP as on a processor with SEAM",
		.run = user_mode,
	},
};

static const struct witness_test test = {
	.name = "guest_seam",
	.needs = "nothing",
	.seed = "9d7dfb95da2c (KVM: VMX: Inject #UD if guest tries to execute SEAMCALL or TDCALL)",
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

GUEST_TEST(test);
