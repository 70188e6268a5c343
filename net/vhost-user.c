/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "net/vhost-user.h"

#include <glib.h>
#include "chardev/chardev.h"
#include "qapi/types-net.h"
#include "util/log.h"
#include "util/main-loop.h"

#define TIMEOUT_MS      10000

/* Requests, and what belongs to their flags. Numbers are in the host's order: both sides are on it. */
enum { GET_FEATURES = 1, SET_FEATURES = 2, SET_OWNER = 3, SET_MEM_TABLE = 5, SET_VRING_NUM = 8,
       SET_VRING_ADDR = 9, SET_VRING_BASE = 10, GET_VRING_BASE = 11, SET_VRING_KICK = 12,
       SET_VRING_CALL = 13, GET_PROTOCOL_FEATURES = 15, SET_PROTOCOL_FEATURES = 16, GET_QUEUE_NUM = 17,
       SET_VRING_ENABLE = 18 };
enum { FLAG_VERSION = 1, FLAG_REPLY = 4, FLAG_NEED_REPLY = 8 };
enum { F_PROTOCOL_FEATURES = 30 };                              /* bit of the features */
enum { PROTOCOL_F_MQ = 0, PROTOCOL_F_REPLY_ACK = 3 };

typedef struct Header {
    uint32_t request, flags, size;
} Header;
typedef struct State {
    uint32_t index, num;
} State;
typedef struct Addr {
    uint32_t index, flags;
    uint64_t desc, used, avail, log;
} Addr;
typedef struct Region {
    uint64_t guest_addr, size, host_addr, fd_offset;
} Region;
typedef struct Memory {
    uint32_t n, padding;
    Region r[VHOST_USER_REGIONS_MAX];
} Memory;

struct VhostUser {
    NetBackend *net;
    CharFrontend fe;
    char *chardev;
    unsigned pairs;                 /* asked for */
    uint64_t features, protocol;
    bool connected;
    BottomHalf *hello;              /* after a connection: asks what it can do */
    const VhostUserOps *ops;
    void *opaque;
};

/* --- messages --- */

static bool send_message(VhostUser *u, uint32_t request, uint32_t flags, const void *payload, uint32_t size,
                         const int *fds, size_t n_fds, Error **errp)
{
    uint8_t buf[sizeof(Header) + sizeof(Memory)];
    Header h = { request, FLAG_VERSION | flags, size };

    assert(size <= sizeof(Memory));
    memcpy(buf, &h, sizeof(h));
    if (size) {
        memcpy(buf + sizeof(h), payload, size);
    }
    return chr_fe_write_sync(&u->fe, buf, sizeof(h) + size, fds, n_fds, TIMEOUT_MS, errp);
}

/* The answer must be to @request and of exactly @size bytes. */
static bool get_answer(VhostUser *u, uint32_t request, void *payload, uint32_t size, Error **errp)
{
    Header h;

    if (!chr_fe_read_sync(&u->fe, &h, sizeof(h), TIMEOUT_MS, errp)) {
        return false;
    }
    if (h.request != request || h.size != size || (h.flags & 7) != (FLAG_VERSION | FLAG_REPLY)) {
        error_setf(errp, ERR_PROTOCOL, "vhost-user '%s': answer %u of %u bytes, flags 0x%x, to request %u; "
                   "accepted: %u bytes", u->net->id, h.request, h.size, h.flags, request, size);
        return false;
    }
    return chr_fe_read_sync(&u->fe, payload, size, TIMEOUT_MS, errp);
}

/* A request without an answer of its own; waits for its acknowledgement where there is one. */
static bool tell(VhostUser *u, uint32_t request, const void *payload, uint32_t size, const int *fds,
                 size_t n_fds, Error **errp)
{
    bool ack = u->protocol & BIT(PROTOCOL_F_REPLY_ACK);
    uint64_t result = 0;

    if (!send_message(u, request, ack ? FLAG_NEED_REPLY : 0, payload, size, fds, n_fds, errp) ||
        (ack && !get_answer(u, request, &result, sizeof(result), errp))) {
        return false;
    }
    if (result) {
        error_setf(errp, ERR_HOST, "vhost-user '%s' refuses request %u", u->net->id, request);
    }
    return !result;
}

static bool tell_u64(VhostUser *u, uint32_t request, uint64_t value, Error **errp)
{
    return tell(u, request, &value, sizeof(value), NULL, 0, errp);
}

static bool ask_u64(VhostUser *u, uint32_t request, uint64_t *value, Error **errp)
{
    return send_message(u, request, 0, NULL, 0, NULL, 0, errp) &&
           get_answer(u, request, value, sizeof(*value), errp);
}

/* --- for devices --- */

VhostUser *vhost_user_of(NetBackend *n)
{
    return n && n->vhost && n->open ? n->lead->state : NULL;
}

void vhost_user_set_ops(VhostUser *u, const VhostUserOps *ops, void *opaque)
{
    u->ops = ops;
    u->opaque = opaque;
}

bool vhost_user_is_connected(const VhostUser *u)
{
    return u->connected;
}

uint64_t vhost_user_features(const VhostUser *u)
{
    return u->features;
}

uint64_t vhost_user_backend_features(const VhostUser *u)
{
    return u->features & BIT64(F_PROTOCOL_FEATURES);
}

uint64_t vhost_user_protocol(const VhostUser *u)
{
    return u->protocol;
}

unsigned vhost_user_pairs(const VhostUser *u)
{
    return net_queues(u->net);
}

bool vhost_user_set_features(VhostUser *u, uint64_t features, Error **errp)
{
    return tell_u64(u, SET_FEATURES, features | (u->features & BIT64(F_PROTOCOL_FEATURES)), errp);
}

bool vhost_user_set_memory(VhostUser *u, const VhostRegion *r, unsigned n, Error **errp)
{
    int fds[VHOST_USER_REGIONS_MAX];
    Memory m = { .n = n };

    assert(n <= VHOST_USER_REGIONS_MAX);
    for (unsigned i = 0; i < n; i++) {
        m.r[i] = (Region){ r[i].guest_addr, r[i].size, r[i].host_addr, r[i].fd_offset };
        fds[i] = r[i].fd;
    }
    return tell(u, SET_MEM_TABLE, &m, offsetof(Memory, r) + n * sizeof(Region), fds, n, errp);
}

bool vhost_user_start_ring(VhostUser *u, const VhostRing *r, Error **errp)
{
    State num = { r->index, r->num }, base = { r->index, r->base };
    Addr a = { .index = r->index, .desc = r->desc, .used = r->used, .avail = r->avail };
    uint64_t index = r->index;

    return tell(u, SET_VRING_NUM, &num, sizeof(num), NULL, 0, errp) &&
           tell(u, SET_VRING_BASE, &base, sizeof(base), NULL, 0, errp) &&
           tell(u, SET_VRING_ADDR, &a, sizeof(a), NULL, 0, errp) &&
           tell(u, SET_VRING_CALL, &index, sizeof(index), &r->call_fd, 1, errp) &&
           tell(u, SET_VRING_KICK, &index, sizeof(index), &r->kick_fd, 1, errp);
}

bool vhost_user_enable_ring(VhostUser *u, unsigned index, bool on, Error **errp)
{
    State s = { index, on };

    /* Without the extension a ring runs as soon as it is kicked. */
    return !(u->features & BIT64(F_PROTOCOL_FEATURES)) ||
           tell(u, SET_VRING_ENABLE, &s, sizeof(s), NULL, 0, errp);
}

bool vhost_user_stop_ring(VhostUser *u, unsigned index, uint32_t *base, Error **errp)
{
    State s = { .index = index };

    if (!send_message(u, GET_VRING_BASE, 0, &s, sizeof(s), NULL, 0, errp) ||
        !get_answer(u, GET_VRING_BASE, &s, sizeof(s), errp)) {
        return false;
    }
    if (s.index != index || s.num > UINT16_MAX) {
        error_setf(errp, ERR_PROTOCOL, "vhost-user '%s': ring %u stopped at %u, asked for ring %u", u->net->id,
                   s.index, s.num, index);
        return false;
    }
    *base = s.num;
    return true;
}

/* --- connections --- */

static bool greet(VhostUser *u, Error **errp)
{
    uint64_t queues = 1, protocol = 0;

    u->protocol = 0;
    if (!ask_u64(u, GET_FEATURES, &u->features, errp)) {
        return false;
    }
    if (u->features & BIT64(F_PROTOCOL_FEATURES)) {
        if (!ask_u64(u, GET_PROTOCOL_FEATURES, &protocol, errp)) {
            return false;
        }
        protocol &= BIT(PROTOCOL_F_MQ) | BIT(PROTOCOL_F_REPLY_ACK);
        if (!tell_u64(u, SET_PROTOCOL_FEATURES, protocol, errp)) {
            return false;
        }
        u->protocol = protocol;
        if (protocol & BIT(PROTOCOL_F_MQ) && !ask_u64(u, GET_QUEUE_NUM, &queues, errp)) {
            return false;
        }
    }
    if (queues < u->pairs) {
        error_setf(errp, ERR_OUT_OF_RANGE, "you are asking more queues than supported: %" PRIu64, queues);
        return false;
    }
    return tell(u, SET_OWNER, NULL, 0, NULL, 0, errp);
}

static void set_link(VhostUser *u, bool up)
{
    for (NetBackend *q = u->net; q; q = q->next_queue) {
        q->link_down = !up;
    }
    if (u->net->ops && u->net->ops->link_changed) {
        u->net->ops->link_changed(u->net->opaque, up);
    }
}

static void say_hello(void *opaque)
{
    VhostUser *u = opaque;
    Error *err = NULL;

    if (u->connected || !chr_fe_is_open(&u->fe)) {
        return;
    }
    if (!greet(u, &err)) {
        error_report(err);
        chr_fe_disconnect(&u->fe);
        return;
    }
    u->connected = true;
    if (u->ops) {
        u->ops->connected(u->opaque);
    }
    set_link(u, true);
}

static size_t takes_nothing(UNUSED void *opaque)
{
    return 0;
}

static void receive(UNUSED void *opaque, UNUSED const uint8_t *buf, UNUSED size_t len)
{
}

static void fe_event(void *opaque, ChrEvent event)
{
    VhostUser *u = opaque;

    if (event == CHR_EVENT_OPENED) {
        bh_schedule(u->hello);
    } else if (event == CHR_EVENT_CLOSED && u->connected) {
        u->connected = false;
        if (u->ops) {
            u->ops->disconnected(u->opaque);
        }
        set_link(u, false);
    }
}

static const ChrHandlers handlers = { .can_receive = takes_nothing, .receive = receive, .event = fe_event };

/* --- the back end --- */

static bool start(VhostUser *u, Error **errp)
{
    if (!chr_fe_init_by_id(&u->fe, u->chardev, errp)) {
        return false;
    }
    u->hello = bh_new_on(main_event_loop(), say_hello, u);
    chr_fe_set_handlers(&u->fe, &handlers, u);
    if (!chr_fe_wait_open(&u->fe, 3 * TIMEOUT_MS, errp) || (!u->connected && !greet(u, errp))) {
        return false;
    }
    u->connected = true;
    return true;
}

static void vhost_user_close(NetBackend *n)
{
    VhostUser *u = n->state;

    if (n != n->lead) {
        return;
    }
    if (u->connected && u->ops) {
        u->connected = false;
        u->ops->disconnected(u->opaque);
    }
    chr_fe_deinit(&u->fe);
    bh_delete(u->hello);
    g_free(u->chardev);
    *u = (VhostUser){ 0 };
}

static bool vhost_user_open(NetBackend *n, const QDict *opts, Error **errp)
{
    NetdevVhostUserOptions o = { 0 };
    VhostUser *u = n->state;
    int64_t pairs;

    if (!net_decode(n, &qapi_type_NetdevVhostUserOptions, opts, &o, errp)) {
        return false;
    }
    pairs = o.has_queues ? o.queues : 1;
    u->net = n;
    u->chardev = g_strdup(o.chardev);
    u->pairs = pairs;
    qapi_clear_struct(&qapi_type_NetdevVhostUserOptions, &o);
    if (pairs < 1 || pairs > VHOST_USER_PAIRS_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "vhost-user number of queues must be in range [1, %d]",
                   VHOST_USER_PAIRS_MAX);
        vhost_user_close(n);
        return false;
    }
    n->vhost = true;
    for (int64_t i = 1; i < pairs; i++) {
        net_add_queue(n)->vhost = true;
    }
    if (!start(u, errp)) {
        vhost_user_close(n);
        return false;
    }
    return true;
}

/* The device's queues are elsewhere. */
static void vhost_user_send(UNUSED NetBackend *n, UNUSED const uint8_t *frame, UNUSED size_t len)
{
}

static char *vhost_user_info(NetBackend *n)
{
    VhostUser *u = n->lead->state;

    return g_strdup_printf("vhost-user %s, %u pairs of queues%s", u->chardev, u->pairs,
                           u->connected ? "" : ", not connected");
}

static NetBackendType type_vhost_user = {
    .name = "vhost-user", .state_size = sizeof(VhostUser), .open = vhost_user_open,
    .close = vhost_user_close, .send = vhost_user_send, .info = vhost_user_info,
};

static void CONSTRUCTOR register_type(void)
{
    net_backend_type_register(&type_vhost_user);
}
