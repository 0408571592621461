#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which mitigation of VMSCAPE does the kernel choose?  Boots it with each combination of
# what the processor is, vmscape= and mitigations=, compares what sysfs tells with the
# rules below, and has vmscape_agrees_test look whether that is what the kernel does.
#
#   tests/vmscape_matrix.sh [--variant NAME] [--jobs N] [WORD...]
#
# With WORDs: only combinations in which each of them stands ("vmscape=on", "bhi_ctrl").
# One line for each boot; exit codes: 0 all as the rules say, 1 not all, 2 usage, 3 our own fault.

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"

bits=('' vmscape ibpb 'ibpb vmscape' 'bhi_ctrl vmscape' 'ibpb bhi_ctrl' 'ibpb bhi_ctrl vmscape')
choices=('' off ibpb force auto on)
vectors=('' off 'auto,no_guest_host' 'auto,no_user_kernel')

# has WORD LIST
has()
{
	[[ " $2 " == *" $1 "* ]]
}

# rule BITS CHOICE VECTORS: what sysfs must tell.
rule()
{
	local affected=n

	if has vmscape "$1" || [ "$2" = force ]; then
		affected=y
	fi
	[ $affected = y ] || { echo "Not affected"; return; }
	case $2 in
	off) echo Vulnerable; return ;;
	'' | auto)
		case $3 in
		off | auto,no_guest_host) echo Vulnerable; return ;;
		esac ;;
	esac
	if [ "$2" != ibpb ] && has bhi_ctrl "$1"; then
		echo "Mitigation: Clear BHB before exit to userspace"
	elif has ibpb "$1"; then
		echo "Mitigation: IBPB before exit to userspace"
	else
		echo Vulnerable
	fi
}

# parameters BITS CHOICE VECTORS: for the kernel's command line.
parameters()
{
	local set=${1// /,} words=()

	# The feature bit has no name in setcpuid=.
	set=${set/bhi_ctrl/674}
	[ -z "$set" ] || words+=("setcpuid=$set")
	[ -z "$2" ] || words+=("vmscape=$2")
	[ -z "$3" ] || words+=("mitigations=$3")
	echo "${words[*]}"
}

# row NUMBER BITS CHOICE VECTORS: boots, and tells.
row()
{
	local want found append verdict=ok dir=$work/$1

	want=$(rule "$2" "$3" "$4")
	append=$(parameters "$2" "$3" "$4")
	"$top/run_tests.sh" --vm --variant "$variant" --results "$dir" ${append:+--append "$append"} \
		vmscape_agrees_test >"$work/$1.ktap" 2>"$work/$1.err" || verdict='not ok'
	found=$(sed -n 's/^[# ]*mode: //p' "$dir/vmscape_agrees_test.log" 2>/dev/null) || :
	[ "$found" = "$want" ] || verdict='not ok'
	echo "$verdict - ${append:-no parameters}: ${found:-no answer}$([ "$found" = "$want" ] || echo ", want $want")"
	[ "$verdict" = ok ] || grep -h 'not ok\|kvm-witness:' "$work/$1.ktap" "$work/$1.err" | sed 's/^/# /'
}

variant=reference jobs=$(nproc) words=()
while [ $# -gt 0 ]; do
	case $1 in
	--variant | --jobs)
		[ -n "${2:-}" ] || die 2 "$1 wants a value"
		[ "$1" = --jobs ] || variant=$2
		[ "$1" = --variant ] || jobs=$2
		shift ;;
	-*) die 2 "unknown option $1: tests/vmscape_matrix.sh [--variant NAME] [--jobs N] [WORD...]" ;;
	*) words+=("$1") ;;
	esac
	shift
done
[[ $jobs =~ ^[1-9][0-9]?$ ]] || die 2 "--jobs is a number of machines"

work=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# wanted BITS CHOICE VECTORS
wanted()
{
	local word is="$1 ${2:+vmscape=$2} ${3:+mitigations=$3}"

	for word in "${words[@]}"; do
		has "$word" "$is" || return 1
	done
}

# The kernel and the tests are built once, before the boots in parallel want them.
"$top/kernel/build.sh" --variant "$variant" >/dev/null
make -s -C "$top" all
n=0
for b in "${bits[@]}"; do
	for c in "${choices[@]}"; do
		for v in "${vectors[@]}"; do
			wanted "$b" "$c" "$v" || continue
			n=$((n + 1))
			while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
				wait -n || :
			done
			row $n "$b" "$c" "$v" >"$work/$n.line" &
		done
	done
done
[ $n -gt 0 ] || die 2 "no combination has ${words[*]}"
wait
failed=0
for ((i = 1; i <= n; i++)); do
	cat "$work/$i.line"
	[[ $(cat "$work/$i.line") == ok* ]] || failed=$((failed + 1))
done
echo "$n combinations, $failed not as the rules say"
[ "$failed" -eq 0 ]
