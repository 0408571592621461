/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that the kernel does not get: one chosen allocation of this thread fails.
 *
 * See Documentation/fault-injection/fault-injection.rst of the kernel: FAILSLAB and
 * FAIL_PAGE_ALLOC, fail-nth, and the filter for who asks.
 */
#ifndef KVM_WITNESS_FAULT_H
#define KVM_WITNESS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* Code of the kernel, @end is behind it. */
struct fault_range {
	uint64_t start, end;
};

/*
 * From now on only allocations count that the code in @from makes or has others make, but
 * not by way of the code in @but.  NULL, or one line that says why it cannot work.
 */
const char *fault_open(struct fault_range from, struct fault_range but);
void fault_close(void);

/* Lets the @n-th allocation fail (1: the next one); 0: none. */
void fault_set(unsigned int n);

/* Has it failed?  Until fault_set(). */
bool fault_happened(void);

#endif /* KVM_WITNESS_FAULT_H */
