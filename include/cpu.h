/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPU that a case runs on, and what the kernel says of all of them.
 */
#ifndef KVM_WITNESS_CPU_H
#define KVM_WITNESS_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pins the calling thread to a CPU: 0 or -errno. */
int __cpu_pin(int cpu);

/*
 * The first @n CPUs that the calling thread may run on.  __cpu_need() returns how many
 * there are, up to @n, or -errno; cpu_need() skips the case if there are fewer.
 */
int __cpu_need(int *cpus, int n);
void cpu_need(int *cpus, int n);

/* Pins the calling thread to the first CPU that it may run on; its number. */
int cpu_pin_first(void);

/* How many interrupts, of any kind, the CPU has taken since boot (/proc/interrupts). */
uint64_t cpu_interrupts(int cpu);

/*
 * What the kernel does about a vulnerability: the line of the file @name in
 * /sys/devices/system/cpu/vulnerabilities.  False when there is none.
 */
bool cpu_vulnerability(const char *name, char *line, size_t len);

/* Is @name among the flags of /proc/cpuinfo: what the kernel believes, x86 only? */
bool cpu_flag(const char *name);

#endif /* KVM_WITNESS_CPU_H */
