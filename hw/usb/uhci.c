/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UHCI host controllers: of PIIX3, PIIX4, and the companions of ICH9's EHCI.
 *
 * Sources: Universal Host Controller Interface Design Guide 1.1 ("UHCI"); Intel 82371SB data
 * sheet 290550 and ICH9 data sheet 316972 for PCI configuration.
 *
 * A frame lasts 1 ms of virtual time, and FRNUM follows the clock exactly. Frames are
 * executed late when that saves work: when all transfers of the last frames were answered
 * by NAK, several frames are executed at one tick of the timer; when no device is attached,
 * there are hardly any ticks. Reading FRNUM, and a device that has data, executes what is due.
 * Not modelled: bandwidth (a frame moves up to FRAME_BYTES), software debug mode, global
 * suspend's timing.
 */
#include "util/osdep.h"
#include "hw/usb/usb.h"
#include "hw/usb/hci-state.h"

#include <glib.h>
#include "hw/pci/pci.h"
#include "util/bswap.h"
#include "util/log.h"

/* UHCI 2.1: registers. */
enum { USBCMD = 0x00, USBSTS = 0x02, USBINTR = 0x04, FRNUM = 0x06, FLBASEADD = 0x08,
       SOFMOD = 0x0c, PORTSC1 = 0x10, UHCI_IO_SIZE = 0x20 };
enum { CMD_RS = BIT(0), CMD_HCRESET = BIT(1), CMD_GRESET = BIT(2), CMD_EGSM = BIT(3),
       CMD_FGR = BIT(4), CMD_SWDBG = BIT(5), CMD_CF = BIT(6), CMD_MAXP = BIT(7),
       CMD_MASK = 0xff };
enum { STS_USBINT = BIT(0), STS_ERROR = BIT(1), STS_RESUME = BIT(2), STS_HSE = BIT(3),
       STS_HCPE = BIT(4), STS_HALTED = BIT(5), STS_W1C = 0x3f };
enum { INTR_TOCRC = BIT(0), INTR_RESUME = BIT(1), INTR_IOC = BIT(2), INTR_SPD = BIT(3),
       INTR_MASK = 0x0f };
/* UHCI 2.1.7 */
enum { PORT_CCS = BIT(0), PORT_CSC = BIT(1), PORT_PED = BIT(2), PORT_PEDC = BIT(3),
       PORT_LINE = 0x30, PORT_RD = BIT(6), PORT_ALWAYS1 = BIT(7), PORT_LSDA = BIT(8),
       PORT_PR = BIT(9), PORT_SUSPEND = BIT(12),
       PORT_RW = PORT_PED | PORT_RD | PORT_PR | PORT_SUSPEND, PORT_W1C = PORT_CSC | PORT_PEDC,
       PORT_VALID = PORT_RW | PORT_W1C | PORT_CCS | PORT_LINE | PORT_LSDA };
/* UHCI 3.1, 3.2: links and transfer descriptors. */
#define LINK_T      BIT(0)
#define LINK_QH     BIT(1)
#define LINK_VF     BIT(2)
#define LINK_ADDR   0xfffffff0u
#define TD_ACTLEN   0x7ffu
#define TD_CRC      BIT(18)
#define TD_NAK      BIT(19)
#define TD_BABBLE   BIT(20)
#define TD_STALLED  BIT(22)
#define TD_ACTIVE   BIT(23)
#define TD_IOC      BIT(24)
#define TD_IOS      BIT(25)
#define TD_CERR     (3u << 27)
#define TD_CERR_1   (1u << 27)
#define TD_SPD      BIT(29)
#define TD_BYTES_MAX 1280           /* UHCI 3.2.3: longer ones are a process error */

#define NUM_PORTS       2
#define FRAME_NS        NS_PER_MS
#define FRAME_BYTES     16384       /* moved in one frame at most */
#define FRAME_VISITS    512         /* links followed in one frame at most */
#define FRAME_QHS       128         /* different queues in one frame at most */
#define FRAMES_LATE     128         /* more missed frames are skipped */
#define IDLE_FRAMES     32          /* of nothing but NAK, before ticks become rarer */
#define TICK_IDLE       8           /* frames */
#define TICK_EMPTY      128
#define TRANSFERS_MAX   64          /* in flight */
#define UNSEEN_FRAMES   32          /* then the guest has taken it off its lists */

typedef struct UhciTd {
    uint32_t link, ctrl, token, buffer;
} UhciTd;

typedef struct UhciState UhciState;

/* A descriptor whose packet waits for its device. */
typedef struct UhciTransfer {
    UhciState *uhci;
    UsbPacket packet;
    uint32_t td_addr, qh_addr, token;
    uint64_t seen;              /* frame in which a list led to it */
    bool done;
    uint8_t data[TD_BYTES_MAX];
    struct UhciTransfer *next;
} UhciTransfer;

typedef struct UhciPort {
    UsbPort *port;              /* own, or the EHCI's */
    UsbPort own;
    uint16_t ctrl;
} UhciPort;

struct UhciState {
    PCIDevice pci;
    MemRegion io;
    UsbBus *bus;                /* own one, or the EHCI's */
    UhciPort ports[NUM_PORTS];
    char *masterbus;            /* properties */
    uint32_t firstport;
    bool companion;
    uint16_t cmd, status, intr, frnum;
    uint32_t fl_base;
    uint8_t sof_mod;
    uint8_t spd_int, ioc_int;   /* why USBINT is set: SPD, IOC */
    int64_t frame_ns;           /* when frame frnum begins */
    Timer timer;
    /* Not saved: how the present frame goes. */
    uint32_t idle_frames;
    uint64_t frame_count;
    bool busy, progress;
    uint32_t bytes, pending_int;
    UhciTransfer *transfers;
    unsigned n_transfers;
};

#define TYPE_UHCI   "pci-uhci-usb"
DEFINE_CAST(UHCI, UhciState, TYPE_UHCI)

/* --- interrupts (UHCI 2.1.3) --- */

static void update_irq(UhciState *s)
{
    bool level = (s->ioc_int && (s->intr & INTR_IOC)) || (s->spd_int && (s->intr & INTR_SPD)) ||
                 ((s->status & STS_ERROR) && (s->intr & INTR_TOCRC)) ||
                 ((s->status & STS_RESUME) && (s->intr & INTR_RESUME)) ||
                 (s->status & (STS_HSE | STS_HCPE));

    pci_set_irq(&s->pci, level);
}

/* --- packets in flight --- */

static void free_transfer(UhciTransfer *t)
{
    UhciState *s = t->uhci;

    for (UhciTransfer **pp = &s->transfers; *pp; pp = &(*pp)->next) {
        if (*pp == t) {
            *pp = t->next;
            s->n_transfers--;
            break;
        }
    }
    usb_packet_cancel(&t->packet);
    g_free(t);
}

static void cancel_all(UhciState *s)
{
    while (s->transfers) {
        free_transfer(s->transfers);
    }
}

static UhciTransfer *find_transfer(UhciState *s, uint32_t td_addr)
{
    for (UhciTransfer *t = s->transfers; t; t = t->next) {
        if (t->td_addr == td_addr) {
            return t;
        }
    }
    return NULL;
}

static void schedule(UhciState *s);

static void packet_complete(UsbPacket *p)
{
    UhciTransfer *t = p->opaque;

    t->done = true;
    t->uhci->idle_frames = 0;
    schedule(t->uhci);
}

static UsbDevice *find_device(UhciState *s, uint8_t addr)
{
    UsbDevice *d = NULL;

    for (int i = 0; i < NUM_PORTS && !d; i++) {
        const UhciPort *p = &s->ports[i];

        if ((p->ctrl & PORT_PED) && (p->ctrl & PORT_CCS) && !(p->ctrl & PORT_SUSPEND)) {
            d = usb_find_device(p->port, addr);
        }
    }
    return d;
}

/* --- descriptors --- */

static void process_error(UhciState *s, uint16_t bit)
{
    s->status |= bit | STS_HALTED;
    s->cmd &= ~CMD_RS;
    update_irq(s);
}

static bool read_words(UhciState *s, uint32_t addr, uint32_t *words, unsigned n)
{
    uint8_t raw[16];

    if (pci_dma_read(&s->pci, addr, raw, 4 * n) != MEM_OK) {
        process_error(s, STS_HSE);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        words[i] = load_le32(raw + 4 * i);
    }
    return true;
}

static bool write_word(UhciState *s, uint32_t addr, uint32_t v)
{
    uint8_t raw[4];

    store_le32(raw, v);
    if (pci_dma_write(&s->pci, addr, raw, sizeof(raw)) != MEM_OK) {
        process_error(s, STS_HSE);
        return false;
    }
    return true;
}

/* What happens to the queue after a descriptor. */
typedef enum TdResult {
    TD_NEXT_QUEUE,              /* nothing came of it: the queue waits here */
    TD_ADVANCE,                 /* retired, the queue goes on */
    TD_HALT_QUEUE,              /* retired, the queue stays (error, short packet) */
    TD_STOP,                    /* the controller has stopped */
} TdResult;

static TdResult write_back(UhciState *s, uint32_t addr, UhciTd *td, uint32_t ctrl,
                           TdResult result)
{
    td->ctrl = ctrl;
    return write_word(s, addr + 4, ctrl) ? result : TD_STOP;
}

static TdResult retire_error(UhciState *s, uint32_t addr, UhciTd *td, uint32_t bits)
{
    s->pending_int |= STS_ERROR;
    if (td->ctrl & TD_IOC) {
        s->ioc_int = 1;
        s->pending_int |= STS_USBINT;
    }
    s->progress = true;
    return write_back(s, addr, td, (td->ctrl & ~(TD_ACTIVE | TD_ACTLEN)) | bits | TD_ACTLEN,
                      TD_HALT_QUEUE);
}

/* UHCI 3.2.2: the error counter; 0 at the start means that errors aren't counted. */
static TdResult count_error(UhciState *s, uint32_t addr, UhciTd *td)
{
    uint32_t left = td->ctrl & TD_CERR;

    if (left == TD_CERR_1) {
        td->ctrl &= ~TD_CERR;
        return retire_error(s, addr, td, TD_CRC | TD_STALLED);
    }
    return write_back(s, addr, td, (td->ctrl | TD_CRC) - (left ? TD_CERR_1 : 0), TD_NEXT_QUEUE);
}

static TdResult finish_td(UhciState *s, uint32_t addr, UhciTd *td, UsbPacket *p)
{
    uint32_t max = ((td->token >> 21) + 1) & 0x7ff, ctrl = td->ctrl;
    bool in = (td->token & 0xff) == USB_PID_IN;

    switch (p->status) {
    case USB_OK:
        break;
    case USB_NAK:
        if (ctrl & TD_NAK) {
            return TD_NEXT_QUEUE;
        }
        return write_back(s, addr, td, ctrl | TD_NAK, TD_NEXT_QUEUE);
    case USB_STALL:
        return retire_error(s, addr, td, TD_STALLED);
    case USB_BABBLE:
        return retire_error(s, addr, td, TD_STALLED | TD_BABBLE);
    default:
        return count_error(s, addr, td);
    }
    if (in && p->actual &&
        pci_dma_write(&s->pci, td->buffer, p->data, p->actual) != MEM_OK) {
        process_error(s, STS_HSE);
        return TD_STOP;
    }
    s->progress = true;
    s->bytes += p->actual + 16;
    if (ctrl & TD_IOC) {
        s->ioc_int = 1;
        s->pending_int |= STS_USBINT;
    }
    ctrl = (ctrl & ~(TD_ACTLEN | TD_ACTIVE | TD_NAK)) | ((p->actual - 1) & TD_ACTLEN);
    if (in && (ctrl & TD_SPD) && p->actual < max) {
        s->spd_int = 1;
        s->pending_int |= STS_USBINT;
        return write_back(s, addr, td, ctrl, TD_HALT_QUEUE);
    }
    return write_back(s, addr, td, ctrl, TD_ADVANCE);
}

static TdResult resume_transfer(UhciState *s, UhciTransfer *t, uint32_t addr, UhciTd *td)
{
    UhciTransfer own = *t;
    TdResult result;

    t->seen = s->frame_count;
    if (!t->done) {
        return TD_NEXT_QUEUE;
    }
    own.packet.data = own.data;
    free_transfer(t);
    result = finish_td(s, addr, td, &own.packet);
    return result;
}

static TdResult run_td(UhciState *s, uint32_t addr, uint32_t qh_addr, UhciTd *td)
{
    uint32_t len = ((td->token >> 21) + 1) & 0x7ff;
    uint8_t pid = (uint8_t)td->token;
    UhciTransfer *t = find_transfer(s, addr);
    UsbDevice *d;

    if (t && (t->token != td->token || t->qh_addr != qh_addr || !(td->ctrl & TD_ACTIVE))) {
        free_transfer(t);               /* another one lies at that place now */
        t = NULL;
    }
    if (!(td->ctrl & TD_ACTIVE)) {
        if (td->ctrl & TD_IOC && !qh_addr) {
            s->ioc_int = 1;
            s->pending_int |= STS_USBINT;
        }
        return TD_HALT_QUEUE;
    }
    if (t) {
        return resume_transfer(s, t, addr, td);
    }
    if (len > TD_BYTES_MAX ||
        (pid != USB_PID_IN && pid != USB_PID_OUT && pid != USB_PID_SETUP)) {
        log_guest_error("uhci", "bad descriptor at 0x%08x, token 0x%08x", addr, td->token);
        process_error(s, STS_HCPE);
        return TD_STOP;
    }
    d = find_device(s, td->token >> 8 & 0x7f);
    if (!d) {
        return count_error(s, addr, td);
    }
    if (s->n_transfers == TRANSFERS_MAX) {
        return TD_NEXT_QUEUE;
    }
    t = g_new0(UhciTransfer, 1);
    t->uhci = s;
    t->td_addr = addr;
    t->qh_addr = qh_addr;
    t->token = td->token;
    t->seen = s->frame_count;
    usb_packet_init(&t->packet, packet_complete, t);
    if (pid != USB_PID_IN && len &&
        pci_dma_read(&s->pci, td->buffer, t->data, len) != MEM_OK) {
        g_free(t);
        process_error(s, STS_HSE);
        return TD_STOP;
    }
    if (usb_packet_submit(d, &t->packet, pid, td->token >> 15 & 15, t->data, len) == USB_ASYNC) {
        t->next = s->transfers;
        s->transfers = t;
        s->n_transfers++;
        s->progress = true;
        return TD_NEXT_QUEUE;
    }
    {
        TdResult result = finish_td(s, addr, td, &t->packet);

        g_free(t);
        return result;
    }
}

/* What has completed since the last frame goes to memory, as a frame would have done it. */
static void finish_done(UhciState *s)
{
    for (UhciTransfer *t = s->transfers, *next; t; t = next) {
        uint32_t addr = t->td_addr, qh = t->qh_addr, raw[4], element;
        UhciTd td;

        next = t->next;
        if (!t->done) {
            continue;
        }
        if (!read_words(s, addr, raw, 4)) {
            return;
        }
        td = (UhciTd){ raw[0], raw[1], raw[2], raw[3] };
        if (td.token == t->token && (td.ctrl & TD_ACTIVE) &&
            resume_transfer(s, t, addr, &td) == TD_ADVANCE && qh &&
            read_words(s, qh + 4, &element, 1) && element == addr) {
            write_word(s, qh + 4, td.link);
        }
    }
}

/* --- frames (UHCI 3.4) --- */

typedef struct Frame {
    uint32_t qhs[FRAME_QHS];
    unsigned n_qhs;
    bool moved;                 /* since the queues were noted */
} Frame;

/* The lists may end in a loop, for bandwidth reclamation (UHCI 1.5): it is followed
 * as long as it moves data. */
static bool enter_qh(UhciState *s, Frame *f, uint32_t addr)
{
    for (unsigned i = 0; i < f->n_qhs; i++) {
        if (f->qhs[i] == addr) {
            if (!f->moved || s->bytes >= FRAME_BYTES) {
                return false;
            }
            f->moved = false;
            f->n_qhs = 0;
            break;
        }
    }
    if (f->n_qhs == FRAME_QHS) {
        return false;
    }
    f->qhs[f->n_qhs++] = addr;
    return true;
}

static void run_frame(UhciState *s)
{
    Frame f = { .n_qhs = 0 };
    uint32_t link, qh_addr = 0, qh[2] = { 0, 0 };

    s->progress = false;
    s->bytes = 0;
    if (!read_words(s, s->fl_base + 4u * (s->frnum & 0x3ff), &link, 1)) {
        return;
    }
    for (unsigned visits = 0; visits < FRAME_VISITS; visits++) {
        uint32_t addr = link & LINK_ADDR;
        UhciTd td;
        uint32_t raw[4];

        if (link & LINK_T) {
            if (!qh_addr || (qh[0] & LINK_T)) {
                break;
            }
            link = qh[0];               /* this queue is empty: to the next */
            qh_addr = 0;
            continue;
        }
        if (link & LINK_QH) {
            if (!enter_qh(s, &f, addr) || !read_words(s, addr, qh, 2)) {
                break;
            }
            qh_addr = addr;
            if ((qh[1] & (LINK_T | LINK_QH)) == LINK_QH) {
                link = qh[1];           /* a queue that holds a queue */
                qh_addr = 0;
            } else {
                link = qh[1] & LINK_T ? LINK_T : qh[1];
            }
            continue;
        }
        if (!read_words(s, addr, raw, 4)) {
            break;
        }
        td = (UhciTd){ raw[0], raw[1], raw[2], raw[3] };
        switch (run_td(s, addr, qh_addr, &td)) {
        case TD_STOP:
            return;
        case TD_ADVANCE:
            f.moved = true;
            if (qh_addr) {
                qh[1] = td.link;
                if (!write_word(s, qh_addr + 4, td.link)) {
                    return;
                }
                /* UHCI 3.4.1: depth first, or one of each queue and on. */
                link = (td.link & LINK_VF) && s->bytes < FRAME_BYTES ? td.link : qh[0];
                qh_addr = link == td.link && !(link & LINK_QH) ? qh_addr : 0;
            } else {
                link = td.link;
            }
            break;
        default:
            link = qh_addr ? qh[0] : td.link;
            qh_addr = 0;
            break;
        }
    }
}

static void drop_unseen(UhciState *s)
{
    for (UhciTransfer *t = s->transfers, *next; t; t = next) {
        next = t->next;
        if (s->frame_count - t->seen > UNSEEN_FRAMES) {
            free_transfer(t);
        }
    }
}

static bool anything_attached(const UhciState *s)
{
    for (int i = 0; i < NUM_PORTS; i++) {
        if (s->ports[i].ctrl & PORT_CCS) {
            return true;
        }
    }
    return false;
}

static void run_due_frames(UhciState *s)
{
    int64_t now = clock_get_ns(CLOCK_VIRTUAL), due;

    if (s->busy || !(s->cmd & CMD_RS)) {
        return;
    }
    s->busy = true;
    due = (now - s->frame_ns) / FRAME_NS + 1;
    if (now < s->frame_ns) {
        due = 0;
    }
    if (due > FRAMES_LATE) {
        int64_t skipped = due - FRAMES_LATE;

        s->frnum = (uint16_t)((s->frnum + skipped) & 0x7ff);
        s->frame_ns += skipped * FRAME_NS;
        due = FRAMES_LATE;
    }
    for (; due > 0 && (s->cmd & CMD_RS); due--) {
        s->pending_int = 0;
        if (!(s->cmd & CMD_EGSM)) {
            run_frame(s);
        }
        s->frame_count++;
        s->frnum = (s->frnum + 1) & 0x7ff;
        s->frame_ns += FRAME_NS;
        s->idle_frames = s->progress ? 0 : s->idle_frames + (s->idle_frames < IDLE_FRAMES);
        if (s->pending_int) {
            s->status |= (uint16_t)s->pending_int;
            update_irq(s);
        }
    }
    drop_unseen(s);
    s->busy = false;
}

/* The timer for the next frames. */
static void schedule(UhciState *s)
{
    int64_t frames = 1;

    if (!(s->cmd & CMD_RS)) {
        timer_del(&s->timer);
        return;
    }
    if (s->idle_frames >= IDLE_FRAMES) {
        frames = anything_attached(s) ? TICK_IDLE : TICK_EMPTY;
    }
    timer_mod_ns(&s->timer, s->frame_ns + (frames - 1) * FRAME_NS);
}

static void tick(void *opaque)
{
    UhciState *s = opaque;

    run_due_frames(s);
    schedule(s);
}

static void wake(UhciState *s)
{
    s->idle_frames = 0;
    schedule(s);
}

/* --- ports (UHCI 2.1.7) --- */

static UhciPort *port_of(UsbPort *port)
{
    UhciState *s = port->opaque;

    return &s->ports[s->ports[1].port == port];
}

static void resume_detected(UhciState *s)
{
    if (s->cmd & CMD_EGSM) {
        s->cmd |= CMD_FGR;
        s->status |= STS_RESUME;
        update_irq(s);
    }
}

static void port_attach(UsbPort *port)
{
    UhciState *s = port->opaque;
    UhciPort *p = port_of(port);

    p->ctrl = (uint16_t)((p->ctrl & ~PORT_LSDA) | PORT_CCS | PORT_CSC |
                         (port->dev->speed == USB_SPEED_LOW ? PORT_LSDA : 0));
    resume_detected(s);
    wake(s);
}

static void port_detach(UsbPort *port)
{
    UhciState *s = port->opaque;
    UhciPort *p = port_of(port);

    if (p->ctrl & PORT_CCS) {
        p->ctrl = (uint16_t)((p->ctrl & ~(PORT_CCS | PORT_LSDA | PORT_SUSPEND)) | PORT_CSC);
    }
    if (p->ctrl & PORT_PED) {
        p->ctrl = (uint16_t)((p->ctrl & ~PORT_PED) | PORT_PEDC);
    }
    resume_detected(s);
    wake(s);
}

static void port_wakeup(UsbPort *port)
{
    UhciState *s = port->opaque;
    UhciPort *p = port_of(port);

    if ((p->ctrl & PORT_SUSPEND) && !(p->ctrl & PORT_RD)) {
        p->ctrl |= PORT_RD;
        resume_detected(s);
    } else if (s->cmd & CMD_EGSM) {
        resume_detected(s);
    }
}

static void port_kick(UsbPort *port)
{
    UhciState *s = port->opaque;

    if (s->idle_frames >= IDLE_FRAMES) {
        wake(s);
    }
}

static const UsbPortOps port_ops = { port_attach, port_detach, port_wakeup, port_kick };
static const UsbBusOps bus_ops = { .add_companion = NULL };

static void write_port(UhciState *s, unsigned n, uint16_t val)
{
    UhciPort *p = &s->ports[n];
    uint16_t old = p->ctrl;

    p->ctrl = (uint16_t)((old & ~(val & PORT_W1C) & ~PORT_RW) | (val & PORT_RW));
    if (!(p->ctrl & PORT_CCS)) {
        p->ctrl &= ~PORT_PED;
    }
    if ((old & PORT_PR) && !(val & PORT_PR) && (p->ctrl & PORT_CCS)) {
        usb_port_reset(p->port);       /* the device is reset when the signal ends */
    }
    if (val & PORT_PR) {
        p->ctrl &= ~(PORT_PED | PORT_SUSPEND);
    }
    if ((old & PORT_RD) && !(val & PORT_RD)) {
        p->ctrl &= ~PORT_SUSPEND;       /* the end of resume signalling */
    }
    wake(s);
}

static uint16_t read_port(const UhciState *s, unsigned n)
{
    return s->ports[n].ctrl | PORT_ALWAYS1;
}

/* --- registers --- */

static void reset_controller(UhciState *s)
{
    cancel_all(s);
    timer_del(&s->timer);
    s->cmd = s->intr = s->frnum = 0;
    s->status = STS_HALTED;
    s->fl_base = 0;
    s->sof_mod = 0x40;
    s->spd_int = s->ioc_int = 0;
    s->idle_frames = 0;
    for (int i = 0; i < NUM_PORTS; i++) {
        UhciPort *p = &s->ports[i];
        UsbDevice *d = p->port ? p->port->dev : NULL;

        if (s->companion && !(p->ctrl & PORT_CCS)) {
            d = NULL;                   /* the EHCI has it */
        }
        p->ctrl = 0;
        if (d && d->attached) {
            p->ctrl = (uint16_t)(PORT_CCS | PORT_CSC |
                                 (d->speed == USB_SPEED_LOW ? PORT_LSDA : 0));
        }
    }
    update_irq(s);
}

static void write_command(UhciState *s, uint16_t val)
{
    bool was_running = s->cmd & CMD_RS;

    if (val & CMD_HCRESET) {
        reset_controller(s);
        return;
    }
    if (val & CMD_GRESET) {             /* UHCI 2.1.1: all ports, and the controller */
        for (int i = 0; i < NUM_PORTS; i++) {
            if (s->ports[i].ctrl & PORT_CCS) {
                usb_port_reset(s->ports[i].port);
            }
        }
        reset_controller(s);
        s->cmd = val & CMD_MASK & ~CMD_RS;
        return;
    }
    run_due_frames(s);
    s->cmd = val & CMD_MASK;
    if ((val & CMD_RS) && !was_running) {
        s->status &= ~STS_HALTED;
        s->frame_ns = clock_get_ns(CLOCK_VIRTUAL) + FRAME_NS;
        s->idle_frames = 0;
    } else if (!(val & CMD_RS)) {
        s->status |= STS_HALTED;
        cancel_all(s);
    }
    wake(s);
}

static MemResult io_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                         UNUSED MemAttrs attrs)
{
    UhciState *s = opaque;

    switch (addr & ~1u) {
    case USBCMD:
        *val = s->cmd;
        break;
    case USBSTS:
        *val = s->status;
        break;
    case USBINTR:
        *val = s->intr;
        break;
    case FRNUM:
        run_due_frames(s);
        *val = s->frnum;
        break;
    case FLBASEADD:
        *val = s->fl_base & 0xffff;
        break;
    case FLBASEADD + 2:
        *val = s->fl_base >> 16;
        break;
    case SOFMOD:
        *val = s->sof_mod;
        break;
    case PORTSC1:
    case PORTSC1 + 2:
        *val = read_port(s, (addr >> 1) & 1);
        break;
    default:
        *val = 0xff7f;                  /* no more ports: bit 7 is 0 (UHCI 2.1.7) */
        break;
    }
    if (addr & 1) {
        *val >>= 8;
    }
    return MEM_OK;
}

static MemResult io_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                          UNUSED MemAttrs attrs)
{
    UhciState *s = opaque;
    uint16_t v = (uint16_t)val;

    if (addr & 1) {                     /* the high byte of a register alone */
        if ((addr & ~1u) != FLBASEADD && (addr & ~1u) != FLBASEADD + 2) {
            return MEM_OK;
        }
        v = (uint16_t)(v << 8);
    }
    switch (addr & ~1u) {
    case USBCMD:
        write_command(s, v);
        break;
    case USBSTS:
        s->status &= ~(v & STS_W1C & ~STS_HALTED);
        if (v & STS_USBINT) {
            s->spd_int = s->ioc_int = 0;
        }
        update_irq(s);
        break;
    case USBINTR:
        s->intr = v & INTR_MASK;
        update_irq(s);
        break;
    case FRNUM:
        if (s->status & STS_HALTED) {   /* UHCI 2.1.4: only while stopped */
            s->frnum = v & 0x7ff;
        }
        break;
    case FLBASEADD:
        s->fl_base = (s->fl_base & 0xffff0000) | (v & 0xf000);
        break;
    case FLBASEADD + 2:
        s->fl_base = (s->fl_base & 0xffff) | (uint32_t)v << 16;
        break;
    case SOFMOD:
        s->sof_mod = v & 0x7f;
        break;
    case PORTSC1:
    case PORTSC1 + 2:
        if (size == 2) {
            write_port(s, (addr >> 1) & 1, v);
        } else {                        /* the low byte: the rest stays */
            write_port(s, (addr >> 1) & 1,
                       (v & 0xff) | (s->ports[(addr >> 1) & 1].ctrl & PORT_RW & 0xff00));
        }
        break;
    default:
        break;
    }
    return MEM_OK;
}

static const MemOps io_ops = {
    .read = io_read, .write = io_write, .order = MEM_LE,
    .valid = { .min = 1, .max = 4 }, .impl = { .min = 1, .max = 2 },
};

/* --- life --- */

static void uhci_reset_hold(Device *dev)
{
    reset_controller(UHCI(dev));
}

static UsbBus *master_bus(UhciState *s, Error **errp)
{
    Bus *bus = bus_find(s->masterbus, errp);

    if (!bus) {
        return NULL;
    }
    if (!object_is_a(bus, TYPE_USB_BUS) || !USB_BUS(bus)->ops->add_companion) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "USB bus '%s' has no place for companions",
                   s->masterbus);
        error_argument(errp, "masterbus", s->masterbus, "the bus of an EHCI controller");
        return NULL;
    }
    return USB_BUS(bus);
}

static bool uhci_realize(Device *dev, Error **errp)
{
    UhciState *s = UHCI(dev);

    s->pci.config[0x60] = 0x10;         /* SBRN: USB release 1.0 */
    pci_set_word(s->pci.config + 0xc0, 0x2000);         /* LEGSUP (UHCI 5.2.1) */
    pci_set_word(s->pci.wmask + 0xc0, 0x203f);
    timer_init_ns(&s->timer, CLOCK_VIRTUAL, tick, s);
    s->companion = s->masterbus != NULL;
    if (s->companion) {
        UsbPort *ports[NUM_PORTS];
        UsbBus *bus = master_bus(s, errp);

        if (!bus || !bus->ops->add_companion(bus, ports, NUM_PORTS, s->firstport, &port_ops, s,
                                             errp)) {
            return false;
        }
        s->bus = bus;
        for (unsigned i = 0; i < NUM_PORTS; i++) {
            s->ports[i].port = ports[i];
        }
    } else {
        s->bus = usb_bus_new(dev, &bus_ops, s);
        for (unsigned i = 0; i < NUM_PORTS; i++) {
            s->ports[i].port = &s->ports[i].own;
            usb_port_register(s->bus, s->ports[i].port, &port_ops, s, i,
                              BIT(USB_SPEED_LOW) | BIT(USB_SPEED_FULL), NULL);
        }
    }
    memory_region_init_io(&s->io, s, &io_ops, s, "uhci", UHCI_IO_SIZE);
    pci_register_bar(&s->pci, 4, PCI_BAR_IO, &s->io);
    return true;
}

static void uhci_unrealize(Device *dev)
{
    UhciState *s = UHCI(dev);

    cancel_all(s);
    timer_del(&s->timer);
    s->cmd = 0;
    if (s->companion && s->bus) {
        s->bus->ops->remove_companion(s->bus, s);
    }
    s->bus = NULL;
    memory_region_cleanup(&s->io);
}

static void uhci_pre_save(void *opaque)
{
    UhciState *s = opaque;

    s->pending_int = 0;
    finish_done(s);
    if (s->pending_int) {
        s->status |= (uint16_t)s->pending_int;
        update_irq(s);
    }
}

static bool uhci_post_load(void *opaque, Error **errp)
{
    UhciState *s = opaque;

    cancel_all(s);
    s->idle_frames = 0;
    if (s->frame_ns < 0 || s->frame_ns > INT64_MAX / 2 || !(s->cmd & CMD_RS) != !!(s->status & STS_HALTED)) {
        error_setf(errp, ERR_STATE_INVALID, "UHCI: command 0x%02x, status 0x%02x and frame time "
                   "%" PRId64 " don't agree", s->cmd, s->status, s->frame_ns);
        s->cmd &= ~CMD_RS;
        s->status |= STS_HALTED;
        s->frame_ns = 0;
        return false;
    }
    schedule(s);
    update_irq(s);
    return true;
}

static const VmField port_fields[] = {
    VM_U16_RANGE(UhciPort, ctrl, 0, PORT_VALID), VM_END
};
static const VmState port_vm = { 1, port_fields, .name = "port", .meanings = uhci_port_meanings };

static const VmField uhci_fields[] = {
    VM_PCI(UhciState, pci), VM_STRUCT_ARRAY(UhciState, ports, port_vm),
    VM_U16_RANGE(UhciState, cmd, 0, CMD_MASK), VM_U16_RANGE(UhciState, status, 0, STS_W1C),
    VM_U16_RANGE(UhciState, intr, 0, INTR_MASK), VM_U16_RANGE(UhciState, frnum, 0, 0x7ff),
    VM_U32(UhciState, fl_base), VM_U8_RANGE(UhciState, sof_mod, 0, 0x7f),
    VM_U8_RANGE(UhciState, spd_int, 0, 1), VM_U8_RANGE(UhciState, ioc_int, 0, 1),
    VM_I64(UhciState, frame_ns), VM_END
};

static const Property uhci_props[] = {
    PROP_STR("masterbus", UhciState, masterbus, NULL,
             "bus of the EHCI controller whose companion this is"),
    PROP_U32("firstport", UhciState, firstport, 0, "first of that controller's ports, from 0"),
    PROP_END
};

static const DeviceType uhci_type = {
    .name = TYPE_UHCI, .parent = TYPE_PCI_DEVICE, .size = sizeof(UhciState), .abstract = true,
    .category = DEVICE_USB, .fw_name = "usb", .props = uhci_props,
    .pci = { .vendor = 0x8086, .class_code = 0x0c0300, .revision = 1 },
    .realize = uhci_realize, .unrealize = uhci_unrealize, .reset_hold = uhci_reset_hold,
    .vm = { 1, uhci_fields, .pre_save = uhci_pre_save, .post_load = uhci_post_load,
            .meanings = uhci_meanings },
    .printers = uhci_printers,
};
DEVICE_TYPE(uhci_type)

#define UHCI_TYPE(ident, type_name, text, device_id, rev, irq_pin) \
    static const DeviceType ident = { \
        .name = type_name, .parent = TYPE_UHCI, .desc = text, \
        .pci = { .device = device_id, .revision = rev, .pin = irq_pin }, \
    }; \
    DEVICE_TYPE(ident)

UHCI_TYPE(piix3_uhci, "piix3-usb-uhci", "PIIX3 USB (UHCI)", 0x7020, 0x01, PCI_PIN_D)
UHCI_TYPE(piix4_uhci, "piix4-usb-uhci", "PIIX4 USB (UHCI)", 0x7112, 0x01, PCI_PIN_D)
UHCI_TYPE(ich9_uhci1, "ich9-usb-uhci1", "ICH9 USB (UHCI) 1", 0x2934, 0x03, PCI_PIN_A)
UHCI_TYPE(ich9_uhci2, "ich9-usb-uhci2", "ICH9 USB (UHCI) 2", 0x2935, 0x03, PCI_PIN_B)
UHCI_TYPE(ich9_uhci3, "ich9-usb-uhci3", "ICH9 USB (UHCI) 3", 0x2936, 0x03, PCI_PIN_C)
UHCI_TYPE(ich9_uhci4, "ich9-usb-uhci4", "ICH9 USB (UHCI) 4", 0x2937, 0x03, PCI_PIN_A)
UHCI_TYPE(ich9_uhci5, "ich9-usb-uhci5", "ICH9 USB (UHCI) 5", 0x2938, 0x03, PCI_PIN_B)
UHCI_TYPE(ich9_uhci6, "ich9-usb-uhci6", "ICH9 USB (UHCI) 6", 0x2939, 0x03, PCI_PIN_C)
UHCI_TYPE(ich7_uhci1, "ich7-usb-uhci1", "ICH7 USB (UHCI) 1", 0x27c8, 0x02, PCI_PIN_A)
UHCI_TYPE(ich7_uhci2, "ich7-usb-uhci2", "ICH7 USB (UHCI) 2", 0x27c9, 0x02, PCI_PIN_B)
UHCI_TYPE(ich7_uhci3, "ich7-usb-uhci3", "ICH7 USB (UHCI) 3", 0x27ca, 0x02, PCI_PIN_C)
UHCI_TYPE(ich7_uhci4, "ich7-usb-uhci4", "ICH7 USB (UHCI) 4", 0x27cb, 0x02, PCI_PIN_D)
