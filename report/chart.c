// SPDX-License-Identifier: GPL-2.0-only
/*
 * Charts of the page, see chart.h.
 */
#include "chart.h"
#include "../include/ktap.h"

/* The newest are what fits. */
#define MAX_VERDICTS	240
#define MAX_SECONDS	60
#define HEIGHT		12

/* A bar for each, no wider than can be seen at once; equal neighbours are one. */
void chart_verdicts(FILE *out, const unsigned char *history, unsigned int n)
{
	unsigned int first = n > MAX_VERDICTS ? n - MAX_VERDICTS : 0, width = n - first > 40 ? 2 : 5, i, j;

	fprintf(out, "<svg width=%u height=%d>", (n - first) * width, HEIGHT);
	for (i = first; i < n; i = j) {
		for (j = i + 1; j < n && history[j] == history[i]; j++)
			;
		fprintf(out, "<rect class=%s x=%u width=%u height=%d />", verdict_name(history[i]), (i - first) * width,
			(j - i) * width, HEIGHT);
	}
	fputs("</svg>", out);
}

void chart_seconds(FILE *out, const double *seconds, unsigned int n)
{
	unsigned int first = n > MAX_SECONDS ? n - MAX_SECONDS : 0, i;
	double most = 0;

	for (i = first; i < n; i++)
		most = seconds[i] > most ? seconds[i] : most;
	if (n - first < 2 || most <= 0)
		return;
	fprintf(out, "<svg viewBox=\"0 0 %u %d\" preserveAspectRatio=none><polyline points=\"", n - first - 1, HEIGHT);
	for (i = first; i < n; i++)
		fprintf(out, "%u %.1f ", i - first, HEIGHT - seconds[i] / most * (HEIGHT - 1));
	fprintf(out, "\"/></svg>");
}
