/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hot-plug of processors and memory: registers, events, what users may ask for, hostile guests. */
#include "util/osdep.h"
#include <stdlib.h>
#include "hw/acpi/cpu-hotplug.h"
#include "hw/acpi/memory-hotplug.h"
#include "qobject/qobject.h"
#include "tests/lib/qtest.h"

#define PM_BASE 0x600
#define GPE     (PM_BASE + 0x0c)
enum { CPU_HOTPLUG_IO = 0xaf00, CPU_FLAGS = CPU_HOTPLUG_IO + 4, CPU_COMMAND, CPU_DATA = CPU_HOTPLUG_IO + 8 };
enum { MEM_FLAGS = MEMORY_HOTPLUG_IO + 20 };

/* The power management function's ports, as firmware maps them. */
static void map_pm(QTest *q)
{
    int pm = qpci_find(q, 0x8086, 0x7113);

    qpci_writel(q, pm, 0x40, PM_BASE);
    qpci_writeb(q, pm, 0x80, 1);
}

static void refuse(Test *t, QTest *q, QDict *args, const char *part)
{
    Error *err = NULL;
    bool ok = qmp_cmd_ok(qtest_qmp(q), "device_add", args, &err);

    check_true(t, !ok && strstr(error_message(err), part), err ? error_message(err) : part);
    error_free(err);
}

static bool event(QTest *q, const char *name)
{
    QOBJECT_AUTO QDict *e = qmp_wait_event(qtest_qmp(q), name, 2000, NULL);

    return e;
}

static QDict *cpu(int socket, int core, int thread)
{
    return qdict_from_fmt("{'driver': 'qemu64-x86_64-cpu', 'id': 'c', 'socket-id': %d, 'core-id': %d,"
                          " 'thread-id': %d}", socket, core, thread);
}

TEST(plug, cpu)
{
    QTest *q = qtest_start_qmp(t, "-M pc -smp 1,maxcpus=8,sockets=2,cores=2,threads=2");

    map_pm(q);
    refuse(t, q, qdict_from_fmt("{'driver': 'qemu64-x86_64-cpu'}"), "socket-id is not set");
    refuse(t, q, cpu(2, 0, 0), "Invalid CPU socket-id");
    refuse(t, q, cpu(0, 2, 0), "Invalid CPU core-id");
    refuse(t, q, cpu(0, 0, 2), "Invalid CPU thread-id");
    refuse(t, q, cpu(0, 0, 0), "exists");
    refuse(t, q, qdict_from_fmt("{'driver': 'max-x86_64-cpu', 'apic-id': 3}"), "Invalid CPU type");
    refuse(t, q, qdict_from_fmt("{'driver': 'qemu64-x86_64-cpu', 'apic-id': 8}"), "no place 8");
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_add", cpu(1, 0, 1), NULL), "one that fits");
    check_u8(t, qtest_inb(q, GPE), BIT(CPU_HOTPLUG_EVENT), "the event is raised");
    qtest_outb(q, CPU_HOTPLUG_IO, 5);
    check_u8(t, qtest_inb(q, CPU_FLAGS), 3, "place 5: there, and new");
    qtest_outl(q, CPU_HOTPLUG_IO, 0);
    check_u8(t, qtest_inb(q, CPU_FLAGS), 1, "the one that boots: there");
    qtest_outb(q, CPU_COMMAND, 0);
    check_u32(t, qtest_inl(q, CPU_DATA), 5, "the command selects the one with news");
    qtest_outb(q, CPU_FLAGS, 2);
    check_u8(t, qtest_inb(q, CPU_FLAGS), 1, "seen");
    qtest_outb(q, CPU_FLAGS, 8);
    check_u8(t, qtest_inb(q, CPU_FLAGS), 1, "the guest alone can't take it away");
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_del", qdict_from_fmt("{'id': 'c'}"), NULL), "device_del");
    check_u8(t, qtest_inb(q, CPU_FLAGS), 5, "the user wants it back");
    qtest_reload(q);
    check_u8(t, qtest_inb(q, CPU_FLAGS), 5, "also after saving and loading");
    /* _OST: eject request, refused. */
    qtest_outb(q, CPU_COMMAND, 1);
    qtest_outl(q, CPU_DATA, 3);
    qtest_outb(q, CPU_COMMAND, 2);
    qtest_outl(q, CPU_DATA, 0x81);
    check_true(t, event(q, "ACPI_DEVICE_OST"), "the report is told");
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_del", qdict_from_fmt("{'id': 'c'}"), NULL), "again");
    qtest_outb(q, CPU_FLAGS, 4 | 8);
    check_true(t, event(q, "DEVICE_DELETED"), "it goes");
    check_u8(t, qtest_inb(q, CPU_FLAGS), 0, "the place is empty");
    qtest_outl(q, CPU_HOTPLUG_IO, 8);
    qtest_outb(q, CPU_FLAGS, 0xff);
    qtest_outl(q, CPU_HOTPLUG_IO, UINT32_MAX);
    qtest_outb(q, CPU_COMMAND, 2);
    qtest_outl(q, CPU_DATA, UINT32_MAX);
    check_u8(t, qtest_inb(q, CPU_FLAGS), 0, "places that there aren't are empty");
}

TEST(plug, no_cpu_places)
{
    QTest *q = qtest_start_qmp(t, "-M pc -smp 2");

    refuse(t, q, qdict_from_fmt("{'driver': 'qemu64-x86_64-cpu', 'apic-id': 1}"), "no place for another CPU");
    check_u8(t, qtest_inb(q, CPU_FLAGS), 0xff, "and no registers");
}

static QDict *dimm(const char *id, const char *memdev)
{
    return qdict_from_fmt("{'driver': 'pc-dimm', 'id': %s, 'memdev': %s}", id, memdev);
}

static void backend(Test *t, QTest *q, const char *id, uint64_t size)
{
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "object-add",
                             qdict_from_fmt("{'qom-type': 'memory-backend-ram', 'id': %s, 'size': %" PRIu64 "}",
                                            id, size), NULL), id);
}

TEST(plug, memory)
{
    const uint64_t base = 4 * GIB;
    QTest *q = qtest_start_qmp(t, "-M pc -m 128,slots=3,maxmem=640M");
    QDict *d;

    map_pm(q);
    backend(t, q, "m1", 128 * MIB);
    backend(t, q, "m2", 256 * MIB);
    backend(t, q, "m3", 512 * MIB);
    backend(t, q, "odd", MIB);
    refuse(t, q, qdict_from_fmt("{'driver': 'pc-dimm'}"), "memdev");
    refuse(t, q, dimm("d", "odd"), "2 MiB");
    d = dimm("d", "m1");
    qdict_put_int(d, "slot", 3);
    refuse(t, q, d, "slot");
    d = dimm("d", "m1");
    qdict_put_int(d, "addr", base + MIB);
    refuse(t, q, d, "address");
    d = dimm("d", "m1");
    qdict_put_int(d, "node", 1);
    refuse(t, q, d, "node");
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_add", dimm("d1", "m1"), NULL), "one that fits");
    check_u8(t, qtest_inb(q, GPE), BIT(MEMORY_HOTPLUG_EVENT), "the event is raised");
    refuse(t, q, dimm("d2", "m1"), "m1");
    refuse(t, q, dimm("d2", "m3"), "not enough space");
    d = dimm("d2", "m2");
    qdict_put_int(d, "addr", base);
    refuse(t, q, d, "conflicts");
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_add", dimm("d2", "m2"), NULL), "another");
    qtest_outl(q, MEMORY_HOTPLUG_IO, 1);
    check_u32(t, qtest_inl(q, MEM_FLAGS), 3, "slot 1: there, and new");
    check_u32(t, qtest_inl(q, MEMORY_HOTPLUG_IO), (uint32_t)(base + 128 * MIB), "address, low");
    check_u32(t, qtest_inl(q, MEMORY_HOTPLUG_IO + 4), (base + 128 * MIB) >> 32, "and high");
    check_u32(t, qtest_inl(q, MEMORY_HOTPLUG_IO + 8), 256 * MIB, "size");
    check_u32(t, qtest_inl(q, MEMORY_HOTPLUG_IO + 24), (uint32_t)(base + 384 * MIB - 1), "last address");
    qtest_writeq(q, base + 384 * MIB - 8, 0x1122334455667788);
    check_u64(t, qtest_readq(q, base + 384 * MIB - 8), 0x1122334455667788, "it is memory");
    check_u64(t, qtest_readq(q, base + 384 * MIB), UINT64_MAX, "up to its end");
    qtest_outl(q, MEM_FLAGS, 8);
    check_u32(t, qtest_inl(q, MEM_FLAGS), 3, "the guest alone can't take it away");
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_del", qdict_from_fmt("{'id': 'd2'}"), NULL), "device_del");
    qtest_reload(q);
    check_u32(t, qtest_inl(q, MEM_FLAGS), 7, "wanted back, also after saving and loading");
    qtest_outl(q, MEM_FLAGS, 2 | 4 | 8);
    check_true(t, event(q, "DEVICE_DELETED"), "it goes");
    check_u32(t, qtest_inl(q, MEM_FLAGS), 0, "the slot is empty");
    check_u64(t, qtest_readq(q, base + 384 * MIB - 8), UINT64_MAX, "so is its place");
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "object-del", qdict_from_fmt("{'id': 'm2'}"), NULL),
               "its back end is free");
    for (unsigned i = 0; i < MEMORY_HOTPLUG_LEN; i += 4) {
        qtest_outl(q, MEMORY_HOTPLUG_IO, 3 + i);
        qtest_outl(q, MEMORY_HOTPLUG_IO + i, UINT32_MAX);
    }
    qtest_outl(q, MEMORY_HOTPLUG_IO, UINT32_MAX);
    check_u32(t, qtest_inl(q, MEM_FLAGS), 0, "slots that there aren't are empty");
}

/* -device at start-up: no event, and everything is there. */
TEST(plug, cold)
{
    QTest *q = qtest_start_qmp(t, "-M pc -smp 1,maxcpus=4 -m 128,slots=2,maxmem=1G -object "
                               "memory-backend-ram,id=m,size=256M -device pc-dimm,memdev=m,slot=1,id=d "
                               "-device qemu64-x86_64-cpu,socket-id=2,core-id=0,thread-id=0,id=c");

    map_pm(q);
    check_u8(t, qtest_inb(q, GPE), 0, "no event");
    qtest_outb(q, CPU_HOTPLUG_IO, 2);
    check_u8(t, qtest_inb(q, CPU_FLAGS), 1, "the processor is there");
    qtest_outl(q, MEMORY_HOTPLUG_IO, 1);
    check_u32(t, qtest_inl(q, MEM_FLAGS), 1, "so is the memory");
    qtest_outb(q, 0x70, 0x5f);
    check_u8(t, qtest_inb(q, 0x71), 1, "firmware waits for two processors");
}
