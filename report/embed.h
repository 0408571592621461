/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that are part of the program, each ended by a NUL.
 */
#ifndef REPORT_EMBED_H
#define REPORT_EMBED_H

extern const char embed_schema[], embed_css[], embed_js[];

#endif /* REPORT_EMBED_H */
