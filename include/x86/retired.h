/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions and transitions that the processor itself has counted when they were
 * complete: the ground truth of a test, where neither a watchpoint nor a statistic of
 * KVM can see (right before VM-entry, in a guest).  Only an emulated machine has it.
 *
 * Not counted is what faulted, and what made a VM-exit instead.  A guest that KVM lets
 * write an MSR itself, an L2 whose exits L0 handles: all appear as they are to the
 * processor, which knows two levels only, the host and what it entered.
 *
 * One reader at a time: the latch is one for the whole machine.
 */
#ifndef KVM_WITNESS_X86_RETIRED_H
#define KVM_WITNESS_X86_RETIRED_H

#include <stdbool.h>
#include <stdint.h>

enum retired_what {
	RETIRED_IBPB = 1,	/* MSR_IA32_PRED_CMD written with PRED_CMD_IBPB */
	RETIRED_L1D_FLUSH,	/* MSR_IA32_FLUSH_CMD written with L1D_FLUSH */
	RETIRED_VERW,		/* with any operand, at any privilege level */
	RETIRED_VM_ENTRY,	/* always from RETIRED_ROOT */
	RETIRED_VM_EXIT,	/* from RETIRED_ROOT: a VM-entry that failed late */
	NR_RETIRED,
};

enum retired_where {
	RETIRED_ROOT,		/* VMX root operation, or VMX is off: the host */
	RETIRED_NONROOT,	/* VMX non-root operation: a guest, of any level */
};

/* Instead of a CPU: the sum of all. */
#define RETIRED_ALL_CPUS	(-1)

/*
 * Gets at the counters.  NULL, or one line that says why a case that needs them has
 * to be skipped.  Needs root and ioperm() (CONFIG_X86_IOPL_IOPERM).  Only the calling
 * thread and those that it creates later may call the functions below.
 */
const char *retired_open(void);

/* How many there were on @cpu, the kernel's number of it, since the last reset. */
uint64_t retired_read(enum retired_what what, enum retired_where where, int cpu);

/* How many VM-exits there were for @reason, a basic exit reason (EXIT_REASON_*). */
uint64_t retired_vmexits(unsigned int reason, int cpu);

/* Sets all to zero, on all CPUs, and empties the log. */
void retired_reset(void);

/* One of the above, as the log has it. */
struct retired {
	enum retired_what what;
	enum retired_where where;
	int cpu;
	unsigned int reason;	/* of a VM-exit: its basic reason; of a VM-entry: see below */
	uint32_t time;		/* TSC cycles, the same clock for all CPUs; wraps around */
};

/*
 * The log has what is counted on all CPUs in the order in which it happened.  It
 * keeps the last 8192; the reader's own system calls and interrupts are among them.
 */
uint64_t retired_log_length(void);	/* how many there were since the last reset */

/* The @n-th since the last reset, from 0.  False when the log has it no more, or not yet. */
bool retired_log(uint64_t n, struct retired *r);

/* Of a VM-entry: MSR_IA32_SPEC_CTRL that the guest starts with, bits 6:0 and 10 of it. */
uint64_t retired_spec_ctrl(const struct retired *r);

#endif /* KVM_WITNESS_X86_RETIRED_H */
