// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's AIA device, attribute by attribute, see include/riscv/aia_device.h.
 */
#include <errno.h>
#include <string.h>

#include "aia.h"
#include "aia_device.h"

int aia_set(int aia, uint32_t group, uint64_t attr, uint64_t value)
{
	return __kvm_device_attr_set(aia, group, attr, &value) ? errno : 0;
}

int aia_try_get(int aia, uint32_t group, uint64_t attr, uint64_t *value)
{
	*value = 0;
	return __kvm_device_attr_get(aia, group, attr, value) ? errno : 0;
}

int aia_has(int aia, uint32_t group, uint64_t attr)
{
	return __kvm_has_device_attr(aia, group, attr) ? errno : 0;
}

int aia_init(int aia)
{
	return aia_set(aia, AIA_CTRL, KVM_DEV_RISCV_AIA_CTRL_INIT, 0);
}

uint64_t aia_get(int aia, uint32_t group, uint64_t attr)
{
	uint64_t value;
	int err = aia_try_get(aia, group, attr, &value);

	TEST_ASSERT(!err, "attribute %u.%#lx: %s", group, (unsigned long)attr, strerror(err));
	return value;
}

void aia_configure(int aia, uint64_t what, uint32_t value)
{
	int err = aia_set(aia, AIA_CONFIG, what, value);

	TEST_ASSERT(!err, "configuration %u = %u: %s", (unsigned int)what, value, strerror(err));
}

static void set_address(int aia, uint64_t what, uint64_t address)
{
	int err = aia_set(aia, AIA_ADDR, what, address);

	TEST_ASSERT(!err, "address %u: %s", (unsigned int)what, strerror(err));
}

void aia_place(int aia, unsigned int index, uint64_t address)
{
	set_address(aia, KVM_DEV_RISCV_AIA_ADDR_IMSIC(index), address);
}

void aia_configure_all(int aia)
{
	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, 1);
	aia_configure(aia, KVM_DEV_RISCV_AIA_CONFIG_SRCS, 40);
	set_address(aia, KVM_DEV_RISCV_AIA_ADDR_APLIC, AIA_APLIC_GPA);
	aia_place(aia, 0, AIA_IMSIC_GPA(0));
	aia_place(aia, 1, AIA_IMSIC_GPA(1));
}

void aia_stop_guest(void)
{
	for (;;)
		GUEST_SYNC(0);
}

struct kvm_vm *aia_bare_vm(struct kvm_vcpu *vcpus[2], int *aia)
{
	struct kvm_vm *vm = vm_create_with_vcpus(2, aia_stop_guest, vcpus);

	*aia = kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA);
	return vm;
}

bool aia_msi_arrives(int aia, struct kvm_vcpu *vcpu, uint64_t address)
{
	struct kvm_msi msi = { .address_lo = address, .address_hi = address >> 32, .data = 9 };

	aia_imsic_set(aia, vcpu, AIA_EIP(9), 0);
	TEST_ASSERT(__vm_ioctl(vcpu->vm, KVM_SIGNAL_MSI, &msi) >= 0, "KVM_SIGNAL_MSI");
	return aia_imsic_get(aia, vcpu, AIA_EIP(9)) == 1UL << 9;
}
