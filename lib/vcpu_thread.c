// SPDX-License-Identifier: GPL-2.0-only
/*
 * See include/vcpu_thread.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "case.h"
#include "vcpu_thread.h"

#define PATIENCE	20000000	/* microseconds */

/* A line of a file in /proc/self/task/<tid>/ that begins with @key; false: there is none. */
static bool read_line(struct vcpu_thread *t, const char *file, const char *key, char *line, size_t len)
{
	bool found = false;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", t->tid, file);
	f = fopen(path, "re");
	while (f && !found && fgets(line, len, f))
		found = !strncmp(line, key, strlen(key));
	if (f)
		fclose(f);
	return found;
}

static void on_signal(int sig)
{
}

static void *run(void *arg)
{
	struct vcpu_thread *t = arg;
	struct ucall uc;

	__atomic_store_n(&t->tid, gettid(), __ATOMIC_RELEASE);
	for (;;) {
		if (__vcpu_run(t->vcpu)) {
			TEST_ASSERT(errno == EINTR, "KVM_RUN: %s", strerror(errno));
			return NULL;
		}
		switch (get_ucall(t->vcpu, &uc)) {
		case UCALL_ABORT:
			REPORT_GUEST_ASSERT(uc);
			break;
		case UCALL_NONE:
			__atomic_store_n(&t->ended, true, __ATOMIC_RELEASE);
			return NULL;
		}
	}
}

void vcpu_thread_start(struct vcpu_thread *t, struct kvm_vcpu *vcpu, int cpu)
{
	struct sigaction act = { .sa_handler = on_signal };
	pthread_attr_t attr;
	cpu_set_t set;

	TEST_ASSERT(!sigaction(SIGUSR1, &act, NULL), "sigaction: %s", strerror(errno));
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	memset(t, 0, sizeof(*t));
	t->vcpu = vcpu;
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	TEST_ASSERT(!pthread_create(&t->thread, &attr, run, t), "no thread for a vCPU on CPU %d", cpu);
	pthread_attr_destroy(&attr);
	while (!__atomic_load_n(&t->tid, __ATOMIC_ACQUIRE))
		usleep(100);
}

void vcpu_thread_move(struct vcpu_thread *t, int cpu)
{
	pin_task_to_cpu(t->thread, cpu);
}

static bool asleep(struct vcpu_thread *t)
{
	char line[128];

	return read_line(t, "status", "State:", line, sizeof(line)) && strstr(line, "S (sleeping)");
}

void vcpu_thread_wait_asleep(struct vcpu_thread *t)
{
	uint64_t begin = clock_us();

	while (!asleep(t)) {
		if (clock_us() - begin > PATIENCE)
			case_fail("vCPU %u does not go to sleep", t->vcpu->id);
		usleep(500);
	}
}

uint64_t vcpu_thread_sleeps(struct vcpu_thread *t)
{
	static const char key[] = "voluntary_ctxt_switches:";
	char line[128];

	TEST_ASSERT(read_line(t, "status", key, line, sizeof(line)), "no %s in /proc", key);
	return strtoull(line + strlen(key), NULL, 10);
}

bool vcpu_thread_wait_exit(struct vcpu_thread *t)
{
	uint64_t begin = clock_us();

	while (!__atomic_load_n(&t->ended, __ATOMIC_ACQUIRE)) {
		if (clock_us() - begin > 12000000)
			return false;
		usleep(500);
	}
	return true;
}

void vcpu_thread_stop(struct vcpu_thread *t)
{
	t->vcpu->run->immediate_exit = 1;
	/* The signal wakes it up; one that comes between two KVM_RUNs is seen by the next. */
	while (pthread_tryjoin_np(t->thread, NULL)) {
		pthread_kill(t->thread, SIGUSR1);
		usleep(1000);
	}
	t->vcpu->run->immediate_exit = 0;
}

uint64_t clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

void vcpu_run_on(struct kvm_vcpu *vcpu, int cpu)
{
	pin_self_to_cpu(cpu);
	vcpu_run(vcpu);
}
