// SPDX-License-Identifier: GPL-2.0-only
/*
 * NUMA nodes and what is on them, see include/numa.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "case.h"
#include "compat.h"
#include "cpu.h"
#include "numa.h"
#include "numaif.h"

#define SYS_NODE	"/sys/devices/system/node"

/* "0-2,5" */
static unsigned long read_mask(const char *path)
{
	unsigned long mask = 0;
	char list[256] = "";
	char *p = list;
	FILE *f = fopen(path, "re");

	if (!f)
		return 0;
	if (!fgets(list, sizeof(list), f))
		list[0] = '\0';
	fclose(f);
	while (*p >= '0' && *p <= '9') {
		unsigned long from = strtoul(p, &p, 10);
		unsigned long to = *p == '-' ? strtoul(p + 1, &p, 10) : from;

		for (; from <= to && from < NUMA_MAX_NODES; from++)
			mask |= NODE(from);
		p += *p == ',';
	}
	return mask;
}

unsigned long numa_nodes_with_memory(void)
{
	return read_mask(SYS_NODE "/has_memory");
}

unsigned long numa_nodes_with_cpus(void)
{
	return read_mask(SYS_NODE "/has_cpu");
}

int numa_nth(unsigned long nodes, unsigned int n)
{
	while (nodes && n--)
		nodes &= nodes - 1;
	return nodes ? __builtin_ctzl(nodes) : -1;
}

void numa_need_nodes(unsigned int n)
{
	unsigned int has = __builtin_popcountl(numa_nodes_with_memory());

	if (!is_numa_available())
		case_skip("no NUMA memory policies (CONFIG_NUMA, or not permitted)");
	if (has < 2)
		case_skip("one NUMA node");
	if (has < n)
		case_skip("%u NUMA nodes with memory, want %u", has, n);
}

void numa_two_nodes(int *first, int *second)
{
	unsigned long nodes = numa_nodes_with_memory();

	numa_need_nodes(2);
	*first = numa_nth(nodes, 0);
	*second = numa_nth(nodes, 1);
}

int __numa_run_on(int cpu)
{
	int ret = __cpu_pin(cpu);
	unsigned int node;

	if (ret)
		return ret;
	return syscall(__NR_getcpu, NULL, &node, NULL) ? -errno : (int)node;
}

int numa_run_on(int cpu)
{
	int node = __numa_run_on(cpu);

	TEST_ASSERT(node >= 0, "cannot run on CPU %d: %s", cpu, strerror(-node));
	return node;
}

int numa_cpu_of(int node)
{
	cpu_set_t before;
	int cpu;

	TEST_ASSERT(!sched_getaffinity(0, sizeof(before), &before), "sched_getaffinity: errno %d", errno);
	for (cpu = 0; cpu < get_nprocs_conf(); cpu++) {
		if (__numa_run_on(cpu) == node)
			break;
	}
	TEST_ASSERT(!sched_setaffinity(0, sizeof(before), &before), "sched_setaffinity: errno %d", errno);
	return cpu < get_nprocs_conf() ? cpu : -1;
}

bool __numa_run_near(int node)
{
	int cpu = numa_cpu_of(node);

	if (cpu < 0)
		return false;
	numa_run_on(cpu);
	return true;
}

void numa_run_near(int node)
{
	if (!__numa_run_near(node))
		case_skip("no CPU is near node %d", node);
}

/* The kernel reads one bit less than it is told. */
#define MAXNODE	(NUMA_MAX_NODES + 1)

int __numa_mbind(void *addr, size_t len, int mode, unsigned long nodes, unsigned int flags)
{
	return mbind(addr, len, mode, &nodes, MAXNODE, flags) ? -errno : 0;
}

void numa_mbind(void *addr, size_t len, int mode, unsigned long nodes)
{
	int ret = __numa_mbind(addr, len, mode, nodes, 0);

	TEST_ASSERT(!ret, "mbind(mode %#x, nodes %#lx): %s", mode, nodes, strerror(-ret));
}

int __numa_set_task(int mode, unsigned long nodes)
{
	return set_mempolicy(mode, &nodes, MAXNODE) ? -errno : 0;
}

void numa_set_task(int mode, unsigned long nodes)
{
	int ret = __numa_set_task(mode, nodes);

	TEST_ASSERT(!ret, "set_mempolicy(mode %#x, nodes %#lx): %s", mode, nodes, strerror(-ret));
}

int __numa_policy_of(void *addr, struct numa_policy *p)
{
	/* The kernel writes a mask for every node that could be: far less than this. */
	unsigned long nodes[64] = { 0 };

	if (get_mempolicy(&p->mode, nodes, 8 * sizeof(nodes), addr, MPOL_F_ADDR))
		return -errno;
	p->nodes = nodes[0];
	return 0;
}

struct numa_policy numa_policy_of(void *addr)
{
	struct numa_policy p;
	int ret = __numa_policy_of(addr, &p);

	TEST_ASSERT(!ret, "get_mempolicy(MPOL_F_ADDR): %s", strerror(-ret));
	return p;
}

int __numa_node_of(void *addr)
{
	int status = -EIO;

	return move_pages(0, 1, &addr, NULL, &status, 0) ? -errno : status;
}

int numa_node_of(void *addr)
{
	int node = __numa_node_of(addr);

	TEST_ASSERT(node >= 0, "move_pages() says of the page at %p: %s", addr, strerror(-node));
	return node;
}

size_t numa_pages_on(char *mem, size_t pages, int node)
{
	size_t i, n = 0;

	for (i = 0; i < pages; i++)
		n += numa_node_of(mem + i * getpagesize()) == node;
	return n;
}

/* The value of a line "KEY VALUE", -1 when there is none. */
static long read_counter(const char *path, const char *key)
{
	FILE *f = fopen(path, "re");
	long value = -1, n;
	char name[64];

	if (!f)
		return -1;
	while (fscanf(f, "%63s %ld", name, &n) == 2) {
		if (!strcmp(name, key))
			value = n;
	}
	fclose(f);
	return value;
}

static const char *fold_counters(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return "/proc/sys/vm/stat_refresh cannot be written: not root?";
	n = write(fd, "1", 1);
	close(fd);
	return n == 1 ? NULL : "/proc/sys/vm/stat_refresh has failed";
}

/* NULL, or one line that says why it cannot work. */
static const char *count_pages(struct numa_count *c)
{
	unsigned long nodes = numa_nodes_with_memory();
	const char *why = fold_counters();
	char path[64];
	int node;

	memset(c, 0, sizeof(*c));
	for (node = 0; node < NUMA_MAX_NODES && !why; node++) {
		if (!(nodes & NODE(node)))
			continue;
		snprintf(path, sizeof(path), SYS_NODE "/node%d/vmstat", node);
		c->pages[node] = read_counter(path, "nr_file_pages");
		if (c->pages[node] < 0)
			why = "no nr_file_pages in a node's vmstat";
	}
	return why;
}

void numa_count(struct numa_count *c)
{
	const char *why = count_pages(c);

	TEST_ASSERT(!why, "%s", why);
}

void numa_need_count(void)
{
	struct numa_count unused;
	const char *why = count_pages(&unused);

	if (why)
		case_skip("%s", why);
}

static long global_counter(const char *key)
{
	const char *why = fold_counters();
	long n = why ? -1 : read_counter("/proc/vmstat", key);

	TEST_ASSERT(n >= 0, "%s: %s", key, why ? why : "not in /proc/vmstat");
	return n;
}

long numa_slab_pages(void)
{
	return global_counter("nr_slab_unreclaimable");
}

long numa_unevictable_pages(void)
{
	return global_counter("nr_unevictable");
}
