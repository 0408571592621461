// SPDX-License-Identifier: GPL-2.0-only
/*
 * What has become of known results.
 *
 * A case that was known to fail now and then is flaky; how often it failed tells how
 * often it may.  Only what can hardly be chance any more is called by another name.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "die.h"
#include "text.h"

/* A chance that is none: one false alarm in a thousand flaky cases. */
#define UNLIKELY	0.001

static const char * const names[NR_CHANGES] = {
	[CHANGE_NONE]	= "as before",
	[NEW_FAILURE]	= "new failure",
	[LOST]		= "lost",
	[FIXED]		= "fixed",
	[STILL_FAILING]	= "still failing",
	[FLAKY]		= "flaky",
	[NOT_RUN]	= "not run",
};

const char *change_name(enum change c)
{
	return names[c];
}

static unsigned int ran(const struct tally *t)
{
	return t->pass + t->fail;
}

/* The chance of @least or more of @n, at @rate each. */
static double chance(unsigned int least, unsigned int n, double rate)
{
	double sum = 0;
	unsigned int k;

	for (k = least; k <= n; k++)
		sum += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) +
			   k * log(rate) + (n - k) * log1p(-rate));
	return sum;
}

/* How often it happens, as far as @n tries can tell: not never, and not always. */
static double rate(unsigned int times, unsigned int n)
{
	return (times + 1.0) / (n + 2.0);
}

static enum change when_it_did_not_run(const struct tally *before, const struct tally *now)
{
	unsigned int not = now->skip + now->missing, seen;

	if (!not)
		return NOT_RUN;
	if (before && ran(before)) {
		seen = before->skip + before->missing;
		if (seen && chance(not, not, rate(seen, ran(before) + seen)) >= UNLIKELY)
			return FLAKY;
		return LOST;
	}
	if (!now->missing)
		return CHANGE_NONE;
	return before && before->missing ? STILL_FAILING : NEW_FAILURE;
}

static enum change when_it_ran(const struct tally *before, const struct tally *now)
{
	double known;

	if (!before || !ran(before) || !before->fail)
		return now->fail ? NEW_FAILURE : CHANGE_NONE;
	if (!before->pass)
		return !now->fail ? FIXED : now->pass ? FLAKY : STILL_FAILING;
	known = rate(before->fail, ran(before));
	if (chance(now->fail, ran(now), known) < UNLIKELY)
		return NEW_FAILURE;
	return !now->fail && chance(now->pass, ran(now), 1 - known) < UNLIKELY ? FIXED : FLAKY;
}

/* --- in words ----------------------------------------------------------------- */

static void put_how(struct text *t, const struct tally *c)
{
	if (ran(c))
		text_printf(t, "%u of %u failed", c->fail, ran(c));
	if (c->skip)
		text_printf(t, "%s%u skipped", ran(c) ? ", " : "", c->skip);
	if (c->missing)
		text_printf(t, "%s%u missing", ran(c) || c->skip ? ", " : "", c->missing);
}

static char *in_words(enum change what, const struct tally *before, const struct tally *now)
{
	struct text t = { 0 };

	text_put(&t, "", 0);
	if (!before)
		text_printf(&t, "not in the baseline");
	else
		put_how(&t, before);
	text_printf(&t, "; now ");
	if (!now) {
		text_printf(&t, what == FIXED ? "it is as its cases are" : "there is no result");
		return t.s;
	}
	if (what == NOT_RUN)
		text_printf(&t, "our own fault");
	else
		put_how(&t, now);
	/* The last reason is of the past where it is fixed. */
	if (what != FIXED && *now->reason)
		text_printf(&t, ": %s", now->reason);
	return t.s;
}

static void add(struct comparison *c, enum change what, const struct tally *before, const struct tally *now,
		const struct tally *place)
{
	c->count[what]++;
	if (what == CHANGE_NONE)
		return;
	c->differences = realloc(c->differences, (c->n + 1) * sizeof(*c->differences));
	if (!c->differences)
		abort();
	c->differences[c->n++] = (struct difference){
		.change = what, .before = before, .now = now, .place = place, .words = in_words(what, before, now),
	};
}

/* --- which results belong together -------------------------------------------- */

static bool in_scope(const struct scope *scope, const struct tally *t)
{
	size_t i;

	for (i = 0; i < scope->nr_only; i++) {
		const char *word = scope->only[i], *dot = strchr(word, '.');
		size_t len = dot ? (size_t)(dot - word) : strlen(word);

		if (!strncmp(word, t->test, len) && !t->test[len] &&
		    (!dot || !*t->name || !strcmp(dot + 1, t->name)))
			return true;
	}
	return !scope->nr_only;
}

/* All tallies of one machine and kernel. */
struct range {
	const struct tally *at, *end;
};

static struct range range_at(const struct tallies *t, const struct tally *at)
{
	struct range r = { at, at };

	while (r.end < t->t + t->n && !strcmp(r.end->machine, at->machine) && !strcmp(r.end->kernel, at->kernel))
		r.end++;
	return r;
}

static bool same_place(const struct tally *a, const struct tally *b)
{
	return !strcmp(a->machine, b->machine) && !strcmp(a->kernel, b->kernel);
}

/*
 * The same kernel; or the only one that the baseline has of this machine, so that a
 * kernel can be compared with the one that it is a change of.
 */
static struct range range_for(const struct tallies *t, const struct tally *now)
{
	struct range r, found = { 0 };
	const struct tally *at;
	unsigned int n = 0;

	for (at = t->t; at < t->t + t->n; at = r.end) {
		r = range_at(t, at);
		if (same_place(at, now))
			return r;
		if (!strcmp(at->machine, now->machine)) {
			found = r;
			n++;
		}
	}
	return n == 1 ? found : (struct range){ 0 };
}

static int by_case(const struct tally *a, const struct tally *b)
{
	return strcmp(a->test, b->test) ?: strcmp(a->name, b->name);
}

/* It is not there; @damaged: nor is the record whole in which it should be. */
static void lose(struct comparison *c, const struct tally *before, const struct tally *place,
		 const struct scope *scope, bool damaged)
{
	if (in_scope(scope, before) && ran(before))
		add(c, damaged ? NOT_RUN : LOST, before, NULL, place);
}

static void judge(struct comparison *c, const struct tally *before, const struct tally *now)
{
	c->ran += ran(now) > 0;
	add(c, ran(now) ? when_it_ran(before, now) : when_it_did_not_run(before, now), before, now, now);
}

/* The test itself, which has no verdict of its own where its cases account for it. */
static bool is_explained(const struct tally *before, struct range now)
{
	return !*before->name && now.at < now.end && !strcmp(before->test, now.at->test);
}

static void compare_range(struct comparison *c, struct range before, struct range now, const struct scope *scope,
			  bool damaged)
{
	const struct tally *place = now.at;

	while (before.at < before.end || now.at < now.end) {
		int order = before.at == before.end ? 1 : now.at == now.end ? -1 : by_case(before.at, now.at);

		if (order < 0 && is_explained(before.at, now))
			add(c, before.at->pass ? CHANGE_NONE : FIXED, before.at, NULL, place);
		else if (order < 0)
			lose(c, before.at, place, scope, damaged);
		else
			judge(c, order ? NULL : before.at, now.at);
		before.at += order <= 0;
		now.at += order >= 0;
	}
}

/* A record of this machine and kernel has a problem. */
static bool is_damaged(struct store *s, const struct tally *at)
{
	return store_number(s, "SELECT count(*) FROM now JOIN run ON run.id = now.run_id JOIN problem "
		"ON problem.run_id = run.id WHERE machine = ? AND kernel = ?", "ss", at->machine, at->kernel);
}

static bool is_there(const struct tallies *now, const struct tallies *before, const struct range *r)
{
	const struct tally *at;
	struct range n;

	for (at = now->t; at < now->t + now->n; at = n.end) {
		n = range_at(now, at);
		if (range_for(before, at).at == r->at)
			return true;
	}
	return false;
}

static int by_change(const void *va, const void *vb)
{
	const struct difference *a = va, *b = vb;

	return (int)a->change - (int)b->change ?: tally_order(a->place, b->place) ?:
		tally_order(a->now ?: a->before, b->now ?: b->before);
}

void compare(struct comparison *c, const char *baseline, struct store *s, const struct scope *scope)
{
	const struct tally *at;
	struct range r;
	bool damaged;

	memset(c, 0, sizeof(*c));
	baseline_read(&c->before, baseline);
	tallies_of_store(&c->now, s);
	for (at = c->now.t; at < c->now.t + c->now.n; at = r.end) {
		r = range_at(&c->now, at);
		compare_range(c, range_for(&c->before, at), r, scope, is_damaged(s, at));
	}
	for (at = c->before.t; at < c->before.t + c->before.n && !scope->partial; at = r.end) {
		r = range_at(&c->before, at);
		if (is_there(&c->now, &c->before, &r))
			continue;
		damaged = is_damaged(s, at);
		for (; at < r.end; at++)
			lose(c, at, at, scope, damaged);
	}
	if (c->n)
		qsort(c->differences, c->n, sizeof(*c->differences), by_change);
	c->damaged = store_number(s, "SELECT count(DISTINCT run_id) FROM problem WHERE run_id IN (SELECT run_id FROM now)",
				  "");
}

void comparison_print(FILE *out, const struct comparison *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		const struct difference *d = &c->differences[i];
		const struct tally *t = d->now ?: d->before;

		fprintf(out, "%s: %s%s%s on %s (%s): %s\n", change_name(d->change), t->test, *t->name ? "." : "",
			t->name, d->place->kernel, d->place->machine, d->words);
	}
	fprintf(out, "baseline: %u new failure%s, %u lost, %u fixed, %u still failing, %u flaky, %u as before, %u not run",
		c->count[NEW_FAILURE], c->count[NEW_FAILURE] == 1 ? "" : "s", c->count[LOST], c->count[FIXED],
		c->count[STILL_FAILING], c->count[FLAKY], c->count[CHANGE_NONE], c->count[NOT_RUN]);
	if (c->damaged)
		fprintf(out, ", %lu damaged record%s", c->damaged, c->damaged == 1 ? "" : "s");
	fprintf(out, "\n");
}

int comparison_code(const struct comparison *c)
{
	if (c->count[NEW_FAILURE] || c->count[LOST])
		return EXIT_FAILED;
	if (c->count[NOT_RUN] || c->damaged)
		return EXIT_OURS;
	return c->ran ? 0 : EXIT_NOTHING;
}

void comparison_free(struct comparison *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		free(c->differences[i].words);
	free(c->differences);
	tallies_free(&c->before);
	tallies_free(&c->now);
}
