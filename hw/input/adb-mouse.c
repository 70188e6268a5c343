/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Apple mouse on ADB: register 0 has the button and seven bits of movement each way (GMFH chapter 8).
 * Handler 4 (extended protocol) tells of a second and third button.
 */
#include "util/osdep.h"
#include "hw/input/adb.h"
#include "qom/property.h"
#include "ui/core/input.h"

typedef struct AdbMouse {
    AdbDevice adb;
    InputHandler input;
    int32_t dx, dy;
    uint8_t buttons, told;      /* bits: left, right, middle */
    bool disable_direct_reg3;
} AdbMouse;

#define TYPE_ADB_MOUSE  "adb-mouse"
static AdbMouse *ADB_MOUSE(const void *obj)
{
    return (AdbMouse *)object_cast(obj, TYPE_ADB_MOUSE);
}

#define MOVE_MAX    100000

static void mouse_rel(void *opaque, int dx, int dy)
{
    AdbMouse *m = opaque;

    m->dx = MAX(-MOVE_MAX, MIN(MOVE_MAX, m->dx + dx));
    m->dy = MAX(-MOVE_MAX, MIN(MOVE_MAX, m->dy + dy));
}

static void mouse_button(void *opaque, InputButton button, bool down)
{
    AdbMouse *m = opaque;
    uint8_t bit = button == INPUT_BUTTON_LEFT ? 1 : button == INPUT_BUTTON_RIGHT ? 2 :
                  button == INPUT_BUTTON_MIDDLE ? 4 : 0;

    m->buttons = (uint8_t)(down ? m->buttons | bit : m->buttons & ~bit);
}

static void mouse_sync(void *opaque)
{
    adb_changed(&((AdbMouse *)opaque)->adb);
}

static bool mouse_has_data(const AdbDevice *d)
{
    const AdbMouse *m = ADB_MOUSE(d);

    return m->dx || m->dy || m->buttons != m->told;
}

static int32_t step(int32_t *d)
{
    int32_t v = MAX(-64, MIN(63, *d));

    *d -= v;
    return v;
}

static unsigned mouse_talk(AdbDevice *d, unsigned reg, uint8_t buf[ADB_MAX_DATA])
{
    AdbMouse *m = ADB_MOUSE(d);
    int32_t dx, dy;

    if (reg == 1) {             /* extended: identifier, resolution, class, buttons */
        static const uint8_t id[8] = { 'Q', 'M', 'U', 'S', 0, 100, 1, 3 };

        if (d->handler != 4) {
            return 0;
        }
        memcpy(buf, id, sizeof(id));
        return 8;
    }
    if (reg != 0 || !mouse_has_data(d)) {
        return 0;
    }
    dx = step(&m->dx);
    dy = step(&m->dy);
    m->told = m->buttons;
    buf[0] = (uint8_t)((m->buttons & 1 ? 0 : 0x80) | (dy & 0x7f));
    buf[1] = (uint8_t)((m->buttons & 2 ? 0 : 0x80) | (dx & 0x7f));
    if (d->handler == 4) {
        buf[2] = m->buttons & 4 ? 0x08 : 0x88;
        buf[2] = (uint8_t)(buf[2] | (dy < 0 ? 0x70 : 0) | (dx < 0 ? 0x07 : 0));
        return 3;
    }
    return 2;
}

static void mouse_flush(AdbDevice *d)
{
    AdbMouse *m = ADB_MOUSE(d);

    m->dx = m->dy = 0;
    m->buttons = m->told = 0;
}

static bool mouse_set_handler(UNUSED AdbDevice *d, uint8_t handler)
{
    return handler == 1 || handler == 2 || handler == 4;
}

static bool mouse_realize(Device *dev, UNUSED Error **errp)
{
    AdbMouse *m = ADB_MOUSE(dev);

    m->input = (InputHandler){ .name = "QEMU ADB Mouse", .rel = mouse_rel, .button = mouse_button,
                               .sync = mouse_sync, .opaque = m };
    input_add(&m->input);
    return true;
}

static void mouse_unrealize(Device *dev)
{
    input_remove(&ADB_MOUSE(dev)->input);
}

static bool mouse_post_load(void *opaque, UNUSED Error **errp)
{
    AdbMouse *m = opaque;

    m->dx = MAX(-MOVE_MAX, MIN(MOVE_MAX, m->dx));
    m->dy = MAX(-MOVE_MAX, MIN(MOVE_MAX, m->dy));
    return true;
}

static const VmField mouse_fields[] = {
    VM_STRUCT(AdbMouse, adb, adb_device_vm), VM_I32(AdbMouse, dx), VM_I32(AdbMouse, dy),
    VM_U8_RANGE(AdbMouse, buttons, 0, 7), VM_U8_RANGE(AdbMouse, told, 0, 7), VM_END
};
static const VmMeaning mouse_meanings[] = {
    { "dx", "moved but not told yet" }, { "dy", "moved but not told yet" },
    { "buttons", "that are down", .flags = FLAGS({ "LEFT", 1 }, { "RIGHT", 2 }, { "MIDDLE", 4 }) },
    { "told", "as the host was told", .flags = FLAGS({ "LEFT", 1 }, { "RIGHT", 2 }, { "MIDDLE", 4 }) },
    { .name = NULL }
};

static const AdbDeviceOps mouse_ops = {
    .address = 3, .handler = 2, .talk = mouse_talk, .flush = mouse_flush, .has_data = mouse_has_data,
    .set_handler = mouse_set_handler,
};

static const Property mouse_props[] = {
    PROP_BOOL("disable-direct-reg3-writes", AdbMouse, disable_direct_reg3, false,
              "accepted; register 3 follows the bus's rules"),
    PROP_END
};

static const DeviceType mouse_type = {
    .name = TYPE_ADB_MOUSE, .parent = TYPE_ADB_DEVICE, .size = sizeof(AdbMouse),
    .desc = "ADB mouse", .realize = mouse_realize, .unrealize = mouse_unrealize, .props = mouse_props,
    .vm = { 1, mouse_fields, .post_load = mouse_post_load, .meanings = mouse_meanings }, .data = &mouse_ops,
};
DEVICE_TYPE(mouse_type)
