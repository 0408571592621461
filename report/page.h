/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page, by its sections: page_now.c, page_map.c, page_cases.c, page_lists.c; html.c puts
 * them together.
 */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include <stdio.h>

#include "baseline.h"
#include "model.h"
#include "store.h"
#include "text.h"

struct page {
	FILE *out;
	struct store *store;
	struct model m;
	const struct comparison *c;	/* NULL: none */
	const char *base;		/* where links begin; NULL: absolute */
};

/* One character for each verdict. */
extern const char * const page_glyphs[NR_VERDICTS];

/* HTML as it is, and text with its marks escaped. */
static inline void put(const struct page *p, const char *s)
{
	fputs(s, p->out);
}

static inline void text(const struct page *p, const char *s)
{
	put_escaped(p->out, s);
}

/* "test.case", or the test alone. */
void page_case_name(const struct page *p, const struct row *row);
/* To @file @suffix in a result folder. */
void page_link(const struct page *p, const char *folder, const char *file, const char *suffix, const char *words);
/* The head of a table with a column for each machine and kernel. */
void page_columns(const struct page *p);

void page_baseline(const struct page *p);
void page_now(const struct page *p);
void page_map(const struct page *p);
void page_cases(const struct page *p);
void page_skips(const struct page *p);
void page_seconds(const struct page *p);
void page_runs(const struct page *p);

#endif /* REPORT_PAGE_H */
