/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random 64-bit instruction sequences at CPL 0, run natively by the host and by the translator
 * with each back end: registers, flags and memory have to be the same. Data lies
 * at the same low addresses in both worlds.
 */
#include "util/osdep.h"
#include <sys/mman.h>
#include "accel/tcg/region.h"
#include "tests/target/i386/fixture.h"
#include "tests/lib/fp-random.h"
#include "util/main-loop.h"
#include "util/rcu.h"

#ifdef __x86_64__

enum { DATA = 0x600000, DATA_SIZE = 0x2000, CODE = 0x200000, CODE_END = 0x300000,
       CACHE_SIZE = 32 << 20, SMALL_CACHE = 2 << 20,
       FLAGS = FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF };
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R9 = 9 };

typedef struct World {
    uint64_t r[16], flags, host_rsp;
} World;

typedef struct Buf {
    Random rnd;
    uint8_t b[1024];
    unsigned n;
    uint32_t undefined;         /* flags that the last instruction leaves undefined */
} Buf;

static unsigned below(Buf *g, unsigned n)
{
    return random_below(&g->rnd, n);
}

static void byte(Buf *g, unsigned v)
{
    g->b[g->n++] = v;
}

static void imm(Buf *g, unsigned size, uint64_t v)
{
    for (unsigned i = 0; i < size; i++) {
        byte(g, v >> 8 * i & 0xff);
    }
}

/* A register that may be changed: not RSP, nor RBX, the data's base. */
static unsigned some_reg(Buf *g)
{
    unsigned r;

    do {
        r = below(g, 16);
    } while (r == RBX || r == RSP);
    return r;
}

/* Without REX the byte registers 4 to 6 are AH, CH, DH; BL and BH are left alone. */
static unsigned old_byte_reg(Buf *g)
{
    static const uint8_t regs[] = { 0, 1, 2, 4, 5, 6 };

    return regs[below(g, ARRAY_SIZE(regs))];
}

/* Opcode bytes @op (map 0x0f in bit 8, prefix F3 in bit 9), ModRM for @reg and a random operand
 * of @size bytes; @reg < 0: a random register. */
static void modrm(Buf *g, unsigned size, unsigned op, int reg, bool memory)
{
    bool mem = memory && below(g, 3) == 0, scaled = mem && below(g, 2);
    bool old = size == 1 && !scaled && below(g, 3) == 0;
    unsigned rm = old ? old_byte_reg(g) : some_reg(g), rex = 0;

    if (reg < 0) {
        reg = old ? old_byte_reg(g) : some_reg(g);
    }
    if (scaled) {               /* mov r9d, small: an index; flags stay */
        byte(g, 0x41);
        byte(g, 0xb9);
        imm(g, 4, below(g, 300));
    }
    if (size == 2) {
        byte(g, 0x66);
    }
    if (op & 0x200) {
        byte(g, 0xf3);
    }
    if (!old) {
        rex = (size == 8 ? 0x48 : 0) | (reg & 8) >> 1 | (mem ? scaled ? 2 : 0 : rm >> 3);
        if (size == 1 || rex) {
            byte(g, 0x40 | rex);
        }
    }
    if (op & 0x100) {
        byte(g, 0x0f);
    }
    byte(g, op & 0xff);
    if (scaled) {
        byte(g, 0x44 | (reg & 7) << 3);
        byte(g, (below(g, 4) << 6) | 1 << 3 | RBX);
        byte(g, below(g, 128));
    } else if (mem) {
        byte(g, 0x80 | (reg & 7) << 3 | RBX);
        imm(g, 4, below(g, 0x1000));
    } else {
        byte(g, 0xc0 | (reg & 7) << 3 | (rm & 7));
    }
}

static unsigned size_248(Buf *g)
{
    return 2u << below(g, 3);
}

static unsigned size_any(Buf *g)
{
    return 1u << below(g, 4);
}

static void gen_alu(Buf *g)
{
    unsigned size = size_any(g), op = below(g, 8), w = size > 1;

    switch (below(g, 6)) {
    case 0:
        modrm(g, size, 0x80 | w, op, true);
        imm(g, MIN(size, 4u), random_bits(&g->rnd));
        break;
    case 1:
        size = size_248(g);
        modrm(g, size, 0x83, op, true);
        imm(g, 1, random_bits(&g->rnd));
        break;
    case 2:
        modrm(g, size, 0xf6 | w, 2 + below(g, 2), true);        /* NOT, NEG */
        return;
    case 3:
        modrm(g, size, 0xfe | w, below(g, 2), true);            /* INC, DEC */
        return;
    case 4:
        modrm(g, size, 0x84 | w, -1, true);                     /* TEST */
        g->undefined = FL_AF;
        return;
    default:
        modrm(g, size, op << 3 | below(g, 2) << 1 | w, -1, true);
        break;
    }
    if (op == 1 || op == 4 || op == 6) {
        g->undefined = FL_AF;
    }
}

static void gen_shift(Buf *g)
{
    unsigned size = size_any(g), op = below(g, 8), w = size > 1, count;
    bool rotate = op < 4;

    switch (below(g, 4)) {
    case 0:
        modrm(g, size, 0xd0 | w, op, true);
        g->undefined = rotate ? 0 : FL_AF;
        return;
    case 1:                     /* mov cl, n first: a count of 0 changes no flag */
        count = below(g, 70);
        byte(g, 0xb1);
        byte(g, count);
        modrm(g, size, 0xd2 | w, op, true);
        break;
    case 2:
        count = below(g, 70);
        modrm(g, size, 0xc0 | w, op, true);
        byte(g, count);
        break;
    default:                    /* SHLD, SHRD; above the width nothing is defined */
        size = size_248(g);
        count = below(g, size * 8);
        modrm(g, size, 0x1a4 | below(g, 2) << 3, -1, true);
        byte(g, count);
        rotate = false;
        break;
    }
    count &= size == 8 ? 63 : 31;
    g->undefined = count == 0 ? 0 : rotate ? (count == 1 ? 0 : FL_OF)
                 : (count == 1 ? FL_AF : FL_AF | FL_OF);
    if (count >= size * 8) {
        g->undefined |= FL_CF;
    }
}

static void gen_mul(Buf *g)
{
    unsigned size = size_any(g);

    switch (below(g, 4)) {
    case 0:
        modrm(g, size, 0xf6 | (size > 1), 4 + below(g, 2), true);
        break;
    case 1:
        modrm(g, size_248(g), 0x1af, -1, true);
        break;
    case 2:
        modrm(g, size_248(g), 0x6b, -1, true);
        imm(g, 1, random_bits(&g->rnd));
        break;
    default:                    /* a division that can't fault: EDX 0, divisor odd */
        imm(g, 2, 0xd231);      /* xor edx, edx */
        imm(g, 4, 0x01c98348);  /* or rcx, 1 */
        if (below(g, 2)) {
            byte(g, 0x48);
        }
        imm(g, 2, 0xf1f7);      /* div (r)cx */
        g->undefined = FLAGS;
        return;
    }
    g->undefined = FL_SF | FL_ZF | FL_AF | FL_PF;
}

static void gen_bits(Buf *g)
{
    unsigned size = size_248(g);

    switch (below(g, 5)) {
    case 0:                     /* BT, BTS, BTR, BTC by a register's bit */
        modrm(g, size, 0x1a3 | below(g, 4) << 3, -1, false);
        g->undefined = FL_OF | FL_SF | FL_AF | FL_PF;
        break;
    case 1:
        modrm(g, size, 0x1ba, 4 + below(g, 4), true);
        byte(g, random_bits(&g->rnd));
        g->undefined = FL_OF | FL_SF | FL_AF | FL_PF;
        break;
    case 2:                     /* BSF, BSR of what isn't 0 */
        imm(g, 4, 0x10c88348);  /* or rax, 16 */
        byte(g, 0x48);
        byte(g, 0x0f);
        byte(g, 0xbc | below(g, 2));
        byte(g, 0xc0 | RDX << 3 | RAX);
        g->undefined = FLAGS & ~FL_ZF;
        break;
    case 3:
        modrm(g, size, 0x3b8, -1, true);                        /* POPCNT */
        break;
    default:
        byte(g, 0x48 | (below(g, 2) ? 0 : 8));                  /* BSWAP */
        byte(g, 0x0f);
        byte(g, 0xc8 | (below(g, 2) ? RSI : RDX));
        break;
    }
}

static void gen_move(Buf *g)
{
    unsigned size = size_any(g), w = size > 1, r = some_reg(g);

    switch (below(g, 9)) {
    case 0:
        modrm(g, size, 0x88 | below(g, 2) << 1 | w, -1, true);
        break;
    case 1:
        modrm(g, size, 0xc6 | w, 0, true);
        imm(g, MIN(size, 4u), random_bits(&g->rnd));
        break;
    case 2:
        byte(g, 0x48 | r >> 3);
        byte(g, 0xb8 | (r & 7));
        imm(g, 8, random_bits(&g->rnd));
        break;
    case 3:                     /* MOVZX, MOVSX */
        modrm(g, size_248(g), (below(g, 2) ? 0x1b6 : 0x1be) | below(g, 2), some_reg(g), true);
        break;
    case 4:
        modrm(g, 8, 0x63, -1, true);
        break;
    case 5:
        modrm(g, 1, 0x190 | below(g, 16), 0, true);             /* SETcc */
        break;
    case 6:
        modrm(g, size_248(g), 0x140 | below(g, 16), -1, true);  /* CMOVcc */
        break;
    case 7:
        if (below(g, 2)) {
            byte(g, below(g, 2) ? 0x48 : 0x66);
        }
        byte(g, 0x98 | below(g, 2));                            /* CBW..., CWD... */
        break;
    default:                    /* LEA with everything */
        byte(g, (below(g, 2) ? 0x48 : 0x40) | (r & 8) >> 1 | below(g, 4));
        byte(g, 0x8d);
        byte(g, 0x84 | (r & 7) << 3);
        byte(g, below(g, 256));
        imm(g, 4, random_bits(&g->rnd));
        break;
    }
}

static void gen_exchange(Buf *g)
{
    unsigned size = size_any(g), w = size > 1;

    switch (below(g, 4)) {
    case 0:
        modrm(g, size, 0x86 | w, -1, true);
        break;
    case 1:
        modrm(g, size, 0x1c0 | w, -1, true);                    /* XADD */
        break;
    case 2:
        modrm(g, size, 0x1b0 | w, -1, true);                    /* CMPXCHG */
        break;
    default:
        if (below(g, 2)) {
            byte(g, 0xf0);
        }
        if (below(g, 2)) {                                      /* CMPXCHG8B, 16B */
            byte(g, 0x48);
        }
        imm(g, 3, 0x8bc70f);
        imm(g, 4, below(g, 0x100) * 16);
        break;
    }
}

static void gen_flag_op(Buf *g)
{
    static const uint8_t ops[] = { 0xf5, 0xf8, 0xf9, 0x9e, 0x9f };      /* CMC ... LAHF */

    byte(g, ops[below(g, ARRAY_SIZE(ops))]);
}

static void gen_stack(Buf *g)
{
    static const uint8_t regs[] = { RAX, RCX, RDX, RBP, RSI, RDI };

    byte(g, 0x50 | regs[below(g, ARRAY_SIZE(regs))]);
    if (below(g, 2)) {
        byte(g, 0x68);
        imm(g, 4, random_bits(&g->rnd));
        byte(g, 0x58 | regs[below(g, ARRAY_SIZE(regs))]);
    }
    byte(g, 0x58 | regs[below(g, ARRAY_SIZE(regs))]);
}

static void gen_string(Buf *g)
{
    static const uint8_t ops[] = { 0xa4, 0xaa, 0xac, 0xae, 0xa6 };  /* MOVS STOS LODS SCAS CMPS */
    unsigned size = below(g, 4), prefix = below(g, 3);

    imm(g, 3, 0xbb8d48);        /* lea rdi, [rbx + n] */
    imm(g, 4, 0x400 + below(g, 0x400));
    imm(g, 3, 0xb38d48);        /* lea rsi, [rbx + n] */
    imm(g, 4, 0x400 + below(g, 0x400));
    byte(g, 0xb9);              /* mov ecx, n */
    imm(g, 4, below(g, 20));
    if (below(g, 4) == 0) {
        byte(g, 0xfd);          /* STD */
    }
    if (size == 1) {
        byte(g, 0x66);
    }
    if (prefix) {
        byte(g, 0xf1 + prefix);
    }
    if (size == 3) {
        byte(g, 0x48);
    }
    byte(g, ops[below(g, ARRAY_SIZE(ops))] | (size > 0));
    byte(g, 0xfc);              /* CLD */
}

static void gen_one(Buf *g)
{
    g->undefined = 0;
    switch (below(g, 12)) {
    case 0: case 1: case 2:
        gen_alu(g);
        break;
    case 3: case 4:
        gen_shift(g);
        break;
    case 5:
        gen_mul(g);
        break;
    case 6:
        gen_bits(g);
        break;
    case 7: case 8:
        gen_move(g);
        break;
    case 9:
        gen_exchange(g);
        break;
    case 10:
        if (below(g, 2)) {
            gen_flag_op(g);
        } else {
            gen_stack(g);
        }
        break;
    default:
        gen_string(g);
        break;
    }
}

/* So that nothing undefined spreads: a comparison sets all flags. */
static void define_flags(Buf *g)
{
    if (g->undefined) {
        modrm(g, 8, 0x39, -1, false);
        g->undefined = 0;
    }
}

static void gen_sequence(Buf *g, unsigned n)
{
    unsigned jump = 0, loop = 0;

    if (below(g, 3) == 0) {     /* a loop: the counter is on the stack */
        byte(g, 0x6a);          /* push n */
        byte(g, 1 + below(g, 4));
        loop = g->n;
    }
    while (n--) {
        gen_one(g);
        if (n || loop || jump) {
            define_flags(g);
        }
        if (jump) {             /* over the instruction just made */
            g->b[jump - 1] = g->n - jump;
            jump = 0;
        } else if (n && below(g, 5) == 0) {
            byte(g, 0x70 | below(g, 16));
            byte(g, 0);
            jump = g->n;
        }
    }
    if (loop && g->n - loop < 110) {
        imm(g, 4, 0x240cff48);  /* dec qword [rsp] */
        g->b[g->n - 1] = 0x24;
        byte(g, 0x75);          /* jnz */
        byte(g, loop - g->n - 1);
    }
}

/* --- the native run --- */

typedef struct Native {
    World w;
    uint8_t code[2048];
} Native;

static void rip_relative(uint8_t **p, const Native *n, const void *to, const char *opcode,
                         unsigned len)
{
    int32_t rel;

    memcpy(*p, opcode, len);
    *p += len;
    rel = (int32_t)((const uint8_t *)to - (*p + 4));
    memcpy(*p, &rel, 4);
    *p += 4;
    (void)n;
}

static void mov_reg(uint8_t **p, const Native *n, unsigned reg, bool load)
{
    char op[3] = { (char)(0x48 | (reg & 8) >> 1), load ? (char)0x8b : (char)0x89,
                   (char)(5 | (reg & 7) << 3) };

    rip_relative(p, n, &n->w.r[reg], op, 3);
}

static void run_native(Native *n, const Buf *g)
{
    uint8_t *p = n->code;

    memcpy(p, "\x53\x55\x41\x54\x41\x55\x41\x56\x41\x57", 10);     /* push callee-saved */
    p += 10;
    rip_relative(&p, n, &n->w.host_rsp, "\x48\x89\x25", 3);
    rip_relative(&p, n, &n->w.flags, "\xff\x35", 2);
    *p++ = 0x9d;
    for (unsigned i = 0; i < 16; i++) {
        if (i != RSP) {
            mov_reg(&p, n, i, true);
        }
    }
    mov_reg(&p, n, RSP, true);
    memcpy(p, g->b, g->n);
    p += g->n;
    for (unsigned i = 0; i < 16; i++) {
        mov_reg(&p, n, i, false);
    }
    rip_relative(&p, n, &n->w.host_rsp, "\x48\x8b\x25", 3);
    *p++ = 0x9c;
    rip_relative(&p, n, &n->w.flags, "\x8f\x05", 2);
    memcpy(p, "\xfc\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5d\x5b\xc3", 12);
    ((void (*)(void))n->code)();
}

/* --- the emulated run --- */

static void run_guest(Fixture *f, World *w, const Buf *g, uint64_t pc)
{
    X86State *s = f->s;

    memcpy(f->ram + pc, g->b, g->n);
    f->ram[pc + g->n] = 0xf4;           /* HLT */
    for (unsigned i = 0; i < 16; i++) {
        s->regs[i] = w->r[i];
    }
    x86_set_eflags(s, w->flags | 2);
    s->tcg.pc = pc;
    s->tcg.exit_request = 0;
    f->cpu->parent.halted = false;
    tcg_options.tiers = !tcg_options.tiers;     /* both in turns */
    tcg_options.hot_entries = 3;
    tcg_mode_changed(&s->tcg);
    for (unsigned i = 0; i < 100 && !f->cpu->parent.halted; i++) {
        vcpu_exec(f->v);
    }
    for (unsigned i = 0; i < 16; i++) {
        w->r[i] = s->regs[i];
    }
    w->flags = x86_get_eflags(s);
}

static void tell(Test *t, const char *who, uint64_t seed, const Buf *g, const World *a,
                 const World *b, uint32_t mask)
{
    char hex[3 * 1024];
    unsigned n = 0;

    for (unsigned i = 0; i < g->n; i++) {
        n += snprintf(hex + n, sizeof(hex) - n, "%02x", g->b[i]);
    }
    for (unsigned i = 0; i < 16; i++) {
        if (a->r[i] != b->r[i]) {
            test_note(t, "r%u: native %016" PRIx64 ", %s %016" PRIx64, i, a->r[i], who, b->r[i]);
        }
    }
    if ((a->flags ^ b->flags) & mask) {
        test_note(t, "flags: native %03x, %s %03x, of %03x", (unsigned)a->flags & FLAGS, who,
                  (unsigned)b->flags & FLAGS, mask);
    }
    test_fail(t, "seed %" PRIu64 " %s: %s", seed, who, hex);
}

static void *map_cache(size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Parts of the code cache that are drained are empty when this returns. */
static void let_reclaim(void)
{
    big_unlock();
    rcu_drain();
    big_lock();
}

/* @small: a code cache that is used up many times. */
static void check_sequences(Test *t, const TcgBackend *be, uint64_t first, unsigned count,
                            unsigned max_len, bool small)
{
    static uint8_t before[DATA_SIZE], after[DATA_SIZE];
    static Native *native;
    static uint8_t *data, *caches[2];
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    uint64_t pc = CODE;
    unsigned failures = 0;

    if (!native) {
        native = mmap(NULL, sizeof(*native), PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        data = mmap((void *)DATA, DATA_SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        caches[0] = map_cache(CACHE_SIZE);
        caches[1] = map_cache(SMALL_CACHE);
        softmmu_init();
    }
    if (native == MAP_FAILED || data != (void *)DATA || caches[small] == MAP_FAILED || !f ||
        !be->init(x86_64_target_ops.globals, caches[small], caches[small], small ? SMALL_CACHE : CACHE_SIZE)) {
        test_skip(t, "no memory that may be executed, or not at its address");
        return;
    }
    region_init(be);
    f->v->be = be;
    enter_long(f, 0);
    for (uint64_t seed = first; seed < first + count && failures < 5; seed++) {
        Buf g = { .rnd = { seed * UINT64_C(0x9e3779b97f4a7c15) + 1 } };
        World start = { .flags = random_u64(&g.rnd) & FLAGS }, guest;
        uint32_t mask;

        for (unsigned i = 0; i < 16; i++) {
            start.r[i] = random_bits(&g.rnd);
        }
        start.r[RBX] = DATA;
        start.r[RSP] = DATA + 0x1c00;
        for (unsigned i = 0; i < DATA_SIZE; i++) {
            before[i] = below(&g, 4) ? below(&g, 256) : 0;
        }
        gen_sequence(&g, 1 + below(&g, max_len));
        mask = FLAGS & ~g.undefined;
        guest = start;
        memcpy(f->ram + DATA, before, DATA_SIZE);
        if (pc + g.n + 1 > CODE_END) {
            region_lock();
            region_flush_all();
            region_unlock();
            pc = CODE;
        }
        run_guest(f, &guest, &g, pc);
        if (small && seed % 16 == 0) {
            let_reclaim();
        }
        pc += g.n + 1 + below(&g, 100);
        memcpy(data, before, DATA_SIZE);
        native->w = start;
        native->w.flags |= 2;
        run_native(native, &g);
        memcpy(after, data, DATA_SIZE);
        if (memcmp(native->w.r, guest.r, sizeof(guest.r)) ||
            (native->w.flags ^ guest.flags) & mask) {
            tell(t, be->name, seed, &g, &native->w, &guest, mask);
            failures++;
        } else if (memcmp(after, f->ram + DATA, DATA_SIZE)) {
            tell(t, "memory", seed, &g, &native->w, &guest, mask);
            failures++;
        }
    }
    region_lock();
    region_flush_all();
    region_unlock();
}

static unsigned scale(unsigned n)
{
    const char *s = getenv("TEST_SCALE");

    return s ? n * (unsigned)atoi(s) : n;
}

TEST(kernel_code, single_x86_64) { check_sequences(t, &tcg_backend_x86_64, 1, scale(3000), 1, false); }
TEST(kernel_code, single_interp) { check_sequences(t, &tcg_backend_interp, 1, scale(1500), 1, false); }
TEST(kernel_code, sequences_x86_64) { check_sequences(t, &tcg_backend_x86_64, 100001, scale(2000), 20, false); }
TEST(kernel_code, sequences_interp) { check_sequences(t, &tcg_backend_interp, 100001, scale(1000), 20, false); }

/* The oldest translations go as room is needed, and are made again, without a flush. */
TEST(kernel_code, cache_is_reclaimed)
{
    RegionStats before = region_stats(), after;

    check_sequences(t, &tcg_backend_x86_64, 200001, 2500, 20, true);
    after = region_stats();
    test_note(t, "%" PRIu64 " parts reclaimed", after.reclaimed - before.reclaimed);
    check_true(t, after.reclaimed - before.reclaimed >= 3, "parts of the cache were used again");
    check_u64(t, after.flushes - before.flushes, 1, "the flush at the end alone");
}

#else

TEST(kernel_code, host)
{
    test_skip(t, "the host isn't an x86-64");
}

#endif
