/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client's inside: bytes out and in, answers to whom they belong. Protocol: QEMU Machine Protocol
 * specification 2.1 to 2.5.
 *
 * One thread at a time waits for the socket; the others wait for @changed and look whether theirs
 * has come. Callbacks run after the lock has been let go of.
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "libqmp/client-int.h"

static void *xalloc(size_t size)
{
    void *p = calloc(1, size);

    if (!p) {
        abort();
    }
    return p;
}

/* -------------------------------------------------------------- answers */

void qmp_unlink_locked(QmpClient *c, Pending *p)
{
    for (Pending **at = &c->pending; *at; at = &(*at)->next) {
        if (*at == p) {
            *at = p->next;
            p->next = NULL;
            return;
        }
    }
}

static void add_delivery(QmpClient *c, Pending *answer, QDict *event)
{
    Delivery *d = xalloc(sizeof(*d));

    d->answer = answer;
    d->event = event;
    *c->last = d;
    c->last = &d->next;
}

/* Its result or error is set: tell the thread that waits, or queue the callback. */
static void finish_pending(QmpClient *c, Pending *p)
{
    qmp_unlink_locked(c, p);
    p->over = true;
    if (p->done) {
        add_delivery(c, p, NULL);
    }
    pthread_cond_broadcast(&c->changed);
}

static void fail_pending(QmpClient *c, Pending *p, ErrorCode code, const char *why)
{
    error_setf(&p->err, code, "%s", why);
    finish_pending(c, p);
}

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

/* Takes @message. An answer without a number that we know is to nobody. */
static void take_message(QmpClient *c, QDict *message)
{
    int64_t id = qdict_int_or(message, "id", -1);
    QObject *result = qdict_get(message, "return");
    Pending *p = c->pending;

    if (qdict_has(message, "event")) {
        add_delivery(c, NULL, message);
        pthread_cond_broadcast(&c->changed);
        return;
    }
    while (p && p->id != id) {
        p = p->next;
    }
    if (p) {
        if (result) {
            p->result = qobject_ref(result);
        } else if (qdict_has(message, "error")) {
            take_error(message, &p->err);
        } else {
            error_setf(&p->err, ERR_PROTOCOL, "an answer with neither 'return' nor 'error'");
        }
        finish_pending(c, p);
    }
    qobject_unref(message);
}

/* ---------------------------------------------------------------- bytes */

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

/* The descriptor goes with the first byte of its command, and never with one before. */
static bool flush_out(QmpClient *c, Error **errp)
{
    while (c->out_len) {
        bool now = c->out_fd >= 0 && c->out_fd_at == 0;
        size_t len = c->out_fd >= 0 && !now ? c->out_fd_at : c->out_len;
        ssize_t n = send_some(c->fd, c->out, len, now ? c->out_fd : -1);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return true;
        }
        if (n < 0) {
            error_setf(errp, errno == EPIPE || errno == ECONNRESET ? ERR_EOF : ERR_HOST,
                       "can't write to the QMP server: %s", strerror(errno));
            return false;
        }
        if (now) {
            close(c->out_fd);
            c->out_fd = -1;
        }
        memmove(c->out, c->out + n, c->out_len - n);
        c->out_len -= n;
        c->out_fd_at -= MIN((size_t)n, c->out_fd_at);
    }
    return true;
}

static bool read_in(QmpClient *c, Error **errp)
{
    static const size_t room = 65536;
    char *buf = xalloc(room);
    QObject *value;
    Error *err;
    ssize_t n;

    while ((n = recv(c->fd, buf, room, MSG_DONTWAIT)) > 0) {
        json_reader_feed(c->reader, buf, n);
    }
    if (n == 0) {
        error_setf(errp, ERR_EOF, "the QMP server closed the connection");
    } else if (errno != EAGAIN && errno != EINTR) {
        error_setf(errp, errno == ECONNRESET ? ERR_EOF : ERR_HOST,
                   "can't read from the QMP server: %s", strerror(errno));
    }
    free(buf);
    while (value = NULL, err = NULL, json_reader_next(c->reader, &value, &err)) {
        if (qobject_to_dict(value)) {
            take_message(c, qobject_to_dict(value));
        } else {
            /* What isn't JSON, or no object, is no QMP server's. */
            if (errp && !*errp) {
                error_setf(errp, ERR_PROTOCOL, "the QMP server sent what isn't an object");
            }
            qobject_unref(value);
            error_free(err);
        }
    }
    return !errp || !*errp;
}

void qmp_flush_locked(QmpClient *c)
{
    Error *err = NULL;

    /* That the connection has gone is told by whoever reads next. */
    if (c->fd >= 0) {
        flush_out(c, &err);
    }
    error_free(err);
}

bool qmp_step_locked(QmpClient *c, Error **errp)
{
    Error *err = NULL;

    if (c->fd < 0) {
        error_setf(errp, ERR_EOF, "there is no connection to the QMP server");
        return false;
    }
    if (!flush_out(c, &err)) {
        Error *also = NULL;

        /* What it said before it went still counts. */
        read_in(c, &also);
        error_free(also);
    } else {
        read_in(c, &err);
    }
    if (err) {
        qmp_disconnect_locked(c, error_code(err), error_message(err));
        error_propagate(errp, err);
        return false;
    }
    return true;
}

void qmp_disconnect_locked(QmpClient *c, ErrorCode code, const char *why)
{
    if (c->fd >= 0) {
        close(c->fd);
        c->fd = -1;
    }
    if (c->out_fd >= 0) {
        close(c->out_fd);
        c->out_fd = -1;
    }
    c->out_len = 0;
    while (c->pending) {
        fail_pending(c, c->pending, code, why);
    }
    pthread_cond_broadcast(&c->changed);
}

/* -------------------------------------------------------------- waiting */

static void expire(QmpClient *c)
{
    int64_t now = qmp_now_ms();

    for (Pending *p = c->pending, *next; p; p = next) {
        next = p->next;
        if (p->deadline != INT64_MAX && p->deadline <= now) {
            fail_pending(c, p, ERR_HOST, "timeout while waiting for the QMP server");
        }
    }
}

void qmp_deliver_locked(QmpClient *c)
{
    Delivery *d;

    expire(c);
    while ((d = c->first)) {
        c->first = d->next;
        if (!c->first) {
            c->last = &c->first;
        }
        if (d->answer) {
            Pending *p = d->answer;

            pthread_mutex_unlock(&c->lock);
            p->done(c, p->result, p->err, p->opaque);
            free(p);
            pthread_mutex_lock(&c->lock);
        } else {
            qmp_tell_event_locked(c, d->event);
        }
        free(d);
    }
}

static void wait_for_reader(QmpClient *c, int64_t deadline)
{
    struct timespec ts;

    if (deadline == INT64_MAX) {
        pthread_cond_wait(&c->changed, &c->lock);
        return;
    }
    ts.tv_sec = deadline / 1000;
    ts.tv_nsec = deadline % 1000 * 1000000;
    pthread_cond_timedwait(&c->changed, &c->lock, &ts);
}

bool qmp_run_locked(QmpClient *c, bool (*ready)(QmpClient *c, void *opaque), void *opaque,
                    int64_t deadline, Error **errp)
{
    for (;;) {
        bool ok;

        qmp_deliver_locked(c);
        if (ready(c, opaque)) {
            return true;
        }
        if (deadline != INT64_MAX && qmp_now_ms() > deadline) {
            error_setf(errp, ERR_HOST, "timeout while waiting for the QMP server");
            return false;
        }
        if (c->reading) {
            wait_for_reader(c, deadline);
            continue;
        }
        if (!qmp_step_locked(c, errp)) {
            qmp_deliver_locked(c);
            if (ready(c, opaque)) {
                if (errp) {
                    error_free(*errp);
                    *errp = NULL;
                }
                return true;
            }
            return false;
        }
        if (c->first || ready(c, opaque)) {
            continue;
        }
        c->reading = true;
        {
            int fd = c->fd;
            short events = POLLIN | (c->out_len ? POLLOUT : 0);

            pthread_mutex_unlock(&c->lock);
            ok = qmp_wait_fd(fd, events, deadline, errp);
            pthread_mutex_lock(&c->lock);
        }
        c->reading = false;
        pthread_cond_broadcast(&c->changed);
        if (!ok) {
            return false;
        }
    }
}

/* -------------------------------------------------------------- sending */

static void add_out(QmpClient *c, const char *text, size_t len)
{
    if (c->out_len + len > c->out_room) {
        c->out_room = 2 * (c->out_len + len);
        c->out = realloc(c->out, c->out_room);
        if (!c->out) {
            abort();
        }
    }
    memcpy(c->out + c->out_len, text, len);
    c->out_len += len;
}

Pending *qmp_send_locked(QmpClient *c, const char *execute, const char *command, QDict *args, int fd,
                         Error **errp)
{
    QDict *request;
    Pending *p;
    char *text;

    if (c->fd < 0) {
        error_setf(errp, ERR_EOF, "there is no connection to the QMP server");
        qobject_unref(args);
        return NULL;
    }
    if (fd >= 0 && c->out_fd >= 0) {
        error_setf(errp, ERR_IN_USE, "another descriptor is still on its way");
        qobject_unref(args);
        return NULL;
    }
    request = qdict_new();
    qdict_put_str(request, execute, command);
    if (args) {
        qdict_put(request, "arguments", args);
    }
    p = xalloc(sizeof(*p));
    p->id = ++c->last_id;
    p->deadline = qmp_deadline(c->options.timeout_ms);
    qdict_put_int(request, "id", p->id);
    text = json_write(QOBJECT(request), JSON_COMPACT);
    qobject_unref(request);
    if (fd >= 0) {
        c->out_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        c->out_fd_at = c->out_len;
    } else if (c->next_fd >= 0 && c->out_fd < 0) {
        c->out_fd = c->next_fd;
        c->out_fd_at = c->out_len;
        c->next_fd = -1;
    }
    /* In one go: the server need not wait for the end of the line, and may have quit before it
     * comes. */
    add_out(c, text, strlen(text));
    add_out(c, "\n", 1);
    free(text);
    p->next = c->pending;
    c->pending = p;
    return p;
}

/* ------------------------------------------------------------ beginning */

/* The greeting is an object like no other: taken before anything else is read. */
static bool read_greeting(QmpClient *c, int64_t deadline, Error **errp)
{
    QObject *value = NULL;
    Error *err = NULL;

    while (!json_reader_next(c->reader, &value, &err)) {
        char buf[4096];
        ssize_t n;

        if (!qmp_wait_fd(c->fd, POLLIN, deadline, errp)) {
            return false;
        }
        n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            error_setf(errp, ERR_EOF, "the QMP server closed the connection");
            return false;
        }
        if (n > 0) {
            json_reader_feed(c->reader, buf, n);
        }
    }
    qobject_unref(c->greeting);
    c->greeting = qobject_ref(qobject_to_dict(qdict_get(qobject_to_dict(value), "QMP")));
    qobject_unref(value);
    error_free(err);
    if (!c->greeting) {
        error_setf(errp, ERR_PROTOCOL, "the server doesn't greet as a QMP server does");
        return false;
    }
    return true;
}

static bool server_has_oob(const QmpClient *c)
{
    const QList *list = qobject_to_list(qdict_get(c->greeting, "capabilities"));

    for (size_t i = 0; list && i < qlist_size(list); i++) {
        const QString *s = qobject_to_string(qlist_get(list, i));

        if (s && !strcmp(s->str, "oob")) {
            return true;
        }
    }
    return false;
}

static bool is_over(QmpClient *c, void *opaque)
{
    (void)c;
    return ((Pending *)opaque)->over;
}

bool qmp_negotiate_locked(QmpClient *c, int64_t deadline, Error **errp)
{
    Pending *p;
    bool ok;

    json_reader_free(c->reader);
    c->reader = json_reader_new(NULL);
    if (!read_greeting(c, deadline, errp)) {
        return false;
    }
    c->oob = c->options.oob && server_has_oob(c);
    p = qmp_send_locked(c, "execute", "qmp_capabilities",
                        c->oob ? qdict_from_fmt("{'enable': ['oob']}") : NULL, -1, errp);
    if (!p) {
        return false;
    }
    ok = qmp_run_locked(c, is_over, p, deadline, errp);
    qmp_unlink_locked(c, p);
    ok = ok && !p->err;
    if (p->err) {
        error_propagate(errp, p->err);
    }
    qobject_unref(p->result);
    free(p);
    return ok;
}
