/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a stream goes to or comes from, as migrate and -incoming name it. */
#include "util/osdep.h"
#include "migration/channel.h"

#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>
#include "qapi/sockets.h"
#include "util/fdset.h"

extern char **environ;

static int (*take_fd)(const char *name, Error **errp);

void mig_set_fd_source(int (*take)(const char *name, Error **errp))
{
    take_fd = take;
}

static bool parse_file(const char *text, MigUri *uri, Error **errp)
{
    const char *comma = strstr(text, ",offset=");
    char *end;

    uri->kind = MIG_URI_FILE;
    uri->text = comma ? g_strndup(text, comma - text) : g_strdup(text);
    if (comma) {
        errno = 0;
        uri->offset = strtoull(comma + 8, &end, 0);
        if (errno || *end || !comma[8] || uri->offset > INT64_MAX) {
            error_setf(errp, ERR_INVALID_ARGUMENT,
                       "file: the offset is '%s'; accepted: a number of bytes", comma + 8);
            return false;
        }
    }
    if (!*uri->text) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "file: needs a path");
        return false;
    }
    return true;
}

bool mig_uri_parse(const char *text, MigUri *uri, Error **errp)
{
    bool ok = true;

    *uri = (MigUri){ .fd = -1 };
    if (g_str_has_prefix(text, "tcp:") || g_str_has_prefix(text, "unix:")) {
        uri->kind = MIG_URI_SOCKET;
        uri->address = socket_address_parse(text, errp);
        ok = uri->address != NULL;
    } else if (g_str_has_prefix(text, "exec:")) {
        uri->kind = MIG_URI_EXEC;
        uri->text = g_strdup(text + 5);
    } else if (g_str_has_prefix(text, "fd:")) {
        uri->kind = MIG_URI_FD;
        uri->fd = take_fd ? take_fd(text + 3, errp) : -1;
        ok = uri->fd >= 0;
    } else if (g_str_has_prefix(text, "file:")) {
        ok = parse_file(text + 5, uri, errp);
    } else {
        error_setf(errp, ERR_INVALID_ARGUMENT, "unknown migration protocol: %s", text);
        error_argument(errp, "uri", text, "tcp:, unix:, exec:, fd:, file:");
        ok = false;
    }
    if (!ok) {
        mig_uri_cleanup(uri);
    }
    return ok;
}

void mig_uri_cleanup(MigUri *uri)
{
    qapi_free_SocketAddress(uri->address);
    g_free(uri->text);
    if (uri->fd >= 0) {
        close(uri->fd);
    }
    *uri = (MigUri){ .fd = -1 };
}

/* A shell whose standard input (@out) or output is the other end of a socket. */
static MigChannel *open_exec(const char *command, bool out, Error **errp)
{
    char *argv[] = { "/bin/sh", "-c", (char *)command, NULL };
    posix_spawn_file_actions_t actions;
    int fds[2], err;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        error_set_errno(errp, errno, "exec:%s", command);
        return NULL;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], out ? 0 : 1);
    err = posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    if (err) {
        error_set_errno(errp, err, "exec:%s", command);
        close(fds[0]);
        return NULL;
    }
    return mig_channel_new_fd(fds[0], pid);
}

static MigChannel *open_file(const MigUri *uri, bool out, Error **errp)
{
    int fd = fdset_open(uri->text, (out ? O_WRONLY | O_CREAT : O_RDONLY) | O_CLOEXEC, 0600);

    if (fd < 0) {
        error_set_errno(errp, errno, "can't open '%s'", uri->text);
        return NULL;
    }
    if ((out && ftruncate(fd, (off_t)uri->offset) < 0 && errno != EINVAL) ||
        (uri->offset && lseek(fd, (off_t)uri->offset, SEEK_SET) < 0)) {
        error_set_errno(errp, errno, "can't use '%s' from byte %" PRIu64, uri->text,
                        uri->offset);
        close(fd);
        return NULL;
    }
    return mig_channel_new_fd(fd, 0);
}

static MigChannel *open_fd(MigUri *uri)
{
    int fd = uri->fd;

    uri->fd = -1;
    return mig_channel_new_fd(fd, 0);
}

static int connect_to(const SocketAddress *address, const _Atomic bool *give_up, Error **errp)
{
    bool in_progress = false;
    int fd = socket_connect_start(address, &in_progress, errp), err;

    if (fd < 0 || !in_progress) {
        return fd;
    }
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLOUT };

        if (*give_up) {
            error_setf(errp, ERR_WRONG_STATE, "the migration was cancelled");
            close(fd);
            return -1;
        }
        if (poll(&p, 1, 200) > 0) {
            break;
        }
    }
    err = socket_connect_result(fd);
    if (err) {
        char *text = socket_address_text(address);

        error_set_errno(errp, err, "Failed to connect to '%s'", text);
        free(text);
        close(fd);
        return -1;
    }
    return fd;
}

MigChannel *mig_uri_open_out(MigUri *uri, const _Atomic bool *give_up, Error **errp)
{
    int fd;

    switch (uri->kind) {
    case MIG_URI_EXEC:
        return open_exec(uri->text, true, errp);
    case MIG_URI_FILE:
        return open_file(uri, true, errp);
    case MIG_URI_FD:
        return open_fd(uri);
    default:
        fd = connect_to(uri->address, give_up, errp);
        return fd < 0 ? NULL : mig_channel_new_fd(fd, 0);
    }
}

MigChannel *mig_uri_open_in(MigUri *uri, Error **errp)
{
    switch (uri->kind) {
    case MIG_URI_EXEC:
        return open_exec(uri->text, false, errp);
    case MIG_URI_FILE:
        return open_file(uri, false, errp);
    default:
        return open_fd(uri);
    }
}
