// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest VMM that the guest-side test kernel runs in: for the initramfs of an
 * emulated machine, as a test like any other.
 *
 *	guest_<test> [CASE...]
 *
 * The name under which it is called is the test; its output is the guest's serial port,
 * its exit code the guest's.  The VM has two CPUs, 64 MiB, KVM's interrupt controllers and
 * timer, an ACPI MADT, and the CPUID that KVM offers.
 */
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image.h"

#define VM_CPUS		2
#define MEMORY		(64ul << 20)
#define EXIT_SKIP	4

/* Guest physical addresses. */
#define START_INFO	0x6000
#define MEMMAP		0x6100
#define COMMAND_LINE	0x7000
#define RSDP		0xe0000
#define RSDT		0xe0040
#define MADT		0xe0100

#define UART		0x3f8
#define DEBUG_EXIT	0xf4

static int kvm, vm, vcpus[VM_CPUS];
static char *memory;
static struct kvm_cpuid2 *cpuid;

static int must(int ret, const char *what)
{
	if (ret < 0) {
		printf("# %s: %s\n", what, strerror(errno));
		exit(EXIT_FAILURE);
	}
	return ret;
}

/* --- memory --------------------------------------------------------------- */

static void put32(uint64_t at, uint32_t value)
{
	memcpy(memory + at, &value, sizeof(value));
}

static void put64(uint64_t at, uint64_t value)
{
	memcpy(memory + at, &value, sizeof(value));
}

/* Loads the image; returns its PVH entry. */
static uint32_t load(void)
{
	const Elf64_Ehdr *h = (const void *)image;
	const Elf64_Phdr *p = (const void *)(image + h->e_phoff);
	uint32_t entry = 0;
	int i;

	for (i = 0; i < h->e_phnum; i++) {
		if (p[i].p_type == PT_LOAD)
			memcpy(memory + p[i].p_paddr, image + p[i].p_offset, p[i].p_filesz);
		else if (p[i].p_type == PT_NOTE)
			/* The one note of ours: its header, "Xen", the address. */
			memcpy(&entry, image + p[i].p_offset + 16, sizeof(entry));
	}
	return entry;
}

static void finish_table(uint64_t at, const char *signature, uint32_t len, unsigned int checksum)
{
	uint8_t sum = 0;
	uint32_t i;

	memcpy(memory + at, signature, strlen(signature));
	for (i = 0; i < len; i++)
		sum += memory[at + i];
	memory[at + checksum] = -sum;
}

static void put_acpi(void)
{
	uint32_t len = 44;
	int i;

	for (i = 0; i < VM_CPUS; i++, len += 8) {
		memory[MADT + len] = 0;		/* a local APIC */
		memory[MADT + len + 1] = 8;
		memory[MADT + len + 2] = i;
		memory[MADT + len + 3] = i;
		put32(MADT + len + 4, 1);
	}
	put32(MADT + 4, len);
	put32(MADT + 36, 0xfee00000);
	finish_table(MADT, "APIC", len, 9);
	put32(RSDT + 4, 40);
	put32(RSDT + 36, MADT);
	finish_table(RSDT, "RSDT", 40, 9);
	put32(RSDP + 16, RSDT);
	finish_table(RSDP, "RSD PTR ", 20, 8);
}

static void put_start_info(const char *command_line)
{
	memcpy(memory + COMMAND_LINE, command_line, strlen(command_line) + 1);
	put32(START_INFO, 0x336ec578);
	put32(START_INFO + 4, 1);
	put64(START_INFO + 24, COMMAND_LINE);
	put64(START_INFO + 32, RSDP);
	put64(START_INFO + 40, MEMMAP);
	put32(START_INFO + 48, 2);
	put64(MEMMAP + 8, 0x9fc00);
	put32(MEMMAP + 16, 1);
	put64(MEMMAP + 24, 0x100000);
	put64(MEMMAP + 32, MEMORY - 0x100000);
	put32(MEMMAP + 40, 1);
}

/* --- CPUs ----------------------------------------------------------------- */

static void set_cpuid(int id)
{
	uint32_t i;

	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 1)
			e->ebx = (e->ebx & 0xffffff) | id << 24;
		else if (e->function == 0xb || e->function == 0x1f)
			e->edx = id;
	}
	must(ioctl(vcpus[id], KVM_SET_CPUID2, cpuid), "KVM_SET_CPUID2");
}

/* As the PVH protocol wants it: flat 32-bit segments, no paging. */
static void set_registers(int vcpu, uint32_t entry)
{
	struct kvm_regs regs = { .rip = entry, .rbx = START_INFO, .rflags = 2 };
	struct kvm_segment flat = { .limit = -1, .selector = 0x10, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1 };
	struct kvm_sregs sregs;

	must(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.ds = flat;
	sregs.es = flat;
	sregs.fs = flat;
	sregs.gs = flat;
	sregs.ss = flat;
	flat.type = 11;
	flat.selector = 8;
	sregs.cs = flat;
	sregs.cr0 |= 1;
	must(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	must(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static void on_io(struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t size = run->io.size * run->io.count;
	static bool divisor;		/* the UART's first port is its clock's now */

	if (run->io.direction == KVM_EXIT_IO_IN) {
		memset(data, 0xff, size);
		if (run->io.port == UART + 5)
			*data = 0x60;		/* empty, and nothing has come */
	} else if (run->io.port == UART + 3) {
		divisor = *data & 0x80;
	} else if (run->io.port == UART && !divisor) {
		putchar(*data);
		if (*data == '\n')
			fflush(stdout);
	} else if (run->io.port == DEBUG_EXIT) {
		fflush(stdout);
		_exit(*data - 0x10);
	}
}

static void *run_vcpu(void *arg)
{
	int vcpu = *(int *)arg;
	struct kvm_run *run;

	run = mmap(NULL, must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE"),
		   PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	must(run == MAP_FAILED ? -1 : 0, "mmap() of a vCPU");
	for (;;) {
		if (ioctl(vcpu, KVM_RUN, 0) < 0) {
			/* A CPU that waits for its SIPI is woken for more than that. */
			must(errno == EINTR || errno == EAGAIN ? 0 : -1, "KVM_RUN");
			continue;
		}
		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			on_io(run);
			break;
		case KVM_EXIT_MMIO:
			memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
			break;
		case KVM_EXIT_INTERNAL_ERROR:
			printf("\n# KVM_RUN ends with internal error %u, data %#llx\n", run->internal.suberror,
			       run->internal.ndata ? run->internal.data[0] : 0);
			exit(EXIT_FAILURE);
		default:
			printf("\n# KVM_RUN ends with exit reason %u\n", run->exit_reason);
			exit(EXIT_FAILURE);
		}
	}
	return NULL;
}

/* --- the VM --------------------------------------------------------------- */

static void make_vm(void)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY };
	int i;

	vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	must(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");
	must(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	must(ioctl(vm, KVM_CREATE_PIT2, &pit), "KVM_CREATE_PIT2");
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(memory == MAP_FAILED ? -1 : 0, "mmap() of memory");
	region.userspace_addr = (uintptr_t)memory;
	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");

	cpuid = calloc(1, sizeof(*cpuid) + 256 * sizeof(cpuid->entries[0]));
	cpuid->nent = 256;
	must(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid), "KVM_GET_SUPPORTED_CPUID");
	for (i = 0; i < VM_CPUS; i++) {
		vcpus[i] = must(ioctl(vm, KVM_CREATE_VCPU, i), "KVM_CREATE_VCPU");
		set_cpuid(i);
	}
}

/* Is the processor under this KVM one that QEMU emulates?  It then says so itself. */
static bool is_on_tcg(void)
{
	unsigned int a, b, c, d;

	__cpuid(1, a, b, c, d);
	if (!(c >> 31))
		return false;
	__cpuid(0x40000000, a, b, c, d);
	return !memcmp(&b, "TCGT", 4);
}

int main(int argc, char **argv)
{
	const char *test = basename(argv[0]);
	char command_line[2048] = "flat ";
	pthread_t thread;
	int i;

	if (is_on_tcg())
		strcat(command_line, "tcg=kvm ");
	strcat(command_line, "checks=");
	/* What is long is cut: the case is missing then. */
	for (i = 1; i < argc; i++)
		snprintf(command_line + strlen(command_line), sizeof(command_line) - strlen(command_line), "%s%s.%s",
			 i > 1 ? "," : "", test, argv[i]);
	if (argc == 1)
		snprintf(command_line + strlen(command_line), sizeof(command_line) - strlen(command_line), "%s", test);

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0) {
		printf("KTAP version 1\n1..0 # SKIP no /dev/kvm: %s\n", strerror(errno));
		return EXIT_SKIP;
	}
	make_vm();
	set_registers(vcpus[0], load());
	put_acpi();
	put_start_info(command_line);
	for (i = 1; i < VM_CPUS; i++) {
		errno = pthread_create(&thread, NULL, run_vcpu, &vcpus[i]);
		must(-!!errno, "pthread_create()");
	}
	run_vcpu(&vcpus[0]);
	return EXIT_FAILURE;
}
