/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VNC server beside the installed QEMU's: the same screens, painted by qtest into the frame
 * buffer of -vga std in both, one viewer, each encoding. For each: bytes, processor time of the
 * emulator from the guest's write to the viewer's pixels, frames a second, latency.
 *
 *   bench-vnc [PEER [ENCODING [X]]]    default: qemu-system-x86_64 on the PATH ("": none); all ("": all); TigerVNC's Xtigervnc
 *
 * TigerVNC's X server shows the same pictures, which an X client puts on its root window.
 *
 * Environment: QEMU_BIN.
 */
#include "util/osdep.h"
#include <glib.h>
#include <math.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tests/lib/rfb-client.h"
#include "util/bswap.h"

#define W       1024
#define H       768
#define FB      0xe0000000u
#define FRAME_WAIT_MS   6000

typedef struct Emulator {
    const char *name, *binary, *accel;
    pid_t pid;
    int qtest;
    char *dir, *vnc;
    /* An X server. */
    bool is_x;
    int x;
    uint32_t root, gc;
    uint8_t big;                /* opcode of the extension BIG-REQUESTS */
} Emulator;

static uint32_t screen[W * H];
static uint64_t rnd = 1;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* --- the emulator --- */

static void ask(Emulator *e, char *answer, size_t size, const char *fmt, ...) PRINTF_LIKE(4, 5);
static void ask(Emulator *e, char *answer, size_t size, const char *fmt, ...)
{
    va_list ap;
    char *line;
    size_t n = 0;

    va_start(ap, fmt);
    line = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    for (size_t at = 0, len = strlen(line); at < len; ) {
        ssize_t k = write(e->qtest, line + at, len - at);

        if (k <= 0) {
            fprintf(stderr, "%s has ended\n", e->name);
            exit(1);
        }
        at += k;
    }
    g_free(line);
    for (;;) {
        char c;

        if (read(e->qtest, &c, 1) != 1) {
            fprintf(stderr, "%s has ended\n", e->name);
            exit(1);
        }
        if (c == '\n') {
            break;
        }
        if (n + 1 < size) {
            answer[n++] = c;
        }
    }
    answer[n] = '\0';
}

static void out(Emulator *e, const char *op, unsigned port, unsigned v)
{
    char a[64];

    ask(e, a, sizeof(a), "%s 0x%x 0x%x\n", op, port, v);
}

static uint32_t inl(Emulator *e, unsigned port)
{
    char a[64];

    ask(e, a, sizeof(a), "inl 0x%x\n", port);
    return strtoul(a + 3, NULL, 0);
}

static void dispi(Emulator *e, unsigned index, unsigned v)
{
    out(e, "outw", 0x1ce, index);
    out(e, "outw", 0x1cf, v);
}

static void set_mode(Emulator *e)
{
    for (unsigned dev = 0; dev < 32; dev++) {
        out(e, "outl", 0xcf8, 0x80000000u | dev << 11);
        if (inl(e, 0xcfc) == 0x11111234) {
            out(e, "outl", 0xcf8, 0x80000010u | dev << 11);
            out(e, "outl", 0xcfc, FB);
            out(e, "outl", 0xcf8, 0x80000004u | dev << 11);
            out(e, "outl", 0xcfc, 7);
            break;
        }
    }
    out(e, "outb", 0x3c0, 0x20);            /* the screen on */
    dispi(e, 4, 0);
    dispi(e, 1, W);
    dispi(e, 2, H);
    dispi(e, 3, 32);
    dispi(e, 4, 0x41);
}

static void start(Emulator *e, const char *options)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char *qarg, *varg;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    e->dir = g_dir_make_tmp("bench-XXXXXX", NULL);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/qtest", e->dir);
    e->vnc = g_strdup_printf("unix:%s/vnc", e->dir);
    qarg = g_strdup_printf("unix:%s", a.sun_path);
    varg = g_strdup_printf("%s%s", e->vnc, options);
    if (bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(listener, 1) < 0) {
        exit(1);
    }
    e->pid = fork();
    if (e->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp(e->binary, "qemu-system-x86_64", "-M", "pc", "-m", "64", "-vga", "std", "-S",
               "-accel", e->accel, "-qtest", qarg, "-qtest-log", "/dev/null", "-display", "none", "-vnc", varg,
               NULL);
        _exit(127);
    }
    signal(SIGPIPE, SIG_IGN);
    alarm(600);                 /* an emulator that ends at once never connects */
    e->qtest = accept(listener, NULL, NULL);
    close(listener);
    g_free(qarg);
    g_free(varg);
    set_mode(e);
}

static void stop(Emulator *e)
{
    char *path = g_build_filename(e->dir, "qtest", NULL);

    kill(e->pid, SIGKILL);
    waitpid(e->pid, NULL, 0);
    close(e->qtest);
    unlink(path);
    g_free(path);
    unlink(e->vnc + 5);
    rmdir(e->dir);
    g_free(e->dir);
    g_free(e->vnc);
}

/* --- an X server (X Window System Protocol, 11: appendix B "Protocol Encoding"; BIG-REQUESTS) --- */

static void x_transfer(Emulator *e, bool in, void *data, size_t len)
{
    for (size_t at = 0; at < len; ) {
        ssize_t k = in ? read(e->x, (char *)data + at, len - at) : write(e->x, (char *)data + at, len - at);

        if (k <= 0) {
            fprintf(stderr, "%s has ended\n", e->name);
            exit(1);
        }
        at += k;
    }
}

static void x_reply(Emulator *e, void *request, size_t len, uint8_t reply[32])
{
    x_transfer(e, false, request, len);
    x_transfer(e, true, reply, 32);
    if (reply[0] != 1) {
        fprintf(stderr, "%s: the X server says error %u\n", e->name, reply[1]);
        exit(1);
    }
}

static void x_connect(Emulator *e, const char *display)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    uint8_t hello[12] = { 'l', 0, 11 }, head[8], reply[32], *setup;
    uint8_t query[20] = { 98, 0, 5, 0, 12, 0, 0, 0, 'B', 'I', 'G', '-', 'R', 'E', 'Q', 'U', 'E', 'S', 'T', 'S' };
    uint8_t enable[4] = { 0, 0, 1, 0 }, create[16] = { 55, 0, 4, 0 };
    size_t len;

    snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/.X11-unix/X%s", display);
    e->x = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(e->x, (struct sockaddr *)&a, sizeof(a)) < 0) {
        fprintf(stderr, "can't connect to X display :%s\n", display);
        exit(1);
    }
    x_transfer(e, false, hello, sizeof(hello));
    x_transfer(e, true, head, sizeof(head));
    len = load_le16(head + 6) * 4u;
    setup = g_malloc(len);
    x_transfer(e, true, setup, len);
    /* Vendor and formats stand between the fixed part and the first screen. */
    e->root = load_le32(setup + 32 + ALIGN_UP(load_le16(setup + 16), 4) + setup[21] * 8);
    e->gc = load_le32(setup + 4);
    g_free(setup);
    x_reply(e, query, sizeof(query), reply);
    e->big = enable[0] = reply[9];
    x_reply(e, enable, sizeof(enable), reply);
    store_le32(create + 4, e->gc);
    store_le32(create + 8, e->root);
    x_transfer(e, false, create, sizeof(create));
}

/* PutImage, in the long form, and a question that is answered when it is done. */
static void x_show(Emulator *e, int y, int h)
{
    size_t len = 28 + 4 * (size_t)W * h;
    uint8_t *request = g_malloc(len), ask[4] = { 43, 0, 1, 0 }, reply[32];

    memset(request, 0, 28);
    request[0] = 72;
    request[1] = 2;                             /* ZPixmap */
    store_le32(request + 4, len / 4);
    store_le32(request + 8, e->root);
    store_le32(request + 12, e->gc);
    store_le16(request + 16, W);
    store_le16(request + 18, h);
    store_le16(request + 22, y);
    request[25] = 24;                           /* depth */
    for (int i = 0; i < W * h; i++) {
        store_le32(request + 28 + 4 * i, screen[y * W + i]);
    }
    x_transfer(e, false, request, len);
    x_reply(e, ask, sizeof(ask), reply);
    g_free(request);
}

static void start_x(Emulator *e)
{
    char display[16] = "", fd[16], *path;
    int ready[2];
    ssize_t n = 0;

    e->dir = g_dir_make_tmp("bench-XXXXXX", NULL);
    path = g_build_filename(e->dir, "vnc", NULL);
    e->vnc = g_strdup_printf("unix:%s", path);
    if (pipe(ready) < 0) {
        exit(1);
    }
    snprintf(fd, sizeof(fd), "%d", ready[1]);
    e->pid = fork();
    if (e->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ready[0]);
        if (!freopen("/dev/null", "w", stderr)) {
            _exit(127);
        }
        execlp(e->binary, e->binary, "-displayfd", fd, "-ac", "-nocursor", "-noreset", "-geometry", "1024x768", "-depth", "24",
               "-SecurityTypes", "None", "-rfbport", "-1", "-rfbunixpath", path, "-Log", "*:stderr:0", NULL);
        _exit(127);
    }
    close(ready[1]);
    signal(SIGPIPE, SIG_IGN);
    alarm(600);
    while (n < (ssize_t)sizeof(display) - 1 && read(ready[0], display + n, 1) == 1 && display[n] != '\n') {
        n++;
    }
    display[n] = '\0';
    close(ready[0]);
    if (!n) {
        fprintf(stderr, "%s doesn't begin\n", e->binary);
        exit(1);
    }
    x_connect(e, display);
    g_free(path);
}

static void stop_x(Emulator *e)
{
    close(e->x);
    kill(e->pid, SIGTERM);                      /* it removes its sockets */
    waitpid(e->pid, NULL, 0);
    unlink(e->vnc + 5);
    rmdir(e->dir);
    g_free(e->dir);
    g_free(e->vnc);
}

/* Seconds of processor time so far, all threads, also those that have ended. */
static double cpu(const Emulator *e)
{
    struct timespec t;
    clockid_t clock;

    if (clock_getcpuclockid(e->pid, &clock) != 0 || clock_gettime(clock, &t) != 0) {
        return 0;
    }
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* Whole lines, in one command: no emulator looks at a screen that is painted by half, so that bytes
 * don't depend on time. */
static void show(Emulator *e, int y, int h)
{
    char a[64], *b64;
    size_t n = 4 * (size_t)W * h;

    if (e->is_x) {
        x_show(e, y, h);
        return;
    }
    b64 = g_base64_encode((uint8_t *)(screen + y * W), n);
    ask(e, a, sizeof(a), "b64write 0x%x 0x%zx %s\n", FB + 4 * W * y, n, b64);
    if (strcmp(a, "OK") != 0) {
        fprintf(stderr, "%s: %s\n", e->name, a);
    }
    g_free(b64);
}

/* --- screens --- */

static unsigned noise(void)
{
    rnd = rnd * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return rnd >> 33;
}

/* A character of a made-up font, 8x16. */
static void glyph(int x, int y, unsigned c, uint32_t fg, uint32_t bg)
{
    for (int j = 0; j < 16; j++) {
        unsigned bits = j < 3 || j > 12 || c == 0 ? 0
                      : (c * 2654435761u >> (j / 2 * 3 % 24)) & 0x7e & (0x3c | c << 1);

        for (int i = 0; i < 8; i++) {
            screen[(y + j) * W + x + i] = bits >> i & 1 ? fg : bg;
        }
    }
}

static void text_line(int y, uint32_t fg, uint32_t bg)
{
    unsigned len = 20 + noise() % 100;

    for (int i = 0; i < W / 8; i++) {
        glyph(i * 8, y, (unsigned)i < len && noise() % 6 ? 1 + noise() % 60 : 0, fg, bg);
    }
}

static void fill(int x, int y, int w, int h, uint32_t c)
{
    for (int j = y; j < y + h; j++) {
        for (int i = x; i < x + w; i++) {
            screen[j * W + i] = c;
        }
    }
}

static void photo(int x, int y, int w, int h, double phase)
{
    for (int j = 0; j < h; j++) {
        for (int i = 0; i < w; i++) {
            int n = noise() & 7;

            screen[(y + j) * W + x + i] =
                (uint32_t)(120 + 100 * sin((i + 3 * phase) / 41.0 + j / 67.0) + n) << 16 |
                (uint32_t)(120 + 100 * cos((j + phase) / 33.0) + n) << 8 |
                (uint32_t)(120 + 90 * sin((i - j) / 59.0 + phase / 9) + n);
        }
    }
}

static void window(int x, int y, int w, int h, unsigned seed)
{
    uint64_t keep = rnd;

    rnd = seed;
    fill(x, y, w, h, 0xf4f4f4);
    fill(x, y, w, 22, 0x3060b0);
    for (int k = 0; k < (h - 40) / 18; k++) {
        for (int i = 0; i < (w - 20) / 8; i++) {
            glyph(x + 10 + 8 * i, y + 30 + 18 * k, noise() % 5 ? 1 + noise() % 60 : 0, 0x202020,
                  0xf4f4f4);
        }
    }
    rnd = keep;
}

static void desktop(int wx, int wy)
{
    for (int j = 0; j < H; j++) {
        for (int i = 0; i < W; i++) {
            screen[j * W + i] = 0x204060 + (j / 8) * 0x000101;
        }
    }
    fill(0, H - 28, W, 28, 0xd0d0d0);
    window(40, 60, 420, 300, 5);
    window(wx, wy, 480, 360, 9);
}

/* One frame of a sequence; what has changed is shown. False: it is over. */
static bool frame(Emulator *e, unsigned sequence, unsigned n)
{
    switch (sequence) {
    case 0:                     /* a text console that scrolls */
        if (n == 0) {
            fill(0, 0, W, H, 0);
            for (int y = 0; y < H; y += 16) {
                text_line(y, 0xaaaaaa, 0);
            }
        } else {
            memmove(screen, screen + 16 * W, 4 * (size_t)W * (H - 16));
            text_line(H - 16, 0xaaaaaa, 0);
        }
        show(e, 0, H);
        return n < 30;
    case 1:                     /* typing */
        glyph(8 * (n % 100), 16 * (n / 100), 1 + noise() % 60, 0xffffff, 0);
        show(e, 16 * (n / 100), 16);
        return n < 40;
    case 2:                     /* a window that is moved */
        desktop(200 + 12 * n, 180 + 7 * n);
        show(e, 0, H);
        return n < 25;
    case 3:                     /* photographs */
        photo(0, 0, W, H, n * 100);
        show(e, 0, H);
        return n < 3;
    default:                    /* a film in a window */
        if (n == 0) {
            desktop(300, 200);
        }
        photo(320, 240, 320, 240, n * 4);
        show(e, n ? 240 : 0, n ? 240 : H);
        return n < 30;
    }
}
#define SEQUENCES 5
static const char *const sequence_names[] = { "console", "typing", "window", "photo", "film" };

/* --- measuring --- */

static const struct {
    const char *name;
    int32_t list[4];
    unsigned n;
    bool loss, not_x;           /* TigerVNC doesn't have it */
} settings[] = {
    { "raw", { 0 }, 1, false }, { "hextile", { 5 }, 1, false }, { "zlib", { 6 }, 1, false, true },
    { "zlib level 6", { 6, -250 }, 2, false, true },
    { "tight", { 7 }, 1, false }, { "tight level 6", { 7, -250 }, 2, false },
    { "zrle", { 16 }, 1, false }, { "zrle level 6", { 16, -250 }, 2, false },
    { "tight-png", { -260 }, 1, false, true }, { "all, zrle first", { 16, 1, 7, 5 }, 4, false },
    { "all, tight first", { 7, 1, 16, 5 }, 4, false },
    { "tight, quality 6", { 7, 1, -26 }, 3, true },
};

static bool equal(const RfbClient *c)
{
    for (int i = 0; i < W * H; i++) {
        if ((c->values[i] ^ screen[i]) & 0xffffff) {
            return false;
        }
    }
    return true;
}

/* Until the viewer shows the screen; seconds, negative if it never does. */
static double follow(RfbClient *c, bool exact)
{
    double begin = now();
    unsigned before = c->updates;

    while (now() - begin < FRAME_WAIT_MS / 1000.0) {
        unsigned had = c->updates;

        if (!rfb_readable(c, FRAME_WAIT_MS)) {
            return -1;
        }
        if (rfb_message(c) < 0) {
            fprintf(stderr, "%s\n", c->error);
            return -1;
        }
        if (c->updates != had) {
            rfb_request(c, true, 0, 0, c->width, c->height);
            if (exact ? equal(c) : c->updates > before) {
                return now() - begin;
            }
        }
    }
    return -1;
}

static void measure(Emulator *e, unsigned k, unsigned sequence, FILE *to)
{
    double spent = 0, begin, sum = 0, worst = 0;
    unsigned frames = 0, lost = 0;
    uint64_t bytes;
    RfbClient c;

    rnd = 1;
    memset(screen, 0, sizeof(screen));
    show(e, 0, H);
    if (!rfb_open(&c, rfb_connect(e->vnc), NULL) ||
        !rfb_set_encodings(&c, settings[k].list, settings[k].n) || !rfb_update(&c, true)) {
        fprintf(stderr, "%s: %s\n", e->name, c.error);
        rfb_close(&c);
        return;
    }
    while (rfb_readable(&c, 300) && rfb_message(&c) >= 0) {
    }
    rfb_request(&c, true, 0, 0, W, H);
    bytes = c.bytes;
    begin = now();
    for (unsigned n = 0; frame(e, sequence, n); n++) {
        double before = cpu(e), l = follow(&c, !settings[k].loss);

        spent += cpu(e) - before;

        frames++;
        if (l < 0) {
            lost++;
        } else {
            sum += l;
            worst = MAX(worst, l);
        }
    }
    fprintf(to, "%s\t%s\t%s\t%" PRIu64 "\t%.0f\t%.1f\t%.1f\t%.1f\t%u\n", settings[k].name,
            sequence_names[sequence], e->name, c.bytes - bytes, spent * 1000,
            frames / (now() - begin), frames > lost ? sum / (frames - lost) * 1000 : 0,
            worst * 1000, lost);
    fflush(to);
    rfb_close(&c);
}

int main(int argc, char **argv)
{
    const char *peer = argc > 1 ? argv[1] : "qemu-system-x86_64";
    const char *ours = getenv("QEMU_BIN");
    /* Some builds have the peer's qtest accelerator as a module of its own. */
    Emulator e[3] = { { .name = "ours", .binary = ours, .accel = "qtest" },
                      { .name = "peer", .binary = peer, .accel = "tcg" },
                      { .name = "xvnc", .binary = argc > 3 ? argv[3] : "Xtigervnc", .is_x = true } };
    g_autofree char *x_path = g_find_program_in_path(e[2].binary);

    if (!ours) {
        fprintf(stderr, "QEMU_BIN isn't set\n");
        return 1;
    }
    printf("encoding\tscreens\twho\tbytes\tcpu-ms\tframes/s\tlatency-ms\tworst-ms\tlost\n");
    for (unsigned k = 0; k < ARRAY_SIZE(settings); k++) {
        if (argc > 2 && *argv[2] && strcmp(argv[2], settings[k].name) != 0) {
            continue;
        }
        for (unsigned i = 0; i < ARRAY_SIZE(e); i++) {
            if (i == 1 ? !*peer : i == 2 && (!x_path || settings[k].not_x)) {
                continue;
            }
            if (e[i].is_x) {
                start_x(&e[i]);
            } else {
                start(&e[i], settings[k].loss ? ",lossy=on" : "");
            }
            for (unsigned s = 0; s < SEQUENCES; s++) {
                measure(&e[i], k, s, stdout);
            }
            (e[i].is_x ? stop_x : stop)(&e[i]);
        }
    }
    return 0;
}
