/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses of the kernel's per-CPU variables.
 */
#ifndef KVM_WITNESS_PERCPU_H
#define KVM_WITNESS_PERCPU_H

#include <stdint.h>

/*
 * The address of @cpu's instance of the per-CPU variable @name, or 0 with *@why
 * set to one line.  Symbol value plus __per_cpu_offset[cpu] on all kernels: the
 * symbols of older x86 kernels start at zero, those of 7.x at the section.
 */
uint64_t percpu_addr(const char *name, int cpu, const char **why);

#endif /* KVM_WITNESS_PERCPU_H */
