/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends the emulator with a status that the guest chooses: a write of N to the
 * port is an exit status of 2N + 1. For test kernels.
 */
#include "util/osdep.h"

#include "hw/core/runstate.h"
#include "hw/isa/isa.h"

#define TYPE_DEBUG_EXIT "isa-debug-exit"

typedef struct DebugExit {
    ISADevice isa;
    MemRegion io;
    uint32_t iobase, iosize;
} DebugExit;

DEFINE_CAST(DEBUG_EXIT, DebugExit, TYPE_DEBUG_EXIT)

static MemResult debug_exit_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val,
                                 UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = 0;
    return MEM_OK;
}

static MemResult debug_exit_write(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t val,
                                  UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
                                      (int)((val << 1 | 1) & 0xff));
    return MEM_OK;
}

static const MemOps debug_exit_ops = {
    .read = debug_exit_read, .write = debug_exit_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 4 },
};

static bool debug_exit_realize(Device *dev, Error **errp)
{
    DebugExit *s = DEBUG_EXIT(dev);

    if (!s->iosize || s->iosize > 0x100 || s->iobase > 0x10000 - s->iosize) {
        error_setf(errp, ERR_PROPERTY_RANGE, "ports 0x%" PRIx32 " (%" PRIu32
                   " of them) are not in 0 to 0xffff", s->iobase, s->iosize);
        return false;
    }
    memory_region_init_io(&s->io, s, &debug_exit_ops, s, TYPE_DEBUG_EXIT, s->iosize);
    isa_register_ioport(&s->isa, &s->io, (uint16_t)s->iobase);
    return true;
}

static void debug_exit_unrealize(Device *dev)
{
    memory_region_cleanup(&DEBUG_EXIT(dev)->io);
}

static const Property debug_exit_props[] = {
    PROP_U32("iobase", DebugExit, iobase, 0x501, "first port"),
    PROP_U32("iosize", DebugExit, iosize, 2, "number of ports"),
    PROP_END
};

static const DeviceType debug_exit_type = {
    .name = TYPE_DEBUG_EXIT, .parent = TYPE_ISA_DEVICE, .size = sizeof(DebugExit),
    .desc = "ends the emulator with a status", .category = DEVICE_MISC,
    .props = debug_exit_props, .realize = debug_exit_realize,
    .unrealize = debug_exit_unrealize,
};
DEVICE_TYPE(debug_exit_type)
