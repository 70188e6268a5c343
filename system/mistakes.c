/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling all mistakes of a command line at once.
 *
 * Making something stops at its first error. If that error names one of the options that were
 * given, it is told and the rest tried without that option, until it works
 * or fails for another reason. What failed in the end is remembered by its id,
 * so that whatever refers to it isn't told as a second mistake.
 */
#include "util/osdep.h"
#include "chardev/chardev.h"
#include "hw/core/device.h"
#include "qobject/error.h"
#include "system/build.h"
#include "system/opts.h"

/* "e1000,id=net0": which one of several is meant. */
static char *label_of(const char *option, const QDict *d)
{
    static const char *const kinds[] = { "driver", "qom-type", "type", "backend", "fsdriver", "chardev", "if" };
    static const char *const ids[] = { "id", "node-name", "file" };
    GString *s = g_string_new(option);
    bool comma = false;

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        const char *v = qdict_str_or(d, kinds[i], NULL);

        if (v && !comma) {
            g_string_append_printf(s, " %s%s%s", strcmp(kinds[i], "if") ? "" : "if=", v, "");
            comma = true;
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(ids); i++) {
        const char *v = qdict_str_or(d, ids[i], NULL);

        if (v) {
            g_string_append_printf(s, "%c%s=%s", comma ? ',' : ' ', ids[i], v);
            break;
        }
    }
    return g_string_free(s, false);
}

static bool contains(const char *text, const char *part)
{
    return text && part && *part && strstr(text, part);
}

/* Something that failed, or wasn't made for a mistake before, is missing. */
static bool is_consequence(const Config *c, const Error *err)
{
    const char *value = error_argument_value(err);

    return value && qdict_has(c->failed, value) &&
           (error_code(err) == ERR_NO_SUCH_OBJECT || error_code(err) == ERR_NO_SUCH_DEVICE ||
            error_code(err) == ERR_NO_SUCH_BACKEND || error_code(err) == ERR_NO_SUCH_BUS);
}

void config_error(Config *c, const char *option, Error *err)
{
    const char *hint = error_hint_text(err), *message = error_message(err);
    const char *value = error_argument_value(err), *accepted = error_argument_accepted(err);
    GString *s;

    if (is_consequence(c, err)) {
        error_free(err);
        return;
    }
    s = g_string_new("");
    if (option) {
        g_string_append_printf(s, "-%s: ", option);
    }
    g_string_append(s, message);
    if (value && *value && !contains(message, value)) {
        g_string_append_printf(s, "; it is '%s'", value);
    }
    if (accepted && *accepted && !contains(message, "accepted:") && !contains(hint, "accepted:") &&
        !contains(message, accepted)) {
        g_string_append_printf(s, "; accepted: %s", accepted);
    }
    if (hint) {
        g_string_append_printf(s, " (%s)", hint);
    }
    qlist_append_str(c->errors, s->str);
    g_string_free(s, true);
    error_free(err);
}

void config_failed(Config *c, const QDict *opts)
{
    const char *id = qdict_str_or(opts, "id", qdict_str_or(opts, "node-name", NULL));

    if (id) {
        qdict_put_bool(c->failed, id, true);
    }
}

/* Without these nothing can be made. */
static bool is_vital(const char *key)
{
    static const char *const keys[] = { "driver", "qom-type", "type", "backend", "id", "node-name",
                                        "chardev" };

    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!strcmp(keys[i], key)) {
            return true;
        }
    }
    return false;
}

bool config_make(Config *c, const char *option, const QDict *opts, ConfigMake *make, void *opaque)
{
    QDict *rest = qobject_to_dict(qobject_copy((const QObject *)opts));
    QDict *without = qdict_new();
    char *label = label_of(option, opts);
    bool again = true, ok = true;

    while (again) {
        Error *err = NULL;
        bool made = make(rest, opaque, &err);
        const char *key = made ? NULL : error_argument_name(err);

        again = key && qdict_has(rest, key) && !is_vital(key);
        if (made) {
            break;
        }
        ok = false;
        if (!again) {
            config_failed(c, opts);
        }
        if (again) {
            qdict_put_bool(without, key, true);
            qdict_del(rest, key);
        } else if (key && qdict_has(without, key)) {
            error_free(err);            /* it misses what was taken away */
            break;
        }
        config_error(c, label, err);
    }
    g_free(label);
    qobject_unref(without);
    qobject_unref(rest);
    return ok;
}

void config_make_each(Config *c, const QList *list, const char *option, ConfigMake *make,
                      void *opaque)
{
    QLIST_FOR_EACH(e, list) {
        config_make(c, option, qobject_to_dict(e), make, opaque);
    }
}

/* What only the machine could know isn't judged: buses, and devices as values. */
static bool check_device(const QDict *d, UNUSED void *opaque, Error **errp)
{
    Error *err = NULL;
    const Type *want;

    if (device_check(d, true, &err)) {
        return true;
    }
    want = error_argument_accepted(err) ? type_find(error_argument_accepted(err)) : NULL;
    if (error_code(err) == ERR_NO_SUCH_OBJECT && want && type_is_a(want, TYPE_DEVICE)) {
        error_free(err);
        return true;
    }
    error_propagate(errp, err);
    return false;
}

void config_check_devices(Config *c)
{
    config_make_each(c, c->devices, "device", check_device, NULL);
}

void config_check_specs(Config *c, const char *option, const GPtrArray *specs)
{
    for (unsigned i = 0; i < specs->len; i++) {
        const char *spec = specs->pdata[i];
        Error *err = NULL;

        if (!chardev_find(spec) && !qdict_has(c->failed, spec) && !chardev_check_spec(spec, &err)) {
            config_error(c, option, err);
        }
    }
}
