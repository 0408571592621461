// SPDX-License-Identifier: GPL-2.0-only
/*
 * See include/fault.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "fault.h"
#include "util.h"

#define ROOT	"/sys/kernel/debug/"
#define NTH	"/proc/thread-self/fail-nth"

static int put(const char *path, uint64_t value)
{
	char text[32];
	int fd, len, ret = 0;

	len = snprintf(text, sizeof(text), "%" PRIu64, value);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != len)
		ret = -errno;
	close(fd);
	return ret;
}

/* Both kinds of allocations, those that may wait for memory too, without a word on the console. */
static const char *put_all(struct fault_range from, struct fault_range but, bool on)
{
	const struct { const char *name; uint64_t value; } settings[] = {
		{ "failslab/require-start", from.start },
		{ "failslab/require-end", from.end },
		{ "failslab/reject-start", but.start },
		{ "failslab/reject-end", but.end },
		{ "failslab/ignore-gfp-wait", !on },
		{ "failslab/verbose", on ? 0 : 2 },
		{ "fail_page_alloc/require-start", from.start },
		{ "fail_page_alloc/require-end", from.end },
		{ "fail_page_alloc/reject-start", but.start },
		{ "fail_page_alloc/reject-end", but.end },
		{ "fail_page_alloc/ignore-gfp-wait", !on },
		{ "fail_page_alloc/min-order", !on },
		{ "fail_page_alloc/verbose", on ? 0 : 2 },
	};
	static char why[256];
	char path[64];
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		snprintf(path, sizeof(path), ROOT "%s", settings[i].name);
		err = put(path, settings[i].value);
		if (!err)
			continue;
		snprintf(why, sizeof(why), "%s: %s (debugfs, FAILSLAB, FAIL_PAGE_ALLOC, FAULT_INJECTION_STACKTRACE_FILTER)",
			 path, strerror(-err));
		return why;
	}
	return NULL;
}

const char *fault_open(struct fault_range from, struct fault_range but)
{
	return put_all(from, but, true);
}

void fault_close(void)
{
	put_all((struct fault_range) { 0, UINT64_MAX }, (struct fault_range) { 0, 0 }, false);
}

void fault_set(unsigned int n)
{
	int err = put(NTH, n);

	if (err)
		case_fail(NTH ": %s", strerror(-err));
}

bool fault_happened(void)
{
	unsigned int left;
	FILE *f;
	int n;

	f = fopen(NTH, "re");
	if (!f)
		case_fail(NTH ": %s", strerror(errno));
	n = fscanf(f, "%u", &left);
	fclose(f);
	if (n != 1)
		case_fail(NTH " has no number");
	return !left;
}
