/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "net/tap.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "net/helper.h"

static int receive_fd(int sock)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec iov = { &byte, 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                          .msg_controllen = sizeof(control) };
    struct cmsghdr *c;
    ssize_t n;
    int fd;

    do {
        n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
        c->cmsg_len != CMSG_LEN(sizeof(int))) {
        return -1;
    }
    memcpy(&fd, CMSG_DATA(c), sizeof(int));
    return fd;
}

int tap_run_helper(const char *helper, const char *bridge, Error **errp)
{
    g_autofree char *own = helper ? g_strdup(helper)
                                  : net_helper_find("qemu-bridge-helper", "/usr/lib/qemu/qemu-bridge-helper");
    g_autofree char *fd_arg = NULL, *br_arg = NULL, *command = NULL;
    bool shell = own && strpbrk(own, " \t");
    char *argv[5] = { own, "--use-vnet" };
    int sv[2], fd, status;
    pid_t pid;

    if (!own) {
        error_setf(errp, ERR_FILE_NOT_FOUND, "there is no qemu-bridge-helper");
        error_hint(errp, "'helper' names one");
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0) {
        error_set_errno(errp, errno, "can't make a pair of sockets");
        return -1;
    }
    fd_arg = g_strdup_printf("--fd=%d", sv[1]);
    br_arg = g_strdup_printf("--br=%s", bridge);
    argv[2] = fd_arg;
    argv[3] = br_arg;
    if (shell) {
        g_autofree char *quoted = g_shell_quote(br_arg);

        command = g_strdup_printf("%s --use-vnet %s%s%s", own, fd_arg, strstr(own, "--br=") ? "" : " ",
                                  strstr(own, "--br=") ? "" : quoted);
        argv[0] = "/bin/sh";
        argv[1] = "-c";
        argv[2] = command;
        argv[3] = NULL;
    }
    fcntl(sv[1], F_SETFD, 0);
    pid = fork();
    if (pid == 0) {
        net_helper_exec(argv, sv[1]);
    }
    close(sv[1]);
    fd = pid > 0 ? receive_fd(sv[0]) : -1;
    close(sv[0]);
    status = pid > 0 ? net_helper_wait(pid) : -1;
    if (fd < 0 || status) {
        error_setf(errp, ERR_HOST, "bridge helper '%s' failed for bridge '%s' (status %d)", own, bridge,
                   status);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

bool tap_run_script(const char *script, const char *ifname, Error **errp)
{
    char *argv[] = { (char *)script, (char *)ifname, NULL };
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        net_helper_exec(argv, -1);
    }
    status = pid > 0 ? net_helper_wait(pid) : -1;
    if (status) {
        error_setf(errp, ERR_HOST, "network script '%s' failed for '%s' (status %d)", script, ifname, status);
        error_hint(errp, "script=no and downscript=no do without one");
    }
    return status == 0;
}
