/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-kbd, usb-mouse and usb-tablet.
 *
 * Sources: Device Class Definition for Human Interface Devices 1.11 ("HID"); HID Usage
 * Tables 1.12.
 *
 * Events wait in a queue until the guest polls, so that a key that goes down and up between
 * two polls is seen both ways. A device takes the events of its kind from the moment the
 * guest configures it, and gives them back when the guest, or a reset, ends that.
 */
#include "util/osdep.h"
#include "hw/usb/hid.h"
#include "hw/usb/usb.h"

#include "ui/core/input.h"

/* HID 7.2 */
enum { GET_REPORT = 1, GET_IDLE = 2, GET_PROTOCOL = 3, SET_REPORT = 9, SET_IDLE = 10,
       SET_PROTOCOL = 11 };
enum { PROTOCOL_BOOT = 0, PROTOCOL_REPORT = 1 };

#define EVENTS          16
#define KEYS_MAX        16          /* held at a time, besides modifiers */
#define BOOT_KEYS       6
#define ROLL_OVER       0x01        /* "ErrorRollOver": more keys than a report holds */
#define REPORT_MAX      8
#define IDLE_NS         (4 * NS_PER_MS)         /* HID 7.2.4: unit of the idle rate */
#define MOTION_MAX      0x7fff

typedef enum HidKind { HID_KEYBOARD, HID_MOUSE, HID_TABLET } HidKind;

/* A state of the pointer: places, or movements since the state before. */
typedef struct HidPointer {
    int32_t x, y, wheel;
    uint8_t buttons;
} HidPointer;

typedef struct HidState {
    UsbDevice usb;
    uint32_t usb_version;
    char *display;
    InputHandler input;
    HidKind kind;
    uint8_t protocol, idle, leds;
    int64_t reported_ns;            /* when the last report went */
    /* Keyboard: keys to come, as usage, with BIT(15) when it goes down; keys that are down. */
    uint16_t events[EVENTS];
    uint32_t n_events;
    uint8_t modifiers, keys[KEYS_MAX];
    uint32_t n_keys;
    /* Pointer: states to come; the last one is still being put together. */
    HidPointer states[EVENTS];
    uint32_t n_states;
    HidPointer now;                 /* as reported */
    uint8_t buttons;                /* as they are */
    bool open;                      /* the last state takes more */
} HidState;

#define TYPE_USB_HID    "usb-hid"
DEFINE_CAST(USB_HID, HidState, TYPE_USB_HID)

/* --- descriptors --- */

#define LE16(v)     (v) & 0xff, (v) >> 8

/* HID appendix B.1, with five LEDs. */
static const uint8_t kbd_report[] = {
    0x05, 0x01, 0x09, 0x06, 0xa1, 0x01,                 /* Keyboard */
    0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01,
    0x75, 0x01, 0x95, 0x08, 0x81, 0x02,                 /* eight modifiers */
    0x95, 0x01, 0x75, 0x08, 0x81, 0x01,                 /* a reserved byte */
    0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02,     /* LEDs */
    0x95, 0x01, 0x75, 0x03, 0x91, 0x01,
    0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x26, 0xff, 0x00,
    0x05, 0x07, 0x19, 0x00, 0x2a, 0xff, 0x00, 0x81, 0x00,                       /* six keys */
    0xc0,
};
/* HID appendix B.2, with five buttons and a wheel. */
static const uint8_t mouse_report[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00,                 /* Mouse */
    0x05, 0x09, 0x19, 0x01, 0x29, 0x05, 0x15, 0x00, 0x25, 0x01,
    0x95, 0x05, 0x75, 0x01, 0x81, 0x02, 0x95, 0x01, 0x75, 0x03, 0x81, 0x01,
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x09, 0x38, 0x15, 0x81, 0x25, 0x7f,
    0x75, 0x08, 0x95, 0x03, 0x81, 0x06,                 /* X, Y, wheel: relative */
    0xc0, 0xc0,
};
static const uint8_t tablet_report[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00,
    0x05, 0x09, 0x19, 0x01, 0x29, 0x05, 0x15, 0x00, 0x25, 0x01,
    0x95, 0x05, 0x75, 0x01, 0x81, 0x02, 0x95, 0x01, 0x75, 0x03, 0x81, 0x01,
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x15, 0x00, 0x26, 0xff, 0x7f,
    0x35, 0x00, 0x46, 0xff, 0x7f, 0x75, 0x10, 0x95, 0x02, 0x81, 0x02,           /* absolute */
    0x09, 0x38, 0x15, 0x81, 0x25, 0x7f, 0x35, 0x00, 0x45, 0x00,
    0x75, 0x08, 0x95, 0x01, 0x81, 0x06,                 /* wheel */
    0xc0, 0xc0,
};

/* HID 6.2.1 */
#define HID_DESC(name, report, country) \
    static const uint8_t name[] = { 9, USB_DT_HID, LE16(0x0111), country, 1, USB_DT_REPORT, \
                                    LE16(sizeof(report)) }
HID_DESC(kbd_hid, kbd_report, 33);
HID_DESC(mouse_hid, mouse_report, 0);
HID_DESC(tablet_hid, tablet_report, 0);

/* Full speed: polled every 10 ms; high speed: every 2^6 microframes, 4 ms for pointers. */
#define HID_TABLES(name, max, full_interval, high_interval, sub, proto, hid) \
    static const UsbEndpointDesc name##_ep_full = { \
        .addr = USB_DIR_IN | 1, .attributes = USB_EP_INTERRUPT, .max_packet = max, \
        .interval = full_interval }; \
    static const UsbEndpointDesc name##_ep_high = { \
        .addr = USB_DIR_IN | 1, .attributes = USB_EP_INTERRUPT, .max_packet = max, \
        .interval = high_interval }; \
    static const UsbInterfaceDesc name##_if_full = { \
        .class_code = 3, .subclass = sub, .protocol = proto, .extra = hid, .n_eps = 1, \
        .eps = &name##_ep_full }; \
    static const UsbInterfaceDesc name##_if_high = { \
        .class_code = 3, .subclass = sub, .protocol = proto, .extra = hid, .n_eps = 1, \
        .eps = &name##_ep_high }; \
    static const UsbConfigDesc name##_config_full = { \
        .value = 1, .string = 4, .attributes = USB_CFG_ONE | USB_CFG_WAKEUP, \
        .max_power_ma = 100, .n_interfaces = 1, .n = 1, .interfaces = &name##_if_full }; \
    static const UsbConfigDesc name##_config_high = { \
        .value = 1, .string = 4, .attributes = USB_CFG_ONE | USB_CFG_WAKEUP, \
        .max_power_ma = 100, .n_interfaces = 1, .n = 1, .interfaces = &name##_if_high }; \
    static const UsbDeviceDesc name##_full = { \
        .usb_version = 0x0100, .max_packet0 = 8, .n_configs = 1, \
        .configs = &name##_config_full }; \
    static const UsbDeviceDesc name##_high = { \
        .usb_version = 0x0200, .max_packet0 = 64, .n_configs = 1, \
        .configs = &name##_config_high }

HID_TABLES(kbd, 8, 10, 7, 1, 1, kbd_hid);
HID_TABLES(mouse, 4, 10, 7, 1, 2, mouse_hid);
HID_TABLES(tablet, 6, 10, 4, 0, 0, tablet_hid);

static const char *const kbd_strings[] = { "", "QEMU", "QEMU USB Keyboard", "68284", "HID Keyboard",
                                           NULL };
static const char *const mouse_strings[] = { "", "QEMU", "QEMU USB Mouse", "89126", "HID Mouse",
                                             NULL };
static const char *const tablet_strings[] = { "", "QEMU", "QEMU USB Tablet", "28754",
                                              "HID Tablet", NULL };

#define HID_DESCRIPTORS(text, full, high) { \
    .vendor = 0x0627, .product = 0x0001, .manufacturer = 1, .product_string = 2, .serial = 3, \
    .strings = text, .msos_selective_suspend = true, \
    .speeds = { [USB_SPEED_FULL] = full, [USB_SPEED_HIGH] = high } }

/* With usb_version=1 and 2. */
static const UsbDescriptors hid_descs[3][2] = {
    [HID_KEYBOARD] = { HID_DESCRIPTORS(kbd_strings, &kbd_full, NULL),
                       HID_DESCRIPTORS(kbd_strings, &kbd_full, &kbd_high) },
    [HID_MOUSE] = { HID_DESCRIPTORS(mouse_strings, &mouse_full, NULL),
                    HID_DESCRIPTORS(mouse_strings, &mouse_full, &mouse_high) },
    [HID_TABLET] = { HID_DESCRIPTORS(tablet_strings, &tablet_full, NULL),
                     HID_DESCRIPTORS(tablet_strings, &tablet_full, &tablet_high) },
};

/* --- keyboard --- */

static void key_event(void *opaque, unsigned number, bool down)
{
    HidState *s = opaque;
    uint8_t usage = hid_usage_of_key(number);

    if (!usage || s->n_events == EVENTS) {
        return;
    }
    s->events[s->n_events++] = (uint16_t)(usage | (down ? BIT(15) : 0));
    usb_wakeup(&s->usb);
}

/* True if a report would differ. */
static bool key_apply(HidState *s, uint16_t event)
{
    uint8_t usage = (uint8_t)event;
    bool down = event & BIT(15);
    uint32_t at = 0;

    if (usage >= 0xe0 && usage <= 0xe7) {
        uint8_t bit = (uint8_t)BIT(usage - 0xe0);
        uint8_t old = s->modifiers;

        s->modifiers = (uint8_t)(down ? old | bit : old & ~bit);
        return s->modifiers != old;
    }
    while (at < s->n_keys && s->keys[at] != usage) {
        at++;
    }
    if (down == (at < s->n_keys) || (down && s->n_keys == KEYS_MAX)) {
        return false;
    }
    if (down) {
        s->keys[s->n_keys++] = usage;
    } else {
        s->n_keys--;
        memmove(s->keys + at, s->keys + at + 1, s->n_keys - at);
    }
    return true;
}

/* One event a report. */
static bool kbd_next(HidState *s)
{
    while (s->n_events) {
        uint16_t event = s->events[0];

        s->n_events--;
        memmove(s->events, s->events + 1, s->n_events * sizeof(s->events[0]));
        if (key_apply(s, event)) {
            return true;
        }
    }
    return false;
}

static uint32_t kbd_put(const HidState *s, uint8_t *out)
{
    memset(out, 0, 8);
    out[0] = s->modifiers;
    if (s->n_keys > BOOT_KEYS) {
        memset(out + 2, ROLL_OVER, BOOT_KEYS);
    } else {
        memcpy(out + 2, s->keys, s->n_keys);
    }
    return 8;
}

/* --- pointers --- */

/* The state that events go into: the open one, or a new one, unless the queue is full. */
static HidPointer *pointer_state(HidState *s)
{
    HidPointer *p;

    if (!s->open && s->n_states < EVENTS) {
        p = &s->states[s->n_states++];
        *p = s->n_states > 1 ? s->states[s->n_states - 2] : s->now;
        p->wheel = 0;
        if (s->kind == HID_MOUSE) {
            p->x = p->y = 0;
        }
        p->buttons = s->buttons;
        s->open = true;
    }
    return s->n_states ? &s->states[s->n_states - 1] : &s->now;
}

static int32_t clamp(int64_t v, int32_t most)
{
    return (int32_t)(v > most ? most : v < -most ? -most : v);
}

static void pointer_rel(void *opaque, int dx, int dy)
{
    HidPointer *p = pointer_state(opaque);

    p->x = clamp((int64_t)p->x + dx, MOTION_MAX);
    p->y = clamp((int64_t)p->y + dy, MOTION_MAX);
}

static void pointer_abs(void *opaque, int x, int y)
{
    HidPointer *p = pointer_state(opaque);

    p->x = MAX(0, MIN(x, INPUT_ABS_MAX));
    p->y = MAX(0, MIN(y, INPUT_ABS_MAX));
}

static void pointer_button(void *opaque, InputButton button, bool down)
{
    static const uint8_t bits[INPUT_BUTTON__MAX] = {
        [INPUT_BUTTON_LEFT] = 1, [INPUT_BUTTON_RIGHT] = 2, [INPUT_BUTTON_MIDDLE] = 4,
        [INPUT_BUTTON_SIDE] = 8, [INPUT_BUTTON_EXTRA] = 16,
    };
    HidState *s = opaque;
    HidPointer *p = pointer_state(s);

    if (button == INPUT_BUTTON_WHEEL_UP || button == INPUT_BUTTON_WHEEL_DOWN) {
        if (down) {
            p->wheel = clamp(p->wheel + (button == INPUT_BUTTON_WHEEL_UP ? 1 : -1), 127);
        }
        return;
    }
    s->buttons = (uint8_t)(down ? s->buttons | bits[button] : s->buttons & ~bits[button]);
    p->buttons = s->buttons;
}

/* A group is complete. The next one makes a state of its own if buttons have changed, else
 * it may be merged into this one as long as nobody has fetched it. */
static void pointer_sync(void *opaque)
{
    HidState *s = opaque;
    const HidPointer *last, *before;

    if (!s->n_states) {
        return;
    }
    last = &s->states[s->n_states - 1];
    before = s->n_states > 1 ? last - 1 : &s->now;
    if (last->buttons != before->buttons) {
        s->open = false;
    }
    usb_wakeup(&s->usb);
}

static int32_t take_part(int32_t *sum)
{
    int32_t part = clamp(*sum, 127);

    *sum -= part;
    return part;
}

static uint32_t pointer_put(const HidState *s, const HidPointer *p, uint8_t *out)
{
    out[0] = p->buttons;
    if (s->kind == HID_MOUSE) {
        out[1] = (uint8_t)p->x;
        out[2] = (uint8_t)p->y;
        out[3] = (uint8_t)p->wheel;
        return s->protocol == PROTOCOL_BOOT ? 3 : 4;
    }
    out[1] = (uint8_t)p->x;
    out[2] = (uint8_t)(p->x >> 8);
    out[3] = (uint8_t)p->y;
    out[4] = (uint8_t)(p->y >> 8);
    out[5] = (uint8_t)p->wheel;
    return 6;
}

/* The next report's state to .now; a long movement takes several reports. */
static bool pointer_next(HidState *s)
{
    HidPointer *p = &s->states[0];

    if (!s->n_states) {
        return false;
    }
    s->now.buttons = p->buttons;
    if (s->kind == HID_MOUSE) {
        s->now.x = take_part(&p->x);
        s->now.y = take_part(&p->y);
    } else {
        s->now.x = p->x;
        s->now.y = p->y;
    }
    s->now.wheel = take_part(&p->wheel);
    if (s->kind == HID_MOUSE && (p->x || p->y)) {
        return true;
    }
    s->n_states--;
    memmove(s->states, s->states + 1, s->n_states * sizeof(s->states[0]));
    if (!s->n_states) {
        s->open = false;
    }
    return true;
}

/* --- the USB side --- */

static bool next_report(HidState *s)
{
    return s->kind == HID_KEYBOARD ? kbd_next(s) : pointer_next(s);
}

static uint32_t put_report(HidState *s, uint8_t *out)
{
    return s->kind == HID_KEYBOARD ? kbd_put(s, out) : pointer_put(s, &s->now, out);
}

/* After a report a relative state says "no more movement". */
static void settle(HidState *s)
{
    s->now.wheel = 0;
    if (s->kind == HID_MOUSE) {
        s->now.x = s->now.y = 0;
    }
}

static UsbStatus hid_transfer(UsbDevice *d, UsbPacket *p)
{
    HidState *s = USB_HID(d);
    int64_t now = clock_get_ns(CLOCK_VIRTUAL);
    uint8_t report[REPORT_MAX];
    UsbStatus status;

    if (!next_report(s) && (!s->idle || now - s->reported_ns < s->idle * IDLE_NS)) {
        return USB_NAK;
    }
    status = usb_packet_put(p, report, put_report(s, report));
    s->reported_ns = now;
    settle(s);
    return status;
}

static UsbStatus hid_control(UsbDevice *d, const UsbSetup *r, uint8_t *data, uint32_t *actual)
{
    static const struct { const uint8_t *report, *hid; uint32_t len; } tables[] = {
        [HID_KEYBOARD] = { kbd_report, kbd_hid, sizeof(kbd_report) },
        [HID_MOUSE] = { mouse_report, mouse_hid, sizeof(mouse_report) },
        [HID_TABLET] = { tablet_report, tablet_hid, sizeof(tablet_report) },
    };
    HidState *s = USB_HID(d);
    uint8_t report[REPORT_MAX];
    bool kbd = s->kind == HID_KEYBOARD;

    if ((r->type & 0x1f) != USB_RECIP_INTERFACE || r->index != 0) {
        return USB_STALL;
    }
    switch (USB_REQ(r->type, r->request)) {
    case USB_REQ(USB_DIR_IN | USB_RECIP_INTERFACE, USB_GET_DESCRIPTOR):
        if (r->value >> 8 == USB_DT_REPORT) {
            *actual = MIN(r->length, tables[s->kind].len);
            memcpy(data, tables[s->kind].report, *actual);
        } else if (r->value >> 8 == USB_DT_HID) {
            *actual = MIN(r->length, tables[s->kind].hid[0]);
            memcpy(data, tables[s->kind].hid, *actual);
        } else {
            return USB_STALL;
        }
        return USB_OK;
    case USB_REQ(USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE, GET_REPORT):
        next_report(s);
        *actual = MIN(r->length, put_report(s, report));
        memcpy(data, report, *actual);
        settle(s);
        return USB_OK;
    case USB_REQ(USB_TYPE_CLASS | USB_RECIP_INTERFACE, SET_REPORT):
        if (!kbd || r->length < 1) {
            return USB_STALL;
        }
        s->leds = data[0] & 0x1f;
        return USB_OK;
    case USB_REQ(USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE, GET_PROTOCOL):
    case USB_REQ(USB_TYPE_CLASS | USB_RECIP_INTERFACE, SET_PROTOCOL):
        if (s->kind == HID_TABLET) {    /* HID 7.2.5: boot devices only */
            return USB_STALL;
        }
        if (r->request == SET_PROTOCOL) {
            s->protocol = r->value & 1;
        } else {
            data[0] = s->protocol;
            *actual = MIN(r->length, 1);
        }
        return USB_OK;
    case USB_REQ(USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE, GET_IDLE):
        data[0] = s->idle;
        *actual = MIN(r->length, 1);
        return USB_OK;
    case USB_REQ(USB_TYPE_CLASS | USB_RECIP_INTERFACE, SET_IDLE):
        s->idle = (uint8_t)(r->value >> 8);
        s->reported_ns = clock_get_ns(CLOCK_VIRTUAL);
        return USB_OK;
    default:
        return USB_STALL;
    }
}

static void hid_configured(UsbDevice *d)
{
    HidState *s = USB_HID(d);

    if (d->config) {
        input_activate(&s->input);
    } else {
        input_deactivate(&s->input);
    }
}

static void hid_reset(UsbDevice *d)
{
    HidState *s = USB_HID(d);

    s->protocol = PROTOCOL_REPORT;      /* HID 7.2.6 */
    s->idle = s->leds = 0;
    s->reported_ns = 0;
    s->n_events = s->n_keys = s->n_states = 0;
    s->modifiers = 0;
    memset(s->events, 0, sizeof(s->events));
    memset(s->keys, 0, sizeof(s->keys));
    memset(s->states, 0, sizeof(s->states));
    s->now = (HidPointer){ .buttons = 0 };
    s->buttons = 0;
    s->open = false;
    input_deactivate(&s->input);
}

static bool hid_realize(Device *dev, UNUSED Error **errp)
{
    static const char *const names[] = { "QEMU USB Keyboard", "QEMU USB Mouse", "QEMU USB Tablet" };
    HidState *s = USB_HID(dev);
    HidKind kind = s->kind;

    s->input = (InputHandler){ .name = names[kind], .opaque = s, .absolute = kind == HID_TABLET };
    if (kind == HID_KEYBOARD) {
        s->input.key = key_event;
    } else {
        s->input.button = pointer_button;
        s->input.sync = pointer_sync;
        if (kind == HID_TABLET) {
            s->input.abs = pointer_abs;
        } else {
            s->input.rel = pointer_rel;
        }
    }
    input_add(&s->input);
    input_deactivate(&s->input);
    return true;
}

static void hid_unrealize(Device *dev)
{
    input_remove(&USB_HID(dev)->input);
}

static bool hid_post_load(void *opaque, Error **errp)
{
    HidState *s = opaque;

    s->buttons &= 0x1f;
    for (uint32_t i = 0; i < EVENTS; i++) {
        const HidPointer *p = &s->states[i];

        if (p->x < -MOTION_MAX || p->x > MOTION_MAX || p->y < -MOTION_MAX || p->y > MOTION_MAX ||
            p->wheel < -127 || p->wheel > 127) {
            error_setf(errp, ERR_STATE_INVALID, "'%s': a movement of %d, %d, %d",
                       object_type_name(s), p->x, p->y, p->wheel);
            hid_reset(&s->usb);
            return false;
        }
    }
    if ((s->open && !s->n_states) || s->reported_ns < 0) {
        error_setf(errp, ERR_STATE_INVALID, "'%s': %s", object_type_name(s), s->reported_ns < 0
                   ? "a report before all time" : "the state being put together is missing");
        hid_reset(&s->usb);
        return false;
    }
    hid_configured(&s->usb);
    return true;
}

static const VmField pointer_fields[] = {
    VM_I32(HidPointer, x), VM_I32(HidPointer, y), VM_I32(HidPointer, wheel),
    VM_U8(HidPointer, buttons), VM_END
};
#define BUTTONS FLAGS({ "LEFT", 1 }, { "RIGHT", 2 }, { "MIDDLE", 4 }, { "SIDE", 8 }, { "EXTRA", 0x10 })
static const VmMeaning pointer_meanings[] = {
    { "buttons", "that are down", .flags = BUTTONS },
    { .name = NULL }
};
static const VmState pointer_vm = { 1, pointer_fields, .name = "pointer", .meanings = pointer_meanings };

static const VmField hid_fields[] = {
    VM_USB(HidState, usb), VM_U8_RANGE(HidState, protocol, 0, 1), VM_U8(HidState, idle),
    VM_U8(HidState, leds), VM_I64(HidState, reported_ns), VM_U16_ARRAY(HidState, events),
    VM_U32_RANGE(HidState, n_events, 0, EVENTS), VM_U8(HidState, modifiers),
    VM_U8_ARRAY(HidState, keys), VM_U32_RANGE(HidState, n_keys, 0, KEYS_MAX),
    VM_STRUCT_ARRAY(HidState, states, pointer_vm), VM_U32_RANGE(HidState, n_states, 0, EVENTS),
    VM_STRUCT(HidState, now, pointer_vm), VM_U8(HidState, buttons), VM_BOOL(HidState, open),
    VM_END
};

static const Property hid_props[] = {
    PROP_U32_RANGE("usb_version", HidState, usb_version, 2, 1, 2,
                   "1: full speed only; 2: high speed too"),
    PROP_STR("display", HidState, display, NULL, "display whose input it takes (accepted; one only)"),
    PROP_END
};

/* Before realize: init has set the kind. */
static const UsbDescriptors *hid_describe(const UsbDevice *d)
{
    const HidState *s = USB_HID(d);

    return &hid_descs[s->kind][s->usb_version - 1];
}

static const UsbClass hid_class = {
    .describe = hid_describe, .reset = hid_reset, .control = hid_control, .transfer = hid_transfer,
    .configured = hid_configured,
};

static void kbd_init(Device *dev)
{
    USB_HID(dev)->kind = HID_KEYBOARD;
}

static void mouse_init(Device *dev)
{
    USB_HID(dev)->kind = HID_MOUSE;
}

static void tablet_init(Device *dev)
{
    USB_HID(dev)->kind = HID_TABLET;
}

static const VmMeaning hid_meanings[] = {
    { "protocol", "that the host has chosen", VALUES("boot", "report") }, { "idle", "of SET_IDLE, in 4 ms; 0: tell changes only" },
    { "leds", "lights", .flags = FLAGS({ "NUM", 1 }, { "CAPS", 2 }, { "SCROLL", 4 }, { "COMPOSE", 8 }, { "KANA", 0x10 }) },
    { "n_events", "how many" },
    { "modifiers", "that are down", .flags = FLAGS({ "LCTRL", 1 }, { "LSHIFT", 2 }, { "LALT", 4 }, { "LGUI", 8 }, { "RCTRL", 0x10 },
      { "RSHIFT", 0x20 }, { "RALT", 0x40 }, { "RGUI", 0x80 }) },
    { "n_keys", "how many" }, { "n_states", "states of the pointer that wait" }, { "buttons", "that are down", .flags = BUTTONS },
    { "events", "key events that wait, n_events of them" }, { "keys", "keys that are down, n_keys of them" },
    { .name = NULL }
};

static const DeviceType hid_type = {
    .name = TYPE_USB_HID, .parent = TYPE_USB_DEVICE, .size = sizeof(HidState), .abstract = true,
    .category = DEVICE_INPUT, .props = hid_props, .realize = hid_realize, .unrealize = hid_unrealize,
    .vm = { 1, hid_fields, .post_load = hid_post_load, .meanings = hid_meanings }, .data = &hid_class,
};
DEVICE_TYPE(hid_type)

static const DeviceType kbd_type = {
    .name = "usb-kbd", .parent = TYPE_USB_HID, .desc = "USB keyboard", .init = kbd_init,
};
DEVICE_TYPE(kbd_type)

static const DeviceType mouse_type = {
    .name = "usb-mouse", .parent = TYPE_USB_HID, .desc = "USB mouse", .init = mouse_init,
};
DEVICE_TYPE(mouse_type)

static const DeviceType tablet_type = {
    .name = "usb-tablet", .parent = TYPE_USB_HID, .desc = "USB tablet: a pointer with absolute places",
    .init = tablet_init,
};
DEVICE_TYPE(tablet_type)
