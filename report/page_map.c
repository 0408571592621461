// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page's maps, with a column for each kernel: the verdicts of cases, the seconds of tests.
 */
#include <string.h>

#include "chart.h"
#include "page.h"

static size_t same_machine(const struct model *m, size_t first)
{
	size_t n = first;

	while (n < m->nr_columns && !strcmp(m->columns[n].machine, m->columns[first].machine))
		n++;
	return n - first;
}

void page_columns(const struct page *p)
{
	size_t i, n;

	put(p, "<thead><tr><td>");
	for (i = 0; i < p->m.nr_columns; i += n) {
		n = same_machine(&p->m, i);
		fprintf(p->out, "<th colspan=%zu scope=colgroup>", n);
		text(p, p->m.columns[i].machine);
	}
	put(p, "\n<tr class=kernels><td>");
	for (i = 0; i < p->m.nr_columns; i++) {
		put(p, p->m.columns[i].amiss ? "<th scope=col class=error title=\"nothing of the latest run counts\"><span>" :
		    "<th scope=col><span>");
		text(p, p->m.columns[i].kernel);
		put(p, "</span>");
	}
	put(p, "\n");
}

static void put_cell(const struct page *p, const struct cell *c, size_t r)
{
	unsigned int ran, failed;
	enum verdict v;
	bool flaky;

	if (!c->n) {
		put(p, "<td>");
		return;
	}
	v = cell_verdict(c);
	ran = cell_ran(c);
	failed = cell_failed(c);
	flaky = cell_flaky(c);
	fprintf(p->out, "<td class=\"%s%s\"><a href=#c%zu title=\"%s: %u passed, %u failed of %u\">", verdict_name(v),
		flaky ? " flaky" : "", r, verdict_name(v), c->count[VERDICT_PASS], failed, c->n);
	if (flaky)
		fprintf(p->out, "%u%%", (100 * failed + ran - 1) / ran);
	else
		put(p, page_glyphs[v]);
	put(p, "</a>");
}

void page_map(const struct page *p)
{
	size_t r, i;

	put(p, "<section id=map>\n<h2>Cases and kernels</h2>\n"
	    "<p class=note>The verdict of the latest run; where a case fails now and then, how often."
	    "<span class=tools> <label>Filter <input id=filter type=search placeholder=\"case or test\"></label> "
	    "<label><input id=bad type=checkbox> only what does not pass</label> "
	    "<kbd>\u2190\u2191\u2193\u2192</kbd> move, <kbd>Enter</kbd> history, <kbd>/</kbd> filter</span>\n"
	    "<div class=scroll tabindex=0 role=region aria-label=\"cases and kernels\"><table class=map>\n");
	page_columns(p);
	for (r = 0; r < p->m.nr_rows; r++) {
		const struct row *row = &p->m.rows[r];

		if (!r || strcmp(row->test, row[-1].test)) {
			fprintf(p->out, "<tbody><tr class=test><th scope=rowgroup>");
			text(p, row->test);
			fprintf(p->out, "<td colspan=%zu>\n", p->m.nr_columns);
		}
		fprintf(p->out, "<tr><th scope=row><a href=#c%zu>", r);
		text(p, *row->name ? row->name : "(the test)");
		put(p, "</a>");
		for (i = 0; i < p->m.nr_columns; i++)
			put_cell(p, &row->cells[i], r);
		put(p, "\n");
	}
	put(p, "</table></div>\n</section>\n");
}

void page_seconds(const struct page *p)
{
	size_t i, r;

	put(p, "<section id=seconds>\n<h2>Seconds</h2>\n");
	if (!p->m.nr_tests) {
		put(p, "<p>No test tells.\n</section>\n");
		return;
	}
	put(p, "<p class=note>The latest run of each test, and the runs before it; "
	    "the line's foot is zero, its top the longest run.\n"
	    "<div class=scroll tabindex=0 role=region aria-label=seconds><table class=seconds>\n");
	page_columns(p);
	put(p, "<tbody>\n");
	for (r = 0; r < p->m.nr_tests; r++) {
		put(p, "<tr><th scope=row class=name>");
		text(p, p->m.tests[r].name);
		for (i = 0; i < p->m.nr_columns; i++) {
			const struct timing *t = &p->m.tests[r].timings[i];

			put(p, "<td class=n>");
			if (!t->n)
				continue;
			fprintf(p->out, "%.2f", t->seconds[t->n - 1]);
			chart_seconds(p->out, t->seconds, t->n);
		}
		put(p, "\n");
	}
	put(p, "</table></div>\n</section>\n");
}
