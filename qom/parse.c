/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of properties as text on the command line has them. */
#include "util/osdep.h"
#include "qom/qom-int.h"

bool property_parse_bool(const char *s, bool *v)
{
    static const struct { const char *s; bool v; } words[] = {
        { "on", true }, { "off", false }, { "yes", true }, { "no", false },
        { "true", true }, { "false", false }, { "y", true }, { "n", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcmp(s, words[i].s)) {
            *v = words[i].v;
            return true;
        }
    }
    return false;
}

/* Decimal or 0x hex; no spaces, no octal. */
static bool parse_u64(const char *s, const char **end, uint64_t *v)
{
    int base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;
    char *e;

    if (!g_ascii_isdigit(s[0])) {
        return false;
    }
    errno = 0;
    *v = g_ascii_strtoull(s, &e, base);
    *end = e;
    return errno == 0 && e != s;
}

bool property_parse_unsigned(const char *s, uint64_t *v)
{
    const char *end;

    return parse_u64(s, &end, v) && !*end;
}

bool property_parse_signed(const char *s, int64_t *v)
{
    bool minus = *s == '-';
    uint64_t u;

    if (!property_parse_unsigned(s + minus, &u) ||
        u > (uint64_t)INT64_MAX + minus) {
        return false;
    }
    *v = minus ? (int64_t)(0 - u) : (int64_t)u;
    return true;
}

bool property_parse_size(const char *s, uint64_t *v)
{
    static const char suffixes[] = "BKMGTPE";
    const char *end, *suffix;
    uint64_t whole, unit;
    double fraction = 0;

    if (!parse_u64(s, &end, &whole)) {
        return false;
    }
    if (*end == '.' && g_ascii_isdigit(end[1])) {
        double place = 0.1;

        for (end++; g_ascii_isdigit(*end); end++, place /= 10) {
            fraction += (*end - '0') * place;
        }
    }
    if (!*end) {
        *v = whole;
        return fraction == 0;
    }
    suffix = strchr(suffixes, g_ascii_toupper(*end));
    if (!suffix || end[1]) {
        return false;
    }
    unit = UINT64_C(1) << (10 * (suffix - suffixes));
    if (whole > UINT64_MAX / unit || (fraction != 0 && unit == 1)) {
        return false;
    }
    *v = whole * unit + (uint64_t)(fraction * (double)unit);
    return *v >= whole * unit;
}

bool property_parse_mac(const char *s, MacAddr *mac)
{
    MacAddr m;

    for (int i = 0; i < 6; i++, s += 3) {
        if (!g_ascii_isxdigit(s[0]) || !g_ascii_isxdigit(s[1])) {
            return false;
        }
        m.a[i] = (uint8_t)(g_ascii_xdigit_value(s[0]) << 4 | g_ascii_xdigit_value(s[1]));
        if (i < 5 ? s[2] != ':' && s[2] != '-' : s[2] != '\0') {
            return false;
        }
    }
    *mac = m;
    return true;
}
