#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Seconds from exec to verdict, beside what the same kernel takes without us: a
# busybox initramfs that powers off at once, and virtme-ng where it is installed.
# Then pages of guest_memfd a second, with and without a NUMA policy.
# All in one run and in turns, because the machines are noisy: read the ratios.
#
#   tests/bench.sh [ROUNDS]		default 5

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
rounds=${1:-5}
out=${OUTPUT:-$top/build/x86}

# shellcheck source=tests/measure.sh
. "$top/tests/measure.sh"

kernel=$("$top/kernel/build.sh")/vmlinux
"$top/run_tests.sh" --vm --results "$dir/warm" >/dev/null || die 3 "the reference kernel fails its tests; see run_tests.sh --vm"

mkdir -p "$dir/busybox/bin" "$dir/busybox/dev"
cp "$(command -v busybox)" "$dir/busybox/bin/"
printf '#!/bin/busybox sh\nexec /bin/busybox reboot -f\n' >"$dir/busybox/init"
chmod +x "$dir/busybox/init"
(cd "$dir/busybox" && find . -print0 | cpio -0 -o -H newc -R 0:0 --quiet) >"$dir/busybox.cpio"

# The profile's own command line, with a results channel that nobody reads.
# shellcheck source=machine/x86-svm.sh
. "$top/machine/x86-svm.sh"
machine_argv pvh "$kernel" "$dir/busybox.cpio" "$machine_append"
empty=("${argv[@]/socket,id=results,fd=3/null,id=results}")

for ((i = 0; i < rounds; i++)); do
	show_progress "round $((i + 1)) of $rounds"
	time_of qemu "${empty[0]}" -M none -display none -nodefaults -S -monitor null -chardev null,id=x -daemonize \
		-pidfile "$dir/pid"
	if [ -s "$dir/pid" ]; then
		kill "$(cat "$dir/pid")" || :
		rm -f "$dir/pid"
	fi
	time_of busybox "${empty[@]}"
	if command -v vng >/dev/null; then
		time_of vng vng --disable-kvm --run "$kernel" --cpus 2 --memory 1G -- true
	fi
	time_of nothing make -s -C "$top" all OUTPUT="$out"
	time_of whole "$top/run_tests.sh" --vm --results "$dir/run"
	record hello "$(jq .seconds_to_hello "$dir/run/meta.json")"
	record first "$(jq .seconds_to_first_line "$dir/run/meta.json")"
	record boot "$(jq .seconds "$dir/run/meta.json")"
	while read -r name seconds; do
		record "test-$name" "$seconds"
	done < <(jq -r '.tests[] | "\(.name) \(.seconds)"' "$dir/run/meta.json")
	while IFS=$'\t' read -r name pages; do
		record "pages-$name" "$pages"
	done < <(sed -n 's,^[# ]*\(.*\): \([0-9]*\) pages/s.*,\1\t\2,p' "$dir/run/gmem_throughput_test.log")
done
clear_progress

base=$(median busybox)
digits=2
printf '%-58s %8s %8s %8s %7s\n' "seconds, $rounds rounds" median min max ratio
show busybox "the same kernel, busybox initramfs, boot to power-off"
show vng "the same kernel, virtme-ng, true"
show qemu "QEMU start, no machine"
show nothing "make all, nothing changed"
show hello "QEMU's exec to init's hello"
show first "QEMU's exec to the first KTAP line of a test"
for file in "$dir"/times.test-*; do
	show "${file##*/times.}" "test ${file##*/times.test-}"
done
show boot "QEMU's exec to the last verdict"
show whole "run_tests.sh --vm, all of it"

base=$(median "pages-no policy")
digits=0
printf '\n%-58s %8s %8s %8s %7s\n' "pages of guest_memfd a second" median min max ratio
for name in "no policy" "one policy" "a policy for each page"; do
	show "pages-$name" "fallocate(), $name"
done
