/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The x86-64 side of the guest-side test kernel, for its boot code and for checks.
 *
 * The first 4 GiB are mapped one to one, read-write-execute; the 2 MiB at USER_AREA are
 * user mode's, all else is the kernel's.
 */
#ifndef GUEST_X86_H
#define GUEST_X86_H

#define USER_AREA	0x200000
#define USER_AREA_SIZE	0x200000

/* Selectors. */
#define CODE64		0x08
#define DATA		0x10
#define CODE32		0x18
#define USER_CODE32	0x20
#define USER_DATA	0x28
#define USER_CODE64	0x30
#define TSS		0x40	/* of the first CPU; 16 bytes each */

/* The exceptions that have an error code: 8, 10 to 14, 17, 21, 29, 30. */
#define ERROR_VECTORS	0x60227d00

#ifndef __ASSEMBLER__
#include <asm/kvm.h>

#include "../../core/guest.h"
#include "../../core/mmio.h"

/* --- registers of the processor ------------------------------------------- */

#define MSR_APIC_BASE		0x1b
#define MSR_SPEC_CTRL		0x48
#define MSR_PRED_CMD		0x49
#define MSR_ARCH_CAPABILITIES	0x10a
#define MSR_FLUSH_CMD		0x10b
#define MSR_EFER		0xc0000080
#define MSR_TSC_AUX		0xc0000103

#define CR4_PAE			BIT(5)
#define CR4_OSFXSR		BIT(9)
#define CR4_OSXMMEXCPT		BIT(10)
#define CR4_OSXSAVE		BIT(18)

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

struct cpuid cpuid(u32 leaf, u32 subleaf);

/* Is the bit in this register ('a' to 'd') of that leaf?  False beyond the last leaf. */
bool cpuid_bit(u32 leaf, u32 subleaf, char reg, unsigned int bit);

static inline u64 rdtsc(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | (u64)high << 32;
}

static inline void outb(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (u64)high << 32;
}

static inline void wrmsr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

/* The vector of the exception, or -1. */
int rdmsr_safe(u32 msr, u64 *value);
int wrmsr_safe(u32 msr, u64 value);

u64 read_cr2(void);
u64 read_cr4(void);
int write_cr4_safe(u64 value);

/* Sets CR4.OSXSAVE.  False: there is no XSAVE. */
bool xsave_on(void);
int xsetbv_safe(u32 index, u64 value);
u64 xgetbv(u32 index);

/* --- code of a few bytes -------------------------------------------------- */

#include "../../checks/x86/execute.h"

/*
 * Executes the @len <= 64 bytes at @code in 64-bit mode at @cpl (0 or 3), with the registers
 * @regs, of which RIP, RSP and RFLAGS are ours.
 */
void execute(int cpl, const void *code, size_t len, const struct kvm_regs *regs, struct executed *end);

/* Page-aligned memory of user mode that is no one's, 64 KiB. */
#define USER_SCRATCH	(USER_AREA + 0x100000)

/* --- interrupts ----------------------------------------------------------- */

#define APIC_ID			0x20
#define APIC_EOI		0xb0
#define APIC_SPURIOUS		0xf0
#define APIC_ICR		0x300
#define APIC_LVT_TIMER		0x320
#define APIC_TIMER_COUNT	0x380
#define APIC_TIMER_DIVIDE	0x3e0

u32 apic_id(void);
u32 apic_read(u32 reg);
void apic_write(u32 reg, u32 value);

/* Sends a fixed interrupt; the handler's EOI is the core's. */
void apic_send(u32 apic_id, u8 vector);

/* --- what firmware tells -------------------------------------------------- */

/* The ACPI table with this signature, NULL: none. */
const void *acpi_table(const char *signature);

/* RAM as the boot protocol tells it: the @n-th range, false beyond the last. */
bool ram_range(unsigned int n, u64 *begin, u64 *end);

#endif /* __ASSEMBLER__ */
#endif /* GUEST_X86_H */
