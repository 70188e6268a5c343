/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_MS  120000              /* a busy host is no fault: the harness ends what hangs */
#define IRQ_LINES   256

struct QTest {
    Test *t;
    pid_t pid;                  /* 0: ended */
    int status;
    int fd;                     /* -1: gone */
    GString *in;
    QmpClient *qmp;
    bool level[IRQ_LINES];
    unsigned count[IRQ_LINES];
};

/* --- start and stop --- */

static int listen_at(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0) {
        g_error("cannot listen at %s: %s", path, g_strerror(errno));
    }
    return fd;
}

/* -1 when the child ends first, or nobody comes. */
static int accept_from(QTest *q, int listener)
{
    for (int waited = 0; waited < TIMEOUT_MS; waited += 50) {
        struct pollfd p = { .fd = listener, .events = POLLIN };

        if (poll(&p, 1, 50) > 0) {
            return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        }
        if (waitpid(q->pid, &q->status, WNOHANG) == q->pid) {
            q->pid = 0;
            break;
        }
    }
    return -1;
}

int qtest_stop(QTest *q)
{
    qmp_client_free(q->qmp);
    q->qmp = NULL;
    if (q->fd >= 0) {
        close(q->fd);
        q->fd = -1;
    }
    if (q->pid) {
        kill(q->pid, SIGTERM);
        for (int i = 0; ; i++) {
            if (waitpid(q->pid, &q->status, WNOHANG) == q->pid) {
                break;
            }
            if (i == TIMEOUT_MS / 10) {
                test_fail(q->t, "the emulator doesn't end");
                kill(q->pid, SIGKILL);
            }
            g_usleep(i < 100 ? 1000 : 10000);
        }
        q->pid = 0;
    }
    return WIFEXITED(q->status) ? WEXITSTATUS(q->status) : -1;
}

int qtest_wait(QTest *q)
{
    for (int i = 0; q->pid && i < TIMEOUT_MS / 10; i++) {
        if (waitpid(q->pid, &q->status, WNOHANG) == q->pid) {
            q->pid = 0;
        } else {
            g_usleep(10000);
        }
    }
    if (q->pid) {
        test_fail(q->t, "the emulator goes on");
    }
    return qtest_stop(q);
}

static void end(void *opaque)
{
    QTest *q = opaque;
    bool was_running = q->pid != 0;
    int status = qtest_stop(q);

    if (was_running && status != 0) {
        test_fail(q->t, "the emulator ended with status %d", q->status);
    }
    g_string_free(q->in, TRUE);
    g_free(q);
}

static void spawn(QTest *q, char **argv)
{
    q->pid = fork();
    if (q->pid < 0) {
        g_error("fork: %s", g_strerror(errno));
    }
    if (q->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        /* Standard output is the test's report. */
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execv(argv[0], argv);
        _exit(127);
    }
}

static QTest *start(Test *t, const char *args, bool with_qmp)
{
    QTest *q = g_new0(QTest, 1);
    const char *dir = test_tmpdir(t);
    g_autofree char *sock = g_strdup_printf("%s/qtest-%p.sock", dir, (void *)q);
    g_autofree char *qmp_sock = g_strdup_printf("%s/qmp-%p.sock", dir, (void *)q);
    const char *log = g_getenv("QTEST_LOG");
    g_auto(GStrv) user = NULL, argv = NULL;
    GPtrArray *a = g_ptr_array_new();
    int listener, qmp_listener = -1;

    q->t = t;
    q->fd = -1;
    q->in = g_string_new(NULL);
    listener = listen_at(sock);
    g_ptr_array_add(a, g_strdup(test_qemu_bin()));
    g_ptr_array_add(a, g_strdup("-qtest"));
    g_ptr_array_add(a, g_strdup_printf("unix:%s", sock));
    g_ptr_array_add(a, g_strdup("-qtest-log"));
    g_ptr_array_add(a, g_strdup(log ? log : "none"));
    if (with_qmp) {
        qmp_listener = listen_at(qmp_sock);
        g_ptr_array_add(a, g_strdup("-chardev"));
        g_ptr_array_add(a, g_strdup_printf("socket,path=%s,id=char0", qmp_sock));
        g_ptr_array_add(a, g_strdup("-mon"));
        g_ptr_array_add(a, g_strdup("chardev=char0,mode=control"));
    }
    g_ptr_array_add(a, g_strdup("-display"));
    g_ptr_array_add(a, g_strdup("none"));
    if (*args && !g_shell_parse_argv(args, NULL, &user, NULL)) {
        g_error("cannot take these apart: %s", args);
    }
    for (char **p = user; p && *p; p++) {
        g_ptr_array_add(a, g_strdup(*p));
    }
    if (!strstr(args, "-accel ")) {
        g_ptr_array_add(a, g_strdup("-accel"));
        g_ptr_array_add(a, g_strdup("qtest"));
    }
    g_ptr_array_add(a, NULL);
    argv = (char **)g_ptr_array_free(a, FALSE);

    spawn(q, argv);
    test_at_end(t, end, q);
    q->fd = accept_from(q, listener);
    close(listener);
    if (q->fd < 0) {
        test_fail(t, "the emulator doesn't connect: %s", args);
    } else if (with_qmp) {
        int fd = accept_from(q, qmp_listener);
        Error *err = NULL;

        q->qmp = fd >= 0 ? qmp_client_new_fd(fd, TIMEOUT_MS, &err) : NULL;
        if (!q->qmp) {
            test_fail(t, "no QMP: %s", err ? error_message(err) : "nobody connects");
            error_free(err);
        }
    }
    if (qmp_listener >= 0) {
        close(qmp_listener);
    }
    return q;
}

QTest *qtest_start(Test *t, const char *args, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, args);
    text = g_strdup_vprintf(args, ap);
    va_end(ap);
    return start(t, text, false);
}

QTest *qtest_start_qmp(Test *t, const char *args, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, args);
    text = g_strdup_vprintf(args, ap);
    va_end(ap);
    return start(t, text, true);
}

QmpClient *qtest_qmp(QTest *q)
{
    return q->qmp;
}

int qtest_pid(const QTest *q)
{
    return q->pid;
}

/* --- lines --- */

static void lost(QTest *q, const char *why)
{
    if (q->fd >= 0) {
        test_fail(q->t, "the qtest socket: %s", why);
        close(q->fd);
        q->fd = -1;
    }
}

static void send_line(QTest *q, const char *text)
{
    size_t len = strlen(text);

    while (len && q->fd >= 0) {
        ssize_t n = send(q->fd, text, len, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR) {
            lost(q, g_strerror(errno));
        } else if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
}

/* The next line without its end; NULL when there is none. */
static char *get_line(QTest *q)
{
    while (q->fd >= 0) {
        char *end = memchr(q->in->str, '\n', q->in->len), buf[4096];
        struct pollfd p = { .fd = q->fd, .events = POLLIN };
        ssize_t n;

        if (end) {
            char *line = g_strndup(q->in->str, (gsize)(end - q->in->str));

            g_string_erase(q->in, 0, end - q->in->str + 1);
            return line;
        }
        if (poll(&p, 1, TIMEOUT_MS) == 0) {
            lost(q, "no answer");
            break;
        }
        n = recv(q->fd, buf, sizeof(buf), 0);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            lost(q, n ? g_strerror(errno) : "the emulator has gone");
        } else if (n > 0) {
            g_string_append_len(q->in, buf, n);
        }
    }
    return NULL;
}

static void note_irq(QTest *q, const char *line)
{
    char what[8];
    unsigned n;

    if (sscanf(line, "IRQ %7s %u", what, &n) == 2 && n < IRQ_LINES) {
        q->level[n] = !strcmp(what, "raise");
        q->count[n] += q->level[n];
    }
}

static char *answer(QTest *q, char **fail)
{
    char *line, *result;

    while ((line = get_line(q)) && g_str_has_prefix(line, "IRQ ")) {
        note_irq(q, line);
        g_free(line);
    }
    if (fail) {
        *fail = NULL;
    }
    if (line && g_str_has_prefix(line, "OK")) {
        result = strdup(line[2] ? line + 3 : "");
    } else {
        result = NULL;
        if (fail) {
            *fail = strdup(line ? line : "");
        }
    }
    g_free(line);
    return result;
}

char *qtest_ask(QTest *q, char **fail, const char *fmt, ...)
{
    g_autofree char *text = NULL, *line = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    line = g_strconcat(text, "\n", NULL);
    send_line(q, line);
    return answer(q, fail);
}

/* Must succeed; the number after OK, all ones otherwise. */
static uint64_t ask_number(QTest *q, const char *fmt, ...) PRINTF_LIKE(2, 3);
static uint64_t ask_number(QTest *q, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    char *got, *fail;
    uint64_t v = UINT64_MAX;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    got = qtest_ask(q, &fail, "%s", text);
    if (got) {
        v = g_ascii_strtoull(got, NULL, 0);
    } else if (q->fd >= 0) {
        test_fail(q->t, "%.80s: %s", text, fail);
    }
    free(got);
    free(fail);
    return v;
}

/* --- accesses --- */

#define IN_OUT(letter, bits) \
    uint##bits##_t qtest_in##letter(QTest *q, uint16_t port) \
    { \
        return (uint##bits##_t)ask_number(q, "in" #letter " 0x%x", port); \
    } \
    void qtest_out##letter(QTest *q, uint16_t port, uint##bits##_t v) \
    { \
        ask_number(q, "out" #letter " 0x%x 0x%x", port, v); \
    }
IN_OUT(b, 8)
IN_OUT(w, 16)
IN_OUT(l, 32)

#define READ_WRITE(letter, bits) \
    uint##bits##_t qtest_read##letter(QTest *q, uint64_t addr) \
    { \
        return (uint##bits##_t)ask_number(q, "read" #letter " 0x%" PRIx64, addr); \
    } \
    void qtest_write##letter(QTest *q, uint64_t addr, uint##bits##_t v) \
    { \
        ask_number(q, "write" #letter " 0x%" PRIx64 " 0x%" PRIx64, addr, (uint64_t)v); \
    }
READ_WRITE(b, 8)
READ_WRITE(w, 16)
READ_WRITE(l, 32)
READ_WRITE(q, 64)

void qtest_read(QTest *q, uint64_t addr, void *buf, size_t len)
{
    char *got = qtest_ask(q, NULL, "b64read 0x%" PRIx64 " 0x%zx", addr, len);
    g_autofree guchar *data = NULL;
    gsize n = 0;

    memset(buf, 0xff, len);
    if (got) {
        data = g_base64_decode(got, &n);
        memcpy(buf, data, MIN(n, len));
    }
    if (n != len) {
        test_fail(q->t, "%zu bytes at 0x%" PRIx64 " can't be read", len, addr);
    }
    free(got);
}

void qtest_write(QTest *q, uint64_t addr, const void *buf, size_t len)
{
    g_autofree char *text = g_base64_encode(buf, len);

    if (len) {
        ask_number(q, "b64write 0x%" PRIx64 " 0x%zx %s", addr, len, text);
    }
}

void qtest_memset(QTest *q, uint64_t addr, uint8_t byte, size_t len)
{
    ask_number(q, "memset 0x%" PRIx64 " 0x%zx 0x%x", addr, len, byte);
}

/* --- lines and time --- */

static bool intercept(QTest *q, const char *command, const char *path)
{
    char *got = qtest_ask(q, NULL, "%s %s", command, path);
    bool ok = got != NULL;

    free(got);
    return ok;
}

bool qtest_irq_intercept_in(QTest *q, const char *path)
{
    return intercept(q, "irq_intercept_in", path);
}

bool qtest_irq_intercept_out(QTest *q, const char *path)
{
    return intercept(q, "irq_intercept_out", path);
}

/* What has come with answers so far; the order is that of the socket. */
bool qtest_irq_level(QTest *q, unsigned n)
{
    return n < IRQ_LINES && q->level[n];
}

unsigned qtest_irq_count(QTest *q, unsigned n)
{
    return n < IRQ_LINES ? q->count[n] : 0;
}

void qtest_set_irq_in(QTest *q, const char *path, const char *name, int n, int level)
{
    ask_number(q, "set_irq_in %s %s %d %d", path, name ? name : "unnamed-gpio-in", n, level);
}

int64_t qtest_clock_step(QTest *q, int64_t ns)
{
    return (int64_t)ask_number(q, "clock_step %" PRId64, ns);
}

int64_t qtest_clock_step_next(QTest *q)
{
    char *got = qtest_ask(q, NULL, "clock_step");
    int64_t t = got ? g_ascii_strtoll(got, NULL, 0) : -1;

    free(got);
    return t;
}

int64_t qtest_clock_set(QTest *q, int64_t ns)
{
    return (int64_t)ask_number(q, "clock_set %" PRId64, ns);
}

void qtest_reload(QTest *q)
{
    char *fail = NULL, *answer = qtest_ask(q, &fail, "reload");

    if (!answer) {
        test_fail(q->t, "reload: %s", fail ? fail : "no answer");
    }
    free(answer);
    free(fail);
}

/* --- PCI --- */

static void select_reg(QTest *q, unsigned bdf, unsigned reg)
{
    qtest_outl(q, 0xcf8, 0x80000000u | bdf << 8 | (reg & 0xfc));
}

#define QPCI_ACCESS(letter, bits, port_letter) \
    uint##bits##_t qpci_read##letter(QTest *q, unsigned bdf, unsigned reg) \
    { \
        select_reg(q, bdf, reg); \
        return qtest_in##port_letter(q, (uint16_t)(0xcfc + (reg & 3))); \
    } \
    void qpci_write##letter(QTest *q, unsigned bdf, unsigned reg, uint##bits##_t v) \
    { \
        select_reg(q, bdf, reg); \
        qtest_out##port_letter(q, (uint16_t)(0xcfc + (reg & 3)), v); \
    }
QPCI_ACCESS(b, 8, b)
QPCI_ACCESS(w, 16, w)
QPCI_ACCESS(l, 32, l)

int qpci_find(QTest *q, uint16_t vendor, uint16_t device)
{
    uint32_t want = vendor | (uint32_t)device << 16;

    for (unsigned devfn = 0; devfn < 256; devfn++) {
        if (qpci_readl(q, devfn, 0) == want) {
            return (int)devfn;
        }
    }
    return -1;
}

uint64_t qpci_bar_size(QTest *q, unsigned bdf, int n)
{
    unsigned reg = 0x10 + 4u * (unsigned)n;
    uint32_t old = qpci_readl(q, bdf, reg), got;
    uint64_t mask;

    qpci_writel(q, bdf, reg, UINT32_MAX);
    got = qpci_readl(q, bdf, reg);
    qpci_writel(q, bdf, reg, old);
    if (!got) {
        return 0;
    }
    if (got & 1) {
        mask = got & ~UINT32_C(3);
        return (uint32_t)-mask;
    }
    mask = got & ~UINT32_C(15);
    if ((got & 6) == 4) {
        uint32_t old_hi = qpci_readl(q, bdf, reg + 4);

        qpci_writel(q, bdf, reg + 4, UINT32_MAX);
        mask |= (uint64_t)qpci_readl(q, bdf, reg + 4) << 32;
        qpci_writel(q, bdf, reg + 4, old_hi);
        return -mask;
    }
    return (uint32_t)-mask;
}

void qpci_map(QTest *q, unsigned bdf, int n, uint64_t addr)
{
    unsigned reg = 0x10 + 4u * (unsigned)n;
    uint32_t type = qpci_readl(q, bdf, reg);

    qpci_writel(q, bdf, reg, (uint32_t)addr);
    if (!(type & 1) && (type & 6) == 4) {
        qpci_writel(q, bdf, reg + 4, (uint32_t)(addr >> 32));
    }
    qpci_writew(q, bdf, 4, (uint16_t)(qpci_readw(q, bdf, 4) | 7));
}
