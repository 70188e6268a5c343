/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices, buses, lines, reset and register tables. */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "hw/core/regs.h"
#include "tests/lib/test.h"

#include "qobject/qobject.h"
#include "util/main-loop.h"
#include "vmstate/node.h"

static GString *trace;          /* what ran, in order */

static void ran(const char *what)
{
    if (trace) {
        g_string_append_printf(trace, "%s ", what);
    }
}

typedef struct Base {
    Device dev;
    uint32_t level;
    bool fail, fail_done;
    IrqLine *out[2];
    Bus *bus;
} Base;

static void base_irq(void *opaque, int n, int level)
{
    Base *b = opaque;

    b->level = level ? b->level | BIT(n) : b->level & ~BIT(n);
}

static bool base_realize(Device *dev, UNUSED Error **errp)
{
    Base *b = (Base *)dev;

    ran("base+");
    device_init_irq_in(dev, NULL, base_irq, 2);
    device_init_irq_in(dev, "extra", base_irq, 1);
    device_init_irq_out(dev, NULL, b->out, 2);
    return true;
}
static bool base_done(Device *dev, Error **errp)
{
    ran("done");
    if (((Base *)dev)->fail_done) {
        error_setf(errp, ERR_GENERIC, "late");
        return false;
    }
    return true;
}
static void base_unrealize(UNUSED Device *dev) { ran("base-"); }
static void base_enter(UNUSED Device *dev) { ran("enter"); }
static void base_hold(UNUSED Device *dev) { ran("base-hold"); }
static void base_exit(UNUSED Device *dev) { ran("exit"); }

static const Property base_props[] = {
    PROP_BOOL("fail", Base, fail, false, "realize fails"),
    PROP_BOOL("fail-done", Base, fail_done, false, "completion fails"),
    PROP_END
};
static const VmField base_fields[] = { VM_U32(Base, level), VM_END };
static const DeviceType base_type = {
    .name = "test-base", .size = sizeof(Base), .abstract = true, .props = base_props,
    .realize = base_realize, .realize_done = base_done, .unrealize = base_unrealize,
    .reset_enter = base_enter, .reset_hold = base_hold, .reset_exit = base_exit,
    .vm = { 1, base_fields },
};
DEVICE_TYPE(base_type)

static bool derived_realize(Device *dev, Error **errp)
{
    Base *b = (Base *)dev;

    ran("derived+");
    if (b->fail) {
        error_setf(errp, ERR_GENERIC, "asked to fail");
        return false;
    }
    b->bus = bus_new("TestBus", dev, NULL);
    return true;
}
static void derived_unrealize(UNUSED Device *dev) { ran("derived-"); }
static void derived_hold(UNUSED Device *dev) { ran("derived-hold"); }

static const int derived_data = 42;
static const DeviceType derived_type = {
    .name = "test-derived", .parent = "test-base", .alias = "test-alias",
    .realize = derived_realize, .unrealize = derived_unrealize,
    .reset_hold = derived_hold, .data = &derived_data, .desc = "Derived",
};
DEVICE_TYPE(derived_type)

static const BusType test_bus = { .name = "TestBus", .size = sizeof(Bus), .max_devices = 2 };
BUS_TYPE(test_bus)

static void leaf_hold(UNUSED Device *dev) { ran("leaf-hold"); }
static const DeviceType leaf_type = {
    .name = "test-leaf", .parent = TYPE_DEVICE, .size = sizeof(Base), .bus_type = "TestBus",
    .reset_hold = leaf_hold,
};
DEVICE_TYPE(leaf_type)

static Base *made(Test *t)
{
    Base *b = (Base *)device_new("test-derived");
    Error *err = NULL;

    main_loop_init();
    check_true(t, device_realize_unref(&b->dev, NULL, &err), "realized");
    return b;
}

static void pump(void)
{
    while (main_loop_iterate(false)) {
    }
}

TEST(device, life)
{
    Base *b;

    trace = g_string_new(NULL);
    b = made(t);
    check_str(t, trace->str, "base+ derived+ done ", "parents first");
    check_int(t, *(const int *)device_data(&b->dev), 42, "data");
    check_true(t, b->dev.obj.props_fixed, "properties are fixed");
    check_true(t, bus_find(b->bus->name, NULL) == b->bus, "its bus is found");
    g_string_truncate(trace, 0);
    device_delete(&b->dev);
    check_str(t, trace->str, "derived- base- ", "parents last");
    check_true(t, !bus_find("testbus.0", NULL), "its bus is gone");
    g_string_free(trace, TRUE);
    trace = NULL;
    pump();
}

TEST(device, failed_realize_leaves_nothing)
{
    Device *dev = device_new("test-derived");
    Error *err = NULL;

    main_loop_init();
    trace = g_string_new(NULL);
    object_set_bool(dev, "fail", true, NULL);
    check_true(t, !device_realize(dev, NULL, &err), "fails");
    check_str(t, trace->str, "base+ derived+ base- ", "what was done is undone");
    check_true(t, !dev->bus && !dev->obj.parent && !dev->realized, "as before");
    check_true(t, !device_irq_in(dev, NULL, 0), "no lines");
    error_free(err);
    err = NULL;
    object_set_bool(dev, "fail", false, NULL);
    object_set_bool(dev, "fail-done", true, NULL);
    check_true(t, !device_realize(dev, NULL, &err), "fails late");
    check_true(t, !dev->buses, "no bus stays");
    error_free(err);
    err = NULL;
    object_set_bool(dev, "fail-done", false, NULL);
    check_true(t, device_realize_unref(dev, NULL, &err), "the next time it works");
    check_int(t, device_num_irq_in(dev, NULL), 2, "lines are there once");
    g_string_free(trace, TRUE);
    trace = NULL;
    device_delete(dev);
    pump();
}

TEST(device, device_add)
{
    QOBJECT_AUTO QDict *opts = qdict_from_fmt("{'driver': 'test-alias', 'id': 'd1'}");
    QOBJECT_AUTO QDict *leaf = qdict_from_fmt("{'driver': 'test-leaf', 'bus': 'd1.0'}");
    QOBJECT_AUTO QDict *any = qdict_from_fmt("{'driver': 'test-leaf'}");
    QOBJECT_AUTO QDict *wrong = qdict_from_fmt("{'driver': 'test-leaf', 'x': '1'}");
    Error *err = NULL;
    Device *dev;

    main_loop_init();
    check_true(t, !device_add(leaf, true, &err), "no bus yet");
    check_str(t, error_message(err), "Bus 'd1.0' not found", "says so");
    error_free(err);
    err = NULL;
    dev = device_add(opts, true, &err);
    check_true(t, dev && device_find("d1") == dev, "by alias, found by id");
    check_true(t, object_resolve_path("/machine/peripheral/d1", NULL) == &dev->obj, "path");
    check_true(t, !device_add(opts, true, &err), "twice");
    check_str(t, error_message(err), "Duplicate device ID 'd1'", "says so");
    error_free(err);
    err = NULL;
    check_true(t, device_add(leaf, true, &err) && device_add(any, true, &err), "two leaves");
    check_true(t, !device_add(leaf, true, &err), "no third");
    check_str(t, error_message(err), "Bus 'd1.0' is full", "says so");
    error_free(err);
    err = NULL;
    check_true(t, !device_add(any, true, &err), "no bus with room");
    error_free(err);
    err = NULL;
    device_delete(dev->buses->devices);
    check_true(t, !device_add(wrong, true, &err), "unknown property");
    check_str(t, error_message(err), "Property 'test-leaf.x' not found", "says so");
    error_free(err);
    device_delete(dev);
    pump();
}

TEST(device, reset_phases)
{
    Base *b = made(t);
    Device *leaf = device_new("test-leaf");

    device_realize_unref(leaf, b->bus, NULL);
    trace = g_string_new(NULL);
    device_reset(&b->dev, RESET_COLD);
    check_str(t, trace->str, "enter leaf-hold base-hold derived-hold exit ",
              "phase by phase, children first");
    g_string_free(trace, TRUE);
    trace = NULL;
    device_delete(&b->dev);
    pump();
}

TEST(device, lines)
{
    Base *a = made(t), *b = made(t);
    IrqLine **ors, *split;

    irq_set(a->out[0], 1);
    device_connect_irq_out(&a->dev, NULL, 0, device_irq_in(&b->dev, NULL, 1));
    irq_raise(a->out[0]);
    check_u32(t, b->level, 2, "line 1 of b");
    irq_lower(a->out[0]);
    check_u32(t, b->level, 0, "and down");
    check_true(t, !device_irq_in(&b->dev, NULL, 2) && !device_irq_in(&b->dev, "no", 0),
               "no such lines");
    split = irq_split(b, device_irq_in(&b->dev, NULL, 0), device_irq_in(&b->dev, NULL, 1));
    irq_raise(split);
    check_u32(t, b->level, 3, "split");
    irq_lower(split);
    ors = irq_or(b, 3, device_irq_in(&b->dev, NULL, 0));
    irq_raise(ors[0]);
    irq_raise(ors[2]);
    irq_lower(ors[0]);
    check_u32(t, b->level, 1, "or: one is still high");
    irq_lower(ors[2]);
    check_u32(t, b->level, 0, "or: none");
    irq_set(irq_invert(b, device_irq_in(&b->dev, NULL, 0)), 0);
    check_u32(t, b->level, 1, "inverted");
    device_delete(&a->dev);
    device_delete(&b->dev);
    pump();
}

static int seen_n, seen_level;

static void observe(UNUSED void *opaque, int n, int level)
{
    seen_n = n;
    seen_level = level;
}

TEST(device, interception)
{
    Base *a = made(t), *b = made(t);

    device_connect_irq_out(&a->dev, NULL, 1, device_irq_in(&b->dev, NULL, 1));
    check_true(t, device_intercept_irq_out(&a->dev, NULL, observe, NULL), "outputs");
    irq_raise(a->out[1]);
    check_true(t, seen_n == 1 && seen_level == 1 && b->level == 2, "seen and passed on");
    check_true(t, device_intercept_irq_in(&b->dev, NULL, observe, NULL), "inputs");
    irq_raise(device_irq_in(&b->dev, NULL, 0));
    check_true(t, seen_n == 0 && b->level == 3, "seen and passed on");
    check_true(t, !device_intercept_irq_in(&b->dev, "nothing", observe, NULL), "none");
    device_delete(&a->dev);
    device_delete(&b->dev);
    pump();
}

TEST(device, state)
{
    Base *a = made(t);
    g_autoptr(GByteArray) one = g_byte_array_new();
    Error *err = NULL;

    a->level = 0x1234;
    check_true(t, device_save(&a->dev, one, &err), "saved");
    a->level = 0;
    check_true(t, device_load(&a->dev, one->data, one->len, &err), "loaded");
    check_u32(t, a->level, 0x1234, "with the parent's table");
    g_byte_array_append(one, (const guint8 *)"y", 1);
    check_true(t, !device_load(&a->dev, one->data, one->len, NULL), "nothing behind it");
    device_delete(&a->dev);
    pump();
}

/* --- register tables --- */

enum { R_CTRL, R_STAT, R_COUNT, R_BYTE, R_WORD, R_STROBE, R_NUM };
static uint32_t strobe_val, strobe_old;
static unsigned written;

static void r_written(UNUSED void *opaque) { written++; }
static void r_strobe(UNUSED void *opaque, uint32_t val, uint32_t old)
{
    strobe_val = val;
    strobe_old = old;
}

static const RegDef regs[R_NUM] = {
    [R_CTRL] = { 0, "CTRL", .reset = 0x80000010, .rw = 0xff, .written = r_written,
                 .flags = FLAGS({ "EN", BIT(0) }, { "MODE", MASK(4, 2) }) },
    [R_STAT] = { 4, "STAT", .w1c = 0xf0, .rc = 0x0f, .hw = BIT(31) },
    [R_COUNT] = { 8, "COUNT", .rw = UINT32_MAX, .unimp = BIT(31) },
    [R_BYTE] = { 12, "BYTE", .rw = 0xff, .width = 1 },
    [R_WORD] = { 14, "WORD", .rw = 0xffff, .width = 2 },
    [R_STROBE] = { 16, "STROBE", .write = r_strobe, .write_only = true },
};

static const struct {
    RegsOrder order;
    hwaddr at;
    unsigned size;
    uint64_t expect;
} reads[] = {
    { LITTLE_ENDIAN_REGS, 0, 4, 0x80000011 }, { LITTLE_ENDIAN_REGS, 0, 1, 0x11 },
    { LITTLE_ENDIAN_REGS, 3, 1, 0x80 }, { LITTLE_ENDIAN_REGS, 2, 2, 0x8000 },
    { LITTLE_ENDIAN_REGS, 12, 4, 0xbeef00a5 }, { LITTLE_ENDIAN_REGS, 8, 4, 0x12345678 },
    { LITTLE_ENDIAN_REGS, 16, 4, 0 },
    { BIG_ENDIAN_REGS, 0, 4, 0x80000011 }, { BIG_ENDIAN_REGS, 0, 1, 0x80 },
    { BIG_ENDIAN_REGS, 3, 1, 0x11 }, { BIG_ENDIAN_REGS, 12, 4, 0xa500beef },
};

TEST(regs, reads)
{
    for (size_t i = 0; i < ARRAY_SIZE(reads); i++) {
        uint32_t v[R_NUM];
        uint64_t got;
        MemRegion mr;

        regs_reset(v, regs, R_NUM);
        v[R_CTRL] |= 1;
        v[R_COUNT] = 0x12345678;
        v[R_BYTE] = 0xa5;
        v[R_WORD] = 0xbeef;
        regs_init_region(&mr, regs, R_NUM, v, v, reads[i].order);
        check_u64(t, memory_region_size(&mr), 20, "span");
        memory_region_dispatch_read(&mr, reads[i].at, &got, reads[i].size,
                                    reads[i].order == BIG_ENDIAN_REGS ? MEM_BE : MEM_LE,
                                    MEM_ATTRS_NONE);
        check_u64(t, got, reads[i].expect, "value");
        memory_region_cleanup(&mr);
    }
}

TEST(regs, writes)
{
    uint32_t v[R_NUM];
    Error *err = NULL;
    StateNode *shown, *ctrl;

    regs_reset(v, regs, R_NUM);
    written = 0;
    regs_write(regs, R_NUM, v, NULL, 0, 0xffffffff, 4);
    check_u32(t, v[R_CTRL], 0x800000ff, "only .rw bits change");
    check_int(t, written, 1, "hook");
    v[R_STAT] = 0xff;
    regs_write(regs, R_NUM, v, NULL, 4, 0x30, 4);
    check_u32(t, v[R_STAT], 0xcf, "write 1 to clear");
    check_u32(t, regs_read(regs, R_NUM, v, NULL, 4, 4), 0xcf, "read");
    check_u32(t, v[R_STAT], 0xc0, "clear on read");
    regs_write(regs, R_NUM, v, NULL, 5, 0xff, 1);
    check_u32(t, v[R_STAT], 0xc0, "bytes not written are not cleared");
    regs_write(regs, R_NUM, v, NULL, 9, 0xab, 1);
    check_u32(t, v[R_COUNT], 0xab00, "one byte");
    regs_write(regs, R_NUM, v, NULL, 12, 0x11223344, 4);
    check_true(t, v[R_BYTE] == 0x44 && v[R_WORD] == 0x1122, "two registers at once");
    regs_write(regs, R_NUM, v, NULL, 16, 0x77, 4);
    check_true(t, strobe_val == 0x77 && v[R_STROBE] == 0, "strobe keeps nothing");
    shown = state_node_new("");
    reg_show(&regs[R_CTRL], 0x31, shown);
    ctrl = shown->fields[0];
    check_str(t, ctrl->name, "CTRL", "shown by its name");
    check_true(t, ctrl->u == 0x31 && ctrl->num_flags == 2 && !strcmp(ctrl->flags[0].name, "EN") &&
                  !strcmp(ctrl->flags[1].name, "MODE") && ctrl->flags[1].value == 3, "with flags by name");
    state_node_free(shown);
    check_true(t, regs_valid(v, regs, R_NUM, &err), "valid");
    v[R_STAT] |= BIT(31);
    check_true(t, regs_valid(v, regs, R_NUM, &err), "hardware's bits");
    v[R_CTRL] = 0;
    check_true(t, !regs_valid(v, regs, R_NUM, &err), "a reserved bit that is always 1");
    error_free(err);
}
