/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the framework differs from kernel version to kernel version, the tests
 * see one form of it: this one.
 *
 * Makefile.tests looks into the tree and says which form it has.
 */
#ifndef KVM_WITNESS_COMPAT_H
#define KVM_WITNESS_COMPAT_H

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"

/* Since 7.3 generic_svm_setup() takes L2's stack from vcpu_alloc_svm(). */
#ifdef WITNESS_SVM_SETUP_WANTS_STACK
#define WITNESS_SVM_SETUP(svm, code)						\
do {										\
	static unsigned long l2_stack[512];					\
										\
	generic_svm_setup(svm, code, &l2_stack[ARRAY_SIZE(l2_stack)]);		\
} while (0)
#else
#define WITNESS_SVM_SETUP(svm, code)	generic_svm_setup(svm, code)
#endif

/* Until 7.2 prepare_vmcs() took L2's stack, since 7.3 it comes with the vmx_pages. */
#ifdef WITNESS_VMX_SETUP_WANTS_STACK
#define WITNESS_VMX_SETUP(vmx, code)						\
do {										\
	static unsigned long l2_stack[512];					\
										\
	prepare_vmcs(vmx, code, &l2_stack[ARRAY_SIZE(l2_stack)]);		\
} while (0)
#else
#define WITNESS_VMX_SETUP(vmx, code)	prepare_vmcs(vmx, code)
#endif

#endif /* KVM_WITNESS_COMPAT_H */
