// SPDX-License-Identifier: GPL-2.0-only
/*
 * See include/cpu.h.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "cpu.h"

int cpu_pin_first(void)
{
	cpu_set_t may, one;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(may), &may))
		case_skip("sched_getaffinity: %s", strerror(errno));
	while (!CPU_ISSET(cpu, &may))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		case_skip("cannot run on CPU %d: %s", cpu, strerror(errno));
	return cpu;
}

/* The column of @cpu, from 1; 0: there is none.  Offline CPUs have no column. */
static unsigned int column_of(const char *header, int cpu)
{
	unsigned int n = 0;
	const char *p = header;
	int name;

	while ((p = strstr(p, "CPU")) && sscanf(p, "CPU%d", &name) == 1) {
		n++;
		if (name == cpu)
			return n;
		p++;
	}
	return 0;
}

uint64_t cpu_interrupts(int cpu)
{
	FILE *f = fopen("/proc/interrupts", "re");
	char line[4096], *p, *end;
	unsigned int column, i;
	uint64_t sum = 0;

	if (!f || !fgets(line, sizeof(line), f))
		case_fail("/proc/interrupts: %s", strerror(errno));
	column = column_of(line, cpu);
	if (!column)
		case_fail("/proc/interrupts has no column of CPU %d", cpu);
	while (fgets(line, sizeof(line), f)) {
		unsigned long long n = 0;

		p = strchr(line, ':');
		if (!p)
			continue;
		p++;
		/* "ERR:" and "MIS:" have one column only. */
		for (i = 0; i < column; i++, p = end) {
			n = strtoull(p, &end, 10);
			if (end == p)
				break;
		}
		if (i == column)
			sum += n;
	}
	fclose(f);
	return sum;
}
