/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/x86-random.h"

typedef struct Bytes { const uint8_t *p; unsigned n; } Bytes;

static bool read_byte(void *opaque, unsigned pos, uint8_t *b)
{
    Bytes *x = opaque;

    if (pos >= x->n) {
        return false;
    }
    *b = x->p[pos];
    return true;
}

X86DecodeResult x86_decode_bytes(X86Insn *i, unsigned bits, const uint8_t *p, unsigned n)
{
    Bytes src = { p, n };

    return x86_decode(i, bits, read_byte, &src);
}

typedef struct Opcode {
    bool vex;
    uint8_t prefix, map, byte;      /* map: 0 one byte, 1 0F, 2 0F38, 3 0F3A */
    int digit, modrm;               /* -1: any; whole byte, or -1 */
    bool has_modrm, any_rm;
} Opcode;

static bool parse(const X86Row *row, Opcode *o)
{
    const char *p = row->opcode;
    bool first = true;
    uint8_t b[6] = { 0 };
    unsigned n = 0;

    *o = (Opcode){ .digit = -1, .modrm = -1 };
    while (*p) {
        char *end;
        unsigned long v;

        if (!strncmp(p, "VEX ", 4)) {
            o->vex = true;
            p += 4;
            continue;
        }
        if (!strncmp(p, "NP ", 3)) {
            p += 3;
            continue;
        }
        if (*p == '/') {
            o->has_modrm = true;
            o->digit = p[1] == 'r' ? -1 : p[1] - '0';
            break;
        }
        v = strtoul(p, &end, 16);
        if (end == p || n == sizeof(b) || (*end == '+' && end[1] != 'i')) {
            return false;
        }
        if (*end == '+') {              /* C0+i */
            o->any_rm = true;
            end += 2;
        }
        if (first && *end && (v == 0x66 || v == 0xf2 || v == 0xf3)) {
            o->prefix = v;
        } else {
            b[n++] = v;
        }
        first = false;
        p = end + (*end == ' ');
    }
    if (n > 1 && b[0] == 0x0f) {
        o->map = n > 2 && b[1] == 0x38 ? 2 : n > 2 && b[1] == 0x3a ? 3 : 1;
    }
    o->byte = b[o->map > 1 ? 2 : o->map];
    if (n > (o->map > 1 ? 3u : o->map + 1u)) {
        o->modrm = b[n - 1];
        o->has_modrm = true;
    }
    return n > 0;
}

/* A memory operand's base is a register that x86_random_vector_state() makes a pointer. */
static unsigned put_modrm(Random *r, const Opcode *o, unsigned bits, bool vsib, uint8_t *out)
{
    static const uint8_t bases[] = { 3, 5, 6, 7 };
    uint8_t m = random_u64(r) >> 40;
    unsigned n = 0;

    if (o->modrm >= 0) {
        m = o->any_rm ? o->modrm | (m & 7) : o->modrm;
    } else if (o->digit >= 0) {
        m = (m & 0xc7) | o->digit << 3;
    }
    if (m < 0xc0 && (vsib || random_below(r, 8))) {
        m = (m & 0x38) | 0x40 | (vsib || !random_below(r, 4) ? 4 : bases[random_below(r, 4)]);
        if (bits == 16 && random_below(r, 4)) {
            m |= 4;                             /* one register */
        }
    }
    out[n++] = m;
    if (m < 0xc0 && (m & 7) == 4 && bits != 16) {
        unsigned base = bases[random_below(r, 4)];

        out[n++] = vsib ? (random_u64(r) & 0xf8) | base : random_below(r, 4) ? 0x20 | base
                                                                             : random_u64(r) >> 40;
    }
    if (m >= 0x40 && m < 0xc0 && random_below(r, 2)) {
        out[n++] = random_u64(r) >> 40 & 0xf0;
    }
    return n;
}

unsigned x86_random_insn(Random *r, unsigned bits, const X86Row *row, uint8_t out[32])
{
    static const uint8_t maps[4][2] = { { 0, 0 }, { 0x0f, 0 }, { 0x0f, 0x38 }, { 0x0f, 0x3a } };
    bool w = row->flags & XI_W1 || (!(row->flags & XI_W0) && random_below(r, 2));
    uint8_t bits3 = bits == 64 ? random_u64(r) >> 40 & 7 : 0;       /* R, X, B */
    unsigned n = 0;
    Opcode o;

    if (!parse(row, &o)) {
        return 0;
    }
    if (random_below(r, 24) == 0) {
        out[n++] = 0x67;
    }
    if (o.vex) {
        unsigned pp = o.prefix == 0x66 ? 1 : o.prefix == 0xf3 ? 2 : o.prefix == 0xf2 ? 3 : 0;
        bool l = row->flags & XI_L1 || (!(row->flags & XI_L0) && random_below(r, 2));
        uint8_t v = random_below(r, 2) ? 0x78 : random_u64(r) >> 33 & 0x78;

        if (o.map == 1 && !w && !(bits3 & 3) && random_below(r, 2)) {
            out[n++] = 0xc5;
            out[n++] = (bits3 & 4 ? 0 : 0x80) | v | l << 2 | pp;
        } else {
            out[n++] = 0xc4;
            out[n++] = (~bits3 & 7) << 5 | o.map;
            out[n++] = w << 7 | v | l << 2 | pp;
        }
    } else {
        if (o.prefix) {
            out[n++] = o.prefix;
        }
        if (bits == 64 && (w || random_below(r, 2))) {
            out[n++] = 0x40 | w << 3 | bits3;
        }
        for (unsigned k = 0; k < 2 && maps[o.map][k]; k++) {
            out[n++] = maps[o.map][k];
        }
    }
    out[n++] = o.byte;
    if (o.has_modrm) {
        n += put_modrm(r, &o, bits, row->flags & XI_VSIB, out + n);
    }
    while (n < 32) {
        out[n++] = random_u64(r) >> 40;
    }
    return n;
}

static void random_register(Random *r, uint8_t *p)
{
    unsigned kind = random_below(r, 6);

    for (unsigned i = 0; i < 4; i++) {
        uint32_t s = random_f32(r);
        uint64_t d = random_f64(r);

        switch (kind) {
        case 0: case 1:
            memcpy(p + 4 * i, &s, 4);
            break;
        case 2: case 3:
            memcpy(p + i / 2 * 8, &d, 8);
            break;
        case 4:
            s = random_below(r, 100);
            memcpy(p + 4 * i, &s, 4);
            break;
        default:
            d = random_bits(r);
            memcpy(p + i / 2 * 8, &d, 8);
            break;
        }
    }
}

void x86_random_vector_state(Random *r, unsigned bits, XhState *st)
{
    uint32_t mxcsr = 0x1f80 | random_below(r, 4) << 13 | (random_below(r, 4) ? 0 : 0x40) |
                     (random_below(r, 4) ? 0 : 0x8000) | (random_u64(r) >> 40 & 0x3f);

    xh_state_init(st, bits);
    if (random_below(r, 8) == 0) {
        mxcsr &= ~(random_u64(r) & 0x1f80);
    }
    memcpy(st->fx + 24, &mxcsr, 4);
    for (unsigned i = 0; i < 16; i++) {
        random_register(r, st->fx + 160 + 16 * i);
        random_register(r, st->ymmh[i]);
        if (random_below(r, 4) == 0) {
            memset(st->ymmh[i], 0, 16);
        }
    }
    for (unsigned i = 0; i < 8; i++) {
        random_register(r, st->fx + 32 + 16 * i);
        st->fx[40 + 16 * i] = st->fx[41 + 16 * i] = 0xff;
        memset(st->fx + 42 + 16 * i, 0, 6);
    }
    for (unsigned k = 0; k < 16; k++) {
        uint64_t at = 0x400 + random_below(r, XH_DATA_SIZE - 0x800);

        at &= random_below(r, 4) ? ~31ull : ~0ull;
        st->regs[k] = k < 3 || k == 4 || random_below(r, 8) == 0
            ? random_bits(r) : (bits == 16 ? at : XH_DATA + at);
        if (bits <= 32) {
            st->regs[k] = k < 8 ? (uint32_t)st->regs[k] : 0;
        }
    }
    st->regs[R_SP] = (bits == 16 ? 0 : XH_DATA) + 0x2000;
    st->eflags = 0x202 | (random_u64(r) >> 20 & FL_ARITH);
    for (unsigned k = 0; k < XH_DATA_SIZE; k += 16) {
        random_register(r, st->data + k);
    }
}

/* Of all classes, those that the 387 and later refuse too. */
static F80 random_f80(Random *r)
{
    F80 v = { random_bits(r) | UINT64_C(1) << 63, random_exponent(r, 0x7fff) | (random_u64(r) >> 40 & 0x8000) };

    if (!(v.se & 0x7fff) && random_below(r, 4)) {
        v.m &= ~(UINT64_C(1) << 63);
    } else if (random_below(r, 24) == 0) {
        v.m &= ~(UINT64_C(1) << 63);
    }
    switch (random_below(r, 12)) {
    case 0: v.m = (v.se & 0x7fff) ? UINT64_C(1) << 63 : 0; break;
    case 1: v = (F80){ 0, v.se & 0x8000 }; break;
    case 2: v.m &= UINT64_MAX << random_below(r, 64); break;
    }
    return v;
}

void x86_random_x87_state(Random *r, XhState *st)
{
    uint16_t fcw = 0x7f | random_below(r, 4) << 10, fsw = random_below(r, 8) << 11;

    fcw |= random_below(r, 3) ? 0x300 : random_below(r, 4) << 8;
    if (random_below(r, 6) == 0) {
        fcw &= ~(random_u64(r) & 0x3f);
    }
    fsw |= random_u64(r) >> 40 & 0x4700;
    fsw |= random_below(r, 4) ? 0 : random_u64(r) >> 40 & 0x3f & fcw;
    memcpy(st->fx, &fcw, 2);
    memcpy(st->fx + 2, &fsw, 2);
    st->fx[4] = random_below(r, 3) ? random_u64(r) >> 40 : random_below(r, 2) ? 0xff : 0x0f;
    for (unsigned i = 0; i < 8; i++) {
        F80 v = random_f80(r);

        memcpy(st->fx + 32 + 16 * i, &v.m, 8);
        memcpy(st->fx + 40 + 16 * i, &v.se, 2);
    }
    for (unsigned k = 0; k < XH_DATA_SIZE - 16; k += 16) {
        F80 v = random_f80(r);
        uint64_t n = random_u64(r) >> random_below(r, 64);

        switch (random_below(r, 4)) {
        case 0:
            memcpy(st->data + k, &v.m, 8);
            memcpy(st->data + k + 8, &v.se, 2);
            break;
        case 1:
            memcpy(st->data + k, &n, 8);
            break;
        }
    }
}
