/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ISA bus: port and memory space, 16 interrupt inputs, 8 DMA channels.
 *
 * A device is a DeviceType derived from TYPE_ISA_DEVICE. Its ports stay as
 * long as it is realized.
 */
#ifndef HW_ISA_ISA_H
#define HW_ISA_ISA_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_ISA_DEVICE "isa-device"
#define TYPE_ISA_BUS    "ISA"
#define ISA_NUM_IRQS    16
#define ISA_NUM_DMA     8
#define ISA_MAX_PORTS   8       /* regions a device */

typedef struct ISADevice ISADevice;
typedef struct ISABus ISABus;
typedef struct IsaDma IsaDma;

/* Called by the DMA controller when @channel is unmasked and requested: move
 * data with isa_dma_read/write_memory() from position @pos of @size bytes;
 * returns the new position. Position @size is terminal count. */
typedef int (*IsaDmaTransfer)(void *opaque, int channel, int pos, int size);

/* What a DMA controller (8237) offers; registered with isa_bus_set_dma(). */
typedef struct IsaDmaOps {
    bool (*is_auto_init)(IsaDma *dma, int channel);
    /* Memory, as the device sees it: read is memory to device. */
    int (*read_memory)(IsaDma *dma, int channel, void *buf, int pos, int len);
    int (*write_memory)(IsaDma *dma, int channel, const void *buf, int pos,
                        int len);
    void (*hold_dreq)(IsaDma *dma, int channel);
    void (*release_dreq)(IsaDma *dma, int channel);
    void (*schedule)(IsaDma *dma);
    void (*register_channel)(IsaDma *dma, int channel, IsaDmaTransfer fn,
                             void *opaque);
} IsaDmaOps;
/* Embedded in the controller; container_of() leads back. */
struct IsaDma { const IsaDmaOps *ops; };

struct ISABus {
    Bus bus;
    MemRegion *mem, *io;
    IrqLine *irqs[ISA_NUM_IRQS];
    IsaDma *dma[2];             /* channels 0-3, 4-7 */
};
static inline ISABus *ISA_BUS(const void *obj)
{
    return (ISABus *)object_cast(obj, TYPE_ISA_BUS);
}

struct ISADevice {
    Device dev;
    struct { MemRegion *mr; uint16_t start; } ports[ISA_MAX_PORTS];
    int num_ports;
};
static inline ISADevice *ISA_DEVICE(const void *obj)
{
    return (ISADevice *)object_cast(obj, TYPE_ISA_DEVICE);
}
static inline ISABus *isa_bus(const ISADevice *isa)
{
    return (ISABus *)isa->dev.bus;
}

/* The bus of a bridge; name NULL: "isa.0". */
ISABus *isa_bus_new(Device *bridge, const char *name, MemRegion *mem,
                    MemRegion *io);
/* ISA_NUM_IRQS lines, copied. */
void isa_bus_set_irqs(ISABus *bus, IrqLine *const *lines);
/* @high: channels 4 to 7. */
void isa_bus_set_dma(ISABus *bus, IsaDma *dma, bool high);

/* From realize: map @mr at port @start until unrealize. */
void isa_register_ioport(ISADevice *isa, MemRegion *mr, uint16_t start);
/* Line @n (0 to 15); NULL if the bus has none there. */
IrqLine *isa_get_irq(ISADevice *isa, unsigned n);
IrqLine *isa_bus_get_irq(ISABus *bus, unsigned n);
MemRegion *isa_mem(ISADevice *isa);
MemRegion *isa_io(ISADevice *isa);
IsaDma *isa_get_dma(ISABus *bus, int channel);  /* NULL if none */

/* Boards: make and realize; borrowed, NULL with errp set. */
ISADevice *isa_create(ISABus *bus, const char *type, Error **errp);

#endif
