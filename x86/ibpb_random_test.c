// SPDX-License-Identifier: GPL-2.0-only
/*
 * The number of barriers that each CPU owes, by a model: who was entered there last,
 * and where was each vCPU entered last.  Against it run long random walks: of one
 * thread step by step, and of threads that are moved and preempted at any instant.
 *
 * Catches what no short sequence shows: state that goes stale after many moves, and
 * windows between load, preemption and VM-entry.
 *
 * A walk is told by its seed.  Replay one with KVM_WITNESS_SEED=<seed> in the
 * environment; in a machine: run_tests.sh --append KVM_WITNESS_SEED=<seed>.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "case.h"
#include "compat.h"
#include "ibpb.h"
#include "ibpb_guest.h"
#include "kallsyms.h"

#define VCPUS	3

static u32 seed;

/* xorshift32: the same walk from the same seed, everywhere. */
static u32 random_below(u32 n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

static void take_seed(void)
{
	const char *given = getenv("KVM_WITNESS_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoul(given, NULL, 0) : (u32)now.tv_nsec ^ (u32)now.tv_sec;
	seed += !seed;
	printf("# seed %u\n", seed);
}

/* --- one thread, step by step ---------------------------------------------- */

#define STEPS		1000
#define WINDOW_STEPS	20

static struct kvm_vcpu *vcpus[VCPUS];
static const enum ibpb_shown shown[VCPUS] = { SHOW_NOTHING, SHOW_NOTHING, SHOW_IBPB };

static struct {
	int last_vcpu[IBPB_CPUS];	/* that was entered on the CPU; -1: nobody yet */
	int last_cpu[VCPUS];		/* where the vCPU was entered; -1: nowhere yet */
	unsigned int owed[IBPB_CPUS];	/* barriers in this window */
} model;

static void model_enter(int vcpu, int cpu)
{
	bool moved = model.last_cpu[vcpu] >= 0 && model.last_cpu[vcpu] != cpu;

	model.owed[cpu] += model.last_vcpu[cpu] != vcpu || (moved && shown[vcpu] & SHOW_IBPB);
	model.last_vcpu[cpu] = vcpu;
	model.last_cpu[vcpu] = cpu;
}

/* Appends what was done to @log: "r12" is vCPU 1 run on CPU 2. */
static void step(char *log)
{
	int v = random_below(VCPUS), cpu = random_below(IBPB_CPUS);
	char what = "rrllib"[random_below(6)];

	sprintf(log + strlen(log), " %c%d%d", what, v, cpu);
	switch (what) {
	case 'r':
		ibpb_run_on(cpu, vcpus[v]);
		model_enter(v, cpu);
		break;
	case 'l':
		ibpb_load_on(cpu, vcpus[v]);
		break;
	case 'i':
		ibpb_pin(cpu);
		ibpb_immediate_exit(vcpus[v]);
		break;
	case 'b':
		ibpb_pin(cpu);
		ibpb_turn_back(vcpus[v]);
		break;
	}
}

static void step_by_step(void)
{
	struct ibpb_counts c;
	char log[16 * WINDOW_STEPS];
	int i, j, cpu;

	take_seed();
	for (i = 0; i < VCPUS; i++) {
		vcpus[i] = ibpb_create_vcpu(i, shown[i]);
		ibpb_allow_turning_back(vcpus[i]);
		model.last_cpu[i] = -1;
	}
	/* Another test's vCPU may have been the last one before. */
	for (cpu = 0; cpu < IBPB_CPUS; cpu++) {
		model.last_vcpu[cpu] = -1;
		ibpb_run_on(cpu, vcpus[0]);
		model_enter(0, cpu);
	}

	for (i = 0; i < STEPS; i += WINDOW_STEPS) {
		*log = '\0';
		memset(model.owed, 0, sizeof(model.owed));
		ibpb_window_open();
		for (j = 0; j < WINDOW_STEPS; j++)
			step(log);
		c = ibpb_window_close();
		ibpb_expect_both(&c, model.owed[0], model.owed[1], log);
	}
}

/* --- threads that are moved at any instant --------------------------------- */

#define WINDOWS		6
#define WINDOW_RUNS	25

static pthread_barrier_t window_begin, window_end;
static atomic_int running;

/* Many exits that KVM handles itself: preemption meets KVM_RUN everywhere. */
static void busy_guest_code(void)
{
	u32 a, b, c, d;
	int i;

	for (;;) {
		for (i = 0; i < 4; i++)
			cpuid(0, &a, &b, &c, &d);
		GUEST_SYNC(0);
	}
}

static void *run_windows(void *vcpu)
{
	int i, j;

	for (i = 0; i < WINDOWS; i++) {
		pthread_barrier_wait(&window_begin);
		for (j = 0; j < WINDOW_RUNS; j++)
			vcpu_run(vcpu);
		running--;
		pthread_barrier_wait(&window_end);
	}
	return NULL;
}

static void move(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(ibpb_cpu(cpu), &set);
	TEST_ASSERT_EQ(pthread_setaffinity_np(thread, sizeof(set), &set), 0);
}

/* The mover is what preempts: it has a real-time priority and runs on all CPUs in turn. */
static void become_real_time(void)
{
	struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		case_skip("no real-time priority to be had");
}

static void at_any_instant(void)
{
	const struct timespec moment = { .tv_nsec = 20000 };
	const struct ibpb_event *events;
	pthread_t threads[VCPUS];
	unsigned int switches = 0;
	const char *why;
	size_t nr;
	int i, w;

	take_seed();
	why = ibpb_trace();
	if (why)
		case_skip("%s", why);
	pthread_barrier_init(&window_begin, NULL, VCPUS + 1);
	pthread_barrier_init(&window_end, NULL, VCPUS + 1);
	for (i = 0; i < VCPUS; i++) {
		struct kvm_vm *vm = vm_create(i + 1);

		vcpus[i] = vm_vcpu_add(vm, i, busy_guest_code);
		ibpb_show(vcpus[i], SHOW_NOTHING);
		TEST_ASSERT_EQ(pthread_create(&threads[i], NULL, run_windows, vcpus[i]), 0);
	}
	become_real_time();

	for (w = 0; w < WINDOWS; w++) {
		running = VCPUS;
		ibpb_window_open();
		pthread_barrier_wait(&window_begin);
		while (running) {
			move(threads[random_below(VCPUS)], random_below(IBPB_CPUS));
			ibpb_pin(random_below(IBPB_CPUS));
			nanosleep(&moment, NULL);
		}
		pthread_barrier_wait(&window_end);
		ibpb_window_close();
		for (i = 0; i < IBPB_CPUS; i++) {
			events = ibpb_events(i, &nr);
			why = ibpb_check_order(events, nr, &switches);
			CASE_EXPECT(!why, "CPU %d: %s", i, why);
		}
	}
	printf("# %u switches of vCPUs\n", switches);
	if (switches < WINDOWS * VCPUS)
		case_skip("not discriminating: only %u switches of vCPUs came about", switches);
	for (i = 0; i < VCPUS; i++)
		pthread_join(threads[i], NULL);
}

static const struct witness_case cases[] = {
	{
		.name = "step_by_step",
		.verifies = "1000 random loads, runs and turned back runs of 3 vCPUs on 2 CPUs cost what the model says",
		.run = step_by_step,
	}, {
		.name = "at_any_instant",
		.verifies = "vCPU threads that are preempted and moved at random have each barrier right before its VM-entry",
		.needs = "tracepoints; real-time priorities; what the test needs",
		.run = at_any_instant,
	},
};

static const struct witness_test test = {
	.name = "ibpb_random_test",
	.needs = "IBPB; two CPUs; spectre_v2_user not off; no IBPB on kernel entry; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
	.seed = "https://lore.kernel.org/kvm (2026-01-27) KVM: x86: Defer IBPBs for vCPU and nested transitions until core run loop",
	.prepare = kallsyms_prepare,
	.setup = ibpb_need_probe,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

int main(int argc, char **argv)
{
	return witness_main(&test, argc, argv);
}
