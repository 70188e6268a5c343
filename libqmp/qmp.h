/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All of libqmp. For each QMP command there is
 *
 *     RESULT qmpc_COMMAND(QmpClient *c, ARGUMENTS..., Error **errp);
 *     int64_t qmpc_COMMAND_async(QmpClient *c, ARGUMENTS..., done, opaque, Error **errp);
 *
 * and for each event qmpc_on_EVENT(QmpClient *c, fn, opaque). Types, and which members are
 * optional, are the schema's: optional numbers have has_x before x, an absent string or object is
 * NULL. Results are freed with qapi_free_TYPE(); what the server tells beyond this schema is
 * passed over. A failed call returns NULL, 0 or false, with *errp set.
 */
#ifndef LIBQMP_QMP_H
#define LIBQMP_QMP_H

#include "libqmp/qmp-client.h"
#include "qapi/qmp-calls.h"

#endif
