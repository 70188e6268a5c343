/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the generated calls are made of; not for others. */
#ifndef LIBQMP_TYPED_H
#define LIBQMP_TYPED_H

#include "libqmp/qmp-client.h"
#include "qapi/qapi-type.h"

/* A typed callback, behind one of bytes. */
typedef struct QmpTypedCall {
    void (*done)(void);         /* of the type that the generated code knows */
    void *opaque;
} QmpTypedCall;
QmpTypedCall *qmp_typed_call(void (*done)(void), void *opaque);

/* Fill @slot, of type @ret, with the result; false with *errp set. */
bool qmp_cmd_typed(QmpClient *c, const char *command, QDict *args, const QapiType *ret, void *slot,
                   Error **errp);
/* Takes @answer, which may be NULL; sets *err if it isn't of that type. */
void qmp_answer_typed(QObject *answer, const QapiType *ret, void *slot, Error **err);
/* False if the event's data aren't of that type. */
bool qmp_event_typed(const QDict *event, const QapiType *args, void *out);

#endif
