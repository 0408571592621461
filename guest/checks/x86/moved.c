// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest has and knows stays the same while its VM is moved: by live migration, or
 * into a file and out of it.
 */
#include <string.h>

#include "../../../include/x86/apx.h"
#include "../../boot/x86/x86.h"

#define MAX_LEAVES	160

static struct {
	u32 leaf, subleaf;
	struct cpuid value;
} leaves[MAX_LEAVES];

static unsigned int nr_leaves;

static void record(u32 leaf, u32 subleaf)
{
	if (nr_leaves == MAX_LEAVES)
		return;
	leaves[nr_leaves].leaf = leaf;
	leaves[nr_leaves].subleaf = subleaf;
	leaves[nr_leaves++].value = cpuid(leaf, subleaf);
}

/* Which leaves have more than one. */
static unsigned int subleaves(u32 leaf)
{
	switch (leaf) {
	case 4:
	case 7:
	case 0xb:
		return 4;
	case 0xd:
		return 20;
	}
	return 1;
}

static void record_all(u32 first)
{
	u32 last = cpuid(first, 0).eax, leaf, i;

	for (leaf = first; leaf >= first && leaf <= last; leaf++) {
		for (i = 0; i < subleaves(leaf); i++)
			record(leaf, i);
	}
}

static void cpuid_kept(void)
{
	unsigned int i;

	nr_leaves = 0;
	record_all(0);
	record_all(0x80000000);
	hold();
	for (i = 0; i < nr_leaves; i++) {
		struct cpuid now = cpuid(leaves[i].leaf, leaves[i].subleaf);
		struct cpuid *was = &leaves[i].value;

		CASE_EXPECT(!memcmp(&now, was, sizeof(now)),
			    "CPUID %#x.%#x is %08x %08x %08x %08x, was %08x %08x %08x %08x", leaves[i].leaf,
			    leaves[i].subleaf, now.eax, now.ebx, now.ecx, now.edx, was->eax, was->ebx, was->ecx,
			    was->edx);
	}
}

static void msrs_kept(void)
{
	static const struct {
		u32 msr;
		const char *name;
		u64 set;
	} all[] = {
		{ 0xc0000080, "EFER", 0xd01 }, { 0xc0000082, "LSTAR", 0x1234560 }, { 0xc0000102, "KERNEL_GS_BASE", 0x77770 },
		{ MSR_TSC_AUX, "TSC_AUX", 0x42 }, { MSR_SPEC_CTRL, "SPEC_CTRL", 1 }, { 0x277, "PAT", 0x0007040600070400 },
		{ 0x174, "SYSENTER_CS", 8 }, { 0x175, "SYSENTER_ESP", 0x5550 },
	};
	u64 was[ARRAY_SIZE(all)], old[ARRAY_SIZE(all)], now;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		rdmsr_safe(all[i].msr, &old[i]);
		wrmsr_safe(all[i].msr, all[i].set);
		rdmsr_safe(all[i].msr, &was[i]);
	}
	hold();
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		rdmsr_safe(all[i].msr, &now);
		wrmsr_safe(all[i].msr, old[i]);
		CASE_EXPECT(now == was[i], "%s is %#llx, was %#llx", all[i].name, (unsigned long long)now,
			    (unsigned long long)was[i]);
	}
}

/* Bytes: the compiler is not to touch these registers. */
static void extended_state_kept(void)
{
	/* MOVQ XMM7, RAX and back; the same for R16, by RCX. */
	static const u8 set_xmm7[] = { 0x66, 0x48, 0x0f, 0x6e, 0xf8 }, get_xmm7[] = { 0x66, 0x48, 0x0f, 0x7e, 0xf8 };
	static const u8 set_r16[] = { REX2_MOV(16, 0) }, get_r16[] = { REX2_MOV(1, 16) };
	const struct kvm_regs regs = { .rax = 0x1716151413121110 }, none = { 0 };
	bool apx = cpuid_bit(7, 1, 'd', 21);
	struct executed end;
	u64 xcr0;

	if (!xsave_on())
		case_skip("CPUID has no XSAVE");
	xcr0 = cpuid(0xd, 0).eax & ~(apx ? APX_XCR0_MPX : 0);
	CASE_EXPECT(xsetbv_safe(0, xcr0) < 0, "XCR0 does not take all that CPUID has: %#llx", (unsigned long long)xcr0);
	execute(0, set_xmm7, sizeof(set_xmm7), &regs, &end);
	if (apx)
		execute(0, set_r16, sizeof(set_r16), &regs, &end);
	hold();
	CASE_EXPECT(xgetbv(0) == xcr0, "XCR0 is %#llx, was %#llx", (unsigned long long)xgetbv(0), (unsigned long long)xcr0);
	execute(0, get_xmm7, sizeof(get_xmm7), &none, &end);
	CASE_EXPECT(end.regs.rax == regs.rax, "XMM7 is %#llx, was %#llx", (unsigned long long)end.regs.rax,
		    (unsigned long long)regs.rax);
	if (apx) {
		execute(0, get_r16, sizeof(get_r16), &none, &end);
		CASE_EXPECT(end.regs.rcx == regs.rax, "R16 is %#llx, was %#llx", (unsigned long long)end.regs.rcx,
			    (unsigned long long)regs.rax);
	}
	xsetbv_safe(0, 1);
}

static const struct witness_case cases[] = {
	{
		.name = "cpuid_kept",
		.verifies = "each leaf of CPUID is the same after the move",
		.run = cpuid_kept,
	}, {
		.name = "msrs_kept",
		.verifies = "SPEC_CTRL, TSC_AUX, EFER, PAT and others are what they were",
		.run = msrs_kept,
	}, {
		.name = "extended_state_kept",
		.verifies = "XCR0, XMM7, and R16 where APX is, are what they were",
		.needs = "XSAVE",
		.run = extended_state_kept,
	},
};

static const struct witness_test test = {
	.name = "guest_moved",
	.needs = "who moves the VM: --move",
	.seed = "KVM: x86: Enable APX for guests, v8; VMSCAPE v9 02/10 (mixed pools)",
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

GUEST_TEST(test);
