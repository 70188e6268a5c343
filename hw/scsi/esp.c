/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NCR 53C96 as initiator, with pseudo-DMA (esp.h).
 *
 * A command's end is told when the target has changed the phase: when its first data are there, or it is
 * done; until then the bus stays where it is. Not modelled: target mode, reselection (targets
 * never disconnect), synchronous transfers, parity.
 *
 * Source: NCR 53C94, 53C95, 53C96 Data Manual.
 */
#include "util/osdep.h"
#include "hw/scsi/esp.h"

#include "hw/scsi/scsi.h"
#include "qom/property.h"
#include "util/log.h"

enum { R_TCLO, R_TCMID, R_FIFO, R_CMD, R_STAT, R_INTR, R_STEP, R_FLAGS, R_CFG1, R_CCF, R_TEST, R_CFG2,
       R_CFG3, R_CFG4, R_TCHI, R_FAS };
/* Phases: MSG C/D I/O. */
enum { PH_DATA_OUT, PH_DATA_IN, PH_COMMAND, PH_STATUS, PH_MSG_OUT = 6, PH_MSG_IN = 7, PH_FREE = 8 };
#define STAT_TC         0x10
#define STAT_GE         0x40
#define STAT_INT        0x80
#define INTR_FC         0x08
#define INTR_BS         0x10
#define INTR_DC         0x20
#define INTR_ILL        0x40
#define INTR_RST        0x80
#define CMD_DMA         0x80
enum { CMD_NOP = 0, CMD_FLUSH = 1, CMD_RESET = 2, CMD_BUS_RESET = 3, CMD_TI = 0x10, CMD_ICCS = 0x11,
       CMD_MSG_ACC = 0x12, CMD_PAD = 0x18, CMD_SATN = 0x1a, CMD_RATN = 0x1b, CMD_SEL = 0x41,
       CMD_SEL_ATN = 0x42, CMD_SEL_ATN_STOP = 0x43, CMD_ENABLE_SEL = 0x44, CMD_DISABLE_SEL = 0x45,
       CMD_SEL_ATN3 = 0x46 };
#define CFG1_NO_RESET_INT   0x40
#define FIFO_SIZE       16
#define MSG_REJECT      0x07

typedef struct Esp {
    Device dev;
    MemRegion regs, pdma;
    ScsiBus *bus;
    ScsiRequest *req;
    IrqLine *irq, *drq;
    uint8_t fifo[FIFO_SIZE];
    uint8_t fifo_count;
    uint32_t tc, stc;           /* 16 bits: counter, and what loads it */
    bool tc_zero;
    uint8_t cmd, status, intr, step, phase;
    uint8_t cfg1, cfg2, cfg3, busid, timeout, period, offset, ccf;
    /* What is going on. */
    uint8_t out[32];            /* message and command bytes on their way out */
    uint8_t out_count;
    bool selecting, transferring, dma;
    bool waiting;               /* for the target: data or its end */
    uint8_t wait_intr, wait_step;
    uint8_t msg_in;             /* what MSG IN gives */
    uint8_t lun, target_status;
    /* The request's step. */
    uint8_t *buf;
    uint32_t buf_len, buf_at;
    uint32_t it_shift;
    ScsiDevice *target;
} Esp;

static Esp *ESP(const void *obj)
{
    return (Esp *)object_cast(obj, TYPE_ESP);
}

/* ------------------------------------------------------------------------ lines */

static bool wants_bytes(const Esp *s)
{
    if (!s->dma || !s->tc || s->waiting) {
        return false;
    }
    if (s->selecting) {
        return true;
    }
    if (!s->transferring) {
        return false;
    }
    switch (s->phase) {
    case PH_DATA_OUT: case PH_DATA_IN: return s->buf_at < s->buf_len;
    case PH_FREE: return false;
    default: return true;
    }
}

static void update(Esp *s)
{
    irq_set(s->drq, wants_bytes(s));
    irq_set(s->irq, (s->status & STAT_INT) != 0);
}

static void interrupt(Esp *s, uint8_t cause)
{
    s->intr |= cause;
    s->status |= STAT_INT;
}

/* ------------------------------------------------------------------------ FIFO */

static void push(Esp *s, uint8_t v)
{
    if (s->fifo_count == FIFO_SIZE) {
        s->status |= STAT_GE;
        return;
    }
    s->fifo[s->fifo_count++] = v;
}

static uint8_t pop(Esp *s)
{
    uint8_t v = s->fifo[0];

    if (!s->fifo_count) {
        return 0;
    }
    memmove(s->fifo, s->fifo + 1, FIFO_SIZE - 1);
    s->fifo_count--;
    return v;
}

/* -------------------------------------------------------------------- selection */

static void go_free(Esp *s)
{
    s->phase = PH_FREE;
    s->selecting = s->transferring = s->waiting = false;
    s->target = NULL;
    s->buf = NULL;
    s->buf_len = s->buf_at = 0;
}

/* The target does something; the interrupt comes when it is done. */
static void await(Esp *s, uint8_t intr, uint8_t step)
{
    s->waiting = true;
    s->wait_intr = intr;
    s->wait_step = step;
}

static void target_acted(Esp *s)
{
    if (s->waiting) {
        s->waiting = false;
        s->transferring = s->transferring && s->dma && s->tc && !s->wait_intr;
        if (s->wait_intr) {
            s->step = s->wait_step;
            interrupt(s, s->wait_intr);
        }
    } else if (s->transferring && (s->phase == PH_STATUS || s->phase == PH_MSG_IN)) {
        s->transferring = false;        /* a phase that TI didn't begin in */
        interrupt(s, INTR_BS);
    }
}

static void start_command(Esp *s, const uint8_t *cdb, unsigned len)
{
    ScsiDevice *d = scsi_device_find(s->bus, 0, s->busid & 7, s->lun);

    if (!d) {
        go_free(s);
        interrupt(s, INTR_DC);
        return;
    }
    s->req = scsi_request_new(d, 0, s->lun, cdb, len, s);
    scsi_request_start(s->req);
}

/* Bytes of a message that begins with @first, as far as @have of them tell. */
static unsigned message_length(const uint8_t *m, unsigned have)
{
    return m[0] == 1 ? (have > 1 ? m[1] + 2u : 2) : m[0] >= 0x20 && m[0] <= 0x2f ? 2 : 1;
}

/* An identify message tells the unit; others are rejected in the next MSG IN phase. */
static void take_message(Esp *s, const uint8_t *m)
{
    if (m[0] & 0x80) {
        s->lun = m[0] & 7;
    } else {
        s->msg_in = MSG_REJECT;
    }
}

static unsigned message_bytes(const Esp *s)
{
    switch (s->cmd & 0x7f) {
    case CMD_SEL: return 0;
    case CMD_SEL_ATN3: return 3;
    default: return 1;
    }
}

/* Message and command of a selection are complete, or not yet. */
static void select_step(Esp *s)
{
    unsigned msg = message_bytes(s), need;

    if ((s->cmd & 0x7f) == CMD_SEL_ATN_STOP) {
        if (s->out_count < 1) {
            return;
        }
        s->selecting = false;
        take_message(s, s->out);
        s->phase = PH_MSG_OUT;
        s->step = 1;
        s->out_count = 0;
        interrupt(s, INTR_FC | INTR_BS);
        return;
    }
    if (s->out_count <= msg) {
        return;
    }
    need = msg + scsi_cdb_length(s->out[msg]);
    if (s->out_count < need) {
        return;
    }
    s->selecting = false;
    s->lun = 0;
    if (msg) {
        take_message(s, s->out);
        s->msg_in = 0;
    }
    s->phase = PH_COMMAND;
    await(s, INTR_FC | INTR_BS, 4);
    start_command(s, s->out + msg, need - msg);
    s->out_count = 0;
}

static void put_out(Esp *s, uint8_t v)
{
    if (s->out_count < sizeof(s->out)) {
        s->out[s->out_count++] = v;
    }
}

static void select_begin(Esp *s)
{
    s->selecting = true;
    s->out_count = 0;
    s->msg_in = 0;
    s->step = 0;
    s->target = scsi_device_find(s->bus, 0, s->busid & 7, 0);
    if (!s->target || s->req) {
        /* Nobody answers within the selection time-out. */
        go_free(s);
        s->fifo_count = 0;
        interrupt(s, INTR_DC);
        return;
    }
    while (s->fifo_count) {
        put_out(s, pop(s));
    }
    select_step(s);
    if (s->selecting && !s->dma) {
        /* The target asks for more than there is: the sequence stops in its phase. */
        s->selecting = false;
        s->phase = PH_COMMAND;
        s->step = 2;
        interrupt(s, INTR_FC | INTR_BS);
    }
}

/* ------------------------------------------------------------- the target's side */

static void esp_data(ScsiRequest *r, uint8_t *buf, uint32_t len)
{
    Esp *s = r->opaque;

    s->buf = buf;
    s->buf_len = len;
    s->buf_at = 0;
    s->phase = r->dir == SCSI_FROM_DEVICE ? PH_DATA_IN : PH_DATA_OUT;
    target_acted(s);
    update(s);
}

static void esp_complete(ScsiRequest *r)
{
    Esp *s = r->opaque;

    s->target_status = r->status;
    s->buf = NULL;
    s->buf_len = s->buf_at = 0;
    s->phase = PH_STATUS;
    if (s->req == r) {
        s->req = NULL;
        scsi_request_unref(r);
    }
    if (s->waiting && !s->wait_intr) {
        s->wait_intr = INTR_BS;         /* it ended before the counter did */
    }
    target_acted(s);
    update(s);
}

static void esp_cancelled(ScsiRequest *r)
{
    Esp *s = r->opaque;

    if (s->req == r) {
        s->req = NULL;
        scsi_request_unref(r);
    }
    go_free(s);
    update(s);
}

static void esp_loaded(ScsiBus *bus, ScsiRequest *r)
{
    r->opaque = bus->opaque;
}

static const ScsiHostOps host_ops = {
    .max_channel = 0, .max_target = 7, .max_lun = 7, .data = esp_data, .complete = esp_complete,
    .cancelled = esp_cancelled, .loaded = esp_loaded,
};

/* --------------------------------------------------------------------- transfers */

static void count_down(Esp *s)
{
    if (s->dma && s->tc && --s->tc == 0) {
        s->tc_zero = true;
    }
}

/* After a byte of data: the step is over, or the counter. */
static void data_moved(Esp *s, bool counted_out)
{
    if (s->buf_at == s->buf_len) {
        /* What comes next decides the phase that the interrupt shows. */
        await(s, counted_out ? INTR_BS : 0, s->step);
        scsi_request_continue(s->req);
    } else if (counted_out) {
        s->transferring = false;
        interrupt(s, INTR_BS);
    }
}

static void command_byte(Esp *s, uint8_t v)
{
    put_out(s, v);
    if (s->out_count == scsi_cdb_length(s->out[0])) {
        s->transferring = false;
        await(s, INTR_BS, 4);
        start_command(s, s->out, s->out_count);
        s->out_count = 0;
    }
}

static void message_byte(Esp *s, uint8_t v)
{
    put_out(s, v);
    if (s->out_count < message_length(s->out, s->out_count)) {
        return;
    }
    take_message(s, s->out);
    s->out_count = 0;
    s->transferring = false;
    s->phase = s->msg_in ? PH_MSG_IN : PH_COMMAND;
    interrupt(s, INTR_BS);
}

/* One byte from the host in an outgoing phase. */
static void byte_out(Esp *s, uint8_t v)
{
    count_down(s);
    if (s->selecting) {
        put_out(s, v);
        select_step(s);
        return;
    }
    switch (s->phase) {
    case PH_DATA_OUT:
        if (s->buf && s->buf_at < s->buf_len) {
            s->buf[s->buf_at++] = v;
            data_moved(s, s->dma && !s->tc);
        }
        break;
    case PH_COMMAND: command_byte(s, v); break;
    case PH_MSG_OUT: message_byte(s, v); break;
    default: break;
    }
}

static uint8_t byte_in(Esp *s)
{
    uint8_t v = 0;

    count_down(s);
    switch (s->phase) {
    case PH_DATA_IN:
        if (s->buf && s->buf_at < s->buf_len) {
            v = s->buf[s->buf_at++];
            data_moved(s, !s->dma || !s->tc);
        }
        break;
    case PH_STATUS:
        v = s->target_status;
        s->msg_in = 0;
        s->phase = PH_MSG_IN;
        s->transferring = false;
        interrupt(s, INTR_BS);
        break;
    default:                    /* MSG IN */
        v = s->msg_in;
        s->transferring = false;
        interrupt(s, INTR_FC);
        break;
    }
    return v;
}

static bool is_in(const Esp *s)
{
    return s->phase == PH_DATA_IN || s->phase == PH_STATUS || s->phase == PH_MSG_IN;
}

static void transfer_info(Esp *s)
{
    if (s->phase == PH_FREE) {
        interrupt(s, INTR_ILL);
        return;
    }
    s->transferring = true;
    if (s->dma) {
        /* What is in the FIFO goes first. */
        while (!is_in(s) && s->fifo_count && s->transferring && !s->waiting) {
            byte_out(s, pop(s));
        }
        return;
    }
    if (is_in(s)) {
        push(s, byte_in(s));
        return;
    }
    if (!s->fifo_count) {
        s->transferring = false;
        interrupt(s, INTR_BS);
        return;
    }
    while (s->fifo_count && s->transferring && !s->waiting) {
        byte_out(s, pop(s));
    }
    if (s->transferring && !s->waiting) {
        s->transferring = false;
        interrupt(s, INTR_BS);
    } else if (s->waiting && !s->wait_intr) {
        s->wait_intr = INTR_BS;
    }
}

/* DM, Initiator Command Complete: status and message, then FC. */
static void command_complete(Esp *s)
{
    if (s->phase != PH_STATUS) {
        interrupt(s, INTR_ILL);
        return;
    }
    push(s, s->target_status);
    push(s, 0);
    s->phase = PH_MSG_IN;
    s->msg_in = 0;
    interrupt(s, INTR_FC);
}

static void message_accepted(Esp *s)
{
    if (s->msg_in == MSG_REJECT) {      /* the connection goes on */
        s->msg_in = 0;
        s->phase = PH_COMMAND;
        interrupt(s, INTR_BS);
    } else {
        go_free(s);
        interrupt(s, INTR_DC);
    }
}

static void chip_reset(Esp *s)
{
    s->fifo_count = s->out_count = 0;
    s->tc = s->stc = 0;
    s->tc_zero = s->dma = false;
    s->cmd = s->status = s->intr = s->step = 0;
    s->cfg1 = s->busid & 7;
    s->cfg2 = s->cfg3 = 0;
    s->msg_in = s->target_status = 0;
    go_free(s);
}

static void drop_request(Esp *s)
{
    if (s->req) {
        scsi_request_cancel(s->req);
    }
}

static void run(Esp *s, uint8_t cmd)
{
    s->cmd = cmd;
    s->dma = cmd & CMD_DMA;
    if (s->dma) {
        s->tc = s->stc ? s->stc : 0x10000;
        s->tc_zero = false;
    }
    switch (cmd & 0x7f) {
    case CMD_NOP: case CMD_SATN: case CMD_RATN: case CMD_ENABLE_SEL:
        break;
    case CMD_FLUSH:
        s->fifo_count = 0;
        break;
    case CMD_RESET:
        drop_request(s);
        chip_reset(s);
        break;
    case CMD_BUS_RESET:
        scsi_bus_reset(s->bus);
        go_free(s);
        if (!(s->cfg1 & CFG1_NO_RESET_INT)) {
            interrupt(s, INTR_RST);
        }
        break;
    case CMD_TI: transfer_info(s); break;
    case CMD_PAD:
        s->tc = 0;
        s->tc_zero = true;
        interrupt(s, INTR_BS);
        break;
    case CMD_ICCS: command_complete(s); break;
    case CMD_MSG_ACC: message_accepted(s); break;
    case CMD_SEL: case CMD_SEL_ATN: case CMD_SEL_ATN_STOP: case CMD_SEL_ATN3:
        select_begin(s);
        break;
    case CMD_DISABLE_SEL:
        interrupt(s, INTR_FC);
        break;
    default:
        log_unimp("esp", "command %02x", cmd);
        interrupt(s, INTR_ILL);
        break;
    }
}

/* --------------------------------------------------------------------- registers */

static MemResult esp_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                          MemAttrs attrs)
{
    Esp *s = opaque;

    switch (addr >> s->it_shift & 15) {
    case R_TCLO: *val = s->tc & 0xff; break;
    case R_TCMID: *val = s->tc >> 8 & 0xff; break;
    case R_FIFO: *val = attrs.debug ? s->fifo[0] : pop(s); break;
    case R_CMD: *val = s->cmd; break;
    case R_STAT:
        *val = s->status | (s->phase == PH_FREE ? 0u : s->phase) | (s->tc_zero ? STAT_TC : 0u);
        break;
    case R_INTR:
        *val = s->intr;
        if (!attrs.debug) {
            s->intr = 0;
            s->status &= (uint8_t)~(STAT_INT | STAT_GE);
            update(s);
        }
        break;
    case R_STEP: *val = s->step; break;
    case R_FLAGS: *val = (uint64_t)s->step << 5 | s->fifo_count; break;
    case R_CFG1: *val = s->cfg1; break;
    case R_CFG2: *val = s->cfg2; break;
    case R_CFG3: *val = s->cfg3; break;
    default: *val = 0; break;
    }
    return MEM_OK;
}

static MemResult esp_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    Esp *s = opaque;
    uint8_t v = (uint8_t)val;

    switch (addr >> s->it_shift & 15) {
    case R_TCLO: s->stc = (s->stc & 0xff00) | v; s->tc_zero = false; break;
    case R_TCMID: s->stc = (s->stc & 0xff) | (uint32_t)v << 8; s->tc_zero = false; break;
    case R_FIFO: push(s, v); break;
    case R_CMD: run(s, v); break;
    case R_STAT: s->busid = v & 7; break;
    case R_INTR: s->timeout = v; break;
    case R_STEP: s->period = v; break;
    case R_FLAGS: s->offset = v; break;
    case R_CFG1: s->cfg1 = v; break;
    case R_CCF: s->ccf = v; break;
    case R_CFG2: s->cfg2 = v; break;
    case R_CFG3: s->cfg3 = v; break;
    default: break;
    }
    update(s);
    return MEM_OK;
}

static const MemOps esp_ops = {
    .read = esp_read, .write = esp_write, .order = MEM_BE, .valid = { 1, 1 },
    .impl = { .min = 1, .max = 1 },
};

/* Without a request for bytes the access isn't acknowledged: a bus error. */
static MemResult pdma_read(void *opaque, UNUSED hwaddr addr, uint64_t *val, unsigned size, MemAttrs attrs)
{
    Esp *s = opaque;

    *val = 0;
    if (attrs.debug || !wants_bytes(s) || !is_in(s)) {
        return MEM_DEVICE_ERROR;
    }
    for (unsigned i = 0; i < size && wants_bytes(s); i++) {
        *val |= (uint64_t)byte_in(s) << (8 * (size - 1 - i));
    }
    update(s);
    return MEM_OK;
}

static MemResult pdma_write(void *opaque, UNUSED hwaddr addr, uint64_t val, unsigned size, MemAttrs attrs)
{
    Esp *s = opaque;

    if (attrs.debug || !wants_bytes(s) || (is_in(s) && !s->selecting)) {
        return MEM_DEVICE_ERROR;
    }
    for (unsigned i = 0; i < size && wants_bytes(s); i++) {
        byte_out(s, (uint8_t)(val >> (8 * (size - 1 - i))));
    }
    update(s);
    return MEM_OK;
}

static const MemOps pdma_ops = {
    .read = pdma_read, .write = pdma_write, .order = MEM_BE, .valid = { 1, 4 },
    .impl = { .min = 1, .max = 4 },
};

/* ------------------------------------------------------------------------ device */

static void esp_reset_hold(Device *dev)
{
    Esp *s = ESP(dev);

    drop_request(s);
    chip_reset(s);
    update(s);
}

static void esp_init(Device *dev)
{
    Esp *s = ESP(dev);

    device_init_irq_out(dev, "irq", &s->irq, 1);
    device_init_irq_out(dev, "drq", &s->drq, 1);
}

static bool esp_realize(Device *dev, UNUSED Error **errp)
{
    Esp *s = ESP(dev);

    memory_region_init_io(&s->regs, s, &esp_ops, s, "esp-regs", UINT64_C(16) << s->it_shift);
    memory_region_init_io(&s->pdma, s, &pdma_ops, s, "esp-pdma", 4);
    s->bus = scsi_bus_new(dev, "scsi.0", &host_ops, s);
    chip_reset(s);
    return true;
}

static void esp_unrealize(Device *dev)
{
    Esp *s = ESP(dev);

    drop_request(s);
    memory_region_cleanup(&s->pdma);
    memory_region_cleanup(&s->regs);
}

MemRegion *esp_regs(Device *dev)
{
    return &ESP(dev)->regs;
}

MemRegion *esp_pdma(Device *dev)
{
    return &ESP(dev)->pdma;
}

/* A request in its data phase comes back with its step's buffer. */
static bool esp_post_load(void *opaque, Error **errp)
{
    Esp *s = opaque;
    uint32_t step = s->req && s->req->in_step ? s->req->step : 0;

    if (s->tc > 0x10000 || s->stc > 0xffff || s->buf_at > s->buf_len ||
        (s->buf_len && s->buf_len != step) || s->phase == 4 || s->phase == 5) {
        error_setf(errp, ERR_STATE_INVALID, "the SCSI controller's state can't be");
        return false;
    }
    s->buf = s->buf_len ? s->req->buf : NULL;
    s->target = NULL;
    update(s);
    return true;
}

static const VmField esp_fields[] = {
    VM_BUFFER(Esp, fifo), VM_U8_RANGE(Esp, fifo_count, 0, FIFO_SIZE), VM_U32(Esp, tc), VM_U32(Esp, stc),
    VM_BOOL(Esp, tc_zero), VM_U8(Esp, cmd), VM_U8(Esp, status), VM_U8(Esp, intr), VM_U8(Esp, step),
    VM_U8_RANGE(Esp, phase, 0, PH_FREE), VM_U8(Esp, cfg1), VM_U8(Esp, cfg2), VM_U8(Esp, cfg3),
    VM_U8_RANGE(Esp, busid, 0, 7), VM_U8(Esp, timeout), VM_U8(Esp, period), VM_U8(Esp, offset),
    VM_U8(Esp, ccf), VM_BUFFER(Esp, out), VM_U8_RANGE(Esp, out_count, 0, 32), VM_BOOL(Esp, selecting),
    VM_BOOL(Esp, transferring), VM_BOOL(Esp, dma), VM_BOOL(Esp, waiting), VM_U8(Esp, wait_intr),
    VM_U8(Esp, wait_step), VM_U8(Esp, msg_in), VM_U8_RANGE(Esp, lun, 0, 7), VM_U8(Esp, target_status),
    VM_U32(Esp, buf_len), VM_U32(Esp, buf_at), VM_SCSI_REQUEST(Esp, req, bus), VM_END
};

static const char *esp_command_name(uint64_t cmd)
{
    switch (cmd & ~(uint64_t)CMD_DMA) {
    case CMD_NOP: return "NOP";
    case CMD_FLUSH: return "flush FIFO";
    case CMD_RESET: return "reset chip";
    case CMD_BUS_RESET: return "reset SCSI bus";
    case CMD_TI: return "transfer information";
    case CMD_ICCS: return "initiator command complete";
    case CMD_MSG_ACC: return "message accepted";
    case CMD_PAD: return "transfer pad";
    case CMD_SATN: return "set ATN";
    case CMD_RATN: return "reset ATN";
    case CMD_SEL: return "select without ATN";
    case CMD_SEL_ATN: return "select with ATN";
    case CMD_SEL_ATN_STOP: return "select with ATN and stop";
    case CMD_ENABLE_SEL: return "enable selection";
    case CMD_DISABLE_SEL: return "disable selection";
    case CMD_SEL_ATN3: return "select with ATN3";
    default: return NULL;
    }
}

static const VmMeaning esp_meanings[] = {
    { "fifo_count", "bytes in it" }, { "cfg2", "configuration 2" }, { "cfg3", "configuration 3" },
    { "timeout", "select/reselect time-out" }, { "period", "synchronous transfer period" }, { "offset", "synchronous offset" },
    { "out_count", "how many" }, { "wait_intr", "interrupt that the wait's end sets" },
    { "wait_step", "sequence step that it sets" },
    { "msg_in", "what MESSAGE IN gives" }, { "lun", "logical unit that was identified" }, { "target_status", "what STATUS gives" },
    { "buf_len", "bytes of the step" }, { "buf_at", "of these, moved" },
    { "fifo", "FIFO", .payload = "bytes on their way, fifo_count of them" },
    { "tc", "transfer counter" }, { "stc", "what loads it" },
    { "cmd", "command", .word = esp_command_name, .flags = FLAGS({ "DMA", CMD_DMA }) },
    { "status", "status", .flags = FLAGS({ "TC", STAT_TC }, { "GE", STAT_GE }, { "INT", STAT_INT }) },
    { "intr", "interrupt", .flags = FLAGS({ "FC", INTR_FC }, { "BS", INTR_BS }, { "DC", INTR_DC },
                                          { "ILL", INTR_ILL }, { "RST", INTR_RST }) },
    { "step", "sequence step" },
    { "phase", "of the bus", VALUES("DATA OUT", "DATA IN", "COMMAND", "STATUS", NULL, NULL, "MESSAGE OUT",
                                    "MESSAGE IN", "BUS FREE") },
    { "cfg1", .flags = FLAGS({ "ID", 7 }, { "NO_RESET_INT", CFG1_NO_RESET_INT }) }, { "busid", "target" },
    { "ccf", "clock conversion factor" },
    { "out", "message and command bytes on their way out", .payload = "out_count bytes" },
    { "waiting", "for the target" }, { "req", "the command in flight" }, { .name = NULL }
};

static const Property esp_props[] = {
    PROP_U32_RANGE("it_shift", Esp, it_shift, 0, 0, 8, "log2 of the bytes between registers"),
    PROP_END
};

static const DeviceType esp_type = {
    .name = TYPE_ESP, .size = sizeof(Esp), .desc = "NCR 53C96 SCSI controller",
    .category = DEVICE_STORAGE, .not_user_creatable = true, .props = esp_props, .init = esp_init,
    .realize = esp_realize, .unrealize = esp_unrealize, .reset_hold = esp_reset_hold,
    .vm = { 1, esp_fields, .post_load = esp_post_load, .meanings = esp_meanings },
};
DEVICE_TYPE(esp_type)
