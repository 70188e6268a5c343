/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EHCI: the periodic and the asynchronous schedule.
 *
 * Source: EHCI 1.0 ("EHCI"), 3.5, 3.6, 4.6, 4.8, 4.10.
 *
 * The whole rest of a transfer descriptor goes to the device as one packet. A frame is a
 * millisecond; as with UHCI, frames are executed late while everything is answered by NAK.
 * Isochronous descriptors are passed over: no device has such endpoints.
 */
#include "util/osdep.h"
#include "hw/usb/ehci.h"

#include <glib.h>
#include "util/bswap.h"
#include "util/log.h"

#define LINK_T          BIT(0)
#define LINK_ADDR       0xffffffe0u
enum { LINK_ITD, LINK_QH, LINK_SITD, LINK_FSTN };
/* EHCI 3.5.3: token. */
#define QTD_ACTIVE      BIT(7)
#define QTD_HALTED      BIT(6)
#define QTD_BABBLE      BIT(4)
#define QTD_XACT        BIT(3)
#define QTD_IOC         BIT(15)
#define QTD_CERR        (3u << 10)
#define QTD_BYTES(t)    ((t) >> 16 & 0x7fff)
#define QTD_BYTES_MASK  (0x7fffu << 16)
#define QTD_MAX         (5 * 4096)      /* EHCI 3.5.4: five pages */
#define QH_SMASK        0xff

#define FRAME_NS        NS_PER_MS
#define FRAME_BYTES     (128 * KIB)     /* moved in one frame at most */
#define WALK_QUEUES     256             /* of one schedule */
#define VISIT_QTDS      64              /* of one queue at a time */
#define PERIODIC_LINKS  64              /* of one frame */
#define ASYNC_ROUNDS    16              /* of one frame */
#define FRAMES_LATE     64
#define IDLE_FRAMES     32
#define TICK_IDLE       8
#define TRANSFERS_MAX   64
#define UNSEEN_WALKS    256

typedef struct Queue {
    uint32_t addr;
    uint32_t link, chars, caps, current;
    uint32_t next, alt, token, buf[5];  /* the overlay */
} Queue;
#define QH_WORDS        12
#define OVERLAY_WORDS   8

/* --- transfers --- */

static void free_transfer(EhciTransfer *t)
{
    EhciState *s = t->ehci;

    for (EhciTransfer **pp = &s->transfers; *pp; pp = &(*pp)->next) {
        if (*pp == t) {
            *pp = t->next;
            s->n_transfers--;
            break;
        }
    }
    usb_packet_cancel(&t->packet);
    g_free(t);
}

void ehci_cancel_all(EhciState *s)
{
    while (s->transfers) {
        free_transfer(s->transfers);
    }
}

static EhciTransfer *find_transfer(EhciState *s, uint32_t qh)
{
    for (EhciTransfer *t = s->transfers; t; t = t->next) {
        if (t->qh == qh) {
            return t;
        }
    }
    return NULL;
}

static void packet_complete(UsbPacket *p)
{
    EhciTransfer *t = p->opaque;

    t->done = true;
    ehci_wake(t->ehci);
}

/* Those of queues that @walk and later ones didn't come by. */
static void drop_unseen(EhciState *s, uint64_t walk)
{
    for (EhciTransfer *t = s->transfers, *next; t; t = next) {
        next = t->next;
        if (t->seen < walk) {
            free_transfer(t);
        }
    }
}

/* --- memory --- */

static bool read_words(EhciState *s, uint32_t addr, uint32_t *words, unsigned n)
{
    uint8_t raw[4 * QH_WORDS];

    if (pci_dma_read(&s->pci, addr, raw, 4 * n) != MEM_OK) {
        ehci_host_error(s);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        words[i] = load_le32(raw + 4 * i);
    }
    return true;
}

static bool write_words(EhciState *s, uint32_t addr, const uint32_t *words, unsigned n)
{
    uint8_t raw[4 * QH_WORDS];

    for (unsigned i = 0; i < n; i++) {
        store_le32(raw + 4 * i, words[i]);
    }
    if (pci_dma_write(&s->pci, addr, raw, 4 * n) != MEM_OK) {
        ehci_host_error(s);
        return false;
    }
    return true;
}

static bool read_queue(EhciState *s, uint32_t addr, Queue *q)
{
    uint32_t w[QH_WORDS];

    if (!read_words(s, addr, w, QH_WORDS)) {
        return false;
    }
    *q = (Queue){ addr, w[0], w[1], w[2], w[3], w[4], w[5], w[6],
                  { w[7], w[8], w[9], w[10], w[11] } };
    return true;
}

/* Current descriptor and overlay; the guest owns the rest. */
static bool write_overlay(EhciState *s, const Queue *q)
{
    uint32_t w[1 + OVERLAY_WORDS] = { q->current, q->next, q->alt, q->token, q->buf[0],
                                      q->buf[1], q->buf[2], q->buf[3], q->buf[4] };

    return write_words(s, q->addr + 12, w, 1 + OVERLAY_WORDS);
}

/* EHCI 3.5.4: @len bytes from the current offset in the page that C_Page names. */
static bool copy_buffer(EhciState *s, const Queue *q, uint8_t *data, uint32_t len, bool to_memory)
{
    uint32_t page = q->token >> 12 & 7, offset = q->buf[0] & 0xfff;

    while (len) {
        uint32_t n = MIN(len, 4096 - offset);

        if (page > 4 || pci_dma_rw(&s->pci, (q->buf[page] & ~0xfffu) + offset, data, n,
                                   to_memory) != MEM_OK) {
            ehci_host_error(s);
            return false;
        }
        data += n;
        len -= n;
        offset = 0;
        page++;
    }
    return true;
}

/* --- a queue (EHCI 4.10) --- */

/* The descriptor is through: token to the descriptor itself too (EHCI 4.10.4). */
static bool retire(EhciState *s, Queue *q)
{
    s->progress = true;
    if (q->token & QTD_IOC) {
        s->pending |= STS_INT;
    }
    return write_overlay(s, q) && write_words(s, q->current + 8, &q->token, 1);
}

static bool retire_error(EhciState *s, Queue *q, uint32_t bits)
{
    q->token = (q->token & ~QTD_ACTIVE) | QTD_HALTED | bits;
    s->pending |= STS_ERR;
    return retire(s, q);
}

static bool finish_packet(EhciState *s, Queue *q, UsbPacket *p)
{
    uint32_t left, page = q->token >> 12 & 7, end = (q->buf[0] & 0xfff) + p->actual;

    switch (p->status) {
    case USB_OK:
        break;
    case USB_STALL:
        return retire_error(s, q, 0);
    case USB_BABBLE:
        return retire_error(s, q, QTD_BABBLE);
    default:
        q->token &= ~QTD_CERR;
        return retire_error(s, q, QTD_XACT);
    }
    if (p->pid == USB_PID_IN && !copy_buffer(s, q, p->data, p->actual, true)) {
        return false;
    }
    s->bytes += p->actual + 64;
    left = QTD_BYTES(q->token) - p->actual;
    page = MIN(page + end / 4096, 4);
    q->buf[0] = (q->buf[0] & ~0xfffu) | (end & 0xfff);
    q->token = (q->token & ~(QTD_ACTIVE | QTD_BYTES_MASK | 7u << 12)) | left << 16 | page << 12;
    if (p->pid == USB_PID_IN && left) {
        s->pending |= STS_INT;          /* EHCI 4.10.3: a short packet */
    }
    return retire(s, q);
}

typedef enum QueueResult { QUEUE_WAITS, QUEUE_GOES_ON, QUEUE_ERROR } QueueResult;

static QueueResult execute(EhciState *s, Queue *q)
{
    static const uint8_t pids[4] = { USB_PID_OUT, USB_PID_IN, USB_PID_SETUP, 0 };
    uint8_t pid = pids[q->token >> 8 & 3];
    uint32_t len = QTD_BYTES(q->token);
    EhciTransfer *t = find_transfer(s, q->addr);
    UsbDevice *d;
    bool ok;

    if (t) {
        t->seen = s->walk;
        if (t->qtd == q->current && t->token == q->token) {
            if (!t->done) {
                return QUEUE_WAITS;
            }
            ok = finish_packet(s, q, &t->packet);
            free_transfer(t);
            return ok ? QUEUE_GOES_ON : QUEUE_ERROR;
        }
        free_transfer(t);
    }
    if (!pid || len > QTD_MAX) {
        log_guest_error("ehci", "bad descriptor at 0x%08x, token 0x%08x", q->current, q->token);
        return retire_error(s, q, QTD_XACT) ? QUEUE_GOES_ON : QUEUE_ERROR;
    }
    if (s->n_transfers == TRANSFERS_MAX) {
        return QUEUE_WAITS;
    }
    d = ehci_find_device(s, q->chars & 0x7f);
    t = g_malloc0(sizeof(*t) + len);
    t->ehci = s;
    t->qh = q->addr;
    t->qtd = q->current;
    t->token = q->token;
    t->seen = s->walk;
    usb_packet_init(&t->packet, packet_complete, t);
    if (pid != USB_PID_IN && !copy_buffer(s, q, t->data, len, false)) {
        g_free(t);
        return QUEUE_ERROR;
    }
    switch (usb_packet_submit(d, &t->packet, pid, q->chars >> 8 & 15, t->data, len)) {
    case USB_ASYNC:
        t->next = s->transfers;
        s->transfers = t;
        s->n_transfers++;
        s->progress = true;
        return QUEUE_WAITS;
    case USB_NAK:
        g_free(t);
        return QUEUE_WAITS;
    default:
        ok = finish_packet(s, q, &t->packet);
        g_free(t);
        return ok ? QUEUE_GOES_ON : QUEUE_ERROR;
    }
}

/* EHCI 4.10.2: the next descriptor into the overlay; false: there is none. */
static bool advance_queue(EhciState *s, Queue *q)
{
    bool is_short = QTD_BYTES(q->token) && !(q->alt & LINK_T);
    uint32_t addr = is_short ? q->alt : q->next, w[8];

    if ((addr & LINK_T) || !read_words(s, addr & LINK_ADDR, w, 8) || !(w[2] & QTD_ACTIVE)) {
        return false;
    }
    q->current = addr & LINK_ADDR;
    q->next = w[0];
    q->alt = w[1];
    /* EHCI 4.10.2: the toggle stays the queue's unless DTC says otherwise. */
    q->token = q->chars & BIT(14) ? w[2] : (w[2] & ~BIT(31)) | (q->token & BIT(31));
    memcpy(q->buf, w + 3, sizeof(q->buf));
    return write_overlay(s, q);
}

static void visit_queue(EhciState *s, Queue *q)
{
    for (unsigned i = 0; i < VISIT_QTDS && (s->cmd & CMD_RS); i++) {
        if (!(q->token & QTD_ACTIVE) && ((q->token & QTD_HALTED) || !advance_queue(s, q))) {
            EhciTransfer *t = find_transfer(s, q->addr);

            if (t) {
                free_transfer(t);       /* the guest has put another one there */
            }
            return;
        }
        if (execute(s, q) != QUEUE_GOES_ON || s->bytes >= FRAME_BYTES) {
            return;
        }
    }
}

/* --- schedules --- */

/* EHCI 4.8: once around the list, however it is closed. */
static void walk_async(EhciState *s)
{
    uint32_t seen[WALK_QUEUES];
    uint32_t addr = s->async & LINK_ADDR;

    for (unsigned n = 0; n < WALK_QUEUES && (s->cmd & CMD_RS); n++) {
        Queue q;

        for (unsigned i = 0; i < n; i++) {
            if (seen[i] == addr) {
                return;
            }
        }
        seen[n] = addr;
        if (!read_queue(s, addr, &q)) {
            return;
        }
        visit_queue(s, &q);
        if ((q.link & LINK_T) || (q.link >> 1 & 3) != LINK_QH) {
            return;
        }
        addr = q.link & LINK_ADDR;
    }
}

static void run_async(EhciState *s)
{
    bool any = false;

    s->bytes = 0;
    for (unsigned i = 0; i < ASYNC_ROUNDS && s->bytes < FRAME_BYTES; i++) {
        s->progress = false;
        s->walk++;
        walk_async(s);
        if (!s->progress) {
            break;
        }
        any = true;
    }
    s->progress = any;
}

/* EHCI 4.6: one frame's list. */
static void run_periodic(EhciState *s)
{
    uint32_t entries = 1024u >> (s->cmd >> 2 & 3), link;
    uint32_t index = s->frindex >> 3 & (entries - 1);

    s->bytes = 0;
    s->walk++;
    if (!read_words(s, (s->periodic & ~0xfffu) + 4 * index, &link, 1)) {
        return;
    }
    for (unsigned i = 0; i < PERIODIC_LINKS && !(link & LINK_T) && (s->cmd & CMD_RS); i++) {
        uint32_t addr = link & LINK_ADDR;
        Queue q;

        if ((link >> 1 & 3) != LINK_QH) {       /* isochronous, or a node of split transactions */
            if (!read_words(s, addr, &link, 1)) {
                return;
            }
            continue;
        }
        if (!read_queue(s, addr, &q)) {
            return;
        }
        if (q.caps & QH_SMASK) {
            visit_queue(s, &q);
        }
        link = q.link;
    }
}

void ehci_doorbell(EhciState *s)
{
    if ((s->cmd & CMD_ASE) && (s->cmd & CMD_RS)) {
        uint64_t first = s->walk + 1;

        run_async(s);
        for (EhciTransfer *t = s->transfers, *next; t; t = next) {
            next = t->next;
            if (t->seen < first) {
                free_transfer(t);
            }
        }
    }
    s->cmd &= ~CMD_IAAD;
    ehci_interrupt(s, STS_IAA);
}

void ehci_finish_done(EhciState *s)
{
    s->pending = 0;
    for (EhciTransfer *t = s->transfers, *next; t; t = next) {
        Queue q;

        next = t->next;
        if (t->done && read_queue(s, t->qh, &q) && q.current == t->qtd && q.token == t->token) {
            finish_packet(s, &q, &t->packet);
            free_transfer(t);
        }
    }
    if (s->pending) {
        ehci_interrupt(s, s->pending);
    }
}

/* --- time --- */

void ehci_run(EhciState *s)
{
    int64_t now = clock_get_ns(CLOCK_VIRTUAL), due;
    uint32_t wrap = (1024u >> (s->cmd >> 2 & 3)) << 3;

    if (s->busy || !(s->cmd & CMD_RS)) {
        return;
    }
    s->busy = true;
    s->pending = 0;
    due = MAX(now - s->frame_ns, 0) / FRAME_NS;
    if (due > FRAMES_LATE) {
        s->frindex = (uint32_t)(s->frindex + 8 * (due - FRAMES_LATE)) & 0x3fff;
        s->frame_ns += (due - FRAMES_LATE) * FRAME_NS;
        s->pending |= STS_FLR;
        due = FRAMES_LATE;
    }
    for (; due > 0 && (s->cmd & CMD_RS); due--) {
        s->progress = false;
        if (s->cmd & CMD_PSE) {
            run_periodic(s);
        }
        s->idle_frames = s->progress ? 0 : s->idle_frames + (s->idle_frames < IDLE_FRAMES);
        s->frindex = (s->frindex + 8) & 0x3fff;
        s->frame_ns += FRAME_NS;
        if (!(s->frindex & (wrap - 1))) {
            s->pending |= STS_FLR;
        }
    }
    if ((s->cmd & CMD_ASE) && (s->cmd & CMD_RS)) {
        run_async(s);
        if (s->progress) {
            s->idle_frames = 0;
        }
    }
    if (s->walk > UNSEEN_WALKS) {
        drop_unseen(s, s->walk - UNSEEN_WALKS);
    }
    s->busy = false;
    if (s->pending) {
        ehci_interrupt(s, s->pending);
    }
}

void ehci_schedule(EhciState *s)
{
    int64_t frames = 1;

    if (!(s->cmd & CMD_RS)) {
        timer_del(&s->timer);
        return;
    }
    if (!(s->cmd & (CMD_PSE | CMD_ASE)) && !(s->intr & STS_FLR)) {
        timer_del(&s->timer);           /* FRINDEX is computed when it is read */
        return;
    }
    if (s->idle_frames >= IDLE_FRAMES) {
        frames = TICK_IDLE;
    }
    timer_mod_ns(&s->timer, s->frame_ns + frames * FRAME_NS);
}

void ehci_wake(EhciState *s)
{
    s->idle_frames = 0;
    if ((s->cmd & CMD_RS) && (s->cmd & (CMD_PSE | CMD_ASE))) {
        timer_mod_ns(&s->timer, clock_get_ns(CLOCK_VIRTUAL));
    }
}
