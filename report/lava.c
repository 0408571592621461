// SPDX-License-Identifier: GPL-2.0-only
/*
 * The signals that LAVA reads off a device's console, as lava-test-case would print them.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "text.h"
#include "writers.h"

/* An identifier is one word of plain characters. */
static void put_id(FILE *out, const char *s)
{
	for (; *s; s++)
		putc(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *s) ? *s : '_', out);
}

static const char *result_of(enum verdict v)
{
	switch (v) {
	case VERDICT_PASS:
		return "pass";
	case VERDICT_SKIP:
		return "skip";
	case VERDICT_ERROR:
		return "unknown";
	default:
		return "fail";
	}
}

static void put_signal(FILE *out, const char *test, const char *name, const char *result, sqlite3_stmt *seconds)
{
	fputs("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=", out);
	put_id(out, test);
	if (*name) {
		putc('.', out);
		put_id(out, name);
	}
	fprintf(out, " RESULT=%s", result);
	if (seconds && sqlite3_column_type(seconds, 3) == SQLITE_FLOAT)
		fprintf(out, " MEASUREMENT=%.3f UNITS=seconds", sqlite3_column_double(seconds, 3));
	fputs(">\n", out);
}

static void put_set(FILE *out, const char *what, const char *machine, const char *kernel)
{
	fprintf(out, "<LAVA_SIGNAL_TESTSET %s", what);
	if (machine) {
		putc(' ', out);
		put_id(out, machine);
		putc('.', out);
		put_id(out, kernel);
	}
	fputs(">\n", out);
}

static void put_cases(FILE *out, struct store *s, long test, const char *test_name)
{
	sqlite3_stmt *q = store_query(s, "SELECT name, verdict FROM result WHERE test_id = ? AND name <> '' ORDER BY id",
				      "i", test);

	while (store_next(s, q))
		put_signal(out, test_name, store_text(q, 0), result_of(verdict_of(store_text(q, 1))), NULL);
}

void lava_write(FILE *out, struct store *s)
{
	sqlite3_stmt *runs = store_query(s, "SELECT id, machine, kernel, "
		"(SELECT count(*) FROM problem WHERE run_id = run.id) FROM run "
		"WHERE id IN (SELECT run_id FROM now) ORDER BY started, id", "");

	while (store_next(s, runs)) {
		sqlite3_stmt *tests = store_query(s, "SELECT id, name, verdict, seconds FROM test "
			"WHERE run_id = ? ORDER BY id", "i", (long)sqlite3_column_int64(runs, 0));

		put_set(out, "START", store_text(runs, 1), store_text(runs, 2));
		while (store_next(s, tests)) {
			put_cases(out, s, sqlite3_column_int64(tests, 0), store_text(tests, 1));
			put_signal(out, store_text(tests, 1), "", result_of(verdict_of(store_text(tests, 2))), tests);
		}
		/* The record itself: LAVA would take silence for success. */
		put_signal(out, "record", "", sqlite3_column_int(runs, 3) ? "unknown" : "pass", NULL);
		put_set(out, "STOP", NULL, NULL);
	}
}
