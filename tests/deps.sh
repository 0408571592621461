#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs what is missing on a Debian machine.
#
#   tests/deps.sh demo|check
#
# Asks first, unless it is root without a terminal.  KVM_WITNESS_NO_APT=1: only say
# what is missing.

set -euo pipefail
# shellcheck source=kernel/debian.sh
. "$(dirname "$(readlink -f "$0")")/../kernel/debian.sh"

# The kernel, the tests and the emulators are built, a machine is booted.
packages=(build-essential bc bison flex libelf-dev libssl-dev ccache cpio kmod rsync xz-utils zstd
	git jq libjansson-dev libsqlite3-dev uuid-dev qemu-system-x86 debian-archive-keyring
	ninja-build pkg-config python3-distlib python3-venv libfdt-dev libglib2.0-dev zlib1g-dev)
case ${1:-} in
demo) ;;
# The project's own tests, and what they compare with.
check)
	packages+=(bats shellcheck libcmocka-dev clang llvm lld busybox-static coccinelle stress-ng perl python3 procps)
	# The other architectures' tests and machines.
	packages+=(gcc-aarch64-linux-gnu gcc-riscv64-linux-gnu libc6-dev-arm64-cross libc6-dev-riscv64-cross
		qemu-system-arm qemu-user)
	# The guest-side test kernel: snapshots, device trees that lie.
	packages+=(qemu-utils device-tree-compiler)
	# Who reads our reports, and what feeds their reader.
	packages+=(libxml2-utils sqlite3 postgresql chromium python3-yaml python3-jsonschema libclang-rt-dev)
	# A farm.
	packages+=(slurmctld slurmd slurm-client munge)
	;;
*) die 2 "tests/deps.sh demo|check" ;;
esac

command -v dpkg-query >/dev/null || die 3 "not a Debian machine: install by hand: ${packages[*]}"
mapfile -t missing < <(comm -23 <(printf '%s\n' "${packages[@]}" | sort) \
	<(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null |
		sed -n 's/^installed //p' | sort))
[ ${#missing[@]} -gt 0 ] || exit 0

if [ -n "${KVM_WITNESS_NO_APT:-}" ]; then
	die 3 "missing packages: ${missing[*]}"
fi
sudo=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || die 3 "as root: apt-get install ${missing[*]}"
	sudo=(sudo)
fi
if [ -t 0 ]; then
	read -rp "kvm-witness: install ${missing[*]}? [Y/n] " answer
	case $answer in
	"" | [Yy]*) ;;
	*) die 3 "missing packages: ${missing[*]}" ;;
	esac
elif [ ${#sudo[@]} -gt 0 ]; then
	die 3 "as root: apt-get install ${missing[*]}"
fi
note "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get -qq update >&2 || die 3 "apt-get update failed"
"${sudo[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null ||
	die 3 "apt-get could not install ${missing[*]}"
