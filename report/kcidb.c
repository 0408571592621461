// SPDX-License-Identifier: GPL-2.0-only
/*
 * KCIDB, schema 5.3: what a lab submits to KernelCI's database.
 *
 * A failure and a crash are the kernel's (FAIL), a timeout and a case that never came may
 * be the test's (ERROR), and what went wrong on our side says nothing (MISS).
 */
#include <ctype.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "text.h"
#include "writers.h"

#define PATH		"kselftest.kvm"
#define MAX_EXCERPT	16384

static const char *status_of(enum verdict v)
{
	switch (v) {
	case VERDICT_PASS:
		return "PASS";
	case VERDICT_SKIP:
		return "SKIP";
	case VERDICT_FAIL:
	case VERDICT_CRASH:
		return "FAIL";
	case VERDICT_ERROR:
		return "MISS";
	default:
		return "ERROR";
	}
}

/* Characters of a path's part; none is empty. */
static char *plain(const char *s)
{
	char *copy = strdup(*s ? s : "_"), *c;

	for (c = copy; *c; c++) {
		if (!isascii(*c) || (!isalnum(*c) && *c != '-'))
			*c = '_';
	}
	return copy;
}

static char *join(const char *test, const char *name)
{
	char *t = plain(test), *n = plain(name), *path;

	path = *name ? format(PATH ".%s.%s", t, n) : format(PATH ".%s", t);
	free(t);
	free(n);
	return path;
}

/* The same run has the same number wherever it is read: FNV-1a of what makes it itself. */
static uint64_t number_of(const char *folder, const char *started)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *folder; folder++)
		h = (h ^ (unsigned char)*folder) * 0x100000001b3;
	for (; *started; started++)
		h = (h ^ (unsigned char)*started) * 0x100000001b3;
	return h;
}

static const char *architecture(const char *machine)
{
	if (!strncmp(machine, "x86", 3))
		return "x86_64";
	if (!strncmp(machine, "arm64", 5))
		return "arm64";
	return !strncmp(machine, "riscv", 5) ? "riscv" : NULL;
}

static void set(json_t *o, const char *key, const char *value)
{
	if (value && *value)
		json_object_set_new(o, key, json_string(value));
}

/* 2026-11-21T20:28:01Z */
static bool is_time(const char *s)
{
	static const char shape[] = "0000-00-00T00:00:00Z";
	size_t i;

	for (i = 0; shape[i]; i++) {
		if (shape[i] == '0' ? !isdigit(s[i]) : s[i] != shape[i])
			return false;
	}
	return !s[i];
}

/* No more characters than the schema allows, and no half of one. */
static void set_excerpt(json_t *o, const char *log)
{
	size_t n = 0, i;

	for (i = 0; log[i] && n < MAX_EXCERPT; i++)
		n += (log[i + 1] & 0xc0) != 0x80;
	if (i)
		json_object_set_new(o, "log_excerpt", json_stringn(log, i));
}

struct submission {
	const char *origin;
	json_t *checkouts, *builds, *tests;
};

struct run {
	long id;
	const char *machine, *started;
	json_t *misc;
	char *build, *prefix;
};

static void add_test(struct submission *sub, const struct run *run, const char *test, const char *name,
		     enum verdict v, const char *reason, const char *log, sqlite3_stmt *seconds)
{
	char *path = *test ? join(test, name) : strdup(PATH);
	char *id = format("%s-%s", run->prefix, path);
	json_t *o = json_object(), *misc = json_deep_copy(run->misc);

	set(o, "id", id);
	set(o, "origin", sub->origin);
	set(o, "build_id", run->build);
	set(o, "path", path);
	set(o, "status", status_of(v));
	if (is_time(run->started))
		set(o, "start_time", run->started);
	if (seconds && sqlite3_column_type(seconds, 4) == SQLITE_FLOAT)
		json_object_set_new(o, "duration", json_real(sqlite3_column_double(seconds, 4)));
	set_excerpt(o, log);
	json_object_set_new(o, "environment", json_pack("{s:s, s:o}", "comment", run->machine, "misc", misc));
	json_object_set_new(o, "misc", json_pack("{s:s, s:s}", "verdict", verdict_name(v), "reason", reason));
	json_array_append_new(sub->tests, o);
	free(path);
	free(id);
}

static void add_tests(struct submission *sub, struct store *s, const struct run *run)
{
	sqlite3_stmt *q = store_query(s, "SELECT id, name, verdict, reason, seconds FROM test "
		"WHERE run_id = ? ORDER BY id", "i", run->id), *cases;

	while (store_next(s, q)) {
		const char *test = store_text(q, 1);

		cases = store_query(s, "SELECT name, verdict, reason, log FROM result WHERE test_id = ? ORDER BY id",
				    "i", (long)sqlite3_column_int64(q, 0));
		while (store_next(s, cases)) {
			if (*store_text(cases, 0))
				add_test(sub, run, test, store_text(cases, 0), verdict_of(store_text(cases, 1)),
					 store_text(cases, 2), store_text(cases, 3), NULL);
		}
		add_test(sub, run, test, "", verdict_of(store_text(q, 2)), store_text(q, 3), "", q);
	}
}

static bool has(const json_t *array, const char *id)
{
	const json_t *o;
	size_t i;

	json_array_foreach(array, i, o) {
		if (!strcmp(json_string_value(json_object_get(o, "id")), id))
			return true;
	}
	return false;
}

static bool is_hash(const char *s)
{
	return strlen(s) == 40 && s[strspn(s, "0123456789abcdef")] == '\0';
}

/* The build that was tested, and the checkout that it was made of. */
static char *add_build(struct submission *sub, const char *kernel, const char *release, const char *commit,
		       const char *machine)
{
	const char *arch = architecture(machine);
	char *name = plain(kernel), *version = plain(release), *checkout, *build;
	json_t *o;

	checkout = format("%s:%s-%s", sub->origin, name, is_hash(commit) ? commit : version);
	build = format("%s-%s", checkout, arch ?: "unknown");
	if (!has(sub->checkouts, checkout)) {
		o = json_object();
		set(o, "id", checkout);
		set(o, "origin", sub->origin);
		if (is_hash(commit))
			set(o, "git_commit_hash", commit);
		json_object_set_new(o, "valid", json_true());
		json_object_set_new(o, "misc", json_pack("{s:s, s:s}", "kernel", kernel, "release", release));
		json_array_append_new(sub->checkouts, o);
	}
	if (!has(sub->builds, build)) {
		o = json_object();
		set(o, "id", build);
		set(o, "origin", sub->origin);
		set(o, "checkout_id", checkout);
		set(o, "architecture", arch);
		set(o, "status", "PASS");
		json_array_append_new(sub->builds, o);
	}
	free(name);
	free(version);
	free(checkout);
	return build;
}

void kcidb_write(FILE *out, struct store *s, const char *origin)
{
	struct submission sub = { origin, json_array(), json_array(), json_array() };
	json_t *root;
	sqlite3_stmt *q = store_query(s, "SELECT id, machine, kernel, release, append, started, folder, commit_hash, "
		"coalesce((SELECT min(words) FROM problem WHERE run_id = run.id), '') FROM run "
		"WHERE id IN (SELECT run_id FROM now) ORDER BY started, id", "");

	while (store_next(s, q)) {
		struct run run = {
			.id = sqlite3_column_int64(q, 0), .machine = store_text(q, 1), .started = store_text(q, 5),
			.misc = json_pack("{s:s, s:s}", "machine", store_text(q, 1), "append", store_text(q, 4)),
			.build = add_build(&sub, store_text(q, 2), store_text(q, 3), store_text(q, 7), store_text(q, 1)),
			.prefix = format("%s:%016llx", origin,
					 (unsigned long long)number_of(store_text(q, 6), store_text(q, 5))),
		};

		if (*store_text(q, 8))
			add_test(&sub, &run, "", "", VERDICT_ERROR, store_text(q, 8), "", NULL);
		add_tests(&sub, s, &run);
		json_decref(run.misc);
		free(run.build);
		free(run.prefix);
	}
	root = json_pack("{s:{s:i, s:i}, s:o, s:o, s:o}", "version", "major", 5, "minor", 3,
			 "checkouts", sub.checkouts, "builds", sub.builds, "tests", sub.tests);
	json_dumpf(root, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	fputc('\n', out);
	json_decref(root);
}
