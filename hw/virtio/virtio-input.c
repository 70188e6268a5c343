/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio input devices: V 5.8. Keyboard, mouse and tablet; events carry the numbers of Linux's
 * include/uapi/linux/input-event-codes.h. Modern drivers only.
 */
#include "util/osdep.h"
#include "hw/virtio/virtio-pci.h"
#include "ui/core/input.h"

#include <glib.h>
#include "util/bswap.h"
#include "util/iov.h"

enum { VQ_EVENT, VQ_STATUS };

/* V 5.8.2: the configuration is a window; select and subsel choose what is in it. */
enum { CFG_SELECT = 0, CFG_SUBSEL = 1, CFG_SIZE = 2, CFG_DATA = 8, CFG_LEN = 136 };
enum { SEL_NAME = 0x01, SEL_SERIAL = 0x02, SEL_DEVIDS = 0x03, SEL_EV_BITS = 0x11,
       SEL_ABS_INFO = 0x12 };

enum { EV_SYN = 0, EV_KEY = 1, EV_REL = 2, EV_ABS = 3, EV_LED = 0x11, EV_REP = 0x14 };
enum { REL_X = 0, REL_Y = 1, REL_WHEEL = 8, ABS_X = 0, ABS_Y = 1 };
enum { BTN_LEFT = 0x110, BTN_RIGHT = 0x111, BTN_MIDDLE = 0x112, BTN_SIDE = 0x113,
       BTN_EXTRA = 0x114, BTN_GEAR_DOWN = 0x150, BTN_GEAR_UP = 0x151 };
#define EVENT_BYTES     8
#define QUEUE_EVENTS    64      /* of a group, before its SYN */
#define KEY_MOST        0x7f

typedef struct GuestEvent { uint16_t type, code; uint32_t value; } GuestEvent;

/* What a kind of device is. */
typedef struct InputKind {
    const char *name;
    uint16_t product;
    bool keyboard, absolute;
    bool leds;
} InputKind;

typedef struct VirtioInput {
    VirtIODevice v;
    const InputKind *kind;
    InputHandler handler;
    char *serial;
    uint8_t select, subsel;
    uint32_t num;               /* events of the group that is being collected */
    GuestEvent group[QUEUE_EVENTS];
} VirtioInput;
DEFINE_CAST(VIRTIO_INPUT, VirtioInput, "virtio-input-device")

/* --- events --- */

static void add_event(VirtioInput *s, uint16_t type, uint16_t code, uint32_t value)
{
    if (s->num < QUEUE_EVENTS) {
        s->group[s->num++] = (GuestEvent){ type, code, value };
    }
}

/* A whole group or nothing: the driver would never see its end. */
static void send_group(VirtioInput *s)
{
    VirtQueue *vq = virtio_queue(&s->v, VQ_EVENT);
    VirtqElem *e[QUEUE_EVENTS];
    uint32_t n = 0, num = s->num;

    s->num = 0;
    if (!virtio_is_live(&s->v) || !runstate_is_running()) {
        return;
    }
    while (n < num && (e[n] = virtq_pop(vq, sizeof(*e[n])))) {
        n++;
    }
    if (n < num) {
        while (n) {
            virtq_unpop(vq, e[--n]);
            g_free(e[n]);
        }
        return;
    }
    for (n = 0; n < num; n++) {
        uint8_t b[EVENT_BYTES];

        store_le16(b, s->group[n].type);
        store_le16(b + 2, s->group[n].code);
        store_le32(b + 4, s->group[n].value);
        virtq_push(vq, e[n], iov_from_buf(e[n]->in, e[n]->in_num, 0, b, EVENT_BYTES));
        g_free(e[n]);
    }
    virtq_notify(vq);
}

static void on_sync(void *opaque)
{
    VirtioInput *s = opaque;

    if (s->num) {
        add_event(s, EV_SYN, 0, 0);
        send_group(s);
    }
}

/* Linux's numbers are scan code set 1 up to F12, with the keys behind E0 further up. */
static uint16_t key_code(unsigned number)
{
    static const struct { uint8_t scan, key; } extended[] = {
        { 0x1c, 96 }, { 0x1d, 97 }, { 0x35, 98 }, { 0x37, 99 }, { 0x38, 100 }, { 0x47, 102 },
        { 0x48, 103 }, { 0x49, 104 }, { 0x4b, 105 }, { 0x4d, 106 }, { 0x4f, 107 }, { 0x50, 108 },
        { 0x51, 109 }, { 0x52, 110 }, { 0x53, 111 }, { 0x20, 113 }, { 0x2e, 114 }, { 0x30, 115 },
        { 0x5e, 116 }, { 0x46, 119 }, { 0x5b, 125 }, { 0x5c, 126 }, { 0x5d, 127 }, { 0x5f, 142 },
        { 0x63, 143 }, { 0x10, 165 }, { 0x19, 163 }, { 0x22, 164 }, { 0x24, 166 }, { 0x21, 140 },
    };
    unsigned scan = number & 0x7f;

    if (!(number & 0x80)) {
        switch (scan) {
        case 0x73: return 89;           /* RO */
        case 0x70: return 93;           /* katakana/hiragana */
        case 0x79: return 92;           /* henkan */
        case 0x7b: return 94;           /* muhenkan */
        case 0x7d: return 124;          /* yen */
        case 0x7e: return 121;          /* keypad comma */
        default: return scan;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(extended); i++) {
        if (extended[i].scan == scan) {
            return extended[i].key;
        }
    }
    return 0;
}

static void on_key(void *opaque, unsigned number, bool down)
{
    uint16_t code = key_code(number);

    if (code) {
        add_event(opaque, EV_KEY, code, down);
        on_sync(opaque);                /* groups are of pointers only */
    }
}

static void on_rel(void *opaque, int dx, int dy)
{
    if (dx) {
        add_event(opaque, EV_REL, REL_X, dx);
    }
    if (dy) {
        add_event(opaque, EV_REL, REL_Y, dy);
    }
}

static void on_abs(void *opaque, int x, int y)
{
    add_event(opaque, EV_ABS, ABS_X, x);
    add_event(opaque, EV_ABS, ABS_Y, y);
}

static void on_button(void *opaque, InputButton button, bool down)
{
    static const uint16_t codes[INPUT_BUTTON__MAX] = {
        [INPUT_BUTTON_LEFT] = BTN_LEFT, [INPUT_BUTTON_MIDDLE] = BTN_MIDDLE,
        [INPUT_BUTTON_RIGHT] = BTN_RIGHT, [INPUT_BUTTON_SIDE] = BTN_SIDE,
        [INPUT_BUTTON_EXTRA] = BTN_EXTRA,
    };

    if (button == INPUT_BUTTON_WHEEL_UP || button == INPUT_BUTTON_WHEEL_DOWN) {
        if (down) {
            add_event(opaque, EV_REL, REL_WHEEL, button == INPUT_BUTTON_WHEEL_UP ? 1 : -1);
        }
    } else if (codes[button]) {
        add_event(opaque, EV_KEY, codes[button], down);
    }
}

/* What the driver has to say (LEDs) changes nothing here. */
static void serve_status(UNUSED VirtIODevice *v, VirtQueue *vq)
{
    VirtqElem *e;

    while ((e = virtq_pop(vq, sizeof(*e)))) {
        virtq_push(vq, e, 0);
        g_free(e);
    }
    virtq_notify(vq);
}

static void serve_events(UNUSED VirtIODevice *v, UNUSED VirtQueue *vq)
{
}

/* --- configuration --- */

static void set_bits(uint8_t *c, const uint16_t *codes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        c[CFG_DATA + codes[i] / 8] |= 1u << (codes[i] % 8);
        c[CFG_SIZE] = MAX(c[CFG_SIZE], codes[i] / 8 + 1);
    }
}

static void event_bits(const VirtioInput *s, uint8_t *c)
{
    static const uint16_t buttons[] = { BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA };
    static const uint16_t moves[] = { REL_X, REL_Y, REL_WHEEL }, wheel[] = { REL_WHEEL };
    static const uint16_t places[] = { ABS_X, ABS_Y }, leds[] = { 0, 1, 2 };

    switch (s->subsel) {
    case EV_KEY:
        if (!s->kind->keyboard) {
            set_bits(c, buttons, ARRAY_SIZE(buttons));
            return;
        }
        for (unsigned n = 1; n < 256; n++) {
            uint16_t code = key_code(n);

            if (code) {
                set_bits(c, &code, 1);
            }
        }
        break;
    case EV_REL:
        if (!s->kind->keyboard) {
            set_bits(c, s->kind->absolute ? wheel : moves, s->kind->absolute ? 1 : 3);
        }
        break;
    case EV_ABS:
        if (s->kind->absolute) {
            set_bits(c, places, 2);
        }
        break;
    case EV_LED:
        if (s->kind->leds) {
            set_bits(c, leds, 3);
        }
        break;
    case EV_REP:
        c[CFG_SIZE] = s->kind->keyboard;
        break;
    }
}

static void put_text(uint8_t *c, const char *text)
{
    size_t n = MIN(strlen(text), 127);

    memcpy(c + CFG_DATA, text, n);
    c[CFG_SIZE] = n;
}

static void input_get_config(VirtIODevice *v, uint8_t *c)
{
    VirtioInput *s = VIRTIO_INPUT(v);

    c[CFG_SELECT] = s->select;
    c[CFG_SUBSEL] = s->subsel;
    switch (s->select) {
    case SEL_NAME:
        put_text(c, s->kind->name);
        break;
    case SEL_SERIAL:
        put_text(c, s->serial ? s->serial : "");
        break;
    case SEL_DEVIDS:
        store_le16(c + CFG_DATA, 6);            /* BUS_VIRTUAL */
        store_le16(c + CFG_DATA + 2, 0x0627);
        store_le16(c + CFG_DATA + 4, s->kind->product);
        store_le16(c + CFG_DATA + 6, 2);
        c[CFG_SIZE] = 8;
        break;
    case SEL_EV_BITS:
        event_bits(s, c);
        break;
    case SEL_ABS_INFO:
        if (s->kind->absolute && s->subsel <= ABS_Y) {
            store_le32(c + CFG_DATA + 4, INPUT_ABS_MAX);
            c[CFG_SIZE] = 20;
        }
        break;
    }
}

static void input_set_config(VirtIODevice *v, const uint8_t *c, UNUSED unsigned offset,
                             UNUSED unsigned len)
{
    VIRTIO_INPUT(v)->select = c[CFG_SELECT];
    VIRTIO_INPUT(v)->subsel = c[CFG_SUBSEL];
}

/* --- life --- */

static void input_reset(VirtIODevice *v)
{
    VirtioInput *s = VIRTIO_INPUT(v);

    s->select = s->subsel = 0;
    s->num = 0;
    input_deactivate(&s->handler);
}

static void input_status_changed(VirtIODevice *v, uint8_t old)
{
    if (v->status & ~old & VIRTIO_S_DRIVER_OK) {
        input_activate(&VIRTIO_INPUT(v)->handler);
    }
}

static const InputKind keyboard = { "QEMU Virtio Keyboard", 1, .keyboard = true, .leds = true };
static const InputKind mouse = { "QEMU Virtio Mouse", 2 };
static const InputKind tablet = { "QEMU Virtio Tablet", 3, .absolute = true };

static bool input_realize(Device *dev, UNUSED Error **errp)
{
    VirtioInput *s = VIRTIO_INPUT(dev);

    s->kind = object_is_a(dev, "virtio-keyboard-device") ? &keyboard
              : object_is_a(dev, "virtio-mouse-device") ? &mouse : &tablet;
    virtio_add_queue(&s->v, 64, serve_events);
    virtio_add_queue(&s->v, 64, serve_status);
    s->handler = (InputHandler){ .name = s->kind->name, .absolute = s->kind->absolute,
                                 .sync = on_sync, .opaque = s };
    if (s->kind->keyboard) {
        s->handler.key = on_key;
    } else {
        s->handler.button = on_button;
        s->handler.rel = s->kind->absolute ? NULL : on_rel;
        s->handler.abs = s->kind->absolute ? on_abs : NULL;
    }
    input_add(&s->handler);
    input_deactivate(&s->handler);
    return true;
}

static void input_unrealize(Device *dev)
{
    input_remove(&VIRTIO_INPUT(dev)->handler);
}

static const VmField input_fields[] = {
    VM_VIRTIO(VirtioInput, v), VM_U8(VirtioInput, select), VM_U8(VirtioInput, subsel), VM_END
};
static const char *selection(uint64_t select)
{
    switch (select) {
    case SEL_NAME: return "name";
    case SEL_SERIAL: return "serial number";
    case SEL_DEVIDS: return "ids";
    case SEL_EV_BITS: return "codes of an event type";
    case SEL_ABS_INFO: return "range of an axis";
    default: return NULL;
    }
}

static const VmMeaning input_meanings[] = {
    { "select", "what the configuration shows", .word = selection }, { "subsel", "of that" },
    { .name = NULL }
};

static bool input_post_load(void *opaque, UNUSED Error **errp)
{
    VirtioInput *s = opaque;

    if (s->v.status & VIRTIO_S_DRIVER_OK) {
        input_activate(&s->handler);
    }
    return true;
}

static const Property input_props[] = {
    PROP_STR("serial", VirtioInput, serial, NULL, "serial number that the driver is told"),
    VIRTIO_COMMON_PROPS(VirtioInput, v),
    PROP_END
};

static const VirtioOps input_ops = {
    .id = VIRTIO_ID_INPUT, .config_len = CFG_LEN, .modern_only = true,
    .get_config = input_get_config, .set_config = input_set_config, .reset = input_reset,
    .status_changed = input_status_changed,
};

static const DeviceType input_type = {
    .name = "virtio-input-device", .parent = TYPE_VIRTIO_DEVICE, .abstract = true,
    .size = sizeof(VirtioInput), .category = DEVICE_INPUT, .hotpluggable = true,
    .props = input_props, .realize = input_realize, .unrealize = input_unrealize,
    .vm = { 1, input_fields, .post_load = input_post_load, .meanings = input_meanings }, .data = &input_ops,
};
DEVICE_TYPE(input_type)

static const Property *const input_tables[] = { input_props, NULL };

#define INPUT_DEVICE(kind, text, class) \
    static const DeviceType kind##_type = { \
        .name = "virtio-" #kind "-device", .parent = "virtio-input-device", .desc = text, \
    }; \
    DEVICE_TYPE(kind##_type) \
    static const VirtioPciInfo kind##_pci = { \
        .name = "virtio-" #kind "-pci", .device = "virtio-" #kind "-device", .desc = text, \
        .id = VIRTIO_ID_INPUT, .class_code = class, .category = DEVICE_INPUT, \
        .modern_only = true, .props = input_tables, \
    }; \
    VIRTIO_PCI(kind##_pci)

INPUT_DEVICE(keyboard, "virtio keyboard", 0x090000)
INPUT_DEVICE(mouse, "virtio mouse", 0x090200)
INPUT_DEVICE(tablet, "virtio tablet", 0x098000)
