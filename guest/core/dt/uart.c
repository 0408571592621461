// SPDX-License-Identifier: GPL-2.0-only
/*
 * A UART in memory, see uart.h.
 */
#include "dt.h"
#include "../mmio.h"
#include "uart.h"

#define PL011_FR	0x18
#define PL011_FR_RXFE	BIT(4)
#define PL011_FR_TXFF	BIT(5)
#define PL011_CR	0x30
#define PL011_CR_ON	0x301		/* receiver, transmitter, UART */

#define LSR		5		/* of a 16550 */
#define LSR_DATA	BIT(0)
#define LSR_EMPTY	BIT(5)

static u64 base;
static bool pl011;
static unsigned int shift;

bool uart_init(void)
{
	int n = dt_compatible(-1, "arm,pl011");
	u64 address, size;

	pl011 = n >= 0;
	if (n < 0)
		n = dt_compatible(-1, "ns16550a");
	if (n < 0)
		n = dt_compatible(-1, "ns16550");
	if (!dt_reg(n, 0, &address, &size))
		return false;
	shift = dt_cell(n, "reg-shift", 0, 0);
	base = address;
	if (pl011)
		mmio_write(base + PL011_CR, PL011_CR_ON);
	return true;
}

static u8 lsr(void)
{
	return mmio_read8(base + (LSR << shift));
}

void uart_putc(char c)
{
	if (!base)
		return;
	if (pl011) {
		while (mmio_read(base + PL011_FR) & PL011_FR_TXFF)
			;
		mmio_write(base, c);
	} else {
		while (!(lsr() & LSR_EMPTY))
			;
		mmio_write8(base, c);
	}
}

int uart_getc(void)
{
	if (!base)
		return -1;
	if (pl011)
		return mmio_read(base + PL011_FR) & PL011_FR_RXFE ? -1 : (int)(mmio_read(base) & 0xff);
	return lsr() & LSR_DATA ? mmio_read8(base) : -1;
}
