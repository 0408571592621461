/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image, see image.h.
 */
	.section .rodata
	.balign	16
	.globl	image
image:
	.incbin	IMAGE

	.section .note.GNU-stack, "", @progbits
