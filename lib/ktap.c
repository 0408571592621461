// SPDX-License-Identifier: GPL-2.0-only
/*
 * KTAP writer, see include/ktap.h.
 */
#include <string.h>

#include "ktap.h"

static const char * const verdict_names[NR_VERDICTS] = {
	[VERDICT_PASS]		= "pass",
	[VERDICT_FAIL]		= "fail",
	[VERDICT_SKIP]		= "skip",
	[VERDICT_TIMEOUT]	= "timeout",
	[VERDICT_CRASH]		= "crash",
	[VERDICT_MISSING]	= "missing",
	[VERDICT_ERROR]		= "error",
};

const char *verdict_name(enum verdict v)
{
	return verdict_names[v];
}

static void indent(struct ktap *k)
{
	fprintf(k->out, "%*s", 2 * (int)k->level, "");
}

/* '#' starts a directive, and a control character could start a line. */
static void put_clean(FILE *out, const char *s, char for_hash)
{
	for (; *s; s++) {
		unsigned char c = *s;

		if (c == '#' && for_hash)
			c = for_hash;
		putc(c < ' ' || c == 0x7f ? ' ' : c, out);
	}
}

/* Leaves the line of the plan open. */
static void begin(struct ktap *k, FILE *out, unsigned int level, unsigned int plan)
{
	memset(k, 0, sizeof(*k));
	k->out = out;
	k->level = level;
	indent(k);
	fprintf(out, "KTAP version 1\n");
	indent(k);
	fprintf(out, "1..%u", plan);
}

void ktap_begin(struct ktap *k, FILE *out, unsigned int level, unsigned int plan)
{
	begin(k, out, level, plan);
	fprintf(out, "\n");
	fflush(out);
}

void ktap_skip_all(struct ktap *k, FILE *out, unsigned int level, const char *reason)
{
	begin(k, out, level, 0);
	fprintf(out, " # SKIP ");
	put_clean(out, reason, 0);
	fprintf(out, "\n");
	fflush(out);
}

void ktap_result(struct ktap *k, enum verdict v, const char *name, const char *reason)
{
	static const char * const directive[NR_VERDICTS] = {
		[VERDICT_SKIP]		= "SKIP ",
		[VERDICT_TIMEOUT]	= "TIMEOUT ",
		[VERDICT_CRASH]		= "ERROR crash: ",
		[VERDICT_MISSING]	= "ERROR missing: ",
		[VERDICT_ERROR]		= "ERROR ",
	};
	const char *dir = directive[v] ? directive[v] : "";

	k->count[v]++;
	indent(k);
	fprintf(k->out, "%s %u ", v == VERDICT_PASS || v == VERDICT_SKIP ? "ok" : "not ok", ++k->done);
	put_clean(k->out, name, '.');
	if (*dir || (reason && *reason)) {
		fprintf(k->out, " # %s", dir);
		put_clean(k->out, reason && *reason ? reason : "no reason given", 0);
	}
	putc('\n', k->out);
	fflush(k->out);
}

void ktap_comment(struct ktap *k, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		indent(k);
		fputs("# ", k->out);
		for (; len; len--, text++)
			putc(*text == '\t' ? '\t' : (unsigned char)*text < ' ' ? ' ' : *text, k->out);
		putc('\n', k->out);
		if (*text)
			text++;
	}
	fflush(k->out);
}
