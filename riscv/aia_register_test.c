// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of APLIC and IMSICs as attributes of KVM's AIA device: which there are, and
 * of which vCPU.
 *
 * Catches: a register that is there for has and not for get, or the other way around; one
 * too many or too few; one that keeps what it must not or changes another vCPU's.  In 7.3
 * an attribute's vCPU number is cut to 32 bits.
 */
#include "aia.h"
#include "aia_device.h"
#include "case.h"

static struct kvm_vcpu *vcpus[2];
static struct kvm_vm *vm;
static int aia;

static void imsic_registers(int mode)
{
	struct aia_config config = { .mode = mode, .ids = 63 };
	unsigned long all = ~0UL, value;
	unsigned int reg;
	struct ucall uc;
	uint64_t attr;

	vm = vm_create_with_vcpus(2, aia_stop_guest, vcpus);
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
		err = aia_has(aia, AIA_IMSIC, attr);
		CASE_EXPECT(err == wanted, "has register %#x: %s", reg, strerror(err));
		err = aia_try_get(aia, AIA_IMSIC, attr, &attr);
		CASE_EXPECT(err == wanted, "get register %#x: %s", reg, strerror(err));
		err = aia_set(aia, AIA_IMSIC, KVM_DEV_RISCV_AIA_IMSIC_MKATTR(0, reg), 0);
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
	vcpus[0] = vm_vcpu_add(vm, 0, aia_stop_guest);
	vcpus[1] = vm_vcpu_add(vm, 5, aia_stop_guest);
	aia = kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA);
	aia_configure_all(aia);
	TEST_ASSERT(!aia_init(aia), "KVM_DEV_RISCV_AIA_CTRL_INIT");
	CASE_EXPECT(aia_msi_arrives(aia, vcpus[1], AIA_IMSIC_GPA(1)), "no MSI at vCPU 5");
	CASE_EXPECT(!aia_imsic_get(aia, vcpus[0], AIA_EIP(9)), "an MSI at vCPU 0");
	for (i = 0; i < ARRAY_SIZE(nobody); i++) {
		attr = nobody[i] << KVM_DEV_RISCV_AIA_IMSIC_ISEL_BITS | AIA_EIP(9);
		CASE_EXPECT(aia_has(aia, AIA_IMSIC, attr) == ENODEV, "there is a vCPU %#lx",
			    (unsigned long)nobody[i]);
		CASE_EXPECT(aia_try_get(aia, AIA_IMSIC, attr, &value) == ENODEV,
			    "eip of vCPU %#lx reads %#lx",
			    (unsigned long)nobody[i], (unsigned long)value);
		CASE_EXPECT(aia_set(aia, AIA_IMSIC, attr, 0) == ENODEV, "eip of vCPU %#lx can be set",
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
	vcpus[0] = vm_vcpu_add(vm, 0, aia_stop_guest);
	vcpus[1] = vm_vcpu_add(vm, 1, aia_stop_guest);
	aia = kvm_create_device(vm, KVM_DEV_TYPE_RISCV_AIA);
	aia_configure_all(aia);
	TEST_ASSERT(!aia_init(aia), "KVM_DEV_RISCV_AIA_CTRL_INIT");
	late = vm_vcpu_add(vm, 2, aia_stop_guest);
	value = KVM_DEV_RISCV_AIA_IMSIC_MKATTR(2, AIA_EIDELIVERY);
	CASE_EXPECT(aia_has(aia, AIA_IMSIC, value) == ENODEV, "it has an IMSIC");
	CASE_EXPECT(aia_try_get(aia, AIA_IMSIC, value, &value) == ENODEV, "its IMSIC can be read");
	CASE_EXPECT(aia_set(aia, AIA_ADDR, KVM_DEV_RISCV_AIA_ADDR_IMSIC(2), AIA_IMSIC_GPA(2)) == EBUSY,
		    "its IMSIC can be placed");
	vcpu_mp_state_set(late, &run);
	vcpu_run(late);
	TEST_ASSERT_EQ(get_ucall(late, &uc), UCALL_SYNC);
	CASE_EXPECT(aia_msi_arrives(aia, vcpus[1], AIA_IMSIC_GPA(1)), "no MSI at vCPU 1");
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

	vm = aia_bare_vm(vcpus, &aia);
	aia_configure_all(aia);
	TEST_ASSERT(!aia_init(aia), "KVM_DEV_RISCV_AIA_CTRL_INIT");
	for (i = 0; i < ARRAY_SIZE(registers); i++) {
		err = aia_has(aia, AIA_APLIC, registers[i].offset);
		CASE_EXPECT(err == registers[i].err, "has register %#x: %s", registers[i].offset,
			    strerror(err));
		err = aia_try_get(aia, AIA_APLIC, registers[i].offset, &value);
		CASE_EXPECT(err == registers[i].err, "get register %#x: %s", registers[i].offset,
			    strerror(err));
		CASE_EXPECT(!(value >> 32), "register %#x reads 64 bits", registers[i].offset);
		err = aia_set(aia, AIA_APLIC, registers[i].offset, 0);
		CASE_EXPECT(err == registers[i].err, "set register %#x: %s", registers[i].offset,
			    strerror(err));
	}
}

static const struct witness_case cases[] = {
	{
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
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "aia_register_test",
		.needs = "AIA",
		.seed = "KVM: RISC-V: in-kernel irqchip (6.5), arch/riscv/include/uapi/asm/kvm.h",
		.setup = aia_need,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
