// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI as the guest finds it: of the version that it says it is, nothing of a later one,
 * what is offered and nothing else; and the device tree names no more than there is.
 * arm64/psci_version_test.c looks at the same functions from outside.
 */
#include "../../boot/arm64/arm64.h"
#include "psci_functions.h"

#define AFFINITY_INFO	PSCI_0_2_FN64_AFFINITY_INFO
#define CPU_ON		PSCI_0_2_FN64_CPU_ON
#define NO_SUCH_CPU	0xffffff00ull

static u64 version;

static u64 call(uint64_t id, uint64_t x1)
{
	return psci(id, x1, 0, 0);
}

static void setup(void)
{
	if (!psci_there())
		case_skip("the device tree has no PSCI");
	version = psci(PSCI_0_2_FN_PSCI_VERSION, 0, 0, 0);
}

static void need_1_0(void)
{
	if (version < 1 << PSCI_VERSION_MAJOR_SHIFT)
		case_skip("PSCI 0.2 has no PSCI_FEATURES");
}

static void version_and_tree(void)
{
	int n = fdt_path_offset(dt, "/psci");
	unsigned int major = version >> PSCI_VERSION_MAJOR_SHIFT, minor = version & 0xffff;

	CASE_EXPECT(!(version >> 31) && (major || minor >= 2), "PSCI_VERSION returns %#llx", (unsigned long long)version);
	if (dt_has_string(n, "compatible", "arm,psci-1.0"))
		CASE_EXPECT(major >= 1, "the device tree says PSCI 1.0, PSCI_VERSION %u.%u", major, minor);
	else
		CASE_EXPECT(dt_has_string(n, "compatible", "arm,psci-0.2"), "the device tree says neither PSCI 0.2 nor 1.0");
}

static void functions_mandatory(void)
{
	need_1_0();
	check_psci_mandatory(call, version, MUST);
}

static void functions_of_later(void)
{
	check_psci_nothing_of_later(call, version);
}

static void functions_agree(void)
{
	need_1_0();
	check_psci_features_agree(call, version);
}

static void function_numbers(void)
{
	check_psci_function_ids(call, version);
}

static void upper_bits(void)
{
	EXPECT_FAITHFUL(psci_ignores_upper_bits(call, version), "a call looks at more than w0, or PSCI_FEATURES than w1");
}

static void expect(s64 want, const char *what, s64 got)
{
	CASE_EXPECT(got == want, "%s returns %lld, want %lld", what, (long long)got, (long long)want);
}

/* It may be on or off by now, and nothing else. */
static void cpu_states(void)
{
	unsigned int i;
	s64 got;

	expect(PSCI_0_2_AFFINITY_LEVEL_ON, "AFFINITY_INFO of this CPU", psci(AFFINITY_INFO, cpus[0].hwid, 0, 0));
	expect(PSCI_RET_INVALID_PARAMS, "AFFINITY_INFO of a CPU that there is not", psci(AFFINITY_INFO, NO_SUCH_CPU, 0, 0));
	expect(PSCI_RET_ALREADY_ON, "CPU_ON of this CPU", psci(CPU_ON, cpus[0].hwid, 0, 0));
	expect(PSCI_RET_INVALID_PARAMS, "CPU_ON of a CPU that there is not", psci(CPU_ON, NO_SUCH_CPU, 0, 0));
	for (i = 1; i < nr_cpus; i++) {
		got = psci(AFFINITY_INFO, cpus[i].hwid, 0, 0);
		CASE_EXPECT(got == (cpus[i].online ? PSCI_0_2_AFFINITY_LEVEL_ON : PSCI_0_2_AFFINITY_LEVEL_OFF),
			    "AFFINITY_INFO of CPU %u, which is %s, returns %lld", i, cpus[i].online ? "on" : "off",
			    (long long)got);
	}
}

static const struct witness_case cases[] = {
	{
		.name = "version_and_tree",
		.verifies = "PSCI_VERSION is 0.2 or later, and no earlier than the device tree says",
		.run = version_and_tree,
	}, {
		.name = "functions_mandatory",
		.verifies = "PSCI_FEATURES offers what the version must have",
		.needs = "PSCI 1.0",
		.run = functions_mandatory,
	}, {
		.name = "functions_of_later",
		.verifies = "what is of a later version, or of the other width only, is neither offered nor served",
		.run = functions_of_later,
	}, {
		.name = "functions_agree",
		.verifies = "what PSCI_FEATURES does not offer is not served",
		.needs = "PSCI 1.0",
		.run = functions_agree,
	}, {
		.name = "function_numbers",
		.verifies = "all bits of w0 count in a function's number",
		.run = function_numbers,
	}, {
		.name = "upper_bits",
		.verifies = "what is above w0 does not count in a function's number",
		.run = upper_bits,
	}, {
		.name = "cpu_states",
		.verifies = "AFFINITY_INFO and CPU_ON know which CPUs there are and which are on",
		.run = cpu_states,
	},
};

static const struct witness_test test = {
	.name = "guest_psci",
	.needs = "PSCI",
	.seed = "target/arm: PSCI 1.2 and 1.3 for WHPX (v8)",
	.setup = setup,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

GUEST_TEST(test);
