/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM with a GICv3 and an ITS, whose two vCPUs do what the host tells them: one access
 * or one command a KVM_RUN, with interrupts masked.  So the host sees every step of it.
 *
 * Facts: Arm IHI0069 (GICv3); Documentation/virt/kvm/devices/arm-vgic-its.rst.
 */
#ifndef KVM_WITNESS_ARM64_ITS_H
#define KVM_WITNESS_ARM64_ITS_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/sizes.h>

#include "compat.h"
#include "gic.h"
#include "gic_v3.h"

#define ITS_VCPUS	2
#define ITS_LPI(n)	(8192 + (n))	/* n below ITS_LPIS */
#define ITS_LPIS	57344
#define ITS_NONE	IAR_SPURIOUS	/* no interrupt is pending */
#define ITS_TRANSLATER	(GITS_BASE_GPA + GITS_TRANSLATER)
#define ITS_GICR(vcpu)	(GICR_BASE_GPA + (vcpu) * (uint64_t)KVM_VGIC_V3_REDIST_SIZE)

struct its_vm {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[ITS_VCPUS];
	int fd;			/* the ITS, -1: none */
	uint64_t devices, collections, commands, itts, config, pending;	/* addresses of tables */
};

/* NULL, or why there is none. */
const char *its_unavailable(void);

/*
 * Two vCPUs with their GIC initialized.  With an ITS all LPIs are enabled, in the table
 * of their configuration and in the redistributors; the ITS is enabled and nothing is mapped.
 */
void its_create(struct its_vm *its, bool with_its);

/* One step by a vCPU.  An access at an address where the guest has no page kills it. */
uint64_t its_read(struct its_vm *its, unsigned int vcpu, uint64_t address, unsigned int size);
void its_write(struct its_vm *its, unsigned int vcpu, uint64_t address, unsigned int size, uint64_t value);

/* Acknowledges and ends the interrupt that is next: its number, or ITS_NONE. */
unsigned int its_ack(struct its_vm *its, unsigned int vcpu);

/* The same for one that may take a moment to arrive: tries for some tens of seconds. */
unsigned int its_ack_soon(struct its_vm *its, unsigned int vcpu);

/* Puts a command into the queue and has the ITS do it. */
void its_command(struct its_vm *its, unsigned int vcpu, uint64_t d0, uint64_t d1, uint64_t d2, uint64_t d3);

/* Commands by vCPU 0.  MAPD gives a device an ITT of 2^16 events, there are 8 such. */
void its_mapd(struct its_vm *its, uint32_t device, bool valid);
void its_mapc(struct its_vm *its, uint16_t collection, unsigned int vcpu, bool valid);
void its_mapti(struct its_vm *its, uint32_t device, uint32_t event, uint32_t lpi, uint16_t collection);
void its_mapti_many(struct its_vm *its, uint32_t device, unsigned int n, uint16_t collection);	/* event i: LPI i */
void its_event(struct its_vm *its, uint8_t command, uint32_t device, uint32_t event);	/* INT, CLEAR, INV, DISCARD */
void its_movi(struct its_vm *its, uint32_t device, uint32_t event, uint16_t collection);

/* Sets an LPI's byte in the configuration table; INV or INVALL make it count. */
void its_configure(struct its_vm *its, uint32_t lpi, bool enabled);

/* KVM_SIGNAL_MSI: what it returns, or -errno. */
int its_signal(struct its_vm *its, uint32_t device, uint32_t event);
int its_signal_flags(struct its_vm *its, uint64_t address, uint32_t device, uint32_t event, uint32_t flags);

#endif /* KVM_WITNESS_ARM64_ITS_H */
