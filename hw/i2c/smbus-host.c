/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers and transactions of Intel's SMBus host controllers.
 *
 * Source: Intel 82371AB data sheet, 290562 ("DS"), 7.3.
 */
#include "util/osdep.h"
#include "hw/i2c/smbus-host.h"

#define SMBHSTCNT_PROTOCOL(v)   ((v) >> 2 & 7)
enum { SMB_QUICK = 0, SMB_BYTE = 1, SMB_BYTE_DATA = 2, SMB_WORD_DATA = 3, SMB_BLOCK = 5 };

/* A transaction ends at once (DS 7.3.1). */
static bool run(SmbusHost *s)
{
    uint8_t address = s->reg[SMBHSTADD] >> 1, out[2 + SMBUS_BLOCK_MAX], in[1 + SMBUS_BLOCK_MAX];
    bool read = s->reg[SMBHSTADD] & 1;
    unsigned n;

    out[0] = s->reg[SMBHSTCMD];
    out[1] = s->reg[SMBHSTDAT0];
    out[2] = s->reg[SMBHSTDAT1];
    switch (SMBHSTCNT_PROTOCOL(s->reg[SMBHSTCNT])) {
    case SMB_QUICK:
        return smbus_transfer(s->bus, address, NULL, 0, NULL, 0);
    case SMB_BYTE:
        return read ? smbus_transfer(s->bus, address, NULL, 0, &s->reg[SMBHSTDAT0], 1)
                    : smbus_transfer(s->bus, address, out, 1, NULL, 0);
    case SMB_BYTE_DATA:
        return read ? smbus_transfer(s->bus, address, out, 1, &s->reg[SMBHSTDAT0], 1)
                    : smbus_transfer(s->bus, address, out, 2, NULL, 0);
    case SMB_WORD_DATA:
        return read ? smbus_transfer(s->bus, address, out, 1, &s->reg[SMBHSTDAT0], 2)
                    : smbus_transfer(s->bus, address, out, 3, NULL, 0);
    case SMB_BLOCK:
        s->index = 0;
        if (!read) {
            n = MIN(s->reg[SMBHSTDAT0], SMBUS_BLOCK_MAX);
            memcpy(out + 2, s->block, n);
            return smbus_transfer(s->bus, address, out, 2 + n, NULL, 0);
        }
        if (!smbus_transfer(s->bus, address, out, 1, in, sizeof(in))) {
            return false;
        }
        s->reg[SMBHSTDAT0] = MIN(in[0], SMBUS_BLOCK_MAX);
        memcpy(s->block, in + 1, SMBUS_BLOCK_MAX);
        return true;
    default:
        return false;
    }
}

uint8_t smbus_host_read(SmbusHost *s, unsigned reg)
{
    uint8_t val = s->reg[reg];

    if (reg == SMBHSTCNT) {             /* DS 7.3.3: reading it rewinds the block */
        s->index = 0;
    } else if (reg == SMBBLKDAT) {
        val = s->block[s->index];
        s->index = (s->index + 1) % SMBUS_BLOCK_MAX;
    }
    return val;
}

void smbus_host_write(SmbusHost *s, unsigned reg, uint8_t val)
{
    if (reg == SMBHSTSTS) {
        s->reg[reg] &= (uint8_t)~(val & s->sts_w1c);
    } else if (reg == SMBHSTCNT) {
        s->reg[reg] = (uint8_t)(val & ~SMBHSTCNT_START);
        if (val & SMBHSTCNT_START) {
            s->reg[SMBHSTSTS] |= run(s) ? SMBHSTSTS_INTER : SMBHSTSTS_DEV_ERR;
        }
    } else if (reg == SMBBLKDAT) {
        s->block[s->index] = val;
        s->index = (s->index + 1) % SMBUS_BLOCK_MAX;
    } else {
        s->reg[reg] = val;
    }
}

void smbus_host_reset(SmbusHost *s)
{
    memset(s->reg, 0, sizeof(s->reg));
    memset(s->block, 0, sizeof(s->block));
    s->index = 0;
}
