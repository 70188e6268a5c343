/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of USB devices, and control transfers on endpoint 0.
 *
 * Source: Universal Serial Bus Specification 2.0 ("USB2"), 8.5.3 and 9.3.
 */
#include "util/osdep.h"
#include "hw/usb/usb.h"
#include "hw/usb/usb-int.h"

#include "util/bswap.h"

/* --- control transfers (USB2 8.5.3) --- */

static UsbStatus run_request(UsbDevice *d, uint32_t *actual)
{
    const UsbClass *class = device_data(&d->dev);
    const UsbSetup s = {
        d->setup[0], d->setup[1], load_le16(d->setup + 2), load_le16(d->setup + 4),
        load_le16(d->setup + 6),
    };
    UsbStatus status = usb_desc_control(d, &s, d->control_data, actual);

    if (status == USB_STALL && class->control) {
        status = class->control(d, &s, d->control_data, actual);
    }
    return status == USB_OK ? USB_OK : USB_STALL;
}

static UsbStatus control_setup(UsbDevice *d, UsbPacket *p)
{
    uint16_t length;

    if (p->len != sizeof(d->setup)) {
        return USB_IOERROR;
    }
    memcpy(d->setup, p->data, sizeof(d->setup));
    p->actual = sizeof(d->setup);
    length = load_le16(d->setup + 6);
    d->setup_index = d->setup_len = 0;
    d->halted &= ~(BIT(0) | BIT(16));
    if (length > USB_CONTROL_MAX) {
        d->setup_state = USB_CONTROL_STALLED;
    } else if (!length) {
        d->setup_state = USB_CONTROL_STATUS_IN;
    } else if (d->setup[0] & USB_DIR_IN) {
        uint32_t actual = 0;

        memset(d->control_data, 0, length);
        if (run_request(d, &actual) == USB_OK) {
            d->setup_len = MIN(actual, length);
            d->setup_state = USB_CONTROL_DATA_IN;
        } else {
            d->setup_state = USB_CONTROL_STALLED;
        }
    } else {
        d->setup_len = length;
        d->setup_state = USB_CONTROL_DATA_OUT;
    }
    return USB_OK;
}

static UsbStatus control_in(UsbDevice *d, UsbPacket *p)
{
    uint32_t n, actual = 0;
    UsbStatus status;

    switch (d->setup_state) {
    case USB_CONTROL_DATA_IN:
        n = MIN(p->len, d->setup_len - d->setup_index);
        memcpy(p->data, d->control_data + d->setup_index, n);
        d->setup_index += n;
        p->actual = n;
        return USB_OK;
    case USB_CONTROL_DATA_OUT:
        if (d->setup_index < d->setup_len) {
            break;                      /* the status stage came too early */
        }
        /* fall through */
    case USB_CONTROL_STATUS_IN:
        d->setup_state = USB_CONTROL_IDLE;
        status = run_request(d, &actual);
        if (status != USB_OK) {
            d->setup_state = USB_CONTROL_STALLED;
        }
        return status;
    default:
        break;
    }
    d->setup_state = USB_CONTROL_STALLED;
    return USB_STALL;
}

static UsbStatus control_out(UsbDevice *d, UsbPacket *p)
{
    switch (d->setup_state) {
    case USB_CONTROL_DATA_IN:           /* the status stage, maybe before all was fetched */
        d->setup_state = USB_CONTROL_IDLE;
        p->actual = p->len;
        return USB_OK;
    case USB_CONTROL_DATA_OUT:
        if (p->len > d->setup_len - d->setup_index) {
            break;
        }
        memcpy(d->control_data + d->setup_index, p->data, p->len);
        d->setup_index += p->len;
        p->actual = p->len;
        return USB_OK;
    default:
        break;
    }
    d->setup_state = USB_CONTROL_STALLED;
    return USB_STALL;
}

static UsbStatus control_packet(UsbDevice *d, UsbPacket *p)
{
    switch (p->pid) {
    case USB_PID_SETUP:
        return control_setup(d, p);
    case USB_PID_IN:
        return control_in(d, p);
    default:
        return control_out(d, p);
    }
}

/* --- packets --- */

static uint32_t halt_bit(uint8_t ep_addr)
{
    return BIT((ep_addr & 15) + (ep_addr & USB_DIR_IN ? 16 : 0));
}

void usb_set_halt(UsbDevice *d, uint8_t ep_addr, bool halt)
{
    d->halted = halt ? d->halted | halt_bit(ep_addr) : d->halted & ~halt_bit(ep_addr);
}

bool usb_is_halted(const UsbDevice *d, uint8_t ep_addr)
{
    return d->halted & halt_bit(ep_addr);
}

static bool endpoint_busy(const UsbDevice *d, uint8_t ep_addr)
{
    for (const UsbPacket *p = d->packets; p; p = p->next) {
        if (usb_ep_addr(p) == ep_addr) {
            return true;
        }
    }
    return false;
}

static UsbStatus endpoint_packet(UsbDevice *d, UsbPacket *p)
{
    const UsbClass *class = device_data(&d->dev);
    uint8_t addr = usb_ep_addr(p);
    UsbStatus status;

    if (p->pid == USB_PID_SETUP || !usb_endpoint(d, addr) || !class->transfer) {
        return USB_IOERROR;             /* nothing answers there */
    }
    if (usb_is_halted(d, addr)) {
        return USB_STALL;
    }
    if (endpoint_busy(d, addr)) {
        return USB_NAK;
    }
    status = class->transfer(d, p);
    if (status == USB_STALL) {
        usb_set_halt(d, addr, true);
    }
    return status;
}

UsbStatus usb_packet_submit(UsbDevice *d, UsbPacket *p, uint8_t pid, uint8_t ep, uint8_t *data,
                            uint32_t len)
{
    assert(!p->dev);
    p->pid = pid;
    p->ep = ep & 15;
    p->data = data;
    p->len = len;
    p->actual = 0;
    if (!d || !d->attached) {
        p->status = USB_NODEV;
    } else if (p->ep == 0) {
        p->status = control_packet(d, p);
    } else {
        p->status = endpoint_packet(d, p);
    }
    if (p->status == USB_ASYNC) {
        p->dev = d;
        p->next = d->packets;
        d->packets = p;
    }
    assert(p->actual <= p->len);
    return p->status;
}

static void unlink_packet(UsbPacket *p)
{
    for (UsbPacket **pp = &p->dev->packets; *pp; pp = &(*pp)->next) {
        if (*pp == p) {
            *pp = p->next;
            break;
        }
    }
    p->dev = NULL;
    p->next = NULL;
}

void usb_packet_complete(UsbDevice *d, UsbPacket *p)
{
    assert(p->dev == d && p->status != USB_ASYNC);
    if (p->status == USB_STALL) {
        usb_set_halt(d, usb_ep_addr(p), true);
    }
    unlink_packet(p);
    p->complete(p);
}

void usb_packet_cancel(UsbPacket *p)
{
    UsbDevice *d = p->dev;

    if (d) {
        const UsbClass *class = device_data(&d->dev);

        unlink_packet(p);
        if (class->cancel) {
            class->cancel(d, p);
        }
    }
}

void usb_device_end_packets(UsbDevice *d)
{
    const UsbClass *class = device_data(&d->dev);

    while (d->packets) {
        UsbPacket *p = d->packets;

        unlink_packet(p);
        if (class->cancel) {
            class->cancel(d, p);
        }
        p->status = USB_NODEV;
        p->complete(p);
    }
}

UsbStatus usb_packet_put(UsbPacket *p, const void *data, uint32_t len)
{
    uint32_t n = MIN(len, p->len - p->actual);

    if (p->pid == USB_PID_IN) {
        memcpy(p->data + p->actual, data, n);
        p->actual += n;
    }
    return n < len ? USB_BABBLE : USB_OK;
}

UsbDevice *usb_find_device(const UsbPort *port, uint8_t addr)
{
    UsbDevice *d = port->dev;
    const UsbClass *class;

    if (!d || !d->attached || d->state == USB_STATE_ATTACHED) {
        return NULL;
    }
    if (d->addr == addr) {
        return d;
    }
    class = device_data(&d->dev);
    return class->find ? class->find(d, addr) : NULL;
}
