// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all other checks stand on: exceptions come with the right words, the timer ticks,
 * and each CPU of the device tree starts and takes interrupts.
 */
#include "../../boot/arm64/arm64.h"

#define SGI	3
#define NOWHERE	BIT(45)		/* beyond what the page table can have */

static void do_undefined(void *arg)
{
	asm volatile(".inst 0");
}

static void do_brk(void *arg)
{
	asm volatile("brk #42");
}

static void do_svc(void *arg)
{
	asm volatile("svc #7");
}

static void do_read(void *arg)
{
	mmio_read((u64)arg);
}

static void do_write(void *arg)
{
	mmio_write((u64)arg, 0);
}

static struct fault fault_of(void (*fn)(void *arg), u64 arg)
{
	struct fault f;

	CASE_EXPECT(fault_catch(&f, fn, (void *)arg), "no exception where there must be one");
	return f;
}

static void expect_class(const char *what, void (*fn)(void *arg), unsigned int class, unsigned int iss)
{
	struct fault f = fault_of(fn, 0);

	CASE_EXPECT(ESR_EC(f.cause) == class && (f.cause & 0xffff) == iss, "%s: ESR %#llx, want class %#x, ISS %#x",
		    what, (unsigned long long)f.cause, class, iss);
}

static void expect_abort(const char *what, void (*fn)(void *arg), bool write)
{
	struct fault f = fault_of(fn, NOWHERE);

	/* DFSC 0x04 to 0x07: a translation fault at any level. */
	CASE_EXPECT(ESR_EC(f.cause) == EC_DATA_ABORT && (ESR_DFSC(f.cause) & ~3) == 4 &&
		    !!(f.cause & ESR_WNR) == write, "%s where nothing is mapped: ESR %#llx", what,
		    (unsigned long long)f.cause);
	CASE_EXPECT(f.address == NOWHERE, "%s where nothing is mapped: FAR %#llx", what,
		    (unsigned long long)f.address);
}

static void exceptions(void)
{
	expect_class("an instruction that there is not", do_undefined, EC_UNKNOWN, 0);
	expect_class("BRK #42", do_brk, EC_BRK, 42);
	expect_class("SVC #7", do_svc, EC_SVC, 7);
	expect_abort("a load", do_read, false);
	expect_abort("a store", do_write, true);
}

static void need_gic(void)
{
	if (!gic_version())
		case_skip("the device tree has no GIC");
}

static void timer_interrupt(void)
{
	need_gic();
	irq_expect(TIMER_INTID);
	gic_enable(TIMER_INTID);
	write_sysreg(cntv_tval_el0, read_sysreg(cntfrq_el0) / 1000);
	write_sysreg(cntv_ctl_el0, 1);
	CASE_EXPECT(irq_came(this_cpu()), "no interrupt of the virtual timer within a second");
}

static void every_cpu(void)
{
	unsigned int i;

	if (!psci_there())
		case_skip("the device tree has no PSCI");
	for (i = 0; i < nr_cpus; i++)
		CASE_EXPECT(cpu_start(&cpus[i]), "the CPU with MPIDR %#llx, of the device tree, does not start",
			    (unsigned long long)cpus[i].hwid);
}

static void read_mpidr(void *arg)
{
	*(u64 *)arg = read_sysreg(mpidr_el1) & 0xff00ffffffull;
}

static void enable_sgi(void *arg)
{
	gic_enable(SGI);
}

static void ipi(void)
{
	struct cpu *cpu = second_cpu();
	u64 id = -1;

	need_gic();
	CASE_EXPECT(cpu_run(cpu, read_mpidr, &id) && id == cpu->hwid, "CPU 1 has MPIDR %#llx, the device tree says %#llx",
		    (unsigned long long)id, (unsigned long long)cpu->hwid);
	irq_expect(SGI);
	CASE_EXPECT(cpu_run(cpu, enable_sgi, NULL), "CPU 1 does not come back from its GIC");
	gic_send(cpu, SGI);
	CASE_EXPECT(irq_came(cpu), "the SGI does not come");
}

static const struct witness_case cases[] = {
	{
		.name = "exceptions",
		.verifies = "syndrome and address of undefined instructions, BRK, SVC and data aborts",
		.run = exceptions,
	}, {
		.name = "timer_interrupt",
		.verifies = "the virtual timer interrupts, by its PPI",
		.needs = "a GIC",
		.run = timer_interrupt,
	}, {
		.name = "every_cpu",
		.verifies = "each CPU of the device tree starts by PSCI CPU_ON",
		.needs = "PSCI",
		.run = every_cpu,
	}, {
		.name = "ipi",
		.verifies = "a CPU has the device tree's MPIDR and gets what is sent to it",
		.needs = "two CPUs, a GIC",
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
