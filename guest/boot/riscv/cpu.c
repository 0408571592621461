// SPDX-License-Identifier: GPL-2.0-only
/*
 * RISC-V: from the entry point to the core, page tables, traps, the SBI, other harts.
 */
#include <string.h>

#include "../../core/dt/uart.h"
#include "entry.h"

const char arch_name[] = "riscv";

/* --- the SBI -------------------------------------------------------------- */

#define SBI_LEGACY_PUTCHAR	1
#define SBI_LEGACY_GETCHAR	2

struct sbi_return sbi(u64 extension, u64 function, u64 x, u64 y, u64 z)
{
	register u64 a0 asm("a0") = x;
	register u64 a1 asm("a1") = y;
	register u64 a2 asm("a2") = z;
	register u64 a6 asm("a6") = function;
	register u64 a7 asm("a7") = extension;

	asm volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
	return (struct sbi_return) { a0, a1 };
}

bool sbi_has(u64 extension)
{
	struct sbi_return r = sbi(SBI_BASE, 3, extension, 0, 0);

	return !r.error && r.value;
}

/* --- the processor -------------------------------------------------------- */

static u64 ticks_per_second = 10000000;

struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	asm("mv %0, tp" : "=r"(cpu));
	return cpu;
}

/* Zihintpause's, which is a fence that does nothing for who does not have it. */
void cpu_relax(void)
{
	asm volatile(".4byte 0x0100000f");
}

void irqs_on(void)
{
	csr_set(sstatus, 2);
}

void irqs_off(void)
{
	csr_clear(sstatus, 2);
}

bool irqs_are_on(void)
{
	return csr_read(sstatus) & 2;
}

u64 clock_us(void)
{
	return csr_read(time) * 1000000 / ticks_per_second;
}

/* --- page tables ---------------------------------------------------------- */

#define GIB	BIT(30)
#define PTE	0xcf			/* dirty, accessed, executable, writable, readable, valid */
#define SV39	(8ull << 60)

static u64 page_table[512] __aligned(4096);

static void fill_page_table(void)
{
	u64 i;

	for (i = 0; i < 256; i++)
		page_table[i] = i * GIB >> 2 | PTE;
}

static void mmu_on(void)
{
	csr_write(satp, SV39 | (u64)page_table >> 12);
	asm volatile("sfence.vma" : : : "memory");
}

/* --- traps ---------------------------------------------------------------- */

void on_trap(void)
{
	u64 cause = csr_read(scause), sepc = csr_read(sepc), sstatus = csr_read(sstatus);
	struct fault f = { .cause = cause, .address = csr_read(stval), .pc = sepc };

	if (!(cause >> 63))
		on_fault(&f);
	cause &= 0xff;
	/* Which would come again at once. */
	if (cause == IRQ_SOFT)
		csr_clear(sip, BIT(IRQ_SOFT));
	else if (cause == IRQ_TIMER)
		csr_clear(sie, BIT(IRQ_TIMER));
	on_irq(cause);
	csr_write(sepc, sepc);
	csr_write(sstatus, sstatus);
}

/* --- other harts ---------------------------------------------------------- */

static u8 stacks[MAX_CPUS][STACK_SIZE] __aligned(16);
static struct secondary secondaries[MAX_CPUS];

static void cpu_init(struct cpu *cpu)
{
	asm volatile("mv tp, %0" : : "r"(cpu));
	csr_write(stvec, trap_vector);
	csr_write(sie, BIT(IRQ_SOFT));
}

void secondary_boot(struct cpu *cpu)
{
	mmu_on();
	cpu_init(cpu);
	secondary_main(cpu);
}

void arch_cpu_start(struct cpu *cpu)
{
	struct secondary *s = &secondaries[cpu->id];

	s->stack = (u64)stacks[cpu->id] + STACK_SIZE;
	s->cpu = cpu;
	sbi(SBI_HSM, 0, cpu->hwid, (u64)secondary_start, (u64)s);
}

bool isa_has(const struct cpu *cpu, const char *extension)
{
	int n = dt_cpu_node(cpu);
	size_t len = strlen(extension);
	const char *isa;

	if (dt_has_string(n, "riscv,isa-extensions", extension))
		return true;
	for (isa = fdt_getprop(dt, n, "riscv,isa", NULL); isa && *isa; isa += strcspn(isa, "_")) {
		isa += *isa == '_';
		if (!strncmp(isa, extension, len) && strchr("_", isa[len]))
			return true;
	}
	return false;
}

struct cpu *cpu_of_intc(u32 phandle)
{
	int n = fdt_parent_offset(dt, fdt_node_offset_by_phandle(dt, phandle));
	unsigned int i;

	for (i = 0; n >= 0 && i < nr_cpus; i++) {
		if (dt_cpu_node(&cpus[i]) == n)
			return &cpus[i];
	}
	return NULL;
}

/* --- the console, and the end --------------------------------------------- */

static bool has_uart;

void console_putc(char c)
{
	if (has_uart)
		uart_putc(c);
	else
		sbi(SBI_LEGACY_PUTCHAR, 0, c, 0, 0);
}

int console_getc(void)
{
	return has_uart ? uart_getc() : (int)sbi(SBI_LEGACY_GETCHAR, 0, 0, 0, 0).error;
}

/* A shutdown, whose reason is a failure of the system or none. */
void arch_exit(int code)
{
	sbi(SBI_SRST, 0, 0, !!code, 0);
	for (;;)
		asm volatile("wfi");
}

/* --- the beginning -------------------------------------------------------- */

void boot_main(u64 hart, const void *fdt)
{
	dt_init(fdt);
	has_uart = uart_init();
	fill_page_table();
	mmu_on();
	dt_find_cpus(hart);
	ticks_per_second = dt_cell(fdt_path_offset(dt, "/cpus"), "timebase-frequency", 0, ticks_per_second);
	cpu_init(&cpus[0]);
	guest_main(dt_command_line());
}
