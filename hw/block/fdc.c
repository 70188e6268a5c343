/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isa-fdc: the 82077AA floppy disk controller at a PC's ports.
 *
 * Source: Intel 82077AA data sheet 290166 ("DS").
 * Not modelled: times (heads settle and sectors come at once), scan commands, sector sizes other
 * than 512 bytes, tape drives, deleted data marks (they are written as ordinary ones).
 *
 * A command goes through three phases (DS 5.0). In the execution phase one sector at a time lies
 * in the buffer: it is read from the image before it is moved to the host, or written when
 * the host has filled it.
 */
#include "util/osdep.h"
#include "hw/block/fdc.h"

#include "hw/block/floppy.h"
#include "util/log.h"

/* DS 2.1 */
enum { REG_SRA, REG_SRB, REG_DOR, REG_TDR, REG_MSR_DSR, REG_FIFO, REG_IDE, REG_DIR_CCR };
enum { DOR_SEL = 0x03, DOR_RESET_N = BIT(2), DOR_DMA = BIT(3), DOR_MOTORS = 0xf0 };
enum { MSR_BUSY = BIT(4), MSR_NON_DMA = BIT(5), MSR_DIO = BIT(6), MSR_RQM = BIT(7) };
enum { DSR_RESET = BIT(7), DSR_RATE = 0x03 };
enum { DIR_CHANGED = BIT(7), SRA_INT = BIT(7) };
/* DS 6.0: status registers 0 to 3. */
enum { ST0_ABNORMAL = 0x40, ST0_INVALID = 0x80, ST0_POLLING = 0xc0, ST0_SEEK_END = 0x20,
       ST0_EQUIPMENT = 0x10, ST0_HEAD = 0x04 };
enum { ST1_END = 0x80, ST1_DATA_ERROR = 0x20, ST1_NO_DATA = 0x04, ST1_NOT_WRITABLE = 0x02,
       ST1_NO_MARK = 0x01 };
enum { ST2_WRONG_CYLINDER = 0x10, ST2_DATA_ERROR = 0x20 };
enum { ST3_WRITE_PROTECT = 0x40, ST3_ALWAYS = 0x28, ST3_TRACK0 = 0x10 };
/* DS 5.1: the commands' low five bits. */
enum { CMD_READ_TRACK = 0x02, CMD_SPECIFY = 0x03, CMD_SENSE_DRIVE = 0x04, CMD_WRITE = 0x05,
       CMD_READ = 0x06, CMD_RECALIBRATE = 0x07, CMD_SENSE_INT = 0x08, CMD_WRITE_DELETED = 0x09,
       CMD_READ_ID = 0x0a, CMD_READ_DELETED = 0x0c, CMD_FORMAT = 0x0d, CMD_DUMPREG = 0x0e,
       CMD_SEEK = 0x0f, CMD_VERSION = 0x10, CMD_PERPENDICULAR = 0x12, CMD_CONFIGURE = 0x13,
       CMD_LOCK = 0x14, CMD_VERIFY = 0x16, CMD_PART_ID = 0x18 };
#define CMD_MT              BIT(7)
#define CMD_RELATIVE_SEEK   0x8f
#define RELATIVE_UP         BIT(6)
#define CONFIG_IMPLIED_SEEK BIT(6)
#define CONFIG_NO_POLL      BIT(4)
#define PERPENDICULAR_LOCKED 0x3c
#define SPECIFY_NON_DMA     BIT(0)

#define FIFO_SIZE   16
#define RESULT_MAX  10

typedef enum Phase { PHASE_COMMAND, PHASE_EXECUTION, PHASE_RESULT } Phase;
typedef enum Task { TASK_NONE, TASK_READ, TASK_WRITE, TASK_FORMAT, TASK_VERIFY } Task;

typedef struct FdcState {
    ISADevice isa;
    MemRegion io_low, io_dir;
    uint32_t iobase, irq_nr, dma_nr;            /* properties */
    int type_a, type_b, fallback;
    IrqLine *irq;
    IsaDma *dma;
    FloppyBus *bus;
    uint8_t dor, tdr, dsr;
    uint8_t config, precomp, lock, perpendicular, specify[2];
    uint8_t phase;
    uint8_t cmd[FIFO_SIZE], cmd_len;
    uint8_t result[RESULT_MAX], result_len, result_pos;
    uint8_t pcn[4];             /* present cylinder numbers, as the controller counts */
    uint8_t reset_sense;        /* SENSE INTERRUPT answers that a reset leaves: 4 to 0 */
    bool sense, int_pending;    /* a seek's end waits to be told; the line */
    uint8_t sense_st0;
    /* The running transfer. */
    uint8_t task, unit, head;   /* head: of the drive, by the command's HDS */
    uint8_t id[4];              /* C H R N of the sector in the buffer */
    uint8_t eot, fill;
    uint16_t pos, len;          /* in the buffer */
    bool ready;                 /* the host may take or give bytes */
    bool terminal;              /* TC came */
    uint8_t data[FLOPPY_SECTOR];
    /* Not saved. */
    bool in_flight;
    struct iovec iov;
} FdcState;
DEFINE_CAST(FDC, FdcState, TYPE_ISA_FDC)

static const struct { uint8_t code, mask, len; } commands[] = {
    /* DS 5.1: with parameter bytes; the first row that fits. */
    { CMD_RELATIVE_SEEK, 0xbf, 3 }, { CMD_READ_TRACK, 0x1f, 9 }, { CMD_SPECIFY, 0xff, 3 },
    { CMD_SENSE_DRIVE, 0xff, 2 }, { CMD_WRITE, 0x1f, 9 }, { CMD_READ, 0x1f, 9 },
    { CMD_RECALIBRATE, 0xff, 2 }, { CMD_SENSE_INT, 0xff, 1 }, { CMD_WRITE_DELETED, 0x1f, 9 },
    { CMD_READ_ID, 0xbf, 2 }, { CMD_READ_DELETED, 0x1f, 9 }, { CMD_FORMAT, 0xbf, 6 },
    { CMD_DUMPREG, 0xff, 1 }, { CMD_SEEK, 0xff, 3 }, { CMD_VERSION, 0xff, 1 },
    { CMD_PERPENDICULAR, 0xff, 2 }, { CMD_CONFIGURE, 0xff, 4 }, { CMD_LOCK, 0x7f, 1 },
    { CMD_VERIFY, 0x1f, 9 }, { CMD_PART_ID, 0xff, 1 },
};

static unsigned command_length(uint8_t code)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if ((code & commands[i].mask) == commands[i].code) {
            return commands[i].len;
        }
    }
    return 0;
}

static FloppyDrive *drive(FdcState *s, unsigned unit)
{
    return unit < 2 ? floppy_drive(s->bus, unit) : NULL;
}

static void set_irq(FdcState *s, bool level)
{
    s->int_pending = level;
    /* DS 2.1.2: DMAGATE# gates the interrupt too. */
    irq_set(s->irq, level && (s->dor & DOR_DMA));
}

static bool uses_dma(const FdcState *s)
{
    return s->dma && (s->dor & DOR_DMA) && !(s->specify[1] & SPECIFY_NON_DMA);
}

static void dreq(FdcState *s, bool on)
{
    if (s->dma && on) {
        s->dma->ops->hold_dreq(s->dma, (int)s->dma_nr);
        s->dma->ops->schedule(s->dma);
    } else if (s->dma) {
        s->dma->ops->release_dreq(s->dma, (int)s->dma_nr);
    }
}

/* --- phases --- */

static void to_command(FdcState *s)
{
    s->phase = PHASE_COMMAND;
    s->cmd_len = s->result_len = s->result_pos = 0;
    s->task = TASK_NONE;
    s->ready = s->terminal = false;
}

static void to_result(FdcState *s, unsigned len, bool interrupt)
{
    s->phase = PHASE_RESULT;
    s->result_len = (uint8_t)len;
    s->result_pos = 0;
    s->task = TASK_NONE;
    s->ready = false;
    dreq(s, false);
    if (interrupt) {
        set_irq(s, true);
    }
}

/* DS 6.0: the seven bytes after a transfer. */
static void transfer_result(FdcState *s, uint8_t st0, uint8_t st1, uint8_t st2)
{
    s->result[0] = (uint8_t)(st0 | s->unit | (s->head ? ST0_HEAD : 0));
    s->result[1] = st1;
    s->result[2] = st2;
    memcpy(s->result + 3, s->id, 4);
    to_result(s, 7, true);
}

static void fail(FdcState *s, uint8_t st1, uint8_t st2)
{
    transfer_result(s, ST0_ABNORMAL, st1, st2);
}

static void invalid(FdcState *s)
{
    s->result[0] = ST0_INVALID;
    to_result(s, 1, false);
}

/* --- transfers --- */

static void next_sector(FdcState *s);
static void start_sector(FdcState *s);

static void io_done(void *opaque, int result)
{
    FdcState *s = opaque;

    s->in_flight = false;
    if (s->phase != PHASE_EXECUTION) {
        return;                         /* a reset came between */
    }
    if (result < 0) {
        fail(s, ST1_DATA_ERROR, ST2_DATA_ERROR);
        return;
    }
    if (s->task == TASK_READ) {
        s->pos = 0;
        s->len = FLOPPY_SECTOR;
        s->ready = true;
        dreq(s, uses_dma(s));
        if (!uses_dma(s)) {
            set_irq(s, true);
        }
    } else {
        next_sector(s);
    }
}

static void access_image(FdcState *s, FloppyDrive *d, int64_t offset, bool write)
{
    s->iov = (struct iovec){ s->data, FLOPPY_SECTOR };
    s->in_flight = true;
    s->ready = false;
    dreq(s, false);
    blk_aio_rw(d->conf.blk, write, (uint64_t)offset, &s->iov, 1, io_done, s);
}

/* Data for the sector, or from the host to it. */
static void await_host(FdcState *s, uint16_t bytes)
{
    s->pos = 0;
    s->len = bytes;
    s->ready = true;
    dreq(s, uses_dma(s));
    if (!uses_dma(s)) {
        set_irq(s, true);
    }
}

/* The medium can be read at the chosen rate; else no address mark is ever found. */
static bool readable(const FdcState *s, const FloppyDrive *d)
{
    uint8_t rate = s->dsr & DSR_RATE;

    return d && d->format && (d->format->rate == rate ||
                              (d->format->rate == 1 && rate == 2));     /* 360K in any drive */
}

static int64_t sector_offset(FdcState *s, const FloppyDrive *d)
{
    return s->id[0] == d->track ? floppy_offset(d, d->track, s->head, s->id[2]) : -1;
}

static void start_sector(FdcState *s)
{
    FloppyDrive *d = drive(s, s->unit);
    int64_t offset;

    if (!readable(s, d)) {
        fail(s, ST1_NO_MARK, 0);
        return;
    }
    if (s->task == TASK_FORMAT) {
        await_host(s, 4);
        return;
    }
    offset = s->id[3] == 2 && s->id[1] == s->head ? sector_offset(s, d) : -1;
    if (offset < 0) {
        fail(s, ST1_NO_DATA, s->id[0] != d->track ? ST2_WRONG_CYLINDER : 0);
        return;
    }
    if (s->task == TASK_WRITE) {
        await_host(s, FLOPPY_SECTOR);
    } else {
        access_image(s, d, offset, false);
    }
}

/* The buffer is full (writing): to the image. */
static void store_sector(FdcState *s)
{
    FloppyDrive *d = drive(s, s->unit);
    int64_t offset;

    if (s->task == TASK_FORMAT) {
        memcpy(s->id, s->data, 4);
        memset(s->data, s->fill, sizeof(s->data));
    }
    offset = d && d->format && !d->read_only && s->id[3] == 2 ? sector_offset(s, d) : -1;
    if (offset < 0) {
        fail(s, d && d->read_only ? ST1_NOT_WRITABLE : ST1_NO_DATA, 0);
        return;
    }
    access_image(s, d, offset, true);
}

/* DS 5.1.1, table 5-2: id after the sector; true if the transfer may go on to it. */
static bool step_id(FdcState *s)
{
    if (s->id[2] != s->eot) {
        s->id[2]++;
        return true;
    }
    s->id[2] = 1;
    if ((s->cmd[0] & CMD_MT) && !s->head) {
        s->head = s->id[1] = 1;
        return true;
    }
    if (s->cmd[0] & CMD_MT) {
        s->head = s->id[1] = 0;
    }
    s->id[0]++;
    return false;
}

static void next_sector(FdcState *s)
{
    uint8_t head = s->head;
    bool more;

    if (s->task == TASK_FORMAT) {
        if (--s->eot) {
            start_sector(s);
        } else {
            transfer_result(s, 0, 0, 0);
        }
        return;
    }
    more = step_id(s);
    if (s->terminal || (s->task == TASK_VERIFY && !more)) {
        uint8_t after = s->head;

        s->head = head;                 /* ST0 tells the head of the last sector */
        transfer_result(s, 0, 0, 0);
        s->head = after;
    } else if (more) {
        start_sector(s);
    } else {
        s->head = head;
        fail(s, ST1_END, 0);            /* DS 6.2: past the last sector without TC */
    }
}

/* Bytes between buffer and host; true when the sector is through. */
static bool move_bytes(FdcState *s)
{
    if (s->pos < s->len && !s->terminal) {
        return false;
    }
    s->ready = false;
    set_irq(s, false);
    if (s->task == TASK_READ) {
        next_sector(s);
    } else {
        /* DS 5.1.3: what TC cuts off is filled with zeros. */
        memset(s->data + s->pos, 0, s->task == TASK_FORMAT ? 0u : (unsigned)(s->len - s->pos));
        store_sector(s);
    }
    return true;
}

static int fdc_dma(void *opaque, int channel, int pos, int size)
{
    FdcState *s = opaque;

    while (pos < size && s->phase == PHASE_EXECUTION && s->ready && uses_dma(s)) {
        int n = MIN(size - pos, s->len - s->pos);

        if (s->task == TASK_READ) {
            s->dma->ops->write_memory(s->dma, channel, s->data + s->pos, pos, n);
        } else {
            s->dma->ops->read_memory(s->dma, channel, s->data + s->pos, pos, n);
        }
        pos += n;
        s->pos = (uint16_t)(s->pos + n);
        s->terminal |= pos == size;
        if (move_bytes(s)) {
            break;                      /* the next sector asks again */
        }
    }
    return pos;
}

static void start_transfer(FdcState *s, Task task)
{
    FloppyDrive *d;

    s->unit = s->cmd[1] & 3;
    s->head = s->cmd[1] >> 2 & 1;
    s->task = task;
    s->phase = PHASE_EXECUTION;
    s->terminal = false;
    if (task == TASK_FORMAT) {
        s->eot = s->cmd[3];             /* sectors of the track */
        s->fill = s->cmd[5];
        s->id[0] = s->pcn[s->unit];
        s->id[1] = s->head;
        s->id[2] = 1;
        s->id[3] = s->cmd[2];
    } else {
        memcpy(s->id, s->cmd + 2, 4);
        s->eot = s->cmd[6];
    }
    d = drive(s, s->unit);
    if (d && (s->config & CONFIG_IMPLIED_SEEK) && task != TASK_FORMAT) {
        floppy_seek(d, s->id[0]);
        s->pcn[s->unit] = s->id[0];
    }
    if (d && d->format && d->read_only && (task == TASK_WRITE || task == TASK_FORMAT)) {
        fail(s, ST1_NOT_WRITABLE, 0);
    } else if (task == TASK_FORMAT && (!s->eot || s->cmd[2] != 2)) {
        fail(s, ST1_NO_DATA, 0);
    } else {
        start_sector(s);
    }
}

/* --- other commands --- */

static void seek_done(FdcState *s, uint8_t st0)
{
    to_command(s);
    s->sense = true;
    s->sense_st0 = (uint8_t)(st0 | ST0_SEEK_END | s->unit);
    set_irq(s, true);
}

static void seek(FdcState *s, int track)
{
    FloppyDrive *d;

    s->unit = s->cmd[1] & 3;
    d = drive(s, s->unit);
    track = MAX(0, MIN(track, 255));
    if (d) {
        floppy_seek(d, (uint8_t)track);
    }
    s->pcn[s->unit] = (uint8_t)track;
    seek_done(s, 0);
}

static void recalibrate(FdcState *s)
{
    FloppyDrive *d;

    s->unit = s->cmd[1] & 3;
    d = drive(s, s->unit);
    s->pcn[s->unit] = 0;
    if (d) {
        floppy_seek(d, 0);
        seek_done(s, 0);
    } else {
        seek_done(s, ST0_ABNORMAL | ST0_EQUIPMENT);     /* no TRK0 after all steps */
    }
}

static void sense_interrupt(FdcState *s)
{
    if (s->reset_sense) {               /* DS 5.2.3: one for each drive, after a reset */
        s->unit = (uint8_t)(4 - s->reset_sense--);
        s->result[0] = (uint8_t)(ST0_POLLING | s->unit);
        s->result[1] = s->pcn[s->unit];
    } else if (s->sense) {
        s->sense = false;
        s->result[0] = s->sense_st0;
        s->result[1] = s->pcn[s->sense_st0 & 3];
    } else {
        invalid(s);
        return;
    }
    set_irq(s, false);
    to_result(s, 2, false);
}

static void sense_drive(FdcState *s)
{
    FloppyDrive *d = drive(s, s->cmd[1] & 3);

    s->result[0] = (uint8_t)(ST3_ALWAYS | (s->cmd[1] & 7) |
                             (d && d->track == 0 ? ST3_TRACK0 : 0) |
                             (d && d->read_only ? ST3_WRITE_PROTECT : 0));
    to_result(s, 1, false);
}

static void read_id(FdcState *s)
{
    FloppyDrive *d;

    s->unit = s->cmd[1] & 3;
    s->head = s->cmd[1] >> 2 & 1;
    d = drive(s, s->unit);
    s->id[0] = d ? d->track : 0;
    s->id[1] = s->head;
    s->id[2] = 1;
    s->id[3] = 2;
    if (!readable(s, d) || floppy_offset(d, d->track, s->head, 1) < 0) {
        fail(s, ST1_NO_MARK | ST1_NO_DATA, 0);
    } else {
        transfer_result(s, 0, 0, 0);
    }
}

static void dump_registers(FdcState *s)
{
    memcpy(s->result, s->pcn, 4);
    s->result[4] = s->specify[0];
    s->result[5] = s->specify[1];
    s->result[6] = s->eot;
    s->result[7] = (uint8_t)(s->lock << 7 | (s->perpendicular & 0x7f));
    s->result[8] = s->config;
    s->result[9] = s->precomp;
    to_result(s, 10, false);
}

static void run_command(FdcState *s)
{
    uint8_t code = s->cmd[0];

    if ((code & 0xbf) == CMD_RELATIVE_SEEK) {
        seek(s, s->pcn[s->cmd[1] & 3] + (code & RELATIVE_UP ? s->cmd[2] : -s->cmd[2]));
        return;
    }
    switch (code & 0x1f) {
    case CMD_READ:
    case CMD_READ_DELETED:
        start_transfer(s, TASK_READ);
        break;
    case CMD_READ_TRACK:
        s->cmd[4] = 1;                  /* all sectors from the index hole on */
        start_transfer(s, TASK_READ);
        break;
    case CMD_VERIFY:
        start_transfer(s, TASK_VERIFY);
        break;
    case CMD_WRITE:
    case CMD_WRITE_DELETED:
        start_transfer(s, TASK_WRITE);
        break;
    case CMD_FORMAT:
        start_transfer(s, TASK_FORMAT);
        break;
    case CMD_SPECIFY:
        memcpy(s->specify, s->cmd + 1, 2);
        to_command(s);
        break;
    case CMD_SENSE_DRIVE:
        sense_drive(s);
        break;
    case CMD_RECALIBRATE:
        recalibrate(s);
        break;
    case CMD_SEEK:
        seek(s, s->cmd[2]);
        break;
    case CMD_SENSE_INT:
        sense_interrupt(s);
        break;
    case CMD_READ_ID:
        read_id(s);
        break;
    case CMD_DUMPREG:
        dump_registers(s);
        break;
    case CMD_VERSION:
        s->result[0] = 0x90;            /* DS 5.2.6: an enhanced controller */
        to_result(s, 1, false);
        break;
    case CMD_PART_ID:
        s->result[0] = 0x41;
        to_result(s, 1, false);
        break;
    case CMD_PERPENDICULAR:
        /* DS 5.2.8: OW lets the drives' bits be written. */
        s->perpendicular = s->cmd[1] & 0x80
                           ? s->cmd[1] & 0x3f
                           : (uint8_t)((s->perpendicular & PERPENDICULAR_LOCKED) |
                                       (s->cmd[1] & 3));
        to_command(s);
        break;
    case CMD_CONFIGURE:
        s->config = s->cmd[2];
        s->precomp = s->cmd[3];
        to_command(s);
        break;
    case CMD_LOCK:
        s->lock = code >> 7;
        s->result[0] = (uint8_t)(s->lock << 4);
        to_result(s, 1, false);
        break;
    default:
        invalid(s);
        break;
    }
}

/* --- registers --- */

static void soft_reset(FdcState *s)
{
    to_command(s);
    dreq(s, false);
    memset(s->pcn, 0, sizeof(s->pcn));
    s->perpendicular &= PERPENDICULAR_LOCKED;
    if (!s->lock) {                     /* DS 5.2.9: LOCK keeps the configuration */
        s->config = 0x20;
        s->precomp = 0;
    }
    s->sense = false;
    s->reset_sense = s->config & CONFIG_NO_POLL ? 0 : 4;
    set_irq(s, false);
}

static void reset_ended(FdcState *s)
{
    set_irq(s, s->reset_sense != 0);
}

static void write_dor(FdcState *s, uint8_t val)
{
    uint8_t old = s->dor;

    s->dor = val;
    if ((old & DOR_RESET_N) && !(val & DOR_RESET_N)) {
        soft_reset(s);
    } else if (!(old & DOR_RESET_N) && (val & DOR_RESET_N)) {
        reset_ended(s);
    } else {
        set_irq(s, s->int_pending);
    }
}

static uint8_t main_status(const FdcState *s)
{
    if (!(s->dor & DOR_RESET_N)) {
        return 0;
    }
    switch (s->phase) {
    case PHASE_COMMAND:
        return MSR_RQM | (s->cmd_len ? MSR_BUSY : 0);
    case PHASE_RESULT:
        return MSR_RQM | MSR_DIO | MSR_BUSY;
    default:
        if (uses_dma(s)) {
            return MSR_BUSY;
        }
        return MSR_BUSY | MSR_NON_DMA | (s->ready ? MSR_RQM : 0) |
               (s->task == TASK_READ ? MSR_DIO : 0);
    }
}

static uint8_t read_fifo(FdcState *s)
{
    uint8_t v = 0;

    if (s->phase == PHASE_RESULT) {
        if (s->result_pos == 0 && !s->sense && !s->reset_sense) {
            set_irq(s, false);          /* DS 3.4: reading the result clears it */
        }
        v = s->result[s->result_pos++ % RESULT_MAX];
        if (s->result_pos >= s->result_len) {
            to_command(s);
        }
    } else if (s->phase == PHASE_EXECUTION && s->ready && !uses_dma(s) && s->task == TASK_READ) {
        v = s->data[s->pos++ % FLOPPY_SECTOR];
        move_bytes(s);
    }
    return v;
}

static void write_fifo(FdcState *s, uint8_t val)
{
    if (!(s->dor & DOR_RESET_N)) {
        return;
    }
    if (s->phase == PHASE_EXECUTION) {
        if (s->ready && !uses_dma(s) && s->task != TASK_READ) {
            s->data[s->pos++ % FLOPPY_SECTOR] = val;
            move_bytes(s);
        }
        return;
    }
    if (s->phase != PHASE_COMMAND) {
        return;
    }
    s->cmd[s->cmd_len++] = val;
    if (!command_length(s->cmd[0])) {
        log_guest_error("isa-fdc", "no command 0x%02x", val);
        invalid(s);
    } else if (s->cmd_len == command_length(s->cmd[0])) {
        if (s->cmd[0] != CMD_SENSE_INT) {
            s->reset_sense = 0;
        }
        run_command(s);
        if (s->phase == PHASE_COMMAND) {
            s->cmd_len = 0;
        }
    }
}

static uint8_t selected_changed(FdcState *s)
{
    FloppyDrive *d = drive(s, s->dor & DOR_SEL);

    return d && d->changed ? DIR_CHANGED : 0;
}

static MemResult reg_read(FdcState *s, hwaddr addr, uint64_t *val)
{
    switch (addr) {
    case REG_SRA:
        *val = s->int_pending ? SRA_INT : 0;
        break;
    case REG_SRB:
        *val = 0xc0 | (s->dor >> 4 & 3);
        break;
    case REG_DOR:
        *val = s->dor;
        break;
    case REG_TDR:
        *val = s->tdr;
        break;
    case REG_MSR_DSR:
        *val = main_status(s);
        break;
    case REG_FIFO:
        *val = read_fifo(s);
        break;
    case REG_DIR_CCR:
        *val = selected_changed(s);
        break;
    default:
        *val = 0xff;
        break;
    }
    return MEM_OK;
}

static void reg_write(FdcState *s, hwaddr addr, uint8_t val)
{
    switch (addr) {
    case REG_DOR:
        write_dor(s, val);
        break;
    case REG_TDR:
        s->tdr = val & 3;
        break;
    case REG_MSR_DSR:
        s->dsr = val & ~DSR_RESET;
        if (val & DSR_RESET) {          /* DS 2.1.5: it ends by itself */
            soft_reset(s);
            reset_ended(s);
        }
        break;
    case REG_FIFO:
        write_fifo(s, val);
        break;
    case REG_DIR_CCR:
        s->dsr = (uint8_t)((s->dsr & ~DSR_RATE) | (val & DSR_RATE));
        break;
    default:
        break;
    }
}

static MemResult low_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                          UNUSED MemAttrs attrs)
{
    return reg_read(opaque, addr, val);
}

static MemResult low_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    reg_write(opaque, addr, (uint8_t)val);
    return MEM_OK;
}

static MemResult dir_read(void *opaque, UNUSED hwaddr addr, uint64_t *val, UNUSED unsigned size,
                          UNUSED MemAttrs attrs)
{
    return reg_read(opaque, REG_DIR_CCR, val);
}

static MemResult dir_write(void *opaque, UNUSED hwaddr addr, uint64_t val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    reg_write(opaque, REG_DIR_CCR, (uint8_t)val);
    return MEM_OK;
}

static const MemOps low_ops = {
    .read = low_read, .write = low_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};
static const MemOps dir_ops = {
    .read = dir_read, .write = dir_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

/* --- life --- */

static void fdc_reset_hold(Device *dev)
{
    FdcState *s = FDC(dev);

    s->dor = DOR_RESET_N | DOR_DMA;
    s->tdr = 0;
    s->dsr = 2;                         /* 250 kb/s */
    s->lock = s->perpendicular = 0;
    memset(s->specify, 0, sizeof(s->specify));
    s->eot = 0;
    soft_reset(s);
    s->reset_sense = 0;
}

static bool fdc_realize(Device *dev, Error **errp)
{
    FdcState *s = FDC(dev);

    if (s->irq_nr >= ISA_NUM_IRQS || s->dma_nr > 3) {
        error_setf(errp, ERR_PROPERTY_RANGE, "irq %u, dma %u; accepted: irq 0 to 15, dma 0 to 3",
                   s->irq_nr, s->dma_nr);
        return false;
    }
    s->irq = isa_get_irq(&s->isa, s->irq_nr);
    s->dma = isa_get_dma(isa_bus(&s->isa), (int)s->dma_nr);
    if (s->dma) {
        s->dma->ops->register_channel(s->dma, (int)s->dma_nr, fdc_dma, s);
    }
    s->bus = floppy_bus_new(dev);
    s->bus->fallback = s->fallback == FLOPPY_AUTO ? FLOPPY_288 : s->fallback;
    memory_region_init_io(&s->io_low, s, &low_ops, s, "fdc", 6);
    isa_register_ioport(&s->isa, &s->io_low, (uint16_t)s->iobase);
    memory_region_init_io(&s->io_dir, s, &dir_ops, s, "fdc-dir", 1);
    isa_register_ioport(&s->isa, &s->io_dir, (uint16_t)(s->iobase + REG_DIR_CCR));
    return true;
}

static void drain(FdcState *s)
{
    for (unsigned i = 0; s->bus && i < 2; i++) {
        FloppyDrive *d = drive(s, i);

        if (d && d->conf.blk && s->in_flight) {
            blk_drain(d->conf.blk);
        }
    }
}

static void fdc_unrealize(Device *dev)
{
    FdcState *s = FDC(dev);

    s->phase = PHASE_COMMAND;
    if (s->dma) {
        s->dma->ops->release_dreq(s->dma, (int)s->dma_nr);
        s->dma->ops->register_channel(s->dma, (int)s->dma_nr, NULL, NULL);
    }
    memory_region_cleanup(&s->io_low);
    memory_region_cleanup(&s->io_dir);
}

static void fdc_pre_save(void *opaque)
{
    drain(opaque);
}

static bool fdc_post_load(void *opaque, Error **errp)
{
    FdcState *s = opaque;
    bool moving = s->phase == PHASE_EXECUTION;
    uint16_t most = s->task == TASK_FORMAT ? 4 : FLOPPY_SECTOR;

    if (moving != (s->task != TASK_NONE) || (s->ready && (!moving || s->pos >= s->len)) ||
        s->len > most * (s->task != TASK_NONE || s->len <= FLOPPY_SECTOR) ||
        (moving && !s->ready && !s->in_flight) ||
        (s->phase == PHASE_RESULT && s->result_pos >= s->result_len) ||
        (s->task == TASK_FORMAT && !s->eot) ||
        (s->phase == PHASE_COMMAND && s->cmd_len && s->cmd_len >= command_length(s->cmd[0]))) {
        error_setf(errp, ERR_STATE_INVALID, "isa-fdc: phase %u, task %u, %u of %u bytes, %u command "
                   "bytes", s->phase, s->task, s->pos, s->len, s->cmd_len);
        to_command(s);
        return false;
    }
    set_irq(s, s->int_pending);
    dreq(s, s->ready && uses_dma(s));
    return true;
}

static const VmField fdc_fields[] = {
    VM_U8(FdcState, dor), VM_U8_RANGE(FdcState, tdr, 0, 3), VM_U8_RANGE(FdcState, dsr, 0, 0x7f),
    VM_U8(FdcState, config), VM_U8(FdcState, precomp), VM_U8_RANGE(FdcState, lock, 0, 1),
    VM_U8_RANGE(FdcState, perpendicular, 0, 0x3f), VM_U8_ARRAY(FdcState, specify),
    VM_U8_RANGE(FdcState, phase, 0, PHASE_RESULT), VM_U8_ARRAY(FdcState, cmd),
    VM_U8_RANGE(FdcState, cmd_len, 0, 9), VM_U8_ARRAY(FdcState, result),
    VM_U8_RANGE(FdcState, result_len, 0, RESULT_MAX),
    VM_U8_RANGE(FdcState, result_pos, 0, RESULT_MAX), VM_U8_ARRAY(FdcState, pcn),
    VM_U8_RANGE(FdcState, reset_sense, 0, 4), VM_BOOL(FdcState, sense),
    VM_BOOL(FdcState, int_pending), VM_U8(FdcState, sense_st0),
    VM_U8_RANGE(FdcState, task, 0, TASK_VERIFY), VM_U8_RANGE(FdcState, unit, 0, 3),
    VM_U8_RANGE(FdcState, head, 0, 1), VM_U8_ARRAY(FdcState, id), VM_U8(FdcState, eot),
    VM_U8(FdcState, fill), VM_U16_RANGE(FdcState, pos, 0, FLOPPY_SECTOR),
    VM_U16_RANGE(FdcState, len, 0, FLOPPY_SECTOR), VM_BOOL(FdcState, ready),
    VM_BOOL(FdcState, terminal), VM_BUFFER(FdcState, data), VM_END
};

static const char *const type_names[] = { "144", "288", "120", "none", "auto", NULL };

static const Property fdc_props[] = {
    PROP_U32("iobase", FdcState, iobase, 0x3f0, "first port"),
    PROP_U32("irq", FdcState, irq_nr, 6, "interrupt"),
    PROP_U32("dma", FdcState, dma_nr, 2, "DMA channel"),
    PROP_ENUM("fdtypeA", FdcState, type_a, FLOPPY_AUTO, type_names, "kind of the board's drive A:"),
    PROP_ENUM("fdtypeB", FdcState, type_b, FLOPPY_AUTO, type_names, "kind of the board's drive B:"),
    PROP_ENUM("fallback", FdcState, fallback, FLOPPY_288, type_names,
              "kind of a drive that nothing tells of"),
    PROP_END
};

static const VmMeaning fdc_meanings[] = {
    { "tdr", "TDR, tape drive register" },
    { "dsr", "DSR", .flags = FLAGS({ "DRATE", 3 }, { "PRECOMP", 0x1c }, { "PDOSC", 0x20 }, { "POWER_DOWN", 0x40 },
      { "RESET", 0x80 }) },
    { "config", "of CONFIGURE", .flags = FLAGS({ "THRESHOLD", 0xf }, { "POLL_OFF", 0x10 }, { "EFIFO", 0x20 }, { "EIS", 0x40 }) },
    { "precomp", "of CONFIGURE: track where write precompensation begins" },
    { "lock", "of LOCK: a reset leaves what CONFIGURE has set" },
    { "perpendicular", "of PERPENDICULAR MODE", .flags = FLAGS({ "GAP", 1 }, { "WGATE", 2 }, { "D0", 4 }, { "D1", 8 },
      { "D2", 0x10 },
      { "D3", 0x20 }) },
    { "specify", "of SPECIFY", ELEMENTS("SRT and HUT", "HLT and NDMA") },
    { "cmd_len", "bytes of the command that have come" }, { "result_len", "bytes of the result" },
    { "result_pos", "of these, already read" },
    { "reset_sense", "answers of SENSE INTERRUPT STATUS that a reset has left" },
    { "sense_st0", "ST0 that the next SENSE INTERRUPT STATUS tells", .flags = FLAGS({ "DS", 3 }, { "H", 4 }, { "EC", 0x10 },
      { "SE", 0x20 },
      { "IC", 0xc0 }) },
    { "task", "what is carried out", VALUES("none", "read", "write", "format", "verify") },
    { "unit", "drive of it" }, { "head", "head of it" }, { "eot", "its last sector" }, { "fill", "byte that FORMAT TRACK writes" },
    { "pos", "next byte in the buffer" }, { "len", "bytes in the buffer" },
    { "dor", "DOR", .flags = FLAGS({ "DRIVE", 3 }, { "NRESET", 4 }, { "DMA", 8 }, { "MOT0", 0x10 }, { "MOT1", 0x20 },
      { "MOT2", 0x40 }, { "MOT3", 0x80 }) },
    { "phase", VALUES("command", "execution", "result") },
    { "cmd", "command bytes, cmd_len of them" }, { "result", "result bytes, result_len of them" },
    { "pcn", "track of each drive" }, { "id", "C, H, R, N of the sector" },
    { "data", "the sector", .payload = "a sector on its way" },
    { .name = NULL }
};

static const DeviceType fdc_type = {
    .name = TYPE_ISA_FDC, .parent = TYPE_ISA_DEVICE, .size = sizeof(FdcState),
    .desc = "floppy disk controller (82077AA)", .category = DEVICE_STORAGE, .fw_name = "fdc",
    .props = fdc_props, .realize = fdc_realize, .unrealize = fdc_unrealize,
    .reset_hold = fdc_reset_hold,
    .vm = { 1, fdc_fields, .pre_save = fdc_pre_save, .post_load = fdc_post_load, .meanings = fdc_meanings },
};
DEVICE_TYPE(fdc_type)

unsigned fdc_cmos_types(Device *fdc)
{
    FdcState *s = FDC(fdc);
    FloppyDrive *a = drive(s, 0), *b = drive(s, 1);

    return (a ? floppy_cmos_type(a) << 4 : 0) | (b ? floppy_cmos_type(b) : 0);
}
