/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between start.S and cpu.c.
 */
#ifndef GUEST_ARM64_ENTRY_H
#define GUEST_ARM64_ENTRY_H

#include "arm64.h"

struct trap {
	u64 x[31], elr, spsr;
};

/* What a CPU starts with; start.S knows the order. */
struct secondary {
	u64 stack;
	struct cpu *cpu;
};

extern char _start[], bss_begin[], _end[], vectors[], secondary_start[];

void boot_main(const void *fdt) __noreturn;
void secondary_boot(struct cpu *cpu) __noreturn;
void on_trap(const struct trap *t, unsigned int kind);

#endif /* GUEST_ARM64_ENTRY_H */
