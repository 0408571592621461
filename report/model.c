// SPDX-License-Identifier: GPL-2.0-only
/*
 * All results as a page wants them, see model.h.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "../include/util.h"

enum verdict verdict_of(const char *word)
{
	enum verdict v;

	for (v = 0; v < NR_VERDICTS; v++) {
		if (!strcmp(verdict_name(v), word))
			return v;
	}
	return VERDICT_ERROR;
}

bool is_bad(enum verdict v)
{
	return v != VERDICT_PASS && v != VERDICT_SKIP;
}

enum verdict cell_verdict(const struct cell *c)
{
	return c->history[c->n - 1];
}

bool cell_flaky(const struct cell *c)
{
	unsigned int i, changes = 0;
	bool known = false, failed = false;

	for (i = 0; i < c->n; i++) {
		enum verdict v = c->history[i];
		bool bad = v == VERDICT_FAIL || v == VERDICT_TIMEOUT || v == VERDICT_CRASH;

		if (!bad && v != VERDICT_PASS)
			continue;
		changes += known && bad != failed;
		known = true;
		failed = bad;
	}
	return changes > 1;
}

unsigned int cell_bad_in_a_row(const struct cell *c)
{
	unsigned int i = c->n;

	while (i && is_bad(c->history[i - 1]))
		i--;
	return c->n - i;
}

unsigned int cell_failed(const struct cell *c)
{
	return c->count[VERDICT_FAIL] + c->count[VERDICT_TIMEOUT] + c->count[VERDICT_CRASH];
}

unsigned int cell_ran(const struct cell *c)
{
	return c->count[VERDICT_PASS] + cell_failed(c);
}

/* Room for one more of what is @size bytes big; doubles. */
static void *grow(void *array, size_t n, size_t size)
{
	if (n && (n < 8 || (n & (n - 1))))
		return array;
	array = realloc(array, (n < 8 ? 8 : 2 * n) * size);
	if (!array)
		abort();
	return array;
}

static void *zeroed(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

/* --- columns ---------------------------------------------------------------- */

static int compare_columns(const void *va, const void *vb)
{
	const struct column *a = va, *b = vb;
	int ret = strcmp(a->machine, b->machine);

	if (!ret)
		ret = strverscmp(a->kernel, b->kernel);
	return ret;
}

static void load_columns(struct model *m, struct store *s)
{
	sqlite3_stmt *q = store_query(s, "SELECT DISTINCT machine, kernel FROM run", "");

	while (store_next(s, q)) {
		m->columns = grow(m->columns, m->nr_columns, sizeof(*m->columns));
		m->columns[m->nr_columns++] = (struct column){
			.machine = strdup(store_text(q, 0)), .kernel = strdup(store_text(q, 1)),
		};
	}
	if (m->nr_columns)
		qsort(m->columns, m->nr_columns, sizeof(*m->columns), compare_columns);
}

static size_t find_column(const struct model *m, const char *machine, const char *kernel)
{
	const struct column key = { .machine = (char *)machine, .kernel = (char *)kernel };
	const struct column *c = bsearch(&key, m->columns, m->nr_columns, sizeof(*m->columns), compare_columns);

	return c - m->columns;
}

/* --- rows: found by name while they come, sorted in the end ------------------- */

static int compare_rows(const void *va, const void *vb)
{
	const struct row *a = va, *b = vb;
	int ret = strcmp(a->test, b->test);

	return ret ? ret : strcmp(a->name, b->name);
}

static int compare_tests(const void *va, const void *vb)
{
	return strcmp(((const struct test_row *)va)->name, ((const struct test_row *)vb)->name);
}

static struct row *get_row(const struct model *m, void **tree, const char *test, const char *name)
{
	const struct row key = { .test = (char *)test, .name = (char *)name };
	struct row **found = tfind(&key, tree, compare_rows), *row;

	if (found)
		return *found;
	row = zeroed(1, sizeof(*row));
	row->test = strdup(test);
	row->name = strdup(name);
	row->cells = zeroed(m->nr_columns, sizeof(*row->cells));
	tsearch(row, tree, compare_rows);
	return row;
}

static struct test_row *get_test(const struct model *m, void **tree, const char *name)
{
	const struct test_row key = { .name = (char *)name };
	struct test_row **found = tfind(&key, tree, compare_tests), *row;

	if (found)
		return *found;
	row = zeroed(1, sizeof(*row));
	row->name = strdup(name);
	row->timings = zeroed(m->nr_columns, sizeof(*row->timings));
	tsearch(row, tree, compare_tests);
	return row;
}

static void move_row(const void *node, VISIT which, void *arg)
{
	struct model *m = arg;

	if (which != postorder && which != leaf)
		return;
	m->rows = grow(m->rows, m->nr_rows, sizeof(*m->rows));
	m->rows[m->nr_rows++] = **(struct row * const *)node;
}

static void move_test(const void *node, VISIT which, void *arg)
{
	struct model *m = arg;

	if (which != postorder && which != leaf)
		return;
	m->tests = grow(m->tests, m->nr_tests, sizeof(*m->tests));
	m->tests[m->nr_tests++] = **(struct test_row * const *)node;
}

/* --- one run after another, the oldest first ---------------------------------- */

static void add_verdict(struct cell *c, enum verdict v)
{
	c->history = grow(c->history, c->n, 1);
	c->history[c->n++] = v;
	c->count[v]++;
	c->last = 0;
}

static void load_results(struct store *s, const struct model *m, void **tree, long run, size_t column)
{
	sqlite3_stmt *q = store_query(s, "SELECT test.name, result.name, result.verdict, result.id "
		"FROM test JOIN result ON result.test_id = test.id WHERE test.run_id = ?", "i", run);

	while (store_next(s, q)) {
		struct row *row = get_row(m, tree, store_text(q, 0), store_text(q, 1));
		struct cell *c = &row->cells[column];

		add_verdict(c, verdict_of(store_text(q, 2)));
		c->last = sqlite3_column_int64(q, 3);
	}
}

static void load_timings(struct store *s, const struct model *m, void **tree, long run, size_t column)
{
	sqlite3_stmt *q = store_query(s, "SELECT name, seconds FROM test WHERE run_id = ? AND seconds IS NOT NULL",
				      "i", run);

	while (store_next(s, q)) {
		struct timing *t = &get_test(m, tree, store_text(q, 0))->timings[column];

		t->seconds = grow(t->seconds, t->n, sizeof(*t->seconds));
		t->seconds[t->n++] = sqlite3_column_double(q, 1);
	}
}

/*
 * A test's own verdict is only stored where no case accounts for it: in the other runs
 * there was none.
 */
static void load_explained(struct store *s, void **tree, long run, size_t column)
{
	sqlite3_stmt *q = store_query(s, "SELECT name, verdict FROM test WHERE run_id = ? AND NOT EXISTS "
		"(SELECT 1 FROM result WHERE test_id = test.id AND result.name = '')", "i", run);

	while (store_next(s, q)) {
		const struct row key = { .test = (char *)store_text(q, 0), .name = "" };
		enum verdict v = verdict_of(store_text(q, 1));
		struct row **row = tfind(&key, tree, compare_rows);

		if (row)
			add_verdict(&(*row)->cells[column], v == VERDICT_SKIP || v == VERDICT_ERROR ? v : VERDICT_PASS);
	}
}

void model_load(struct model *m, struct store *s)
{
	void *rows = NULL, *tests = NULL;
	sqlite3_stmt *q;

	memset(m, 0, sizeof(*m));
	load_columns(m, s);
	q = store_query(s, "SELECT id, machine, kernel, trouble IS NOT NULL FROM run ORDER BY started, id", "");
	while (store_next(s, q)) {
		long run = sqlite3_column_int64(q, 0);
		size_t column = find_column(m, store_text(q, 1), store_text(q, 2));

		m->columns[column].amiss = sqlite3_column_int(q, 3);
		load_results(s, m, &rows, run, column);
		load_explained(s, &rows, run, column);
		load_timings(s, m, &tests, run, column);
	}
	twalk_r(rows, move_row, m);
	twalk_r(tests, move_test, m);
	tdestroy(rows, free);
	tdestroy(tests, free);
}

void model_free(struct model *m)
{
	size_t i, j;

	for (i = 0; i < m->nr_rows; i++) {
		for (j = 0; j < m->nr_columns; j++)
			free(m->rows[i].cells[j].history);
		free(m->rows[i].cells);
		free(m->rows[i].test);
		free(m->rows[i].name);
	}
	for (i = 0; i < m->nr_tests; i++) {
		for (j = 0; j < m->nr_columns; j++)
			free(m->tests[i].timings[j].seconds);
		free(m->tests[i].timings);
		free(m->tests[i].name);
	}
	for (i = 0; i < m->nr_columns; i++) {
		free(m->columns[i].machine);
		free(m->columns[i].kernel);
	}
	free(m->rows);
	free(m->tests);
	free(m->columns);
}
