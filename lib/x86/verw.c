// SPDX-License-Identifier: GPL-2.0-only
/*
 * VERWs by cause, see include/x86/verw.h.
 */
#include <stddef.h>

#include "case.h"
#include "cpu.h"
#include "kallsyms.h"
#include "retired.h"
#include "verw.h"
#include "watch.h"

static struct watch watch;
static const char *uncounted;
static int cpu;
static struct reading {
	uint64_t all, entries;
	size_t hits;
} begin;

const char *verw_open(void)
{
	const char *why = kallsyms_load();
	uint64_t operand;

	if (why)
		return why;
	operand = kallsyms_addr("x86_verw_sel");
	if (!operand)
		return "no symbol x86_verw_sel in /proc/kallsyms (Linux before 6.12, or CONFIG_KALLSYMS_ALL)";
	uncounted = retired_open();
	cpu = cpu_pin_first();
	return watch_arm(&watch, operand, 2, WATCH_READ_WRITE, cpu);
}

const char *verw_entries_uncounted(void)
{
	return uncounted;
}

/*
 * Nothing here enters the kernel, but an interrupt may, and its return is a VERW: read
 * until none came between.
 */
static struct reading look(void)
{
	struct reading r = { 0 };

	if (uncounted) {
		r.hits = watch_pending(&watch);
		return r;
	}
	do {
		r.all = retired_read(RETIRED_VERW, RETIRED_ROOT, cpu);
		r.entries = retired_read(RETIRED_VM_ENTRY, RETIRED_ROOT, cpu);
		r.hits = watch_pending(&watch);
	} while (r.all != retired_read(RETIRED_VERW, RETIRED_ROOT, cpu));
	return r;
}

static void discard(void)
{
	const char *why = watch_drain(&watch, NULL, NULL);

	if (why)
		case_fail("the watchpoint on x86_verw_sel: %s", why);
}

void verw_window_open(void)
{
	discard();
	begin = look();
}

struct verw_counts verw_window_close(void)
{
	struct reading end = look();
	struct verw_counts c = {
		.to_user = end.hits - begin.hits,
		.to_guest = end.all - begin.all,
		.entries = end.entries - begin.entries,
	};

	discard();
	if (uncounted)
		return c;
	if (c.to_guest < c.to_user)
		case_fail("a watchpoint saw %llu VERWs, the processor did %llu",
			  (unsigned long long)c.to_user, (unsigned long long)c.to_guest);
	c.to_guest -= c.to_user;
	return c;
}
