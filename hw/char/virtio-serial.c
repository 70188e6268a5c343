/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtio console device: queues, control messages (V 5.3.6.2), bus. */
#include "util/osdep.h"
#include "hw/char/virtio-serial.h"

#include <glib.h>
#include "util/bswap.h"
#include "util/iov.h"

enum { F_MULTIPORT = 1, F_EMERG_WRITE = 2 };
enum { VQ_CTL_TO_GUEST = 2, VQ_CTL_FROM_GUEST = 3 };
/* V 5.3.4. */
enum { CFG_MAX_PORTS = 4, CFG_EMERG_WRITE = 8, CFG_LEN = 12 };
#define MESSAGE     8

bool virtio_serial_multiport(const VirtioSerial *s)
{
    return virtio_has(&s->v, F_MULTIPORT);
}

/* V 5.3.2: port 0, the control queues, then the others. */
static unsigned first_queue(uint32_t port)
{
    return port ? 2 + 2 * port : 0;
}

VirtQueue *virtio_serial_to_guest(VirtioSerial *s, uint32_t port)
{
    return virtio_queue(&s->v, first_queue(port));
}

VirtQueue *virtio_serial_from_guest(VirtioSerial *s, uint32_t port)
{
    return virtio_queue(&s->v, first_queue(port) + 1);
}

static VirtioPort *port_of(VirtIODevice *v, const VirtQueue *vq)
{
    uint32_t port = vq->index < 2 ? 0 : vq->index / 2 - 1;

    return port < SERIAL_MAX_PORTS ? VIRTIO_SERIAL(v)->ports[port] : NULL;
}

/* --- control messages to the driver --- */

static bool put_message(VirtioSerial *s, const SerialMessage *m)
{
    VirtQueue *vq = virtio_queue(&s->v, VQ_CTL_TO_GUEST);
    VirtqElem *e = virtq_pop(vq, sizeof(*e));
    const VirtioPort *p = m->port < SERIAL_MAX_PORTS ? s->ports[m->port] : NULL;
    size_t n = MESSAGE;
    uint8_t b[MESSAGE];

    if (!e) {
        return false;
    }
    virtio_st32(&s->v, b, m->port);
    virtio_st16(&s->v, b + 4, m->event);
    virtio_st16(&s->v, b + 6, m->value);
    iov_from_buf(e->in, e->in_num, 0, b, MESSAGE);
    if (m->event == CTL_PORT_NAME && p && p->name) {
        n += iov_from_buf(e->in, e->in_num, MESSAGE, p->name, strlen(p->name));
    }
    virtq_push(vq, e, MIN(n, e->in_bytes));
    virtq_notify(vq);
    g_free(e);
    return true;
}

static void send_pending(VirtIODevice *v, UNUSED VirtQueue *vq)
{
    VirtioSerial *s = VIRTIO_SERIAL(v);

    while (s->num_pending) {
        SerialMessage m = s->pending[0];

        /* A reset that comes with it drops them all. */
        if (!put_message(s, &m) || !s->num_pending) {
            break;
        }
        s->num_pending--;
        memmove(s->pending, s->pending + 1, s->num_pending * sizeof(s->pending[0]));
    }
}

void virtio_serial_send(VirtioSerial *s, uint32_t port, uint16_t event, uint16_t value)
{
    if (!s->driver_ready || !virtio_is_live(&s->v) || s->num_pending == SERIAL_PENDING) {
        return;
    }
    s->pending[s->num_pending++] = (SerialMessage){ port, event, value };
    send_pending(&s->v, NULL);
}

/* --- and from it --- */

static void port_ready(VirtioSerial *s, VirtioPort *p)
{
    if (p->is_console) {
        virtio_serial_send(s, p->nr, CTL_CONSOLE_PORT, 1);
    }
    if (p->name) {
        virtio_serial_send(s, p->nr, CTL_PORT_NAME, 1);
    }
    if (p->host_open) {
        virtio_serial_send(s, p->nr, CTL_PORT_OPEN, 1);
    }
}

static void control_message(VirtioSerial *s, const SerialMessage *m)
{
    VirtioPort *p;

    if (m->event == CTL_DEVICE_READY) {
        s->driver_ready = m->value;
        for (uint32_t i = 0; i < SERIAL_MAX_PORTS && m->value; i++) {
            if (s->ports[i]) {
                virtio_serial_send(s, i, CTL_DEVICE_ADD, 1);
            }
        }
        return;
    }
    p = m->port < SERIAL_MAX_PORTS ? s->ports[m->port] : NULL;
    if (!p) {
        return;
    }
    if (m->event == CTL_PORT_READY && m->value) {
        port_ready(s, p);
    } else if (m->event == CTL_PORT_OPEN) {
        virtio_port_set_guest_open(p, m->value);
    }
}

static void serve_control(VirtIODevice *v, VirtQueue *vq)
{
    VirtqElem *e;

    while ((e = virtq_pop(vq, sizeof(*e)))) {
        uint8_t b[MESSAGE];
        bool whole = iov_to_buf(e->out, e->out_num, 0, b, MESSAGE) == MESSAGE;
        SerialMessage m = { virtio_ld32(v, b), virtio_ld16(v, b + 4), virtio_ld16(v, b + 6) };

        virtq_push(vq, e, 0);
        virtq_notify(vq);
        g_free(e);
        if (whole) {
            control_message(VIRTIO_SERIAL(v), &m);
        }
    }
}

static void serve_to_guest(VirtIODevice *v, VirtQueue *vq)
{
    VirtioPort *p = port_of(v, vq);

    if (p) {
        virtio_port_to_guest(p);
    }
}

/* What is written to a port that isn't there is gone. */
static void serve_from_guest(VirtIODevice *v, VirtQueue *vq)
{
    VirtioPort *p = port_of(v, vq);
    VirtqElem *e;

    if (p) {
        virtio_port_from_guest(p);
        return;
    }
    while ((e = virtq_pop(vq, sizeof(*e)))) {
        virtq_push(vq, e, 0);
        g_free(e);
    }
    virtq_notify(vq);
}

/* --- device --- */

static void serial_get_config(VirtIODevice *v, uint8_t *c)
{
    virtio_st32(v, c + CFG_MAX_PORTS, VIRTIO_SERIAL(v)->max_ports);
}

/* V 5.3.4: a character for the first console, before the queues are there. */
static void serial_set_config(VirtIODevice *v, const uint8_t *c, unsigned offset, UNUSED unsigned len)
{
    VirtioSerial *s = VIRTIO_SERIAL(v);

    for (unsigned i = 0; i < SERIAL_MAX_PORTS && offset == CFG_EMERG_WRITE; i++) {
        if (s->ports[i] && s->ports[i]->is_console) {
            chr_fe_write_all(&s->ports[i]->fe, c + CFG_EMERG_WRITE, 1);
            break;
        }
    }
}

static void serial_reset(VirtIODevice *v)
{
    VirtioSerial *s = VIRTIO_SERIAL(v);

    s->driver_ready = false;
    s->num_pending = 0;
    for (unsigned i = 0; i < SERIAL_MAX_PORTS; i++) {
        if (s->ports[i]) {
            virtio_port_reset(s->ports[i]);
        }
    }
}

static void serial_status_changed(VirtIODevice *v, uint8_t old)
{
    VirtioSerial *s = VIRTIO_SERIAL(v);

    /* Without control messages there is one port, and it is open. */
    if (v->status & ~old & VIRTIO_S_DRIVER_OK && !virtio_serial_multiport(s) && s->ports[0]) {
        virtio_port_set_guest_open(s->ports[0], true);
    }
}

static void serial_queue_reset(VirtIODevice *v, VirtQueue *vq)
{
    VirtioPort *p = port_of(v, vq);

    if (p && vq->index != VQ_CTL_TO_GUEST && vq->index != VQ_CTL_FROM_GUEST &&
        vq->index == first_queue(p->nr) + 1) {
        virtio_port_rewind(p);
        p->out_done = 0;
    }
}

static void serial_running_changed(VirtIODevice *v, bool running)
{
    VirtioSerial *s = VIRTIO_SERIAL(v);

    for (unsigned i = 0; i < SERIAL_MAX_PORTS && running; i++) {
        VirtioPort *p = s->ports[i];

        if (p) {
            /* The other side may have come or gone while the state was elsewhere. */
            if (!p->is_console && p->host_open != chr_fe_is_open(&p->fe)) {
                p->host_open = !p->host_open;
                virtio_serial_send(s, i, CTL_PORT_OPEN, p->host_open);
            }
            virtio_port_from_guest(p);
            virtio_port_to_guest(p);
        }
    }
}

static bool serial_realize(Device *dev, Error **errp)
{
    VirtioSerial *s = VIRTIO_SERIAL(dev);
    Device *function = dev->bus->parent;
    g_autofree char *name = function->id ? g_strdup_printf("%s.0", function->id) : NULL;

    if (!s->max_ports || s->max_ports > SERIAL_MAX_PORTS) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'max_ports' is %u; accepted: 1 to %u",
                   s->max_ports, SERIAL_MAX_PORTS);
        return false;
    }
    virtio_add_queue(&s->v, 128, serve_to_guest);
    virtio_add_queue(&s->v, 128, serve_from_guest);
    virtio_add_queue(&s->v, 32, send_pending);
    virtio_add_queue(&s->v, 32, serve_control);
    for (uint32_t i = 1; i < s->max_ports; i++) {
        virtio_add_queue(&s->v, 128, serve_to_guest);
        virtio_add_queue(&s->v, 128, serve_from_guest);
    }
    s->bus = bus_new(TYPE_VIRTIO_SERIAL_BUS, dev, name);
    return true;
}

static void serial_unrealize(Device *dev)
{
    VIRTIO_SERIAL(dev)->bus = NULL;
}

static void serial_pre_save(void *opaque)
{
    VirtioSerial *s = opaque;

    for (unsigned i = 0; i < SERIAL_MAX_PORTS; i++) {
        if (s->ports[i]) {
            virtio_port_rewind(s->ports[i]);
        }
    }
}

static bool serial_pre_load(void *opaque, UNUSED Error **errp)
{
    serial_pre_save(opaque);
    return true;
}

static const VmField message_fields[] = {
    VM_U32(SerialMessage, port), VM_U16(SerialMessage, event), VM_U16(SerialMessage, value), VM_END
};
static const VmMeaning message_meanings[] = {
    { "port", "its number" },
    { "event", "virtio 5.3.6.2", VALUES("DEVICE_READY", "DEVICE_ADD", "DEVICE_REMOVE", "PORT_READY", "CONSOLE_PORT", "RESIZE",
      "PORT_OPEN", "PORT_NAME") },
    { "value", "of the event" },
    { .name = NULL }
};
static const VmState message_vm = { 1, message_fields, .meanings = message_meanings };

static const VmField serial_fields[] = {
    VM_VIRTIO(VirtioSerial, v), VM_BOOL(VirtioSerial, driver_ready),
    VM_U32_RANGE(VirtioSerial, num_pending, 0, SERIAL_PENDING),
    VM_STRUCT_VARRAY(VirtioSerial, pending, num_pending, SERIAL_PENDING, message_vm), VM_END
};
static const VmMeaning serial_meanings[] = {
    { "driver_ready", "the driver has said DEVICE_READY" }, { "num_pending", "control messages that wait for a buffer" },
    { .name = NULL }
};

static const Property serial_props[] = {
    PROP_U32("max_ports", VirtioSerial, max_ports, SERIAL_MAX_PORTS, "ports, 1 to 31"),
    PROP_BIT64("emergency-write", VirtioSerial, v.feature_props, F_EMERG_WRITE, true,
               "a character can be written without queues"),
    PROP_BIT64("multiport", VirtioSerial, v.feature_props, F_MULTIPORT, true,
               "more than one port"),
    VIRTIO_COMMON_PROPS(VirtioSerial, v),
    PROP_END
};

static const VirtioOps serial_ops = {
    .id = VIRTIO_ID_CONSOLE, .config_len = CFG_LEN, .get_config = serial_get_config,
    .set_config = serial_set_config, .reset = serial_reset,
    .status_changed = serial_status_changed, .queue_reset = serial_queue_reset,
    .running_changed = serial_running_changed,
};

static const DeviceType serial_type = {
    .name = "virtio-serial-device", .parent = TYPE_VIRTIO_DEVICE,
    .desc = "virtio serial ports and consoles", .size = sizeof(VirtioSerial),
    .category = DEVICE_INPUT, .hotpluggable = true, .props = serial_props,
    .realize = serial_realize, .unrealize = serial_unrealize,
    .vm = { 1, serial_fields, .pre_save = serial_pre_save, .pre_load = serial_pre_load, .meanings = serial_meanings },
    .data = &serial_ops,
};
DEVICE_TYPE(serial_type)

static const Property *const serial_tables[] = { serial_props, NULL };
static const VirtioPciInfo serial_pci = {
    .name = "virtio-serial-pci", .device = "virtio-serial-device",
    .desc = "virtio serial ports and consoles", .id = VIRTIO_ID_CONSOLE, .class_code = 0x078000,
    .category = DEVICE_INPUT, .vectors = 32, .props = serial_tables,
};
VIRTIO_PCI(serial_pci)
