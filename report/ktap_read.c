// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads a KTAP document, see ktap_read.h.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ktap_read.h"
#include "../include/ktap_line.h"
#include "../include/util.h"

static struct ktap_group *innermost(struct ktap_reader *r)
{
	return r->depth ? &r->groups[r->depth - 1] : NULL;
}

/* The innermost subtest is no pass any more. */
static void __printf(2, 3) problem(struct ktap_reader *r, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r->depth)
		innermost(r)->damaged = true;
	r->events->problem(r->arg, r->line, text);
}

static void count(struct ktap_group *g, enum verdict v)
{
	g->passed += v == VERDICT_PASS;
	g->skipped += v == VERDICT_SKIP;
	g->failed += v != VERDICT_PASS && v != VERDICT_SKIP;
}

static void missing(struct ktap_reader *r, unsigned long first, unsigned long last)
{
	if (first == last)
		problem(r, "result %lu is missing", first);
	else
		problem(r, "results %lu to %lu are missing", first, last);
	r->events->missing(r->arg, r->depth - 1, first, last);
}

/* The innermost document is over; its summary is left in @ended. */
static void close_group(struct ktap_reader *r, struct ktap_group *ended)
{
	struct ktap_group *g = innermost(r);

	if (!g->planned)
		problem(r, "no plan: nothing tells whether all results came");
	else if (g->done < g->plan)
		missing(r, g->done + 1, g->plan);
	else if (!g->plan && !g->skip_all)
		problem(r, "a plan of nothing, without a reason");
	*ended = *g;
	r->depth--;
	/* Damage is not forgotten, wherever the document goes on. */
	if (ended->damaged && r->depth)
		innermost(r)->damaged = true;
}

/* Ends what is open at @indent or deeper; only a result line at @indent ends it properly. */
static void close_unended(struct ktap_reader *r, unsigned int indent)
{
	struct ktap_group ended;

	while (r->depth && innermost(r)->indent >= indent) {
		problem(r, r->depth > 1 ? "a subtest has no result of its own" : "a second document");
		close_group(r, &ended);
		if (r->depth)
			innermost(r)->orphan = true;
	}
}

static void on_version(struct ktap_reader *r, const struct ktap_line *l)
{
	close_unended(r, l->indent);
	if (r->depth == KTAP_MAX_DEPTH) {
		problem(r, "nested deeper than %d", KTAP_MAX_DEPTH);
		innermost(r)->orphan = true;
		return;
	}
	memset(&r->groups[r->depth], 0, sizeof(r->groups[0]));
	r->groups[r->depth].indent = l->indent;
	r->events->begin(r->arg, r->depth);
	r->depth++;
}

static void on_plan(struct ktap_reader *r, const struct ktap_line *l)
{
	struct ktap_group *g = innermost(r);

	if (!g || g->indent != l->indent) {
		problem(r, "a plan without a version line");
		return;
	}
	if (g->planned) {
		problem(r, "a second plan");
		return;
	}
	g->planned = true;
	g->plan = l->number;
	g->skip_all = !l->number && l->verdict == VERDICT_SKIP;
	if (l->number == ULONG_MAX || g->done > g->plan)
		problem(r, "the plan is wrong");
}

/* It is no pass, and no skip. */
static void spoil(struct ktap_result *res, const char *why)
{
	if (res->verdict != VERDICT_PASS && res->verdict != VERDICT_SKIP)
		return;
	res->verdict = VERDICT_ERROR;
	res->reason = why;
	res->reason_len = strlen(why);
}

/* What the subtests say of the result that sums them up. */
static void judge_parent(struct ktap_reader *r, struct ktap_result *res, const struct ktap_group *sub)
{
	static const char failed[] = "a subtest failed", skipped[] = "every subtest was skipped";

	if (res->verdict != VERDICT_PASS && res->verdict != VERDICT_SKIP)
		return;
	if (sub->failed) {
		problem(r, "a subtest failed, and the result above it is ok");
		res->verdict = VERDICT_FAIL;
		res->reason = failed;
		res->reason_len = sizeof(failed) - 1;
	} else if (sub->damaged) {
		spoil(res, "its record is damaged");
	} else if (res->verdict == VERDICT_PASS && !sub->passed) {
		res->verdict = VERDICT_SKIP;
		res->reason = skipped;
		res->reason_len = sizeof(skipped) - 1;
	}
}

/* A result's number must be the next one. */
static void check_number(struct ktap_reader *r, struct ktap_result *res)
{
	struct ktap_group *g = innermost(r);

	if (g->planned && res->number > g->plan) {
		problem(r, "result %lu of a plan of %lu", res->number, g->plan);
		spoil(res, "it is not in the plan");
	} else if (res->number <= g->done) {
		problem(r, "result %lu after %lu", res->number, g->done);
		spoil(res, "it is numbered wrongly");
	} else {
		if (res->number > g->done + 1)
			missing(r, g->done + 1, res->number - 1);
		g->done = res->number;
	}
}

static void check_text(struct ktap_reader *r, struct ktap_result *res)
{
	if (r->cut) {
		problem(r, "a result of more than %d bytes", KTAP_MAX_LINE);
		spoil(res, "its line is too long");
	}
	if (memchr(res->name, '\0', res->name_len) || memchr(res->reason, '\0', res->reason_len)) {
		problem(r, "a result with a NUL in it");
		spoil(res, "its line has a NUL in it");
	}
	if (!res->name_len) {
		problem(r, "a result without a name");
		spoil(res, "it has no name");
	}
}

static bool is_open(const struct ktap_reader *r, unsigned int indent)
{
	unsigned int i;

	for (i = 0; i < r->depth; i++) {
		if (r->groups[i].indent == indent)
			return true;
	}
	return false;
}

static void on_result(struct ktap_reader *r, const struct ktap_line *l)
{
	struct ktap_result res = {
		.verdict = l->verdict, .number = l->number,
		.name = l->name, .name_len = l->name_len,
		.reason = l->reason, .reason_len = l->reason_len,
	};
	struct ktap_group sub;

	if (!is_open(r, l->indent)) {
		problem(r, "a result without a version line");
		return;
	}
	while (innermost(r)->indent > l->indent) {
		if (r->groups[r->depth - 2].indent > l->indent)
			problem(r, "a subtest has no result of its own");
		close_group(r, &sub);
		res.parent = true;
	}
	res.level = r->depth - 1;
	if (res.parent)
		judge_parent(r, &res, &sub);
	if (innermost(r)->orphan)
		spoil(&res, "its record is damaged");
	innermost(r)->orphan = false;
	check_text(r, &res);
	check_number(r, &res);
	count(innermost(r), res.verdict);
	r->events->result(r->arg, &res);
}

static void on_line(struct ktap_reader *r, const char *line, size_t len)
{
	struct ktap_line l;

	r->line++;
	ktap_parse_line(&l, line, len);
	switch (l.kind) {
	case KTAP_COMMENT:
		r->events->comment(r->arg, l.reason, l.reason_len);
		break;
	case KTAP_RESULT:
		on_result(r, &l);
		break;
	case KTAP_PLAN:
		on_plan(r, &l);
		break;
	case KTAP_VERSION:
		on_version(r, &l);
		break;
	case KTAP_BAIL_OUT:
		problem(r, "Bail out!");
		break;
	case KTAP_OTHER:
		/* They may be there, and may be what is left of a result. */
		if (!r->unknown++)
			r->first_unknown = r->line;
		break;
	}
}

/* A piece of a line without its newline: as much as there is room for is kept. */
static void keep(struct ktap_reader *r, const char *data, size_t len)
{
	size_t room = sizeof(r->part) - r->part_len;

	r->cut |= len > room;
	if (len > room)
		len = room;
	memcpy(r->part + r->part_len, data, len);
	r->part_len += len;
}

void ktap_read_begin(struct ktap_reader *r, const struct ktap_events *events, void *arg)
{
	memset(r, 0, sizeof(*r));
	r->events = events;
	r->arg = arg;
}

void ktap_read(struct ktap_reader *r, const char *data, size_t len)
{
	const char *end = data + len, *newline;

	while ((newline = memchr(data, '\n', end - data))) {
		if (!r->part_len && newline - data <= KTAP_MAX_LINE) {
			on_line(r, data, newline - data);
		} else {
			keep(r, data, newline - data);
			on_line(r, r->part, r->part_len);
			r->part_len = 0;
			r->cut = false;
		}
		data = newline + 1;
	}
	keep(r, data, end - data);
}

void ktap_read_end(struct ktap_reader *r)
{
	struct ktap_group ended;
	char text[100];

	/* Half a result may be a pass whose "# SKIP" is lost: it is no result. */
	if (r->part_len)
		problem(r, "the file ends in the middle of a line");
	if (!r->line)
		problem(r, "the file is empty");
	else if (!r->depth)
		problem(r, "no version line: this is no KTAP");
	while (r->depth) {
		if (r->depth > 1)
			problem(r, "the file ends in the middle of a subtest");
		close_group(r, &ended);
	}
	if (r->unknown) {
		snprintf(text, sizeof(text), "%lu line%s no KTAP", r->unknown, r->unknown == 1 ? " is" : "s are");
		r->events->problem(r->arg, r->first_unknown, text);
	}
}
