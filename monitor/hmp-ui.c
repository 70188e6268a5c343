/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor's commands about screens, keys and pointing devices. */
#include "util/osdep.h"
#include "monitor/hmp-cmds.h"
#include "qapi/commands-ui.h"
#include "ui/core/input.h"

void hmp_screendump(Hmp *hmp, const QDict *args)
{
    bool has_head = qdict_has(args, "head");
    Error *err = NULL;
    int format = IMAGE_FORMAT_PPM;

    if (qdict_bool_or(args, "png", false)) {
        format = IMAGE_FORMAT_PNG;
    } else if (qdict_has(args, "format")) {
        format = qapi_enum_parse(&qapi_type_ImageFormat, qdict_str_or(args, "format", ""), "format", &err);
        if (hmp_error(hmp, err)) {
            return;
        }
    }
    qmp_screendump(qdict_str_or(args, "filename", ""), qdict_str_or(args, "device", NULL),
                   has_head, qdict_int_or(args, "head", 0), true, format, &err);
    hmp_error(hmp, err);
}

/* "ctrl-alt-f1": names, or numbers in hexadecimal. NULL with *errp set. */
static KeyValueList *parse_keys(const char *text, Error **errp)
{
    g_auto(GStrv) names = g_strsplit(text, "-", -1);
    KeyValueList *list = qapi_new(KeyValueList);

    for (char **n = names; *n; n++) {
        KeyValue *key = qapi_new(KeyValue);
        /* "<" is hard to name otherwise. */
        const char *name = strcmp(*n, "<") ? *n : "less";
        char *end;

        qapi_list_append(list, key);
        if (!strncmp(name, "0x", 2)) {
            key->type = KEY_VALUE_KIND_NUMBER;
            key->u.number.data = strtol(name, &end, 16);
            if (*end) {
                error_setf(errp, ERR_INVALID_ARGUMENT, "invalid parameter: %s", name);
                qapi_free_KeyValueList(list);
                return NULL;
            }
        } else {
            int code = qapi_enum_parse(&qapi_type_QKeyCode, name, "keys", errp);

            key->type = KEY_VALUE_KIND_QCODE;
            key->u.qcode.data = MAX(code, 0);
            if (code < 0) {
                qapi_free_KeyValueList(list);
                return NULL;
            }
        }
    }
    return list;
}

void hmp_sendkey(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    KeyValueList *keys = parse_keys(qdict_str_or(args, "keys", ""), &err);

    if (keys) {
        qmp_send_key(keys, qdict_has(args, "hold"), qdict_int_or(args, "hold", 0), &err);
        qapi_free_KeyValueList(keys);
    }
    if (err) {
        hmp_printf(hmp, "Error: %s\n", error_message(err));     /* the list of keys is long */
        error_free(err);
    }
}

void hmp_complete_key(GPtrArray *candidates, const char *prefix)
{
    const char *dash = strrchr(prefix, '-');
    const char *last = dash ? dash + 1 : prefix;

    for (int i = 0; i < Q_KEY_CODE__MAX; i++) {
        const char *name = QKeyCode_name(i);

        if (!strncmp(name, last, strlen(last))) {
            g_ptr_array_add(candidates, g_strdup_printf("%.*s%s", (int)(last - prefix), prefix,
                                                        name));
        }
    }
}

void hmp_mouse_move(Hmp *hmp, const QDict *args)
{
    InputHandler *h = input_pointer();
    int64_t dx = qdict_int_or(args, "dx", 0), dy = qdict_int_or(args, "dy", 0);
    int64_t dz = qdict_int_or(args, "dz", 0);

    if (!h) {
        hmp_printf(hmp, "Error: the guest has no pointing device\n");
        return;
    }
    if (h->absolute) {
        input_abs((int)CLAMP(dx, 0, INPUT_ABS_MAX), (int)CLAMP(dy, 0, INPUT_ABS_MAX));
    } else {
        input_rel((int)CLAMP(dx, INT16_MIN, INT16_MAX), (int)CLAMP(dy, INT16_MIN, INT16_MAX));
    }
    if (dz) {
        unsigned button = dz < 0 ? INPUT_BUTTON_WHEEL_UP : INPUT_BUTTON_WHEEL_DOWN;

        input_button(button, true);
        input_sync();
        input_button(button, false);
    }
    input_sync();
}

void hmp_mouse_button(Hmp *hmp, const QDict *args)
{
    int64_t state = qdict_int_or(args, "state", 0);

    (void)hmp;
    input_button(INPUT_BUTTON_LEFT, state & 1);
    input_button(INPUT_BUTTON_MIDDLE, state & 2);
    input_button(INPUT_BUTTON_RIGHT, state & 4);
    input_sync();
}

void hmp_mouse_set(Hmp *hmp, const QDict *args)
{
    int64_t index = qdict_int_or(args, "index", 0);

    for (InputHandler *h = input_first(); h; h = h->next) {
        if ((h->rel || h->abs) && h->index == index) {
            input_activate(h);
            return;
        }
    }
    hmp_printf(hmp, "Error: Mouse at index '%" PRId64 "' not found\n", index);
}

void hmp_info_mice(Hmp *hmp, const QDict *args)
{
    MouseInfoList *list = qmp_query_mice(NULL);

    (void)args;
    for (size_t i = 0; i < list->n; i++) {
        const MouseInfo *m = list->items[i];

        hmp_printf(hmp, "%c Mouse #%" PRId64 ": %s%s\n", m->current ? '*' : ' ', m->index,
                   m->name, m->absolute ? " (absolute)" : "");
    }
    if (!list->n) {
        hmp_printf(hmp, "No mouse devices connected\n");
    }
    qapi_free_MouseInfoList(list);
}

static void print_client(Hmp *hmp, const VncClientInfo *c)
{
    hmp_printf(hmp, "  Client: %s:%s (%s%s)\n", c->host, c->service,
               NetworkAddressFamily_name(c->family), c->websocket ? " (Websocket)" : "");
    hmp_printf(hmp, "    x509_dname: %s\n    sasl_username: %s\n",
               c->x509_dname ? c->x509_dname : "none", c->sasl_username ? c->sasl_username : "none");
}

void hmp_info_vnc(Hmp *hmp, const QDict *args)
{
    VncInfo2List *list = qmp_query_vnc_servers(NULL);
    VncClientStatsList *stats = qmp_x_query_vnc_stats(NULL);

    (void)args;
    if (!list->n) {
        hmp_printf(hmp, "None\n");
    }
    for (size_t i = 0; i < list->n; i++) {
        const VncInfo2 *s = list->items[i];

        hmp_printf(hmp, "%s:\n", s->id);
        for (size_t k = 0; k < s->server->n; k++) {
            const VncServerInfo2 *a = s->server->items[k];

            hmp_printf(hmp, "  Server: %s:%s (%s%s)\n    Auth: %s (Sub: %s)\n", a->host, a->service,
                       NetworkAddressFamily_name(a->family), a->websocket ? " (Websocket)" : "",
                       VncPrimaryAuth_name(a->auth),
                       a->has_vencrypt ? VncVencryptSubAuth_name(a->vencrypt) : "none");
        }
        for (size_t k = 0; k < s->clients->n; k++) {
            print_client(hmp, s->clients->items[k]);
        }
    }
    for (size_t i = 0; i < stats->n; i++) {
        const VncClientStats *c = stats->items[i];

        hmp_printf(hmp, "%s: %s, %" PRIu64 " bytes, %" PRIu64 " updates (%.1f/s), "
                   "%" PRIu64 " ms of CPU\n", c->client, c->encoding, c->bytes, c->updates,
                   c->seconds > 0 ? c->updates / c->seconds : 0, c->cpu_ns / 1000000);
    }
    qapi_free_VncInfo2List(list);
    qapi_free_VncClientStatsList(stats);
}

static bool parse_protocol(Hmp *hmp, const QDict *args, DisplayProtocol *p)
{
    Error *err = NULL;
    int v = qapi_enum_parse(&qapi_type_DisplayProtocol, qdict_str_or(args, "protocol", ""),
                            "protocol", &err);

    *p = MAX(v, 0);
    return !hmp_error(hmp, err);
}

void hmp_set_password(Hmp *hmp, const QDict *args)
{
    SetPasswordOptions o = { .password = (char *)qdict_str_or(args, "password", "") };
    const char *action = qdict_str_or(args, "connected", NULL);
    Error *err = NULL;

    if (!parse_protocol(hmp, args, &o.protocol)) {
        return;
    }
    o.u.vnc.display = (char *)qdict_str_or(args, "display", NULL);
    if (action) {
        int v = qapi_enum_parse(&qapi_type_SetPasswordAction, action, "connected", &err);

        QAPI_SET(&o, connected, MAX(v, 0));
    }
    if (!err) {
        qmp_set_password(&o, &err);
    }
    hmp_error(hmp, err);
}

void hmp_expire_password(Hmp *hmp, const QDict *args)
{
    ExpirePasswordOptions o = { .time = (char *)qdict_str_or(args, "time", "") };
    Error *err = NULL;

    if (parse_protocol(hmp, args, &o.protocol)) {
        o.u.vnc.display = (char *)qdict_str_or(args, "display", NULL);
        qmp_expire_password(&o, &err);
        hmp_error(hmp, err);
    }
}
