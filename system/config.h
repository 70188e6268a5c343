/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command line asks for, before anything of it exists.
 *
 * config_parse() reads the options (system/options.c); config_build() makes the
 * machine in the order in which things depend on each other (system/build.c).
 * Both go on after an error where they can, so that all mistakes are
 * told at once: errors are collected in Config.errors.
 */
#ifndef SYSTEM_CONFIG_H
#define SYSTEM_CONFIG_H

#include "util/osdep.h"
#include <glib.h>
#include "qobject/qobject.h"

typedef struct Config {
    char *argv0;                /* base name of the program */
    const char *arch;           /* from the name; NULL: qemu-system, all */
    QDict *machine;             /* -M, -machine merged; "type" is the name */
    QList *accels;              /* -accel: dicts with "accel"; in order */
    char *cpu;
    QDict *memory, *smp, *boot, *rtc, *icount, *name, *action, *msg, *overcommit, *sandbox;
    char *kernel, *initrd, *append, *dtb, *bios, *uuid, *vga, *screen, *display, *keyboard, *pidfile, *option_roms, *chroot, *runas;
    QList *chardevs, *mons, *devices, *objects, *netdevs, *nics, *nets, *drives, *blockdevs, *vncs,
          *audiodevs, *audios, *globals, *fsdevs;
    QList *fw_cfgs, *smbioses, *numas;
    QList *shares;              /* path, name, ro: folders for Samba */
    GPtrArray *serials, *parallels, *monitors, *qmps, *qmps_pretty, *debugcons;    /* specs */
    GPtrArray *usbdevices;      /* -usbdevice: names */
    char *gdb, *qtest, *qtest_log, *log_items, *log_file, *incoming, *loadvm;
    bool stopped;               /* -S */
    bool no_defaults, nographic, no_user_config, daemonize, usb, snapshot, preconfig, singlestep;
    QList *errors;              /* texts */
    QDict *failed;              /* ids of what couldn't be made */
    bool ended;                 /* under -preconfig: exit now, with this status */
    int status;
    bool done;                  /* help was printed: exit now, status 0 */
} Config;

/* Adds "-option: message" and the hint; takes and frees @err. */
void config_error(Config *c, const char *option, Error *err);
/* True if there are errors; they're printed on stderr then. */
bool config_report(Config *c);

void config_parse(Config *c, int argc, char **argv);
/* False after errors, which have been collected. */
bool config_build(Config *c);
void config_free(Config *c);

/* help.c: text on stdout for -help, -M help, -cpu help, -device help ... */
void help_options(const Config *c);
void help_machines(const char *arch);
void help_cpus(const char *arch);
/* @driver NULL: all devices; else its properties. False: no such device. */
bool help_devices(const char *driver);
/* The same for -object and -machine; a machine's name may be an alias. */
bool help_objects(const char *type);
void help_nics(void);           /* what -nic's model can be */
bool help_machine(const char *machine);
void help_accels(void);
void help_version(void);

/* One row an option (options.c). */
typedef struct Option {
    const char *name;           /* without the dash */
    bool has_arg;
    const char *usage;          /* "-m [size=]megs[,slots=n,maxmem=size]" */
    const char *help;
    void (*handle)(Config *c, const struct Option *o, const char *arg);
    size_t offset;              /* of the member, for the simple kinds */
    const char *implied;        /* key of a first word */
} Option;
extern const Option config_options[];   /* ends with a row of NULLs */

/* Does the option collect a list of dicts? */
bool config_is_list(const Option *o);

/* config-file.c: handlers of -readconfig and -set. */
void config_read_file(Config *c, const Option *o, const char *path);
void config_set(Config *c, const Option *o, const char *arg);

#endif
