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

arch=$(host_arch) vmm=qemu accel=tcg cpu='' more=() timeout=60 strict='' results='' list='' json='' words=()
while [ $# -gt 0 ]; do
	case $1 in
	--guest) ;;
	--strict) strict=y ;;
	--list) list=y ;;
	--json) json=y ;;
	-h | --help) help; exit 0 ;;
	--arch | --vmm | --accel | --cpu | --vmm-args | --timeout | --results)
		[ -n "${2:-}" ] || usage "$1 wants a value"
		case $1 in
		--arch) arch=$2 ;;
		--vmm) vmm=$2 ;;
		--accel) accel=$2 ;;
		--cpu) cpu=$2 ;;
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
[[ $timeout =~ ^[1-9][0-9]{0,5}$ ]] || usage "a timeout is a number of seconds"

# --- the image and what it has

# shellcheck source=kernel/arch.sh
cross=$(cross_prefix "$arch")
out=$(tests_folder "$arch")
for tool in make gcc flock jq ${cross:+"${cross}gcc"}; do
	command -v "$tool" >/dev/null || die 3 "$tool is missing: run tests/deps.sh $([ -n "$cross" ] && echo check || echo demo)"
done
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
	local nodes=() board=() engine model=$cpu

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
	if [ "$accel" = kvm ]; then
		model=${cpu:-host}
		engine=(-accel kvm)
	else
		engine=(-accel "tcg,thread=${thread:-multi}")
	fi
	argv=("$qemu" "${board[@]}" "${nodes[@]}" -cpu "$model" "${engine[@]}" -m 1G
		-nodefaults -no-user-config -display none -no-reboot "${serial[@]}"
		-kernel "$image" -append "$1" "${more[@]}")
}

cases=$out/guest/cases.json
if [ ! -s "$cases" ] || [ "$image" -nt "$cases" ]; then
	# By a plain VM, whatever the command line wants.
	saved=("${more[@]}") saved_cpu=$cpu saved_accel=$accel
	more=() cpu='' accel=tcg serial=(-serial stdio)
	vmm_argv list
	timeout 60 "${argv[@]}" </dev/null 2>"$out/guest/list.log" | grep '^{' >"$cases.tmp" || :
	jq -e . "$cases.tmp" >/dev/null 2>&1 ||
		die 3 "the guest-side test kernel does not say what it has: $(head -n 1 "$out/guest/list.log")"
	mv "$cases.tmp" "$cases"
	more=("${saved[@]}") cpu=$saved_cpu accel=$saved_accel
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
[ ${#words[@]} -gt 0 ] || words=("${all_tests[@]}")

# --- the run

make_results guest-
serial=(-chardev "socket,id=results,fd=3" -serial chardev:results)
vmm_argv serve
exec "$out/machine/boot" --results "$results" --cases "$cases" --timeout "$timeout" --boot-timeout 60 \
	${strict:+--strict} --meta "machine=guest-$arch" --meta "kernel=$image" --meta "variant=" \
	--meta "append=serve" --meta "vmm=$vmm $version" --meta "accel=$accel" --meta "cpu=${cpu:-default}" \
	--meta "date=$(date -u +%FT%TZ)" "${words[@]}" -- "${argv[@]}"
