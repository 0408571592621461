/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * R16 to R31 of APX as bytes: the assembler of Debian 12 has not heard of them.
 *
 * An instruction is a list of bytes, for an array or, by REX2_ASM(), for inline assembly.
 * Registers are numbers, 0 (RAX) to 31, operands are 64 bits wide.  Where a displacement
 * follows it is one of 32 bits.  tests/unit/apx_unit.c has what binutils 2.44 makes of the
 * same instructions.
 *
 * Source: Intel Advanced Performance Extensions Architecture Specification, REX2.
 */
#ifndef KVM_WITNESS_X86_APX_H
#define KVM_WITNESS_X86_APX_H

#include <stdint.h>

#define APX_NR_EGPRS		16

#define APX_XFEATURE		19		/* in XCR0, XSTATE_BV, XCOMP_BV */
#define APX_XSAVE_OFFSET	960		/* in the standard format, of 128 bytes */
#define APX_CPUID_LEAF		0x29

/*
 * Our QEMU's count of instructions with REX2 on the processor that asks: EBX:EAX outside of
 * guests, EDX:ECX in them.  It is there if leaf 40000000H has the signature of QEMU's TCG
 * and EAX is not lower.
 */
#define REX2_COUNT_LEAF		0x40000002

/* MPX, whose place in the XSAVE area it is: XCR0 has not both. */
#define APX_XCR0		(1ull << APX_XFEATURE)
#define APX_XCR0_MPX		(3ull << 3)

#define REX2			0xd5
#define REX2_W			0x08
#define REX2_M0			0x80		/* map 1: what 0F begins elsewhere */

/* The byte behind REX2: M0 R4 X4 B4 W R3 X3 B3. */
#define REX2_BITS(flags, reg, index, base)					\
	((flags) | (((reg) & 16) << 2) | (((index) & 16) << 1) | ((base) & 16) |	\
	 (((reg) & 8) >> 1) | (((index) & 8) >> 2) | (((base) & 8) >> 3))

#define REX2_LE32(n)								\
	((n) & 0xff), (((n) >> 8) & 0xff), (((n) >> 16) & 0xff), (((n) >> 24) & 0xff)

/* Registers REG and RM; RM may be an opcode's extension where there is only one. */
#define REX2_RR(flags, op, reg, rm)						\
	REX2, REX2_BITS(flags, reg, 0, rm), op, (0xc0 | (((reg) & 7) << 3) | ((rm) & 7))

/* Register REG and memory at BASE + DISP; of BASE, bits 2:0 are not 4 (RSP). */
#define REX2_RM(flags, op, reg, base, disp)					\
	REX2, REX2_BITS(flags, reg, 0, base), op,				\
	(0x80 | (((reg) & 7) << 3) | ((base) & 7)), REX2_LE32(disp)

/* Register REG and memory at BASE + INDEX * 2^SCALE + DISP; INDEX is not 4. */
#define REX2_RX(flags, op, reg, base, index, scale, disp)			\
	REX2, REX2_BITS(flags, reg, index, base), op, (0x84 | (((reg) & 7) << 3)),	\
	(((scale) << 6) | (((index) & 7) << 3) | ((base) & 7)), REX2_LE32(disp)

/* An opcode that has the register in its last three bits: PUSH, POP, BSWAP, XCHG. */
#define REX2_O(flags, op, reg)							\
	REX2, REX2_BITS(flags, 0, 0, reg), ((op) | ((reg) & 7))

/* The 64-bit MOVs. */
#define REX2_MOV(to, from)		REX2_RR(REX2_W, 0x89, from, to)
#define REX2_LOAD(to, base, disp)	REX2_RM(REX2_W, 0x8b, to, base, disp)
#define REX2_STORE(from, base, disp)	REX2_RM(REX2_W, 0x89, from, base, disp)

#define __REX2_ASM(...)		".byte " #__VA_ARGS__ "\n\t"
#define REX2_ASM(...)		__REX2_ASM(__VA_ARGS__)

#define __APX_EACH(what, base)							\
	REX2_ASM(what(16, base, 0)) REX2_ASM(what(17, base, 8))			\
	REX2_ASM(what(18, base, 16)) REX2_ASM(what(19, base, 24))		\
	REX2_ASM(what(20, base, 32)) REX2_ASM(what(21, base, 40))		\
	REX2_ASM(what(22, base, 48)) REX2_ASM(what(23, base, 56))		\
	REX2_ASM(what(24, base, 64)) REX2_ASM(what(25, base, 72))		\
	REX2_ASM(what(26, base, 80)) REX2_ASM(what(27, base, 88))		\
	REX2_ASM(what(28, base, 96)) REX2_ASM(what(29, base, 104))		\
	REX2_ASM(what(30, base, 112)) REX2_ASM(what(31, base, 120))

/* For inline assembly: R16 to R31 from, and to, the 16 words at RAX. */
#define APX_LOAD_ALL		__APX_EACH(REX2_LOAD, 0)
#define APX_STORE_ALL		__APX_EACH(REX2_STORE, 0)

/*
 * The compiler uses none of them, and need not be told.  Both are #UD unless XCR0.APX and
 * CR4.OSXSAVE are set.
 */
static inline __attribute__((always_inline)) void apx_load(const uint64_t egprs[APX_NR_EGPRS])
{
	asm volatile(APX_LOAD_ALL : : "a"(egprs) : "memory");
}

static inline __attribute__((always_inline)) void apx_store(uint64_t egprs[APX_NR_EGPRS])
{
	asm volatile(APX_STORE_ALL : : "a"(egprs) : "memory");
}

/* Values that differ from one another, and with another @seed from those. */
static inline void apx_pattern(uint64_t egprs[APX_NR_EGPRS], uint64_t seed)
{
	unsigned int i;

	for (i = 0; i < APX_NR_EGPRS; i++)
		egprs[i] = (seed * APX_NR_EGPRS + i + 1) * 0x9e3779b97f4a7c15ull;
}

#endif /* KVM_WITNESS_X86_APX_H */
