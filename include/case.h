/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test is a table of cases; witness_main() runs them and prints KTAP.
 *
 * Every case runs in a process of its own, so that one that dies (an assertion
 * of the framework, a signal) costs only itself.  A case that ends without
 * having checked anything is a failure: it could not have failed.
 */
#ifndef KVM_WITNESS_CASE_H
#define KVM_WITNESS_CASE_H

#include <stddef.h>

#include "util.h"

struct witness_case {
	const char *name;		/* unique in the project as <test>.<name> */
	const char *verifies;		/* one sentence */
	const char *needs;		/* what it skips without; NULL: nothing beyond the test */
	void (*run)(void);
};

struct witness_test {
	const char *name;
	const char *needs;		/* what all cases skip without */
	const char *seed;		/* where the behaviour comes from: a mail, a commit */
	const char *append;		/* kernel parameters that a machine boots with for this test; may be NULL */
	const char *wants;		/* the kind of machine that it is best run on, see below; NULL: any */
	void (*prepare)(void);		/* runs once, before all cases: what they can share */
	void (*setup)(void);		/* runs first in each case's process; may case_skip() */
	void (*finish)(void);		/* undoes what cases have changed outside of their process, see below */
	const struct witness_case *cases;
	size_t nr_cases;
};

/*
 * A case may end anywhere, and so may the test, by Ctrl-C or when its time is up.
 * finish() runs all the same: once, when no case runs any more, in a process that was
 * forked after prepare() and has what that left.
 */

/*
 * What a test may want.  A machine that has no such kind runs it as it is: the test
 * finds out by itself what it has, and skips.
 */
#define WANTS_TWO_NODES		"nodes=2"	/* each with memory and a CPU */
#define WANTS_THREE_NODES	"nodes=3"	/* CPU 0 and memory, CPU 1 and none, no CPU and memory */
#define WANTS_NO_GUEST_FILES	"guests=0"	/* an AIA, and how many interrupt files a CPU has for guests */
#define WANTS_ONE_GUEST_FILE	"guests=1"
#define WANTS_SEVEN_GUEST_FILES	"guests=7"
#define WANTS_OWN_MITIGATIONS	"mitigations=own"	/* nothing on the command line about the CPU but the test's */
#define WANTS_KERNEL		"kernel=inside"	/* the kernel's image at /vmlinux */
#define WANTS_KVM_MODULE	"kvm=module"	/* kvm_amd as a module, an AMD IOMMU and its driver */
#define WANTS_L1TF		"l1tf"		/* an Intel processor with L1TF and MMIO Stale Data */

/*
 * The main() of a test.  "TEST [CASE...]" runs all or the named cases,
 * "TEST --list" names them, "TEST --list-json" describes them.
 * Returns kselftest's exit codes: 0 pass, 1 fail, 4 nothing could run;
 * 2 is a usage error.
 */
int witness_main(const struct witness_test *test, int argc, char **argv);

/* End the running case, with a reason for its result line. */
void __noreturn __printf(1, 2) case_skip(const char *fmt, ...);
void __noreturn __printf(1, 2) case_fail(const char *fmt, ...);

/* For CASE_EXPECT(): counts that the case has checked something. */
void case_checked(void);

/*
 * What the case verifies.  What it stands on (a set-up that worked, a window that is
 * not empty) is for TEST_ASSERT(): it does not count as a check.  The message says
 * what was seen and what was wanted.
 */
#define CASE_EXPECT(cond, fmt, ...)				\
do {								\
	case_checked();						\
	if (!(cond))						\
		case_fail(fmt, ##__VA_ARGS__);			\
} while (0)

#endif /* KVM_WITNESS_CASE_H */
