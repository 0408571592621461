#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# R16 to R31 by QEMU's debugger stub, and through a migration: writes them in a machine
# that is stopped, saves that to a file, and reads them in another one that begins with it.
#
#	tests/apx_migration.py QEMU FOLDER [CPU]
#
# Exit code 0 and nothing printed when all came through, else a line that says what did not.

import os
import re
import socket
import subprocess
import sys
import time

qemu, folder = sys.argv[1:3]
cpu = sys.argv[3] if len(sys.argv) > 3 else "max"
state = os.path.join(folder, "state")


def connect(path):
    for _ in range(200):
        try:
            s = socket.socket(socket.AF_UNIX)
            s.connect(path)
            s.settimeout(20)
            return s
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{path}: nobody listens")


class Machine:
    def __init__(self, name, *more):
        self.paths = [os.path.join(folder, f"{name}.{what}") for what in ("gdb", "hmp")]
        self.process = subprocess.Popen(
            [qemu, "-M", "q35", "-cpu", cpu, "-nodefaults", "-display", "none", "-S", "-m", "32M",
             "-gdb", f"unix:{self.paths[0]},server=on,wait=off",
             "-monitor", f"unix:{self.paths[1]},server=on,wait=off", *more])
        self.hmp = connect(self.paths[1])
        self.until_prompt()
        self.gdb = connect(self.paths[0])
        self.buffer = b""

    def until_prompt(self):
        text = b""
        while not text.endswith(b"(qemu) "):
            part = self.hmp.recv(4096)
            if not part:
                sys.exit("QEMU has gone: " + text.decode(errors="replace"))
            text += part
        return text.decode(errors="replace")

    def monitor(self, line):
        self.hmp.sendall(line.encode() + b"\n")
        return self.until_prompt()

    # One packet of the remote serial protocol, and the answer's payload.
    def ask(self, text):
        self.gdb.sendall(f"${text}#{sum(text.encode()) & 0xff:02x}".encode())
        while True:
            found = re.search(rb"\$([^#]*)#..", self.buffer)
            if found:
                self.buffer = self.buffer[found.end():]
                self.gdb.sendall(b"+")
                return found.group(1).decode()
            part = self.gdb.recv(65536)
            if not part:
                sys.exit(f"QEMU has gone at {text}")
            self.buffer += part

    def feature(self, name):
        text = ""
        while True:
            part = self.ask(f"qXfer:features:read:{name}:{len(text):x},800")
            text += part[1:]
            if part[:1] != "m":
                return text

    def end(self):
        self.process.kill()
        self.process.wait()


values = [f"{(i + 1) * 0x9E3779B97F4A7C15 % 2**64:016x}" for i in range(16)]
one = Machine("one")
target = one.feature("target.xml")
if "i386-64bit-apx.xml" not in target:
    one.end()
    sys.exit("the debugger is not told of R16 to R31")
# Behind those that are not commented out.
first = re.sub(r"<!--.*?-->", "", one.feature("i386-64bit.xml"), flags=re.S).count("<reg ")
for i, value in enumerate(values):
    if one.ask(f"P{first + i:x}={value}") != "OK" or one.ask(f"p{first + i:x}") != value:
        one.end()
        sys.exit(f"R{16 + i} cannot be written")
one.monitor(f"migrate exec:cat>{state}")
for _ in range(200):
    if "completed" in one.monitor("info migrate"):
        break
    time.sleep(0.05)
one.end()

two = Machine("two", "-incoming", f"exec:cat {state}")
for _ in range(200):
    if "inmigrate" not in two.monitor("info status"):
        break
    time.sleep(0.05)
got = [two.ask(f"p{first + i:x}") for i in range(16)]
two.end()
for i, value in enumerate(values):
    if got[i] != value:
        sys.exit(f"R{16 + i} is {got[i]} after a migration, was {value}")
