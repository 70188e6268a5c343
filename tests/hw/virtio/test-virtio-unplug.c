/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver that notifies, from a thread without the big lock, a disk in an I/O thread that comes and goes:
 * an address space's reader must find a queue, or nothing, but never half of one. The same with units behind an adapter.
 */
#include "util/osdep.h"
#include <unistd.h>
#include "block/block.h"
#include "hw/core/state-view.h"
#include "qapi/commands-block.h"
#include "qom/object.h"
#include "tests/hw/usb/usb-pc.h"
#include "util/rcu.h"
#include "util/thread.h"

#define BAR     0xfe000000u
#define RINGS   0x200000u
#define HEAD    0x210000u

static _Atomic bool stop;
static _Atomic unsigned notified, queue;

static void *notifier(UNUSED void *opaque)
{
    while (!atomic_load(&stop)) {
        unsigned n = atomic_load(&queue);

        address_space_st16_le(&address_space_memory, BAR + 0x3000 + 4 * n, (uint16_t)n, A, NULL);
        atomic_fetch_add(&notified, 1);
    }
    return NULL;
}

/* A request that waits in the ring, and whose status byte is 0xff until it is answered. */
static void fill_ring(void)
{
    uint8_t desc[48] = { 0 }, head[16] = { 0 }, waits = 0xff, avail[6] = { 0 };

    store_le64(desc, HEAD);
    store_le32(desc + 8, 16);
    store_le16(desc + 12, 1);
    store_le16(desc + 14, 1);
    store_le64(desc + 16, HEAD + 0x1000);
    store_le32(desc + 24, 512);
    store_le16(desc + 28, 1 | 2);
    store_le16(desc + 30, 2);
    store_le64(desc + 32, HEAD + 16);
    store_le32(desc + 40, 1);
    store_le16(desc + 44, 2);
    store_le16(avail + 2, 1);
    mem_put(RINGS, desc, sizeof(desc));
    mem_put(RINGS + 0x1000, avail, sizeof(avail));
    mem_put(HEAD, head, sizeof(head));
    mem_put(HEAD + 16, &waits, 1);
}

static void enable_queue(void)
{
    mem_wr(BAR + 0x14, 0);
    address_space_st8(&address_space_memory, BAR + 0x14, 3, A, NULL);
    mem_wr(BAR + 8, 1);
    mem_wr(BAR + 0xc, 1);               /* VERSION_1 */
    address_space_st8(&address_space_memory, BAR + 0x14, 11, A, NULL);
    address_space_st16_le(&address_space_memory, BAR + 0x16, (uint16_t)atomic_load(&queue), A, NULL);
    mem_wr(BAR + 0x20, RINGS);
    mem_wr(BAR + 0x28, RINGS + 0x1000);
    mem_wr(BAR + 0x30, RINGS + 0x2000);
    address_space_st16_le(&address_space_memory, BAR + 0x1c, 1, A, NULL);
    address_space_st8(&address_space_memory, BAR + 0x14, 15, A, NULL);
}

static bool start_notifying(Test *t, Thread *thread)
{
    QOBJECT_AUTO QDict *node = qdict_from_fmt("{'driver': 'null-co', 'node-name': 'n', 'size': 1048576,"
                                              " 'read-zeroes': true}");
    QOBJECT_AUTO QDict *none = qdict_new();
    Error *err = NULL;
    bool ok = pc_start(t) && check_true(t, blockdev_add(node, &err), "a node") &&
              check_true(t, user_object_new("iothread", "io", none, false, &err), "an I/O thread");

    error_free(err);
    if (ok) {
        atomic_store(&stop, false);
        thread_create(thread, "notifier", notifier, NULL);
    }
    return ok;
}

/* Until @more notifications have come. A busy host may keep the other thread waiting for long: the harness's time
 * limit is the only one. */
static void be_notified(unsigned more)
{
    unsigned before = atomic_load(&notified);

    while (atomic_load(&notified) < before + more) {
        pump();
        big_unlock();
        usleep(200);
        big_lock();
    }
}

static void end_notifying(Test *t, Thread *thread)
{
    Error *err = NULL;

    atomic_store(&stop, true);
    big_unlock();
    thread_join(thread);
    rcu_drain();
    big_lock();
    pump();
    if (!check_true(t, user_object_delete("io", &err), "nobody uses the thread") ||
        !check_true(t, qmp_blockdev_del("n", &err), "nor the node")) {
        test_note(t, "%s", error_message(err));
    }
    error_free(err);
}

TEST(virtio_unplug, while_it_is_notified)
{
    QOBJECT_AUTO QDict *disk = qdict_from_fmt("{'driver': 'virtio-blk-pci', 'drive': 'n', 'iothread': 'io'}");
    Error *err = NULL;
    Thread thread;

    if (!start_notifying(t, &thread)) {
        return;
    }
    for (int round = 0; round < 60; round++) {
        Device *dev = device_add(disk, true, &err);

        if (!check_true(t, dev, err ? error_message(err) : "a disk")) {
            break;
        }
        pc_map(PCI_DEVICE(dev), 4, BAR);
        enable_queue();
        be_notified(20);
        device_delete(dev);
        pump();
    }
    error_free(err);
    end_notifying(t, &thread);
}

/* The handler is in the ring while its queue is reset, its features change, and it begins anew. */
TEST(virtio_reset, while_it_is_notified)
{
    QOBJECT_AUTO QDict *disk = qdict_from_fmt("{'driver': 'virtio-blk-pci', 'drive': 'n', 'iothread': 'io'}");
    Error *err = NULL;
    Thread thread;
    Device *dev;

    if (!start_notifying(t, &thread)) {
        return;
    }
    dev = device_add(disk, true, &err);
    if (check_true(t, dev, err ? error_message(err) : "a disk")) {
        pc_map(PCI_DEVICE(dev), 4, BAR);
        for (int round = 0; round < 200; round++) {
            uint8_t status = 0xff;

            mem_wr(BAR + 0x14, 0);
            fill_ring();
            enable_queue();
            if (round % 2) {
                be_notified(1);
                address_space_st16_le(&address_space_memory, BAR + 0x3a, 1, A, NULL);
                continue;
            }
            while (status == 0xff) {
                be_notified(1);
                mem_get(HEAD + 16, &status, 1);
            }
            check_int(t, status, 0, "the request is answered");
        }
        device_delete(dev);
        pump();
    }
    error_free(err);
    end_notifying(t, &thread);
}

/* V 5.6.6: reads of one block of target 1, each with tag and answer of its own, from element @first of the ring on. */
static void fill_commands(uint16_t first, uint16_t count)
{
    uint8_t idx[2];

    for (uint16_t n = first; n != (uint16_t)(first + count); n++) {
        unsigned slot = n % 4;
        uint64_t at = HEAD + slot * 0x1000;
        uint8_t desc[32] = { 0 }, req[51] = { 1, 1, [8] = (uint8_t)slot, [19] = 0x28, [27] = 1 }, waits = 0xff;

        store_le64(desc, at);
        store_le32(desc + 8, sizeof(req));
        store_le16(desc + 12, 1);
        store_le16(desc + 14, (uint16_t)(2 * slot + 1));
        store_le64(desc + 16, at + 0x400);
        store_le32(desc + 24, 108 + 512);
        store_le16(desc + 28, 2);
        mem_put(RINGS + slot * 32, desc, sizeof(desc));
        mem_put(at, req, sizeof(req));
        mem_put(at + 0x400 + 11, &waits, 1);
        store_le16(idx, (uint16_t)(2 * slot));
        mem_put(RINGS + 0x1000 + 4 + 2 * (n % 256), idx, 2);
    }
    store_le16(idx, (uint16_t)(first + count));
    mem_put(RINGS + 0x1002, idx, 2);
}

static uint16_t used_index(void)
{
    uint8_t b[2];

    mem_get(RINGS + 0x2002, b, 2);
    return load_le16(b);
}

/* Each command finds the unit, or hears that there is none; state is looked at meanwhile. */
TEST(virtio_scsi, units_come_and_go)
{
    QOBJECT_AUTO QDict *adapter = qdict_from_fmt("{'driver': 'virtio-scsi-pci', 'id': 'sc', 'iothread': 'io'}");
    QOBJECT_AUTO QDict *unit = qdict_from_fmt("{'driver': 'scsi-hd', 'drive': 'n', 'bus': 'sc.0', 'scsi-id': 1}");
    uint8_t zeros[0x3000] = { 0 };
    Error *err = NULL;
    Thread thread;
    Device *dev, *hd;
    uint16_t sent = 0;

    atomic_store(&queue, 2);
    if (!start_notifying(t, &thread)) {
        return;
    }
    dev = device_add(adapter, true, &err);
    if (check_true(t, dev, err ? error_message(err) : "an adapter")) {
        pc_map(PCI_DEVICE(dev), 4, BAR);
        mem_put(RINGS, zeros, sizeof(zeros));
        enable_queue();
        for (int round = 0; round < 60; round++) {
            hd = device_add(unit, true, &err);
            if (!check_true(t, hd, err ? error_message(err) : "a unit")) {
                break;
            }
            fill_commands(sent, 4);
            sent = (uint16_t)(sent + 4);
            if (round % 3) {
                be_notified(1);
            }
            if (round % 5 == 0) {
                qapi_free_DeviceStateInfo(device_state_info(hd, false));
                qapi_free_DeviceStateInfo(device_state_info(dev->buses->devices, false));
            }
            device_delete(hd);
            while (used_index() != sent) {
                be_notified(1);
            }
            for (unsigned slot = 0; slot < 4; slot++) {
                uint8_t response = 0xff;

                mem_get(HEAD + slot * 0x1000 + 0x400 + 11, &response, 1);
                check_true(t, response == 0 || response == 2 || response == 3, "done, aborted, or no such unit");
            }
        }
        device_delete(dev);
        pump();
    }
    error_free(err);
    atomic_store(&queue, 0);
    end_notifying(t, &thread);
}
