// SPDX-License-Identifier: GPL-2.0-only
/*
 * arm64: from the entry point to the core, page tables, exceptions, PSCI, other CPUs.
 */
#include "../../core/dt/uart.h"
#include "entry.h"

#define PSCI_CPU_ON	0xc4000003
#define PSCI_SYSTEM_OFF	0x84000008

const char arch_name[] = "arm64";

/* --- the processor -------------------------------------------------------- */

struct cpu *this_cpu(void)
{
	return (struct cpu *)read_sysreg(tpidr_el1);
}

void cpu_relax(void)
{
	asm volatile("yield");
}

void irqs_on(void)
{
	asm volatile("msr daifclr, #2" : : : "memory");
}

void irqs_off(void)
{
	asm volatile("msr daifset, #2" : : : "memory");
}

bool irqs_are_on(void)
{
	return !(read_sysreg(daif) & BIT(7));
}

u64 clock_us(void)
{
	asm volatile("isb" : : : "memory");
	return read_sysreg(cntvct_el0) * 1000000 / read_sysreg(cntfrq_el0);
}

/* --- page tables ---------------------------------------------------------- */

#define GIB		BIT(30)
#define NR_BLOCKS	512		/* 39 bits of addresses */
#define MAIR		0xff00ull	/* attribute 0: device nGnRnE, 1: memory, write-back */
#define BLOCK		0x401		/* accessed; privileged, read-write */
#define BLOCK_DEVICE	(BLOCK | BIT(53) | BIT(54))	/* not to be executed */
#define BLOCK_MEMORY	(BLOCK | 1 << 2 | 3 << 8)	/* attribute 1, inner shareable */
#define TCR		(25ull | 1 << 8 | 1 << 10 | 3 << 12 | BIT(23) | 2ull << 32)
#define SCTLR		0x30d0198dull	/* what is RES1, MMU, caches */

static u64 blocks[NR_BLOCKS] __aligned(4096);

static void map_memory(u64 begin, u64 end)
{
	for (begin &= ~(GIB - 1); begin < end && begin < NR_BLOCKS * GIB; begin += GIB)
		blocks[begin / GIB] = begin | BLOCK_MEMORY;
}

static void fill_page_table(void)
{
	u64 address, size, i;
	int n;

	for (i = 0; i < NR_BLOCKS; i++)
		blocks[i] = i * GIB | BLOCK_DEVICE;
	map_memory((u64)_start, (u64)_end);
	for (n = dt_of_type(-1, "memory"); n >= 0; n = dt_of_type(n, "memory")) {
		unsigned int r;

		for (r = 0; dt_reg(n, r, &address, &size); r++)
			map_memory(address, address + size);
	}
	/* What was written past the caches must not be read from them. */
	for (address = (u64)_start; address < (u64)_end; address += 16)
		asm volatile("dc ivac, %0" : : "r"(address) : "memory");
	asm volatile("dsb sy" : : : "memory");
}

static void mmu_on(void)
{
	write_sysreg(mair_el1, MAIR);
	write_sysreg(tcr_el1, TCR);
	write_sysreg(ttbr0_el1, blocks);
	asm volatile("tlbi vmalle1\n\tic iallu\n\tdsb sy\n\tisb" : : : "memory");
	write_sysreg(sctlr_el1, SCTLR);
}

/* --- exceptions ----------------------------------------------------------- */

void on_trap(const struct trap *t, unsigned int kind)
{
	struct fault f = {
		.cause = read_sysreg(esr_el1),
		.error = kind,
		.address = read_sysreg(far_el1),
		.pc = t->elr,
	};
	unsigned int intid;

	/* Four kinds each from four places: synchronous, IRQ, FIQ, SError. */
	if (kind % 4 != 1)
		on_fault(&f);
	intid = gic_acknowledge();
	if (intid >= 1020 && intid <= SPURIOUS)
		return;
	/* Which would come again at once. */
	if (intid == TIMER_INTID)
		write_sysreg(cntv_ctl_el0, 0);
	on_irq(intid);
	gic_end(intid);
}

/* --- PSCI ----------------------------------------------------------------- */

static enum { NONE, HVC, SMC } conduit;

static void find_psci(void)
{
	int n = fdt_path_offset(dt, "/psci");

	if (n >= 0)
		conduit = dt_has_string(n, "method", "smc") ? SMC : HVC;
}

bool psci_there(void)
{
	return conduit != NONE;
}

s64 psci(u64 id, u64 a1, u64 a2, u64 a3)
{
	register u64 x0 asm("x0") = id;
	register u64 x1 asm("x1") = a1;
	register u64 x2 asm("x2") = a2;
	register u64 x3 asm("x3") = a3;

	/* SMCCC 1.0 may take all that it may take. */
	if (conduit == SMC)
		asm volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : :
			     "memory", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
			     "x15", "x16", "x17");
	else if (conduit == HVC)
		asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : :
			     "memory", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
			     "x15", "x16", "x17");
	else
		case_skip("the device tree has no PSCI");
	return x0;
}

/* --- other CPUs ----------------------------------------------------------- */

static u8 stacks[MAX_CPUS][STACK_SIZE] __aligned(16);
static struct secondary secondaries[MAX_CPUS];

static void cpu_init(struct cpu *cpu)
{
	write_sysreg(tpidr_el1, cpu);
	write_sysreg(vbar_el1, vectors);
	write_sysreg(cpacr_el1, 3 << 20);
	gic_init_cpu();
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
	/* It reads them before it has caches. */
	asm volatile("dc civac, %0\n\tdsb sy" : : "r"(s) : "memory");
	psci(PSCI_CPU_ON, cpu->hwid, (u64)secondary_start, (u64)s);
}

/* --- the console, and the end --------------------------------------------- */

void console_putc(char c)
{
	uart_putc(c);
}

int console_getc(void)
{
	return uart_getc();
}

/* Semihosting's SYS_EXIT_EXTENDED, which a VMM without it does not know. */
static void semihosting_exit(void *arg)
{
	const u64 block[] = { 0x20026, *(int *)arg };

	register u64 x0 asm("x0") = 0x20;
	register const u64 *x1 asm("x1") = block;

	asm volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
}

void arch_exit(int code)
{
	struct fault f;

	fault_catch(&f, semihosting_exit, &code);
	if (psci_there())
		psci(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		asm volatile("wfi");
}

/* --- the beginning -------------------------------------------------------- */

void boot_main(const void *fdt)
{
	dt_init(fdt);
	uart_init();
	fill_page_table();
	mmu_on();
	find_psci();
	dt_find_cpus(read_sysreg(mpidr_el1) & 0xff00ffffffull);
	cpu_init(&cpus[0]);
	guest_main(dt_command_line());
}
