/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Can this /dev/kvm run a guest at all?
 */
#ifndef KVM_WITNESS_KVM_USABLE_H
#define KVM_WITNESS_KVM_USABLE_H

/*
 * NULL when a VM and a vCPU can be created and, on x86, the vCPU accepts the CPUID
 * that KVM says it supports and 64-bit mode with it; else one line that says what is
 * wrong.  Some sandboxes have a /dev/kvm that opens and creates vCPUs but refuses
 * what it has promised: nothing can run there, and that is no failure of a test.
 */
const char *kvm_unusable(void);

#endif /* KVM_WITNESS_KVM_USABLE_H */
