// SPDX-License-Identifier: GPL-2.0-only
/*
 * A baseline's file: known results for each machine, kernel and case, one a line, so
 * that a change of it can be read.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "die.h"

#define FORMAT	1

static struct tally *add(struct tallies *t)
{
	if (!t->n || (t->n >= 8 && !(t->n & (t->n - 1)))) {
		t->t = realloc(t->t, (t->n ? 2 * t->n : 8) * sizeof(*t->t));
		if (!t->t)
			abort();
	}
	memset(&t->t[t->n], 0, sizeof(*t->t));
	return &t->t[t->n++];
}

void tallies_of_store(struct tallies *t, struct store *s)
{
	sqlite3_stmt *q = store_query(s, "SELECT machine, kernel, test, name, sum(verdict = 'pass'), "
		"sum(verdict IN ('fail', 'timeout', 'crash')), sum(verdict = 'skip'), sum(verdict = 'missing'), "
		"sum(verdict = 'error'), max(CASE verdict WHEN 'pass' THEN '' WHEN 'skip' THEN 1 WHEN 'error' THEN 2 "
		"WHEN 'missing' THEN 3 ELSE 4 END || started || '|' || reason) "
		"FROM (SELECT machine, kernel, test, name, verdict, started, reason FROM outcome "
		"WHERE run_id IN (SELECT run_id FROM now) "
		/* A test's own verdict is only stored where no case accounts for it. */
		"UNION ALL SELECT machine, kernel, test.name, '', 'pass', '', '' FROM test JOIN run ON run.id = run_id "
		"WHERE run_id IN (SELECT run_id FROM now) AND test.verdict <> 'error' AND test.verdict <> 'skip' "
		"AND NOT EXISTS (SELECT 1 FROM result WHERE test_id = test.id AND result.name = '') "
		"AND (machine, kernel, test.name) IN (SELECT machine, kernel, test FROM outcome WHERE name = '')) "
		"GROUP BY machine, kernel, test, name ORDER BY machine, kernel, test, name", "");

	memset(t, 0, sizeof(*t));
	while (store_next(s, q)) {
		struct tally *c = add(t);
		const char *reason = strchr(store_text(q, 9), '|');

		c->machine = strdup(store_text(q, 0));
		c->kernel = strdup(store_text(q, 1));
		c->test = strdup(store_text(q, 2));
		c->name = strdup(store_text(q, 3));
		c->pass = sqlite3_column_int(q, 4);
		c->fail = sqlite3_column_int(q, 5);
		c->skip = sqlite3_column_int(q, 6);
		c->missing = sqlite3_column_int(q, 7);
		c->error = sqlite3_column_int(q, 8);
		c->reason = strdup(reason ? reason + 1 : "");
	}
}

static void put_count(json_t *o, const char *key, unsigned int n)
{
	if (n)
		json_object_set_new(o, key, json_integer(n));
}

void baseline_write(FILE *out, const struct tallies *t)
{
	const char *comma = "";
	size_t i;

	fprintf(out, "{\n\"baseline\": %d,\n\"cases\": [", FORMAT);
	for (i = 0; i < t->n; i++) {
		const struct tally *c = &t->t[i];
		json_t *o;
		char *line;

		/* Our own faults say nothing of the case. */
		if (!(c->pass + c->fail + c->skip + c->missing))
			continue;
		o = json_pack("{s:s, s:s, s:s, s:s}", "machine", c->machine, "kernel", c->kernel,
			      "test", c->test, "case", c->name);
		put_count(o, "pass", c->pass);
		put_count(o, "fail", c->fail);
		put_count(o, "skip", c->skip);
		put_count(o, "missing", c->missing);
		line = json_dumps(o, JSON_PRESERVE_ORDER);
		fprintf(out, "%s\n%s", comma, line);
		comma = ",";
		free(line);
		json_decref(o);
	}
	fprintf(out, "\n]\n}\n");
}

int tally_order(const struct tally *a, const struct tally *b)
{
	int ret = strcmp(a->machine, b->machine);

	ret = ret ?: strcmp(a->kernel, b->kernel);
	ret = ret ?: strcmp(a->test, b->test);
	return ret ?: strcmp(a->name, b->name);
}

static int by_key(const void *a, const void *b)
{
	return tally_order(a, b);
}

static unsigned int get_count(const char *path, const json_t *o, const char *key)
{
	const json_t *n = json_object_get(o, key);

	if (n && (!json_is_integer(n) || json_integer_value(n) < 0 || json_integer_value(n) > 1000000000))
		die(EXIT_USAGE, "%s: \"%s\" wants a number", path, key);
	return json_integer_value(n);
}

void baseline_read(struct tallies *t, const char *path)
{
	json_error_t err;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &err), *o;
	size_t i;

	memset(t, 0, sizeof(*t));
	if (!root && err.line < 0)
		die(EXIT_USAGE, "%s", err.text);
	if (!root)
		die(EXIT_USAGE, "%s: line %d: %s: make it with run_tests.sh report baseline", path, err.line, err.text);
	if (json_integer_value(json_object_get(root, "baseline")) != FORMAT ||
	    !json_is_array(json_object_get(root, "cases")))
		die(EXIT_USAGE, "%s is no baseline: make it with run_tests.sh report baseline", path);
	json_array_foreach(json_object_get(root, "cases"), i, o) {
		const char *machine, *kernel, *test, *name;
		struct tally *c;

		if (json_unpack(o, "{s:s, s:s, s:s, s:s}", "machine", &machine, "kernel", &kernel,
				"test", &test, "case", &name))
			die(EXIT_USAGE, "%s: case %zu: want machine, kernel, test and case", path, i + 1);
		c = add(t);
		c->machine = strdup(machine);
		c->kernel = strdup(kernel);
		c->test = strdup(test);
		c->name = strdup(name);
		c->pass = get_count(path, o, "pass");
		c->fail = get_count(path, o, "fail");
		c->skip = get_count(path, o, "skip");
		c->missing = get_count(path, o, "missing");
		c->reason = strdup("");
	}
	json_decref(root);
	if (!t->n)
		die(EXIT_USAGE, "%s: a baseline without a case: every result would be new", path);
	qsort(t->t, t->n, sizeof(*t->t), by_key);
	for (i = 1; i < t->n; i++) {
		if (!by_key(&t->t[i - 1], &t->t[i]))
			die(EXIT_USAGE, "%s: %s.%s on %s (%s) is there twice", path, t->t[i].test, t->t[i].name,
			    t->t[i].kernel, t->t[i].machine);
	}
}

void tallies_free(struct tallies *t)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		free(t->t[i].machine);
		free(t->t[i].kernel);
		free(t->t[i].test);
		free(t->t[i].name);
		free(t->t[i].reason);
	}
	free(t->t);
}
