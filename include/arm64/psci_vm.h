/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM whose guest makes PSCI calls, one by one, as the host wants them.
 *
 * The guest executes HVC with the registers that the host has set and then stores to an
 * address where nothing is: the host sees all that a call did, or that it did not return.
 *
 * Facts: Arm DEN0022 (PSCI), DEN0028 (SMCCC); Documentation/virt/kvm/arm/fw-pseudo-registers.rst.
 */
#ifndef KVM_WITNESS_ARM64_PSCI_VM_H
#define KVM_WITNESS_ARM64_PSCI_VM_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/psci.h>

#include "case.h"
#include "compat.h"

#define PSCI_VCPUS		2
#define PSCI_CALLED_GPA		0x0c000000UL	/* where the guest stores when a call has returned */
#define NOT_SUPPORTED		((uint64_t)PSCI_RET_NOT_SUPPORTED)
#define INVALID			((uint64_t)PSCI_RET_INVALID_PARAMS)
#define FAILURE			((uint64_t)PSCI_RET_INTERNAL_FAILURE)

/* --- versions ------------------------------------------------------------- */

/* Those that have been published since 0.1, which has no register: oldest first. */
#define NR_PSCI_VERSIONS	5
extern const uint64_t psci_versions[NR_PSCI_VERSIONS];

#define for_each_psci_version(v)	for (v = psci_versions; v < psci_versions + NR_PSCI_VERSIONS; v++)

/* "1.3"; good until it has been used four times more. */
const char *psci_text(uint64_t version);

/* KVM_REG_ARM_PSCI_VERSION; setting it returns 0 or the errno. */
uint64_t psci_get_version(struct kvm_vcpu *vcpu);
int psci_set_version(struct kvm_vcpu *vcpu, uint64_t version);

/* Sets one, or says that this kernel is too old for it. */
bool psci_has_version(struct kvm_vcpu *vcpu, uint64_t version);

/* --- the VM --------------------------------------------------------------- */

/* The guest's program: of any vCPU, at any time. */
void psci_guest(void);

/* A VM with PSCI 0.2 and later, or with what there was before. */
struct kvm_vm *psci_create(struct kvm_vcpu *vcpus[PSCI_VCPUS]);
struct kvm_vm *psci_create_0_1(struct kvm_vcpu *vcpus[PSCI_VCPUS]);

/* KVM_ARM_VCPU_INIT, then to the start of psci_guest() with all that it needs. */
void psci_reset_vcpu(struct kvm_vcpu *vcpu);

uint64_t psci_get_x(struct kvm_vcpu *vcpu, unsigned int n);
bool psci_stopped(struct kvm_vcpu *vcpu);
void psci_set_stopped(struct kvm_vcpu *vcpu, bool stop);

/* --- calls ---------------------------------------------------------------- */

/* What the guest has in x0 to x3 when it runs next. */
void psci_set_call(struct kvm_vcpu *vcpu, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3);

/* Runs until the call has returned or something else ends KVM_RUN; errno or 0. */
int psci_run(struct kvm_vcpu *vcpu);
bool psci_returned(struct kvm_vcpu *vcpu);

/* A vCPU that turns itself off sleeps in KVM_RUN until a signal; errno or 0. */
int psci_run_until_stopped(struct kvm_vcpu *vcpu);

/* What the call returns to the guest; one that does not return fails the case. */
uint64_t psci_call3(struct kvm_vcpu *vcpu, uint64_t id, uint64_t x1, uint64_t x2, uint64_t x3);
uint64_t psci_call(struct kvm_vcpu *vcpu, uint64_t id, uint64_t x1);

/* PSCI_FEATURES of a function. */
uint64_t psci_features(struct kvm_vcpu *vcpu, uint32_t id);

/* The version of the VM that was called last: a failure names it. */
uint64_t psci_called_version(void);

#define EXPECT_RETURNS(want, call)								\
do {												\
	uint64_t __got = (call), __want = (want);						\
												\
	CASE_EXPECT(__got == __want, #call " is %#lx, not %#lx, PSCI %s", __got, __want,	\
		    psci_text(psci_called_version()));						\
} while (0)

#endif
