/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What drives of CDs and DVDs answer, whichever cable they hang on: the commands of MMC-6 that
 * need no data of the disc. A disc is one data track in one session. Big lock.
 */
#ifndef HW_SCSI_MMC_H
#define HW_SCSI_MMC_H

#include "block/block.h"
#include "vmstate/vmstate.h"

#define CD_SECTOR       2048
#define MMC_REPLY_MAX   2052            /* bytes */
/* Instead of a reply's length. */
enum { MMC_INVALID_FIELD = -1, MMC_NO_MEDIUM = -2 };

typedef struct MmcDrive {
    BlockBackend *blk;
    bool tray_open, tray_locked;
    bool event_new_media, event_eject;  /* not yet asked for */
    bool media_changed;                 /* a unit attention waits */
} MmcDrive;

uint32_t mmc_sectors(const MmcDrive *d);        /* of 2048 bytes; 0: no disc, or the tray is open */

/* Replies: into @b, MMC_REPLY_MAX bytes of zeros; their length before the cut to what the CDB
 * allocates, or one of the above. */
int mmc_read_toc(const MmcDrive *d, const uint8_t *cdb, uint8_t *b);
int mmc_get_configuration(const MmcDrive *d, const uint8_t *cdb, uint8_t *b);
int mmc_event_status(MmcDrive *d, const uint8_t *cdb, uint8_t *b);
int mmc_disc_information(const MmcDrive *d, const uint8_t *cdb, uint8_t *b);
int mmc_track_information(const MmcDrive *d, const uint8_t *cdb, uint8_t *b);
int mmc_mechanism_status(const MmcDrive *d, const uint8_t *cdb, uint8_t *b);
int mmc_disc_structure(const MmcDrive *d, const uint8_t *cdb, uint8_t *b);
/* Mode page @page (0x01, 0x0e, 0x2a) at @b; its length, or MMC_INVALID_FIELD. */
int mmc_mode_page(const MmcDrive *d, uint8_t page, uint8_t *b);
uint8_t mmc_medium_type(const MmcDrive *d);     /* for the mode parameter header */
/* START STOP UNIT; false: the tray is locked. */
bool mmc_start_stop(MmcDrive *d, uint8_t flags);
/* The commands that fail without a disc. */
bool mmc_needs_medium(uint8_t opcode);

/* For the back end's BlockDeviceOps. */
void mmc_media_changed(MmcDrive *d, bool loaded);
void mmc_eject_request(MmcDrive *d, bool force);
void mmc_set_tray(MmcDrive *d, bool open);

extern const VmState mmc_vm;

#endif
