/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table of saved fields as JSON: what a stream says of the form of its sections. */
#include "util/osdep.h"
#include "vmstate/vmstate.h"
#include "vmstate/vmstate-int.h"

#include "qobject/qobject.h"

static QDict *describe(const VmState *vm, const char *name, unsigned depth);

static QDict *describe_field(const VmField *f, unsigned depth)
{
    QDict *d = qdict_new();

    qdict_put_str(d, "name", f->name);
    qdict_put_str(d, "type", f->kind->name);
    qdict_put_int(d, "size", (int64_t)f->size);
    if (f->flags & VM_F_ARRAY) {
        qdict_put_int(d, "array_len", (int64_t)f->num);
    }
    if (f->since) {
        qdict_put_int(d, "since", f->since);
    }
    if (f->vm && depth < VM_DEPTH_MAX) {
        qdict_put(d, "struct", describe(f->vm, f->vm->name, depth + 1));
    }
    return d;
}

static QDict *describe(const VmState *vm, const char *name, unsigned depth)
{
    QDict *d = qdict_new();
    QList *fields = qlist_new();

    if (name) {
        qdict_put_str(d, "vmsd_name", name);
    }
    qdict_put_int(d, "version", vm->version);
    for (const VmField *f = vm->fields; f && f->name; f++) {
        qlist_append(fields, describe_field(f, depth));
    }
    qdict_put(d, "fields", fields);
    if (vm->subsections) {
        QList *subs = qlist_new();

        for (const VmState *const *s = vm->subsections; *s && depth < VM_DEPTH_MAX; s++) {
            qlist_append(subs, describe(*s, (*s)->name, depth + 1));
        }
        qdict_put(d, "subsections", subs);
    }
    return d;
}

struct QObject *vm_describe(const VmState *vm, const char *name)
{
    return QOBJECT(describe(vm, name, 0));
}
