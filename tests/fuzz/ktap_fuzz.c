// SPDX-License-Identifier: GPL-2.0-only
/*
 * The KTAP reader on any bytes (libFuzzer): it tells the same whether they come at once or
 * in pieces, and no result is a pass above a subtest in which something was amiss.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../report/ktap_read.h"

struct witness {
	uint64_t hash;
	bool amiss[KTAP_MAX_DEPTH + 1];		/* of the documents that are open */
};

static void mix(struct witness *w, const void *data, size_t len)
{
	const unsigned char *s = data;

	while (len--)
		w->hash = (w->hash ^ *s++) * 0x100000001b3;
}

static void forget_below(struct witness *w, unsigned int level)
{
	while (++level <= KTAP_MAX_DEPTH)
		w->amiss[level] = false;
}

static void on_begin(void *arg, unsigned int level)
{
	struct witness *w = arg;

	mix(w, &level, sizeof(level));
	if (level >= KTAP_MAX_DEPTH)
		abort();
	forget_below(w, level);
}

static void on_result(void *arg, const struct ktap_result *r)
{
	struct witness *w = arg;

	mix(w, &r->level, sizeof(r->level));
	mix(w, &r->verdict, sizeof(r->verdict));
	mix(w, r->name, r->name_len);
	mix(w, r->reason, r->reason_len);
	if (r->parent && r->verdict == VERDICT_PASS && w->amiss[r->level + 1])
		abort();
	forget_below(w, r->level);
	if (r->verdict != VERDICT_PASS && r->verdict != VERDICT_SKIP)
		w->amiss[r->level] = true;
	if (r->name_len > KTAP_MAX_LINE || r->reason_len > KTAP_MAX_LINE)
		abort();
}

static void on_missing(void *arg, unsigned int level, unsigned long first, unsigned long last)
{
	struct witness *w = arg;

	mix(w, &first, sizeof(first));
	mix(w, &last, sizeof(last));
	if (first > last || !first)
		abort();
	w->amiss[level] = true;
}

static void on_comment(void *arg, const char *text, size_t len)
{
	mix(arg, text, len);
}

static void on_problem(void *arg, unsigned long line, const char *text)
{
	mix(arg, &line, sizeof(line));
	mix(arg, text, strlen(text));
}

static uint64_t read_pieces(const uint8_t *data, size_t len, size_t piece)
{
	static const struct ktap_events events = { on_begin, on_result, on_missing, on_comment, on_problem };
	static struct ktap_reader r;
	struct witness w = { 0 };
	size_t n;

	ktap_read_begin(&r, &events, &w);
	for (; len; len -= n, data += n) {
		/* A copy, so that a look beyond its end is seen. */
		char *copy;

		n = len < piece ? len : piece;
		copy = malloc(n);
		if (!copy)
			abort();
		memcpy(copy, data, n);
		ktap_read(&r, copy, n);
		free(copy);
	}
	ktap_read_end(&r);
	return w.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint64_t whole = read_pieces(data, len, len);

	if (len && read_pieces(data, len, 1 + data[0] % 64) != whole)
		abort();
	return 0;
}
