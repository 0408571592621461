// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux as a guest of KVM: the kernel of this machine, started a second time in a VM.  It
 * uses the short sequence to clear its branch history when KVM says that this is
 * adequate, and the long one otherwise (docs/bhb-short.md).
 *
 * Catches: a guest that does not find the bit, or takes another one for it; one that
 * needs CONFIG_KVM_GUEST for it; and one that lets it overrule the command line.
 *
 * Sound because what is looked at is the guest's memory, once its kernel has chosen its
 * mitigations, and its log has that it clears the branch history.
 */
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "bhb_guest.h"
#include "case.h"
#include "cpu.h"
#include "kallsyms.h"

#define IMAGE		"/vmlinux"	/* where a machine of the kind WANTS_KERNEL has it */
#define MEMORY		(96u << 20)
#define KERNEL_MAP	0xffffffff80000000ull

/* Guest physical addresses. */
#define START_INFO	0x6000
#define MEMMAP		0x6100
#define COMMAND_LINE	0x7000

#define PVH_NOTE	18		/* XEN_ELFNOTE_PHYS32_ENTRY */
#define CMOS_DATA	0x71
#define PIT_SPEAKER	0x42
#define CHOSEN		0xe9		/* I/O ports that nothing has */
#define PANICS		0xe8
#define LOG_SIZE	(128u << 10)	/* the default; behind a smaller one there is no text either */
#define CLEARS		"Spectre BHI mitigation: SW BHB clearing"

/* No retpolines, which do as well; the bug, which no processor without BHI_CTRL here has. */
#define PARAMETERS	"console=null acpi=off nosmp lpj=1000000 no_timer_check panic=-1 " \
			"setcpuid=ibpb,ibrs,ibrs_enhanced,bhi tsc_early_khz=1000000 "

static struct kvm_vm *vm;

static void *at(gpa_t gpa)
{
	return addr_gpa2hva(vm, gpa);
}

static void setup(void)
{
	if (access(IMAGE, R_OK))
		case_skip("this machine has no image of its kernel at " IMAGE);
	if (!kallsyms_addr("bhb_seq_outer_loop"))
		case_skip("the loop counts are not data in this kernel");
	if (!bhb_kvm_supports_short())
		case_skip("KVM does not support the bit here");
	cpu_pin_first();
}

/* --- the VM --------------------------------------------------------------- */

/* Loads the image; its PVH entry. */
static u32 load(void)
{
	const Elf64_Ehdr *h;
	const Elf64_Phdr *p;
	const char *image;
	struct stat st;
	u32 entry = 0;
	int fd, i;

	fd = open(IMAGE, O_RDONLY | O_CLOEXEC);
	TEST_ASSERT(fd >= 0 && !fstat(fd, &st), "open() of " IMAGE);
	image = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	TEST_ASSERT(image != MAP_FAILED, "mmap() of " IMAGE);
	h = (const void *)image;
	p = (const void *)(image + h->e_phoff);
	for (i = 0; i < h->e_phnum; i++) {
		const char *note = image + p[i].p_offset, *end = note + p[i].p_filesz;

		if (p[i].p_type == PT_LOAD) {
			TEST_ASSERT(p[i].p_paddr + p[i].p_memsz <= MEMORY, "the kernel does not fit");
			memcpy(at(p[i].p_paddr), image + p[i].p_offset, p[i].p_filesz);
		}
		while (p[i].p_type == PT_NOTE && note < end) {
			const Elf64_Nhdr *n = (const void *)note;

			note += sizeof(*n) + ((n->n_namesz + 3) & ~3u);
			if (n->n_type == PVH_NOTE && n->n_namesz == 4 && !memcmp(n + 1, "Xen", 4))
				memcpy(&entry, note, sizeof(entry));
			note += (n->n_descsz + 3) & ~3u;
		}
	}
	munmap((void *)image, st.st_size);
	close(fd);
	TEST_ASSERT(entry, IMAGE " has no PVH entry");
	return entry;
}

static void put_start_info(const char *parameters)
{
	u64 *memmap = at(MEMMAP);
	u32 *info = at(START_INFO);

	snprintf(at(COMMAND_LINE), 1024, PARAMETERS "%s", parameters);
	info[0] = 0x336ec578;
	info[1] = 1;
	*(u64 *)&info[6] = COMMAND_LINE;
	*(u64 *)&info[10] = MEMMAP;
	info[12] = 2;
	/* Address, size, type: RAM. */
	memmap[1] = 0x9fc00;
	memmap[2] = 1;
	memmap[3] = 0x100000;
	memmap[4] = MEMORY - 0x100000;
	memmap[5] = 1;
}

static void set_registers(struct kvm_vcpu *vcpu, u32 entry)
{
	struct kvm_segment flat = { .limit = -1, .selector = 0x10, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1 };
	struct kvm_regs regs = { .rip = entry, .rbx = START_INFO, .rflags = 2 };
	struct kvm_sregs sregs;

	vcpu_sregs_get(vcpu, &sregs);
	sregs.ds = flat;
	sregs.es = flat;
	sregs.fs = flat;
	sregs.gs = flat;
	sregs.ss = flat;
	flat.type = 11;
	flat.selector = 8;
	sregs.cs = flat;
	sregs.cr0 |= X86_CR0_PE;
	vcpu_sregs_set(vcpu, &sregs);
	vcpu_regs_set(vcpu, &regs);
}

static struct kvm_vcpu *create(enum bhb_shown shown, const char *parameters)
{
	struct kvm_vcpu *vcpu;

	vm = vm_create_barebones();
	vm_ioctl(vm, KVM_SET_TSS_ADDR, (void *)0xfffbd000ul);
	vm_ioctl(vm, KVM_CREATE_IRQCHIP, NULL);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, 0, 0, MEMORY / getpagesize(), 0);
	vcpu = __vm_vcpu_add(vm, 0);
	bhb_show(vcpu, shown);
	set_registers(vcpu, load());
	put_start_info(parameters);
	return vcpu;
}

static u8 *symbol(const char *name)
{
	u64 addr = kallsyms_addr(name);

	TEST_ASSERT(addr, "%s is not a symbol of this kernel", name);
	return at(addr - KERNEL_MAP);
}

/* Has the guest tell when it is at a function, where it stays. */
static void tell_at(const char *name, u8 port)
{
	u8 *insn = symbol(name);

	insn[0] = 0xe6;		/* out %al, $port; QEMU's SVM does not intercept INT3 */
	insn[1] = port;
}

/*
 * Not by what the guest says on a serial port: that costs a VM-exit for each character, a
 * minute on a slow machine.  Alternatives are what it goes on to from its mitigations.
 * No device is there, but for what the guest would wait for: a clock that is not busy, a
 * timer that has run out.  It has no ticks: on a busy computer it would do nothing but
 * serve them.
 */
static void run_until_mitigations_are_chosen(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	bool idle;

	tell_at("alternative_instructions", CHOSEN);
	tell_at("panic", PANICS);
	for (;;) {
		vcpu_run(vcpu);
		if (run->exit_reason == KVM_EXIT_MMIO) {
			memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
			continue;
		}
		TEST_ASSERT_EQ(run->exit_reason, KVM_EXIT_IO);
		TEST_ASSERT(run->io.port != PANICS, "the guest panics");
		if (run->io.port == CHOSEN)
			return;
		idle = run->io.port == CMOS_DATA || run->io.port == PIT_SPEAKER;
		memset((u8 *)run + run->io.data_offset, idle ? 0 : 0xff, run->io.size * run->io.count);
	}
}

/* --- the cases ------------------------------------------------------------ */

static void expect(enum bhb_shown shown, const char *parameters, unsigned int outer, unsigned int inner)
{
	struct kvm_vcpu *vcpu = create(shown, parameters);
	u8 is_outer, is_inner;

	run_until_mitigations_are_chosen(vcpu);
	TEST_ASSERT(memmem(symbol("__log_buf"), LOG_SIZE, CLEARS, strlen(CLEARS)), "the guest does not say: " CLEARS);
	is_outer = *symbol("bhb_seq_outer_loop");
	is_inner = *symbol("bhb_seq_inner_loop");
	CASE_EXPECT(is_outer == outer && is_inner == inner, "the guest clears %u times %u branches, want %u times %u",
		    is_outer, is_inner, outer, inner);
}

static void short_with_the_bit(void)
{
	expect(BHB_SHOW_SHORT, "", 5, 5);
}

static void long_without_it(void)
{
	expect(BHB_SHOW_NOTHING, "", 12, 7);
}

static void long_by_command_line(void)
{
	expect(BHB_SHOW_SHORT, "spectre_bhi=long", 12, 7);
}

static const struct witness_case cases[] = {
	{
		.name = "short_with_the_bit",
		.verifies = "a guest that is told that the short sequence is adequate uses it",
		.run = short_with_the_bit,
	}, {
		.name = "long_without_it",
		.verifies = "a guest that is told nothing uses the long sequence",
		.run = long_without_it,
	}, {
		.name = "long_by_command_line",
		.verifies = "spectre_bhi=long overrules the hypervisor",
		.run = long_by_command_line,
	},
};

int main(int argc, char **argv)
{
	static const struct witness_test test = {
		.name = "bhb_linux_guest_test",
		.needs = "a host that supports the bit; its kernel's vmlinux at " IMAGE "; root, KALLSYMS_ALL",
		.seed = "x86/bhi: Make clear_bhb_loop() effective on newer CPUs, its thread (2026-04-07)",
		.append = "clearcpuid=hypervisor",
		.wants = WANTS_KERNEL,
		.prepare = kallsyms_prepare,
		.setup = setup,
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return witness_main(&test, argc, argv);
}
