// SPDX-License-Identifier: GPL-2.0-only
/*
 * PID 1 of a machine's initramfs: mounts, loads the modules that were packed
 * along (foreign kernels have KVM and virtio as modules), opens the results
 * channel, serves, powers off.
 *
 * What it cannot do it says on the console, where boot looks for it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "protocol.h"
#include "serve.h"
#include "../include/util.h"

#define PORT_WAIT_MS	10000
#define PORTS		"/sys/class/virtio-ports"

static void __printf(1, 2) complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs(INIT_COMPLAINT, stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

/* Without ACPI a kernel can halt but not power off; a reboot ends the emulator too. */
static void power_off(void)
{
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void mount_all(void)
{
	static const struct {
		const char *type, *dir;
		bool needed;
	} mounts[] = {
		{ "devtmpfs",	"/dev",				true },
		{ "proc",	"/proc",			true },
		{ "sysfs",	"/sys",				true },
		{ "tmpfs",	"/tmp",				true },
		{ "tracefs",	"/sys/kernel/tracing",		false },
		{ "debugfs",	"/sys/kernel/debug",		false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i].dir, 0755);
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0, NULL) && mounts[i].needed)
			complain("cannot mount %s on %s: %s", mounts[i].type, mounts[i].dir,
				 strerror(errno));
	}
}

/* The kernel may have had no console to give to PID 1. */
static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR);

	if (fd < 0)
		return;
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		complain("%s: %s", path, strerror(errno));
	close(fd);
}

/* /modules/order: one file a line, dependencies first. */
static void load_modules(void)
{
	FILE *f = fopen("/modules/order", "re");
	char name[256], path[300];

	if (!f)
		return;
	while (fgets(name, sizeof(name), f)) {
		int fd;

		name[strcspn(name, "\n")] = '\0';
		snprintf(path, sizeof(path), "/modules/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		/* kvm_intel on an AMD machine refuses with EOPNOTSUPP, and rightly. */
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EOPNOTSUPP && errno != ENODEV))
			complain("module %s: %s", name, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	fclose(f);
}

static int try_port(const char *dev)
{
	char path[300], name[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), PORTS "/%s/name", dev);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (!fgets(name, sizeof(name), f))
		name[0] = '\0';
	fclose(f);
	name[strcspn(name, "\n")] = '\0';
	if (strcmp(name, PROTOCOL_PORT))
		return -1;
	snprintf(path, sizeof(path), "/dev/%s", dev);
	return open(path, O_RDWR | O_CLOEXEC);
}

static int find_port(void)
{
	struct dirent *de;
	int fd = -1;
	DIR *dir = opendir(PORTS);

	if (!dir)
		return -1;
	while (fd < 0 && (de = readdir(dir)))
		fd = try_port(de->d_name);
	closedir(dir);
	return fd;
}

/* A machine without virtio names its second UART on the kernel's command line. */
static int open_uart(const char *name)
{
	struct termios raw;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || tcgetattr(fd, &raw)) {
		complain("%s: %s (CONFIG_SERIAL_8250)", path, strerror(errno));
		return -1;
	}
	cfmakeraw(&raw);
	cfsetspeed(&raw, B115200);
	raw.c_cflag |= CLOCAL | CREAD | CRTSCTS;
	tcsetattr(fd, TCSANOW, &raw);
	return fd;
}

/*
 * The port's name comes from the host by a message after the device is there, and
 * sysfs has no event for it: look again each millisecond.
 */
static int open_port(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	int i, fd;

	for (i = 0; i < PORT_WAIT_MS; i++) {
		fd = find_port();
		if (fd >= 0)
			return fd;
		if (!i && access("/sys/bus/virtio/drivers/virtio_console", F_OK)) {
			complain("the kernel has no virtio-serial port driver (CONFIG_VIRTIO_CONSOLE)");
			return -1;
		}
		nanosleep(&ms, NULL);
	}
	complain("no virtio-serial port " PROTOCOL_PORT " (CONFIG_VIRTIO_PCI, CONFIG_VIRTIO_MMIO)");
	return -1;
}

/* Tests that orphan processes leave them to PID 1. */
static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int main(void)
{
	const char *uart = getenv(PROTOCOL_UART);
	int fd;

	mount_all();
	open_console();
	load_modules();
	write_file("/proc/sys/kernel/kptr_restrict", "0");
	write_file("/proc/sys/kernel/perf_event_paranoid", "-1");

	setenv("KVM_WITNESS_KALLSYMS", "/tmp/kallsyms", 1);

	fd = uart ? open_uart(uart) : open_port();
	if (fd < 0)
		power_off();
	if (access("/dev/kvm", F_OK))
		complain("note: no /dev/kvm");
	serve(fd, "/tests");
	reap();
	power_off();
}
