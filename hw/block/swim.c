/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SWIM: the registers of IWM and ISM, and the way of bytes to and from the track that the chosen drive has under its head.
 *
 * The disk turns as software reads and writes: a byte is there at each poll, so that how fast the guest runs doesn't matter.
 * Not modelled: the parameter RAM's times, error correction, ISM's trans-space machine, IWM's slow mode and timer.
 */
#include "util/osdep.h"
#include "hw/block/swim.h"

#include "hw/block/swim-drive.h"
#include "hw/core/irq.h"

/* ISM registers for writing, 0 to 7, and for reading 8 to 15 (UR, "ISM Register Set"). */
enum { W_DATA, W_MARK, W_CRC, W_PARAM, W_PHASE, W_SETUP, W_MODE0, W_MODE1, R_DATA, R_MARK, R_ERROR,
       R_PARAM, R_PHASE, R_SETUP, R_MODE, R_HANDSHAKE };
enum { MODE_ENBL1 = 0x02, MODE_ENBL2 = 0x04, MODE_ACTION = 0x08, MODE_WRITE = 0x10, MODE_ISM = 0x40, MODE_MOTOR = 0x80 };
enum { HS_MARK = 0x01, HS_CRC_ZERO = 0x02, HS_SENSE = 0x08, HS_MOTOR = 0x10, HS_ERROR = 0x20, HS_TWO = 0x40, HS_ONE = 0x80 };
enum { SETUP_GCR = 0x04 };
enum { ERR_MARK_AS_DATA = 0x02 };
/* IWM: state lines, bit n is line n. */
enum { IWM_LSTRB = 0x08, IWM_ENABLE = 0x10, IWM_DRIVE2 = 0x20, IWM_Q6 = 0x40, IWM_Q7 = 0x80 };
#define LSTRB           0x08        /* of the phase lines */
#define NUM_PARAMS      16
#define NUM_DRIVES      2

typedef struct Swim {
    Device dev;
    MemRegion mr;
    FloppyBus *bus;
    SwimDrive drive[NUM_DRIVES];
    bool ism, sel;
    uint8_t lines, iwm_mode;
    uint8_t step;               /* of the four writes that lead to the ISM */
    uint8_t mode, phase, phase_lines, setup, error, param[NUM_PARAMS], param_at;
    uint16_t at, crc;           /* place on the track; CRC of what went by */
    /* The track under the head, as long as it is the one that these name. */
    SwimTrack track;
    bool there, written;
    uint8_t of_drive, of_track, of_head;
} Swim;
DEFINE_CAST(SWIM, Swim, TYPE_SWIM)

/* ---------------------------------------------------------------------- drives */

static void look_at_drives(Swim *s)
{
    for (unsigned n = 0; n < NUM_DRIVES; n++) {
        FloppyDrive *f = floppy_drive(s->bus, n);

        if (f != s->drive[n].floppy) {
            s->drive[n].floppy = f;
            swim_drive_changed(&s->drive[n]);
        }
    }
}

/* The drive that is selected, or NULL. */
static SwimDrive *chosen(Swim *s)
{
    if (s->ism) {
        return s->mode & MODE_ENBL1 ? &s->drive[0] : s->mode & MODE_ENBL2 ? &s->drive[1] : NULL;
    }
    return s->lines & IWM_ENABLE ? &s->drive[s->lines & IWM_DRIVE2 ? 1 : 0] : NULL;
}

static unsigned address(const Swim *s)
{
    return (s->phase_lines & 7) | (s->sel ? 8 : 0);
}

static bool sense(Swim *s)
{
    SwimDrive *d = chosen(s);

    return !d || swim_drive_sense(d, address(s));
}

/* What was written to the track goes to the disk. */
static void put_back(Swim *s)
{
    if (s->there && s->written) {
        swim_drive_put_track(&s->drive[s->of_drive], s->of_head, &s->track);
    }
    s->written = false;
}

static void forget_track(Swim *s)
{
    put_back(s);
    s->there = false;
}

/* Is the track there that the chosen drive has under its chosen head? */
static bool track_there(Swim *s)
{
    SwimDrive *d = chosen(s);
    uint8_t n, head = s->sel;

    if (!d || !d->floppy) {
        return false;
    }
    n = (uint8_t)(d - s->drive);
    if (s->there && (s->of_drive != n || s->of_head != head || s->of_track != d->floppy->track)) {
        forget_track(s);
    }
    if (!s->there) {
        s->there = swim_drive_get_track(d, head, &s->track);
        s->of_drive = n;
        s->of_head = head;
        s->of_track = d->floppy->track;
        s->at = s->there ? s->at % s->track.len : s->at;
    }
    /* A read head makes nothing of what the other code wrote. */
    return s->there && swim_is_gcr(d->medium) == (!s->ism || (s->setup & SETUP_GCR));
}

static void set_phases(Swim *s, uint8_t lines)
{
    SwimDrive *d = chosen(s);
    bool strobe = lines & ~s->phase_lines & LSTRB;

    s->phase_lines = lines;
    if (strobe && d) {
        put_back(s);
        swim_drive_command(d, address(s));
    }
}

/* ----------------------------------------------------------------------- bytes */

static void note(Swim *s, uint16_t cell, uint16_t before)
{
    if ((cell & SWIM_MARK) && !(before & SWIM_MARK)) {
        s->crc = 0xffff;
    }
    s->crc = swim_crc(s->crc, (uint8_t)cell);
}

static uint16_t *turn(Swim *s, uint16_t *before)
{
    uint16_t *cell = &s->track.cell[s->at];

    *before = s->track.cell[s->at ? s->at - 1 : s->track.len - 1];
    s->at = (uint16_t)((s->at + 1) % s->track.len);
    return cell;
}

static uint16_t get_cell(Swim *s)
{
    uint16_t before, cell = *turn(s, &before);

    note(s, cell, before);
    return cell;
}

static void put_cell(Swim *s, uint16_t v)
{
    uint16_t before, *cell = turn(s, &before);

    *cell = v;
    s->written = true;
    note(s, v, before);
}

/* Of MFM nothing is seen before the next mark. */
static void find_mark(Swim *s)
{
    for (unsigned n = 0; n < s->track.len; n++) {
        unsigned before = s->at ? s->at - 1u : s->track.len - 1u;

        if ((s->track.cell[s->at] & SWIM_MARK) && !(s->track.cell[before] & SWIM_MARK)) {
            return;
        }
        s->at = (uint16_t)((s->at + 1) % s->track.len);
    }
}

/* ------------------------------------------------------------------------- ISM */

static bool moving(Swim *s, bool write)
{
    return (s->mode & MODE_ACTION) && !(s->mode & MODE_WRITE) == !write && track_there(s);
}

static uint8_t handshake(Swim *s)
{
    uint8_t v = (sense(s) ? HS_SENSE : 0) | (s->mode & MODE_MOTOR ? HS_MOTOR : 0) | (s->error ? HS_ERROR : 0) |
                (s->crc ? 0 : HS_CRC_ZERO);

    if (moving(s, true)) {
        return v | HS_ONE | HS_TWO;
    }
    if (moving(s, false)) {     /* a byte waits, never two: it comes when it is looked for */
        v |= HS_ONE | (s->track.cell[s->at] & SWIM_MARK ? HS_MARK : 0);
    }
    return v;
}

static uint8_t read_cell(Swim *s, bool mark)
{
    uint16_t c;

    if (!moving(s, false)) {
        return 0xff;
    }
    c = get_cell(s);
    if ((c & SWIM_MARK) && !mark) {
        s->error |= ERR_MARK_AS_DATA;
    }
    return (uint8_t)c;
}

static uint8_t ism_read(Swim *s, unsigned reg, bool debug)
{
    uint8_t v;

    switch (reg) {
    case R_DATA: return debug ? 0xff : read_cell(s, false);
    case R_MARK: return debug ? 0xff : read_cell(s, true);
    case R_ERROR:
        v = s->error;
        s->error = debug ? v : 0;
        return v;
    case R_PARAM:
        v = s->param[s->param_at];
        s->param_at = (uint8_t)((s->param_at + !debug) % NUM_PARAMS);
        return v;
    case R_PHASE: return s->phase;
    case R_SETUP: return s->setup;
    case R_MODE: return s->mode;
    case R_HANDSHAKE: return debug ? 0 : handshake(s);
    default: return 0xff;
    }
}

static void set_mode(Swim *s, uint8_t mode)
{
    bool began = mode & ~s->mode & MODE_ACTION, ended = s->mode & ~mode & (MODE_ACTION | MODE_WRITE);

    if (ended) {
        put_back(s);
    }
    s->mode = mode;
    if (began && !(mode & MODE_WRITE) && !(s->setup & SETUP_GCR) && track_there(s)) {
        find_mark(s);
    }
    s->ism = mode & MODE_ISM;
}

static void ism_write(Swim *s, unsigned reg, uint8_t v)
{
    switch (reg) {
    case W_DATA: case W_MARK:
        if (moving(s, true)) {
            put_cell(s, v | (reg == W_MARK ? SWIM_MARK : 0));
        }
        break;
    case W_CRC:
        if (moving(s, true)) {
            uint16_t crc = s->crc;

            put_cell(s, crc >> 8);
            put_cell(s, crc & 0xff);
        }
        break;
    case W_PARAM:
        s->param[s->param_at] = v;
        s->param_at = (uint8_t)((s->param_at + 1) % NUM_PARAMS);
        break;
    case W_PHASE:               /* upper half: which lines are driven; the others stay */
        s->phase = v;
        set_phases(s, (uint8_t)((s->phase_lines & ~(v >> 4)) | (v & v >> 4)));
        break;
    case W_SETUP: s->setup = v; break;
    case W_MODE0:
        s->param_at = 0;
        set_mode(s, s->mode & (uint8_t)~v);
        break;
    case W_MODE1: set_mode(s, s->mode | v); break;
    default: break;
    }
}

/* ------------------------------------------------------------------------- IWM */

/* UR, "Using the ISM Hardware": bit 6 of the mode register written as 1, 0, 1, 1. */
static void iwm_mode_written(Swim *s, uint8_t v)
{
    static const uint8_t wanted[] = { 0x40, 0, 0x40, 0x40 };

    s->step = (v & 0x40) == wanted[s->step] ? s->step + 1 : (v & 0x40) != 0;
    s->iwm_mode = v;
    if (s->step == 4) {
        s->ism = true;
        s->mode = MODE_ISM;
        s->step = 0;
    }
}

static void iwm_access(Swim *s, unsigned reg)
{
    uint8_t bit = (uint8_t)(1u << (reg >> 1)), old = s->lines;

    s->lines = reg & 1 ? s->lines | bit : s->lines & (uint8_t)~bit;
    if (old & ~s->lines & IWM_Q7) {
        put_back(s);            /* back to reading */
    }
    set_phases(s, s->lines & 15);
}

static uint8_t iwm_read(Swim *s)
{
    switch (s->lines & (IWM_Q6 | IWM_Q7)) {
    case 0:
        return (s->lines & IWM_ENABLE) && track_there(s) ? (uint8_t)get_cell(s) : 0xff;
    case IWM_Q6:                /* status: sense, the drive's motor, the mode */
        return (uint8_t)((sense(s) ? 0x80 : 0) | (s->lines & IWM_ENABLE ? 0x20 : 0) | (s->iwm_mode & 0x1f));
    case IWM_Q7:                /* handshake: room for a byte, no underrun */
        return 0xff;
    default:
        return 0xff;
    }
}

static void iwm_write(Swim *s, unsigned reg, uint8_t v)
{
    if ((s->lines & (IWM_Q6 | IWM_Q7)) != (IWM_Q6 | IWM_Q7) || !(reg & 1)) {
        return;
    }
    if (!(s->lines & IWM_ENABLE)) {
        iwm_mode_written(s, v);
    } else if (track_there(s)) {
        put_cell(s, v);
    }
}

/* ----------------------------------------------------------------------- device */

static MemResult swim_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size, MemAttrs attrs)
{
    Swim *s = opaque;
    unsigned reg = addr >> 9 & 15;

    look_at_drives(s);
    if (s->ism) {
        *val = ism_read(s, reg, attrs.debug);
    } else if (attrs.debug) {
        *val = 0xff;
    } else {
        iwm_access(s, reg);
        *val = iwm_read(s);
    }
    return MEM_OK;
}

static MemResult swim_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    Swim *s = opaque;
    unsigned reg = addr >> 9 & 15;

    look_at_drives(s);
    if (s->ism) {
        ism_write(s, reg, (uint8_t)val);
    } else {
        iwm_access(s, reg);
        iwm_write(s, reg, (uint8_t)val);
    }
    return MEM_OK;
}

static const MemOps swim_ops = {
    .read = swim_read, .write = swim_write, .order = MEM_BE, .valid = { 1, 4 },
    .impl = { .min = 1, .max = 1 },
};

static void swim_sel(void *opaque, UNUSED int n, int level)
{
    SWIM(opaque)->sel = level != 0;
}

static void medium_changed(FloppyBus *bus, unsigned unit)
{
    Swim *s = bus->opaque;

    if (unit < NUM_DRIVES && s->drive[unit].floppy) {
        if (s->of_drive == unit) {
            s->there = s->written = false;
        }
        swim_drive_changed(&s->drive[unit]);
    }
}

static void swim_reset_hold(Device *dev)
{
    Swim *s = SWIM(dev);

    forget_track(s);
    s->ism = false;
    s->lines = s->iwm_mode = s->step = s->mode = s->phase = s->phase_lines = s->setup = s->error = s->param_at = 0;
    s->at = s->crc = 0;
    memset(s->param, 0, sizeof(s->param));
    for (unsigned n = 0; n < NUM_DRIVES; n++) {
        swim_drive_reset(&s->drive[n]);
    }
}

static void swim_init(Device *dev)
{
    device_init_irq_in(dev, "sel", swim_sel, 1);
}

static bool swim_realize(Device *dev, UNUSED Error **errp)
{
    Swim *s = SWIM(dev);

    s->bus = floppy_bus_new(dev);
    s->bus->fallback = FLOPPY_144;
    s->bus->changed = medium_changed;
    s->bus->opaque = s;
    memory_region_init_io(&s->mr, s, &swim_ops, s, "swim", SWIM_SIZE);
    return true;
}

static void swim_unrealize(Device *dev)
{
    Swim *s = SWIM(dev);

    for (unsigned n = 0; n < NUM_DRIVES; n++) {
        swim_drive_cleanup(&s->drive[n]);
    }
    memory_region_cleanup(&s->mr);
}

MemRegion *swim_region(Device *dev)
{
    return &SWIM(dev)->mr;
}

static void swim_pre_save(void *opaque)
{
    Swim *s = opaque;

    put_back(s);
    for (unsigned n = 0; n < NUM_DRIVES; n++) {
        swim_drive_drain(&s->drive[n]);
    }
}

static bool swim_post_load(void *opaque, UNUSED Error **errp)
{
    Swim *s = opaque;

    s->there = s->written = false;      /* it is made anew from the disk */
    return true;
}

static const VmField swim_fields[] = {
    VM_BOOL(Swim, ism), VM_BOOL(Swim, sel), VM_U8(Swim, lines), VM_U8(Swim, iwm_mode), VM_U8_RANGE(Swim, step, 0, 3),
    VM_U8(Swim, mode), VM_U8(Swim, phase), VM_U8_RANGE(Swim, phase_lines, 0, 15), VM_U8(Swim, setup), VM_U8(Swim, error),
    VM_U8_ARRAY(Swim, param), VM_U8_RANGE(Swim, param_at, 0, NUM_PARAMS - 1),
    VM_U16_RANGE(Swim, at, 0, SWIM_TRACK_MAX - 1), VM_U16(Swim, crc), VM_STRUCT_ARRAY(Swim, drive, swim_drive_vm), VM_END
};

static const VmMeaning swim_meanings[] = {
    { "ism", "ISM's registers are seen, not IWM's" }, { "sel", "the drives' line SEL" },
    { "lines", "IWM's state lines", .flags = FLAGS({ "CA0", 1 }, { "CA1", 2 }, { "CA2", 4 }, { "LSTRB", 8 }, { "ENABLE", IWM_ENABLE },
                                                   { "DRIVE2", IWM_DRIVE2 }, { "Q6", IWM_Q6 }, { "Q7", IWM_Q7 }) },
    { "iwm_mode", "mode register of the IWM" }, { "step", "of the four writes that lead to the ISM" },
    { "phase", "phase register: directions in the high half, levels in the low one" }, { "setup", "setup register" },
    { "error", "error register" }, { "param_at", "which parameter comes next" }, { "crc", "CRC of what went by since a mark" },
    { "mode", "ISM's mode", .flags = FLAGS({ "CLFIFO", 1 }, { "ENBL1", MODE_ENBL1 }, { "ENBL2", MODE_ENBL2 }, { "ACTION", MODE_ACTION },
                                           { "WRITE", MODE_WRITE }, { "HEDSEL", 0x20 }, { "ISM", MODE_ISM }, { "MOTON", MODE_MOTOR }) },
    { "phase_lines", "to the drives", .flags = FLAGS({ "CA0", 1 }, { "CA1", 2 }, { "CA2", 4 }, { "LSTRB", 8 }) },
    { "param", "parameter RAM", .payload = "as the driver wrote it" }, { "at", "bytes since the track's beginning" },
    { .name = NULL }
};

static const DeviceType swim_type = {
    .name = TYPE_SWIM, .size = sizeof(Swim), .desc = "Macintosh floppy controller", .category = DEVICE_STORAGE,
    .not_user_creatable = true, .init = swim_init, .realize = swim_realize, .unrealize = swim_unrealize,
    .reset_hold = swim_reset_hold,
    .vm = { 1, swim_fields, .pre_save = swim_pre_save, .post_load = swim_post_load, .meanings = swim_meanings },
};
DEVICE_TYPE(swim_type)
