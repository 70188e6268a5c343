/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sending side. A thread runs passes over the RAM while the guest runs,
 * until what is left can be sent within the downtime limit; then the guest is
 * stopped, and the rest goes with the devices' state.
 */
#include "util/osdep.h"
#include "migration/migration.h"

#include <glib.h>
#include "block/block.h"
#include "crypto/tls-creds.h"
#include "hw/core/runstate.h"
#include "migration/bitmaps.h"
#include "migration/devices.h"
#include "migration/multifd.h"
#include "migration/options.h"
#include "migration/ram.h"
#include "qapi/events-migration.h"
#include "qobject/qobject.h"
#include "util/main-loop.h"
#include "util/rcu.h"
#include "util/timer.h"
#include "vmstate/blocker.h"

/* Bandwidth is limited and measured in slices of this length. */
#define SLICE_NS        (100 * NS_PER_MS)
#define RECORDS_A_SLICE 8
#define RECORD_SMALL    (512 * KIB)

typedef struct Outgoing {
    /* Big lock. */
    MigrationStatus status;
    char *error;
    int64_t total_ms, downtime_ms, setup_ms;    /* -1: not known */
    MigUri uri;
    TlsCreds *tls;              /* a reference; NULL: no TLS */
    char *tls_hostname;
    RunState state_before;
    bool stopped;               /* by us */
    bool finished;              /* the thread has nothing left to do */
    Thread thread;
    /* Any thread. */
    RamCounters counters;
    _Atomic bool cancel;
    _Atomic int64_t begun_ns, expected_downtime_ms;
    _Atomic uint64_t bytes, multifd_bytes, pending, total, bandwidth, pages_rate, data_rate, precopy_bytes, downtime_bytes;
    /* migrate-continue and migrate_cancel wake the thread. */
    Mutex lock;
    Cond cond;
    bool go_on;                 /* lock */
    MigChannel *ch;             /* lock, to be interrupted */
    /* The thread's own. */
    MigWriter w;
    MultifdSend *multifd;       /* lock, to be interrupted; NULL: all goes one way */
    unsigned lanes;             /* its connections, as the parameters were at the beginning */
    MultiFDCompression compression;
    int level;
    RamSave *ram;
    MigDevices *devices;
    MigBitmaps *bitmaps;        /* NULL: they stay here */
    Error *err;
    int64_t slice_ns, stopped_ns;
    uint64_t slice_bytes, sync_bytes, measured_bytes, measured_pages, measured_data;
    int64_t sync_ns, measured_ns;
    unsigned fell_behind;       /* passes in a row in which too much became dirty */
    bool fast;                  /* the guest stands still: no limit */
    bool background;            /* the guest goes on here, its state as it was is saved */
    /* Post-copy. */
    _Atomic bool want_postcopy; /* migrate-start-postcopy */
    _Atomic bool postcopy;      /* the guest is there, or on its way: it can't go on here */
    _Atomic bool guest_runs;    /* the other side has said so, or may have: it doesn't come back */
    _Atomic uint64_t postcopy_from;     /* bytes that were sent before */
    Thread answers;             /* reads the return path */
    Error *answer_err;          /* its own, until it is joined */
    bool answer_broken;         /* the same: the way back has failed, not the other side */
    _Atomic bool all_sent;      /* the other side needs nothing more */
    bool resume;                /* lock: migrate with resume, to .uri */
} Outgoing;

static Outgoing *last;          /* the one that goes on, or the last one; NULL: none yet */

static void set_status(Outgoing *o, MigrationStatus status)
{
    o->status = status;
    mig_send_status(status);
}

static void set_status_locked(Outgoing *o, MigrationStatus status)
{
    big_lock();
    if (o->status != MIGRATION_STATUS_CANCELLING) {
        set_status(o, status);
    }
    big_unlock();
}

static bool going_on(const Outgoing *o)
{
    return o && !o->finished;
}

/* ------------------------------------------------------ pace (the thread) */

static uint64_t sent(const Outgoing *o)
{
    return o->w.bytes + multifd_send_bytes(o->multifd);
}

static uint64_t pages_sent(const Outgoing *o)
{
    return o->counters.zero + o->counters.normal + o->counters.xbzrle_pages;
}

static void measure(Outgoing *o, int64_t now)
{
    int64_t ns = now - o->measured_ns;
    uint64_t pages = pages_sent(o), data = pages - o->counters.zero;

    if (ns < SLICE_NS / 2) {
        return;
    }
    o->bandwidth = (uint64_t)((double)(sent(o) - o->measured_bytes) * NS_PER_SECOND / ns);
    o->pages_rate = (uint64_t)((double)(pages - o->measured_pages) * NS_PER_SECOND / ns);
    o->data_rate = (uint64_t)((double)(data - o->measured_data) * NS_PER_SECOND / ns);
    if (o->bandwidth) {
        o->expected_downtime_ms = (int64_t)(o->pending * 1000 / o->bandwidth);
    }
    o->measured_ns = now;
    o->measured_bytes = sent(o);
    o->measured_pages = pages;
    o->measured_data = data;
}

/* Bytes a slice that may be sent; 0: as many as can be. */
static uint64_t slice_limit(const Outgoing *o)
{
    uint64_t limit = o->fast && !o->postcopy ? 0 : mig_max_bandwidth(o->postcopy);

    return limit ? MAX(limit / (NS_PER_SECOND / SLICE_NS), UINT64_C(1)) : 0;
}

/* What doesn't wait for its turn. Under o->lock. */
static bool is_urgent(const Outgoing *o)
{
    return o->cancel || o->ch->interrupted || (o->want_postcopy && !o->stopped) ||
           ((o->postcopy || o->background) && ram_save_is_waited_for(o->ram));
}

static void wake(Outgoing *o)
{
    MUTEX_GUARD(&o->lock);
    cond_broadcast(&o->cond);
}

/* After each record: keep to max-bandwidth, or in post-copy to the other limit. A record that is larger than
 * a slice allows is paid for with several. */
static void pace(Outgoing *o)
{
    int64_t now = clock_get_ns(CLOCK_RT);

    o->bytes = sent(o);
    o->multifd_bytes = multifd_send_bytes(o->multifd);
    o->pending = ram_save_pending(o->ram);
    for (;;) {
        uint64_t limit = slice_limit(o), done = sent(o) - o->slice_bytes;
        int64_t until = limit ? o->slice_ns + (int64_t)((double)done / (double)limit * SLICE_NS) : now;

        if (done < limit || now >= until) {
            break;
        }
        mutex_lock(&o->lock);
        if (is_urgent(o)) {
            mutex_unlock(&o->lock);
            return;
        }
        cond_wait_ns(&o->cond, &o->lock, MIN(until - now, SLICE_NS));       /* the limit may change */
        mutex_unlock(&o->lock);
        now = clock_get_ns(CLOCK_RT);
    }
    if (now - o->slice_ns >= SLICE_NS) {
        measure(o, now);
        o->slice_ns = now;
        o->slice_bytes = sent(o);
    }
}

/* The guest writes faster than we send: make it slower. Big lock. */
static void converge(Outgoing *o, uint64_t dirtied, uint64_t sent)
{
    const MigrationParameters *p = mig_params();
    unsigned now = cpu_throttle_get(), next = now + p->cpu_throttle_increment;

    if (dirtied * 100 < sent * p->throttle_trigger_threshold) {
        o->fell_behind = 0;
        return;
    }
    if (++o->fell_behind < 2) {
        return;
    }
    o->fell_behind = 0;
    if (!now) {
        next = p->cpu_throttle_initial;
    } else if (p->cpu_throttle_tailslow && dirtied) {
        /* No more than makes writing as slow as sending. */
        unsigned ideal = 100 - (unsigned)MIN(100, (100 - now) * sent / dirtied);

        next = MIN(next, MAX(ideal, now + 1));
    }
    cpu_throttle_set(MIN(next, p->max_cpu_throttle));
}

/* Look what the guest has written; begins a pass. */
static void sync_ram(Outgoing *o)
{
    uint64_t left = ram_save_pending(o->ram), now_pending = ram_save_sync(o->ram, o->stopped);
    int64_t now = clock_get_ns(CLOCK_RT), ns = now - o->sync_ns;
    bool first = o->counters.syncs == 1;

    if (!first && ns > 0) {
        uint64_t dirtied = now_pending - MIN(left, now_pending);

        o->counters.dirty_rate = (dirtied >> MEM_PAGE_BITS) * NS_PER_SECOND / (uint64_t)ns;
        big_lock();
        if (mig_cap(MIGRATION_CAPABILITY_AUTO_CONVERGE) && !o->fast) {
            converge(o, dirtied, sent(o) - o->sync_bytes);
        }
        big_unlock();
    }
    o->sync_ns = now;
    o->sync_bytes = sent(o);
    o->pending = now_pending;
    if (mig_cap(MIGRATION_CAPABILITY_EVENTS)) {
        qapi_event_send_migration_pass((int64_t)o->counters.syncs);
    }
}

/* ----------------------------------------------------- steps (the thread) */

static bool cancelled(Outgoing *o)
{
    if (o->cancel && !o->err) {
        error_setf(&o->err, ERR_WRONG_STATE, "the migration was cancelled");
    }
    return o->cancel;
}

static void set_channel(Outgoing *o, MigChannel *ch)
{
    mutex_lock(&o->lock);
    o->ch = ch;
    mutex_unlock(&o->lock);
}

/* A connection, with TLS if wanted; the first one is also kept where it can be interrupted meanwhile. */
static MigChannel *connect_one(Outgoing *o, bool first)
{
    MigChannel *ch = mig_uri_open_out(&o->uri, &o->cancel, &o->err);

    if (first) {
        set_channel(o, ch);
    }
    if (ch && !cancelled(o) && o->tls) {
        ch = mig_channel_new_tls(ch, o->tls, o->tls_hostname, NULL, &o->err);
        if (first) {
            set_channel(o, ch);
        }
    }
    return ch;
}

static bool open_multifd(Outgoing *o)
{
    MigChannel *channels[UINT8_MAX];
    unsigned n = o->lanes, have = 0;
    MultifdSend *m;

    while (have < n && !cancelled(o) && (channels[have] = connect_one(o, false))) {
        have++;
    }
    if (have < n || o->err) {
        error_prepend(&o->err, "multifd connection %u: ", have + 1);
        while (have) {
            mig_channel_free(channels[--have]);
        }
        return false;
    }
    m = multifd_send_new(channels, n, o->compression, o->level);
    mutex_lock(&o->lock);
    o->multifd = m;
    mutex_unlock(&o->lock);
    return !cancelled(o);
}

static bool open_channel(Outgoing *o)
{
    return connect_one(o, true) && !cancelled(o) &&
           (!mig_cap(MIGRATION_CAPABILITY_MULTIFD) || open_multifd(o));
}

static bool begin(Outgoing *o)
{
    RamSaveOptions opts = { .skip_shared = mig_cap(MIGRATION_CAPABILITY_X_IGNORE_SHARED),
                            .release = mig_cap(MIGRATION_CAPABILITY_RELEASE_RAM) };
    QDict *conf;
    bool ok;

    mig_writer_init(&o->w, o->ch);
    big_lock();
    if (mig_cap(MIGRATION_CAPABILITY_XBZRLE)) {
        opts.xbzrle_cache = mig_params()->xbzrle_cache_size;
    }
    o->ram = ram_save_new(&opts, &o->counters);
    o->total = ram_save_total(o->ram);
    conf = mig_conf(ram_save_blocks(o->ram));
    if (mig_cap(MIGRATION_CAPABILITY_POSTCOPY_RAM)) {
        qdict_put_bool(conf, "postcopy", true);
        qdict_put_bool(conf, "return-path", true);
    }
    qdict_put_uint(conf, "multifd", o->multifd ? o->lanes : 0);
    o->setup_ms = (clock_get_ns(CLOCK_RT) - o->begun_ns) / NS_PER_MS;
    big_unlock();
    ok = mig_write_head(&o->w, 0, &o->err) && mig_put_json(&o->w, MIG_CONF, QOBJECT(conf), &o->err);
    qobject_unref(conf);
    if (ok) {
        set_status_locked(o, MIGRATION_STATUS_ACTIVE);
        o->measured_ns = o->slice_ns = clock_get_ns(CLOCK_RT);
    }
    return ok;
}

/* How large a record may be: what is urgent waits for it, and the limit is kept to by records. */
static uint64_t record_bytes(const Outgoing *o)
{
    uint64_t limit = slice_limit(o);

    return o->postcopy ? RECORD_SMALL : !limit ? RAM_RECORD_MOST : MAX(limit / RECORDS_A_SLICE, RECORD_SMALL);
}

static bool send_pass(Outgoing *o)
{
    while (!(o->want_postcopy && !o->stopped) && ram_save_some(o->ram, &o->w, record_bytes(o))) {
        if (!(o->multifd ? multifd_send(o->multifd, &o->w, &o->err) : mig_end(&o->w, &o->err)) ||
            cancelled(o)) {
            return false;
        }
        pace(o);
    }
    if (o->multifd && !multifd_send_pass(o->multifd, &o->err)) {
        return false;
    }
    mig_begin(&o->w, MIG_PASS);
    return !cancelled(o) && mig_end(&o->w, &o->err);
}

/* Can what is left be sent while the guest stands still? */
static bool converged(const Outgoing *o)
{
    uint64_t limit_ms = mig_downtime_limit();
    uint64_t pages = o->pending >> MEM_PAGE_BITS;

    /* In bytes as they are, or in pages where these are sent as something shorter. */
    return o->counters.syncs > 1 &&
           ((double)o->pending <= (double)o->bandwidth * limit_ms / 1000 ||
            (double)pages <= (double)o->data_rate * limit_ms / 1000);
}

static bool send_live(Outgoing *o)
{
    bool running;

    do {
        sync_ram(o);
        if (o->want_postcopy || converged(o)) {
            return true;
        }
        if (!send_pass(o)) {
            return false;
        }
        measure(o, clock_get_ns(CLOCK_RT));
        big_lock();
        running = runstate_is_running();
        big_unlock();
    } while (running);
    return true;
}

/* In the main thread. */
static void stop_guest(void *opaque)
{
    Outgoing *o = opaque;

    o->state_before = runstate_get();
    o->stopped_ns = clock_get_ns(CLOCK_RT);
    o->precopy_bytes = sent(o);
    if (runstate_is_running()) {
        vm_stop(RUN_STATE_FINISH_MIGRATE);
    } else if (!runstate_set(RUN_STATE_FINISH_MIGRATE, &o->err)) {
        return;
    }
    o->stopped = true;
    o->fast = true;
    blk_drain_all();
}

static bool wait_for_continue(Outgoing *o)
{
    if (!mig_cap(MIGRATION_CAPABILITY_PAUSE_BEFORE_SWITCHOVER)) {
        return true;
    }
    set_status_locked(o, MIGRATION_STATUS_PRE_SWITCHOVER);
    mutex_lock(&o->lock);
    while (!o->go_on && !o->cancel) {
        cond_wait(&o->cond, &o->lock);
    }
    mutex_unlock(&o->lock);
    if (cancelled(o)) {
        return false;
    }
    set_status_locked(o, MIGRATION_STATUS_DEVICE);
    return true;
}

static void save_devices(void *opaque)
{
    Outgoing *o = opaque;

    if (mig_cap(MIGRATION_CAPABILITY_DIRTY_BITMAPS) && !(o->bitmaps = mig_bitmaps_save(&o->err))) {
        return;
    }
    o->devices = mig_devices_save(&o->err);
    if (o->devices && !block_inactivate_all(&o->err)) {
        mig_devices_free(o->devices);
        o->devices = NULL;
    }
}

static bool send_state(Outgoing *o)
{
    QDict *stat = qdict_new();
    bool ok;

    qdict_put_str(stat, "runstate", runstate_name(o->state_before));
    ok = (!o->bitmaps || mig_bitmaps_write(o->bitmaps, &o->w, &o->err)) &&
         mig_devices_write(o->devices, &o->w, &o->err) &&
         mig_put_json(&o->w, MIG_STAT, QOBJECT(stat), &o->err);
    qobject_unref(stat);
    return ok;
}

static bool send_done(Outgoing *o)
{
    mig_begin(&o->w, MIG_DONE);
    return mig_end(&o->w, &o->err);
}

static void refused(const MigReader *r, Error **errp)
{
    g_autofree char *why = g_strndup((const char *)r->buf, MIN(r->len, 1000));
    g_autofree char *shown = g_strescape(why, NULL);

    error_setf(errp, ERR_STATE_INVALID, "the destination refuses it: %s", shown);
}

static bool has_return_path(void)
{
    return mig_cap(MIGRATION_CAPABILITY_RETURN_PATH) || mig_cap(MIGRATION_CAPABILITY_POSTCOPY_RAM);
}

/* The other side has closed the connection, after having said why: that is the cause. */
static void hear_why(Outgoing *o)
{
    MigReader r;

    if (!o->w.broken || o->cancel || o->postcopy || !has_return_path()) {
        return;
    }
    mig_reader_init(&r, o->ch);
    if (mig_next(&r, NULL) && r.tag == MIG_FAIL) {
        error_free(o->err);
        o->err = NULL;
        refused(&r, &o->err);
    }
    mig_reader_cleanup(&r);
}

/* With a return path: until the other side has it all. */
static bool wait_for_answer(Outgoing *o)
{
    MigReader r;
    bool ok;

    if (!has_return_path()) {
        return true;
    }
    mig_reader_init(&r, o->ch);
    ok = mig_next(&r, &o->err);
    if (ok && r.tag != MIG_ACKN) {
        refused(&r, &o->err);
        ok = false;
    }
    mig_reader_cleanup(&r);
    return ok;
}

/* The other side's wishes, and what becomes of the guest there. */
static void *read_answers(void *opaque)
{
    Outgoing *o = opaque;
    MigReader r;
    bool more = true;

    mig_reader_init(&r, o->ch);
    while (more && mig_next(&r, &o->answer_err)) {
        uint32_t block;
        uint64_t page;

        switch (r.tag) {
        case MIG_REQP:
            more = mig_get_u32(&r, &block, &o->answer_err) && mig_get_u64(&r, &page, &o->answer_err);
            if (more && !ram_save_request(o->ram, block, page)) {
                error_setf(&o->answer_err, ERR_STATE_INVALID,
                           "the destination wants page %" PRIu64 " of RAM block %u", page, block);
                more = false;
            }
            wake(o);
            break;
        case MIG_RUNS:
            o->guest_runs = true;
            o->downtime_ms = (clock_get_ns(CLOCK_RT) - o->stopped_ns) / NS_PER_MS;
            break;
        case MIG_ACKN:
            more = false;
            break;
        default:
            refused(&r, &o->answer_err);
            more = false;
        }
    }
    o->answer_broken = r.broken;
    mig_reader_cleanup(&r);
    if (o->answer_err) {
        mig_channel_interrupt(o->ch);   /* whoever writes hears of it, too */
        wake(o);
    }
    return NULL;
}

/* Until the other side has all pages; it says which it wants first. */
static bool send_pages(Outgoing *o)
{
    bool ok;

    set_status_locked(o, MIGRATION_STATUS_POSTCOPY_ACTIVE);
    o->slice_ns = clock_get_ns(CLOCK_RT);
    o->slice_bytes = sent(o);
    o->answer_broken = false;
    thread_create(&o->answers, "return path", read_answers, o);
    ok = send_pass(o) && send_done(o);
    o->all_sent = ok;
    if (!ok) {
        mig_channel_interrupt(o->ch);
    }
    thread_join(&o->answers);
    if (o->answer_err) {
        error_free(o->err);
        o->err = o->answer_err;         /* the cause */
        o->answer_err = NULL;
    }
    o->bytes = sent(o);
    return !o->err;
}

/* It isn't the other side that refuses: only the connection is gone. */
static bool is_interrupted(const Outgoing *o)
{
    return o->err && !o->cancel && (o->answer_broken || o->w.broken);
}

/* In the main thread. */
static void pause_postcopy(void *opaque)
{
    Outgoing *o = opaque;

    o->guest_runs = true;               /* it may: we can't know any more */
    g_free(o->error);
    o->error = g_strdup(error_message(o->err));
    if (o->status != MIGRATION_STATUS_CANCELLING) {
        set_status(o, MIGRATION_STATUS_POSTCOPY_PAUSED);
    }
}

/* What the other side hasn't got. It may want a page at once: for those it asks again when it knows that it is heard. */
static bool hear_what_is_missing(Outgoing *o)
{
    MigReader r;

    mig_reader_init(&r, o->ch);
    ram_save_resume(o->ram);
    o->all_sent = false;
    while (!o->err && mig_next(&r, &o->err) && r.tag != MIG_RUNS) {
        if (r.tag == MIG_DISC) {
            ram_save_missing(o->ram, &r, &o->err);
        } else if (r.tag != MIG_REQP) {
            refused(&r, &o->err);
        }
    }
    mig_reader_cleanup(&r);
    return !o->err;
}

/* A new connection, on which both sides agree about what is still to be sent. */
static bool reconnect(Outgoing *o)
{
    connect_one(o, true);
    if (o->err || cancelled(o)) {
        return false;
    }
    o->w.ch = o->ch;
    o->w.broken = false;
    return mig_write_head(&o->w, MIG_RESUME, &o->err) && hear_what_is_missing(o);
}

/* The pages that aren't there yet are here only: wait for migrate with resume. False: given up. */
static bool wait_for_resume(Outgoing *o)
{
    bool ok = false;

    while (!ok) {
        MigChannel *old;

        mig_in_main_thread(pause_postcopy, o);
        mutex_lock(&o->lock);
        old = o->ch;
        o->ch = NULL;
        mutex_unlock(&o->lock);
        mig_channel_free(old);
        mutex_lock(&o->lock);
        while (!o->resume && !o->cancel) {
            cond_wait(&o->cond, &o->lock);
        }
        o->resume = false;
        mutex_unlock(&o->lock);
        if (o->cancel) {
            return false;
        }
        error_free(o->err);
        o->err = NULL;
        ok = reconnect(o);
    }
    return true;
}

/* The guest goes on there at once, and the pages follow. */
static bool finish_postcopy(Outgoing *o)
{
    bool ok;

    o->downtime_bytes = sent(o);
    ok = ram_save_discards(o->ram, &o->w, &o->err) && send_state(o);
    if (ok) {
        mig_begin(&o->w, MIG_POST);
        o->postcopy = true;
        ok = mig_end(&o->w, &o->err);
    }
    if (!ok) {
        return false;
    }
    ram_save_release(o->ram);
    o->postcopy_from = sent(o);
    o->downtime_bytes = o->postcopy_from - o->downtime_bytes;
    do {
        ok = send_pages(o);
    } while (!ok && is_interrupted(o) && wait_for_resume(o));
    return ok;
}

static bool finish(Outgoing *o)
{
    bool ok;

    mig_in_main_thread(stop_guest, o);
    if (!o->stopped || !wait_for_continue(o)) {
        return false;
    }
    mig_in_main_thread(save_devices, o);
    if (!o->devices) {
        return false;
    }
    sync_ram(o);
    if (o->want_postcopy) {
        return finish_postcopy(o);
    }
    ok = send_pass(o) && send_state(o) && send_done(o) && wait_for_answer(o) &&
         mig_channel_finish(o->ch, &o->err);
    o->bytes = sent(o);
    o->downtime_bytes = sent(o) - o->precopy_bytes;
    return ok && !cancelled(o);
}

/* ---------------------------------------------- background snapshots (the thread) */

static void wake_sender(void *opaque)
{
    wake(opaque);
}

/* In the main thread: the devices' state is taken now, the RAM's bit by bit. */
static void take_state(void *opaque)
{
    Outgoing *o = opaque;
    bool was_running = runstate_is_running();

    o->state_before = runstate_get();
    o->stopped_ns = clock_get_ns(CLOCK_RT);
    if (was_running) {
        vm_stop(RUN_STATE_PAUSED);
    }
    blk_drain_all();
    o->devices = mig_devices_save(&o->err);
    if (o->devices) {
        o->pending = ram_save_sync(o->ram, true);
        if (!ram_save_guard(o->ram, wake_sender, o, &o->err)) {
            mig_devices_free(o->devices);
            o->devices = NULL;
        }
    }
    o->downtime_ms = (clock_get_ns(CLOCK_RT) - o->stopped_ns) / NS_PER_MS;
    if (was_running) {
        vm_start(NULL);
    }
}

static void save_in_background(Outgoing *o)
{
    bool ok;

    mig_in_main_thread(take_state, o);
    if (!o->devices) {
        return;
    }
    ok = send_pass(o);
    /* Nobody waits from now on, the main thread least of all. */
    ram_save_unguard(o->ram);
    if (ok && send_state(o) && send_done(o)) {
        mig_channel_finish(o->ch, &o->err);
    }
    o->bytes = sent(o);
}

/* ------------------------------------------------------------------ the end */

/* In the main thread: the guest has gone on meanwhile. */
static void end_background(Outgoing *o)
{
    o->pending = 0;
    g_free(o->error);
    o->error = o->err && !o->cancel ? g_strdup(error_message(o->err)) : NULL;
    set_status(o, !o->err ? MIGRATION_STATUS_COMPLETED : o->cancel ? MIGRATION_STATUS_CANCELLED
                                                                 : MIGRATION_STATUS_FAILED);
    o->finished = true;
}

/* In the main thread: the guest is somewhere else, or still here. */
static void end(void *opaque)
{
    Outgoing *o = opaque;
    int64_t now = clock_get_ns(CLOCK_RT);
    MigrationStatus status = MIGRATION_STATUS_COMPLETED;

    cpu_throttle_set(0);
    o->total_ms = (now - o->begun_ns) / NS_PER_MS;
    ram_save_free(o->ram);
    o->ram = NULL;
    migration_set_busy(false);
    if (o->background) {
        end_background(o);
        return;
    }
    if (!o->err || o->guest_runs) {
        if (o->downtime_ms < 0) {
            o->downtime_ms = (now - o->stopped_ns) / NS_PER_MS;
        }
        o->pending = 0;
        /* Also when post-copy broke off: the guest can't go on here any more. */
        runstate_set(RUN_STATE_POSTMIGRATE, NULL);
        status = o->err ? MIGRATION_STATUS_FAILED : status;
    } else {
        block_activate_all(NULL);
        status = o->cancel ? MIGRATION_STATUS_CANCELLED : MIGRATION_STATUS_FAILED;
        if (o->stopped && o->state_before == RUN_STATE_RUNNING) {
            vm_start(NULL);
        } else if (o->stopped) {
            runstate_set(o->state_before, NULL);
        }
    }
    g_free(o->error);
    o->error = status == MIGRATION_STATUS_FAILED ? g_strdup(error_message(o->err)) : NULL;
    set_status(o, status);
    o->finished = true;
}

static void close_channels(Outgoing *o)
{
    MultifdSend *m;

    mutex_lock(&o->lock);
    mig_channel_free(o->ch);
    o->ch = NULL;
    m = o->multifd;
    if (m && o->err) {
        multifd_send_interrupt(m);
    }
    o->multifd_bytes = multifd_send_bytes(m);
    o->multifd = NULL;
    mutex_unlock(&o->lock);
    multifd_send_free(m);
}

static void *outgoing_run(void *opaque)
{
    Outgoing *o = opaque;

    if (open_channel(o) && begin(o)) {
        if (o->background) {
            save_in_background(o);
        } else if (send_live(o)) {
            finish(o);
        }
    }
    if (o->ch) {
        hear_why(o);
    }
    close_channels(o);
    mig_in_main_thread(end, o);
    return NULL;
}

/* -------------------------------------------------- from the main thread */

static void outgoing_free(Outgoing *o)
{
    thread_join(&o->thread);
    mig_uri_cleanup(&o->uri);
    object_unref(o->tls);
    g_free(o->tls_hostname);
    mig_writer_cleanup(&o->w);
    mig_devices_free(o->devices);
    mig_bitmaps_free(o->bitmaps);
    error_free(o->err);
    g_free(o->error);
    cond_destroy(&o->cond);
    mutex_destroy(&o->lock);
    g_free(o);
}

static bool may_start(Error **errp)
{
    if (going_on(last) || migration_is_busy()) {
        error_setf(errp, ERR_WRONG_STATE, "There's a migration process in progress");
        return false;
    }
    if (runstate_check(RUN_STATE_INMIGRATE)) {
        error_setf(errp, ERR_WRONG_STATE, "Guest is waiting for an incoming migration");
        return false;
    }
    if (runstate_check(RUN_STATE_POSTMIGRATE)) {
        error_setf(errp, ERR_WRONG_STATE,
                   "Can't migrate the vm that was paused due to previous migration");
        return false;
    }
    return migration_is_possible(errp);
}

bool outgoing_start(const char *uri_text, Error **errp)
{
    const MigrationParameters *params = mig_params();
    TlsCreds *tls = NULL;
    MigUri uri;
    Outgoing *o;

    if (!may_start(errp) || !mig_uri_parse(uri_text, &uri, errp)) {
        return false;
    }
    if (mig_cap(MIGRATION_CAPABILITY_POSTCOPY_RAM) && (uri.kind == MIG_URI_FILE ||
                                                       uri.kind == MIG_URI_EXEC)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "postcopy-ram needs a way back");
        error_argument(errp, "uri", uri_text, "tcp:, unix:, fd: of a socket");
        mig_uri_cleanup(&uri);
        return false;
    }
    if (mig_cap(MIGRATION_CAPABILITY_MULTIFD) && uri.kind != MIG_URI_SOCKET) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "multifd needs several connections");
        error_argument(errp, "uri", uri_text, "tcp:, unix:");
        mig_uri_cleanup(&uri);
        return false;
    }
    if (*params->tls_creds && !(tls = tls_creds_get(params->tls_creds, false, errp))) {
        mig_uri_cleanup(&uri);
        return false;
    }
    if (last) {
        outgoing_free(last);
    }
    last = o = g_new0(Outgoing, 1);
    o->tls = tls;
    o->tls_hostname = g_strdup(*params->tls_hostname ? params->tls_hostname
                               : uri.address && uri.address->type == SOCKET_ADDRESS_TYPE_INET
                               ? uri.address->u.inet.host : NULL);
    o->uri = uri;
    o->total_ms = o->downtime_ms = o->setup_ms = -1;
    o->expected_downtime_ms = (int64_t)params->downtime_limit;
    o->begun_ns = clock_get_ns(CLOCK_RT);
    o->background = mig_cap(MIGRATION_CAPABILITY_BACKGROUND_SNAPSHOT);
    o->lanes = params->multifd_channels;
    o->compression = params->multifd_compression;
    o->level = o->compression == MULTI_FD_COMPRESSION_ZLIB ? params->multifd_zlib_level : params->multifd_zstd_level;
    mutex_init(&o->lock);
    cond_init(&o->cond);
    migration_set_busy(true);
    set_status(o, MIGRATION_STATUS_SETUP);
    thread_create(&o->thread, "live_migration", outgoing_run, o);
    return true;
}

void outgoing_cancel(void)
{
    Outgoing *o = last;

    if (!going_on(o) || o->status == MIGRATION_STATUS_CANCELLING) {
        return;
    }
    if (o->postcopy && o->status != MIGRATION_STATUS_POSTCOPY_PAUSED &&
        o->status != MIGRATION_STATUS_POSTCOPY_RECOVER) {
        return;                 /* in post-copy there is no way back, but pages that never come */
    }
    set_status(o, MIGRATION_STATUS_CANCELLING);
    mutex_lock(&o->lock);
    o->cancel = true;
    if (o->ch) {
        mig_channel_interrupt(o->ch);
    }
    multifd_send_interrupt(o->multifd);
    cond_broadcast(&o->cond);
    mutex_unlock(&o->lock);
}

bool outgoing_continue(MigrationStatus state, Error **errp)
{
    Outgoing *o = last;

    if (!going_on(o) || o->status != state || state != MIGRATION_STATUS_PRE_SWITCHOVER) {
        error_setf(errp, ERR_WRONG_STATE, "Migration not in expected state: %s; it is in: %s",
                   MigrationStatus_name(state), MigrationStatus_name(o ? o->status : 0));
        return false;
    }
    mutex_lock(&o->lock);
    o->go_on = true;
    cond_broadcast(&o->cond);
    mutex_unlock(&o->lock);
    return true;
}

bool outgoing_resume(const char *uri_text, Error **errp)
{
    Outgoing *o = last;
    MigUri uri;

    if (!going_on(o) || o->status != MIGRATION_STATUS_POSTCOPY_PAUSED) {
        error_setf(errp, ERR_WRONG_STATE, "Cannot resume if there is no paused migration");
        return false;
    }
    if (!mig_uri_parse(uri_text, &uri, errp)) {
        return false;
    }
    if (uri.kind != MIG_URI_SOCKET && uri.kind != MIG_URI_FD) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "postcopy-ram needs a way back");
        error_argument(errp, "uri", uri_text, "tcp:, unix:, fd: of a socket");
        mig_uri_cleanup(&uri);
        return false;
    }
    mig_uri_cleanup(&o->uri);           /* its thread waits */
    o->uri = uri;
    set_status(o, MIGRATION_STATUS_POSTCOPY_RECOVER);
    mutex_lock(&o->lock);
    o->resume = true;
    cond_broadcast(&o->cond);
    mutex_unlock(&o->lock);
    return true;
}

bool outgoing_pause(void)
{
    Outgoing *o = last;

    /* With all there, the other side goes its way, and wouldn't hear of us any more. */
    if (!going_on(o) || o->all_sent || (o->status != MIGRATION_STATUS_POSTCOPY_ACTIVE &&
                         o->status != MIGRATION_STATUS_POSTCOPY_RECOVER)) {
        return false;
    }
    MUTEX_GUARD(&o->lock);
    if (o->ch) {
        mig_channel_interrupt(o->ch);
    }
    cond_broadcast(&o->cond);
    return true;
}

bool outgoing_start_postcopy(Error **errp)
{
    Outgoing *o = last;

    if (!mig_cap(MIGRATION_CAPABILITY_POSTCOPY_RAM)) {
        error_setf(errp, ERR_WRONG_STATE,
                   "Enable postcopy with migrate_set_capability before the start of migration");
        return false;
    }
    if (!going_on(o)) {
        error_setf(errp, ERR_WRONG_STATE, "Start postcopy when a migration is going on");
        return false;
    }
    o->want_postcopy = true;
    wake(o);
    return true;
}

void outgoing_cleanup(void)
{
    if (going_on(last)) {
        outgoing_cancel();
        main_loop_run_until(&last->finished);
    }
    if (last) {
        outgoing_free(last);
        last = NULL;
    }
}

static MigrationStats *ram_stats(const Outgoing *o)
{
    MigrationStats *s = qapi_new(MigrationStats);

    s->transferred = (int64_t)o->bytes;
    s->remaining = (int64_t)o->pending;
    s->total = (int64_t)o->total;
    s->duplicate = (int64_t)o->counters.zero;
    s->normal = (int64_t)o->counters.normal;
    s->normal_bytes = s->normal << MEM_PAGE_BITS;
    s->dirty_pages_rate = (int64_t)o->counters.dirty_rate;
    s->dirty_sync_count = (int64_t)o->counters.syncs;
    s->mbps = (double)o->bandwidth * 8 / 1e6;
    s->pages_per_second = o->pages_rate;
    s->page_size = MEM_PAGE_SIZE;
    s->multifd_bytes = o->multifd_bytes;
    s->precopy_bytes = o->precopy_bytes ? o->precopy_bytes : o->bytes;
    s->downtime_bytes = o->downtime_bytes;
    s->postcopy_bytes = o->postcopy_from ? o->bytes - o->postcopy_from : 0;
    s->postcopy_requests = (int64_t)o->counters.requests;
    return s;
}

static XBZRLECacheStats *cache_stats(const Outgoing *o)
{
    XBZRLECacheStats *s = qapi_new(XBZRLECacheStats);

    s->cache_size = mig_params()->xbzrle_cache_size;
    s->bytes = (int64_t)o->counters.xbzrle_bytes;
    s->pages = (int64_t)o->counters.xbzrle_pages;
    s->cache_miss = (int64_t)o->counters.xbzrle_misses;
    s->overflow = (int64_t)o->counters.xbzrle_overflows;
    s->cache_miss_rate = s->pages + s->cache_miss
                         ? (double)s->cache_miss / (double)(s->pages + s->cache_miss) : 0;
    s->encoding_rate = s->bytes ? (double)s->pages * MEM_PAGE_SIZE / (double)s->bytes : 0;
    return s;
}

void outgoing_query(MigrationInfo *info)
{
    const Outgoing *o = last;

    if (!o) {
        return;
    }
    QAPI_SET(info, status, o->status);
    if (o->error) {
        info->error_desc = strdup(o->error);
    }
    if (o->setup_ms >= 0) {
        QAPI_SET(info, setup_time, o->setup_ms);
        info->ram = ram_stats(o);
        if (mig_cap(MIGRATION_CAPABILITY_XBZRLE)) {
            info->xbzrle_cache = cache_stats(o);
        }
    }
    if (going_on(o)) {
        QAPI_SET(info, total_time, (clock_get_ns(CLOCK_RT) - o->begun_ns) / NS_PER_MS);
        QAPI_SET(info, expected_downtime, o->expected_downtime_ms);
        if (cpu_throttle_get()) {
            QAPI_SET(info, cpu_throttle_percentage, cpu_throttle_get());
        }
    } else {
        QAPI_SET(info, total_time, o->total_ms);
        if (o->downtime_ms >= 0) {
            QAPI_SET(info, downtime, o->downtime_ms);
        }
    }
}
