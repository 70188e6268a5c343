/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stdio: the terminal that the emulator was started in. It is put into raw mode
 * (termios(3)) and restored at exit. Input and output are opened anew through
 * /proc, so that non-blocking mode is ours alone and stderr keeps its manners.
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include "chardev/char-int.h"

typedef struct StdioChardev {
    Chardev parent;
    FdPair fds;
} StdioChardev;

/* There is one terminal: whether it is taken, and how it was before. */
static struct {
    bool in_use, saved, signal;
    struct termios before, raw;
} terminal = { .signal = true };

void chardev_stdio_set_signals(bool signal)
{
    terminal.signal = signal;
}

static void restore_terminal(void)
{
    if (terminal.saved) {
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
        terminal.saved = false;
    }
}

/* After a stop (Ctrl-z) and fg the shell has set its own mode. */
static void on_continue(int sig)
{
    (void)sig;
    if (terminal.saved) {
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal.raw);
    }
}

static void make_raw(bool signal)
{
    static bool registered;
    struct sigaction sa = { .sa_handler = on_continue, .sa_flags = SA_RESTART };

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &terminal.before) < 0) {
        return;
    }
    terminal.raw = terminal.before;
    terminal.raw.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    terminal.raw.c_oflag |= OPOST;
    terminal.raw.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signal) {
        terminal.raw.c_lflag &= ~ISIG;
    }
    terminal.raw.c_cflag = (terminal.raw.c_cflag & ~(CSIZE | PARENB)) | CS8;
    terminal.raw.c_cc[VMIN] = 1;
    terminal.raw.c_cc[VTIME] = 0;
    terminal.saved = tcsetattr(STDIN_FILENO, TCSANOW, &terminal.raw) == 0;
    if (!registered) {
        registered = true;
        atexit(restore_terminal);
        sigaction(SIGCONT, &sa, NULL);
    }
}

/* The same open file with a non-blocking mode of its own, where that can be had. */
static int reopen(int fd, int mode)
{
    char path[64];
    struct stat st;
    int new = -1;

    if (fstat(fd, &st) < 0) {
        return -1;
    }
    if (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode)) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        new = open(path, mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    }
    if (new < 0) {
        new = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        /* A socket can't be opened anew; its mode is shared. */
        if (new >= 0 && S_ISSOCK(st.st_mode)) {
            fcntl(new, F_SETFL, fcntl(new, F_GETFL) | O_NONBLOCK);
        }
    }
    return new;
}

static bool stdio_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    StdioChardev *s = (StdioChardev *)chr;
    const ChardevStdio *opts = backend->u.stdio.data;
    int in, out;

    if (terminal.in_use) {
        error_setf(errp, ERR_IN_USE, "cannot use stdio by multiple character devices");
        return false;
    }
    in = reopen(STDIN_FILENO, O_RDONLY);
    out = reopen(STDOUT_FILENO, O_WRONLY);
    if (out < 0) {
        error_set_errno(errp, errno, "can't use the standard output");
        if (in >= 0) {
            close(in);
        }
        return false;
    }
    terminal.in_use = true;
    make_raw(opts->has_signal ? opts->signal : terminal.signal);
    fd_pair_init(&s->fds, chr, in, out);
    chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static void stdio_close(Chardev *chr)
{
    StdioChardev *s = (StdioChardev *)chr;

    if (s->fds.chr) {
        fd_pair_close(&s->fds);
        restore_terminal();
        terminal.in_use = false;
    }
}

static ssize_t stdio_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    return fd_pair_write(&((StdioChardev *)chr)->fds, buf, len);
}

static void stdio_accept_input(Chardev *chr)
{
    fd_pair_poll(&((StdioChardev *)chr)->fds);
}

const ChardevOps chr_stdio_ops = {
    .kind = CHARDEV_BACKEND_KIND_STDIO, .args = "[signal=on|off]",
    .size = sizeof(StdioChardev), .open = stdio_open, .close = stdio_close,
    .write = stdio_write, .accept_input = stdio_accept_input,
};
