// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page: one file that needs no other, and no JavaScript to be read.  Charts are SVG in
 * the page: a strip of verdicts and a line of seconds are a few bytes each that way, they
 * print, and a library to draw them would be most of the page.
 */
#include <string.h>

#include "embed.h"
#include "page.h"
#include "writers.h"

const char * const page_glyphs[NR_VERDICTS] = {
	[VERDICT_PASS]		= "\u2713",
	[VERDICT_FAIL]		= "\u2717",
	[VERDICT_SKIP]		= "\u2013",
	[VERDICT_TIMEOUT]	= "T",
	[VERDICT_CRASH]		= "C",
	[VERDICT_MISSING]	= "?",
	[VERDICT_ERROR]		= "!",
};

void page_case_name(const struct page *p, const struct row *row)
{
	text(p, row->test);
	if (*row->name) {
		put(p, ".");
		text(p, row->name);
	}
}

/* From the folder @base to the folder @to; both are absolute. */
static void put_relative(FILE *out, const char *base, const char *to)
{
	size_t common = 0, i;

	for (i = 0;; i++) {
		/* A part of both paths ends here. */
		if ((!base[i] || base[i] == '/') && (!to[i] || to[i] == '/'))
			common = i;
		if (!base[i] || base[i] != to[i])
			break;
	}
	for (i = common; base[i]; i++) {
		if (base[i] == '/' && base[i + 1])
			fputs("../", out);
	}
	to += common + (to[common] == '/');
	put_url(out, *to ? to : ".");
}

void page_link(const struct page *p, const char *folder, const char *file, const char *suffix, const char *words)
{
	put(p, "<a href=\"");
	if (p->base)
		put_relative(p->out, p->base, folder);
	else
		put_url(p->out, folder);
	put(p, "/");
	put_url(p->out, file);
	put_url(p->out, suffix);
	put(p, "\">");
	text(p, words);
	put(p, "</a>");
}

static void put_count(const struct page *p, const char *id, long n, const char *one, const char *many)
{
	fprintf(p->out, "<li><b id=%s>%ld</b> %s</li>", id, n, n == 1 ? one : many);
}

static void put_verdicts(const struct page *p)
{
	unsigned long total[NR_VERDICTS] = { 0 };
	sqlite3_stmt *q = store_query(p->store, "SELECT verdict, count(*) FROM result GROUP BY verdict", "");
	enum verdict v;

	while (store_next(p->store, q))
		total[verdict_of(store_text(q, 0))] += sqlite3_column_int64(q, 1);
	put(p, "<ul class=legend aria-label=\"results by verdict\">");
	for (v = 0; v < NR_VERDICTS; v++)
		fprintf(p->out, "<li class=\"%s%s\"><i aria-hidden=true>%s</i><b id=n-%s>%lu</b> %s</li>",
			verdict_name(v), total[v] ? "" : " none", page_glyphs[v], verdict_name(v), total[v],
			verdict_name(v));
	put(p, "</ul>\n");
}

static void put_header(const struct page *p)
{
	sqlite3_stmt *q = store_query(p->store, "SELECT coalesce(min(CASE WHEN started <> '' THEN started END), ''), "
				      "max(started) FROM run", "");

	put(p, "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
	    "<meta name=viewport content=\"width=device-width,initial-scale=1\">\n"
	    "<meta name=color-scheme content=\"light dark\">\n<title>kvm-witness: results</title>\n<style>\n");
	put(p, embed_css);
	put(p, "</style>\n<header>\n<h1>kvm-witness <small>");
	if (store_next(p->store, q)) {
		text(p, store_text(q, 0));
		if (strcmp(store_text(q, 0), store_text(q, 1))) {
			put(p, " \u2013 ");
			text(p, store_text(q, 1));
		}
	}
	sqlite3_reset(q);
	put(p, "</small></h1>\n<ul class=counts>");
	put_count(p, "n-runs", store_number(p->store, "SELECT count(*) FROM run", ""), "run", "runs");
	put_count(p, "n-columns", p->m.nr_columns, "kernel", "kernels");
	put_count(p, "n-cases", p->m.nr_rows, "case", "cases");
	put_count(p, "n-results", store_number(p->store, "SELECT count(*) FROM result", ""), "result", "results");
	put_count(p, "n-amiss", store_number(p->store, "SELECT count(DISTINCT run_id) FROM problem", ""),
		  "record amiss", "records amiss");
	put(p, "</ul>\n");
	put_verdicts(p);
	put(p, "<nav>");
	if (p->c)
		put(p, "<a href=#baseline>Baseline</a>");
	put(p, "<a href=#now>Not passing</a><a href=#map>Map</a><a href=#cases>Cases</a>"
	    "<a href=#skips>Skips</a><a href=#seconds>Seconds</a><a href=#runs>Runs</a></nav>\n</header>\n<main>\n");
}

void html_write(FILE *out, struct store *s, const struct comparison *c, const char *base)
{
	struct page p = { .out = out, .store = s, .c = c, .base = base };

	model_load(&p.m, s);
	put_header(&p);
	page_baseline(&p);
	page_now(&p);
	page_map(&p);
	page_cases(&p);
	page_skips(&p);
	page_seconds(&p);
	page_runs(&p);
	put(&p, "</main>\n<script>\n");
	put(&p, embed_js);
	put(&p, "</script>\n");
	model_free(&p.m);
}
