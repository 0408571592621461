/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine's side of the results channel (protocol.h): runs the tests that it
 * is told to.
 */
#ifndef MACHINE_SERVE_H
#define MACHINE_SERVE_H

/*
 * Serves on @fd, with the tests in folder @dir, until the end of the stream.  Returns 0, or -1 when the channel broke.
 */
int serve(int fd, const char *dir);

/* An "error" line, for what init finds out before it can serve. */
void serve_error(int fd, const char *what);

#endif /* MACHINE_SERVE_H */
