// SPDX-License-Identifier: GPL-2.0-only
/*
 * One result folder: meta.json tells what was run and whether it ended, ktap tells what
 * came of it.  A job of the nightly run that left no result has a file infra instead, which
 * tells why, in a folder <kernel>@<machine>.
 */
#include <errno.h>
#include <fts.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "die.h"
#include "folder.h"
#include "record.h"
#include "text.h"

struct folder {
	struct record rec;
	json_t *meta;
};

/* --- what meta.json says ---------------------------------------------------- */

/* A string of meta.json, clean; "" when there is none. */
static char *meta_string(const json_t *meta, const char *key)
{
	const json_t *value = json_object_get(meta, key);
	struct text t = { 0 };

	text_put_clean(&t, json_string_value(value) ?: "", json_string_length(value));
	return t.s;
}

/* What the kernel is called: by its user, by us, by itself, by its file. */
static char *kernel_name(const json_t *meta)
{
	static const char * const keys[] = { "kernel_name", "variant", "release", "kernel" };
	char *name = NULL, *slash;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys) && !(name && *name); i++) {
		free(name);
		name = meta_string(meta, keys[i]);
	}
	slash = strrchr(name, '/');
	if (i == ARRAY_SIZE(keys) && slash)
		memmove(name, slash + 1, strlen(slash));
	if (*name)
		return name;
	free(name);
	return strdup("unknown");
}

/* A newline is never in a JSON string, so what indents a line is nothing: half the file. */
static void drop_indent(struct text *t)
{
	size_t from, to = 0;

	for (from = 0; from < t->len; from++) {
		t->s[to++] = t->s[from];
		if (t->s[from] == '\n')
			from += strspn(t->s + from + 1, " ");
	}
	t->len = to;
}

static char *load_json(const char *dir, json_t **json)
{
	char *path = format("%s/meta.json", dir), *why = NULL, buf[1 << 14];
	FILE *file = fopen(path, "re");
	struct text t = { 0 };
	json_error_t err;
	size_t n;

	*json = NULL;
	while (file && (n = fread(buf, 1, sizeof(buf), file)))
		text_put(&t, buf, n);
	if (!file || ferror(file))
		why = format("meta.json: %s", strerror(errno));
	drop_indent(&t);
	if (!why)
		*json = json_loadb(t.s ?: "", t.len, 0, &err);
	if (!why && !*json)
		why = format("meta.json: %s", err.text);
	if (file)
		fclose(file);
	text_free(&t);
	free(path);
	return why;
}

static char *read_meta(struct folder *f)
{
	char *why = load_json(f->rec.dir, &f->meta);

	if (!why && !json_is_integer(json_object_get(f->meta, "exit_code")))
		why = strdup("the run did not end");
	return why;
}

static void insert_run(struct folder *f, const char *stamp)
{
	char *machine = meta_string(f->meta, "machine"), *kernel = kernel_name(f->meta),
		*release = meta_string(f->meta, "release"), *append = meta_string(f->meta, "append"),
		*started = meta_string(f->meta, "date"), *commit = meta_string(f->meta, "commit");
	const json_t *code = json_object_get(f->meta, "exit_code");

	f->rec.run = store_do(f->rec.store, "INSERT INTO run (folder, stamp, machine, kernel, release, commit_hash, append, "
		"started, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", "ssssssssd", f->rec.dir, stamp,
		*machine ? machine : "unknown", kernel, release, commit, append, started,
		json_number_value(json_object_get(f->meta, "seconds")));
	if (json_is_integer(code))
		store_do(f->rec.store, "UPDATE run SET exit_code = ? WHERE id = ?", "ii",
			 (long)json_integer_value(code), f->rec.run);
	free(machine);
	free(kernel);
	free(release);
	free(commit);
	free(append);
	free(started);
}

/* --- the folder ------------------------------------------------------------- */

/* Nothing of this run counts: who knows what the trouble has touched? */
static void spoil(struct folder *f, const char *why)
{
	store_do(f->rec.store, "UPDATE run SET trouble = ? WHERE id = ?", "si", why, f->rec.run);
	store_do(f->rec.store, "UPDATE result SET reason = ? || ' (it was: ' || verdict || ')', verdict = 'error' "
		 "WHERE test_id IN (SELECT id FROM test WHERE run_id = ?)", "si", why, f->rec.run);
	store_do(f->rec.store, "UPDATE test SET reason = ?, verdict = 'error' WHERE run_id = ?", "si", why, f->rec.run);
	record_problem(&f->rec, 0, why);
}

/* run_tests.sh and its record must not tell two stories. */
static void compare_exit_code(struct folder *f)
{
	long bad = store_number(f->rec.store, "SELECT count(*) FROM outcome WHERE run_id = ? "
				"AND verdict NOT IN ('pass', 'skip')", "i", f->rec.run);
	json_int_t code = json_integer_value(json_object_get(f->meta, "exit_code"));

	if (!code && bad)
		record_problem(&f->rec, 0, "meta.json says that all passed, ktap does not");
	if (code && code != EXIT_NOTHING && !bad)
		record_problem(&f->rec, 0, "meta.json says that something failed, ktap does not");
}

/* Why a job of the nightly run has no result; NULL when this is none. */
static char *read_infra(const char *dir)
{
	char *path = format("%s/infra", dir), words[300] = "";
	FILE *file = fopen(path, "re");
	struct text t = { 0 };

	free(path);
	if (!file)
		return NULL;
	if (!fgets(words, sizeof(words), file) || *words == '\n')
		text_printf(&t, "no result, and no word of why");
	fclose(file);
	text_put_clean(&t, words, strcspn(words, "\n"));
	return t.s;
}

/* What <kernel>@<machine>, the job's name, tells. */
static json_t *meta_of_job(const char *dir)
{
	const char *name = strrchr(dir, '/') + 1, *at = strrchr(name, '@');

	if (!at)
		return json_object();
	return json_pack("{s:s%, s:s}", "kernel_name", name, at - name, "machine", at + 1);
}

static bool exists(const char *dir, const char *name, struct stat *st)
{
	char *path = format("%s/%s", dir, name);
	int ret = stat(path, st);

	free(path);
	return !ret && S_ISREG(st->st_mode);
}

/* Others call a file meta.json, too: without ktap it is looked into. */
static bool is_ours(const char *dir)
{
	json_t *meta;
	char *why = load_json(dir, &meta);
	bool ours = !meta || json_object_get(meta, "machine");

	json_decref(meta);
	free(why);
	return ours;
}

/* NULL when @dir is no result folder. */
static char *stamp_of(const char *dir)
{
	static const char * const names[] = { "infra", "ktap", "meta.json" };
	struct text stamp = { 0 };
	struct stat st;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!exists(dir, names[i], &st) || (i == 2 && !stamp.s && !is_ours(dir)))
			continue;
		text_printf(&stamp, "%s %lld@%lld.%09ld ", names[i], (long long)st.st_size,
			    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	}
	return stamp.s;
}

static void read_folder(struct store *s, const char *dir, const char *stamp)
{
	struct folder f = { .rec = { .store = s, .dir = dir } };
	char *trouble = read_infra(dir), *why = NULL;

	store_do(s, "DELETE FROM run WHERE folder = ?", "s", dir);
	if (trouble) {
		f.meta = meta_of_job(dir);
		insert_run(&f, stamp);
	} else {
		trouble = read_meta(&f);
		insert_run(&f, stamp);
		why = record_read(&f.rec);
	}
	if (!trouble) {
		trouble = why;
		why = NULL;
	}
	if (trouble)
		spoil(&f, trouble);
	else
		compare_exit_code(&f);
	json_decref(f.meta);
	free(trouble);
	free(why);
}

static bool collect_one(struct store *s, const char *dir)
{
	char *stamp = stamp_of(dir), *real;
	struct text clean = { 0 };

	if (!stamp)
		return false;
	real = realpath(dir, NULL);
	if (!real)
		die(EXIT_OURS, "%s: %s", dir, strerror(errno));
	text_put_clean(&clean, real, strlen(real));
	if (strcmp(clean.s, real))
		die(EXIT_USAGE, "%s: a path that is no UTF-8: rename it", clean.s);
	if (!store_number(s, "SELECT count(*) FROM run WHERE folder = ? AND stamp = ?", "ss", real, stamp))
		read_folder(s, real, stamp);
	store_do(s, "INSERT INTO now SELECT id FROM run WHERE folder = ? ON CONFLICT DO NOTHING", "s", real);
	text_free(&clean);
	free(stamp);
	free(real);
	return true;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* What never came to an end is no result once its folder is gone, as a nightly run's pending/ is. */
static void forget_gone(struct store *s)
{
	sqlite3_stmt *q = store_query(s, "SELECT id, folder FROM run WHERE exit_code IS NULL", "");

	while (store_next(s, q)) {
		if (access(store_text(q, 1), F_OK) && errno == ENOENT)
			store_do(s, "DELETE FROM run WHERE id = ?", "i", (long)sqlite3_column_int64(q, 0));
	}
}

/* A nightly run's incoming/ is what it has not collected yet. */
static bool is_incoming(const FTSENT *e)
{
	char *plan = format("%s/../plan.json", e->fts_path);
	bool ret = !strcmp(e->fts_name, "incoming") && !access(plan, F_OK);

	free(plan);
	return ret;
}

static unsigned long collect_below(struct store *s, const char *dir)
{
	char *const dirs[] = { (char *)dir, NULL };
	unsigned long n = 0;
	FTSENT *e;
	FTS *fts;

	fts = fts_open(dirs, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	if (!fts)
		die(EXIT_OURS, "%s: %s", dir, strerror(errno));
	while ((e = fts_read(fts))) {
		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR)
			die(EXIT_OURS, "%s: %s", e->fts_path, strerror(e->fts_errno));
		if (e->fts_info != FTS_D)
			continue;
		if (is_incoming(e))
			fts_set(fts, e, FTS_SKIP);
		else
			n += collect_one(s, e->fts_path);
	}
	fts_close(fts);
	return n;
}

unsigned long folders_collect(struct store *s, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	unsigned long n;
	struct stat st;
	char *dir;

	forget_gone(s);
	if (stat(path, &st))
		die(EXIT_USAGE, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return collect_below(s, path);
	if (strcmp(name, "ktap"))
		die(EXIT_USAGE, "%s is no folder: want one with meta.json and ktap, one above it, or that ktap", path);
	dir = slash ? format("%.*s", (int)(slash - path) ?: 1, path) : strdup(".");
	n = collect_one(s, dir);
	free(dir);
	return n;
}
