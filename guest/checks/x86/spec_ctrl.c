// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MSRs of the speculation controls, against what CPUID advertises of them.
 *
 * What is advertised must take and, where it can be read, keep its bits: a guest that
 * writes BHI_DIS_S or IBRS and does not get it believes to be safe.  What is hidden must
 * fault, and what nobody has defined too.  A known bit of SPEC_CTRL that is hidden may be
 * there: KVM lets the guest have the register of the processor.
 */
#include "../../boot/x86/x86.h"

#define SPEC_CTRL_IBRS		BIT(0)
#define SPEC_CTRL_STIBP		BIT(1)
#define SPEC_CTRL_SSBD		BIT(2)
#define SPEC_CTRL_IPRED_DIS	(BIT(3) | BIT(4))
#define SPEC_CTRL_RRSBA_DIS	(BIT(5) | BIT(6))
#define SPEC_CTRL_PSFD		BIT(7)
#define SPEC_CTRL_DDPD_U	BIT(8)
#define SPEC_CTRL_BHI_DIS_S	BIT(10)
#define PRED_CMD_IBPB		BIT(0)
#define PRED_CMD_SBPB		BIT(7)

/* An MSR that no processor has: where it does not fault, the VMM ignores what it does not know. */
#define MSR_NONE		0x2fffff00

struct control {
	const char *name;
	u64 bits;
	struct {
		u32 leaf, subleaf;
		char reg;
		u8 bit;
	} by[2];		/* any of them advertises it */
};

static const struct control controls[] = {
	{ "IBRS", SPEC_CTRL_IBRS, { { 7, 0, 'd', 26 }, { 0x80000008, 0, 'b', 14 } } },
	{ "STIBP", SPEC_CTRL_STIBP, { { 7, 0, 'd', 27 }, { 0x80000008, 0, 'b', 15 } } },
	{ "SSBD", SPEC_CTRL_SSBD, { { 7, 0, 'd', 31 }, { 0x80000008, 0, 'b', 24 } } },
	{ "PSFD", SPEC_CTRL_PSFD, { { 7, 2, 'd', 0 }, { 0x80000008, 0, 'b', 28 } } },
	{ "IPRED_CTRL", SPEC_CTRL_IPRED_DIS, { { 7, 2, 'd', 1 } } },
	{ "RRSBA_CTRL", SPEC_CTRL_RRSBA_DIS, { { 7, 2, 'd', 2 } } },
	{ "DDPD_U", SPEC_CTRL_DDPD_U, { { 7, 2, 'd', 3 } } },
	{ "BHI_CTRL", SPEC_CTRL_BHI_DIS_S, { { 7, 2, 'd', 4 } } },
};

static bool advertised(const struct control *c)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(c->by); i++) {
		if (c->by[i].leaf && cpuid_bit(c->by[i].leaf, c->by[i].subleaf, c->by[i].reg, c->by[i].bit))
			return true;
	}
	return false;
}

static u64 advertised_bits(void)
{
	u64 bits = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(controls); i++)
		bits |= advertised(&controls[i]) ? controls[i].bits : 0;
	return bits;
}

static void setup(void)
{
	u64 value;

	if (rdmsr_safe(MSR_NONE, &value) < 0 && !is_tcg())
		case_skip("this VMM ignores MSRs that it does not know (KVM: ignore_msrs)");
}

static void expect_faults(const char *what, int vector)
{
	EXPECT_FAITHFUL(vector == GP_VECTOR, "%s: vector %d, want #GP", what, vector);
}

/* --- SPEC_CTRL ------------------------------------------------------------ */

static void spec_ctrl_matrix(void)
{
	u64 value, old;
	size_t i;

	if (!advertised_bits())
		case_skip("CPUID advertises nothing of SPEC_CTRL");
	CASE_EXPECT(rdmsr_safe(MSR_SPEC_CTRL, &old) < 0, "SPEC_CTRL cannot be read");
	for (i = 0; i < ARRAY_SIZE(controls); i++) {
		const struct control *c = &controls[i];
		u64 bit;

		for (bit = 1; bit; bit <<= 1) {
			int vector;

			if (!(c->bits & bit))
				continue;
			vector = wrmsr_safe(MSR_SPEC_CTRL, old | bit);
			rdmsr_safe(MSR_SPEC_CTRL, &value);
			wrmsr_safe(MSR_SPEC_CTRL, old);
			if (advertised(c))
				CASE_EXPECT(vector < 0 && value == (old | bit),
					    "%s is advertised: writing %#llx to SPEC_CTRL gives vector %d, reads back %#llx",
					    c->name, (unsigned long long)(old | bit), vector, (unsigned long long)value);
			else
				CASE_EXPECT(vector == GP_VECTOR || value == (old | bit),
					    "%s is hidden: writing %#llx to SPEC_CTRL neither faults nor lasts", c->name,
					    (unsigned long long)(old | bit));
		}
	}
}

static void spec_ctrl_reserved(void)
{
	u64 value;

	if (!advertised_bits()) {
		expect_faults("SPEC_CTRL is hidden, a read of it", rdmsr_safe(MSR_SPEC_CTRL, &value));
		expect_faults("SPEC_CTRL is hidden, a write of 1", wrmsr_safe(MSR_SPEC_CTRL, 1));
	}
	expect_faults("bit 63 of SPEC_CTRL is reserved, a write", wrmsr_safe(MSR_SPEC_CTRL, BIT(63)));
	expect_faults("bit 31 of SPEC_CTRL is reserved, a write", wrmsr_safe(MSR_SPEC_CTRL, BIT(31)));
}

/* --- commands ------------------------------------------------------------- */

static bool has_ibpb(void)
{
	return cpuid_bit(7, 0, 'd', 26) || cpuid_bit(0x80000008, 0, 'b', 12);
}

static bool has_sbpb(void)
{
	return cpuid_bit(0x80000021, 0, 'a', 27);
}

static void pred_cmd(void)
{
	if (!has_ibpb() && !has_sbpb())
		case_skip("CPUID advertises neither IBPB nor SBPB");
	CASE_EXPECT(wrmsr_safe(MSR_PRED_CMD, 0) < 0, "a write of 0 to PRED_CMD faults");
	if (has_ibpb())
		CASE_EXPECT(wrmsr_safe(MSR_PRED_CMD, PRED_CMD_IBPB) < 0, "IBPB is advertised, and faults");
	if (has_sbpb())
		CASE_EXPECT(wrmsr_safe(MSR_PRED_CMD, PRED_CMD_SBPB) < 0, "SBPB is advertised, and faults");
}

static void pred_cmd_reserved(void)
{
	u64 value;

	if (!has_ibpb())
		expect_faults("IBPB is hidden, a write of it", wrmsr_safe(MSR_PRED_CMD, PRED_CMD_IBPB));
	if (!has_sbpb())
		expect_faults("SBPB is hidden, a write of it", wrmsr_safe(MSR_PRED_CMD, PRED_CMD_SBPB));
	expect_faults("bit 1 of PRED_CMD is reserved, a write", wrmsr_safe(MSR_PRED_CMD, BIT(1)));
	expect_faults("bit 63 of PRED_CMD is reserved, a write", wrmsr_safe(MSR_PRED_CMD, BIT(63)));
	expect_faults("PRED_CMD is written only, a read", rdmsr_safe(MSR_PRED_CMD, &value));
}

static void flush_cmd(void)
{
	if (cpuid_bit(7, 0, 'd', 28)) {
		CASE_EXPECT(wrmsr_safe(MSR_FLUSH_CMD, 1) < 0, "L1D_FLUSH is advertised, and faults");
		expect_faults("bit 1 of FLUSH_CMD is reserved, a write", wrmsr_safe(MSR_FLUSH_CMD, 2));
	} else {
		expect_faults("L1D_FLUSH is hidden, a write of it", wrmsr_safe(MSR_FLUSH_CMD, 1));
	}
}

static void arch_capabilities(void)
{
	u64 value;
	int vector = rdmsr_safe(MSR_ARCH_CAPABILITIES, &value);

	if (cpuid_bit(7, 0, 'd', 29))
		CASE_EXPECT(vector < 0, "ARCH_CAPABILITIES is advertised, and cannot be read");
	else
		expect_faults("ARCH_CAPABILITIES is hidden, a read of it", vector);
	expect_faults("ARCH_CAPABILITIES is read only, a write", wrmsr_safe(MSR_ARCH_CAPABILITIES, 1));
}

static const struct witness_case cases[] = {
	{
		.name = "spec_ctrl_matrix",
		.verifies = "each advertised bit of SPEC_CTRL is taken and kept, BHI_DIS_S too; a hidden one faults or is there",
		.needs = "a CPU that has any of IBRS, STIBP, SSBD",
		.run = spec_ctrl_matrix,
	}, {
		.name = "spec_ctrl_reserved",
		.verifies = "a hidden SPEC_CTRL and its bits that mean nothing fault",
		.run = spec_ctrl_reserved,
	}, {
		.name = "pred_cmd",
		.verifies = "an advertised IBPB or SBPB can be commanded",
		.needs = "a CPU with IBPB or SBPB",
		.run = pred_cmd,
	}, {
		.name = "pred_cmd_reserved",
		.verifies = "hidden commands, reserved bits and a read of PRED_CMD fault",
		.run = pred_cmd_reserved,
	}, {
		.name = "flush_cmd",
		.verifies = "the flush of the L1D can be commanded if advertised, and faults if not",
		.run = flush_cmd,
	}, {
		.name = "arch_capabilities",
		.verifies = "ARCH_CAPABILITIES can be read if advertised, and never be written",
		.run = arch_capabilities,
	},
};

static const struct witness_test test = {
	.name = "guest_spec_ctrl",
	.needs = "a VMM that does not ignore MSRs",
	.seed = "VMSCAPE v9 02/10 (short BHB in mixed pools), deferred IBPB",
	.setup = setup,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

GUEST_TEST(test);
