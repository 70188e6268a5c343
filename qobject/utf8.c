/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "qobject/utf8.h"

unsigned utf8_lead(unsigned char lead, unsigned char *lo, unsigned char *hi)
{
    *lo = 0x80;
    *hi = 0xbf;
    if (lead < 0xc2 || lead > 0xf4) {
        return 0;
    }
    switch (lead) {
    case 0xe0: *lo = 0xa0; break;       /* no overlong forms */
    case 0xf0: *lo = 0x90; break;
    case 0xed: *hi = 0x9f; break;       /* no surrogates */
    case 0xf4: *hi = 0x8f; break;       /* nothing above U+10FFFF */
    default: break;
    }
    return lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
}

size_t utf8_decode(const char *str, size_t len, uint32_t *cp)
{
    const unsigned char *s = (const unsigned char *)str;
    unsigned char lo, hi;
    unsigned n;
    uint32_t v;

    if (s[0] < 0x80) {
        *cp = s[0];
        return 1;
    }
    n = utf8_lead(s[0], &lo, &hi);
    if (n && n < len && s[1] >= lo && s[1] <= hi) {
        v = s[0] & (0x3f >> n);
        v = v << 6 | (s[1] & 0x3f);
        for (unsigned i = 2; i <= n; i++) {
            if ((s[i] & 0xc0) != 0x80) {
                n = 0;
                break;
            }
            v = v << 6 | (s[i] & 0x3f);
        }
        if (n) {
            *cp = v;
            return n + 1;
        }
    }
    *cp = 0xfffd;
    return 1;
}

size_t utf8_encode(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = 0xc0 | cp >> 6;
        out[1] = 0x80 | (cp & 0x3f);
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = 0xe0 | cp >> 12;
        out[1] = 0x80 | (cp >> 6 & 0x3f);
        out[2] = 0x80 | (cp & 0x3f);
        return 3;
    }
    out[0] = 0xf0 | cp >> 18;
    out[1] = 0x80 | (cp >> 12 & 0x3f);
    out[2] = 0x80 | (cp >> 6 & 0x3f);
    out[3] = 0x80 | (cp & 0x3f);
    return 4;
}

bool utf8_valid(const char *s, size_t len)
{
    while (len) {
        uint32_t cp;
        size_t n = utf8_decode(s, len, &cp);

        if (cp == 0xfffd && n == 1) {
            return false;
        }
        s += n;
        len -= n;
    }
    return true;
}
