// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processors with BHI and without BHI_CTRL clear the branch history by software at the
 * entry of each system call and after each VM-exit: by the short sequence, which is
 * enough for them, and with an LFENCE behind it, because the kernel goes on from there.
 * The processor is booted with enhanced IBRS: no retpolines, which do as well.
 *
 * Catches: the sequence that VMSCAPE's mitigation uses, without the LFENCE, at a place
 * that needs it; the long one where the short one does; a place that was forgotten.
 */
#include <string.h>

#include "bhb_sequence.h"
#include "case.h"
#include "compat.h"
#include "kallsyms.h"

#define CALLS	20

static const uint8_t lfence[] = { 0x0f, 0xae, 0xe8 };

/* Older kernels have the LFENCE in the sequence. */
static bool sequence_has_lfence(void)
{
	uint8_t code[160];

	bhb_sequence_code(bhb_sequence_addr(), code, sizeof(code));
	return memmem(code, sizeof(code), lfence, sizeof(lfence));
}

/* How many calls of the sequence there are from a function on, and how many without LFENCE. */
static void look(const char *function, unsigned int *calls, unsigned int *bare)
{
	uint64_t addr = kallsyms_addr(function);
	uint8_t code[1024];
	size_t i;

	*calls = *bare = 0;
	bhb_sequence_code(addr, code, sizeof(code));
	for (i = 0; i + 8 <= sizeof(code); i++) {
		int32_t distance;

		memcpy(&distance, &code[i + 1], sizeof(distance));
		if (code[i] != 0xe8 || addr + i + 5 + distance != bhb_sequence_addr())
			continue;
		++*calls;
		*bare += !!memcmp(&code[i + 5], lfence, sizeof(lfence));
	}
}

/* --- the cases ------------------------------------------------------------ */

static void each_system_call(void)
{
	unsigned int calls, bare;
	uint8_t outer, inner;
	struct vmscape_seen s;

	look("entry_SYSCALL_64", &calls, &bare);
	CASE_EXPECT(calls, "entry_SYSCALL_64 does not clear the branch history");
	/* Only data can be watched. */
	if (!vmscape_loop_counts(&outer, &inner))
		return;
	s = bhb_sequence_of_calls(CALLS);
	CASE_EXPECT(s.bhb_at_entry >= CALLS && s.bhb_at_entry == s.outer,
		    "%u sequences at the entry of %d system calls, %u in all", s.bhb_at_entry, CALLS, s.outer);
}

static void short_sequence(void)
{
	bhb_sequence_is(5, 5);
}

static void sysfs_says_short(void)
{
	bhb_sequence_says("short");
}

static void fenced(void)
{
	static const char * const places[] = { "entry_SYSCALL_64", "__vmx_vcpu_run" };
	bool inside = sequence_has_lfence();
	unsigned int calls, bare;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		if (!kallsyms_addr(places[i]))
			continue;
		look(places[i], &calls, &bare);
		CASE_EXPECT(calls, "%s does not clear the branch history", places[i]);
		CASE_EXPECT(inside || !bare, "%u of %u sequences in %s are not followed by an LFENCE",
			    bare, calls, places[i]);
	}
}

static const struct witness_case cases[] = {
	{
		.name = "each_system_call",
		.verifies = "the branch history is cleared once at the entry of each system call",
		.run = each_system_call,
	}, {
		.name = "short_sequence",
		.verifies = "the sequence is the short one, 5 times 5 branches",
		.run = short_sequence,
	}, {
		.name = "sysfs_says_short",
		.verifies = "sysfs says that it is the short one, for no other reason than the hardware",
		.run = sysfs_says_short,
	}, {
		.name = "fenced",
		.verifies = "an LFENCE follows it at the entry of system calls and after VM-exits",
		.run = fenced,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "bhb_syscall_test",
		.needs = "a processor with BHI and without BHI_CTRL; two CPUs; root, KALLSYMS_ALL, /proc/kcore, watchpoints",
		.seed = "x86/vmscape: VMSCAPE optimization for BHI variant (v8 2026-03-24, v12 2026-06-22)",
		.append = "setcpuid=ibpb,ibrs,ibrs_enhanced,bhi,vmscape clearcpuid=hypervisor",
		.wants = WANTS_OWN_MITIGATIONS,
		.prepare = kallsyms_prepare,
		.setup = bhb_sequence_need,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
