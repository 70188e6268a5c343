/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that are no more than a list of what they received, for tests of back ends. */
#ifndef TESTS_NET_NET_FIXTURE_H
#define TESTS_NET_NET_FIXTURE_H

#include <glib.h>
#include "net/net.h"
#include "qobject/json.h"
#include "tests/lib/test.h"
#include "util/main-loop.h"

typedef struct FakeDevice {
    NetBackend *net;
    GPtrArray *got;             /* GBytes */
    NetOffload last;            /* of the last frame; zeros without */
    bool busy;
    unsigned link_changes;
} FakeDevice;

static bool fake_can_receive(void *opaque)
{
    return !((FakeDevice *)opaque)->busy;
}

static void fake_receive_offload(void *opaque, const NetOffload *o, const uint8_t *frame, size_t len)
{
    FakeDevice *d = opaque;

    d->last = o ? *o : (NetOffload){ 0 };
    g_ptr_array_add(d->got, g_bytes_new(frame, len));
}

static void fake_receive(void *opaque, const uint8_t *frame, size_t len)
{
    fake_receive_offload(opaque, NULL, frame, len);
}

static void fake_link(void *opaque, UNUSED bool up)
{
    ((FakeDevice *)opaque)->link_changes++;
}

static const NetDeviceOps fake_ops = { .can_receive = fake_can_receive, .receive = fake_receive,
                                       .receive_offload = fake_receive_offload, .link_changed = fake_link };

/* JSON with single quotes. */
UNUSED static QDict *options(const char *text)
{
    g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');

    return json_parse_dict(json, NULL);
}

/* A back end from what -netdev says, in JSON; false with the message told. */
UNUSED static bool add(Test *t, const char *text)
{
    QOBJECT_AUTO QDict *d = options(text);
    Error *err = NULL;
    bool ok = netdev_add(d, true, &err);

    check_true(t, ok, err ? error_message(err) : text);
    error_free(err);
    return ok;
}

UNUSED static void refuse(Test *t, const char *text, const char *part)
{
    QOBJECT_AUTO QDict *d = options(text);
    Error *err = NULL;
    bool ok = netdev_add(d, true, &err);

    check_true(t, !ok && strstr(error_message(err), part), err ? error_message(err) : text);
    error_free(err);
}

UNUSED static void device_on(FakeDevice *d, const char *id)
{
    *d = (FakeDevice){ .net = net_find(id), .got = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref) };
    net_connect(d->net, &fake_ops, d);
}

UNUSED static void device_off(FakeDevice *d)
{
    net_disconnect(d->net);
    g_ptr_array_unref(d->got);
}

/* Until @d has @n frames, true: the harness has the time limit. */
UNUSED static bool wait_frames(FakeDevice *d, guint n)
{
    while (d->got->len < n) {
        if (!main_loop_iterate(false)) {
            g_usleep(500);
        }
    }
    return true;
}

UNUSED static void settle(void)
{
    for (unsigned i = 0; i < 40; i++) {
        main_loop_iterate(false);
        g_usleep(500);
    }
}

/* A frame of @len bytes that tells its number. */
UNUSED static void send_frame(FakeDevice *d, uint8_t number, size_t len)
{
    g_autofree uint8_t *p = g_malloc(len);

    for (size_t i = 0; i < len; i++) {
        p[i] = (uint8_t)(i * 7 + number);
    }
    net_send(d->net, p, len);
}

UNUSED static bool is_frame(FakeDevice *d, guint i, uint8_t number, size_t len)
{
    gsize n;
    const uint8_t *p = i < d->got->len ? g_bytes_get_data(g_ptr_array_index(d->got, i), &n) : NULL;

    if (!p || n != len) {
        return false;
    }
    for (size_t k = 0; k < len; k++) {
        if (p[k] != (uint8_t)(k * 7 + number)) {
            return false;
        }
    }
    return true;
}

#endif
