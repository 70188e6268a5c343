/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receiving side. A thread reads the stream and fills the RAM of the
 * machine, which waits; the main thread then loads the devices and lets it
 * run. A failure ends the emulator: half a machine is of no use.
 */
#include "util/osdep.h"
#include "migration/migration.h"

#include <glib.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "block/block.h"
#include "crypto/tls-creds.h"
#include "hw/core/runstate.h"
#include "migration/bitmaps.h"
#include "migration/devices.h"
#include "migration/multifd.h"
#include "migration/options.h"
#include "migration/ram.h"
#include "qapi/sockets.h"
#include "qobject/qobject.h"
#include "util/bswap.h"
#include "util/main-loop.h"

typedef struct Incoming {
    /* Big lock. */
    MigrationStatus status;
    bool deferred;              /* migrate-incoming is waited for */
    SocketAddress *address;     /* listened on; NULL: not. In post-copy also under .lock */
    int listen_fd;
    FdWatch *watch;
    unsigned expected;          /* connections that are still to come */
    TlsCreds *tls;              /* a reference; NULL: no TLS */
    char *tls_authz;
    bool failed;                /* and it was told */
    bool idle;                  /* no thread reads the stream */
    /* Any thread. */
    Mutex lock;
    MigChannel *ch;             /* lock, to be set and interrupted: the stream's own */
    bool claimed;               /* lock: there was a stream */
    MultifdRecv *multifd;       /* NULL: there is one connection only */
    Mutex answer_lock;          /* the way back; .ch changes under both, and is NULL while it is interrupted */
    bool was_interrupted;       /* answer_lock: what the source hears begins with the pages that are missing */
    bool interrupted;           /* lock: a connection that goes on with it is waited for */
    bool give_up;               /* lock: none will come */
    bool listens;               /* lock: on .address, for that */
    int recover_fd;             /* lock: migrate-recover listens on it; -1: no */
    int wake_fd;                /* an eventfd: the last two have changed */
    /* The stream's thread's own. */
    MigReader r;
    bool postcopy;              /* the guest runs, or is about to, while pages come */
    Event loaded;               /* post-copy: the main thread has loaded the devices, or failed to */
    _Atomic bool load_failed;   /* which is known before */
    Error *load_err;            /* why; the main thread's until .loaded */
    RamLoad *ram;
    MigDevices *devices;
    MigBitmaps *bitmaps;
    char *runstate;
    bool answer;                /* the other side waits for ACKN or FAIL */
    Error *err;
} Incoming;

/* A connection, whose thread gets it. */
typedef struct Connection {
    MigChannel *ch;
    MigReader r;
    Error *err;
} Connection;

static Incoming *in;            /* NULL: no -incoming */

static void set_status(MigrationStatus status)
{
    in->status = status;
    mig_send_status(status);
}

/* ------------------------------------------------------------ the thread */

static void check_conf(void *opaque)
{
    const QDict *conf = opaque;
    QList *blocks;

    if (!mig_conf_check(conf, &in->err)) {
        return;
    }
    blocks = qdict_get_list(conf, "ram", &in->err);
    if (blocks) {
        in->ram = ram_load_new(blocks, &in->err);
    }
    in->answer = qdict_bool_or(conf, "return-path", false);
    if (in->ram && qdict_bool_or(conf, "postcopy", false) &&
        !ram_load_can_post_copy(in->ram, &in->err)) {
        ram_load_free(in->ram);
        in->ram = NULL;
    }
}

/* As many connections as the source has. */
static bool check_multifd(const QDict *conf)
{
    int64_t n = qdict_int_or(conf, "multifd", 0);
    int64_t own = multifd_recv_connections(in->multifd);

    if (n != own) {
        error_setf(&in->err, ERR_STATE_INVALID,
                   "the source has %" PRId64 " multifd connections, here %" PRId64 " are expected", n,
                   own);
        error_hint(&in->err, "the capability 'multifd' and the parameter 'multifd-channels' must be "
                   "the same on both sides");
    }
    return n == own;
}

static bool read_conf(void)
{
    QDict *conf;

    if (!mig_next(&in->r, &in->err)) {
        return false;
    }
    if (in->r.tag != MIG_CONF) {
        error_setf(&in->err, ERR_STATE_INVALID, "the stream doesn't begin with a record 'CONF'");
        return false;
    }
    conf = mig_get_json(&in->r, &in->err);
    if (conf && check_multifd(conf)) {
        mig_in_main_thread(check_conf, conf);
    }
    qobject_unref(conf);
    if (in->ram && in->multifd) {
        multifd_recv_start(in->multifd, in->ram);
    }
    return in->ram != NULL;
}

static bool read_stat(void)
{
    QDict *stat = mig_get_json(&in->r, &in->err);
    const char *state = stat ? qdict_get_str(stat, "runstate", &in->err) : NULL;

    g_free(in->runstate);
    in->runstate = g_strdup(state);
    qobject_unref(stat);
    return state;
}

static void answer(uint32_t tag, const void *contents, size_t len)
{
    MigWriter w;
    MUTEX_GUARD(&in->answer_lock);

    if (!in->answer || !in->ch || (tag == MIG_RUNS && in->was_interrupted)) {
        return;
    }
    mig_writer_init(&w, in->ch);
    mig_begin(&w, tag);
    mig_put(&w, contents, len);
    mig_end(&w, NULL);
    mig_writer_cleanup(&w);
}

/* In post-copy's fault thread. */
static void request_page(UNUSED void *opaque, uint32_t block, uint64_t page)
{
    uint8_t contents[12];

    store_be32(contents, block);
    store_be64(contents + 4, page);
    answer(MIG_REQP, contents, sizeof(contents));
}

static bool read_bitmap(void)
{
    if (!mig_cap(MIGRATION_CAPABILITY_DIRTY_BITMAPS)) {
        error_setf(&in->err, ERR_STATE_INVALID, "the stream has dirty bitmaps of disks");
        error_hint(&in->err, "switch the capability 'dirty-bitmaps' on here, too");
        return false;
    }
    return !in->postcopy && mig_bitmaps_read(in->bitmaps, &in->r, &in->err);
}

static void begin_postcopy(void);

static bool read_record(bool *done)
{
    char text[5];

    if (in->r.tag != MIG_RAMP) {
        ram_load_settle(in->ram);
    }
    switch (in->r.tag) {
    case MIG_RAMP:
        return ram_load_record_later(in->ram, &in->r, &in->err);
    case MIG_DISC:
        return ram_load_discard(in->ram, &in->r, request_page, NULL, &in->err);
    case MIG_BITM:
        return read_bitmap();
    case MIG_DEVI:
        return !in->postcopy && mig_devices_read(in->devices, &in->r, &in->err);
    case MIG_STAT:
        return !in->postcopy && read_stat();
    case MIG_PASS:
        return !in->multifd || multifd_recv_pass(in->multifd, &in->err);
    case MIG_DESC:
        return true;            /* for people and for other readers */
    case MIG_POST:
        if (!in->postcopy) {
            begin_postcopy();
        }
        return true;
    case MIG_DONE:
        *done = true;
        return true;
    default:
        mig_tag_text(in->r.tag, text);
        error_setf(&in->err, ERR_STATE_INVALID,
                   "the stream has a record '%s' at byte %" PRIu64 ", which is not known",
                   text, in->r.record_at);
        return false;
    }
}

static bool read_records(void)
{
    bool done = false;

    while (!done) {
        if (!mig_next(&in->r, &in->err) || !read_record(&done)) {
            return false;
        }
    }
    return true;
}

/* In the main thread. @opaque: an Error **. */
static void load_devices(void *opaque)
{
    bool late = mig_cap(MIGRATION_CAPABILITY_LATE_BLOCK_ACTIVATE) && !runstate_autostart();
    Error **errp = opaque;

    /* Bitmaps come last: images may have older ones, which are read when they become active. */
    if (mig_devices_load(in->devices, errp) && (late || block_activate_all(errp))) {
        mig_bitmaps_load(in->bitmaps, errp);
    }
}

/* In the main thread: what the machine did there it does here. */
static void run_guest(Error **errp)
{
    int state = in->runstate ? qapi_enum_parse(&qapi_type_RunState, in->runstate, "runstate", NULL)
                             : RUN_STATE_RUNNING;

    if (state == RUN_STATE_RUNNING && runstate_autostart()) {
        vm_start(errp);
        mig_announce();         /* switches learn where the guest is now */
    } else if (state < 0 || state == RUN_STATE_RUNNING || !runstate_set(state, NULL)) {
        runstate_set(RUN_STATE_PAUSED, NULL);
    }
}

static void completed(void *opaque)
{
    (void)opaque;
    set_status(MIGRATION_STATUS_COMPLETED);
}

static void go_on(void *opaque)
{
    completed(opaque);
    run_guest(&in->err);
}

/* In the main thread: the devices are all here, pages still come by the stream's thread. */
static void load_and_go_on(UNUSED void *opaque)
{
    load_devices(&in->load_err);
    if (!in->load_err) {
        answer(MIG_RUNS, NULL, 0);
        set_status(MIGRATION_STATUS_POSTCOPY_ACTIVE);
        run_guest(&in->load_err);
    }
    in->load_failed = in->load_err;
    event_set(&in->loaded);
}

static void begin_postcopy(void)
{
    in->postcopy = true;
    event_init(&in->loaded, false);
    bh_once(NULL, load_and_go_on, NULL);
}

static void begin(void *opaque)
{
    (void)opaque;
    in->idle = false;
    set_status(MIGRATION_STATUS_ACTIVE);
}

/* In the main thread. @opaque: the error, which is told and freed. */
static void report_failure(void *opaque)
{
    Error *err = opaque;

    if (in->failed) {
        error_free(err);
        return;
    }
    in->failed = true;
    set_status(MIGRATION_STATUS_FAILED);
    error_prepend(&err, "load of migration failed: ");
    error_report(err);
    system_shutdown_request_with_code(SHUTDOWN_CAUSE_HOST_ERROR, 1);
}

static void clean_up(void *opaque)
{
    (void)opaque;
    ram_load_free(in->ram);
    in->ram = NULL;
    mig_devices_free(in->devices);
    in->devices = NULL;
    mig_bitmaps_free(in->bitmaps);
    in->bitmaps = NULL;
    g_free(in->runstate);
    in->runstate = NULL;
    if (in->err) {
        report_failure(in->err);
        in->err = NULL;
    }
    in->idle = true;
}

/* A page will never come: the guest can't go on. In the main thread. */
static void stop_guest(void *opaque)
{
    (void)opaque;
    vm_stop(RUN_STATE_INTERNAL_ERROR);
}

static void end_postcopy(void)
{
    if (in->err) {
        mutex_lock(&in->lock);
        if (in->ch) {
            mig_channel_interrupt(in->ch);
        }
        mutex_unlock(&in->lock);
        /* Who waits for a page would wait for ever, perhaps with the big lock. */
        ram_load_end_post_copy(in->ram);
        event_wait(&in->loaded);
    } else {
        event_wait(&in->loaded);
        ram_load_end_post_copy(in->ram);
    }
    if (in->load_err) {
        error_free(in->err);
        in->err = in->load_err;         /* the cause */
        in->load_err = NULL;
    }
    if (in->err) {
        mig_in_main_thread(stop_guest, NULL);
    }
}

/* ------------------------------------------- post-copy that was interrupted */

/* The main thread may itself be waiting for a page: it isn't waited for. */
static void status_later(void *opaque)
{
    MigrationStatus status = GPOINTER_TO_INT(opaque);

    if (!in->idle && in->status != MIGRATION_STATUS_COMPLETED) {
        set_status(status);
    }
}

static void tell_status(MigrationStatus status)
{
    bh_once(NULL, status_later, GINT_TO_POINTER(status));
}

static void tell_interrupted(void *opaque)
{
    Error *err = opaque;

    error_prepend(&err, "post-copy is interrupted, and waits for migrate with 'resume': ");
    error_report(err);
}

static void use_channel(Connection *c, MigChannel *ch)
{
    MigChannel *old = c->ch;

    mutex_lock(&in->answer_lock);
    mutex_lock(&in->lock);
    in->ch = c->ch = ch;
    in->was_interrupted = true;
    mutex_unlock(&in->lock);
    mutex_unlock(&in->answer_lock);
    mig_channel_free(old);
}

/* Is it the source that goes on? */
static bool try_client(Connection *c, int fd)
{
    Error *err = NULL;
    uint32_t number = 0;
    MigReader r;

    use_channel(c, mig_channel_new_fd(fd, 0));
    if (in->tls) {
        MigChannel *tls = mig_channel_new_tls(c->ch, in->tls, NULL, *in->tls_authz ? in->tls_authz : NULL, &err);

        c->ch = NULL;           /* taken */
        use_channel(c, tls);
    }
    mig_reader_init(&r, c->ch);
    if (c->ch && mig_read_head(&r, &number, &err) && number == MIG_RESUME) {
        mig_reader_cleanup(&in->r);
        in->r = r;
        return true;
    }
    mig_reader_cleanup(&r);
    error_free(err);
    use_channel(c, NULL);
    return false;
}

/* Until there is a connection of the source, at the place where it came from first (@fd; -1: it can't be
 * listened on) or that of migrate-recover. */
static bool wait_for_source(Connection *c, int fd)
{
    bool ok = false, end = false;

    while (!ok && !end) {
        struct pollfd p[2] = { { .fd = in->wake_fd, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
        uint64_t count;
        int client = -1;

        if (poll(p, 2, -1) < 0 && errno != EINTR) {
            break;
        }
        mutex_lock(&in->lock);
        if (p[0].revents && read(in->wake_fd, &count, sizeof(count)) < 0) {
            p[0].revents = 0;
        }
        if (in->recover_fd >= 0) {
            if (fd >= 0) {
                close(fd);
            }
            fd = in->recover_fd;
            in->recover_fd = -1;
            in->listens = true;
        } else if (p[1].revents) {
            client = socket_accept(fd);
        }
        end = in->give_up;
        mutex_unlock(&in->lock);
        ok = !end && client >= 0 && try_client(c, client);
    }
    if (fd >= 0) {
        MUTEX_GUARD(&in->lock);
        close(fd);
        socket_unlink(in->address);
        in->listens = false;
    }
    return ok;
}

static int listen_again(void)
{
    MUTEX_GUARD(&in->lock);
    int fd = in->address ? socket_listen(in->address, 1, NULL) : -1;

    in->listens = fd >= 0;
    return fd;
}

static bool send_missing(void)
{
    MigWriter w;
    bool ok;
    MUTEX_GUARD(&in->answer_lock);

    mig_writer_init(&w, in->ch);
    ok = ram_load_send_missing(in->ram, &w, &in->err);
    if (ok) {
        mig_begin(&w, MIG_RUNS);
        ok = mig_end(&w, &in->err);
    }
    mig_writer_cleanup(&w);
    return ok;
}

static void set_interrupted(bool interrupted)
{
    MUTEX_GUARD(&in->lock);
    in->interrupted = interrupted;
}

/*
 * The connection has failed; the guest goes on, but for who waits for a page that is missing. That may be the main
 * thread, which hasn't loaded all devices: it isn't waited for.
 */
static bool resume(Connection *c)
{
    bool ok;
    int fd;

    if (in->load_failed) {
        return false;
    }
    use_channel(c, NULL);
    fd = listen_again();
    tell_status(MIGRATION_STATUS_POSTCOPY_PAUSED);
    bh_once(NULL, tell_interrupted, in->err);
    in->err = NULL;
    set_interrupted(true);
    ok = wait_for_source(c, fd);
    set_interrupted(false);
    if (!ok) {
        error_setf(&in->err, ERR_STATE_INVALID, "post-copy was interrupted, and given up");
        return false;
    }
    tell_status(MIGRATION_STATUS_POSTCOPY_RECOVER);
    if (!send_missing()) {
        in->r.broken = true;    /* once more */
        return false;
    }
    tell_status(MIGRATION_STATUS_POSTCOPY_ACTIVE);
    ram_load_ask_again(in->ram);
    return true;
}

static bool read_records_to_the_end(Connection *c)
{
    bool ok = read_records();

    while (!ok && in->postcopy && in->r.broken) {
        in->r.broken = false;
        ok = resume(c) && read_records();
    }
    return ok;
}

static void end_multifd(void)
{
    Error *err = multifd_recv_end(in->multifd);

    if (err) {
        error_free(in->err);    /* that was only its consequence */
        in->err = err;
    }
}

/* The stream's own connection. */
static void run_stream(Connection *c)
{
    bool ok;

    in->r = c->r;
    in->devices = mig_devices_new();
    in->bitmaps = mig_bitmaps_new();
    mig_in_main_thread(begin, NULL);
    ok = read_conf() && read_records_to_the_end(c);
    if (in->multifd) {
        end_multifd();
        ok = ok && !in->err;
    }
    if (!ok && !in->err) {
        error_setf(&in->err, ERR_STATE_INVALID, "the stream's records are in no order that can be");
    }
    if (in->postcopy) {
        end_postcopy();
    } else if (ok) {
        mig_in_main_thread(load_devices, &in->err);
    }
    if (in->err) {
        answer(MIG_FAIL, error_message(in->err), strlen(error_message(in->err)));
    } else {
        answer(MIG_ACKN, NULL, 0);
        mig_channel_finish(in->ch, NULL);
        mig_in_main_thread(in->postcopy ? completed : go_on, NULL);
    }
    c->r = in->r;
    mutex_lock(&in->answer_lock);
    mutex_lock(&in->lock);
    in->ch = NULL;
    mutex_unlock(&in->lock);
    mutex_unlock(&in->answer_lock);
    mig_in_main_thread(clean_up, NULL);
}

/* A multifd connection has failed: the stream is of no use. */
static void interrupt_stream(void *opaque)
{
    (void)opaque;
    MUTEX_GUARD(&in->lock);
    if (in->ch) {
        mig_channel_interrupt(in->ch);
    }
}

/* Is it the first one that says so? */
static bool claim_stream(Connection *c)
{
    MUTEX_GUARD(&in->lock);
    if (in->ch || in->claimed) {
        error_setf(&c->err, ERR_STATE_INVALID, "two streams at a time");
        return false;
    }
    in->claimed = true;
    in->ch = c->ch;
    return true;
}

static void run_connection(Connection *c)
{
    uint32_t number;

    if (in->tls) {
        c->ch = mig_channel_new_tls(c->ch, in->tls, NULL, *in->tls_authz ? in->tls_authz : NULL,
                                    &c->err);
    }
    mig_reader_init(&c->r, c->ch);
    if (!c->ch || !mig_read_head(&c->r, &number, &c->err)) {
        return;
    }
    if (number && in->multifd) {
        multifd_recv_run(in->multifd, number, &c->r);
    } else if (number) {
        error_setf(&c->err, ERR_STATE_INVALID, "the source uses multifd");
        error_hint(&c->err, "switch the capability 'multifd' on here, too");
    } else if (claim_stream(c)) {
        run_stream(c);
    }
}

static void *connection_thread(void *opaque)
{
    Connection *c = opaque;

    run_connection(c);
    if (c->err) {
        mig_in_main_thread(report_failure, c->err);
    }
    mig_reader_cleanup(&c->r);
    mig_channel_free(c->ch);
    g_free(c);
    return NULL;
}

/* -------------------------------------------------- from the main thread */

static void start_thread(MigChannel *ch)
{
    Connection *c = g_new0(Connection, 1);

    c->ch = ch;
    thread_create_detached("incoming", connection_thread, c);
}

static void stop_listening(void)
{
    fd_watch_remove(in->watch);
    in->watch = NULL;
    close(in->listen_fd);
    in->listen_fd = -1;
    socket_unlink(in->address);
}

static void on_connection(int fd, unsigned events, void *opaque)
{
    int client = socket_accept(fd);

    (void)events;
    (void)opaque;
    if (client >= 0) {
        if (!--in->expected) {
            stop_listening();
        }
        start_thread(mig_channel_new_fd(client, 0));
    }
}

static bool listen_on(MigUri *uri, Error **errp)
{
    int fd;

    in->expected = 1;
    if (mig_cap(MIGRATION_CAPABILITY_MULTIFD)) {
        in->expected += mig_params()->multifd_channels;
        in->multifd = multifd_recv_new(mig_params()->multifd_channels, interrupt_stream, NULL);
    }
    fd = socket_listen(uri->address, (int)in->expected, errp);
    if (fd < 0) {
        multifd_recv_free(in->multifd);
        in->multifd = NULL;
        return false;
    }
    in->listen_fd = fd;
    in->address = socket_local_address(fd, NULL);
    if (!in->address) {
        in->address = uri->address;
        uri->address = NULL;
    }
    in->watch = fd_watch_new(fd, FD_READ, on_connection, NULL);
    return true;
}

static bool start(const char *text, Error **errp)
{
    MigChannel *ch = NULL;
    MigUri uri;
    bool ok;

    if (*mig_params()->tls_creds && !in->tls &&
        !(in->tls = tls_creds_get(mig_params()->tls_creds, true, errp))) {
        return false;
    }
    g_free(in->tls_authz);
    in->tls_authz = g_strdup(mig_params()->tls_authz);
    if (!mig_uri_parse(text, &uri, errp)) {
        return false;
    }
    if (uri.kind == MIG_URI_SOCKET) {
        ok = listen_on(&uri, errp);
    } else {
        ch = mig_uri_open_in(&uri, errp);
        ok = ch != NULL;
    }
    mig_uri_cleanup(&uri);
    if (ok) {
        in->deferred = false;
        set_status(MIGRATION_STATUS_SETUP);
    }
    if (ch) {
        start_thread(ch);
    }
    return ok;
}

bool incoming_init(const char *uri, Error **errp)
{
    in = g_new0(Incoming, 1);
    in->listen_fd = in->recover_fd = -1;
    in->idle = true;
    in->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    mutex_init(&in->lock);
    mutex_init(&in->answer_lock);
    if (!runstate_set(RUN_STATE_INMIGRATE, errp)) {
        return false;
    }
    in->deferred = !strcmp(uri, "defer");
    return in->deferred || start(uri, errp);
}

bool incoming_start(const char *uri, Error **errp)
{
    if (!in) {
        error_setf(errp, ERR_WRONG_STATE, "'-incoming' was not specified on the command line");
        return false;
    }
    if (!in->deferred) {
        error_setf(errp, ERR_WRONG_STATE, "The incoming migration has already been started");
        return false;
    }
    return start(uri, errp);
}

/* Under in->lock. */
static void wake(void)
{
    uint64_t one = 1;

    while (write(in->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

bool incoming_pause(void)
{
    if (!in || in->status != MIGRATION_STATUS_POSTCOPY_ACTIVE) {
        return false;
    }
    MUTEX_GUARD(&in->lock);
    if (in->ch) {
        mig_channel_interrupt(in->ch);
    }
    return true;
}

/* Under in->lock. */
static bool is_listened_on(const SocketAddress *a)
{
    const SocketAddress *b = in->address;

    if (!in->listens || !b || a->type != b->type) {
        return false;
    }
    return a->type == SOCKET_ADDRESS_TYPE_INET ? !strcmp(a->u.inet.port, b->u.inet.port)
           : a->type == SOCKET_ADDRESS_TYPE_UNIX && !strcmp(a->u.q_unix.path, b->u.q_unix.path);
}

static bool listen_elsewhere(MigUri *uri, Error **errp)
{
    MUTEX_GUARD(&in->lock);
    int fd;

    if (is_listened_on(uri->address)) {
        return true;
    }
    if ((fd = socket_listen(uri->address, 1, errp)) < 0) {
        return false;
    }
    if (in->listens) {
        socket_unlink(in->address);
    }
    qapi_free_SocketAddress(in->address);
    in->address = socket_local_address(fd, NULL);
    if (!in->address) {
        in->address = g_steal_pointer(&uri->address);
    }
    if (in->recover_fd >= 0) {
        close(in->recover_fd);
    }
    in->recover_fd = fd;
    if (in->ch) {
        mig_channel_interrupt(in->ch);  /* somebody who has connected, and says nothing */
    }
    wake();
    return true;
}

bool incoming_recover(const char *uri_text, Error **errp)
{
    MigUri uri;
    bool ok = false;

    if (!in || in->status != MIGRATION_STATUS_POSTCOPY_PAUSED) {
        error_setf(errp, ERR_WRONG_STATE, "Migrate recover can only be run when postcopy is paused");
        return false;
    }
    if (!mig_uri_parse(uri_text, &uri, errp)) {
        return false;
    }
    if (uri.kind != MIG_URI_SOCKET) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "the source comes back by a socket that is listened on");
        error_argument(errp, "uri", uri_text, "tcp:, unix:");
    } else {
        ok = listen_elsewhere(&uri, errp);
    }
    mig_uri_cleanup(&uri);
    return ok;
}

void incoming_cleanup(void)
{
    bool waits;

    if (!in) {
        return;
    }
    mutex_lock(&in->lock);
    in->give_up = true;
    waits = in->interrupted;
    if (waits && in->ch) {
        mig_channel_interrupt(in->ch);
    }
    wake();
    mutex_unlock(&in->lock);
    if (waits) {
        in->failed = true;      /* whoever ends it knows */
        main_loop_run_until(&in->idle);
    }
}

void incoming_query(MigrationInfo *info)
{
    if (!in || in->deferred) {
        return;
    }
    QAPI_SET(info, status, in->status);
    if (in->address) {
        info->socket_address = qapi_new(SocketAddressList);
        qapi_list_append(info->socket_address, qapi_clone(&qapi_type_SocketAddress, in->address));
    }
}
