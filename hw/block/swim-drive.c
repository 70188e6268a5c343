/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sony drives of a Macintosh (swim-drive.h).
 *
 * Sources: addresses and polarities of the sense lines as Linux's and NetBSD's drivers have them (swim.c, iwm_fd.c), tachometer
 * and speeds: Apple's specification of the 800K drive.
 * Not modelled: times of the head and of the motor.
 */
#include "util/osdep.h"
#include "hw/block/swim-drive.h"

#include <glib.h>
#include "util/log.h"
#include "util/timer.h"

/* Addresses, and commands at LSTRB; CA2 is a command's value. */
enum { S_DIRECTION = 0, S_STEPPING = 1, S_MOTOR = 2, S_SWITCHED = 3, S_SUPERDRIVE = 5, S_TWO_SIDES = 6, S_CONNECTED = 7,
       S_DISK_IN = 8, S_WRITABLE = 9, S_TRACK_0 = 10, S_TACHO = 11, S_MFM = 13, S_READY = 14, S_LOW_DENSITY = 15 };
enum { C_INWARD = 0, C_STEP = 1, C_MOTOR_ON = 2, C_OUTWARD = 4, C_MOTOR_OFF = 6, C_EJECT = 7, C_MFM = 9, C_SEEN = 11, C_GCR = 13 };

static bool is_dirty(const SwimDrive *d, unsigned block)
{
    return d->dirty[block / 32] >> block % 32 & 1;
}

/* ------------------------------------------------------------------- the medium */

static BlockBackend *backend(const SwimDrive *d)
{
    return d->floppy ? d->floppy->conf.blk : NULL;
}

void swim_drive_changed(SwimDrive *d)
{
    BlockBackend *blk = backend(d);

    d->medium = blk && blk_has_medium(blk) ? swim_medium(blk_length(blk)) : SWIM_NONE;
    d->state = SWIM_NOT_READ;
    d->stale = d->reading;
    memset(d->dirty, 0, sizeof(d->dirty));
}

static void image_read(void *opaque, int result)
{
    SwimDrive *d = opaque;

    /* If another medium came meanwhile, it is read when it is wanted. */
    if (!d->stale) {
        d->state = result < 0 ? SWIM_UNREADABLE : SWIM_READ;
    }
    d->reading = d->stale = false;
}

static bool image_there(SwimDrive *d)
{
    if (d->state == SWIM_NOT_READ && !d->reading && d->medium != SWIM_NONE) {
        if (!d->image) {
            d->image = g_malloc0(SWIM_BLOCKS_MAX * SWIM_SECTOR);
        }
        d->reading = true;
        d->iov = (struct iovec){ d->image, blk_length(backend(d)) };
        blk_aio_rw(backend(d), false, 0, &d->iov, 1, image_read, d);
    }
    return d->state == SWIM_READ && d->medium != SWIM_NONE;
}

static void write_next(SwimDrive *d);

static void block_written(void *opaque, int result)
{
    SwimDrive *d = opaque;

    d->writing = false;
    if (result < 0) {
        log_printf(LOG_GUEST_ERROR, "swim: block %u of the disk can't be written\n", d->block);
    }
    write_next(d);
}

static void write_next(SwimDrive *d)
{
    for (unsigned n = 0; n < SWIM_BLOCKS_MAX && !d->writing && d->state == SWIM_READ; n++) {
        if (is_dirty(d, n)) {
            d->dirty[n / 32] &= ~(1u << n % 32);
            d->writing = true;
            d->block = n;
            d->iov = (struct iovec){ d->image + n * SWIM_SECTOR, SWIM_SECTOR };
            blk_aio_rw(backend(d), true, (uint64_t)n * SWIM_SECTOR, &d->iov, 1, block_written, d);
        }
    }
}

void swim_drive_drain(SwimDrive *d)
{
    if (backend(d) && (d->writing || d->reading)) {
        blk_drain(backend(d));
    }
}

bool swim_drive_get_track(SwimDrive *d, unsigned head, SwimTrack *t)
{
    unsigned track = d->floppy ? d->floppy->track : 0;

    if (!d->motor || !image_there(d) || track >= SWIM_TRACKS || head >= swim_heads(d->medium)) {
        return false;
    }
    swim_track_make(t, d->medium, track, head, d->image + swim_first_block(d->medium, track, head) * SWIM_SECTOR);
    return true;
}

void swim_drive_put_track(SwimDrive *d, unsigned head, const SwimTrack *t)
{
    unsigned track = d->floppy ? d->floppy->track : 0, n;
    uint8_t data[SWIM_SECTORS_MAX * SWIM_SECTOR];
    uint32_t found, first;

    if (!image_there(d) || d->floppy->read_only || track >= SWIM_TRACKS || head >= swim_heads(d->medium)) {
        return;
    }
    n = swim_sectors(d->medium, track);
    first = swim_first_block(d->medium, track, head);
    found = swim_track_parse(t, d->medium, track, head, data);
    for (unsigned s = 0; s < n; s++) {
        uint8_t *old = d->image + (first + s) * SWIM_SECTOR;

        if ((found >> s & 1) && memcmp(old, data + s * SWIM_SECTOR, SWIM_SECTOR)) {
            memcpy(old, data + s * SWIM_SECTOR, SWIM_SECTOR);
            d->dirty[(first + s) / 32] |= 1u << (first + s) % 32;
        }
    }
    write_next(d);
}

/* ------------------------------------------------------------------------ lines */

/* 60 pulses a turn; GCR turns slower on the outer tracks. */
static bool tacho(const SwimDrive *d)
{
    static const uint16_t rpm[] = { 394, 429, 472, 525, 590 };
    unsigned r = d->mfm ? 300 : rpm[MIN(d->floppy->track / 16u, 4u)];

    return d->motor && clock_get_ns(CLOCK_VIRTUAL) / (NS_PER_SECOND / (r * 2)) & 1;
}

bool swim_drive_sense(SwimDrive *d, unsigned address)
{
    if (!d->floppy) {
        return true;
    }
    switch (address) {
    case S_DIRECTION: return d->outward;
    case S_STEPPING: return true;       /* it is there already */
    case S_MOTOR: return !d->motor;
    case S_SWITCHED: return !d->switched;
    case S_SUPERDRIVE: case S_TWO_SIDES: return true;
    case S_CONNECTED: return false;
    case S_DISK_IN: return d->medium == SWIM_NONE;
    case S_WRITABLE: return !d->floppy->read_only;
    case S_TRACK_0: return d->floppy->track != 0;
    case S_TACHO: return tacho(d);
    case S_MFM: return d->mfm;
    case S_READY: return !d->motor || d->medium == SWIM_NONE;
    case S_LOW_DENSITY: return d->medium != SWIM_MFM_1440;
    default: return true;
    }
}

void swim_drive_command(SwimDrive *d, unsigned address)
{
    if (!d->floppy) {
        return;
    }
    switch (address) {
    case C_INWARD: d->outward = false; break;
    case C_OUTWARD: d->outward = true; break;
    case C_STEP:
        if (d->outward ? d->floppy->track > 0 : d->floppy->track < SWIM_TRACKS - 1) {
            floppy_seek(d->floppy, (uint8_t)(d->floppy->track + (d->outward ? -1 : 1)));
        }
        break;
    case C_MOTOR_ON: d->motor = true; break;
    case C_MOTOR_OFF: d->motor = false; break;
    case C_MFM: d->mfm = true; break;
    case C_GCR: d->mfm = false; break;
    case C_SEEN: d->switched = false; break;
    case C_EJECT:
        if (d->medium != SWIM_NONE) {
            swim_drive_drain(d);
            d->switched = true;
            blk_eject(backend(d));      /* comes back as swim_drive_changed() */
        }
        break;
    default: break;
    }
}

void swim_drive_reset(SwimDrive *d)
{
    d->motor = d->mfm = d->outward = d->switched = false;
}

void swim_drive_cleanup(SwimDrive *d)
{
    swim_drive_drain(d);
    g_free(d->image);
    d->image = NULL;
}

static bool drive_post_load(void *opaque, UNUSED Error **errp)
{
    swim_drive_changed(opaque);         /* what the image is now */
    return true;
}

static const VmField drive_fields[] = {
    VM_BOOL(SwimDrive, motor), VM_BOOL(SwimDrive, mfm), VM_BOOL(SwimDrive, outward), VM_BOOL(SwimDrive, switched), VM_END
};
static const VmMeaning drive_meanings[] = {
    { "mfm", "MFM, not GCR" }, { "outward", "the next step leads towards track 0" },
    { "switched", "the medium was taken out" }, { .name = NULL }
};
const VmState swim_drive_vm = { 1, drive_fields, .name = "drive", .post_load = drive_post_load, .meanings = drive_meanings };
