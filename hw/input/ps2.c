/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PS/2 keyboard (scan code sets 1, 2 and 3) and mouse (standard, IntelliMouse
 * with a wheel, Explorer with five buttons).
 *
 * Sources: IBM PS/2 Hardware Interface Technical Reference, "Keyboards" and
 * "Auxiliary Device" ("TR"); Microsoft, "Keyboard Scan Code Specification" 1.3a
 * ("MS"); Microsoft's IntelliMouse knock sequences.
 * Not modelled: typematic repeat, which the host's keyboard already does.
 */
#include "util/osdep.h"
#include "hw/input/ps2.h"
#include "ui/core/input.h"

/* TR, "Commands from the system". */
enum {
    KBD_SET_LEDS = 0xed, KBD_ECHO = 0xee, KBD_SCAN_SET = 0xf0, KBD_ID = 0xf2,
    KBD_RATE = 0xf3, KBD_ENABLE = 0xf4, KBD_DISABLE = 0xf5, KBD_DEFAULTS = 0xf6,
    KBD_ALL_FIRST = 0xf7, KBD_ALL_MAKE = 0xf9, KBD_ALL_LAST = 0xfa,
    KBD_KEY_TYPEMATIC = 0xfb, KBD_KEY_BREAK = 0xfc, KBD_KEY_MAKE = 0xfd,
};
enum {
    MOUSE_SCALE_1_1 = 0xe6, MOUSE_SCALE_2_1 = 0xe7, MOUSE_RESOLUTION = 0xe8,
    MOUSE_STATUS = 0xe9, MOUSE_STREAM = 0xea, MOUSE_READ = 0xeb,
    MOUSE_WRAP_OFF = 0xec, MOUSE_WRAP = 0xee, MOUSE_REMOTE = 0xf0, MOUSE_ID = 0xf2,
    MOUSE_RATE = 0xf3, MOUSE_ENABLE = 0xf4, MOUSE_DISABLE = 0xf5, MOUSE_DEFAULTS = 0xf6,
};
enum { PS2_RESEND = 0xfe, PS2_RESET = 0xff, PS2_ACK = 0xfa, PS2_BAT_OK = 0xaa };

/* Room that key and motion reports leave for answers to commands. */
#define QUEUE_RESERVE   32
#define KEY_EXTENDED    0x80
#define KEY_PRINT       0xb7
#define KEY_PAUSE       0xc6
#define KEY_SYSRQ       0x54
#define KEY_F7          0x41

/* The 8042's table (MS, appendix; index: set 2, value: set 1). */
static const uint8_t translation[128] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

/* Keys whose code in set 3 isn't that of set 2 (MS, appendix C). */
static const struct { uint8_t key, set3; } set3_codes[] = {
    { 0x01, 0x08 }, { 0x3b, 0x07 }, { 0x3c, 0x0f }, { 0x3d, 0x17 }, { 0x3e, 0x1f },
    { 0x3f, 0x27 }, { 0x40, 0x2f }, { 0x41, 0x37 }, { 0x42, 0x3f }, { 0x43, 0x47 },
    { 0x44, 0x4f }, { 0x57, 0x56 }, { 0x58, 0x5e }, { 0xb7, 0x57 }, { 0x46, 0x5f },
    { 0xc6, 0x62 }, { 0x2b, 0x5c }, { 0x3a, 0x14 }, { 0x1d, 0x11 }, { 0x38, 0x19 },
    { 0xb8, 0x39 }, { 0x9d, 0x58 }, { 0xd2, 0x67 }, { 0xd3, 0x64 }, { 0xcb, 0x61 },
    { 0xc7, 0x6e }, { 0xcf, 0x65 }, { 0xc8, 0x63 }, { 0xd0, 0x60 }, { 0xc9, 0x6f },
    { 0xd1, 0x6d }, { 0xcd, 0x6a }, { 0x45, 0x76 }, { 0xb5, 0x77 }, { 0x37, 0x7e },
    { 0x4a, 0x84 }, { 0x4e, 0x7c }, { 0x9c, 0x79 }, { 0xdb, 0x8b }, { 0xdc, 0x8c },
    { 0xdd, 0x8d }, { 0x56, 0x13 }, { 0x54, 0x57 },
};

uint8_t ps2_translate(uint8_t set2)
{
    if (set2 == 0x83) {
        return KEY_F7;
    }
    if (set2 == 0x84) {
        return KEY_SYSRQ;
    }
    return set2 < sizeof(translation) ? translation[set2] : set2;
}

static uint8_t set2_code(uint8_t set1)
{
    if (set1 == KEY_F7) {
        return 0x83;
    }
    if (set1 == KEY_SYSRQ) {
        return 0x84;
    }
    for (unsigned i = 0; i < sizeof(translation); i++) {
        if (translation[i] == set1) {
            return (uint8_t)i;
        }
    }
    return 0;
}

static uint8_t set3_code(unsigned key)
{
    for (unsigned i = 0; i < ARRAY_SIZE(set3_codes); i++) {
        if (set3_codes[i].key == key) {
            return set3_codes[i].set3;
        }
    }
    return key & KEY_EXTENDED ? 0 : set2_code((uint8_t)key);
}

bool ps2_queue_empty(const Ps2Queue *q)
{
    return q->count == 0;
}

uint8_t ps2_queue_take(Ps2Queue *q)
{
    if (q->count) {
        q->last = q->data[q->head];
        q->head = (q->head + 1) % PS2_QUEUE_SIZE;
        q->count--;
    }
    return q->last;
}

static void queue_clear(Ps2Queue *q)
{
    q->head = q->count = 0;
}

static void queue_put(Ps2Queue *q, const uint8_t *bytes, size_t n)
{
    if (q->count + n > PS2_QUEUE_SIZE) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        q->data[(q->head + q->count++) % PS2_QUEUE_SIZE] = bytes[i];
    }
    q->changed(q->opaque);
}

static void queue_put1(Ps2Queue *q, uint8_t byte)
{
    queue_put(q, &byte, 1);
}

/* A report as a whole, or none of it (TR: overrun). */
static bool queue_has_room(const Ps2Queue *q, size_t n)
{
    return q->count + n + QUEUE_RESERVE <= PS2_QUEUE_SIZE;
}

#define queue_answer(q, ...) \
    queue_put(q, (const uint8_t[]){ PS2_ACK, __VA_ARGS__ }, \
              sizeof((uint8_t[]){ PS2_ACK, __VA_ARGS__ }))

static bool bit_test(const uint8_t *map, unsigned n)
{
    return map[n / 8 % 32] & BIT(n % 8);
}

static void bit_set(uint8_t *map, unsigned n, bool on)
{
    uint8_t bit = (uint8_t)BIT(n % 8);

    map[n / 8 % 32] = (uint8_t)(on ? map[n / 8 % 32] | bit : map[n / 8 % 32] & ~bit);
}

/* Appends one code of set 1 or 2 with its prefixes. */
static size_t put_code(const Ps2Kbd *k, uint8_t *out, unsigned key, bool down)
{
    uint8_t code = key & 0x7f;
    size_t n = 0;

    if (key & KEY_EXTENDED) {
        out[n++] = 0xe0;
    }
    if (k->scan_set == 1) {
        out[n++] = down ? code : code | 0x80;
    } else {
        if (!down) {
            out[n++] = 0xf0;
        }
        out[n++] = set2_code(code);
    }
    return n;
}

static void put_print_screen(Ps2Kbd *k, bool down)
{
    uint8_t out[8];
    size_t n = 0;

    /* MS: a false left shift comes with it; with Alt it is SysRq, with Ctrl
     * or Shift held there is no false shift. */
    if (bit_test(k->down, 0x38) || bit_test(k->down, 0xb8)) {
        n = put_code(k, out, KEY_SYSRQ, down);
    } else if (bit_test(k->down, 0x1d) || bit_test(k->down, 0x9d) ||
               bit_test(k->down, 0x2a) || bit_test(k->down, 0x36)) {
        n = put_code(k, out, KEY_PRINT, down);
    } else if (down) {
        n = put_code(k, out, 0xaa, true);
        n += put_code(k, out + n, KEY_PRINT, true);
    } else {
        n = put_code(k, out, KEY_PRINT, false);
        n += put_code(k, out + n, 0xaa, false);
    }
    queue_put(&k->q, out, n);
}

static void put_pause(Ps2Kbd *k)
{
    static const uint8_t set1[] = { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 };
    static const uint8_t set2[] = { 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77 };
    uint8_t out[8];
    size_t n;

    if (bit_test(k->down, 0x1d) || bit_test(k->down, 0x9d)) {   /* Break */
        n = put_code(k, out, KEY_PAUSE, true);
        n += put_code(k, out + n, KEY_PAUSE, false);
        queue_put(&k->q, out, n);
    } else if (k->scan_set == 1) {
        queue_put(&k->q, set1, sizeof(set1));
    } else {
        queue_put(&k->q, set2, sizeof(set2));
    }
}

void ps2_kbd_event(Ps2Kbd *k, unsigned key, bool down)
{
    uint8_t out[8], code;
    size_t n = 0;

    if (key == 0 || key > 0xff) {
        return;
    }
    if (!down && !bit_test(k->down, key)) {
        return;
    }
    bit_set(k->down, key, down);
    if (!k->scanning || !queue_has_room(&k->q, sizeof(out))) {
        return;
    }
    if (k->scan_set == 3) {
        code = set3_code(key);
        if (!code || (!down && bit_test(k->no_break, code))) {
            return;
        }
        if (!down) {
            out[n++] = 0xf0;
        }
        out[n++] = code;
        queue_put(&k->q, out, n);
    } else if (key == KEY_PAUSE) {
        if (down) {
            put_pause(k);
        }
    } else if (key == KEY_PRINT) {
        put_print_screen(k, down);
    } else if (k->scan_set == 1 || set2_code(key & 0x7f)) {
        n = put_code(k, out, key, down);
        queue_put(&k->q, out, n);
    }
}

static void kbd_defaults(Ps2Kbd *k)
{
    k->scan_set = 2;
    k->rate = 0x2b;             /* TR: 10.9 a second after 500 ms */
    k->leds = 0;
    input_set_leds(0);
    k->command = 0;
    k->scanning = true;
    memset(k->no_break, 0, sizeof(k->no_break));
}

void ps2_kbd_reset(Ps2Kbd *k)
{
    kbd_defaults(k);
    memset(k->down, 0, sizeof(k->down));
    queue_clear(&k->q);
}

static void kbd_argument(Ps2Kbd *k, uint8_t val)
{
    uint8_t command = k->command;

    k->command = 0;
    switch (command) {
    case KBD_SCAN_SET:
        if (val == 0) {
            queue_answer(&k->q, k->scan_set);
            return;
        }
        if (val > 3) {
            queue_put1(&k->q, PS2_RESEND);
            return;
        }
        k->scan_set = val;
        break;
    case KBD_SET_LEDS:
        k->leds = val & 7;
        input_set_leds(k->leds);        /* the bits are in the same order */
        break;
    case KBD_RATE:
        k->rate = val;
        break;
    default:                    /* a key's type in set 3; more keys may follow */
        bit_set(k->no_break, val, command != KBD_KEY_BREAK);
        k->command = command;
        break;
    }
    queue_put1(&k->q, PS2_ACK);
}

void ps2_kbd_write(Ps2Kbd *k, uint8_t val)
{
    if (k->command && val < KBD_SET_LEDS) {
        kbd_argument(k, val);
        return;
    }
    k->command = 0;
    switch (val) {
    case KBD_ECHO:
        queue_put1(&k->q, KBD_ECHO);
        return;
    case PS2_RESEND:
        queue_put1(&k->q, k->q.last);
        return;
    case KBD_ID:
        queue_answer(&k->q, 0xab, 0x83);
        return;
    case PS2_RESET:
        ps2_kbd_reset(k);
        queue_answer(&k->q, PS2_BAT_OK);
        return;
    case KBD_SET_LEDS:
    case KBD_SCAN_SET:
    case KBD_RATE:
    case KBD_KEY_TYPEMATIC:
    case KBD_KEY_BREAK:
    case KBD_KEY_MAKE:
        k->command = val;
        break;
    case KBD_ENABLE:
        queue_clear(&k->q);
        k->scanning = true;
        break;
    case KBD_DISABLE:
    case KBD_DEFAULTS:
        queue_clear(&k->q);
        kbd_defaults(k);
        k->scanning = val == KBD_DEFAULTS;
        break;
    default:
        if (val < KBD_ALL_FIRST || val > KBD_ALL_LAST) {
            queue_put1(&k->q, PS2_RESEND);      /* TR: an invalid command */
            return;
        }
        memset(k->no_break, val == KBD_ALL_MAKE || val == KBD_ALL_FIRST ? 0xff : 0,
               sizeof(k->no_break));
        break;
    }
    queue_put1(&k->q, PS2_ACK);
}

void ps2_kbd_init(Ps2Kbd *k, void (*changed)(void *opaque), void *opaque)
{
    k->q.changed = changed;
    k->q.opaque = opaque;
    ps2_kbd_reset(k);
}

/* ------------------------------------------------------------------ mouse */

static size_t mouse_packet_size(const Ps2Mouse *m)
{
    return m->id ? 4 : 3;
}

static int take_part(int32_t *sum, int lo, int hi)
{
    int part = *sum < lo ? lo : *sum > hi ? hi : *sum;

    *sum -= part;
    return part;
}

/* TR, "Data report": y counts upwards on the wire. */
static void mouse_put_packet(Ps2Mouse *m)
{
    uint8_t out[4];
    int dx = take_part(&m->dx, -255, 255), dy = -take_part(&m->dy, -255, 255), dz = 0;

    out[0] = (uint8_t)(0x08 | (m->buttons & 7) | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0));
    out[1] = (uint8_t)dx;
    out[2] = (uint8_t)dy;
    if (m->id == 3) {
        dz = take_part(&m->dz, -127, 127);
        out[3] = (uint8_t)dz;
    } else if (m->id == 4) {
        dz = take_part(&m->dz, -7, 7);
        out[3] = (uint8_t)((dz & 0x0f) | (m->buttons & 0x18) << 1);
    } else {
        m->dz = 0;
    }
    m->reported_buttons = m->buttons;
    queue_put(&m->q, out, mouse_packet_size(m));
}

static void mouse_report(Ps2Mouse *m)
{
    while (m->reporting && !m->remote && !m->wrap && queue_has_room(&m->q, 4) &&
           (m->dx || m->dy || m->dz || m->buttons != m->reported_buttons)) {
        mouse_put_packet(m);
    }
}

void ps2_mouse_event(Ps2Mouse *m, int dx, int dy, int dz, unsigned buttons)
{
    /* Not without bounds: nobody may be taking the reports. */
    m->dx = (int32_t)MAX(MIN((int64_t)m->dx + dx, 0xffff), -0xffff);
    m->dy = (int32_t)MAX(MIN((int64_t)m->dy + dy, 0xffff), -0xffff);
    m->dz = (int32_t)MAX(MIN((int64_t)m->dz + dz, 0xff), -0xff);
    m->buttons = buttons & 0x1f;
    if (!m->reporting) {
        m->dx = m->dy = m->dz = 0;
    }
    mouse_report(m);
}

static void mouse_defaults(Ps2Mouse *m)
{
    m->rate = 100;
    m->resolution = 2;
    m->scale_2_1 = m->reporting = m->remote = m->wrap = false;
    m->command = 0;
    m->dx = m->dy = m->dz = 0;
}

void ps2_mouse_reset(Ps2Mouse *m)
{
    mouse_defaults(m);
    m->id = 0;
    m->rate_history[0] = m->rate_history[1] = 0;
    queue_clear(&m->q);
}

/* Rates 200, 100, 80 make it an IntelliMouse, 200, 200, 80 an Explorer. */
static void mouse_set_rate(Ps2Mouse *m, uint8_t rate)
{
    if (m->rate_history[0] == 200 && rate == 80) {
        if (m->rate_history[1] == 100) {
            m->id = 3;
        } else if (m->rate_history[1] == 200) {
            m->id = 4;
        }
    }
    m->rate_history[0] = m->rate_history[1];
    m->rate_history[1] = rate;
    m->rate = rate;
}

static void mouse_status(Ps2Mouse *m)
{
    uint8_t flags = (uint8_t)((m->remote ? 0x40 : 0) | (m->reporting ? 0x20 : 0) |
                              (m->scale_2_1 ? 0x10 : 0) | (m->buttons & 1 ? 4 : 0) |
                              (m->buttons & 4 ? 2 : 0) | (m->buttons & 2 ? 1 : 0));

    queue_answer(&m->q, flags, m->resolution, m->rate);
}

void ps2_mouse_write(Ps2Mouse *m, uint8_t val)
{
    uint8_t command = m->command;

    m->command = 0;
    if (m->wrap && val != PS2_RESET && val != MOUSE_WRAP_OFF) {
        queue_put1(&m->q, val);
        return;
    }
    if (command) {
        if (command == MOUSE_RATE) {
            mouse_set_rate(m, val);
        } else {
            m->resolution = val & 3;
        }
        queue_put1(&m->q, PS2_ACK);
        return;
    }
    switch (val) {
    case MOUSE_SCALE_1_1:
    case MOUSE_SCALE_2_1:
        m->scale_2_1 = val == MOUSE_SCALE_2_1;
        break;
    case MOUSE_RESOLUTION:
    case MOUSE_RATE:
        m->command = val;
        break;
    case MOUSE_STATUS:
        mouse_status(m);
        return;
    case MOUSE_STREAM:
    case MOUSE_REMOTE:
        m->remote = val == MOUSE_REMOTE;
        break;
    case MOUSE_READ:
        queue_put1(&m->q, PS2_ACK);
        mouse_put_packet(m);
        return;
    case MOUSE_WRAP:
    case MOUSE_WRAP_OFF:
        m->wrap = val == MOUSE_WRAP;
        break;
    case MOUSE_ID:
        queue_answer(&m->q, m->id);
        return;
    case MOUSE_ENABLE:
    case MOUSE_DISABLE:
        m->reporting = val == MOUSE_ENABLE;
        break;
    case MOUSE_DEFAULTS:
        mouse_defaults(m);
        break;
    case PS2_RESEND:
        queue_put1(&m->q, m->q.last);
        return;
    case PS2_RESET:
        ps2_mouse_reset(m);
        queue_answer(&m->q, PS2_BAT_OK, 0);
        return;
    default:
        queue_put1(&m->q, PS2_RESEND);
        return;
    }
    queue_put1(&m->q, PS2_ACK);
}

void ps2_mouse_init(Ps2Mouse *m, void (*changed)(void *opaque), void *opaque)
{
    m->q.changed = changed;
    m->q.opaque = opaque;
    ps2_mouse_reset(m);
}

static const VmField queue_fields[] = {
    VM_U8_ARRAY(Ps2Queue, data), VM_U32_RANGE(Ps2Queue, head, 0, PS2_QUEUE_SIZE - 1),
    VM_U32_RANGE(Ps2Queue, count, 0, PS2_QUEUE_SIZE), VM_U8(Ps2Queue, last), VM_END
};
static const VmMeaning queue_meanings[] = {
    { "head", "where it begins" }, { "count", "bytes in it" }, { "last", "what RESEND repeats" },
    { "data", "ring of bytes", .payload = "bytes for the host, from head" },
    { .name = NULL }
};
static const VmState queue_vm = { 1, queue_fields, .name = "queue", .meanings = queue_meanings };

static const VmField kbd_fields[] = {
    VM_STRUCT(Ps2Kbd, q, queue_vm), VM_U8(Ps2Kbd, command),
    VM_U8_RANGE(Ps2Kbd, scan_set, 1, 3), VM_U8(Ps2Kbd, leds), VM_U8(Ps2Kbd, rate),
    VM_BOOL(Ps2Kbd, scanning), VM_U8_ARRAY(Ps2Kbd, down), VM_U8_ARRAY(Ps2Kbd, no_break), VM_END
};
static const VmMeaning kbd_meanings[] = {
    { "command", "waits for its argument; 0: none" }, { "scan_set", "scan code set" },
    { "leds", "lights", .flags = FLAGS({ "SCROLL", 1 }, { "NUM", 2 }, { "CAPS", 4 }) },
    { "rate", "typematic rate and delay" },
    { "down", "keys that are down, a bit each" }, { "no_break", "keys that send no break code, a bit each" },
    { .name = NULL }
};
const VmState ps2_kbd_vm = { 1, kbd_fields, .name = "ps2-keyboard", .meanings = kbd_meanings };

static const VmField mouse_fields[] = {
    VM_STRUCT(Ps2Mouse, q, queue_vm), VM_U8(Ps2Mouse, command),
    VM_U8_RANGE(Ps2Mouse, resolution, 0, 3), VM_U8(Ps2Mouse, rate),
    VM_U8_RANGE(Ps2Mouse, id, 0, 4), VM_U8_ARRAY(Ps2Mouse, rate_history),
    VM_BOOL(Ps2Mouse, reporting), VM_BOOL(Ps2Mouse, remote), VM_BOOL(Ps2Mouse, wrap),
    VM_BOOL(Ps2Mouse, scale_2_1), VM_I32(Ps2Mouse, dx), VM_I32(Ps2Mouse, dy),
    VM_I32(Ps2Mouse, dz), VM_U8(Ps2Mouse, buttons), VM_U8(Ps2Mouse, reported_buttons), VM_END
};
#define MOUSE_BUTTONS FLAGS({ "LEFT", 1 }, { "RIGHT", 2 }, { "MIDDLE", 4 }, { "SIDE", 8 }, { "EXTRA", 0x10 })
static const VmMeaning mouse_meanings[] = {
    { "command", "waits for its argument; 0: none" }, { "resolution", "counts a millimetre", VALUES("1", "2", "4", "8") },
    { "rate", "samples a second" }, { "id", "kind of mouse", VALUES("standard", NULL, NULL, "wheel", "five buttons") },
    { "rate_history", "the two rates before" },
    { "buttons", "that are down", .flags = MOUSE_BUTTONS }, { "reported_buttons", "as reported", .flags = MOUSE_BUTTONS },
    { .name = NULL }
};
const VmState ps2_mouse_vm = { 1, mouse_fields, .name = "ps2-mouse", .meanings = mouse_meanings };
