/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine is connected to: disks and networks before it, monitors and screens after. */
#include "util/osdep.h"
#include "audio/audio.h"
#include "block/block.h"
#include "hw/core/cpu.h"
#include "hw/core/runstate.h"
#include "monitor/monitor.h"
#include "qapi/commands-char.h"
#include "net/net.h"
#include "net/user.h"
#include "system/build.h"
#include "system/gdbstub.h"
#include "system/opts.h"
#include "ui/core/console.h"
#include "ui/core/keymap.h"
#include "ui/sdl/sdl.h"
#include "ui/vc/vc.h"
#include "ui/vnc/vnc.h"

static int index_of(const DriveSpec *d, const Machine *m)
{
    int units = MAX(m->type->units_per_default_bus, 1);

    return d->index >= 0 ? d->index : d->bus >= 0 || d->unit >= 0
           ? MAX(d->bus, 0) * units + MAX(d->unit, 0) : -1;
}

static bool taken(const Machine *m, const char *interface, int bus, int unit)
{
    for (unsigned i = 0; i < m->n_drives; i++) {
        const MachineDrive *d = &m->drives[i];

        if (!strcmp(d->interface, interface) && d->bus == bus && d->unit == unit) {
            return true;
        }
    }
    return false;
}

/* A place on one of the board's own controllers: as asked for, or the next free one. */
static void place_drive(Config *c, Machine *m, const DriveSpec *d)
{
    const MachineType *mt = m->type;
    unsigned units = strcmp(d->interface, "ide") ? 0 : !g_strcmp0(mt->default_block_interface, "ide") &&
                     mt->units_per_default_bus ? mt->units_per_default_bus : 2;
    int index = index_of(d, m), bus, unit;
    MachineDrive *md;

    for (int i = index >= 0 ? index : d->cdrom && units ? 2 : 0; ; i++) {
        bus = d->index < 0 && d->bus >= 0 ? d->bus : units ? i / (int)units : 0;
        unit = d->index < 0 && d->unit >= 0 ? d->unit : units ? i % (int)units : i;
        if (!taken(m, d->interface, bus, unit)) {
            break;
        }
        if (index >= 0 || i > 255) {
            Error *err = NULL;

            error_setf(&err, ERR_IN_USE, "there is a drive at interface %s, bus %d, unit %d already",
                       d->interface, bus, unit);
            config_error(c, "drive", err);
            return;
        }
    }
    m->drives = g_renew(MachineDrive, m->drives, m->n_drives + 1);
    md = &m->drives[m->n_drives++];
    *md = (MachineDrive){ .interface = g_strdup(d->interface), .bus = bus, .unit = unit,
                          .blockdev = g_strdup(d->blockdev), .cdrom = d->cdrom };
}

/* rerror=stop, werror=stop, enospc: the machine stops, and with it goes on what was held. */
static void stop_for_io_error(void)
{
    vm_stop(RUN_STATE_IO_ERROR);
}

static void run_state_changed(UNUSED RunstateListener *l, bool running, UNUSED RunState state)
{
    net_set_running(running);
    if (running) {
        blk_retry_held();
    }
}

static bool make_blockdev(const QDict *d, UNUSED void *opaque, Error **errp)
{
    return blockdev_add(d, errp);
}

typedef struct DriveMaker { Config *c; Machine *m; } DriveMaker;

static bool make_drive(const QDict *opts, void *opaque, Error **errp)
{
    DriveMaker *dm = opaque;
    const char *own = dm->m->type->default_block_interface;
    DriveSpec d;

    if (!drive_add(opts, own ? own : "none", &d, errp)) {
        return false;
    }
    if (strcmp(d.interface, "none")) {
        place_drive(dm->c, dm->m, &d);
    }
    drive_spec_cleanup(&d);
    return true;
}

static bool make_netdev(const QDict *d, UNUSED void *opaque, Error **errp)
{
    return netdev_add(d, true, errp);
}

static void build_drives(Config *c, Machine *m)
{
    static RunstateListener listener = { .changed = run_state_changed };

    block_set_stop_hook(stop_for_io_error);
    runstate_add_listener(&listener);

    config_make_each(c, c->blockdevs, "blockdev", make_blockdev, NULL);
    QLIST_FOR_EACH(e, c->drives) {
        if (c->snapshot && !qdict_has(qobject_to_dict(e), "snapshot")) {
            qdict_put_str(qobject_to_dict(e), "snapshot", "on");
        }
    }
    config_make_each(c, c->drives, "drive", make_drive, &(DriveMaker){ c, m });
}

static void add_nic(Machine *m, const MachineNic *nic)
{
    m->nics = g_renew(MachineNic, m->nics, m->n_nics + 1);
    m->nics[m->n_nics++] = *nic;
}

/* Options of the device and not of the back end. */
static bool is_nic_option(const char *key)
{
    static const char *const keys[] = { "model", "mac", "macaddr", "id", "netdev", "name", "addr", "vectors" };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!strcmp(key, keys[i])) {
            return true;
        }
    }
    return false;
}

/* A back end of what is left of @opts. */
static bool make_back_end(Config *c, const char *option, const QDict *opts, const char *type, const char *id)
{
    QOBJECT_AUTO QDict *back = qdict_new();

    QDICT_FOR_EACH(e, opts) {
        if (!is_nic_option(e->key)) {
            qdict_put(back, e->key, qobject_ref(e->value));
        }
    }
    qdict_put_str(back, "type", type);
    qdict_put_str(back, "id", id);
    return config_make(c, option, back, make_netdev, NULL);
}

/* -nic TYPE,model=M,mac=A and the like: a back end, if the type has one, and a device of the
 * machine for it. */
static void build_nic(Config *c, Machine *m, const QDict *opts, unsigned number)
{
    const char *type = qdict_str_or(opts, "type", "user");
    g_autofree char *id = g_strdup_printf("nic%u", number);
    MachineNic nic = { .model = opts_text(opts, "model"), .mac = opts_text(opts, "mac"),
                       .id = opts_text(opts, "id") };

    if (qdict_has(opts, "netdev")) {
        nic.netdev = opts_text(opts, "netdev");
    } else if (strcmp(type, "nic") && make_back_end(c, "nic", opts, type, id)) {
        nic.netdev = g_strdup(id);
    }
    add_nic(m, &nic);
}

/* -net nic and -net BACKEND, the old way: all are ports of hub 0, unless a device names its back end. */
static void build_net(Config *c, Machine *m, const QDict *opts, unsigned number)
{
    const char *type = qdict_str_or(opts, "type", "user");
    g_autofree char *name = opts_text(opts, "name");
    g_autofree char *own = g_strdup_printf("%s.%u", type, number);
    g_autofree char *port = g_strdup_printf("hub0port%u", number);
    QOBJECT_AUTO QDict *hub = qdict_from_fmt("{'type': 'hubport', 'hubid': 0, 'id': %s}", port);
    bool is_nic = !strcmp(type, "nic");
    MachineNic nic = { 0 };

    if (!is_nic) {
        if (!make_back_end(c, "net", opts, type, name ? name : own)) {
            return;
        }
        qdict_put_str(hub, "netdev", name ? name : own);
    } else {
        nic = (MachineNic){ .model = opts_text(opts, "model"), .mac = opts_text(opts, "macaddr"),
                            .id = opts_text(opts, "name"), .netdev = opts_text(opts, "netdev") };
    }
    if (!nic.netdev && config_make(c, "net", hub, make_netdev, NULL)) {
        nic.netdev = g_strdup(port);
    }
    if (is_nic) {
        add_nic(m, &nic);
    } else {
        g_free(nic.netdev);
    }
}

static void build_nics(Config *c, Machine *m)
{
    unsigned number = 0;

    config_make_each(c, c->netdevs, "netdev", make_netdev, NULL);
    if (qlist_size(c->nics) == 0 && qlist_size(c->nets) == 0 && !c->no_defaults && m->type->default_nic &&
        qlist_size(c->netdevs) == 0) {
        QDict *d = qdict_new();

        build_nic(c, m, d, number);
        qobject_unref(d);
    }
    QLIST_FOR_EACH(e, c->nics) {
        QDict *d = qobject_to_dict(e);

        if (strcmp(qdict_str_or(d, "type", "user"), "none")) {
            build_nic(c, m, d, number++);
        }
    }
    number = 0;
    QLIST_FOR_EACH(e, c->nets) {
        QDict *d = qobject_to_dict(e);

        if (strcmp(qdict_str_or(d, "type", "user"), "none")) {
            build_net(c, m, d, number++);
        }
    }
}

/* -audio driver=D,model=M[,...]: a back end, and a device of the machine for it. */
static void build_audio(Config *c)
{
    static const struct { const char *model, *driver; } known[] = {
        { "ac97", "AC97" }, { "es1370", "ES1370" }, { "hda", "intel-hda" },
    };
    Error *err = NULL;

    QLIST_FOR_EACH(e, c->audios) {
        const QDict *opts = qobject_to_dict(e);
        g_autofree char *model = opts_text(opts, "model");
        QDict *back = qobject_to_dict(qobject_copy((const QObject *)opts));
        const char *driver = model;

        for (size_t i = 0; model && i < ARRAY_SIZE(known); i++) {
            driver = strcmp(known[i].model, model) ? driver : known[i].driver;
        }
        qdict_del(back, "model");
        if (!qdict_has(back, "id")) {
            qdict_put_str(back, "id", "audiodev0");
        }
        if (driver) {
            QDict *d = qdict_new();

            if (!strcmp(driver, "intel-hda")) {         /* the codec has the voices */
                qlist_append(c->devices, qdict_from_fmt("{'driver': %s}", driver));
                driver = "hda-duplex";
            }
            qdict_put_str(d, "driver", driver);
            qdict_put_str(d, "audiodev", qdict_str_or(back, "id", ""));
            qlist_append(c->devices, d);
        }
        qlist_append(c->audiodevs, back);
    }
    QLIST_FOR_EACH(e, c->audiodevs) {
        if (!audiodev_add(qobject_to_dict(e), &err)) {
            config_error(c, "audiodev", err);
            err = NULL;
        }
    }
}

/* Who becomes somebody else can't connect to what was private to who it was. */
static void offer_shares(Config *c)
{
    QLIST_FOR_EACH(e, c->shares) {
        QDict *d = qobject_to_dict(e);

        if (!c->runas && !c->chroot) {
            user_smb_offer(qdict_str_or(d, "name", ""), qdict_str_or(d, "path", ""),
                           !strcmp(qdict_str_or(d, "ro", "off"), "on"));
        }
    }
}

void build_backends(Config *c, Machine *m)
{
    cpus_set_singlestep(c->singlestep);
    build_audio(c);
    build_drives(c, m);
    offer_shares(c);
    build_nics(c, m);
}

bool config_has_text_consoles(const Config *c)
{
    bool shown = qlist_size(c->vncs) || (c->display && (g_str_has_prefix(c->display, "vnc=") ||
                                                        g_str_has_prefix(c->display, "sdl")));

    return shown && !c->no_defaults && !c->nographic && vc_possible();
}

void build_text_monitor(Config *c)
{
    Error *err = NULL;

    if (!config_has_text_consoles(c) || c->monitors->len || qlist_size(c->mons) || qlist_size(c->errors)) {
        return;
    }
    if (chardev_new_from_spec("compat_monitor0", "vc:80Cx24C", &err)) {
        g_ptr_array_add(c->monitors, g_strdup("compat_monitor0"));
    } else {
        config_error(c, "monitor", err);
    }
}

static void each_monitor(Config *c, const char *option, const GPtrArray *specs, MonitorMode mode)
{
    for (unsigned i = 0; i < specs->len; i++) {
        Error *err = NULL;

        if (!monitor_new_from_spec(specs->pdata[i], mode, &err)) {
            config_error(c, option, err);
        }
    }
}

static bool make_mon(const QDict *d, UNUSED void *opaque, Error **errp)
{
    return monitor_new_from_opts(d, errp);
}

void build_monitors(Config *c)
{
    char *name = opts_text(c->name, "guest");

    monitor_set_name(name);
    g_free(name);
    config_make_each(c, c->mons, "mon", make_mon, NULL);
    each_monitor(c, "monitor", c->monitors, MONITOR_HMP);
    each_monitor(c, "qmp", c->qmps, MONITOR_QMP);
    each_monitor(c, "qmp-pretty", c->qmps_pretty, MONITOR_QMP_PRETTY);
}

/* Whoever started us finds the new terminals by this line. */
static void tell_ptys(void)
{
    ChardevInfoList *list = qmp_query_chardev(NULL);

    for (size_t i = 0; i < list->n; i++) {
        if (!strncmp(list->items[i]->filename, "pty:", 4)) {
            printf("char device redirected to %s (label %s)\n", list->items[i]->filename + 4,
                   list->items[i]->label);
        }
    }
    fflush(stdout);
    qapi_free_ChardevInfoList(list);
}

static bool make_vnc(const QDict *d, UNUSED void *opaque, Error **errp)
{
    return vnc_open(d, errp);
}

static void build_displays(Config *c)
{
    Error *err = NULL;

    if (c->keyboard && !keymap_set_default(c->keyboard, &err)) {
        config_error(c, "k", err);
        err = NULL;
    }
    if (c->display && g_str_has_prefix(c->display, "vnc=")) {
        QDict *d = opts_parse(c->display + 4, "vnc", &err);

        if (d) {
            qlist_append(c->vncs, d);
        } else {
            config_error(c, "display", err);
        }
    } else if (c->display && (strcmp(c->display, "sdl") == 0 ||
                              g_str_has_prefix(c->display, "sdl,"))) {
        QDict *d = opts_parse(c->display, "type", &err);

        if (!d || !sdl_open(d, &err)) {
            config_error(c, "display", err);
        } else {
            console_set_display_options(d);
        }
        qobject_unref(d);
    } else if (c->display && strcmp(c->display, "none")) {
        error_setf(&err, ERR_INVALID_ARGUMENT, "'%s' isn't known; accepted: none, sdl, vnc=...",
                   c->display);
        config_error(c, "display", err);
    }
    config_make_each(c, c->vncs, "vnc", make_vnc, NULL);
}

void build_front_ends(Config *c, UNUSED Machine *m)
{
    Error *err = NULL;

    build_displays(c);
    if (!c->preconfig) {
        build_monitors(c);
    }
    if (c->gdb && !gdbstub_open(c->gdb, &err)) {
        config_error(c, "gdb", err);
    }
    tell_ptys();
}

void check_front_ends(Config *c)
{
    Error *err = NULL;

    build_displays(c);
    config_make_each(c, c->mons, "mon", make_mon, NULL);
    config_check_specs(c, "monitor", c->monitors);
    config_check_specs(c, "qmp", c->qmps);
    config_check_specs(c, "qmp-pretty", c->qmps_pretty);
    if (c->gdb && !chardev_check_spec(c->gdb, &err)) {
        config_error(c, "gdb", err);
    }
}
