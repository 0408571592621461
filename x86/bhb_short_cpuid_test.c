// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM may tell a guest that the short sequence clears its branch history
 * (KVM_FEATURE_SHORT_BHB_SEQ, docs/bhb-short.md).  On a processor with BHI_CTRL that is
 * true only if BHI_DIS_S is set whenever the guest runs.
 *
 * Catches: a promise without BHI_DIS_S, or one that the guest can undo by a write, an
 * INIT or an L2; BHI_DIS_S that the guest sees, or that others get as well; a promise
 * beside BHI_CTRL; vCPUs of one VM that were told different things; and a guest that
 * sets BHI_DIS_S though BHI_CTRL is hidden from it, as in Linux 7.3.
 *
 * Sound because the machine logs SPEC_CTRL at each VM-entry.  A zero stands beside an
 * entry of a guest that has BHI_CTRL and has set the bit itself.
 */
#include "bhb_guest.h"
#include "case.h"
#include "cpu.h"
#include "vmx.h"

#define WRITES	(BHB_IBRS | BHB_STIBP)

static void setup(void)
{
	cpu_pin_first();
	if (!bhb_kvm_supports_bhi_ctrl())
		case_skip("KVM has no BHI_CTRL to show to guests");
}

/* What the log has of one guest while it runs. */
static struct bhb_entries entries_of(struct kvm_vcpu *vcpu)
{
	bhb_entries_begin();
	bhb_guest_runs(vcpu);
	return bhb_entries_end();
}

static void expect_always(struct kvm_vcpu *vcpu, const char *when)
{
	struct bhb_entries e = entries_of(vcpu);

	CASE_EXPECT(e.with == e.all, "%s: %u of %u VM-entries with BHI_DIS_S, want all", when, e.with, e.all);
}

static void expect_never(struct kvm_vcpu *vcpu, const char *when)
{
	struct bhb_entries e = entries_of(vcpu);

	CASE_EXPECT(!e.with, "%s: %u of %u VM-entries with BHI_DIS_S, want none", when, e.with, e.all);
}

/* Shows that the log would have it. */
static void control(void)
{
	struct kvm_vcpu *vcpu = bhb_create(BHB_SHOW_BHI_CTRL);
	struct bhb_entries e;

	TEST_ASSERT(!bhb_guest_writes(vcpu, BHB_BHI_DIS_S), "a guest with BHI_CTRL cannot set BHI_DIS_S");
	e = entries_of(vcpu);
	TEST_ASSERT(e.with == e.all, "the log has BHI_DIS_S at %u of %u VM-entries", e.with, e.all);
	kvm_vm_free(vcpu->vm);
}

static void expect_reads(struct kvm_vcpu *vcpu, uint64_t want, const char *when)
{
	uint64_t seen, vector = bhb_guest_reads_spec_ctrl(vcpu, &seen);

	CASE_EXPECT(!vector && seen == want, "%s: the guest reads SPEC_CTRL %#llx (vector %llu), want %#llx", when,
		    (unsigned long long)seen, (unsigned long long)vector, (unsigned long long)want);
	seen = vcpu_get_msr(vcpu, MSR_IA32_SPEC_CTRL);
	CASE_EXPECT(seen == want, "%s: KVM_GET_MSRS has SPEC_CTRL %#llx, want %#llx", when,
		    (unsigned long long)seen, (unsigned long long)want);
}

/* --- the bit -------------------------------------------------------------- */

static void offered(void)
{
	CASE_EXPECT(bhb_kvm_supports_short(), "KVM does not offer the bit");
}

static void never_with_bhi_ctrl(void)
{
	struct kvm_vcpu *vcpu = bhb_create(BHB_SHOW_SHORT | BHB_SHOW_BHI_CTRL);

	CASE_EXPECT(bhb_shown(vcpu) == BHB_SHOW_BHI_CTRL, "KVM_GET_CPUID2 has %d, want BHI_CTRL alone (%d)",
		    bhb_shown(vcpu), BHB_SHOW_BHI_CTRL);
	CASE_EXPECT(bhb_guest_reads(vcpu) == BHB_SHOW_BHI_CTRL, "the guest reads %d, want BHI_CTRL alone (%d)",
		    bhb_guest_reads(vcpu), BHB_SHOW_BHI_CTRL);
}

static void as_user_space_wants(void)
{
	static const enum bhb_shown all[] = { BHB_SHOW_NOTHING, BHB_SHOW_SHORT, BHB_SHOW_BHI_CTRL };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct kvm_vcpu *vcpu = bhb_create(all[i]);

		CASE_EXPECT(bhb_shown(vcpu) == all[i], "KVM_GET_CPUID2 has %d, want %d", bhb_shown(vcpu), all[i]);
		CASE_EXPECT(bhb_guest_reads(vcpu) == all[i], "the guest reads %d, want %d",
			    bhb_guest_reads(vcpu), all[i]);
		kvm_vm_free(vcpu->vm);
	}
}

static void changed_mind(void)
{
	struct kvm_vcpu *vcpu;

	bhb_entries_need();
	control();
	vcpu = bhb_create(BHB_SHOW_SHORT);
	bhb_show(vcpu, BHB_SHOW_NOTHING);
	expect_never(vcpu, "the bit was set and cleared before the first run");
	vcpu = bhb_create(BHB_SHOW_NOTHING);
	bhb_show(vcpu, BHB_SHOW_SHORT);
	expect_always(vcpu, "the bit was set before the first run");
}

static void fixed_by_first_run(void)
{
	static const enum bhb_shown all[] = { BHB_SHOW_NOTHING, BHB_SHOW_SHORT, BHB_SHOW_SHORT | BHB_SHOW_BHI_CTRL };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct kvm_vcpu *vcpu = bhb_create(all[i]);
		int ret;

		bhb_guest_runs(vcpu);
		ret = __bhb_show(vcpu, all[i] ? BHB_SHOW_NOTHING : BHB_SHOW_SHORT);
		CASE_EXPECT(ret == -EINVAL, "another CPUID than %d after KVM_RUN: %d, want -EINVAL", all[i], ret);
		ret = __bhb_show(vcpu, all[i]);
		CASE_EXPECT(!ret, "the same CPUID (%d) after KVM_RUN: %d, want 0", all[i], ret);
		kvm_vm_free(vcpu->vm);
	}
}

static void vcpus_agree(void)
{
	static const enum bhb_shown all[] = { BHB_SHOW_NOTHING, BHB_SHOW_SHORT };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct kvm_vcpu *first = bhb_create(all[i]), *second;
		int ret;

		second = bhb_add(first->vm, 1, all[!i]);
		bhb_guest_runs(first);
		ret = __vcpu_run(second);
		CASE_EXPECT(ret && errno == EINVAL, "KVM_RUN of a vCPU with %d after one with %d: %s, want EINVAL",
			    all[!i], all[i], ret ? strerror(errno) : "it ran");
		bhb_show(second, all[i]);
		bhb_guest_runs(second);
		bhb_guest_runs(first);
		kvm_vm_free(first->vm);
	}
}

/* --- BHI_DIS_S ------------------------------------------------------------ */

static void forced(void)
{
	bhb_entries_need();
	expect_always(bhb_create(BHB_SHOW_SHORT), "a guest with the bit");
}

static void not_forced(void)
{
	bhb_entries_need();
	control();
	expect_never(bhb_create(BHB_SHOW_NOTHING), "a guest without the bit");
	expect_never(bhb_create(BHB_SHOW_BHI_CTRL), "a guest with BHI_CTRL");
	expect_never(bhb_create(BHB_SHOW_SHORT | BHB_SHOW_BHI_CTRL), "a guest with BHI_CTRL, that was given the bit as well");
}

static void guest_cannot_undo(void)
{
	static const uint64_t values[] = { 0, BHB_IBRS, BHB_STIBP, BHB_IBRS | BHB_STIBP, 0 };
	struct kvm_vcpu *vcpu;
	size_t i;

	bhb_entries_need();
	vcpu = bhb_create(BHB_SHOW_SHORT);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		struct bhb_entries e;
		char when[64];

		TEST_ASSERT(!bhb_guest_writes(vcpu, values[i]), "WRMSR of %#llx", (unsigned long long)values[i]);
		snprintf(when, sizeof(when), "the guest has written %#llx", (unsigned long long)values[i]);
		expect_always(vcpu, when);
		e = entries_of(vcpu);
		CASE_EXPECT((e.every & WRITES) == values[i] && (e.any & WRITES) == values[i],
			    "%s: it runs with %#llx to %#llx", when,
			    (unsigned long long)e.every, (unsigned long long)e.any);
	}
}

static void guest_does_not_see(void)
{
	struct kvm_vcpu *vcpu = bhb_create(BHB_SHOW_SHORT);

	expect_reads(vcpu, 0, "at first");
	TEST_ASSERT(!bhb_guest_writes(vcpu, BHB_IBRS), "WRMSR of IBRS");
	expect_reads(vcpu, BHB_IBRS, "after a write of IBRS");
	TEST_ASSERT(!bhb_guest_writes(vcpu, 0), "WRMSR of 0");
	expect_reads(vcpu, 0, "after a write of 0");
}

/* The vCPU starts at the reset vector, where nothing is. */
static void init_keeps_it(void)
{
	struct kvm_vcpu_events events = { .flags = KVM_VCPUEVENT_VALID_SMM, .smi.latched_init = 1 };
	struct kvm_sregs sregs, reset;
	struct kvm_vcpu *vcpu;
	struct kvm_regs regs;

	bhb_entries_need();
	vcpu = bhb_create(BHB_SHOW_SHORT);
	TEST_ASSERT(!bhb_guest_writes(vcpu, BHB_IBRS), "WRMSR of IBRS");
	vcpu_run_complete_io(vcpu);
	vcpu_regs_get(vcpu, &regs);
	vcpu_sregs_get(vcpu, &sregs);
	vcpu_events_set(vcpu, &events);
	__vcpu_run(vcpu);
	vcpu_sregs_get(vcpu, &reset);
	TEST_ASSERT(reset.cs.selector == 0xf000, "INIT did not reset the vCPU: exit %s, CS %#x",
		    exit_reason_str(vcpu->run->exit_reason), reset.cs.selector);
	vcpu_sregs_set(vcpu, &sregs);
	vcpu_regs_set(vcpu, &regs);
	expect_always(vcpu, "after INIT");
	expect_reads(vcpu, 0, "after INIT");
}

/* --- L2 ------------------------------------------------------------------- */

static void l2_guest_code(void)
{
	int i;

	for (i = 0; i < 10; i++)
		wrmsr(MSR_IA32_SPEC_CTRL, i & 1 ? BHB_IBRS : 0);
	vmcall();
}

static void l1_guest_code(struct vmx_pages *vmx)
{
	GUEST_ASSERT(prepare_for_vmx_operation(vmx));
	GUEST_ASSERT(load_vmcs(vmx));
	WITNESS_VMX_SETUP(vmx, l2_guest_code);
	/* L1 lets L2 access all MSRs. */
	memset(vmx->msr, 0, getpagesize());
	vmwrite(CPU_BASED_VM_EXEC_CONTROL, vmreadz(CPU_BASED_VM_EXEC_CONTROL) | CPU_BASED_USE_MSR_BITMAPS);
	GUEST_SYNC(0);
	GUEST_ASSERT(!vmlaunch());
	GUEST_ASSERT_EQ(vmreadz(VM_EXIT_REASON), EXIT_REASON_VMCALL);
	GUEST_ASSERT_EQ(rdmsr(MSR_IA32_SPEC_CTRL), BHB_IBRS);
	GUEST_SYNC(1);
}

static void l2_as_well(void)
{
	struct kvm_vcpu *vcpu;
	struct bhb_entries e;
	struct ucall uc;
	struct kvm_vm *vm;
	gva_t pages;

	bhb_entries_need();
	if (!kvm_cpu_has(X86_FEATURE_VMX))
		case_skip("KVM has no nested VMX");
	vm = vm_create_with_one_vcpu(&vcpu, l1_guest_code);
	bhb_show(vcpu, BHB_SHOW_SHORT);
	vcpu_alloc_vmx(vm, &pages);
	vcpu_args_set(vcpu, 1, pages);
	vcpu_run(vcpu);
	TEST_ASSERT(get_ucall(vcpu, &uc) == UCALL_SYNC, "L1 did not get ready");
	bhb_entries_begin();
	vcpu_run(vcpu);
	e = bhb_entries_end();
	if (get_ucall(vcpu, &uc) == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);
	TEST_ASSERT(uc.cmd == UCALL_SYNC && uc.args[1] == 1, "L1 did not end");
	CASE_EXPECT(e.with == e.all, "%u of %u VM-entries of L1 and L2 with BHI_DIS_S, want all", e.with, e.all);
}

/* --- SPEC_CTRL ------------------------------------------------------------ */

static void bhi_ctrl_shown(void)
{
	struct kvm_vcpu *vcpu = bhb_create(BHB_SHOW_BHI_CTRL);
	unsigned int vector = bhb_guest_writes(vcpu, BHB_BHI_DIS_S);

	CASE_EXPECT(!vector, "a guest with BHI_CTRL sets BHI_DIS_S: vector %u", vector);
	expect_reads(vcpu, BHB_BHI_DIS_S, "after a write of BHI_DIS_S");
}

/* At first, and when the MSR has been in use. */
static void bhi_ctrl_hidden(void)
{
	static const enum bhb_shown all[] = { BHB_SHOW_NOTHING, BHB_SHOW_SHORT };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct kvm_vcpu *vcpu = bhb_create(all[i]);

		for (j = 0; j < 3; j++) {
			unsigned int vector = bhb_guest_writes(vcpu, BHB_BHI_DIS_S | (j == 2 ? BHB_IBRS : 0));

			CASE_EXPECT(vector == GP_VECTOR, "write %zu of BHI_DIS_S without BHI_CTRL: vector %u, want #GP",
				    j, vector);
			expect_reads(vcpu, j ? BHB_IBRS : 0, "after the refused write");
			TEST_ASSERT(!bhb_guest_writes(vcpu, BHB_IBRS), "WRMSR of IBRS");
		}
		kvm_vm_free(vcpu->vm);
	}
}

static void other_bits(void)
{
	static const enum bhb_shown all[] = { BHB_SHOW_NOTHING, BHB_SHOW_SHORT, BHB_SHOW_BHI_CTRL };
	static const struct { uint64_t value; unsigned int vector; } matrix[] = {
		{ BHB_IBRS, 0 }, { BHB_STIBP, 0 }, { BHB_IBRS | BHB_STIBP, 0 }, { 0, 0 },
		{ 1ull << 9, GP_VECTOR }, { 1ull << 11, GP_VECTOR }, { 1ull << 63, GP_VECTOR },
		{ BHB_IBRS | 1ull << 32, GP_VECTOR },
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct kvm_vcpu *vcpu = bhb_create(all[i]);
		uint64_t is = 0;

		for (j = 0; j < ARRAY_SIZE(matrix); j++) {
			unsigned int vector = bhb_guest_writes(vcpu, matrix[j].value);

			CASE_EXPECT(vector == matrix[j].vector, "CPUID %d: WRMSR of %#llx: vector %u, want %u", all[i],
				    (unsigned long long)matrix[j].value, vector, matrix[j].vector);
			is = vector ? is : matrix[j].value;
			expect_reads(vcpu, is, "after the write");
		}
		kvm_vm_free(vcpu->vm);
	}
}

/* --- more than one -------------------------------------------------------- */

static void two_on_one_cpu(void)
{
	static const struct { enum bhb_shown shown; uint64_t value; bool forced; } guests[] = {
		{ BHB_SHOW_SHORT, BHB_IBRS, true },
		{ BHB_SHOW_BHI_CTRL, BHB_STIBP, false },
		{ BHB_SHOW_NOTHING, 0, false },
		{ BHB_SHOW_SHORT, 0, true },
	};
	struct kvm_vcpu *vcpus[ARRAY_SIZE(guests)];
	size_t i;
	int n;

	bhb_entries_need();
	control();
	for (i = 0; i < ARRAY_SIZE(guests); i++) {
		vcpus[i] = bhb_create(guests[i].shown);
		TEST_ASSERT(!bhb_guest_writes(vcpus[i], guests[i].value), "WRMSR of guest %zu", i);
	}
	for (n = 0; n < 3; n++) {
		for (i = 0; i < ARRAY_SIZE(guests); i++) {
			struct bhb_entries e = entries_of(vcpus[i]);
			uint64_t want = guests[i].value | (guests[i].forced ? BHB_BHI_DIS_S : 0);

			CASE_EXPECT(e.any == want && e.every == want, "guest %zu runs with %#llx to %#llx, want %#llx", i,
				    (unsigned long long)e.every, (unsigned long long)e.any, (unsigned long long)want);
			expect_reads(vcpus[i], guests[i].value, "in turns with three others");
		}
	}
}

static void save_and_restore(void)
{
	struct kvm_vcpu *old, *vcpu;
	int msr_first;

	bhb_entries_need();
	old = bhb_create(BHB_SHOW_SHORT);
	TEST_ASSERT(!bhb_guest_writes(old, BHB_IBRS), "WRMSR of IBRS");
	for (msr_first = 0; msr_first < 2; msr_first++) {
		uint64_t saved = vcpu_get_msr(old, MSR_IA32_SPEC_CTRL);

		vcpu = bhb_create(BHB_SHOW_NOTHING);
		if (msr_first)
			vcpu_set_msr(vcpu, MSR_IA32_SPEC_CTRL, saved);
		bhb_show(vcpu, bhb_shown(old));
		if (!msr_first)
			vcpu_set_msr(vcpu, MSR_IA32_SPEC_CTRL, saved);
		expect_always(vcpu, "restored");
		expect_reads(vcpu, BHB_IBRS, "restored");
	}
}

static const struct witness_case cases[] = {
	{
		.name = "offered",
		.verifies = "KVM offers the bit: it can set BHI_DIS_S behind the guest's back",
		.run = offered,
	}, {
		.name = "never_with_bhi_ctrl",
		.verifies = "a guest with BHI_CTRL does not get the bit, whatever user space asks for",
		.run = never_with_bhi_ctrl,
	}, {
		.name = "as_user_space_wants",
		.verifies = "otherwise user space decides which of the two the guest sees",
		.run = as_user_space_wants,
	}, {
		.name = "changed_mind",
		.verifies = "the last CPUID before the first run is what counts",
		.needs = "a machine that logs SPEC_CTRL",
		.run = changed_mind,
	}, {
		.name = "fixed_by_first_run",
		.verifies = "after KVM_RUN the bit cannot be changed, and the same CPUID can be set again",
		.run = fixed_by_first_run,
	}, {
		.name = "vcpus_agree",
		.verifies = "a vCPU that was told something else than the first that ran does not run",
		.run = vcpus_agree,
	}, {
		.name = "forced",
		.verifies = "each VM-entry of a guest with the bit is made with BHI_DIS_S",
		.needs = "a machine that logs SPEC_CTRL",
		.run = forced,
	}, {
		.name = "not_forced",
		.verifies = "no VM-entry of a guest without the bit, or with BHI_CTRL, is made with BHI_DIS_S that it has not set",
		.needs = "a machine that logs SPEC_CTRL",
		.run = not_forced,
	}, {
		.name = "guest_cannot_undo",
		.verifies = "BHI_DIS_S stays whatever the guest writes, and what it writes takes effect",
		.needs = "a machine that logs SPEC_CTRL",
		.run = guest_cannot_undo,
	}, {
		.name = "guest_does_not_see",
		.verifies = "neither the guest nor KVM_GET_MSRS reads a BHI_DIS_S that the guest has not written",
		.run = guest_does_not_see,
	}, {
		.name = "init_keeps_it",
		.verifies = "BHI_DIS_S is still there after INIT",
		.needs = "a machine that logs SPEC_CTRL",
		.run = init_keeps_it,
	}, {
		.name = "l2_as_well",
		.verifies = "L2 runs with BHI_DIS_S too, though L1 lets it write SPEC_CTRL",
		.needs = "nested VMX; a machine that logs SPEC_CTRL",
		.run = l2_as_well,
	}, {
		.name = "bhi_ctrl_shown",
		.verifies = "a guest with BHI_CTRL sets and reads BHI_DIS_S",
		.run = bhi_ctrl_shown,
	}, {
		.name = "bhi_ctrl_hidden",
		.verifies = "a guest without BHI_CTRL gets #GP for BHI_DIS_S, also after it has used SPEC_CTRL",
		.run = bhi_ctrl_hidden,
	}, {
		.name = "other_bits",
		.verifies = "IBRS and STIBP can be set and reserved bits cannot, whatever the guest is told of its history",
		.run = other_bits,
	}, {
		.name = "two_on_one_cpu",
		.verifies = "guests that take turns on a CPU run with their own SPEC_CTRL and read it",
		.needs = "a machine that logs SPEC_CTRL",
		.run = two_on_one_cpu,
	}, {
		.name = "save_and_restore",
		.verifies = "a restored guest runs with BHI_DIS_S and reads what it had written, in either order of CPUID and MSRs",
		.needs = "a machine that logs SPEC_CTRL",
		.run = save_and_restore,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "bhb_short_cpuid_test",
		.needs = "an Intel processor with BHI_CTRL; root and I/O ports for the machine's log",
		.seed = "x86/bhi: Make clear_bhb_loop() effective on newer CPUs, its thread (2026-04-07)",
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
