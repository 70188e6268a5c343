/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device-state view: what a device holds, as a tree of named values (vmstate/node.h). One section is the saved
 * state, decoded from its saved form and explained by the tables' meanings; the others are made by the device's
 * printers, which follow pointers into guest memory and put numbers into human terms.
 *
 * A printer gets what was saved, by name, and reads guest memory by state_view_read(): then it works on a running
 * device, on a snapshot and on a file alike. One that needs more looks at .dev, and is silent when that is NULL.
 * It changes nothing, calls no other device, and bounds what it follows: the guest wrote it. Big lock.
 */
#ifndef HW_CORE_STATE_VIEW_H
#define HW_CORE_STATE_VIEW_H

#include "hw/core/device.h"
#include "qapi/types-device-state.h"
#include "vmstate/node.h"

typedef struct StateView StateView;

struct StatePrinter {
    const char *name;           /* of the section: "rx-ring" */
    const char *help;           /* what it shows, one line */
    void (*print)(StateView *v, StateNode *into);
};
/* For DeviceType.printers. */
#define STATE_PRINTERS(...) ((const StatePrinter[]){ __VA_ARGS__, { NULL, NULL, NULL } })

/* Memory as the device's DMA sees it. */
typedef struct StateMemory {
    /* False if it isn't all RAM or ROM. */
    bool (*read)(void *opaque, uint64_t addr, void *buf, size_t len);
    /* "pc.ram+0x1000 (RAM)", or NULL; g_free(). */
    char *(*where)(void *opaque, uint64_t addr);
    void *opaque;
} StateMemory;

struct StateView {
    Device *dev;                /* NULL: it is somewhere else */
    const Type *type;
    const StateNode *saved;     /* NULL when it has no saved state */
    const StateMemory *memory;  /* NULL: there is none */
    bool all;                   /* show long lists to their end */
};

/* Of what the guest's DMA could reach; false, with @buf zeroed, if there is no memory. */
bool state_view_read(const StateView *v, uint64_t addr, void *buf, size_t len);
/* A number of the saved state by its path; 0 if it isn't there. */
uint64_t state_view_get(const StateView *v, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* An array of the numbers of the bits that are set in a map saved at @path as 32-bit words. */
StateNode *state_view_add_set_bits(const StateView *v, StateNode *into, const char *name, const char *path);
/* How many of a list's @n entries to show. */
static inline unsigned state_view_limit(const StateView *v, unsigned n)
{
    unsigned most = v->all ? 4096 : 32;

    return n < most ? n : most;
}

/* The whole view of a state that was saved under @type; @data NULL: it has none. Members path, id and section are
 * the caller's to set. @dev and @memory as in StateView. */
DeviceStateInfo *state_view_make(const Type *type, Device *dev, const void *data, size_t len,
                                 const StateMemory *memory, bool all);
/* Of a device as it is now. */
DeviceStateInfo *device_state_info(Device *dev, bool all);
/* A tree as the schema's type. @memory may be NULL. */
DeviceStateField *state_node_field(const StateNode *n, const StateMemory *memory, bool all);
/* The raw value; NULL when it is left out. */
struct QObject *state_node_value(const StateNode *n, bool all);

/* For people; g_free(). */
char *device_state_text(const DeviceStateInfoList *list, bool all);
/* A field's value on one line, without its name; g_free(). */
char *device_state_value_text(const DeviceStateField *f);

/* What has state in this machine: state of no device (dev NULL) first, then devices by order of realizing. Names are
 * unique: a second one is called "name#1". Of StateOwner, freed with g_ptr_array_unref(); holds references. */
typedef struct StateOwner {
    char *name;                 /* owned */
    const VmState *vm;          /* NULL: it has no saved state */
    void *opaque;
    Device *dev;                /* reference; NULL: state of no device */
} StateOwner;
GPtrArray *state_owners(void);
/* Saved form as it is now, nothing changes by it; of a CPU on its own thread. False with errp set. *printed, if not NULL,
 * becomes what the device's printers say at that moment (a struct of each; NULL: there is no device): the caller's. */
bool state_owner_peek(const StateOwner *o, GByteArray *out, StateNode **printed, Error **errp);

#endif
