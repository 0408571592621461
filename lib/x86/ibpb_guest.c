// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests for the tests of barriers, see include/x86/ibpb_guest.h.
 */
#include <signal.h>

#include "case.h"
#include "ibpb_guest.h"
#include "svm_util.h"
#include "vmx.h"

/* Not in every framework: Fn8000_0008_EBX of AMD's manual. */
#define CPUID_AMD_IBRS		KVM_X86_CPU_FEATURE(0x80000008, 0, EBX, 14)
#define CPUID_AMD_SAME_MODE	KVM_X86_CPU_FEATURE(0x80000008, 0, EBX, 19)

static void show(struct kvm_vcpu *vcpu, struct kvm_x86_cpu_feature feature, bool shown, const char *name)
{
	if (shown && !kvm_cpu_has(feature))
		case_skip("KVM cannot show %s to a guest here", name);
	vcpu_set_or_clear_cpuid_feature(vcpu, feature, shown);
}

void ibpb_show(struct kvm_vcpu *vcpu, enum ibpb_shown shown)
{
	/* Intel's bit stands for both IBRS and IBPB. */
	vcpu_clear_cpuid_feature(vcpu, X86_FEATURE_SPEC_CTRL);
	show(vcpu, X86_FEATURE_AMD_IBPB, shown & SHOW_IBPB, "IBPB");
	show(vcpu, CPUID_AMD_IBRS, shown & SHOW_IBRS, "IBRS");
}

void ibpb_guest_code(void)
{
	for (;;)
		GUEST_SYNC(0);
}

struct kvm_vcpu *ibpb_create_vcpu(u32 id, enum ibpb_shown shown)
{
	struct kvm_vm *vm = vm_create(id + 1);
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, id, ibpb_guest_code);

	ibpb_show(vcpu, shown);
	return vcpu;
}

void ibpb_run_on(int cpu, struct kvm_vcpu *vcpu)
{
	ibpb_pin(cpu);
	vcpu_run(vcpu);
}

void ibpb_load_on(int cpu, struct kvm_vcpu *vcpu)
{
	struct kvm_regs regs;

	ibpb_pin(cpu);
	vcpu_regs_get(vcpu, &regs);
}

static sigset_t usr1(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return set;
}

void ibpb_allow_turning_back(struct kvm_vcpu *vcpu)
{
	/* No signal is blocked during KVM_RUN: eight bytes of zero after the length. */
	u32 in_guest[] = { sizeof(u64), 0, 0 };
	sigset_t set = usr1();

	sigprocmask(SIG_BLOCK, &set, NULL);
	vcpu_ioctl(vcpu, KVM_SET_SIGNAL_MASK, (struct kvm_signal_mask *)in_guest);
}

void ibpb_turn_back(struct kvm_vcpu *vcpu)
{
	sigset_t set = usr1();
	int r, err, sig;

	raise(SIGUSR1);
	r = __vcpu_run(vcpu);
	err = errno;
	sigwait(&set, &sig);
	TEST_ASSERT(r == -1 && err == EINTR, "pending signal: KVM_RUN gave %d, errno %d", r, err);
}

void ibpb_immediate_exit(struct kvm_vcpu *vcpu)
{
	int r;

	vcpu->run->immediate_exit = 1;
	r = __vcpu_run(vcpu);
	vcpu->run->immediate_exit = 0;
	TEST_ASSERT(r == -1 && errno == EINTR, "immediate_exit: KVM_RUN gave %d, errno %d", r, errno);
}

void ibpb_need_probe(void)
{
	const char *why = ibpb_probe_open();

	if (!why)
		why = ibpb_vcpu_switch_off();
	if (why)
		case_skip("%s", why);
}

void ibpb_expect(const struct ibpb_counts *c, int cpu, unsigned int want, const char *what)
{
	unsigned int seen = ibpb_by_kvm(c, cpu);

	CASE_EXPECT(seen == want,
		    "%s: %u barriers on CPU %d, want %u (%u at load, %u at VM-entry, %u at nested VM-exit)",
		    what, seen, cpu, want, c->n[cpu][IBPB_VCPU_LOAD], c->n[cpu][IBPB_VM_ENTRY],
		    c->n[cpu][IBPB_NESTED_EXIT]);
}

void ibpb_expect_both(const struct ibpb_counts *c, unsigned int want0, unsigned int want1, const char *what)
{
	ibpb_expect(c, 0, want0, what);
	ibpb_expect(c, 1, want1, what);
}

/* --- L1 and L2 ------------------------------------------------------------ */

enum { SYNC_L1 = 1, SYNC_L2, SYNC_NMI };

/* In the guest: what L2 does after it has been to user space. */
static bool l2_exits;

static void l2_svm(void)
{
	for (;;) {
		GUEST_SYNC(SYNC_L2);
		if (READ_ONCE(l2_exits))
			vmmcall();
	}
}

static void l1_svm(struct svm_test_data *svm)
{
	WITNESS_SVM_SETUP(svm, l2_svm);
	svm->vmcb->control.intercept |= BIT_ULL(INTERCEPT_NMI);
	for (;;) {
		run_guest(svm->vmcb, svm->vmcb_gpa);
		if (svm->vmcb->control.exit_code == SVM_EXIT_NMI) {
			GUEST_SYNC(SYNC_NMI);
			continue;
		}
		GUEST_ASSERT_EQ(svm->vmcb->control.exit_code, SVM_EXIT_VMMCALL);
		svm->vmcb->save.rip += 3;
		GUEST_SYNC(SYNC_L1);
	}
}

static void l2_vmx(void)
{
	for (;;) {
		GUEST_SYNC(SYNC_L2);
		if (READ_ONCE(l2_exits))
			vmcall();
	}
}

static void l1_vmx(struct vmx_pages *vmx)
{
	GUEST_ASSERT(prepare_for_vmx_operation(vmx));
	GUEST_ASSERT(load_vmcs(vmx));
	WITNESS_VMX_SETUP(vmx, l2_vmx);
	vmwrite(PIN_BASED_VM_EXEC_CONTROL, vmreadz(PIN_BASED_VM_EXEC_CONTROL) | PIN_BASED_NMI_EXITING);
	GUEST_ASSERT(!vmlaunch());
	for (;;) {
		if (vmreadz(VM_EXIT_REASON) == EXIT_REASON_EXCEPTION_NMI) {
			GUEST_SYNC(SYNC_NMI);
		} else {
			GUEST_ASSERT_EQ(vmreadz(VM_EXIT_REASON), EXIT_REASON_VMCALL);
			vmwrite(GUEST_RIP, vmreadz(GUEST_RIP) + vmreadz(VM_EXIT_INSTRUCTION_LEN));
			GUEST_SYNC(SYNC_L1);
		}
		GUEST_ASSERT(!vmresume());
	}
}

struct kvm_vcpu *ibpb_create_nested(u32 id, enum ibpb_shown shown)
{
	bool vmx = kvm_cpu_has(X86_FEATURE_VMX);
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	gva_t pages;

	if (!vmx && !kvm_cpu_has(X86_FEATURE_SVM))
		case_skip("no nested virtualization here");
	if (this_cpu_has(CPUID_AMD_SAME_MODE))
		case_skip("the processor's IBRS separates L2 from L1 by itself (same mode IBRS)");
	vm = vm_create(id + 1);
	vcpu = vm_vcpu_add(vm, id, vmx ? (void *)l1_vmx : l1_svm);
	if (vmx)
		vcpu_alloc_vmx(vm, &pages);
	else
		vcpu_alloc_svm(vm, &pages);
	vcpu_args_set(vcpu, 1, pages);
	ibpb_show(vcpu, shown);
	return vcpu;
}

static void expect_sync(struct kvm_vcpu *vcpu, u64 want)
{
	struct ucall uc;
	u64 cmd = get_ucall(vcpu, &uc);

	if (cmd == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);
	TEST_ASSERT(cmd == UCALL_SYNC && uc.args[1] == want, "the guest ended with ucall %llu, %llu, want sync %llu",
		    (unsigned long long)cmd, (unsigned long long)uc.args[1], (unsigned long long)want);
}

void ibpb_run_nested_on(int cpu, struct kvm_vcpu *vcpu, enum nested_stage stage)
{
	l2_exits = stage == NESTED_L2_EXIT;
	sync_global_to_guest(vcpu->vm, l2_exits);
	ibpb_run_on(cpu, vcpu);
	expect_sync(vcpu, l2_exits ? SYNC_L1 : SYNC_L2);
}

void ibpb_queue_nmi(struct kvm_vcpu *vcpu)
{
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
}

void ibpb_run_nmi_on(int cpu, struct kvm_vcpu *vcpu)
{
	ibpb_run_on(cpu, vcpu);
	expect_sync(vcpu, SYNC_NMI);
}

void ibpb_load_nested(struct kvm_vcpu *vcpu, struct kvm_x86_state *state)
{
	struct kvm_nested_state vmxoff = {
		.format = KVM_STATE_NESTED_FORMAT_VMX,
		.size = sizeof(vmxoff),
		.hdr.vmx = { .vmxon_pa = -1, .vmcs12_pa = -1 },
	};

	/* In VMX operation the MSRs that describe VMX cannot be set, not even to what they are. */
	if (kvm_cpu_has(X86_FEATURE_VMX))
		vcpu_nested_state_set(vcpu, &vmxoff);
	vcpu_load_state(vcpu, state);
}

bool ibpb_in_l2(struct kvm_vcpu *vcpu)
{
	static char room[sizeof(struct kvm_nested_state) + 4096];
	struct kvm_nested_state *state = (struct kvm_nested_state *)room;

	state->size = sizeof(room);
	vcpu_nested_state_get(vcpu, state);
	return state->flags & KVM_STATE_NESTED_GUEST_MODE;
}
