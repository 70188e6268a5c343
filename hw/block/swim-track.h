/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a 3.5-inch disk of a Macintosh has on a track, as the bytes that a controller sees go by: made from sectors, and sectors
 * found in it. MFM as on every PC (1440 and 720 Kbytes), and Apple's GCR, with more sectors on the outer tracks (800, 400 Kbytes).
 *
 * Sources: ISO 9293 and ECMA-100, 125 (MFM track layout); Apple TIL TA45016 "800K disk specifications" ("TIL"). No state,
 * no lock.
 */
#ifndef HW_BLOCK_SWIM_TRACK_H
#define HW_BLOCK_SWIM_TRACK_H

#include "util/osdep.h"

#define SWIM_SECTOR     512
#define SWIM_TRACKS     80
#define SWIM_TRACK_MAX  12500       /* bytes: 500 kb/s for a turn at 300 rpm */
#define SWIM_SECTORS_MAX 18
#define SWIM_MARK       0x100       /* a byte of MFM with a clock bit missing */

typedef enum SwimMedium { SWIM_NONE, SWIM_MFM_1440, SWIM_MFM_720, SWIM_GCR_800, SWIM_GCR_400 } SwimMedium;

typedef struct SwimTrack {
    uint16_t cell[SWIM_TRACK_MAX];  /* a byte, SWIM_MARK */
    uint16_t len;                   /* of the turn, bytes */
} SwimTrack;

/* What an image of that size is; SWIM_NONE: nothing that these drives have. */
SwimMedium swim_medium(uint64_t bytes);
static inline bool swim_is_gcr(SwimMedium m) { return m >= SWIM_GCR_800; }
unsigned swim_heads(SwimMedium m);
unsigned swim_sectors(SwimMedium m, unsigned track);
/* Number of the first block of a track of one side. @track below SWIM_TRACKS, @head below swim_heads(). */
uint32_t swim_first_block(SwimMedium m, unsigned track, unsigned head);

/* @data: the track's sectors, one after the other. */
void swim_track_make(SwimTrack *t, SwimMedium m, unsigned track, unsigned head, const uint8_t *data);
/* Replaces those of @data that the track has whole, with right checksums; bit n of the result: sector n was found. */
uint32_t swim_track_parse(const SwimTrack *t, SwimMedium m, unsigned track, unsigned head, uint8_t *data);
/* CRC of MFM fields (ECMA-125 13.1): start with FFFF. */
uint16_t swim_crc(uint16_t crc, uint8_t byte);

#endif
