# SPDX-License-Identifier: GPL-2.0-only
#
# What there is to build, for ARCH as the kernel's tree spells it.  Base names are
# unique across the folders: the kernel's `make install` flattens them.

ARCH		?= $(shell uname -m)
override ARCH	:= $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(patsubst riscv64,riscv,$(ARCH))))

LIB_x86		:= lib/x86/bare.c lib/x86/ibpb.c lib/x86/ibpb_guest.c lib/x86/l1d.c \
		   lib/x86/retired.c lib/x86/verw.c
LIB		:= lib/case.c lib/cpu.c lib/cpuset.c lib/gmem.c lib/gmem_cpuset.c lib/kallsyms.c lib/kmem.c \
		   lib/ktap.c lib/kvm_usable.c lib/numa.c lib/percpu.c lib/trace.c lib/watch.c $(LIB_$(ARCH))

TESTS_x86	:= x86/deferred_ibpb_test x86/ibpb_random_test x86/ibpb_user_off_test x86/l1d_flush_test \
		   x86/migration_ibpb_test x86/nested_ibpb_test x86/probe_test \
		   x86/seamcall_tdcall_ud_test x86/verw_entry_test
TESTS_any	:= guest_memfd/gmem_cpuset_spread_test guest_memfd/gmem_cpuset_v2_test \
		   guest_memfd/gmem_memoryless_node_test guest_memfd/gmem_mempolicy_test \
		   guest_memfd/gmem_mmap_test guest_memfd/gmem_policy_leak_test \
		   guest_memfd/gmem_policy_race_test guest_memfd/gmem_private_placement_test \
		   guest_memfd/gmem_throughput_test
TESTS		:= $(TESTS_$(ARCH)) $(TESTS_any)
