/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process in a cpuset of its own, of cgroup v1 or v2.
 *
 * A kernel has its cpusets in one version at a time, and goes from one to the other when
 * it likes after the last group is gone: a test uses one version only.
 */
#ifndef KVM_WITNESS_CPUSET_H
#define KVM_WITNESS_CPUSET_H

/*
 * Runs body() in a process in a cpuset with all CPUs and these nodes.  What it expects
 * counts for the case.  Skips where there can be no cpuset.
 */
void cpuset_run(int version, unsigned long nodes, void (*body)(void));

/* For body(): changes its own cpuset. */
void cpuset_set_mems(unsigned long nodes);
void cpuset_set(const char *file, const char *value);

#endif /* KVM_WITNESS_CPUSET_H */
