// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86-64: from the entry point to the core, exceptions, interrupts, other CPUs.
 */
#include <string.h>

#include "entry.h"

#define AP_START	0x8000

const char arch_name[] = "x86";

/* --- the processor -------------------------------------------------------- */

struct cpuid cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid r;

	asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

bool cpuid_bit(u32 leaf, u32 subleaf, char reg, unsigned int bit)
{
	u32 last = cpuid(leaf & 0x80000000, 0).eax;
	struct cpuid r;

	/* Leaf 7 says how many subleaves it has. */
	if (leaf > last || (leaf == 7 && subleaf > cpuid(7, 0).eax))
		return false;
	r = cpuid(leaf, subleaf);
	return (reg == 'a' ? r.eax : reg == 'b' ? r.ebx : reg == 'c' ? r.ecx : r.edx) >> bit & 1;
}

struct reg_access {
	u32 index;
	u64 value;
};

static void do_rdmsr(void *arg)
{
	struct reg_access *a = arg;

	a->value = rdmsr(a->index);
}

static void do_wrmsr(void *arg)
{
	struct reg_access *a = arg;

	wrmsr(a->index, a->value);
}

static void do_write_cr4(void *arg)
{
	struct reg_access *a = arg;

	asm volatile("mov %0, %%cr4" : : "r"(a->value) : "memory");
}

static void do_xsetbv(void *arg)
{
	struct reg_access *a = arg;

	asm volatile("xsetbv" : : "c"(a->index), "a"((u32)a->value), "d"((u32)(a->value >> 32)));
}

static int vector_of(void (*fn)(void *arg), struct reg_access *a)
{
	struct fault f;

	return fault_catch(&f, fn, a) ? (int)f.cause : -1;
}

int rdmsr_safe(u32 msr, u64 *value)
{
	struct reg_access a = { .index = msr };
	int vector = vector_of(do_rdmsr, &a);

	*value = a.value;
	return vector;
}

int wrmsr_safe(u32 msr, u64 value)
{
	struct reg_access a = { msr, value };

	return vector_of(do_wrmsr, &a);
}

int write_cr4_safe(u64 value)
{
	struct reg_access a = { 0, value };

	return vector_of(do_write_cr4, &a);
}

bool xsave_on(void)
{
	if (!cpuid_bit(1, 0, 'c', 26))
		return false;
	if (!(read_cr4() & CR4_OSXSAVE) && write_cr4_safe(read_cr4() | CR4_OSXSAVE) >= 0)
		case_fail("CPUID has XSAVE, and CR4.OSXSAVE faults");
	return true;
}

int xsetbv_safe(u32 index, u64 value)
{
	struct reg_access a = { index, value };

	return vector_of(do_xsetbv, &a);
}

u64 xgetbv(u32 index)
{
	u32 low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index));
	return low | (u64)high << 32;
}

u64 read_cr2(void)
{
	u64 value;

	asm volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

u64 read_cr4(void)
{
	u64 value;

	asm volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

void cpu_relax(void)
{
	asm volatile("pause");
}

void irqs_on(void)
{
	asm volatile("sti" : : : "memory");
}

void irqs_off(void)
{
	asm volatile("cli" : : : "memory");
}

bool irqs_are_on(void)
{
	u64 flags;

	asm volatile("pushfq; popq %0" : "=r"(flags));
	return flags & BIT(9);
}

/* --- exceptions ----------------------------------------------------------- */

struct tss {
	u32 reserved;
	u64 rsp[3], reserved1, ist[7], reserved2;
	u16 reserved3, iomap;
} __attribute__((packed));

static struct {
	u64 low, high;
} idt[256] __aligned(16);

static struct tss tsses[MAX_CPUS];
static u8 stacks[MAX_CPUS][STACK_SIZE] __aligned(16);		/* the first CPU's is start.S' */
static u8 trap_stacks[MAX_CPUS][STACK_SIZE] __aligned(16);	/* of who comes from user mode */

/* The task register says which one this is, without help of a segment register. */
struct cpu *this_cpu(void)
{
	u16 tr;

	asm volatile("str %0" : "=r"(tr));
	return &cpus[(tr - TSS) / 16];
}

static void cpu_init(struct cpu *cpu)
{
	struct this_descriptor d = { sizeof(idt) - 1, (u64)idt };
	struct tss *tss = &tsses[cpu->id];
	u64 *gate = &gdt[(TSS + cpu->id * 16) / 8];

	tss->rsp[0] = (u64)trap_stacks[cpu->id] + STACK_SIZE;
	tss->iomap = sizeof(*tss);
	gate[0] = (sizeof(*tss) - 1) | ((u64)tss & 0xffffff) << 16 | 0x89ull << 40 | ((u64)tss >> 24) << 56;
	gate[1] = (u64)tss >> 32;
	asm volatile("ltr %w0" : : "r"((u16)(TSS + cpu->id * 16)));
	asm volatile("lidt %0" : : "m"(d));
	apic_write(APIC_SPURIOUS, 0x1ff);
}

static void fill_idt(void)
{
	unsigned int i;

	for (i = 0; i < 256; i++) {
		/* User mode may raise EXECUTED_END. */
		u64 stub = (u64)trap_stubs + i * 16, type = i == 0xfe ? 0xee : 0x8e;

		idt[i].low = (stub & 0xffff) | CODE64 << 16 | type << 40 | (stub >> 16 & 0xffff) << 48;
		idt[i].high = stub >> 32;
	}
}

/* --- code of a few bytes -------------------------------------------------- */

/* Where it is, in user mode's area; its stack ends below. */
#define EXECUTED_CODE(cpu)	(USER_AREA + 0x10000ull * ((cpu)->id + 1))
#define EXECUTED_END		0xfe	/* the vector of INT at its end */

static struct execution {
	struct executed *end;
	u64 stack;		/* where the CPU begins to push */
	struct jump back;
} executions[MAX_CPUS];

void execute(int cpl, const void *code, size_t len, const struct kvm_regs *regs, struct executed *end)
{
	static const u8 last[] = { 0xcd, EXECUTED_END };
	struct cpu *cpu = this_cpu();
	struct execution *e = &executions[cpu->id];
	u64 rsp = EXECUTED_CODE(cpu) - 256;

	memcpy((void *)EXECUTED_CODE(cpu), code, len);
	memcpy((void *)EXECUTED_CODE(cpu) + len, last, sizeof(last));
	memset(end, 0, sizeof(*end));
	e->stack = cpl ? tsses[cpu->id].rsp[0] : rsp;
	if (jump_set(&e->back))
		return;
	WRITE_ONCE(e->end, end);
	enter(regs, cpl ? USER_CODE64 | 3 : CODE64, cpl ? USER_DATA | 3 : DATA, EXECUTED_CODE(cpu), rsp, 2);
}

static void __noreturn end_of_execution(struct cpu *cpu, const struct trap *t)
{
	struct execution *e = &executions[cpu->id];
	struct executed *end = e->end;
	/* The stub makes a place for the error code that there should not be. */
	u64 pushed = e->stack - (u64)&t->rip;

	e->end = NULL;
	memcpy(&end->regs, t->regs, sizeof(t->regs));
	end->vector = t->vector == EXECUTED_END ? EXECUTED_TO_END : t->vector;
	end->has_error = t->vector < 32 && (ERROR_VECTORS >> t->vector & 1 ? pushed == 5 * 8 : pushed == 6 * 8);
	end->error = end->has_error ? (pushed == 6 * 8 ? t->rip : t->error) : 0;
	end->rip = (pushed == 6 * 8 ? t->cs : pushed == 4 * 8 ? t->error : t->rip) - EXECUTED_CODE(cpu);
	end->address = t->vector == PF_VECTOR ? read_cr2() : 0;
	jump_to(&e->back);
}

void on_trap(const struct trap *t)
{
	struct cpu *cpu = this_cpu();
	struct fault f = { .cause = t->vector, .error = t->error, .address = read_cr2(), .pc = t->rip };

	if (executions[cpu->id].end)
		end_of_execution(cpu, t);
	if (t->vector < 32)
		on_fault(&f);
	on_irq(t->vector);
	if (t->vector != 0xff)
		apic_write(APIC_EOI, 0);
}

/* --- other CPUs ----------------------------------------------------------- */

void ap_main(struct cpu *cpu)
{
	cpu_init(cpu);
	secondary_main(cpu);
}

static void delay(u64 us)
{
	u64 begin = clock_us();

	while (clock_us() - begin < us)
		cpu_relax();
}

void arch_cpu_start(struct cpu *cpu)
{
	memcpy((void *)AP_START, ap_code, ap_code_end - ap_code);
	ap_stack = (u64)stacks[cpu->id] + STACK_SIZE;
	ap_cpu = (u64)cpu;
	apic_command(cpu->hwid, 0xc500);		/* INIT, level, assert */
	apic_command(cpu->hwid, 0x8500);		/* and no more */
	delay(200);
	apic_command(cpu->hwid, 0x600 | AP_START >> 12);
	delay(200);
	if (!READ_ONCE(cpu->online))
		apic_command(cpu->hwid, 0x600 | AP_START >> 12);
}

/* The MADT's local APICs and x2APICs that are enabled. */
static void find_cpus(void)
{
	const u8 *madt = acpi_table("APIC"), *entry, *end;
	u32 self = apic_id();

	cpus[0].hwid = self;
	nr_cpus = 1;
	if (!madt)
		return;
	end = madt + *(const u32 *)(madt + 4);
	for (entry = madt + 44; entry + 2 <= end && entry[1]; entry += entry[1]) {
		u32 flags, id;

		if (entry[0] == 0) {
			id = entry[3];
			flags = *(const u32 *)(entry + 4);
		} else if (entry[0] == 9) {
			id = *(const u32 *)(entry + 4);
			flags = *(const u32 *)(entry + 8);
		} else {
			continue;
		}
		if (!(flags & 1) || id == self || nr_cpus == MAX_CPUS)
			continue;
		cpus[nr_cpus].id = nr_cpus;
		cpus[nr_cpus++].hwid = id;
	}
}

/* --- the beginning -------------------------------------------------------- */

void boot_main(bool multiboot, const void *info)
{
	const char *command_line;

	uart_init();
	/* The PIC's interrupts would come as exceptions. */
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	command_line = boot_protocol(multiboot, info);
	clock_init();
	fill_idt();
	cpu_init(&cpus[0]);
	find_cpus();
	guest_main(command_line);
}
