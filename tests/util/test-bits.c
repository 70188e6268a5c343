/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "util/bitmap.h"
#include "util/bswap.h"
#include "util/host-utils.h"

TEST(bswap, loads_and_stores)
{
    uint8_t b[9] = { 0xff, 1, 2, 3, 4, 5, 6, 7, 8 }, out[9] = { 0 };

    check_u16(t, load_le16(b + 1), 0x0201, "le16");
    check_u16(t, load_be16(b + 1), 0x0102, "be16");
    check_u32(t, load_le32(b + 1), 0x04030201, "le32");
    check_u32(t, load_be32(b + 1), 0x01020304, "be32");
    check_u64(t, load_le64(b + 1), 0x0807060504030201, "le64");
    check_u64(t, load_be64(b + 1), 0x0102030405060708, "be64");
    for (unsigned size = 1; size <= 8; size *= 2) {
        uint64_t le = load_le(b + 1, size), be = load_be(b + 1, size);

        check_u64(t, bswap_size(le, size), be, "reversed");
        store_le(out, size, le);
        check_mem(t, out, b + 1, size, "store_le");
        store_be(out + 1, size, be);
        check_mem(t, out + 1, b + 1, size, "store_be");
    }
}

TEST(host_utils, counts)
{
    check_int(t, clz32(0), 32, "clz of 0");
    check_int(t, clz64(1), 63, "clz of 1");
    check_int(t, ctz64(0), 64, "ctz of 0");
    check_int(t, ctz32(0x80000000), 31, "ctz of bit 31");
    check_u32(t, rol8(0x81, 1), 3, "rol8");
    check_u32(t, ror16(1, 1), 0x8000, "ror16");
    check_u64(t, ror64(1, 0), 1, "rotate by 0");
    check_u32(t, bitrev32(0x80000001), 0x80000001, "bitrev");
    check_u32(t, bitrev8(0x12), 0x48, "bitrev8");
    check_u64(t, extract64(0xabcd, 4, 8), 0xbc, "extract");
    check_int(t, sextract64(0xf0, 4, 4), -1, "sextract");
    check_u64(t, deposit64(0, 60, 4, 0x1f), 0xf000000000000000, "deposit");
    check_u64(t, pow2_ceil(5), 8, "pow2_ceil");
    check_u64(t, pow2_ceil(BIT64(63)), BIT64(63), "pow2_ceil of the largest");
    check_u64(t, pow2_ceil(BIT64(63) + 1), 0, "pow2_ceil of too much");
    check_u64(t, pow2_floor(5), 4, "pow2_floor");
}

TEST(host_utils, wide_division)
{
    uint64_t lo = 0, hi = 1;

    check_true(t, divu128(&lo, &hi, 3), "2^64 / 3");
    check_u64(t, lo, 0x5555555555555555, "quotient");
    check_u64(t, hi, 1, "remainder");
    lo = 0;
    hi = 3;
    check_true(t, !divu128(&lo, &hi, 3), "quotient too large");
    check_true(t, !divu128(&lo, &hi, 0), "by zero");
    lo = -7;
    hi = -1;
    check_true(t, divs128(&lo, &hi, 2), "-7 / 2");
    check_int(t, lo, -3, "rounds to zero");
    check_int(t, hi, -1, "the remainder has the dividend's sign");
    lo = BIT64(63);
    hi = -1;
    check_true(t, !divs128(&lo, &hi, -1), "-2^63 / -1 is too large");
    check_true(t, divs128(&lo, &hi, 1), "-2^63 / 1");
    check_u64(t, lo, BIT64(63), "is -2^63");
    check_u64(t, muldiv64(UINT64_MAX, 1000, 1000), UINT64_MAX, "128 bits between");
    check_u64(t, muldiv64_up(10, 1, 3), 4, "rounded up");
}

static bool naive(const uint64_t *map, size_t n)
{
    return map[n / 64] >> n % 64 & 1;
}

TEST(bitmap, ranges)
{
    enum { N = 200 };
    BITMAP_DECLARE(map, N);

    for (size_t first = 0; first < N; first += 7) {
        for (size_t count = 0; first + count <= N; count += 9) {
            bool ok = true;

            memset(map, 0, sizeof(map));
            bitmap_set(map, first, count);
            for (size_t i = 0; i < N; i++) {
                ok &= naive(map, i) == (i >= first && i < first + count);
            }
            ok &= bitmap_count(map, N) == count;
            ok &= bitmap_find_set(map, N, 0) == (count ? first : N);
            ok &= bitmap_all(map, first, count);
            ok &= bitmap_any(map, 0, N) == (count > 0);
            ok &= bitmap_find_clear(map, N, first) == first + count;
            bitmap_clear(map, first, count);
            ok &= !bitmap_any(map, 0, N);
            bitmap_set_atomic(map, first, count);
            ok &= bitmap_count(map, N) == count;
            ok &= bitmap_test_and_clear_atomic(map, first, count) == (count > 0);
            ok &= !bitmap_any(map, 0, N);
            if (!check_true(t, ok, "range")) {
                test_note(t, "first %zu count %zu", first, count);
                return;
            }
        }
    }
}

TEST(bitmap, runs)
{
    BITMAP_DECLARE(map, 128) = { 0 };
    size_t n = 0;

    bitmap_set(map, 3, 4);
    bitmap_set(map, 10, 60);
    check_int(t, bitmap_find_clear_run(map, 128, 0, 3), 0, "before the first");
    check_int(t, bitmap_find_clear_run(map, 128, 1, 3), 7, "between");
    check_int(t, bitmap_find_clear_run(map, 128, 0, 4), 70, "after");
    check_int(t, bitmap_find_clear_run(map, 128, 0, 59), 128, "none");
    BITMAP_FOR_EACH(i, map, 128) {
        n++;
    }
    check_int(t, n, 64, "each set bit");
}
