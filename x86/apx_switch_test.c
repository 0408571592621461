// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's R16 to R31 are what it has put there, whatever makes it exit, and whoever
 * else has values of his own in them: another vCPU on its CPU, the thread that runs it.
 * apx_others_test has what others do while it runs.
 *
 * The guest loads a pattern, exits, and compares; each round has a pattern of its own.
 * KVM clears the registers at each exit, and with kvm.spoil_egprs=1 (our series has it) the
 * kernel leaves junk there, so that a value that is right has been stored and loaded: it is
 * not enough that nobody has touched the register.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apic.h"
#include "apx_guest.h"
#include "case.h"
#include "cpu.h"
#include "svm_util.h"

#define ROUNDS		200
#define VECTOR		0x40

static u64 vectors;		/* interrupts that the guest has got */

static void setup(void)
{
	apx_need();
}

/* --- exits ---------------------------------------------------------------- */

static void by_pio(void)
{
	GUEST_SYNC(0);
}

static void by_cpuid(void)
{
	u32 a, b, c, d;

	cpuid(0, &a, &b, &c, &d);
}

static void by_msr(void)
{
	wrmsr(MSR_IA32_UCODE_REV, 0);
	rdmsr(MSR_IA32_APICBASE);
}

static void by_hypercall(void)
{
	kvm_hypercall(KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0);
}

static void by_exception(void)
{
	GUEST_ASSERT_EQ(kvm_asm_safe("ud2"), UD_VECTOR);
}

static void by_mmio(void)
{
	WRITE_ONCE(*(u64 *)APX_MMIO, 1);
	GUEST_ASSERT_EQ(READ_ONCE(*(u64 *)APX_MMIO), 0x1234);
}

static void on_vector(struct ex_regs *regs)
{
	vectors++;
	x2apic_write_reg(APIC_EOI, 0);
}

/* Asleep until its own interrupt, which is on its way, comes. */
static void by_hlt(void)
{
	x2apic_write_reg(APIC_ICR, APIC_DEST_SELF | APIC_INT_ASSERT | APIC_DM_FIXED | VECTOR);
	asm volatile("sti; hlt; cli" : : : "memory");
}

/* Asleep until its timer's interrupt, a millisecond (1 GHz) from now. */
static void by_sleep(void)
{
	x2apic_write_reg(APIC_LVTT, APIC_LVT_TIMER_ONESHOT | VECTOR);
	x2apic_write_reg(APIC_TDCR, 0xb);
	x2apic_write_reg(APIC_TMICT, 1000000);
	asm volatile("sti; hlt; cli" : : : "memory");
}

/* Long enough for ticks of the host's timer. */
static void by_interrupts(void)
{
	u64 end = rdtsc() + 2000000;

	while (rdtsc() < end)
		;
}

/* --- one guest ------------------------------------------------------------ */

static void kept(void (*how)(void), u64 times, const char *what)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = apx_keepers_create(&vcpu, 1, how, times);

	while (apx_run(vcpu, 0x1234))
		;
	apx_expect_kept(vm, what);
}

static void pio(void)
{
	kept(by_pio, ROUNDS, "OUT");
}

static void cpuid_exits(void)
{
	kept(by_cpuid, ROUNDS, "CPUID");
}

static void msr(void)
{
	kept(by_msr, ROUNDS, "WRMSR and RDMSR");
}

static void hypercall(void)
{
	kept(by_hypercall, ROUNDS, "a hypercall");
}

static void exception(void)
{
	kept(by_exception, ROUNDS, "#UD");
}

static void mmio(void)
{
	kept(by_mmio, ROUNDS, "MMIO");
}

/* What kvm.spoil_egprs=1 does is there for all cases; this one is nothing without it. */
static void spoiled(void)
{
	FILE *file = fopen("/sys/module/kvm/parameters/spoil_egprs", "re");
	int yes = file ? fgetc(file) : 'N';

	if (file)
		fclose(file);
	if (yes != 'Y')
		case_skip("this kernel does not spoil R16 to R31 between exit and entry: kvm.spoil_egprs=1");
	kept(by_cpuid, ROUNDS, "CPUID, when the kernel has used them");
}

/* Polls for up to @poll_ns for what ends a HLT, before it goes to sleep. */
static struct kvm_vcpu *halted(void (*how)(void), u64 times, u64 poll_ns)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = apx_keepers_create(&vcpu, 1, how, times);

	vm_install_exception_handler(vm, VECTOR, on_vector);
	vm_enable_cap(vm, KVM_CAP_HALT_POLL, poll_ns);
	cpu_pin_first();
	while (apx_run(vcpu, 0))
		;
	apx_expect_kept(vm, "HLT");
	sync_global_from_guest(vm, vectors);
	TEST_ASSERT(vectors == times, "%llu interrupts ended %llu HLTs", (unsigned long long)vectors,
		    (unsigned long long)times);
	return vcpu;
}

static void halts(void)
{
	halted(by_hlt, ROUNDS, 0);
}

static void sleeps(void)
{
	struct kvm_vcpu *vcpu = halted(by_sleep, 50, 0);

	TEST_ASSERT(vcpu_get_stat(vcpu, halt_wakeup) && !vcpu_get_stat(vcpu, halt_attempted_poll),
		    "KVM has not gone to sleep");
}

/* How long KVM polls grows with each HLT that was not longer than this. */
static void polls(void)
{
	struct kvm_vcpu *vcpu = halted(by_sleep, 50, 1000000000);

	TEST_ASSERT(vcpu_get_stat(vcpu, halt_successful_poll), "no HLT has ended while KVM polled");
}

static void interrupts(void)
{
	kept(by_interrupts, 50, "interrupts of the host");
}

/* --- several of them ------------------------------------------------------ */

static void two_vcpus_one_cpu(void)
{
	struct kvm_vcpu *vcpus[2];
	struct kvm_vm *vm = apx_keepers_create(vcpus, 2, by_pio, ROUNDS);
	bool more;

	cpu_pin_first();
	do {
		more = apx_run(vcpus[0], 0);
		more |= apx_run(vcpus[1], 0);
	} while (more);
	apx_expect_kept(vm, "runs of another vCPU");
}

static void moved(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = apx_keepers_create(&vcpu, 1, by_pio, ROUNDS);
	int cpus[2], i = 0;

	cpu_need(cpus, 2);
	do {
		__cpu_pin(cpus[i++ & 1]);
	} while (apx_run(vcpu, 0));
	apx_expect_kept(vm, "moves to another CPU");
}

/* --- the thread that runs it ---------------------------------------------- */

static void host_has_values(void)
{
	u64 mine[APX_NR_EGPRS], got[APX_NR_EGPRS];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = apx_keepers_create(&vcpu, 1, by_pio, ROUNDS);
	bool more;
	int i = 0;

	do {
		apx_pattern(mine, 1000 + i++);
		apx_load(mine);
		more = apx_run(vcpu, 0);
		apx_store(got);
		CASE_EXPECT(!memcmp(mine, got, sizeof(mine)), "KVM_RUN %d changes the caller's registers", i);
	} while (more);
	apx_expect_kept(vm, "runs of a thread with values of its own");
}

/* KVM_RUN that enters no guest. */
static void bailed_out(void)
{
	u64 mine[APX_NR_EGPRS], got[APX_NR_EGPRS];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = apx_keepers_create(&vcpu, 1, by_pio, ROUNDS);
	int i = 0;

	do {
		apx_pattern(mine, 2000 + i++);
		apx_load(mine);
		vcpu->run->immediate_exit = 1;
		TEST_ASSERT(__vcpu_run(vcpu) == -1 && errno == EINTR, "KVM_RUN was to be interrupted: %m");
		vcpu->run->immediate_exit = 0;
		apx_store(got);
		CASE_EXPECT(!memcmp(mine, got, sizeof(mine)), "KVM_RUN %d changes the caller's registers", i);
	} while (apx_run(vcpu, 0));
	apx_expect_kept(vm, "interrupted KVM_RUNs");
}

/* --- nested --------------------------------------------------------------- */

static u64 of_l1[APX_NR_EGPRS], of_l2[APX_NR_EGPRS];

static void l2_guest(void)
{
	for (;;) {
		apx_compare(of_l1);
		apx_load(of_l2);
		GUEST_SYNC(0);
		apx_compare(of_l2);
		vmmcall();
	}
}

/* VMRUN and #VMEXIT do not touch them: L2 begins with L1's, and leaves its own. */
static void l1_guest(struct svm_test_data *svm)
{
	u64 i;

	WITNESS_SVM_SETUP(svm, l2_guest);
	for (i = 0; i < ROUNDS; i++) {
		apx_pattern(of_l1, 2 * i);
		apx_pattern(of_l2, 2 * i + 1);
		apx_load(of_l1);
		run_guest(svm->vmcb, svm->vmcb_gpa);
		apx_compare(of_l2);
		GUEST_ASSERT_EQ(svm->vmcb->control.exit_code, SVM_EXIT_VMMCALL);
		svm->vmcb->save.rip += 3;
	}
	GUEST_DONE();
}

static void nested(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	gva_t svm;

	if (!kvm_cpu_has(X86_FEATURE_SVM))
		case_skip("KVM has no SVM for guests here");
	vm = apx_vm_create(&vcpu, 1, (void *)l1_guest);
	vcpu_alloc_svm(vm, &svm);
	vcpu_args_set(vcpu, 1, svm);
	while (apx_run(vcpu, 0))
		;
	apx_expect_kept(vm, "VMRUN, an exit of L2 to KVM, and #VMEXIT");
}

static const struct witness_case cases[] = {
	{
		.name = "pio",
		.verifies = "R16 to R31 are kept across exits to user space",
		.run = pio,
	}, {
		.name = "cpuid_exits",
		.verifies = "they are kept across CPUID, which KVM handles by itself",
		.run = cpuid_exits,
	}, {
		.name = "msr",
		.verifies = "they are kept across WRMSR and RDMSR",
		.run = msr,
	}, {
		.name = "hypercall",
		.verifies = "they are kept across hypercalls",
		.run = hypercall,
	}, {
		.name = "exception",
		.verifies = "they are kept across an exception that KVM intercepts",
		.run = exception,
	}, {
		.name = "mmio",
		.verifies = "they are kept across MMIO, which KVM emulates",
		.run = mmio,
	}, {
		.name = "hlt",
		.verifies = "they are kept across HLT and the interrupt that ends it",
		.run = halts,
	}, {
		.name = "sleeps",
		.verifies = "they are kept while a vCPU in HLT is asleep",
		.run = sleeps,
	}, {
		.name = "polls",
		.verifies = "they are kept while KVM polls for the end of HLT",
		.run = polls,
	}, {
		.name = "interrupts",
		.verifies = "they are kept across interrupts of the host",
		.run = interrupts,
	}, {
		.name = "two_vcpus_one_cpu",
		.verifies = "each of two vCPUs that take turns on a CPU has its own",
		.run = two_vcpus_one_cpu,
	}, {
		.name = "moved",
		.verifies = "they move to another CPU with the vCPU",
		.needs = "two CPUs",
		.run = moved,
	}, {
		.name = "host_has_values",
		.verifies = "the thread that calls KVM_RUN keeps its own, and the guest does not get them",
		.run = host_has_values,
	}, {
		.name = "bailed_out",
		.verifies = "so it is with a KVM_RUN that is interrupted before it enters the guest",
		.run = bailed_out,
	}, {
		.name = "spoiled",
		.verifies = "they are kept though the kernel uses the processor's between an exit and the next entry",
		.needs = "kvm.spoil_egprs=1",
		.run = spoiled,
	}, {
		.name = "nested",
		.verifies = "VMRUN and #VMEXIT take them along, from L1 to L2 and back",
		.needs = "nested SVM",
		.run = nested,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "apx_switch_test",
		.needs = "a processor with APX, and KVM that lets guests have it",
		.seed = "KVM: x86: Enable APX for guests (v4, 2026-05-11)",
		.append = "kvm.spoil_egprs=1",
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
