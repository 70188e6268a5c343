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

#include "hw/timer/i8254.h"
#include "util/timer.h"

#define NSC_GATE2       BIT(0)
#define NSC_SPEAKER     BIT(1)
#define NSC_REFRESH     BIT(4)
#define NSC_OUT2        BIT(5)
#define NSC_WRITABLE    0x0f
#define REFRESH_NS      15085       /* of one half-cycle: 18 clocks of the timer */

typedef struct PcspkState {
    ISADevice isa;
    MemRegion io;
    Object *pit;                    /* property */
    uint32_t iobase;
    uint8_t control;
} PcspkState;

DEFINE_CAST(PCSPK, PcspkState, TYPE_PCSPK)

static void pcspk_update_gate(PcspkState *s)
{
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

unsigned pcspk_tone_hz(Device *spk)
{
    PcspkState *s = PCSPK(spk);

    return s->control & NSC_SPEAKER ? i8254_tone_hz(DEVICE(s->pit), 2) : 0;
}

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
    memory_region_init_io(&s->io, s, &pcspk_ops, s, "pcspk", 1);
    isa_register_ioport(&s->isa, &s->io, (uint16_t)s->iobase);
    return true;
}

static void pcspk_unrealize(Device *dev)
{
    memory_region_cleanup(&PCSPK(dev)->io);
}

static const VmField pcspk_fields[] = { VM_U8(PcspkState, control), VM_END };

static const Property pcspk_props[] = {
    PROP_U32("iobase", PcspkState, iobase, 0x61, "port"),
    PROP_LINK("pit", PcspkState, pit, TYPE_I8254, "the timer"),
    PROP_END
};

static const DeviceType pcspk_type = {
    .name = TYPE_PCSPK, .parent = TYPE_ISA_DEVICE, .size = sizeof(PcspkState),
    .desc = "port 61h and PC speaker", .not_user_creatable = true,
    .category = DEVICE_SOUND,
    .props = pcspk_props, .realize = pcspk_realize,
    .unrealize = pcspk_unrealize, .reset_hold = pcspk_reset_hold,
    .vm = { 1, pcspk_fields },
};
DEVICE_TYPE(pcspk_type)
