/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU without a guest kernel: it executes a few bytes of code in the mode and at the
 * privilege level that one likes, and user space sees the exception that they raise
 * with all registers as they were.
 *
 * Each vector's handler is one OUT to a port of its own, which touches no register; what
 * the processor has pushed is read from the guest's stack.
 */
#ifndef KVM_WITNESS_X86_BARE_H
#define KVM_WITNESS_X86_BARE_H

#include <stdbool.h>
#include <stddef.h>

#include "compat.h"

enum bare_mode {
	BARE_LONG,			/* 64-bit mode */
	BARE_COMPAT,			/* compatibility mode: 32-bit code under long mode */
	BARE_PROTECTED,			/* protected mode, no paging */
};

#define BARE_CODE	0x8000u		/* where the code is */
#define BARE_NO_VECTOR	256u

/* How the code ended. */
struct bare_end {
	unsigned int vector;		/* BARE_NO_VECTOR: it ran to its end */
	bool has_error;			/* an error code was pushed */
	u32 error;
	u64 rip;			/* the pushed one */
	struct kvm_regs regs;		/* at the handler's first instruction; not RIP and RSP */
};

/* A VM with one such vCPU. */
struct kvm_vcpu *bare_create(void);

/*
 * Executes the @len <= 64 bytes at @code at @cpl (0 or 3) with the registers @regs, of
 * which RIP, RSP and RFLAGS are ours.  False when KVM_RUN returned for any other reason
 * than an exception or the end of the code: vcpu->run has it.
 */
bool bare_run(struct kvm_vcpu *vcpu, enum bare_mode mode, int cpl, const void *code, size_t len,
	      const struct kvm_regs *regs, struct bare_end *end);

#endif /* KVM_WITNESS_X86_BARE_H */
