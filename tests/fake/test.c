// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests that do to a real machine what no test should.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(void)
{
	setbuf(stdout, NULL);
	printf("KTAP version 1\n1..2\nok 1 one\n");
#ifdef TEST_panic
	if (write(open("/proc/sysrq-trigger", O_WRONLY), "c", 1) != 1)
		printf("# no sysrq\n");
#elif defined(TEST_reboot)
	reboot(RB_AUTOBOOT);
#elif defined(TEST_hang)
	for (;;)
		pause();
#endif
	printf("ok 2 two\n");
	return 0;
}
