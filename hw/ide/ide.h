/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IDE and SATA: drives (ATA disks, ATAPI CD drives), the channel that one or two of them hang on,
 * and what a host controller offers to it. The commands don't know which kind of channel it is.
 *
 *   channel.c  a parallel cable's registers, selection, PIO data port
 *   command.c  how a command goes on and ends, requests of the image, resets
 *   ata.c      commands of disks        atapi.c   packet commands of CD drives
 *   ata-identify.c, ata-log.c, ata-smart.c, ncq.c: what their names say
 *   drive.c    the devices ide-hd and ide-cd
 *   piix.c     82371SB function 1: two channels with bus-master DMA
 *   ahci*.c    AHCI host bus adapters (ahci.h); sata-pm.c the port multiplier
 *
 * Big lock; the channels of an HBA have a lock of their own, which their transport names.
 *
 * Sources: ATA8-ACS (T13/1699-D r6a, "ACS"), ATA/ATAPI-7 vol. 2 ("ATA7"), MMC-6, SFF-8020i.
 */
#ifndef HW_IDE_IDE_H
#define HW_IDE_IDE_H

#include "block/block.h"
#include "hw/block/block-conf.h"
#include "hw/core/device.h"
#include "hw/scsi/mmc.h"
#include "memory/memory.h"

#define TYPE_IDE_BUS    "IDE"
#define TYPE_SATA_BUS   "SATA"          /* an IDE bus for one drive, which may come and go */
#define TYPE_IDE_DRIVE  "ide-device"

/* Status and error registers (ACS 6). */
enum { ATA_ERR = 0x01, ATA_DRQ = 0x08, ATA_DSC = 0x10, ATA_DF = 0x20, ATA_DRDY = 0x40,
       ATA_BSY = 0x80 };
enum { ATA_ERR_ABRT = 0x04, ATA_ERR_MCR = 0x08, ATA_ERR_IDNF = 0x10, ATA_ERR_MC = 0x20,
       ATA_ERR_UNC = 0x40, ATA_ERR_ICRC = 0x80 };
enum { CTL_NIEN = 2, CTL_SRST = 4, CTL_HOB = 0x80 };
enum { SEL_DEV = 0x10, SEL_LBA = 0x40 };
/* ATAPI interrupt reason, in the sector count register (ATA7 "PACKET"). */
enum { IR_CD = 1, IR_IO = 2 };

#define IDE_SECTOR      512             /* of IDENTIFY, logs and the like */
#define IDE_SECTOR_MAX  4096            /* of a disk's logical sectors */
#define IDE_MAX_MULT    16
#define IDE_BUFFER      (64 * 1024)     /* of a PIO data phase; what is saved of the buffer */
#define IDE_STEP        (512 * 1024)    /* of a step of DMA: all of the buffer; it is through or not begun
                                         * when state is saved */
#define IDE_TRIM_MAX    64              /* blocks of ranges in a TRIM; they fit into the buffer */
#define IDE_ABANDONED_MAX 8             /* a reset waits if there are more stale requests */

typedef struct IdeDrive IdeDrive;
typedef struct IdeChannel IdeChannel;

/* A task file; the second set holds what was written before (48-bit commands). */
typedef struct IdeRegs {
    uint8_t feature, count, lba_low, lba_mid, lba_high, device;
    uint8_t hob_feature, hob_count, hob_low, hob_mid, hob_high;
    uint8_t command;            /* the last one; only for people to see */
} IdeRegs;

/* What the data in the buffer is, and what follows when it has been moved. */
typedef enum IdePhase {
    IDE_IDLE,
    IDE_PIO_IN_DONE,            /* last data to the host: command ends */
    IDE_PIO_READ,               /* more sectors to be read */
    IDE_PIO_WRITE,              /* sectors came from the host: write them */
    IDE_PACKET,                 /* a command packet is awaited */
    IDE_PACKET_IN,              /* data of a packet command to the host */
    IDE_PACKET_OUT,             /* parameters of a packet command from the host */
    IDE_PHASE__LAST = IDE_PACKET_OUT
} IdePhase;

/* A transfer by DMA: waits until the engine is started. */
typedef enum IdeDma { IDE_DMA_NONE, IDE_DMA_READ, IDE_DMA_WRITE, IDE_DMA_PACKET_IN, IDE_DMA_TRIM,
                      IDE_DMA_REPLY, IDE_DMA__LAST = IDE_DMA_REPLY } IdeDma;

struct IdeDrive {
    Device dev;
    BlockConf conf;
    char *serial, *model, *version;
    uint64_t wwn;
    int32_t unit;
    uint16_t rotation_rate;     /* turns a minute; 1: none, 0: not told */
    bool is_cd;
    uint32_t sector;            /* bytes of a logical sector */
    IdeChannel *channel;        /* set when it is plugged */

    IdeRegs r;
    uint8_t status, error;
    uint8_t mult_sectors;       /* 0: READ MULTIPLE is off */
    uint16_t identify[256];
    uint64_t nb_sectors;        /* of d->sector bytes */
    uint32_t cylinders, heads, sectors; /* as INITIALIZE DEVICE PARAMETERS set them */
    uint8_t udma_mode, mwdma_mode;      /* 0xff: not selected */
    bool write_cache;
    bool asleep, standby;       /* SLEEP: until a reset; STANDBY: until it is used */
    bool fua;                   /* of the running write */
    bool smart, smart_autosave;

    /* The running command. */
    uint32_t phase;             /* IdePhase */
    uint32_t dma;               /* IdeDma */
    uint64_t lba;               /* next sector (CD: of 2048 bytes) */
    uint32_t left;              /* sectors still to be read or written */
    uint32_t block;             /* sectors of this data phase */
    uint32_t fetched;           /* PIO reads: sectors in the buffer behind this data phase */
    uint32_t pos, end;          /* in the buffer: next byte of the data port, end of the phase */
    uint8_t *buffer;
    struct IoJob *next_ended;   /* a request that has ended at once; in_ended: the one before isn't through */
    bool in_ended;
    bool busy_io;               /* a request is in flight */
    uint32_t io_serial;         /* what a reset makes stale */
    unsigned abandoned;         /* stale requests that are still in flight */
    bool lba48;

    /* Faults that the user wants (ide-qmp.c); owned. */
    struct IdeFaultEntry *faults;
    uint64_t bad;               /* sector in error of the last request; UINT64_MAX: its first */

    /* Queued commands. */
    bool ncq_stopped;           /* one has failed, the log of it wasn't read yet */
    uint8_t ncq_log[32];        /* of that: the beginning of log 10h */

    /* ATAPI. */
    uint8_t packet[12];
    uint32_t packet_left;       /* bytes the host still gets of this command */
    uint32_t packet_limit;      /* byte count limit of a data phase */
    uint8_t sense, asc, ascq;
    bool packet_dma;
    MmcDrive mmc;
    uint32_t cd_sector_size;    /* 2048, or what READ CD asks for */
};

static inline IdeDrive *IDE_DRIVE(const void *obj)
{
    return (IdeDrive *)object_cast(obj, TYPE_IDE_DRIVE);
}

/* A host controller's side of a channel. */
typedef struct IdeTransport {
    /* A DMA command waits; if the engine is running it calls ide_dma_go. NULL: there is no DMA. */
    void (*pending)(void *opaque);
    /* Move @len bytes; how many could be moved before the list of regions ended. */
    uint32_t (*move)(void *opaque, void *buf, uint32_t len, bool to_memory);
    /* The DMA command has ended. */
    void (*done)(void *opaque, bool error);
    void (*irq)(void *opaque, bool level);
    /* Where frames stand for registers (SATA); NULL on a cable. A data phase begins: move the bytes from
     * d->pos to d->end and call ide_data_end, before or after return. */
    void (*data)(void *opaque, IdeDrive *d);
    /* The command has ended, d->status and d->error tell how. @interrupt false: by the last data. */
    void (*ended)(void *opaque, IdeDrive *d, bool interrupt);
    /* The drive has something to tell (SATA 13.8, asynchronous notification). NULL: it can't. */
    void (*notify)(void *opaque);
    /* A request that a reset had made stale has ended. */
    void (*settled)(void *opaque);
    /* Around each callback of a request; NULL: the big lock is enough. */
    void (*lock)(void *opaque);
    void (*unlock)(void *opaque);
} IdeTransport;

struct IdeChannel {
    Bus *bus;
    IdeDrive *drive[2];
    uint8_t units;              /* drives that there may be */
    uint8_t select;             /* 0 or 1 */
    uint8_t control;
    bool irq_level;
    IrqLine *irq;               /* may be NULL */
    const IdeTransport *ops;    /* may be NULL */
    void *opaque;
    /* A drive came or goes; NULL: it can't while the machine runs. */
    void (*plugged)(void *opaque, bool there);
    MemRegion command_io, control_io;
};

/* --- channel.c --- */
/* @owner's bus "ide.N"; @ops and @irq may be NULL. */
void ide_channel_init(IdeChannel *c, Device *owner, const char *name, IrqLine *irq,
                      const IdeTransport *ops, void *opaque);
/* A SATA link: a bus named after @owner for one drive, and no registers. */
void ide_link_init(IdeChannel *c, Device *owner, const IdeTransport *ops, void *opaque);
void ide_channel_reset(IdeChannel *c);
void ide_channel_cleanup(IdeChannel *c);
/* Of one of a controller's buses: its DeviceType's .data finds it. */
IdeChannel *ide_channel_of(Bus *bus);
extern const VmState ide_channel_vm;

void ide_set_irq(IdeDrive *d);

/* --- command.c --- */
/* The command has ended, with an error if d->error isn't 0. */
void ide_done(IdeDrive *d, bool interrupt);
void ide_abort(IdeDrive *d, uint8_t error);
/* The host moves @bytes from @start of the buffer on through the data port; then @phase comes. */
void ide_data_phase(IdeDrive *d, uint32_t start, uint32_t bytes, IdePhase phase, bool interrupt);
/* A medium came, or shall go: the host is told, if it has asked for that. */
void ide_notify(IdeDrive *d);
void ide_data_end(IdeDrive *d);         /* the data phase has been moved */
bool ide_host_reads(const IdeDrive *d);
void ide_signature(IdeDrive *d);
/* Ends what goes on; requests of the image that are in flight become stale. */
void ide_abandon(IdeDrive *d);
void ide_drive_reset(IdeDrive *d);
/* Reads or writes @len bytes of the buffer; @done with the result unless a reset came. */
typedef void IdeIoDone(IdeDrive *d, int result);
void ide_io(IdeDrive *d, bool write, uint64_t offset, uint32_t len, IdeIoDone *done);
void ide_flush_io(IdeDrive *d, IdeIoDone *done);
void ide_discard_io(IdeDrive *d, uint64_t offset, uint64_t len, IdeIoDone *done);
/* A DMA command is set up in d->dma, lba, left. */
void ide_dma_start(IdeDrive *d, IdeDma dma);
/* The engine is running: do what waits. */
void ide_dma_go(IdeDrive *d);

/* --- ncq.c: queued commands (ACS 4.16, 7.16 ff.), of which 32 may run at once --- */

/* One of them; the transport's. */
typedef struct NcqCommand NcqCommand;
struct NcqCommand {
    IdeDrive *d;                /* a reference while it runs */
    IdeRegs r;
    uint8_t opcode, tag;
    /* After ncq_begin: data that the transport must offer room or bytes for, then in @iov. */
    bool to_host;
    uint32_t bytes;
    const struct iovec *iov;
    size_t niov;
    uint8_t *list;              /* of ranges to trim; owned */
    uint32_t at;                /* in it */
    /* Its end: ATA_ERR_ bits, 0 for success; the sector in error. */
    uint8_t error;
    bool hung;                  /* it never ends */
    uint64_t lba;
    void (*done)(NcqCommand *c);
};
bool ncq_is_queued(uint8_t opcode);
/* Decodes c->r of c->d. False: refused, c->error tells why. */
bool ncq_begin(NcqCommand *c);
/* With the data in place; c->done comes once, before or after return, unless it hangs. */
void ncq_run(NcqCommand *c);
/* One has failed: the drive takes no other command than to read the log of errors. */
void ncq_failed(IdeDrive *d, const NcqCommand *c);

/* --- ide-qmp.c --- */
typedef enum IdeFaultResult { IDE_FAULT_NONE, IDE_FAULT_UNC, IDE_FAULT_CRC, IDE_FAULT_TIMEOUT } IdeFaultResult;
/* The first fault that an access of @count sectors meets, and its first sector there. */
IdeFaultResult ide_fault(IdeDrive *d, bool write, uint64_t lba, uint64_t count, uint64_t *where);
void ide_faults_clear(IdeDrive *d);

static inline bool ide_is_sata(const IdeDrive *d)
{
    return d->channel && d->channel->ops && d->channel->ops->ended;
}
/* Sectors of a data phase of READ MULTIPLE; all fit into the buffer and into 16 bits of bytes. */
static inline unsigned ide_max_mult(const IdeDrive *d)
{
    return MIN(IDE_MAX_MULT, (IDE_BUFFER / 2) / d->sector);
}
/* Word 79 of IDENTIFY: what SET FEATURES has enabled. */
#define SATA_AN     0x20
#define ATA_UDMA_MAX(d) (ide_is_sata(d) ? 6 : 5)

/* --- ata.c, atapi.c --- */
void ata_identify_init(IdeDrive *d);
void ata_identify_update(IdeDrive *d);  /* what commands can change */
void ata_put_string(uint16_t *w, unsigned words, const char *text);
/* @bytes of the buffer for the host, then the command has ended. */
void ata_reply(IdeDrive *d, uint32_t bytes, bool dma);
/* General purpose logs (ACS A): can @pages of 512 bytes from @page on be read; read them. */
bool ata_log_check(const IdeDrive *d, uint8_t log, uint16_t page, uint32_t pages);
void ata_log_fill(IdeDrive *d, uint8_t log, uint16_t page, uint32_t pages, uint8_t *buf);
void ata_read_log(IdeDrive *d, bool dma);       /* READ LOG (DMA) EXT */
void ata_smart(IdeDrive *d);
void ata_command(IdeDrive *d, uint8_t command);
void ata_pio_end(IdeDrive *d);          /* a data phase of a disk ended */
void ata_dma_go(IdeDrive *d);
void atapi_identify_init(IdeDrive *d);
void atapi_packet(IdeDrive *d);         /* packet[] is complete */
void atapi_pio_end(IdeDrive *d);
void atapi_dma_go(IdeDrive *d);
void atapi_start_packet(IdeDrive *d);   /* command A0h */
void atapi_reset(IdeDrive *d);

#endif
