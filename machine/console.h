/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine's console: kept in a file, and searched for a kernel in trouble.
 */
#ifndef MACHINE_CONSOLE_H
#define MACHINE_CONSOLE_H

#include <stdbool.h>
#include <stdio.h>

#include "lines.h"

#define CONSOLE_TAIL	12

struct console {
	FILE *log;
	struct lines lines;
	char dead[256];		/* first line of a panic or an oops; empty: none */
	char splat[256];	/* first line of a warning since console_forgive() */
	char complaint[256];	/* why init cannot serve */
	char tail[CONSOLE_TAIL][256];
	unsigned int nr_tail;
};

/* @log stays open between boots. */
void console_begin(struct console *c, FILE *log);

void console_feed(struct console *c, const char *data, size_t len);
void console_end(struct console *c);

/* Warnings seen so far belong to nobody, or to a test that has ended. */
void console_forgive(struct console *c);

/* Calls @fn for the last lines, oldest first. */
void console_tail(const struct console *c, void (*fn)(const char *line, void *arg), void *arg);

#endif /* MACHINE_CONSOLE_H */
