/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-smb-peer.so: preloaded into an smbd that serves a Unix socket. smbd asks its connection for the addresses of both ends and takes
 * only those of the Internet for an answer: it is told those that the guest sees. In the environment: QEMU_SMB_SOCKET, the
 * socket's inode number; QEMU_SMB_SERVER and QEMU_SMB_GUEST, the addresses.
 */
#include "util/osdep.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The C library's prototypes have a union there. */
int getpeername(int fd, struct sockaddr *addr, socklen_t *len);
int getsockname(int fd, struct sockaddr *addr, socklen_t *len);

static bool is_the_connection(int fd)
{
    const char *text = getenv("QEMU_SMB_SOCKET");
    struct stat st;

    return text && fstat(fd, &st) == 0 && strtoull(text, NULL, 10) == st.st_ino;
}

static int ask(long number, int fd, struct sockaddr *addr, socklen_t *len, const char *variable, int port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
    socklen_t room = *len;
    const char *text;

    if (syscall(number, fd, addr, len) < 0) {
        return -1;
    }
    text = is_the_connection(fd) ? getenv(variable) : NULL;
    if (text && inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(addr, &in, MIN(room, sizeof(in)));
        *len = sizeof(in);
    }
    return 0;
}

int getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
    return ask(SYS_getpeername, fd, addr, len, "QEMU_SMB_GUEST", 49152);
}

int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    return ask(SYS_getsockname, fd, addr, len, "QEMU_SMB_SERVER", 445);
}
