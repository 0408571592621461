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
#include "case.h"
#include "compat.h"
#include "cpuset.h"
#include "gmem.h"
#include "gmem_cpuset.h"
#include "numa.h"
#include "numaif.h"

#define PAGES	64

/* Two nodes with memory; the case runs on a CPU of the first. */
static int first, second;
static size_t page;

static void setup(void)
{
	gmem_cpuset_setup();
	numa_two_nodes(&first, &second);
	page = getpagesize();
}

static void allowed_nodes(void)
{
	gmem_cpuset_allowed_nodes(1);
}

/* --- spreading */

static void spread(void)
{
	int fd = gmem_create(3 * PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, 3 * PAGES);

	numa_set_task(MPOL_PREFERRED, NODE(first));
	gmem_allocate(fd, 0, PAGES);
	gmem_touch(mem, PAGES);
	TEST_ASSERT(!numa_pages_on(mem, PAGES, second), "pages are on node %d without spreading", second);

	cpuset_set("cpuset.memory_spread_page", "1");
	gmem_allocate(fd, PAGES, PAGES);
	gmem_touch(mem + PAGES * page, 2 * PAGES);
	gmem_cpuset_expect(mem + PAGES * page, PAGES, PAGES / 2, "fallocate() with memory_spread_page");
	gmem_cpuset_expect(mem + 2 * PAGES * page, PAGES, PAGES / 2, "touched with memory_spread_page");
}

static void spread_without_policy(void)
{
	cpuset_run(1, NODE(first) | NODE(second), spread);
}

static void spread_and_policy(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);

	cpuset_set("cpuset.memory_spread_page", "1");
	numa_mbind(mem, PAGES / 2 * page, MPOL_BIND, NODE(second));
	gmem_touch(mem, PAGES);
	gmem_cpuset_expect(mem, PAGES / 2, PAGES / 2, "bound, with memory_spread_page");
	gmem_cpuset_expect(mem + PAGES / 2 * page, PAGES / 2, PAGES / 4, "without a policy, with memory_spread_page");
}

static void policy_beats_spread(void)
{
	cpuset_run(1, NODE(first) | NODE(second), spread_and_policy);
}

/* --- a cpuset that moves */

static void cpuset_beats_policy(void)
{
	gmem_cpuset_beats_policy(1);
}

static void bound_to_what_moved(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	struct numa_policy p;

	numa_set_task(MPOL_PREFERRED, NODE(first));
	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(first));
	cpuset_set_mems(NODE(second));
	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(second));
	p = numa_policy_of(mem);
	CASE_EXPECT(p.nodes == NODE(second), "bound to the node that is left: the policy has nodes %#lx, want %#lx",
		    p.nodes, NODE(second));
	cpuset_set_mems(NODE(first) | NODE(second));
	gmem_touch(mem, PAGES);
	gmem_cpuset_expect(mem, PAGES, PAGES, "bound to the node that was left");
}

static void bound_after_move(void)
{
	cpuset_run(1, NODE(first) | NODE(second), bound_to_what_moved);
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
