/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/state-file.h"

#include "hw/core/runstate.h"
#include "migration/devices.h"
#include "migration/migration.h"
#include "migration/ram.h"
#include "qobject/qobject.h"

/* ------------------------------------------------------------------ writing */

static bool write_ram(RamSave *ram, MigWriter *w, Error **errp)
{
    ram_save_sync(ram, true);
    while (ram_save_some(ram, w, RAM_RECORD_MOST)) {
        if (!mig_end(w, errp)) {
            return false;
        }
    }
    mig_begin(w, MIG_PASS);
    return mig_end(w, errp);
}

static bool write_all(MigWriter *w, RamSave *ram, const MigDevices *devices, RunState state,
                      Error **errp)
{
    QDict *conf = mig_conf(ram_save_blocks(ram)), *stat = qdict_new();
    bool ok;

    qdict_put_bool(conf, "return-path", false);
    qdict_put_str(stat, "runstate", runstate_name(state));
    ok = mig_write_head(w, 0, errp) && mig_put_json(w, MIG_CONF, QOBJECT(conf), errp) &&
         write_ram(ram, w, errp) && mig_devices_write(devices, w, errp) &&
         mig_put_json(w, MIG_STAT, QOBJECT(stat), errp);
    qobject_unref(conf);
    qobject_unref(stat);
    if (ok) {
        mig_begin(w, MIG_DONE);
        ok = mig_end(w, errp);
    }
    return ok;
}

bool state_write(MigChannel *ch, RunState state, Error **errp)
{
    const RamSaveOptions opts = { 0 };
    MigDevices *devices = mig_devices_save(errp);
    RamCounters counters = { 0 };
    RamSave *ram;
    MigWriter w;
    bool ok;

    if (!devices) {
        return false;
    }
    ram = ram_save_new(&opts, &counters);
    mig_writer_init(&w, ch);
    ok = write_all(&w, ram, devices, state, errp);
    mig_writer_cleanup(&w);
    ram_save_free(ram);
    mig_devices_free(devices);
    return ok;
}

/* ------------------------------------------------------------------ reading */

static RamLoad *read_conf(MigReader *r, Error **errp)
{
    RamLoad *ram = NULL;
    QDict *conf;
    QList *blocks;

    uint32_t channel;

    if (!mig_read_head(r, &channel, errp) || !mig_next(r, errp)) {
        return NULL;
    }
    if (r->tag != MIG_CONF) {
        error_setf(errp, ERR_STATE_INVALID, "the stream doesn't begin with a record 'CONF'");
        return NULL;
    }
    conf = mig_get_json(r, errp);
    if (conf && mig_conf_check(conf, errp) && (blocks = qdict_get_list(conf, "ram", errp))) {
        ram = ram_load_new(blocks, errp);
    }
    qobject_unref(conf);
    return ram;
}

static bool read_record(MigReader *r, RamLoad *ram, MigDevices *devices, bool *done, Error **errp)
{
    char text[5];

    if (!mig_next(r, errp)) {
        return false;
    }
    if (r->tag != MIG_RAMP) {
        ram_load_settle(ram);
    }
    switch (r->tag) {
    case MIG_RAMP:
        return ram_load_record_later(ram, r, errp);
    case MIG_DEVI:
        return mig_devices_read(devices, r, errp);
    case MIG_DONE:
        *done = true;
        return mig_devices_load(devices, errp);
    case MIG_PASS:
    case MIG_DESC:
    case MIG_STAT:
        return true;            /* for people and for other readers */
    default:
        mig_tag_text(r->tag, text);
        error_setf(errp, ERR_STATE_INVALID,
                   "the stream has a record '%s' at byte %" PRIu64 ", which is not known", text,
                   r->record_at);
        return false;
    }
}

bool state_read(MigChannel *ch, Error **errp)
{
    MigDevices *devices = mig_devices_new();
    bool ok, done = false;
    RamLoad *ram;
    MigReader r;

    mig_reader_init(&r, ch);
    ram = read_conf(&r, errp);
    ok = ram != NULL;
    while (ok && !done) {
        ok = read_record(&r, ram, devices, &done, errp);
    }
    ram_load_free(ram);
    mig_reader_cleanup(&r);
    mig_devices_free(devices);
    return ok;
}
