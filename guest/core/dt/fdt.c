// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device trees, see fdt.h.
 */
#include <string.h>

#include "fdt.h"

#define MAGIC		0xd00dfeed
#define MAX_NODES	256
#define MAX_DEPTH	16

enum { BEGIN_NODE = 1, END_NODE, PROP, NOP, END = 9 };

static struct fdt_node nodes[MAX_NODES];
static unsigned int nr_nodes;
static const char *strings;

static u32 be32(const u8 *p)
{
	return (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static const u8 *aligned(const u8 *p)
{
	return (const u8 *)(((uintptr_t)p + 3) & ~3ul);
}

/* Behind the property at @p. */
static const u8 *skip_property(const u8 *p)
{
	return aligned(p + 12 + be32(p + 4));
}

bool fdt_init(const void *fdt)
{
	const struct fdt_node *at[MAX_DEPTH] = { NULL };
	unsigned int depth = 0;
	const u8 *p = fdt;

	if (!p || be32(p) != MAGIC)
		return false;
	strings = (const char *)p + be32(p + 12);
	for (p += be32(p + 8); be32(p) != END;) {
		switch (be32(p)) {
		case BEGIN_NODE:
			if (nr_nodes == MAX_NODES || depth + 1 == MAX_DEPTH)
				return true;
			nodes[nr_nodes].name = (const char *)p + 4;
			nodes[nr_nodes].parent = at[depth];
			p = aligned(p + 4 + strlen((const char *)p + 4) + 1);
			nodes[nr_nodes].properties = p;
			at[++depth] = &nodes[nr_nodes++];
			break;
		case END_NODE:
			depth--;
			p += 4;
			break;
		case PROP:
			p = skip_property(p);
			break;
		default:
			p += 4;
		}
	}
	return true;
}

const struct fdt_node *fdt_next(const struct fdt_node *after)
{
	const struct fdt_node *next = after ? after + 1 : nodes;

	return next < nodes + nr_nodes ? next : NULL;
}

const void *fdt_get(const struct fdt_node *node, const char *name, u32 *len)
{
	const u8 *p;

	for (p = node->properties; be32(p) == PROP || be32(p) == NOP;) {
		if (be32(p) == NOP) {
			p += 4;
			continue;
		}
		if (!strcmp(strings + be32(p + 8), name)) {
			if (len)
				*len = be32(p + 4);
			return p + 12;
		}
		p = skip_property(p);
	}
	return NULL;
}

bool fdt_has_string(const struct fdt_node *node, const char *name, const char *what)
{
	const char *s, *end;
	u32 len;

	s = fdt_get(node, name, &len);
	if (!s)
		return false;
	for (end = s + len; s < end; s += strlen(s) + 1) {
		if (!strcmp(s, what))
			return true;
	}
	return false;
}

const struct fdt_node *fdt_compatible(const struct fdt_node *after, const char *what)
{
	const struct fdt_node *n;

	for (n = fdt_next(after); n; n = fdt_next(n)) {
		if (fdt_has_string(n, "compatible", what))
			return n;
	}
	return NULL;
}

const struct fdt_node *fdt_top(const char *name)
{
	const struct fdt_node *n;
	size_t len = strlen(name);

	for (n = fdt_next(NULL); n; n = fdt_next(n)) {
		if (n->parent == nodes && !strncmp(n->name, name, len) && strchr("@", n->name[len]))
			return n;
	}
	return NULL;
}

u32 fdt_cell(const struct fdt_node *node, const char *name, unsigned int n, u32 other)
{
	const u8 *p;
	u32 len;

	p = fdt_get(node, name, &len);
	return p && (n + 1) * 4 <= len ? be32(p + n * 4) : other;
}

const struct fdt_node *fdt_by_phandle(u32 phandle)
{
	const struct fdt_node *n;

	for (n = fdt_next(NULL); n; n = fdt_next(n)) {
		if (fdt_cell(n, "phandle", 0, 0) == phandle)
			return n;
	}
	return NULL;
}

static u64 cells(const struct fdt_node *node, unsigned int first, unsigned int n)
{
	u64 value = 0;

	for (; n--; first++)
		value = value << 32 | fdt_cell(node, "reg", first, 0);
	return value;
}

bool fdt_reg(const struct fdt_node *node, unsigned int n, u64 *address, u64 *size)
{
	u32 a = fdt_cell(node->parent, "#address-cells", 0, 2), s = fdt_cell(node->parent, "#size-cells", 0, 1);
	u32 len;

	if (!fdt_get(node, "reg", &len) || (n + 1) * (a + s) * 4 > len)
		return false;
	*address = cells(node, n * (a + s), a);
	*size = cells(node, n * (a + s) + a, s);
	return true;
}
