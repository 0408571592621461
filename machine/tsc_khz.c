// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints this host's TSC frequency in kHz, or nothing where there is no TSC.
 *
 * QEMU's software emulation gives an x86 guest the host's TSC.  A guest kernel that
 * has to find its frequency out by itself, with timers that are emulated on a busy
 * host, now and then fails, and then KVM in it has no TSC frequency either.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#ifdef __x86_64__
#include <x86intrin.h>

#define APART_NS	10000000	/* between the two readings */
#define CLOSE_NS	2000		/* TSC and clock must be read that close together */

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

struct reading {
	int64_t ns;
	uint64_t tsc;
};

/* Repeated until nothing came in between. */
static struct reading read_both(void)
{
	struct reading r;
	int64_t after;

	do {
		r.ns = now_ns();
		r.tsc = __rdtsc();
		after = now_ns();
	} while (after - r.ns > CLOSE_NS);
	return r;
}

int main(void)
{
	struct reading first = read_both(), last;

	do {
		last = read_both();
	} while (last.ns - first.ns < APART_NS);
	printf("%llu\n", (unsigned long long)((last.tsc - first.tsc) * 1000000.0 / (last.ns - first.ns)));
	return 0;
}

#else

int main(void)
{
	return 0;
}

#endif
