/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Standard requests of USB devices, answered from their tables.
 *
 * Sources: Universal Serial Bus Specification 2.0 ("USB2"), chapter 9, and 3.0 ("USB3"),
 * chapter 9; Microsoft OS 1.0 Descriptors Specification ("MSOS").
 */
#include "util/osdep.h"
#include "hw/usb/usb.h"
#include "hw/usb/usb-int.h"

#include <glib.h>
#include "util/bswap.h"

#define LANG_EN_US      0x0409
#define MSOS_STRING     0xee
#define MSOS_VENDOR     0x51        /* bMS_VendorCode */
enum { FEATURE_ENDPOINT_HALT = 0, FEATURE_REMOTE_WAKEUP = 1, FEATURE_TEST_MODE = 2,
       FEATURE_U1_ENABLE = 48, FEATURE_U2_ENABLE = 49, FEATURE_LTM_ENABLE = 50,
       FEATURE_FUNCTION_SUSPEND = 0 };

/* An answer that grows; what doesn't fit is counted only. */
typedef struct Out {
    uint8_t *buf;
    uint32_t room, len;
} Out;

static void put8(Out *o, uint8_t v)
{
    if (o->len < o->room) {
        o->buf[o->len] = v;
    }
    o->len++;
}

static void put16(Out *o, uint16_t v)
{
    put8(o, (uint8_t)v);
    put8(o, (uint8_t)(v >> 8));
}

static void put32(Out *o, uint32_t v)
{
    put16(o, (uint16_t)v);
    put16(o, (uint16_t)(v >> 16));
}

static void patch16(Out *o, uint32_t at, uint16_t v)
{
    Out at_place = { o->buf, o->room, at };

    put16(&at_place, v);
}

/* --- tables --- */

const UsbInterfaceDesc *usb_interface(const UsbDevice *d, unsigned number)
{
    for (unsigned i = 0; d->config && i < d->config->n; i++) {
        const UsbInterfaceDesc *f = &d->config->interfaces[i];

        if (f->number == number && number < USB_MAX_INTERFACES && f->alt == d->alt[number]) {
            return f;
        }
    }
    return NULL;
}

const UsbEndpointDesc *usb_endpoint(const UsbDevice *d, uint8_t ep_addr)
{
    for (unsigned n = 0; d->config && n < d->config->n_interfaces; n++) {
        const UsbInterfaceDesc *f = usb_interface(d, n);

        for (unsigned i = 0; f && i < f->n_eps; i++) {
            if (f->eps[i].addr == ep_addr) {
                return &f->eps[i];
            }
        }
    }
    return NULL;
}

const char *usb_string(const UsbDevice *d, unsigned index)
{
    const char *const *s = d->desc->strings;

    if (index && index == d->desc->serial && d->serial) {
        return d->serial;
    }
    for (unsigned i = 1; s && s[i]; i++) {
        if (i == index) {
            return s[i];
        }
    }
    return NULL;
}

/* --- descriptors (USB2 9.6) --- */

static void put_device(const UsbDevice *d, Out *o)
{
    const UsbDeviceDesc *v = d->device;

    put8(o, 18);
    put8(o, USB_DT_DEVICE);
    put16(o, v->usb_version);
    put8(o, v->class_code);
    put8(o, v->subclass);
    put8(o, v->protocol);
    put8(o, v->max_packet0);
    put16(o, d->desc->vendor);
    put16(o, d->desc->product);
    put16(o, d->desc->device_version);
    put8(o, d->desc->manufacturer);
    put8(o, d->desc->product_string);
    put8(o, d->desc->serial);
    put8(o, v->n_configs);
}

static void put_qualifier(const UsbDeviceDesc *v, Out *o)
{
    put8(o, 10);
    put8(o, USB_DT_QUALIFIER);
    put16(o, v->usb_version);
    put8(o, v->class_code);
    put8(o, v->subclass);
    put8(o, v->protocol);
    put8(o, v->max_packet0);
    put8(o, v->n_configs);
    put8(o, 0);
}

static void put_interface(const UsbInterfaceDesc *f, Out *o, bool super)
{
    put8(o, 9);
    put8(o, USB_DT_INTERFACE);
    put8(o, f->number);
    put8(o, f->alt);
    put8(o, f->n_eps);
    put8(o, f->class_code);
    put8(o, f->subclass);
    put8(o, f->protocol);
    put8(o, f->string);
    for (unsigned i = 0; f->extra && i < f->extra[0]; i++) {
        put8(o, f->extra[i]);
    }
    for (unsigned i = 0; i < f->n_eps; i++) {
        const UsbEndpointDesc *e = &f->eps[i];

        put8(o, 7);
        put8(o, USB_DT_ENDPOINT);
        put8(o, e->addr);
        put8(o, e->attributes);
        put16(o, e->max_packet);
        put8(o, e->interval);
        if (super) {                    /* USB3 9.6.7 */
            put8(o, 6);
            put8(o, USB_DT_EP_COMPANION);
            put8(o, e->max_burst);
            put8(o, 0);
            put16(o, (e->attributes & 3) == USB_EP_INTERRUPT ? e->max_packet : 0);
        }
    }
}

static void put_config(const UsbConfigDesc *c, Out *o, uint8_t type, bool super)
{
    uint32_t start = o->len;

    put8(o, 9);
    put8(o, type);
    put16(o, 0);
    put8(o, c->n_interfaces);
    put8(o, c->value);
    put8(o, c->string);
    put8(o, c->attributes);
    put8(o, c->max_power_ma / (super ? 8 : 2));
    for (unsigned i = 0; i < c->n; i++) {
        put_interface(&c->interfaces[i], o, super);
    }
    patch16(o, start + 2, (uint16_t)(o->len - start));
}

/* USB3 9.6.2: binary object store, with what USB 2.0 extension and SuperSpeed say. */
static void put_bos(const UsbDevice *d, Out *o)
{
    bool super = d->desc->speeds[USB_SPEED_SUPER] != NULL;

    put8(o, 5);
    put8(o, USB_DT_BOS);
    put16(o, super ? 5 + 7 + 10 : 5 + 7);
    put8(o, super ? 2 : 1);
    put8(o, 7);
    put8(o, 16);
    put8(o, 2);                         /* USB 2.0 EXTENSION: no link power management */
    put32(o, 0);
    if (super) {
        put8(o, 10);
        put8(o, 16);
        put8(o, 3);                     /* SUPERSPEED_USB */
        put8(o, 0);
        put16(o, 0x000e);               /* full, high and super speed */
        put8(o, 1);                     /* works from full speed up */
        put8(o, 0x0a);
        put16(o, 0x20);
    }
}

static void put_utf16(Out *o, const char *text, unsigned max)
{
    g_autofree gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, NULL, NULL);

    for (unsigned i = 0; wide && wide[i] && i < max; i++) {
        put16(o, wide[i]);
    }
}

static bool put_string(const UsbDevice *d, Out *o, uint8_t index)
{
    const char *text;
    uint32_t start = o->len;

    put8(o, 0);
    put8(o, USB_DT_STRING);
    if (index == 0) {
        put16(o, LANG_EN_US);
    } else if (index == MSOS_STRING && d->msos_desc && d->desc->msos_selective_suspend) {
        put_utf16(o, "MSFT100", 7);     /* MSOS, "OS string descriptor" */
        put8(o, MSOS_VENDOR);
        put8(o, 0);
    } else {
        text = usb_string(d, index);
        if (!text) {
            return false;
        }
        put_utf16(o, text, 126);
    }
    if (start < o->room) {
        o->buf[start] = (uint8_t)(o->len - start);
    }
    return true;
}

static bool put_descriptor(const UsbDevice *d, Out *o, uint8_t type, uint8_t index)
{
    bool super = d->speed == USB_SPEED_SUPER;
    const UsbDeviceDesc *other = NULL;

    if (d->speed == USB_SPEED_HIGH || d->speed == USB_SPEED_FULL) {
        other = d->desc->speeds[d->speed == USB_SPEED_HIGH ? USB_SPEED_FULL : USB_SPEED_HIGH];
    }
    switch (type) {
    case USB_DT_DEVICE:
        put_device(d, o);
        return true;
    case USB_DT_CONFIG:
        if (index >= d->device->n_configs) {
            return false;
        }
        put_config(&d->device->configs[index], o, USB_DT_CONFIG, super);
        return true;
    case USB_DT_STRING:
        return put_string(d, o, index);
    case USB_DT_QUALIFIER:              /* USB2 9.6.2: an error without the other speed */
        if (other) {
            put_qualifier(other, o);
        }
        return other;
    case USB_DT_OTHER_SPEED:
        if (!other || index >= other->n_configs) {
            return false;
        }
        put_config(&other->configs[index], o, USB_DT_OTHER_SPEED, false);
        return true;
    case USB_DT_BOS:
        if (d->device->usb_version < 0x0201) {
            return false;
        }
        put_bos(d, o);
        return true;
    default:
        return false;
    }
}

/* --- Microsoft's --- */

/* "Extended compat ID" and "extended properties" (MSOS). */
static bool put_msos(const UsbDevice *d, Out *o, uint16_t index)
{
    static const char name[] = "SelectiveSuspendEnabled";

    if (!d->msos_desc || !d->desc->msos_selective_suspend) {
        return false;
    }
    if (index == 4) {
        put32(o, 16);
        put16(o, 0x0100);
        put16(o, index);
        for (int i = 0; i < 8; i++) {
            put8(o, 0);                 /* no sections */
        }
    } else if (index == 5) {
        uint32_t section = 4 + 4 + 2 + 2 * sizeof(name) + 4 + 4;

        put32(o, 10 + section);
        put16(o, 0x0100);
        put16(o, index);
        put16(o, 1);
        put32(o, section);
        put32(o, 4);                    /* REG_DWORD_LITTLE_ENDIAN */
        put16(o, 2 * sizeof(name));
        put_utf16(o, name, sizeof(name));
        put16(o, 0);
        put32(o, 4);
        put32(o, 1);
    } else {
        return false;
    }
    return true;
}

/* --- requests (USB2 9.4) --- */

void usb_device_unconfigure(UsbDevice *d)
{
    d->configuration = 0;
    d->config = NULL;
    memset(d->alt, 0, sizeof(d->alt));
    d->halted = 0;
}

static void tell_configured(UsbDevice *d)
{
    const UsbClass *class = device_data(&d->dev);

    if (class->configured) {
        class->configured(d);
    }
}

static UsbStatus set_configuration(UsbDevice *d, uint8_t value)
{
    const UsbConfigDesc *c = NULL;

    for (unsigned i = 0; i < d->device->n_configs; i++) {
        if (d->device->configs[i].value == value) {
            c = &d->device->configs[i];
        }
    }
    if (value && !c) {
        return USB_STALL;
    }
    usb_device_end_packets(d);
    usb_device_unconfigure(d);
    d->configuration = value;
    d->config = c;
    d->state = value ? USB_STATE_CONFIGURED : USB_STATE_ADDRESS;
    tell_configured(d);
    return USB_OK;
}

static UsbStatus set_interface(UsbDevice *d, uint16_t number, uint16_t alt)
{
    for (unsigned i = 0; d->config && i < d->config->n; i++) {
        const UsbInterfaceDesc *f = &d->config->interfaces[i];

        if (f->number == number && f->alt == alt && number < USB_MAX_INTERFACES) {
            usb_device_end_packets(d);
            d->alt[number] = (uint8_t)alt;
            d->halted = 0;
            tell_configured(d);
            return USB_OK;
        }
    }
    return USB_STALL;
}

static UsbStatus device_request(UsbDevice *d, const UsbSetup *s, Out *o)
{
    switch (USB_REQ(s->type, s->request)) {
    case USB_REQ(USB_DIR_IN, USB_GET_STATUS):
        put16(o, (uint16_t)((d->config && (d->config->attributes & USB_CFG_SELF_POWERED)) |
                            d->remote_wakeup << 1));
        return USB_OK;
    case USB_REQ(0, USB_CLEAR_FEATURE):
    case USB_REQ(0, USB_SET_FEATURE):
        if (s->value == FEATURE_REMOTE_WAKEUP && d->config &&
            (d->config->attributes & USB_CFG_WAKEUP)) {
            d->remote_wakeup = s->request == USB_SET_FEATURE;
            return USB_OK;
        }
        return d->speed == USB_SPEED_SUPER && s->value >= FEATURE_U1_ENABLE &&
               s->value <= FEATURE_LTM_ENABLE ? USB_OK : USB_STALL;
    case USB_REQ(0, USB_SET_ADDRESS):
        if (s->value >= USB_NUM_ADDRS) {
            return USB_STALL;
        }
        d->addr = (uint8_t)s->value;
        d->state = d->addr ? USB_STATE_ADDRESS : USB_STATE_DEFAULT;
        return USB_OK;
    case USB_REQ(USB_DIR_IN, USB_GET_DESCRIPTOR):
        return put_descriptor(d, o, (uint8_t)(s->value >> 8), (uint8_t)s->value) ? USB_OK
                                                                                 : USB_STALL;
    case USB_REQ(USB_DIR_IN, USB_GET_CONFIGURATION):
        put8(o, d->configuration);
        return USB_OK;
    case USB_REQ(0, USB_SET_CONFIGURATION):
        return s->value < 256 ? set_configuration(d, (uint8_t)s->value) : USB_STALL;
    case USB_REQ(0, USB_SET_SEL):
    case USB_REQ(0, USB_SET_ISOCH_DELAY):
        return d->speed == USB_SPEED_SUPER ? USB_OK : USB_STALL;
    case USB_REQ(USB_DIR_IN | USB_TYPE_VENDOR, MSOS_VENDOR):
        return put_msos(d, o, s->index) ? USB_OK : USB_STALL;
    default:
        return USB_STALL;
    }
}

static UsbStatus interface_request(UsbDevice *d, const UsbSetup *s, Out *o)
{
    const UsbInterfaceDesc *f = usb_interface(d, s->index);

    switch (USB_REQ(s->type, s->request)) {
    case USB_REQ(USB_DIR_IN | USB_RECIP_INTERFACE, USB_GET_STATUS):
        put16(o, 0);
        return f ? USB_OK : USB_STALL;
    case USB_REQ(USB_DIR_IN | USB_RECIP_INTERFACE, USB_GET_INTERFACE):
        if (!f) {
            return USB_STALL;
        }
        put8(o, f->alt);
        return USB_OK;
    case USB_REQ(USB_RECIP_INTERFACE, USB_SET_INTERFACE):
        return set_interface(d, s->index, s->value);
    case USB_REQ(USB_RECIP_INTERFACE, USB_SET_FEATURE):
    case USB_REQ(USB_RECIP_INTERFACE, USB_CLEAR_FEATURE):
        return f && d->speed == USB_SPEED_SUPER && s->value == FEATURE_FUNCTION_SUSPEND
               ? USB_OK : USB_STALL;
    case USB_REQ(USB_DIR_IN | USB_TYPE_VENDOR | USB_RECIP_INTERFACE, MSOS_VENDOR):
        return put_msos(d, o, s->index) ? USB_OK : USB_STALL;
    default:
        return USB_STALL;
    }
}

static UsbStatus endpoint_request(UsbDevice *d, const UsbSetup *s, Out *o)
{
    uint8_t ep = (uint8_t)s->index;

    if ((ep & 0x0f) && !usb_endpoint(d, ep)) {
        return USB_STALL;
    }
    switch (USB_REQ(s->type, s->request)) {
    case USB_REQ(USB_DIR_IN | USB_RECIP_ENDPOINT, USB_GET_STATUS):
        put16(o, usb_is_halted(d, ep));
        return USB_OK;
    case USB_REQ(USB_RECIP_ENDPOINT, USB_CLEAR_FEATURE):
    case USB_REQ(USB_RECIP_ENDPOINT, USB_SET_FEATURE):
        if (s->value != FEATURE_ENDPOINT_HALT) {
            return USB_STALL;
        }
        usb_set_halt(d, ep, s->request == USB_SET_FEATURE && (ep & 0x0f));
        return USB_OK;
    default:
        return USB_STALL;
    }
}

UsbStatus usb_desc_control(UsbDevice *d, const UsbSetup *s, uint8_t *data, uint32_t *actual)
{
    Out o = { data, s->length, 0 };
    UsbStatus status = USB_STALL;

    switch (s->type & 0x1f) {
    case USB_RECIP_DEVICE:
        status = device_request(d, s, &o);
        break;
    case USB_RECIP_INTERFACE:
        status = interface_request(d, s, &o);
        break;
    case USB_RECIP_ENDPOINT:
        status = endpoint_request(d, s, &o);
        break;
    default:
        break;
    }
    *actual = MIN(o.len, o.room);
    return status;
}
