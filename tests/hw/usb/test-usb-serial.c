/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The serial adapter: requests, status at the head of each packet, bytes both ways, saving, hostile hosts. */
#include "util/osdep.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "chardev/chardev.h"
#include "tests/hw/usb/usb-pc.h"

static UsbDevice *adapter;
static UsbPacket packet;
static uint8_t data[4096];
static int to_guest, from_guest;    /* pipes: the other end of the line */

static void complete(UNUSED UsbPacket *p)
{
}

static UsbStatus packet_of(uint8_t pid, uint8_t ep, uint32_t len)
{
    usb_packet_init(&packet, complete, NULL);
    return usb_packet_submit(adapter, &packet, pid, ep, data, len);
}

static UsbStatus control(uint8_t type, uint8_t request, uint16_t value, uint16_t index, uint16_t length)
{
    fill_setup(data, type, request, value, index, length);
    packet_of(USB_PID_SETUP, 0, 8);
    return packet_of(USB_PID_IN, 0, length);
}

static void close_line(UNUSED void *opaque)
{
    close(to_guest);
    close(from_guest);
}

static bool start(Test *t)
{
    static unsigned number;
    g_autofree char *id = g_strdup_printf("line%u", number++);
    g_autofree char *path = g_strdup_printf("%s/line", test_tmpdir(t));
    g_autofree char *in = g_strdup_printf("%s.in", path), *out = g_strdup_printf("%s.out", path);
    g_autofree char *spec = g_strdup_printf("pipe:%s", path);
    Error *err = NULL;

    if (!pc_start(t)) {
        return false;
    }
    check_true(t, !mkfifo(in, 0600) && !mkfifo(out, 0600), "pipes");
    to_guest = open(in, O_RDWR);
    from_guest = open(out, O_RDWR | O_NONBLOCK);
    test_at_end(t, close_line, NULL);
    if (!check_true(t, chardev_new_from_spec(id, spec, &err), err ? error_message(err) : "the line")) {
        return false;
    }
    pc_add(t, "piix3-usb-uhci", NULL, NULL);
    adapter = USB_DEVICE(pc_add(t, "usb-serial", "chardev", id));
    usb_port_reset(adapter->port);
    check_int(t, control(0, USB_SET_ADDRESS, 1, 0, 0), USB_OK, "address");
    check_int(t, control(0, USB_SET_CONFIGURATION, 1, 0, 0), USB_OK, "configured");
    return true;
}

TEST(usb_serial, requests)
{
    if (!start(t)) {
        return;
    }
    check_int(t, control(0xc0, 5, 0, 0, 2), USB_OK, "modem status");
    check_u8(t, data[0], 0xb1, "the other end is there");
    check_u8(t, data[1], 0x60, "nothing to send");
    check_int(t, control(0xc0, 10, 0, 0, 1), USB_OK, "latency");
    check_u8(t, data[0], 16, "as after reset");
    check_int(t, control(0x40, 9, 1, 0, 0), USB_OK, "another");
    save_load(t, &adapter->dev);
    control(0xc0, 10, 0, 0, 1);
    check_u8(t, data[0], 1, "it is kept");
    for (unsigned v = 0; v < 0x10000; v += 0x333) {
        check_int(t, control(0x40, 3, (uint16_t)v, v & 1, 0), USB_OK, "any divisor");
        check_int(t, control(0x40, 4, (uint16_t)v, 0, 0), USB_OK, "any format");
    }
    check_int(t, control(0x40, 0x77, 0, 0, 0), USB_STALL, "a request that there isn't");
}

TEST(usb_serial, both_ways)
{
    char got[256] = { 0 };

    if (!start(t)) {
        return;
    }
    memcpy(data, "to the line", 11);
    check_int(t, packet_of(USB_PID_OUT, 2, 11), USB_OK, "sent");
    pump();
    check_int(t, read(from_guest, got, sizeof(got)), 11, "arrived");
    check_true(t, !memcmp(got, "to the line", 11), "unchanged");
    check_int(t, packet_of(USB_PID_IN, 1, 64), USB_OK, "the first status");
    check_u32(t, packet.actual, 2, "alone");
    check_int(t, packet_of(USB_PID_IN, 1, 64), USB_NAK, "no news");
    for (unsigned i = 0; i < 100; i++) {
        got[i] = (char)i;
    }
    check_int(t, write(to_guest, got, 100), 100, "from the line");
    while (packet_of(USB_PID_IN, 1, 1) == USB_NAK) {
        main_loop_iterate(true);
    }
    check_int(t, packet.status, USB_BABBLE, "no room for the status");
    save_load(t, &adapter->dev);
    check_int(t, packet_of(USB_PID_IN, 1, 256), USB_OK, "two transactions");
    check_u32(t, packet.actual, 104, "with a status each");
    check_u8(t, data[63], 61, "the end of the first one");
    check_u8(t, data[64], 0xb1, "the second one's status");
    check_u8(t, data[66], 62, "and its first byte");
    check_int(t, packet_of(USB_PID_IN, 1, 64), USB_NAK, "that was all");
}

/* More than the line takes: the packet waits, and may be taken back. */
TEST(usb_serial, full_line)
{
    unsigned n = 0;

    if (!start(t)) {
        return;
    }
    while (n < 1000 && packet_of(USB_PID_OUT, 2, sizeof(data)) == USB_OK) {
        n++;
    }
    check_int(t, packet.status, USB_ASYNC, "it waits in the end");
    usb_packet_cancel(&packet);
    check_int(t, packet_of(USB_PID_OUT, 2, 64), USB_ASYNC, "so does the next");
    while (packet.status == USB_ASYNC) {
        while (read(from_guest, data + 1024, 1024) > 0) {
        }
        main_loop_iterate(false);
    }
    check_int(t, packet.status, USB_OK, "until there is room");
}
