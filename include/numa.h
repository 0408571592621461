/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NUMA nodes: which there are, where a page is, how many pages of files each holds.
 *
 * The bare system calls are in the framework's numaif.h.  A set of nodes is a mask
 * in a word, as these tests need no more than a few nodes.
 */
#ifndef KVM_WITNESS_NUMA_H
#define KVM_WITNESS_NUMA_H

#include <stdbool.h>
#include <stddef.h>

#define NUMA_MAX_NODES	64

/* The set of this node alone. */
#define NODE(n)		(1UL << (n))

unsigned long numa_nodes_with_memory(void);
unsigned long numa_nodes_with_cpus(void);

/* The nth node (from 0) of a mask, -1 when there are fewer. */
int numa_nth(unsigned long nodes, unsigned int n);

/* Skips the case unless so many nodes have memory. */
void numa_need_nodes(unsigned int n);

/* The first two nodes with memory.  Skips the case when there are fewer. */
void numa_two_nodes(int *first, int *second);

/* Stays on this CPU from now on; the number of its node. */
int __numa_run_on(int cpu);
int numa_run_on(int cpu);

/*
 * A CPU whose own node is this one, -1 when there is none.  Not what the mask of the
 * node says: with numa=fake= it has CPUs that allocate elsewhere.
 */
int numa_cpu_of(int node);

/* Stays on such a CPU.  __numa_run_near() is false when there is none, else the case skips. */
bool __numa_run_near(int node);
void numa_run_near(int node);

/* mbind() with a mask of nodes.  __numa_mbind() returns 0 or -errno. */
int __numa_mbind(void *addr, size_t len, int mode, unsigned long nodes, unsigned int flags);
void numa_mbind(void *addr, size_t len, int mode, unsigned long nodes);

/* The task's policy. */
int __numa_set_task(int mode, unsigned long nodes);
void numa_set_task(int mode, unsigned long nodes);

/* What get_mempolicy(MPOL_F_ADDR) says about an address. */
struct numa_policy {
	int mode;		/* with mode flags */
	unsigned long nodes;
};

int __numa_policy_of(void *addr, struct numa_policy *p);
struct numa_policy numa_policy_of(void *addr);

/* The node of a page that is mapped at this address, else -errno. */
int __numa_node_of(void *addr);
int numa_node_of(void *addr);

/* How many of the pages from there on are on this node. */
size_t numa_pages_on(char *mem, size_t pages, int node);

/*
 * Pages of files by node, which is the only trace that memory leaves which nobody may
 * map.  The kernel's per-CPU differences are folded in first.
 */
struct numa_count {
	long pages[NUMA_MAX_NODES];
};

void numa_count(struct numa_count *c);

/* Skips the case where numa_count() and the two below cannot count. */
void numa_need_count(void);

/* Pages that all slabs take which cannot be reclaimed. */
long numa_slab_pages(void);

/*
 * Pages that cannot be reclaimed, which those of guest_memfd are from the cradle to the
 * grave, give or take the few that wait on each CPU to be counted.  Free pages would say
 * less: CPUs keep thousands of them back.
 */
long numa_unevictable_pages(void);

#endif /* KVM_WITNESS_NUMA_H */
