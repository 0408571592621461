# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the tests against the KVM selftest framework of a kernel tree.
#
#   make KDIR=<tree> [ARCH=] [CROSS_COMPILE=] [LLVM=] [O=<dir>]
#
# Without KDIR the Debian kernel source in the cache is taken (fetched when it
# is not there yet).  `make help` lists the targets.

MAKEFLAGS	+= --no-builtin-rules --no-print-directory
.DEFAULT_GOAL	:= all
.DELETE_ON_ERROR:

top		:= $(patsubst %/,%,$(dir $(realpath $(lastword $(MAKEFILE_LIST)))))

# The goals that scripts do, and those that need no kernel tree.
scripts		:= help demo check bisect-check machine-check static-check prove assertions bench bench-host \
		   vmscape-matrix link unlink clean
ifneq ($(filter-out $(scripts) host units report fuzz-ktap guest guest-vm,$(or $(MAKECMDGOALS),all)),)
need_kdir	:= y
endif

include $(top)/tests.mk

ifeq ($(origin OUTPUT),undefined)
OUTPUT		:= $(or $(O),$(top)/build/$(ARCH))
endif
override OUTPUT	:= $(abspath $(OUTPUT))

# What another checkout has built here depends on files that are not ours.
ifneq ($(filter-out $(scripts),$(or $(MAKECMDGOALS),all)),)
$(shell mkdir -p $(OUTPUT))
ifneq ($(top),$(file <$(OUTPUT)/top))
$(shell find $(OUTPUT) -path $(OUTPUT)/libkvm -prune -o -name '*.[do]' -exec rm -f {} +)
$(file >$(OUTPUT)/top,$(top))
endif
endif

include $(top)/Makefile.host
include $(top)/Makefile.guest

ifeq ($(need_kdir),y)
include $(top)/Makefile.tests
endif

help:
	@sed -n 's/^## //p' $(top)/Makefile

## make demo                     everything: dependencies, kernels, tests, boots, a table of verdicts
demo:
	@$(top)/tests/deps.sh demo
	@$(top)/tests/demo.sh

## make check                    the project's own tests, real boots included
check:
	@$(top)/tests/deps.sh check
	@$(top)/tests/run.sh

## make prove                    would the tests catch the mutants? PROVE="WORD...": only these
prove:
	@$(top)/tests/deps.sh demo
	@$(top)/run_tests.sh prove --docs $(top)/docs/proof.md $(PROVE)

## make assertions                does each assertion of the tests count? (half an hour)
assertions:
	@$(top)/tests/deps.sh demo
	@$(top)/tests/assertions.sh

## make bench                    seconds from exec to verdict beside a bare boot, of a farm, of reports
bench:
	@$(top)/tests/deps.sh check
	@$(top)/tests/bench.sh
	@$(top)/tests/bench_farm.sh
	@$(top)/tests/bench_vmscape.sh

## make bisect-check             does a bisection find the mutant, wherever it is? SEEDS="1 2": these (20)
bisect-check:
	@$(top)/tests/deps.sh demo
	@$(top)/tests/bisect_seeds.sh $(or $(SEEDS),$(shell seq 20))

## make bench-host               cycles that VMSCAPE's mitigation costs on this computer (as root)
bench-host:
	@$(top)/tests/deps.sh demo
	@$(top)/tests/bench_vmscape.sh --host

## make machine-check            the kernel's own KVM selftests in our machines: as ever? MACHINE=<name>: in this one
machine-check:
	@$(top)/tests/deps.sh demo
	@$(top)/tests/machine_check.sh $(MACHINE)

## make vmscape-matrix           which mitigation of VMSCAPE for which parameters? (168 boots) MATRIX="WORD...": only these
vmscape-matrix:
	@$(top)/tests/deps.sh demo
	@$(top)/tests/vmscape_matrix.sh $(MATRIX)

## make static-check KDIR=<tree>  what no machine can show: bugs that are found in the source
static-check:
	@$(top)/kernel/static.sh $(or $(KDIR),$(shell $(top)/kernel/source.sh))

## make fuzz-ktap                the reader of results, fed at random for FUZZ_SECONDS=60
## make guest                    the guest-side test kernel; ARCH=arm64, riscv
## make KDIR=<tree>              build the tests (O=<dir>: elsewhere than build/<arch>)
## make install INSTALL_PATH=<dir>
## make link KDIR=<tree>         let the tree's `make kselftest TARGETS=kvm-witness` see them
## make unlink KDIR=<tree>
## make clean
link:
	@$(top)/machine/link.sh add "$(KDIR)"

unlink:
	@$(top)/machine/link.sh remove "$(KDIR)"

clean:
	rm -rf $(OUTPUT)

.PHONY: all $(scripts) install install-tests host
