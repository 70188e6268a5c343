/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoder: its tables, chosen encodings, and random bytes against Capstone.
 */
#include "util/osdep.h"
#include <capstone/capstone.h>
#include "target/i386/decode.h"
#include "target/i386/state.h"
#include "tests/lib/test.h"

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

static unsigned parse_hex(const char *s, uint8_t *out)
{
    unsigned n = 0;

    while (*s) {
        char *end;

        out[n++] = strtoul(s, &end, 16);
        s = end + (*end == ' ');
    }
    return n;
}

TEST(x86_decode, tables)
{
    check_u32(t, x86_decode_check(stderr), 0, "rows that overlap or can't be read");
}

/* Expected: result, length, mnemonic, operand and address size, first operand's kind. */
static const struct {
    unsigned bits;
    const char *bytes;
    X86DecodeResult result;
    unsigned len;
    const char *mnemonic;
    unsigned opsize, adsize, kind0;
} cases[] = {
    { 64, "90", XD_OK, 1, "XCHG", 4, 8, XO_REG },
    { 64, "f3 90", XD_OK, 2, "PAUSE", 4, 8, XO_NONE },
    { 64, "48 01 d8", XD_OK, 3, "ADD", 8, 8, XO_REG },
    { 64, "66 05 34 12", XD_OK, 4, "ADD", 2, 8, XO_REG },
    { 64, "48 05 78 56 34 12", XD_OK, 6, "ADD", 8, 8, XO_REG },
    { 64, "48 b8 8 7 6 5 4 3 2 1", XD_OK, 10, "MOV", 8, 8, XO_REG },
    { 64, "66 48 b8 8 7 6 5 4 3 2 1", XD_OK, 11, "MOV", 8, 8, XO_REG },
    { 64, "8b 05 0 0 0 0", XD_OK, 6, "MOV", 4, 8, XO_REG },
    { 64, "67 8b 44 24 08", XD_OK, 5, "MOV", 4, 4, XO_REG },
    { 64, "50", XD_OK, 1, "PUSH", 8, 8, XO_REG },
    { 64, "66 50", XD_OK, 2, "PUSH", 2, 8, XO_REG },
    { 64, "66 e8 0 0 0 0", XD_OK, 6, "CALL", 8, 8, XO_REL },
    { 32, "66 e8 0 0", XD_OK, 4, "CALL", 2, 4, XO_REL },
    { 64, "c3", XD_OK, 1, "RET", 8, 8, XO_NONE },
    { 64, "06", XD_UD, 1, NULL, 0, 0, 0 },
    { 32, "06", XD_OK, 1, "PUSH", 4, 4, XO_SEG },
    { 64, "63 c8", XD_OK, 2, "MOVSXD", 4, 8, XO_REG },
    { 32, "63 c8", XD_OK, 2, "ARPL", 4, 4, XO_REG },
    { 64, "41 40 90", XD_OK, 3, "XCHG", 4, 8, XO_REG },
    { 64, "f0 01 03", XD_OK, 3, "ADD", 4, 8, XO_MEM },
    { 64, "f0 01 c3", XD_UD, 3, NULL, 0, 0, 0 },            /* LOCK on a register */
    { 64, "f0 89 03", XD_UD, 3, NULL, 0, 0, 0 },            /* LOCK MOV */
    { 64, "0f 0b", XD_OK, 2, "UD2", 4, 8, XO_NONE },
    { 64, "0f 01 f8", XD_OK, 3, "SWAPGS", 4, 8, XO_NONE },
    { 32, "0f 01 f8", XD_UD, 3, NULL, 0, 0, 0 },
    { 64, "0f c7 0b", XD_OK, 3, "CMPXCHG8B", 4, 8, XO_MEM },
    { 64, "48 0f c7 0b", XD_OK, 4, "CMPXCHG16B", 8, 8, XO_MEM },
    { 64, "0f c7 cb", XD_UD, 3, NULL, 0, 0, 0 },
    { 64, "66 0f 6f c1", XD_OK, 4, "MOVDQA", 4, 8, XO_XMM },
    { 64, "f3 0f 6f c1", XD_OK, 4, "MOVDQU", 4, 8, XO_XMM },
    { 64, "0f 6f c1", XD_OK, 3, "MOVQ", 4, 8, XO_MMX },
    { 64, "66 f3 0f b8 c1", XD_OK, 5, "POPCNT", 2, 8, XO_REG },
    { 64, "66 f2 0f 38 f1 c1", XD_OK, 6, "CRC32", 2, 8, XO_REG },
    { 64, "0f 38 f0 03", XD_OK, 4, "MOVBE", 4, 8, XO_REG },
    { 64, "0f 38 f0 c3", XD_UD, 4, NULL, 0, 0, 0 },
    { 64, "d9 e8", XD_OK, 2, "FLD1", 4, 8, XO_NONE },
    { 64, "db 2b", XD_OK, 2, "FLD", 4, 8, XO_MEM },
    { 16, "8b 46 08", XD_OK, 3, "MOV", 2, 2, XO_REG },
    { 16, "67 66 8b 44 24 08", XD_OK, 6, "MOV", 4, 4, XO_REG },
    { 16, "8b 0e 34 12", XD_OK, 4, "MOV", 2, 2, XO_REG },
    { 16, "ea 5b e0 00 f0", XD_OK, 5, "JMPF", 2, 2, XO_FAR },
    { 16, "66 ea 0 0 0 0 8 0", XD_OK, 8, "JMPF", 4, 2, XO_FAR },
    { 64, "ea 0 0 0 0 8 0", XD_UD, 1, NULL, 0, 0, 0 },
    { 64, "0f 20 e0", XD_OK, 3, "MOVFROMCR", 4, 8, XO_REG },
    { 64, "0f 20 c8", XD_UD, 3, NULL, 0, 0, 0 },            /* CR1 */
    { 64, "8e f0", XD_UD, 2, NULL, 0, 0, 0 },               /* segment register 6 */
    { 64, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", XD_OK, 15, "XCHG", 2, 8, XO_REG },
    { 64, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", XD_TOO_LONG, 0, NULL, 0, 0, 0 },
    { 64, "48 b8 8 7 6", XD_NO_BYTES, 0, NULL, 0, 0, 0 },
    { 64, "c8 10 00 01", XD_OK, 4, "ENTER", 8, 8, XO_IMM },
    { 64, "a1 8 7 6 5 4 3 2 1", XD_OK, 9, "MOV", 4, 8, XO_REG },
    { 64, "67 a1 4 3 2 1", XD_OK, 6, "MOV", 4, 4, XO_REG },
    { 64, "0f a3 c1", XD_OK, 3, "BT", 4, 8, XO_REG },
    { 64, "c5 f8 77", XD_OK, 3, "VZEROUPPER", 4, 8, XO_NONE },
    { 64, "c5 fc 77", XD_OK, 3, "VZEROALL", 4, 8, XO_NONE },
    { 64, "c5 f0 77", XD_UD, 3, NULL, 0, 0, 0 },            /* VEX.vvvv must be 1111 */
    { 64, "66 c5 f8 77", XD_UD, 4, NULL, 0, 0, 0 },         /* a prefix before VEX, */
    { 64, "48 c5 f8 77", XD_UD, 4, NULL, 0, 0, 0 },         /* REX too */
    { 32, "c5 f8 77", XD_OK, 3, "VZEROUPPER", 4, 4, XO_NONE },
    { 64, "c5 f9 fe c1", XD_OK, 4, "VPADDD", 4, 8, XO_XMM },
    { 64, "c4 e2 71 47 c2", XD_OK, 5, "VPSLLVD", 4, 8, XO_XMM },
    { 64, "c4 e2 f1 47 c2", XD_OK, 5, "VPSLLVQ", 8, 8, XO_XMM },
    { 64, "c4 e4 71 47 c2", XD_UD, 4, NULL, 0, 0, 0 },      /* no such map */
    { 64, "c4 e3 79 16 c0 01", XD_OK, 6, "VPEXTRD", 4, 8, XO_REG },
    { 64, "c4 e2 78 f2 c1", XD_OK, 5, "ANDN", 4, 8, XO_REG },
    { 64, "c4 e2 7c f2 c1", XD_UD, 5, NULL, 0, 0, 0 },      /* VEX.L */
    { 32, "c5 03", XD_OK, 2, "LDS", 4, 4, XO_REG },
};

TEST(x86_decode, chosen)
{
    for (unsigned k = 0; k < ARRAY_SIZE(cases); k++) {
        uint8_t b[32];
        Bytes src = { b, parse_hex(cases[k].bytes, b) };
        X86Insn i;
        X86DecodeResult r = x86_decode(&i, cases[k].bits, read_byte, &src);

        if (!check_int(t, r, cases[k].result, cases[k].bytes) || r != XD_OK) {
            continue;
        }
        check_u32(t, i.len, cases[k].len, cases[k].bytes);
        check_str(t, i.mnemonic, cases[k].mnemonic, cases[k].bytes);
        check_u32(t, i.opsize, cases[k].opsize, cases[k].bytes);
        check_u32(t, i.adsize, cases[k].adsize, cases[k].bytes);
        check_u32(t, i.op[0].kind, cases[k].kind0, cases[k].bytes);
    }
}

TEST(x86_decode, memory_operands)
{
    static const struct {
        unsigned bits;
        const char *bytes;
        uint8_t base, index, scale, seg;
        int64_t disp;
    } m[] = {
        { 64, "8b 04 88", R_AX, R_CX, 2, S_DS, 0 },
        { 64, "8b 04 25 10 0 0 0", XM_NO_REG, XM_NO_REG, 0, S_DS, 16 },
        { 64, "8b 44 24 f8", R_SP, XM_NO_REG, 0, S_SS, -8 },
        { 64, "43 8b 44 65 01", R_13, R_12, 1, S_DS, 1 },
        { 64, "8b 05 fc ff ff ff", XM_RIP, XM_NO_REG, 0, S_DS, -4 },
        { 32, "8b 05 fc ff ff ff", XM_NO_REG, XM_NO_REG, 0, S_DS, -4 },
        { 64, "65 8b 03", R_BX, XM_NO_REG, 0, S_GS, 0 },
        { 64, "2e 8b 03", R_BX, XM_NO_REG, 0, S_DS, 0 },
        { 32, "2e 8b 03", R_BX, XM_NO_REG, 0, S_CS, 0 },
        { 16, "8b 02", R_BP, R_SI, 0, S_SS, 0 },
        { 16, "8b 41 80", R_BX, R_DI, 0, S_DS, -128 },
        { 32, "8b 45 00", R_BP, XM_NO_REG, 0, S_SS, 0 },
    };

    for (unsigned k = 0; k < ARRAY_SIZE(m); k++) {
        uint8_t b[32];
        Bytes src = { b, parse_hex(m[k].bytes, b) };
        X86Insn i;

        if (check_int(t, x86_decode(&i, m[k].bits, read_byte, &src), XD_OK, m[k].bytes)) {
            check_u32(t, i.base, m[k].base, m[k].bytes);
            check_u32(t, i.index, m[k].index, m[k].bytes);
            check_u32(t, i.scale, m[k].scale, m[k].bytes);
            check_u32(t, i.seg, m[k].seg, m[k].bytes);
            check_int(t, i.disp, m[k].disp, m[k].bytes);
        }
    }
}

/* Known to differ from Capstone in what is valid: by our mnemonic or theirs. */
static bool known(const char *name, const char *const *list)
{
    for (; *list; list++) {
        size_t n = strlen(*list);

        if ((*list)[n - 1] == '*' ? !strncmp(name, *list, n - 1) : !strcmp(name, *list)) {
            return true;
        }
    }
    return false;
}

static void random_bytes(Test *t, unsigned bits, cs_mode mode, unsigned count)
{
    /* Instruction sets that aren't modelled, and forms that Capstone takes for granted. */
    static const char *const theirs[] = { "vmread", "vmwrite", "vmptr*", "vmclear", "vmxon", "vmxoff",
        "vmresume", "vmlaunch", "vmcall", "vmfunc", "vmrun", "vmload", "vmsave", "vmmcall",
        "k*", "pf*", "pi2*", "pmulhrw", "pavgusb", "pswapd",
        "femms", "bnd*", "rdsspd", "rdsspq", "inc", "xbegin", "xabort", "xend", "xtest", "lwpins", "lwpval", "llwpcb",
        "slwpcb", "blc*", "blsfill", "blsic", "t1mskc", "tzmsk", "adcx", "adox", "getsec", "enc*", "mov", "nop", "fld*", "fst*", "fx*", "fcom*",
        "ffreep", "invept", "invvpid", "clwb", "pcommit", "xrstor*", "xsave*", "wrfs*", "wrgs*",
        "lea", "sys*", "prefetch*", "jmpe", "monitorx", "mwaitx", "clzero", "cmpxchg16b", "ud*",
        "data16", "lock", "rep*", "xacquire", "xrelease", "swapgs", "ptwrite", "tpause", "umonitor", "umwait",
        "cldemote", "movdir*", "gf2*", "sha*", "endbr*", "incssp*", "saveprevssp", "rstorssp",
        "setssbsy", "clrssbsy", "xcrypt*", "xstore", "xsha*", "montmul", "j*", "call", "wrss*", "wruss*", "rdrand", "rdseed", "rdpid", "clac", "stac", NULL };
    static const char *const ours[] = { "NOP", "UD*", "PREFETCH", "SALC", "F*", "INT1", "LOCK*",
        "RDPID", "RDSEED", "MOVNT*", "EXTRQ", "INSERTQ", "SHA*", "MONITOR", "XRSTORS", "XSAVE*",
        "TEST", "SHL", "SVM", "VM*", "STGI", "CLGI", "SKINIT", "INVLPGA", "RDPKRU", "WRPKRU",
        "INVPCID", "MOVFROMCR", "MOVTOCR", "MOVFROMDR", "MOVTODR", "BSWAP", "CRC32", "CLFLUSH",
        "LFENCE", "MFENCE", "SFENCE", "SYSRET", "RDRAND", "MOVFROMSEG", "MOVTOSEG", "CLZERO", NULL };
    uint64_t s = UINT64_C(0x123456789abcdef1) + bits;
    unsigned differ = 0, both = 0;
    csh cs;

    if (cs_open(CS_ARCH_X86, mode, &cs) != CS_ERR_OK) {
        test_skip(t, "Capstone has no x86");
        return;
    }
    for (unsigned k = 0; k < count && differ < 20; k++) {
        uint8_t b[16];
        Bytes src = { b, 16 };
        cs_insn *c = NULL;
        X86DecodeResult r;
        X86Insn i;
        size_t n;

        for (unsigned j = 0; j < 16; j++) {
            s ^= s << 13;
            s ^= s >> 7;
            s ^= s << 17;
            b[j] = s >> 30;
        }
        if (k & 1) {                    /* more of the two-byte map */
            b[0] = 0x0f;
        } else if (k & 2) {
            b[0] = (uint8_t[]){ 0x66, 0xf2, 0xf3, 0x48 }[k >> 2 & 3];
            b[1] = 0x0f;
        }
        if (k % 5 == 0) {               /* VEX; more of what has no vvvv operand */
            b[0] = b[0] & 1 ? 0xc4 : 0xc5;
            b[1] |= bits == 64 ? 0 : 0xc0;
            if (b[0] == 0xc4) {
                b[1] = (b[1] & 0xe0) | (1 + (b[1] & 3) % 3);
            }
            b[b[0] == 0xc4 ? 2 : 1] |= b[9] & 1 ? 0x78 : 0;
        }
        r = x86_decode(&i, bits, read_byte, &src);
        n = cs_disasm(cs, b, 16, 0x1000, 1, &c);
        if (r == XD_OK && n) {
            both++;
            if (i.len != c->size && !known(i.mnemonic, ours) && !known(c->mnemonic, theirs)) {
                test_fail(t, "%u bits, %02x %02x %02x %02x %02x %02x: %s has %u bytes, %s %s %u",
                          bits, b[0], b[1], b[2], b[3], b[4], b[5], i.row->text, i.len,
                          c->mnemonic, c->op_str, c->size);
                differ++;
            }
        } else if (r == XD_OK && !known(i.mnemonic, ours) &&
                   !(bits == 16 && i.row->flags >> XI_FEAT_SHIFT)) {
            test_fail(t, "%u bits, %02x %02x %02x %02x %02x %02x: %s is unknown to Capstone",
                      bits, b[0], b[1], b[2], b[3], b[4], b[5], i.row->text);
            differ++;
        } else if (r == XD_UD && n && !i.lock && !i.rep && !i.has_66 && !i.vex &&
                   !known(c->mnemonic, theirs)) {
            /* Capstone takes reserved prefixes of MMX and SSE opcodes for nothing, as it does
             * VEX.W, and knows FMA4. */
            test_fail(t, "%u bits, %02x %02x %02x %02x %02x %02x: %s %s is not decoded",
                      bits, b[0], b[1], b[2], b[3], b[4], b[5], c->mnemonic, c->op_str);
            differ++;
        }
        if (n) {
            cs_free(c, n);
        }
    }
    test_note(t, "%u valid in both", both);
    cs_close(&cs);
}

TEST(x86_decode, random_64)
{
    random_bytes(t, 64, CS_MODE_64, 60000);
}

TEST(x86_decode, random_32)
{
    random_bytes(t, 32, CS_MODE_32, 60000);
}

TEST(x86_decode, random_16)
{
    random_bytes(t, 16, CS_MODE_16, 60000);
}
