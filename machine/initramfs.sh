#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes the initramfs of a machine: init, the tests, and for a foreign kernel the
# modules that it needs for KVM and for the results port, in load order.
#
#   machine/initramfs.sh OUT INIT TEST-FOLDER [MODULE-FOLDER RELEASE]
#
# MODULE-FOLDER is what has lib/modules/RELEASE.  Exit code 3 when it cannot.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=kernel/debian.sh
. "$here/../kernel/debian.sh"

out=$1 init=$2 tests=$3 base=${4:-} release=${5:-}
wanted=(virtio_pci virtio_mmio virtio_console kvm_amd kvm_intel)

root=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
trap 'rm -rf "$root"' EXIT

add_module()
{
	local file=$1 name

	name=$(basename "$file")
	case $name in
	*.ko) cp "$file" "$root/modules/$name" ;;
	*.ko.xz) xz -dc "$file" >"$root/modules/${name%.xz}" ;;
	*.ko.zst) zstd -qdc "$file" >"$root/modules/${name%.zst}" ;;
	*.ko.gz) gzip -dc "$file" >"$root/modules/${name%.gz}" ;;
	*) return 0 ;;
	esac
	name=${name%.ko*}.ko
	grep -qx "$name" "$root/modules/order" || echo "$name" >>"$root/modules/order"
}

add_modules()
{
	local dir=$base/lib/modules/$release name file

	PATH=$PATH:/sbin:/usr/sbin
	command -v depmod >/dev/null || die 3 "depmod is missing: run tests/deps.sh demo"
	[ -f "$dir/modules.dep" ] || depmod -b "$base" "$release"
	mkdir "$root/modules"
	: >"$root/modules/order"
	for name in "${wanted[@]}"; do
		# Built in, or not there at all: init tells which when it matters.
		while read -r file; do
			add_module "$file"
		done < <(modprobe -d "$base" -S "$release" --show-depends "$name" 2>/dev/null |
			awk '$1 == "insmod" { print $2 }')
	done
}

mkdir "$root/tests" "$root/dev" "$root/proc" "$root/sys" "$root/tmp"
cp "$init" "$root/init"
cp -a "$tests"/* "$root/tests/"
[ -z "$base" ] || add_modules
(cd "$root" && find . -print0 | cpio -0 -o -H newc -R 0:0 --quiet) >"$out" ||
	die 3 "cannot write $out: is the disk full?"
