// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one line of KTAP says, see include/ktap_line.h.
 */
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "ktap_line.h"
#include "util.h"

struct span {
	const char *at, *end;
};

static bool take(struct span *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len))
		return false;
	s->at += len;
	return true;
}

static void take_blanks(struct span *s)
{
	while (s->at < s->end && *s->at == ' ')
		s->at++;
}

static bool take_number(struct span *s, unsigned long *number)
{
	const char *first = s->at;

	*number = 0;
	for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++)
		*number = s->at - first < 9 ? *number * 10 + (*s->at - '0') : ULONG_MAX;
	return s->at > first;
}

/* One of the format's words; SKIP and TODO are TAP's, which does not mind their case. */
static bool take_directive(struct span *s, const char *word, bool any_case)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->at) < len ||
	    (any_case ? strncasecmp(s->at, word, len) : memcmp(s->at, word, len)))
		return false;
	if (s->at + len < s->end && s->at[len] != ' ' && s->at[len] != ':')
		return false;
	s->at += len;
	if (s->at < s->end && *s->at == ':')
		s->at++;
	take_blanks(s);
	return true;
}

/* How lib/ktap.c writes the verdicts that KTAP has no word for. */
static enum verdict error_verdict(struct span *s)
{
	if (take(s, "crash: "))
		return VERDICT_CRASH;
	return take(s, "missing: ") ? VERDICT_MISSING : VERDICT_ERROR;
}

static enum verdict directive(struct span *s, bool ok)
{
	if (s->at == s->end)
		return ok ? VERDICT_PASS : VERDICT_FAIL;
	if (take_directive(s, "SKIP", true) || take_directive(s, "TODO", true) ||
	    take_directive(s, "XFAIL", false))
		return VERDICT_SKIP;
	if (take_directive(s, "TIMEOUT", false))
		return VERDICT_TIMEOUT;
	if (take_directive(s, "ERROR", false))
		return error_verdict(s);
	return ok ? VERDICT_PASS : VERDICT_FAIL;
}

static const char *without_blanks(const char *at, const char *end)
{
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return end;
}

/* The '#' behind the name, or the end. */
static const char *find_hash(const struct span *s)
{
	const char *hash = s->at;

	while ((hash = memchr(hash, '#', s->end - hash))) {
		if (hash == s->at || hash[-1] == ' ' || hash[-1] == '\t')
			return hash;
		hash++;
	}
	return s->end;
}

static void set_reason(struct ktap_line *l, struct span *s)
{
	l->reason = s->at;
	l->reason_len = without_blanks(s->at, s->end) - s->at;
}

/* Behind "ok ". */
static void parse_result(struct ktap_line *l, struct span *s)
{
	const char *hash;

	take_blanks(s);
	if (!take_number(s, &l->number) || (s->at < s->end && *s->at != ' '))
		return;
	l->kind = KTAP_RESULT;
	take_blanks(s);
	if (take(s, "- "))
		take_blanks(s);
	hash = find_hash(s);
	l->name = s->at;
	l->name_len = without_blanks(s->at, hash) - s->at;
	s->at = hash < s->end ? hash + 1 : s->end;
	take_blanks(s);
	l->verdict = directive(s, l->ok);
	set_reason(l, s);
}

/* Behind "1..". */
static void parse_plan(struct ktap_line *l, struct span *s)
{
	if (!take_number(s, &l->number) || (s->at < s->end && *s->at != ' '))
		return;
	l->kind = KTAP_PLAN;
	take_blanks(s);
	if (take(s, "#")) {
		take_blanks(s);
		l->verdict = directive(s, true);
		set_reason(l, s);
	}
}

void ktap_parse_line(struct ktap_line *l, const char *line, size_t len)
{
	struct span s = { line, line + len };

	memset(l, 0, sizeof(*l));
	if (len && line[len - 1] == '\r')
		s.end--;
	take_blanks(&s);
	l->indent = s.at - line;
	if (s.at == s.end)
		return;
	switch (*s.at) {
	case '#':
		s.at++;
		if (s.at < s.end && *s.at == ' ')
			s.at++;
		l->kind = KTAP_COMMENT;
		l->reason = s.at;
		l->reason_len = s.end - s.at;
		break;
	case 'o':
	case 'n':
		l->ok = !take(&s, "not ");
		if (take(&s, "ok "))
			parse_result(l, &s);
		break;
	case '1':
		if (take(&s, "1.."))
			parse_plan(l, &s);
		break;
	case 'K':
	case 'T':
		if (take(&s, "KTAP version ") || take(&s, "TAP version "))
			l->kind = KTAP_VERSION;
		break;
	case 'B':
		if (take(&s, "Bail out!"))
			l->kind = KTAP_BAIL_OUT;
		break;
	}
}
