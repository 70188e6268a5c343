/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev user: ports of the host that lead to the guest, and addresses of the network that lead to a
 * program or a character device of the host. */
#include "util/osdep.h"
#include "config.h"

#ifdef CONFIG_SLIRP
#include <arpa/inet.h>
#include <glib.h>
#include "chardev/chardev.h"
#include "net/user-int.h"
#include "net/user.h"

/* --- hostfwd --- */

typedef struct HostRule {
    bool udp;
    struct in_addr host, guest;
    int host_port, guest_port;
} HostRule;

/* "ADDRESS:PORT" up to @end (NULL: the text's end); an empty address leaves *a as it is. */
static bool parse_end(const char *p, const char *end, struct in_addr *a, int *port, int lowest)
{
    g_autofree char *text = end ? g_strndup(p, end - p) : g_strdup(p);
    char *colon = strrchr(text, ':'), *stop;
    long n;

    if (!colon) {
        return false;
    }
    *colon = '\0';
    n = strtol(colon + 1, &stop, 10);
    *port = n;
    return *stop == '\0' && stop != colon + 1 && n >= lowest && n <= 65535 &&
           (!*text || inet_pton(AF_INET, text, a) == 1);
}

/* "tcp:", "udp:" or ":" before the rest. */
static const char *protocol(const char *p, bool *udp)
{
    *udp = g_str_has_prefix(p, "udp:");
    return *udp || g_str_has_prefix(p, "tcp:") ? p + 4 : *p == ':' ? p + 1 : p;
}

/* "tcp:127.0.0.1:2222-10.0.2.15:22"; both addresses may be empty. */
static bool host_forward(User *u, const char *text, Error **errp)
{
    HostRule r = { .host = { INADDR_ANY }, .guest = u->first_guest };
    const char *p = protocol(text, &r.udp), *dash = strchr(p, '-');

    if (!dash || !parse_end(p, dash, &r.host, &r.host_port, 0) ||
        !parse_end(dash + 1, NULL, &r.guest, &r.guest_port, 1)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'hostfwd' is '%s'; accepted: "
                   "[tcp|udp]:[HOST-ADDRESS]:PORT-[GUEST-ADDRESS]:PORT", text);
        return false;
    }
    if (slirp_add_hostfwd(u->slirp, r.udp, r.host, r.host_port, r.guest, r.guest_port) < 0) {
        error_setf(errp, ERR_HOST, "can't forward '%s': the host's port can't be had", text);
        return false;
    }
    return true;
}

bool user_hostfwd_add(const char *id, const char *rule, Error **errp)
{
    User *u = user_find(id, errp);

    return u && host_forward(u, rule, errp);
}

bool user_hostfwd_remove(const char *id, const char *rule, Error **errp)
{
    HostRule r = { .host = { INADDR_ANY } };
    const char *p = protocol(rule, &r.udp);
    User *u = user_find(id, errp);

    if (!u) {
        return false;
    }
    if (!parse_end(p, NULL, &r.host, &r.host_port, 1)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is no forwarded port; accepted: "
                   "[tcp|udp]:[HOST-ADDRESS]:PORT", rule);
        return false;
    }
    if (slirp_remove_hostfwd(u->slirp, r.udp, r.host, r.host_port) < 0) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "the host's port '%s' isn't forwarded", rule);
        return false;
    }
    return true;
}

/* --- guestfwd --- */

typedef struct GuestForward {
    User *user;
    struct in_addr address;
    int port;
    CharFrontend fe;
    char *own_chardev;          /* made for this; NULL: it was there */
} GuestForward;

static ssize_t from_guest(const void *buf, size_t len, void *opaque)
{
    chr_fe_write_all(&((GuestForward *)opaque)->fe, buf, len);
    return len;
}

static size_t can_send(void *opaque)
{
    GuestForward *f = opaque;

    return slirp_socket_can_recv(f->user->slirp, f->address, f->port);
}

static void to_guest(void *opaque, const uint8_t *buf, size_t len)
{
    GuestForward *f = opaque;

    slirp_socket_recv(f->user->slirp, f->address, f->port, buf, len);
}

static const ChrHandlers forward_handlers = { .can_receive = can_send, .receive = to_guest };

static void guest_forward_free(void *opaque)
{
    GuestForward *f = opaque;

    chr_fe_deinit(&f->fe);
    if (f->own_chardev) {
        chardev_remove(f->own_chardev, NULL);
    }
    g_free(f->own_chardev);
    g_free(f);
}

static bool to_chardev(GuestForward *f, const char *dev, Error **errp)
{
    Chardev *chr;

    if (g_str_has_prefix(dev, "chardev:")) {
        chr = chardev_find(dev + 8);
        if (!chr) {
            error_setf(errp, ERR_NO_SUCH_BACKEND, "there is no character device '%s'", dev + 8);
            return false;
        }
    } else {
        f->own_chardev = chardev_new_id("guestfwd");
        chr = chardev_new_from_spec(f->own_chardev, dev, errp);
        if (!chr) {
            g_clear_pointer(&f->own_chardev, g_free);
            return false;
        }
    }
    if (!chr_fe_init(&f->fe, chr, errp)) {
        return false;
    }
    if (slirp_add_guestfwd(f->user->slirp, from_guest, f, &f->address, f->port) < 0) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "conflicting or invalid address of 'guestfwd'");
        return false;
    }
    chr_fe_set_handlers(&f->fe, &forward_handlers, f);
    return true;
}

/* "[tcp]:ADDRESS:PORT-DEV", "[tcp]:ADDRESS:PORT-cmd:COMMAND" */
static bool guest_forward(User *u, const char *text, Error **errp)
{
    struct in_addr address = { 0 };
    bool udp, ok;
    const char *p = protocol(text, &udp), *dash = strchr(p, '-');
    GuestForward *f;
    int port;

    if (udp || !dash || !dash[1] || !parse_end(p, dash, &address, &port, 1)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'guestfwd' is '%s'; accepted: [tcp]:ADDRESS:PORT-DEV, or "
                   "[tcp]:ADDRESS:PORT-cmd:COMMAND", text);
        return false;
    }
    if (g_str_has_prefix(dash + 1, "cmd:")) {
        if (slirp_add_exec(u->slirp, dash + 5, &address, port) < 0) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "conflicting or invalid address in 'guestfwd' '%s'", text);
            return false;
        }
        return true;
    }
    f = g_new0(GuestForward, 1);
    *f = (GuestForward){ .user = u, .address = address, .port = port };
    ok = to_chardev(f, dash + 1, errp);
    if (ok) {
        g_ptr_array_add(u->guest_forwards, f);
    } else {
        guest_forward_free(f);
    }
    return ok;
}

bool user_forwards_start(User *u, Error **errp)
{
    const StringList *host = u->opts.hostfwd, *guest = u->opts.guestfwd;

    u->guest_forwards = g_ptr_array_new_with_free_func(guest_forward_free);
    for (size_t i = 0; host && i < host->n; i++) {
        if (!host_forward(u, host->items[i]->str, errp)) {
            return false;
        }
    }
    for (size_t i = 0; guest && i < guest->n; i++) {
        if (!guest_forward(u, guest->items[i]->str, errp)) {
            return false;
        }
    }
    return true;
}

void user_forwards_poll(User *u)
{
    for (guint i = 0; u->guest_forwards && i < u->guest_forwards->len; i++) {
        chr_fe_accept_input(&((GuestForward *)g_ptr_array_index(u->guest_forwards, i))->fe);
    }
}

void user_forwards_end(User *u)
{
    if (u->guest_forwards) {
        g_ptr_array_unref(u->guest_forwards);
        u->guest_forwards = NULL;
    }
}
#endif
