/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exceptions and interrupts, jumps, and the way into a few bytes of code.
 */
#include "x86.h"

	.text
	.globl	trap_stubs
	.balign	16
trap_stubs:
	.set	vector, 0
	.rept	32
	.balign	16
	.if	!((ERROR_VECTORS >> vector) & 1)
	pushq	$0
	.endif
	pushq	$vector
	jmp	trap
	.set	vector, vector + 1
	.endr
	.rept	256 - 32
	.balign	16
	pushq	$0
	pushq	$vector
	jmp	trap
	.set	vector, vector + 1
	.endr

trap:
	cld
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%r11
	pushq	%r10
	pushq	%r9
	pushq	%r8
	pushq	%rbp
	pushq	%rsp
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rbx
	pushq	%rax
	movq	%rsp, %rdi
	/* The stack may be anywhere: a fault in code of a check can leave it odd. */
	movq	%rsp, %rbp
	andq	$-16, %rsp
	call	on_trap
	movq	%rbp, %rsp
	popq	%rax
	popq	%rbx
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$8, %rsp
	popq	%rbp
	popq	%r8
	popq	%r9
	popq	%r10
	popq	%r11
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	addq	$16, %rsp
	iretq

	/* int jump_set(struct jump *) */
	.globl	jump_set
jump_set:
	movq	(%rsp), %rax
	movq	%rax, (%rdi)
	leaq	8(%rsp), %rax
	movq	%rax, 8(%rdi)
	movq	%rbx, 16(%rdi)
	movq	%rbp, 24(%rdi)
	movq	%r12, 32(%rdi)
	movq	%r13, 40(%rdi)
	movq	%r14, 48(%rdi)
	movq	%r15, 56(%rdi)
	xorl	%eax, %eax
	ret

	/* void jump_to(struct jump *) */
	.globl	jump_to
jump_to:
	movq	16(%rdi), %rbx
	movq	24(%rdi), %rbp
	movq	32(%rdi), %r12
	movq	40(%rdi), %r13
	movq	48(%rdi), %r14
	movq	56(%rdi), %r15
	movq	8(%rdi), %rsp
	movl	$1, %eax
	jmp	*(%rdi)

	/*
	 * void enter(const struct kvm_regs *regs, u64 cs, u64 ss, u64 rip, u64 rsp, u64 rflags):
	 * does not return.
	 */
	.globl	enter
enter:
	pushq	%rdx
	pushq	%r8
	pushq	%r9
	pushq	%rsi
	pushq	%rcx
	movq	0(%rdi), %rax
	movq	8(%rdi), %rbx
	movq	16(%rdi), %rcx
	movq	24(%rdi), %rdx
	movq	32(%rdi), %rsi
	movq	56(%rdi), %rbp
	movq	64(%rdi), %r8
	movq	72(%rdi), %r9
	movq	80(%rdi), %r10
	movq	88(%rdi), %r11
	movq	96(%rdi), %r12
	movq	104(%rdi), %r13
	movq	112(%rdi), %r14
	movq	120(%rdi), %r15
	movq	40(%rdi), %rdi
	iretq

	.section .note.GNU-stack, "", @progbits
