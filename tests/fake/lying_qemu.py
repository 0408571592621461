#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# A QEMU whose processor lies: at some instructions of the guest-side test kernel, QEMU's
# debugger stub changes what they do.  The image stays as it is.
#
#	tests/fake/lying_qemu.py guest.elf RULE... -- QEMU [ARG...]
#
# A rule is "WHERE [if REG=VALUE...] do ACTION...".  WHERE is an address, a symbol, with an
# offset or without, or a regular expression for "function: disassembled instruction".  "if
# hit=N" is the Nth time that all else holds.  The actions are done in turn:
#
#	REG=VALUE, REG^=VALUE		[REG+N]=VALUE, [REG+N]^=VALUE: 64 bits of memory
#	step				executes the instruction
#	skip				goes on behind it
#
# REG may be "result": where the instruction writes to.  Without step, skip or a new pc the
# instruction is executed in the end.  A value is as WHERE is, the first that there is.

import os
import re
import socket
import subprocess
import sys
import tempfile
import time

X86 = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 pc".split()
ARM = [f"x{n}" for n in range(31)] + ["sp", "pc"]
RISCV = ("zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 "
         "t3 t4 t5 t6 pc").split()
# By the ELF file's machine: registers, the disassembler, where QEMU puts an Image.
ARCHS = {62: (X86, "objdump", 0), 183: (ARM, "aarch64-linux-gnu-objdump", 0x40200000),
         243: (RISCV, "riscv64-linux-gnu-objdump", 0x80200000)}

elf = sys.argv[1]
end = sys.argv.index("--")
with open(elf, "rb") as f:
    regs, objdump, base = ARCHS[int.from_bytes(f.read(20)[18:], "little")]


class Code:
    """The disassembled image."""

    def __init__(self):
        self.symbols, self.text, self.length = {}, {}, {}
        listing = subprocess.run([objdump, "-dw", elf], check=True, capture_output=True, text=True)
        for line in listing.stdout.splitlines():
            if m := re.fullmatch(r"([0-9a-f]+) <(\S+)>:", line):
                function = m[2]
                self.symbols[function] = base + int(m[1], 16)
            elif m := re.match(r" *([0-9a-f]+):\t((?:[0-9a-f]{2,8} )+) *\t(.*)", line):
                at = base + int(m[1], 16)
                self.text[at] = f"{function}: " + " ".join(m[3].split())
                self.length[at] = len(m[2].replace(" ", "")) // 2

    # All that a word of a rule means: one number, or where such instructions are.
    def values(self, word):
        if re.fullmatch(r"-?(0x[0-9a-f]+|\d+)", word):
            return [int(word, 0) & (1 << 64) - 1]
        symbol, _, offset = word.partition("+")
        if symbol in self.symbols:
            return [self.symbols[symbol] + int(offset or "0", 0)]
        return [at for at, text in self.text.items() if re.search(word, text)] or sys.exit(f"{word}: there is none")

    def result(self, at):
        operands = re.split(r"[ ,()]+", self.text[at].partition(": ")[2].split("#")[0].strip())[1:]
        name = operands[-1 if regs is X86 else 0].lstrip("%")
        return name.replace("e", "r", 1) if regs is X86 else name.replace("w", "x")


class Rule:
    def __init__(self, text, code):
        where, what = text.split(" do ")
        where, _, conditions = where.partition(" if ")
        self.at = code.values(where)
        self.conditions = [c.split("=") for c in conditions.split()]
        self.actions = what.split()
        self.hits = 0


class Stub:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        for _ in range(400):
            try:
                self.socket.connect(path)
                break
            except OSError:
                time.sleep(0.02)
        self.buffer = b""

    # A packet and the answer to it.
    def ask(self, data):
        self.socket.sendall(b"$%s#%02x" % (data.encode(), sum(data.encode()) & 255))
        while not (m := re.match(rb"[+]*\$([^#]*)#..", self.buffer)):
            part = self.socket.recv(4096)
            if not part:
                raise ConnectionResetError
            self.buffer += part
        self.buffer = self.buffer[m.end():]
        self.socket.sendall(b"+")
        return m[1].decode()

    def get(self, place):
        if place in regs:
            return int.from_bytes(bytes.fromhex(self.ask(f"p{regs.index(place):x}")), "little")
        return int.from_bytes(bytes.fromhex(self.ask(f"m{self.address(place):x},8")), "little")

    def set(self, place, value):
        data = value.to_bytes(8, "little").hex()
        if place in regs:
            self.ask(f"P{regs.index(place):x}={data}")
        else:
            self.ask(f"M{self.address(place):x},8:{data}")

    def address(self, place):
        reg, _, offset = place.strip("[]").partition("+")
        return self.get(reg) + int(offset or "0", 0)

    # QEMU may stop at the breakpoint once more before it steps.
    def step(self, stop):
        cpu = re.search(r"thread:([0-9a-f.p]+);", stop)[1]
        pc = self.get("pc")
        while self.get("pc") == pc:
            self.ask(f"vCont;s:{cpu}")


def holds(stub, rule):
    for name, value in rule.conditions:
        if name != "hit" and stub.get(name) != code.values(value)[0]:
            return False
    rule.hits += 1
    return all(name != "hit" or rule.hits == int(value) for name, value in rule.conditions)


def apply(stub, rule, pc, stop):
    go_on = True
    for action in rule.actions:
        if action == "step":
            stub.step(stop)
            go_on = False
        elif action == "skip":
            stub.set("pc", pc + code.length[pc])
            go_on = False
        else:
            place, changes, value = re.fullmatch(r"(.*?)(\^?)=(.*)", action).groups()
            place = code.result(pc) if place == "result" else place
            stub.set(place, code.values(value)[0] ^ (stub.get(place) if changes else 0))
            go_on = go_on and place != "pc"
    if go_on:
        stub.step(stop)


def lie(path):
    stub = Stub(path)
    os.unlink(path)
    os.rmdir(os.path.dirname(path))
    # Single registers are for those only who know which there are.
    stub.ask("qXfer:features:read:target.xml:0,ff")
    for rule in rules:
        for at in rule.at:
            stub.ask(f"Z0,{at:x},1")
    while True:
        stop = stub.ask("c")
        # Ended, or stopped by somebody else: the VM is moved.
        if not stop.startswith("T05"):
            return
        pc = stub.get("pc")
        for rule in rules:
            if pc in rule.at and holds(stub, rule):
                apply(stub, rule, pc, stop)
                break
        else:
            stub.step(stop)


code = Code()
rules = [Rule(text, code) for text in sys.argv[2:end]]
path = os.path.join(tempfile.mkdtemp(), "gdb")
if os.fork():
    qemu = sys.argv[end + 1:]
    os.execvp(qemu[0], qemu + ["-S", "-gdb", f"unix:{path},server=on,wait=off"])
os.closerange(3, 64)
try:
    lie(path)
except (BrokenPipeError, ConnectionResetError):
    pass	# QEMU has ended
