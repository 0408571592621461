// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells a /dev/kvm that works from one that does not, see include/kvm_usable.h.
 */
#include <errno.h>
#include <fcntl.h>
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

static const char *try_vcpu(int vcpu)
{
#ifdef __x86_64__
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return bad("KVM_GET_SREGS");
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs))
		return bad("KVM_SET_SREGS of the vCPU's own registers");
#endif
	return NULL;
}

static const char *try_vm(int vm)
{
	const char *ret;
	int vcpu;

	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		return bad("KVM_CREATE_VCPU");
	ret = try_vcpu(vcpu);
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
	ret = try_vm(vm);
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
