// SPDX-License-Identifier: GPL-2.0-only
/*
 * Formatted output to the console, see guest/include/stdio.h.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "guest.h"

const char *console_prefix = "";

static void console_put(char c)
{
	static bool in_line;
	const char *p;

	for (p = console_prefix; !in_line && *p; p++)
		console_putc(*p);
	console_putc(c);
	in_line = c != '\n';
}

/* Where characters go: a buffer, or the console where there is none. */
struct sink {
	char *buffer;
	size_t size, n;
};

static void put(struct sink *s, char c)
{
	if (!s->buffer)
		console_put(c);
	else if (s->n + 1 < s->size)
		s->buffer[s->n] = c;
	s->n++;
}

struct spec {
	bool alternate, zero, left;
	int width, precision;
};

static void put_padded(struct sink *s, const struct spec *spec, const char *prefix, const char *text, int len)
{
	int pad = spec->width - len - (int)strlen(prefix);

	for (; pad > 0 && !spec->left && !spec->zero; pad--)
		put(s, ' ');
	while (*prefix)
		put(s, *prefix++);
	for (; pad > 0 && !spec->left; pad--)
		put(s, '0');
	while (len--)
		put(s, *text++);
	for (; pad > 0; pad--)
		put(s, ' ');
}

static void put_number(struct sink *s, const struct spec *spec, const char *sign, unsigned long long n,
		       unsigned int base, bool upper)
{
	char digits[24], *d = digits + sizeof(digits);

	do {
		*--d = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[n % base];
		n /= base;
	} while (n);
	put_padded(s, spec, sign, d, digits + sizeof(digits) - d);
}

static int number(const char **fmt, va_list *ap)
{
	int n = 0;

	if (**fmt == '*') {
		++*fmt;
		return va_arg(*ap, int);
	}
	while (**fmt >= '0' && **fmt <= '9')
		n = n * 10 + *(*fmt)++ - '0';
	return n;
}

static void format(struct sink *s, const char *fmt, va_list *ap)
{
	for (; *fmt; fmt++) {
		struct spec spec = { .precision = -1 };
		unsigned long long n;
		const char *text;
		bool wide = false;
		char c;

		if (*fmt != '%') {
			put(s, *fmt);
			continue;
		}
		for (fmt++; strchr("#0-", *fmt); fmt++) {
			spec.alternate |= *fmt == '#';
			spec.zero |= *fmt == '0';
			spec.left |= *fmt == '-';
		}
		spec.width = number(&fmt, ap);
		if (*fmt == '.') {
			fmt++;
			spec.precision = number(&fmt, ap);
		}
		for (; *fmt == 'l' || *fmt == 'z'; fmt++)
			wide = true;
		switch (*fmt) {
		case 'd':
		case 'i':
			n = wide ? va_arg(*ap, long) : va_arg(*ap, int);
			if ((long long)n < 0)
				put_number(s, &spec, "-", -n, 10, false);
			else
				put_number(s, &spec, "", n, 10, false);
			break;
		case 'p':
			wide = true;
			spec.alternate = true;
			fallthrough;
		case 'u':
		case 'x':
		case 'X':
			n = wide ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned int);
			put_number(s, &spec, spec.alternate && n ? "0x" : "", n, *fmt == 'u' ? 10 : 16, *fmt == 'X');
			break;
		case 'c':
			c = va_arg(*ap, int);
			put_padded(s, &spec, "", &c, 1);
			break;
		case 's':
			text = va_arg(*ap, const char *);
			n = strlen(text);
			if (spec.precision >= 0 && n > (unsigned int)spec.precision)
				n = spec.precision;
			put_padded(s, &spec, "", text, n);
			break;
		default:
			put(s, *fmt);
		}
	}
}

int vsnprintf(char *buffer, size_t size, const char *fmt, va_list ap)
{
	struct sink s = { .buffer = buffer, .size = size };
	va_list copy;

	va_copy(copy, ap);
	format(&s, fmt, &copy);
	va_end(copy);
	if (size)
		buffer[s.n < size ? s.n : size - 1] = '\0';
	return s.n;
}

int snprintf(char *buffer, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buffer, size, fmt, ap);
	va_end(ap);
	return n;
}

int fprintf(FILE *out, const char *fmt, ...)
{
	struct sink s = { 0 };
	va_list ap;

	va_start(ap, fmt);
	format(&s, fmt, &ap);
	va_end(ap);
	return s.n;
}

int fputs(const char *s, FILE *out)
{
	while (*s)
		console_put(*s++);
	return 0;
}

int putc(int c, FILE *out)
{
	console_put(c);
	return c;
}

int fflush(FILE *out)
{
	return 0;
}
