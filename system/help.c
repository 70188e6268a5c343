/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts for -help and the lists: made from the tables of options, types and properties. */
#include "util/osdep.h"
#include "accel/accel.h"
#include "hw/core/cpu.h"
#include "hw/core/machine.h"
#include "qom/object.h"
#include "system/config.h"

void help_version(void)
{
    puts("QEMU emulator version 7.2.0 (interfaces; an independent implementation)");
}

void help_options(const Config *c)
{
    printf("usage: %s [options] [disk image]\n\n", c->argv0);
    for (const Option *o = config_options; o->name; o++) {
        printf("%s\n                %s\n", o->usage, o->help);
    }
}

void help_accels(void)
{
    puts("Accelerators of this binary:");
    for (const Accel *a = accel_first(); a; a = a->next) {
        printf("%-10s %s\n", a->name, a->desc ? a->desc : "");
    }
}

typedef struct Filter { const char *arch; } Filter;

static void print_machine(const MachineType *t, void *opaque)
{
    const char *arch = ((Filter *)opaque)->arch;
    bool is_default = false;

    if (t->abstract || (arch && !machine_type_has_arch(t, arch))) {
        return;
    }
    for (const char *const *d = t->default_for; d && *d; d++) {
        is_default |= arch && strcmp(*d, arch) == 0;
    }
    if (t->alias) {
        printf("%-20s %s (alias of %s)\n", t->alias, t->desc ? t->desc : "", t->name);
    }
    printf("%-20s %s%s\n", t->name, t->desc ? t->desc : "", is_default ? " (default)" : "");
}

void help_machines(const char *arch)
{
    puts("Supported machines are:");
    machine_type_foreach(print_machine, &(Filter){ arch });
}

static void print_cpu(const Type *type, void *opaque)
{
    const char *arch = ((Filter *)opaque)->arch, *name = type_name(type);
    char *suffix = g_strdup_printf("-%s-cpu", arch ? arch : "");

    if (!arch) {
        printf("  %s\n", name);
    } else if (g_str_has_suffix(name, suffix)) {
        printf("  %.*s\n", (int)(strlen(name) - strlen(suffix)), name);
    }
    g_free(suffix);
}

void help_cpus(const char *arch)
{
    puts("Available CPUs:");
    type_foreach(TYPE_CPU, false, print_cpu, &(Filter){ arch });
}

typedef struct DeviceList { DeviceCategory category; bool heading; } DeviceList;

static void print_device(const Type *type, void *opaque)
{
    DeviceList *l = opaque;
    const DeviceType *d = device_type_of(type);
    const char *bus = device_type_bus(type);

    if (!d || d->not_user_creatable || device_type_category(type) != l->category) {
        return;
    }
    if (!l->heading) {
        printf("\n%s devices:\n", device_category_name(l->category));
        l->heading = true;
    }
    printf("name \"%s\"", type_name(type));
    if (bus) {
        printf(", bus %s", bus);
    }
    if (d->alias) {
        printf(", alias \"%s\"", d->alias);
    }
    if (d->desc) {
        printf(", desc \"%s\"", d->desc);
    }
    putchar('\n');
}

static void print_property(const Property *p, UNUSED void *opaque)
{
    printf("  %s=<%s>%s%s\n", p->name, property_type_name(p), p->desc ? " - " : "",
           p->desc ? p->desc : "");
}

bool help_devices(const char *driver)
{
    if (driver) {
        const Type *type = device_type_find(driver, NULL);

        if (!type) {
            return false;
        }
        printf("%s options:\n", driver);
        type_property_foreach(type, print_property, NULL);
        return true;
    }
    for (int i = 0; i < DEVICE_CATEGORY__MAX; i++) {
        type_foreach(TYPE_DEVICE, false, print_device, &(DeviceList){ i, false });
    }
    return true;
}

static void print_nic(const Type *type, UNUSED void *opaque)
{
    const DeviceType *d = device_type_of(type);
    const char *bus = device_type_bus(type);

    if (d && !d->not_user_creatable && device_type_category(type) == DEVICE_NETWORK && bus && !strcmp(bus, "PCI")) {
        puts(type_name(type));
    }
}

void help_nics(void)
{
    puts("Supported NIC models:");
    type_foreach(TYPE_DEVICE, false, print_nic, NULL);
}

bool help_machine(const char *machine)
{
    const MachineType *mt = machine_type_find(machine, NULL);
    g_autofree char *name = mt ? g_strdup_printf("%s-machine", mt->name) : NULL;

    if (!mt) {
        return false;
    }
    printf("%s options:\n", mt->name);
    type_property_foreach(type_find(name), print_property, NULL);
    return true;
}

static void print_object(const Type *type, UNUSED void *opaque)
{
    const char *desc = type_info(type)->desc;

    if (type_is_user_creatable(type)) {
        printf("  %-24s %s\n", type_name(type), desc ? desc : "");
    }
}

bool help_objects(const char *name)
{
    const Type *type = name ? type_find(name) : NULL;

    if (!name) {
        puts("List of user creatable objects:");
        type_foreach(NULL, false, print_object, NULL);
        return true;
    }
    if (!type || !type_is_user_creatable(type)) {
        return false;
    }
    printf("%s options:\n", name);
    type_property_foreach(type, print_property, NULL);
    return true;
}
