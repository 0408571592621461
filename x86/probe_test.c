// SPDX-License-Identifier: GPL-2.0-only
/*
 * Do the probes of lib/ tell the truth on this kernel?  A test that relies on
 * one is worth no more than it.
 *
 * Each case compares what a probe says with what the kernel says elsewhere, or
 * with a count that the case itself has caused.
 */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/utsname.h>

#include "case.h"
#include "compat.h"
#include "cpu.h"
#include "kallsyms.h"
#include "kmem.h"
#include "percpu.h"
#include "watch.h"

#define CPUS	2

static void need(const char *why)
{
	if (why)
		case_skip("%s", why);
}

static void pin(int cpu)
{
	if (__cpu_pin(cpu))
		case_skip("cannot run on CPU %d", cpu);
}

static uint64_t symbol(const char *name)
{
	uint64_t addr = kallsyms_addr(name);

	if (!addr)
		case_skip("no symbol %s in /proc/kallsyms (CONFIG_KALLSYMS_ALL)", name);
	return addr;
}

static uint64_t read_u64(uint64_t addr)
{
	uint64_t value;

	TEST_ASSERT(!kmem_read(addr, &value, sizeof(value)), "cannot read %#llx through /proc/kcore",
		    (unsigned long long)addr);
	return value;
}

static void kmem_reads_banner(void)
{
	struct utsname un;
	char banner[64] = "";

	need(kallsyms_load());
	need(kmem_open());
	uname(&un);
	TEST_ASSERT(!kmem_read(symbol("linux_banner"), banner, sizeof(banner) - 1),
		    "cannot read linux_banner through /proc/kcore");
	CASE_EXPECT(strstr(banner, un.release), "linux_banner is \"%s\", uname says %s", banner, un.release);
}

static void kallsyms_round_trip(void)
{
	static const char * const names[] = { "kvm_arch_vcpu_load", "do_syscall_64", "write_ibpb" };
	size_t i;

	need(kallsyms_load());
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		uint64_t addr = symbol(names[i]);

		CASE_EXPECT(!strcmp(kallsyms_name(addr + 1), names[i]), "%s + 1 is named %s",
			    names[i], kallsyms_name(addr + 1));
	}
}

/*
 * this_cpu_off holds, on each CPU, that CPU's entry of __per_cpu_offset: a value
 * of its own, never zero.
 */
static void percpu_points_at_cpu(void)
{
	uint64_t before = 0;
	const char *why;
	int cpu;

	need(kallsyms_load());
	need(kmem_open());
	for (cpu = 0; cpu < CPUS; cpu++) {
		uint64_t addr = percpu_addr("this_cpu_off", cpu, &why);
		uint64_t want = read_u64(symbol("__per_cpu_offset") + 8 * cpu);
		uint64_t seen;

		if (!addr)
			case_skip("%s", why);
		CASE_EXPECT(want != before, "__per_cpu_offset[%d] is %#llx, not a CPU's own", cpu,
			    (unsigned long long)want);
		before = want;
		seen = read_u64(addr);
		CASE_EXPECT(seen == want, "this_cpu_off of CPU %d is %#llx, want %#llx", cpu,
			    (unsigned long long)seen, (unsigned long long)want);
	}
}

struct hits {
	unsigned int n, by_kcore;
};

static void count(const struct watch_hit *hit, void *arg)
{
	struct hits *h = arg;
	unsigned int i;

	h->n++;
	for (i = 0; i < hit->depth; i++) {
		if (!strcmp(kallsyms_name(hit->chain[i]), "read_kcore_iter")) {
			h->by_kcore++;
			break;
		}
	}
}

/* Nobody but the case reads this variable, whose value it also knows. */
static uint64_t quiet_variable(void)
{
	need(kallsyms_load());
	return symbol("linux_proc_banner") & ~3ULL;
}

static void watch_counts_reads(void)
{
	const int rounds = 20;
	struct watch w[CPUS];
	struct hits h[CPUS] = { 0 };
	uint32_t value;
	uint64_t addr;
	int i;

	need(kmem_open());
	addr = quiet_variable();
	for (i = 0; i < CPUS; i++)
		need(watch_arm(&w[i], addr, sizeof(value), WATCH_READ_WRITE, i));

	for (i = 0; i < CPUS; i++)
		need(watch_drain(&w[i], count, &h[i]));
	TEST_ASSERT(!h[0].n && !h[1].n, "%u and %u hits before any read", h[0].n, h[1].n);

	pin(0);
	for (i = 0; i < rounds; i++)
		TEST_ASSERT(!kmem_read(addr, &value, sizeof(value)), "kcore");
	for (i = 0; i < CPUS; i++)
		need(watch_drain(&w[i], count, &h[i]));
	CASE_EXPECT(h[0].n >= rounds && !(h[0].n % rounds) && h[0].by_kcore == h[0].n && !h[1].n,
		    "%u hits of %d reads, %u with read_kcore_iter in their call chain, %u on the other CPU",
		    h[0].n, rounds, h[0].by_kcore, h[1].n);
}

static void watch_write_ignores_reads(void)
{
	struct hits h = { 0 };
	struct watch w;
	uint32_t value;
	uint64_t addr;

	need(kmem_open());
	addr = quiet_variable();
	need(watch_arm(&w, addr, sizeof(value), WATCH_WRITE, 0));
	pin(0);
	TEST_ASSERT(!kmem_read(addr, &value, sizeof(value)), "kcore");
	need(watch_drain(&w, count, &h));
	CASE_EXPECT(!h.n, "%u hits of a read by a watchpoint for writes", h.n);
}

/* A sysctl that is set to the value that it has. */
static void watch_sees_writes(void)
{
	const char *path = "/proc/sys/kernel/panic";
	struct hits h = { 0 };
	char value[16] = "";
	struct watch w;
	int fd, n;

	need(kallsyms_load());
	need(watch_arm(&w, symbol("panic_timeout"), 4, WATCH_WRITE, 0));
	pin(0);
	fd = open(path, O_RDWR);
	n = fd < 0 ? -1 : read(fd, value, sizeof(value) - 1);
	if (n <= 0 || pwrite(fd, value, n, 0) != n)
		case_skip("%s cannot be read and written", path);
	need(watch_drain(&w, count, &h));
	CASE_EXPECT(h.n == 1, "%u hits of one write", h.n);
}

static void watch_tells_of_overrun(void)
{
	const int reads = 12000;	/* too many for the ring even without call chains */
	struct hits h = { 0 };
	const char *why;
	struct watch w;
	uint32_t value;
	uint64_t addr;
	int i;

	need(kmem_open());
	addr = quiet_variable();
	need(watch_arm(&w, addr, sizeof(value), WATCH_READ_WRITE, 0));
	pin(0);
	for (i = 0; i < reads; i++)
		TEST_ASSERT(!kmem_read(addr, &value, sizeof(value)), "kcore");
	why = watch_drain(&w, count, &h);
	CASE_EXPECT(why, "%u hits drained after %d reads, and no complaint", h.n, reads);
}

static void watch_needs_a_register(void)
{
	struct watch w[8];
	const char *why = NULL;
	uint64_t addr;
	int i;

	addr = quiet_variable();
	for (i = 0; i < 8 && !why; i++)
		why = watch_arm(&w[i], addr, 4, WATCH_READ_WRITE, 0);
	CASE_EXPECT(why && strstr(why, "debug registers"), "8 watchpoints on one CPU: %s", why ? why : "armed");
}

static const struct witness_case cases[] = {
	{
		.name = "kmem_reads_banner",
		.verifies = "kmem_read() of linux_banner has the release that uname() gives",
		.run = kmem_reads_banner,
	}, {
		.name = "kallsyms_round_trip",
		.verifies = "an address inside a function is given the function's name",
		.run = kallsyms_round_trip,
	}, {
		.name = "percpu_points_at_cpu",
		.verifies = "percpu_addr() finds each CPU's own instance",
		.run = percpu_points_at_cpu,
	}, {
		.name = "watch_counts_reads",
		.verifies = "a watchpoint sees every access on its CPU, none of another CPU, and who it was",
		.run = watch_counts_reads,
	}, {
		.name = "watch_write_ignores_reads",
		.verifies = "a watchpoint for writes is not hit by reads",
		.run = watch_write_ignores_reads,
	}, {
		.name = "watch_sees_writes",
		.verifies = "a watchpoint for writes is hit by a write",
		.run = watch_sees_writes,
	}, {
		.name = "watch_tells_of_overrun",
		.verifies = "hits that did not fit the ring are reported, never forgotten",
		.run = watch_tells_of_overrun,
	}, {
		.name = "watch_needs_a_register",
		.verifies = "arming more watchpoints than there are debug registers says so",
		.run = watch_needs_a_register,
	},
};

static const struct witness_test test = {
	.name = "probe_test",
	.needs = "root, KALLSYMS_ALL, /proc/kcore, watchpoints, two CPUs",
	.seed = "the probes of kvm-witness itself",
	.prepare = kallsyms_prepare,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

int main(int argc, char **argv)
{
	return witness_main(&test, argc, argv);
}
