/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU in a thread of its own, on one CPU at a time.
 */
#ifndef KVM_WITNESS_VCPU_THREAD_H
#define KVM_WITNESS_VCPU_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "compat.h"

struct vcpu_thread {
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	pid_t tid;
	bool ended;
};

/* Runs @vcpu again and again, on @cpu; of its ucalls only GUEST_ASSERT() counts. */
void vcpu_thread_start(struct vcpu_thread *t, struct kvm_vcpu *vcpu, int cpu);

/* From here on it runs on @cpu only.  One that sleeps does not wake up for that. */
void vcpu_thread_move(struct vcpu_thread *t, int cpu);

/*
 * Waits until the vCPU sleeps: in WFI, or because it is stopped; nothing else makes
 * KVM_RUN sleep.  Fails the case after twenty seconds.
 */
void vcpu_thread_wait_asleep(struct vcpu_thread *t);

/* How often the thread has gone to sleep so far; one that is about to is not counted yet. */
uint64_t vcpu_thread_sleeps(struct vcpu_thread *t);

/* Waits until KVM_RUN has returned with an exit that is no ucall; false: not in twelve seconds. */
bool vcpu_thread_wait_exit(struct vcpu_thread *t);

/* Ends the thread; the vCPU can be started again. */
void vcpu_thread_stop(struct vcpu_thread *t);

/* Of a clock that goes on while nothing runs. */
uint64_t clock_us(void);

/* One KVM_RUN in this thread, on @cpu. */
void vcpu_run_on(struct kvm_vcpu *vcpu, int cpu);

#endif /* KVM_WITNESS_VCPU_THREAD_H */
