#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the kernel of a commit of a git tree, and leaves that tree's checkout alone.
#
#   farm/kernel.sh [--arch ARCH] [--fixup PATCH]... [--where] TREE COMMIT
#
# A fixup is applied unless it is there already; a commit to which it does not apply does
# not build.  Prints the folder that holds vmlinux (and Image, but on x86), System.map,
# config and meta; with --where that in which it would be, and builds nothing.
#
# Kernels are cached by the content of what a build for ARCH can read, so that of the
# commits of a range only those are built that can make a difference.  That a build has
# read nothing else is looked up in kbuild's lists of what each object was made of.
# A compiler's error is kept like a kernel.
#
# There is one source tree in the cache, which git brings from commit to commit; what
# does not differ is not compiled again.
#
# Exit codes: 0 built, 1 the commit does not build, 2 usage, 3 our own fault.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
# shellcheck source=kernel/arch.sh
. "$top/kernel/arch.sh"

# What fails unforeseen says nothing of the commit.
set -E
trap 'die 3 "farm/kernel.sh: line $LINENO has failed"' ERR

arch=$(host_arch)
fixups=() where=''
while [ $# -gt 2 ]; do
	case $1 in
	--arch) arch=$2; shift 2 ;;
	--fixup) fixups+=("$2"); shift 2 ;;
	--where) where=y; shift ;;
	*) break ;;
	esac
done
[ $# -eq 2 ] || die 2 "farm/kernel.sh [--arch ARCH] [--fixup PATCH]... [--where] TREE COMMIT"
cross=$(cross_prefix "$arch")
kernel_configs "$arch"
[ -f "${configs[-1]}" ] || die 2 "no kernel configuration for architecture $arch"
for tool in git "${cross}gcc" flock; do
	command -v "$tool" >/dev/null || die 3 "$tool is missing: run tests/deps.sh demo"
done
# What git and gcc say is read below.
export LC_ALL=C
for fixup in "${fixups[@]}"; do
	[ -f "$fixup" ] || die 2 "$fixup: no such patch"
done
# Of a repository that we were called from.
# shellcheck disable=SC2046
unset $(git rev-parse --local-env-vars)
repository=$(git -C "$1" rev-parse --absolute-git-dir 2>/dev/null) || die 2 "$1: not a git tree"
content=$(git -C "$1" rev-parse -q --verify "$2^{tree}") || die 2 "$1 has no commit $2"
work=$KVM_WITNESS_CACHE/git
mkdir -p "$work" "$KVM_WITNESS_CACHE/kernel" || die 3 "cannot write to $work: set KVM_WITNESS_CACHE=<folder>"

# --- the source with its fixups, as an object of git: the repository gets none of it

if [ ${#fixups[@]} -gt 0 ]; then
	scratch=$(mktemp -d "$work/fixup.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
	GIT_ALTERNATE_OBJECT_DIRECTORIES=$(git -C "$1" rev-parse --path-format=absolute --git-path objects)
	export GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_OBJECT_DIRECTORY=$work/objects
	mkdir -p "$GIT_OBJECT_DIRECTORY"
	export GIT_DIR=$repository GIT_INDEX_FILE=$scratch/index
	git read-tree "$content"
	for fixup in "${fixups[@]}"; do
		if git apply --cached "$fixup" 2>"$scratch/why"; then
			content=$(git write-tree) || die 3 "cannot write to $work: is the disk full?"
		elif ! git apply --cached --check --reverse "$fixup" 2>/dev/null; then
			die 1 "does not build: $(basename "$fixup") does not apply: $(head -n 1 "$scratch/why")"
		fi
	done
	unset GIT_DIR GIT_INDEX_FILE
fi

# --- what the kernel is made of

# What a build for another architecture or a reader would want, as an extended regular
# expression of paths; Kconfig files are read everywhere.
unread="(Documentation/|tools/testing/|tools/perf/|LICENSES/|(MAINTAINERS|CREDITS|COPYING|README|[.]mailmap)$)"

ingredients()
{
	{
		git -C "$1" ls-tree "$content" | grep -vE $'\t(arch|tools|Documentation)$'
		git -C "$1" ls-tree "$content" arch/ | grep -E "^100|"$'\t'"arch/$arch$"
		git -C "$1" ls-tree "$content" tools/
		git -C "$1" ls-tree -r "$content" Documentation | awk '/Kconfig/'
	} | awk -F'\t' -v unread="^$unread" '{ path = $2 ($1 ~ / tree / ? "/" : "") } path !~ unread || path ~ /Kconfig/'
}

key=$({
	sed -n 's/^\(recipe=[0-9]*\).*/\1/p' "$top/kernel/build.sh"
	echo "$arch"
	"${cross}gcc" -dumpfullversion
	cat "${configs[@]}"
	ingredients "$repository"
} | sha256sum | cut -c1-20)
out=$KVM_WITNESS_CACHE/kernel/$arch-git-$key
if [ -n "$where" ]; then
	echo "$out"
	exit 0
fi

# Ends with what is known of this kernel; returns when nothing is.
cached()
{
	if [ -f "$out/meta" ]; then
		echo "$out"
		exit 0
	fi
	[ ! -f "$out.error" ] || die 1 "does not build: $(cat "$out.error")"
}

cached
tree=$work/linux
mkdir -p "$tree"
exec 7>"$work/lock"
flock -n 7 || { note "waiting for another build in $work"; flock 7; }
cached

# --- the source

# Our index and our tree: all that git takes from the repository is its objects.
export GIT_DIR=$repository GIT_WORK_TREE=$tree GIT_INDEX_FILE=$work/index
rm -f "$GIT_INDEX_FILE.lock"
plain=(-c core.bare=false -c core.sparseCheckout=false -c core.fsmonitor=false -c core.autocrlf=false -c core.hooksPath=/dev/null)
show_progress "kvm-witness: getting the source of $2"
git -C "$tree" "${plain[@]}" read-tree --reset -u "$content" ||
	die 3 "cannot get the source of $2 to $tree: is the disk full?"
git -C "$tree" "${plain[@]}" clean -qffdx
clear_progress
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES

# --- the build

log=$work/build.log
code=0
"$top/kernel/build.sh" --arch "$arch" --kdir "$tree" --variant base --uncompressed >"$work/built" 2>"$log" || code=$?
if [ "$code" -eq 1 ]; then
	# Only what the source is to blame for will be the same next time.
	if grep -qE 'No space|Killed|annot allocate|terminated|Input/output' "$log"; then
		die 3 "cannot build: $(tail -n 1 "$log")"
	fi
	error=$(grep -m1 -oE '[^ ]+:[0-9]+: error: .*|[^ ]+:[0-9]+:[0-9]+: error: .*|undefined reference.*' "$log" || :)
	error=${error#"$tree"/}
	[ -z "$error" ] || echo "$error" >"$out.error"
	die 1 "does not build: ${error:-$(tail -n 1 "$log")}"
fi
if [ "$code" -ne 0 ]; then
	tail -n 3 "$log" >&2
	exit 3
fi
built=$(cat "$work/built")
[ -f "$built/vmlinux" ] || die 3 "cannot write to $work: is the disk full?"

# The objects' lists, with each path from the top of the tree.
objects=$(dirname "$built")/obj-$arch
others=$(cd "$tree/arch" && printf '%s\n' */ | grep -vx "$arch/" | paste -sd'|')
strange=$(find "$objects" -name '*.cmd' -print0 | xargs -0 cat | tr ' ' '\n' |
	awk -v strange="^$tree/($unread|arch/($others))" '
		$0 ~ strange && !/Kconfig/ && !seen[$0]++ && n++ < 3 { printf "%s ", $0 }')
[ -z "$strange" ] || die 3 "the kernel's build reads what is not in its key: $strange"
rm -rf "$out"
mv "$built" "$out" || die 3 "cannot write to $out: is the disk full?"
echo "$out"
