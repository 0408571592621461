/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is said on the results channel between boot (host side) and serve (in the
 * machine: PID 1 or, for the machine "host", a plain process).  Lines of text,
 * so that any byte stream will do: a virtio-serial port, a UART, a socket.
 *
 * serve says				boot says
 *   hello <version> <release>		  run <seconds> <test> [case...]
 *   out <line of the test>
 *   end exit <code> <ms>
 *   end signal <number> <ms>
 *   end timeout <ms>
 *   end stuck <ms>
 *   error <what is wrong with the machine>
 *
 * The machine is switched off from outside when boot has heard all it wants.
 * "stuck" is a test that SIGKILL did not end: the machine is of no more use.
 */
#ifndef MACHINE_PROTOCOL_H
#define MACHINE_PROTOCOL_H

#define PROTOCOL_VERSION	"1"

/* The name of the virtio-serial port. */
#define PROTOCOL_PORT		"kvm-witness.results"

/* The kernel parameter, which the kernel gives to init as a variable, that names a UART instead. */
#define PROTOCOL_UART		"KVM_WITNESS_UART"

/* The file descriptor of the channel in an emulator, and in serve as a process. */
#define PROTOCOL_FD		3

/* How init begins a console line that says why it cannot serve. */
#define INIT_COMPLAINT		"kvm-witness: init: "

#endif /* MACHINE_PROTOCOL_H */
