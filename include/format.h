/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Strings that are made as printf() would print them.
 */
#ifndef KVM_WITNESS_FORMAT_H
#define KVM_WITNESS_FORMAT_H

#include "util.h"

/* The caller frees it; does not return without memory. */
char *format(const char *fmt, ...) __printf(1, 2);

#endif /* KVM_WITNESS_FORMAT_H */
