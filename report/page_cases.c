// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page's section of each case: its history on each kernel, and its last words.
 */
#include <string.h>

#include "chart.h"
#include "page.h"

/* What the page shows of the words before a result; the log has all. */
#define MAX_LOG	2048

static const char *last_lines(const char *log)
{
	size_t len = strlen(log);
	const char *newline;

	if (len <= MAX_LOG)
		return log;
	newline = strchr(log + len - MAX_LOG, '\n');
	return newline ? newline + 1 : "";
}

static void put_last(const struct page *p, const struct row *row, const struct cell *c)
{
	sqlite3_stmt *q = store_query(p->store, "SELECT result.reason, log, folder, started FROM result "
		"JOIN test ON test.id = test_id JOIN run ON run.id = run_id WHERE result.id = ?", "i", c->last);

	if (!store_next(p->store, q))
		return;
	page_link(p, store_text(q, 2), row->test, ".log", "log");
	put(p, " ");
	page_link(p, store_text(q, 2), "console.log", "", "console");
	put(p, "<td>");
	text(p, store_text(q, 0));
	if (is_bad(cell_verdict(c)) && *store_text(q, 1)) {
		put(p, "<pre>");
		text(p, last_lines(store_text(q, 1)));
		put(p, "</pre>");
	}
	put(p, "\n");
	sqlite3_reset(q);
}

static void put_case(const struct page *p, size_t r)
{
	const struct row *row = &p->m.rows[r];
	size_t i;

	fprintf(p->out, "<details id=c%zu><summary class=name>", r);
	page_case_name(p, row);
	put(p, " <span class=dots aria-hidden=true>");
	for (i = 0; i < p->m.nr_columns; i++)
		fprintf(p->out, "<i class=\"%s\"></i>", row->cells[i].n ? verdict_name(cell_verdict(&row->cells[i])) : "");
	put(p, "</span></summary>\n<div class=scroll><table class=list><thead><tr><th>machine<th>kernel<th>now<th>history"
	    "<th>passed<th>failed<th>of<th>latest<th>reason<tbody>\n");
	for (i = 0; i < p->m.nr_columns; i++) {
		const struct cell *c = &row->cells[i];

		if (!c->n)
			continue;
		put(p, "<tr><td>");
		text(p, p->m.columns[i].machine);
		put(p, "<td>");
		text(p, p->m.columns[i].kernel);
		fprintf(p->out, "<td class=%s>%s<td>", verdict_name(cell_verdict(c)), verdict_name(cell_verdict(c)));
		chart_verdicts(p->out, c->history, c->n);
		fprintf(p->out, "<td class=n>%u<td class=n>%u<td class=n>%u<td>", c->count[VERDICT_PASS],
			cell_failed(c), c->n);
		put_last(p, row, c);
	}
	put(p, "</table></div></details>\n");
}

void page_cases(const struct page *p)
{
	size_t r;

	put(p, "<section id=cases>\n<h2>Each case's history</h2>\n");
	for (r = 0; r < p->m.nr_rows; r++)
		put_case(p, r);
	put(p, "</section>\n");
}
