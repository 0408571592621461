/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store of all results, see schema.sql.
 *
 * One process writes at a time.  An error of the store ends the program with exit code 3
 * and a line that says what to do; what was not committed is not in the store, and is
 * still in the result folders.
 *
 * The table "now" has the runs that this call is about; only a page shows all.
 */
#ifndef REPORT_STORE_H
#define REPORT_STORE_H

#include <sqlite3.h>
#include <stdbool.h>

struct store {
	const char *path;
	sqlite3 *db;
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
	} known[64];
};

/* @path NULL: in memory. */
void store_open(struct store *s, const char *path);
void store_close(struct store *s);

/* All writes are between the two. */
void store_begin(struct store *s);
void store_commit(struct store *s);

/*
 * A statement with its values: @types has "s" (const char *), "i" (long), "d" (double) or
 * "n" (NULL, no argument) for each.  @sql is a literal: it is prepared once.
 */
sqlite3_stmt *store_query(struct store *s, const char *sql, const char *types, ...);
/* The next row is there. */
bool store_next(struct store *s, sqlite3_stmt *stmt);
/* Text of a column, "" for NULL; good until the next row. */
const char *store_text(sqlite3_stmt *stmt, int column);

/* A statement without rows; returns the row that it has inserted. */
long store_do(struct store *s, const char *sql, const char *types, ...);
/* The first column of the first row; 0 when there is none. */
long store_number(struct store *s, const char *sql, const char *types, ...);

#endif /* REPORT_STORE_H */
