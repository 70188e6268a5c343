/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reference of IR_X86FLAGS against the host's own instructions, in all widths.
 * AF after shifts, undefined by the manuals, is left out.
 */
#include "util/osdep.h"
#include "tcg/x86flags.h"
#include "tests/lib/test.h"
#include "tests/lib/fp-random.h"

#ifdef __x86_64__

#define ALL     (IR_FL_CF | IR_FL_PF | IR_FL_AF | IR_FL_ZF | IR_FL_SF | IR_FL_OF)

/* OF comes by SETO, the rest by LAHF: nothing touches the stack. */
#define FLAGS_OUT "lahf\n seto %%al\n"

static uint32_t join(uint32_t ax)
{
    return (ax >> 8 & 0xff & ALL) | (ax & 1) << 11;
}

#define TWO(name, T, insn) \
static uint32_t name##_##T(T a, T b, unsigned c) \
{ \
    uint32_t ax; \
    __asm__("btl $0, %3\n" insn " %2, %1\n" FLAGS_OUT : "=&a"(ax), "+r"(a) \
            : "r"(b), "r"(c) : "cc"); \
    return join(ax); \
}
#define ONE(name, T, insn) \
static uint32_t name##_##T(T a, UNUSED T b, unsigned c) \
{ \
    uint32_t ax; \
    __asm__("btl $0, %2\n" insn " %1\n" FLAGS_OUT : "=&a"(ax), "+r"(a) : "r"(c) : "cc"); \
    return join(ax); \
}
#define SHIFT(name, T, insn) \
static uint32_t name##_##T(T a, T b, UNUSED unsigned c) \
{ \
    uint32_t ax; \
    __asm__(insn " %%cl, %1\n" FLAGS_OUT : "=&a"(ax), "+r"(a) : "c"((uint8_t)b) : "cc"); \
    return join(ax); \
}
#define LOGIC(name, T, insn) \
static uint32_t name##_##T(T a, UNUSED T b, UNUSED unsigned c) \
{ \
    uint32_t ax; \
    __asm__(insn " %1, %1\n" FLAGS_OUT : "=&a"(ax), "+r"(a) : : "cc"); \
    return join(ax); \
}
#define WIDTHS(KIND, name, insn) \
    KIND(name, uint8_t, insn "b") KIND(name, uint16_t, insn "w") \
    KIND(name, uint32_t, insn "l") KIND(name, uint64_t, insn "q")
WIDTHS(TWO, add, "add") WIDTHS(TWO, adc, "adc") WIDTHS(TWO, sub, "sub")
WIDTHS(TWO, sbb, "sbb") WIDTHS(LOGIC, logic, "test") WIDTHS(ONE, inc, "inc")
WIDTHS(ONE, dec, "dec") WIDTHS(SHIFT, shl, "shl") WIDTHS(SHIFT, shr, "shr")
WIDTHS(SHIFT, sar, "sar")

#define CHECK(name, kind, T) do { \
    T a = random_bits(&r), b = random_below(&r, 4) ? random_bits(&r) : a; \
    unsigned c = random_below(&r, 2), w = 8 * sizeof(T); \
    bool shift = kind >= IR_XF_SHL; \
    uint32_t got, host, mask = shift ? ALL & ~IR_FL_AF : ALL; \
    if (shift) { \
        b = 1 + random_below(&r, w == 64 ? 63 : 31); \
    } \
    got = x86flags(kind, w, a, b, c) & mask; \
    host = name##_##T(a, b, c) & mask; \
    if (got != host) { \
        test_fail(t, #name " %u: %" PRIx64 " %" PRIx64 " %u: %03x, the host %03x", w, \
                  (uint64_t)a, (uint64_t)b, c, got, host); \
        return; \
    } \
} while (0)
#define CHECK_WIDTHS(name, kind) do { \
    CHECK(name, kind, uint8_t); CHECK(name, kind, uint16_t); \
    CHECK(name, kind, uint32_t); CHECK(name, kind, uint64_t); \
} while (0)

TEST(x86flags, against_host)
{
    Random r = { 0x5eed };

    for (unsigned i = 0; i < 20000; i++) {
        CHECK_WIDTHS(add, IR_XF_ADD);
        CHECK_WIDTHS(adc, IR_XF_ADC);
        CHECK_WIDTHS(sub, IR_XF_SUB);
        CHECK_WIDTHS(sbb, IR_XF_SBB);
        CHECK_WIDTHS(logic, IR_XF_LOGIC);
        CHECK_WIDTHS(inc, IR_XF_INC);
        CHECK_WIDTHS(dec, IR_XF_DEC);
        CHECK_WIDTHS(shl, IR_XF_SHL);
        CHECK_WIDTHS(shr, IR_XF_SHR);
        CHECK_WIDTHS(sar, IR_XF_SAR);
    }
}

#else

TEST(x86flags, against_host)
{
    test_skip(t, "the host isn't an x86");
}

#endif
