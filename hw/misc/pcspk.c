/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NMI status and control register, port 61h: timer 2's gate, the speaker, and
 * the refresh toggle that old software measures time with.
 *
 * Source: 82371SB data sheet, 290550, 2.5.9 ("PIIX3").
 * Not modelled: SERR# and IOCHK# (bits 7, 6, 3, 2), which have no source here;
 * the enable bits keep what was written.
 */
#include "util/osdep.h"
#include "hw/misc/pcspk.h"

#include "audio/audio.h"
#include "hw/timer/i8254.h"
#include "util/timer.h"

#define NSC_GATE2       BIT(0)
#define NSC_SPEAKER     BIT(1)
#define NSC_REFRESH     BIT(4)
#define NSC_OUT2        BIT(5)
#define NSC_WRITABLE    0x0f
#define VOICE_HZ        48000
#define REFRESH_NS      15085       /* of one half-cycle: 18 clocks of the timer */

typedef struct PcspkState {
    ISADevice isa;
    MemRegion io;
    Object *pit;                    /* property */
    uint32_t iobase;
    uint8_t control;
    AudioBackend *audio;            /* property; NULL: it is silent */
    AudioOut *voice;
    uint32_t phase;                 /* of the tone; not saved */
} PcspkState;

DEFINE_CAST(PCSPK, PcspkState, TYPE_PCSPK)

unsigned pcspk_tone_hz(Device *spk)
{
    PcspkState *s = PCSPK(spk);

    return s->control & NSC_SPEAKER ? i8254_tone_hz(DEVICE(s->pit), 2) : 0;
}

/* A square wave with the timer's frequency as it is now. */
static void pcspk_play(void *opaque, uint32_t bytes)
{
    PcspkState *s = opaque;
    uint32_t step = (uint32_t)(((uint64_t)MIN(pcspk_tone_hz(&s->isa.dev), VOICE_HZ / 2) << 32) /
                               VOICE_HZ);
    uint8_t buf[512];

    while (bytes) {
        uint32_t n = MIN(bytes, sizeof(buf));

        for (uint32_t i = 0; i < n; i++) {
            s->phase += step;
            buf[i] = !step ? 0x80 : s->phase >> 31 ? 0xc0 : 0x40;
        }
        audio_out_write(s->voice, buf, n);
        bytes -= n;
    }
}

static void pcspk_update_gate(PcspkState *s)
{
    if (s->voice) {
        audio_out_set_active(s->voice, (s->control & NSC_SPEAKER) && (s->control & NSC_GATE2));
    }
    irq_set(device_irq_in(DEVICE(s->pit), "gate", 2), s->control & NSC_GATE2);
}

static MemResult pcspk_read(void *opaque, UNUSED hwaddr addr, uint64_t *val,
                            UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    PcspkState *s = opaque;
    int64_t half_cycles = clock_get_ns(CLOCK_VIRTUAL) / REFRESH_NS;

    *val = s->control | (half_cycles & 1 ? NSC_REFRESH : 0) |
           (i8254_out(DEVICE(s->pit), 2) ? NSC_OUT2 : 0);
    return MEM_OK;
}

static MemResult pcspk_write(void *opaque, UNUSED hwaddr addr, uint64_t val,
                             UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    PcspkState *s = opaque;

    s->control = val & NSC_WRITABLE;
    pcspk_update_gate(s);
    return MEM_OK;
}

static const MemOps pcspk_ops = {
    .read = pcspk_read, .write = pcspk_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static void pcspk_reset_hold(Device *dev)
{
    PcspkState *s = PCSPK(dev);

    s->control = 0;
    pcspk_update_gate(s);
}

static bool pcspk_realize(Device *dev, Error **errp)
{
    PcspkState *s = PCSPK(dev);

    if (!s->pit) {
        error_setf(errp, ERR_MISSING_ARGUMENT,
                   "property 'pit' of '" TYPE_PCSPK "' must name the timer");
        return false;
    }
    if (s->audio) {
        s->voice = audio_out_open(s->audio, "pcspk", &(AudioFormat){ VOICE_HZ, 1, AUDIO_U8 },
                                  pcspk_play, s);
    }
    memory_region_init_io(&s->io, s, &pcspk_ops, s, "pcspk", 1);
    isa_register_ioport(&s->isa, &s->io, (uint16_t)s->iobase);
    return true;
}

static void pcspk_unrealize(Device *dev)
{
    audio_out_close(PCSPK(dev)->voice);
    PCSPK(dev)->voice = NULL;
    memory_region_cleanup(&PCSPK(dev)->io);
}

static bool pcspk_post_load(void *opaque, UNUSED Error **errp)
{
    pcspk_update_gate(opaque);
    return true;
}

static const VmField pcspk_fields[] = { VM_U8(PcspkState, control), VM_END };

static const Property pcspk_props[] = {
    PROP_U32("iobase", PcspkState, iobase, 0x61, "port"),
    PROP_LINK("pit", PcspkState, pit, TYPE_I8254, "the timer"),
    PROP_AUDIODEV("audiodev", PcspkState, audio, "the sound back end; none: silence"),
    PROP_END
};
static const VmMeaning pcspk_meanings[] = {
    { "control", "port 61h", .flags = FLAGS({ "GATE2", 1 }, { "SPEAKER", 2 }, { "SERR_OFF", 4 }, { "IOCHK_OFF", 8 }) },
    { .name = NULL }
};

static const DeviceType pcspk_type = {
    .name = TYPE_PCSPK, .parent = TYPE_ISA_DEVICE, .size = sizeof(PcspkState),
    .desc = "port 61h and PC speaker", .not_user_creatable = true,
    .category = DEVICE_SOUND,
    .props = pcspk_props, .realize = pcspk_realize,
    .unrealize = pcspk_unrealize, .reset_hold = pcspk_reset_hold,
    .vm = { 1, pcspk_fields, .post_load = pcspk_post_load, .meanings = pcspk_meanings },
};
DEVICE_TYPE(pcspk_type)
