/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev user: a network of its own behind a translator of libslirp, with
 * DHCP, DNS, TFTP and forwarded ports, without any right on the host.
 */
#include "util/osdep.h"
#include <arpa/inet.h>
#include <glib.h>
#include <slirp/libslirp.h>
#include "net/net.h"
#include "util/log.h"
#include "util/main-loop.h"
#include "util/timer.h"

/* libslirp's descriptors change from one poll to the next. */
typedef struct UserSource {
    GSource source;                 /* first */
    struct User *user;
} UserSource;

typedef struct User {
    NetBackend *net;
    Slirp *slirp;
    UserSource *source;
    GArray *fds;                    /* GPollFD, while they are polled */
    uint32_t timeout_ms;
    char *texts[4];                 /* strings that libslirp borrows */
} User;

/* --- polling --- */

static int add_poll(int fd, int events, void *opaque)
{
    User *u = opaque;
    GPollFD p = { .fd = fd };

    p.events |= events & SLIRP_POLL_IN ? G_IO_IN : 0;
    p.events |= events & SLIRP_POLL_OUT ? G_IO_OUT : 0;
    p.events |= events & SLIRP_POLL_PRI ? G_IO_PRI : 0;
    p.events |= events & SLIRP_POLL_ERR ? G_IO_ERR : 0;
    p.events |= events & SLIRP_POLL_HUP ? G_IO_HUP : 0;
    g_array_append_val(u->fds, p);
    return u->fds->len - 1;
}

static int get_revents(int index, void *opaque)
{
    User *u = opaque;
    unsigned r = g_array_index(u->fds, GPollFD, index).revents;

    return (r & G_IO_IN ? SLIRP_POLL_IN : 0) | (r & G_IO_OUT ? SLIRP_POLL_OUT : 0) |
           (r & G_IO_PRI ? SLIRP_POLL_PRI : 0) | (r & G_IO_ERR ? SLIRP_POLL_ERR : 0) |
           (r & G_IO_HUP ? SLIRP_POLL_HUP : 0);
}

static void forget_fds(User *u)
{
    for (unsigned i = 0; i < u->fds->len; i++) {
        g_source_remove_poll(&u->source->source, &g_array_index(u->fds, GPollFD, i));
    }
    g_array_set_size(u->fds, 0);
}

static gboolean user_prepare(GSource *source, gint *timeout)
{
    User *u = ((UserSource *)source)->user;

    forget_fds(u);
    u->timeout_ms = UINT32_MAX;
    slirp_pollfds_fill(u->slirp, &u->timeout_ms, add_poll, u);
    for (unsigned i = 0; i < u->fds->len; i++) {
        g_source_add_poll(source, &g_array_index(u->fds, GPollFD, i));
    }
    *timeout = u->timeout_ms > INT32_MAX ? -1 : (gint)u->timeout_ms;
    return false;
}

/* Its own timers (TCP) are looked at after each poll. */
static gboolean user_check(UNUSED GSource *source)
{
    return true;
}

static gboolean user_dispatch(GSource *source, UNUSED GSourceFunc cb, UNUSED gpointer data)
{
    User *u = ((UserSource *)source)->user;

    slirp_pollfds_poll(u->slirp, 0, get_revents, u);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { user_prepare, user_check, user_dispatch, NULL, NULL, NULL };

/* --- what libslirp calls --- */

static ssize_t send_packet(const void *buf, size_t len, void *opaque)
{
    net_deliver(((User *)opaque)->net, buf, len);
    return len;
}

static void guest_error(const char *msg, UNUSED void *opaque)
{
    log_guest_error("user network", "%s", msg);
}

static int64_t get_clock(UNUSED void *opaque)
{
    return clock_get_ns(CLOCK_VIRTUAL_RT);
}

static void *new_timer(SlirpTimerCb cb, void *cb_opaque, UNUSED void *opaque)
{
    return timer_new_ns(CLOCK_VIRTUAL_RT, cb, cb_opaque);
}

static void free_timer(void *timer, UNUSED void *opaque)
{
    timer_free(timer);
}

static void mod_timer(void *timer, int64_t expire_ms, UNUSED void *opaque)
{
    timer_mod_ns(timer, expire_ms * NS_PER_MS);
}

static void no_fd(UNUSED int fd, UNUSED void *opaque)
{
}

static void notify(UNUSED void *opaque)
{
    event_loop_kick(main_event_loop());
}

static const SlirpCb callbacks = {
    .send_packet = send_packet, .guest_error = guest_error, .clock_get_ns = get_clock,
    .timer_new = new_timer, .timer_free = free_timer, .timer_mod = mod_timer,
    .register_poll_fd = no_fd, .unregister_poll_fd = no_fd, .notify = notify,
};

/* --- options --- */

static bool address(const QDict *opts, const char *key, struct in_addr *a, Error **errp)
{
    const char *text = qdict_str_or(opts, key, NULL);

    if (text && inet_pton(AF_INET, text, a) != 1) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%s'; accepted: an IPv4 address", key, text);
        return false;
    }
    return true;
}

/* "10.0.2.0/24", "10.0.2.0/255.255.255.0", "10.0.2.0" */
static bool network(const QDict *opts, SlirpConfig *c, Error **errp)
{
    const char *text = qdict_str_or(opts, "net", NULL);
    char **parts, *end;
    bool ok;

    inet_pton(AF_INET, "10.0.2.0", &c->vnetwork);
    inet_pton(AF_INET, "255.255.255.0", &c->vnetmask);
    if (!text) {
        return true;
    }
    parts = g_strsplit(text, "/", 2);
    ok = inet_pton(AF_INET, parts[0], &c->vnetwork) == 1;
    if (ok && parts[1] && inet_pton(AF_INET, parts[1], &c->vnetmask) != 1) {
        unsigned long n = strtoul(parts[1], &end, 10);

        ok = !*end && n >= 4 && n <= 30;
        if (ok) {
            c->vnetmask.s_addr = htonl(UINT32_MAX << (32 - n));
        }
    }
    g_strfreev(parts);
    if (!ok) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "'net' is '%s'; accepted: ADDRESS/BITS with 4 to 30 bits, or ADDRESS/MASK", text);
    }
    return ok;
}

static bool on_off(const QDict *opts, const char *key, bool *v, Error **errp)
{
    const char *text = qdict_str_or(opts, key, NULL);

    if (!text) {
        *v = qdict_bool_or(opts, key, *v);
        return true;
    }
    if (strcmp(text, "on") && strcmp(text, "off") && strcmp(text, "yes") && strcmp(text, "no")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%s'; accepted: on, off", key, text);
        return false;
    }
    *v = !strcmp(text, "on") || !strcmp(text, "yes");
    return true;
}

/* Addresses of a network: its @n-th host. */
static struct in_addr host_of(const SlirpConfig *c, unsigned n)
{
    struct in_addr a = { htonl(ntohl(c->vnetwork.s_addr & c->vnetmask.s_addr) + n) };

    return a;
}

/* "tcp:127.0.0.1:2222-10.0.2.15:22"; both addresses may be empty. */
static bool forward(User *u, const SlirpConfig *c, const char *rule, Error **errp)
{
    char host[64] = "", guest[64] = "";
    const char *p = rule;
    bool udp = strncmp(p, "udp:", 4) == 0;
    struct in_addr ha = { INADDR_ANY }, ga = c->vdhcp_start;
    const char *dash, *colon;
    int hport, gport;

    p += udp || strncmp(p, "tcp:", 4) == 0 ? 4 : *p == ':' ? 1 : 0;
    dash = strchr(p, '-');
    colon = strchr(p, ':');
    if (!dash || !colon || colon > dash || (size_t)(colon - p) >= sizeof(host)) {
        goto bad;
    }
    memcpy(host, p, colon - p);
    hport = atoi(colon + 1);
    colon = strrchr(dash, ':');
    if (!colon || (size_t)(colon - dash - 1) >= sizeof(guest)) {
        goto bad;
    }
    memcpy(guest, dash + 1, colon - dash - 1);
    gport = atoi(colon + 1);
    if ((*host && inet_pton(AF_INET, host, &ha) != 1) ||
        (*guest && inet_pton(AF_INET, guest, &ga) != 1) || hport < 0 || hport > 65535 ||
        gport < 1 || gport > 65535) {
        goto bad;
    }
    if (slirp_add_hostfwd(u->slirp, udp, ha, hport, ga, gport) < 0) {
        error_setf(errp, ERR_HOST, "can't forward '%s': the host's port can't be had", rule);
        return false;
    }
    return true;
bad:
    error_setf(errp, ERR_INVALID_ARGUMENT, "'hostfwd' is '%s'; accepted: "
               "[tcp|udp]:[HOST-ADDRESS]:PORT-[GUEST-ADDRESS]:PORT", rule);
    return false;
}

static bool forwards(User *u, const SlirpConfig *c, const QDict *opts, Error **errp)
{
    QObject *o = qdict_get(opts, "hostfwd");
    const char *text = o ? qobject_get_str(o, "hostfwd", NULL) : NULL;
    QList *list = o ? qobject_to_list(o) : NULL;

    if (text) {
        return forward(u, c, text, errp);
    }
    if (list) {
        QLIST_FOR_EACH(e, list) {
            QDict *d = qobject_to_dict(e);
            const char *s = d ? qdict_get_str(d, "str", errp) : qobject_get_str(e, "hostfwd", errp);

            if (!s || !forward(u, c, s, errp)) {
                return false;
            }
        }
    }
    return true;
}

static void user_close(NetBackend *n)
{
    User *u = n->state;

    if (u->source) {
        forget_fds(u);
        g_source_destroy(&u->source->source);
        g_source_unref(&u->source->source);
    }
    if (u->slirp) {
        slirp_cleanup(u->slirp);
    }
    if (u->fds) {
        g_array_unref(u->fds);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(u->texts); i++) {
        g_free(u->texts[i]);
    }
}

static bool user_open(NetBackend *n, const QDict *opts, Error **errp)
{
    User *u = n->state;
    bool restricted = false, ipv4 = true, ipv6 = true;
    SlirpConfig c = { .version = 4, .vprefix_len = 64 };

    u->net = n;
    if (!network(opts, &c, errp)) {
        return false;
    }
    c.vhost = host_of(&c, 2);
    c.vnameserver = host_of(&c, 3);
    c.vdhcp_start = host_of(&c, 15);
    inet_pton(AF_INET6, "fec0::", &c.vprefix_addr6);
    inet_pton(AF_INET6, "fec0::2", &c.vhost6);
    inet_pton(AF_INET6, "fec0::3", &c.vnameserver6);
    if (!address(opts, "host", &c.vhost, errp) || !address(opts, "dns", &c.vnameserver, errp) ||
        !address(opts, "dhcpstart", &c.vdhcp_start, errp) ||
        !on_off(opts, "restrict", &restricted, errp) || !on_off(opts, "ipv4", &ipv4, errp) ||
        !on_off(opts, "ipv6", &ipv6, errp)) {
        return false;
    }
    c.restricted = restricted;
    c.in_enabled = ipv4;
    c.in6_enabled = ipv6;
    c.vhostname = u->texts[0] = g_strdup(qdict_str_or(opts, "hostname", NULL));
    c.tftp_path = u->texts[1] = g_strdup(qdict_str_or(opts, "tftp", NULL));
    c.bootfile = u->texts[2] = g_strdup(qdict_str_or(opts, "bootfile", NULL));
    c.vdomainname = u->texts[3] = g_strdup(qdict_str_or(opts, "domainname", NULL));
    u->fds = g_array_new(false, true, sizeof(GPollFD));
    u->slirp = slirp_new(&c, &callbacks, u);
    if (!u->slirp) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "libslirp refuses this configuration of a network");
        user_close(n);
        return false;
    }
    u->source = (UserSource *)g_source_new(&source_funcs, sizeof(UserSource));
    u->source->user = u;
    g_source_attach(&u->source->source, event_loop_context(main_event_loop()));
    if (!forwards(u, &c, opts, errp)) {
        user_close(n);
        return false;
    }
    return true;
}

static void user_send(NetBackend *n, const uint8_t *frame, size_t len)
{
    User *u = n->state;

    slirp_input(u->slirp, frame, len);
    event_loop_kick(main_event_loop());
}

static char *user_info(NetBackend *n)
{
    return slirp_connection_info(((User *)n->state)->slirp);
}

static const char *const user_options[] = {
    "net", "host", "dns", "dhcpstart", "restrict", "ipv4", "ipv6", "hostname", "tftp", "bootfile",
    "domainname", "hostfwd", NULL,
};

static NetBackendType type_user = {
    .name = "user", .options = user_options, .state_size = sizeof(User), .open = user_open,
    .close = user_close, .send = user_send, .info = user_info,
};

static void CONSTRUCTOR register_type(void)
{
    net_backend_type_register(&type_user);
}
