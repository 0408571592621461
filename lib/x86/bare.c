// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes of code in any mode, see include/x86/bare.h.
 */
#include <string.h>

#include "bare.h"

/* Guest physical memory, mapped one to one. */
enum {
	PML4		= 0x1000,
	PDPT		= 0x2000,
	PD		= 0x3000,
	GDT		= 0x4000,
	IDT64		= 0x5000,
	IDT32		= 0x5800,
	TSS64		= 0x6000,
	TSS32		= 0x6800,
	STUBS		= 0x7000,
	KERNEL_STACK	= 0xa000,	/* tops, both */
	USER_STACK	= 0xc000,
	MEMORY		= 0x200000,
};

enum {
	CODE64	= 0x08,
	DATA	= 0x10,
	CODE32	= 0x18,
	USER	= 3,			/* the descriptors of CPL 3 are that many further on */
};

#define NR_VECTORS	32
#define STUB_SIZE	16
#define PORT_VECTOR	0x80		/* of vector 0 */
#define PORT_END	0x70

static void *at(struct kvm_vm *vm, gpa_t gpa)
{
	return addr_gpa2hva(vm, gpa);
}

static void put_segment(struct kvm_vm *vm, const struct kvm_segment *s)
{
	u32 limit = s->limit >> 12;

	((u64 *)at(vm, GDT))[s->selector >> 3] =
		(limit & 0xffff) | (u64)s->type << 40 | (u64)s->s << 44 | (u64)s->dpl << 45 |
		(u64)s->present << 47 | (u64)(limit >> 16) << 48 | (u64)s->l << 53 |
		(u64)s->db << 54 | (u64)s->g << 55;
}

/* A flat one. */
static struct kvm_segment segment(unsigned int selector, int dpl)
{
	struct kvm_segment s = {
		.selector = (selector + (dpl ? USER * 8 : 0)) | dpl,
		.limit = -1u,
		.type = selector == DATA ? 3 : 11,	/* read-write, execute-read; accessed */
		.present = 1,
		.dpl = dpl,
		.db = selector != CODE64,
		.s = 1,
		.l = selector == CODE64,
		.g = 1,
	};

	return s;
}

static void fill_tables(struct kvm_vm *vm)
{
	static const unsigned int selectors[] = { CODE64, DATA, CODE32 };
	unsigned int i;
	int dpl;

	/* Present, writable, for user space; the last one is a page of 2 MiB. */
	*(u64 *)at(vm, PML4) = PDPT | 7;
	*(u64 *)at(vm, PDPT) = PD | 7;
	*(u64 *)at(vm, PD) = BIT(7) | 7;

	for (dpl = 0; dpl <= 3; dpl += 3) {
		for (i = 0; i < ARRAY_SIZE(selectors); i++) {
			struct kvm_segment s = segment(selectors[i], dpl);

			put_segment(vm, &s);
		}
	}
	for (i = 0; i < NR_VECTORS; i++) {
		const u8 out[] = { 0xe6, PORT_VECTOR + i };
		u32 stub = STUBS + i * STUB_SIZE;
		u64 *gate64 = at(vm, IDT64 + i * 16);
		u64 *gate32 = at(vm, IDT32 + i * 8);

		memcpy(at(vm, stub), out, sizeof(out));
		/* Present interrupt gates; the stubs are below 64 KiB. */
		*gate64 = stub | CODE64 << 16 | 0x8eULL << 40;
		*gate32 = stub | CODE32 << 16 | 0x8eULL << 40;
	}
	*(u64 *)at(vm, TSS64 + 4) = KERNEL_STACK;
	*(u32 *)at(vm, TSS32 + 4) = KERNEL_STACK;
	*(u32 *)at(vm, TSS32 + 8) = DATA;
}

struct kvm_vcpu *bare_create(void)
{
	struct kvm_vm *vm = vm_create_barebones();
	struct kvm_vcpu *vcpu;

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, 0, 0, MEMORY / getpagesize(), 0);
	fill_tables(vm);
	vcpu = __vm_vcpu_add(vm, 0);
	vcpu_init_cpuid(vcpu, kvm_get_supported_cpuid());
	return vcpu;
}

static void set_mode(struct kvm_vcpu *vcpu, enum bare_mode mode, int cpl)
{
	bool paging = mode != BARE_PROTECTED;
	struct kvm_sregs s;

	vcpu_sregs_get(vcpu, &s);
	s.cs = segment(mode == BARE_LONG ? CODE64 : CODE32, cpl);
	s.ss = segment(DATA, cpl);
	s.ds = s.ss;
	s.es = s.ss;
	s.tr = (struct kvm_segment) {
		.base = paging ? TSS64 : TSS32,
		.limit = 0x67,
		/* VMX insists on a busy one, QEMU's emulation of AMD (7.2) dies of it. */
		.type = host_cpu_is_intel ? 11 : 9,
		.present = 1,
	};
	s.gdt.base = GDT;
	s.gdt.limit = 0xff;
	s.idt.base = paging ? IDT64 : IDT32;
	s.idt.limit = NR_VECTORS * (paging ? 16 : 8) - 1;
	s.cr3 = PML4;
	s.cr4 = X86_CR4_PAE;
	s.cr0 = X86_CR0_PE | X86_CR0_NE | (paging ? X86_CR0_PG : 0);
	s.efer = paging ? EFER_LME | EFER_LMA : 0;
	vcpu_sregs_set(vcpu, &s);
}

/* What the processor has pushed: [error code,] RIP, CS, RFLAGS and with a new stack RSP, SS. */
static void read_frame(struct kvm_vcpu *vcpu, enum bare_mode mode, int cpl, struct bare_end *end)
{
	bool wide = mode != BARE_PROTECTED;
	size_t size = wide ? 8 : 4;
	size_t fixed = wide || cpl ? 5 : 3;
	size_t pushed = (KERNEL_STACK - end->regs.rsp) / size;
	u64 frame[6] = { 0 };
	size_t i;

	TEST_ASSERT(pushed == fixed || pushed == fixed + 1, "the exception pushed %zu words, RSP is %#llx",
		    pushed, end->regs.rsp);
	for (i = 0; i < pushed; i++)
		memcpy(&frame[i], at(vcpu->vm, end->regs.rsp + i * size), size);
	end->has_error = pushed > fixed;
	end->error = end->has_error ? frame[0] : 0;
	end->rip = frame[end->has_error];
}

bool bare_run(struct kvm_vcpu *vcpu, enum bare_mode mode, int cpl, const void *code, size_t len,
	      const struct kvm_regs *regs, struct bare_end *end)
{
	const u8 last[] = { 0xe6, PORT_END };
	struct kvm_regs r = *regs;
	struct kvm_run *run = vcpu->run;

	TEST_ASSERT(len <= 64, "%zu bytes of code", len);
	memcpy(at(vcpu->vm, BARE_CODE), code, len);
	memcpy(at(vcpu->vm, BARE_CODE + len), last, sizeof(last));
	set_mode(vcpu, mode, cpl);
	r.rip = BARE_CODE;
	r.rsp = cpl ? USER_STACK : KERNEL_STACK;
	r.rflags = 2 | (cpl ? 3 << 12 : 0);	/* IOPL, for the last OUT */
	vcpu_regs_set(vcpu, &r);

	if (__vcpu_run(vcpu) || run->exit_reason != KVM_EXIT_IO || run->io.direction != KVM_EXIT_IO_OUT)
		return false;

	memset(end, 0, sizeof(*end));
	vcpu_run_complete_io(vcpu);
	vcpu_regs_get(vcpu, &end->regs);
	if (run->io.port == PORT_END) {
		end->vector = BARE_NO_VECTOR;
		return true;
	}
	end->vector = run->io.port - PORT_VECTOR;
	read_frame(vcpu, mode, cpl, end);
	return true;
}
