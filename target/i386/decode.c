/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instruction decoder: parses the rows of insns-*.def once at start-up
 * into lists by opcode, then matches bytes against them.
 * Source: SDM vol. 2, chapter 2 and appendix A.
 */
#include "util/osdep.h"
#include "target/i386/decode.h"

#include <ctype.h>
#include <pthread.h>
#include "target/i386/state.h"

static const X86Row rows[] = {
#define INSN(opcode, text, flags) { opcode, text, flags },
#define F(x) (XF_##x << XI_FEAT_SHIFT)
#include "target/i386/insns-int.def"
#include "target/i386/insns-sys.def"
#include "target/i386/insns-x87.def"
#include "target/i386/insns-mmx-sse.def"
#include "target/i386/insns-sse4.def"
#include "target/i386/insns-vex.def"
#include "target/i386/insns-vex-int.def"
#undef INSN
#undef F
};

enum { MAP_1, MAP_0F, MAP_0F38, MAP_0F3A, MAP_VEX, MAP_NUM = MAP_VEX + 3 };  /* VEX: 0F, 0F38, 0F3A */
enum { PFX_ANY, PFX_NP, PFX_66, PFX_F3, PFX_F2 };
enum { MOD_ANY, MOD_MEM, MOD_REG };

typedef struct OperandSpec {
    char letter;                /* of A.2; 0: none */
    char size;                  /* size letter or 0 */
    uint8_t kind, reg;          /* fixed operands, letter '=' */
} OperandSpec;

typedef struct X86RowInfo {
    uint8_t map, opcode, span;  /* span: 1, 8 (+r), 16 (+c) opcodes */
    uint8_t prefix, mod;
    int8_t reg, rm;             /* fields of ModRM, -1: any */
    bool modrm;
    bool vvvv;                  /* VEX.vvvv is an operand */
    uint8_t n_ops;
    OperandSpec op[X86_MAX_OPERANDS];
    char mnemonic[18];
    X86TrFn *fn;
    int arg;
    int16_t next[16];           /* list by opcode within the span */
} X86RowInfo;

#define N_ROWS (ARRAY_SIZE(rows))
static X86RowInfo descs[N_ROWS];
static int16_t heads[MAP_NUM][256];
static const char *bad_rows[64];
static unsigned n_bad;

/* Tables given by constructors, before anything is decoded. */
static const X86Handler *handler_tables[32];
static unsigned n_handler_tables;

void x86_register_handlers(const X86Handler *table)
{
    assert(n_handler_tables < ARRAY_SIZE(handler_tables));
    handler_tables[n_handler_tables++] = table;
}

static const struct { const char *name; uint8_t kind, reg; char size; } fixed_ops[] = {
    { "AL", XO_REG, R_AX, 'b' }, { "CL", XO_REG, R_CX, 'b' }, { "DX", XO_REG, R_DX, 'w' },
    { "AX", XO_REG, R_AX, 'w' }, { "rAX", XO_REG, R_AX, 'v' }, { "eAX", XO_REG, R_AX, 'z' },
    { "1", XO_IMM, 1, 'b' },
    { "ES", XO_SEG, S_ES, 'w' }, { "CS", XO_SEG, S_CS, 'w' }, { "SS", XO_SEG, S_SS, 'w' },
    { "DS", XO_SEG, S_DS, 'w' }, { "FS", XO_SEG, S_FS, 'w' }, { "GS", XO_SEG, S_GS, 'w' },
    { "ST0", XO_ST, 0, 't' },
};

static bool parse_operand(OperandSpec *o, X86RowInfo *d, const char *s, size_t n)
{
    for (size_t k = 0; k < ARRAY_SIZE(fixed_ops); k++) {
        if (strlen(fixed_ops[k].name) == n && !memcmp(s, fixed_ops[k].name, n)) {
            *o = (OperandSpec){ '=', fixed_ops[k].size, fixed_ops[k].kind, fixed_ops[k].reg };
            return true;
        }
    }
    if (n < 1 || n > 2 || !strchr("EGRMZBKIJAOSCDXYVWUPQNHLT", s[0]) ||
        (n == 2 && !strchr("bwdqxouhfetvzypsa", s[1]))) {
        return false;
    }
    o->letter = s[0];
    o->size = n == 2 ? s[1] : 0;
    if (strchr("EGRMKSCDVWUPQNT", s[0])) {
        d->modrm = true;
    }
    d->vvvv |= s[0] == 'H' || s[0] == 'B';
    if (s[0] == 'M') {
        d->mod = MOD_MEM;
    } else if (s[0] == 'R' || s[0] == 'U' || s[0] == 'N' || s[0] == 'T') {
        d->mod = MOD_REG;
    }
    return true;
}

/* The opcode text; false if it makes no sense. */
static bool parse_opcode(X86RowInfo *d, const char *p)
{
    bool have_op = false, first = true, vex = false;

    d->reg = d->rm = -1;
    d->span = 1;
    while (*p) {
        char tok[8];
        size_t n = strcspn(p, " ");

        if (n >= sizeof(tok)) {
            return false;
        }
        memcpy(tok, p, n);
        tok[n] = 0;
        p += n + (p[n] == ' ');
        if (!strcmp(tok, "VEX")) {
            vex = true;
            continue;           /* a mandatory prefix may follow */
        } else if (!strcmp(tok, "NP")) {
            d->prefix = PFX_NP;
        } else if (tok[0] == '/') {
            d->modrm = true;
            if (tok[1] != 'r') {
                d->reg = tok[1] - '0';
            }
        } else {
            char *end;
            unsigned b = strtoul(tok, &end, 16);

            if (first && *p && (b == 0x66 || b == 0xf2 || b == 0xf3)) {
                d->prefix = b == 0x66 ? PFX_66 : b == 0xf2 ? PFX_F2 : PFX_F3;
                first = false;
                continue;
            }
            if (!have_op && d->map == MAP_1 && b == 0x0f) {
                d->map = MAP_0F;
            } else if (!have_op && d->map == MAP_0F && b == 0x38) {
                d->map = MAP_0F38;
            } else if (!have_op && d->map == MAP_0F && b == 0x3a && *p) {
                d->map = MAP_0F3A;
            } else if (!have_op) {
                d->opcode = b;
                have_op = true;
                if (!strcmp(end, "+r")) {
                    d->span = 8;
                } else if (!strcmp(end, "+c")) {
                    d->span = 16;
                } else if (*end) {
                    return false;
                }
            } else {
                d->modrm = true;
                d->mod = MOD_REG;
                d->reg = b >> 3 & 7;
                d->rm = strcmp(end, "+i") ? (int)(b & 7) : -1;
                if (b < 0xc0) {
                    return false;
                }
            }
        }
        first = false;
    }
    if (vex) {                  /* no prefix is a pp of its own */
        if (d->map == MAP_1) {
            return false;
        }
        d->map += MAP_VEX - MAP_0F;
        d->prefix = d->prefix == PFX_ANY ? PFX_NP : d->prefix;
    }
    return have_op;
}

static bool parse_row(X86RowInfo *d, const X86Row *row)
{
    const char *p = row->text;
    size_t n = strcspn(p, " ");

    if (!parse_opcode(d, row->opcode) || n == 0 || n >= sizeof(d->mnemonic)) {
        return false;
    }
    memcpy(d->mnemonic, p, n);
    p += n;
    while (*p == ' ') {
        p++;
    }
    while (*p) {
        n = strcspn(p, ",");
        if (d->n_ops == X86_MAX_OPERANDS || !parse_operand(&d->op[d->n_ops], d, p, n)) {
            return false;
        }
        d->n_ops++;
        p += n + (p[n] == ',');
    }
    return true;
}

static int by_mnemonic(const void *a, const void *b)
{
    return strcmp(((const X86Handler *)a)->mnemonic, ((const X86Handler *)b)->mnemonic);
}

static void attach_handlers(void)
{
    unsigned n = 0;
    X86Handler *all;

    for (unsigned t = 0; t < n_handler_tables; t++) {
        for (const X86Handler *h = handler_tables[t]; h->mnemonic; h++) {
            n++;
        }
    }
    all = calloc(n + 1, sizeof(*all));
    if (!all) {
        return;
    }
    n = 0;
    for (unsigned t = 0; t < n_handler_tables; t++) {
        for (const X86Handler *h = handler_tables[t]; h->mnemonic; h++) {
            all[n++] = *h;
        }
    }
    qsort(all, n, sizeof(*all), by_mnemonic);
    for (unsigned k = 0; k < N_ROWS; k++) {
        X86Handler key = { .mnemonic = descs[k].mnemonic };
        const X86Handler *h = bsearch(&key, all, n, sizeof(*all), by_mnemonic);

        if (h) {
            descs[k].fn = h->fn;
            descs[k].arg = h->arg;
        }
    }
    free(all);
}

static void decode_init(void)
{
    memset(heads, -1, sizeof(heads));
    /* Backwards, so that the lists keep the order of the rows. */
    for (int k = N_ROWS - 1; k >= 0; k--) {
        X86RowInfo *d = &descs[k];

        if (!parse_row(d, &rows[k])) {
            if (n_bad < ARRAY_SIZE(bad_rows)) {
                bad_rows[n_bad++] = rows[k].opcode;
            }
            continue;
        }
        for (unsigned o = 0; o < d->span; o++) {
            d->next[o] = heads[d->map][d->opcode + o];
            heads[d->map][d->opcode + o] = k;
        }
    }
    attach_handlers();
}

static pthread_once_t decode_once = PTHREAD_ONCE_INIT;

/* ----------------------------------------------------------------- decoding */

typedef struct Reader {
    X86ReadByte *rd;
    void *opaque;
    unsigned pos;
    X86DecodeResult status;
} Reader;

static uint8_t next8(Reader *r)
{
    uint8_t b = 0;

    if (r->status != XD_OK) {
        return 0;
    }
    if (r->pos >= 15) {
        r->status = XD_TOO_LONG;
    } else if (!r->rd(r->opaque, r->pos, &b)) {
        r->status = XD_NO_BYTES;
    } else {
        r->pos++;
    }
    return b;
}

static uint64_t next_le(Reader *r, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned k = 0; k < bytes; k++) {
        v |= (uint64_t)next8(r) << (8 * k);
    }
    return v;
}

static int64_t next_signed(Reader *r, unsigned bytes)
{
    uint64_t v = next_le(r, bytes);
    unsigned shift = 64 - 8 * bytes;

    return (int64_t)(v << shift) >> shift;
}

typedef struct Prefixes {
    uint8_t rex;
    bool has_rex;
} Prefixes;

/* SDM vol. 2, 2.1.5, tables 2-1 to 2-3. */
static void decode_memory(X86Insn *i, Reader *r, uint8_t rex, unsigned bits, bool vsib)
{
    unsigned mod = i->modrm >> 6, rm = i->modrm & 7;

    i->base = i->index = XM_NO_REG;
    i->seg = S_DS;
    if (i->adsize == 2) {
        static const uint8_t base16[8] = { R_BX, R_BX, R_BP, R_BP, R_SI, R_DI, R_BP, R_BX };
        static const uint8_t index16[4] = { R_SI, R_DI, R_SI, R_DI };

        if (mod == 0 && rm == 6) {
            i->disp = next_signed(r, 2);
        } else {
            i->base = base16[rm];
            i->index = rm < 4 ? index16[rm] : XM_NO_REG;
            i->seg = i->base == R_BP ? S_SS : S_DS;
            i->disp = mod == 1 ? next_signed(r, 1) : mod == 2 ? next_signed(r, 2) : 0;
        }
    } else {
        unsigned disp = mod == 1 ? 1 : mod == 2 ? 4 : 0;

        if (rm == 4) {
            uint8_t sib = next8(r);
            unsigned index = (sib >> 3 & 7) | (rex & 2) << 2, base = sib & 7;

            i->scale = sib >> 6;
            if (index != 4 || vsib) {
                i->index = index;
            }
            if (base == 5 && mod == 0) {
                disp = 4;
            } else {
                i->base = base | (rex & 1) << 3;
            }
        } else if (rm == 5 && mod == 0) {
            disp = 4;
            i->base = bits == 64 ? XM_RIP : XM_NO_REG;
        } else {
            i->base = rm | (rex & 1) << 3;
        }
        if (disp) {
            i->disp_at = r->pos;
            i->disp_enc = disp;
            i->disp = next_signed(r, disp);
        }
        if (i->base == R_SP || i->base == R_BP) {
            i->seg = S_SS;
        }
    }
    if (i->seg_override >= 0) {
        i->seg = i->seg_override;
    }
}

static unsigned size_of(const X86Insn *i, char letter, unsigned bits)
{
    switch (letter) {
    case 'b': return 1;
    case 'w': return 2;
    case 'd': return 4;
    case 'q': return 8;
    case 'x': return i->vex_l ? 32 : 16;
    case 'o': return 16;
    case 'u': return 32;
    case 'h': return i->vex_l ? 16 : 8;
    case 'f': return i->vex_l ? 8 : 4;
    case 'e': return i->vex_l ? 4 : 2;
    case 't': return 10;
    case 'v': return i->opsize;
    case 'z': return MIN(i->opsize, 4);
    case 'y': return i->rex_w && bits == 64 ? 8 : 4;
    case 'p': return i->opsize + 2;
    case 'a': return i->opsize * 2;
    default: return 0;
    }
}

static void set_gpr(X86Operand *o, unsigned reg, const Prefixes *p)
{
    o->kind = XO_REG;
    o->reg = reg;
    if (o->size == 1 && !p->has_rex && reg >= 4) {
        o->reg = reg - 4;
        o->high = true;
    }
}

/* False: the encoding names something that doesn't exist. */
static bool decode_operand(X86Insn *i, X86Operand *o, const OperandSpec *spec,
                           const Prefixes *p, Reader *r, unsigned bits)
{
    unsigned reg = (i->modrm >> 3 & 7) | (p->rex & 4) << 1;
    unsigned rm = (i->modrm & 7) | (p->rex & 1) << 3;
    bool is_mem = i->modrm < 0xc0;

    o->size = size_of(i, spec->size, bits);
    switch (spec->letter) {
    case '=':
        o->kind = spec->kind;
        o->reg = spec->reg;
        o->imm = spec->reg;
        break;
    case 'E':
        if (is_mem) {
            o->kind = XO_MEM;
        } else {
            set_gpr(o, rm, p);
        }
        break;
    case 'R': case 'K':
        set_gpr(o, rm, p);
        break;
    case 'B':
        o->kind = XO_REG;
        o->reg = i->vex_v & (bits == 64 ? 15 : 7);
        break;
    case 'G':
        set_gpr(o, reg, p);
        break;
    case 'Z':
        set_gpr(o, (i->opcode & 7) | (p->rex & 1) << 3, p);
        break;
    case 'M':
        o->kind = XO_MEM;
        break;
    case 'V':
        o->kind = XO_XMM;
        o->reg = reg;
        break;
    case 'W': case 'U':
        o->kind = is_mem ? XO_MEM : XO_XMM;
        o->reg = rm;
        break;
    case 'P':
        o->kind = XO_MMX;
        o->reg = reg & 7;
        break;
    case 'Q': case 'N':
        o->kind = is_mem ? XO_MEM : XO_MMX;
        o->reg = rm & 7;
        break;
    case 'H':
        o->kind = XO_XMM;
        o->reg = i->vex_v & (bits == 64 ? 15 : 7);
        i->has_h |= o == &i->op[1];
        break;
    case 'L':
        o->kind = XO_XMM;
        o->reg = next8(r) >> 4 & (bits == 64 ? 15 : 7);
        break;
    case 'T':
        o->kind = XO_ST;
        o->reg = rm & 7;
        break;
    case 'S':
        o->kind = XO_SEG;
        o->reg = reg & 7;
        return o->reg < S_LDT;
    case 'C':
        o->kind = XO_CR;
        o->reg = reg;
        return reg == 0 || (reg >= 2 && reg <= 4) || reg == 8;
    case 'D':
        o->kind = XO_DR;
        o->reg = reg;
        return reg < 8;
    case 'I':
        o->kind = XO_IMM;
        o->at = r->pos;
        o->enc = o->size;
        o->imm = next_signed(r, o->size);
        break;
    case 'J':
        o->kind = XO_REL;
        o->at = r->pos;
        o->enc = o->size;
        o->imm = next_signed(r, o->size);
        break;
    case 'A':
        o->kind = XO_FAR;
        o->imm = next_le(r, i->opsize);
        i->sel = next_le(r, 2);
        break;
    case 'O':
        o->kind = XO_MEM;
        i->base = i->index = XM_NO_REG;
        i->disp = next_le(r, i->adsize);
        i->seg = i->seg_override >= 0 ? i->seg_override : S_DS;
        break;
    case 'X':
        o->kind = XO_STR_SRC;
        i->seg = i->seg_override >= 0 ? i->seg_override : S_DS;
        break;
    case 'Y':
        o->kind = XO_STR_DST;
        break;
    }
    return true;
}

static unsigned operand_size(const X86Insn *i, uint32_t flags, unsigned bits, bool op66)
{
    if (bits == 64) {
        if (flags & XI_F64) {
            return 8;
        }
        if (i->rex_w) {
            return 8;
        }
        if (op66) {
            return 2;
        }
        return flags & XI_D64 ? 8 : 4;
    }
    return (bits == 32) != op66 ? 4 : 2;
}

static const X86RowInfo *find_row(X86Insn *i, int head, unsigned bits, unsigned lead, unsigned slot_op,
                               int modrm)
{
    const X86RowInfo *fallback = NULL;

    for (int k = head; k >= 0; ) {
        const X86RowInfo *d = &descs[k];
        uint32_t flags = rows[k].flags;

        k = d->next[slot_op - d->opcode];
        if ((d->prefix != PFX_ANY && d->prefix != lead) ||
            (bits == 64 ? flags & XI_I64 : flags & XI_O64) ||
            ((flags & XI_W1) && !i->rex_w) || ((flags & XI_W0) && i->rex_w) ||
            ((flags & XI_L1) && !i->vex_l) || ((flags & XI_L0) && i->vex_l)) {
            continue;
        }
        if (d->modrm) {
            if ((d->reg >= 0 && d->reg != (modrm >> 3 & 7)) ||
                (d->mod == MOD_MEM && modrm >= 0xc0) || (d->mod == MOD_REG && modrm < 0xc0) ||
                (d->rm >= 0 && d->rm != (modrm & 7))) {
                continue;
            }
        }
        if (flags & (XI_16 | XI_32 | XI_64)) {
            unsigned size = operand_size(i, flags, bits, i->has_66);

            if (!(flags & (size == 2 ? XI_16 : size == 4 ? XI_32 : XI_64))) {
                continue;
            }
        }
        if (d->prefix != PFX_ANY) {
            return d;
        }
        if (!fallback) {
            fallback = d;
        }
    }
    return fallback;
}

/* Does some row of this opcode have a ModRM byte? Then all valid ones do. */
static bool opcode_has_modrm(int head, unsigned slot_op, unsigned bits)
{
    for (int k = head; k >= 0; k = descs[k].next[slot_op - descs[k].opcode]) {
        if (!(bits == 64 ? rows[k].flags & XI_I64 : rows[k].flags & XI_O64) && descs[k].modrm) {
            return true;
        }
    }
    return false;
}

/* SDM vol. 2, 2.3.5. False: it is LDS or LES, of which ModRM can't be a register. A REX prefix
 * before it stays in @p, to be refused. */
static bool decode_vex(X86Insn *i, Reader *r, uint8_t first, unsigned bits, Prefixes *p,
                       unsigned *map, unsigned *lead)
{
    static const uint8_t pp[4] = { PFX_NP, PFX_66, PFX_F3, PFX_F2 };
    uint8_t b = next8(r);

    if (bits != 64 && b < 0xc0) {
        r->pos -= r->status == XD_OK;
        return false;
    }
    i->vex = true;
    *map = MAP_VEX;
    if (first == 0xc4) {
        unsigned m = b & 31;

        *map = m >= 1 && m <= 3 ? MAP_VEX + m - 1 : MAP_NUM;
        p->rex = ~b >> 5 & 7;
        b = next8(r);
        p->rex |= b >> 4 & 8;
    } else {
        p->rex = ~b >> 5 & 4;
    }
    i->vex_l = b >> 2 & 1;
    i->vex_v = ~b >> 3 & 15;
    *lead = pp[b & 3];
    if (bits != 64) {           /* R and X are 1 there, B is ignored */
        p->rex &= 8;
    }
    return true;
}

X86DecodeResult x86_decode(X86Insn *i, unsigned bits, X86ReadByte *rd, void *opaque)
{
    Reader r = { rd, opaque, 0, XD_OK };
    Prefixes p = { 0 };
    unsigned map = MAP_1, lead = PFX_NP;
    bool ad67 = false, ok = true, vex;
    const X86RowInfo *d;
    uint8_t b;
    int head;

    pthread_once(&decode_once, decode_init);
    memset(i, 0, sizeof(*i));
    i->seg_override = -1;
    i->seg = S_DS;
    i->base = i->index = XM_NO_REG;

    /* SDM vol. 2, 2.1.1. A REX prefix counts only right before the opcode. */
    for (;;) {
        b = next8(&r);
        if (r.status != XD_OK) {
            return r.status;
        }
        if (bits == 64 && (b & 0xf0) == 0x40) {
            p.rex = b;
            p.has_rex = true;
            continue;
        }
        switch (b) {
        case 0x26: i->seg_override = S_ES; break;
        case 0x2e: i->seg_override = S_CS; break;
        case 0x36: i->seg_override = S_SS; break;
        case 0x3e: i->seg_override = S_DS; break;
        case 0x64: i->seg_override = S_FS; break;
        case 0x65: i->seg_override = S_GS; break;
        case 0x66: i->has_66 = true; break;
        case 0x67: ad67 = true; break;
        case 0xf0: i->lock = true; break;
        case 0xf2: case 0xf3: i->rep = b; break;
        default: goto opcode;
        }
        p.rex = 0;
        p.has_rex = false;
    }
opcode:
    /* In 64-bit mode ES, CS, SS and DS overrides do nothing. */
    if (bits == 64 && i->seg_override >= 0 && i->seg_override < S_FS) {
        i->seg_override = -1;
    }
    vex = (b & 0xfe) == 0xc4 && decode_vex(i, &r, b, bits, &p, &map, &lead);
    i->rex_w = p.rex >> 3 & 1;
    i->adsize = bits == 64 ? (ad67 ? 4 : 8) : (bits == 32) != ad67 ? 4 : 2;
    if (vex) {
        b = next8(&r);
        if (r.status == XD_OK && (map >= MAP_NUM || i->has_66 || i->rep || i->lock || p.has_rex)) {
            i->len = r.pos;
            return XD_UD;
        }
    } else if (b == 0x0f) {
        map = MAP_0F;
        b = next8(&r);
        if (b == 0x38 || b == 0x3a) {
            map = b == 0x38 ? MAP_0F38 : MAP_0F3A;
            b = next8(&r);
        }
    }
    i->opcode = b;
    head = r.status == XD_OK ? heads[map][b] : -1;
    if (r.status == XD_OK && head < 0) {
        i->len = r.pos;
        return XD_UD;
    }
    if (r.status == XD_OK && opcode_has_modrm(head, b, bits)) {
        i->modrm = next8(&r);
    }
    if (r.status != XD_OK) {
        return r.status;
    }
    if (!vex) {
        lead = i->rep == XR_REPNE ? PFX_F2 : i->rep == XR_REP ? PFX_F3 :
               i->has_66 ? PFX_66 : PFX_NP;
    }
    d = find_row(i, head, bits, lead, b, i->modrm);
    /* CRC32, MOVBE: 66 is also an operand size. NP rows accept no repeat prefix. */
    if (!d || (vex && !d->vvvv && i->vex_v) ||
        ((rows[d - descs].flags & XI_VSIB) && ((i->modrm & 7) != 4 || i->adsize == 2))) {
        i->len = r.pos;
        return XD_UD;
    }
    i->row = &rows[d - descs];
    i->flags = i->row->flags;
    i->mnemonic = d->mnemonic;
    i->fn = d->fn;
    i->arg = d->arg;
    i->cond = d->span == 16 ? b & 15 : 0;
    i->n_ops = d->n_ops;
    /* 66 as a mandatory prefix doesn't change the operand size of integer operands. */
    i->opsize = operand_size(i, i->flags, bits, i->has_66 && d->prefix != PFX_66);
    if (d->modrm && i->modrm < 0xc0) {
        bool reg_only = false;

        for (unsigned n = 0; n < d->n_ops; n++) {
            reg_only |= d->op[n].letter == 'K';
        }
        if (!reg_only) {
            decode_memory(i, &r, p.rex, bits, i->flags & XI_VSIB);
        }
    }
    for (unsigned n = 0; n < d->n_ops; n++) {
        ok &= decode_operand(i, &i->op[n], &d->op[n], &p, &r, bits);
    }
    if (r.status != XD_OK) {
        return r.status;
    }
    i->len = r.pos;
    if (!ok || (i->lock && !((i->flags & XI_LOCK) && i->op[0].kind == XO_MEM))) {
        /* LOCK MOV CR0 is AMD's way to CR8 where that feature exists; not here. */
        return XD_UD;
    }
    return XD_OK;
}

/* ------------------------------------------------------------------- checks */

static bool rows_overlap(const X86RowInfo *a, uint32_t fa, const X86RowInfo *b, uint32_t fb)
{
    enum { SIZES = XI_16 | XI_32 | XI_64 };

    if (a->prefix != b->prefix ||           /* a mandatory prefix wins over none */
        ((fa & XI_I64) && (fb & XI_O64)) || ((fa & XI_O64) && (fb & XI_I64)) ||
        ((fa & XI_W0) && (fb & XI_W1)) || ((fa & XI_W1) && (fb & XI_W0)) ||
        ((fa & XI_L0) && (fb & XI_L1)) || ((fa & XI_L1) && (fb & XI_L0)) ||
        ((fa & SIZES) && (fb & SIZES) && !(fa & fb & SIZES))) {
        return false;
    }
    if (a->modrm && b->modrm) {
        if ((a->reg >= 0 && b->reg >= 0 && a->reg != b->reg) ||
            (a->rm >= 0 && b->rm >= 0 && a->rm != b->rm) ||
            (a->mod && b->mod && a->mod != b->mod)) {
            return false;
        }
    }
    return true;
}

unsigned x86_decode_check(FILE *f)
{
    unsigned mistakes = 0;

    pthread_once(&decode_once, decode_init);
    for (unsigned k = 0; k < n_bad; k++) {
        fprintf(f, "bad row: %s\n", bad_rows[k]);
        mistakes++;
    }
    for (unsigned m = 0; m < MAP_NUM; m++) {
        for (unsigned op = 0; op < 256; op++) {
            for (int a = heads[m][op]; a >= 0; a = descs[a].next[op - descs[a].opcode]) {
                const X86RowInfo *da = &descs[a];

                for (int b = da->next[op - da->opcode]; b >= 0;
                     b = descs[b].next[op - descs[b].opcode]) {
                    if (rows_overlap(da, rows[a].flags, &descs[b], rows[b].flags)) {
                        fprintf(f, "overlap: %s %s / %s %s\n", rows[a].opcode, rows[a].text,
                                rows[b].opcode, rows[b].text);
                        mistakes++;
                    }
                }
            }
        }
    }
    for (unsigned t = 0; t < n_handler_tables; t++) {
        for (const X86Handler *h = handler_tables[t]; h->mnemonic; h++) {
            bool used = false;

            for (unsigned k = 0; k < N_ROWS && !used; k++) {
                used = !strcmp(descs[k].mnemonic, h->mnemonic);
            }
            if (!used) {
                fprintf(f, "handler of no row: %s\n", h->mnemonic);
                mistakes++;
            }
        }
    }
    return mistakes;
}

const X86Row *x86_decode_row(unsigned n, const char **mnemonic, bool *handled)
{
    pthread_once(&decode_once, decode_init);
    if (n >= N_ROWS) {
        return NULL;
    }
    *mnemonic = descs[n].mnemonic;
    *handled = descs[n].fn != NULL;
    return &rows[n];
}
