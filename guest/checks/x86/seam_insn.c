// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAMCALL and TDCALL, see seam_insn.h.
 */
#include <string.h>

#include "../../../include/case.h"
#include "seam_insn.h"

const struct seam_insn seamcall = { "SEAMCALL", { 0x66, 0x0f, 0x01, 0xcf } };
const struct seam_insn tdcall = { "TDCALL", { 0x66, 0x0f, 0x01, 0xcc } };

static bool same_registers(struct kvm_regs a, const struct kvm_regs *b)
{
	a.rip = b->rip;
	a.rsp = b->rsp;
	a.rflags = b->rflags;
	return !memcmp(&a, b, sizeof(a));
}

void check_seam_insn(execute_fn execute, const struct seam_insn *insn, int cpl, uint64_t rax,
		     unsigned int vector)
{
	const struct kvm_regs before = {
		.rax = rax, .rbx = 0xb, .rcx = 0xc, .rdx = 0xd, .rsi = 0x51, .rdi = 0xd1, .rbp = 0xb9,
		.r8 = 0x1008, .r9 = 0x1009, .r10 = 0x100a, .r11 = 0x100b,
		.r12 = 0x100c, .r13 = 0x100d, .r14 = 0x100e, .r15 = 0x100f,
	};
	struct executed end;

	execute(cpl, insn->code, sizeof(insn->code), &before, &end);
	CASE_EXPECT(end.vector == vector, "%s at CPL %d with RAX %#llx: vector %u, want %u", insn->name,
		    cpl, (unsigned long long)rax, end.vector, vector);
	CASE_EXPECT(end.has_error == (vector == GP_VECTOR) && !end.error,
		    "%s at CPL %d: %s error code %#llx", insn->name, cpl, end.has_error ? "an" : "no",
		    (unsigned long long)end.error);
	CASE_EXPECT(!end.rip, "%s at CPL %d: RIP is %lld bytes beyond the instruction", insn->name, cpl,
		    (long long)end.rip);
	CASE_EXPECT(same_registers(end.regs, &before), "%s at CPL %d changes a register", insn->name, cpl);
}

void check_seam_leaves(execute_fn execute, const struct seam_insn *insn)
{
	int bit;

	check_seam_insn(execute, insn, 0, -1ull, UD_VECTOR);
	for (bit = 0; bit < 64; bit++)
		check_seam_insn(execute, insn, 0, 1ull << bit, UD_VECTOR);
}
