/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio console device (V 5.3): the device with its control queues (virtio-serial.c), and the ports on its
 * bus, which are character devices' front ends (virtio-serial-port.c). Big lock.
 */
#ifndef HW_CHAR_VIRTIO_SERIAL_H
#define HW_CHAR_VIRTIO_SERIAL_H

#include "chardev/chardev.h"
#include "hw/virtio/virtio-pci.h"

#define TYPE_VIRTIO_SERIAL_BUS  "virtio-serial-bus"
#define TYPE_VIRTIO_PORT        "virtio-serial-port"
#define SERIAL_MAX_PORTS        31
#define SERIAL_PENDING          128     /* control messages that wait for a buffer */
#define SERIAL_BUFFER           4096    /* bytes of a port that wait for a buffer */

/* V 5.3.6.2: events of the control queues. */
enum { CTL_DEVICE_READY = 0, CTL_DEVICE_ADD = 1, CTL_DEVICE_REMOVE = 2, CTL_PORT_READY = 3,
       CTL_CONSOLE_PORT = 4, CTL_RESIZE = 5, CTL_PORT_OPEN = 6, CTL_PORT_NAME = 7 };

typedef struct SerialMessage {
    uint32_t port;
    uint16_t event, value;
} SerialMessage;

typedef struct VirtioPort VirtioPort;

typedef struct VirtioSerial {
    VirtIODevice v;
    Bus *bus;
    uint32_t max_ports;
    VirtioPort *ports[SERIAL_MAX_PORTS];        /* NULL: none there */
    bool driver_ready;                          /* DEVICE_READY has come */
    uint32_t num_pending;
    SerialMessage pending[SERIAL_PENDING];
} VirtioSerial;
DEFINE_CAST(VIRTIO_SERIAL, VirtioSerial, "virtio-serial-device")

struct VirtioPort {
    Device dev;
    Chardev *chr;
    CharFrontend fe;
    char *name;
    uint32_t nr;                /* UINT32_MAX: the first that is free */
    bool is_console;
    bool attached;              /* in its device's ports */
    bool guest_open, host_open;
    VirtqElem *out;             /* being written to the back end; or NULL */
    uint32_t out_done;          /* bytes of it, or of the next one, that are written */
    uint32_t in_bytes;          /* of in that wait for buffers */
    uint8_t in[SERIAL_BUFFER];
};
static inline VirtioPort *VIRTIO_PORT(const void *obj)
{
    return (VirtioPort *)object_cast(obj, TYPE_VIRTIO_PORT);
}
static inline VirtioSerial *virtio_port_device(const VirtioPort *p)
{
    return VIRTIO_SERIAL(p->dev.bus->parent);
}

/* --- virtio-serial.c --- */
void virtio_serial_send(VirtioSerial *s, uint32_t port, uint16_t event, uint16_t value);
/* Ports have control messages, that is F_MULTIPORT was accepted. */
bool virtio_serial_multiport(const VirtioSerial *s);
VirtQueue *virtio_serial_to_guest(VirtioSerial *s, uint32_t port);
VirtQueue *virtio_serial_from_guest(VirtioSerial *s, uint32_t port);

/* --- virtio-serial-port.c --- */
void virtio_port_to_guest(VirtioPort *p);       /* what waits, then what the back end has */
void virtio_port_from_guest(VirtioPort *p);
void virtio_port_set_guest_open(VirtioPort *p, bool open);
/* The element being written goes back into the queue. */
void virtio_port_rewind(VirtioPort *p);
void virtio_port_reset(VirtioPort *p);

#endif
