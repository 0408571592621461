// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_memfd in a cpuset, see include/gmem_cpuset.h.
 */
#include <string.h>

#include "case.h"
#include "compat.h"
#include "cpuset.h"
#include "gmem.h"
#include "gmem_cpuset.h"
#include "numa.h"
#include "numaif.h"

#define PAGES	64

static int first, second;
static size_t page;

void gmem_cpuset_setup(void)
{
	gmem_need(GMEM_SHARED);
	numa_two_nodes(&first, &second);
	page = getpagesize();
	numa_run_near(first);
}

void gmem_cpuset_expect(char *mem, size_t pages, size_t want, const char *what)
{
	size_t n = numa_pages_on(mem, pages, second);

	CASE_EXPECT(n == want, "%s: %zu of %zu pages are on node %d, want %zu", what, n, pages, second, want);
}

static void one_node(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, PAGES);

	gmem_allocate(fd, 0, PAGES / 2);
	gmem_touch(mem, PAGES);
	gmem_cpuset_expect(mem, PAGES, PAGES, "in a cpuset with the second node only, on a CPU near the first");
}

void gmem_cpuset_allowed_nodes(int version)
{
	cpuset_run(version, NODE(second), one_node);
}

static void out_and_back(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, PAGES);
	size_t half = PAGES / 2;
	int ret;

	numa_set_task(MPOL_PREFERRED, NODE(second));
	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(first));
	cpuset_set_mems(NODE(second));
	ret = __gmem_allocate(fd, 0, half);
	CASE_EXPECT(!ret, "fallocate() of what is bound to a node that the cpuset has lost: %s", strerror(-ret));
	gmem_touch(mem, half);
	gmem_cpuset_expect(mem, half, half, "bound to a node that the cpuset has lost");
	cpuset_set_mems(NODE(first) | NODE(second));
	gmem_touch(mem + half * page, half);
	gmem_cpuset_expect(mem + half * page, half, 0, "bound to a node that the cpuset has again");
}

void gmem_cpuset_beats_policy(int version)
{
	cpuset_run(version, NODE(first) | NODE(second), out_and_back);
}
