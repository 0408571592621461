/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the running kernel's memory by virtual address, through /proc/kcore.
 */
#ifndef KVM_WITNESS_KMEM_H
#define KVM_WITNESS_KMEM_H

#include <stddef.h>
#include <stdint.h>

/* NULL when kmem_read() can work, else one line that says why not. */
const char *kmem_open(void);

/* 0, or -1 when any of the @len bytes at @addr cannot be read. */
int kmem_read(uint64_t addr, void *buf, size_t len);

#endif /* KVM_WITNESS_KMEM_H */
