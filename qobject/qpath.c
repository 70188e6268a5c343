/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths into values, and getters whose errors say where and what.
 */
#include "util/osdep.h"
#include "qobject/error.h"
#include "qobject/qobject.h"
#include "qobject/strbuf.h"

/*
 * One step of a path: ".name", "name" or "[7]". Returns what it leads to, NULL
 * if there is nothing; *path moves behind the step.
 */
static QObject *step(const QObject *o, const char **path)
{
    const char *p = *path;
    char key_buf[128], *key = key_buf;
    QObject *next;
    size_t len;

    if (*p == '[') {
        size_t i = 0;
        const QList *l = qobject_to_list(o);

        for (p++; *p >= '0' && *p <= '9' && i < SIZE_MAX / 16; p++) {
            i = i * 10 + (*p - '0');
        }
        if (*p != ']' || p[-1] == '[' || !l) {
            return NULL;
        }
        *path = p + 1;
        return qlist_get(l, i);
    }
    p += *p == '.';
    len = strcspn(p, ".[");
    *path = p + len;
    if (!qobject_to_dict(o)) {
        return NULL;
    }
    if (len >= sizeof(key_buf)) {
        key = qobject_strndup(p, len);
    } else {
        memcpy(key, p, len);
        key[len] = 0;
    }
    next = qdict_get(qobject_to_dict(o), key);
    if (key != key_buf) {
        free(key);
    }
    return next;
}

QObject *qobject_get_path(const QObject *o, const char *path)
{
    while (o && *path) {
        o = step(o, &path);
    }
    return (QObject *)o;
}

QObject *qdict_get_path(const QDict *d, const char *path)
{
    return qobject_get_path(QOBJECT(d), path);
}

/* -------------------------------------------------------------- getters */

static const QObject *need(const QDict *d, const char *path, Error **errp)
{
    const QObject *o = qdict_get_path(d, path);

    if (!o) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "parameter '%s' is missing", path);
        error_argument(errp, path, NULL, NULL);
    }
    return o;
}

static void wrong_type(const QObject *o, const char *name, const char *expected, Error **errp)
{
    const char *found = o ? qobject_type_text(o) : "nothing";

    error_setf(errp, ERR_WRONG_TYPE, "parameter '%s' is of type %s; expected: %s",
               name, found, expected);
    error_argument(errp, name, found, expected);
}

static void out_of_range(const char *name, const char *value, const char *accepted,
                         Error **errp)
{
    error_setf(errp, ERR_OUT_OF_RANGE, "parameter '%s' is %s; accepted: %s",
               name, value, accepted);
    error_argument(errp, name, value, accepted);
}

static void num_text(const QNum *n, char *buf, size_t size)
{
    if (n->kind == QNUM_U64) {
        snprintf(buf, size, "%" PRIu64, n->u.u64);
    } else {
        snprintf(buf, size, "%" PRId64, n->u.i64);
    }
}

bool qobject_get_bool(const QObject *o, const char *name, bool *value, Error **errp)
{
    if (!o || o->type != QTYPE_BOOL) {
        wrong_type(o, name, "bool", errp);
        return false;
    }
    *value = qbool_value(o);
    return true;
}

bool qobject_get_int(const QObject *o, const char *name, int64_t *value, Error **errp)
{
    const QNum *n = qobject_to_num(o);
    char text[32];

    if (!n || n->kind == QNUM_DOUBLE) {
        wrong_type(o, name, "integer", errp);
        return false;
    }
    if (!qnum_to_int(n, value)) {
        num_text(n, text, sizeof(text));
        out_of_range(name, text, "-2^63 to 2^63-1", errp);
        return false;
    }
    return true;
}

bool qobject_get_uint(const QObject *o, const char *name, uint64_t *value, Error **errp)
{
    const QNum *n = qobject_to_num(o);
    char text[32];

    if (!n || n->kind == QNUM_DOUBLE) {
        wrong_type(o, name, "integer", errp);
        return false;
    }
    if (!qnum_to_uint(n, value)) {
        num_text(n, text, sizeof(text));
        out_of_range(name, text, "0 to 2^64-1", errp);
        return false;
    }
    return true;
}

bool qobject_get_double(const QObject *o, const char *name, double *value, Error **errp)
{
    const QNum *n = qobject_to_num(o);

    if (!n) {
        wrong_type(o, name, "number", errp);
        return false;
    }
    *value = qnum_to_double(n);
    return true;
}

const char *qobject_get_str(const QObject *o, const char *name, Error **errp)
{
    const QString *s = qobject_to_string(o);

    if (!s) {
        wrong_type(o, name, "string", errp);
        return NULL;
    }
    if (memchr(s->str, 0, s->len)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "parameter '%s' has a NUL character inside",
                   name);
        error_argument(errp, name, NULL, "a string without NUL characters");
        return NULL;
    }
    return s->str;
}

QList *qobject_get_list(const QObject *o, const char *name, Error **errp)
{
    QList *l = qobject_to_list(o);

    if (!l) {
        wrong_type(o, name, "array", errp);
    }
    return l;
}

QDict *qobject_get_dict(const QObject *o, const char *name, Error **errp)
{
    QDict *d = qobject_to_dict(o);

    if (!d) {
        wrong_type(o, name, "object", errp);
    }
    return d;
}

bool qdict_get_bool(const QDict *d, const char *path, bool *value, Error **errp)
{
    const QObject *o = need(d, path, errp);

    return o && qobject_get_bool(o, path, value, errp);
}

bool qdict_get_int(const QDict *d, const char *path, int64_t *value, Error **errp)
{
    const QObject *o = need(d, path, errp);

    return o && qobject_get_int(o, path, value, errp);
}

bool qdict_get_uint(const QDict *d, const char *path, uint64_t *value, Error **errp)
{
    const QObject *o = need(d, path, errp);

    return o && qobject_get_uint(o, path, value, errp);
}

bool qdict_get_int_range(const QDict *d, const char *path, int64_t min, int64_t max,
                         int64_t *value, Error **errp)
{
    char text[32], accepted[64];
    int64_t v;

    if (!qdict_get_int(d, path, &v, errp)) {
        return false;
    }
    if (v < min || v > max) {
        snprintf(text, sizeof(text), "%" PRId64, v);
        snprintf(accepted, sizeof(accepted), "%" PRId64 " to %" PRId64, min, max);
        out_of_range(path, text, accepted, errp);
        return false;
    }
    *value = v;
    return true;
}

bool qdict_get_double(const QDict *d, const char *path, double *value, Error **errp)
{
    const QObject *o = need(d, path, errp);

    return o && qobject_get_double(o, path, value, errp);
}

const char *qdict_get_str(const QDict *d, const char *path, Error **errp)
{
    const QObject *o = need(d, path, errp);

    return o ? qobject_get_str(o, path, errp) : NULL;
}

QList *qdict_get_list(const QDict *d, const char *path, Error **errp)
{
    const QObject *o = need(d, path, errp);

    return o ? qobject_get_list(o, path, errp) : NULL;
}

QDict *qdict_get_dict(const QDict *d, const char *path, Error **errp)
{
    const QObject *o = need(d, path, errp);

    return o ? qobject_get_dict(o, path, errp) : NULL;
}

int64_t qdict_int_or(const QDict *d, const char *path, int64_t otherwise)
{
    const QNum *n = qobject_to_num(qdict_get_path(d, path));
    int64_t v;

    return n && qnum_to_int(n, &v) ? v : otherwise;
}

bool qdict_bool_or(const QDict *d, const char *path, bool otherwise)
{
    const QObject *o = qdict_get_path(d, path);

    return o && o->type == QTYPE_BOOL ? qbool_value(o) : otherwise;
}

const char *qdict_str_or(const QDict *d, const char *path, const char *otherwise)
{
    const QObject *o = qdict_get_path(d, path);

    return o && o->type == QTYPE_STRING ? qstring_value(o) : otherwise;
}
