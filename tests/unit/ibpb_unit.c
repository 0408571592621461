// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib/x86/ibpb.c: the cause of a barrier out of its call chain.  The chains are
 * those that 7.3 gave, by name, innermost first.
 */
#include "unit.h"

#include "ibpb.h"

static const char * const *chain_names;

static const char *name(unsigned long long addr)
{
	return chain_names[addr];
}

static enum ibpb_cause classify(const char * const *names)
{
	unsigned long long chain[16];
	unsigned int n;

	for (n = 0; names[n]; n++)
		chain[n] = n;
	chain_names = names;
	return ibpb_classify(chain, n, name);
}

#define CHAIN(...) ((const char * const []){ __VA_ARGS__, NULL })

static void by_kvm(void **state)
{
	assert_int_equal(classify(CHAIN("write_ibpb", "kvm_arch_vcpu_load", "vcpu_load",
		"kvm_vcpu_ioctl", "do_syscall_64")), IBPB_VCPU_LOAD);
	/* vcpu_load() inside of KVM_RUN is a load, not an entry. */
	assert_int_equal(classify(CHAIN("write_ibpb", "kvm_arch_vcpu_load", "vcpu_load",
		"kvm_arch_vcpu_ioctl_run", "kvm_vcpu_ioctl", "do_syscall_64")), IBPB_VCPU_LOAD);
	assert_int_equal(classify(CHAIN("write_ibpb", "kvm_arch_vcpu_ioctl_run", "kvm_vcpu_ioctl",
		"do_syscall_64")), IBPB_VM_ENTRY);
	assert_int_equal(classify(CHAIN("write_ibpb", "vcpu_enter_guest", "vcpu_run",
		"kvm_arch_vcpu_ioctl_run")), IBPB_VM_ENTRY);
	assert_int_equal(classify(CHAIN("write_ibpb", "nested_svm_vmexit", "nested_svm_exit_handled",
		"svm_handle_exit", "kvm_arch_vcpu_ioctl_run")), IBPB_NESTED_EXIT);
}

static void not_by_kvm(void **state)
{
	/* A context switch in the middle of KVM_RUN. */
	assert_int_equal(classify(CHAIN("write_ibpb", "switch_mm_irqs_off", "__schedule", "schedule",
		"kvm_arch_vcpu_ioctl_run", "do_syscall_64")), IBPB_MM_SWITCH);
	assert_int_equal(classify(CHAIN("write_ibpb", "do_syscall_64", "entry_SYSCALL_64_after_hwframe")),
		IBPB_EXIT_TO_USER);
	assert_int_equal(classify(CHAIN("write_ibpb", "irqentry_exit", "asm_sysvec_apic_timer_interrupt")),
		IBPB_EXIT_TO_USER);
	assert_int_equal(classify(CHAIN("write_ibpb", "sysvec_reschedule_ipi",
		"asm_sysvec_reschedule_ipi")), IBPB_EXIT_TO_USER);
	assert_int_equal(classify(CHAIN("write_ibpb", "ib_prctl_set", "do_seccomp", "do_syscall_64")),
		IBPB_PRCTL);
	assert_int_equal(classify(CHAIN("rep_movs_alternative", "_copy_to_iter", "read_kcore_iter",
		"proc_reg_read_iter", "vfs_read", "do_syscall_64")), IBPB_CONTROL);
}

static void inlined_barrier_of_old_kernels(void **state)
{
	assert_int_equal(classify(CHAIN("svm_vcpu_load", "kvm_arch_vcpu_load", "vcpu_load")),
		IBPB_VCPU_LOAD);
}

static void the_rest_is_unknown(void **state)
{
	/* do_syscall_64() as anything but the direct caller says nothing. */
	assert_int_equal(classify(CHAIN("write_ibpb", "some_new_function", "do_syscall_64")), IBPB_UNKNOWN);
	assert_int_equal(classify(CHAIN("write_ibpb")), IBPB_UNKNOWN);
	assert_int_equal(ibpb_classify(NULL, 0, name), IBPB_UNKNOWN);
}

#define BARRIER(c)	{ .type = IBPB_EVENT_BARRIER, .cause = (c) }
#define ENTRY(v)	{ .type = IBPB_EVENT_ENTRY, .vcpu = (v) }
#define EXIT(v)		{ .type = IBPB_EVENT_EXIT, .vcpu = (v) }
#define ORDER(...)	order((const struct ibpb_event []){ __VA_ARGS__ }, \
			      sizeof((struct ibpb_event []){ __VA_ARGS__ }) / sizeof(struct ibpb_event))

static unsigned int switches;

static const char *order(const struct ibpb_event *events, size_t nr)
{
	switches = 0;
	return ibpb_check_order(events, nr, &switches);
}

static void right_order(void **state)
{
	assert_null(ORDER(ENTRY(0), EXIT(0), BARRIER(IBPB_VM_ENTRY), ENTRY(1), EXIT(1), ENTRY(1)));
	assert_int_equal(switches, 1);
	/* At load is as good, and others' barriers do not count. */
	assert_null(ORDER(ENTRY(0), EXIT(0), BARRIER(IBPB_EXIT_TO_USER), BARRIER(IBPB_VCPU_LOAD),
			  BARRIER(IBPB_CONTROL), ENTRY(1)));
	/* Who ran before the window is not known. */
	assert_null(ORDER(BARRIER(IBPB_VM_ENTRY), ENTRY(1), EXIT(1), ENTRY(1)));
	assert_int_equal(switches, 0);
}

static void wrong_order(void **state)
{
	assert_non_null(ORDER(ENTRY(0), EXIT(0), ENTRY(1)));
	assert_non_null(ORDER(ENTRY(0), BARRIER(IBPB_VM_ENTRY), EXIT(0), ENTRY(1)));
	assert_non_null(ORDER(ENTRY(0), EXIT(0), ENTRY(1), BARRIER(IBPB_VM_ENTRY)));
	assert_non_null(ORDER(ENTRY(0), EXIT(0), BARRIER(IBPB_EXIT_TO_USER), ENTRY(1)));
	assert_non_null(ORDER(ENTRY(0), EXIT(0), BARRIER(IBPB_VM_ENTRY), ENTRY(0)));
	assert_string_equal(ORDER(ENTRY(0), EXIT(0), BARRIER(IBPB_VM_ENTRY), BARRIER(IBPB_VM_ENTRY), ENTRY(1)),
		"VM-entry 2 of the window: vCPU 1 after vCPU 0 with 2 barriers in between, want 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_kvm),
		cmocka_unit_test(not_by_kvm),
		cmocka_unit_test(inlined_barrier_of_old_kernels),
		cmocka_unit_test(the_rest_is_unknown),
		cmocka_unit_test(right_order),
		cmocka_unit_test(wrong_order),
	};

	return cmocka_run_group_tests_name("ibpb", tests, NULL, NULL);
}
