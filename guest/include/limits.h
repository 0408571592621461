/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What libfdt needs of <limits.h>.
 */
#ifndef GUEST_LIMITS_H
#define GUEST_LIMITS_H

#define INT_MAX		__INT_MAX__
#define UINT_MAX	(INT_MAX * 2u + 1)

#endif /* GUEST_LIMITS_H */
