// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VMSCAPE's mitigation costs, in instructions on a machine whose clock counts them,
 * in cycles of the time stamp counter elsewhere: "make bench" and "make bench-host" show
 * the figures, for the mitigation that the kernel was booted with.
 *
 * Catches: a flush that goes on after the first return to user space, which then each
 * system call pays for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <x86intrin.h>

#include "case.h"
#include "compat.h"
#include "cpu.h"

#define TIMES	201
#define GUESTS	8

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC(0);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t *v)
{
	qsort(v, TIMES, sizeof(*v), by_value);
	return v[TIMES / 2];
}

static uint64_t cost_of_system_call(void)
{
	uint64_t cost[TIMES], begin;
	int i;

	for (i = 0; i < TIMES; i++) {
		begin = __rdtsc();
		syscall(SYS_getppid);
		cost[i] = __rdtsc() - begin;
	}
	return median(cost);
}

static uint64_t cost_of_run(struct kvm_vcpu *vcpu)
{
	uint64_t cost[TIMES], begin;
	int i;

	for (i = 0; i < TIMES; i++) {
		begin = __rdtsc();
		vcpu_run(vcpu);
		cost[i] = __rdtsc() - begin;
	}
	return median(cost);
}

static void system_calls_stay_cheap(void)
{
	const char *clock = getenv("KVM_WITNESS_CLOCK");
	uint64_t before, run = ~0ULL, after, cost;
	struct kvm_vcpu *vcpu;
	char line[128] = "";
	int i;

	cpu_pin_first();
	cpu_vulnerability("vmscape", line, sizeof(line));
	before = cost_of_system_call();
	/* What else a KVM_RUN does depends on where in memory things are: the cheapest counts. */
	for (i = 0; i < GUESTS; i++) {
		vm_create_with_one_vcpu(&vcpu, guest_code);
		vcpu_run(vcpu);
		cost = cost_of_run(vcpu);
		run = cost < run ? cost : run;
	}
	after = cost_of_system_call();
	printf("cost: %s: %llu %s a KVM_RUN of one VM-exit, %llu a system call\n", line,
	       (unsigned long long)run, clock ?: "cycles", (unsigned long long)after);
	fflush(stdout);
	if (!clock)
		case_skip("not discriminating: this machine's clock does not count instructions");
	CASE_EXPECT(after == before, "a system call costs %llu %s after a guest has run, %llu before",
		    (unsigned long long)after, clock, (unsigned long long)before);
}

static const struct witness_case cases[] = {
	{
		.name = "system_calls_stay_cheap",
		.verifies = "once it has flushed, a CPU that has run a guest executes a system call in as few instructions as before",
		.needs = "a machine whose clock counts instructions",
		.run = system_calls_stay_cheap,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "vmscape_cost_test",
		.needs = "nothing else",
		.seed = "x86/vmscape: VMSCAPE optimization for BHI variant (v8 2026-03-24, v12 2026-06-22)",
		.append = "setcpuid=ibpb,674,vmscape",
		.wants = WANTS_OWN_MITIGATIONS,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
