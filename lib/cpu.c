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

int __cpu_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

int __cpu_need(int *cpus, int n)
{
	int cpu, found = 0;
	cpu_set_t may;

	if (sched_getaffinity(0, sizeof(may), &may))
		return -errno;
	for (cpu = 0; cpu < CPU_SETSIZE && found < n; cpu++) {
		if (CPU_ISSET(cpu, &may))
			cpus[found++] = cpu;
	}
	return found;
}

void cpu_need(int *cpus, int n)
{
	int found = __cpu_need(cpus, n);

	if (found < 0)
		case_skip("sched_getaffinity: %s", strerror(-found));
	if (found < n)
		case_skip("%d CPUs are needed, there is %d", n, found);
}

int cpu_pin_first(void)
{
	int cpu, ret;

	cpu_need(&cpu, 1);
	ret = __cpu_pin(cpu);
	if (ret)
		case_skip("cannot run on CPU %d: %s", cpu, strerror(-ret));
	return cpu;
}

bool cpu_vulnerability(const char *name, char *line, size_t len)
{
	char path[128];
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/vulnerabilities/%s", name);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(line, len, f);
	fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
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

bool cpu_flag(const char *name)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	bool found = false;
	char *line = NULL, *save, *p;
	size_t size = 0;

	while (f && !found && getline(&line, &size, f) > 0) {
		if (strncmp(line, "flags", 5))
			continue;
		for (p = strtok_r(line, " \t\n", &save); p; p = strtok_r(NULL, " \t\n", &save))
			found |= !strcmp(p, name);
		break;
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}
