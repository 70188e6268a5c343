/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"

TEST(osdep, masks)
{
    check_u32(t, MASK(0, 32), UINT32_MAX, "32 bits from bit 0");
    check_u32(t, MASK(4, 3), 0x70, "3 bits from bit 4");
    check_u64(t, MASK64(60, 4), 0xf000000000000000, "4 bits from bit 60");
}

TEST(osdep, alignment)
{
    check_u32(t, ALIGN_DOWN(0x1fffu, 0x1000), 0x1000, "down");
    check_u32(t, ALIGN_UP(0x1001u, 0x1000), 0x2000, "up");
    check_u32(t, ALIGN_UP(0x1000u, 0x1000), 0x1000, "aligned stays");
    check_u64(t, ALIGN_UP(UINT64_C(0x100000001), 0x10u), 0x100000010, "64-bit stays 64-bit");
}
