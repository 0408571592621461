/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's AIA device, attribute by attribute: for tests of the device itself.  Those that
 * only want an AIA take aia_create().
 *
 * Facts: Documentation/virt/kvm/devices/, arch/riscv/include/uapi/asm/kvm.h.
 */
#ifndef KVM_WITNESS_RISCV_AIA_DEVICE_H
#define KVM_WITNESS_RISCV_AIA_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "compat.h"

/* Groups of attributes. */
#define AIA_CONFIG	KVM_DEV_RISCV_AIA_GRP_CONFIG
#define AIA_ADDR	KVM_DEV_RISCV_AIA_GRP_ADDR
#define AIA_CTRL	KVM_DEV_RISCV_AIA_GRP_CTRL
#define AIA_APLIC	KVM_DEV_RISCV_AIA_GRP_APLIC
#define AIA_IMSIC	KVM_DEV_RISCV_AIA_GRP_IMSIC

/* 0, or the errno; 32-bit attributes are in the low half of the value. */
int aia_set(int aia, uint32_t group, uint64_t attr, uint64_t value);
int aia_try_get(int aia, uint32_t group, uint64_t attr, uint64_t *value);
int aia_has(int aia, uint32_t group, uint64_t attr);
int aia_init(int aia);

/* These must succeed. */
uint64_t aia_get(int aia, uint32_t group, uint64_t attr);
void aia_configure(int aia, uint64_t what, uint32_t value);
void aia_place(int aia, unsigned int index, uint64_t address);

/* A guest that does nothing but stop, with GUEST_SYNC(0). */
void aia_stop_guest(void);

/* A VM of two vCPUs with that guest, and a device of which nothing is configured. */
struct kvm_vm *aia_bare_vm(struct kvm_vcpu *vcpus[2], int *aia);

/* All that a new device of a VM with two vCPUs lacks: addresses as aia.h has them, 40 sources. */
void aia_configure_all(int aia);

/* Sends an MSI to @address: is it pending in the IMSIC of the vCPU? */
bool aia_msi_arrives(int aia, struct kvm_vcpu *vcpu, uint64_t address);

#endif
