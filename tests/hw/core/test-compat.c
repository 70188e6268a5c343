/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Versioned machine types: an older one has its devices as they were. */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "tests/lib/test.h"
#include "util/main-loop.h"

typedef struct DutState {
    Device dev;
    uint32_t a, b, c;
} DutState;

static const Property dut_props[] = {
    PROP_U32("a", DutState, a, 3, "changed in 2.0 and in 3.0"),
    PROP_U32("b", DutState, b, 3, "changed in 3.0"),
    PROP_U32("c", DutState, c, 3, "changed in 3.0"),
    PROP_END
};
static const DeviceType dut_type = {
    .name = "compat-dut", .parent = TYPE_DEVICE, .size = sizeof(DutState), .props = dut_props,
};
DEVICE_TYPE(dut_type)

static const MachineCompat before_3[] = {
    { "compat-dut", "a", "2" }, { "compat-dut", "b", "2" }, { "compat-dut", "c", "2" },
    { NULL, NULL, NULL }
};
static const MachineCompat before_2[] = { { "compat-dut", "a", "1" }, { NULL, NULL, NULL } };

static const MachineType machine_3 = { .name = "compat-3.0", .desc = "The newest" };
MACHINE_TYPE(machine_3)
static const MachineType machine_2 = {
    .name = "compat-2.0", .parent = "compat-3.0", .desc = "Older", .compat = before_3,
};
MACHINE_TYPE(machine_2)
static const MachineType machine_1 = {
    .name = "compat-1.0", .parent = "compat-2.0", .desc = "Oldest", .compat = before_2,
};
MACHINE_TYPE(machine_1)

TEST(compat, older_machine)
{
    DutState *s;
    Device *dev;

    main_loop_init();
    dev = device_new("compat-dut");
    s = (DutState *)dev;
    check_u32(t, s->a, 3, "the default of today");
    object_unref(dev);

    global_property_add("compat-dut", "c", "9");
    machine_new(machine_type_find("compat-1.0", NULL));
    dev = device_new("compat-dut");
    s = (DutState *)dev;
    check_u32(t, s->a, 1, "the oldest machine's");
    check_u32(t, s->b, 2, "its successor's");
    check_u32(t, s->c, 9, "what the user says, though it was said before");
    object_unref(dev);
}
