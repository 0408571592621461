/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the entry point of an Image (Documentation/arch/riscv/boot-image-header.rst) to C;
 * the trap vector; jumps.
 */
	.option	norelax

	.section .head.text, "ax"
	.globl	_start
_start:
	.option	push
	.option	norvc
	j	1f
	nop
	.option	pop
	.quad	0x200000		/* offset from the beginning of memory */
	.quad	_end - _start
	.quad	0			/* little-endian */
	.long	2, 0			/* the header's version */
	.quad	0
	.ascii	"RISCV\0\0\0"
	.ascii	"RSC\x05"
	.long	0

	/* a0: this hart's ID, a1: the device tree. */
1:	lla	t0, _start
	lla	t1, bss_begin
	lla	t2, _end
2:	sd	zero, 0(t1)
	addi	t1, t1, 8
	bltu	t1, t2, 2b
	/* R_RISCV_RELATIVE is all that there is. */
	lla	t1, rela_begin
	lla	t2, rela_end
3:	bgeu	t1, t2, 4f
	ld	t3, 0(t1)
	ld	t4, 16(t1)
	add	t3, t3, t0
	add	t4, t4, t0
	sd	t4, 0(t3)
	addi	t1, t1, 24
	j	3b
4:	lla	sp, boot_stack + 8192
	j	boot_main

	/* By SBI HSM; a1: struct secondary, whose first words are the stack and the CPU. */
	.globl	secondary_start
secondary_start:
	ld	sp, 0(a1)
	ld	a0, 8(a1)
	j	secondary_boot

	.text
	.balign	4
	.globl	trap_vector
trap_vector:
	addi	sp, sp, -256
	sd	x1, 8(sp)
	sd	x3, 24(sp)
	.set	n, 5
	.irp	reg, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30, x31
	sd	\reg, n * 8(sp)
	.set	n, n + 1
	.endr
	call	on_trap
	.set	n, 5
	.irp	reg, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30, x31
	ld	\reg, n * 8(sp)
	.set	n, n + 1
	.endr
	ld	x3, 24(sp)
	ld	x1, 8(sp)
	addi	sp, sp, 256
	sret

	.globl	jump_set
jump_set:
	sd	ra, 0(a0)
	sd	sp, 8(a0)
	sd	s0, 16(a0)
	sd	s1, 24(a0)
	sd	s2, 32(a0)
	sd	s3, 40(a0)
	sd	s4, 48(a0)
	sd	s5, 56(a0)
	sd	s6, 64(a0)
	sd	s7, 72(a0)
	sd	s8, 80(a0)
	sd	s9, 88(a0)
	sd	s10, 96(a0)
	sd	s11, 104(a0)
	li	a0, 0
	ret

	.globl	jump_to
jump_to:
	ld	ra, 0(a0)
	ld	sp, 8(a0)
	ld	s0, 16(a0)
	ld	s1, 24(a0)
	ld	s2, 32(a0)
	ld	s3, 40(a0)
	ld	s4, 48(a0)
	ld	s5, 56(a0)
	ld	s6, 64(a0)
	ld	s7, 72(a0)
	ld	s8, 80(a0)
	ld	s9, 88(a0)
	ld	s10, 96(a0)
	ld	s11, 104(a0)
	li	a0, 1
	ret

	.bss
	.balign	16
boot_stack:
	.skip	8192

	.section .note.GNU-stack, "", @progbits
