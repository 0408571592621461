// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAMCALL and TDCALL in a guest that is no TD raise #UD, as on a processor that has
 * never heard of them.
 *
 * A processor with SEAM makes both exit whenever they are executed at CPL 0 in VMX
 * non-root operation, and no VMCS control can prevent it.  A KVM without handlers for
 * exit reasons 76 and 77 ends KVM_RUN with an internal error: any guest kernel could
 * kill its VM, and an L2 kernel its L1 (fixed by 9d7dfb95da2c, "KVM: VMX: Inject #UD if
 * guest tries to execute SEAMCALL or TDCALL").
 *
 * The tracepoint kvm_exit says whether the processor exits at all: one without SEAM
 * raises #UD itself, which tells nothing of these handlers.
 */
#include <string.h>

#include "bare.h"
#include "case.h"
#include "compat.h"
#include "trace.h"
#include "vmx.h"
#include "../guest/checks/x86/seam_insn.h"

#define MANY	100000

static const struct seam_insn * const insns[] = { &seamcall, &tdcall };

static struct trace_count exits;

/* --- what the processor does by itself ------------------------------------ */

static void setup(void)
{
	const char *why = trace_count_open(&exits, "kvm", "kvm_exit",
					   "isa == 1 && (exit_reason == 76 || exit_reason == 77)");

	if (why)
		case_skip("%s", why);
}

static bool cpu_exits(void)
{
	return trace_count(&exits) > 0;
}

/* The last line of a case: nothing that it saw was KVM's doing. */
static void skip_unless_cpu_exits(void)
{
	if (!cpu_exits())
		case_skip("not discriminating: the CPU raises #UD itself");
}

/* --- one instruction in a bare vCPU --------------------------------------- */

/* Where and how execute_bare() executes. */
static struct kvm_vcpu *bare_vcpu;
static enum bare_mode bare_mode;

static void execute_bare(int cpl, const void *code, size_t len, const struct kvm_regs *regs,
			 struct executed *end)
{
	struct bare_end bare;

	CASE_EXPECT(bare_run(bare_vcpu, bare_mode, cpl, code, len, regs, &bare),
		    "at CPL %d with RAX %#llx: KVM_RUN ends with %s", cpl, (unsigned long long)regs->rax,
		    exit_reason_str(bare_vcpu->run->exit_reason));
	*end = (struct executed) {
		.vector = bare.vector,
		.has_error = bare.has_error,
		.error = bare.error,
		.rip = bare.rip - BARE_CODE,
		.regs = bare.regs,
	};
}

static void expect_fault(struct kvm_vcpu *vcpu, enum bare_mode mode, int cpl, const struct seam_insn *insn,
			 unsigned int vector)
{
	bare_vcpu = vcpu;
	bare_mode = mode;
	check_seam_insn(execute_bare, insn, cpl, 0, vector);
}

/* The VM has not been harmed: it executes what comes next. */
static void expect_alive(struct kvm_vcpu *vcpu)
{
	static const u8 inc_ebx[] = { 0xff, 0xc3 };
	struct kvm_regs r = { .rbx = 0xb };
	struct bare_end end;

	CASE_EXPECT(bare_run(vcpu, BARE_LONG, 0, inc_ebx, sizeof(inc_ebx), &r, &end) &&
		    end.vector == BARE_NO_VECTOR && end.regs.rbx == r.rbx + 1,
		    "the vCPU is not what it was: %s, vector %u",
		    exit_reason_str(vcpu->run->exit_reason), end.vector);
}

static void kernel_mode(const struct seam_insn *insn)
{
	struct kvm_vcpu *vcpu = bare_create();

	expect_fault(vcpu, BARE_LONG, 0, insn, UD_VECTOR);
	expect_alive(vcpu);
	skip_unless_cpu_exits();
}

static void seamcall_in_kernel(void)
{
	kernel_mode(&seamcall);
}

static void tdcall_in_kernel(void)
{
	kernel_mode(&tdcall);
}

static void every_leaf(void)
{
	size_t i;

	bare_vcpu = bare_create();
	bare_mode = BARE_LONG;
	for (i = 0; i < ARRAY_SIZE(insns); i++)
		check_seam_leaves(execute_bare, insns[i]);
	skip_unless_cpu_exits();
}

/* Does the CPU exit?  What becomes of the vCPU is for other cases. */
static bool try_at_cpl0(void)
{
	struct kvm_regs r = { .rbx = 0xb };
	struct bare_end end;

	bare_run(bare_create(), BARE_LONG, 0, seamcall.code, sizeof(seamcall.code), &r, &end);
	return cpu_exits();
}

/* The privilege level is checked before the exit. */
static void user_mode(void)
{
	struct kvm_vcpu *vcpu = bare_create();
	unsigned int vector = try_at_cpl0() ? GP_VECTOR : UD_VECTOR;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(insns); i++)
		expect_fault(vcpu, BARE_LONG, 3, insns[i], vector);
	expect_alive(vcpu);
	skip_unless_cpu_exits();
}

/* Only 64-bit mode knows the instructions: the #UD is the CPU's, and KVM passes it on. */
static void other_mode(enum bare_mode mode)
{
	struct kvm_vcpu *vcpu = bare_create();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		expect_fault(vcpu, mode, 0, insns[i], UD_VECTOR);
		expect_fault(vcpu, mode, 3, insns[i], UD_VECTOR);
	}
	try_at_cpl0();
	skip_unless_cpu_exits();
}

static void compatibility_mode(void)
{
	other_mode(BARE_COMPAT);
}

static void protected_mode(void)
{
	other_mode(BARE_PROTECTED);
}

/* --- guests of the framework ---------------------------------------------- */

#define SEAMCALL	".byte 0x66, 0x0f, 0x01, 0xcf"
#define TDCALL		".byte 0x66, 0x0f, 0x01, 0xcc"

static void run_to(struct kvm_vcpu *vcpu, u64 cmd)
{
	struct ucall uc;
	u64 got;

	CASE_EXPECT(!__vcpu_run(vcpu) && vcpu->run->exit_reason == KVM_EXIT_IO, "KVM_RUN ends with %s",
		    exit_reason_str(vcpu->run->exit_reason));
	got = get_ucall(vcpu, &uc);
	if (got == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);
	TEST_ASSERT(got == cmd, "the guest did not get to its end");
}

static void many_guest(void)
{
	int i;

	for (i = 0; i < MANY; i++)
		GUEST_ASSERT_EQ(kvm_asm_safe(SEAMCALL), UD_VECTOR);
	GUEST_DONE();
}

static void many_times(void)
{
	struct kvm_vcpu *vcpu;
	uint64_t n;

	try_at_cpl0();
	skip_unless_cpu_exits();
	n = trace_count(&exits);
	vm_create_with_one_vcpu(&vcpu, many_guest);
	run_to(vcpu, UCALL_DONE);
	n = trace_count(&exits) - n;
	CASE_EXPECT(n == MANY, "%llu exits for %d SEAMCALLs", (unsigned long long)n, MANY);
}

/* What L2 and L1 have seen of each instruction, for the host to read. */
static u64 l2_vector[2], l1_reason[3], l1_intr_info[2], l1_rip_at_insn[2];

static void l2_handles(void)
{
	l2_vector[0] = kvm_asm_safe(SEAMCALL);
	l2_vector[1] = kvm_asm_safe(TDCALL);
	vmcall();
}

static void l1_passes_on(struct vmx_pages *vmx)
{
	GUEST_ASSERT(prepare_for_vmx_operation(vmx));
	GUEST_ASSERT(load_vmcs(vmx));
	WITNESS_VMX_SETUP(vmx, l2_handles);
	GUEST_ASSERT(!vmlaunch());
	l1_reason[0] = vmreadz(VM_EXIT_REASON);
	GUEST_DONE();
}

static void l2_leaves_it_to_l1(void)
{
	asm volatile(SEAMCALL "\n\t" TDCALL : : "a"(0) : "memory");
	vmcall();
}

static void l1_intercepts(struct vmx_pages *vmx)
{
	u64 rip;
	int i;

	GUEST_ASSERT(prepare_for_vmx_operation(vmx));
	GUEST_ASSERT(load_vmcs(vmx));
	WITNESS_VMX_SETUP(vmx, l2_leaves_it_to_l1);
	GUEST_ASSERT(!vmwrite(EXCEPTION_BITMAP, BIT(UD_VECTOR)));
	GUEST_ASSERT(!vmlaunch());
	for (i = 0; i < 2; i++) {
		l1_reason[i] = vmreadz(VM_EXIT_REASON);
		l1_intr_info[i] = vmreadz(VM_EXIT_INTR_INFO);
		rip = vmreadz(GUEST_RIP);
		l1_rip_at_insn[i] = !memcmp((void *)rip, insns[i]->code, sizeof(insns[i]->code));
		vmwrite(GUEST_RIP, rip + sizeof(insns[i]->code));
		GUEST_ASSERT(!vmresume());
	}
	l1_reason[2] = vmreadz(VM_EXIT_REASON);
	GUEST_DONE();
}

static struct kvm_vm *run_nested(void (*l1)(struct vmx_pages *))
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	gva_t vmx;

	if (!kvm_cpu_has(X86_FEATURE_VMX))
		case_skip("no VMX for guests here");
	vm = vm_create_with_one_vcpu(&vcpu, l1);
	vcpu_alloc_vmx(vm, &vmx);
	vcpu_args_set(vcpu, 1, vmx);
	run_to(vcpu, UCALL_DONE);
	sync_global_from_guest(vm, l2_vector);
	sync_global_from_guest(vm, l1_reason);
	sync_global_from_guest(vm, l1_intr_info);
	sync_global_from_guest(vm, l1_rip_at_insn);
	return vm;
}

static void l2_gets_ud(void)
{
	size_t i;

	run_nested(l1_passes_on);
	CASE_EXPECT(l1_reason[0] == EXIT_REASON_VMCALL, "L1 sees exit reason %llu, want VMCALL only",
		    (unsigned long long)l1_reason[0]);
	for (i = 0; i < ARRAY_SIZE(insns); i++)
		CASE_EXPECT(l2_vector[i] == UD_VECTOR, "%s in L2: vector %llu, want #UD", insns[i]->name,
			    (unsigned long long)l2_vector[i]);
	skip_unless_cpu_exits();
}

static void l1_gets_exception_exit(void)
{
	/* Bit 31: valid; type 3: hardware exception; bit 11, error code, clear. */
	const u64 want = BIT(31) | 3 << 8 | UD_VECTOR;
	size_t i;

	run_nested(l1_intercepts);
	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		CASE_EXPECT(l1_reason[i] == EXIT_REASON_EXCEPTION_NMI && l1_intr_info[i] == want,
			    "%s in L2 of an L1 that wants its #UD: exit reason %llu, interruption information %#llx",
			    insns[i]->name, (unsigned long long)l1_reason[i], (unsigned long long)l1_intr_info[i]);
		CASE_EXPECT(l1_rip_at_insn[i], "%s in L2: L1 sees another RIP", insns[i]->name);
	}
	CASE_EXPECT(l1_reason[2] == EXIT_REASON_VMCALL, "L2 does not go on behind the instructions: exit reason %llu",
		    (unsigned long long)l1_reason[2]);
	skip_unless_cpu_exits();
}

static const struct witness_case cases[] = {
	{
		.name = "seamcall_in_kernel",
		.verifies = "SEAMCALL at CPL 0: #UD at the instruction, no error code, registers intact, the VM goes on",
		.run = seamcall_in_kernel,
	}, {
		.name = "tdcall_in_kernel",
		.verifies = "TDCALL at CPL 0: #UD at the instruction, no error code, registers intact, the VM goes on",
		.run = tdcall_in_kernel,
	}, {
		.name = "every_leaf",
		.verifies = "the same for every single bit of the leaf in RAX and for all of them",
		.run = every_leaf,
	}, {
		.name = "user_mode",
		.verifies = "at CPL 3 #GP where the processor has SEAM, #UD elsewhere",
		.run = user_mode,
	}, {
		.name = "compatibility_mode",
		.verifies = "#UD in compatibility mode at CPL 0 and 3",
		.run = compatibility_mode,
	}, {
		.name = "protected_mode",
		.verifies = "#UD in protected mode at CPL 0 and 3",
		.run = protected_mode,
	}, {
		.name = "l2_gets_ud",
		.verifies = "the #UD of L2 is delivered in L2, and L1 sees no exit",
		.needs = "nested VMX",
		.run = l2_gets_ud,
	}, {
		.name = "l1_gets_exception_exit",
		.verifies = "an L1 that intercepts #UD gets it as an exception exit, with L2's RIP at the instruction",
		.needs = "nested VMX",
		.run = l1_gets_exception_exit,
	}, {
		.name = "many_times",
		.verifies = "100,000 SEAMCALLs are 100,000 exits",
		.run = many_times,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "seamcall_tdcall_ud_test",
		.needs = "an Intel processor with SEAM, root for the tracepoint kvm_exit",
		.seed = "9d7dfb95da2c (KVM: VMX: Inject #UD if guest tries to execute SEAMCALL or TDCALL)",
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
