#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds a kernel under test: base tree + series + at most one mutant.
#
#   kernel/build.sh [--arch ARCH] [--config NAME] [--kdir TREE [--uncompressed] | --source SERIES] [--variant NAME]
#   kernel/build.sh --list
#
# NAME is "reference" (all of kernel/series/), "base" (the tree as it is) or a
# mutant of kernel/mutants/ (all of kernel/series/ and this one).  The default is
# reference on Debian's source, base on a --kdir tree, which is the user's own.
#
# --config adds the lines of kernel/config/ARCH-NAME: "module" makes a kernel that has
# kvm-amd as a module, in lib/modules.
#
# Prints the folder that holds vmlinux (stripped), System.map, config, meta, and bzImage
# or Image; on x86 no bzImage of mutants, with --uncompressed and with --config.  Kernels
# of Debian's source are cached by the hash of all that goes in, of a patch its diff; a
# --kdir tree is built incrementally each time.
#
# Exit codes: 0 built, 1 the kernel does not build or a patch does not apply,
# 2 usage, 3 something is missing here.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=kernel/debian.sh
. "$here/debian.sh"
# shellcheck source=kernel/arch.sh
. "$here/arch.sh"
# shellcheck source=kernel/patch.sh
. "$here/patch.sh"
# shellcheck source=kernel/progress.sh
. "$here/progress.sh"

recipe=1	# bump when a change below makes different kernels of the same input

list_variants()
{
	local m

	printf 'reference\nbase\n'
	for m in "$here"/mutants/*.patch; do
		[ ! -e "$m" ] || basename "$m" .patch
	done
}

# Files that a patch names, both sides of a rename.
patched_files()
{
	sed -n 's,^\(---\|+++\) [ab]/\([^[:space:]]*\).*,\2,p' "$@" </dev/null | sort -u
}

# The patches of our series, but for those to other architectures alone, with what they
# say of them in Documentation/.
series_for()
{
	awk -v own="arch/$1/" '
		/^(---|\+\+\+) [ab]\// {
			file = substr($2, 3)
			if (index(file, own) == 1 || file !~ /^(arch|Documentation)\//)
				ours[FILENAME]
			else if (index(file, "arch/") == 1)
				theirs[FILENAME]
		}
		END {
			for (i = 1; i < ARGC; i++)
				if (ARGV[i] in ours || !(ARGV[i] in theirs))
					print ARGV[i]
		}' "$here"/series/*/*.patch
}

# What configurations say, a line each symbol: of several about one the last.
last_words()
{
	cat "$@" | tac | awk 'match($0, /^(# )?CONFIG_[A-Za-z0-9_]+[= ]/) {
		symbol = substr($0, 1, RLENGTH - 1)
		sub(/^# /, "", symbol)
		if (!seen[symbol]++)
			print
	}' | tac
}

arch=$(host_arch)
config=
kdir=
series=7.3
variant=
uncompressed=
while [ $# -gt 0 ]; do
	case $1 in
	--list) list_variants; exit 0 ;;
	--uncompressed) uncompressed=y; shift ;;
	--arch | --config | --kdir | --source | --variant)
		[ $# -ge 2 ] || die 2 "$1 wants a value"
		case $1 in
		--arch) arch=$2 ;;
		--config) config=$2 ;;
		--kdir) kdir=$2 ;;
		--source) series=$2 ;;
		--variant) variant=$2 ;;
		esac
		shift 2 ;;
	*) die 2 "unknown option $1: kernel/build.sh [--arch A] [--config NAME] [--kdir TREE [--uncompressed]|--source SERIES] [--variant NAME]" ;;
	esac
done

case $arch in
x86 | x86_64) arch=x86 image=arch/x86/boot/bzImage targets="vmlinux bzImage" ;;
arm64 | aarch64) arch=arm64 image=arch/arm64/boot/Image targets="vmlinux Image" ;;
riscv | riscv64) arch=riscv image=arch/riscv/boot/Image targets="vmlinux Image" ;;
*) die 2 "no kernel configuration for architecture $arch (there is: x86 arm64 riscv)" ;;
esac
kernel_configs "$arch" "$config"
[ -f "${configs[-1]}" ] || die 2 "no configuration '$config' for $arch"
cross=$(cross_prefix "$arch")

for tool in make gcc "${cross}gcc" flex bison bc patch ccache; do
	command -v "$tool" >/dev/null || die 3 "$tool is missing: run tests/deps.sh demo"
done

if [ -n "$kdir" ]; then
	[ -f "$kdir/Kbuild" ] || die 2 "$kdir: not a kernel tree (no Kbuild in it)"
	kdir=$(readlink -f "$kdir")
	variant=${variant:-base}
	src_id=$(printf '%s' "$kdir" | sha256sum | cut -c1-16)
	if [ -e "$kdir/.config" ] || [ -d "$kdir/include/config" ]; then
		die 2 "$kdir is configured in place: run make mrproper in it, or give --kernel IMAGE"
	fi
	[ -z "$uncompressed" ] || [ "$arch" != x86 ] || targets=vmlinux image=
else
	[ -z "$uncompressed" ] || die 2 "--uncompressed is for a --kdir tree"
	kdir=$("$here/source.sh" "$series")
	variant=${variant:-reference}
	src_id=$(basename "$(dirname "$kdir")")
fi

patches=()
case $variant in
base) ;;
reference) mapfile -t patches < <(series_for "$arch") ;;
*)
	# A mutant is booted here only: no compressed image, which costs half of its build.
	[ "$arch" != x86 ] || { targets=vmlinux; image=; }
	[ -f "$here/mutants/$variant.patch" ] ||
		die 2 "no variant '$variant': $(list_variants | tr '\n' ' ')"
	mapfile -t patches < <(series_for "$arch")
	patches+=("$here/mutants/$variant.patch")
	;;
esac

[ -z "$config" ] || { targets="vmlinux modules"; image=; }
name=$arch${config:+-$config}

work=$KVM_WITNESS_CACHE/work/$src_id
mkdir -p "$work" || die 3 "cannot write to $work: set KVM_WITNESS_CACHE=<folder>"

cached_tree=
[ -f "$(dirname "$kdir")/complete" ] && cached_tree=y

out=$work/image-$name-$variant
if [ -n "$cached_tree" ]; then
	key=$({
		echo "$recipe $src_id $arch"
		"${cross}gcc" -dumpfullversion
		cat "${configs[@]}"
		patch_diff "${patches[@]}"
	} | sha256sum | cut -c1-20)
	out=$KVM_WITNESS_CACHE/kernel/$name-$variant-$key
	if [ -f "$out/meta" ]; then
		echo "$out"
		exit 0
	fi
fi

exec 9>"$work/lock"
flock -n 9 || { note "waiting for another build in $work"; flock 9; }
[ -n "$cached_tree" ] && [ -f "$out/meta" ] && { echo "$out"; exit 0; }

# --- the source with its patches: a private copy, so that the tree stays as it is

tree=$kdir
if [ -n "$cached_tree" ] || [ ${#patches[@]} -gt 0 ]; then
	tree=$work/linux
	if [ -z "$cached_tree" ]; then
		mkdir -p "$tree"
		# By content and with new times: make must see what changed back as well.
		rsync -rlpc --delete --exclude=/.git "$kdir/" "$tree/" >&2 ||
			die 3 "cannot copy $kdir to $tree: is the disk full?"
		: >"$work/touched"
	elif [ ! -e "$tree" ]; then
		rm -rf "$tree.tmp"
		cp -al "$kdir" "$tree.tmp"
		mv "$tree.tmp" "$tree"
		: >"$work/touched"
	fi
fi

# Brings just those files to the wanted state that differ from it, so that
# switching from one variant to another rebuilds only what differs.
apply_patches()
{
	local scratch=$work/scratch p f

	rm -rf "$scratch"
	mkdir -p "$scratch"
	{ cat "$work/touched"; patched_files "$@"; } | sort -u >"$work/touched.new"
	mv "$work/touched.new" "$work/touched"
	while read -r f; do
		[ -e "$kdir/$f" ] || continue
		mkdir -p "$scratch/$(dirname "$f")"
		cp --preserve=mode "$kdir/$f" "$scratch/$f"
	done <"$work/touched"
	for p in "$@"; do
		apply_patch "$scratch" "$p" "$kdir"
	done
	while read -r f; do
		if [ ! -e "$scratch/$f" ]; then
			rm -f "$tree/$f"
		elif ! cmp -s "$scratch/$f" "$tree/$f"; then
			mkdir -p "$tree/$(dirname "$f")"
			cp --preserve=mode "$scratch/$f" "$tree/$f.new"	# a new inode: the old one is shared
			mv "$tree/$f.new" "$tree/$f"
		fi
	done <"$work/touched"
	rm -rf "$scratch"
}

[ "$tree" = "$kdir" ] || apply_patches "${patches[@]}"

# --- configuration and build, out of tree; all variants of a tree share the objects

obj=$work/obj-$name
log=$work/build-$name-$variant.log
mkdir -p "$obj"
export CCACHE_DIR=$KVM_WITNESS_CACHE/ccache CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-4G}
export KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=kvm-witness KBUILD_BUILD_HOST=kvm-witness

kmake()
{
	env -u MAKEFLAGS -u MAKELEVEL -u KDIR -u OUTPUT -u O \
		make -C "$tree" O="$obj" ARCH=$arch CROSS_COMPILE="$cross" CC="ccache ${cross}gcc" HOSTCC="ccache gcc" "$@"
}

configure()
{
	local line want tiny=("$tree/kernel/configs/tiny.config" "$tree/arch/$arch/configs/tiny.config")

	[ -e "${tiny[1]}" ] || tiny=("${tiny[0]}")
	# A new symbol of a user's tree has no value before, which is not tinyconfig's.
	want=$({
		cat "${configs[@]}" "${tiny[@]}"
		[ -n "$cached_tree" ] || find "$tree" -name 'Kconfig*' -type f -print0 | sort -z | xargs -0 cat
	} | sha256sum)
	[ -f "$obj/.config" ] && [ "$want" = "$(cat "$obj/config-id" 2>/dev/null)" ] && return 0
	rm -f "$obj/config-id"
	{
		kmake tinyconfig &&
		(cd "$tree" && scripts/kconfig/merge_config.sh -m -O "$obj" "$obj/.config" "${configs[@]}") &&
		kmake olddefconfig
	} >"$log" 2>&1 || build_failed "$log" "$variant: cannot be configured"
	while read -r line; do
		case $line in
		CONFIG_*=*)
			grep -qxF "$line" "$obj/.config" || die 1 "$tree does not take $line" ;;
		"# CONFIG_"*" is not set")
			line=${line#\# }
			! grep -q "^${line%% *}=" "$obj/.config" || die 1 "$tree insists on ${line%% *}" ;;
		esac
	done < <(last_words "${configs[@]}")
	echo "$want" >"$obj/config-id"
}

# What a make that was killed has left may be half of it, and looks up to date: a vmlinux
# whose tables are not sorted yet, an object that objtool has not seen.
unfinished=$obj/unfinished
[ ! -e "$unfinished" ] || find "$obj" -type f -newer "$unfinished" -delete

make_targets()
{
	local rc=0

	: >"$unfinished"
	# shellcheck disable=SC2086
	kmake -j"$(nproc)" $targets 2>&1 || rc=$?
	[ "$rc" -ge 128 ] || rm -f "$unfinished"
	return "$rc"
}

begin=$SECONDS
note "building kernel $variant${config:+ ($config)} from $(if [ -n "$cached_tree" ]; then
	awk '{ printf "%s ", $2 }' "$(dirname "$kdir")/complete"; else echo "$kdir"; fi)"
configure
make_targets | tee "$log" | progress "$variant" 16 steps ||
	build_failed "$log" "$variant: does not build"
note "built kernel $variant${config:+ ($config)} in $((SECONDS - begin)) s"

rm -rf "$out.tmp"
mkdir -p "$out.tmp"
"${cross}strip" -o "$out.tmp/vmlinux" "$obj/vmlinux"
cp ${image:+"$obj/$image"} "$obj/System.map" "$out.tmp/"
cp "$obj/.config" "$out.tmp/config"
if [ -n "$config" ]; then
	kmake -s INSTALL_MOD_PATH="$out.tmp" INSTALL_MOD_STRIP=1 modules_install >>"$log" 2>&1 ||
		build_failed "$log" "$variant: its modules cannot be installed"
	rm -f "$out.tmp"/lib/modules/*/build
fi
{
	echo "variant $variant"
	echo "arch $arch"
	[ -z "$config" ] || echo "config $config"
	echo "tree $kdir"
	if [ -n "$cached_tree" ]; then cat "$(dirname "$kdir")/complete"; fi
	echo "release $(kmake -s kernelrelease)"
	for p in "${patches[@]}"; do
		echo "patch $(basename "$p") $(patch_id "$p")"
	done
} >"$out.tmp/meta"
rm -rf "$out"
mkdir -p "$(dirname "$out")"
mv "$out.tmp" "$out"
echo "$out"
