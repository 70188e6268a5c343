/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code that is patched and called all the time: little functions in writable memory whose
 * opcodes, immediates and displacements a driver keeps changing, one of which patches itself. First they are
 * watched and translated anew, then (when the granule has become hot) compared at entry, their patched operands taken
 * from memory. Registers, flags and memory have to be what the host makes of it.
 */
#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/region.h"
#include "tests/lib/test.h"
#include "tests/lib/x86-harness.h"
#include "tests/lib/fp-random.h"

enum { SLOTS = 5, SLOT_SIZE = 0x40, STEPS = 150, ROUNDS = 40, WORDS = 0x800, STACK = 0x3000 };

/* A function; its patchable places are below. */
static const uint8_t function[] = {
    0xb8, 1, 0, 0, 0,                   /* 00 mov eax, imm32 */
    0x05, 2, 0, 0, 0,                   /* 05 add/sub/xor eax, imm32 */
    0x83, 0xc0, 3,                      /* 0a add eax, imm8 */
    0x03, 0x1d, 0, 0, 0, 0,             /* 0d add ebx, [rip + disp32] */
    0xba, 3, 0, 0, 0,                   /* 13 mov edx, 3 */
    0x81, 0xc3, 5, 0, 0, 0,             /* 18 add ebx, imm32: a loop */
    0xff, 0xca,                         /* 1e dec edx */
    0x75, 0xf6,                         /* 20 jnz 18 */
    0x88, 0x05, 2, 0, 0, 0,             /* 22 mov [rip + 2], al: the next immediate but one */
    0x80, 0xc1, 1,                      /* 28 add cl, imm8 */
    0xe9, 0, 0, 0, 0,                   /* 2b jmp rel32 */
    0xff, 0xc3,                         /* 30 inc ebx */
    0x01, 0xc3,                         /* 32 add ebx, eax */
    0xc3,                               /* 34 ret */
};

static uint32_t random_u32(Random *r)
{
    return random_u64(r) >> 32;
}

typedef struct Code {
    uint8_t b[XH_CODE_SIZE];
    unsigned n;
} Code;

static void put(Code *c, const void *bytes, unsigned n)
{
    memcpy(c->b + c->n, bytes, n);
    c->n += n;
}

/* mov dword [address], value; or byte. */
static void put_store(Code *c, uint32_t address, uint32_t value, unsigned size)
{
    uint8_t b[] = { size == 1 ? 0xc6 : 0xc7, 0x04, 0x25 };

    put(c, b, 3);
    put(c, &address, 4);
    put(c, &value, size);
}

static void put_call(Code *c, uint32_t address)
{
    uint8_t op = 0xe8;
    uint32_t rel = address - ((uint32_t)XH_CODE + c->n + 5);

    put(c, &op, 1);
    put(c, &rel, 4);
}

/* One change of slot @at, or a call. */
static void put_step(Code *c, Random *r, uint32_t at)
{
    static const uint8_t ops[] = { 0x05, 0x2d, 0x35 }, modrm[] = { 0xc0, 0xe8, 0xf0 };

    switch (random_below(r, 12)) {
    case 0: put_store(c, at + 0x01, random_u32(r), 4); break;
    case 1: put_store(c, at + 0x05, ops[random_below(r, 3)], 1); break;
    case 2: put_store(c, at + 0x06, random_u32(r), 4); break;
    case 3: put_store(c, at + 0x0b, modrm[random_below(r, 3)], 1); break;
    case 4: put_store(c, at + 0x0c, random_u32(r), 1); break;
    case 5:
        put_store(c, at + 0x0f, (uint32_t)XH_DATA + WORDS + 4 * random_below(r, 64) - (at + 0x13), 4);
        break;
    case 6: put_store(c, at + 0x1a, random_u32(r), 4); break;
    case 7: put_store(c, at + 0x2c, 2 * random_below(r, 3), 4); break;
    default: put_call(c, at); break;
    }
}

static void run_all(Test *t, const TcgBackend *be, unsigned count)
{
    Xh *h = xh_new(be);
    Random r = { 0x7061746368 };
    static XhState in, host, emu;
    static Code c;
    char diff[4096];
    RegionStats stats;
    uint64_t regions;

    if (!h) {
        test_fail(t, "no emulator");
        return;
    }
    for (unsigned k = 0; k < count; k++) {
        uint32_t loop, rel;

        c.n = 0;
        xh_state_init(&in, 64);
        in.exec_data = true;
        in.regs[R_SP] = XH_DATA + STACK;
        in.regs[R_8] = ROUNDS;
        for (unsigned i = 0; i < 64; i++) {
            uint32_t w = random_u32(&r);

            memcpy(in.data + WORDS + 4 * i, &w, 4);
        }
        for (unsigned i = 0; i < SLOTS; i++) {
            memcpy(in.data + i * SLOT_SIZE, function, sizeof(function));
        }
        loop = c.n;
        for (unsigned i = 0; i < STEPS; i++) {
            put_step(&c, &r, (uint32_t)XH_DATA + SLOT_SIZE * random_below(&r, SLOTS));
        }
        put(&c, (const uint8_t[]){ 0x49, 0xff, 0xc8, 0x0f, 0x85 }, 5);  /* dec r8; jnz loop */
        rel = loop - (c.n + 4);
        put(&c, &rel, 4);
        put(&c, (const uint8_t[]){ 0x0f, 0x0b }, 2);
        if (!xh_native(c.b, c.n, &in, &host)) {
            test_skip(t, "not on this host");
            return;
        }
        xh_run(h, c.b, c.n, &in, &emu);
        if (!xh_same(&emu, &host, FL_ARITH, false, diff, sizeof(diff))) {
            test_fail(t, "program %u, emulator / host:\n%s", k, diff);
        }
    }
    stats = region_stats();
    regions = stats.tier[0].regions + stats.tier[1].regions;
    test_note(t, "%" PRIu64 " regions, %" PRIu64 " of hot code, %" PRIu64 " invalidated, %" PRIu64
              " stale", regions, stats.guarded, stats.invalidated, stats.stale);
    check_true(t, stats.guarded > 0, "some code became hot");
    check_true(t, regions < (uint64_t)count * 400, "calls don't translate anew each time");
}

/*
 * A function that is entered behind its loop: bytes before a region's entry belong to it. They are changed after
 * so many calls that it has been optimised.
 */
static void before_the_entry(Test *t, const TcgBackend *be)
{
    static const uint8_t body[] = {
        0x05, 1, 0, 0, 0,               /* 00 add eax, imm32 */
        0xff, 0xc9,                     /* 05 dec ecx */
        0x75, 0xf7,                     /* 07 jnz 00 */
        0xc3,                           /* 09 ret */
    };
    static const uint8_t entry[] = {    /* in a granule of its own */
        0xb9, 3, 0, 0, 0,               /* 80 mov ecx, 3 */
        0xe9, 0x76, 0xff, 0xff, 0xff,   /* 85 jmp 00 */
    };
    enum { ENTRY = 0x80 };
    Xh *h = xh_new(be);
    static XhState in, host, emu;
    static Code c;
    char diff[4096];
    const uint32_t immediate = (uint32_t)XH_DATA + 1;
    unsigned outer, inner;

    if (!h) {
        test_fail(t, "no emulator");
        return;
    }
    c.n = 0;
    xh_state_init(&in, 64);
    in.exec_data = true;
    in.regs[R_SP] = XH_DATA + STACK;
    memcpy(in.data, body, sizeof(body));
    memcpy(in.data + ENTRY, entry, sizeof(entry));
    put(&c, (const uint8_t[]){ 0x41, 0xb9, 4, 0, 0, 0 }, 6);            /* mov r9d, 4 */
    outer = c.n;
    put(&c, (const uint8_t[]){ 0x41, 0xb8, 0xdc, 5, 0, 0 }, 6);         /* mov r8d, 1500 */
    inner = c.n;
    put_call(&c, (uint32_t)XH_DATA + ENTRY);
    put(&c, (const uint8_t[]){ 0x41, 0xff, 0xc8, 0x75 }, 4);            /* dec r8d; jnz inner */
    put(&c, &(int8_t){ (int8_t)(inner - (c.n + 1)) }, 1);
    put(&c, (const uint8_t[]){ 0x01, 0x1c, 0x25 }, 3);                  /* add [immediate], ebx */
    put(&c, &immediate, 4);
    put(&c, (const uint8_t[]){ 0x81, 0xc3, 0x67, 0x45, 0x23, 1 }, 6);   /* add ebx, 0x1234567 */
    put(&c, (const uint8_t[]){ 0x41, 0xff, 0xc9, 0x75 }, 4);            /* dec r9d; jnz outer */
    put(&c, &(int8_t){ (int8_t)(outer - (c.n + 1)) }, 1);
    put(&c, (const uint8_t[]){ 0x0f, 0x0b }, 2);
    if (!xh_native(c.b, c.n, &in, &host)) {
        test_skip(t, "not on this host");
        return;
    }
    xh_run(h, c.b, c.n, &in, &emu);
    if (!xh_same(&emu, &host, FL_ARITH, false, diff, sizeof(diff))) {
        test_fail(t, "emulator / host:\n%s", diff);
    }
}

TEST(patched_code, interpreter)
{
    run_all(t, &tcg_backend_interp, 3);
}

TEST(patched_code, interpreter_before_the_entry)
{
    before_the_entry(t, &tcg_backend_interp);
}

#ifdef __x86_64__
TEST(patched_code, backend)
{
    run_all(t, &tcg_backend_x86_64, 12);
}

TEST(patched_code, backend_before_the_entry)
{
    before_the_entry(t, &tcg_backend_x86_64);
}
#endif
