/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device-state view through QMP and HMP: values, snapshots, differences, watches. */
#include "util/osdep.h"
#include <glib.h>
#include <glib/gstdio.h>
#include "qobject/json.h"
#include "tests/lib/qtest.h"

#define MACHINE "-machine pc -m 16 -nodefaults -device virtio-rng-pci,id=rng"
#define MASTER_PIC  "/machine/unattached/device[3]"

static QObject *ask(Test *t, QTest *q, const char *command, const char *args)
{
    QDict *d = *args ? qdict_from_fmt("%p", json_parse(args, NULL)) : NULL;
    Error *err = NULL;
    QObject *result = qmp_cmd(qtest_qmp(q), command, d, &err);

    check_true(t, result, err ? error_message(err) : command);
    error_free(err);
    return result;
}

static bool refused(QTest *q, const char *command, const char *args)
{
    Error *err = NULL;
    QObject *result = qmp_cmd(qtest_qmp(q), command, qobject_to_dict(json_parse(args, NULL)), &err);
    bool yes = !result && err && error_code(err) != ERR_EOF;

    error_free(err);
    qobject_unref(result);
    return yes;
}

static char *hmp(Test *t, QTest *q, const char *line)
{
    g_autofree char *args = g_strdup_printf("{\"command-line\": \"%s\"}", line);
    QOBJECT_AUTO QObject *result = ask(t, q, "human-monitor-command", args);

    return g_strdup(qobject_to_string(result) ? qstring_value(result) : "");
}

/* The field of that name in a list of fields; NULL if there is none. */
static const QDict *field(const QObject *fields, const char *name)
{
    QLIST_FOR_EACH(f, qobject_to_list(fields)) {
        if (!strcmp(qdict_str_or(qobject_to_dict(f), "name", ""), name)) {
            return qobject_to_dict(f);
        }
    }
    return NULL;
}

TEST(device_state, of_one_device)
{
    QTest *q = qtest_start_qmp(t, MACHINE);
    QOBJECT_AUTO QObject *list = ask(t, q, "query-device-state", "{\"path\": \"rng\"}");
    const QDict *pci, *command;
    const QObject *fields = qobject_get_path(list, "[0].sections[0].fields");

    check_str(t, qdict_str_or(qobject_to_dict(qobject_get_path(list, "[0]")), "type", ""), "virtio-rng-pci",
              "its type");
    pci = field(fields, "pci");
    command = pci ? field(qobject_get_path(QOBJECT(pci), "fields[0].fields"), "command") : NULL;
    if (check_true(t, command, "registers by name")) {
        check_str(t, qdict_str_or(command, "kind", ""), "unsigned", "kind");
        check_int(t, qdict_int_or(command, "bits", 0), 16, "width");
        check_int(t, qdict_int_or(command, "value", -1), 0, "value");
    }
    qpci_writew(q, 2 << 3, 4, 0x0006);
    qobject_unref(list);
    list = ask(t, q, "query-device-state", "{\"path\": \"rng\"}");
    pci = field(qobject_get_path(list, "[0].sections[0].fields"), "pci");
    command = pci ? field(qobject_get_path(QOBJECT(pci), "fields[0].fields"), "command") : NULL;
    if (command && qdict_int_or(command, "value", -1) == 6) {
        check_str(t, qstring_value(qobject_get_path(QOBJECT(command), "flags[1].name")), "MASTER", "flags");
    }
    check_true(t, refused(q, "query-device-state", "{\"path\": \"nowhere\"}"), "no such device");
}

TEST(device_state, of_a_bus_and_of_all)
{
    QTest *q = qtest_start_qmp(t, MACHINE);
    QOBJECT_AUTO QObject *bus = ask(t, q, "query-device-state", "{\"path\": \"pci.0\"}");
    QOBJECT_AUTO QObject *all = ask(t, q, "query-device-state", "");
    g_autofree char *text = hmp(t, q, "info device-state rng"), *json = hmp(t, q, "info device-state rng --json");
    QOBJECT_AUTO QObject *parsed = json_parse(json, NULL);
    size_t on_bus = qlist_size(qobject_to_list(bus)), in_all = qlist_size(qobject_to_list(all));

    check_true(t, on_bus > 3 && in_all > on_bus, "a bus, and what is behind it; the machine");
    check_true(t, strstr(text, "(virtio-rng-pci) id \"rng\"") && strstr(text, "vendor-id:"), "as text");
    check_true(t, qobject_get_path(parsed, "[0].sections[0].fields"), "the same as JSON");
    g_free(text);
    text = hmp(t, q, "info device-state --all");
    check_true(t, strstr(text, "i440FX") && strstr(text, "isa-i8259"), "all devices");
    g_free(text);
    text = hmp(t, q, "info device-state nowhere");
    check_true(t, strstr(text, "Error: Device 'nowhere' not found"), "errors");
}

TEST(device_state, snapshots)
{
    QTest *q = qtest_start_qmp(t, MACHINE);
    QObject *r;
    g_autofree char *text = NULL;

    qtest_outb(q, 0x21, 0xfb);
    qobject_unref(ask(t, q, "device-state-snapshot", "{\"name\": \"a\"}"));
    r = ask(t, q, "compare-device-state", "{\"from\": \"a\"}");
    check_int(t, (int64_t)qlist_size(qobject_to_list(r)), 0, "nothing has changed");
    qobject_unref(r);
    qtest_outb(q, 0x21, 0xfa);
    qobject_unref(ask(t, q, "device-state-snapshot", "{\"name\": \"b\", \"path\": \"" MASTER_PIC "\"}"));
    r = ask(t, q, "compare-device-state", "{\"from\": \"a\", \"to\": \"b\", \"path\": \"" MASTER_PIC "\"}");
    check_int(t, (int64_t)qlist_size(qobject_to_list(r)), 1, "one device has");
    check_str(t, qdict_str_or(qobject_to_dict(qobject_get_path(r, "[0].changes[0]")), "field", ""), "imr",
              "one register");
    check_true(t, qdict_int_or(qobject_to_dict(qobject_get_path(r, "[0].changes[0].was")), "value", 0) == 0xfb &&
                  qdict_int_or(qobject_to_dict(qobject_get_path(r, "[0].changes[0].is")), "value", 0) == 0xfa,
               "from what to what");
    qobject_unref(r);
    text = hmp(t, q, "info device-state --diff a");
    check_true(t, strstr(text, "  imr:") && strstr(text, "0xfb [IR0 IR1 IR3") && strstr(text, "0xfa [IR1 IR3"), text);
    g_free(text);
    text = hmp(t, q, "info device-state --diff a --json");
    check_true(t, strstr(text, "\"field\": \"imr\""), "as JSON");
    check_true(t, refused(q, "compare-device-state", "{\"from\": \"x\"}"), "no such snapshot");
    r = ask(t, q, "query-device-state-snapshots", "");
    check_int(t, (int64_t)qlist_size(qobject_to_list(r)), 2, "two");
    qobject_unref(r);
    qobject_unref(ask(t, q, "device-state-snapshot-delete", "{\"name\": \"a\"}"));
    check_true(t, refused(q, "device-state-snapshot-delete", "{\"name\": \"a\"}"), "gone");
    for (unsigned i = 0; i < 15; i++) {
        g_autofree char *args = g_strdup_printf("{\"name\": \"n%u\", \"path\": \"rng\"}", i);

        qobject_unref(ask(t, q, "device-state-snapshot", args));
    }
    check_true(t, refused(q, "device-state-snapshot", "{\"name\": \"more\"}"), "not without end");
    qobject_unref(ask(t, q, "device-state-snapshot", "{\"name\": \"n1\"}"));
}

TEST(device_state, watch)
{
    QTest *q = qtest_start_qmp(t, MACHINE);
    QDict *event;
    QObject *r;

    qtest_outb(q, 0x21, 0xff);
    qobject_unref(ask(t, q, "device-state-watch",
                      "{\"id\": \"w\", \"path\": \"" MASTER_PIC "\", \"field\": \"imr\"}"));
    qtest_outb(q, 0x21, 0xff);
    qtest_outb(q, 0x21, 0x12);
    event = qmp_wait_event(qtest_qmp(q), "DEVICE_STATE_CHANGED", 20000, NULL);
    if (check_true(t, event, "an event")) {
        const QDict *data = qobject_to_dict(qdict_get(event, "data"));

        check_str(t, qdict_str_or(data, "id", ""), "w", "of the watch");
        check_int(t, qdict_int_or(qobject_to_dict(qdict_get(data, "was")), "value", 0), 0xff, "was");
        check_int(t, qdict_int_or(qobject_to_dict(qdict_get(data, "is")), "value", 0), 0x12, "is");
    }
    qobject_unref(event);
    for (unsigned i = 0; i < 100; i++) {
        qtest_outb(q, 0x21, (uint8_t)i);
    }
    r = ask(t, q, "query-device-state-watches", "");
    check_int(t, qdict_int_or(qobject_to_dict(qobject_get_path(r, "[0]")), "changes", 0), 101, "all are seen");
    qobject_unref(r);
    check_true(t, refused(q, "device-state-watch", "{\"id\": \"w\", \"path\": \"rng\", \"field\": \"pci\"}"), "twice");
    check_true(t, refused(q, "device-state-watch", "{\"id\": \"x\", \"path\": \"rng\", \"field\": \"no\"}"), "no field");
    check_true(t, refused(q, "device-state-watch", "{\"id\": \"x\", \"path\": \"no\", \"field\": \"pci\"}"), "no device");
    qobject_unref(ask(t, q, "device-state-watch-delete", "{\"id\": \"w\"}"));
    check_true(t, refused(q, "device-state-watch-delete", "{\"id\": \"w\"}"), "gone");
}

TEST(device_state, watch_for_a_value_and_a_timer)
{
    QTest *q = qtest_start_qmp(t, MACHINE);
    QObject *r;

    /* Timer 0, mode 0: its interrupt is requested when the count has run out. */
    qtest_outb(q, 0x43, 0x30);
    qtest_outb(q, 0x21, 0xff);
    qobject_unref(ask(t, q, "device-state-watch",
                      "{\"id\": \"v\", \"path\": \"" MASTER_PIC "\", \"field\": \"imr\", \"value\": 3}"));
    qobject_unref(ask(t, q, "device-state-watch",
                      "{\"id\": \"pins\", \"path\": \"" MASTER_PIC "\", \"field\": \"pins\"}"));
    for (unsigned i = 0; i < 8; i++) {
        qtest_outb(q, 0x21, (uint8_t)i);
    }
    qtest_outb(q, 0x40, 0x10);
    qtest_outb(q, 0x40, 0x00);
    qtest_clock_step(q, 100000);
    r = ask(t, q, "query-device-state-watches", "");
    check_int(t, qdict_int_or(qobject_to_dict(qobject_get_path(r, "[0]")), "changes", 0), 1, "only that value");
    check_true(t, qdict_int_or(qobject_to_dict(qobject_get_path(r, "[1]")), "changes", 0) >= 1, "by a timer");
    qobject_unref(r);
}

/* A device that goes takes nothing with it. */
TEST(device_state, watched_device_goes)
{
    QTest *q = qtest_start_qmp(t, MACHINE " -device pci-testdev,id=dut");
    QObject *r;

    qobject_unref(ask(t, q, "device-state-watch",
                      "{\"id\": \"w\", \"path\": \"dut\", \"field\": \"pci.config.command\"}"));
    qpci_writew(q, 3 << 3, 4, 2);
    qobject_unref(ask(t, q, "qom-get", "{\"path\": \"dut\", \"property\": \"type\"}"));
    r = qmp_cmd(qtest_qmp(q), "device_del", qdict_from_fmt("{'id': 'dut'}"), NULL);
    qobject_unref(r);
    qtest_outb(q, 0x21, 0x55);
    r = ask(t, q, "query-device-state-watches", "");
    check_int(t, (int64_t)qlist_size(qobject_to_list(r)), 1, "the watch is still there");
    qobject_unref(r);
    qobject_unref(ask(t, q, "device-state-watch-delete", "{\"id\": \"w\"}"));
}

/*
 * A CPU that changes what is watched stops right behind the instruction: of the firmware below only the "out" that
 * writes 0x5a to the interrupt mask has been executed, not the "mov" after it.
 */
TEST(device_state, watch_stops_the_cpu)
{
    static const uint8_t code[] = {
        0xfa, 0xb3, 0x01,               /* cli; mov bl, 1 */
        0xb0, 0x11, 0xe6, 0x21,         /* mov al, 0x11; out 0x21, al */
        0xb0, 0x5a, 0xe6, 0x21,         /* mov al, 0x5a; out 0x21, al */
        0xb3, 0x02,                     /* mov bl, 2 */
        0xeb, 0xfe,                     /* jmp $ */
    };
    static const uint8_t jump[] = { 0xea, 0x00, 0x00, 0x00, 0xf0 };     /* jmp f000:0000 */
    g_autofree uint8_t *rom = g_malloc0(65536);
    g_autofree char *dir = g_dir_make_tmp("watch-XXXXXX", NULL), *path = g_build_filename(dir, "rom", NULL);
    g_autofree char *text = NULL;
    QDict *event;
    QTest *q;

    memcpy(rom, code, sizeof(code));
    memcpy(rom + 0xfff0, jump, sizeof(jump));
    check_true(t, g_file_set_contents(path, (const char *)rom, 65536, NULL), path);
    q = qtest_start_qmp(t, "-machine pc -m 16 -nodefaults -accel tcg -S -bios %s", path);
    qobject_unref(ask(t, q, "device-state-watch",
                      "{\"id\": \"w\", \"path\": \"" MASTER_PIC "\", \"field\": \"imr\", \"action\": \"stop\", "
                      "\"value\": 90}"));
    qobject_unref(ask(t, q, "cont", ""));
    event = qmp_wait_event(qtest_qmp(q), "DEVICE_STATE_CHANGED", 20000, NULL);
    if (check_true(t, event, "an event")) {
        const QDict *data = qobject_to_dict(qdict_get(event, "data"));

        check_true(t, qdict_bool_or(data, "stopped", false), "it says that the machine stops");
        check_int(t, qdict_int_or(data, "cpu-index", -1), 0, "and which CPU did it");
    }
    qobject_unref(event);
    event = qmp_wait_event(qtest_qmp(q), "STOP", 20000, NULL);
    check_true(t, event, "it has stopped");
    qobject_unref(event);
    text = hmp(t, q, "info registers");
    check_true(t, strstr(text, "EAX=") && strstr(text, "5a "), text);
    check_true(t, strstr(text, "EBX=00000001"), "nothing behind it was executed");
    check_true(t, strstr(text, "EIP=0000000b"), "the next instruction is that behind the access");
    g_unlink(path);
    g_rmdir(dir);
}
