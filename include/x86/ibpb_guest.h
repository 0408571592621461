/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests for the tests of barriers, and what all of these tests do with them.
 */
#ifndef KVM_WITNESS_X86_IBPB_GUEST_H
#define KVM_WITNESS_X86_IBPB_GUEST_H

#include "compat.h"
#include "ibpb.h"

/*
 * What a guest's CPUID promises.  KVM gives a barrier of its own to guests that can
 * issue IBPBs when they change CPUs, and to guests with IBRS when L2 exits to L1:
 * that would hide the barriers between vCPUs, so most tests show neither.
 */
enum ibpb_shown {
	SHOW_NOTHING	= 0,
	SHOW_IBPB	= 1 << 0,
	SHOW_IBRS	= 1 << 1,
};

/* Sets the CPUID of a vCPU; skips the case when KVM cannot show what is wanted. */
void ibpb_show(struct kvm_vcpu *vcpu, enum ibpb_shown shown);

/* Guest code without end: each GUEST_SYNC() returns to user space. */
void ibpb_guest_code(void);

/* A VM of its own with one vCPU of the ID @id. */
struct kvm_vcpu *ibpb_create_vcpu(u32 id, enum ibpb_shown shown);

/* Enters the guest on watched CPU 0 or 1: until its next GUEST_SYNC(). */
void ibpb_run_on(int cpu, struct kvm_vcpu *vcpu);

/* vcpu_load() and vcpu_put() without an entry. */
void ibpb_load_on(int cpu, struct kvm_vcpu *vcpu);

/* From here on a pending SIGUSR1 turns KVM_RUN of @vcpu back right before VM-entry. */
void ibpb_allow_turning_back(struct kvm_vcpu *vcpu);

/* KVM_RUN with such a signal pending; the signal is taken afterwards. */
void ibpb_turn_back(struct kvm_vcpu *vcpu);

/* KVM_RUN that returns before it has tried to enter the guest. */
void ibpb_immediate_exit(struct kvm_vcpu *vcpu);

/* The setup of a test: skips unless the probe works and barriers between vCPUs are on. */
void ibpb_need_probe(void);

/* Barriers for guests on watched CPU 0 or 1, or on both. */
void ibpb_expect(const struct ibpb_counts *c, int cpu, unsigned int want, const char *what);
void ibpb_expect_both(const struct ibpb_counts *c, unsigned int want0, unsigned int want1, const char *what);

/*
 * An L1 that starts an L2.  The vCPU runs to the end of one stage per
 * ibpb_run_on(); the functions below begin and check stages.
 */
struct kvm_vcpu *ibpb_create_nested(u32 id, enum ibpb_shown shown);

/* What L2 does next when the vCPU is run. */
enum nested_stage {
	NESTED_L2_SYNC,			/* returns to user space */
	NESTED_L2_EXIT,			/* exits to L1, which returns to user space */
};

/*
 * Runs to the end of a stage: L1, if it is its turn, enters L2 first.  The case
 * fails when the vCPU ends elsewhere.
 */
void ibpb_run_nested_on(int cpu, struct kvm_vcpu *vcpu, enum nested_stage stage);

/*
 * An NMI makes L2 exit: at the next KVM_RUN, even if that is turned back before
 * VM-entry.
 */
void ibpb_queue_nmi(struct kvm_vcpu *vcpu);

/* Runs L1, whose L2 has exited by an NMI: until it has seen that. */
void ibpb_run_nmi_on(int cpu, struct kvm_vcpu *vcpu);

/* vcpu_load_state() for a vCPU that may be a hypervisor already. */
void ibpb_load_nested(struct kvm_vcpu *vcpu, struct kvm_x86_state *state);

/* Is the vCPU in L2, as KVM_GET_NESTED_STATE has it? */
bool ibpb_in_l2(struct kvm_vcpu *vcpu);

#endif /* KVM_WITNESS_X86_IBPB_GUEST_H */
