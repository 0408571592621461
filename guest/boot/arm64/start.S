/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the entry point of an Image (Documentation/arch/arm64/booting.rst) to C; exception
 * vectors; jumps.
 */
	.section .head.text, "ax"
	.globl	_start
_start:
	b	1f
	.long	0
	.quad	0			/* offset from a multiple of 2 MiB */
	.quad	_end - _start
	.quad	0xa			/* little-endian, 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

1:	mov	x19, x0			/* the device tree */
	bl	to_el1
	/* Who loads an Image does not clear what is behind it. */
	adr	x1, _start
	adrp	x2, bss_begin
	add	x2, x2, :lo12:bss_begin
	adrp	x3, _end
	add	x3, x3, :lo12:_end
2:	stp	xzr, xzr, [x2], #16
	cmp	x2, x3
	b.lo	2b
	/* R_AARCH64_RELATIVE is all that there is. */
	adrp	x2, rela_begin
	add	x2, x2, :lo12:rela_begin
	adrp	x3, rela_end
	add	x3, x3, :lo12:rela_end
3:	cmp	x2, x3
	b.hs	4f
	ldp	x4, x5, [x2], #16
	ldr	x6, [x2], #8
	add	x6, x6, x1
	str	x6, [x1, x4]
	b	3b
4:	adrp	x0, boot_stack
	add	x0, x0, :lo12:boot_stack
	add	sp, x0, #8192
	mov	x0, x19
	b	boot_main

	/* By PSCI CPU_ON; x0: struct secondary, whose first words are the stack and the CPU. */
	.globl	secondary_start
secondary_start:
	mov	x19, x0
	bl	to_el1
	ldp	x1, x0, [x19]
	mov	sp, x1
	b	secondary_boot

	/* With EL2, as a host would have it, all goes on at EL1 without one. */
to_el1:
	mrs	x9, CurrentEL
	cmp	x9, #8
	b.ne	5f
	mov	x9, #1 << 31		/* HCR_EL2.RW */
	msr	hcr_el2, x9
	mov	x9, #3
	msr	cnthctl_el2, x9
	msr	cntvoff_el2, xzr
	mov	x9, #0x33ff
	msr	cptr_el2, x9
	mrs	x9, mpidr_el1
	msr	vmpidr_el2, x9
	mrs	x9, midr_el1
	msr	vpidr_el2, x9
	mrs	x9, id_aa64pfr0_el1
	ubfx	x9, x9, #24, #4		/* system registers of a GICv3 */
	cbz	x9, 6f
	mov	x9, #9
	msr	S3_4_C12_C9_5, x9	/* ICC_SRE_EL2 */
	isb
6:	mov	x9, #0x3c5		/* EL1h, DAIF */
	msr	spsr_el2, x9
	msr	elr_el2, x30
	ldr	x9, =0x30d00800		/* what is RES1 */
	msr	sctlr_el1, x9
	eret
5:	ret
	.ltorg

	.macro	vector kind
	.balign	128
	sub	sp, sp, #272
	stp	x0, x1, [sp]
	mov	x1, #\kind
	b	trap
	.endm

	.text
	.balign	2048
	.globl	vectors
vectors:
	.set	kind, 0
	.rept	16
	vector	kind
	.set	kind, kind + 1
	.endr

trap:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x2, elr_el1
	stp	x30, x2, [sp, #240]
	mrs	x3, spsr_el1
	str	x3, [sp, #256]
	mov	x0, sp
	bl	on_trap
	ldp	x30, x2, [sp, #240]
	msr	elr_el1, x2
	ldr	x3, [sp, #256]
	msr	spsr_el1, x3
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldp	x0, x1, [sp]
	add	sp, sp, #272
	eret

	.globl	jump_set
jump_set:
	mov	x1, sp
	stp	x19, x20, [x0]
	stp	x21, x22, [x0, #16]
	stp	x23, x24, [x0, #32]
	stp	x25, x26, [x0, #48]
	stp	x27, x28, [x0, #64]
	stp	x29, x30, [x0, #80]
	str	x1, [x0, #96]
	mov	x0, #0
	ret

	.globl	jump_to
jump_to:
	ldr	x1, [x0, #96]
	mov	sp, x1
	ldp	x19, x20, [x0]
	ldp	x21, x22, [x0, #16]
	ldp	x23, x24, [x0, #32]
	ldp	x25, x26, [x0, #48]
	ldp	x27, x28, [x0, #64]
	ldp	x29, x30, [x0, #80]
	mov	x0, #1
	ret

	.bss
	.balign	16
boot_stack:
	.skip	8192

	.section .note.GNU-stack, "", %progbits
