/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device-state view for people: made of nothing but what query-device-state returns. */
#include "util/osdep.h"
#include "hw/core/state-view.h"

#include "qobject/qobject.h"

/* Names and values stand in columns; a longer name pushes its value out. */
#define NAME_WIDTH  20

static void number_text(GString *s, const DeviceStateField *f)
{
    const QNum *num = qobject_to_num(f->value);
    uint64_t u;
    int64_t i;

    if (f->kind == DEVICE_STATE_KIND_UNSIGNED && num && qnum_to_uint(num, &u)) {
        if (u < 10 && !f->region) {
            g_string_append_printf(s, "%" PRIu64, u);
        } else {
            g_string_append_printf(s, "0x%0*" PRIx64, f->has_bits ? (f->bits + 3) / 4 : 0, u);
            if (!f->flags && !f->region && !f->word && u <= UINT32_MAX) {
                g_string_append_printf(s, " (%" PRIu64 ")", u);
            }
        }
    } else if (num && qnum_to_int(num, &i)) {
        if (f->kind == DEVICE_STATE_KIND_TIME) {
            if (i < 0) {
                g_string_append(s, "not armed");
            } else {
                g_string_append_printf(s, "at %" PRId64 ".%09" PRId64 " s", i / 1000000000, i % 1000000000);
            }
        } else {
            g_string_append_printf(s, "%" PRId64, i);
        }
    } else if (num) {
        g_string_append_printf(s, "%.17g", qnum_to_double(num));
    }
}

static void list_text(GString *s, const DeviceStateField *f)
{
    const QList *l = qobject_to_list(f->value);

    size_t n = l ? qlist_size(l) : 0;

    for (size_t i = 0; i < n; i++) {
        const QNum *num = qobject_to_num(qlist_get(l, i));
        uint64_t u;

        if (i) {
            g_string_append_c(s, ' ');
        }
        if (num && qnum_to_uint(num, &u)) {
            g_string_append_printf(s, u < 10 ? "%" PRIx64 : "0x%" PRIx64, u);
        } else if (num) {
            g_string_append_printf(s, "%g", qnum_to_double(num));
        }
    }
    if (f->has_count) {
        g_string_append_printf(s, "%s(%" PRIu64 " in all)", n ? " ... " : "", f->count);
    }
}

static void bytes_text(GString *s, const DeviceStateField *f)
{
    const QString *hex = qobject_to_string(f->value);

    for (size_t i = 0; hex && i + 1 < hex->len; i += 2) {
        g_string_append_printf(s, "%s%.2s", i ? " " : "", hex->str + i);
    }
    if (f->has_count) {
        g_string_append_printf(s, "%s(%" PRIu64 " bytes)", hex && hex->len ? " ... " : "", f->count);
    }
}

static void flags_text(GString *s, const DeviceStateFlagList *flags)
{
    g_string_append(s, " [");
    for (size_t i = 0; i < flags->n; i++) {
        const DeviceStateFlag *flag = flags->items[i];

        g_string_append_printf(s, "%s%s", i ? " " : "", flag->name);
        if (flag->value != 1) {
            g_string_append_printf(s, "=%" PRIu64, flag->value);
        }
    }
    g_string_append_c(s, ']');
}

static void value_text(GString *s, const DeviceStateField *f)
{
    switch (f->kind) {
    case DEVICE_STATE_KIND_BOOL:
        g_string_append(s, f->value && qbool_value(f->value) ? "true" : "false");
        break;
    case DEVICE_STATE_KIND_TEXT:
        g_string_append(s, qobject_to_string(f->value) ? qstring_value(f->value) : "");
        break;
    case DEVICE_STATE_KIND_BYTES:
        bytes_text(s, f);
        break;
    case DEVICE_STATE_KIND_ARRAY:
    case DEVICE_STATE_KIND_STRUCT:
    case DEVICE_STATE_KIND_QUEUE:
        list_text(s, f);
        break;
    default:
        if (qobject_to_string(f->value)) {
            g_string_append(s, qstring_value(f->value));
        } else {
            number_text(s, f);
        }
        break;
    }
    if (f->word) {
        g_string_append_printf(s, "%s%s", s->len ? " " : "", f->word);
    }
    if (f->flags) {
        flags_text(s, f->flags);
    }
    if (f->region) {
        g_string_append_printf(s, " -> %s", f->region);
    }
    if (f->payload) {
        g_string_append_printf(s, "%s%s", s->len ? " " : "", f->payload);
    }
    if (f->meaning) {
        g_string_append_printf(s, "%s%s", s->len ? "  -- " : "", f->meaning);
    }
}

char *device_state_value_text(const DeviceStateField *f)
{
    GString *s = g_string_new(NULL);

    value_text(s, f);
    return g_string_free(s, FALSE);
}

static void fields_text(GString *s, const DeviceStateFieldList *fields, int depth);

static void field_text(GString *s, const DeviceStateField *f, int depth)
{
    g_autofree char *value = device_state_value_text(f), *label = g_strdup_printf("%s:", f->name);

    if (f->fields) {
        g_string_append_printf(s, "%*s%s%s%s%s\n", 2 * depth, "", label, *value ? " " : "", value,
                               f->fields->n ? "" : f->kind == DEVICE_STATE_KIND_QUEUE ? " empty" : " nothing");
        fields_text(s, f->fields, depth + 1);
    } else {
        g_string_append_printf(s, "%*s%-*s %s\n", 2 * depth, "", NAME_WIDTH, label, value);
    }
}

static void fields_text(GString *s, const DeviceStateFieldList *fields, int depth)
{
    for (size_t i = 0; i < fields->n; i++) {
        field_text(s, fields->items[i], depth);
    }
}

static void info_text(GString *s, const DeviceStateInfo *info)
{
    g_string_append_printf(s, "%s (%s)", info->path, info->type);
    if (info->id) {
        g_string_append_printf(s, " id \"%s\"", info->id);
    }
    g_string_append_c(s, '\n');
    if (info->error) {
        g_string_append_printf(s, "  can't be shown: %s\n", info->error);
    }
    for (size_t i = 0; i < info->sections->n; i++) {
        const DeviceStateSection *sec = info->sections->items[i];

        if (strcmp(sec->name, "saved")) {
            g_string_append_printf(s, "  %s%s%s\n", sec->name, sec->help ? " - " : "", sec->help ? sec->help : "");
            fields_text(s, sec->fields, 2);
        } else {
            fields_text(s, sec->fields, 1);
        }
    }
}

char *device_state_text(const DeviceStateInfoList *list, bool all)
{
    GString *s = g_string_new(NULL);

    for (size_t i = 0; i < list->n; i++) {
        const DeviceStateInfo *info = list->items[i];

        /* Of many devices those that have nothing to tell are left out. */
        if (all || list->n == 1 || info->sections->n || info->error) {
            if (s->len) {
                g_string_append_c(s, '\n');
            }
            info_text(s, info);
        }
    }
    return g_string_free(s, FALSE);
}
