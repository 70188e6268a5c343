/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receiving side. A thread reads the stream and fills the RAM of the
 * machine, which waits; the main thread then loads the devices and lets it
 * run. A failure ends the emulator: half a machine is of no use.
 */
#include "util/osdep.h"
#include "migration/migration.h"

#include <glib.h>
#include <unistd.h>
#include "block/block.h"
#include "crypto/tls-creds.h"
#include "hw/core/runstate.h"
#include "migration/devices.h"
#include "migration/options.h"
#include "migration/ram.h"
#include "qapi/sockets.h"
#include "qobject/qobject.h"
#include "util/main-loop.h"

typedef struct Incoming {
    /* Big lock. */
    MigrationStatus status;
    bool deferred;              /* migrate-incoming is waited for */
    SocketAddress *address;     /* listened on; NULL: not */
    int listen_fd;
    FdWatch *watch;
    /* The thread's own. */
    MigChannel *ch;
    TlsCreds *tls;              /* a reference; NULL: no TLS */
    char *tls_authz;
    MigReader r;
    RamLoad *ram;
    MigDevices *devices;
    char *runstate;
    bool answer;                /* the other side waits for ACKN or FAIL */
    Error *err;
} Incoming;

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
}

static bool read_conf(void)
{
    QDict *conf;

    if (!mig_read_head(&in->r, &in->err) || !mig_next(&in->r, &in->err)) {
        return false;
    }
    if (in->r.tag != MIG_CONF) {
        error_setf(&in->err, ERR_STATE_INVALID, "the stream doesn't begin with a record 'CONF'");
        return false;
    }
    conf = mig_get_json(&in->r, &in->err);
    if (conf) {
        mig_in_main_thread(check_conf, conf);
        qobject_unref(conf);
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

static bool read_records(void)
{
    for (;;) {
        bool ok = false;
        char text[5];

        if (!mig_next(&in->r, &in->err)) {
            return false;
        }
        switch (in->r.tag) {
        case MIG_RAMP:
            ok = ram_load_record(in->ram, &in->r, &in->err);
            break;
        case MIG_DEVI:
            ok = mig_devices_read(in->devices, &in->r, &in->err);
            break;
        case MIG_STAT:
            ok = read_stat();
            break;
        case MIG_PASS:
        case MIG_DESC:
            ok = true;          /* for people and for other readers */
            break;
        case MIG_DONE:
            return true;
        default:
            mig_tag_text(in->r.tag, text);
            error_setf(&in->err, ERR_STATE_INVALID,
                       "the stream has a record '%s' at byte %" PRIu64 ", which is not known",
                       text, in->r.record_at);
        }
        if (!ok) {
            return false;
        }
    }
}

/* In the main thread. */
static void load_devices(void *opaque)
{
    bool late = mig_cap(MIGRATION_CAPABILITY_LATE_BLOCK_ACTIVATE) && !runstate_autostart();

    (void)opaque;
    if (mig_devices_load(in->devices, &in->err) && !late) {
        block_activate_all(&in->err);
    }
}

/* In the main thread: what the machine did there it does here. */
static void go_on(void *opaque)
{
    int state = in->runstate ? qapi_enum_parse(&qapi_type_RunState, in->runstate, "runstate", NULL)
                             : RUN_STATE_RUNNING;

    (void)opaque;
    set_status(MIGRATION_STATUS_COMPLETED);
    if (state == RUN_STATE_RUNNING && runstate_autostart()) {
        vm_start(&in->err);
    } else if (state < 0 || state == RUN_STATE_RUNNING || !runstate_set(state, NULL)) {
        runstate_set(RUN_STATE_PAUSED, NULL);
    }
}

static void answer(uint32_t tag, const char *text)
{
    MigWriter w;

    if (!in->answer) {
        return;
    }
    mig_writer_init(&w, in->ch);
    mig_begin(&w, tag);
    mig_put(&w, text, strlen(text));
    mig_end(&w, NULL);
    mig_writer_cleanup(&w);
}

static void begin(void *opaque)
{
    (void)opaque;
    set_status(MIGRATION_STATUS_ACTIVE);
}

static void clean_up(void *opaque)
{
    (void)opaque;
    ram_load_free(in->ram);
    in->ram = NULL;
    mig_devices_free(in->devices);
    in->devices = NULL;
    mig_reader_cleanup(&in->r);
    g_free(in->runstate);
    in->runstate = NULL;
    if (in->err) {
        set_status(MIGRATION_STATUS_FAILED);
        error_prepend(&in->err, "load of migration failed: ");
        error_report(in->err);
        in->err = NULL;
        system_shutdown_request_with_code(SHUTDOWN_CAUSE_HOST_ERROR, 1);
    }
}

static void *incoming_run(void *opaque)
{
    (void)opaque;
    if (in->tls) {
        in->ch = mig_channel_new_tls(in->ch, in->tls, NULL, *in->tls_authz ? in->tls_authz : NULL,
                                     &in->err);
    }
    mig_reader_init(&in->r, in->ch);
    in->devices = mig_devices_new();
    mig_in_main_thread(begin, NULL);
    if (in->ch && read_conf() && read_records()) {
        mig_in_main_thread(load_devices, NULL);
    }
    if (in->err) {
        answer(MIG_FAIL, error_message(in->err));
    } else {
        answer(MIG_ACKN, "");
        mig_channel_finish(in->ch, NULL);
        mig_in_main_thread(go_on, NULL);
    }
    mig_channel_free(in->ch);
    in->ch = NULL;
    mig_in_main_thread(clean_up, NULL);
    return NULL;
}

/* -------------------------------------------------- from the main thread */

static void start_thread(MigChannel *ch)
{
    in->ch = ch;
    thread_create_detached("incoming", incoming_run, NULL);
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
        stop_listening();
        start_thread(mig_channel_new_fd(client, 0));
    }
}

static bool listen_on(MigUri *uri, Error **errp)
{
    int fd = socket_listen(uri->address, 1, errp);

    if (fd < 0) {
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
    in->listen_fd = -1;
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
