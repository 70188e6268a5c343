/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The coprocessor's error in a PC: FERR# of the processor becomes IRQ13; a write to port F0h ends
 * the interrupt and asserts IGNNE#, until the processor has no error any more.
 *
 * Source: 82371SB data sheet, 290550, 2.5.9 (coprocessor error register) and 4.7 (FERR#, IGNNE#).
 */
#include "util/osdep.h"

#include "hw/isa/isa.h"

#define TYPE_COPROCESSOR_ERROR  "coprocessor-error"

typedef struct CoprocessorError {
    ISADevice isa;
    MemRegion io;
    IrqLine *irq, *ignne;
    bool ferr, raised, ignored;         /* levels of FERR#, the interrupt, IGNNE# (asserted: true) */
} CoprocessorError;

DEFINE_CAST(COPROCESSOR_ERROR, CoprocessorError, TYPE_COPROCESSOR_ERROR)

static void drive(CoprocessorError *s)
{
    irq_set(s->irq, s->raised);
    irq_set(s->ignne, s->ignored);
}

static void ferr_in(void *opaque, UNUSED int n, int level)
{
    CoprocessorError *s = opaque;

    if (level && !s->ferr) {
        s->raised = !s->ignored;
    } else if (!level) {
        s->raised = s->ignored = false;
    }
    s->ferr = level;
    drive(s);
}

static MemResult coprocessor_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val,
                                  UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = 0xff;                        /* write-only */
    return MEM_OK;
}

static MemResult coprocessor_write(void *opaque, UNUSED hwaddr addr, UNUSED uint64_t val,
                                   UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    CoprocessorError *s = opaque;

    if (s->ferr) {
        s->raised = false;
        s->ignored = true;
        drive(s);
    }
    return MEM_OK;
}

static const MemOps coprocessor_ops = {
    .read = coprocessor_read, .write = coprocessor_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static void coprocessor_reset_hold(Device *dev)
{
    CoprocessorError *s = COPROCESSOR_ERROR(dev);

    s->ferr = s->raised = s->ignored = false;
    drive(s);
}

static void coprocessor_init(Device *dev)
{
    CoprocessorError *s = COPROCESSOR_ERROR(dev);

    device_init_irq_in_opaque(dev, "ferr", ferr_in, s, 1);
    device_init_irq_out(dev, "irq", &s->irq, 1);
    device_init_irq_out(dev, "ignne", &s->ignne, 1);
}

static bool coprocessor_realize(Device *dev, UNUSED Error **errp)
{
    CoprocessorError *s = COPROCESSOR_ERROR(dev);

    memory_region_init_io(&s->io, s, &coprocessor_ops, s, TYPE_COPROCESSOR_ERROR, 1);
    isa_register_ioport(&s->isa, &s->io, 0xf0);
    return true;
}

static void coprocessor_unrealize(Device *dev)
{
    memory_region_cleanup(&COPROCESSOR_ERROR(dev)->io);
}

static bool coprocessor_post_load(void *opaque, Error **errp)
{
    CoprocessorError *s = opaque;

    if ((s->raised || s->ignored) && !s->ferr) {
        error_setf(errp, ERR_STATE_INVALID, "a coprocessor's interrupt without its error");
        return false;
    }
    drive(s);
    return true;
}

static const VmField coprocessor_fields[] = {
    VM_BOOL(CoprocessorError, ferr), VM_BOOL(CoprocessorError, raised),
    VM_BOOL(CoprocessorError, ignored), VM_END
};

static const DeviceType coprocessor_type = {
    .name = TYPE_COPROCESSOR_ERROR, .parent = TYPE_ISA_DEVICE, .size = sizeof(CoprocessorError),
    .desc = "coprocessor error, port F0h and IRQ13", .not_user_creatable = true,
    .init = coprocessor_init, .realize = coprocessor_realize, .unrealize = coprocessor_unrealize,
    .reset_hold = coprocessor_reset_hold,
    .vm = { 1, coprocessor_fields, .post_load = coprocessor_post_load },
};
DEVICE_TYPE(coprocessor_type)
