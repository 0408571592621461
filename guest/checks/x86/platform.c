// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all other checks stand on: exceptions come with the right words, the timer ticks,
 * and each CPU of the tables starts and takes interrupts.
 */
#include "../../boot/x86/x86.h"

#define VECTOR	0x40

static void expect(int cpl, const void *code, size_t len, unsigned int vector, bool has_error, u64 error,
		   u64 address)
{
	/* RBX: an address that is not canonical; RDI: one that is not mapped; RSI: the kernel's. */
	const struct kvm_regs regs = { .rbx = BIT(63), .rdi = BIT(40), .rsi = 0x100000 };
	const u8 *c = code;
	struct executed end;

	execute(cpl, code, len, &regs, &end);
	CASE_EXPECT(end.vector == vector, "%02x %02x at CPL %d: vector %u, want %u", c[0], c[1], cpl, end.vector,
		    vector);
	CASE_EXPECT(end.has_error == has_error && end.error == error,
		    "%02x %02x at CPL %d: %s error code %#llx, want %#llx", c[0], c[1], cpl,
		    end.has_error ? "an" : "no", (unsigned long long)end.error, (unsigned long long)error);
	/* Behind INT3, a trap; at the instruction for the others, faults. */
	CASE_EXPECT(end.rip == (vector == BP_VECTOR), "%02x %02x at CPL %d: RIP is %lld bytes behind it", c[0], c[1],
		    cpl, (long long)end.rip);
	CASE_EXPECT(vector != PF_VECTOR || end.address == address, "%02x %02x at CPL %d: CR2 %#llx, want %#llx",
		    c[0], c[1], cpl, (unsigned long long)end.address, (unsigned long long)address);
}

static void exceptions(void)
{
	static const u8 ud2[] = { 0x0f, 0x0b }, int3[] = { 0xcc, 0x90 }, div[] = { 0xf7, 0xf1 },
			read_rbx[] = { 0x8b, 0x03 }, read_rdi[] = { 0x8b, 0x07 }, write_rdi[] = { 0x89, 0x07 },
			write_rsi[] = { 0x89, 0x06 }, read_rsi[] = { 0x8b, 0x06 }, hlt[] = { 0xf4, 0x90 };

	expect(0, ud2, sizeof(ud2), UD_VECTOR, false, 0, 0);
	expect(3, ud2, sizeof(ud2), UD_VECTOR, false, 0, 0);
	expect(0, int3, sizeof(int3), BP_VECTOR, false, 0, 0);
	expect(0, div, sizeof(div), DE_VECTOR, false, 0, 0);
	expect(0, read_rbx, sizeof(read_rbx), GP_VECTOR, true, 0, 0);
	expect(0, read_rdi, sizeof(read_rdi), PF_VECTOR, true, 0, BIT(40));
	expect(0, write_rdi, sizeof(write_rdi), PF_VECTOR, true, 2, BIT(40));
	expect(3, write_rdi, sizeof(write_rdi), PF_VECTOR, true, 6, BIT(40));
	expect(3, write_rsi, sizeof(write_rsi), PF_VECTOR, true, 7, 0x100000);
	expect(3, read_rsi, sizeof(read_rsi), PF_VECTOR, true, 5, 0x100000);
	expect(3, hlt, sizeof(hlt), GP_VECTOR, true, 0, 0);
}

static void timer_interrupt(void)
{
	irq_expect(VECTOR);
	apic_write(APIC_TIMER_DIVIDE, 0xb);
	apic_write(APIC_LVT_TIMER, VECTOR);
	apic_write(APIC_TIMER_COUNT, 100000);
	CASE_EXPECT(irq_came(this_cpu()), "no interrupt of the local APIC's timer within a second");
}

static void every_cpu(void)
{
	unsigned int i;

	for (i = 0; i < nr_cpus; i++)
		CASE_EXPECT(cpu_start(&cpus[i]), "the CPU with APIC ID %u, of the MADT, does not start",
			    (unsigned int)cpus[i].hwid);
}

static void read_apic_id(void *arg)
{
	*(u32 *)arg = apic_id();
}

static void ipi(void)
{
	struct cpu *other = second_cpu();
	u32 id = -1;

	CASE_EXPECT(cpu_run(other, read_apic_id, &id) && id == other->hwid, "CPU 1 has APIC ID %u, the MADT says %u",
		    id, (unsigned int)other->hwid);
	irq_expect(VECTOR);
	apic_send(other->hwid, VECTOR);
	CASE_EXPECT(irq_came(other), "the IPI does not come");
}

static const struct witness_case cases[] = {
	{
		.name = "exceptions",
		.verifies = "vector, error code, RIP and CR2 of #UD, #BP, #DE, #GP and #PF, from CPL 0 and 3",
		.run = exceptions,
	}, {
		.name = "timer_interrupt",
		.verifies = "the local APIC's timer interrupts, with its vector",
		.run = timer_interrupt,
	}, {
		.name = "every_cpu",
		.verifies = "each enabled CPU of the MADT starts by INIT and SIPI",
		.run = every_cpu,
	}, {
		.name = "ipi",
		.verifies = "a CPU has the MADT's APIC ID and gets what is sent to it",
		.needs = "two CPUs",
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
