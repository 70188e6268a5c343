/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev user: a network of its own behind a translator of libslirp, with
 * DHCP, DNS, TFTP and forwarded ports, without any right on the host.
 */
#include "util/osdep.h"
#include "config.h"

#ifdef CONFIG_SLIRP
#include <arpa/inet.h>
#include <glib.h>
#include "net/offload.h"
#include "net/user-int.h"
#include "net/user.h"
#include "util/log.h"
#include "util/main-loop.h"
#include "util/timer.h"

/* libslirp's descriptors change from one poll to the next. */
typedef struct UserSource {
    GSource source;                 /* first */
    struct User *user;
} UserSource;

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
    g_array_append_val(u->wanted, p);
    return u->wanted->len - 1;
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
        g_source_remove_poll(&((UserSource *)u->source)->source, &g_array_index(u->fds, GPollFD, i));
    }
    g_array_set_size(u->fds, 0);
}

static GPollFD *fd_at(GArray *fds, unsigned i)
{
    return &g_array_index(fds, GPollFD, i);
}

static bool same_fds(const User *u)
{
    bool same = u->fds->len == u->wanted->len;

    for (unsigned i = 0; same && i < u->fds->len; i++) {
        same = fd_at(u->fds, i)->fd == fd_at(u->wanted, i)->fd;
    }
    return same;
}

/* GLib wakes a context that gets a descriptor, even the one that is about to sleep: what stays is left alone. */
static gboolean user_prepare(GSource *source, gint *timeout)
{
    User *u = ((UserSource *)source)->user;

    *timeout = -1;
    if (u->in_libslirp) {
        return false;
    }
    g_array_set_size(u->wanted, 0);
    u->timeout_ms = UINT32_MAX;
    slirp_pollfds_fill(u->slirp, &u->timeout_ms, add_poll, u);
    if (same_fds(u)) {
        for (unsigned i = 0; i < u->fds->len; i++) {
            fd_at(u->fds, i)->events = fd_at(u->wanted, i)->events;
        }
    } else {
        GArray *old = u->fds;

        forget_fds(u);
        u->fds = u->wanted;
        u->wanted = old;
        for (unsigned i = 0; i < u->fds->len; i++) {
            g_source_add_poll(source, fd_at(u->fds, i));
        }
    }
    *timeout = u->timeout_ms > INT32_MAX ? -1 : (gint)u->timeout_ms;
    return false;
}

/* Its own timers (TCP) are looked at after each poll. */
static gboolean user_check(GSource *source)
{
    return !((UserSource *)source)->user->in_libslirp;
}

static gboolean user_dispatch(GSource *source, UNUSED GSourceFunc cb, UNUSED gpointer data)
{
    User *u = ((UserSource *)source)->user;

    u->in_libslirp = true;
    slirp_pollfds_poll(u->slirp, 0, get_revents, u);
    u->in_libslirp = false;
    user_forwards_poll(u);
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

static bool address(const char *key, const char *text, struct in_addr *a, Error **errp)
{
    if (text && inet_pton(AF_INET, text, a) != 1) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%s'; accepted: an IPv4 address", key, text);
        return false;
    }
    return true;
}

static bool address6(const char *key, const char *text, struct in6_addr *a, Error **errp)
{
    if (text && inet_pton(AF_INET6, text, a) != 1) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%s'; accepted: an IPv6 address", key, text);
        return false;
    }
    return true;
}

/* "10.0.2.0/24", "10.0.2.0/255.255.255.0", "10.0.2.0" */
static bool network(const char *text, SlirpConfig *c, Error **errp)
{
    g_auto(GStrv) parts = NULL;
    char *end;
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
    if (!ok) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "'net' is '%s'; accepted: ADDRESS/BITS with 4 to 30 bits, or ADDRESS/MASK", text);
    }
    return ok;
}

/* Addresses of a network: its @n-th host. */
static struct in_addr host_of(const SlirpConfig *c, unsigned n)
{
    struct in_addr a = { htonl(ntohl(c->vnetwork.s_addr & c->vnetmask.s_addr) + n) };

    return a;
}

static bool network6(const NetdevUserOptions *o, SlirpConfig *c, Error **errp)
{
    inet_pton(AF_INET6, "fec0::", &c->vprefix_addr6);
    if (!address6("ipv6-prefix", o->ipv6_prefix, &c->vprefix_addr6, errp)) {
        return false;
    }
    c->vprefix_len = o->has_ipv6_prefixlen ? o->ipv6_prefixlen : 64;
    if (o->has_ipv6_prefixlen && (o->ipv6_prefixlen < 0 || o->ipv6_prefixlen > 126)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'ipv6-prefixlen' is %" PRId64 "; accepted: 0 to 126",
                   o->ipv6_prefixlen);
        return false;
    }
    c->vhost6 = c->vnameserver6 = c->vprefix_addr6;
    c->vhost6.s6_addr[15] |= 2;
    c->vnameserver6.s6_addr[15] |= 3;
    return address6("ipv6-host", o->ipv6_host, &c->vhost6, errp) &&
           address6("ipv6-dns", o->ipv6_dns, &c->vnameserver6, errp);
}

/* Options that may be repeated are texts, or lists of texts; the schema wants lists of structs. */
static QDict *regular(const QDict *opts)
{
    static const char *const keys[] = { "hostfwd", "guestfwd", "dnssearch" };
    QDict *d = qobject_to_dict(qobject_copy((const QObject *)opts));

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        QObject *o = qdict_get(d, keys[i]);
        QList *from = o ? qobject_to_list(o) : NULL, *to;

        if (!o || (!from && !qobject_to_string(o))) {
            continue;
        }
        to = qlist_new();
        for (size_t k = 0; k < (from ? qlist_size(from) : 1); k++) {
            QObject *e = from ? qlist_get(from, k) : o;

            qlist_append(to, qobject_to_string(e) ? QOBJECT(qdict_from_fmt("{'str': %p}", qobject_ref(e)))
                                                  : qobject_ref(e));
        }
        qdict_put(d, keys[i], to);
    }
    return d;
}

static void user_close(NetBackend *n)
{
    User *u = n->state;

    user_forwards_end(u);
    user_smb_end(u);
    if (u->source) {
        forget_fds(u);
        g_source_destroy(&((UserSource *)u->source)->source);
        g_source_unref(&((UserSource *)u->source)->source);
    }
    if (u->slirp) {
        slirp_cleanup(u->slirp);
    }
    if (u->fds) {
        g_array_unref(u->fds);
        g_array_unref(u->wanted);
    }
    g_strfreev(u->search);
    qapi_clear_struct(&qapi_type_NetdevUserOptions, &u->opts);
}

static bool configure(User *u, SlirpConfig *c, struct in_addr *smb, Error **errp)
{
    const NetdevUserOptions *o = &u->opts;

    if (!network(o->net ? o->net : o->ip, c, errp)) {
        return false;
    }
    c->vhost = host_of(c, 2);
    c->vnameserver = host_of(c, 3);
    c->vdhcp_start = host_of(c, 15);
    *smb = host_of(c, 4);
    if (!address("host", o->host, &c->vhost, errp) || !address("dns", o->dns, &c->vnameserver, errp) ||
        !address("dhcpstart", o->dhcpstart, &c->vdhcp_start, errp) ||
        !address("smbserver", o->smbserver, smb, errp) || !network6(o, c, errp)) {
        return false;
    }
    c->restricted = o->has_q_restrict && o->q_restrict;
    c->in_enabled = !o->has_ipv4 || o->ipv4;
    c->in6_enabled = !o->has_ipv6 || o->ipv6;
    /* One that is asked for alone excludes the other. */
    c->in6_enabled &= o->has_ipv6 || !o->has_ipv4 || !o->ipv4;
    c->in_enabled &= o->has_ipv4 || !o->has_ipv6 || !o->ipv6;
    if (!c->in_enabled && !c->in6_enabled) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "IPv4 and IPv6 disabled");
        return false;
    }
    c->vhostname = o->hostname;
    c->tftp_path = o->tftp;
    c->tftp_server_name = o->tftp_server_name;
    c->bootfile = o->bootfile;
    c->vdomainname = o->domainname;
    if (o->dnssearch) {
        u->search = g_new0(char *, o->dnssearch->n + 1);
        for (size_t i = 0; i < o->dnssearch->n; i++) {
            u->search[i] = g_strdup(o->dnssearch->items[i]->str);
        }
        c->vdnssearch = (const char **)u->search;
    }
    return true;
}

static bool user_open(NetBackend *n, const QDict *opts, Error **errp)
{
    QOBJECT_AUTO QDict *d = regular(opts);
    SlirpConfig c = { .version = 4 };
    struct in_addr smb;
    User *u = n->state;
    UserSource *source;

    u->net = n;
    if (!net_decode(n, &qapi_type_NetdevUserOptions, d, &u->opts, errp) || !configure(u, &c, &smb, errp)) {
        user_close(n);
        return false;
    }
    u->fds = g_array_new(false, true, sizeof(GPollFD));
    u->wanted = g_array_new(false, true, sizeof(GPollFD));
    u->slirp = slirp_new(&c, &callbacks, u);
    if (!u->slirp) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "libslirp refuses this configuration of a network");
        user_close(n);
        return false;
    }
    n->checksums_good = true;
    n->can = NET_CAN_CSUM | NET_CAN_TSO4 | NET_CAN_TSO6 | NET_CAN_ECN;
    u->first_guest = c.vdhcp_start;
    source = (UserSource *)g_source_new(&source_funcs, sizeof(UserSource));
    source->user = u;
    u->source = source;
    /* What may not recurse gets its descriptors anew, and so wakes the loop, after each of its turns. */
    g_source_set_can_recurse(&source->source, true);
    g_source_attach(&source->source, event_loop_context(main_event_loop()));
    if (!user_smb_start(u, smb, errp) || !user_forwards_start(u, errp)) {
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

/* libslirp takes packets of any size; only their checksums must be right. */
static void user_send_offload(NetBackend *n, const NetOffload *o, const uint8_t *frame, size_t len)
{
    g_autofree uint8_t *copy = g_memdup2(frame, len);

    if (!(o->flags & NET_NEEDS_CSUM) || net_checksum_fill(copy, len, o->csum_start, o->csum_offset)) {
        user_send(n, copy, len);
    }
}

static char *user_info(NetBackend *n)
{
    User *u = n->state;
    g_autofree char *smb = user_smb_info(u), *connections = slirp_connection_info(u->slirp);

    return g_strconcat(connections, smb, NULL);
}

static NetBackendType type_user = {
    .name = "user", .state_size = sizeof(User), .open = user_open,
    .close = user_close, .send = user_send, .send_offload = user_send_offload, .info = user_info,
};

User *user_find(const char *id, Error **errp)
{
    NetBackend *found = NULL;

    for (NetBackend *n = net_first(); n; n = n->next) {
        if (n->type == &type_user && (!id || !strcmp(n->id, id))) {
            if (found) {
                error_setf(errp, ERR_INVALID_ARGUMENT, "there are several user networks: name one");
                return NULL;
            }
            found = n;
        }
    }
    if (!found) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "there is no user network%s%s%s", id ? " '" : "", id ? id : "",
                   id ? "'" : "");
        return NULL;
    }
    return found->state;
}

static void CONSTRUCTOR register_type(void)
{
    net_backend_type_register(&type_user);
}

#else

#include "net/user.h"

static bool without(Error **errp)
{
    error_setf(errp, ERR_NOT_SUPPORTED, "there are no user networks: this program was built without libslirp");
    return false;
}

bool user_hostfwd_add(UNUSED const char *id, UNUSED const char *rule, Error **errp)
{
    return without(errp);
}

bool user_hostfwd_remove(UNUSED const char *id, UNUSED const char *rule, Error **errp)
{
    return without(errp);
}

void user_smb_offer(UNUSED const char *name, UNUSED const char *path, UNUSED bool read_only)
{
}
#endif
