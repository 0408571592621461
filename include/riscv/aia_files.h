/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cases for a machine whose CPUs have a known number of interrupt files for guests.
 */
#ifndef KVM_WITNESS_RISCV_AIA_FILES_H
#define KVM_WITNESS_RISCV_AIA_FILES_H

#include "case.h"

/* Says what the machine of the test must have; cases skip elsewhere. */
void aia_files_expect(unsigned int files);

#define AIA_FILES_CASES	4
extern const struct witness_case aia_files_cases[AIA_FILES_CASES];

#endif /* KVM_WITNESS_RISCV_AIA_FILES_H */
