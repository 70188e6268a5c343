/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor's commands about images in use: committing, removing, serving, requests by hand. */
#include "util/osdep.h"
#include "block/block-qmp.h"
#include "block/copy.h"
#include "block/shell.h"
#include "monitor/hmp-cmds.h"
#include "qapi/qapi-command.h"
#include "qapi/sockets.h"

/* ---------------------------------------------------------------- images */

static void commit_all(Hmp *hmp)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

    /* While one is committed others may come and go: their names are kept, not they. */
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        BlockNode *top = block_skip_filters(b->node);

        if (top && top->backing && !blk_is_read_only(b) && !b->hidden && *b->id) {
            g_ptr_array_add(ids, g_strdup(b->id));
        }
    }
    for (unsigned i = 0; i < ids->len; i++) {
        Error *err = NULL;
        BlockBackend *b = block_qmp_backend(ids->pdata[i], NULL, &err);

        if (b) {
            block_commit_down(b, &err);
        }
        hmp_error(hmp, err);
    }
}

void hmp_commit(Hmp *hmp, const QDict *args)
{
    const char *device = qdict_str_or(args, "device", "");
    Error *err = NULL;
    BlockBackend *b;

    if (!strcmp(device, "all")) {
        commit_all(hmp);
        return;
    }
    b = block_qmp_backend(device, NULL, &err);
    if (b) {
        block_commit_down(b, &err);
    }
    hmp_error(hmp, err);
}

void hmp_drive_del(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    BlockBackend *b = block_qmp_backend(qdict_str_or(args, "id", ""), NULL, &err);

    if (b && b->anonymous) {
        error_setf(&err, ERR_NOT_SUPPORTED, "'%s' is a node; blockdev-del deletes it", b->id);
    } else if (b) {
        blk_remove(b, &err);
    }
    hmp_error(hmp, err);
}

/* The device's own back end, or one for the node just for this. */
void hmp_qemu_io(Hmp *hmp, const QDict *args)
{
    const char *name = qdict_str_or(args, "device", "");
    Error *err = NULL;
    BlockBackend *b = NULL, *own = NULL;

    if (qdict_bool_or(args, "qdev", false)) {
        b = block_qmp_backend(NULL, name, &err);
    } else if (block_node_find(name)) {
        own = b = blk_new("#qemu-io", &err);
        if (b) {
            b->hidden = b->anonymous = true;
            blk_insert(b, block_node_find(name), NULL);
        }
    } else {
        b = block_qmp_backend(name, NULL, &err);
    }
    if (b) {
        block_shell_run(b, qdict_str_or(args, "command", ""), hmp->out);
    }
    if (own) {
        blk_delete(own);
    }
    hmp_error(hmp, err);
}

/* ------------------------------------------------------------------- NBD */

/* "host:port" or "unix:path" in the form that nbd-server-start has. */
static QDict *server_address(const char *text, Error **errp)
{
    SocketAddress *a = socket_address_parse(text, errp);
    QDict *d = NULL;

    if (a && a->type == SOCKET_ADDRESS_TYPE_INET) {
        d = qdict_from_fmt("{'type': 'inet', 'data': {'host': %s, 'port': %s}}", a->u.inet.host, a->u.inet.port);
    } else if (a && a->type == SOCKET_ADDRESS_TYPE_UNIX) {
        d = qdict_from_fmt("{'type': 'unix', 'data': {'path': %s}}", a->u.q_unix.path);
    } else if (a) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' isn't a place to listen at; accepted: HOST:PORT, unix:PATH",
                   text);
    }
    qapi_free_SocketAddress(a);
    return d;
}

void hmp_nbd_server_start(Hmp *hmp, const QDict *args)
{
    bool all = qdict_bool_or(args, "all", false), writable = qdict_bool_or(args, "writable", false);
    Error *err = NULL;
    QDict *address, *start;
    bool ok = true;

    if (writable && !all) {
        error_setf(&err, ERR_INVALID_ARGUMENT, "-w only valid together with -a");
    }
    address = err ? NULL : server_address(qdict_str_or(args, "uri", ""), &err);
    if (!address) {
        hmp_error(hmp, err);
        return;
    }
    start = qdict_new();
    qdict_put(start, "addr", address);
    if (!hmp_qmp_ok(hmp, "nbd-server-start", start)) {
        return;
    }
    for (BlockBackend *b = blk_first(); b && all && ok; b = b->next) {
        if (b->node && !b->hidden && !b->anonymous) {
            QDict *d = qdict_from_fmt("{'device': %s}", b->id);

            qdict_put_bool(d, "writable", writable && !blk_is_read_only(b));
            ok = hmp_qmp_ok(hmp, "nbd-server-add", d);
        }
    }
    if (!ok) {
        hmp_qmp_ok(hmp, "nbd-server-stop", NULL);
    }
}

void hmp_nbd_server_add(Hmp *hmp, const QDict *args)
{
    QDict *d = qdict_from_fmt("{'device': %s}", qdict_str_or(args, "device", ""));

    if (qdict_has(args, "name")) {
        qdict_put_str(d, "name", qdict_str_or(args, "name", ""));
    }
    qdict_put_bool(d, "writable", qdict_bool_or(args, "writable", false));
    hmp_qmp_ok(hmp, "nbd-server-add", d);
}

void hmp_nbd_server_remove(Hmp *hmp, const QDict *args)
{
    hmp_qmp_ok(hmp, "nbd-server-remove",
               qdict_from_fmt("{'name': %s, 'mode': %s}", qdict_str_or(args, "name", ""),
                              qdict_bool_or(args, "force", false) ? "hard" : "safe"));
}

void hmp_nbd_server_stop(Hmp *hmp, const QDict *args)
{
    (void)args;
    hmp_qmp_ok(hmp, "nbd-server-stop", NULL);
}
