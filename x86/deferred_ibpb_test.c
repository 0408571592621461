// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM separates the vCPUs that share a CPU by an indirect branch prediction
 * barrier (IBPB).  Deferred to VM-entry, it costs nothing when a vCPU is only
 * loaded, and it is owed by the CPU until some vCPU enters there.
 *
 * Catches: barriers spent on loads; a debt that is forgotten when KVM_RUN ends
 * before the entry; a debt paid on the wrong CPU.  The last one is in the posted
 * patch ("KVM: x86: Defer IBPBs for vCPU and nested transitions until core run
 * loop", 2026-01-27): vCPU B, loaded on CPU 0 and entered on CPU 1, comes back to
 * CPU 0 and enters there with the predictions that vCPU A left.
 *
 * Sound because the barrier's code reads x86_pred_cmd, which a watchpoint sees
 * outside of KVM's DR7 window; each window proves its watchpoints alive.
 */
#include <pthread.h>

#include "case.h"
#include "compat.h"
#include "ibpb.h"
#include "ibpb_guest.h"
#include "kallsyms.h"
#include "kmem.h"
#include "percpu.h"

#define ROUNDS	10

struct pair {
	struct kvm_vcpu *a, *b;
};

static struct pair create_pair(void)
{
	struct kvm_vcpu *vcpus[2];
	struct pair p;

	vm_create_with_vcpus(2, ibpb_guest_code, vcpus);
	p.a = vcpus[0];
	p.b = vcpus[1];
	ibpb_show(p.a, SHOW_NOTHING);
	ibpb_show(p.b, SHOW_NOTHING);
	return p;
}

static void loads_without_run(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;
	int i;

	ibpb_run_on(0, p.a);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		ibpb_load_on(0, p.b);
		ibpb_load_on(0, p.a);
	}
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 0, "20 alternating loads");
}

static void loads_before_one_entry(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;
	int i;

	ibpb_run_on(0, p.a);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		ibpb_load_on(0, p.b);
		ibpb_load_on(0, p.a);
	}
	ibpb_run_on(0, p.b);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 1, "20 alternating loads, then one entry of the other vCPU");
}

static void others_loads_cost_nothing(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;
	int i;

	ibpb_run_on(0, p.a);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		ibpb_load_on(0, p.b);
		ibpb_run_on(0, p.a);
	}
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 0, "10 runs of one vCPU, the other one loaded before each");
}

static void immediate_exit_keeps_debt(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;
	int i;

	ibpb_run_on(0, p.a);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++)
		ibpb_immediate_exit(p.b);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 0, "10 runs with immediate_exit");

	ibpb_window_open();
	ibpb_run_on(0, p.b);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 1, "the entry after 10 runs with immediate_exit");
}

/*
 * A signal that is pending when KVM_RUN begins makes KVM turn back at the last
 * check before the entry, with interrupts off: later than immediate_exit.
 */
static void signal_keeps_debt(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;
	int i;

	ibpb_allow_turning_back(p.b);
	ibpb_run_on(0, p.a);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++)
		ibpb_turn_back(p.b);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 0, "10 runs turned back by a pending signal");

	ibpb_window_open();
	ibpb_run_on(0, p.b);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 1, "the entry after 10 runs turned back by a signal");
}

static void alternating_runs(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;
	int i;

	ibpb_run_on(0, p.b);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		ibpb_run_on(0, p.a);
		ibpb_run_on(0, p.b);
	}
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 2 * ROUNDS, "20 alternating runs");
}

/* Both vCPUs have the ID and the index 0. */
static void alternating_vms(void)
{
	struct kvm_vcpu *a = ibpb_create_vcpu(0, SHOW_NOTHING);
	struct kvm_vcpu *b = ibpb_create_vcpu(0, SHOW_NOTHING);
	struct ibpb_counts c;
	int i;

	ibpb_run_on(0, b);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		ibpb_run_on(0, a);
		ibpb_run_on(0, b);
	}
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 2 * ROUNDS, "20 alternating runs of two VMs");
}

/* VMSCAPE's barrier, on return to user space, protects the host and not the next guest. */
static void exit_to_user_told_apart(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;
	int i;

	ibpb_run_on(0, p.b);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		ibpb_run_on(0, p.a);
		ibpb_run_on(0, p.b);
		ibpb_run_on(0, p.b);
	}
	c = ibpb_window_close();
	if (c.n[0][IBPB_EXIT_TO_USER] < 3 * ROUNDS)
		case_skip("not each exit to user space has a barrier (VMSCAPE; boot with vmscape=force)");
	ibpb_expect(&c, 0, 2 * ROUNDS, "30 runs, 20 of them after another vCPU");
}

static void barrier_right_before_entry(void)
{
	const struct ibpb_event *events;
	struct pair p = create_pair();
	unsigned int switches = 0;
	const char *why;
	size_t nr;
	int i;

	why = ibpb_trace();
	if (why)
		case_skip("%s", why);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		ibpb_run_on(0, p.a);
		ibpb_run_on(0, p.a);
		ibpb_run_on(0, p.b);
		ibpb_run_on(0, p.b);
	}
	ibpb_window_close();
	events = ibpb_events(0, &nr);
	why = ibpb_check_order(events, nr, &switches);
	TEST_ASSERT(why || switches == 2 * ROUNDS - 1, "%u VM-entries after another vCPU's, want 19", switches);
	CASE_EXPECT(!why, "%s", why);
}

static void same_vcpu_again(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;
	int i;

	ibpb_run_on(0, p.a);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++)
		ibpb_run_on(0, p.a);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 0, "10 runs of one vCPU");

	ibpb_window_open();
	ibpb_run_on(0, p.b);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 1, "the other vCPU after 10 runs of one");
}

/* The sequence that the posted patch loses a barrier in. */
static void loaded_here_entered_there(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;

	ibpb_run_on(1, p.b);
	ibpb_run_on(0, p.a);
	ibpb_window_open();
	ibpb_load_on(0, p.b);
	ibpb_run_on(1, p.b);
	ibpb_run_on(0, p.b);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 1, "A ran on CPU 0; B loaded on CPU 0, run on CPU 1, run on CPU 0");
}

/* An NMI to the local APIC of a vCPU. */
static void wake(struct kvm_vcpu *vcpu)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000 | vcpu->id << 12, .data = 4 << 8 };
	int delivered = __vm_ioctl(vcpu->vm, KVM_SIGNAL_MSI, &msi);

	TEST_ASSERT(delivered == 1, "an MSI went to %d vCPUs", delivered);
}

/* KVM finds vCPUs by the APIC IDs that it knew when it last had a reason to look. */
static void announce_apic_id(struct kvm_vcpu *vcpu)
{
	struct kvm_lapic_state lapic;

	vcpu_ioctl(vcpu, KVM_GET_LAPIC, &lapic);
	vcpu_ioctl(vcpu, KVM_SET_LAPIC, &lapic);
}

static void nmi_handler(struct ex_regs *regs)
{
}

static void *run_in_thread(void *vcpu)
{
	vcpu_run(vcpu);
	return NULL;
}

/*
 * The same without any ioctl but KVM_RUN: B, which has halted, is loaded on CPU 0,
 * sleeps, and is woken on CPU 1.
 */
static void halted_here_woken_there(void)
{
	struct kvm_mp_state halted = { .mp_state = KVM_MP_STATE_HALTED };
	struct pair p = create_pair();
	struct ibpb_counts c;
	pthread_t thread;
	cpu_set_t set;

	vm_install_exception_handler(p.b->vm, NMI_VECTOR, nmi_handler);
	announce_apic_id(p.b);
	vcpu_mp_state_set(p.b, &halted);
	ibpb_run_on(0, p.a);

	ibpb_window_open();
	TEST_ASSERT_EQ(pthread_create(&thread, NULL, run_in_thread, p.b), 0);
	while (!vcpu_get_stat(p.b, blocking))
		sched_yield();
	CPU_ZERO(&set);
	CPU_SET(ibpb_cpu(1), &set);
	TEST_ASSERT_EQ(pthread_setaffinity_np(thread, sizeof(set), &set), 0);
	wake(p.b);
	pthread_join(thread, NULL);
	ibpb_run_on(0, p.b);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 1, "A ran on CPU 0; B halted on CPU 0, woken on CPU 1, run on CPU 0");
}

/* The address of the vCPU that KVM holds to have run last on a CPU; 0 if it cannot be told. */
static u64 last_vcpu(int cpu)
{
	const char *why;
	u64 addr = percpu_addr("last_vcpu", ibpb_cpu(cpu), &why), vcpu;

	return addr && !kmem_read(addr, &vcpu, sizeof(vcpu)) ? vcpu : 0;
}

/*
 * Only a new vCPU at the address of the destroyed one can be taken for it.  The
 * allocator gives the address again after a few others: create and destroy vCPUs
 * until one has it, entered on CPU 1 only, and enter that one on CPU 0.
 */
static void recreated_vcpu(void)
{
	struct kvm_vcpu *other = ibpb_create_vcpu(0, SHOW_NOTHING);
	struct kvm_vcpu *vcpu = ibpb_create_vcpu(0, SHOW_NOTHING);
	struct ibpb_counts c;
	const int tries = 64;
	u64 addr = 0;
	int i;

	for (i = 0; i < tries; i++) {
		/* The memory may have gone to somebody else: begin anew now and then. */
		if (i % 8 == 0) {
			ibpb_run_on(0, vcpu);
			addr = last_vcpu(0);
		}
		/* On CPU 0, so that it is the allocator of the same NUMA node. */
		ibpb_pin(0);
		kvm_vm_free(vcpu->vm);
		vcpu = ibpb_create_vcpu(0, SHOW_NOTHING);
		ibpb_run_on(1, vcpu);
		if (addr && last_vcpu(1) == addr)
			break;
	}
	if (i == tries)
		case_skip("not discriminating: none of %d new vCPUs is known to have the address of the destroyed one", i);

	/* For a kernel with the barrier at load: it has seen the new vCPU on CPU 0. */
	ibpb_load_on(0, other);
	ibpb_window_open();
	ibpb_run_on(0, vcpu);
	c = ibpb_window_close();
	ibpb_expect(&c, 0, 1, "a new vCPU at the address of a destroyed one");
}

static const struct witness_case cases[] = {
	{
		.name = "loads_without_run",
		.verifies = "loading vCPUs in turn without entering a guest costs no barrier",
		.run = loads_without_run,
	}, {
		.name = "loads_before_one_entry",
		.verifies = "any number of loads before one VM-entry costs exactly one barrier",
		.run = loads_before_one_entry,
	}, {
		.name = "others_loads_cost_nothing",
		.verifies = "a vCPU entered again costs no barrier although others were loaded in between",
		.run = others_loads_cost_nothing,
	}, {
		.name = "immediate_exit_keeps_debt",
		.verifies = "KVM_RUN with immediate_exit costs no barrier; the next VM-entry still gets one",
		.run = immediate_exit_keeps_debt,
	}, {
		.name = "signal_keeps_debt",
		.verifies = "KVM_RUN turned back right before VM-entry costs no barrier; the next VM-entry still gets one",
		.run = signal_keeps_debt,
	}, {
		.name = "alternating_runs",
		.verifies = "two vCPUs entered in turn on one CPU get exactly one barrier each time",
		.run = alternating_runs,
	}, {
		.name = "alternating_vms",
		.verifies = "vCPUs of two VMs entered in turn on one CPU get exactly one barrier each time",
		.run = alternating_vms,
	}, {
		.name = "exit_to_user_told_apart",
		.verifies = "VMSCAPE's barriers on exit to user space come on top and replace none",
		.needs = "VMSCAPE's mitigation by IBPB; what the test needs",
		.run = exit_to_user_told_apart,
	}, {
		.name = "barrier_right_before_entry",
		.verifies = "the barrier comes after the other vCPU's last VM-exit and before the VM-entry",
		.needs = "tracepoints; what the test needs",
		.run = barrier_right_before_entry,
	}, {
		.name = "same_vcpu_again",
		.verifies = "a vCPU entered again on its CPU, nobody in between, costs no barrier",
		.run = same_vcpu_again,
	}, {
		.name = "loaded_here_entered_there",
		.verifies = "a vCPU loaded on one CPU and entered on another does not lose the first CPU's barrier",
		.run = loaded_here_entered_there,
	}, {
		.name = "halted_here_woken_there",
		.verifies = "a halted vCPU that wakes up on another CPU does not lose the first CPU's barrier",
		.run = halted_here_woken_there,
	}, {
		.name = "recreated_vcpu",
		.verifies = "a new vCPU gets its barrier although a destroyed one may have had the same address",
		.run = recreated_vcpu,
	},
};

static const struct witness_test test = {
	.name = "deferred_ibpb_test",
	.needs = "IBPB; two CPUs; spectre_v2_user not off; no IBPB on kernel entry; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
	.seed = "https://lore.kernel.org/kvm (2026-01-27) KVM: x86: Defer IBPBs for vCPU and nested transitions until core run loop",
	.prepare = kallsyms_prepare,
	.setup = ibpb_need_probe,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

int main(int argc, char **argv)
{
	return witness_main(&test, argc, argv);
}
