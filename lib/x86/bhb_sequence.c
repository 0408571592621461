// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sequence at system calls, see include/x86/bhb_sequence.h.
 */
#include <string.h>
#include <sys/syscall.h>

#include "bhb_sequence.h"
#include "case.h"
#include "compat.h"
#include "cpu.h"
#include "kallsyms.h"
#include "kmem.h"

#define CALLS	20

void bhb_sequence_need(void)
{
	char line[256] = "";
	const char *why;

	if (!cpu_vulnerability("spectre_v2", line, sizeof(line)) || !strstr(line, "BHI: SW loop"))
		case_skip("spectre_v2 is \"%s\": no software loop at system calls", line);
	why = vmscape_open(VMSCAPE_NONE);
	if (why)
		case_skip("%s", why);
}

uint64_t bhb_sequence_addr(void)
{
	return kallsyms_addr("clear_bhb_loop_nofence") ?: kallsyms_addr("clear_bhb_loop");
}

void bhb_sequence_code(uint64_t addr, uint8_t *code, size_t len)
{
	TEST_ASSERT(!kmem_read(addr, code, len), "cannot read the kernel's code at %#llx", (unsigned long long)addr);
}

/* Older kernels have the loop counts in the code, as immediates for ECX and EAX. */
static bool counts_in_code(uint8_t *outer, uint8_t *inner)
{
	uint8_t code[160];
	size_t i;

	*outer = *inner = 0;
	bhb_sequence_code(bhb_sequence_addr(), code, sizeof(code));
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

struct vmscape_seen bhb_sequence_of_calls(int calls)
{
	struct vmscape_seen seen[VMSCAPE_CPUS];
	int i;

	vmscape_pin(0);
	vmscape_window_open();
	for (i = 0; i < calls; i++)
		syscall(SYS_getppid);
	vmscape_window_close(seen);
	return seen[0];
}

void bhb_sequence_is(unsigned int want_outer, unsigned int want_inner)
{
	uint8_t outer = 0, inner = 0;
	struct vmscape_seen s;

	if (vmscape_loop_counts(&outer, &inner)) {
		vmscape_watch_inner();
		s = bhb_sequence_of_calls(CALLS);
		TEST_ASSERT(s.outer >= CALLS, "%u sequences", s.outer);
		CASE_EXPECT(s.inner == want_outer * s.outer, "%u inner loops in %u sequences, want %u in each",
			    s.inner, s.outer, want_outer);
	} else {
		TEST_ASSERT(counts_in_code(&outer, &inner), "the loop counts are nowhere");
	}
	CASE_EXPECT(outer == want_outer && inner == want_inner, "%u times %u iterations, want %u times %u",
		    outer, inner, want_outer, want_inner);
}

void bhb_sequence_says(const char *what)
{
	static const char key[] = "; BHB sequence: ";
	char line[512] = "", *found;

	cpu_vulnerability("spectre_v2", line, sizeof(line));
	found = strstr(line, key);
	if (found) {
		found += strlen(key);
		found[strcspn(found, ";")] = 0;
	}
	CASE_EXPECT(found && !strcmp(found, what), "sysfs says \"%s\", want \"%s\"", found ?: "nothing of it", what);
}
