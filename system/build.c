/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a Config to a machine that is ready to run: back ends first, then the
 * machine, then devices that the user adds, then what talks to people.
 */
#include "util/osdep.h"
#include <sys/prctl.h>
#include "accel/accel.h"
#include "accel/tcg/icount.h"
#include "block/block.h"
#include "chardev/chardev.h"
#include "fsdev/fsdev.h"
#include "hw/core/machine.h"
#include "hw/core/numa.h"
#include "hw/core/runstate.h"
#include "hw/smbios/smbios.h"
#include "system/build.h"
#include "system/opts.h"
#include "util/log.h"
#include "util/uuid.h"

static void build_log(Config *c)
{
    Error *err = NULL;
    char *bad = NULL;

    if (c->log_file && log_set_file(c->log_file) < 0) {
        error_set_errno(&err, errno, "can't write to '%s'", c->log_file);
        config_error(c, "D", err);
    }
    err = NULL;
    if (c->log_items && !log_set_items(c->log_items, &bad)) {
        error_setf(&err, ERR_INVALID_ARGUMENT, "there is no log item '%s'", bad);
        config_error(c, "d", err);
        g_free(bad);
    }
}

/* -msg: ISO 8601 with microseconds. */
static void print_prefix(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *second = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");

    fprintf(stderr, "%s.%06dZ ", second, g_date_time_get_microsecond(now));
}

static bool set_msg(const QDict *d, UNUSED void *opaque, Error **errp)
{
    static const char *const known[] = { "timestamp", "guest-name", NULL };
    g_autofree char *timestamp = opts_text(d, "timestamp"), *guest = opts_text(d, "guest-name");
    bool times = false, names;

    if (!opts_check_known(d, "-msg", known, errp) ||
        (timestamp && !opts_bool("timestamp", timestamp, &times, errp)) ||
        (guest && !opts_bool("guest-name", guest, &names, errp))) {
        return false;
    }
    if (times) {
        error_set_report_prefix(print_prefix);
    }
    return true;
}

/* Threads have names of their own anyway, so that debug-threads changes nothing. */
static bool set_name(const QDict *d, UNUSED void *opaque, Error **errp)
{
    static const char *const known[] = { "guest", "process", "debug-threads", NULL };
    g_autofree char *process = opts_text(d, "process"), *threads = opts_text(d, "debug-threads");
    bool ignored;

    if (!opts_check_known(d, "-name", known, errp) ||
        (threads && !opts_bool("debug-threads", threads, &ignored, errp))) {
        return false;
    }
    if (process) {
        prctl(PR_SET_NAME, process, 0, 0, 0);       /* cut to 15 letters */
    }
    return true;
}

/* --- accelerator --- */

static bool try_accel(Config *c, const char *name, const QDict *props, bool last, bool *fatal)
{
    Error *err = NULL;
    QDict *rest = qobject_to_dict(qobject_copy((const QObject *)props));
    bool ok;

    qdict_del(rest, "accel");
    ok = accel_use(name, rest, &err);
    qobject_unref(rest);
    if (!ok && last) {
        config_error(c, "accel", err);
        *fatal = true;
    } else if (!ok) {
        fprintf(stderr, "%s: -accel %s: %s; falling back to the next one\n", c->argv0, name,
                error_message(err));
        error_free(err);
    }
    return ok;
}

/* False: there is none, so no machine can be made. */
static bool build_accel(Config *c)
{
    char *list = opts_text(c->machine, "accel");
    bool fatal = false;
    size_t n = qlist_size(c->accels);

    if (n > 0) {
        bool found = false;

        for (size_t i = 0; i < n && !found; i++) {
            QDict *d = qobject_to_dict(qlist_get(c->accels, i));

            found = try_accel(c, qdict_str_or(d, "accel", ""), d, i + 1 == n, &fatal);
        }
    } else {
        char **names = g_strsplit(list ? list : "tcg", ":", 0);
        QDict *none = qdict_new();

        for (char **p = names; *p && !try_accel(c, *p, none, !p[1], &fatal); p++) {
        }
        qobject_unref(none);
        g_strfreev(names);
    }
    g_free(list);
    return !fatal;
}

/* --- machine --- */

/* @stand_in: its name is wrong, this is another one to check the rest with. */
static Machine *new_machine(Config *c, bool *stand_in)
{
    char *name = opts_text(c->machine, "type");
    const MachineType *type;
    Error *err = NULL;

    if (name) {
        type = machine_type_find(name, &err);
    } else {
        type = machine_type_default(c->arch ? c->arch : "x86_64");
        if (!type) {
            error_setf(&err, ERR_MISSING_ARGUMENT, "no machine is given, and there is no default");
            error_hint(&err, "-machine help lists all");
        }
    }
    g_free(name);
    *stand_in = !type;
    if (!type) {
        config_error(c, "machine", err);
        type = machine_type_find("none", NULL);
    }
    return machine_new(type);
}

/* -g WIDTHxHEIGHT[xDEPTH] */
static void set_screen(Config *c, Machine *m)
{
    unsigned w, h, depth = 0;
    Error *err = NULL;
    int end = 0;

    if (!c->screen) {
        return;
    }
    if ((sscanf(c->screen, "%5ux%5u%n", &w, &h, &end) != 2 || c->screen[end]) &&
        (sscanf(c->screen, "%5ux%5ux%2u%n", &w, &h, &depth, &end) != 3 || c->screen[end])) {
        error_setf(&err, ERR_INVALID_ARGUMENT, "'%s' is no screen; accepted: WIDTHxHEIGHT or WIDTHxHEIGHTxDEPTH", c->screen);
    } else if (!m->type->screen_size) {
        error_setf(&err, ERR_INVALID_ARGUMENT, "the screen of machine '%s' has the size that its guest chooses", m->type->name);
    } else {
        m->screen_width = w;
        m->screen_height = h;
        m->screen_depth = depth;
    }
    if (err) {
        config_error(c, "g", err);
    }
}

static void set_machine_props(Config *c, Machine *m)
{
    static const char *const ours[] = { "type", "accel", "memory-backend", "firmware", "kernel",
                                        "initrd", "append", "dtb", "smm-ignored", NULL };

    QDICT_FOR_EACH(e, c->machine) {
        const char *const *o = ours;
        Error *err = NULL;
        char *text = opts_text(c->machine, e->key);

        while (*o && strcmp(*o, e->key)) {
            o++;
        }
        if (!*o && !object_set_str(m, e->key, text ? text : "", &err)) {
            config_error(c, "machine", err);
        }
        g_free(text);
    }
    m->ram_memdev = opts_text(c->machine, "memory-backend");
    m->firmware = c->bios ? g_strdup(c->bios) : opts_text(c->machine, "firmware");
    m->kernel = c->kernel ? g_strdup(c->kernel) : opts_text(c->machine, "kernel");
    m->initrd = c->initrd ? g_strdup(c->initrd) : opts_text(c->machine, "initrd");
    m->append = c->append ? g_strdup(c->append) : opts_text(c->machine, "append");
    m->dtb = c->dtb ? g_strdup(c->dtb) : opts_text(c->machine, "dtb");
    m->vga = g_strdup(c->vga ? c->vga : c->no_defaults ? "none" : NULL);
    set_screen(c, m);
    m->graphics = !c->nographic;
    m->usb |= c->usb || c->usbdevices->len;
    if ((m->initrd || m->append) && !m->kernel) {
        Error *err = NULL;

        error_setf(&err, ERR_INVALID_ARGUMENT, "it needs -kernel too");
        config_error(c, m->initrd ? "initrd" : "append", err);
    }
}

static bool set_memory(const QDict *d, void *opaque, Error **errp)
{
    static const char *const known[] = { "size", "slots", "maxmem", NULL };
    Machine *m = opaque;
    g_autofree char *size = opts_text(d, "size"), *slots = opts_text(d, "slots");
    g_autofree char *maxmem = opts_text(d, "maxmem");
    uint64_t n, max = 0, num = 0;

    if (!opts_check_known(d, "-m", known, errp) || (size && !opts_size(size, MIB, &n, errp)) ||
        (maxmem && !opts_size(maxmem, MIB, &max, errp)) || (slots && !opts_size(slots, 1, &num, errp))) {
        return false;
    }
    if (!maxmem != !slots) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "'slots' and 'maxmem' are given together, or neither is");
        return false;
    }
    if (num > MACHINE_RAM_SLOTS || (slots && !num)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'slots' is '%s'; accepted: 1 to %d", slots, MACHINE_RAM_SLOTS);
        return false;
    }
    if (max && max < (size ? n : m->ram_size ? m->ram_size : 128 * MIB)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'maxmem' is '%s'; accepted: at least the size at start", maxmem);
        return false;
    }
    m->max_ram_size = max;
    m->ram_slots = num;
    if (size && n < MIB) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the size is '%s'; accepted: 1M and more", size);
        return false;
    }
    m->ram_size = size ? n : m->ram_size;
    return true;
}

static bool smp_number(const QDict *d, const char *key, unsigned *n, Error **errp)
{
    char *text = opts_text(d, key), *end;
    unsigned long v;

    if (!text) {
        return true;
    }
    v = strtoul(text, &end, 10);
    if (*end || v < 1 || v > 4096) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'%s' is '%s'; accepted: 1 to 4096", key, text);
        error_argument(errp, key, text, NULL);
        g_free(text);
        return false;
    }
    *n = v;
    g_free(text);
    return true;
}

static bool set_smp(const QDict *d, void *opaque, Error **errp)
{
    static const char *const known[] = { "cpus", "maxcpus", "sockets", "dies", "clusters", "cores",
                                         "threads", NULL };
    Machine *m = opaque;
    SmpConfig s = { 0 };
    unsigned limit = MAX(m->type->max_cpus, 1);

    if (!opts_check_known(d, "-smp", known, errp) ||
        !smp_number(d, "cpus", &s.cpus, errp) || !smp_number(d, "maxcpus", &s.max_cpus, errp) ||
        !smp_number(d, "sockets", &s.sockets, errp) || !smp_number(d, "dies", &s.dies, errp) ||
        !smp_number(d, "cores", &s.cores, errp) || !smp_number(d, "threads", &s.threads, errp)) {
        return false;
    }
    s.dies = s.dies ? s.dies : 1;
    if (!s.cpus && !s.max_cpus) {
        bool topology = s.sockets || s.cores || s.threads;

        s.cpus = topology ? MAX(s.sockets, 1) * s.dies * MAX(s.cores, 1) * MAX(s.threads, 1)
                          : MAX(m->type->default_cpus, 1);
    }
    s.max_cpus = s.max_cpus ? s.max_cpus : s.cpus;
    s.cpus = s.cpus ? s.cpus : s.max_cpus;
    s.threads = s.threads ? s.threads : 1;
    if (!s.cores) {
        s.cores = s.sockets ? MAX(s.max_cpus / (s.sockets * s.dies * s.threads), 1) : 1;
    }
    if (!s.sockets) {
        s.sockets = MAX(s.max_cpus / (s.dies * s.cores * s.threads), 1);
    }
    if (s.sockets * s.dies * s.cores * s.threads != s.max_cpus || s.cpus > s.max_cpus) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "sockets (%u) * dies (%u) * cores (%u) * threads (%u) isn't maxcpus (%u), or "
                   "cpus (%u) is more", s.sockets, s.dies, s.cores, s.threads, s.max_cpus, s.cpus);
        return false;
    }
    if (s.max_cpus > limit) {
        error_setf(errp, ERR_OUT_OF_RANGE, "%u CPUs are asked for; machine '%s' has 1 to %u",
                   s.max_cpus, m->type->name, limit);
        return false;
    }
    m->smp = s;
    return true;
}

static void set_cpu(Config *c, Machine *m)
{
    const char *arch = c->arch && machine_type_has_arch(m->type, c->arch) ? c->arch
                       : m->type->arch ? m->type->arch[0] : NULL;
    char *comma, *model, *type;

    if (!c->cpu || !arch) {
        return;
    }
    comma = strchr(c->cpu, ',');
    model = comma ? g_strndup(c->cpu, comma - c->cpu) : g_strdup(c->cpu);
    type = g_strdup_printf("%s-%s-cpu", model, arch);
    if (!type_find(type)) {
        Error *err = NULL;

        error_setf(&err, ERR_NO_SUCH_TYPE, "there is no CPU model '%s'", model);
        error_hint(&err, "-cpu help lists all");
        config_error(c, "cpu", err);
        g_free(type);
    } else {
        m->cpu_type = type;
        m->cpu_features = comma ? g_strdup(comma + 1) : NULL;
    }
    g_free(model);
}

static bool pick(const QDict *d, const char *key, const char *const *names, int *value,
                 Error **errp)
{
    char *text = opts_text(d, key), *list;
    int i = 0;

    if (!text) {
        return true;
    }
    while (names[i] && strcmp(names[i], text)) {
        i++;
    }
    if (names[i]) {
        *value = i;
    } else {
        list = g_strjoinv(", ", (char **)names);
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%s'; accepted: %s", key, text, list);
        error_argument(errp, key, text, NULL);
        g_free(list);
    }
    g_free(text);
    return names[i];
}

static bool milliseconds(const QDict *d, const char *key, int64_t max, int64_t *ms, Error **errp)
{
    g_autofree char *text = opts_text(d, key);
    char *end;
    int64_t v;

    *ms = -1;
    if (!text) {
        return true;
    }
    v = g_ascii_strtoll(text, &end, 10);
    if (end == text || *end || v < -1 || v > max) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'%s' is '%s'; accepted: 0 to %" PRId64
                   " milliseconds, or -1", key, text, max);
        error_argument(errp, key, text, NULL);
        return false;
    }
    *ms = v;
    return true;
}

static bool set_boot(const QDict *d, void *opaque, Error **errp)
{
    static const char *const known[] = { "order", "once", "menu", "splash", "splash-time",
                                         "reboot-timeout", "strict", NULL };
    Machine *m = opaque;
    g_autofree char *menu = opts_text(d, "menu"), *strict = opts_text(d, "strict");
    int64_t timeout, splash_time;

    if (!opts_check_known(d, "-boot", known, errp) ||
        (menu && !opts_bool("menu", menu, &m->boot.menu, errp)) ||
        (strict && !opts_bool("strict", strict, &m->boot.strict, errp)) ||
        !milliseconds(d, "reboot-timeout", 0xffff, &timeout, errp) ||
        !milliseconds(d, "splash-time", 0xffff, &splash_time, errp)) {
        return false;
    }
    m->boot.order = opts_text(d, "order");
    m->boot.once = opts_text(d, "once");
    m->boot.splash = opts_text(d, "splash");
    m->boot.reboot_timeout = timeout;
    m->boot.splash_time = splash_time;
    return true;
}

static bool icount_flag(const QDict *d, const char *key, bool *value, Error **errp)
{
    g_autofree char *text = opts_text(d, key);

    return !text || opts_bool(key, text, value, errp);
}

static bool set_icount(const QDict *d, UNUSED void *opaque, Error **errp)
{
    static const char *const known[] = { "shift", "align", "sleep", NULL };
    g_autofree char *shift = opts_text(d, "shift");
    IcountOptions o = { .on = true, .sleep = true };
    char *end = NULL;

    if (!opts_check_known(d, "-icount", known, errp) || !icount_flag(d, "align", &o.align, errp) ||
        !icount_flag(d, "sleep", &o.sleep, errp)) {
        return false;
    }
    o.automatic = !shift || !strcmp(shift, "auto");
    if (o.automatic) {
        o.shift = 3;
    } else {
        unsigned long n = strtoul(shift, &end, 10);

        if (!*shift || *end || n > ICOUNT_SHIFT_MAX) {
            error_setf(errp, ERR_OUT_OF_RANGE, "-icount: 'shift' is '%s'; accepted: 0 to %d, auto", shift,
                       ICOUNT_SHIFT_MAX);
            return false;
        }
        o.shift = (unsigned)n;
    }
    if ((o.align && (o.automatic || !o.sleep)) || (o.automatic && !o.sleep)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "-icount: %s are incompatible",
                   o.align && o.automatic ? "shift=auto and align=on"
                   : o.align ? "align=on and sleep=off" : "shift=auto and sleep=off");
        return false;
    }
    if (strcmp(accel_current()->name, "tcg")) {
        error_setf(errp, ERR_NOT_SUPPORTED, "-icount needs -accel tcg");
        return false;
    }
    icount_start(&o);
    icount_set_busy(blk_any_in_flight);
    return true;
}

static bool set_rtc(const QDict *d, void *opaque, Error **errp)
{
    static const char *const known[] = { "base", "clock", "driftfix", NULL };
    static const char *const clocks[] = { "host", "rt", "vm", NULL };
    static const char *const fixes[] = { "none", "slew", NULL };
    Machine *m = opaque;
    int clock = 0, fix = 0;

    if (!opts_check_known(d, "-rtc", known, errp)) {
        return false;
    }
    if (!pick(d, "clock", clocks, &clock, errp) || !pick(d, "driftfix", fixes, &fix, errp)) {
        return false;
    }
    m->rtc_base = opts_text(d, "base");
    m->rtc_clock = opts_text(d, "clock");
    m->rtc_slew = fix;
    return true;
}

static void set_uuid(Config *c, Machine *m)
{
    Error *err = NULL;

    m->have_uuid = c->uuid && uuid_parse(c->uuid, m->uuid);
    if (c->uuid && !m->have_uuid) {
        error_setf(&err, ERR_INVALID_ARGUMENT, "'%s' isn't a UUID; accepted: " UUID_FORM, c->uuid);
        config_error(c, "uuid", err);
    }
}

/* -fw_cfg [name=]N,file=F|string=S; a string goes without a zero at its end. */
static bool add_fw_file(const QDict *d, void *opaque, Error **errp)
{
    static const char *const known[] = { "name", "file", "string", NULL };
    const char *name = qdict_str_or(d, "name", NULL), *file = qdict_str_or(d, "file", NULL);
    const char *string = qdict_str_or(d, "string", NULL);
    g_autoptr(GError) gerr = NULL;
    Machine *m = opaque;
    char *data;
    gsize len;

    if (!opts_check_known(d, "-fw_cfg", known, errp)) {
        return false;
    }
    if (!name || !*name || strlen(name) > 55) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'name' is '%s'; accepted: 1 to 55 letters, as "
                   "opt/ORGANISATION/NAME", name ? name : "");
        return false;
    }
    if (!file == !string) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' needs a content; accepted: file=F or string=S",
                   name);
        return false;
    }
    if (!file) {
        data = g_strdup(string);
        len = strlen(string);
    } else if (!g_file_get_contents(file, &data, &len, &gerr)) {
        error_setf(errp, ERR_FILE_NOT_FOUND, "can't read '%s': %s", file, gerr->message);
        return false;
    }
    m->fw_files = g_renew(MachineFile, m->fw_files, m->n_fw_files + 1);
    m->fw_files[m->n_fw_files++] = (MachineFile){ g_strdup(name), (uint8_t *)data, len };
    return true;
}

static bool check_smbios(const QDict *d, UNUSED void *opaque, Error **errp)
{
    return smbios_check_option(d, errp);
}

static void set_firmware_data(Config *c, Machine *m)
{
    bool any = qlist_size(c->fw_cfgs) || qlist_size(c->smbioses);
    Error *err = NULL;

    config_make_each(c, c->fw_cfgs, "fw_cfg", add_fw_file, m);
    config_make_each(c, c->smbioses, "smbios", check_smbios, NULL);
    m->smbios = qobject_ref(c->smbioses);
    if (any && !m->type->has_fw_cfg) {
        error_setf(&err, ERR_NOT_SUPPORTED, "machine '%s' has no fw_cfg", m->type->name);
        config_error(c, qlist_size(c->fw_cfgs) ? "fw_cfg" : "smbios", err);
    }
}

/* The names are in the order of the enumerations of runstate.h. */
static bool set_actions(const QDict *d, UNUSED void *opaque, Error **errp)
{
    static const char *const known[] = { "reboot", "shutdown", "panic", "watchdog", NULL };
    static const char *const reboot[] = { "reset", "shutdown", NULL };
    static const char *const shutdown[] = { "poweroff", "pause", NULL };
    static const char *const panic[] = { "pause", "shutdown", "exit-failure", "none", NULL };
    static const char *const watchdog[] = { "reset", "shutdown", "poweroff", "pause", "debug",
                                            "none", "inject-nmi", NULL };
    RunstateActions *a = runstate_actions();
    int r = a->reboot, s = a->shutdown, p = a->panic, w = a->watchdog;

    if (!opts_check_known(d, "-action", known, errp) || !pick(d, "reboot", reboot, &r, errp) ||
        !pick(d, "shutdown", shutdown, &s, errp) || !pick(d, "panic", panic, &p, errp) ||
        !pick(d, "watchdog", watchdog, &w, errp)) {
        return false;
    }
    *a = (RunstateActions){ r, s, p, w };
    return true;
}

/* --- lists --- */

static bool waits(const QDict *d)
{
    g_autofree char *server = opts_text(d, "server"), *wait = opts_text(d, "wait");

    return server && strcmp(server, "off") && (!wait || !strcmp(wait, "on"));
}

static bool make_chardev(const QDict *d, void *opaque, Error **errp)
{
    Config *c = opaque;

    if (qlist_size(c->errors) && waits(d)) {
        config_failed(c, d);            /* nobody is going to be served */
        return true;
    }
    return chardev_new_from_opts(d, errp);
}

static bool make_fsdev(const QDict *d, UNUSED void *opaque, Error **errp)
{
    return fsdev_add(d, errp);
}

static bool make_object(const QDict *d, UNUSED void *opaque, Error **errp)
{
    QDict *props = qobject_to_dict(qobject_copy((const QObject *)d));
    const char *type = qdict_get_str(d, "qom-type", errp);
    const char *id = type ? qdict_get_str(d, "id", errp) : NULL;
    bool ok = false;

    if (type && id) {
        qdict_del(props, "qom-type");
        qdict_del(props, "id");
        ok = user_object_new(type, id, props, true, errp);
    }
    qobject_unref(props);
    return ok;
}

/* Objects that belong to networks come after these. */
static void split_objects(const Config *c, QList *early, QList *late)
{
    QLIST_FOR_EACH(e, c->objects) {
        bool filter = g_str_has_prefix(qdict_str_or(qobject_to_dict(e), "qom-type", ""), "filter-");

        qlist_append(filter ? late : early, qobject_ref(e));
    }
}

static bool make_numa(const QDict *d, void *opaque, Error **errp)
{
    return numa_option(opaque, d, errp);
}

static bool make_device(const QDict *d, UNUSED void *opaque, Error **errp)
{
    return device_add(d, true, errp);
}

/* -drive if=virtio: a device of its own, which no board has. */
static void build_virtio_drives(Config *c, Machine *m)
{
    for (unsigned i = 0; i < m->n_drives; i++) {
        MachineDrive *drive = &m->drives[i];
        Error *err = NULL;
        QDict *opts;

        if (strcmp(drive->interface, "virtio") || drive->used) {
            continue;
        }
        opts = qdict_from_fmt("{'driver': %s, 'drive': %s}",
                              bus_find_type("PCI") ? "virtio-blk-pci" : "virtio-blk-device",
                              drive->blockdev);
        drive->used = true;
        if (!device_add(opts, true, &err)) {
            config_error(c, "drive", err);
        }
        qobject_unref(opts);
    }
}

static bool make_global(const QDict *d, UNUSED void *opaque, Error **errp)
{
    const char *driver = qdict_str_or(d, "driver", NULL), *prop = qdict_str_or(d, "property", NULL),
               *value = qdict_str_or(d, "value", NULL);

    if (driver && prop && value) {
        global_property_add(driver, prop, value);
        return true;
    }
    QDICT_FOR_EACH(e, d) {
        const char *dot = strrchr(e->key, '.');
        char *text = opts_text(d, e->key), *type;

        if (!dot || !text) {
            g_free(text);
            break;
        }
        type = g_strndup(e->key, dot - e->key);
        global_property_add(type, dot + 1, text);
        g_free(type);
        g_free(text);
        return true;
    }
    error_setf(errp, ERR_INVALID_ARGUMENT,
               "accepted: DRIVER.PROP=VALUE or driver=D,property=P,value=V");
    return false;
}

static char *new_chardev(Config *c, const char *option, const char *id, const char *spec)
{
    Error *err = NULL;
    Chardev *chr = chardev_new_from_spec(id, spec, &err);

    if (err) {
        config_error(c, option, err);
        return NULL;
    }
    return chr ? g_strdup(chardev_id(chr)) : NULL;
}

static void build_serials(Config *c, Machine *m)
{
    build_text_monitor(c);
    if (c->serials->len == 0 && !c->no_defaults && !m->type->no_serial) {
        bool own = c->monitors->len > 0;

        g_ptr_array_add(c->serials, g_strdup(config_has_text_consoles(c) ? "vc:80Cx24C" : !c->nographic ? "null"
                                               : own ? "stdio" : "mon:stdio"));
    }
    if (qlist_size(c->errors)) {
        config_check_specs(c, "serial", c->serials);
        config_check_specs(c, "parallel", c->parallels);
        return;
    }
    for (unsigned i = 0; i < c->serials->len; i++) {
        char id[16];

        if (i == MACHINE_SERIALS) {
            Error *err = NULL;

            error_setf(&err, ERR_OUT_OF_RANGE, "there are at most %d", MACHINE_SERIALS);
            config_error(c, "serial", err);
            break;
        }
        snprintf(id, sizeof(id), "serial%u", i);
        m->serial[i] = new_chardev(c, "serial", id, c->serials->pdata[i]);
    }
    for (unsigned i = 0; i < MIN(c->parallels->len, MACHINE_SERIALS); i++) {
        char id[16];

        snprintf(id, sizeof(id), "parallel%u", i);
        m->parallel[i] = new_chardev(c, "parallel", id, c->parallels->pdata[i]);
    }
}

static void build_debugcons(Config *c)
{
    if (qlist_size(c->errors)) {
        config_check_specs(c, "debugcon", c->debugcons);
        return;
    }
    for (unsigned i = 0; i < c->debugcons->len; i++) {
        char id[24];
        char *chr;
        QDict *d = qdict_new();

        snprintf(id, sizeof(id), "debugcon%u", i);
        chr = new_chardev(c, "debugcon", id, c->debugcons->pdata[i]);
        if (chr) {
            qdict_put_str(d, "driver", "isa-debugcon");
            qdict_put_str(d, "chardev", chr);
            qlist_append(c->devices, qobject_ref(d));
        }
        qobject_unref(d);
        g_free(chr);
    }
}

/*
 * With a mistake so far nothing is opened that could wait for somebody, but all of it is looked at.
 * The machine is made too if it can be, since only then devices find their buses.
 */
static bool build_with_mistakes(Config *c, Machine *m, bool possible)
{
    Error *err = NULL;

    if (possible && machine_init(m, &err)) {
        config_make_each(c, c->devices, "device", make_device, NULL);
    } else {
        if (err) {
            config_error(c, "machine", err);
        }
        config_check_devices(c);
    }
    check_front_ends(c);
    return false;
}

/* -usbdevice NAME: the older way to say -device usb-NAME. */
static void build_usbdevices(Config *c)
{
    static const struct { const char *name, *driver; } known[] = {
        { "keyboard", "usb-kbd" }, { "mouse", "usb-mouse" }, { "tablet", "usb-tablet" },
    };

    for (unsigned i = 0; i < c->usbdevices->len; i++) {
        const char *name = c->usbdevices->pdata[i], *driver = NULL;

        for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
            driver = strcmp(known[k].name, name) ? driver : known[k].driver;
        }
        if (driver) {
            QDict *d = qdict_new();

            qdict_put_str(d, "driver", driver);
            qlist_append(c->devices, d);
        } else {
            Error *err = NULL;

            error_setf(&err, ERR_INVALID_ARGUMENT,
                       "there is no USB device '%s'; accepted: keyboard, mouse, tablet", name);
            config_error(c, "usbdevice", err);
        }
    }
}

static void check_preconfig(Config *c)
{
    Error *err = NULL;

    if (c->preconfig && c->incoming && strcmp(c->incoming, "defer")) {
        error_setf(&err, ERR_INVALID_ARGUMENT, "'preconfig' supports '-incoming defer' only");
        config_error(c, "preconfig", err);
    }
}

static bool build(Config *c)
{
    QOBJECT_AUTO QList *early = qlist_new();
    QOBJECT_AUTO QList *late = qlist_new();
    Error *err = NULL;
    bool stand_in, possible;
    Machine *m;

    config_make(c, "msg", c->msg, set_msg, NULL);
    config_make(c, "name", c->name, set_name, NULL);
    build_log(c);
    privileges_check(c);
    check_preconfig(c);
    config_make(c, "action", c->action, set_actions, NULL);
    config_make_each(c, c->globals, "global", make_global, NULL);
    m = new_machine(c, &stand_in);
    possible = build_accel(c) && !stand_in;
    if (c->icount && qdict_size(c->icount) && accel_current()) {
        config_make(c, "icount", c->icount, set_icount, NULL);
    }
    if (!stand_in) {
        set_machine_props(c, m);
        config_make(c, "smp", c->smp, set_smp, m);
    }
    config_make(c, "m", c->memory, set_memory, m);
    config_make(c, "boot", c->boot, set_boot, m);
    config_make(c, "rtc", c->rtc, set_rtc, m);
    set_cpu(c, m);
    set_uuid(c, m);
    if (!stand_in) {
        set_firmware_data(c, m);
    }
    if (c->qtest && !qtest_server_start(c->qtest, c->qtest_log, &err)) {
        config_error(c, "qtest", err);
    }
    config_make_each(c, c->chardevs, "chardev", make_chardev, c);
    config_make_each(c, c->fsdevs, "fsdev", make_fsdev, NULL);
    build_serials(c, m);
    build_debugcons(c);
    build_usbdevices(c);
    split_objects(c, early, late);
    config_make_each(c, early, "object", make_object, NULL);
    if (!stand_in) {
        config_make_each(c, c->numas, "numa", make_numa, m);
    }
    build_backends(c, m);
    config_make_each(c, late, "object", make_object, NULL);
    if (qlist_size(c->errors)) {
        return build_with_mistakes(c, m, possible);
    }
    if (c->preconfig) {
        build_monitors(c);
        if (qlist_size(c->errors) || !preconfig_wait(c)) {
            return false;
        }
    }
    if (!machine_init(m, &err)) {
        config_error(c, "machine", err);
        config_check_devices(c);
        check_front_ends(c);
        return false;
    }
    build_virtio_drives(c, m);
    config_make_each(c, c->devices, "device", make_device, NULL);
    if (!machine_done(m, &err)) {
        config_error(c, "machine", err);
    }
    if (qlist_size(c->errors)) {
        check_front_ends(c);
        return false;
    }
    build_front_ends(c, m);
    return qlist_size(c->errors) == 0;
}

bool config_build(Config *c)
{
    bool ok = build(c);

    preconfig_answer(c);
    return ok;
}
