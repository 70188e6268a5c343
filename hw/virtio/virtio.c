/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtio devices: status, features, configuration, life, saved state. */
#include "util/osdep.h"
#include "hw/virtio/virtio.h"

#include <glib.h>
#include <stdarg.h>
#include "hw/virtio/virtio-int.h"
#include "hw/virtio/virtio-state.h"
#include "util/log.h"
#include "util/rcu.h"
#include "vmstate/node.h"

#define ORDERED_ACCESS(bits) \
    uint##bits##_t virtio_ld##bits(const VirtIODevice *v, const void *p) \
    { \
        return virtio_order(v) == MEM_LE ? load_le##bits(p) : load_be##bits(p); \
    } \
    void virtio_st##bits(const VirtIODevice *v, void *p, uint##bits##_t val) \
    { \
        if (virtio_order(v) == MEM_LE) { \
            store_le##bits(p, val); \
        } else { \
            store_be##bits(p, val); \
        } \
    }
ORDERED_ACCESS(16)
ORDERED_ACCESS(32)
ORDERED_ACCESS(64)

/* --- configuration space --- */

static void current_config(VirtIODevice *v, uint8_t *config)
{
    memset(config, 0, VIRTIO_CONFIG_MAX);
    if (v->ops->get_config) {
        v->ops->get_config(v, config);
    }
}

uint32_t virtio_config_read(VirtIODevice *v, uint32_t offset, unsigned size)
{
    uint8_t config[VIRTIO_CONFIG_MAX];

    if (offset > v->ops->config_len || size > v->ops->config_len - offset) {
        return UINT32_MAX >> (32 - 8 * size);
    }
    current_config(v, config);
    return load_le(config + offset, size);
}

void virtio_config_write(VirtIODevice *v, uint32_t offset, uint32_t val, unsigned size)
{
    uint8_t config[VIRTIO_CONFIG_MAX];

    if (offset > v->ops->config_len || size > v->ops->config_len - offset ||
        !v->ops->set_config) {
        log_guest_error("virtio", "write of %u bytes to configuration at %u", size, offset);
        return;
    }
    current_config(v, config);
    store_le(config + offset, size, val);
    v->ops->set_config(v, config, offset, size);
}

static void config_interrupt(VirtIODevice *v)
{
    if (v->transport) {
        v->transport->interrupt(v->transport_opaque, v->config_vector, true);
    }
}

void virtio_config_changed(VirtIODevice *v)
{
    v->config_generation++;
    if (v->status & VIRTIO_S_DRIVER_OK) {
        config_interrupt(v);
    }
}

void virtio_broken(VirtIODevice *v, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    bool locked = big_lock_held();
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    log_guest_error(object_type_name(v), "%s", text);
    if (!locked) {
        big_lock();
    }
    v->broken = true;
    if (virtio_has(v, VIRTIO_F_VERSION_1)) {
        v->status |= VIRTIO_S_NEEDS_RESET;
        config_interrupt(v);
    }
    if (!locked) {
        big_unlock();
    }
}

/* --- status and features --- */

void virtio_set_features(VirtIODevice *v, unsigned word, uint32_t bits)
{
    unsigned shift = word * 32;
    uint64_t mask = (uint64_t)UINT32_MAX << shift;

    if (word > 1) {
        return;
    }
    LOOP_PARKED(v->loop);
    /* V 2.1.2: they stand once FEATURES_OK is set. */
    if (v->status & (VIRTIO_S_FEATURES_OK | VIRTIO_S_DRIVER_OK)) {
        log_guest_error(object_type_name(v), "features are written after FEATURES_OK");
        return;
    }
    v->guest_features = (v->guest_features & ~mask) |
                        ((uint64_t)bits << shift & v->host_features);
    if (!virtio_has(v, VIRTIO_F_VERSION_1) && v->ops->features_set) {
        v->ops->features_set(v);        /* a legacy driver doesn't say when it's done */
    }
}

static bool features_acceptable(const VirtIODevice *v)
{
    uint64_t must = v->host_features & (UINT64_C(1) << VIRTIO_F_ACCESS_PLATFORM);

    return (v->guest_features & must) == must && virtio_has(v, VIRTIO_F_VERSION_1);
}

static uint8_t change_status(VirtIODevice *v, uint8_t status)
{
    uint8_t old;
    LOOP_PARKED(v->loop);

    old = v->status;
    if (status & VIRTIO_S_FEATURES_OK && !(old & VIRTIO_S_FEATURES_OK)) {
        if (!features_acceptable(v)) {
            status &= ~VIRTIO_S_FEATURES_OK;    /* V 2.2.2 */
        } else if (v->ops->features_set) {
            v->ops->features_set(v);
        }
    }
    v->status = status | (v->broken ? old & VIRTIO_S_NEEDS_RESET : 0);
    return old;
}

void virtio_set_status(VirtIODevice *v, uint8_t status)
{
    uint8_t old;

    if (!status) {
        virtio_reset(v);
        return;
    }
    old = change_status(v, status);
    if (v->ops->status_changed && v->status != old) {
        v->ops->status_changed(v, old);
    }
    /* What the driver has put into its queues before: legacy ones do (V 3.1.2), and Linux's of the balloon, which
     * notifies too early of its statistics. */
    if (v->status & ~old & VIRTIO_S_DRIVER_OK) {
        for (unsigned i = 0; i < v->num_vqs; i++) {
            if (v->vq[i].enabled) {
                virtio_queue_kicked(v, i);
            }
        }
    }
}

/* From now on no handler begins, and what ends isn't told to the driver any more. */
static uint8_t stop_queues(VirtIODevice *v)
{
    uint8_t old;
    LOOP_PARKED(v->loop);

    old = v->status;
    v->status = 0;
    v->broken = true;
    return old;
}

static void clear_queues(VirtIODevice *v)
{
    LOOP_PARKED(v->loop);

    v->broken = false;
    v->guest_features = 0;
    for (unsigned i = 0; i < v->num_vqs; i++) {
        virtio_queue_reset(&v->vq[i]);
        v->vq[i].vector = VIRTIO_NO_VECTOR;
    }
}

void virtio_reset(VirtIODevice *v)
{
    uint8_t old = stop_queues(v);

    if (v->ops->status_changed && old) {
        v->ops->status_changed(v, old);
    }
    if (v->ops->reset) {
        v->ops->reset(v);
    }
    clear_queues(v);
    v->config_vector = VIRTIO_NO_VECTOR;
    v->config_generation = 0;
    if (v->transport) {
        v->transport->reset(v->transport_opaque);
    }
}

/* --- life --- */

void virtio_add_queue(VirtIODevice *v, uint16_t size, VirtqHandler *handler)
{
    VirtQueue *vq;

    assert(v->num_vqs < VIRTIO_MAX_QUEUES && size <= VIRTQ_MAX_SIZE);
    if (v->num_vqs == v->room_vqs) {
        v->room_vqs = v->room_vqs ? 2 * v->room_vqs : 4;
        v->vq = g_renew(VirtQueue, v->vq, v->room_vqs);
    }
    vq = &v->vq[v->num_vqs];
    *vq = (VirtQueue){ .v = v, .index = v->num_vqs++, .num_default = size, .handler = handler,
                       .vector = VIRTIO_NO_VECTOR };
    virtio_queue_reset(vq);
}

static void map_changed(MemListener *l)
{
    VirtIODevice *v = container_of(l, VirtIODevice, listener);
    uint32_t next = atomic_load(&v->map_generation) + 1;

    atomic_store(&v->map_generation, next ? next : 1);
}

static void running_changed(RunstateListener *l, bool running, UNUSED RunState state)
{
    VirtIODevice *v = container_of(l, VirtIODevice, run_listener);

    if (v->ops->running_changed) {
        v->ops->running_changed(v, running);
    }
}

static void base_init(Device *dev)
{
    mutex_init(&VIRTIO_DEVICE(dev)->kick_lock);
}

static void base_finalize(Device *dev)
{
    mutex_destroy(&VIRTIO_DEVICE(dev)->kick_lock);
}

static bool base_realize(Device *dev, UNUSED Error **errp)
{
    VirtIODevice *v = VIRTIO_DEVICE(dev);
    VirtioBus *bus = VIRTIO_BUS(dev->bus);

    v->ops = device_data(dev);
    assert(v->ops->config_len <= VIRTIO_CONFIG_MAX);
    v->as = bus->as;
    v->legacy_order = MEM_LE;
    v->config_vector = VIRTIO_NO_VECTOR;
    atomic_store(&v->map_generation, 1);
    v->listener = (MemListener){ .name = "virtio", .commit = map_changed };
    memory_listener_add(v->as, &v->listener);
    v->run_listener = (RunstateListener){ .changed = running_changed };
    runstate_add_listener(&v->run_listener);
    return true;
}

static uint64_t offered(VirtIODevice *v, const VirtioBus *bus)
{
    uint64_t own = v->ops->features ? v->ops->features(v) : 0;      /* may take properties back */
    uint64_t f = v->feature_props | own;

    if (!bus->legacy) {
        f &= ~(BIT64(VIRTIO_F_NOTIFY_ON_EMPTY) | BIT64(VIRTIO_F_ANY_LAYOUT));
    }
    if (bus->modern) {
        f |= BIT64(VIRTIO_F_VERSION_1);
    } else {
        f &= UINT32_MAX;
    }
    return v->ops->limit ? f & v->ops->limit(v) : f;
}

static bool base_realize_done(Device *dev, Error **errp)
{
    VirtIODevice *v = VIRTIO_DEVICE(dev);
    VirtioBus *bus = VIRTIO_BUS(dev->bus);

    if (v->ops->modern_only && !bus->modern) {
        error_setf(errp, ERR_NOT_SUPPORTED, "device '%s' needs a modern transport: "
                   "'disable-modern' can't be on", object_type_name(dev));
        return false;
    }
    v->host_features = offered(v, bus);
    v->transport = bus->transport;
    v->transport_opaque = bus->opaque;
    bus->device = v;
    return true;
}

static void base_unrealize(Device *dev)
{
    VirtIODevice *v = VIRTIO_DEVICE(dev);

    VIRTIO_BUS(dev->bus)->device = NULL;
    v->transport = NULL;
    memory_listener_del(&v->listener);
    runstate_remove_listener(&v->run_listener);
    virtio_set_loop(v, NULL, 0);
    for (unsigned i = 0; i < v->num_vqs; i++) {
        bh_delete(v->vq[i].later);
    }
    MUTEX_GUARD(&v->kick_lock);
    v->num_vqs = v->room_vqs = 0;
    /* Loops may still be in a handler. */
    rcu_call_free(v->vq);
    v->vq = NULL;
}

static void base_reset_hold(Device *dev)
{
    virtio_reset(VIRTIO_DEVICE(dev));
}

static AddressSpace *base_dma_space(Device *dev)
{
    return VIRTIO_DEVICE(dev)->as;
}

static EventLoop *base_io_loop(Device *dev)
{
    return VIRTIO_DEVICE(dev)->loop;
}

static const DeviceType virtio_device_type = {
    .name = TYPE_VIRTIO_DEVICE, .parent = TYPE_DEVICE, .abstract = true,
    .size = sizeof(VirtIODevice), .bus_type = TYPE_VIRTIO_BUS, .init = base_init,
    .finalize = base_finalize, .realize = base_realize,
    .realize_done = base_realize_done, .unrealize = base_unrealize, .reset_hold = base_reset_hold,
    .dma_space = base_dma_space, .io_loop = base_io_loop, .printers = virtio_printers,
};
DEVICE_TYPE(virtio_device_type)

/* A device is where its transport is; it adds nothing to paths. */
static char *bus_device_path(const Device *dev)
{
    return device_bus_path(dev->bus->parent);
}

static char *bus_fw_path(UNUSED const Device *dev, UNUSED const char *name)
{
    return g_strdup("");
}

static const BusType virtio_bus_type = {
    .name = TYPE_VIRTIO_BUS, .size = sizeof(VirtioBus), .max_devices = 1,
    .device_path = bus_device_path, .fw_path = bus_fw_path,
};
BUS_TYPE(virtio_bus_type)

/* --- saved state --- */

static const VmField queue_fields[] = {
    VM_U16(VirtQueue, num), VM_U16(VirtQueue, vector), VM_BOOL(VirtQueue, enabled),
    VM_BOOL(VirtQueue, suppressed), VM_U64(VirtQueue, desc), VM_U64(VirtQueue, avail),
    VM_U64(VirtQueue, used), VM_U16(VirtQueue, last_avail), VM_U16(VirtQueue, used_idx),
    VM_BOOL(VirtQueue, avail_wrap), VM_BOOL(VirtQueue, used_wrap), VM_U16(VirtQueue, in_use),
    VM_U16(VirtQueue, signalled), VM_U16(VirtQueue, pushed), VM_BOOL(VirtQueue, signalled_valid),
    VM_END
};
static const VmState queue_vm = { 1, queue_fields, .meanings = virtio_queue_meanings };

static const VmField device_fields[] = {
    VM_U8(VirtIODevice, status), VM_BOOL(VirtIODevice, broken),
    VM_U8(VirtIODevice, config_generation), VM_U16(VirtIODevice, config_vector),
    VM_U64(VirtIODevice, guest_features), VM_END
};
static const VmState device_vm = { 1, device_fields, .meanings = virtio_device_meanings };

static bool save_device(VmWriter *w, UNUSED const VmField *f, const void *elem, Error **errp)
{
    const VirtIODevice *v = elem;

    vm_put_u16(w, v->num_vqs);
    if (!vm_put_struct(w, &device_vm, v, errp)) {
        return false;
    }
    for (unsigned i = 0; i < v->num_vqs; i++) {
        if (!vm_put_struct(w, &queue_vm, &v->vq[i], errp)) {
            return false;
        }
    }
    return true;
}

static bool queue_valid(VirtQueue *vq, Error **errp)
{
    bool ok;

    vq->packed = virtio_has(vq->v, VIRTIO_F_RING_PACKED);
    vq->shadow_avail = vq->last_avail;
    ring_forget(vq);
    ok = vq->num && vq->num <= vq->num_default && (vq->packed || IS_POWER_OF_2(vq->num)) &&
         vq->in_use <= vq->num;
    if (vq->packed) {
        ok = ok && vq->last_avail < vq->num && vq->used_idx < vq->num && vq->pushed <= vq->num;
    }
    if (!ok) {
        error_setf(errp, ERR_STATE_INVALID, "queue %u of %u descriptors (most: %u), %u in use, "
                   "at %u and %u", vq->index, vq->num, vq->num_default, vq->in_use,
                   vq->last_avail, vq->used_idx);
        virtio_queue_reset(vq);
    }
    return ok;
}

static bool load_device(VmReader *r, UNUSED const VmField *f, void *elem, Error **errp)
{
    VirtIODevice *v = elem;
    bool ok = true;
    uint16_t n;

    if (!vm_get_u16(r, &n, errp)) {
        return false;
    }
    if (n != v->num_vqs) {
        error_setf(errp, ERR_STATE_INVALID, "%u queues; accepted: %u", n, v->num_vqs);
        return false;
    }
    ok = vm_get_struct(r, &device_vm, v, errp);
    for (unsigned i = 0; i < v->num_vqs && ok; i++) {
        ok = vm_get_struct(r, &queue_vm, &v->vq[i], errp);
    }
    if (ok && v->guest_features & ~v->host_features) {
        error_setf(errp, ERR_STATE_INVALID, "features 0x%" PRIx64 "; accepted: of 0x%" PRIx64,
                   v->guest_features, v->host_features);
        ok = false;
    }
    if (!ok) {
        v->guest_features &= v->host_features;
    }
    for (unsigned i = 0; i < v->num_vqs; i++) {
        ok = queue_valid(&v->vq[i], ok ? errp : NULL) && ok;
    }
    return ok;
}

static bool show_device(VmReader *r, UNUSED const VmField *f, UNUSED size_t bytes, StateNode *into,
                        Error **errp)
{
    StateNode *queues;
    uint16_t n;

    if (!vm_get_u16(r, &n, errp) || !vm_show_struct(r, &device_vm, into, errp)) {
        return false;
    }
    queues = state_add(into, "queues", STATE_ARRAY);
    for (unsigned i = 0; i < n; i++) {
        if (!vm_show_struct(r, &queue_vm, state_add_element(queues, STATE_STRUCT), errp)) {
            return false;
        }
    }
    return true;
}

const VmKind vm_kind_virtio = {
    .name = "virtio", .save = save_device, .load = load_device, .show = show_device,
};
