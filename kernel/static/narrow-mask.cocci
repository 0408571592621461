// SPDX-License-Identifier: GPL-2.0-only
//
// A mask that is narrower than the 64 bits of the parameter that it is passed for, and so
// leaves out the upper ones: -1UL and ~0UL have 32 bits where unsigned long has, -1U and
// ~0U always, and they are extended by zeros.  -1, ~0 and -1ULL are right.
//
// It is a mask of interrupts that matters: those from 32 on never woke a vCPU of a 32-bit
// host (fixed by ea138a607709).

@wide@
identifier fn, mask;
parameter list[n] before;
@@
 fn(before, u64 mask, ...) { ... }

@narrow@
identifier wide.fn;
expression list[wide.n] before;
expression bit, high, low;
position p;
@@
 fn(before,
(
  -1UL@p
|
  ~0UL@p
|
  ULONG_MAX@p
|
  -1U@p
|
  ~0U@p
|
  UINT_MAX@p
|
  ~BIT(bit)@p
|
  ~GENMASK(high, low)@p
|
  (unsigned long)-1@p
|
  (unsigned long)~0@p
)
  , ...)

@script:python@
fn << wide.fn;
p << narrow.p;
@@
print("%s:%s: the mask for %s() has 32 bits on 32-bit hosts" % (p[0].file, p[0].line, fn))
