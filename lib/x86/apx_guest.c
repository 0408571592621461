// SPDX-License-Identifier: GPL-2.0-only
/*
 * See include/x86/apx_guest.h.
 */
#include <string.h>

#include "apic.h"
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

/* --- guests that keep ----------------------------------------------------- */

/* Counted by the guests. */
static u64 lost, first_got, first_want;

static void (*keep_how)(void);
static u64 keep_times;

void apx_compare(const uint64_t want[APX_NR_EGPRS])
{
	u64 got[APX_NR_EGPRS];
	int i;

	apx_store(got);
	for (i = 0; i < APX_NR_EGPRS; i++) {
		if (got[i] == want[i] || __atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED))
			continue;
		first_got = got[i];
		first_want = want[i];
	}
}

static void keeper(u64 who)
{
	u64 want[APX_NR_EGPRS], i;

	x2apic_enable();
	for (i = 0; i < READ_ONCE(keep_times); i++) {
		apx_pattern(want, i * 4 + who);
		apx_load(want);
		keep_how();
		apx_compare(want);
	}
	GUEST_DONE();
}

struct kvm_vm *apx_keepers_create(struct kvm_vcpu **vcpus, int n, void (*how)(void), uint64_t times)
{
	struct kvm_vm *vm = apx_vm_create(vcpus, n, (void *)keeper);

	keep_how = how;
	keep_times = times;
	sync_global_to_guest(vm, keep_how);
	sync_global_to_guest(vm, keep_times);
	return vm;
}

void apx_keepers_stop(struct kvm_vm *vm)
{
	keep_times = 0;
	sync_global_to_guest(vm, keep_times);
}

void apx_expect_kept(struct kvm_vm *vm, const char *what)
{
	sync_global_from_guest(vm, lost);
	sync_global_from_guest(vm, first_got);
	sync_global_from_guest(vm, first_want);
	CASE_EXPECT(!lost, "%llu times a register is not what it was after %s: %#llx, was %#llx",
		    (unsigned long long)lost, what, (unsigned long long)first_got, (unsigned long long)first_want);
}

/* --- the processor's count ------------------------------------------------ */

void apx_need_count(void)
{
	u32 max, b, c, d;

	cpuid(0x40000000, &max, &b, &c, &d);
	/* "TCGTCGTCGTCG" */
	if (b != 0x54474354 || c != 0x43544743 || d != 0x47435447 || max < REX2_COUNT_LEAF)
		case_skip("this processor does not count its instructions with REX2");
}

uint64_t apx_count(void)
{
	u32 a, b, c, d;

	cpuid(REX2_COUNT_LEAF, &a, &b, &c, &d);
	return a | (u64)b << 32;
}
