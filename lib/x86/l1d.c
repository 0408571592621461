// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mode of the L1D flush, see include/x86/l1d.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "compat.h"
#include "l1d.h"

#define PARAM	"/sys/module/kvm_intel/parameters/vmentry_l1d_flush"

struct mode {
	char name[32];		/* empty: there is none */
};

static struct mode found;

static struct mode read_mode(void)
{
	int fd = open(PARAM, O_RDONLY | O_CLOEXEC);
	struct mode m = { "" };

	if (fd < 0)
		return m;
	if (read(fd, m.name, sizeof(m.name) - 1) < 0)
		m.name[0] = '\0';
	close(fd);
	m.name[strcspn(m.name, "\n")] = '\0';
	return m;
}

/* 0 or -errno; what the parameter then says may still be something else. */
static int write_mode(const char *mode)
{
	int fd = open(PARAM, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, mode, strlen(mode)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

void l1d_find_mode(void)
{
	found = read_mode();
}

void l1d_need(void)
{
	if (!host_cpu_is_intel)
		case_skip("not an Intel processor");
	if (!*found.name)
		case_skip("no %s: not KVM-Intel, or Linux before 4.18", PARAM);
	if (!strcmp(found.name, "not required") || !strcmp(found.name, "EPT disabled"))
		case_skip("%s says \"%s\": no processor with L1TF and EPT", PARAM, found.name);
	if (access(PARAM, W_OK))
		case_skip("%s cannot be written: root?", PARAM);
}

void l1d_set_mode(const char *mode)
{
	int ret = write_mode(mode);
	struct mode now;

	TEST_ASSERT(!ret, "%s does not take %s: %s", PARAM, mode, strerror(-ret));
	now = read_mode();
	TEST_ASSERT(!strcmp(now.name, mode), "the mode is %s, not %s: l1tf=full,force?", now.name, mode);
}

void l1d_restore_mode(void)
{
	struct mode now = read_mode();
	int ret;

	if (!strcmp(now.name, found.name))
		return;
	ret = write_mode(found.name);
	if (ret)
		fprintf(stderr, "cannot set %s back to %s: %s\n", PARAM, found.name, strerror(-ret));
}
