/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of command-line options, and how each is put into a Config. */
#include "util/osdep.h"
#include <fcntl.h>
#include <errno.h>
#include "hw/core/machine.h"
#include "audio/audio.h"
#include "chardev/chardev.h"
#include "fsdev/fsdev.h"
#include "net/net.h"
#include "qom/object.h"
#include "system/config.h"
#include "system/opts.h"
#include "util/fdset.h"
#include "util/guest-random.h"
#include "util/log.h"

#define MEMBER(c, o, type)  ((type *)((char *)(c) + (o)->offset))

static void set_flag(Config *c, const Option *o, UNUSED const char *arg)
{
    *MEMBER(c, o, bool) = true;
}

static void set_text(Config *c, const Option *o, const char *arg)
{
    char **p = MEMBER(c, o, char *);

    g_free(*p);
    *p = g_strdup(arg);
}

static void add_text(Config *c, const Option *o, const char *arg)
{
    g_ptr_array_add(*MEMBER(c, o, GPtrArray *), g_strdup(arg));
}

static QDict *parse(Config *c, const Option *o, const char *arg)
{
    Error *err = NULL;
    QDict *d = opts_parse(arg, o->implied, &err);

    if (!d) {
        config_error(c, o->name, err);
    }
    return d;
}

static void add_dict(Config *c, const Option *o, const char *arg)
{
    QDict *d = parse(c, o, arg);

    if (d) {
        qlist_append(*MEMBER(c, o, QList *), d);
    }
}

/* Repeated options add to earlier ones. */
static void merge_dict(Config *c, const Option *o, const char *arg)
{
    QDict *d = parse(c, o, arg);

    if (d) {
        QDICT_FOR_EACH(e, d) {
            qdict_put(*MEMBER(c, o, QDict *), e->key, qobject_ref(e->value));
        }
        qobject_unref(d);
    }
}

/* Whether help is asked for, after which nothing else is done. */
static bool is_help(Config *c, const char *arg)
{
    bool help = !strcmp(arg, "help") || !strcmp(arg, "?");

    c->done |= help;
    return help;
}

/* "TYPE,help" is answered by @help, which returns false if there is no such type. */
static bool is_help_of(Config *c, const Option *o, const char *arg, bool (*help)(const char *type))
{
    bool comma = g_str_has_suffix(arg, ",help") || g_str_has_suffix(arg, ",?");
    g_autofree char *type = comma ? g_strndup(arg, strcspn(arg, ",")) : NULL;
    Error *err = NULL;

    if (comma && help(type)) {
        c->done = true;
    } else if (comma) {
        error_setf(&err, ERR_NO_SUCH_TYPE, "there is no %s '%s'", !strcmp(o->name, "M") ? "machine" : o->name, type);
        error_hint(&err, "-%s help lists all", o->name);
        config_error(c, o->name, err);
    }
    return comma;
}

static void opt_machine(Config *c, const Option *o, const char *arg)
{
    const char *name = g_str_has_prefix(arg, "type=") ? arg + 5 : arg;

    if (is_help(c, name)) {
        help_machines(c->arch);
    } else if (!is_help_of(c, o, name, help_machine)) {
        merge_dict(c, o, arg);
    }
}

static void opt_object(Config *c, const Option *o, const char *arg)
{
    if (is_help(c, arg)) {
        help_objects(NULL);
    } else if (!is_help_of(c, o, arg, help_objects)) {
        add_dict(c, o, arg);
    }
}

static void opt_audiodev(Config *c, const Option *o, const char *arg)
{
    if (is_help(c, arg)) {
        g_autofree char *text = audiodev_help();

        fputs(text, stdout);
    } else {
        add_dict(c, o, arg);
    }
}

static void opt_display(Config *c, const Option *o, const char *arg)
{
    if (is_help(c, arg)) {
        puts("Available display backend types:\nnone\nsdl\nvnc=...");
    } else {
        set_text(c, o, arg);
    }
}

static void opt_vga(Config *c, const Option *o, const char *arg)
{
    if (is_help(c, arg)) {
        puts("none                 no graphic card\nstd                  standard VGA (default)");
    } else {
        set_text(c, o, arg);
    }
}

static void opt_cpu(Config *c, const Option *o, const char *arg)
{
    if (is_help(c, arg)) {
        help_cpus(c->arch);
    } else {
        set_text(c, o, arg);
    }
}

static void opt_accel(Config *c, const Option *o, const char *arg)
{
    if (is_help(c, arg)) {
        help_accels();
    } else {
        add_dict(c, o, arg);
    }
}

static void opt_device(Config *c, const Option *o, const char *arg)
{
    if (is_help(c, arg)) {
        help_devices(NULL);
    } else if (!is_help_of(c, o, arg, help_devices)) {
        add_dict(c, o, arg);
    }
}

static void opt_drive_short(Config *c, const Option *o, const char *arg)
{
    QDict *d = qdict_new();
    bool cdrom = !strcmp(o->name, "cdrom");

    qdict_put_str(d, "file", arg);
    qdict_put_str(d, "if", o->name[0] == 'f' ? "floppy" : "default");
    qdict_put_str(d, "media", cdrom ? "cdrom" : "disk");
    if (cdrom) {
        qdict_put_str(d, "index", "2");
    } else {
        char index[2] = { o->name[2] - 'a' + '0', 0 };

        qdict_put_str(d, "index", index);
    }
    qlist_append(c->drives, d);
}

static void opt_action(Config *c, const Option *o, UNUSED const char *arg)
{
    bool reboot = !strcmp(o->name, "no-reboot");

    qdict_put_str(c->action, reboot ? "reboot" : "shutdown", reboot ? "shutdown" : "pause");
}

static void opt_watchdog_action(Config *c, UNUSED const Option *o, const char *arg)
{
    qdict_put_str(c->action, "watchdog", arg);
}

static void opt_gdb_short(Config *c, UNUSED const Option *o, UNUSED const char *arg)
{
    g_free(c->gdb);
    c->gdb = g_strdup("tcp::1234");
}

static void opt_kvm(Config *c, UNUSED const Option *o, UNUSED const char *arg)
{
    QDict *d = qdict_new();

    qdict_put_str(d, "accel", "kvm");
    qlist_append(c->accels, d);
}

static void opt_firmware_dir(UNUSED Config *c, UNUSED const Option *o, const char *arg)
{
    firmware_path_add(arg);
}

static void opt_help(Config *c, UNUSED const Option *o, UNUSED const char *arg)
{
    help_options(c);
    c->done = true;
}

static void opt_version(Config *c, UNUSED const Option *o, UNUSED const char *arg)
{
    help_version();
    c->done = true;
}

/* -no-acpi and -no-hpet are properties of the machine. */
static void opt_machine_off(Config *c, const Option *o, UNUSED const char *arg)
{
    qdict_put_str(c->machine, o->name + 3, "off");
}

static void opt_log(Config *c, const Option *o, const char *arg)
{
    if (is_help(c, arg)) {
        for (const LogItem *i = log_items; i->name; i++) {
            printf("%-14s %s\n", i->name, i->help);
        }
    } else {
        set_text(c, o, arg);
    }
}

static void opt_chardev(Config *c, const Option *o, const char *arg)
{
    if (is_help(c, arg)) {
        char *text = chardev_help();

        fputs(text, stdout);
        free(text);
    } else {
        add_dict(c, o, arg);
    }
}

static void opt_netdev(Config *c, const Option *o, const char *arg)
{
    if (is_help(c, arg)) {
        g_autofree char *text = net_help();

        fputs(text, stdout);
    } else {
        add_dict(c, o, arg);
    }
}

static void opt_nic(Config *c, const Option *o, const char *arg)
{
    bool models = !strcmp(arg, "model=help") || g_str_has_suffix(arg, ",model=help");

    if (models) {
        help_nics();
        c->done = true;
    } else {
        opt_netdev(c, o, arg);
    }
}

static void opt_fsdev(Config *c, const Option *o, const char *arg)
{
    if (is_help(c, arg)) {
        g_autofree char *text = fsdev_help();

        fputs(text, stdout);
    } else {
        add_dict(c, o, arg);
    }
}

/* -virtfs: an fsdev, and a device that shows it. */
static void opt_virtfs(Config *c, const Option *o, const char *arg)
{
    QDict *d = parse(c, o, arg), *device;
    const char *tag = d ? qdict_str_or(d, "mount_tag", NULL) : NULL, *id;
    Error *err = NULL;

    if (!d) {
        return;
    }
    if (!tag) {
        error_setf(&err, ERR_MISSING_ARGUMENT, "'mount_tag' is missing: the name that the guest mounts");
        config_error(c, "virtfs", err);
        qobject_unref(d);
        return;
    }
    id = qdict_str_or(d, "id", tag);
    device = qdict_from_fmt("{'driver': 'virtio-9p-pci', 'fsdev': %s, 'mount_tag': %s}", id, tag);
    qdict_put_str(d, "id", id);
    qdict_del(d, "mount_tag");
    qlist_append(c->fsdevs, d);
    qlist_append(c->devices, device);
}

/* Letters that ids and tags may have; begins with a letter. */
static char *tag_of(const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    char *tag = g_strdup_printf("%s%.24s", g_ascii_isalpha(*name) ? "" : "share", name);

    for (char *c = tag; *c; c++) {
        if (!g_ascii_isalnum(*c) && !strchr("-_.", *c)) {
            *c = '_';
        }
    }
    return tag;
}

/* -share: a folder with all that it needs, and a word to the guest where to mount it. */
static void opt_share(Config *c, const Option *o, const char *arg)
{
    static const char *const known[] = { "path", "tag", "mount", "ro", NULL };
    QDict *d = parse(c, o, arg);
    const char *path = d ? qdict_str_or(d, "path", NULL) : NULL, *mount, *ro;
    g_autofree char *tag = NULL, *id = NULL, *hint = NULL, *file = NULL;
    Error *err = NULL;

    if (!d) {
        return;
    }
    tag = path ? g_strdup(qdict_str_or(d, "tag", NULL)) : NULL;
    tag = tag || !path ? tag : tag_of(path);
    id = g_strconcat("share-", tag, NULL);
    mount = qdict_str_or(d, "mount", NULL);
    ro = qdict_str_or(d, "ro", "off");
    if (opts_check_known(d, "-share", known, &err)) {
        if (!path || !*path) {
            error_setf(&err, ERR_MISSING_ARGUMENT, "no folder is named; accepted: FOLDER[,tag=NAME][,ro=on][,mount=/PATH]");
        } else if (!id_is_valid(id)) {
            error_setf(&err, ERR_INVALID_ARGUMENT, "tag '%s'; accepted: letters, digits, '-', '.', '_'", tag);
        } else if (mount && (*mount != '/' || strpbrk(mount, " \t\n\\"))) {
            error_setf(&err, ERR_INVALID_ARGUMENT, "'mount' is '%s'; accepted: a path from the guest's root, without blanks",
                       mount);
        }
    }
    if (err) {
        config_error(c, "share", err);
        qobject_unref(d);
        return;
    }
    qlist_append(c->fsdevs, qdict_from_fmt("{'fsdriver': 'local', 'id': %s, 'path': %s, 'readonly': %s,"
                                           " 'security_model': 'mapped-xattr', 'multidevs': 'remap'}", id, path, ro));
    qlist_append(c->devices, qdict_from_fmt("{'driver': 'virtio-9p-pci', 'fsdev': %s, 'mount_tag': %s}", id, tag));
    qlist_append(c->shares, qdict_from_fmt("{'name': %s, 'path': %s, 'ro': %s}", tag, path, ro));
    if (mount) {
        file = g_strconcat("opt/automount9p/", tag, NULL);
        hint = g_strdup_printf("mount=%s\n%s", mount, !strcmp(ro, "on") ? "options=ro\n" : "");
        qlist_append(c->fw_cfgs, qdict_from_fmt("{'name': %s, 'string': %s}", file, hint));
    }
    qobject_unref(d);
}

/* Accepted for compatibility: QEMU ignores or deprecated it, or it is our default. */
static void opt_seed(Config *c, UNUSED const Option *o, const char *arg)
{
    char *end;
    uint64_t seed;

    errno = 0;
    seed = strtoull(arg, &end, 0);
    if (errno || *end || end == arg || !(*arg >= '0' && *arg <= '9')) {
        Error *err = NULL;

        error_setf(&err, ERR_INVALID_ARGUMENT, "'%s' isn't a seed; accepted: a number of 64 bits", arg);
        config_error(c, "seed", err);
        return;
    }
    guest_random_seed(seed);
}

/* The descriptor is the set's from now on; what names it comes later. */
static void opt_add_fd(Config *c, UNUSED const Option *o, const char *arg)
{
    Error *err = NULL;
    QDict *d = opts_parse(arg, "fd", &err);
    const char *fd_text = d ? qdict_str_or(d, "fd", "") : "", *set_text = d ? qdict_str_or(d, "set", "") : "";
    char *fd_end, *set_end;
    long fd = strtol(fd_text, &fd_end, 10), set = strtol(set_text, &set_end, 10);

    if (!d) {
        config_error(c, "add-fd", err);
        return;
    }
    if (!*fd_text || *fd_end || !*set_text || *set_end || set < 0) {
        error_setf(&err, ERR_INVALID_ARGUMENT, "'%s' isn't right; accepted: fd=NUMBER,set=NUMBER[,opaque=TEXT]",
                   arg);
    } else if (fd < 3 || fd > INT32_MAX || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0) {
        error_setf(&err, ERR_INVALID_ARGUMENT,
                   "fd=%s isn't an open file descriptor other than standard input and output", fd_text);
    } else {
        fdset_add(set, (int)fd, qdict_str_or(d, "opaque", NULL));
    }
    if (err) {
        config_error(c, "add-fd", err);
    }
    qobject_unref(d);
}

static void opt_nothing(UNUSED Config *c, UNUSED const Option *o, UNUSED const char *arg)
{
}

#define FLAG(name, member, help) { name, false, "-" name, help, set_flag, offsetof(Config, member), NULL }
#define TEXT(name, member, arg, help) \
    { name, true, "-" name " " arg, help, set_text, offsetof(Config, member), NULL }
#define TEXTS(name, member, arg, help) \
    { name, true, "-" name " " arg, help, add_text, offsetof(Config, member), NULL }
#define DICTS(name, member, implied, arg, help) \
    { name, true, "-" name " " arg, help, add_dict, offsetof(Config, member), implied }
#define MERGED(name, member, implied, arg, help) \
    { name, true, "-" name " " arg, help, merge_dict, offsetof(Config, member), implied }

const Option config_options[] = {
    { "h", false, "-h", "this help", opt_help, 0, NULL },
    { "help", false, "-help", "this help", opt_help, 0, NULL },
    { "version", false, "-version", "version and copyright", opt_version, 0, NULL },
    { "machine", true, "-machine [type=]NAME[,prop=value]...", "the machine ('help' lists them)",
      opt_machine, offsetof(Config, machine), "type" },
    { "M", true, "-M NAME", "as -machine", opt_machine, offsetof(Config, machine), "type" },
    { "accel", true, "-accel [accel=]NAME[,prop=value]...",
      "how vCPUs run; the first of several that works ('help' lists them)", opt_accel,
      offsetof(Config, accels), "accel" },
    { "enable-kvm", false, "-enable-kvm", "as -accel kvm", opt_kvm, 0, NULL },
    { "cpu", true, "-cpu MODEL[,feature=on|off]...", "the CPU model ('help' lists them)", opt_cpu,
      offsetof(Config, cpu), NULL },
    MERGED("m", memory, "size", "[size=]MEGS[,slots=N,maxmem=SIZE]", "memory"),
    MERGED("smp", smp, "cpus", "[cpus=]N[,maxcpus=N][,sockets=N,dies=N,cores=N,threads=N]",
           "number and topology of CPUs"),
    DICTS("numa", numas, "type", "node[,mem=SIZE|memdev=ID][,cpus=FIRST-LAST]...[,nodeid=N] | "
          "dist,src=N,dst=N,val=N | cpu,node-id=N[,socket-id=N][,core-id=N][,thread-id=N]",
          "NUMA nodes, their distances, their CPUs"),
    MERGED("boot", boot, "order", "[order=]DRIVES[,once=DRIVES][,menu=on|off][,strict=on|off]"
           "[,splash=FILE][,splash-time=MS][,reboot-timeout=MS]",
           "what to boot from: a, b floppies, c disk, d CD, n network"),
    MERGED("icount", icount, "shift", "[shift=]N|auto[,align=on|off][,sleep=on|off]",
           "guest time by instructions, 2^N ns each: the same run each time"),
    MERGED("rtc", rtc, "base", "[base=utc|localtime|DATE][,clock=host|rt|vm][,driftfix=none|slew]",
           "the guest's clock"),
    MERGED("name", name, "guest", "NAME[,process=P][,debug-threads=on|off]", "name of the guest"),
    MERGED("action", action, NULL,
           "[reboot=reset|shutdown][,shutdown=poweroff|pause]"
           "[,panic=pause|shutdown|exit-failure|none][,watchdog=ACTION]",
           "what to do on the guest's events"),
    TEXT("uuid", uuid, "UUID", "the machine's UUID"),
    { "seed", true, "-seed NUMBER", "the guest's random numbers are the same in each run", opt_seed, 0,
      NULL },
    TEXT("kernel", kernel, "FILE", "boot this kernel: bzImage, multiboot or PVH"),
    TEXT("initrd", initrd, "FILE", "its initial RAM disk (multiboot: modules)"),
    TEXT("append", append, "TEXT", "its command line"),
    TEXT("dtb", dtb, "FILE", "its device tree"),
    TEXT("bios", bios, "FILE", "firmware instead of the machine's own"),
    { "L", true, "-L FOLDER", "look for firmware here first", opt_firmware_dir, 0, NULL },
    DICTS("drive", drives, NULL, "[file=F][,if=I][,index=N][,media=disk|cdrom][,format=F]...",
          "a disk image and what it is connected to"),
    DICTS("blockdev", blockdevs, "driver", "[driver=]D,node-name=N,...", "a block back end"),
    { "hda", true, "-hda FILE", "first IDE disk", opt_drive_short, 0, NULL },
    { "hdb", true, "-hdb FILE", "second IDE disk", opt_drive_short, 0, NULL },
    { "hdc", true, "-hdc FILE", "third IDE disk", opt_drive_short, 0, NULL },
    { "hdd", true, "-hdd FILE", "fourth IDE disk", opt_drive_short, 0, NULL },
    { "cdrom", true, "-cdrom FILE", "CD image, as third IDE device", opt_drive_short, 0, NULL },
    { "fda", true, "-fda FILE", "first floppy", opt_drive_short, 0, NULL },
    { "fdb", true, "-fdb FILE", "second floppy", opt_drive_short, 0, NULL },
    { "device", true, "-device DRIVER[,prop=value]...",
      "a device ('help' lists them, 'DRIVER,help' its properties)", opt_device,
      offsetof(Config, devices), "driver" },
    { "add-fd", true, "-add-fd fd=N,set=N[,opaque=TEXT]", "an inherited descriptor is /dev/fdset/SET's", opt_add_fd,
      0, NULL },
    { "object", true, "-object TYPE,id=ID[,prop=value]...", "an object ('help' lists types, 'TYPE,help' its properties)",
      opt_object, offsetof(Config, objects), "qom-type" },
    DICTS("global", globals, "driver", "DRIVER.PROP=VALUE", "a default for a property"),
    { "netdev", true, "-netdev TYPE,id=ID[,...]", "a network back end ('help' lists types)",
      opt_netdev, offsetof(Config, netdevs), "type" },
    { "fsdev", true, "-fsdev local,id=ID,path=FOLDER,security_model=mapped-xattr|mapped-file|passthrough|none[,...]",
      "a folder for virtio-9p-pci ('help' lists drivers)", opt_fsdev, offsetof(Config, fsdevs), "fsdriver" },
    { "virtfs", true, "-virtfs local,path=FOLDER,mount_tag=TAG,security_model=M[,...]",
      "a folder for the guest, as -fsdev and -device virtio-9p-pci", opt_virtfs, 0, "fsdriver" },
    { "share", true, "-share FOLDER[,tag=NAME][,ro=on][,mount=/PATH]",
      "a folder that the guest finds by that tag, and mounts there with guest/automount9p", opt_share, 0, "path" },
    { "nic", true, "-nic [TYPE|none][,model=M][,mac=M][,...]",
      "a network device of the machine with its back end ('help' lists types, 'model=help' devices)", opt_nic,
      offsetof(Config, nics), "type" },
    DICTS("net", nets, "type", "nic|user|none[,...]", "a device or a back end at hub 0, the old way"),
    { "chardev", true, "-chardev BACKEND,id=ID[,...]", "a character device ('help' lists back ends)",
      opt_chardev, offsetof(Config, chardevs), "backend" },
    DICTS("mon", mons, "chardev", "[chardev=]ID[,mode=readline|control][,pretty=on|off][,permissions=read-only|life-cycle|full]",
          "a monitor on a character device"),
    TEXTS("serial", serials, "DEV", "connect a serial port: stdio, pty, unix:F, tcp:H:P, ..."),
    TEXTS("parallel", parallels, "DEV", "connect a parallel port"),
    TEXTS("monitor", monitors, "DEV", "the human monitor's place"),
    TEXTS("qmp", qmps, "DEV", "a QMP monitor"),
    TEXTS("qmp-pretty", qmps_pretty, "DEV", "a QMP monitor that indents"),
    TEXTS("debugcon", debugcons, "DEV", "port 0xe9 written to a character device"),
    { "vga", true, "-vga std|none", "the VGA card", opt_vga, offsetof(Config, vga), NULL },
    TEXT("g", screen, "WIDTHxHEIGHT[xDEPTH]", "the screen, where the machine has one of a fixed size"),
    { "display", true, "-display none|sdl[,...]|vnc=...", "where the screen is shown", opt_display,
      offsetof(Config, display), NULL },
    TEXT("k", keyboard, "LAYOUT", "the guest's keyboard, for viewers that send characters: de, en-us, fr-ch, ..."),
    DICTS("vnc", vncs, "vnc", "HOST:D|unix:F|none[,...]", "a VNC server"),
    { "audiodev", true, "-audiodev DRIVER,id=ID[,...]", "a sound back end: none, wav, alsa, sdl", opt_audiodev,
      offsetof(Config, audiodevs), "driver" },
    DICTS("audio", audios, "driver", "DRIVER,model=M[,...]",
          "a sound back end and a device of the machine: ac97, es1370"),
    DICTS("fw_cfg", fw_cfgs, "name", "[name=]N,file=F|string=S", "a file for the firmware"),
    DICTS("smbios", smbioses, NULL, "type=N[,field=value]...|file=F", "SMBIOS fields"),
    FLAG("nographic", nographic, "no display; serial port and monitor on this terminal"),
    FLAG("nodefaults", no_defaults, "no devices but those that are asked for"),
    FLAG("no-user-config", no_user_config, "don't read configuration files of the user"),
    FLAG("singlestep", singlestep, "translate one instruction at a time"),
    FLAG("S", stopped, "don't start the CPUs (the monitor's 'cont' does)"),
    TEXT("loadvm", loadvm, "TAG", "begin with this snapshot of the machine"),
    TEXT("incoming", incoming, "URI|defer", "wait for a migration: tcp:H:P, unix:F, exec:C, fd:N, file:F"),
    { "s", false, "-s", "as -gdb tcp::1234", opt_gdb_short, 0, NULL },
    TEXT("gdb", gdb, "DEV", "wait for a debugger there"),
    { "no-reboot", false, "-no-reboot", "end instead of rebooting", opt_action, 0, NULL },
    { "no-shutdown", false, "-no-shutdown", "pause instead of ending", opt_action, 0, NULL },
    { "watchdog-action", true, "-watchdog-action ACTION", "what a watchdog does",
      opt_watchdog_action, 0, NULL },
    TEXT("qtest", qtest, "DEV", "the device tests' socket"),
    TEXT("qtest-log", qtest_log, "DEV", "log of the device tests' socket"),
    { "d", true, "-d ITEM[,ITEM]...", "log these items ('help' lists them)", opt_log,
      offsetof(Config, log_items), NULL },
    TEXT("D", log_file, "FILE", "log into this file"),
    TEXT("pidfile", pidfile, "FILE", "write the process id there"),
    FLAG("daemonize", daemonize, "go to the background when the sockets listen"),
    FLAG("preconfig", preconfig, "wait for a monitor's x-exit-preconfig before the machine is made"),
    FLAG("usb", usb, "enable the machine's USB controller"),
    TEXTS("usbdevice", usbdevices, "NAME", "a USB device: mouse, tablet, keyboard; turns USB on"),
    FLAG("snapshot", snapshot, "write to temporary files instead of images"),
    { "no-acpi", false, "-no-acpi", "as -machine acpi=off", opt_machine_off, 0, NULL },
    { "no-hpet", false, "-no-hpet", "as -machine hpet=off", opt_machine_off, 0, NULL },
    { "no-fd-bootchk", false, "-no-fd-bootchk", "don't check floppies' boot signatures",
      opt_nothing, 0, NULL },
    MERGED("msg", msg, NULL, "[timestamp=on|off][,guest-name=on|off]",
           "the time and the guest's name in messages"),
    MERGED("overcommit", overcommit, NULL, "[mem-lock=on|off][,cpu-pm=on|off]", "host resources"),
    MERGED("sandbox", sandbox, "enable",
           "on|off[,obsolete=allow|deny][,elevateprivileges=allow|deny|children]"
           "[,spawn=allow|deny][,resourcecontrol=allow|deny]", "refuse system calls that aren't needed"),
    TEXT("chroot", chroot, "FOLDER", "see only that folder before the guest starts"),
    TEXT("runas", runas, "USER|UID:GID", "become that user before the guest starts"),
    { "readconfig", true, "-readconfig FILE", "options in sections of a file", config_read_file, 0,
      NULL },
    { "set", true, "-set GROUP.ID.KEY=VALUE", "change an option that was given with this id",
      config_set, 0, NULL },
    { NULL, false, NULL, NULL, NULL, 0, NULL },
};

bool config_is_list(const Option *o)
{
    return o->handle == add_dict || o->handle == opt_device || o->handle == opt_chardev ||
           o->handle == opt_netdev || o->handle == opt_accel || o->handle == opt_fsdev;
}

bool config_report(Config *c)
{
    QLIST_FOR_EACH(e, c->errors) {
        error_print_prefix();
        fprintf(stderr, "%s: %s\n", c->argv0, qobject_get_str(e, NULL, NULL));
    }
    return qlist_size(c->errors) > 0;
}

/* The known option that shares most letters in front, for a hint. */
static const char *nearest(const char *name)
{
    const char *best = NULL;
    size_t most = 1;

    for (const Option *o = config_options; o->name; o++) {
        size_t n = 0;

        while (o->name[n] && o->name[n] == name[n]) {
            n++;
        }
        if (n > most) {
            most = n;
            best = o->name;
        }
    }
    return best;
}

/* The members of a Config that are containers. */
#define CONFIG_MEMBERS(c) \
    QDict **dicts[] = { &c->machine, &c->memory, &c->smp, &c->boot, &c->rtc, &c->icount, &c->name, \
                        &c->action, &c->msg, &c->overcommit, &c->sandbox, &c->failed }; \
    QList **lists[] = { &c->accels, &c->chardevs, &c->mons, &c->devices, &c->objects, &c->netdevs, \
                        &c->nics, &c->nets, &c->drives, &c->blockdevs, &c->vncs, &c->audiodevs, &c->audios, &c->globals, &c->fsdevs, \
                        &c->fw_cfgs, &c->smbioses, &c->numas, &c->shares, &c->errors }; \
    GPtrArray **arrays[] = { &c->serials, &c->parallels, &c->monitors, &c->qmps, &c->qmps_pretty, \
                             &c->usbdevices, \
                             &c->debugcons }

static void set_up(Config *c, const char *argv0)
{
    static const char prefix[] = "qemu-system-";

    c->argv0 = g_path_get_basename(argv0);
    if (g_str_has_prefix(c->argv0, prefix)) {
        c->arch = c->argv0 + strlen(prefix);
    }
    CONFIG_MEMBERS(c);

    for (unsigned i = 0; i < ARRAY_SIZE(dicts); i++) {
        *dicts[i] = qdict_new();
    }
    for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
        *lists[i] = qlist_new();
    }
    for (unsigned i = 0; i < ARRAY_SIZE(arrays); i++) {
        *arrays[i] = g_ptr_array_new_with_free_func(g_free);
    }
}

void config_free(Config *c)
{
    CONFIG_MEMBERS(c);
    char **strings[] = { &c->argv0, &c->cpu, &c->kernel, &c->initrd, &c->append, &c->dtb,
                         &c->bios, &c->uuid, &c->vga, &c->display, &c->keyboard, &c->pidfile,
                         &c->option_roms, &c->gdb, &c->qtest, &c->qtest_log, &c->log_items,
                         &c->log_file, &c->incoming, &c->loadvm, &c->chroot, &c->runas };

    for (unsigned i = 0; i < ARRAY_SIZE(dicts); i++) {
        qobject_unref(*dicts[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
        qobject_unref(*lists[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(arrays); i++) {
        g_ptr_array_unref(*arrays[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(strings); i++) {
        g_free(*strings[i]);
    }
    *c = (Config){ 0 };
}

void config_parse(Config *c, int argc, char **argv)
{
    set_up(c, argv[0]);
    for (int i = 1; i < argc && !c->done; i++) {
        const char *name = argv[i];
        const Option *o = config_options;
        Error *err = NULL;

        if (name[0] != '-') {
            opt_drive_short(c, &(Option){ .name = "hda" }, name);
            continue;
        }
        name += name[1] == '-' ? 2 : 1;
        while (o->name && strcmp(o->name, name)) {
            o++;
        }
        if (!o->name) {
            const char *near = nearest(name);

            error_setf(&err, ERR_NO_SUCH_OPTION, "there is no option '%s'", argv[i]);
            error_hint(&err, near ? "did you mean -%s? -help lists all" : "-help lists all", near);
            config_error(c, NULL, err);
        } else if (o->has_arg && i + 1 == argc) {
            error_setf(&err, ERR_MISSING_ARGUMENT, "it needs an argument: %s", o->usage);
            config_error(c, name, err);
        } else {
            o->handle(c, o, o->has_arg ? argv[++i] : NULL);
        }
    }
}
