// SPDX-License-Identifier: GPL-2.0-only
/*
 * APX as a program in user space sees it, for emulator/check.sh: is what our QEMU emulates
 * what the architecture says?
 *
 * Most of it has an oracle: an instruction with REX on R9 and R10 is known to be right, and
 * with REX2 on R25 and R26 it must do the same.  The whole register file is compared, so
 * that a change of any other register shows.
 *
 * Called by a name that ends in "_off" it has the cases for a kernel that leaves XCR0.APX
 * clear, see main().
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <elf.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "apx.h"
#include "case.h"
#include "kvm_usable.h"

#define RSP	4
#define NR_GPRS	32
#define PAGE	4096

const char *kvm_unusable(void)
{
	return NULL;		/* not asked for here */
}

/* --- bytes of code, with all registers as one likes ----------------------- */

struct regs {
	uint64_t r[NR_GPRS];	/* not RSP */
	uint64_t flags;
};

#define ARITHMETIC_FLAGS	0x8d5ull	/* OF SF ZF AF PF CF */

static uint64_t exec_with_egprs __attribute__((used));	/* they cannot be loaded with APX off */
static uint8_t *code_page;
static uint8_t data[PAGE] __attribute__((aligned(64)));

static uint64_t exec_entry __attribute__((used)), exec_rax __attribute__((used));

/* RAX is the last one to be loaded and the first one to be stored. */
static __attribute__((naked)) void exec_code(struct regs *regs, const void *code)
{
	asm("push %rbx\n\tpush %rbp\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
	    "push %rdi\n\t"
	    "mov %rsi, exec_entry(%rip)\n\t"
	    "cmpq $0, exec_with_egprs(%rip)\n\t"
	    "je 1f\n\t"
	    "lea 128(%rdi), %rax\n\t"
	    APX_LOAD_ALL
	    "\n1:\n\t"
	    "mov (%rsp), %rax\n\t"
	    "push 256(%rax)\n\tpopfq\n\t"
	    "mov 8(%rax), %rcx\n\tmov 16(%rax), %rdx\n\tmov 24(%rax), %rbx\n\tmov 40(%rax), %rbp\n\t"
	    "mov 48(%rax), %rsi\n\tmov 56(%rax), %rdi\n\tmov 64(%rax), %r8\n\tmov 72(%rax), %r9\n\t"
	    "mov 80(%rax), %r10\n\tmov 88(%rax), %r11\n\tmov 96(%rax), %r12\n\tmov 104(%rax), %r13\n\t"
	    "mov 112(%rax), %r14\n\tmov 120(%rax), %r15\n\t"
	    "mov (%rax), %rax\n\t"
	    "call *exec_entry(%rip)\n\t"
	    "mov %rax, exec_rax(%rip)\n\t"
	    "mov (%rsp), %rax\n\t"
	    "pushfq\n\tpop 256(%rax)\n\t"
	    "mov %rcx, 8(%rax)\n\tmov %rdx, 16(%rax)\n\tmov %rbx, 24(%rax)\n\tmov %rbp, 40(%rax)\n\t"
	    "mov %rsi, 48(%rax)\n\tmov %rdi, 56(%rax)\n\tmov %r8, 64(%rax)\n\tmov %r9, 72(%rax)\n\t"
	    "mov %r10, 80(%rax)\n\tmov %r11, 88(%rax)\n\tmov %r12, 96(%rax)\n\tmov %r13, 104(%rax)\n\t"
	    "mov %r14, 112(%rax)\n\tmov %r15, 120(%rax)\n\t"
	    "mov exec_rax(%rip), %rcx\n\tmov %rcx, (%rax)\n\t"
	    "cmpq $0, exec_with_egprs(%rip)\n\t"
	    "je 2f\n\t"
	    "add $128, %rax\n\t"
	    APX_STORE_ALL
	    "\n2:\n\t"
	    "pop %rdi\n\t"
	    "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbp\n\tpop %rbx\n\t"
	    "ret");
}

static sigjmp_buf after_signal;

static void on_fault(int sig)
{
	siglongjmp(after_signal, sig);
}

/* Executes the code; the signal that it ends with, 0 for none. */
static int exec(struct regs *regs, const void *code, size_t len)
{
	static const int faults[] = { SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP };
	struct sigaction sa = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	size_t i;
	int sig;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		sigaction(faults[i], &sa, NULL);
	memcpy(code_page, code, len);
	code_page[len] = 0xc3;
	sig = sigsetjmp(after_signal, 1);
	if (!sig)
		exec_code(regs, code_page);
	return sig;
}

#define CODE(...)	((const uint8_t []){ __VA_ARGS__ })
#define EXEC(regs, ...)	exec(regs, CODE(__VA_ARGS__), sizeof(CODE(__VA_ARGS__)))

/* Addresses of data[], so that none of them hurts as one. */
static struct regs some_regs(void)
{
	struct regs regs = { .flags = 0x202 };
	int i;

	for (i = 0; i < NR_GPRS; i++)
		regs.r[i] = (uintptr_t)data + 1024 + 8 * i;
	return regs;
}

/* But for RSP, which is not ours. */
static bool same_gprs(const struct regs *a, const struct regs *b)
{
	return !memcmp(a->r, b->r, RSP * 8) && !memcmp(a->r + RSP + 1, b->r + RSP + 1, (NR_GPRS - RSP - 1) * 8);
}

static void setup(void)
{
	size_t i;

	code_page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code_page == MAP_FAILED)
		case_fail("mmap: %m");
	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + i / 256;
}

static void setup_on(void)
{
	setup();
	exec_with_egprs = 1;
}

/* --- CPUID, XCR0 ---------------------------------------------------------- */

static uint64_t xgetbv(uint32_t index)
{
	uint32_t lo, hi;

	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(index));
	return (uint64_t)hi << 32 | lo;
}

static void enumerated(void)
{
	uint32_t a, b, c, d;

	CASE_EXPECT(__get_cpuid_max(0, NULL) >= APX_CPUID_LEAF, "the highest CPUID leaf is %#x", __get_cpuid_max(0, NULL));
	__cpuid_count(7, 1, a, b, c, d);
	CASE_EXPECT(d & 1u << 21, "CPUID 7.1: EDX is %#x, without APX_F", d);
	__cpuid_count(APX_CPUID_LEAF, 0, a, b, c, d);
	CASE_EXPECT(!(a | b | c | d), "CPUID 29H: %#x %#x %#x %#x, but there is no EVEX", a, b, c, d);
	__cpuid_count(7, 0, a, b, c, d);
	CASE_EXPECT(!(b & 1u << 14), "there is MPX as well");
	__cpuid_count(0xd, 0, a, b, c, d);
	CASE_EXPECT(a & APX_XCR0 && !(a & APX_XCR0_MPX), "CPUID 0DH: XCR0 can be %#x", a);
	CASE_EXPECT(c >= APX_XSAVE_OFFSET + 128, "CPUID 0DH: an area of all has %u bytes", c);
	__cpuid_count(0xd, APX_XFEATURE, a, b, c, d);
	CASE_EXPECT(a == 128 && b == APX_XSAVE_OFFSET && !(c & 1), "component 19: %u bytes at %u, ECX %#x", a, b, c);
	CASE_EXPECT(xgetbv(0) & APX_XCR0, "XCR0 is %#llx", (unsigned long long)xgetbv(0));
}

/* --- REX2 and operands ---------------------------------------------------- */

static void mov_between_all(void)
{
	struct regs before, after;
	int from, to;

	for (from = 0; from < NR_GPRS; from++) {
		for (to = 0; to < NR_GPRS; to++) {
			if (from == RSP || to == RSP)
				continue;
			before = some_regs();
			after = before;
			EXEC(&after, REX2_MOV(to, from));
			before.r[to] = before.r[from];
			CASE_EXPECT(same_gprs(&before, &after), "MOV from R%d to R%d", from, to);
		}
	}
}

static void all_as_base(void)
{
	struct regs before, after;
	uint64_t *cell;
	int base;

	for (base = 0; base < NR_GPRS; base++) {
		if ((base & 7) == RSP)
			continue;
		before = some_regs();
		after = before;
		EXEC(&after, REX2_LOAD(27, base, -64));
		before.r[27] = *(uint64_t *)(before.r[base] - 64);
		CASE_EXPECT(same_gprs(&before, &after), "load from [R%d - 64]", base);

		before = some_regs();
		after = before;
		cell = (uint64_t *)(before.r[base] + 0x400);
		*cell = 0;
		EXEC(&after, REX2_STORE(26, base, 0x400));
		CASE_EXPECT(same_gprs(&before, &after) && *cell == before.r[26], "store to [R%d + 1024]", base);
	}
}

static void all_as_index(void)
{
	struct regs before, after;
	int index, base;

	for (index = 0; index < NR_GPRS; index++) {
		for (base = 0; base < NR_GPRS; base++) {
			if (index == RSP || base == RSP || index == base)
				continue;
			before = some_regs();
			before.r[index] = 3;
			after = before;
			EXEC(&after, REX2_RX(REX2_W, 0x8b, 16, base, index, 3, 8));
			before.r[16] = *(uint64_t *)(before.r[base] + 3 * 8 + 8);
			CASE_EXPECT(same_gprs(&before, &after), "load from [R%d + R%d * 8 + 8]", base, index);
		}
	}
}

/* The forms of ModRM that have no register: their bits 2:0 alone do not tell. */
static void base_of_modrm_mod_0(void)
{
	struct regs r;

	/* mod 0: R/M 5 is RIP + disp32 whatever B is, base 5 in SIB is disp32. */
	r = some_regs();
	EXEC(&r, REX2, REX2_BITS(REX2_W, 16, 0, 21), 0x8d, 0x05, REX2_LE32(16));
	CASE_EXPECT(r.r[16] == (uintptr_t)code_page + 8 + 16, "LEA R16, [RIP + 16]: %#llx", (unsigned long long)r.r[16]);
	r = some_regs();
	EXEC(&r, REX2, REX2_BITS(REX2_W, 17, 20, 29), 0x8d, 0x0c, 0xe5, REX2_LE32(0x10));
	CASE_EXPECT(r.r[17] == r.r[20] * 8 + 0x10, "LEA R17, [R20 * 8 + 16]: %#llx", (unsigned long long)r.r[17]);
	/* R/M 4 is SIB whatever B is; index 4 is none, 12, 20 and 28 are. */
	r = some_regs();
	EXEC(&r, REX2, REX2_BITS(REX2_W, 18, 4, 20), 0x8d, 0x14, 0x24);
	CASE_EXPECT(r.r[18] == r.r[20], "LEA R18, [R20]");
	r = some_regs();
	EXEC(&r, REX2, REX2_BITS(REX2_W, 18, 12, 28), 0x8d, 0x14, 0x24);
	CASE_EXPECT(r.r[18] == r.r[28] + r.r[12], "LEA R18, [R28 + R12]");
	r = some_regs();
	EXEC(&r, REX2, REX2_BITS(REX2_W, 18, 28, 20), 0x8d, 0x14, 0x24);
	CASE_EXPECT(r.r[18] == r.r[20] + r.r[28], "LEA R18, [R20 + R28]");
	/* mod 1 and mod 0 of others. */
	r = some_regs();
	EXEC(&r, REX2, REX2_BITS(REX2_W, 19, 0, 21), 0x8d, 0x5d, 0x80);
	CASE_EXPECT(r.r[19] == r.r[21] - 128, "LEA R19, [R21 - 128]");
	r = some_regs();
	EXEC(&r, REX2, REX2_BITS(REX2_W, 19, 0, 16), 0x8d, 0x18);
	CASE_EXPECT(r.r[19] == r.r[16], "LEA R19, [R16]");
	/* 67: an address of 32 bits. */
	r = some_regs();
	r.r[16] = 0x1122334455667788;
	EXEC(&r, 0x67, REX2, REX2_BITS(REX2_W, 19, 0, 16), 0x8d, 0x18);
	CASE_EXPECT(r.r[19] == 0x55667788, "LEA R19, [R16D]: %#llx", (unsigned long long)r.r[19]);
}

static void sizes(void)
{
	struct regs r;

	r = some_regs();
	r.r[16] = -1;
	EXEC(&r, REX2, REX2_BITS(0, 0, 0, 16), 0xb8, REX2_LE32(5));
	CASE_EXPECT(r.r[16] == 5, "MOV R16D, 5: %#llx", (unsigned long long)r.r[16]);
	r.r[22] = -1;
	EXEC(&r, 0x66, REX2, REX2_BITS(0, 0, 0, 22), 0xbe, 0x34, 0x12);
	CASE_EXPECT(r.r[22] == 0xffffffffffff1234, "MOV R22W, 0x1234: %#llx", (unsigned long long)r.r[22]);
	r.r[31] = -1;
	EXEC(&r, REX2, REX2_BITS(0, 0, 0, 31), 0xb7, 0x12);
	CASE_EXPECT(r.r[31] == 0xffffffffffffff12, "MOV R31B, 0x12: %#llx", (unsigned long long)r.r[31]);
	EXEC(&r, REX2, REX2_BITS(REX2_W, 0, 0, 23), 0xbf, REX2_LE32(0x55667788), REX2_LE32(0x11223344));
	CASE_EXPECT(r.r[23] == 0x1122334455667788, "MOV R23, imm64: %#llx", (unsigned long long)r.r[23]);
	/* W beats 66. */
	r.r[24] = -1;
	EXEC(&r, 0x66, REX2_RR(REX2_W, 0x89, 23, 24));
	CASE_EXPECT(r.r[24] == r.r[23], "66 and W: %#llx", (unsigned long long)r.r[24]);
	/* No AH to BH with REX2, even where it adds no bit. */
	r.r[5] = 0x1111;
	r.r[1] = 0x2222;
	EXEC(&r, REX2, 0, 0x88, 0xe9);
	CASE_EXPECT(r.r[5] == 0x1111 && r.r[1] == 0x2211, "MOV CL, BPL: %#llx", (unsigned long long)r.r[1]);
}

/* --- the same as with REX ------------------------------------------------- */

enum form { REG_REG, REG_MEM, REG_IMM8, LO_BITS, MEM_IMM8 };

/*
 * Without the prefix.  EXT: the opcode's extension where ModRM.reg is one, or -1.  An opcode
 * above 0xff is of map 1.
 */
struct op {
	const char *name;
	int op, ext;
	enum form form;
	uint8_t imm, prefix;
};

static const struct op ops[] = {
	{ "ADD", 0x01, -1, REG_REG }, { "ADD", 0x03, -1, REG_MEM }, { "ADD", 0x01, -1, REG_MEM },
	{ "OR", 0x09, -1, REG_REG }, { "OR", 0x0b, -1, REG_MEM },
	{ "ADC", 0x11, -1, REG_REG }, { "ADC", 0x13, -1, REG_MEM },
	{ "SBB", 0x19, -1, REG_REG }, { "SBB", 0x1b, -1, REG_MEM },
	{ "AND", 0x21, -1, REG_REG }, { "AND", 0x23, -1, REG_MEM },
	{ "SUB", 0x29, -1, REG_REG }, { "SUB", 0x2b, -1, REG_MEM },
	{ "XOR", 0x31, -1, REG_REG }, { "XOR", 0x33, -1, REG_MEM },
	{ "CMP", 0x39, -1, REG_REG }, { "CMP", 0x3b, -1, REG_MEM },
	{ "MOVSXD", 0x63, -1, REG_REG }, { "MOVSXD", 0x63, -1, REG_MEM },
	{ "IMUL imm8", 0x6b, -1, REG_IMM8, 7 }, { "IMUL imm8", 0x6b, -1, MEM_IMM8, 9 },
	{ "ADD imm8", 0x83, 0, REG_IMM8, 0x81 }, { "OR imm8", 0x83, 1, REG_IMM8, 0x81 },
	{ "ADC imm8", 0x83, 2, REG_IMM8, 0x81 }, { "SBB imm8", 0x83, 3, REG_IMM8, 0x81 },
	{ "AND imm8", 0x83, 4, REG_IMM8, 0x81 }, { "SUB imm8", 0x83, 5, REG_IMM8, 0x81 },
	{ "XOR imm8", 0x83, 6, REG_IMM8, 0x81 }, { "CMP imm8", 0x83, 7, REG_IMM8, 0x81 },
	{ "ADD imm8", 0x83, 0, MEM_IMM8, 0x81 }, { "CMP imm8", 0x80, 7, MEM_IMM8, 0x81 },
	{ "LOCK ADD imm8", 0x83, 0, MEM_IMM8, 0x11, 0xf0 },
	{ "TEST", 0x85, -1, REG_REG }, { "TEST", 0x85, -1, REG_MEM },
	{ "XCHG", 0x87, -1, REG_REG }, { "XCHG", 0x87, -1, REG_MEM },
	{ "MOV", 0x8b, -1, REG_MEM }, { "MOV", 0x89, -1, REG_MEM }, { "MOV", 0x8a, -1, REG_MEM },
	{ "LEA", 0x8d, -1, REG_MEM }, { "XCHG RAX", 0x90, -1, LO_BITS },
	{ "ROL imm8", 0xc1, 0, REG_IMM8, 5 }, { "ROR imm8", 0xc1, 1, REG_IMM8, 5 },
	{ "RCL imm8", 0xc1, 2, REG_IMM8, 5 }, { "RCR imm8", 0xc1, 3, REG_IMM8, 5 },
	{ "SHL imm8", 0xc1, 4, REG_IMM8, 5 }, { "SHR imm8", 0xc1, 5, REG_IMM8, 5 },
	{ "SAR imm8", 0xc1, 7, REG_IMM8, 5 }, { "SHL CL", 0xd3, 4, REG_REG }, { "SAR 1", 0xd1, 7, REG_REG },
	{ "NOT", 0xf7, 2, REG_REG }, { "NEG", 0xf7, 3, REG_REG }, { "MUL", 0xf7, 4, REG_REG },
	{ "IMUL", 0xf7, 5, REG_REG }, { "MUL", 0xf7, 4, REG_MEM }, { "NEG", 0xf7, 3, REG_MEM },
	{ "INC", 0xff, 0, REG_REG }, { "DEC", 0xff, 1, REG_REG }, { "INC", 0xff, 0, REG_MEM },
	{ "MOV imm8", 0xc6, 0, MEM_IMM8, 0x42 }, { "TEST imm8", 0xf6, 0, REG_IMM8, 0x42 },
	{ "CMOVC", 0x142, -1, REG_REG }, { "CMOVNC", 0x143, -1, REG_REG }, { "CMOVZ", 0x144, -1, REG_MEM },
	{ "SETC", 0x192, 0, REG_REG }, { "SETNC", 0x193, 0, REG_MEM },
	{ "BT", 0x1a3, -1, REG_REG }, { "BTS", 0x1ab, -1, REG_REG }, { "BTR", 0x1b3, -1, REG_REG },
	{ "BTC", 0x1bb, -1, REG_REG }, { "BT imm8", 0x1ba, 4, REG_IMM8, 9 }, { "BTS imm8", 0x1ba, 5, MEM_IMM8, 9 },
	{ "SHLD imm8", 0x1a4, -1, REG_IMM8, 9 }, { "SHRD CL", 0x1ad, -1, REG_REG },
	{ "IMUL", 0x1af, -1, REG_REG }, { "IMUL", 0x1af, -1, REG_MEM },
	{ "CMPXCHG", 0x1b1, -1, REG_REG }, { "CMPXCHG", 0x1b1, -1, REG_MEM },
	{ "LOCK CMPXCHG", 0x1b1, -1, REG_MEM, 0, 0xf0 }, { "LOCK XADD", 0x1c1, -1, REG_MEM, 0, 0xf0 },
	{ "MOVZX 8", 0x1b6, -1, REG_REG }, { "MOVZX 16", 0x1b7, -1, REG_MEM },
	{ "MOVSX 8", 0x1be, -1, REG_REG }, { "MOVSX 16", 0x1bf, -1, REG_MEM },
	{ "BSF", 0x1bc, -1, REG_REG }, { "BSR", 0x1bd, -1, REG_MEM },
	{ "POPCNT", 0x1b8, -1, REG_REG, 0, 0xf3 }, { "TZCNT", 0x1bc, -1, REG_REG, 0, 0xf3 },
	{ "LZCNT", 0x1bd, -1, REG_MEM, 0, 0xf3 },
	{ "XADD", 0x1c1, -1, REG_REG }, { "BSWAP", 0x1c8, -1, LO_BITS },
	{ "CMPXCHG16B", 0x1c7, 1, REG_MEM }, { "MOVNTI", 0x1c3, -1, REG_MEM },
	{ "NOP", 0x11f, 0, REG_MEM }, { "PREFETCH", 0x10d, 1, REG_MEM },
};

#define REG	9		/* with REX, and 16 more with REX2 */
#define RM	10

/* The code of OP with operands of 64 or 32 bits; its length. */
static size_t put_op(uint8_t *at, const struct op *op, bool rex2, bool wide)
{
	int reg = op->ext >= 0 ? op->ext : REG + 16 * rex2, rm = RM + 16 * rex2;
	bool map1 = op->op > 0xff;
	uint8_t *p = at;

	if (op->prefix)
		*p++ = op->prefix;
	if (rex2) {
		*p++ = REX2;
		*p++ = REX2_BITS((wide ? REX2_W : 0) | (map1 ? REX2_M0 : 0), op->form == LO_BITS ? 0 : reg, 0, rm);
	} else {
		*p++ = 0x40 | (wide ? 8 : 0) | (op->form == LO_BITS ? 0 : (reg & 8) >> 1) | (rm & 8) >> 3;
		if (map1)
			*p++ = 0x0f;
	}
	*p++ = op->form == LO_BITS ? (op->op & 0xff) | (rm & 7) : op->op & 0xff;
	if (op->form == REG_REG || op->form == REG_IMM8)
		*p++ = 0xc0 | (reg & 7) << 3 | (rm & 7);
	else if (op->form == REG_MEM || op->form == MEM_IMM8)
		*p++ = (reg & 7) << 3 | (rm & 7);
	if (op->form == REG_IMM8 || op->form == MEM_IMM8)
		*p++ = op->imm;
	return p - at;
}

static void same_as_with_rex(const struct op *op, bool wide, bool carry)
{
	static uint8_t cells[2][64] __attribute__((aligned(64)));
	bool memory = op->form == REG_MEM || op->form == MEM_IMM8;
	struct regs before = some_regs(), with[2];
	uint8_t code[16];
	int rex2, sig;
	size_t len, i;

	before.flags |= carry;
	before.r[0] = 0x0123456789abcdef;
	before.r[1] = 0x13;
	before.r[2] = 0x5555;
	for (rex2 = 0; rex2 < 2; rex2++) {
		for (i = 0; i < sizeof(cells[rex2]); i++)
			cells[rex2][i] = i * 13 + 0x81;
		with[rex2] = before;
		with[rex2].r[REG + 16 * rex2] = 0xfedcba9876543219;
		/* LEA: the same address for both. */
		with[rex2].r[RM + 16 * rex2] = !memory ? 0x8899aabbccddee03 :
			op->op == 0x8d ? (uintptr_t)data : (uintptr_t)cells[rex2];
		len = put_op(code, op, rex2, wide);
		sig = exec(&with[rex2], code, len);
		CASE_EXPECT(!sig, "%s with %s ends with signal %d", op->name, rex2 ? "REX2" : "REX", sig);
	}
	CASE_EXPECT(with[0].r[REG] == with[1].r[REG + 16], "%s, %d bits: register operand is %#llx, want %#llx", op->name,
		    wide ? 64 : 32, (unsigned long long)with[1].r[REG + 16], (unsigned long long)with[0].r[REG]);
	CASE_EXPECT(memory ? !memcmp(cells[0], cells[1], sizeof(cells[0])) : with[0].r[RM] == with[1].r[RM + 16],
		    "%s, %d bits: the other operand differs", op->name, wide ? 64 : 32);
	CASE_EXPECT(!((with[0].flags ^ with[1].flags) & ARITHMETIC_FLAGS), "%s: flags are %#llx, want %#llx", op->name,
		    (unsigned long long)with[1].flags, (unsigned long long)with[0].flags);
	/* What REX2 has not to do with. */
	for (i = 0; i < NR_GPRS; i++) {
		if (i == RSP || i % 16 == REG || i % 16 == RM)
			continue;
		CASE_EXPECT(with[0].r[i] == with[1].r[i], "%s changes R%zu", op->name, i);
	}
	CASE_EXPECT(with[1].r[REG] == before.r[REG] && with[1].r[RM] == before.r[RM], "%s takes R9 or R10", op->name);
}

static void instructions(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		same_as_with_rex(&ops[i], true, false);
		same_as_with_rex(&ops[i], true, true);
		same_as_with_rex(&ops[i], false, true);
	}
}

/* What the table has no form for: stack, branches, other register files, strings of INS. */
static void other_instructions(void)
{
	struct regs r;
	uint64_t was;

	r = some_regs();
	was = r.r[31];
	EXEC(&r, REX2_O(0, 0x50, 31), REX2_O(0, 0x58, 16));
	CASE_EXPECT(r.r[16] == was, "PUSH R31, POP R16: %#llx", (unsigned long long)r.r[16]);
	r = some_regs();
	EXEC(&r, REX2_O(REX2_W, 0x50, 31), REX2_O(REX2_W, 0x58, 17));
	CASE_EXPECT(r.r[17] == was, "PUSHP R31, POPP R17: %#llx", (unsigned long long)r.r[17]);
	r = some_regs();
	EXEC(&r, REX2_RR(0, 0xff, 6, 25), REX2_RR(0, 0x8f, 0, 29));
	CASE_EXPECT(r.r[29] == r.r[25], "PUSH and POP by ModRM");
	r = some_regs();
	EXEC(&r, 0x66, REX2_O(0, 0x50, 31), 0x66, REX2_O(0, 0x58, 16));
	CASE_EXPECT((r.r[16] & 0xffff) == (was & 0xffff) && r.r[16] >> 16 == some_regs().r[16] >> 16, "PUSH and POP of 16 bits");

	/* LEA R29, [RIP + 5]; JMP or CALL R29; UD2; here. */
	r = some_regs();
	CASE_EXPECT(!EXEC(&r, REX2, REX2_BITS(REX2_W, 29, 0, 0), 0x8d, 0x2d, REX2_LE32(6), REX2_RR(0, 0xff, 4, 29), 0x0f, 0x0b),
		    "JMP R29");
	r = some_regs();
	CASE_EXPECT(!EXEC(&r, REX2, REX2_BITS(REX2_W, 29, 0, 0), 0x8d, 0x2d, REX2_LE32(6), REX2_RR(0, 0xff, 2, 29), 0x0f, 0x0b,
			  0x58), "CALL R29");

	/* Vector registers have four bits here: R4 and B4 are ignored. */
	r = some_regs();
	EXEC(&r, 0x66, REX2, REX2_BITS(REX2_W | REX2_M0, 9, 0, 31), 0x6e, 0xcf,	/* MOVQ XMM9, R31 */
	     0x66, REX2, REX2_BITS(REX2_W | REX2_M0, 25, 0, 16), 0x7e, 0xc8);	/* MOVQ R16, XMM(2)9 */
	CASE_EXPECT(r.r[16] == r.r[31], "MOVQ through XMM9: %#llx", (unsigned long long)r.r[16]);
	r = some_regs();
	EXEC(&r, REX2, REX2_BITS(REX2_M0, 3, 0, 20), 0x10, 0x5c, 0x24, 0x08,	/* MOVUPS XMM3, [R20 + 8] */
	     REX2, REX2_BITS(REX2_M0, 3, 0, 21), 0x11, 0x5d, 0x40);		/* MOVUPS [R21 + 64], XMM3 */
	CASE_EXPECT(!memcmp((void *)(r.r[20] + 8), (void *)(r.r[21] + 64), 16), "MOVUPS by R20 and R21");

	/* x87: FLD, FADD, FSTP of doubles */
	r = some_regs();
	*(double *)r.r[18] = 2.5;
	EXEC(&r, REX2, REX2_BITS(0, 0, 0, 18), 0xdd, 0x02, 0xd8, 0xc0, REX2, REX2_BITS(0, 0, 0, 26), 0xdd, 0x1a);
	CASE_EXPECT(*(double *)r.r[26] == 5, "x87 by R18 and R26");

	/* What has no operand for it takes all of its bits, and no notice. */
	r = some_regs();
	EXEC(&r, REX2, 0x77, 0x98);
	CASE_EXPECT(r.r[0] == (uint32_t)(int16_t)some_regs().r[0], "CWDE with REX2: %#llx", (unsigned long long)r.r[0]);
	CASE_EXPECT(!EXEC(&r, REX2, 0, 0x90), "NOP with REX2");
	CASE_EXPECT(!EXEC(&r, REX2, REX2_BITS(REX2_M0, 0, 0, 16), 0xa2), "CPUID with REX2");
}

static void jmpabs(void)
{
	uint8_t code[16] = { REX2, 0, 0xa1 };
	uint64_t target = (uintptr_t)code_page + 13;
	struct regs r = some_regs();

	memcpy(code + 3, &target, 8);
	code[11] = 0x0f;
	code[12] = 0x0b;
	code[13] = 0x90;
	CASE_EXPECT(!exec(&r, code, 14), "JMPABS");
	target = 1ull << 47;
	memcpy(code + 3, &target, 8);
	CASE_EXPECT(exec(&r, code, 14) == SIGSEGV, "JMPABS to an address that is not canonical");
	code[1] = REX2_W;
	CASE_EXPECT(exec(&r, code, 14) == SIGILL, "JMPABS with W");
	memmove(code + 1, code, 13);
	code[2] = 0;
	code[0] = 0x66;
	CASE_EXPECT(exec(&r, code, 15) == SIGILL, "JMPABS with 66");
	code[0] = 0xf3;
	CASE_EXPECT(exec(&r, code, 15) == SIGILL, "JMPABS with F3");
	code[0] = 0xf0;
	CASE_EXPECT(exec(&r, code, 15) == SIGILL, "JMPABS with LOCK");
}

/* --- #UD ------------------------------------------------------------------ */

static bool barred_map0(int op)
{
	switch (op) {
	case 0x0f: case 0x26: case 0x2e: case 0x36: case 0x3e:
	case 0x62: case 0x64 ... 0x67: case 0xc4: case 0xc5: case 0xd5: case 0xf0: case 0xf2: case 0xf3:
		return true;
	}
	return (op >> 4 == 4 || op >> 4 == 7 || op >> 4 == 0xa || op >> 4 == 0xe) && op != 0xa1;
}

/* Behind it is what each of them would be content with. */
static void barred_opcodes(void)
{
	static const uint8_t bits[] = { 0x00, 0x08, 0x10, 0x55 };
	uint8_t code[] = { REX2, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0 };
	struct regs r;
	size_t i;
	int op;

	for (op = 0; op < 256; op++) {
		for (i = 0; i < ARRAY_SIZE(bits); i++) {
			code[2] = op;
			code[1] = bits[i];
			r = some_regs();
			if (barred_map0(op))
				CASE_EXPECT(exec(&r, code, sizeof(code)) == SIGILL, "REX2 %#x, opcode %#x: no #UD", bits[i], op);
			code[1] |= REX2_M0;
			r = some_regs();
			if (op >> 4 == 3 || op >> 4 == 8)
				CASE_EXPECT(exec(&r, code, sizeof(code)) == SIGILL, "REX2 %#x, opcode 0f %#x: no #UD", bits[i], op);
		}
	}
}

static void barred_instructions(void)
{
	struct regs r = some_regs();

	memset(data, 0, sizeof(data));
	r.r[0] = (uintptr_t)data;
	r.r[16] = (uintptr_t)data;
	r.r[2] = 0;
	CASE_EXPECT(EXEC(&r, REX2, REX2_M0, 0xae, 0x20) == SIGILL, "XSAVE with REX2");
	CASE_EXPECT(EXEC(&r, REX2, REX2_M0 | REX2_W, 0xae, 0x20) == SIGILL, "XSAVE64 with REX2");
	CASE_EXPECT(EXEC(&r, REX2, REX2_M0, 0xae, 0x28) == SIGILL, "XRSTOR with REX2");
	CASE_EXPECT(EXEC(&r, REX2, REX2_M0 | 0x10, 0xae, 0x30) == SIGILL, "XSAVEOPT with REX2");
	CASE_EXPECT(EXEC(&r, REX2, REX2_M0, 0xc7, 0x20) == SIGILL, "XSAVEC with REX2");
	CASE_EXPECT(EXEC(&r, REX2, REX2_M0, 0xc7, 0x28) == SIGILL, "XSAVES with REX2");
	CASE_EXPECT(EXEC(&r, REX2, REX2_M0, 0xc7, 0x18) == SIGILL, "XRSTORS with REX2");
	CASE_EXPECT(!EXEC(&r, REX2, REX2_M0 | 0x10, 0xae, 0x00), "FXSAVE [R16]");
	CASE_EXPECT(!EXEC(&r, REX2, REX2_M0 | 0x10, 0xae, 0x38), "CLFLUSH [R16]");
	CASE_EXPECT(!EXEC(&r, REX2, REX2_M0, 0xae, 0xf0), "MFENCE with REX2");

	CASE_EXPECT(EXEC(&r, 0xf0, REX2_MOV(16, 17)) == SIGILL, "LOCK MOV");
	CASE_EXPECT(EXEC(&r, REX2_RR(REX2_M0, 0x20, 16, 0)) == SIGILL, "MOV from CR16");
	CASE_EXPECT(EXEC(&r, REX2_RR(REX2_M0, 0x21, 16, 0)) == SIGILL, "MOV from DR16");
	CASE_EXPECT(EXEC(&r, REX2, REX2_M0, 0x0b) == SIGILL, "UD2 with REX2");
	/* Invalid in 64-bit mode by themselves. */
	CASE_EXPECT(EXEC(&r, REX2, 0, 0x06) == SIGILL && EXEC(&r, REX2, 0, 0x37) == SIGILL &&
		    EXEC(&r, REX2, 0, 0xd4, 0x0a) == SIGILL && EXEC(&r, REX2, 0, 0xce) == SIGILL, "PUSH ES, AAA, AAM, INTO");
	CASE_EXPECT(EXEC(&r, 0xd4, 0x0a) == SIGILL && EXEC(&r, 0xd6) == SIGILL && EXEC(&r, 0xce) == SIGILL,
		    "AAM, SALC and INTO without REX2");
}

static void prefixes(void)
{
	struct regs r = some_regs();

	CASE_EXPECT(EXEC(&r, 0x48, REX2_MOV(16, 17)) == SIGILL, "REX before REX2");
	CASE_EXPECT(EXEC(&r, 0x40, REX2_MOV(16, 17)) == SIGILL, "REX without a bit before REX2");
	CASE_EXPECT(!EXEC(&r, 0x48, 0x66, REX2_MOV(16, 17)), "REX that 66 makes none before REX2");
	CASE_EXPECT(EXEC(&r, 0x66, 0x48, REX2_MOV(16, 17)) == SIGILL, "66 REX REX2");
	CASE_EXPECT(!EXEC(&r, 0x2e, REX2_MOV(16, 17)), "CS override before REX2");
	CASE_EXPECT(!EXEC(&r, 0x66, 0x67, 0xf2, REX2_MOV(16, 17)), "66, 67 and F2 before REX2");
	CASE_EXPECT(EXEC(&r, REX2, 0x10, 0x66, 0x89, 0xc0) == SIGILL, "66 behind REX2");
	CASE_EXPECT(EXEC(&r, REX2, 0x10, 0x48, 0x89, 0xc0) == SIGILL, "REX behind REX2");
	CASE_EXPECT(EXEC(&r, REX2, 0x10, REX2_MOV(16, 17)) == SIGILL, "REX2 behind REX2");
	CASE_EXPECT(EXEC(&r, REX2, 0x10, 0x0f, 0xaf, 0xc0) == SIGILL, "0F behind REX2");
	CASE_EXPECT(EXEC(&r, REX2, 0x10, 0xc5, 0xf8, 0x77) == SIGILL, "VEX behind REX2");
	CASE_EXPECT(EXEC(&r, 0x62, 0xf4, 0x7c, 0x08, 0x01, 0xc0) == SIGILL, "EVEX of map 4");
	/* Without APX: a REX that is none moves no 64 bits. */
	r.r[0] = 0x1111222233334444;
	r.r[1] = 0x5555666677778888;
	EXEC(&r, 0x48, 0x66, 0x89, 0xc8);
	CASE_EXPECT(r.r[0] == 0x1111222233338888, "48 66 89 C8: %#llx", (unsigned long long)r.r[0]);
}

/* Bytes that cannot be fetched are a page fault, not #UD; and 15 are the limit. */
static void at_the_end_of_a_page(void)
{
	const uint8_t mov[] = { REX2_MOV(16, 17) };
	struct regs r = some_regs();
	uint8_t *end;
	size_t len;
	int sig;

	EXEC(&r, 0x90);
	end = code_page + PAGE;
	mprotect(end, PAGE, PROT_NONE);
	for (len = 1; len <= sizeof(mov); len++) {
		memcpy(end - len, mov, len);
		sig = sigsetjmp(after_signal, 1);
		if (!sig)
			exec_code(&r, end - len);
		CASE_EXPECT(sig == SIGSEGV, "%zu bytes before the end of a page: signal %d", len, sig);
	}
	mprotect(end, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	for (len = 11; len <= 12; len++) {
		memset(code_page, 0x66, len);
		memcpy(code_page + len, mov, sizeof(mov));
		code_page[len + sizeof(mov)] = 0xc3;
		sig = sigsetjmp(after_signal, 1);
		if (!sig)
			exec_code(&r, code_page);
		CASE_EXPECT(sig == (len == 11 ? 0 : SIGSEGV), "an instruction of %zu bytes: signal %d",
			    len + sizeof(mov), sig);
	}
}

/* In compatibility mode D5 is what it always was. */
static void compat_mode_aad(void)
{
	static const uint8_t code[] = { 0xb8, 0x02, 0x01, 0, 0, 0xd5, 0x0a, 0xcb };
	struct {
		uint32_t offset;
		uint16_t selector;
	} __attribute__((packed)) far = { .selector = 0x23 };
	uint8_t *low = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	uint64_t ax;

	if (low == MAP_FAILED)
		case_fail("mmap: %m");
	memcpy(low, code, sizeof(code));
	far.offset = (uintptr_t)low;
	asm volatile("mov %%rsp, %%rbx\n\tmov %2, %%rsp\n\tlcall *(%1)\n\tmov %%rbx, %%rsp"
		     : "=a"(ax) : "r"(&far), "r"(low + 2 * PAGE - 64) : "rbx", "memory", "cc");
	CASE_EXPECT((ax & 0xffff) == 12, "AAD of 0102: %#llx", (unsigned long long)ax);
}

/* --- the count ------------------------------------------------------------ */

static uint64_t count(void)
{
	uint32_t a, b, c, d;

	__cpuid(REX2_COUNT_LEAF, a, b, c, d);
	return (uint64_t)b << 32 | a;
}

/* The kernel uses none of them, and no other program does while this one runs. */
static void counted(void)
{
	uint8_t jmpabs[] = { REX2, 0, 0xa1, 0, 0, 0, 0, 0, 0, 0, 0 };
	uint64_t target = (uintptr_t)code_page + sizeof(jmpabs), before, frame;
	struct regs r = some_regs();
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);

	before = count();
	CASE_EXPECT(count() == before, "the count goes on by itself");
	for (i = 0; i < 1000; i++)
		asm volatile(REX2_ASM(REX2_MOV(16, 0)) REX2_ASM(REX2_RR(REX2_W, 0x01, 17, 30)) "mov %%rax, %%rax" : : : "cc");
	CASE_EXPECT(count() - before == 2000, "2000 instructions with REX2 are %llu", (unsigned long long)(count() - before));

	before = count();
	EXEC(&r, 0x90);
	frame = count() - before;
	memcpy(jmpabs + 3, &target, sizeof(target));
	before = count();
	exec(&r, jmpabs, sizeof(jmpabs));
	CASE_EXPECT(count() - before == frame + 1, "a branch with REX2 is %lld", (long long)(count() - before - frame));
	before = count();
	EXEC(&r, REX2, 0, 0x70, 0);
	CASE_EXPECT(count() - before == APX_NR_EGPRS, "Jcc with REX2, which is #UD, is counted");
}

/* --- XSAVE ---------------------------------------------------------------- */

static uint8_t area[PAGE] __attribute__((aligned(64)));
static const uint64_t zeros[APX_NR_EGPRS];

#define XSTATE_BV	(*(uint64_t *)(area + 512))
#define XCOMP_BV	(*(uint64_t *)(area + 520))
#define COMPACTED	(1ull << 63)
#define AVX		4u

#define XSAVE_INSN(insn, mask)	asm volatile(insn " (%0)" : : "r"(area), "a"((uint32_t)(mask)), "d"(0) : "memory")
#define xsave(mask)	XSAVE_INSN("xsave64", mask)
#define xsaveopt(mask)	XSAVE_INSN("xsaveopt64", mask)
#define xsavec(mask)	XSAVE_INSN("xsavec64", mask)
#define xrstor(mask)	XSAVE_INSN("xrstor64", mask)

static bool egprs_are(const uint64_t want[APX_NR_EGPRS])
{
	uint64_t got[APX_NR_EGPRS];

	apx_store(got);
	return !memcmp(got, want, sizeof(got));
}

static void xsave_standard(void)
{
	uint64_t v[APX_NR_EGPRS], w[APX_NR_EGPRS];

	apx_pattern(v, 1);
	apx_pattern(w, 2);
	memset(area, 0xaa, sizeof(area));
	memset(area + 512, 0, 64);
	XSTATE_BV = 1;
	apx_load(v);
	xsave(APX_XCR0);
	CASE_EXPECT(!memcmp(area + APX_XSAVE_OFFSET, v, sizeof(v)), "XSAVE writes other values");
	CASE_EXPECT(XSTATE_BV == (APX_XCR0 | 1) && !XCOMP_BV, "XSAVE: XSTATE_BV is %#llx, XCOMP_BV %#llx",
		    (unsigned long long)XSTATE_BV, (unsigned long long)XCOMP_BV);
	CASE_EXPECT(area[APX_XSAVE_OFFSET - 1] == 0xaa && area[APX_XSAVE_OFFSET + 128] == 0xaa && area[0] == 0xaa,
		    "XSAVE of one component writes another");
	CASE_EXPECT(xgetbv(1) & APX_XCR0, "XINUSE of R16 to R31 is clear");

	apx_load(w);
	xsave(AVX);
	CASE_EXPECT(!memcmp(area + APX_XSAVE_OFFSET, v, sizeof(v)), "XSAVE of AVX writes R16 to R31");
	xrstor(AVX);
	CASE_EXPECT(egprs_are(w), "XRSTOR of AVX changes R16 to R31");
	xrstor(APX_XCR0);
	CASE_EXPECT(egprs_are(v), "XRSTOR");
	XSTATE_BV &= ~APX_XCR0;
	xrstor(APX_XCR0);
	CASE_EXPECT(egprs_are(zeros), "XRSTOR without the bit in XSTATE_BV");
	CASE_EXPECT(!(xgetbv(1) & APX_XCR0), "XINUSE of zeros is set");

	memset(area + APX_XSAVE_OFFSET, 0x55, 128);
	XSTATE_BV = APX_XCR0;
	xsaveopt(APX_XCR0);
	CASE_EXPECT(!(XSTATE_BV & APX_XCR0) && area[APX_XSAVE_OFFSET] == 0x55, "XSAVEOPT of zeros: XSTATE_BV is %#llx",
		    (unsigned long long)XSTATE_BV);
	apx_load(w);
	xsaveopt(APX_XCR0);
	CASE_EXPECT(XSTATE_BV & APX_XCR0 && !memcmp(area + APX_XSAVE_OFFSET, w, sizeof(w)), "XSAVEOPT");
}

/* One register alone is in use, each of them. */
static void xinuse_of_each(void)
{
	uint64_t v[APX_NR_EGPRS] = { 0 };
	int i;

	for (i = 0; i < APX_NR_EGPRS; i++) {
		v[i] = 1ull << (4 * i);
		apx_load(v);
		CASE_EXPECT(xgetbv(1) & APX_XCR0, "XINUSE with R%d alone", i + 16);
		memset(area + 512, 0, 64);
		xsave(APX_XCR0);
		CASE_EXPECT(XSTATE_BV == APX_XCR0, "XSTATE_BV with R%d alone: %#llx", i + 16, (unsigned long long)XSTATE_BV);
		v[i] = 0;
	}
}

/* A translator that keeps the registers in others must know that XRSTOR writes them. */
static void xrstor_in_one_block(void)
{
	uint64_t v[APX_NR_EGPRS];
	uint64_t a, b;

	apx_pattern(v, 3);
	memset(area, 0, sizeof(area));
	apx_load(v);
	xsave(APX_XCR0);
	asm volatile("mov $1, %%esi\n\t"
		     REX2_ASM(REX2_MOV(16, 6)) REX2_ASM(REX2_MOV(31, 6))
		     "mov $0x80000, %%eax\n\t"
		     "xor %%edx, %%edx\n\t"
		     "xrstor64 (%%rdi)\n\t"
		     REX2_ASM(REX2_MOV(6, 16)) REX2_ASM(REX2_MOV(1, 31))
		     : "=S"(a), "=c"(b) : "D"(area) : "rax", "rdx", "memory");
	CASE_EXPECT(a == v[0] && b == v[15], "R16 is %#llx, R31 %#llx right behind XRSTOR", (unsigned long long)a,
		    (unsigned long long)b);
	/* And XSAVE that it reads them. */
	asm volatile("mov $0x1234, %%esi\n\t"
		     REX2_ASM(REX2_MOV(16, 6))
		     "mov $0x80000, %%eax\n\t"
		     "xor %%edx, %%edx\n\t"
		     "xsave64 (%%rdi)\n\t"
		     : : "D"(area) : "rax", "rdx", "rsi", "memory");
	CASE_EXPECT(*(uint64_t *)(area + APX_XSAVE_OFFSET) == 0x1234, "XSAVE has not seen the MOV before it");
}

static bool has_xsavec(void)
{
	uint32_t a, b, c, d;

	__cpuid_count(0xd, 1, a, b, c, d);
	return a & 2;
}

static void xsave_compacted(void)
{
	uint64_t v[APX_NR_EGPRS], w[APX_NR_EGPRS];

	if (!has_xsavec())
		case_skip("no XSAVEC here");
	apx_pattern(v, 4);
	apx_pattern(w, 5);
	memset(area, 0xaa, sizeof(area));
	apx_load(v);
	xsavec(APX_XCR0 | AVX);
	CASE_EXPECT(XCOMP_BV == (COMPACTED | APX_XCR0 | AVX), "XSAVEC: XCOMP_BV is %#llx", (unsigned long long)XCOMP_BV);
	CASE_EXPECT((XSTATE_BV & ~(uint64_t)AVX) == APX_XCR0, "XSAVEC: XSTATE_BV is %#llx", (unsigned long long)XSTATE_BV);
	CASE_EXPECT(!memcmp(area + 576 + 256, v, sizeof(v)), "R16 to R31 are not behind AVX");
	CASE_EXPECT(area[576 + 256 + 128] == 0xaa && area[528] == 0xaa, "XSAVEC writes what is not its own");
	memset(area + 528, 0, 48);
	apx_load(w);
	xrstor(APX_XCR0);
	CASE_EXPECT(egprs_are(v), "XRSTOR behind AVX");

	memset(area, 0xaa, sizeof(area));
	xsavec(APX_XCR0);
	CASE_EXPECT(!memcmp(area + 576, v, sizeof(v)), "R16 to R31 alone are not first");
	memset(area + 528, 0, 48);
	apx_load(w);
	xrstor(APX_XCR0);
	CASE_EXPECT(egprs_are(v), "XRSTOR of them alone");
	XSTATE_BV = 0;
	xrstor(APX_XCR0);
	CASE_EXPECT(egprs_are(zeros), "XRSTOR without the bit in XSTATE_BV");
	memset(area, 0xaa, sizeof(area));
	xsavec(APX_XCR0 | AVX);
	CASE_EXPECT(!(XSTATE_BV & APX_XCR0) && XCOMP_BV & APX_XCR0 && area[576 + 256] == 0xaa, "XSAVEC of zeros");
	/* A place for AVX alone: what is asked for and not there is made zero. */
	xsavec(AVX);
	memset(area + 528, 0, 48);
	apx_load(w);
	xrstor(APX_XCR0 | AVX);
	CASE_EXPECT(egprs_are(zeros), "XRSTOR of what the area has no place for");
}

static int try_xrstor(uint64_t xstate_bv, uint64_t xcomp_bv, uint8_t byte_528, uint8_t byte_575)
{
	static const uint8_t insn[] = { 0x0f, 0xae, 0x2f };	/* XRSTOR [RDI] */
	struct regs r = some_regs();

	memset(area, 0, sizeof(area));
	*(uint32_t *)(area + 24) = 0x1f80;
	XSTATE_BV = xstate_bv;
	XCOMP_BV = xcomp_bv;
	area[528] = byte_528;
	area[575] = byte_575;
	r.r[0] = APX_XCR0;
	r.r[2] = 0;
	r.r[7] = (uintptr_t)area;
	return exec(&r, insn, sizeof(insn));
}

static void xrstor_header(void)
{
	CASE_EXPECT(!try_xrstor(APX_XCR0, 0, 0, 0), "a header of the standard format");
	CASE_EXPECT(try_xrstor(APX_XCR0 | 8, 0, 0, 0) == SIGSEGV, "XSTATE_BV with MPX: no #GP");
	CASE_EXPECT(try_xrstor(APX_XCR0 | 1ull << 62, 0, 0, 0) == SIGSEGV, "XSTATE_BV with what is not enabled: no #GP");
	CASE_EXPECT(try_xrstor(APX_XCR0, APX_XCR0, 0, 0) == SIGSEGV, "XCOMP_BV without bit 63: no #GP");
	CASE_EXPECT(try_xrstor(APX_XCR0, 0, 1, 0) == SIGSEGV, "bytes 23:16 are not 0: no #GP");
	if (!has_xsavec()) {
		CASE_EXPECT(try_xrstor(APX_XCR0, COMPACTED | APX_XCR0, 0, 0) == SIGSEGV, "the compacted format without XSAVEC");
		return;
	}
	CASE_EXPECT(!try_xrstor(APX_XCR0, COMPACTED | APX_XCR0, 0, 0), "a header of the compacted format");
	CASE_EXPECT(try_xrstor(APX_XCR0, COMPACTED | AVX, 0, 0) == SIGSEGV, "XSTATE_BV without a place: no #GP");
	CASE_EXPECT(try_xrstor(APX_XCR0, COMPACTED | APX_XCR0 | 8, 0, 0) == SIGSEGV, "XCOMP_BV with MPX: no #GP");
	CASE_EXPECT(try_xrstor(APX_XCR0, COMPACTED | APX_XCR0, 1, 0) == SIGSEGV, "byte 16 is not 0: no #GP");
	CASE_EXPECT(try_xrstor(APX_XCR0, COMPACTED | APX_XCR0, 0, 1) == SIGSEGV, "byte 63 is not 0: no #GP");
}

/* --- with a kernel -------------------------------------------------------- */

#define NT_X86_XSTATE_NOTE	0x202

static uint64_t handler_saw[APX_NR_EGPRS], frame_had[APX_NR_EGPRS];

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint8_t *frame = (uint8_t *)uc->uc_mcontext.fpregs;
	uint64_t junk[APX_NR_EGPRS];
	int i;

	apx_store(handler_saw);
	memcpy(frame_had, frame + APX_XSAVE_OFFSET, sizeof(frame_had));
	apx_pattern(junk, 99);
	apx_load(junk);
	if (sig == SIGUSR2) {
		for (i = 0; i < APX_NR_EGPRS; i++)
			((uint64_t *)(frame + APX_XSAVE_OFFSET))[i] ^= 0xff;
	}
}

static void signal_frames(void)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	uint64_t v[APX_NR_EGPRS];
	int i;

	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	apx_pattern(v, 6);
	apx_load(v);
	raise(SIGUSR1);
	CASE_EXPECT(egprs_are(v), "a signal's handler has left its values behind");
	CASE_EXPECT(!memcmp(frame_had, v, sizeof(v)), "the signal's frame has other values");
	CASE_EXPECT(!memcmp(handler_saw, zeros, sizeof(zeros)), "a handler does not begin with zeros");
	raise(SIGUSR2);
	for (i = 0; i < APX_NR_EGPRS; i++)
		v[i] ^= 0xff;
	CASE_EXPECT(egprs_are(v), "a change in the signal's frame has no effect");
}

/* A stretch of time in which others run on this CPU; how often the values were not ours. */
static long hold(uint64_t seed)
{
	uint64_t v[APX_NR_EGPRS];
	int spin;
	long bad = 0;
	int i;

	apx_pattern(v, seed);
	apx_load(v);
	for (i = 0; i < 200; i++) {
		for (spin = 0; spin < 2000; spin++)
			asm volatile("");
		sched_yield();
		bad += !egprs_are(v);
	}
	return bad;
}

static void *hold_in_thread(void *seed)
{
	return (void *)hold((uintptr_t)seed);
}

static void tasks(void)
{
	uint64_t v[APX_NR_EGPRS];
	pthread_t threads[6];
	pid_t children[6];
	void *bad;
	int status;
	long i;

	apx_pattern(v, 7);
	apx_load(v);
	children[0] = fork();
	if (!children[0])
		_exit(!egprs_are(v));
	waitpid(children[0], &status, 0);
	CASE_EXPECT(!status, "a child has not inherited the values: %#x", status);

	for (i = 0; i < 6; i++) {
		children[i] = fork();
		if (!children[i])
			_exit(hold(100 + i) ? 1 : 0);
	}
	for (i = 0; i < 6; i++)
		pthread_create(&threads[i], NULL, hold_in_thread, (void *)(50 + i));
	for (i = 0; i < 6; i++) {
		pthread_join(threads[i], &bad);
		CASE_EXPECT(!bad, "thread %ld: %ld times other values", i, (long)bad);
		waitpid(children[i], &status, 0);
		CASE_EXPECT(!status, "process %ld: other values, %#x", i, status);
	}
}

static void traced(void)
{
	uint64_t v[APX_NR_EGPRS], want[APX_NR_EGPRS];
	struct iovec io = { area, sizeof(area) };
	int status;
	pid_t pid;

	apx_pattern(v, 8);
	memcpy(want, v, sizeof(v));
	want[3] = 0x1234;
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		apx_load(v);
		raise(SIGSTOP);
		_exit(!egprs_are(want));
	}
	waitpid(pid, &status, 0);
	CASE_EXPECT(!ptrace(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE_NOTE, &io) &&
		    !memcmp(area + APX_XSAVE_OFFSET, v, sizeof(v)), "PTRACE_GETREGSET");
	memcpy(area + APX_XSAVE_OFFSET, want, sizeof(want));
	CASE_EXPECT(!ptrace(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE_NOTE, &io), "PTRACE_SETREGSET: %m");
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	CASE_EXPECT(!status, "the tracee has not got what PTRACE_SETREGSET gave it: %#x", status);
}

static const struct witness_case cases_on[] = {
	{ "enumerated", "CPUID and XCR0: APX, its state for XSAVE, no MPX, no EVEX", NULL, enumerated },
	{ "mov_between_all", "MOV from each register to each, and no other changes", NULL, mov_between_all },
	{ "all_as_base", "each register as a base", NULL, all_as_base },
	{ "all_as_index", "each register as an index, with each as the base", NULL, all_as_index },
	{ "base_of_modrm_mod_0", "RIP-relative and SIB forms by the low three bits", NULL, base_of_modrm_mod_0 },
	{ "sizes", "operands of 8, 16, 32 and 64 bits, no AH to BH", NULL, sizes },
	{ "instructions", "instructions of maps 0 and 1 do what they do with REX", NULL, instructions },
	{ "other_instructions", "stack, branches, vector registers, x87", NULL, other_instructions },
	{ "jmpabs", "JMPABS, and with what it is #UD", NULL, jmpabs },
	{ "barred_opcodes", "#UD for rows 4, 7, A, E of map 0, 3 and 8 of map 1, prefixes and escapes", NULL, barred_opcodes },
	{ "barred_instructions", "#UD for XSAVE and the like, LOCK, CR16", NULL, barred_instructions },
	{ "prefixes", "what may come before REX2 and behind it", NULL, prefixes },
	{ "at_the_end_of_a_page", "a page fault comes before #UD; an instruction has 15 bytes", NULL, at_the_end_of_a_page },
	{ "compat_mode_aad", "D5 is AAD in compatibility mode", NULL, compat_mode_aad },
	{ "counted", "the processor counts instructions with REX2, but not what is #UD", NULL, counted },
	{ "xsave_standard", "XSAVE, XSAVEOPT and XRSTOR in the standard format", NULL, xsave_standard },
	{ "xinuse_of_each", "one register that is not 0 is in use", NULL, xinuse_of_each },
	{ "xrstor_in_one_block", "XRSTOR's registers are seen right behind it, and XSAVE sees those before it", NULL,
	  xrstor_in_one_block },
	{ "xsave_compacted", "XSAVEC and XRSTOR in the compacted format", NULL, xsave_compacted },
	{ "xrstor_header", "#GP for headers that are wrong", NULL, xrstor_header },
	{ "signal_frames", "a signal's frame has the registers, its handler begins with zeros", NULL, signal_frames },
	{ "tasks", "each task has its own, on two CPUs", NULL, tasks },
	{ "traced", "ptrace reads and writes them", NULL, traced },
};

/* --- APX off -------------------------------------------------------------- */

static void off_is_off(void)
{
	CASE_EXPECT(!(xgetbv(0) & APX_XCR0), "XCR0 is %#llx", (unsigned long long)xgetbv(0));
}

static void off_ud(void)
{
	uint8_t code[] = { REX2, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0 };
	struct regs r;
	int op, bits;

	for (op = 0; op < 256; op++) {
		for (bits = 0; bits < 256; bits += 51) {
			r = some_regs();
			code[1] = bits;
			code[2] = op;
			CASE_EXPECT(exec(&r, code, sizeof(code)) == SIGILL, "REX2 %#x, opcode %#x: no #UD", bits, op);
		}
	}
	r = some_regs();
	CASE_EXPECT(EXEC(&r, 0x66, REX2_MOV(16, 17)) == SIGILL, "66 REX2");
	CASE_EXPECT(EXEC(&r, REX2_O(REX2_W, 0x50, 31)) == SIGILL, "PUSHP");
}

static void off_xsave(void)
{
	memset(area, 0xaa, sizeof(area));
	memset(area + 512, 0, 64);
	xsave(APX_XCR0);
	CASE_EXPECT(!XSTATE_BV && area[APX_XSAVE_OFFSET] == 0xaa, "XSAVE writes R16 to R31");
	CASE_EXPECT(try_xrstor(APX_XCR0, 0, 0, 0) == SIGSEGV, "XSTATE_BV with APX: no #GP");
	if (has_xsavec())
		CASE_EXPECT(try_xrstor(0, COMPACTED | APX_XCR0, 0, 0) == SIGSEGV, "XCOMP_BV with APX: no #GP");
	CASE_EXPECT(!try_xrstor(0, 0, 0, 0), "XRSTOR of nothing");
}

static const struct witness_case cases_off[] = {
	{ "off_is_off", "XCR0.APX is clear", NULL, off_is_off },
	{ "off_ud", "REX2 is #UD, with whatever behind it, and no AAD", NULL, off_ud },
	{ "off_xsave", "XSAVE writes nothing of it, XRSTOR takes nothing", NULL, off_xsave },
	{ "off_compat_mode_aad", "D5 is AAD in compatibility mode", NULL, compat_mode_aad },
};

int main(int argc, char **argv)
{
	static const struct witness_test on = {
		.name = "apx_on",
		.setup = setup_on,
		.cases = cases_on,
		.nr_cases = ARRAY_SIZE(cases_on),
	};
	static const struct witness_test off = {
		.name = "apx_off",
		.append = "clearcpuid=681",	/* X86_FEATURE_APX, which has no name */
		.setup = setup,
		.cases = cases_off,
		.nr_cases = ARRAY_SIZE(cases_off),
	};
	size_t len = strlen(argv[0]);

	return witness_main(len > 4 && !strcmp(argv[0] + len - 4, "_off") ? &off : &on, argc, argv);
}
