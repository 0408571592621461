// SPDX-License-Identifier: GPL-2.0-only
/*
 * The AIA of a VM, see include/riscv/aia.h.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "aia.h"
#include "case.h"
#include "vcpu_thread.h"

#define PATIENCE	12000000	/* microseconds */

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

void aia_need(void)
{
	if (default_mode() < 0)
		case_skip("no AIA for guests: no Ssaia on this host, or Linux before 6.5");
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

	aia_need();
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

uint64_t aia_emulated(struct kvm_vcpu *vcpu)
{
	return vcpu_get_stat(vcpu, csr_exit_kernel);
}

static void guest_is_there(void)
{
	GUEST_SYNC(0);
}

struct kvm_vm *aia_take_files(int cpu, unsigned int *n)
{
	struct aia_config config = { .mode = KVM_DEV_RISCV_AIA_MODE_HWACCEL };
	struct kvm_vcpu *vcpus[AIA_MAX_VCPUS];
	struct kvm_vm *vm;

	vm = vm_create_with_vcpus(AIA_MAX_VCPUS, guest_is_there, vcpus);
	close(aia_create(vm, &config));
	for (*n = 0; *n < AIA_MAX_VCPUS; (*n)++) {
		vcpu_run_on(vcpus[*n], cpu);
		if (vcpus[*n]->run->exit_reason == KVM_EXIT_FAIL_ENTRY)
			return vm;
	}
	TEST_FAIL("CPU %d has more than %d interrupt files for guests", cpu, AIA_MAX_VCPUS);
}

/* --- a guest that counts -------------------------------------------------- */

struct claims {
	uint32_t ready;
	uint32_t all;
	uint32_t of[AIA_MAX_ID + 1];
};

static struct claims guest_claims[AIA_MAX_VCPUS];

void aia_guest_counts(unsigned long spins)
{
	struct claims *c = &guest_claims[guest_get_vcpuid()];
	unsigned int id;

	imsic_init();
	for (id = 64; id <= AIA_MAX_ID; id += 64)
		imsic_write(AIA_EIE(id), ~0UL);
	imsic_write(AIA_EIE(0), ~1UL);
	WRITE_ONCE(c->ready, 1);
	for (;;) {
		id = imsic_claim();
		if (id) {
			id = id <= AIA_MAX_ID ? id : 0;
			WRITE_ONCE(c->of[id], c->of[id] + 1);
			/* Who has seen this one sees that one. */
			asm volatile("fence w, w" : : : "memory");
			WRITE_ONCE(c->all, c->all + 1);
		} else if (spins != AIA_SPINS) {
			guest_wfi();
		}
	}
}

struct kvm_vm *aia_create_counting(unsigned int n, int mode, struct kvm_vcpu **vcpus)
{
	struct aia_config config = { .mode = mode };
	struct kvm_vm *vm = vm_create_with_vcpus(n, aia_guest_counts, vcpus);
	unsigned int i;

	for (i = 0; i < n; i++)
		vcpu_args_set(vcpus[i], 1, 0UL);
	aia_create(vm, &config);
	return vm;
}

static struct claims *claims_of(struct kvm_vcpu *vcpu)
{
	return addr_gva2hva(vcpu->vm, (gva_t)&guest_claims[vcpu->id]);
}

uint32_t aia_claims(struct kvm_vcpu *vcpu, unsigned int id)
{
	return READ_ONCE(claims_of(vcpu)->of[id]);
}

uint32_t aia_all_claims(struct kvm_vcpu *vcpu)
{
	return READ_ONCE(claims_of(vcpu)->all);
}

bool aia_wait_claims(struct kvm_vcpu *vcpu, uint32_t n)
{
	uint64_t begin = clock_us();

	while (aia_all_claims(vcpu) < n) {
		if (clock_us() - begin > PATIENCE)
			return false;
		usleep(200);
	}
	return true;
}

void aia_wait_ready(struct kvm_vcpu *vcpu)
{
	uint64_t begin = clock_us();

	while (!READ_ONCE(claims_of(vcpu)->ready)) {
		if (clock_us() - begin > 3 * PATIENCE)
			case_fail("vCPU %u does not get to enable its interrupts", vcpu->id);
		usleep(1000);
	}
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
