/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What cmocka wants included before itself.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif /* TESTS_UNIT_H */
