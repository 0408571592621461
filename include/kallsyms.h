/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names and addresses of the running kernel, from /proc/kallsyms.
 */
#ifndef KVM_WITNESS_KALLSYMS_H
#define KVM_WITNESS_KALLSYMS_H

#include <stdint.h>

/*
 * Loads the table; a second call does nothing.  NULL when addresses can be read,
 * else one line that says why not (no CONFIG_KALLSYMS, kptr_restrict, no root).
 */
const char *kallsyms_load(void);

/*
 * For a test's prepare(): the table is big, and the same for all cases.  They say why
 * when there is none.
 */
void kallsyms_prepare(void);

/*
 * The address of @name, the symbol's value for a per-CPU variable.  0 when there
 * is no such symbol (data symbols need CONFIG_KALLSYMS_ALL) or more than one.
 */
uint64_t kallsyms_addr(const char *name);

/*
 * The function or object that @addr lies in, without the suffixes that compilers
 * add (".isra.0", ".cold"); "?" when it lies before the first symbol.
 * The string lives until the next call.
 */
const char *kallsyms_name(uint64_t addr);

#endif /* KVM_WITNESS_KALLSYMS_H */
