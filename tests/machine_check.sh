#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's own KVM selftests as an oracle for our machines: runs them all on the
# reference kernel, and compares what became of each with machine/expected/MACHINE.  A
# bug that a new emulator has, or has no more, is a difference.
#
#   tests/machine_check.sh [--update] [--variant NAME] [--meta FILE] [--expected DIR] [MACHINE...]
#
#   --update	write the list of MACHINE instead
#   --variant	the kernel, reference by default; base: does our series change what becomes of them?
#   --meta	do not boot: FILE is the meta.json of a run on MACHINE
#   --expected	where the lists are (machine/expected)
#
# Without a MACHINE: each one that has a list.  KDIR=<tree>: the selftests and the kernel
# of that tree.  A list has a line for each selftest: its name, the verdict, and why.
#
# Exit codes: 0 all as expected, 1 differences, one line each on stdout, 2 usage, 3 our
# own fault.

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
# shellcheck source=machine/names.sh
. "$top/machine/names.sh"
out=${OUTPUT:-$top/build/x86}
expected=$top/machine/expected
timeout=240	# seconds for one selftest, times the patience that a machine needs

usage()
{
	die 2 "$1: tests/machine_check.sh [--update] [--variant NAME] [--meta FILE] [--expected DIR] [MACHINE...]"
}

# What is not run at all, or NAME@MACHINE not there, and why.
left_out()
{
	cat <<'LIST'
access_tracking_perf_test	1 GB of guest memory, which is all that the machine has
apic_bus_clock_test@x86-svm	compares two clocks, which only an idle host keeps together
apic_bus_clock_test@x86-apx	the same
demand_paging_test	1 GB of guest memory
dirty_log_perf_test	1 GB of guest memory
dirty_log_test		1 GB of guest memory
hardware_disable_test	512 VMs of 68 threads: minutes
irqfd_test		10000 rounds of what no machine has a part in
kvm_page_table_test	1 GB of guest memory
memslot_modification_stress_test	1 GB of guest memory
memslot_perf_test	measures for minutes
mmu_stress_test		2 GB of guest memory
rseq_test		100000 migrations between CPUs: minutes
set_memory_region_test	32764 memory slots: a minute of what no machine has a part in
sev_dbg_test		SEV: there is no emulator of it
sev_init2_tests		SEV
sev_migrate_tests	SEV
sev_smoke_test		SEV
LIST
}

is_left_out()
{
	left_out | awk -v name="$1" -v here="$1@$2" '$1 == name || $1 == here { found = 1 } END { exit !found }'
}

# --- lists

# verdicts META: the list of a run.  Numbers that are another one each time (addresses,
# process IDs, values of a clock) must not make it another list.
verdicts()
{
	jq -r '.tests[] | .cases[0] as $case |
		(if .verdict == $case.verdict then $case else . end) as $of |
		"\(.name) \(.verdict) \(if .verdict == "pass" then "" else $of.reason // "" end)"' "$1" |
		sed -E 's/0x[0-9a-fA-F]{5,}/0x?/g; s/\b[0-9]{4,}\b/N/g; s/\bpid[ =:]+[0-9]+/pid N/g; s,/[0-9]+/,/N/,g; s/\s+/ /g; s/ $//' |
		LC_ALL=C sort
}

# differences MACHINE LIST NEW-LIST: a line for each; false when there are some.
differences()
{
	awk -v machine="$1" '
	function good(verdict) { return verdict == "pass" || verdict == "skip" }
	function put(what, name, text) { print machine ": " what ": " name ": " text; found = 1 }
	/^#/ || NF == 0 { next }
	{
		line = $0
		sub(/^[^ ]+ /, "", line)
	}
	FNR == NR { was[$1] = line; was_good[$1] = good($2); next }
	{ seen[$1] = 1 }
	!($1 in was) { put("new", $1, line); next }
	was[$1] == line { next }
	{
		change = was[$1] " -> " line
		if (was_good[$1] && !good($2))
			put("new failure", $1, change)
		else if (!was_good[$1] && $2 == "pass")
			put("fixed", $1, change)
		else
			put("changed", $1, change)
	}
	END {
		for (name in was)
			if (!(name in seen))
				put("lost", name, was[name])
		exit found
	}' "$2" "$3"
}

count()
{
	awk '!/^#/ && NF { n[$2]++ } END { for (v in n) printf "%s%d %s", sep++ ? ", " : "", n[v], v }' "$1"
}

# --- a run

# boot_machine MACHINE: in a shell of its own, because the next machine has another profile.
boot_machine()
{
	local machine=$1 tests=$dir/$1 build kernel kind path name names=()

	# shellcheck source=machine/x86-svm.sh
	. "$top/machine/$machine.sh"
	machine_check
	build=(--arch "$machine_arch" ${variant:+--variant "$variant"})
	[ -z "${KDIR:-}" ] || build+=(--kdir "$KDIR")
	kernel=$("$top/kernel/build.sh" "${build[@]}") || exit 3
	kernel=$kernel/$machine_kernel
	kind=$("$top/machine/image_kind.sh" "$kernel")

	mkdir -p "$tests/kernel"
	cp "$out/machine/selftest" "$tests/kernel/.run"
	while read -r path; do
		name=$(basename "$path")
		# What does not build is lost, as it should be.
		if [ -x "$out/libkvm/$path" ] && ! is_left_out "$name" "$machine"; then
			cp "$out/libkvm/$path" "$tests/kernel/$name" || exit 3
			ln -s kernel/.run "$tests/$name"
			names+=("$name")
		fi
	done < <(grep -v '^$' "$out/libkvm/selftests")
	[ ${#names[@]} -gt 0 ] || die 3 "no selftest builds, log in $out/selftests.log"
	printf '{"test": "%s", "case": "selftest"}\n' "${names[@]}" >"$tests.json"
	"$top/machine/initramfs.sh" "$tests.cpio" "$out/machine/init" "$tests" || exit 3
	rm -rf "$tests"

	machine_argv "$kind" "$kernel" "$tests.cpio" "$machine_append"
	exec "$out/machine/boot" --results "$results" --cases "$tests.json" \
		--timeout $((timeout * ${machine_patience:-1})) --meta "machine=$machine" --meta "kernel=$kernel" \
		"${names[@]}" -- "${argv[@]}" >"$results/stdout"
}

# Sets meta.
run_machine()
{
	local code=0 results=$top/results/machine-check-$1

	meta=$results/meta.json
	mkdir -p "$results" 2>/dev/null || die 3 "$results: cannot be made"
	rm -f "$meta"
	(boot_machine "$1") || code=$?
	rm -f "$dir/$1.cpio"
	case $code in
	0 | 1 | 4) ;;
	# An emulator that dies in a selftest is a verdict; one that starts none is our fault.
	3) jq -e '.seconds_to_hello > 0 and any(.tests[]; .verdict == "error")' "$meta" >/dev/null 2>&1 || exit 3 ;;
	*) exit "$code" ;;
	esac
}

check_machine()
{
	local machine=$1 list=$expected/$1

	if [ -z "$given" ]; then
		run_machine "$machine"
	else
		meta=$given
	fi
	verdicts "$meta" >"$dir/verdicts" || die 3 "$meta: no meta.json of a run"
	if [ -n "$update" ]; then
		{
			echo "# SPDX-License-Identifier: GPL-2.0-only"
			echo "# What becomes of the kernel's KVM selftests in $machine: see tests/machine_check.sh."
			echo "# Linux $(jq -r .release "$meta")"
			cat "$dir/verdicts"
		} >"$list"
		note "$list: $(count "$list")"
		return 0
	fi
	if differences "$machine" "$list" "$dir/verdicts" >"$dir/differences"; then
		note "$machine: as expected: $(count "$dir/verdicts"), $(jq '.seconds | round' "$meta") s"
		return 0
	fi
	sort "$dir/differences"
	note "$machine: $(count "$dir/verdicts"), $(jq '.seconds | round' "$meta") s; logs beside $meta"
	return 1
}

# --- the command line

update='' given='' variant='' machines=()
while [ $# -gt 0 ]; do
	case $1 in
	--update) update=y ;;
	--meta | --variant | --expected)
		[ -n "${2:-}" ] || usage "$1 wants a value"
		case $1 in
		--meta) given=$2 ;;
		--variant) variant=$2 ;;
		--expected) expected=$2 ;;
		esac
		shift ;;
	-*) usage "unknown option $1" ;;
	*) machines+=("$1") ;;
	esac
	shift
done
[ -z "$given" ] || [ -r "$given" ] || usage "$given cannot be read"
mapfile -t all_machines < <(emulated_machines)
for machine in "${machines[@]}"; do
	[[ " ${all_machines[*]} " == *" $machine "* ]] || unknown machine "$machine" "${all_machines[@]}"
	[ -n "$update" ] || [ -r "$expected/$machine" ] ||
		usage "$machine has no list in $expected: make one with --update"
done
[ -z "$update$given" ] || [ ${#machines[@]} -eq 1 ] || usage "--update and --meta want one MACHINE"
if [ ${#machines[@]} -eq 0 ]; then
	for machine in "${all_machines[@]}"; do
		[ ! -e "$expected/$machine" ] || machines+=("$machine")
	done
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
trap 'rm -rf "$dir"' EXIT
if [ -z "$given" ]; then
	mkdir -p "$out" || die 3 "cannot write to $out: set OUTPUT=<folder>"
	exec 8>"$out/lock"
	flock 8
	make -s -C "$top" selftests OUTPUT="$out" >"$out/build.log" 2>&1 ||
		die 3 "the selftests do not build, log in $out/build.log"
	flock -u 8
	exec 8>&-
fi
code=0
for machine in "${machines[@]}"; do
	check_machine "$machine" || code=1
done
exit "$code"
