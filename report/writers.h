/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files that are made of the store.  All but the page and the SQL are of the runs of
 * this call.
 */
#ifndef REPORT_WRITERS_H
#define REPORT_WRITERS_H

#include <stdio.h>

#include "baseline.h"
#include "store.h"

/* Returns the exit code that run_tests.sh has for such results. */
int summary_write(FILE *out, struct store *s);

/* Links are relative to @base, a folder; absolute where that is NULL. */
void html_write(FILE *out, struct store *s, const struct comparison *c, const char *base);

void junit_write(FILE *out, struct store *s);

/* @origin: who submits, [a-z0-9_]+. */
void kcidb_write(FILE *out, struct store *s, const char *origin);

void lava_write(FILE *out, struct store *s);

/* Schema and rows, for psql or sqlite3. */
void sql_write(FILE *out, struct store *s);

#endif /* REPORT_WRITERS_H */
