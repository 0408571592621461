// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracepoints by perf, see include/trace.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "case.h"
#include "trace.h"
#include "util.h"

FILE *trace_file(const char *subsystem, const char *event, const char *file)
{
	static const char * const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[256];
	FILE *f = NULL;
	size_t i;

	for (i = 0; !f && i < ARRAY_SIZE(roots); i++) {
		snprintf(path, sizeof(path), "%s/events/%s/%s/%s", roots[i], subsystem, event, file);
		f = fopen(path, "re");
	}
	return f;
}

uint64_t trace_id(const char *subsystem, const char *event)
{
	FILE *f = trace_file(subsystem, event, "id");
	unsigned long long id;

	if (!f)
		return 0;
	if (fscanf(f, "%llu", &id) != 1)
		id = 0;
	fclose(f);
	return id;
}

const char *trace_count_open(struct trace_count *t, const char *subsystem, const char *event,
			     const char *filter)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = trace_id(subsystem, event),
		.disabled = 1,
	};
	static char why[160];

	if (!attr.config) {
		snprintf(why, sizeof(why), "no tracepoint %s:%s (tracefs, CONFIG_EVENT_TRACING)", subsystem, event);
		return why;
	}
	t->fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (t->fd >= 0 && (!filter || !ioctl(t->fd, PERF_EVENT_IOC_SET_FILTER, filter)) &&
	    !ioctl(t->fd, PERF_EVENT_IOC_ENABLE, 0))
		return NULL;
	snprintf(why, sizeof(why), "the kernel refuses to count %s:%s: %s", subsystem, event, strerror(errno));
	if (t->fd >= 0)
		close(t->fd);
	return why;
}

uint64_t trace_count(const struct trace_count *t)
{
	uint64_t n;

	if (read(t->fd, &n, sizeof(n)) != sizeof(n))
		case_fail("a tracepoint's counter cannot be read: %s", strerror(errno));
	return n;
}
