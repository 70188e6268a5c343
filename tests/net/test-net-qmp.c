/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Monitor commands about networks. */
#include "util/osdep.h"
#include <glib.h>
#include "qobject/qobject.h"
#include "tests/lib/qtest.h"

static bool ok(QTest *q, const char *command, QDict *args)
{
    return qmp_cmd_ok(qtest_qmp(q), command, args, NULL);
}

static void refuse(Test *t, QTest *q, const char *command, QDict *args, const char *part)
{
    Error *err = NULL;
    bool done = qmp_cmd_ok(qtest_qmp(q), command, args, &err);

    check_true(t, !done && strstr(error_message(err), part), err ? error_message(err) : part);
    error_free(err);
}

TEST(net_qmp, netdev_add_is_typed)
{
    QTest *q = qtest_start_qmp(t, "-M none");

    refuse(t, q, "netdev_add", qdict_from_fmt("{'type': 'user'}"), "id");
    refuse(t, q, "netdev_add", qdict_from_fmt("{'type': 'user', 'id': 'n', 'restrict': 'on'}"), "restrict");
    refuse(t, q, "netdev_add", qdict_from_fmt("{'type': 'user', 'id': 'n', 'colour': 'red'}"), "colour");
    refuse(t, q, "netdev_add", qdict_from_fmt("{'type': 'hubport', 'id': 'n', 'hubid': '1'}"), "hubid");
    refuse(t, q, "netdev_add", qdict_from_fmt("{'type': 'stream', 'id': 'n', 'addr': {'type': 'unix'}}"), "path");
    refuse(t, q, "netdev_add", qdict_from_fmt("{'type': 'socket', 'id': 'n', 'fd': 'nobody'}"), "nobody");
    check_true(t, ok(q, "netdev_add", qdict_from_fmt("{'type': 'user', 'id': 'n', 'restrict': true, 'hostfwd':"
               " [{'str': 'tcp:127.0.0.1:0-:22'}]}")), "lists as the schema has them");
    refuse(t, q, "netdev_add", qdict_from_fmt("{'type': 'user', 'id': 'n'}"), "already");
    check_true(t, ok(q, "netdev_del", qdict_from_fmt("{'id': 'n'}")), "and away");
    refuse(t, q, "netdev_del", qdict_from_fmt("{'id': 'n'}"), "not found");
}

static bool rx_filter(QTest *q, const char *name, const char *mac)
{
    QOBJECT_AUTO QObject *o = qmp_cmd(qtest_qmp(q), "query-rx-filter", name ? qdict_from_fmt("{'name': %s}", name)
                                                                          : NULL, NULL);
    QList *l = o ? qobject_to_list(o) : NULL;
    QDict *d = l && qlist_size(l) == 1 ? qobject_to_dict(qlist_get(l, 0)) : NULL;

    return d && !strcmp(qdict_str_or(d, "name", ""), "net0") && !strcmp(qdict_str_or(d, "main-mac", ""), mac) &&
           qdict_bool_or(d, "promiscuous", false);
}

static bool link_is(QTest *q, bool up)
{
    QOBJECT_AUTO QObject *o = qmp_cmd(qtest_qmp(q), "x-query-network", NULL, NULL);
    QList *l = o ? qobject_to_list(o) : NULL;

    return l && qlist_size(l) && qdict_bool_or(qobject_to_dict(qlist_get(l, 0)), "link-up", !up) == up;
}

/* By the names that libvirt uses. */
TEST(net_qmp, devices)
{
    QTest *q = qtest_start_qmp(t, "-M pc -netdev hubport,id=hostnet0,hubid=0 -device virtio-net-pci,netdev=hostnet0,"
                               "id=net0,mac=52:54:00:01:02:03");

    check_true(t, rx_filter(q, NULL, "52:54:00:01:02:03") && rx_filter(q, "net0", "52:54:00:01:02:03"),
               "query-rx-filter");
    refuse(t, q, "query-rx-filter", qdict_from_fmt("{'name': 'net1'}"), "net1");
    check_true(t, ok(q, "set_link", qdict_from_fmt("{'name': 'net0', 'up': false}")) && link_is(q, false),
               "set_link by the device");
    check_true(t, ok(q, "set_link", qdict_from_fmt("{'name': 'hostnet0', 'up': true}")) && link_is(q, true),
               "and by the back end");
    refuse(t, q, "set_link", qdict_from_fmt("{'name': 'net1', 'up': true}"), "not found");
    check_true(t, ok(q, "announce-self", qdict_from_fmt("{'initial': 50, 'max': 100, 'rounds': 2, 'step': 10,"
               " 'interfaces': ['net0']}")), "announce-self");
    refuse(t, q, "announce-self", qdict_from_fmt("{'initial': 50, 'max': 100, 'rounds': 2000, 'step': 10}"), "rounds");
    refuse(t, q, "device_add", qdict_from_fmt("{'driver': 'e1000', 'netdev': 'hostnet0'}"), "used by another");
    check_true(t, ok(q, "netdev_del", qdict_from_fmt("{'id': 'hostnet0'}")), "a back end may go from under a device");
    refuse(t, q, "set_link", qdict_from_fmt("{'name': 'hostnet0', 'up': true}"), "not found");
    check_true(t, ok(q, "netdev_add", qdict_from_fmt("{'type': 'hubport', 'id': 'hostnet0', 'hubid': 1}")),
               "its id is free");
}
