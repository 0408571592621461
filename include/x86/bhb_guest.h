/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests that are told how large their branch history is: by BHI_CTRL, by
 * KVM_FEATURE_SHORT_BHB_SEQ (docs/bhb-short.md), or not at all.
 */
#ifndef KVM_WITNESS_X86_BHB_GUEST_H
#define KVM_WITNESS_X86_BHB_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "compat.h"

/* Of MSR_IA32_SPEC_CTRL. */
#define BHB_IBRS	(1ull << 0)
#define BHB_STIBP	(1ull << 1)
#define BHB_BHI_DIS_S	(1ull << 10)

/* What a vCPU's CPUID has, on top of all else that KVM supports. */
enum bhb_shown {
	BHB_SHOW_NOTHING	= 0,
	BHB_SHOW_SHORT		= 1 << 0,	/* KVM_FEATURE_SHORT_BHB_SEQ */
	BHB_SHOW_BHI_CTRL	= 1 << 1,
};

/* Is the bit among what KVM supports?  And BHI_CTRL? */
bool bhb_kvm_supports_short(void);
bool bhb_kvm_supports_bhi_ctrl(void);

/* KVM_SET_CPUID2 of just that; 0 or -errno.  bhb_show() fails the case. */
int __bhb_show(struct kvm_vcpu *vcpu, enum bhb_shown shown);
void bhb_show(struct kvm_vcpu *vcpu, enum bhb_shown shown);

/* What the vCPU's CPUID has, as KVM_GET_CPUID2 tells, and as the guest reads it. */
enum bhb_shown bhb_shown(struct kvm_vcpu *vcpu);
enum bhb_shown bhb_guest_reads(struct kvm_vcpu *vcpu);

/* A VM with one vCPU. */
struct kvm_vcpu *bhb_create(enum bhb_shown shown);

/* Another vCPU for it. */
struct kvm_vcpu *bhb_add(struct kvm_vm *vm, u32 id, enum bhb_shown shown);

/* The guest accesses SPEC_CTRL: the vector of the exception, 0 when there is none. */
unsigned int bhb_guest_writes(struct kvm_vcpu *vcpu, uint64_t value);
unsigned int bhb_guest_reads_spec_ctrl(struct kvm_vcpu *vcpu, uint64_t *value);

/* The guest exits to KVM and is entered again some times, then it returns to user space. */
void bhb_guest_runs(struct kvm_vcpu *vcpu);

/* Cases for a host where the bit would be a lie: it is not offered, and refused. */
void bhb_case_not_offered(void);
void bhb_case_refused(void);

/*
 * SPEC_CTRL as it really was at each VM-entry, by the machine's own log.  Opening it
 * skips the case where there is none; between begin and end the calling thread stays on
 * its CPU, and only what it enters there counts.
 */
struct bhb_entries {
	unsigned int all;
	unsigned int with;		/* with BHI_DIS_S */
	uint64_t any, every;		/* bits that were set at some entry, at every one */
};

void bhb_entries_need(void);
void bhb_entries_begin(void);
struct bhb_entries bhb_entries_end(void);

#endif /* KVM_WITNESS_X86_BHB_GUEST_H */
