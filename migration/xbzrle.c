/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages as differences: see ram.h for the form. */
#include "util/osdep.h"
#include "migration/ram.h"
#include "util/bswap.h"

static size_t equal_run(const uint8_t *a, const uint8_t *b, size_t from, size_t len)
{
    size_t i = from;

    while (i + 8 <= len) {
        uint64_t x, y;

        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y) {
            break;
        }
        i += 8;
    }
    while (i < len && a[i] == b[i]) {
        i++;
    }
    return i - from;
}

/* To where at least four bytes in a row are equal: a head costs as much. */
static size_t other_run(const uint8_t *a, const uint8_t *b, size_t from, size_t len)
{
    size_t i = from, equal = 0;

    while (i < len && equal < 4) {
        equal = a[i] == b[i] ? equal + 1 : 0;
        i++;
    }
    return (equal == 4 ? i - 4 : i - equal) - from;
}

int xbzrle_encode(const uint8_t *old, const uint8_t *new, size_t len, uint8_t *out, size_t room)
{
    size_t i = 0, n = 0;

    while (i < len) {
        size_t same = equal_run(old, new, i, len), diff;

        if (i + same == len) {
            break;
        }
        diff = other_run(old, new, i + same, len);
        if (n + 4 + diff >= room) {
            return -1;
        }
        store_be16(out + n, (uint16_t)same);
        store_be16(out + n + 2, (uint16_t)diff);
        memcpy(out + n + 4, new + i + same, diff);
        n += 4 + diff;
        i += same + diff;
    }
    return (int)n;
}

bool xbzrle_decode(uint8_t *page, size_t len, const uint8_t *in, size_t in_len)
{
    size_t i = 0, n = 0;

    while (n < in_len) {
        size_t same, diff;

        if (in_len - n < 4) {
            return false;
        }
        same = load_be16(in + n);
        diff = load_be16(in + n + 2);
        n += 4;
        if (same > len - i || diff > len - i - same || diff > in_len - n || !diff) {
            return false;
        }
        memcpy(page + i + same, in + n, diff);
        i += same + diff;
        n += diff;
    }
    return true;
}
