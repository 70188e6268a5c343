/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor's commands that concern the host: addresses, debugger, drives, history. */
#include "util/osdep.h"
#include <fcntl.h>
#include <unistd.h>
#include "block/block.h"
#include "memory/memory.h"
#include "monitor/hmp-cmds.h"
#include "monitor/monitor.h"
#include "util/rcu.h"
#include "util/readline.h"

/* ------------------------------------------------------------- addresses */

/* The emulator's address of guest RAM; NULL with the reason shown. Call it under RCU. */
static uint8_t *host_address(Hmp *hmp, hwaddr addr, const char **name)
{
    hwaddr xlat, len = 1;
    const MemSection *s = memory_lookup(&address_space_memory, addr, &xlat, &len);

    if (!s->host) {
        hmp_printf(hmp, "Error: memory at address 0x%" PRIx64 " is not RAM\n", addr);
        return NULL;
    }
    *name = memory_region_name(s->mr);
    return memory_section_host(s, xlat);
}

void hmp_gpa2hva(Hmp *hmp, const QDict *args)
{
    hwaddr addr = (hwaddr)qdict_int_or(args, "addr", 0);
    const char *name;
    uint8_t *host;

    rcu_read_lock();
    host = host_address(hmp, addr, &name);
    if (host) {
        hmp_printf(hmp, "Host virtual address for 0x%" PRIx64 " (%s) is %p\n", addr, name,
                   (void *)host);
    }
    rcu_read_unlock();
}

/* Linux, Documentation/admin-guide/mm/pagemap.rst: bit 63 present, bits 0 to 54 the page frame. */
void hmp_gpa2hpa(Hmp *hmp, const QDict *args)
{
    hwaddr addr = (hwaddr)qdict_int_or(args, "addr", 0);
    long page = sysconf(_SC_PAGESIZE);
    uint64_t entry = 0, frame;
    const char *name;
    uint8_t *host;
    int fd;

    rcu_read_lock();
    host = host_address(hmp, addr, &name);
    rcu_read_unlock();
    if (!host) {
        return;
    }
    fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || pread(fd, &entry, 8, (off_t)((uintptr_t)host / page * 8)) != 8) {
        hmp_printf(hmp, "Error: cannot read /proc/self/pagemap: %s\n", strerror(errno));
    } else if (!(entry >> 63)) {
        hmp_printf(hmp, "Error: the page is not present in the host's memory\n");
    } else if (!(frame = entry & MASK64(0, 55))) {
        hmp_printf(hmp, "Error: the host's kernel doesn't tell this user\n");
    } else {
        hmp_printf(hmp, "Host physical address for 0x%" PRIx64 " (%s) is 0x%" PRIx64 "\n", addr, name,
                   frame * page + (uintptr_t)host % page);
    }
    if (fd >= 0) {
        close(fd);
    }
}

#define SUM_MAX     (64 * MIB)      /* more would hold everything up */

/* As the BSD program: rotate right, add. */
void hmp_sum(Hmp *hmp, const QDict *args)
{
    hwaddr addr = (hwaddr)qdict_int_or(args, "start", 0);
    uint64_t size = (uint64_t)qdict_int_or(args, "size", 0);
    uint16_t sum = 0;
    uint8_t buf[4096];

    if (size > SUM_MAX) {
        hmp_printf(hmp, "Error: at most %" PRIu64 " bytes at a time\n", (uint64_t)SUM_MAX);
        return;
    }
    while (size) {
        size_t len = MIN(size, sizeof(buf));

        memset(buf, 0, sizeof(buf));
        address_space_read(&address_space_memory, addr, MEM_ATTRS_DEBUG, buf, len);
        for (size_t i = 0; i < len; i++) {
            sum = (uint16_t)((sum >> 1 | sum << 15) + buf[i]);
        }
        addr += len;
        size -= len;
    }
    hmp_printf(hmp, "%05d\n", sum);
}

/* -------------------------------------------------------------- debugger */

/* Set by system/ at start-up. */
static bool (*gdb_hook)(const char *place, Error **errp);

void monitor_set_gdb_hook(bool (*open_at)(const char *place, Error **errp))
{
    gdb_hook = open_at;
}

void hmp_gdbserver(Hmp *hmp, const QDict *args)
{
    const char *place = qdict_str_or(args, "device", "tcp::1234");
    Error *err = NULL;

    if (!gdb_hook) {
        hmp_printf(hmp, "Error: there is no debugger's side here\n");
    } else if (gdb_hook(place, &err)) {
        hmp_printf(hmp, strcmp(place, "none") ? "Waiting for gdb connection on device '%s'\n"
                                              : "Disabled gdbserver\n", place);
    }
    hmp_error(hmp, err);
}

/* ---------------------------------------------------------------- drives */

void hmp_drive_add(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    QDict *opts = hmp_keyval(qdict_str_or(args, "opts", ""), "file", &err);
    DriveSpec spec = { 0 };

    if (opts && qdict_bool_or(args, "node", false)) {
        hmp_qmp_ok(hmp, "blockdev-add", qobject_ref(opts));
    } else if (opts && strcmp(qdict_str_or(opts, "if", "none"), "none")) {
        hmp_printf(hmp, "Error: a drive that comes later has if=none; device_add connects it\n");
    } else if (opts && drive_add(opts, "none", &spec, &err)) {
        hmp_printf(hmp, "OK\n");
        drive_spec_cleanup(&spec);
    }
    qobject_unref(opts);
    hmp_error(hmp, err);
}

/* --------------------------------------------------------------- history */

typedef struct HistoryWalk {
    Hmp *hmp;
    int n;
} HistoryWalk;

static void show_line(const char *line, void *opaque)
{
    HistoryWalk *w = opaque;

    hmp_printf(w->hmp, "%d: '%s'\n", w->n++, line);
}

void hmp_info_history(Hmp *hmp, const QDict *args)
{
    HistoryWalk w = { hmp, 0 };

    (void)args;
    if (hmp->rl) {
        readline_history(hmp->rl, show_line, &w);
    }
}
