/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCSI targets: the bus, logical units, and requests that travel between a host
 * bus adapter and a unit. Big lock; but an adapter may start requests in an I/O thread (ScsiBus.loop), where they then
 * end, too. Requests, sense and what commands find of their unit are that thread's: others look at them and change
 * them while the loop is parked, and the commands that tell others of what they do take the big lock.
 *
 *   bus.c      bus type, places, reset        request.c  life of a request, sense, data phases
 *   cdb.c      what a CDB says                disk.c     scsi-hd, scsi-cd: commands
 *   disk-io.c  their reads and writes         inquiry.c  INQUIRY and mode pages
 *   mmc.c      replies of CD drives, for IDE too
 *
 * Sources: SAM-5, SPC-4, SBC-3, MMC-6.
 *
 * An adapter makes a bus with its ScsiHostOps. For a command it finds the unit, makes a
 * request, and starts it:
 *
 *     d = scsi_device_find(bus, 0, target, lun);
 *     r = scsi_request_new(d, tag, lun, cdb, cdb_len, my_command);
 *     ... r->dir and r->xfer tell what the CDB asks for ...
 *     scsi_request_set_memory(r, iov, niov);      if all memory is known already
 *     scsi_request_start(r);
 *     scsi_request_unref(r);                      unless it keeps it
 *
 * With memory set, data goes there or comes from there by itself. Without, ops->data() hands
 * out a buffer for each step: the adapter takes the bytes (dir SCSI_FROM_DEVICE) or puts them
 * there (SCSI_TO_DEVICE), at once or later, and calls scsi_request_continue(). In the end
 * ops->complete() finds status, sense and moved. Both may be called before
 * scsi_request_start() or scsi_request_continue() returns.
 */
#ifndef HW_SCSI_SCSI_H
#define HW_SCSI_SCSI_H

#include <sys/uio.h>
#include "hw/core/device.h"
#include "util/main-loop.h"

#define TYPE_SCSI_BUS       "SCSI"
#define TYPE_SCSI_DEVICE    "scsi-device"

#define SCSI_CDB_MAX        16
#define SCSI_SENSE_LEN      18          /* fixed format */
#define SCSI_STEP           (128 * KIB) /* bytes of a data phase without memory */

/* Status (SAM-5, 5.3.1). */
enum { SCSI_GOOD = 0x00, SCSI_CHECK_CONDITION = 0x02, SCSI_BUSY = 0x08,
       SCSI_RESERVATION_CONFLICT = 0x18, SCSI_TASK_SET_FULL = 0x28, SCSI_TASK_ABORTED = 0x40 };

/* Sense keys (SPC-4, 4.5.6). */
enum { SENSE_NONE = 0, SENSE_RECOVERED = 1, SENSE_NOT_READY = 2, SENSE_MEDIUM = 3,
       SENSE_HARDWARE = 4, SENSE_ILLEGAL = 5, SENSE_ATTENTION = 6, SENSE_PROTECT = 7,
       SENSE_ABORTED = 0xb, SENSE_MISCOMPARE = 0xe };

typedef struct ScsiSense {
    uint8_t key, asc, ascq;
} ScsiSense;
#define SCSI_SENSE(k, a, q)     ((ScsiSense){ k, a, q })
#define SENSE_OK                SCSI_SENSE(SENSE_NONE, 0, 0)
#define SENSE_NO_MEDIUM         SCSI_SENSE(SENSE_NOT_READY, 0x3a, 0)
#define SENSE_NO_MEDIUM_CLOSED  SCSI_SENSE(SENSE_NOT_READY, 0x3a, 1)
#define SENSE_NO_MEDIUM_OPEN    SCSI_SENSE(SENSE_NOT_READY, 0x3a, 2)
#define SENSE_NOT_STARTED       SCSI_SENSE(SENSE_NOT_READY, 0x04, 2)
#define SENSE_WRITE_ERROR       SCSI_SENSE(SENSE_MEDIUM, 0x0c, 0)
#define SENSE_READ_ERROR        SCSI_SENSE(SENSE_MEDIUM, 0x11, 0)
#define SENSE_TARGET_FAILURE    SCSI_SENSE(SENSE_HARDWARE, 0x44, 0)
#define SENSE_PARAMETER_LENGTH  SCSI_SENSE(SENSE_ILLEGAL, 0x1a, 0)
#define SENSE_INVALID_COMMAND   SCSI_SENSE(SENSE_ILLEGAL, 0x20, 0)
#define SENSE_LBA_RANGE         SCSI_SENSE(SENSE_ILLEGAL, 0x21, 0)
#define SENSE_INVALID_FIELD     SCSI_SENSE(SENSE_ILLEGAL, 0x24, 0)
#define SENSE_LUN_UNSUPPORTED   SCSI_SENSE(SENSE_ILLEGAL, 0x25, 0)
#define SENSE_INVALID_PARAMETER SCSI_SENSE(SENSE_ILLEGAL, 0x26, 0)
#define SENSE_SAVING_PARAMETERS SCSI_SENSE(SENSE_ILLEGAL, 0x39, 0)
#define SENSE_REMOVAL_PREVENTED SCSI_SENSE(SENSE_ILLEGAL, 0x53, 2)
#define SENSE_MEDIUM_CHANGED    SCSI_SENSE(SENSE_ATTENTION, 0x28, 0)
#define SENSE_RESET             SCSI_SENSE(SENSE_ATTENTION, 0x29, 0)
#define SENSE_BUS_RESET         SCSI_SENSE(SENSE_ATTENTION, 0x29, 2)
#define SENSE_DEVICE_RESET      SCSI_SENSE(SENSE_ATTENTION, 0x29, 3)
#define SENSE_CAPACITY_CHANGED  SCSI_SENSE(SENSE_ATTENTION, 0x2a, 9)
#define SENSE_LUNS_CHANGED      SCSI_SENSE(SENSE_ATTENTION, 0x3f, 0x0e)
#define SENSE_WRITE_PROTECTED   SCSI_SENSE(SENSE_PROTECT, 0x27, 0)
#define SENSE_SPACE_FAILED      SCSI_SENSE(SENSE_PROTECT, 0x27, 7)
#define SENSE_IO_ERROR          SCSI_SENSE(SENSE_ABORTED, 0x00, 6)
#define SENSE_COMPARE_FAILED    SCSI_SENSE(SENSE_MISCOMPARE, 0x1d, 0)

typedef enum ScsiDir { SCSI_NO_DATA, SCSI_FROM_DEVICE, SCSI_TO_DEVICE } ScsiDir;

typedef struct ScsiBus ScsiBus;
typedef struct ScsiDevice ScsiDevice;
typedef struct ScsiRequest ScsiRequest;

/* What an adapter offers. */
typedef struct ScsiHostOps {
    uint32_t max_channel, max_target, max_lun;  /* highest numbers */
    /* A step of the data phase; NULL if all requests have memory. @buf stays valid until
     * scsi_request_continue() or the request's end. */
    void (*data)(ScsiRequest *r, uint8_t *buf, uint32_t len);
    void (*complete)(ScsiRequest *r);
    /* A request that was cancelled touches no memory any more, and won't complete. May be NULL. */
    void (*cancelled)(ScsiRequest *r);
    /* A unit came, goes, or has something to tell (medium, capacity). May be NULL. */
    void (*plugged)(ScsiBus *bus, ScsiDevice *d);
    void (*unplugged)(ScsiBus *bus, ScsiDevice *d);
    void (*event)(ScsiBus *bus, ScsiDevice *d, ScsiSense what);
    /* A request of saved state is here again (VM_SCSI_REQUEST); set r->opaque. May be NULL. */
    void (*loaded)(ScsiBus *bus, ScsiRequest *r);
} ScsiHostOps;

struct ScsiBus {
    Bus bus;
    const ScsiHostOps *ops;
    void *opaque;               /* the adapter's */
    EventLoop *loop;            /* where requests are started; NULL: under the big lock. From the adapter's realize on */
    ScsiDevice *units;          /* that requests find, oldest first */
};
static inline ScsiBus *SCSI_BUS(const void *obj)
{
    return (ScsiBus *)object_cast(obj, TYPE_SCSI_BUS);
}
/* From the adapter's realize; @name as for bus_new(). */
ScsiBus *scsi_bus_new(Device *owner, const char *name, const ScsiHostOps *ops, void *opaque);
/* The unit at that place; another one of the same target, if there is none (it answers that the
 * unit isn't there); NULL: nobody is at that target. */
ScsiDevice *scsi_device_find(ScsiBus *bus, uint32_t channel, uint32_t target, uint32_t lun);
/* RESET of the bus: all requests go (ops->cancelled), the units have a unit attention. Waits for
 * what is in flight. */
void scsi_bus_reset(ScsiBus *bus);

/* A logical unit; first member of a device's struct. .data of its DeviceType is ScsiDeviceOps. */
struct ScsiDevice {
    Device dev;
    uint32_t channel;
    int32_t id;                 /* target; -1: the first that is free */
    int32_t lun;                /* -1: the first that is free */
    ScsiRequest *requests;      /* all that haven't ended, youngest first */
    ScsiSense attention;        /* key 0: none pending */
    ScsiSense sense;            /* of the last command that failed, for REQUEST SENSE */
    uint8_t type;               /* peripheral device type (SPC-4, table 138) */
    bool plugged;               /* the adapter knows of it */
    ScsiDevice *next_unit;      /* of the bus's */
};
static inline ScsiDevice *SCSI_DEVICE(const void *obj)
{
    return (ScsiDevice *)object_cast(obj, TYPE_SCSI_DEVICE);
}
static inline ScsiBus *scsi_bus(const ScsiDevice *d)
{
    return (ScsiBus *)d->dev.bus;
}

typedef struct ScsiDeviceOps {
    /* r->cdb, dir and xfer are set and checked for size; ends in one of the functions for units
     * below, now or later. */
    void (*command)(ScsiDevice *d, ScsiRequest *r);
    /* A step of the data phase has been moved. */
    void (*more)(ScsiDevice *d, ScsiRequest *r);
    /* End what an error holds, wait for all that is in flight. */
    void (*drain)(ScsiDevice *d);
    /* Wait for what is in flight, but leave what an error holds: before saving. */
    void (*settle)(ScsiDevice *d);
    /* LOGICAL UNIT RESET. May be NULL. */
    void (*reset)(ScsiDevice *d);
} ScsiDeviceOps;

/* A new unit attention; one that tells more replaces the pending one, and the adapter is told. */
void scsi_device_attention(ScsiDevice *d, ScsiSense sense);
/* All its requests go, it is as after RESET, and has @attention. The adapter starts no others meanwhile. */
void scsi_device_reset(ScsiDevice *d, ScsiSense attention);
/* It goes: no request finds it any more, those that it has end. */
void scsi_device_leave(ScsiDevice *d);

struct ScsiRequest {
    uint32_t refs;
    ScsiDevice *dev;            /* a reference */
    ScsiRequest *next;          /* of the unit's */
    uint64_t tag;
    uint32_t lun;               /* that was addressed */
    void *opaque;               /* the adapter's */
    uint8_t cdb[SCSI_CDB_MAX];
    uint8_t cdb_len;
    ScsiDir dir;
    uint64_t xfer;              /* bytes that the CDB asks to be moved at most */
    /* The result. */
    uint8_t status;
    uint8_t sense[SCSI_SENSE_LEN];
    uint8_t sense_len;          /* 0 or SCSI_SENSE_LEN */
    uint64_t moved;             /* bytes of data */
    /* Private to hw/scsi. */
    const struct iovec *iov;    /* the adapter's memory */
    size_t niov;
    uint64_t iov_bytes;
    uint8_t *buf;               /* owned */
    uint32_t buf_size;          /* bytes allocated */
    uint32_t step;              /* bytes of the running step */
    bool started, ended, cancelled, in_step, in_flight;
    bool reply;                 /* the step is all there is */
    /* Units': progress of reading and writing. */
    uint32_t op, left;          /* blocks still to be moved */
    uint64_t lba;
    struct iovec *io;           /* of the access in flight; owned */
    size_t nio;
};

/* --- for adapters --- */
/* One reference; never NULL. @cdb: bytes behind its end read as zeros. */
ScsiRequest *scsi_request_new(ScsiDevice *d, uint64_t tag, uint32_t lun, const uint8_t *cdb,
                              size_t cdb_len, void *opaque);
ScsiRequest *scsi_request_ref(ScsiRequest *r);
void scsi_request_unref(ScsiRequest *r);
/* Host memory for all of r->xfer, valid until the request ends. */
void scsi_request_set_memory(ScsiRequest *r, const struct iovec *iov, size_t niov);
void scsi_request_start(ScsiRequest *r);
void scsi_request_continue(ScsiRequest *r);
/* ABORT TASK: ops->cancelled comes when nothing is in flight, perhaps at once; nothing comes if it
 * has ended. */
void scsi_request_cancel(ScsiRequest *r);
ScsiRequest *scsi_request_find(ScsiDevice *d, uint64_t tag);
/* Bytes of a CDB by its first byte (SPC-4, 4.2.5.1); vendors' groups: 6. */
unsigned scsi_cdb_length(uint8_t opcode);
/* The 8-byte LUN structure (SAM-5, 4.7): number, or -1 for forms that no unit here has. */
int scsi_lun_decode(const uint8_t *p);

/* A field of an adapter: ScsiRequest *, or NULL. Only for adapters that give no memory; after
 * loading it is the request again (ops->loaded), in the same step. .arg: where the ScsiBus
 * pointer is in the adapter's struct. */
extern const VmKind vm_kind_scsi_request;
#define VM_SCSI_REQUEST(S, f, bus_field) \
    { .name = #f, .kind = &vm_kind_scsi_request, .offset = VM_TYPED_(S, f, ScsiRequest *), \
      .size = sizeof(ScsiRequest *), .num = 1, \
      .arg = (const void *)(offsetof(S, f) - offsetof(S, bus_field)) }

/* --- for units --- */
/* A buffer of at least @bytes at r->buf, zeroed; at most SCSI_STEP. */
uint8_t *scsi_request_buffer(ScsiRequest *r, uint32_t bytes);
/* @len bytes in r->buf, cut to r->xfer, go to the initiator; then GOOD. */
void scsi_request_reply(ScsiRequest *r, uint32_t len);
/* @len bytes from the initiator into r->buf (or from r->buf to it): then ops->more. */
void scsi_request_step(ScsiRequest *r, uint32_t len);
void scsi_request_good(ScsiRequest *r);
void scsi_request_fail(ScsiRequest *r, ScsiSense sense);
void scsi_sense_fixed(uint8_t *p, ScsiSense sense);     /* SCSI_SENSE_LEN bytes */
/* I/O begins; it ends: false if the request was cancelled meanwhile, and is gone. */
void scsi_request_io_begin(ScsiRequest *r);
bool scsi_request_io_end(ScsiRequest *r);

/* What a CDB says (cdb.c): direction and length, for unit type @type with @block bytes a block;
 * fields of reads and writes. */
void scsi_cdb_parse(ScsiRequest *r, uint8_t type, uint32_t block);
uint64_t scsi_cdb_lba(const uint8_t *cdb);
uint64_t scsi_cdb_count(const uint8_t *cdb);            /* the transfer length field */
uint32_t scsi_device_block_size(const ScsiDevice *d);   /* disk.c */

extern const VmState scsi_device_vm;

/* scsi-state.c: for the device-state view. Names; NULL: none. */
const char *scsi_state_command_name(uint64_t op);
const char *scsi_state_sense_key(uint64_t key);
/* VmMeaning.show of a field that is a command descriptor block. */
void scsi_state_show_cdb(StateNode *n);
extern const VmMeaning scsi_request_meanings[], scsi_sense_meanings[];

#endif
