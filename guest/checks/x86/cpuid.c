// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID tells the truth: what it advertises works, and what it hides faults, as far as a
 * VMM can make it fault.  The expectation is CPUID's, whatever model the VMM was told.
 *
 * A processor executes most of its instructions whatever a guest's CPUID says, and no
 * hypervisor can prevent it.  What it can and must: bits of CR4 and EFER whose feature is
 * hidden are reserved, and set they raise #GP.
 */
#include <stdio.h>
#include <string.h>

#include "../../boot/x86/x86.h"

struct feature {
	const char *name;
	u32 leaf, subleaf;
	char reg;
	u8 bit;
	u8 xcr0;		/* what the instruction wants in it */
	struct {
		u8 len, bytes[10];
	} code;
	bool results;		/* RAX must be @rax afterwards, from 0x10 in RCX */
	u64 rax;
};

#define AVX	6		/* SSE and AVX */
#define AVX512	0xe6

#define CODE(...)	{ sizeof((const u8[]){ __VA_ARGS__ }), { __VA_ARGS__ } }

/* RDI points to 64 bytes of memory. */
static const struct feature features[] = {
	{ "CLFLUSH", 1, 0, 'd', 19, 0, CODE(0x0f, 0xae, 0x3f) },
	{ "SSE2", 1, 0, 'd', 26, 0, CODE(0x66, 0x0f, 0xfe, 0xc0) },
	{ "SSE3", 1, 0, 'c', 0, 0, CODE(0xf2, 0x0f, 0x12, 0xc0) },
	{ "PCLMULQDQ", 1, 0, 'c', 1, 0, CODE(0x66, 0x0f, 0x3a, 0x44, 0xc0, 0) },
	{ "SSSE3", 1, 0, 'c', 9, 0, CODE(0x66, 0x0f, 0x38, 0x1c, 0xc0) },
	{ "FMA", 1, 0, 'c', 12, AVX, CODE(0xc4, 0xe2, 0x79, 0x98, 0xc0) },
	{ "CMPXCHG16B", 1, 0, 'c', 13, 0, CODE(0x48, 0x0f, 0xc7, 0x0f) },
	{ "SSE4.1", 1, 0, 'c', 19, 0, CODE(0x66, 0x0f, 0x38, 0x40, 0xc0) },
	{ "SSE4.2", 1, 0, 'c', 20, 0, CODE(0x66, 0x0f, 0x38, 0x37, 0xc0) },
	{ "MOVBE", 1, 0, 'c', 22, 0, CODE(0x0f, 0x38, 0xf0, 0x07) },
	{ "POPCNT", 1, 0, 'c', 23, 0, CODE(0xf3, 0x48, 0x0f, 0xb8, 0xc1), true, 1 },
	{ "AES", 1, 0, 'c', 25, 0, CODE(0x66, 0x0f, 0x38, 0xdc, 0xc0) },
	{ "AVX", 1, 0, 'c', 28, AVX, CODE(0xc5, 0xf8, 0x28, 0xc0) },
	{ "F16C", 1, 0, 'c', 29, AVX, CODE(0xc4, 0xe2, 0x79, 0x13, 0xc0) },
	{ "RDRAND", 1, 0, 'c', 30, 0, CODE(0x0f, 0xc7, 0xf0) },
	{ "BMI1", 7, 0, 'b', 3, 0, CODE(0xc4, 0xe2, 0xf8, 0xf3, 0xd9), true, 0x10 },
	{ "AVX2", 7, 0, 'b', 5, AVX, CODE(0xc4, 0xe2, 0x7d, 0x1c, 0xc0) },
	{ "BMI2", 7, 0, 'b', 8, 0, CODE(0xc4, 0xe2, 0xfb, 0xf6, 0xc0) },
	{ "RDSEED", 7, 0, 'b', 18, 0, CODE(0x0f, 0xc7, 0xf8) },
	{ "ADX", 7, 0, 'b', 19, 0, CODE(0x66, 0x0f, 0x38, 0xf6, 0xc0) },
	{ "CLAC, STAC", 7, 0, 'b', 20, 0, CODE(0x0f, 0x01, 0xcb, 0x0f, 0x01, 0xca) },
	{ "CLFLUSHOPT", 7, 0, 'b', 23, 0, CODE(0x66, 0x0f, 0xae, 0x3f) },
	{ "CLWB", 7, 0, 'b', 24, 0, CODE(0x66, 0x0f, 0xae, 0x37) },
	{ "SHA", 7, 0, 'b', 29, 0, CODE(0x0f, 0x38, 0xc8, 0xc0) },
	{ "AVX512F", 7, 0, 'b', 16, AVX512, CODE(0x62, 0xf1, 0x7c, 0x48, 0x28, 0xc0) },
	{ "GFNI", 7, 0, 'c', 8, 0, CODE(0x66, 0x0f, 0x38, 0xcf, 0xc0) },
	{ "VAES", 7, 0, 'c', 9, AVX, CODE(0xc4, 0xe2, 0x7d, 0xdc, 0xc0) },
	{ "VPCLMULQDQ", 7, 0, 'c', 10, AVX, CODE(0xc4, 0xe3, 0x7d, 0x44, 0xc0, 0) },
	{ "RDPID", 7, 0, 'c', 22, 0, CODE(0xf3, 0x0f, 0xc7, 0xf8) },
	{ "MOVDIRI", 7, 0, 'c', 27, 0, CODE(0x0f, 0x38, 0xf9, 0x07) },
	{ "SERIALIZE", 7, 0, 'd', 14, 0, CODE(0x0f, 0x01, 0xe8) },
	{ "AVX-VNNI", 7, 1, 'a', 4, AVX, CODE(0xc4, 0xe2, 0x79, 0x50, 0xc0) },
	{ "XSAVEOPT", 0xd, 1, 'a', 0, 1, CODE(0x0f, 0xae, 0x37) },
	{ "XGETBV of what is in use", 0xd, 1, 'a', 2, 1, CODE(0xb9, 1, 0, 0, 0, 0x0f, 0x01, 0xd0) },
	{ "LAHF", 0x80000001, 0, 'c', 0, 0, CODE(0x9f) },
	{ "LZCNT", 0x80000001, 0, 'c', 5, 0, CODE(0xf3, 0x48, 0x0f, 0xbd, 0xc1), true, 59 },
	{ "SSE4A", 0x80000001, 0, 'c', 6, 0, CODE(0x66, 0x0f, 0x78, 0xc0, 1, 1) },
	{ "PREFETCHW", 0x80000001, 0, 'c', 8, 0, CODE(0x0f, 0x0d, 0x0f) },
	{ "RDTSCP", 0x80000001, 0, 'd', 27, 0, CODE(0x0f, 0x01, 0xf9) },
	{ "3DNow!", 0x80000001, 0, 'd', 31, 0, CODE(0x0f, 0x0e) },
	{ "CLZERO", 0x80000008, 0, 'b', 0, 0, CODE(0x48, 0x89, 0xf8, 0x0f, 0x01, 0xfc) },
	{ "WBNOINVD", 0x80000008, 0, 'b', 9, 0, CODE(0xf3, 0x0f, 0x09) },
};

/* Lets go of all that case_fail() would leave behind. */
static void restore_xcr0(void)
{
	if (cpuid_bit(1, 0, 'c', 27))
		xsetbv_safe(0, 1);
}

static void advertised_works(void)
{
	char broken[400] = "";
	size_t n = 0, i;

	xsave_on();
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];
		const struct kvm_regs regs = { .rcx = 0x10, .rdi = USER_SCRATCH };
		struct executed end;

		if (!cpuid_bit(f->leaf, f->subleaf, f->reg, f->bit))
			continue;
		case_checked();
		/* There XSETBV does not exit, and the next exit undoes it. */
		if (f->xcr0 > 1 && is_kvm_on_tcg())
			continue;
		if (f->xcr0 && xsetbv_safe(0, f->xcr0 | 1) >= 0) {
			n += snprintf(broken + n, sizeof(broken) - n, "%s%s (XCR0 does not take %#x)", n ? ", " : "",
				      f->name, f->xcr0);
			continue;
		}
		execute(0, f->code.bytes, f->code.len, &regs, &end);
		if (end.vector != EXECUTED_TO_END)
			n += snprintf(broken + n, sizeof(broken) - n, "%s%s (vector %u)", n ? ", " : "", f->name,
				      end.vector);
		else if (f->results && end.regs.rax != f->rax)
			n += snprintf(broken + n, sizeof(broken) - n, "%s%s (%#llx, not %#llx)", n ? ", " : "",
				      f->name, (unsigned long long)end.regs.rax, (unsigned long long)f->rax);
		if (n + 64 > sizeof(broken))
			break;
	}
	restore_xcr0();
	CASE_EXPECT(!n, "advertised, and does not work: %s", broken);
}

/* --- what a control register or EFER has ---------------------------------- */

struct control {
	const char *name;
	u32 leaf;
	char reg;
	u8 bit;			/* of CPUID */
	u8 control;		/* bit that it allows */
};

static const struct control cr4_bits[] = {
	{ "CR4.TSD", 1, 'd', 4, 2 },
	{ "CR4.DE", 1, 'd', 2, 3 },
	{ "CR4.MCE", 1, 'd', 7, 6 },
	{ "CR4.PGE", 1, 'd', 13, 7 },
	{ "CR4.UMIP", 7, 'c', 2, 11 },
	{ "CR4.FSGSBASE", 7, 'b', 0, 16 },
	{ "CR4.PCIDE", 1, 'c', 17, 17 },
	{ "CR4.OSXSAVE", 1, 'c', 26, 18 },
	{ "CR4.SMEP", 7, 'b', 7, 20 },
	{ "CR4.SMAP", 7, 'b', 20, 21 },
	{ "CR4.PKE", 7, 'c', 3, 22 },
};

static const struct control efer_bits[] = {
	{ "EFER.SCE", 0x80000001, 'd', 11, 0 },
	{ "EFER.NXE", 0x80000001, 'd', 20, 11 },
	{ "EFER.SVME", 0x80000001, 'c', 2, 12 },
	{ "EFER.FFXSR", 0x80000001, 'd', 25, 14 },
	{ "EFER.TCE", 0x80000001, 'c', 17, 15 },
	{ "EFER.AutoIBRS", 0x80000021, 'a', 8, 21 },
};

static bool advertised(const struct control *c)
{
	return cpuid_bit(c->leaf, 0, c->reg, c->bit);
}

/* Writes the bit; the vector, or -1; *@kept: it is there afterwards. */
static int try_cr4(const struct control *c, bool *kept)
{
	u64 old = read_cr4(), want = old ^ BIT(c->control);
	int vector = write_cr4_safe(want);

	*kept = read_cr4() == want;
	write_cr4_safe(old);
	return vector;
}

static int try_efer(const struct control *c, bool *kept)
{
	u64 old = rdmsr(MSR_EFER), want = old ^ BIT(c->control);
	int vector = wrmsr_safe(MSR_EFER, want);

	*kept = rdmsr(MSR_EFER) == want;
	wrmsr_safe(MSR_EFER, old);
	return vector;
}

static void expect_settable(const struct control *c, size_t n, int (*try)(const struct control *c, bool *kept))
{
	unsigned int tried = 0;

	for (; n--; c++) {
		bool kept;
		int vector;

		if (!advertised(c))
			continue;
		tried++;
		vector = try(c, &kept);
		CASE_EXPECT(vector < 0 && kept, "CPUID has what allows %s, but a write %s (vector %d)", c->name,
			    vector < 0 ? "is lost" : "faults", vector);
	}
	if (!tried)
		case_skip("CPUID has none of them");
}

static void expect_reserved(const struct control *c, size_t n, int (*try)(const struct control *c, bool *kept))
{
	unsigned int tried = 0;

	for (; n--; c++) {
		bool kept;
		int vector;

		if (advertised(c))
			continue;
		tried++;
		vector = try(c, &kept);
		EXPECT_FAITHFUL(vector == GP_VECTOR && !kept, "%s is reserved by CPUID, but a write %s (vector %d, want #GP)",
				c->name, kept ? "sets it" : "does nothing", vector);
	}
	if (!tried)
		case_skip("CPUID hides none of them");
}

static void cr4_advertised(void)
{
	expect_settable(cr4_bits, ARRAY_SIZE(cr4_bits), try_cr4);
}

static void cr4_hidden(void)
{
	/* Of 7.2; it never comes back from the instruction. */
	if (is_tcg())
		case_skip("not faithful in QEMU's TCG, which hangs at some of these bits and sets others");
	expect_reserved(cr4_bits, ARRAY_SIZE(cr4_bits), try_cr4);
}

static void efer_advertised(void)
{
	expect_settable(efer_bits, ARRAY_SIZE(efer_bits), try_efer);
}

static void efer_hidden(void)
{
	expect_reserved(efer_bits, ARRAY_SIZE(efer_bits), try_efer);
}

static const struct witness_case cases[] = {
	{
		.name = "advertised_works",
		.verifies = "each instruction that CPUID advertises executes, with the right result where it has one",
		.run = advertised_works,
	}, {
		.name = "cr4_advertised",
		.verifies = "each bit of CR4 that CPUID allows can be changed and read back",
		.run = cr4_advertised,
	}, {
		.name = "cr4_hidden",
		.verifies = "each bit of CR4 whose feature is hidden raises #GP and stays clear",
		.run = cr4_hidden,
	}, {
		.name = "efer_advertised",
		.verifies = "each bit of EFER that CPUID allows can be changed and read back",
		.run = efer_advertised,
	}, {
		.name = "efer_hidden",
		.verifies = "each bit of EFER whose feature is hidden raises #GP and stays clear",
		.run = efer_hidden,
	},
};

static const struct witness_test test = {
	.name = "guest_cpuid",
	.needs = "nothing",
	.seed = "what a guest decides by CPUID",
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

GUEST_TEST(test);
