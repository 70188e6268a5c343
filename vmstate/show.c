/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state as a tree of named values. The saved form tells names, kinds and lengths by itself, so that no device is
 * needed; the table, when there is one, tells what they mean, and shows the kinds that it alone knows.
 */
#include "util/osdep.h"
#include "vmstate/vmstate.h"
#include "vmstate/vmstate-int.h"
#include "vmstate/node.h"

/* Of a section: a stream may come from anywhere. */
#define NODES_MAX   1000000

static const VmField *find_field(const VmState *vm, const char *name, const char *kind)
{
    for (const VmField *f = vm ? vm->fields : NULL; f && f->name; f++) {
        if (!strcmp(f->name, name) && !strcmp(f->kind->name, kind)) {
            return f;
        }
    }
    return NULL;
}

static const VmState *find_subsection(const VmState *vm, const char *name)
{
    for (const VmState *const *sub = vm ? vm->subsections : NULL; sub && *sub; sub++) {
        if (!strcmp((*sub)->name, name)) {
            return *sub;
        }
    }
    return NULL;
}

static const VmMeaning *find_meaning(const VmState *vm, const char *name)
{
    for (const VmMeaning *m = vm ? vm->meanings : NULL; m && m->name; m++) {
        if (!strcmp(m->name, name)) {
            return m;
        }
    }
    return NULL;
}

static bool count_nodes(VmReader *r, size_t n, Error **errp)
{
    r->nodes += n;
    if (r->nodes > NODES_MAX) {
        error_setf(errp, ERR_STATE_INVALID, "more than %d values in one section", NODES_MAX);
        return false;
    }
    return true;
}

/* Kinds whose elements are plain numbers, which an array holds side by side. */
static bool is_plain(const VmKind *k)
{
    return k == &vm_kind_bool || k == &vm_kind_u8 || k == &vm_kind_u16 || k == &vm_kind_u32 ||
           k == &vm_kind_u64 || k == &vm_kind_i32 || k == &vm_kind_i64;
}

static bool show_numbers(VmReader *r, const VmKind *kind, uint32_t count, uint32_t bytes, StateNode *n,
                         Error **errp)
{
    unsigned size = count ? bytes / count : 0;

    n->kind = STATE_ARRAY;
    n->is_signed = kind == &vm_kind_i32 || kind == &vm_kind_i64;
    n->bits = (uint8_t)(8 * size);
    if ((uint64_t)size * count != bytes || size > 8) {
        error_setf(errp, ERR_STATE_INVALID, "%u numbers in %u bytes", count, bytes);
        return false;
    }
    n->numbers = g_new(uint64_t, (size_t)count + 1);
    n->num_numbers = count;
    for (uint32_t i = 0; i < count; i++) {
        StateNode one = { 0 };

        if (!kind->show(r, NULL, size, &one, errp)) {
            return false;
        }
        n->numbers[i] = one.u;
    }
    return true;
}

static bool show_elements(VmReader *r, const VmKind *kind, const VmField *f, uint32_t count, uint32_t bytes,
                          StateNode *n, Error **errp)
{
    bool array = f ? f->flags & VM_F_ARRAY : count != 1;
    size_t end = r->pos + bytes;

    if (!kind) {
        state_set_bytes(n, r->data + r->pos, bytes);
        state_mean(n, "of a kind that is not known here");
        r->pos += bytes;
        return true;
    }
    n->type = kind->name;
    if (!array && count == 1) {
        return count_nodes(r, 1, errp) && kind->show(r, f, bytes, n, errp);
    }
    if (is_plain(kind)) {
        return count_nodes(r, count / 8 + 1, errp) && show_numbers(r, kind, count, bytes, n, errp);
    }
    n->kind = STATE_ARRAY;
    for (uint32_t i = 0; i < count; i++) {
        StateNode *e = state_add_element(n, STATE_STRUCT);

        e->type = kind->name;
        if (r->pos > end) {
            error_setf(errp, ERR_STATE_INVALID, "%u elements take more than their %u bytes", count, bytes);
            return false;
        }
        if (!count_nodes(r, 1, errp) || !kind->show(r, f, bytes / count, e, errp)) {
            return false;
        }
    }
    return true;
}

static bool show_field(VmReader *r, const VmState *vm, const char *name, StateNode *into, Error **errp)
{
    const VmMeaning *m = find_meaning(vm, name);
    const VmField *f;
    const VmKind *kind;
    char kind_name[256];
    uint32_t count, bytes;
    StateNode *n;
    size_t end;

    if (!vm_get_name(r, kind_name, errp) || !vm_get_u32(r, &count, errp) || !vm_get_u32(r, &bytes, errp)) {
        return false;
    }
    if (bytes > r->len - r->pos || count > bytes) {
        error_setf(errp, ERR_STATE_INVALID, "%u elements in %u bytes; there are %zu", count, bytes,
                   r->len - r->pos);
        return false;
    }
    end = r->pos + bytes;
    f = find_field(vm, name, kind_name);
    kind = f ? f->kind : vm_kind_find(kind_name);
    n = state_add(into, name, STATE_STRUCT);
    if (!show_elements(r, kind, f, count, bytes, n, errp)) {
        return false;
    }
    if (r->pos != end) {
        error_setf(errp, ERR_STATE_INVALID, "%u bytes of elements do not fit", bytes);
        return false;
    }
    if (m && n->kind == STATE_ARRAY && n->num_fields) {
        for (size_t i = 0; i < n->num_fields; i++) {
            state_apply_meaning(n->fields[i], m);
        }
        n->help = m->help;
    } else if (m) {
        state_apply_meaning(n, m);
    }
    return true;
}

static bool is_name(const char *name)
{
    return g_utf8_validate(name, -1, NULL);
}

static bool show_fields(VmReader *r, const VmState *vm, StateNode *into, Error **errp)
{
    char name[256];

    for (;;) {
        if (!vm_get_name(r, name, errp)) {
            return false;
        }
        if (!*name) {
            return true;
        }
        if (!is_name(name)) {
            error_setf(errp, ERR_STATE_INVALID, "a field's name is no text");
            return false;
        }
        if (!show_field(r, vm, name, into, errp)) {
            error_prepend(errp, "%s: ", name);
            return false;
        }
    }
}

bool vm_show_struct(VmReader *r, const VmState *vm, StateNode *into, Error **errp)
{
    uint32_t version;
    char name[256];
    bool ok;

    into->kind = STATE_STRUCT;
    if (r->depth >= VM_DEPTH_MAX) {
        error_setf(errp, ERR_STATE_INVALID, "nested more than %d deep", VM_DEPTH_MAX);
        return false;
    }
    r->depth++;
    ok = vm_get_u32(r, &version, errp) && show_fields(r, vm, into, errp);
    while (ok && (ok = vm_get_name(r, name, errp)) && *name) {
        if (!is_name(name)) {
            error_setf(errp, ERR_STATE_INVALID, "a subsection's name is no text");
            ok = false;
            break;
        }
        ok = count_nodes(r, 1, errp) &&
             vm_show_struct(r, find_subsection(vm, name), state_add_struct(into, name), errp);
    }
    r->depth--;
    return ok;
}
