/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From answers and events to C types. */
#include "util/osdep.h"
#include "libqmp/typed.h"

QmpTypedCall *qmp_typed_call(void (*done)(void), void *opaque)
{
    QmpTypedCall *call = qapi_alloc(sizeof(*call));

    call->done = done;
    call->opaque = opaque;
    return call;
}

void qmp_answer_typed(QObject *answer, const QapiType *ret, void *slot, Error **err)
{
    Error *wrong = NULL;

    if (answer && !qapi_decode(ret, answer, "return", QAPI_DECODE_TOLERANT, slot, &wrong)) {
        error_setf(err, ERR_PROTOCOL, "the server's answer isn't what was expected: %s",
                   error_message(wrong));
        error_free(wrong);
    }
    qobject_unref(answer);
}

bool qmp_cmd_typed(QmpClient *c, const char *command, QDict *args, const QapiType *ret, void *slot,
                   Error **errp)
{
    Error *err = NULL;
    QObject *answer = qmp_cmd(c, command, args, &err);

    qmp_answer_typed(answer, ret, slot, &err);
    if (err) {
        error_propagate(errp, err);
        return false;
    }
    return true;
}

bool qmp_event_typed(const QDict *event, const QapiType *args, void *out)
{
    const QDict *data = qobject_to_dict(qdict_get(event, "data"));
    QDict *empty = data ? NULL : qdict_new();
    bool ok = qapi_decode_struct(args, data ? data : empty, QAPI_DECODE_TOLERANT, out, NULL);

    qobject_unref(empty);
    return ok;
}
