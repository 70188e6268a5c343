/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pty: a new pseudo terminal; its slave side is for some other program. And
 * serial: a terminal device of the host.
 *
 * Linux tells the master of a pty by POLLHUP that no program has the slave
 * open, and tells nothing when one opens it: that is polled for.
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include "chardev/char-int.h"
#include "util/timer.h"

#define POLL_NS     (200 * NS_PER_MS)

typedef struct PtyChardev {
    Chardev parent;
    FdPair fds;
    Timer timer;
} PtyChardev;

static bool pty_has_peer(int fd)
{
    struct pollfd pfd = { .fd = fd, .events = POLLIN };

    return poll(&pfd, 1, 0) < 0 || !(pfd.revents & POLLHUP);
}

static void pty_wait(PtyChardev *s)
{
    timer_mod_ns(&s->timer, clock_get_ns(CLOCK_RT) + POLL_NS);
}

static void pty_gone(FdPair *p)
{
    PtyChardev *s = container_of(p, PtyChardev, fds);

    fd_pair_stop(p);
    if (p->chr->be_open) {
        chr_be_event(p->chr, CHR_EVENT_CLOSED);
    }
    pty_wait(s);
}

static void pty_poll_peer(void *opaque)
{
    PtyChardev *s = opaque;

    if (!pty_has_peer(s->fds.in)) {
        pty_wait(s);
        return;
    }
    if (!s->parent.be_open) {
        chr_be_event(&s->parent, CHR_EVENT_OPENED);
    }
    fd_pair_poll(&s->fds);
}

static bool pty_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    PtyChardev *s = (PtyChardev *)chr;
    struct termios tio;
    char name[128];
    int master, slave;

    (void)backend;
    if (openpty(&master, &slave, name, NULL, NULL) < 0) {
        error_set_errno(errp, errno, "can't make a pseudo terminal");
        error_hint(errp, "is devpts mounted at /dev/pts?");
        return false;
    }
    tcgetattr(slave, &tio);
    cfmakeraw(&tio);
    tcsetattr(slave, TCSAFLUSH, &tio);
    close(slave);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
    fd_pair_init(&s->fds, chr, master, master);
    s->fds.hangup = pty_gone;
    timer_init_ns(&s->timer, CLOCK_RT, pty_poll_peer, s);
    chr->filename = g_strdup_printf("pty:%s", name);
    pty_wait(s);
    return true;
}

static void pty_close(Chardev *chr)
{
    PtyChardev *s = (PtyChardev *)chr;

    timer_del(&s->timer);
    fd_pair_close(&s->fds);
}

static ssize_t pty_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    PtyChardev *s = (PtyChardev *)chr;

    if (!pty_has_peer(s->fds.in)) {
        pty_gone(&s->fds);
        return -1;
    }
    return fd_pair_write(&s->fds, buf, len);
}

static void pty_accept_input(Chardev *chr)
{
    if (chr->be_open) {
        fd_pair_poll(&((PtyChardev *)chr)->fds);
    }
}

const ChardevOps chr_pty_ops = {
    .kind = CHARDEV_BACKEND_KIND_PTY, .args = "",
    .size = sizeof(PtyChardev), .open = pty_open, .close = pty_close, .write = pty_write,
    .accept_input = pty_accept_input,
};

/* -------------------------------------------------------------- serial */

static bool serial_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    PtyChardev *s = (PtyChardev *)chr;
    const char *path = backend->u.serial.data->device;
    struct termios tio;
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        error_set_errno(errp, errno, "can't open '%s'", path);
        return false;
    }
    if (tcgetattr(fd, &tio) < 0) {
        error_set_errno(errp, errno, "'%s' isn't a serial port", path);
        close(fd);
        return false;
    }
    cfmakeraw(&tio);
    tio.c_cflag |= CLOCAL | CREAD;
    tcsetattr(fd, TCSANOW, &tio);
    fd_pair_init(&s->fds, chr, fd, fd);
    chr->filename = g_strdup(path);
    chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static ssize_t serial_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    return fd_pair_write(&((PtyChardev *)chr)->fds, buf, len);
}

static void serial_set_params(Chardev *chr, const ChrSerialParams *params)
{
    static const struct { int speed; speed_t code; } speeds[] = {
        { 50, B50 }, { 75, B75 }, { 110, B110 }, { 134, B134 }, { 150, B150 }, { 200, B200 },
        { 300, B300 }, { 600, B600 }, { 1200, B1200 }, { 1800, B1800 }, { 2400, B2400 },
        { 4800, B4800 }, { 9600, B9600 }, { 19200, B19200 }, { 38400, B38400 },
        { 57600, B57600 }, { 115200, B115200 }, { 230400, B230400 },
    };
    static const tcflag_t sizes[] = { CS5, CS6, CS7, CS8 };
    int fd = ((PtyChardev *)chr)->fds.in;
    speed_t code = B115200;
    struct termios tio;

    if (tcgetattr(fd, &tio) < 0) {
        return;
    }
    for (size_t i = ARRAY_SIZE(speeds); i-- > 0;) {
        if (speeds[i].speed >= params->speed) {
            code = speeds[i].code;          /* the next one up, if it isn't exact */
        }
    }
    cfsetispeed(&tio, code);
    cfsetospeed(&tio, code);
    tio.c_cflag &= ~(PARENB | PARODD | CSTOPB | CSIZE);
    tio.c_cflag |= sizes[params->data_bits >= 5 && params->data_bits <= 8
                         ? params->data_bits - 5 : 3];
    tio.c_cflag |= params->stop_bits == 2 ? CSTOPB : 0;
    tio.c_cflag |= params->parity == 'E' ? PARENB : params->parity == 'O' ? PARENB | PARODD : 0;
    tcsetattr(fd, TCSANOW, &tio);
}

static void serial_set_break(Chardev *chr, bool on)
{
    ioctl(((PtyChardev *)chr)->fds.in, on ? TIOCSBRK : TIOCCBRK);
}

const ChardevOps chr_serial_ops = {
    .kind = CHARDEV_BACKEND_KIND_SERIAL, .args = "path=F",
    .size = sizeof(PtyChardev), .open = serial_open, .close = pty_close,
    .write = serial_write, .accept_input = pty_accept_input,
    .set_serial_params = serial_set_params, .set_break = serial_set_break,
};
