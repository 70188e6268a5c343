/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trees of state: looking for a value by its path, and comparing two. */
#include "util/osdep.h"
#include "vmstate/node.h"

/* --- by path --- */

/* The field whose name is the first @len characters. */
static const StateNode *field_named(const StateNode *n, const char *name, size_t len)
{
    for (size_t i = 0; i < n->num_fields; i++) {
        if (strlen(n->fields[i]->name) == len && !memcmp(n->fields[i]->name, name, len)) {
            return n->fields[i];
        }
    }
    return NULL;
}

/* The field that @path begins with, the longest name if several fit: some have dots in them. */
static const StateNode *field_at(const StateNode *n, const char *path, size_t *len)
{
    const StateNode *found = NULL;

    *len = 0;
    for (size_t i = 0; i < n->num_fields; i++) {
        size_t own = strlen(n->fields[i]->name);

        if (own > *len && !strncmp(path, n->fields[i]->name, own) && strchr(".[", path[own])) {
            found = n->fields[i];
            *len = own;
        }
    }
    return found;
}

static bool parse_index(const char *text, const char **end, size_t *index)
{
    char *stop;
    uint64_t v;

    if (!g_ascii_isdigit(text[1])) {
        return false;
    }
    errno = 0;
    v = g_ascii_strtoull(text + 1, &stop, 10);
    if (errno || *stop != ']') {
        return false;
    }
    *index = (size_t)v;
    *end = stop + 1;
    return true;
}

const StateNode *state_find(const StateNode *root, const char *path, size_t *index)
{
    const StateNode *n = root;

    *index = SIZE_MAX;
    while (n && *path && *index == SIZE_MAX) {
        if (*path == '[') {
            const StateNode *e;
            const char *end;
            size_t i;

            if (!parse_index(path, &end, &i)) {
                return NULL;
            }
            e = field_named(n, path, (size_t)(end - path));
            if (!e && i < n->num_fields) {
                e = n->fields[i];
            }
            if (!e) {
                if (i >= n->num_numbers && i >= n->num_bytes) {
                    return NULL;
                }
                *index = i;
                e = n;
            }
            n = e;
            path = end;
        } else {
            size_t len;

            n = field_at(n, path, &len);
            path += len;
        }
        path += *path == '.';
    }
    return *path ? NULL : n;
}

uint64_t state_get(const StateNode *root, const char *path, uint64_t otherwise)
{
    size_t index;
    const StateNode *n = state_find(root, path, &index);

    if (!n) {
        return otherwise;
    }
    if (index != SIZE_MAX) {
        return state_number(n, index);
    }
    return n->kind <= STATE_TIME ? n->u : otherwise;
}

/* --- comparing --- */

static bool own_equal(const StateNode *a, const StateNode *b)
{
    if (a->copy && b->copy) {
        return true;
    }
    if (a->kind != b->kind || a->num_bytes != b->num_bytes || a->num_numbers != b->num_numbers) {
        return false;
    }
    if (a->num_bytes && memcmp(a->bytes, b->bytes, a->num_bytes)) {
        return false;
    }
    if (a->num_numbers && memcmp(a->numbers, b->numbers, a->num_numbers * sizeof(uint64_t))) {
        return false;
    }
    return a->u == b->u && !g_strcmp0(a->text, b->text);
}

bool state_equal(const StateNode *a, const StateNode *b)
{
    if (!own_equal(a, b) || a->num_fields != b->num_fields) {
        return false;
    }
    for (size_t i = 0; i < a->num_fields; i++) {
        if (strcmp(a->fields[i]->name, b->fields[i]->name) || !state_equal(a->fields[i], b->fields[i])) {
            return false;
        }
    }
    return true;
}

typedef void DiffFn(const char *path, const StateNode *a, const StateNode *b, size_t index, void *opaque);

static void diff(GString *path, const StateNode *a, const StateNode *b, DiffFn *fn, void *opaque);

/* @name is appended to the path while @a and @b are compared. */
static void diff_field(GString *path, const StateNode *a, const StateNode *b, DiffFn *fn, void *opaque)
{
    const char *name = a ? a->name : b->name;
    gsize len = path->len;

    g_string_append_printf(path, "%s%s", len && *name != '[' ? "." : "", name);
    if (a && b) {
        diff(path, a, b, fn, opaque);
    } else {
        fn(path->str, a, b, SIZE_MAX, opaque);
    }
    g_string_truncate(path, len);
}

static void diff_numbers(const GString *path, const StateNode *a, const StateNode *b, DiffFn *fn, void *opaque)
{
    for (size_t i = 0; i < a->num_numbers; i++) {
        if (a->numbers[i] != b->numbers[i]) {
            g_autofree char *element = g_strdup_printf("%s[%zu]", path->str, i);

            fn(element, a, b, i, opaque);
        }
    }
}

static void diff(GString *path, const StateNode *a, const StateNode *b, DiffFn *fn, void *opaque)
{
    if (!own_equal(a, b)) {
        if (a->kind == STATE_ARRAY && b->kind == STATE_ARRAY && a->num_numbers == b->num_numbers) {
            diff_numbers(path, a, b, fn, opaque);
        } else {
            fn(path->str, a, b, SIZE_MAX, opaque);
            return;
        }
    }
    for (size_t i = 0; i < a->num_fields; i++) {
        const char *name = a->fields[i]->name;
        /* The same place is the rule. */
        const StateNode *other = i < b->num_fields && !strcmp(b->fields[i]->name, name)
                                 ? b->fields[i] : field_named(b, name, strlen(name));

        diff_field(path, a->fields[i], other, fn, opaque);
    }
    for (size_t i = 0; i < b->num_fields; i++) {
        const char *name = b->fields[i]->name;

        if (!(i < a->num_fields && !strcmp(a->fields[i]->name, name)) && !field_named(a, name, strlen(name))) {
            diff_field(path, NULL, b->fields[i], fn, opaque);
        }
    }
}

void state_diff(const StateNode *a, const StateNode *b, DiffFn *fn, void *opaque)
{
    g_autoptr(GString) path = g_string_new(NULL);

    diff(path, a, b, fn, opaque);
}
