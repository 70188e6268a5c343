/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine types and the one machine of the process.
 *
 * A machine file reads like the board's block diagram: .init creates the
 * devices, sets their properties, connects and maps them. Big lock.
 */
#ifndef HW_CORE_MACHINE_H
#define HW_CORE_MACHINE_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_MACHINE    "machine"

typedef struct Machine Machine;
typedef struct MachineType MachineType;

/*
 * What a device's property was when a versioned machine type was made, where its
 * default has changed since: the guest and its migration stream then stay the same.
 */
typedef struct MachineCompat {
    const char *driver, *property, *value;
} MachineCompat;

struct MachineType {
    const char *name;           /* "pc-i440fx-7.2"; type "<name>-machine" */
    const char *parent;         /* another machine's name; NULL: none */
    const char *alias;          /* "pc" */
    const char *desc;
    size_t size;                /* of the instance; 0: the parent's */
    bool abstract;
    const char *const *arch;    /* "x86_64", "i386" ...; NULL ends; the first
                                 * is the machine's own */
    const char *const *default_for;     /* architectures that start it when
                                         * no -M is given */
    const char *default_cpu;    /* type name */
    /* The same where the program is called by another architecture's name:
     * pairs of architecture and type, ends with NULL; may be NULL. */
    const char *const *arch_cpus;
    const char *const *valid_cpus;      /* ancestors; NULL: any of arch */
    unsigned min_cpus, default_cpus, max_cpus;  /* 0: 1 */
    uint64_t default_ram_size;  /* 0: 128 MiB */
    const char *default_ram_id; /* "pc.ram" */
    const char *default_boot_order;     /* "cad" */
    const char *default_display;        /* "std" for -vga; NULL: none */
    const char *default_nic;            /* "e1000"; NULL: none */
    /* What -drive means without if= */
    const char *default_block_interface;        /* "ide" */
    unsigned units_per_default_bus;
    bool no_serial, no_parallel, no_floppy, no_cdrom, no_sdcard;
    bool screen_size;           /* -g says how large its screen is */
    bool has_fw_cfg;            /* -fw_cfg and -smbios reach its firmware */
    bool hotplug_cpus;
    bool ignore_boot_device_suffixes;
    /* In addition to the parent's, which is the next newer version. Ends with a NULL driver. */
    const MachineCompat *compat;
    const Property *props;
    void (*instance_init)(Machine *m);
    /* Check and adjust ram_size, smp; before .init. */
    bool (*prepare)(Machine *m, Error **errp);
    bool (*init)(Machine *m, Error **errp);
    /* Devices without a bus (CPUs, memory) that a user adds, before and after they are realized.
     * May be NULL: such devices are realized as they are. */
    bool (*pre_plug)(Machine *m, Device *dev, Error **errp);
    void (*plugged)(Machine *m, Device *dev);
    /* A user wants one back: true when the guest was asked (it ends in device_unplug_done()). False
     * with *errp set: it must stay. */
    bool (*unplug_request)(Machine *m, Device *dev, Error **errp);
    /* Instead of system_reset(kind), which it calls itself. */
    void (*reset)(Machine *m, ResetKind kind);
    /* The order in which firmware tries devices at the next start, as letters. NULL: it has none. */
    bool (*set_boot)(Machine *m, const char *order, Error **errp);
    /* After all -device: tables for firmware, boot order. */
    bool (*done)(Machine *m, Error **errp);
    const void *data;
};
void machine_type_register(const MachineType *type);
#define MACHINE_TYPE(x) \
    CONSTRUCTOR static void x##_register(void) { machine_type_register(&x); }

typedef struct SmpConfig {
    unsigned cpus, max_cpus, sockets, dies, cores, threads;
} SmpConfig;

typedef struct BootConfig {
    char *order, *once, *splash;        /* "cad", may be NULL; owned */
    bool menu, strict;
    int64_t splash_time, reboot_timeout;        /* ms; -1: not given */
} BootConfig;

/*
 * What the command line wants a board to connect to its own controllers
 * (-drive if=ide, -hda, -cdrom, -fda; -nic; -serial). The board sets @used for what it
 * took; what nobody took is reported.
 */
typedef struct MachineDrive {
    char *interface;            /* "ide", "floppy", "scsi", "virtio" ... */
    int bus, unit;
    char *blockdev;             /* id of the block back end (PROP_DRIVE) */
    bool cdrom;                 /* media=cdrom: also without a medium */
    bool used;
} MachineDrive;
typedef struct MachineNic {
    char *model;                /* NULL: the machine's default_nic */
    char *netdev;               /* id of the back end */
    char *mac;                  /* "52:54:00:12:34:56", or NULL */
    char *id;                   /* of the device; or NULL */
    bool used;
} MachineNic;
/* -fw_cfg: a file for the firmware. */
typedef struct MachineFile {
    char *name;
    uint8_t *data;
    size_t len;
} MachineFile;
#define MACHINE_SERIALS     4
#define MACHINE_RAM_SLOTS   256

struct Machine {
    Object obj;
    const MachineType *type;
    uint64_t ram_size;
    uint64_t max_ram_size;      /* with what may be plugged; 0: no more than ram_size */
    unsigned ram_slots;         /* for plugged memory */
    MemRegion *plugged_ram;     /* where that is put; NULL: nowhere; the board's */
    uint64_t plugged_bytes;
    char *ram_memdev;           /* id of a memory back end, or NULL */
    MemRegion *ram;             /* whole RAM; set before .init */
    SmpConfig smp;
    char *cpu_type;             /* type name, resolved */
    char *cpu_features;         /* text after the first comma of -cpu */
    char *firmware;             /* -bios, or the property; NULL: default */
    char *kernel, *initrd, *append, *dtb;
    BootConfig boot;
    MachineDrive *drives;       /* owned, as the next ones */
    unsigned n_drives;
    MachineNic *nics;
    unsigned n_nics;
    MachineFile *fw_files;
    unsigned n_fw_files;
    struct NumaConfig *numa;    /* NULL: no nodes; owned */
    struct QList *smbios;       /* dicts of -smbios; a reference, or NULL */
    char *serial[MACHINE_SERIALS];      /* chardev ids; NULL: no port there */
    char *parallel[MACHINE_SERIALS];
    char *vga;                  /* "std", "none"; NULL: default_display */
    uint32_t screen_width, screen_height, screen_depth;     /* -g; 0: the device's own */
    char *rtc_base;             /* "utc", "localtime", or a date; NULL: utc */
    char *rtc_clock;            /* "host", "rt", "vm"; NULL: host */
    bool rtc_slew;              /* lost ticks are made up for */
    uint8_t uuid[16];
    bool have_uuid;
    bool usb, graphics, dump_guest_core, smm_off;
    bool initialized, ready;    /* .init has run; .done has run */
};

static inline Machine *MACHINE(const void *obj)
{
    return (Machine *)object_cast(obj, TYPE_MACHINE);
}
/* NULL until machine_new(). */
Machine *current_machine(void);
/* By name or alias; NULL with errp set. */
const MachineType *machine_type_find(const char *name, Error **errp);
const MachineType *machine_type_default(const char *arch);
/* Type name of the CPUs when the user names none; NULL: it has none. */
const char *machine_type_default_cpu(const MachineType *type);
bool machine_type_has_arch(const MachineType *type, const char *arch);
void machine_type_foreach(void (*fn)(const MachineType *type, void *opaque),
                          void *opaque);
/* Makes /machine and its containers. */
Machine *machine_new(const MachineType *type);
/* RAM, CPUs' defaults, .prepare, .init. */
bool machine_init(Machine *m, Error **errp);
bool machine_done(Machine *m, Error **errp);
/* boot_set: the order from the next start on, in place of -boot's. */
bool machine_set_boot(Machine *m, const char *order, Error **errp);
/* What a machine's .init runs to hear that all devices exist. */
void machine_add_done(Machine *m, void (*fn)(Machine *m, void *opaque),
                      void *opaque);
/* Marks it used; NULL if the command line has none there. */
MachineDrive *machine_take_drive(Machine *m, const char *interface, int bus, int unit);
void machine_reset(ResetKind kind);
/* CPU number @index of the machine's cpu_type, with features applied, not
 * realized; the first goes to /machine/unattached/device[0]. */
Device *machine_new_cpu(Machine *m, const char *type, Error **errp);

/*
 * Firmware files: names are looked up in the directories given with -L (in
 * that order), then in the built-in ones. Caller frees with g_free(); NULL
 * if there is none.
 */
void firmware_path_add(const char *dir);
char *firmware_find(const char *name);
/* The same; NULL with what was looked for, where, and which package has it. */
char *firmware_find_checked(const char *name, Error **errp);
int firmware_path_foreach(int (*fn)(const char *dir, void *opaque),
                          void *opaque);
/* Read a file into @mr's RAM at @offset; at most @max bytes. Returns its
 * size, -1 with errp set. */
int64_t firmware_load(const char *name, MemRegion *mr, uint64_t offset,
                      uint64_t max, Error **errp);

/* Requests for reset, shutdown, power-down: hw/core/runstate.h. */

#endif
