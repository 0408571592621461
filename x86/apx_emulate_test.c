// SPDX-License-Identifier: GPL-2.0-only
/*
 * R16 to R31 in instructions that KVM emulates: MMIO, moves to CRs and DRs, and by the
 * forced emulation prefix anything else.
 *
 * Whoever leaves the registers in the processor, as XSAVE state that a context switch
 * saves, passes apx_switch_test on a kernel that does not touch them.  Here KVM has to find
 * a guest's value by its number, and the decoder the number's fifth bit, three times.
 */
#include <string.h>

#include "apx_guest.h"
#include "case.h"

static u64 egprs[APX_NR_EGPRS];

/* A case's guest has its results here, in the order of what it tries. */
#define MANY	64
static u64 result[MANY];

static void setup(void)
{
	apx_need();
}

static struct kvm_vcpu *begin(void (*code)(void), u64 seed)
{
	struct kvm_vcpu *vcpu;

	apx_vm_create(&vcpu, 1, code);
	apx_pattern(egprs, seed);
	sync_global_to_guest(vcpu->vm, egprs);
	return vcpu;
}

static void finish(struct kvm_vcpu *vcpu)
{
	while (apx_run(vcpu, 0))
		;
	sync_global_from_guest(vcpu->vm, result);
	sync_global_from_guest(vcpu->vm, egprs);
}

/* The next exit is this access. */
static void expect_mmio(struct kvm_vcpu *vcpu, bool write, u64 offset, unsigned int len, u64 data)
{
	struct kvm_run *run = vcpu->run;
	u64 got = 0;

	vcpu_run(vcpu);
	CASE_EXPECT(run->exit_reason == KVM_EXIT_MMIO, "want MMIO at %#llx, KVM_RUN ends with %s",
		    (unsigned long long)offset, exit_reason_str(run->exit_reason));
	CASE_EXPECT(run->mmio.phys_addr == APX_MMIO + offset && run->mmio.len == len && run->mmio.is_write == write,
		    "%s of %u bytes at %#llx, want %s of %u at %#llx", run->mmio.is_write ? "write" : "read", run->mmio.len,
		    (unsigned long long)run->mmio.phys_addr, write ? "write" : "read", len,
		    (unsigned long long)(APX_MMIO + offset));
	if (!write) {
		memcpy(run->mmio.data, &data, len);
		return;
	}
	memcpy(&got, run->mmio.data, len);
	CASE_EXPECT(got == data, "writes %#llx at %#llx, want %#llx", (unsigned long long)got, (unsigned long long)offset,
		    (unsigned long long)data);
}

/* --- MMIO ----------------------------------------------------------------- */

static void storing_guest(void)
{
	apx_load(egprs);
	apx_store((u64 *)APX_MMIO);
	GUEST_DONE();
}

static void mmio_store(void)
{
	struct kvm_vcpu *vcpu = begin(storing_guest, 1);
	int i;

	for (i = 0; i < APX_NR_EGPRS; i++)
		expect_mmio(vcpu, true, i * 8, 8, egprs[i]);
	finish(vcpu);
}

static void loading_guest(void)
{
	apx_load((u64 *)APX_MMIO);
	apx_store(egprs);
	GUEST_DONE();
}

static void mmio_load(void)
{
	struct kvm_vcpu *vcpu = begin(loading_guest, 2);
	u64 want[APX_NR_EGPRS];
	int i;

	apx_pattern(want, 3);
	for (i = 0; i < APX_NR_EGPRS; i++)
		expect_mmio(vcpu, false, i * 8, 8, want[i]);
	finish(vcpu);
	for (i = 0; i < APX_NR_EGPRS; i++)
		CASE_EXPECT(egprs[i] == want[i], "R%d is %#llx, read was %#llx", i + 16,
			    (unsigned long long)egprs[i], (unsigned long long)want[i]);
}

/* All but one are far from the page of MMIO, so that a lost bit is another address. */
static __always_inline void load_address(u64 reg, u64 value, u64 reg2, u64 value2)
{
	u64 v[APX_NR_EGPRS];

	apx_pattern(v, 4);
	v[reg - 16] = value;
	v[reg2 - 16] = value2;
	apx_load(v);
}

static void addressing_guest(void)
{
	load_address(16, APX_MMIO, 17, 3);
	asm volatile(REX2_ASM(REX2_RX(0, 0x89, 6, 16, 17, 3, 8)) : : "S"(1) : "memory");
	load_address(31, APX_MMIO, 28, 5);
	asm volatile(REX2_ASM(REX2_RX(0, 0x89, 6, 31, 28, 2, 16)) : : "S"(2) : "memory");
	load_address(20, APX_MMIO + 0x100, 21, 0x10);
	asm volatile(REX2_ASM(REX2_RX(0, 0x89, 6, 20, 21, 0, -16)) : : "S"(3) : "memory");
	load_address(29, APX_MMIO + 0x200, 20, 2);
	asm volatile(REX2_ASM(REX2_RX(0, 0x89, 6, 29, 20, 1, 0)) : : "S"(4) : "memory");
	load_address(23, APX_MMIO + 0x300, 24, 0);
	asm volatile(REX2_ASM(REX2_RM(0, 0x89, 6, 23, 4)) : : "S"(5) : "memory");
	/* Only the index is one of them. */
	load_address(18, 7, 19, 0);
	asm volatile(REX2_ASM(REX2_RX(0, 0x89, 6, 1, 18, 2, 0)) : : "S"(6), "c"(APX_MMIO) : "memory");
	GUEST_DONE();
}

static void mmio_address(void)
{
	struct kvm_vcpu *vcpu = begin(addressing_guest, 5);

	expect_mmio(vcpu, true, 3 * 8 + 8, 4, 1);
	expect_mmio(vcpu, true, 5 * 4 + 16, 4, 2);
	expect_mmio(vcpu, true, 0x100, 4, 3);
	expect_mmio(vcpu, true, 0x204, 4, 4);
	expect_mmio(vcpu, true, 0x304, 4, 5);
	expect_mmio(vcpu, true, 7 * 4, 4, 6);
}

/* Bytes, words, and map 1. */
static void sizes_guest(void)
{
	u64 v[APX_NR_EGPRS];

	apx_load(egprs);
	asm volatile(REX2_ASM(REX2_RM(0, 0x88, 25, 1, 0)) : : "c"(APX_MMIO) : "memory");	/* MOV byte */
	asm volatile(".byte 0x66\n\t" REX2_ASM(REX2_RM(0, 0x89, 26, 1, 8)) : : "c"(APX_MMIO) : "memory");
	asm volatile(REX2_ASM(REX2_RM(0, 0x89, 27, 1, 16)) : : "c"(APX_MMIO) : "memory");
	asm volatile(REX2_ASM(REX2_RM(REX2_M0, 0xb6, 28, 1, 24)) : : "c"(APX_MMIO) : "memory");	/* MOVZX byte */
	asm volatile(REX2_ASM(REX2_RM(REX2_M0 | REX2_W, 0xbf, 29, 1, 32)) : : "c"(APX_MMIO) : "memory");	/* MOVSX word */
	asm volatile(REX2_ASM(REX2_RM(0, 0x8b, 30, 1, 40)) : : "c"(APX_MMIO) : "memory");
	asm volatile(REX2_ASM(REX2_RM(0, 0x8a, 31, 1, 48)) : : "c"(APX_MMIO) : "memory");
	apx_store(v);
	memcpy(egprs, v, sizeof(v));
	GUEST_DONE();
}

static void mmio_sizes(void)
{
	struct kvm_vcpu *vcpu = begin(sizes_guest, 6);
	u64 was[APX_NR_EGPRS];

	memcpy(was, egprs, sizeof(was));
	expect_mmio(vcpu, true, 0, 1, was[25 - 16] & 0xff);
	expect_mmio(vcpu, true, 8, 2, was[26 - 16] & 0xffff);
	expect_mmio(vcpu, true, 16, 4, was[27 - 16] & 0xffffffff);
	expect_mmio(vcpu, false, 24, 1, 0xfe);
	expect_mmio(vcpu, false, 32, 2, 0xfedc);
	expect_mmio(vcpu, false, 40, 4, 0xfedcba98);
	expect_mmio(vcpu, false, 48, 1, 0x77);
	finish(vcpu);
	CASE_EXPECT(egprs[12] == 0xfe, "MOVZX R28D: %#llx", (unsigned long long)egprs[12]);
	CASE_EXPECT(egprs[13] == 0xfffffffffffffedc, "MOVSX R29: %#llx", (unsigned long long)egprs[13]);
	CASE_EXPECT(egprs[14] == 0xfedcba98, "MOV R30D: %#llx", (unsigned long long)egprs[14]);
	CASE_EXPECT(egprs[15] == ((was[15] & ~0xffull) | 0x77), "MOV R31B: %#llx", (unsigned long long)egprs[15]);
}

/* --- strings of ports ----------------------------------------------------- */

#define STRING_PORT	0x5f00
#define STRING_LEN	8

static char string_out[] = "of APX ", string_in[STRING_LEN];

/* They have no register of ModRM; the prefix is as legal as with any other of their row. */
static void strings_guest(void)
{
	const char *from = string_out;
	char *to = string_in;
	u64 n = STRING_LEN, v[APX_NR_EGPRS];

	apx_load(egprs);
	asm volatile(".byte 0xf3\n\t" REX2_ASM(REX2_O(0, 0x6e, 16)) : "+S"(from), "+c"(n) : "d"(STRING_PORT) : "memory");
	result[0] = from - string_out + n;
	n = STRING_LEN;
	asm volatile(".byte 0xf3\n\t" REX2_ASM(REX2_O(0, 0x6c, 24)) : "+D"(to), "+c"(n) : "d"(STRING_PORT) : "memory");
	result[1] = to - string_in + n;
	apx_store(v);
	memcpy(egprs, v, sizeof(v));
	GUEST_DONE();
}

/* Exchanges bytes with REP OUTSB and REP INSB until the guest does something else. */
static int exchange(struct kvm_vcpu *vcpu, char *out, const char *in)
{
	struct kvm_run *run = vcpu->run;
	int nr_out = 0, nr_in = 0, i;

	for (;;) {
		char *data;

		vcpu_run(vcpu);
		CASE_EXPECT(run->exit_reason == KVM_EXIT_IO, "KVM_RUN ends with %s", exit_reason_str(run->exit_reason));
		if (run->io.port != STRING_PORT)
			return nr_out * 100 + nr_in;
		data = (char *)run + run->io.data_offset;
		CASE_EXPECT(run->io.size == 1, "%u bytes at once", run->io.size);
		for (i = 0; i < run->io.count; i++) {
			bool read = run->io.direction == KVM_EXIT_IO_IN;

			CASE_EXPECT((read ? nr_in : nr_out) < STRING_LEN, "more bytes than the guest has asked for");
			if (read)
				data[i] = in[nr_in++];
			else
				out[nr_out++] = data[i];
		}
	}
}

static void port_strings(void)
{
	struct kvm_vcpu *vcpu = begin(strings_guest, 11);
	u64 was[APX_NR_EGPRS];
	char out[STRING_LEN];
	int i, n;

	memcpy(was, egprs, sizeof(was));
	n = exchange(vcpu, out, "to APX!");
	CASE_EXPECT(n == STRING_LEN * 101, "%d bytes by OUTS, %d by INS, want %d", n / 100, n % 100, STRING_LEN);
	sync_global_from_guest(vcpu->vm, string_in);
	sync_global_from_guest(vcpu->vm, result);
	sync_global_from_guest(vcpu->vm, egprs);
	CASE_EXPECT(!memcmp(out, string_out, STRING_LEN), "OUTS writes other bytes");
	CASE_EXPECT(!memcmp(string_in, "to APX!", STRING_LEN), "INS reads other bytes");
	CASE_EXPECT(result[0] == STRING_LEN && result[1] == STRING_LEN, "RSI and RDI have advanced by %llu and %llu, RCX left",
		    (unsigned long long)result[0], (unsigned long long)result[1]);
	for (i = 0; i < APX_NR_EGPRS; i++)
		CASE_EXPECT(egprs[i] == was[i], "R%d is %#llx after OUTS and INS, was %#llx", i + 16,
			    (unsigned long long)egprs[i], (unsigned long long)was[i]);
}

/* --- CRs and DRs ---------------------------------------------------------- */

static void control_guest(void)
{
	u64 v[APX_NR_EGPRS];

	apx_pattern(v, 7);
	v[18 - 16] = get_cr4() ^ X86_CR4_TSD;
	v[19 - 16] = 0x123456789000;
	apx_load(v);
	asm volatile(REX2_ASM(REX2_RR(REX2_M0, 0x22, 4, 18)) : : : "memory");	/* MOV CR4, R18 */
	result[0] = get_cr4() ^ v[18 - 16];
	asm volatile(REX2_ASM(REX2_RR(REX2_M0, 0x23, 0, 19)));			/* MOV DR0, R19 */
	asm volatile("mov %%dr0, %0" : "=r"(result[1]));
	asm volatile(REX2_ASM(REX2_RR(REX2_M0, 0x21, 0, 31)));			/* MOV R31, DR0 */
	asm volatile(REX2_ASM(REX2_RR(REX2_M0, 0x20, 4, 30)));			/* MOV R30, CR4 */
	apx_store(v);
	result[2] = v[31 - 16];
	result[3] = v[30 - 16] ^ get_cr4();
	GUEST_DONE();
}

static void control_and_debug_registers(void)
{
	struct kvm_vcpu *vcpu = begin(control_guest, 8);

	finish(vcpu);
	CASE_EXPECT(!result[0], "MOV CR4, R18: other bits are %#llx", (unsigned long long)result[0]);
	CASE_EXPECT(result[1] == 0x123456789000, "MOV DR0, R19: DR0 is %#llx", (unsigned long long)result[1]);
	CASE_EXPECT(result[2] == 0x123456789000, "MOV R31, DR0: %#llx", (unsigned long long)result[2]);
	CASE_EXPECT(!result[3], "MOV R30, CR4: other bits are %#llx", (unsigned long long)result[3]);
}

/* --- by the forced emulation prefix --------------------------------------- */

#define EMULATED(n, bytes)	(result[n] = kvm_asm_safe_fep(".byte " bytes, "a"(0)))

static void ud_guest(void)
{
	int n = 0;

	EMULATED(n++, "0xd5, 0x00, 0x90");				/* NOP */
	EMULATED(n++, "0xd5, 0x00, 0x0f, 0x0b");
	EMULATED(n++, "0xd5, 0x00, 0x26, 0x90");
	EMULATED(n++, "0xd5, 0x00, 0x48, 0x89, 0xc0");			/* REX behind it */
	EMULATED(n++, "0x48, 0xd5, 0x00, 0x89, 0xc0");			/* and before */
	EMULATED(n++, "0xd5, 0x00, 0x64, 0x90");
	EMULATED(n++, "0xd5, 0x00, 0x66, 0x90");
	EMULATED(n++, "0xd5, 0x00, 0x70, 0x00");			/* JO */
	EMULATED(n++, "0xd5, 0x08, 0xa1, 0, 0, 0, 0, 0, 0, 0, 0");	/* JMPABS with W */
	EMULATED(n++, "0xd5, 0x00, 0xa8, 0x00");			/* TEST AL */
	EMULATED(n++, "0xd5, 0x00, 0xc5, 0xf8, 0x77");			/* VEX */
	EMULATED(n++, "0xd5, 0x00, 0xd5, 0x00, 0x90");			/* REX2 */
	EMULATED(n++, "0xd5, 0x00, 0xeb, 0x00");			/* JMP */
	EMULATED(n++, "0xd5, 0x00, 0xf0, 0x90");			/* LOCK */
	EMULATED(n++, "0xd5, 0x00, 0xf3, 0x90");			/* REP */
	EMULATED(n++, "0xd5, 0x80, 0x31");				/* RDTSC */
	EMULATED(n++, "0xd5, 0x80, 0x38, 0xf0, 0x00");			/* map 2 */
	EMULATED(n++, "0xd5, 0x80, 0x80, 0, 0, 0, 0");			/* JO */
	EMULATED(n++, "0xf0, 0xd5, 0x00, 0x89, 0xc0");			/* LOCK MOV */
	EMULATED(n++, "0xd5, 0xc0, 0x20, 0xc0");			/* MOV from CR16 */
	EMULATED(n++, "0xd5, 0x80, 0xae, 0x20");			/* XSAVE */
	EMULATED(n++, "0xd5, 0x80, 0xae, 0x28");			/* XRSTOR */
	EMULATED(n++, "0xd5, 0x80, 0xae, 0x30");			/* XSAVEOPT */
	EMULATED(n++, "0xd5, 0x80, 0xc7, 0x20");			/* XSAVEC */
	EMULATED(n++, "0xd5, 0x80, 0xc7, 0x28");			/* XSAVES */
	EMULATED(n++, "0xd5, 0x80, 0xc7, 0x18");			/* XRSTORS */
	EMULATED(n++, "0x62, 0xf4, 0x7c, 0x08, 0x01, 0xc0");		/* ADD with EVEX */
	GUEST_DONE();
}

static void barred(void)
{
	struct kvm_vcpu *vcpu = begin(ud_guest, 9);
	int i;

	if (!kvm_is_forced_emulation_enabled())
		case_skip("no forced emulation: boot with kvm.force_emulation_prefix=1");
	finish(vcpu);
	CASE_EXPECT(!result[0], "NOP with REX2: vector %llu", (unsigned long long)result[0]);
	for (i = 1; i < 27; i++)
		CASE_EXPECT(result[i] == UD_VECTOR, "the %dth: vector %llu, want #UD", i, (unsigned long long)result[i]);
}

static void off_guest(void)
{
	xsetbv(0, xgetbv(0) & ~APX_XCR0);
	EMULATED(0, "0xd5, 0x00, 0x90");
	xsetbv(0, xgetbv(0) | APX_XCR0);
	set_cr4(get_cr4() & ~X86_CR4_OSXSAVE);
	EMULATED(1, "0xd5, 0x00, 0x90");
	set_cr4(get_cr4() | X86_CR4_OSXSAVE);
	EMULATED(2, "0xd5, 0x00, 0x90");
	GUEST_DONE();
}

static void emulated_while_off(void)
{
	struct kvm_vcpu *vcpu = begin(off_guest, 10);

	if (!kvm_is_forced_emulation_enabled())
		case_skip("no forced emulation: boot with kvm.force_emulation_prefix=1");
	finish(vcpu);
	CASE_EXPECT(result[0] == UD_VECTOR && result[1] == UD_VECTOR && !result[2],
		    "REX2 emulated with APX off by XCR0: vector %llu, by CR4: %llu, on: %llu", (unsigned long long)result[0],
		    (unsigned long long)result[1], (unsigned long long)result[2]);
}

static const struct witness_case cases[] = {
	{
		.name = "mmio_store",
		.verifies = "each of R16 to R31 stored to MMIO is what user space sees",
		.run = mmio_store,
	}, {
		.name = "mmio_load",
		.verifies = "each of them loaded from MMIO is what user space has given",
		.run = mmio_load,
	}, {
		.name = "mmio_address",
		.verifies = "they are base and index of an address of MMIO, with all five bits",
		.run = mmio_address,
	}, {
		.name = "mmio_sizes",
		.verifies = "bytes, words and doublewords, with and without extension, and map 1",
		.run = mmio_sizes,
	}, {
		.name = "port_strings",
		.verifies = "INS and OUTS with REX2, and R16 to R31 across them",
		.run = port_strings,
	}, {
		.name = "control_and_debug_registers",
		.verifies = "moves from and to CRs and DRs that KVM intercepts",
		.run = control_and_debug_registers,
	}, {
		.name = "barred",
		.verifies = "the emulator raises #UD for what the processor does with REX2",
		.needs = "kvm.force_emulation_prefix=1",
		.run = barred,
	}, {
		.name = "emulated_while_off",
		.verifies = "the emulator knows REX2 only while XCR0.APX and CR4.OSXSAVE are set",
		.needs = "kvm.force_emulation_prefix=1",
		.run = emulated_while_off,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "apx_emulate_test",
		.needs = "a processor with APX, and KVM that lets guests have it",
		.seed = "KVM: x86: Enable APX for guests (v4, 2026-05-11)",
		.append = "kvm.force_emulation_prefix=1",
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
