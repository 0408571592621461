// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_memfd in a cpuset of cgroup v2, which has no spreading: memory without a policy
 * comes from the nodes that are allowed, a policy counts among them.
 *
 * Catches: a policy that breaks out of the cpuset, or is lost when the cpuset loses its
 * node for a while; see gmem_cpuset_spread_test, which is the same for cgroup v1.  A
 * kernel has cpusets in one version at a time, thus a boot without those of v1.
 */
#include "case.h"
#include "gmem_cpuset.h"

static void allowed_nodes(void)
{
	gmem_cpuset_allowed_nodes(2);
}

static void cpuset_beats_policy(void)
{
	gmem_cpuset_beats_policy(2);
}

static const struct witness_case cases[] = {
	{
		.name = "allowed_nodes",
		.verifies = "memory without a policy is taken from the nodes of the task's cpuset",
		.run = allowed_nodes,
	}, {
		.name = "cpuset_beats_policy",
		.verifies = "a policy counts within the cpuset only, and counts again when its node is back",
		.run = cpuset_beats_policy,
	},
};

static const struct witness_test test = {
	.name = "gmem_cpuset_v2_test",
	.needs = "root; cgroup v2 with cpusets; two NUMA nodes with memory; guest_memfd that can be mapped (Linux 6.18)",
	.seed = "https://lore.kernel.org/kvm (2025-10) KVM: guest_memfd: Add NUMA mempolicy support, v13",
	.append = "cgroup_no_v1=cpuset",
	.wants = WANTS_TWO_NODES,
	.setup = gmem_cpuset_setup,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

int main(int argc, char **argv)
{
	return witness_main(&test, argc, argv);
}
