/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of the running kernel, by perf.
 */
#ifndef KVM_WITNESS_TRACE_H
#define KVM_WITNESS_TRACE_H

#include <stdint.h>
#include <stdio.h>

/* The file @file ("id", "format") of a tracepoint in tracefs; NULL: there is none. */
FILE *trace_file(const char *subsystem, const char *event, const char *file);

/* What PERF_TYPE_TRACEPOINT calls it; 0: there is no such tracepoint here. */
uint64_t trace_id(const char *subsystem, const char *event);

/* How often a tracepoint was passed by this thread, wherever it ran. */
struct trace_count {
	int fd;
};

/*
 * Counts from here on what passes @filter (NULL: all), in the words of the kernel's
 * Documentation/trace/events.rst.  NULL, or one line that says why it cannot work.
 */
const char *trace_count_open(struct trace_count *t, const char *subsystem, const char *event,
			     const char *filter);

/* The count so far. */
uint64_t trace_count(const struct trace_count *t);

#endif /* KVM_WITNESS_TRACE_H */
