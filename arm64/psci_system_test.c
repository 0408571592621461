// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI's calls that end or suspend a system: what they tell the VMM.
 *
 * Catches: an exit of the wrong type, without its flag or without the guest's parameters;
 * a vCPU that runs on; a type of reset or of hibernation that there is not and is served.
 *
 * Facts: Arm DEN0022 (PSCI); Documentation/virt/kvm/api.rst, KVM_EXIT_SYSTEM_EVENT.
 */
#include <linux/bits.h>

#include "case.h"
#include "psci_vm.h"

static struct kvm_vcpu *vcpus[PSCI_VCPUS];

/* Makes a call that must not return, and looks at what the VMM is told. */
static void expect_event(uint64_t id, uint64_t x1, uint64_t x2, uint32_t type, uint64_t flags)
{
	struct kvm_run *r = vcpus[0]->run;
	int err;

	psci_set_call(vcpus[0], id, x1, x2, 0);
	memset(&r->system_event, 0xff, sizeof(r->system_event));
	err = psci_run(vcpus[0]);
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
		CASE_EXPECT(psci_stopped(vcpus[i]), "vCPU %u is not stopped", i);
	for (i = 0; i < ARRAY_SIZE(vcpus); i++)
		psci_set_stopped(vcpus[i], false);
	CASE_EXPECT(psci_get_x(vcpus[0], 0) == FAILURE, "x0 of the call is %#lx", psci_get_x(vcpus[0], 0));
	CASE_EXPECT(!psci_run(vcpus[0]) && psci_returned(vcpus[0]), "the guest does not go on");
}

static void expect_end(uint32_t id, uint32_t type)
{
	const uint64_t *v;

	psci_create(vcpus);
	for_each_psci_version(v) {
		if (!psci_has_version(vcpus[0], *v))
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

	psci_create(vcpus);
	for_each_psci_version(v) {
		if (!psci_has_version(vcpus[0], *v) || *v < PSCI_VERSION(1, 1))
			continue;
		for (n = 0; n < ARRAY_SIZE(ids); n++) {
			for (i = 0; i < ARRAY_SIZE(good); i++) {
				expect_event(ids[n], good[i], cookie, KVM_SYSTEM_EVENT_RESET,
					     KVM_SYSTEM_EVENT_RESET_FLAG_PSCI_RESET2);
				/* They are for the VMM, which can read them here only. */
				CASE_EXPECT(psci_get_x(vcpus[0], 1) == good[i] && psci_get_x(vcpus[0], 2) == cookie,
					    "type %#lx and cookie %#lx are lost", good[i], cookie);
				expect_all_stopped();
			}
			for (i = 0; i < ARRAY_SIZE(bad); i++)
				EXPECT_RETURNS(INVALID, psci_call3(vcpus[0], ids[n], bad[i], cookie, 0));
		}
		/* Parameters of the 32-bit call are 32 bits wide. */
		expect_event(ids[0], BIT(32), BIT(40) | cookie, KVM_SYSTEM_EVENT_RESET, KVM_SYSTEM_EVENT_RESET_FLAG_PSCI_RESET2);
		CASE_EXPECT(psci_get_x(vcpus[0], 2) == cookie, "the cookie is %#lx", psci_get_x(vcpus[0], 2));
		expect_all_stopped();
	}
	CASE_EXPECT(psci_get_version(vcpus[0]) >= PSCI_VERSION(1, 0), "PSCI 0.2 only");
}

/* The type 0 is another name of HIBERNATE_OFF; the cookie must be zero. */
static void system_off2(void)
{
	static const uint32_t ids[] = { PSCI_1_3_FN_SYSTEM_OFF2, PSCI_1_3_FN64_SYSTEM_OFF2 };
	unsigned int n, type;

	psci_create(vcpus);
	if (psci_get_version(vcpus[0]) < PSCI_VERSION(1, 3))
		case_skip("no PSCI 1.3: Linux before 6.13");
	for (n = 0; n < ARRAY_SIZE(ids); n++) {
		for (type = 0; type < 2; type++) {
			expect_event(ids[n], type, 0, KVM_SYSTEM_EVENT_SHUTDOWN, KVM_SYSTEM_EVENT_SHUTDOWN_FLAG_PSCI_OFF2);
			expect_all_stopped();
			EXPECT_RETURNS(INVALID, psci_call3(vcpus[0], ids[n], type, 1, 0));
		}
		EXPECT_RETURNS(INVALID, psci_call3(vcpus[0], ids[n], 2, 0, 0));
		EXPECT_RETURNS(INVALID, psci_call3(vcpus[0], ids[n], 3, 0, 0));
		EXPECT_RETURNS(INVALID, psci_call3(vcpus[0], ids[n], 0x80000000, 0, 0));
	}
	EXPECT_RETURNS(INVALID, psci_call3(vcpus[0], PSCI_1_3_FN64_SYSTEM_OFF2, 1, BIT(32), 0));
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
	vm = psci_create(vcpus);
	for (n = 0; n < ARRAY_SIZE(ids); n++) {
		EXPECT_RETURNS(NOT_SUPPORTED, psci_features(vcpus[0], ids[n]));
		EXPECT_RETURNS(NOT_SUPPORTED, psci_call3(vcpus[0], ids[n], entry, context, 0));
	}

	vm_enable_cap(vm, KVM_CAP_ARM_SYSTEM_SUSPEND, 0);
	r = vcpus[0]->run;
	for_each_psci_version(v) {
		if (!psci_has_version(vcpus[0], *v))
			continue;
		for (n = 0; n < ARRAY_SIZE(ids); n++) {
			uint64_t mask = ids[n] & PSCI_0_2_64BIT ? ~0UL : 0xffffffff;
			int err;

			if (*v < PSCI_VERSION(1, 0)) {
				EXPECT_RETURNS(NOT_SUPPORTED, psci_call3(vcpus[0], ids[n], entry, context, 0));
				continue;
			}
			EXPECT_RETURNS(0, psci_features(vcpus[0], ids[n]));
			psci_set_call(vcpus[0], ids[n], entry, context, 0);
			memset(&r->system_event, 0xff, sizeof(r->system_event));
			err = psci_run(vcpus[0]);
			CASE_EXPECT(!err && r->exit_reason == KVM_EXIT_SYSTEM_EVENT,
				    "%#x: errno %d, exit reason %u", ids[n], err, r->exit_reason);
			CASE_EXPECT(r->system_event.type == KVM_SYSTEM_EVENT_SUSPEND && !r->system_event.ndata,
				    "%#x: system event %u with %u data", ids[n], r->system_event.type, r->system_event.ndata);
			CASE_EXPECT(psci_get_x(vcpus[0], 0) == ids[n] && psci_get_x(vcpus[0], 1) == (entry & mask) &&
				    psci_get_x(vcpus[0], 2) == (context & mask), "%#x: the VMM sees %#lx(%#lx, %#lx)", ids[n],
				    psci_get_x(vcpus[0], 0), psci_get_x(vcpus[0], 1), psci_get_x(vcpus[0], 2));
			CASE_EXPECT(!psci_stopped(vcpus[0]) && !psci_stopped(vcpus[1]), "%#x stops a vCPU", ids[n]);
			CASE_EXPECT(!psci_run(vcpus[0]) && psci_returned(vcpus[0]), "the guest does not go on");
		}
	}
}

static const struct witness_case cases[] = {
	{
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
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "psci_system_test",
		.needs = "KVM on arm64",
		.seed = "target/arm: PSCI 1.2 and 1.3 for WHPX (v8), KVM: arm64: PSCI SYSTEM_OFF2 function for hibernation",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
