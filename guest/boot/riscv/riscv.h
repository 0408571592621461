/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The RISC-V side of the guest-side test kernel, for its boot code and for checks.
 *
 * It runs in S-mode.  The first 256 GiB are mapped one to one (Sv39, read-write-execute).
 */
#ifndef GUEST_RISCV_H
#define GUEST_RISCV_H

#include "../../core/dt/dt.h"
#include "../../core/guest.h"
#include "../../core/mmio.h"

#define csr_read(csr)							\
({									\
	u64 __value;							\
									\
	asm volatile("csrr %0, " #csr : "=r"(__value) : : "memory");	\
	__value;							\
})

#define csr_write(csr, value)						\
({									\
	asm volatile("csrw " #csr ", %0" : : "r"((u64)(value)) : "memory");	\
})

#define csr_set(csr, bits)						\
({									\
	asm volatile("csrs " #csr ", %0" : : "r"((u64)(bits)) : "memory");	\
})

#define csr_clear(csr, bits)						\
({									\
	asm volatile("csrc " #csr ", %0" : : "r"((u64)(bits)) : "memory");	\
})

/* Exceptions. */
#define CAUSE_ILLEGAL		2
#define CAUSE_BREAKPOINT	3
#define CAUSE_LOAD_ACCESS	5
#define CAUSE_STORE_ACCESS	7
#define CAUSE_LOAD_PAGE		13
#define CAUSE_STORE_PAGE	15

/* Interrupts, and their bits in sie and sip. */
#define IRQ_SOFT		1
#define IRQ_TIMER		5
#define IRQ_EXTERNAL		9

/* --- the SBI -------------------------------------------------------------- */

#define SBI_BASE	0x10
#define SBI_TIME	0x54494d45
#define SBI_IPI		0x735049
#define SBI_HSM		0x48534d
#define SBI_SRST	0x53525354

struct sbi_return {
	s64 error, value;
};

struct sbi_return sbi(u64 extension, u64 function, u64 a0, u64 a1, u64 a2);
bool sbi_has(u64 extension);

/* --- what the device tree tells ------------------------------------------- */

/* Has this CPU the ISA extension, by its "riscv,isa-extensions" or "riscv,isa"? */
bool isa_has(const struct cpu *cpu, const char *extension);

/* The CPU whose interrupt controller has this phandle; NULL: none. */
struct cpu *cpu_of_intc(u32 phandle);

#endif /* GUEST_RISCV_H */
