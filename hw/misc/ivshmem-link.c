/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "hw/misc/ivshmem-link.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hw/misc/ivshmem-broker.h"
#include "util/bswap.h"
#include "util/doorbell.h"
#include "util/rcu.h"

#define PROTOCOL_VERSION    0
#define MEMORY_FOLLOWS      (-1)
#define ANSWER_MS           5000
#define MEMORY_MAX          (UINT64_C(1) << 40)

/* Never changed once it is published: another vector makes another one. */
struct IvshmemPeer {
    unsigned n;
    int fds[];
};

struct IvshmemVector {
    IvshmemLink *link;
    unsigned nr;
    Doorbell *bell;                 /* on an eventfd of peers[link->id]; NULL: not set up */
};

/* --- peers --- */

static void close_peer(void *opaque)
{
    IvshmemPeer *p = opaque;

    for (unsigned i = 0; i < p->n; i++) {
        close(p->fds[i]);
    }
    g_free(p);
}

static void free_peer(void *opaque)
{
    g_free(opaque);
}

static void forget_peer(IvshmemLink *l, uint16_t id)
{
    IvshmemPeer *p = l->peers[id];

    if (p) {
        rcu_store(&l->peers[id], NULL);
        l->fds -= p->n;
        rcu_call(close_peer, p);    /* somebody may be ringing it */
    }
}

/* One vector more; takes @fd. */
static void add_vector(IvshmemLink *l, uint16_t id, int fd)
{
    IvshmemPeer *old = l->peers[id];
    unsigned n = old ? old->n : 0;
    IvshmemPeer *p = g_malloc(sizeof(*p) + (n + 1) * sizeof(p->fds[0]));

    if (old) {
        memcpy(p->fds, old->fds, n * sizeof(p->fds[0]));
        rcu_call(free_peer, old);
    }
    p->fds[n] = fd;
    p->n = n + 1;
    l->fds++;
    rcu_store(&l->peers[id], p);
}

static void stop_own(IvshmemLink *l)
{
    for (unsigned i = 0; i < l->vectors; i++) {
        doorbell_remove(l->own[i].bell);
        l->own[i].bell = NULL;
    }
}

/* As if nobody had ever been there. */
static void forget_all(IvshmemLink *l)
{
    stop_own(l);
    for (unsigned id = 0; id < IVSHMEM_IDS; id++) {
        forget_peer(l, (uint16_t)id);
    }
}

void ivshmem_link_ring(IvshmemLink *l, uint16_t id, uint16_t vector)
{
    IvshmemPeer **peers;
    const IvshmemPeer *p;

    RCU_READ_GUARD();
    peers = rcu_load(&l->peers);
    p = peers ? rcu_load(&peers[id]) : NULL;
    if (p && vector < p->n) {
        /* EAGAIN: so many rings wait there that one more says nothing new. */
        eventfd_write(p->fds[vector], 1);
        doorbell_rang();
    }
}

void ivshmem_link_ring_all(IvshmemLink *l, uint16_t vector)
{
    for (unsigned id = 0; id < IVSHMEM_IDS; id++) {
        if (l->peers[id] && id != l->id) {
            ivshmem_link_ring(l, (uint16_t)id, vector);
        }
    }
}

/* --- being rung --- */

static void own_rung(void *opaque)
{
    IvshmemVector *v = opaque;

    v->link->ops->rung(v->link->opaque, v->nr);
}

/* What is rung while the VM stands stays in the eventfd, so that state saved
 * meanwhile has no ring that came after it. */
static void run_state_changed(RunstateListener *listener, bool running, UNUSED RunState state)
{
    IvshmemLink *l = container_of(listener, IvshmemLink, listener);

    for (unsigned i = 0; i < l->vectors; i++) {
        if (l->own[i].bell) {
            doorbell_enable(l->own[i].bell, running);
        }
    }
}

static void set_up_vector(IvshmemLink *l, unsigned nr, int fd)
{
    IvshmemVector *v = &l->own[nr];

    v->bell = doorbell_new(fd, own_rung, v);
    doorbell_enable(v->bell, runstate_is_running());
}

/* --- messages --- */

static bool protocol_error(IvshmemLink *l, Error **errp, const char *what, int64_t number)
{
    error_setf(errp, ERR_PROTOCOL, "%s: the ivshmem server sends %s (%" PRId64 ")", l->name, what, number);
    return false;
}

/* A server that has come back must have brought the same. */
static bool same_memory(IvshmemLink *l, int fd, Error **errp)
{
    struct stat a, b;
    bool same = fstat(fd, &a) == 0 && fstat(memory_region_ram_block(&l->memory)->fd, &b) == 0 &&
                a.st_dev == b.st_dev && a.st_ino == b.st_ino;

    close(fd);
    if (!same) {
        error_setf(errp, ERR_PROTOCOL, "%s: the server has come back with other memory: plug the device anew to see it",
                   l->name);
    }
    return same;
}

static bool map_memory(IvshmemLink *l, int fd, uint64_t size, Error **errp)
{
    g_autofree char *path = device_bus_path(l->dev);
    g_autofree char *id = g_strconcat(path ? path : "", path ? "/" : "", "ivshmem.bar2", NULL);
    RamBlock *block;

    if (size > MEMORY_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the shared memory has %" PRIu64 " bytes; accepted: 1 to %" PRIu64,
                   size, MEMORY_MAX);
        close(fd);
        return false;
    }
    block = ram_block_new_fd(id, size, fd, 0, RAM_SHARED, errp);
    if (block) {
        memory_region_init_ram_block(&l->memory, l->dev, "ivshmem.bar2", block);
    }
    return block;
}

static bool take_memory(IvshmemLink *l, int fd, Error **errp)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || st.st_size <= 0) {
        close(fd);
        return protocol_error(l, errp, "shared memory without a size", (int64_t)st.st_size);
    }
    if (!(memory_region_size(&l->memory) ? same_memory(l, fd, errp)
                                         : map_memory(l, fd, (uint64_t)st.st_size, errp))) {
        return false;
    }
    l->stage = IVSHMEM_READY;
    return true;
}

/* IVSHMEM "Connect notifications", "Interrupt setup". */
static bool take_vector(IvshmemLink *l, uint16_t id, int fd, Error **errp)
{
    unsigned n = l->peers[id] ? l->peers[id]->n : 0;
    struct stat st;

    /* Files and devices would be ready for ever, sockets can kill who writes to them. */
    if (fstat(fd, &st) < 0 || st.st_mode & S_IFMT) {
        close(fd);
        return protocol_error(l, errp, "what is no eventfd for peer", id);
    }
    if (n >= l->vectors) {
        close(fd);                  /* of more vectors than we are configured for */
        return true;
    }
    if (l->fds >= IVSHMEM_MAX_FDS) {
        close(fd);
        return protocol_error(l, errp, "more vectors than can be kept, of peer", id);
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    add_vector(l, id, fd);
    if (id == l->id) {
        set_up_vector(l, n, fd);
    }
    return true;
}

static bool take_departure(IvshmemLink *l, uint16_t id, Error **errp)
{
    if (id == l->id) {
        return protocol_error(l, errp, "our own disconnection", id);
    }
    if (l->peers[id]) {
        forget_peer(l, id);
        if (l->ops->peer_gone) {
            l->ops->peer_gone(l->opaque, id);
        }
    }
    return true;
}

/* Takes @fd, -1: there is none. */
static bool take_message(IvshmemLink *l, int64_t number, int fd, Error **errp)
{
    const char *wrong = NULL;

    switch (l->stage) {
    case IVSHMEM_WANT_VERSION:
        if (number != PROTOCOL_VERSION || fd >= 0) {
            wrong = "a protocol version other than 0";
            break;
        }
        l->stage = IVSHMEM_WANT_ID;
        return true;
    case IVSHMEM_WANT_ID:
        if (number < 0 || number >= IVSHMEM_IDS || fd >= 0) {
            wrong = "an id other than 0 to 65535";
            break;
        }
        l->id = (uint16_t)number;
        l->stage = IVSHMEM_WANT_MEMORY;
        return true;
    case IVSHMEM_WANT_MEMORY:
        if (number != MEMORY_FOLLOWS || fd < 0) {
            wrong = "something else instead of the shared memory";
            break;
        }
        return take_memory(l, fd, errp);
    case IVSHMEM_READY:
        if (number < 0 || number >= IVSHMEM_IDS) {
            wrong = "a peer's id other than 0 to 65535";
            break;
        }
        return fd >= 0 ? take_vector(l, (uint16_t)number, fd, errp)
                       : take_departure(l, (uint16_t)number, errp);
    case IVSHMEM_LOST:
        wrong = "a message after an error";
        break;
    }
    if (fd >= 0) {
        close(fd);
    }
    return protocol_error(l, errp, wrong, number);
}

/* The message in l->buf is complete; descriptors that came with its bytes are its own. */
static bool message_done(IvshmemLink *l, Error **errp)
{
    int fd = chr_fe_take_fd(&l->fe), more = fd >= 0 ? chr_fe_take_fd(&l->fe) : -1;
    int64_t number = (int64_t)load_le64(l->buf);

    l->have = 0;
    if (more >= 0) {
        do {
            close(more);
            more = chr_fe_take_fd(&l->fe);
        } while (more >= 0);
        close(fd);
        return protocol_error(l, errp, "several descriptors with a message", number);
    }
    return take_message(l, number, fd, errp);
}

/* --- the connection --- */

/* Only the rest of one message at a time: so it is known which one a descriptor came with. */
static size_t link_can_receive(void *opaque)
{
    IvshmemLink *l = opaque;

    return l->stage == IVSHMEM_LOST ? 0 : sizeof(l->buf) - l->have;
}

static void link_receive(void *opaque, const uint8_t *buf, size_t len)
{
    IvshmemLink *l = opaque;
    Error *err = NULL;

    memcpy(l->buf + l->have, buf, len);
    l->have += (unsigned)len;
    if (l->have == sizeof(l->buf) && !message_done(l, &err)) {
        error_report(err);
        l->stage = IVSHMEM_LOST;
        chr_fe_disconnect(&l->fe);
    }
}

static void link_event(void *opaque, ChrEvent event)
{
    IvshmemLink *l = opaque;

    if (event == CHR_EVENT_OPENED && l->stage == IVSHMEM_LOST) {
        /* The server is back, and numbers its clients anew. */
        forget_all(l);
        l->have = 0;
        l->stage = IVSHMEM_WANT_VERSION;
    } else if (event == CHR_EVENT_CLOSED) {
        /* IVSHMEM: "the clients can elect to continue". */
        l->stage = IVSHMEM_LOST;
    }
}

static const ChrHandlers link_handlers = {
    .can_receive = link_can_receive, .receive = link_receive, .event = link_event,
};

static bool hear_until_ready(IvshmemLink *l, Error **errp)
{
    while (l->stage != IVSHMEM_READY) {
        if (!chr_fe_read_sync(&l->fe, l->buf, sizeof(l->buf), ANSWER_MS, errp)) {
            error_prepend(errp, "%s: no ivshmem server: ", l->name);
            return false;
        }
        if (!message_done(l, errp)) {
            return false;
        }
    }
    return true;
}

bool ivshmem_link_open(IvshmemLink *l, Device *dev, Chardev *chr, Object *broker, unsigned vectors,
                       const IvshmemLinkOps *ops, void *opaque, Error **errp)
{
    assert(vectors);
    memset(l, 0, sizeof(*l));
    if (!chr == !broker) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "You must specify a 'chardev', or a 'broker'");
        error_argument(errp, "chardev", NULL, "the id of a socket connected to an ivshmem server");
        return false;
    }
    if (broker) {
        chr = l->broker_chr = ivshmem_broker_connect(broker, errp);
    }
    if (!chr || !chr_fe_init(&l->fe, chr, errp)) {
        if (l->broker_chr) {
            chardev_remove(chardev_id(l->broker_chr), NULL);
            l->broker_chr = NULL;
        }
        return false;
    }
    l->dev = dev;
    l->ops = ops;
    l->opaque = opaque;
    l->name = device_label(dev);
    l->vectors = vectors;
    l->own = g_new0(IvshmemVector, vectors);
    for (unsigned i = 0; i < vectors; i++) {
        l->own[i] = (IvshmemVector){ .link = l, .nr = i };
    }
    l->peers = g_new0(IvshmemPeer *, IVSHMEM_IDS);
    l->listener = (RunstateListener){ .changed = run_state_changed };
    runstate_add_listener(&l->listener);
    if (!hear_until_ready(l, errp)) {
        ivshmem_link_close(l);
        return false;
    }
    chr_fe_set_handlers(&l->fe, &link_handlers, l);
    chr_fe_accept_input(&l->fe);
    return true;
}

void ivshmem_link_close(IvshmemLink *l)
{
    IvshmemPeer **peers = l->peers;

    if (!peers) {
        return;
    }
    runstate_remove_listener(&l->listener);
    chr_fe_set_handlers(&l->fe, NULL, NULL);
    chr_fe_disconnect(&l->fe);
    chr_fe_deinit(&l->fe);
    if (l->broker_chr) {
        chardev_remove(chardev_id(l->broker_chr), NULL);
        l->broker_chr = NULL;
    }
    forget_all(l);
    rcu_store(&l->peers, NULL);
    rcu_call(free_peer, peers);
    memory_region_cleanup(&l->memory);
    g_free(l->own);
    g_free(l->name);
    l->own = NULL;
    l->name = NULL;
}
