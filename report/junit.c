// SPDX-License-Identifier: GPL-2.0-only
/*
 * JUnit XML: a testsuite for each test of each run.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "text.h"
#include "writers.h"

static void put_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	put_escaped(out, value);
	fputc('"', out);
}

/* @element: NULL for what passed. */
static void put_case(FILE *out, const char *class, const char *name, const char *element, const char *type,
		     const char *reason, const char *log)
{
	fputs("    <testcase", out);
	put_attribute(out, "classname", class);
	put_attribute(out, "name", name);
	if (!element) {
		fputs("/>\n", out);
		return;
	}
	fprintf(out, ">\n      <%s", element);
	if (strcmp(element, "skipped"))
		put_attribute(out, "type", type);
	put_attribute(out, "message", reason);
	fputc('>', out);
	put_escaped(out, log);
	fprintf(out, "</%s>\n    </testcase>\n", element);
}

static const char *element_of(enum verdict v)
{
	switch (v) {
	case VERDICT_PASS:
		return NULL;
	case VERDICT_SKIP:
		return "skipped";
	case VERDICT_ERROR:
		return "error";
	default:
		return "failure";
	}
}

static void put_cases(FILE *out, struct store *s, long test, const char *class)
{
	sqlite3_stmt *q = store_query(s, "SELECT name, verdict, reason, log FROM result WHERE test_id = ? ORDER BY id",
				      "i", test);

	while (store_next(s, q)) {
		const char *name = store_text(q, 0), *verdict = store_text(q, 1);

		put_case(out, class, *name ? name : "(the test)", element_of(verdict_of(verdict)), verdict,
			 store_text(q, 2), store_text(q, 3));
	}
}

static void put_suite(FILE *out, struct store *s, sqlite3_stmt *test, const char *place, const char *started)
{
	long id = sqlite3_column_int64(test, 0);
	char *class = format("%s.%s", place, store_text(test, 1));

	fputs("  <testsuite", out);
	put_attribute(out, "name", class);
	fprintf(out, " tests=\"%d\" failures=\"%d\" errors=\"%d\" skipped=\"%d\" time=\"%.3f\"",
		sqlite3_column_int(test, 3), sqlite3_column_int(test, 4), sqlite3_column_int(test, 5),
		sqlite3_column_int(test, 6), sqlite3_column_double(test, 2));
	if (*started)
		put_attribute(out, "timestamp", started);
	fputs(">\n", out);
	put_cases(out, s, id, class);
	fputs("  </testsuite>\n", out);
	free(class);
}

/* What is amiss with the run itself. */
static void put_problems(FILE *out, struct store *s, long run, const char *place)
{
	sqlite3_stmt *q = store_query(s, "SELECT line, words FROM problem WHERE run_id = ?", "i", run);
	long n = store_number(s, "SELECT count(*) FROM problem WHERE run_id = ?", "i", run);

	if (!n)
		return;
	fputs("  <testsuite", out);
	put_attribute(out, "name", place);
	fprintf(out, " tests=\"%ld\" failures=\"0\" errors=\"%ld\" skipped=\"0\" time=\"0\">\n", n, n);
	while (store_next(s, q)) {
		char *name = format("(record, line %d)", sqlite3_column_int(q, 0));

		put_case(out, place, name, "error", "record", store_text(q, 1), "");
		free(name);
	}
	fputs("  </testsuite>\n", out);
}

void junit_write(FILE *out, struct store *s)
{
	sqlite3_stmt *runs = store_query(s, "SELECT id, machine, kernel, started FROM run "
		"WHERE id IN (SELECT run_id FROM now) ORDER BY started, id", "");

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"kvm-witness\">\n", out);
	while (store_next(s, runs)) {
		long run = sqlite3_column_int64(runs, 0);
		char *place = format("%s.%s", store_text(runs, 1), store_text(runs, 2));
		sqlite3_stmt *tests = store_query(s, "SELECT test.id, test.name, test.seconds, count(*), "
			"sum(result.verdict IN ('fail', 'timeout', 'crash', 'missing')), "
			"sum(result.verdict = 'error'), sum(result.verdict = 'skip') FROM test "
			"JOIN result ON result.test_id = test.id WHERE run_id = ? GROUP BY test.id ORDER BY test.id",
			"i", run);

		put_problems(out, s, run, place);
		while (store_next(s, tests))
			put_suite(out, s, tests, place, store_text(runs, 3));
		free(place);
	}
	fputs("</testsuites>\n", out);
}
