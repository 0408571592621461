// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's R16 to R31 are what it has put there, whatever others do while it runs: an IPI
 * of another vCPU, a signal to its thread, threads with values of their own on its CPU, a
 * move to another CPU.  And so are the others'.
 *
 * What makes the guest exit here comes at any instant, between any two instructions; an IPI
 * as well, though it is taken where the guest waits for it.  A guest goes on until it has
 * come often enough.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "apic.h"
#include "apx_guest.h"
#include "case.h"
#include "cpu.h"

#define ROUNDS		100		/* of guests that end by themselves */
#define TIMES		50		/* that something is done to others */
#define VECTOR		0x40

static u64 ipis[2];		/* that each vCPU has got */

static void setup(void)
{
	apx_need();
}

/* --- what guests do ------------------------------------------------------- */

/* Nothing, for about a millisecond. */
static void by_time(void)
{
	u64 end = rdtsc() + 3000000;

	while (rdtsc() < end)
		;
}

static u32 me(void)
{
	return x2apic_read_reg(APIC_ID);
}

static void on_ipi(struct ex_regs *regs)
{
	__atomic_add_fetch(&ipis[me()], 1, __ATOMIC_RELAXED);
	x2apic_write_reg(APIC_EOI, 0);
}

/*
 * One to the other vCPU, and one of the other's, which may have come long before.  The
 * next one has to wait until this one has been taken: two of them would be one.
 */
static void by_ipi(void)
{
	static u64 sent[2], ready;
	u32 i = me();

	/* An IPI to an APIC that is not enabled yet is lost. */
	if (!sent[i]) {
		__atomic_add_fetch(&ready, 1, __ATOMIC_RELAXED);
		while (__atomic_load_n(&ready, __ATOMIC_RELAXED) < 2)
			cpu_relax();
	}
	x2apic_write_reg(APIC_ICR, (u64)!i << 32 | APIC_INT_ASSERT | APIC_DM_FIXED | VECTOR);
	sent[i]++;
	/* An interrupt's frame must not hit what the compiler has below the stack. */
	while (__atomic_load_n(&ipis[0], __ATOMIC_RELAXED) < sent[i] ||
	       __atomic_load_n(&ipis[1], __ATOMIC_RELAXED) < sent[i])
		asm volatile("add $-128, %%rsp\n\tsti\n\tpause\n\tcli\n\tsub $-128, %%rsp" : : : "memory", "cc");
}

/* --- threads -------------------------------------------------------------- */

struct runner {
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	int cpu;
};

static void *run(void *arg)
{
	struct runner *r = arg;

	TEST_ASSERT(!__cpu_pin(r->cpu), "no CPU %d for a vCPU", r->cpu);
	while (apx_run(r->vcpu, 0))
		;
	return NULL;
}

static void start(struct runner *r, struct kvm_vcpu *vcpu, int cpu)
{
	*r = (struct runner){ .vcpu = vcpu, .cpu = cpu };
	TEST_ASSERT(!pthread_create(&r->thread, NULL, run, r), "no thread for a vCPU");
}

/* --- cases ---------------------------------------------------------------- */

static void ipis_between_vcpus(void)
{
	struct runner runners[2];
	struct kvm_vcpu *vcpus[2];
	struct kvm_vm *vm = apx_keepers_create(vcpus, 2, by_ipi, ROUNDS);
	int cpus[2], i;

	cpu_need(cpus, 2);
	vm_install_exception_handler(vm, VECTOR, on_ipi);
	for (i = 0; i < 2; i++)
		start(&runners[i], vcpus[i], cpus[i]);
	for (i = 0; i < 2; i++)
		pthread_join(runners[i].thread, NULL);
	apx_expect_kept(vm, "IPIs");
}

static u64 of_handler[APX_NR_EGPRS];

static void on_signal(int sig)
{
	apx_load(of_handler);
}

/* The signal's handler has values of its own, and so has the thread that calls KVM_RUN. */
static void *run_with_values(void *arg)
{
	u64 mine[APX_NR_EGPRS], got[APX_NR_EGPRS];
	struct runner *r = arg;

	apx_pattern(mine, 1000);
	apx_load(mine);
	run(r);
	apx_store(got);
	CASE_EXPECT(!memcmp(mine, got, sizeof(mine)), "signals have changed the registers of the thread that they came to");
	return NULL;
}

static void signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct runner r = { .cpu = cpu_pin_first() };
	struct kvm_vm *vm = apx_keepers_create(&r.vcpu, 1, by_time, UINT64_MAX);

	apx_pattern(of_handler, 1001);
	TEST_ASSERT(!sigaction(SIGUSR1, &act, NULL), "sigaction: %m");
	TEST_ASSERT(!pthread_create(&r.thread, NULL, run_with_values, &r), "no thread for a vCPU");
	while (vcpu_get_stat(r.vcpu, signal_exits) < TIMES) {
		usleep(500);
		pthread_kill(r.thread, SIGUSR1);
	}
	apx_keepers_stop(vm);
	pthread_join(r.thread, NULL);
	apx_expect_kept(vm, "signals");
}

/* Two vCPUs and a thread that is none, which the kernel switches as it likes. */
static void crowded_cpu(void)
{
	u64 mine[APX_NR_EGPRS], got[APX_NR_EGPRS];
	struct kvm_vcpu *vcpus[2];
	struct kvm_vm *vm = apx_keepers_create(vcpus, 2, by_time, UINT64_MAX);
	struct runner runners[2];
	int i, cpu = cpu_pin_first();

	for (i = 0; i < 2; i++)
		start(&runners[i], vcpus[i], cpu);
	for (i = 0; i < TIMES; i++) {
		apx_pattern(mine, 1000 + i);
		apx_load(mine);
		sched_yield();
		usleep(500);
		apx_store(got);
		CASE_EXPECT(!memcmp(mine, got, sizeof(mine)), "another thread's registers change while vCPUs run on its CPU");
	}
	apx_keepers_stop(vm);
	for (i = 0; i < 2; i++)
		pthread_join(runners[i].thread, NULL);
	apx_expect_kept(vm, "other threads");
}

static void moved_while_running(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = apx_keepers_create(&vcpu, 1, by_time, UINT64_MAX);
	struct runner r;
	int cpus[2], i;

	cpu_need(cpus, 2);
	start(&r, vcpu, cpus[0]);
	for (i = 0; i < TIMES; i++) {
		pin_task_to_cpu(r.thread, cpus[i & 1]);
		usleep(500);
	}
	apx_keepers_stop(vm);
	pthread_join(r.thread, NULL);
	apx_expect_kept(vm, "moves to another CPU");
}

static const struct witness_case cases[] = {
	{
		.name = "ipis_between_vcpus",
		.verifies = "R16 to R31 are kept while vCPUs send IPIs to each other",
		.needs = "two CPUs",
		.run = ipis_between_vcpus,
	}, {
		.name = "signals",
		.verifies = "they are kept when signals end KVM_RUN, and so are the thread's own",
		.run = signals,
	}, {
		.name = "crowded_cpu",
		.verifies = "each of two vCPUs and of a thread beside them on one CPU has its own",
		.run = crowded_cpu,
	}, {
		.name = "moved_while_running",
		.verifies = "they move along when the vCPU's thread is moved while the guest runs",
		.needs = "two CPUs",
		.run = moved_while_running,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "apx_others_test",
		.needs = "a processor with APX, and KVM that lets guests have it",
		.seed = "KVM: x86: Enable APX for guests (v4, 2026-05-11)",
		.append = "kvm.spoil_egprs=1",
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
