/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mux: several front ends on one back end. All write, the one with the focus
 * reads. Ctrl-a and a letter (Ctrl-a h shows them) moves the focus and more.
 */
#include "util/osdep.h"
#include "chardev/char-int.h"
#include "util/timer.h"

#define PENDING_MAX     256     /* input kept for a front end that takes none now */

typedef struct MuxFrontend {
    CharFrontend *fe;           /* NULL: the place is free */
    uint8_t pending[PENDING_MAX];
    size_t n_pending;
} MuxFrontend;

typedef struct MuxChardev {
    Chardev parent;
    CharFrontend base;
    GPtrArray *fes;             /* of MuxFrontend *, owned; fe->mux_index is the place */
    int focus;                  /* -1: nobody */
    bool got_escape;
    bool timestamps, line_start;
    int64_t timestamps_from_ms;
} MuxChardev;

/* Set at start-up. */
static uint8_t escape_char = 0x01;
static void (*exit_hook)(void);

void chardev_set_exit_hook(void (*request_exit)(void))
{
    exit_hook = request_exit;
}

void chardev_set_mux_escape(int c)
{
    escape_char = c;
}

static MuxFrontend *mux_fe(MuxChardev *s, int i)
{
    return i >= 0 && (unsigned)i < s->fes->len ? g_ptr_array_index(s->fes, i) : NULL;
}

static void send_event(MuxChardev *s, int i, ChrEvent event)
{
    MuxFrontend *m = mux_fe(s, i);

    if (m && m->fe && m->fe->handlers && m->fe->handlers->event) {
        m->fe->handlers->event(m->fe->opaque, event);
    }
}

static size_t front_room(const CharFrontend *fe)
{
    if (!fe || !fe->handlers || !fe->handlers->receive) {
        return 0;
    }
    return fe->handlers->can_receive ? fe->handlers->can_receive(fe->opaque) : SIZE_MAX;
}

static void drain(MuxFrontend *m)
{
    while (m->n_pending) {
        size_t n = MIN(front_room(m->fe), m->n_pending);
        uint8_t buf[PENDING_MAX];

        if (!n) {
            return;
        }
        memcpy(buf, m->pending, n);
        m->n_pending -= n;
        memmove(m->pending, m->pending + n, m->n_pending);
        m->fe->handlers->receive(m->fe->opaque, buf, n);
    }
}

static void set_focus(MuxChardev *s, int i)
{
    if (s->focus == i) {
        return;
    }
    send_event(s, s->focus, CHR_EVENT_MUX_OUT);
    s->focus = i;
    send_event(s, i, CHR_EVENT_MUX_IN);
    chr_fe_accept_input(&s->base);
}

static void next_focus(MuxChardev *s)
{
    int n = s->fes->len;

    for (int k = 1; k <= n; k++) {
        int i = (s->focus + k) % n;
        MuxFrontend *m = mux_fe(s, i);

        if (m->fe && m->fe->handlers) {
            set_focus(s, i);
            return;
        }
    }
}

/* ---------------------------------------------------------------- keys */

static void key_help(MuxChardev *s)
{
    char name[16];

    if (escape_char >= 1 && escape_char <= 26) {
        snprintf(name, sizeof(name), "C-%c", 'a' + escape_char - 1);
    } else {
        snprintf(name, sizeof(name), "0x%02x", escape_char);
    }
    chr_fe_printf(&s->base,
                  "\r\n%s h    print this help\r\n"
                  "%s x    exit emulator\r\n"
                  "%s b    send break (magic sysrq)\r\n"
                  "%s c    switch between console and monitor\r\n"
                  "%s t    toggle console timestamps\r\n"
                  "%s %s  sends %s\r\n", name, name, name, name, name, name, name, name);
}

/* True if @c is input for the front end with the focus. */
static bool handle_key(MuxChardev *s, uint8_t c)
{
    if (!s->got_escape) {
        s->got_escape = c == escape_char;
        return !s->got_escape;
    }
    s->got_escape = false;
    if (c == escape_char) {
        return true;
    }
    switch (c) {
    case 'h':
    case '?':
        key_help(s);
        break;
    case 'x':
        chr_fe_printf(&s->base, "QEMU: Terminated\r\n");
        if (exit_hook) {
            exit_hook();
        }
        break;
    case 'b':
        send_event(s, s->focus, CHR_EVENT_BREAK);
        break;
    case 'c':
        next_focus(s);
        break;
    case 't':
        s->timestamps = !s->timestamps;
        s->timestamps_from_ms = clock_get_ms(CLOCK_RT);
        s->line_start = false;
        break;
    default:
        break;
    }
    return false;
}

/* ----------------------------------------- the back end's side of the mux */

static size_t base_can_receive(void *opaque)
{
    MuxChardev *s = opaque;
    MuxFrontend *m = mux_fe(s, s->focus);

    /* Even when nobody reads, the escape keys must work. */
    return m ? PENDING_MAX - m->n_pending : PENDING_MAX;
}

static void base_receive(void *opaque, const uint8_t *buf, size_t len)
{
    MuxChardev *s = opaque;

    for (size_t i = 0; i < len; i++) {
        MuxFrontend *m;

        if (s->got_escape && mux_fe(s, s->focus)) {
            drain(mux_fe(s, s->focus));         /* typed before the focus may move */
        }
        if (!handle_key(s, buf[i])) {
            continue;
        }
        m = mux_fe(s, s->focus);
        if (m && m->fe && m->n_pending < PENDING_MAX) {
            m->pending[m->n_pending++] = buf[i];
        }
    }
    if (mux_fe(s, s->focus)) {
        drain(mux_fe(s, s->focus));
    }
}

static void base_event(void *opaque, ChrEvent event)
{
    MuxChardev *s = opaque;

    if (event == CHR_EVENT_OPENED || event == CHR_EVENT_CLOSED) {
        s->parent.be_open = event == CHR_EVENT_OPENED;
        for (unsigned i = 0; i < s->fes->len; i++) {
            send_event(s, i, event);
        }
    } else {
        send_event(s, s->focus, event);
    }
}

static void base_writable(void *opaque)
{
    MuxChardev *s = opaque;

    for (unsigned i = 0; i < s->fes->len; i++) {
        CharFrontend *fe = mux_fe(s, i)->fe;

        if (fe && fe->want_writable) {
            fe->want_writable = false;
            if (fe->handlers && fe->handlers->writable) {
                fe->handlers->writable(fe->opaque);
            }
        }
    }
}

static const ChrHandlers base_handlers = {
    .can_receive = base_can_receive, .receive = base_receive, .event = base_event,
    .writable = base_writable,
};

/* ---------------------------------------- the front ends' side of the mux */

static bool mux_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    MuxChardev *s = (MuxChardev *)chr;
    const char *id = backend->u.mux.data->chardev;
    Chardev *base = chardev_find(id);

    s->focus = -1;
    s->fes = g_ptr_array_new_with_free_func(g_free);
    if (!base) {
        error_setf(errp, ERR_NO_SUCH_DEVICE, "mux: base chardev %s not found", id);
        return false;
    }
    if (!chr_fe_init(&s->base, base, errp)) {
        return false;
    }
    chr->filename = g_strdup("mux");
    chr_fe_set_handlers(&s->base, &base_handlers, s);
    return true;
}

static void mux_close(Chardev *chr)
{
    MuxChardev *s = (MuxChardev *)chr;

    for (unsigned i = 0; i < s->fes->len; i++) {
        if (mux_fe(s, i)->fe) {
            mux_fe(s, i)->fe->chr = NULL;
        }
    }
    chr_fe_deinit(&s->base);
    g_ptr_array_unref(s->fes);
}

static ssize_t mux_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    MuxChardev *s = (MuxChardev *)chr;
    size_t done = 0;

    if (!s->timestamps) {
        return chr_fe_write(&s->base, buf, len);
    }
    while (done < len) {
        const uint8_t *nl = memchr(buf + done, '\n', len - done);
        size_t n = nl ? (size_t)(nl - buf) + 1 - done : len - done, w;

        if (s->line_start) {
            int64_t ms = clock_get_ms(CLOCK_RT) - s->timestamps_from_ms;

            chr_fe_printf(&s->base, "[%02d:%02d:%02d.%03d] ", (int)(ms / 3600000),
                          (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
            s->line_start = false;
        }
        w = chr_fe_write(&s->base, buf + done, n);
        done += w;
        if (w < n) {
            break;
        }
        s->line_start = nl != NULL;
    }
    return done;
}

static bool mux_attach(Chardev *chr, CharFrontend *fe, Error **errp)
{
    MuxChardev *s = (MuxChardev *)chr;
    MuxFrontend *new;

    (void)errp;
    for (unsigned i = 0; i < s->fes->len; i++) {
        if (!mux_fe(s, i)->fe) {
            mux_fe(s, i)->fe = fe;
            fe->mux_index = i;
            return true;
        }
    }
    fe->mux_index = s->fes->len;
    new = g_new0(MuxFrontend, 1);
    new->fe = fe;
    g_ptr_array_add(s->fes, new);
    return true;
}

static void mux_detach(Chardev *chr, CharFrontend *fe)
{
    MuxChardev *s = (MuxChardev *)chr;
    MuxFrontend *m = mux_fe(s, fe->mux_index);

    m->fe = NULL;
    m->n_pending = 0;
    if (s->focus == (int)fe->mux_index) {
        s->focus = -1;
        next_focus(s);
    }
}

static void mux_handlers_set(Chardev *chr, CharFrontend *fe)
{
    MuxChardev *s = (MuxChardev *)chr;

    if (!fe->handlers) {
        if (s->focus == (int)fe->mux_index) {
            next_focus(s);
        }
        return;
    }
    if (chr->be_open) {
        send_event(s, fe->mux_index, CHR_EVENT_OPENED);
    }
    set_focus(s, fe->mux_index);
}

static void mux_take_focus(Chardev *chr, CharFrontend *fe)
{
    set_focus((MuxChardev *)chr, fe->mux_index);
}

static void mux_accept_input(Chardev *chr, CharFrontend *fe)
{
    MuxChardev *s = (MuxChardev *)chr;

    drain(mux_fe(s, fe->mux_index));
    if (s->focus == (int)fe->mux_index) {
        chr_fe_accept_input(&s->base);
    }
}

static bool mux_busy(const Chardev *chr)
{
    MuxChardev *s = (MuxChardev *)chr;

    for (unsigned i = 0; i < s->fes->len; i++) {
        if (mux_fe(s, i)->fe) {
            return true;
        }
    }
    return false;
}

static void mux_set_serial_params(Chardev *chr, const ChrSerialParams *params)
{
    chr_fe_set_serial_params(&((MuxChardev *)chr)->base, params);
}

static void mux_set_break(Chardev *chr, bool on)
{
    chr_fe_set_break(&((MuxChardev *)chr)->base, on);
}

const ChardevOps chr_mux_ops = {
    .kind = CHARDEV_BACKEND_KIND_MUX, .args = "chardev=ID",
    .size = sizeof(MuxChardev), .open = mux_open, .close = mux_close, .write = mux_write,
    .set_serial_params = mux_set_serial_params, .set_break = mux_set_break,
    .attach = mux_attach, .detach = mux_detach, .handlers_set = mux_handlers_set,
    .take_focus = mux_take_focus, .fe_accept_input = mux_accept_input, .busy = mux_busy,
};
