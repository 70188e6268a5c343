/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PC in the test's own process, without its own USB, to which controllers and devices are
 * added; memory, ports and time as a driver sees them.
 */
#ifndef TESTS_HW_USB_USB_PC_H
#define TESTS_HW_USB_USB_PC_H

#include "accel/accel.h"
#include "hw/core/machine.h"
#include "hw/pci/pci.h"
#include "hw/usb/usb.h"
#include "tests/lib/test.h"

#include <glib.h>
#include "qobject/qobject.h"
#include "util/bswap.h"
#include "util/main-loop.h"
#include "util/timer.h"

#define A       MEM_ATTRS_NONE

static Device *added[16];
static unsigned n_added;

static inline void pump(void)
{
    while (main_loop_iterate(false)) {
    }
}

static inline void remove_added(UNUSED void *arg)
{
    while (n_added) {
        device_delete(added[--n_added]);
    }
    pump();
}

static inline bool pc_start(Test *t)
{
    static Machine *machine;
    const MachineType *mt = machine_type_find("pc", NULL);
    QDict *none = qdict_new();
    Error *err = NULL;

    n_added = 0;
    test_at_end(t, remove_added, NULL);
    if (!machine) {
        main_loop_init();
        machine = machine_new(mt);
        machine->vga = g_strdup("none");
        machine->ram_size = 16 * MIB;
        accel_use("qtest", none, NULL);
        if (!check_true(t, machine_init(machine, &err), err ? error_message(err) : "machine")) {
            return false;
        }
        clock_enable(true);
    }
    machine_reset(RESET_COLD);
    address_space_set(&address_space_memory, 0x100000, 0, 0x100000, A);
    qobject_unref(none);
    return true;
}

/* -device's text, taken away when the case ends. */
static inline Device *pc_add(Test *t, const char *driver, const char *key, const char *value)
{
    QDict *d = qdict_new();
    Error *err = NULL;
    Device *dev;

    qdict_put_str(d, "driver", driver);
    if (key) {
        qdict_put_str(d, key, value);
    }
    dev = device_add(d, true, &err);
    if (check_true(t, dev, err ? error_message(err) : driver)) {
        added[n_added++] = dev;
        device_reset(dev, RESET_COLD);
    }
    error_free(err);
    qobject_unref(d);
    return dev;
}

static inline void pc_map(PCIDevice *pci, int bar, uint32_t addr)
{
    pci_default_config_write(pci, 0x10 + 4 * (uint32_t)bar, addr, 4);
    pci_default_config_write(pci, PCI_COMMAND, 7, 2);
}

static inline void pc_ms(int64_t ms)
{
    virtual_clock_advance_to(clock_get_ns(CLOCK_VIRTUAL) + ms * NS_PER_MS);
    pump();
}

static inline uint32_t mem_rd(uint32_t addr)
{
    return address_space_ld32_le(&address_space_memory, addr, A, NULL);
}

static inline void mem_wr(uint32_t addr, uint32_t v)
{
    address_space_st32_le(&address_space_memory, addr, v, A, NULL);
}

static inline void mem_put(uint32_t addr, const void *data, size_t len)
{
    address_space_write(&address_space_memory, addr, A, data, len);
}

static inline void mem_get(uint32_t addr, void *data, size_t len)
{
    address_space_read(&address_space_memory, addr, A, data, len);
}

static inline uint32_t port_rd(uint16_t port, unsigned size)
{
    return (uint32_t)address_space_load(&address_space_io, port, size, MEM_LE, A, NULL);
}

static inline void port_wr(uint16_t port, uint32_t v, unsigned size)
{
    address_space_store(&address_space_io, port, v, size, MEM_LE, A, NULL);
}

/* Saved, loaded, saved again: the same. */
static inline void save_load(Test *t, Device *dev)
{
    g_autoptr(GByteArray) one = g_byte_array_new(), two = g_byte_array_new();
    Error *err = NULL;

    check_true(t, device_save(dev, one, &err), "saved");
    check_true(t, device_load(dev, one->data, one->len, &err), err ? error_message(err) : "loaded");
    device_save(dev, two, NULL);
    check_true(t, one->len == two->len && !memcmp(one->data, two->data, one->len),
               "saved again it is the same");
    error_free(err);
}

static inline void fill_setup(uint8_t *raw, uint8_t type, uint8_t request, uint16_t value,
                              uint16_t index, uint16_t length)
{
    raw[0] = type;
    raw[1] = request;
    store_le16(raw + 2, value);
    store_le16(raw + 4, index);
    store_le16(raw + 6, length);
}

#endif
