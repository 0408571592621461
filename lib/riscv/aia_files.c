// SPDX-License-Identifier: GPL-2.0-only
/*
 * See include/riscv/aia_files.h.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aia.h"
#include "aia_files.h"
#include "cpu.h"
#include "vcpu_thread.h"

static unsigned int files;
static int cpu[2];

/* The machine says by the kernel's command line how many files it was made with. */
void aia_files_expect(unsigned int n)
{
	FILE *f = fopen("/proc/cmdline", "re");
	char line[4096] = "", want[32];

	aia_need();
	cpu_need(cpu, 2);
	snprintf(want, sizeof(want), "witness_guests=%u", n);
	if (!f || !fgets(line, sizeof(line), f) || !strstr(line, want))
		case_skip("not known to be a machine with %u interrupt files for guests on each CPU", n);
	fclose(f);
	files = n;
}

static struct kvm_vcpu *vcpus[AIA_MAX_VCPUS];

static void as_many_as_there_are(void)
{
	unsigned int i, n;

	for (i = 0; i < 2; i++) {
		if (!aia_has_guest_files())
			n = 0;
		else
			aia_take_files(cpu[i], &n);
		CASE_EXPECT(n == files, "guests get %u interrupt files on CPU %d", n, cpu[i]);
	}
}

static void freed_with_vm(void)
{
	unsigned int i, n;

	for (i = 0; i < 3; i++) {
		kvm_vm_free(aia_take_files(cpu[0], &n));
		CASE_EXPECT(n == files, "%u interrupt files are left after %u VMs", n, i);
	}
}

static void expect_no_entry(struct kvm_vcpu *vcpu, int on)
{
	struct kvm_run *run = vcpu->run;
	struct vcpu_thread t;

	vcpu_thread_start(&t, vcpu, on);
	CASE_EXPECT(vcpu_thread_wait_exit(&t), "vCPU %u runs without a file", vcpu->id);
	vcpu_thread_stop(&t);
	CASE_EXPECT(run->exit_reason == KVM_EXIT_FAIL_ENTRY, "exit reason %u without a file", run->exit_reason);
	CASE_EXPECT(run->fail_entry.hardware_entry_failure_reason == KVM_EXIT_FAIL_ENTRY_NO_VSFILE &&
		    run->fail_entry.cpu == on, "no entry for reason %llu on CPU %u, not for want of a file on CPU %d",
		    (unsigned long long)run->fail_entry.hardware_entry_failure_reason, run->fail_entry.cpu, on);
}

static struct vcpu_thread thread[AIA_MAX_VCPUS];

static void expect_claims_own(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		TEST_ASSERT(aia_signal_msi(vcpus[i], 1 + i) >= 0 && aia_signal_msi(vcpus[i], 101 + i) >= 0,
			    "KVM_SIGNAL_MSI");
	for (i = 0; i < n; i++) {
		CASE_EXPECT(aia_wait_claims(vcpus[i], 2) && aia_claims(vcpus[i], 1 + i) == 1 &&
			    aia_claims(vcpus[i], 101 + i) == 1 && aia_all_claims(vcpus[i]) == 2,
			    "vCPU %u has claimed %u MSIs: %u and %u of the two that were sent to it", i,
			    aia_all_claims(vcpus[i]), aia_claims(vcpus[i], 1 + i), aia_claims(vcpus[i], 101 + i));
	}
}

static void hwaccel_fails_entry(void)
{
	struct kvm_vcpu *last;
	unsigned int i;

	aia_create_counting(files + 1, KVM_DEV_RISCV_AIA_MODE_HWACCEL, vcpus);
	last = vcpus[files];
	for (i = 0; i < files; i++) {
		vcpu_thread_start(&thread[i], vcpus[i], cpu[0]);
		aia_wait_ready(vcpus[i]);
	}
	expect_no_entry(last, cpu[0]);
	/* It is not broken by that: there are others, elsewhere. */
	vcpu_thread_start(&thread[files], last, cpu[1]);
	aia_wait_ready(last);
	vcpu_thread_stop(&thread[files]);
	/* And its file stays with it while there is no new one. */
	TEST_ASSERT(aia_signal_msi(last, 1 + files) >= 0, "KVM_SIGNAL_MSI");
	expect_no_entry(last, cpu[0]);
	vcpu_thread_start(&thread[files], last, cpu[1]);
	CASE_EXPECT(aia_wait_claims(last, 1), "an MSI is lost by a KVM_RUN that failed");
	vcpu_thread_wait_asleep(&thread[0]);
	CASE_EXPECT(!aia_all_claims(vcpus[0]), "another vCPU has claimed it");
}

/* As many as there are files have one, the others do without; nobody sees it. */
static void auto_falls_back(void)
{
	unsigned int i, emulated = 0, n = files + 2;

	aia_create_counting(n, KVM_DEV_RISCV_AIA_MODE_AUTO, vcpus);
	for (i = 0; i < n; i++) {
		vcpu_thread_start(&thread[i], vcpus[i], cpu[0]);
		aia_wait_ready(vcpus[i]);
		vcpu_thread_wait_asleep(&thread[i]);
	}
	expect_claims_own(n);
	for (i = 0; i < n; i++)
		emulated += aia_emulated(vcpus[i]) > 0;
	CASE_EXPECT(emulated == 2, "%u of %u vCPUs do without one of %u interrupt files", emulated, n, files);
}

const struct witness_case aia_files_cases[AIA_FILES_CASES] = {
	{
		.name = "as_many_as_there_are",
		.verifies = "guests get all interrupt files that a CPU has",
		.run = as_many_as_there_are,
	}, {
		.name = "freed_with_vm",
		.verifies = "they get them again when the VM that had them is gone",
		.run = freed_with_vm,
	}, {
		.name = "hwaccel_fails_entry",
		.verifies = "in mode HWACCEL KVM_RUN fails where no file is left, says so, and loses nothing",
		.run = hwaccel_fails_entry,
	}, {
		.name = "auto_falls_back",
		.verifies = "in mode AUTO vCPUs do without, and each gets the MSIs that are sent to it",
		.run = auto_falls_back,
	},
};
