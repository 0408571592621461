/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which PSCI functions a version has, and whether a guest finds just these: for a selftest,
 * which makes the calls from outside, and for the guest-side test kernel.
 *
 * Facts: Arm DEN0022 (PSCI), DEN0028 (SMCCC).
 */
#ifndef CHECKS_PSCI_FUNCTIONS_H
#define CHECKS_PSCI_FUNCTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/psci.h>

#define SMC64	PSCI_0_2_64BIT

/* KVM: optional, but KVM has had it since that version.  MUST: the specification demands it. */
enum { NO, MAY, KVM, MUST };

/* Whether a version has a function: id is PSCI's, of either width. */
int psci_wanted_in(uint32_t id, uint64_t version);

#define for_each_psci_id(id)									\
	for (id = PSCI_0_2_FN_BASE; id; id = id == PSCI_0_2_FN(31) ? PSCI_0_2_FN64_BASE :	\
					     id == PSCI_0_2_FN64(31) ? 0 : id + 1)

/* Has the guest make a call: what it returns in x0.  The others are 0. */
typedef uint64_t (*psci_call_fn)(uint64_t id, uint64_t x1);

/* Of 1.0 and later: PSCI_FEATURES offers what that version has by @least, KVM or MUST. */
void check_psci_mandatory(psci_call_fn call, uint64_t version, int least);

/* Neither offered nor served: what is of a later version, or of the other width only. */
void check_psci_nothing_of_later(psci_call_fn call, uint64_t version);

/* Of 1.0 and later: what may be there and is not offered is not served. */
void check_psci_features_agree(psci_call_fn call, uint64_t version);

/* All bits of the number in w0 count. */
void check_psci_function_ids(psci_call_fn call, uint64_t version);

/* And none above it, in w0 and in the argument of PSCI_FEATURES. */
bool psci_ignores_upper_bits(psci_call_fn call, uint64_t version);

#endif /* CHECKS_PSCI_FUNCTIONS_H */
