/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cuts a stream of bytes into lines of bounded length.
 */
#ifndef MACHINE_LINES_H
#define MACHINE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_MAX_LEN	4096		/* the rest of a longer line is dropped, and said so */

struct lines {
	char buf[LINE_MAX_LEN + 32];
	size_t len;
	bool cut;
};

/* Calls @fn for each complete line, without its newline; NUL bytes become blanks. */
void lines_feed(struct lines *l, const char *data, size_t len, void (*fn)(char *line, void *arg), void *arg);

/* The last line, if the stream ended without a newline. */
void lines_end(struct lines *l, void (*fn)(char *line, void *arg), void *arg);

#endif /* MACHINE_LINES_H */
