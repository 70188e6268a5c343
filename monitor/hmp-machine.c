/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor's commands about the machine that have no QMP command: boot order, machine checks, sound. */
#include "util/osdep.h"
#include "audio/wav-capture.h"
#include "hw/core/cpu.h"
#include "hw/core/machine.h"
#include "monitor/hmp-cmds.h"
#include "net/net.h"
#include "qapi/commands-pci.h"
#include "qobject/error.h"

void hmp_boot_set(Hmp *hmp, const QDict *args)
{
    const char *order = qdict_str_or(args, "bootdevice", "");
    Machine *m = current_machine();
    Error *err = NULL;

    if (m && machine_set_boot(m, order, &err)) {
        hmp_printf(hmp, "boot device list now set to %s\n", order);
    }
    hmp_error(hmp, err);
}

/* -b: an error of the bus, which all CPUs see. The others' registers tell of none. */
static bool inject_everywhere(CPUState *first, const CpuMachineCheck *e, bool broadcast, Error **errp)
{
    const CpuMachineCheck other = { .bank = 1, .status = BIT64(63) | BIT64(61), .mcg_status = BIT64(2) | BIT64(0) };

    if (!first->ops->inject_mce) {
        error_setf(errp, ERR_NOT_SUPPORTED, "the CPU has no machine checks");
        return false;
    }
    if (!first->ops->inject_mce(first, e, errp)) {
        return false;
    }
    CPU_FOREACH(cpu) {
        if (broadcast && cpu != first && !cpu->ops->inject_mce(cpu, &other, errp)) {
            return false;
        }
    }
    return true;
}

void hmp_mce(Hmp *hmp, const QDict *args)
{
    int64_t index = qdict_int_or(args, "cpu_index", 0), bank = qdict_int_or(args, "bank", 0);
    CPUState *cpu = index >= 0 && index <= INT32_MAX ? cpu_by_index((int)index) : NULL;
    CpuMachineCheck e = {
        .bank = bank < 0 || bank > INT32_MAX ? UINT32_MAX : (unsigned)bank,
        .status = (uint64_t)qdict_int_or(args, "status", 0),
        .mcg_status = (uint64_t)qdict_int_or(args, "mcg_status", 0),
        .addr = (uint64_t)qdict_int_or(args, "addr", 0), .misc = (uint64_t)qdict_int_or(args, "misc", 0),
    };
    Error *err = NULL;

    if (!cpu) {
        error_setf(&err, ERR_NO_SUCH_OBJECT, "there is no CPU %" PRId64, index);
    } else {
        inject_everywhere(cpu, &e, qdict_bool_or(args, "broadcast", false), &err);
    }
    hmp_error(hmp, err);
}

/* Four words, or none: NULL, as with errp set. @list and @words hold what is returned. */
static uint32List *take_words(const QDict *args, const char *name, uint32List *list, uint32_t words[4], Error **errp)
{
    for (int i = 0; i < 4; i++) {
        g_autofree char *key = g_strdup_printf("%s%d", name, i);
        int64_t word = qdict_int_or(args, key, 0);

        if (!qdict_has(args, key)) {
            if (i) {
                error_setf(errp, ERR_INVALID_ARGUMENT, "the %s has %d words; accepted: 4", name, i);
            }
            return NULL;
        }
        if (word < 0 || word > UINT32_MAX) {
            error_setf(errp, ERR_OUT_OF_RANGE, "word %d of the %s is 0x%" PRIx64 "; accepted: 32 bits", i, name, word);
            return NULL;
        }
        words[i] = (uint32_t)word;
    }
    *list = (uint32List){ .n = 4, .items = words };
    return list;
}

void hmp_pcie_aer_inject_error(Hmp *hmp, const QDict *args)
{
    uint32_t words[2][4];
    uint32List lists[2], *header, *prefix = NULL;
    PciErrorPlace *place = NULL;
    Error *err = NULL;

    header = take_words(args, "header", &lists[0], words[0], &err);
    if (!err) {
        prefix = take_words(args, "prefix", &lists[1], words[1], &err);
    }
    if (!err) {
        place = qmp_pcie_aer_inject_error(qdict_str_or(args, "id", ""), qdict_str_or(args, "error_status", ""), true,
                                          qdict_bool_or(args, "correctable", false), true,
                                          qdict_bool_or(args, "advisory_non_fatal", false), header, prefix, &err);
    }
    if (place) {
        hmp_printf(hmp, "OK id: %s root bus: %s, bus: %x devfn: %x.%x\n", place->id, place->root_bus, place->bus,
                   place->slot, place->function);
        qapi_free_PciErrorPlace(place);
    }
    hmp_error(hmp, err);
}

void hmp_singlestep(Hmp *hmp, const QDict *args)
{
    const char *option = qdict_str_or(args, "option", "on");

    if (!strcmp(option, "on") || !strcmp(option, "off")) {
        cpus_set_singlestep(option[1] == 'n');
    } else {
        hmp_printf(hmp, "unexpected option %s; accepted: on, off\n", option);
    }
}

/* ----------------------------------------------------------------- sound */

void hmp_wavcapture(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    wav_capture_start(qdict_str_or(args, "path", ""), qdict_str_or(args, "audiodev", NULL),
                      qdict_int_or(args, "freq", 44100), qdict_int_or(args, "bits", 16),
                      qdict_int_or(args, "nchannels", 2), &err);
    hmp_error(hmp, err);
}

void hmp_stopcapture(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    wav_capture_stop(qdict_int_or(args, "n", 0), &err);
    hmp_error(hmp, err);
}

void hmp_info_capture(Hmp *hmp, const QDict *args)
{
    unsigned i = 0;

    (void)args;
    for (const WavCapture *c = wav_capture_first(); c; c = c->next, i++) {
        hmp_printf(hmp, "[%u]: Capturing audio(%u,%u,%u) of %s to %s: %" PRIu64 " bytes%s\n", i,
                   c->file.format.freq, c->file.format.sample == AUDIO_U8 ? 8 : 16, c->file.format.channels,
                   audiodev_id(c->backend), c->path, c->file.bytes, c->file.failed ? ", the disk is full" : "");
    }
}

/* --------------------------------------------------------------- queries */

void hmp_info_usernet(Hmp *hmp, const QDict *args)
{
    (void)args;
    for (NetBackend *n = net_first(); n; n = n->next) {
        g_autofree char *text = !strcmp(n->type->name, "user") && n->type->info ? n->type->info(n) : NULL;

        if (text) {
            hmp_printf(hmp, "%s:\n%s", n->id, text);
        }
    }
}

void hmp_info_memory_devices(Hmp *hmp, const QDict *args)
{
    QObject *list = hmp_qmp(hmp, "query-memory-devices", NULL);

    (void)args;
    for (size_t i = 0; list && i < qlist_size(qobject_to_list(list)); i++) {
        const QDict *entry = qobject_to_dict(qlist_get(qobject_to_list(list), i));
        const QDict *d = qobject_to_dict(qdict_get(entry, "data"));

        hmp_printf(hmp, "Memory device [%s]: \"%s\"\n  addr: 0x%" PRIx64 "\n  slot: %" PRId64 "\n  node: %" PRId64
                   "\n  size: %" PRId64 "\n  memdev: %s\n  hotplugged: %s\n  hotpluggable: %s\n",
                   qdict_str_or(entry, "type", ""), qdict_str_or(d, "id", ""),
                   (uint64_t)qdict_int_or(d, "addr", 0), qdict_int_or(d, "slot", 0), qdict_int_or(d, "node", 0),
                   qdict_int_or(d, "size", 0), qdict_str_or(d, "memdev", ""),
                   qdict_bool_or(d, "hotplugged", false) ? "true" : "false",
                   qdict_bool_or(d, "hotpluggable", false) ? "true" : "false");
    }
    qobject_unref(list);
}

void hmp_calc_dirty_rate(Hmp *hmp, const QDict *args)
{
    QDict *d = qdict_new();

    qdict_put_int(d, "calc-time", qdict_int_or(args, "second", 0));
    if (qdict_has(args, "sample_pages_per_GB")) {
        qdict_put_int(d, "sample-pages", qdict_int_or(args, "sample_pages_per_GB", 0));
    }
    if (qdict_bool_or(args, "dirty_ring", false) || qdict_bool_or(args, "dirty_bitmap", false)) {
        qdict_put_str(d, "mode", qdict_bool_or(args, "dirty_ring", false) ? "dirty-ring" : "dirty-bitmap");
    }
    if (hmp_qmp_ok(hmp, "calc-dirty-rate", d)) {
        hmp_printf(hmp, "the guest's writes are measured for %" PRId64 " seconds; \"info dirty_rate\" shows them\n",
                   qdict_int_or(args, "second", 0));
    }
}

void hmp_info_dirty_rate(Hmp *hmp, const QDict *args)
{
    QObject *o = hmp_qmp(hmp, "query-dirty-rate", NULL);
    const QDict *d = qobject_to_dict(o);

    (void)args;
    hmp_printf(hmp, "Status: %s\nStart Time: %" PRId64 " (s)\nSample Pages: %" PRId64 " (per GB)\nPeriod: %" PRId64
               " (sec)\nMode: %s\nDirty rate: ", qdict_str_or(d, "status", ""), qdict_int_or(d, "start-time", 0),
               qdict_int_or(d, "sample-pages", 0), qdict_int_or(d, "calc-time", 0), qdict_str_or(d, "mode", ""));
    if (qdict_has(d, "dirty-rate")) {
        hmp_printf(hmp, "%" PRId64 " (MB/s)\n", qdict_int_or(d, "dirty-rate", 0));
    } else {
        hmp_printf(hmp, "(not ready)\n");
    }
    qobject_unref(o);
}

void hmp_migrate_recover(Hmp *hmp, const QDict *args)
{
    hmp_qmp_ok(hmp, "migrate-recover", qdict_from_fmt("{'uri': %s}", qdict_str_or(args, "uri", "")));
}
