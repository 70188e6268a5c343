/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rings of virtio devices with what the driver has put there (virtio 1.2, "V"). */
#include "util/osdep.h"
#include "hw/virtio/virtio-int.h"
#include "hw/virtio/virtio-state.h"

const VmMeaning virtio_device_meanings[] = {
    { "config_generation", "counts changes of the configuration" },
    { "status", "device status", .flags = FLAGS({ "ACKNOWLEDGE", 1 }, { "DRIVER", 2 }, { "DRIVER_OK", 4 },
                                                { "FEATURES_OK", 8 }, { "NEEDS_RESET", 0x40 }, { "FAILED", 0x80 }) },
    { "broken", "the driver has done what can't be" }, { "config_vector", "interrupt of configuration changes" },
    { "guest_features", "features that the driver has accepted" }, { .name = NULL }
};

const VmMeaning virtio_queue_meanings[] = {
    { "vector", "MSI-X vector; 65535: none" },
    { "num", "descriptors" }, { "suppressed", "notifications by the driver aren't wanted" },
    { "desc", "descriptor area", .address = true }, { "avail", "driver area", .address = true },
    { "used", "device area", .address = true }, { "last_avail", "next element that the device takes" },
    { "used_idx", "next that it gives back" }, { "in_use", "taken and not given back" },
    { "signalled", "used_idx at the last decision about an interrupt" },
    { "pushed", "packed: descriptors given back since then" }, { .name = NULL }
};

static const RegFlag desc_flags[] = {
    { "NEXT", DESC_F_NEXT }, { "WRITE", DESC_F_WRITE }, { "INDIRECT", DESC_F_INDIRECT },
    { "AVAIL", DESC_F_AVAIL }, { "USED", DESC_F_USED }, { NULL, 0 }
};

/* A queue that is being shown. */
typedef struct Shown {
    StateView *v;
    unsigned index, num;
    uint64_t desc, avail, used;
    bool big;                   /* byte order of a legacy driver */
} Shown;

static uint64_t features(const StateView *v)
{
    return state_view_get(v, "v.guest_features");
}

static uint64_t queue_get(const Shown *q, const char *name)
{
    return state_view_get(q->v, "v.queues[%u].%s", q->index, name);
}

static uint16_t num16(const Shown *q, const uint8_t *p)
{
    return q->big ? load_be16(p) : load_le16(p);
}

static uint32_t num32(const Shown *q, const uint8_t *p)
{
    return q->big ? load_be32(p) : load_le32(p);
}

static uint64_t num64(const Shown *q, const uint8_t *p)
{
    return q->big ? load_be64(p) : load_le64(p);
}

/* Descriptor @i of the table at @table; false if there is no memory. */
static bool read_desc(const Shown *q, uint64_t table, unsigned i, Desc *d)
{
    uint8_t b[DESC_SIZE];

    if (!state_view_read(q->v, table + (uint64_t)i * DESC_SIZE, b, sizeof(b))) {
        return false;
    }
    *d = (Desc){ num64(q, b), num32(q, b + 8), num16(q, b + 12), num16(q, b + 14) };
    return true;
}

static StateNode *add_desc(StateNode *into, unsigned i, const Desc *d)
{
    StateNode *n = state_add_element(into, STATE_STRUCT);

    state_add_uint(n, "index", i, 16);
    state_add_address(n, "address", d->addr, 64);
    state_add_uint(n, "length", d->len, 32);
    state_add_flags(state_add_uint(n, "flags", d->flags, 16), desc_flags);
    state_mean(n, "%s by the device", d->flags & DESC_F_INDIRECT ? "a table, read"
               : d->flags & DESC_F_WRITE ? "written" : "read");
    return n;
}

/* V 2.7.5. The chain may be a ring: it has at most as many as the table. */
static void show_chain(const Shown *q, StateNode *into, uint64_t table, unsigned n, unsigned i, unsigned depth)
{
    unsigned most = state_view_limit(q->v, n);

    for (unsigned count = 0; count < most; count++) {
        StateNode *node;
        Desc d;

        if (i >= n || !read_desc(q, table, i, &d)) {
            state_mean(state_add_element(into, STATE_STRUCT), "descriptor %u: there is none", i);
            return;
        }
        node = add_desc(into, i, &d);
        if ((d.flags & DESC_F_INDIRECT) && !depth) {
            show_chain(q, state_add_queue(node, "table"), d.addr, MIN(d.len / DESC_SIZE, VIRTQ_MAX_SIZE), 0, 1);
        }
        if (!(d.flags & DESC_F_NEXT)) {
            return;
        }
        i = d.next;
    }
}

static void show_split(const Shown *q, StateNode *n)
{
    uint8_t avail[4], used[4], head[2];
    uint16_t next = (uint16_t)queue_get(q, "last_avail"), waiting;
    StateNode *pending;

    if (!state_view_read(q->v, q->avail, avail, sizeof(avail)) ||
        !state_view_read(q->v, q->used, used, sizeof(used))) {
        state_mean(n, "the ring isn't in memory that the device reaches");
        return;
    }
    waiting = (uint16_t)(num16(q, avail + 2) - next);
    state_add_flags(state_add_uint(n, "avail-flags", num16(q, avail), 16), FLAGS({ "NO_INTERRUPT", 1 }));
    state_add_uint(n, "avail-idx", num16(q, avail + 2), 16);
    state_add_flags(state_add_uint(n, "used-flags", num16(q, used), 16), FLAGS({ "NO_NOTIFY", 1 }));
    state_add_uint(n, "used-idx", num16(q, used + 2), 16);
    pending = state_add_queue(n, "waiting");
    state_mean(pending, "%u elements that the device hasn't taken", waiting);
    if (waiting > q->num) {
        state_mean(pending, "the driver's index is %u ahead, of %u descriptors: it is wrong", waiting, q->num);
        waiting = 0;
    }
    for (unsigned i = 0; i < state_view_limit(q->v, waiting); i++) {
        StateNode *e = state_add_element(pending, STATE_QUEUE);

        if (!state_view_read(q->v, q->avail + 4 + 2 * ((next + i) & (q->num - 1)), head, sizeof(head))) {
            return;
        }
        state_mean(e, "head %u", num16(q, head));
        show_chain(q, e, q->desc, q->num, num16(q, head), 0);
    }
}

/* V 2.8: what has the driver's wrap counter in AVAIL, and the other value in USED. */
static void show_packed(const Shown *q, StateNode *n)
{
    unsigned at = (unsigned)queue_get(q, "last_avail"), taken = 0;
    bool wrap = queue_get(q, "avail_wrap");
    StateNode *pending = state_add_queue(n, "waiting"), *node;
    uint8_t event[4];

    if (state_view_read(q->v, q->avail, event, sizeof(event))) {
        state_add_uint(n, "driver-event", num16(q, event), 16);
        state_add_uint(n, "driver-event-flags", num16(q, event + 2), 16);
    }
    while (taken < state_view_limit(q->v, q->num)) {
        Desc d;

        if (!read_desc(q, q->desc, at, &d)) {
            state_mean(n, "the ring isn't in memory that the device reaches");
            return;
        }
        if (!(d.flags & DESC_F_AVAIL) == wrap || !(d.flags & DESC_F_USED) == !wrap) {
            break;
        }
        node = add_desc(pending, at, &d);
        state_add_uint(node, "id", d.next, 16);
        if (d.flags & DESC_F_INDIRECT) {
            StateNode *table = state_add_queue(node, "table");
            unsigned count = state_view_limit(q->v, MIN(d.len / DESC_SIZE, VIRTQ_MAX_SIZE));
            Desc e;

            for (unsigned i = 0; i < count && read_desc(q, d.addr, i, &e); i++) {
                add_desc(table, i, &e);
            }
        }
        taken++;
        if (++at == q->num) {
            at = 0;
            wrap = !wrap;
        }
    }
    state_mean(pending, "%u descriptors that the device hasn't taken", taken);
}

static bool is_big(const StateView *v)
{
    return v->dev && virtio_order(VIRTIO_DEVICE(v->dev)) == MEM_BE;
}

static void print_rings(StateView *v, StateNode *into)
{
    bool packed = features(v) >> VIRTIO_F_RING_PACKED & 1;
    size_t index;
    const StateNode *queues = v->saved ? state_find(v->saved, "v.queues", &index) : NULL;

    for (unsigned i = 0; queues && i < queues->num_fields; i++) {
        Shown q = { .v = v, .index = i, .big = is_big(v) };
        StateNode *n;

        q.num = (unsigned)queue_get(&q, "num");
        q.desc = queue_get(&q, "desc");
        q.avail = queue_get(&q, "avail");
        q.used = queue_get(&q, "used");
        if (!queue_get(&q, "enabled") || !q.num || q.num > VIRTQ_MAX_SIZE) {
            continue;
        }
        n = state_add_element(into, STATE_STRUCT);
        g_free(n->name);
        n->name = g_strdup_printf("queue%u", i);
        state_mean(n, "%s, %u descriptors, %u taken by the device", packed ? "packed" : "split", q.num,
                   (unsigned)queue_get(&q, "in_use"));
        if (packed) {
            show_packed(&q, n);
        } else {
            show_split(&q, n);
        }
    }
}

static uint16_t id_of(const Type *type)
{
    for (const Type *t = type; t; t = type_parent(t)) {
        const DeviceType *dt = device_type_of(t);

        if (dt && dt->data) {
            return ((const VirtioOps *)dt->data)->id;
        }
    }
    return 0;
}

static void print_features(StateView *v, StateNode *into)
{
    StateNode *n = state_add_uint(into, "accepted", features(v), 64);

    for (unsigned bit = 0; bit < 64; bit++) {
        const char *name = virtio_feature_name(id_of(v->type), bit);

        if (n->u >> bit & 1) {
            g_autofree char *text = name ? g_strndup(name, strcspn(name, ":")) : g_strdup_printf("bit%u", bit);

            state_add_flag(n, text, 1);
        }
    }
}

const StatePrinter virtio_printers[] = {
    { "features", "that the driver has accepted, by name", print_features },
    { "rings", "queues in use, and what waits in them", print_rings },
    { NULL, NULL, NULL }
};
