/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All results as a page wants them: cases x kernels, each cell with its history.
 */
#ifndef REPORT_MODEL_H
#define REPORT_MODEL_H

#include "store.h"
#include "../include/ktap.h"

/* One machine and kernel. */
struct column {
	char *machine, *kernel;
	bool amiss;			/* nothing of its latest run counts */
};

struct cell {
	unsigned int count[NR_VERDICTS];
	unsigned char *history;		/* verdicts, the oldest first */
	unsigned int n;
	long last;			/* row of the latest result; 0: there is none */
};

struct row {
	char *test, *name;		/* name "": the test itself */
	struct cell *cells;		/* one for each column */
};

/* How long a test took. */
struct timing {
	double *seconds;		/* the oldest first */
	unsigned int n;
};

struct test_row {
	char *name;
	struct timing *timings;		/* one for each column */
};

struct model {
	struct column *columns;
	size_t nr_columns;
	struct row *rows;		/* by name */
	size_t nr_rows;
	struct test_row *tests;
	size_t nr_tests;
};

void model_load(struct model *m, struct store *s);
void model_free(struct model *m);

enum verdict cell_verdict(const struct cell *c);
/* fail, timeout, crash, missing and error */
bool is_bad(enum verdict v);
/* It failed, and passed again, and the other way round. */
bool cell_flaky(const struct cell *c);
/* How many of the latest verdicts are like the last one in that they are bad. */
unsigned int cell_bad_in_a_row(const struct cell *c);
/* How often it came to a verdict of its own, and how often that was a failure. */
unsigned int cell_ran(const struct cell *c);
unsigned int cell_failed(const struct cell *c);

/* The verdict's word; error when it is none. */
enum verdict verdict_of(const char *word);

#endif /* REPORT_MODEL_H */
