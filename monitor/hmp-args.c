/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments of the human monitor's commands, and expressions. */
#include "util/osdep.h"
#include <ctype.h>
#include "monitor/hmp.h"
#include "monitor/hmp-regs.h"
#include "qapi/qapi-type.h"

static const char *skip_blanks(const char *s)
{
    return s + strspn(s, " \t");
}

/* ----------------------------------------------------------- expressions */

typedef struct Expr {
    Hmp *hmp;
    const char *p;
    int depth;
    Error **errp;
} Expr;

/* A text that a user typed has at most so many brackets in each other. */
#define DEPTH_MAX   64

static bool expr_sum(Expr *e, int64_t *value);

static bool expr_number(Expr *e, int64_t *value)
{
    char *end;

    errno = 0;
    *value = (int64_t)strtoull(e->p, &end, 0);
    if (end == e->p || errno) {
        error_setf(e->errp, ERR_INVALID_ARGUMENT, "expected a number at '%.40s'", e->p);
        return false;
    }
    e->p = skip_blanks(end);
    return true;
}

static bool expr_register(Expr *e, int64_t *value)
{
    char name[64];
    size_t len = 0;
    uint64_t reg;

    e->p++;
    while ((isalnum((unsigned char)*e->p) || *e->p == '_' || *e->p == '.') &&
           len < sizeof(name) - 1) {
        name[len++] = *e->p++;
    }
    name[len] = '\0';
    if (!hmp_get_register(e->hmp, name, &reg, e->errp)) {
        return false;
    }
    *value = (int64_t)reg;
    e->p = skip_blanks(e->p);
    return true;
}

static bool expr_unary(Expr *e, int64_t *value)
{
    char c = *e->p;

    if (++e->depth > DEPTH_MAX) {
        error_setf(e->errp, ERR_INVALID_ARGUMENT, "the expression is nested too deep");
        return false;
    }
    if (c == '+' || c == '-' || c == '~') {
        e->p = skip_blanks(e->p + 1);
        if (!expr_unary(e, value)) {
            return false;
        }
        *value = c == '-' ? (int64_t)(0 - (uint64_t)*value) : c == '~' ? ~*value : *value;
    } else if (c == '(') {
        e->p = skip_blanks(e->p + 1);
        if (!expr_sum(e, value)) {
            return false;
        }
        if (*e->p != ')') {
            error_setf(e->errp, ERR_INVALID_ARGUMENT, "expected ')' at '%.40s'", e->p);
            return false;
        }
        e->p = skip_blanks(e->p + 1);
    } else if (c == '\'' && e->p[1] && e->p[2] == '\'') {
        *value = (uint8_t)e->p[1];
        e->p = skip_blanks(e->p + 3);
    } else if (c == '$') {
        if (!expr_register(e, value)) {
            return false;
        }
    } else if (!expr_number(e, value)) {
        return false;
    }
    e->depth--;
    return true;
}

static bool expr_product(Expr *e, int64_t *value)
{
    if (!expr_unary(e, value)) {
        return false;
    }
    while (*e->p == '*' || *e->p == '/' || *e->p == '%') {
        char op = *e->p;
        int64_t right;

        e->p = skip_blanks(e->p + 1);
        if (!expr_unary(e, &right)) {
            return false;
        }
        if (op == '*') {
            *value = (int64_t)((uint64_t)*value * (uint64_t)right);
        } else if (right == 0) {
            error_setf(e->errp, ERR_INVALID_ARGUMENT, "division by zero");
            return false;
        } else if (op == '/') {
            *value = (int64_t)((uint64_t)*value / (uint64_t)right);
        } else {
            *value = (int64_t)((uint64_t)*value % (uint64_t)right);
        }
    }
    return true;
}

static bool expr_logic(Expr *e, int64_t *value)
{
    if (!expr_product(e, value)) {
        return false;
    }
    while (*e->p == '&' || *e->p == '|' || *e->p == '^') {
        char op = *e->p;
        int64_t right;

        e->p = skip_blanks(e->p + 1);
        if (!expr_product(e, &right)) {
            return false;
        }
        *value = op == '&' ? *value & right : op == '|' ? *value | right : *value ^ right;
    }
    return true;
}

static bool expr_sum(Expr *e, int64_t *value)
{
    if (!expr_logic(e, value)) {
        return false;
    }
    while (*e->p == '+' || *e->p == '-') {
        char op = *e->p;
        int64_t right;

        e->p = skip_blanks(e->p + 1);
        if (!expr_logic(e, &right)) {
            return false;
        }
        *value = (int64_t)(op == '+' ? (uint64_t)*value + (uint64_t)right
                                     : (uint64_t)*value - (uint64_t)right);
    }
    return true;
}

bool hmp_expression(Hmp *hmp, const char **text, int64_t *value, Error **errp)
{
    Expr e = { hmp, skip_blanks(*text), 0, errp };

    if (!expr_sum(&e, value)) {
        return false;
    }
    *text = e.p;
    return true;
}

/* --------------------------------------------------------------- words */

/* A word, or text in double quotes with \" \\ \n inside; NULL with *errp set. */
static char *take_word(const char **text, Error **errp)
{
    const char *p = skip_blanks(*text);
    GString *s = g_string_new(NULL);

    if (*p != '"') {
        size_t len = strcspn(p, " \t");

        g_string_append_len(s, p, len);
        *text = p + len;
        return g_string_free(s, false);
    }
    for (p++; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1]) {
            p++;
            g_string_append_c(s, *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p);
        } else {
            g_string_append_c(s, *p);
        }
    }
    if (*p != '"') {
        error_setf(errp, ERR_INVALID_ARGUMENT, "unterminated string literal");
        g_string_free(s, true);
        return NULL;
    }
    *text = p + 1;
    return g_string_free(s, false);
}

/* Lines typed may have blanks around '=' and the like; expressions end at a blank too. */
static bool take_expression(Hmp *hmp, const char **text, int64_t *value, bool is_last,
                            Error **errp)
{
    char *word;
    const char *p;
    bool ok;

    if (is_last || strchr(*text, '(')) {
        return hmp_expression(hmp, text, value, errp);
    }
    /* "pmemsave 0 -1 file": a blank ends the first, else it would be 0 - 1. */
    word = take_word(text, errp);
    if (!word) {
        return false;
    }
    p = word;
    ok = hmp_expression(hmp, &p, value, errp);
    if (ok && *p) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "unexpected text '%.40s'", p);
        ok = false;
    }
    g_free(word);
    return ok;
}

static void take_format(const char **text, QDict *args)
{
    const char *p = skip_blanks(*text);

    if (*p == '/') {
        size_t len = strcspn(++p, " \t");
        QObject *s = qstring_from_len(p, len);

        qdict_put(args, "fmt", s);
        *text = p + len;
    }
}

HmpFormat hmp_format(const QDict *args, char letter, int size)
{
    HmpFormat f = { 1, letter, size };
    const char *p = qdict_str_or(args, "fmt", "");

    if (isdigit((unsigned char)*p)) {
        unsigned long n = strtoul(p, (char **)&p, 10);

        f.count = (int)MIN(n, 65536UL);
    }
    for (; *p; p++) {
        switch (*p) {
        case 'b':
            f.size = 1;
            break;
        case 'h':
            f.size = 2;
            break;
        case 'w':
        case 'L':
            f.size = 4;
            break;
        case 'g':
            f.size = 8;
            break;
        case 'o': case 'd': case 'u': case 'x': case 'i': case 'c':
            f.letter = *p;
            break;
        default:
            break;
        }
    }
    return f;
}

void hmp_print_value(Hmp *hmp, uint64_t value, char letter, int size)
{
    int bits = 8 * size;
    uint64_t mask = MASK64(0, bits);
    int64_t s = (int64_t)(value << (64 - bits)) >> (64 - bits);

    value &= mask;
    switch (letter) {
    case 'd':
        hmp_printf(hmp, "%" PRId64, s);
        break;
    case 'u':
        hmp_printf(hmp, "%" PRIu64, value);
        break;
    case 'o':
        hmp_printf(hmp, "%#0*" PRIo64, (bits + 2) / 3 + 1, value);
        break;
    case 'c':
        if (value >= ' ' && value < 127 && value != '\'' && value != '\\') {
            hmp_printf(hmp, "'%c'", (char)value);
        } else {
            hmp_printf(hmp, "'\\x%02x'", (unsigned)(value & 0xff));
        }
        break;
    default:
        hmp_printf(hmp, "0x%0*" PRIx64, 2 * size, value);
        break;
    }
}

/* ------------------------------------------------------------ arguments */

typedef struct Spec {
    char name[32];
    char type;                  /* '-' for a flag */
    char flag;                  /* its letter; '-': --NAME anywhere on the line */
    bool value;                 /* a word follows the flag */
    bool optional, is_last;
} Spec;

static bool next_spec(const char **p, Spec *spec)
{
    const char *colon;
    size_t len;

    *p = skip_blanks(*p);
    if (!**p) {
        return false;
    }
    colon = strchr(*p, ':');
    assert(colon && (size_t)(colon - *p) < sizeof(spec->name));
    len = colon - *p;
    memcpy(spec->name, *p, len);
    spec->name[len] = '\0';
    spec->type = colon[1];
    spec->flag = spec->type == '-' ? colon[2] : 0;
    *p = colon + (spec->type == '-' ? 3 : 2);
    spec->value = spec->flag && **p == 's';
    *p += spec->value;
    spec->optional = **p == '?' || spec->type == '-' || spec->type == 'f';
    *p += **p == '?';
    spec->is_last = !*skip_blanks(*p);
    return true;
}

static bool decode_word(const QapiType *type, const Spec *spec, const char *word, void *slot,
                        Error **errp)
{
    QObject *o = qstring_from(word);
    bool ok = qapi_decode(type, o, spec->name, QAPI_DECODE_KEYVAL, slot, errp);

    qobject_unref(o);
    return ok;
}

static bool take_arg(Hmp *hmp, const Spec *spec, const char **text, QDict *args, Error **errp)
{
    char *word = NULL;
    int64_t value = 0;
    uint64_t size = 0;
    bool flag = false, ok = true;

    switch (spec->type) {
    case 'i':
    case 'l':
        if (!take_expression(hmp, text, &value, spec->is_last, errp)) {
            return false;
        }
        if (spec->type == 'i' && (value > UINT32_MAX || value < INT32_MIN)) {
            error_setf(errp, ERR_OUT_OF_RANGE, "integer is for 32-bit values");
            return false;
        }
        qdict_put_int(args, spec->name, value);
        return true;
    case 'S':
        word = g_strchomp(g_strdup(skip_blanks(*text)));
        *text += strlen(*text);
        qdict_put_str(args, spec->name, word);
        break;
    case 'M':
        word = take_word(text, errp);
        ok = word && decode_word(&qapi_type_size, spec, word, &size, errp);
        if (ok) {
            qdict_put_uint(args, spec->name, size);
        }
        break;
    case 'b':
        word = take_word(text, errp);
        ok = word && decode_word(&qapi_type_bool, spec, word, &flag, errp);
        if (ok) {
            qdict_put_bool(args, spec->name, flag);
        }
        break;
    default:
        word = take_word(text, errp);
        ok = word != NULL;
        if (ok) {
            qdict_put_str(args, spec->name, word);
        }
        break;
    }
    g_free(word);
    return ok;
}

/* -x, and its word if it has one, if it stands here. */
static bool take_short_flag(const Spec *spec, const char **text, QDict *args, Error **errp)
{
    const char *p = *text;
    g_autofree char *word = NULL;

    if (p[0] != '-' || p[1] != spec->flag || (p[2] && p[2] != ' ')) {
        return true;
    }
    *text = p + 2;
    if (!spec->value) {
        qdict_put_bool(args, spec->name, true);
        return true;
    }
    if (!*skip_blanks(*text)) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "the value of '-%c' is missing", spec->flag);
        return false;
    }
    word = take_word(text, errp);
    if (word) {
        qdict_put_str(args, spec->name, word);
    }
    return word;
}

/* --NAME, and its word if it has one, out of @text into @args. */
static bool take_long_flag(const Spec *spec, char *text, QDict *args, Error **errp)
{
    g_autofree char *flag = g_strdup_printf("--%s", spec->name);
    size_t len = strlen(flag);
    char *at = text;
    const char *end;

    while ((at = strstr(at, flag)) && ((at != text && at[-1] != ' ') || (at[len] && at[len] != ' '))) {
        at += len;
    }
    if (!at) {
        return true;
    }
    end = at + len;
    if (spec->value) {
        g_autofree char *word = *skip_blanks(end) ? take_word(&end, errp) : NULL;

        if (!word) {
            if (!errp || !*errp) {
                error_setf(errp, ERR_MISSING_ARGUMENT, "'%s' is missing", flag);
            }
            return false;
        }
        qdict_put_str(args, spec->name, word);
    } else {
        qdict_put_bool(args, spec->name, true);
    }
    memmove(at, end, strlen(end) + 1);
    return true;
}

/* All of them; what is left is the caller's. NULL with errp set. */
static char *take_long_flags(const HmpCommand *cmd, const char *text, QDict *args, Error **errp)
{
    const char *p = cmd->args ? cmd->args : "";
    char *left = g_strdup(text);
    Spec spec;

    while (next_spec(&p, &spec)) {
        if (spec.type == '-' && spec.flag == '-' && !take_long_flag(&spec, left, args, errp)) {
            g_free(left);
            return NULL;
        }
    }
    return left;
}

QDict *hmp_parse_args(Hmp *hmp, const HmpCommand *cmd, const char *line, Error **errp)
{
    QDict *args = qdict_new();
    const char *p = cmd->args ? cmd->args : "";
    g_autofree char *left = take_long_flags(cmd, line, args, errp);
    const char *text = left;
    Spec spec;

    if (!text) {
        qobject_unref(args);
        return NULL;
    }

    while (next_spec(&p, &spec)) {
        text = skip_blanks(text);
        if (spec.type == 'f') {
            take_format(&text, args);
        } else if (spec.flag == '-') {
            continue;
        } else if (spec.type == '-') {
            if (!take_short_flag(&spec, &text, args, errp)) {
                goto fail;
            }
        } else if (!*text) {
            if (!spec.optional) {
                error_setf(errp, ERR_MISSING_ARGUMENT, "'%s' is missing", spec.name);
                goto fail;
            }
        } else if (!take_arg(hmp, &spec, &text, args, errp)) {
            goto fail;
        }
    }
    text = skip_blanks(text);
    if (*text) {
        error_setf(errp, ERR_UNKNOWN_ARGUMENT, "extraneous characters at the end of line: '%.40s'",
                   text);
        goto fail;
    }
    return args;

fail:
    qobject_unref(args);
    return NULL;
}
