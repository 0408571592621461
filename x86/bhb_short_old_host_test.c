// SPDX-License-Identifier: GPL-2.0-only
/*
 * On a processor with the smaller branch history the short sequence is adequate as it
 * is: KVM may tell guests so, and has nothing to set for them (docs/bhb-short.md).
 *
 * Catches: KVM that does not offer the bit where it costs nothing; a BHI_DIS_S that this
 * processor does not have; and the bit beside BHI_CTRL.
 */
#include "bhb_guest.h"
#include "case.h"
#include "cpu.h"
#include "kallsyms.h"
#include "vmscape.h"

static void setup(void)
{
	cpu_pin_first();
	if (vmscape_has_bhi_ctrl())
		case_skip("this processor has BHI_CTRL");
	if (cpu_flag("hypervisor"))
		case_skip("this machine is a guest itself");
}

static void offered(void)
{
	CASE_EXPECT(bhb_kvm_supports_short(), "KVM does not offer the bit");
}

static void as_user_space_wants(void)
{
	static const enum bhb_shown all[] = { BHB_SHOW_NOTHING, BHB_SHOW_SHORT };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct kvm_vcpu *vcpu = bhb_create(all[i]);

		CASE_EXPECT(bhb_guest_reads(vcpu) == all[i], "the guest reads %d, want %d",
			    bhb_guest_reads(vcpu), all[i]);
		kvm_vm_free(vcpu->vm);
	}
}

static void never_with_bhi_ctrl(void)
{
	struct kvm_vcpu *vcpu = bhb_create(BHB_SHOW_SHORT | BHB_SHOW_BHI_CTRL);

	CASE_EXPECT(bhb_shown(vcpu) == BHB_SHOW_BHI_CTRL, "KVM_GET_CPUID2 has %d, want BHI_CTRL alone (%d)",
		    bhb_shown(vcpu), BHB_SHOW_BHI_CTRL);
}

static void not_forced(void)
{
	struct bhb_entries e;

	bhb_entries_need();
	bhb_entries_begin();
	bhb_guest_runs(bhb_create(BHB_SHOW_SHORT));
	e = bhb_entries_end();
	CASE_EXPECT(!e.with, "%u of %u VM-entries with BHI_DIS_S, want none", e.with, e.all);
}

static void bhi_dis_s_refused(void)
{
	struct kvm_vcpu *vcpu = bhb_create(BHB_SHOW_SHORT);
	unsigned int vector = bhb_guest_writes(vcpu, BHB_BHI_DIS_S);

	CASE_EXPECT(vector == GP_VECTOR, "write of BHI_DIS_S without BHI_CTRL: vector %u, want #GP", vector);
}

static const struct witness_case cases[] = {
	{
		.name = "offered",
		.verifies = "KVM offers the bit",
		.run = offered,
	}, {
		.name = "as_user_space_wants",
		.verifies = "the guest sees the bit when user space has set it, and not otherwise",
		.run = as_user_space_wants,
	}, {
		.name = "never_with_bhi_ctrl",
		.verifies = "the bit is taken out of a CPUID that has BHI_CTRL",
		.run = never_with_bhi_ctrl,
	}, {
		.name = "not_forced",
		.verifies = "no VM-entry of a guest with the bit is made with BHI_DIS_S",
		.needs = "a machine that logs SPEC_CTRL",
		.run = not_forced,
	}, {
		.name = "bhi_dis_s_refused",
		.verifies = "a guest gets #GP for BHI_DIS_S, though this machine's MSR takes it",
		.run = bhi_dis_s_refused,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "bhb_short_old_host_test",
		.needs = "a processor without BHI_CTRL that is no guest; root",
		.seed = "x86/bhi: Make clear_bhb_loop() effective on newer CPUs, its thread (2026-04-07)",
		.append = "clearcpuid=hypervisor",
		.wants = WANTS_L1TF,	/* Skylake, which is old enough */
		.prepare = kallsyms_prepare,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
