/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A data watchpoint on a kernel address, on one CPU, whoever runs there: the
 * perf event PERF_TYPE_BREAKPOINT, every hit kept with its kernel call chain.
 *
 * What it cannot see on x86: KVM writes DR7 before it enters a guest and restores
 * it after the exit, so nothing between the two hits (VM-entry VERW, L1D flush,
 * barriers in vmenter.S).  A count of zero therefore means something only beside
 * a hit that was caused on purpose in the same window.
 */
#ifndef KVM_WITNESS_WATCH_H
#define KVM_WITNESS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WATCH_CHAIN_MAX	32
#define WATCH_MORE	5

struct watch_hit {
	uint64_t time;			/* CLOCK_MONOTONIC, ns */
	int cpu;
	unsigned int source;		/* 0: the watchpoint, n: the n-th watch_trace() or watch_also() */
	uint32_t field;			/* of a tracepoint: the value of its field */
	unsigned int depth;		/* of a tracepoint: 0 */
	uint64_t chain[WATCH_CHAIN_MAX]; /* innermost first; [0] is after the access */
};

struct watch {
	int fd;
	int cpu;
	void *ring;
	unsigned int nr_more;
	struct {
		int fd;
		uint64_t id;
		bool trace;
		size_t offset;		/* of the field in a tracepoint's own data */
	} more[WATCH_MORE];
};

enum watch_access { WATCH_WRITE, WATCH_READ_WRITE };

/*
 * Arms the watchpoint of @len bytes (1, 2, 4 or 8, @addr aligned) on @cpu.
 * NULL, or one line that says why it cannot work.  Needs Linux 6.0, the first that
 * counts lost samples (PERF_FORMAT_LOST).
 */
const char *watch_arm(struct watch *w, uint64_t addr, size_t len, enum watch_access access, int cpu);
void watch_disarm(struct watch *w);

/*
 * From now on also another watchpoint, or a tracepoint, on the same CPU: its hits are among the
 * watchpoint's, in the order in which all of them happened.  @field is an unsigned
 * int of it.  NULL, or one line that says why it cannot work.
 */
const char *watch_also(struct watch *w, uint64_t addr, size_t len, enum watch_access access);
const char *watch_trace(struct watch *w, const char *subsystem, const char *event, const char *field);

/*
 * Calls @fn for every hit since the last call, oldest first.  NULL, or one line
 * that says why the hits are not all of them (ring overrun, register taken away).
 */
const char *watch_drain(struct watch *w, void (*fn)(const struct watch_hit *hit, void *arg), void *arg);

/*
 * The hits that watch_drain() would find now.  Enters the kernel not at all: for
 * watchpoints that a system call hits.
 */
size_t watch_pending(const struct watch *w);

#endif /* KVM_WITNESS_WATCH_H */
