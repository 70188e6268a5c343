/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SCSI targets behind an adapter made here: with memory, and step by step. */
#include "util/osdep.h"
#include "block/block.h"
#include "hw/scsi/scsi.h"
#include "tests/lib/test.h"

#include <glib.h>
#include "qobject/qobject.h"
#include "util/bswap.h"
#include "util/main-loop.h"

#define BLOCKS  4096

typedef struct Adapter {
    Device dev;
    ScsiBus *bus;
    ScsiRequest *kept;              /* of the step that waits */
    uint8_t *step;
    uint32_t step_len;
} Adapter;

typedef struct Command {
    bool ended, cancelled;
    uint8_t status;
    ScsiSense sense;
    uint64_t moved;
    uint8_t data[256 * 1024];
    bool manual;                    /* steps wait for the test */
} Command;

static void on_data(ScsiRequest *r, uint8_t *buf, uint32_t len)
{
    Adapter *a = scsi_bus(r->dev)->opaque;
    Command *c = r->opaque;

    if (c && !c->manual) {
        if (r->dir == SCSI_FROM_DEVICE) {
            memcpy(c->data + r->moved, buf, len);
        } else {
            memcpy(buf, c->data + r->moved, len);
        }
        scsi_request_continue(r);
        return;
    }
    a->kept = scsi_request_ref(r);
    a->step = buf;
    a->step_len = len;
}

static void on_complete(ScsiRequest *r)
{
    Command *c = r->opaque;

    c->ended = true;
    c->status = r->status;
    c->moved = r->moved;
    c->sense = SCSI_SENSE(r->sense[2], r->sense[12], r->sense[13]);
}

static void on_cancelled(ScsiRequest *r)
{
    ((Command *)r->opaque)->cancelled = true;
}

static const ScsiHostOps adapter_ops = {
    .max_target = 7, .max_lun = 300, .data = on_data, .complete = on_complete,
    .cancelled = on_cancelled,
};

static bool adapter_realize(Device *dev, UNUSED Error **errp)
{
    Adapter *a = (Adapter *)dev;

    a->bus = scsi_bus_new(dev, NULL, &adapter_ops, a);
    return true;
}

static const VmField adapter_fields[] = { VM_SCSI_REQUEST(Adapter, kept, bus), VM_END };
static const DeviceType adapter_type = {
    .name = "test-scsi-adapter", .size = sizeof(Adapter), .realize = adapter_realize,
    .vm = { 1, adapter_fields },
};
DEVICE_TYPE(adapter_type)

static void remove_device(void *dev)
{
    device_delete(dev);
}

static Adapter *adapter(Test *t)
{
    Device *dev;

    main_loop_init();
    dev = device_new("test-scsi-adapter");
    check_true(t, device_realize_unref(dev, NULL, NULL), "the adapter");
    test_at_end(t, remove_device, dev);
    return (Adapter *)dev;
}

static void remove_drive(void *blk)
{
    blk_delete(blk);
}

static ScsiDevice *unit(Test *t, Adapter *a, const char *type, const char *props)
{
    static unsigned number;
    g_autofree char *id = g_strdup_printf("drive%u", number++);
    g_autofree char *path = g_strdup_printf("%s/%s.img", test_tmpdir(t), id);
    g_autofree uint8_t *data = g_malloc(BLOCKS * 512);
    g_auto(GStrv) words = g_strsplit(props, ",", -1);
    Device *dev = device_new(type);
    QDict *opts;
    DriveSpec spec;
    Error *err = NULL;

    for (unsigned i = 0; i < BLOCKS * 512; i++) {
        data[i] = i / 512 + i * 5;
    }
    g_file_set_contents(path, (char *)data, BLOCKS * 512, NULL);
    opts = qdict_from_fmt("{'if': 'none', 'id': %s, 'file': %s, 'format': 'raw'}", id, path);
    check_true(t, drive_add(opts, "none", &spec, &err), err ? error_message(err) : "drive");
    qobject_unref(opts);
    drive_spec_cleanup(&spec);
    test_at_end(t, remove_drive, blk_find(id));
    object_set_str(dev, "drive", id, NULL);
    for (char **w = words; *w && **w; w++) {
        char *value = strchr(*w, '=');

        *value++ = 0;
        check_true(t, object_set_str(dev, *w, value, &err), err ? error_message(err) : *w);
    }
    check_true(t, device_realize_unref(dev, &a->bus->bus, &err), err ? error_message(err) : type);
    test_at_end(t, remove_device, dev);
    return SCSI_DEVICE(dev);
}

static void wait_for(bool *flag)
{
    while (!*flag) {
        main_loop_iterate(true);
    }
}

static ScsiRequest *start(Adapter *a, uint32_t lun, Command *c, const uint8_t *cdb)
{
    ScsiDevice *d = scsi_device_find(a->bus, 0, 0, lun);
    ScsiRequest *r = scsi_request_new(d, 1, lun, cdb, scsi_cdb_length(cdb[0]), c);

    c->ended = false;
    scsi_request_start(r);
    return r;
}

/* Without memory. */
static uint8_t run(Adapter *a, uint32_t lun, Command *c, const uint8_t *cdb)
{
    scsi_request_unref(start(a, lun, c, cdb));
    wait_for(&c->ended);
    return c->status;
}

/* With memory in pieces of odd sizes. */
static uint8_t run_memory(Adapter *a, uint32_t lun, Command *c, const uint8_t *cdb)
{
    struct iovec iov[3] = { { c->data, 100 }, { c->data + 100, 5000 },
                            { c->data + 5100, sizeof(c->data) - 5100 } };
    ScsiDevice *d = scsi_device_find(a->bus, 0, 0, lun);
    ScsiRequest *r = scsi_request_new(d, 1, lun, cdb, scsi_cdb_length(cdb[0]), c);

    c->ended = false;
    scsi_request_set_memory(r, iov, 3);
    scsi_request_start(r);
    scsi_request_unref(r);
    wait_for(&c->ended);
    return c->status;
}

#define CDB(...)    ((const uint8_t[SCSI_CDB_MAX]){ __VA_ARGS__ })

static uint8_t pattern(uint32_t lba, uint32_t i)
{
    return lba + i / 512 + (lba * 512 + i) * 5;
}

static void check_pattern(Test *t, const Command *c, uint32_t lba, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        if (c->data[i] != pattern(lba, i)) {
            check_u8(t, c->data[i], pattern(lba, i), "data of the image");
            return;
        }
    }
}

static Adapter *with_disk(Test *t, Command **c)
{
    Adapter *a = adapter(t);

    unit(t, a, "scsi-hd", "scsi-id=0,lun=0,serial=ABC123,wwn=0x5000c50015ea71ac,dpofua=on");
    *c = g_new0(Command, 1);
    test_at_end(t, g_free, *c);
    run(a, 0, *c, CDB(0x00));
    return a;
}

TEST(scsi, attention_and_sense)
{
    Command *c = g_new0(Command, 1);
    Adapter *a = adapter(t);

    test_at_end(t, g_free, c);
    unit(t, a, "scsi-hd", "");
    check_u8(t, run(a, 0, c, CDB(0x12, 0, 0, 0, 36)), SCSI_GOOD, "SAM 5.14: INQUIRY goes on");
    check_u8(t, run(a, 0, c, CDB(0x00)), SCSI_CHECK_CONDITION, "power on is told");
    check_u8(t, c->sense.asc, 0x29, "ASC");
    check_u8(t, run(a, 0, c, CDB(0x00)), SCSI_GOOD, "once");
    check_u8(t, run(a, 0, c, CDB(0xfe)), SCSI_CHECK_CONDITION, "no such command");
    check_u8(t, run(a, 0, c, CDB(0x03, 0, 0, 0, 252)), SCSI_GOOD, "REQUEST SENSE");
    check_u64(t, c->moved, 18, "18 bytes");
    check_u8(t, c->data[2], 5, "the failed command's key");
    check_u8(t, c->data[12], 0x20, "and code");
    run(a, 0, c, CDB(0x03, 0, 0, 0, 252));
    check_u8(t, c->data[2], 0, "sense is gone once read");
    scsi_bus_reset(a->bus);
    check_u8(t, run(a, 0, c, CDB(0x00)), SCSI_CHECK_CONDITION, "a bus reset is told");
}

TEST(scsi, luns)
{
    Command *c = g_new0(Command, 1);
    Adapter *a = adapter(t);

    test_at_end(t, g_free, c);
    unit(t, a, "scsi-hd", "scsi-id=0,lun=1");
    unit(t, a, "scsi-hd", "scsi-id=0,lun=257");
    check_u8(t, run(a, 0, c, CDB(0x12, 0, 0, 0, 36)), SCSI_GOOD, "INQUIRY of a missing LUN 0");
    check_u8(t, c->data[0], 0x20, "SPC-4 6.6.2: nothing is connected");
    run(a, 7, c, CDB(0x12, 0, 0, 0, 36));
    check_u8(t, c->data[0], 0x7f, "no unit can be there");
    check_u8(t, run(a, 7, c, CDB(0x00)), SCSI_CHECK_CONDITION, "and commands fail");
    check_u8(t, c->sense.asc, 0x25, "LOGICAL UNIT NOT SUPPORTED");
    run(a, 0, c, CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 16, 0));
    check_u32(t, load_be32(c->data), 24, "REPORT LUNS: three");
    check_u16(t, load_be16(c->data + 16), 1, "LUN 1");
    check_u16(t, load_be16(c->data + 24), 0x4101, "LUN 257 in flat space addressing");
}

TEST(scsi, inquiry_pages)
{
    Command *c;
    Adapter *a = with_disk(t, &c);

    run(a, 0, c, CDB(0x12, 0, 0, 0, 255));
    check_mem(t, c->data + 8, "QEMU    QEMU HARDDISK   2.5+", 28, "names");
    run(a, 0, c, CDB(0x12, 1, 0, 0, 255));
    check_mem(t, c->data + 3, "\6\0\x80\x83\xb0\xb1\xb2", 7, "supported pages");
    run(a, 0, c, CDB(0x12, 1, 0x80, 0, 255));
    check_mem(t, c->data + 3, "\6ABC123", 7, "serial number");
    run(a, 0, c, CDB(0x12, 1, 0x83, 0, 255));
    check_u64(t, load_be64(c->data + 4 + 10 + 4), 0x5000c50015ea71ac, "NAA");
    check_u8(t, run(a, 0, c, CDB(0x12, 1, 0xb0, 0, 255)), SCSI_GOOD, "block limits");
    check_u64(t, c->moved, 64, "64 bytes");
    check_u8(t, run(a, 0, c, CDB(0x12, 1, 0x77, 0, 255)), SCSI_CHECK_CONDITION, "no such page");
    run(a, 0, c, CDB(0x25));
    check_u32(t, load_be32(c->data), BLOCKS - 1, "last block");
    run(a, 0, c, CDB(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32));
    check_u64(t, load_be64(c->data), BLOCKS - 1, "READ CAPACITY(16)");
    check_u8(t, c->data[14], 0x80, "LBPME");
}

static void read_and_write(Test *t, uint8_t (*go)(Adapter *, uint32_t, Command *, const uint8_t *))
{
    Command *c;
    Adapter *a = with_disk(t, &c);

    check_u8(t, go(a, 0, c, CDB(0x08, 0, 0, 3, 2)), SCSI_GOOD, "READ(6)");
    check_pattern(t, c, 3, 1024);
    check_u8(t, go(a, 0, c, CDB(0x28, 0, 0, 0, 0, 16, 0, 1, 255)), SCSI_GOOD, "511 blocks");
    check_u64(t, c->moved, 511 * 512, "bytes");
    check_pattern(t, c, 16, 511 * 512);
    check_u8(t, go(a, 0, c, CDB(0x08, 0, 0, 0, 0)), SCSI_GOOD, "READ(6) of 0 is of 256");
    check_u64(t, c->moved, 256 * 512, "bytes");
    memset(c->data, 0x5a, sizeof(c->data));
    check_u8(t, go(a, 0, c, CDB(0x2a, 8, 0, 0, 0, 100, 0, 1, 44)), SCSI_GOOD, "WRITE(10) FUA");
    check_u64(t, c->moved, 300 * 512, "bytes");
    check_u8(t, go(a, 0, c, CDB(0x2f, 2, 0, 0, 0, 100, 0, 1, 44)), SCSI_GOOD, "VERIFY, BYTCHK");
    c->data[200 * 512] ^= 1;
    check_u8(t, go(a, 0, c, CDB(0x2f, 2, 0, 0, 0, 100, 0, 1, 44)), SCSI_CHECK_CONDITION, "differs");
    check_u8(t, c->sense.key, SENSE_MISCOMPARE, "MISCOMPARE");
    check_u8(t, go(a, 0, c, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0, 2)), SCSI_GOOD,
             "READ(16)");
    check_u8(t, c->data[0], pattern(99, 0), "before what was written");
    check_u8(t, c->data[512], 0x5a, "what was written");
    memset(c->data, 0x77, 512);
    check_u8(t, go(a, 0, c, CDB(0x41, 0, 0, 0, 4, 0, 0, 1, 0x2c)), SCSI_GOOD, "WRITE SAME(10)");
    go(a, 0, c, CDB(0x28, 0, 0, 0, 4, 0, 0, 1, 0x2d));
    check_u8(t, c->data[299 * 512 + 9], 0x77, "its last block");
    check_u8(t, c->data[300 * 512 + 9], pattern(1024 + 300, 9), "and none behind");
    check_u8(t, go(a, 0, c, CDB(0x28, 0, 0, 0, 16, 0, 0, 0, 1)), SCSI_CHECK_CONDITION, "too far");
    check_u8(t, c->sense.asc, 0x21, "LBA OUT OF RANGE");
    check_u8(t, go(a, 0, c, CDB(0x35)), SCSI_GOOD, "SYNCHRONIZE CACHE");
}

TEST(scsi, io_by_steps)
{
    read_and_write(t, run);
}

TEST(scsi, io_with_memory)
{
    read_and_write(t, run_memory);
}

TEST(scsi, mode_pages)
{
    Command *c;
    Adapter *a = with_disk(t, &c);

    check_u8(t, run(a, 0, c, CDB(0x1a, 0, 8, 0, 255)), SCSI_GOOD, "caching page");
    check_u8(t, c->data[3], 8, "a block descriptor");
    check_u8(t, c->data[2], 0x10, "DPOFUA");
    check_u8(t, c->data[12 + 2], 4, "WCE");
    c->data[0] = 0;
    c->data[12 + 2] = 0;
    check_u8(t, run(a, 0, c, CDB(0x15, 0x10, 0, 0, 32)), SCSI_GOOD, "MODE SELECT: WCE off");
    run(a, 0, c, CDB(0x5a, 0, 8, 0, 0, 0, 0, 0, 255));
    check_u8(t, c->data[16 + 2], 0, "WCE is off");
    c->data[16 + 3] ^= 1;
    check_u8(t, run(a, 0, c, CDB(0x55, 0x10, 0, 0, 0, 0, 0, 0, 36)), SCSI_CHECK_CONDITION,
             "a field that can't be changed");
    check_u8(t, c->sense.asc, 0x26, "INVALID FIELD IN PARAMETER LIST");
    check_u8(t, run(a, 0, c, CDB(0x1a, 0, 0x3f, 0, 255)), SCSI_GOOD, "all pages");
    check_u8(t, run(a, 0, c, CDB(0x1a, 0, 0xff, 0, 255)), SCSI_CHECK_CONDITION, "saved ones");
}

TEST(scsi, unmap)
{
    Command *c;
    Adapter *a = with_disk(t, &c);

    memset(c->data, 0, 40);
    store_be16(c->data, 38);
    store_be16(c->data + 2, 32);
    store_be64(c->data + 8, 8);
    store_be32(c->data + 16, 8);
    store_be64(c->data + 24, BLOCKS - 1);
    store_be32(c->data + 32, 1);
    check_u8(t, run(a, 0, c, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 40)), SCSI_GOOD, "two ranges");
    store_be32(c->data + 32, 2);
    check_u8(t, run(a, 0, c, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 40)), SCSI_CHECK_CONDITION,
             "one beyond the end");
    store_be16(c->data + 2, 4096);
    check_u8(t, run(a, 0, c, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 40)), SCSI_CHECK_CONDITION,
             "descriptors that aren't there");
}

TEST(scsi, cd)
{
    Command *c = g_new0(Command, 1);
    Adapter *a = adapter(t);

    test_at_end(t, g_free, c);
    unit(t, a, "scsi-cd", "scsi-id=0,lun=0");
    run(a, 0, c, CDB(0x00));
    run(a, 0, c, CDB(0x25));
    check_u32(t, load_be32(c->data), BLOCKS / 4 - 1, "blocks of 2048");
    check_u32(t, load_be32(c->data + 4), 2048, "bytes");
    check_u8(t, run(a, 0, c, CDB(0x28, 0, 0, 0, 0, 2, 0, 0, 1)), SCSI_GOOD, "READ(10)");
    check_pattern(t, c, 8, 2048);
    check_u8(t, run(a, 0, c, CDB(0x43, 2, 0, 0, 0, 0, 0, 0, 255)), SCSI_GOOD, "READ TOC");
    check_u64(t, c->moved, 20, "a track and the lead-out");
    check_u8(t, run(a, 0, c, CDB(0x46, 0, 0, 0, 0, 0, 0, 0, 255)), SCSI_GOOD, "configuration");
    check_u16(t, load_be16(c->data + 6), 8, "CD-ROM");
    check_u8(t, run(a, 0, c, CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 1)), SCSI_CHECK_CONDITION, "WRITE");
    run(a, 0, c, CDB(0x1e, 0, 0, 0, 1));
    check_u8(t, run(a, 0, c, CDB(0x1b, 0, 0, 0, 2)), SCSI_CHECK_CONDITION, "locked");
    run(a, 0, c, CDB(0x1e));
    check_u8(t, run(a, 0, c, CDB(0x1b, 0, 0, 0, 2)), SCSI_GOOD, "eject");
    check_u8(t, run(a, 0, c, CDB(0x00)), SCSI_CHECK_CONDITION, "no medium");
    check_u8(t, c->sense.asc, 0x3a, "MEDIUM NOT PRESENT");
    check_u8(t, c->sense.ascq, 2, "TRAY OPEN");
    check_u8(t, run(a, 0, c, CDB(0x1b, 0, 0, 0, 3)), SCSI_GOOD, "load");
    check_u8(t, run(a, 0, c, CDB(0x00)), SCSI_GOOD, "the disc is there again");
}

TEST(scsi, cancel)
{
    Command *c;
    Adapter *a = with_disk(t, &c);
    ScsiRequest *r;

    r = start(a, 0, c, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 8));
    scsi_request_cancel(r);
    check_true(t, !c->cancelled, "an access is in flight");
    wait_for(&c->cancelled);
    check_true(t, !c->ended, "a cancelled request doesn't complete");
    scsi_request_unref(r);
    c->manual = true;
    c->cancelled = false;
    r = start(a, 0, c, CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 8));
    check_true(t, a->kept == r, "it waits for data");
    scsi_device_reset(r->dev, SENSE_DEVICE_RESET);
    check_true(t, c->cancelled && !r->dev->requests, "a reset takes it away");
    scsi_request_unref(a->kept);
    a->kept = NULL;
    scsi_request_unref(r);
}

/* Saved in the middle of a write's data phase and in that of a read. */
TEST(scsi, save_in_step)
{
    g_autoptr(GByteArray) state = g_byte_array_new();
    Command *c;
    Adapter *a = with_disk(t, &c);
    Error *err = NULL;

    c->manual = true;
    scsi_request_unref(start(a, 0, c, CDB(0x28, 0, 0, 0, 0, 16, 0, 1, 255)));
    while (!a->kept) {
        main_loop_iterate(true);
    }
    check_u32(t, a->step_len, SCSI_STEP, "a step");
    check_true(t, device_save(&a->dev, state, &err), "saved");
    scsi_request_cancel(a->kept);
    check_true(t, device_load(&a->dev, state->data, state->len, &err),
               err ? error_message(err) : "loaded");
    if (check_true(t, a->kept && a->kept->in_step, "the request is there")) {
        memcpy(c->data, a->kept->buf, a->kept->step);
        a->kept->opaque = c;
        c->manual = false;
        scsi_request_continue(a->kept);
        wait_for(&c->ended);
        check_u64(t, c->moved, 511 * 512, "all bytes");
        check_pattern(t, c, 16, 511 * 512);
    }
    scsi_request_unref(a->kept);
    a->kept = NULL;
}

TEST(scsi, places)
{
    Adapter *a = adapter(t);
    ScsiDevice *one = unit(t, a, "scsi-hd", ""), *two = unit(t, a, "scsi-hd", "");
    ScsiDevice *three = unit(t, a, "scsi-hd", "scsi-id=1");
    Device *dev = device_new("scsi-cd");
    Error *err = NULL;

    check_int(t, one->id, 0, "the first target");
    check_int(t, two->id, 1, "the next one");
    check_int(t, three->lun, 1, "the next unit of a target");
    object_set_str(dev, "scsi-id", "1", NULL);
    object_set_str(dev, "lun", "1", NULL);
    check_true(t, !device_realize_unref(dev, &a->bus->bus, &err), "taken");
    error_free(err);
    dev = device_new("scsi-cd");
    err = NULL;
    object_set_str(dev, "scsi-id", "8", NULL);
    check_true(t, !device_realize_unref(dev, &a->bus->bus, &err), "out of range");
    error_free(err);
}
