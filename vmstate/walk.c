/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving and loading.
 *
 * The form of a struct, numbers big-endian:
 *   u32 version
 *   for each field:  u8 length of name, name, u8 length of kind, kind,
 *                    u32 count, u32 bytes of the elements, elements
 *   u8 0             end of fields
 *   for each subsection:  u8 length of name, name, struct
 *   u8 0             end of subsections
 * A section is "VM01", u16 length of its name, name, u32 bytes of the struct,
 * struct.
 */
#include "util/osdep.h"
#include "vmstate/vmstate.h"
#include "vmstate/vmstate-int.h"
#include "vmstate/node.h"

#include "util/bswap.h"

static const uint8_t magic[4] = { 'V', 'M', '0', '1' };

/* --- fields --- */

const void *vm_field_data(const VmField *f, const void *opaque)
{
    const char *at = (const char *)opaque + f->offset;

    return f->flags & VM_F_POINTER ? *(const void *const *)at : at;
}

uint64_t vm_field_count(const VmField *f, const void *opaque, Error **errp)
{
    const char *at = (const char *)opaque + f->count_offset;
    uint64_t n;

    switch (f->count_size) {
    case 0: return f->num;
    case 1: n = *(const uint8_t *)at; break;
    case 2: n = *(const uint16_t *)at; break;
    case 4: n = *(const uint32_t *)at; break;
    default: n = *(const uint64_t *)at; break;
    }
    if (n > f->num) {
        error_setf(errp, ERR_STATE_INVALID,
                   "field '%s' has %" PRIu64 " elements; accepted: 0 to %zu", f->name, n,
                   f->num);
        return UINT64_MAX;
    }
    return n;
}

bool vm_field_exists(const VmField *f, const void *opaque, int version)
{
    return version >= f->since && (!f->exists || f->exists((void *)opaque, version));
}

/* --- writing --- */

void vm_put_bytes(VmWriter *w, const void *data, size_t len)
{
    if (len) {
        g_byte_array_append(w->out, data, (guint)len);
    }
}

void vm_put_u8(VmWriter *w, uint8_t v)
{
    vm_put_bytes(w, &v, 1);
}

void vm_put_u16(VmWriter *w, uint16_t v)
{
    v = host_to_be16(v);
    vm_put_bytes(w, &v, 2);
}

void vm_put_u32(VmWriter *w, uint32_t v)
{
    v = host_to_be32(v);
    vm_put_bytes(w, &v, 4);
}

void vm_put_u64(VmWriter *w, uint64_t v)
{
    v = host_to_be64(v);
    vm_put_bytes(w, &v, 8);
}

static void put_name(VmWriter *w, const char *name)
{
    size_t len = strlen(name);

    assert(len > 0 && len < 256);
    vm_put_u8(w, (uint8_t)len);
    vm_put_bytes(w, name, len);
}

static bool put_field(VmWriter *w, const VmField *f, const void *opaque, Error **errp)
{
    uint64_t n = vm_field_count(f, opaque, errp);
    const char *elem = vm_field_data(f, opaque);
    guint size_at;

    if (n == UINT64_MAX) {
        return false;
    }
    if (!elem) {
        n = 0;
    }
    put_name(w, f->name);
    put_name(w, f->kind->name);
    vm_put_u32(w, (uint32_t)n);
    size_at = w->out->len;
    vm_put_u32(w, 0);
    for (uint64_t i = 0; i < n; i++, elem += f->size) {
        if (!f->kind->save(w, f, elem, errp)) {
            error_prepend(errp, "%s: ", f->name);
            return false;
        }
    }
    store_be32(w->out->data + size_at, w->out->len - size_at - 4);
    return true;
}

bool vm_put_struct(VmWriter *w, const VmState *vm, const void *opaque, Error **errp)
{
    if (vm->pre_save && !w->peek) {
        vm->pre_save((void *)opaque);
    }
    if (vm->gather) {
        vm->gather((void *)opaque);
    }
    vm_put_u32(w, (uint32_t)vm->version);
    for (const VmField *f = vm->fields; f && f->name; f++) {
        if (vm_field_exists(f, opaque, vm->version) && !put_field(w, f, opaque, errp)) {
            return false;
        }
    }
    vm_put_u8(w, 0);
    for (const VmState *const *sub = vm->subsections; sub && *sub; sub++) {
        if (!(*sub)->needed || (*sub)->needed((void *)opaque)) {
            put_name(w, (*sub)->name);
            if (!vm_put_struct(w, *sub, opaque, errp)) {
                return false;
            }
        }
    }
    vm_put_u8(w, 0);
    return true;
}

static bool put_section(const VmState *vm, const char *name, const void *opaque, bool peek,
                        GByteArray *out, Error **errp)
{
    VmWriter w = { out, peek };
    guint start = out->len, size_at;

    vm_put_bytes(&w, magic, sizeof(magic));
    vm_put_u16(&w, (uint16_t)strlen(name));
    vm_put_bytes(&w, name, (uint16_t)strlen(name));
    size_at = out->len;
    vm_put_u32(&w, 0);
    if (!vm_put_struct(&w, vm, opaque, errp)) {
        error_prepend(errp, "%s: ", name);
        g_byte_array_set_size(out, start);
        return false;
    }
    store_be32(out->data + size_at, out->len - size_at - 4);
    return true;
}

bool vm_save(const VmState *vm, const char *name, const void *opaque,
             GByteArray *out, Error **errp)
{
    return put_section(vm, name, opaque, false, out, errp);
}

bool vm_peek(const VmState *vm, const char *name, const void *opaque, GByteArray *out, Error **errp)
{
    return put_section(vm, name, opaque, true, out, errp);
}

/* --- reading --- */

bool vm_get_bytes(VmReader *r, void *data, size_t len, Error **errp)
{
    if (len > r->len - r->pos) {
        error_setf(errp, ERR_EOF, "the state ends after %zu bytes, %zu more are needed",
                   r->len, len - (r->len - r->pos));
        return false;
    }
    if (len) {
        memcpy(data, r->data + r->pos, len);
    }
    r->pos += len;
    return true;
}

bool vm_get_u8(VmReader *r, uint8_t *v, Error **errp)
{
    return vm_get_bytes(r, v, 1, errp);
}

bool vm_get_u16(VmReader *r, uint16_t *v, Error **errp)
{
    if (!vm_get_bytes(r, v, 2, errp)) {
        return false;
    }
    *v = be16_to_host(*v);
    return true;
}

bool vm_get_u32(VmReader *r, uint32_t *v, Error **errp)
{
    if (!vm_get_bytes(r, v, 4, errp)) {
        return false;
    }
    *v = be32_to_host(*v);
    return true;
}

bool vm_get_u64(VmReader *r, uint64_t *v, Error **errp)
{
    if (!vm_get_bytes(r, v, 8, errp)) {
        return false;
    }
    *v = be64_to_host(*v);
    return true;
}

bool vm_get_name(VmReader *r, char name[256], Error **errp)
{
    uint8_t len;

    if (!vm_get_u8(r, &len, errp) || !vm_get_bytes(r, name, len, errp)) {
        return false;
    }
    name[len] = '\0';
    return true;
}

static bool expect(VmReader *r, const char *what, const char *want, Error **errp)
{
    char name[256];

    if (!vm_get_name(r, name, errp)) {
        return false;
    }
    if (strcmp(name, want)) {
        g_autofree char *shown = g_strescape(name, NULL);

        error_setf(errp, ERR_STATE_INVALID, "the state has a %s '%s' where '%s' is expected",
                   what, shown, want);
        return false;
    }
    return true;
}

static bool get_elements(VmReader *r, const VmField *f, void *opaque, Error **errp)
{
    char *elem = (char *)vm_field_data(f, opaque);
    uint64_t n = vm_field_count(f, opaque, errp);
    uint32_t count, bytes;
    size_t end;

    if (n == UINT64_MAX) {
        return false;
    }
    if (!elem) {
        n = 0;
    }
    if (!expect(r, "kind", f->kind->name, errp) || !vm_get_u32(r, &count, errp) ||
        !vm_get_u32(r, &bytes, errp)) {
        return false;
    }
    if (count != n || bytes > r->len - r->pos) {
        error_setf(errp, ERR_STATE_INVALID,
                   "%u elements in %u bytes; accepted: %" PRIu64 " in at most %zu", count,
                   bytes, n, r->len - r->pos);
        return false;
    }
    end = r->pos + bytes;
    for (uint64_t i = 0; i < n; i++, elem += f->size) {
        if (!f->kind->load(r, f, elem, errp)) {
            return false;
        }
    }
    if (r->pos != end) {
        error_setf(errp, ERR_STATE_INVALID, "%u bytes of elements do not fit", bytes);
        return false;
    }
    return true;
}

static bool get_field(VmReader *r, const VmField *f, void *opaque, Error **errp)
{
    if (!expect(r, "field", f->name, errp)) {
        return false;
    }
    if (!get_elements(r, f, opaque, errp)) {
        error_prepend(errp, "%s: ", f->name);
        return false;
    }
    return true;
}

static const VmState *find_sub(const VmState *vm, const char *name)
{
    for (const VmState *const *sub = vm->subsections; sub && *sub; sub++) {
        if (!strcmp((*sub)->name, name)) {
            return *sub;
        }
    }
    return NULL;
}

static bool get_subsections(VmReader *r, const VmState *vm, void *opaque, Error **errp)
{
    char name[256];

    for (unsigned n = 0; ; n++) {
        const VmState *sub;

        if (!vm_get_name(r, name, errp)) {
            return false;
        }
        if (!*name) {
            return true;
        }
        sub = find_sub(vm, name);
        if (!sub || n > 255) {
            g_autofree char *shown = g_strescape(name, NULL);

            error_setf(errp, ERR_STATE_INVALID, "there is no subsection '%s'", shown);
            return false;
        }
        if (!vm_get_struct(r, sub, opaque, errp)) {
            error_prepend(errp, "%s: ", name);
            return false;
        }
    }
}

bool vm_get_struct(VmReader *r, const VmState *vm, void *opaque, Error **errp)
{
    int min = vm->min_version ? vm->min_version : vm->version;
    uint32_t version;
    uint8_t end;
    bool ok;

    if (!vm_get_u32(r, &version, errp)) {
        return false;
    }
    if (version < (uint32_t)min || version > (uint32_t)vm->version) {
        error_setf(errp, ERR_STATE_INVALID, "version %u; accepted: %d to %d", version, min,
                   vm->version);
        return false;
    }
    if (r->depth >= VM_DEPTH_MAX) {
        error_setf(errp, ERR_STATE_INVALID, "nested more than %d deep", VM_DEPTH_MAX);
        return false;
    }
    if (vm->pre_load && !vm->pre_load(opaque, errp)) {
        return false;
    }
    r->depth++;
    ok = true;
    for (const VmField *f = vm->fields; ok && f && f->name; f++) {
        ok = !vm_field_exists(f, opaque, (int)version) || get_field(r, f, opaque, errp);
    }
    if (ok) {
        ok = vm_get_u8(r, &end, errp);
        if (ok && end) {
            error_setf(errp, ERR_STATE_INVALID, "the state has fields that are not known");
            ok = false;
        }
    }
    ok = ok && get_subsections(r, vm, opaque, errp);
    r->depth--;
    return ok && (!vm->post_load || vm->post_load(opaque, errp));
}

char *vm_section_name(const void *data, size_t len)
{
    const uint8_t *p = data;

    if (len < sizeof(magic) + 2 || memcmp(p, magic, sizeof(magic)) || load_be16(p + 4) > len - 6) {
        return NULL;
    }
    return g_strndup((const char *)p + 6, load_be16(p + 4));
}

StateNode *vm_show(const VmState *vm, const void *data, size_t len, Error **errp)
{
    VmReader r = { .data = data, .len = len };
    g_autofree char *name = vm_section_name(data, len);
    StateNode *root;
    uint32_t bytes;

    if (!name) {
        error_setf(errp, ERR_STATE_INVALID, "the state doesn't begin with a section's name");
        return NULL;
    }
    r.pos = sizeof(magic) + 2 + load_be16(r.data + 4);
    if (!vm_get_u32(&r, &bytes, errp)) {
        return NULL;
    }
    if (bytes != r.len - r.pos) {
        error_setf(errp, ERR_STATE_INVALID, "%u bytes of state; there are %zu", bytes, r.len - r.pos);
        return NULL;
    }
    root = state_node_new("");
    if (!vm_show_struct(&r, vm, root, errp)) {
        error_prepend(errp, "%s: ", name);
        state_node_free(root);
        return NULL;
    }
    if (r.pos != r.len) {
        error_setf(errp, ERR_STATE_INVALID, "%s: %zu bytes too many", name, r.len - r.pos);
        state_node_free(root);
        return NULL;
    }
    return root;
}

bool vm_load(const VmState *vm, const char *name, void *opaque,
             const void *data, size_t len, size_t *used, Error **errp)
{
    VmReader r = { .data = data, .len = len };
    uint8_t head[4];
    uint16_t name_len;
    uint32_t bytes;

    if (!vm_get_bytes(&r, head, sizeof(head), errp) || !vm_get_u16(&r, &name_len, errp)) {
        return false;
    }
    if (memcmp(head, magic, sizeof(magic)) || name_len > len - r.pos ||
        name_len != strlen(name) || memcmp(r.data + r.pos, name, name_len)) {
        error_setf(errp, ERR_STATE_INVALID, "the state is not a section called '%s'", name);
        return false;
    }
    r.pos += name_len;
    if (!vm_get_u32(&r, &bytes, errp)) {
        return false;
    }
    if (bytes > r.len - r.pos) {
        error_setf(errp, ERR_EOF, "%s: the state ends early: %u bytes of %zu are there", name,
                   bytes, r.len - r.pos);
        return false;
    }
    r.len = r.pos + bytes;
    if (!vm_get_struct(&r, vm, opaque, errp)) {
        error_prepend(errp, "%s: ", name);
        return false;
    }
    if (r.pos != r.len) {
        error_setf(errp, ERR_STATE_INVALID, "%s: %zu bytes too many", name, r.len - r.pos);
        return false;
    }
    if (used) {
        *used = r.pos;
    }
    return true;
}

/* --- state of no device --- */

typedef struct Registered {
    const char *name;
    const VmState *vm;
    void *opaque;
} Registered;

static GArray *registered;

void vm_register(const char *name, const VmState *vm, void *opaque)
{
    Registered r = { name, vm, opaque };

    if (!registered) {
        registered = g_array_new(FALSE, FALSE, sizeof(Registered));
    }
    g_array_append_val(registered, r);
}

void vm_unregister(const VmState *vm, void *opaque)
{
    for (guint i = 0; registered && i < registered->len; i++) {
        const Registered *r = &g_array_index(registered, Registered, i);

        if (r->vm == vm && r->opaque == opaque) {
            g_array_remove_index(registered, i);
            return;
        }
    }
}

int vm_registered_foreach(int (*fn)(const char *name, const VmState *vm,
                                    void *opaque, void *user), void *user)
{
    for (guint i = 0; registered && i < registered->len; i++) {
        const Registered *r = &g_array_index(registered, Registered, i);
        int ret = fn(r->name, r->vm, r->opaque, user);

        if (ret) {
            return ret;
        }
    }
    return 0;
}
