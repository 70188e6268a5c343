/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/uuid.h"

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool uuid_parse(const char *text, uint8_t uuid[16])
{
    for (unsigned n = 0; n < 16; n++) {
        int hi, lo;

        if (*text == '-' && n >= 4 && n <= 10 && !(n & 1)) {
            text++;
        }
        hi = digit(text[0]);
        lo = hi < 0 ? -1 : digit(text[1]);
        if (lo < 0) {
            return false;
        }
        uuid[n] = (uint8_t)(hi << 4 | lo);
        text += 2;
    }
    return !*text;
}
