/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bulk-only transport: command, data and status over packets; what a host may do wrong (BOT 6). */
#include "util/osdep.h"
#include "block/block.h"
#include "tests/hw/usb/usb-pc.h"

static UsbDevice *stick;
static UsbPacket packet;
static uint8_t data[64 * 1024];
static bool ended;

static void complete(UNUSED UsbPacket *p)
{
    ended = true;
}

/* To its end, or USB_ASYNC when it stays in flight. */
static UsbStatus bulk(uint8_t pid, uint8_t ep, uint32_t len)
{
    ended = false;
    usb_packet_init(&packet, complete, NULL);
    if (usb_packet_submit(stick, &packet, pid, ep, data, len) == USB_ASYNC) {
        for (int i = 0; i < 1000 && !ended; i++) {
            main_loop_iterate(i > 10);
        }
        if (!ended) {
            return USB_ASYNC;
        }
    }
    return packet.status;
}

static UsbStatus control(uint8_t type, uint8_t request, uint16_t value, uint16_t index,
                         uint16_t length)
{
    fill_setup(data, type, request, value, index, length);
    bulk(USB_PID_SETUP, 0, 8);
    if (length && (type & 0x80)) {
        if (bulk(USB_PID_IN, 0, length) != USB_OK) {
            return packet.status;
        }
        return bulk(USB_PID_OUT, 0, 0);
    }
    return bulk(USB_PID_IN, 0, 0);
}

static UsbStatus cbw(uint32_t bytes, bool in, const uint8_t *cdb, uint8_t len)
{
    memset(data, 0, 31);
    store_le32(data, 0x43425355);
    store_le32(data + 4, 0x1234);
    store_le32(data + 8, bytes);
    data[12] = in ? 0x80 : 0;
    data[14] = len;
    memcpy(data + 15, cdb, len);
    return bulk(USB_PID_OUT, 2, 31);
}

static void csw(Test *t, uint32_t residue, uint8_t status, const char *what)
{
    check_int(t, bulk(USB_PID_IN, 1, 13), USB_OK, what);
    check_u32(t, packet.actual, 13, what);
    check_u32(t, load_le32(data), 0x53425355, what);
    check_u32(t, load_le32(data + 4), 0x1234, "the tag comes back");
    check_u32(t, load_le32(data + 8), residue, what);
    check_u8(t, data[12], status, what);
}

static const uint8_t inquiry[6] = { 0x12, 0, 0, 0, 36, 0 };
static const uint8_t unit_ready[6] = { 0 };

static bool start(Test *t)
{
    static unsigned number;
    g_autofree char *name = g_strdup_printf("stick%u", number++);
    g_autofree char *path = g_strdup_printf("%s/stick.img", test_tmpdir(t));
    g_autofree char *image = g_malloc0(1 * MIB);
    Error *err = NULL;
    QDict *opts;

    if (!pc_start(t)) {
        return false;
    }
    g_file_set_contents(path, image, 1 * MIB, NULL);
    opts = qdict_from_fmt("{'driver': 'file', 'node-name': %s, 'filename': %s}", name, path);
    check_true(t, blockdev_add(opts, &err), err ? error_message(err) : "image");
    qobject_unref(opts);
    pc_add(t, "usb-ehci", NULL, NULL);
    stick = USB_DEVICE(pc_add(t, "usb-storage", "drive", name));
    usb_port_reset(stick->port);
    check_int(t, control(0, USB_SET_ADDRESS, 1, 0, 0), USB_OK, "address");
    check_int(t, control(0, USB_SET_CONFIGURATION, 1, 0, 0), USB_OK, "configured");
    /* The unit attention after power on. */
    cbw(0, false, unit_ready, 6);
    csw(t, 0, 1, "unit attention");
    return true;
}

TEST(usb_storage, commands)
{
    static const uint8_t read10[10] = { 0x28, 0, 0, 0, 0, 8, 0, 0, 4, 0 };
    static const uint8_t write10[10] = { 0x2a, 0, 0, 0, 0, 8, 0, 0, 4, 0 };
    static const uint8_t bad[6] = { 0xff };

    if (!start(t)) {
        return;
    }
    check_int(t, control(0xa1, 0xfe, 0, 0, 1), USB_OK, "GET MAX LUN");
    check_int(t, cbw(36, true, inquiry, 6), USB_OK, "INQUIRY");
    check_int(t, bulk(USB_PID_IN, 1, 36), USB_OK, "its data");
    check_mem(t, data + 8, "QEMU    ", 8, "the vendor");
    csw(t, 0, 0, "INQUIRY is good");
    cbw(2048, false, write10, 10);
    for (int i = 0; i < 4; i++) {
        memset(data, 'a' + i, 512);
        check_int(t, bulk(USB_PID_OUT, 2, 512), USB_OK, "a packet of data");
        if (i < 3) {                    /* then it is on its way to the image */
            save_load(t, &stick->dev);
        }
    }
    csw(t, 0, 0, "WRITE is good");
    cbw(2048, true, read10, 10);
    check_int(t, bulk(USB_PID_IN, 1, 600), USB_OK, "data");
    check_true(t, data[0] == 'a' && data[599] == 'b', "what was written");
    save_load(t, &stick->dev);
    check_int(t, bulk(USB_PID_IN, 1, 1448), USB_OK, "the rest");
    check_true(t, data[0] == 'b' && data[1447] == 'd', "what was written");
    csw(t, 0, 0, "READ is good");
    cbw(0, false, bad, 6);
    csw(t, 0, 1, "an unknown command fails");
    cbw(512, true, bad, 6);
    check_int(t, bulk(USB_PID_IN, 1, 512), USB_OK, "data expected, none there: padding");
    csw(t, 512, 1, "all of it is residue");
    cbw(100, true, inquiry, 6);
    check_int(t, bulk(USB_PID_IN, 1, 100), USB_OK, "more expected than there is (6.7.2)");
    csw(t, 64, 0, "the residue");
    cbw(8, true, inquiry, 6);
    check_int(t, bulk(USB_PID_IN, 1, 8), USB_OK, "less expected than there is (6.7.2, case 7)");
    csw(t, 0, 2, "phase error");
    cbw(0, false, inquiry, 6);
    csw(t, 0, 2, "nothing expected, data there: phase error (case 2)");
    cbw(512, false, read10, 10);
    check_int(t, bulk(USB_PID_OUT, 2, 512), USB_OK, "the wrong direction");
    csw(t, 512, 2, "phase error (case 10)");
}

TEST(usb_storage, what_a_host_does_wrong)
{
    static const uint8_t read10[10] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 4, 0 };

    if (!start(t)) {
        return;
    }
    cbw(0, false, unit_ready, 6);
    csw(t, 0, 0, "ready");
    memset(data, 0, 31);
    check_int(t, bulk(USB_PID_OUT, 2, 31), USB_STALL, "no signature");
    check_int(t, cbw(0, false, unit_ready, 6), USB_STALL, "the endpoint is halted (6.6.1)");
    check_int(t, bulk(USB_PID_IN, 1, 13), USB_STALL, "the other one too");
    check_int(t, control(0x21, 0xff, 0, 0, 0), USB_OK, "mass storage reset");
    check_int(t, control(2, USB_CLEAR_FEATURE, 0, 0x81, 0), USB_OK, "clear halt");
    check_int(t, control(2, USB_CLEAR_FEATURE, 0, 2, 0), USB_OK, "clear halt");
    cbw(0, false, unit_ready, 6);
    csw(t, 0, 0, "it works again");
    check_int(t, bulk(USB_PID_IN, 1, 13), USB_STALL, "a status nobody has ordered");
    control(2, USB_CLEAR_FEATURE, 0, 0x81, 0);
    /* A reset of the port in the middle of a command, then unplugging in another. */
    cbw(2048, true, read10, 10);
    usb_port_reset(stick->port);
    control(0, USB_SET_ADDRESS, 1, 0, 0);
    control(0, USB_SET_CONFIGURATION, 1, 0, 0);
    cbw(0, false, unit_ready, 6);
    csw(t, 0, 0, "after a reset");
    cbw(2048, true, read10, 10);
    usb_packet_init(&packet, complete, NULL);
    ended = false;
    if (usb_packet_submit(stick, &packet, USB_PID_IN, 1, data, 2048) == USB_ASYNC) {
        usb_packet_cancel(&packet);
        pump();
        check_true(t, !ended, "a cancelled packet doesn't complete");
        check_int(t, bulk(USB_PID_IN, 1, 2048), USB_OK, "the next one gets the data");
    }
    cbw(2048, true, read10, 10);
    usb_packet_init(&packet, complete, NULL);
    ended = false;
    usb_packet_submit(stick, &packet, USB_PID_IN, 1, data, 2048);
    n_added--;
    device_delete(&stick->dev);
    check_true(t, packet.status == USB_OK || (ended && packet.status == USB_NODEV),
               "unplugged: the packet ends");
    pump();
}
