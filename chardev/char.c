/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character devices: the registry, and the traffic between the two ends. */
#include "util/osdep.h"
#include <fcntl.h>
#include <unistd.h>
#include "chardev/chardev.h"
#include "chardev/char-int.h"

/* Registry of all character devices, in the order of making. */
Chardev *chardev_list;

/* The kinds of back ends; a room above may bring its own for one of them. */
static const ChardevOps *kinds[CHARDEV_BACKEND_KIND__MAX] = {
    [CHARDEV_BACKEND_KIND_FILE] = &chr_file_ops,
    [CHARDEV_BACKEND_KIND_SERIAL] = &chr_serial_ops,
    [CHARDEV_BACKEND_KIND_PIPE] = &chr_pipe_ops,
    [CHARDEV_BACKEND_KIND_SOCKET] = &chr_socket_ops,
    [CHARDEV_BACKEND_KIND_UDP] = &chr_udp_ops,
    [CHARDEV_BACKEND_KIND_PTY] = &chr_pty_ops,
    [CHARDEV_BACKEND_KIND_NULL] = &chr_null_ops,
    [CHARDEV_BACKEND_KIND_MUX] = &chr_mux_ops,
    [CHARDEV_BACKEND_KIND_STDIO] = &chr_stdio_ops,
    [CHARDEV_BACKEND_KIND_VC] = &chr_vc_ops,
    [CHARDEV_BACKEND_KIND_RINGBUF] = &chr_ringbuf_ops,
    [CHARDEV_BACKEND_KIND_MEMORY] = &chr_memory_ops,
};

void chardev_register(const ChardevOps *ops)
{
    kinds[ops->kind] = ops;
}

const ChardevOps *chardev_ops(ChardevBackendKind kind)
{
    return (unsigned)kind < ARRAY_SIZE(kinds) ? kinds[kind] : NULL;
}

/* ------------------------------------------------------------ registry */

Chardev *chardev_find(const char *id)
{
    for (Chardev *chr = chardev_list; chr; chr = chr->next) {
        if (!strcmp(chr->id, id)) {
            return chr;
        }
    }
    return NULL;
}

const char *chardev_id(const Chardev *chr)
{
    return chr->id;
}

bool chardev_is_mux(const Chardev *chr)
{
    return chr->ops->attach != NULL;
}

bool chardev_is_busy(const Chardev *chr)
{
    return chr->ops->busy ? chr->ops->busy(chr) : chr->fe != NULL;
}

char *chardev_new_id(const char *prefix)
{
    for (unsigned i = 0;; i++) {
        char *id = g_strdup_printf("%s%u", prefix, i);

        if (!chardev_find(id)) {
            return id;
        }
        g_free(id);
    }
}

static void chardev_free(Chardev *chr)
{
    if (chr->ops->close) {
        chr->ops->close(chr);
    }
    if (chr->log_fd >= 0) {
        close(chr->log_fd);
    }
    g_byte_array_unref(chr->out);
    g_free(chr->filename);
    g_free(chr->id);
    g_free(chr);
}

static bool open_log(Chardev *chr, const ChardevCommon *common, Error **errp)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC |
                (common->has_logappend && common->logappend ? O_APPEND : O_TRUNC);

    if (!common->logfile) {
        return true;
    }
    chr->log_fd = open(common->logfile, flags, 0666);
    if (chr->log_fd < 0) {
        error_set_errno(errp, errno, "can't open log file '%s'", common->logfile);
        return false;
    }
    return true;
}

static Chardev *make(const char *id, const ChardevBackend *backend, Error **errp)
{
    const ChardevOps *ops = chardev_ops(backend->type);
    const ChardevCommon *common;
    Chardev *chr;

    if (!ops) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "character device '%s': no back end '%s' here", id,
                   ChardevBackendKind_name(backend->type));
        return NULL;
    }
    chr = g_malloc0(ops->size);
    chr->ops = ops;
    chr->id = g_strdup(id);
    chr->out = g_byte_array_new();
    chr->log_fd = -1;
    /* All branches hold a pointer to a struct that starts with ChardevCommon. */
    common = (const ChardevCommon *)backend->u.null.data;
    if (!open_log(chr, common, errp) || !ops->open(chr, backend, errp)) {
        error_subject(errp, id);
        chardev_free(chr);
        return NULL;
    }
    if (!chr->filename) {
        chr->filename = g_strdup(ChardevBackendKind_name(backend->type));
    }
    return chr;
}

static bool id_is_good(const char *id)
{
    if (!g_ascii_isalpha(*id)) {
        return false;
    }
    for (; *id; id++) {
        if (!g_ascii_isalnum(*id) && !strchr("-._", *id)) {
            return false;
        }
    }
    return true;
}

Chardev *chardev_new(const char *id, const ChardevBackend *backend, Error **errp)
{
    Chardev *chr, **p = &chardev_list;

    if (!id_is_good(id)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Parameter 'id' expects an identifier, not '%s'",
                   id);
        error_hint(errp, "identifiers are letters, digits, '-', '.' and '_', "
                   "and start with a letter");
        return NULL;
    }
    if (chardev_find(id)) {
        error_setf(errp, ERR_DUPLICATE_ID, "Chardev with id '%s' already exists", id);
        return NULL;
    }
    chr = make(id, backend, errp);
    if (!chr) {
        return NULL;
    }
    while (*p) {
        p = &(*p)->next;
    }
    *p = chr;
    return chr;
}

static void unlink_from_list(Chardev *chr)
{
    for (Chardev **p = &chardev_list; *p; p = &(*p)->next) {
        if (*p == chr) {
            *p = chr->next;
            return;
        }
    }
}

Chardev *chardev_change(const char *id, const ChardevBackend *backend, Error **errp)
{
    Chardev *old = chardev_find(id), *new;
    CharFrontend *fe;

    if (!old) {
        error_setf(errp, ERR_NO_SUCH_DEVICE, "Chardev '%s' does not exist", id);
        return NULL;
    }
    if (chardev_is_mux(old) || backend->type == CHARDEV_BACKEND_KIND_MUX) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Chardev '%s': a mux can't be changed", id);
        return NULL;
    }
    new = make(id, backend, errp);
    if (!new) {
        return NULL;
    }
    fe = old->fe;
    if (fe && old->be_open && fe->handlers && fe->handlers->event) {
        fe->handlers->event(fe->opaque, CHR_EVENT_CLOSED);
    }
    old->fe = NULL;
    for (Chardev **p = &chardev_list; *p; p = &(*p)->next) {
        if (*p == old) {
            new->next = old->next;
            *p = new;
            break;
        }
    }
    new->fe_open = old->fe_open;
    chardev_free(old);
    if (fe) {
        new->fe = fe;
        fe->chr = new;
        chr_fe_set_handlers(fe, fe->handlers, fe->opaque);
    }
    return new;
}

bool chardev_remove(const char *id, Error **errp)
{
    Chardev *chr = chardev_find(id);

    if (!chr) {
        error_setf(errp, ERR_NO_SUCH_DEVICE, "Chardev '%s' not found", id);
        return false;
    }
    if (chardev_is_busy(chr)) {
        error_setf(errp, ERR_IN_USE, "Chardev '%s' is busy", id);
        return false;
    }
    unlink_from_list(chr);
    chardev_free(chr);
    return true;
}

bool chardev_add_client(Chardev *chr, int fd, Error **errp)
{
    if (!chr->ops->add_client) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Chardev '%s' takes no clients", chr->id);
        return false;
    }
    return chr->ops->add_client(chr, fd, errp);
}

void chardev_cleanup(void)
{
    /* A mux holds a front end of another device: muxes go first. */
    for (int pass = 0; pass < 2; pass++) {
        for (Chardev *chr = chardev_list, *next; chr; chr = next) {
            next = chr->next;
            if (pass == 0 && !chardev_is_mux(chr)) {
                continue;
            }
            if (chr->fe) {
                chr->fe->chr = NULL;
                chr->fe = NULL;
            }
            chr_be_flush(chr);
            unlink_from_list(chr);
            chardev_free(chr);
        }
    }
}

/* ------------------------------------------------------- from back end */

size_t chr_be_can_receive(Chardev *chr)
{
    CharFrontend *fe = chr->fe;

    if (!fe || !fe->handlers || !fe->handlers->receive) {
        return 0;
    }
    return fe->handlers->can_receive ? fe->handlers->can_receive(fe->opaque) : SIZE_MAX;
}

void chr_be_receive(Chardev *chr, const uint8_t *buf, size_t len)
{
    CharFrontend *fe = chr->fe;

    if (fe && fe->handlers && fe->handlers->receive) {
        fe->handlers->receive(fe->opaque, buf, len);
    }
}

static void tell_writable(CharFrontend *fe)
{
    if (fe && fe->want_writable) {
        fe->want_writable = false;
        if (fe->handlers && fe->handlers->writable) {
            fe->handlers->writable(fe->opaque);
        }
    }
}

void chr_be_event(Chardev *chr, ChrEvent event)
{
    CharFrontend *fe;

    if (event == CHR_EVENT_OPENED) {
        chr->be_open = true;
    } else if (event == CHR_EVENT_CLOSED) {
        chr->be_open = false;
        g_byte_array_set_size(chr->out, 0);
    }
    fe = chr->fe;
    if (fe && fe->handlers && fe->handlers->event) {
        fe->handlers->event(fe->opaque, event);
    }
    if (event == CHR_EVENT_CLOSED) {
        tell_writable(chr->fe);         /* from now on everything is taken */
    }
}

void chr_be_flush(Chardev *chr)
{
    while (chr->out->len) {
        ssize_t n = chr->ops->write(chr, chr->out->data, chr->out->len);

        if (n < 0) {
            g_byte_array_set_size(chr->out, 0);
        } else if (n == 0) {
            return;
        } else {
            g_byte_array_remove_range(chr->out, 0, n);
        }
    }
    tell_writable(chr->fe);
}

/* ------------------------------------------------------ from front end */

bool chr_fe_init(CharFrontend *fe, Chardev *chr, Error **errp)
{
    memset(fe, 0, sizeof(*fe));
    if (!chr) {
        return true;
    }
    if (chr->ops->attach) {
        if (!chr->ops->attach(chr, fe, errp)) {
            return false;
        }
    } else if (chr->fe) {
        error_setf(errp, ERR_IN_USE, "Chardev '%s' is already in use", chr->id);
        return false;
    } else {
        chr->fe = fe;
    }
    fe->chr = chr;
    return true;
}

bool chr_fe_init_by_id(CharFrontend *fe, const char *id, Error **errp)
{
    Chardev *chr = chardev_find(id);

    if (!chr) {
        memset(fe, 0, sizeof(*fe));
        error_setf(errp, ERR_NO_SUCH_DEVICE, "Chardev '%s' not found", id);
        return false;
    }
    return chr_fe_init(fe, chr, errp);
}

void chr_fe_deinit(CharFrontend *fe)
{
    Chardev *chr = fe->chr;

    if (chr) {
        fe->handlers = NULL;
        if (chr->ops->detach) {
            chr->ops->detach(chr, fe);
        } else {
            chr_fe_set_open(fe, false);
            chr->fe = NULL;
        }
    }
    memset(fe, 0, sizeof(*fe));
}

void chr_fe_set_handlers(CharFrontend *fe, const ChrHandlers *handlers, void *opaque)
{
    Chardev *chr = fe->chr;

    fe->handlers = handlers;
    fe->opaque = opaque;
    if (!chr) {
        return;
    }
    chr_fe_set_open(fe, handlers != NULL);
    if (chr->ops->handlers_set) {
        chr->ops->handlers_set(chr, fe);
        return;
    }
    if (handlers && chr->be_open && handlers->event) {
        handlers->event(opaque, CHR_EVENT_OPENED);
    }
    chr_fe_accept_input(fe);
}

bool chr_fe_is_connected(const CharFrontend *fe)
{
    return fe->chr != NULL;
}

bool chr_fe_is_open(const CharFrontend *fe)
{
    return fe->chr && fe->chr->be_open;
}

Chardev *chr_fe_get_chardev(const CharFrontend *fe)
{
    return fe->chr;
}

/* A full disk loses the copy, never the guest's time. */
static void write_log(Chardev *chr, const uint8_t *buf, size_t len)
{
    while (len) {
        ssize_t n = write(chr->log_fd, buf, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return;
        }
        buf += n;
        len -= n;
    }
}

size_t chr_fe_write(CharFrontend *fe, const void *data, size_t len)
{
    Chardev *chr = fe->chr;
    const uint8_t *buf = data;
    size_t taken = 0;

    if (!chr) {
        return len;
    }
    if (!chr->be_open) {
        taken = len;
    } else if (chardev_is_mux(chr)) {
        ssize_t n = chr->ops->write(chr, buf, len);

        taken = n < 0 ? len : (size_t)n;
    } else {
        if (!chr->out->len && len) {
            ssize_t n = chr->ops->write(chr, buf, len);

            taken = n < 0 ? len : (size_t)n;
        }
        if (taken < len && chr->out->len < CHR_BUFFER_SIZE) {
            size_t room = CHR_BUFFER_SIZE - chr->out->len;
            size_t more = MIN(len - taken, room);

            g_byte_array_append(chr->out, buf + taken, more);
            taken += more;
        }
    }
    if (taken < len) {
        fe->want_writable = true;
    }
    if (chr->log_fd >= 0) {
        write_log(chr, buf, taken);
    }
    return taken;
}

bool chr_fe_pending(CharFrontend *fe)
{
    if (!fe->chr || !fe->chr->be_open || chardev_is_mux(fe->chr)) {
        return false;
    }
    chr_be_flush(fe->chr);
    return fe->chr->out->len > 0;
}

void chr_fe_write_all(CharFrontend *fe, const void *buf, size_t len)
{
    bool wanted = fe->want_writable;

    chr_fe_write(fe, buf, len);
    fe->want_writable = wanted;
}

void chr_fe_printf(CharFrontend *fe, const char *fmt, ...)
{
    va_list ap;
    char *s;

    va_start(ap, fmt);
    s = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    chr_fe_write_all(fe, s, strlen(s));
    g_free(s);
}

void chr_fe_accept_input(CharFrontend *fe)
{
    Chardev *chr = fe->chr;

    if (chr && chr->ops->fe_accept_input) {
        chr->ops->fe_accept_input(chr, fe);
    } else if (chr && chr->ops->accept_input) {
        chr->ops->accept_input(chr);
    }
}

void chr_fe_set_open(CharFrontend *fe, bool open)
{
    Chardev *chr = fe->chr;

    if (chr && chr->fe_open != open) {
        chr->fe_open = open;
        if (chr->ops->set_fe_open) {
            chr->ops->set_fe_open(chr, open);
        }
    }
}

void chr_fe_disconnect(CharFrontend *fe)
{
    if (fe->chr && fe->chr->ops->disconnect) {
        fe->chr->ops->disconnect(fe->chr);
    }
}

void chr_fe_take_focus(CharFrontend *fe)
{
    if (fe->chr && fe->chr->ops->take_focus) {
        fe->chr->ops->take_focus(fe->chr, fe);
    }
}

void chr_fe_set_serial_params(CharFrontend *fe, const ChrSerialParams *params)
{
    if (fe->chr && fe->chr->ops->set_serial_params) {
        fe->chr->ops->set_serial_params(fe->chr, params);
    }
}

void chr_fe_set_break(CharFrontend *fe, bool on)
{
    if (fe->chr && fe->chr->ops->set_break) {
        fe->chr->ops->set_break(fe->chr, on);
    }
}

int chr_fe_take_fd(CharFrontend *fe)
{
    return fe->chr && fe->chr->ops->take_fd ? fe->chr->ops->take_fd(fe->chr) : -1;
}
