/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Servers: their options, and listening. */
#include "util/osdep.h"
#include <sys/socket.h>
#include <unistd.h>
#include "audio/audio.h"
#include "crypto/secret.h"
#include "qapi/sockets.h"
#include "ui/vnc/vnc-int.h"
#include "ui/vnc/vnc.h"

#define PORT_BASE           5900
#define PORT_BASE_WS        5700
#define DISPLAY_MAX         (65535 - PORT_BASE)
#define CONNECTIONS_DEFAULT 32
#define KEY_DELAY_DEFAULT   10
#define KEY_DELAY_MAX       1000
#define CLIENTS_MAX         256         /* of one server */
#define BACKLOG             16

VncServer *vnc_servers;

/* --- options --- */

static const char *const known_options[] = {
    "vnc", "id", "to", "ipv4", "ipv6", "reverse", "websocket", "password", "password-secret",
    "tls-creds", "tls-authz", "sasl", "sasl-authz", "acl", "share", "connections", "lossy",
    "non-adaptive", "lock-key-sync", "key-delay-ms", "power-control", "audiodev", "display", "head",
    NULL
};

static bool check_options(const QDict *opts, Error **errp)
{
    QDICT_FOR_EACH(e, opts) {
        const char *const *k = known_options;

        while (*k && strcmp(*k, e->key)) {
            k++;
        }
        if (!*k) {
            char *all = g_strjoinv(", ", (char **)(known_options + 1));

            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "-vnc has no option '%s'", e->key);
            error_hint(errp, "it has: %s", all);
            g_free(all);
            return false;
        }
    }
    return true;
}

static bool opt_bool(const QDict *opts, const char *name, bool otherwise, bool *value, Error **errp)
{
    const QObject *o = qdict_get(opts, name);
    const char *text = o ? qdict_str_or(opts, name, NULL) : NULL;

    *value = otherwise;
    if (!o) {
        return true;
    }
    if (!text) {
        return qdict_get_bool(opts, name, value, errp);
    }
    *value = strcmp(text, "on") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 ||
             strcmp(text, "y") == 0;
    if (!*value && strcmp(text, "off") && strcmp(text, "no") && strcmp(text, "false") &&
        strcmp(text, "n")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%s'; accepted: on, off", name, text);
        return false;
    }
    return true;
}

static bool parse_number(const char *text, unsigned max, unsigned *n)
{
    char *end;
    unsigned long v;

    if (!g_ascii_isdigit(*text)) {
        return false;
    }
    v = strtoul(text, &end, 10);
    *n = v;
    return !*end && v <= max;
}

static bool opt_unsigned(const QDict *opts, const char *name, unsigned otherwise, unsigned max,
                         unsigned *value, Error **errp)
{
    const char *text = qdict_str_or(opts, name, NULL);
    int64_t v;

    *value = otherwise;
    if (!qdict_has(opts, name)) {
        return true;
    }
    if (!text) {
        if (!qdict_get_int_range(opts, name, 0, max, &v, errp)) {
            return false;
        }
        *value = v;
        return true;
    }
    if (!parse_number(text, max, value)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%s'; accepted: 0 to %u", name, text, max);
        return false;
    }
    return true;
}

static bool set_policy(VncServer *s, const QDict *opts, Error **errp)
{
    static const char *const names[] = { "allow-exclusive", "force-shared", "ignore" };
    const char *text = qdict_str_or(opts, "share", names[0]);

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            s->share = i;
            return true;
        }
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "'share' is '%s'; accepted: allow-exclusive, "
               "force-shared, ignore", text);
    return false;
}

static bool set_security(VncServer *s, const QDict *opts, Error **errp)
{
    const char *secret = qdict_str_or(opts, "password-secret", NULL);
    const char *creds = qdict_str_or(opts, "tls-creds", NULL);

    if (!opt_bool(opts, "password", false, &s->use_password, errp) ||
        !opt_bool(opts, "sasl", false, &s->use_sasl, errp)) {
        return false;
    }
    s->expires_s = INT64_MAX;
    if (secret) {
        if (qdict_has(opts, "password")) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "'password' and 'password-secret' exclude each "
                       "other");
            return false;
        }
        s->password = secret_text(secret, errp);
        if (!s->password) {
            return false;
        }
        s->use_password = true;
    }
    if (s->use_sasl && !vnc_sasl_available()) {
        error_setf(errp, ERR_NOT_SUPPORTED, "'sasl' needs Cyrus SASL, which isn't there");
        return false;
    }
    if (creds) {
        s->tls = tls_creds_get(creds, true, errp);
        if (!s->tls) {
            return false;
        }
        s->tls_id = g_strdup(creds);
    }
    s->tls_authz = g_strdup(qdict_str_or(opts, "tls-authz", NULL));
    s->sasl_authz = g_strdup(qdict_str_or(opts, "sasl-authz", NULL));
    if (s->tls_authz && (!s->tls || !tls_creds_is_x509(s->tls))) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'tls-authz' needs 'tls-creds' with certificates");
        return false;
    }
    if (s->sasl_authz && !s->use_sasl) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'sasl-authz' needs 'sasl'");
        return false;
    }
    return true;
}

static bool set_rest(VncServer *s, const QDict *opts, Error **errp)
{
    bool non_adaptive, lock_sync;
    unsigned head;

    if (!opt_bool(opts, "lossy", false, &s->lossy, errp) ||
        !opt_bool(opts, "non-adaptive", false, &non_adaptive, errp) ||
        !opt_bool(opts, "power-control", false, &s->power_control, errp) ||
        !opt_bool(opts, "lock-key-sync", true, &lock_sync, errp) ||
        !opt_unsigned(opts, "connections", CONNECTIONS_DEFAULT, CLIENTS_MAX, &s->connections,
                      errp) ||
        !opt_unsigned(opts, "key-delay-ms", KEY_DELAY_DEFAULT, KEY_DELAY_MAX, &s->key_delay_ms,
                      errp) ||
        !opt_unsigned(opts, "head", 0, 63, &head, errp)) {
        return false;
    }
    s->adaptive = !non_adaptive;
    s->head = head;
    s->display = g_strdup(qdict_str_or(opts, "display", NULL));
    s->audiodev = g_strdup(qdict_str_or(opts, "audiodev", NULL));
    if (s->audiodev && !audiodev_find(s->audiodev)) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "there is no audiodev '%s'", s->audiodev);
        return false;
    }
    if (s->display && !console_find(s->display, s->head, errp)) {
        return false;
    }
    if (qdict_has(opts, "acl")) {
        error_setf(errp, ERR_NOT_SUPPORTED, "'acl' is gone; use 'tls-authz' and 'sasl-authz'");
        return false;
    }
    return true;
}

/* --- listening --- */

static void accept_client(int fd, UNUSED unsigned events, void *opaque)
{
    VncListener *l = opaque;
    int c = socket_accept(fd);
    unsigned n = 0;

    if (c < 0) {
        return;
    }
    for (VncClient *v = l->server->clients; v; v = v->next) {
        n++;
    }
    if (n >= CLIENTS_MAX) {
        close(c);
        return;
    }
    vnc_client_new(l->server, c, l->websocket, false);
}

static void add_listener(VncServer *s, int fd, bool websocket, const char *path)
{
    VncListener *l = g_new0(VncListener, 1);

    l->fd = fd;
    l->websocket = websocket;
    l->path = g_strdup(path);
    l->server = s;
    l->watch = fd_watch_new_on(main_event_loop(), fd, FD_READ, accept_client, l);
    g_ptr_array_add(s->listeners, l);
}

static void free_listener(void *p)
{
    VncListener *l = p;

    fd_watch_remove(l->watch);
    close(l->fd);
    if (l->path) {
        unlink(l->path);
        g_free(l->path);
    }
    g_free(l);
}

static bool add_address(VncServer *s, const SocketAddress *a, bool websocket, Error **errp)
{
    int fd = socket_listen(a, BACKLOG, errp);

    if (fd >= 0) {
        add_listener(s, fd, websocket,
                     a->type == SOCKET_ADDRESS_TYPE_UNIX && !a->u.q_unix.abstract
                         ? a->u.q_unix.path : NULL);
    }
    return fd >= 0;
}

bool vnc_server_listen(VncServer *s, const SocketAddressList *addresses, Error **errp)
{
    GPtrArray *old = s->listeners;
    bool ok = true;

    s->listeners = g_ptr_array_new_with_free_func(free_listener);
    for (size_t i = 0; ok && i < addresses->n; i++) {
        ok = add_address(s, addresses->items[i], false, errp);
    }
    if (!ok) {
        g_ptr_array_unref(s->listeners);
        s->listeners = old;
        return false;
    }
    /* A Unix socket's file that is used again stays. */
    for (guint i = 0; i < old->len; i++) {
        VncListener *o = g_ptr_array_index(old, i);

        for (guint k = 0; k < s->listeners->len && o->path; k++) {
            VncListener *l = g_ptr_array_index(s->listeners, k);

            if (l->path && strcmp(l->path, o->path) == 0) {
                g_clear_pointer(&o->path, g_free);
            }
        }
    }
    g_ptr_array_unref(old);
    return true;
}

static bool set_families(InetSocketAddress *a, const QDict *opts, Error **errp)
{
    bool v4, v6;

    if (!opt_bool(opts, "ipv4", false, &v4, errp) || !opt_bool(opts, "ipv6", false, &v6, errp)) {
        return false;
    }
    if (qdict_has(opts, "ipv4")) {
        QAPI_SET(a, ipv4, v4);
    }
    if (qdict_has(opts, "ipv6")) {
        QAPI_SET(a, ipv6, v6);
    }
    return true;
}

/* HOST with the brackets of IPv6 addresses taken off. */
static char *bare_host(const char *text, size_t n)
{
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        return strndup(text + 1, n - 2);
    }
    return strndup(text, n);
}

/* @display_base: 0 when what follows the colon is a port. */
static SocketAddress *inet_address(const char *place, const QDict *opts, unsigned base,
                                   unsigned *port, Error **errp)
{
    const char *colon = strrchr(place, ':');
    SocketAddress *a;
    unsigned to;

    if (!colon || !parse_number(colon + 1, 65535 - base, port)) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "'%s' is no place for VNC; accepted: HOST:DISPLAY, unix:PATH, none", place);
        return NULL;
    }
    *port += base;
    a = qapi_new(SocketAddress);
    a->type = SOCKET_ADDRESS_TYPE_INET;
    a->u.inet.host = bare_host(place, colon - place);
    a->u.inet.port = strdup("");
    if (!set_families(&a->u.inet, opts, errp) ||
        !opt_unsigned(opts, "to", 0, DISPLAY_MAX, &to, errp)) {
        qapi_free_SocketAddress(a);
        return NULL;
    }
    if (qdict_has(opts, "to") && base) {
        QAPI_SET(&a->u.inet, to, base + to);
    }
    return a;
}

static void set_port(SocketAddress *a, unsigned port)
{
    free(a->u.inet.port);
    a->u.inet.port = g_strdup_printf("%u", port);
}

/* websocket=on, PORT or HOST:PORT. */
static bool listen_websocket(VncServer *s, const char *place, const QDict *opts, unsigned display,
                             Error **errp)
{
    const char *text = qdict_str_or(opts, "websocket", NULL);
    unsigned port = PORT_BASE_WS + display;
    SocketAddress *a;
    bool on = false, ok;

    if (!qdict_has(opts, "websocket") || (text && strcmp(text, "off") == 0)) {
        return true;
    }
    if (!text) {
        int64_t n;

        if (qdict_get_int_range(opts, "websocket", 1, 65535, &n, NULL)) {
            port = n;
        } else if (!qdict_get_bool(opts, "websocket", &on, errp)) {
            return false;
        } else if (!on) {
            return true;
        }
    } else if (strcmp(text, "on") && strcmp(text, "yes") && !parse_number(text, 65535, &port)) {
        a = inet_address(text, opts, 0, &port, errp);
        if (!a) {
            return false;
        }
        goto listen;
    }
    if (g_str_has_prefix(place, "unix:")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'websocket' needs HOST:PORT with a Unix socket");
        return false;
    }
    a = qapi_new(SocketAddress);
    a->type = SOCKET_ADDRESS_TYPE_INET;
    a->u.inet.host = bare_host(place, strrchr(place, ':') - place);
    a->u.inet.port = strdup("");
    if (!set_families(&a->u.inet, opts, errp)) {
        qapi_free_SocketAddress(a);
        return false;
    }
listen:
    set_port(a, port);
    ok = add_address(s, a, true, errp);
    qapi_free_SocketAddress(a);
    return ok;
}

static bool start_reverse(VncServer *s, const SocketAddress *a, bool *started, Error **errp)
{
    int fd = socket_connect(a, errp);

    if (fd < 0) {
        return false;
    }
    vnc_client_new(s, fd, false, false);
    *started = true;
    return true;
}

static bool start(VncServer *s, const char *place, const QDict *opts, Error **errp)
{
    bool reverse, ok, started = false;
    unsigned port = PORT_BASE;
    SocketAddress *a;

    if (!opt_bool(opts, "reverse", false, &reverse, errp)) {
        return false;
    }
    if (g_str_has_prefix(place, "unix:")) {
        a = qapi_new(SocketAddress);
        a->type = SOCKET_ADDRESS_TYPE_UNIX;
        a->u.q_unix.path = strdup(place + 5);
    } else {
        a = inet_address(place, opts, reverse ? 0 : PORT_BASE, &port, errp);
        if (!a) {
            return false;
        }
        set_port(a, port);
    }
    ok = reverse ? start_reverse(s, a, &started, errp) : add_address(s, a, false, errp);
    if (ok && !reverse && s->listeners->len && a->type == SOCKET_ADDRESS_TYPE_INET) {
        /* With to= it may be a later one. */
        VncListener *l = g_ptr_array_index(s->listeners, 0);
        SocketAddress *real = socket_local_address(l->fd, NULL);

        if (real && real->type == SOCKET_ADDRESS_TYPE_INET) {
            port = atoi(real->u.inet.port);
        }
        qapi_free_SocketAddress(real);
    }
    qapi_free_SocketAddress(a);
    return ok && (reverse || listen_websocket(s, place, opts, port - PORT_BASE, errp));
}

/* --- life --- */

VncServer *vnc_server_find(const char *id)
{
    VncServer *s = vnc_servers;

    while (s && id && strcmp(s->id, id)) {
        s = s->next;
    }
    return s;
}

VncScreen *vnc_server_screen(VncServer *s)
{
    Console *con = s->display ? console_find(s->display, s->head, NULL) : console_by_index(0);

    if (s->screen && s->screen->listener.console != con && !s->clients) {
        vnc_screen_unref(s->screen);        /* a display device came or went */
        s->screen = NULL;
    }
    if (!s->screen) {
        s->screen = vnc_screen_get(con);
    }
    return s->screen;
}

static void server_free(VncServer *s)
{
    g_ptr_array_unref(s->listeners);
    vnc_screen_unref(s->screen);
    object_unref(s->tls);
    secret_free(s->password, s->password ? strlen(s->password) : 0);
    g_free(s->id);
    g_free(s->name);
    g_free(s->display);
    g_free(s->tls_id);
    g_free(s->tls_authz);
    g_free(s->sasl_authz);
    g_free(s->audiodev);
    g_free(s);
}

static char *new_id(void)
{
    char *id = g_strdup("default");

    for (unsigned i = 2; vnc_server_find(id) && vnc_servers; i++) {
        g_free(id);
        id = i == 2 ? g_strdup("vnc2") : g_strdup_printf("vnc%u", i);
    }
    return id;
}

bool vnc_open(const QDict *opts, Error **errp)
{
    const char *place = qdict_get_str(opts, "vnc", errp), *id = qdict_str_or(opts, "id", NULL);
    VncServer *s, **pp = &vnc_servers;

    if (!place || !check_options(opts, errp)) {
        return false;
    }
    if (id && vnc_servers && vnc_server_find(id)) {
        error_setf(errp, ERR_DUPLICATE_ID, "there is a VNC server '%s' already", id);
        return false;
    }
    s = g_new0(VncServer, 1);
    s->id = id ? g_strdup(id) : new_id();
    s->name = g_strdup("QEMU");
    s->listeners = g_ptr_array_new_with_free_func(free_listener);
    while (*pp) {
        pp = &(*pp)->next;
    }
    if (!set_policy(s, opts, errp) || !set_security(s, opts, errp) || !set_rest(s, opts, errp)) {
        server_free(s);
        return false;
    }
    *pp = s;                    /* a reverse connection needs it there */
    if (strcmp(place, "none") != 0 && !start(s, place, opts, errp)) {
        *pp = NULL;
        server_free(s);
        return false;
    }
    return true;
}

/* The clients' coroutines end when they are entered again. */
static void wait_for_clients(VncServer *s)
{
    int64_t end = clock_get_ns(CLOCK_RT) + 2 * NS_PER_SECOND;

    for (VncClient *c = s->clients; c; c = c->next) {
        vnc_client_close(c);
    }
    while (s->clients && clock_get_ns(CLOCK_RT) < end) {
        main_loop_iterate(true);
    }
}

void vnc_close_all(void)
{
    for (VncServer *s = vnc_servers; s; s = s->next) {
        g_ptr_array_set_size(s->listeners, 0);
        wait_for_clients(s);
    }
    while (vnc_servers) {
        VncServer *s = vnc_servers;

        vnc_servers = s->next;
        if (!s->clients) {
            server_free(s);
        }
    }
}

bool vnc_add_client(int fd, bool skip_auth, UNUSED bool tls, Error **errp)
{
    int type = 0;
    socklen_t len = sizeof(type);

    if (!vnc_servers) {
        error_setf(errp, ERR_WRONG_STATE, "there is no VNC server");
        return false;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_STREAM) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "the descriptor is no stream socket");
        return false;
    }
    vnc_client_new(vnc_servers, fd, false, skip_auth);
    return true;
}
