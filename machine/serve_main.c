// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine "host": the tests run on this kernel, as processes of boot's child.
 *
 *	serve DIR	the results channel is file descriptor 3
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "protocol.h"
#include "serve.h"

int main(int argc, char **argv)
{
	if (argc != 2 || fcntl(PROTOCOL_FD, F_SETFD, FD_CLOEXEC)) {
		fprintf(stderr, "serve: started by run_tests.sh only\n");
		return 2;
	}
	/* A test that is killed with its runner must not linger. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	return serve(PROTOCOL_FD, argv[1]) ? 1 : 0;
}
