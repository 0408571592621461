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

dir=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
trap 'rm -rf "$dir"' EXIT

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

now()
{
	date +%s.%N
}

# record NAME SECONDS
record()
{
	echo "$2" >>"$dir/times.$1"
}

time_of()
{
	local name=$1 begin

	shift
	begin=$(now)
	"$@" >/dev/null 2>&1 </dev/null || :
	record "$name" "$(echo "$(now) - $begin" | bc)"
}

for ((i = 0; i < rounds; i++)); do
	[ ! -t 2 ] || printf '\r\033[Kround %d of %d' $((i + 1)) "$rounds" >&2
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
[ ! -t 2 ] || printf '\r\033[K' >&2

median()
{
	sort -n "$dir/times.$1" | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}

base=$(median busybox)
digits=2
# show NAME TEXT
show()
{
	if [ ! -e "$dir/times.$1" ]; then
		printf '%-58s %8s\n' "$2" "not here"
		return
	fi
	sort -n "$dir/times.$1" | awk -v text="$2" -v base="$base" -v digits="$digits" '
		{ a[NR] = $1 }
		END {
			m = a[int((NR + 1) / 2)]
			printf "%-58s %8.*f %8.*f %8.*f %7.2f\n", text, digits, m, digits, a[1], digits, a[NR], m / base
		}'
}

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

# A thousand jobs of ten kernels, each as long as the run above; and one endless ktap.
for ((i = 0; i < 10; i++)); do
	mkdir -p "$dir/jobs/$i"
	jq --arg kernel "kernel-$i" '.kernel_name = $kernel' "$dir/run/meta.json" >"$dir/jobs/$i/meta.json"
	cp "$dir/run/ktap" "$dir/jobs/$i/"
	for ((j = 1; j < 100; j++)); do
		cp -r "$dir/jobs/$i" "$dir/jobs/$i.$j"
	done
done
mkdir "$dir/endless"
cp "$dir/run/meta.json" "$dir/endless/"
{
	printf 'KTAP version 1\n1..1\n'
	yes "# what a test says of itself in lines that are as long as such lines are" | head -c 200000000
	printf '\nok 1 a_test\n'
} >"$dir/endless/ktap"
"$top/run_tests.sh" report --help >/dev/null
for ((i = 0; i < rounds; i++)); do
	rm -f "$dir/store"
	time_of page "$top/run_tests.sh" report html --store "$dir/store" -o "$dir/page" "$dir/jobs"
	time_of again "$top/run_tests.sh" report html --store "$dir/store" -o "$dir/page" "$dir/jobs"
	begin=$(now)
	"$top/run_tests.sh" report "$dir/endless" >/dev/null
	record megabytes "$(echo "200 / ($(now) - $begin)" | bc -l)"
done
base=$(median page)
digits=2
printf '\n%-58s %8s %8s %8s %7s\n' "seconds, reports" median min max ratio
show page "1000 jobs, $(grep -c '^ *\(not \)*ok' "$dir/run/ktap") results each: collected, page written"
show again "the same, collected before"
base=$(median megabytes)
digits=0
printf '\n%-58s %8s %8s %8s %7s\n' "MB/s" median min max ratio
show megabytes "a ktap of 200 MB, from exec to the summary"
