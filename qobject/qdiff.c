/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between two values, a line each: for tests and for people. */
#include "util/osdep.h"
#include "qobject/json.h"
#include "qobject/qobject.h"
#include "qobject/strbuf.h"

#define VALUE_MAX   200         /* characters that are shown of a value */

typedef struct Diff {
    StrBuf out;
    StrBuf path;
} Diff;

static void enter(Diff *d, const char *name, size_t i, const QObject *a, const QObject *b);

static void add_value(StrBuf *out, const QObject *o)
{
    char *text = o ? json_write(o, JSON_COMPACT) : NULL;
    size_t len = text ? strlen(text) : 0;

    if (!text) {
        strbuf_add_str(out, "nothing");
    } else {
        strbuf_add(out, text, MIN(len, (size_t)VALUE_MAX));
        if (len > VALUE_MAX) {
            strbuf_add_str(out, "...");
        }
    }
    free(text);
}

static void tell(Diff *d, const QObject *a, const QObject *b)
{
    strbuf_add_str(&d->out, d->path.len ? d->path.s : "(all)");
    strbuf_add_str(&d->out, ": ");
    add_value(&d->out, a);
    strbuf_add_str(&d->out, " -> ");
    add_value(&d->out, b);
    strbuf_add_char(&d->out, '\n');
}

static void compare(Diff *d, const QObject *a, const QObject *b)
{
    const QDict *da = qobject_to_dict(a), *db = qobject_to_dict(b);
    const QList *la = qobject_to_list(a), *lb = qobject_to_list(b);

    if (da && db) {
        QDICT_FOR_EACH(e, da) {
            enter(d, e->key, 0, e->value, qdict_get(db, e->key));
        }
        QDICT_FOR_EACH(e, db) {
            if (!qdict_has(da, e->key)) {
                enter(d, e->key, 0, NULL, e->value);
            }
        }
    } else if (la && lb) {
        for (size_t i = 0; i < MAX(qlist_size(la), qlist_size(lb)); i++) {
            enter(d, NULL, i, qlist_get(la, i), qlist_get(lb, i));
        }
    } else if (!qobject_equal(a, b)) {
        tell(d, a, b);
    }
}

static void enter(Diff *d, const char *name, size_t i, const QObject *a, const QObject *b)
{
    size_t len = d->path.len;

    if (name) {
        strbuf_printf(&d->path, "%s%s", len ? "." : "", name);
    } else {
        strbuf_printf(&d->path, "[%zu]", i);
    }
    compare(d, a, b);
    d->path.len = len;
    d->path.s[len] = '\0';
}

char *qobject_diff(const QObject *a, const QObject *b)
{
    Diff d = { { 0 }, { 0 } };

    compare(&d, a, b);
    strbuf_free(&d.path);
    return d.out.s;             /* NULL while nothing was added */
}
