/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network back ends (-netdev): a stream of Ethernet frames between a guest's
 * network device and a network of the host. A back end has one device.
 *
 * Frames have no FCS, and padding is the device's affair. Big lock for everything.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "qobject/error.h"
#include "qobject/qobject.h"
#include "qom/property.h"

#define NET_FRAME_MAX       (64 * 1024 + 256)
#define NET_QUEUE_MAX       256         /* frames kept for a device that is busy */

typedef struct NetBackend NetBackend;

/* A kind of back end. */
typedef struct NetBackendType {
    const char *name;                   /* "user" */
    const char *const *options;         /* accepted members besides "type" and "id" */
    size_t state_size;
    bool (*open)(NetBackend *n, const QDict *opts, Error **errp);
    void (*close)(NetBackend *n);
    /* A frame of the device goes out. */
    void (*send)(NetBackend *n, const uint8_t *frame, size_t len);
    /* The device takes frames again. */
    void (*resume)(NetBackend *n);
    /* Text for "info network"; caller frees; may be NULL. */
    char *(*info)(NetBackend *n);
    struct NetBackendType *next;        /* registry's */
} NetBackendType;
void net_backend_type_register(NetBackendType *t);

/* What a device offers to its back end. */
typedef struct NetDeviceOps {
    bool (*can_receive)(void *opaque);      /* NULL: always */
    void (*receive)(void *opaque, const uint8_t *frame, size_t len);
    void (*link_changed)(void *opaque, bool up);    /* may be NULL */
} NetDeviceOps;

typedef struct NetFrame {
    struct NetFrame *next;
    size_t len;
    uint8_t data[];
} NetFrame;

struct NetBackend {
    char *id;
    const NetBackendType *type;
    const NetDeviceOps *ops;
    void *opaque;                       /* of ops */
    void *owner;                        /* the device (Object) that holds it */
    bool link_down;                     /* set_link */
    bool delivering;
    NetFrame *queue, **queue_tail;      /* for the device */
    unsigned queued;
    uint64_t rx_frames, rx_bytes, rx_dropped, tx_frames, tx_bytes;
    NetBackend *next;
    void *state;                        /* the type's */
};

/* -netdev: "type", "id" and the type's own members. */
bool netdev_add(const QDict *opts, Error **errp);
bool netdev_del(const char *id, Error **errp);      /* ERR_IN_USE with a device */
NetBackend *net_find(const char *id);
NetBackend *net_first(void);
/* A MAC address that no device of this process had: 52:54:00:12:34:56 and up. */
MacAddr net_new_mac(void);

/* --- for devices; @n may be NULL: nothing is connected --- */
void net_connect(NetBackend *n, const NetDeviceOps *ops, void *opaque);
void net_disconnect(NetBackend *n);
void net_send(NetBackend *n, const void *frame, size_t len);
/* can_receive would now say yes. */
void net_flush(NetBackend *n);

/* --- for back ends --- */
/* Give a frame to the device, or keep it for later, or drop it. */
void net_deliver(NetBackend *n, const void *frame, size_t len);
bool net_can_deliver(const NetBackend *n);

#endif
