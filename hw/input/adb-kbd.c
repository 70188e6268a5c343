/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Apple Extended Keyboard on ADB.
 *
 * Register 0: two key events, bit 7 set for a release, 7F for none; register 2: modifiers and lights.
 * Source: GMFH chapter 8; key codes: Inside Macintosh vol. V, chapter 10.
 */
#include "util/osdep.h"
#include "hw/input/adb.h"
#include "qom/property.h"
#include "ui/core/input.h"

#define QUEUE   64

typedef struct AdbKbd {
    AdbDevice adb;
    InputHandler input;
    uint8_t queue[QUEUE];
    uint8_t head, count;
    uint8_t leds;               /* register 2, low bits: 0 is on */
    uint16_t modifiers;         /* bits of register 2 that are down: 0 is down there */
    bool disable_direct_reg3;   /* accepted for compatibility */
} AdbKbd;

#define TYPE_ADB_KBD    "adb-keyboard"
static AdbKbd *ADB_KBD(const void *obj)
{
    return (AdbKbd *)object_cast(obj, TYPE_ADB_KBD);
}

#define CODE_A  0x80           /* ADB's code 0; 0 in the table is no key */
/* Scan code set 1 to ADB; with 0x80 added, those behind E0. */
static const uint8_t codes[256] = {
    [0x01] = 0x35, [0x02] = 0x12, [0x03] = 0x13, [0x04] = 0x14, [0x05] = 0x15, [0x06] = 0x17,
    [0x07] = 0x16, [0x08] = 0x1a, [0x09] = 0x1c, [0x0a] = 0x19, [0x0b] = 0x1d, [0x0c] = 0x1b,
    [0x0d] = 0x18, [0x0e] = 0x33, [0x0f] = 0x30, [0x10] = 0x0c, [0x11] = 0x0d, [0x12] = 0x0e,
    [0x13] = 0x0f, [0x14] = 0x11, [0x15] = 0x10, [0x16] = 0x20, [0x17] = 0x22, [0x18] = 0x1f,
    [0x19] = 0x23, [0x1a] = 0x21, [0x1b] = 0x1e, [0x1c] = 0x24, [0x1d] = 0x36, [0x1e] = CODE_A,
    [0x1f] = 0x01, [0x20] = 0x02, [0x21] = 0x03, [0x22] = 0x05, [0x23] = 0x04, [0x24] = 0x26,
    [0x25] = 0x28, [0x26] = 0x25, [0x27] = 0x29, [0x28] = 0x27, [0x29] = 0x32, [0x2a] = 0x38,
    [0x2b] = 0x2a, [0x2c] = 0x06, [0x2d] = 0x07, [0x2e] = 0x08, [0x2f] = 0x09, [0x30] = 0x0b,
    [0x31] = 0x2d, [0x32] = 0x2e, [0x33] = 0x2b, [0x34] = 0x2f, [0x35] = 0x2c, [0x36] = 0x7b,
    [0x37] = 0x43, [0x38] = 0x3a, [0x39] = 0x31, [0x3a] = 0x39, [0x3b] = 0x7a, [0x3c] = 0x78,
    [0x3d] = 0x63, [0x3e] = 0x76, [0x3f] = 0x60, [0x40] = 0x61, [0x41] = 0x62, [0x42] = 0x64,
    [0x43] = 0x65, [0x44] = 0x6d, [0x45] = 0x47, [0x46] = 0x6b, [0x47] = 0x59, [0x48] = 0x5b,
    [0x49] = 0x5c, [0x4a] = 0x4e, [0x4b] = 0x56, [0x4c] = 0x57, [0x4d] = 0x58, [0x4e] = 0x45,
    [0x4f] = 0x53, [0x50] = 0x54, [0x51] = 0x55, [0x52] = 0x52, [0x53] = 0x41, [0x56] = 0x0a,
    [0x57] = 0x67, [0x58] = 0x6f, [0x59] = 0x51,
    [0x9c] = 0x4c, [0x9d] = 0x7d, [0xb5] = 0x4b, [0xb7] = 0x69, [0xb8] = 0x7c, [0xc6] = 0x71,
    [0xc7] = 0x73, [0xc8] = 0x3e, [0xc9] = 0x74, [0xcb] = 0x3b, [0xcd] = 0x3c, [0xcf] = 0x77,
    [0xd0] = 0x3d, [0xd1] = 0x79, [0xd2] = 0x72, [0xd3] = 0x75, [0xdb] = 0x37, [0xdc] = 0x37,
    [0xdd] = 0x6e, [0xde] = 0x7f,
};

/* A keyboard that isn't told apart (handler 1 or 2) has no right-hand modifiers (GMFH chapter 8). */
static uint8_t without_sides(uint8_t code)
{
    return code == 0x7b ? 0x38 : code == 0x7c ? 0x3a : code == 0x7d ? 0x36 : code;
}

static void note_modifier(AdbKbd *k, uint8_t code, bool down)
{
    static const struct { uint8_t code; uint16_t bit; } bits[] = {
        { 0x33, BIT(14) }, { 0x39, BIT(13) }, { 0x7f, BIT(12) }, { 0x36, BIT(11) }, { 0x38, BIT(10) },
        { 0x3a, BIT(9) }, { 0x37, BIT(8) }, { 0x47, BIT(7) }, { 0x6b, BIT(6) },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(bits); i++) {
        if (bits[i].code == without_sides(code)) {
            k->modifiers = (uint16_t)(down ? k->modifiers | bits[i].bit : k->modifiers & ~bits[i].bit);
        }
    }
}

static void kbd_key(void *opaque, unsigned number, bool down)
{
    AdbKbd *k = opaque;
    uint8_t code = codes[number & 0xff];

    if (!code || k->count == QUEUE) {
        return;
    }
    code &= 0x7f;
    note_modifier(k, code, down);
    k->queue[(k->head + k->count++) % QUEUE] = (uint8_t)(code | (down ? 0 : 0x80));
    adb_changed(&k->adb);
}

static bool kbd_has_data(const AdbDevice *d)
{
    return ADB_KBD(d)->count > 0;
}

static uint8_t next_key(AdbKbd *k)
{
    uint8_t code = k->queue[k->head], key = code & 0x7f;

    k->head = (uint8_t)((k->head + 1) % QUEUE);
    k->count--;
    return k->adb.handler == 3 ? code : (uint8_t)(without_sides(key) | (code & 0x80));
}

static unsigned kbd_talk(AdbDevice *d, unsigned reg, uint8_t buf[ADB_MAX_DATA])
{
    AdbKbd *k = ADB_KBD(d);

    if (reg == 0 && k->count) {
        uint8_t key = next_key(k);

        buf[0] = key;
        /* The power key comes in both bytes. */
        buf[1] = (key & 0x7f) == 0x7f ? key : k->count && (k->queue[k->head] & 0x7f) != 0x7f ? next_key(k) : 0xff;
        return 2;
    }
    if (reg == 2) {
        uint16_t v = (uint16_t)(~k->modifiers & 0xffc0);

        buf[0] = (uint8_t)(v >> 8);
        buf[1] = (uint8_t)((v & 0xc0) | 0x38 | k->leds);
        return 2;
    }
    return 0;
}

static void kbd_listen(AdbDevice *d, unsigned reg, const uint8_t *data, unsigned len)
{
    AdbKbd *k = ADB_KBD(d);

    if (reg == 2 && len >= 2) {
        k->leds = data[1] & 7;
        input_set_leds((k->leds & 1 ? 0 : INPUT_LED_NUM) | (k->leds & 2 ? 0 : INPUT_LED_CAPS) |
                       (k->leds & 4 ? 0 : INPUT_LED_SCROLL));
    }
}

static void kbd_flush(AdbDevice *d)
{
    AdbKbd *k = ADB_KBD(d);

    k->head = k->count = 0;
    k->leds = 7;
    k->modifiers = 0;
}

static bool kbd_set_handler(UNUSED AdbDevice *d, uint8_t handler)
{
    return handler >= 1 && handler <= 3;
}

static bool kbd_realize(Device *dev, UNUSED Error **errp)
{
    AdbKbd *k = ADB_KBD(dev);

    k->input = (InputHandler){ .name = "QEMU ADB Keyboard", .key = kbd_key, .opaque = k };
    input_add(&k->input);
    kbd_flush(&k->adb);
    return true;
}

static void kbd_unrealize(Device *dev)
{
    input_remove(&ADB_KBD(dev)->input);
}

static const VmField kbd_fields[] = {
    VM_STRUCT(AdbKbd, adb, adb_device_vm), VM_BUFFER(AdbKbd, queue),
    VM_U8_RANGE(AdbKbd, head, 0, QUEUE - 1), VM_U8_RANGE(AdbKbd, count, 0, QUEUE),
    VM_U8_RANGE(AdbKbd, leds, 0, 7), VM_U16(AdbKbd, modifiers), VM_END
};

static const AdbDeviceOps kbd_ops = {
    .address = 2, .handler = 2, .talk = kbd_talk, .listen = kbd_listen, .flush = kbd_flush,
    .has_data = kbd_has_data, .set_handler = kbd_set_handler,
};

static const Property kbd_props[] = {
    PROP_BOOL("disable-direct-reg3-writes", AdbKbd, disable_direct_reg3, false,
              "accepted; register 3 follows the bus's rules"),
    PROP_END
};

static const VmMeaning kbd_meanings[] = {
    { "head", "where they begin" }, { "count", "how many" },
    { "leds", "register 2, low bits: 0 is on", .flags = FLAGS({ "NUM_OFF", 1 }, { "CAPS_OFF", 2 }, { "SCROLL_OFF", 4 }) },
    { "modifiers", "keys of register 2 that are down: 0 is down" },
    { "queue", "codes that wait for the host", .payload = "key codes" },
    { .name = NULL }
};

static const DeviceType kbd_type = {
    .name = TYPE_ADB_KBD, .parent = TYPE_ADB_DEVICE, .size = sizeof(AdbKbd),
    .desc = "ADB keyboard", .realize = kbd_realize, .unrealize = kbd_unrealize, .props = kbd_props,
    .vm = { 1, kbd_fields, .meanings = kbd_meanings }, .data = &kbd_ops,
};
DEVICE_TYPE(kbd_type)
