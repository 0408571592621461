// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a NUMA policy of guest_memfd takes is given back with the file: the policies
 * themselves, whoever has looked at one, and the pages that were placed by it.
 *
 * Catches: an inode that dies without its policies, and a reference that an allocation
 * or get_mempolicy() keeps, which has each of them outlive its file.
 *
 * Seen by: the slab pages of the whole system, before and after many files that are full of
 * policies, each closed before the next is made.  Less than half of what the policies take
 * may stay: RCU frees the last few late, and other tasks have slabs, too.  For pages the
 * unevictable ones are counted.
 */
#include <linux/membarrier.h>

#include "case.h"
#include "compat.h"
#include "gmem.h"
#include "numa.h"
#include "numaif.h"

#define PAGES	512
#define FILES	24
#define POLICY_SIZE 48		/* struct mempolicy */

static unsigned long nodes;
static struct kvm_vm *vm;
static size_t page;

static void setup(void)
{
	gmem_need(GMEM_SHARED);
	numa_need_nodes(2);
	numa_need_count();
	nodes = numa_nodes_with_memory();
	page = getpagesize();
	vm = vm_create_barebones();
}

/*
 * A file of which each page has a policy of its own: every other one is cut out of a
 * policy for all.  Nothing stays mapped, or VMAs would be counted with the policies.
 */
static int file_of_policies(void)
{
	int fd = vm_create_guest_memfd(vm, PAGES * page, GMEM_SHARED);
	size_t i;

	gmem_set_policy(fd, 0, PAGES, MPOL_BIND, NODE(numa_nth(nodes, 0)));
	for (i = 1; i < PAGES; i += 2)
		gmem_set_policy(fd, i, 1, MPOL_BIND, NODE(numa_nth(nodes, 1)));
	return fd;
}

static void look_at_nothing(int fd)
{
}

static void look_by_allocating(int fd)
{
	gmem_allocate(fd, 0, PAGES);
}

static void look_by_asking(int fd)
{
	char *mem = gmem_map(fd, 0, PAGES);
	size_t i;

	for (i = 0; i < PAGES; i++)
		numa_policy_of(mem + i * page);
	kvm_munmap(mem, PAGES * page);
}

/* What was freed before is given back by RCU, some of it to be freed in turn. */
static void wait_for_rcu(void)
{
	TEST_ASSERT(!syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0), "membarrier()");
	TEST_ASSERT(!syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0), "membarrier()");
}

static void expect_no_leak(void (*look)(int fd), const char *what)
{
	/* Half of what the policies take, without the ranges that they are for. */
	const long limit = FILES * PAGES * POLICY_SIZE / page / 2;
	long before, more;
	int fd, i;

	if (limit < 32)
		case_skip("not discriminating: %d policies take %ld pages of %zu bytes", FILES * PAGES, 2 * limit, page);
	fd = file_of_policies();
	wait_for_rcu();
	before = numa_slab_pages();
	for (i = 0; i < FILES; i++) {
		look(fd);
		kvm_close(fd);
		wait_for_rcu();
		fd = file_of_policies();
	}
	more = numa_slab_pages() - before;
	CASE_EXPECT(more < limit, "%s: %d files of %d took %ld pages of slab for good, want less than %ld",
		    what, FILES, PAGES, more, limit);
}

static void policies_die(void)
{
	expect_no_leak(look_at_nothing, "policies that nobody looked at");
}

static void allocation_lets_go(void)
{
	expect_no_leak(look_by_allocating, "policies that pages were allocated by");
}

static void query_lets_go(void)
{
	expect_no_leak(look_by_asking, "policies that get_mempolicy() was asked for");
}

/* A page that is in no file any more is still unevictable until it is freed. */
static void pages_come_back(void)
{
	long before = numa_unevictable_pages(), one = 0, more;
	int i;

	for (i = 0; i < FILES; i++) {
		int fd = vm_create_guest_memfd(vm, PAGES * page, GMEM_SHARED);
		char *mem = gmem_map(fd, 0, PAGES);

		numa_mbind(mem, PAGES * page, MPOL_INTERLEAVE, nodes);
		gmem_allocate(fd, 0, PAGES / 2);
		gmem_touch(mem, PAGES);
		gmem_punch(fd, PAGES / 4, PAGES / 2);
		gmem_touch(mem, PAGES);
		if (!i)
			one = numa_unevictable_pages() - before;
		kvm_munmap(mem, PAGES * page);
		kvm_close(fd);
	}
	more = numa_unevictable_pages() - before;
	if (one < PAGES / 2)
		case_skip("not discriminating: a file of %d pages has %ld that are unevictable", PAGES, one);
	CASE_EXPECT(more < PAGES / 4, "%ld pages did not come back from %d files of %d", more, FILES, PAGES);
}

static const struct witness_case cases[] = {
	{
		.name = "policies_die",
		.verifies = "a file's policies are freed with it",
		.run = policies_die,
	}, {
		.name = "allocation_lets_go",
		.verifies = "an allocation keeps no reference to the policy that it obeyed",
		.run = allocation_lets_go,
	}, {
		.name = "query_lets_go",
		.verifies = "get_mempolicy() keeps no reference to the policy that it told",
		.run = query_lets_go,
	}, {
		.name = "pages_come_back",
		.verifies = "pages that were placed by a policy are freed by a hole and with the file",
		.run = pages_come_back,
	},
};

static const struct witness_test test = {
	.name = "gmem_policy_leak_test",
	.needs = "root; two NUMA nodes with memory; guest_memfd that can be mapped (Linux 6.18)",
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
