/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every device type there is: made and looked at, then realized in a PC,
 * reset, saved, loaded and saved again, given a damaged state, and removed.
 */
#include "util/osdep.h"
#include "accel/accel.h"
#include "block/block.h"
#include "chardev/chardev.h"
#include "fsdev/fsdev.h"
#include "hw/core/machine.h"
#include "hw/core/state-view.h"
#include "hw/pci/pci.h"
#include "tests/lib/ivshmem-peer.h"
#include "tests/lib/test.h"

#include <glib.h>
#include "qobject/qobject.h"
#include "util/main-loop.h"
#include "util/timer.h"

#ifndef BOARD
#define BOARD "pc"
#endif

static void pump(void)
{
    while (main_loop_iterate(false)) {
    }
}

/* --- made, never realized: what device-list-properties does --- */

static void look_at_property(const ObjectPropertyInfo *info, void *opaque)
{
    void **a = opaque;
    QObject *v;

    check_true(a[0], info->name && *info->name && info->type, "a name and a type");
    if (info->readable) {
        v = object_get(a[1], info->name, NULL);
        qobject_unref(v);
    }
}

static void look_at_type(const Type *type, void *opaque)
{
    Test *t = opaque;
    void *args[2] = { t, NULL };
    Device *dev;
    Error *err = NULL;

    if (type_is_abstract(type)) {
        return;
    }
    dev = device_new(type_name(type));
    args[1] = dev;
    object_property_foreach(dev, look_at_property, args);
    check_true(t, !object_set_str(dev, "no-such-property", "1", &err), "unknown property");
    error_free(err);
    object_unref(dev);
}

TEST(all_devices, introspection)
{
    main_loop_init();
    type_foreach(TYPE_DEVICE, false, look_at_type, t);
}

/* --- in a machine --- */

static Machine *machine;

static bool bring_up(Test *t)
{
    const MachineType *mt = machine_type_find(BOARD, NULL);
    QOBJECT_AUTO QDict *none = qdict_new();
    Error *err = NULL;

    main_loop_init();
    if (machine) {
        return true;
    }
    if (!mt) {
        test_skip(t, "there is no machine " BOARD);
        return false;
    }
    machine = machine_new(mt);
    machine->vga = g_strdup("none");
    machine->ram_size = 16 * MIB;
    machine->usb = true;
    check_true(t, accel_use("qtest", none, &err), err ? error_message(err) : "qtest");
    if (!check_true(t, machine_init(machine, &err),
                    err ? error_message(err) : "machine")) {
        error_free(err);
        return false;
    }
    clock_enable(true);
    machine_reset(RESET_COLD);
    return true;
}

static size_t instance_size(const Type *type)
{
    while (!type_info(type)->size) {
        type = type_parent(type);
    }
    return type_info(type)->size;
}

/* The view of a device changes nothing: what is saved, and the object itself, are what they were. */
static void look_at(Test *t, Device *dev)
{
    g_autoptr(GByteArray) before = g_byte_array_new(), after = g_byte_array_new();
    size_t size = instance_size(dev->obj.type);
    DeviceStateInfoList list = { 0 };
    g_autofree void *object = NULL;
    g_autofree char *text = NULL;
    DeviceStateInfo *info;

    device_save(dev, before, NULL);
    qapi_free_DeviceStateInfo(device_state_info(dev, true));
    object = g_memdup2(dev, size);
    info = device_state_info(dev, true);
    if (!check_true(t, !memcmp(object, dev, size), "looking leaves the object alone") ||
        !check_str(t, info->error, NULL, "it can be shown")) {
        test_note(t, "the device is %s", object_type_name(dev));
    }
    qapi_list_append(&list, info);
    text = device_state_text(&list, true);
    check_true(t, *text, "as text");
    qapi_free_DeviceStateInfo(info);
    free(list.items);
    device_save(dev, after, NULL);
    if (!check_true(t, before->len == after->len && (!before->len || !memcmp(before->data, after->data, before->len)),
                    "looking changes nothing that is saved")) {
        test_note(t, "the device is %s", object_type_name(dev));
    }
}

/* Reset, save, load and save again give the same bytes. */
static void round_trip(Test *t, Device *dev)
{
    g_autoptr(GByteArray) one = g_byte_array_new(), two = g_byte_array_new();
    const char *name = object_type_name(dev);
    Error *err = NULL;

    device_reset(dev, RESET_COLD);
    check_true(t, device_save(dev, one, &err), err ? error_message(err) : name);
    error_free(err);
    err = NULL;
    check_true(t, device_load(dev, one->data, one->len, &err),
               err ? error_message(err) : name);
    error_free(err);
    err = NULL;
    check_true(t, device_save(dev, two, &err), name);
    if (!check_true(t, one->len == two->len &&
                       (!one->len || !memcmp(one->data, two->data, one->len)),
                    "saved twice it is the same")) {
        test_note(t, "the device is %s", name);
    }
    look_at(t, dev);
    for (guint i = 0; i < one->len; i += one->len / 64 + 1) {
        g_autofree uint8_t *bad = g_memdup2(one->data, one->len);

        bad[i] ^= (uint8_t)(1 + i);
        err = NULL;
        if (!device_load(dev, bad, one->len, &err)) {
            check_true(t, err, "a refusal says why");
        }
        error_free(err);
    }
    err = NULL;
    device_reset(dev, RESET_COLD);
    check_true(t, device_load(dev, one->data, one->len, &err),
               err ? error_message(err) : "a damaged state does no harm that stays");
    error_free(err);
    device_reset(dev, RESET_COLD);
}

static int board_device(Device *dev, void *opaque)
{
    round_trip(opaque, dev);
    return 0;
}

TEST(all_devices, of_the_board)
{
    if (bring_up(t)) {
        device_foreach(board_device, t);
        machine_reset(RESET_COLD);
    }
}

/* A back end of its own for each property that wants one. */
static void give_back_end(const Property *p, void *opaque)
{
    static unsigned numbers;
    g_autofree char *name = g_strdup_printf("be%u", ++numbers);
    QDict *opts = NULL;
    bool ok = false;

    if (p->kind == PROP_KIND_DRIVE) {
        opts = qdict_from_fmt("{'driver': 'null-co', 'node-name': %s, 'size': 1048576}", name);
        ok = blockdev_add(opts, NULL);
    } else if (p->kind == PROP_KIND_STR && !strcmp(p->name, "fsdev")) {
        opts = qdict_from_fmt("{'fsdriver': 'synth', 'id': %s}", name);
        ok = fsdev_add(opts, NULL);
        qdict_put_str(opaque, "mount_tag", "tag");
    } else if (p->kind == PROP_KIND_LINK && !strcmp(p->name, "memdev")) {
        opts = qdict_from_fmt("{'size': 65536, 'share': true}");
        ok = user_object_new("memory-backend-ram", name, opts, false, NULL);
    } else if (p->kind == PROP_KIND_CHARDEV && g_str_has_prefix(qdict_str_or(opaque, "driver", ""), "ivshmem-")) {
        g_autofree char *fd = g_strdup_printf("%d", ivshmem_whole());

        opts = qdict_from_fmt("{'backend': 'socket', 'id': %s, 'server': false, 'fd': %s}", name, fd);
        ok = chardev_new_from_opts(opts, NULL);
    } else if (p->kind == PROP_KIND_CHARDEV) {
        opts = qdict_from_fmt("{'backend': 'null', 'id': %s}", name);
        ok = chardev_new_from_opts(opts, NULL);
    }
    if (ok) {
        qdict_put_str(opaque, p->name, name);
    }
    qobject_unref(opts);
}

static Device *add_type(const Type *type, Error **errp)
{
    QOBJECT_AUTO QDict *opts = qdict_new();

    qdict_put_str(opts, "driver", type_name(type));
    type_property_foreach(type, give_back_end, opts);
    return device_add(opts, false, errp);
}

static void realize_type(const Type *type, void *opaque)
{
    Test *t = opaque;
    const DeviceType *dt = device_type_of(type);
    Device *dev[2];

    if (dt->not_user_creatable || !device_type_bus(type) ||
        !strcmp(device_type_bus(type), TYPE_SYSTEM_BUS)) {
        return;
    }
    /* Two of everything must work; one that wants a back end or a place of its
     * own may refuse, and must then leave nothing behind. */
    for (int i = 0; i < 2; i++) {
        Error *err = NULL;

        dev[i] = add_type(type, &err);
        if (!dev[i]) {
            check_true(t, err, "a refusal says why");
            test_note(t, "%s: %s", type_name(type), error_message(err));
        }
        error_free(err);
    }
    for (int i = 0; i < 2; i++) {
        if (dev[i]) {
            round_trip(t, dev[i]);
        }
    }
    machine_reset(RESET_COLD);
    for (int i = 1; i >= 0; i--) {
        if (dev[i]) {
            device_delete(dev[i]);
        }
    }
    pump();
}

TEST(all_devices, added_and_removed)
{
    if (bring_up(t)) {
        type_foreach(TYPE_DEVICE, false, realize_type, t);
        machine_reset(RESET_COLD);
    }
}

/* --- a guest that writes everywhere, and state saved in the middle of it --- */

typedef struct Target {
    AddressSpace *as;
    hwaddr start, last;
} Target;

static void collect(AddressSpace *as, GArray *out)
{
    for (uint32_t i = 0; i < as->view->num; i++) {
        const MemSection *s = &as->view->sections[i];
        Target target = { as, s->start, s->last };

        if (!s->host || s->mr->kind == MEM_ROMD) {
            g_array_append_val(out, target);
        }
    }
}

static void add_to_board(const Type *type, UNUSED void *opaque)
{
    if (!device_type_of(type)->not_user_creatable && device_type_bus(type)) {
        add_type(type, NULL);
    }
}

/* Each BAR somewhere, everything enabled: what firmware does. */
static int map_bars(PCIDevice *pci, void *opaque)
{
    unsigned *n = opaque;

    for (int i = 0; i < PCI_NUM_BARS; i++) {
        PciBar *bar = &pci->bars[i];

        if (bar->mr && bar->type == PCI_BAR_IO && bar->size <= 0x100) {
            pci_default_config_write(pci, 0x10 + 4 * i, 0xc000 + 0x100 * (*n % 32), 4);
        } else if (bar->mr && bar->size <= 32 * MIB) {
            pci_default_config_write(pci, 0x10 + 4 * i, 0xc0000000 + 0x2000000 * (*n % 16), 4);
        }
        *n += bar->mr != NULL;
    }
    pci_default_config_write(pci, PCI_COMMAND, 7, 2);
    return 0;
}

static uint64_t interesting(GRand *rnd)
{
    switch (g_rand_int_range(rnd, 0, 5)) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return g_rand_int(rnd) & 0xff;
    case 3: return UINT64_C(1) << g_rand_int_range(rnd, 0, 32);
    default: return (uint64_t)g_rand_int(rnd) << 32 | g_rand_int(rnd);
    }
}

static void storm(GRand *rnd, unsigned accesses)
{
    g_autoptr(GArray) targets = g_array_new(FALSE, FALSE, sizeof(Target));

    collect(&address_space_memory, targets);
    collect(&address_space_io, targets);
    for (unsigned i = 0; i < accesses; i++) {
        Target *x = &g_array_index(targets, Target,
                                   g_rand_int_range(rnd, 0, (gint32)targets->len));
        unsigned size = 1u << g_rand_int_range(rnd, 0, x->as == &address_space_io ? 3 : 4);
        hwaddr at = x->start + g_rand_int(rnd) % MIN(x->last - x->start + 1, 0x10000);

        if (g_rand_boolean(rnd)) {
            address_space_store(x->as, at, interesting(rnd), size, MEM_LE, MEM_ATTRS_NONE,
                                NULL);
        } else {
            address_space_load(x->as, at, size, MEM_LE, MEM_ATTRS_NONE, NULL);
        }
    }
}

/* All states saved, loaded, saved again. */
static int same_after_load(Device *dev, void *opaque)
{
    g_autoptr(GByteArray) one = g_byte_array_new(), two = g_byte_array_new();
    Error *err = NULL;

    device_save(dev, one, NULL);
    if (!check_true(opaque, device_load(dev, one->data, one->len, &err),
                    err ? error_message(err) : object_type_name(dev))) {
        error_free(err);
        return 0;
    }
    device_save(dev, two, NULL);
    if (!check_true(opaque, one->len == two->len &&
                            (!one->len || !memcmp(one->data, two->data, one->len)),
                    "saved twice it is the same")) {
        test_note(opaque, "the device is %s", object_type_name(dev));
    }
    return 0;
}

TEST(all_devices, hostile_guest)
{
    g_autoptr(GRand) rnd = g_rand_new_with_seed(20);
    Bus *bus;
    unsigned n = 0;

    if (!bring_up(t)) {
        return;
    }
    type_foreach(TYPE_DEVICE, false, add_to_board, NULL);
    machine_reset(RESET_COLD);
    bus = bus_find_type(TYPE_PCI_BUS);
    for (int round = 0; round < 40; round++) {
        if (bus) {
            pci_bus_foreach(PCI_BUS(bus), map_bars, &n);
        }
        n = 0;
        storm(rnd, 4000);
        virtual_clock_advance_to(clock_get_ns(CLOCK_VIRTUAL) +
                                 g_rand_int_range(rnd, 0, 20000000));
        pump();
        device_foreach(same_after_load, t);
    }
    machine_reset(RESET_COLD);
    device_foreach(same_after_load, t);
}
