/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output files: written only when changed, so that make rebuilds no more than it must. */
#include "util/osdep.h"
#include "qapi/gen/gen.h"

struct Out {
    char *path;
    char *text;
    size_t len, room;
};

Out *out_new(const char *dir, const char *name)
{
    Out *out = memset(xrealloc(NULL, sizeof(*out)), 0, sizeof(*out));

    out->path = str_fmt("%s/%s", dir, name);
    return out;
}

void out_printf(Out *out, const char *fmt, ...)
{
    va_list ap;
    char *s;
    int len;

    va_start(ap, fmt);
    len = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (len < 0) {
        fputs("qapi-gen: out of memory\n", stderr);
        exit(1);
    }
    if (out->len + len + 1 > out->room) {
        out->room = 2 * (out->len + len + 1);
        out->text = xrealloc(out->text, out->room);
    }
    memcpy(out->text + out->len, s, len + 1);
    out->len += len;
    free(s);
}

void out_if(Out *out, const char *cond)
{
    if (cond) {
        out_printf(out, "#if %s\n", cond);
    }
}

void out_endif(Out *out, const char *cond)
{
    if (cond) {
        out_printf(out, "#endif\n");
    }
}

const char *out_text(const Out *out)
{
    return out->text ? out->text : "";
}

static bool same_as_file(const Out *out)
{
    FILE *f = fopen(out->path, "rb");
    char *old;
    size_t got;

    if (!f) {
        return false;
    }
    old = xrealloc(NULL, out->len + 1);
    got = fread(old, 1, out->len + 1, f);
    fclose(f);
    return got == out->len && !memcmp(old, out->text, got);
}

void out_close(Out *out)
{
    FILE *f;

    if (same_as_file(out)) {
        return;
    }
    f = fopen(out->path, "wb");
    if (!f || fwrite(out->text, 1, out->len, f) != out->len || fclose(f)) {
        fprintf(stderr, "qapi-gen: can't write '%s': %s\n", out->path, strerror(errno));
        exit(1);
    }
}
