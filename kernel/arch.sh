# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced.  Architectures, as the kernel's tree spells them.

# This computer's.
host_arch()
{
	uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/; s/riscv64/riscv/'
}

# The prefix of the compiler for another one than this computer's; nothing for its own.
cross_prefix()
{
	[ "$1" != "$(host_arch)" ] || return 0
	case $1 in
	x86) echo x86_64-linux-gnu- ;;
	arm64) echo aarch64-linux-gnu- ;;
	riscv) echo riscv64-linux-gnu- ;;
	esac
}

# kernel_configs ARCH [NAME]: sets configs to the files with an architecture's kernel
# configuration, of which a later one wins; the last is that of kernel/build.sh --config NAME.
kernel_configs()
{
	configs=("$(dirname "${BASH_SOURCE[0]}")/config/$1")
	[ "$1" = x86 ] || configs=("${configs[0]%/*}/virt" "${configs[@]}")
	[ -z "${2:-}" ] || configs+=("${configs[-1]}-$2")
}
