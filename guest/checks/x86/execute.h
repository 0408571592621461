/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of a few bytes of code on a vCPU: a selftest has them executed from outside
 * (include/x86/bare.h), the guest-side test kernel from inside.  A check that is given an
 * execute_fn runs on both.
 */
#ifndef CHECKS_EXECUTE_H
#define CHECKS_EXECUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <asm/kvm.h>

#define EXECUTED_TO_END	256u	/* no vector */

struct executed {
	unsigned int vector;
	bool has_error;		/* an error code was pushed */
	uint64_t error;
	int64_t rip;		/* the pushed one, in bytes from the first one of the code */
	uint64_t address;	/* CR2, for #PF, where it is known */
	struct kvm_regs regs;	/* not RIP and RSP */
};

/*
 * Executes the @len <= 64 bytes at @code at @cpl (0 or 3), with the registers @regs, of
 * which RIP, RSP and RFLAGS are not taken.
 */
typedef void (*execute_fn)(int cpl, const void *code, size_t len, const struct kvm_regs *regs,
			   struct executed *end);

#endif /* CHECKS_EXECUTE_H */
