/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lists, and the frames that an AHCI controller has received (AHCI 1.3.1, 4; SATA 3.0, 10.3). */
#include "util/osdep.h"
#include "hw/ide/ide-state.h"

#include "hw/ide/ahci-int.h"
#include "util/bswap.h"

/* SATA 10.3.4: the host's register frame. */
static void show_fis(StateNode *n)
{
    uint8_t f[20];
    const char *name;

    for (size_t i = 0; i < sizeof(f); i++) {
        f[i] = (uint8_t)state_number(n, i);
    }
    if (f[0] != 0x27) {
        return;
    }
    name = f[1] & 0x80 ? ide_command_name(f[2]) : "control";
    state_mean(n, "%s (0x%02x), LBA 0x%02x%02x%02x%02x%02x%02x, count %u, device 0x%02x", name ? name : "command",
               f[2], f[10], f[9], f[8], f[6], f[5], f[4], load_le16(f + 12), f[7]);
}

const VmMeaning ahci_command_meanings[] = {
    { "header", "command header", .address = true }, { "table", "command table", .address = true },
    { "flags", "DW 0 of the header", .flags = FLAGS({ "CFL", HDR_CFL }, { "A", HDR_ATAPI }, { "W", HDR_WRITE },
      { "P", HDR_PREFETCH }, { "R", HDR_RESET }, { "B", HDR_BIST }, { "C", HDR_CLEAR }, { "PRDTL", 0xffff0000 }) },
    { "prds", "regions" }, { "fis", "command frame", .show = show_fis }, { .name = NULL }
};

const VmMeaning ahci_meanings[] = {
    { "em", "enclosure management", .payload = "the message buffer" },
    { "led", "lights of each port: activity, locate, fault" }, { "ccc_done", "commands since the last interrupt" },
    { .name = NULL }
};

static void show_prds(StateView *v, StateNode *n, uint64_t table, unsigned count)
{
    StateNode *list = state_add_queue(n, "regions");

    for (unsigned i = 0; i < state_view_limit(v, count); i++) {
        uint8_t p[16];
        StateNode *e;

        if (!state_view_read(v, table + 0x80 + 16 * i, p, sizeof(p))) {
            return;
        }
        e = state_add_element(list, STATE_STRUCT);
        state_add_address(e, "address", load_le64(p), 64);
        state_add_uint(e, "bytes", (load_le32(p + 12) & 0x3fffff) + 1, 23);
    }
}

static void show_slot(StateView *v, StateNode *into, uint64_t list, unsigned slot, const char *how)
{
    StateNode *n = state_add_element(into, STATE_STRUCT), *fis;
    uint8_t h[16], f[20];
    uint64_t table;

    state_add_uint(n, "slot", slot, 8);
    state_mean(n, "%s", how);
    if (!state_view_read(v, list + 32 * slot, h, sizeof(h))) {
        return;
    }
    table = load_le64(h + 8) & ~UINT64_C(127);
    state_add_flags(state_add_uint(n, "header", load_le32(h), 32), ahci_command_meanings[2].flags);
    state_add_uint(n, "bytes-moved", load_le32(h + 4), 32);
    state_add_address(n, "table", table, 64);
    if (state_view_read(v, table, f, sizeof(f))) {
        fis = state_add_bytes(n, "fis", f, sizeof(f));
        show_fis(fis);
        show_prds(v, n, table, load_le16(h + 2));
    }
}

/* AHCI 4.2.1: where each kind of frame is put. */
static void show_received(StateView *v, StateNode *n, uint64_t area)
{
    static const struct { uint8_t at, len, type; const char *name; } kinds[] = {
        { 0x00, 28, 0x41, "DMA-setup" }, { 0x20, 20, 0x5f, "PIO-setup" }, { 0x40, 20, 0x34, "D2H-register" },
        { 0x58, 8, 0xa1, "set-device-bits" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        uint8_t f[28];
        StateNode *e;

        if (!state_view_read(v, area + kinds[i].at, f, kinds[i].len) || f[0] != kinds[i].type) {
            continue;
        }
        e = state_add_bytes(n, kinds[i].name, f, kinds[i].len);
        if (kinds[i].type != 0x41) {
            state_mean(e, "status 0x%02x, error 0x%02x%s", f[2], f[3], f[1] & 0x40 ? ", interrupt" : "");
        }
    }
}

static void print_ports(StateView *v, StateNode *into)
{
    size_t index;
    const StateNode *ports = v->saved ? state_find(v->saved, "ahci.port", &index) : NULL;

    for (unsigned i = 0; ports && i < ports->num_fields; i++) {
        uint32_t ci = (uint32_t)state_view_get(v, "ahci.port[%u].reg.CI", i);
        uint32_t sact = (uint32_t)state_view_get(v, "ahci.port[%u].reg.SACT", i);
        uint64_t list = state_view_get(v, "ahci.port[%u].reg.CLB", i) |
                        state_view_get(v, "ahci.port[%u].reg.CLBU", i) << 32;
        uint64_t area = state_view_get(v, "ahci.port[%u].reg.FB", i) |
                        state_view_get(v, "ahci.port[%u].reg.FBU", i) << 32;
        uint32_t issued = (uint32_t)state_view_get(v, "ahci.port[%u].issued", i);
        g_autofree char *name = g_strdup_printf("port%u", i);
        StateNode *n, *slots;

        if (!(state_view_get(v, "ahci.port[%u].reg.CMD", i) & 0x11)) {
            continue;
        }
        n = state_add_struct(into, name);
        slots = state_add_queue(n, "commands");
        for (unsigned slot = 0; slot < AHCI_SLOTS; slot++) {
            if ((ci | sact | issued) >> slot & 1) {
                show_slot(v, slots, list, slot, !(ci >> slot & 1) ? "in the drive's queue"
                                                : issued >> slot & 1 ? "fetched" : "waits");
            }
        }
        show_received(v, state_add_struct(n, "received"), area);
    }
}

const StatePrinter ahci_printers[] = {
    { "ports", "command lists, and frames that were received", print_ports }, { NULL, NULL, NULL }
};
