// SPDX-License-Identifier: GPL-2.0-only
/*
 * On processors with MDS and its kin VERW clears the CPU's buffers before each VM-entry
 * and each return to user space: once, whatever becomes of the L1 data cache.
 *
 * Catches: a VERW that depends on the L1D flush, as up to Linux 6.18, where a flush
 * replaced it and a skipped one could skip it ("KVM: VMX: Flush CPU buffers as needed if
 * L1D cache flush is skipped", 2025-10-16, and what became of it in 6.19); a VM-entry
 * without one, be it VMLAUNCH or VMRESUME; and one too many.
 */
#include <string.h>
#include <sys/syscall.h>

#include "case.h"
#include "compat.h"
#include "cpu.h"
#include "kallsyms.h"
#include "l1d.h"
#include "verw.h"

#define RUNS	10
#define EXITS	50
#define CALLS	100

static bool says_clear(const char *vulnerability)
{
	char line[128];

	return cpu_vulnerability(vulnerability, line, sizeof(line)) &&
	       (strcasestr(line, "clear cpu buffers") || strstr(line, "Clear Register File"));
}

static void prepare(void)
{
	kallsyms_prepare();
	l1d_find_mode();
}

static void setup(void)
{
	const char *why;

	if (!says_clear("mds") && !says_clear("tsx_async_abort") && !says_clear("reg_file_data_sampling"))
		case_skip("this processor needs no VERW, or the mitigations are off (/sys/devices/system/cpu/vulnerabilities/mds)");
	why = verw_open();
	if (why)
		case_skip("%s", why);
}

/* An interrupt that comes between two system calls returns to user space too. */
static void return_to_user(void)
{
	uint64_t interrupts = cpu_interrupts(sched_getcpu());
	struct verw_counts c;
	int i;

	verw_window_open();
	for (i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
	c = verw_window_close();
	interrupts = cpu_interrupts(sched_getcpu()) - interrupts;
	CASE_EXPECT(c.to_user >= CALLS && c.to_user <= CALLS + interrupts,
		    "%llu VERWs for %d system calls and %llu interrupts", (unsigned long long)c.to_user, CALLS,
		    (unsigned long long)interrupts);
}

static void guest_cpuid(void)
{
	u32 eax, ebx, ecx, edx;
	int i;

	for (;;) {
		for (i = 0; i < EXITS; i++)
			cpuid(0, &eax, &ebx, &ecx, &edx);
		GUEST_SYNC(0);
	}
}

static struct verw_counts run(void)
{
	struct verw_counts c;
	struct kvm_vcpu *vcpu;
	int i;

	vm_create_with_one_vcpu(&vcpu, guest_cpuid);
	/* From the first VM-entry on, which is a VMLAUNCH. */
	verw_window_open();
	for (i = 0; i < RUNS; i++)
		vcpu_run(vcpu);
	c = verw_window_close();
	TEST_ASSERT(c.entries > RUNS * EXITS, "%llu VM-entries for %d exits", (unsigned long long)c.entries, RUNS * EXITS);
	return c;
}

static void one_each(const char *l1d_mode)
{
	const char *why = verw_entries_uncounted();
	struct verw_counts c;

	if (why)
		case_skip("%s", why);
	l1d_need();
	l1d_set_mode(l1d_mode);
	c = run();
	CASE_EXPECT(c.to_guest == c.entries, "%llu VERWs for %llu VM-entries, and %llu for returns to user space",
		    (unsigned long long)c.to_guest, (unsigned long long)c.entries, (unsigned long long)c.to_user);
}

static void never_flushed(void)
{
	one_each("never");
}

static void always_flushed(void)
{
	one_each("always");
}

static void sometimes_flushed(void)
{
	one_each("cond");
}

static const struct witness_case cases[] = {
	{
		.name = "return_to_user",
		.verifies = "each return to user space has one VERW",
		.run = return_to_user,
	}, {
		.name = "never_flushed",
		.verifies = "each VM-entry has one VERW when the L1 data cache is never flushed",
		.needs = "L1TF, a machine that counts retired instructions",
		.run = never_flushed,
	}, {
		.name = "always_flushed",
		.verifies = "each VM-entry has one VERW when the L1 data cache is always flushed",
		.needs = "L1TF, a machine that counts retired instructions",
		.run = always_flushed,
	}, {
		.name = "sometimes_flushed",
		.verifies = "each VM-entry has one VERW when most of them skip the L1D flush",
		.needs = "L1TF, a machine that counts retired instructions",
		.run = sometimes_flushed,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "verw_entry_test",
		.needs = "a processor with MDS, TAA or RFDS, root",
		.seed = "KVM: VMX: Flush CPU buffers as needed if L1D cache flush is skipped (2025-10-16)",
		.wants = WANTS_L1TF,
		.prepare = prepare,
		.setup = setup,
		.finish = l1d_restore_mode,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
