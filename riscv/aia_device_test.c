// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's AIA device as a VMM sees it: what can be configured and when, and the registers
 * of APLIC and IMSICs as attributes, enough to move a VM.
 *
 * Catches: a limit that is off by one or missing; a configuration that changes under a
 * running VM; a failed KVM_DEV_RISCV_AIA_CTRL_INIT that leaves something behind; an
 * interrupt that a VM has lost when it is restored.  In 7.3 two vCPUs may have one
 * IMSIC address, so that the MSIs of both go to the first; an attribute's vCPU number is
 * cut to 32 bits; and setting sip behind the IMSIC's registers, as a VMM that restores
 * devices first does, takes away the interrupt that they stand for.
 */
#include "aia.h"
#include "case.h"

#define GRP_CONFIG	KVM_DEV_RISCV_AIA_GRP_CONFIG
#define GRP_ADDR	KVM_DEV_RISCV_AIA_GRP_ADDR
#define GRP_CTRL	KVM_DEV_RISCV_AIA_GRP_CTRL
#define GRP_APLIC	KVM_DEV_RISCV_AIA_GRP_APLIC
#define GRP_IMSIC	KVM_DEV_RISCV_AIA_GRP_IMSIC

#define UNSET		(~0ULL)

static struct kvm_vcpu *vcpus[2];
static struct kvm_vm *vm;
static int aia;

static void setup(void)
{
	const char *why = aia_unavailable();

	if (why)
		case_skip("%s", why);
}

static void stop_guest(void)
{
	for (;;)
		GUEST_SYNC(0);
}

/* Two vCPUs and a device of which nothing is configured. */
static void create(void)
{
	vm = vm_create_with_vcpus(2, stop_guest, vcpus);
	aia = kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA);
}

/* --- attributes: 0, or the errno --------------------------------------------- */

static int set(uint32_t group, uint64_t attr, uint64_t value)
{
	return __kvm_device_attr_set(aia, group, attr, &value) ? errno : 0;
}

static int init(void)
{
	return set(GRP_CTRL, KVM_DEV_RISCV_AIA_CTRL_INIT, 0);
}

static int try_get(uint32_t group, uint64_t attr, uint64_t *value)
{
	*value = 0;
	return __kvm_device_attr_get(aia, group, attr, value) ? errno : 0;
}

static uint64_t get(uint32_t group, uint64_t attr)
{
	uint64_t value;
	int err = try_get(group, attr, &value);

	TEST_ASSERT(!err, "attribute %u.%#lx: %s", group, (unsigned long)attr, strerror(err));
	return value;
}

static int has(uint32_t group, uint64_t attr)
{
	return __kvm_has_device_attr(aia, group, attr) ? errno : 0;
}

static void configure(uint64_t what, uint32_t value)
{
	int err = set(GRP_CONFIG, what, value);

	TEST_ASSERT(!err, "configuration %u = %u: %s", (unsigned int)what, value, strerror(err));
}

static void place(unsigned int index, uint64_t address)
{
	int err = set(GRP_ADDR, KVM_DEV_RISCV_AIA_ADDR_IMSIC(index), address);

	TEST_ASSERT(!err, "address of IMSIC %u: %s", index, strerror(err));
}

/* What the device lacks after create(). */
static void configure_all(void)
{
	configure(KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 1);
	configure(KVM_DEV_RISCV_AIA_CONFIG_SRCS, 40);
	TEST_ASSERT(!set(GRP_ADDR, KVM_DEV_RISCV_AIA_ADDR_APLIC, AIA_APLIC_GPA),
		    "address of the APLIC");
	place(0, AIA_IMSIC_GPA(0));
	place(1, AIA_IMSIC_GPA(1));
}

static bool msi_arrives(struct kvm_vcpu *vcpu, uint64_t address)
{
	struct kvm_msi msi = { .address_lo = address, .address_hi = address >> 32, .data = 9 };

	aia_imsic_set(aia, vcpu, AIA_EIP(9), 0);
	TEST_ASSERT(__vm_ioctl(vm, KVM_SIGNAL_MSI, &msi) >= 0, "KVM_SIGNAL_MSI");
	return aia_imsic_get(aia, vcpu, AIA_EIP(9)) == 1UL << 9;
}

/* --- configuration -------------------------------------------------------------- */

static void defaults(void)
{
	uint64_t ids, mode, best;

	create();
	best = aia_has_guest_files() ? KVM_DEV_RISCV_AIA_MODE_AUTO : KVM_DEV_RISCV_AIA_MODE_EMUL;
	mode = get(GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_MODE);
	CASE_EXPECT(mode == best, "mode %lu", (unsigned long)mode);
	ids = get(GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_IDS);
	CASE_EXPECT(ids >= 63 && ids < 2048 && ids % 64 == 63, "%lu ids", (unsigned long)ids);
	CASE_EXPECT(!get(GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_SRCS), "sources");
	CASE_EXPECT(!get(GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_GROUP_BITS), "group bits");
	CASE_EXPECT(get(GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_GROUP_SHIFT) == 24, "group shift");
	CASE_EXPECT(!get(GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_HART_BITS), "hart bits");
	CASE_EXPECT(!get(GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_GUEST_BITS), "guest bits");
	CASE_EXPECT(get(GRP_ADDR, KVM_DEV_RISCV_AIA_ADDR_APLIC) == UNSET, "address of the APLIC");
	CASE_EXPECT(get(GRP_ADDR, KVM_DEV_RISCV_AIA_ADDR_IMSIC(1)) == UNSET, "address of IMSIC 1");
}

static void takes(uint64_t what, uint32_t value)
{
	int err = set(GRP_CONFIG, what, value);

	CASE_EXPECT(!err, "configuration %u = %u: %s", (unsigned int)what, value, strerror(err));
	CASE_EXPECT(get(GRP_CONFIG, what) == value, "configuration %u = %u reads %lu",
		    (unsigned int)what, value,
		    (unsigned long)get(GRP_CONFIG, what));
}

static void refuses(uint64_t what, uint32_t value)
{
	uint64_t before = get(GRP_CONFIG, what);
	int err = set(GRP_CONFIG, what, value);

	CASE_EXPECT(err == EINVAL, "configuration %u = %u: %s", (unsigned int)what, value,
		    strerror(err));
	CASE_EXPECT(get(GRP_CONFIG, what) == before,
		    "configuration %u is changed by the refused %u",
		    (unsigned int)what, value);
}

static void limits(void)
{
	static const struct {
		uint64_t what;
		uint32_t first, last;
	} ranges[] = {
		{ KVM_DEV_RISCV_AIA_CONFIG_GROUP_BITS, 0, 7 },
		{ KVM_DEV_RISCV_AIA_CONFIG_GROUP_SHIFT, 24, 55 },
		{ KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 0, 15 },
		{ KVM_DEV_RISCV_AIA_CONFIG_GUEST_BITS, 0, 7 },
	};
	uint32_t ids, sources;
	unsigned int i;

	create();
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		takes(ranges[i].what, ranges[i].first);
		takes(ranges[i].what, ranges[i].last);
		refuses(ranges[i].what, ranges[i].first - 1);
		refuses(ranges[i].what, ranges[i].last + 1);
	}

	/* As many as the host has, and whole registers of 64. */
	ids = get(GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_IDS);
	sources = ids < 1023 ? ids : 1023;
	takes(KVM_DEV_RISCV_AIA_CONFIG_IDS, 63);
	takes(KVM_DEV_RISCV_AIA_CONFIG_IDS, ids);
	refuses(KVM_DEV_RISCV_AIA_CONFIG_IDS, ids + 64);
	refuses(KVM_DEV_RISCV_AIA_CONFIG_IDS, ids - 1);
	refuses(KVM_DEV_RISCV_AIA_CONFIG_IDS, 62);
	refuses(KVM_DEV_RISCV_AIA_CONFIG_IDS, 64);
	refuses(KVM_DEV_RISCV_AIA_CONFIG_IDS, 0);
	refuses(KVM_DEV_RISCV_AIA_CONFIG_IDS, 2048 + 63);
	takes(KVM_DEV_RISCV_AIA_CONFIG_SRCS, sources);
	takes(KVM_DEV_RISCV_AIA_CONFIG_SRCS, 0);
	refuses(KVM_DEV_RISCV_AIA_CONFIG_SRCS, sources + 1);
	refuses(KVM_DEV_RISCV_AIA_CONFIG_SRCS, ~0u);
}

static void modes(void)
{
	create();
	takes(KVM_DEV_RISCV_AIA_CONFIG_MODE, KVM_DEV_RISCV_AIA_MODE_EMUL);
	if (aia_has_guest_files()) {
		takes(KVM_DEV_RISCV_AIA_CONFIG_MODE, KVM_DEV_RISCV_AIA_MODE_HWACCEL);
		takes(KVM_DEV_RISCV_AIA_CONFIG_MODE, KVM_DEV_RISCV_AIA_MODE_AUTO);
	} else {
		refuses(KVM_DEV_RISCV_AIA_CONFIG_MODE, KVM_DEV_RISCV_AIA_MODE_HWACCEL);
		refuses(KVM_DEV_RISCV_AIA_CONFIG_MODE, KVM_DEV_RISCV_AIA_MODE_AUTO);
	}
	refuses(KVM_DEV_RISCV_AIA_CONFIG_MODE, 3);
	refuses(KVM_DEV_RISCV_AIA_CONFIG_MODE, ~0u);
}

static void addresses(void)
{
	unsigned int i;

	create();
	for (i = 0; i < 3; i++) {
		/* 0 is the APLIC's. */
		uint64_t high = (1ULL << 40) + (i << 12);

		CASE_EXPECT(!set(GRP_ADDR, i, high), "address %u", i);
		CASE_EXPECT(get(GRP_ADDR, i) == high, "address %u reads %#lx", i,
			    (unsigned long)get(GRP_ADDR, i));
		CASE_EXPECT(set(GRP_ADDR, i, high + 0x800) == EINVAL, "address %u within a page",
			    i);
		CASE_EXPECT(set(GRP_ADDR, i, high + 4) == EINVAL, "address %u within a page", i);
		CASE_EXPECT(get(GRP_ADDR, i) == high, "address %u is changed by a refused one", i);
	}
}

/* KVM_HAS_DEVICE_ATTR agrees with what can be read. */
static void has_attr(void)
{
	uint64_t value, attr;
	uint32_t group;
	int err;

	create();
	configure_all();
	TEST_ASSERT(!init(), "KVM_DEV_RISCV_AIA_CTRL_INIT");
	CASE_EXPECT(!has(GRP_CTRL, KVM_DEV_RISCV_AIA_CTRL_INIT), "there is no CTRL_INIT");
	CASE_EXPECT(has(GRP_CTRL, 1) == ENXIO, "there is a second control");
	for (group = 0; group < 6; group++) {
		for (attr = 0; group != GRP_CTRL && attr < 8; attr++) {
			err = try_get(group, attr, &value);
			CASE_EXPECT(has(group, attr) == err,
				    "attribute %u.%lu: %s, but reading it %s", group,
				    (unsigned long)attr, strerror(has(group, attr)), strerror(err));
		}
	}
	CASE_EXPECT(!has(GRP_CONFIG, 6) && has(GRP_CONFIG, 7) == ENXIO,
		    "not seven things to configure");
	CASE_EXPECT(!has(GRP_ADDR, 2) && has(GRP_ADDR, 3) == ENXIO,
		    "not one address for each vCPU");
	CASE_EXPECT(has(5, 0) == ENXIO, "there is a sixth group");
}

/* --- order ------------------------------------------------------------------------ */

static void before_init(void)
{
	struct kvm_msi msi = { .address_lo = AIA_IMSIC_GPA(0), .data = 9 };
	uint64_t value, eidelivery = KVM_DEV_RISCV_AIA_IMSIC_MKATTR(0, AIA_EIDELIVERY);
	int err;

	vm = vm_create_with_vcpus(2, stop_guest, vcpus);
	CASE_EXPECT(_kvm_irq_line(vm, 1, 1) && errno == ENXIO, "a wire without any device: %s",
		    strerror(errno));
	aia = kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA);
	configure_all();
	CASE_EXPECT(has(GRP_APLIC, 0) == ENODEV, "the APLIC has registers");
	CASE_EXPECT(set(GRP_APLIC, 0, 0) == ENODEV, "a register of the APLIC can be set");
	err = try_get(GRP_APLIC, 0, &value);
	CASE_EXPECT(err == ENODEV, "a register of the APLIC can be read: %s", strerror(err));
	CASE_EXPECT(has(GRP_IMSIC, eidelivery) == ENODEV, "the IMSIC has registers");
	CASE_EXPECT(set(GRP_IMSIC, eidelivery, 0) == ENODEV, "a register of the IMSIC can be set");
	err = try_get(GRP_IMSIC, eidelivery, &value);
	CASE_EXPECT(err == ENODEV, "a register of the IMSIC can be read: %s", strerror(err));
	CASE_EXPECT(_kvm_irq_line(vm, 1, 1) && errno == EBUSY, "a wire: %s", strerror(errno));
	CASE_EXPECT(__vm_ioctl(vm, KVM_SIGNAL_MSI, &msi) < 0 && errno == EBUSY, "an MSI: %s",
		    strerror(errno));
}

static void after_init(void)
{
	uint64_t config[7], address[3], i;
	int err;

	create();
	configure_all();
	for (i = 0; i < ARRAY_SIZE(config); i++)
		config[i] = get(GRP_CONFIG, i);
	for (i = 0; i < ARRAY_SIZE(address); i++)
		address[i] = get(GRP_ADDR, i);
	err = init();
	CASE_EXPECT(!err, "KVM_DEV_RISCV_AIA_CTRL_INIT: %s", strerror(err));
	for (i = 0; i < ARRAY_SIZE(config); i++) {
		err = set(GRP_CONFIG, i, config[i]);
		CASE_EXPECT(err == EBUSY, "configuration %lu: %s", (unsigned long)i, strerror(err));
		CASE_EXPECT(get(GRP_CONFIG, i) == config[i], "configuration %lu is another",
			    (unsigned long)i);
	}
	for (i = 0; i < ARRAY_SIZE(address); i++) {
		err = set(GRP_ADDR, i, address[i]);
		CASE_EXPECT(err == EBUSY, "address %lu: %s", (unsigned long)i, strerror(err));
		CASE_EXPECT(get(GRP_ADDR, i) == address[i], "address %lu is another",
			    (unsigned long)i);
	}
	err = init();
	CASE_EXPECT(err == EBUSY, "a second KVM_DEV_RISCV_AIA_CTRL_INIT: %s", strerror(err));
	CASE_EXPECT(msi_arrives(vcpus[1], AIA_IMSIC_GPA(1)), "no MSI at vCPU 1");
}

static void one_device_before_running(void)
{
	struct ucall uc;

	create();
	CASE_EXPECT(__kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA) < 0 && errno == EEXIST,
		    "a second device: %s", strerror(errno));

	vm = vm_create_with_vcpus(2, stop_guest, vcpus);
	vcpu_run(vcpus[0]);
	TEST_ASSERT_EQ(get_ucall(vcpus[0], &uc), UCALL_SYNC);
	CASE_EXPECT(__kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA) < 0 && errno == EBUSY,
		    "a device after a vCPU has run: %s", strerror(errno));
}

static void refused_init(const char *why)
{
	int err = init();

	CASE_EXPECT(err == EINVAL, "%s: %s", why, strerror(err));
}

/* One thing wrong at a time; after each refusal it can be set right. */
static void init_refused(void)
{
	create();
	configure(KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 1);
	refused_init("no address for any IMSIC");
	place(0, AIA_IMSIC_GPA(0));
	refused_init("no address for IMSIC 1");
	place(1, AIA_IMSIC_GPA(1));
	configure(KVM_DEV_RISCV_AIA_CONFIG_SRCS, 40);
	refused_init("no address for the APLIC");
	TEST_ASSERT(!set(GRP_ADDR, KVM_DEV_RISCV_AIA_ADDR_APLIC, AIA_APLIC_GPA),
		    "address of the APLIC");

	if (get(GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_IDS) > 63) {
		configure(KVM_DEV_RISCV_AIA_CONFIG_IDS, 63);
		configure(KVM_DEV_RISCV_AIA_CONFIG_SRCS, 64);
		refused_init("more sources than ids");
		configure(KVM_DEV_RISCV_AIA_CONFIG_SRCS, 40);
	}

	configure(KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 0);
	refused_init("two IMSICs, no hart bits");
	configure(KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 1);
	place(1, AIA_IMSIC_GPA(3));
	refused_init("IMSICs that differ above the hart bits");
	place(1, AIA_IMSIC_GPA(1));

	configure(KVM_DEV_RISCV_AIA_CONFIG_GROUP_BITS, 1);
	configure(KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 13);
	refused_init("the highest hart bit is the lowest group bit");
	configure(KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 11);
	configure(KVM_DEV_RISCV_AIA_CONFIG_GUEST_BITS, 2);
	refused_init("hart bits above guest bits: the same");
	configure(KVM_DEV_RISCV_AIA_CONFIG_GUEST_BITS, 0);
	configure(KVM_DEV_RISCV_AIA_CONFIG_GROUP_BITS, 0);
	configure(KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 1);

	CASE_EXPECT(!init(), "refused: %s", strerror(errno));
	CASE_EXPECT(msi_arrives(vcpus[0], AIA_IMSIC_GPA(0)), "no MSI at vCPU 0");
	CASE_EXPECT(msi_arrives(vcpus[1], AIA_IMSIC_GPA(1)), "no MSI at vCPU 1");
}

static void imsics_apart(void)
{
	create();
	configure_all();
	place(1, AIA_IMSIC_GPA(0));
	refused_init("two IMSICs at one address");
	place(1, AIA_IMSIC_GPA(1));
	configure(KVM_DEV_RISCV_AIA_CONFIG_GUEST_BITS, 1);
	refused_init("an IMSIC at the page of another's guest");
	place(1, AIA_IMSIC_GPA(2));
	CASE_EXPECT(!init(), "refused: %s", strerror(errno));
	CASE_EXPECT(msi_arrives(vcpus[1], AIA_IMSIC_GPA(2)), "no MSI at vCPU 1");
}

/* A device on KVM's bus that is cheap. */
static struct kvm_coalesced_mmio_zone zone(unsigned int i)
{
	return (struct kvm_coalesced_mmio_zone){ .addr = (1ULL << 36) + 8 * i, .size = 8 };
}

/* The bus has as many places left as the device needs: what a failed init leaves there has none. */
static void init_refused_leaves_nothing(void)
{
	struct kvm_coalesced_mmio_zone z;
	unsigned int i, n = 0;

	create();
	configure_all();
	do {
		z = zone(n++);
	} while (!__vm_ioctl(vm, KVM_REGISTER_COALESCED_MMIO, &z));
	TEST_ASSERT(errno == ENOSPC && n > 100, "the bus takes only %u devices: %s", n,
		    strerror(errno));
	for (i = 0; i < 3; i++) {
		z = zone(i);
		vm_ioctl(vm, KVM_UNREGISTER_COALESCED_MMIO, &z);
	}

	place(1, AIA_IMSIC_GPA(3));
	for (i = 0; i < 4; i++)
		refused_init("IMSICs that differ above the hart bits");
	place(1, AIA_IMSIC_GPA(1));
	CASE_EXPECT(!init(), "after some that failed: %s", strerror(errno));
	CASE_EXPECT(msi_arrives(vcpus[0], AIA_IMSIC_GPA(0)), "no MSI at vCPU 0");
}

/* --- registers --------------------------------------------------------------------- */

static void imsic_registers(int mode)
{
	struct aia_config config = { .mode = mode, .ids = 63 };
	unsigned long all = ~0UL, value;
	unsigned int reg;
	struct ucall uc;
	uint64_t attr;

	vm = vm_create_with_vcpus(2, stop_guest, vcpus);
	aia = aia_create(vm, &config);
	/* Now the hardware's file is in use, if the mode has one. */
	vcpu_run(vcpus[0]);
	TEST_ASSERT_EQ(get_ucall(vcpus[0], &uc), UCALL_SYNC);

	for (reg = 0; reg < 0x1000; reg++) {
		/* 63 ids have one register of each kind. */
		bool there = reg == AIA_EIDELIVERY || reg == AIA_EITHRESHOLD ||
			     reg == AIA_EIP(0) || reg == AIA_EIE(0);
		int wanted = there ? 0 : reg >= AIA_EIP(0) && reg < 0x100 ? EINVAL : ENOENT, err;

		attr = KVM_DEV_RISCV_AIA_IMSIC_MKATTR(0, reg);
		err = has(GRP_IMSIC, attr);
		CASE_EXPECT(err == wanted, "has register %#x: %s", reg, strerror(err));
		err = try_get(GRP_IMSIC, attr, &attr);
		CASE_EXPECT(err == wanted, "get register %#x: %s", reg, strerror(err));
		err = set(GRP_IMSIC, KVM_DEV_RISCV_AIA_IMSIC_MKATTR(0, reg), 0);
		CASE_EXPECT(err == wanted, "set register %#x: %s", reg, strerror(err));
	}

	for (reg = 0; reg < 2; reg++) {
		aia_imsic_set(aia, vcpus[0], AIA_EIDELIVERY, !reg);
		value = aia_imsic_get(aia, vcpus[0], AIA_EIDELIVERY);
		CASE_EXPECT(value == !reg, "eidelivery reads %lu", value);
	}
	aia_imsic_set(aia, vcpus[0], AIA_EITHRESHOLD, 41);
	value = aia_imsic_get(aia, vcpus[0], AIA_EITHRESHOLD);
	CASE_EXPECT(value == 41, "eithreshold reads %lu", value);
	/* Interrupt 0 there is not. */
	aia_imsic_set(aia, vcpus[0], AIA_EIP(0), all);
	aia_imsic_set(aia, vcpus[0], AIA_EIE(0), all << 32);
	value = aia_imsic_get(aia, vcpus[0], AIA_EIP(0));
	CASE_EXPECT(value == all - 1, "eip0 reads %#lx", value);
	value = aia_imsic_get(aia, vcpus[0], AIA_EIE(0));
	CASE_EXPECT(value == all << 32, "eie0 reads %#lx", value);
	value = aia_imsic_get(aia, vcpus[1], AIA_EIP(0));
	CASE_EXPECT(!value, "eip0 of the other vCPU reads %#lx", value);
}

static void imsic_registers_emul(void)
{
	imsic_registers(KVM_DEV_RISCV_AIA_MODE_EMUL);
}

static void imsic_registers_hwaccel(void)
{
	imsic_registers(KVM_DEV_RISCV_AIA_MODE_HWACCEL);
}

/* Sparse vCPU ids: registers go by id, addresses by the order of creation. */
static void vcpu_ids(void)
{
	static const uint64_t nobody[] = { 1, 2, 4, 6, 1ULL << 20, 1ULL << 32, 1ULL << 32 | 5 };
	uint64_t attr, value;
	unsigned int i;

	vm = vm_create(2);
	vcpus[0] = vm_vcpu_add(vm, 0, stop_guest);
	vcpus[1] = vm_vcpu_add(vm, 5, stop_guest);
	aia = kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA);
	configure_all();
	TEST_ASSERT(!init(), "KVM_DEV_RISCV_AIA_CTRL_INIT");
	CASE_EXPECT(msi_arrives(vcpus[1], AIA_IMSIC_GPA(1)), "no MSI at vCPU 5");
	CASE_EXPECT(!aia_imsic_get(aia, vcpus[0], AIA_EIP(9)), "an MSI at vCPU 0");
	for (i = 0; i < ARRAY_SIZE(nobody); i++) {
		attr = nobody[i] << KVM_DEV_RISCV_AIA_IMSIC_ISEL_BITS | AIA_EIP(9);
		CASE_EXPECT(has(GRP_IMSIC, attr) == ENODEV, "there is a vCPU %#lx",
			    (unsigned long)nobody[i]);
		CASE_EXPECT(try_get(GRP_IMSIC, attr, &value) == ENODEV,
			    "eip of vCPU %#lx reads %#lx",
			    (unsigned long)nobody[i], (unsigned long)value);
		CASE_EXPECT(set(GRP_IMSIC, attr, 0) == ENODEV, "eip of vCPU %#lx can be set",
			    (unsigned long)nobody[i]);
	}
}

/* A vCPU that comes behind the initialization has no IMSIC, and runs. */
static void late_vcpu(void)
{
	struct kvm_mp_state run = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_vcpu *late;
	struct ucall uc;
	uint64_t value;

	vm = vm_create(3);
	vcpus[0] = vm_vcpu_add(vm, 0, stop_guest);
	vcpus[1] = vm_vcpu_add(vm, 1, stop_guest);
	aia = kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA);
	configure_all();
	TEST_ASSERT(!init(), "KVM_DEV_RISCV_AIA_CTRL_INIT");
	late = vm_vcpu_add(vm, 2, stop_guest);
	value = KVM_DEV_RISCV_AIA_IMSIC_MKATTR(2, AIA_EIDELIVERY);
	CASE_EXPECT(has(GRP_IMSIC, value) == ENODEV, "it has an IMSIC");
	CASE_EXPECT(try_get(GRP_IMSIC, value, &value) == ENODEV, "its IMSIC can be read");
	CASE_EXPECT(set(GRP_ADDR, KVM_DEV_RISCV_AIA_ADDR_IMSIC(2), AIA_IMSIC_GPA(2)) == EBUSY,
		    "its IMSIC can be placed");
	vcpu_mp_state_set(late, &run);
	vcpu_run(late);
	TEST_ASSERT_EQ(get_ucall(late, &uc), UCALL_SYNC);
	CASE_EXPECT(msi_arrives(vcpus[1], AIA_IMSIC_GPA(1)), "no MSI at vCPU 1");
}

/* The APLIC's registers end with its last source. */
static void aplic_registers(void)
{
	static const struct {
		uint32_t offset;
		int err;
	} registers[] = {
		{ APLIC_DOMAINCFG, 0 },
		{ APLIC_SOURCECFG(1), 0 }, { APLIC_SOURCECFG(40), 0 },
		{ APLIC_SOURCECFG(41), ENODEV },
		{ APLIC_SETIP(40), 0 }, { APLIC_SETIP(64), ENODEV }, { APLIC_SETIPNUM, 0 },
		{ APLIC_IN_CLRIP(40), 0 }, { APLIC_IN_CLRIP(64), ENODEV }, { APLIC_CLRIPNUM, 0 },
		{ APLIC_SETIE(40), 0 }, { APLIC_SETIE(64), ENODEV }, { APLIC_SETIENUM, 0 },
		{ APLIC_CLRIE(40), 0 }, { APLIC_CLRIE(64), ENODEV }, { APLIC_CLRIENUM, 0 },
		{ APLIC_SETIPNUM_LE, 0 }, { APLIC_SETIPNUM_BE, 0 }, { APLIC_GENMSI, 0 },
		{ APLIC_TARGET(1), 0 }, { APLIC_TARGET(40), 0 }, { APLIC_TARGET(41), ENODEV },
		{ 0x4000, ENODEV },
		{ APLIC_DOMAINCFG + 2, EOPNOTSUPP }, { APLIC_TARGET(1) + 1, EOPNOTSUPP },
	};
	unsigned int i;
	uint64_t value;
	int err;

	create();
	configure_all();
	TEST_ASSERT(!init(), "KVM_DEV_RISCV_AIA_CTRL_INIT");
	for (i = 0; i < ARRAY_SIZE(registers); i++) {
		err = has(GRP_APLIC, registers[i].offset);
		CASE_EXPECT(err == registers[i].err, "has register %#x: %s", registers[i].offset,
			    strerror(err));
		err = try_get(GRP_APLIC, registers[i].offset, &value);
		CASE_EXPECT(err == registers[i].err, "get register %#x: %s", registers[i].offset,
			    strerror(err));
		CASE_EXPECT(!(value >> 32), "register %#x reads 64 bits", registers[i].offset);
		err = set(GRP_APLIC, registers[i].offset, 0);
		CASE_EXPECT(err == registers[i].err, "set register %#x: %s", registers[i].offset,
			    strerror(err));
	}
}

/* --- save and restore ---------------------------------------------------------------- */

#define THRESHOLD	50

static void saved_guest(void)
{
	imsic_init();
	imsic_write(AIA_EITHRESHOLD, THRESHOLD);
	imsic_enable(3, true);
	imsic_enable(40, true);
	imsic_enable(60, true);
	GUEST_SYNC(0);
}

/* It relies on what saved_guest() has set up. */
static void restored_guest(void)
{
	unsigned int i;

	GUEST_SYNC(!!(csr_read(CSR_SIP) & 1UL << 9));
	for (i = 0; i < 3; i++)
		GUEST_SYNC((uint64_t)imsic_claim());
	imsic_write(AIA_EITHRESHOLD, 0);
	GUEST_SYNC((uint64_t)imsic_claim());
	imsic_enable(61, true);
	GUEST_SYNC((uint64_t)imsic_claim());
	GUEST_SYNC((uint64_t)imsic_claim());
	GUEST_SYNC(!!(csr_read(CSR_SIP) & 1UL << 9));
}

static unsigned long heard(void)
{
	struct ucall uc;

	vcpu_run(vcpus[0]);
	TEST_ASSERT_EQ(get_ucall(vcpus[0], &uc), UCALL_SYNC);
	return uc.args[1];
}

static void start(int mode, void (*code)(void))
{
	struct aia_config config = { .mode = mode };

	vm = vm_create_with_one_vcpu(&vcpus[0], code);
	aia = aia_create(vm, &config);
}

static void save_restore(int from, int to, bool csrs_last)
{
	static const unsigned int regs[] = {
		AIA_EIDELIVERY, AIA_EITHRESHOLD, AIA_EIP(0), AIA_EIE(0),
	};
	const uint64_t csrs[] = { RISCV_GENERAL_CSR_REG(sie), RISCV_GENERAL_CSR_REG(sip) };
	static const unsigned long wanted[] = { 1, 3, 40, 0, 60, 61, 0, 0 };
	unsigned long reg[ARRAY_SIZE(regs)], csr[ARRAY_SIZE(csrs)], value;
	unsigned int i, turn;

	start(from, saved_guest);
	heard();
	for (i = 0; i < 4; i++) {
		static const unsigned int ids[] = { 61, 40, 60, 3 };

		TEST_ASSERT(aia_signal_msi(vcpus[0], ids[i]) >= 0, "KVM_SIGNAL_MSI");
	}
	for (i = 0; i < ARRAY_SIZE(regs); i++)
		reg[i] = aia_imsic_get(aia, vcpus[0], regs[i]);
	for (i = 0; i < ARRAY_SIZE(csrs); i++)
		csr[i] = vcpu_get_reg(vcpus[0], csrs[i]);
	CASE_EXPECT(reg[0] == 1, "eidelivery is saved as %lu", reg[0]);
	CASE_EXPECT(reg[1] == THRESHOLD, "eithreshold is saved as %lu", reg[1]);
	CASE_EXPECT(reg[2] == (BIT(3) | BIT(40) | BIT(60) | BIT(61)), "eip0 is saved as %#lx",
		    reg[2]);
	CASE_EXPECT(reg[3] == (BIT(3) | BIT(40) | BIT(60)), "eie0 is saved as %#lx", reg[3]);

	start(to, restored_guest);
	for (turn = 0; turn < 2; turn++) {
		for (i = 0; turn != csrs_last && i < ARRAY_SIZE(regs); i++)
			aia_imsic_set(aia, vcpus[0], regs[i], reg[i]);
		for (i = 0; turn == csrs_last && i < ARRAY_SIZE(csrs); i++)
			vcpu_set_reg(vcpus[0], csrs[i], csr[i]);
	}
	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		value = aia_imsic_get(aia, vcpus[0], regs[i]);
		CASE_EXPECT(value == reg[i], "register %#x: %#lx was restored, is %#lx", regs[i],
			    reg[i], value);
	}
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		value = heard();
		CASE_EXPECT(value == wanted[i],
			    "CSRs %s: the restored guest says %lu at place %u, not %lu",
			    csrs_last ? "last" : "first", value, i, wanted[i]);
	}
}

static void save_restore_emul(void)
{
	save_restore(KVM_DEV_RISCV_AIA_MODE_EMUL, KVM_DEV_RISCV_AIA_MODE_EMUL, false);
	save_restore(KVM_DEV_RISCV_AIA_MODE_EMUL, KVM_DEV_RISCV_AIA_MODE_EMUL, true);
}

static void save_restore_hwaccel(void)
{
	save_restore(KVM_DEV_RISCV_AIA_MODE_HWACCEL, KVM_DEV_RISCV_AIA_MODE_HWACCEL, false);
	save_restore(KVM_DEV_RISCV_AIA_MODE_HWACCEL, KVM_DEV_RISCV_AIA_MODE_HWACCEL, true);
}

static void save_restore_to_emul(void)
{
	save_restore(KVM_DEV_RISCV_AIA_MODE_HWACCEL, KVM_DEV_RISCV_AIA_MODE_EMUL, false);
	save_restore(KVM_DEV_RISCV_AIA_MODE_HWACCEL, KVM_DEV_RISCV_AIA_MODE_EMUL, true);
}

static void save_restore_to_hwaccel(void)
{
	save_restore(KVM_DEV_RISCV_AIA_MODE_EMUL, KVM_DEV_RISCV_AIA_MODE_HWACCEL, false);
	save_restore(KVM_DEV_RISCV_AIA_MODE_EMUL, KVM_DEV_RISCV_AIA_MODE_HWACCEL, true);
}

#define FIRST	28	/* of six sources around the end of a word */
#define NR	6

static const struct {
	uint32_t mode;
	int wire;
} sources[NR] = {
	{ APLIC_EDGE_RISE, 1 }, { APLIC_EDGE_FALL, 0 }, { APLIC_LEVEL_HIGH, 1 },
	{ APLIC_LEVEL_LOW, 0 }, { APLIC_LEVEL_HIGH, 0 }, { APLIC_DETACHED, 0 },
};

struct aplic_state {
	uint32_t sourcecfg[NR], target[NR];
	uint32_t pending[2], enabled[2];
};

static struct aplic_state save_aplic(void)
{
	struct aplic_state s;
	unsigned int i;

	for (i = 0; i < NR; i++) {
		s.sourcecfg[i] = aia_aplic_get(aia, APLIC_SOURCECFG(FIRST + i));
		s.target[i] = aia_aplic_get(aia, APLIC_TARGET(FIRST + i));
	}
	for (i = 0; i < 2; i++) {
		s.pending[i] = aia_aplic_get(aia, APLIC_SETIP(32 * i));
		s.enabled[i] = aia_aplic_get(aia, APLIC_SETIE(32 * i));
	}
	return s;
}

/* In the order that keeps interrupts: wires, sources, what is pending. */
static void restore_aplic(const struct aplic_state *s)
{
	unsigned int i;

	for (i = 0; i < NR; i++) {
		kvm_irq_line(vm, FIRST + i, sources[i].wire);
		aia_aplic_set(aia, APLIC_SOURCECFG(FIRST + i), s->sourcecfg[i]);
		aia_aplic_set(aia, APLIC_TARGET(FIRST + i), s->target[i]);
	}
	for (i = 0; i < 2; i++) {
		aia_aplic_set(aia, APLIC_SETIP(32 * i), s->pending[i]);
		aia_aplic_set(aia, APLIC_SETIE(32 * i), s->enabled[i]);
	}
}

static void start_with_sources(void)
{
	struct aia_config config = { .mode = KVM_DEV_RISCV_AIA_MODE_EMUL, .sources = 40 };

	vm = vm_create_with_one_vcpu(&vcpus[0], stop_guest);
	aia = aia_create(vm, &config);
}

static void save_restore_aplic(void)
{
	struct aplic_state saved, restored;
	unsigned long eip;
	unsigned int i;

	/* The first three are pending, of which the second is not enabled. */
	start_with_sources();
	for (i = 0; i < NR; i++) {
		kvm_irq_line(vm, FIRST + i, !sources[i].wire);
		aia_aplic_set(aia, APLIC_SOURCECFG(FIRST + i), sources[i].mode);
		aia_aplic_set(aia, APLIC_TARGET(FIRST + i), APLIC_MSI(0, FIRST + i));
		aia_aplic_set(aia, APLIC_CLRIPNUM, FIRST + i);
		kvm_irq_line(vm, FIRST + i, sources[i].wire);
	}
	aia_aplic_set(aia, APLIC_CLRIPNUM, FIRST + 3);
	aia_aplic_set(aia, APLIC_SETIENUM, FIRST);
	aia_aplic_set(aia, APLIC_SETIENUM, FIRST + 2);
	saved = save_aplic();
	CASE_EXPECT(saved.pending[0] == 7u << FIRST && !saved.pending[1],
		    "pending are %#x %#x", saved.pending[0], saved.pending[1]);

	start_with_sources();
	restore_aplic(&saved);
	restored = save_aplic();
	CASE_EXPECT(!memcmp(saved.pending, restored.pending, sizeof(saved.pending)),
		    "pending are %#x %#x after", restored.pending[0], restored.pending[1]);
	CASE_EXPECT(!memcmp(&saved, &restored, sizeof(saved)), "sources are others than before");
	eip = aia_imsic_get(aia, vcpus[0], AIA_EIP(FIRST));
	CASE_EXPECT(!eip, "restoring sends %#lx", eip);
	aia_aplic_set(aia, APLIC_DOMAINCFG, APLIC_DOMAINCFG_ON);
	eip = aia_imsic_get(aia, vcpus[0], AIA_EIP(FIRST));
	CASE_EXPECT(eip == 5UL << FIRST, "the restored domain sends %#lx", eip);
}

static const struct witness_case cases[] = {
	{
		.name = "defaults",
		.verifies = "a new device has the host's best mode and all its ids, no sources and no addresses",
		.run = defaults,
	}, {
		.name = "limits",
		.verifies = "the last value inside each limit is taken, the first outside is refused and changes nothing",
		.run = limits,
	}, {
		.name = "modes",
		.verifies = "modes that use guest interrupt files can be had where there are such, no others",
		.run = modes,
	}, {
		.name = "addresses",
		.verifies = "addresses are those of pages, wherever they are",
		.run = addresses,
	}, {
		.name = "has_attr",
		.verifies = "KVM_HAS_DEVICE_ATTR says of each attribute what reading it says",
		.run = has_attr,
	}, {
		.name = "before_init",
		.verifies = "before its initialization the device has no registers and takes no interrupts",
		.run = before_init,
	}, {
		.name = "after_init",
		.verifies = "after its initialization the device can be neither configured nor initialized",
		.run = after_init,
	}, {
		.name = "one_device_before_running",
		.verifies = "a VM has one device, and gets none after a vCPU has run",
		.run = one_device_before_running,
	}, {
		.name = "init_refused",
		.verifies = "what is missing or contradicts itself is refused, and can be set right afterwards",
		.run = init_refused,
	}, {
		.name = "imsics_apart",
		.verifies = "no IMSIC is at the address of another, or of another's guest",
		.run = imsics_apart,
	}, {
		.name = "init_refused_leaves_nothing",
		.verifies = "a refused initialization leaves no device on KVM's bus",
		.run = init_refused_leaves_nothing,
	}, {
		.name = "imsic_registers_emul",
		.verifies = "an IMSIC has eidelivery, eithreshold, eip and eie for its ids and no other registers",
		.run = imsic_registers_emul,
	}, {
		.name = "imsic_registers_hwaccel",
		.verifies = "the same of an interrupt file of the hardware",
		.needs = "guest interrupt files",
		.run = imsic_registers_hwaccel,
	}, {
		.name = "vcpu_ids",
		.verifies = "IMSIC registers are those of the vCPU of that id, all its bits, and of nobody else",
		.run = vcpu_ids,
	}, {
		.name = "late_vcpu",
		.verifies = "a vCPU that is created after the initialization runs, without an IMSIC",
		.run = late_vcpu,
	}, {
		.name = "aplic_registers",
		.verifies = "the APLIC has the registers of its sources and no others",
		.run = aplic_registers,
	}, {
		.name = "save_restore_emul",
		.verifies = "pending, masked and enabled interrupts are there after they were saved and restored",
		.run = save_restore_emul,
	}, {
		.name = "save_restore_hwaccel",
		.verifies = "the same between files of the hardware",
		.needs = "guest interrupt files",
		.run = save_restore_hwaccel,
	}, {
		.name = "save_restore_to_emul",
		.verifies = "the same from a file of the hardware to KVM's own",
		.needs = "guest interrupt files",
		.run = save_restore_to_emul,
	}, {
		.name = "save_restore_to_hwaccel",
		.verifies = "the same from KVM's own to a file of the hardware",
		.needs = "guest interrupt files",
		.run = save_restore_to_hwaccel,
	}, {
		.name = "save_restore_aplic",
		.verifies = "sources, their wires and what is pending are there after they were saved and restored",
		.run = save_restore_aplic,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "aia_device_test",
		.needs = "AIA",
		.seed = "KVM: RISC-V: in-kernel irqchip (6.5), arch/riscv/include/uapi/asm/kvm.h",
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
