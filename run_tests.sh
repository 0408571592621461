#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the tests: on this kernel, or on any kernel in an emulated machine.
# "run_tests.sh --help" tells how; DESIGN.md's exit codes: 0 all that ran passed
# and something ran, 1 a case failed, timed out, crashed or is missing, 2 usage,
# 3 our own fault, 4 nothing could run.

set -euo pipefail
top=$(dirname "$(readlink -f "$0")")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
# shellcheck source=machine/names.sh
. "$top/machine/names.sh"
# shellcheck source=machine/results.sh
. "$top/machine/results.sh"

help()
{
	cat <<'EOF'
run_tests.sh [run] [option]... [TEST[.CASE] | FOLDER/]...
run_tests.sh prove ...    would the tests have caught the bugs?  prove --help
run_tests.sh report ...   results as a page, JUnit, KCIDB, a baseline; report --help
run_tests.sh bisect ...   which commit broke a case?  bisect --help
run_tests.sh nightly ...  kernels x machines x tests, here or on a farm  nightly --help
run_tests.sh --guest ...  the guest-side test kernel, in a VM; --guest --help

Without a machine option the tests run here, on this kernel.

  --vm               run in an emulated machine (x86-svm), on the reference kernel
  --machine NAME     the machine; --list-machines names them
  --variant NAME     the kernel: reference, base, or a mutant; kernel/build.sh --list
  --kernel IMAGE     a kernel of your own: vmlinux, bzImage, or debian:SERIES
  --modules DIR      where that kernel's lib/modules is, if not beside the image
  --guest            instead of the tests, the guest-side test kernel in a VM of that machine
  --append "ARGS"    more for the kernel's command line
  --timeout SECONDS  for one test (settings: 120)
  --boot-timeout S   for the machine to come up (60)
  --strict           a skip is a failure
  --results DIR      where ktap, logs and meta.json go (results/<date>-<id>)
  --baseline FILE    known results: only new failures and lost cases make for exit 1
  --list [--json]    every case of the machine's architecture: what it verifies, needs
  -h, --help

KDIR=<kernel tree> takes the KVM selftest framework, and with --vm the kernel, from
that tree; otherwise Debian's kernel source is fetched.
Exit codes: 0 passed, 1 failed, 2 usage, 3 our own fault, 4 nothing could run.
EOF
}

usage()
{
	die 2 "$1 (run_tests.sh --help)"
}

# --- the command line

machine='' kernel='' guest='' modules='' variant='' append='' strict='' list='' json='' results='' baseline=''
timeout='' boot_timeout=''
words=()
[ "${1:-}" != prove ] || exec "$top/proof/prove.sh" "${@:2}"
[ "${1:-}" != report ] || exec "$top/report/report.sh" "${@:2}"
[[ ! ${1:-} =~ ^(bisect|nightly)$ ]] || exec "$top/farm/$1.sh" "${@:2}"
if [[ " $* " == *" --guest "* && ! " $* " =~ \ --(vm|machine|variant|kernel)\  ]]; then
	exec "$top/guest/run.sh" "$@"
fi
[ "${1:-}" != run ] || shift
while [ $# -gt 0 ]; do
	case $1 in
	--vm) machine=${machine:-x86-svm} ;;
	--guest) guest=y ;;
	--strict) strict=y ;;
	--list) list=y ;;
	--json) json=y ;;
	--list-machines) machines; exit 0 ;;
	-h | --help) help; exit 0 ;;
	--machine | --kernel | --modules | --variant | --append | --timeout | --boot-timeout | --results | --baseline)
		[ -n "${2:-}" ] || usage "$1 wants a value"
		case $1 in
		--machine) machine=$2 ;;
		--kernel) kernel=$2 ;;
		--modules) modules=$2 ;;
		--variant) variant=$2 ;;
		--append) append=$2 ;;
		--timeout) timeout=$2 ;;
		--boot-timeout) boot_timeout=$2 ;;
		--results) results=$2 ;;
		--baseline) baseline=$2 ;;
		esac
		shift ;;
	-*) usage "unknown option $1" ;;
	*) words+=("$1") ;;
	esac
	shift
done
[ -z "$kernel" ] || [ -z "$variant" ] || usage "--kernel and --variant exclude each other"
for seconds in "$timeout" "$boot_timeout"; do
	[[ $seconds =~ ^([1-9][0-9]{0,5})?$ ]] || usage "a timeout is a number of seconds"
done
[ -z "$kernel$variant" ] || machine=${machine:-x86-svm}
machine=${machine:-host}
mapfile -t all_machines < <(machines)
[[ " ${all_machines[*]} " == *" $machine "* ]] || unknown machine "$machine" "${all_machines[@]}"
[ "$machine" != host ] || [ -z "$kernel$variant$append" ] ||
	usage "the machine host runs on this kernel: no --kernel, --variant or --append"

[ -z "$baseline" ] || "$top/report/report.sh" baseline --check "$baseline" || exit $?

arch=$(machine_arch_of "$machine")
[ -z "$guest" ] || [ "$machine" != host ] || usage "--guest on this computer is without --machine host"
[ -z "$guest" ] || [ "$arch" = x86 ] ||
	usage "--guest in a machine is for x86: guest/vmm.c knows no other; --guest --arch $arch runs it under QEMU here"
out=$(tests_folder "$arch")
cross=$(cross_prefix "$arch")
# shellcheck source=machine/x86-svm.sh
. "$top/machine/$machine.sh"
patience=${machine_patience:-1}
timeout=${timeout:-$((patience * $(sed -n 's/^timeout=//p' "$top/settings")))}
boot_timeout=${boot_timeout:-$((patience * 60))}

# --- the tests

build_tests()
{
	mkdir -p "$out" || die 3 "cannot write to $out: set OUTPUT=<folder>"
	exec 8>"$out/lock"
	flock 8
	if ! make -s -C "$top" "$([ -n "$guest" ] && echo host || echo all)" ARCH="$arch" OUTPUT="$out" >"$out/build.log" 2>&1; then
		grep -vE '^(make|  [A-Z])' "$out/build.log" | tail -n 12 >&2
		die 3 "the tests do not build, log in $out/build.log"
	fi
	flock -u 8
}

# Takes the names of guest/vmm.c as the tests.
guest_programs()
{
	local test kept

	# What the kernel is told to believe of its processor would be what KVM tells the guest.
	read -ra kept <<<"$machine_append"
	machine_append=${kept[*]/#setcpuid=*/}
	"$top/guest/run.sh" --arch "$arch" --list >/dev/null || exit $?
	make -s -C "$top" guest-vm ARCH="$arch" OUTPUT="$out" >"$out/guest.log" 2>&1 ||
		die 3 "guest/vmm.c does not build, log in $out/guest.log"
	cases=$out/guest/cases.json
	programs=$out/guest/vm
	for test in $(jq -r .test "$cases" | uniq); do
		ln -sfn guest_vmm "$programs/$test"
	done
}

for tool in make gcc flock jq cpio ${cross:+"${cross}gcc" "qemu-${cross%%-*}"}; do
	command -v "$tool" >/dev/null || die 3 "$tool is missing: run tests/deps.sh $([ -n "$cross" ] && echo check || echo demo)"
done
build_tests
cases=$out/cases.json
programs=$out/stripped
if [ -n "$guest" ]; then
	guest_programs
fi

if [ -n "$list" ]; then
	list_cases "$cases" "$json"
	exit 0
fi

# elsewhere TEST: says where it is, when it is another architecture's.
elsewhere()
{
	local file other

	for file in "$top"/{x86,arm64,riscv}/"$1.c"; do
		[ -f "$file" ] || continue
		other=$(basename "$(dirname "$file")")
		[ "$other" != "$arch" ] || continue
		usage "$1 is for $other, the machine $machine is not: --machine $(machines_of "$other" | paste -sd'|')"
	done
}

mapfile -t all_tests < <(jq -r .test "$cases" | uniq)
mapfile -t all_cases < <(jq -r '"\(.test).\(.case)"' "$cases")
mapfile -t all_folders < <(jq -r '"\(.folder)/"' "$cases" | uniq)
selected=()
for word in "${words[@]}"; do
	if [[ " ${all_folders[*]} " == *" $word "* ]]; then
		mapfile -t -O ${#selected[@]} selected < <(jq -r --arg folder "${word%/}" 'select(.folder == $folder).test' "$cases" | uniq)
	elif [[ " ${all_tests[*]} ${all_cases[*]} " == *" $word "* ]]; then
		selected+=("$word")
	else
		elsewhere "${word%%.*}"
		unknown test "$word" "${all_folders[@]}" "${all_tests[@]}" "${all_cases[@]}"
	fi
done
words=("${selected[@]}")
only=("${words[@]/#/--only=}")
[ ${#words[@]} -gt 0 ] || words=("${all_tests[@]}")

# --- the kernel

# Sets kernel, modules and release of a kernel that is not ours.
foreign_kernel()
{
	local given=$modules

	case $kernel in
	debian:*)
		[ "$machine_arch" = x86 ] || usage "$kernel: Debian's images are fetched for x86 only: give an Image"
		kernel=$("$top/kernel/image.sh" "${kernel#debian:}") ;;
	esac
	[ -f "$kernel" ] || usage "$kernel: no such kernel image"
	[ -r "$kernel" ] || die 3 "$kernel: cannot be read"
	kind=$("$top/machine/image_kind.sh" "$kernel")
	case $machine_arch-$kind in
	x86-bzimage | x86-pvh | arm64-arm64 | riscv-riscv) ;;
	*-bzimage | *-pvh | *-arm64 | *-riscv | arm64-elf | riscv-elf)
		usage "$kernel is not for machine $machine: want ${machine_kernel/vmlinux/a vmlinux or bzImage} of $machine_arch" ;;
	x86-elf) usage "$kernel: an ELF file without a PVH entry (CONFIG_PVH): give its bzImage" ;;
	*) usage "$kernel is no kernel image: want a vmlinux with CONFIG_PVH, a bzImage, or an Image" ;;
	esac
	# boot/vmlinuz-<release> or lib/modules/<release>/vmlinuz
	release=$(basename "$kernel")
	release=${release#vmlinu[xz]-}
	if [ -z "$modules" ] && [ "$release" = vmlinuz ]; then
		release=$(basename "$(dirname "$kernel")")
		modules=$(readlink -f "$(dirname "$kernel")/../../..")
	elif [ -z "$modules" ]; then
		modules=$(readlink -f "$(dirname "$kernel")/..")
	fi
	[ ! -d "$modules/lib/modules/$release" ] || return 0
	[ -n "$given" ] || { modules=''; return 0; }
	release=$(find "$modules/lib/modules" -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort -V | tail -n 1 || :)
	[ -n "$release" ] || usage "$modules has no lib/modules/<release>"
}

# guard COMMAND...: runs it as a process group that no signal to us leaves behind.
guard()
{
	local code=0

	setsid "$@" &
	guarded=$!
	wait "$guarded" || code=$?
	guarded=''
	return "$code"
}

# Called by a trap, with the number of the signal.
# shellcheck disable=SC2317
stop()
{
	[ -z "$guarded" ] || kill -TERM -- "-$guarded" 2>/dev/null || :
	exit $((128 + $1))
}

guarded=''
initramfs=''
with_kernel=''
with_module=''
trap '[ -z "$initramfs" ] || rm -f "$initramfs" "$with_kernel" "$with_module"' EXIT
trap 'stop 2' INT
trap 'stop 15' TERM HUP

machine_check
release=''
kind=pvh
foreign=$kernel
[ -z "$foreign" ] || foreign_kernel

given=$results
make_results ''
[ -n "$given" ] || ln -sfn "$(basename "$results")" "$top/results/latest"

declare -A folder=()	# of our kernel, by its configuration
if [ "$machine" != host ] && [ -z "$foreign" ]; then
	build=(--arch "$machine_arch")
	[ -z "${KDIR:-}" ] || build+=(--kdir "$KDIR")
	[ -z "$variant" ] || build+=(--variant "$variant")
	configs=('')
	[ -n "$guest" ] || mapfile -t configs < <(configs_wanted "$machine" "${words[@]}")
	for config in "${configs[@]}"; do
		guard "$top/kernel/build.sh" "${build[@]}" --config "$config" >"$results/kernel" || exit $?
		folder[${config:-usual}]=$(cat "$results/kernel")
		[ -n "${folder[${config:-usual}]}" ] || die 3 "cannot write to $results: is the disk full?"
	done
	dir=${folder[usual]:-${folder[module]}}
	kernel=$dir/$machine_kernel
	variant=$(awk '$1 == "variant" { print $2 }' "$dir/meta")
fi

# --- the run

[ "$machine" = host ] || initramfs=$results/initramfs.cpio
if [ -n "$initramfs" ]; then
	"$top/machine/initramfs.sh" "$initramfs" "$out/machine/init" "$programs" \
		${modules:+"$modules" "$release"}
fi
# A test that wants the kernel's image finds it at /vmlinux; no other boot has to unpack it.
with_kernel=$initramfs
if [ -n "$initramfs" ] && [ "$kind" = pvh ] && jq -se 'any(.[]; .wants == "kernel=inside" and
	([.test, "\(.test).\(.case)"] | any(.[]; IN($ARGS.positional[]))))' "$cases" --args "${words[@]}" >/dev/null; then
	with_kernel=$results/initramfs-kernel.cpio
	ln -sfn "$(readlink -f "$kernel")" "$results/vmlinux"
	(cd "$results" && cat initramfs.cpio && echo vmlinux | cpio -oL -H newc -R 0:0 --quiet) >"$with_kernel" ||
		die 3 "cannot write $with_kernel: is the disk full?"
	rm -f "$results/vmlinux"
fi
# A test that wants KVM as a module gets a kernel that has it so, and the module.
with_module=$initramfs
if [ -n "${folder[module]:-}" ]; then
	with_module=$results/initramfs-module.cpio
	"$top/machine/initramfs.sh" "$with_module" "$out/machine/init" "$programs" "${folder[module]}" \
		"$(awk '$1 == "release" { print $2 }' "${folder[module]}/meta")"
fi
emulators=()
for word in '' "${machine_kinds[@]}"; do
	image=$kernel ramfs=$initramfs
	case $word in
	kernel=inside) ramfs=$with_kernel ;;
	kvm=module) image=${folder[module]:+${folder[module]}/$machine_kernel} ramfs=$with_module ;;
	esac
	machine_argv "$kind" "${image:-$kernel}" "$ramfs" "${machine_append:-}${append:+ $append}" "$word"
	emulators+=(-- ${word:+"$word"} "${argv[@]}")
done

# boot runs beside this shell, so that a signal to either reaches it at once.  Bash
# starts it deaf to SIGINT, which it is until it has its own handler: SIGTERM follows.
boot=''
signalled=0
trap 'signalled=2; kill -s INT "$boot" 2>/dev/null && kill -s TERM "$boot" 2>/dev/null || :' INT
trap 'signalled=15; kill -s TERM "$boot" 2>/dev/null || :' TERM HUP
"$out/machine/boot" --results "$results" --cases "$cases" --timeout "$timeout" \
	--boot-timeout "$boot_timeout" ${strict:+--strict} \
	--meta "machine=$machine" --meta "kernel=${kernel:-$(uname -r)}" --meta "variant=$variant" \
	--meta "append=${machine_append:-}${append:+ $append}" --meta "date=$(date -u +%FT%TZ)" \
	"${words[@]}" "${emulators[@]}" &
boot=$!
[ "$signalled" -eq 0 ] || kill -s TERM "$boot" 2>/dev/null || :
code=0
wait "$boot" || code=$?
# A trapped signal ends a wait early.
while kill -0 "$boot" 2>/dev/null; do
	wait "$boot" || code=$?
done
[ "$signalled" -eq 0 ] || exit $((128 + signalled))
if [ -n "$baseline" ] && [ -s "$results/ktap" ]; then
	code=0
	"$top/report/report.sh" --baseline "$baseline" --partial "${only[@]}" "$results/ktap" >"$results/baseline" || code=$?
	sed 's/^/# /' "$results/baseline" || code=3
fi
exit "$code"
