/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel's headers give to its own code; the framework has it too, and
 * then that is what is used.
 */
#ifndef KVM_WITNESS_UTIL_H
#define KVM_WITNESS_UTIL_H

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#ifndef __noreturn
#define __noreturn	__attribute__((__noreturn__))
#endif

#ifndef __printf
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#endif

#endif /* KVM_WITNESS_UTIL_H */
