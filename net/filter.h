/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects between a device and its back end (-object filter-...): each frame passes those of its direction,
 * and each may look at it, keep it, or drop it. Big lock.
 */
#ifndef NET_FILTER_H
#define NET_FILTER_H

#include "net/net.h"
#include "qom/object.h"

#define TYPE_NETFILTER  "netfilter"

/* As users name it: rx are frames that the back end receives from the device. */
typedef enum NetDirection { NET_QUEUE_ALL, NET_QUEUE_RX, NET_QUEUE_TX } NetDirection;

struct NetFilter {
    Object obj;
    char *netdev, *position, *insert;   /* properties */
    int queue;                          /* NetDirection */
    bool on;
    NetBackend *net;                    /* NULL until complete */
    NetFilter *next;
};
static inline NetFilter *NETFILTER(const void *obj)
{
    return (NetFilter *)object_cast(obj, TYPE_NETFILTER);
}

/* The type's .data. */
typedef struct NetFilterOps {
    bool (*setup)(NetFilter *f, Error **errp);          /* may be NULL */
    void (*cleanup)(NetFilter *f);                      /* only after setup; may be NULL */
    /* True: the frame stays here. @dir is NET_QUEUE_RX or _TX. @o may be NULL. */
    bool (*frame)(NetFilter *f, NetDirection dir, const NetOffload *o, const uint8_t *frame, size_t len);
    void (*status_changed)(NetFilter *f);               /* may be NULL */
} NetFilterOps;

/* A frame goes on behind the filter @after (NULL: from the start). */
void net_filter_pass(NetBackend *n, NetFilter *after, NetDirection dir, const NetOffload *o,
                     const uint8_t *frame, size_t len);
/* The back end goes: so do its filters' effects. */
void net_filters_forget(NetBackend *n);
/* For types that turn on and off by their nature. */
void net_filter_set_on(NetFilter *f, bool on);

#endif
