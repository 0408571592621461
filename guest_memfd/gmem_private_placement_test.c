// SPDX-License-Identifier: GPL-2.0-only
/*
 * The NUMA policy of guest_memfd counts for private memory, too: that which the host
 * may map to call mbind(), but never touch (no GUEST_MEMFD_FLAG_INIT_SHARED).
 *
 * Catches: what was before "KVM: guest_memfd: Enforce NUMA mempolicy using shared
 * policy" (2025, Linux 6.19), where nobody but the guest makes the pages, and what
 * the kernel's own test leaves out, because move_pages() does not see them.
 *
 * Seen by: how many pages of files each node has more.  The same window, with nobody
 * allocating, comes first: where other tasks move more than a sixteenth of what the
 * case is about to allocate, noise could pass for placement, and it skips.
 */
#include <stdlib.h>

#include "case.h"
#include "compat.h"
#include "gmem.h"
#include "numa.h"
#include "numaif.h"

#define PAGES	1024
#define NOISE	(PAGES / 16)

/* Two nodes with memory; the task prefers the first, and runs near the second if it can. */
static int first, second;

static struct numa_count window;

static void setup(void)
{
	gmem_need(GUEST_MEMFD_FLAG_MMAP);
	numa_two_nodes(&first, &second);
	numa_need_count();
	numa_set_task(MPOL_PREFERRED, NODE(first));
	__numa_run_near(second);
}

/* Pages that a node has more since the window was opened. */
static long grown(const struct numa_count *now, int node)
{
	return now->pages[node] - window.pages[node];
}

static void window_open(void)
{
	struct numa_count now;

	numa_count(&window);
	numa_count(&now);
	if (labs(grown(&now, first)) > NOISE || labs(grown(&now, second)) > NOISE)
		case_skip("not discriminating: nodes %d and %d grew by %ld and %ld pages in a quiet window",
			  first, second, grown(&now, first), grown(&now, second));
	window = now;
}

/* Within a few pages that something else may have taken or given. */
static void expect_grown(long on_first, long on_second, const char *what)
{
	struct numa_count now;

	numa_count(&now);
	CASE_EXPECT(labs(grown(&now, first) - on_first) <= NOISE && labs(grown(&now, second) - on_second) <= NOISE,
		    "%s: nodes %d and %d grew by %ld and %ld pages, want %ld and %ld", what, first, second,
		    grown(&now, first), grown(&now, second), on_first, on_second);
}

static void by_fallocate(void)
{
	int fd = gmem_create(PAGES, GUEST_MEMFD_FLAG_MMAP);

	gmem_set_policy(fd, 0, PAGES, MPOL_BIND, NODE(second));
	window_open();
	gmem_allocate(fd, 0, PAGES);
	expect_grown(0, PAGES, "bound to the second node");
	gmem_punch(fd, 0, PAGES);
	expect_grown(0, 0, "and punched");
	gmem_set_policy(fd, 0, PAGES, MPOL_BIND, NODE(first));
	numa_set_task(MPOL_PREFERRED, NODE(second));
	gmem_allocate(fd, 0, PAGES);
	expect_grown(PAGES, 0, "bound to the first node");
}

static void by_file_offset(void)
{
	int fd = gmem_create(PAGES, GUEST_MEMFD_FLAG_MMAP);

	gmem_set_policy(fd, PAGES / 4, PAGES / 2, MPOL_BIND, NODE(second));
	window_open();
	gmem_allocate(fd, 0, PAGES / 4);
	expect_grown(PAGES / 4, 0, "before the bound part");
	gmem_allocate(fd, PAGES / 4, PAGES / 2);
	expect_grown(PAGES / 4, PAGES / 2, "and the bound part");
	gmem_allocate(fd, PAGES * 3 / 4, PAGES / 4);
	expect_grown(PAGES / 2, PAGES / 2, "and behind it");
}

static void interleave(void)
{
	int fd = gmem_create(PAGES, GUEST_MEMFD_FLAG_MMAP);

	gmem_set_policy(fd, 0, PAGES, MPOL_INTERLEAVE, NODE(first) | NODE(second));
	window_open();
	gmem_allocate(fd, 0, PAGES);
	expect_grown(PAGES / 2, PAGES / 2, "interleaved");
}

static void by_guest(void)
{
	struct gmem_guest g = gmem_guest_create(PAGES, GUEST_MEMFD_FLAG_MMAP);

	gmem_set_policy(g.fd, 0, PAGES / 2, MPOL_BIND, NODE(second));
	window_open();
	gmem_guest_touch(&g, 0, PAGES);
	expect_grown(PAGES / 2, PAGES / 2, "touched by the guest, half of it bound");
}

static void by_guest_in_private(void)
{
	struct gmem_guest g = gmem_guest_create_private(PAGES, GUEST_MEMFD_FLAG_MMAP);

	gmem_set_policy(g.fd, 0, PAGES / 2, MPOL_BIND, NODE(second));
	window_open();
	gmem_guest_touch(&g, 0, PAGES);
	expect_grown(PAGES / 2, PAGES / 2, "touched by the guest as private memory, half of it bound");
}

static void by_prefault(void)
{
	struct gmem_guest g = gmem_guest_create(PAGES, GUEST_MEMFD_FLAG_MMAP);

	gmem_set_policy(g.fd, 0, PAGES / 2, MPOL_BIND, NODE(second));
	window_open();
	gmem_guest_prefault(&g, 0, PAGES);
	expect_grown(PAGES / 2, PAGES / 2, "KVM_PRE_FAULT_MEMORY, half of it bound");
	gmem_guest_touch(&g, 0, PAGES);
	expect_grown(PAGES / 2, PAGES / 2, "and touched by the guest");
}

/* Nobody can map it, thus nobody can set a policy: there is the task's. */
static void never_mapped(void)
{
	int fd = gmem_create(PAGES, 0);

	numa_set_task(MPOL_BIND, NODE(second));
	window_open();
	gmem_allocate(fd, 0, PAGES / 2);
	expect_grown(0, PAGES / 2, "by a task bound to the second node");
	numa_set_task(MPOL_INTERLEAVE, NODE(first) | NODE(second));
	gmem_allocate(fd, PAGES / 2, PAGES / 2);
	expect_grown(PAGES / 4, PAGES * 3 / 4, "and the rest by a task that interleaves");
}

static void closing_gives_back(void)
{
	int fd = gmem_create(PAGES, GUEST_MEMFD_FLAG_MMAP);

	gmem_set_policy(fd, 0, PAGES, MPOL_BIND, NODE(second));
	window_open();
	gmem_allocate(fd, 0, PAGES);
	expect_grown(0, PAGES, "bound to the second node");
	kvm_close(fd);
	expect_grown(0, 0, "when the file is closed");
}

static const struct witness_case cases[] = {
	{
		.name = "by_fallocate",
		.verifies = "fallocate() places private pages on the node that they are bound to, and punching frees them",
		.run = by_fallocate,
	}, {
		.name = "by_file_offset",
		.verifies = "a policy for the middle of a private file leaves its head and tail alone",
		.run = by_file_offset,
	}, {
		.name = "interleave",
		.verifies = "private pages that are interleaved are on both nodes alike",
		.run = interleave,
	}, {
		.name = "by_guest",
		.verifies = "private pages that a guest touches first are placed by their policy",
		.run = by_guest,
	}, {
		.name = "by_guest_in_private",
		.verifies = "pages that are private by KVM_SET_MEMORY_ATTRIBUTES are placed by their policy, too",
		.needs = "KVM_X86_SW_PROTECTED_VM; root; two NUMA nodes with memory; guest_memfd that can be mapped",
		.run = by_guest_in_private,
	}, {
		.name = "by_prefault",
		.verifies = "KVM_PRE_FAULT_MEMORY places private pages by their policy, once and for all",
		.needs = "KVM_CAP_PRE_FAULT_MEMORY; root; two NUMA nodes with memory; guest_memfd that can be mapped",
		.run = by_prefault,
	}, {
		.name = "never_mapped",
		.verifies = "pages of a file that cannot be mapped are placed by the policy of the task that allocates",
		.run = never_mapped,
	}, {
		.name = "closing_gives_back",
		.verifies = "the last close() gives the private pages back to their node",
		.run = closing_gives_back,
	},
};

static const struct witness_test test = {
	.name = "gmem_private_placement_test",
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
