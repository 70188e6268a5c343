/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QMP client. Protocol: QEMU Machine Protocol specification 2.1 to 2.5. */
#include "util/osdep.h"
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "libqmp/qmp-client.h"
#include "qobject/json.h"
#include "qobject/strbuf.h"

struct QmpClient {
    int fd;
    int timeout_ms;
    JsonReader *reader;
    QDict *greeting;
    QList *events;              /* kept until somebody waits for them */
    int64_t last_id;
};

/* ------------------------------------------------------------- time, input */

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* INT64_MAX: never. */
static int64_t deadline_after(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
}

static bool wait_fd(int fd, short events, int64_t deadline, Error **errp)
{
    for (;;) {
        struct pollfd pfd = { .fd = fd, .events = events };
        int64_t left = deadline == INT64_MAX ? -1 : deadline - now_ms();
        int rc;

        if (deadline != INT64_MAX && left < 0) {
            left = 0;
        }
        rc = poll(&pfd, 1, (int)left);
        if (rc > 0) {
            return true;
        }
        if (rc == 0) {
            error_setf(errp, ERR_HOST, "timeout while waiting for the QMP server");
            return false;
        }
        if (errno != EINTR) {
            error_set_errno(errp, errno, "poll");
            return false;
        }
    }
}

/* The next object from the server. */
static QDict *read_object(QmpClient *c, int64_t deadline, Error **errp)
{
    for (;;) {
        QObject *value = NULL;
        Error *err = NULL;
        char buf[65536];
        ssize_t n;

        if (json_reader_next(c->reader, &value, &err)) {
            error_propagate(errp, err);
            if (value && !qobject_to_dict(value)) {
                error_setf(errp, ERR_PROTOCOL, "the QMP server sent an %s instead of an object",
                           qobject_type_text(value));
                qobject_unref(value);
                return NULL;
            }
            return qobject_to_dict(value);      /* NULL after an error */
        }
        if (!wait_fd(c->fd, POLLIN, deadline, errp)) {
            return NULL;
        }
        n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (n == 0) {
            error_setf(errp, ERR_EOF, "the QMP server closed the connection");
            return NULL;
        }
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            error_set_errno(errp, errno, "can't read from the QMP server");
            return NULL;
        }
        if (n > 0) {
            json_reader_feed(c->reader, buf, n);
        }
    }
}

/* ---------------------------------------------------------------- output */

static ssize_t send_some(int sock, const char *text, size_t len, int fd)
{
    char control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { (char *)text, len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct cmsghdr *cmsg;

    if (fd >= 0) {
        msg.msg_control = control;
        msg.msg_controllen = sizeof(control);
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
    }
    return sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool send_text(QmpClient *c, const char *text, int fd, int64_t deadline, Error **errp)
{
    size_t len = strlen(text);

    while (len) {
        ssize_t n = send_some(c->fd, text, len, fd);

        if (n >= 0) {
            text += n;
            len -= n;
            fd = -1;            /* it went with the first byte */
        } else if (errno == EAGAIN) {
            if (!wait_fd(c->fd, POLLOUT, deadline, errp)) {
                return false;
            }
        } else if (errno != EINTR) {
            error_setf(errp, errno == EPIPE || errno == ECONNRESET ? ERR_EOF : ERR_HOST,
                       "can't write to the QMP server: %s", strerror(errno));
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------ connecting */

static int connect_unix(const char *path, Error **errp)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(un.sun_path)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "socket path '%s' is too long", path);
        return -1;
    }
    memcpy(un.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
        error_set_errno(errp, errno, "can't connect to '%s'", path);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static int connect_tcp(const char *address, Error **errp)
{
    const char *colon = strrchr(address, ':');
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *ai;
    char host[256];
    int rc, fd = -1;

    if (!colon || (size_t)(colon - address) >= sizeof(host)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' isn't HOST:PORT", address);
        return -1;
    }
    memcpy(host, address, colon - address);
    host[colon - address] = '\0';
    rc = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &list);
    if (rc) {
        error_setf(errp, ERR_HOST, "can't look up '%s': %s", address, gai_strerror(rc));
        return -1;
    }
    for (ai = list; ai; ai = ai->ai_next) {
        fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0) {
            break;
        }
        rc = errno;
        if (fd >= 0) {
            close(fd);
        }
        fd = -1;
    }
    freeaddrinfo(list);
    if (fd < 0) {
        error_set_errno(errp, rc, "can't connect to '%s'", address);
    }
    return fd;
}

static int connect_once(const char *address, Error **errp)
{
    if (!strncmp(address, "unix:", 5)) {
        return connect_unix(address + 5, errp);
    }
    if (!strncmp(address, "tcp:", 4)) {
        return connect_tcp(address + 4, errp);
    }
    if (!strncmp(address, "fd:", 3)) {
        return atoi(address + 3);
    }
    error_setf(errp, ERR_INVALID_ARGUMENT,
               "'%s' isn't an address; accepted: unix:PATH, tcp:HOST:PORT, fd:NUMBER", address);
    return -1;
}

static bool negotiate(QmpClient *c, Error **errp)
{
    QDict *hello = read_object(c, deadline_after(c->timeout_ms), errp);

    if (!hello) {
        return false;
    }
    c->greeting = qobject_ref(qobject_to_dict(qdict_get(hello, "QMP")));
    qobject_unref(hello);
    if (!c->greeting) {
        error_setf(errp, ERR_PROTOCOL, "the server doesn't greet as a QMP server does");
        return false;
    }
    return qmp_cmd_ok(c, "qmp_capabilities", NULL, errp);
}

QmpClient *qmp_client_new_fd(int fd, int timeout_ms, Error **errp)
{
    QmpClient *c = calloc(1, sizeof(*c));

    if (!c) {
        abort();
    }
    c->fd = fd;
    c->timeout_ms = timeout_ms;
    c->reader = json_reader_new(NULL);
    c->events = qlist_new();
    if (!negotiate(c, errp)) {
        qmp_client_free(c);
        return NULL;
    }
    return c;
}

QmpClient *qmp_client_new(const char *address, int timeout_ms, Error **errp)
{
    int64_t deadline = deadline_after(timeout_ms);

    for (;;) {
        Error *err = NULL;
        int fd = connect_once(address, &err);

        if (fd >= 0) {
            return qmp_client_new_fd(fd, timeout_ms, errp);
        }
        if (error_code(err) != ERR_HOST || now_ms() >= deadline) {
            error_propagate(errp, err);
            return NULL;
        }
        error_free(err);
        nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
    }
}

void qmp_client_free(QmpClient *c)
{
    if (!c) {
        return;
    }
    close(c->fd);
    json_reader_free(c->reader);
    qobject_unref(c->greeting);
    qobject_unref(c->events);
    free(c);
}

void qmp_client_set_timeout(QmpClient *c, int timeout_ms)
{
    c->timeout_ms = timeout_ms;
}

const QDict *qmp_client_greeting(const QmpClient *c)
{
    return c->greeting;
}

int qmp_client_fd(const QmpClient *c)
{
    return c->fd;
}

/* -------------------------------------------------------------- commands */

/* The server's class and, where it tells one, code; the text is the server's. */
static void take_error(const QDict *reply, Error **errp)
{
    const char *name = qdict_str_or(reply, "error.class", "");
    const char *code_name = qdict_str_or(reply, "error.data.code", "generic");
    ErrorClass class = ERROR_CLASS_GENERIC_ERROR;
    ErrorCode code = ERR_GENERIC;

    for (int i = ERROR_CLASS_GENERIC_ERROR; i <= ERROR_CLASS_KVM_MISSING_CAP; i++) {
        if (!strcmp(error_class_name(i), name)) {
            class = i;
        }
    }
    for (int i = 0; i < ERR__MAX; i++) {
        if (!strcmp(error_code_name(i), code_name)) {
            code = i;
        }
    }
    error_set_class(errp, class, code, "%s", qdict_str_or(reply, "error.desc", ""));
}

static void keep_event(QmpClient *c, QDict *event)
{
    qlist_append(c->events, event);
}

QObject *qmp_cmd_fd(QmpClient *c, const char *command, QDict *args, int fd, Error **errp)
{
    int64_t deadline = deadline_after(c->timeout_ms), id = ++c->last_id;
    QDict *request = qdict_new(), *reply;
    StrBuf line = { 0 };
    char *text;
    bool sent;

    qdict_put_str(request, "execute", command);
    if (args) {
        qdict_put(request, "arguments", args);
    }
    qdict_put_int(request, "id", id);
    text = json_write(QOBJECT(request), JSON_COMPACT);
    /* In one go: the server need not wait for the end of the line, and may have
     * quit before it comes. */
    strbuf_add_str(&line, text);
    strbuf_add_char(&line, '\n');
    sent = send_text(c, line.s, fd, deadline, errp);
    free(text);
    strbuf_free(&line);
    qobject_unref(request);
    if (!sent) {
        return NULL;
    }
    while ((reply = read_object(c, deadline, errp))) {
        QObject *result = qdict_get(reply, "return");

        if (qdict_has(reply, "event")) {
            keep_event(c, reply);
            continue;
        }
        /* An answer to one that timed out before is of no use any more. */
        if (qdict_int_or(reply, "id", id) != id) {
            qobject_unref(reply);
            continue;
        }
        if (result) {
            qobject_ref(result);
        } else if (qdict_has(reply, "error")) {
            take_error(reply, errp);
        } else {
            error_setf(errp, ERR_PROTOCOL, "an answer with neither 'return' nor 'error'");
        }
        qobject_unref(reply);
        return result;
    }
    return NULL;
}

QObject *qmp_cmd(QmpClient *c, const char *command, QDict *args, Error **errp)
{
    return qmp_cmd_fd(c, command, args, -1, errp);
}

QObject *qmp_cmd_fmt(QmpClient *c, Error **errp, const char *command, const char *fmt, ...)
{
    va_list ap;
    QObject *args;

    va_start(ap, fmt);
    args = qobject_from_vfmt(fmt, ap);
    va_end(ap);
    return qmp_cmd(c, command, qobject_to_dict(args), errp);
}

bool qmp_cmd_ok(QmpClient *c, const char *command, QDict *args, Error **errp)
{
    QObject *result = qmp_cmd(c, command, args, errp);

    qobject_unref(result);
    return result != NULL;
}

char *qmp_hmp(QmpClient *c, const char *line, Error **errp)
{
    QObject *result = qmp_cmd_fmt(c, errp, "human-monitor-command", "{'command-line': %s}", line);
    const QString *s = qobject_to_string(result);
    char *text = NULL;

    if (s) {
        text = strdup(s->str);
    } else if (result) {
        error_setf(errp, ERR_PROTOCOL, "human-monitor-command didn't return a string");
    }
    qobject_unref(result);
    return text;
}

/* ---------------------------------------------------------------- events */

static bool is_event(const QDict *d, const char *name)
{
    return !name || !strcmp(qdict_str_or(d, "event", ""), name);
}

QDict *qmp_wait_event(QmpClient *c, const char *name, int timeout_ms, Error **errp)
{
    int64_t deadline = deadline_after(timeout_ms);
    QDict *d;

    for (size_t i = 0; i < qlist_size(c->events); i++) {
        if (is_event(qobject_to_dict(qlist_get(c->events, i)), name)) {
            return qobject_to_dict(qlist_take(c->events, i));
        }
    }
    while ((d = read_object(c, deadline, errp))) {
        if (!qdict_has(d, "event")) {
            qobject_unref(d);           /* a late answer */
        } else if (is_event(d, name)) {
            return d;
        } else {
            keep_event(c, d);
        }
    }
    return NULL;
}

void qmp_drop_events(QmpClient *c)
{
    qobject_unref(c->events);
    c->events = qlist_new();
}
