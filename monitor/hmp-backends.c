/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor's commands about disks, networks, PCI and the code generator. */
#include "util/osdep.h"
#include "monitor/hmp-cmds.h"
#include "net/net.h"
#include "net/user.h"
#include "qapi/commands-block.h"
#include "qapi/commands-machine.h"
#include "qapi/commands-misc.h"
#include "qapi/commands-net.h"
#include "qapi/commands-pci.h"

/* ---------------------------------------------------------------- block */

QDict *hmp_info_block_args(const QDict *args, const char **command)
{
    if (qdict_bool_or(args, "nodes", false)) {
        *command = "query-named-block-nodes";
    }
    return qdict_new();
}

static void show_images(Hmp *hmp, const ImageInfo *image)
{
    for (hmp_printf(hmp, "\nImages:\n"); image; image = image->backing_image) {
        hmp_printf(hmp, "image: %s\nfile format: %s\nvirtual size: %" PRId64 " bytes\n", image->filename, image->format,
                   image->virtual_size);
        if (image->has_actual_size) {
            hmp_printf(hmp, "disk size: %" PRId64 " bytes\n", image->actual_size);
        }
        if (image->has_cluster_size) {
            hmp_printf(hmp, "cluster_size: %" PRId64 "\n", image->cluster_size);
        }
        if (image->backing_filename) {
            hmp_printf(hmp, "backing file: %s\n", image->backing_filename);
        }
    }
}

static void show_node(Hmp *hmp, const BlockDeviceInfo *n, bool verbose)
{
    hmp_printf(hmp, "    Cache mode:       %s%s%s\n", n->cache->writeback ? "writeback" : "writethrough",
               n->cache->direct ? ", direct" : "", n->cache->no_flush ? ", ignore flushes" : "");
    if (n->backing_file) {
        hmp_printf(hmp, "    Backing file:     %s (chain depth: %" PRId64 ")\n", n->backing_file, n->backing_file_depth);
    }
    if (n->detect_zeroes != BLOCKDEV_DETECT_ZEROES_OPTIONS_OFF) {
        hmp_printf(hmp, "    Detect zeroes:    %s\n", BlockdevDetectZeroesOptions_name(n->detect_zeroes));
    }
    if (n->bps || n->bps_rd || n->bps_wr || n->iops || n->iops_rd || n->iops_wr) {
        hmp_printf(hmp, "    I/O throttling:   bps=%" PRId64 " bps_rd=%" PRId64 " bps_wr=%" PRId64 " iops=%" PRId64 " iops_rd=%" PRId64
                   " iops_wr=%" PRId64 "\n", n->bps, n->bps_rd, n->bps_wr, n->iops, n->iops_rd, n->iops_wr);
    }
    hmp_printf(hmp, "    Size:             %" PRId64 " bytes\n", n->image->virtual_size);
    if (verbose) {
        show_images(hmp, n->image);
    }
}

static void show_file(Hmp *hmp, const BlockDeviceInfo *n)
{
    hmp_printf(hmp, ": %s (%s%s)\n", n->file, n->drv, n->ro ? ", read-only" : "");
}

static void show_named_nodes(Hmp *hmp, const char *name, bool verbose)
{
    BlockDeviceInfoList *list = qmp_query_named_block_nodes(false, false, NULL);
    bool any = false;

    for (size_t i = 0; i < list->n; i++) {
        const BlockDeviceInfo *n = list->items[i];

        if (name && strcmp(name, n->node_name)) {
            continue;
        }
        hmp_printf(hmp, "%s%s", any ? "\n" : "", n->node_name);
        show_file(hmp, n);
        show_node(hmp, n, verbose);
        any = true;
    }
    if (name && !any) {
        hmp_printf(hmp, "Error: there is no node '%s'\n", name);
    }
    qapi_free_BlockDeviceInfoList(list);
}

static void show_block_device(Hmp *hmp, const BlockInfo *b, bool verbose)
{
    hmp_printf(hmp, "%s", *b->device || !b->qdev ? b->device : b->qdev);
    if (b->inserted) {
        hmp_printf(hmp, " (%s)", b->inserted->node_name ? b->inserted->node_name : "");
        show_file(hmp, b->inserted);
    } else {
        hmp_printf(hmp, ": [not inserted]\n");
    }
    if (b->qdev) {
        hmp_printf(hmp, "    Attached to:      %s\n", b->qdev);
    }
    if (b->removable) {
        hmp_printf(hmp, "    Removable device: %slocked, tray %s\n", b->locked ? "" : "not ",
                   b->has_tray_open && b->tray_open ? "open" : "closed");
    }
    if (b->inserted) {
        show_node(hmp, b->inserted, verbose);
    }
}

void hmp_info_block(Hmp *hmp, const QDict *args)
{
    const char *name = qdict_str_or(args, "device", NULL);
    bool verbose = qdict_bool_or(args, "verbose", false), any = false;
    BlockInfoList *list;

    if (qdict_bool_or(args, "nodes", false)) {
        show_named_nodes(hmp, name, verbose);
        return;
    }
    list = qmp_query_block(NULL);
    for (size_t i = 0; i < list->n; i++) {
        const BlockInfo *b = list->items[i];

        if (name && strcmp(name, b->device) && (!b->qdev || strcmp(name, b->qdev))) {
            continue;
        }
        hmp_printf(hmp, "%s", any ? "\n" : "");
        show_block_device(hmp, b, verbose);
        any = true;
    }
    if (name && !any) {
        hmp_printf(hmp, "Error: there is no block device '%s'\n", name);
    }
    qapi_free_BlockInfoList(list);
}

void hmp_info_blockstats(Hmp *hmp, const QDict *args)
{
    BlockStatsInfoList *list = qmp_query_blockstats(false, false, NULL);

    (void)args;
    for (size_t i = 0; i < list->n; i++) {
        const BlockDeviceStats *s = list->items[i]->stats;

        hmp_printf(hmp, "%s: rd_bytes=%" PRId64 " wr_bytes=%" PRId64 " rd_operations=%" PRId64
                   " wr_operations=%" PRId64 " flush_operations=%" PRId64
                   " rd_total_time_ns=%" PRId64 " wr_total_time_ns=%" PRId64
                   " flush_total_time_ns=%" PRId64 "\n",
                   list->items[i]->device ? list->items[i]->device : "", s->rd_bytes,
                   s->wr_bytes, s->rd_operations, s->wr_operations, s->flush_operations,
                   s->rd_total_time_ns, s->wr_total_time_ns, s->flush_total_time_ns);
    }
    qapi_free_BlockStatsInfoList(list);
}

void hmp_eject(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    qmp_eject(qdict_str_or(args, "device", ""), NULL, true, qdict_bool_or(args, "force", false),
              &err);
    hmp_error(hmp, err);
}

void hmp_change(Hmp *hmp, const QDict *args)
{
    const char *mode_name = qdict_str_or(args, "mode", NULL);
    BlockdevChangeReadOnlyMode mode = 0;
    Error *err = NULL;

    if (mode_name) {
        int value = qapi_enum_parse(&qapi_type_BlockdevChangeReadOnlyMode, mode_name,
                                    "read-only-mode", &err);

        if (hmp_error(hmp, err)) {
            return;
        }
        mode = value;
    }
    qmp_blockdev_change_medium(qdict_str_or(args, "device", ""), NULL,
                               qdict_str_or(args, "target", ""),
                               qdict_str_or(args, "format", NULL), true,
                               qdict_bool_or(args, "force", false), mode_name != NULL, mode,
                               &err);
    hmp_error(hmp, err);
}

void hmp_complete_block(GPtrArray *candidates, const char *prefix)
{
    BlockInfoList *list = qmp_query_block(NULL);

    for (size_t i = 0; i < list->n; i++) {
        hmp_candidate(candidates, prefix, list->items[i]->device);
    }
    qapi_free_BlockInfoList(list);
}

/* ------------------------------------------------------------------ net */

void hmp_info_network(Hmp *hmp, const QDict *args)
{
    NetworkInfoList *list = qmp_x_query_network(NULL);

    (void)args;
    for (size_t i = 0; i < list->n; i++) {
        const NetworkInfo *n = list->items[i];

        hmp_printf(hmp, "%s: type=%s, link %s, device %s\n", n->id, n->type,
                   n->link_up ? "up" : "down", n->device ? n->device : "(none)");
        hmp_printf(hmp, "    to the guest: %" PRIu64 " frames, %" PRIu64 " bytes, %" PRIu64
                   " dropped; from it: %" PRIu64 " frames, %" PRIu64 " bytes\n", n->rx_packets,
                   n->rx_bytes, n->rx_dropped, n->tx_packets, n->tx_bytes);
        if (n->details) {
            hmp_printf(hmp, "%s\n", n->details);
        }
    }
    qapi_free_NetworkInfoList(list);
}

void hmp_set_link(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    qmp_set_link(qdict_str_or(args, "name", ""), qdict_bool_or(args, "up", true), &err);
    hmp_error(hmp, err);
}

void hmp_netdev_add(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    QDict *opts = hmp_keyval(qdict_str_or(args, "args", ""), "type", &err);

    if (opts) {
        netdev_add(opts, true, &err);
        qobject_unref(opts);
    }
    hmp_error(hmp, err);
}

void hmp_netdev_del(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    qmp_netdev_del(qdict_str_or(args, "id", ""), &err);
    hmp_error(hmp, err);
}

/* "[ID] RULE": the second word, when there is one, is the rule. */
static void hostfwd(Hmp *hmp, const QDict *args, bool (*change)(const char *, const char *, Error **))
{
    const char *first = qdict_str_or(args, "arg1", ""), *second = qdict_str_or(args, "arg2", NULL);
    Error *err = NULL;

    change(second ? first : NULL, second ? second : first, &err);
    hmp_error(hmp, err);
}

void hmp_hostfwd_add(Hmp *hmp, const QDict *args)
{
    hostfwd(hmp, args, user_hostfwd_add);
}

void hmp_hostfwd_remove(Hmp *hmp, const QDict *args)
{
    hostfwd(hmp, args, user_hostfwd_remove);
}

void hmp_announce_self(Hmp *hmp, const QDict *args)
{
    g_auto(GStrv) names = g_strsplit(qdict_str_or(args, "interfaces", ""), ",", -1);
    strList *interfaces = *names ? qapi_new(strList) : NULL;
    Error *err = NULL;

    for (char **n = names; *n; n++) {
        qapi_list_append(interfaces, strdup(*n));
    }
    qmp_announce_self(50, 550, 5, 100, interfaces, qdict_str_or(args, "id", NULL), &err);
    qapi_free_strList(interfaces);
    hmp_error(hmp, err);
}

void hmp_complete_netdev(GPtrArray *candidates, const char *prefix)
{
    NetworkInfoList *list = qmp_x_query_network(NULL);

    for (size_t i = 0; i < list->n; i++) {
        hmp_candidate(candidates, prefix, list->items[i]->id);
    }
    qapi_free_NetworkInfoList(list);
}

/* ------------------------------------------------------------------ PCI */

static void show_range(Hmp *hmp, const char *what, const PciMemoryRange *r)
{
    hmp_printf(hmp, "      %s range [0x%08" PRIx64 ", 0x%08" PRIx64 "]\n", what, r->base,
               r->limit);
}

static void show_function(Hmp *hmp, const PciDeviceInfo *d)
{
    hmp_printf(hmp, "  Bus %2" PRId64 ", device %3" PRId64 ", function %" PRId64 ":\n", d->bus,
               d->slot, d->function);
    hmp_printf(hmp, "    %s: PCI device %04" PRIx64 ":%04" PRIx64 "\n",
               d->class_info->desc ? d->class_info->desc : "Class", d->id->vendor, d->id->device);
    if (d->id->has_subsystem_vendor && d->id->subsystem_vendor) {
        hmp_printf(hmp, "      PCI subsystem %04" PRIx64 ":%04" PRIx64 "\n",
                   d->id->subsystem_vendor, d->id->subsystem);
    }
    if (d->has_irq) {
        hmp_printf(hmp, "      IRQ %" PRId64 ", pin %c\n", d->irq,
                   (char)('A' + d->irq_pin - 1));
    }
    if (d->pci_bridge) {
        const PciBusInfo *b = d->pci_bridge->bus;

        hmp_printf(hmp, "      BUS %" PRId64 ".\n      secondary bus %" PRId64
                   ".\n      subordinate bus %" PRId64 ".\n", b->number, b->secondary,
                   b->subordinate);
        show_range(hmp, "IO", b->io_range);
        show_range(hmp, "memory", b->memory_range);
        show_range(hmp, "prefetchable memory", b->prefetchable_range);
    }
    for (size_t i = 0; d->regions && i < d->regions->n; i++) {
        const PciMemoryRegion *r = d->regions->items[i];
        bool io = !strcmp(r->type, "io");

        hmp_printf(hmp, "      BAR%" PRId64 ": ", r->bar);
        if (r->address == -1) {
            hmp_printf(hmp, "%s, %" PRIu64 " bytes (not mapped)\n", io ? "I/O" : "memory",
                       (uint64_t)r->size);
        } else if (io) {
            hmp_printf(hmp, "I/O at 0x%04" PRIx64 " [0x%04" PRIx64 "]\n", r->address,
                       r->address + r->size - 1);
        } else {
            hmp_printf(hmp, "%s bit%s memory at 0x%08" PRIx64 " [0x%08" PRIx64 "]\n",
                       r->mem_type_64 ? "64" : "32", r->prefetch ? " prefetchable" : "",
                       r->address, r->address + r->size - 1);
        }
    }
    hmp_printf(hmp, "      id \"%s\"\n", d->qdev_id);
    for (size_t i = 0; d->pci_bridge && d->pci_bridge->devices &&
                       i < d->pci_bridge->devices->n; i++) {
        show_function(hmp, d->pci_bridge->devices->items[i]);
    }
}

void hmp_info_pci(Hmp *hmp, const QDict *args)
{
    PciRootInfoList *list = qmp_query_pci(NULL);

    (void)args;
    for (size_t i = 0; i < list->n; i++) {
        for (size_t j = 0; j < list->items[i]->devices->n; j++) {
            show_function(hmp, list->items[i]->devices->items[j]);
        }
    }
    if (!list->n) {
        hmp_printf(hmp, "No PCI bus\n");
    }
    qapi_free_PciRootInfoList(list);
}

/* ---------------------------------------------- what comes as text already */

static void show_text(Hmp *hmp, HumanReadableText *text, Error *err)
{
    if (!hmp_error(hmp, err)) {
        hmp_printf(hmp, "%s", text->human_readable_text);
        qapi_free_HumanReadableText(text);
    }
}

void hmp_info_jit(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    HumanReadableText *text = qmp_x_query_jit(&err);

    (void)args;
    show_text(hmp, text, err);
}

void hmp_info_audio(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    HumanReadableText *text = qmp_x_query_audio(&err);

    (void)args;
    show_text(hmp, text, err);
}

void hmp_info_usb(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    HumanReadableText *text = qmp_x_query_usb(&err);

    (void)args;
    show_text(hmp, text, err);
}
