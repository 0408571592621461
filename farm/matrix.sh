#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Reads a matrix file, prints the plan of the night as JSON.  docs/farm.md tells what is
# in a matrix.
#
#   farm/matrix.sh FILE
#
#	{kernels: [{name, kind, what, tree}],
#	 jobs: [{job, kernel, machine, feature, words}], repeat}
#
# words are arguments of run_tests.sh, but for the kernel.  There is a job for each kernel
# and machine that fit; a kernel or a machine without a job is a mistake.
# Exit codes: 0, 2 there is a mistake in the matrix, 3 our own fault.

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
# shellcheck source=machine/names.sh
. "$top/machine/names.sh"

[ $# -eq 1 ] || die 2 "farm/matrix.sh FILE"
file=$1 line=0
[ -f "$file" ] || die 2 "$file: no such matrix"
[ -r "$file" ] || die 2 "$file: cannot be read"

usage()
{
	die 2 "$file:$line: $1"
}

# --- what it may name

mapfile -t variants < <("$top/kernel/build.sh" --list)
mapfile -t all_machines < <(machines)

# in_list WORD LIST...
in_list()
{
	local word=$1 known

	shift
	for known; do
		[ "$known" != "$word" ] || return 0
	done
	return 1
}

# From the matrix's folder, or from the home folder.
path()
{
	case $1 in
	/*) echo "$1" ;;
	\~/*) echo "$HOME/${1#\~/}" ;;
	*) echo "$(dirname "$(readlink -f "$file")")/$1" ;;
	esac
}

# --- the lines

kernels=() kernel_machines=() words=() word_lines=() repeat=1 timeout=''
declare -A what=() kind=() tree=() append=() feature=() only=()

# kernel NAME VARIANT | debian:SERIES | git:TREE COMMIT | running | PATH
read_kernel()
{
	local name=${1:-} spec=${2:-} last

	[[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._+-]*$ ]] || usage "a kernel's name is of letters, digits and . _ + -: '$name'"
	! in_list "$name" "${kernels[@]}" || usage "there is a kernel $name already"
	[ -n "$spec" ] || usage "what is the kernel $name? a variant, debian:SERIES, git:TREE COMMIT, running, or a path"
	last=2
	case $spec in
	debian:*)
		[[ $spec =~ ^debian:[0-9]+\.[0-9]+$ ]] || usage "'$spec': want something like debian:6.1"
		kind[$name]=debian what[$name]=$spec ;;
	git:*)
		last=3
		kind[$name]=git tree[$name]=$(readlink -f "$(path "${spec#git:}")") || usage "${spec#git:}: no such folder"
		git -C "${tree[$name]}" rev-parse --git-dir >/dev/null 2>&1 || usage "${tree[$name]} is not a git tree"
		what[$name]=$(git -C "${tree[$name]}" rev-parse -q --verify "${3:-}^{commit}") ||
			usage "${tree[$name]} has no commit '${3:-}'" ;;
	running) kind[$name]=running what[$name]= ;;
	*/*)
		kind[$name]=image what[$name]=$(path "$spec")
		[ -r "${what[$name]}" ] || usage "${what[$name]}: no such kernel image" ;;
	*)
		in_list "$spec" "${variants[@]}" || unknown kernel "$spec" "${variants[@]}"
		kind[$name]=variant what[$name]=$spec ;;
	esac
	[ $# -le "$last" ] || usage "'${*:last+1}' is too much"
	kernels+=("$name")
}

known_kernel()
{
	in_list "$1" "${kernels[@]}" || unknown kernel "$1" "${kernels[@]}"
}

read_line()
{
	local word key=$1

	shift
	case $key in
	kernel) read_kernel "$@" ;;
	machine)
		in_list "${1:-}" "${all_machines[@]}" || unknown machine "${1:-}" "${all_machines[@]}"
		! in_list "$1" "${kernel_machines[@]}" || usage "there is a machine $1 already"
		[ $# -le 2 ] || usage "machine NAME [FEATURE]"
		kernel_machines+=("$1")
		feature[$1]=${2:-} ;;
	only)
		known_kernel "${1:-}"
		for word in "${@:2}"; do
			in_list "$word" "${kernel_machines[@]}" || unknown machine "$word" "${kernel_machines[@]}"
		done
		only[$1]=" ${*:2} " ;;
	append)
		known_kernel "${1:-}"
		append[$1]=${*:2} ;;
	test)
		for word in "$@"; do
			words+=("$word")
			word_lines+=("$line")
		done ;;
	repeat)
		[[ $* =~ ^[1-9][0-9]{0,3}$ ]] || usage "repeat is a number of runs"
		repeat=$1 ;;
	timeout)
		[[ $* =~ ^[1-9][0-9]{0,5}$ ]] || usage "timeout is a number of seconds"
		timeout=$1 ;;
	*) unknown word "$key" kernel machine only append test repeat timeout ;;
	esac
}

while read -r text || [ -n "$text" ]; do
	line=$((line + 1))
	read -ra line_words <<<"${text%%#*}"
	[ ${#line_words[@]} -eq 0 ] || read_line "${line_words[@]}"
done <"$file"
line=end
[ ${#kernels[@]} -gt 0 ] || usage "it names no kernel"
[ ${#kernel_machines[@]} -gt 0 ] || usage "it names no machine"

# --- the tests: an architecture has its own; this also builds them

mapfile -t archs < <(for name in "${kernel_machines[@]}"; do machine_arch_of "$name"; done | sort -u)
cases=$("$top/proof/cases.sh" "${archs[@]}") || exit $?
declare -A has=()	# "<arch> <word>"
while read -r arch word; do
	has["$arch $word"]=y
done < <(jq -r '[.[] | .arch[] as $arch | .test, "\(.test).\(.case)", "\(.folder)/" | "\($arch) \(.)"] | unique[]' <<<"$cases")
mapfile -t tests < <(printf '%s\n' "${!has[@]}" | cut -d' ' -f2 | sort -u)
for i in "${!words[@]}"; do
	line=${word_lines[i]}
	in_list "${words[i]}" "${tests[@]}" || unknown test "${words[i]}" "${tests[@]}"
done

# words_for MACHINE: sets machine_words.
words_for()
{
	local word arch

	arch=$(machine_arch_of "$1")
	machine_words=()
	for word in "${words[@]}"; do
		[ -z "${has["$arch $word"]:-}" ] || machine_words+=("$word")
	done
}

# --- the plan

# Does kernel $1 run on machine $2?
fits()
{
	local arch is=${kind[$1]}

	[[ ${only[$1]:-" $2 "} == *" $2 "* ]] || return 1
	[[ $is,$2 = running,host || ! $is,$2 =~ ^running|host$ ]] || return 1
	arch=$(machine_arch_of "$2")
	[ "$is" != image ] || is=$("$top/machine/image_kind.sh" "${what[$1]}")
	case $is in
	debian | pvh | bzimage) [ "$arch" = x86 ] ;;
	arm64 | riscv) [ "$arch" = "$is" ] ;;
	esac
}

# A line for each kernel and for each job, with tabs in it: one jq for all of them.
lines()
{
	local name machine run machine_words

	for name in "${kernels[@]}"; do
		printf 'kernel\t%s\t%s\t%s\t%s\n' "$name" "${kind[$name]}" "${what[$name]}" "${tree[$name]:-}"
	done
	for machine in "${kernel_machines[@]}"; do
		words_for "$machine"
		[ ${#machine_words[@]} -gt 0 ] || [ ${#words[@]} -eq 0 ] || continue
		for name in "${kernels[@]}"; do
			fits "$name" "$machine" || continue
			run=(--machine "$machine" ${append[$name]:+--append "${append[$name]}"} ${timeout:+--timeout "$timeout"})
			(IFS=$'\t'; printf 'job\t%s\t%s\t%s\t%s\n' "$name" "$machine" "${feature[$machine]}" "${run[*]}${machine_words[*]:+$'\t'${machine_words[*]}}")
		done
	done
}

plan=$(lines | jq -Rn --argjson repeat "$repeat" '[inputs / "\t"] | {
	kernels: map(select(.[0] == "kernel") | {name: .[1], kind: .[2], what: .[3], tree: .[4]}),
	jobs: map(select(.[0] == "job") | {job: "\(.[1])@\(.[2])", kernel: .[1], machine: .[2], feature: .[3], words: .[4:]}),
	$repeat
}')
declare -A in_job=()
while read -r name machine; do
	in_job[$name]=y in_job[@$machine]=y
done < <(jq -r '.jobs[] | "\(.kernel) \(.machine)"' <<<"$plan")
line=end
for name in "${kernels[@]}"; do
	[ -n "${in_job[$name]:-}" ] || usage "kernel $name runs on no machine of it"
done
for name in "${kernel_machines[@]}"; do
	[ -n "${in_job[@$name]:-}" ] || usage "machine $name runs no kernel or no test of it"
done
echo "$plan"
