// SPDX-License-Identifier: GPL-2.0-only
/*
 * NUMA nodes are not all alike: one may have CPUs and no memory, another one memory
 * and no CPUs.  The policy of guest_memfd must cope: no allocation from where there is
 * nothing, and none refused.
 *
 * Catches: an allocation that takes the CPU's own node as it is, or one with memory
 * that it finds first instead of the nearest one, and a policy that keeps a node
 * without memory and gives all its share to another.
 *
 * Seen by move_pages() and by the kernel's own table of distances.
 */
#include <errno.h>
#include <string.h>

#include "case.h"
#include "compat.h"
#include "gmem.h"
#include "numa.h"
#include "numaif.h"

#define PAGES	8

static unsigned long with_memory;
static int empty;		/* has CPUs only */
static int near, far;		/* have memory, as seen from the empty node */
static size_t page;

static int distance(int from, int to)
{
	char path[64];
	int i, d = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/distance", from);
	f = fopen(path, "re");
	TEST_ASSERT(f, "%s: %s", path, strerror(errno));
	for (i = 0; i <= to; i++)
		TEST_ASSERT(fscanf(f, "%d", &d) == 1, "%s has no entry %d", path, i);
	fclose(f);
	return d;
}

/* Which CPUs are its own is in the node's mask only: getcpu() may say another node. */
static void run_on_empty_node(void)
{
	char path[64];
	int cpu;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist", empty);
	f = fopen(path, "re");
	TEST_ASSERT(f && fscanf(f, "%d", &cpu) == 1, "%s has no CPU", path);
	fclose(f);
	numa_run_on(cpu);
}

static void setup(void)
{
	int farther;	/* by how much the first one with memory is */

	gmem_need(GMEM_SHARED);
	numa_need_nodes(2);
	with_memory = numa_nodes_with_memory();
	empty = numa_nth(numa_nodes_with_cpus() & ~with_memory, 0);
	if (empty < 0)
		case_skip("no NUMA node that has CPUs and no memory");
	page = getpagesize();
	run_on_empty_node();
	farther = distance(empty, numa_nth(with_memory, 0)) - distance(empty, numa_nth(with_memory, 1));
	if (!farther)
		case_skip("not discriminating: both nodes with memory are equally far");
	near = numa_nth(with_memory, farther > 0);
	far = numa_nth(with_memory, farther < 0);
	numa_set_task(MPOL_PREFERRED, NODE(far));
}

static void expect_on(char *mem, size_t pages, int node, const char *what)
{
	size_t i;

	for (i = 0; i < pages; i++) {
		int seen = numa_node_of(mem + i * page);

		CASE_EXPECT(seen == node, "%s: page %zu is on node %d, want %d", what, i, seen, node);
	}
}

static void local_is_nearest(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);

	numa_mbind(mem, 4 * page, MPOL_LOCAL, 0);
	gmem_touch(mem, PAGES);
	expect_on(mem, 4, near, "MPOL_LOCAL on a CPU whose node has no memory");
	expect_on(mem + 4 * page, 4, far, "no policy, by a task that prefers the far node");
}

static void bind_to_nothing(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	struct numa_policy p;
	int ret;

	numa_set_task(MPOL_PREFERRED, NODE(near));
	ret = __numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(empty), 0);
	CASE_EXPECT(ret == -EINVAL, "bound to a node without memory: %s, want EINVAL", strerror(-ret));
	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(empty) | NODE(far));
	p = numa_policy_of(mem);
	CASE_EXPECT(p.nodes == NODE(far), "the policy has nodes %#lx, want %#lx", p.nodes, NODE(far));
	gmem_touch(mem, PAGES);
	expect_on(mem, PAGES, far, "bound to a node without memory and one with");
}

static void interleave_skips(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	size_t on_far;

	numa_mbind(mem, PAGES * page, MPOL_INTERLEAVE, NODE(empty) | NODE(near) | NODE(far));
	gmem_touch(mem, PAGES);
	on_far = numa_pages_on(mem, PAGES, far);
	CASE_EXPECT(on_far == PAGES / 2, "%zu of %d pages are on the far node, want half", on_far, PAGES);
}

/* The node without a CPU is nobody's own: only a policy gets there. */
static void node_without_cpus(void)
{
	int remote = numa_nth(with_memory & ~numa_nodes_with_cpus(), 0);
	int fd = gmem_create(PAGES, GMEM_SHARED), home;
	char *mem = gmem_map(fd, 0, PAGES);

	if (remote < 0)
		case_skip("no NUMA node that has memory and no CPU");
	home = remote == near ? far : near;
	numa_run_near(home);
	numa_set_task(MPOL_DEFAULT, 0);
	numa_mbind(mem, 4 * page, MPOL_BIND, NODE(remote));
	gmem_allocate(fd, 0, PAGES);
	numa_mbind(mem, 4 * page, MPOL_BIND, NODE(home));
	gmem_touch(mem, PAGES);
	expect_on(mem, 4, remote, "bound to the node without CPUs");
	expect_on(mem + 4 * page, 4, home, "no policy");
}

static const struct witness_case cases[] = {
	{
		.name = "local_is_nearest",
		.verifies = "MPOL_LOCAL on a CPU whose node has no memory takes the nearest node that has",
		.run = local_is_nearest,
	}, {
		.name = "bind_to_nothing",
		.verifies = "MPOL_BIND to a node without memory is refused, and beside one with memory forgotten",
		.run = bind_to_nothing,
	}, {
		.name = "interleave_skips",
		.verifies = "MPOL_INTERLEAVE passes by a node without memory, and the others get the same",
		.run = interleave_skips,
	}, {
		.name = "node_without_cpus",
		.verifies = "memory of a node without CPUs is used where a policy says so, and not elsewhere",
		.run = node_without_cpus,
	},
};

static const struct witness_test test = {
	.name = "gmem_memoryless_node_test",
	.needs = "a NUMA node with CPUs and no memory, two with memory; guest_memfd that can be mapped (Linux 6.18)",
	.seed = "https://lore.kernel.org/kvm (2025-10) KVM: guest_memfd: Add NUMA mempolicy support, v13",
	.wants = WANTS_THREE_NODES,
	.setup = setup,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

int main(int argc, char **argv)
{
	return witness_main(&test, argc, argv);
}
