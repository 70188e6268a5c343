/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QAPI language's surface: JSON with single-quoted strings and comments,
 * and documentation comments between lines of "##" (QAPI code generation
 * document, "Schema syntax" and "Documentation comments").
 */
#include "util/osdep.h"
#include "qapi/gen/gen.h"

Module *modules;
size_t n_modules;

typedef struct Parser {
    const char *p;
    Loc loc;
} Parser;

void fail_at(Loc loc, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "%s:%d: ", loc.file, loc.line);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

void *xrealloc(void *p, size_t size)
{
    p = realloc(p, size ? size : 1);
    if (!p) {
        fputs("qapi-gen: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

char *xstrdup(const char *s)
{
    size_t len = strlen(s) + 1;

    return memcpy(xrealloc(NULL, len), s, len);
}

char *str_fmt(const char *fmt, ...)
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
    return s;
}

Value *dict_get(const Value *dict, const char *key)
{
    for (size_t i = 0; i < dict->n; i++) {
        if (!strcmp(dict->keys[i], key)) {
            return dict->items[i];
        }
    }
    return NULL;
}

const char *dict_get_str(const Value *dict, const char *key)
{
    Value *v = dict_get(dict, key);

    if (!v) {
        return NULL;
    }
    if (v->kind != V_STR) {
        fail_at(v->loc, "'%s' must be a string", key);
    }
    return v->str;
}

/* -------------------------------------------------------------- values */

static void skip_blanks(Parser *ps)
{
    for (;;) {
        if (*ps->p == '\n') {
            ps->loc.line++;
            ps->p++;
        } else if (*ps->p == ' ' || *ps->p == '\t' || *ps->p == '\r') {
            ps->p++;
        } else if (*ps->p == '#') {
            ps->p += strcspn(ps->p, "\n");
        } else {
            return;
        }
    }
}

static const char *parse_string(Parser *ps)
{
    const char *start = ++ps->p;
    size_t len = strcspn(start, "'\n\\");
    char *s;

    if (start[len] != '\'') {
        fail_at(ps->loc, "string without its closing quote, or with a backslash");
    }
    s = str_fmt("%.*s", (int)len, start);
    ps->p = start + len + 1;
    return s;
}

static Value *parse_value(Parser *ps);

static Value *parse_container(Parser *ps, Value *v, char close)
{
    bool is_dict = v->kind == V_DICT;

    ps->p++;
    skip_blanks(ps);
    while (*ps->p != close) {
        if (is_dict) {
            if (*ps->p != '\'') {
                fail_at(ps->loc, "expected a key in single quotes or '%c'", close);
            }
            v->keys = xrealloc(v->keys, (v->n + 1) * sizeof(*v->keys));
            v->keys[v->n] = parse_string(ps);
            for (size_t i = 0; i < v->n; i++) {
                if (!strcmp(v->keys[i], v->keys[v->n])) {
                    fail_at(ps->loc, "duplicate key '%s'", v->keys[i]);
                }
            }
            skip_blanks(ps);
            if (*ps->p != ':') {
                fail_at(ps->loc, "expected ':' after '%s'", v->keys[v->n]);
            }
            ps->p++;
        }
        v->items = xrealloc(v->items, (v->n + 1) * sizeof(*v->items));
        v->items[v->n] = parse_value(ps);
        v->n++;
        skip_blanks(ps);
        if (*ps->p == ',') {
            ps->p++;
            skip_blanks(ps);
            if (*ps->p == close) {
                fail_at(ps->loc, "',' before '%c'", close);
            }
        } else if (*ps->p != close) {
            fail_at(ps->loc, "expected ',' or '%c'", close);
        }
    }
    ps->p++;
    return v;
}

static Value *parse_value(Parser *ps)
{
    Value *v = memset(xrealloc(NULL, sizeof(*v)), 0, sizeof(*v));

    skip_blanks(ps);
    v->loc = ps->loc;
    switch (*ps->p) {
    case '\'':
        v->kind = V_STR;
        v->str = parse_string(ps);
        return v;
    case '[':
        v->kind = V_LIST;
        return parse_container(ps, v, ']');
    case '{':
        v->kind = V_DICT;
        return parse_container(ps, v, '}');
    default:
        break;
    }
    v->kind = V_BOOL;
    if (!strncmp(ps->p, "true", 4)) {
        v->b = true;
        ps->p += 4;
        return v;
    }
    if (!strncmp(ps->p, "false", 5)) {
        ps->p += 5;
        return v;
    }
    fail_at(ps->loc, "expected a string, '[', '{', true or false");
}

/* ------------------------------------------------------- documentation */

static void append_line(char **text, const char *line)
{
    if (!*text || !**text) {
        *text = xstrdup(line);          /* blank lines at the start vanish */
    } else {
        *text = str_fmt("%s\n%s", *text, line);
    }
}

static void trim_end(char *text)
{
    size_t len = text ? strlen(text) : 0;

    while (len && (text[len - 1] == '\n' || text[len - 1] == ' ')) {
        text[--len] = '\0';
    }
}

static void trim_parts(DocParts *parts)
{
    for (size_t i = 0; i < parts->n; i++) {
        trim_end(parts->v[i].text);
    }
}

/* If @line is "@name: text", returns the name and sets *@rest. */
static const char *doc_name(const char *line, const char **rest)
{
    size_t len;

    if (line[0] != '@') {
        return NULL;
    }
    len = strspn(line + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");
    if (!len || line[1 + len] != ':') {
        return NULL;
    }
    *rest = line + len + 2;
    *rest += strspn(*rest, " ");
    return str_fmt("%.*s", (int)len, line + 1);
}

static const char *doc_tag(const char *line, const char **rest)
{
    static const char *const tags[] = {
        "Returns", "Errors", "Since", "Note", "Notes", "Example", "Examples",
    };

    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        size_t len = strlen(tags[i]);

        if (!strncmp(line, tags[i], len) && line[len] == ':') {
            *rest = line + len + 1;
            *rest += strspn(*rest, " ");
            return tags[i];
        }
    }
    return NULL;
}

static DocPart *add_part(DocParts *parts, const char *name, const char *text)
{
    DocPart part = { name, xstrdup(text) };

    LIST_ADD(parts, part);
    return &parts->v[parts->n - 1];
}

static Doc *parse_doc(Parser *ps)
{
    Doc *doc = memset(xrealloc(NULL, sizeof(*doc)), 0, sizeof(*doc));
    char **text = &doc->text;
    bool in_features = false;

    doc->loc = ps->loc;
    doc->text = xstrdup("");
    for (;;) {
        const char *line, *name, *rest;
        size_t len;

        ps->p += strcspn(ps->p, "\n");
        if (!*ps->p) {
            fail_at(doc->loc, "documentation comment without its closing '##'");
        }
        ps->p++;
        ps->loc.line++;
        if (!*ps->p) {
            fail_at(doc->loc, "documentation comment without its closing '##'");
        }
        len = strcspn(ps->p, "\n");
        line = str_fmt("%.*s", (int)len, ps->p);
        if (!strcmp(line, "##")) {
            ps->p += len;
            break;
        }
        if (line[0] != '#' || (line[1] && line[1] != ' ')) {
            fail_at(ps->loc, "documentation lines start with '# '");
        }
        line += line[1] ? 2 : 1;
        if ((name = doc_name(line, &rest))) {
            if (!doc->symbol && !*doc->text) {
                doc->symbol = name;
                append_line(text, rest);
            } else {
                text = &add_part(in_features ? &doc->features : &doc->args, name, rest)->text;
            }
        } else if (!strcmp(line, "Features:")) {
            in_features = true;
        } else if (doc->symbol && (name = doc_tag(line, &rest))) {
            text = &add_part(&doc->tags, name, rest)->text;
        } else {
            /* Continuation lines may be indented below their "@name:". */
            const char *s = line;

            if (text != &doc->text) {
                s += strspn(s, " ");
            }
            append_line(text, s);
        }
    }
    trim_end(doc->text);
    trim_parts(&doc->args);
    trim_parts(&doc->features);
    trim_parts(&doc->tags);
    return doc;
}

/* --------------------------------------------------------------- files */

static char *read_whole(const char *path, Loc from)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t len = 0, got;

    if (!f) {
        fail_at(from, "can't open '%s': %s", path, strerror(errno));
    }
    do {
        text = xrealloc(text, len + 65537);
        got = fread(text + len, 1, 65536, f);
        len += got;
    } while (got);
    fclose(f);
    text[len] = '\0';
    return text;
}

static const char *module_name(const char *path)
{
    const char *base = strrchr(path, '/');

    base = base ? base + 1 : path;
    return str_fmt("%.*s", (int)strcspn(base, "."), base);
}

static void parse_included(const char *path, Loc from)
{
    Parser ps = { NULL, { path, 1 } };
    Module module = { module_name(path), path, 0, NULL };
    static struct { size_t n; const char **v; } seen;
    Doc *doc = NULL;

    for (size_t i = 0; i < seen.n; i++) {
        if (!strcmp(seen.v[i], path)) {
            return;
        }
    }
    LIST_ADD(&seen, path);
    ps.p = read_whole(path, from);
    while (*ps.p) {
        Statement st = { NULL, NULL };
        Value *include;

        if (*ps.p == '\n') {
            ps.p++;
            ps.loc.line++;
            continue;
        }
        if (!strncmp(ps.p, "##\n", 3)) {
            if (doc && doc->symbol) {
                fail_at(doc->loc, "documentation of '%s' without a definition", doc->symbol);
            }
            doc = parse_doc(&ps);
            if (!doc->symbol) {
                st.doc = doc;
                LIST_ADD(&module, st);
                doc = NULL;
            }
            continue;
        }
        if (*ps.p == '#' || *ps.p == ' ') {
            ps.p += strcspn(ps.p, "\n");
            continue;
        }
        st.expr = parse_value(&ps);
        if (st.expr->kind != V_DICT) {
            fail_at(st.expr->loc, "expected '{'");
        }
        include = dict_get(st.expr, "include");
        if (include) {
            const char *slash = strrchr(path, '/');

            parse_included(str_fmt("%.*s%s", slash ? (int)(slash - path + 1) : 0, path,
                                   dict_get_str(st.expr, "include")), st.expr->loc);
            continue;
        }
        st.doc = doc;
        doc = NULL;
        LIST_ADD(&module, st);
    }
    if (doc) {
        fail_at(doc->loc, "documentation of '%s' without a definition", doc->symbol);
    }
    modules = xrealloc(modules, (n_modules + 1) * sizeof(*modules));
    modules[n_modules++] = module;
}

void parse_file(const char *path)
{
    parse_included(path, (Loc){ "qapi-gen", 0 });
}
