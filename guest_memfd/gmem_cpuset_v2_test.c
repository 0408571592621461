// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_memfd in a cpuset of cgroup v2, which has no spreading: memory without a policy
 * comes from the nodes that are allowed, a policy counts among them.
 *
 * Catches: a policy that breaks out of the cpuset, or is lost when the cpuset loses its
 * node for a while; see gmem_cpuset_spread_test, which is the same for cgroup v1.  A
 * kernel has cpusets in one version at a time, thus a boot without those of v1.
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
	cpuset_run(2, MASK(second), one_node);
}

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
	cpuset_run(2, MASK(first) | MASK(second), out_and_back);
}

static const struct witness_case cases[] = {
	{
		.name = "allowed_nodes",
		.verifies = "memory without a policy is taken from the nodes of the task's cpuset",
		.run = allowed_nodes,
	}, {
		.name = "cpuset_beats_policy",
		.verifies = "a policy counts within the cpuset only, and counts again when its node is back",
		.run = cpuset_beats_policy,
	},
};

static const struct witness_test test = {
	.name = "gmem_cpuset_v2_test",
	.needs = "root; cgroup v2 with cpusets; two NUMA nodes with memory; guest_memfd that can be mapped (Linux 6.18)",
	.seed = "https://lore.kernel.org/kvm (2025-10) KVM: guest_memfd: Add NUMA mempolicy support, v13",
	.append = "cgroup_no_v1=cpuset",
	.wants = WANTS_TWO_NODES,
	.setup = setup,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

int main(int argc, char **argv)
{
	return witness_main(&test, argc, argv);
}
