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
#include <signal.h>

#include "case.h"
#include "compat.h"
#include "ibpb.h"
#include "kallsyms.h"
#include "kmem.h"
#include "percpu.h"

#define ROUNDS	10

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC(0);
}

struct pair {
	struct kvm_vm *vm;
	struct kvm_vcpu *a, *b;
};

/*
 * A guest that is shown IBPB gets a barrier whenever it changes CPUs, so that
 * barriers of its own stay good there: that would hide what is tested here.
 */
static void hide_ibpb(struct kvm_vcpu *vcpu)
{
	vcpu_clear_cpuid_feature(vcpu, X86_FEATURE_SPEC_CTRL);
	vcpu_clear_cpuid_feature(vcpu, X86_FEATURE_AMD_IBPB);
}

static struct pair create_pair(void)
{
	struct kvm_vcpu *vcpus[2];
	struct pair p;

	p.vm = vm_create_with_vcpus(2, guest_code, vcpus);
	p.a = vcpus[0];
	p.b = vcpus[1];
	hide_ibpb(p.a);
	hide_ibpb(p.b);
	return p;
}

/* Enters the guest: until its next GUEST_SYNC(). */
static void run_on(int cpu, struct kvm_vcpu *vcpu)
{
	ibpb_pin(cpu);
	vcpu_run(vcpu);
}

/* vcpu_load() and vcpu_put() without an entry. */
static void load_on(int cpu, struct kvm_vcpu *vcpu)
{
	struct kvm_regs regs;

	ibpb_pin(cpu);
	vcpu_regs_get(vcpu, &regs);
}

static void need_probe(void)
{
	const char *why = ibpb_probe_open();

	if (!why)
		why = ibpb_vcpu_switch_off();
	if (why)
		case_skip("%s", why);
}

static void expect_by_kvm(const struct ibpb_counts *c, int cpu, unsigned int want, const char *what)
{
	unsigned int seen = ibpb_by_kvm(c, cpu);

	CASE_EXPECT(seen == want, "%s: %u barriers on CPU %d, want %u (%u at load, %u at VM-entry)",
		    what, seen, cpu, want, c->n[cpu][IBPB_VCPU_LOAD], c->n[cpu][IBPB_VM_ENTRY]);
}

static void loads_without_run(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;
	int i;

	run_on(0, p.a);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		load_on(0, p.b);
		load_on(0, p.a);
	}
	c = ibpb_window_close();
	expect_by_kvm(&c, 0, 0, "20 alternating loads");
}

static void loads_before_one_entry(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;
	int i;

	run_on(0, p.a);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		load_on(0, p.b);
		load_on(0, p.a);
	}
	run_on(0, p.b);
	c = ibpb_window_close();
	expect_by_kvm(&c, 0, 1, "20 alternating loads, then one entry of the other vCPU");
}

static void immediate_exit_keeps_debt(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;
	int i, r;

	run_on(0, p.a);
	ibpb_window_open();
	p.b->run->immediate_exit = 1;
	for (i = 0; i < ROUNDS; i++) {
		r = __vcpu_run(p.b);
		CASE_EXPECT(r == -1 && errno == EINTR, "immediate_exit: KVM_RUN gave %d, errno %d", r, errno);
	}
	p.b->run->immediate_exit = 0;
	c = ibpb_window_close();
	expect_by_kvm(&c, 0, 0, "10 runs with immediate_exit");

	ibpb_window_open();
	run_on(0, p.b);
	c = ibpb_window_close();
	expect_by_kvm(&c, 0, 1, "the entry after 10 runs with immediate_exit");
}

/*
 * A signal that is pending when KVM_RUN begins makes KVM turn back at the last
 * check before the entry, with interrupts off: later than immediate_exit.
 */
static void signal_keeps_debt(void)
{
	/* No signal is blocked during KVM_RUN: eight bytes of zero after the length. */
	u32 in_guest[] = { sizeof(u64), 0, 0 };
	struct pair p = create_pair();
	struct ibpb_counts c;
	sigset_t set;
	int i, r, sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	vcpu_ioctl(p.b, KVM_SET_SIGNAL_MASK, (struct kvm_signal_mask *)in_guest);

	run_on(0, p.a);
	raise(SIGUSR1);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		r = __vcpu_run(p.b);
		CASE_EXPECT(r == -1 && errno == EINTR, "pending signal: KVM_RUN gave %d, errno %d", r, errno);
	}
	c = ibpb_window_close();
	expect_by_kvm(&c, 0, 0, "10 runs turned back by a pending signal");

	sigwait(&set, &sig);
	ibpb_window_open();
	run_on(0, p.b);
	c = ibpb_window_close();
	expect_by_kvm(&c, 0, 1, "the entry after 10 runs turned back by a signal");
}

static void alternating_runs(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;
	int i;

	run_on(0, p.b);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++) {
		run_on(0, p.a);
		run_on(0, p.b);
	}
	c = ibpb_window_close();
	expect_by_kvm(&c, 0, 2 * ROUNDS, "20 alternating runs");
	expect_by_kvm(&c, 1, 0, "20 alternating runs on CPU 0");
}

static void same_vcpu_again(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;
	int i;

	run_on(0, p.a);
	ibpb_window_open();
	for (i = 0; i < ROUNDS; i++)
		run_on(0, p.a);
	c = ibpb_window_close();
	expect_by_kvm(&c, 0, 0, "10 runs of one vCPU");

	ibpb_window_open();
	run_on(0, p.b);
	c = ibpb_window_close();
	expect_by_kvm(&c, 0, 1, "the other vCPU after 10 runs of one");
}

/* The sequence that the posted patch loses a barrier in. */
static void loaded_here_entered_there(void)
{
	struct pair p = create_pair();
	struct ibpb_counts c;

	run_on(1, p.b);
	run_on(0, p.a);
	ibpb_window_open();
	load_on(0, p.b);
	run_on(1, p.b);
	run_on(0, p.b);
	c = ibpb_window_close();
	CASE_EXPECT(ibpb_by_kvm(&c, 0) > 0,
		    "no barrier on CPU 0 between vCPU A, which ran there, and vCPU B, which was loaded there, ran on CPU 1 and came back");
	expect_by_kvm(&c, 0, 1, "B loaded on CPU 0, run on CPU 1, run on CPU 0");
}

/* The address of the vCPU that KVM holds to have run last on a CPU; 0 if it cannot be told. */
static u64 last_vcpu(int cpu)
{
	const char *why;
	u64 addr = percpu_addr("last_vcpu", ibpb_cpu(cpu), &why), vcpu;

	return addr && !kmem_read(addr, &vcpu, sizeof(vcpu)) ? vcpu : 0;
}

static struct kvm_vcpu *create_one(void)
{
	struct kvm_vcpu *vcpu;

	vm_create_with_one_vcpu(&vcpu, guest_code);
	hide_ibpb(vcpu);
	return vcpu;
}

/*
 * Only a new vCPU at the address of the destroyed one can be taken for it.  The
 * allocator gives the address again after a few others: create and destroy vCPUs
 * until one has it, entered on CPU 1 only, and enter that one on CPU 0.
 */
static void recreated_vcpu(void)
{
	struct kvm_vcpu *other = create_one(), *vcpu = create_one();
	struct ibpb_counts c;
	const int tries = 64;
	u64 addr = 0;
	int i;

	for (i = 0; i < tries; i++) {
		/* The memory may have gone to somebody else: begin anew now and then. */
		if (i % 8 == 0) {
			run_on(0, vcpu);
			addr = last_vcpu(0);
		}
		/* On CPU 0, so that it is the allocator of the same NUMA node. */
		ibpb_pin(0);
		kvm_vm_free(vcpu->vm);
		vcpu = create_one();
		run_on(1, vcpu);
		if (addr && last_vcpu(1) == addr)
			break;
	}
	if (i == tries)
		case_skip("not discriminating: none of %d new vCPUs is known to have the address of the destroyed one", i);

	/* For a kernel with the barrier at load: it has seen the new vCPU on CPU 0. */
	load_on(0, other);
	ibpb_window_open();
	run_on(0, vcpu);
	c = ibpb_window_close();
	expect_by_kvm(&c, 0, 1, "a new vCPU at the address of a destroyed one");
}

/* The table is big, and the same for all cases; they say why when there is none. */
static void prepare(void)
{
	kallsyms_load();
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
		.name = "same_vcpu_again",
		.verifies = "a vCPU entered again on its CPU, nobody in between, costs no barrier",
		.run = same_vcpu_again,
	}, {
		.name = "loaded_here_entered_there",
		.verifies = "a vCPU loaded on one CPU and entered on another does not lose the first CPU's barrier",
		.run = loaded_here_entered_there,
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
	.prepare = prepare,
	.setup = need_probe,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

int main(int argc, char **argv)
{
	return witness_main(&test, argc, argv);
}
