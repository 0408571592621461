// SPDX-License-Identifier: GPL-2.0-only
/*
 * Per-CPU addresses, see include/percpu.h.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kallsyms.h"
#include "kmem.h"
#include "percpu.h"

uint64_t percpu_addr(const char *name, int cpu, const char **why)
{
	static char msg[128];
	uint64_t table, sym, offset;

	*why = kallsyms_load();
	if (!*why)
		*why = kmem_open();
	if (*why)
		return 0;

	table = kallsyms_addr("__per_cpu_offset");
	sym = kallsyms_addr(name);
	if (!table || !sym) {
		snprintf(msg, sizeof(msg), "no symbol %s in /proc/kallsyms (CONFIG_KALLSYMS_ALL)",
			 table ? name : "__per_cpu_offset");
		*why = msg;
		return 0;
	}
	if (kmem_read(table + 8 * (uint64_t)cpu, &offset, sizeof(offset))) {
		*why = "cannot read __per_cpu_offset through /proc/kcore";
		return 0;
	}
	return sym + offset;
}
