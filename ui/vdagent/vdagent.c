/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The character device "qemu-vdagent": our end of the channel to the agent that SPICE guests run
 * (spice-vdagentd on the virtio port com.redhat.spice.0). It shares the clipboard
 * (ui/core/clipboard.h) and takes the pointer's places, so that a guest needs no tablet.
 *
 * Source: spice-protocol, spice/vd_agent.h: chunks of up to 2048 bytes carry messages, all little
 * endian. (spice-vdagentd sends a whole message in one chunk.) Not done: monitors' configuration, files, volume, the selections besides CLIPBOARD.
 */
#include "util/osdep.h"
#include "chardev/char-int.h"
#include "ui/core/clipboard.h"
#include "ui/core/console.h"
#include "ui/core/input.h"
#include "util/bswap.h"
#include "util/timer.h"
#include "vmstate/vmstate.h"

enum { PORT_CLIENT = 1, PORT_SERVER = 2, PROTOCOL = 1 };
enum {
    MSG_MOUSE_STATE = 1, MSG_CLIPBOARD = 4, MSG_CAPABILITIES = 6, MSG_GRAB = 7, MSG_REQUEST = 8,
    MSG_RELEASE = 9,
};
enum { CAP_MOUSE_STATE = BIT(0), CAP_BY_DEMAND = BIT(5), CAP_SELECTION = BIT(6) };
enum { TYPE_NONE = 0, TYPE_UTF8 = 1, TYPE_PNG = 2, TYPE_BMP = 3 };
/* Of our own agent (guest/clipboard): the protocol has no numbers for these. */
#define CAP_RICH_TEXT   BIT(31)
enum { TYPE_HTML = 0x68746d6c, TYPE_RTF = 0x72746620 };
enum { SELECTION_CLIPBOARD = 0 };

#define CHUNK_HEAD      8
#define CHUNK_MAX       2048
#define MSG_HEAD        20
#define MSG_MAX         (CLIPBOARD_MAX + 64)
#define POINTER_WAIT_MAX (64 * 1024)
#define OUT_MAX         (CLIPBOARD_MAX + 1024 * 1024)

typedef struct VdAgent {
    Chardev parent;
    bool mouse, clipboard;
    /* From the guest. */
    uint8_t head[CHUNK_HEAD];
    uint32_t head_n;
    uint32_t chunk_left;
    GByteArray *msg;            /* MSG_HEAD and what has come of its data */
    bool is_open;               /* for the saved state */
    bool broken;                /* it doesn't speak the protocol: until it opens again */
    uint32_t caps;              /* of the agent; 0: it hasn't said */
    /* To the guest. */
    GByteArray *wire;
    uint32_t wire_at;
    ClipPeer peer;
    bool is_peer;
    InputHandler input;
    bool has_input;
    unsigned x, y;
    uint32_t buttons;
    bool moved;
    /* Loaded, but the guest doesn't run yet: its devices may not have been. */
    bool loaded;
    Timer resume;
    char *section;              /* the saved state's name */
} VdAgent;

/* --- to the guest --- */

static void push(VdAgent *v)
{
    while (!v->loaded && v->wire_at < v->wire->len) {
        size_t room = chr_be_can_receive(&v->parent), n = MIN(room, v->wire->len - v->wire_at);

        if (!n) {
            return;
        }
        v->wire_at += n;
        chr_be_receive(&v->parent, v->wire->data + v->wire_at - n, n);
    }
    if (v->loaded) {
        return;
    }
    g_byte_array_set_size(v->wire, 0);
    v->wire_at = 0;
}

/* False: too much waits already; the agent doesn't read. */
static bool send_message(VdAgent *v, uint32_t type, const void *a, size_t a_len, const void *b,
                         size_t b_len)
{
    size_t total = MSG_HEAD + a_len + b_len;
    GByteArray *m;

    if (v->wire->len - v->wire_at + total > OUT_MAX) {
        return false;
    }
    m = g_byte_array_sized_new(total);
    g_byte_array_set_size(m, MSG_HEAD);
    memset(m->data, 0, MSG_HEAD);
    store_le32(m->data, PROTOCOL);
    store_le32(m->data + 4, type);
    store_le32(m->data + 16, a_len + b_len);
    g_byte_array_append(m, a, a_len);
    if (b_len) {
        g_byte_array_append(m, b, b_len);
    }
    for (size_t at = 0; at < total; at += CHUNK_MAX) {
        size_t n = MIN(total - at, CHUNK_MAX);
        uint8_t head[CHUNK_HEAD];

        store_le32(head, PORT_CLIENT);
        store_le32(head + 4, n);
        g_byte_array_append(v->wire, head, CHUNK_HEAD);
        g_byte_array_append(v->wire, m->data + at, n);
    }
    g_byte_array_unref(m);
    push(v);
    return true;
}

/* With the selection in front, if the agent knows that. */
static void send_clip(VdAgent *v, uint32_t type, const uint32_t *words, unsigned n,
                      const void *data, size_t len)
{
    uint8_t b[4 + 4 * 8] = { SELECTION_CLIPBOARD };
    unsigned at = v->caps & CAP_SELECTION ? 4 : 0;

    for (unsigned i = 0; i < n; i++) {
        store_le32(b + at, words[i]);
        at += 4;
    }
    send_message(v, type, b, at, data, len);
}

static void send_capabilities(VdAgent *v, bool request)
{
    uint8_t b[8];

    store_le32(b, request);
    store_le32(b + 4, (v->mouse ? CAP_MOUSE_STATE : 0) |
                      (v->clipboard ? CAP_BY_DEMAND | CAP_SELECTION | CAP_RICH_TEXT : 0));
    send_message(v, MSG_CAPABILITIES, b, 8, NULL, 0);
}

/* --- clipboard --- */

static const struct {
    uint32_t type;
    ClipFormat format;
    uint32_t needs;             /* what the agent must be able to */
} types[] = {
    { TYPE_UTF8, CLIP_TEXT, 0 }, { TYPE_PNG, CLIP_PNG, 0 }, { TYPE_BMP, CLIP_BMP, 0 },
    { TYPE_HTML, CLIP_HTML, CAP_RICH_TEXT }, { TYPE_RTF, CLIP_RTF, CAP_RICH_TEXT },
};

static int format_of(uint32_t type)
{
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        if (types[i].type == type) {
            return types[i].format;
        }
    }
    return -1;
}

static uint32_t type_of(ClipFormat f)
{
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        if (types[i].format == f) {
            return types[i].type;
        }
    }
    return TYPE_NONE;
}

static void clip_changed(ClipPeer *p, unsigned formats)
{
    VdAgent *v = container_of(p, VdAgent, peer);
    uint32_t list[ARRAY_SIZE(types)];
    unsigned n = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        if (formats & BIT(types[i].format) && !(types[i].needs & ~v->caps)) {
            list[n++] = types[i].type;
        }
    }
    send_clip(v, n ? MSG_GRAB : MSG_RELEASE, list, n, NULL, 0);
}

static void give(VdAgent *v, ClipFormat f)
{
    GBytes *data = clipboard_data(f);
    uint32_t type = data ? type_of(f) : TYPE_NONE;
    gsize len = 0;
    const void *p = data ? g_bytes_get_data(data, &len) : NULL;

    send_clip(v, MSG_CLIPBOARD, &type, 1, p, len);
}

static void clip_arrived(ClipPeer *p, ClipFormat f)
{
    give(container_of(p, VdAgent, peer), f);
}

static void clip_wanted(ClipPeer *p, ClipFormat f)
{
    VdAgent *v = container_of(p, VdAgent, peer);
    uint32_t type = type_of(f);

    if (type) {
        send_clip(v, MSG_REQUEST, &type, 1, NULL, 0);
    }
}

static void join_clipboard(VdAgent *v)
{
    if (v->clipboard && !v->is_peer && v->caps & CAP_BY_DEMAND) {
        v->is_peer = true;
        v->peer = (ClipPeer){ .name = "vdagent", .changed = clip_changed, .arrived = clip_arrived,
                              .wanted = clip_wanted };
        clipboard_add(&v->peer);
    }
}

static void leave_clipboard(VdAgent *v)
{
    if (v->is_peer) {
        v->is_peer = false;
        clipboard_remove(&v->peer);
    }
}

/* --- pointer --- */

static void send_pointer(VdAgent *v)
{
    Console *con = console_by_index(0);
    uint8_t b[13] = { 0 };

    v->moved = false;
    store_le32(b, con ? v->x * (unsigned)(console_width(con) - 1) / INPUT_ABS_MAX : v->x);
    store_le32(b + 4, con ? v->y * (unsigned)(console_height(con) - 1) / INPUT_ABS_MAX : v->y);
    store_le32(b + 8, v->buttons);
    send_message(v, MSG_MOUSE_STATE, b, sizeof(b), NULL, 0);
}

/* A place that hasn't been taken is worth nothing when the next one is known. */
static void flush_pointer(void *opaque)
{
    VdAgent *v = opaque;

    if (v->moved && !v->wire->len) {
        send_pointer(v);
    }
}

static void pointer_abs(void *opaque, int x, int y)
{
    VdAgent *v = opaque;

    v->x = x;
    v->y = y;
    v->moved = true;
}

static void pointer_button(void *opaque, InputButton button, bool down)
{
    static const uint8_t masks[] = {
        [INPUT_BUTTON_LEFT] = BIT(1), [INPUT_BUTTON_MIDDLE] = BIT(2), [INPUT_BUTTON_RIGHT] = BIT(3),
        [INPUT_BUTTON_WHEEL_UP] = BIT(4), [INPUT_BUTTON_WHEEL_DOWN] = BIT(5),
        [INPUT_BUTTON_SIDE] = BIT(6), [INPUT_BUTTON_EXTRA] = BIT(7),
    };
    VdAgent *v = opaque;

    if ((unsigned)button < ARRAY_SIZE(masks) && masks[button]) {
        v->buttons = down ? v->buttons | masks[button] : v->buttons & ~(unsigned)masks[button];
        if (v->wire->len - v->wire_at < POINTER_WAIT_MAX) {     /* each one must be seen */
            send_pointer(v);
        }
    }
}

static void join_input(VdAgent *v)
{
    if (v->mouse && !v->has_input && v->caps & CAP_MOUSE_STATE) {
        v->has_input = true;
        v->input = (InputHandler){ .name = "vdagent mouse", .absolute = true, .abs = pointer_abs,
                                   .button = pointer_button, .sync = flush_pointer, .opaque = v };
        input_add(&v->input);
    }
}

static void leave_input(VdAgent *v)
{
    if (v->has_input) {
        v->has_input = false;
        input_remove(&v->input);
    }
}

/* --- from the guest --- */

static void grab(VdAgent *v, const uint8_t *p, size_t len)
{
    unsigned formats = 0;

    for (; len >= 4; p += 4, len -= 4) {
        int f = format_of(load_le32(p));

        formats |= f >= 0 ? BIT(f) : 0;
    }
    clipboard_claim(&v->peer, formats);
}

static void clipboard_message(VdAgent *v, uint32_t type, const uint8_t *p, size_t len)
{
    int f;

    if (!v->is_peer) {
        return;
    }
    if (v->caps & CAP_SELECTION) {
        if (len < 4 || p[0] != SELECTION_CLIPBOARD) {
            return;
        }
        p += 4;
        len -= 4;
    }
    switch (type) {
    case MSG_GRAB:
        grab(v, p, len);
        break;
    case MSG_RELEASE:
        if (clipboard_owner() == &v->peer) {
            clipboard_claim(&v->peer, 0);
        }
        break;
    case MSG_REQUEST:
        f = len >= 4 ? format_of(load_le32(p)) : -1;
        if (f < 0 || !(clipboard_formats() & BIT(f)) || clipboard_owner() == &v->peer) {
            uint32_t none = TYPE_NONE;

            send_clip(v, MSG_CLIPBOARD, &none, 1, NULL, 0);
        } else if (clipboard_data(f)) {
            give(v, f);
        } else {
            clipboard_want(f);
        }
        break;
    case MSG_CLIPBOARD:
        f = len >= 4 ? format_of(load_le32(p)) : -1;
        if (f >= 0 && (f != CLIP_TEXT || g_utf8_validate((const char *)p + 4, len - 4, NULL))) {
            clipboard_provide(&v->peer, f, p + 4, len - 4);
        }
        break;
    default:
        break;
    }
}

static void message(VdAgent *v, uint32_t type, const uint8_t *p, size_t len)
{
    switch (type) {
    case MSG_CAPABILITIES:
        if (len < 8) {
            return;
        }
        v->caps = load_le32(p + 4);
        if (load_le32(p)) {
            send_capabilities(v, false);
        }
        join_clipboard(v);
        join_input(v);
        break;
    case MSG_CLIPBOARD:
    case MSG_GRAB:
    case MSG_REQUEST:
    case MSG_RELEASE:
        clipboard_message(v, type, p, len);
        break;
    default:
        break;
    }
}

/* Data of chunks; messages may be in one or in many. */
static bool take_data(VdAgent *v, const uint8_t *p, size_t len)
{
    while (len) {
        size_t have = v->msg->len, want = MSG_HEAD, n;

        if (have >= MSG_HEAD) {
            want += load_le32(v->msg->data + 16);
        }
        n = MIN(len, want - have);
        g_byte_array_append(v->msg, p, n);
        p += n;
        len -= n;
        if (v->msg->len >= MSG_HEAD) {
            uint32_t size = load_le32(v->msg->data + 16);

            if (load_le32(v->msg->data) != PROTOCOL || size > MSG_MAX) {
                return false;
            }
            if (v->msg->len == MSG_HEAD + size) {
                message(v, load_le32(v->msg->data + 4), v->msg->data + MSG_HEAD, size);
                g_byte_array_set_size(v->msg, 0);
            }
        }
    }
    return true;
}

static ssize_t vdagent_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    VdAgent *v = (VdAgent *)chr;

    for (size_t at = 0; at < len && !v->broken; ) {
        size_t n;

        if (!v->chunk_left) {
            v->head[v->head_n++] = buf[at++];
            if (v->head_n == CHUNK_HEAD) {
                v->head_n = 0;
                v->chunk_left = load_le32(v->head + 4);
                v->broken = v->chunk_left > MSG_HEAD + MSG_MAX || load_le32(v->head) - PORT_CLIENT > 1;
            }
            continue;
        }
        n = MIN(len - at, v->chunk_left);
        v->chunk_left -= n;
        v->broken = !take_data(v, buf + at, n);
        at += n;
    }
    return len;
}

/* --- life --- */

static void accept_input(Chardev *chr)
{
    push((VdAgent *)chr);
    flush_pointer(chr);
}


static void forget(VdAgent *v)
{
    leave_clipboard(v);
    leave_input(v);
    v->head_n = v->chunk_left = v->caps = 0;
    v->broken = v->moved = v->loaded = false;
    v->buttons = 0;
    g_byte_array_set_size(v->msg, 0);
    g_byte_array_set_size(v->wire, 0);
    v->wire_at = 0;
}

/* The guest's end of the port was opened (an agent starts) or closed. */
static void set_fe_open(Chardev *chr, bool open)
{
    VdAgent *v = (VdAgent *)chr;

    forget(v);
    if (open) {
        send_capabilities(v, true);
    }
}

/* --- saved state: guest and host are in the middle of messages --- */

static void resume(void *opaque)
{
    VdAgent *v = opaque;

    v->loaded = false;
    join_clipboard(v);
    join_input(v);
    push(v);
}

static void gather(void *opaque)
{
    VdAgent *v = opaque;

    v->is_open = v->parent.fe_open;
}

static bool post_load(void *opaque, Error **errp)
{
    VdAgent *v = opaque;
    uint32_t size = v->msg->len >= MSG_HEAD ? load_le32(v->msg->data + 16) : MSG_MAX;

    if (v->wire_at > v->wire->len || size > MSG_MAX || v->msg->len > MSG_HEAD + size) {
        error_setf(errp, ERR_STATE_INVALID, "the agent's messages are in a state that can't be");
        return false;
    }
    leave_clipboard(v);
    leave_input(v);
    v->parent.fe_open = v->is_open;
    v->loaded = true;
    timer_mod_ns(&v->resume, clock_get_ns(CLOCK_VIRTUAL));
    return true;
}

static const VmField fields[] = {
    VM_BOOL(VdAgent, is_open), VM_BUFFER(VdAgent, head), VM_U32_RANGE(VdAgent, head_n, 0, CHUNK_HEAD - 1),
    VM_U32_RANGE(VdAgent, chunk_left, 0, MSG_HEAD + MSG_MAX), VM_BYTES(VdAgent, msg, MSG_HEAD + MSG_MAX),
    VM_BOOL(VdAgent, broken), VM_U32(VdAgent, caps), VM_BYTES(VdAgent, wire, 2 * (uint64_t)OUT_MAX),
    VM_U32(VdAgent, wire_at), VM_U32(VdAgent, buttons), VM_END
};

static const VmState vm = {
    .version = 1, .fields = fields, .gather = gather, .post_load = post_load,
    .meanings = MEANINGS({ "is_open", "the guest's agent has opened the port" },
                         { "head", "of a chunk", .payload = "bytes from the guest" }, { "head_n", "how many have come" },
                         { "chunk_left", "bytes of the chunk that are still to come" },
                         { "msg", .payload = "a message of the guest, as much as has come" },
                         { "broken", "it doesn't speak the protocol" }, { "caps", "what the agent can do" },
                         { "wire", .payload = "messages for the guest" }, { "wire_at", "how much of them it has got" },
                         { "buttons", "of the pointer, as the agent was told" }),
};

static bool vdagent_open(Chardev *chr, const ChardevBackend *backend, UNUSED Error **errp)
{
    const ChardevQemuVDAgent *o = backend->u.qemu_vdagent.data;
    VdAgent *v = (VdAgent *)chr;

    v->mouse = !o->has_mouse || o->mouse;
    v->clipboard = o->has_clipboard && o->clipboard;
    v->msg = g_byte_array_new();
    v->wire = g_byte_array_new();
    timer_init_ns(&v->resume, CLOCK_VIRTUAL, resume, v);
    v->section = g_strdup_printf("vdagent/%s", chr->id ? chr->id : "");
    vm_register(v->section, &vm, v);
    chr->filename = g_strdup("qemu-vdagent");
    chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static void vdagent_close(Chardev *chr)
{
    VdAgent *v = (VdAgent *)chr;

    forget(v);
    timer_del(&v->resume);
    vm_unregister(&vm, v);
    g_free(v->section);
    g_byte_array_unref(v->msg);
    g_byte_array_unref(v->wire);
}

static const ChardevOps vdagent_ops = {
    .kind = CHARDEV_BACKEND_KIND_QEMU_VDAGENT, .args = "[,mouse=on|off][,clipboard=on|off]",
    .size = sizeof(VdAgent), .open = vdagent_open, .close = vdagent_close, .write = vdagent_write,
    .accept_input = accept_input, .set_fe_open = set_fe_open,
};

CONSTRUCTOR static void vdagent_register(void)
{
    chardev_register(&vdagent_ops);
}
