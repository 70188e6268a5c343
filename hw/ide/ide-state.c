/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The task file of an IDE drive in words, and what a bus-master engine is told to move. */
#include "util/osdep.h"
#include "hw/ide/ide-state.h"

#include "hw/ide/ide.h"
#include "hw/scsi/scsi.h"
#include "util/bswap.h"

/* ACS 7, by their names there. */
const char *ide_command_name(uint64_t command)
{
    switch (command) {
    case 0x00: return "none";
    case 0x06: return "DATA SET MANAGEMENT";
    case 0x08: return "DEVICE RESET";
    case 0x20: case 0x21: return "READ SECTORS";
    case 0x24: return "READ SECTORS EXT";
    case 0x25: return "READ DMA EXT";
    case 0x27: return "READ NATIVE MAX ADDRESS EXT";
    case 0x29: return "READ MULTIPLE EXT";
    case 0x2f: return "READ LOG EXT";
    case 0x30: case 0x31: return "WRITE SECTORS";
    case 0x34: return "WRITE SECTORS EXT";
    case 0x35: return "WRITE DMA EXT";
    case 0x39: return "WRITE MULTIPLE EXT";
    case 0x3d: return "WRITE DMA FUA EXT";
    case 0x40: case 0x41: return "READ VERIFY SECTORS";
    case 0x42: return "READ VERIFY SECTORS EXT";
    case 0x47: return "READ LOG DMA EXT";
    case 0x60: return "READ FPDMA QUEUED";
    case 0x61: return "WRITE FPDMA QUEUED";
    case 0x63: return "NCQ NON-DATA";
    case 0x64: return "SEND FPDMA QUEUED";
    case 0x65: return "RECEIVE FPDMA QUEUED";
    case 0x91: return "INITIALIZE DEVICE PARAMETERS";
    case 0xa0: return "PACKET";
    case 0xa1: return "IDENTIFY PACKET DEVICE";
    case 0xb0: return "SMART";
    case 0xc4: return "READ MULTIPLE";
    case 0xc5: return "WRITE MULTIPLE";
    case 0xc6: return "SET MULTIPLE MODE";
    case 0xc8: case 0xc9: return "READ DMA";
    case 0xca: case 0xcb: return "WRITE DMA";
    case 0xe0: return "STANDBY IMMEDIATE";
    case 0xe1: return "IDLE IMMEDIATE";
    case 0xe4: return "READ PORT MULTIPLIER";
    case 0xe5: return "CHECK POWER MODE";
    case 0xe7: return "FLUSH CACHE";
    case 0xe8: return "WRITE PORT MULTIPLIER";
    case 0xea: return "FLUSH CACHE EXT";
    case 0xec: return "IDENTIFY DEVICE";
    case 0xef: return "SET FEATURES";
    case 0xf5: return "SECURITY FREEZE LOCK";
    case 0xf8: return "READ NATIVE MAX ADDRESS";
    default: return NULL;
    }
}

const VmMeaning ide_regs_meanings[] = {
    { "feature", "features" }, { "count", "sector count" }, { "lba_low", "LBA 7:0, or the sector" },
    { "lba_mid", "LBA 15:8, or cylinder low" },
    { "lba_high", "LBA 23:16, or cylinder high" }, { "hob_feature", "features, before" }, { "hob_count", "sector count 15:8" },
    { "hob_low", "LBA 31:24" }, { "hob_mid", "LBA 39:32" }, { "hob_high", "LBA 47:40" },
    { "command", "last command that was accepted", .word = ide_command_name },
    { "device", .flags = FLAGS({ "DEV", SEL_DEV }, { "LBA", SEL_LBA }, { "HEAD", 0x0f }) }, { .name = NULL }
};

const VmMeaning ide_drive_meanings[] = {
    { "cylinders", "of the translation that INITIALIZE DEVICE PARAMETERS has set" }, { "heads", "of it" },
    { "sectors", "a track of it" },
    { "udma_mode", "Ultra DMA mode" }, { "mwdma_mode", "multiword DMA mode" },
    { "fetched", "sectors read ahead into the buffer" }, { "packet_left", "bytes of the packet's data still to come" },
    { "packet_limit", "bytes of a data phase that the host asked for at most" },
    { "sense", "sense key", .word = scsi_state_sense_key }, { "asc", "additional sense code" }, { "ascq", "its qualifier" },
    { "r", "task file; hob_: what was written before, of 48-bit commands" },
    { "status", .flags = FLAGS({ "BSY", ATA_BSY }, { "DRDY", ATA_DRDY }, { "DF", ATA_DF }, { "DSC", ATA_DSC },
                               { "DRQ", ATA_DRQ }, { "ERR", ATA_ERR }) },
    { "error", .flags = FLAGS({ "UNC", ATA_ERR_UNC }, { "MC", ATA_ERR_MC }, { "IDNF", ATA_ERR_IDNF },
                              { "MCR", ATA_ERR_MCR }, { "ABRT", ATA_ERR_ABRT }) },
    { "mult_sectors", "of READ and WRITE MULTIPLE; 0: off" },
    { "identify", "words of IDENTIFY DEVICE", .payload = "what IDENTIFY DEVICE tells" },
    { "phase", "what the data in the buffer is", VALUES("idle", "last data to the host", "data to the host",
                                                        "data from the host", "packet awaited", "packet data to the host",
                                                        "packet data from the host") },
    { "dma", "transfer that waits for the engine", VALUES("none", "read", "write", "packet data", "TRIM ranges") },
    { "lba", "next sector" }, { "left", "sectors still to be moved" }, { "block", "sectors of this data phase" },
    { "pos", "next byte of the data port" }, { "end", "of the data phase in the buffer" },
    { "buffer", .payload = "sectors on their way" }, { "packet", "ATAPI command packet", .show = scsi_state_show_cdb },
    { "ncq_stopped", "a queued command has failed, its log wasn't read yet" },
    { "ncq_log", .payload = "the beginning of log 10h" }, { .name = NULL }
};

const VmMeaning ide_channel_meanings[] = {
    { "select", "drive that is selected" },
    { "control", "device control", .flags = FLAGS({ "NIEN", CTL_NIEN }, { "SRST", CTL_SRST }, { "HOB", CTL_HOB }) },
    { .name = NULL }
};

/* PIIX 2.7 */
const VmMeaning ide_bm_meanings[] = {
    { "command", "bus master command", .flags = FLAGS({ "START", 1 }, { "TO_MEMORY", 8 }) },
    { "status", "bus master status", .flags = FLAGS({ "ACTIVE", 1 }, { "ERROR", 2 }, { "INTERRUPT", 4 },
                                                    { "DMA0", 0x20 }, { "DMA1", 0x40 }) },
    { "table", "descriptor table", .address = true }, { "next", "entry that comes next", .address = true },
    { "addr", "where the current region goes on", .address = true }, { "left", "bytes left of it" },
    { .name = NULL }
};

static void print_command(StateView *v, StateNode *into)
{
    StateNode *n;
    uint64_t command = state_view_get(v, "r.command"), lba = state_view_get(v, "lba");
    const char *name = ide_command_name(command);

    n = state_add_uint(into, "command", command, 8);
    state_set_word(n, name);
    state_mean(n, "%s", state_view_get(v, "status") & (ATA_BSY | ATA_DRQ) ? "in progress"
               : state_view_get(v, "status") & ATA_ERR ? "failed" : "done");
    n = state_add_uint(into, "task-file-lba", state_view_get(v, "r.lba_low") | state_view_get(v, "r.lba_mid") << 8 |
                       state_view_get(v, "r.lba_high") << 16 | (state_view_get(v, "r.device") & 15) << 24, 28);
    state_mean(n, "%s", state_view_get(v, "r.device") & SEL_LBA ? "28 bits" : "cylinder, head and sector");
    state_add_uint(into, "next-sector", lba, 48);
    state_add_uint(into, "sectors-left", state_view_get(v, "left"), 32);
}

const StatePrinter ide_drive_printers[] = {
    { "command", "the task file in words", print_command }, { NULL, NULL, NULL }
};

/* PIIX 2.7.3: an entry of 8 bytes for a region; the table ends with EOT and doesn't cross 64 KiB. */
static void print_tables(StateView *v, StateNode *into)
{
    for (unsigned c = 0; c < 2; c++) {
        uint64_t table = state_view_get(v, "bm[%u].table", c);
        g_autofree char *name = g_strdup_printf("channel%u", c);
        StateNode *queue;

        if (!table) {
            continue;
        }
        queue = state_add_queue(into, name);
        for (unsigned i = 0; i < state_view_limit(v, 8192); i++) {
            uint8_t e[8];
            StateNode *n;

            if (!state_view_read(v, table + 8 * i, e, sizeof(e))) {
                break;
            }
            n = state_add_element(queue, STATE_STRUCT);
            state_add_address(n, "address", load_le32(e), 32);
            state_add_uint(n, "bytes", load_le16(e + 4) ? load_le16(e + 4) : 0x10000, 17);
            if (e[7] & 0x80) {
                state_mean(n, "the last");
                break;
            }
        }
    }
}

const StatePrinter piix_ide_printers[] = {
    { "tables", "regions that the bus masters move", print_tables }, { NULL, NULL, NULL }
};
