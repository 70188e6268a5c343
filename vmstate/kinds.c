/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of fields: numbers, bytes, structs, timers. */
#include "util/osdep.h"
#include "vmstate/vmstate.h"
#include "vmstate/vmstate-int.h"

#include "vmstate/node.h"

static bool in_range(const VmField *f, uint64_t v, Error **errp)
{
    if (f->max && (v < f->min || v > f->max)) {
        error_setf(errp, ERR_STATE_INVALID,
                   "%" PRIu64 " is out of range; accepted: %" PRIu64 " to %" PRIu64, v,
                   f->min, f->max);
        return false;
    }
    return true;
}

static void show_number(StateNode *into, bool is_signed, size_t size, uint64_t v)
{
    into->kind = is_signed ? STATE_INT : STATE_UINT;
    into->bits = (uint8_t)(8 * size);
    into->u = v;
}

#define NUMBER_KIND(sym, shown, T, U, bits) \
    static bool save_##sym(VmWriter *w, UNUSED const VmField *f, const void *elem, \
                           UNUSED Error **errp) \
    { \
        T v; \
        memcpy(&v, elem, sizeof(v)); \
        vm_put_u##bits(w, (U)v); \
        return true; \
    } \
    static bool load_##sym(VmReader *r, const VmField *f, void *elem, Error **errp) \
    { \
        U u; \
        T v; \
        if (!vm_get_u##bits(r, &u, errp) || !in_range(f, u, errp)) { \
            return false; \
        } \
        v = (T)u; \
        memcpy(elem, &v, sizeof(v)); \
        return true; \
    } \
    static bool show_##sym(VmReader *r, UNUSED const VmField *f, UNUSED size_t bytes, \
                           StateNode *into, Error **errp) \
    { \
        U u; \
        if (!vm_get_u##bits(r, &u, errp)) { \
            return false; \
        } \
        show_number(into, (T)-1 < (T)1, sizeof(T), (uint64_t)(T)u); \
        return true; \
    } \
    const VmKind vm_kind_##sym = { \
        shown, save_##sym, load_##sym, show_##sym \
    };

NUMBER_KIND(u8, "u8", uint8_t, uint8_t, 8)
NUMBER_KIND(u16, "u16", uint16_t, uint16_t, 16)
NUMBER_KIND(u32, "u32", uint32_t, uint32_t, 32)
NUMBER_KIND(u64, "u64", uint64_t, uint64_t, 64)
NUMBER_KIND(i32, "i32", int32_t, uint32_t, 32)
NUMBER_KIND(i64, "i64", int64_t, uint64_t, 64)

/* --- bool: a byte that is 0 or 1 --- */

static bool save_bool(VmWriter *w, UNUSED const VmField *f, const void *elem,
                      UNUSED Error **errp)
{
    vm_put_u8(w, *(const bool *)elem);
    return true;
}

static bool load_bool(VmReader *r, UNUSED const VmField *f, void *elem, Error **errp)
{
    uint8_t v;

    if (!vm_get_u8(r, &v, errp)) {
        return false;
    }
    if (v > 1) {
        error_setf(errp, ERR_STATE_INVALID, "%u is no bool; accepted: 0, 1", v);
        return false;
    }
    *(bool *)elem = v;
    return true;
}

static bool show_bool(VmReader *r, UNUSED const VmField *f, UNUSED size_t bytes, StateNode *into,
                      Error **errp)
{
    uint8_t v;

    into->kind = STATE_BOOL;
    if (!vm_get_u8(r, &v, errp)) {
        return false;
    }
    into->u = v;
    return true;
}

const VmKind vm_kind_bool = { "bool", save_bool, load_bool, show_bool };

/* --- double: as bits --- */

static bool save_f64(VmWriter *w, UNUSED const VmField *f, const void *elem,
                     UNUSED Error **errp)
{
    uint64_t bits;

    memcpy(&bits, elem, sizeof(bits));
    vm_put_u64(w, bits);
    return true;
}

static bool load_f64(VmReader *r, UNUSED const VmField *f, void *elem, Error **errp)
{
    uint64_t bits;

    if (!vm_get_u64(r, &bits, errp)) {
        return false;
    }
    memcpy(elem, &bits, sizeof(bits));
    return true;
}

static bool show_f64(VmReader *r, UNUSED const VmField *f, UNUSED size_t bytes, StateNode *into,
                     Error **errp)
{
    into->kind = STATE_REAL;
    return vm_get_u64(r, &into->u, errp);
}

const VmKind vm_kind_f64 = { "f64", save_f64, load_f64, show_f64 };

/* --- bytes --- */

static bool save_buffer(VmWriter *w, const VmField *f, const void *elem,
                        UNUSED Error **errp)
{
    vm_put_bytes(w, elem, f->size);
    return true;
}

static bool load_buffer(VmReader *r, const VmField *f, void *elem, Error **errp)
{
    return vm_get_bytes(r, elem, f->size, errp);
}

static bool show_buffer(VmReader *r, UNUSED const VmField *f, size_t bytes, StateNode *into,
                        Error **errp)
{
    if (bytes > r->len - r->pos) {
        return vm_get_bytes(r, NULL, bytes, errp);
    }
    state_set_bytes(into, r->data + r->pos, bytes);
    r->pos += bytes;
    return true;
}

const VmKind vm_kind_buffer = {
    "buffer", save_buffer, load_buffer, show_buffer
};

/* --- as many bytes as there are --- */

#define PIECE   65536           /* a length that is a lie costs no memory */

static bool save_bytes(VmWriter *w, UNUSED const VmField *f, const void *elem, UNUSED Error **errp)
{
    const GByteArray *a = *(GByteArray *const *)elem;

    vm_put_u32(w, a->len);
    vm_put_bytes(w, a->data, a->len);
    return true;
}

static bool load_bytes(VmReader *r, const VmField *f, void *elem, Error **errp)
{
    GByteArray *a = *(GByteArray **)elem;
    uint32_t len;

    if (!vm_get_u32(r, &len, errp)) {
        return false;
    }
    if (len > f->max) {
        error_setf(errp, ERR_STATE_INVALID, "field '%s' has %u bytes; accepted: up to %" PRIu64, f->name, len,
                   f->max);
        return false;
    }
    g_byte_array_set_size(a, 0);
    while (a->len < len) {
        size_t at = a->len, n = MIN(len - at, PIECE);

        g_byte_array_set_size(a, at + n);
        if (!vm_get_bytes(r, a->data + at, n, errp)) {
            return false;
        }
    }
    return true;
}

static bool show_bytes(VmReader *r, const VmField *f, size_t bytes, StateNode *into, Error **errp)
{
    uint32_t len;

    return vm_get_u32(r, &len, errp) && show_buffer(r, f, bytes - 4, into, errp);
}

const VmKind vm_kind_bytes = { "bytes", save_bytes, load_bytes, show_bytes };

/* --- structs --- */

static bool save_struct(VmWriter *w, const VmField *f, const void *elem, Error **errp)
{
    return vm_put_struct(w, f->vm, elem, errp);
}

static bool load_struct(VmReader *r, const VmField *f, void *elem, Error **errp)
{
    return vm_get_struct(r, f->vm, elem, errp);
}

static bool show_struct(VmReader *r, const VmField *f, UNUSED size_t bytes, StateNode *into,
                        Error **errp)
{
    return vm_show_struct(r, f ? f->vm : NULL, into, errp);
}

const VmKind vm_kind_struct = {
    "struct", save_struct, load_struct, show_struct
};

/* --- timers: the deadline, -1 when not pending --- */

static bool save_timer(VmWriter *w, UNUSED const VmField *f, const void *elem,
                       UNUSED Error **errp)
{
    vm_put_u64(w, (uint64_t)timer_expire_ns(elem));
    return true;
}

static bool load_timer(VmReader *r, UNUSED const VmField *f, void *elem, Error **errp)
{
    uint64_t v;

    if (!vm_get_u64(r, &v, errp)) {
        return false;
    }
    if ((int64_t)v < -1) {
        error_setf(errp, ERR_STATE_INVALID, "a deadline of %" PRId64 " ns cannot be",
                   (int64_t)v);
        return false;
    }
    if ((int64_t)v == -1) {
        timer_del(elem);
    } else {
        timer_mod_ns(elem, (int64_t)v);
    }
    return true;
}

static bool show_timer(VmReader *r, UNUSED const VmField *f, UNUSED size_t bytes, StateNode *into,
                       Error **errp)
{
    into->kind = STATE_TIME;
    return vm_get_u64(r, &into->u, errp);
}

const VmKind vm_kind_timer = { "timer", save_timer, load_timer, show_timer };

const VmKind *vm_kind_find(const char *name)
{
    static const VmKind *const kinds[] = {
        &vm_kind_bool, &vm_kind_u8, &vm_kind_u16, &vm_kind_u32, &vm_kind_u64, &vm_kind_i32, &vm_kind_i64,
        &vm_kind_f64, &vm_kind_buffer, &vm_kind_bytes, &vm_kind_struct, &vm_kind_timer,
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!strcmp(kinds[i]->name, name)) {
            return kinds[i];
        }
    }
    return NULL;
}
