/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding for the processors before the 486. They read the same tables; what an old decoder makes of
 * bytes that mean something else today is put into their place while they are read, and the opcode as it
 * was is kept in X86Insn.raw for its translator (i8086.c).
 *
 * Sources: Intel, 8086 Family User's Manual (1979), iAPX 286 Programmer's Reference Manual (1985) appendix B, 80386
 * Programmer's Reference Manual (1986); what the 8086's decoder makes of undocumented opcodes as real chips
 * have been measured (the public vectors "SingleStepTests" for 8086 and 80286).
 */
#include "util/osdep.h"
#include "target/i386/decode.h"

typedef struct Old {
    X86ReadByte *rd;
    void *opaque;
    X86Gen gen;
    unsigned at;                /* of the opcode, behind the prefixes */
    uint8_t op;                 /* as it is read now */
    uint8_t modrm_and, modrm_or;
} Old;

static bool old_byte(void *opaque, unsigned pos, uint8_t *b)
{
    Old *o = opaque;

    if (!o->rd(o->opaque, pos, b)) {
        return false;
    }
    if (pos < o->at && *b == 0xf1) {
        *b = 0xf0;                              /* of the 8086: LOCK */
    } else if (pos == o->at) {
        *b = o->op;
    } else if (pos == o->at + 1) {
        *b = (*b & o->modrm_and) | o->modrm_or;
    }
    return true;
}

static bool is_prefix(X86Gen gen, uint8_t b)
{
    switch (b) {
    case 0x26: case 0x2e: case 0x36: case 0x3e: case 0xf0: case 0xf2: case 0xf3:
        return true;
    case 0xf1:
        return gen == X86_8086;
    default:
        return b >= 0x64 && b <= 0x67 && gen == X86_386;
    }
}

/* The reg field of ModRM becomes @reg. */
static void set_reg(Old *o, unsigned reg)
{
    o->modrm_and = 0xc7;
    o->modrm_or = reg << 3;
}

/* Some opcode of the same length that has no meaning of its own: TEST Ev,Gv. */
enum { LIKE_TEST = 0x85, LIKE_NOP = 0x90, LIKE_POP_DS = 0x1f };

static void substitute_8086(Old *o, uint8_t modrm)
{
    unsigned reg = modrm >> 3 & 7;
    bool is_reg = modrm >= 0xc0;

    switch (o->op) {
    case 0x0f:                                  /* POP CS */
        o->op = LIKE_POP_DS;
        break;
    case 0x60 ... 0x6f:                         /* bit 4 isn't looked at, */
        o->op |= 0x10;
        break;
    case 0xc0: case 0xc1: case 0xc8: case 0xc9: /* nor bit 1 here, */
        o->op |= 2;
        break;
    case 0x8c: case 0x8e:                       /* nor bit 2 of the segment register */
        o->modrm_and = 0xdf;
        break;
    case 0x8d: case 0xc4: case 0xc5:
        o->op = is_reg ? LIKE_TEST : o->op;
        break;
    case 0x8f: case 0xc6: case 0xc7:
        set_reg(o, 0);
        break;
    case 0xfe:
        set_reg(o, reg > 1 ? 0 : reg);
        break;
    case 0xff:
        if (reg == 7) {
            set_reg(o, 6);
        } else if (is_reg && (reg == 3 || reg == 5)) {
            o->op = LIKE_TEST;
        }
        break;
    }
}

/* Opcodes of the 286 and the 386 behind 0F. */
static bool has_0f(X86Gen gen, uint8_t b, uint8_t modrm)
{
    unsigned reg = modrm >> 3 & 7;

    switch (b) {
    case 0x00:
        return reg < 6;
    case 0x01:
        return reg < 5 ? modrm < 0xc0 || reg == 4 : reg == 6;
    case 0x02: case 0x03: case 0x06:
        return true;
    case 0x20 ... 0x23: case 0x80 ... 0x9f: case 0xa0: case 0xa1: case 0xa3 ... 0xa5:
    case 0xa8: case 0xa9: case 0xab ... 0xad: case 0xaf: case 0xb2 ... 0xb7: case 0xba ... 0xbf:
        return gen == X86_386;
    default:
        return false;
    }
}

X86DecodeResult x86_decode_old(X86Insn *i, X86Gen gen, bool fpu, unsigned bits, X86ReadByte *rd,
                               void *opaque)
{
    Old o = { .rd = rd, .opaque = opaque, .gen = gen, .modrm_and = 0xff };
    X86DecodeResult result;
    uint8_t b, next = 0, third = 0;
    bool invalid = false;

    memset(i, 0, sizeof(*i));
    for (;; o.at++) {
        if (!rd(opaque, o.at, &b)) {
            return XD_NO_BYTES;
        }
        if (!is_prefix(gen, b) || o.at == 14) {
            break;
        }
    }
    o.op = b;
    /* Only where the opcode has more than one byte. */
    if (b == 0x0f && gen != X86_8086) {
        if (!rd(opaque, o.at + 1, &next)) {
            return XD_NO_BYTES;
        }
        if (next < 2 && !rd(opaque, o.at + 2, &third)) {
            return XD_NO_BYTES;
        }
        if (!has_0f(gen, next, third)) {
            i->len = o.at + 2;
            return XD_UD;
        }
    } else if ((b & 0xfc) == 0x8c || (b >= 0xc4 && b <= 0xc7) || b >= 0xfe) {
        if (!rd(opaque, o.at + 1, &next)) {
            return XD_NO_BYTES;
        }
    }
    if (!fpu && (b == 0x9b || (b & 0xf8) == 0xd8)) {
        o.op = b == 0x9b ? LIKE_NOP : LIKE_TEST;
    } else if (gen == X86_8086) {
        substitute_8086(&o, next);
    } else if (gen == X86_286) {
        if ((b >= 0x64 && b <= 0x67) || ((b == 0x8c || b == 0x8e) && (next & 0x20)) || b == 0xf1) {
            i->len = o.at + 1;
            return XD_UD;
        }
        if ((b == 0x8f || b == 0xc6 || b == 0xc7) && (next & 0x38)) {
            set_reg(&o, 0);                     /* whether it is too long is seen first */
            invalid = true;
        }
    }
    if (gen != X86_8086 && (b == 0xc4 || b == 0xc5) && next >= 0xc0) {
        i->len = o.at + 2;
        return XD_UD;                           /* there is no VEX */
    }
    result = x86_decode(i, bits, old_byte, &o);
    i->raw = b;
    if (result == XD_UD && i->row && i->lock && gen != X86_386) {
        result = XD_OK;                         /* LOCK goes before anything */
    }
    if (gen != X86_386) {
        i->lock = false;
    }
    if (gen == X86_286 && result == XD_OK) {
        result = i->len > 10 ? XD_TOO_LONG : invalid ? XD_UD : XD_OK;  /* #GP: iAPX 286 manual, appendix B */
    }
    return result;
}
