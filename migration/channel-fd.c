/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Channels on file descriptors: sockets, pipes, files. */
#include "util/osdep.h"
#include "migration/channel.h"
#include "migration/channel-int.h"

#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct FdChannel {
    MigChannel parent;
    int fd, wake_fd;
    pid_t pid;                  /* reads or writes the other end; 0: nobody to wait for */
} FdChannel;

/* True when the descriptor is ready; false when the channel was interrupted. */
static bool wait_ready(FdChannel *f, short events)
{
    struct pollfd p[2] = { { .fd = f->fd, .events = events },
                           { .fd = f->wake_fd, .events = POLLIN } };

    while (poll(p, 2, -1) < 0 && errno == EINTR) {
    }
    return !f->parent.interrupted;
}

static ssize_t interrupted(Error **errp)
{
    error_setf(errp, ERR_WRONG_STATE, "the migration was cancelled");
    return -1;
}

static ssize_t fd_read(MigChannel *c, void *buf, size_t len, Error **errp)
{
    FdChannel *f = (FdChannel *)c;

    for (;;) {
        ssize_t n = read(f->fd, buf, len);

        if (n >= 0) {
            return n;
        }
        if (errno == EAGAIN) {
            if (!wait_ready(f, POLLIN)) {
                return interrupted(errp);
            }
        } else if (errno != EINTR) {
            error_set_errno(errp, errno, "can't read the migration stream");
            return -1;
        }
    }
}

static ssize_t fd_write(MigChannel *c, const void *buf, size_t len, Error **errp)
{
    FdChannel *f = (FdChannel *)c;

    for (;;) {
        ssize_t n = write(f->fd, buf, len);

        if (n >= 0) {
            return n;
        }
        if (errno == EAGAIN) {
            if (!wait_ready(f, POLLOUT)) {
                return interrupted(errp);
            }
        } else if (errno != EINTR) {
            error_set_errno(errp, errno, "can't write the migration stream");
            return -1;
        }
    }
}

static void fd_interrupt(MigChannel *c)
{
    FdChannel *f = (FdChannel *)c;
    uint64_t one = 1;

    while (write(f->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

static bool wait_child(FdChannel *f, Error **errp)
{
    int status = 0;

    if (!f->pid) {
        return true;
    }
    while (waitpid(f->pid, &status, 0) < 0 && errno == EINTR) {
    }
    f->pid = 0;
    if (status) {
        error_setf(errp, ERR_HOST, "the command of exec: failed with status %d",
                   WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    return !status;
}

static bool fd_finish(MigChannel *c, Error **errp)
{
    FdChannel *f = (FdChannel *)c;

    if (!f->pid) {
        return true;
    }
    close(f->fd);
    f->fd = -1;
    return wait_child(f, errp);
}

static void fd_free(MigChannel *c)
{
    FdChannel *f = (FdChannel *)c;

    if (f->fd >= 0) {
        close(f->fd);
    }
    wait_child(f, NULL);
    close(f->wake_fd);
    g_free(f);
}

static const MigChannelOps fd_ops = {
    .read = fd_read, .write = fd_write, .interrupt = fd_interrupt, .finish = fd_finish,
    .free = fd_free,
};

int mig_fd_of(const MigChannel *c)
{
    return ((const FdChannel *)c)->fd;
}

bool mig_fd_wait(MigChannel *c, short events, Error **errp)
{
    if (!wait_ready((FdChannel *)c, events)) {
        interrupted(errp);
        return false;
    }
    return true;
}

MigChannel *mig_channel_new_fd(int fd, int pid)
{
    FdChannel *f = g_new0(FdChannel, 1);

    f->parent.ops = &fd_ops;
    f->fd = fd;
    f->pid = pid;
    f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return &f->parent;
}
