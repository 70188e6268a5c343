/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest time in the saved state. Timers' deadlines are on this clock, so it comes before devices. */
#include "util/osdep.h"
#include "vmstate/vmstate.h"

typedef struct ClockState {
    int64_t virtual_ns;
} ClockState;

static void clock_pre_save(void *opaque)
{
    ((ClockState *)opaque)->virtual_ns = clock_get_ns(CLOCK_VIRTUAL);
}

static bool clock_post_load(void *opaque, Error **errp)
{
    ClockState *s = opaque;

    if (s->virtual_ns < 0 || s->virtual_ns > INT64_MAX / 2) {
        error_setf(errp, ERR_STATE_INVALID, "a guest's time of %" PRId64 " ns can't be",
                   s->virtual_ns);
        return false;
    }
    virtual_clock_set_ns(s->virtual_ns);
    return true;
}

static const VmField clock_fields[] = { VM_I64(ClockState, virtual_ns), VM_END };

static const VmState clock_vm = {
    .version = 1, .fields = clock_fields, .pre_save = clock_pre_save,
    .post_load = clock_post_load,
};

CONSTRUCTOR static void clock_register(void)
{
    static ClockState state;

    vm_register("clock", &clock_vm, &state);
}
