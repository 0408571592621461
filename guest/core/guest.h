/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest-side test kernel: what its core and boot/<arch>/ give to the checks.
 *
 * A file of checks is a struct witness_test of include/case.h, as a selftest is, and uses
 * CASE_EXPECT(), case_skip() and case_fail() as that does.  The core runs it inside of any
 * VM and writes KTAP to the console.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../include/case.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define BIT(n)			(1ull << (n))
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define __aligned(n)		__attribute__((aligned(n)))
#ifndef fallthrough
#define fallthrough		__attribute__((fallthrough))
#endif

/* Puts a test into the table of all; they run in the order of the files' names. */
#define GUEST_TEST(test)							\
	static const struct witness_test * const test##_entry			\
	__attribute__((used, section(".guest_tests"))) = &(test)

extern const struct witness_test * const guest_tests[], * const guest_tests_end[];

/* --- the command line ----------------------------------------------------- */

/* The value of "<name>=<value>", "" for "<name>" alone, NULL without; good until the next call. */
const char *guest_option(const char *name);

/*
 * Is this QEMU's emulation?  The word "tcg" says so: it is known not to be faithful in
 * some things, and these cost a skip then, which says what was seen.
 */
bool is_tcg(void);
bool is_kvm_on_tcg(void);

#define EXPECT_FAITHFUL(cond, fmt, ...)						\
do {										\
	bool __true = (cond);							\
										\
	case_checked();								\
	if (!__true && is_tcg())						\
		case_skip("not faithful in QEMU's TCG: " fmt, ##__VA_ARGS__);	\
	if (!__true)								\
		case_fail(fmt, ##__VA_ARGS__);					\
} while (0)

/*
 * Lets the VM be moved: says "# hold" and waits until who runs it sends a "g".  Skips the
 * case without the word "moved", where nobody does.
 */
void hold(void);

/* --- exceptions ----------------------------------------------------------- */

struct fault {
	u64 cause;		/* vector, ESR_EL1, scause */
	u64 error;		/* the error code of x86 */
	u64 address;		/* CR2, FAR_EL1, stval */
	u64 pc;
};

/*
 * Calls @fn.  True when an exception ended it, which then is *@f; the interrupt flag is
 * afterwards what it was before.
 */
bool fault_catch(struct fault *f, void (*fn)(void *arg), void *arg);

/* --- processors ----------------------------------------------------------- */

#define MAX_CPUS	16
#define STACK_SIZE	8192

struct jump {
	u64 regs[16];
};

struct cpu {
	unsigned int id;	/* index in cpus[]; 0 is the one that booted */
	u64 hwid;		/* APIC ID, MPIDR, hart ID */
	bool online;
	void (*fn)(void *arg);	/* what cpu_run() wants */
	void *arg;
	struct jump *catching;	/* of fault_catch() */
	struct fault *fault;
	struct jump *case_end;
};

/* Those that the firmware's tables name; known before the first check runs. */
extern struct cpu cpus[MAX_CPUS];
extern unsigned int nr_cpus;

struct cpu *this_cpu(void);

/* Starts @cpu if it is not online.  False: it did not come within a second. */
bool cpu_start(struct cpu *cpu);

/* Runs @fn on another CPU until it is done.  False: it was not within two seconds. */
bool cpu_run(struct cpu *cpu, void (*fn)(void *arg), void *arg);

/* The same in two halves. */
void cpu_begin(struct cpu *cpu, void (*fn)(void *arg), void *arg);
bool cpu_end(struct cpu *cpu);

/* Skips the case where there is one CPU only, or gives the second one, online. */
struct cpu *second_cpu(void);

/* --- time and interrupts -------------------------------------------------- */

/* Since some moment; near enough to the truth for a timeout. */
u64 clock_us(void);

/* Waits for *@flag, @us at most, with interrupts on.  Did it become true? */
bool wait_for(const bool *flag, u64 us);

/* The handler of all interrupts; the number is the vector, INTID, or cause. */
void irq_handle(void (*handler)(unsigned int number));

/* From irq_expect() on, this interrupt is to come and no other. */
void irq_expect(unsigned int number);

/* Did it within a second, with interrupts on for that time on @cpu only?  Another one fails the case. */
bool irq_came(struct cpu *cpu);

/* --- for the core, by boot/<arch>/ ---------------------------------------- */

extern const char arch_name[];

void console_putc(char c);
int console_getc(void);			/* -1: nothing has come */
extern const char *console_prefix;	/* of each line that is printed */

void irqs_on(void);
void irqs_off(void);
bool irqs_are_on(void);
void cpu_relax(void);

int jump_set(struct jump *j) __attribute__((returns_twice));
void jump_to(struct jump *j) __noreturn;

/* Has the firmware, or whatever there is, start the CPU at secondary_main(). */
void arch_cpu_start(struct cpu *cpu);

/* Ends the VM and lets the VMM know kselftest's exit code, where there is a way. */
void arch_exit(int code) __noreturn;

/* --- by the core, for boot/<arch>/ ---------------------------------------- */

void guest_main(const char *command_line) __noreturn;
void secondary_main(struct cpu *cpu) __noreturn;

/* An exception that is no interrupt.  Does not return. */
void on_fault(const struct fault *f) __noreturn;
void on_irq(unsigned int number);

/* --- within the core ------------------------------------------------------- */

/* On whatever CPU case_skip() or case_fail() was. */
bool case_has_ended(void);

#endif /* GUEST_H */
