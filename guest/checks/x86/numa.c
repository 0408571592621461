// SPDX-License-Identifier: GPL-2.0-only
/*
 * The NUMA topology that ACPI tells: every CPU and all RAM belong to a node, the nodes'
 * memory is there, and the distances make sense.
 */
#include <string.h>

#include "../../boot/x86/x86.h"

static const u8 *srat;

static u32 get32(const u8 *p)
{
	u32 value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static u64 get64(const u8 *p)
{
	u64 value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static void setup(void)
{
	srat = acpi_table("SRAT");
	if (!srat)
		case_skip("ACPI has no SRAT: one node");
}

/* The next structure behind @s of this kind, or of any for -1; NULL: none. */
static const u8 *next(const u8 *s, int kind)
{
	const u8 *end = srat + get32(srat + 4);

	for (s = s ? s + s[1] : srat + 48; s + 2 <= end && s[1]; s += s[1]) {
		if (s + s[1] > end)
			case_fail("the SRAT's structure at %u has %u bytes, more than are left", (u32)(s - srat), s[1]);
		if (kind < 0 || s[0] == kind)
			return s;
	}
	return NULL;
}

/* What is enabled of a memory affinity structure. */
static bool memory_of(const u8 *s, u32 *node, u64 *begin, u64 *end)
{
	*node = get32(s + 2);
	*begin = get64(s + 8);
	*end = *begin + get64(s + 16);
	return get32(s + 28) & 1;
}

/* The node of a CPU, by its APIC or x2APIC entry; -1: none. */
static s64 node_of_cpu(u32 apic_id)
{
	const u8 *s;

	for (s = next(NULL, 0); s; s = next(s, 0)) {
		if (get32(s + 4) & 1 && s[3] == apic_id)
			return s[2] | (get32(s + 8) >> 8) << 8;
	}
	for (s = next(NULL, 2); s; s = next(s, 2)) {
		if (get32(s + 12) & 1 && get32(s + 8) == apic_id)
			return get32(s + 4);
	}
	return -1;
}

static void cpus_have_nodes(void)
{
	unsigned int i;

	for (i = 0; i < nr_cpus; i++)
		CASE_EXPECT(node_of_cpu(cpus[i].hwid) >= 0, "the CPU with APIC ID %u has no node in the SRAT",
			    (u32)cpus[i].hwid);
}

/* All of [begin, end) in some node? */
static bool is_covered(u64 begin, u64 end)
{
	const u8 *s;
	u64 b, e;
	u32 node;

	while (begin < end) {
		for (s = next(NULL, 1); s; s = next(s, 1)) {
			if (memory_of(s, &node, &b, &e) && b <= begin && begin < e)
				break;
		}
		if (!s)
			return false;
		begin = e;
	}
	return true;
}

static void ram_has_nodes(void)
{
	unsigned int n;
	u64 begin, end;

	if (!ram_range(0, &begin, &end))
		case_skip("the boot protocol has no memory map");
	for (n = 0; ram_range(n, &begin, &end); n++)
		CASE_EXPECT(is_covered(begin, end), "not all RAM from %#llx to %#llx is of a node in the SRAT",
			    (unsigned long long)begin, (unsigned long long)end);
}

static bool is_ram(u64 address)
{
	unsigned int n;
	u64 begin, end;

	for (n = 0; ram_range(n, &begin, &end); n++) {
		if (begin <= address && address < end)
			return true;
	}
	return false;
}

static void nodes_are_apart(void)
{
	const u8 *s, *t;
	u64 b1, e1, b2, e2;
	u32 n1, n2;

	for (s = next(NULL, 1); s; s = next(s, 1)) {
		if (!memory_of(s, &n1, &b1, &e1))
			continue;
		case_checked();
		for (t = next(s, 1); t; t = next(t, 1)) {
			if (memory_of(t, &n2, &b2, &e2))
				CASE_EXPECT(e1 <= b2 || e2 <= b1, "nodes %u and %u both have memory at %#llx", n1, n2,
					    (unsigned long long)(b1 > b2 ? b1 : b2));
		}
	}
}

/* Touches the middle of each node's memory that can be reached. */
static void memory_is_there(void)
{
	unsigned int touched = 0;
	const u8 *s;
	u64 b, e, p;
	u32 node;

	for (s = next(NULL, 1); s; s = next(s, 1)) {
		if (!memory_of(s, &node, &b, &e) || e <= USER_AREA + USER_AREA_SIZE || get32(s + 28) & 2)
			continue;
		p = (b > USER_AREA + USER_AREA_SIZE ? b / 2 + e / 2 : (USER_AREA + USER_AREA_SIZE) / 2 + e / 2) & ~7ull;
		CASE_EXPECT(is_ram(p), "node %u has memory at %#llx, where the boot protocol has none", node,
			    (unsigned long long)p);
		if (p >= BIT(32))
			continue;
		mmio_write64(p, p ^ 0x5a5a5a5a);
		touched++;
		CASE_EXPECT(mmio_read64(p) == (p ^ 0x5a5a5a5a), "node %u has memory at %#llx, but it does not keep what is written",
			    node, (unsigned long long)p);
	}
	if (!touched)
		case_skip("no node has memory below 4 GiB");
}

static void distances(void)
{
	const u8 *slit = acpi_table("SLIT"), *s;
	u64 n, i, j, b, e;
	u32 node;

	if (!slit)
		case_skip("ACPI has no SLIT");
	n = get64(slit + 36);
	CASE_EXPECT(n && n <= 255 && get32(slit + 4) >= 44 + n * n, "the SLIT is of %llu nodes in %u bytes",
		    (unsigned long long)n, get32(slit + 4));
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			u8 d = slit[44 + i * n + j];

			CASE_EXPECT(i == j ? d == 10 : d > 10, "from node %llu to %llu it is %u, want %s 10",
				    (unsigned long long)i, (unsigned long long)j, d, i == j ? "exactly" : "more than");
		}
	}
	for (s = next(NULL, 1); s; s = next(s, 1)) {
		if (memory_of(s, &node, &b, &e))
			CASE_EXPECT(node < n, "node %u has memory, the SLIT has %llu nodes", node, (unsigned long long)n);
	}
}

static const struct witness_case cases[] = {
	{
		.name = "cpus_have_nodes",
		.verifies = "each enabled CPU of the MADT is in the SRAT",
		.run = cpus_have_nodes,
	}, {
		.name = "ram_has_nodes",
		.verifies = "all RAM of the boot protocol's map is in the SRAT",
		.run = ram_has_nodes,
	}, {
		.name = "nodes_are_apart",
		.verifies = "no memory belongs to two nodes",
		.run = nodes_are_apart,
	}, {
		.name = "memory_is_there",
		.verifies = "what the SRAT calls memory is RAM and keeps what is written",
		.run = memory_is_there,
	}, {
		.name = "distances",
		.verifies = "the SLIT has each node, 10 from itself and more from others",
		.needs = "a SLIT",
		.run = distances,
	},
};

static const struct witness_test test = {
	.name = "guest_numa",
	.needs = "an SRAT: several NUMA nodes",
	.seed = "guest_memfd NUMA mempolicy v13, seen from the guest",
	.setup = setup,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

GUEST_TEST(test);
