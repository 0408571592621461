// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that sleeps in WFI wakes up for an MSI wherever its thread is by then, and each
 * MSI is claimed once.
 *
 * A sleeping vCPU's interrupt file stays on the CPU that it went to sleep on, and it is
 * that CPU's guest external interrupt which wakes it.  When the thread may not run there
 * any more, it wakes up on another, and there KVM asks whether there is something to wake up for.
 *
 * Catches: that question put to the wrong CPU ("RISC-V: KVM: Read HGEIP CSR on the correct
 * cpu", 6.18), and whatever else loses, doubles or delays interrupts while files move.
 *
 * The thread is moved while /proc says that it sleeps: so the window is hit every time,
 * not by luck.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "aia.h"
#include "case.h"
#include "cpu.h"
#include "sbi.h"
#include "vcpu_thread.h"

#define ROUNDS	20
#define BURST	200	/* ids in flight at a time */
#define AUTO	KVM_DEV_RISCV_AIA_MODE_AUTO
#define HWACCEL	KVM_DEV_RISCV_AIA_MODE_HWACCEL

static int cpu[2];

static void setup(void)
{
	aia_need();
	if (!aia_has_guest_files())
		case_skip("no interrupt files for guests on this host");
	cpu_need(cpu, 2);
}

/* --- vCPUs that count what they claim ------------------------------------- */

static struct vcpu_thread threads[AIA_MAX_VCPUS];
static uint32_t sent[AIA_MAX_VCPUS][AIA_MAX_ID + 1], all_sent[AIA_MAX_VCPUS];

static void start_one(struct kvm_vcpu **vcpu, int on)
{
	aia_create_counting(1, HWACCEL, vcpu);
	vcpu_thread_start(&threads[0], *vcpu, on);
	aia_wait_ready(*vcpu);
}

static void send(struct kvm_vcpu *vcpu, unsigned int id)
{
	sent[vcpu->id][id]++;
	all_sent[vcpu->id]++;
	TEST_ASSERT(aia_signal_msi(vcpu, id) >= 0, "KVM_SIGNAL_MSI: %s", strerror(errno));
}

/* Never two of an id at a time: they would be one. */
static void send_next(struct kvm_vcpu *vcpu)
{
	send(vcpu, 1 + all_sent[vcpu->id] % AIA_MAX_ID);
}

static void expect_claimed(struct kvm_vcpu *vcpu, const char *when)
{
	CASE_EXPECT(aia_wait_claims(vcpu, all_sent[vcpu->id]), "vCPU %u %s: %u of %u MSIs claimed", vcpu->id, when,
		    aia_all_claims(vcpu), all_sent[vcpu->id]);
}

static void expect_each_once(struct kvm_vcpu *vcpu)
{
	unsigned int id;

	for (id = 0; id <= AIA_MAX_ID; id++)
		CASE_EXPECT(aia_claims(vcpu, id) == sent[vcpu->id][id], "vCPU %u: MSI %u was sent %u times, claimed %u times",
			    vcpu->id, id, sent[vcpu->id][id], aia_claims(vcpu, id));
}

/* --- moved while asleep --------------------------------------------------- */

static void moved_then_msi(void)
{
	struct kvm_vcpu *vcpu;
	int i;

	start_one(&vcpu, cpu[0]);
	for (i = 0; i < ROUNDS; i++) {
		vcpu_thread_wait_asleep(&threads[0]);
		vcpu_thread_move(&threads[0], cpu[!(i & 1)]);
		send_next(vcpu);
		expect_claimed(vcpu, "moved while it slept");
	}
	expect_each_once(vcpu);
}

/* This thread goes before all others of its CPU. */
static void be_first(bool first)
{
	struct sched_param p = { .sched_priority = first ? 1 : 0 };

	if (sched_setscheduler(0, first ? SCHED_FIFO : SCHED_OTHER, &p))
		case_skip("sched_setscheduler: %s", strerror(errno));
}

/*
 * The MSI's interrupt has made the vCPU runnable on the CPU that it slept on, but not
 * run: this thread is there and goes first.  So it is moved awake and checks elsewhere.
 */
static void msi_then_moved(void)
{
	struct kvm_vcpu *vcpu;
	int i;

	start_one(&vcpu, cpu[0]);
	for (i = 0; i < ROUNDS; i++) {
		vcpu_thread_wait_asleep(&threads[0]);
		pin_self_to_cpu(cpu[i & 1]);
		be_first(true);
		send_next(vcpu);
		vcpu_thread_move(&threads[0], cpu[!(i & 1)]);
		be_first(false);
		expect_claimed(vcpu, "moved before it ran");
	}
	expect_each_once(vcpu);
}

/* There and back while it sleeps: nothing has happened. */
static void moved_back_then_msi(void)
{
	struct kvm_vcpu *vcpu;
	int i;

	start_one(&vcpu, cpu[0]);
	for (i = 0; i < ROUNDS; i++) {
		vcpu_thread_wait_asleep(&threads[0]);
		vcpu_thread_move(&threads[0], cpu[1]);
		vcpu_thread_move(&threads[0], cpu[0]);
		send_next(vcpu);
		expect_claimed(vcpu, "moved there and back");
	}
	expect_each_once(vcpu);
}

/* Not in KVM_RUN, its file on one CPU, MSIs: and it goes on, on the other. */
static void msi_while_stopped(void)
{
	struct kvm_vcpu *vcpu;
	int i, n;

	start_one(&vcpu, cpu[0]);
	for (i = 0; i < ROUNDS / 2; i++) {
		vcpu_thread_stop(&threads[0]);
		for (n = 0; n < BURST; n++)
			send_next(vcpu);
		CASE_EXPECT(aia_all_claims(vcpu) == all_sent[0] - BURST, "MSIs are claimed by a vCPU that does not run");
		vcpu_thread_start(&threads[0], vcpu, cpu[!(i & 1)]);
		expect_claimed(vcpu, "stopped, and started on another CPU");
	}
	expect_each_once(vcpu);
}

/* --- at random ------------------------------------------------------------ */

static unsigned int seed;

static void pause_at_random(unsigned int us)
{
	struct timespec ts = { .tv_nsec = rand_r(&seed) % us * 1000L };

	if (rand_r(&seed) % 4)
		nanosleep(&ts, NULL);
}

static struct mover {
	struct kvm_vcpu **vcpus;
	unsigned int n;
	bool stop;
	unsigned int moves;
} mover;

static void *move_at_random(void *unused)
{
	unsigned int mine = seed + 1;

	while (!__atomic_load_n(&mover.stop, __ATOMIC_RELAXED)) {
		vcpu_thread_move(&threads[rand_r(&mine) % mover.n], cpu[rand_r(&mine) % 2]);
		mover.moves++;
		usleep(rand_r(&mine) % 500);
	}
	return NULL;
}

/* Bursts of MSIs to @n vCPUs whose threads are moved all the time. */
static void storm(struct kvm_vcpu **vcpus, unsigned int n, int bursts)
{
	pthread_t thread;
	unsigned int i;
	int b, k;

	getrandom(&seed, sizeof(seed), 0);
	printf("# seed %u\n", seed);
	mover.n = n;
	pthread_create(&thread, NULL, move_at_random, NULL);
	for (b = 0; b < bursts; b++) {
		for (k = 0; k < BURST; k++) {
			send_next(vcpus[k % n]);
			pause_at_random(300);
		}
		for (i = 0; i < n; i++)
			expect_claimed(vcpus[i], "moved all the time");
	}
	__atomic_store_n(&mover.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	for (i = 0; i < n; i++)
		expect_each_once(vcpus[i]);
	TEST_ASSERT(mover.moves >= 10, "%u moves only", mover.moves);
}

static void storm_asleep(void)
{
	struct kvm_vcpu *vcpu;

	start_one(&vcpu, cpu[0]);
	storm(&vcpu, 1, 3);
}

/* It never sleeps: it is the entry that finds the file on another CPU. */
static void storm_hot(void)
{
	struct kvm_vcpu *vcpu;

	aia_create_counting(1, HWACCEL, &vcpu);
	vcpu_args_set(vcpu, 1, (unsigned long)AIA_SPINS);
	vcpu_thread_start(&threads[0], vcpu, cpu[0]);
	aia_wait_ready(vcpu);
	storm(&vcpu, 1, 3);
}

/* Some have a file of a CPU's, the others do not, and they swap. */
static void storm_more_than_files(void)
{
	struct kvm_vcpu *vcpus[AIA_MAX_VCPUS];
	unsigned int i, n, files[2];

	for (i = 0; i < 2; i++)
		kvm_vm_free(aia_take_files(cpu[i], &files[i]));
	n = files[0] + files[1] + 2;
	if (n > AIA_MAX_VCPUS)
		case_skip("%u interrupt files on two CPUs are more than the test has vCPUs", files[0] + files[1]);
	aia_create_counting(n, AUTO, vcpus);
	for (i = 0; i < n; i++)
		vcpu_thread_start(&threads[i], vcpus[i], cpu[i % 2]);
	for (i = 0; i < n; i++)
		aia_wait_ready(vcpus[i]);
	storm(vcpus, n, 2);
}

/* --- who wakes up, and how often ------------------------------------------ */

/* Several sleep on one CPU, each of them is moved away in turn. */
static void wakes_the_right_one(void)
{
	struct kvm_vcpu *vcpus[3];
	uint64_t wakes[3];
	unsigned int i, k, round;

	aia_create_counting(3, HWACCEL, vcpus);
	for (i = 0; i < 3; i++) {
		vcpu_thread_start(&threads[i], vcpus[i], cpu[0]);
		aia_wait_ready(vcpus[i]);
	}
	for (round = 0; round < ROUNDS / 2; round++) {
		for (i = 0; i < 3; i++) {
			for (k = 0; k < 3; k++) {
				vcpu_thread_wait_asleep(&threads[k]);
				wakes[k] = vcpu_get_stat(vcpus[k], halt_wakeup);
			}
			send_next(vcpus[i]);
			expect_claimed(vcpus[i], "asleep beside others");
			for (k = 0; k < 3; k++)
				CASE_EXPECT(k == i || vcpu_get_stat(vcpus[k], halt_wakeup) == wakes[k],
					    "vCPU %u was woken up for an MSI to vCPU %u", k, i);
		}
		vcpu_thread_move(&threads[round % 3], cpu[1]);
		vcpu_thread_move(&threads[(round + 1) % 3], cpu[0]);
	}
	for (i = 0; i < 3; i++)
		expect_each_once(vcpus[i]);
}

/* One WFI that ends for the MSI, at most one more because the file was elsewhere. */
static void wakes_bounded(void)
{
	uint64_t wfi, exits, sleeps;
	struct kvm_vcpu *vcpu;
	int i;

	start_one(&vcpu, cpu[0]);
	vcpu_thread_wait_asleep(&threads[0]);
	wfi = vcpu_get_stat(vcpu, wfi_exit_stat);
	exits = vcpu_get_stat(vcpu, exits);
	sleeps = vcpu_thread_sleeps(&threads[0]);
	for (i = 0; i < ROUNDS; i++) {
		vcpu_thread_move(&threads[0], cpu[!(i & 1)]);
		send_next(vcpu);
		expect_claimed(vcpu, "moved while it slept");
		vcpu_thread_wait_asleep(&threads[0]);
	}
	wfi = vcpu_get_stat(vcpu, wfi_exit_stat) - wfi;
	exits = vcpu_get_stat(vcpu, exits) - exits;
	sleeps = vcpu_thread_sleeps(&threads[0]) - sleeps;
	printf("# %d moves with an MSI each: %llu WFIs, %llu exits, %llu sleeps\n", ROUNDS, (unsigned long long)wfi,
	       (unsigned long long)exits, (unsigned long long)sleeps);
	TEST_ASSERT(wfi >= ROUNDS, "%llu WFIs for %d MSIs", (unsigned long long)wfi, ROUNDS);
	CASE_EXPECT(wfi <= 2 * ROUNDS, "%llu WFIs for %d MSIs", (unsigned long long)wfi, ROUNDS);
	CASE_EXPECT(sleeps <= 3 * ROUNDS, "%llu sleeps for %d MSIs", (unsigned long long)sleeps, ROUNDS);
}

/* An MSI that is masked in sie is nothing to wake up for, wherever its file is. */
static void guest_sleeps_masked(void)
{
	imsic_init();
	imsic_enable(1, true);
	csr_clear(CSR_SIE, 1UL << 9);
	for (;;)
		guest_wfi();
}

static struct kvm_vcpu *sleeper(void *guest)
{
	struct aia_config config = { .mode = HWACCEL };
	struct kvm_vcpu *vcpu;

	aia_create(vm_create_with_one_vcpu(&vcpu, guest), &config);
	vcpu_thread_start(&threads[0], vcpu, cpu[0]);
	return vcpu;
}

static void expect_sleeps_on(struct kvm_vcpu *vcpu)
{
	uint64_t exits, sleeps;

	vcpu_thread_wait_asleep(&threads[0]);
	exits = vcpu_get_stat(vcpu, exits);
	sleeps = vcpu_thread_sleeps(&threads[0]);
	send(vcpu, 1);
	usleep(500 * 1000);
	CASE_EXPECT(vcpu_get_stat(vcpu, exits) == exits, "the guest was entered");
	sleeps = vcpu_thread_sleeps(&threads[0]) - sleeps;
	CASE_EXPECT(sleeps <= 2, "the vCPU woke up and slept again %llu times in half a second",
		    (unsigned long long)sleeps);
}

static void masked_msi_sleeps(void)
{
	struct kvm_vcpu *vcpu = sleeper(guest_sleeps_masked);

	while (vcpu_get_stat(vcpu, wfi_exit_stat) < 1)
		usleep(1000);
	expect_sleeps_on(vcpu);
}

/* Nor is any for a hart that is stopped. */
#define SBI_HSM			0x48534d
#define SBI_HSM_HART_STOP	1

static bool stops;

static void guest_stops(void)
{
	imsic_init();
	imsic_enable(1, true);
	WRITE_ONCE(stops, true);
	sbi_ecall(SBI_HSM, SBI_HSM_HART_STOP, 0, 0, 0, 0, 0, 0);
	GUEST_FAIL("a hart that is stopped goes on");
}

static void stopped_hart_sleeps(void)
{
	struct kvm_vcpu *vcpu = sleeper(guest_stops);

	while (!READ_ONCE(*(bool *)addr_gva2hva(vcpu->vm, (gva_t)&stops)))
		usleep(1000);
	expect_sleeps_on(vcpu);
}

/* --- how fast ------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	return *(const uint64_t *)a > *(const uint64_t *)b ? 1 : -1;
}

static uint64_t median(uint64_t *us)
{
	qsort(us, ROUNDS, sizeof(*us), by_value);
	return us[ROUNDS / 2];
}

/* From the MSI to its claim, by a vCPU that will wake up on @to; this thread is on the other one. */
static uint64_t latency(struct kvm_vcpu *vcpu, int to)
{
	uint64_t begin;

	vcpu_thread_wait_asleep(&threads[0]);
	pin_self_to_cpu(cpu[!to]);
	vcpu_thread_move(&threads[0], cpu[to]);
	begin = clock_us();
	send_next(vcpu);
	while (aia_all_claims(vcpu) < all_sent[0] && clock_us() - begin < 12000000)
		;
	expect_claimed(vcpu, "timed");
	return clock_us() - begin;
}

/*
 * An unmoved wake-up and a moved one, in turns.  A move costs an inter-processor
 * interrupt and some hundred register accesses.
 */
static void latency_bounded(void)
{
	uint64_t unmoved[ROUNDS], moved[ROUNDS], m, u;
	struct kvm_vcpu *vcpu;
	int i;

	start_one(&vcpu, cpu[0]);
	latency(vcpu, 0);
	for (i = 0; i < ROUNDS; i++) {
		unmoved[i] = latency(vcpu, i & 1);
		moved[i] = latency(vcpu, !(i & 1));
	}
	u = median(unmoved);
	m = median(moved);
	printf("# MSI to claim, median: %llu us, %llu us moved\n", (unsigned long long)u, (unsigned long long)m);
	CASE_EXPECT(m <= 20 * u, "a wake-up takes %llu us after a move, %llu us without one", (unsigned long long)m,
		    (unsigned long long)u);
}

static const struct witness_case cases[] = {
	{
		.name = "moved_then_msi",
		.verifies = "a vCPU whose thread is moved while it sleeps in WFI wakes up for the next MSI",
		.run = moved_then_msi,
	}, {
		.name = "msi_then_moved",
		.verifies = "a vCPU that an MSI has made runnable claims it when its thread is moved before it runs",
		.needs = "root",
		.run = msi_then_moved,
	}, {
		.name = "moved_back_then_msi",
		.verifies = "a vCPU whose thread is moved and moved back while it sleeps wakes up for the next MSI",
		.run = moved_back_then_msi,
	}, {
		.name = "msi_while_stopped",
		.verifies = "MSIs to a vCPU that is not run are claimed when it is, on another CPU",
		.run = msi_while_stopped,
	}, {
		.name = "storm_asleep",
		.verifies = "each MSI to a vCPU that sleeps and is moved, both at random, is claimed once",
		.run = storm_asleep,
	}, {
		.name = "storm_hot",
		.verifies = "each MSI to a vCPU that never sleeps and is moved at random is claimed once",
		.run = storm_hot,
	}, {
		.name = "storm_more_than_files",
		.verifies = "so it is with more vCPUs than the CPUs have interrupt files",
		.run = storm_more_than_files,
	}, {
		.name = "wakes_the_right_one",
		.verifies = "of the vCPUs that sleep on a CPU, or slept there, only the MSI's target wakes up",
		.run = wakes_the_right_one,
	}, {
		.name = "wakes_bounded",
		.verifies = "a move costs one WFI that ends early at most",
		.run = wakes_bounded,
	}, {
		.name = "masked_msi_sleeps",
		.verifies = "a vCPU sleeps while all that is pending is masked in sie",
		.run = masked_msi_sleeps,
	}, {
		.name = "stopped_hart_sleeps",
		.verifies = "a stopped hart sleeps, whatever is pending",
		.run = stopped_hart_sleeps,
	}, {
		.name = "latency_bounded",
		.verifies = "a move makes a wake-up at most twenty times as long",
		.run = latency_bounded,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "aia_wfi_migration_test",
		.needs = "AIA with interrupt files for guests, two CPUs",
		.seed = "RISC-V: KVM: Read HGEIP CSR on the correct cpu (2025-10)",
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
