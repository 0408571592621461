// SPDX-License-Identifier: GPL-2.0-only
/*
 * The store of all results, see store.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "embed.h"
#include "store.h"

/* "KvmW", and the version of schema.sql. */
#define APPLICATION_ID	0x4b766d57
#define SCHEMA		1
/* A collector of a thousand results is done by then. */
#define PATIENCE_MS	10000

static void __noreturn fail(struct store *s)
{
	switch (sqlite3_errcode(s->db)) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		die(EXIT_OURS, "%s: another report is writing to it: try again", s->path);
	case SQLITE_FULL:
	case SQLITE_IOERR:
		die(EXIT_OURS, "%s: %s (disk full?): the result folders are as they were; make room and try again",
		    s->path, sqlite3_errmsg(s->db));
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
		die(EXIT_OURS, "%s: damaged, or no store: move it away and collect the result folders again", s->path);
	default:
		die(EXIT_OURS, "%s: %s", s->path, sqlite3_errmsg(s->db));
	}
}

static void exec(struct store *s, const char *sql)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(s);
}

static long pragma(struct store *s, const char *sql)
{
	sqlite3_stmt *stmt;
	long value = 0;

	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail(s);
	if (store_next(s, stmt))
		value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

static void create(struct store *s)
{
	char sql[100];

	exec(s, embed_schema);
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID, SCHEMA);
	exec(s, sql);
}

void store_open(struct store *s, const char *path)
{
	memset(s, 0, sizeof(*s));
	s->path = path ? path : "the store in memory";
	if (sqlite3_open_v2(path ? path : ":memory:", &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL))
		die(EXIT_OURS, "%s: %s", s->path, sqlite3_errmsg(s->db));
	sqlite3_busy_timeout(s->db, PATIENCE_MS);
	exec(s, "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; "
	     "CREATE TEMP TABLE now (run_id INTEGER PRIMARY KEY)");
	store_begin(s);
	if (!pragma(s, "SELECT count(*) FROM sqlite_master"))
		create(s);
	else if (pragma(s, "PRAGMA application_id") != APPLICATION_ID)
		die(EXIT_USAGE, "%s: a database, but not one of ours: give another --store", s->path);
	else if (pragma(s, "PRAGMA user_version") != SCHEMA)
		die(EXIT_OURS, "%s: made by another version of report: move it away and collect the result folders again",
		    s->path);
	store_commit(s);
}

void store_close(struct store *s)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(s->known); i++)
		sqlite3_finalize(s->known[i].stmt);
	sqlite3_close(s->db);
}

void store_begin(struct store *s)
{
	exec(s, "BEGIN IMMEDIATE");
}

void store_commit(struct store *s)
{
	exec(s, "COMMIT");
}

static sqlite3_stmt *prepared(struct store *s, const char *sql)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(s->known); i++) {
		if (s->known[i].sql == sql) {
			sqlite3_reset(s->known[i].stmt);
			return s->known[i].stmt;
		}
		if (!s->known[i].sql)
			break;
	}
	if (i == ARRAY_SIZE(s->known))
		abort();
	if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->known[i].stmt, NULL) != SQLITE_OK)
		fail(s);
	s->known[i].sql = sql;
	return s->known[i].stmt;
}

/* @keep: SQLITE_STATIC where the values live longer than the statement's run. */
static sqlite3_stmt *bind(struct store *s, const char *sql, const char *types, va_list ap,
			  sqlite3_destructor_type keep)
{
	sqlite3_stmt *stmt = prepared(s, sql);
	int i;

	for (i = 1; *types; types++, i++) {
		switch (*types) {
		case 's':
			sqlite3_bind_text(stmt, i, va_arg(ap, const char *), -1, keep);
			break;
		case 'i':
			sqlite3_bind_int64(stmt, i, va_arg(ap, long));
			break;
		case 'd':
			sqlite3_bind_double(stmt, i, va_arg(ap, double));
			break;
		default:
			sqlite3_bind_null(stmt, i);
		}
	}
	return stmt;
}

sqlite3_stmt *store_query(struct store *s, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list ap;

	va_start(ap, types);
	stmt = bind(s, sql, types, ap, SQLITE_TRANSIENT);
	va_end(ap);
	return stmt;
}

bool store_next(struct store *s, sqlite3_stmt *stmt)
{
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		return true;
	case SQLITE_DONE:
		sqlite3_reset(stmt);
		return false;
	default:
		fail(s);
	}
}

const char *store_text(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text ? text : "";
}

long store_do(struct store *s, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list ap;

	va_start(ap, types);
	stmt = bind(s, sql, types, ap, SQLITE_STATIC);
	va_end(ap);
	while (store_next(s, stmt))
		;
	return sqlite3_last_insert_rowid(s->db);
}

long store_number(struct store *s, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt;
	long number = 0;
	va_list ap;

	va_start(ap, types);
	stmt = bind(s, sql, types, ap, SQLITE_STATIC);
	va_end(ap);
	if (store_next(s, stmt))
		number = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return number;
}
