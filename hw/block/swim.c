/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SWIM without drives: the switch between the IWM's and the ISM's registers, and what software reads where no
 * drive answers. Not modelled: drives, and the data path.
 */
#include "util/osdep.h"
#include "hw/block/swim.h"

/* ISM registers for writing, 0 to 7, and for reading 8 to 15 (UR 4). */
enum { W_DATA, W_MARK, W_CRC, W_PARAM, W_PHASE, W_SETUP, W_MODE0, W_MODE1, R_DATA, R_MARK, R_ERROR,
       R_PARAM, R_PHASE, R_SETUP, R_MODE, R_HANDSHAKE };
#define MODE_ISM        0x40
#define HANDSHAKE_SENSE 0x08        /* the drive's line: high without one */
#define NUM_PARAMS      16

typedef struct Swim {
    Device dev;
    MemRegion mr;
    bool ism;
    uint8_t lines;              /* IWM: state lines, bit n is line n */
    uint8_t iwm_mode;
    uint8_t step;               /* of the four writes that lead to the ISM */
    uint8_t mode, phase, setup, param[NUM_PARAMS], param_at;
} Swim;

static Swim *SWIM(const void *obj)
{
    return (Swim *)object_cast(obj, TYPE_SWIM);
}

/* UR 3.?: bit 6 of the mode register written as 1, 0, 1, 1. */
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
    uint8_t bit = (uint8_t)(1u << (reg >> 1));

    s->lines = reg & 1 ? s->lines | bit : s->lines & (uint8_t)~bit;
}

static MemResult swim_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size, MemAttrs attrs)
{
    Swim *s = opaque;
    unsigned reg = addr >> 9 & 15;

    *val = 0xff;
    if (!s->ism) {
        if (!attrs.debug) {
            iwm_access(s, reg);
        }
        if ((s->lines & 0xc0) == 0x40) {        /* status: sense is high, then the mode */
            *val = 0x80u | (s->iwm_mode & 0x1f);
        }
        return MEM_OK;
    }
    switch (reg) {
    case R_ERROR: *val = 0; break;
    case R_PARAM:
        *val = s->param[s->param_at];
        s->param_at = (uint8_t)((s->param_at + !attrs.debug) % NUM_PARAMS);
        break;
    case R_PHASE: *val = s->phase; break;
    case R_SETUP: *val = s->setup; break;
    case R_MODE: *val = s->mode; break;
    case R_HANDSHAKE: *val = HANDSHAKE_SENSE; break;
    default: break;
    }
    return MEM_OK;
}

static MemResult swim_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                            UNUSED MemAttrs attrs)
{
    Swim *s = opaque;
    unsigned reg = addr >> 9 & 15;
    uint8_t v = (uint8_t)val;

    if (!s->ism) {
        iwm_access(s, reg);
        if ((s->lines & 0xc0) == 0xc0 && (reg & 1)) {
            iwm_mode_written(s, v);
        }
        return MEM_OK;
    }
    switch (reg) {
    case W_PARAM:
        s->param[s->param_at] = v;
        s->param_at = (uint8_t)((s->param_at + 1) % NUM_PARAMS);
        break;
    case W_PHASE: s->phase = v; break;
    case W_SETUP: s->setup = v; break;
    case W_MODE0:
        s->mode &= (uint8_t)~v;
        s->param_at = 0;
        s->ism = s->mode & MODE_ISM;
        break;
    case W_MODE1: s->mode |= v; break;
    default: break;
    }
    return MEM_OK;
}

static const MemOps swim_ops = {
    .read = swim_read, .write = swim_write, .order = MEM_BE, .valid = { 1, 1 },
    .impl = { .min = 1, .max = 1 },
};

static void swim_reset_hold(Device *dev)
{
    Swim *s = SWIM(dev);

    s->ism = false;
    s->lines = s->iwm_mode = s->step = s->mode = s->phase = s->setup = s->param_at = 0;
    memset(s->param, 0, sizeof(s->param));
}

static bool swim_realize(Device *dev, UNUSED Error **errp)
{
    Swim *s = SWIM(dev);

    memory_region_init_io(&s->mr, s, &swim_ops, s, "swim", SWIM_SIZE);
    return true;
}

static void swim_unrealize(Device *dev)
{
    memory_region_cleanup(&SWIM(dev)->mr);
}

MemRegion *swim_region(Device *dev)
{
    return &SWIM(dev)->mr;
}

static const VmField swim_fields[] = {
    VM_BOOL(Swim, ism), VM_U8(Swim, lines), VM_U8(Swim, iwm_mode), VM_U8_RANGE(Swim, step, 0, 3),
    VM_U8(Swim, mode), VM_U8(Swim, phase), VM_U8(Swim, setup), VM_U8_ARRAY(Swim, param),
    VM_U8_RANGE(Swim, param_at, 0, NUM_PARAMS - 1), VM_END
};

static const VmMeaning swim_meanings[] = {
    { "lines", "state lines of the IWM", .flags = FLAGS({ "CA0", 1 }, { "CA1", 2 }, { "CA2", 4 }, { "LSTRB", 8 },
      { "ENABLE", 0x10 },
      { "SELECT", 0x20 }, { "Q6", 0x40 }, { "Q7", 0x80 }) },
    { "iwm_mode", "mode register of the IWM" },
    { "step", "of the four writes that lead to the ISM" },
    { "mode", "mode register of the ISM", .flags = FLAGS({ "CLEAR_FIFO", 1 }, { "DRIVE1", 2 }, { "DRIVE2", 4 }, { "ACTION", 8 },
      { "WRITE", 0x10 }, { "SIDE", 0x20 }, { "ISM", 0x40 }, { "MOTOR", 0x80 }) },
    { "phase", "phase lines: directions in the high half, levels in the low one" },
    { "setup", "setup register" }, { "param_at", "which parameter comes next" },
    { "param", "parameter RAM", .payload = "as the driver wrote it" },
    { .name = NULL }
};

static const DeviceType swim_type = {
    .name = TYPE_SWIM, .size = sizeof(Swim), .desc = "Macintosh floppy controller, without drives",
    .category = DEVICE_STORAGE, .not_user_creatable = true, .realize = swim_realize,
    .unrealize = swim_unrealize, .reset_hold = swim_reset_hold, .vm = { 1, swim_fields, .meanings = swim_meanings },
};
DEVICE_TYPE(swim_type)
