/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sequence by which this kernel clears the branch history at each system call: how
 * long it is in memory, in fact, and by what sysfs says.
 */
#ifndef KVM_WITNESS_X86_BHB_SEQUENCE_H
#define KVM_WITNESS_X86_BHB_SEQUENCE_H

#include <stddef.h>
#include <stdint.h>

#include "vmscape.h"

/* The setup of a test: skips unless the kernel clears the history by software. */
void bhb_sequence_need(void);

/* The address of the sequence, and the @len bytes of the kernel's code at @addr. */
uint64_t bhb_sequence_addr(void);
void bhb_sequence_code(uint64_t addr, uint8_t *code, size_t len);

/* What @calls system calls of this thread do. */
struct vmscape_seen bhb_sequence_of_calls(int calls);

/* A case: the sequence is @outer times @inner branches, in memory and in fact. */
void bhb_sequence_is(unsigned int outer, unsigned int inner);

/* A case: sysfs says "BHB sequence: @what". */
void bhb_sequence_says(const char *what);

#endif /* KVM_WITNESS_X86_BHB_SEQUENCE_H */
