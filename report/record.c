// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ktap of one run, read into the store: a row for each test and each case, as it comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "ktap_read.h"
#include "record.h"

#define MAX_PROBLEMS	20
/* What is kept of the words before a result that did not pass. */
#define MAX_LOG		8192

void record_problem(struct record *rec, unsigned long line, const char *words)
{
	if (rec->problems++ >= MAX_PROBLEMS)
		return;
	store_do(rec->store, "INSERT INTO problem (run_id, line, words) VALUES (?, ?, ?)", "iis",
		 rec->run, (long)line, rec->problems == MAX_PROBLEMS ? "and more" : words);
	if (rec->problems > 1)
		return;
	fprintf(stderr, "kvm-witness: %s: %s", rec->dir, words);
	fprintf(stderr, line ? ", ktap line %lu\n" : "\n", line);
}

static void on_problem(void *arg, unsigned long line, const char *words)
{
	record_problem(arg, line, words);
}

/* A test whose name comes with its result.  What is in parentheses is no name of theirs. */
static void open_test(struct record *rec)
{
	char *name = format("(cut off %ld)", store_number(rec->store,
		"SELECT count(*) + 1 FROM test WHERE run_id = ?", "i", rec->run));

	rec->test = store_do(rec->store, "INSERT INTO test (run_id, name, verdict, reason) VALUES (?, ?, ?, ?)",
			   "isss", rec->run, name, "error", "it has no result");
	free(name);
}

/* A test that never got a result: what its cases say is not to be trusted. */
static void give_up_test(struct record *rec)
{
	if (rec->test)
		store_do(rec->store, "UPDATE result SET verdict = 'error', reason = 'its test has no result' "
			 "WHERE test_id = ? AND verdict IN ('pass', 'skip')", "i", rec->test);
	rec->test = 0;
}

static void on_begin(void *arg, unsigned int level)
{
	struct record *rec = arg;

	if (level == 1) {
		give_up_test(rec);
		open_test(rec);
	}
}

static void on_comment(void *arg, const char *text, size_t len)
{
	struct record *rec = arg;
	size_t n = len < sizeof(rec->last_comment) ? len : sizeof(rec->last_comment) - 1;

	memcpy(rec->last_comment, text, n);
	rec->last_comment[n] = '\0';
	if (rec->log.len + len > 2 * MAX_LOG) {
		/* The end tells more than the beginning. */
		size_t drop = rec->log.len > MAX_LOG ? rec->log.len - MAX_LOG : 0;

		memmove(rec->log.s, rec->log.s + drop, rec->log.len - drop);
		rec->log.len -= drop;
	}
	text_put(&rec->log, text, len);
	text_put(&rec->log, "\n", 1);
}

/* The words before the result, clean, and no longer than what may be kept. */
static char *take_log(struct record *rec)
{
	struct text clean = { 0 };
	const char *s = rec->log.s ? rec->log.s : "", *newline;
	size_t len = rec->log.len;

	if (len > MAX_LOG) {
		s += len - MAX_LOG;
		len = MAX_LOG;
		newline = memchr(s, '\n', len);
		if (newline) {
			len -= newline + 1 - s;
			s = newline + 1;
		}
	}
	text_put_clean(&clean, s, len);
	text_clear(&rec->log);
	return clean.s;
}

static void put_result(struct record *rec, const char *name, enum verdict v, const char *reason)
{
	char *log = take_log(rec);

	store_do(rec->store, "INSERT INTO result (test_id, name, verdict, reason, log) VALUES (?, ?, ?, ?, ?) "
		 "ON CONFLICT (test_id, name) DO UPDATE SET verdict = 'error', reason = 'it was reported twice'",
		 "issss", rec->test, name, verdict_name(v), reason, v == VERDICT_PASS ? "" : log);
	free(log);
}

/* "# probe_test: 2.00 s" comes right before the test's result. */
static bool seconds_of(const struct record *rec, const char *name, double *seconds)
{
	size_t len = strlen(name);
	char unit;

	return !strncmp(rec->last_comment, name, len) &&
		sscanf(rec->last_comment + len, ": %lf %c", seconds, &unit) == 2 && unit == 's' &&
		*seconds >= 0 && *seconds < 1e9;
}

static bool has_test(const struct record *rec, const char *name)
{
	return store_number(rec->store, "SELECT count(*) FROM test WHERE run_id = ? AND name = ?", "is", rec->run, name);
}

static void end_test(struct record *rec, const char *name, enum verdict v, const char *reason)
{
	double seconds;

	if (has_test(rec, name)) {
		/* The first one is no better: which of them is it? */
		record_problem(rec, 0, "a test was reported twice");
		store_do(rec->store, "UPDATE result SET verdict = 'error', reason = 'its test was reported twice' "
			 "WHERE test_id IN (SELECT id FROM test WHERE run_id = ? AND name = ?)", "is", rec->run, name);
		store_do(rec->store, "UPDATE test SET verdict = 'error', reason = 'it was reported twice' "
			 "WHERE run_id = ? AND name = ?", "is", rec->run, name);
		store_do(rec->store, "DELETE FROM test WHERE id = ?", "i", rec->test);
		return;
	}
	store_do(rec->store, "UPDATE test SET name = ?, verdict = ?, reason = ? WHERE id = ?", "sssi",
		 name, verdict_name(v), reason, rec->test);
	if (seconds_of(rec, name, &seconds))
		store_do(rec->store, "UPDATE test SET seconds = ? WHERE id = ?", "di", seconds, rec->test);
	/* A verdict that no case accounts for would be seen by nobody. */
	if (!store_number(rec->store, "SELECT count(*) FROM result WHERE test_id = ?", "i", rec->test) ||
	    (v != VERDICT_PASS && v != VERDICT_SKIP &&
	     !store_number(rec->store, "SELECT count(*) FROM result WHERE test_id = ? "
			   "AND verdict NOT IN ('pass', 'skip')", "i", rec->test)))
		put_result(rec, "", v, reason);
}

static void on_result(void *arg, const struct ktap_result *r)
{
	struct record *rec = arg;

	/* What is deeper is in the verdict of its case. */
	if (r->level > 1)
		return;
	text_clear(&rec->name);
	text_clear(&rec->reason);
	text_put_clean(&rec->name, r->name, r->name_len);
	text_put_clean(&rec->reason, r->reason, r->reason_len);
	if (*rec->name.s == '(')
		*rec->name.s = '[';
	if (!r->name_len)
		text_printf(&rec->name, "(no name %lu)", r->number);
	if (r->level == 1) {
		put_result(rec, rec->name.s, r->verdict, rec->reason.s);
		return;
	}
	if (!rec->test)
		open_test(rec);
	end_test(rec, rec->name.s, r->verdict, rec->reason.s);
	rec->test = 0;
	text_clear(&rec->log);
}

static void on_missing(void *arg, unsigned int level, unsigned long first, unsigned long last)
{
	struct record *rec = arg;
	char *name = first == last ? format("(missing %lu)", first) : format("(missing %lu to %lu)", first, last);
	long test = rec->test;

	if (level == 1 && test) {
		put_result(rec, name, VERDICT_MISSING, "the plan has it");
	} else if (level == 0 && !has_test(rec, name)) {
		/* The test that is open, if any, is the one whose result comes next. */
		rec->test = store_do(rec->store, "INSERT INTO test (run_id, name, verdict, reason) VALUES (?, ?, ?, ?)",
				   "isss", rec->run, name, "missing", "the plan has it");
		put_result(rec, "", VERDICT_MISSING, "the plan has it");
		rec->test = test;
	}
	free(name);
}

static const struct ktap_events events = {
	.begin = on_begin, .result = on_result, .missing = on_missing, .comment = on_comment,
	.problem = on_problem,
};

char *record_read(struct record *rec)
{
	static char buf[1 << 18];
	static struct ktap_reader reader;
	char *path = format("%s/ktap", rec->dir), *why = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	ktap_read_begin(&reader, &events, rec);
	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		ktap_read(&reader, buf, n);
	if (fd < 0 || n < 0)
		why = format("ktap: %s", strerror(errno));
	else
		ktap_read_end(&reader);
	give_up_test(rec);
	if (fd >= 0)
		close(fd);
	free(path);
	text_free(&rec->log);
	text_free(&rec->name);
	text_free(&rec->reason);
	return why;
}
