/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pair of descriptors, and the back ends that are no more than that: file, pipe. */
#include "util/osdep.h"
#include <fcntl.h>
#include <unistd.h>
#include "chardev/char-int.h"
#include "util/fdset.h"

#define READ_MAX    4096

static void pair_hangup(FdPair *p)
{
    if (p->hangup) {
        p->hangup(p);
        return;
    }
    /* End of input: nothing more to read, but output may go on. */
    fd_watch_remove(p->in_watch);
    p->in_watch = NULL;
    if (p->in >= 0 && p->in != p->out) {
        close(p->in);
    }
    p->in = -1;
}

static void pair_readable(int fd, unsigned events, void *opaque)
{
    FdPair *p = opaque;
    uint8_t buf[READ_MAX];
    size_t room = chr_be_can_receive(p->chr);
    ssize_t n;

    (void)events;
    if (!room) {
        fd_pair_poll(p);
        return;
    }
    n = read(fd, buf, MIN(room, sizeof(buf)));
    if (n > 0) {
        chr_be_receive(p->chr, buf, n);
        fd_pair_poll(p);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        pair_hangup(p);
    }
}

static void pair_writable(int fd, unsigned events, void *opaque)
{
    FdPair *p = opaque;

    (void)fd;
    (void)events;
    fd_watch_remove(p->out_watch);
    p->out_watch = NULL;
    chr_be_flush(p->chr);
}

void fd_pair_init(FdPair *p, Chardev *chr, int in, int out)
{
    p->chr = chr;
    p->in = in;
    p->out = out;
}

void fd_pair_poll(FdPair *p)
{
    bool want = p->in >= 0 && chr_be_can_receive(p->chr) > 0;

    if (want && !p->in_watch) {
        p->in_watch = fd_watch_new(p->in, FD_READ, pair_readable, p);
    } else if (!want && p->in_watch) {
        fd_watch_remove(p->in_watch);
        p->in_watch = NULL;
    }
}

ssize_t fd_pair_write(FdPair *p, const uint8_t *buf, size_t len)
{
    ssize_t n;

    if (p->out < 0) {
        return -1;
    }
    do {
        n = write(p->out, buf, len);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN) {
        return -1;
    }
    n = MAX(n, 0);
    if ((size_t)n < len && !p->out_watch) {
        p->out_watch = fd_watch_new(p->out, FD_WRITE, pair_writable, p);
    }
    return n;
}

void fd_pair_stop(FdPair *p)
{
    fd_watch_remove(p->in_watch);
    fd_watch_remove(p->out_watch);
    p->in_watch = p->out_watch = NULL;
}

void fd_pair_close(FdPair *p)
{
    if (!p->chr) {
        return;                 /* never initialised */
    }
    fd_pair_stop(p);
    if (p->in >= 0 && p->in != p->out) {
        close(p->in);
    }
    if (p->out >= 0) {
        close(p->out);
    } else if (p->in >= 0) {
        close(p->in);
    }
    p->in = p->out = -1;
}

/* ---------------------------------------------------------- file, pipe */

typedef struct FdChardev {
    Chardev parent;
    FdPair fds;
} FdChardev;

static void fd_close(Chardev *chr)
{
    fd_pair_close(&((FdChardev *)chr)->fds);
}

static ssize_t fd_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    return fd_pair_write(&((FdChardev *)chr)->fds, buf, len);
}

static void fd_accept_input(Chardev *chr)
{
    fd_pair_poll(&((FdChardev *)chr)->fds);
}

static int open_file(const char *path, int flags, Error **errp)
{
    int fd = fdset_open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);

    if (fd < 0) {
        error_set_errno(errp, errno, "can't open '%s'", path);
    }
    return fd;
}

static bool file_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    FdChardev *s = (FdChardev *)chr;
    const ChardevFile *file = backend->u.file.data;
    bool append = file->has_append && file->append;
    int in = -1, out;

    out = open_file(file->out, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), errp);
    if (out < 0) {
        return false;
    }
    if (file->in && (in = open_file(file->in, O_RDONLY, errp)) < 0) {
        close(out);
        return false;
    }
    fd_pair_init(&s->fds, chr, in, out);
    chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static bool pipe_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    FdChardev *s = (FdChardev *)chr;
    const char *name = backend->u.pipe.data->device;
    char *in_name = g_strdup_printf("%s.in", name), *out_name = g_strdup_printf("%s.out", name);
    /* O_RDWR: opening must not wait for, nor fail without, the other side. */
    int in = open(in_name, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    int out = open(out_name, O_RDWR | O_CLOEXEC | O_NONBLOCK);

    g_free(in_name);
    g_free(out_name);
    if (in < 0 || out < 0) {
        if (in >= 0) {
            close(in);
        }
        if (out >= 0) {
            close(out);
        }
        in = out = open_file(name, O_RDWR, errp);
        if (in < 0) {
            return false;
        }
    }
    fd_pair_init(&s->fds, chr, in, out);
    chr->filename = g_strdup_printf("pipe:%s", name);
    chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

const ChardevOps chr_file_ops = {
    .kind = CHARDEV_BACKEND_KIND_FILE, .args = "path=F[,input-path=F][,append=on|off]",
    .size = sizeof(FdChardev), .open = file_open, .close = fd_close, .write = fd_write,
    .accept_input = fd_accept_input,
};

const ChardevOps chr_pipe_ops = {
    .kind = CHARDEV_BACKEND_KIND_PIPE, .args = "path=F",
    .size = sizeof(FdChardev), .open = pipe_open, .close = fd_close, .write = fd_write,
    .accept_input = fd_accept_input,
};
