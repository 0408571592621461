/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts VERWs, which clear the buffers of a processor with MDS and its kin, on one CPU
 * of an unmodified kernel: before VM-entry and before the return to user space.
 *
 * KVM takes the debug registers away before VM-entry, so that a watchpoint on VERW's
 * operand sees the returns to user space only.  A machine that counts retired
 * instructions has all of them; the rest was before VM-entries.
 */
#ifndef KVM_WITNESS_X86_VERW_H
#define KVM_WITNESS_X86_VERW_H

#include <stdint.h>

struct verw_counts {
	uint64_t to_user;		/* before a return to user space */
	uint64_t to_guest;		/* before a VM-entry; 0 where nothing counts those */
	uint64_t entries;		/* VM-entries; 0 where nothing counts those */
};

/*
 * Pins the calling thread to a CPU and counts there.  NULL, or one line that says why
 * it cannot work.
 */
const char *verw_open(void);

/* NULL when VERWs before VM-entry and VM-entries are counted too, else why not. */
const char *verw_entries_uncounted(void);

/* A window of observation.  The case fails when a VERW may have been lost. */
void verw_window_open(void);
struct verw_counts verw_window_close(void);

#endif /* KVM_WITNESS_X86_VERW_H */
