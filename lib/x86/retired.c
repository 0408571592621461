// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processor's own counters, see include/x86/retired.h: four 32-bit I/O ports.
 *
 *   +0  selects a counter and latches it	bits 15:0 what, 16 where, 30:24 CPU,
 *						bit 31: an entry of the log instead
 *   +4  the lower half of what was latched
 *   +8  the upper half
 *   +12 read: a signature; written: all to zero
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>

#include "cpu.h"
#include "x86/retired.h"

#define PORT		0x700
#define NR_PORTS	16
#define SIGNATURE	0x31544e43

#define LOG_LENGTH	6
#define REASONS		0x100
#define ALL_CPUS	0x7f
#define LOG_ENTRY	(1u << 31)

static uint64_t latch(uint32_t select)
{
	uint32_t low;

	outl(select, PORT);
	low = inl(PORT + 4);
	return low | (uint64_t)inl(PORT + 8) << 32;
}

static uint64_t counter(unsigned int what, enum retired_where where, int cpu)
{
	return latch(what | where << 16 | (uint32_t)(cpu < 0 ? ALL_CPUS : cpu) << 24);
}

uint64_t retired_read(enum retired_what what, enum retired_where where, int cpu)
{
	return counter(what, where, cpu);
}

uint64_t retired_vmexits(unsigned int reason, int cpu)
{
	return counter(REASONS + reason, RETIRED_NONROOT, cpu);
}

void retired_reset(void)
{
	outl(0, PORT + 12);
}

uint64_t retired_log_length(void)
{
	return latch(LOG_LENGTH);
}

bool retired_log(uint64_t n, struct retired *r)
{
	uint64_t entry = latch(LOG_ENTRY | n);

	if (entry == UINT64_MAX)
		return false;
	r->what = entry & 0xff;
	r->where = entry >> 8 & 1;
	r->cpu = entry >> 16 & 0xff;
	r->reason = entry >> 24 & 0xff;
	r->time = entry >> 32;
	return true;
}

uint64_t retired_spec_ctrl(const struct retired *r)
{
	return (r->reason & 0x7f) | (r->reason & 0x80) << 3;
}

/* A device of a real machine may have the ports, and mind being asked. */
static bool ports_are_taken(void)
{
	FILE *f = fopen("/proc/ioports", "re");
	unsigned int first, last;
	bool taken = false;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%x-%x", &first, &last) == 2 && !strstr(line, "PCI Bus") &&
		    first < PORT + NR_PORTS && last >= PORT)
			taken = true;
	}
	if (f)
		fclose(f);
	return taken;
}

/* VERW is not privileged: does the counter of this CPU see one? */
static bool they_count(void)
{
	unsigned short selector = 0;
	cpu_set_t old;
	uint64_t before;
	int cpu;

	if (sched_getaffinity(0, sizeof(old), &old))
		return false;
	cpu = sched_getcpu();
	if (__cpu_pin(cpu))
		return false;
	before = retired_read(RETIRED_VERW, RETIRED_ROOT, cpu);
	asm volatile("verw %0" : : "m"(selector) : "cc");
	before = retired_read(RETIRED_VERW, RETIRED_ROOT, cpu) - before;
	sched_setaffinity(0, sizeof(old), &old);
	return before > 0;
}

const char *retired_open(void)
{
	static char why[128];

	if (ports_are_taken())
		return "this machine's processors do not count what they retire";
	if (ioperm(PORT, NR_PORTS, 1)) {
		snprintf(why, sizeof(why), "no access to I/O ports: %s%s", strerror(errno),
			 errno == ENOSYS ? " (CONFIG_X86_IOPL_IOPERM)" : "");
		return why;
	}
	if (inl(PORT + 12) != SIGNATURE)
		return "this machine's processors do not count what they retire";
	if (!they_count())
		return "this machine's counters of what is retired do not count";
	return NULL;
}
