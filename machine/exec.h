/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs one test in a session of its own, under a timeout.
 */
#ifndef MACHINE_EXEC_H
#define MACHINE_EXEC_H

struct exec_end {
	enum { EXEC_EXIT, EXEC_SIGNAL, EXEC_TIMEOUT, EXEC_STUCK } how;
	int value;		/* exit code or signal number */
	unsigned long ms;
};

/*
 * Runs argv[0], giving every line of its output to @out.  When it ends or its
 * time is over, all processes of its group are killed.
 */
struct exec_end exec_test(char **argv, unsigned int timeout_s,
			  void (*out)(char *line, void *arg), void *arg);

#endif /* MACHINE_EXEC_H */
