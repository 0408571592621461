// SPDX-License-Identifier: GPL-2.0-only
/*
 * See include/x86/vmscape_guest.h.
 */
#include <string.h>
#include <sys/syscall.h>

#include "case.h"
#include "compat.h"
#include "cpu.h"
#include "ibpb_guest.h"
#include "kallsyms.h"
#include "kmem.h"
#include "vcpu_thread.h"
#include "vmscape_guest.h"

#define RUNS	10

static enum vmscape_mode mode;

static const char * const strings[] = {
	[VMSCAPE_NONE]	= "Vulnerable",
	[VMSCAPE_IBPB]	= "Mitigation: IBPB before exit to userspace",
	[VMSCAPE_BHB]	= "Mitigation: Clear BHB before exit to userspace",
};

static const char * const targets[] = {
	[VMSCAPE_IBPB]	= "write_ibpb",
	[VMSCAPE_BHB]	= "clear_bhb_loop_nofence",
};

static void open_probe(enum vmscape_mode wanted)
{
	const char *why;

	mode = wanted;
	why = vmscape_open(mode);
	if (why)
		case_skip("%s", why);
}

void vmscape_need(enum vmscape_mode wanted, const char *parameter)
{
	const char *why;
	char line[128];

	if (!cpu_vulnerability("vmscape", line, sizeof(line)))
		case_skip("the kernel knows nothing of VMSCAPE");
	if (!strcmp(line, "Not affected"))
		case_skip("this processor is not affected by VMSCAPE; boot with vmscape=force");
	if (parameter && !vmscape_parameter(parameter))
		case_skip("boot with %s", parameter);
	if (!parameter && (vmscape_parameter("vmscape=off") || vmscape_parameter("vmscape=ibpb") ||
			   vmscape_parameter("mitigations=off") ||
			   vmscape_parameter("mitigations=auto,no_guest_host")))
		case_skip("the kernel was told not to choose the mitigation by itself");
	why = kallsyms_load();
	if (why)
		case_skip("%s", why);
	if (wanted == VMSCAPE_BHB && !vmscape_has_bhi_ctrl())
		case_skip("this processor has no BHI_CTRL");
	open_probe(wanted);
}

void vmscape_as_sysfs_says(void)
{
	int wanted = VMSCAPE_BHB;
	char line[128] = "";

	cpu_vulnerability("vmscape", line, sizeof(line));
	while (wanted > VMSCAPE_NONE && strcmp(line, strings[wanted]))
		wanted--;
	open_probe(wanted);
}

/* --- the guests ----------------------------------------------------------- */

static int exits_per_run;

void vmscape_guest_code(void)
{
	u32 eax, ebx, ecx, edx;
	int i;

	for (;;) {
		for (i = 0; i < exits_per_run; i++)
			cpuid(0, &eax, &ebx, &ecx, &edx);
		GUEST_SYNC(0);
	}
}

static void guest_halts(void)
{
	for (;;)
		asm volatile("sti; hlt; cli");
}

static struct kvm_vcpu *create(void)
{
	struct kvm_vcpu *vcpu;

	vm_create_with_one_vcpu(&vcpu, vmscape_guest_code);
	return vcpu;
}

/* On watched CPU 0, with a mark after each. */
static struct vmscape_seen run(struct kvm_vcpu *vcpu, int runs, int exits)
{
	struct vmscape_seen seen[VMSCAPE_CPUS];
	int i;

	exits_per_run = exits;
	sync_global_to_guest(vcpu->vm, exits_per_run);
	vmscape_pin(0);
	vmscape_window_open();
	for (i = 0; i < runs; i++) {
		vcpu_run(vcpu);
		vmscape_mark();
	}
	vmscape_window_close(seen);
	TEST_ASSERT(seen[0].exits >= runs, "%u VM-exits of %d runs", seen[0].exits, runs);
	return seen[0];
}

static void expect_once(const struct vmscape_seen *s, unsigned int runs, const char *what)
{
	CASE_EXPECT(!s->missed && !s->extra && s->flushes[mode] >= runs,
		    "%s: %u flushes, want %u; %u returns to user space without one, %u without a VM-exit before",
		    what, s->flushes[mode], runs, s->missed, s->extra);
}

/* --- the cases ------------------------------------------------------------ */

void vmscape_mode_agrees(void)
{
	uint64_t key = kallsyms_addr("__SCK__vmscape_predictor_flush"), target = ~0ULL, want = 0;
	struct vmscape_seen s;
	int other;
	char line[128];

	TEST_ASSERT(cpu_vulnerability("vmscape", line, sizeof(line)), "no sysfs file");
	CASE_EXPECT(!strcmp(line, strings[mode]) || (mode == VMSCAPE_NONE && !strcmp(line, "Not affected")),
		    "sysfs: \"%s\", want \"%s\"", line, strings[mode]);
	if (targets[mode])
		want = kallsyms_addr(targets[mode]);
	if (key) {
		TEST_ASSERT(!kmem_read(key, &target, sizeof(target)), "cannot read the static call");
		CASE_EXPECT(target == want, "the static call goes to %s, want %s",
			    target ? kallsyms_name(target) : "nothing", targets[mode] ?: "nothing");
	}
	s = run(create(), RUNS, 1);
	for (other = VMSCAPE_IBPB; other <= VMSCAPE_BHB; other++)
		CASE_EXPECT((s.flushes[other] >= RUNS) == (other == mode), "sysfs says \"%s\": %u calls of %s in %d runs",
			    line, s.flushes[other], targets[other], RUNS);
}

void vmscape_once_per_return(void)
{
	struct kvm_vcpu *vcpu = create();
	struct vmscape_seen s;

	s = run(vcpu, 2 * RUNS, 0);
	expect_once(&s, 2 * RUNS, "20 runs of one VM-exit");
	s = run(vcpu, RUNS, 50);
	TEST_ASSERT(s.exits > RUNS * 50, "%u VM-exits", s.exits);
	expect_once(&s, RUNS, "10 runs of 50 VM-exits");
}

void vmscape_nothing_without_entry(void)
{
	struct vmscape_seen seen[VMSCAPE_CPUS];
	struct kvm_vcpu *vcpu = create();
	struct kvm_regs regs;
	int i;

	ibpb_allow_turning_back(vcpu);
	run(vcpu, 1, 0);
	vmscape_window_open();
	for (i = 0; i < RUNS; i++) {
		vcpu_regs_get(vcpu, &regs);
		ibpb_immediate_exit(vcpu);
		ibpb_turn_back(vcpu);
		vmscape_mark();
	}
	vmscape_window_close(seen);
	TEST_ASSERT(!seen[0].exits, "%u VM-exits", seen[0].exits);
	CASE_EXPECT(!seen[0].flushes[mode] && !seen[0].flag_set,
		    "%u flushes, and %u asked for, by %d KVM_RUNs that did not enter the guest",
		    seen[0].flushes[mode], seen[0].flag_set, 2 * RUNS);
	seen[0] = run(vcpu, RUNS, 0);
	expect_once(&seen[0], RUNS, "10 runs that did");
}

void vmscape_on_the_cpu_that_ran(void)
{
	struct vmscape_seen seen[VMSCAPE_CPUS];
	struct vcpu_thread t;
	struct kvm_vcpu *vcpu;

	vm_create_with_one_vcpu(&vcpu, guest_halts);
	vmscape_pin(1);
	vmscape_window_open();
	vcpu_thread_start(&t, vcpu, vmscape_cpu(0));
	vcpu_thread_wait_asleep(&t);
	vcpu_thread_move(&t, vmscape_cpu(1));
	vcpu_thread_stop(&t);
	vmscape_window_close(seen);
	TEST_ASSERT(seen[0].exits && !seen[1].exits, "%u VM-exits on the first CPU, %u on the second",
		    seen[0].exits, seen[1].exits);
	CASE_EXPECT(!seen[1].flushes[mode], "%u flushes on a CPU that has run no guest", seen[1].flushes[mode]);
	expect_once(&seen[0], 1, "the CPU that the vCPU has left");
}

void vmscape_by_any_task(void)
{
	struct vmscape_seen seen[VMSCAPE_CPUS];
	struct vcpu_thread t;
	struct kvm_vcpu *vcpu;
	int i;

	vm_create_with_one_vcpu(&vcpu, guest_halts);
	vmscape_pin(1);
	vmscape_window_open();
	vcpu_thread_start(&t, vcpu, vmscape_cpu(0));
	vcpu_thread_wait_asleep(&t);
	vmscape_pin(0);
	for (i = 0; i < RUNS; i++)
		vmscape_mark();
	vcpu_thread_stop(&t);
	vmscape_window_close(seen);
	TEST_ASSERT(seen[0].exits, "no VM-exit");
	expect_once(&seen[0], 1, "another task on the CPU of a halted vCPU");
}

void vmscape_other_flush_unused(void)
{
	enum vmscape_mode other = mode == VMSCAPE_IBPB ? VMSCAPE_BHB : VMSCAPE_IBPB;
	struct vmscape_seen s = run(create(), RUNS, 1);

	TEST_ASSERT(s.flushes[mode] >= RUNS, "%u flushes by %s", s.flushes[mode], targets[mode]);
	CASE_EXPECT(!s.flushes[other], "%u flushes by %s, and %u by %s", s.flushes[mode], targets[mode],
		    s.flushes[other], targets[other]);
}

void vmscape_nobody_asks(void)
{
	struct vmscape_seen s = run(create(), RUNS, 10);

	TEST_ASSERT(s.exits > RUNS * 10, "%u VM-exits", s.exits);
	CASE_EXPECT(!s.flag_set, "%u flushes asked for after %u VM-exits", s.flag_set, s.exits);
}
