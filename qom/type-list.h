/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which types the monitor shows, and their properties as it shows them. */
#ifndef QOM_TYPE_LIST_H
#define QOM_TYPE_LIST_H

#include "qapi/types-qom.h"
#include "qom/object.h"

/* At start-up: the program was called by an architecture's name. NULL: all. */
void qom_set_type_filter(bool (*shown)(const Type *type));
bool qom_type_is_shown(const Type *type);

/* The properties of @type down to (and without) those of @stop (may be NULL). */
QomPropertyInfoList *qom_type_properties(const Type *type, const char *stop);
/* The type @name, DeviceNotFound if there is none. */
const Type *qom_type_for_query(const char *name, Error **errp);

#endif
