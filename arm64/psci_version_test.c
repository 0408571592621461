// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_REG_ARM_PSCI_VERSION says which PSCI a guest has: 0.2 or 1.0 to 1.3, the latest
 * unless told otherwise, 0.1 without the feature PSCI_0_2.  A VMM that restores a guest
 * of an older host relies on it: nothing that came later may show.
 *
 * Catches: a version that is taken though KVM does not have it, or not kept; a function
 * before its version (SYSTEM_OFF2 is of 1.3, SYSTEM_RESET2 of 1.1, PSCI_FEATURES of 1.0)
 * or one that PSCI_FEATURES denies and that works; an exit that says the wrong thing.
 *
 * The guest executes HVC with the registers that the host has set and then stores to an
 * address where nothing is: the host sees all that a call did, or that it did not return.
 *
 * Facts: Arm DEN0022 (PSCI), DEN0028 (SMCCC); Documentation/virt/kvm/arm/fw-pseudo-registers.rst.
 */
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <asm/cputype.h>
#include <linux/bits.h>
#include <linux/psci.h>

#include "case.h"
#include "compat.h"

#define CALLED_GPA	0x0c000000UL	/* where the guest stores when a call has returned */
#define SMC64		PSCI_0_2_64BIT
#define NOT_SUPPORTED	((uint64_t)PSCI_RET_NOT_SUPPORTED)
#define INVALID		((uint64_t)PSCI_RET_INVALID_PARAMS)
#define FAILURE		((uint64_t)PSCI_RET_INTERNAL_FAILURE)

static const uint64_t versions[] = {
	PSCI_VERSION(0, 2), PSCI_VERSION(1, 0), PSCI_VERSION(1, 1), PSCI_VERSION(1, 2), PSCI_VERSION(1, 3),
};

#define for_each_version(v)	for (v = versions; v < versions + ARRAY_SIZE(versions); v++)

/* "1.3"; good until it has been used four times more. */
static const char *text(uint64_t version)
{
	static char buffers[4][32];
	static unsigned int next;
	char *buffer = buffers[next++ % ARRAY_SIZE(buffers)];

	snprintf(buffer, sizeof(buffers[0]), "%lu.%lu", version >> PSCI_VERSION_MAJOR_SHIFT,
		 (unsigned long)PSCI_VERSION_MINOR(version));
	return buffer;
}

/* --- a VM whose guest makes calls ----------------------------------------- */

static void guest_calls(void)
{
	for (;;)
		asm volatile("hvc	#0\n"
			     "str	xzr, [x28]\n" : : : "memory");
}

static struct kvm_vcpu *vcpus[2];

/* A call that stops the vCPU would never return. */
static void on_alarm(int sig)
{
}

static void add_vcpu(struct kvm_vm *vm, unsigned int id, uint32_t features)
{
	struct kvm_vcpu_init init;

	kvm_get_default_vcpu_target(vm, &init);
	init.features[0] &= ~BIT(KVM_ARM_VCPU_HAS_EL2);
	init.features[0] |= features;
	vcpus[id] = aarch64_vcpu_add(vm, id, &init, guest_calls);
	vcpu_set_reg(vcpus[id], ARM64_CORE_REG(regs.regs[28]), CALLED_GPA);
}

static struct kvm_vm *create(uint32_t features)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct kvm_vm *vm;

	sigaction(SIGALRM, &action, NULL);
	vm = vm_create(2);
	add_vcpu(vm, 0, features);
	add_vcpu(vm, 1, features);
	kvm_arch_vm_finalize_vcpus(vm);
	virt_map(vm, CALLED_GPA, CALLED_GPA, 1);
	return vm;
}

static struct kvm_vm *create_0_2(void)
{
	return create(BIT(KVM_ARM_VCPU_PSCI_0_2));
}

static uint64_t get_version(struct kvm_vcpu *vcpu)
{
	return vcpu_get_reg(vcpu, KVM_REG_ARM_PSCI_VERSION);
}

static int set_version(struct kvm_vcpu *vcpu, uint64_t version)
{
	return __vcpu_set_reg(vcpu, KVM_REG_ARM_PSCI_VERSION, version) ? errno : 0;
}

/* Sets one, or says that this kernel is too old for it. */
static bool has_version(struct kvm_vcpu *vcpu, uint64_t version)
{
	return !set_version(vcpu, version);
}

static uint64_t get_x(struct kvm_vcpu *vcpu, unsigned int n)
{
	return vcpu_get_reg(vcpu, ARM64_CORE_REG(regs.regs[n]));
}

static bool stopped(struct kvm_vcpu *vcpu)
{
	struct kvm_mp_state state;

	vcpu_mp_state_get(vcpu, &state);
	return state.mp_state == KVM_MP_STATE_STOPPED;
}

static void set_stopped(struct kvm_vcpu *vcpu, bool stop)
{
	struct kvm_mp_state state = { .mp_state = stop ? KVM_MP_STATE_STOPPED : KVM_MP_STATE_RUNNABLE };

	vcpu_mp_state_set(vcpu, &state);
}

static bool returned(struct kvm_vcpu *vcpu)
{
	return vcpu->run->exit_reason == KVM_EXIT_MMIO && vcpu->run->mmio.phys_addr == CALLED_GPA;
}

/* Runs until the guest's call has returned or something else ends KVM_RUN; errno or 0. */
static int run(struct kvm_vcpu *vcpu)
{
	int ret;

	alarm(20);
	ret = __vcpu_run(vcpu) ? errno : 0;
	alarm(0);
	return ret;
}

/* A vCPU that turns itself off sleeps in KVM_RUN until a signal; errno or 0. */
static int run_until_stopped(struct kvm_vcpu *vcpu)
{
	const struct itimerval tick = { { 0, 100000 }, { 0, 100000 } }, off = { { 0, 0 }, { 0, 0 } };
	int ret, ticks = 0;

	setitimer(ITIMER_REAL, &tick, NULL);
	do {
		ret = __vcpu_run(vcpu) ? errno : 0;
	} while (ret == EINTR && !stopped(vcpu) && ++ticks < 200);
	setitimer(ITIMER_REAL, &off, NULL);
	return ret;
}

static void set_call(struct kvm_vcpu *vcpu, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3)
{
	uint64_t x[] = { x0, x1, x2, x3 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(x); i++)
		vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.regs[i]), x[i]);
}

/* What the call returns to the guest. */
static uint64_t psci3(struct kvm_vcpu *vcpu, uint64_t id, uint64_t x1, uint64_t x2, uint64_t x3)
{
	int err;

	set_call(vcpu, id, x1, x2, x3);
	err = run(vcpu);
	CASE_EXPECT(!err, "call %#lx(%#lx, %#lx) does not return: errno %d, the vCPU is %s", id, x1, x2, err,
		    stopped(vcpu) ? "stopped" : "not stopped");
	CASE_EXPECT(returned(vcpu), "call %#lx(%#lx, %#lx) ends KVM_RUN, exit reason %u", id, x1, x2,
		    vcpu->run->exit_reason);
	return get_x(vcpu, 0);
}

static uint64_t psci(struct kvm_vcpu *vcpu, uint64_t id, uint64_t x1)
{
	return psci3(vcpu, id, x1, 0, 0);
}

static uint64_t features(struct kvm_vcpu *vcpu, uint32_t id)
{
	return psci(vcpu, PSCI_1_0_FN_PSCI_FEATURES, id);
}

#define EXPECT_RETURNS(want, call)								\
do {												\
	uint64_t __got = (call), __want = (want);						\
												\
	CASE_EXPECT(__got == __want, #call " is %#lx, not %#lx, PSCI %s", __got, __want, \
		    text(get_version(vcpus[0])));					\
} while (0)

/* --- the register --------------------------------------------------------- */

/* The latest is the one above which none is taken. */
static void latest(void)
{
	uint64_t version, minor;

	create_0_2();
	version = get_version(vcpus[0]);
	CASE_EXPECT(PSCI_VERSION_MAJOR(version) == 1, "the default is %s", text(version));
	for (minor = 0; minor < 0x100; minor++) {
		int err = set_version(vcpus[0], PSCI_VERSION(1, minor));
		bool want = minor <= PSCI_VERSION_MINOR(version);

		CASE_EXPECT(!err == want, "1.%lu %s, the default is %s", minor, err ? "is refused" : "is taken",
			    text(version));
	}
	create_0_2();
	EXPECT_RETURNS(version, psci(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
}

static void each_version(void)
{
	uint64_t newest;
	const uint64_t *v;

	create_0_2();
	newest = get_version(vcpus[0]);
	for_each_version(v) {
		int err = set_version(vcpus[0], *v);

		if (err && *v > newest)
			break;
		CASE_EXPECT(!err, "%s is refused, errno %d", text(*v), err);
		CASE_EXPECT(get_version(vcpus[0]) == *v, "set to %s, it reads %s", text(*v),
			    text(get_version(vcpus[0])));
		EXPECT_RETURNS(*v, psci(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
	}
}

static void unsupported(void)
{
	static const uint64_t wrong[] = {
		0, PSCI_VERSION(0, 1), PSCI_VERSION(0, 3), PSCI_VERSION(0, 0xffff), PSCI_VERSION(1, 0x8000),
		PSCI_VERSION(1, 0xffff), PSCI_VERSION(2, 0), PSCI_VERSION(2, 2), PSCI_VERSION(0x7fff, 0),
		0xffffffff, ~0UL, BIT(32) | PSCI_VERSION(1, 0), BIT(63) | PSCI_VERSION(0, 2),
	};
	static const uint64_t before[] = { PSCI_VERSION(1, 0), PSCI_VERSION(0, 2) };
	unsigned int i, b;

	create_0_2();
	for (b = 0; b < ARRAY_SIZE(before); b++) {
		TEST_ASSERT(!set_version(vcpus[0], before[b]), "no PSCI %s", text(before[b]));
		for (i = 0; i < ARRAY_SIZE(wrong); i++) {
			int err = set_version(vcpus[0], wrong[i]);

			CASE_EXPECT(err == EINVAL, "%#lx: errno %d, not EINVAL", wrong[i], err);
			CASE_EXPECT(get_version(vcpus[0]) == before[b], "after %#lx was refused it is %s",
				    wrong[i], text(get_version(vcpus[0])));
		}
		EXPECT_RETURNS(before[b], psci(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
	}
}

static void without_feature(void)
{
	const uint64_t *v;

	create(0);
	CASE_EXPECT(get_version(vcpus[0]) == PSCI_VERSION(0, 1), "without PSCI_0_2 it is %s",
		    text(get_version(vcpus[0])));
	CASE_EXPECT(!set_version(vcpus[0], PSCI_VERSION(0, 1)), "0.1 cannot be set: what was read cannot be restored");
	for_each_version(v) {
		int err = set_version(vcpus[0], *v);

		CASE_EXPECT(err == EINVAL, "%s without PSCI_0_2: errno %d, not EINVAL", text(*v), err);
	}
	CASE_EXPECT(get_version(vcpus[0]) == PSCI_VERSION(0, 1), "it is %s now",
		    text(get_version(vcpus[0])));

	/* The functions of 0.1 have numbers of KVM's own, later ones are unknown. */
	EXPECT_RETURNS(NOT_SUPPORTED, psci(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
	EXPECT_RETURNS(NOT_SUPPORTED, psci(vcpus[0], PSCI_0_2_FN_SYSTEM_OFF, 0));
	EXPECT_RETURNS(NOT_SUPPORTED, psci(vcpus[0], PSCI_1_0_FN_PSCI_FEATURES, PSCI_0_2_FN_CPU_OFF));
	EXPECT_RETURNS(NOT_SUPPORTED, psci(vcpus[0], KVM_PSCI_FN_CPU_SUSPEND, 0));
	EXPECT_RETURNS(NOT_SUPPORTED, psci(vcpus[0], KVM_PSCI_FN_MIGRATE, 0));
	EXPECT_RETURNS(INVALID, psci(vcpus[0], KVM_PSCI_FN_CPU_ON, 1));
	set_stopped(vcpus[1], true);
	EXPECT_RETURNS(PSCI_RET_SUCCESS, psci3(vcpus[0], KVM_PSCI_FN_CPU_ON, 1, 0x1000, 0x77));
	CASE_EXPECT(!stopped(vcpus[1]), "CPU_ON of 0.1 leaves the vCPU off");
	CASE_EXPECT(get_x(vcpus[1], 0) == 0x77, "it starts with %#lx in x0", get_x(vcpus[1], 0));
}

/* 0.1's numbers are not those of later versions. */
static void only_0_1(void)
{
	const uint64_t *v;
	unsigned int n;

	create_0_2();
	for_each_version(v) {
		if (!has_version(vcpus[0], *v))
			continue;
		for (n = 0; n < 4; n++)
			EXPECT_RETURNS(NOT_SUPPORTED, psci(vcpus[0], KVM_PSCI_FN(n), 0));
		CASE_EXPECT(!stopped(vcpus[0]), "CPU_OFF of 0.1 stops it");
	}
}

static void of_the_vm(void)
{
	const uint64_t wanted = PSCI_VERSION(1, 0);

	create_0_2();
	TEST_ASSERT(!set_version(vcpus[1], wanted), "no PSCI 1.0");
	CASE_EXPECT(get_version(vcpus[0]) == wanted, "set by vCPU 1, vCPU 0 reads %s",
		    text(get_version(vcpus[0])));
	EXPECT_RETURNS(wanted, psci(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
	EXPECT_RETURNS(wanted, psci(vcpus[1], PSCI_0_2_FN_PSCI_VERSION, 0));
}

/* A VMM resets a VM by KVM_ARM_VCPU_INIT, a guest another vCPU by CPU_ON. */
static void survives_reset(void)
{
	const uint64_t wanted = PSCI_VERSION(1, 1);
	unsigned int i;

	create_0_2();
	if (!has_version(vcpus[0], wanted))
		case_skip("no PSCI 1.1: Linux before 5.18");
	EXPECT_RETURNS(wanted, psci(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
	set_stopped(vcpus[1], true);
	EXPECT_RETURNS(PSCI_RET_SUCCESS, psci3(vcpus[0], PSCI_0_2_FN64_CPU_ON, 1, (uint64_t)guest_calls, 0));
	CASE_EXPECT(get_version(vcpus[1]) == wanted, "after CPU_ON it is %s",
		    text(get_version(vcpus[1])));
	/* What the last call's exit has left is finished first, as for any VMM. */
	vcpu_run_complete_io(vcpus[0]);
	for (i = 0; i < ARRAY_SIZE(vcpus); i++) {
		aarch64_vcpu_setup(vcpus[i], &vcpus[i]->init);
		vcpu_set_reg(vcpus[i], ARM64_CORE_REG(regs.pc), (uint64_t)guest_calls);
		vcpu_set_reg(vcpus[i], ARM64_CORE_REG(regs.regs[28]), CALLED_GPA);
	}
	for (i = 0; i < ARRAY_SIZE(vcpus); i++) {
		CASE_EXPECT(get_version(vcpus[i]) == wanted, "after KVM_ARM_VCPU_INIT it is %s",
			    text(get_version(vcpus[i])));
		EXPECT_RETURNS(wanted, psci(vcpus[i], PSCI_0_2_FN_PSCI_VERSION, 0));
	}
}

/* --- which functions there are -------------------------------------------- */

enum { NO, MAY, MUST };	/* must: the specification demands it, or KVM has had it since that version */

struct function {
	uint64_t since;
	uint8_t smc32, smc64;
};

#define NEVER	PSCI_VERSION(0x7fff, 0)

/* By number: 0x84000000 + n, and 0xc4000000 + n with 64-bit parameters. */
static const struct function functions[32] = {
	[0] = { PSCI_VERSION(0, 2), MUST, NO },		/* PSCI_VERSION */
	[1] = { PSCI_VERSION(0, 2), MUST, MUST },	/* CPU_SUSPEND */
	[2] = { PSCI_VERSION(0, 2), MUST, NO },		/* CPU_OFF */
	[3] = { PSCI_VERSION(0, 2), MUST, MUST },	/* CPU_ON */
	[4] = { PSCI_VERSION(0, 2), MUST, MUST },	/* AFFINITY_INFO */
	[5] = { PSCI_VERSION(0, 2), MAY, MAY },		/* MIGRATE */
	[6] = { PSCI_VERSION(0, 2), MUST, NO },		/* MIGRATE_INFO_TYPE */
	[7] = { PSCI_VERSION(0, 2), MAY, MAY },		/* MIGRATE_INFO_UP_CPU */
	[8] = { PSCI_VERSION(0, 2), MUST, NO },		/* SYSTEM_OFF */
	[9] = { PSCI_VERSION(0, 2), MUST, NO },		/* SYSTEM_RESET */
	[10] = { PSCI_VERSION(1, 0), MUST, NO },	/* PSCI_FEATURES */
	[11] = { PSCI_VERSION(1, 0), MAY, NO },		/* CPU_FREEZE */
	[12] = { PSCI_VERSION(1, 0), MAY, MAY },	/* CPU_DEFAULT_SUSPEND */
	[13] = { PSCI_VERSION(1, 0), MAY, MAY },	/* NODE_HW_STATE */
	[14] = { PSCI_VERSION(1, 0), MAY, MAY },	/* SYSTEM_SUSPEND: the VMM's choice */
	[15] = { PSCI_VERSION(1, 0), MAY, NO },		/* PSCI_SET_SUSPEND_MODE */
	[16] = { PSCI_VERSION(1, 0), MAY, MAY },	/* PSCI_STAT_RESIDENCY */
	[17] = { PSCI_VERSION(1, 0), MAY, MAY },	/* PSCI_STAT_COUNT */
	[18] = { PSCI_VERSION(1, 1), MUST, MUST },	/* SYSTEM_RESET2 */
	[19] = { PSCI_VERSION(1, 1), MAY, NO },		/* MEM_PROTECT */
	[20] = { PSCI_VERSION(1, 1), MAY, MAY },	/* MEM_PROTECT_CHECK_RANGE */
	[21] = { PSCI_VERSION(1, 3), MUST, MUST },	/* SYSTEM_OFF2 */
	[22] = { PSCI_VERSION(1, 3), MAY, MAY },	/* CLEAN_INV_MEMREGION */
	[23] = { PSCI_VERSION(1, 3), MAY, MAY },	/* CLEAN_INV_MEMREGION_ATTRIBUTES */
	[24 ... 31] = { NEVER, NO, NO },
};

/* Whether a version has a function: id is PSCI's, of either width. */
static int wanted_in(uint32_t id, uint64_t version)
{
	const struct function *f = &functions[id & 0x1f];

	if (version < f->since)
		return NO;
	return id & SMC64 ? f->smc64 : f->smc32;
}

#define for_each_id(id)										\
	for (id = PSCI_0_2_FN_BASE; id; id = id == PSCI_0_2_FN(31) ? PSCI_0_2_FN64_BASE :	\
					     id == PSCI_0_2_FN64(31) ? 0 : id + 1)

static void features_mandatory(void)
{
	const uint64_t *v;
	uint32_t id;

	create_0_2();
	for_each_version(v) {
		if (!has_version(vcpus[0], *v) || *v < PSCI_VERSION(1, 0))
			continue;
		for_each_id(id) {
			/* SYSTEM_OFF2 has one kind: hibernation. */
			uint64_t want = (id & 0x1f) == 21 ? PSCI_1_3_OFF_TYPE_HIBERNATE_OFF : 0;

			if (wanted_in(id, *v) == MUST)
				CASE_EXPECT(features(vcpus[0], id) == want, "PSCI %s has no %#x",
					    text(*v), id);
		}
		CASE_EXPECT(!features(vcpus[0], 0x80000000), "no SMCCC_VERSION by PSCI_FEATURES");
	}
}

static void features_not_in_0_2(void)
{
	uint32_t id;

	create_0_2();
	TEST_ASSERT(!set_version(vcpus[0], PSCI_VERSION(0, 2)), "no PSCI 0.2");
	for_each_id(id)
		EXPECT_RETURNS(NOT_SUPPORTED, features(vcpus[0], id));
}

/* Neither offered nor served: what is of a later version, or of the other width only. */
static void nothing_of_later(void)
{
	const uint64_t *v;
	uint32_t id;

	create_0_2();
	for_each_version(v) {
		if (!has_version(vcpus[0], *v))
			continue;
		for_each_id(id) {
			if (wanted_in(id, *v) != NO)
				continue;
			if (*v >= PSCI_VERSION(1, 0))
				CASE_EXPECT(features(vcpus[0], id) == NOT_SUPPORTED, "PSCI %s offers %#x",
					    text(*v), id);
			EXPECT_RETURNS(NOT_SUPPORTED, psci(vcpus[0], id, 0));
		}
	}
}

/* Optional ones: a guest that asks first must not be surprised. */
static void features_agree(void)
{
	const uint64_t *v;
	uint32_t id;

	create_0_2();
	for_each_version(v) {
		if (!has_version(vcpus[0], *v) || *v < PSCI_VERSION(1, 0))
			continue;
		for_each_id(id) {
			if (wanted_in(id, *v) != MAY || features(vcpus[0], id) != NOT_SUPPORTED)
				continue;
			EXPECT_RETURNS(NOT_SUPPORTED, psci(vcpus[0], id, 0));
			CASE_EXPECT(!stopped(vcpus[0]), "%#x, which is not offered, stops the vCPU", id);
		}
	}
}

/* The number is in w0; what is above does not count, all bits of it do. */
static void function_ids(void)
{
	static const uint32_t wrong[] = { BIT(16), BIT(22), BIT(23), BIT(24), BIT(29), BIT(31), 0x20, 0x8000 };
	uint32_t id;
	unsigned int i;

	create_0_2();
	EXPECT_RETURNS(get_version(vcpus[0]), psci(vcpus[0], 0xffffffffUL << 32 | PSCI_0_2_FN_PSCI_VERSION, 0));
	CASE_EXPECT(!psci(vcpus[0], PSCI_1_0_FN_PSCI_FEATURES, BIT(63) | BIT(32) | PSCI_0_2_FN_CPU_OFF),
		    "PSCI_FEATURES looks at more than w1");
	for_each_id(id) {
		if (wanted_in(id, get_version(vcpus[0])) != MUST)
			continue;
		for (i = 0; i < ARRAY_SIZE(wrong); i++) {
			EXPECT_RETURNS(NOT_SUPPORTED, psci(vcpus[0], id ^ wrong[i], 0));
			EXPECT_RETURNS(NOT_SUPPORTED, features(vcpus[0], id ^ wrong[i]));
		}
	}
}

/* --- calls that end the VM ------------------------------------------------ */

/* Makes a call that must not return, and looks at what the VMM is told. */
static void expect_event(uint64_t id, uint64_t x1, uint64_t x2, uint32_t type, uint64_t flags)
{
	struct kvm_run *r = vcpus[0]->run;
	int err;

	set_call(vcpus[0], id, x1, x2, 0);
	memset(&r->system_event, 0xff, sizeof(r->system_event));
	err = run(vcpus[0]);
	CASE_EXPECT(!err && r->exit_reason == KVM_EXIT_SYSTEM_EVENT,
		    "call %#lx(%#lx, %#lx): errno %d, exit reason %u, no system event", id, x1, x2, err, r->exit_reason);
	CASE_EXPECT(r->system_event.type == type, "call %#lx: system event %u, not %u", id, r->system_event.type, type);
	CASE_EXPECT(r->system_event.ndata == 1 && r->system_event.data[0] == flags,
		    "call %#lx: %u data, flags %#llx, not %#lx", id, r->system_event.ndata, r->system_event.data[0], flags);
}

/* Nothing of the VM runs on unless the VMM wants it, and then the call has failed. */
static void expect_all_stopped(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vcpus); i++)
		CASE_EXPECT(stopped(vcpus[i]), "vCPU %u is not stopped", i);
	for (i = 0; i < ARRAY_SIZE(vcpus); i++)
		set_stopped(vcpus[i], false);
	CASE_EXPECT(get_x(vcpus[0], 0) == FAILURE, "x0 of the call is %#lx", get_x(vcpus[0], 0));
	CASE_EXPECT(!run(vcpus[0]) && returned(vcpus[0]), "the guest does not go on");
}

static void expect_end(uint32_t id, uint32_t type)
{
	const uint64_t *v;

	create_0_2();
	for_each_version(v) {
		if (!has_version(vcpus[0], *v))
			continue;
		expect_event(id, 0, 0, type, 0);
		expect_all_stopped();
	}
}

static void system_off(void)
{
	expect_end(PSCI_0_2_FN_SYSTEM_OFF, KVM_SYSTEM_EVENT_SHUTDOWN);
}

static void system_reset(void)
{
	expect_end(PSCI_0_2_FN_SYSTEM_RESET, KVM_SYSTEM_EVENT_RESET);
}

/* Reset types: 0 is warm, from 0x80000000 on the vendor's, all else is reserved. */
static void system_reset2(void)
{
	static const uint64_t good[] = { 0, 0x80000000, 0x80000001, 0xffffffff };
	static const uint64_t bad[] = { 1, 2, 0x7fffffff };
	static const uint32_t ids[] = { PSCI_1_1_FN_SYSTEM_RESET2, PSCI_1_1_FN64_SYSTEM_RESET2 };
	const uint64_t cookie = 0x12345678;
	const uint64_t *v;
	unsigned int i, n;

	create_0_2();
	for_each_version(v) {
		if (!has_version(vcpus[0], *v) || *v < PSCI_VERSION(1, 1))
			continue;
		for (n = 0; n < ARRAY_SIZE(ids); n++) {
			for (i = 0; i < ARRAY_SIZE(good); i++) {
				expect_event(ids[n], good[i], cookie, KVM_SYSTEM_EVENT_RESET,
					     KVM_SYSTEM_EVENT_RESET_FLAG_PSCI_RESET2);
				/* They are for the VMM, which can read them here only. */
				CASE_EXPECT(get_x(vcpus[0], 1) == good[i] && get_x(vcpus[0], 2) == cookie,
					    "type %#lx and cookie %#lx are lost", good[i], cookie);
				expect_all_stopped();
			}
			for (i = 0; i < ARRAY_SIZE(bad); i++)
				EXPECT_RETURNS(INVALID, psci3(vcpus[0], ids[n], bad[i], cookie, 0));
		}
		/* Parameters of the 32-bit call are 32 bits wide. */
		expect_event(ids[0], BIT(32), BIT(40) | cookie, KVM_SYSTEM_EVENT_RESET, KVM_SYSTEM_EVENT_RESET_FLAG_PSCI_RESET2);
		CASE_EXPECT(get_x(vcpus[0], 2) == cookie, "the cookie is %#lx", get_x(vcpus[0], 2));
		expect_all_stopped();
	}
	CASE_EXPECT(get_version(vcpus[0]) >= PSCI_VERSION(1, 0), "PSCI 0.2 only");
}

/* The type 0 is another name of HIBERNATE_OFF; the cookie must be zero. */
static void system_off2(void)
{
	static const uint32_t ids[] = { PSCI_1_3_FN_SYSTEM_OFF2, PSCI_1_3_FN64_SYSTEM_OFF2 };
	unsigned int n, type;

	create_0_2();
	if (get_version(vcpus[0]) < PSCI_VERSION(1, 3))
		case_skip("no PSCI 1.3: Linux before 6.13");
	for (n = 0; n < ARRAY_SIZE(ids); n++) {
		for (type = 0; type < 2; type++) {
			expect_event(ids[n], type, 0, KVM_SYSTEM_EVENT_SHUTDOWN, KVM_SYSTEM_EVENT_SHUTDOWN_FLAG_PSCI_OFF2);
			expect_all_stopped();
			EXPECT_RETURNS(INVALID, psci3(vcpus[0], ids[n], type, 1, 0));
		}
		EXPECT_RETURNS(INVALID, psci3(vcpus[0], ids[n], 2, 0, 0));
		EXPECT_RETURNS(INVALID, psci3(vcpus[0], ids[n], 3, 0, 0));
		EXPECT_RETURNS(INVALID, psci3(vcpus[0], ids[n], 0x80000000, 0, 0));
	}
	EXPECT_RETURNS(INVALID, psci3(vcpus[0], PSCI_1_3_FN64_SYSTEM_OFF2, 1, BIT(32), 0));
	expect_event(PSCI_1_3_FN_SYSTEM_OFF2, BIT(40) | 1, BIT(32), KVM_SYSTEM_EVENT_SHUTDOWN,
		     KVM_SYSTEM_EVENT_SHUTDOWN_FLAG_PSCI_OFF2);
	expect_all_stopped();
}

/* Only with KVM_CAP_ARM_SYSTEM_SUSPEND; then all is left to the VMM. */
static void system_suspend(void)
{
	static const uint32_t ids[] = { PSCI_1_0_FN_SYSTEM_SUSPEND, PSCI_1_0_FN64_SYSTEM_SUSPEND };
	const uint64_t entry = 0x1234567800001000, context = 0xfeed0000cafe;
	struct kvm_run *r;
	struct kvm_vm *vm;
	const uint64_t *v;
	unsigned int n;

	if (!kvm_has_cap(KVM_CAP_ARM_SYSTEM_SUSPEND))
		case_skip("no KVM_CAP_ARM_SYSTEM_SUSPEND: Linux before 5.19");
	vm = create_0_2();
	for (n = 0; n < ARRAY_SIZE(ids); n++) {
		EXPECT_RETURNS(NOT_SUPPORTED, features(vcpus[0], ids[n]));
		EXPECT_RETURNS(NOT_SUPPORTED, psci3(vcpus[0], ids[n], entry, context, 0));
	}

	vm_enable_cap(vm, KVM_CAP_ARM_SYSTEM_SUSPEND, 0);
	r = vcpus[0]->run;
	for_each_version(v) {
		if (!has_version(vcpus[0], *v))
			continue;
		for (n = 0; n < ARRAY_SIZE(ids); n++) {
			uint64_t mask = ids[n] & SMC64 ? ~0UL : 0xffffffff;
			int err;

			if (*v < PSCI_VERSION(1, 0)) {
				EXPECT_RETURNS(NOT_SUPPORTED, psci3(vcpus[0], ids[n], entry, context, 0));
				continue;
			}
			EXPECT_RETURNS(0, features(vcpus[0], ids[n]));
			set_call(vcpus[0], ids[n], entry, context, 0);
			memset(&r->system_event, 0xff, sizeof(r->system_event));
			err = run(vcpus[0]);
			CASE_EXPECT(!err && r->exit_reason == KVM_EXIT_SYSTEM_EVENT,
				    "%#x: errno %d, exit reason %u", ids[n], err, r->exit_reason);
			CASE_EXPECT(r->system_event.type == KVM_SYSTEM_EVENT_SUSPEND && !r->system_event.ndata,
				    "%#x: system event %u with %u data", ids[n], r->system_event.type, r->system_event.ndata);
			CASE_EXPECT(get_x(vcpus[0], 0) == ids[n] && get_x(vcpus[0], 1) == (entry & mask) &&
				    get_x(vcpus[0], 2) == (context & mask), "%#x: the VMM sees %#lx(%#lx, %#lx)", ids[n],
				    get_x(vcpus[0], 0), get_x(vcpus[0], 1), get_x(vcpus[0], 2));
			CASE_EXPECT(!stopped(vcpus[0]) && !stopped(vcpus[1]), "%#x stops a vCPU", ids[n]);
			CASE_EXPECT(!run(vcpus[0]) && returned(vcpus[0]), "the guest does not go on");
		}
	}
}

/* --- calls about vCPUs ---------------------------------------------------- */

static void cpu_off_and_on(void)
{
	const uint64_t context = 0xc0ffee00deadbeef, entry = (uint64_t)guest_calls;
	static const uint32_t ids[] = { PSCI_0_2_FN_CPU_ON, PSCI_0_2_FN64_CPU_ON };
	unsigned int n;

	create_0_2();
	for (n = 0; n < ARRAY_SIZE(ids); n++) {
		uint64_t mask = ids[n] & SMC64 ? ~0UL : 0xffffffff;
		int err;

		EXPECT_RETURNS((uint64_t)PSCI_RET_ALREADY_ON, psci3(vcpus[0], ids[n], 1, entry, context));
		EXPECT_RETURNS(INVALID, psci3(vcpus[0], ids[n], 2, entry, context));
		/* Bits that are no affinity must be zero; the 32-bit call has fewer of them. */
		EXPECT_RETURNS(INVALID, psci3(vcpus[0], ids[n], BIT(24) | 1, entry, context));
		EXPECT_RETURNS(ids[n] & SMC64 ? INVALID : (uint64_t)PSCI_RET_ALREADY_ON,
			       psci3(vcpus[0], ids[n], BIT(40) | 1, entry, context));

		set_call(vcpus[1], PSCI_0_2_FN_CPU_OFF, 0, 0, 0);
		err = run_until_stopped(vcpus[1]);
		CASE_EXPECT(err == EINTR && stopped(vcpus[1]), "CPU_OFF: errno %d, %s", err,
			    stopped(vcpus[1]) ? "off" : "still on");
		EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_OFF, psci(vcpus[0], PSCI_0_2_FN64_AFFINITY_INFO, 1));

		EXPECT_RETURNS(PSCI_RET_SUCCESS, psci3(vcpus[0], ids[n], 1, entry, context));
		CASE_EXPECT(!stopped(vcpus[1]), "%#x leaves it off", ids[n]);
		CASE_EXPECT(vcpu_get_reg(vcpus[1], ARM64_CORE_REG(regs.pc)) == (entry & mask),
			    "%#x: it starts at %#lx", ids[n], vcpu_get_reg(vcpus[1], ARM64_CORE_REG(regs.pc)));
		CASE_EXPECT(get_x(vcpus[1], 0) == (context & mask), "%#x: it starts with %#lx in x0", ids[n],
			    get_x(vcpus[1], 0));
		EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_ON, psci(vcpus[0], PSCI_0_2_FN64_AFFINITY_INFO, 1));

		/* It has no page tables now. */
		aarch64_vcpu_setup(vcpus[1], &vcpus[1]->init);
		vcpu_set_reg(vcpus[1], ARM64_CORE_REG(regs.pc), entry);
		vcpu_set_reg(vcpus[1], ARM64_CORE_REG(regs.regs[28]), CALLED_GPA);
	}
}

static void affinity_info(void)
{
	static const uint32_t ids[] = { PSCI_0_2_FN_AFFINITY_INFO, PSCI_0_2_FN64_AFFINITY_INFO };
	unsigned int n, on, level;

	create_0_2();
	for (n = 0; n < ARRAY_SIZE(ids); n++) {
		/* One that runs is enough for a whole level, whichever it is. */
		for (on = 0; on < 2; on++) {
			set_stopped(vcpus[on], false);
			set_stopped(vcpus[!on], true);
			EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_ON, psci3(vcpus[on], ids[n], on, 0, 0));
			EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_OFF, psci3(vcpus[on], ids[n], !on, 0, 0));
			for (level = 1; level <= 3; level++)
				EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_ON, psci3(vcpus[on], ids[n], !on, level, 0));
		}
		set_stopped(vcpus[0], false);
		set_stopped(vcpus[1], true);
		EXPECT_RETURNS(INVALID, psci3(vcpus[0], ids[n], 1, 4, 0));
		EXPECT_RETURNS(INVALID, psci3(vcpus[0], ids[n], 0x100, 0, 0));
		EXPECT_RETURNS(INVALID, psci3(vcpus[0], ids[n], BIT(31), 0, 0));
		EXPECT_RETURNS(ids[n] & SMC64 ? INVALID : PSCI_0_2_AFFINITY_LEVEL_OFF,
			       psci3(vcpus[0], ids[n], BIT(63) | 1, 0, 0));
	}
}

/* An affinity of the VMM's own, by which the guest must find the vCPU more than once. */
static void cpu_on_keeps_mpidr(void)
{
	const uint64_t affinity = 0x20003, mpidr = BIT(31) | affinity, reg = KVM_ARM64_SYS_REG(SYS_MPIDR_EL1);
	unsigned int round;

	create_0_2();
	vcpu_set_reg(vcpus[1], reg, mpidr);
	for (round = 0; round < 2; round++) {
		set_stopped(vcpus[1], true);
		EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_OFF, psci(vcpus[0], PSCI_0_2_FN64_AFFINITY_INFO, affinity));
		EXPECT_RETURNS(PSCI_RET_SUCCESS, psci3(vcpus[0], PSCI_0_2_FN64_CPU_ON, affinity, (uint64_t)guest_calls, 0));
		CASE_EXPECT(vcpu_get_reg(vcpus[1], reg) == mpidr, "after CPU_ON its MPIDR_EL1 is %#lx, not %#lx",
			    vcpu_get_reg(vcpus[1], reg), mpidr);
		EXPECT_RETURNS(PSCI_0_2_AFFINITY_LEVEL_ON, psci(vcpus[0], PSCI_0_2_FN64_AFFINITY_INFO, affinity));
	}
}

/* --- guests in AArch32 ---------------------------------------------------- */

/* The same loop: hvc #0; str r0, [r8]; b. */
static const uint32_t guest_calls_32[] = { 0xe1400070, 0xe5880000, 0xeafffffc };

static void aarch32(void)
{
	const uint64_t code = 0x10000;
	struct kvm_vcpu_init init;
	struct kvm_vm *vm;
	uint32_t id;

	if (!kvm_has_cap(KVM_CAP_ARM_EL1_32BIT))
		case_skip("no AArch32 at EL1 on this processor");
	create(0);	/* for its handler of SIGALRM */
	vm = vm_create_barebones();
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, code, 0, 1, 0);
	memcpy(addr_gpa2hva(vm, code), guest_calls_32, sizeof(guest_calls_32));
	vcpus[0] = __vm_vcpu_add(vm, 0);
	vm_ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init);
	init.features[0] = BIT(KVM_ARM_VCPU_PSCI_0_2) | BIT(KVM_ARM_VCPU_EL1_32BIT);
	vcpu_ioctl(vcpus[0], KVM_ARM_VCPU_INIT, &init);
	vcpu_set_reg(vcpus[0], ARM64_CORE_REG(regs.pc), code);
	vcpu_set_reg(vcpus[0], ARM64_CORE_REG(regs.regs[8]), CALLED_GPA);

	EXPECT_RETURNS(get_version(vcpus[0]), psci(vcpus[0], PSCI_0_2_FN_PSCI_VERSION, 0));
	for_each_id(id) {
		int want = wanted_in(id, get_version(vcpus[0]));
		uint64_t got = (uint32_t)features(vcpus[0], id);

		if (id & SMC64) {
			CASE_EXPECT(got == (uint32_t)NOT_SUPPORTED, "a 32-bit guest is offered %#x", id);
			EXPECT_RETURNS((uint32_t)NOT_SUPPORTED, (uint32_t)psci(vcpus[0], id, 0));
		} else if (want == MUST) {
			CASE_EXPECT(got != (uint32_t)NOT_SUPPORTED, "a 32-bit guest has no %#x", id);
		}
	}
}

static const struct witness_case cases[] = {
	{
		.name = "latest",
		.verifies = "the default is the latest version that is taken, and what the guest reads",
		.run = latest,
	}, {
		.name = "each_version",
		.verifies = "each of 0.2 and 1.0 to 1.3 can be set, read back, and is what the guest reads",
		.run = each_version,
	}, {
		.name = "unsupported",
		.verifies = "any other value gives EINVAL and leaves the old version",
		.run = unsupported,
	}, {
		.name = "without_feature",
		.verifies = "without PSCI_0_2 the version is 0.1, nothing else can be set, and the functions are those of 0.1",
		.run = without_feature,
	}, {
		.name = "only_0_1",
		.verifies = "with PSCI_0_2 the function numbers of 0.1 are not supported",
		.run = only_0_1,
	}, {
		.name = "of_the_vm",
		.verifies = "the version is that of all vCPUs, whichever sets it",
		.run = of_the_vm,
	}, {
		.name = "survives_reset",
		.verifies = "the version stays over CPU_ON and KVM_ARM_VCPU_INIT",
		.run = survives_reset,
	}, {
		.name = "features_mandatory",
		.verifies = "PSCI_FEATURES offers what the version demands, and what KVM has had since",
		.run = features_mandatory,
	}, {
		.name = "features_not_in_0_2",
		.verifies = "PSCI 0.2 has no PSCI_FEATURES",
		.run = features_not_in_0_2,
	}, {
		.name = "nothing_of_later",
		.verifies = "functions of later versions, and those that the other width only has, are neither offered nor served",
		.run = nothing_of_later,
	}, {
		.name = "features_agree",
		.verifies = "an optional function that is not offered is not served",
		.run = features_agree,
	}, {
		.name = "function_ids",
		.verifies = "a function is called by all bits of w0 and by no other",
		.run = function_ids,
	}, {
		.name = "system_off",
		.verifies = "SYSTEM_OFF stops all vCPUs and exits with SHUTDOWN",
		.run = system_off,
	}, {
		.name = "system_reset",
		.verifies = "SYSTEM_RESET stops all vCPUs and exits with RESET",
		.run = system_reset,
	}, {
		.name = "system_reset2",
		.verifies = "SYSTEM_RESET2 exits with RESET and its flag for a warm and for vendors' resets, others are INVALID_PARAMETERS",
		.run = system_reset2,
	}, {
		.name = "system_off2",
		.verifies = "SYSTEM_OFF2 exits with SHUTDOWN and its flag for hibernation, all else is INVALID_PARAMETERS",
		.run = system_off2,
	}, {
		.name = "system_suspend",
		.verifies = "SYSTEM_SUSPEND is there with the capability only, and exits with SUSPEND and the guest's registers",
		.run = system_suspend,
	}, {
		.name = "cpu_off_and_on",
		.verifies = "CPU_OFF stops the caller, CPU_ON starts another vCPU, with parameters as wide as the call",
		.run = cpu_off_and_on,
	}, {
		.name = "affinity_info",
		.verifies = "AFFINITY_INFO tells of vCPUs and levels, by both widths",
		.run = affinity_info,
	}, {
		.name = "cpu_on_keeps_mpidr",
		.verifies = "a vCPU that is turned on keeps the affinity that the VMM has given it",
		.run = cpu_on_keeps_mpidr,
	}, {
		.name = "aarch32",
		.verifies = "a guest in AArch32 has the 32-bit calls only",
		.needs = "AArch32 at EL1",
		.run = aarch32,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "psci_version_test",
		.needs = "KVM on arm64",
		.seed = "target/arm: PSCI 1.2 and 1.3 for WHPX (v8), KVM: arm64: PSCI SYSTEM_OFF2 function for hibernation",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
