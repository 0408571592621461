// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a policy costs an allocation of guest_memfd: a look-up, which is logarithmic in
 * the number of ranges that have one.
 *
 * Catches: a look-up that got slow, be it linear or under a lock that others hold.
 *
 * fallocate() of a file without a policy, with one, and with one for each page, in turns
 * on one CPU.  The best of each is compared: what disturbs a run makes it slower, never
 * faster.  Slower by half is within what an emulator varies, three times as slow is not.
 * "make bench" shows the figures.
 */
#include <time.h>

#include "case.h"
#include "compat.h"
#include "gmem.h"
#include "numa.h"
#include "numaif.h"

#define PAGES	4096
#define ROUNDS	7
#define TOO_SLOW 3

static void setup(void)
{
	gmem_need(GMEM_SHARED);
	numa_need_nodes(2);
}

/* CPU time that it takes to allocate the whole file. */
static double seconds_to_allocate(int fd)
{
	struct timespec before, after;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	gmem_allocate(fd, 0, PAGES);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	gmem_punch(fd, 0, PAGES);
	return after.tv_sec - before.tv_sec + (after.tv_nsec - before.tv_nsec) * 1e-9;
}

static void policies_are_cheap(void)
{
	static const char * const names[] = { "no policy", "one policy", "a policy for each page" };
	unsigned long nodes = numa_nodes_with_memory();
	size_t i, kind, page = getpagesize();
	double best[ARRAY_SIZE(names)];
	int fds[ARRAY_SIZE(names)];
	char *mem;

	for (kind = 0; kind < ARRAY_SIZE(names); kind++) {
		fds[kind] = gmem_create(PAGES, GMEM_SHARED);
		best[kind] = 1e9;
	}
	mem = gmem_map(fds[1], 0, PAGES);
	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(numa_nth(nodes, 0)));
	mem = gmem_map(fds[2], 0, PAGES);
	for (i = 0; i < PAGES; i++)
		numa_mbind(mem + i * page, page, MPOL_BIND, NODE(numa_nth(nodes, i & 1)));

	numa_run_on(sched_getcpu());
	for (i = 0; i < ROUNDS; i++) {
		for (kind = 0; kind < ARRAY_SIZE(names); kind++) {
			double seconds = seconds_to_allocate(fds[kind]);

			if (seconds < best[kind])
				best[kind] = seconds;
		}
	}
	for (kind = 0; kind < ARRAY_SIZE(names); kind++)
		printf("%s: %.0f pages/s, ratio %.2f\n", names[kind], PAGES / best[kind], best[kind] / best[0]);
	for (kind = 1; kind < ARRAY_SIZE(names); kind++)
		CASE_EXPECT(best[kind] < TOO_SLOW * best[0], "%s: an allocation takes %.1f times as long as without",
			    names[kind], best[kind] / best[0]);
}

static const struct witness_case cases[] = {
	{
		.name = "policies_are_cheap",
		.verifies = "allocating with a policy, of thousands, takes less than three times as long as without",
		.run = policies_are_cheap,
	},
};

static const struct witness_test test = {
	.name = "gmem_throughput_test",
	.needs = "two NUMA nodes with memory; guest_memfd that can be mapped (Linux 6.18)",
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
