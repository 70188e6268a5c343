/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a stream says of the machine that it is from, and what is compared. */
#include "util/osdep.h"
#include "migration/migration.h"

#include "hw/core/cpu.h"
#include "hw/core/machine.h"
#include "migration/devices.h"
#include "migration/options.h"
#include "qapi/events-migration.h"
#include "qobject/qobject.h"
#include "util/main-loop.h"

static char *uuid_text(const Machine *m)
{
    const uint8_t *u = m->uuid;

    return g_strdup_printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                           u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10],
                           u[11], u[12], u[13], u[14], u[15]);
}

QDict *mig_conf(QList *ram)
{
    Machine *m = current_machine();
    g_autofree char *uuid = uuid_text(m);
    QDict *d = qdict_new();

    qdict_put_str(d, "machine", m->type->name);
    qdict_put_int(d, "cpus", cpu_count());
    qdict_put_int(d, "page-size", MEM_PAGE_SIZE);
    qdict_put_bool(d, "return-path", mig_cap(MIGRATION_CAPABILITY_RETURN_PATH));
    if (mig_cap(MIGRATION_CAPABILITY_VALIDATE_UUID)) {
        qdict_put_str(d, "uuid", uuid);
    }
    qdict_put(d, "ram", ram);
    qdict_put(d, "devices", mig_device_names());
    return d;
}

bool mig_conf_check(const QDict *conf, Error **errp)
{
    Machine *m = current_machine();
    const char *name = qdict_get_str(conf, "machine", errp), *uuid;
    const QList *names;
    uint64_t cpus, page;

    if (!name || !qdict_get_uint(conf, "cpus", &cpus, errp) ||
        !qdict_get_uint(conf, "page-size", &page, errp)) {
        return false;
    }
    if (strcmp(name, m->type->name)) {
        error_setf(errp, ERR_STATE_INVALID, "the stream is from a machine '%s', this is '%s'", name,
                   m->type->name);
        return false;
    }
    if (cpus != (uint64_t)cpu_count()) {
        error_setf(errp, ERR_STATE_INVALID, "the stream is from a machine with %" PRIu64
                   " CPUs, this has %d", cpus, cpu_count());
        return false;
    }
    if (page != MEM_PAGE_SIZE) {
        error_setf(errp, ERR_STATE_INVALID,
                   "the stream has pages of %" PRIu64 " bytes; accepted: %u", page,
                   (unsigned)MEM_PAGE_SIZE);
        return false;
    }
    uuid = qdict_str_or(conf, "uuid", NULL);
    if (uuid && mig_cap(MIGRATION_CAPABILITY_VALIDATE_UUID)) {
        g_autofree char *own = uuid_text(m);

        if (strcmp(uuid, own)) {
            error_setf(errp, ERR_STATE_INVALID, "the stream's UUID is '%s', this machine's '%s'",
                       uuid, own);
            return false;
        }
    }
    names = qdict_get_list(conf, "devices", errp);
    return names && mig_device_names_check(names, errp);
}

/* ------------------------------------------------------- for both threads */

typedef struct MainCall {
    void (*fn)(void *opaque);
    void *opaque;
    Event done;
} MainCall;

static void run_call(void *opaque)
{
    MainCall *c = opaque;

    c->fn(c->opaque);
    event_set(&c->done);
}

void mig_in_main_thread(void (*fn)(void *opaque), void *opaque)
{
    MainCall c = { .fn = fn, .opaque = opaque };

    assert(!in_main_thread());
    event_init(&c.done, false);
    bh_once(NULL, run_call, &c);
    event_wait(&c.done);
}

void mig_send_status(MigrationStatus status)
{
    if (mig_cap(MIGRATION_CAPABILITY_EVENTS)) {
        qapi_event_send_migration(status);
    }
}
