/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of fields: numbers, bytes, structs, timers. */
#include "util/osdep.h"
#include "vmstate/vmstate.h"
#include "vmstate/vmstate-int.h"

#include "qobject/qobject.h"

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

static void print_number(VmPrinter *p, const VmField *f, uint64_t v, int64_t i)
{
    if (i < 0) {
        vm_printf(p, "%" PRId64, i);
    } else if (v < 10) {
        vm_printf(p, "%" PRIu64, v);
    } else {
        vm_printf(p, "0x%0*" PRIx64 " (%" PRIu64 ")", (int)(2 * f->size), v, v);
    }
}

#define NUMBER_KIND(sym, shown, T, U, bits, from) \
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
    static struct QObject *json_##sym(UNUSED const VmField *f, const void *elem) \
    { \
        T v; \
        memcpy(&v, elem, sizeof(v)); \
        return from(v); \
    } \
    static void text_##sym(VmPrinter *p, const VmField *f, const void *elem) \
    { \
        T v; \
        memcpy(&v, elem, sizeof(v)); \
        print_number(p, f, (uint64_t)v, ((T)-1 < (T)1) ? (int64_t)v : 0); \
    } \
    const VmKind vm_kind_##sym = { \
        shown, save_##sym, load_##sym, json_##sym, text_##sym \
    };

NUMBER_KIND(u8, "u8", uint8_t, uint8_t, 8, qnum_from_uint)
NUMBER_KIND(u16, "u16", uint16_t, uint16_t, 16, qnum_from_uint)
NUMBER_KIND(u32, "u32", uint32_t, uint32_t, 32, qnum_from_uint)
NUMBER_KIND(u64, "u64", uint64_t, uint64_t, 64, qnum_from_uint)
NUMBER_KIND(i32, "i32", int32_t, uint32_t, 32, qnum_from_int)
NUMBER_KIND(i64, "i64", int64_t, uint64_t, 64, qnum_from_int)

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

static struct QObject *json_bool(UNUSED const VmField *f, const void *elem)
{
    return qbool_from(*(const bool *)elem);
}

static void text_bool(VmPrinter *p, UNUSED const VmField *f, const void *elem)
{
    vm_printf(p, "%s", *(const bool *)elem ? "true" : "false");
}

const VmKind vm_kind_bool = { "bool", save_bool, load_bool, json_bool, text_bool };

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

static struct QObject *json_f64(UNUSED const VmField *f, const void *elem)
{
    return qnum_from_double(*(const double *)elem);
}

static void text_f64(VmPrinter *p, UNUSED const VmField *f, const void *elem)
{
    vm_printf(p, "%.17g", *(const double *)elem);
}

const VmKind vm_kind_f64 = { "f64", save_f64, load_f64, json_f64, text_f64 };

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

static struct QObject *json_buffer(const VmField *f, const void *elem)
{
    const uint8_t *p = elem;
    g_autoptr(GString) hex = g_string_new(NULL);

    for (size_t i = 0; i < f->size; i++) {
        g_string_append_printf(hex, "%02x", p[i]);
    }
    return qstring_from(hex->str);
}

static void text_buffer(VmPrinter *p, const VmField *f, const void *elem)
{
    const uint8_t *data = elem;
    size_t shown = MIN(f->size, 64);

    for (size_t i = 0; i < shown; i++) {
        vm_printf(p, "%s%02x", i ? " " : "", data[i]);
    }
    if (shown < f->size) {
        vm_printf(p, " ... (%zu bytes)", f->size);
    }
}

const VmKind vm_kind_buffer = {
    "buffer", save_buffer, load_buffer, json_buffer, text_buffer
};

/* --- structs --- */

static bool save_struct(VmWriter *w, const VmField *f, const void *elem, Error **errp)
{
    return vm_put_struct(w, f->vm, elem, errp);
}

static bool load_struct(VmReader *r, const VmField *f, void *elem, Error **errp)
{
    return vm_get_struct(r, f->vm, elem, errp);
}

static struct QObject *json_struct(const VmField *f, const void *elem)
{
    return vm_struct_json(f->vm, elem);
}

static void text_struct(VmPrinter *p, const VmField *f, const void *elem)
{
    vm_print_struct(p, f->vm, elem);
}

const VmKind vm_kind_struct = {
    "struct", save_struct, load_struct, json_struct, text_struct
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

static struct QObject *json_timer(UNUSED const VmField *f, const void *elem)
{
    return qnum_from_int(timer_expire_ns(elem));
}

static void text_timer(VmPrinter *p, UNUSED const VmField *f, const void *elem)
{
    int64_t t = timer_expire_ns(elem);

    if (t < 0) {
        vm_printf(p, "not armed");
    } else {
        vm_printf(p, "%" PRId64 " ns", t);
    }
}

const VmKind vm_kind_timer = { "timer", save_timer, load_timer, json_timer, text_timer };
