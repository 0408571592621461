// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data watchpoints by perf, see include/watch.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#include "trace.h"
#include "util.h"
#include "watch.h"

/* Some 1300 hits with a chain of 20. */
#define RING_DATA	(1u << 18)

static size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static const char *explain(int err, int cpu)
{
	static char why[192];
	char paranoid[16] = "?";
	FILE *f;

	switch (err) {
	case EACCES:
	case EPERM:
		f = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
		if (f) {
			if (fgets(paranoid, sizeof(paranoid), f))
				paranoid[strcspn(paranoid, "\n")] = '\0';
			fclose(f);
		}
		snprintf(why, sizeof(why),
			 "watchpoints on kernel data need root (perf_event_paranoid is %s)", paranoid);
		break;
	case ENOSPC:
		snprintf(why, sizeof(why), "all debug registers of CPU %d are taken", cpu);
		break;
	case ENOSYS:
		snprintf(why, sizeof(why), "the kernel has no perf events (CONFIG_PERF_EVENTS)");
		break;
	case ENOENT:
	case EOPNOTSUPP:
	case ENODEV:
		snprintf(why, sizeof(why), "no debug registers here (CONFIG_HAVE_HW_BREAKPOINT)");
		break;
	default:
		snprintf(why, sizeof(why), "the kernel refuses the watchpoint on CPU %d: %s",
			 cpu, strerror(err));
	}
	return why;
}

/* Opens, but does not enable, a watchpoint on the CPU of @w: its file descriptor, or -1. */
static int open_watchpoint(const struct watch *w, uint64_t addr, size_t len, enum watch_access access)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = access == WATCH_WRITE ? HW_BREAKPOINT_W : HW_BREAKPOINT_RW,
		.bp_addr = addr,
		.bp_len = len,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING |
			       PERF_FORMAT_LOST,
		.disabled = 1,		/* until there is a ring to keep the hits */
		.pinned = 1,		/* never shared in turns with another user */
		.exclude_callchain_user = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};

	return syscall(SYS_perf_event_open, &attr, -1, w->cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

const char *watch_arm(struct watch *w, uint64_t addr, size_t len, enum watch_access access, int cpu)
{
	memset(w, 0, sizeof(*w));
	w->cpu = cpu;
	w->fd = open_watchpoint(w, addr, len, access);
	if (w->fd < 0)
		return explain(errno, cpu);
	w->ring = mmap(NULL, page_size() + RING_DATA, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
	if (w->ring == MAP_FAILED || ioctl(w->fd, PERF_EVENT_IOC_ENABLE, 0)) {
		int err = errno;

		close(w->fd);
		w->fd = -1;
		return explain(err, cpu);
	}
	return NULL;
}

void watch_disarm(struct watch *w)
{
	if (w->fd < 0)
		return;
	while (w->nr_more)
		close(w->more[--w->nr_more].fd);
	munmap(w->ring, page_size() + RING_DATA);
	close(w->fd);
	w->fd = -1;
}

static bool trace_field(FILE *f, const char *name, size_t *offset)
{
	char line[256], type[128], field[128];

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " field:%127[^;]; offset:%zu;", type, offset) != 2)
			continue;
		snprintf(field, sizeof(field), "unsigned int %s", name);
		if (!strcmp(type, field))
			return true;
	}
	return false;
}

/* Makes the event @fd, or -1 with errno, one more source of hits. */
static const char *add_source(struct watch *w, int fd)
{
	unsigned int n = w->nr_more;

	if (fd < 0)
		return explain(errno, w->cpu);
	if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, w->fd) || ioctl(fd, PERF_EVENT_IOC_ID, &w->more[n].id) ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0)) {
		int err = errno;

		close(fd);
		return explain(err, w->cpu);
	}
	w->more[n].fd = fd;
	w->nr_more++;
	return NULL;
}

const char *watch_also(struct watch *w, uint64_t addr, size_t len, enum watch_access access)
{
	return add_source(w, open_watchpoint(w, addr, len, access));
}

const char *watch_trace(struct watch *w, const char *subsystem, const char *event, const char *field)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING |
			       PERF_FORMAT_LOST,
		.disabled = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	static char why[128];
	unsigned int n = w->nr_more;
	FILE *f;

	snprintf(why, sizeof(why), "no tracepoint %s:%s with a field %s (tracefs, CONFIG_EVENT_TRACING)",
		 subsystem, event, field);
	f = trace_file(subsystem, event, "format");
	if (!f)
		return why;
	if (!trace_field(f, field, &w->more[n].offset)) {
		fclose(f);
		return why;
	}
	fclose(f);
	attr.config = trace_id(subsystem, event);
	if (!attr.config)
		return why;

	w->more[n].trace = true;
	return add_source(w, syscall(SYS_perf_event_open, &attr, -1, w->cpu, -1, PERF_FLAG_FD_CLOEXEC));
}

/* A record may wrap around the end of the ring. */
static void copy_out(const struct watch *w, uint64_t pos, void *to, size_t len)
{
	const char *data = (const char *)w->ring + page_size();
	size_t off = pos % RING_DATA;
	size_t first = len < RING_DATA - off ? len : RING_DATA - off;

	memcpy(to, data + off, first);
	memcpy((char *)to + first, data, len - first);
}

static void read_sample(struct watch *w, uint64_t pos, struct watch_hit *hit)
{
	struct { uint64_t id, time; } fixed;
	uint64_t i, chain_len, ip;

	memset(hit, 0, sizeof(*hit));
	hit->cpu = w->cpu;
	copy_out(w, pos, &fixed, sizeof(fixed));
	pos += sizeof(fixed);
	hit->time = fixed.time;
	for (i = 0; i < w->nr_more; i++) {
		if (fixed.id != w->more[i].id)
			continue;
		hit->source = i + 1;
		if (!w->more[i].trace)
			break;
		/* A length of 4 bytes, then the event as its format file has it. */
		copy_out(w, pos + 4 + w->more[i].offset, &hit->field, sizeof(hit->field));
		return;
	}
	copy_out(w, pos, &chain_len, sizeof(chain_len));
	for (i = 0; i < chain_len && hit->depth < WATCH_CHAIN_MAX; i++) {
		copy_out(w, pos + sizeof(chain_len) + 8 * i, &ip, sizeof(ip));
		/* Markers such as PERF_CONTEXT_KERNEL are no addresses. */
		if (ip < (uint64_t)PERF_CONTEXT_MAX)
			hit->chain[hit->depth++] = ip;
	}
}

/* The kernel's own word on whether the ring had all that happened. */
static const char *complaint(int fd)
{
	struct { uint64_t value, enabled, running, lost; } now;

	if (read(fd, &now, sizeof(now)) != sizeof(now))
		return "the debug register was taken away from the watchpoint";
	if (now.lost)
		return "there were more hits than the ring could hold";
	if (now.enabled != now.running)
		return "the debug register was shared with another user";
	return NULL;
}

size_t watch_pending(const struct watch *w)
{
	const struct perf_event_mmap_page *meta = w->ring;
	uint64_t head = __atomic_load_n(&meta->data_head, __ATOMIC_ACQUIRE);
	uint64_t pos = meta->data_tail;
	size_t n = 0;

	while (pos < head) {
		struct perf_event_header eh;

		copy_out(w, pos, &eh, sizeof(eh));
		n += eh.type == PERF_RECORD_SAMPLE;
		pos += eh.size;
	}
	return n;
}

const char *watch_drain(struct watch *w, void (*fn)(const struct watch_hit *hit, void *arg), void *arg)
{
	struct perf_event_mmap_page *meta = w->ring;
	uint64_t head, pos;
	bool lost = false;
	const char *why;
	unsigned int i;

	head = __atomic_load_n(&meta->data_head, __ATOMIC_ACQUIRE);
	for (pos = meta->data_tail; pos < head;) {
		struct perf_event_header eh;
		struct watch_hit hit;

		copy_out(w, pos, &eh, sizeof(eh));
		if (eh.type == PERF_RECORD_SAMPLE) {
			read_sample(w, pos + sizeof(eh), &hit);
			if (fn)
				fn(&hit, arg);
		} else {
			lost |= eh.type == PERF_RECORD_LOST || eh.type == PERF_RECORD_THROTTLE;
		}
		pos += eh.size;
	}
	__atomic_store_n(&meta->data_tail, pos, __ATOMIC_RELEASE);

	/*
	 * The kernel's own number of lost hits.  The number of all hits would not do:
	 * on another CPU it is raised before the hit is in the ring.
	 */
	why = complaint(w->fd);
	for (i = 0; !why && i < w->nr_more; i++)
		why = complaint(w->more[i].fd);
	if (!why && lost)
		why = "there were more hits than the ring could hold";
	return why;
}
