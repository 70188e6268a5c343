/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -object filter-buffer: frames are kept, and let go all together every "interval" microseconds. */
#include "util/osdep.h"
#include "net/filter.h"

#include <glib.h>
#include "qobject/qobject.h"
#include "util/timer.h"

#define BUFFER_MAX  4096        /* frames; more are dropped */

typedef struct Kept {
    NetDirection dir;
    NetFrame *frame;
} Kept;

typedef struct FilterBuffer {
    NetFilter f;
    uint32_t interval_us;
    Timer timer;
    GArray *kept;               /* NULL outside of setup and cleanup */
} FilterBuffer;
static FilterBuffer *FILTER_BUFFER(const void *obj)
{
    return (FilterBuffer *)object_cast(obj, "filter-buffer");
}

static void release(FilterBuffer *b)
{
    GArray *kept = b->kept;

    b->kept = g_array_new(false, false, sizeof(Kept));
    for (guint i = 0; i < kept->len; i++) {
        Kept *k = &g_array_index(kept, Kept, i);

        net_filter_pass(b->f.net, &b->f, k->dir, k->frame->has_offload ? &k->frame->offload : NULL,
                        k->frame->data, k->frame->len);
        g_free(k->frame);
    }
    g_array_unref(kept);
}

static void start_timer(FilterBuffer *b)
{
    timer_mod_ns(&b->timer, clock_get_ns(CLOCK_VIRTUAL_RT) + b->interval_us * INT64_C(1000));
}

static void time_is_up(void *opaque)
{
    FilterBuffer *b = opaque;

    release(b);
    start_timer(b);
}

static bool buffer_setup(NetFilter *f, Error **errp)
{
    FilterBuffer *b = FILTER_BUFFER(f);

    if (!b->interval_us) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "filter-buffer needs 'interval', microseconds greater than 0");
        return false;
    }
    b->kept = g_array_new(false, false, sizeof(Kept));
    timer_init_ns(&b->timer, CLOCK_VIRTUAL_RT, time_is_up, b);
    if (f->on) {
        start_timer(b);
    }
    return true;
}

static void buffer_cleanup(NetFilter *f)
{
    FilterBuffer *b = FILTER_BUFFER(f);

    timer_del(&b->timer);
    if (b->kept) {
        release(b);
        g_array_unref(b->kept);
        b->kept = NULL;
    }
}

static void buffer_status(NetFilter *f)
{
    FilterBuffer *b = FILTER_BUFFER(f);

    if (f->on) {
        start_timer(b);
    } else {
        timer_del(&b->timer);
        release(b);
    }
}

static bool buffer_frame(NetFilter *f, NetDirection dir, const NetOffload *o, const uint8_t *frame, size_t len)
{
    FilterBuffer *b = FILTER_BUFFER(f);
    Kept k = { .dir = dir };

    if (b->kept->len >= BUFFER_MAX) {
        return true;
    }
    k.frame = g_malloc(sizeof(NetFrame) + len);
    k.frame->len = len;
    k.frame->has_offload = o;
    k.frame->offload = o ? *o : (NetOffload){ 0 };
    memcpy(k.frame->data, frame, len);
    g_array_append_val(b->kept, k);
    return true;
}

static const Property buffer_props[] = {
    { .name = "interval", .desc = "microseconds for which frames are kept", .kind = PROP_KIND_U32,
      .offset = PROP_AT(FilterBuffer, interval_us, uint32_t), .flags = PROP_F_RUNTIME },
    PROP_END
};
static const NetFilterOps buffer_ops = { .setup = buffer_setup, .cleanup = buffer_cleanup,
                                         .frame = buffer_frame, .status_changed = buffer_status };
static const TypeInfo buffer_type = {
    .name = "filter-buffer", .parent = TYPE_NETFILTER, .desc = "delays frames",
    .size = sizeof(FilterBuffer), .props = buffer_props, .data = &buffer_ops,
};
TYPE(buffer_type)
