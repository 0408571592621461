/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Charts of the page, as SVG.
 */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include <stdio.h>

/* A strip of verdicts, the oldest at the left. */
void chart_verdicts(FILE *out, const unsigned char *history, unsigned int n);

/* A line of seconds, the oldest at the left. */
void chart_seconds(FILE *out, const double *seconds, unsigned int n);

#endif /* REPORT_CHART_H */
