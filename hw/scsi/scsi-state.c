/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SCSI commands in words, by the names of SPC-4, SBC-3 and MMC-6. */
#include "util/osdep.h"
#include "hw/scsi/scsi.h"

#include "util/bswap.h"
#include "vmstate/node.h"

const char *scsi_state_command_name(uint64_t op)
{
    static const struct { uint8_t op; const char *name; } names[] = {
        { 0x00, "TEST UNIT READY" }, { 0x03, "REQUEST SENSE" }, { 0x04, "FORMAT UNIT" }, { 0x08, "READ(6)" },
        { 0x0a, "WRITE(6)" }, { 0x12, "INQUIRY" }, { 0x15, "MODE SELECT(6)" }, { 0x16, "RESERVE(6)" },
        { 0x17, "RELEASE(6)" }, { 0x1a, "MODE SENSE(6)" }, { 0x1b, "START STOP UNIT" },
        { 0x1d, "SEND DIAGNOSTIC" }, { 0x1e, "PREVENT ALLOW MEDIUM REMOVAL" }, { 0x25, "READ CAPACITY(10)" },
        { 0x28, "READ(10)" }, { 0x2a, "WRITE(10)" }, { 0x2e, "WRITE AND VERIFY(10)" }, { 0x2f, "VERIFY(10)" },
        { 0x35, "SYNCHRONIZE CACHE(10)" }, { 0x41, "WRITE SAME(10)" }, { 0x42, "UNMAP / READ SUB-CHANNEL" },
        { 0x43, "READ TOC" }, { 0x46, "GET CONFIGURATION" }, { 0x4a, "GET EVENT STATUS NOTIFICATION" },
        { 0x51, "READ DISC INFORMATION" }, { 0x55, "MODE SELECT(10)" }, { 0x5a, "MODE SENSE(10)" },
        { 0x5e, "PERSISTENT RESERVE IN" }, { 0x5f, "PERSISTENT RESERVE OUT" }, { 0x88, "READ(16)" },
        { 0x8a, "WRITE(16)" }, { 0x8e, "WRITE AND VERIFY(16)" }, { 0x8f, "VERIFY(16)" },
        { 0x91, "SYNCHRONIZE CACHE(16)" }, { 0x93, "WRITE SAME(16)" }, { 0x9e, "SERVICE ACTION IN(16)" },
        { 0xa0, "REPORT LUNS" }, { 0xa3, "MAINTENANCE IN" }, { 0xa8, "READ(12)" }, { 0xaa, "WRITE(12)" },
        { 0xad, "READ DISC STRUCTURE" }, { 0xbd, "MECHANISM STATUS" }, { 0xbe, "READ CD" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].op == op) {
            return names[i].name;
        }
    }
    return NULL;
}

/* SPC-4 4.3: the group in bits 5 to 7 of the operation code tells where address and length are. */
void scsi_state_show_cdb(StateNode *n)
{
    uint8_t c[16] = { 0 };
    const char *name;

    if (n->kind != STATE_BYTES && n->kind != STATE_ARRAY) {
        return;
    }
    for (size_t i = 0; i < sizeof(c); i++) {
        c[i] = (uint8_t)state_number(n, i);
    }
    name = scsi_state_command_name(c[0]);
    state_set_word(n, name ? name : "unknown");
    switch (c[0]) {
    case 0x08: case 0x0a:
        state_mean(n, "%u blocks from %u", c[4] ? c[4] : 256, load_be32(c) & 0x1fffff);
        break;
    case 0x28: case 0x2a: case 0x2e: case 0x2f: case 0x35:
        state_mean(n, "%u blocks from %u", load_be16(c + 7), load_be32(c + 2));
        break;
    case 0xa8: case 0xaa:
        state_mean(n, "%u blocks from %u", load_be32(c + 6), load_be32(c + 2));
        break;
    case 0x88: case 0x8a: case 0x8e: case 0x8f: case 0x91:
        state_mean(n, "%u blocks from %" PRIu64, load_be32(c + 10), load_be64(c + 2));
        break;
    default:
        break;
    }
}

/* SPC-4 4.5.6. */
const char *scsi_state_sense_key(uint64_t key)
{
    static const char *const names[] = {
        "NO SENSE", "RECOVERED ERROR", "NOT READY", "MEDIUM ERROR", "HARDWARE ERROR", "ILLEGAL REQUEST",
        "UNIT ATTENTION", "DATA PROTECT", "BLANK CHECK", "VENDOR SPECIFIC", "COPY ABORTED", "ABORTED COMMAND",
        NULL, "VOLUME OVERFLOW", "MISCOMPARE",
    };

    return key < ARRAY_SIZE(names) ? names[key] : NULL;
}

const VmMeaning scsi_request_meanings[] = {
    { "channel", "of its unit" }, { "target", "of its unit" }, { "unit", "which unit of the bus" }, { "lun", "logical unit" },
    { "op", "what the unit does for it" }, { "buf_size", "bytes of its buffer" }, { "cdb_len", "bytes of the command" },
    { "cdb", "command descriptor block", .show = scsi_state_show_cdb }, { "tag", "the host's name for it" },
    { "left", "bytes left" }, { "moved", "bytes moved" }, { "lba", "next block" },
    { "step", "bytes of the step" }, { "in_step", "the host moves its data" }, { .name = NULL }
};

const VmMeaning scsi_sense_meanings[] = {
    { "key", "sense key", .word = scsi_state_sense_key }, { "asc", "additional sense code" },
    { "ascq", "its qualifier" }, { .name = NULL }
};
