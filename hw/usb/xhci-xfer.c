/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xHCI: transfer rings.
 *
 * Source: xHCI 1.1 ("xHCI"), 3.2, 4.9 to 4.11. A transfer descriptor, all TRBs that are
 * chained, goes to the device as one packet. There is no polling by time: a device
 * that had nothing tells when it has something.
 */
#include "util/osdep.h"
#include "hw/usb/xhci.h"

#include <glib.h>
#include "util/bswap.h"

#define TD_TRBS         512
#define TD_BYTES        (4 * MIB)
#define RUN_TDS         256             /* of one ring at a time */
#define LINKS_MAX       16              /* in a row */
enum { EP_TYPE_CONTROL = 4 };

struct XhciTransfer {
    XhciState *xhci;
    UsbPacket packet;
    unsigned slot, ep;
    bool done;
    uint64_t next;                      /* dequeue pointer behind it */
    uint8_t next_cycle;
    unsigned n;
    XhciTrb trb[TD_TRBS];
    uint8_t *data;
};

static void free_transfer(XhciTransfer *t)
{
    if (t) {
        usb_packet_cancel(&t->packet);
        g_free(t->data);
        g_free(t);
    }
}

void xhci_ep_cancel(XhciEp *e)
{
    XhciTransfer *t = e->transfer;

    e->transfer = NULL;
    e->nak = false;
    free_transfer(t);
}

static XhciEp *ep_of(XhciState *s, unsigned slot, unsigned ep)
{
    return &s->slot[slot - 1].ep[ep - 1];
}

void xhci_ep_store(XhciState *s, unsigned slot, unsigned ep)
{
    uint64_t ctx = s->slot[slot - 1].ctx + 32 * ep;
    const XhciEp *e = ep_of(s, slot, ep);
    uint32_t w[4];

    if (!xhci_read_words(s, ctx, w, 4)) {
        return;
    }
    w[0] = (w[0] & ~7u) | e->state;
    w[2] = (uint32_t)e->dequeue | e->cycle;
    w[3] = (uint32_t)(e->dequeue >> 32);
    xhci_write_words(s, ctx, w, 4);
}

/* All TRBs of the next descriptor; 0: it isn't there (yet). */
static unsigned fetch(XhciState *s, const XhciEp *e, XhciTransfer *t)
{
    uint64_t addr = e->dequeue;
    uint8_t cycle = e->cycle;
    unsigned links = 0;

    t->n = 0;
    while (t->n < TD_TRBS) {
        XhciTrb *trb = &t->trb[t->n];

        if (!xhci_read_trb(s, addr, trb) || (trb->control & TRB_C) != cycle) {
            return 0;
        }
        if (TRB_TYPE(trb->control) == TRB_LINK) {
            if (++links > LINKS_MAX) {
                return 0;
            }
            addr = trb->param & ~UINT64_C(15);
            cycle ^= (trb->control & TRB_TC) != 0;
            continue;
        }
        addr += 16;
        t->n++;
        if (!(trb->control & TRB_CH)) {
            t->next = addr;
            t->next_cycle = cycle;
            return t->n;
        }
    }
    return 0;
}

static bool has_data(const XhciTrb *trb)
{
    unsigned type = TRB_TYPE(trb->control);

    return type == TRB_NORMAL || type == TRB_DATA || type == TRB_ISOCH || type == TRB_SETUP;
}

static uint64_t total(const XhciTransfer *t)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < t->n; i++) {
        sum += has_data(&t->trb[i]) ? t->trb[i].status & 0x1ffff : 0;
    }
    return sum;
}

/* Between the guest's buffers and ours; @len bytes. */
static bool copy(XhciState *s, XhciTransfer *t, uint32_t len, bool to_guest)
{
    uint32_t at = 0;

    for (unsigned i = 0; i < t->n && at < len; i++) {
        const XhciTrb *trb = &t->trb[i];
        uint32_t n = has_data(trb) ? MIN(trb->status & 0x1ffff, len - at) : 0;

        if ((trb->control & TRB_IDT) && has_data(trb)) {
            uint8_t raw[8];

            n = MIN(n, sizeof(raw));    /* xHCI 4.11.2.2: the data is in the TRB */
            store_le64(raw, trb->param);
            if (!to_guest) {
                memcpy(t->data + at, raw, n);
            }
        } else if (n && pci_dma_rw(&s->pci, trb->param, t->data + at, n, to_guest) != MEM_OK) {
            return false;
        }
        at += n;
    }
    return true;
}

static void post(XhciState *s, const XhciTransfer *t, const XhciTrb *trb, uint64_t param,
                 uint32_t length, unsigned code, bool event_data)
{
    unsigned intr = trb->status >> 22;

    xhci_event(s, intr, param, (length & 0xffffff) | code << 24,
               (uint32_t)TRB_EV_TRANSFER << 10 | (event_data ? BIT(2) : 0) | t->ep << 16 |
               t->slot << 24);
}

/* xHCI 4.10.1: events for what was moved, and for how it ended. */
static void report(XhciState *s, XhciTransfer *t, XhciEp *e, unsigned code)
{
    uint32_t left = t->packet.actual;
    bool told = false;

    for (unsigned i = 0; i < t->n; i++) {
        const XhciTrb *trb = &t->trb[i];
        uint32_t len = has_data(trb) ? trb->status & 0x1ffff : 0, n = MIN(len, left);

        if (TRB_TYPE(trb->control) == TRB_EVENT_DATA) {
            if (trb->control & TRB_IOC) {
                post(s, t, trb, trb->param, e->edtla, code, true);
            }
            e->edtla = 0;
            continue;
        }
        e->edtla += n;
        left -= n;
        if (told) {
            continue;                   /* what comes after a short packet is passed over */
        }
        if (code != CC_SUCCESS && (n < len || i + 1 == t->n)) {
            if (code != CC_SHORT || (trb->control & (TRB_IOC | TRB_ISP))) {
                post(s, t, trb, trb->addr, len - n, code, false);
            }
            told = true;
        } else if (trb->control & TRB_IOC) {
            post(s, t, trb, trb->addr, len - n, CC_SUCCESS, false);
        }
    }
}

static void finish(XhciState *s, XhciTransfer *t)
{
    XhciEp *e = ep_of(s, t->slot, t->ep);
    UsbPacket *p = &t->packet;
    unsigned code = CC_SUCCESS;

    if (p->status == USB_OK && p->pid == USB_PID_IN && p->actual &&
        !copy(s, t, p->actual, true)) {
        code = CC_DATA_BUFFER;
    } else if (p->status == USB_OK) {
        code = p->actual < total(t) && p->pid == USB_PID_IN ? CC_SHORT : CC_SUCCESS;
    } else {
        code = p->status == USB_STALL ? CC_STALL : p->status == USB_BABBLE ? CC_BABBLE
               : CC_TRANSACTION;
    }
    if (code == CC_SUCCESS || code == CC_SHORT) {
        e->dequeue = t->next;
        e->cycle = t->next_cycle;
    } else {
        e->state = EP_HALTED;           /* xHCI 4.8.3: until the guest resets it */
        xhci_ep_store(s, t->slot, t->ep);
    }
    report(s, t, e, code);
}

static void packet_complete(UsbPacket *p)
{
    XhciTransfer *t = p->opaque;
    XhciState *s = t->xhci;
    unsigned slot = t->slot, ep = t->ep;

    t->done = true;
    xhci_run_ep(s, slot, ep);
    xhci_poll(s, slot);
}

/* The TRBs' kind says which packet it is. False: no such descriptor. */
static bool packet_kind(const XhciTransfer *t, const XhciEp *e, uint8_t *pid)
{
    const XhciTrb *trb = &t->trb[0];

    switch (TRB_TYPE(trb->control)) {
    case TRB_SETUP:
        *pid = USB_PID_SETUP;
        return e->type == EP_TYPE_CONTROL && (trb->control & TRB_IDT) && t->n == 1 &&
               (trb->status & 0x1ffff) == 8;
    case TRB_DATA:
    case TRB_STATUS:
        *pid = trb->control & TRB_DIR_IN ? USB_PID_IN : USB_PID_OUT;
        return e->type == EP_TYPE_CONTROL;
    case TRB_NORMAL:
        *pid = t->ep & 1 ? USB_PID_IN : USB_PID_OUT;
        return e->type != EP_TYPE_CONTROL;
    default:
        return false;
    }
}

typedef enum RunResult { RUN_ON, RUN_WAIT } RunResult;

static RunResult run_td(XhciState *s, unsigned slot, unsigned ep)
{
    XhciEp *e = ep_of(s, slot, ep);
    XhciTransfer *t = g_new0(XhciTransfer, 1);
    UsbPort *port = xhci_usb_port(s, s->slot[slot - 1].port, s->slot[slot - 1].route);
    UsbDevice *d = port ? port->dev : NULL;
    uint8_t pid = 0;
    uint64_t bytes;

    t->xhci = s;
    t->slot = slot;
    t->ep = ep;
    usb_packet_init(&t->packet, packet_complete, t);
    if (!fetch(s, e, t)) {
        g_free(t);
        return RUN_WAIT;
    }
    if (TRB_TYPE(t->trb[0].control) == TRB_NOOP ||
        TRB_TYPE(t->trb[0].control) == TRB_EVENT_DATA) {
        e->dequeue = t->next;
        e->cycle = t->next_cycle;
        report(s, t, e, CC_SUCCESS);
        g_free(t);
        return RUN_ON;
    }
    bytes = total(t);
    if (!packet_kind(t, e, &pid) || bytes > TD_BYTES) {
        e->state = EP_ERROR;
        xhci_ep_store(s, slot, ep);
        post(s, t, &t->trb[0], t->trb[0].addr, 0, CC_TRB, false);
        g_free(t);
        return RUN_WAIT;
    }
    t->data = g_malloc0(bytes + 1);
    if (pid != USB_PID_IN && !copy(s, t, (uint32_t)bytes, false)) {
        t->packet.status = USB_IOERROR;
        finish(s, t);
        free_transfer(t);
        return RUN_WAIT;
    }
    switch (usb_packet_submit(d && d->state != USB_STATE_ATTACHED ? d : NULL, &t->packet, pid,
                              (uint8_t)(ep / 2), t->data, (uint32_t)bytes)) {
    case USB_ASYNC:
        e->transfer = t;
        return RUN_WAIT;
    case USB_NAK:
        e->nak = true;
        free_transfer(t);
        return RUN_WAIT;
    default:
        finish(s, t);
        free_transfer(t);
        return RUN_ON;
    }
}

void xhci_run_ep(XhciState *s, unsigned slot, unsigned ep)
{
    XhciEp *e = ep_of(s, slot, ep);
    XhciTransfer *t = e->transfer;

    s->busy++;
    if (t && !t->done) {
        s->busy--;
        return;                         /* it goes on when that has completed */
    }
    if (t) {
        e->transfer = NULL;
        finish(s, t);
        free_transfer(t);
    }
    e->nak = false;
    for (unsigned i = 0; i < RUN_TDS && s->slot[slot - 1].enabled && e->state == EP_RUNNING &&
                         (s->cmd & CMD_RS) && !e->transfer; i++) {
        if (run_td(s, slot, ep) == RUN_WAIT) {
            break;
        }
    }
    s->busy--;
}

void xhci_poll(XhciState *s, unsigned slot)
{
    for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
        for (unsigned ep = 1; ep <= XHCI_EPS && s->slot[i - 1].enabled; ep++) {
            if ((!slot || slot == i) && ep_of(s, i, ep)->nak) {
                xhci_run_ep(s, i, ep);
            }
        }
    }
}

void xhci_finish_done(XhciState *s)
{
    for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
        for (unsigned ep = 1; ep <= XHCI_EPS; ep++) {
            XhciEp *e = ep_of(s, i, ep);

            if (e->transfer && e->transfer->done) {
                xhci_run_ep(s, i, ep);
            }
        }
    }
}
