/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/ivshmem-peer.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "util/bswap.h"

void ivshmem_pair(int *server, int *client)
{
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0) {
        abort();
    }
    fcntl(fd[0], F_SETFD, FD_CLOEXEC);
    *server = fd[0];
    *client = fd[1];
}

bool ivshmem_say(int server, int64_t number, int fd)
{
    uint8_t raw[8];
    char control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { raw, sizeof(raw) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    store_le64(raw, (uint64_t)number);
    if (fd >= 0) {
        struct cmsghdr *c;

        msg.msg_control = control;
        msg.msg_controllen = sizeof(control);
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(int));
    }
    return sendmsg(server, &msg, MSG_NOSIGNAL) == sizeof(raw);
}

int ivshmem_hello(int server, uint16_t id, int memory, uint64_t size)
{
    if (memory < 0) {
        memory = memfd_create("ivshmem-test", MFD_CLOEXEC);
        if (memory < 0 || ftruncate(memory, (off_t)size) < 0) {
            abort();
        }
    }
    ivshmem_say(server, 0, -1);
    ivshmem_say(server, id, -1);
    ivshmem_say(server, -1, memory);
    return memory;
}

int ivshmem_vector(int server, uint16_t id)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    ivshmem_say(server, id, fd);
    return fd;
}

int ivshmem_whole(void)
{
    int server, client;

    ivshmem_pair(&server, &client);
    close(ivshmem_hello(server, 1, -1, 65536));
    close(ivshmem_vector(server, 0));
    close(ivshmem_vector(server, 1));
    return client;
}
