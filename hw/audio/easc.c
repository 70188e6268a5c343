/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Enhanced Apple Sound Chip, the version inside of IOSB (easc.h).
 *
 * Apple hasn't published its registers. Sources: NetBSD's sys/arch/mac68k/obio/ascreg.h (names and offsets, "NB"); what the
 * program ASCTester printed on a real Quadra 800 ("AT": version BB, register 804 is 0E when idle, mode 2 isn't taken,
 * no mono, status bits of queue A say nothing, F29 is 1 at first and masks the interrupt, which comes once for each time
 * that the queue becomes half empty).
 * Not modelled: recording, compressed samples (CD-XA), rates other than the Macintosh's own.
 */
#include "util/osdep.h"
#include "hw/audio/easc.h"

#include "audio/audio.h"
#include "hw/core/irq.h"
#include "qom/property.h"

#define VERSION         0xbb
#define FIFO_LEN        0x400
#define SAMPLE_HZ       22254           /* NB: MACFREQ */
#define IDLE_SAMPLE     0x80

/* Offsets. A queue takes a byte at any address of its 1 Kbytes. */
enum { FIFO_B = 0x400, VERLOC = 0x800, ASCMODE = 0x801, ASCTRL = 0x802, FIFOPARAM = 0x803, FIFOSTATUS = 0x804,
       INTVOL = 0x806, ASCRATE = 0x807, PARAM = 0xf00, PARAM_B = 0x20, IRQ_CTRL = 0x09, LEFT_VOL = 0x06, RIGHT_VOL = 0x07 };
enum { A_HALF = 1, A_FULL = 2, B_HALF = 4, B_FULL = 8, CLEARFIFO = 0x80, UNDERRUN = 0x80, DISABLEHALFIRQ = 1 };

typedef struct EascFifo {
    uint8_t data[FIFO_LEN];
    uint16_t at, len;           /* next to be played, how many */
    uint8_t last;               /* what is heard: it stays when nothing follows */
} EascFifo;

typedef struct Easc {
    Device dev;
    MemRegion mr;
    AudioBackend *audio;
    AudioOut *out;
    IrqLine *irq;
    EascFifo fifo[2];
    uint8_t mode, overrun, fifo_param, volume, rec, test;
    uint8_t param[64];          /* F00 to F3F */
} Easc;
DEFINE_CAST(EASC, Easc, TYPE_EASC)

/* ---------------------------------------------------------------------- queues */

static bool half_empty(const EascFifo *f)
{
    return f->len <= FIFO_LEN / 2;
}

static uint8_t status(const Easc *s)
{
    const EascFifo *b = &s->fifo[1];

    return (uint8_t)(A_FULL | (half_empty(b) ? B_HALF : 0) | (b->len == FIFO_LEN || !b->len ? B_FULL : 0));
}

/* The queues are filled together: B's state tells of both. */
static void update_irq(Easc *s)
{
    irq_set(s->irq, half_empty(&s->fifo[1]) && !(s->param[PARAM_B + IRQ_CTRL] & DISABLEHALFIRQ));
}

static void push(Easc *s, unsigned n, uint8_t v)
{
    EascFifo *f = &s->fifo[n];

    if (f->len == FIFO_LEN) {
        s->overrun = UNDERRUN;
        return;
    }
    f->data[(f->at + f->len++) % FIFO_LEN] = v;
    update_irq(s);
}

static uint8_t pop(EascFifo *f)
{
    if (f->len) {
        f->last = f->data[f->at];
        f->at = (uint16_t)((f->at + 1) % FIFO_LEN);
        f->len--;
    }
    return f->last;
}

static void clear(Easc *s)
{
    for (unsigned n = 0; n < 2; n++) {
        s->fifo[n].at = s->fifo[n].len = 0;
        s->fifo[n].last = IDLE_SAMPLE;
    }
    s->overrun = 0;
    update_irq(s);
}

static void play(void *opaque, uint32_t bytes)
{
    Easc *s = opaque;
    uint8_t buf[512];

    while (bytes >= 2) {
        uint32_t k = MIN(bytes & ~1u, sizeof(buf));

        for (uint32_t i = 0; i < k; i += 2) {
            buf[i] = pop(&s->fifo[0]);
            buf[i + 1] = pop(&s->fifo[1]);
        }
        audio_out_write(s->out, buf, k);
        bytes -= k;
    }
    update_irq(s);
}

static void update_voice(Easc *s)
{
    uint8_t v = (uint8_t)((s->volume >> 5) * 255u / 7);

    audio_out_set_volume(s->out, false, v, v);
    audio_out_set_active(s->out, s->mode);
}

/* ------------------------------------------------------------------- registers */

static MemResult easc_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size, MemAttrs attrs)
{
    Easc *s = opaque;

    addr &= 0xfff;
    switch (addr) {
    case 0 ... FIFO_B - 1: *val = attrs.debug ? s->fifo[0].last : pop(&s->fifo[0]); break;
    case FIFO_B ... VERLOC - 1: *val = attrs.debug ? s->fifo[1].last : pop(&s->fifo[1]); break;
    case VERLOC: *val = VERSION; break;
    case ASCMODE: *val = s->mode; break;
    case ASCTRL: *val = s->overrun; break;
    case FIFOPARAM: *val = s->fifo_param; break;
    case FIFOSTATUS: *val = status(s); break;
    case INTVOL: *val = s->volume; break;
    case ASCRATE: *val = 3; break;      /* nothing but the one rate */
    case 0x80a: *val = s->rec; break;
    case 0x80f: *val = s->test; break;
    case PARAM ... PARAM + 63: *val = s->param[addr - PARAM]; break;
    default: *val = 0; break;
    }
    if (!attrs.debug) {
        update_irq(s);
    }
    return MEM_OK;
}

static MemResult easc_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    Easc *s = opaque;
    uint8_t v = (uint8_t)val;

    addr &= 0xfff;
    switch (addr) {
    case 0 ... FIFO_B - 1: push(s, 0, v); break;
    case FIFO_B ... VERLOC - 1: push(s, 1, v); break;
    case ASCMODE:
        s->mode = v & 1;
        update_voice(s);
        break;
    case FIFOPARAM:
        s->fifo_param = v;
        if (v & CLEARFIFO) {
            clear(s);
        }
        break;
    case INTVOL:
        s->volume = v;
        update_voice(s);
        break;
    case 0x80a: s->rec = v & 3; break;
    case 0x80f: s->test = v; break;
    case PARAM ... PARAM + 63:
        s->param[addr - PARAM] = v;
        update_irq(s);
        break;
    default: break;
    }
    return MEM_OK;
}

static const MemOps easc_ops = {
    .read = easc_read, .write = easc_write, .order = MEM_BE, .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

/* ------------------------------------------------------------------------- life */

static void easc_reset_hold(Device *dev)
{
    Easc *s = EASC(dev);

    s->mode = s->fifo_param = s->volume = s->rec = s->test = 0;
    memset(s->param, 0, sizeof(s->param));
    s->param[IRQ_CTRL] = s->param[PARAM_B + IRQ_CTRL] = DISABLEHALFIRQ;
    clear(s);
    update_voice(s);
}

static void easc_init(Device *dev)
{
    device_init_irq_out(dev, "irq", &EASC(dev)->irq, 1);
}

static bool easc_realize(Device *dev, UNUSED Error **errp)
{
    static const AudioFormat format = { SAMPLE_HZ, 2, AUDIO_U8 };
    Easc *s = EASC(dev);

    s->out = audio_out_open(s->audio, "easc", &format, play, s);
    memory_region_init_io(&s->mr, s, &easc_ops, s, "easc", EASC_SIZE);
    return true;
}

static void easc_unrealize(Device *dev)
{
    Easc *s = EASC(dev);

    audio_out_close(s->out);
    memory_region_cleanup(&s->mr);
}

MemRegion *easc_region(Device *easc)
{
    return &EASC(easc)->mr;
}

static bool easc_post_load(void *opaque, UNUSED Error **errp)
{
    update_voice(opaque);
    update_irq(opaque);
    return true;
}

static const VmMeaning fifo_meanings[] = {
    { "data", .payload = "samples, unsigned" }, { "at", "where the next sample to be played is" },
    { "len", "samples that wait" }, { "last", "the sample that is heard" }, { .name = NULL }
};
static const VmField fifo_fields[] = {
    VM_BUFFER(EascFifo, data), VM_U16_RANGE(EascFifo, at, 0, FIFO_LEN - 1), VM_U16_RANGE(EascFifo, len, 0, FIFO_LEN),
    VM_U8(EascFifo, last), VM_END
};
static const VmState fifo_vm = { 1, fifo_fields, .name = "fifo", .meanings = fifo_meanings };

static const VmField easc_fields[] = {
    VM_STRUCT_ARRAY(Easc, fifo, fifo_vm), VM_U8_RANGE(Easc, mode, 0, 1), VM_U8(Easc, overrun), VM_U8(Easc, fifo_param),
    VM_U8(Easc, volume), VM_U8_RANGE(Easc, rec, 0, 3), VM_U8(Easc, test), VM_BUFFER(Easc, param), VM_END
};

static const VmMeaning easc_meanings[] = {
    { "fifo", ELEMENTS("A, left", "B, right") }, { "mode", "ASCMODE", VALUES("stopped", "queue") },
    { "overrun", "ASCTRL", .flags = FLAGS({ "OVERRUN", UNDERRUN }) }, { "fifo_param", "FIFOPARAM" },
    { "volume", "INTVOL: the upper three bits" },
    { "rec", "APLAYREC", .flags = FLAGS({ "RECORDA", 1 }, { "REC22KHZ", 2 }) }, { "test", "ASCTEST" },
    { "param", "registers F00 to F3F", .payload = "queue A's, then queue B's 32 bytes" }, { .name = NULL }
};

static const Property easc_props[] = {
    PROP_AUDIODEV("audiodev", Easc, audio, "the sound back end"), PROP_END
};

static const DeviceType easc_type = {
    .name = TYPE_EASC, .size = sizeof(Easc), .desc = "Enhanced Apple Sound Chip", .category = DEVICE_SOUND,
    .not_user_creatable = true, .props = easc_props, .init = easc_init, .realize = easc_realize,
    .unrealize = easc_unrealize, .reset_hold = easc_reset_hold,
    .vm = { 1, easc_fields, .post_load = easc_post_load, .meanings = easc_meanings },
};
DEVICE_TYPE(easc_type)
