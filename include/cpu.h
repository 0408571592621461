/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPU that a case runs on.
 */
#ifndef KVM_WITNESS_CPU_H
#define KVM_WITNESS_CPU_H

#include <stdint.h>

/* Pins the calling thread to the first CPU that it may run on; its number. */
int cpu_pin_first(void);

/* How many interrupts, of any kind, the CPU has taken since boot (/proc/interrupts). */
uint64_t cpu_interrupts(int cpu);

#endif /* KVM_WITNESS_CPU_H */
