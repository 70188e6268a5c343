/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -object filter-mirror: a copy of each frame goes to a character device. filter-redirector: the frame itself
 * goes there ("outdev"), and what comes from "indev" is put in its place. On the wire as net-frames.h says.
 */
#include "util/osdep.h"
#include "net/filter.h"

#include <glib.h>
#include "chardev/chardev.h"
#include "net/net-frames.h"

typedef struct FilterMirror {
    NetFilter f;
    char *outdev, *indev;
    bool vnet_hdr;
    CharFrontend out, in;
    NetReader reader;
} FilterMirror;
static FilterMirror *FILTER_MIRROR(const void *obj)
{
    return (FilterMirror *)object_cast(obj, TYPE_NETFILTER);
}

static void put(FilterMirror *m, const NetOffload *o, const uint8_t *frame, size_t len)
{
    g_autofree uint8_t *buf = g_malloc(8 + NET_HDR_MIN + len);
    size_t head = net_frame_head(buf, m->vnet_hdr, o, len);

    memcpy(buf + head, frame, len);
    chr_fe_write_all(&m->out, buf, head + len);
}

/* --- what comes from indev --- */

static void injected(void *opaque, const NetOffload *o, const uint8_t *frame, size_t len)
{
    FilterMirror *m = opaque;

    if (!m->f.net || !m->f.on || len < 14) {
        return;
    }
    if (m->f.queue != NET_QUEUE_RX) {
        net_filter_pass(m->f.net, &m->f, NET_QUEUE_TX, o, frame, len);
    }
    if (m->f.queue != NET_QUEUE_TX) {
        net_filter_pass(m->f.net, &m->f, NET_QUEUE_RX, o, frame, len);
    }
}

static void in_receive(void *opaque, const uint8_t *buf, size_t len)
{
    FilterMirror *m = opaque;

    if (!net_reader_feed(&m->reader, buf, len, injected, m)) {
        net_reader_cleanup(&m->reader);
        chr_fe_disconnect(&m->in);
    }
}

static void in_event(void *opaque, ChrEvent event)
{
    if (event == CHR_EVENT_CLOSED) {
        net_reader_cleanup(&((FilterMirror *)opaque)->reader);
    }
}

static const ChrHandlers in_handlers = { .receive = in_receive, .event = in_event };
static const ChrHandlers out_handlers = { 0 };

/* --- the filters --- */

static void mirror_cleanup(NetFilter *f)
{
    FilterMirror *m = FILTER_MIRROR(f);

    chr_fe_deinit(&m->in);
    chr_fe_deinit(&m->out);
    net_reader_cleanup(&m->reader);
}

static bool connect_devs(FilterMirror *m, Error **errp)
{
    net_reader_init(&m->reader, m->vnet_hdr);
    if (m->outdev) {
        if (!chr_fe_init_by_id(&m->out, m->outdev, errp)) {
            return false;
        }
        chr_fe_set_handlers(&m->out, &out_handlers, m);
    }
    if (m->indev) {
        if (!chr_fe_init_by_id(&m->in, m->indev, errp)) {
            chr_fe_deinit(&m->out);
            return false;
        }
        chr_fe_set_handlers(&m->in, &in_handlers, m);
    }
    return true;
}

static bool mirror_setup(NetFilter *f, Error **errp)
{
    FilterMirror *m = FILTER_MIRROR(f);

    if (!m->outdev) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "filter-mirror needs 'outdev', the id of a character device");
        return false;
    }
    return connect_devs(m, errp);
}

static bool redirector_setup(NetFilter *f, Error **errp)
{
    FilterMirror *m = FILTER_MIRROR(f);

    if (!m->outdev && !m->indev) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "filter-redirector needs 'indev' or 'outdev', at least one "
                   "character device");
        return false;
    }
    if (m->outdev && m->indev && !strcmp(m->outdev, m->indev)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'indev' and 'outdev' could not be same for filter-redirector");
        return false;
    }
    return connect_devs(m, errp);
}

static bool mirror_frame(NetFilter *f, UNUSED NetDirection dir, const NetOffload *o, const uint8_t *frame,
                         size_t len)
{
    put(FILTER_MIRROR(f), o, frame, len);
    return false;
}

static bool redirector_frame(NetFilter *f, UNUSED NetDirection dir, const NetOffload *o,
                             const uint8_t *frame, size_t len)
{
    FilterMirror *m = FILTER_MIRROR(f);

    if (!m->outdev) {
        return false;
    }
    put(m, o, frame, len);
    return true;
}

static const Property mirror_props[] = {
    PROP_STR("outdev", FilterMirror, outdev, NULL, "character device that gets the frames"),
    PROP_BOOL("vnet_hdr_support", FilterMirror, vnet_hdr, false, "an offload header goes with each frame"),
    PROP_END
};
static const Property redirector_props[] = {
    PROP_STR("indev", FilterMirror, indev, NULL, "character device whose frames go on from here"),
    PROP_STR("outdev", FilterMirror, outdev, NULL, "character device that gets the frames"),
    PROP_BOOL("vnet_hdr_support", FilterMirror, vnet_hdr, false, "an offload header goes with each frame"),
    PROP_END
};
static const NetFilterOps mirror_ops = { .setup = mirror_setup, .cleanup = mirror_cleanup,
                                         .frame = mirror_frame };
static const NetFilterOps redirector_ops = { .setup = redirector_setup, .cleanup = mirror_cleanup,
                                             .frame = redirector_frame };
static const TypeInfo mirror_type = {
    .name = "filter-mirror", .parent = TYPE_NETFILTER, .desc = "copies frames to a character device",
    .size = sizeof(FilterMirror), .props = mirror_props, .data = &mirror_ops,
};
static const TypeInfo redirector_type = {
    .name = "filter-redirector", .parent = TYPE_NETFILTER,
    .desc = "sends frames to a character device, takes others from one",
    .size = sizeof(FilterMirror), .props = redirector_props, .data = &redirector_ops,
};
TYPE(mirror_type)
TYPE(redirector_type)
