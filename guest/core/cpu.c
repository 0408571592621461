// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions, interrupts and further CPUs, as far as they are the same everywhere.
 */
#include <string.h>

#include "guest.h"

/* --- exceptions ----------------------------------------------------------- */

bool fault_catch(struct fault *f, void (*fn)(void *arg), void *arg)
{
	struct cpu *cpu = this_cpu();
	bool on = irqs_are_on();
	struct jump back;

	memset(f, 0, sizeof(*f));
	cpu->fault = f;
	if (!jump_set(&back)) {
		WRITE_ONCE(cpu->catching, &back);
		fn(arg);
		cpu->catching = NULL;
		return false;
	}
	if (on)
		irqs_on();
	else
		irqs_off();
	return true;
}

void on_fault(const struct fault *f)
{
	struct cpu *cpu = this_cpu();
	struct jump *back = cpu->catching;

	if (!back)
		case_fail("CPU %u: an exception that nobody expected: cause %#llx, error code %#llx, address %#llx, at %#llx",
			  cpu->id, (unsigned long long)f->cause, (unsigned long long)f->error,
			  (unsigned long long)f->address, (unsigned long long)f->pc);
	*cpu->fault = *f;
	cpu->catching = NULL;
	jump_to(back);
}

/* --- interrupts ----------------------------------------------------------- */

static void (*irq_handler)(unsigned int number);

void irq_handle(void (*handler)(unsigned int number))
{
	WRITE_ONCE(irq_handler, handler);
}

void on_irq(unsigned int number)
{
	void (*handler)(unsigned int number);

	handler = READ_ONCE(irq_handler);
	if (handler)
		handler(number);
}

bool wait_for(const bool *flag, u64 us)
{
	bool on = irqs_are_on();
	u64 begin = clock_us();

	irqs_on();
	while (!READ_ONCE(*flag) && clock_us() - begin < us)
		cpu_relax();
	if (!on)
		irqs_off();
	return READ_ONCE(*flag);
}

/* --- one interrupt that is to come ----------------------------------------- */

static unsigned int expected;
static bool came, another_came;

static void on_expected(unsigned int number)
{
	WRITE_ONCE(*(number == expected ? &came : &another_came), true);
}

void irq_expect(unsigned int number)
{
	expected = number;
	came = false;
	another_came = false;
	irq_handle(on_expected);
}

static void accept_irq(void *arg)
{
	wait_for(&came, 1000000);
}

bool irq_came(struct cpu *cpu)
{
	if (cpu == this_cpu())
		accept_irq(NULL);
	else
		CASE_EXPECT(cpu_run(cpu, accept_irq, NULL), "CPU %u does not come back from waiting for an interrupt", cpu->id);
	CASE_EXPECT(!READ_ONCE(another_came), "another interrupt came");
	return READ_ONCE(came);
}

/* --- processors ----------------------------------------------------------- */

struct cpu cpus[MAX_CPUS];
unsigned int nr_cpus;

void secondary_main(struct cpu *cpu)
{
	struct jump end;

	jump_set(&end);
	cpu->case_end = &end;
	cpu->catching = NULL;
	irqs_off();
	__atomic_store_n(&cpu->fn, NULL, __ATOMIC_RELEASE);
	WRITE_ONCE(cpu->online, true);
	for (;;) {
		if (__atomic_load_n(&cpu->fn, __ATOMIC_ACQUIRE)) {
			cpu->fn(cpu->arg);
			__atomic_store_n(&cpu->fn, NULL, __ATOMIC_RELEASE);
		}
		cpu_relax();
	}
}

bool cpu_start(struct cpu *cpu)
{
	if (READ_ONCE(cpu->online))
		return true;
	arch_cpu_start(cpu);
	return wait_for(&cpu->online, 1000000);
}

void cpu_begin(struct cpu *cpu, void (*fn)(void *arg), void *arg)
{
	cpu->arg = arg;
	__atomic_store_n(&cpu->fn, fn, __ATOMIC_RELEASE);
}

bool cpu_end(struct cpu *cpu)
{
	u64 begin = clock_us();

	while (__atomic_load_n(&cpu->fn, __ATOMIC_ACQUIRE)) {
		if (clock_us() - begin > 2000000)
			return false;
		cpu_relax();
	}
	if (case_has_ended())
		jump_to(this_cpu()->case_end);
	return true;
}

bool cpu_run(struct cpu *cpu, void (*fn)(void *arg), void *arg)
{
	cpu_begin(cpu, fn, arg);
	return cpu_end(cpu);
}

struct cpu *second_cpu(void)
{
	if (nr_cpus < 2)
		case_skip("one CPU only");
	if (!cpu_start(&cpus[1]))
		case_fail("the second CPU does not start");
	return &cpus[1];
}
