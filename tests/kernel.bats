#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel/: sources, patches, variants.

load common

# The project with another set of patches, beside the real one.
fork_project()
{
	mkdir "$BATS_TEST_TMPDIR/p"
	cp -r "$top/kernel" "$BATS_TEST_TMPDIR/p/"
	build=$BATS_TEST_TMPDIR/p/kernel/build.sh
}

@test "a kernel that is built is there at once, and its meta says what it is made of" {
	run --separate-stderr "$top/kernel/build.sh" --variant reference
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	for key in "variant reference" "package linux-source-" "sha256 " "release 7." "patch 0001-"; do
		grep -q "^$key" "$output/meta"
	done
	"$top/machine/image_kind.sh" "$output/vmlinux" | grep -qx pvh
	"$top/machine/image_kind.sh" "$output/bzImage" | grep -qx bzimage
}

@test "--config module: kvm-amd is a module, and lies beside the kernel" {
	run --separate-stderr "$top/kernel/build.sh" --config module
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$output" != "$("$top/kernel/build.sh")" ]
	grep -qx "config module" "$output/meta"
	# What the configuration of all kernels says of it does not count.
	grep -qx CONFIG_KVM_AMD=m "$output/config"
	release=$(awk '$1 == "release" { print $2 }' "$output/meta")
	[ -f "$output/lib/modules/$release/kernel/arch/x86/kvm/kvm-amd.ko" ]
}

@test "the header of a patch may change without a new kernel" {
	fork_project
	sed -i '0,/^---$/ s/^---$/Breaks: nothing\n---/' "$BATS_TEST_TMPDIR"/p/kernel/series/*/*.patch
	[ "$("$build")" = "$("$top/kernel/build.sh")" ]
}

@test "--list names reference, base and each mutant" {
	run "$top/kernel/build.sh" --list
	[ "$status" -eq 0 ]
	[[ $output == "reference
base
"*"ibpb-posted-deferral"* ]]
}

@test "a patch that does not apply: exit 1, the patch, the file, the hunk, the tree" {
	fork_project
	sed -i 's/kvm_x86_call(vcpu_load)/kvm_x86_call(vcpu_nothing)/' "$BATS_TEST_TMPDIR"/p/kernel/series/deferred-ibpb/0001-*.patch
	run "$build" --variant reference
	[ "$status" -eq 1 ]
	[[ $output == *"0001-KVM-x86-Defer-the-IBPB-between-vCPUs-to-VM-entry.patch does not apply to "*"/tree:"* ]]
	[[ $output == *"patching file arch/x86/kvm/x86.c"*"Hunk #"*"FAILED at"* ]]
}

@test "a kernel that does not compile: exit 1, the compiler's words, the log" {
	fork_project
	cat >"$BATS_TEST_TMPDIR/p/kernel/mutants/broken.patch" <<-'EOF'
	Breaks: the build
	--- a/virt/kvm/kvm_main.c
	+++ b/virt/kvm/kvm_main.c
	@@ -1,2 +1,3 @@
	 // SPDX-License-Identifier: GPL-2.0-only
	+#error this is broken
	 /*
	EOF
	run "$build" --variant broken
	[ "$status" -eq 1 ]
	[[ $output == *"broken: does not build, log in "*"error: #error this is broken"* ]]
	# The next variant does not suffer from it, and nothing is left of it.
	run "$build" --variant broken
	[ "$status" -eq 1 ]
}

@test "what a build that was killed has left is built again" {
	local obj cache=${KVM_WITNESS_CACHE:-$HOME/.cache/kvm-witness}

	obj=$cache/work/$(basename "$(dirname "$("$top/kernel/source.sh")")")/obj-x86
	fork_project
	cat >"$BATS_TEST_TMPDIR/p/kernel/mutants/said.patch" <<-EOF
	Breaks: nothing
	--- a/virt/kvm/kvm_main.c
	+++ b/virt/kvm/kvm_main.c
	@@ -1,2 +1,3 @@
	 // SPDX-License-Identifier: GPL-2.0-only
	+/* $RANDOM$RANDOM */
	 /*
	EOF
	mkdir -p "$obj/virt/kvm"
	touch -d '1 minute ago' "$obj/unfinished"
	: >"$obj/virt/kvm/eventfd.o"
	run --separate-stderr "$build" --variant said
	[ "$status" -eq 0 ]
	[ ! -e "$obj/unfinished" ]
	[ -s "$obj/virt/kvm/eventfd.o" ]
	rm -r "$output"
}

@test "a wish of the configuration that the tree does not know: exit 1" {
	fork_project
	echo CONFIG_NO_SUCH_THING=y >>"$BATS_TEST_TMPDIR/p/kernel/config/x86"
	KVM_WITNESS_CACHE=$BATS_TEST_TMPDIR/cache
	mkdir -p "$KVM_WITNESS_CACHE"
	ln -s "$(readlink -f "$(dirname "$("$top/kernel/source.sh")")/..")" "$KVM_WITNESS_CACHE/src"
	run "$build" --variant base
	[ "$status" -eq 1 ]
	[[ $output == *"does not take CONFIG_NO_SUCH_THING=y"* ]]
}

@test "usage: unknown variant, configuration, architecture, series, tree: exit 2" {
	for args in "--variant x" "--config x" "--arch arm64 --config module" "--arch vax" "--source x" "--kdir $BATS_TEST_TMPDIR" "--bogus" "--variant"; do
		# shellcheck disable=SC2086
		run "$top/kernel/build.sh" $args
		[ "$status" -eq 2 ] || { echo "$args: $status $output"; false; }
	done
}

@test "a tree that was configured in place: exit 2 and what to do" {
	mkdir -p "$BATS_TEST_TMPDIR/t/include/config"
	touch "$BATS_TEST_TMPDIR/t/Kbuild"
	run "$top/kernel/build.sh" --kdir "$BATS_TEST_TMPDIR/t"
	[ "$status" -eq 2 ]
	[[ $output == *"is configured in place: run make mrproper in it, or give --kernel IMAGE"* ]]
}

@test "a series that Debian does not have: exit 3" {
	run "$top/kernel/source.sh" 99.9
	[ "$status" -eq 3 ]
	[[ $output == *"no linux-source-99.9 in "* ]]
}

@test "a cache that cannot be written: exit 3" {
	touch "$BATS_TEST_TMPDIR/file"
	KVM_WITNESS_CACHE=$BATS_TEST_TMPDIR/file run "$top/kernel/source.sh"
	[ "$status" -eq 3 ]
	[[ $output == *"set KVM_WITNESS_CACHE=<folder>"* ]]
}
