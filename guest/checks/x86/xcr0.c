// SPDX-License-Identifier: GPL-2.0-only
/*
 * XCR0 takes what CPUID's leaf 0xd names and nothing else, and APX (R16 to R31, REX2) is
 * there if it is advertised and enabled, and else is not.
 */
#include <string.h>

#include "../../../include/x86/apx.h"
#include "../../boot/x86/x86.h"

#define XCR0_SSE	BIT(1)
#define XCR0_AVX	BIT(2)
#define XCR0_AVX512	(BIT(5) | BIT(6) | BIT(7))
#define XCR0_TILE	(BIT(17) | BIT(18))

/* MOV R16, RAX and MOV RCX, R16. */
static const u8 set_r16[] = { REX2_MOV(16, 0) };
static const u8 get_r16[] = { REX2_MOV(1, 16) };

static u64 supported(void)
{
	struct cpuid c = cpuid(0xd, 0);

	return c.eax | (u64)c.edx << 32;
}

static bool has_apx(void)
{
	return cpuid_bit(7, 1, 'd', 21);
}

static void setup(void)
{
	if (!xsave_on())
		case_skip("CPUID has no XSAVE");
}

static int try_xcr0(u64 value)
{
	int vector = xsetbv_safe(0, value);

	xsetbv_safe(0, 1);
	return vector;
}

/* Each component with those that it does not go without. */
static u64 with_others(u64 bit)
{
	if (bit & XCR0_AVX)
		bit |= XCR0_SSE;
	if (bit & APX_XCR0_MPX)
		bit |= APX_XCR0_MPX;
	if (bit & XCR0_AVX512)
		bit |= XCR0_AVX512 | XCR0_AVX | XCR0_SSE;
	if (bit & XCR0_TILE)
		bit |= XCR0_TILE;
	return bit | 1;
}

static void each_component(void)
{
	u64 all = supported();
	unsigned int i;

	CASE_EXPECT((all & 1), "CPUID's leaf 0xd names no x87 state: %#llx", (unsigned long long)all);
	for (i = 1; i < 63; i++) {
		u64 value = with_others(BIT(i));
		int vector = try_xcr0(value);

		if (all & BIT(i))
			CASE_EXPECT(vector < 0, "XCR0 bit %u is in CPUID, but XSETBV of %#llx faults", i,
				    (unsigned long long)value);
		else
			CASE_EXPECT(vector == GP_VECTOR, "XCR0 bit %u is not in CPUID, but XSETBV of %#llx gives vector %d",
				    i, (unsigned long long)value, vector);
	}
	CASE_EXPECT(try_xcr0(all & ~(all & APX_XCR0 ? APX_XCR0_MPX : 0)) < 0, "XCR0 does not take all that CPUID has: %#llx",
		    (unsigned long long)all);
}

static void expect_gp(const char *what, u64 value)
{
	int vector = try_xcr0(value);

	EXPECT_FAITHFUL(vector == GP_VECTOR, "%s: XSETBV of %#llx gives vector %d, want #GP", what,
			(unsigned long long)value, vector);
}

static void combinations(void)
{
	u64 all = supported();

	expect_gp("without x87 state", 0);
	expect_gp("without x87 state", XCR0_SSE);
	if (all & XCR0_AVX)
		expect_gp("AVX without SSE", 1 | XCR0_AVX);
	if (all & BIT(5))
		expect_gp("a third of AVX-512", 1 | XCR0_SSE | XCR0_AVX | BIT(5));
	if (all & BIT(3))
		expect_gp("half of MPX", 1 | BIT(3));
	if (all & BIT(17))
		expect_gp("half of AMX", 1 | BIT(17));
	expect_gp("APX with MPX", 1 | APX_XCR0_MPX | APX_XCR0);
	CASE_EXPECT(!(all & APX_XCR0) || !(all & APX_XCR0_MPX), "CPUID has APX and MPX: %#llx", (unsigned long long)all);
	CASE_EXPECT(xsetbv_safe(1, 1) == GP_VECTOR, "XSETBV of XCR1 does not fault");
}

static void privilege(void)
{
	static const u8 xsetbv[] = { 0x0f, 0x01, 0xd1 }, xgetbv_insn[] = { 0x0f, 0x01, 0xd0 };
	const struct kvm_regs regs = { .rax = 1 };
	u64 cr4 = read_cr4();
	struct executed end;
	unsigned int vector;

	execute(3, xsetbv, sizeof(xsetbv), &regs, &end);
	CASE_EXPECT(end.vector == GP_VECTOR, "XSETBV at CPL 3: vector %u, want #GP", end.vector);
	execute(3, xgetbv_insn, sizeof(xgetbv_insn), &regs, &end);
	CASE_EXPECT(end.vector == EXECUTED_TO_END && end.regs.rax == 1, "XGETBV at CPL 3: vector %u, RAX %#llx",
		    end.vector, (unsigned long long)end.regs.rax);
	CASE_EXPECT(cpuid_bit(1, 0, 'c', 27), "CR4.OSXSAVE is set, CPUID's copy of it is not");
	write_cr4_safe(cr4 & ~CR4_OSXSAVE);
	execute(0, xgetbv_insn, sizeof(xgetbv_insn), &regs, &end);
	vector = end.vector;
	execute(0, xsetbv, sizeof(xsetbv), &regs, &end);
	cr4 = cpuid_bit(1, 0, 'c', 27) ? 0 : cr4;
	write_cr4_safe(read_cr4() | CR4_OSXSAVE);
	if (vector == UD_VECTOR && end.vector == EXECUTED_TO_END && is_kvm_on_tcg())
		case_skip("not faithful in QEMU's TCG, where XSETBV of a guest exits whatever CR4.OSXSAVE is");
	CASE_EXPECT(vector == UD_VECTOR && end.vector == UD_VECTOR,
		    "without CR4.OSXSAVE XGETBV gives vector %u, XSETBV %u, want #UD", vector, end.vector);
	CASE_EXPECT(cr4, "CR4.OSXSAVE is clear, CPUID's copy of it is set");
}

/* What the components say of their sizes fits in what the whole says of its own. */
static void sizes(void)
{
	u64 all = supported();
	u32 most = cpuid(0xd, 0).ecx, want = 576;
	unsigned int i;

	for (i = 2; i < 63; i++) {
		struct cpuid c;

		if (!(all & BIT(i)))
			continue;
		c = cpuid(0xd, i);
		CASE_EXPECT(c.eax && c.ebx >= 576 && !(c.ecx & 1), "component %u: size %u, offset %u, flags %#x", i, c.eax,
			    c.ebx, c.ecx);
		CASE_EXPECT(c.ebx + c.eax <= most, "component %u ends at %u, the area is of %u bytes", i, c.ebx + c.eax, most);
		if (c.ebx + c.eax > want)
			want = c.ebx + c.eax;
	}
	CASE_EXPECT(xsetbv_safe(0, all & ~(all & APX_XCR0 ? APX_XCR0_MPX : 0)) < 0, "XCR0 does not take all that CPUID has");
	i = cpuid(0xd, 0).ebx;
	xsetbv_safe(0, 1);
	/* That of 7.2 does not let XSETBV exit: KVM does not hear of it. */
	if (i == 576 && i != want && is_kvm_on_tcg())
		case_skip("not faithful in QEMU's TCG, where XSETBV of a guest does not exit");
	CASE_EXPECT(i == want, "with all enabled the area is of %u bytes, its components end at %u", i, want);
	i = cpuid(0xd, 0).ebx;
	CASE_EXPECT(i == 576, "with x87 state alone the area is of %u bytes", i);
}

/* --- APX ------------------------------------------------------------------ */

static unsigned int run_rex2(void)
{
	const struct kvm_regs regs = { .rax = 0x1616 };
	struct executed end;

	execute(0, set_r16, sizeof(set_r16), &regs, &end);
	return end.vector;
}

static void apx_truth(void)
{
	CASE_EXPECT(has_apx() == !!(supported() & APX_XCR0), "CPUID's APX_F is %d, its leaf 0xd says %d", has_apx(),
		    !!(supported() & APX_XCR0));
	CASE_EXPECT((try_xcr0(1 | APX_XCR0) < 0) == has_apx(), "CPUID's APX_F is %d, XCR0.APX %s", has_apx(),
		    has_apx() ? "faults" : "can be set");
	if (has_apx())
		CASE_EXPECT(cpuid(0xd, 19).eax == 128 && cpuid(0xd, 19).ebx == APX_XSAVE_OFFSET,
			    "the state of APX has %u bytes at %u, want 128 at 960", cpuid(0xd, 19).eax, cpuid(0xd, 19).ebx);
}

static void rex2_not_enabled(void)
{
	unsigned int vector = run_rex2();

	CASE_EXPECT(vector == UD_VECTOR, "REX2 without XCR0.APX: vector %u, want #UD", vector);
}

static void rex2_malformed(void)
{
	/* Behind REX.W, behind a legacy map's escape, before REX. */
	static const u8 after_rex[] = { 0x48, 0xd5, 0x18, 0x89, 0xc0 }, before_rex[] = { 0xd5, 0x18, 0x48, 0x89, 0xc0 },
			escape[] = { 0x0f, 0xd5, 0x18, 0x89, 0xc0, 0x90, 0x90 };
	struct kvm_regs regs = { 0 };
	struct executed end;

	if (has_apx())
		xsetbv_safe(0, 1 | APX_XCR0);
	execute(0, after_rex, sizeof(after_rex), &regs, &end);
	xsetbv_safe(0, 1);
	CASE_EXPECT(end.vector == UD_VECTOR, "REX before REX2: vector %u, want #UD", end.vector);
	if (has_apx())
		xsetbv_safe(0, 1 | APX_XCR0);
	execute(0, before_rex, sizeof(before_rex), &regs, &end);
	xsetbv_safe(0, 1);
	CASE_EXPECT(end.vector == UD_VECTOR, "REX2 before REX: vector %u, want #UD", end.vector);
	/* 0F D5 is no REX2 but PMULLW, whatever APX is. */
	execute(0, escape, sizeof(escape), &regs, &end);
	CASE_EXPECT(end.vector != UD_VECTOR, "0F D5, which is PMULLW, gives #UD");
}

static void egprs_kept(void)
{
	struct kvm_regs regs = { .rax = 0x1616161616161616 };
	struct executed end;
	unsigned int i;

	if (!has_apx())
		case_skip("CPUID does not advertise APX");
	CASE_EXPECT(xsetbv_safe(0, 1 | APX_XCR0) < 0, "XCR0.APX faults");
	execute(0, set_r16, sizeof(set_r16), &regs, &end);
	CASE_EXPECT(end.vector == EXECUTED_TO_END, "MOV R16, RAX: vector %u", end.vector);
	/* Each of these leaves the guest. */
	for (i = 0; i < 100; i++) {
		cpuid(0, 0);
		inb(0x3fd);
	}
	execute(0, get_r16, sizeof(get_r16), &regs, &end);
	xsetbv_safe(0, 1);
	CASE_EXPECT(end.vector == EXECUTED_TO_END && end.regs.rcx == regs.rax, "R16 is %#llx after exits, was %#llx",
		    (unsigned long long)end.regs.rcx, (unsigned long long)regs.rax);
}

static const struct witness_case cases[] = {
	{
		.name = "each_component",
		.verifies = "XCR0 takes each component that CPUID names and refuses all others",
		.run = each_component,
	}, {
		.name = "combinations",
		.verifies = "XCR0 without x87, AVX without SSE, halves of AVX-512, MPX and AMX, and APX with MPX raise #GP",
		.run = combinations,
	}, {
		.name = "privilege",
		.verifies = "XSETBV raises #GP at CPL 3, #UD without CR4.OSXSAVE, which CPUID mirrors",
		.run = privilege,
	}, {
		.name = "sizes",
		.verifies = "the sizes of the XSAVE area are those of its components",
		.run = sizes,
	}, {
		.name = "apx_truth",
		.verifies = "CPUID's APX_F, XCR0.APX and the component's size agree",
		.run = apx_truth,
	}, {
		.name = "rex2_not_enabled",
		.verifies = "REX2 raises #UD while XCR0.APX is clear, and where there is no APX",
		.run = rex2_not_enabled,
	}, {
		.name = "rex2_malformed",
		.verifies = "REX2 beside REX raises #UD; 0F D5 is no REX2",
		.run = rex2_malformed,
	}, {
		.name = "egprs_kept",
		.verifies = "R16 is the same after exits",
		.needs = "APX",
		.run = egprs_kept,
	},
};

static const struct witness_test test = {
	.name = "guest_xcr0",
	.needs = "XSAVE",
	.seed = "KVM: x86: Enable APX for guests, v8",
	.setup = setup,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

GUEST_TEST(test);
