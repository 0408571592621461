/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What came out of a run: KTAP on stdout and in results/ktap as it happens, one
 * log per test, and meta.json.
 *
 * The plan is what was asked for, not what a test claims: a case that is not
 * reported gets a result line that says so.
 */
#ifndef MACHINE_TRANSCRIPT_H
#define MACHINE_TRANSCRIPT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "../include/ktap.h"

struct case_result {
	char *name;
	char *reason;
	enum verdict verdict;
	bool reported;
};

struct test_run {
	char *name;
	char *append;		/* kernel parameters that it wants; NULL: none */
	char *wants;		/* the kind of machine that it wants; NULL: any */
	struct case_result *cases;
	size_t nr_cases;
	bool all_cases;		/* none was named: the test is called without arguments */
	bool done;
	enum verdict verdict;
	char *reason;
	double seconds;

	/* while it runs */
	FILE *log;
	char *skip_all;
	char *splat;
	bool strict;
	struct ktap ktap[2];	/* stdout and results/ktap */
};

struct transcript {
	const char *dir;
	FILE *file;		/* results/ktap */
	struct ktap top[2];
	struct test_run *tests;
	size_t nr_tests;
	size_t nr_done;
	bool strict;
	unsigned int count[NR_VERDICTS];	/* of cases */
	json_t *meta;
};

/* How a test ended, beside what it reported. */
struct test_end {
	enum { END_EXIT, END_SIGNAL, END_TIMEOUT, END_CRASH, END_ERROR } how;
	int value;		/* exit code, signal number, seconds of the timeout */
	const char *reason;	/* for END_CRASH and END_ERROR, and what a timeout adds */
	double seconds;
};

/* 0, or -1 with a message on stderr. */
int transcript_open(struct transcript *t, const char *dir);

void test_begin(struct transcript *t, struct test_run *test);
void test_line(struct test_run *test, const char *line);
void test_end(struct transcript *t, struct test_run *test, const struct test_end *end);

/* Diagnostics outside of a test. */
void transcript_comment(struct transcript *t, const char *text);

/*
 * Ends all that is open and writes meta.json.  The exit code of the run:
 * 0 passed, 1 something failed, 3 the results could not be written, 4 nothing ran.
 */
int transcript_close(struct transcript *t);

/* False when stdout or the results folder no longer takes what is written. */
bool transcript_ok(const struct transcript *t);

#endif /* MACHINE_TRANSCRIPT_H */
