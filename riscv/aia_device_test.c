// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's AIA device as a VMM sees it: what can be configured, and when.
 *
 * Catches: a limit that is off by one or missing; a configuration that changes under a
 * running VM; a failed KVM_DEV_RISCV_AIA_CTRL_INIT that leaves something behind.  In 7.3
 * two vCPUs may have one IMSIC address, so that the MSIs of both go to the first.
 */
#include "aia.h"
#include "aia_device.h"
#include "case.h"

#define UNSET	(~0ULL)

static struct kvm_vcpu *vcpus[2];
static struct kvm_vm *vm;
static int aia;

static void defaults(void)
{
	uint64_t ids, mode, best;

	vm = aia_bare_vm(vcpus, &aia);
	best = aia_has_guest_files() ? KVM_DEV_RISCV_AIA_MODE_AUTO : KVM_DEV_RISCV_AIA_MODE_EMUL;
	mode = aia_get(aia, AIA_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_MODE);
	CASE_EXPECT(mode == best, "mode %lu", (unsigned long)mode);
	ids = aia_get(aia, AIA_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_IDS);
	CASE_EXPECT(ids >= 63 && ids < 2048 && ids % 64 == 63, "%lu ids", (unsigned long)ids);
	CASE_EXPECT(!aia_get(aia, AIA_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_SRCS), "sources");
	CASE_EXPECT(!aia_get(aia, AIA_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_GROUP_BITS), "group bits");
	CASE_EXPECT(aia_get(aia, AIA_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_GROUP_SHIFT) == 24, "group shift");
	CASE_EXPECT(!aia_get(aia, AIA_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_HART_BITS), "hart bits");
	CASE_EXPECT(!aia_get(aia, AIA_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_GUEST_BITS), "guest bits");
	CASE_EXPECT(aia_get(aia, AIA_ADDR, KVM_DEV_RISCV_AIA_ADDR_APLIC) == UNSET, "address of the APLIC");
	CASE_EXPECT(aia_get(aia, AIA_ADDR, KVM_DEV_RISCV_AIA_ADDR_IMSIC(1)) == UNSET, "address of IMSIC 1");
}

static void takes(uint64_t what, uint32_t value)
{
	int err = aia_set(aia, AIA_CONFIG, what, value);

	CASE_EXPECT(!err, "configuration %u = %u: %s", (unsigned int)what, value, strerror(err));
	CASE_EXPECT(aia_get(aia, AIA_CONFIG, what) == value, "configuration %u = %u reads %lu",
		    (unsigned int)what, value,
		    (unsigned long)aia_get(aia, AIA_CONFIG, what));
}

static void refuses(uint64_t what, uint32_t value)
{
	uint64_t before = aia_get(aia, AIA_CONFIG, what);
	int err = aia_set(aia, AIA_CONFIG, what, value);

	CASE_EXPECT(err == EINVAL, "configuration %u = %u: %s", (unsigned int)what, value,
		    strerror(err));
	CASE_EXPECT(aia_get(aia, AIA_CONFIG, what) == before,
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

	vm = aia_bare_vm(vcpus, &aia);
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		takes(ranges[i].what, ranges[i].first);
		takes(ranges[i].what, ranges[i].last);
		refuses(ranges[i].what, ranges[i].first - 1);
		refuses(ranges[i].what, ranges[i].last + 1);
	}

	/* As many as the host has, and whole registers of 64. */
	ids = aia_get(aia, AIA_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_IDS);
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
	vm = aia_bare_vm(vcpus, &aia);
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

	vm = aia_bare_vm(vcpus, &aia);
	for (i = 0; i < 3; i++) {
		/* 0 is the APLIC's. */
		uint64_t high = (1ULL << 40) + (i << 12);

		CASE_EXPECT(!aia_set(aia, AIA_ADDR, i, high), "address %u", i);
		CASE_EXPECT(aia_get(aia, AIA_ADDR, i) == high, "address %u reads %#lx", i,
			    (unsigned long)aia_get(aia, AIA_ADDR, i));
		CASE_EXPECT(aia_set(aia, AIA_ADDR, i, high + 0x800) == EINVAL, "address %u within a page",
			    i);
		CASE_EXPECT(aia_set(aia, AIA_ADDR, i, high + 4) == EINVAL, "address %u within a page", i);
		CASE_EXPECT(aia_get(aia, AIA_ADDR, i) == high, "address %u is changed by a refused one", i);
	}
}

/* KVM_HAS_DEVICE_ATTR agrees with what can be read. */
static void has_attr(void)
{
	uint64_t value, attr;
	uint32_t group;
	int err;

	vm = aia_bare_vm(vcpus, &aia);
	aia_configure_all(aia);
	TEST_ASSERT(!aia_init(aia), "KVM_DEV_RISCV_AIA_CTRL_INIT");
	CASE_EXPECT(!aia_has(aia, AIA_CTRL, KVM_DEV_RISCV_AIA_CTRL_INIT), "there is no CTRL_INIT");
	CASE_EXPECT(aia_has(aia, AIA_CTRL, 1) == ENXIO, "there is a second control");
	for (group = 0; group < 6; group++) {
		for (attr = 0; group != AIA_CTRL && attr < 8; attr++) {
			err = aia_try_get(aia, group, attr, &value);
			CASE_EXPECT(aia_has(aia, group, attr) == err,
				    "attribute %u.%lu: %s, but reading it %s", group,
				    (unsigned long)attr, strerror(aia_has(aia, group, attr)), strerror(err));
		}
	}
	CASE_EXPECT(!aia_has(aia, AIA_CONFIG, 6) && aia_has(aia, AIA_CONFIG, 7) == ENXIO,
		    "not seven things to configure");
	CASE_EXPECT(!aia_has(aia, AIA_ADDR, 2) && aia_has(aia, AIA_ADDR, 3) == ENXIO,
		    "not one address for each vCPU");
	CASE_EXPECT(aia_has(aia, 5, 0) == ENXIO, "there is a sixth group");
}

static void before_init(void)
{
	struct kvm_msi msi = { .address_lo = AIA_IMSIC_GPA(0), .data = 9 };
	uint64_t value, eidelivery = KVM_DEV_RISCV_AIA_IMSIC_MKATTR(0, AIA_EIDELIVERY);
	int err;

	vm = vm_create_with_vcpus(2, aia_stop_guest, vcpus);
	CASE_EXPECT(_kvm_irq_line(vm, 1, 1) && errno == ENXIO, "a wire without any device: %s",
		    strerror(errno));
	aia = kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA);
	aia_configure_all(aia);
	CASE_EXPECT(aia_has(aia, AIA_APLIC, 0) == ENODEV, "the APLIC has registers");
	CASE_EXPECT(aia_set(aia, AIA_APLIC, 0, 0) == ENODEV, "a register of the APLIC can be set");
	err = aia_try_get(aia, AIA_APLIC, 0, &value);
	CASE_EXPECT(err == ENODEV, "a register of the APLIC can be read: %s", strerror(err));
	CASE_EXPECT(aia_has(aia, AIA_IMSIC, eidelivery) == ENODEV, "the IMSIC has registers");
	CASE_EXPECT(aia_set(aia, AIA_IMSIC, eidelivery, 0) == ENODEV, "a register of the IMSIC can be set");
	err = aia_try_get(aia, AIA_IMSIC, eidelivery, &value);
	CASE_EXPECT(err == ENODEV, "a register of the IMSIC can be read: %s", strerror(err));
	CASE_EXPECT(_kvm_irq_line(vm, 1, 1) && errno == EBUSY, "a wire: %s", strerror(errno));
	CASE_EXPECT(__vm_ioctl(vm, KVM_SIGNAL_MSI, &msi) < 0 && errno == EBUSY, "an MSI: %s",
		    strerror(errno));
}

static void after_init(void)
{
	uint64_t config[7], address[3], i;
	int err;

	vm = aia_bare_vm(vcpus, &aia);
	aia_configure_all(aia);
	for (i = 0; i < ARRAY_SIZE(config); i++)
		config[i] = aia_get(aia, AIA_CONFIG, i);
	for (i = 0; i < ARRAY_SIZE(address); i++)
		address[i] = aia_get(aia, AIA_ADDR, i);
	err = aia_init(aia);
	CASE_EXPECT(!err, "KVM_DEV_RISCV_AIA_CTRL_INIT: %s", strerror(err));
	for (i = 0; i < ARRAY_SIZE(config); i++) {
		err = aia_set(aia, AIA_CONFIG, i, config[i]);
		CASE_EXPECT(err == EBUSY, "configuration %lu: %s", (unsigned long)i, strerror(err));
		CASE_EXPECT(aia_get(aia, AIA_CONFIG, i) == config[i], "configuration %lu is another",
			    (unsigned long)i);
	}
	for (i = 0; i < ARRAY_SIZE(address); i++) {
		err = aia_set(aia, AIA_ADDR, i, address[i]);
		CASE_EXPECT(err == EBUSY, "address %lu: %s", (unsigned long)i, strerror(err));
		CASE_EXPECT(aia_get(aia, AIA_ADDR, i) == address[i], "address %lu is another",
			    (unsigned long)i);
	}
	err = aia_init(aia);
	CASE_EXPECT(err == EBUSY, "a second KVM_DEV_RISCV_AIA_CTRL_INIT: %s", strerror(err));
	CASE_EXPECT(aia_msi_arrives(aia, vcpus[1], AIA_IMSIC_GPA(1)), "no MSI at vCPU 1");
}

static void one_device_before_running(void)
{
	struct ucall uc;

	vm = aia_bare_vm(vcpus, &aia);
	CASE_EXPECT(__kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA) < 0 && errno == EEXIST,
		    "a second device: %s", strerror(errno));

	vm = vm_create_with_vcpus(2, aia_stop_guest, vcpus);
	vcpu_run(vcpus[0]);
	TEST_ASSERT_EQ(get_ucall(vcpus[0], &uc), UCALL_SYNC);
	CASE_EXPECT(__kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA) < 0 && errno == EBUSY,
		    "a device after a vCPU has run: %s", strerror(errno));
}

static void refused_init(const char *why)
{
	int err = aia_init(aia);

	CASE_EXPECT(err == EINVAL, "%s: %s", why, strerror(err));
}

/* One thing wrong at a time; after each refusal it can be set right. */
static void init_refused(void)
{
	vm = aia_bare_vm(vcpus, &aia);
	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 1);
	refused_init("no address for any IMSIC");
	aia_place(aia, 0, AIA_IMSIC_GPA(0));
	refused_init("no address for IMSIC 1");
	aia_place(aia, 1, AIA_IMSIC_GPA(1));
	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_SRCS, 40);
	refused_init("no address for the APLIC");
	TEST_ASSERT(!aia_set(aia, AIA_ADDR, KVM_DEV_RISCV_AIA_ADDR_APLIC, AIA_APLIC_GPA),
		    "address of the APLIC");

	if (aia_get(aia, AIA_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_IDS) > 63) {
		aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_IDS, 63);
		aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_SRCS, 64);
		refused_init("more sources than ids");
		aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_SRCS, 40);
	}

	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 0);
	refused_init("two IMSICs, no hart bits");
	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 1);
	aia_place(aia, 1, AIA_IMSIC_GPA(3));
	refused_init("IMSICs that differ above the hart bits");
	aia_place(aia, 1, AIA_IMSIC_GPA(1));

	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_GROUP_BITS, 1);
	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 13);
	refused_init("the highest hart bit is the lowest group bit");
	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 11);
	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_GUEST_BITS, 2);
	refused_init("hart bits above guest bits: the same");
	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_GUEST_BITS, 0);
	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_GROUP_BITS, 0);
	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 1);

	CASE_EXPECT(!aia_init(aia), "refused: %s", strerror(errno));
	CASE_EXPECT(aia_msi_arrives(aia, vcpus[0], AIA_IMSIC_GPA(0)), "no MSI at vCPU 0");
	CASE_EXPECT(aia_msi_arrives(aia, vcpus[1], AIA_IMSIC_GPA(1)), "no MSI at vCPU 1");
}

static void imsics_apart(void)
{
	vm = aia_bare_vm(vcpus, &aia);
	aia_configure_all(aia);
	aia_place(aia, 1, AIA_IMSIC_GPA(0));
	refused_init("two IMSICs at one address");
	aia_place(aia, 1, AIA_IMSIC_GPA(1));
	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_GUEST_BITS, 1);
	refused_init("an IMSIC at the page of another's guest");
	aia_place(aia, 1, AIA_IMSIC_GPA(2));
	CASE_EXPECT(!aia_init(aia), "refused: %s", strerror(errno));
	CASE_EXPECT(aia_msi_arrives(aia, vcpus[1], AIA_IMSIC_GPA(2)), "no MSI at vCPU 1");
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

	vm = aia_bare_vm(vcpus, &aia);
	aia_configure_all(aia);
	do {
		z = zone(n++);
	} while (!__vm_ioctl(vm, KVM_REGISTER_COALESCED_MMIO, &z));
	TEST_ASSERT(errno == ENOSPC && n > 100, "the bus takes only %u devices: %s", n,
		    strerror(errno));
	for (i = 0; i < 3; i++) {
		z = zone(i);
		vm_ioctl(vm, KVM_UNREGISTER_COALESCED_MMIO, &z);
	}

	aia_place(aia, 1, AIA_IMSIC_GPA(3));
	for (i = 0; i < 4; i++)
		refused_init("IMSICs that differ above the hart bits");
	aia_place(aia, 1, AIA_IMSIC_GPA(1));
	CASE_EXPECT(!aia_init(aia), "after some that failed: %s", strerror(errno));
	CASE_EXPECT(aia_msi_arrives(aia, vcpus[0], AIA_IMSIC_GPA(0)), "no MSI at vCPU 0");
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
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "aia_device_test",
		.needs = "AIA",
		.seed = "KVM: RISC-V: in-kernel irqchip (6.5), arch/riscv/include/uapi/asm/kvm.h",
		.setup = aia_need,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
