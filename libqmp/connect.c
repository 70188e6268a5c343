/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, and waiting for sockets. */
#include "util/osdep.h"
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "libqmp/client-int.h"

int64_t qmp_now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t qmp_deadline(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : qmp_now_ms() + timeout_ms;
}

bool qmp_wait_fd(int fd, short events, int64_t deadline, Error **errp)
{
    for (;;) {
        struct pollfd pfd = { .fd = fd, .events = events };
        int64_t left = deadline == INT64_MAX ? -1 : MAX(deadline - qmp_now_ms(), 0);
        int rc = poll(&pfd, 1, (int)MIN(left, INT32_MAX));

        if (rc > 0) {
            return true;
        }
        if (rc == 0) {
            error_setf(errp, ERR_HOST, "timeout while waiting for the QMP server");
            return false;
        }
        if (errno != EINTR) {
            error_set_errno(errp, errno, "poll");
            return false;
        }
    }
}

static int connect_unix(const char *path, Error **errp)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(un.sun_path)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "socket path '%s' is too long", path);
        return -1;
    }
    memcpy(un.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
        error_set_errno(errp, errno, "can't connect to '%s'", path);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static int connect_tcp(const char *address, Error **errp)
{
    const char *colon = strrchr(address, ':');
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *ai;
    char host[256];
    int rc, fd = -1;

    if (!colon || (size_t)(colon - address) >= sizeof(host)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' isn't HOST:PORT", address);
        return -1;
    }
    memcpy(host, address, colon - address);
    host[colon - address] = '\0';
    rc = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &list);
    if (rc) {
        error_setf(errp, ERR_HOST, "can't look up '%s': %s", address, gai_strerror(rc));
        return -1;
    }
    for (ai = list; ai; ai = ai->ai_next) {
        fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0) {
            break;
        }
        rc = errno;
        if (fd >= 0) {
            close(fd);
        }
        fd = -1;
    }
    freeaddrinfo(list);
    if (fd < 0) {
        error_set_errno(errp, rc, "can't connect to '%s'", address);
    }
    return fd;
}

int qmp_connect(const char *address, Error **errp)
{
    char *end;
    long fd;

    if (!strncmp(address, "unix:", 5)) {
        return connect_unix(address + 5, errp);
    }
    if (!strncmp(address, "tcp:", 4)) {
        return connect_tcp(address + 4, errp);
    }
    if (!strncmp(address, "fd:", 3)) {
        fd = strtol(address + 3, &end, 10);
        if (end != address + 3 && !*end && fd >= 0 && fd <= INT32_MAX) {
            return (int)fd;
        }
    }
    error_setf(errp, ERR_INVALID_ARGUMENT,
               "'%s' isn't an address; accepted: unix:PATH, tcp:HOST:PORT, fd:NUMBER", address);
    return -1;
}
