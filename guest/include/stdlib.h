/* SPDX-License-Identifier: GPL-2.0-only */
/* What libfdt needs of <stdlib.h>: nothing. */
