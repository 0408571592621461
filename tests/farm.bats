#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Bisections, nights and farms: real git histories, real Slurm daemons, kernels that boot.

load common

setup()
{
	work=$BATS_TEST_TMPDIR
	matrix=$work/matrix
	dir=$work/night
	nightly=("$top/run_tests.sh" nightly --results "$dir")
	# How busy this computer is is not what is tested.
	bisect=("$top/run_tests.sh" bisect --results "$work/r" --boot-timeout 300)
}

teardown()
{
	# A test that fails in the middle leaves no farm and no night.
	[ -z "${started:-}" ] || kill "$started" 2>/dev/null || :
}

needs_slurm()
{
	PATH=$PATH:/usr/sbin:/sbin
	local tool

	for tool in munged slurmctld slurmd srun; do
		command -v "$tool" >/dev/null || skip "$tool is missing: install slurmctld, slurmd, slurm-client and munge"
	done
}

# A case that fails on the base kernel alone.
case=deferred_ibpb_test.loads_without_run

# kernels N: a matrix of N kernels, of which each third one is the base kernel.
kernels()
{
	local i variants=(reference base ibpb-posted-deferral)

	for ((i = 0; i < $1; i++)); do
		echo "kernel k$i ${variants[i % 3]}"
	done
	printf 'machine x86-svm\ntest %s\n' "$case"
}

# Each of N jobs has one result, and the right one.
all_right()
{
	local metas=("$dir"/jobs/*/*/meta.json)

	[ ${#metas[@]} -eq "$1" ]
	[ -z "$(ls "$dir/pending")" ]
	[ -z "$(find "$dir/jobs" -name infra)" ]
	jq -e '(.tests[0].cases[0].verdict == "fail") == (.kernel_name[1:] | tonumber % 3 == 1) and .job == "\(.kernel_name)@x86-svm"' \
		"${metas[@]}" >/dev/null
}

# An emulator that dies at once when the file $work/no-memory is there.
broken_qemu()
{
	printf '#!/bin/sh\n[ "$1" = --version ] || [ ! -e "%s" ] || { echo "no memory" >&2; exit 1; }\nexec qemu-system-x86_64 "$@"\n' \
		"$work/no-memory" >"$work/qemu"
	chmod +x "$work/qemu"
	touch "$work/no-memory"
	export KVM_WITNESS_QEMU=$work/qemu
}

# wait_for COMMAND...: as long as the process lives that was started last.
wait_for()
{
	while kill -0 $! 2>/dev/null; do
		if "$@"; then return 0; fi
		sleep 0.1
	done
	return 1
}

# --- the matrix

# mistake TEXT LINE: what is said of a matrix.
mistake()
{
	printf "$1" >"$matrix"
	run "$top/farm/matrix.sh" "$matrix"
	[ "$status" -eq 2 ] && [ "$output" = "kvm-witness: $matrix:$2" ] || { echo "$1: exit code $status: $output"; false; }
}

@test "matrix: a mistake is named with its line, exit 2" {
	git init -q "$work/tree"
	mistake 'kernel a refrence' "1: unknown kernel 'refrence', did you mean reference?"
	mistake '# a\nkernel a reference\n\nmachine x86-svn' "4: unknown machine 'x86-svn', did you mean x86-svm?"
	mistake 'kernle a reference' "1: unknown word 'kernle', did you mean kernel?"
	mistake 'kernel a reference\nkernel a base' "2: there is a kernel a already"
	mistake 'kernel ../a reference' "1: a kernel's name is of letters, digits and . _ + -: '../a'"
	mistake 'kernel a git:tree nowhere' "1: $work/tree has no commit 'nowhere'"
	mistake 'kernel a git:. HEAD' "1: $work is not a git tree"
	mistake 'kernel a ./image' "1: $work/./image: no such kernel image"
	mistake 'kernel a reference\nmachine x86-svm\nonly a x86-vmx' "3: unknown machine 'x86-vmx', did you mean x86-svm?"
	mistake 'test gmem_mmap_tes\nkernel a base\nmachine x86-svm' "1: unknown test 'gmem_mmap_tes', did you mean gmem_mmap_test?"
	mistake 'repeat 0' "1: repeat is a number of runs"
	mistake 'kernel a running\nkernel b base\nmachine x86-svm' "end: kernel a runs on no machine of it"
	mistake 'kernel a base\nmachine x86-svm\nmachine host' "end: machine host runs no kernel or no test of it"
}

@test "matrix: a job for each kernel and machine, but what only says; append and feature" {
	cat >"$matrix" <<-EOF
		kernel a base	# the first one
		kernel b reference
		machine x86-svm
		machine x86-vmx big
		only a x86-svm
		append b kvm.x=1 y
		test $case
		timeout 7
	EOF
	"$top/farm/matrix.sh" "$matrix" | jq -e --arg case "$case" '.repeat == 1 and .jobs == [
		{job: "a@x86-svm", kernel: "a", machine: "x86-svm", feature: "", words: ["--machine", "x86-svm", "--timeout", "7", $case]},
		{job: "b@x86-svm", kernel: "b", machine: "x86-svm", feature: "",
			words: ["--machine", "x86-svm", "--append", "kvm.x=1 y", "--timeout", "7", $case]},
		{job: "b@x86-vmx", kernel: "b", machine: "x86-vmx", feature: "big",
			words: ["--machine", "x86-vmx", "--append", "kvm.x=1 y", "--timeout", "7", $case]}]'
}

# --- nights on this computer

@test "nightly: our own fault is no result, exit 3; --continue makes up for it" {
	broken_qemu
	{ kernels 2; echo repeat 2; } >"$matrix"
	run --separate-stderr "${nightly[@]}" --tries 2 "$matrix"
	[ "$status" -eq 3 ] || { echo "$output$stderr"; false; }
	[[ $output == *"infra  k0@x86-svm  no result: run 1: "*"no memory (2 tries)"*"2 without a result"* ]]
	grep -q 'no memory' "$dir/jobs/k1@x86-svm/infra"
	[ -z "$(find "$dir" -name meta.json)" ]
	[ "$(jq .exit_code "$dir/nightly.json")" -eq 3 ]
	rm "$work/no-memory"
	run --separate-stderr "$top/run_tests.sh" nightly --continue "$dir" --quiet
	[ "$status" -eq 1 ]
	[[ $output == "fail   k1@x86-svm  0 passed, 1 bad: $case fail;"*"2 jobs: 1 passed, 1 failed, 0 skipped, 0 without a result"* ]]
	all_right 4
}

@test "nightly: the controller is killed: what is finished stays, the rest is run" {
	kernels 3 >"$matrix"
	setsid "${nightly[@]}" --jobs 1 "$matrix" >"$work/out" 2>&1 3>&- &
	started=$!
	wait_for [ -e "$dir/jobs/k0@x86-svm" ]
	kill -KILL -- "-$started"
	before=$(stat -c %y "$dir/jobs/k0@x86-svm/1/meta.json")
	run --separate-stderr "$top/run_tests.sh" nightly --continue "$dir"
	[ "$status" -eq 1 ]
	[[ $stderr == *" of 3 jobs are done already"* ]]
	[ "$(stat -c %y "$dir/jobs/k0@x86-svm/1/meta.json")" = "$before" ]
	all_right 3
}

@test "nightly: a commit on machines of two architectures, each with its tests" {
	"$top/tests/history.sh" "$work/tree" 1
	cat >"$matrix" <<-EOF
		kernel next git:tree good
		machine x86-svm
		machine arm64
		test $case gic_msi_test.no_irqchip
	EOF
	run --separate-stderr "${nightly[@]}" "$matrix"
	[ "$status" -eq 0 ] || { echo "$output$stderr"; cat "$dir"/log/* "$dir"/kernels/*; false; }
	[ "$(jq -r '"\(.machine) \(.tests[0].name)"' "$dir"/jobs/*/1/meta.json)" = "arm64 gic_msi_test"$'\n'"x86-svm ${case%.*}" ]
	[ "$(jq -r .commit "$dir"/jobs/*/1/meta.json | uniq)" = "$(git -C "$work/tree" rev-parse good)" ]
}

@test "nightly: interrupted: exit 143, no process is left, how to go on" {
	kernels 2 >"$matrix"
	"${nightly[@]}" "$matrix" >"$work/out" 2>&1 3>&- &
	started=$!
	wait_for pgrep -f "results /.*/kvm-witness-job.*k1@x86-svm" >/dev/null
	kill "$started"
	code=0
	wait "$started" || code=$?
	[ "$code" -eq 143 ]
	[[ $(cat "$work/out") == *"interrupted; to go on: run_tests.sh nightly --continue $dir" ]]
	[ -z "$(pgrep -f "kvm-witness-job.*k[01]@x86-svm")" ]
	run "$top/run_tests.sh" nightly --results "$dir" "$matrix"
	[ "$status" -eq 2 ]
	[[ $output == *"$dir has a night already: --continue $dir, or another folder"* ]]
}

@test "nightly: a full disk while results are pushed: kept, told where, exit 3" {
	kernels 1 >"$matrix"
	"$top/farm/matrix.sh" "$matrix" | jq -c --arg push "$work/full" '.jobs[0] + {kernel_words: ["--variant", "reference"], repeat: 1, tries: 1, tried: 0, $push}' >"$work/job"
	mkdir -p "$work/full/incoming"
	mount -t tmpfs -o size=16k tmpfs "$work/full/incoming" 2>/dev/null || skip "cannot mount a small file system here"
	run "$top/farm/job.sh" "$(cat "$work/job")"
	umount "$work/full/incoming"
	[ "$status" -eq 3 ] || { echo "$output"; false; }
	[[ $output == *"cannot push to $work/full: "*"No space left on device"*"what could not be pushed is in "* ]]
	kept=${output##*:}
	[ -n "$(find "$kept" -path '*/k0@x86-svm/1/meta.json')" ]
	rm -r "$kept"
}

@test "nightly: a job that is pushed twice counts once, half a one not at all" {
	mkdir -p "$dir"/{jobs,incoming/{a,b}/j/1,incoming/c/k,pending/{j,k}}
	echo first >"$dir/incoming/a/j/1/ktap"
	touch "$dir"/incoming/{a,b}/j/complete
	run "$top/farm/collect.sh" "$dir"
	[ "$status" -eq 0 ]
	[ "$(cat "$dir/jobs/j/1/ktap")" = first ]
	[ "$(cd "$dir" && find . -type f | sort | tr '\n' ' ')" = "./collect.lock ./jobs/j/1/ktap ./jobs/j/complete " ]
	[ -d "$dir/pending/k" ] && [ ! -e "$dir/pending/j" ] && [ -d "$dir/incoming/c/k" ]
}

# --- nights on a farm

# kill_node STATE NODE: everything that runs on it, at once.
kill_node()
{
	local pids jobs

	jobs=$(squeue -h -w "$2" -t R -o %A | paste -sd'|')
	pids=$(ps -eo pid=,ppid=,args= | awk -v daemon="$(cat "$1/run/$2.pid")" -v steps="slurmstepd: \\[(${jobs:-none})\\." '
		{ parent[$1] = $2; if ($1 == daemon || $0 ~ steps) doomed[$1] = 1 }
		END {
			for (n = 0; n < 20; n++)
				for (p in parent)
					if (parent[p] in doomed)
						doomed[p] = 1
			for (p in doomed)
				print p
		}')
	# shellcheck disable=SC2086
	kill -KILL $pids
}

@test "Slurm: 12 jobs that boot kernels, a node dies in the middle: each result once" {
	needs_slurm
	kernels 12 >"$matrix"
	cat >"$work/script" <<-EOF
		$(declare -f kill_node wait_for)
		"\$@" &
		busy() { squeue -h -w n2 -t R -o %A | grep -q .; }
		wait_for [ -e "$dir/jobs/k0@x86-svm" ]
		wait_for busy
		squeue -h -w n2 -t R -o %K >"$work/died"
		kill_node "$work/farm" n2
		wait \$!
	EOF
	run --separate-stderr "$top/farm/loopback.sh" --nodes 3 --state "$work/farm" \
		bash "$work/script" "${nightly[@]}" --launcher slurm "$matrix"
	[ "$status" -eq 1 ] || { echo "$output$stderr"; cat "$dir"/log/*; false; }
	[ -s "$work/died" ]
	[[ $output == *"12 jobs: 8 passed, 4 failed, 0 skipped, 0 without a result"* ]]
	all_right 12
	# What ran there has begun anew elsewhere.
	[ "$(jq -s 'map(select(.tries > 1 and .node != "n2")) | length' "$dir"/jobs/*/job.json)" -ge 1 ]
	[ -z "$(pgrep -f "$work/farm")" ]
	# The night as a page.
	cd "$work"
	"$top/run_tests.sh" report html "$dir" -o page.html
	grep -q 'id=n-pass>8<' page.html
	grep -q 'id=n-fail>4<' page.html
	if command -v chromium >/dev/null; then
		screenshot farm "file://$work/page.html"
	fi
}

@test "Slurm: the controller is killed: the farm goes on and collects" {
	needs_slurm
	kernels 2 >"$matrix"
	cat >"$work/script" <<-EOF
		$(declare -f wait_for)
		"\$@" &
		wait_for [ -s "$dir/slurm-collector" ]
		kill -KILL \$!
		all_over() { queue=\$(squeue -h) && [ -z "\$queue" ]; }
		until all_over; do sleep 0.1; done
		ls "$dir/jobs" >"$work/collected"
		"$top/run_tests.sh" nightly --continue "$dir" --launcher slurm
	EOF
	run --separate-stderr "$top/farm/loopback.sh" bash "$work/script" "${nightly[@]}" --launcher slurm "$matrix"
	[ "$status" -eq 1 ] || { echo "$output$stderr"; false; }
	[ "$(cat "$work/collected")" = "k0@x86-svm"$'\n'"k1@x86-svm" ]
	[[ $stderr == *"2 of 2 jobs are done already"* ]]
	all_right 2
}

@test "Slurm: our own fault is requeued and then given up; results by rsync" {
	needs_slurm
	broken_qemu
	kernels 1 | sed 's/^machine x86-svm/& loopback/' >"$matrix"
	cat >"$work/rsyncd" <<-EOF
		port = 18730
		address = 127.0.0.1
		use chroot = no
		[night]
		path = /
		read only = no
		uid = $(id -u)
		gid = $(id -g)
	EOF
	rsync --daemon --no-detach --config="$work/rsyncd" 3>&- &
	started=$!
	cat >"$work/script" <<-EOF
		"\$@"
		echo "exit code \$?"
		rm "$work/no-memory"
		"$top/run_tests.sh" nightly --continue "$dir" --launcher slurm --push rsync://127.0.0.1:18730/night
	EOF
	run --separate-stderr "$top/farm/loopback.sh" bash "$work/script" "${nightly[@]}" --launcher slurm --tries 2 \
		--push rsync://127.0.0.1:18730/night "$matrix"
	[ "$status" -eq 0 ] || { echo "$output$stderr"; cat "$dir"/log/*; false; }
	[[ $output == *"infra  k0@x86-svm  no result: run 1: "*"no memory (2 tries)"*"exit code 3"*"pass   k0@x86-svm  1 passed; n"* ]]
	all_right 1
}

@test "Slurm: the farm is interrupted: no process is left" {
	needs_slurm
	# A dead child of init that it has not waited for yet is none.
	daemons() { ps -eo stat=,pid=,comm= | awk '$1 !~ /^Z/ && $3 ~ /^(slurm|munged)/'; }
	before=$(daemons)
	kernels 3 >"$matrix"
	"$top/farm/loopback.sh" --state "$work/farm" "${nightly[@]}" --launcher slurm "$matrix" >"$work/out" 2>&1 3>&- &
	started=$!
	wait_for pgrep -f "results /.*/kvm-witness-job.*k0@x86-svm" >/dev/null
	kill "$started"
	code=0
	wait "$started" || code=$?
	[ "$code" -eq 143 ] || { cat "$work/out"; false; }
	[[ $(cat "$work/out") == *"interrupted; to go on: run_tests.sh nightly --continue $dir"* ]]
	[ "$(daemons)" = "$before" ] || { daemons; false; }
	[ -z "$(pgrep -af "$work/(farm|night)|kvm-witness-job.*k[0-2]@x86-svm")" ]
}

@test "Slurm does not answer: exit 3, no folder" {
	needs_slurm
	kernels 1 >"$matrix"
	echo 'SlurmctldHost=localhost' >"$work/slurm.conf"
	SLURM_CONF=$work/slurm.conf run "${nightly[@]}" --launcher slurm "$matrix"
	[ "$status" -eq 3 ]
	[[ $output == "kvm-witness: Slurm does not answer: "* ]]
	[ ! -e "$dir" ]
}

# --- bisections

wanted=gmem_mmap_test.without_flag

@test "bisect: finds the mutant, with a commit that does not build and one that does not boot" {
	"$top/tests/bisect_seeds.sh" 1 2
}

@test "bisect: three commits at a time on a farm; the report; the user's checkout, dirty as it is, stays" {
	needs_slurm
	"$top/tests/history.sh" "$work/tree" 3
	cd "$work/tree"
	git sparse-checkout set virt/kvm
	git checkout -q main
	echo dirty >>virt/kvm/kvm_main.c
	git status >"$work/before"
	run --separate-stderr "$top/farm/loopback.sh" "${bisect[@]}" --tree . --good good --bad bad --parallel 3 --launcher slurm "$wanted"
	[ "$status" -eq 0 ] || { echo "$output$stderr"; false; }
	git status | diff "$work/before" -
	[ -z "$(git worktree list | sed 1d)$(git for-each-ref refs/bisect)" ]
	id=$(git rev-parse --short=12 culprit)
	subject=$(git log -1 --format=%s culprit)
	grep -qx "#regzbot introduced: $id" "$work/r/report.txt"
	grep -qx "Fixes: $id (\"$subject\")" "$work/r/report.txt"
	grep -qx "Subject: \[REGRESSION\] $wanted fails since $id (\"$subject\")" "$work/r/report.txt"
	grep -qE "^  $id  bad   [0-9] of [0-9] failed +build +[0-9]+ s  run +[0-9]+ s  $subject" "$work/r/report.txt"
	# Nothing but this one has changed the kernel.
	[[ $stderr == *"$id is the first bad commit, confidence 100.0 %; e-mail in $work/r/report.txt" ]]
}

@test "bisect: what cannot be tested hides the mutant: said so, exit 1; a fixup finds it" {
	"$top/tests/history.sh" "$work/tree" 4 hidden
	cd "$work/tree"
	run --separate-stderr "${bisect[@]}" --tree . --good good --bad bad "$wanted"
	[ "$status" -eq 1 ] || { echo "$output$stderr"; false; }
	[[ $output == *"The first bad commit is one of these; "*"$(git rev-parse --short=9 culprit)"* ]]
	git diff nobuild nobuild^ >"$work/fixup"
	run --separate-stderr "$top/run_tests.sh" bisect --results "$work/r2" --boot-timeout 300 --tree . --good good --bad bad --fixup "$work/fixup" "$wanted"
	[ "$status" -eq 0 ] || { echo "$output$stderr"; false; }
	grep -qx "#regzbot introduced: $(git rev-parse --short=12 culprit)" "$work/r2/report.txt"
}

@test "bisect: our own fault ends it with 3, Ctrl-C with 143; --continue loses no step" {
	"$top/tests/history.sh" "$work/tree" 5
	broken_qemu
	run --separate-stderr "${bisect[@]}" --tree "$work/tree" --good good --bad bad --repeat 1 "$wanted"
	[ "$status" -eq 3 ] || { echo "$output$stderr"; false; }
	[[ $stderr == *"no memory"*"stopped; to go on: run_tests.sh bisect --continue $work/r"* ]]
	rm "$work/no-memory"
	"$top/run_tests.sh" bisect --continue "$work/r" >"$work/out" 2>&1 3>&- &
	started=$!
	steps() { ls "$work/r"/steps/*/step.json 2>/dev/null; }
	three_steps() { [ "$(steps | wc -l)" -ge 3 ]; }
	wait_for three_steps
	kill "$started"
	code=0
	wait "$started" || code=$?
	[ "$code" -eq 143 ]
	[ -z "$(pgrep -f "results $work/r")" ]
	steps | xargs md5sum >"$work/sums"
	run --separate-stderr "$top/run_tests.sh" bisect --continue "$work/r"
	[ "$status" -eq 0 ] || { echo "$output$stderr"; false; }
	md5sum -c "$work/sums"
	grep -qx "#regzbot introduced: $(git -C "$work/tree" rev-parse --short=12 culprit)" "$work/r/report.txt"
}

@test "bisect: what cannot be begun: exit 2 and why" {
	"$top/tests/history.sh" "$work/tree" 6
	refused()
	{
		local why=$1

		shift
		run --separate-stderr "${bisect[@]}" "$@"
		[ "$status" -eq 2 ] && [[ $stderr == *"$why"* ]] || { echo "$*: exit code $status: $stderr"; false; }
		rm -rf "$work/r"
	}
	refused "is not a git tree" --tree "$work" --good a --bad b "$wanted"
	refused "--good: $work/tree has no commit v1" --tree "$work/tree" --good v1 --bad bad "$wanted"
	refused "the bad commit is older than the good one: are they swapped?" --tree "$work/tree" --good bad --bad good "$wanted"
	refused "--good and --bad are the same commit" --tree "$work/tree" --good bad --bad main "$wanted"
	refused "unknown case 'gmem_mmap_test.without_flags', did you mean $wanted?" --tree "$work/tree" --good good --bad bad "${wanted}s"
	refused "which case?" --tree "$work/tree" --good good --bad bad
	refused "the bad end, $(git -C "$work/tree" rev-parse --short=12 culprit^), passes 1 of 1 runs: there is nothing to find" \
		--tree "$work/tree" --good good --bad culprit^ --repeat 1 "$wanted"
	refused "the good end, $(git -C "$work/tree" rev-parse --short=12 culprit), fails: $wanted: fail" \
		--tree "$work/tree" --good culprit --bad bad --repeat 1 "$wanted"
}

@test "bisect: confidence: more runs are surer, a case that flickers is less sure" {
	# A range of 4, of which 2 is good and 3 is bad.
	sure()
	{
		local contains=$work/c i j

		rm -rf "$contains"
		mkdir "$contains"
		for i in 0 2 3 4; do
			for ((j = 1; j <= i; j++)); do
				echo "$j"
			done >"$contains/$i"
		done
		printf '%s\n' "$@" >"$work/runs"
		awk -v found=3 -f "$top/farm/confidence.awk" "$work/runs" "$contains"/*
	}
	once=$(sure "0 a 0 1" "2 b 0 1" "3 c 1 0" "4 d 1 0")
	often=$(sure "0 a 0 9" "2 b 0 9" "3 c 9 0" "4 d 9 0")
	flickers=$(sure "0 a 0 9" "2 b 0 9" "3 c 1 8" "4 d 2 7")
	# Nothing but the third one has changed the kernel.
	[ "$(sure "0 a 0 1" "2 a 0 1" "3 d 1 0" "4 d 1 0")" = 100.0 ]
	[ "$(printf '%s\n' "$once" "$often" "$flickers" | sort -n | tr '\n' ' ')" = "$flickers $once $often " ] || { echo "$once $often $flickers"; false; }
	[ "$(echo "$often > 99.5" | bc)" -eq 1 ]
}
