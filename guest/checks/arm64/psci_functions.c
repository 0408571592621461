// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI functions and versions, see psci_functions.h.
 */
#include "../../../include/case.h"
#include "psci_functions.h"

#define NOT_SUPPORTED	((uint64_t)PSCI_RET_NOT_SUPPORTED)
#define FEATURES	PSCI_1_0_FN_PSCI_FEATURES
#define VERSION(a, b)	((a) << PSCI_VERSION_MAJOR_SHIFT | (b))
#define SMCCC_VERSION	0x80000000u
#define SYSTEM_OFF2	21
#define HIBERNATE_OFF	1	/* the one kind of SYSTEM_OFF2 that there is */
#define NEVER		VERSION(0x7fff, 0)

struct function {
	uint64_t since;
	uint8_t smc32, smc64;
};

/* By number: 0x84000000 + n, and 0xc4000000 + n with 64-bit parameters. */
static const struct function functions[32] = {
	[0] = { VERSION(0, 2), MUST, NO },	/* PSCI_VERSION */
	[1] = { VERSION(0, 2), MUST, MUST },	/* CPU_SUSPEND */
	[2] = { VERSION(0, 2), MUST, NO },	/* CPU_OFF */
	[3] = { VERSION(0, 2), MUST, MUST },	/* CPU_ON */
	[4] = { VERSION(0, 2), MUST, MUST },	/* AFFINITY_INFO */
	[5] = { VERSION(0, 2), MAY, MAY },	/* MIGRATE */
	[6] = { VERSION(0, 2), KVM, NO },	/* MIGRATE_INFO_TYPE */
	[7] = { VERSION(0, 2), MAY, MAY },	/* MIGRATE_INFO_UP_CPU */
	[8] = { VERSION(0, 2), MUST, NO },	/* SYSTEM_OFF */
	[9] = { VERSION(0, 2), MUST, NO },	/* SYSTEM_RESET */
	[10] = { VERSION(1, 0), MUST, NO },	/* PSCI_FEATURES */
	[11] = { VERSION(1, 0), MAY, NO },	/* CPU_FREEZE */
	[12] = { VERSION(1, 0), MAY, MAY },	/* CPU_DEFAULT_SUSPEND */
	[13] = { VERSION(1, 0), MAY, MAY },	/* NODE_HW_STATE */
	[14] = { VERSION(1, 0), MAY, MAY },	/* SYSTEM_SUSPEND: the VMM's choice */
	[15] = { VERSION(1, 0), MAY, NO },	/* PSCI_SET_SUSPEND_MODE */
	[16] = { VERSION(1, 0), MAY, MAY },	/* PSCI_STAT_RESIDENCY */
	[17] = { VERSION(1, 0), MAY, MAY },	/* PSCI_STAT_COUNT */
	[18] = { VERSION(1, 1), KVM, KVM },	/* SYSTEM_RESET2 */
	[19] = { VERSION(1, 1), MAY, NO },	/* MEM_PROTECT */
	[20] = { VERSION(1, 1), MAY, MAY },	/* MEM_PROTECT_CHECK_RANGE */
	[21] = { VERSION(1, 3), KVM, KVM },	/* SYSTEM_OFF2 */
	[22] = { VERSION(1, 3), MAY, MAY },	/* CLEAN_INV_MEMREGION */
	[23] = { VERSION(1, 3), MAY, MAY },	/* CLEAN_INV_MEMREGION_ATTRIBUTES */
	[24 ... 31] = { NEVER, NO, NO },
};

int psci_wanted_in(uint32_t id, uint64_t version)
{
	const struct function *f = &functions[id & 0x1f];

	if (version < f->since)
		return NO;
	return id & SMC64 ? f->smc64 : f->smc32;
}

#define EXPECT_NOT_SUPPORTED(what, id, call)							\
do {												\
	uint64_t __got = (call);								\
												\
	CASE_EXPECT(__got == NOT_SUPPORTED, "PSCI %d.%d: %s of %#x returns %lld, not NOT_SUPPORTED",	\
		    PSCI_VERSION_MAJOR((int)version), PSCI_VERSION_MINOR((int)version), what, id,	\
		    (long long)__got);								\
} while (0)

void check_psci_mandatory(psci_call_fn call, uint64_t version, int least)
{
	uint32_t id;

	for_each_psci_id(id) {
		uint64_t want = (id & 0x1f) == SYSTEM_OFF2 ? HIBERNATE_OFF : 0;

		if (psci_wanted_in(id, version) >= least)
			CASE_EXPECT(call(FEATURES, id) == want, "PSCI %d.%d has no %#x",
				    PSCI_VERSION_MAJOR((int)version), PSCI_VERSION_MINOR((int)version), id);
	}
	CASE_EXPECT(least > KVM || !call(FEATURES, SMCCC_VERSION), "no SMCCC_VERSION by PSCI_FEATURES");
}

void check_psci_nothing_of_later(psci_call_fn call, uint64_t version)
{
	uint32_t id;

	for_each_psci_id(id) {
		if (psci_wanted_in(id, version) != NO)
			continue;
		if (version >= VERSION(1, 0))
			EXPECT_NOT_SUPPORTED("PSCI_FEATURES", id, call(FEATURES, id));
		EXPECT_NOT_SUPPORTED("a call", id, call(id, 0));
	}
}

void check_psci_features_agree(psci_call_fn call, uint64_t version)
{
	uint32_t id;

	for_each_psci_id(id) {
		int wanted = psci_wanted_in(id, version);

		if ((wanted == MAY || wanted == KVM) && call(FEATURES, id) == NOT_SUPPORTED)
			EXPECT_NOT_SUPPORTED("not offered, a call", id, call(id, 0));
	}
	case_checked();
}

void check_psci_function_ids(psci_call_fn call, uint64_t version)
{
	static const uint32_t wrong[] = {
		1u << 16, 1u << 22, 1u << 23, 1u << 24, 1u << 29, 1u << 31, 0x20, 0x8000,
	};
	uint32_t id;
	unsigned int i;

	for_each_psci_id(id) {
		if (psci_wanted_in(id, version) < KVM)
			continue;
		for (i = 0; i < ARRAY_SIZE(wrong); i++) {
			EXPECT_NOT_SUPPORTED("a call", id ^ wrong[i], call(id ^ wrong[i], 0));
			if (version >= VERSION(1, 0))
				EXPECT_NOT_SUPPORTED("PSCI_FEATURES", id ^ wrong[i], call(FEATURES, id ^ wrong[i]));
		}
	}
}

bool psci_ignores_upper_bits(psci_call_fn call, uint64_t version)
{
	if (call(0xffffffffull << 32 | PSCI_0_2_FN_PSCI_VERSION, 0) != version)
		return false;
	return version < VERSION(1, 0) || !call(FEATURES, 1ull << 63 | 1ull << 32 | PSCI_0_2_FN_CPU_OFF);
}
