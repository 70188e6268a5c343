/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB buses and ports, and what all USB devices have in common.
 *
 * Source: Universal Serial Bus Specification 2.0 ("USB2"), 7.1.7 and 9.1.
 */
#include "util/osdep.h"
#include "hw/usb/usb.h"
#include "hw/usb/usb-int.h"

#include <glib.h>
#include "qobject/error.h"
#include "vmstate/node.h"

/* --- buses --- */

static char *usb_device_path(const Device *dev)
{
    const UsbDevice *d = USB_DEVICE(dev);
    g_autofree char *up = dev->bus->parent ? device_bus_path(dev->bus->parent) : NULL;

    if (!d->port) {
        return NULL;
    }
    return g_strdup_printf("%s/%s", up ? up : dev->bus->name, d->port->path);
}

/* Hubs on the way are nodes of their own: "hub@1/storage@2". */
static char *usb_fw_path(const Device *dev, const char *name)
{
    const UsbDevice *d = USB_DEVICE(dev);
    g_autoptr(GString) path = g_string_new(NULL);
    g_auto(GStrv) parts = g_strsplit(d->port ? d->port->path : "0", ".", -1);

    for (char **p = parts; *p; p++) {
        g_string_append_printf(path, "%s%s@%lx", path->len ? "/" : "", p[1] ? "hub" : name,
                               strtoul(*p, NULL, 10));
    }
    return g_string_free(g_steal_pointer(&path), FALSE);
}

static const BusType usb_bus_type = {
    .name = TYPE_USB_BUS, .size = sizeof(UsbBus), .device_path = usb_device_path,
    .fw_path = usb_fw_path,
};
BUS_TYPE(usb_bus_type)

static int highest_number(UsbBus *bus, void *opaque)
{
    int *next = opaque;

    *next = MAX(*next, (int)bus->number + 1);
    return 0;
}

UsbBus *usb_bus_new(Device *controller, const UsbBusOps *ops, void *opaque)
{
    int number = 0;
    UsbBus *bus;

    usb_bus_foreach(highest_number, &number);
    if (controller->id) {
        bus = USB_BUS(bus_new(TYPE_USB_BUS, controller, NULL));
    } else {
        g_autofree char *name = g_strdup_printf("usb-bus.%d", number);

        bus = USB_BUS(bus_new(TYPE_USB_BUS, controller, name));
    }
    bus->number = (unsigned)number;
    bus->ops = ops;
    bus->opaque = opaque;
    return bus;
}

typedef struct EachBus {
    int (*fn)(UsbBus *bus, void *opaque);
    void *opaque;
} EachBus;

static int each_bus(Bus *bus, void *opaque)
{
    EachBus *e = opaque;

    return object_is_a(bus, TYPE_USB_BUS) ? e->fn(USB_BUS(bus), e->opaque) : 0;
}

int usb_bus_foreach(int (*fn)(UsbBus *bus, void *opaque), void *opaque)
{
    EachBus e = { fn, opaque };

    return bus_foreach(each_bus, &e);
}

/* --- ports --- */

void usb_port_register(UsbBus *bus, UsbPort *port, const UsbPortOps *ops, void *opaque,
                       unsigned index, uint32_t speeds, UsbDevice *hub)
{
    UsbPort **pp = &bus->ports;

    *port = (UsbPort){ .ops = ops, .opaque = opaque, .bus = bus, .index = index,
                       .speeds = speeds, .hub = hub };
    if (hub) {
        snprintf(port->path, sizeof(port->path), "%.18s.%u", hub->port->path, index + 1);
    } else {
        snprintf(port->path, sizeof(port->path), "%u", index + 1);
    }
    while (*pp) {
        pp = &(*pp)->next;
    }
    *pp = port;
}

void usb_port_unregister(UsbPort *port)
{
    if (port->dev) {
        device_delete(&port->dev->dev);
    }
    for (UsbPort **pp = &port->bus->ports; *pp; pp = &(*pp)->next) {
        if (*pp == port) {
            *pp = port->next;
            break;
        }
    }
}

static uint32_t device_speeds(const UsbDevice *d)
{
    uint32_t speeds = 0;

    for (int i = 0; i < USB_SPEED__MAX; i++) {
        speeds |= d->desc->speeds[i] ? BIT(i) : 0;
    }
    return speeds;
}

static void set_speed(UsbDevice *d, uint32_t speed)
{
    d->speed = speed;
    d->device = d->desc->speeds[speed];
}

static bool attach(UsbDevice *d)
{
    uint32_t both = d->port->speeds & device_speeds(d);

    if (!both) {
        return false;
    }
    set_speed(d, (uint32_t)(31 - __builtin_clz(both)));
    d->attached = true;
    d->port->ops->attach(d->port);
    return true;
}

static void reset_device(UsbDevice *d, UsbState state)
{
    const UsbClass *class = device_data(&d->dev);

    usb_device_end_packets(d);
    usb_device_unconfigure(d);
    d->state = state;
    d->addr = 0;
    d->remote_wakeup = false;
    d->setup_state = USB_CONTROL_IDLE;
    d->setup_index = d->setup_len = 0;
    if (class->reset) {
        class->reset(d);
    }
}

static void detach(UsbDevice *d)
{
    if (d->attached) {
        d->port->ops->detach(d->port);
        d->attached = false;
    }
    reset_device(d, USB_STATE_ATTACHED);
}

void usb_port_hand_over(UsbPort *port, const UsbPortOps *ops, void *opaque, uint32_t speeds,
                        bool quiet)
{
    UsbDevice *d = port->dev;

    if (d && !quiet) {
        detach(d);
    }
    port->ops = ops;
    port->opaque = opaque;
    port->speeds = speeds;
    if (d && !quiet) {
        attach(d);
    } else if (d) {
        uint32_t both = speeds & device_speeds(d);

        d->attached = both != 0;
        if (both) {
            set_speed(d, (uint32_t)(31 - __builtin_clz(both)));
        }
    }
}

void usb_port_reset(UsbPort *port)
{
    if (port->dev && port->dev->attached) {
        reset_device(port->dev, USB_STATE_DEFAULT);
    }
}

void usb_wakeup(UsbDevice *d)
{
    UsbPort *root = d->port;

    if (!d->port || !d->attached) {
        return;
    }
    if (d->remote_wakeup && d->port->ops->wakeup) {
        d->port->ops->wakeup(d->port);
    }
    while (root && root->hub) {
        root = root->hub->port;
    }
    if (root && root->ops->kick) {
        root->ops->kick(root);
    }
}

/* --- devices --- */

static const char *speed_name(uint32_t speeds)
{
    return speeds & BIT(USB_SPEED_SUPER) ? "super" : speeds & BIT(USB_SPEED_HIGH) ? "high"
           : speeds & BIT(USB_SPEED_FULL) ? "full" : "low";
}

static UsbPort *free_port(UsbBus *bus, unsigned *count)
{
    UsbPort *first = NULL;

    *count = 0;
    for (UsbPort *p = bus->ports; p; p = p->next) {
        if (!p->dev) {
            first = first ? first : p;
            (*count)++;
        }
    }
    return first;
}

/* The port that the property names, or the first free one. Rather than taking the bus's last
 * port a device gets a hub there. */
static UsbPort *choose_port(UsbDevice *d, Error **errp)
{
    UsbBus *bus = USB_BUS(d->dev.bus);
    const UsbClass *class = device_data(&d->dev);
    unsigned count;
    UsbPort *port;

    if (d->port_path) {
        for (port = bus->ports; port; port = port->next) {
            if (!strcmp(port->path, d->port_path)) {
                break;
            }
        }
        if (!port || port->dev) {
            error_setf(errp, port ? ERR_IN_USE : ERR_INVALID_ARGUMENT,
                       "usb port %s (bus %s) %s", d->port_path, bus->bus.name,
                       port ? "is in use" : "not found");
            return NULL;
        }
        return port;
    }
    port = free_port(bus, &count);
    if (count == 1 && !class->find && type_find("usb-hub")) {
        Device *hub = device_new("usb-hub");

        if (device_realize_unref(hub, &bus->bus, NULL)) {
            port = free_port(bus, &count);
        }
    }
    if (!port) {
        error_setf(errp, ERR_IN_USE, "tried to attach usb device %s to a bus with no free ports",
                   object_type_name(d));
    }
    return port;
}

static bool usb_device_realize(Device *dev, Error **errp)
{
    UsbDevice *d = USB_DEVICE(dev);
    const UsbClass *class = device_data(dev);

    d->desc = class->describe ? class->describe(d) : class->desc;
    d->port = choose_port(d, errp);
    if (!d->port) {
        return false;
    }
    if (!(d->port->speeds & device_speeds(d))) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "speed mismatch trying to attach usb device \"%s\" (%s speed) to bus \"%s\", "
                   "port \"%s\" (%s speed)", object_type_name(d), speed_name(device_speeds(d)),
                   dev->bus->name, d->port->path, speed_name(d->port->speeds));
        d->port = NULL;
        return false;
    }
    d->port->dev = d;
    set_speed(d, (uint32_t)(31 - __builtin_clz(d->port->speeds & device_speeds(d))));
    return true;
}

/* When the type's own realize is through. */
static bool usb_device_realize_done(Device *dev, UNUSED Error **errp)
{
    UsbDevice *d = USB_DEVICE(dev);

    reset_device(d, USB_STATE_ATTACHED);
    attach(d);
    return true;
}

static void usb_device_unrealize(Device *dev)
{
    UsbDevice *d = USB_DEVICE(dev);

    if (d->port) {
        detach(d);
        d->port->dev = NULL;
        d->port = NULL;
    }
}

/* A device that stays attached through the machine's reset is seen by its controller, which
 * resets too. */
static void usb_device_reset_enter(Device *dev)
{
    reset_device(USB_DEVICE(dev), USB_STATE_ATTACHED);
}

/* --- saved state --- */

static bool usb_device_post_load(void *opaque, Error **errp)
{
    UsbDevice *d = opaque;
    bool speed_ok = d->speed < USB_SPEED__MAX && d->desc->speeds[d->speed];

    if (!speed_ok || d->setup_index > d->setup_len ||
        (d->state == USB_STATE_CONFIGURED) != (d->configuration != 0)) {
        error_setf(errp, ERR_STATE_INVALID, "USB device '%s': %s", object_type_name(d),
                   !speed_ok ? "no such speed" : d->setup_index > d->setup_len
                   ? "setup_index is beyond setup_len" : "state and configuration don't agree");
        if (!speed_ok) {
            d->speed = 0;
            while (!d->desc->speeds[d->speed]) {
                d->speed++;
            }
        }
        usb_device_unconfigure(d);
        d->state = USB_STATE_ATTACHED;
        d->setup_state = USB_CONTROL_IDLE;
        d->setup_index = d->setup_len = 0;
        return false;
    }
    d->device = d->desc->speeds[d->speed];
    d->config = NULL;
    for (unsigned i = 0; d->configuration && i < d->device->n_configs; i++) {
        if (d->device->configs[i].value == d->configuration) {
            d->config = &d->device->configs[i];
        }
    }
    if (d->configuration && !d->config) {
        error_setf(errp, ERR_STATE_INVALID, "USB device '%s' has no configuration %u",
                   object_type_name(d), d->configuration);
        usb_device_unconfigure(d);
        d->state = USB_STATE_ATTACHED;
        return false;
    }
    return true;
}

static bool usb_device_pre_load(void *opaque, UNUSED Error **errp)
{
    UsbDevice *d = opaque;

    /* What was in flight here belongs to the past. */
    usb_device_end_packets(d);
    return true;
}

static const VmField usb_device_fields[] = {
    VM_U32_RANGE(UsbDevice, speed, 0, USB_SPEED__MAX - 1),
    VM_BOOL(UsbDevice, attached),
    VM_U8_RANGE(UsbDevice, addr, 0, USB_NUM_ADDRS - 1),
    VM_U32_RANGE(UsbDevice, state, 0, USB_STATE_CONFIGURED),
    VM_U8(UsbDevice, configuration), VM_U8_ARRAY(UsbDevice, alt),
    VM_BOOL(UsbDevice, remote_wakeup), VM_U32(UsbDevice, halted),
    VM_U8_ARRAY(UsbDevice, setup),
    VM_U32_RANGE(UsbDevice, setup_state, 0, USB_CONTROL_STALLED),
    VM_U32_RANGE(UsbDevice, setup_len, 0, USB_CONTROL_MAX),
    VM_U32_RANGE(UsbDevice, setup_index, 0, USB_CONTROL_MAX),
    VM_BUFFER(UsbDevice, control_data), VM_END
};
/* USB 2.0, 9.3: bmRequestType, bRequest, wValue, wIndex, wLength. */
static void show_setup(StateNode *n)
{
    static const char *const names[] = {
        "GET_STATUS", "CLEAR_FEATURE", NULL, "SET_FEATURE", NULL, "SET_ADDRESS", "GET_DESCRIPTOR", "SET_DESCRIPTOR",
        "GET_CONFIGURATION", "SET_CONFIGURATION", "GET_INTERFACE", "SET_INTERFACE", "SYNCH_FRAME",
    };
    unsigned request = (unsigned)state_number(n, 1);

    state_mean(n, "%s, value 0x%04x, index 0x%04x, length %u",
               !(state_number(n, 0) & 0x60) && request < ARRAY_SIZE(names) && names[request] ? names[request]
               : "a request of its class", (unsigned)(state_number(n, 2) | state_number(n, 3) << 8),
               (unsigned)(state_number(n, 4) | state_number(n, 5) << 8),
               (unsigned)(state_number(n, 6) | state_number(n, 7) << 8));
}

static const VmMeaning usb_device_meanings[] = {
    { "state", "of the device", VALUES("attached", "default", "address", "configured") },
    { "setup_state", "of its control pipe", VALUES("idle", "data in", "data out", "status in", "stalled") },
    { "configuration", "that the host has chosen; 0: none" },
    { "setup_len", "bytes of the data stage" }, { "setup_index", "of these, moved" },
    { "speed", VALUES("low", "full", "high", "super") }, { "addr", "that the host has given it" },
    { "alt", "alternate setting of each interface", .payload = "a byte for each" },
    { "halted", "endpoints that are halted, a bit each" }, { "setup", "last control request", .show = show_setup },
    { "control_data", .payload = "data of a control transfer" }, { .name = NULL }
};

const VmState usb_device_vm = {
    1, usb_device_fields, .name = "usb-device", .pre_load = usb_device_pre_load,
    .post_load = usb_device_post_load, .meanings = usb_device_meanings,
};

static const Property usb_device_props[] = {
    PROP_STR("port", UsbDevice, port_path, NULL, "port of the bus, as \"1\" or, behind a hub, \"1.2\""),
    PROP_STR("serial", UsbDevice, serial, NULL, "serial number string"),
    PROP_BOOL("msos-desc", UsbDevice, msos_desc, true, "has Microsoft OS descriptors"),
    PROP_END
};

static const DeviceType usb_device_type = {
    .name = TYPE_USB_DEVICE, .parent = TYPE_DEVICE, .size = sizeof(UsbDevice), .abstract = true,
    .bus_type = TYPE_USB_BUS, .hotpluggable = true, .category = DEVICE_USB,
    .props = usb_device_props, .realize = usb_device_realize,
    .realize_done = usb_device_realize_done, .unrealize = usb_device_unrealize,
    .reset_enter = usb_device_reset_enter,
};
DEVICE_TYPE(usb_device_type)
