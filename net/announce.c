/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "net/announce.h"

#include <glib.h>
#include "qom/object.h"
#include "util/bswap.h"
#include "util/timer.h"

typedef struct Announcement {
    Timer timer;
    int64_t wait_ms, max_ms, step_ms;
    unsigned rounds;            /* that are left */
    strList *ids;
} Announcement;

/* A reverse ARP request for oneself (RFC 903), by broadcast. */
static void say_hello(NetBackend *n, const MacAddr *mac)
{
    uint8_t p[60] = { 0 };

    memset(p, 0xff, 6);
    memcpy(p + 6, mac->a, 6);
    store_be16(p + 12, 0x8035);         /* RARP */
    store_be16(p + 14, 1);              /* hardware: Ethernet */
    store_be16(p + 16, 0x0800);         /* protocol: IPv4 */
    p[18] = 6;
    p[19] = 4;
    store_be16(p + 20, 3);              /* request reverse */
    memcpy(p + 22, mac->a, 6);
    memcpy(p + 32, mac->a, 6);
    net_send(n, p, sizeof(p));
}

static bool is_meant(const Announcement *a, const NetBackend *n)
{
    const char *name = net_device(n)->name;

    for (size_t i = 0; a->ids && i < a->ids->n; i++) {
        if (name && !strcmp(a->ids->items[i], name)) {
            return true;
        }
    }
    return !a->ids;
}

static void announcement_round(void *opaque)
{
    Announcement *a = opaque;

    for (NetBackend *n = net_first(); n; n = n->next) {
        if (!n->owner || !n->ops || !is_meant(a, n)) {
            continue;
        }
        if (n->ops->mac) {
            say_hello(n, n->ops->mac(n->opaque));
        }
        if (n->ops->announce) {
            n->ops->announce(n->opaque);
        }
    }
    if (--a->rounds == 0) {
        timer_del(&a->timer);
        qapi_free_strList(a->ids);
        g_free(a);
        return;
    }
    timer_mod_ns(&a->timer, clock_get_ns(CLOCK_RT) + a->wait_ms * 1000000);
    a->wait_ms = MIN(a->wait_ms + a->step_ms, a->max_ms);
}

void net_announce(int64_t initial_ms, int64_t max_ms, unsigned rounds, int64_t step_ms, const strList *ids)
{
    Announcement *a = g_new0(Announcement, 1);

    *a = (Announcement){ .wait_ms = initial_ms, .max_ms = max_ms, .rounds = rounds, .step_ms = step_ms,
                         .ids = qapi_clone(&qapi_type_strList, ids) };
    timer_init_ns(&a->timer, CLOCK_RT, announcement_round, a);
    announcement_round(a);
}
