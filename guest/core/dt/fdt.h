/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a flattened device tree (its specification, v0.4, chapter 5).
 */
#ifndef GUEST_FDT_H
#define GUEST_FDT_H

#include "../guest.h"

struct fdt_node {
	const char *name;
	const struct fdt_node *parent;	/* NULL: the root */
	const u8 *properties;
};

/* False: there is none.  Nodes beyond the 256th are not seen. */
bool fdt_init(const void *fdt);

/* The first node behind @after, or of all when that is NULL; NULL behind the last. */
const struct fdt_node *fdt_next(const struct fdt_node *after);

/* The same, but only those that are compatible with @what. */
const struct fdt_node *fdt_compatible(const struct fdt_node *after, const char *what);

/* "cpus", "psci": a child of the root by its name, without its address. */
const struct fdt_node *fdt_top(const char *name);
const struct fdt_node *fdt_by_phandle(u32 phandle);

/* A property's value, NULL: none; its length in bytes at @len unless that is NULL. */
const void *fdt_get(const struct fdt_node *node, const char *name, u32 *len);

/* Is @what one of the strings of the property? */
bool fdt_has_string(const struct fdt_node *node, const char *name, const char *what);

/* Cell @n of a property, or @other where it has not so many. */
u32 fdt_cell(const struct fdt_node *node, const char *name, unsigned int n, u32 other);

/* The @n-th address and size of "reg". */
bool fdt_reg(const struct fdt_node *node, unsigned int n, u64 *address, u64 *size);

#endif /* GUEST_FDT_H */
