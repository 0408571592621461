// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM flushes the L1 data cache before VM-entry on processors with L1TF, as the
 * parameter vmentry_l1d_flush says: always, never, or only after something that may
 * have brought secrets into the cache (cond): a return to user space, an interrupt,
 * the emulator, a nested VM-entry.
 *
 * Catches: a mode that is another one; a request that is not made, or lost when it is
 * kept by vCPU, where the interrupt handlers cannot see it (one flag per CPU since
 * "KVM: x86: Unify L1TF flushing under per-CPU variable", 6.19); and a flush that is
 * counted but not done.
 *
 * Entries are counted by the tracepoint kvm_entry, flushes by KVM's own l1d_flush and,
 * on machines that count retired instructions, by those.
 */
#include "apic.h"
#include "case.h"
#include "compat.h"
#include "cpu.h"
#include "l1d.h"
#include "retired.h"
#include "trace.h"
#include "vmx.h"

#define RUNS	20
#define EXITS	100

static struct trace_count entries, interrupt_exits;
static const char *no_retired;

struct seen {
	uint64_t entries;
	uint64_t flushes;		/* KVM's own number */
	uint64_t retired;		/* of IA32_FLUSH_CMD, if the machine counts them */
	uint64_t interrupts;		/* on this CPU, whatever it did */
	uint64_t interrupt_exits;	/* of this vCPU */
};

static void setup(void)
{
	const char *why;

	l1d_need();
	why = trace_count_open(&entries, "kvm", "kvm_entry", NULL);
	if (!why)
		why = trace_count_open(&interrupt_exits, "kvm", "kvm_exit", "isa == 1 && exit_reason == 1");
	if (why)
		case_skip("%s", why);
	cpu_pin_first();
	no_retired = retired_open();
}

/* --- a window of observation ---------------------------------------------- */

static struct seen look(struct kvm_vcpu *vcpu)
{
	struct seen s = {
		.entries = trace_count(&entries),
		.flushes = vcpu_get_stat(vcpu, l1d_flush),
		.retired = no_retired ? 0 : retired_read(RETIRED_L1D_FLUSH, RETIRED_ROOT, sched_getcpu()),
		.interrupts = cpu_interrupts(sched_getcpu()),
		.interrupt_exits = trace_count(&interrupt_exits),
	};

	return s;
}

static struct seen since(struct kvm_vcpu *vcpu, const struct seen *before)
{
	struct seen s = look(vcpu);

	s.entries -= before->entries;
	s.flushes -= before->flushes;
	s.retired -= before->retired;
	s.interrupts -= before->interrupts;
	s.interrupt_exits -= before->interrupt_exits;
	/* What KVM counts is what it does. */
	if (!no_retired)
		CASE_EXPECT(s.retired == s.flushes, "KVM counts %llu flushes, the processor did %llu",
			    (unsigned long long)s.flushes, (unsigned long long)s.retired);
	return s;
}

static struct seen run(struct kvm_vcpu *vcpu, int runs)
{
	struct seen before;
	struct ucall uc;
	int i;

	/* Everything is mapped after the first round. */
	vcpu_run(vcpu);
	before = look(vcpu);
	for (i = 0; i < runs; i++) {
		vcpu_run(vcpu);
		TEST_ASSERT(get_ucall(vcpu, &uc) == UCALL_SYNC, "the guest did not get to its GUEST_SYNC()");
	}
	return since(vcpu, &before);
}

/* --- in-kernel exits that bring no secrets -------------------------------- */

static void guest_cpuid(void)
{
	u32 eax, ebx, ecx, edx;
	int i;

	for (;;) {
		for (i = 0; i < EXITS; i++)
			cpuid(0, &eax, &ebx, &ecx, &edx);
		GUEST_SYNC(0);
	}
}

static struct seen run_cpuid(const char *mode)
{
	struct kvm_vcpu *vcpu;
	struct seen s;

	l1d_set_mode(mode);
	vm_create_with_one_vcpu(&vcpu, guest_cpuid);
	s = run(vcpu, RUNS);
	TEST_ASSERT(s.entries > RUNS * EXITS, "%llu entries for %d exits", (unsigned long long)s.entries, RUNS * EXITS);
	return s;
}

static void always(void)
{
	struct seen s = run_cpuid("always");

	CASE_EXPECT(s.flushes == s.entries, "%llu flushes for %llu VM-entries", (unsigned long long)s.flushes,
		    (unsigned long long)s.entries);
}

static void never(void)
{
	struct seen s = run_cpuid("never");

	CASE_EXPECT(!s.flushes, "%llu flushes for %llu VM-entries", (unsigned long long)s.flushes,
		    (unsigned long long)s.entries);
}

/*
 * Does the first VM-entry of each KVM_RUN flush?  The number alone cannot tell when
 * interrupts have asked for others; the log of what was retired can.
 */
static void expect_first_entries_flush(uint64_t n)
{
	unsigned int firsts = 0, unflushed = 0;
	bool first = false, flushed = false;
	int cpu = sched_getcpu();
	struct retired r;
	uint64_t end;

	for (end = retired_log_length(); n < end; n++) {
		TEST_ASSERT(retired_log(n, &r), "the log has lost entry %llu", (unsigned long long)n);
		if (r.cpu != cpu)
			continue;
		switch (r.what) {
		case RETIRED_VM_EXIT:
			first = r.reason == EXIT_REASON_IO_INSTRUCTION;
			flushed = false;
			break;
		case RETIRED_L1D_FLUSH:
			flushed = true;
			break;
		case RETIRED_VM_ENTRY:
			firsts += first;
			unflushed += first && !flushed;
			break;
		default:
			break;
		}
	}
	TEST_ASSERT(firsts >= RUNS - 1, "%u KVM_RUNs after a GUEST_SYNC() in the log", firsts);
	CASE_EXPECT(!unflushed, "%u of %u KVM_RUNs begin without a flush", unflushed, firsts);
}

/* An interrupt of the host may ask for one more, wherever it comes. */
static void cond_once_per_run(void)
{
	uint64_t begin = no_retired ? 0 : retired_log_length();
	struct seen s = run_cpuid("cond");

	if (!no_retired)
		expect_first_entries_flush(begin);
	TEST_ASSERT(s.interrupts < RUNS * EXITS / 4, "%llu interrupts during the runs",
		    (unsigned long long)s.interrupts);
	CASE_EXPECT(s.flushes >= RUNS && s.flushes <= RUNS + s.interrupts,
		    "%llu flushes for %d KVM_RUNs and %llu interrupts, %llu VM-entries",
		    (unsigned long long)s.flushes, RUNS, (unsigned long long)s.interrupts,
		    (unsigned long long)s.entries);
}

/* --- what asks for a flush in the middle of a KVM_RUN --------------------- */

static void guest_mmio(void)
{
	int i;

	xapic_enable();
	for (;;) {
		for (i = 0; i < EXITS; i++)
			xapic_read_reg(APIC_ID);
		GUEST_SYNC(0);
	}
}

static void cond_emulation(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct seen s;

	l1d_set_mode("cond");
	vm = vm_create_with_one_vcpu(&vcpu, guest_mmio);
	virt_pg_map(vm, APIC_DEFAULT_GPA, APIC_DEFAULT_GPA);
	s = run(vcpu, RUNS);
	TEST_ASSERT(s.entries > RUNS * EXITS, "%llu entries for %d reads of the APIC",
		    (unsigned long long)s.entries, RUNS * EXITS);
	CASE_EXPECT(s.flushes >= RUNS * EXITS, "%llu flushes for %d emulated reads", (unsigned long long)s.flushes,
		    RUNS * EXITS);
}

static void l2_code(void)
{
	for (;;)
		vmcall();
}

static void guest_nested(struct vmx_pages *vmx)
{
	int i;

	GUEST_ASSERT(prepare_for_vmx_operation(vmx));
	GUEST_ASSERT(load_vmcs(vmx));
	WITNESS_VMX_SETUP(vmx, l2_code);
	GUEST_ASSERT(!vmlaunch());
	for (;;) {
		for (i = 0; i < EXITS; i++) {
			vmwrite(GUEST_RIP, vmreadz(GUEST_RIP) + vmreadz(VM_EXIT_INSTRUCTION_LEN));
			GUEST_ASSERT(!vmresume());
		}
		GUEST_SYNC(0);
	}
}

static void cond_nested_entry(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct seen s;
	gva_t vmx;

	if (!kvm_cpu_has(X86_FEATURE_VMX))
		case_skip("no VMX for guests here");
	l1d_set_mode("cond");
	vm = vm_create_with_one_vcpu(&vcpu, guest_nested);
	vcpu_alloc_vmx(vm, &vmx);
	vcpu_args_set(vcpu, 1, vmx);
	s = run(vcpu, 2);
	CASE_EXPECT(s.flushes >= 2 * EXITS, "%llu flushes for %d entries of L2", (unsigned long long)s.flushes,
		    2 * EXITS);
}

static void guest_spin(void)
{
	for (;;) {
		int i;

		for (i = 0; i < 100000; i++)
			asm volatile("" : : : "memory");
		GUEST_SYNC(0);
	}
}

static void cond_interrupt(void)
{
	struct seen before, s;
	struct kvm_vcpu *vcpu;
	uint64_t runs = 0;

	l1d_set_mode("cond");
	vm_create_with_one_vcpu(&vcpu, guest_spin);
	vcpu_run(vcpu);
	before = look(vcpu);
	do {
		vcpu_run(vcpu);
		runs++;
	} while (trace_count(&interrupt_exits) - before.interrupt_exits < RUNS);
	s = since(vcpu, &before);
	/* After each one the guest goes on: it is left by GUEST_SYNC() only. */
	CASE_EXPECT(s.flushes >= runs + s.interrupt_exits, "%llu flushes for %llu KVM_RUNs and %llu interrupts of them",
		    (unsigned long long)s.flushes, (unsigned long long)runs, (unsigned long long)s.interrupt_exits);
}

static const struct witness_case cases[] = {
	{
		.name = "always",
		.verifies = "with vmentry_l1d_flush=always each VM-entry flushes",
		.run = always,
	}, {
		.name = "never",
		.verifies = "with vmentry_l1d_flush=never none does",
		.run = never,
	}, {
		.name = "cond_once_per_run",
		.verifies = "with cond a KVM_RUN flushes once, however often it enters the guest, and once more per interrupt at most",
		.run = cond_once_per_run,
	}, {
		.name = "cond_emulation",
		.verifies = "with cond the VM-entry after each emulated instruction flushes",
		.run = cond_emulation,
	}, {
		.name = "cond_nested_entry",
		.verifies = "with cond each VM-entry of L2 that L1 asks for flushes",
		.needs = "nested VMX",
		.run = cond_nested_entry,
	}, {
		.name = "cond_interrupt",
		.verifies = "with cond the VM-entry after each interrupt that came while the guest ran flushes",
		.run = cond_interrupt,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "l1d_flush_test",
		.needs = "an Intel processor with L1TF, root",
		.seed = "KVM: x86: Unify L1TF flushing under per-CPU variable (v3 2025-10-16, v5 2025-11-13)",
		.wants = WANTS_L1TF,
		.prepare = l1d_find_mode,
		.setup = setup,
		.finish = l1d_restore_mode,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
