/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include "qobject/error.h"
#include "qobject/json.h"
#include "system/opts.h"

/* Up to the next single comma; ",," becomes ",". Advances *p behind it. */
static char *take_value(const char **p)
{
    GString *s = g_string_new("");

    while (**p) {
        if (**p == ',') {
            (*p)++;
            if (**p != ',') {
                break;
            }
        }
        g_string_append_c(s, *(*p)++);
    }
    return g_string_free(s, false);
}

/* Options that may be given several times are lists then. */
static void put(QDict *d, const char *key, const char *value)
{
    static const char *const lists[] = { "hostfwd", "guestfwd", "dnssearch", "value", "cpus" };
    QObject *old = qdict_get(d, key);

    for (unsigned i = 0; old && i < ARRAY_SIZE(lists); i++) {
        if (strcmp(lists[i], key) == 0) {
            QList *l = qobject_to_list(old);

            if (!l) {
                l = qlist_new();
                qlist_append(l, qobject_ref(old));
                qdict_put(d, key, l);
            }
            qlist_append_str(l, value);
            return;
        }
    }
    qdict_put_str(d, key, value);
}

QDict *opts_parse(const char *text, const char *implied, Error **errp)
{
    QDict *d;
    bool first = true;

    if (*text == '{') {
        return json_parse_dict(text, errp);
    }
    d = qdict_new();
    for (const char *p = text; *p; first = false) {
        size_t n = strcspn(p, "=,");
        char *key, *value;

        if (p[n] == '=') {
            key = g_strndup(p, n);
            p += n + 1;
            value = take_value(&p);
        } else if (first && implied) {
            key = g_strdup(implied);
            value = take_value(&p);
        } else {
            bool off = n > 2 && strncmp(p, "no", 2) == 0;

            key = off ? g_strndup(p + 2, n - 2) : g_strndup(p, n);
            value = g_strdup(off ? "off" : "on");
            p += n + (p[n] == ',');
        }
        if (!*key) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' has an empty option name", text);
            g_free(key);
            g_free(value);
            qobject_unref(d);
            return NULL;
        }
        put(d, key, value);
        g_free(key);
        g_free(value);
    }
    return d;
}

char *opts_text(const QDict *d, const char *key)
{
    QObject *o = qdict_get(d, key);
    bool b;
    const char *s;
    int64_t n;

    if (!o) {
        return NULL;
    }
    s = qobject_get_str(o, key, NULL);
    if (s) {
        return g_strdup(s);
    }
    if (qobject_get_bool(o, key, &b, NULL)) {
        return g_strdup(b ? "on" : "off");
    }
    if (qobject_get_int(o, key, &n, NULL)) {
        return g_strdup_printf("%" PRId64, n);
    }
    return NULL;
}

bool opts_size(const char *text, uint64_t unit, uint64_t *value, Error **errp)
{
    static const char suffixes[] = "BKMGTPE";
    char *end;
    double fraction = 0;
    uint64_t n;

    errno = 0;
    n = strtoull(text, &end, 0);
    if (end == text || errno || *text == '-') {
        goto bad;
    }
    if (*end == '.') {
        char *after;

        fraction = strtod(end, &after);
        end = after;
    }
    if (*end) {
        const char *s = strchr(suffixes, g_ascii_toupper(*end));

        if (!s || end[1]) {
            goto bad;
        }
        unit = UINT64_C(1) << (10 * (s - suffixes));
    }
    if (unit && n > UINT64_MAX / unit) {
        goto bad;
    }
    *value = n * unit + (uint64_t)(fraction * unit);
    return true;
bad:
    error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is not a size", text);
    error_hint(errp, "a number with an optional suffix B, K, M, G, T, P or E");
    return false;
}

bool opts_bool(const char *key, const char *text, bool *value, Error **errp)
{
    static const char *const words[] = { "off", "on", "no", "yes", "false", "true" };

    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            *value = i & 1;
            return true;
        }
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%s'; accepted: on, off", key, text);
    error_argument(errp, key, text, NULL);
    return false;
}

bool opts_check_known(const QDict *d, const char *what, const char *const *known, Error **errp)
{
    QDICT_FOR_EACH(e, d) {
        const char *const *k = known;

        while (*k && strcmp(*k, e->key)) {
            k++;
        }
        if (!*k) {
            char *list = g_strjoinv(", ", (char **)known);

            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "%s has no option '%s'; accepted: %s", what,
                       e->key, list);
            error_argument(errp, e->key, NULL, NULL);
            g_free(list);
            return false;
        }
    }
    return true;
}
