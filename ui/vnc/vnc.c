/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening for clients, refreshing the screen for them, query-vnc. */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "qapi/commands-ui.h"
#include "ui/vnc/vnc-int.h"
#include "ui/vnc/vnc.h"

#define REFRESH_MS      33
#define DISPLAY_MAX     (65535 - 5900)

VncServer *vnc_servers;

static void accept_client(int fd, UNUSED unsigned events, void *opaque)
{
    VncServer *s = opaque;
    int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (c >= 0) {
        vnc_client_new(s, c);
        if (!timer_pending(&s->refresh)) {
            timer_mod_ns(&s->refresh, clock_get_ns(CLOCK_RT) + REFRESH_MS * NS_PER_MS);
        }
    }
}

/* While somebody watches. */
static void refresh(void *opaque)
{
    VncServer *s = opaque;
    Console *con = console_by_index(0);

    if (!s->clients || !con) {
        return;
    }
    console_refresh(con);
    for (VncClient *c = s->clients, *next; c; c = next) {
        next = c->next;
        vnc_client_update(c);
    }
    timer_mod_ns(&s->refresh, clock_get_ns(CLOCK_RT) + REFRESH_MS * NS_PER_MS);
}

static int listen_unix(const char *path, Error **errp)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(a.sun_path)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the socket's path '%s' is too long; accepted: up to %zu "
                   "characters", path, sizeof(a.sun_path) - 1);
        return -1;
    }
    strcpy(a.sun_path, path);
    unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 5) < 0) {
        error_set_errno(errp, errno, "can't listen on '%s'", path);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static int try_port(const char *host, unsigned port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *list, *a;
    char service[8];
    int fd = -1;

    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(*host ? host : NULL, service, &hints, &list) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    for (a = list; a && fd < 0; a = a->ai_next) {
        int one = 1;

        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) {
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, 5) < 0) {
            int saved = errno;

            close(fd);
            errno = saved;
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}

static bool display_number(const char *text, unsigned *n)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);

    *n = v;
    return end != text && !*end && v <= DISPLAY_MAX;
}

static int listen_tcp(VncServer *s, const char *place, const char *last, Error **errp)
{
    const char *colon = strrchr(place, ':');
    unsigned first = 0, to;
    int fd = -1;

    if (!colon || !display_number(colon + 1, &first)) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "'%s' is no place for VNC; accepted: HOST:DISPLAY, unix:PATH, none", place);
        return -1;
    }
    to = first;
    if (last && !display_number(last, &to)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'to' is '%s'; accepted: 0 to %d", last,
                   DISPLAY_MAX);
        return -1;
    }
    s->host = g_strndup(place, colon - place);
    for (unsigned d = first; d <= to && fd < 0; d++) {
        fd = try_port(s->host, 5900 + d);
        if (fd >= 0) {
            s->service = g_strdup_printf("%u", 5900 + d);
        }
    }
    if (fd < 0) {
        error_set_errno(errp, errno, "can't listen on '%s'", place);
    }
    return fd;
}

static bool known_option(const QDict *opts, Error **errp)
{
    static const char *const known[] = { "vnc", "to", "share", "id", "audiodev", "lossy",
                                         "non-adaptive", "key-delay-ms", "power-control", NULL };

    QDICT_FOR_EACH(e, opts) {
        const char *const *k = known;

        while (*k && strcmp(*k, e->key)) {
            k++;
        }
        if (!*k) {
            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "-vnc has no option '%s'", e->key);
            return false;
        }
    }
    return true;
}

bool vnc_open(const QDict *opts, Error **errp)
{
    const char *place = qdict_get_str(opts, "vnc", errp);
    VncServer *s;

    if (!place || !known_option(opts, errp)) {
        return false;
    }
    if (strcmp(place, "none") == 0) {
        return true;
    }
    s = g_new0(VncServer, 1);
    if (g_str_has_prefix(place, "unix:")) {
        s->is_unix = true;
        s->path = g_strdup(place + 5);
        s->fd = listen_unix(s->path, errp);
    } else {
        s->fd = listen_tcp(s, place, qdict_str_or(opts, "to", NULL), errp);
    }
    if (s->fd < 0) {
        g_free(s->host);
        g_free(s->path);
        g_free(s);
        return false;
    }
    timer_init_ns(&s->refresh, CLOCK_RT, refresh, s);
    s->watch = fd_watch_new(s->fd, FD_READ, accept_client, s);
    s->next = vnc_servers;
    vnc_servers = s;
    return true;
}

void vnc_close_all(void)
{
    while (vnc_servers) {
        VncServer *s = vnc_servers;

        vnc_servers = s->next;
        timer_del(&s->refresh);
        fd_watch_remove(s->watch);
        close(s->fd);
        for (VncClient *c = s->clients; c; c = c->next) {
            vnc_client_close(c);
        }
        if (s->path) {
            unlink(s->path);
        }
        /* Its clients' coroutines still look at it: it goes with the process. */
    }
}

VncInfo *qmp_query_vnc(UNUSED Error **errp)
{
    VncInfo *info = qapi_new(VncInfo);
    VncServer *s = vnc_servers;

    info->enabled = s;
    if (!s) {
        return info;
    }
    info->host = strdup(s->is_unix ? s->path : *s->host ? s->host : "0.0.0.0");
    info->service = strdup(s->is_unix ? "" : s->service);
    info->has_family = true;
    info->family = s->is_unix ? NETWORK_ADDRESS_FAMILY_UNIX : NETWORK_ADDRESS_FAMILY_IPV4;
    info->auth = strdup("none");
    info->clients = qapi_new(VncClientInfoList);
    for (VncClient *c = s->clients; c; c = c->next) {
        VncClientInfo *ci = qapi_new(VncClientInfo);

        ci->host = strdup(c->host ? c->host : "");
        ci->service = strdup(c->service ? c->service : "");
        ci->family = info->family;
        qapi_list_append(info->clients, ci);
    }
    return info;
}
