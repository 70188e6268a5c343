/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver that notifies, from a thread without the big lock, a disk in an I/O thread that comes and goes:
 * an address space's reader must find a queue, or nothing, but never half of one.
 */
#include "util/osdep.h"
#include <unistd.h>
#include "block/block.h"
#include "qom/object.h"
#include "tests/hw/usb/usb-pc.h"
#include "util/rcu.h"
#include "util/thread.h"

#define BAR     0xfe000000u
#define RINGS   0x200000u

static _Atomic bool stop;
static _Atomic unsigned notified;

static void *notifier(UNUSED void *opaque)
{
    while (!atomic_load(&stop)) {
        address_space_st16_le(&address_space_memory, BAR + 0x3000, 0, A, NULL);
        atomic_fetch_add(&notified, 1);
    }
    return NULL;
}

static void enable_queue(void)
{
    mem_wr(BAR + 0x14, 0);
    address_space_st8(&address_space_memory, BAR + 0x14, 3, A, NULL);
    mem_wr(BAR + 8, 1);
    mem_wr(BAR + 0xc, 1);               /* VERSION_1 */
    address_space_st8(&address_space_memory, BAR + 0x14, 11, A, NULL);
    address_space_st16_le(&address_space_memory, BAR + 0x16, 0, A, NULL);
    mem_wr(BAR + 0x20, RINGS);
    mem_wr(BAR + 0x28, RINGS + 0x1000);
    mem_wr(BAR + 0x30, RINGS + 0x2000);
    address_space_st16_le(&address_space_memory, BAR + 0x1c, 1, A, NULL);
    address_space_st8(&address_space_memory, BAR + 0x14, 15, A, NULL);
}

TEST(virtio_unplug, while_it_is_notified)
{
    QOBJECT_AUTO QDict *node = qdict_from_fmt("{'driver': 'null-co', 'node-name': 'n', 'size': 1048576}");
    QOBJECT_AUTO QDict *none = qdict_new();
    QOBJECT_AUTO QDict *disk = qdict_from_fmt("{'driver': 'virtio-blk-pci', 'drive': 'n', 'iothread': 'io'}");
    Error *err = NULL;
    Thread thread;

    if (!pc_start(t) || !check_true(t, blockdev_add(node, &err), "a node") ||
        !check_true(t, user_object_new("iothread", "io", none, false, &err), "an I/O thread")) {
        error_free(err);
        return;
    }
    thread_create(&thread, "notifier", notifier, NULL);
    for (int round = 0; round < 60; round++) {
        Device *dev = device_add(disk, true, &err);
        unsigned before;

        if (!check_true(t, dev, err ? error_message(err) : "a disk")) {
            break;
        }
        pc_map(PCI_DEVICE(dev), 4, BAR);
        enable_queue();
        before = atomic_load(&notified);
        /* A busy host may keep the other thread waiting for long: the harness's time limit is the only one. */
        while (atomic_load(&notified) < before + 20) {
            pump();
            big_unlock();
            usleep(200);
            big_lock();
        }
        device_delete(dev);
        pump();
    }
    atomic_store(&stop, true);
    big_unlock();
    thread_join(&thread);
    rcu_drain();
    big_lock();
    pump();
    if (!check_true(t, user_object_delete("io", &err), "nobody uses the thread")) {
        test_note(t, "%s", error_message(err));
    }
    error_free(err);
}
