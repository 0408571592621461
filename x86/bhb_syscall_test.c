// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processors with BHI and without BHI_CTRL clear the branch history by software at the
 * entry of each system call and after each VM-exit: by the short sequence, which is
 * enough for them, and with an LFENCE behind it, because the kernel goes on from there.
 *
 * Catches: the sequence that VMSCAPE's mitigation uses, without the LFENCE, at a place
 * that needs it; the long one where the short one does; a place that was forgotten.
 */
#include <string.h>
#include <sys/syscall.h>

#include "case.h"
#include "compat.h"
#include "cpu.h"
#include "kallsyms.h"
#include "kmem.h"
#include "vmscape_guest.h"

#define CALLS	20

static void setup(void)
{
	char line[256] = "";
	const char *why;

	if (!cpu_vulnerability("spectre_v2", line, sizeof(line)) || !strstr(line, "BHI: SW loop"))
		case_skip("spectre_v2 is \"%s\": no software loop at system calls", line);
	why = vmscape_open(VMSCAPE_NONE);
	if (why)
		case_skip("%s", why);
}

/* --- the code of the running kernel --------------------------------------- */

static const uint8_t lfence[] = { 0x0f, 0xae, 0xe8 };

static uint64_t sequence(void)
{
	return kallsyms_addr("clear_bhb_loop_nofence") ?: kallsyms_addr("clear_bhb_loop");
}

static void read_code(uint64_t addr, uint8_t *code, size_t len)
{
	TEST_ASSERT(!kmem_read(addr, code, len), "cannot read the kernel's code at %#llx", (unsigned long long)addr);
}

/* Older kernels have the LFENCE in the sequence. */
static bool sequence_has_lfence(void)
{
	uint8_t code[160];

	read_code(sequence(), code, sizeof(code));
	return memmem(code, sizeof(code), lfence, sizeof(lfence));
}

/* How many calls of the sequence there are from a function on, and how many without LFENCE. */
static void look(const char *function, unsigned int *calls, unsigned int *bare)
{
	uint64_t addr = kallsyms_addr(function);
	uint8_t code[1024];
	size_t i;

	*calls = *bare = 0;
	read_code(addr, code, sizeof(code));
	for (i = 0; i + 8 <= sizeof(code); i++) {
		int32_t distance;

		memcpy(&distance, &code[i + 1], sizeof(distance));
		if (code[i] != 0xe8 || addr + i + 5 + distance != sequence())
			continue;
		++*calls;
		*bare += !!memcmp(&code[i + 5], lfence, sizeof(lfence));
	}
}

/* Older kernels have the loop counts in the code, as immediates for ECX and EAX. */
static bool counts_in_code(uint8_t *outer, uint8_t *inner)
{
	uint8_t code[160];
	size_t i;

	*outer = *inner = 0;
	read_code(sequence(), code, sizeof(code));
	for (i = 0; i + 5 <= sizeof(code); i++) {
		if (code[i + 2] || code[i + 3] || code[i + 4])
			continue;
		if (code[i] == 0xb9 && !*outer)
			*outer = code[i + 1];
		else if (code[i] == 0xb8 && !*inner)
			*inner = code[i + 1];
	}
	return *outer && *inner;
}

/* --- the cases ------------------------------------------------------------ */

static struct vmscape_seen system_calls(void)
{
	struct vmscape_seen seen[VMSCAPE_CPUS];
	int i;

	vmscape_pin(0);
	vmscape_window_open();
	for (i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
	vmscape_window_close(seen);
	return seen[0];
}

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
	s = system_calls();
	CASE_EXPECT(s.bhb_at_entry >= CALLS && s.bhb_at_entry == s.outer,
		    "%u sequences at the entry of %d system calls, %u in all", s.bhb_at_entry, CALLS, s.outer);
}

static void short_sequence(void)
{
	uint8_t outer = 0, inner = 0;
	struct vmscape_seen s;

	if (vmscape_loop_counts(&outer, &inner)) {
		vmscape_watch_inner();
		s = system_calls();
		TEST_ASSERT(s.outer >= CALLS, "%u sequences", s.outer);
		CASE_EXPECT(s.inner == 5 * s.outer, "%u inner loops in %u sequences, want 5 in each",
			    s.inner, s.outer);
	} else {
		TEST_ASSERT(counts_in_code(&outer, &inner), "the loop counts are nowhere");
	}
	CASE_EXPECT(outer == 5 && inner == 5, "%u times %u iterations, want 5 times 5", outer, inner);
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
		.append = "setcpuid=ibpb,ibrs,ibrs_enhanced,bhi,vmscape",	/* no retpolines, which do as well */
		.wants = WANTS_OWN_MITIGATIONS,
		.prepare = kallsyms_prepare,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
