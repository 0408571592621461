/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writer of KTAP version 1 (Documentation/dev-tools/ktap.rst), shared by the
 * tests and by the runner.
 *
 * Whatever comes in, one call writes well-formed lines: control characters
 * become blanks, a '#' in a name becomes '.', so that neither a name nor a
 * reason can fake a result.
 */
#ifndef KVM_WITNESS_KTAP_H
#define KVM_WITNESS_KTAP_H

#include <stdio.h>

enum verdict {
	VERDICT_PASS,
	VERDICT_FAIL,
	VERDICT_SKIP,
	VERDICT_TIMEOUT,
	VERDICT_CRASH,
	VERDICT_MISSING,
	VERDICT_ERROR,
	NR_VERDICTS,
};

/* "pass", "fail", ...: the words of DESIGN.md. */
const char *verdict_name(enum verdict v);

/* One KTAP document or subtest; @level is 0 for the outermost one. */
struct ktap {
	FILE *out;
	unsigned int level;
	unsigned int done;		/* results written so far */
	unsigned int count[NR_VERDICTS];
};

/* The version line, and the plan: how many results are to come. */
void ktap_begin(struct ktap *k, FILE *out, unsigned int level, unsigned int plan);

/* The version line and a plan of nothing, with the reason. */
void ktap_skip_all(struct ktap *k, FILE *out, unsigned int level, const char *reason);

/* One result line. @reason may be NULL or empty, except for a skip. */
void ktap_result(struct ktap *k, enum verdict v, const char *name, const char *reason);

/* Diagnostic lines ("# ..."), one for every line of @text. */
void ktap_comment(struct ktap *k, const char *text);

#endif /* KVM_WITNESS_KTAP_H */
