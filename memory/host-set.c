/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "memory/host-set.h"
#include "qobject/error.h"

QObject *host_set_get(const uint64_t *bits, unsigned n)
{
    QList *list = qlist_new();

    for (unsigned i = 0; i < n; i++) {
        if (bits[i / 64] >> i % 64 & 1) {
            qlist_append(list, qnum_from_uint(i));
        }
    }
    return QOBJECT(list);
}

bool host_set_add(uint64_t *bits, unsigned n, uint64_t first, uint64_t last)
{
    if (first > last || last >= n) {
        return false;
    }
    for (uint64_t i = first; i <= last; i++) {
        bits[i / 64] |= BIT64(i % 64);
    }
    return true;
}

static bool from_text(uint64_t *bits, unsigned n, const char *s)
{
    unsigned first, last;
    int used = 0;

    if (sscanf(s, "%6u-%6u%n", &first, &last, &used) == 2 && !s[used]) {
        return host_set_add(bits, n, first, last);
    }
    used = 0;
    return sscanf(s, "%6u%n", &first, &used) == 1 && !s[used] && host_set_add(bits, n, first, first);
}

bool host_set_put(uint64_t *bits, unsigned n, const char *property, const QObject *v, Error **errp)
{
    const QList *list = qobject_to_list(v);
    bool ok = list || qobject_type(v) == QTYPE_STRING;

    memset(bits, 0, DIV_ROUND_UP(n, 64U) * sizeof(*bits));
    if (ok && !list) {
        ok = from_text(bits, n, qstring_value(v));
    }
    for (size_t i = 0; ok && list && i < qlist_size(list); i++) {
        QNum *number = qobject_to_num(qlist_get(list, i));
        uint64_t k;

        ok = number && qnum_to_uint(number, &k) && host_set_add(bits, n, k, k);
    }
    if (!ok) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property '%s' isn't a list of numbers; accepted: numbers below %u", property, n);
        error_argument(errp, property, NULL, "a list of the host's numbers");
    }
    return ok;
}
