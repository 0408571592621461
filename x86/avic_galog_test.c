// SPDX-License-Identifier: GPL-2.0-only
/*
 * With AVIC, kvm_amd leaves a function of its own with the driver of AMD's IOMMU, which
 * calls it for what is in the guest virtual APIC log: iommu_ga_log_notifier.  Whatever
 * ends the module takes it back, and without AVIC nothing of that happens.
 *
 * Catches: a pointer into a module that is gone, as up to Linux 6.17, by which a late
 * interrupt runs what is there now ("KVM: SVM: Unregister GALog notifier on module exit",
 * 2025-10-16), after a load that failed as well; and one that is set without need.
 *
 * A watchpoint sees each write to the pointer, whoever does it.  The log itself needs an
 * IOMMU that has one, which no emulator does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "compat.h"
#include "cpu.h"
#include "fault.h"
#include "kallsyms.h"
#include "kmem.h"
#include "module.h"
#include "trace.h"
#include "watch.h"

#define MODULE		"kvm_amd"
#define MODULE_FILE	"/modules/kvm-amd.ko"	/* where a machine has it */
#define NOTIFIER	"iommu_ga_log_notifier"
#define REGISTER	"amd_iommu_register_ga_log_notifier"
#define PROBE		"kvm_witness/wait"
#define WITH_AVIC	"npt=1 avic=1 force_avic=1"

#define CYCLES		50
#define MAX_CPUS	64

static const char *missing;	/* why nothing can be seen here */
static uint64_t notifier;	/* the address of the pointer */
static uint64_t offset;		/* of KVM's function in the module */
static struct watch watches[MAX_CPUS];
static int nr_watches;
static struct watch_hit last;	/* the last write */

/* --- the module and the pointer ------------------------------------------- */

static void load(const char *parameters)
{
	int err = module_load(MODULE_FILE, parameters);

	TEST_ASSERT(!err, "%s \"%s\" cannot be loaded: %s", MODULE_FILE, parameters, strerror(-err));
}

static void unload(void)
{
	int err = module_unload(MODULE);

	TEST_ASSERT(!err, MODULE " cannot be unloaded: %s", strerror(-err));
}

static uint64_t pointer(void)
{
	uint64_t value;

	TEST_ASSERT(!kmem_read(notifier, &value, sizeof(value)), NOTIFIER " cannot be read");
	return value;
}

static void count(const struct watch_hit *hit, void *arg)
{
	++*(unsigned int *)arg;
	last = *hit;
}

/* How often the pointer was written since the last call. */
static unsigned int writes(void)
{
	unsigned int n = 0;
	int i;

	for (i = 0; i < nr_watches; i++) {
		const char *why = watch_drain(&watches[i], count, &n);

		TEST_ASSERT(!why, "%s", why);
	}
	return n;
}

static void expect_registered(const char *when)
{
	unsigned int n = writes();
	uint64_t value = pointer();

	CASE_EXPECT(n == 1, "%u writes to " NOTIFIER " %s, not 1", n, when);
	CASE_EXPECT(value == module_code(MODULE) + offset, NOTIFIER " is %#llx %s, not KVM's function at %#llx",
		    (unsigned long long)value, when, (unsigned long long)(module_code(MODULE) + offset));
}

static void expect_unregistered(const char *when)
{
	unsigned int n = writes();
	uint64_t value = pointer();

	CASE_EXPECT(n == 1, "%u writes to " NOTIFIER " %s, not 1", n, when);
	CASE_EXPECT(!value, NOTIFIER " is %#llx %s, not NULL", (unsigned long long)value, when);
}

static void expect_untouched(const char *when)
{
	unsigned int n = writes();

	CASE_EXPECT(!n, "%u writes to " NOTIFIER " %s", n, when);
}

static bool avic_is_on(void)
{
	char yes = 0;
	int fd;

	fd = open("/sys/module/" MODULE "/parameters/avic", O_RDONLY | O_CLOEXEC);
	TEST_ASSERT(fd >= 0 && read(fd, &yes, 1) == 1, MODULE " has no parameter avic");
	close(fd);
	return yes == 'Y';
}

/* The code of a function of the kernel's own; none if there is no such function. */
static struct fault_range code_of(const char *function)
{
	struct fault_range code;

	code.start = code.end = kallsyms_addr(function);
	while (code.end && !strcmp(kallsyms_name(code.end), function))
		code.end++;
	return code;
}

static bool called_by(const struct watch_hit *hit, const char *function)
{
	unsigned int i;

	for (i = 0; i < hit->depth; i++) {
		if (!strcmp(kallsyms_name(hit->chain[i]), function))
			return true;
	}
	return false;
}

/* --- before and after ----------------------------------------------------- */

static const char *find_out(void)
{
	const char *why;

	if (!module_loaded(MODULE))
		return access("/sys/module/" MODULE, F_OK) ? MODULE " is not there" :
		       MODULE " is built into the kernel, it must be a module: run_tests.sh --machine x86-svm has one";
	if (access(MODULE_FILE, R_OK))
		return "no " MODULE_FILE ": KVM comes and goes in this test, which is for a machine (run_tests.sh --vm)";
	/* Not what an earlier test has kept: the module may have moved since. */
	unsetenv("KVM_WITNESS_KALLSYMS");
	why = kallsyms_load();
	if (!why)
		why = kmem_open();
	if (why)
		return why;
	notifier = kallsyms_addr(NOTIFIER);
	if (!notifier)
		return "no " NOTIFIER ": the driver of AMD's IOMMU is not there (AMD_IOMMU, IRQ_REMAP, KALLSYMS_ALL)";
	offset = kallsyms_addr("avic_ga_log_notifier");
	if (!offset)
		return MODULE " has no avic_ga_log_notifier";
	offset -= module_code(MODULE);
	return NULL;
}

static void prepare(void)
{
	missing = find_out();
}

static void setup(void)
{
	int cpus[MAX_CPUS];
	const char *why;
	int n, i;

	if (missing)
		case_skip("%s", missing);
	if (module_loaded(MODULE))
		unload();
	n = __cpu_need(cpus, MAX_CPUS);
	for (i = 0; i < n; i++) {
		why = watch_arm(&watches[i], notifier, 8, WATCH_WRITE, cpus[i]);
		if (why)
			case_skip("%s", why);
		nr_watches++;
	}
	cpu_pin_first();
}

/* 0 or -errno, for a line to tracefs. */
static int kprobe(const char *line)
{
	int fd, err = 0;

	fd = open("/sys/kernel/tracing/kprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, line, strlen(line)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static void finish(void)
{
	if (missing)
		return;
	kprobe("-:" PROBE);
	fault_close();
	if (!module_loaded(MODULE))
		module_load(MODULE_FILE, "");
}

/* --- the cases ------------------------------------------------------------ */

static void load_registers(void)
{
	load(WITH_AVIC);
	TEST_ASSERT(avic_is_on(), "AVIC is off");
	expect_registered("after the load");
}

static void unload_unregisters(void)
{
	load(WITH_AVIC);
	writes();
	unload();
	expect_unregistered("after the module has gone");
}

static void again_and_again(void)
{
	int i;

	for (i = 0; i < CYCLES; i++) {
		load(WITH_AVIC);
		expect_registered("after a load");
		unload();
		expect_unregistered("after the module has gone");
	}
}

static void guest(void)
{
	GUEST_SYNC(1);
	GUEST_DONE();
}

static struct kvm_vm *vm_that_runs(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = vm_create_with_one_vcpu(&vcpu, guest);
	vcpu_run(vcpu);
	TEST_ASSERT(get_ucall(vcpu, &uc) == UCALL_SYNC && uc.args[1] == 1, "the guest does not run");
	return vm;
}

static void vms_change_nothing(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		load(WITH_AVIC);
		expect_registered("after a load");
		kvm_vm_free(vm_that_runs());
		expect_untouched("by a VM");
		unload();
		expect_unregistered("after the module has gone");
	}
}

static void vm_holds_module(void)
{
	struct kvm_vm *vm;
	int err;

	load(WITH_AVIC);
	expect_registered("after the load");
	vm = vm_that_runs();
	err = module_unload(MODULE);
	CASE_EXPECT(err == -EWOULDBLOCK, MODULE " with a VM: %s", err ? strerror(-err) : "it can be unloaded");
	kvm_vm_free(vm);
	unload();
	expect_unregistered("after the module has gone");
}

/* Each allocation of the module's setup fails once, until none is left to fail. */
static void failed_load(void)
{
	unsigned int n, in_setup = 0, in_init = 0, before = 0;
	bool failed = true;
	const char *why;

	/* The module's own, but not for the many files of KVM's statistics, which it can do without. */
	why = fault_open(code_of("do_one_initcall"), code_of("__debugfs_create_file"));
	if (why)
		case_skip("%s", why);
	for (n = 1; failed; n++) {
		unsigned int seen;
		int err;

		fault_set(n);
		err = module_load(MODULE_FILE, WITH_AVIC);
		failed = fault_happened();
		fault_set(0);
		if (!err) {
			/* It can do without. */
			expect_registered("after a load that has not failed");
			unload();
			expect_unregistered("after the module has gone");
			continue;
		}
		seen = writes();
		CASE_EXPECT(!pointer(), NOTIFIER " is %#llx after a load that has failed (%s), not NULL",
			    (unsigned long long)pointer(), strerror(-err));
		CASE_EXPECT(!seen || seen == 2, "%u writes to " NOTIFIER " by a load that has failed", seen);
		if (!seen)
			before++;
		else if (called_by(&last, "kvm_x86_vendor_init"))
			in_setup++;
		else if (called_by(&last, "kvm_x86_vendor_exit"))
			in_init++;
	}
	printf("loads that failed: %u before the registration, %u in KVM-AMD's setup, %u after it\n", before, in_setup,
	       in_init);
	TEST_ASSERT(in_setup && in_init, "no load has failed after the registration");
}

/* The driver's promise: when it returns nobody runs the function any more. */
static void waits_for_interrupts(void)
{
	struct fault_range code = code_of(REGISTER);
	struct trace_count ours, all;
	const char *why;
	char filter[128];
	int err;

	err = kprobe("p:" PROBE " synchronize_rcu caller=+0($stack):x64 pointer=@" NOTIFIER ":x64");
	if (err)
		case_skip("no probe at synchronize_rcu(): %s (tracefs, CONFIG_KPROBE_EVENTS)", strerror(-err));
	snprintf(filter, sizeof(filter), "caller >= %#llx && caller < %#llx && pointer == 0",
		 (unsigned long long)code.start, (unsigned long long)code.end);
	why = trace_count_open(&ours, "kvm_witness", "wait", filter);
	if (!why)
		why = trace_count_open(&all, "kvm_witness", "wait", NULL);
	TEST_ASSERT(!why, "%s", why);

	load(WITH_AVIC);
	unload();
	TEST_ASSERT(trace_count(&all), "nobody waits when a module ends");
	CASE_EXPECT(trace_count(&ours), NOTIFIER " is taken back without synchronize_rcu() after that");
}

static void stays_off(const char *parameters)
{
	load(parameters);
	if (avic_is_on())
		case_skip("AVIC is on here with \"%s\"", parameters);
	expect_untouched("by the load");
	unload();
	expect_untouched("by the unload");
	/* It would have been seen. */
	load(WITH_AVIC);
	unload();
	TEST_ASSERT(writes(), "the watchpoint sees nothing");
}

static void off(void)
{
	stays_off("npt=1 avic=0 force_avic=1");
}

static void off_without_npt(void)
{
	stays_off("npt=0 avic=1 force_avic=1");
}

static void off_without_cpuid(void)
{
	stays_off("npt=1 avic=1 force_avic=0");
}

static void off_by_default(void)
{
	stays_off("");
}

static const struct witness_case cases[] = {
	{
		.name = "load_registers",
		.verifies = "loading kvm_amd with AVIC registers its function with the IOMMU's driver, once",
		.run = load_registers,
	}, {
		.name = "unload_unregisters",
		.verifies = "unloading it writes the pointer once, and leaves NULL",
		.run = unload_unregisters,
	}, {
		.name = "again_and_again",
		.verifies = "50 times in turn: each load registers the function where it is now, each unload leaves NULL",
		.run = again_and_again,
	}, {
		.name = "vms_change_nothing",
		.verifies = "VMs run after each load, and leave the registration as it is",
		.run = vms_change_nothing,
	}, {
		.name = "vm_holds_module",
		.verifies = "with a VM open the module cannot be unloaded, and stays registered",
		.run = vm_holds_module,
	}, {
		.name = "failed_load",
		.verifies = "a load that fails leaves NULL, whichever allocation of the setup has failed",
		.needs = "FAILSLAB, FAIL_PAGE_ALLOC, FAULT_INJECTION_STACKTRACE_FILTER",
		.run = failed_load,
	}, {
		.name = "waits_for_interrupts",
		.verifies = "once the pointer is NULL a grace period passes for who still runs the function",
		.needs = "KPROBE_EVENTS",
		.run = waits_for_interrupts,
	}, {
		.name = "off",
		.verifies = "with avic=0 neither the load nor the unload touches the pointer",
		.run = off,
	}, {
		.name = "off_without_npt",
		.verifies = "nor do they without nested paging, which AVIC needs",
		.run = off_without_npt,
	}, {
		.name = "off_without_cpuid",
		.verifies = "nor do they on a processor without AVIC",
		.needs = "a processor without AVIC",
		.run = off_without_cpuid,
	}, {
		.name = "off_by_default",
		.verifies = "nor do they on one that is older than Zen 4, when nobody asks for AVIC",
		.needs = "a processor without x2AVIC, or older than Zen 4",
		.run = off_by_default,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "avic_galog_test",
		.needs = "kvm_amd as a module, its file at " MODULE_FILE ", the driver of AMD's IOMMU; "
			 "root, KALLSYMS_ALL, /proc/kcore, watchpoints",
		.seed = "KVM: SVM: Unregister GALog notifier on module exit (2025-10-16)",
		.wants = WANTS_KVM_MODULE,
		.prepare = prepare,
		.setup = setup,
		.finish = finish,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
