/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random x86 instructions of a row of the decoder's tables, and random states to run them from. */
#ifndef TESTS_LIB_X86_RANDOM_H
#define TESTS_LIB_X86_RANDOM_H

#include "target/i386/decode.h"
#include "tests/lib/x86-harness.h"
#include "tests/lib/fp-random.h"

/* Bytes that begin with an instruction of @row (prefixes, VEX, ModRM mostly with a pointer as its
 * base), random ones behind: to be judged by the decoder. Their number, at most 32. */
unsigned x86_random_insn(Random *r, unsigned bits, const X86Row *row, uint8_t out[32]);
/* x86_decode() of @n bytes. */
X86DecodeResult x86_decode_bytes(X86Insn *i, unsigned bits, const uint8_t *p, unsigned n);
/* Vector registers of all kinds of numbers, MXCSR with any rounding; registers that are
 * pointers into the data area, mostly aligned. */
void x86_random_vector_state(Random *r, unsigned bits, XhState *st);
/* Over that, the x87: numbers of all kinds, any TOP, some registers empty, exceptions mostly
 * masked. */
void x86_random_x87_state(Random *r, XhState *st);

#endif
