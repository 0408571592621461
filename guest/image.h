/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image of the guest-side test kernel inside of vmm.c's program.
 */
#ifndef GUEST_IMAGE_H
#define GUEST_IMAGE_H

extern const char image[];

#endif /* GUEST_IMAGE_H */
