// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IMSIC of a vCPU: what is sent to it comes once, in order, as masks and thresholds
 * let it; its registers stay what they are while KVM moves them from an interrupt file
 * of one CPU to that of another, and to and from memory (an MRIF).
 *
 * Each case that can be is run with both kinds of file, from the same code: the guest
 * must not see which one it has.
 *
 * Catches: an interrupt or register that gets lost, comes back, or is another one.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "aia.h"
#include "case.h"
#include "cpu.h"
#include "sbi.h"
#include "vcpu_thread.h"

#define MRIF	KVM_DEV_RISCV_AIA_MODE_EMUL
#define HWFILE	KVM_DEV_RISCV_AIA_MODE_HWACCEL
#define AUTO	KVM_DEV_RISCV_AIA_MODE_AUTO
#define SEIP	(1UL << 9)

static int cpu[2];

static void setup(void)
{
	aia_need();
	cpu_need(cpu, 2);
}

static struct kvm_vm *vm;
static struct kvm_vcpu *vcpu;
static int aia;

static void create(int mode, void *guest)
{
	struct aia_config config = { .mode = mode };

	vm = vm_create_with_one_vcpu(&vcpu, guest);
	aia = aia_create(vm, &config);
	pin_self_to_cpu(cpu[0]);
}

static void send(unsigned int id)
{
	TEST_ASSERT(aia_signal_msi(vcpu, id) >= 0, "KVM_SIGNAL_MSI: %s", strerror(errno));
}

/* --- a guest that does as it is told -------------------------------------- */

enum todo {
	CLAIM,			/* stopei, with the claim */
	PEEK,			/* stopei */
	SEE_SEIP,		/* is SEIP set in sip? */
	READ,			/* register arg */
	WRITE,			/* register arg gets value */
};

static struct {
	enum todo todo;
	unsigned long reg, value;
} order;

static void guest_obeys(void)
{
	csr_set(CSR_SIE, SEIP);
	for (;;) {
		unsigned long ret = 0;

		switch (READ_ONCE(order.todo)) {
		case CLAIM:
			ret = imsic_claim();
			break;
		case PEEK:
			ret = imsic_peek();
			break;
		case SEE_SEIP:
			ret = !!(csr_read(CSR_SIP) & SEIP);
			break;
		case READ:
			ret = imsic_read(READ_ONCE(order.reg));
			break;
		case WRITE:
			imsic_write(READ_ONCE(order.reg), READ_ONCE(order.value));
			break;
		}
		GUEST_SYNC(ret);
	}
}

static unsigned long tell(enum todo todo, unsigned long reg, unsigned long value)
{
	struct ucall uc;

	order.todo = todo;
	order.reg = reg;
	order.value = value;
	sync_global_to_guest(vm, order);
	vcpu_run(vcpu);
	TEST_ASSERT(get_ucall(vcpu, &uc) == UCALL_SYNC, "the guest left with exit reason %u", vcpu->run->exit_reason);
	return uc.args[1];
}

#define claim()			tell(CLAIM, 0, 0)
#define peek()			tell(PEEK, 0, 0)
#define seip()			tell(SEE_SEIP, 0, 0)
#define read_reg(reg)		tell(READ, reg, 0)
#define write_reg(reg, v)	tell(WRITE, reg, v)

static void enable_all(void)
{
	unsigned int id;

	write_reg(AIA_EIDELIVERY, 1);
	for (id = 0; id <= AIA_MAX_ID; id += 64)
		write_reg(AIA_EIE(id), ~0UL);
}

static void expect_next(unsigned int want)
{
	unsigned long got = claim();

	CASE_EXPECT(got == want, "the guest claims %lu, not %u", got, want);
}

static void expect_seip(bool want, const char *when)
{
	CASE_EXPECT(seip() == want, "SEIP is %s %s", want ? "clear" : "set", when);
}

/* --- ways that an MSI takes ----------------------------------------------- */

#define MOVES	20
#define BURST	15	/* ids that are sent before they are waited for */

static struct vcpu_thread thread[2];

/* All of 1..@n, each once. */
static void expect_arrived(unsigned int n)
{
	bool all = aia_wait_claims(vcpu, n);
	unsigned int id;

	for (id = 1; id <= n; id++)
		CASE_EXPECT(aia_claims(vcpu, id) == 1, "MSI %u is claimed %u times", id, aia_claims(vcpu, id));
	CASE_EXPECT(all && aia_all_claims(vcpu) == n, "%u claims of %u MSIs", aia_all_claims(vcpu), n);
}

static void start_counting(int mode)
{
	create(mode, aia_guest_counts);
	vcpu_args_set(vcpu, 1, 0UL);
	vcpu_thread_start(&thread[0], vcpu, cpu[1]);
	aia_wait_ready(vcpu);
}

static void every_id(int mode)
{
	unsigned int id;

	start_counting(mode);
	for (id = 1; id <= AIA_MAX_ID; id++) {
		send(id);
		if (id % BURST == 0)
			expect_arrived(id);
	}
	CASE_EXPECT(aia_signal_msi(vcpu, AIA_MAX_ID + 1) < 0 && errno == EINVAL, "MSI %d is accepted", AIA_MAX_ID + 1);
	CASE_EXPECT(aia_signal_msi(vcpu, 0) < 0, "MSI 0 is accepted");
	vcpu_thread_wait_asleep(&thread[0]);
	expect_arrived(AIA_MAX_ID);
}

static void irqfd(int mode)
{
	static const unsigned int ids[] = { 1, 2, 63, 64, 65, 127, 128, 191, 254, 255 };
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry[ARRAY_SIZE(ids)];
	} table = { .head.nr = ARRAY_SIZE(ids) };
	int fd[ARRAY_SIZE(ids)];
	unsigned int i;

	create(mode, aia_guest_counts);
	vcpu_args_set(vcpu, 1, 0UL);
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		table.entry[i].gsi = i;
		table.entry[i].type = KVM_IRQ_ROUTING_MSI;
		table.entry[i].u.msi.address_lo = AIA_IMSIC_GPA(vcpu->id);
		table.entry[i].u.msi.data = ids[i];
	}
	vm_ioctl(vm, KVM_SET_GSI_ROUTING, &table.head);
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		struct kvm_irqfd bind = { .gsi = i };

		fd[i] = eventfd(0, EFD_CLOEXEC);
		bind.fd = fd[i];
		vm_ioctl(vm, KVM_IRQFD, &bind);
	}
	vcpu_thread_start(&thread[0], vcpu, cpu[1]);
	aia_wait_ready(vcpu);
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		TEST_ASSERT(!eventfd_write(fd[i], 1), "eventfd");
		CASE_EXPECT(aia_wait_claims(vcpu, i + 1) && aia_claims(vcpu, ids[i]) == 1, "MSI %u is claimed %u times",
			    ids[i], aia_claims(vcpu, ids[i]));
	}
}

/* vCPU 1 sends to vCPU 0 all ids up to the one that the host writes here. */
static unsigned int send_up_to;

static void guest_sends(void)
{
	unsigned int sent = 0;

	for (;;) {
		while (sent < READ_ONCE(send_up_to))
			imsic_send(0, ++sent);
	}
}

static void start_sender(int mode)
{
	struct aia_config config = { .mode = mode };
	struct kvm_vcpu *vcpus[2];

	vm = vm_create_with_vcpus(2, aia_guest_counts, vcpus);
	vcpu = vcpus[0];
	vcpu_args_set(vcpu, 1, 0UL);
	vcpu_arch_set_entry_point(vcpus[1], guest_sends);
	aia = aia_create(vm, &config);
	vcpu_thread_start(&thread[0], vcpu, cpu[0]);
	vcpu_thread_start(&thread[1], vcpus[1], cpu[1]);
	aia_wait_ready(vcpu);
}

static void expect_ipis(unsigned int last)
{
	unsigned int *up_to = addr_gva2hva(vm, (gva_t)&send_up_to);

	WRITE_ONCE(*up_to, last);
	expect_arrived(last);
}

static void send_ipis(int mode)
{
	unsigned int id;

	start_sender(mode);
	for (id = BURST; id <= AIA_MAX_ID; id += BURST)
		expect_ipis(id);
}

/* The sender stays in the guest and has the receiver's page in its TLB. */
static void ipi_after_move(void)
{
	unsigned int id;

	start_sender(HWFILE);
	for (id = 1; id <= MOVES; id++) {
		vcpu_thread_wait_asleep(&thread[0]);
		vcpu_thread_move(&thread[0], cpu[id & 1]);
		expect_ipis(id);
	}
}

/* Now the receiver gets a file, now there is none left where it goes. */
static void ipi_to_mrif_after_move(void)
{
	struct kvm_vm *others;
	unsigned int id, n;

	if (!aia_has_guest_files())
		case_skip("no interrupt files for guests on this host");
	others = aia_take_files(cpu[1], &n);
	start_sender(AUTO);
	for (id = 1; id <= MOVES; id++) {
		vcpu_thread_wait_asleep(&thread[0]);
		vcpu_thread_move(&thread[0], cpu[id & 1]);
		expect_ipis(id);
	}
	kvm_vm_free(others);
}

/* --- which one comes, and whether ----------------------------------------- */

static void order_of_claims(int mode)
{
	static const unsigned int ids[] = { 255, 3, 64, 130, 1, 63, 65, 2, 128, 127, 192, 4 };
	static const unsigned int sorted[] = { 1, 2, 3, 4, 63, 64, 65, 127, 128, 130, 192, 255 };
	unsigned int i;

	create(mode, guest_obeys);
	enable_all();
	expect_next(0);
	for (i = 0; i < ARRAY_SIZE(ids); i++)
		send(ids[i]);
	/* Two of a kind are one. */
	send(3);
	for (i = 0; i < ARRAY_SIZE(sorted); i++) {
		unsigned long top = peek();

		CASE_EXPECT(top == sorted[i], "stopei shows %lu, not %u", top, sorted[i]);
		expect_seip(true, "with interrupts pending");
		expect_next(sorted[i]);
	}
	expect_next(0);
	expect_seip(false, "with all claimed");
}

static void threshold(int mode)
{
	static const unsigned int ids[] = { 5, 6, 7, 69, 70, 200 };
	static const unsigned int least[] = { 5, 6, 7, 69, 70, 200, 201 };
	unsigned int i, k;

	create(mode, guest_obeys);
	enable_all();
	for (i = 0; i < ARRAY_SIZE(least); i++) {
		write_reg(AIA_EITHRESHOLD, least[i]);
		for (k = 0; k < ARRAY_SIZE(ids); k++)
			send(ids[k]);
		/* Those below come, the threshold itself and those above do not. */
		for (k = 0; k < ARRAY_SIZE(ids) && ids[k] < least[i]; k++)
			expect_next(ids[k]);
		expect_next(0);
		expect_seip(false, "with all masked by eithreshold");
		/* They come when it is taken away. */
		write_reg(AIA_EITHRESHOLD, 0);
		expect_seip(k < ARRAY_SIZE(ids), "with eithreshold 0");
		for (; k < ARRAY_SIZE(ids); k++)
			expect_next(ids[k]);
		expect_next(0);
	}
}

static void delivery(int mode)
{
	create(mode, guest_obeys);
	enable_all();
	write_reg(AIA_EIDELIVERY, 0);
	send(77);
	expect_seip(false, "with eidelivery 0");
	CASE_EXPECT(peek() == 77, "stopei depends on eidelivery");
	write_reg(AIA_EIDELIVERY, 1);
	expect_seip(true, "with eidelivery 1");
	expect_next(77);
	expect_seip(false, "with all claimed");
}

static void enabling(int mode)
{
	static const unsigned int ids[] = { 1, 62, 63, 64, 65, 128, 255 };
	unsigned int i;

	create(mode, guest_obeys);
	write_reg(AIA_EIDELIVERY, 1);
	for (i = 0; i < ARRAY_SIZE(ids); i++)
		send(ids[i]);
	expect_next(0);
	expect_seip(false, "with all disabled");
	/* One by one from the last: each is what is next, and the only one. */
	for (i = ARRAY_SIZE(ids); i--;) {
		unsigned long eie = read_reg(AIA_EIE(ids[i]));

		CASE_EXPECT(read_reg(AIA_EIP(ids[i])) & 1UL << ids[i] % 64, "%u is not pending", ids[i]);
		write_reg(AIA_EIE(ids[i]), eie | 1UL << ids[i] % 64);
		expect_seip(true, "with one enabled");
		expect_next(ids[i]);
		expect_next(0);
	}
}

/* --- registers as user space sees them ------------------------------------ */

static const struct {
	unsigned int reg;
	unsigned long value;
} some[] = {
	{ AIA_EIDELIVERY, 1 },
	{ AIA_EITHRESHOLD, 200 },
	{ AIA_EIP(0), 0x1234567890abcdeeUL },
	{ AIA_EIP(64), 0xfedcba0987654321UL },
	{ AIA_EIP(128), 0x0f0f00ff12481248UL },
	{ AIA_EIP(192), 0x8000000000000001UL },
	{ AIA_EIE(0), 0xfedcba9876543210UL },
	{ AIA_EIE(64), 0x0123456789abcdefUL },
	{ AIA_EIE(128), 0x5555aaaa5555aaaaUL },
	{ AIA_EIE(192), 0xc000000000000003UL },
};

static void expect_as_the_guest_wrote(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(some); i++) {
		unsigned long got = aia_imsic_get(aia, vcpu, some[i].reg);

		CASE_EXPECT(got == some[i].value, "register %#x is %#lx for user space, the guest wrote %#lx",
			    some[i].reg, got, some[i].value);
	}
}

static void expect_guest_reads(const char *when)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(some); i++) {
		unsigned long got = read_reg(some[i].reg);

		CASE_EXPECT(got == some[i].value, "register %#x is %#lx for the guest %s, not %#lx", some[i].reg, got,
			    when, some[i].value);
	}
}

/* All that @some has pending and enabled below its threshold, in order. */
static void expect_some_claimed(void)
{
	unsigned int id;

	expect_seip(true, "with interrupts pending");
	for (id = 1; id < 200; id++) {
		if (some[2 + id / 64].value & some[6 + id / 64].value & 1UL << id % 64)
			expect_next(id);
	}
	expect_next(0);
	expect_seip(false, "with all claimed");
}

static void write_some(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(some); i++)
		write_reg(some[i].reg, some[i].value);
}

static void attributes(int mode)
{
	unsigned int i;

	create(mode, guest_obeys);
	write_some();
	/* The file is on the CPU that the vCPU ran on, this thread on another. */
	pin_self_to_cpu(cpu[1]);
	expect_as_the_guest_wrote();
	for (i = 0; i < ARRAY_SIZE(some); i++)
		aia_imsic_set(aia, vcpu, some[i].reg, 0);
	pin_self_to_cpu(cpu[0]);
	CASE_EXPECT(!read_reg(AIA_EITHRESHOLD) && !peek(), "the guest does not see that user space has cleared its registers");
	expect_seip(false, "after user space has cleared all");
	pin_self_to_cpu(cpu[1]);
	for (i = ARRAY_SIZE(some); i--;)
		aia_imsic_set(aia, vcpu, some[i].reg, some[i].value);
	pin_self_to_cpu(cpu[0]);
	expect_guest_reads("as user space wrote them");
	expect_some_claimed();
}

/* --- from file to file ---------------------------------------------------- */

/* Does the guest have a file of a CPU's? */
static bool has_file(void)
{
	uint64_t before = aia_emulated(vcpu);

	peek();
	return aia_emulated(vcpu) == before;
}

static void move_between_files(void)
{
	unsigned int i;

	create(HWFILE, guest_obeys);
	write_some();
	for (i = 0; i < 6; i++) {
		pin_self_to_cpu(cpu[!(i & 1)]);
		expect_guest_reads("after a move");
		TEST_ASSERT(has_file(), "the vCPU has no interrupt file");
	}
	expect_some_claimed();
	/* Nothing that was claimed is there again. */
	pin_self_to_cpu(cpu[1]);
	expect_next(0);
	expect_seip(false, "after a move with all claimed");
}

/* The second CPU has no file left. */
static void create_with_files_taken(struct kvm_vm **others)
{
	unsigned int n;

	if (!aia_has_guest_files())
		case_skip("no interrupt files for guests on this host");
	*others = aia_take_files(cpu[1], &n);
	create(AUTO, guest_obeys);
}

static void move_to_mrif(void)
{
	struct kvm_vm *others;

	create_with_files_taken(&others);
	write_some();
	TEST_ASSERT(has_file(), "the vCPU has no interrupt file");
	pin_self_to_cpu(cpu[1]);
	/* First of all: has it been told? */
	expect_seip(true, "after a move with interrupts pending");
	TEST_ASSERT(!has_file(), "there was an interrupt file left on CPU %d", cpu[1]);
	expect_guest_reads("without a file");
	expect_some_claimed();
	send(9);
	expect_next(9);
}

static void move_to_file(void)
{
	struct kvm_vm *others;

	create_with_files_taken(&others);
	pin_self_to_cpu(cpu[1]);
	write_some();
	TEST_ASSERT(!has_file(), "there was an interrupt file left on CPU %d", cpu[1]);
	pin_self_to_cpu(cpu[0]);
	expect_guest_reads("with a file");
	TEST_ASSERT(has_file(), "the vCPU has no interrupt file");
	expect_some_claimed();
	/* Back without a file: what was claimed stays claimed. */
	pin_self_to_cpu(cpu[1]);
	expect_next(0);
	expect_seip(false, "after a move with all claimed");
	/* The first that is left goes to the vCPU, where it is. */
	kvm_vm_free(others);
	send(9);
	expect_next(9);
	CASE_EXPECT(has_file(), "the vCPU does not get the file that has become free on its CPU");
}

/* --- the life of a hart --------------------------------------------------- */

static void set_state(uint32_t state)
{
	struct kvm_mp_state s = { .mp_state = state };

	vcpu_mp_state_set(vcpu, &s);
}

/* Reset by user space, on the CPU with the file and on another one. */
static void reset_hart(int mode)
{
	unsigned long pc, sp, gp;
	unsigned int i, round;

	create(mode, guest_obeys);
	vm_enable_cap(vm, KVM_CAP_RISCV_MP_STATE_RESET, 0);
	pc = vcpu_get_reg(vcpu, RISCV_CORE_REG(regs.pc));
	sp = vcpu_get_reg(vcpu, RISCV_CORE_REG(regs.sp));
	gp = vcpu_get_reg(vcpu, RISCV_CORE_REG(regs.gp));
	for (round = 0; round < 2; round++) {
		unsigned long satp = vcpu_get_reg(vcpu, RISCV_GENERAL_CSR_REG(satp));

		write_some();
		pin_self_to_cpu(cpu[round]);
		set_state(KVM_MP_STATE_INIT_RECEIVED);
		for (i = 0; i < ARRAY_SIZE(some); i++)
			CASE_EXPECT(!aia_imsic_get(aia, vcpu, some[i].reg), "register %#x is %#lx after a reset",
				    some[i].reg, aia_imsic_get(aia, vcpu, some[i].reg));
		pin_self_to_cpu(cpu[0]);
		set_state(KVM_MP_STATE_RUNNABLE);
		vcpu_set_reg(vcpu, RISCV_CORE_REG(regs.pc), pc);
		vcpu_set_reg(vcpu, RISCV_CORE_REG(regs.sp), sp);
		vcpu_set_reg(vcpu, RISCV_CORE_REG(regs.gp), gp);
		vcpu_set_reg(vcpu, RISCV_GENERAL_CSR_REG(satp), satp);
		CASE_EXPECT(!read_reg(AIA_EIE(0)), "the guest has enabled interrupts after a reset");
		expect_seip(false, "after a reset");
		enable_all();
		expect_next(0);
		send(100);
		expect_next(100);
	}
}

/* Stopped, not reset: it is user space's own business to do either. */
static void stopped(int mode)
{
	create(mode, guest_obeys);
	enable_all();
	set_state(KVM_MP_STATE_STOPPED);
	send(11);
	send(111);
	pin_self_to_cpu(cpu[1]);
	set_state(KVM_MP_STATE_RUNNABLE);
	expect_seip(true, "for what came while the hart was stopped");
	expect_next(11);
	expect_next(111);
	expect_next(0);
}

#define BOTH(what)							\
static void what##_mrif(void)						\
{									\
	what(MRIF);							\
}									\
									\
static void what##_file(void)						\
{									\
	what(HWFILE);							\
}

BOTH(every_id)
BOTH(irqfd)
BOTH(send_ipis)
BOTH(order_of_claims)
BOTH(threshold)
BOTH(delivery)
BOTH(enabling)
BOTH(attributes)
BOTH(reset_hart)
BOTH(stopped)

#define ON_MRIF(n, what, text)						\
{									\
	.name = n "_mrif",						\
	.verifies = text " (MRIF)",					\
	.run = what##_mrif,						\
}

#define ON_FILE(n, what, text)						\
{									\
	.name = n "_file",						\
	.verifies = text " (interrupt file)",				\
	.needs = "AIA with interrupt files for guests",			\
	.run = what##_file,						\
}

#define EVERY_ID	"each interrupt that there is comes by KVM_SIGNAL_MSI to a vCPU that sleeps, once; others are refused"
#define IRQFD	"an eventfd's MSI comes, once"
#define IPI	"each interrupt that another vCPU stores to the IMSIC's page comes, once"
#define ORDER	"the lowest number comes first, stopei shows it, a claim takes it and no other"
#define THRESHOLD	"eithreshold masks its own number and those above until it is taken away"
#define DELIVERY	"eidelivery 0 keeps SEIP clear, and nothing else"
#define ENABLE	"a disabled interrupt stays pending until it is enabled"
#define ATTRIBUTES	"user space reads and writes what the guest does, from any CPU"
#define RESET	"a reset clears all registers, wherever they are"
#define STOPPED	"MSIs to a stopped hart are pending when it runs again"

static const struct witness_case cases[] = {
	ON_MRIF("every_id", every_id, EVERY_ID),
	ON_FILE("every_id", every_id, EVERY_ID),
	ON_MRIF("irqfd", irqfd, IRQFD),
	ON_FILE("irqfd", irqfd, IRQFD),
	ON_MRIF("ipi", send_ipis, IPI),
	ON_FILE("ipi", send_ipis, IPI),
	ON_MRIF("order", order_of_claims, ORDER),
	ON_FILE("order", order_of_claims, ORDER),
	ON_MRIF("threshold", threshold, THRESHOLD),
	ON_FILE("threshold", threshold, THRESHOLD),
	ON_MRIF("delivery", delivery, DELIVERY),
	ON_FILE("delivery", delivery, DELIVERY),
	ON_MRIF("enable", enabling, ENABLE),
	ON_FILE("enable", enabling, ENABLE),
	ON_MRIF("attributes", attributes, ATTRIBUTES),
	ON_FILE("attributes", attributes, ATTRIBUTES),
	ON_MRIF("reset", reset_hart, RESET),
	ON_FILE("reset", reset_hart, RESET),
	ON_MRIF("stopped", stopped, STOPPED),
	ON_FILE("stopped", stopped, STOPPED),
	{
		.name = "move_between_files",
		.verifies = "all registers move with the vCPU from the file of one CPU to that of another",
		.needs = "AIA with interrupt files for guests",
		.run = move_between_files,
	}, {
		.name = "move_to_mrif",
		.verifies = "they move to memory where the CPU has no file left, and what is pending is delivered",
		.needs = "AIA with interrupt files for guests",
		.run = move_to_mrif,
	}, {
		.name = "move_to_file",
		.verifies = "they move from memory to the file of a CPU that has one, and do not stay in memory",
		.needs = "AIA with interrupt files for guests",
		.run = move_to_file,
	}, {
		.name = "ipi_after_move",
		.verifies = "a store to the page of an IMSIC comes after its file has moved, from a vCPU that never left the guest",
		.needs = "AIA with interrupt files for guests",
		.run = ipi_after_move,
	}, {
		.name = "ipi_to_mrif_after_move",
		.verifies = "so it does after the vCPU has lost its file, and got one again",
		.needs = "AIA with interrupt files for guests",
		.run = ipi_to_mrif_after_move,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "aia_imsic_test",
		.needs = "AIA, two CPUs",
		.seed = "RISC-V: KVM: Read HGEIP CSR on the correct cpu (2025-10)",
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
