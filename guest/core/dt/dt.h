/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device tree, by libfdt out of a kernel tree (scripts/dtc/libfdt).
 *
 * A node is libfdt's offset, negative for none; all of these take none for an answer.
 */
#ifndef GUEST_DT_H
#define GUEST_DT_H

#include <libfdt.h>

#include "../guest.h"

/* What the boot protocol gave, or something in which libfdt finds nothing. */
extern const void *dt;

void dt_init(const void *fdt);

/* The next node behind @after (-1: the first of all) that is compatible with @what. */
int dt_compatible(int after, const char *what);

/* The same for those whose "device_type" it is. */
int dt_of_type(int after, const char *type);

/* Is @what one of the strings of the property? */
bool dt_has_string(int node, const char *name, const char *what);

/* Cell @n of a property, or @other where it has not so many. */
u32 dt_cell(int node, const char *name, unsigned int n, u32 other);

/* The @n-th address and size of "reg". */
bool dt_reg(int node, unsigned int n, u64 *address, u64 *size);

/* Fills cpus[], this one, whose "reg" is @self, first. */
void dt_find_cpus(u64 self);
int dt_cpu_node(const struct cpu *cpu);

/* "bootargs", or "" */
const char *dt_command_line(void);

#endif /* GUEST_DT_H */
