/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UHCI as a driver sees it: ports, frames, queues, errors, hostile lists (UHCI 1.1). */
#include "util/osdep.h"
#include "tests/hw/usb/usb-pc.h"
#include "ui/core/input.h"

#define IO          0xd000
#define FRAMES      0x110000u
#define QH          0x112000u
#define TDS         0x113000u
#define DATA        0x120000u
enum { USBCMD = IO, USBSTS = IO + 2, USBINTR = IO + 4, FRNUM = IO + 6, FLBASE = IO + 8,
       PORT1 = IO + 0x10, PORT2 = IO + 0x12 };
#define ACTIVE      (1u << 23)
#define STALLED     (1u << 22)
#define BABBLE      (1u << 20)
#define NAK         (1u << 19)
#define TIMEOUT     (1u << 18)
#define IOC         (1u << 24)
#define CERR3       (3u << 27)
#define SPD         (1u << 29)

static PCIDevice *hc;
static unsigned n_tds;

static uint32_t td_addr(unsigned n) { return TDS + 32 * n; }

static void empty_schedule(void)
{
    for (uint32_t i = 0; i < 1024; i++) {
        mem_wr(FRAMES + 4 * i, QH | 2);
    }
    mem_wr(QH, 1);
    mem_wr(QH + 4, 1);
    n_tds = 0;
}

static void add_td(uint8_t pid, uint8_t addr, uint8_t ep, uint32_t buf, uint32_t len,
                   uint32_t flags)
{
    uint32_t at = td_addr(n_tds);

    mem_wr(at, 1);
    mem_wr(at + 4, ACTIVE | flags);
    mem_wr(at + 8, pid | (uint32_t)addr << 8 | (uint32_t)ep << 15 | ((len - 1) & 0x7ff) << 21);
    mem_wr(at + 12, buf);
    if (n_tds) {
        mem_wr(at - 32, at | 4);
    }
    n_tds++;
}

static void go(int64_t ms)
{
    mem_wr(QH + 4, TDS);
    pc_ms(ms);
}

/* One control transfer; bytes of its data stage, -1: it failed. */
static int control(uint8_t addr, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
                   uint16_t length)
{
    uint8_t raw[8];
    uint32_t off = 0, status = 0;
    int moved = 0;

    empty_schedule();
    fill_setup(raw, type, request, value, index, length);
    mem_put(DATA, raw, 8);
    add_td(USB_PID_SETUP, addr, 0, DATA, 8, CERR3);
    for (; off < length; off += 8) {
        add_td(type & 0x80 ? USB_PID_IN : USB_PID_OUT, addr, 0, DATA + 0x100 + off,
               MIN(8, length - off), CERR3);
    }
    add_td(type & 0x80 && length ? USB_PID_OUT : USB_PID_IN, addr, 0, 0, 0, CERR3 | IOC);
    go(4);
    for (unsigned i = 0; i < n_tds; i++) {
        status |= mem_rd(td_addr(i) + 4);
        if (i && i < n_tds - 1) {
            moved += (mem_rd(td_addr(i) + 4) + 1) & 0x7ff;
        }
    }
    return status & (ACTIVE | STALLED | TIMEOUT | BABBLE) ? -1 : moved;
}

static bool start(Test *t)
{
    if (!pc_start(t)) {
        return false;
    }
    hc = PCI_DEVICE(pc_add(t, "piix3-usb-uhci", NULL, NULL));
    pc_map(hc, 4, IO | 1);
    empty_schedule();
    port_wr(FLBASE, FRAMES, 4);
    port_wr(USBINTR, 0xf, 2);
    port_wr(USBCMD, 0xc1, 2);
    return true;
}

static void enable(uint16_t port)
{
    port_wr(port, 0x200, 2);
    pc_ms(50);
    port_wr(port, 0, 2);
    port_wr(port, 0x0e, 2);
}

static void configure(Test *t, uint8_t addr)
{
    check_int(t, control(0, 0, USB_SET_ADDRESS, addr, 0, 0), 0, "SET_ADDRESS");
    check_int(t, control(addr, 0, USB_SET_CONFIGURATION, 1, 0, 0), 0, "SET_CONFIGURATION");
}

TEST(uhci, registers)
{
    if (!start(t)) {
        return;
    }
    check_u16(t, port_rd(PORT1, 2), 0x80, "nothing connected; bit 7 is always 1 (2.1.7)");
    check_u16(t, port_rd(IO + 0x14, 2) & 0x80, 0, "there are two ports");
    check_u8(t, port_rd(IO + 0xc, 1), 0x40, "SOFMOD");
    check_u16(t, port_rd(USBSTS, 2) & 0x20, 0, "it runs");
    port_wr(USBCMD, 0, 2);
    check_u16(t, port_rd(USBSTS, 2) & 0x20, 0x20, "it is halted");
    port_wr(FRNUM, 0x123, 2);
    check_u16(t, port_rd(FRNUM, 2), 0x123, "FRNUM can be set while it is halted (2.1.4)");
    port_wr(USBCMD, 1, 2);
    port_wr(FRNUM, 0x7ff, 2);
    pc_ms(1000);
    check_u16(t, port_rd(FRNUM, 2), 0x123 + 1000, "one frame a millisecond, also unwatched");
    port_wr(USBCMD, 2, 2);
    check_u16(t, port_rd(USBCMD, 2), 0, "HCRESET ends at once");
    check_u32(t, port_rd(FLBASE, 4), 0, "and clears registers");
    check_u8(t, hc->config[0x60], 0x10, "SBRN: release 1.0");
}

TEST(uhci, enumeration)
{
    uint8_t d[18];

    if (!start(t)) {
        return;
    }
    pc_add(t, "usb-tablet", "serial", "S17");
    check_u16(t, port_rd(PORT1, 2) & 0x103, 3, "connected, changed, not low speed");
    port_wr(PORT1, 2, 2);
    check_u16(t, port_rd(PORT1, 2) & 3, 1, "the change bit is cleared by writing 1");
    check_int(t, control(0, 0x80, USB_GET_DESCRIPTOR, 0x100, 0, 18), -1, "a disabled port is deaf");
    enable(PORT1);
    check_u16(t, port_rd(PORT1, 2) & 0x20f, 5, "enabled");
    check_int(t, control(0, 0x80, USB_GET_DESCRIPTOR, 0x100, 0, 18), 18, "device descriptor");
    mem_get(DATA + 0x100, d, 18);
    check_u8(t, d[0], 18, "its length");
    check_u16(t, load_le16(d + 8), 0x0627, "vendor");
    configure(t, 5);
    check_int(t, control(0, 0x80, USB_GET_DESCRIPTOR, 0x100, 0, 18), -1, "address 0 is gone");
    check_int(t, control(5, 0x80, USB_GET_DESCRIPTOR, 0x303, 0x409, 255), 8, "serial string");
    mem_get(DATA + 0x100, d, 8);
    check_mem(t, d, "\x08\x03S\0001\0007\0", 8, "as the property says");
    check_int(t, control(5, 0x80, USB_GET_DESCRIPTOR, 0x200, 0, 255), 34, "configuration");
    check_int(t, control(5, 0x81, USB_GET_DESCRIPTOR, 0x2200, 0, 255), 72, "report descriptor");
    check_int(t, control(5, 0x80, 99, 0, 0, 4), -1, "an unknown request stalls");
    check_int(t, control(5, 0x80, USB_GET_CONFIGURATION, 0, 0, 1), 1, "and the next one works");
    port_wr(PORT1, 0x200, 2);
    pc_ms(10);
    port_wr(PORT1, 0, 2);
    port_wr(PORT1, 4, 2);
    check_int(t, control(5, 0x80, USB_GET_CONFIGURATION, 0, 0, 1), -1, "a port's reset ends it all");
}

TEST(uhci, interrupt_transfers)
{
    uint8_t report[8];

    if (!start(t)) {
        return;
    }
    pc_add(t, "usb-tablet", NULL, NULL);
    enable(PORT1);
    configure(t, 3);
    port_wr(USBSTS, 0x1f, 2);
    empty_schedule();
    add_td(USB_PID_IN, 3, 1, DATA, 8, CERR3 | IOC | SPD);
    go(100);
    check_u32(t, mem_rd(TDS + 4) & (ACTIVE | NAK), ACTIVE | NAK, "NAK: it stays active (3.2.2)");
    check_u16(t, port_rd(USBSTS, 2), 0, "and nobody is told");
    save_load(t, &hc->dev);
    save_load(t, added[1]);
    input_abs(0x1234, 0x2345);
    input_button(INPUT_BUTTON_LEFT, true);
    input_sync();
    pc_ms(2);
    check_u32(t, mem_rd(TDS + 4) & (ACTIVE | 0x7ff), 5, "six bytes came");
    mem_get(DATA, report, 6);
    check_mem(t, report, "\1\x34\x12\x45\x23\0", 6, "the report");
    check_u16(t, port_rd(USBSTS, 2) & 1, 1, "USBINT");
    check_true(t, hc->irq_level, "the interrupt line");
    check_u32(t, mem_rd(QH + 4), TDS, "a short packet with SPD leaves the queue there (3.2.2)");
    port_wr(USBSTS, 1, 2);
    check_true(t, !hc->irq_level, "it goes down when USBINT is cleared");
    empty_schedule();
    add_td(USB_PID_IN, 3, 1, DATA, 3, CERR3);
    input_abs(1, 2);
    input_sync();
    go(20);
    check_u32(t, mem_rd(TDS + 4) & (ACTIVE | STALLED | BABBLE), STALLED | BABBLE,
              "more than asked for is a babble");
    empty_schedule();
    add_td(USB_PID_IN, 3, 2, DATA, 8, CERR3);
    go(20);
    check_u32(t, mem_rd(TDS + 4) & (ACTIVE | TIMEOUT), TIMEOUT,
              "an endpoint that isn't there: retired after three errors");
    check_u16(t, port_rd(USBSTS, 2) & 2, 2, "USB error interrupt");
}

TEST(uhci, keyboard_and_hub)
{
    uint8_t report[8];

    if (!start(t)) {
        return;
    }
    pc_add(t, "usb-hub", NULL, NULL);
    pc_add(t, "usb-kbd", "port", "1.3");
    enable(PORT1);
    configure(t, 1);
    check_int(t, control(1, 0xa0, USB_GET_DESCRIPTOR, 0x2900, 0, 71), 11, "hub descriptor");
    check_int(t, control(1, 0x23, USB_SET_FEATURE, 8, 3, 0), 0, "port power");
    check_int(t, control(1, 0xa3, USB_GET_STATUS, 0, 3, 4), 4, "port status");
    check_u32(t, mem_rd(DATA + 0x100), 0x00010101, "connected, powered; it has changed");
    check_int(t, control(1, 0x23, USB_SET_FEATURE, 4, 3, 0), 0, "port reset");
    configure(t, 9);
    check_int(t, control(9, 0x21, 9, 0x200, 0, 1), 1, "SET_REPORT: the LEDs");
    input_key(0x1e, true);              /* A */
    input_key(0x2a, true);              /* left Shift */
    input_key(0x1e, false);
    for (int i = 0; i < 3; i++) {
        static const char *const want[] = { "\0\0\4\0\0\0\0\0", "\2\0\4\0\0\0\0\0",
                                            "\2\0\0\0\0\0\0\0" };

        empty_schedule();
        add_td(USB_PID_IN, 9, 1, DATA, 8, CERR3);
        go(20);
        mem_get(DATA, report, 8);
        check_mem(t, report, want[i], 8, "one key event a report");
        save_load(t, added[2]);
    }
    /* HID 7.2.4: an idle rate repeats the report. */
    check_int(t, control(9, 0x21, 10, 5 << 8, 0, 0), 0, "SET_IDLE 20 ms");
    empty_schedule();
    add_td(USB_PID_IN, 9, 1, DATA, 8, CERR3);
    go(10);
    check_u32(t, mem_rd(TDS + 4) & ACTIVE, ACTIVE, "not yet");
    pc_ms(30);
    check_u32(t, mem_rd(TDS + 4) & ACTIVE, 0, "now");
    /* Hot unplug: the hub tells. */
    n_added--;
    device_delete(added[2]);
    pump();
    empty_schedule();
    add_td(USB_PID_IN, 1, 1, DATA, 2, CERR3);
    go(20);
    mem_get(DATA, report, 2);
    check_u8(t, report[0], 8, "the hub says that port 3 has changed");
    check_int(t, control(9, 0x80, USB_GET_STATUS, 0, 0, 2), -1, "nobody is at address 9");
}

TEST(uhci, hostile_lists)
{
    if (!start(t)) {
        return;
    }
    pc_add(t, "usb-kbd", NULL, NULL);
    enable(PORT1);
    /* Queues that lead to themselves and to each other. */
    empty_schedule();
    mem_wr(QH, QH | 2);
    pc_ms(20);
    mem_wr(QH, (QH + 32) | 2);
    mem_wr(QH + 4, QH | 2);
    mem_wr(QH + 32, QH | 2);
    mem_wr(QH + 36, (QH + 32) | 2);
    pc_ms(20);
    check_u16(t, port_rd(USBSTS, 2) & 0x30, 0, "loops of queues end with the frame");
    /* A descriptor that is its own successor, never and always active. */
    empty_schedule();
    add_td(USB_PID_IN, 0, 0, DATA, 8, 0);
    mem_wr(TDS, TDS | 4);
    for (uint32_t i = 0; i < 1024; i++) {
        mem_wr(FRAMES + 4 * i, TDS);
    }
    pc_ms(20);
    mem_wr(TDS + 4, 0);
    pc_ms(20);
    check_u16(t, port_rd(USBSTS, 2) & 0x30, 0, "so do loops of descriptors");
    /* UHCI 3.2.3: more than 1280 bytes. */
    empty_schedule();
    add_td(USB_PID_IN, 0, 0, DATA, 0x501, 0);
    go(20);
    check_u16(t, port_rd(USBSTS, 2) & 0x30, 0x30, "a process error halts it");
    check_u16(t, port_rd(USBCMD, 2) & 1, 0, "RS is clear");
    port_wr(USBSTS, 0x1f, 2);
    /* The list over the controller's own descriptors, and beyond memory. */
    port_wr(FLBASE, 0xfffff000, 4);
    port_wr(USBCMD, 1, 2);
    pc_ms(20);
    port_wr(FLBASE, QH, 4);
    port_wr(USBCMD, 1, 2);
    pc_ms(20);
    save_load(t, &hc->dev);
}

TEST(uhci, two_controllers)
{
    PCIDevice *other;

    if (!start(t)) {
        return;
    }
    other = PCI_DEVICE(pc_add(t, "piix4-usb-uhci", "id", "second"));
    pc_map(other, 4, 0xd100 | 1);
    pc_add(t, "usb-kbd", "bus", "second.0");
    check_u16(t, port_rd(PORT1, 2) & 1, 0, "the first has nothing");
    check_u16(t, port_rd(0xd110, 2) & 1, 1, "the second has the device");
    port_wr(USBCMD, 8 | 1, 2);          /* EGSM */
    pc_add(t, "usb-mouse", NULL, NULL);
    check_u16(t, port_rd(USBSTS, 2) & 4, 4, "a connection while the bus sleeps: resume detect");
    check_true(t, hc->irq_level, "and an interrupt");
}
