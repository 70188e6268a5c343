/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floppy drives on a controller's bus. A drive knows its medium's geometry, which follows from the
 * image's size, where its head is, and whether the medium was changed. Big lock.
 */
#ifndef HW_BLOCK_FLOPPY_H
#define HW_BLOCK_FLOPPY_H

#include "hw/block/block-conf.h"
#include "hw/core/device.h"

#define TYPE_FLOPPY_BUS     "floppy-bus"
#define TYPE_FLOPPY         "floppy"
#define FLOPPY_SECTOR       512
#define FLOPPY_TRACK_MAX    85          /* where the stop is */

typedef enum FloppyDriveType { FLOPPY_144, FLOPPY_288, FLOPPY_120, FLOPPY_NONE, FLOPPY_AUTO }
    FloppyDriveType;

/* A medium's format. Rates as DSR and CCR have them: 500, 300, 250, 1000 kb/s. */
typedef struct FloppyFormat {
    uint8_t sectors, tracks, heads, rate;
    uint8_t drive;              /* type of drive that writes it: FloppyDriveType */
} FloppyFormat;

typedef struct FloppyBus {
    Bus bus;
    /* A medium came or went. */
    void (*changed)(struct FloppyBus *bus, unsigned unit);
    void *opaque;
    int fallback;               /* type of drives that nothing tells of */
} FloppyBus;
static inline FloppyBus *FLOPPY_BUS(const void *obj)
{
    return (FloppyBus *)object_cast(obj, TYPE_FLOPPY_BUS);
}

typedef struct FloppyDrive {
    Device dev;
    BlockConf conf;
    uint32_t unit;              /* property; UINT32_MAX: the first free one */
    int type;                   /* property; never AUTO once it is realized */
    const FloppyFormat *format; /* NULL: no medium */
    uint8_t track;              /* where the head is */
    bool changed;               /* DSKCHG: until the head is moved with a medium in */
    bool read_only;
} FloppyDrive;
DEFINE_CAST(FLOPPY, FloppyDrive, TYPE_FLOPPY)

/* The bus of a controller; drives have units 0 and 1. */
FloppyBus *floppy_bus_new(Device *controller);
FloppyDrive *floppy_drive(FloppyBus *bus, unsigned unit);       /* NULL */
/* Move the head; clears DSKCHG if there is a medium. */
void floppy_seek(FloppyDrive *d, uint8_t track);
/* Byte offset of a sector (from 1) of the medium that is in, -1: it hasn't got that one. */
int64_t floppy_offset(const FloppyDrive *d, unsigned track, unsigned head, unsigned sector);
/* Type as CMOS byte 10h has it: 0 none, 2 1.2M, 4 1.44M, 5 2.88M. */
unsigned floppy_cmos_type(const FloppyDrive *d);

#endif
