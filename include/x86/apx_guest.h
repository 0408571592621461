/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests with R16 to R31.  The framework gives a vCPU all that KVM offers: its XCR0 has
 * APX from the beginning, and so has the guest that has it taken out again.
 */
#ifndef KVM_WITNESS_X86_APX_GUEST_H
#define KVM_WITNESS_X86_APX_GUEST_H

#include <stdbool.h>
#include <stdint.h>

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

/*
 * Guests that keep: @n vCPUs, up to four, each of which loads a pattern, does @how(), and
 * compares, @times times; each time, and each vCPU, has a pattern of its own.  They have
 * an x2APIC, run under apx_run(), and @how() may GUEST_SYNC().
 */
struct kvm_vm *apx_keepers_create(struct kvm_vcpu **vcpus, int n, void (*how)(void), uint64_t times);

/* Whatever @times was, they end with the round that they are in. */
void apx_keepers_stop(struct kvm_vm *vm);

/* For guest code: counts which of R16 to R31 are not as @want, and keeps the first. */
void apx_compare(const uint64_t want[APX_NR_EGPRS]);

/* Fails the case if one of the VM's guests has counted any: they have changed "after @what". */
void apx_expect_kept(struct kvm_vm *vm, const char *what);

/*
 * How many instructions with REX2 the processor that this thread runs on has executed so
 * far, those of guests not among them; a guest of KVM's is not told.  Only our QEMU counts:
 * apx_need_count() skips the case elsewhere.
 */
void apx_need_count(void);
uint64_t apx_count(void);

#endif /* KVM_WITNESS_X86_APX_GUEST_H */
