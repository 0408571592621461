/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of devices in memory.  One plain instruction each: a hypervisor without the
 * processor's help to decode it must understand it as well.
 */
#ifndef GUEST_MMIO_H
#define GUEST_MMIO_H

#include "guest.h"

#if defined(__x86_64__)
#define MMIO_READ_8	"movzbl (%1), %k0"
#define MMIO_READ_32	"movl (%1), %k0"
#define MMIO_READ_64	"movq (%1), %0"
#define MMIO_WRITE_8	"movb %b0, (%1)"
#define MMIO_WRITE_32	"movl %k0, (%1)"
#define MMIO_WRITE_64	"movq %0, (%1)"
#elif defined(__aarch64__)
#define MMIO_READ_8	"ldrb %w0, [%1]\n\tdmb oshld"
#define MMIO_READ_32	"ldr %w0, [%1]\n\tdmb oshld"
#define MMIO_READ_64	"ldr %0, [%1]\n\tdmb oshld"
#define MMIO_WRITE_8	"dmb oshst\n\tstrb %w0, [%1]"
#define MMIO_WRITE_32	"dmb oshst\n\tstr %w0, [%1]"
#define MMIO_WRITE_64	"dmb oshst\n\tstr %0, [%1]"
#elif defined(__riscv)
#define MMIO_READ_8	"lbu %0, 0(%1)\n\tfence i, r"
#define MMIO_READ_32	"lwu %0, 0(%1)\n\tfence i, r"
#define MMIO_READ_64	"ld %0, 0(%1)\n\tfence i, r"
#define MMIO_WRITE_8	"fence w, o\n\tsb %0, 0(%1)"
#define MMIO_WRITE_32	"fence w, o\n\tsw %0, 0(%1)"
#define MMIO_WRITE_64	"fence w, o\n\tsd %0, 0(%1)"
#endif

static inline u8 mmio_read8(u64 address)
{
	u64 value;

	asm volatile(MMIO_READ_8 : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void mmio_write8(u64 address, u8 value)
{
	asm volatile(MMIO_WRITE_8 : : "r"((u64)value), "r"(address) : "memory");
}

static inline u32 mmio_read(u64 address)
{
	u64 value;

	asm volatile(MMIO_READ_32 : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void mmio_write(u64 address, u32 value)
{
	asm volatile(MMIO_WRITE_32 : : "r"((u64)value), "r"(address) : "memory");
}

static inline u64 mmio_read64(u64 address)
{
	u64 value;

	asm volatile(MMIO_READ_64 : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void mmio_write64(u64 address, u64 value)
{
	asm volatile(MMIO_WRITE_64 : : "r"(value), "r"(address) : "memory");
}

#endif /* GUEST_MMIO_H */
