// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines out of a stream, see lines.h.
 */
#include <stdio.h>

#include "lines.h"

static void flush_line(struct lines *l, void (*fn)(char *line, void *arg), void *arg)
{
	snprintf(l->buf + l->len, sizeof(l->buf) - l->len, "%s", l->cut ? " [line cut]" : "");
	l->len = 0;
	l->cut = false;
	fn(l->buf, arg);
}

void lines_feed(struct lines *l, const char *data, size_t len, void (*fn)(char *line, void *arg), void *arg)
{
	for (; len; len--, data++) {
		if (*data == '\n')
			flush_line(l, fn, arg);
		else if (l->len == LINE_MAX_LEN)
			l->cut = true;
		else
			l->buf[l->len++] = *data ? *data : ' ';
	}
}

void lines_end(struct lines *l, void (*fn)(char *line, void *arg), void *arg)
{
	if (l->len)
		flush_line(l, fn, arg);
}
