// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all other checks stand on: exceptions come with the right words, the timer ticks,
 * and each hart of the device tree starts and takes interrupts.
 */
#include "../../boot/riscv/riscv.h"

#define NOWHERE	BIT(38)		/* not sign-extended: no address of Sv39 */

static void do_illegal(void *arg)
{
	asm volatile(".4byte 0xffffffff");
}

static void do_ebreak(void *arg)
{
	asm volatile(".option push\n\t.option norvc\n\tebreak\n\t.option pop");
}

static void do_read(void *arg)
{
	mmio_read((u64)arg);
}

static void do_write(void *arg)
{
	mmio_write((u64)arg, 0);
}

static void expect(const char *what, void (*fn)(void *arg), u64 arg, u64 cause)
{
	struct fault f;

	CASE_EXPECT(fault_catch(&f, fn, (void *)arg), "%s: no exception", what);
	CASE_EXPECT(f.cause == cause, "%s: scause %llu, want %llu", what, (unsigned long long)f.cause,
		    (unsigned long long)cause);
	CASE_EXPECT(!arg || f.address == arg, "%s: stval %#llx, want %#llx", what, (unsigned long long)f.address,
		    (unsigned long long)arg);
}

static void exceptions(void)
{
	expect("an instruction that there is not", do_illegal, 0, CAUSE_ILLEGAL);
	expect("EBREAK", do_ebreak, 0, CAUSE_BREAKPOINT);
	expect("a load where nothing is mapped", do_read, NOWHERE, CAUSE_LOAD_PAGE);
	expect("a store where nothing is mapped", do_write, NOWHERE, CAUSE_STORE_PAGE);
}

static void timer_interrupt(void)
{
	u64 ticks;

	if (!sbi_has(SBI_TIME))
		case_skip("the SBI has no timer");
	irq_expect(IRQ_TIMER);
	ticks = csr_read(time);
	sbi(SBI_TIME, 0, ticks + 1000, 0, 0);
	csr_set(sie, BIT(IRQ_TIMER));
	CASE_EXPECT(irq_came(this_cpu()), "no interrupt of the timer within a second");
	CASE_EXPECT(csr_read(time) >= ticks + 1000, "the timer interrupts before its time");
}

static void every_cpu(void)
{
	unsigned int i;

	if (!sbi_has(SBI_HSM))
		case_skip("the SBI has no hart state management");
	for (i = 0; i < nr_cpus; i++)
		CASE_EXPECT(cpu_start(&cpus[i]), "hart %llu, of the device tree, does not start",
			    (unsigned long long)cpus[i].hwid);
}

static void ipi(void)
{
	struct cpu *cpu = second_cpu();

	if (!sbi_has(SBI_IPI))
		case_skip("the SBI has no IPIs");
	irq_expect(IRQ_SOFT);
	sbi(SBI_IPI, 0, 1, cpu->hwid, 0);
	CASE_EXPECT(irq_came(cpu), "the IPI does not come");
}

static const struct witness_case cases[] = {
	{
		.name = "exceptions",
		.verifies = "cause and address of illegal instructions, EBREAK and page faults",
		.run = exceptions,
	}, {
		.name = "timer_interrupt",
		.verifies = "the SBI's timer interrupts, and not before its time",
		.needs = "an SBI with TIME",
		.run = timer_interrupt,
	}, {
		.name = "every_cpu",
		.verifies = "each hart of the device tree starts by the SBI",
		.needs = "an SBI with HSM",
		.run = every_cpu,
	}, {
		.name = "ipi",
		.verifies = "a hart gets the SBI's IPI",
		.needs = "two harts, an SBI with IPIs",
		.run = ipi,
	},
};

static const struct witness_test test = {
	.name = "guest_platform",
	.needs = "nothing",
	.seed = "what a kernel needs of any VMM",
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

GUEST_TEST(test);
