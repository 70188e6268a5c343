/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "vmstate/blocker.h"

#include <glib.h>

struct MigrationBlocker {
    char *reason;
    MigrationBlocker *next;
};

static MigrationBlocker *blockers;
static bool busy;

MigrationBlocker *migration_add_blocker(const char *reason, Error **errp)
{
    MigrationBlocker *b, **end = &blockers;

    if (busy) {
        error_setf(errp, ERR_WRONG_STATE,
                   "disallowing migration blocker (migration/snapshot in progress) for: %s",
                   reason);
        return NULL;
    }
    b = g_new0(MigrationBlocker, 1);
    b->reason = g_strdup(reason);
    while (*end) {
        end = &(*end)->next;
    }
    *end = b;
    return b;
}

void migration_del_blocker(MigrationBlocker *b)
{
    for (MigrationBlocker **p = &blockers; b && *p; p = &(*p)->next) {
        if (*p == b) {
            *p = b->next;
            g_free(b->reason);
            g_free(b);
            return;
        }
    }
}

bool migration_is_possible(Error **errp)
{
    if (blockers) {
        error_setf(errp, ERR_NOT_SUPPORTED, "%s", blockers->reason);
    }
    return !blockers;
}

int migration_blocker_foreach(int (*fn)(const char *reason, void *opaque), void *opaque)
{
    for (const MigrationBlocker *b = blockers; b; b = b->next) {
        int ret = fn(b->reason, opaque);

        if (ret) {
            return ret;
        }
    }
    return 0;
}

void migration_set_busy(bool on)
{
    busy = on;
}

bool migration_is_busy(void)
{
    return busy;
}
