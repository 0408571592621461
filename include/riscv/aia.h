/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The AIA of a VM: KVM's device from the host's side, IMSIC and APLIC from the guest's.
 *
 * Facts: "RISC-V Advanced Interrupt Architecture" 1.0; KVM's device by
 * Documentation/virt/kvm/devices/, arch/riscv/include/uapi/asm/kvm.h.
 */
#ifndef KVM_WITNESS_RISCV_AIA_H
#define KVM_WITNESS_RISCV_AIA_H

#include <stdint.h>

#include "compat.h"
#include "../../guest/checks/riscv/aia_regs.h"

/* Where guests find it, as on QEMU's board virt; virtual addresses are the same. */
#define AIA_APLIC_GPA		0x0d000000UL
#define AIA_IMSIC_GPA(vcpu)	(0x28000000UL + (vcpu) * 0x1000UL)

/* --- the host's side ------------------------------------------------------ */

struct aia_config {
	int mode;		/* KVM_DEV_RISCV_AIA_MODE_... */
	uint32_t ids;		/* 0: as many as there are */
	uint32_t sources;	/* wired ones, of the APLIC */
};

/* Skips the case where guests have no AIA. */
void aia_need(void);

/* Have CPUs interrupt files for guests?  KVM's default mode tells. */
bool aia_has_guest_files(void);

/*
 * Gives @vm, whose vCPUs are all there, an AIA, initialized, and maps it for the guest.
 * Skips the case where a mode cannot be had.  Returns the device's file descriptor.
 */
int aia_create(struct kvm_vm *vm, const struct aia_config *config);

/* A register of an IMSIC (AIA_...) or the APLIC (by its offset). */
unsigned long aia_imsic_get(int aia, struct kvm_vcpu *vcpu, unsigned int reg);
void aia_imsic_set(int aia, struct kvm_vcpu *vcpu, unsigned int reg, unsigned long value);
uint32_t aia_aplic_get(int aia, unsigned int offset);
void aia_aplic_set(int aia, unsigned int offset, uint32_t value);

/* Sends interrupt @id to the IMSIC of the vCPU by KVM_SIGNAL_MSI: what the ioctl returns. */
int aia_signal_msi(struct kvm_vcpu *vcpu, uint32_t id);

/* The guest's accesses to its IMSIC that KVM has emulated: none while it has a file of the CPU's. */
uint64_t aia_emulated(struct kvm_vcpu *vcpu);

/*
 * Takes all interrupt files that @cpu has left, by vCPUs of a VM of its own, and says how
 * many there were.  Freeing the VM gives them back.  Leaves the calling thread on @cpu.
 */
struct kvm_vm *aia_take_files(int cpu, unsigned int *n);

/* --- a guest that counts -------------------------------------------------- */

#define AIA_MAX_VCPUS	16
#define AIA_MAX_ID	255	/* as far as the tests go */

/*
 * The guest's program of any vCPU: enables all interrupts and claims each that comes.
 * vcpu_args_set(vcpu, 1, AIA_SPINS) keeps it from sleeping when there is none.
 */
void aia_guest_counts(unsigned long spins);
#define AIA_SPINS	1

/* A VM with @n vCPUs that do so, and an AIA in this mode. */
struct kvm_vm *aia_create_counting(unsigned int n, int mode, struct kvm_vcpu **vcpus);

/* How often it has claimed @id, and any. */
uint32_t aia_claims(struct kvm_vcpu *vcpu, unsigned int id);
uint32_t aia_all_claims(struct kvm_vcpu *vcpu);

/* Waits until it has claimed @n in all; false: not in twelve seconds. */
bool aia_wait_claims(struct kvm_vcpu *vcpu, uint32_t n);

/* Waits until it has enabled its interrupts; fails the case after 36 seconds. */
void aia_wait_ready(struct kvm_vcpu *vcpu);

/* --- the guest's side ----------------------------------------------------- */

unsigned long imsic_read(unsigned int reg);
void imsic_write(unsigned int reg, unsigned long value);

/* Delivery on, no threshold, external interrupts enabled in sie; sstatus.SIE stays. */
void imsic_init(void);

/* Enables or disables one interrupt in the file's eie. */
void imsic_enable(unsigned int id, bool enable);

/* The interrupt that is next, 0: none; it is pending no more. */
static inline unsigned int imsic_claim(void)
{
	return csr_swap(CSR_STOPEI, 0) >> 16;
}

/* The same, but it stays. */
static inline unsigned int imsic_peek(void)
{
	return csr_read(CSR_STOPEI) >> 16;
}

/* One instruction each, of a kind that KVM emulates where there is no memory. */
static inline uint32_t mmio_read(unsigned long address)
{
	uint32_t value;

	asm volatile("lwu %0, 0(%1)\n\tfence i, r" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void mmio_write(unsigned long address, uint32_t value)
{
	asm volatile("fence w, o\n\tsw %0, 0(%1)" : : "r"(value), "r"(address) : "memory");
}

/* Sends @id to the IMSIC of a vCPU by a store to its page. */
static inline void imsic_send(unsigned int vcpu, uint32_t id)
{
	mmio_write(AIA_IMSIC_GPA(vcpu), id);
}

/* Sleeps until an interrupt that sie enables is pending, whatever sstatus.SIE says. */
static inline void guest_wfi(void)
{
	asm volatile("wfi" : : : "memory");
}

static inline uint32_t aplic_read(unsigned int offset)
{
	return mmio_read(AIA_APLIC_GPA + offset);
}

static inline void aplic_write(unsigned int offset, uint32_t value)
{
	mmio_write(AIA_APLIC_GPA + offset, value);
}

#endif /* KVM_WITNESS_RISCV_AIA_H */
