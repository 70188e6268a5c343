/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * REP MOVS and STOS of every length up to beyond what is done at once, whole or cut short by a page that isn't there, overlapping
 * either way, upwards and downwards, and into their own code: as the host does them.
 */
#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/vcpu.h"
#include "tests/lib/fp-random.h"
#include "tests/lib/test.h"
#include "tests/lib/x86-harness.h"

enum { END = XH_DATA_SIZE, LONGEST = 320 };

static unsigned below(Random *r, unsigned n)
{
    return random_below(r, n);
}

/* Somewhere, or so that it ends or begins at a page's edge, or beyond the last. */
static uint64_t place(Random *r, unsigned bytes)
{
    switch (below(r, 4)) {
    case 0: return (1 + below(r, 4)) * 4096 - MIN(bytes, 4096u) + below(r, 24) - 8;
    case 1: return END - below(r, bytes + 8);
    default: return 512 + below(r, END - 2048);
    }
}

static bool one(Test *t, Random *r, Xh *h, unsigned bits)
{
    static XhState in, ours, hosts;
    static const uint8_t opcodes[] = { 0xa4, 0xa5, 0xaa, 0xab };
    unsigned kind = below(r, ARRAY_SIZE(opcodes)), size = !(kind & 1) ? 1 : below(r, 4) ? 4 : bits == 64 ? 8 : 2;
    unsigned count = below(r, below(r, 2) ? 20 : LONGEST), bytes = count * size, n = 0;
    bool down = !below(r, 5), adsize = bits == 64 && !below(r, 4);
    uint64_t src = place(r, bytes), dst = below(r, 3) ? place(r, bytes) : src + below(r, 80) - 40;
    uint8_t code[16];
    char text[4096];

    xh_state_init(&in, bits);
    for (unsigned k = 0; k < END; k++) {
        in.data[k] = (uint8_t)(k * 7 + k / 256 * 13);
    }
    if (down) {
        code[n++] = 0xfd;                       /* STD */
    }
    if (adsize) {
        code[n++] = 0x67;
    }
    if (size == 2) {
        code[n++] = 0x66;
    }
    code[n++] = 0xf3;
    if (size == 8) {
        code[n++] = 0x48;
    }
    code[n++] = opcodes[kind];
    if (down) {
        code[n++] = 0xfc;
    }
    code[n++] = 0x0f;                           /* UD2 */
    code[n++] = 0x0b;
    in.regs[R_CX] = count;
    in.regs[R_SI] = XH_DATA + src;
    in.regs[R_DI] = XH_DATA + dst;
    in.regs[R_AX] = below(r, 2) ? 0 : UINT64_C(0x0123456789abcdef) >> (bits == 64 ? 0 : 32);
    if (adsize) {
        in.regs[R_CX] |= UINT64_C(1) << 40;     /* not looked at */
    }
    xh_run(h, code, n, &in, &ours);
    if (!xh_native(code, n, &in, &hosts)) {
        return true;
    }
    if (!xh_same(&ours, &hosts, 0x400, false, text, sizeof(text))) {
        test_fail(t, "%u bits, opcode %02x, %u of %u bytes from %#x to %#x%s%s:\n%s", bits, opcodes[kind], count, size, (unsigned)src,
                  (unsigned)dst, down ? ", down" : "", adsize ? ", 32-bit addresses" : "", text);
        return false;
    }
    return true;
}

static void as_the_host(Test *t, const TcgBackend *be)
{
    Random r = { 1 };
    Xh *h = xh_new(be);
    bool ok = true;

    if (!h) {
        test_skip(t, "no memory that may be executed");
        return;
    }
    for (unsigned k = 0; ok && k < 6000; k++) {
        tcg_options.tiers = k & 1;
        ok = one(t, &r, h, k % 3 ? 64 : 32);
        if (!(k % 64)) {
            tcg_tlb_flush(&xh_cpu(h)->tcg);
        }
    }
    tcg_options.tiers = true;
}

TEST(string, interpreter)
{
    as_the_host(t, &tcg_backend_interp);
}

#ifdef __x86_64__
TEST(string, backend)
{
    as_the_host(t, &tcg_backend_x86_64);
}
#endif
