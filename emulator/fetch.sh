#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the folder of an emulator out of a newer Debian suite than the system's, unpacked
# into the cache and not installed: usr/bin has it, usr/share/qemu what it loads.
#
#   emulator/fetch.sh qemu-riscv
#
# The newest version is taken whose wanted libc6 the system has.  Exit codes: 2 usage,
# 3 it cannot be had.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=kernel/debian.sh
. "$here/../kernel/debian.sh"

case $# in
1) ;;
*) die 2 "emulator/fetch.sh qemu-riscv" ;;
esac
case $1 in
qemu-riscv) package=qemu-system-riscv firmware=opensbi program=qemu-system-riscv64 ;;
*) die 2 "no emulator '$1': emulator/fetch.sh qemu-riscv" ;;
esac

cache=$KVM_WITNESS_CACHE/emulator
mkdir -p "$cache" 2>/dev/null || die 3 "cannot write to $KVM_WITNESS_CACHE: set KVM_WITNESS_CACHE=<folder>"
exec 9>"$cache/$1.lock"
flock 9

out=$(find "$cache" -maxdepth 1 -name "$1-*" ! -name '*.lock' ! -name '*.tmp' | sort -V | tail -n 1)
if [ -n "$out" ]; then
	echo "$out"
	exit 0
fi

# The versions of PACKAGE, newest first.
versions()
{
	debian_apt apt-cache madison "$1" | awk -F '|' '{ gsub(/ /, "", $2); print $2 }' | sort -rV | uniq
}

# Has this system the C library that PACKAGE=VERSION wants?
runs_here()
{
	local wanted have

	wanted=$(debian_apt apt-cache show "$1" | sed -n 's/^Depends:.*libc6 (>= \([^)]*\)).*/\1/p' | head -n 1)
	have=$(dpkg-query -W -f '${Version}' libc6 2>/dev/null || :)
	[ -n "$wanted" ] && [ -n "$have" ] && dpkg --compare-versions "$have" ge "$wanted"
}

debian_lists
version=''
while read -r v; do
	if runs_here "$package=$v"; then
		version=$v
		break
	fi
done < <(versions "$package")
[ -n "$version" ] || die 3 "no $package in ${debian_suites[*]} runs here: install a newer QEMU by hand"

tmp=$cache/$1.tmp
rm -rf "$tmp"
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp"
# The firmware has no code that runs here: any version will do, of what suite ever.
for what in "$package=$version" "$firmware=$(versions "$firmware" | head -n 1)"; do
	note "fetching $what"
	deb=$(debian_fetch "$what" "$tmp")
	note "$(basename "$deb") SHA-256 $(sha256sum "$deb" | cut -d' ' -f1)"
	dpkg-deb -x "$deb" "$tmp" || die 3 "cannot unpack $what: is the disk full? ($cache)"
	rm -f "$deb"
done
missing=$(ldd "$tmp/usr/bin/$program" | awk '/not found/ { printf "%s ", $1 }')
[ -z "$missing" ] || die 3 "$package $version wants libraries that are not here ($missing): run tests/deps.sh demo"
out=$cache/$1-${version//[^0-9A-Za-z.-]/_}
mv "$tmp" "$out"
trap - EXIT
echo "$out"
