/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State as JSON, and as text for people. */
#include "util/osdep.h"
#include "vmstate/vmstate.h"
#include "vmstate/vmstate-int.h"

#include "qobject/qobject.h"

static uint64_t shown_count(const VmField *f, const void *opaque)
{
    uint64_t n = vm_field_count(f, opaque, NULL);

    return n == UINT64_MAX ? 0 : n;
}

struct QObject *vm_struct_json(const VmState *vm, const void *opaque)
{
    QDict *d = qdict_new();

    if (vm->pre_save) {
        vm->pre_save((void *)opaque);
    }
    for (const VmField *f = vm->fields; f && f->name; f++) {
        const char *elem = vm_field_data(f, opaque);

        if (!elem || !vm_field_exists(f, opaque, vm->version)) {
            continue;
        }
        if (f->flags & VM_F_ARRAY) {
            uint64_t n = shown_count(f, opaque);
            QList *l = qlist_new();

            for (uint64_t i = 0; i < n; i++) {
                qlist_append(l, f->kind->json(f, elem + i * f->size));
            }
            qdict_put(d, f->name, l);
        } else {
            qdict_put(d, f->name, f->kind->json(f, elem));
        }
    }
    for (const VmState *const *sub = vm->subsections; sub && *sub; sub++) {
        if (!(*sub)->needed || (*sub)->needed((void *)opaque)) {
            qdict_put(d, (*sub)->name, vm_struct_json(*sub, opaque));
        }
    }
    return QOBJECT(d);
}

struct QObject *vm_to_json(const VmState *vm, const void *opaque)
{
    return vm_struct_json(vm, opaque);
}

void vm_printf(VmPrinter *p, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    for (const char *c = text; *c; c++) {
        if (p->at_line_start && *c != '\n') {
            g_string_append_printf(p->out, "%*s", (int)(2 * p->indent), "");
            p->at_line_start = false;
        }
        g_string_append_c(p->out, *c);
        if (*c == '\n') {
            p->at_line_start = true;
        }
    }
}

static void end_line(VmPrinter *p)
{
    if (!p->at_line_start) {
        vm_printf(p, "\n");
    }
}

/* Numbers of an array side by side; structs each on lines of its own. */
static void print_array(VmPrinter *p, const VmField *f, const char *elem, uint64_t n)
{
    bool compound = f->kind == &vm_kind_struct;

    for (uint64_t i = 0; i < n; i++) {
        if (compound) {
            vm_printf(p, "[%" PRIu64 "]\n", i);
            p->indent++;
        } else if (i && i % 8 == 0) {
            vm_printf(p, "\n");
        }
        f->kind->text(p, f, elem + i * f->size);
        if (compound) {
            end_line(p);
            p->indent--;
        } else {
            vm_printf(p, " ");
        }
        if (i == 255 && n > 256) {
            vm_printf(p, "... (%" PRIu64 " elements)", n);
            break;
        }
    }
}

void vm_print_struct(VmPrinter *p, const VmState *vm, const void *opaque)
{
    if (vm->pre_save) {
        vm->pre_save((void *)opaque);
    }
    for (const VmField *f = vm->fields; f && f->name; f++) {
        const char *elem = vm_field_data(f, opaque);

        if (!elem || !vm_field_exists(f, opaque, vm->version)) {
            continue;
        }
        vm_printf(p, "%s: ", f->name);
        if ((f->flags & VM_F_ARRAY) || f->kind == &vm_kind_struct ||
            !g_ascii_strcasecmp(f->kind->name, "regs")) {
            vm_printf(p, "\n");
            p->indent++;
            if (f->flags & VM_F_ARRAY) {
                print_array(p, f, elem, shown_count(f, opaque));
            } else {
                f->kind->text(p, f, elem);
            }
            end_line(p);
            p->indent--;
        } else {
            f->kind->text(p, f, elem);
            end_line(p);
        }
    }
    for (const VmState *const *sub = vm->subsections; sub && *sub; sub++) {
        if (!(*sub)->needed || (*sub)->needed((void *)opaque)) {
            vm_printf(p, "%s:\n", (*sub)->name);
            p->indent++;
            vm_print_struct(p, *sub, opaque);
            p->indent--;
        }
    }
}

char *vm_to_text(const VmState *vm, const void *opaque)
{
    VmPrinter p = { g_string_new(NULL), 0, true };

    vm_print_struct(&p, vm, opaque);
    return g_string_free(p.out, FALSE);
}
