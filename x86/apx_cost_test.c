// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that does not use R16 to R31 does not pay for them: KVM executes no instruction
 * that names one of them when it enters the guest and when it exits.
 *
 * Who switches them for everybody passes each test of values.  With the guest's XCR0 loaded,
 * which has APX off, he dies of #UD; with the host's he does not, and that is when a guest
 * has CR4.OSXSAVE clear, or when he does it in C, further out.  Our QEMU counts instructions
 * with REX2, of the host and of guests apart.
 */
#include <errno.h>

#include "apx_guest.h"
#include "case.h"
#include "cpu.h"

#define ROUNDS		100

static u64 off;			/* for the guest: in XCR0, or in CR4 */

#define OFF_BY_XCR0	1
#define OFF_BY_CR4	2

static void setup(void)
{
	apx_need();
	apx_need_count();
	cpu_pin_first();
}

/* An exit to user space, and one that KVM handles. */
static void guest(void)
{
	u32 a, b, c, d;

	if (off & OFF_BY_XCR0)
		xsetbv(0, xgetbv(0) & ~APX_XCR0);
	if (off & OFF_BY_CR4)
		set_cr4(get_cr4() & ~X86_CR4_OSXSAVE);
	for (;;) {
		GUEST_SYNC(0);
		cpuid(0, &a, &b, &c, &d);
	}
}

static struct kvm_vcpu *begin(u64 how)
{
	struct kvm_vcpu *vcpu;

	apx_vm_create(&vcpu, 1, guest);
	off = how;
	sync_global_to_guest(vcpu->vm, off);
	return vcpu;
}

/* How many while the guest is entered at least twice as often. */
static u64 cost(struct kvm_vcpu *vcpu)
{
	u64 before;
	int i;

	apx_run(vcpu, 0);
	before = apx_count();
	for (i = 0; i < ROUNDS; i++)
		apx_run(vcpu, 0);
	return apx_count() - before;
}

static void expect_free(struct kvm_vcpu *vcpu, const char *what)
{
	u64 n = cost(vcpu);

	CASE_EXPECT(!n, "%llu instructions with R16 to R31 in %d runs of a guest %s", (unsigned long long)n, ROUNDS, what);
}

/* Without this one a 0 would say nothing. */
static void on(void)
{
	u64 n = cost(begin(0)), want = 2 * ROUNDS * 2 * APX_NR_EGPRS;

	CASE_EXPECT(n >= want, "%llu instructions with R16 to R31 in %d runs of a guest that uses them, want %llu",
		    (unsigned long long)n, ROUNDS, (unsigned long long)want);
}

static void off_by_xcr0(void)
{
	expect_free(begin(OFF_BY_XCR0), "with XCR0.APX clear");
}

static void off_by_xcr0_and_cr4(void)
{
	expect_free(begin(OFF_BY_XCR0 | OFF_BY_CR4), "with XCR0.APX and CR4.OSXSAVE clear");
}

static void hidden(void)
{
	struct kvm_vcpu *vcpu = begin(0);

	apx_hide(vcpu);
	expect_free(vcpu, "without APX in CPUID");
}

static void bailed_out(void)
{
	struct kvm_vcpu *vcpu = begin(0);
	u64 n;
	int i;

	apx_run(vcpu, 0);
	vcpu->run->immediate_exit = 1;
	n = apx_count();
	for (i = 0; i < ROUNDS; i++)
		TEST_ASSERT(__vcpu_run(vcpu) == -1 && errno == EINTR, "KVM_RUN was to be interrupted: %m");
	n = apx_count() - n;
	CASE_EXPECT(!n, "%llu instructions with R16 to R31 in %d KVM_RUNs that enter no guest", (unsigned long long)n, ROUNDS);
}

static const struct witness_case cases[] = {
	{
		.name = "on",
		.verifies = "a guest with XCR0.APX: 16 are loaded and 16 stored, at least, for each entry",
		.run = on,
	}, {
		.name = "off_by_xcr0",
		.verifies = "none with XCR0.APX clear",
		.run = off_by_xcr0,
	}, {
		.name = "off_by_xcr0_and_cr4",
		.verifies = "none with CR4.OSXSAVE clear as well, when the host's XCR0 stays loaded",
		.run = off_by_xcr0_and_cr4,
	}, {
		.name = "hidden",
		.verifies = "none for a guest that has no APX by CPUID",
		.run = hidden,
	}, {
		.name = "bailed_out",
		.verifies = "none for a KVM_RUN that is interrupted before it enters the guest",
		.run = bailed_out,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "apx_cost_test",
		.needs = "our QEMU with APX, and KVM that lets guests have it",
		.seed = "KVM: x86: Enable APX for guests (v4, 2026-05-11)",
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
