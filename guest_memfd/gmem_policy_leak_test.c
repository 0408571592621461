// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a NUMA policy of guest_memfd takes is given back with the file: the policies
 * themselves, whoever has looked at one, and the pages that were placed by it.
 *
 * Catches: an inode that dies without its policies, and a reference that an allocation
 * or get_mempolicy() keeps, which has each of them outlive its file.
 *
 * Seen by: the slab pages of the whole system.  The first file tells what a file full of
 * policies takes.  Many more, one after the other, may take as much again where RCU has
 * not freed the one before; a leak of a mere half is eight times as much.  For pages the
 * unevictable ones are counted.
 */
#include <linux/membarrier.h>

#include "case.h"
#include "compat.h"
#include "gmem.h"
#include "numa.h"
#include "numaif.h"

#define PAGES	1024
#define FILES	16
#define MASK(n)	(1UL << (n))

static unsigned long nodes;
static struct kvm_vm *vm;
static size_t page;

static void setup(void)
{
	struct numa_count unused;
	const char *why;

	gmem_need(GMEM_SHARED);
	numa_need_nodes(2);
	why = __numa_count(&unused);
	if (why)
		case_skip("%s", why);
	nodes = numa_nodes_with_memory();
	page = getpagesize();
	vm = vm_create_barebones();
}

/* A file of which each page has a policy of its own; nothing stays mapped. */
static int file_of_policies(void)
{
	int fd = vm_create_guest_memfd(vm, PAGES * page, GMEM_SHARED);
	size_t i;

	for (i = 0; i < PAGES; i++) {
		char *mem = gmem_map(fd, i, 1);

		numa_mbind(mem, page, MPOL_BIND, MASK(numa_nth(nodes, i & 1)));
		kvm_munmap(mem, page);
	}
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

static void expect_no_leak(void (*look)(int fd), const char *what)
{
	long before = numa_slab_pages(), one, more;
	int fd = file_of_policies(), i;

	one = numa_slab_pages() - before;
	before += one;
	for (i = 0; i < FILES; i++) {
		look(fd);
		kvm_close(fd);
		/* Until RCU lets go of what was freed. */
		syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
		fd = file_of_policies();
	}
	more = numa_slab_pages() - before;

	if (one < 16)
		case_skip("not discriminating: %d policies take %ld pages of slab", PAGES, one);
	CASE_EXPECT(more < 2 * one, "%s: %ld pages of slab more after %d files, one takes %ld",
		    what, more, FILES, one);
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
