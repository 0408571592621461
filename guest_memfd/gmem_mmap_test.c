// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host sees through a mapping of guest_memfd: the guest's memory where it is
 * shared, SIGBUS where it is not or ends, and never what was there before.
 *
 * Catches: private memory in the hands of the host, a page too many at the end of the
 * file, stale data after a hole was punched, in the host or in the guest, and a mapping
 * that is a copy ("KVM: Mapping guest_memfd backed memory at the host for
 * software protected VMs", 2025, Linux 6.18).
 *
 * The guest counts up the first byte of each page, so that who sees whose writes in
 * what order shows in its value.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/falloc.h>

#include "case.h"
#include "compat.h"
#include "gmem.h"
#include "kvm_syscalls.h"

#define PAGES	8

static size_t page;

static void setup(void)
{
	gmem_need(GMEM_SHARED);
	page = getpagesize();
}

static void expect_signal(char *at, int want, const char *what)
{
	int seen = gmem_signal_of(at);

	CASE_EXPECT(seen == want, "%s: signal %d, want %d", what, seen, want);
}

static void expect_byte(char *mem, size_t i, char want, const char *what)
{
	char seen = READ_ONCE(mem[i * page]);

	CASE_EXPECT(seen == want, "%s: page %zu begins with %d, want %d", what, i, seen, want);
}

/* mmap() must fail like this. */
static void expect_no_mmap(int fd, size_t len, int prot, int flags, off_t offset, int want, const char *what)
{
	void *mem = mmap(NULL, len, prot, flags, fd, offset);
	int seen = mem == MAP_FAILED ? errno : 0;

	CASE_EXPECT(seen == want, "%s: %s, want %s", what, strerror(seen), strerror(want));
}

static void without_flag(void)
{
	int fd = gmem_create(PAGES, 0);

	expect_no_mmap(fd, page, PROT_READ | PROT_WRITE, MAP_SHARED, 0, ENODEV, "a file without the flag");
	expect_no_mmap(fd, page, PROT_READ, MAP_SHARED, 0, ENODEV, "to read only");
}

static void no_copy(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);

	expect_no_mmap(fd, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0, EINVAL, "MAP_PRIVATE");
	expect_no_mmap(fd, page, PROT_READ, MAP_PRIVATE, 0, EINVAL, "MAP_PRIVATE to read only");
	expect_no_mmap(fd, 0, PROT_READ, MAP_SHARED, 0, EINVAL, "no length");
	expect_no_mmap(fd, page, PROT_READ, MAP_SHARED, page / 2, EINVAL, "half a page in");
}

static void private_is_sigbus(void)
{
	int fd = gmem_create(PAGES, GUEST_MEMFD_FLAG_MMAP);
	char *mem = gmem_map(fd, 0, PAGES);

	expect_signal(mem, SIGBUS, "a private page that is not there");
	gmem_allocate(fd, 0, PAGES);
	expect_signal(mem, SIGBUS, "a private page that is there");
	expect_signal(mem + (PAGES - 1) * page, SIGBUS, "the last one");
}

static void guests_page_is_sigbus(void)
{
	struct gmem_guest g = gmem_guest_create(PAGES, GUEST_MEMFD_FLAG_MMAP);
	char *mem = gmem_map(g.fd, 0, PAGES);

	gmem_guest_touch(&g, 0, PAGES);
	expect_signal(mem, SIGBUS, "a private page of the guest");
	gmem_guest_touch(&g, 0, PAGES);
	expect_signal(mem, SIGBUS, "after one more turn of the guest");
}

static void beyond_the_end(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, 2 * PAGES), *tail = gmem_map(fd, PAGES - 1, 2), *far = gmem_map(fd, PAGES, 1);

	expect_signal(mem + PAGES * page - 1, 0, "the last byte");
	expect_signal(mem + PAGES * page, SIGBUS, "the byte behind the end");
	expect_signal(mem + 2 * PAGES * page - 1, SIGBUS, "the end of the mapping");
	expect_signal(tail, 0, "the last page, mapped alone");
	expect_signal(tail + page, SIGBUS, "the page behind it");
	expect_signal(far, SIGBUS, "a mapping that begins behind the end");
	CASE_EXPECT(fallocate(fd, FALLOC_FL_KEEP_SIZE, (PAGES - 1) * page, 2 * page) && errno == EINVAL,
		    "fallocate() beyond the end: %s, want EINVAL", strerror(errno));
	expect_signal(tail + page, SIGBUS, "and after that");
}

static void mappings_are_one_memory(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, PAGES), *tail = gmem_map(fd, 4, 4);
	size_t i;

	for (i = 0; i < PAGES; i++)
		mem[i * page] = 10 + i;
	for (i = 0; i < 4; i++)
		expect_byte(tail, i, 14 + i, "written through the other mapping");
	tail[page] = 99;
	expect_byte(mem, 5, 99, "written through the mapping of the tail");
}

static void guest_and_host(void)
{
	struct gmem_guest g = gmem_guest_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(g.fd, 0, PAGES);
	size_t i;

	for (i = 0; i < PAGES; i++)
		mem[i * page] = 10 + i;
	gmem_guest_touch(&g, 0, PAGES);
	for (i = 0; i < PAGES; i++)
		expect_byte(mem, i, 11 + i, "written by the host, counted up by the guest");
	mem[3 * page] = 40;
	gmem_guest_touch(&g, 3, 1);
	expect_byte(mem, 3, 41, "written and counted up again");
}

/* What the pages had before is most likely what comes back when nobody clears them. */
static void new_pages_are_zero(void)
{
	int fd = gmem_create(64, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, 64);
	size_t i, dirty = 0;

	memset(mem, 0xaa, 64 * page);
	gmem_punch(fd, 0, 64);
	for (i = 0; i < 64 * page; i++)
		dirty += !!READ_ONCE(mem[i]);
	CASE_EXPECT(!dirty, "%zu bytes of new pages are not zero", dirty);
}

static void new_guest_pages_are_zero(void)
{
	struct gmem_guest g = gmem_guest_create(64, GMEM_SHARED);
	char *mem = gmem_map(g.fd, 0, 64);
	size_t i;

	memset(mem, 0xaa, 64 * page);
	gmem_punch(g.fd, 0, 64);
	gmem_guest_touch(&g, 0, 64);
	for (i = 0; i < 64; i++)
		expect_byte(mem, i, 1, "counted up once by the guest");
}

/* The guest has the pages mapped when the hole is punched. */
static void hole_in_the_guest(void)
{
	struct gmem_guest g = gmem_guest_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(g.fd, 0, PAGES);

	gmem_guest_touch(&g, 0, PAGES);
	gmem_guest_touch(&g, 0, PAGES);
	gmem_punch(g.fd, 2, 4);
	gmem_guest_touch(&g, 0, PAGES);
	expect_byte(mem, 1, 3, "before the hole");
	expect_byte(mem, 2, 1, "the hole's first page");
	expect_byte(mem, 5, 1, "the hole's last page");
	expect_byte(mem, 6, 3, "behind the hole");
}

static void hole_in_the_host(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, PAGES);

	gmem_touch(mem, PAGES);
	gmem_punch(fd, 2, 2);
	kvm_madvise(mem + 4 * page, 2 * page, MADV_REMOVE);
	expect_byte(mem, 1, 1, "before the holes");
	expect_byte(mem, 2, 0, "punched");
	expect_byte(mem, 3, 0, "punched");
	expect_byte(mem, 4, 0, "MADV_REMOVE");
	expect_byte(mem, 5, 0, "MADV_REMOVE");
	expect_byte(mem, 6, 1, "behind the holes");
	kvm_madvise(mem, PAGES * page, MADV_DONTNEED);
	expect_byte(mem, 1, 1, "after MADV_DONTNEED");
}

static void protection(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, PAGES);

	expect_no_mmap(fd, page, PROT_READ | PROT_EXEC, MAP_SHARED, 0, EPERM, "PROT_EXEC");
	CASE_EXPECT(mprotect(mem, page, PROT_READ | PROT_EXEC) && errno == EACCES,
		    "mprotect(PROT_EXEC): %s, want EACCES", strerror(errno));
	mem[0] = 5;
	TEST_ASSERT(!mprotect(mem, PAGES * page, PROT_READ), "mprotect(PROT_READ)");
	expect_signal(mem, SIGSEGV, "a page to read only");
	expect_byte(mem, 0, 5, "a page to read only");
	TEST_ASSERT(!mprotect(mem, PAGES * page, PROT_READ | PROT_WRITE), "mprotect(PROT_WRITE)");
	expect_signal(mem, 0, "a page to write again");
}

static void moved_and_grown(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 2, 2), *away;

	mem[0] = 7;
	mem[page] = 8;
	away = mremap(mem, 2 * page, PAGES * page, MREMAP_MAYMOVE);
	TEST_ASSERT(away != MAP_FAILED, "mremap()");
	expect_byte(away, 0, 7, "grown");
	expect_byte(away, 1, 8, "grown");
	expect_signal(away + (PAGES - 3) * page, 0, "the file's last page");
	expect_signal(away + (PAGES - 2) * page, SIGBUS, "behind the end of the file");
}

static void child_shares(void)
{
	int fd = gmem_create(PAGES, GMEM_SHARED);
	char *mem = gmem_map(fd, 0, PAGES);
	int status;
	pid_t child;

	mem[0] = 20;
	child = fork();
	TEST_ASSERT(child >= 0, "fork");
	if (!child) {
		signal(SIGSEGV, SIG_DFL);
		mem[page] = mem[0] + 1;
		_exit(0);
	}
	TEST_ASSERT(waitpid(child, &status, 0) == child, "waitpid");
	CASE_EXPECT(!status, "a child that touches its parent's mapping ends with status %#x", status);
	expect_byte(mem, 1, 21, "written by a child from what it has read");
}

static const struct witness_case cases[] = {
	{
		.name = "without_flag",
		.verifies = "a file without GUEST_MEMFD_FLAG_MMAP cannot be mapped",
		.run = without_flag,
	}, {
		.name = "no_copy",
		.verifies = "MAP_PRIVATE, no length and half a page are refused",
		.run = no_copy,
	}, {
		.name = "private_is_sigbus",
		.verifies = "private memory can be mapped, but touching it is SIGBUS, whether it is there or not",
		.run = private_is_sigbus,
	}, {
		.name = "guests_page_is_sigbus",
		.verifies = "the host gets SIGBUS from a private page that the guest is using",
		.run = guests_page_is_sigbus,
	}, {
		.name = "beyond_the_end",
		.verifies = "SIGBUS begins with the first page behind the end of the file, in every mapping",
		.run = beyond_the_end,
	}, {
		.name = "mappings_are_one_memory",
		.verifies = "mappings of the same part of a file, at whatever offset, are the same memory",
		.run = mappings_are_one_memory,
	}, {
		.name = "guest_and_host",
		.verifies = "guest and host see each other's writes, page by page",
		.run = guest_and_host,
	}, {
		.name = "new_pages_are_zero",
		.verifies = "pages that the host touches first are zero",
		.run = new_pages_are_zero,
	}, {
		.name = "new_guest_pages_are_zero",
		.verifies = "pages that the guest touches first are zero",
		.run = new_guest_pages_are_zero,
	}, {
		.name = "hole_in_the_guest",
		.verifies = "a punched hole is one in the guest, too, and no larger than asked for",
		.run = hole_in_the_guest,
	}, {
		.name = "hole_in_the_host",
		.verifies = "a punched hole or MADV_REMOVE gives zeroes, MADV_DONTNEED what was there",
		.run = hole_in_the_host,
	}, {
		.name = "protection",
		.verifies = "nothing can be executed; mprotect() counts",
		.run = protection,
	}, {
		.name = "moved_and_grown",
		.verifies = "mremap() keeps the memory, and ends where the file ends",
		.run = moved_and_grown,
	}, {
		.name = "child_shares",
		.verifies = "a child has its parent's mapping, of the same memory",
		.run = child_shares,
	},
};

static const struct witness_test test = {
	.name = "gmem_mmap_test",
	.needs = "guest_memfd that can be mapped (Linux 6.18)",
	.seed = "https://lore.kernel.org/kvm (2025-07) KVM: Mapping guest_memfd backed memory at the host, v17",
	.setup = setup,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
};

int main(int argc, char **argv)
{
	return witness_main(&test, argc, argv);
}
