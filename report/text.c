// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text, clean and escaped, see text.h.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define REPLACEMENT	"\xef\xbf\xbd"

void text_put(struct text *t, const char *s, size_t len)
{
	if (t->len + len + 1 > t->size) {
		t->size = (t->len + len + 1) * 2;
		t->s = realloc(t->s, t->size);
		if (!t->s)
			abort();
	}
	memcpy(t->s + t->len, s, len);
	t->len += len;
	t->s[t->len] = '\0';
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();
	text_put(t, s, len);
	free(s);
}

void text_clear(struct text *t)
{
	t->len = 0;
	if (t->s)
		*t->s = '\0';
}

void text_free(struct text *t)
{
	free(t->s);
	memset(t, 0, sizeof(*t));
}

/* The bytes of the character at @s; 0: it is none that may be kept. */
static size_t character(const unsigned char *s, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf8 ? 4 : 0;
	uint32_t c;
	size_t i;

	if (!n || n > len)
		return 0;
	c = n == 1 ? s[0] : s[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || (c < ' ' && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0) ||
	    (c >= 0xd800 && c < 0xe000) || (c & 0xfffe) == 0xfffe || c > 0x10ffff)
		return 0;
	return n;
}

/* The bytes of a terminal's command like ESC [ 1 m, or 0. */
static size_t escape(const char *s, size_t len)
{
	size_t i;

	if (len < 2 || s[0] != '\033' || s[1] != '[')
		return 0;
	for (i = 2; i < len && i < 16; i++) {
		if (s[i] >= '@' && s[i] <= '~')
			return i + 1;
	}
	return 0;
}

void text_put_clean(struct text *t, const char *s, size_t len)
{
	size_t first = 0, i = 0, n;

	while (i < len) {
		n = character((const unsigned char *)s + i, len - i);
		if (n) {
			i += n;
			continue;
		}
		text_put(t, s + first, i - first);
		n = escape(s + i, len - i);
		if (!n && s[i] != '\r')
			text_put(t, REPLACEMENT, strlen(REPLACEMENT));
		i += n ? n : 1;
		first = i;
	}
	text_put(t, s + first, i - first);
}

void put_escaped(FILE *out, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			putc_unlocked(*s, out);
		}
	}
}

void put_url(FILE *out, const char *path)
{
	for (; *path; path++) {
		if (isalnum((unsigned char)*path) || strchr("/-._~", *path))
			putc(*path, out);
		else
			fprintf(out, "%%%02X", (unsigned char)*path);
	}
}
