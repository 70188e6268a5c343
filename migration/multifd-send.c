/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/multifd.h"

#include <glib.h>
#include "util/thread.h"

typedef struct Lane {
    MultifdSend *m;
    Thread thread;
    MigChannel *ch;
    uint32_t number;
    bool full;                  /* lock: the record in @w is to be sent */
    MigWriter w;                /* the thread's while full */
    MigWriter packed;           /* the thread's */
} Lane;

struct MultifdSend {
    Lane *lanes;
    unsigned n;
    MultiFDCompression method;
    int level;
    Mutex lock;
    Cond cond;                  /* a lane is free, or full, or all is to end */
    bool quit;                  /* lock */
    Error *err;                 /* lock: the first one */
};

static bool write_lane(Lane *l, Error **errp)
{
    MultifdSend *m = l->m;
    bool pages = mig_record_len(&l->w) > 0;     /* a PASS is empty */

    if (!pages || m->method == MULTI_FD_COMPRESSION_NONE) {
        return mig_end(&l->w, errp);
    }
    if (!mig_compress(&l->packed, &l->w, m->method, m->level)) {
        error_setf(errp, ERR_HOST, "%s can't compress pages", MultiFDCompression_name(m->method));
        return false;
    }
    return mig_end(&l->packed, errp);
}

static void fail(MultifdSend *m, Error *err)
{
    if (m->err) {
        error_free(err);
    } else {
        m->err = err;
    }
    cond_broadcast(&m->cond);
}

static void *lane_run(void *opaque)
{
    Lane *l = opaque;
    MultifdSend *m = l->m;
    Error *err = NULL;
    bool ok = mig_write_head(&l->packed, l->number, &err);

    mutex_lock(&m->lock);
    while (ok && !m->quit) {
        if (!l->full) {
            cond_wait(&m->cond, &m->lock);
            continue;
        }
        mutex_unlock(&m->lock);
        ok = write_lane(l, &err);
        mutex_lock(&m->lock);
        l->full = false;
        cond_broadcast(&m->cond);
    }
    if (err) {
        fail(m, err);
    }
    mutex_unlock(&m->lock);
    return NULL;
}

MultifdSend *multifd_send_new(MigChannel **channels, unsigned n, MultiFDCompression method,
                              int level)
{
    MultifdSend *m = g_new0(MultifdSend, 1);

    mutex_init(&m->lock);
    cond_init(&m->cond);
    m->method = method;
    m->level = level;
    m->n = n;
    m->lanes = g_new0(Lane, n);
    for (unsigned i = 0; i < n; i++) {
        Lane *l = &m->lanes[i];
        char name[16];

        l->m = m;
        l->ch = channels[i];
        l->number = i + 1;
        mig_writer_init(&l->w, l->ch);
        mig_writer_init(&l->packed, l->ch);
        snprintf(name, sizeof(name), "multifdsend_%u", i % 256);
        thread_create(&l->thread, name, lane_run, l);
    }
    return m;
}

/* With the lock; NULL with *errp set: one of them has failed. */
static Lane *wait_free(MultifdSend *m, Lane *this_one, Error **errp)
{
    for (;;) {
        if (m->err) {
            error_propagate(errp, error_copy(m->err));
            return NULL;
        }
        for (unsigned i = 0; i < m->n; i++) {
            Lane *l = &m->lanes[i];

            if (!l->full && (!this_one || l == this_one)) {
                return l;
            }
        }
        cond_wait(&m->cond, &m->lock);
    }
}

bool multifd_send(MultifdSend *m, MigWriter *w, Error **errp)
{
    Lane *l;

    MUTEX_GUARD(&m->lock);
    l = wait_free(m, NULL, errp);
    if (l) {
        uint8_t *buf = l->w.buf;
        size_t room = l->w.room;

        l->w.buf = w->buf;
        l->w.room = w->room;
        l->w.len = w->len;
        w->buf = buf;
        w->room = room;
        w->len = 0;
        l->full = true;
        cond_broadcast(&m->cond);
    }
    return l;
}

bool multifd_send_pass(MultifdSend *m, Error **errp)
{
    MUTEX_GUARD(&m->lock);
    for (unsigned i = 0; i < m->n; i++) {
        Lane *l = wait_free(m, &m->lanes[i], errp);

        if (!l) {
            return false;
        }
        mig_begin(&l->w, MIG_PASS);
        l->full = true;
        cond_broadcast(&m->cond);
    }
    /* Nothing of it is left with us. */
    for (unsigned i = 0; i < m->n; i++) {
        if (!wait_free(m, &m->lanes[i], errp)) {
            return false;
        }
    }
    return true;
}

uint64_t multifd_send_bytes(MultifdSend *m)
{
    uint64_t sum = 0;

    for (unsigned i = 0; m && i < m->n; i++) {
        sum += m->lanes[i].w.bytes + m->lanes[i].packed.bytes;
    }
    return sum;
}

void multifd_send_interrupt(MultifdSend *m)
{
    for (unsigned i = 0; m && i < m->n; i++) {
        mig_channel_interrupt(m->lanes[i].ch);
    }
}

void multifd_send_free(MultifdSend *m)
{
    if (!m) {
        return;
    }
    mutex_lock(&m->lock);
    m->quit = true;
    cond_broadcast(&m->cond);
    mutex_unlock(&m->lock);
    for (unsigned i = 0; i < m->n; i++) {
        Lane *l = &m->lanes[i];

        thread_join(&l->thread);
        mig_channel_free(l->ch);
        mig_writer_cleanup(&l->w);
        mig_writer_cleanup(&l->packed);
    }
    error_free(m->err);
    cond_destroy(&m->cond);
    mutex_destroy(&m->lock);
    g_free(m->lanes);
    g_free(m);
}
