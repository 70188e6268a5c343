/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about VNC, and its events. */
#include "util/osdep.h"
#include <time.h>
#include "crypto/secret.h"
#include "qapi/commands-ui.h"
#include "qapi/events-ui.h"
#include "qapi/sockets.h"
#include "ui/vnc/vnc-int.h"

/* --- what there is --- */

static void fill_address(VncBasicInfo *info, int fd)
{
    SocketAddress *a = fd >= 0 ? socket_local_address(fd, NULL) : NULL;

    info->family = fd >= 0 ? socket_family(fd) : NETWORK_ADDRESS_FAMILY_UNKNOWN;
    if (a && a->type == SOCKET_ADDRESS_TYPE_INET) {
        info->host = strdup(a->u.inet.host);
        info->service = strdup(a->u.inet.port);
    } else {
        info->host = strdup(a && a->type == SOCKET_ADDRESS_TYPE_UNIX && a->u.q_unix.path
                            ? a->u.q_unix.path : "");
        info->service = strdup("");
    }
    qapi_free_SocketAddress(a);
}

/* The name that query-vnc has for it: "vencrypt+x509+vnc". */
static char *auth_name(const VncServer *s)
{
    VncVencryptSubAuth sub;

    if (!vnc_auth_vencrypt(s, &sub)) {
        return strdup(VncPrimaryAuth_name(vnc_auth_primary(s, false)));
    }
    return g_strdelimit(g_strdup_printf("vencrypt+%s", VncVencryptSubAuth_name(sub)), "-", '+');
}

static void fill_client(VncClientInfo *info, const VncClient *c)
{
    info->host = strdup(c->host);
    info->service = strdup(c->service);
    info->family = c->family;
    info->websocket = c->websocket;
    info->x509_dname = c->x509_dname ? strdup(c->x509_dname) : NULL;
    info->sasl_username = c->sasl_username ? strdup(c->sasl_username) : NULL;
}

static VncClientInfoList *clients_of(const VncServer *s)
{
    VncClientInfoList *list = qapi_new(VncClientInfoList);

    for (const VncClient *c = s->clients; c; c = c->next) {
        VncClientInfo *info = qapi_new(VncClientInfo);

        fill_client(info, c);
        qapi_list_append(list, info);
    }
    return list;
}

VncInfo *qmp_query_vnc(UNUSED Error **errp)
{
    VncInfo *info = qapi_new(VncInfo);
    VncServer *s = vnc_servers;
    VncBasicInfo a = { 0 };

    /* A server that listens nowhere waits for reverse connections. */
    info->enabled = s && s->listeners->len;
    if (!info->enabled) {
        return info;
    }
    fill_address(&a, ((VncListener *)g_ptr_array_index(s->listeners, 0))->fd);
    info->host = a.host;
    info->service = a.service;
    QAPI_SET(info, family, a.family);
    info->auth = auth_name(s);
    info->clients = clients_of(s);
    return info;
}

VncInfo2List *qmp_query_vnc_servers(UNUSED Error **errp)
{
    VncInfo2List *list = qapi_new(VncInfo2List);

    for (VncServer *s = vnc_servers; s; s = s->next) {
        VncInfo2 *info = qapi_new(VncInfo2);
        VncVencryptSubAuth sub;

        info->id = strdup(s->id);
        info->auth = vnc_auth_primary(s, false);
        if (vnc_auth_vencrypt(s, &sub)) {
            QAPI_SET(info, vencrypt, sub);
        }
        info->display = s->display ? strdup(s->display) : NULL;
        info->clients = clients_of(s);
        info->server = qapi_new(VncServerInfo2List);
        for (guint i = 0; i < s->listeners->len; i++) {
            const VncListener *l = g_ptr_array_index(s->listeners, i);
            VncServerInfo2 *at = qapi_new(VncServerInfo2);
            VncBasicInfo a = { 0 };

            fill_address(&a, l->fd);
            at->host = a.host;
            at->service = a.service;
            at->family = a.family;
            at->websocket = l->websocket;
            at->auth = vnc_auth_primary(s, l->websocket);
            if (!l->websocket && vnc_auth_vencrypt(s, &sub)) {
                QAPI_SET(at, vencrypt, sub);
            }
            qapi_list_append(info->server, at);
        }
        qapi_list_append(list, info);
    }
    return list;
}

VncClientStatsList *qmp_x_query_vnc_stats(UNUSED Error **errp)
{
    VncClientStatsList *list = qapi_new(VncClientStatsList);

    for (VncServer *s = vnc_servers; s; s = s->next) {
        for (const VncClient *c = s->clients; c; c = c->next) {
            VncClientStats *st = qapi_new(VncClientStats);

            st->client = g_strdup_printf("%s:%s", c->host, c->service);
            st->encoding = strdup(enc_name(c->params.encoding));
            st->bytes = c->sent_bytes;
            st->updates = c->updates;
            st->rectangles = c->rects;
            st->pixels = c->pixels;
            st->cpu_ns = c->cpu_ns;
            st->seconds = c->initialized
                        ? (double)(clock_get_ns(CLOCK_RT) - c->since_ns) / NS_PER_SECOND : 0;
            qapi_list_append(list, st);
        }
    }
    return list;
}

/* --- passwords --- */

static VncServer *find_server(const char *id, Error **errp)
{
    VncServer *s = vnc_server_find(id);

    if (!s) {
        error_set_class(errp, id ? ERROR_CLASS_GENERIC_ERROR : ERROR_CLASS_DEVICE_NOT_ACTIVE,
                        ERR_NO_SUCH_DEVICE, id ? "there is no VNC server '%s'"
                                               : "no VNC server is active", id ? id : "");
    }
    return s;
}

static bool set_password(const char *id, const char *password, Error **errp)
{
    VncServer *s = find_server(id, errp);

    if (!s) {
        return false;
    }
    if (!s->use_password) {
        error_setf(errp, ERR_WRONG_STATE, "the VNC server '%s' was started without password=on",
                   s->id);
        return false;
    }
    secret_free(s->password, s->password ? strlen(s->password) : 0);
    s->password = g_strdup(password);
    return true;
}

bool qmp_change_vnc_password(const char *password, Error **errp)
{
    if (!set_password(NULL, password, errp)) {
        return false;
    }
    vnc_servers->expires_s = INT64_MAX;
    return true;
}

static bool only_vnc(DisplayProtocol p, Error **errp)
{
    if (p != DISPLAY_PROTOCOL_VNC) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_ACTIVE, ERR_NOT_SUPPORTED,
                        "SPICE isn't there; accepted: vnc");
    }
    return p == DISPLAY_PROTOCOL_VNC;
}

bool qmp_set_password(const SetPasswordOptions *o, Error **errp)
{
    if (!only_vnc(o->protocol, errp)) {
        return false;
    }
    if (o->has_connected && o->connected != SET_PASSWORD_ACTION_KEEP) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'connected' is '%s'; accepted for VNC: keep",
                   SetPasswordAction_name(o->connected));
        return false;
    }
    return set_password(o->u.vnc.display, o->password, errp);
}

bool qmp_expire_password(const ExpirePasswordOptions *o, Error **errp)
{
    const char *t = o->time;
    int64_t now = time(NULL), when;
    VncServer *s;
    char *end;

    if (!only_vnc(o->protocol, errp)) {
        return false;
    }
    if (strcmp(t, "now") == 0) {
        when = 0;
    } else if (strcmp(t, "never") == 0) {
        when = INT64_MAX;
    } else {
        bool relative = *t == '+';

        errno = 0;
        when = g_ascii_strtoll(t + relative, &end, 10);
        if (end == t + relative || *end || errno || when < 0 ||
            (relative && when > INT64_MAX - now)) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "'time' is '%s'; accepted: now, never, "
                       "+SECONDS, SECONDS", t);
            return false;
        }
        when += relative ? now : 0;
    }
    s = find_server(o->u.vnc.display, errp);
    if (s) {
        s->expires_s = when;
    }
    return s;
}

/* --- changes --- */

bool qmp_display_reload(const DisplayReloadOptions *o, Error **errp)
{
    VncServer *s = find_server(NULL, errp);

    if (!s) {
        return false;
    }
    if (!o->u.vnc.has_tls_certs || !o->u.vnc.tls_certs) {
        return true;
    }
    if (!s->tls) {
        error_setf(errp, ERR_WRONG_STATE, "the VNC server '%s' has no TLS credentials", s->id);
        return false;
    }
    return tls_creds_reload(s->tls, errp);
}

bool qmp_display_update(const DisplayUpdateOptions *o, Error **errp)
{
    VncServer *s = find_server(NULL, errp);

    return s && (!o->u.vnc.addresses || vnc_server_listen(s, o->u.vnc.addresses, errp));
}

/* --- events --- */

static VncServerInfo *server_info(VncClient *c)
{
    VncServerInfo *info = qapi_new(VncServerInfo);
    VncBasicInfo a = { 0 };

    fill_address(&a, c->fd);
    info->host = a.host;
    info->service = a.service;
    info->family = a.family;
    info->websocket = c->websocket;
    info->auth = auth_name(c->server);
    return info;
}

void vnc_event_connected(VncClient *c)
{
    VncServerInfo *server = server_info(c);
    VncBasicInfo client = { .host = c->host, .service = c->service, .family = c->family,
                            .websocket = c->websocket };

    qapi_event_send_vnc_connected(server, &client);
    qapi_free_VncServerInfo(server);
}

static void client_event(VncClient *c, void (*send)(const VncServerInfo *server, const VncClientInfo *client))
{
    VncServerInfo *server = server_info(c);
    VncClientInfo *client = qapi_new(VncClientInfo);

    fill_client(client, c);
    send(server, client);
    qapi_free_VncServerInfo(server);
    qapi_free_VncClientInfo(client);
}

void vnc_event_initialized(VncClient *c)
{
    client_event(c, qapi_event_send_vnc_initialized);
}

void vnc_event_disconnected(VncClient *c)
{
    client_event(c, qapi_event_send_vnc_disconnected);
}
