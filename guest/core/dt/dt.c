// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device tree, see dt.h.
 */
#include <string.h>

#include "dt.h"

static const char none[sizeof(struct fdt_header)];
const void *dt = none;
static int cpu_nodes[MAX_CPUS];

void dt_init(const void *fdt)
{
	if (fdt && !fdt_check_header(fdt))
		dt = fdt;
}

int dt_compatible(int after, const char *what)
{
	return fdt_node_offset_by_compatible(dt, after, what);
}

int dt_of_type(int after, const char *type)
{
	return fdt_node_offset_by_prop_value(dt, after, "device_type", type, strlen(type) + 1);
}

bool dt_has_string(int node, const char *name, const char *what)
{
	return fdt_stringlist_search(dt, node, name, what) >= 0;
}

u32 dt_cell(int node, const char *name, unsigned int n, u32 other)
{
	int len;
	const fdt32_t *cells = fdt_getprop(dt, node, name, &len);

	return cells && (n + 1) * sizeof(*cells) <= (unsigned int)len ? fdt32_ld(&cells[n]) : other;
}

static u64 reg_cells(int node, unsigned int first, unsigned int n)
{
	u64 value = 0;

	for (; n--; first++)
		value = value << 32 | dt_cell(node, "reg", first, 0);
	return value;
}

bool dt_reg(int node, unsigned int n, u64 *address, u64 *size)
{
	int parent = fdt_parent_offset(dt, node), len;
	u32 a = dt_cell(parent, "#address-cells", 0, 2), s = dt_cell(parent, "#size-cells", 0, 1);

	if (!fdt_getprop(dt, node, "reg", &len) || (n + 1) * (a + s) * 4 > (u32)len)
		return false;
	*address = reg_cells(node, n * (a + s), a);
	*size = reg_cells(node, n * (a + s) + a, s);
	return true;
}

void dt_find_cpus(u64 self)
{
	u64 id, size;
	int n;

	cpus[0].hwid = self;
	nr_cpus = 1;
	for (n = dt_of_type(-1, "cpu"); n >= 0; n = dt_of_type(n, "cpu")) {
		unsigned int i = nr_cpus;

		if (!dt_reg(n, 0, &id, &size))
			continue;
		if (id == self)
			i = 0;
		else if (i < MAX_CPUS)
			nr_cpus++;
		else
			continue;
		cpus[i].id = i;
		cpus[i].hwid = id;
		cpu_nodes[i] = n;
	}
}

int dt_cpu_node(const struct cpu *cpu)
{
	return cpu_nodes[cpu->id];
}

const char *dt_command_line(void)
{
	const char *args = fdt_getprop(dt, fdt_path_offset(dt, "/chosen"), "bootargs", NULL);

	return args ? args : "";
}
