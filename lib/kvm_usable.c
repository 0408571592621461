// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells a /dev/kvm that works from one that does not, see include/kvm_usable.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "kvm_usable.h"

static char why[160];

static const char *bad(const char *what)
{
	snprintf(why, sizeof(why), "/dev/kvm is not usable: %s: %s", what, strerror(errno));
	return why;
}

#ifdef __x86_64__

#define MAX_CPUID_ENTRIES	256

/* 64-bit mode as the framework sets it up, with all the paging levels promised. */
static const char *try_vcpu(int kvm, int vcpu)
{
	static struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[MAX_CPUID_ENTRIES];
	} cpuid = { .head.nent = MAX_CPUID_ENTRIES };
	struct kvm_sregs sregs;
	bool la57 = false;
	unsigned int i;

	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) || ioctl(vcpu, KVM_SET_CPUID2, &cpuid))
		return bad("KVM_SET_CPUID2 of the supported CPUID");
	for (i = 0; i < cpuid.head.nent; i++) {
		if (cpuid.entries[i].function == 7 && !cpuid.entries[i].index)
			la57 = cpuid.entries[i].ecx & (1u << 16);
	}

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return bad("KVM_GET_SREGS");
	sregs.cr0 = 0x80000021;				/* PG, NE, PE */
	sregs.cr4 |= 0x220 | (la57 ? 0x1000 : 0);	/* OSFXSR, PAE, LA57 */
	sregs.efer |= 0x500;				/* LMA, LME */
	sregs.cs.l = 1;
	sregs.cs.db = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs))
		return bad(la57 ? "KVM_SET_SREGS with the 5-level paging that it says it supports" :
			   "KVM_SET_SREGS with 64-bit mode");
	return NULL;
}

#else

static const char *try_vcpu(int kvm, int vcpu)
{
	return NULL;
}

#endif

static const char *try_vm(int kvm, int vm)
{
	const char *ret;
	int vcpu;

	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		return bad("KVM_CREATE_VCPU");
	ret = try_vcpu(kvm, vcpu);
	close(vcpu);
	return ret;
}

static const char *try_kvm(int kvm)
{
	const char *ret;
	int vm, version;

	version = ioctl(kvm, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		snprintf(why, sizeof(why), "/dev/kvm is not usable: API version %d, not %d",
			 version, KVM_API_VERSION);
		return why;
	}
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return bad("KVM_CREATE_VM");
	ret = try_vm(kvm, vm);
	close(vm);
	return ret;
}

const char *kvm_unusable(void)
{
	const char *ret;
	int kvm;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0) {
		snprintf(why, sizeof(why), "no /dev/kvm: %s", strerror(errno));
		return why;
	}
	ret = try_kvm(kvm);
	close(kvm);
	return ret;
}
