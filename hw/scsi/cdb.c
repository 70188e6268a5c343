/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command descriptor block says by itself. */
#include "util/osdep.h"
#include "hw/scsi/scsi.h"
#include "util/bswap.h"

unsigned scsi_cdb_length(uint8_t opcode)
{
    static const uint8_t by_group[8] = { 6, 10, 10, 16, 16, 12, 6, 6 };

    return by_group[opcode >> 5];
}

uint64_t scsi_cdb_lba(const uint8_t *cdb)
{
    switch (scsi_cdb_length(cdb[0])) {
    case 6: return load_be32(cdb) & 0x1fffff;
    case 16: return load_be64(cdb + 2);
    default: return load_be32(cdb + 2);
    }
}

uint64_t scsi_cdb_count(const uint8_t *cdb)
{
    switch (scsi_cdb_length(cdb[0])) {
    case 6: return cdb[4];
    case 10: return load_be16(cdb + 7);
    case 12: return load_be32(cdb + 6);
    default: return load_be32(cdb + 10);
    }
}

/* How a row's length comes about. */
typedef enum LengthRule {
    LEN_NONE, LEN_FIELD,        /* bytes, in the field that its group has */
    LEN_BLOCKS, LEN_BLOCKS_0_256,
    LEN_BE16_3, LEN_BE32_6,     /* bytes, at another place */
    LEN_BE24_6, LEN_BE16_8, LEN_FIXED_8, LEN_ONE_BLOCK, LEN_VERIFY, LEN_SERVICE_IN
} LengthRule;

typedef struct CdbRow {
    uint8_t opcode;
    uint8_t rule;
    uint8_t dir;
} CdbRow;

/* Commands that move data (SPC-4 annex E, SBC-3, MMC-6); all others don't. */
static const CdbRow rows[] = {
    { 0x03, LEN_FIELD, SCSI_FROM_DEVICE },              /* REQUEST SENSE */
    { 0x04, LEN_NONE, SCSI_NO_DATA },                   /* FORMAT UNIT without a list */
    { 0x08, LEN_BLOCKS_0_256, SCSI_FROM_DEVICE },       /* READ(6) */
    { 0x0a, LEN_BLOCKS_0_256, SCSI_TO_DEVICE },         /* WRITE(6) */
    { 0x12, LEN_BE16_3, SCSI_FROM_DEVICE },             /* INQUIRY */
    { 0x15, LEN_FIELD, SCSI_TO_DEVICE },                /* MODE SELECT(6) */
    { 0x1a, LEN_FIELD, SCSI_FROM_DEVICE },              /* MODE SENSE(6) */
    { 0x1c, LEN_BE16_3, SCSI_FROM_DEVICE },             /* RECEIVE DIAGNOSTIC RESULTS */
    { 0x1d, LEN_BE16_3, SCSI_TO_DEVICE },               /* SEND DIAGNOSTIC */
    { 0x23, LEN_FIELD, SCSI_FROM_DEVICE },              /* READ FORMAT CAPACITIES */
    { 0x25, LEN_FIXED_8, SCSI_FROM_DEVICE },            /* READ CAPACITY(10) */
    { 0x28, LEN_BLOCKS, SCSI_FROM_DEVICE },             /* READ(10) */
    { 0x2a, LEN_BLOCKS, SCSI_TO_DEVICE },               /* WRITE(10) */
    { 0x2e, LEN_BLOCKS, SCSI_TO_DEVICE },               /* WRITE AND VERIFY(10) */
    { 0x2f, LEN_VERIFY, SCSI_TO_DEVICE },               /* VERIFY(10) */
    { 0x37, LEN_FIELD, SCSI_FROM_DEVICE },              /* READ DEFECT DATA(10) */
    { 0x3b, LEN_BE24_6, SCSI_TO_DEVICE },               /* WRITE BUFFER */
    { 0x3c, LEN_BE24_6, SCSI_FROM_DEVICE },             /* READ BUFFER */
    { 0x41, LEN_ONE_BLOCK, SCSI_TO_DEVICE },            /* WRITE SAME(10) */
    { 0x42, LEN_FIELD, SCSI_TO_DEVICE },                /* UNMAP; READ SUB-CHANNEL of a CD */
    { 0x43, LEN_FIELD, SCSI_FROM_DEVICE },              /* READ TOC/PMA/ATIP */
    { 0x46, LEN_FIELD, SCSI_FROM_DEVICE },              /* GET CONFIGURATION */
    { 0x4a, LEN_FIELD, SCSI_FROM_DEVICE },              /* GET EVENT STATUS NOTIFICATION */
    { 0x4d, LEN_FIELD, SCSI_FROM_DEVICE },              /* LOG SENSE */
    { 0x51, LEN_FIELD, SCSI_FROM_DEVICE },              /* READ DISC INFORMATION */
    { 0x52, LEN_FIELD, SCSI_FROM_DEVICE },              /* READ TRACK INFORMATION */
    { 0x55, LEN_FIELD, SCSI_TO_DEVICE },                /* MODE SELECT(10) */
    { 0x5a, LEN_FIELD, SCSI_FROM_DEVICE },              /* MODE SENSE(10) */
    { 0x5e, LEN_FIELD, SCSI_FROM_DEVICE },              /* PERSISTENT RESERVE IN */
    { 0x88, LEN_BLOCKS, SCSI_FROM_DEVICE },             /* READ(16) */
    { 0x8a, LEN_BLOCKS, SCSI_TO_DEVICE },               /* WRITE(16) */
    { 0x8e, LEN_BLOCKS, SCSI_TO_DEVICE },               /* WRITE AND VERIFY(16) */
    { 0x8f, LEN_VERIFY, SCSI_TO_DEVICE },               /* VERIFY(16) */
    { 0x93, LEN_ONE_BLOCK, SCSI_TO_DEVICE },            /* WRITE SAME(16) */
    { 0x9e, LEN_SERVICE_IN, SCSI_FROM_DEVICE },         /* SERVICE ACTION IN(16) */
    { 0xa0, LEN_BE32_6, SCSI_FROM_DEVICE },             /* REPORT LUNS */
    { 0xa3, LEN_BE32_6, SCSI_FROM_DEVICE },             /* MAINTENANCE IN */
    { 0xa8, LEN_BLOCKS, SCSI_FROM_DEVICE },             /* READ(12) */
    { 0xaa, LEN_BLOCKS, SCSI_TO_DEVICE },               /* WRITE(12) */
    { 0xad, LEN_BE16_8, SCSI_FROM_DEVICE },             /* READ DISC STRUCTURE */
    { 0xae, LEN_BLOCKS, SCSI_TO_DEVICE },               /* WRITE AND VERIFY(12) */
    { 0xaf, LEN_VERIFY, SCSI_TO_DEVICE },               /* VERIFY(12) */
    { 0xbd, LEN_BE16_8, SCSI_FROM_DEVICE },             /* MECHANISM STATUS */
};

static uint64_t length_of(const uint8_t *cdb, LengthRule rule, uint32_t block)
{
    switch (rule) {
    case LEN_NONE: return 0;
    case LEN_FIELD: return scsi_cdb_count(cdb);
    case LEN_BLOCKS: return scsi_cdb_count(cdb) * block;
    case LEN_BLOCKS_0_256: return (cdb[4] ? cdb[4] : 256) * (uint64_t)block;
    case LEN_BE16_3: return load_be16(cdb + 3);
    case LEN_BE32_6: return load_be32(cdb + 6);
    case LEN_BE24_6: return load_be32(cdb + 5) & 0xffffff;
    case LEN_BE16_8: return load_be16(cdb + 8);
    case LEN_FIXED_8: return 8;
    case LEN_ONE_BLOCK: return cdb[0] == 0x93 && (cdb[1] & 1) ? 0 : block;      /* NDOB */
    case LEN_VERIFY: return cdb[1] & 2 ? scsi_cdb_count(cdb) * block : 0;       /* BYTCHK */
    case LEN_SERVICE_IN: return load_be32(cdb + 10);
    }
    return 0;
}

void scsi_cdb_parse(ScsiRequest *r, uint8_t type, uint32_t block)
{
    r->dir = SCSI_NO_DATA;
    r->xfer = 0;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].opcode == r->cdb[0]) {
            r->dir = rows[i].dir;
            r->xfer = length_of(r->cdb, rows[i].rule, block);
            break;
        }
    }
    if (type == 5) {
        if (r->cdb[0] == 0x42) {                        /* READ SUB-CHANNEL */
            r->dir = SCSI_FROM_DEVICE;
        } else if (r->cdb[0] == 0xbe) {                 /* READ CD: user data */
            r->dir = SCSI_FROM_DEVICE;
            r->xfer = (uint64_t)(load_be32(r->cdb + 5) & 0xffffff) *
                      ((r->cdb[9] & 0xf8) == 0x10 ? 2048 : (r->cdb[9] & 0xf8) ? 2352 : 0);
        }
    }
    if (!r->xfer) {
        r->dir = SCSI_NO_DATA;
    }
}

int scsi_lun_decode(const uint8_t *p)
{
    /* Single level: peripheral device (00b) and flat space (01b) addressing, SAM-5 4.7.7. */
    if (p[2] | p[3] | p[4] | p[5] | p[6] | p[7]) {
        return -1;
    }
    if (p[0] == 0) {
        return p[1];
    }
    return p[0] >> 6 == 1 ? (p[0] & 0x3f) << 8 | p[1] : -1;
}
