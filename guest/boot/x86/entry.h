/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of boot/x86/: who calls whom across assembler and C.
 */
#ifndef GUEST_X86_ENTRY_H
#define GUEST_X86_ENTRY_H

#include "x86.h"

struct trap {
	u64 regs[16];		/* as in struct kvm_regs */
	u64 vector, error, rip, cs, rflags, rsp, ss;
};

struct this_descriptor {
	u16 limit;
	u64 base;
} __attribute__((packed));

/* By start.S. */
extern u64 gdt[];
extern char ap_code[], ap_code_end[];
extern u64 ap_stack, ap_cpu;

/* By trap.S: 256 of 16 bytes; the way into code of a check. */
extern char trap_stubs[];
void enter(const struct kvm_regs *regs, u64 cs, u64 ss, u64 rip, u64 rsp, u64 rflags) __noreturn;

/* For start.S and trap.S. */
void boot_main(bool multiboot, const void *info) __noreturn;
void ap_main(struct cpu *cpu) __noreturn;
void on_trap(const struct trap *t);

/* By devices.c: the command is ICR's lower half. */
void apic_command(u32 id, u32 command);
void clock_init(void);
void uart_init(void);

/* Takes what the boot protocol tells; returns the command line. */
const char *boot_protocol(bool multiboot, const void *info);

#endif /* GUEST_X86_ENTRY_H */
