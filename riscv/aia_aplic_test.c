// SPDX-License-Identifier: GPL-2.0-only
/*
 * The APLIC of a guest: wires (KVM_IRQ_LINE, irqfd) that become MSIs, as its registers say.
 *
 * Catches: an edge or level that is seen where there is none, or twice; an interrupt
 * that outlives its cause; one that is not sent again though the device still wants
 * it; MSIs to another hart or with another number.  In 7.3 a released level stays
 * pending, one that is told twice is sent twice, inactive sources are pending and
 * enabled, detached ones have an input, and an irqfd works once.
 *
 * Most cases use the registers as attributes of KVM's device, and find the MSIs in eip
 * of a vCPU that never runs; guest_registers and level_handler see the same from a guest.
 */
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "aia.h"
#include "case.h"

#define SOURCES	95	/* three words of them: the last has no bit in common with the first */

static struct kvm_vcpu *vcpus[2];
static struct kvm_vm *vm;
static int aia;

static void create(int mode, void (*code)(void))
{
	struct aia_config config = { .mode = mode, .sources = SOURCES };

	vm = vm_create_with_vcpus(2, code, vcpus);
	aia = aia_create(vm, &config);
}

static void set(unsigned int offset, uint32_t value)
{
	aia_aplic_set(aia, offset, value);
}

static uint32_t get(unsigned int offset)
{
	return aia_aplic_get(aia, offset);
}

static uint32_t bit(unsigned int source)
{
	return 1u << source % 32;
}

static bool is_pending(unsigned int source)
{
	return get(APLIC_SETIP(source)) & bit(source);
}

static bool is_enabled(unsigned int source)
{
	return get(APLIC_SETIE(source)) & bit(source);
}

/* Makes it active, its MSIs go to vCPU 0 under its own number; it is not enabled. */
static void configure(unsigned int source, uint32_t mode)
{
	set(APLIC_SOURCECFG(source), mode);
	set(APLIC_TARGET(source), APLIC_MSI(0, source));
	/* A new mode may make it pending or not. */
	set(APLIC_CLRIPNUM, source);
}

static void enable(unsigned int source)
{
	set(APLIC_SETIENUM, source);
}

/* Whether this MSI has arrived since it was last asked for. */
static bool arrived_at(struct kvm_vcpu *vcpu, unsigned int id)
{
	unsigned long eip = aia_imsic_get(aia, vcpu, AIA_EIP(id));

	/* Writing what was read would take away an MSI that has come since. */
	if (!(eip & 1UL << id % 64))
		return false;
	aia_imsic_set(aia, vcpu, AIA_EIP(id), eip & ~(1UL << id % 64));
	return true;
}

static bool arrived(unsigned int source)
{
	return arrived_at(vcpus[0], source);
}

/* A VM with one active source, enabled, of a domain that delivers. */
static void create_with(unsigned int source, uint32_t mode)
{
	create(KVM_DEV_RISCV_AIA_MODE_EMUL, NULL);
	set(APLIC_DOMAINCFG, APLIC_DOMAINCFG_ON);
	configure(source, mode);
	enable(source);
	TEST_ASSERT(!arrived(source), "an MSI before anything happens");
}

/* --- what a wire does ------------------------------------------------------ */

/* Moves the wire to one level after the other; wanted has a 1 where an MSI is sent. */
static void follow(uint32_t mode, const char *levels, const char *wanted)
{
	unsigned int i;

	create_with(7, mode);
	for (i = 0; levels[i]; i++) {
		bool msi;

		kvm_irq_line(vm, 7, levels[i] == '1');
		msi = arrived(7);
		CASE_EXPECT(msi == (wanted[i] == '1'), "mode %u, wire %s: %s at place %u",
			    mode, levels, msi ? "an MSI" : "no MSI", i);
		CASE_EXPECT(!is_pending(7),
			    "mode %u, wire %s: pending at place %u, though it was sent",
			    mode, levels, i);
	}
}

static void edge_rise(void)
{
	follow(APLIC_EDGE_RISE, "0110010", "0100010");
}

static void edge_fall(void)
{
	follow(APLIC_EDGE_FALL, "0110010", "0001001");
}

static void level_high(void)
{
	follow(APLIC_LEVEL_HIGH, "010010", "010010");
}

static void level_low(void)
{
	follow(APLIC_LEVEL_LOW, "10101", "01010");
}

static void level_asserted_twice(void)
{
	follow(APLIC_LEVEL_HIGH, "1101", "1001");
}

static void no_wire(void)
{
	follow(APLIC_INACTIVE, "0110", "0000");
	follow(APLIC_DETACHED, "0110", "0000");
}

/* Interrupts by source 7 while it is masked, by itself or by the whole domain. */
static void hold(uint32_t mode, bool by_domain)
{
	kvm_irq_line(vm, 7, mode == APLIC_EDGE_FALL || mode == APLIC_LEVEL_LOW);
	configure(7, mode);
	enable(7);
	(void)arrived(7);
	if (by_domain)
		set(APLIC_DOMAINCFG, APLIC_DOMAINCFG_OFF);
	else
		set(APLIC_CLRIENUM, 7);

	kvm_irq_line(vm, 7, mode == APLIC_EDGE_RISE || mode == APLIC_LEVEL_HIGH);
	CASE_EXPECT(!arrived(7), "mode %u: an MSI though it is masked", mode);
	CASE_EXPECT(is_pending(7), "mode %u: not pending while it is masked", mode);
}

static void unmask(void)
{
	set(APLIC_DOMAINCFG, APLIC_DOMAINCFG_ON);
	enable(7);
}

static void masked(void)
{
	uint32_t mode;
	int by_domain;

	create_with(7, APLIC_EDGE_RISE);
	for (mode = APLIC_EDGE_RISE; mode <= APLIC_LEVEL_LOW; mode++) {
		for (by_domain = 0; by_domain < 2; by_domain++) {
			hold(mode, by_domain);
			unmask();
			CASE_EXPECT(arrived(7), "mode %u: lost while it was masked", mode);
			CASE_EXPECT(!is_pending(7), "mode %u: still pending", mode);

			hold(mode, by_domain);
			set(APLIC_CLRIPNUM, 7);
			unmask();
			CASE_EXPECT(!arrived(7), "mode %u: clripnum did not cancel it", mode);

			hold(mode, by_domain);
			set(APLIC_IN_CLRIP(7), bit(7));
			unmask();
			CASE_EXPECT(!arrived(7), "mode %u: in_clrip did not cancel it", mode);
		}
	}
}

/* The device has changed its mind: levels go with the wire, edges have happened. */
static void released_while_masked(void)
{
	uint32_t mode;

	create_with(7, APLIC_EDGE_RISE);
	for (mode = APLIC_EDGE_RISE; mode <= APLIC_LEVEL_LOW; mode++) {
		bool level = mode >= APLIC_LEVEL_HIGH;

		hold(mode, false);
		kvm_irq_line(vm, 7, mode == APLIC_EDGE_FALL || mode == APLIC_LEVEL_LOW);
		CASE_EXPECT(is_pending(7) == !level, "mode %u: %s after the wire was released",
			    mode, level ? "pending" : "not pending");
		unmask();
		CASE_EXPECT(arrived(7) == !level, "mode %u: %s for a wire that was released",
			    mode, level ? "an MSI" : "no MSI");
	}
}

/* --- setting and clearing by hand ----------------------------------------- */

/* What a handler does at its end: sends again if the device still wants it. */
static void level_retrigger(void)
{
	uint32_t mode;

	create_with(7, APLIC_LEVEL_HIGH);
	for (mode = APLIC_LEVEL_HIGH; mode <= APLIC_LEVEL_LOW; mode++) {
		kvm_irq_line(vm, 7, mode == APLIC_LEVEL_LOW);
		configure(7, mode);
		(void)arrived(7);
		set(APLIC_SETIPNUM, 7);
		CASE_EXPECT(!arrived(7), "mode %u: sent by setipnum, the wire is idle", mode);

		kvm_irq_line(vm, 7, mode == APLIC_LEVEL_HIGH);
		CASE_EXPECT(arrived(7), "mode %u: not sent", mode);
		set(APLIC_SETIPNUM, 7);
		CASE_EXPECT(arrived(7), "mode %u: not sent again by setipnum", mode);
		set(APLIC_SETIPNUM_LE, 7);
		CASE_EXPECT(arrived(7), "mode %u: not sent again by setipnum_le", mode);
		set(APLIC_SETIP(7), bit(7));
		CASE_EXPECT(arrived(7), "mode %u: not sent again by setip", mode);
		CASE_EXPECT(!arrived(7), "mode %u: sent once more", mode);
	}
}

static void set_pending(void)
{
	static const uint32_t modes[] = { APLIC_DETACHED, APLIC_EDGE_RISE, APLIC_EDGE_FALL };
	static const unsigned int sources[] = { 1, 31, 32, 33, 64, SOURCES };
	unsigned int m, i, s;

	create(KVM_DEV_RISCV_AIA_MODE_EMUL, NULL);
	for (m = 0; m < ARRAY_SIZE(modes); m++) {
		for (i = 0; i < ARRAY_SIZE(sources); i++)
			configure(sources[i], modes[m]);
		for (i = 0; i < ARRAY_SIZE(sources); i++) {
			s = sources[i];
			set(APLIC_SETIP(s), bit(s));
			CASE_EXPECT(is_pending(s), "source %u: setip", s);
			set(APLIC_IN_CLRIP(s), bit(s));
			CASE_EXPECT(!is_pending(s), "source %u: in_clrip", s);
			set(APLIC_SETIPNUM, s);
			CASE_EXPECT(is_pending(s), "source %u: setipnum", s);
			set(APLIC_CLRIPNUM, s);
			CASE_EXPECT(!is_pending(s), "source %u: clripnum", s);
			set(APLIC_SETIPNUM_LE, s);
			CASE_EXPECT(is_pending(s), "source %u: setipnum_le", s);
			set(APLIC_CLRIPNUM, s);
			set(APLIC_SETIPNUM_BE, __builtin_bswap32(s));
			CASE_EXPECT(is_pending(s), "source %u: setipnum_be", s);
			CASE_EXPECT(get(APLIC_SETIP(s)) == bit(s), "source %u: others are pending",
				    s);
			set(APLIC_CLRIPNUM, s);
		}
	}
	/* No such sources: nothing happens. */
	set(APLIC_SETIPNUM, 0);
	set(APLIC_SETIPNUM, SOURCES + 1);
	set(APLIC_SETIPNUM_BE, 1);
	set(APLIC_SETIP(0), ~0u & ~bit(1) & ~bit(31));
	for (i = 0; i <= SOURCES; i += 32)
		CASE_EXPECT(!get(APLIC_SETIP(i)), "sources that there are not are pending: %#x",
			    get(APLIC_SETIP(i)));
}

static void set_enabled(void)
{
	static const unsigned int sources[] = { 1, 31, 32, 33, 64, SOURCES };
	unsigned int i, s;

	create(KVM_DEV_RISCV_AIA_MODE_EMUL, NULL);
	for (i = 0; i < ARRAY_SIZE(sources); i++)
		configure(sources[i], APLIC_EDGE_RISE);
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		s = sources[i];
		set(APLIC_SETIE(s), bit(s));
		CASE_EXPECT(get(APLIC_SETIE(s)) == bit(s), "source %u: setie reads %#x", s,
			    get(APLIC_SETIE(s)));
		set(APLIC_CLRIE(s), bit(s));
		CASE_EXPECT(!is_enabled(s), "source %u: clrie", s);
		set(APLIC_SETIENUM, s);
		CASE_EXPECT(get(APLIC_SETIE(s)) == bit(s), "source %u: setienum", s);
		set(APLIC_CLRIENUM, s);
		CASE_EXPECT(!is_enabled(s), "source %u: clrienum", s);
	}
	/* What is not named stays. */
	set(APLIC_SETIE(32), bit(32) | bit(33));
	set(APLIC_SETIE(32), bit(33));
	set(APLIC_CLRIE(32), bit(33));
	CASE_EXPECT(get(APLIC_SETIE(32)) == bit(32), "source 32 alone is enabled, setie reads %#x",
		    get(APLIC_SETIE(32)));
	CASE_EXPECT(!get(APLIC_CLRIE(32)), "clrie reads %#x", get(APLIC_CLRIE(32)));
}

/* --- what the registers hold ---------------------------------------------- */

static void sourcecfg(void)
{
	static const uint32_t modes[] = { APLIC_DETACHED, APLIC_EDGE_RISE, APLIC_EDGE_FALL,
					  APLIC_LEVEL_HIGH, APLIC_LEVEL_LOW };
	unsigned int s, m;
	uint32_t value;

	create(KVM_DEV_RISCV_AIA_MODE_EMUL, NULL);
	for (s = 1; s <= SOURCES; s++) {
		CASE_EXPECT(!get(APLIC_SOURCECFG(s)), "source %u is active from the beginning", s);
		for (m = 0; m < ARRAY_SIZE(modes); m++) {
			set(APLIC_SOURCECFG(s), ~0x407u | modes[m]);
			value = get(APLIC_SOURCECFG(s));
			CASE_EXPECT(value == modes[m], "source %u, mode %u: reads %#x", s, modes[m],
				    value);
		}
		/* Reserved ones: something else is read. */
		for (m = 2; m < 4; m++) {
			set(APLIC_SOURCECFG(s), m);
			value = get(APLIC_SOURCECFG(s));
			CASE_EXPECT(value != 2 && value != 3, "source %u has the reserved mode %u",
				    s, value);
		}
		/* There is no child to delegate to: the whole register becomes zero. */
		set(APLIC_SOURCECFG(s), 0x400 | APLIC_EDGE_RISE);
		CASE_EXPECT(!get(APLIC_SOURCECFG(s)), "source %u is delegated: %#x", s,
			    get(APLIC_SOURCECFG(s)));
	}
}

static void inactive_is_nothing(void)
{
	create(KVM_DEV_RISCV_AIA_MODE_EMUL, NULL);
	set(APLIC_DOMAINCFG, APLIC_DOMAINCFG_ON);

	/* It cannot be made anything. */
	set(APLIC_SETIPNUM, 7);
	set(APLIC_SETIENUM, 7);
	set(APLIC_SETIP(7), bit(7));
	set(APLIC_SETIE(7), bit(7));
	set(APLIC_TARGET(7), APLIC_MSI(1, 7));
	CASE_EXPECT(!is_pending(7), "an inactive source is pending");
	CASE_EXPECT(!is_enabled(7), "an inactive source is enabled");
	CASE_EXPECT(!get(APLIC_TARGET(7)), "an inactive source has a target: %#x",
		    get(APLIC_TARGET(7)));

	/* And it forgets what it was. */
	configure(7, APLIC_EDGE_RISE);
	kvm_irq_line(vm, 7, 1);
	kvm_irq_line(vm, 7, 0);
	TEST_ASSERT(is_pending(7), "not pending while it is masked");
	set(APLIC_SOURCECFG(7), APLIC_INACTIVE);
	CASE_EXPECT(!is_pending(7), "pending after it was made inactive");
	CASE_EXPECT(!get(APLIC_TARGET(7)), "a target after it was made inactive");
	configure(7, APLIC_EDGE_RISE);
	enable(7);
	CASE_EXPECT(!arrived(7), "an MSI for what happened before it was made inactive");
	set(APLIC_SOURCECFG(7), APLIC_INACTIVE);
	set(APLIC_SOURCECFG(7), APLIC_EDGE_RISE);
	CASE_EXPECT(!is_enabled(7), "enabled by what it was before it was made inactive");
}

/* in_clrip reads what the wire means, not what it is. */
static void rectified_input(void)
{
	static const struct {
		uint32_t mode;
		bool low, high;
	} inputs[] = {
		{ APLIC_INACTIVE, false, false },
		{ APLIC_DETACHED, false, false },
		{ APLIC_EDGE_RISE, false, true },
		{ APLIC_EDGE_FALL, true, false },
		{ APLIC_LEVEL_HIGH, false, true },
		{ APLIC_LEVEL_LOW, true, false },
	};
	unsigned int i;
	bool input;

	create(KVM_DEV_RISCV_AIA_MODE_EMUL, NULL);
	for (i = 0; i < ARRAY_SIZE(inputs); i++) {
		set(APLIC_SOURCECFG(40), inputs[i].mode);
		kvm_irq_line(vm, 40, 0);
		input = get(APLIC_IN_CLRIP(40)) & bit(40);
		CASE_EXPECT(input == inputs[i].low, "mode %u, wire low: input %d", inputs[i].mode,
			    input);
		kvm_irq_line(vm, 40, 1);
		input = get(APLIC_IN_CLRIP(40)) & bit(40);
		CASE_EXPECT(input == inputs[i].high, "mode %u, wire high: input %d", inputs[i].mode,
			    input);
	}
}

/* The wire's level is known even while nobody looks. */
static void input_before_mode(void)
{
	create(KVM_DEV_RISCV_AIA_MODE_EMUL, NULL);
	kvm_irq_line(vm, 7, 1);
	set(APLIC_SOURCECFG(7), APLIC_LEVEL_HIGH);
	CASE_EXPECT(get(APLIC_IN_CLRIP(7)) & bit(7),
		    "the wire was high before the source was active");
}

static void domaincfg(void)
{
	create(KVM_DEV_RISCV_AIA_MODE_EMUL, NULL);
	CASE_EXPECT(get(APLIC_DOMAINCFG) == APLIC_DOMAINCFG_OFF, "first %#x", get(APLIC_DOMAINCFG));
	/* MSIs and little-endian only. */
	set(APLIC_DOMAINCFG, ~0u);
	CASE_EXPECT(get(APLIC_DOMAINCFG) == APLIC_DOMAINCFG_ON, "with all ones %#x",
		    get(APLIC_DOMAINCFG));
	set(APLIC_DOMAINCFG, 0);
	CASE_EXPECT(get(APLIC_DOMAINCFG) == APLIC_DOMAINCFG_OFF, "with zero %#x",
		    get(APLIC_DOMAINCFG));
}

/* --- where MSIs go --------------------------------------------------------- */

static void pulse(unsigned int source)
{
	kvm_irq_line(vm, source, 1);
	kvm_irq_line(vm, source, 0);
}

static void target(void)
{
	static const uint32_t nowhere[] = {
		1 << 12 | 5, APLIC_MSI(2, 5), APLIC_MSI(0, 2047), APLIC_MSI(0, 0),
	};
	unsigned int s, hart, id;

	create(KVM_DEV_RISCV_AIA_MODE_EMUL, NULL);
	set(APLIC_DOMAINCFG, APLIC_DOMAINCFG_ON);
	for (s = 1; s <= SOURCES; s++) {
		hart = s % 2;
		id = s % 63 + 1;
		configure(s, APLIC_EDGE_RISE);
		set(APLIC_TARGET(s), APLIC_MSI(hart, id));
		CASE_EXPECT(get(APLIC_TARGET(s)) == APLIC_MSI(hart, id),
			    "source %u: target reads %#x",
			    s, get(APLIC_TARGET(s)));
		enable(s);
		pulse(s);
		CASE_EXPECT(arrived_at(vcpus[hart], id), "source %u: no MSI %u at hart %u", s, id,
			    hart);
		CASE_EXPECT(!arrived_at(vcpus[!hart], id), "source %u: an MSI at the other hart",
			    s);
	}
	/* A guest's file, no hart, no interrupt of this number, none at all: nowhere. */
	for (s = 0; s < ARRAY_SIZE(nowhere); s++) {
		set(APLIC_TARGET(1), nowhere[s]);
		pulse(1);
		for (hart = 0; hart < 2; hart++) {
			unsigned long eip = aia_imsic_get(aia, vcpus[hart], AIA_EIP(5));

			CASE_EXPECT(!eip, "target %#x: MSIs at hart %u: %#lx", nowhere[s], hart, eip);
		}
	}
}

/* An MSI without a source, whether the domain delivers or not. */
static void genmsi(void)
{
	unsigned int i, hart;

	create(KVM_DEV_RISCV_AIA_MODE_EMUL, NULL);
	for (i = 0; i < 4; i++) {
		hart = i % 2;
		set(APLIC_DOMAINCFG, i / 2 ? APLIC_DOMAINCFG_ON : APLIC_DOMAINCFG_OFF);
		set(APLIC_GENMSI, APLIC_MSI(hart, 33));
		CASE_EXPECT(arrived_at(vcpus[hart], 33), "no MSI at hart %u, delivery %d", hart,
			    i / 2);
		CASE_EXPECT(!arrived_at(vcpus[!hart], 33), "an MSI at the other hart");
		CASE_EXPECT(!arrived_at(vcpus[hart], 33), "one more MSI");
	}
	/* Never busy; the rest of the register is reserved. */
	set(APLIC_GENMSI, APLIC_MSI(2, 33) | 0x3f800);
	CASE_EXPECT(get(APLIC_GENMSI) == APLIC_MSI(2, 33), "genmsi reads %#x", get(APLIC_GENMSI));
}

/* --- who moves the wires --------------------------------------------------- */

static void irq_line_limits(void)
{
	create_with(SOURCES, APLIC_EDGE_RISE);
	CASE_EXPECT(_kvm_irq_line(vm, 0, 1) && errno == ENODEV, "source 0: %s", strerror(errno));
	CASE_EXPECT(!_kvm_irq_line(vm, SOURCES, 1), "the last source: %s", strerror(errno));
	CASE_EXPECT(arrived(SOURCES), "no MSI from the last source");
	CASE_EXPECT(_kvm_irq_line(vm, SOURCES + 1, 1) && errno == ENODEV,
		    "a source behind the last: %s",
		    strerror(errno));
	CASE_EXPECT(_kvm_irq_line(vm, ~0u, 1) && errno == ENODEV, "source 2^32 - 1: %s",
		    strerror(errno));
}

/* KVM may leave it to a worker; it has ten seconds. */
static bool arrives(unsigned int source)
{
	time_t end = time(NULL) + 10;

	while (!arrived(source)) {
		if (time(NULL) > end)
			return false;
		usleep(1000);
	}
	return true;
}

/* Each source has the GSI of its number, without KVM_SET_GSI_ROUTING. */
static void irqfd(void)
{
	static const unsigned int sources[] = { 1, 33, SOURCES };
	unsigned int i, s;
	int fd;

	create(KVM_DEV_RISCV_AIA_MODE_EMUL, NULL);
	set(APLIC_DOMAINCFG, APLIC_DOMAINCFG_ON);
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		s = sources[i];
		configure(s, APLIC_EDGE_RISE);
		enable(s);
		fd = eventfd(0, 0);
		TEST_ASSERT(fd >= 0, "eventfd()");
		kvm_irqfd(vm, s, fd, 0);
		TEST_ASSERT(eventfd_write(fd, 1) == 0, "eventfd_write()");
		CASE_EXPECT(arrives(s), "no MSI from source %u", s);
		TEST_ASSERT(eventfd_write(fd, 1) == 0, "eventfd_write()");
		CASE_EXPECT(arrives(s), "no second MSI from source %u: the wire stays high", s);
		kvm_irqfd(vm, s, fd, KVM_IRQFD_FLAG_DEASSIGN);
		close(fd);
	}
}

/* --- from inside ----------------------------------------------------------- */

#define HANDLED	3	/* times that the device wants service before it is content */

static void guest_step(unsigned int offset, uint32_t value)
{
	aplic_write(offset, value);
	GUEST_SYNC((uint64_t)aplic_read(offset));
}

static void registers_guest(void)
{
	guest_step(APLIC_DOMAINCFG, 0x100);
	guest_step(APLIC_SOURCECFG(SOURCES), APLIC_EDGE_FALL);
	guest_step(APLIC_TARGET(SOURCES), APLIC_MSI(1, 9));
	guest_step(APLIC_SETIE(SOURCES), bit(SOURCES));
	GUEST_SYNC((uint64_t)(aplic_read(APLIC_SETIP(SOURCES)) | aplic_read(APLIC_CLRIE(SOURCES))));
	aplic_write(APLIC_SETIPNUM, SOURCES);
	aplic_write(APLIC_GENMSI, APLIC_MSI(0, 21));
	GUEST_SYNC((uint64_t)aplic_read(APLIC_GENMSI));
	GUEST_DONE();
}

static void guest_says(struct kvm_vcpu *vcpu, uint32_t wanted, const char *what)
{
	struct ucall uc;

	vcpu_run(vcpu);
	TEST_ASSERT(vcpu->run->exit_reason != KVM_EXIT_MMIO, "KVM does not know %s", what);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
	CASE_EXPECT(uc.args[1] == wanted, "the guest reads %s as %#lx, not %#x", what,
		    (unsigned long)uc.args[1], wanted);
}

static void guest_registers(void)
{
	create(KVM_DEV_RISCV_AIA_MODE_EMUL, registers_guest);
	guest_says(vcpus[0], APLIC_DOMAINCFG_ON, "domaincfg");
	guest_says(vcpus[0], APLIC_EDGE_FALL, "sourcecfg");
	guest_says(vcpus[0], APLIC_MSI(1, 9), "target");
	guest_says(vcpus[0], bit(SOURCES), "setie");
	guest_says(vcpus[0], 0, "setip");
	CASE_EXPECT(get(APLIC_TARGET(SOURCES)) == APLIC_MSI(1, 9), "target is %#x from outside",
		    get(APLIC_TARGET(SOURCES)));
	guest_says(vcpus[0], APLIC_MSI(0, 21), "genmsi");
	CASE_EXPECT(arrived_at(vcpus[1], 9), "no MSI by setipnum");
	CASE_EXPECT(arrived_at(vcpus[0], 21), "no MSI by genmsi");
}

static void handler_guest(void)
{
	unsigned int id;

	imsic_init();
	imsic_enable(7, true);
	aplic_write(APLIC_SOURCECFG(7), APLIC_LEVEL_HIGH);
	aplic_write(APLIC_TARGET(7), APLIC_MSI(0, 7));
	aplic_write(APLIC_SETIENUM, 7);
	aplic_write(APLIC_DOMAINCFG, APLIC_DOMAINCFG_ON);
	GUEST_SYNC(0);
	for (;;) {
		while (!(id = imsic_claim()))
			guest_wfi();
		/* The device is asked here. */
		GUEST_SYNC(id);
		aplic_write(APLIC_SETIPNUM_LE, id);
	}
}

/* A device that wants more than once before it releases its wire, and then again. */
static void handle_level(int mode)
{
	unsigned int i;

	/* A guest whose interrupt is lost sleeps. */
	alarm(30);
	create(mode, handler_guest);
	guest_says(vcpus[0], 0, "its first step");
	kvm_irq_line(vm, 7, 1);
	for (i = 0; i < HANDLED; i++)
		guest_says(vcpus[0], 7, "the claimed interrupt");
	kvm_irq_line(vm, 7, 0);
	kvm_irq_line(vm, 7, 1);
	guest_says(vcpus[0], 7, "the claimed interrupt, after the wire moved");
}

static void level_handler(void)
{
	handle_level(KVM_DEV_RISCV_AIA_MODE_EMUL);
}

static void level_handler_hwaccel(void)
{
	handle_level(KVM_DEV_RISCV_AIA_MODE_HWACCEL);
}

static const struct witness_case cases[] = {
	{
		.name = "edge_rise",
		.verifies = "a source for rising edges sends one MSI for each of them and for nothing else",
		.run = edge_rise,
	}, {
		.name = "edge_fall",
		.verifies = "a source for falling edges sends one MSI for each of them and for nothing else",
		.run = edge_fall,
	}, {
		.name = "level_high",
		.verifies = "a source for the high level sends one MSI when its wire goes up",
		.run = level_high,
	}, {
		.name = "level_low",
		.verifies = "a source for the low level sends one MSI when its wire goes down",
		.run = level_low,
	}, {
		.name = "level_asserted_twice",
		.verifies = "a level that was sent is not sent again before the wire is released",
		.run = level_asserted_twice,
	}, {
		.name = "no_wire",
		.verifies = "the wires of inactive and of detached sources send nothing",
		.run = no_wire,
	}, {
		.name = "masked",
		.verifies = "while the source or the domain is off, an interrupt is pending; it is sent when both are on, or cancelled",
		.run = masked,
	}, {
		.name = "released_while_masked",
		.verifies = "a pending level goes away with the wire, a pending edge stays",
		.run = released_while_masked,
	}, {
		.name = "level_retrigger",
		.verifies = "setip and setipnum send a level again while the wire is asserted, and only then",
		.run = level_retrigger,
	}, {
		.name = "set_pending",
		.verifies = "setip, in_clrip, setipnum (of both byte orders) and clripnum concern the source that they name",
		.run = set_pending,
	}, {
		.name = "set_enabled",
		.verifies = "setie, clrie, setienum and clrienum concern the sources that they name",
		.run = set_enabled,
	}, {
		.name = "sourcecfg",
		.verifies = "a source has the mode that was written, and cannot be delegated",
		.run = sourcecfg,
	}, {
		.name = "inactive_is_nothing",
		.verifies = "an inactive source is neither pending nor enabled and has no target, nor remembers any",
		.run = inactive_is_nothing,
	}, {
		.name = "rectified_input",
		.verifies = "in_clrip reads the wire as the mode means it, zero where it means nothing",
		.run = rectified_input,
	}, {
		.name = "input_before_mode",
		.verifies = "a wire that was asserted before its source became active is seen as asserted",
		.run = input_before_mode,
	}, {
		.name = "domaincfg",
		.verifies = "the domain can be switched on and off, and delivers by little-endian MSIs only",
		.run = domaincfg,
	}, {
		.name = "target",
		.verifies = "each source's MSI goes to the hart and has the number of its target, or nowhere",
		.run = target,
	}, {
		.name = "genmsi",
		.verifies = "genmsi sends one MSI even while the domain is off, and keeps no reserved bits",
		.run = genmsi,
	}, {
		.name = "irq_line_limits",
		.verifies = "KVM_IRQ_LINE takes the sources that there are and no others",
		.run = irq_line_limits,
	}, {
		.name = "irqfd",
		.verifies = "an irqfd on GSI n is a pulse on the wire of source n",
		.run = irqfd,
	}, {
		.name = "guest_registers",
		.verifies = "a guest's loads and stores reach the same registers as the device's attributes",
		.run = guest_registers,
	}, {
		.name = "level_handler",
		.verifies = "a guest is interrupted again until the wire is released, then when it is asserted again",
		.run = level_handler,
	}, {
		.name = "level_handler_hwaccel",
		.verifies = "the same where the guest's interrupts are in a file of the hardware",
		.needs = "guest interrupt files",
		.run = level_handler_hwaccel,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "aia_aplic_test",
		.needs = "AIA",
		.seed = "RISC-V Advanced Interrupt Architecture 1.0, chapter 4; RISC-V: KVM, 6.5",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
