/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "libivshmem/server.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "libivshmem/ivshmem-int.h"
#include "libivshmem/proto.h"

#define QUEUE_MAX   (1u << 20)      /* messages that a client hasn't taken */
#define LISTENER    UINT32_MAX      /* in place of an id */

/* The eventfds of one client; lives until nobody is to be sent them any more. */
typedef struct Doors {
    unsigned ref, n;
    int fds[];
} Doors;

typedef struct Message {
    int64_t number;
    Doors *doors;                   /* NULL: none */
    int vector;                     /* of doors; -1: the memory */
    bool memory;
} Message;

typedef struct Client {
    int sock;
    unsigned id;
    Doors *doors;
    Message *queue;                 /* a ring: what the socket didn't take */
    unsigned first, queued, room;
    bool writing;                   /* waits for EPOLLOUT */
    bool bad;                       /* to be hung up on */
} Client;

struct IvshmemServer {
    IvshmemServerOptions opts;
    char *path;
    struct stat path_stat;          /* of the socket that is ours */
    int listener, epoll;
    Client **clients;               /* [opts.clients], by id */
    unsigned n;
    bool full;                      /* the listener isn't watched */
};

static void say(IvshmemServer *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(IvshmemServer *s, const char *fmt, ...)
{
    char text[IVSHMEM_ERR_LEN];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (s->opts.log) {
        s->opts.log(s->opts.opaque, text);
    }
}

static bool watch(IvshmemServer *s, int op, int fd, uint32_t what, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.u32 = what };

    return epoll_ctl(s->epoll, op, fd, &e) == 0;
}

/* --- eventfds --- */

static void doors_unref(Doors *d)
{
    if (d && --d->ref == 0) {
        for (unsigned i = 0; i < d->n; i++) {
            close(d->fds[i]);
        }
        free(d);
    }
}

static Doors *doors_new(unsigned n)
{
    Doors *d = calloc(1, sizeof(*d) + n * sizeof(d->fds[0]));

    if (!d) {
        return NULL;
    }
    d->ref = 1;
    while (d->n < n) {
        d->fds[d->n] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (d->fds[d->n] < 0) {
            doors_unref(d);
            return NULL;
        }
        d->n++;
    }
    return d;
}

/* --- sending --- */

static int message_fd(const IvshmemServer *s, const Message *m)
{
    return m->memory ? s->opts.memory : m->doors ? m->doors->fds[m->vector] : -1;
}

static void client_bad(IvshmemServer *s, Client *c, const char *why)
{
    if (!c->bad) {
        say(s, "client %u: %s", c->id, why);
        c->bad = true;
    }
}

/* As much as the socket takes. */
static void client_flush(IvshmemServer *s, Client *c)
{
    bool rest;

    while (c->queued && !c->bad) {
        Message *m = &c->queue[c->first];
        int r = ivshmem_write(c->sock, m->number, message_fd(s, m));

        if (r == -EAGAIN) {
            break;
        }
        if (r < 0) {
            client_bad(s, c, strerror(-r));
        }
        doors_unref(m->doors);
        c->first = (c->first + 1) % c->room;
        c->queued--;
    }
    rest = c->queued && !c->bad;
    if (rest != c->writing) {
        c->writing = rest;
        watch(s, EPOLL_CTL_MOD, c->sock, c->id, EPOLLIN | (rest ? EPOLLOUT : 0));
    }
}

static bool queue_grow(Client *c)
{
    unsigned room = c->room ? 2 * c->room : 64;
    Message *q = calloc(room, sizeof(*q));

    if (!q) {
        return false;
    }
    for (unsigned i = 0; i < c->queued; i++) {
        q[i] = c->queue[(c->first + i) % c->room];
    }
    free(c->queue);
    c->queue = q;
    c->first = 0;
    c->room = room;
    return true;
}

static void client_send(IvshmemServer *s, Client *c, Message m)
{
    if (c->bad) {
        return;
    }
    if (c->queued == c->room && (c->queued >= QUEUE_MAX || !queue_grow(c))) {
        client_bad(s, c, "doesn't take what it is sent");
        return;
    }
    if (m.doors) {
        m.doors->ref++;
    }
    c->queue[(c->first + c->queued++) % c->room] = m;
}

/* "Connect notifications", "Interrupt setup". */
static void client_send_doors(IvshmemServer *s, Client *c, unsigned id, Doors *d)
{
    for (unsigned i = 0; i < d->n; i++) {
        client_send(s, c, (Message){ .number = id, .doors = d, .vector = (int)i });
    }
}

/* --- coming and leaving --- */

static void client_free(Client *c)
{
    while (c->queued) {
        doors_unref(c->queue[c->first].doors);
        c->first = (c->first + 1) % c->room;
        c->queued--;
    }
    free(c->queue);
    doors_unref(c->doors);
    close(c->sock);
    free(c);
}

static Client *next_client(IvshmemServer *s, unsigned *id)
{
    while (*id < s->opts.clients) {
        Client *c = s->clients[(*id)++];

        if (c) {
            return c;
        }
    }
    return NULL;
}

static void client_leaves(IvshmemServer *s, Client *gone)
{
    unsigned id = 0;
    Client *c;

    s->clients[gone->id] = NULL;
    s->n--;
    say(s, "client %u has left, %u there", gone->id, s->n);
    while ((c = next_client(s, &id))) {
        client_send(s, c, (Message){ .number = gone->id });
    }
    client_free(gone);
    if (s->full && s->listener >= 0) {
        s->full = !watch(s, EPOLL_CTL_ADD, s->listener, LISTENER, EPOLLIN);
    }
}

/* Flush all; those that can't be sent to leave, which gives the others something to send. */
static void flush_all(IvshmemServer *s)
{
    bool again = true;

    while (again) {
        unsigned id = 0;
        Client *c;

        again = false;
        while ((c = next_client(s, &id))) {
            client_flush(s, c);
            if (c->bad) {
                client_leaves(s, c);
                again = true;
            }
        }
    }
}

int ivshmem_server_add(IvshmemServer *s, int sock)
{
    Client *c = NULL, *other;
    unsigned id = 0;

    while (id < s->opts.clients && s->clients[id]) {
        id++;
    }
    c = id < s->opts.clients ? calloc(1, sizeof(*c)) : NULL;
    if (!c) {
        close(sock);
        return id < s->opts.clients ? -ENOMEM : -EUSERS;
    }
    c->sock = sock;
    c->id = id;
    fcntl(sock, F_SETFL, fcntl(sock, F_GETFL) | O_NONBLOCK);
    c->doors = doors_new(s->opts.vectors);
    if (!c->doors || !watch(s, EPOLL_CTL_ADD, sock, id, EPOLLIN)) {
        int e = errno;

        client_free(c);
        return -e;
    }
    s->clients[id] = c;
    s->n++;
    say(s, "client %u has come, %u there", id, s->n);
    client_send(s, c, (Message){ .number = IVSHMEM_PROTOCOL });
    client_send(s, c, (Message){ .number = id });
    client_send(s, c, (Message){ .number = IVSHMEM_MEMORY, .memory = true });
    for (unsigned i = 0; (other = next_client(s, &i));) {
        if (other != c) {
            client_send_doors(s, other, id, c->doors);
            client_send_doors(s, c, other->id, other->doors);
        }
    }
    client_send_doors(s, c, id, c->doors);
    flush_all(s);
    return s->clients[id] == c ? (int)id : -EPIPE;
}

static void accept_one(IvshmemServer *s)
{
    int sock = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), r;

    if (sock < 0) {
        if (errno == EMFILE || errno == ENFILE) {
            say(s, "no more clients: %s", strerror(errno));
            s->full = watch(s, EPOLL_CTL_DEL, s->listener, LISTENER, 0);
        }
        return;
    }
    r = ivshmem_server_add(s, sock);
    if (r < 0) {
        say(s, "a client can't be served: %s", strerror(-r));
    }
}

static void client_event(IvshmemServer *s, Client *c, uint32_t events)
{
    char byte;

    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t n = recv(c->sock, &byte, 1, MSG_DONTWAIT);

        if (n > 0) {
            client_bad(s, c, "sends something, which no client does");
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            c->bad = true;
        }
    }
}

void ivshmem_server_run(IvshmemServer *s)
{
    struct epoll_event e[64];
    int n = epoll_wait(s->epoll, e, ARRAY_SIZE(e), 0);

    for (int i = 0; i < n; i++) {
        uint32_t what = e[i].data.u32;

        if (what == LISTENER) {
            accept_one(s);
        } else if (what < s->opts.clients && s->clients[what]) {
            client_event(s, s->clients[what], e[i].events);
        }
    }
    flush_all(s);
}

/* --- the server itself --- */

/* A socket file of a server that is gone. */
static bool is_stale(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool stale = fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0 && errno == ECONNREFUSED;

    if (fd >= 0) {
        close(fd);
    }
    return stale;
}

static bool start_listening(IvshmemServer *s, char *err)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    size_t len = strlen(s->opts.socket);

    if (!len || len >= sizeof(a.sun_path)) {
        ivshmem_err(err, "socket path of %zu characters; accepted: 1 to %zu", len, sizeof(a.sun_path) - 1);
        return false;
    }
    memcpy(a.sun_path, s->opts.socket, len);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listener >= 0 && bind(s->listener, (struct sockaddr *)&a, sizeof(a)) < 0) {
        if (errno != EADDRINUSE || !is_stale(&a) || unlink(a.sun_path) < 0 ||
            bind(s->listener, (struct sockaddr *)&a, sizeof(a)) < 0) {
            close(s->listener);
            s->listener = -1;
        }
    }
    if (s->listener < 0 || listen(s->listener, 128) < 0 ||
        !watch(s, EPOLL_CTL_ADD, s->listener, LISTENER, EPOLLIN)) {
        ivshmem_err(err, "can't listen at '%s': %s", s->opts.socket, strerror(errno));
        return false;
    }
    s->path = strdup(s->opts.socket);
    return stat(s->path, &s->path_stat) == 0;
}

IvshmemServer *ivshmem_server_new(const IvshmemServerOptions *o, char *err)
{
    IvshmemServer *s;

    if (o->vectors < 1 || o->vectors > IVSHMEM_VECTORS_MAX) {
        ivshmem_err(err, "%u vectors; accepted: 1 to %d", o->vectors, IVSHMEM_VECTORS_MAX);
        return NULL;
    }
    if (o->clients < 1 || o->clients > IVSHMEM_CLIENTS_MAX) {
        ivshmem_err(err, "%u clients; accepted: 1 to %d", o->clients, IVSHMEM_CLIENTS_MAX);
        return NULL;
    }
    s = calloc(1, sizeof(*s));
    if (s) {
        s->opts = *o;
        s->listener = -1;
        s->epoll = epoll_create1(EPOLL_CLOEXEC);
        s->clients = calloc(o->clients, sizeof(s->clients[0]));
    }
    if (!s || s->epoll < 0 || !s->clients) {
        ivshmem_err(err, "can't make a server: %s", strerror(errno));
        ivshmem_server_free(s);
        return NULL;
    }
    if (o->socket && !start_listening(s, err)) {
        ivshmem_server_free(s);
        return NULL;
    }
    s->opts.socket = NULL;
    return s;
}

void ivshmem_server_free(IvshmemServer *s)
{
    struct stat st;

    if (!s) {
        return;
    }
    for (unsigned i = 0; s->clients && i < s->opts.clients; i++) {
        if (s->clients[i]) {
            client_free(s->clients[i]);
        }
    }
    free(s->clients);
    if (s->listener >= 0) {
        close(s->listener);
    }
    /* Not one that somebody else has put there meanwhile. */
    if (s->path && stat(s->path, &st) == 0 && st.st_ino == s->path_stat.st_ino &&
        st.st_dev == s->path_stat.st_dev) {
        unlink(s->path);
    }
    free(s->path);
    if (s->epoll >= 0) {
        close(s->epoll);
    }
    free(s);
}

int ivshmem_server_fd(const IvshmemServer *s)
{
    return s->epoll;
}

unsigned ivshmem_server_clients(const IvshmemServer *s)
{
    return s->n;
}
