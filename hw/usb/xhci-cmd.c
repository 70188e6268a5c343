/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xHCI: the command ring, slots and their contexts.
 *
 * Source: xHCI 1.1 ("xHCI"), 4.5, 4.6, 6.2.
 */
#include "util/osdep.h"
#include "hw/usb/xhci.h"

#include "util/bswap.h"
#include "util/log.h"

#define COMMANDS_MAX    256             /* run at a time */
#define SLOT_STATE(w3)  ((w3) >> 27)
#define ROUTE_MASK      0xfffffu

bool xhci_read_words(XhciState *s, uint64_t addr, uint32_t *w, unsigned n)
{
    uint8_t raw[32];

    if (pci_dma_read(&s->pci, addr, raw, 4 * n) != MEM_OK) {
        xhci_host_error(s);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        w[i] = load_le32(raw + 4 * i);
    }
    return true;
}

bool xhci_write_words(XhciState *s, uint64_t addr, const uint32_t *w, unsigned n)
{
    uint8_t raw[32];

    for (unsigned i = 0; i < n; i++) {
        store_le32(raw + 4 * i, w[i]);
    }
    if (pci_dma_write(&s->pci, addr, raw, 4 * n) != MEM_OK) {
        xhci_host_error(s);
        return false;
    }
    return true;
}

bool xhci_read_trb(XhciState *s, uint64_t addr, XhciTrb *trb)
{
    uint32_t w[4];

    if (!xhci_read_words(s, addr, w, 4)) {
        return false;
    }
    *trb = (XhciTrb){ w[0] | (uint64_t)w[1] << 32, w[2], w[3], addr };
    return true;
}

/* --- contexts (xHCI 6.2) --- */

void xhci_slot_free(XhciState *s, unsigned slot)
{
    XhciSlot *sl = &s->slot[slot - 1];

    for (unsigned i = 0; i < XHCI_EPS; i++) {
        xhci_ep_cancel(&sl->ep[i]);
    }
    memset(sl, 0, sizeof(*sl));
}

static void disable_ep(XhciState *s, unsigned slot, unsigned ep)
{
    XhciEp *e = &s->slot[slot - 1].ep[ep - 1];

    xhci_ep_cancel(e);
    if (e->state != EP_DISABLED) {
        e->state = EP_DISABLED;
        xhci_ep_store(s, slot, ep);
    }
    memset(e, 0, sizeof(*e));
}

/* From an input context's endpoint, to the device context too. */
static bool enable_ep(XhciState *s, unsigned slot, unsigned ep, uint64_t input)
{
    XhciSlot *sl = &s->slot[slot - 1];
    XhciEp *e = &sl->ep[ep - 1];
    uint32_t w[8];

    if (!xhci_read_words(s, input + 32 * (ep + 1), w, 8)) {
        return false;
    }
    xhci_ep_cancel(e);
    *e = (XhciEp){ .state = EP_RUNNING, .type = w[1] >> 3 & 7,
                   .dequeue = (w[2] & ~15u) | (uint64_t)w[3] << 32, .cycle = w[2] & 1 };
    w[0] = (w[0] & ~7u) | EP_RUNNING;
    return e->type && xhci_write_words(s, sl->ctx + 32 * ep, w, 8);
}

static void set_slot_state(XhciState *s, unsigned slot, unsigned state, int address)
{
    uint64_t at = s->slot[slot - 1].ctx + 12;
    uint32_t w;

    if (xhci_read_words(s, at, &w, 1)) {
        w = (w & 0x07ffff00) | state << 27 | (address >= 0 ? (uint32_t)address : w & 0xff);
        xhci_write_words(s, at, &w, 1);
    }
}

static unsigned slot_state(XhciState *s, unsigned slot)
{
    uint32_t w = 0;

    xhci_read_words(s, s->slot[slot - 1].ctx + 12, &w, 1);
    return SLOT_STATE(w);
}

/* --- commands (xHCI 4.6) --- */

static unsigned enable_slot(XhciState *s, unsigned *slot)
{
    unsigned most = MIN(s->config & 0xff, XHCI_SLOTS);

    for (unsigned i = 1; i <= most; i++) {
        if (!s->slot[i - 1].enabled) {
            xhci_slot_free(s, i);
            s->slot[i - 1].enabled = true;
            *slot = i;
            return CC_SUCCESS;
        }
    }
    *slot = 0;
    return CC_NO_SLOTS;
}

/* xHCI 4.6.5: the controller makes the SET_ADDRESS request itself. */
static bool set_address(UsbDevice *d, unsigned slot)
{
    uint8_t setup[8] = { 0, USB_SET_ADDRESS, (uint8_t)slot, 0, 0, 0, 0, 0 };
    UsbPacket p;

    usb_packet_init(&p, NULL, NULL);
    if (usb_packet_submit(d, &p, USB_PID_SETUP, 0, setup, sizeof(setup)) != USB_OK) {
        return false;
    }
    return usb_packet_submit(d, &p, USB_PID_IN, 0, setup, 0) == USB_OK;
}

static unsigned address_device(XhciState *s, unsigned slot, uint64_t input, bool block)
{
    XhciSlot *sl = &s->slot[slot - 1];
    uint32_t flags[2], w[8], ptr[2];
    UsbPort *port;

    if (!xhci_read_words(s, input, flags, 2) || !xhci_read_words(s, input + 32, w, 8) ||
        !xhci_read_words(s, s->dcbaap + 8 * slot, ptr, 2)) {
        return CC_TRB;
    }
    if (flags[0] || (flags[1] & 3) != 3) {
        return CC_TRB;
    }
    port = xhci_usb_port(s, w[1] >> 16 & 0xff, w[0] & ROUTE_MASK);
    if (!port || !port->dev || port->dev->state == USB_STATE_ATTACHED) {
        return CC_TRANSACTION;
    }
    for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
        const XhciSlot *o = &s->slot[i - 1];

        if (i != slot && o->enabled && o->addressed && o->port == (w[1] >> 16 & 0xff) &&
            o->route == (w[0] & ROUTE_MASK)) {
            return CC_TRB;              /* the device has a slot */
        }
    }
    for (unsigned i = 0; i < XHCI_EPS; i++) {
        xhci_ep_cancel(&sl->ep[i]);
    }
    sl->ctx = (ptr[0] & ~63u) | (uint64_t)ptr[1] << 32;
    sl->port = w[1] >> 16 & 0xff;
    sl->route = w[0] & ROUTE_MASK;
    sl->intr = (uint16_t)(w[2] >> 22);
    sl->addressed = true;
    w[3] = (block ? (uint32_t)SLOT_DEFAULT << 27 : (uint32_t)SLOT_ADDRESSED << 27 | slot);
    if (!block && !set_address(port->dev, slot)) {
        return CC_TRANSACTION;
    }
    return xhci_write_words(s, sl->ctx, w, 8) && enable_ep(s, slot, 1, input) ? CC_SUCCESS
                                                                              : CC_PARAMETER;
}

static unsigned configure(XhciState *s, unsigned slot, const XhciTrb *trb)
{
    XhciSlot *sl = &s->slot[slot - 1];
    uint64_t input = trb->param & ~UINT64_C(15);
    unsigned state = slot_state(s, slot);
    uint32_t flags[2], in[1], out[1];

    if (!sl->addressed || state < SLOT_ADDRESSED) {
        return CC_CONTEXT_STATE;
    }
    if (trb->control & TRB_DC) {        /* deconfigure */
        for (unsigned ep = 2; ep <= XHCI_EPS; ep++) {
            disable_ep(s, slot, ep);
        }
        set_slot_state(s, slot, SLOT_ADDRESSED, -1);
        return CC_SUCCESS;
    }
    if (!xhci_read_words(s, input, flags, 2) || (flags[0] & 3) || (flags[1] & 2)) {
        return CC_TRB;
    }
    for (unsigned ep = 2; ep <= XHCI_EPS; ep++) {
        if (flags[0] & BIT(ep)) {
            disable_ep(s, slot, ep);
        }
        if ((flags[1] & BIT(ep)) && !enable_ep(s, slot, ep, input)) {
            return CC_TRB;
        }
    }
    /* The number of context entries. */
    if ((flags[1] & 1) && xhci_read_words(s, input + 32, in, 1) &&
        xhci_read_words(s, sl->ctx, out, 1)) {
        out[0] = (out[0] & 0x07ffffff) | (in[0] & 0xf8000000);
        xhci_write_words(s, sl->ctx, out, 1);
    }
    set_slot_state(s, slot, SLOT_CONFIGURED, -1);
    return CC_SUCCESS;
}

static unsigned evaluate(XhciState *s, unsigned slot, uint64_t input)
{
    XhciSlot *sl = &s->slot[slot - 1];
    uint32_t flags[2], in[4], out[4];

    if (!sl->addressed) {
        return CC_CONTEXT_STATE;
    }
    if (!xhci_read_words(s, input, flags, 2) || flags[0] || (flags[1] & ~3u)) {
        return CC_TRB;
    }
    if ((flags[1] & 1) && xhci_read_words(s, input + 32, in, 4) &&
        xhci_read_words(s, sl->ctx, out, 4)) {
        out[1] = (out[1] & ~0xffffu) | (in[1] & 0xffff);
        out[2] = (out[2] & 0x003fffff) | (in[2] & 0xffc00000);
        sl->intr = (uint16_t)(in[2] >> 22);
        xhci_write_words(s, sl->ctx, out, 4);
    }
    if ((flags[1] & 2) && xhci_read_words(s, input + 64, in, 2) &&
        xhci_read_words(s, sl->ctx + 32, out, 2)) {
        out[1] = (out[1] & 0xffff) | (in[1] & 0xffff0000);      /* max packet size */
        xhci_write_words(s, sl->ctx + 32, out, 2);
    }
    return CC_SUCCESS;
}

static unsigned ep_command(XhciState *s, unsigned slot, unsigned ep, const XhciTrb *trb)
{
    XhciEp *e = &s->slot[slot - 1].ep[ep - 1];

    if (e->state == EP_DISABLED) {
        return CC_EP_NOT_ENABLED;
    }
    switch (TRB_TYPE(trb->control)) {
    case TRB_RESET_EP:
        if (e->state != EP_HALTED) {
            return CC_CONTEXT_STATE;
        }
        e->state = EP_STOPPED;
        break;
    case TRB_STOP_EP:
        if (e->state != EP_RUNNING) {
            return CC_CONTEXT_STATE;
        }
        if (e->transfer) {              /* xHCI 4.6.9: it is told where it stood */
            xhci_event(s, s->slot[slot - 1].intr, e->dequeue, (uint32_t)CC_STOPPED << 24,
                       (uint32_t)TRB_EV_TRANSFER << 10 | ep << 16 | slot << 24);
        }
        xhci_ep_cancel(e);
        e->state = EP_STOPPED;
        break;
    default:                            /* SET_DEQUEUE */
        if (e->state != EP_STOPPED && e->state != EP_ERROR) {
            return CC_CONTEXT_STATE;
        }
        xhci_ep_cancel(e);
        e->dequeue = trb->param & ~UINT64_C(15);
        e->cycle = trb->param & 1;
        e->state = EP_STOPPED;
        break;
    }
    xhci_ep_store(s, slot, ep);
    return CC_SUCCESS;
}

static unsigned reset_device(XhciState *s, unsigned slot)
{
    if (!s->slot[slot - 1].addressed || slot_state(s, slot) < SLOT_ADDRESSED) {
        return CC_CONTEXT_STATE;
    }
    for (unsigned ep = 2; ep <= XHCI_EPS; ep++) {
        disable_ep(s, slot, ep);
    }
    set_slot_state(s, slot, SLOT_DEFAULT, 0);
    return CC_SUCCESS;
}

static unsigned run_command(XhciState *s, const XhciTrb *trb, unsigned *slot)
{
    unsigned type = TRB_TYPE(trb->control), ep = trb->control >> 16 & 0x1f;

    *slot = trb->control >> 24;
    if (type == TRB_ENABLE_SLOT) {
        return enable_slot(s, slot);
    }
    if (type == TRB_NOOP_CMD) {
        return CC_SUCCESS;
    }
    if (type < TRB_DISABLE_SLOT || type > TRB_RESET_DEVICE) {
        log_guest_error("xhci", "no command %u", type);
        return CC_TRB;
    }
    if (*slot < 1 || *slot > XHCI_SLOTS || !s->slot[*slot - 1].enabled) {
        return CC_SLOT_NOT_ENABLED;
    }
    switch (type) {
    case TRB_DISABLE_SLOT:
        if (s->slot[*slot - 1].addressed) {
            set_slot_state(s, *slot, SLOT_ENABLED, 0);
        }
        xhci_slot_free(s, *slot);
        return CC_SUCCESS;
    case TRB_ADDRESS_DEVICE:
        return address_device(s, *slot, trb->param & ~UINT64_C(15), trb->control & TRB_BSR);
    case TRB_CONFIGURE_EP:
        return configure(s, *slot, trb);
    case TRB_EVALUATE_CTX:
        return evaluate(s, *slot, trb->param & ~UINT64_C(15));
    case TRB_RESET_DEVICE:
        return reset_device(s, *slot);
    default:
        return ep ? ep_command(s, *slot, ep, trb) : CC_TRB;
    }
}

void xhci_run_commands(XhciState *s)
{
    s->busy++;
    for (unsigned i = 0; i < COMMANDS_MAX && s->ring_running && (s->cmd & CMD_RS); i++) {
        unsigned slot = 0, code;
        XhciTrb trb;

        if (!xhci_read_trb(s, s->ring, &trb) || (trb.control & TRB_C) != s->ring_cycle) {
            break;
        }
        if (TRB_TYPE(trb.control) == TRB_LINK) {
            s->ring = trb.param & ~UINT64_C(15);
            s->ring_cycle ^= (trb.control & TRB_TC) != 0;
            continue;
        }
        s->ring += 16;
        code = run_command(s, &trb, &slot);
        xhci_event(s, 0, trb.addr, (uint32_t)code << 24,
                   (uint32_t)TRB_EV_COMMAND << 10 | slot << 24);
    }
    s->busy--;
}
