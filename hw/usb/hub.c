/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-hub: a self-powered full-speed hub.
 *
 * Source: Universal Serial Bus Specification 2.0 ("USB2"), chapter 11.
 * Not modelled: over-current, test mode, indicators.
 */
#include "util/osdep.h"
#include "hw/usb/usb.h"

#include "qobject/error.h"
#include "util/bswap.h"

#define TYPE_USB_HUB    "usb-hub"
#define HUB_PORTS_MAX   8

/* USB2 table 11-17. */
enum { FEATURE_CONNECTION = 0, FEATURE_ENABLE = 1, FEATURE_SUSPEND = 2, FEATURE_OVER_CURRENT = 3,
       FEATURE_RESET = 4, FEATURE_POWER = 8, FEATURE_C_CONNECTION = 16, FEATURE_C_ENABLE = 17,
       FEATURE_C_SUSPEND = 18, FEATURE_C_OVER_CURRENT = 19, FEATURE_C_RESET = 20 };
/* USB2 tables 11-21, 11-22. */
enum { STATUS_CONNECTION = BIT(0), STATUS_ENABLE = BIT(1), STATUS_SUSPEND = BIT(2),
       STATUS_RESET = BIT(4), STATUS_POWER = BIT(8), STATUS_LOW_SPEED = BIT(9),
       STATUS_ALL = 0x0317 };
enum { CHANGE_CONNECTION = BIT(0), CHANGE_ENABLE = BIT(1), CHANGE_SUSPEND = BIT(2),
       CHANGE_RESET = BIT(4), CHANGE_ALL = 0x17 };

typedef struct HubPort {
    UsbPort port;
    uint16_t status, change;
} HubPort;

typedef struct UsbHub {
    UsbDevice usb;
    uint32_t num_ports;
    bool ports_made;
    HubPort ports[HUB_PORTS_MAX];
} UsbHub;
DEFINE_CAST(USB_HUB, UsbHub, TYPE_USB_HUB)

static const UsbEndpointDesc endpoints[] = {
    { .addr = USB_DIR_IN | 1, .attributes = USB_EP_INTERRUPT, .max_packet = 2, .interval = 255 },
};
static const UsbInterfaceDesc interfaces[] = {
    { .class_code = 9, .n_eps = 1, .eps = endpoints },
};
static const UsbConfigDesc configs[] = {
    { .value = 1, .attributes = USB_CFG_ONE | USB_CFG_SELF_POWERED | USB_CFG_WAKEUP,
      .n_interfaces = 1, .n = 1, .interfaces = interfaces },
};
static const UsbDeviceDesc full_speed = {
    .usb_version = 0x0110, .class_code = 9, .max_packet0 = 8, .n_configs = 1, .configs = configs,
};
static const char *const strings[] = { "", "QEMU", "QEMU USB Hub", "314159", NULL };
static const UsbDescriptors hub_desc = {
    .vendor = 0x0409, .product = 0x55aa, .device_version = 0x0101, .manufacturer = 1,
    .product_string = 2, .serial = 3, .strings = strings,
    .speeds = { [USB_SPEED_FULL] = &full_speed },
};

/* --- ports --- */

static void changed(UsbHub *s, HubPort *p, uint16_t change)
{
    p->change |= change;
    usb_wakeup(&s->usb);
}

static void port_attach(UsbPort *port)
{
    UsbHub *s = port->opaque;
    HubPort *p = &s->ports[port->index];

    p->status = (uint16_t)((p->status & ~STATUS_LOW_SPEED) | STATUS_CONNECTION |
                           (port->dev->speed == USB_SPEED_LOW ? STATUS_LOW_SPEED : 0));
    changed(s, p, CHANGE_CONNECTION);
}

static void port_detach(UsbPort *port)
{
    UsbHub *s = port->opaque;
    HubPort *p = &s->ports[port->index];
    bool enabled = p->status & STATUS_ENABLE;

    p->status &= ~(STATUS_CONNECTION | STATUS_ENABLE | STATUS_SUSPEND | STATUS_LOW_SPEED);
    changed(s, p, (uint16_t)(CHANGE_CONNECTION | (enabled ? CHANGE_ENABLE : 0)));
}

/* USB2 11.9: what wakes up a port behind a sleeping hub goes on to the host. */
static void port_wakeup(UsbPort *port)
{
    UsbHub *s = port->opaque;
    HubPort *p = &s->ports[port->index];

    if (p->status & STATUS_SUSPEND) {
        p->status &= ~STATUS_SUSPEND;
        changed(s, p, CHANGE_SUSPEND);
    }
}

static const UsbPortOps port_ops = { port_attach, port_detach, port_wakeup };

static UsbDevice *hub_find(UsbDevice *d, uint8_t addr)
{
    UsbHub *s = USB_HUB(d);
    UsbDevice *found = NULL;

    for (unsigned i = 0; i < s->num_ports && !found; i++) {
        const HubPort *p = &s->ports[i];

        if ((p->status & STATUS_ENABLE) && !(p->status & STATUS_SUSPEND)) {
            found = usb_find_device(&p->port, addr);
        }
    }
    return found;
}

/* --- requests (USB2 11.24.2) --- */

static UsbStatus set_port_feature(HubPort *p, uint16_t feature)
{
    switch (feature) {
    case FEATURE_SUSPEND:
        if (p->status & STATUS_ENABLE) {
            p->status |= STATUS_SUSPEND;
        }
        return USB_OK;
    case FEATURE_RESET:
        if (p->status & STATUS_CONNECTION) {
            usb_port_reset(&p->port);
            p->status = (uint16_t)((p->status & ~STATUS_SUSPEND) | STATUS_ENABLE);
            p->change |= CHANGE_RESET;
        }
        return USB_OK;
    case FEATURE_POWER:
        p->status |= STATUS_POWER;
        return USB_OK;
    default:
        return USB_STALL;
    }
}

static UsbStatus clear_port_feature(HubPort *p, uint16_t feature)
{
    switch (feature) {
    case FEATURE_ENABLE:
        p->status &= ~STATUS_ENABLE;
        return USB_OK;
    case FEATURE_SUSPEND:
        if (p->status & STATUS_SUSPEND) {
            p->status &= ~STATUS_SUSPEND;
            p->change |= CHANGE_SUSPEND;
        }
        return USB_OK;
    case FEATURE_POWER:
        p->status &= ~(STATUS_POWER | STATUS_ENABLE | STATUS_SUSPEND);
        return USB_OK;
    case FEATURE_C_CONNECTION:
    case FEATURE_C_ENABLE:
    case FEATURE_C_SUSPEND:
    case FEATURE_C_OVER_CURRENT:
    case FEATURE_C_RESET:
        p->change &= ~BIT(feature - FEATURE_C_CONNECTION);
        return USB_OK;
    default:
        return USB_STALL;
    }
}

/* USB2 11.23.2.1; ports are switched one by one and have no over-current sense. */
static uint32_t hub_descriptor(const UsbHub *s, uint8_t *data, uint16_t room)
{
    unsigned bytes = (s->num_ports + 1 + 7) / 8;
    uint8_t d[7 + 2 * 2] = { 0 };
    uint32_t len = 7 + 2 * bytes;

    d[0] = (uint8_t)len;
    d[1] = USB_DT_HUB;
    d[2] = (uint8_t)s->num_ports;
    d[3] = 0x11;
    d[5] = 1;                           /* 2 ms to power good */
    memset(d + 7 + bytes, 0xff, bytes);
    len = MIN(len, room);
    memcpy(data, d, len);
    return len;
}

static UsbStatus hub_control(UsbDevice *d, const UsbSetup *r, uint8_t *data, uint32_t *actual)
{
    UsbHub *s = USB_HUB(d);
    HubPort *p = r->index >= 1 && r->index <= s->num_ports ? &s->ports[r->index - 1] : NULL;
    uint8_t status[4] = { 0 };

    switch (USB_REQ(r->type, r->request)) {
    case USB_REQ(USB_DIR_IN | USB_TYPE_CLASS, USB_GET_STATUS):
        *actual = MIN(r->length, 4);
        memset(data, 0, *actual);
        return USB_OK;
    case USB_REQ(USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_OTHER, USB_GET_STATUS):
        if (!p) {
            return USB_STALL;
        }
        store_le16(status, p->status);
        store_le16(status + 2, p->change);
        *actual = MIN(r->length, 4);
        memcpy(data, status, *actual);
        return USB_OK;
    case USB_REQ(USB_TYPE_CLASS, USB_CLEAR_FEATURE):        /* C_HUB_LOCAL_POWER and the like */
    case USB_REQ(USB_TYPE_CLASS, USB_SET_FEATURE):
        return r->value < 2 ? USB_OK : USB_STALL;
    case USB_REQ(USB_TYPE_CLASS | USB_RECIP_OTHER, USB_SET_FEATURE):
        return p ? set_port_feature(p, r->value) : USB_STALL;
    case USB_REQ(USB_TYPE_CLASS | USB_RECIP_OTHER, USB_CLEAR_FEATURE):
        return p ? clear_port_feature(p, r->value) : USB_STALL;
    case USB_REQ(USB_DIR_IN | USB_TYPE_CLASS, USB_GET_DESCRIPTOR):
        if (r->value >> 8 != USB_DT_HUB && r->value >> 8 != 0) {
            return USB_STALL;
        }
        *actual = hub_descriptor(s, data, r->length);
        return USB_OK;
    default:
        return USB_STALL;
    }
}

/* USB2 11.12.4: one bit a port, bit 0 for the hub itself. */
static UsbStatus hub_transfer(UsbDevice *d, UsbPacket *p)
{
    UsbHub *s = USB_HUB(d);
    uint32_t bits = 0, bytes = (s->num_ports + 1 + 7) / 8;
    uint8_t out[4];

    for (unsigned i = 0; i < s->num_ports; i++) {
        bits |= s->ports[i].change ? BIT(i + 1) : 0;
    }
    if (!bits) {
        return USB_NAK;
    }
    store_le32(out, bits);
    return usb_packet_put(p, out, bytes);
}

static void hub_reset(UsbDevice *d)
{
    UsbHub *s = USB_HUB(d);

    for (unsigned i = 0; i < s->num_ports; i++) {
        HubPort *p = &s->ports[i];

        p->status = p->change = 0;
        if (p->port.dev && p->port.dev->attached) {
            p->status = (uint16_t)(STATUS_CONNECTION |
                                   (p->port.dev->speed == USB_SPEED_LOW ? STATUS_LOW_SPEED : 0));
            p->change = CHANGE_CONNECTION;
        }
        p->status |= STATUS_POWER;
    }
}

static unsigned depth(const UsbDevice *d)
{
    unsigned n = 0;

    for (; d; d = d->port ? d->port->hub : NULL) {
        n++;
    }
    return n;
}

static bool hub_realize(Device *dev, Error **errp)
{
    UsbHub *s = USB_HUB(dev);

    if (depth(&s->usb) > USB_HUB_DEPTH) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "usb hub chain too deep; accepted: %d hubs in a row",
                   USB_HUB_DEPTH);
        return false;
    }
    for (unsigned i = 0; i < s->num_ports; i++) {
        usb_port_register(s->usb.port->bus, &s->ports[i].port, &port_ops, s, i,
                          BIT(USB_SPEED_LOW) | BIT(USB_SPEED_FULL), &s->usb);
    }
    s->ports_made = true;
    return true;
}

static void hub_unrealize(Device *dev)
{
    UsbHub *s = USB_HUB(dev);

    for (unsigned i = 0; s->ports_made && i < s->num_ports; i++) {
        usb_port_unregister(&s->ports[i].port);
    }
    s->ports_made = false;
}

static const VmField port_fields[] = {
    VM_U16_RANGE(HubPort, status, 0, STATUS_ALL), VM_U16_RANGE(HubPort, change, 0, CHANGE_ALL),
    VM_END
};
static const VmMeaning port_meanings[] = {
    { "status", "wPortStatus", .flags = FLAGS({ "CONNECTION", STATUS_CONNECTION }, { "ENABLE", STATUS_ENABLE },
      { "SUSPEND", STATUS_SUSPEND },
      { "OVER_CURRENT", 8 }, { "RESET", STATUS_RESET }, { "POWER", STATUS_POWER }, { "LOW_SPEED", STATUS_LOW_SPEED }) },
    { "change", "wPortChange", .flags = FLAGS({ "CONNECTION", CHANGE_CONNECTION }, { "ENABLE", CHANGE_ENABLE },
      { "SUSPEND", CHANGE_SUSPEND }, { "OVER_CURRENT", 8 }, { "RESET", CHANGE_RESET }) },
    { .name = NULL }
};
static const VmState port_vm = { 1, port_fields, .name = "port", .meanings = port_meanings };
static const VmField hub_fields[] = {
    VM_USB(UsbHub, usb), VM_STRUCT_ARRAY(UsbHub, ports, port_vm), VM_END
};

static const Property hub_props[] = {
    PROP_U32_RANGE("ports", UsbHub, num_ports, 8, 1, HUB_PORTS_MAX,
                   "number of ports"),
    PROP_END
};

static const UsbClass hub_class = {
    .desc = &hub_desc, .reset = hub_reset, .control = hub_control, .transfer = hub_transfer,
    .find = hub_find,
};

static const DeviceType hub_type = {
    .name = TYPE_USB_HUB, .parent = TYPE_USB_DEVICE, .size = sizeof(UsbHub),
    .desc = "USB hub", .category = DEVICE_BRIDGE, .fw_name = "hub", .props = hub_props,
    .realize = hub_realize, .unrealize = hub_unrealize, .vm = { 1, hub_fields },
    .data = &hub_class,
};
DEVICE_TYPE(hub_type)
