// SPDX-License-Identifier: GPL-2.0-only
/*
 * The AIA of a VM, see include/riscv/aia.h.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "aia.h"
#include "case.h"

#define NO_AIA	"no AIA for guests: no Ssaia on this host, or Linux before 6.5"

/* --- the host's side ------------------------------------------------------ */

/* Asks a VM that is thrown away, once; -1: it has no AIA. */
static int default_mode(void)
{
	static bool asked;
	static int answer = -1;
	struct kvm_vm *vm;
	uint32_t mode;
	int fd;

	if (asked)
		return answer;
	asked = true;

	vm = vm_create_barebones();
	fd = __kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA);
	if (fd >= 0) {
		kvm_device_attr_get(fd, KVM_DEV_RISCV_AIA_GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_MODE, &mode);
		answer = mode;
		close(fd);
	}
	kvm_vm_free(vm);
	return answer;
}

const char *aia_unavailable(void)
{
	return default_mode() < 0 ? NO_AIA : NULL;
}

bool aia_has_guest_files(void)
{
	return default_mode() == KVM_DEV_RISCV_AIA_MODE_AUTO;
}

static void set_config(int aia, uint64_t what, uint32_t value)
{
	kvm_device_attr_set(aia, KVM_DEV_RISCV_AIA_GRP_CONFIG, what, &value);
}

static void set_address(int aia, uint64_t what, uint64_t address)
{
	kvm_device_attr_set(aia, KVM_DEV_RISCV_AIA_GRP_ADDR, what, &address);
}

int aia_create(struct kvm_vm *vm, const struct aia_config *config)
{
	struct kvm_vcpu *vcpu;
	unsigned int n = 0, bits = 0;
	int aia;

	if (aia_unavailable())
		case_skip("%s", NO_AIA);
	if (config->mode != KVM_DEV_RISCV_AIA_MODE_EMUL && !aia_has_guest_files())
		case_skip("no interrupt files for guests on this host");

	aia = kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA);
	set_config(aia, KVM_DEV_RISCV_AIA_CONFIG_MODE, config->mode);
	if (config->ids)
		set_config(aia, KVM_DEV_RISCV_AIA_CONFIG_IDS, config->ids);
	set_config(aia, KVM_DEV_RISCV_AIA_CONFIG_SRCS, config->sources);
	set_address(aia, KVM_DEV_RISCV_AIA_ADDR_APLIC, AIA_APLIC_GPA);
	list_for_each_entry(vcpu, &vm->vcpus, list) {
		set_address(aia, KVM_DEV_RISCV_AIA_ADDR_IMSIC(vcpu->id), AIA_IMSIC_GPA(vcpu->id));
		n++;
	}
	/* The pages of all of them must have the bits above these in common. */
	while (1u << bits < n)
		bits++;
	set_config(aia, KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, bits);
	kvm_device_attr_set(aia, KVM_DEV_RISCV_AIA_GRP_CTRL, KVM_DEV_RISCV_AIA_CTRL_INIT, NULL);

	virt_map(vm, AIA_APLIC_GPA, AIA_APLIC_GPA, KVM_DEV_RISCV_APLIC_SIZE / vm->page_size);
	virt_map(vm, AIA_IMSIC_GPA(0), AIA_IMSIC_GPA(0), n);
	return aia;
}

unsigned long aia_imsic_get(int aia, struct kvm_vcpu *vcpu, unsigned int reg)
{
	unsigned long value;

	kvm_device_attr_get(aia, KVM_DEV_RISCV_AIA_GRP_IMSIC, KVM_DEV_RISCV_AIA_IMSIC_MKATTR(vcpu->id, reg), &value);
	return value;
}

void aia_imsic_set(int aia, struct kvm_vcpu *vcpu, unsigned int reg, unsigned long value)
{
	kvm_device_attr_set(aia, KVM_DEV_RISCV_AIA_GRP_IMSIC, KVM_DEV_RISCV_AIA_IMSIC_MKATTR(vcpu->id, reg), &value);
}

uint32_t aia_aplic_get(int aia, unsigned int offset)
{
	uint32_t value;

	kvm_device_attr_get(aia, KVM_DEV_RISCV_AIA_GRP_APLIC, offset, &value);
	return value;
}

void aia_aplic_set(int aia, unsigned int offset, uint32_t value)
{
	kvm_device_attr_set(aia, KVM_DEV_RISCV_AIA_GRP_APLIC, offset, &value);
}

int aia_signal_msi(struct kvm_vcpu *vcpu, uint32_t id)
{
	struct kvm_msi msi = {
		.address_lo = AIA_IMSIC_GPA(vcpu->id),
		.address_hi = AIA_IMSIC_GPA(vcpu->id) >> 32,
		.data = id,
	};

	return __vm_ioctl(vcpu->vm, KVM_SIGNAL_MSI, &msi);
}

/* --- the guest's side ----------------------------------------------------- */

unsigned long imsic_read(unsigned int reg)
{
	csr_write(CSR_SISELECT, reg);
	return csr_read(CSR_SIREG);
}

void imsic_write(unsigned int reg, unsigned long value)
{
	csr_write(CSR_SISELECT, reg);
	csr_write(CSR_SIREG, value);
}

void imsic_init(void)
{
	imsic_write(AIA_EITHRESHOLD, 0);
	imsic_write(AIA_EIDELIVERY, 1);
	csr_set(CSR_SIE, 1UL << 9);
}

void imsic_enable(unsigned int id, bool enable)
{
	csr_write(CSR_SISELECT, AIA_EIE(id));
	if (enable)
		csr_set(CSR_SIREG, 1UL << id % 64);
	else
		csr_clear(CSR_SIREG, 1UL << id % 64);
}
