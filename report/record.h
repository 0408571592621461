/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ktap of one run, read into the store.
 */
#ifndef REPORT_RECORD_H
#define REPORT_RECORD_H

#include "store.h"
#include "text.h"

struct record {
	struct store *store;
	const char *dir;		/* the result folder */
	long run;			/* its row, which is there */

	/* while it is read */
	long test;			/* row; 0: none is open */
	unsigned long problems;
	struct text log, name, reason;
	char last_comment[256];
};

/* Something is amiss; @line of ktap, 0: with the whole.  The first one is told on stderr. */
void record_problem(struct record *rec, unsigned long line, const char *words);

/* NULL, or why there is nothing to read, for the caller to free. */
char *record_read(struct record *rec);

#endif /* REPORT_RECORD_H */
