// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that comes back to the CPU that it last ran on finds there what it has become
 * in between, also when it was loaded on another CPU without entering the guest.
 *
 * KVM leaves out the registers when nothing has changed since the vCPU was there.
 *
 * Catches: registers left out after such a detour (since "KVM: riscv: Skip CSR restore if
 * VCPU is reloaded on the same core", 7.1).  The TLB flush that is left out then as well
 * cannot be seen on QEMU, whose TLB is empty after each VM-exit.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "case.h"
#include "compat.h"
#include "cpu.h"
#include "vcpu_thread.h"

static int cpu[2];

static void setup(void)
{
	cpu_need(cpu, 2);
}

static void on_signal(int sig)
{
}

/* A KVM_RUN on @on that loads the vCPU and does not enter the guest: a signal is pending. */
static void detour(struct kvm_vcpu *vcpu, int on)
{
	uint64_t none_blocked[2] = {};
	struct kvm_signal_mask *mask = (void *)none_blocked;
	uint64_t exits = vcpu_get_stat(vcpu, exits);
	sigset_t set;

	mask->len = 8;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	signal(SIGUSR1, on_signal);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	vcpu_ioctl(vcpu, KVM_SET_SIGNAL_MASK, mask);
	pin_self_to_cpu(on);
	pthread_kill(pthread_self(), SIGUSR1);
	TEST_ASSERT(__vcpu_run(vcpu) && errno == EINTR, "KVM_RUN with a signal pending");
	TEST_ASSERT(vcpu_get_stat(vcpu, exits) == exits, "the guest was entered all the same");
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void guest_reads(void)
{
	for (;;)
		GUEST_SYNC(csr_read(CSR_SSCRATCH));
}

static unsigned long read_on(struct kvm_vcpu *vcpu, int on)
{
	struct ucall uc;

	vcpu_run_on(vcpu, on);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
	return uc.args[1];
}

static void expect_new(struct kvm_vcpu *vcpu, int on, unsigned long want)
{
	unsigned long got = read_on(vcpu, on);

	CASE_EXPECT(got == want, "sscratch was set to %#lx, the guest reads %#lx", want, got);
}

static void set(struct kvm_vcpu *vcpu, unsigned long value)
{
	vcpu_set_reg(vcpu, RISCV_GENERAL_CSR_REG(sscratch), value);
}

static void registers_in_place(void)
{
	struct kvm_vcpu *vcpu;

	vm_create_with_one_vcpu(&vcpu, guest_reads);
	read_on(vcpu, cpu[0]);
	set(vcpu, 0x1111);
	expect_new(vcpu, cpu[0], 0x1111);
	set(vcpu, 0x2222);
	expect_new(vcpu, cpu[1], 0x2222);
	expect_new(vcpu, cpu[0], 0x2222);
}

static void registers_after_detour(void)
{
	struct kvm_vcpu *vcpu;

	vm_create_with_one_vcpu(&vcpu, guest_reads);
	read_on(vcpu, cpu[0]);
	set(vcpu, 0x1111);
	detour(vcpu, cpu[1]);
	expect_new(vcpu, cpu[0], 0x1111);
	expect_new(vcpu, cpu[1], 0x1111);
}

/* Another vCPU has used the CPU's registers meanwhile. */
static void registers_after_another(void)
{
	struct kvm_vcpu *vcpus[2];

	vm_create_with_vcpus(2, guest_reads, vcpus);
	set(vcpus[0], 0x1111);
	set(vcpus[1], 0x2222);
	expect_new(vcpus[0], cpu[0], 0x1111);
	expect_new(vcpus[1], cpu[0], 0x2222);
	expect_new(vcpus[0], cpu[0], 0x1111);
	expect_new(vcpus[1], cpu[1], 0x2222);
	expect_new(vcpus[0], cpu[1], 0x1111);
	expect_new(vcpus[1], cpu[0], 0x2222);
}

static const struct witness_case cases[] = {
	{
		.name = "registers_in_place",
		.verifies = "the guest sees what KVM_SET_ONE_REG has written, on the same CPU and on another",
		.run = registers_in_place,
	}, {
		.name = "registers_after_detour",
		.verifies = "so it does after a KVM_RUN on another CPU that did not get to the guest",
		.run = registers_after_detour,
	}, {
		.name = "registers_after_another",
		.verifies = "vCPUs that take turns on a CPU keep their registers",
		.run = registers_after_another,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "vcpu_load_test",
		.needs = "two CPUs",
		.seed = "KVM: riscv: Skip CSR restore if VCPU is reloaded on the same core (1323a5cfe52c)",
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
