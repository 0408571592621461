#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Real kernels in a real emulator: the verdicts that the project exists for, and the
# ways in which a real kernel fails to give any.

load common

setup()
{
	results=$BATS_TEST_TMPDIR/results
	run_vm=("$top/run_tests.sh" --results "$results")
}

# The cases that failed, in one line; any other word than pass and fail is there too.
failed()
{
	jq -r '[.tests[].cases[] | select(.verdict != "pass") |
		if .verdict == "fail" then .name else "\(.name)=\(.verdict)" end] | join(" ")' "$results/meta.json"
}

# What deferred_ibpb_test says of a kernel with the barrier at vcpu_load().
at_load="loads_without_run loads_before_one_entry others_loads_cost_nothing \
immediate_exit_keeps_debt signal_keeps_debt"

# How many machines $tests want: one for each kind that there is and set of kernel parameters.
machines_wanted()
{
	local kinds

	# shellcheck source=machine/x86-svm.sh
	kinds=$(. "$top/machine/x86-svm.sh" && jq -nc '$ARGS.positional' --args "${machine_kinds[@]}")
	jq -s --argjson kinds "$kinds" \
		'map(select(.test | IN($ARGS.positional[] | split(".")[0])) | .wants as $w | [.append, if any($kinds[]; . == $w) then $w else "" end]) | unique | length' \
		"$out/cases.json" --args "${tests[@]}"
}

# The tests that this machine's mutants concern; the others are for Intel processors.  Of a
# test with cases for a machine that logs SPEC_CTRL, the other cases.
tests_here()
{
	"$top/proof/headers.sh" | jq -r --slurpfile cases "$out/cases.json" '
		[.mutants[] | select(any(.machines[]; . == "x86-svm")).caught_by[] | split(".")[0]] | unique[] as $test
		| [$cases[] | select(.test == $test)]
		| if any(.[]; .needs | test("logs SPEC_CTRL"))
		  then .[] | select(.needs | test("logs SPEC_CTRL") | not) | "\($test).\(.case)"
		  else $test end'
}

@test "the reference kernel: every case passes, none skips" {
	mapfile -t tests < <(tests_here)
	run --separate-stderr "${run_vm[@]}" --vm --strict "${tests[@]}"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[[ $output == *"ok 1 ${tests[0]}"* ]]
	[[ $output == *"  1..13"*"ok 11 loaded_here_entered_there"*"ok "*" deferred_ibpb_test"*"probe_test"* ]]
	jq -e '.boots == '"$(machines_wanted)"' and .machine == "x86-svm" and .variant == "reference"' "$results/meta.json"
	[ -s "$results/console.log" ] && [ -s "$results/deferred_ibpb_test.log" ]
	[ ! -e "$results/initramfs.cpio" ]
	diff <(echo "$output") "$results/ktap"
}

@test "the base kernel: exactly the deferral cases fail" {
	run --separate-stderr "${run_vm[@]}" --variant base deferred_ibpb_test
	[ "$status" -eq 1 ]
	[ "$(failed)" = "$at_load" ]
}

# What it costs when somebody else was loaded (redundant) and what it loses.
@test "the posted patch: exactly its redundant and its lost barrier are found" {
	run --separate-stderr "${run_vm[@]}" --variant ibpb-posted-deferral deferred_ibpb_test
	[ "$status" -eq 1 ]
	[ "$(failed)" = "others_loads_cost_nothing loaded_here_entered_there halted_here_woken_there" ]
}

@test "the switch barrier is off: a skip that says so, exit 4" {
	run --separate-stderr "${run_vm[@]}" --vm --append spectre_v2_user=off deferred_ibpb_test
	[ "$status" -eq 4 ]
	[[ $output == *"# SKIP KVM's barrier between vCPUs is off (spectre_v2: "*"boot with spectre_v2_user=on"* ]]
}

@test "one NUMA node: what is about nodes skips with that reason, --strict fails" {
	numa=(gmem_mempolicy_test.bind gmem_memoryless_node_test.bind_to_nothing)
	run --separate-stderr "${run_vm[@]}" --vm --append numa=off "${numa[@]}" gmem_mmap_test.without_flag
	[ "$status" -eq 0 ]
	[[ $output == *"ok 1 bind # SKIP one NUMA node"*"ok 1 bind_to_nothing # SKIP one NUMA node"* ]]
	[[ $output == *"# cases: 1 passed, 0 failed, 2 skipped, "* ]]
	run --separate-stderr "${run_vm[@]}" --vm --append numa=off --strict "${numa[@]}"
	[ "$status" -eq 1 ]
	[[ $output == *"# cases: 0 passed, 2 failed, "* ]]
}

@test "IBPB on kernel entry: refused, not hung" {
	run --separate-stderr "${run_vm[@]}" --vm --append retbleed=ibpb deferred_ibpb_test
	[ "$status" -eq 4 ] || { echo "$output"; false; }
	[[ $output == *"# SKIP retbleed is \"Mitigation: IBPB"*"a watchpoint on the barrier would recurse"* ]]
}

@test "without VMSCAPE's mitigation: the one case that needs it skips" {
	run --separate-stderr "${run_vm[@]}" --vm --append vmscape=off deferred_ibpb_test
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[ "$(failed)" = "exit_to_user_told_apart=skip" ]
}

@test "a random walk is replayed by its seed" {
	run --separate-stderr "${run_vm[@]}" --vm --append KVM_WITNESS_SEED=77 ibpb_random_test.step_by_step
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[[ $output == *"# seed 77"* ]]
}

@test "one CPU: a skip that says so" {
	run --separate-stderr "${run_vm[@]}" --vm --append maxcpus=1 deferred_ibpb_test
	[ "$status" -eq 4 ]
	[[ $output == *"# SKIP needs two CPUs"* ]]
}

@test "a bzImage on q35" {
	image=$(dirname "$("$top/kernel/build.sh")/x")/bzImage
	# That image has KVM built in, and cannot be started by a test.
	mapfile -t tests < <(tests_here | grep -vxE 'avic_galog_test|bhb_linux_guest_test')
	run --separate-stderr "${run_vm[@]}" --kernel "$image" --strict "${tests[@]}"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	jq -e '.emulators.any | index("-M") as $i | .[$i + 1] | startswith("q35")' "$results/meta.json"
}

@test "KVM as a module: a test that wants it gets a kernel of its own, the others the usual one" {
	run --separate-stderr "${run_vm[@]}" --vm --strict avic_galog_test.off gmem_mmap_test.without_flag
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	jq -e '.boots == 2 and (.kernel | contains("/x86-reference-")) and .variant == "reference"
		and any(.emulators."kvm=module"[]; contains("/x86-module-reference-"))' "$results/meta.json"
	[ ! -e "$results/initramfs-module.cpio" ]
}

@test "a kernel with KVM built in: a test that wants the module skips with that reason" {
	run --separate-stderr "${run_vm[@]}" --kernel "$("$top/kernel/build.sh")/vmlinux" avic_galog_test
	[ "$status" -eq 4 ]
	[[ $output == *"# SKIP kvm_amd is built into the kernel, it must be a module"* ]]
}

# They are fetched for other tests, and have KVM as a module: before the fix, and after it.
@test "Debian's own kernels: 6.1 leaves a pointer into a module that is gone, 7.2 does not" {
	image=$("$top/kernel/image.sh" 6.1) || skip "no image of 6.1 to be had"
	cases=(avic_galog_test.load_registers avic_galog_test.unload_unregisters avic_galog_test.off)
	run --separate-stderr "${run_vm[@]}" --kernel "$image" --boot-timeout 120 "${cases[@]}"
	[ "$status" -eq 1 ] || { echo "$output"; cat "$results/console.log"; false; }
	[ "$(failed)" = unload_unregisters ]
	image=$("$top/kernel/image.sh" 7.2) || skip "no image of 7.2 to be had"
	run --separate-stderr "${run_vm[@]}" --kernel "$image" --boot-timeout 120 --strict "${cases[@]}"
	[ "$status" -eq 0 ] || { echo "$output"; cat "$results/console.log"; false; }
}

@test "a kernel without KVM: every case skips, exit 4" {
	run --separate-stderr "${run_vm[@]}" --vm --append initcall_blacklist=svm_init
	[ "$status" -eq 4 ]
	[[ $output == *"# SKIP no /dev/kvm: No such file or directory"* ]]
}

@test "a kernel without virtio-serial: every case skips, exit 4" {
	run --separate-stderr "${run_vm[@]}" --vm --append initcall_blacklist=virtio_console_init
	[ "$status" -eq 4 ]
	[[ $output == *"# SKIP the kernel has no virtio-serial port driver (CONFIG_VIRTIO_CONSOLE)"* ]]
}

@test "a kernel that panics early: crash, exit 1" {
	run --separate-stderr "${run_vm[@]}" --vm --append rdinit=/no/such/init
	[ "$status" -eq 1 ]
	[[ $output == *"not ok 1 loads_without_run # ERROR crash: Kernel panic - not syncing"* ]]
	mapfile -t tests < <(jq -r .test "$out/cases.json" | sort -u)
	jq -e '.boots == '"$(machines_wanted)" "$results/meta.json"
}

@test "KVM_WITNESS_QEMU that dies at once: our own fault, exit 3" {
	printf '#!/bin/sh\n[ "$1" != --version ] || exec qemu-system-x86_64 --version\necho "no memory" >&2\nexit 1\n' \
		>"$BATS_TEST_TMPDIR/qemu"
	chmod +x "$BATS_TEST_TMPDIR/qemu"
	KVM_WITNESS_QEMU=$BATS_TEST_TMPDIR/qemu run --separate-stderr "${run_vm[@]}" --vm
	[ "$status" -eq 3 ]
	[[ $output == *"# ERROR the emulator ended with exit code 1: no memory"* ]]
}

# A folder of shell-made tests in a real machine: real panics, real hangs.
boot_own()
{
	kernel=$("$top/kernel/build.sh")/vmlinux
	# shellcheck source=machine/x86-svm.sh
	. "$top/machine/x86-svm.sh"
	"$top/machine/initramfs.sh" "$BATS_TEST_TMPDIR/initramfs" "$out/machine/init" "$BATS_TEST_TMPDIR/tests"
	machine_argv pvh "$kernel" "$BATS_TEST_TMPDIR/initramfs" "$machine_append${machine_more:-}"
	mkdir -p "$results"
	run --separate-stderr "$boot" --results "$results" --cases "$BATS_TEST_TMPDIR/cases" --timeout 3 \
		"$@" -- "${argv[@]}"
}

own_test()
{
	mkdir -p "$BATS_TEST_TMPDIR/tests"
	gcc -static -O1 -D"TEST_$1" -o "$BATS_TEST_TMPDIR/tests/$1" "$top/tests/fake/test.c"
	printf '{"test": "%s", "case": "one"}\n{"test": "%s", "case": "two"}\n' "$1" "$1" >>"$BATS_TEST_TMPDIR/cases"
}

@test "a machine whose init never says a word: timeout, exit 1" {
	own_test hang
	machine_more=" rdinit=/tests/hang"
	boot_own --boot-timeout 8 hang
	[ "$status" -eq 1 ]
	[[ $output == *"not ok 1 one # TIMEOUT 8 seconds, the machine did not reach init"* ]]
}

# What a test said last may die with the machine: the crash is its first or second case's.
assert_crash()
{
	[[ $output == *"not ok "?*" # ERROR crash: $1"* && $output != *$'\n'"  ok 2 two"* ]]
}

@test "a test that panics the kernel costs one boot and itself" {
	own_test panic
	own_test pass
	boot_own panic pass
	[ "$status" -eq 1 ]
	[[ $output == *$'\n'"not ok 1 panic # ERROR crash: "*$'\n'"ok 2 pass"* ]]
	output=${output%%$'\n'"not ok 1 panic"*}
	assert_crash "Kernel panic - not syncing: sysrq triggered crash"
	jq -e '.boots == 2' "$results/meta.json"
}

@test "a test that reboots the machine is a crash" {
	own_test reboot
	boot_own reboot
	[ "$status" -eq 1 ]
	assert_crash "the machine ended in the middle of the test"
}

@test "a test that hangs costs one test" {
	own_test hang
	own_test pass
	boot_own hang pass
	[ "$status" -eq 1 ]
	[[ $output == *"not ok 2 two # TIMEOUT 3 seconds"*"ok 2 pass"* ]]
	jq -e '.boots == 1' "$results/meta.json"
}

# No process of this run is left: its initramfs is on the emulator's command line.
assert_nothing_left()
{
	run ! pgrep -f -- "[-]initrd $results"
	[ ! -e "$results/initramfs.cpio" ]
}

@test "SIGINT and SIGTERM at any moment: no emulator, no file left, the documented exit code" {
	for sig in INT TERM; do
		for moment in boot hello; do
			rm -rf "$results"
			# Job control, so that the run does not ignore SIGINT as a background job.
			set -m
			# Who runs these tests may have been started deaf to SIGINT.
			env --default-signal=INT "${run_vm[@]}" --vm >/dev/null 2>&1 3>&- &
			pid=$!
			set +m
			# The pattern must not find this test itself.
			until pgrep -f -- "[-]initrd $results" >/dev/null; do :; done
			if [ "$moment" = hello ]; then
				until grep -q '^  KTAP' "$results/ktap" 2>/dev/null; do :; done
			fi
			kill -s "$sig" "$pid"
			status=0
			wait "$pid" || status=$?
			[[ $sig$status = INT130 || $sig$status = TERM143 ]] || { echo "$sig $moment: $status"; false; }
			assert_nothing_left
		done
	done
}

@test "SIGTERM while a kernel is built: no process left" {
	project=$BATS_TEST_TMPDIR/p
	mkdir "$project"
	(cd "$top" && git ls-files -z | xargs -0 cp --parents -t "$project")
	# A variant that nobody has built, with much to compile.
	cat >"$project/kernel/mutants/new.patch" <<-EOF
	--- a/arch/x86/include/asm/kvm_host.h
	+++ b/arch/x86/include/asm/kvm_host.h
	@@ -1,1 +1,2 @@
	+/* $RANDOM */
	 /* SPDX-License-Identifier: GPL-2.0-only */
	EOF
	cp -a "$out" "$BATS_TEST_TMPDIR/o"
	set -m
	OUTPUT=$BATS_TEST_TMPDIR/o "$project/run_tests.sh" --variant new --results "$results" >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	pid=$!
	set +m
	# Other builds, with another cache, are none of ours.
	until pgrep -f "$KVM_WITNESS_CACHE/.*[o]bj-x86.*vmlinux" >/dev/null; do kill -0 "$pid"; done
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	for _ in $(seq 1000); do
		pgrep -f "$KVM_WITNESS_CACHE/.*[o]bj-x86.*vmlinux" >/dev/null || break
	done
	run ! pgrep -f "$KVM_WITNESS_CACHE/.*[o]bj-x86.*vmlinux"
}

@test "two runs at once do not meet" {
	"${run_vm[@]}"1 --vm deferred_ibpb_test >/dev/null 2>&1 3>&- &
	one=$!
	"${run_vm[@]}"2 --vm deferred_ibpb_test >/dev/null 2>&1 3>&- &
	two=$!
	wait "$one"
	wait "$two"
	jq -e '.exit_code == 0' "${results}1/meta.json" "${results}2/meta.json"
}

@test "Debian's own 7.2 kernel: its modules are loaded, the verdict is that of a base kernel" {
	image=$("$top/kernel/image.sh" 7.2) || skip "no image of 7.2 to be had"
	run --separate-stderr "${run_vm[@]}" --kernel "$image" --boot-timeout 120 deferred_ibpb_test
	[ "$status" -eq 1 ] || { echo "$output"; cat "$results/console.log"; false; }
	[ "$(failed)" = "$at_load" ]
}

@test "Debian's own 6.1 kernel: no IBPB to be had, so nothing can run, exit 4" {
	image=$("$top/kernel/image.sh" 6.1) || skip "no image of 6.1 to be had"
	run --separate-stderr "${run_vm[@]}" --kernel "$image" --boot-timeout 120 deferred_ibpb_test
	[ "$status" -eq 4 ] || { echo "$output"; cat "$results/console.log"; false; }
	[[ $output == *"# SKIP the CPU has no IBPB"* ]]
}
