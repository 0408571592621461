// SPDX-License-Identifier: GPL-2.0-only
/*
 * The results in a few lines, for a terminal.
 */
#include <string.h>

#include "die.h"
#include "model.h"
#include "writers.h"

static void put_totals(FILE *out, struct store *s, unsigned long total[NR_VERDICTS])
{
	sqlite3_stmt *q = store_query(s, "SELECT run.machine, run.kernel, count(DISTINCT run.id), result.verdict, "
		"count(result.id) FROM now JOIN run ON run.id = now.run_id LEFT JOIN test ON test.run_id = run.id "
		"LEFT JOIN result ON result.test_id = test.id GROUP BY run.machine, run.kernel, result.verdict "
		"ORDER BY run.machine, run.kernel", "");
	char place[600] = "", last[600] = "";

	while (store_next(s, q)) {
		unsigned long n = sqlite3_column_int64(q, 4);

		snprintf(place, sizeof(place), "%.250s (%.250s)", store_text(q, 1), store_text(q, 0));
		if (strcmp(place, last))
			fprintf(out, "%s%s:", *last ? "\n" : "", place);
		snprintf(last, sizeof(last), "%s", place);
		if (!n)
			continue;
		fprintf(out, " %lu %s", n, store_text(q, 3));
		total[verdict_of(store_text(q, 3))] += n;
	}
	if (*last)
		fputc('\n', out);
}

static void put_failures(FILE *out, struct store *s)
{
	sqlite3_stmt *q = store_query(s, "SELECT verdict, test, name, kernel, machine, reason, count(*) FROM outcome "
		"WHERE verdict NOT IN ('pass', 'skip') AND run_id IN (SELECT run_id FROM now) "
		"GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 5, 4, 2, 3", "");

	while (store_next(s, q)) {
		const char *name = store_text(q, 2);
		long n = sqlite3_column_int64(q, 6);

		fprintf(out, "%s: %s%s%s on %s (%s)", store_text(q, 0), store_text(q, 1), *name ? "." : "", name,
			store_text(q, 3), store_text(q, 4));
		if (n > 1)
			fprintf(out, ", %ld times", n);
		fprintf(out, ": %s\n", store_text(q, 5));
	}
}

int summary_write(FILE *out, struct store *s)
{
	unsigned long total[NR_VERDICTS] = { 0 }, problems;

	put_failures(out, s);
	put_totals(out, s, total);
	problems = store_number(s, "SELECT count(DISTINCT run_id) FROM problem WHERE run_id IN (SELECT run_id FROM now)",
				"");
	fprintf(out, "%ld runs, %lu of them amiss\n", store_number(s, "SELECT count(*) FROM now", ""), problems);

	if (problems || total[VERDICT_ERROR])
		return EXIT_OURS;
	if (total[VERDICT_FAIL] + total[VERDICT_TIMEOUT] + total[VERDICT_CRASH] + total[VERDICT_MISSING])
		return EXIT_FAILED;
	return total[VERDICT_PASS] ? 0 : EXIT_NOTHING;
}
