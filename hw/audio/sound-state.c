/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sound devices have in memory: command and response rings, lists of buffers.
 *
 * Sources: High Definition Audio Specification 1.0a ("HDA"); Intel, ICH5 data sheet ("AC").
 */
#include "util/osdep.h"
#include <glib.h>
#include "hw/audio/sound-state.h"
#include "util/bswap.h"

enum { STREAMS = 8, RING = 256, LAST_RESPONSES = 8, CTL_RUN = 2 };

/* HDA 3.7.1 */
static void mean_format(StateNode *n)
{
    static const unsigned bits[8] = { 8, 16, 20, 24, 32 };
    unsigned f = (unsigned)n->u, rate = (f & BIT(14) ? 44100 : 48000) * ((f >> 11 & 7) + 1) / ((f >> 8 & 7) + 1);

    state_mean(n, "%u Hz, %u bits, %u channels", rate, bits[f >> 4 & 7], (f & 15) + 1);
}

/* HDA 3.6.2: the buffers in the order in which they come. */
static void show_buffers(StateView *v, StateNode *into, uint64_t base, unsigned count, unsigned first)
{
    StateNode *queue = state_add_queue(into, "buffers");

    for (unsigned i = 0; i < state_view_limit(v, count); i++) {
        unsigned at = (first + i) % count;
        StateNode *e = state_add_element(queue, STATE_STRUCT);
        uint8_t d[16];

        if (!state_view_read(v, base + 16 * (uint64_t)at, d, sizeof(d))) {
            state_mean(e, "the list isn't in memory that the device reaches");
            return;
        }
        state_add_uint(e, "index", at, 8);
        state_add_address(e, "address", load_le64(d), 64);
        state_add_uint(e, "length", load_le32(d + 8), 32);
        state_add_flags(state_add_uint(e, "flags", load_le32(d + 12), 32), FLAGS({ "IOC", 1 }));
    }
}

static void print_hda_streams(StateView *v, StateNode *into)
{
    for (unsigned i = 0; i < STREAMS; i++) {
        uint32_t ctl = (uint32_t)state_view_get(v, "stream[%u].reg.CTL", i);
        uint64_t base = state_view_get(v, "stream[%u].reg.BDPL", i) | state_view_get(v, "stream[%u].reg.BDPU", i) << 32;
        unsigned count = (unsigned)state_view_get(v, "stream[%u].reg.LVI", i) + 1;
        unsigned bd = (unsigned)state_view_get(v, "stream[%u].bd", i);
        g_autofree char *name = g_strdup_printf("%s%u", i < STREAMS / 2 ? "in" : "out", i % (STREAMS / 2));
        StateNode *n;

        if (!base || (!(ctl & CTL_RUN) && !v->all)) {
            continue;
        }
        n = state_add_struct(into, name);
        state_add_bool(n, "running", ctl & CTL_RUN);
        state_add_uint(n, "tag", ctl >> 20 & 15, 4);
        mean_format(state_add_uint(n, "format", state_view_get(v, "stream[%u].reg.FMT", i), 16));
        state_add_uint(n, "position", state_view_get(v, "stream[%u].reg.LPIB", i), 32);
        state_add_address(n, "list", base, 64);
        show_buffers(v, n, base, count, bd);
    }
}

/* HDA 4.4.1: what codecs weren't given yet. */
static void print_corb(StateView *v, StateNode *into)
{
    uint64_t base = state_view_get(v, "reg.CORBLBASE") | state_view_get(v, "reg.CORBUBASE") << 32;
    unsigned rp = state_view_get(v, "reg.CORBRP") % RING, wp = state_view_get(v, "reg.CORBWP") % RING;
    unsigned waiting = (wp + RING - rp) % RING;
    StateNode *queue;

    state_add_address(into, "base", base, 64);
    queue = state_add_queue(into, "commands");
    for (unsigned i = 1; i <= state_view_limit(v, waiting); i++) {
        StateNode *e = state_add_element(queue, STATE_STRUCT);
        uint8_t d[4];
        uint32_t verb;

        if (!state_view_read(v, base + 4 * ((rp + i) % RING), d, sizeof(d))) {
            state_mean(e, "the ring isn't in memory that the device reaches");
            return;
        }
        verb = load_le32(d);
        state_add_uint(e, "codec", verb >> 28, 4);
        state_add_uint(e, "node", verb >> 20 & 0xff, 8);
        state_add_uint(e, "verb", verb & 0xfffff, 20);
    }
}

/* HDA 4.4.2: the last ones, the newest first. */
static void print_rirb(StateView *v, StateNode *into)
{
    uint64_t base = state_view_get(v, "reg.RIRBLBASE") | state_view_get(v, "reg.RIRBUBASE") << 32;
    unsigned wp = state_view_get(v, "reg.RIRBWP") % RING;
    StateNode *queue;

    state_add_address(into, "base", base, 64);
    queue = state_add_queue(into, "responses");
    for (unsigned i = 0; base && i < (v->all ? RING : LAST_RESPONSES); i++) {
        StateNode *e = state_add_element(queue, STATE_STRUCT);
        uint8_t d[8];

        if (!state_view_read(v, base + 8 * ((wp + RING - i) % RING), d, sizeof(d))) {
            state_mean(e, "the ring isn't in memory that the device reaches");
            return;
        }
        state_add_uint(e, "response", load_le32(d), 32);
        state_add_flags(state_add_uint(e, "from", load_le32(d + 4), 32), FLAGS({ "CODEC", 15 }, { "UNSOLICITED", 0x10 }));
    }
}

const StatePrinter hda_printers[] = {
    { "streams", "those that run, and their buffers", print_hda_streams },
    { "command-ring", "commands that wait", print_corb }, { "response-ring", "the last responses", print_rirb },
    { NULL, NULL, NULL }
};

/* AC 17.2: a list of 32 buffers; those from the current index to the last valid one are the hardware's. */
static void print_ac97(StateView *v, StateNode *into)
{
    static const char *const names[] = { "pcm-in", "pcm-out", "mic-in" };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        uint64_t base = state_view_get(v, "ch[%u].bdbar", i);
        unsigned civ = state_view_get(v, "ch[%u].civ", i) % 32, lvi = state_view_get(v, "ch[%u].lvi", i) % 32;
        StateNode *n, *queue;

        if (!base) {
            continue;
        }
        n = state_add_struct(into, names[i]);
        state_add_bool(n, "running", state_view_get(v, "ch[%u].cr", i) & 1);
        state_add_address(n, "list", base, 32);
        queue = state_add_queue(n, "buffers");
        for (unsigned k = 0; k <= (lvi - civ) % 32; k++) {
            StateNode *e = state_add_element(queue, STATE_STRUCT);
            unsigned at = (civ + k) % 32;
            uint8_t d[8];

            if (!state_view_read(v, base + 8 * at, d, sizeof(d))) {
                state_mean(e, "the list isn't in memory that the device reaches");
                break;
            }
            state_add_uint(e, "index", at, 8);
            state_add_address(e, "address", load_le32(d), 32);
            state_add_uint(e, "samples", load_le16(d + 4), 16);
            state_add_flags(state_add_uint(e, "flags", load_le16(d + 6), 16), FLAGS({ "BUP", 0x4000 }, { "IOC", 0x8000 }));
        }
    }
}

const StatePrinter ac97_printers[] = {
    { "channels", "the buffers of each", print_ac97 }, { NULL, NULL, NULL }
};
