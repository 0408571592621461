/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the entry points to C in 64-bit mode: by the PVH protocol, by multiboot (start.S of
 * the image guest.mb only), and for further CPUs by a SIPI.
 */
#include "x86.h"

#define AP_START	0x8000
#define EFER_LME	0x100
#define CR0_BITS	0x80010033	/* PG WP NE ET MP PE */
#define CR4_BITS	0x620		/* OSXMMEXCPT OSFXSR PAE */

#ifdef MULTIBOOT
	.section .multiboot, "a"
	.balign	4
	.long	0x1badb002, 2, -(0x1badb002 + 2)	/* wants a memory map */
#endif

	/* XEN_ELFNOTE_PHYS32_ENTRY */
	.section .note.Xen, "a"
	.balign	4
	.long	4, 4, 18
	.asciz	"Xen"
	.long	pvh_start

	.section .head.text, "ax"
	.code32
	.globl	pvh_start
pvh_start:
	cli
	cld
	movl	$0, %edi
#ifdef MULTIBOOT
	cmpl	$0x2badb002, %eax
	sete	%al
	movzbl	%al, %edi
#endif
	movl	%ebx, %esi
	movl	$boot_stack + 8192, %esp
	/* A processor without 64-bit mode: nothing can run, kselftest's exit code 4. */
	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	2f
	movl	$0x80000001, %eax
	cpuid
	btl	$29, %edx
	jc	3f
2:	movb	$0x14, %al
	outb	%al, $0xf4
	hlt
	jmp	2b
3:
	movl	$boot_main, %ebp
	jmp	to_long_mode

	/* EBP: where to go; EDI, ESI: the arguments; ESP: the stack. */
to_long_mode:
	lgdtl	gdt_pointer
	movl	$CR4_BITS, %eax
	movl	%eax, %cr4
	movl	$pml4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	$CR0_BITS, %eax
	movl	%eax, %cr0
	ljmpl	$CODE64, $1f
	.code64
1:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%ebp, %ebp
	movl	%esp, %esp
	call	*%rbp
	hlt

	/* Copied to AP_START. */
	.globl	ap_code, ap_code_end
	.code16
ap_code:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	gdt_pointer_low - ap_code + AP_START
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$CODE32, $ap_start32
gdt_pointer_low:
	.word	gdt_end - gdt - 1
	.long	gdt
ap_code_end:

	.code32
ap_start32:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	ap_stack, %esp
	movl	ap_cpu, %edi
	movl	$ap_main, %ebp
	jmp	to_long_mode
	.code64

	.data
	.globl	ap_stack, ap_cpu
ap_stack:	.quad 0
ap_cpu:		.quad 0

gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt, 0

	.balign	16
	.globl	gdt
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* CODE64 */
	.quad	0x00cf93000000ffff	/* DATA */
	.quad	0x00cf9b000000ffff	/* CODE32 */
	.quad	0x00cffb000000ffff	/* USER_CODE32 */
	.quad	0x00cff3000000ffff	/* USER_DATA */
	.quad	0x00affb000000ffff	/* USER_CODE64 */
	.quad	0
	.fill	2 * 16, 8, 0		/* TSS of MAX_CPUS */
gdt_end:

	/* Present, writable, accessed, dirty; 4 tables of 512 pages of 2 MiB, USER_AREA is user mode's. */
	.balign	4096
	.globl	pml4, pdpt
pml4:
	.quad	pdpt + 0x27
	.fill	511, 8, 0
pdpt:
	.quad	pds + 0x27, pds + 0x1027, pds + 0x2027, pds + 0x3027
	.fill	508, 8, 0
pds:
	.set	page, 0
	.rept	4 * 512
	.quad	page + 0xe3 + (page == USER_AREA) * -4
	.set	page, page + 0x200000
	.endr

	.bss
	.balign	16
boot_stack:
	.skip	8192

	.section .note.GNU-stack, "", @progbits
