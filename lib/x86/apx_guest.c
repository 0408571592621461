// SPDX-License-Identifier: GPL-2.0-only
/*
 * See include/x86/apx_guest.h.
 */
#include <string.h>

#include "apx_guest.h"
#include "case.h"

bool apx_on_host(void)
{
	return this_cpu_has(X86_FEATURE_APX) && this_cpu_has(X86_FEATURE_OSXSAVE) && (xgetbv(0) & APX_XCR0);
}

void apx_need(void)
{
	if (!apx_on_host())
		case_skip("no APX in this processor, or off in this kernel");
	if (!kvm_cpu_has(X86_FEATURE_APX))
		case_skip("KVM has no APX for guests");
}

struct kvm_vm *apx_vm_create(struct kvm_vcpu **vcpus, int n, void (*code)(void))
{
	struct kvm_vm *vm = vm_create_with_vcpus(n, code, vcpus);
	int i;

	virt_map(vm, APX_MMIO, APX_MMIO, 1);
	for (i = 0; i < n; i++)
		vcpu_args_set(vcpus[i], 1, (u64)i);
	return vm;
}

void apx_hide(struct kvm_vcpu *vcpu)
{
	struct kvm_xcrs xcrs;

	if (kvm_cpu_has(X86_FEATURE_APX))
		vcpu_clear_cpuid_feature(vcpu, X86_FEATURE_APX);
	vcpu_set_cpuid_property(vcpu, X86_PROPERTY_SUPPORTED_XCR0_LO, kvm_cpu_supported_xcr0() & ~APX_XCR0 & -1u);
	vcpu_xcrs_get(vcpu, &xcrs);
	xcrs.xcrs[0].value &= ~APX_XCR0;
	vcpu_xcrs_set(vcpu, &xcrs);
}

bool apx_run(struct kvm_vcpu *vcpu, uint64_t mmio_data)
{
	struct kvm_run *run = vcpu->run;
	struct ucall uc;

	for (;;) {
		vcpu_run(vcpu);
		if (run->exit_reason == KVM_EXIT_MMIO) {
			if (!run->mmio.is_write)
				memcpy(run->mmio.data, &mmio_data, run->mmio.len);
			continue;
		}
		CASE_EXPECT(run->exit_reason == KVM_EXIT_IO, "KVM_RUN ends with %s", exit_reason_str(run->exit_reason));
		switch (get_ucall(vcpu, &uc)) {
		case UCALL_SYNC:
			return true;
		case UCALL_DONE:
			return false;
		case UCALL_ABORT:
			REPORT_GUEST_ASSERT(uc);
			break;
		}
	}
}
