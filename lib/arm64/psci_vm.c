// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM whose guest makes PSCI calls, see include/arm64/psci_vm.h.
 */
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/bits.h>

#include "psci_vm.h"

const uint64_t psci_versions[NR_PSCI_VERSIONS] = {
	PSCI_VERSION(0, 2), PSCI_VERSION(1, 0), PSCI_VERSION(1, 1), PSCI_VERSION(1, 2), PSCI_VERSION(1, 3),
};

static struct kvm_vcpu *called;

/* --- versions ------------------------------------------------------------- */

const char *psci_text(uint64_t version)
{
	static char buffers[4][32];
	static unsigned int next;
	char *buffer = buffers[next++ % ARRAY_SIZE(buffers)];

	snprintf(buffer, sizeof(buffers[0]), "%lu.%lu", version >> PSCI_VERSION_MAJOR_SHIFT,
		 (unsigned long)PSCI_VERSION_MINOR(version));
	return buffer;
}

uint64_t psci_get_version(struct kvm_vcpu *vcpu)
{
	return vcpu_get_reg(vcpu, KVM_REG_ARM_PSCI_VERSION);
}

int psci_set_version(struct kvm_vcpu *vcpu, uint64_t version)
{
	return __vcpu_set_reg(vcpu, KVM_REG_ARM_PSCI_VERSION, version) ? errno : 0;
}

bool psci_has_version(struct kvm_vcpu *vcpu, uint64_t version)
{
	return !psci_set_version(vcpu, version);
}

/* --- the VM --------------------------------------------------------------- */

void psci_guest(void)
{
	for (;;)
		asm volatile("hvc	#0\n"
			     "str	xzr, [x28]\n" : : : "memory");
}

static struct kvm_vcpu *add_vcpu(struct kvm_vm *vm, unsigned int id, uint32_t features)
{
	struct kvm_vcpu_init init;
	struct kvm_vcpu *vcpu;

	kvm_get_default_vcpu_target(vm, &init);
	init.features[0] &= ~BIT(KVM_ARM_VCPU_HAS_EL2);
	init.features[0] |= features;
	vcpu = aarch64_vcpu_add(vm, id, &init, psci_guest);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.regs[28]), PSCI_CALLED_GPA);
	return vcpu;
}

static struct kvm_vm *create(struct kvm_vcpu *vcpus[PSCI_VCPUS], uint32_t features)
{
	struct kvm_vm *vm = vm_create(PSCI_VCPUS);
	unsigned int i;

	for (i = 0; i < PSCI_VCPUS; i++)
		vcpus[i] = add_vcpu(vm, i, features);
	kvm_arch_vm_finalize_vcpus(vm);
	virt_map(vm, PSCI_CALLED_GPA, PSCI_CALLED_GPA, 1);
	return vm;
}

struct kvm_vm *psci_create(struct kvm_vcpu *vcpus[PSCI_VCPUS])
{
	return create(vcpus, BIT(KVM_ARM_VCPU_PSCI_0_2));
}

struct kvm_vm *psci_create_0_1(struct kvm_vcpu *vcpus[PSCI_VCPUS])
{
	return create(vcpus, 0);
}

void psci_reset_vcpu(struct kvm_vcpu *vcpu)
{
	aarch64_vcpu_setup(vcpu, &vcpu->init);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.pc), (uint64_t)psci_guest);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.regs[28]), PSCI_CALLED_GPA);
}

uint64_t psci_get_x(struct kvm_vcpu *vcpu, unsigned int n)
{
	return vcpu_get_reg(vcpu, ARM64_CORE_REG(regs.regs[n]));
}

bool psci_stopped(struct kvm_vcpu *vcpu)
{
	struct kvm_mp_state state;

	vcpu_mp_state_get(vcpu, &state);
	return state.mp_state == KVM_MP_STATE_STOPPED;
}

void psci_set_stopped(struct kvm_vcpu *vcpu, bool stop)
{
	struct kvm_mp_state state = { .mp_state = stop ? KVM_MP_STATE_STOPPED : KVM_MP_STATE_RUNNABLE };

	vcpu_mp_state_set(vcpu, &state);
}

/* --- calls ---------------------------------------------------------------- */

void psci_set_call(struct kvm_vcpu *vcpu, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3)
{
	uint64_t x[] = { x0, x1, x2, x3 };
	unsigned int i;

	called = vcpu;
	for (i = 0; i < ARRAY_SIZE(x); i++)
		vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.regs[i]), x[i]);
}

/* A call that stops the vCPU would never return. */
static void on_alarm(int sig)
{
}

static void interrupt_by_alarm(void)
{
	struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &action, NULL);
}

int psci_run(struct kvm_vcpu *vcpu)
{
	int ret;

	interrupt_by_alarm();
	alarm(20);
	ret = __vcpu_run(vcpu) ? errno : 0;
	alarm(0);
	return ret;
}

bool psci_returned(struct kvm_vcpu *vcpu)
{
	return vcpu->run->exit_reason == KVM_EXIT_MMIO && vcpu->run->mmio.phys_addr == PSCI_CALLED_GPA;
}

int psci_run_until_stopped(struct kvm_vcpu *vcpu)
{
	const struct itimerval tick = { { 0, 100000 }, { 0, 100000 } }, off = { { 0, 0 }, { 0, 0 } };
	int ret, ticks = 0;

	interrupt_by_alarm();
	setitimer(ITIMER_REAL, &tick, NULL);
	do {
		ret = __vcpu_run(vcpu) ? errno : 0;
	} while (ret == EINTR && !psci_stopped(vcpu) && ++ticks < 200);
	setitimer(ITIMER_REAL, &off, NULL);
	return ret;
}

uint64_t psci_call3(struct kvm_vcpu *vcpu, uint64_t id, uint64_t x1, uint64_t x2, uint64_t x3)
{
	int err;

	psci_set_call(vcpu, id, x1, x2, x3);
	err = psci_run(vcpu);
	CASE_EXPECT(!err, "call %#lx(%#lx, %#lx) does not return: errno %d, the vCPU is %s", id, x1, x2, err,
		    psci_stopped(vcpu) ? "stopped" : "not stopped");
	CASE_EXPECT(psci_returned(vcpu), "call %#lx(%#lx, %#lx) ends KVM_RUN, exit reason %u", id, x1, x2,
		    vcpu->run->exit_reason);
	return psci_get_x(vcpu, 0);
}

uint64_t psci_call(struct kvm_vcpu *vcpu, uint64_t id, uint64_t x1)
{
	return psci_call3(vcpu, id, x1, 0, 0);
}

uint64_t psci_features(struct kvm_vcpu *vcpu, uint32_t id)
{
	return psci_call(vcpu, PSCI_1_0_FN_PSCI_FEATURES, id);
}

uint64_t psci_called_version(void)
{
	return psci_get_version(called);
}
