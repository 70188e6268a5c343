/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state from a hostile source: the state of one device of a PC (it has all), changed
 * as the input says, is shown and loaded; then a guest goes on with what came out of it.
 *
 * Input: a byte that picks the device, then edits of three bytes each: where
 * (16 bits, little endian) and what.
 */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "hw/core/machine.h"
#include "hw/core/state-view.h"
#include "memory/memory.h"
#include "tests/fuzz/machine.h"
#include "util/main-loop.h"
#include "util/timer.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EDITS_MAX   256
#define ACCESSES    200

static GPtrArray *devices;      /* those with state */
static GPtrArray *states;       /* GByteArray of each, as it is after a reset */

static int add_device(Device *dev, UNUSED void *opaque)
{
    GByteArray *state = g_byte_array_new();

    if (device_save(dev, state, NULL) && state->len) {
        g_ptr_array_add(devices, dev);
        g_ptr_array_add(states, state);
    } else {
        g_byte_array_unref(state);
    }
    return 0;
}

int LLVMFuzzerInitialize(UNUSED int *argc, UNUSED char ***argv)
{
    fuzz_machine(FUZZ_PC "-accel qtest -m 16 -vga none", fuzz_every_device);
    clock_enable(true);
    machine_reset(RESET_COLD);
    devices = g_ptr_array_new();
    states = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    device_foreach(add_device, NULL);
    return 0;
}

static void settle(void)
{
    for (int i = 0; i < 100 && main_loop_iterate(false); i++) {
    }
}

/* The same accesses for each input: it is the state that differs. */
static void poke(AddressSpace *as, uint32_t *seed)
{
    for (int i = 0; i < ACCESSES; i++) {
        const MemSection *s;
        hwaddr at;

        *seed = *seed * 1664525 + 1013904223;
        if (!as->view->num) {
            return;
        }
        s = &as->view->sections[(*seed >> 16) % as->view->num];
        if (s->host) {
            continue;
        }
        at = s->start + (*seed >> 8) % MIN(s->last - s->start + 1, 4096);
        if (i & 1) {
            address_space_st8(as, at, (uint8_t)(*seed >> 24), MEM_ATTRS_NONE, NULL);
        } else {
            address_space_ld32_le(as, at, MEM_ATTRS_NONE, NULL);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *bad = NULL;
    g_autoptr(GByteArray) after = g_byte_array_new();
    Error *err = NULL;
    GByteArray *good;
    uint32_t seed = 1;
    Device *dev;
    guint n;

    if (size < 4 || !devices->len) {
        return 0;
    }
    n = data[0] % devices->len;
    dev = object_ref(g_ptr_array_index(devices, n));
    good = g_ptr_array_index(states, n);
    bad = g_memdup2(good->data, good->len);
    for (size_t i = 1; i + 2 < size && i < 3 * EDITS_MAX; i += 3) {
        bad[(data[i] | data[i + 1] << 8) % good->len] = data[i + 2];
    }
    /* People may look at a state that can't be loaded, in a file, and at what came of one that could. */
    qapi_free_DeviceStateInfo(state_view_make(dev->obj.type, NULL, bad, good->len, NULL, true));
    if (!device_load(dev, bad, good->len, &err)) {
        error_free(err);
        err = NULL;
    }
    qapi_free_DeviceStateInfo(device_state_info(dev, true));
    poke(&address_space_io, &seed);
    poke(&address_space_memory, &seed);
    virtual_clock_advance_to(clock_get_ns(CLOCK_VIRTUAL) + 1000000);
    settle();
    if (dev->realized) {                /* not ejected */
        device_save(dev, after, NULL);
    }
    machine_reset(RESET_COLD);
    settle();
    if (dev->realized && !device_load(dev, good->data, good->len, &err)) {
        error_report(err);
        abort();                /* a reset must put everything right */
    }
    object_unref(dev);
    machine_reset(RESET_COLD);
    if (fuzz_machine_mend()) {
        machine_reset(RESET_COLD);
        g_ptr_array_set_size(devices, 0);
        g_ptr_array_set_size(states, 0);
        device_foreach(add_device, NULL);
    }
    return 0;
}
