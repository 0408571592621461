/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of the program, with one line that says why.
 */
#ifndef REPORT_DIE_H
#define REPORT_DIE_H

#include "../include/util.h"

#define EXIT_FAILED	1
#define EXIT_USAGE	2
#define EXIT_OURS	3
#define EXIT_NOTHING	4

void __noreturn die(int code, const char *fmt, ...) __printf(2, 3);

#endif /* REPORT_DIE_H */
