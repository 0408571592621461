/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console of boards that have a device tree: a PL011 or a 16550 in memory.
 */
#ifndef GUEST_UART_H
#define GUEST_UART_H

#include "../guest.h"

/* Takes the first one that the device tree names.  False: none. */
bool uart_init(void);

void uart_putc(char c);
int uart_getc(void);		/* -1: nothing has come */

#endif /* GUEST_UART_H */
