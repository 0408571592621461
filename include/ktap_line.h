/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one line of KTAP says (Documentation/dev-tools/ktap.rst), for the runner, which
 * reads what a test prints, and for report/, which reads what the runner has written.
 */
#ifndef KVM_WITNESS_KTAP_LINE_H
#define KVM_WITNESS_KTAP_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "ktap.h"

enum ktap_kind {
	KTAP_OTHER,		/* none of those below: the format allows it */
	KTAP_VERSION,		/* "KTAP version 1"; TAP's 13 and 14 will do */
	KTAP_PLAN,
	KTAP_RESULT,
	KTAP_COMMENT,
	KTAP_BAIL_OUT,		/* TAP's "Bail out!" */
};

/* @name and @reason point into the line, and do not end with a NUL. */
struct ktap_line {
	enum ktap_kind kind;
	unsigned int indent;	/* blanks in front of it */
	bool ok;
	unsigned long number;	/* of the result; of the plan: how many; ULONG_MAX: absurd */
	enum verdict verdict;	/* of a result, and of a plan of nothing: pass or skip */
	const char *name;
	size_t name_len;
	const char *reason;	/* of a comment: its text */
	size_t reason_len;
};

/*
 * Never a pass: "ok" with a SKIP, TIMEOUT or ERROR behind it.  XFAIL and TODO are a
 * skip.  @line is without its newline.
 */
void ktap_parse_line(struct ktap_line *l, const char *line, size_t len);

#endif /* KVM_WITNESS_KTAP_LINE_H */
