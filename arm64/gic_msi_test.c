// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSIs of a guest with a GICv3: a device writes an event number, the ITS makes an LPI of
 * it, a redistributor keeps it pending until the vCPU takes it.  Without an ITS there are
 * no MSIs, and KVM says so.
 *
 * Catches: an MSI that is lost, comes twice, to the wrong vCPU, or as the wrong LPI; one
 * that comes though its event is not mapped, the ITS or the redistributor is off, or the
 * guest has discarded it; a translation that KVM has cached and that outlives its mapping.
 *
 * Guests with MSIs by GICv2m (QEMU without an ITS) have SPIs, which KVM knows nothing of.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/bits.h>

#include "case.h"
#include "cpu.h"
#include "its.h"

#define LPIS_ENABLED	BIT(17)		/* GICD_TYPER.LPIS */
#define PHYSICAL_LPIS	BIT(0)		/* GICR_TYPER.PLPIS */

static struct its_vm its;

#define EXPECT_ACK(vcpu, want)							\
do {										\
	unsigned int __got = its_ack(&its, vcpu);				\
										\
	CASE_EXPECT(__got == (want), "vCPU %u takes interrupt %u, not %u",	\
		    (unsigned int)(vcpu), __got, (unsigned int)(want));		\
} while (0)

#define EXPECT_NOTHING()							\
do {										\
	EXPECT_ACK(0, ITS_NONE);						\
	EXPECT_ACK(1, ITS_NONE);						\
} while (0)

#define EXPECT_RET(call, want)							\
do {										\
	int __got = (call);							\
										\
	CASE_EXPECT(__got == (want), #call " is %d, not %d", __got, (int)(want)); \
} while (0)

/* Device 1's events 0 to 3 are LPIs 0 to 3 of vCPU 0, collection n is vCPU n. */
static void create(void)
{
	unsigned int event;

	its_create(&its, true);
	its_mapc(&its, 0, 0, true);
	its_mapc(&its, 1, 1, true);
	its_mapd(&its, 1, true);
	for (event = 0; event < 4; event++)
		its_mapti(&its, 1, event, ITS_LPI(event), 0);
}

/* One MSI before the case itself, so that its translation is cached. */
static void warm(uint32_t event)
{
	EXPECT_RET(its_signal(&its, 1, event), 1);
	EXPECT_ACK(0, ITS_LPI(event));
}

/* --- no ITS --------------------------------------------------------------- */

static void no_irqchip(void)
{
	its.vm = vm_create_barebones();
	EXPECT_RET(its_signal(&its, 0, 0), -EINVAL);
	EXPECT_RET(its_signal_flags(&its, ITS_TRANSLATER, 0, 0, 0), -EINVAL);
	CASE_EXPECT(!vm_check_cap(its.vm, KVM_CAP_MSI_DEVID), "KVM_CAP_MSI_DEVID without an ITS");
}

static void no_its(void)
{
	its_create(&its, false);
	CASE_EXPECT(!vm_check_cap(its.vm, KVM_CAP_MSI_DEVID), "KVM_CAP_MSI_DEVID without an ITS");
	EXPECT_RET(its_signal(&its, 0, 0), -ENODEV);
	EXPECT_RET(its_signal_flags(&its, ITS_TRANSLATER, 0, 0, 0), -ENODEV);
	CASE_EXPECT(!(its_read(&its, 0, GICD_BASE_GPA + GICD_TYPER, 4) & LPIS_ENABLED), "GICD_TYPER has LPIs");
	CASE_EXPECT(!(its_read(&its, 0, ITS_GICR(0) + GICR_TYPER, 8) & PHYSICAL_LPIS), "GICR_TYPER has LPIs");
	its_write(&its, 0, ITS_GICR(0) + GICR_CTLR, 4, GICR_CTLR_ENABLE_LPIS);
	CASE_EXPECT(!(its_read(&its, 0, ITS_GICR(0) + GICR_CTLR, 4) & GICR_CTLR_ENABLE_LPIS), "LPIs can be enabled");
	EXPECT_NOTHING();
}

/* A route by irqfd is taken; what comes by it is dropped. */
static int add_route(uint32_t gsi, uint32_t device, uint32_t event, uint32_t flags)
{
	struct kvm_irq_routing *routing = kvm_gsi_routing_create();

	routing->nr = 1;
	routing->entries[0] = (struct kvm_irq_routing_entry) {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.flags = flags,
		.u.msi = {
			.address_lo = (uint32_t)ITS_TRANSLATER,
			.address_hi = ITS_TRANSLATER >> 32,
			.data = event,
			.devid = device,
		},
	};
	return _kvm_gsi_routing_write(its.vm, routing) ? -errno : 0;
}

static void irqfd_without_its(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	uint64_t one = 1;
	unsigned int i;

	its_create(&its, false);
	EXPECT_RET(add_route(5, 1, 0, KVM_MSI_VALID_DEVID), 0);
	kvm_irqfd(its.vm, 5, fd, 0);
	for (i = 0; i < 100; i++) {
		TEST_ASSERT(write(fd, &one, sizeof(one)) == sizeof(one), "eventfd");
		EXPECT_NOTHING();
	}
	EXPECT_RET(its_signal(&its, 1, 0), -ENODEV);
}

/* --- who may send --------------------------------------------------------- */

static void with_its(void)
{
	its_create(&its, true);
	CASE_EXPECT(vm_check_cap(its.vm, KVM_CAP_MSI_DEVID) == 1, "no KVM_CAP_MSI_DEVID with an ITS");
	CASE_EXPECT(its_read(&its, 0, GICD_BASE_GPA + GICD_TYPER, 4) & LPIS_ENABLED, "GICD_TYPER has no LPIs");
	CASE_EXPECT(its_read(&its, 0, ITS_GICR(1) + GICR_TYPER, 8) & PHYSICAL_LPIS, "GICR_TYPER has no LPIs");
}

/* What the ioctl says must not depend on what has been sent before. */
static void arguments(void)
{
	unsigned int round;

	create();
	its_mapd(&its, 0, true);
	its_mapti(&its, 0, 0, ITS_LPI(8), 0);
	for (round = 0; round < 2; round++) {
		EXPECT_RET(its_signal_flags(&its, ITS_TRANSLATER, 0, 0, 0), -EINVAL);
		EXPECT_RET(its_signal_flags(&its, ITS_TRANSLATER, 0, 0, 2), -EINVAL);
		EXPECT_RET(its_signal_flags(&its, ITS_TRANSLATER, 0, 0, KVM_MSI_VALID_DEVID | BIT(31)), -EINVAL);
		EXPECT_RET(its_signal_flags(&its, GICD_BASE_GPA + 0x40, 0, 0, KVM_MSI_VALID_DEVID), -EINVAL);
		EXPECT_RET(its_signal_flags(&its, 0x1000, 0, 0, KVM_MSI_VALID_DEVID), -EINVAL);
		EXPECT_RET(its_signal_flags(&its, BIT(40) | ITS_TRANSLATER, 0, 0, KVM_MSI_VALID_DEVID), -EINVAL);
		EXPECT_NOTHING();
		EXPECT_RET(its_signal(&its, 0, 0), 1);
		EXPECT_ACK(0, ITS_LPI(8));
		EXPECT_NOTHING();
	}
	EXPECT_RET(add_route(5, 1, 0, 2), -EINVAL);
}

/* A write by a CPU comes from no device. */
static void translater_write(void)
{
	create();
	its_mapd(&its, 0, true);
	its_mapti(&its, 0, 0, ITS_LPI(8), 0);
	its_write(&its, 0, ITS_TRANSLATER, 4, 0);
	its_write(&its, 1, ITS_TRANSLATER, 4, 1);
	EXPECT_NOTHING();
}

/* --- what arrives --------------------------------------------------------- */

/* Devices, events and LPIs that have nothing in common, and both vCPUs. */
static void each_mapping(void)
{
	static const struct {
		uint32_t device, event, lpi;
	} maps[] = {
		{ 0, 0, ITS_LPI(9) }, { 0, 1, ITS_LPI(0) }, { 0, 0xffff, ITS_LPI(5) }, { 1, 0, ITS_LPI(17) },
		{ 1, 1, ITS_LPI(ITS_LPIS - 1) }, { 255, 3, ITS_LPI(3) }, { 4242, 1, ITS_LPI(2) },
	};
	unsigned int i, round;

	its_create(&its, true);
	its_mapc(&its, 7, 1, true);
	its_mapc(&its, 300, 0, true);
	for (i = 0; i < ARRAY_SIZE(maps); i++) {
		if (!i || maps[i].device != maps[i - 1].device)
			its_mapd(&its, maps[i].device, true);
		its_mapti(&its, maps[i].device, maps[i].event, maps[i].lpi, i % 2 ? 7 : 300);
	}
	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(maps); i++) {
			EXPECT_RET(its_signal(&its, maps[i].device, maps[i].event), 1);
			EXPECT_ACK(i % 2, maps[i].lpi);
			EXPECT_NOTHING();
		}
	}
}

/* All of them at once: more than the CPU interface has room for. */
static void many_at_once(void)
{
	const unsigned int n = 64;
	bool seen[64] = {};
	unsigned int i, intid;

	its_create(&its, true);
	its_mapc(&its, 0, 0, true);
	its_mapd(&its, 1, true);
	its_mapti_many(&its, 1, n, 0);
	for (i = 0; i < n; i++)
		EXPECT_RET(its_signal(&its, 1, i), 1);
	for (i = 0; i < n; i++) {
		intid = its_ack(&its, 0);
		CASE_EXPECT(intid >= ITS_LPI(0) && intid < ITS_LPI(n), "after %u of %u MSIs: interrupt %u", i, n, intid);
		CASE_EXPECT(!seen[intid - ITS_LPI(0)], "LPI %u comes twice", intid);
		seen[intid - ITS_LPI(0)] = true;
	}
	EXPECT_NOTHING();
}

static void coalesced(void)
{
	create();
	EXPECT_RET(its_signal(&its, 1, 0), 1);
	EXPECT_RET(its_signal(&its, 1, 0), 1);
	EXPECT_RET(its_signal(&its, 1, 0), 1);
	EXPECT_ACK(0, ITS_LPI(0));
	EXPECT_NOTHING();
	warm(0);
	EXPECT_NOTHING();
}

static void by_irqfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	uint64_t one = 1;
	unsigned int i, intid;

	create();
	EXPECT_RET(add_route(5, 1, 2, KVM_MSI_VALID_DEVID), 0);
	kvm_irqfd(its.vm, 5, fd, 0);
	/* The first goes by a worker, the others by the cache. */
	for (i = 0; i < 20; i++) {
		TEST_ASSERT(write(fd, &one, sizeof(one)) == sizeof(one), "eventfd");
		intid = its_ack_soon(&its, 0);
		CASE_EXPECT(intid == ITS_LPI(2), "MSI %u by irqfd is interrupt %u", i, intid);
		EXPECT_NOTHING();
	}
}

static void int_command(void)
{
	create();
	its_event(&its, GITS_CMD_INT, 1, 3);
	EXPECT_ACK(0, ITS_LPI(3));
	EXPECT_NOTHING();
	its_event(&its, GITS_CMD_INT, 1, 77);
	its_event(&its, GITS_CMD_INT, 77, 3);
	EXPECT_NOTHING();
}

/* --- what must not arrive ------------------------------------------------- */

/* Nobody keeps it: what is mapped later does not bring it back. */
static void unmapped(void)
{
	its_create(&its, true);
	its_mapc(&its, 0, 0, true);
	EXPECT_RET(its_signal(&its, 1, 0), 0);
	its_mapd(&its, 1, true);
	EXPECT_RET(its_signal(&its, 1, 0), 0);
	its_mapti(&its, 1, 0, ITS_LPI(0), 5);
	EXPECT_RET(its_signal(&its, 1, 0), 0);
	EXPECT_RET(its_signal(&its, 1, 0x10000), 0);
	EXPECT_RET(its_signal(&its, 0x10001, 0), 0);
	its_mapc(&its, 5, 0, true);
	EXPECT_NOTHING();
	warm(0);
	EXPECT_RET(its_signal(&its, 1, 0x10000), 0);
	EXPECT_RET(its_signal(&its, 0x10001, 0), 0);
	EXPECT_NOTHING();
}

/* Wrong numbers in the guest's commands map nothing. */
static void bad_mappings(void)
{
	create();
	its_mapti(&its, 1, 10, ITS_LPI(0) - 1, 0);		/* no LPI */
	its_mapti(&its, 1, 11, 0, 0);
	its_mapti(&its, 1, 12, 1U << 16, 0);			/* more than the table has */
	its_mapti(&its, 1, 0x10000, ITS_LPI(10), 0);		/* more than the ITT has */
	its_mapti(&its, 2, 0, ITS_LPI(11), 0);			/* no such device */
	its_mapc(&its, 9, ITS_VCPUS, true);			/* no such vCPU */
	its_mapti(&its, 1, 13, ITS_LPI(13), 9);
	its_mapti(&its, 1, 14, ITS_LPI(14), 0);
	EXPECT_RET(its_signal(&its, 1, 10), 0);
	EXPECT_RET(its_signal(&its, 1, 11), 0);
	EXPECT_RET(its_signal(&its, 1, 12), 0);
	EXPECT_RET(its_signal(&its, 1, 0x10000), 0);
	EXPECT_RET(its_signal(&its, 2, 0), 0);
	EXPECT_RET(its_signal(&its, 1, 13), 0);
	EXPECT_RET(its_signal(&its, 1, 14), 1);
	EXPECT_ACK(0, ITS_LPI(14));
	EXPECT_NOTHING();
}

static void unmap_device(void)
{
	create();
	warm(0);
	its_mapd(&its, 1, false);
	EXPECT_RET(its_signal(&its, 1, 0), 0);
	EXPECT_NOTHING();
}

static void unmap_collection(void)
{
	create();
	warm(0);
	its_mapc(&its, 0, 0, false);
	EXPECT_RET(its_signal(&its, 1, 0), 0);
	EXPECT_NOTHING();
}

static void its_off(void)
{
	create();
	warm(0);
	its_write(&its, 0, GITS_BASE_GPA + GITS_CTLR, 4, 0);
	EXPECT_RET(its_signal(&its, 1, 0), -EBUSY);
	EXPECT_RET(its_signal(&its, 1, 1), -EBUSY);
	EXPECT_NOTHING();
	its_write(&its, 0, GITS_BASE_GPA + GITS_CTLR, 4, GITS_CTLR_ENABLE);
	EXPECT_NOTHING();
	warm(0);
	warm(1);
}

static void lpis_off(void)
{
	create();
	warm(0);
	its_write(&its, 0, ITS_GICR(0) + GICR_CTLR, 4, 0);
	EXPECT_RET(its_signal(&its, 1, 0), -EBUSY);
	EXPECT_RET(its_signal(&its, 1, 1), -EBUSY);
	EXPECT_NOTHING();
	its_write(&its, 0, ITS_GICR(0) + GICR_CTLR, 4, GICR_CTLR_ENABLE_LPIS);
	EXPECT_NOTHING();
	warm(0);
}

/* PENDBASER.PTZ says that none is pending, masked ones included. */
static void lpis_off_masked(void)
{
	uint64_t pendbaser;

	create();
	its_configure(&its, ITS_LPI(0), false);
	its_event(&its, GITS_CMD_INV, 1, 0);
	EXPECT_RET(its_signal(&its, 1, 0), 1);
	its_write(&its, 0, ITS_GICR(0) + GICR_CTLR, 4, 0);
	pendbaser = its_read(&its, 0, ITS_GICR(0) + GICR_PENDBASER, 8);
	its_write(&its, 0, ITS_GICR(0) + GICR_PENDBASER, 8, pendbaser | GICR_PENDBASER_PTZ);
	its_write(&its, 0, ITS_GICR(0) + GICR_CTLR, 4, GICR_CTLR_ENABLE_LPIS);
	its_configure(&its, ITS_LPI(0), true);
	its_event(&its, GITS_CMD_INV, 1, 0);
	EXPECT_NOTHING();
	warm(0);
}

/* Its redistributor takes none, by whatever way the collection came there. */
static void to_vcpu_with_lpis_off(void)
{
	create();
	its_write(&its, 1, ITS_GICR(1) + GICR_CTLR, 4, 0);
	warm(0);
	warm(1);
	its_movi(&its, 1, 0, 1);
	EXPECT_RET(its_signal(&its, 1, 0), -EBUSY);
	warm(1);
	its_mapc(&its, 0, 1, true);
	EXPECT_RET(its_signal(&its, 1, 1), -EBUSY);
	EXPECT_NOTHING();
}

/* --- pending -------------------------------------------------------------- */

static void masked_pends(void)
{
	create();
	its_configure(&its, ITS_LPI(0), false);
	its_configure(&its, ITS_LPI(1), false);
	its_event(&its, GITS_CMD_INV, 1, 0);
	its_command(&its, 0, GITS_CMD_INVALL, 0, 0, 0);
	EXPECT_RET(its_signal(&its, 1, 0), 1);
	EXPECT_RET(its_signal(&its, 1, 1), 1);
	EXPECT_NOTHING();
	its_configure(&its, ITS_LPI(0), true);
	its_configure(&its, ITS_LPI(1), true);
	EXPECT_NOTHING();
	its_event(&its, GITS_CMD_INV, 1, 0);
	EXPECT_ACK(0, ITS_LPI(0));
	EXPECT_NOTHING();
	its_command(&its, 0, GITS_CMD_INVALL, 0, 0, 0);
	EXPECT_ACK(0, ITS_LPI(1));
	EXPECT_NOTHING();
}

static void clear(void)
{
	create();
	EXPECT_RET(its_signal(&its, 1, 0), 1);
	EXPECT_RET(its_signal(&its, 1, 1), 1);
	its_event(&its, GITS_CMD_CLEAR, 1, 0);
	EXPECT_ACK(0, ITS_LPI(1));
	EXPECT_NOTHING();
	warm(0);
}

/* DISCARD takes the pending state with the mapping. */
static void discard(void)
{
	create();
	EXPECT_RET(its_signal(&its, 1, 0), 1);
	EXPECT_RET(its_signal(&its, 1, 1), 1);
	its_event(&its, GITS_CMD_DISCARD, 1, 0);
	EXPECT_ACK(0, ITS_LPI(1));
	EXPECT_NOTHING();
	EXPECT_RET(its_signal(&its, 1, 0), 0);
	its_mapti(&its, 1, 0, ITS_LPI(0), 0);
	EXPECT_NOTHING();
	warm(0);
}

/* --- to the other vCPU ---------------------------------------------------- */

static void movi(void)
{
	create();
	warm(0);
	warm(1);
	its_movi(&its, 1, 0, 1);
	EXPECT_RET(its_signal(&its, 1, 0), 1);
	EXPECT_RET(its_signal(&its, 1, 1), 1);
	EXPECT_ACK(1, ITS_LPI(0));
	EXPECT_ACK(0, ITS_LPI(1));
	EXPECT_NOTHING();
	/* Not mapped: nothing moves. */
	its_movi(&its, 1, 1, 99);
	warm(1);
}

/* vCPU 0, which has the LPI, is the one that moves it. */
static void movi_pending(void)
{
	create();
	EXPECT_RET(its_signal(&its, 1, 0), 1);
	its_movi(&its, 1, 0, 1);
	EXPECT_ACK(1, ITS_LPI(0));
	EXPECT_NOTHING();
}

static void mapc_again(void)
{
	create();
	warm(0);
	its_mapc(&its, 0, 1, true);
	EXPECT_RET(its_signal(&its, 1, 0), 1);
	EXPECT_RET(its_signal(&its, 1, 1), 1);
	EXPECT_ACK(1, ITS_LPI(0));
	EXPECT_ACK(1, ITS_LPI(1));
	EXPECT_NOTHING();
}

static void movall(void)
{
	create();
	its_mapti(&its, 1, 9, ITS_LPI(9), 1);
	EXPECT_RET(its_signal(&its, 1, 0), 1);
	EXPECT_RET(its_signal(&its, 1, 1), 1);
	EXPECT_RET(its_signal(&its, 1, 9), 1);
	EXPECT_ACK(1, ITS_LPI(9));
	its_command(&its, 0, GITS_CMD_MOVALL, 0, 0UL << 16, 1UL << 16);
	EXPECT_ACK(1, ITS_LPI(0));
	EXPECT_ACK(1, ITS_LPI(1));
	EXPECT_NOTHING();
}

/* --- by the VMM ----------------------------------------------------------- */

static const uint64_t saved_regs[] = { GITS_CBASER, GITS_CREADR, GITS_CWRITER, GITS_BASER, GITS_BASER + 8, GITS_CTLR };

static void control(uint64_t what)
{
	kvm_device_attr_set(its.fd, KVM_DEV_ARM_VGIC_GRP_CTRL, what, NULL);
}

static void reset(void)
{
	create();
	warm(0);
	control(KVM_DEV_ARM_ITS_CTRL_RESET);
	EXPECT_RET(its_signal(&its, 1, 0), -EBUSY);
	EXPECT_NOTHING();
	CASE_EXPECT(!(its_read(&its, 0, GITS_BASE_GPA + GITS_CTLR, 4) & GITS_CTLR_ENABLE), "still on");
	CASE_EXPECT(!(its_read(&its, 0, GITS_BASE_GPA + GITS_BASER, 8) & GITS_BASER_VALID), "a table still valid");
}

/* As in a migration: tables and pending bits go through the guest's memory. */
static void save_restore(void)
{
	uint64_t regs[ARRAY_SIZE(saved_regs)];
	unsigned int i;

	create();
	its_mapd(&its, 40, true);
	its_mapti(&its, 40, 700, ITS_LPI(40), 1);
	its_mapti(&its, 40, 900, ITS_LPI(41), 1);
	EXPECT_RET(its_signal(&its, 1, 1), 1);
	EXPECT_RET(its_signal(&its, 40, 900), 1);

	control(KVM_DEV_ARM_ITS_SAVE_TABLES);
	kvm_device_attr_set(its.vm->arch.gic_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES, NULL);
	for (i = 0; i < ARRAY_SIZE(regs); i++)
		kvm_device_attr_get(its.fd, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, saved_regs[i], &regs[i]);

	/* The pending state is gone where LPIs are turned off. */
	its_write(&its, 0, ITS_GICR(0) + GICR_CTLR, 4, 0);
	its_write(&its, 1, ITS_GICR(1) + GICR_CTLR, 4, 0);
	control(KVM_DEV_ARM_ITS_CTRL_RESET);
	its_write(&its, 0, ITS_GICR(0) + GICR_CTLR, 4, GICR_CTLR_ENABLE_LPIS);
	its_write(&its, 1, ITS_GICR(1) + GICR_CTLR, 4, GICR_CTLR_ENABLE_LPIS);
	EXPECT_NOTHING();

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		if (saved_regs[i] == GITS_CTLR)
			control(KVM_DEV_ARM_ITS_RESTORE_TABLES);
		kvm_device_attr_set(its.fd, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, saved_regs[i], &regs[i]);
	}
	EXPECT_ACK(0, ITS_LPI(1));
	EXPECT_ACK(1, ITS_LPI(41));
	EXPECT_NOTHING();
	warm(0);
	warm(3);
	EXPECT_RET(its_signal(&its, 40, 700), 1);
	EXPECT_ACK(1, ITS_LPI(40));
	EXPECT_RET(its_signal(&its, 1, 4), 0);
	EXPECT_RET(its_signal(&its, 40, 701), 0);
	EXPECT_NOTHING();
}

/* --- at the same time ----------------------------------------------------- */

#define EVENTS	4000	/* it takes KVM a while to find one of the later half */
#define ROUNDS	200

static unsigned int sending;	/* the event that the sender is at */
static bool stop;

static unsigned int next_event(unsigned int event)
{
	return event + 1 < EVENTS ? event + 1 : EVENTS / 2;
}

/* Goes on with the next event when one has arrived, so that no translation is cached. */
static void *send_all(void *arg)
{
	unsigned int event = EVENTS / 2;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		__atomic_store_n(&sending, event, __ATOMIC_RELAXED);
		if (its_signal(&its, 1, event) == 1)
			event = next_event(event);
	}
	return NULL;
}

static unsigned int now_sending(void)
{
	return __atomic_load_n(&sending, __ATOMIC_RELAXED);
}

static void set_its(bool on)
{
	uint64_t value = on ? GITS_CTLR_ENABLE : 0;

	kvm_device_attr_set(its.fd, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, GITS_CTLR, &value);
}

/*
 * What is on its way when the ITS is turned off may arrive; later MSIs may not, those of
 * the same event included.
 */
static void its_off_while_sending(void)
{
	unsigned int i, n, begin, event, late = 0;
	int cpu = cpu_pin_first();
	pthread_t sender;

	its_create(&its, true);
	its_mapc(&its, 0, 0, true);
	its_mapd(&its, 1, true);
	its_mapti_many(&its, 1, EVENTS, 0);
	set_its(false);
	sending = EVENTS / 2;
	if (__cpu_pin(cpu + 1))
		case_skip("no second CPU");
	pthread_create(&sender, NULL, send_all, NULL);
	TEST_ASSERT(!__cpu_pin(cpu), "cannot go back to CPU %d", cpu);
	for (i = 0; i < ROUNDS; i++) {
		begin = now_sending();
		set_its(true);
		for (n = 0; now_sending() == begin; n++)
			TEST_ASSERT(n < 100000000, "the sender sends no more, in round %u", i);
		set_its(false);
		/* The ITS does one at a time: the sender's is done then. */
		EXPECT_RET(its_signal(&its, 1, 0), -EBUSY);
		/* It is at the event that was under way, or the one behind it. */
		event = now_sending();
		late += its_signal(&its, 1, event) != -EBUSY;
		late += event > EVENTS / 2 && its_signal(&its, 1, event - 1) != -EBUSY;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(sender, NULL);
	CASE_EXPECT(!late, "%u MSIs get through, in %u rounds", late, ROUNDS);
}

static const struct witness_case cases[] = {
	{
		.name = "no_irqchip",
		.verifies = "without a GIC KVM_SIGNAL_MSI gives EINVAL",
		.run = no_irqchip,
	}, {
		.name = "no_its",
		.verifies = "without an ITS KVM_SIGNAL_MSI gives ENODEV, no device id is asked for and the guest sees no LPIs",
		.run = no_its,
	}, {
		.name = "irqfd_without_its",
		.verifies = "an MSI by irqfd is dropped without an ITS",
		.run = irqfd_without_its,
	}, {
		.name = "with_its",
		.verifies = "with an ITS device ids are asked for and the guest sees LPIs",
		.run = with_its,
	}, {
		.name = "arguments",
		.verifies = "no device id, unknown flags and other addresses give EINVAL, whatever has been sent before",
		.run = arguments,
	}, {
		.name = "translater_write",
		.verifies = "a vCPU's own write to GITS_TRANSLATER does nothing",
		.run = translater_write,
	}, {
		.name = "each_mapping",
		.verifies = "each device's event comes once, as its LPI, to its collection's vCPU",
		.run = each_mapping,
	}, {
		.name = "many_at_once",
		.verifies = "64 LPIs that are pending at once come once each",
		.run = many_at_once,
	}, {
		.name = "coalesced",
		.verifies = "an LPI that is pending already comes once, and again after the next MSI",
		.run = coalesced,
	}, {
		.name = "by_irqfd",
		.verifies = "MSIs by irqfd arrive, with and without a cached translation",
		.run = by_irqfd,
	}, {
		.name = "int_command",
		.verifies = "the guest's INT command is an MSI of that device",
		.run = int_command,
	}, {
		.name = "unmapped",
		.verifies = "an MSI whose device, event or collection is not mapped is dropped for good",
		.run = unmapped,
	}, {
		.name = "bad_mappings",
		.verifies = "MAPTI and MAPC with numbers out of range map nothing",
		.run = bad_mappings,
	}, {
		.name = "unmap_device",
		.verifies = "after MAPD with V=0 nothing arrives",
		.run = unmap_device,
	}, {
		.name = "unmap_collection",
		.verifies = "after MAPC with V=0 nothing arrives",
		.run = unmap_collection,
	}, {
		.name = "its_off",
		.verifies = "an ITS that is off drops MSIs with EBUSY, cached translations as well",
		.run = its_off,
	}, {
		.name = "lpis_off",
		.verifies = "MSIs to a redistributor with LPIs off are dropped with EBUSY, cached translations as well",
		.run = lpis_off,
	}, {
		.name = "lpis_off_masked",
		.verifies = "turning LPIs off forgets what is pending and masked",
		.run = lpis_off_masked,
	}, {
		.name = "to_vcpu_with_lpis_off",
		.verifies = "the same when MOVI or MAPC has brought the event to such a redistributor",
		.run = to_vcpu_with_lpis_off,
	}, {
		.name = "masked_pends",
		.verifies = "an LPI that the table disables pends until it is enabled and INV or INVALL says so",
		.run = masked_pends,
	}, {
		.name = "clear",
		.verifies = "CLEAR drops a pending LPI, and only that",
		.run = clear,
	}, {
		.name = "discard",
		.verifies = "DISCARD drops a pending LPI with its mapping, and only that",
		.run = discard,
	}, {
		.name = "movi",
		.verifies = "after MOVI the event comes to the other vCPU, others do not",
		.run = movi,
	}, {
		.name = "movi_pending",
		.verifies = "MOVI takes a pending LPI to the other vCPU",
		.run = movi_pending,
	}, {
		.name = "mapc_again",
		.verifies = "MAPC takes a whole collection to the other vCPU",
		.run = mapc_again,
	}, {
		.name = "movall",
		.verifies = "MOVALL takes what is pending to the other vCPU",
		.run = movall,
	}, {
		.name = "reset",
		.verifies = "KVM_DEV_ARM_ITS_CTRL_RESET turns the ITS off and forgets all mappings",
		.run = reset,
	}, {
		.name = "save_restore",
		.verifies = "mappings and pending LPIs survive being saved to the guest's memory and restored from it",
		.run = save_restore,
	}, {
		.name = "its_off_while_sending",
		.verifies = "no MSI that is sent after the ITS was turned off arrives, though others were under way then",
		.run = its_off_while_sending,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "gic_msi_test",
		.needs = "KVM on arm64 with a GICv3",
		.seed = "hw/arm: GICv2m when there is no ITS, for WHPX (v8)",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
