/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports of the virtio console device: virtserialport and virtconsole, between queues and a back end. */
#include "util/osdep.h"
#include "hw/char/virtio-serial.h"

#include <glib.h>
#include "qapi/events-char.h"
#include "util/iov.h"

#define NUMBER_AUTO UINT32_MAX

/* --- to the guest --- */

/* Bytes into the guest's buffers; how many went. */
static size_t put_bytes(VirtioPort *p, const uint8_t *buf, size_t len)
{
    VirtQueue *vq = virtio_serial_to_guest(virtio_port_device(p), p->nr);
    size_t done = 0;
    VirtqElem *e;

    while (done < len && (e = virtq_pop(vq, sizeof(*e)))) {
        size_t n = iov_from_buf(e->in, e->in_num, 0, buf + done, len - done);

        virtq_push(vq, e, n);
        g_free(e);
        done += n;
    }
    if (done) {
        virtq_notify(vq);
    }
    return done;
}

static bool guest_listens(const VirtioPort *p)
{
    VirtioSerial *s = virtio_port_device(p);

    return p->guest_open && virtio_is_live(&s->v) && runstate_is_running();
}

static void put_waiting(VirtioPort *p)
{
    size_t n;

    if (p->in_bytes && guest_listens(p)) {
        n = put_bytes(p, p->in, p->in_bytes);
        p->in_bytes -= MIN(n, p->in_bytes);     /* a reset may have come in between */
        memmove(p->in, p->in + n, p->in_bytes);
    }
}

void virtio_port_to_guest(VirtioPort *p)
{
    put_waiting(p);
    if (!p->in_bytes && guest_listens(p)) {
        chr_fe_accept_input(&p->fe);
    }
}

static size_t can_receive(void *opaque)
{
    VirtioPort *p = opaque;
    VirtQueue *vq = virtio_serial_to_guest(virtio_port_device(p), p->nr);

    put_waiting(p);
    if (!guest_listens(p) || p->in_bytes) {
        return 0;
    }
    return virtq_is_empty(vq) && !virtq_want_notify(vq, true) ? 0 : SERIAL_BUFFER;
}

static void receive(void *opaque, const uint8_t *buf, size_t len)
{
    VirtioPort *p = opaque;
    size_t n = put_bytes(p, buf, len);

    /* The rest when the guest has given more buffers. */
    p->in_bytes = MIN(len - n, SERIAL_BUFFER);
    memcpy(p->in, buf + n, p->in_bytes);
}

/* --- from the guest --- */

/* Write what is left of the element; false: the back end takes no more now. */
static bool write_out(VirtioPort *p)
{
    size_t at = 0;

    for (uint32_t i = 0; i < p->out->out_num; i++) {
        const struct iovec *v = &p->out->out[i];

        if (p->out_done < at + v->iov_len) {
            size_t skip = p->out_done - at, n = v->iov_len - skip;
            size_t took = chr_fe_write(&p->fe, (uint8_t *)v->iov_base + skip, n);

            p->out_done += took;
            if (took < n) {
                return false;
            }
        }
        at += v->iov_len;
    }
    return true;
}

void virtio_port_from_guest(VirtioPort *p)
{
    VirtioSerial *s = virtio_port_device(p);
    VirtQueue *vq = virtio_serial_from_guest(s, p->nr);
    bool any = false;
    VirtqElem *e;

    while (runstate_is_running()) {
        if (!p->out) {
            p->out = virtq_pop(vq, sizeof(*p->out));
            if (!p->out) {
                break;
            }
            p->out_done = MIN(p->out_done, p->out->out_bytes);
        }
        if (!write_out(p)) {
            break;
        }
        e = p->out;
        p->out = NULL;
        p->out_done = 0;
        virtq_push(vq, e, 0);
        g_free(e);
        any = true;
    }
    if (any) {
        virtq_notify(vq);
    }
}

static void writable(void *opaque)
{
    virtio_port_from_guest(opaque);
}

void virtio_port_rewind(VirtioPort *p)
{
    if (p->out) {
        virtq_unpop(virtio_serial_from_guest(virtio_port_device(p), p->nr), p->out);
        g_clear_pointer(&p->out, g_free);
    }
}

/* --- open and closed --- */

void virtio_port_set_guest_open(VirtioPort *p, bool open)
{
    if (p->guest_open == open) {
        return;
    }
    p->guest_open = open;
    if (!p->is_console) {
        chr_fe_set_open(&p->fe, open);
        if (p->dev.id) {
            qapi_event_send_vserport_change(p->dev.id, open);
        }
    }
    if (open) {
        virtio_port_to_guest(p);
    }
}

void virtio_port_reset(VirtioPort *p)
{
    if (p->out) {
        virtq_detach(virtio_serial_from_guest(virtio_port_device(p), p->nr), p->out);
        g_clear_pointer(&p->out, g_free);
    }
    p->out_done = p->in_bytes = 0;
    virtio_port_set_guest_open(p, false);
}

static void event(void *opaque, ChrEvent e)
{
    VirtioPort *p = opaque;
    bool open = e == CHR_EVENT_OPENED;

    if ((e != CHR_EVENT_OPENED && e != CHR_EVENT_CLOSED) || p->is_console ||
        open == p->host_open) {
        return;
    }
    p->host_open = open;
    virtio_serial_send(virtio_port_device(p), p->nr, CTL_PORT_OPEN, open);
}

static const ChrHandlers handlers = { can_receive, receive, event, writable };

/* --- devices --- */

static bool place(VirtioPort *p, VirtioSerial *s, Error **errp)
{
    if (p->nr == NUMBER_AUTO) {
        p->nr = p->is_console ? 0 : 1;
        while (p->nr < s->max_ports && s->ports[p->nr]) {
            p->nr++;
        }
    }
    if (p->nr >= s->max_ports) {
        error_setf(errp, ERR_PROPERTY_RANGE, "port %u; accepted: 0 to %u ('max_ports')", p->nr,
                   s->max_ports - 1);
        return false;
    }
    if (p->nr == 0 && !p->is_console) {
        error_setf(errp, ERR_PROPERTY_RANGE, "Port number 0 on virtio-serial devices is reserved for "
                   "virtconsole devices for backward compatibility");
        error_argument(errp, "nr", "0", "1 and up");
        return false;
    }
    if (s->ports[p->nr]) {
        error_setf(errp, ERR_IN_USE, "port %u of bus '%s' is taken", p->nr, p->dev.bus->name);
        return false;
    }
    return true;
}

static bool port_realize(Device *dev, Error **errp)
{
    VirtioPort *p = VIRTIO_PORT(dev);
    VirtioSerial *s = virtio_port_device(p);

    p->is_console = object_is_a(dev, "virtconsole");
    if (!place(p, s, errp) || !chr_fe_init(&p->fe, p->chr, errp)) {
        return false;
    }
    p->host_open = p->is_console;
    s->ports[p->nr] = p;
    p->attached = true;
    chr_fe_set_handlers(&p->fe, &handlers, p);
    virtio_serial_send(s, p->nr, CTL_DEVICE_ADD, 1);
    return true;
}

static void port_unrealize(Device *dev)
{
    VirtioPort *p = VIRTIO_PORT(dev);

    if (p->attached) {
        VirtioSerial *s = virtio_port_device(p);

        virtio_port_reset(p);
        virtio_serial_send(s, p->nr, CTL_DEVICE_REMOVE, 1);
        s->ports[p->nr] = NULL;
        p->attached = false;
    }
    chr_fe_deinit(&p->fe);
}

static const VmField port_fields[] = {
    VM_BOOL(VirtioPort, guest_open), VM_BOOL(VirtioPort, host_open), VM_U32(VirtioPort, out_done),
    VM_U32_RANGE(VirtioPort, in_bytes, 0, SERIAL_BUFFER),
    VM_VARRAY(VirtioPort, in, in_bytes, SERIAL_BUFFER), VM_END
};

static const Property port_props[] = {
    PROP_CHARDEV("chardev", VirtioPort, chr, "the back end"),
    PROP_STR("name", VirtioPort, name, NULL, "name that the guest sees: org.qemu.guest_agent.0"),
    PROP_U32("nr", VirtioPort, nr, NUMBER_AUTO, "number; 4294967295: the first that is free"),
    PROP_END
};

static const VmMeaning port_meanings[] = {
    { "out_done", "bytes of the guest's buffer that have gone" }, { "in_bytes", "how many" },
    { "in", .payload = "bytes that wait for the guest" },
    { .name = NULL }
};

static const DeviceType port_type = {
    .name = TYPE_VIRTIO_PORT, .parent = TYPE_DEVICE, .abstract = true, .size = sizeof(VirtioPort),
    .bus_type = TYPE_VIRTIO_SERIAL_BUS, .category = DEVICE_INPUT, .hotpluggable = true,
    .props = port_props, .realize = port_realize, .unrealize = port_unrealize,
    .vm = { 1, port_fields, .meanings = port_meanings },
};
DEVICE_TYPE(port_type)

static const DeviceType serialport_type = {
    .name = "virtserialport", .parent = TYPE_VIRTIO_PORT, .desc = "virtio serial port",
};
DEVICE_TYPE(serialport_type)

static const DeviceType console_type = {
    .name = "virtconsole", .parent = TYPE_VIRTIO_PORT, .desc = "virtio console",
};
DEVICE_TYPE(console_type)

static char *port_path(const Device *dev)
{
    return g_strdup_printf("port%u", VIRTIO_PORT(dev)->nr);
}

static const BusType serial_bus_type = {
    .name = TYPE_VIRTIO_SERIAL_BUS, .size = sizeof(Bus), .device_path = port_path,
};
BUS_TYPE(serial_bus_type)
