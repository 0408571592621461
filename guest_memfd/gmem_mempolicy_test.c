// SPDX-License-Identifier: GPL-2.0-only
/*
 * mbind() on a mapping of guest_memfd sets the NUMA policy of that part of the file:
 * for whoever allocates there, through whatever mapping, until the file dies.
 *
 * Catches: what was before "KVM: guest_memfd: Enforce NUMA mempolicy using shared
 * policy" (2025, Linux 6.19), and holes in it: a policy that is another mapping's,
 * another offset's or another file's, and allocations that ask the task instead.
 *
 * Each case has the task prefer the other node, so that no page is where it should
 * be by chance, and asks move_pages() where it is.  Pages that the guest or
 * fallocate() have made are bound to the other node before the host maps them: a page
 * that was not there yet would tell.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "compat.h"
#include "gmem.h"
#include "numa.h"
#include "numaif.h"

#define PAGES	8

/* Two nodes with memory; the task prefers the first, and runs near the second if it can. */
static int first, second;
static size_t page;

static void setup(void)
{
	gmem_need(GMEM_SHARED);
	numa_two_nodes(&first, &second);
	page = getpagesize();
	numa_set_task(MPOL_PREFERRED, NODE(first));
	__numa_run_near(second);
}

static void expect_on(char *mem, size_t pages, int node, const char *what)
{
	size_t i;

	for (i = 0; i < pages; i++) {
		int seen = numa_node_of(mem + i * page);

		CASE_EXPECT(seen == node, "%s: page %zu is on node %d, want %d", what, i, seen, node);
	}
}

static void expect_policy(char *at, int mode, unsigned long nodes, const char *what)
{
	struct numa_policy p = numa_policy_of(at);

	CASE_EXPECT(p.mode == mode && p.nodes == nodes,
		    "%s: the policy is %#x with nodes %#lx, want %#x with %#lx",
		    what, p.mode, p.nodes, mode, nodes);
}

/* How many of the pages are on the second node; the others are on the first. */
static size_t on_second(char *mem, size_t pages)
{
	size_t i, n = 0;

	for (i = 0; i < pages; i++) {
		int seen = numa_node_of(mem + i * page);

		TEST_ASSERT(seen == first || seen == second, "page %zu is on node %d", i, seen);
		n += seen == second;
	}
	return n;
}

/* --- each mode */

static void bind(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);

	numa_mbind(mem, 4 * page, MPOL_BIND, NODE(second));
	numa_mbind(mem + 4 * page, 4 * page, MPOL_BIND, NODE(first));
	gmem_touch(mem, 4);
	numa_set_task(MPOL_PREFERRED, NODE(second));
	gmem_touch(mem + 4 * page, 4);
	expect_on(mem, 4, second, "bound to the second node");
	expect_on(mem + 4 * page, 4, first, "bound to the first node");
}

static void preferred(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);

	numa_mbind(mem, PAGES * page, MPOL_PREFERRED, NODE(second));
	gmem_touch(mem, PAGES);
	expect_on(mem, PAGES, second, "MPOL_PREFERRED");
}

static void preferred_many(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);

	numa_mbind(mem, PAGES * page, MPOL_PREFERRED_MANY, NODE(second));
	gmem_touch(mem, PAGES);
	expect_on(mem, PAGES, second, "MPOL_PREFERRED_MANY");
}

static void local(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	int cpu[2] = { numa_cpu_of(first), numa_cpu_of(second) };

	if (cpu[0] < 0 || cpu[1] < 0)
		case_skip("not discriminating: node %d or %d has no CPU of its own", first, second);
	numa_mbind(mem, PAGES * page, MPOL_LOCAL, 0);
	numa_run_on(cpu[1]);
	gmem_touch(mem, 4);
	numa_run_on(cpu[0]);
	numa_set_task(MPOL_PREFERRED, NODE(second));
	gmem_touch(mem + 4 * page, 4);
	expect_on(mem, 4, second, "MPOL_LOCAL, from a CPU of the second node");
	expect_on(mem + 4 * page, 4, first, "MPOL_LOCAL, from a CPU of the first node");
}

static void interleave(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	size_t i;

	numa_mbind(mem, PAGES * page, MPOL_INTERLEAVE, NODE(first) | NODE(second));
	gmem_touch(mem, PAGES);
	for (i = 1; i < PAGES; i++)
		CASE_EXPECT(on_second(mem + (i - 1) * page, 2) == 1,
			    "pages %zu and %zu are on the same node", i - 1, i);
}

static void interleave_two_files(void)
{
	char *one = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	char *two = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	size_t i, n;

	numa_mbind(one, PAGES * page, MPOL_INTERLEAVE, NODE(first) | NODE(second));
	numa_mbind(two, PAGES * page, MPOL_INTERLEAVE, NODE(first) | NODE(second));
	for (i = 0; i < PAGES; i++) {
		gmem_touch(one + i * page, 1);
		gmem_touch(two + i * page, 1);
	}
	n = on_second(one, PAGES);
	CASE_EXPECT(n == PAGES / 2, "%zu of %d pages of the first file are on the second node", n, PAGES);
	n = on_second(two, PAGES);
	CASE_EXPECT(n == PAGES / 2, "%zu of %d pages of the second file are on the second node", n, PAGES);
}

#define WEIGHTS	"/sys/kernel/mm/mempolicy/weighted_interleave/node%d"

/* Weights are the system's: the old one comes back. */
static int set_weight(int node, int weight)
{
	char path[80];
	int old = 0;
	FILE *f;

	snprintf(path, sizeof(path), WEIGHTS, node);
	f = fopen(path, "r+e");
	if (!f || fscanf(f, "%d", &old) != 1)
		case_skip("%s cannot be written: not root, or no weighted interleaving", path);
	rewind(f);
	fprintf(f, "%d", weight);
	TEST_ASSERT(!fclose(f), "%s does not take %d", path, weight);
	return old;
}

static void weighted_interleave(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	int old_first = set_weight(first, 1), old_second = set_weight(second, 3);
	size_t n;

	numa_mbind(mem, PAGES * page, MPOL_WEIGHTED_INTERLEAVE, NODE(first) | NODE(second));
	gmem_touch(mem, PAGES);
	set_weight(first, old_first);
	set_weight(second, old_second);
	n = on_second(mem, PAGES);
	CASE_EXPECT(n == PAGES * 3 / 4, "%zu of %d pages are on the node with 3 of 4 parts of the weight",
		    n, PAGES);
}

static void back_to_default(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);

	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(second));
	gmem_touch(mem, 1);
	expect_on(mem, 1, second, "bound");
	numa_mbind(mem, PAGES * page, MPOL_DEFAULT, 0);
	gmem_touch(mem + page, PAGES - 1);
	expect_on(mem + page, PAGES - 1, first, "without a policy again");
}

static void mode_flags(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);

	/* Relative: the second of the nodes that the task may use. */
	numa_mbind(mem, 2 * page, MPOL_BIND | MPOL_F_RELATIVE_NODES, NODE(1));
	numa_mbind(mem + 2 * page, 2 * page, MPOL_BIND | MPOL_F_STATIC_NODES, NODE(second));
	gmem_touch(mem, 4);
	expect_policy(mem, MPOL_BIND | MPOL_F_RELATIVE_NODES, NODE(1), "relative");
	expect_policy(mem + 2 * page, MPOL_BIND | MPOL_F_STATIC_NODES, NODE(second), "static");
	expect_on(mem, 4, second, "relative and static");
}

/* --- whose policy it is */

static void by_file_offset(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *tail = gmem_map(fd, 4, 4), *mem = gmem_map(fd, 0, PAGES);

	numa_mbind(tail + page, 2 * page, MPOL_BIND, NODE(second));
	gmem_touch(mem, PAGES);
	expect_on(mem, 5, first, "pages 0 to 4 of the file");
	expect_on(mem + 5 * page, 2, second, "pages 5 and 6 of the file");
	expect_on(mem + 7 * page, 1, first, "page 7 of the file");
}

static void two_mappings(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *one = gmem_map(fd, 0, PAGES), *two = gmem_map(fd, 0, PAGES);

	numa_mbind(one, PAGES * page, MPOL_BIND, NODE(second));
	expect_policy(two, MPOL_BIND, NODE(second), "seen through the other mapping");
	gmem_touch(two, PAGES);
	expect_on(two, PAGES, second, "touched through the other mapping");
}

static void last_mbind_wins(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *one = gmem_map(fd, 0, PAGES), *two = gmem_map(fd, 0, PAGES);

	numa_mbind(one, PAGES * page, MPOL_BIND, NODE(second));
	numa_mbind(two, PAGES * page, MPOL_BIND, NODE(first));
	numa_mbind(one, PAGES * page, MPOL_BIND, NODE(second));
	expect_policy(one, MPOL_BIND, NODE(second), "bound, bound elsewhere by another mapping, and again");
	gmem_touch(one, PAGES);
	expect_on(one, PAGES, second, "bound again");
}

static void default_by_new_mapping(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, PAGES);

	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(second));
	kvm_munmap(mem, PAGES * page);
	mem = gmem_map(fd, 0, PAGES);
	numa_mbind(mem, PAGES * page, MPOL_DEFAULT, 0);
	expect_policy(mem, MPOL_DEFAULT, 0, "MPOL_DEFAULT through a new mapping");
	gmem_touch(mem, PAGES);
	expect_on(mem, PAGES, first, "MPOL_DEFAULT through a new mapping");
}

static void each_file_its_own(void)
{
	char *one = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	char *two = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);

	numa_mbind(one, PAGES * page, MPOL_BIND, NODE(second));
	expect_policy(two, MPOL_DEFAULT, 0, "the other file");
	gmem_touch(two, PAGES);
	gmem_touch(one, PAGES);
	expect_on(two, PAGES, first, "the other file");
	expect_on(one, PAGES, second, "the file with a policy");
}

static void survives_munmap(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, PAGES);

	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(second));
	kvm_munmap(mem, PAGES * page);
	gmem_allocate(fd, 0, 4);
	mem = gmem_map(fd, 0, PAGES);
	expect_policy(mem, MPOL_BIND, NODE(second), "mapped again");
	gmem_touch(mem + 4 * page, 4);
	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(first));
	gmem_touch(mem, 4);
	expect_on(mem, PAGES, second, "allocated when nothing was mapped, and after");
}

/* The file has a new inode, made where the old one was more often than not. */
static void dies_with_the_file(void)
{
	struct kvm_vm *vm = vm_create_barebones();
	int i;

	for (i = 0; i < 32; i++) {
		int fd = vm_create_guest_memfd(vm, PAGES * page, GMEM_SHARED);
		char *mem = gmem_map(fd, 0, PAGES);

		expect_policy(mem, MPOL_DEFAULT, 0, "a new file");
		numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(second));
		kvm_munmap(mem, PAGES * page);
		close(fd);
	}
}

/* A process that is no relative of the memory: it maps a descriptor that it took. */
static void another_process(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	pid_t parent = getpid(), child;
	char *mem;
	int status;

	child = fork();
	TEST_ASSERT(child >= 0, "fork");
	if (!child) {
		int taken;

		close(fd);
		taken = syscall(__NR_pidfd_getfd, syscall(__NR_pidfd_open, parent, 0), fd, 0);
		if (taken < 0)
			_exit(errno == ENOSYS || errno == EPERM ? 4 : 1);
		mem = gmem_map(taken, 0, PAGES);
		if (__numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(second), 0))
			_exit(1);
		_exit(0);
	}
	TEST_ASSERT(waitpid(child, &status, 0) == child && WIFEXITED(status), "the other process died");
	if (WEXITSTATUS(status) == 4)
		case_skip("pidfd_getfd() is not permitted");
	TEST_ASSERT(!WEXITSTATUS(status), "the other process cannot set a policy");

	mem = gmem_map(fd, 0, PAGES);
	expect_policy(mem, MPOL_BIND, NODE(second), "set by a process that is gone");
	gmem_touch(mem, PAGES);
	expect_on(mem, PAGES, second, "set by a process that is gone");
}

/* --- what get_mempolicy() says */

static void none_is_default(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	int mode;

	numa_set_task(MPOL_BIND, NODE(second));
	expect_policy(mem, MPOL_DEFAULT, 0, "a task with MPOL_BIND asks about memory without a policy");
	kvm_get_mempolicy(&mode, NULL, 0, NULL, 0);
	CASE_EXPECT(mode == MPOL_BIND, "without an address the policy is %d, want the task's", mode);
}

static void node_of_an_address(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	int node;

	numa_mbind(mem + page, page, MPOL_BIND, NODE(second));
	kvm_get_mempolicy(&node, NULL, 0, mem, MPOL_F_ADDR | MPOL_F_NODE);
	CASE_EXPECT(node == first, "page 0, without a policy, is on node %d, want %d", node, first);
	kvm_get_mempolicy(&node, NULL, 0, mem + page, MPOL_F_ADDR | MPOL_F_NODE);
	CASE_EXPECT(node == second, "page 1, bound, is on node %d, want %d", node, second);
}

/* --- ranges */

static void split_and_overlap(void)
{
	int fd = gmem_create(12, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, 12), *fresh = gmem_map(fd, 0, 12);

	numa_mbind(mem, 12 * page, MPOL_BIND, NODE(first) | NODE(second));
	numa_mbind(mem + 4 * page, 4 * page, MPOL_BIND, NODE(second));
	numa_mbind(mem + 2 * page, 4 * page, MPOL_PREFERRED, NODE(second));
	numa_mbind(mem + 7 * page, 2 * page, MPOL_DEFAULT, 0);

	/* A new mapping has nothing of its own to answer with. */
	expect_policy(fresh, MPOL_BIND, NODE(first) | NODE(second), "page 0");
	expect_policy(fresh + 1 * page, MPOL_BIND, NODE(first) | NODE(second), "page 1");
	expect_policy(fresh + 2 * page, MPOL_PREFERRED, NODE(second), "page 2");
	expect_policy(fresh + 5 * page, MPOL_PREFERRED, NODE(second), "page 5");
	expect_policy(fresh + 6 * page, MPOL_BIND, NODE(second), "page 6");
	expect_policy(fresh + 7 * page, MPOL_DEFAULT, 0, "page 7");
	expect_policy(fresh + 8 * page, MPOL_DEFAULT, 0, "page 8");
	expect_policy(fresh + 9 * page, MPOL_BIND, NODE(first) | NODE(second), "page 9");
	expect_policy(fresh + 11 * page, MPOL_BIND, NODE(first) | NODE(second), "page 11");

	gmem_touch(fresh + 2 * page, 7);
	expect_on(fresh + 2 * page, 5, second, "pages 2 to 6");
	expect_on(fresh + 7 * page, 2, first, "pages 7 and 8");
}

static void allocated_pages_stay(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);

	gmem_touch(mem, 4);
	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(second));
	gmem_touch(mem, PAGES);
	expect_on(mem, 4, first, "there before the policy");
	expect_on(mem + 4 * page, 4, second, "there after the policy");
}

static void punched_hole_obeys(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, PAGES);

	gmem_touch(mem, PAGES);
	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(second));
	gmem_punch(fd, 2, 4);
	gmem_touch(mem, PAGES);
	expect_on(mem, 2, first, "never punched");
	expect_on(mem + 2 * page, 4, second, "punched and touched again");
	expect_on(mem + 6 * page, 2, first, "never punched");
}

/* Moving was asked for: the pages cannot be moved, and nothing may break over it. */
static void moving_is_refused(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	int ret;

	gmem_touch(mem, 4);
	ret = __numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(second), MPOL_MF_STRICT);
	CASE_EXPECT(ret == -EIO, "MPOL_MF_STRICT with misplaced pages: %s, want EIO", strerror(-ret));
	expect_policy(mem, MPOL_DEFAULT, 0, "after MPOL_MF_STRICT that failed");
	ret = __numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(second), MPOL_MF_STRICT | MPOL_MF_MOVE);
	CASE_EXPECT(ret == -EIO, "MPOL_MF_STRICT | MPOL_MF_MOVE: %s, want EIO", strerror(-ret));
	expect_policy(mem, MPOL_BIND, NODE(second), "after MPOL_MF_STRICT | MPOL_MF_MOVE");
	gmem_touch(mem, PAGES);
	expect_on(mem, 4, first, "there before");
	expect_on(mem + 4 * page, 4, second, "there after");
}

static void bad_arguments(void)
{
	char *mem = gmem_map(gmem_create(PAGES, GMEM_SHARED), 0, PAGES);
	const struct {
		const char *what;
		size_t offset, len;
		int mode;
		unsigned long nodes;
		unsigned int flags;
		int want;
	} bad[] = {
		{ "no such mode", 0, page, 999, NODE(first), 0, -EINVAL },
		{ "MPOL_BIND to nothing", 0, page, MPOL_BIND, 0, 0, -EINVAL },
		{ "MPOL_DEFAULT with a node", 0, page, MPOL_DEFAULT, NODE(first), 0, -EINVAL },
		{ "MPOL_LOCAL with a node", 0, page, MPOL_LOCAL, NODE(first), 0, -EINVAL },
		{ "static and relative", 0, page, MPOL_BIND | MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES,
		  NODE(first), 0, -EINVAL },
		{ "a node that is not there", 0, page, MPOL_BIND, NODE(NUMA_MAX_NODES - 1), 0, -EINVAL },
		{ "no such flag", 0, page, MPOL_BIND, NODE(first), 1 << 20, -EINVAL },
		{ "half a page in", page / 2, page, MPOL_BIND, NODE(first), 0, -EINVAL },
		{ "into a hole", 4 * page, PAGES * page, MPOL_BIND, NODE(first), 0, -EFAULT },
	};
	size_t i;

	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(second));
	kvm_munmap(mem + 6 * page, 2 * page);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		int ret = __numa_mbind(mem + bad[i].offset, bad[i].len, bad[i].mode, bad[i].nodes,
				       bad[i].flags);

		CASE_EXPECT(ret == bad[i].want, "%s: %s, want %s", bad[i].what, strerror(-ret),
			    strerror(-bad[i].want));
		expect_policy(mem, MPOL_BIND, NODE(second), bad[i].what);
		expect_policy(mem + 4 * page, MPOL_BIND, NODE(second), bad[i].what);
	}
}

/* --- who allocates */

static void by_fallocate(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, PAGES);

	numa_mbind(mem + 2 * page, 4 * page, MPOL_BIND, NODE(second));
	gmem_allocate(fd, 0, PAGES);
	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(first));
	gmem_touch(mem, PAGES);
	expect_on(mem, 2, first, "fallocate(), no policy");
	expect_on(mem + 2 * page, 4, second, "fallocate()");
	expect_on(mem + 6 * page, 2, first, "fallocate(), no policy");
}

static void by_guest(void)
{
	struct gmem_guest g = gmem_guest_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(g.fd, 0, PAGES);

	numa_mbind(mem + 2 * page, 4 * page, MPOL_BIND, NODE(second));
	gmem_guest_touch(&g, 0, PAGES);
	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(first));
	gmem_touch(mem, PAGES);
	expect_on(mem, 2, first, "touched by the guest, no policy");
	expect_on(mem + 2 * page, 4, second, "touched by the guest");
	expect_on(mem + 6 * page, 2, first, "touched by the guest, no policy");
}

/* The guest's first page is the file's fifth. */
static void by_guest_of_the_tail(void)
{
	struct gmem_guest g = gmem_guest_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(g.fd, 0, PAGES);

	gmem_guest_set_slot(&g, 0, 0);
	gmem_guest_set_slot(&g, 4, 4);
	numa_mbind(mem + 5 * page, 2 * page, MPOL_BIND, NODE(second));
	gmem_guest_touch(&g, 0, 4);
	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(first));
	gmem_touch(mem, PAGES);
	expect_on(mem + 4 * page, 1, first, "the guest's page 0, no policy");
	expect_on(mem + 5 * page, 2, second, "the guest's pages 1 and 2");
	expect_on(mem + 7 * page, 1, first, "the guest's page 3, no policy");
}

static void by_prefault(void)
{
	struct gmem_guest g = gmem_guest_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(g.fd, 0, PAGES);

	numa_mbind(mem + 2 * page, 4 * page, MPOL_BIND, NODE(second));
	gmem_guest_prefault(&g, 0, PAGES);
	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(first));
	gmem_touch(mem, PAGES);
	expect_on(mem, 2, first, "KVM_PRE_FAULT_MEMORY, no policy");
	expect_on(mem + 2 * page, 4, second, "KVM_PRE_FAULT_MEMORY");
	expect_on(mem + 6 * page, 2, first, "KVM_PRE_FAULT_MEMORY, no policy");
}

static const struct witness_case cases[] = {
	{
		.name = "bind",
		.verifies = "MPOL_BIND places pages on either node, whatever the task prefers",
		.run = bind,
	}, {
		.name = "preferred",
		.verifies = "MPOL_PREFERRED places pages on its node",
		.run = preferred,
	}, {
		.name = "preferred_many",
		.verifies = "MPOL_PREFERRED_MANY places pages on its nodes",
		.run = preferred_many,
	}, {
		.name = "local",
		.verifies = "MPOL_LOCAL places pages near the CPU that touches them, whatever the task prefers",
		.needs = "a CPU near each of two NUMA nodes with memory; guest_memfd that can be mapped",
		.run = local,
	}, {
		.name = "interleave",
		.verifies = "MPOL_INTERLEAVE places neighbours on different nodes",
		.run = interleave,
	}, {
		.name = "interleave_two_files",
		.verifies = "MPOL_INTERLEAVE goes by a page's place in its file: two files filled in turns are both spread",
		.run = interleave_two_files,
	}, {
		.name = "weighted_interleave",
		.verifies = "MPOL_WEIGHTED_INTERLEAVE with weights 1 and 3 places pages 1 to 3",
		.needs = "root; two NUMA nodes with memory; guest_memfd that can be mapped",
		.run = weighted_interleave,
	}, {
		.name = "back_to_default",
		.verifies = "MPOL_DEFAULT takes the policy away: the task's counts again",
		.run = back_to_default,
	}, {
		.name = "mode_flags",
		.verifies = "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES are kept and obeyed",
		.run = mode_flags,
	}, {
		.name = "by_file_offset",
		.verifies = "a policy set through a mapping of the file's tail is the tail's, not the head's",
		.run = by_file_offset,
	}, {
		.name = "two_mappings",
		.verifies = "a policy set through one mapping is obeyed and told through another",
		.run = two_mappings,
	}, {
		.name = "last_mbind_wins",
		.verifies = "mbind() to what this mapping last asked for undoes what another one set since",
		.run = last_mbind_wins,
	}, {
		.name = "default_by_new_mapping",
		.verifies = "mbind(MPOL_DEFAULT) through a new mapping takes away what an old one set",
		.run = default_by_new_mapping,
	}, {
		.name = "each_file_its_own",
		.verifies = "a policy is its file's alone",
		.run = each_file_its_own,
	}, {
		.name = "survives_munmap",
		.verifies = "a policy stays when the last mapping goes, and fallocate() obeys it",
		.run = survives_munmap,
	}, {
		.name = "dies_with_the_file",
		.verifies = "a new file has no policy, where files with one have been",
		.run = dies_with_the_file,
	}, {
		.name = "another_process",
		.verifies = "a policy set by another process through its own descriptor is obeyed",
		.run = another_process,
	}, {
		.name = "none_is_default",
		.verifies = "get_mempolicy(MPOL_F_ADDR) says MPOL_DEFAULT of memory without a policy, not the task's",
		.run = none_is_default,
	}, {
		.name = "node_of_an_address",
		.verifies = "get_mempolicy(MPOL_F_ADDR | MPOL_F_NODE) makes the page as its policy says, and tells its node",
		.run = node_of_an_address,
	}, {
		.name = "split_and_overlap",
		.verifies = "overlapping ranges: the last mbind() counts in each page, the rest keeps what it had",
		.run = split_and_overlap,
	}, {
		.name = "allocated_pages_stay",
		.verifies = "a policy moves no page that is there",
		.run = allocated_pages_stay,
	}, {
		.name = "punched_hole_obeys",
		.verifies = "pages that are punched out and touched again are placed by the policy of now",
		.run = punched_hole_obeys,
	}, {
		.name = "moving_is_refused",
		.verifies = "MPOL_MF_STRICT and MPOL_MF_MOVE say EIO of misplaced pages, which stay",
		.run = moving_is_refused,
	}, {
		.name = "bad_arguments",
		.verifies = "mbind() with arguments that make no sense says so and leaves the policy alone",
		.run = bad_arguments,
	}, {
		.name = "by_fallocate",
		.verifies = "fallocate() places pages by their policy, page by page",
		.run = by_fallocate,
	}, {
		.name = "by_guest",
		.verifies = "pages that a guest touches first are placed by their policy",
		.run = by_guest,
	}, {
		.name = "by_guest_of_the_tail",
		.verifies = "a guest that has the tail of a file gets the policy of the tail",
		.run = by_guest_of_the_tail,
	}, {
		.name = "by_prefault",
		.verifies = "KVM_PRE_FAULT_MEMORY places pages by their policy",
		.needs = "KVM_CAP_PRE_FAULT_MEMORY; two NUMA nodes with memory; guest_memfd that can be mapped",
		.run = by_prefault,
	},
};

static const struct witness_test test = {
	.name = "gmem_mempolicy_test",
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
