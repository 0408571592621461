# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# Sourced.  The machine "host": this kernel, the tests as processes on it.

machine_arch=$arch
machine_kernel=
machine_kinds=()

machine_check()
{
	:
}

machine_argv()
{
	argv=("$out/machine/serve" "$out/stripped")
}
