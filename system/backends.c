/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine is connected to: disks and networks before it, monitors and screens after. */
#include "util/osdep.h"
#include "chardev/chardev.h"
#include "monitor/monitor.h"
#include "system/build.h"
#include "system/opts.h"

static void add_monitor(Config *c, const char *option, const char *chardev, bool control,
                        bool pretty)
{
    Error *err = NULL;

    if (!monitor_new(chardev, control, pretty, &err)) {
        config_error(c, option, err);
    }
}

static void monitor_specs(Config *c, const char *option, const GPtrArray *specs, bool control,
                          bool pretty, const char *base)
{
    for (unsigned i = 0; i < specs->len; i++) {
        char *id = g_strdup_printf("%s%u", base, i);
        Error *err = NULL;
        Chardev *chr = chardev_new_from_spec(id, specs->pdata[i], &err);

        if (err) {
            config_error(c, option, err);
        } else if (chr) {
            add_monitor(c, option, chardev_id(chr), control, pretty);
        }
        g_free(id);
    }
}

static void build_monitors(Config *c)
{
    QLIST_FOR_EACH(e, c->mons) {
        QDict *d = qobject_to_dict(e);
        char *chardev = opts_text(d, "chardev"), *mode = opts_text(d, "mode"),
             *text = opts_text(d, "pretty");
        bool pretty = false, control = mode && !strcmp(mode, "control");
        Error *err = NULL;

        if (!chardev) {
            error_setf(&err, ERR_MISSING_ARGUMENT, "'chardev' is missing");
        } else if (mode && !control && strcmp(mode, "readline")) {
            error_setf(&err, ERR_INVALID_ARGUMENT,
                       "'mode' is '%s'; accepted: readline, control", mode);
        } else if (!text || opts_bool("pretty", text, &pretty, &err)) {
            add_monitor(c, "mon", chardev, control, pretty);
        }
        if (err) {
            config_error(c, "mon", err);
        }
        g_free(chardev);
        g_free(mode);
        g_free(text);
    }
    monitor_specs(c, "monitor", c->monitors, false, false, "compat_monitor");
    monitor_specs(c, "qmp", c->qmps, true, false, "qmp");
    monitor_specs(c, "qmp-pretty", c->qmps_pretty, true, true, "qmp-pretty");
}

void build_backends(UNUSED Config *c, UNUSED Machine *m)
{
}

void build_front_ends(Config *c, UNUSED Machine *m)
{
    build_monitors(c);
}
