// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that have seven interrupt files for guests: who gets one, and what happens to the
 * vCPU that does not.
 *
 * Catches: files that leak or are not used, a mode that does what another one is for,
 * and MSIs that go to somebody else's file.
 */
#include "aia_files.h"

static void setup(void)
{
	aia_files_expect(7);
}

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "aia_seven_guest_files_test",
		.needs = "AIA, seven interrupt files for guests on each of two CPUs",
		.seed = "RISC-V: KVM: Read HGEIP CSR on the correct cpu (2025-10)",
		.wants = WANTS_SEVEN_GUEST_FILES,
		.setup = setup,
		.cases = aia_files_cases,
		.nr_cases = AIA_FILES_CASES,
	};

	return witness_main(&test, argc, argv);
}
