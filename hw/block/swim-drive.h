/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Sony drive on SWIM's cable: its sense lines and commands, and the medium, which lies in memory as long as it is in. A part
 * of the controller; the FloppyDrive on its bus holds the image and the head's place. Big lock.
 */
#ifndef HW_BLOCK_SWIM_DRIVE_H
#define HW_BLOCK_SWIM_DRIVE_H

#include "hw/block/floppy.h"
#include "hw/block/swim-track.h"
#include "vmstate/vmstate.h"

#define SWIM_BLOCKS_MAX 2880

enum { SWIM_NOT_READ, SWIM_READ, SWIM_UNREADABLE };

typedef struct SwimDrive {
    FloppyDrive *floppy;        /* lent; NULL: none is connected */
    bool motor, mfm, outward, switched;
    /* The medium. */
    SwimMedium medium;
    uint8_t *image;             /* owned; of SWIM_BLOCKS_MAX blocks; NULL before it is needed */
    uint8_t state;              /* SWIM_NOT_READ ... */
    bool reading, stale;        /* a request runs; for a medium that is gone */
    bool writing;               /* a block is on its way to the image */
    uint32_t dirty[SWIM_BLOCKS_MAX / 32];       /* blocks that the image hasn't got */
    unsigned block;             /* that is written */
    struct iovec iov;
} SwimDrive;

extern const VmState swim_drive_vm;

/* The medium may be another one. */
void swim_drive_changed(SwimDrive *d);
void swim_drive_reset(SwimDrive *d);
void swim_drive_cleanup(SwimDrive *d);
/* What the drive says on its line SENSE, for an address: CA0, CA1, CA2, SEL from bit 0. */
bool swim_drive_sense(SwimDrive *d, unsigned address);
/* LSTRB with that address. */
void swim_drive_command(SwimDrive *d, unsigned address);
/* The track under the head: false as long as nothing can be read. */
bool swim_drive_get_track(SwimDrive *d, unsigned head, SwimTrack *t);
/* Takes the sectors of it that are whole. */
void swim_drive_put_track(SwimDrive *d, unsigned head, const SwimTrack *t);
/* Until the image has all blocks that were written. */
void swim_drive_drain(SwimDrive *d);

#endif
