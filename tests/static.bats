#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel/static.sh: what is found in a kernel's source, and what is not.

load common

# Copies what is looked at, for a change.
fork_kernel()
{
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/arch/riscv"
	cp -r "$("$top/kernel/source.sh")/arch/riscv/kvm" "$tree/arch/riscv/"
}

# calls EXPRESSION: what the vCPU's wake-up asks for
calls()
{
	sed -i "s/\(return (kvm_riscv_vcpu_has_interrupts(vcpu, \)[^&]*) &&/\1$1) \&\&/" "$tree/arch/riscv/kvm/vcpu.c"
	grep -qF "has_interrupts(vcpu, $1) &&" "$tree/arch/riscv/kvm/vcpu.c"
}

@test "nothing is found in the kernel of today" {
	run "$top/kernel/static.sh" "$("$top/kernel/source.sh")"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "the mask of a riscv32 host without its fix is found, by make as well" {
	fork_kernel
	patch -s -p1 -d "$tree" <"$top/tests/static/riscv32-wfi-mask.patch"
	run make -s -C "$top" static-check KDIR="$tree"
	[ "$status" -ne 0 ]
	[[ $output == *"arch/riscv/kvm/vcpu.c:235: the mask for kvm_riscv_vcpu_has_interrupts() has 32 bits on 32-bit hosts"* ]]
}

@test "other narrow masks are found, wide ones are not" {
	fork_kernel
	for mask in "~0UL" "ULONG_MAX" "-1U" "~BIT(IRQ_VS_SOFT)" "(unsigned long)-1"; do
		calls "$mask"
		run "$top/kernel/static.sh" "$tree"
		echo "$mask: $output"
		[ "$status" -eq 1 ]
		[ "${#lines[@]}" -eq 1 ]
	done
	for mask in "-1" "~0ULL" "~0" "U64_MAX" "~BIT_ULL(IRQ_VS_SOFT)"; do
		calls "$mask"
		run "$top/kernel/static.sh" "$tree"
		echo "$mask: $output"
		[ "$status" -eq 0 ]
	done
}

@test "a function of another file" {
	fork_kernel
	sed -i 's/kvm_riscv_vcpu_aia_has_interrupts(vcpu, mask)/kvm_riscv_vcpu_aia_has_interrupts(vcpu, ~0UL)/' \
		"$tree/arch/riscv/kvm/vcpu.c"
	run "$top/kernel/static.sh" "$tree"
	[ "$status" -eq 1 ]
	[[ $output == *"the mask for kvm_riscv_vcpu_aia_has_interrupts()"* ]]
}

@test "no tree, no such function, no Coccinelle" {
	run "$top/kernel/static.sh"
	[ "$status" -eq 2 ]
	run "$top/kernel/static.sh" "$BATS_TEST_TMPDIR"
	[ "$status" -eq 2 ]
	[[ $output == *"is no kernel tree"* ]]
	fork_kernel
	sed -i 's/u64 mask/u32 mask/' "$tree"/arch/riscv/kvm/*.c
	run "$top/kernel/static.sh" "$tree"
	[ "$status" -eq 4 ]
	[[ $output == *"nothing to look at"* ]]
	mkdir "$BATS_TEST_TMPDIR/bin"
	for tool in bash readlink dirname; do
		ln -s "$(command -v $tool)" "$BATS_TEST_TMPDIR/bin/"
	done
	PATH=$BATS_TEST_TMPDIR/bin run "$top/kernel/static.sh" "$tree"
	[ "$status" -eq 3 ]
	[[ $output == *"install coccinelle"* ]]
}
