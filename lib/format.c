// SPDX-License-Identifier: GPL-2.0-only
/*
 * Strings that are made as printf() would print them, see include/format.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "format.h"

char *format(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	return s;
}
