#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2054,SC2154
#
# Runs the guest-side test kernel in a VM of this computer; run_tests.sh --guest calls it.
# Exit codes as there.

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
# shellcheck source=machine/names.sh
. "$top/machine/names.sh"
# shellcheck source=machine/results.sh
. "$top/machine/results.sh"

help()
{
	cat <<'EOT'
run_tests.sh --guest [option]... [TEST[.CASE]]...

The guest-side test kernel: what a guest really gets from its VMM.  docs/guest.md.

  --arch ARCH        x86, arm64 or riscv; this computer's without
  --vmm NAME         qemu; the program is KVM_WITNESS_QEMU, ..._ARM64 or ..._RISCV64
  --accel NAME       tcg (the default: software) or kvm
  --cpu MODEL        the VMM's -cpu, properties included (max)
  --move HOW         run guest_moved, and move the VM to another process of the VMM whenever it
                     says so: live, or by a snapshot (savevm, loadvm)
  --cpu-after MODEL  the -cpu of that other process (the same)
  --matrix cpu       each CPU model of that VMM in turn: a line for each on stdout, KTAP and
                     logs of each in a folder of its own
  --vmm-args "ARGS"  more for the VMM's command line; a word -M adds to the board's options
  --timeout SECONDS  for one test (60)
  --strict           a skip is a failure
  --results DIR      where ktap, logs and meta.json go (results/guest-<date>-<id>)
  --list [--json]    every case: what it verifies, what it needs
  -h, --help

With --vm, --machine or --variant it runs under KVM in an emulated machine; see
run_tests.sh --help.  Exit codes: 0 passed, 1 failed, 2 usage, 3 our own fault, 4
nothing could run.
EOT
}

usage()
{
	die 2 "$1 (run_tests.sh --guest --help)"
}

# --- the command line

# $cpu is the machine's own, in its profile.
arch=$(host_arch) vmm=qemu accel=tcg model='' more=() timeout=60 strict='' results='' matrix='' how='' cpu_after='' list='' json='' words=()
while [ $# -gt 0 ]; do
	case $1 in
	--guest) ;;
	--strict) strict=y ;;
	--list) list=y ;;
	--json) json=y ;;
	-h | --help) help; exit 0 ;;
	--arch | --vmm | --accel | --cpu | --cpu-after | --move | --matrix | --vmm-args | --timeout | --results)
		[ -n "${2:-}" ] || usage "$1 wants a value"
		case $1 in
		--arch) arch=$2 ;;
		--vmm) vmm=$2 ;;
		--accel) accel=$2 ;;
		--cpu) model=$2 ;;
		--cpu-after) cpu_after=$2 ;;
		--move) how=$2 ;;
		--matrix) matrix=$2 ;;
		--vmm-args) read -ra more <<<"$2" ;;
		--timeout) timeout=$2 ;;
		--results) results=$2 ;;
		esac
		shift ;;
	-*) usage "unknown option $1" ;;
	*) words+=("$1") ;;
	esac
	shift
done
case $arch in
x86) machine=x86-svm image=guest.elf ;;
arm64) machine=arm64 image=Image ;;
riscv) machine=riscv64 image=Image ;;
*) unknown architecture "$arch" x86 arm64 riscv ;;
esac
[ -d "$top/guest/checks/$arch" ] || usage "there is no guest-side test kernel for $arch yet"
[ "$vmm" = qemu ] || usage "the VMM $vmm is not known here: docs/guest.md says how to run the image under any"
[[ $accel =~ ^(tcg|kvm)$ ]] || unknown accelerator "$accel" tcg kvm
[ "$accel" = tcg ] || [ "$arch" = "$(host_arch)" ] || usage "KVM of this computer runs $(host_arch), not $arch"
[[ $how =~ ^(live|snapshot)?$ ]] || unknown "way to move a VM" "$how" live snapshot
[ -z "$cpu_after" ] || [ -n "$how" ] || usage "--cpu-after is for --move"
[ -z "$how" ] || [ -z "$matrix" ] || usage "--move and --matrix exclude each other"
[ -z "$matrix" ] || [ "$matrix" = cpu ] || unknown matrix "$matrix" cpu
[ -z "$matrix" ] || [ -z "$model" ] || usage "--matrix cpu and --cpu exclude each other"
[[ $timeout =~ ^[1-9][0-9]{0,5}$ ]] || usage "a timeout is a number of seconds"

# --- the image and what it has

# shellcheck source=kernel/arch.sh
cross=$(cross_prefix "$arch")
out=$(tests_folder "$arch")
for tool in make gcc flock jq ${cross:+"${cross}gcc"}; do
	command -v "$tool" >/dev/null || die 3 "$tool is missing: run tests/deps.sh $([ -n "$cross" ] && echo check || echo demo)"
done
[ "$how" != snapshot ] || command -v qemu-img >/dev/null ||
	die 3 "qemu-img is missing, for the image of a snapshot: install qemu-utils (tests/deps.sh check)"
mkdir -p "$out" || die 3 "cannot write to $out: set OUTPUT=<folder>"
exec 8>"$out/lock"
flock 8
if ! make -s -C "$top" guest ARCH="$arch" OUTPUT="$out" >"$out/guest.log" 2>&1; then
	tail -n 12 "$out/guest.log" >&2
	die 3 "the guest-side test kernel does not build, log in $out/guest.log"
fi
image=$out/guest/$image

# What finds the VMM's program is the machine's of the same emulator.
# shellcheck source=machine/x86-svm.sh
. "$top/machine/$machine.sh"
machine_check

# vmm_argv APPEND: sets argv; $serial is where the serial port goes.
vmm_argv()
{
	local nodes=() board=() engine model=$model

	case $arch in
	x86)	qemu_nodes nodes=2
		board=(-M "q35,usb=off,sata=off,smbus=off,hpet=off" -smp 2,sockets=2
			-device isa-debug-exit,iobase=0xf4)
		model=${model:-max} ;;
	arm64)	board=(-M "virt,gic-version=3" -smp 2)
		model=${model:-max,pauth-impdef=on} ;;
	riscv)	board=("${share[@]}" -M "virt,aia=aplic-imsic" -smp 2)
		model=${model:-max} ;;
	esac
	engine=(-accel "tcg,thread=${thread:-multi}")
	if [ "$accel" = kvm ]; then
		model=${model:-host}
		engine=(-accel kvm)
	fi
	argv=("$qemu" "${board[@]}" "${nodes[@]}" -cpu "$model" "${engine[@]}" -m 1G
		-nodefaults -no-user-config -display none -no-reboot "${serial[@]}"
		-kernel "$image" -append "$1" "${more[@]}")
}

cases=$out/guest/cases.json
if [ ! -s "$cases" ] || [ "$image" -nt "$cases" ]; then
	# By a plain VM, whatever the command line wants.
	saved=("${more[@]}") saved_model=$model saved_accel=$accel
	more=() model='' accel=tcg serial=(-serial stdio)
	vmm_argv list
	timeout 60 "${argv[@]}" </dev/null 2>"$out/guest/list.log" | grep '^{' >"$cases.tmp" || :
	jq -e . "$cases.tmp" >/dev/null 2>&1 ||
		die 3 "the guest-side test kernel does not say what it has: $(head -n 1 "$out/guest/list.log")"
	mv "$cases.tmp" "$cases"
	more=("${saved[@]}") model=$saved_model accel=$saved_accel
fi
flock -u 8
exec 8>&-

if [ -n "$list" ]; then
	list_cases "$cases" "$json"
	exit 0
fi
mapfile -t all_tests < <(jq -r .test "$cases" | uniq)
mapfile -t all_cases < <(jq -r '"\(.test).\(.case)"' "$cases")
for word in "${words[@]}"; do
	[[ " ${all_tests[*]} ${all_cases[*]} " == *" $word "* ]] || unknown test "$word" "${all_tests[@]}" "${all_cases[@]}"
done
[ -z "$how" ] || [ ${#words[@]} -gt 0 ] || words=(guest_moved)
[ ${#words[@]} -gt 0 ] || words=("${all_tests[@]}")

# --- the run

make_results guest-
serial=(-chardev "socket,id=results,fd=3" -serial chardev:results)
append=serve
[ "$accel" = kvm ] || append="$append tcg"

# The tests as programs, each of which moves its VM.
move_programs()
{
	local test source checks

	serial=()
	mkdir "$results/programs"
	for test in $(printf '%s\n' "${words[@]%%.*}" | sort -u); do
		checks=$(printf '%s\n' "${words[@]}" | grep -E "^$test(\.|\$)" | paste -sd,)
		vmm_argv "moved flat ${append#serve} checks=$checks"
		source=("${argv[@]}")
		model=${cpu_after:-$model}
		vmm_argv moved
		printf '#!/bin/sh\nexec %s\n' "$(printf '%q ' "$top/guest/move.sh" "$how" "${source[@]}" -- "${argv[@]}")" \
			>"$results/programs/$test"
		chmod +x "$results/programs/$test"
	done
}

if [ -n "$how" ]; then
	results=$(readlink -f "$results")
	rm -rf "$results/programs"
	move_programs
	exec "$out/machine/boot" --results "$results" --cases "$cases" --timeout "$timeout" ${strict:+--strict} \
		--meta "machine=guest-$arch" --meta "kernel=$image" --meta "variant=" --meta "append=$append" \
		--meta "vmm=$vmm $version" --meta "accel=$accel" --meta "move=$how" --meta "date=$(date -u +%FT%TZ)" \
		"${words[@]}" -- "$out/machine/serve" "$results/programs"
fi

# boot FOLDER: replaces this shell by the one VM's run.
boot()
{
	vmm_argv "$append"
	exec "$out/machine/boot" --results "$1" --cases "$cases" --timeout "$timeout" --boot-timeout 60 \
		${strict:+--strict} --meta "machine=guest-$arch" --meta "kernel=$image" --meta "variant=" \
		--meta "append=$append" --meta "vmm=$vmm $version" --meta "accel=$accel" --meta "cpu=${model:-default}" \
		--meta "date=$(date -u +%FT%TZ)" "${words[@]}" -- "${argv[@]}"
}

[ -n "$matrix" ] || boot "$results"

# The models that the VMM names: no "host", "max" or "base", no other name of one that is there,
# on x86 none without CPUID.
models()
{
	case $arch in
	# Behind the models come the features.
	x86) "$qemu" -cpu help 2>/dev/null | sed -n 's/^x86 / /p' ;;
	*) "$qemu" -M virt -cpu help 2>/dev/null ;;
	esac | awk '/^ / && $1 !~ /^(host|max|base|486.*)$/ && !/\(alias/ { print $1 }'
}

# unfit MODEL: why the board or its processor is none for the kernel; nothing where it is.  x86
# tells that itself, by the exit code 4 as QEMU's isa-debug-exit passes it on.
unfit()
{
	local tree=$results/$1/dtb

	case $arch in
	arm64)
		"$qemu" -M virt,dumpdtb="$tree" -cpu "$1,aarch64=on" >/dev/null 2>&1 ||
			echo "no 64-bit processor, or none of the board virt" ;;
	riscv)
		"$qemu" "${share[@]}" -M virt,dumpdtb="$tree" -display none -cpu "$1" >/dev/null 2>&1 &&
			grep -aq rv64 "$tree" && grep -aqE 'riscv,sv(39|48|57)' "$tree" ||
			echo "no 64-bit mode with pages, or none of the board virt" ;;
	esac
	rm -f "$tree"
}

mapfile -t all_models < <(models)
[ ${#all_models[@]} -gt 0 ] || die 3 "$qemu -cpu help names no model"
worst=4 n=0
printf 'KTAP version 1\n1..%d\n' ${#all_models[@]}
for model in "${all_models[@]}"; do
	n=$((n + 1)) code=0
	mkdir -p "$results/$model"
	why=$(unfit "$model")
	if [ -n "$why" ]; then
		echo "ok $n $model # SKIP $why"
		continue
	fi
	(boot "$results/$model") >/dev/null 2>"$results/$model/errors" </dev/null || code=$?
	totals=$(sed -n 's/^# cases: \(.*\)/\1/p' "$results/$model/ktap" 2>/dev/null | tail -n 1)
	bad=$(jq -r '[.tests[]? | .name as $test | .cases[] | select(.verdict != "pass" and .verdict != "skip") |
		"\($test).\(.name)"] | join(" ")' "$results/$model/meta.json" 2>/dev/null || :)
	case $code in
	0)	echo "ok $n $model # ${totals%%, 0 timed*}"
		[ "$worst" -ne 4 ] || worst=0 ;;
	4)	echo "ok $n $model # SKIP nothing could run: ${totals%%, 0 timed*}" ;;
	1)	echo "not ok $n $model # $bad"
		[ "$worst" -eq 3 ] || worst=1 ;;
	3)	why=$(jq -r 'first(.tests[]?.reason) // "no results"' "$results/$model/meta.json" 2>/dev/null || :)
		if [[ $why == "the emulator ended with exit code 41:"* ]]; then
			echo "ok $n $model # SKIP no 64-bit mode"
		else
			echo "not ok $n $model # ERROR ${why:-no results}"
			worst=3
		fi ;;
	*)	exit "$code" ;;
	esac
done
exit "$worst"
