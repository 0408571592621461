// SPDX-License-Identifier: GPL-2.0-only
/*
 * include/x86/apx.h: the bytes of its macros are those that binutils 2.44 assembles, which
 * are recorded here.  It takes the shortest form where none is asked for ("{disp32}").
 */
#include "unit.h"

#include <string.h>

#include "apx.h"
#include "util.h"

struct row {
	const char *text;		/* as gas has it */
	const char *recorded;
	size_t recorded_len;
	const unsigned char *bytes;
	size_t len;
};

#define BYTES(...)	((const unsigned char []){ __VA_ARGS__ })
#define ROW(text, recorded, ...) \
	{ text, recorded, sizeof(recorded) - 1, BYTES(__VA_ARGS__), sizeof(BYTES(__VA_ARGS__)) }

static const struct row rows[] = {
	ROW("{rex2} mov %rax, %r16", "\xd5\x18\x89\xc0", REX2_MOV(16, 0)),
	ROW("{rex2} mov %r16, %rax", "\xd5\x48\x89\xc0", REX2_MOV(0, 16)),
	ROW("{rex2} mov %r16, %r31", "\xd5\x59\x89\xc7", REX2_MOV(31, 16)),
	ROW("{rex2} mov %r31, %r16", "\xd5\x5c\x89\xf8", REX2_MOV(16, 31)),
	ROW("{rex2} mov %r23, %r24", "\xd5\x59\x89\xf8", REX2_MOV(24, 23)),
	ROW("{rex2} mov %r24, %rdi", "\xd5\x4c\x89\xc7", REX2_MOV(7, 24)),
	ROW("{rex2} mov %r31, %r15", "\xd5\x4d\x89\xff", REX2_MOV(15, 31)),
	ROW("{rex2} mov %r15, %r31", "\xd5\x1d\x89\xff", REX2_MOV(31, 15)),
	ROW("{rex2} mov %r21, %r20", "\xd5\x58\x89\xec", REX2_MOV(20, 21)),
	ROW("{rex2} mov %r20, %rsp", "\xd5\x48\x89\xe4", REX2_MOV(4, 20)),
	ROW("{disp32} mov 4096(%rax), %r16", "\xd5\x48\x8b\x80\x00\x10\x00\x00", REX2_LOAD(16, 0, 4096)),
	ROW("{disp32} mov %r16, 4096(%rax)", "\xd5\x48\x89\x80\x00\x10\x00\x00", REX2_STORE(16, 0, 4096)),
	ROW("{disp32} mov 120(%rax), %r31", "\xd5\x4c\x8b\xb8\x78\x00\x00\x00", REX2_LOAD(31, 0, 120)),
	ROW("{disp32} mov %r31, 120(%rax)", "\xd5\x4c\x89\xb8\x78\x00\x00\x00", REX2_STORE(31, 0, 120)),
	ROW("{disp32} mov -4(%r29), %r23", "\xd5\x59\x8b\xbd\xfc\xff\xff\xff", REX2_LOAD(23, 29, -4)),
	ROW("{disp32} mov %r23, -4(%r29)", "\xd5\x59\x89\xbd\xfc\xff\xff\xff", REX2_STORE(23, 29, -4)),
	ROW("{disp32} mov 305419896(%r21), %rbp", "\xd5\x18\x8b\xad\x78\x56\x34\x12", REX2_LOAD(5, 21, 305419896)),
	ROW("{disp32} mov %rbp, 305419896(%r21)", "\xd5\x18\x89\xad\x78\x56\x34\x12", REX2_STORE(5, 21, 305419896)),
	ROW("{disp32} mov 128(%r31), %r24", "\xd5\x5d\x8b\x87\x80\x00\x00\x00", REX2_LOAD(24, 31, 128)),
	ROW("{disp32} mov %r24, 128(%r31)", "\xd5\x5d\x89\x87\x80\x00\x00\x00", REX2_STORE(24, 31, 128)),
	ROW("{disp32} mov 2147483647(%r16), %rax", "\xd5\x18\x8b\x80\xff\xff\xff\x7f", REX2_LOAD(0, 16, 2147483647)),
	ROW("{disp32} mov %rax, 2147483647(%r16)", "\xd5\x18\x89\x80\xff\xff\xff\x7f", REX2_STORE(0, 16, 2147483647)),
	ROW("{disp32} mov 8(%r17,%r18,8), %r16", "\xd5\x78\x8b\x84\xd1\x08\x00\x00\x00", REX2_RX(REX2_W, 0x8b, 16, 17, 18, 3, 8)),
	ROW("{disp32} mov 0(%r20,%r20,1), %rax", "\xd5\x38\x8b\x84\x24\x00\x00\x00\x00", REX2_RX(REX2_W, 0x8b, 0, 20, 20, 0, 0)),
	ROW("{disp32} mov -256(%r28,%r12,2), %r31", "\xd5\x5f\x8b\xbc\x64\x00\xff\xff\xff", REX2_RX(REX2_W, 0x8b, 31, 28, 12, 1, -256)),
	ROW("{disp32} mov 64(%rsp,%r21,4), %rdi", "\xd5\x28\x8b\xbc\xac\x40\x00\x00\x00", REX2_RX(REX2_W, 0x8b, 7, 4, 21, 2, 64)),
	ROW("{disp32} mov 1(%rbp,%r28,1), %r24", "\xd5\x6e\x8b\x84\x25\x01\x00\x00\x00", REX2_RX(REX2_W, 0x8b, 24, 5, 28, 0, 1)),
	ROW("add %r17, %r30", "\xd5\x59\x01\xce", REX2_RR(REX2_W, 0x01, 17, 30)),
	ROW("xorl %r18d, %r19d", "\xd5\x50\x31\xd3", REX2_RR(0, 0x31, 18, 19)),
	ROW("movb %r20b, %r21b", "\xd5\x50\x88\xe5", REX2_RR(0, 0x88, 20, 21)),
	ROW("imul %r22, %r23", "\xd5\xd8\xaf\xfe", REX2_RR(REX2_W | REX2_M0, 0xaf, 23, 22)),
	ROW("movzbl %r24b, %r25d", "\xd5\xd5\xb6\xc8", REX2_RR(REX2_M0, 0xb6, 25, 24)),
	ROW("movslq %r26d, %r27", "\xd5\x5d\x63\xda", REX2_RR(REX2_W, 0x63, 27, 26)),
	ROW("push %r28", "\xd5\x11\x54", REX2_O(0, 0x50, 28)),
	ROW("pop %r29", "\xd5\x11\x5d", REX2_O(0, 0x58, 29)),
	ROW("pushp %r31", "\xd5\x19\x57", REX2_O(REX2_W, 0x50, 31)),
	ROW("bswap %r25", "\xd5\x99\xc9", REX2_O(REX2_W | REX2_M0, 0xc8, 25)),
	ROW("xchg %rax, %r24", "\xd5\x19\x90", REX2_O(REX2_W, 0x90, 24)),
	ROW("neg %r30", "\xd5\x19\xf7\xde", REX2_RR(REX2_W, 0xf7, 3, 30)),
	ROW("jmp *%r16", "\xd5\x10\xff\xe0", REX2_RR(0, 0xff, 4, 16)),
	ROW("mov %cr8, %r17", "\xd5\x94\x20\xc1", REX2_RR(REX2_M0, 0x20, 8, 17)),
	ROW("mov %r18, %dr7", "\xd5\x90\x23\xfa", REX2_RR(REX2_M0, 0x23, 7, 18)),
};

static void macros_are_what_gas_makes(void **state)
{
	const struct row *r;

	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		if (r->len != r->recorded_len || memcmp(r->bytes, r->recorded, r->len))
			fail_msg("%s", r->text);
	}
}

/* What REX2_ASM() gives this assembler: nothing is called. */
static __attribute__((naked)) void load_all(void)
{
	asm(APX_LOAD_ALL);
}

static __attribute__((naked)) void store_all(void)
{
	asm(APX_STORE_ALL);
}

static void inline_assembly_has_the_same_bytes(void **state)
{
	static const unsigned char first[] = { REX2_LOAD(16, 0, 0) }, last[] = { REX2_STORE(31, 0, 120) };

	assert_memory_equal(load_all, first, sizeof(first));
	assert_memory_equal((const char *)store_all + 15 * sizeof(last), last, sizeof(last));
}

static void patterns_differ(void **state)
{
	uint64_t a[APX_NR_EGPRS], b[APX_NR_EGPRS];
	int i, j;

	apx_pattern(a, 1);
	apx_pattern(b, 2);
	for (i = 0; i < APX_NR_EGPRS; i++) {
		for (j = 0; j < APX_NR_EGPRS; j++) {
			assert_int_not_equal(a[i], b[j]);
			if (i != j)
				assert_int_not_equal(a[i], a[j]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macros_are_what_gas_makes),
		cmocka_unit_test(inline_assembly_has_the_same_bytes),
		cmocka_unit_test(patterns_differ),
	};

	return cmocka_run_group_tests_name("apx", tests, NULL, NULL);
}
