/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "fsdev/fsdev.h"

#include <glib.h>
#include "qom/object.h"
#include "util/timer.h"

static const FsDriver *drivers[8];
static unsigned n_drivers;
static FsDev *all;

static const char *const limit_names[FS_LIMITS] = {
    "throttling.bps-total", "throttling.bps-read", "throttling.bps-write",
    "throttling.iops-total", "throttling.iops-read", "throttling.iops-write",
};
static const char *const common_options[] = { "fsdriver", "id", "readonly", NULL };

void fs_driver_register(const FsDriver *drv)
{
    assert(n_drivers < ARRAY_SIZE(drivers));
    drivers[n_drivers++] = drv;
}

char *fsdev_help(void)
{
    GString *s = g_string_new("Available file system back ends:\n");

    for (unsigned i = 0; i < n_drivers; i++) {
        g_string_append_printf(s, "%s", drivers[i]->name);
        for (const char *const *o = drivers[i]->options; *o; o++) {
            g_string_append_printf(s, ",%s=", *o);
        }
        g_string_append_c(s, '\n');
    }
    return g_string_free(s, FALSE);
}

/* --- options --- */

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++) {
        if (!strcmp(name, *list)) {
            return true;
        }
    }
    return false;
}

static bool is_limit(const char *name)
{
    return g_str_has_prefix(name, "throttling.");
}

static bool check_names(const FsDriver *drv, const QDict *opts, Error **errp)
{
    QDICT_FOR_EACH(e, opts) {
        if (!is_one_of(e->key, common_options) && !is_one_of(e->key, drv->options) && !is_limit(e->key)) {
            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "fsdev driver '%s' has no option '%s'", drv->name, e->key);
            return false;
        }
    }
    return true;
}

bool fs_opt_bool(const QDict *opts, const char *name, bool def, bool *value, Error **errp)
{
    const char *text = qdict_str_or(opts, name, def ? "on" : "off");

    *value = !strcmp(text, "on");
    if (!*value && strcmp(text, "off")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "option '%s' is '%s'; accepted: on, off", name, text);
        return false;
    }
    return true;
}

bool fs_opt_mode(const QDict *opts, const char *name, uint32_t def, uint32_t *value, Error **errp)
{
    const char *text = qdict_str_or(opts, name, NULL);
    char *end = NULL;
    unsigned long v = text ? strtoul(text, &end, 8) : def;

    *value = (uint32_t)v;
    if (text && (end == text || *end || v > 0777)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "option '%s' is '%s'; accepted: an octal number to 0777", name,
                   text);
        return false;
    }
    return true;
}

static bool parse_limits(FsDev *fs, const QDict *opts, Error **errp)
{
    QDICT_FOR_EACH(e, opts) {
        /* The key has dots, and yet is no path. */
        const char *text = qobject_to_string(e->value) ? qstring_value(e->value) : "";
        char *end;
        unsigned i = 0;

        if (!is_limit(e->key)) {
            continue;
        }
        while (i < FS_LIMITS && strcmp(e->key, limit_names[i])) {
            i++;
        }
        if (i == FS_LIMITS) {
            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "no option '%s'; accepted: throttling.bps-total, -read, -write and "
                       "throttling.iops-total, -read, -write", e->key);
            return false;
        }
        fs->limit[i] = strtoull(text, &end, 10);
        if (end == text || *end || *text == '-') {
            error_setf(errp, ERR_INVALID_ARGUMENT, "option '%s' is '%s'; accepted: a number", e->key, text);
            return false;
        }
    }
    return true;
}

/* --- the list --- */

FsDev *fsdev_find(const char *id)
{
    FsDev *fs = all;

    while (fs && strcmp(fs->id, id)) {
        fs = fs->next;
    }
    return fs;
}

bool fsdev_add(const QDict *opts, Error **errp)
{
    const char *name = qdict_str_or(opts, "fsdriver", NULL), *id = qdict_str_or(opts, "id", NULL);
    const FsDriver *drv = NULL;
    FsDev *fs;

    for (unsigned i = 0; name && i < n_drivers; i++) {
        if (!strcmp(drivers[i]->name, name)) {
            drv = drivers[i];
        }
    }
    if (!drv) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "fsdev driver '%s' not found; accepted: local, synth", name ? name : "");
        return false;
    }
    if (!id || !id_is_valid(id) || fsdev_find(id)) {
        error_setf(errp, id && fsdev_find(id) ? ERR_DUPLICATE_ID : ERR_INVALID_ARGUMENT,
                   "an fsdev needs an id that no other one has, not '%s'", id ? id : "");
        return false;
    }
    if (!check_names(drv, opts, errp)) {
        return false;
    }
    fs = g_malloc0(drv->size);
    fs->drv = drv;
    fs->id = g_strdup(id);
    if (!fs_opt_bool(opts, "readonly", false, &fs->readonly, errp) || !parse_limits(fs, opts, errp) ||
        !drv->open(fs, opts, errp)) {
        g_free(fs->id);
        g_free(fs);
        return false;
    }
    fs->next = all;
    all = fs;
    return true;
}

FsDev *fsdev_use(const char *id, Error **errp)
{
    FsDev *fs = fsdev_find(id);

    if (!fs) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "9pfs device couldn't find fsdev with the id '%s'", id);
        error_argument(errp, "fsdev", id, "the id of an -fsdev");
        error_hint(errp, "-fsdev local,id=%s,path=FOLDER,security_model=mapped-xattr", id);
        return NULL;
    }
    if (fs->in_use) {
        error_setf(errp, ERR_IN_USE, "fsdev '%s' is used by another device", id);
        return NULL;
    }
    fs->in_use = true;
    return fs;
}

void fsdev_release(FsDev *fs)
{
    fs->in_use = false;
}

void fsdev_close_all(void)
{
    FsDev **p = &all;

    while (*p) {
        FsDev *fs = *p;

        if (fs->in_use) {               /* its device still has nodes */
            p = &fs->next;
            continue;
        }
        *p = fs->next;
        fs->drv->close(fs);
        g_free(fs->id);
        g_free(fs);
    }
}

/* --- for devices --- */

bool fs_name_is_good(const char *name, size_t len)
{
    return len && len < 256 && !memchr(name, '/', len) && !memchr(name, 0, len) &&
           !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

int64_t fs_throttle_ns(FsDev *fs, bool write, uint64_t bytes)
{
    int64_t now = clock_get_ns(CLOCK_RT), until = now;
    const unsigned which[] = { FS_LIMIT_BPS, write ? FS_LIMIT_BPS_WR : FS_LIMIT_BPS_RD, FS_LIMIT_IOPS,
                               write ? FS_LIMIT_IOPS_WR : FS_LIMIT_IOPS_RD };

    for (unsigned i = 0; i < ARRAY_SIZE(which); i++) {
        uint64_t limit = fs->limit[which[i]], amount = which[i] >= FS_LIMIT_IOPS ? 1 : bytes;
        int64_t *next = &fs->next_ns[which[i]];

        if (limit) {
            until = MAX(until, *next);
            *next = MAX(now, *next) + (int64_t)((double)amount / (double)limit * 1e9);
        }
    }
    return until - now;
}
