/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watches how the kernel protects user space from the branch predictions of guests
 * (VMSCAPE): a flush before the return to user space on a CPU that has run a guest.
 *
 * An IBPB reads x86_pred_cmd, a sequence that clears the branch history reads its loop
 * counts; watchpoints see that, and call chains say who asked.  The VM-exits are in the
 * same log, by their tracepoint, and so is a mark: something that user space does.
 * Between a VM-exit and a mark that follows it on that CPU there must be one flush, and
 * between two flushes there must be a VM-exit.  That holds however the scheduler and
 * interrupts mix the tasks of a CPU.
 */
#ifndef KVM_WITNESS_X86_VMSCAPE_H
#define KVM_WITNESS_X86_VMSCAPE_H

#include <stdbool.h>
#include <stdint.h>

enum vmscape_mode {
	VMSCAPE_NONE,			/* no flush */
	VMSCAPE_IBPB,
	VMSCAPE_BHB,			/* the branch history is cleared */
};

/* The two CPUs that are watched: the first two that this process may run on. */
#define VMSCAPE_CPUS	2

/* What was seen on a CPU. */
struct vmscape_seen {
	unsigned int exits;		/* VM-exits */
	unsigned int flushes[VMSCAPE_BHB + 1];	/* before a return to user space, by mode */
	unsigned int missed;		/* marks after a VM-exit, and no flush in between */
	unsigned int extra;		/* flushes, and no VM-exit since the one before */
	unsigned int flag_set;		/* how often KVM asked for a flush */
	unsigned int bhb_at_entry;	/* sequences at the entry of a system call */
	unsigned int outer, inner;	/* reads of the loop counts, control reads not counted */
};

/*
 * Arms the watchpoints.  missed and extra are about flushes of @mode.  NULL, or one line
 * that says why it cannot work here.
 */
const char *vmscape_open(enum vmscape_mode mode);

/* From now on inner counts; it fills the log, so that windows must be short. */
void vmscape_watch_inner(void);

/* Is this a processor with the larger branch history, as the kernel has it? */
bool vmscape_has_bhi_ctrl(void);

/* Was the parameter @word ("vmscape=off") on the kernel's command line? */
bool vmscape_parameter(const char *word);

/* Pins the calling thread to watched CPU 0 or 1; the kernel's number of it. */
int vmscape_pin(int index);
int vmscape_cpu(int index);

/* Marks, on the CPU that the calling thread runs on. */
void vmscape_mark(void);

/*
 * A window of observation.  Both ends mark both CPUs, and are seen by each watchpoint;
 * the case fails when they are not, when hits were lost, or when one has no known cause.
 */
void vmscape_window_open(void);
void vmscape_window_close(struct vmscape_seen seen[VMSCAPE_CPUS]);

/* The loop counts as they are in memory; false: they are not data in this kernel. */
bool vmscape_loop_counts(uint8_t *outer, uint8_t *inner);

#endif /* KVM_WITNESS_X86_VMSCAPE_H */
