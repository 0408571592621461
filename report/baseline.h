/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Known results, and what has become of them.
 */
#ifndef REPORT_BASELINE_H
#define REPORT_BASELINE_H

#include <stdio.h>

#include "store.h"

/* How often a case came to which end, on one machine and kernel. */
struct tally {
	char *machine, *kernel, *test, *name;
	unsigned int pass, fail;	/* fail: timeout and crash, too */
	unsigned int skip, missing, error;
	char *reason;			/* of the last one of the worst; "" */
};

struct tallies {
	struct tally *t;		/* by machine, kernel, test, name */
	size_t n;
};

enum change {
	CHANGE_NONE,
	NEW_FAILURE,
	LOST,			/* it ran before, and no longer does */
	FIXED,
	STILL_FAILING,
	FLAKY,
	NOT_RUN,		/* by our own fault: nothing can be said */
	NR_CHANGES,
};

/* "new failure", ... */
const char *change_name(enum change c);

struct comparison {
	struct tallies before, now;
	struct difference {
		enum change change;
		const struct tally *before, *now;	/* one may be NULL */
		const struct tally *place;		/* whose machine and kernel it is */
		char *words;				/* what there is to say of it */
	} *differences;
	size_t n;
	unsigned int count[NR_CHANGES];
	unsigned int ran;
	unsigned long damaged;				/* runs with a problem */
};

struct scope {
	char **only;		/* TEST or TEST.CASE; empty: all */
	size_t nr_only;
	bool partial;		/* a kernel that has no result at all is none of this */
};

/* The order of tallies. */
int tally_order(const struct tally *a, const struct tally *b);

/* The results of this call. */
void tallies_of_store(struct tallies *t, struct store *s);
/* A file that cannot be used ends the program, with exit code 2. */
void baseline_read(struct tallies *t, const char *path);
void baseline_write(FILE *out, const struct tallies *t);
void tallies_free(struct tallies *t);

void compare(struct comparison *c, const char *baseline, struct store *s, const struct scope *scope);
/* One line for each difference, and a last one with the sums. */
void comparison_print(FILE *out, const struct comparison *c);
/* 1: a new failure, or one is lost; 3: by our own fault; 4: nothing ran; 0. */
int comparison_code(const struct comparison *c);
void comparison_free(struct comparison *c);

#endif /* REPORT_BASELINE_H */
