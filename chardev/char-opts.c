/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the command line to ChardevBackend: the keys of -chardev, and the short
 * forms of -serial and its like, which are translated to those keys.
 */
#include "util/osdep.h"
#include "chardev/char-int.h"
#include "qapi/sockets.h"
#include "qobject/qobject.h"

/* Set at start-up by monitor/. */
static bool (*monitor_hook)(Chardev *mux, Error **errp);

void chardev_set_monitor_hook(bool (*new_monitor)(Chardev *mux, Error **errp))
{
    monitor_hook = new_monitor;
}

/* --------------------------------------------------------------- options */

/* Keys are taken out as they are used; what is left at the end is wrong. */
typedef struct Opts {
    QDict *left;
    Error *err;                 /* the first mistake */
} Opts;

static bool take(Opts *o, const char *key, const QapiType *type, void *slot)
{
    QObject *value = qdict_take(o->left, key);
    bool ok;

    if (!value) {
        return false;
    }
    ok = !o->err && qapi_decode(type, value, key, QAPI_DECODE_KEYVAL, slot, &o->err);
    qobject_unref(value);
    return ok;
}

/* NULL if absent; malloc'd. */
static char *take_str(Opts *o, const char *key)
{
    char *s = NULL;

    take(o, key, &qapi_type_str, &s);
    return s;
}

#define TAKE(o, obj, field, key, qtype) \
    ((obj)->has_##field = take(o, key, &qapi_type_##qtype, &(obj)->field))

static char *need_str(Opts *o, const char *key, const char *kind)
{
    char *s = take_str(o, key);

    if (!s && !o->err) {
        error_setf(&o->err, ERR_MISSING_ARGUMENT, "chardev: %s: no %s given", kind, key);
        error_argument(&o->err, key, NULL, "a string");
    }
    return s ? s : strdup("");
}

static void take_common(Opts *o, void *data)
{
    ChardevCommon *c = data;

    c->logfile = take_str(o, "logfile");
    TAKE(o, c, logappend, "logappend", bool);
}

static void take_inet(Opts *o, InetSocketAddress *inet, char *host, const char *port_key)
{
    inet->host = host ? host : strdup("");
    inet->port = need_str(o, port_key, "socket");
    TAKE(o, inet, to, "to", uint16);
    TAKE(o, inet, ipv4, "ipv4", bool);
    TAKE(o, inet, ipv6, "ipv6", bool);
}

static SocketAddressLegacy *take_address(Opts *o)
{
    SocketAddressLegacy *addr = qapi_new(SocketAddressLegacy);
    char *path = take_str(o, "path"), *host = take_str(o, "host"), *fd = take_str(o, "fd");

    if (!!path + !!host + !!fd != 1 && !o->err) {
        error_setf(&o->err, ERR_INVALID_ARGUMENT,
                   path || host || fd ? "None or one of 'path', 'host' and 'fd' is expected"
                   : "chardev: socket: no host given");
        error_argument(&o->err, "host", NULL, "exactly one of host, path and fd");
    }
    if (path) {
        UnixSocketAddress *u = qapi_new(UnixSocketAddress);

        addr->type = SOCKET_ADDRESS_TYPE_UNIX;
        addr->u.q_unix.data = u;
        u->path = path;
        TAKE(o, u, abstract, "abstract", bool);
        TAKE(o, u, tight, "tight", bool);
        free(host);
        free(fd);
    } else if (fd) {
        addr->type = SOCKET_ADDRESS_TYPE_FD;
        addr->u.fd.data = qapi_new(String);
        addr->u.fd.data->str = fd;
        free(host);
    } else {
        addr->type = SOCKET_ADDRESS_TYPE_INET;
        addr->u.inet.data = qapi_new(InetSocketAddress);
        take_inet(o, addr->u.inet.data, host, "port");
    }
    return addr;
}

static void take_socket(Opts *o, ChardevBackend *b)
{
    ChardevSocket *s = b->u.socket.data = qapi_new(ChardevSocket);
    bool delay = true;

    s->addr = take_address(o);
    TAKE(o, s, server, "server", bool);
    if (!s->has_server) {
        QAPI_SET(s, server, false);         /* unlike in QMP */
    }
    TAKE(o, s, wait, "wait", bool);
    if (!s->has_wait && s->server) {
        QAPI_SET(s, wait, true);
    }
    TAKE(o, s, nodelay, "nodelay", bool);
    if (take(o, "delay", &qapi_type_bool, &delay)) {
        QAPI_SET(s, nodelay, !delay);
    }
    TAKE(o, s, telnet, "telnet", bool);
    TAKE(o, s, tn3270, "tn3270", bool);
    TAKE(o, s, websocket, "websocket", bool);
    TAKE(o, s, reconnect, "reconnect", int);
    s->tls_creds = take_str(o, "tls-creds");
    s->tls_authz = take_str(o, "tls-authz");
}

static SocketAddressLegacy *udp_address(Opts *o, char *host, const char *port_key)
{
    SocketAddressLegacy *addr = qapi_new(SocketAddressLegacy);

    addr->type = SOCKET_ADDRESS_TYPE_INET;
    addr->u.inet.data = qapi_new(InetSocketAddress);
    if (qdict_has(o->left, port_key)) {
        take_inet(o, addr->u.inet.data, host, port_key);
    } else {
        addr->u.inet.data->host = host ? host : strdup("");
        addr->u.inet.data->port = strdup("0");
    }
    return addr;
}

static void take_udp(Opts *o, ChardevBackend *b)
{
    ChardevUdp *u = b->u.udp.data = qapi_new(ChardevUdp);
    char *host = take_str(o, "host");

    if (!qdict_has(o->left, "port") && !o->err) {
        error_setf(&o->err, ERR_MISSING_ARGUMENT, "chardev: udp: no port given");
    }
    if (qdict_has(o->left, "localaddr") || qdict_has(o->left, "localport")) {
        u->local = udp_address(o, take_str(o, "localaddr"), "localport");
    }
    u->remote = udp_address(o, host ? host : strdup("localhost"), "port");
}

static void take_backend(Opts *o, ChardevBackend *b)
{
    const char *kind = ChardevBackendKind_name(b->type);

    switch (b->type) {
    case CHARDEV_BACKEND_KIND_FILE:
        b->u.file.data = qapi_new(ChardevFile);
        b->u.file.data->out = need_str(o, "path", kind);
        b->u.file.data->in = take_str(o, "input-path");
        TAKE(o, b->u.file.data, append, "append", bool);
        break;
    case CHARDEV_BACKEND_KIND_SERIAL:
    case CHARDEV_BACKEND_KIND_PARALLEL:
    case CHARDEV_BACKEND_KIND_PIPE:
        b->u.pipe.data = qapi_new(ChardevHostdev);
        b->u.pipe.data->device = need_str(o, "path", kind);
        break;
    case CHARDEV_BACKEND_KIND_SOCKET:
        take_socket(o, b);
        break;
    case CHARDEV_BACKEND_KIND_UDP:
        take_udp(o, b);
        break;
    case CHARDEV_BACKEND_KIND_MUX:
        b->u.mux.data = qapi_new(ChardevMux);
        b->u.mux.data->chardev = need_str(o, "chardev", kind);
        break;
    case CHARDEV_BACKEND_KIND_STDIO:
        b->u.stdio.data = qapi_new(ChardevStdio);
        TAKE(o, b->u.stdio.data, signal, "signal", bool);
        break;
    case CHARDEV_BACKEND_KIND_VC:
        b->u.vc.data = qapi_new(ChardevVC);
        TAKE(o, b->u.vc.data, width, "width", int);
        TAKE(o, b->u.vc.data, height, "height", int);
        TAKE(o, b->u.vc.data, cols, "cols", int);
        TAKE(o, b->u.vc.data, rows, "rows", int);
        break;
    case CHARDEV_BACKEND_KIND_RINGBUF:
    case CHARDEV_BACKEND_KIND_MEMORY:
        b->u.ringbuf.data = qapi_new(ChardevRingbuf);
        if (take(o, "size", &qapi_type_size, &b->u.ringbuf.data->size)) {
            b->u.ringbuf.data->has_size = true;
        }
        break;
    case CHARDEV_BACKEND_KIND_QEMU_VDAGENT:
        b->u.qemu_vdagent.data = qapi_new(ChardevQemuVDAgent);
        TAKE(o, b->u.qemu_vdagent.data, mouse, "mouse", bool);
        TAKE(o, b->u.qemu_vdagent.data, clipboard, "clipboard", bool);
        break;
    default:
        b->u.null.data = qapi_new(ChardevCommon);
        break;
    }
    /* All of them start with ChardevCommon. */
    take_common(o, b->u.null.data);
}

/* "tty" and "parport" are the older names. */
static int backend_kind(const char *name, Error **errp)
{
    Error *err = NULL;
    int kind;

    if (!strcmp(name, "tty")) {
        return CHARDEV_BACKEND_KIND_SERIAL;
    }
    if (!strcmp(name, "parport")) {
        return CHARDEV_BACKEND_KIND_PARALLEL;
    }
    kind = qapi_enum_parse(&qapi_type_ChardevBackendKind, name, "backend", &err);
    if (kind < 0) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "'%s' is not a valid char driver name", name);
        error_argument(errp, "backend", name, error_argument_accepted(err));
        error_hint(errp, "%s", error_hint_text(err));
        error_free(err);
    }
    return kind;
}

static Chardev *new_with_mux(const char *id, const ChardevBackend *b, Error **errp)
{
    ChardevBackend mux = { .type = CHARDEV_BACKEND_KIND_MUX };
    ChardevMux opts = { 0 };
    char *base_id = g_strdup_printf("%s-base", id);
    Chardev *chr = chardev_new(base_id, b, errp);

    if (chr) {
        opts.chardev = base_id;
        mux.u.mux.data = &opts;
        chr = chardev_new(id, &mux, errp);
        if (!chr) {
            chardev_remove(base_id, NULL);
        }
    }
    g_free(base_id);
    return chr;
}

static Chardev *from_opts(const QDict *opts, bool change, Error **errp)
{
    Opts o = { qobject_to_dict(qobject_copy(QOBJECT(opts))), NULL };
    ChardevBackend *b = qapi_new(ChardevBackend);
    char *id = take_str(&o, "id"), *name = take_str(&o, "backend");
    bool mux = false;
    Chardev *chr = NULL;
    int kind = -1;

    if (!o.err && !id) {
        error_setf(&o.err, ERR_MISSING_ARGUMENT, "chardev: no id specified");
    } else if (!o.err && !name) {
        error_setf(&o.err, ERR_MISSING_ARGUMENT, "chardev: \"%s\" missing backend", id);
    } else if (!o.err) {
        kind = backend_kind(name, &o.err);
    }
    if (kind >= 0) {
        b->type = kind;
        take(&o, "mux", &qapi_type_bool, &mux);
        take_backend(&o, b);
        if (!o.err && qdict_size(o.left)) {
            const char *key = qdict_entry(o.left, 0)->key;

            error_setf(&o.err, ERR_UNKNOWN_ARGUMENT, "Invalid parameter '%s'", key);
            error_argument(&o.err, key, NULL, chardev_ops(kind) ? chardev_ops(kind)->args : "");
            if (chardev_ops(kind)) {
                error_hint(&o.err, "accepted: %s%s[,mux=on][,logfile=F][,logappend=on]", name,
                           *chardev_ops(kind)->args ? chardev_ops(kind)->args : "");
            }
        }
        if (!o.err) {
            chr = change ? chardev_change(id, b, &o.err)
                         : mux ? new_with_mux(id, b, &o.err) : chardev_new(id, b, &o.err);
        }
        qapi_free_ChardevBackend(b);
    } else {
        free(b);
    }
    error_propagate(errp, o.err);
    free(id);
    free(name);
    qobject_unref(o.left);
    return chr;
}

Chardev *chardev_new_from_opts(const QDict *opts, Error **errp)
{
    return from_opts(opts, false, errp);
}

Chardev *chardev_change_from_opts(const QDict *opts, Error **errp)
{
    return from_opts(opts, true, errp);
}

/* ----------------------------------------------------------- short forms */

/* ",server=on,nowait" and the like behind the address of a short form. */
static bool put_rest(QDict *d, const char *rest, Error **errp)
{
    char **parts = g_strsplit(rest, ",", -1);
    bool ok = true;

    for (char **p = parts; *p && ok; p++) {
        char *eq = strchr(*p, '=');

        if (!**p) {
            continue;
        }
        if (eq) {
            *eq = '\0';
            qdict_put_str(d, *p, eq + 1);
        } else if (!strncmp(*p, "no", 2) && strcmp(*p, "nodelay")) {
            qdict_put_str(d, *p + 2, "off");        /* nowait */
        } else if (strchr(*p, ' ')) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' isn't an option", *p);
            ok = false;
        } else {
            qdict_put_str(d, *p, "on");             /* server */
        }
    }
    g_strfreev(parts);
    return ok;
}

static bool put_inet(QDict *d, const char *text, Error **errp)
{
    InetSocketAddress *inet = inet_parse(text, errp);

    if (!inet) {
        return false;
    }
    qdict_put_str(d, "host", inet->host);
    qdict_put_str(d, "port", inet->port);
    qapi_free_InetSocketAddress(inet);
    return true;
}

/* udp:[HOST]:PORT[@[LOCAL]:PORT] */
static bool put_udp(QDict *d, const char *text, Error **errp)
{
    char **sides = g_strsplit(text, "@", 2);
    bool ok = put_inet(d, sides[0] ? sides[0] : "", errp);

    if (ok && sides[1]) {
        InetSocketAddress *local = inet_parse(sides[1], errp);

        ok = local != NULL;
        if (ok) {
            qdict_put_str(d, "localaddr", local->host);
            qdict_put_str(d, "localport", local->port);
            qapi_free_InetSocketAddress(local);
        }
    }
    g_strfreev(sides);
    return ok;
}

/* vc:800x600 or vc:80Cx24C */
static bool put_vc(QDict *d, const char *size, Error **errp)
{
    unsigned w, h;
    char dummy;

    if (sscanf(size, "%7uCx%7uC%c", &w, &h, &dummy) == 2) {
        qdict_put_int(d, "cols", w);
        qdict_put_int(d, "rows", h);
        return true;
    }
    if (sscanf(size, "%7ux%7u%c", &w, &h, &dummy) == 2) {
        qdict_put_int(d, "width", w);
        qdict_put_int(d, "height", h);
        return true;
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "vc size '%s' isn't of the form WxH or WCxHC", size);
    return false;
}

static bool spec_to_opts(QDict *d, const char *spec, Error **errp)
{
    static const char *const plain[] = { "null", "pty", "stdio", "vc", "ringbuf" };
    static const struct { const char *prefix, *backend, *key; } with_path[] = {
        { "file:", "file", "path" }, { "pipe:", "pipe", "path" },
        { "unix:", "socket", "path" }, { "fd:", "socket", "fd" },
    };
    const char *comma = spec + strcspn(spec, ",");
    g_autofree char *head = g_strndup(spec, comma - spec);

    if (!put_rest(d, comma, errp)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        if (!strcmp(head, plain[i])) {
            qdict_put_str(d, "backend", plain[i]);
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(with_path); i++) {
        size_t len = strlen(with_path[i].prefix);

        if (!strncmp(head, with_path[i].prefix, len)) {
            qdict_put_str(d, "backend", with_path[i].backend);
            qdict_put_str(d, with_path[i].key, head + len);
            return true;
        }
    }
    if (!strncmp(head, "tcp:", 4) || !strncmp(head, "telnet:", 7)) {
        qdict_put_str(d, "backend", "socket");
        if (head[1] == 'e') {
            qdict_put_str(d, "telnet", "on");
        }
        return put_inet(d, strchr(head, ':') + 1, errp);
    }
    if (!strncmp(head, "udp:", 4)) {
        qdict_put_str(d, "backend", "udp");
        return put_udp(d, head + 4, errp);
    }
    if (!strncmp(head, "vc:", 3)) {
        qdict_put_str(d, "backend", "vc");
        return put_vc(d, head + 3, errp);
    }
    if (!strncmp(head, "/dev/", 5)) {
        bool parallel = !strncmp(head, "/dev/parport", 12) || !strncmp(head, "/dev/ppi", 8);

        qdict_put_str(d, "backend", parallel ? "parallel" : "serial");
        qdict_put_str(d, "path", head);
        return true;
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is not a valid char driver", spec);
    error_argument(errp, NULL, spec, "null, stdio, pty, vc, file:F, pipe:F, tcp:H:P, telnet:H:P, "
                   "unix:F, udp:H:P, /dev/..., mon:..., chardev:ID, none");
    error_hint(errp, "accepted: null, stdio, pty, vc[:WxH], file:F, pipe:F, tcp:H:P, telnet:H:P, "
               "unix:F, udp:H:P, /dev/..., mon:..., chardev:ID, none");
    return false;
}

Chardev *chardev_new_from_spec(const char *id, const char *spec, Error **errp)
{
    bool mon = !strncmp(spec, "mon:", 4);
    Chardev *chr = NULL;
    QDict *d;

    if (!strncmp(spec, "chardev:", 8)) {
        chr = chardev_find(spec + 8);
        if (!chr) {
            error_setf(errp, ERR_NO_SUCH_DEVICE, "chardev '%s' not found", spec + 8);
            error_argument(errp, NULL, spec + 8, NULL);
        }
        return chr;
    }
    if (!strcmp(spec, "none")) {
        return NULL;
    }
    d = qdict_new();
    qdict_put_str(d, "id", id);
    if (mon) {
        qdict_put_str(d, "mux", "on");
        if (!strcmp(spec, "mon:stdio")) {
            qdict_put_str(d, "signal", "off");      /* Ctrl-c is for the guest */
        }
    }
    if (spec_to_opts(d, mon ? spec + 4 : spec, errp)) {
        chr = chardev_new_from_opts(d, errp);
        if (chr && mon && monitor_hook && !monitor_hook(chr, errp)) {
            chardev_remove(id, NULL);
            chr = NULL;
        }
    }
    qobject_unref(d);
    return chr;
}

bool chardev_check_spec(const char *spec, Error **errp)
{
    QDict *d;
    bool ok;

    if (!strncmp(spec, "chardev:", 8)) {
        return chardev_new_from_spec("", spec, errp);
    }
    if (!strcmp(spec, "none")) {
        return true;
    }
    d = qdict_new();
    ok = spec_to_opts(d, !strncmp(spec, "mon:", 4) ? spec + 4 : spec, errp);
    qobject_unref(d);
    return ok;
}

char *chardev_help(void)
{
    GString *s = g_string_new("Available chardev backend types:\n");

    for (int i = 0; i < CHARDEV_BACKEND_KIND__MAX; i++) {
        const ChardevOps *ops = chardev_ops(i);

        if (ops) {
            g_string_append_printf(s, "  %s,id=ID%s%s\n", ChardevBackendKind_name(i),
                                   *ops->args && *ops->args != '[' ? "," : "", ops->args);
        }
    }
    return g_string_free(s, false);
}
