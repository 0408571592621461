// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole store as SQL that PostgreSQL takes, and SQLite too.
 */
#include "embed.h"
#include "writers.h"

/* Rows to one INSERT. */
#define BATCH	200

static void put_rows(FILE *out, struct store *s, const char *table, const char *columns, const char *sql)
{
	sqlite3_stmt *q = store_query(s, sql, "");
	unsigned long n;

	for (n = 0; store_next(s, q); n++) {
		if (n % BATCH == 0)
			fprintf(out, "%sINSERT INTO %s (%s) VALUES\n", n ? ";\n" : "", table, columns);
		fprintf(out, "%s(%s)", n % BATCH ? ",\n" : "", store_text(q, 0));
	}
	if (n)
		fputs(";\n", out);
}

void sql_write(FILE *out, struct store *s)
{
	fprintf(out, "BEGIN;\n%s\n", embed_schema);
	put_rows(out, s, "run",
		 "id, folder, stamp, machine, kernel, release, commit_hash, append, started, seconds, exit_code, trouble",
		 "SELECT id || ',' || quote(folder) || ',' || quote(stamp) || ',' || quote(machine) || ',' || "
		 "quote(kernel) || ',' || quote(release) || ',' || quote(commit_hash) || ',' || quote(append) || ',' || quote(started) || ',' || "
		 "quote(seconds) || ',' || quote(exit_code) || ',' || quote(trouble) FROM run ORDER BY id");
	put_rows(out, s, "test", "id, run_id, name, verdict, reason, seconds",
		 "SELECT id || ',' || run_id || ',' || quote(name) || ',' || quote(verdict) || ',' || quote(reason) "
		 "|| ',' || quote(seconds) FROM test ORDER BY id");
	put_rows(out, s, "result", "id, test_id, name, verdict, reason, log",
		 "SELECT id || ',' || test_id || ',' || quote(name) || ',' || quote(verdict) || ',' || quote(reason) "
		 "|| ',' || quote(log) FROM result ORDER BY id");
	put_rows(out, s, "problem", "run_id, line, words",
		 "SELECT run_id || ',' || line || ',' || quote(words) FROM problem ORDER BY run_id, line");
	fputs("COMMIT;\n", out);
}
