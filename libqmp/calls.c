/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What users of the client call: making it, commands with and without waiting. */
#include "util/osdep.h"
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>
#include "libqmp/client-int.h"

/* ------------------------------------------------------- making, ending */

static QmpClient *client_new(const QmpOptions *options, const char *address)
{
    QmpClient *c = calloc(1, sizeof(*c));
    pthread_condattr_t attr;

    if (!c) {
        abort();
    }
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &attr);
    pthread_condattr_destroy(&attr);
    c->address = address ? strdup(address) : NULL;
    c->options = *options;
    c->fd = c->out_fd = c->next_fd = -1;
    c->last = &c->first;
    c->kept = qlist_new();
    return c;
}

/* A server that isn't there yet is tried again. */
static int connect_patiently(const char *address, int64_t deadline, Error **errp)
{
    for (;;) {
        Error *err = NULL;
        int fd = qmp_connect(address, &err);

        if (fd >= 0) {
            return fd;
        }
        if (error_code(err) != ERR_HOST || qmp_now_ms() >= deadline) {
            error_propagate(errp, err);
            return -1;
        }
        error_free(err);
        nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
    }
}

static bool start(QmpClient *c, int fd, Error **errp)
{
    bool ok;

    pthread_mutex_lock(&c->lock);
    c->fd = fd;
    ok = qmp_negotiate_locked(c, qmp_deadline(c->options.timeout_ms), errp);
    if (!ok) {
        qmp_disconnect_locked(c, ERR_EOF, "there is no connection to the QMP server");
    }
    pthread_mutex_unlock(&c->lock);
    return ok;
}

QmpClient *qmp_client_open(const char *address, const QmpOptions *options, Error **errp)
{
    bool once = !strncmp(address, "fd:", 3);
    QmpClient *c = client_new(options, once ? NULL : address);
    int fd = connect_patiently(address, qmp_deadline(options->timeout_ms), errp);

    if (fd < 0 || !start(c, fd, errp)) {
        qmp_client_free(c);
        return NULL;
    }
    return c;
}

QmpClient *qmp_client_new(const char *address, int timeout_ms, Error **errp)
{
    return qmp_client_open(address, &(QmpOptions){ .timeout_ms = timeout_ms }, errp);
}

QmpClient *qmp_client_new_fd(int fd, int timeout_ms, Error **errp)
{
    QmpClient *c = client_new(&(QmpOptions){ .timeout_ms = timeout_ms }, NULL);

    if (!start(c, fd, errp)) {
        qmp_client_free(c);
        return NULL;
    }
    return c;
}

bool qmp_client_reconnect(QmpClient *c, Error **errp)
{
    int fd;

    if (!c->address) {
        error_setf(errp, ERR_NOT_SUPPORTED, "the connection was handed over, and can't be made anew");
        return false;
    }
    pthread_mutex_lock(&c->lock);
    qmp_disconnect_locked(c, ERR_EOF, "the connection to the QMP server is made anew");
    qmp_deliver_locked(c);
    pthread_mutex_unlock(&c->lock);
    fd = connect_patiently(c->address, qmp_deadline(c->options.timeout_ms), errp);
    return fd >= 0 && start(c, fd, errp);
}

bool qmp_client_is_connected(QmpClient *c)
{
    bool yes;

    pthread_mutex_lock(&c->lock);
    yes = c->fd >= 0;
    pthread_mutex_unlock(&c->lock);
    return yes;
}

static void pending_free(Pending *p)
{
    qobject_unref(p->result);
    error_free(p->err);
    free(p);
}

void qmp_client_free(QmpClient *c)
{
    if (!c) {
        return;
    }
    if (c->fd >= 0) {
        close(c->fd);
    }
    if (c->out_fd >= 0) {
        close(c->out_fd);
    }
    if (c->next_fd >= 0) {
        close(c->next_fd);
    }
    while (c->pending) {
        Pending *p = c->pending;

        c->pending = p->next;
        pending_free(p);
    }
    while (c->first) {
        Delivery *d = c->first;

        c->first = d->next;
        if (d->answer) {
            pending_free(d->answer);
        }
        qobject_unref(d->event);
        free(d);
    }
    qmp_events_free(c);
    json_reader_free(c->reader);
    qobject_unref(c->greeting);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c->address);
    free(c->out);
    free(c);
}

void qmp_client_set_timeout(QmpClient *c, int timeout_ms)
{
    pthread_mutex_lock(&c->lock);
    c->options.timeout_ms = timeout_ms;
    pthread_mutex_unlock(&c->lock);
}

const QDict *qmp_client_greeting(const QmpClient *c)
{
    return c->greeting;
}

int qmp_client_fd(const QmpClient *c)
{
    return c->fd;
}

/* -------------------------------------------------------------- waiting */

static bool is_over(QmpClient *c, void *opaque)
{
    (void)c;
    return ((Pending *)opaque)->over;
}

static QObject *command(QmpClient *c, const char *execute, const char *name, QDict *args, int fd,
                        Error **errp)
{
    QObject *result = NULL;
    Error *err = NULL;
    Pending *p;

    pthread_mutex_lock(&c->lock);
    p = qmp_send_locked(c, execute, name, args, fd, errp);
    if (p) {
        int64_t deadline = p->deadline;

        p->deadline = INT64_MAX;            /* ours */
        if (!qmp_run_locked(c, is_over, p, deadline, &err)) {
            qmp_unlink_locked(c, p);
        } else {
            result = p->result;
            err = p->err;
        }
        free(p);
        error_propagate(errp, err);
    }
    pthread_mutex_unlock(&c->lock);
    return result;
}

/* Connect again first, where that is wanted and possible. */
static QObject *command_again(QmpClient *c, const char *execute, const char *name, QDict *args,
                              int fd, Error **errp)
{
    if (c->options.reconnect && !qmp_client_is_connected(c) && !qmp_client_reconnect(c, errp)) {
        qobject_unref(args);
        return NULL;
    }
    return command(c, execute, name, args, fd, errp);
}

QObject *qmp_cmd_fd(QmpClient *c, const char *name, QDict *args, int fd, Error **errp)
{
    return command_again(c, "execute", name, args, fd, errp);
}

QObject *qmp_cmd(QmpClient *c, const char *name, QDict *args, Error **errp)
{
    return command_again(c, "execute", name, args, -1, errp);
}

bool qmp_client_attach_fd(QmpClient *c, int fd, Error **errp)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    if (copy < 0) {
        error_set_errno(errp, errno, "file descriptor %d", fd);
        return false;
    }
    pthread_mutex_lock(&c->lock);
    if (c->next_fd >= 0) {
        close(c->next_fd);
    }
    c->next_fd = copy;
    pthread_mutex_unlock(&c->lock);
    return true;
}

QObject *qmp_cmd_oob(QmpClient *c, const char *name, QDict *args, Error **errp)
{
    if (!c->oob) {
        error_setf(errp, ERR_NOT_SUPPORTED, "out-of-band execution wasn't negotiated");
        qobject_unref(args);
        return NULL;
    }
    return command_again(c, "exec-oob", name, args, -1, errp);
}

QObject *qmp_cmd_fmt(QmpClient *c, Error **errp, const char *name, const char *fmt, ...)
{
    va_list ap;
    QObject *args;

    va_start(ap, fmt);
    args = qobject_from_vfmt(fmt, ap);
    va_end(ap);
    return qmp_cmd(c, name, qobject_to_dict(args), errp);
}

bool qmp_cmd_ok(QmpClient *c, const char *name, QDict *args, Error **errp)
{
    QObject *result = qmp_cmd(c, name, args, errp);

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

/* ----------------------------------------------------- without waiting */

static void drop_answer(QmpClient *c, QObject *result, Error *err, void *opaque)
{
    (void)c;
    (void)opaque;
    qobject_unref(result);
    error_free(err);
}

int64_t qmp_cmd_async(QmpClient *c, const char *name, QDict *args, int fd, QmpDoneFn *done,
                      void *opaque, Error **errp)
{
    int64_t id = -1;
    Pending *p;

    pthread_mutex_lock(&c->lock);
    p = qmp_send_locked(c, "execute", name, args, fd, errp);
    if (p) {
        p->done = done ? done : drop_answer;
        p->opaque = opaque;
        id = p->id;
        qmp_flush_locked(c);
    }
    pthread_mutex_unlock(&c->lock);
    return id;
}

bool qmp_cmd_forget(QmpClient *c, int64_t number)
{
    bool found = false;

    pthread_mutex_lock(&c->lock);
    for (Pending *p = c->pending; p; p = p->next) {
        if (p->id == number && p->done) {
            qmp_unlink_locked(c, p);
            pending_free(p);
            found = true;
            break;
        }
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

short qmp_client_poll_events(QmpClient *c)
{
    short events;

    pthread_mutex_lock(&c->lock);
    events = POLLIN | (c->out_len ? POLLOUT : 0);
    pthread_mutex_unlock(&c->lock);
    return events;
}

int qmp_client_poll_timeout(QmpClient *c)
{
    int64_t first = INT64_MAX, left;

    pthread_mutex_lock(&c->lock);
    for (Pending *p = c->pending; p; p = p->next) {
        first = MIN(first, p->deadline);
    }
    left = c->first ? 0 : first == INT64_MAX ? -1 : MAX(first - qmp_now_ms(), 0);
    pthread_mutex_unlock(&c->lock);
    return (int)MIN(left, INT32_MAX);
}

bool qmp_client_dispatch(QmpClient *c, Error **errp)
{
    bool ok = true;

    pthread_mutex_lock(&c->lock);
    if (!c->reading) {
        ok = qmp_step_locked(c, errp);
    }
    qmp_deliver_locked(c);
    pthread_mutex_unlock(&c->lock);
    return ok;
}
