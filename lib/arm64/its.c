// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM with an ITS, see include/arm64/its.h.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <linux/bits.h>
#include <linux/sizes.h>

#include "case.h"
#include "its.h"
#include "gic_v3_its.h"	/* wants the types of those above */
#include "vgic.h"

#define SLOT		1
#define NR_ITTS		8
#define ITT_SIZE	(BIT(16) * 8)
#define PATIENCE	60	/* seconds */
#define CONFIG_ENABLED	(0xa0 | LPI_PROP_GROUP1 | LPI_PROP_ENABLED)

enum { READ, WRITE, ACK, COMMAND, MAPTI_MANY, ITS_INIT, LPIS_INIT };

/* What the vCPU is to do next. */
static struct op {
	uint64_t what;
	uint64_t arg[4];
	uint64_t size;
} ops[ITS_VCPUS];

/* --- the guest's side ----------------------------------------------------- */

static uint64_t guest_access(const struct op *op)
{
	void *address = (void *)op->arg[0];

	if (op->what == READ)
		return op->size == 8 ? readq_relaxed(address) : readl_relaxed(address);
	if (op->size == 8)
		writeq_relaxed(op->arg[1], address);
	else
		writel_relaxed(op->arg[1], address);
	return 0;
}

static uint64_t guest_ack(void)
{
	unsigned int intid;

	/* What the host has made pending since is there now. */
	isb();
	intid = gic_get_and_ack_irq();
	if (intid != IAR_SPURIOUS)
		gic_set_eoi(intid);
	return intid;
}

/* Puts a command into the queue, which is of 64 KiB and mapped to itself; returns the place behind it. */
static uint64_t guest_queue(uint64_t at, uint64_t d0, uint64_t d1, uint64_t d2, uint64_t d3)
{
	uint64_t *command = (uint64_t *)((readq_relaxed(GITS_BASE_GVA + GITS_CBASER) & GENMASK_ULL(51, 12)) + at);

	command[0] = d0;
	command[1] = d1;
	command[2] = d2;
	command[3] = d3;
	return (at + 32) % SZ_64K;
}

static bool guest_do_queue(uint64_t end)
{
	dsb(ishst);
	writeq_relaxed(end, GITS_BASE_GVA + GITS_CWRITER);
	return readq_relaxed(GITS_BASE_GVA + GITS_CREADR) == end;
}

static uint64_t guest_mapti_many(uint32_t device, unsigned int n, uint16_t collection)
{
	uint64_t at = readq_relaxed(GITS_BASE_GVA + GITS_CWRITER);
	unsigned int i;

	for (i = 0; i < n; i++) {
		at = guest_queue(at, (uint64_t)device << 32 | GITS_CMD_MAPTI, (uint64_t)ITS_LPI(i) << 32 | i, collection, 0);
		/* The queue must not become full. */
		if (i % 1024 == 1023 && !guest_do_queue(at))
			return false;
	}
	return guest_do_queue(at);
}

static uint64_t guest_command(const struct op *op)
{
	uint64_t at = readq_relaxed(GITS_BASE_GVA + GITS_CWRITER);

	return guest_do_queue(guest_queue(at, op->arg[0], op->arg[1], op->arg[2], op->arg[3]));
}

static uint64_t guest_step(const struct op *op)
{
	switch (op->what) {
	case READ:
	case WRITE:
		return guest_access(op);
	case ACK:
		return guest_ack();
	case COMMAND:
		return guest_command(op);
	case MAPTI_MANY:
		return guest_mapti_many(op->arg[0], op->arg[1], op->arg[2]);
	case ITS_INIT:
		its_init(op->arg[0], SZ_64K, op->arg[1], SZ_64K, op->arg[2], SZ_64K);
		break;
	case LPIS_INIT:
		gic_rdist_enable_lpis(op->arg[0], SZ_64K, op->arg[1]);
		break;
	}
	return 0;
}

static void guest(unsigned int vcpu)
{
	uint64_t ret = 0;

	gic_init(GIC_V3, ITS_VCPUS);
	for (;;) {
		/* The host changes ops[] meanwhile. */
		GUEST_SYNC(ret);
		ret = guest_step(&ops[vcpu]);
	}
}

/* --- the host's side ------------------------------------------------------ */

static uint64_t run(struct its_vm *its, unsigned int vcpu)
{
	struct ucall uc;

	vcpu_run(its->vcpus[vcpu]);
	switch (get_ucall(its->vcpus[vcpu], &uc)) {
	case UCALL_SYNC:
		return uc.args[1];
	case UCALL_ABORT:
		REPORT_GUEST_ASSERT(uc);
		break;
	default:
		case_fail("vCPU %u ends KVM_RUN with exit reason %u", vcpu, its->vcpus[vcpu]->run->exit_reason);
	}
	return 0;
}

static uint64_t step(struct its_vm *its, unsigned int vcpu, struct op op)
{
	memcpy(addr_gva2hva(its->vm, (gva_t)&ops[vcpu]), &op, sizeof(op));
	return run(its, vcpu);
}

const char *its_unavailable(void)
{
	struct kvm_vm *vm = vm_create_barebones();
	int ret = __kvm_test_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_ITS);

	kvm_vm_free(vm);
	return ret ? "no ITS for guests: no GICv3 on this host" : NULL;
}

static void create_its(struct its_vm *its)
{
	size_t size = (4 + ITS_VCPUS) * SZ_64K + NR_ITTS * ITT_SIZE;
	const uint64_t base = 0x100000000;
	unsigned int i;

	vm_userspace_mem_region_add(its->vm, VM_MEM_SRC_ANONYMOUS, base, SLOT, size / its->vm->page_size, 0);
	its->devices = base;
	its->collections = base + SZ_64K;
	its->commands = base + 2 * SZ_64K;
	its->config = base + 3 * SZ_64K;
	its->pending = base + 4 * SZ_64K;
	its->itts = its->pending + ITS_VCPUS * SZ_64K;
	virt_map(its->vm, its->commands, its->commands, SZ_64K / its->vm->page_size);
	memset(addr_gpa2hva(its->vm, its->config), CONFIG_ENABLED, ITS_LPIS);

	its->fd = vgic_its_setup(its->vm);
	for (i = 0; i < ITS_VCPUS; i++)
		step(its, i, (struct op){ .what = LPIS_INIT, .arg = { its->config, its->pending + i * SZ_64K } });
	step(its, 0, (struct op){ .what = ITS_INIT, .arg = { its->collections, its->devices, its->commands } });
}

void its_create(struct its_vm *its, bool with_its)
{
	const char *why = its_unavailable();
	unsigned int i;

	if (why)
		case_skip("%s", why);
	its->fd = -1;
	its->vm = vm_create_with_vcpus(ITS_VCPUS, guest, its->vcpus);
	/* The guest's GIC driver asks who it is. */
	for (i = 0; i < ITS_VCPUS; i++) {
		vcpu_args_set(its->vcpus[i], 1, i);
		run(its, i);
	}
	if (with_its)
		create_its(its);
}

uint64_t its_read(struct its_vm *its, unsigned int vcpu, uint64_t address, unsigned int size)
{
	return step(its, vcpu, (struct op){ .what = READ, .arg = { address }, .size = size });
}

void its_write(struct its_vm *its, unsigned int vcpu, uint64_t address, unsigned int size, uint64_t value)
{
	step(its, vcpu, (struct op){ .what = WRITE, .arg = { address, value }, .size = size });
}

unsigned int its_ack(struct its_vm *its, unsigned int vcpu)
{
	return step(its, vcpu, (struct op){ .what = ACK });
}

unsigned int its_ack_soon(struct its_vm *its, unsigned int vcpu)
{
	time_t end = time(NULL) + PATIENCE;
	unsigned int intid;

	do
		intid = its_ack(its, vcpu);
	while (intid == ITS_NONE && time(NULL) < end);
	return intid;
}

void its_command(struct its_vm *its, unsigned int vcpu, uint64_t d0, uint64_t d1, uint64_t d2, uint64_t d3)
{
	uint64_t done = step(its, vcpu, (struct op){ .what = COMMAND, .arg = { d0, d1, d2, d3 } });

	TEST_ASSERT(done, "the ITS has not taken the command %#lx", d0);
}

void its_mapd(struct its_vm *its, uint32_t device, bool valid)
{
	uint64_t itt = its->itts + device % NR_ITTS * ITT_SIZE;

	its_command(its, 0, (uint64_t)device << 32 | GITS_CMD_MAPD, 15, (uint64_t)valid << 63 | itt, 0);
}

void its_mapc(struct its_vm *its, uint16_t collection, unsigned int vcpu, bool valid)
{
	its_command(its, 0, GITS_CMD_MAPC, 0, (uint64_t)valid << 63 | (uint64_t)vcpu << 16 | collection, 0);
}

void its_mapti(struct its_vm *its, uint32_t device, uint32_t event, uint32_t lpi, uint16_t collection)
{
	its_command(its, 0, (uint64_t)device << 32 | GITS_CMD_MAPTI, (uint64_t)lpi << 32 | event, collection, 0);
}

void its_mapti_many(struct its_vm *its, uint32_t device, unsigned int n, uint16_t collection)
{
	TEST_ASSERT(step(its, 0, (struct op){ .what = MAPTI_MANY, .arg = { device, n, collection } }),
		    "the ITS has not taken %u MAPTIs", n);
}

void its_event(struct its_vm *its, uint8_t command, uint32_t device, uint32_t event)
{
	its_command(its, 0, (uint64_t)device << 32 | command, event, 0, 0);
}

void its_movi(struct its_vm *its, uint32_t device, uint32_t event, uint16_t collection)
{
	its_command(its, 0, (uint64_t)device << 32 | GITS_CMD_MOVI, event, collection, 0);
}

void its_configure(struct its_vm *its, uint32_t lpi, bool enabled)
{
	uint8_t *config = addr_gpa2hva(its->vm, its->config);

	config[lpi - ITS_LPI(0)] = enabled ? CONFIG_ENABLED : CONFIG_ENABLED & ~LPI_PROP_ENABLED;
}

int its_signal_flags(struct its_vm *its, uint64_t address, uint32_t device, uint32_t event, uint32_t flags)
{
	struct kvm_msi msi = {
		.address_lo = address,
		.address_hi = address >> 32,
		.data = event,
		.devid = device,
		.flags = flags,
	};
	int ret = __vm_ioctl(its->vm, KVM_SIGNAL_MSI, &msi);

	return ret < 0 ? -errno : ret;
}

int its_signal(struct its_vm *its, uint32_t device, uint32_t event)
{
	return its_signal_flags(its, ITS_TRANSLATER, device, event, KVM_MSI_VALID_DEVID);
}
