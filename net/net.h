/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network back ends (-netdev): a stream of Ethernet frames between a guest's
 * network device and a network of the host. A back end has one device.
 *
 *     device -- net_send() --> filters --> NetBackendType.send
 *     device <-- NetDeviceOps.receive -- queue <-- filters <-- net_deliver() of the back end
 *
 * Frames have no FCS, and padding is the device's affair. Big lock for everything.
 *
 * A frame may come with work left to do (NetOffload): a checksum that isn't filled in, a TCP packet that is
 * to be cut. Only sides that said they can do that work get such frames.
 *
 * A back end with several queues is a chain of NetBackends: the first is in the registry, net_queue() gives
 * the others. Each has its own state, device callbacks and frames that wait.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "qobject/error.h"
#include "qobject/qobject.h"
#include "qom/property.h"

#define NET_FRAME_MAX       (64 * 1024 + 256)
#define NET_QUEUE_MAX       256         /* frames kept for a device that is busy */

typedef struct NetBackend NetBackend;
typedef struct NetFilter NetFilter;
struct RxFilterInfo;

/* What is left to be done with a frame: Virtual I/O Device 1.2, 5.1.6. Offsets from the frame's start, in
 * bytes; host byte order. */
typedef struct NetOffload {
    uint8_t flags;                      /* NET_NEEDS_CSUM ... */
    uint8_t gso_type;                   /* NET_GSO_NONE ... */
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
} NetOffload;
enum { NET_NEEDS_CSUM = 1, NET_DATA_VALID = 2 };
enum { NET_GSO_NONE = 0, NET_GSO_TCPV4 = 1, NET_GSO_UDP = 3, NET_GSO_TCPV6 = 4, NET_GSO_ECN = 0x80 };
/* What a receiver can do itself. */
enum { NET_CAN_CSUM = 1, NET_CAN_TSO4 = 2, NET_CAN_TSO6 = 4, NET_CAN_ECN = 8, NET_CAN_UFO = 16 };

/* A kind of back end. */
typedef struct NetBackendType {
    const char *name;                   /* "user" */
    const char *const *options;         /* accepted members; NULL: open checks them itself */
    size_t state_size;
    /* @opts: without "type" and "id", nested; see net_decode(). */
    bool (*open)(NetBackend *n, const QDict *opts, Error **errp);
    void (*close)(NetBackend *n);       /* each queue */
    /* A frame of the device goes out. */
    void (*send)(NetBackend *n, const uint8_t *frame, size_t len);
    /* The same with work left to do, when n->can has it. May be NULL. */
    void (*send_offload)(NetBackend *n, const NetOffload *o, const uint8_t *frame, size_t len);
    /* The device takes this work (NET_CAN_...) over from us; of all queues. May be NULL: there is none. */
    void (*set_device_can)(NetBackend *n, unsigned can);
    /* A multiqueue device uses this queue, or doesn't. May be NULL. */
    void (*enable_queue)(NetBackend *n, bool on);
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
    /* With work left to do, as set_device_can allowed; may be NULL. */
    void (*receive_offload)(void *opaque, const NetOffload *o, const uint8_t *frame, size_t len);
    void (*link_changed)(void *opaque, bool up);    /* may be NULL */
    const MacAddr *(*mac)(void *opaque);            /* that it has now */
    /* The driver shall announce itself (announce-self), besides what we send; may be NULL. */
    void (*announce)(void *opaque);
    /* For query-rx-filter: the caller fills in the name; may be NULL. */
    struct RxFilterInfo *(*rx_filter)(void *opaque);
} NetDeviceOps;

typedef struct NetFrame {
    struct NetFrame *next;
    size_t len;
    bool has_offload;
    NetOffload offload;
    uint8_t data[];
} NetFrame;

struct NetBackend {
    char *id;
    const NetBackendType *type;
    const NetDeviceOps *ops;
    void *opaque;                       /* of ops */
    void *owner;                        /* the device (Object) that holds it */
    NetBackend *hub_port;               /* that has us behind it, instead of a device */
    bool gone;                          /* netdev_del'd while a device has it */
    bool open;
    bool link_down;                     /* set_link */
    bool delivering;
    bool from_text;                     /* the options being read are a command line's */
    bool checksums_good;                /* of all frames that it delivers */
    unsigned can;                       /* NET_CAN_...: what frames may come with to send_offload */
    unsigned gives;                     /* NET_CAN_...: what frames may come with from it */
    bool rx_filter_asked;               /* an event may be sent again */
    bool vhost;                         /* its frames go by another way, see net/vhost-user.h */
    NetFilter *filters;                 /* in the order in which frames to the device pass */
    NetBackend *lead, *next_queue;      /* lead: itself for the first */
    unsigned queue_index;
    NetFrame *queue, **queue_tail;      /* for the device */
    unsigned queued;
    uint64_t rx_frames, rx_bytes, rx_dropped, tx_frames, tx_bytes;
    NetBackend *next;
    void *state;                        /* the type's */
};

/* -netdev: "type", "id" and the type's own members, whose names may be paths ("addr.type"). @from_text:
 * numbers and booleans may be strings. */
bool netdev_add(const QDict *opts, bool from_text, Error **errp);
/* A device that has it sees its link go down. ERR_IN_USE behind a hub's port. */
bool netdev_del(const char *id, Error **errp);
NetBackend *net_find(const char *id);
/* The device that users know it by: of a virtio device its transport. NULL: nobody has @n. */
struct Object *net_device(const NetBackend *n);
/* Text for "-netdev help"; the caller frees it. */
char *net_help(void);
NetBackend *net_first(void);
unsigned net_queues(const NetBackend *n);
NetBackend *net_queue(NetBackend *n, unsigned i);   /* NULL: there is none */
/* At the end: closes all (scripts of tap devices run). */
void net_cleanup(void);
/* The VM runs; while it doesn't, no device gets a frame. */
void net_set_running(bool running);
/* A MAC address that no device of this process had: 52:54:00:12:34:56 and up. */
MacAddr net_new_mac(void);

/* --- for devices; @n may be NULL: nothing is connected --- */
void net_connect(NetBackend *n, const NetDeviceOps *ops, void *opaque);
void net_disconnect(NetBackend *n);
void net_send(NetBackend *n, const void *frame, size_t len);
/* What a frame for net_send_offload() may come with. */
unsigned net_can(const NetBackend *n);
void net_send_offload(NetBackend *n, const NetOffload *o, const void *frame, size_t len);
void net_set_device_can(NetBackend *n, unsigned can);
void net_enable_queue(NetBackend *n, bool on);
/* What rx_filter says has changed: tells management once, until it has asked. */
void net_rx_filter_changed(NetBackend *n);
/* can_receive would now say yes. */
void net_flush(NetBackend *n);

/* --- for back ends --- */
/* Give a frame to the device, or keep it for later, or drop it. */
void net_deliver(NetBackend *n, const void *frame, size_t len);
void net_deliver_offload(NetBackend *n, const NetOffload *o, const void *frame, size_t len);
bool net_can_deliver(const NetBackend *n);
/* Frames wait for the device: the back end should take no more until its resume is called. */
bool net_is_busy(const NetBackend *n);
/* From open: one more queue, with state of its own. */
NetBackend *net_add_queue(NetBackend *lead);
struct QapiType;
/* The members of a schema's struct at @out from open's options. The caller clears it. */
bool net_decode(const NetBackend *n, const struct QapiType *type, const QDict *opts, void *out,
                Error **errp);
/* The caller's, close-on-exec, not blocking; -1 with *errp set. */
int net_take_fd(const char *name, Error **errp);

/* --- for filters --- */
/* On their way past the filters: the rest of it. */
void net_pass_to_backend(NetBackend *n, const NetOffload *o, const uint8_t *frame, size_t len);
void net_pass_to_device(NetBackend *n, const NetOffload *o, const uint8_t *frame, size_t len);

#endif
