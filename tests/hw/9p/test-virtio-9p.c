/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-9p-pci: its queue and its tag, two of them, reset and saved state, messages that are none, unplugging. */
#include "util/osdep.h"
#include "tests/hw/virtio/virtio-pc.h"

#include <glib.h>
#include "qobject/json.h"
#include "qobject/qobject.h"
#include "util/bswap.h"

#define BAR     0xfe000000u
#define RINGS   0x100000u
#define OUT     0x200000u
#define IN      0x201000u
enum { TVERSION = 100, TATTACH = 104, TGETATTR = 24, TCLUNK = 120 };

static Vdev device(QTest *q, unsigned slot, unsigned n)
{
    Vdev d;

    vdev_find(&d, q, slot << 3, BAR + n * 0x10000, RINGS + n * 0x10000);
    vdev_start(&d, ~UINT64_C(0) & ~F_PACKED & ~F_EVENT_IDX, 1);
    return d;
}

/* A message and room for its answer; the answer's length, -1: none came. */
static int64_t send_raw(Vdev *d, const void *message, uint32_t len, uint32_t room)
{
    qtest_write(d->q, OUT, message, len);
    put_desc(d, d->rings, 0, OUT, len, room ? D_NEXT : 0, 1);
    if (room) {
        put_desc(d, d->rings, 1, IN, room, D_WRITE, 0);
    }
    vdev_offer(d, 0, 0);
    return vdev_wait(d, 0);
}

/* The answer's type; 0: none. */
static uint8_t send_message(Vdev *d, uint8_t type, const void *body, uint32_t len)
{
    uint8_t m[256] = { 0 };

    store_le32(m, 7 + len);
    m[4] = type;
    memcpy(m + 7, body, len);
    return send_raw(d, m, 7 + len, 4096) > 0 ? qtest_readb(d->q, IN + 4) : 0;
}

static const uint8_t version[] = "\0\0\1\0\10\0" "9P2000.L";
static const uint8_t attach[] = "\0\0\0\0\377\377\377\377\0\0\0\0\0\0\0";

static void session(Test *t, Vdev *d)
{
    check_u8(t, send_message(d, TVERSION, version, sizeof(version) - 1), TVERSION + 1, "Rversion");
    check_u32(t, qtest_readl(d->q, IN + 7), 65536, "msize");
    check_u8(t, send_message(d, TATTACH, attach, sizeof(attach)), TATTACH + 1, "Rattach");
    check_u8(t, qtest_readb(d->q, IN + 7), 0x80, "a folder");
}

TEST(virtio_9p, two_of_them)
{
    QTest *q = qtest_start(t, "-machine pc -m 32 -nodefaults -fsdev synth,id=a -fsdev synth,id=b"
                           " -device virtio-9p-pci,fsdev=a,mount_tag=one,addr=4"
                           " -device virtio-9p-pci,fsdev=b,mount_tag=second,addr=5");
    Vdev a = device(q, 4, 0), b = device(q, 5, 1);

    check_u16(t, qpci_readw(q, 4 << 3, 2), 0x1009, "device id");
    check_u16(t, qtest_readw(q, a.bar + 0x2000), 3, "length of the tag");
    check_u8(t, qtest_readb(q, a.bar + 0x2002), 'o', "the tag");
    check_u16(t, qtest_readw(q, b.bar + 0x2000), 6, "the other's");
    session(t, &a);
    check_u8(t, send_message(&b, TGETATTR, "\0\0\0\0\0\0\0\0\0\0\0\0", 12), 7, "no session there yet");
    session(t, &b);
    check_u8(t, send_message(&b, TGETATTR, "\0\0\0\0\377\7\0\0\0\0\0\0", 12), TGETATTR + 1, "attributes");
    check_u32(t, qtest_readl(q, IN + 7 + 8 + 13) & 0170000, 040000, "of a folder");
}

TEST(virtio_9p, reset_and_saved_state)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -m 32 -nodefaults -fsdev synth,id=a"
                               " -device virtio-9p-pci,fsdev=a,mount_tag=one,addr=4,id=fs");
    Vdev d = device(q, 4, 0);
    Error *err = NULL;

    session(t, &d);
    check_true(t, !qmp_cmd_ok(qtest_qmp(q), "migrate", qdict_from_fmt("{'uri': 'exec:cat > /dev/null'}"), &err) &&
               strstr(error_message(err), "'fs'"), "no migration now");
    error_free(err);
    vdev_start(&d, ~UINT64_C(0) & ~F_PACKED & ~F_EVENT_IDX, 1);
    check_u8(t, send_message(&d, TCLUNK, "\0\0\0\0", 4), 7, "a reset ends the session");
    qtest_reload(q);
    session(t, &d);
    check_u8(t, send_message(&d, TCLUNK, "\0\0\0\0", 4), TCLUNK + 1, "given back");
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "migrate", qdict_from_fmt("{'uri': 'exec:cat > /dev/null'}"), NULL),
               "migration");
}

/* The device asks for a reset; after one it works again. */
TEST(virtio_9p, messages_that_are_none)
{
    static const struct { const char *what, *bytes; uint32_t len, room; } cases[] = {
        { "shorter than a header", "\4\0\0\0d\0", 6, 100 },
        { "a size below the header's", "\6\0\0\0d\0\0\0", 8, 100 },
        { "a size behind its end", "\20\0\0\0d\0\0\0", 8, 100 },
        { "a size of 4 GiB", "\377\377\377\377d\0\0\0", 8, 100 },
        { "no room for an answer", "\23\0\0\0d\0\0\0\0\1\0\6\0" "9P2000", 19, 0 },
        { "too little of it", "\23\0\0\0d\0\0\0\0\1\0\6\0" "9P2000", 19, 10 },
    };
    QTest *q = qtest_start(t, "-machine pc -m 32 -nodefaults -fsdev synth,id=a"
                           " -device virtio-9p-pci,fsdev=a,mount_tag=one,addr=4");

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Vdev d = device(q, 4, 0);

        qtest_write(q, OUT, cases[i].bytes, cases[i].len);
        put_desc(&d, d.rings, 0, OUT, cases[i].len, cases[i].room ? D_NEXT : 0, 1);
        if (cases[i].room) {
            put_desc(&d, d.rings, 1, IN, cases[i].room, D_WRITE, 0);
        }
        vdev_offer(&d, 0, 0);
        while (!(vdev_get_status(&d) & S_NEEDS_RESET)) {
        }
        check_true(t, vdev_get_status(&d) & S_NEEDS_RESET, cases[i].what);
        d = device(q, 4, 0);
        session(t, &d);
    }
}

static QDict *from_text(const char *quoted)
{
    g_autofree char *text = g_strdelimit(g_strdup(quoted), "'", '"');

    return json_parse_dict(text, NULL);
}

TEST(virtio_9p, plugging)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -m 32 -nodefaults -fsdev synth,id=a");
    static const struct { const char *args, *part; } wrong[] = {
        { "{'driver': 'virtio-9p-pci'}", "mount tag" },
        { "{'driver': 'virtio-9p-pci', 'mount_tag': 'x'}", "fsdev" },
        { "{'driver': 'virtio-9p-pci', 'mount_tag': 'x', 'fsdev': 'none'}", "none" },
        { "{'driver': 'virtio-9p-pci', 'mount_tag': '0123456789012345678901234567890123456789', 'fsdev': 'a'}",
          "too long" },
    };
    const char *good = "{'driver': 'virtio-9p-pci', 'mount_tag': 'x', 'fsdev': 'a', 'addr': '4', 'id': 'p'}";
    Error *err = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        check_true(t, !qmp_cmd_ok(qtest_qmp(q), "device_add", from_text(wrong[i].args), &err) &&
                   strstr(error_message(err), wrong[i].part), err ? error_message(err) : wrong[i].part);
        error_free(err);
        err = NULL;
    }
    for (int round = 0; round < 3; round++) {
        Vdev d;

        check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_add", from_text(good), &err),
                   err ? error_message(err) : "plugged");
        d = device(q, 4, 0);
        session(t, &d);
        check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_del", qdict_from_fmt("{'id': 'p'}"), NULL), "asked for");
        qtest_outl(q, 0xae10, 0);
        qtest_outl(q, 0xae08, 1u << 4);
        qobject_unref(qmp_wait_event(qtest_qmp(q), "DEVICE_DELETED", 10000, &err));
        check_true(t, !err, "unplugged while it is mounted");
    }
}
