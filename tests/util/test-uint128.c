/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 128-bit numbers of hosts whose compiler has none, beside the compiler's where there are some, else by what must hold. */
#define UINT128_PORTABLE
#include "util/uint128.h"
#include "tests/lib/test.h"

static uint64_t state = 88172645463325252;
static uint64_t random64(void)
{
    uint64_t v;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    v = state;
    /* Borders are what goes wrong. */
    return (v >> 60) == 0 ? 0 : (v >> 60) == 1 ? UINT64_MAX : (v >> 60) == 2 ? v & 0xff :
           (v >> 60) == 3 ? (uint64_t)1 << (v & 63) : (v >> 60) == 4 ? v & 0xffffffff00000000 :
           (v >> 60) == 5 ? v | 0xffffffff : v;
}

static void check_u128(Test *t, U128 v, uint64_t hi, uint64_t lo, const char *what)
{
    check_u64(t, u128_hi(v), hi, what);
    check_u64(t, u128_lo(v), lo, what);
}

TEST(uint128, examples)
{
    uint64_t rest;

    check_u128(t, u128_add(u128(1, UINT64_MAX), u128(0, 1)), 2, 0, "a carry");
    check_u128(t, u128_sub(u128(1, 0), u128(0, 1)), 0, UINT64_MAX, "a borrow");
    check_u128(t, u128_neg(u128(0, 1)), UINT64_MAX, UINT64_MAX, "minus one");
    check_u128(t, u128_mul(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1, 1, "the largest product");
    check_u128(t, u128_shl(u128(0, 3), 63), 1, (uint64_t)1 << 63, "to the left");
    check_u128(t, u128_shl(u128(5, 3), 0), 5, 3, "by none");
    check_u128(t, u128_shl(u128(5, 3), 127), (uint64_t)1 << 63, 0, "by 127");
    check_u128(t, u128_shr(u128(3, 0), 1), 1, (uint64_t)1 << 63, "to the right");
    check_u128(t, u128_shr(u128((uint64_t)1 << 63, 0), 127), 0, 1, "by 127");
    check_true(t, u128_less(u128(0, UINT64_MAX), u128(1, 0)), "less by the upper half");
    check_true(t, !u128_less(u128(1, 1), u128(1, 1)), "not less than itself");
    check_u128(t, u128_div(u128(1, 0), 3, &rest), 0, 0x5555555555555555, "a third of 2^64");
    check_u64(t, rest, 1, "its rest");
    check_u128(t, u128_div(u128(UINT64_MAX, UINT64_MAX), 1, &rest), UINT64_MAX, UINT64_MAX, "by one");
}

/* n = q * d + rest with rest < d, by the multiplication that was tried above. */
static bool quotient_holds(U128 n, uint64_t d, U128 q, uint64_t rest)
{
    U128 back = u128_add(u128_mul(u128_lo(q), d), u128_add(u128(u128_hi(q) * d, 0), u128(0, rest)));

    return rest < d && u128_equal(back, n);
}

TEST(uint128, at_random)
{
    for (unsigned i = 0; i < 200000; i++) {
        U128 a = u128(random64(), random64()), b = u128(random64(), random64());
        uint64_t d = random64() | 1, rest;
        unsigned n = (unsigned)(random64() & 127);
        U128 sum = u128_add(a, b), difference = u128_sub(a, b), product = u128_mul(u128_lo(a), u128_lo(b));
        U128 left = u128_shl(a, n), right = u128_shr(a, n), q = u128_div(a, d, &rest);

        check_true(t, quotient_holds(a, d, q, rest), "division");
        check_true(t, u128_equal(u128_sub(sum, b), a), "a sum and its difference");
#ifdef __SIZEOF_INT128__
#define NATIVE(v)       ((unsigned __int128)u128_hi(v) << 64 | u128_lo(v))
        check_true(t, NATIVE(sum) == NATIVE(a) + NATIVE(b), "sum");
        check_true(t, NATIVE(difference) == NATIVE(a) - NATIVE(b), "difference");
        check_true(t, NATIVE(product) == (unsigned __int128)u128_lo(a) * u128_lo(b), "product");
        check_true(t, NATIVE(left) == NATIVE(a) << n && NATIVE(right) == NATIVE(a) >> n, "shifts");
        check_true(t, NATIVE(q) == NATIVE(a) / d && rest == NATIVE(a) % d, "quotient and rest");
        check_true(t, u128_less(a, b) == (NATIVE(a) < NATIVE(b)), "comparison");
#else
        check_true(t, u128_equal(u128_shl(right, n), u128_sub(a, u128_shr(u128_shl(a, n ? 128 - n : 0), n ? 128 - n : 0))) || !n,
                   "shifts");
        check_true(t, u128_less(a, b) == (u128_hi(a) != u128_hi(b) ? u128_hi(a) < u128_hi(b) : u128_lo(a) < u128_lo(b)),
                   "comparison");
        (void)difference; (void)product; (void)left;
#endif
    }
}
