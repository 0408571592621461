/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests with R16 to R31.  The framework gives a vCPU all that KVM offers: its XCR0 has
 * APX from the beginning, and so has the guest that has it taken out again.
 */
#ifndef KVM_WITNESS_X86_APX_GUEST_H
#define KVM_WITNESS_X86_APX_GUEST_H

#include <stdbool.h>

#include "apx.h"
#include "compat.h"

#define X86_FEATURE_APX		KVM_X86_CPU_FEATURE(0x7, 1, EDX, 21)

#define APX_MMIO		0x100000000ull	/* of guests of apx_vm_create(), nothing is there */

/* Has the host's processor APX, and has its kernel enabled it? */
bool apx_on_host(void);

/* Skips the case unless guests can have APX here: processor and KVM. */
void apx_need(void);

/* A VM with @n vCPUs that begin at @code, and a page of MMIO. */
struct kvm_vm *apx_vm_create(struct kvm_vcpu **vcpus, int n, void (*code)(void));

/* No APX by CPUID, and XCR0 as it then can be. */
void apx_hide(struct kvm_vcpu *vcpu);

/*
 * Runs it to its next GUEST_SYNC(), and true, or to its GUEST_DONE().  What it reads from
 * MMIO is @mmio_data.  Any other exit fails the case.
 */
bool apx_run(struct kvm_vcpu *vcpu, uint64_t mmio_data);

#endif /* KVM_WITNESS_X86_APX_GUEST_H */
