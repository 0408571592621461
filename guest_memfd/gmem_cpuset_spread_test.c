// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where guest_memfd has no policy of its own, its pages go where the task's cpuset lets
 * page cache go: spread over all nodes with memory_spread_page.  Where it has one, that
 * counts, within what the cpuset allows.
 *
 * Catches: a task's policy that is looked up for memory without one, which takes the
 * spreading away (the authors of "KVM: guest_memfd: Add NUMA mempolicy support" call
 * it untested), a policy that breaks out of the cpuset or is lost with a move of it,
 * and an mbind() that is dropped, because the copy in the mapping moved with the cpuset.
 *
 * Each case is a process in a cpuset of its own, and asks move_pages().
 */
#include <string.h>

#include "case.h"
#include "compat.h"
#include "cpuset.h"
#include "gmem.h"
#include "numa.h"
#include "numaif.h"

#define PAGES	64
#define MASK(n)	(1UL << (n))

/* Two nodes with memory; the case runs on a CPU of the first. */
static int first, second;
static size_t page;

static void setup(void)
{
	unsigned long nodes = numa_nodes_with_memory();
	int cpu;

	gmem_need(GMEM_SHARED);
	numa_need_nodes(2);
	first = numa_nth(nodes, 0);
	second = numa_nth(nodes, 1);
	page = getpagesize();
	cpu = numa_cpu_of(first);
	if (cpu < 0)
		case_skip("no CPU is near node %d", first);
	numa_run_on(cpu);
}

static size_t on_second(char *mem, size_t pages)
{
	size_t i, n = 0;

	for (i = 0; i < pages; i++)
		n += numa_node_of(mem + i * page) == second;
	return n;
}

static void expect_on_second(char *mem, size_t pages, size_t want, const char *what)
{
	size_t n = on_second(mem, pages);

	CASE_EXPECT(n == want, "%s: %zu of %zu pages are on node %d, want %zu", what, n, pages, second, want);
}

/* --- the nodes of the cpuset */

static void one_node(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, PAGES);

	gmem_allocate(fd, 0, PAGES / 2);
	gmem_touch(mem, PAGES);
	expect_on_second(mem, PAGES, PAGES, "in a cpuset with the second node only, on a CPU near the first");
}

static void allowed_nodes(void)
{
	cpuset_run(1, MASK(second), one_node);
}

/* --- spreading */

static void spread(void)
{
	int fd = gmem_create(3 * PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, 3 * PAGES);

	numa_set_task(MPOL_PREFERRED, MASK(first));
	gmem_allocate(fd, 0, PAGES);
	gmem_touch(mem, PAGES);
	TEST_ASSERT(!on_second(mem, PAGES), "pages are on node %d without spreading", second);

	cpuset_set("cpuset.memory_spread_page", "1");
	gmem_allocate(fd, PAGES, PAGES);
	gmem_touch(mem + PAGES * page, 2 * PAGES);
	expect_on_second(mem + PAGES * page, PAGES, PAGES / 2, "fallocate() with memory_spread_page");
	expect_on_second(mem + 2 * PAGES * page, PAGES, PAGES / 2, "touched with memory_spread_page");
}

static void spread_without_policy(void)
{
	cpuset_run(1, MASK(first) | MASK(second), spread);
}

static void spread_and_policy(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);

	cpuset_set("cpuset.memory_spread_page", "1");
	numa_mbind(mem, PAGES / 2 * page, MPOL_BIND, MASK(second));
	gmem_touch(mem, PAGES);
	expect_on_second(mem, PAGES / 2, PAGES / 2, "bound, with memory_spread_page");
	expect_on_second(mem + PAGES / 2 * page, PAGES / 2, PAGES / 4, "without a policy, with memory_spread_page");
}

static void policy_beats_spread(void)
{
	cpuset_run(1, MASK(first) | MASK(second), spread_and_policy);
}

/* --- a cpuset that moves */

static void out_and_back(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, PAGES);
	size_t half = PAGES / 2;
	int ret;

	numa_set_task(MPOL_PREFERRED, MASK(second));
	numa_mbind(mem, PAGES * page, MPOL_BIND, MASK(first));
	cpuset_set_mems(MASK(second));
	ret = __gmem_allocate(fd, 0, half);
	CASE_EXPECT(!ret, "fallocate() of what is bound to a node that the cpuset has lost: %s", strerror(-ret));
	gmem_touch(mem, half);
	expect_on_second(mem, half, half, "bound to a node that the cpuset has lost");
	cpuset_set_mems(MASK(first) | MASK(second));
	gmem_touch(mem + half * page, half);
	expect_on_second(mem + half * page, half, 0, "bound to a node that the cpuset has again");
}

static void cpuset_beats_policy(void)
{
	cpuset_run(1, MASK(first) | MASK(second), out_and_back);
}

static void bound_to_what_moved(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	struct numa_policy p;

	numa_set_task(MPOL_PREFERRED, MASK(first));
	numa_mbind(mem, PAGES * page, MPOL_BIND, MASK(first));
	cpuset_set_mems(MASK(second));
	numa_mbind(mem, PAGES * page, MPOL_BIND, MASK(second));
	p = numa_policy_of(mem);
	CASE_EXPECT(p.nodes == MASK(second), "bound to the node that is left: the policy has nodes %#lx, want %#lx",
		    p.nodes, MASK(second));
	cpuset_set_mems(MASK(first) | MASK(second));
	gmem_touch(mem, PAGES);
	expect_on_second(mem, PAGES, PAGES, "bound to the node that was left");
}

static void bound_after_move(void)
{
	cpuset_run(1, MASK(first) | MASK(second), bound_to_what_moved);
}

static const struct witness_case cases[] = {
	{
		.name = "allowed_nodes",
		.verifies = "memory without a policy is taken from the nodes of the task's cpuset",
		.run = allowed_nodes,
	}, {
		.name = "spread_without_policy",
		.verifies = "memory_spread_page spreads memory without a policy evenly, whatever the task prefers",
		.run = spread_without_policy,
	}, {
		.name = "policy_beats_spread",
		.verifies = "memory_spread_page does not touch memory that has a policy",
		.run = policy_beats_spread,
	}, {
		.name = "cpuset_beats_policy",
		.verifies = "a policy counts within the cpuset only, and counts again when its node is back",
		.run = cpuset_beats_policy,
	}, {
		.name = "bound_after_move",
		.verifies = "mbind() to the nodes that the cpuset has moved to is obeyed",
		.run = bound_after_move,
	},
};

static const struct witness_test test = {
	.name = "gmem_cpuset_spread_test",
	.needs = "root; cgroup v1 with cpusets; two NUMA nodes with memory; guest_memfd that can be mapped (Linux 6.18)",
	.seed = "https://lore.kernel.org/kvm (2025-10) KVM: guest_memfd: Add NUMA mempolicy support, v13",
	.wants = WANTS_TWO_NODES,
	.setup = setup,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

int main(int argc, char **argv)
{
	return witness_main(&test, argc, argv);
}
