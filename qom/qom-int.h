/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared between the files of qom/ only. */
#ifndef QOM_QOM_INT_H
#define QOM_QOM_INT_H

#include "util/osdep.h"
#include <glib.h>
#include "qobject/qobject.h"
#include "qom/object.h"

struct Type {
    TypeInfo info;              /* strings and tables are the registrar's */
    const Type *parent;         /* NULL until first asked for */
};
size_t type_size(const Type *type);

typedef struct ObjectExtra {
    GPtrArray *children;        /* Object *, one reference each */
    GPtrArray *props;           /* const Property *, borrowed */
} ObjectExtra;

/* The row of this instance, dynamic ones first; NULL if there is none. */
const Property *object_find_property(const Object *obj, const char *name);

/* One value; access checks are the caller's. */
void property_init_default(Object *obj, const Property *prop);
bool property_set(Object *obj, const Property *prop, const QObject *value,
                  bool from_text, Error **errp);
QObject *property_get(Object *obj, const Property *prop, Error **errp);
void property_release(Object *obj, const Property *prop);
/* A string, bool or number as text, freed with g_free(); NULL for others. */
char *scalar_text(const QObject *v);

/* The whole text must be a value: "on", "0x10", "-5", "1.5G", "52:54:00:12:34:56". */
bool property_parse_bool(const char *s, bool *v);
bool property_parse_unsigned(const char *s, uint64_t *v);
bool property_parse_signed(const char *s, int64_t *v);
bool property_parse_size(const char *s, uint64_t *v);
bool property_parse_mac(const char *s, MacAddr *mac);

#endif
