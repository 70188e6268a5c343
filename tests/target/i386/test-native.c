/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer instructions, random ones in sequence, on the host CPU, on the interpreter
 * and on the host's back end: registers, defined flags, memory and exceptions must agree.
 * X86_NATIVE_SEED and X86_NATIVE_COUNT (environment) choose other sequences and how many.
 */
#include "util/osdep.h"
#include <pthread.h>
#include "target/i386/decode.h"
#include "tests/lib/test.h"
#include "tests/lib/x86-harness.h"

typedef struct Rng { uint64_t s; } Rng;

static uint64_t rnd(Rng *r)
{
    r->s ^= r->s << 13;
    r->s ^= r->s >> 7;
    r->s ^= r->s << 17;
    return r->s * UINT64_C(0x2545f4914f6cdd1d);
}

static unsigned below(Rng *r, unsigned n) { return (rnd(r) >> 33) % n; }

/* What an instruction leaves undefined, and whether it reads flags. */
typedef struct FlagUse {
    const char *mnemonic;
    uint32_t undefined;         /* after it */
    bool reads, defines_all;
} FlagUse;

#define ALL_BUT(x) (FL_ARITH & ~(x))
static const FlagUse uses[] = {
    { "ADD", 0, false, true }, { "SUB", 0, false, true }, { "CMP", 0, false, true },
    { "ADC", 0, true, true }, { "SBB", 0, true, true },
    { "AND", FL_AF, false, true }, { "OR", FL_AF, false, true }, { "XOR", FL_AF, false, true },
    { "TEST", FL_AF, false, true }, { "INC", 0, false, false }, { "DEC", 0, false, false },
    { "NEG", 0, false, true }, { "NOT", 0, false, false }, { "XADD", 0, false, true },
    { "CMPXCHG", 0, false, true }, { "MOV", 0, false, false }, { "LEA", 0, false, false },
    { "MOVZX", 0, false, false }, { "MOVSX", 0, false, false }, { "MOVSXD", 0, false, false },
    { "XCHG", 0, false, false }, { "BSWAP", 0, false, false }, { "CMOVCC", 0, true, false },
    { "SETCC", 0, true, false }, { "CBW", 0, false, false }, { "CWD", 0, false, false },
    { "SHL", FL_AF | FL_OF, false, false }, { "SHR", FL_AF | FL_OF, false, false },
    { "SAR", FL_AF | FL_OF, false, false }, { "ROL", FL_OF, false, false },
    { "ROR", FL_OF, false, false }, { "RCL", FL_OF, true, false }, { "RCR", FL_OF, true, false },
    { "SHLD", FL_AF | FL_OF | FL_CF, false, false },
    { "SHRD", FL_AF | FL_OF | FL_CF, false, false },
    { "BT", ALL_BUT(FL_CF | FL_ZF), false, false }, { "BTS", ALL_BUT(FL_CF | FL_ZF), false, false },
    { "BTR", ALL_BUT(FL_CF | FL_ZF), false, false }, { "BTC", ALL_BUT(FL_CF | FL_ZF), false, false },
    { "BSF", ALL_BUT(FL_ZF), false, true }, { "BSR", ALL_BUT(FL_ZF), false, true },
    { "TZCNT", ALL_BUT(FL_ZF | FL_CF), false, true },
    { "LZCNT", ALL_BUT(FL_ZF | FL_CF), false, true }, { "POPCNT", 0, false, true },
    { "MUL", ALL_BUT(FL_CF | FL_OF), false, true }, { "IMUL1", ALL_BUT(FL_CF | FL_OF), false, true },
    { "IMUL2", ALL_BUT(FL_CF | FL_OF), false, true },
    { "IMUL3", ALL_BUT(FL_CF | FL_OF), false, true },
    { "DIV", FL_ARITH, false, false }, { "IDIV", FL_ARITH, false, false },
    { "CLC", 0, false, false }, { "STC", 0, false, false }, { "CMC", 0, true, false },
    { "LAHF", 0, true, false }, { "SAHF", 0, false, false }, { "PUSH", 0, false, false },
    { "POP", 0, false, false }, { "PUSHF", 0, true, false }, { "NOP", 0, false, false },
    { "MOVS", 0, false, false }, { "STOS", 0, false, false }, { "LODS", 0, false, false },
    { "SCAS", 0, false, false }, { "CMPS", 0, false, false }, { "CLD", 0, false, false },
    { "STD", 0, false, false }, { "XLAT", 0, false, false }, { "MOVBE", 0, false, false },
    { "CMPXCHG8B", 0, false, false }, { "CMPXCHG16B", 0, false, false },
    { "JCC", 0, true, false }, { "ENTER", 0, false, false }, { "LEAVE", 0, false, false },
    { "CRC32", 0, false, false }, { "ADCX", 0, true, false }, { "ADOX", 0, true, false },
    { "JCXZ", 0, false, false }, { "PUSHA", 0, false, false }, { "POPA", 0, false, false },
    { "DAA", FL_OF, true, false }, { "DAS", FL_OF, true, false },
    { "AAA", ALL_BUT(FL_CF | FL_AF), true, false }, { "AAS", ALL_BUT(FL_CF | FL_AF), true, false },
    { "AAM", FL_OF | FL_AF | FL_CF, false, false }, { "AAD", FL_OF | FL_AF | FL_CF, false, false },
    { "SALC", 0, true, false }, { "CALL", 0, false, false }, { "JMP", 0, false, false },
    { "LOOP", 0, false, false }, { "LOOPE", 0, true, false }, { "LOOPNE", 0, true, false },
    { "BOUND", 0, false, false },
};

static const FlagUse *use_of(const char *mnemonic)
{
    for (unsigned k = 0; k < ARRAY_SIZE(uses); k++) {
        if (!strcmp(uses[k].mnemonic, mnemonic)) {
            return &uses[k];
        }
    }
    return NULL;
}

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

/* Opcode bytes of a random row; the rest is random and judged by the decoder. */
static unsigned make_insn(Rng *r, unsigned bits, uint8_t out[32], unsigned n_rows)
{
    const char *mnemonic, *p;
    bool handled;
    const X86Row *row = x86_decode_row(below(r, n_rows), &mnemonic, &handled);
    unsigned n = 0, prefix_at;
    bool rep = row->flags & XI_REP;

    if (!use_of(mnemonic)) {
        return 0;
    }
    if (below(r, 5) == 0) {
        out[n++] = 0x66;
    }
    if (rep && below(r, 2)) {
        out[n++] = below(r, 2) ? 0xf2 : 0xf3;
    }
    if ((row->flags & XI_LOCK) && below(r, 4) == 0) {
        out[n++] = 0xf0;
    }
    if (below(r, 24) == 0) {
        out[n++] = 0x67;
    }
    prefix_at = n;
    for (p = row->opcode; *p; ) {
        char *end;
        unsigned long b;

        if (*p == '/') {
            uint8_t m = rnd(r) >> 40;

            if (p[1] != 'r') {
                m = (m & 0xc7) | (p[1] - '0') << 3;
            }
            if (m < 0xc0) {             /* [reg+disp8], mostly */
                m = below(r, 8) ? (m & 0x3f) | 0x40 : m;
            }
            out[n++] = m;
            if (m < 0xc0 && (m & 7) == 4) {
                out[n++] = below(r, 4) ? 0x20 | below(r, 8) : rnd(r) >> 40;
            }
            break;
        }
        b = strtoul(p, &end, 16);
        if (end == p) {
            return 0;
        }
        if (!strncmp(end, "+r", 2)) {
            b += below(r, 8);
            end += 2;
        } else if (!strncmp(end, "+c", 2)) {
            b += below(r, 16);
            end += 2;
        }
        if (p == row->opcode && *end && (b == 0x66 || b == 0xf2 || b == 0xf3)) {
            out[n++] = b;
            prefix_at = n;
        } else {
            out[n++] = b;
        }
        p = end + (*end == ' ');
    }
    if (bits == 64 && below(r, 2)) {
        memmove(out + prefix_at + 1, out + prefix_at, n - prefix_at);
        out[prefix_at] = 0x40 | below(r, 16);
        n++;
    }
    while (n < 31) {
        out[n++] = rnd(r) >> 40;
    }
    return n;
}

static bool acceptable(const X86Insn *i, const FlagUse *u, uint32_t undefined)
{
    if (!u || (u->reads && (undefined & ~(uint32_t)FL_AF)) ||
        ((!strcmp(i->mnemonic, "LAHF") || !strncmp(i->mnemonic, "DA", 2) ||
          !strncmp(i->mnemonic, "AA", 2) || !strcmp(i->mnemonic, "PUSHF")) && undefined)) {
        return false;
    }
    for (unsigned k = 0; k < i->n_ops; k++) {
        if (i->op[k].kind == XO_SEG) {
            return false;
        }
    }
    if (i->seg_override >= S_FS || (!strcmp(i->mnemonic, "BSWAP") && i->opsize == 2) ||
        (!strncmp(i->mnemonic, "BS", 2) && i->op[0].size == 4) ||  /* source 0: differs by maker */
        (!strcmp(i->mnemonic, "MOVSXD") && i->opsize == 2)) {
        return false;
    }
    if (!strcmp(i->mnemonic, "SHLD") || !strcmp(i->mnemonic, "SHRD")) {
        return i->op[0].size != 2;      /* counts over 16 are undefined */
    }
    if (!strcmp(i->mnemonic, "ENTER") && ((i->op[0].imm & 0xffff) > 0x200)) {
        return false;
    }
    return true;
}

typedef struct Sequence {
    uint8_t code[4096];
    unsigned n, count;
    uint32_t undefined;
    unsigned at[400];
    uint32_t before[400];       /* undefined when it begins */
} Sequence;

static void make_sequence(Rng *r, unsigned bits, Sequence *q, unsigned n_rows, unsigned len)
{
    unsigned label = 0, jump_at = 0;    /* pending forward jump */

    memset(q, 0, sizeof(*q));
    while (q->count < len) {
        uint8_t b[32];
        unsigned n = make_insn(r, bits, b, n_rows);
        Bytes src = { b, n };
        X86Insn i;
        const FlagUse *u;

        if (!n || x86_decode(&i, bits, read_byte, &src) != XD_OK) {
            continue;
        }
        u = use_of(i.mnemonic);
        if (!acceptable(&i, u, q->undefined)) {
            continue;
        }
        if (i.op[0].kind == XO_REL) {
            /* A short forward jump over the next instructions; patched when they exist. */
            if (jump_at || i.op[0].size != 1 || i.has_66 || q->count + 3 > len) {
                continue;
            }
            jump_at = q->n + i.len - 1;
            label = q->count + 1 + 1 + below(r, 2);
        }
        q->at[q->count] = q->n;
        q->before[q->count] = q->undefined;
        memcpy(q->code + q->n, b, i.len);
        q->n += i.len;
        q->count++;
        if (u->defines_all && !jump_at) {
            q->undefined = u->undefined;
        } else {
            q->undefined |= u->undefined;
        }
        if (jump_at && q->count > label) {
            q->code[jump_at] = q->at[label] - (jump_at + 1);
            jump_at = 0;
        }
    }
    if (jump_at) {
        q->code[jump_at] = q->n - (jump_at + 1);
    }
    q->code[q->n++] = 0x0f;
    q->code[q->n++] = 0x0b;
}

/* --- loops --- */

/* Keeps pointers and the counter (R14) as they are, and doesn't leave the data area. */
static bool tame(const X86Insn *i)
{
    static const char *const no[] = { "POP", "PUSH", "ENTER", "LEAVE", "POPA", "PUSHA", "JCC", "JMP",
        "CALL", "LOOP", "LOOPE", "LOOPNE", "JCXZ", "DIV", "IDIV", "STD", "MOVS", "STOS", "LODS",
        "SCAS", "CMPS", "XLAT", "PUSHF", "CMPXCHG16B", "SAHF", "LAHF" };
    enum { KEEP = 1 << R_BX | 1 << R_SP | 1 << R_BP | 1 << R_SI | 1 << R_13 | 1 << R_14 };

    for (unsigned k = 0; k < ARRAY_SIZE(no); k++) {
        if (!strcmp(i->mnemonic, no[k])) {
            return false;
        }
    }
    for (unsigned k = 0; k < i->n_ops; k++) {
        const X86Operand *o = &i->op[k];

        if (o->kind == XO_REG && (k == 0 || !strcmp(i->mnemonic, "XCHG") ||
                                  !strcmp(i->mnemonic, "XADD")) && (KEEP >> o->reg & 1) &&
            strcmp(i->mnemonic, "CMP") && strcmp(i->mnemonic, "TEST")) {
            return false;
        }
        if (o->kind == XO_MEM && (i->base >= 16 || !(KEEP >> i->base & 1) || i->base == R_14 ||
                                  i->index != XM_NO_REG || i->disp > 127 || i->disp < -128 ||
                                  i->adsize != 8 ||
                                  (!strncmp(i->mnemonic, "BT", 2) && i->op[1].kind == XO_REG))) {
            return false;
        }
    }
    return true;
}

static void emit(Sequence *q, const void *p, unsigned n)
{
    memcpy(q->code + q->n, p, n);
    q->n += n;
}

/* Blocks of tame instructions that branch anywhere, until a counter runs out. */
static void make_graph(Rng *r, Sequence *q, unsigned n_rows)
{
    enum { BLOCKS = 12 };
    unsigned n_blocks = 2 + below(r, BLOCKS - 2), start[BLOCKS + 1], fix[2 * BLOCKS + 8];
    unsigned to[2 * BLOCKS + 8], n_fix = 0;

    memset(q, 0, sizeof(*q));
    for (unsigned b = 0; b < n_blocks; b++) {
        unsigned len = below(r, 6);

        start[b] = q->n;
        if (below(r, 2)) {
            /* lea r14,[r14-1]; mov rcx,r14; jrcxz +2; jmp +5; jmp end: no flags */
            static const uint8_t count[] = { 0x4d, 0x8d, 0x76, 0xff, 0x4c, 0x89, 0xf1, 0xe3, 0x02,
                                             0xeb, 0x05, 0xe9, 0, 0, 0, 0 };

            emit(q, count, sizeof(count));
            fix[n_fix] = q->n - 4;
            to[n_fix++] = n_blocks;
        } else {
            /* dec r14; jle end */
            static const uint8_t count[] = { 0x49, 0xff, 0xce, 0x0f, 0x8e, 0, 0, 0, 0 };

            emit(q, count, sizeof(count));
            fix[n_fix] = q->n - 4;
            to[n_fix++] = n_blocks;
        }
        for (unsigned k = 0; k < len; ) {
            uint8_t code[32];
            Bytes src = { code, make_insn(r, 64, code, n_rows) };
            const FlagUse *u;
            X86Insn i;

            if (!src.n || x86_decode(&i, 64, read_byte, &src) != XD_OK) {
                continue;
            }
            u = use_of(i.mnemonic);
            if (!acceptable(&i, u, 0) || (u->undefined & ~(uint32_t)FL_AF) || !tame(&i)) {
                continue;
            }
            q->at[q->count] = q->n;
            q->count++;
            emit(q, code, i.len);
            k++;
        }
        if (below(r, 5)) {
            uint8_t jcc[6] = { 0x0f, 0x80 | below(r, 16) };

            emit(q, jcc, 6);
            fix[n_fix] = q->n - 4;
            to[n_fix++] = below(r, n_blocks);
        }
    }
    emit(q, (uint8_t[]){ 0xe9, 0, 0, 0, 0 }, 5);
    fix[n_fix] = q->n - 4;
    to[n_fix++] = below(r, n_blocks);
    start[n_blocks] = q->n;
    emit(q, (uint8_t[]){ 0x0f, 0x0b }, 2);
    for (unsigned k = 0; k < n_fix; k++) {
        int32_t d = (int32_t)start[to[k]] - (int32_t)(fix[k] + 4);

        memcpy(q->code + fix[k], &d, 4);
    }
    q->undefined = FL_AF;
}

static void random_state(Rng *r, unsigned bits, XhState *st)
{
    xh_state_init(st, bits);
    for (unsigned k = 0; k < 16; k++) {
        switch (below(r, 4)) {
        case 0: st->regs[k] = rnd(r); break;
        case 1: st->regs[k] = (int64_t)(int8_t)(rnd(r) >> 40); break;
        case 2: st->regs[k] = rnd(r) >> below(r, 64); break;
        default: st->regs[k] = XH_DATA + 0x100 + below(r, XH_DATA_SIZE - 0x200); break;
        }
    }
    for (unsigned k = 3; k < 8; k++) {
        st->regs[k] = XH_DATA + 0x400 + below(r, XH_DATA_SIZE - 0x800);
    }
    st->regs[R_12] = XH_DATA + 0x400 + below(r, XH_DATA_SIZE - 0x800);
    st->regs[R_13] = XH_DATA + 0x400 + below(r, XH_DATA_SIZE - 0x800);
    if (below(r, 2)) {
        st->regs[R_CX] &= 0x3f;
    }
    if (bits == 16) {
        for (unsigned k = 0; k < 8; k++) {
            if (k >= 3 && below(r, 8)) {
                st->regs[k] = (below(r, 2) ? rnd(r) << 16 : 0) | (0x400 + below(r, 0x3800));
            }
        }
    }
    if (bits <= 32) {
        for (unsigned k = 0; k < 16; k++) {
            st->regs[k] = k < 8 ? (uint32_t)st->regs[k] : 0;
        }
    }
    st->eflags = 0x202 | (rnd(r) >> 20 & FL_ARITH);
    for (unsigned k = 0; k < XH_DATA_SIZE; k += 8) {
        uint64_t v = below(r, 3) ? rnd(r) : below(r, 2) ? 0 : UINT64_MAX;

        memcpy(st->data + k, &v, 8);
    }
}

/* At the instruction that raised; one that was half done leaves its own flags undefined too. */
static uint32_t undefined_at(const Sequence *q, uint64_t rip /* from the start */)
{
    for (unsigned k = 0; k < q->count; k++) {
        if (q->at[k] == rip) {
            return q->before[k];
        }
    }
    return q->undefined;
}

static void report(Test *t, const Sequence *q, unsigned bits, uint64_t at, const char *diff,
                   unsigned number)
{
    char text[2048];
    size_t n = 0;

    for (unsigned k = 0; k < q->count && n < sizeof(text) - 100; k++) {
        unsigned end = k + 1 < q->count ? q->at[k + 1] : q->n - 2;
        Bytes src = { q->code + q->at[k], end - q->at[k] };
        X86Insn i;

        x86_decode(&i, bits, read_byte, &src);
        n += snprintf(text + n, sizeof(text) - n, "  %3x:", q->at[k]);
        for (unsigned b = q->at[k]; b < end; b++) {
            n += snprintf(text + n, sizeof(text) - n, " %02x", q->code[b]);
        }
        n += snprintf(text + n, sizeof(text) - n, "  %s\n", i.row ? i.row->text : "?");
    }
    test_fail(t, "sequence %u (%u bits), ended at %" PRIx64 ", emulator / host:\n%s%s", number, bits,
              at, diff, text);
}

static unsigned env_number(const char *name, unsigned otherwise)
{
    const char *v = getenv(name);

    return v ? strtoul(v, NULL, 0) : otherwise;
}

/* PUSHA, POPA: how far they get before a fault, and which address it has, varies. */
static bool is_all_registers(const Sequence *q, unsigned bits, uint64_t at)
{
    Bytes src = { q->code + at, q->n - at };
    X86Insn i;

    return at < q->n && x86_decode(&i, bits, read_byte, &src) == XD_OK &&
           (!strcmp(i.mnemonic, "PUSHA") || !strcmp(i.mnemonic, "POPA"));
}

static bool is_mapped(uint64_t a)
{
    return (a >= XH_CODE && a - XH_CODE < XH_CODE_SIZE) ||
           (a >= XH_DATA && a - XH_DATA < XH_DATA_SIZE);
}

/* Is it what a load of @size bytes at @a raises? */
static bool load_raises(const XhState *st, uint64_t a, unsigned size)
{
    uint64_t last = a + size - 1, bad = is_mapped(a) ? last & ~UINT64_C(0xfff) : a;

    if ((st->bits == 32 && last > UINT32_MAX) || ((int64_t)(a << 16) >> 16) != (int64_t)a || ((int64_t)(last << 16) >> 16) != (int64_t)last) {
        return st->vector == EXCP_GP && st->error == 0;
    }
    return !is_mapped(last) && st->vector == EXCP_PF && st->cr2 == bad &&
           (st->error & ~1u) == 4;      /* P depends on what the host has there */
}

/*
 * CMPS with two operands that fault: no manual says which one is told. One CPU (AMD family
 * 17h) tells that at rDI, but with REPE CMPSB that at rSI. Takes the host's choice
 * for the emulator's if each of them is a fault of one of the two operands.
 */
static void accept_either_operand(const Sequence *q, const XhState *in, const XhState *emu,
                                  XhState *host)
{
    uint64_t at = emu->rip - in->rip, si, di, mask;
    Bytes src = { q->code + at, q->n - at };
    X86Insn i;

    if (emu->bits == 16 || emu->rip != host->rip || at >= q->n ||
        x86_decode(&i, emu->bits, read_byte, &src) != XD_OK || strcmp(i.mnemonic, "CMPS")) {
        return;
    }
    mask = i.adsize == 8 ? UINT64_MAX : i.adsize == 4 ? UINT32_MAX : UINT16_MAX;
    si = emu->regs[R_SI] & mask;
    di = emu->regs[R_DI] & mask;
    if ((load_raises(emu, si, i.op[0].size) && load_raises(host, di, i.op[0].size)) ||
        (load_raises(emu, di, i.op[0].size) && load_raises(host, si, i.op[0].size))) {
        host->vector = emu->vector;
        host->cr2 = emu->cr2;
        host->error = emu->error;
    }
}

/* Asks generated code to leave, again and again. */
static _Atomic bool kicking;

static void *kicker(void *opaque)
{
    TcgEnv *env = opaque;

    while (kicking) {
        __atomic_store_n(&env->exit_request, 1, __ATOMIC_SEQ_CST);
        for (volatile int k = 0; k < 200; k++) {
        }
    }
    return NULL;
}

typedef enum Mode { SEQUENCES, GRAPHS, STEPS, PAGES } Mode;

static void run_all(Test *t, const TcgBackend *be, unsigned bits, unsigned count, Mode what)
{
    bool graphs = what == GRAPHS;
    static XhState in, emu, host;
    static Sequence q;
    Xh *h = xh_new(be);
    Rng r = { UINT64_C(0x9e3779b97f4a7c15) + env_number("X86_NATIVE_SEED", 0) * 7919 + bits };
    unsigned n_rows = 0, failures = 0;
    unsigned stepped = 0, insns = 0;
    pthread_t thread = 0;
    const char *m;
    bool handled;

    if (!h) {
        test_fail(t, "no harness");
        return;
    }
    while (x86_decode_row(n_rows, &m, &handled) && strncmp(m, "SLDT", 4)) {
        n_rows++;               /* the rows of insns-int.def */
    }
    count = env_number("X86_NATIVE_COUNT", count);
    if (graphs) {
        kicking = true;
        pthread_create(&thread, NULL, kicker, &xh_cpu(h)->tcg);
    }
    for (unsigned k = 0; k < count && failures < 4; k++) {
        char diff[1024];
        unsigned len = k < count / 2 ? 1 + below(&r, 3) : 1 + below(&r, 40);

        if (graphs) {
            make_graph(&r, &q, n_rows);
        } else {
            make_sequence(&r, bits, &q, n_rows, len);
        }
        random_state(&r, bits, &in);
        if (graphs) {
            in.regs[R_14] = 200;
            in.regs[R_SP] = XH_DATA + 0x2000;
        }
        if (what == STEPS) {
            in.eflags |= FL_TF;
        } else if (what == PAGES) {
            /* Across the middle of the code, or off its end. */
            in.rip = XH_CODE + (k & 1 ? 0x1000 : XH_CODE_SIZE) - 1 - below(&r, 60);
        }
        if (!xh_native(q.code, q.n, &in, &host)) {
            test_skip(t, "not on this host");
            break;
        }
        xh_run(h, q.code, q.n, &in, &emu);
        insns += q.count;
        stepped += emu.vector == EXCP_DB;
        if (bits == 32 && emu.vector == EXCP_PF && (uint32_t)emu.cr2 >= UINT32_MAX - 64) {
            continue;           /* wraps at 4 GiB here; the host checks flat limits too */
        }
        if (emu.rip == host.rip && is_all_registers(&q, bits, emu.rip - in.rip)) {
            continue;
        }
        accept_either_operand(&q, &in, &emu, &host);
        if (!xh_same(&emu, &host, (FL_ARITH | FL_DF) & ~undefined_at(&q, host.rip - in.rip), false, diff,
                     sizeof(diff))) {
            report(t, &q, bits, host.rip - in.rip, diff, k);
            failures++;
        }
    }
    test_note(t, "%u instructions", insns);
    if (what == STEPS) {
        test_note(t, "%u single-stepped", stepped);
    }
    if (graphs) {
        kicking = false;
        pthread_join(thread, NULL);
    }
}

TEST(x86_native, interpreter_64)
{
    run_all(t, &tcg_backend_interp, 64, 1500, SEQUENCES);
}

TEST(x86_native, interpreter_32)
{
    run_all(t, &tcg_backend_interp, 32, 1000, SEQUENCES);
}

TEST(x86_native, interpreter_graphs)
{
    run_all(t, &tcg_backend_interp, 64, 300, GRAPHS);
}

TEST(x86_native, interpreter_pages)
{
    run_all(t, &tcg_backend_interp, 64, 1000, PAGES);
}

#ifdef __x86_64__
/* Accesses that begin before a page whose look-up they share, or end behind it. */
TEST(x86_native, backend_page_edges)
{
    static XhState in, emu, host;
    Xh *h = xh_new(&tcg_backend_x86_64);

    for (unsigned k = 0; k < 64; k++) {
        /* mov [rsi+1],al; mov [rsi+disp32],rcx; mov [rsi+4],al; ud2 */
        uint8_t code[] = { 0x88, 0x46, 0x01, 0x48, 0x89, 0x8e, 0, 0, 0, 0, 0x88, 0x46, 0x04,
                           0x0f, 0x0b };
        int32_t disp = (int32_t)(k >> 1) - 16;
        char diff[1024];

        xh_state_init(&in, 64);
        in.regs[R_SI] = XH_DATA + (k & 1 ? XH_DATA_SIZE - 16 : 8);
        in.regs[R_CX] = UINT64_C(0x1122334455667788);
        memcpy(code + 6, &disp, 4);
        if (!xh_native(code, sizeof(code), &in, &host)) {
            test_skip(t, "not on this host");
            return;
        }
        xh_run(h, code, sizeof(code), &in, &emu);
        if (!xh_same(&emu, &host, 0, false, diff, sizeof(diff))) {
            test_fail(t, "disp %d of %" PRIx64 ", emulator / host:\n%s", disp, in.regs[R_SI], diff);
        }
    }
}

/* The trap flag: #DB after one instruction, or one round of a repeated one. */
TEST(x86_native, backend_steps)
{
    run_all(t, &tcg_backend_x86_64, 64, 1000, STEPS);
}

TEST(x86_native, backend_pages)
{
    run_all(t, &tcg_backend_x86_64, 64, 1000, PAGES);
}

TEST(x86_native, backend_graphs)
{
    run_all(t, &tcg_backend_x86_64, 64, 1000, GRAPHS);
}

TEST(x86_native, backend_64)
{
    run_all(t, &tcg_backend_x86_64, 64, 3000, SEQUENCES);
}

TEST(x86_native, backend_16)
{
    run_all(t, &tcg_backend_x86_64, 16, 2000, SEQUENCES);
}

TEST(x86_native, backend_32)
{
    run_all(t, &tcg_backend_x86_64, 32, 2000, SEQUENCES);
}
#endif
