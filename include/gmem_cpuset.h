/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What guest_memfd does in a cpuset of cgroup v1 and v2 alike: the part of
 * gmem_cpuset_spread_test and gmem_cpuset_v2_test that they share.
 *
 * There are two nodes with memory, as numa_two_nodes() tells them.
 */
#ifndef KVM_WITNESS_GMEM_CPUSET_H
#define KVM_WITNESS_GMEM_CPUSET_H

#include <stddef.h>

/* The case runs on a CPU of the first node.  It skips where there is no such thing. */
void gmem_cpuset_setup(void);

/* So many of the pages are on the second node. */
void gmem_cpuset_expect(char *mem, size_t pages, size_t want, const char *what);

/* Cases, for a version of cgroup. */
void gmem_cpuset_allowed_nodes(int version);
void gmem_cpuset_beats_policy(int version);

#endif /* KVM_WITNESS_GMEM_CPUSET_H */
