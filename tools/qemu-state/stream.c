/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a migration stream without the machine that it is for. */
#include "util/osdep.h"
#include "tools/qemu-state/state.h"

#include <fcntl.h>
#include <unistd.h>
#include "block/block.h"
#include "migration/ram.h"
#include "migration/snapshot.h"
#include "qobject/qobject.h"
#include "util/bswap.h"

/* ---------------------------------------------------------------- memory */

/* Blocks as the stream names them, for the pages that follow. */
static bool make_blocks(const QList *list, Error **errp)
{
    QLIST_FOR_EACH(e, list) {
        const QDict *d = qobject_get_dict(e, "ram", errp);
        const char *id = d ? qdict_get_str(d, "id", errp) : NULL;
        uint64_t size;

        if (!id || !qdict_get_uint(d, "size", &size, errp)) {
            return false;
        }
        if (!size || size > INT64_MAX || size % MEM_PAGE_SIZE) {
            error_setf(errp, ERR_STATE_INVALID, "RAM block '%s' has %" PRIu64 " bytes", id, size);
            return false;
        }
        if (!ram_block_new(id, size, 0, errp)) {
            return false;
        }
    }
    return true;
}

static void range_clear(void *p)
{
    g_free(((Range *)p)->region);
}

/* What doesn't fit is left out: it is there for people. */
static void read_ranges(Stream *s, const QDict *desc)
{
    const QList *list = qobject_to_list(qdict_get(desc, "memory"));

    if (!list) {
        return;
    }
    QLIST_FOR_EACH(e, list) {
        const QDict *d = qobject_to_dict(e);
        RamBlock *ram = d ? ram_block_find(qdict_str_or(d, "ram", "")) : NULL;
        Range r = { .ram = ram };

        if (ram && qdict_get_uint(d, "address", &r.address, NULL) && qdict_get_uint(d, "size", &r.size, NULL) &&
            qdict_get_uint(d, "offset", &r.offset, NULL) && r.offset <= ram->size &&
            r.size <= ram->size - r.offset && r.size && r.address <= UINT64_MAX - r.size) {
            r.region = g_strdup(qdict_str_or(d, "region", "RAM"));
            g_array_append_val(s->ranges, r);
        }
    }
}

static const Range *range_at(const Stream *s, uint64_t addr)
{
    for (guint i = 0; i < s->ranges->len; i++) {
        const Range *r = &g_array_index(s->ranges, Range, i);

        if (addr >= r->address && addr - r->address < r->size) {
            return r;
        }
    }
    return NULL;
}

static bool memory_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
    uint8_t *p = buf;

    while (len) {
        const Range *r = range_at(opaque, addr);
        size_t n;

        if (!r) {
            return false;
        }
        n = MIN(len, r->size - (addr - r->address));
        memcpy(p, r->ram->host + r->offset + (addr - r->address), n);
        p += n;
        addr += n;
        len -= n;
    }
    return true;
}

static char *memory_where(void *opaque, uint64_t addr)
{
    const Range *r = range_at(opaque, addr);

    return r ? g_strdup_printf("%s+0x%" PRIx64, r->region, r->offset + (addr - r->address)) : NULL;
}

StateMemory stream_memory(Stream *s)
{
    return (StateMemory){ memory_read, memory_where, s };
}

/* ---------------------------------------------------------------- stream */

static RamLoad *read_conf(Stream *s, MigReader *r, Error **errp)
{
    RamLoad *ram = NULL;
    uint32_t channel;
    QDict *conf;
    const QList *blocks;

    if (!mig_read_head(r, &channel, errp) || !mig_next(r, errp)) {
        return NULL;
    }
    if (channel || r->tag != MIG_CONF) {
        error_setf(errp, ERR_STATE_INVALID, "the stream doesn't begin with a record 'CONF'");
        return NULL;
    }
    conf = mig_get_json(r, errp);
    if (conf && (blocks = qdict_get_list(conf, "ram", errp)) && make_blocks(blocks, errp)) {
        s->machine = g_strdup(qdict_str_or(conf, "machine", ""));
        ram = ram_load_new(blocks, errp);
    }
    qobject_unref(conf);
    return ram;
}

static bool read_desc(Stream *s, MigReader *r, Error **errp)
{
    QDict *desc = mig_get_json(r, errp);

    if (desc && s->with_memory) {
        read_ranges(s, desc);
    }
    qobject_unref(desc);
    return desc != NULL;
}

static bool read_record(Stream *s, MigReader *r, RamLoad *ram, bool *done, Error **errp)
{
    if (!mig_next(r, errp)) {
        return false;
    }
    switch (r->tag) {
    case MIG_RAMP:
        return !s->with_memory || ram_load_record(ram, r, errp);
    case MIG_DEVI:
        return mig_devices_read(s->devices, r, errp);
    case MIG_DESC:
        return read_desc(s, r, errp);
    case MIG_DONE:
        *done = true;
        return true;
    default:
        return true;            /* of no use here */
    }
}

static bool read_stream(Stream *s, MigChannel *ch, Error **errp)
{
    bool done = false, ok;
    RamLoad *ram;
    MigReader r;

    mig_reader_init(&r, ch);
    ram = read_conf(s, &r, errp);
    ok = ram != NULL;
    while (ok && !done) {
        ok = read_record(s, &r, ram, &done, errp);
    }
    ram_load_free(ram);
    mig_reader_cleanup(&r);
    return ok;
}

/* ----------------------------------------------------------------- files */

static BlockNode *open_image(const char *path, Error **errp)
{
    QDict *opts = block_filename_options(path, errp), *image;
    BlockNode *n;

    if (!opts) {
        return NULL;
    }
    image = qdict_new();
    qdict_put(image, "file", opts);
    qdict_put_bool(image, "read-only", true);
    qdict_put_bool(image, "force-share", true);
    n = block_node_open(image, errp);
    qobject_unref(image);
    return n;
}

/* The one that is meant; its state's size, 0 with errp set. */
static uint64_t choose(const BlockSnapshot *list, size_t count, const char *name, const char **chosen, Error **errp)
{
    const BlockSnapshot *s = name ? block_snapshot_find(list, count, name) : NULL;

    for (size_t i = 0; !name && i < count; i++) {
        if (list[i].vm_state_size && s) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "the image has several snapshots of a machine");
            error_hint(errp, "--list shows them, --snapshot chooses");
            return 0;
        }
        s = list[i].vm_state_size ? &list[i] : s;
    }
    if (!s || !s->vm_state_size) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "the file is no migration stream, and has no snapshot%s%s of a machine",
                   name ? " " : "", name ? name : "");
        return 0;
    }
    *chosen = s->id;
    return s->vm_state_size;
}

static bool read_image(Stream *s, const char *path, const char *snapshot, Error **errp)
{
    BlockNode *n = open_image(path, errp);
    BlockSnapshot *list;
    const char *id = NULL;
    uint64_t size;
    size_t count = 0;
    bool ok = false;

    if (!n) {
        return false;
    }
    list = block_snapshot_list(n, &count, NULL);
    size = choose(list, count, snapshot, &id, errp);
    if (size && block_snapshot_look(n, id, errp)) {
        MigChannel *ch = snapshot_channel(n, size);

        ok = read_stream(s, ch, errp);
        mig_channel_free(ch);
    }
    block_snapshot_list_free(list, count);
    block_node_unref(n);
    return ok;
}

bool stream_list(const char *path, Error **errp)
{
    BlockNode *n = open_image(path, errp);
    BlockSnapshot *list;
    size_t count = 0;

    if (!n) {
        return false;
    }
    list = block_snapshot_list(n, &count, NULL);
    for (size_t i = 0; i < count; i++) {
        printf("%s\t%s\t%" PRIu64 " bytes of state\n", list[i].id, list[i].name, list[i].vm_state_size);
    }
    block_snapshot_list_free(list, count);
    block_node_unref(n);
    return true;
}

static bool is_stream(int fd)
{
    char head[8] = "";

    return pread(fd, head, sizeof(head), 0) == sizeof(head) && !memcmp(head, "VMSTREAM", sizeof(head));
}

bool stream_open(Stream *s, const char *path, const char *snapshot, Error **errp)
{
    int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
    MigChannel *ch;
    bool ok;

    s->devices = mig_devices_new();
    s->ranges = g_array_new(FALSE, FALSE, sizeof(Range));
    g_array_set_clear_func(s->ranges, range_clear);
    if (fd < 0) {
        error_set_errno(errp, errno, "can't open '%s'", path);
        return false;
    }
    if (strcmp(path, "-") && !is_stream(fd)) {
        close(fd);
        return read_image(s, path, snapshot, errp);
    }
    ch = mig_channel_new_fd(fd, 0);
    ok = read_stream(s, ch, errp);
    mig_channel_free(ch);
    return ok;
}

void stream_cleanup(Stream *s)
{
    mig_devices_free(s->devices);
    g_array_unref(s->ranges);
    g_free(s->machine);
}
