/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generated sequences of integer instructions, run by this emulator and by the qemu-system-m68k that is installed, on a
 * Quadra 800 with a 68020, 68030, 68040. After each sequence the program prints a checksum of what it left: registers, condition codes,
 * the vector of an exception, memory. What the manuals leave open, or decide against the other one
 * (docs/m68k-cpu.md), isn't generated.
 *
 * M68K_PEER_CASES=n runs n sequences of each model, M68K_PEER_SEED=n others.
 */
#include "util/osdep.h"

#include <glib.h>
#include <glib/gstdio.h>
#include "target/m68k/decode.h"
#include "target/m68k/state.h"
#include "tests/lib/fp-random.h"
#include "tests/lib/test.h"
#include "util/bswap.h"

enum {
    BASE = 0x10000, STACK = 0x9000, CONT = 0xa000, VECTOR = 0xa004, SAVED_SR = 0xa006, CCR = 0xa008, REGS = 0xa010,
    DATA = 0x100000, DATA_LONGS = 0x3000, MAX_IMAGE = 4 << 20,
};

static uint8_t image[MAX_IMAGE];
static uint32_t at;

static void word(uint32_t v)
{
    if (at + 2 <= MAX_IMAGE) {
        store_be16(image + at, (uint16_t)v);
        at += 2;
    }
}

static void words(const char *hex)
{
    for (const char *p = hex; *p; ) {
        char *end;

        word((uint32_t)strtoul(p, &end, 16));
        p = end + (*end == ' ');
    }
}

static void longword(uint32_t v)
{
    word(v >> 16);
    word(v & 0xffff);
}

static uint32_t here(void)
{
    return BASE + at;
}

/* Instructions that go elsewhere, change the mode, the stack pointer or what the program needs; the FPU. */
static bool wanted(uint16_t op, uint32_t model)
{
    const M68kInsn *row = m68k_decode(op);
    unsigned line = op >> 12, mode = op >> 3 & 7, reg = op & 7, dst = op >> 9 & 7;
    static const char *const never[] = {
        "STOP", "RESET", "RTE", "RTS", "RTR", "RTD", "JMP", "JSR", "BSR", "BRA", "DB", "MOVEC", "MOVES", "PFLUSH", "PTEST",
        "MOVE16", "CINV", "CPUSH", "BKPT", "UNLK", "LINK", "CALLM", "RTM", "CAS2",
        "PACK", "UNPK",                 /* the other one lacks them */
        "CMP2",                         /* it raises, but for CHK2 */
        "CHK.",                         /* undefined: Z, V, C */
        "ABCD", "SBCD", "NBCD",         /* of digits above 9, which are most here */
    };

    if (!row || !(row->models & model) || line == 15 || line == 10 || line == 6 || strstr(row->text, ",SR") ||
        strstr(row->text, "USP") || strstr(row->text, " SR")) {
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(never); i++) {
        if (!strncmp(row->text, never[i], strlen(never[i]))) {
            return false;
        }
    }
    /* ASR and LSR of memory: it has them exchanged. Bytes of address registers: it takes them. */
    if ((op & 0xfdc0) == 0xe0c0 || (mode == 1 && (row->modes & EA_AN) && (line >= 8 || line == 4 || line == 5) && !(op >> 6 & 3))) {
        return false;
    }
    /* Modes whose extension words are addresses or indices; A7 anywhere. */
    if (row->modes && (mode == 6 || (mode == 7 && (reg == 0 || reg == 1 || reg == 3)) || (mode && mode < 7 && reg == 7))) {
        return false;
    }
    if (line >= 1 && line <= 3) {
        unsigned m = op >> 6 & 7;

        if (m == 6 || m == 7 || (m && dst == 7)) {
            return false;
        }
    }
    /* ADDX.B -(A7) and its kin: it steps by one. */
    if ((!strncmp(row->text + 3, "X", 1) || !strncmp(row->text, "CMPM", 4)) && (op & 8) && (reg == 7 || dst == 7)) {
        return false;
    }
    return (!strstr(row->text, ",A") && strncmp(row->text, "EXG", 3) != 0) || (dst != 7 && reg != 7);
}

/* Words that are instructions of their own where they are left over: MOVEQ, ADDQ, EXT, SWAP, MOVE.B, of data registers. */
static uint16_t extension(Random *r)
{
    uint16_t v = (uint16_t)random_u64(r);

    switch (random_below(r, 6)) {
    case 0: case 1: return (uint16_t)(0x7000 | (v & 0x0eff));
    case 2: return (uint16_t)(0x5000 | (v & 0x0fc7 & ~0xc0u) | (v & 1 ? 0x80 : 0x40));
    case 3: return (uint16_t)(0x4840 | (v & 7));
    case 4: return (uint16_t)(0x4880 | (v & 0x47));
    default: return (uint16_t)(0x1000 | (v & 0x0e07));
    }
}

static uint32_t number(Random *r)
{
    uint32_t v = (uint32_t)random_bits(r);

    switch (random_below(r, 5)) {
    case 0: return (uint32_t)(int8_t)v;
    case 1: return v & 0xff;
    case 2: return (uint32_t)(int16_t)v;
    default: return v;
    }
}

static uint32_t put_handler(void)
{
    uint32_t a = here();

    words("33ef 0006"); longword(VECTOR);       /* move.w 6(a7),VECTOR */
    words("33d7"); longword(SAVED_SR);          /* move.w (a7),SAVED_SR */
    words("0279 fff1"); longword(SAVED_SR);     /* andi.w #$fff1,SAVED_SR: undefined after a division by zero */
    words("4ff9"); longword(STACK);             /* lea STACK,a7 */
    words("2f39"); longword(CONT);              /* move.l CONT,-(a7) */
    words("44f9"); longword(SAVED_SR);          /* move.w SAVED_SR,ccr */
    words("4e75");                              /* rts */
    return a;
}

/* A byte in D0, in hexadecimal: print(d0.l). Clobbers D0 to D2. */
static uint32_t put_print(void)
{
    uint32_t a = here();

    words("7407");                              /* moveq #7,d2 */
    words("e998");                              /* 1: rol.l #4,d0 */
    words("1200 0201 000f 0601 0030");          /* move.b d0,d1; andi.b #15,d1; addi.b #'0',d1 */
    words("0c01 0039 6f02 5e01");               /* cmpi.b #'9',d1; ble.s .+4; addq.b #7,d1 */
    words("13c1"); longword(0x5000c026);        /* move.b d1,SCC */
    words("51ca ffe4");                         /* dbra d2,1b */
    words("13fc 000a"); longword(0x5000c026);   /* newline */
    words("4e75");
    return a;
}

/* Fill DATA with D0.W's pattern. */
static uint32_t put_fill(void)
{
    uint32_t a = here();

    words("41f9"); longword(DATA);              /* lea DATA,a0 */
    words("323c"); word(DATA_LONGS - 1);        /* move.w #n,d1 */
    words("20c0");                              /* 1: move.l d0,(a0)+ */
    words("0680 1234 5679");                    /* addi.l #,d0 */
    words("51c9 fff6");                         /* dbra d1,1b */
    words("42b9"); longword(VECTOR);            /* clr.l VECTOR */
    words("4e75");
    return a;
}

/* Sum of everything, into D0. */
static uint32_t put_sum(void)
{
    uint32_t a = here();

    words("7000 41f9"); longword(VECTOR);       /* moveq #0,d0; lea VECTOR,a0 */
    words("7212");                              /* moveq #18,d1: up to the registers' end */
    words("e398 d098");                         /* 1: rol.l #1,d0; add.l (a0)+,d0 */
    words("51c9 fffa");                         /* dbra d1,1b */
    words("41f9"); longword(DATA);
    words("323c"); word(DATA_LONGS - 1);
    words("e398 d098");                         /* 2: rol.l #1,d0; add.l (a0)+,d0 */
    words("51c9 fffa");
    words("4e75");
    return a;
}

static void put_case(Random *r, uint32_t model, uint32_t number_of, uint32_t fill, uint32_t sum, uint32_t print, GString *show)
{
    uint32_t table, cont, patch;
    uint16_t op, ext[6];
    unsigned n = 1 + random_below(r, 2);
    bool addresses = false;

    words("4ff9"); longword(STACK);
    words("203c"); longword(number_of * 0x9e3779b9u);   /* move.l #,d0 */
    words("4eb9"); longword(fill);
    words("4ef9"); longword(here() + 4 + 60);   /* jmp over the table */
    table = here();
    for (unsigned i = 0; i < 8; i++) {
        longword(number(r));
    }
    for (unsigned i = 0; i < 7; i++) {
        longword(DATA + 0x100 + random_below(r, 0x400) * (random_below(r, 4) ? 4 : 1));
    }
    words("23fc"); patch = at; longword(0); longword(CONT);
    words("4cf9 7fff"); longword(table);
    words("44fc"); word(random_below(r, 32));
    for (unsigned i = 0; i < n && !addresses; i++) {
        do {
            op = (uint16_t)random_u64(r);
        } while (!wanted(op, model));
        word(op);
        /* Behind an address register that holds anything nothing is addressed. */
        addresses = strstr(m68k_decode(op)->text, ",A") || !strncmp(m68k_decode(op)->text, "EXG", 3) ||
                    !strncmp(m68k_decode(op)->text, "MOVEM", 5);
        for (unsigned k = 0; k < 5; k++) {
            ext[k] = extension(r);
            if (k == 0 && !strncmp(m68k_decode(op)->text, "BF", 2) && (op & 0x38)) {
                ext[k] &= (uint16_t)~0x800u;    /* offsets that stay in the area */
            }
            if (k == 0 && strchr(m68k_decode(op)->text, '#') && m68k_decode(op)->text[0] == 'B') {
                ext[k] &= 0xff;         /* it raises for more than the bit's number */
            }
            word(ext[k]);
        }
        if (show) {
            g_string_append_printf(show, "[%04x %04x %04x %04x %04x %04x %s]", op, ext[0], ext[1], ext[2], ext[3], ext[4],
                                   m68k_decode(op)->text);
        }
    }
    cont = here();
    store_be32(image + patch, cont);
    words("42f9"); longword(CCR);               /* move ccr,CCR */
    words("48f9 ffff"); longword(REGS);         /* movem.l d0-a7,REGS */
    words("4ff9"); longword(STACK);
    if (show) {
        for (unsigned i = 0; i < 17; i++) {
            words("2039"); longword(i ? REGS + 4 * (i - 1) : VECTOR);
            words("4eb9"); longword(print);
        }
        words("2039"); longword(CCR);
        words("4eb9"); longword(print);
    }
    words("4eb9"); longword(sum);
    words("4eb9"); longword(print);
}

static bool write_elf(const char *path)
{
    uint8_t h[84] = { 0x7f, 'E', 'L', 'F', 1, 2, 1 };
    FILE *f = fopen(path, "wb");
    bool ok;

    store_be16(h + 16, 2);
    store_be16(h + 18, 4);
    store_be32(h + 20, 1);
    store_be32(h + 24, BASE);
    store_be32(h + 28, 52);
    store_be16(h + 40, 52);
    store_be16(h + 42, 32);
    store_be16(h + 44, 1);
    store_be32(h + 52, 1);
    store_be32(h + 56, 84);
    store_be32(h + 60, BASE);
    store_be32(h + 64, BASE);
    store_be32(h + 68, at);
    store_be32(h + 72, at);
    store_be32(h + 76, 7);
    store_be32(h + 80, 2);
    ok = f && fwrite(h, 1, sizeof(h), f) == sizeof(h) && fwrite(image, 1, at, f) == at;
    return f && !fclose(f) && ok;
}

/* The program of @count cases, or of case @only of them with all that it leaves; @show: its words. */
static bool make(const char *path, unsigned seed, uint32_t model, unsigned count, int only, GString *show)
{
    Random r;
    uint32_t handler, fill, sum, print;

    at = 0;
    words("4ef9"); longword(0);
    handler = put_handler();
    print = put_print();
    fill = put_fill();
    sum = put_sum();
    store_be32(image + 2, here());
    words("46fc 2700 7000 4e7b 0801");          /* move #$2700,sr; moveq #0,d0; movec d0,vbr */
    words("41f8 0000 303c 00ff");               /* lea 0.w,a0; move.w #255,d0 */
    words("20fc"); longword(handler);           /* 1: move.l #handler,(a0)+ */
    words("51c8 fff8");
    words("49f9 5000 c022 18bc 0005 18bc 0008");        /* SCC: transmit */
    for (unsigned i = 0; i < count; i++) {
        r.s = ((uint64_t)seed * 1000003 + i) * UINT64_C(0x9e3779b97f4a7c15) | 1;
        if (only < 0 || only == (int)i) {
            put_case(&r, model, i, fill, sum, print, only >= 0 ? show : NULL);
        }
    }
    words("41f9 50f0 2000 117c 0004 0400 4210 60fe");   /* VIA2: power off */
    return at + 2 <= MAX_IMAGE && write_elf(path);
}

/* What it prints, line by line; NULL: it didn't run. */
static char **run(const char *emulator, const char *cpu, const char *path)
{
    g_autofree char *out = g_strconcat(path, ".out", NULL), *serial = g_strconcat("file:", out, NULL), *text = NULL;
    char *argv[] = { "timeout", "50", (char *)emulator, "-M", "q800", "-m", "16", "-cpu", (char *)cpu, "-kernel", (char *)path,
                     "-display", "none", "-monitor", "none", "-serial", serial, NULL };
    char **lines = NULL;

    g_unlink(out);
    if (g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                     NULL, NULL, NULL, NULL, NULL, NULL) && g_file_get_contents(out, &text, NULL, NULL)) {
        lines = g_strsplit(text, "\n", -1);
    }
    g_unlink(out);
    return lines;
}

static unsigned setting(const char *name, unsigned otherwise)
{
    const char *v = getenv(name);

    return v ? (unsigned)atoi(v) : otherwise;
}

static void explain(Test *t, const char *ours, const char *peer, const char *cpu, const char *path, unsigned seed,
                    uint32_t model, unsigned count, unsigned i)
{
    g_autoptr(GString) show = g_string_new(NULL);
    g_auto(GStrv) x = NULL, y = NULL;

    make(path, seed, model, count, (int)i, show);
    x = run(ours, cpu, path);
    y = run(peer, cpu, path);
    for (unsigned k = 0; x && y && k < 18 && x[k] && y[k]; k++) {
        if (strcmp(x[k], y[k])) {
            g_autofree char *name = k == 0 ? g_strdup("vector") : k == 17 ? g_strdup("CCR")
                                    : g_strdup_printf("%c%u", k < 9 ? 'D' : 'A', (k - 1) % 8);

            g_string_append_printf(show, " %s %s, there %s", name, x[k], y[k]);
        }
    }
    for (unsigned k = 9; x && g_strv_length(x) > 17 && k < 16; k++) {
        g_string_append_printf(show, " A%u=%s", k - 9, x[k]);
    }
    test_fail(t, "%s, case %u: %s", cpu, i, show->str);
}

static void compare(Test *t, const char *cpu, uint32_t model)
{
    g_autofree char *ours = g_strconcat(getenv("QEMU_BIN") ? getenv("QEMU_BIN") : "./qemu-system", "-m68k", NULL);
    g_autofree char *peer = g_find_program_in_path("qemu-system-m68k"), *path = NULL;
    unsigned count = setting("M68K_PEER_CASES", 200), seed = setting("M68K_PEER_SEED", 1), failed = 0, n;
    g_auto(GStrv) x = NULL, y = NULL;
    int fd;

    if (!peer) {
        test_skip(t, "no qemu-system-m68k is installed (package qemu-system-misc)");
        return;
    }
    fd = g_file_open_tmp("m68k-peer.XXXXXX", &path, NULL);
    close(fd);
    if (!make(path, seed, model, count, -1, NULL)) {
        test_fail(t, "the program can't be made");
    } else {
        x = run(ours, cpu, path);
        y = run(peer, cpu, path);
    }
    for (n = 0; x && y && x[n] && y[n] && *x[n] && *y[n]; n++) {
        if (strcmp(x[n], y[n]) && failed++ < setting("M68K_PEER_SHOW", 3)) {
            explain(t, ours, peer, cpu, path, seed, model, count, n);
        }
    }
    check_u32(t, n, count, "all cases were run by both");
    check_u32(t, failed, 0, "cases that differ");
    g_unlink(path);
}

TEST(m68k_peer, m68020) { compare(t, "m68020", M68K_020); }
TEST(m68k_peer, m68030) { compare(t, "m68030", M68K_030); }
TEST(m68k_peer, m68040) { compare(t, "m68040", M68K_040); }
