/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices and buses.
 *
 * A device is declared once, as a DeviceType; DEVICE_TYPE(x) registers it. It
 * is made (device_new), given properties, and realized: then it is part of
 * the machine. A device type without .realize, .vm ... has its parent's; the
 * functions of a parent run too: realize and reset parents first, unrealize
 * parents last. A failed realize undoes what the parents did.
 *
 * A device sits on at most one bus, of the type that its DeviceType names. It
 * may have buses of its own. One without bus is on the main system bus. Big
 * lock for everything here.
 */
#ifndef HW_CORE_DEVICE_H
#define HW_CORE_DEVICE_H

#include "hw/core/irq.h"
#include "hw/core/reset.h"
#include "qom/object.h"
#include "util/main-loop.h"
#include "vmstate/vmstate.h"

typedef struct Device Device;
typedef struct DeviceType DeviceType;
typedef struct Bus Bus;
typedef struct BusType BusType;
typedef struct StatePrinter StatePrinter;
struct AddressSpace;
struct PCIDevice;

#define TYPE_DEVICE     "device"
#define TYPE_BUS        "bus"
/* Parent of devices that a board maps and wires itself. */
#define TYPE_SYS_DEVICE "sys-bus-device"
#define TYPE_SYSTEM_BUS "System"

typedef enum DeviceCategory {
    DEVICE_MISC, DEVICE_BRIDGE, DEVICE_USB, DEVICE_STORAGE, DEVICE_NETWORK,
    DEVICE_INPUT, DEVICE_DISPLAY, DEVICE_SOUND, DEVICE_CPU, DEVICE_WATCHDOG,
    DEVICE_CATEGORY__MAX
} DeviceCategory;
const char *device_category_name(DeviceCategory category);

/* What a PCI function is; used by types derived from TYPE_PCI_DEVICE. Zero
 * members are the parent's. */
typedef struct PciInfo {
    uint16_t vendor, device;
    uint32_t class_code;        /* 24 bits: class, subclass, interface */
    uint8_t revision;
    uint16_t subsystem_vendor, subsystem;
    uint8_t pin;                /* PCI_PIN_A (0) ... PCI_PIN_D, PCI_PIN_NONE */
    uint8_t header_type;        /* 0: device, 1: PCI-to-PCI bridge */
    bool express;               /* 4 KiB of config space */
    bool express_at_port;       /* the same, behind a PCI Express port only */
    bool multifunction;
    const char *romfile;        /* file name looked up as firmware */
    /* Instead of pci_default_config_read/write, which they may call. */
    uint32_t (*config_read)(struct PCIDevice *pci, uint32_t addr,
                            unsigned len);
    void (*config_write)(struct PCIDevice *pci, uint32_t addr, uint32_t val,
                         unsigned len);
} PciInfo;

struct DeviceType {
    const char *name;
    const char *parent;         /* NULL: TYPE_SYS_DEVICE */
    const char *desc;           /* one line for -device help */
    const char *alias;          /* other name that -device takes */
    size_t size;                /* of the instance; 0: the parent's */
    bool abstract;
    bool not_user_creatable;    /* -device refuses it; not inherited */
    bool hotpluggable;
    DeviceCategory category;
    const char *bus_type;       /* what it plugs into; NULL: the parent's */
    /* How firmware calls it in paths ("ethernet", "ide"; with its unit for a
     * device that no bus numbers: "pci@i0cf8"); NULL: the parent's. */
    const char *fw_name;
    const Property *props;
    void (*init)(Device *dev);          /* object made, before properties */
    void (*finalize)(Device *dev);
    bool (*realize)(Device *dev, Error **errp);
    /* After the realize of the whole chain: for bus types that complete
     * what their devices have set up. */
    bool (*realize_done)(Device *dev, Error **errp);
    void (*unrealize)(Device *dev);
    void (*reset_enter)(Device *dev);
    void (*reset_hold)(Device *dev);
    void (*reset_exit)(Device *dev);
    VmState vm;                 /* no .fields: the parent's, or no state */
    PciInfo pci;
    const void *data;           /* for the family's own use (device_data) */
    /* For the device-state view (hw/core/state-view.h): sections beside the saved state, of each type of the chain;
     * where its DMA goes, NULL or the parent's: address_space_memory; and the loop of the I/O thread that changes its
     * state, NULL or the parent's: whoever does it has the big lock. */
    const StatePrinter *printers;
    struct AddressSpace *(*dma_space)(Device *dev);
    EventLoop *(*io_loop)(Device *dev);
};
void device_type_register(const DeviceType *type);
#define DEVICE_TYPE(x) \
    CONSTRUCTOR static void x##_register(void) { device_type_register(&x); }
/* NULL if @type is no device type. */
const DeviceType *device_type_of(const Type *type);
/* By name or alias, as -device takes it; NULL with errp set. */
const Type *device_type_find(const char *name, Error **errp);
const char *device_type_bus(const Type *type);      /* inherited; or NULL */
DeviceCategory device_type_category(const Type *type);
const VmState *device_type_vm(const Type *type);    /* inherited; or NULL */
bool device_type_is_hotpluggable(const Type *type); /* inherited */

typedef struct IrqGroup IrqGroup;

struct Device {
    Object obj;
    char *id;                   /* from the user; NULL */
    bool realized;
    bool hotplugged;
    bool pending_unplug;
    bool part;                  /* realized by its owner's realize */
    bool realizing;
    Error *global_error;        /* a -global that doesn't fit; fails realize */
    Bus *bus;                   /* parent bus; holds a reference */
    Device *sibling;            /* next on the same bus */
    Bus *buses;                 /* its own, oldest first; owned */
    IrqGroup *irqs_in, *irqs_out;
    uint32_t reset_count;       /* nested resets in progress */
    Device *all_next;           /* list of realized devices */
};

static inline Device *DEVICE(const void *obj)
{
    return (Device *)object_cast(obj, TYPE_DEVICE);
}
/* The type's own DeviceType. */
const DeviceType *device_type(const Device *dev);
/* Park it (util/main-loop.h) before looking at the device's state; NULL: nothing is to be done. */
EventLoop *device_io_loop(Device *dev);
/* The nearest .data of the type and its ancestors. */
const void *device_data(const Device *dev);

/* @type must exist: for boards. One reference, the caller's. */
Device *device_new(const char *type);
/* Realize it on @bus (NULL: the system bus). It goes below
 * /machine/unattached unless it has a parent in the tree already. False: it
 * is as before. */
bool device_realize(Device *dev, Bus *bus, Error **errp);
/* The same and gives up the caller's reference, also when it fails. */
bool device_realize_unref(Device *dev, Bus *bus, Error **errp);
/* Realize a part of another device: child "name" of @owner. Unrealized with
 * it. */
bool device_realize_child(Device *dev, Device *owner, const char *name,
                          Bus *bus, Error **errp);
void device_unrealize(Device *dev);
/* Unrealize, leave the tree; the storage goes with the last reference. */
void device_delete(Device *dev);
/* device_delete() at the user's wish, and DEVICE_DELETED. */
void device_unplug_done(Device *dev);
/* /machine/peripheral/@id or, without one, .../peripheral-anon/device[n]. */
bool device_set_id(Device *dev, const char *id, Error **errp);
Device *device_find(const char *id);            /* by id or path; or NULL */
/* -device and device_add: members "driver", "id", "bus" and properties. The
 * result is borrowed. */
Device *device_add(const struct QDict *opts, bool from_text, Error **errp);
/* As far as it goes without a bus: the type, its properties' names and values. */
bool device_check(const struct QDict *opts, bool from_text, Error **errp);

/* "0000:00:02.0", "isa@03f8": where it is for the guest's sake; NULL if its
 * bus has no addresses. Caller frees with g_free(). */
char *device_bus_path(const Device *dev);
/* "/pci@i0cf8/ethernet@3": as Open Firmware and SeaBIOS name it. g_free(). */
char *device_fw_path(const Device *dev);
/* Name for messages: id, else path, else type. Caller frees. */
char *device_label(const Device *dev);

/* All realized devices, in order of realizing. */
int device_foreach(int (*fn)(Device *dev, void *opaque), void *opaque);

/* What its saved state is called: its bus path, else its object path, and its type. g_free(). */
char *device_section_name(const Device *dev);
/* Saved state of one device (nothing when it has none) and of all, plus what
 * vm_register() has. Sections are named by bus path or object path. */
bool device_save(Device *dev, GByteArray *out, Error **errp);
bool device_load(Device *dev, const void *data, size_t len, Error **errp);
bool devices_save_all(GByteArray *out, Error **errp);
bool devices_load_all(const void *data, size_t len, Error **errp);

/* Buses. */
struct BusType {
    const char *name;           /* "PCI", "ISA", "IDE" */
    const char *parent;         /* NULL: TYPE_BUS */
    const char *numbered_as;    /* names of its buses: "ide.0"; NULL: .name in lower case */
    size_t size;
    int max_devices;            /* 0: no limit */
    bool fixed;                 /* devices neither come nor go while the VM runs */
    char *(*device_path)(const Device *dev);    /* see device_bus_path() */
    /* Its part of a firmware path, "ide@1,1"; @name: from .fw_name, or the type's
     * name. Freed with g_free(). "": it has none. NULL: the name alone. */
    char *(*fw_path)(const Device *dev, const char *name);
    /* May @dev be put here? NULL: if the bus isn't full. */
    bool (*check)(Bus *bus, Device *dev, Error **errp);
    /* @dev came while the VM runs, and is complete. NULL: nobody is told. */
    void (*plugged)(Device *dev);
    /* The user wants @dev back: ask the guest, which ends in device_unplug_done(). False,
     * or NULL: it needn't be asked. */
    bool (*unplug_request)(Device *dev);
    void (*reset_hold)(Bus *bus);
    void (*finalize)(Bus *bus);
};
void bus_type_register(const BusType *type);
#define BUS_TYPE(x) \
    CONSTRUCTOR static void x##_register(void) { bus_type_register(&x); }

struct Bus {
    Object obj;
    char *name;                 /* "pci.0": unique among all buses */
    Device *parent;             /* owner; NULL for the system bus */
    Device *devices;            /* oldest first */
    int num_devices;
    Bus *sibling;
};
/* From @owner's realize; it goes when the owner is unrealized. @name NULL:
 * "<owner's id>.N", else "<type>.N" in lower case with the next free N. */
Bus *bus_new(const char *type, Device *owner, const char *name);
Bus *bus_system(void);
const BusType *bus_type(const Bus *bus);
/* "pci.0", or a path; NULL with errp set. */
Bus *bus_find(const char *name, Error **errp);
/* First bus of that type (or derived) with room, breadth first. */
Bus *bus_find_type(const char *type);
int bus_foreach(int (*fn)(Bus *bus, void *opaque), void *opaque);
static inline Bus *device_bus(const Device *dev) { return dev->bus; }

#endif
