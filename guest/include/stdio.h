/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files that guest/ shares with lib/ use of <stdio.h>.  There is one stream,
 * whatever its name: the console.
 */
#ifndef GUEST_STDIO_H
#define GUEST_STDIO_H

#include <stdarg.h>
#include <stddef.h>

#include "../../include/util.h"

typedef struct console FILE;
#define stdout	((FILE *)0)

/* Of the conversions %c %d %i %p %s %u %x %X %%, with '#', '0', '-', width, '*', precision and l, ll, z. */
int vsnprintf(char *buffer, size_t size, const char *fmt, va_list ap);
int __printf(3, 4) snprintf(char *buffer, size_t size, const char *fmt, ...);
int __printf(2, 3) fprintf(FILE *out, const char *fmt, ...);
int fputs(const char *s, FILE *out);
int putc(int c, FILE *out);
int fflush(FILE *out);

#endif /* GUEST_STDIO_H */
