/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of libqmp only. */
#ifndef LIBQMP_CLIENT_INT_H
#define LIBQMP_CLIENT_INT_H

#include <pthread.h>
#include "libqmp/qmp-client.h"
#include "qobject/json.h"

/* A command whose answer is awaited. */
typedef struct Pending {
    int64_t id;
    int64_t deadline;           /* INT64_MAX: never */
    QmpDoneFn *done;            /* NULL: a thread waits */
    void *opaque;
    bool over;                  /* with result or err */
    QObject *result;
    Error *err;
    struct Pending *next;
} Pending;

typedef struct Subscription {
    char *name;                 /* NULL: all others */
    QmpEventFn *fn;
    void *opaque;
    void (*free_opaque)(void *opaque);
    unsigned running;           /* callbacks inside */
    bool dead;                  /* goes when none is inside any more */
    struct Subscription *next;
} Subscription;

/* What came and is still to be told, in order. */
typedef struct Delivery {
    Pending *answer;            /* owned; or NULL and: */
    QDict *event;               /* owned */
    struct Delivery *next;
} Delivery;

struct QmpClient {
    pthread_mutex_t lock;       /* of all below but what says otherwise */
    pthread_cond_t changed;     /* something came, or reading is free */
    char *address;              /* NULL: made from a descriptor */
    QmpOptions options;
    int fd;                     /* -1: not connected */
    bool reading;               /* a thread waits in poll() */
    bool oob;                   /* negotiated */
    JsonReader *reader;
    QDict *greeting;
    QList *kept;                /* events nobody is called for */
    int64_t last_id;
    char *out;                  /* to be sent */
    size_t out_len, out_room;
    int out_fd;                 /* goes with the byte at out_fd_at; -1: none; owned */
    size_t out_fd_at;
    int next_fd;                /* goes with the next command; -1: none; owned */
    Pending *pending;
    Delivery *first, **last;
    Subscription *subscriptions;
};

int64_t qmp_now_ms(void);
int64_t qmp_deadline(int timeout_ms);

/* connect.c: a connected, blocking-free socket, or -1. */
int qmp_connect(const char *address, Error **errp);
bool qmp_wait_fd(int fd, short events, int64_t deadline, Error **errp);

/* client.c; with the lock held. */
void qmp_disconnect_locked(QmpClient *c, ErrorCode code, const char *why);
bool qmp_negotiate_locked(QmpClient *c, int64_t deadline, Error **errp);
Pending *qmp_send_locked(QmpClient *c, const char *execute, const char *command, QDict *args, int fd,
                         Error **errp);
/* Reads until @ready says so or @deadline; lets go of the lock meanwhile, and tells what came. */
bool qmp_run_locked(QmpClient *c, bool (*ready)(QmpClient *c, void *opaque), void *opaque,
                    int64_t deadline, Error **errp);
/* Sends what can be sent at once. */
void qmp_flush_locked(QmpClient *c);
/* Sends and reads what can be at once. */
bool qmp_step_locked(QmpClient *c, Error **errp);
/* Callbacks, for what came and for what is late. */
void qmp_deliver_locked(QmpClient *c);
void qmp_unlink_locked(QmpClient *c, Pending *p);

/* events.c; with the lock held, which is let go of meanwhile. Takes @event. */
void qmp_tell_event_locked(QmpClient *c, QDict *event);
void qmp_events_free(QmpClient *c);

#endif
