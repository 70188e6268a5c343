/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's daemon (guest/clipboard) on the other side of qemu-vdagent, with a real X server and
 * xclip as the guest's programs, with a real Wayland compositor and wl-clipboard; and its commands for a shell.
 */
#include "util/osdep.h"
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "chardev/chardev.h"
#include "qobject/qobject.h"
#include "tests/lib/vnc-fixture.h"
#include "ui/core/clipboard.h"
#include "util/main-loop.h"

static const char greeting[] = "na\xc3\xafve caf\xc3\xa9 \xf0\x9f\x98\x80\nsecond line";
static const char page[] = "<p>one <b>two</b> \xf0\x9f\x98\x80</p>";

/* --- the port: a socket in place of the guest's device --- */

typedef struct PortBridge {
    CharFrontend fe;
    int listener, fd;
    FdWatch *listen_watch, *watch;
    GByteArray *out;
} PortBridge;

static void hang_up(PortBridge *b)
{
    fd_watch_remove(b->watch);
    b->watch = NULL;
    close(b->fd);
    b->fd = -1;
    g_byte_array_set_size(b->out, 0);
    chr_fe_set_open(&b->fe, false);
}

static void on_port(UNUSED int fd, unsigned events, void *opaque)
{
    PortBridge *b = opaque;
    uint8_t buf[65536];
    ssize_t n;

    if (events & FD_WRITE) {
        n = send(b->fd, b->out->data, b->out->len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            g_byte_array_remove_range(b->out, 0, n);
            chr_fe_accept_input(&b->fe);
        }
    }
    if (events & (FD_READ | FD_HANGUP)) {
        n = recv(b->fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (n == 0) {
            hang_up(b);
            return;
        }
        if (n > 0) {
            chr_fe_write(&b->fe, buf, n);
        }
    }
    fd_watch_set(b->watch, FD_READ | (b->out->len ? FD_WRITE : 0));
}

static size_t can_receive(void *opaque)
{
    PortBridge *b = opaque;

    return b->fd >= 0 && b->out->len < 65536 ? 65536 : 0;
}

static void receive(void *opaque, const uint8_t *buf, size_t len)
{
    PortBridge *b = opaque;

    g_byte_array_append(b->out, buf, len);
    fd_watch_set(b->watch, FD_READ | FD_WRITE);
}

static const ChrHandlers handlers = { .can_receive = can_receive, .receive = receive };

static void on_connect(int fd, UNUSED unsigned events, void *opaque)
{
    PortBridge *b = opaque;
    int conn = accept(fd, NULL, NULL);

    if (b->fd >= 0) {
        hang_up(b);
    }
    b->fd = conn;
    b->watch = fd_watch_new(conn, FD_READ, on_port, b);
    chr_fe_set_open(&b->fe, true);
}

/* --- the host's side --- */

typedef struct Host {
    ClipPeer peer;
    Fixture *f;
    PortBridge b;
    bool wayland;               /* else X11 */
    char *dir, *port, *display;
    pid_t server, daemon;
    unsigned formats;           /* that the guest has said to have */
    GBytes *png;
    ClipFormat asked;
    GBytes *answer;
} Host;

static void changed(ClipPeer *p, unsigned formats)
{
    ((Host *)p)->formats = formats;
}

static void wanted(ClipPeer *p, ClipFormat format)
{
    Host *h = (Host *)p;
    gsize len;
    const void *png = g_bytes_get_data(h->png, &len);

    if (format == CLIP_PNG) {
        clipboard_provide(p, format, png, len);
    } else {
        const char *s = format == CLIP_TEXT ? greeting : page;

        clipboard_provide(p, format, s, strlen(s));
    }
}

static void begin(void *opaque)
{
    Host *h = opaque;
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    QDict *o = qdict_from_fmt("{'backend': 'qemu-vdagent', 'id': 'agent', 'clipboard': 'on', 'mouse': 'off'}");
    Chardev *chr = chardev_new_from_opts(o, NULL);

    qobject_unref(o);
    h->peer = (ClipPeer){ .name = "host", .changed = changed, .wanted = wanted };
    clipboard_add(&h->peer);
    h->b.fd = -1;
    h->b.out = g_byte_array_new();
    chr_fe_init(&h->b.fe, chr, NULL);
    chr_fe_set_handlers(&h->b.fe, &handlers, &h->b);
    h->b.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(a.sun_path, h->port, sizeof(a.sun_path));
    if (bind(h->b.listener, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(h->b.listener, 4) < 0) {
        test_fail(h->f->t, "%s can't be listened on", h->port);
    }
    h->b.listen_watch = fd_watch_new(h->b.listener, FD_READ, on_connect, &h->b);
}

static void end(void *opaque)
{
    Host *h = opaque;

    if (h->b.fd >= 0) {
        hang_up(&h->b);
    }
    fd_watch_remove(h->b.listen_watch);
    close(h->b.listener);
    chr_fe_deinit(&h->b.fe);
    chardev_remove("agent", NULL);
    clipboard_remove(&h->peer);
    g_byte_array_unref(h->b.out);
}

static void claim(void *opaque)
{
    clipboard_claim(&((Host *)opaque)->peer, BIT(CLIP_TEXT) | BIT(CLIP_HTML) | BIT(CLIP_PNG));
}

static void claim_text(void *opaque)
{
    clipboard_claim(&((Host *)opaque)->peer, BIT(CLIP_TEXT));
}

static void look(void *opaque)
{
    Host *h = opaque;
    GBytes *data = clipboard_data(h->asked);

    if (clipboard_owner() == &h->peer || !(clipboard_formats() & BIT(h->asked))) {
        return;
    }
    if (data) {
        h->answer = g_bytes_ref(data);
    } else {
        clipboard_want(h->asked);
    }
}

/* What the guest has in that format, once it has. */
static GBytes *fetch(Host *h, ClipFormat format)
{
    h->asked = format;
    h->answer = NULL;
    while (!h->answer) {
        fixture_main(look, h);
        g_usleep(20000);
    }
    return h->answer;
}

/* --- the guest's side --- */

static pid_t run(const char *const *argv, const Host *h)
{
    pid_t pid = fork();

    if (pid == 0) {
        sigset_t none;

        sigemptyset(&none);                 /* our threads take no signals */
        sigprocmask(SIG_SETMASK, &none, NULL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        unsetenv("DISPLAY");
        unsetenv("WAYLAND_DISPLAY");
        setenv("XDG_RUNTIME_DIR", h->dir, 1);
        if (h->display) {
            setenv(h->wayland ? "WAYLAND_DISPLAY" : "DISPLAY", h->display, 1);
        }
        execvp(argv[0], (char **)argv);
        _exit(127);
    }
    return pid;
}

static bool start_server(Host *h)
{
    int fd[2];
    char number[8], text[16] = "";
    const char *argv[] = { "Xvfb", "-displayfd", number, "-screen", "0", "320x200x24", "-nolisten", "tcp", "-noreset",
                           NULL };

    if (pipe(fd) < 0) {
        return false;
    }
    snprintf(number, sizeof(number), "%d", fd[1]);
    h->server = run(argv, h);
    close(fd[1]);
    if (read(fd[0], text, sizeof(text) - 1) <= 0) {
        return false;
    }
    close(fd[0]);
    h->display = g_strdup_printf(":%d", atoi(text));
    return true;
}

/* Without a screen and without input devices. */
static bool start_compositor(Host *h)
{
    static const char config[] = "xwayland disable\n";
    char *path = g_build_filename(h->dir, "sway.conf", NULL), *socket = g_build_filename(h->dir, "wayland-1", NULL);
    /* It doesn't run as root: in a name space of users root is nobody. */
    const char *argv[] = { "unshare", "-U", "env", "WLR_BACKENDS=headless", "WLR_LIBINPUT_NO_DEVICES=1",
                           "WLR_RENDERER=pixman", "sway", "-c", path, NULL };
    bool up = false;

    g_file_set_contents(path, config, -1, NULL);
    h->server = run(geteuid() == 0 ? argv : argv + 2, h);
    while (!up && waitpid(h->server, NULL, WNOHANG) == 0) {
        g_usleep(20000);
        up = test_has_server(socket);
    }
    h->display = g_strdup("wayland-1");
    g_free(path);
    g_free(socket);
    return up;
}

static void start_daemon(Host *h, const char *option)
{
    char *program = g_build_filename(getenv("BUILD_DIR") ? getenv("BUILD_DIR") : ".", "guest/qemu-clipboard", NULL);
    const char *argv[] = { program, "-p", h->port, option, NULL };

    h->daemon = run(argv, h);
    g_free(program);
}

static void stop_daemon(Host *h)
{
    kill(h->daemon, SIGTERM);
    waitpid(h->daemon, NULL, 0);
}

/* A shell's output. */
static GBytes *sh(Host *h, const char *fmt, ...) PRINTF_LIKE(2, 3);
static GBytes *sh(Host *h, const char *fmt, ...)
{
    char *file = g_build_filename(h->dir, "out", NULL), *command, *all, *data = NULL;
    const char *argv[] = { "sh", "-c", NULL, NULL };
    gsize len = 0;
    va_list ap;

    va_start(ap, fmt);
    command = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    all = g_strdup_printf("{ %s; } >%s 2>/dev/null </dev/null", command, file);
    argv[2] = all;
    waitpid(run(argv, h), NULL, 0);
    g_file_get_contents(file, &data, &len, NULL);
    g_free(all);
    g_free(command);
    g_free(file);
    return g_bytes_new_take(data, len);
}

static void check_bytes(Host *h, GBytes *got, const void *want, size_t len, const char *what)
{
    gsize n;
    const void *p = g_bytes_get_data(got, &n);

    check_int(h->f->t, n, len, what);
    check_true(h->f->t, n == len && memcmp(p, want, len) == 0, what);
    g_bytes_unref(got);
}

/* Until the guest's programs see that format. */
static void await_target(Host *h, const char *selection, const char *target)
{
    bool there = false;

    while (!there) {
        GBytes *b = h->wayland ? sh(h, "timeout 5 wl-paste -l")
                               : sh(h, "timeout 5 xclip -o -selection %s -t TARGETS", selection);
        gsize n;
        const char *p = g_bytes_get_data(b, &n);

        there = p && g_strstr_len(p, n, target);
        g_bytes_unref(b);
    }
}

static void save(Host *h, const char *name, const void *data, size_t len)
{
    char *path = g_build_filename(h->dir, name, NULL);

    g_file_set_contents(path, data, len, NULL);
    g_free(path);
}

/* What a program of the guest pastes; one that copies. */
static GBytes *pasted(Host *h, const char *target)
{
    if (h->wayland) {
        return sh(h, "wl-paste -n -t '%s'", target);
    }
    return sh(h, "xclip -o -selection clipboard -t '%s'", target);
}

static void copy(Host *h, const char *target, const char *file)
{
    g_bytes_unref(h->wayland ? sh(h, "wl-copy -t '%s' < %s/%s", target, h->dir, file)
                             : sh(h, "xclip -i -selection clipboard -t '%s' %s/%s", target, h->dir, file));
}

static void to_guest(Host *h)
{
    gsize len;
    const void *png = g_bytes_get_data(h->png, &len);

    fixture_main(claim, h);
    await_target(h, "clipboard", "image/png");
    check_bytes(h, pasted(h, "UTF8_STRING"), greeting, strlen(greeting), "text");
    check_bytes(h, pasted(h, "text/html"), page, strlen(page), "HTML");
    check_bytes(h, pasted(h, "image/png"), png, len, "5 MB, piece by piece");
}

static void from_guest(Host *h)
{
    gsize len;
    const void *png = g_bytes_get_data(h->png, &len);

    save(h, "text", greeting, strlen(greeting));
    save(h, "page", page, strlen(page));
    save(h, "png", png, len);
    copy(h, "UTF8_STRING", "text");
    check_bytes(h, fetch(h, CLIP_TEXT), greeting, strlen(greeting), "text of the guest");
    copy(h, "text/html", "page");
    check_bytes(h, fetch(h, CLIP_HTML), page, strlen(page), "HTML of the guest");
    copy(h, "image/png", "png");
    check_bytes(h, fetch(h, CLIP_PNG), png, len, "5 MB of the guest");
}

static void prepare(Host *h)
{
    uint32_t *noise = g_new(uint32_t, 5 * MIB / 4);

    for (size_t i = 0; i < 5 * MIB / 4; i++) {
        noise[i] = (uint32_t)i * 2654435761u ^ (uint32_t)(i >> 5);
    }
    h->png = g_bytes_new_take(noise, 5 * MIB);
    h->dir = g_strdup(test_tmpdir(h->f->t));
    h->port = g_build_filename(h->dir, "port", NULL);
    fixture_main(begin, h);
}

static void finish(Host *h)
{
    fixture_main(end, h);
    kill(h->server, SIGTERM);
    waitpid(h->server, NULL, 0);
    g_bytes_unref(h->png);
    g_free(h->display);
    g_free(h->port);
    g_free(h->dir);
}

static void both_ways(Fixture *f, void *arg)
{
    Host *h = arg;

    prepare(h);
    if (!start_server(h)) {
        test_fail(f->t, "the X server doesn't start");
        return;
    }
    start_daemon(h, NULL);
    to_guest(h);
    from_guest(h);
    to_guest(h);                        /* who had it last has it */
    stop_daemon(h);
    /* A daemon that starts again, with the other selection too. */
    start_daemon(h, "-P");
    fixture_main(claim_text, h);
    await_target(h, "primary", "UTF8_STRING");
    check_bytes(h, sh(h, "xclip -o -selection primary"), greeting, strlen(greeting), "PRIMARY");
    g_bytes_unref(sh(h, "printf chosen | xclip -i -selection primary -t UTF8_STRING"));
    check_bytes(h, fetch(h, CLIP_TEXT), "chosen", 6, "PRIMARY of the guest");
    stop_daemon(h);
    /* No X server: a shell's commands. */
    fixture_main(claim, h);
    check_bytes(h, sh(h, "%s/guest/qemu-clipboard -p %s paste", getenv("BUILD_DIR"), h->port), greeting,
                strlen(greeting), "paste");
    check_bytes(h, sh(h, "%s/guest/qemu-clipboard -p %s paste html", getenv("BUILD_DIR"), h->port), page,
                strlen(page), "paste of HTML");
    g_bytes_unref(sh(h, "printf copied | %s/guest/qemu-clipboard -p %s copy", getenv("BUILD_DIR"), h->port));
    check_bytes(h, fetch(h, CLIP_TEXT), "copied", 6, "copy");
    fixture_main(claim_text, h);        /* which ends the one that served it */
    finish(h);
}

static void both_ways_wayland(Fixture *f, void *arg)
{
    Host *h = arg;

    h->wayland = true;
    prepare(h);
    if (!start_compositor(h)) {
        test_fail(f->t, "the compositor doesn't start");
        return;
    }
    start_daemon(h, NULL);
    to_guest(h);
    from_guest(h);
    to_guest(h);                        /* who had it last has it */
    stop_daemon(h);
    /* A daemon that starts again, with the other selection too. */
    start_daemon(h, "-P");
    fixture_main(claim_text, h);
    for (bool there = false; !there; ) {
        GBytes *b = sh(h, "timeout 5 wl-paste -p -n -t UTF8_STRING");

        there = g_bytes_get_size(b) == strlen(greeting);
        g_bytes_unref(b);
    }
    g_bytes_unref(sh(h, "printf chosen | wl-copy -p -t UTF8_STRING"));
    check_bytes(h, fetch(h, CLIP_TEXT), "chosen", 6, "the primary selection of the guest");
    stop_daemon(h);
    finish(h);
}

static void with_programs(Test *t, const char *const *programs, void (*fn)(Fixture *f, void *arg))
{
    Fixture *f;
    Host h = { .server = 0 };

    for (; *programs; programs++) {
        char *path = g_find_program_in_path(*programs);

        if (!path) {
            char *why = g_strdup_printf("%s is missing", *programs);

            test_skip(t, why);
            g_free(why);
            return;
        }
        g_free(path);
    }
    if (!getenv("BUILD_DIR")) {
        test_skip(t, "BUILD_DIR isn't set");
        return;
    }
    f = fixture_start(t, 320, 200, "");
    if (f) {
        h.f = f;
        fixture_run(f, fn, &h);
        fixture_stop(f);
    }
}

TEST(guest_clipboard, both_ways)
{
    static const char *const programs[] = { "Xvfb", "xclip", NULL };

    with_programs(t, programs, both_ways);
}

TEST(guest_clipboard, wayland)
{
    static const char *const programs[] = { "sway", "wl-copy", NULL };

    with_programs(t, programs, both_ways_wayland);
}
