#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes a git tree of Debian's kernel source, our series and 64 commits on top, of which
# one is a mutant, a few do not build and a few do not boot; the seed says which.
#
#   tests/history.sh FOLDER SEED [hidden]
#
# Tags: good, before the first of them; bad, the last one; culprit, the mutant, whose
# neighbours can be tested, but for "hidden", where those before it and it do not build.
# Tag nobuild: a commit that does not.  The mutant is gmem-mmap-without-flag, which
# gmem_mmap_test.without_flag catches.  The source is kept in the cache as a git tree.
#
# Some of the kernels are known already, as variants of kernel/build.sh: the reference and
# the mutant are put where farm/kernel.sh looks for those of the commits good and bad.

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
folder=$1 seed=$2 hidden=${3:-} commits=64

export GIT_AUTHOR_NAME=witness GIT_AUTHOR_EMAIL=witness@localhost GIT_AUTHOR_DATE='@1000000000 +0000'
export GIT_COMMITTER_NAME=witness GIT_COMMITTER_EMAIL=witness@localhost GIT_COMMITTER_DATE='@1000000000 +0000'

# --- the source

source=$("$top/kernel/source.sh")
base=$KVM_WITNESS_CACHE/git/$(basename "$(dirname "$source")").git
mkdir -p "$(dirname "$base")"
exec 9>"$base.lock"
flock 9
if [ ! -d "$base" ]; then
	note "putting the kernel's source into a git tree (a minute, once)"
	rm -rf "$base.tmp"
	git init -q --bare -b main "$base.tmp"
	git -C "$base.tmp" config core.compression 1
	git -C "$base.tmp" config core.bigFileThreshold 1	# straight into a pack
	GIT_DIR=$base.tmp GIT_WORK_TREE=$source git -C "$source" add -A -f .
	git -C "$base.tmp" update-ref refs/heads/main \
		"$(git -C "$base.tmp" commit-tree -m 'Linux, as Debian has it' "$(git -C "$base.tmp" write-tree)")"
	mv "$base.tmp" "$base"
fi
flock -u 9

# --- what is on top

scratch=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# patched PATCH: prints the files that it changes, and changes them in the scratch folder.
patched()
{
	local file

	sed -n 's,^+++ b/\([^[:space:]]*\).*,\1,p' "$1" | tee "$scratch/files"
	while read -r file; do
		mkdir -p "$scratch/tree/$(dirname "$file")"
		[ -e "$scratch/tree/$file" ] || cp "$source/$file" "$scratch/tree/$file"
	done <"$scratch/files"
	patch -s -d "$scratch/tree" -p1 --fuzz=0 <"$1" >&2
}

cp "$source/init/main.c" "$scratch/right.c"
sed '1i #error "does not build"' "$scratch/right.c" >"$scratch/nobuild.c"
sed 's/^static int __ref kernel_init(void \*unused)/static int panics_at_boot(void)\n{\n\tpanic("does not boot");\n}\nearly_initcall(panics_at_boot);\n\n&/' \
	"$scratch/right.c" >"$scratch/noboot.c"
grep -q panics_at_boot "$scratch/noboot.c"

# Lines of NUMBER WHAT, for git fast-import.
awk -v seed="$seed" -v n="$commits" -v hidden="$hidden" '
function free(from, to,   i) {
	if (from < 2 || to >= n)
		return 0
	for (i = from - 1; i <= to + 1; i++)
		if (i in what)
			return 0
	return 1
}
function stretch(name,   from, to) {
	if (hidden && name == "nobuild") {
		what[culprit - 2] = name
		what[culprit + 1] = "right"
		return
	}
	do {
		from = 2 + int(rand() * (n - 3)); to = from + int(rand() * 3)
	} while (!free(from, to))
	what[from] = name
	while (++from <= to)
		what[from] = "note"
	what[from] = "right"
}
BEGIN {
	srand(seed); rand()
	culprit = 4 + int(rand() * (n - 5))
	what[culprit - 1] = "note"; what[culprit] = "mutant"
	stretch("nobuild"); stretch("noboot")
	for (i = 1; i <= n; i++)
		print i, (i in what ? what[i] : "note")
}' >"$scratch/plan"

# change PATH FILE
change()
{
	printf 'M 100644 inline %s\ndata %d\n' "$1" "$(stat -c %s "$2")"
	cat "$2"
	echo
}

# commit NUMBER SUBJECT: what changes follows.
commit()
{
	printf 'commit refs/heads/main\nmark :%d\ncommitter witness <witness@localhost> %d +0000\ndata %d\n%s\n' \
		"$1" $((1000000000 + $1)) $((${#2} + 1)) "$2"
	[ "$1" -gt 1 ] || printf 'from refs/heads/main^0\n'
}

# tag NAME NUMBER
tag()
{
	printf 'reset refs/tags/%s\nfrom :%d\n\n' "$1" "$2"
}

# What is not for this kernel: documentation, another architecture, a test.
notes=(Documentation/virt/kvm/note- arch/arm64/kvm/note- tools/testing/selftests/kvm/note-)
history()
{
	local n=0 i what patch file

	for patch in "$top"/kernel/series/*/*.patch; do
		n=$((n + 1))
		patched "$patch" >"$scratch/changed"
		commit "$n" "$(sed -n 's/^Subject: \[PATCH[^]]*\] //p' "$patch")"
		while read -r file; do
			change "$file" "$scratch/tree/$file"
		done <"$scratch/changed"
		echo
	done
	tag good "$n"
	while read -r i what; do
		i=$((n + i))
		case $what in
		note)
			echo "note $i" >"$scratch/note"
			commit "$i" "note $i"
			change "${notes[i % 3]}$i.c" "$scratch/note" ;;
		mutant)
			commit "$i" "KVM: guest_memfd: One condition less"
			tag culprit "$i" >"$scratch/tag"
			patched "$top/kernel/mutants/gmem-mmap-without-flag.patch" >"$scratch/changed"
			change "$(cat "$scratch/changed")" "$scratch/tree/$(cat "$scratch/changed")" ;;
		*)
			commit "$i" "init: step $i"
			[ "$what" != nobuild ] || tag nobuild "$i" >"$scratch/tag"
			change init/main.c "$scratch/$what.c" ;;
		esac
		printf '\n'
		[ ! -e "$scratch/tag" ] || cat "$scratch/tag"
		rm -f "$scratch/tag"
	done <"$scratch/plan"
	tag bad $((n + commits))
}

git clone -q --shared --no-checkout --bare "$base" "$folder/.git"
git -C "$folder" config core.bare false
history | git -C "$folder" fast-import --quiet

# known ARCH VARIANT COMMIT
known()
{
	local from to

	to=$("$top/farm/kernel.sh" --arch "$1" --where "$folder" "$3")
	[ ! -e "$to/meta" ] || return 0
	from=$("$top/kernel/build.sh" --arch "$1" --variant "$2")
	rm -rf "$to.tmp"
	mkdir -p "$(dirname "$to")"
	cp -a "$from" "$to.tmp"
	mv -T "$to.tmp" "$to"
}
known x86 reference good
known x86 gmem-mmap-without-flag bad
known arm64 reference good
