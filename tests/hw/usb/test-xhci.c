/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xHCI as a driver sees it: rings, slots, transfers, unplugging, hostile rings (xHCI 1.1). */
#include "util/osdep.h"
#include "tests/hw/usb/usb-pc.h"
#include "ui/core/input.h"

#define BAR         0xe0000000u
#define DCBAA       0x110000u
#define COMMANDS    0x111000u
#define ERST        0x112000u
#define EVENTS      0x113000u
#define INPUT       0x114000u
#define DEVICE      0x115000u
#define EP0         0x116000u
#define EP1         0x117000u
#define DATA        0x120000u

static PCIDevice *hc;
static uint32_t n_events, n_commands, n_ep0, n_ep1;

static uint32_t rd(uint32_t at) { return mem_rd(BAR + at); }
static void wr(uint32_t at, uint32_t v) { mem_wr(BAR + at, v); }

static void put_trb(uint32_t at, uint64_t param, uint32_t status, uint32_t control)
{
    mem_wr(at, (uint32_t)param);
    mem_wr(at + 4, (uint32_t)(param >> 32));
    mem_wr(at + 8, status);
    mem_wr(at + 12, control | 1);
}

/* The next event: its type; 0: there is none. */
static unsigned event(uint32_t *code, uint32_t *length, uint64_t *param)
{
    uint32_t at = EVENTS + 16 * n_events, control = mem_rd(at + 12);

    if (!(control & 1)) {
        return 0;
    }
    *param = mem_rd(at) | (uint64_t)mem_rd(at + 4) << 32;
    *code = mem_rd(at + 8) >> 24;
    *length = mem_rd(at + 8) & 0xffffff;
    n_events++;
    wr(0x1038, (EVENTS + 16 * n_events) | 8);
    return control >> 10 & 0x3f;
}

static uint32_t command(uint64_t param, uint32_t control)
{
    uint32_t code = 0, length;
    uint64_t at;
    unsigned type;

    put_trb(COMMANDS + 16 * n_commands++, param, 0, control);
    wr(0x2000, 0);
    while ((type = event(&code, &length, &at)) && type != 33) {
    }
    return type ? code : 0;
}

static bool start(Test *t)
{
    if (!pc_start(t)) {
        return false;
    }
    hc = PCI_DEVICE(pc_add(t, "qemu-xhci", NULL, NULL));
    pc_map(hc, 0, BAR);
    n_events = n_commands = n_ep0 = n_ep1 = 0;
    mem_wr(ERST, EVENTS);
    mem_wr(ERST + 8, 256);
    wr(0x78, 8);                        /* CONFIG */
    wr(0x70, DCBAA);
    wr(0x58, COMMANDS | 1);
    wr(0x1028, 1);
    wr(0x1038, EVENTS);
    wr(0x1030, ERST);
    wr(0x1020, 2);
    wr(0x40, 5);
    return true;
}

/* Slot 1 for the device at root port 1. */
static void address(Test *t)
{
    check_u32(t, command(0, 9 << 10), 1, "enable slot");
    mem_wr(DCBAA + 8, DEVICE);
    mem_wr(INPUT + 4, 3);
    mem_wr(INPUT + 32, 1u << 27 | 3u << 20);
    mem_wr(INPUT + 36, 1u << 16);
    mem_wr(INPUT + 64 + 4, 3u << 1 | 4u << 3 | 64u << 16);
    mem_wr(INPUT + 64 + 8, EP0 | 1);
    check_u32(t, command(INPUT, 11 << 10 | 1u << 24), 1, "address device");
    check_u32(t, mem_rd(DEVICE + 12), 2u << 27 | 1, "addressed, at 1");
}

static uint32_t control(uint8_t type, uint8_t request, uint16_t value, uint16_t length, uint32_t *left)
{
    uint32_t code = 0;
    uint64_t at, setup = type | request << 8 | (uint32_t)value << 16 | (uint64_t)length << 48;

    put_trb(EP0 + 16 * n_ep0++, setup, 8, 2 << 10 | 1 << 6 | (length ? 3u << 16 : 0));
    if (length) {
        put_trb(EP0 + 16 * n_ep0++, DATA, length, 3 << 10 | 1 << 2 | 1u << 16);
    }
    put_trb(EP0 + 16 * n_ep0++, 0, 0, 4 << 10 | 1 << 5 | (length ? 0 : 1u << 16));
    wr(0x2004, 1);
    *left = 0;
    while (event(&code, left, &at) && code == 13) {
    }
    return code;
}

TEST(xhci, enumeration)
{
    uint32_t code, left;
    uint64_t param;
    uint8_t d[18];

    if (!start(t)) {
        return;
    }
    check_u32(t, rd(0) & 0xffff00ff, 0x01000040, "version 1.0, 64 bytes of capabilities");
    check_u32(t, rd(4), 64 | 16 << 8 | 8u << 24, "slots, interrupters, ports");
    check_int(t, (int)event(&code, &left, &param), 0, "nothing has happened");
    pc_add(t, "usb-tablet", NULL, NULL);
    check_true(t, (rd(0x440) & 0x20001) == 0x20001, "connected, changed");
    check_int(t, (int)event(&code, &left, &param), 34, "port status change event");
    check_true(t, hc->irq_level, "and the interrupt");
    wr(0x440, 0x210);                   /* reset */
    check_u32(t, rd(0x440) & 3, 3, "enabled");
    check_u32(t, rd(0x440) >> 10 & 15, 3, "high speed");
    wr(0x440, 0xfe0200);
    address(t);
    check_u32(t, control(0x80, 6, 0x100, 18, &left), 1, "device descriptor");
    mem_get(DATA, d, 18);
    check_u16(t, load_le16(d + 8), 0x0627, "vendor");
    check_u32(t, control(0, 9, 1, 0, &left), 1, "SET_CONFIGURATION");
    save_load(t, &hc->dev);
    check_u32(t, control(0x80, 99, 0, 4, &left), 6, "an unknown request stalls");
    check_u32(t, mem_rd(DEVICE + 32) & 7, 2, "the endpoint is halted");
    check_u32(t, command(0, 14 << 10 | 1 << 16 | 1u << 24), 1, "reset endpoint");
    check_u32(t, command((EP0 + 16 * n_ep0) | 1, 16 << 10 | 1 << 16 | 1u << 24), 1, "set dequeue");
    check_u32(t, control(0x80, 8, 0, 1, &left), 1, "it works again");
    /* Interrupt endpoint 1 IN is number 3. */
    mem_wr(INPUT, 0);
    mem_wr(INPUT + 4, 1 | BIT(3));
    mem_wr(INPUT + 32, 3u << 27 | 3u << 20);
    mem_wr(INPUT + 32 * 4 + 4, 3u << 1 | 7u << 3 | 8u << 16);
    mem_wr(INPUT + 32 * 4 + 8, EP1 | 1);
    check_u32(t, command(INPUT, 12 << 10 | 1u << 24), 1, "configure endpoint");
    put_trb(EP1, DATA, 8, 1 << 10 | 1 << 5 | 1 << 2);
    wr(0x2004, 3);
    check_int(t, (int)event(&code, &left, &param), 0, "nothing to report");
    save_load(t, &hc->dev);
    input_abs(0x1111, 0x2222);
    input_sync();
    pump();
    check_int(t, (int)event(&code, &left, &param), 32, "a transfer event without polling");
    check_u32(t, code, 13, "a short packet");
    check_u32(t, left, 2, "two bytes are left");
    put_trb(EP1 + 16, DATA, 8, 1 << 10 | 1 << 5);
    wr(0x2004, 3);
    check_u32(t, command(0, 15 << 10 | 3 << 16 | 1u << 24), 1, "stop endpoint");
    check_u32(t, command(0, 10 << 10 | 1u << 24), 1, "disable slot");
    n_added--;
    device_delete(added[1]);
    pump();
    check_u32(t, rd(0x440) & 0x20003, 0x20000, "unplugged");
    check_int(t, (int)event(&code, &left, &param), 34, "told");
}

TEST(xhci, hostile_rings)
{
    if (!start(t)) {
        return;
    }
    pc_add(t, "usb-kbd", NULL, NULL);
    wr(0x440, 0x210);
    check_u32(t, command(0, 11 << 10 | 1u << 24), 11, "slot not enabled");
    check_u32(t, command(0, 63 << 10), 5, "no such command");
    address(t);
    /* A transfer ring of links, of unknown TRBs, of too long a chain. */
    put_trb(EP0, EP0, 0, 6 << 10 | 2);
    wr(0x2004, 1);
    check_u32(t, command(0, 15 << 10 | 1 << 16 | 1u << 24), 1, "stop");
    check_u32(t, command((EP0 + 0x100) | 1, 16 << 10 | 1 << 16 | 1u << 24), 1, "elsewhere");
    for (uint32_t i = 0; i < 200; i++) {
        put_trb(EP0 + 0x100 + 16 * i, 0, 0x1ffff, 3 << 10 | 1 << 4 | 1 << 16);
    }
    wr(0x2004, 1);
    save_load(t, &hc->dev);
    /* Events and contexts over the registers. */
    mem_wr(DCBAA + 8, BAR);
    mem_wr(ERST, BAR + 0x2000);
    wr(0x1030, ERST);
    n_ep0 = 64;
    check_u32(t, command(0, 23 << 10), 0, "events go to our own registers");
    wr(0x40, 2);
    check_u32(t, rd(0x44) & 1, 1, "it can be reset");
}

TEST(xhci, command_ring_of_links)
{
    if (!start(t)) {
        return;
    }
    put_trb(COMMANDS, COMMANDS, 0, 6 << 10);
    n_commands = 5;
    check_u32(t, command(0, 23 << 10), 0, "the ring goes nowhere");
    wr(0x40, 2);
    check_u32(t, rd(0x44) & 1, 1, "it can be reset");
}
