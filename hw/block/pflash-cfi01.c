/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cfi.pflash01: parallel flash with Intel's command set. Read as memory until a command is written.
 *
 * Sources: JEDEC JESD68.01, Common Flash Interface ("CFI"); Intel 28F640J5 data sheet 290606 ("DS"), 4.0; OVMF's
 * driver, which tells flash by a status of zeros after it was cleared.
 * Programming and erasing end at once. Not modelled: protection registers, locking (its commands are accepted).
 */
#include "util/osdep.h"
#include "hw/block/pflash-cfi01.h"

#include <glib.h>
#include "block/block.h"
#include "hw/core/machine.h"
#include "hw/core/runstate.h"
#include "qom/property.h"
#include "util/log.h"

/* DS table 4. */
enum { CMD_READ_ARRAY = 0xff, CMD_READ_ARRAY_TOO = 0xf0, CMD_READ_ID = 0x90, CMD_QUERY = 0x98, CMD_READ_STATUS = 0x70,
       CMD_CLEAR_STATUS = 0x50, CMD_BUFFER = 0xe8, CMD_PROGRAM = 0x10, CMD_PROGRAM_TOO = 0x40, CMD_ERASE = 0x20,
       CMD_CONFIRM = 0xd0, CMD_SUSPEND = 0xb0, CMD_LOCK = 0x60 };
#define STATUS_READY        BIT(7)
#define STATUS_ERASE_ERROR  BIT(5)
#define STATUS_PROGRAM_ERROR BIT(4)
#define BUFFER_LOG          11          /* CFI 4.3: bytes of the write buffer */
#define BUFFER_SIZE         (1u << BUFFER_LOG)
#define QUERY_SIZE          0x52
#define SECTOR              512u        /* what the image is written in */

typedef struct Pflash {
    Device dev;
    MemRegion mem;
    BlockBackend *blk;
    /* Properties. */
    uint32_t num_blocks;
    uint64_t block_size;
    uint8_t width;
    uint16_t id[4];
    bool big_endian, secure;
    char *name;
    /* State; the contents are RAM. */
    uint8_t cmd, cycle;         /* of the command: bytes written after the first */
    uint8_t status;
    uint16_t left;              /* CMD_BUFFER: bytes to come */
    uint32_t buffer_at, buffer_used;
    uint8_t buffer[BUFFER_SIZE];
    uint8_t query[QUERY_SIZE];  /* recomputed */
    bool read_only;
    /* Writing back: one request at a time, of what has changed meanwhile. */
    uint64_t dirty_from, dirty_to;
    bool in_flight;
    struct iovec iov;
    RunstateListener running;
} Pflash;
DEFINE_CAST(PFLASH, Pflash, TYPE_PFLASH_CFI01)

static uint64_t flash_size(const Pflash *s)
{
    return s->num_blocks * s->block_size;
}

static uint8_t *contents(const Pflash *s)
{
    return memory_region_ram_ptr(&s->mem);
}

/* --- the image --- */

static void write_back(Pflash *s);

static void written(void *opaque, int result)
{
    Pflash *s = opaque;

    s->in_flight = false;
    if (result < 0) {
        log_guest_error("pflash", "writing the image failed: %s", strerror(-result));
    }
    write_back(s);
}

static void write_back(Pflash *s)
{
    uint64_t from = s->dirty_from, len = s->dirty_to - from;

    if (s->in_flight || !s->blk || s->dirty_to <= s->dirty_from) {
        return;
    }
    s->in_flight = true;
    s->dirty_from = UINT64_MAX;
    s->dirty_to = 0;
    s->iov = (struct iovec){ .iov_base = contents(s) + from, .iov_len = len };
    blk_aio_rw(s->blk, true, from, &s->iov, 1, written, s);
}

static void changed(Pflash *s, uint64_t at, uint64_t len)
{
    memory_region_set_dirty(&s->mem, at, len);
    s->dirty_from = MIN(s->dirty_from, at & ~(uint64_t)(SECTOR - 1));
    s->dirty_to = MAX(s->dirty_to, MIN(ALIGN_UP(at + len, (uint64_t)SECTOR), flash_size(s)));
    write_back(s);
}

/* --- commands --- */

static void set_mode(Pflash *s, uint8_t cmd)
{
    s->cmd = cmd;
    s->cycle = 0;
    memory_region_set_romd(&s->mem, cmd == CMD_READ_ARRAY);
}

/* Bits only go from 1 to 0 (DS 4.7). */
static void program(Pflash *s, uint64_t at, const uint8_t *data, unsigned len)
{
    s->status |= STATUS_READY;
    if (s->read_only) {
        s->status |= STATUS_PROGRAM_ERROR;
        return;
    }
    for (unsigned i = 0; i < len; i++) {
        contents(s)[at + i] &= data[i];
    }
    changed(s, at, len);
}

static void erase(Pflash *s, uint64_t at)
{
    s->status |= STATUS_READY;
    if (s->read_only) {
        s->status |= STATUS_ERASE_ERROR;
        return;
    }
    at -= at % s->block_size;
    memset(contents(s) + at, 0xff, s->block_size);
    changed(s, at, s->block_size);
}

static void first_cycle(Pflash *s, uint8_t val)
{
    switch (val) {
    case CMD_CLEAR_STATUS:
        s->status = 0;
        set_mode(s, CMD_READ_ARRAY);
        break;
    case CMD_READ_ARRAY:
    case CMD_READ_ARRAY_TOO:
        set_mode(s, CMD_READ_ARRAY);
        break;
    case CMD_BUFFER:
        s->status |= STATUS_READY;      /* the buffer is free */
        s->left = 0;
        s->buffer_used = 0;
        set_mode(s, val);
        s->cycle = 1;
        break;
    case CMD_PROGRAM:
    case CMD_PROGRAM_TOO:
    case CMD_ERASE:
    case CMD_LOCK:
        set_mode(s, val);
        s->cycle = 1;
        break;
    case CMD_READ_ID:
    case CMD_QUERY:
    case CMD_READ_STATUS:
        set_mode(s, val);
        break;
    case CMD_SUSPEND:                   /* nothing takes time */
        set_mode(s, CMD_READ_STATUS);
        break;
    default:
        log_guest_error("pflash", "unknown command 0x%02x", val);
        set_mode(s, CMD_READ_ARRAY);
    }
}

/* DS 4.8: a count less one, as many data, and the confirmation. */
static void buffer_cycle(Pflash *s, uint64_t at, const uint8_t *data, unsigned size)
{
    if (s->cycle == 1) {
        s->left = (uint16_t)MIN((data[0] + 1u) * s->width, BUFFER_SIZE);
        s->cycle = 2;
    } else if (s->cycle == 2) {
        if (!s->buffer_used) {
            s->buffer_at = (uint32_t)(at - at % BUFFER_SIZE);
            memset(s->buffer, 0xff, sizeof(s->buffer));
        }
        if (at < s->buffer_at || at + size > (uint64_t)s->buffer_at + BUFFER_SIZE) {
            s->status |= STATUS_PROGRAM_ERROR;
        } else {
            memcpy(s->buffer + (at - s->buffer_at), data, size);
        }
        s->buffer_used += size;
        s->cycle = s->buffer_used >= s->left ? 3 : 2;
    } else {
        if (data[0] == CMD_CONFIRM && !(s->status & STATUS_PROGRAM_ERROR)) {
            program(s, s->buffer_at, s->buffer, (unsigned)MIN((uint64_t)BUFFER_SIZE, flash_size(s) - s->buffer_at));
        } else {
            s->status |= STATUS_PROGRAM_ERROR | STATUS_READY;
        }
        set_mode(s, CMD_READ_STATUS);
    }
}

static MemResult flash_write(void *opaque, hwaddr addr, uint64_t val, unsigned size, MemAttrs attrs)
{
    Pflash *s = opaque;
    uint8_t data[4];

    /* Only system management mode may change it: what others write is lost. */
    if (s->secure && !attrs.secure) {
        return MEM_DEVICE_ERROR;
    }
    for (unsigned i = 0; i < size; i++) {
        data[i] = (uint8_t)(val >> 8 * (s->big_endian ? size - 1 - i : i));
    }
    if (!s->cycle) {
        first_cycle(s, (uint8_t)val);
        return MEM_OK;
    }
    switch (s->cmd) {
    case CMD_PROGRAM:
    case CMD_PROGRAM_TOO:
        program(s, addr, data, size);
        set_mode(s, CMD_READ_STATUS);
        break;
    case CMD_ERASE:
        if ((uint8_t)val == CMD_CONFIRM) {
            erase(s, addr);
        } else {
            s->status |= STATUS_READY | STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR;
        }
        set_mode(s, CMD_READ_STATUS);
        break;
    case CMD_BUFFER:
        data[0] = s->cycle == 2 ? data[0] : (uint8_t)val;
        buffer_cycle(s, addr, data, size);
        break;
    default:                            /* locking */
        s->status |= STATUS_READY;
        set_mode(s, CMD_READ_STATUS);
    }
    return MEM_OK;
}

static MemResult flash_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size, MemAttrs attrs)
{
    Pflash *s = opaque;
    unsigned n = (unsigned)(addr / s->width);
    const uint8_t *p = contents(s) + addr;

    if ((s->secure && !attrs.secure) || s->cmd == CMD_READ_ARRAY) {
        *val = 0;
        for (unsigned i = 0; i < size; i++) {
            *val |= (uint64_t)p[i] << 8 * (s->big_endian ? size - 1 - i : i);
        }
    } else if (s->cmd == CMD_READ_ID) {
        n %= (unsigned)(s->block_size / s->width);
        *val = n < 2 ? s->id[n ? 2 : 0] : 0;
    } else if (s->cmd == CMD_QUERY) {
        *val = n < QUERY_SIZE ? s->query[n] : 0;
    } else {
        *val = s->status;
    }
    return MEM_OK;
}

#define FLASH_OPS(bytes, ord) \
    { .read = flash_read, .write = flash_write, .order = ord, .valid = { 1, 8 }, .impl = { .min = 1, .max = bytes } }
static const MemOps flash_ops[2][5] = {
    { [1] = FLASH_OPS(1, MEM_LE), [2] = FLASH_OPS(2, MEM_LE), [4] = FLASH_OPS(4, MEM_LE) },
    { [1] = FLASH_OPS(1, MEM_BE), [2] = FLASH_OPS(2, MEM_BE), [4] = FLASH_OPS(4, MEM_BE) },
};

/* CFI 4.3: identification, timings (as of a fast chip), geometry. */
static void fill_query(Pflash *s)
{
    uint8_t *q = s->query;
    uint32_t block = (uint32_t)(s->block_size / 256);
    unsigned log = 0;

    while (UINT64_C(1) << log < flash_size(s)) {
        log++;
    }
    memcpy(q + 0x10, "QRY", 3);
    q[0x13] = 0x01;                     /* Intel's command set */
    q[0x15] = 0x31;                     /* its table */
    q[0x1b] = 0x45;                     /* 4.5 V to 5.5 V */
    q[0x1c] = 0x55;
    q[0x1f] = 0x07;
    q[0x20] = 0x07;
    q[0x21] = 0x0a;
    q[0x23] = 0x04;
    q[0x24] = 0x04;
    q[0x25] = 0x04;
    q[0x27] = (uint8_t)log;
    q[0x28] = 0x02;                     /* 8 or 16 bits wide */
    q[0x2a] = BUFFER_LOG;
    q[0x2c] = 1;                        /* regions of blocks of a size */
    q[0x2d] = (uint8_t)(s->num_blocks - 1);
    q[0x2e] = (uint8_t)((s->num_blocks - 1) >> 8);
    q[0x2f] = (uint8_t)block;
    q[0x30] = (uint8_t)(block >> 8);
    memcpy(q + 0x31, "PRI10", 5);
    q[0x3f] = 0x01;
}

/* --- life --- */

static void loaded(void *opaque, int result)
{
    *(int *)opaque = result;
}

static bool load_image(Pflash *s, Error **errp)
{
    struct iovec iov = { .iov_base = contents(s), .iov_len = flash_size(s) };
    int result = 1;

    if (!s->blk) {
        memset(contents(s), 0xff, flash_size(s));
        return true;
    }
    if (blk_length(s->blk) != flash_size(s)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "device requires %" PRIu64 " bytes, block backend provides %" PRIu64
                   " bytes", flash_size(s), blk_length(s->blk));
        return false;
    }
    s->read_only = blk_is_read_only(s->blk);
    blk_aio_rw(s->blk, false, 0, &iov, 1, loaded, &result);
    blk_drain(s->blk);
    if (result < 0) {
        error_set_errno(errp, -result, "failed to read the initial flash content");
        return false;
    }
    return true;
}

/* What a migration has brought goes into the image when it is ours. */
static void run_state_changed(RunstateListener *l, bool running, UNUSED RunState state)
{
    if (running) {
        write_back(container_of(l, Pflash, running));
    }
}

static bool flash_realize(Device *dev, Error **errp)
{
    Pflash *s = PFLASH(dev);

    if ((s->width != 1 && s->width != 2 && s->width != 4) || !s->num_blocks || s->num_blocks > 0x10000 ||
        !IS_POWER_OF_2(s->block_size) || s->block_size < BUFFER_SIZE || s->block_size > 16 * MIB) {
        error_setf(errp, ERR_PROPERTY_RANGE, "%u blocks of %" PRIu64 " bytes, %u bytes wide; accepted: 1 to 65536 "
                   "blocks of a power of two from 2 KiB to 16 MiB, 1, 2 or 4 bytes wide", s->num_blocks,
                   s->block_size, s->width);
        return false;
    }
    if (!memory_region_init_romd(&s->mem, s, &flash_ops[s->big_endian][s->width], s, s->name ? s->name : "pflash",
                                 flash_size(s), errp)) {
        return false;
    }
    if (!load_image(s, errp)) {
        memory_region_cleanup(&s->mem);
        return false;
    }
    fill_query(s);
    s->dirty_from = UINT64_MAX;
    s->running.changed = run_state_changed;
    runstate_add_listener(&s->running);
    return true;
}

static void flash_unrealize(Device *dev)
{
    Pflash *s = PFLASH(dev);

    if (s->blk) {
        blk_drain(s->blk);
    }
    runstate_remove_listener(&s->running);
    memory_region_cleanup(&s->mem);
}

static void flash_reset_hold(Device *dev)
{
    Pflash *s = PFLASH(dev);

    s->status = STATUS_READY;
    s->left = 0;
    s->buffer_at = s->buffer_used = 0;
    set_mode(s, CMD_READ_ARRAY);
}

static bool flash_post_load(void *opaque, Error **errp)
{
    Pflash *s = opaque;
    bool writing = s->cmd == CMD_PROGRAM || s->cmd == CMD_PROGRAM_TOO || s->cmd == CMD_ERASE || s->cmd == CMD_LOCK;

    if ((s->cycle && !writing && s->cmd != CMD_BUFFER) || (s->cycle > 1 && s->cmd != CMD_BUFFER) ||
        s->buffer_at >= flash_size(s) || s->buffer_at % BUFFER_SIZE || s->left > BUFFER_SIZE) {
        error_setf(errp, ERR_STATE_INVALID, "cycle %u of command 0x%02x, buffer at 0x%x", s->cycle, s->cmd,
                   s->buffer_at);
        return false;
    }
    memory_region_set_romd(&s->mem, s->cmd == CMD_READ_ARRAY);
    if (!s->read_only) {
        s->dirty_from = 0;
        s->dirty_to = flash_size(s);
        if (runstate_is_running()) {
            write_back(s);
        }
    }
    return true;
}

static const VmField flash_fields[] = {
    VM_U8(Pflash, cmd), VM_U8_RANGE(Pflash, cycle, 0, 3), VM_U8(Pflash, status), VM_U16(Pflash, left),
    VM_U32(Pflash, buffer_at), VM_U32(Pflash, buffer_used), VM_BUFFER(Pflash, buffer), VM_END
};

static const VmMeaning flash_meanings[] = {
    { "buffer_used", "bytes in the buffer" },
    { "cmd", "the command that reads and writes belong to" }, { "cycle", "bus cycles of it so far" },
    { "status", "status register", .flags = FLAGS({ "READY", 0x80 }, { "ERASE_SUSPENDED", 0x40 }, { "ERASE_ERROR", 0x20 },
                                                   { "PROGRAM_ERROR", 0x10 }, { "VPP_LOW", 8 },
                                                   { "PROGRAM_SUSPENDED", 4 }, { "LOCKED", 2 }) },
    { "left", "words that the buffer still expects" }, { "buffer_at", "where the buffer goes" },
    { "buffer", "the write buffer", .payload = "bytes to be programmed" }, { .name = NULL }
};

static const Property flash_props[] = {
    PROP_DRIVE("drive", Pflash, blk, "the contents; without it all ones, which are lost"),
    PROP_U32("num-blocks", Pflash, num_blocks, 0, "erase blocks"),
    PROP_SIZE("sector-length", Pflash, block_size, 0, "bytes of an erase block"),
    PROP_U8("width", Pflash, width, 1, "bytes that it is wide: 1, 2, 4"),
    PROP_BOOL("big-endian", Pflash, big_endian, false, "byte order of wide data"),
    PROP_BOOL("secure", Pflash, secure, false, "only system management mode can change it"),
    PROP_U16("id0", Pflash, id[0], 0, "manufacturer's code"),
    PROP_U16("id1", Pflash, id[1], 0, "its second part"),
    PROP_U16("id2", Pflash, id[2], 0, "device's code"),
    PROP_U16("id3", Pflash, id[3], 0, "its second part"),
    PROP_STR("name", Pflash, name, NULL, "of its memory"),
    PROP_END
};

static const DeviceType flash_type = {
    .name = TYPE_PFLASH_CFI01, .size = sizeof(Pflash), .desc = "flash memory with Intel's command set",
    .not_user_creatable = true, .category = DEVICE_STORAGE, .props = flash_props, .realize = flash_realize,
    .unrealize = flash_unrealize, .reset_hold = flash_reset_hold,
    .vm = { 1, flash_fields, .post_load = flash_post_load, .meanings = flash_meanings },
};
DEVICE_TYPE(flash_type)

#define PC_BLOCK    (4 * KIB)

Device *pflash_cfi01_create(unsigned n, const char *blockdev, Error **errp)
{
    Device *dev = device_new(TYPE_PFLASH_CFI01);
    g_autofree char *name = g_strdup_printf("system.flash%u", n);
    Pflash *s = PFLASH(dev);
    uint64_t size;

    object_add_child(object_container("/machine"), name, dev);
    if (!object_set_str(dev, "drive", blockdev, errp)) {
        object_unref(dev);
        return NULL;
    }
    size = blk_length(s->blk);
    if (!size || size % PC_BLOCK || size > 8 * MIB) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "system firmware block device %s has invalid size %" PRIu64
                   "; accepted: multiples of 4 KiB up to 8 MiB", blockdev, size);
        object_unref(dev);
        return NULL;
    }
    if (!object_set_uint(dev, "num-blocks", size / PC_BLOCK, errp) ||
        !object_set_uint(dev, "sector-length", PC_BLOCK, errp) || !object_set_str(dev, "name", name, errp)) {
        object_unref(dev);
        return NULL;
    }
    return device_realize_unref(dev, NULL, errp) ? dev : NULL;
}

MemRegion *pflash_cfi01_region(Device *dev)
{
    return &PFLASH(dev)->mem;
}
