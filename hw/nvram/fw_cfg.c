/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware configuration device, port I/O form with DMA.
 *
 * Source: the kernel's Documentation/devicetree/bindings (qemu,fw-cfg) and
 * include/uapi/linux/qemu_fw_cfg.h ("UAPI"): selector port 510h (16 bits),
 * data port 511h, DMA address register 514h (big-endian, the low half starts
 * the transfer).
 */
#include "util/osdep.h"
#include "hw/nvram/fw_cfg.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hw/core/state-view.h"
#include "util/bswap.h"
#include "util/log.h"

#define IOBASE          0x510
#define DMA_IOBASE      0x514
#define SIGNATURE       "QEMU"
#define ID_TRADITIONAL  BIT(0)
#define ID_DMA          BIT(1)
#define KEY_WRITE       BIT(14)     /* old write channel: ignored */
#define KEY_LOCAL       BIT(15)
#define KEY_MASK        0x3fff
#define KEY_INVALID     0xffff
#define NUM_KEYS        (FW_CFG_FILE_FIRST + FW_CFG_FILE_SLOTS)

/* UAPI: control word of a DMA descriptor. */
#define DMA_ERROR       BIT(0)
#define DMA_READ        BIT(1)
#define DMA_SKIP        BIT(2)
#define DMA_SELECT      BIT(3)
#define DMA_WRITE       BIT(4)
#define DMA_SIGNATURE   UINT64_C(0x51454d5520434647)    /* "QEMU CFG" */

#define WINDOW          (64 * KIB)

typedef struct FwCfgItem {
    uint8_t *data;              /* or, if NULL, */
    bool in_file;               /* it is read from a file when it is wanted: */
    int fd;
    uint64_t at;
    uint32_t len;
    bool writable, built;
    void (*build)(FwCfg *s, void *opaque);
    void *opaque;
} FwCfgItem;

struct FwCfg {
    Device dev;
    MemRegion ctl_io, dma_io;
    AddressSpace *dma_as;
    FwCfgItem items[2][NUM_KEYS];           /* generic, architecture's own */
    char names[FW_CFG_FILE_SLOTS][FW_CFG_MAX_NAME];
    uint32_t num_files;
    uint16_t key;                           /* selected */
    uint32_t offset;                        /* of the next byte in it */
    uint64_t dma_addr;
    uint8_t *window;                        /* what was read last of an item that is in a file; or NULL */
    const FwCfgItem *window_of;
    uint32_t window_at, window_len;         /* place in the item */
};

/* UAPI: struct fw_cfg_file, big-endian. */
typedef struct PACKED DirEntry {
    uint8_t size[4], select[2], reserved[2];
    char name[FW_CFG_MAX_NAME];
} DirEntry;

static FwCfgItem *fw_cfg_item(FwCfg *s, unsigned key)
{
    unsigned n = key & KEY_MASK;

    return key != KEY_INVALID && n < NUM_KEYS ? &s->items[!!(key & KEY_LOCAL)][n] : NULL;
}

static void fw_cfg_select(FwCfg *s, uint16_t key)
{
    FwCfgItem *item;

    s->key = key & (uint16_t)~KEY_WRITE;
    s->offset = 0;
    item = fw_cfg_item(s, s->key);
    if (item && item->build && !item->built) {
        item->built = true;
        item->build(s, item->opaque);
    }
}

/* How many bytes the guest may still read of the selected item. */
static uint32_t fw_cfg_available(FwCfg *s)
{
    const FwCfgItem *item = fw_cfg_item(s, s->key);

    return item && (item->data || item->in_file) && s->offset < item->len ? item->len - s->offset : 0;
}

/* The next bytes of the item, of which there are some: up to *@n, which becomes how many. A file that has become
 * shorter ends in zeros. */
static const uint8_t *fw_cfg_next(FwCfg *s, uint32_t *n)
{
    const FwCfgItem *item = fw_cfg_item(s, s->key);

    *n = MIN(*n, item->len - s->offset);
    if (item->data) {
        return item->data + s->offset;
    }
    if (s->window_of != item || s->offset - s->window_at >= s->window_len) {
        s->window = s->window ? s->window : g_malloc(WINDOW);
        s->window_of = item;
        s->window_at = s->offset;
        s->window_len = MIN(WINDOW, item->len - s->offset);
        for (uint32_t have = 0; have < s->window_len; ) {
            ssize_t got = pread(item->fd, s->window + have, s->window_len - have,
                                (off_t)(item->at + s->offset + have));

            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got <= 0) {
                memset(s->window + have, 0, s->window_len - have);
                break;
            }
            have += (uint32_t)got;
        }
    }
    *n = MIN(*n, s->window_at + s->window_len - s->offset);
    return s->window + (s->offset - s->window_at);
}

static void fw_cfg_read_bytes(FwCfg *s, uint8_t *buf, uint32_t len)
{
    while (len && fw_cfg_available(s)) {
        uint32_t n = len;
        const uint8_t *from = fw_cfg_next(s, &n);

        memcpy(buf, from, n);
        s->offset += n;
        buf += n;
        len -= n;
    }
    memset(buf, 0, len);                    /* zeros after the end */
}

static MemResult fw_cfg_ctl_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                                 MemAttrs attrs)
{
    FwCfg *s = opaque;
    uint8_t byte = 0;

    if (addr == 1 && size == 1 && !attrs.debug) {
        fw_cfg_read_bytes(s, &byte, 1);
    }
    *val = byte;
    return MEM_OK;
}

static MemResult fw_cfg_ctl_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                                  UNUSED MemAttrs attrs)
{
    FwCfg *s = opaque;

    if (addr == 0 && size == 2) {
        fw_cfg_select(s, (uint16_t)val);
    } else {
        log_guest_error("fw_cfg", "write of %u bytes at port 0x%x", size,
                        IOBASE + (unsigned)addr);
    }
    return MEM_OK;
}

static const MemOps fw_cfg_ctl_ops = {
    .read = fw_cfg_ctl_read, .write = fw_cfg_ctl_write, .order = MEM_LE,
    .valid = { 1, 2 }, .impl = { .min = 1, .max = 2 },
};

/* Move @len bytes between the item and memory; false on a memory error. */
static bool fw_cfg_dma_move(FwCfg *s, uint32_t control, uint64_t addr, uint32_t len)
{
    FwCfgItem *item = fw_cfg_item(s, s->key);
    uint32_t available = fw_cfg_available(s);

    if (control & DMA_SKIP) {
        s->offset += MIN(len, available);
        return true;
    }
    if (control & DMA_WRITE) {
        if (!item || !item->data || !item->writable || len > available) {
            return false;
        }
        if (address_space_read(s->dma_as, addr, MEM_ATTRS_NONE, item->data + s->offset, len)) {
            return false;
        }
        s->offset += len;
        return true;
    }
    while (len && fw_cfg_available(s)) {    /* straight out of the item */
        uint32_t n = len;
        const uint8_t *from = fw_cfg_next(s, &n);

        if (address_space_write(s->dma_as, addr, MEM_ATTRS_NONE, from, n)) {
            return false;
        }
        s->offset += n;
        addr += n;
        len -= n;
    }
    return !len || address_space_set(s->dma_as, addr, 0, len, MEM_ATTRS_NONE) == MEM_OK;
}

/* UAPI: struct fw_cfg_dma_access; control is cleared when it is done. */
static void fw_cfg_dma_run(FwCfg *s)
{
    uint64_t desc = s->dma_addr;
    uint8_t raw[16], status[4] = { 0 };
    uint32_t control;

    s->dma_addr = 0;
    if (address_space_read(s->dma_as, desc, MEM_ATTRS_NONE, raw, sizeof(raw))) {
        store_be32(status, DMA_ERROR);
        address_space_write(s->dma_as, desc, MEM_ATTRS_NONE, status, sizeof(status));
        return;
    }
    control = load_be32(raw);
    if (control & DMA_SELECT) {
        fw_cfg_select(s, (uint16_t)(control >> 16));
    }
    if ((control & (DMA_READ | DMA_WRITE | DMA_SKIP)) &&
        !fw_cfg_dma_move(s, control, load_be64(raw + 8), load_be32(raw + 4))) {
        store_be32(status, DMA_ERROR);
    }
    address_space_write(s->dma_as, desc, MEM_ATTRS_NONE, status, sizeof(status));
}

static MemResult fw_cfg_dma_read(UNUSED void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                                 UNUSED MemAttrs attrs)
{
    *val = DMA_SIGNATURE >> (8 - addr - size) * 8;
    return MEM_OK;
}

static MemResult fw_cfg_dma_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                                  UNUSED MemAttrs attrs)
{
    FwCfg *s = opaque;

    if (size == 4 && addr == 0) {
        s->dma_addr = val << 32;
    } else if (size == 4 && addr == 4) {
        s->dma_addr |= (uint32_t)val;
        fw_cfg_dma_run(s);
    } else if (size == 8 && addr == 0) {
        s->dma_addr = val;
        fw_cfg_dma_run(s);
    } else {
        log_guest_error("fw_cfg", "write of %u bytes to the DMA address", size);
    }
    return MEM_OK;
}

static const MemOps fw_cfg_dma_ops = {
    .read = fw_cfg_dma_read, .write = fw_cfg_dma_write, .order = MEM_BE,
    .valid = { 1, 8 }, .impl = { .min = 1, .max = 8 },
};

/* ------------------------------------------------------- the board's side */

static void fw_cfg_put(FwCfgItem *item, const void *data, size_t len)
{
    uint8_t *old = item->data;

    item->data = g_malloc(len ? len : 1);
    if (len) {
        memcpy(item->data, data, len);
    }
    item->len = (uint32_t)len;
    g_free(old);
}

void fw_cfg_add_bytes(FwCfg *s, unsigned key, const void *data, size_t len)
{
    FwCfgItem *item = fw_cfg_item(s, key);

    assert(item && len <= UINT32_MAX);
    fw_cfg_put(item, data, len);
}

bool fw_cfg_add_from_file(FwCfg *s, unsigned key, const char *path, uint64_t at, size_t len)
{
    FwCfgItem *item = fw_cfg_item(s, key);
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert(item && len <= UINT32_MAX && !item->data && !item->in_file);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size < at + len) {
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    *item = (FwCfgItem){ .in_file = true, .fd = fd, .at = at, .len = (uint32_t)len };
    return true;
}

void fw_cfg_add_string(FwCfg *s, unsigned key, const char *text)
{
    fw_cfg_add_bytes(s, key, text, strlen(text) + 1);
}

void fw_cfg_add_i16(FwCfg *s, unsigned key, uint16_t val)
{
    uint8_t raw[2];

    store_le16(raw, val);
    fw_cfg_add_bytes(s, key, raw, sizeof(raw));
}

void fw_cfg_add_i32(FwCfg *s, unsigned key, uint32_t val)
{
    uint8_t raw[4];

    store_le32(raw, val);
    fw_cfg_add_bytes(s, key, raw, sizeof(raw));
}

void fw_cfg_add_i64(FwCfg *s, unsigned key, uint64_t val)
{
    uint8_t raw[8];

    store_le64(raw, val);
    fw_cfg_add_bytes(s, key, raw, sizeof(raw));
}

static FwCfgItem *fw_cfg_file_item(FwCfg *s, const char *name)
{
    for (uint32_t i = 0; i < s->num_files; i++) {
        if (!strcmp(s->names[i], name)) {
            return &s->items[0][FW_CFG_FILE_FIRST + i];
        }
    }
    return NULL;
}

static void fw_cfg_update_dir(FwCfg *s)
{
    size_t len = 4 + s->num_files * sizeof(DirEntry);
    uint8_t *dir = g_malloc0(len);

    store_be32(dir, s->num_files);
    for (uint32_t i = 0; i < s->num_files; i++) {
        DirEntry *e = (DirEntry *)(dir + 4) + i;

        store_be32(e->size, s->items[0][FW_CFG_FILE_FIRST + i].len);
        store_be16(e->select, (uint16_t)(FW_CFG_FILE_FIRST + i));
        memcpy(e->name, s->names[i], FW_CFG_MAX_NAME);
    }
    fw_cfg_put(&s->items[0][FW_CFG_FILE_DIR], dir, len);
    g_free(dir);
}

bool fw_cfg_add_file_callback(FwCfg *s, const char *name, const void *data, size_t len,
                              bool writable, void (*build)(FwCfg *s, void *opaque),
                              void *opaque, Error **errp)
{
    FwCfgItem *item;

    if (strlen(name) >= FW_CFG_MAX_NAME) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "fw_cfg file name '%s' is longer than %d bytes",
                   name, FW_CFG_MAX_NAME - 1);
        return false;
    }
    if (fw_cfg_file_item(s, name)) {
        error_setf(errp, ERR_DUPLICATE_ID, "there is a fw_cfg file '%s' already", name);
        return false;
    }
    if (s->num_files == FW_CFG_FILE_SLOTS) {
        error_setf(errp, ERR_OUT_OF_RANGE, "all %d slots for fw_cfg files are taken",
                   FW_CFG_FILE_SLOTS);
        return false;
    }
    strcpy(s->names[s->num_files], name);
    item = &s->items[0][FW_CFG_FILE_FIRST + s->num_files++];
    item->writable = writable;
    item->build = build;
    item->opaque = opaque;
    fw_cfg_put(item, data, len);
    fw_cfg_update_dir(s);
    return true;
}

bool fw_cfg_add_file(FwCfg *s, const char *name, const void *data, size_t len, Error **errp)
{
    return fw_cfg_add_file_callback(s, name, data, len, false, NULL, NULL, errp);
}

void fw_cfg_set_file(FwCfg *s, const char *name, const void *data, size_t len)
{
    FwCfgItem *item = fw_cfg_file_item(s, name);

    if (item) {
        fw_cfg_put(item, data, len);
        fw_cfg_update_dir(s);
    }
}

const void *fw_cfg_get_file(FwCfg *s, const char *name, size_t *len)
{
    const FwCfgItem *item = fw_cfg_file_item(s, name);

    if (!item) {
        return NULL;
    }
    *len = item->len;
    return item->data;
}

static void fw_cfg_reset_hold(Device *dev)
{
    FwCfg *s = FW_CFG(dev);

    for (unsigned i = 0; i < NUM_KEYS; i++) {
        s->items[0][i].built = s->items[1][i].built = false;
    }
    s->key = FW_CFG_SIGNATURE;
    s->offset = 0;
    s->dma_addr = 0;
}

static bool fw_cfg_realize(Device *dev, UNUSED Error **errp)
{
    FwCfg *s = FW_CFG(dev);

    memory_region_init_io(&s->ctl_io, s, &fw_cfg_ctl_ops, s, "fwcfg", 2);
    memory_region_init_io(&s->dma_io, s, &fw_cfg_dma_ops, s, "fwcfg.dma", 8);
    fw_cfg_add_bytes(s, FW_CFG_SIGNATURE, SIGNATURE, 4);
    fw_cfg_add_i32(s, FW_CFG_ID, ID_TRADITIONAL | ID_DMA);
    fw_cfg_update_dir(s);
    return true;
}

static void fw_cfg_unrealize(Device *dev)
{
    memory_region_cleanup(&FW_CFG(dev)->ctl_io);
    memory_region_cleanup(&FW_CFG(dev)->dma_io);
}

static void fw_cfg_finalize(Device *dev)
{
    FwCfg *s = FW_CFG(dev);

    for (unsigned i = 0; i < NUM_KEYS; i++) {
        for (unsigned k = 0; k < 2; k++) {
            g_free(s->items[k][i].data);
            if (s->items[k][i].in_file) {
                close(s->items[k][i].fd);
            }
        }
    }
    g_free(s->window);
}

/* The content is the configuration's, which is the same on both sides. */
static const VmField fw_cfg_fields[] = {
    VM_U16(FwCfg, key), VM_U32(FwCfg, offset), VM_U64(FwCfg, dma_addr), VM_END
};

static const VmMeaning fw_cfg_meanings[] = {
    { "key", "item that is selected" }, { "offset", "of the next byte in it" },
    { "dma_addr", "where the DMA descriptor is", .address = true }, { .name = NULL }
};

static void add_item(StateNode *into, const char *name, unsigned key, const FwCfgItem *item)
{
    StateNode *n = state_add_struct(into, name);

    state_add_uint(n, "key", key, 16);
    state_add_uint(n, "size", item->len, 32);
    state_mean(n, "%u bytes%s%s", item->len, item->writable ? ", writable" : "",
               item->build && !item->built ? ", made when it is selected" : "");
}

/* Not saved: the machine's configuration makes it. */
static void print_directory(StateView *v, StateNode *into)
{
    FwCfg *s = v->dev ? FW_CFG(v->dev) : NULL;
    StateNode *items;

    if (!s) {
        return;
    }
    items = state_add_struct(into, "items");
    for (unsigned i = 0; i < 2 * NUM_KEYS; i++) {
        unsigned key = i < NUM_KEYS ? i : (i - NUM_KEYS) | KEY_LOCAL;
        const FwCfgItem *item = &s->items[i >= NUM_KEYS][i % NUM_KEYS];
        g_autofree char *name = g_strdup_printf("0x%04x", key);

        if ((item->data || item->in_file || item->build) && (i < FW_CFG_FILE_FIRST || i >= NUM_KEYS)) {
            add_item(items, name, key, item);
        }
    }
    items = state_add_struct(into, "files");
    for (unsigned i = 0; i < s->num_files; i++) {
        add_item(items, s->names[i], FW_CFG_FILE_FIRST + i, &s->items[0][FW_CFG_FILE_FIRST + i]);
    }
}

static const DeviceType fw_cfg_type = {
    .name = TYPE_FW_CFG_IO, .size = sizeof(FwCfg), .desc = "firmware configuration",
    .not_user_creatable = true, .realize = fw_cfg_realize, .unrealize = fw_cfg_unrealize,
    .finalize = fw_cfg_finalize, .reset_hold = fw_cfg_reset_hold,
    .vm = { 1, fw_cfg_fields, .meanings = fw_cfg_meanings },
    .printers = STATE_PRINTERS({ "directory", "items by key, and files", print_directory }),
};
DEVICE_TYPE(fw_cfg_type)

FwCfg *fw_cfg_create_io(MemRegion *io, AddressSpace *dma, Error **errp)
{
    Device *dev = device_new(TYPE_FW_CFG_IO);
    FwCfg *s = FW_CFG(dev);

    s->dma_as = dma;
    object_add_child(object_container("/machine"), "fw_cfg", dev);
    if (!device_realize_unref(dev, NULL, errp)) {
        return NULL;
    }
    memory_region_add(io, IOBASE, &s->ctl_io);
    memory_region_add(io, DMA_IOBASE, &s->dma_io);
    return s;
}

static int fw_cfg_is(Device *dev, void *opaque)
{
    if (object_is_a(dev, TYPE_FW_CFG_IO)) {
        *(FwCfg **)opaque = FW_CFG(dev);
        return 1;
    }
    return 0;
}

FwCfg *fw_cfg_find(void)
{
    FwCfg *s = NULL;

    device_foreach(fw_cfg_is, &s);
    return s;
}
