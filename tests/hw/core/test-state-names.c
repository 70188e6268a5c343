/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that any device saves has a name, and what a name and a number don't explain is explained: bytes, arrays and
 * registers say what they are (by the data sheet's name, flags, values), or that they are data. Tables only: no device is made.
 */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "tests/lib/test.h"

#define DEPTH_MAX   16

static const VmMeaning *meaning_of(const VmState *vm, const char *name)
{
    for (const VmMeaning *m = vm->meanings; m && m->name; m++) {
        if (!strcmp(m->name, name)) {
            return m;
        }
    }
    return NULL;
}

static bool explains(const VmMeaning *m)
{
    return m && (m->payload || m->elements || m->show || m->help || m->flags || m->values || m->word || m->text ||
                 m->address);
}

/* Unsigned numbers are registers, or count what only their device knows. */
static bool needs_meaning(const VmField *f)
{
    return f->kind == &vm_kind_buffer || f->kind == &vm_kind_u8 || f->kind == &vm_kind_u16 || f->kind == &vm_kind_u32 ||
           f->kind == &vm_kind_u64 || ((f->flags & VM_F_ARRAY) && f->kind == &vm_kind_i32);
}

static void check_fields(Test *t, const char *where, const VmState *vm, unsigned depth);

static void check_field(Test *t, const char *where, const VmState *vm, const VmField *f, unsigned depth)
{
    const VmMeaning *m = meaning_of(vm, f->name);
    g_autofree char *path = g_strdup_printf("%s.%s", where, f->name);

    if (!*f->name || strpbrk(f->name, " \t")) {
        test_fail(t, "%s: that is no name", path);
    }
    if (!f->kind->show) {
        test_fail(t, "%s: fields of kind '%s' can't be shown", path, f->kind->name);
    }
    if (needs_meaning(f) && !explains(m)) {
        test_fail(t, "%s: what is %zu %s of that? Add a row to .meanings (docs/device-state.md)", path,
                  f->kind == &vm_kind_buffer ? f->size : f->num, f->kind->name);
    }
    if (f->kind == &vm_kind_buffer && m && !m->payload && !m->elements && !m->show) {
        test_fail(t, "%s: what is in its %zu bytes? Name them, show them, or say that they are data", path, f->size);
    }
    if (f->vm) {
        check_fields(t, path, f->vm, depth + 1);
    }
}

static void check_fields(Test *t, const char *where, const VmState *vm, unsigned depth)
{
    if (depth > DEPTH_MAX) {
        test_fail(t, "%s: nested too deep", where);
        return;
    }
    for (const VmField *f = vm->fields; f && f->name; f++) {
        check_field(t, where, vm, f, depth);
    }
    for (const VmMeaning *m = vm->meanings; m && m->name; m++) {
        bool found = false;

        for (const VmField *f = vm->fields; f && f->name; f++) {
            found |= !strcmp(f->name, m->name);
        }
        if (!found) {
            test_fail(t, "%s: a meaning for '%s', which isn't saved", where, m->name);
        }
    }
    for (const VmState *const *sub = vm->subsections; sub && *sub; sub++) {
        g_autofree char *path = g_strdup_printf("%s.%s", where, (*sub)->name);

        check_fields(t, path, *sub, depth + 1);
    }
}

typedef struct Walk {
    Test *t;
    unsigned n;
} Walk;

static void check_type(const Type *type, void *opaque)
{
    const VmState *vm = device_type_of(type) ? &device_type_of(type)->vm : NULL;
    Walk *w = opaque;

    if (vm && vm->fields) {
        check_fields(w->t, type_name(type), vm, 0);
        w->n++;
    }
}

TEST(state_names, of_all_devices)
{
    Walk w = { t, 0 };

    type_foreach(TYPE_DEVICE, true, check_type, &w);
    check_true(t, w.n > 50, "as many types as there are");
}

static int check_registered(const char *name, const VmState *vm, UNUSED void *opaque, void *user)
{
    check_fields(user, name, vm, 0);
    return 0;
}

TEST(state_names, of_what_is_no_device)
{
    vm_registered_foreach(check_registered, t);
}
