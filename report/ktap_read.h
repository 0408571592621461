/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a KTAP document as it comes, in constant memory.
 *
 * What the document says is told by calls, in the order of its lines: a subtest's
 * results come before the result that they are part of.  What is amiss with the
 * document (cut off, numbered wrongly, results without a plan...) is a problem: the
 * subtest in which it is never counts as a pass.
 */
#ifndef REPORT_KTAP_READ_H
#define REPORT_KTAP_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "../include/ktap.h"

#define KTAP_MAX_DEPTH	64
#define KTAP_MAX_LINE	4096	/* what is kept of a line */

struct ktap_result {
	unsigned int level;		/* 0: the outermost */
	bool parent;			/* subtests came before it */
	enum verdict verdict;
	unsigned long number;
	const char *name, *reason;	/* not ended by a NUL; bytes are as they came */
	size_t name_len, reason_len;
};

/* All must be set. */
struct ktap_events {
	/* A document begins, at level 0 and for each subtest below. */
	void (*begin)(void *arg, unsigned int level);
	void (*result)(void *arg, const struct ktap_result *r);
	/* The plan's results from @first to @last did not come. */
	void (*missing)(void *arg, unsigned int level, unsigned long first, unsigned long last);
	void (*comment)(void *arg, const char *text, size_t len);
	/* @line: its number; @text: one line of words. */
	void (*problem)(void *arg, unsigned long line, const char *text);
};

struct ktap_group {
	unsigned int indent;
	bool planned, skip_all;
	unsigned long plan, done;
	bool damaged;			/* something is amiss in it or below */
	bool orphan;			/* a subtest ended without a result: whose was it? */
	unsigned long passed, skipped, failed;
};

struct ktap_reader {
	const struct ktap_events *events;
	void *arg;
	unsigned long line;
	struct ktap_group groups[KTAP_MAX_DEPTH];
	unsigned int depth;		/* groups that are open */
	unsigned long unknown, first_unknown;

	/* The beginning of a line whose end has not come yet. */
	char part[KTAP_MAX_LINE];
	size_t part_len;
	bool cut;			/* it was longer */
};

void ktap_read_begin(struct ktap_reader *r, const struct ktap_events *events, void *arg);
void ktap_read(struct ktap_reader *r, const char *data, size_t len);
/* The document is over: tells what is missing. */
void ktap_read_end(struct ktap_reader *r);

#endif /* REPORT_KTAP_READ_H */
