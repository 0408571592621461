// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record of a run, see transcript.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transcript.h"
#include "../include/format.h"
#include "../include/ktap_line.h"
#include "../include/util.h"

enum { STDOUT, FILE_KTAP, OUTS };

static FILE *open_in(const char *dir, const char *name)
{
	char *path = format("%s/%s", dir, name);
	FILE *f = fopen(path, "we");

	if (!f)
		fprintf(stderr, "kvm-witness: %s: %s; give another folder with --results\n", path,
			strerror(errno));
	free(path);
	return f;
}

static void write_meta(struct transcript *t)
{
	char *path = format("%s/meta.json", t->dir), *tmp = format("%s/meta.json.tmp", t->dir);

	if (json_dump_file(t->meta, tmp, JSON_INDENT(2) | JSON_PRESERVE_ORDER) || rename(tmp, path))
		/* The stream's error flag is what transcript_ok() looks at. */
		fprintf(stderr, "kvm-witness: cannot write %s\n", path);
	free(path);
	free(tmp);
}

static int cannot_write(const struct transcript *t)
{
	fprintf(stderr, "kvm-witness: results could not be written (disk full?): stdout or %s\n", t->dir);
	return -1;
}

int transcript_open(struct transcript *t, const char *dir)
{
	t->dir = dir;
	t->file = open_in(dir, "ktap");
	if (!t->file)
		return -1;
	ktap_begin(&t->top[STDOUT], stdout, 0, t->nr_tests);
	ktap_begin(&t->top[FILE_KTAP], t->file, 0, t->nr_tests);
	write_meta(t);
	return transcript_ok(t) ? 0 : cannot_write(t);
}

bool transcript_ok(const struct transcript *t)
{
	return !ferror(stdout) && !ferror(t->file);
}

void transcript_comment(struct transcript *t, const char *text)
{
	ktap_comment(&t->top[STDOUT], text);
	ktap_comment(&t->top[FILE_KTAP], text);
}

void test_begin(struct transcript *t, struct test_run *test)
{
	char *log = format("%s.log", test->name);

	test->log = open_in(t->dir, log);
	test->strict = t->strict;
	free(log);
	ktap_begin(&test->ktap[STDOUT], stdout, 1, test->nr_cases);
	ktap_begin(&test->ktap[FILE_KTAP], t->file, 1, test->nr_cases);
}

static void put_case(struct test_run *test, struct case_result *c, enum verdict v, const char *reason)
{
	int i;

	c->reported = true;
	if (v == VERDICT_SKIP && test->strict) {
		v = VERDICT_FAIL;
		c->reason = format("skipped, and --strict was given: %s", reason ? reason : "no reason");
		reason = c->reason;
	} else {
		c->reason = reason ? strdup(reason) : NULL;
	}
	c->verdict = v;
	for (i = 0; i < OUTS; i++)
		ktap_result(&test->ktap[i], v, c->name, reason);
}

static void comment(struct test_run *test, const char *text)
{
	int i;

	for (i = 0; i < OUTS; i++)
		ktap_comment(&test->ktap[i], text);
}

static struct case_result *find_case(struct test_run *test, const char *name)
{
	size_t i;

	for (i = 0; i < test->nr_cases; i++) {
		if (!strcmp(test->cases[i].name, name))
			return &test->cases[i];
	}
	return NULL;
}

static void put_reported(struct test_run *test, const struct ktap_line *l, const char *line)
{
	char *name = format("%.*s", (int)l->name_len, l->name);
	char *reason = format("%.*s", (int)l->reason_len, l->reason);
	struct case_result *c = find_case(test, name);

	if (!c || c->reported)
		/* Kept as a comment: it must neither count twice nor vanish. */
		comment(test, line);
	else
		put_case(test, c, !l->ok && l->verdict == VERDICT_SKIP ? VERDICT_FAIL : l->verdict,
			 *reason ? reason : NULL);
	free(name);
	free(reason);
}

void test_line(struct test_run *test, const char *line)
{
	struct ktap_line l;

	if (test->log) {
		fprintf(test->log, "%s\n", line);
		fflush(test->log);
	}
	ktap_parse_line(&l, line, strlen(line));
	/* What is indented is a test's own: its cases are not. */
	switch (l.indent ? KTAP_OTHER : l.kind) {
	case KTAP_VERSION:
		break;
	case KTAP_PLAN:
		if (!l.number && l.verdict == VERDICT_SKIP) {
			free(test->skip_all);
			test->skip_all = format("%.*s", (int)l.reason_len, l.reason);
		}
		break;
	case KTAP_RESULT:
		put_reported(test, &l, line);
		break;
	case KTAP_COMMENT:
		comment(test, l.reason);
		break;
	default:
		comment(test, line);
	}
}

static char *describe(const struct test_end *end)
{
	switch (end->how) {
	case END_EXIT:
		return format("the test ended with exit code %d", end->value);
	case END_SIGNAL:
		return format("the test was killed by signal %d (%s)", end->value, strsignal(end->value));
	case END_TIMEOUT:
		return format("%d seconds%s%s", end->value, end->reason ? ", " : "",
			      end->reason ? end->reason : "");
	default:
		return strdup(end->reason ? end->reason : "no reason known");
	}
}

/* The verdict of the case that was running when the test ended too early. */
static enum verdict broken_off(const struct test_end *end)
{
	switch (end->how) {
	case END_TIMEOUT:
		return VERDICT_TIMEOUT;
	case END_CRASH:
		return VERDICT_CRASH;
	case END_ERROR:
		return VERDICT_ERROR;
	default:
		return VERDICT_MISSING;
	}
}

/* Gives each case that was not reported a result. */
static void settle_cases(struct transcript *t, struct test_run *test, const struct test_end *end,
			 const char *why)
{
	enum verdict v = broken_off(end);
	bool skipped = test->skip_all && end->how == END_EXIT;
	size_t i;

	for (i = 0; i < test->nr_cases; i++) {
		struct case_result *c = &test->cases[i];

		if (!c->reported && skipped) {
			put_case(test, c, VERDICT_SKIP, test->skip_all);
		} else if (!c->reported) {
			put_case(test, c, v, why);
			/* After the first, nobody knows: it never began. */
			v = v == VERDICT_ERROR ? VERDICT_ERROR : VERDICT_MISSING;
		}
		t->count[c->verdict]++;
	}
}

static bool is_failure(enum verdict v)
{
	return v != VERDICT_PASS && v != VERDICT_SKIP;
}

static enum verdict judge(struct test_run *test, const struct test_end *end, char **why)
{
	size_t i, passed = 0, failed = 0;

	if (end->how == END_CRASH || end->how == END_TIMEOUT || end->how == END_ERROR)
		return broken_off(end);
	for (i = 0; i < test->nr_cases; i++) {
		passed += test->cases[i].verdict == VERDICT_PASS;
		failed += is_failure(test->cases[i].verdict);
	}
	if (failed) {
		free(*why);
		*why = format("%zu of %zu cases", failed, test->nr_cases);
		return VERDICT_FAIL;
	}
	if (end->how == END_SIGNAL || (end->value != 0 && end->value != 4))
		return VERDICT_FAIL;
	if (test->splat) {
		free(*why);
		*why = format("kernel warning: %s", test->splat);
		return VERDICT_FAIL;
	}
	free(*why);
	*why = NULL;
	if (passed)
		return VERDICT_PASS;
	*why = strdup(test->skip_all ? test->skip_all : "every case was skipped");
	return VERDICT_SKIP;
}

void test_end(struct transcript *t, struct test_run *test, const struct test_end *end)
{
	char *why = describe(end), *note;
	size_t i;

	settle_cases(t, test, end, why);
	test->verdict = judge(test, end, &why);
	test->reason = why;
	test->seconds = end->seconds;
	test->done = true;
	t->nr_done++;
	if (test->log)
		fclose(test->log);
	test->log = NULL;

	note = format("%s: %.2f s", test->name, end->seconds);
	transcript_comment(t, note);
	free(note);
	/* A splat fails the test although no case did: somebody must count it. */
	if (is_failure(test->verdict)) {
		for (i = 0; i < test->nr_cases; i++) {
			if (is_failure(test->cases[i].verdict))
				break;
		}
		if (i == test->nr_cases)
			t->count[VERDICT_FAIL]++;
	}
	ktap_result(&t->top[STDOUT], test->verdict, test->name, why);
	ktap_result(&t->top[FILE_KTAP], test->verdict, test->name, why);
}

static json_t *tests_json(const struct transcript *t)
{
	json_t *tests = json_array();
	size_t i, j;

	for (i = 0; i < t->nr_tests; i++) {
		const struct test_run *test = &t->tests[i];
		json_t *cases = json_array();

		for (j = 0; j < test->nr_cases; j++) {
			const struct case_result *c = &test->cases[j];

			json_array_append_new(cases, json_pack("{s:s, s:s, s:s?}", "name", c->name,
				"verdict", verdict_name(c->verdict), "reason", c->reason));
		}
		json_array_append_new(tests, json_pack("{s:s, s:s, s:s?, s:f, s:o}", "name", test->name,
			"verdict", verdict_name(test->verdict), "reason", test->reason,
			"seconds", test->seconds, "cases", cases));
	}
	return tests;
}

int transcript_close(struct transcript *t)
{
	const unsigned int *n = t->count;
	unsigned int failed = n[VERDICT_FAIL] + n[VERDICT_TIMEOUT] + n[VERDICT_CRASH] + n[VERDICT_MISSING];
	char *totals;
	int code;

	totals = format("cases: %u passed, %u failed, %u skipped, %u timed out, %u crashed, %u missing, %u errors",
			n[VERDICT_PASS], n[VERDICT_FAIL], n[VERDICT_SKIP], n[VERDICT_TIMEOUT],
			n[VERDICT_CRASH], n[VERDICT_MISSING], n[VERDICT_ERROR]);
	transcript_comment(t, totals);
	free(totals);

	code = n[VERDICT_ERROR] ? 3 : failed ? 1 : n[VERDICT_PASS] ? 0 : 4;
	fflush(stdout);
	if (!transcript_ok(t) || fclose(t->file)) {
		cannot_write(t);
		code = 3;
	}
	json_object_set_new(t->meta, "tests", tests_json(t));
	json_object_set_new(t->meta, "exit_code", json_integer(code));
	write_meta(t);
	return code;
}
