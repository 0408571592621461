// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page's first sections: what is new against a baseline, what does not pass now, and
 * records that are amiss.
 */
#include "page.h"

/* A case that fails everywhere: the map has all of them. */
#define MAX_PLACES	10

void page_baseline(const struct page *p)
{
	size_t i;

	if (!p->c)
		return;
	put(p, "<section id=baseline>\n<h2>Against the baseline</h2>\n<ul class=counts>");
	for (i = NEW_FAILURE; i < NR_CHANGES; i++)
		fprintf(p->out, "<li><b>%u</b> %s</li>", p->c->count[i], change_name(i));
	put(p, "</ul>\n");
	if (p->c->n)
		put(p, "<div class=scroll><table class=list><thead><tr><th>what<th>case<th>kernel<th>machine<th>before; now"
		    "<tbody>\n");
	for (i = 0; i < p->c->n; i++) {
		const struct difference *d = &p->c->differences[i];
		const struct tally *t = d->now ?: d->before;

		fprintf(p->out, "<tr class=change-%d><td>%s<td class=name>", d->change, change_name(d->change));
		text(p, t->test);
		put(p, *t->name ? "." : "");
		text(p, t->name);
		put(p, "<td>");
		text(p, d->place->kernel);
		put(p, "<td>");
		text(p, d->place->machine);
		put(p, "<td>");
		text(p, d->words);
		put(p, "\n");
	}
	put(p, p->c->n ? "</table></div>\n</section>\n" : "</section>\n");
}

static void put_reason(const struct page *p, long result)
{
	sqlite3_stmt *q = store_query(p->store, "SELECT reason FROM result WHERE id = ?", "i", result);

	if (store_next(p->store, q))
		text(p, store_text(q, 0));
	sqlite3_reset(q);
}

static void put_row_head(const struct page *p, size_t r, enum verdict v)
{
	fprintf(p->out, "<tr><td class=%s>%s<td class=name><a href=#c%zu>", verdict_name(v), verdict_name(v), r);
	page_case_name(p, &p->m.rows[r]);
	put(p, "</a><td>");
}

static void put_place(const struct page *p, const struct column *column, const struct cell *c)
{
	fprintf(p->out, "<span class=\"on %s\">", verdict_name(cell_verdict(c)));
	text(p, column->kernel);
	put(p, " <small>");
	text(p, column->machine);
	fprintf(p->out, "</small> %u</span> ", cell_bad_in_a_row(c));
}

/* One case: where it does not pass now, and the reason of the first place. */
static bool put_not_passing(const struct page *p, size_t r, bool first)
{
	unsigned int n = 0;
	long result = 0;
	size_t i;

	for (i = 0; i < p->m.nr_columns; i++) {
		const struct cell *c = &p->m.rows[r].cells[i];

		if (!c->n || !is_bad(cell_verdict(c)))
			continue;
		if (!n && first)
			put(p, "<div class=scroll><table class=list><thead><tr><th>verdict<th>case"
			    "<th>on: runs in a row<th>reason<tbody>\n");
		if (!n) {
			put_row_head(p, r, cell_verdict(c));
			result = c->last;
		}
		if (n++ < MAX_PLACES)
			put_place(p, &p->m.columns[i], c);
	}
	if (!n)
		return false;
	if (n > MAX_PLACES)
		fprintf(p->out, "and %u more", n - MAX_PLACES);
	put(p, "<td>");
	put_reason(p, result);
	put(p, "\n");
	return true;
}

static void put_amiss(const struct page *p)
{
	sqlite3_stmt *q = store_query(p->store, "SELECT folder, machine, kernel, started, line, words FROM problem "
		"JOIN run ON run.id = run_id ORDER BY started DESC, run_id DESC, line", "");
	bool first = true;

	while (store_next(p->store, q)) {
		if (first)
			put(p, "<h3>Records that are amiss</h3>\n<div class=scroll><table class=\"list amiss\"><thead><tr><th>run"
			    "<th>kernel<th>machine<th>line<th>what<tbody>\n");
		first = false;
		put(p, "<tr><td>");
		page_link(p, store_text(q, 0), "", "", *store_text(q, 3) ? store_text(q, 3) : "folder");
		put(p, "<td>");
		text(p, store_text(q, 2));
		put(p, "<td>");
		text(p, store_text(q, 1));
		fprintf(p->out, "<td class=n>%s<td class=error>", sqlite3_column_int(q, 4) ? store_text(q, 4) : "");
		text(p, store_text(q, 5));
		put(p, "\n");
	}
	put(p, first ? "" : "</table></div>\n");
}

void page_now(const struct page *p)
{
	bool any = false;
	size_t r;

	put(p, "<section id=now>\n<h2>Not passing in the latest run</h2>\n");
	for (r = 0; r < p->m.nr_rows; r++)
		any |= put_not_passing(p, r, !any);
	put(p, any ? "</table></div>\n" : "<p>Nothing: each case passed, or was skipped, when it last ran.\n");
	put_amiss(p);
	put(p, "</section>\n");
}
