/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -preconfig: the monitors come first, and the machine is made when one of them says so. Until then
 * they take the commands only that the schema allows before there is a machine.
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/core/numa.h"
#include "hw/core/runstate.h"
#include "qapi/commands-machine.h"
#include "qapi/commands-misc.h"
#include "qapi/qapi-command.h"
#include "system/build.h"
#include "util/main-loop.h"

static struct {
    bool waiting, over;
    QapiDeferred *answer;       /* to x-exit-preconfig, when the machine is made */
} preconfig;

/* With *errp set if it is too late. */
static bool is_early(Error **errp)
{
    if (!preconfig.waiting || preconfig.over) {
        error_setf(errp, ERR_WRONG_STATE,
                   "The command is permitted only before the machine has been created");
        error_hint(errp, "that is under -preconfig, up to x-exit-preconfig");
        return false;
    }
    return true;
}

bool qmp_x_exit_preconfig(Error **errp)
{
    if (!is_early(errp)) {
        return false;
    }
    preconfig.over = true;
    preconfig.answer = qapi_defer();
    return true;
}

bool qmp_set_numa_node(const NumaOptions *options, Error **errp)
{
    return is_early(errp) && numa_set(current_machine(), options, errp);
}

bool preconfig_wait(Config *c)
{
    bool ended = false;

    preconfig.waiting = true;
    daemonize_ready(c);
    while (!preconfig.over && !(ended = runstate_process(&c->status))) {
        main_loop_round();
    }
    c->ended = ended;
    return !ended;
}

void preconfig_answer(const Config *c)
{
    Error *err = NULL;

    if (qlist_size(c->errors)) {
        error_setf(&err, ERR_WRONG_STATE, "%s",
                   qobject_get_str(qlist_get(c->errors, 0), "error", NULL));
    }
    if (preconfig.answer) {
        qapi_deferred_done(preconfig.answer, QOBJECT(qdict_new()), err);
        preconfig.answer = NULL;
    } else {
        error_free(err);
    }
}
