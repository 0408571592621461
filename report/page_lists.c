// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page's lists: why cases were skipped, and all runs.
 */
#include "page.h"

void page_skips(const struct page *p)
{
	sqlite3_stmt *q = store_query(p->store, "SELECT reason, count(*), count(DISTINCT test || '.' || name), "
		"max(started), min(test || '.' || name) FROM outcome WHERE verdict = 'skip' "
		"GROUP BY reason ORDER BY 3 DESC, 2 DESC, 1", "");
	bool first = true;

	put(p, "<section id=skips>\n<h2>Why cases were skipped</h2>\n");
	while (store_next(p->store, q)) {
		if (first)
			put(p, "<div class=scroll><table class=list><thead><tr><th>reason<th>cases<th>results<th>last seen"
			    "<th>one of them<tbody>\n");
		first = false;
		put(p, "<tr><td>");
		text(p, *store_text(q, 0) ? store_text(q, 0) : "no reason given");
		fprintf(p->out, "<td class=n>%s<td class=n>%s<td>", store_text(q, 2), store_text(q, 1));
		text(p, store_text(q, 3));
		put(p, "<td class=name>");
		text(p, store_text(q, 4));
		put(p, "\n");
	}
	put(p, first ? "<p>None was.\n</section>\n" : "</table></div>\n</section>\n");
}

void page_runs(const struct page *p)
{
	sqlite3_stmt *q = store_query(p->store, "SELECT folder, started, machine, kernel, release, seconds, "
		"coalesce(exit_code, 'none'), coalesce(trouble, ''), "
		"(SELECT count(*) FROM test JOIN result ON test_id = test.id WHERE run_id = run.id AND result.verdict = 'pass'), "
		"(SELECT count(*) FROM test JOIN result ON test_id = test.id WHERE run_id = run.id "
		"AND result.verdict NOT IN ('pass', 'skip')), append FROM run ORDER BY started DESC, run.id DESC", "");

	put(p, "<section id=runs>\n<h2>Runs</h2>\n<div class=scroll tabindex=0 role=region aria-label=runs><table class=list>"
	    "<thead><tr><th>started<th>machine<th>kernel<th>release<th>seconds<th>exit<th>passed<th>not<th>files"
	    "<th>kernel parameters<tbody>\n");
	while (store_next(p->store, q)) {
		fprintf(p->out, "<tr%s><td>", *store_text(q, 7) ? " class=amiss" : "");
		text(p, store_text(q, 1));
		put(p, "<td>");
		text(p, store_text(q, 2));
		put(p, "<td>");
		text(p, store_text(q, 3));
		put(p, "<td>");
		text(p, store_text(q, 4));
		fprintf(p->out, "<td class=n>%.1f<td class=n>%s<td class=n>%s<td class=n>%s<td>", sqlite3_column_double(q, 5),
			store_text(q, 6), store_text(q, 8), store_text(q, 9));
		page_link(p, store_text(q, 0), "ktap", "", "ktap");
		put(p, " ");
		page_link(p, store_text(q, 0), "console.log", "", "console");
		put(p, " ");
		page_link(p, store_text(q, 0), "meta.json", "", "meta");
		put(p, "<td class=name>");
		text(p, store_text(q, 10));
		put(p, "\n");
	}
	put(p, "</table></div>\n</section>\n");
}
