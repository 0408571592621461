/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts indirect branch prediction barriers by cause, on an unmodified kernel.
 *
 * write_ibpb() (arch/x86/entry/entry.S) loads the value for MSR_IA32_PRED_CMD
 * from x86_pred_cmd, so that a read watchpoint there fires once per barrier;
 * the call chain says who asked for it.  Barriers between KVM's write of DR7 and
 * its restore after the exit stay invisible (include/watch.h) but on machines that
 * count retired instructions: there each window ends with a comparison, and a case
 * fails when processor and watchpoint disagree.
 */
#ifndef KVM_WITNESS_X86_IBPB_H
#define KVM_WITNESS_X86_IBPB_H

#include <stdbool.h>
#include <stddef.h>

enum ibpb_cause {
	IBPB_VCPU_LOAD,		/* kvm_arch_vcpu_load(): a vCPU switch, at load */
	IBPB_VM_ENTRY,		/* in KVM_RUN, right before the guest is entered */
	IBPB_NESTED_EXIT,	/* L2 -> L1 */
	IBPB_EXIT_TO_USER,	/* VMSCAPE: return to user space after a guest ran */
	IBPB_MM_SWITCH,		/* switch_mm(): one process to another */
	IBPB_PRCTL,		/* PR_SET_SPECULATION_CTRL, seccomp */
	IBPB_CONTROL,		/* no barrier: the probe's own read of x86_pred_cmd */
	IBPB_UNKNOWN,
	NR_IBPB_CAUSES,
};

/* The two CPUs that are watched: the first two this process may run on. */
#define IBPB_CPUS	2

struct ibpb_counts {
	unsigned int n[IBPB_CPUS][NR_IBPB_CAUSES];
};

/*
 * Arms the probe on both CPUs.  NULL, or one line that says why it cannot work
 * or must not be tried: with IBPB on kernel entry (retbleed=ibpb) the debug
 * exception itself would hit the watchpoint, without end.
 */
const char *ibpb_probe_open(void);

/* NULL when KVM's barrier between vCPUs is on, else why not (static key switch_vcpu_ibpb). */
const char *ibpb_vcpu_switch_off(void);

/* The number that the kernel has for watched CPU 0 or 1. */
int ibpb_cpu(int index);

/* Pins the calling thread to watched CPU 0 or 1. */
void ibpb_pin(int index);

/*
 * A window of observation.  Both ends of it are marked on both CPUs by a read of
 * x86_pred_cmd that must be seen; the case fails when one is not, when hits were
 * lost, or when a barrier has no known cause.  The thread's CPU is kept.
 */
void ibpb_window_open(void);
struct ibpb_counts ibpb_window_close(void);

/* What happens on a CPU, in the order in which it does. */
enum ibpb_event_type {
	IBPB_EVENT_BARRIER,
	IBPB_EVENT_ENTRY,		/* tracepoint kvm_entry */
	IBPB_EVENT_EXIT,		/* tracepoint kvm_exit */
};

struct ibpb_event {
	enum ibpb_event_type type;
	enum ibpb_cause cause;		/* of a barrier */
	unsigned int vcpu;		/* of an entry or exit: KVM's vcpu_id */
};

/*
 * From now on windows keep their events, VM-entries and VM-exits among them.
 * NULL, or one line that says why it cannot work.
 */
const char *ibpb_trace(void);

/* The events on watched CPU 0 or 1 of the window that was closed last. */
const struct ibpb_event *ibpb_events(int index, size_t *nr);

/*
 * Does each VM-entry have the barriers that it was owed?  One, between the other
 * vCPU's last VM-exit and this VM-entry, when another vCPU was entered on this CPU
 * before; else none.  Holds for guests without IBPB and IBRS.  A window's first
 * VM-entry is not judged.  NULL, or one line that tells of the first wrong one.
 * Adds the VM-entries after another vCPU's to *@switches.
 */
const char *ibpb_check_order(const struct ibpb_event *events, size_t nr, unsigned int *switches);

/* Barriers that KVM issued for the sake of guests, wherever it did. */
unsigned int ibpb_by_kvm(const struct ibpb_counts *c, int index);

/*
 * The cause that a call chain of @depth addresses shows, innermost first, for
 * the resolver @name of addresses.  Pure, for the tests of the table.
 */
enum ibpb_cause ibpb_classify(const unsigned long long *chain, unsigned int depth,
			      const char *(*name)(unsigned long long addr));

/* The same of a hit of a watchpoint on x86_pred_cmd. */
struct watch_hit;
enum ibpb_cause ibpb_classify_hit(const struct watch_hit *hit);

/* Is the flush of VMSCAPE inlined into this function, as the last thing that it does? */
bool ibpb_returns_to_user(const char *function);

#endif /* KVM_WITNESS_X86_IBPB_H */
