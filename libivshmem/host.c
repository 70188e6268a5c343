/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program of the host as a peer: a client of the server. */
#include "util/osdep.h"
#include "libivshmem/ivshmem-int.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "libivshmem/proto.h"

#define ANSWER_MS   5000
#define VECTORS_MAX 2048        /* of a peer: a PCI function has no more */
#define SERVER      UINT32_MAX  /* in place of a vector */

typedef struct Peer {
    unsigned n;
    int fds[];
} Peer;

typedef struct Host {
    Ivshmem iv;
    int sock, epoll;
    IvshmemReader reader;
    bool has_id;
    Peer **peers;               /* [IVSHMEM_IDS_MAX], ourselves too */
    int count;                  /* of the others */
} Host;

static void forget(Host *h, unsigned id)
{
    Peer *p = h->peers[id];

    for (unsigned i = 0; p && i < p->n; i++) {
        close(p->fds[i]);
    }
    if (p && id != h->iv.id) {
        h->count--;
    }
    free(p);
    h->peers[id] = NULL;
}

static int add(Host *h, unsigned id, int fd)
{
    Peer *old = h->peers[id], *p;
    unsigned n = old ? old->n : 0;

    if (n >= VECTORS_MAX) {
        close(fd);
        return 0;
    }
    p = realloc(old, sizeof(*p) + (n + 1) * sizeof(p->fds[0]));
    if (!p) {
        close(fd);
        return -ENOMEM;
    }
    p->fds[n] = fd;
    p->n = n + 1;
    h->peers[id] = p;
    h->count += !n && id != h->iv.id;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (id == h->iv.id) {
        struct epoll_event e = { .events = EPOLLIN, .data.u32 = n };

        if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &e) < 0) {
            return -errno;
        }
    }
    return 0;
}

static int take_memory(Host *h, int fd)
{
    struct stat st;
    void *p;

    if (fstat(fd, &st) < 0 || st.st_size <= 0) {
        close(fd);
        return -EPROTO;
    }
    p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED) {
        return -errno;
    }
    h->iv.memory = p;
    h->iv.size = (size_t)st.st_size;
    return 0;
}

static int message(Host *h, bool *greeted, int64_t number, int fd)
{
    if (!*greeted) {
        *greeted = true;
        if (number == IVSHMEM_PROTOCOL && fd < 0) {
            return 0;
        }
    } else if (!h->has_id) {
        if (number >= 0 && number < IVSHMEM_IDS_MAX && fd < 0) {
            h->has_id = true;
            h->iv.id = (unsigned)number;
            return 0;
        }
    } else if (!h->iv.memory) {
        if (number == IVSHMEM_MEMORY && fd >= 0) {
            return take_memory(h, fd);
        }
    } else if (number >= 0 && number < IVSHMEM_IDS_MAX) {
        if (fd >= 0) {
            return add(h, (unsigned)number, fd);
        }
        if (number != h->iv.id) {
            forget(h, (unsigned)number);
            return 0;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return -EPROTO;
}

/* What the server has sent by now: how many messages, or a negative errno. */
static int hear(Host *h)
{
    int64_t number;
    bool greeted = true;
    int fd, n = 0, r;

    while ((r = ivshmem_read(&h->reader, h->sock, &number, &fd)) > 0) {
        r = message(h, &greeted, number, fd);
        if (r < 0) {
            break;
        }
        n++;
    }
    return r < 0 ? r : n;
}

/* --- Ivshmem --- */

static int host_peers(Ivshmem *iv, uint16_t *ids, int max)
{
    Host *h = (Host *)iv;
    int n = 0;

    for (unsigned id = 0; id < IVSHMEM_IDS_MAX && n < max; id++) {
        if (h->peers[id] && id != iv->id) {
            ids[n++] = (uint16_t)id;
        }
    }
    return h->count;
}

static int host_peer_vectors(const Ivshmem *iv, unsigned peer)
{
    const Host *h = (const Host *)iv;

    return peer < IVSHMEM_IDS_MAX && h->peers[peer] ? (int)h->peers[peer]->n : -ENOENT;
}

static int host_notify(Ivshmem *iv, unsigned peer, unsigned vector)
{
    Host *h = (Host *)iv;

    if (peer >= IVSHMEM_IDS_MAX || !h->peers[peer] || vector >= h->peers[peer]->n) {
        return -ENOENT;
    }
    /* EAGAIN: so many rings wait there that one more says nothing new. */
    return eventfd_write(h->peers[peer]->fds[vector], 1) < 0 && errno != EAGAIN ? -errno : 0;
}

static int host_wait(Ivshmem *iv, int timeout_ms, uint32_t *vectors)
{
    Host *h = (Host *)iv;
    struct epoll_event e[16];
    int n = epoll_wait(h->epoll, e, ARRAY_SIZE(e), timeout_ms), r = 0;

    *vectors = 0;
    if (n < 0) {
        return errno == EINTR ? 1 : -errno;
    }
    for (int i = 0; i < n; i++) {
        uint32_t vector = e[i].data.u32;
        eventfd_t count;

        if (vector == SERVER) {
            r = hear(h);
            if (r < 0) {
                /* The peers that we know stay, and can be rung. */
                epoll_ctl(h->epoll, EPOLL_CTL_DEL, h->sock, NULL);
                return r;
            }
        } else if (eventfd_read(h->peers[iv->id]->fds[vector], &count) == 0) {
            *vectors |= vector < 32 ? BIT(vector) : 0;
        }
    }
    return n > 0;
}

static int host_fd(const Ivshmem *iv)
{
    return ((const Host *)iv)->epoll;
}

static void host_close(Ivshmem *iv)
{
    Host *h = (Host *)iv;

    for (unsigned id = 0; h->peers && id < IVSHMEM_IDS_MAX; id++) {
        forget(h, id);
    }
    free(h->peers);
    ivshmem_reader_cleanup(&h->reader);
    if (h->epoll >= 0) {
        close(h->epoll);
    }
    if (h->sock >= 0) {
        close(h->sock);
    }
    free(h);
}

static const IvshmemOps host_ops = {
    .peers = host_peers, .peer_vectors = host_peer_vectors, .notify = host_notify, .wait = host_wait,
    .fd = host_fd, .close = host_close,
};

static int connect_to(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(a.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(a.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        int e = errno;

        close(fd);
        errno = e;
        return -1;
    }
    if (fd >= 0) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return fd;
}

/* Until our first vector is there, which comes last; servers of version 0 send at least one. */
static int greet(Host *h)
{
    bool greeted = false;
    int64_t number;
    int fd, r = 0;

    while (r >= 0 && !(h->has_id && h->peers[h->iv.id])) {
        r = ivshmem_read(&h->reader, h->sock, &number, &fd);
        if (r > 0) {
            r = message(h, &greeted, number, fd);
        } else if (r == 0) {
            struct pollfd p = { h->sock, POLLIN, 0 };

            if (poll(&p, 1, ANSWER_MS) == 0) {
                r = -ETIMEDOUT;
            }
        }
    }
    return r;
}

Ivshmem *ivshmem_connect(const char *socket, char *err)
{
    Host *h = calloc(1, sizeof(*h));
    struct epoll_event e = { .events = EPOLLIN, .data.u32 = SERVER };
    int r;

    if (!h) {
        ivshmem_err(err, "no memory");
        return NULL;
    }
    h->iv.ops = &host_ops;
    ivshmem_reader_init(&h->reader);
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    h->peers = calloc(IVSHMEM_IDS_MAX, sizeof(h->peers[0]));
    h->sock = connect_to(socket);
    if (h->sock < 0 || h->epoll < 0 || !h->peers) {
        ivshmem_err(err, "can't connect to '%s': %s", socket, strerror(errno));
        ivshmem_close(&h->iv);
        return NULL;
    }
    r = greet(h);
    if (r >= 0 && epoll_ctl(h->epoll, EPOLL_CTL_ADD, h->sock, &e) < 0) {
        r = -errno;
    }
    if (r < 0) {
        ivshmem_err(err, "the server at '%s' doesn't do its part: %s", socket, strerror(-r));
        ivshmem_close(&h->iv);
        return NULL;
    }
    return &h->iv;
}
