/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xHCI host controllers: registers, events, interrupts, ports. Commands are in xhci-cmd.c,
 * transfers in xhci-xfer.c.
 *
 * Sources: see xhci.h. Not modelled: streams, isochronous transfers, saving and restoring by the guest (CSS,
 * CRS), bandwidth, debug capability, link power management.
 */
#include "util/osdep.h"
#include "hw/usb/xhci.h"
#include "hw/usb/hci-state.h"

#include <glib.h>
#include "qobject/error.h"
#include "util/bswap.h"

#define MEM_SIZE        0x4000
#define OPER            0x40
#define PORTS           0x440
#define RUNTIME         0x1000
#define INTRS           0x1020
#define DOORBELLS       0x2000
#define MSIX_TABLE      0x3000
#define MSIX_PBA        0x3800
#define EXT_CAPS        0x20
#define HCIVERSION      0x0100
/* xHCI 5.4: operational registers. */
enum { USBCMD = 0x00, USBSTS = 0x04, PAGESIZE = 0x08, DNCTRL = 0x14, CRCR = 0x18, DCBAAP = 0x30,
       CONFIG = 0x38 };
enum { CRCR_RCS = BIT(0), CRCR_CS = BIT(1), CRCR_CA = BIT(2), CRCR_CRR = BIT(3) };
/* xHCI 5.5.2: an interrupter. */
enum { IMAN = 0x00, IMOD = 0x04, ERSTSZ = 0x08, ERSTBA = 0x10, ERDP = 0x18 };
enum { IMAN_IP = BIT(0), IMAN_IE = BIT(1), ERDP_EHB = BIT(3) };
/* xHCI 5.4.8 */
enum { PORT_CCS = BIT(0), PORT_PED = BIT(1), PORT_PR = BIT(4), PORT_PLS = 0x1e0, PORT_PP = BIT(9),
       PORT_SPEED = 0x3c00, PORT_PIC = 0xc000, PORT_LWS = BIT(16), PORT_CSC = BIT(17),
       PORT_PEC = BIT(18), PORT_WRC = BIT(19), PORT_OCC = BIT(20), PORT_PRC = BIT(21),
       PORT_PLC = BIT(22), PORT_CEC = BIT(23), PORT_W1C = 0xfe0000, PORT_WAKE = 0xe000000,
       PORT_RW = PORT_PIC | PORT_WAKE };
#define PORT_WPR        BIT(31)
#define PORT_SC_MAX     0x0fffffffu
#define PLS(n)          ((uint32_t)(n) << 5)
enum { PLS_U0 = 0, PLS_U3 = 3, PLS_DISABLED = 4, PLS_RX_DETECT = 5, PLS_POLLING = 7,
       PLS_RESUME = 15 };

/* --- interrupts (xHCI 4.17) --- */

static bool intx(const XhciState *s)
{
    return !msix_enabled(&s->pci) && !msi_enabled(&s->pci);
}

static void update_intx(XhciState *s)
{
    const XhciIntr *i = &s->intr[0];

    pci_set_irq(&s->pci, intx(s) && (s->cmd & CMD_INTE) && (i->iman & IMAN_IP) &&
                         (i->iman & IMAN_IE));
}

static void raise_intr(XhciState *s, unsigned n)
{
    XhciIntr *i = &s->intr[n];
    bool busy = i->erdp & ERDP_EHB;

    i->erdp |= ERDP_EHB;
    i->iman |= IMAN_IP;
    s->status |= STS_EINT;
    if (busy || !(i->iman & IMAN_IE) || !(s->cmd & CMD_INTE)) {
        return;
    }
    if (msix_enabled(&s->pci)) {
        i->iman &= ~IMAN_IP;            /* xHCI 4.17.5: messages clear it */
        msix_notify(&s->pci, n);
    } else if (msi_enabled(&s->pci)) {
        i->iman &= ~IMAN_IP;
        msi_notify(&s->pci, 0);
    } else {
        update_intx(s);
    }
}

/* --- event rings (xHCI 4.9.4), of one segment --- */

static bool ring_full(const XhciIntr *i)
{
    uint64_t next = i->base + 16 * (uint64_t)((i->enqueue + 1) % MAX(i->size, 1));

    return next == (i->erdp & ~UINT64_C(15));
}

static void put_event(XhciState *s, XhciIntr *i, uint64_t param, uint32_t status, uint32_t control)
{
    uint32_t w[4] = { (uint32_t)param, (uint32_t)(param >> 32), status,
                      (control & ~1u) | i->cycle };

    xhci_write_words(s, i->base + 16 * (uint64_t)i->enqueue, w, 4);
    if (++i->enqueue == i->size) {
        i->enqueue = 0;
        i->cycle ^= 1;
    }
}

void xhci_event(XhciState *s, unsigned n, uint64_t param, uint32_t status, uint32_t control)
{
    XhciIntr *i = &s->intr[n < s->intrs ? n : 0];

    if (!i->size || !(s->cmd & CMD_RS)) {
        return;
    }
    if (i->n_wait || ring_full(i)) {
        if (i->n_wait == XHCI_EVENTS) { /* the guest doesn't look: it must reset us */
            s->status |= STS_HCE;
            return;
        }
        i->wait_param[i->n_wait] = param;
        i->wait_status[i->n_wait] = status;
        i->wait_control[i->n_wait++] = control;
    } else {
        put_event(s, i, param, status, control);
    }
    raise_intr(s, (unsigned)(i - s->intr));
}

static void flush_events(XhciState *s, XhciIntr *i)
{
    uint32_t done = 0;

    while (done < i->n_wait && i->size && !ring_full(i)) {
        put_event(s, i, i->wait_param[done], i->wait_status[done], i->wait_control[done]);
        done++;
    }
    i->n_wait -= done;
    memmove(i->wait_param, i->wait_param + done, i->n_wait * sizeof(i->wait_param[0]));
    memmove(i->wait_status, i->wait_status + done, i->n_wait * sizeof(i->wait_status[0]));
    memmove(i->wait_control, i->wait_control + done, i->n_wait * sizeof(i->wait_control[0]));
}

/* xHCI 5.5.2.3.3: writing the base starts the ring. */
static void start_ring(XhciState *s, XhciIntr *i)
{
    uint32_t w[4];

    i->size = i->enqueue = i->n_wait = 0;
    i->cycle = 1;
    if (i->erstsz && xhci_read_words(s, i->erstba & ~UINT64_C(63), w, 4)) {
        i->base = (w[0] & ~63u) | (uint64_t)w[1] << 32;
        i->size = w[2] & 0xffff;
        if (i->size < 16 || i->size > 4096) {
            i->size = 0;
            s->status |= STS_HCE;
        }
    }
}

static void write_erdp(XhciState *s, XhciIntr *i, uint64_t val)
{
    bool waits;

    i->erdp = (val & ~UINT64_C(15)) | (val & 7) | (val & ERDP_EHB ? 0 : i->erdp & ERDP_EHB);
    flush_events(s, i);
    /* There is more: the handler comes again. */
    waits = i->size && i->base + 16 * (uint64_t)i->enqueue != (i->erdp & ~UINT64_C(15));
    if ((val & ERDP_EHB) && waits) {
        raise_intr(s, (unsigned)(i - s->intr));
    }
}

void xhci_host_error(XhciState *s)
{
    s->status |= STS_HSE | STS_HCH;
    s->cmd &= ~CMD_RS;
    s->ring_running = false;
}

/* --- ports (xHCI 4.19) --- */

static XhciPort *port_for(XhciState *s, unsigned phys, bool super)
{
    for (unsigned i = 0; i < s->p2 + s->p3; i++) {
        if (s->ports[i].phys == phys && s->ports[i].super == super) {
            return &s->ports[i];
        }
    }
    return NULL;
}

static void port_event(XhciState *s, XhciPort *p, uint32_t change)
{
    bool told = (p->sc & PORT_W1C & change) == change;

    p->sc |= change;
    if (!told) {
        s->status |= STS_PCD;
        xhci_event(s, 0, (uint64_t)(p - s->ports + 1) << 24, (uint32_t)CC_SUCCESS << 24,
                   (uint32_t)TRB_EV_PORT << 10);
    }
}

static uint32_t speed_id(const UsbDevice *d)
{
    static const uint8_t ids[USB_SPEED__MAX] = { 2, 1, 3, 4 };          /* xHCI table 7-13 */

    return (uint32_t)ids[d->speed] << 10;
}

/* What a device makes of its port, and of the other one of the same socket. */
static void set_connection(XhciState *s, unsigned phys)
{
    UsbDevice *d = s->usb[phys].dev;
    bool here = d && d->attached;

    for (int super = 0; super < 2; super++) {
        XhciPort *p = port_for(s, phys, super);
        bool ours = here && super == (d->speed == USB_SPEED_SUPER);

        if (!p) {
            continue;
        }
        p->sc &= ~(PORT_CCS | PORT_PED | PORT_PLS | PORT_SPEED);
        p->sc |= PORT_PP;
        if (!ours) {
            p->sc |= PLS(PLS_RX_DETECT);
        } else if (super) {             /* xHCI 4.19.1.2: enabled by training */
            p->sc |= PORT_CCS | PORT_PED | PLS(PLS_U0) | speed_id(d);
        } else {
            p->sc |= PORT_CCS | PLS(PLS_POLLING) | speed_id(d);
        }
    }
}

static void port_attach(UsbPort *port)
{
    XhciState *s = port->opaque;
    XhciPort *p;

    set_connection(s, port->index);
    if (port->dev->speed == USB_SPEED_SUPER) {
        usb_port_reset(port);
    }
    p = port_for(s, port->index, port->dev->speed == USB_SPEED_SUPER);
    if (p) {
        port_event(s, p, PORT_CSC);
    }
}

static void port_detach(UsbPort *port)
{
    XhciState *s = port->opaque;
    bool attached = port->dev->attached, super = port->dev->speed == USB_SPEED_SUPER;
    XhciPort *p = port_for(s, port->index, super);

    port->dev->attached = false;
    set_connection(s, port->index);
    port->dev->attached = attached;
    if (p) {
        port_event(s, p, PORT_CSC);
    }
}

static void port_wakeup(UsbPort *port)
{
    XhciState *s = port->opaque;
    XhciPort *p = port_for(s, port->index, port->dev->speed == USB_SPEED_SUPER);

    if (p && (p->sc & PORT_PLS) == PLS(PLS_U3)) {
        p->sc = (p->sc & ~PORT_PLS) | PLS(PLS_RESUME);
        port_event(s, p, PORT_PLC);
    }
}

static void port_kick(UsbPort *port)
{
    XhciState *s = port->opaque;

    if (!s->busy) {
        xhci_poll(s, 0);
    }
}

static const UsbPortOps port_ops = { port_attach, port_detach, port_wakeup, port_kick };
static const UsbBusOps bus_ops = { .add_companion = NULL };

UsbPort *xhci_usb_port(XhciState *s, unsigned root, uint32_t route)
{
    g_autoptr(GString) path = NULL;

    if (root < 1 || root > s->p2 + s->p3) {
        return NULL;
    }
    path = g_string_new(s->usb[s->ports[root - 1].phys].path);
    for (; route & 15; route >>= 4) {
        g_string_append_printf(path, ".%u", route & 15);
    }
    for (UsbPort *p = s->bus->ports; p; p = p->next) {
        if (!strcmp(p->path, path->str)) {
            return p;
        }
    }
    return NULL;
}

static void write_port(XhciState *s, XhciPort *p, uint32_t val)
{
    UsbPort *usb = &s->usb[p->phys];
    uint32_t pls = (p->sc & PORT_PLS) >> 5, want = (val & PORT_PLS) >> 5;

    p->sc &= ~(val & PORT_W1C);
    if ((val & PORT_PED) && !p->super) {
        p->sc &= ~PORT_PED;             /* writing 1 disables it */
    }
    p->sc = (p->sc & ~PORT_RW) | (val & PORT_RW);
    if ((val & (PORT_PR | PORT_WPR)) && (p->sc & PORT_CCS)) {
        usb_port_reset(usb);
        p->sc = (p->sc & ~PORT_PLS) | PORT_PED | PLS(PLS_U0);
        port_event(s, p, PORT_PRC | (val & PORT_WPR ? PORT_WRC : 0));
        return;
    }
    if ((val & PORT_LWS) && (p->sc & PORT_PED) && want != pls) {
        if (want == PLS_U3 || (want == PLS_U0 && pls == PLS_RESUME) || want == PLS_RESUME) {
            p->sc = (p->sc & ~PORT_PLS) | PLS(want);
        } else if (want == PLS_U0 && pls == PLS_U3) {
            p->sc = (p->sc & ~PORT_PLS) | PLS(PLS_U0);
            port_event(s, p, PORT_PLC);
        }
    }
}

/* --- registers --- */

static void set_low(uint64_t *r, uint32_t v)
{
    *r = (*r & ~(uint64_t)UINT32_MAX) | v;
}

static void set_high(uint64_t *r, uint32_t v)
{
    *r = (*r & UINT32_MAX) | (uint64_t)v << 32;
}

static void reset_controller(XhciState *s)
{
    for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
        xhci_slot_free(s, i);
    }
    s->cmd = s->dnctrl = s->config = 0;
    s->status = STS_HCH;
    s->crcr = s->dcbaap = s->ring = 0;
    s->ring_cycle = 0;
    s->ring_running = false;
    s->start_ns = clock_get_ns(CLOCK_VIRTUAL);
    memset(s->intr, 0, sizeof(s->intr));
    for (unsigned i = 0; i < s->p2 + s->p3; i++) {
        s->ports[i].sc = PORT_PP;
    }
    for (unsigned i = 0; i < s->n_phys; i++) {
        UsbDevice *d = s->usb[i].dev;

        set_connection(s, i);
        if (d && d->attached) {
            XhciPort *p = port_for(s, i, d->speed == USB_SPEED_SUPER);

            if (d->speed == USB_SPEED_SUPER) {
                usb_port_reset(&s->usb[i]);
            }
            if (p) {
                p->sc |= PORT_CSC;
            }
        }
    }
    update_intx(s);
}

static void write_command(XhciState *s, uint32_t v)
{
    if (v & CMD_HCRST) {
        reset_controller(s);
        return;
    }
    if (v & (CMD_CSS | CMD_CRS)) {
        s->status |= STS_SRE;           /* nothing was saved: the driver sets all up anew */
    }
    if ((v & CMD_RS) && !(s->cmd & CMD_RS)) {
        s->status &= ~STS_HCH;
    } else if (!(v & CMD_RS) && (s->cmd & CMD_RS)) {
        s->status |= STS_HCH;
        s->ring_running = false;
    }
    s->cmd = v & CMD_RW;
    update_intx(s);
    if (s->cmd & CMD_RS) {
        for (unsigned i = 0; i < s->p2 + s->p3; i++) {
            if (s->ports[i].sc & PORT_W1C) {
                xhci_event(s, 0, (uint64_t)(i + 1) << 24, (uint32_t)CC_SUCCESS << 24,
                           (uint32_t)TRB_EV_PORT << 10);
            }
        }
    }
}

static void write_crcr(XhciState *s, uint32_t v)
{
    if (s->ring_running && (v & (CRCR_CS | CRCR_CA))) {
        s->ring_running = false;
        xhci_event(s, 0, s->ring, (uint32_t)CC_RING_STOPPED << 24, (uint32_t)TRB_EV_COMMAND << 10);
    } else if (!s->ring_running) {
        set_low(&s->crcr, v & ~63u);
        s->ring_cycle = v & CRCR_RCS;
        s->ring = s->crcr;
    }
}

static void ring_doorbell(XhciState *s, unsigned slot, uint32_t v)
{
    unsigned target = v & 0xff;
    XhciEp *e;

    if (!(s->cmd & CMD_RS)) {
        return;
    }
    if (slot == 0) {
        if (target == 0) {
            s->ring_running = true;
            xhci_run_commands(s);
        }
        return;
    }
    if (slot > XHCI_SLOTS || target < 1 || target > XHCI_EPS || !s->slot[slot - 1].enabled) {
        return;
    }
    e = &s->slot[slot - 1].ep[target - 1];
    if (e->state == EP_STOPPED) {       /* xHCI 4.8.3: the doorbell starts it */
        e->state = EP_RUNNING;
        xhci_ep_store(s, slot, target);
    }
    if (e->state == EP_RUNNING) {
        xhci_run_ep(s, slot, target);
    }
}

static uint32_t read_caps(const XhciState *s, uint32_t addr)
{
    switch (addr) {
    case 0x00:
        return OPER | (uint32_t)HCIVERSION << 16;
    case 0x04:
        return XHCI_SLOTS | s->intrs << 8 | (s->p2 + s->p3) << 24;
    case 0x08:
        return 0x0f;                    /* IST; one segment of an event ring */
    case 0x10:                          /* 64 bits, contexts of 32 bytes */
        return 1 | (EXT_CAPS / 4) << 16;
    case 0x14:
        return DOORBELLS;
    case 0x18:
        return RUNTIME;
    /* xHCI 7.2: which ports are USB 2's and 3's. */
    case EXT_CAPS:
        return 0x02 | 0x04 << 8 | 0x02000000;
    case EXT_CAPS + 4:
    case EXT_CAPS + 0x14:
        return 0x20425355;              /* "USB " */
    case EXT_CAPS + 8:
        return s->p2 ? 1 | s->p2 << 8 : 0;
    case EXT_CAPS + 0x10:
        return 0x02 | 0x03000000;
    case EXT_CAPS + 0x18:
        return s->p3 ? (s->p2 + 1) | s->p3 << 8 : 0;
    default:
        return 0;
    }
}

static uint32_t read_oper(XhciState *s, uint32_t addr)
{
    switch (addr) {
    case USBCMD:
        return s->cmd;
    case USBSTS:
        return s->status;
    case PAGESIZE:
        return 1;
    case DNCTRL:
        return s->dnctrl;
    case CRCR:
        return s->ring_running ? CRCR_CRR : 0;
    case DCBAAP:
        return (uint32_t)s->dcbaap;
    case DCBAAP + 4:
        return (uint32_t)(s->dcbaap >> 32);
    case CONFIG:
        return s->config;
    default:
        return 0;
    }
}

static void write_oper(XhciState *s, uint32_t addr, uint32_t v)
{
    switch (addr) {
    case USBCMD:
        write_command(s, v);
        break;
    case USBSTS:
        s->status &= ~(v & STS_W1C);
        update_intx(s);
        break;
    case DNCTRL:
        s->dnctrl = v & 0xffff;
        break;
    case CRCR:
        write_crcr(s, v);
        break;
    case CRCR + 4:
        if (!s->ring_running) {
            set_high(&s->crcr, v);
            s->ring = s->crcr;
        }
        break;
    case DCBAAP:
        set_low(&s->dcbaap, v & ~63u);
        break;
    case DCBAAP + 4:
        set_high(&s->dcbaap, v);
        break;
    case CONFIG:
        s->config = v & 0xff;
        break;
    default:
        break;
    }
}

static uint32_t read_runtime(XhciState *s, uint32_t addr)
{
    const XhciIntr *i = &s->intr[(addr - INTRS) / 32 % XHCI_INTRS];

    if (addr == RUNTIME) {              /* MFINDEX: 125 us */
        return (uint32_t)((clock_get_ns(CLOCK_VIRTUAL) - s->start_ns) / (125 * NS_PER_US)) & 0x3fff;
    }
    if (addr < INTRS || (addr - INTRS) / 32 >= s->intrs) {
        return 0;
    }
    switch (addr & 0x1f) {
    case IMAN:
        return i->iman;
    case IMOD:
        return i->imod;
    case ERSTSZ:
        return i->erstsz;
    case ERSTBA:
        return (uint32_t)i->erstba;
    case ERSTBA + 4:
        return (uint32_t)(i->erstba >> 32);
    case ERDP:
        return (uint32_t)i->erdp;
    case ERDP + 4:
        return (uint32_t)(i->erdp >> 32);
    default:
        return 0;
    }
}

static void write_runtime(XhciState *s, uint32_t addr, uint32_t v)
{
    unsigned n = (addr - INTRS) / 32;
    XhciIntr *i;

    if (addr < INTRS || n >= s->intrs) {
        return;
    }
    i = &s->intr[n];
    switch (addr & 0x1f) {
    case IMAN:
        i->iman = (i->iman & ~(v & IMAN_IP) & ~IMAN_IE) | (v & IMAN_IE);
        update_intx(s);
        break;
    case IMOD:
        i->imod = v;
        break;
    case ERSTSZ:
        i->erstsz = v & 0xffff;
        break;
    case ERSTBA:
        set_low(&i->erstba, v & ~63u);
        start_ring(s, i);
        break;
    case ERSTBA + 4:
        set_high(&i->erstba, v);
        start_ring(s, i);
        break;
    case ERDP:
        write_erdp(s, i, (i->erdp & ~(uint64_t)UINT32_MAX) | v);
        break;
    case ERDP + 4:
        set_high(&i->erdp, v);
        break;
    default:
        break;
    }
}

static MemResult mem_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                          UNUSED MemAttrs attrs)
{
    XhciState *s = opaque;
    uint32_t at = addr & ~3u, v = 0;

    if (at < OPER) {
        v = read_caps(s, at);
    } else if (at >= PORTS && at < PORTS + 16 * (s->p2 + s->p3)) {
        v = at & 0xf ? 0 : s->ports[(at - PORTS) / 16].sc;
    } else if (at < RUNTIME) {
        v = read_oper(s, at - OPER);
    } else if (at < DOORBELLS) {
        v = read_runtime(s, at);
    }
    *val = v >> 8 * (addr & 3);
    if (size < 4) {
        *val &= (1u << 8 * size) - 1;
    }
    return MEM_OK;
}

static MemResult mem_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                           UNUSED MemAttrs attrs)
{
    XhciState *s = opaque;
    uint32_t at = (uint32_t)addr, v = (uint32_t)val;

    if (s->busy || size != 4 || at < OPER) {
        return MEM_OK;
    }
    if (at >= PORTS && at < PORTS + 16 * (s->p2 + s->p3)) {
        if (!(at & 0xf)) {
            write_port(s, &s->ports[(at - PORTS) / 16], v);
        }
    } else if (at < RUNTIME) {
        write_oper(s, at - OPER, v);
    } else if (at < DOORBELLS) {
        write_runtime(s, at, v);
    } else if (at < DOORBELLS + 4 * (XHCI_SLOTS + 1)) {
        ring_doorbell(s, (at - DOORBELLS) / 4, v);
    }
    return MEM_OK;
}

static const MemOps mem_ops = {
    .read = mem_read, .write = mem_write, .order = MEM_LE,
    .valid = { .min = 1, .max = 8 }, .impl = { .min = 1, .max = 4 },
};

/* --- life --- */

static void xhci_reset_hold(Device *dev)
{
    reset_controller(XHCI(dev));
}

static bool xhci_realize(Device *dev, Error **errp)
{
    XhciState *s = XHCI(dev);

    s->pci.config[0x60] = 0x30;         /* SBRN: release 3.0 */
    if (!s->p2 && !s->p3) {
        error_setf(errp, ERR_PROPERTY_RANGE, "'p2' and 'p3' are 0; accepted: one of them up to %d",
                   XHCI_PORTS);
        return false;
    }
    s->n_phys = MAX(s->p2, s->p3);
    for (unsigned i = 0; i < s->p2 + s->p3; i++) {
        s->ports[i].super = i >= s->p2;
        s->ports[i].phys = (uint8_t)(i < s->p2 ? i : i - s->p2);
    }
    s->bus = usb_bus_new(dev, &bus_ops, s);
    for (unsigned i = 0; i < s->n_phys; i++) {
        uint32_t speeds = (i < s->p2 ? BIT(USB_SPEED_LOW) | BIT(USB_SPEED_FULL) |
                                       BIT(USB_SPEED_HIGH) : 0) |
                          (i < s->p3 ? BIT(USB_SPEED_SUPER) : 0);

        usb_port_register(s->bus, &s->usb[i], &port_ops, s, i, speeds, NULL);
    }
    memory_region_init_io(&s->mem, s, &mem_ops, s, "xhci", MEM_SIZE);
    pci_register_bar(&s->pci, 0, PCI_BAR_MEM64, &s->mem);
    if (s->msi != ON_OFF_AUTO_OFF && !msi_init(&s->pci, 0x70, 1, true, false, errp)) {
        return false;
    }
    return s->msix == ON_OFF_AUTO_OFF ||
           msix_init(&s->pci, s->intrs, &s->mem, 0, MSIX_TABLE, &s->mem, 0, MSIX_PBA, 0x90, errp);
}

static void xhci_unrealize(Device *dev)
{
    XhciState *s = XHCI(dev);

    s->cmd = 0;
    for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
        xhci_slot_free(s, i);
    }
    msix_cleanup(&s->pci);
    memory_region_cleanup(&s->mem);
}

static void xhci_pre_save(void *opaque)
{
    xhci_finish_done(opaque);
}

static bool xhci_pre_load(void *opaque, UNUSED Error **errp)
{
    XhciState *s = opaque;

    for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
        xhci_slot_free(s, i);
    }
    return true;
}

static bool xhci_post_load(void *opaque, Error **errp)
{
    XhciState *s = opaque;
    bool ok = s->start_ns >= 0 && !(s->cmd & CMD_RS) == !!(s->status & STS_HCH);

    for (int i = 0; i < XHCI_INTRS; i++) {
        XhciIntr *r = &s->intr[i];

        if (r->size ? r->enqueue >= r->size : r->enqueue != 0) {
            ok = false;
            r->size = r->enqueue = 0;
        }
    }
    if (!ok) {
        error_setf(errp, ERR_STATE_INVALID, "xHCI: command 0x%x, status 0x%x, event rings don't agree",
                   s->cmd, s->status);
        reset_controller(s);
        return false;
    }
    update_intx(s);
    /* What was in flight starts again: its rings are where they were. */
    for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
        for (unsigned ep = 0; ep < XHCI_EPS; ep++) {
            s->slot[i - 1].ep[ep].nak |= s->slot[i - 1].ep[ep].state == EP_RUNNING;
        }
    }
    return true;
}

static const VmField ep_fields[] = {
    VM_U8_RANGE(XhciEp, state, 0, EP_ERROR), VM_U8_RANGE(XhciEp, type, 0, 7),
    VM_U64(XhciEp, dequeue), VM_U8_RANGE(XhciEp, cycle, 0, 1), VM_U32(XhciEp, edtla), VM_END
};
static const VmState ep_vm = { 1, ep_fields, .name = "endpoint", .meanings = xhci_ep_meanings };

static const VmField slot_fields[] = {
    VM_BOOL(XhciSlot, enabled), VM_BOOL(XhciSlot, addressed), VM_U64(XhciSlot, ctx),
    VM_U8(XhciSlot, port), VM_U32(XhciSlot, route), VM_U16(XhciSlot, intr),
    VM_STRUCT_ARRAY(XhciSlot, ep, ep_vm), VM_END
};
static const VmState slot_vm = { 1, slot_fields, .name = "slot", .meanings = xhci_slot_meanings };

static const VmField intr_fields[] = {
    VM_U32_RANGE(XhciIntr, iman, 0, 3), VM_U32(XhciIntr, imod),
    VM_U32_RANGE(XhciIntr, erstsz, 0, 0xffff), VM_U64(XhciIntr, erstba), VM_U64(XhciIntr, erdp),
    VM_U64(XhciIntr, base), VM_U32_RANGE(XhciIntr, size, 0, 4096),
    VM_U32_RANGE(XhciIntr, enqueue, 0, 4096), VM_U8_RANGE(XhciIntr, cycle, 0, 1),
    VM_U64_ARRAY(XhciIntr, wait_param), VM_U32_ARRAY(XhciIntr, wait_status),
    VM_U32_ARRAY(XhciIntr, wait_control), VM_U32_RANGE(XhciIntr, n_wait, 0, XHCI_EVENTS), VM_END
};
static const VmMeaning intr_meanings[] = {
    { "iman", "IMAN", .flags = FLAGS({ "IP", 1 }, { "IE", 2 }) },
    { "imod", "IMOD", .flags = FLAGS({ "INTERVAL", 0xffff }, { "COUNTER", 0xffff0000 }) },
    { "erstsz", "ERSTSZ: segments" }, { "cycle", "producer cycle state" }, { "n_wait", "events that wait for room" },
    { "wait_param", "events that wait for room, n_wait of them: parameter", .payload = "parameters of waiting events" },
    { "wait_status", "their status", .payload = "status of waiting events" },
    { "wait_control", "their control", .payload = "control of waiting events" },
    { "erstba", "segment table", .address = true }, { "erdp", "where the driver reads", .address = true },
    { "base", "event ring", .address = true }, { "size", "TRBs in it" }, { "enqueue", "next to be written" },
    { .name = NULL }
};
static const VmState intr_vm = { 1, intr_fields, .name = "interrupter", .meanings = intr_meanings };

static const VmField port_fields[] = { VM_U32_RANGE(XhciPort, sc, 0, PORT_SC_MAX), VM_END };
static const VmState port_vm = { 1, port_fields, .name = "port", .meanings = xhci_port_meanings };

static const VmField xhci_fields[] = {
    VM_PCI(XhciState, pci), VM_STRUCT_ARRAY(XhciState, ports, port_vm),
    VM_U32_RANGE(XhciState, cmd, 0, CMD_RW), VM_U32_RANGE(XhciState, status, 0, STS_ALL),
    VM_U32_RANGE(XhciState, dnctrl, 0, 0xffff), VM_U32_RANGE(XhciState, config, 0, 0xff),
    VM_U64(XhciState, crcr), VM_U64(XhciState, dcbaap), VM_U64(XhciState, ring),
    VM_U8_RANGE(XhciState, ring_cycle, 0, 1), VM_BOOL(XhciState, ring_running),
    VM_I64(XhciState, start_ns), VM_STRUCT_ARRAY(XhciState, intr, intr_vm),
    VM_STRUCT_ARRAY(XhciState, slot, slot_vm), VM_END
};

static const Property xhci_props[] = {
    PROP_U32_RANGE("p2", XhciState, p2, 4, 0, XHCI_PORTS, "USB 2 ports"),
    PROP_U32_RANGE("p3", XhciState, p3, 4, 0, XHCI_PORTS, "USB 3 ports"),
    PROP_U32_RANGE("intrs", XhciState, intrs, XHCI_INTRS, 1, XHCI_INTRS, "interrupters"),
    PROP_ON_OFF_AUTO("msi", XhciState, msi, ON_OFF_AUTO_AUTO, "MSI"),
    PROP_ON_OFF_AUTO("msix", XhciState, msix, ON_OFF_AUTO_AUTO, "MSI-X"),
    PROP_END
};

static const DeviceType xhci_type = {
    .name = TYPE_XHCI, .parent = TYPE_PCI_DEVICE, .size = sizeof(XhciState), .abstract = true,
    .category = DEVICE_USB, .fw_name = "usb", .props = xhci_props,
    .pci = { .class_code = 0x0c0330, .pin = PCI_PIN_A }, .realize = xhci_realize,
    .unrealize = xhci_unrealize, .reset_hold = xhci_reset_hold,
    .vm = { 1, xhci_fields, .pre_save = xhci_pre_save, .pre_load = xhci_pre_load,
            .post_load = xhci_post_load, .meanings = xhci_meanings },
    .printers = xhci_printers,
};
DEVICE_TYPE(xhci_type)

static const DeviceType qemu_xhci = {
    .name = "qemu-xhci", .parent = TYPE_XHCI, .desc = "USB 3 controller (xHCI)",
    .pci = { .vendor = 0x1b36, .device = 0x000d, .revision = 1 },
};
DEVICE_TYPE(qemu_xhci)

static const DeviceType nec_xhci = {
    .name = "nec-usb-xhci", .parent = TYPE_XHCI, .desc = "USB 3 controller (NEC xHCI)",
    .pci = { .vendor = 0x1033, .device = 0x0194, .revision = 3 },
};
DEVICE_TYPE(nec_xhci)
