# SPDX-License-Identifier: GPL-2.0-only
#
# What there is to build, for ARCH as the kernel's tree spells it.  Base names are
# unique across the folders: the kernel's `make install` flattens them.

kernel_arch	= $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(patsubst riscv64,riscv,$(1))))
host_arch	:= $(call kernel_arch,$(shell uname -m))
ARCH		?= $(host_arch)
override ARCH	:= $(call kernel_arch,$(ARCH))

# For another architecture than this computer's: the cross compiler, and what runs a
# static program of it.
ifneq ($(ARCH),$(host_arch))
machine_x86	:= x86_64
machine_arm64	:= aarch64
machine_riscv	:= riscv64
CROSS_COMPILE	?= $(machine_$(ARCH))-linux-gnu-
emulate		:= qemu-$(machine_$(ARCH))
endif

# The same program wherever the project is: verdicts of one folder hold for another.
path_map	:= -ffile-prefix-map=$(top)=.

LIB_x86		:= guest/checks/x86/seam_insn.c lib/x86/apx_guest.c lib/x86/bare.c lib/x86/bhb_guest.c \
		   lib/x86/bhb_sequence.c lib/x86/ibpb.c lib/x86/ibpb_guest.c lib/x86/l1d.c lib/x86/retired.c lib/x86/verw.c \
		   lib/x86/vmscape.c lib/x86/vmscape_guest.c
LIB_arm64	:= guest/checks/arm64/psci_functions.c lib/arm64/its.c lib/arm64/psci_vm.c
LIB_riscv	:= lib/riscv/aia.c lib/riscv/aia_device.c lib/riscv/aia_files.c
LIB		:= lib/case.c lib/cpu.c lib/cpuset.c lib/fault.c lib/gmem.c lib/gmem_cpuset.c lib/kallsyms.c lib/kmem.c \
		   lib/ktap.c lib/kvm_usable.c lib/module.c lib/numa.c lib/percpu.c lib/trace.c lib/vcpu_thread.c \
		   lib/watch.c $(LIB_$(ARCH))

TESTS_x86	:= x86/apx_cost_test x86/apx_emulate_test x86/apx_others_test \
		   x86/apx_state_test x86/apx_switch_test x86/avic_galog_test \
		   x86/bhb_hypervisor_test x86/bhb_linux_guest_test x86/bhb_long_test \
		   x86/bhb_short_cpuid_test x86/bhb_short_no_dis_s_test \
		   x86/bhb_short_old_host_test x86/bhb_short_unknown_host_test \
		   x86/bhb_syscall_test x86/deferred_ibpb_test x86/ibpb_random_test \
		   x86/ibpb_user_off_test x86/l1d_flush_test x86/migration_ibpb_test \
		   x86/nested_ibpb_test x86/probe_test x86/seamcall_tdcall_ud_test \
		   x86/verw_entry_test x86/vmscape_agrees_test x86/vmscape_auto_test \
		   x86/vmscape_cost_test x86/vmscape_force_test x86/vmscape_ibpb_test \
		   x86/vmscape_no_bhi_ctrl_test x86/vmscape_off_test x86/vmscape_on_test \
		   x86/vmscape_test
TESTS_arm64	:= arm64/gic_msi_test arm64/psci_cpu_test arm64/psci_features_test \
		   arm64/psci_system_test arm64/psci_version_test
TESTS_riscv	:= riscv/aia_aplic_test riscv/aia_csr_test riscv/aia_device_test riscv/aia_imsic_test \
		   riscv/aia_no_guest_file_test riscv/aia_one_guest_file_test riscv/aia_register_test \
		   riscv/aia_save_restore_test riscv/aia_seven_guest_files_test \
		   riscv/aia_wfi_migration_test riscv/vcpu_load_test

# guest_memfd is there on these only.
TESTS_gmem	:= guest_memfd/gmem_cpuset_spread_test guest_memfd/gmem_cpuset_v2_test \
		   guest_memfd/gmem_memoryless_node_test guest_memfd/gmem_mempolicy_test \
		   guest_memfd/gmem_mmap_test guest_memfd/gmem_policy_leak_test \
		   guest_memfd/gmem_policy_race_test guest_memfd/gmem_private_placement_test \
		   guest_memfd/gmem_throughput_test
TESTS		:= $(TESTS_$(ARCH)) $(if $(filter x86 arm64,$(ARCH)),$(TESTS_gmem))
