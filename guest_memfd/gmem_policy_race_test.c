// SPDX-License-Identifier: GPL-2.0-only
/*
 * All that has to do with the memory of a guest_memfd file, at once: one thread changes
 * and asks for policies, one touches pages and punches holes, one deletes and makes
 * the memory slot and runs the guest, one pre-faults.
 *
 * Catches: a policy that is freed while an allocation obeys it, pages that a hole loses
 * or a slot keeps, and whatever makes the kernel complain.
 *
 * Steps are drawn from a seed that is printed; how they mix is the scheduler's.  What
 * must hold is what holds in the end: the last policy counts in each page, the
 * guest sees the host's memory, and all of it is given back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "case.h"
#include "compat.h"
#include "gmem.h"
#include "kvm_syscalls.h"
#include "numa.h"
#include "numaif.h"

#define PAGES	64
#define STEPS	200
#define ROUNDS	4

/* Two nodes with memory; the task prefers the first. */
static int first, second;
static size_t page;

static void setup(void)
{
	gmem_need(GMEM_SHARED);
	numa_two_nodes(&first, &second);
	numa_need_count();
	page = getpagesize();
	numa_set_task(MPOL_PREFERRED, NODE(first));
}

struct round {
	struct gmem_guest guest;
	unsigned int seed;
};

/* A range of the file, in pages. */
struct range {
	size_t first, pages;
};

static struct range draw(unsigned int *seed)
{
	struct range r = { .first = rand_r(seed) % PAGES };

	r.pages = 1 + rand_r(seed) % (PAGES - r.first);
	return r;
}

static void *change_policies(void *arg)
{
	static const int modes[] = { MPOL_BIND, MPOL_PREFERRED, MPOL_INTERLEAVE, MPOL_DEFAULT };
	struct round *round = arg;
	unsigned int seed = round->seed + 1;
	char *mem = gmem_map(round->guest.fd, 0, PAGES);
	int i;

	for (i = 0; i < STEPS; i++) {
		struct range r = draw(&seed);
		int mode = modes[rand_r(&seed) % ARRAY_SIZE(modes)];
		int node = rand_r(&seed) % 2 ? first : second;

		numa_mbind(mem + r.first * page, r.pages * page, mode, mode == MPOL_DEFAULT ? 0 : NODE(node));
		numa_policy_of(mem + r.first * page);
		/* The kernel may have no more ranges than it has mappings. */
		if (i % 50 == 49) {
			kvm_munmap(mem, PAGES * page);
			mem = gmem_map(round->guest.fd, 0, PAGES);
		}
	}
	kvm_munmap(mem, PAGES * page);
	return NULL;
}

static void *touch_and_punch(void *arg)
{
	struct round *round = arg;
	unsigned int seed = round->seed + 2;
	char *mem = gmem_map(round->guest.fd, 0, PAGES);
	int i;

	for (i = 0; i < STEPS; i++) {
		struct range r = draw(&seed);

		switch (rand_r(&seed) % 3) {
		case 0:
			gmem_punch(round->guest.fd, r.first, r.pages);
			break;
		case 1:
			gmem_allocate(round->guest.fd, r.first, r.pages);
			break;
		case 2:
			gmem_touch(mem + r.first * page, r.pages);
			break;
		}
	}
	kvm_munmap(mem, PAGES * page);
	return NULL;
}

static void *change_slot(void *arg)
{
	struct round *round = arg;
	unsigned int seed = round->seed + 3;
	int i;

	for (i = 0; i < STEPS / 20; i++) {
		struct range r = draw(&seed);

		gmem_guest_touch(&round->guest, r.first, r.pages);
		gmem_guest_set_slot(&round->guest, 0, 0);
		gmem_guest_set_slot(&round->guest, 0, PAGES);
	}
	return NULL;
}

/* While there is no slot, there is nothing to fault in. */
static void *prefault(void *arg)
{
	struct round *round = arg;
	unsigned int seed = round->seed + 4;
	int i;

	if (!kvm_check_cap(KVM_CAP_PRE_FAULT_MEMORY))
		return NULL;
	for (i = 0; i < STEPS / 10; i++) {
		struct range r = draw(&seed);
		int ret = __gmem_guest_prefault(&round->guest, r.first, r.pages);

		TEST_ASSERT(!ret || ret == -ENOENT || ret == -EFAULT || ret == -EAGAIN,
			    "KVM_PRE_FAULT_MEMORY: %s", strerror(-ret));
	}
	return NULL;
}

/* When all is quiet: the file from end to end. */
static void expect_order(struct round *round, unsigned int n)
{
	char *mem = gmem_map(round->guest.fd, 0, PAGES);
	size_t i, wrong = 0, unseen = 0;

	gmem_punch(round->guest.fd, 0, PAGES);
	numa_mbind(mem, PAGES * page, MPOL_BIND, NODE(second));
	gmem_touch(mem, PAGES / 2);
	gmem_guest_touch(&round->guest, 0, PAGES);
	for (i = 0; i < PAGES; i++) {
		unseen += mem[i * page] != (i < PAGES / 2 ? 2 : 1);
		wrong += numa_node_of(mem + i * page) != second;
	}
	CASE_EXPECT(!wrong, "round %u: %zu of %d pages are not on node %d, to which they are bound", n, wrong,
		    PAGES, second);
	CASE_EXPECT(!unseen, "round %u: %zu of %d pages are not the same to host and guest", n, unseen, PAGES);
	kvm_munmap(mem, PAGES * page);
}

static void one_round(unsigned int seed, unsigned int n)
{
	static void *(* const work[])(void *) = { change_policies, touch_and_punch, change_slot, prefault };
	struct round round = { .guest = gmem_guest_create(PAGES, GMEM_SHARED), .seed = seed + 10 * n };
	pthread_t threads[ARRAY_SIZE(work)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(work); i++)
		TEST_ASSERT(!pthread_create(&threads[i], NULL, work[i], &round), "pthread_create");
	for (i = 0; i < ARRAY_SIZE(work); i++)
		TEST_ASSERT(!pthread_join(threads[i], NULL), "pthread_join");
	expect_order(&round, n);
	kvm_close(round.guest.fd);
	kvm_vm_free(round.guest.vm);
}

static void all_at_once(void)
{
	unsigned int seed = time(NULL), n;
	long lost;

	printf("seed %u\n", seed);
	one_round(seed, 0);
	lost = -numa_unevictable_pages();
	for (n = 1; n <= ROUNDS; n++)
		one_round(seed, n);
	lost += numa_unevictable_pages();
	CASE_EXPECT(lost < 2 * PAGES, "%ld pages did not come back after %d rounds with files of %d", lost, ROUNDS,
		    PAGES);
}

static const struct witness_case cases[] = {
	{
		.name = "all_at_once",
		.verifies = "policies, faults, holes, memory slots and the guest at once: order in the end, and nothing lost",
		.run = all_at_once,
	},
};

static const struct witness_test test = {
	.name = "gmem_policy_race_test",
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
