/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Result folders of run_tests.sh: finds them, and reads them into the store.
 */
#ifndef REPORT_FOLDER_H
#define REPORT_FOLDER_H

#include <stdbool.h>

#include "store.h"

/*
 * Every result folder at @path or below it; of a file ktap its folder alone.  One that has not changed since it was stored
 * is not read again.  Returns how many there are.  What is amiss with one is stored with
 * it, and is told on stderr.
 */
unsigned long folders_collect(struct store *s, const char *path);

#endif /* REPORT_FOLDER_H */
