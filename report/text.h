/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text from logs and from test names: what is kept of it, and how it is written into
 * each kind of file.  All that goes into the store is clean, so that nothing that comes
 * out of it has to be looked at again but for the marks of the file that it goes into.
 */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include <stddef.h>
#include <stdio.h>

#include "../include/format.h"

/* A string that grows; zero is the empty one.  @s is NULL, or ends with a NUL. */
struct text {
	char *s;
	size_t len, size;
};

void text_put(struct text *t, const char *s, size_t len);
void text_printf(struct text *t, const char *fmt, ...) __printf(2, 3);
void text_clear(struct text *t);
void text_free(struct text *t);

/*
 * Appends what can be in a UTF-8 file of any kind: what is no UTF-8, and what XML does not
 * allow, becomes U+FFFD; tab and newline stay, colours of a terminal go.
 */
void text_put_clean(struct text *t, const char *s, size_t len);

/* For HTML and XML, in text and between double quotes. */
void put_escaped(FILE *out, const char *s);

/* For a link: each part of the path as a browser wants it. */
void put_url(FILE *out, const char *path);

#endif /* REPORT_TEXT_H */
