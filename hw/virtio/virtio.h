/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio: devices, virtqueues, and what a transport (PCI, MMIO) needs of them.
 *
 *   virtio.c       the device: status, features, configuration space, saved state
 *   virtqueue.c    queues: elements, notifications   ring-split.c, ring-packed.c  the two layouts
 *   ring-memory.c  access to rings in guest memory
 *   virtio-pci.c   PCI transport, with virtio-pci-legacy.c and virtio-pci-modern.c
 *
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, OASIS ("V"), with its notes on legacy interfaces;
 * Virtio PCI Card Specification 0.9.5 where those are silent.
 *
 * A device is a DeviceType whose parent is TYPE_VIRTIO_DEVICE, with a VirtioOps as .data; it sits on a
 * virtio bus that its transport owns. Big lock. Queues that an I/O thread serves are that thread's from
 * virtio_queue_set_loop() on; they, and what handlers look at (status, features, broken), are changed by others only while the
 * loop is parked (event_loop_park). Registers are written so; what a device does there itself, it does between
 * LOOP_PARKED(v->loop).
 *
 * Rings are the guest's and hostile. What can't be (V 2.6 ff.) makes the device broken: it asks for a
 * reset (V 2.1.1, DEVICE_NEEDS_RESET), and its queues give and take nothing until then.
 */
#ifndef HW_VIRTIO_VIRTIO_H
#define HW_VIRTIO_VIRTIO_H

#include <sys/uio.h>
#include "hw/core/device.h"
#include "hw/core/runstate.h"
#include "memory/memory.h"
#include "util/main-loop.h"
#include "util/thread.h"

#define TYPE_VIRTIO_BUS     "virtio-bus"
#define TYPE_VIRTIO_DEVICE  "virtio-device"

#define VIRTQ_MAX_SIZE      1024    /* descriptors of a queue, and of an element */
#define VIRTIO_MAX_QUEUES   1024
#define VIRTIO_CONFIG_MAX   256     /* bytes of device configuration */
#define VIRTIO_NO_VECTOR    0xffff

/* Device types (V 5). */
enum { VIRTIO_ID_NET = 1, VIRTIO_ID_BLOCK = 2, VIRTIO_ID_CONSOLE = 3, VIRTIO_ID_RNG = 4,
       VIRTIO_ID_BALLOON = 5, VIRTIO_ID_SCSI = 8, VIRTIO_ID_9P = 9, VIRTIO_ID_GPU = 16,
       VIRTIO_ID_INPUT = 18 };

/* Device status (V 2.1). */
enum { VIRTIO_S_ACKNOWLEDGE = 1, VIRTIO_S_DRIVER = 2, VIRTIO_S_DRIVER_OK = 4,
       VIRTIO_S_FEATURES_OK = 8, VIRTIO_S_NEEDS_RESET = 64, VIRTIO_S_FAILED = 128 };

/* Features by bit number (V 6, 6.3). */
enum { VIRTIO_F_NOTIFY_ON_EMPTY = 24, VIRTIO_F_ANY_LAYOUT = 27, VIRTIO_F_INDIRECT_DESC = 28,
       VIRTIO_F_EVENT_IDX = 29, VIRTIO_F_VERSION_1 = 32, VIRTIO_F_ACCESS_PLATFORM = 33,
       VIRTIO_F_RING_PACKED = 34, VIRTIO_F_RING_RESET = 40 };

typedef struct VirtIODevice VirtIODevice;
typedef struct VirtQueue VirtQueue;

/* What a device type is. */
typedef struct VirtioOps {
    uint16_t id;                /* VIRTIO_ID_... */
    uint16_t config_len;        /* bytes */
    bool modern_only;
    uint64_t (*features)(VirtIODevice *v);      /* offered, besides the ring's; NULL: none */
    /* What may be offered at most, of all bits; NULL: everything. */
    uint64_t (*limit)(VirtIODevice *v);
    /* The driver's choice was accepted by the core; may be NULL. */
    void (*features_set)(VirtIODevice *v);
    /* @config: config_len bytes of zeros; all numbers in virtio_order(). NULL: none. */
    void (*get_config)(VirtIODevice *v, uint8_t *config);
    /* The driver wrote bytes @offset to @offset + @len - 1, which are in place in @config. */
    void (*set_config)(VirtIODevice *v, const uint8_t *config, unsigned offset, unsigned len);
    void (*status_changed)(VirtIODevice *v, uint8_t old);
    void (*reset)(VirtIODevice *v);             /* also of a single device by its driver */
    void (*queue_reset)(VirtIODevice *v, VirtQueue *vq);        /* V 2.6.1 */
    void (*running_changed)(VirtIODevice *v, bool running);     /* the VM goes on, or stops */
} VirtioOps;

typedef struct VirtioTransport {
    /* Tell the driver: a queue's, or a change of the configuration. Any thread. */
    void (*interrupt)(void *opaque, uint16_t vector, bool config);
    /* Status 0 was written: the transport's own registers too. */
    void (*reset)(void *opaque);
} VirtioTransport;

/* A part of a ring, where possible as host memory. Private. */
typedef struct RingPart {
    hwaddr addr;
    uint32_t len;
    uint8_t *host;              /* NULL: through the address space */
    RamBlock *ram;              /* of host, if it is to be written */
    uint64_t ram_offset;
} RingPart;

typedef void VirtqHandler(VirtIODevice *v, VirtQueue *vq);

struct VirtQueue {
    VirtIODevice *v;
    uint16_t index;
    uint16_t num;               /* descriptors now */
    uint16_t num_default;       /* after a reset */
    uint16_t vector;
    bool enabled;
    bool packed;
    bool suppressed;            /* notifications by the driver aren't wanted */
    hwaddr desc, avail, used;   /* packed: descriptors, driver area, device area */
    VirtqHandler *handler;
    /* Split: counts. Packed: places in the ring, with wrap counters. */
    uint16_t last_avail, shadow_avail, used_idx;
    bool avail_wrap, used_wrap;
    uint16_t in_use;            /* descriptors (packed), elements (split) taken and not given back */
    uint16_t signalled;         /* used_idx at the last decision about an interrupt */
    uint16_t pushed;            /* packed: descriptors since then */
    bool signalled_valid;
    RingPart part[3];           /* desc, avail, used */
    uint32_t map_generation;    /* that the parts are of; 0: none */
    BottomHalf *kick;           /* of the device's loop; NULL: the main loop has it */
    BottomHalf *later;          /* of the main loop: a notification that came in a handler */
    int notify_fd;              /* eventfd that gets the driver's notifications; 0: we do */
};

struct VirtIODevice {
    Device dev;
    const VirtioOps *ops;
    uint8_t status;
    bool broken;
    bool handling;              /* a queue's handler runs, under the big lock */
    uint8_t config_generation;
    uint16_t config_vector;
    uint64_t feature_props;     /* bits that properties switch */
    uint64_t host_features, guest_features;
    AddressSpace *as;
    MemAttrs attrs;
    MemOrder legacy_order;      /* of a driver that doesn't know VERSION_1 */
    _Atomic uint32_t map_generation;    /* changes with the memory map */
    MemListener listener;
    RunstateListener run_listener;
    VirtQueue *vq;              /* VIRTIO_MAX_QUEUES at most */
    struct VhostDev *vhost;     /* another process may have the queues; NULL: none. Its maker's */
    unsigned num_vqs, room_vqs;
    EventLoop *loop;            /* an I/O thread's, that has the queues; NULL: none */
    Mutex kick_lock;            /* for notifications by any thread: vq, num_vqs, VirtQueue.kick */
    const VirtioTransport *transport;
    void *transport_opaque;
};
static inline VirtIODevice *VIRTIO_DEVICE(const void *obj)
{
    return (VirtIODevice *)object_cast(obj, TYPE_VIRTIO_DEVICE);
}

/* Properties of all devices. */
#define VIRTIO_COMMON_PROPS(S, f) \
    PROP_BIT64("indirect_desc", S, f.feature_props, VIRTIO_F_INDIRECT_DESC, true, \
               "indirect descriptors are offered"), \
    PROP_BIT64("event_idx", S, f.feature_props, VIRTIO_F_EVENT_IDX, true, \
               "notification by index is offered"), \
    PROP_BIT64("notify_on_empty", S, f.feature_props, VIRTIO_F_NOTIFY_ON_EMPTY, true, \
               "an interrupt when a queue runs empty is offered to legacy drivers"), \
    PROP_BIT64("any_layout", S, f.feature_props, VIRTIO_F_ANY_LAYOUT, true, \
               "any framing of requests is accepted from legacy drivers"), \
    PROP_BIT64("iommu_platform", S, f.feature_props, VIRTIO_F_ACCESS_PLATFORM, false, \
               "the driver must use the platform's DMA addresses"), \
    PROP_BIT64("packed", S, f.feature_props, VIRTIO_F_RING_PACKED, false, \
               "the packed ring layout is offered"), \
    PROP_BIT64("queue_reset", S, f.feature_props, VIRTIO_F_RING_RESET, true, \
               "resetting of single queues is offered")

/* --- for devices --- */

static inline bool virtio_has(const VirtIODevice *v, unsigned feature)
{
    return v->guest_features >> feature & 1;
}
static inline MemOrder virtio_order(const VirtIODevice *v)
{
    return virtio_has(v, VIRTIO_F_VERSION_1) ? MEM_LE : v->legacy_order;
}
/* The driver runs, and so does the VM. */
static inline bool virtio_is_live(const VirtIODevice *v)
{
    return v->status & VIRTIO_S_DRIVER_OK && !v->broken;
}
/* Numbers of configuration and requests, in the device's order. */
uint16_t virtio_ld16(const VirtIODevice *v, const void *p);
uint32_t virtio_ld32(const VirtIODevice *v, const void *p);
uint64_t virtio_ld64(const VirtIODevice *v, const void *p);
void virtio_st16(const VirtIODevice *v, void *p, uint16_t val);
void virtio_st32(const VirtIODevice *v, void *p, uint32_t val);
void virtio_st64(const VirtIODevice *v, void *p, uint64_t val);

/* From realize; @size: descriptors, at most VIRTQ_MAX_SIZE. Pointers to queues last from the end of
 * realize to unrealize. */
void virtio_add_queue(VirtIODevice *v, uint16_t size, VirtqHandler *handler);
VirtQueue *virtio_queue(VirtIODevice *v, unsigned index);       /* NULL: there is none */
/* The configuration has changed. */
void virtio_config_changed(VirtIODevice *v);
/* The guest has done what can't be; logged, and the device is broken from now on. Any thread. */
void virtio_broken(VirtIODevice *v, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The handlers of queue @first and those behind it are called in @loop (NULL: as before). Big lock, with the queues
 * idle. */
void virtio_set_loop(VirtIODevice *v, EventLoop *loop, unsigned first);
/* Notifications go to an eventfd; 0: no longer. */
void virtio_queue_set_notify_fd(VirtQueue *vq, int fd);

/* An element: buffers of one request. Device-readable ones first. Its struct may be the first
 * member of a larger one. */
typedef struct VirtqElem {
    uint16_t id;                /* head (split), buffer id (packed) */
    uint16_t num_desc;
    uint32_t out_num, in_num;   /* iovec elements that the device reads, writes */
    uint32_t out_bytes, in_bytes;
    struct iovec *out, *in;
} VirtqElem;
/* The next element, zeroed behind VirtqElem up to @size bytes; NULL: there is none. Free it with
 * g_free() after giving it back. */
void *virtq_pop(VirtQueue *vq, size_t size);
bool virtq_is_empty(VirtQueue *vq);
/* Give it back, @len bytes of in written. */
void virtq_push(VirtQueue *vq, VirtqElem *e, uint32_t len);
/* Tell the driver about what was pushed, if it wants to know. */
void virtq_notify(VirtQueue *vq);
/* Tell the driver in any case. */
void virtq_interrupt(VirtQueue *vq);
/* Somebody else had the (split) ring: it goes on with @avail, or with what isn't in the used ring yet. */
void virtq_resume_at(VirtQueue *vq, uint16_t avail);
void virtq_resume_at_used(VirtQueue *vq);
/* Drop an element without giving it back: the queue is reset. */
void virtq_detach(VirtQueue *vq, VirtqElem *e);
/* Put the last popped element back: it will be popped again. */
void virtq_unpop(VirtQueue *vq, VirtqElem *e);
/* Whether the driver shall notify; off while elements are taken anyway. Returns, for @on, whether
 * elements have come meanwhile. */
bool virtq_want_notify(VirtQueue *vq, bool on);

/* --- for transports --- */

/* The bus, of a type derived from TYPE_VIRTIO_BUS, for one device. */
typedef struct VirtioBus {
    Bus bus;
    const VirtioTransport *transport;
    void *opaque;
    AddressSpace *as;
    bool modern;                /* VERSION_1 is offered */
    bool legacy;
    VirtIODevice *device;       /* NULL: empty */
} VirtioBus;
static inline VirtioBus *VIRTIO_BUS(const void *obj)
{
    return (VirtioBus *)object_cast(obj, TYPE_VIRTIO_BUS);
}
void virtio_reset(VirtIODevice *v);
void virtio_set_status(VirtIODevice *v, uint8_t status);
/* 32 bits at a time; @word 0 or 1. */
void virtio_set_features(VirtIODevice *v, unsigned word, uint32_t bits);
uint32_t virtio_config_read(VirtIODevice *v, uint32_t offset, unsigned size);
void virtio_config_write(VirtIODevice *v, uint32_t offset, uint32_t val, unsigned size);
/* A driver's notification; any thread. */
void virtio_queue_kicked(VirtIODevice *v, unsigned index);
/* Legacy: desc at @addr, the rest behind it (V 2.7.2). */
void virtio_queue_set_legacy_addr(VirtQueue *vq, hwaddr addr);
/* The driver has set its addresses and size: it may be used. */
void virtio_queue_enable(VirtQueue *vq);
void virtio_queue_reset(VirtQueue *vq);
bool virtio_queue_set_num(VirtQueue *vq, uint16_t num);

/* First field of a device's table. */
extern const VmKind vm_kind_virtio;
#define VM_VIRTIO(S, f) \
    { .name = #f, .kind = &vm_kind_virtio, .num = 1, .size = sizeof(VirtIODevice), \
      .offset = VM_TYPED_(S, f, VirtIODevice) }

#endif
