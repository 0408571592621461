// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cpusets, see include/cpuset.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "cpuset.h"
#include "numa.h"
#include "test_util.h"

static char root[32];		/* of the hierarchy */
static char group[48];

static const char *path_of(const char *dir, const char *file)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return path;
}

/* 0 or -errno */
static int __put(const char *dir, const char *file, const char *text)
{
	int fd = open(path_of(dir, file), O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
	int ret = n < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

static void put(const char *dir, const char *file, const char *text)
{
	int ret = __put(dir, file, text);

	TEST_ASSERT(!ret, "cannot write \"%s\" to %s/%s: %s", text, dir, file, strerror(-ret));
}

static void get(const char *dir, const char *file, char *text, size_t len)
{
	int fd = open(path_of(dir, file), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, len - 1);

	TEST_ASSERT(n > 0, "cannot read %s/%s: %s", dir, file, strerror(errno));
	close(fd);
	text[n < len ? n : len - 1] = '\0';
}

void cpuset_set_mems(unsigned long nodes)
{
	char list[256] = "";
	int node;

	for (node = 0; node < NUMA_MAX_NODES; node++) {
		if (nodes & NODE(node))
			sprintf(list + strlen(list), "%s%d", *list ? "," : "", node);
	}
	put(group, "cpuset.mems", list);
}

/* In a namespace, so that no mount is left behind. */
static void mount_hierarchy(int version)
{
	snprintf(root, sizeof(root), "/tmp/kvm-witness-XXXXXX");
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		case_skip("cannot have mounts of its own: %s", strerror(errno));
	TEST_ASSERT(mkdtemp(root), "%s: %s", root, strerror(errno));
	if (mount("none", root, version == 1 ? "cgroup" : "cgroup2", 0, version == 1 ? "cpuset" : NULL)) {
		int error = errno;

		rmdir(root);
		case_skip("no cpusets of cgroup v%d: %s", version, strerror(error));
	}
	if (version == 2 && __put(root, "cgroup.subtree_control", "+cpuset")) {
		umount(root);
		rmdir(root);
		case_skip("cgroup v2 has no cpusets here");
	}
}

/* A group is empty some time after its last process was waited for: v2 tells when. */
static void wait_until_empty(void)
{
	int fd = open(path_of(group, "cgroup.events"), O_RDONLY | O_CLOEXEC);
	struct pollfd p = { .fd = fd, .events = POLLPRI };
	char events[64];

	for (;;) {
		ssize_t n = pread(fd, events, sizeof(events) - 1, 0);

		TEST_ASSERT(n > 0, "cgroup.events: %s", strerror(errno));
		events[n] = '\0';
		if (strstr(events, "populated 0"))
			break;
		poll(&p, 1, -1);
	}
	close(fd);
}

/* A group of v1 that is not empty yet stays, for the next case to use. */
static void remove_hierarchy(int version)
{
	if (version == 2)
		wait_until_empty();
	rmdir(group);
	if (version == 2)
		__put(root, "cgroup.subtree_control", "-cpuset");
	umount(root);
	rmdir(root);
}

void cpuset_set(const char *file, const char *value)
{
	put(group, file, value);
}

void cpuset_run(int version, unsigned long nodes, void (*body)(void))
{
	char cpus[128];
	pid_t child;
	int status;

	mount_hierarchy(version);
	snprintf(group, sizeof(group), "%s/witness", root);
	TEST_ASSERT(!mkdir(group, 0755) || errno == EEXIST, "%s: %s", group, strerror(errno));
	get(root, version == 1 ? "cpuset.cpus" : "cpuset.cpus.effective", cpus, sizeof(cpus));
	put(group, "cpuset.cpus", cpus);
	if (version == 1)
		put(group, "cpuset.memory_spread_page", "0");
	cpuset_set_mems(nodes);

	child = fork();
	TEST_ASSERT(child >= 0, "fork");
	if (!child) {
		put(group, "cgroup.procs", "0");
		body();
		fflush(NULL);
		_exit(0);
	}
	TEST_ASSERT(waitpid(child, &status, 0) == child, "waitpid");
	remove_hierarchy(version);
	if (WIFSIGNALED(status))
		kill(getpid(), WTERMSIG(status));
	if (WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
}
