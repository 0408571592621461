// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of APX is not an entry or an exit: KVM_GET_XSAVE and KVM_SET_XSAVE, XCR0, CPUID,
 * INIT, and that a guest without APX has none of it.
 *
 * User space has R16 to R31 at offset 960 of the XSAVE area, where MPX had its state; bit
 * 19 of XSTATE_BV says that they are not all 0.  A migration is nothing but this.
 *
 * The cases about a guest that has no APX run on every processor.
 */
#include <string.h>

#include "apic.h"
#include "apx_guest.h"
#include "case.h"

static u64 egprs[APX_NR_EGPRS];	/* to load, or what was stored */
static u64 vectors[4];			/* of what the guest has tried */

static u64 *egprs_of(struct kvm_xsave *xsave)
{
	return (u64 *)((char *)xsave->region + APX_XSAVE_OFFSET);
}

static u64 *xstate_bv_of(struct kvm_xsave *xsave)
{
	return (u64 *)((char *)xsave->region + 512);
}

/* The framework allocates what KVM_CAP_XSAVE2 says. */
static struct kvm_xsave *xsave_alloc(void)
{
	return calloc(1, max_t(size_t, kvm_check_cap(KVM_CAP_XSAVE2), sizeof(struct kvm_xsave)));
}

/* --- KVM_GET_XSAVE, KVM_SET_XSAVE ----------------------------------------- */

static void holding_guest(void)
{
	for (;;) {
		apx_load(egprs);
		GUEST_SYNC(0);
		apx_store(egprs);
		GUEST_SYNC(1);
	}
}

static struct kvm_vcpu *holding(const u64 v[APX_NR_EGPRS])
{
	struct kvm_vcpu *vcpu;

	apx_need();
	apx_vm_create(&vcpu, 1, holding_guest);
	memcpy(egprs, v, sizeof(egprs));
	sync_global_to_guest(vcpu->vm, egprs);
	apx_run(vcpu, 0);
	return vcpu;
}

static void expect(const u64 got[APX_NR_EGPRS], const u64 v[APX_NR_EGPRS], const char *after)
{
	int i;

	for (i = 0; i < APX_NR_EGPRS; i++)
		CASE_EXPECT(got[i] == v[i], "R%d is %#llx after %s, want %#llx", i + 16,
			    (unsigned long long)got[i], after, (unsigned long long)v[i]);
}

static void expect_in_guest(struct kvm_vcpu *vcpu, const u64 v[APX_NR_EGPRS], const char *after)
{
	apx_run(vcpu, 0);
	sync_global_from_guest(vcpu->vm, egprs);
	expect(egprs, v, after);
}

static void get(void)
{
	static const u64 zeros[APX_NR_EGPRS];
	struct kvm_xsave *xsave = xsave_alloc();
	u64 v[APX_NR_EGPRS];

	apx_pattern(v, 1);
	vcpu_xsave_get(holding(v), xsave);
	CASE_EXPECT(!memcmp(egprs_of(xsave), v, sizeof(v)), "KVM_GET_XSAVE has R16 %#llx, want %#llx",
		    (unsigned long long)*egprs_of(xsave), (unsigned long long)*v);
	CASE_EXPECT(*xstate_bv_of(xsave) & APX_XCR0, "XSTATE_BV is %#llx", (unsigned long long)*xstate_bv_of(xsave));
	memset(xsave, 0, sizeof(*xsave));
	vcpu_xsave2_get(holding(v), xsave);
	CASE_EXPECT(!memcmp(egprs_of(xsave), v, sizeof(v)) && *xstate_bv_of(xsave) & APX_XCR0, "KVM_GET_XSAVE2");

	vcpu_xsave_get(holding(zeros), xsave);
	CASE_EXPECT(!memcmp(egprs_of(xsave), zeros, sizeof(zeros)) && !(*xstate_bv_of(xsave) & APX_XCR0),
		    "zeros: XSTATE_BV is %#llx, R16 %#llx", (unsigned long long)*xstate_bv_of(xsave),
		    (unsigned long long)*egprs_of(xsave));
}

static void set(void)
{
	static const u64 zeros[APX_NR_EGPRS];
	struct kvm_xsave *xsave = xsave_alloc();
	u64 v[APX_NR_EGPRS], w[APX_NR_EGPRS];
	struct kvm_vcpu *vcpu;

	apx_pattern(v, 2);
	apx_pattern(w, 3);
	vcpu = holding(v);
	vcpu_xsave_get(vcpu, xsave);
	memcpy(egprs_of(xsave), w, sizeof(w));
	vcpu_xsave_set(vcpu, xsave);
	memset(xsave, 0, sizeof(*xsave));
	vcpu_xsave_get(vcpu, xsave);
	CASE_EXPECT(!memcmp(egprs_of(xsave), w, sizeof(w)), "KVM_GET_XSAVE has not what KVM_SET_XSAVE has set");
	expect_in_guest(vcpu, w, "KVM_SET_XSAVE");

	/* Without the bit they are 0, whatever the area has. */
	vcpu = holding(v);
	vcpu_xsave_get(vcpu, xsave);
	*xstate_bv_of(xsave) &= ~APX_XCR0;
	vcpu_xsave_set(vcpu, xsave);
	expect_in_guest(vcpu, zeros, "KVM_SET_XSAVE without the bit");
}

/* To another VM, as in a migration. */
static void moved_to_another_vm(void)
{
	struct kvm_xsave *xsave = xsave_alloc();
	u64 v[APX_NR_EGPRS], w[APX_NR_EGPRS];
	struct kvm_vcpu *from, *to;

	apx_pattern(v, 4);
	apx_pattern(w, 5);
	from = holding(v);
	to = holding(w);
	vcpu_xsave_get(from, xsave);
	vcpu_xsave_set(to, xsave);
	expect_in_guest(to, v, "a migration");
	expect_in_guest(from, v, "being migrated");
}

/* --- XCR0 ----------------------------------------------------------------- */

#define REX2_NOP	".byte 0xd5, 0x00, 0x90"

static void switching_guest(void)
{
	u64 xcr0 = xgetbv(0), got[APX_NR_EGPRS];
	int i;

	apx_load(egprs);
	xsetbv(0, xcr0 & ~APX_XCR0);
	vectors[0] = kvm_asm_safe(REX2_NOP);
	/* An exit of each kind while they are hidden. */
	GUEST_SYNC(0);
	kvm_hypercall(KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0);
	xsetbv(0, xcr0);
	vectors[1] = kvm_asm_safe(REX2_NOP);
	apx_store(got);
	/* Without CR4.OSXSAVE the prefix is as unknown. */
	set_cr4(get_cr4() & ~X86_CR4_OSXSAVE);
	vectors[2] = kvm_asm_safe(REX2_NOP);
	GUEST_SYNC(0);
	set_cr4(get_cr4() | X86_CR4_OSXSAVE);
	vectors[3] = kvm_asm_safe(REX2_NOP);
	for (i = 0; i < APX_NR_EGPRS; i++)
		GUEST_ASSERT_EQ(got[i], egprs[i]);
	apx_store(egprs);
	GUEST_DONE();
}

static void off_and_on(void)
{
	u64 v[APX_NR_EGPRS];
	struct kvm_vcpu *vcpu;

	apx_need();
	apx_vm_create(&vcpu, 1, switching_guest);
	apx_pattern(v, 6);
	memcpy(egprs, v, sizeof(v));
	sync_global_to_guest(vcpu->vm, egprs);
	while (apx_run(vcpu, 0))
		;
	sync_global_from_guest(vcpu->vm, egprs);
	sync_global_from_guest(vcpu->vm, vectors);
	CASE_EXPECT(vectors[0] == UD_VECTOR && vectors[2] == UD_VECTOR, "REX2 with APX off: vector %llu by XCR0, %llu by CR4",
		    (unsigned long long)vectors[0], (unsigned long long)vectors[2]);
	CASE_EXPECT(!vectors[1] && !vectors[3], "REX2 with APX on again: vector %llu, %llu",
		    (unsigned long long)vectors[1], (unsigned long long)vectors[3]);
	CASE_EXPECT(!memcmp(egprs, v, sizeof(v)), "R16 to R31 have changed while APX was off");
}

static void xsetbv_guest(void)
{
	vectors[0] = xsetbv_safe(0, APX_XCR0 | APX_XCR0_MPX | 7);
	vectors[1] = xsetbv_safe(0, APX_XCR0 | 7);
	vectors[2] = kvm_asm_safe(REX2_NOP);
	GUEST_DONE();
}

/* Not both, whatever the processor has. */
static void no_mpx_with_apx(void)
{
	struct kvm_vcpu *vcpu;

	if (!kvm_cpu_has(X86_FEATURE_XSAVE))
		case_skip("no XSAVE for guests here");
	apx_vm_create(&vcpu, 1, xsetbv_guest);
	while (apx_run(vcpu, 0))
		;
	sync_global_from_guest(vcpu->vm, vectors);
	CASE_EXPECT(vectors[0] == GP_VECTOR, "XSETBV of APX and MPX: vector %llu, want #GP", (unsigned long long)vectors[0]);
}

/* User space cannot have it either, where KVM offers both of them by mistake. */
static void no_mpx_with_apx_for_user_space(void)
{
	struct kvm_xcrs xcrs;
	struct kvm_vcpu *vcpu;

	if (!kvm_cpu_has(X86_FEATURE_XSAVE))
		case_skip("no XSAVE for guests here");
	apx_vm_create(&vcpu, 1, xsetbv_guest);
	vcpu_xcrs_get(vcpu, &xcrs);
	xcrs.xcrs[0].value |= APX_XCR0 | APX_XCR0_MPX;
	CASE_EXPECT(__vcpu_ioctl(vcpu, KVM_SET_XCRS, &xcrs), "KVM_SET_XCRS takes APX and MPX");
	CASE_EXPECT((kvm_cpu_supported_xcr0() & (APX_XCR0 | APX_XCR0_MPX)) != (APX_XCR0 | APX_XCR0_MPX),
		    "KVM offers APX and MPX");
}

/* --- CPUID ---------------------------------------------------------------- */

static void offered(void)
{
	if (!apx_on_host())
		case_skip("no APX in this processor, or off in this kernel");
	CASE_EXPECT(kvm_cpu_has(X86_FEATURE_APX), "KVM_GET_SUPPORTED_CPUID has no APX");
	CASE_EXPECT(kvm_cpu_supported_xcr0() & APX_XCR0, "XCR0 of guests: %#llx", (unsigned long long)kvm_cpu_supported_xcr0());
}

static void leaf_29(void)
{
	const struct kvm_cpuid2 *cpuid;
	const struct kvm_cpuid_entry2 *e;
	u32 i;

	apx_need();
	cpuid = kvm_get_supported_cpuid();
	e = get_cpuid_entry(cpuid, 0, 0);
	CASE_EXPECT(e->eax >= APX_CPUID_LEAF, "the highest leaf is %#x", e->eax);
	for (i = 0; i < cpuid->nent; i++) {
		e = &cpuid->entries[i];
		CASE_EXPECT(e->function != APX_CPUID_LEAF || !(e->eax | e->ebx | e->ecx | e->edx),
			    "CPUID 29H has %#x %#x %#x %#x, KVM emulates nothing with EVEX", e->eax, e->ebx, e->ecx, e->edx);
	}
}

/* On a processor without APX nothing is hidden: it is not there. */
static void hidden(void)
{
	struct kvm_xsave *xsave = xsave_alloc();
	struct kvm_vcpu *vcpu;

	if (!kvm_cpu_has(X86_FEATURE_XSAVE))
		case_skip("no XSAVE for guests here");
	apx_vm_create(&vcpu, 1, xsetbv_guest);
	apx_hide(vcpu);
	while (apx_run(vcpu, 0))
		;
	sync_global_from_guest(vcpu->vm, vectors);
	CASE_EXPECT(vectors[1] == GP_VECTOR, "XSETBV of APX: vector %llu, want #GP", (unsigned long long)vectors[1]);
	CASE_EXPECT(vectors[2] == UD_VECTOR, "REX2: vector %llu, want #UD", (unsigned long long)vectors[2]);
	vcpu_xsave_get(vcpu, xsave);
	CASE_EXPECT(!(*xstate_bv_of(xsave) & APX_XCR0), "KVM_GET_XSAVE of a guest without APX has the bit");
}

/* --- INIT ----------------------------------------------------------------- */

static void init_guest(u64 who)
{
	apx_load(egprs);
	if (!who)
		x2apic_enable();
	GUEST_SYNC(0);
	if (!who) {
		x2apic_write_reg(APIC_ICR, 1ull << 32 | APIC_INT_ASSERT | APIC_DM_INIT);
		GUEST_DONE();
	}
	for (;;)
		GUEST_SYNC(1);
}

/* As it keeps the vector registers; RAX to R15 are 0. */
static void init_keeps(void)
{
	struct kvm_xsave *xsave = xsave_alloc();
	struct kvm_vcpu *vcpus[2];
	u64 v[APX_NR_EGPRS];
	struct kvm_regs regs;

	apx_need();
	apx_vm_create(vcpus, 2, (void *)init_guest);
	apx_pattern(v, 7);
	memcpy(egprs, v, sizeof(v));
	sync_global_to_guest(vcpus[0]->vm, egprs);
	apx_run(vcpus[1], 0);
	apx_run(vcpus[0], 0);
	apx_run(vcpus[0], 0);
	/* Takes the INIT, and then waits for a start-up IPI: it must not sleep. */
	vcpus[1]->run->immediate_exit = 1;
	__vcpu_run(vcpus[1]);
	vcpu_mp_state_get(vcpus[1], &(struct kvm_mp_state){ 0 });
	vcpu_regs_get(vcpus[1], &regs);
	TEST_ASSERT(regs.rip == 0xfff0 && !regs.rax && !regs.r15, "no INIT: RIP is %#llx", regs.rip);
	vcpu_xsave_get(vcpus[1], xsave);
	expect(egprs_of(xsave), v, "INIT");
}

static void zero_at_first(void)
{
	static const u64 zeros[APX_NR_EGPRS];
	struct kvm_xsave *xsave = xsave_alloc();
	struct kvm_vcpu *vcpu;

	apx_need();
	apx_vm_create(&vcpu, 1, holding_guest);
	vcpu_xsave_get(vcpu, xsave);
	CASE_EXPECT(!memcmp(egprs_of(xsave), zeros, sizeof(zeros)) && !(*xstate_bv_of(xsave) & APX_XCR0),
		    "R16 of a vCPU that has not run is %#llx", (unsigned long long)*egprs_of(xsave));
}

static const struct witness_case cases[] = {
	{
		.name = "offered",
		.verifies = "KVM lets guests have what the processor and the kernel have",
		.needs = "a processor with APX",
		.run = offered,
	}, {
		.name = "leaf_29",
		.verifies = "CPUID leaf 29H is there and has nothing of what needs EVEX",
		.run = leaf_29,
	}, {
		.name = "get",
		.verifies = "KVM_GET_XSAVE and KVM_GET_XSAVE2 have the registers at 960, and bit 19 unless all are 0",
		.run = get,
	}, {
		.name = "set",
		.verifies = "KVM_SET_XSAVE sets them, and makes them 0 without bit 19",
		.run = set,
	}, {
		.name = "moved_to_another_vm",
		.verifies = "what KVM_GET_XSAVE gives is what another VM's guest then has",
		.run = moved_to_another_vm,
	}, {
		.name = "off_and_on",
		.verifies = "XCR0.APX and CR4.OSXSAVE off: REX2 is #UD; on again: the values are as they were",
		.run = off_and_on,
	}, {
		.name = "no_mpx_with_apx",
		.verifies = "XSETBV of APX together with MPX is #GP",
		.needs = "XSAVE",
		.run = no_mpx_with_apx,
	}, {
		.name = "no_mpx_with_apx_for_user_space",
		.verifies = "KVM_SET_XCRS refuses APX together with MPX, and KVM does not offer both",
		.needs = "XSAVE",
		.run = no_mpx_with_apx_for_user_space,
	}, {
		.name = "hidden",
		.verifies = "a guest without APX in CPUID: XSETBV is #GP, REX2 #UD, KVM_GET_XSAVE has no bit 19",
		.needs = "XSAVE",
		.run = hidden,
	}, {
		.name = "init_keeps",
		.verifies = "INIT keeps R16 to R31",
		.run = init_keeps,
	}, {
		.name = "zero_at_first",
		.verifies = "a new vCPU has zeros in them",
		.run = zero_at_first,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "apx_state_test",
		.needs = "a processor with APX, and KVM that lets guests have it",
		.seed = "KVM: x86: Enable APX for guests (v4, 2026-05-11)",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
