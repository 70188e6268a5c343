/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about character devices. */
#include "util/osdep.h"
#include "chardev/char-int.h"
#include "chardev/char-ringbuf.h"
#include "qapi/commands-char.h"

ChardevInfoList *qmp_query_chardev(Error **errp)
{
    ChardevInfoList *list = qapi_new(ChardevInfoList);

    (void)errp;
    for (Chardev *chr = chardev_list; chr; chr = chr->next) {
        ChardevInfo *info = qapi_new(ChardevInfo);

        info->label = strdup(chr->id);
        info->filename = strdup(chr->filename);
        info->frontend_open = chr->fe_open;
        qapi_list_append(list, info);
    }
    return list;
}

ChardevBackendInfoList *qmp_query_chardev_backends(Error **errp)
{
    ChardevBackendInfoList *list = qapi_new(ChardevBackendInfoList);

    (void)errp;
    for (int i = 0; i < CHARDEV_BACKEND_KIND__MAX; i++) {
        if (chardev_ops(i)) {
            ChardevBackendInfo *info = qapi_new(ChardevBackendInfo);

            info->name = strdup(ChardevBackendKind_name(i));
            qapi_list_append(list, info);
        }
    }
    return list;
}

static ChardevReturn *returned(const Chardev *chr)
{
    ChardevReturn *ret;

    if (!chr) {
        return NULL;
    }
    ret = qapi_new(ChardevReturn);
    if (chr->ops->kind == CHARDEV_BACKEND_KIND_PTY) {
        ret->pty = strdup(chr->filename + strlen("pty:"));
    }
    return ret;
}

/* A monitor must not wait: chardev-add has no `wait` that holds up everything. */
static bool check_wait(const ChardevBackend *backend, Error **errp)
{
    const ChardevSocket *s;

    if (backend->type != CHARDEV_BACKEND_KIND_SOCKET) {
        return true;
    }
    s = backend->u.socket.data;
    if ((!s->has_server || s->server) && s->has_wait && s->wait) {
        error_setf(errp, ERR_NOT_SUPPORTED,
                   "Parameter 'backend.data.wait' does not accept value 'true' while the "
                   "machine is there; accepted: false");
        return false;
    }
    return true;
}

ChardevReturn *qmp_chardev_add(const char *id, const ChardevBackend *backend, Error **errp)
{
    return check_wait(backend, errp) ? returned(chardev_new(id, backend, errp)) : NULL;
}

ChardevReturn *qmp_chardev_change(const char *id, const ChardevBackend *backend, Error **errp)
{
    return check_wait(backend, errp) ? returned(chardev_change(id, backend, errp)) : NULL;
}

bool qmp_chardev_remove(const char *id, Error **errp)
{
    return chardev_remove(id, errp);
}

bool qmp_chardev_send_break(const char *id, Error **errp)
{
    Chardev *chr = chardev_find(id);

    if (!chr) {
        error_setf(errp, ERR_NO_SUCH_DEVICE, "Chardev '%s' not found", id);
        return false;
    }
    chr_be_event(chr, CHR_EVENT_BREAK);
    return true;
}

bool qmp_ringbuf_write(const char *device, const char *data, bool has_format, DataFormat format,
                       Error **errp)
{
    g_autofree uint8_t *raw = NULL;
    gsize len = strlen(data);

    if (has_format && format == DATA_FORMAT_BASE64) {
        raw = g_base64_decode(data, &len);
        if (!raw || (*data && !len)) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "Parameter 'data' is not valid base64");
            return false;
        }
        data = (const char *)raw;
    }
    return chr_ringbuf_write(device, (const uint8_t *)data, len, errp);
}

char *qmp_ringbuf_read(const char *device, int64_t size, bool has_format, DataFormat format,
                       Error **errp)
{
    g_autofree uint8_t *buf = NULL;
    size_t len;

    if (size <= 0) {
        error_setf(errp, ERR_OUT_OF_RANGE, "size must be greater than zero");
        return NULL;
    }
    buf = chr_ringbuf_read(device, size, &len, errp);
    if (!buf) {
        return NULL;
    }
    if (has_format && format == DATA_FORMAT_BASE64) {
        return g_base64_encode(buf, len);
    }
    return g_utf8_make_valid((char *)buf, len);
}
