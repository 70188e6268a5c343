/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/multifd.h"

#include <glib.h>
#include "util/thread.h"

typedef struct Lane {
    MigChannel *ch;             /* lock; NULL: not there, or at its end */
    bool seen;
    bool ended;                 /* lock: nothing more comes */
    uint64_t passes;            /* lock: that it has had */
} Lane;

struct MultifdRecv {
    Lane *lanes;
    unsigned n, running;        /* lock */
    Mutex lock;
    Cond cond;
    RamLoad *ram;               /* lock; NULL: not known yet */
    uint64_t passes;            /* lock: that all have had */
    bool over;                  /* lock: everybody is to end */
    Error *err;                 /* lock: the first one */
    void (*fail)(void *opaque);
    void *opaque;
};

MultifdRecv *multifd_recv_new(unsigned n, void (*fail)(void *opaque), void *opaque)
{
    MultifdRecv *m = g_new0(MultifdRecv, 1);

    m->n = n;
    m->lanes = g_new0(Lane, n);
    mutex_init(&m->lock);
    cond_init(&m->cond);
    m->fail = fail;
    m->opaque = opaque;
    return m;
}

void multifd_recv_start(MultifdRecv *m, RamLoad *ram)
{
    MUTEX_GUARD(&m->lock);
    m->ram = ram;
    cond_broadcast(&m->cond);
}

/* With the lock. False: all is over. */
static bool wait_until(MultifdRecv *m, bool (*is_so)(MultifdRecv *m, Lane *l), Lane *l)
{
    while (!m->over && !m->err && !is_so(m, l)) {
        cond_wait(&m->cond, &m->lock);
    }
    return !m->over && !m->err;
}

static bool ram_is_known(MultifdRecv *m, UNUSED Lane *l)
{
    return m->ram;
}

unsigned multifd_recv_connections(const MultifdRecv *m)
{
    return m ? m->n : 0;
}

static bool may_go_on(MultifdRecv *m, Lane *l)
{
    return m->passes >= l->passes;
}

static bool has_passed(const MultifdRecv *m, const Lane *l)
{
    return l->passes > m->passes;
}

/* ... or never will. */
static bool all_have_passed(MultifdRecv *m, UNUSED Lane *l)
{
    for (unsigned i = 0; i < m->n; i++) {
        if (!has_passed(m, &m->lanes[i]) && !m->lanes[i].ended) {
            return false;
        }
    }
    return true;
}

/* The source closes when it has said all: perhaps before the main connection's end was read. */
static bool is_end(const MigReader *r, const Error *err)
{
    return err && error_code(err) == ERR_EOF && r->bytes == r->record_at;
}

/* Records until something ends it. */
static void read_lane(MultifdRecv *m, Lane *l, MigReader *r, Error **errp)
{
    bool go_on;

    mutex_lock(&m->lock);
    go_on = wait_until(m, ram_is_known, l);
    mutex_unlock(&m->lock);
    while (go_on && mig_next(r, errp)) {
        if (r->tag == MIG_PASS) {
            mutex_lock(&m->lock);
            l->passes++;
            cond_broadcast(&m->cond);
            go_on = wait_until(m, may_go_on, l);
            mutex_unlock(&m->lock);
        } else if (r->tag == MIG_RAMP || r->tag == MIG_RAMZ) {
            go_on = (r->tag == MIG_RAMP || mig_uncompress(r, errp)) &&
                    ram_load_record(m->ram, r, errp);
        } else {
            char text[5];

            mig_tag_text(r->tag, text);
            error_setf(errp, ERR_STATE_INVALID, "a record '%s', which isn't for this connection",
                       text);
            return;
        }
    }
}

static bool begin(MultifdRecv *m, uint32_t number, MigReader *r, Error **errp)
{
    MUTEX_GUARD(&m->lock);
    if (m->over || m->err) {
        return false;
    }
    if (!number || number > m->n || m->lanes[number - 1].seen) {
        error_setf(errp, ERR_STATE_INVALID, "connection %u comes twice, or isn't one of %u", number,
                   m->n);
        return false;
    }
    m->lanes[number - 1].ch = r->ch;
    m->lanes[number - 1].seen = true;
    m->running++;
    return true;
}

void multifd_recv_run(MultifdRecv *m, uint32_t number, MigReader *r)
{
    Error *err = NULL;
    bool began = begin(m, number, r, &err), first;

    if (began) {
        read_lane(m, &m->lanes[number - 1], r, &err);
    }
    if (began && is_end(r, err)) {
        error_free(err);
        err = NULL;
        mutex_lock(&m->lock);
        m->lanes[number - 1].ended = true;
        mutex_unlock(&m->lock);
    }
    if (err) {
        error_prepend(&err, "multifd connection %u: ", number);
    }
    mutex_lock(&m->lock);
    first = err && !m->err && !m->over;
    if (first) {
        m->err = err;
        err = NULL;
    }
    mutex_unlock(&m->lock);
    error_free(err);
    if (first) {
        m->fail(m->opaque);
    }
    mutex_lock(&m->lock);
    if (began) {
        m->lanes[number - 1].ch = NULL;
        m->running--;
    }
    cond_broadcast(&m->cond);
    mutex_unlock(&m->lock);
}

bool multifd_recv_pass(MultifdRecv *m, Error **errp)
{
    MUTEX_GUARD(&m->lock);
    if (!wait_until(m, all_have_passed, NULL)) {
        error_setf(errp, ERR_STATE_INVALID, "a multifd connection has failed");
        return false;
    }
    for (unsigned i = 0; i < m->n; i++) {
        if (!has_passed(m, &m->lanes[i])) {
            error_setf(errp, ERR_STATE_INVALID, "multifd connection %u ends early", i + 1);
            return false;
        }
    }
    m->passes++;
    cond_broadcast(&m->cond);
    return true;
}

Error *multifd_recv_end(MultifdRecv *m)
{
    Error *err;

    MUTEX_GUARD(&m->lock);
    m->over = true;
    for (unsigned i = 0; i < m->n; i++) {
        if (m->lanes[i].ch) {
            mig_channel_interrupt(m->lanes[i].ch);
        }
    }
    cond_broadcast(&m->cond);
    while (m->running) {
        cond_wait(&m->cond, &m->lock);
    }
    err = m->err;
    m->err = NULL;
    return err;
}

void multifd_recv_free(MultifdRecv *m)
{
    if (m) {
        error_free(m->err);
        cond_destroy(&m->cond);
        mutex_destroy(&m->lock);
        g_free(m->lanes);
        g_free(m);
    }
}
