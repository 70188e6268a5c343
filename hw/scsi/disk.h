/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State of scsi-hd and scsi-cd, shared by their files. */
#ifndef HW_SCSI_DISK_H
#define HW_SCSI_DISK_H

#include "hw/block/block-conf.h"
#include "hw/scsi/mmc.h"
#include "hw/scsi/scsi.h"

#define TYPE_SCSI_DISK  "scsi-disk"

typedef struct ScsiDisk {
    ScsiDevice scsi;
    BlockConf conf;
    MmcDrive mmc;               /* of a CD drive; a disk uses blk, tray and lock of it */
    char *serial, *vendor, *product, *version, *device_id;
    uint64_t wwn, port_wwn;
    uint16_t port_index, rotation_rate;
    uint64_t max_unmap_size, max_io_size;       /* bytes */
    int32_t scsi_version;       /* of INQUIRY; 0 to 7 */
    bool removable, dpofua;
    bool is_cd;
    bool write_cache;           /* WCE of the caching page */
    bool stopped;               /* START STOP UNIT */
} ScsiDisk;

static inline ScsiDisk *SCSI_DISK(const void *obj)
{
    return (ScsiDisk *)object_cast(obj, TYPE_SCSI_DISK);
}
uint64_t scsi_disk_blocks(const ScsiDisk *d);       /* 0: no medium */
bool scsi_disk_read_only(const ScsiDisk *d);

/* --- inquiry.c --- */
void scsi_disk_inquiry(ScsiDisk *d, ScsiRequest *r);
void scsi_disk_mode_sense(ScsiDisk *d, ScsiRequest *r);
/* The parameter list is in r->buf, r->step bytes. */
void scsi_disk_mode_select(ScsiDisk *d, ScsiRequest *r);

/* --- disk-io.c --- */
/* Operations that touch the medium: r->op. */
typedef enum ScsiOp { SCSI_OP_NONE, SCSI_OP_READ, SCSI_OP_WRITE, SCSI_OP_COMPARE, SCSI_OP_SAME,
                      SCSI_OP_UNMAP, SCSI_OP_FLUSH, SCSI_OP_PARAMETERS,
                      SCSI_OP__LAST = SCSI_OP_PARAMETERS } ScsiOp;
void scsi_disk_read_write(ScsiDisk *d, ScsiRequest *r, ScsiOp op);
void scsi_disk_verify(ScsiDisk *d, ScsiRequest *r);
void scsi_disk_write_same(ScsiDisk *d, ScsiRequest *r);
void scsi_disk_unmap(ScsiDisk *d, ScsiRequest *r);
void scsi_disk_flush(ScsiDisk *d, ScsiRequest *r);
/* A step of data was moved. */
void scsi_disk_io_more(ScsiDisk *d, ScsiRequest *r);

#endif
