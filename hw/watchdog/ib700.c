/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ib700: the watchdog of iBASE IB700 boards.
 *
 * Source: IB700 board manual, "Watchdog timer configuration", as Linux's drivers/watchdog/ib700wdt.c
 * quotes it: a write to 443h starts it with 30 - 2 * (value & 15) seconds, one to 441h stops it.
 */
#include "util/osdep.h"
#include "hw/core/runstate.h"
#include "hw/isa/isa.h"

#define PORT_STOP       0x441
#define PORT_START      0x443
#define NS_PER_S        INT64_C(1000000000)

typedef struct Ib700State {
    ISADevice isa;
    MemRegion stop_io, start_io;
    Timer timer;
} Ib700State;
DEFINE_CAST(IB700, Ib700State, "ib700")

static void expired(UNUSED void *opaque)
{
    system_watchdog_expired();
}

static MemResult port_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val,
                           UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = 0xff;
    return MEM_OK;
}

static MemResult stop_write(void *opaque, UNUSED hwaddr addr, UNUSED uint64_t val,
                            UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    timer_del(&((Ib700State *)opaque)->timer);
    return MEM_OK;
}

static MemResult start_write(void *opaque, UNUSED hwaddr addr, uint64_t val,
                             UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    int64_t seconds = 30 - 2 * (int64_t)(val & 15);

    timer_mod_ns(&((Ib700State *)opaque)->timer,
                 clock_get_ns(CLOCK_VIRTUAL) + seconds * NS_PER_S);
    return MEM_OK;
}

static const MemOps stop_ops = {
    .read = port_read, .write = stop_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { .min = 1, .max = 1 },
};
static const MemOps start_ops = {
    .read = port_read, .write = start_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { .min = 1, .max = 1 },
};

static void ib700_reset_hold(Device *dev)
{
    timer_del(&IB700(dev)->timer);
}

static bool ib700_realize(Device *dev, UNUSED Error **errp)
{
    Ib700State *s = IB700(dev);

    timer_init_ns(&s->timer, CLOCK_VIRTUAL, expired, s);
    memory_region_init_io(&s->stop_io, s, &stop_ops, s, "ib700-stop", 1);
    isa_register_ioport(&s->isa, &s->stop_io, PORT_STOP);
    memory_region_init_io(&s->start_io, s, &start_ops, s, "ib700-start", 1);
    isa_register_ioport(&s->isa, &s->start_io, PORT_START);
    return true;
}

static void ib700_unrealize(Device *dev)
{
    Ib700State *s = IB700(dev);

    timer_del(&s->timer);
    memory_region_cleanup(&s->stop_io);
    memory_region_cleanup(&s->start_io);
}

static const VmField ib700_fields[] = { VM_TIMER(Ib700State, timer), VM_END };

static const DeviceType ib700_type = {
    .name = "ib700", .parent = TYPE_ISA_DEVICE, .size = sizeof(Ib700State),
    .desc = "iBASE 700 watchdog", .category = DEVICE_WATCHDOG, .realize = ib700_realize,
    .unrealize = ib700_unrealize, .reset_hold = ib700_reset_hold, .vm = { 1, ib700_fields },
};
DEVICE_TYPE(ib700_type)
