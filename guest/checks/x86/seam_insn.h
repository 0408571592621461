/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SEAMCALL and TDCALL in a guest that is no TD, for a selftest and for the guest-side
 * test kernel.
 */
#ifndef CHECKS_SEAM_INSN_H
#define CHECKS_SEAM_INSN_H

#include "execute.h"

struct seam_insn {
	const char *name;
	uint8_t code[4];
};

extern const struct seam_insn seamcall, tdcall;

/*
 * The instruction, with this leaf in RAX, raises @vector at its own address, without an
 * error code or with 0 where the vector has one, and changes no register.
 */
void check_seam_insn(execute_fn execute, const struct seam_insn *insn, int cpl, uint64_t rax,
		     unsigned int vector);

/*
 * At CPL 0 it is #UD for every single bit of the leaf and for all of them: the leaf means
 * nothing before SEAM is entered; bit 63 calls the P-SEAMLDR.
 */
void check_seam_leaves(execute_fn execute, const struct seam_insn *insn);

#endif /* CHECKS_SEAM_INSN_H */
