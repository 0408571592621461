/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between start.S and cpu.c.
 */
#ifndef GUEST_RISCV_ENTRY_H
#define GUEST_RISCV_ENTRY_H

#include "riscv.h"

/* What a hart starts with; start.S knows the order. */
struct secondary {
	u64 stack;
	struct cpu *cpu;
};

extern char trap_vector[], secondary_start[];

void boot_main(u64 hart, const void *fdt) __noreturn;
void secondary_boot(struct cpu *cpu) __noreturn;
void on_trap(void);

#endif /* GUEST_RISCV_ENTRY_H */
