#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds an emulator: Debian's source, and our patches on top of it.
#
#   emulator/build.sh bochs|qemu
#
# Prints the folder that holds the program and meta.  It is cached by the hash of
# all that goes in, of a patch its diff.  Nothing is installed.
#
# Exit codes: 0 built, 1 a patch does not apply or it does not build, 2 usage,
# 3 something is missing here.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=kernel/debian.sh
. "$here/../kernel/debian.sh"
# shellcheck source=kernel/patch.sh
. "$here/../kernel/patch.sh"
# shellcheck source=kernel/progress.sh
. "$here/../kernel/progress.sh"

recipe=1	# bump when a change below makes a different emulator of the same input

name=${1:-}
tools=(g++ patch xz ccache)
libraries=()
build_tools=()	# FILE POOL SHA-256 of packages that are unpacked for the build alone
devices=()
case $name in
bochs)
	tools+=(make)
	tar=bochs_3.0+dfsg.orig.tar.xz
	pool=pool/main/b/bochs
	sha=78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b
	# Two and more processors, VMX with all it has, the debug registers; what only
	# costs time is left out.  -fno-strict-aliasing: wide_int.cc does alias.
	configure=(--with-nogui --without-x --disable-docbook --disable-plugins
		--enable-smp --enable-cpu-level=6 --enable-x86-64 --enable-fpu --enable-vmx=2
		--enable-avx --enable-evex --enable-cet --enable-protection-keys
		--enable-monitor-mwait --enable-x86-debugger --enable-alignment-check
		--enable-long-phy-address --enable-perfmon
		--enable-repeat-speedups --enable-fast-function-calls
		--enable-handlers-chaining --enable-trace-linking
		--disable-a20-pin --disable-large-ramfile --disable-cdrom
		--disable-show-ips --disable-stats
		CFLAGS="-O2 -pipe" CXXFLAGS="-O2 -pipe -fno-plt -fno-strict-aliasing")
	program=bochs ;;
qemu)
	tools+=(ninja pkg-config python3 dpkg-deb)
	libraries=(glib-2.0 zlib)
	tar=qemu_10.0.13+ds.orig.tar.xz
	pool=pool/main/q/qemu
	sha=6a0888e806c2ffc0c5f0733e974f9aea55491950d3c47c98669c8b236dde59ae
	# Newer than Debian 12's, which is too old for this source.
	build_tools=(meson_1.7.0-1_all.deb pool/main/m/meson
		e92d04e60e784336883d537755d09b7dcb856809fa318a0931df3898e84ded95
		python3-pycotap_1.3.1-2_all.deb pool/main/p/python-pycotap
		7e8dbf3ac06434275a461d0de79792e2b80126febc53866c89027adde5192ac9)
	# What machine/x86-apx.sh has, and the firmware of Debian's QEMU.
	devices=(MICROVM Q35 AMD_IOMMU VIRTIO_PCI VIRTIO_SERIAL ISA_DEBUG)
	configure=(--target-list=x86_64-softmmu --enable-system --disable-user --enable-tcg
		--without-default-features --without-default-devices --with-devices-x86_64=kvm-witness
		--enable-fdt=system --disable-download --disable-debug-info --disable-install-blobs
		--firmwarepath=/usr/share/seabios:/usr/share/qemu)
	program=qemu-system-x86_64 ;;
*) die 2 "emulator/build.sh bochs|qemu" ;;
esac
[ $# -eq 1 ] || die 2 "emulator/build.sh takes one name"

for tool in "${tools[@]}"; do
	command -v "$tool" >/dev/null || die 3 "$tool is missing: run tests/deps.sh demo"
done
for library in "${libraries[@]}"; do
	pkg-config --exists "$library" || die 3 "the library $library is missing: run tests/deps.sh demo"
done

patches=("$here/$name"/*.patch)
work=$KVM_WITNESS_CACHE/work/$name
src=$KVM_WITNESS_CACHE/src
mkdir -p "$work" "$src" 2>/dev/null ||
	die 3 "cannot write to $KVM_WITNESS_CACHE: set KVM_WITNESS_CACHE=<folder>"

key=$({
	echo "$recipe $sha $program ${configure[*]}${devices[*]:+ ${devices[*]}}"
	g++ -dumpfullversion
	patch_diff "${patches[@]}"
} | sha256sum | cut -c1-20)
out=$KVM_WITNESS_CACHE/emulator/$name-$key
if [ -f "$out/meta" ]; then
	echo "$out"
	exit 0
fi

exec 9>"$work/lock"
flock -n 9 || { note "waiting for another build in $work"; flock 9; }
[ ! -f "$out/meta" ] || { echo "$out"; exit 0; }

# --- the source

# fetch FILE POOL SHA-256: has it in $src.
fetch()
{
	if [ ! -f "$src/$1" ]; then
		note "fetching $1"
		debian_fetch_file "$2/$1" "$src/$1.new" "$3" || {
			rm -f "$src/$1.new"
			die 3 "cannot fetch $1 from the mirror that apt knows: put it into $src and run again"
		}
		mv "$src/$1.new" "$src/$1"
	fi
	echo "$3  $src/$1" | sha256sum --check --status ||
		die 3 "$src/$1 is not the file it should be (SHA-256 $3): remove it and run again"
}

fetch "$tar" "$pool" "$sha"

tree=$work/tree
rm -rf "$tree"
mkdir "$tree"
tar -xJf "$src/$tar" --strip-components=1 -C "$tree" ||
	die 3 "cannot unpack $tar: is the disk full? ($work)"
for p in "${patches[@]}"; do
	apply_patch "$tree" "$p" "$tar"
done

# --- the build, from nothing: Bochs' makefiles do not know all that an object is
# --- made of, and ccache remembers, wherever the tree is

log=$work/build.log
export CCACHE_DIR=$KVM_WITNESS_CACHE/ccache CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-4G}

build_bochs()
{
	cd "$tree"
	./configure "${configure[@]}" CC="ccache gcc" CXX="ccache g++" >"$log" 2>&1 ||
		build_failed "$log" "$name cannot be configured"
	env -u MAKEFLAGS -u MAKELEVEL make -j"$(nproc)" 2>&1 | tee -a "$log" | progress "$name" 4
}

build_qemu()
{
	local i

	for ((i = 0; i < ${#build_tools[@]}; i += 3)); do
		fetch "${build_tools[@]:i:3}"
		dpkg-deb -x "$src/${build_tools[i]}" "$tree/.tools" ||
			die 3 "cannot unpack ${build_tools[i]}: is the disk full? ($work)"
	done
	printf 'CONFIG_%s=y\n' "${devices[@]}" >"$tree/configs/devices/x86_64-softmmu/kvm-witness.mak"
	export PYTHONPATH=$tree/.tools/usr/lib/python3/dist-packages
	export CCACHE_BASEDIR=$tree CCACHE_NOHASHDIR=1
	mkdir "$tree/build"
	cd "$tree/build"
	../configure "${configure[@]}" --cc="ccache gcc" >"$log" 2>&1 ||
		build_failed "$log" "$name cannot be configured"
	ninja -j"$(nproc)" "$program" 2>&1 | tee -a "$log" | progress "$name" 4
}

begin=$SECONDS
note "building $name of $tar"
"build_$name" || build_failed "$log" "$name does not build"
[ -x "$program" ] || build_failed "$log" "$name does not build"
note "built $name in $((SECONDS - begin)) s"

rm -rf "$out.tmp"
mkdir -p "$out.tmp"
strip -o "$out.tmp/$program" "$program"
{
	echo "emulator $name"
	echo "source $tar"
	echo "sha256 $sha"
	for p in "${patches[@]}"; do
		echo "patch $(basename "$p") $(patch_id "$p")"
	done
} >"$out.tmp/meta"
rm -rf "$out"
mv "$out.tmp" "$out"
cd /
rm -rf "$tree"
echo "$out"
