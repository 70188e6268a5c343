/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "accel/accel.h"

static Accel *accels;           /* registry */
static const Accel *current;    /* set once by accel_use */

#define TYPE_ACCEL  "accel"

/* Accelerators as types, since management tools look for "tcg-accel" in qom-list-types. */
static const TypeInfo accel_type = { .name = TYPE_ACCEL, .abstract = true };
TYPE(accel_type)

void accel_register(Accel *a)
{
    /* The name is for ever, as all types are. */
    TypeInfo info = { .name = g_strdup_printf("%s-accel", a->name), .parent = TYPE_ACCEL, .desc = a->desc };

    type_register(&info);
    a->next = accels;
    accels = a;
}

const Accel *accel_first(void)
{
    return accels;
}

const Accel *accel_find(const char *name)
{
    for (const Accel *a = accels; a; a = a->next) {
        if (strcmp(a->name, name) == 0) {
            return a;
        }
    }
    return NULL;
}

const Accel *accel_current(void)
{
    return current;
}

bool accel_use(const char *name, const QDict *props, Error **errp)
{
    const Accel *a = accel_find(name);

    if (!a) {
        GString *names = g_string_new("");

        for (const Accel *x = accels; x; x = x->next) {
            g_string_append_printf(names, "%s%s", names->len ? ", " : "", x->name);
        }
        error_setf(errp, ERR_NO_SUCH_TYPE, "there is no accelerator '%s'; accepted: %s", name,
                   names->str);
        g_string_free(names, true);
        return false;
    }
    if (a->available && !a->available(errp)) {
        return false;
    }
    if (!a->init(props, errp)) {
        return false;
    }
    current = a;
    return true;
}
