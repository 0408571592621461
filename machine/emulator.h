/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A running machine: the emulator (or, for the machine "host", serve) as a child
 * process with its three streams.
 */
#ifndef MACHINE_EMULATOR_H
#define MACHINE_EMULATOR_H

#include <stdbool.h>
#include <sys/types.h>

struct emulator {
	pid_t pid;		/* 0: not running */
	int channel;		/* results channel, both ways; -1: closed */
	int console;		/* its stdout: the machine's console; -1: closed */
	int errors;		/* its stderr; -1: closed */
	int status;		/* wait status once it has ended */
};

/*
 * Starts @argv with the results channel as file descriptor PROTOCOL_FD.
 * 0, or -1 with errno set; ENOENT when there is no such program.
 */
int emulator_start(struct emulator *e, char **argv);

/* True once the process has ended; then @e->status is valid. */
bool emulator_ended(struct emulator *e);

/* Kills it if it still runs, waits, closes all streams. */
void emulator_stop(struct emulator *e);

#endif /* MACHINE_EMULATOR_H */
