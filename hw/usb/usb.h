/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB: buses, ports, devices and the packets between controllers and devices.
 *
 * Sources: Universal Serial Bus Specification 2.0 ("USB2") and 3.0 ("USB3").
 *
 * A device is a DeviceType derived from TYPE_USB_DEVICE whose .data is a
 * UsbClass. A controller makes a bus and its root ports; hubs add ports of
 * their own to the same bus, so a bus holds all devices behind its controller.
 *
 * A packet is one transaction, or several of the same endpoint and direction
 * that the controller has put together. The controller owns it and its buffer;
 * it is the device's from usb_packet_submit() that ends with USB_ASYNC until
 * .complete, or until usb_packet_cancel(). Big lock for everything.
 */
#ifndef HW_USB_USB_H
#define HW_USB_USB_H

#include "hw/core/device.h"
#include "hw/usb/desc.h"

#define TYPE_USB_DEVICE     "usb-device"
#define TYPE_USB_BUS        "usb-bus"

#define USB_NUM_ADDRS       128
#define USB_NUM_EPS         16
#define USB_CONTROL_MAX     4096        /* bytes of a control transfer's data stage */
#define USB_HUB_DEPTH       5           /* USB2 4.1.1: hubs in a row */

typedef struct UsbBus UsbBus;
typedef struct UsbPort UsbPort;
typedef struct UsbPacket UsbPacket;

/* USB2 table 8-1. */
enum { USB_PID_OUT = 0xe1, USB_PID_IN = 0x69, USB_PID_SETUP = 0x2d };

typedef enum UsbStatus {
    USB_OK,
    USB_NAK,            /* nothing to say now: try again */
    USB_STALL,
    USB_BABBLE,         /* the device has more than .len */
    USB_NODEV,          /* nobody answers */
    USB_IOERROR,
    USB_ASYNC,          /* .complete will be called */
} UsbStatus;

struct UsbPacket {
    uint8_t pid, ep;            /* ep: the number alone */
    uint8_t *data;
    uint32_t len;               /* wanted (IN) or there (OUT), bytes */
    uint32_t actual;            /* moved */
    UsbStatus status;
    void (*complete)(UsbPacket *p);     /* after USB_ASYNC; never inside submit */
    void *opaque;               /* the controller's */
    UsbDevice *dev;             /* while in flight */
    UsbPacket *next;            /* of the device's */
};

/* USB2 9.3. */
typedef struct UsbSetup {
    uint8_t type, request;
    uint16_t value, index, length;
} UsbSetup;

/* bmRequestType and bRequest as one number, for switches. */
#define USB_REQ(type, request)  ((type) << 8 | (request))
enum {
    USB_DIR_IN = 0x80,
    USB_TYPE_CLASS = 0x20, USB_TYPE_VENDOR = 0x40, USB_TYPE_MASK = 0x60,
    USB_RECIP_DEVICE = 0, USB_RECIP_INTERFACE = 1, USB_RECIP_ENDPOINT = 2, USB_RECIP_OTHER = 3,
};
/* USB2 table 9-4. */
enum {
    USB_GET_STATUS = 0, USB_CLEAR_FEATURE = 1, USB_SET_FEATURE = 3, USB_SET_ADDRESS = 5,
    USB_GET_DESCRIPTOR = 6, USB_SET_DESCRIPTOR = 7, USB_GET_CONFIGURATION = 8,
    USB_SET_CONFIGURATION = 9, USB_GET_INTERFACE = 10, USB_SET_INTERFACE = 11,
    USB_SYNCH_FRAME = 12, USB_SET_SEL = 48, USB_SET_ISOCH_DELAY = 49,
};

/* What a type of device does; any function may be NULL. */
typedef struct UsbClass {
    const UsbDescriptors *desc;
    const UsbDescriptors *(*describe)(const UsbDevice *d);      /* instead, by properties */
    void (*reset)(UsbDevice *d);        /* bus reset: back to the default state */
    /* A request that isn't USB2 chapter 9's. @data holds @s->length bytes: sent
     * ones, or room for an answer, whose length goes to *actual. USB_STALL: unknown. */
    UsbStatus (*control)(UsbDevice *d, const UsbSetup *s, uint8_t *data, uint32_t *actual);
    /* Endpoints other than 0 that the configuration has and that aren't halted. */
    UsbStatus (*transfer)(UsbDevice *d, UsbPacket *p);
    /* Forget a packet that got USB_ASYNC. */
    void (*cancel)(UsbDevice *d, UsbPacket *p);
    /* SET_CONFIGURATION or SET_INTERFACE. */
    void (*configured)(UsbDevice *d);
    /* A hub: the device behind it with that address; NULL. */
    UsbDevice *(*find)(UsbDevice *hub, uint8_t addr);
} UsbClass;

typedef enum UsbState { USB_STATE_ATTACHED, USB_STATE_DEFAULT, USB_STATE_ADDRESS,
                        USB_STATE_CONFIGURED } UsbState;

struct UsbDevice {
    Device dev;                 /* first: the bus casts to it */
    const UsbDescriptors *desc;
    const UsbDeviceDesc *device;        /* of the present speed */
    const UsbConfigDesc *config;        /* NULL: not configured */
    UsbPort *port;              /* NULL: not on a port */
    char *port_path;            /* properties */
    char *serial;
    bool msos_desc;
    bool attached;
    uint32_t speed;             /* UsbSpeed */
    uint8_t addr;
    uint32_t state;             /* UsbState */
    uint8_t configuration;
    uint8_t alt[USB_MAX_INTERFACES];
    bool remote_wakeup;
    uint32_t halted;            /* bit n: OUT endpoint n; 16 + n: IN */
    /* Control transfer on endpoint 0. */
    uint8_t setup[8];
    uint32_t setup_state;
    uint32_t setup_len, setup_index;
    uint8_t control_data[USB_CONTROL_MAX];
    UsbPacket *packets;         /* in flight; borrowed */
};
DEFINE_CAST(USB_DEVICE, UsbDevice, TYPE_USB_DEVICE)

extern const VmState usb_device_vm;
/* First field of a device's table. */
#define VM_USB(S, f)    VM_STRUCT(S, f, usb_device_vm)

/* --- devices --- */

/* There is something to be fetched where there was NAK, or to be told while the bus
 * sleeps: the controller polls again, or resumes the port. */
void usb_wakeup(UsbDevice *d);
/* A packet that got USB_ASYNC has its .status and .actual now. */
void usb_packet_complete(UsbDevice *d, UsbPacket *p);
/* Copy between the packet and a device's buffer; IN: USB_BABBLE when @len is too long. */
UsbStatus usb_packet_put(UsbPacket *p, const void *data, uint32_t len);
void usb_set_halt(UsbDevice *d, uint8_t ep_addr, bool halt);
/* Endpoint of the present configuration, @ep_addr with USB_DIR_IN; NULL. */
const UsbEndpointDesc *usb_endpoint(const UsbDevice *d, uint8_t ep_addr);
/* In USB2 chapter 9's way; USB_STALL: not one of those. */
UsbStatus usb_desc_control(UsbDevice *d, const UsbSetup *s, uint8_t *data, uint32_t *actual);
static inline uint8_t usb_ep_addr(const UsbPacket *p)
{
    return p->pid == USB_PID_IN ? p->ep | USB_DIR_IN : p->ep;
}

/* --- controllers and hubs --- */

typedef struct UsbPortOps {
    void (*attach)(UsbPort *port);      /* port->dev has come, at dev->speed */
    void (*detach)(UsbPort *port);      /* port->dev is about to go */
    void (*wakeup)(UsbPort *port);      /* it asks for a resume; may be NULL */
    void (*kick)(UsbPort *port);        /* root ports: a device has something; may be NULL */
} UsbPortOps;

struct UsbPort {
    UsbDevice *dev;
    const UsbPortOps *ops;
    void *opaque;
    UsbBus *bus;
    unsigned index;             /* from 0 */
    uint32_t speeds;            /* BIT(UsbSpeed) of what it takes */
    UsbDevice *hub;             /* NULL: a root port */
    char path[24];              /* "2.1" */
    UsbPort *next;
};

typedef struct UsbBusOps {
    /* A companion controller shares @n ports from @first; they go to @ports. NULL: can't. */
    bool (*add_companion)(UsbBus *bus, UsbPort **ports, unsigned n, unsigned first,
                          const UsbPortOps *ops, void *opaque, Error **errp);
    void (*remove_companion)(UsbBus *bus, void *opaque);
} UsbBusOps;

struct UsbBus {
    Bus bus;
    unsigned number;
    const UsbBusOps *ops;
    void *opaque;
    UsbPort *ports;             /* in order of path; borrowed */
};
static inline UsbBus *USB_BUS(const void *obj)
{
    return (UsbBus *)object_cast(obj, TYPE_USB_BUS);
}

/* From @controller's realize. */
UsbBus *usb_bus_new(Device *controller, const UsbBusOps *ops, void *opaque);
void usb_port_register(UsbBus *bus, UsbPort *port, const UsbPortOps *ops, void *opaque,
                       unsigned index, uint32_t speeds, UsbDevice *hub);
/* A device on it is deleted. */
void usb_port_unregister(UsbPort *port);
/* The port's other controller takes over (EHCI 4.2): the device is seen to leave one and to
 * come at the other, at the best speed of both. Nobody is told when @quiet. */
void usb_port_hand_over(UsbPort *port, const UsbPortOps *ops, void *opaque, uint32_t speeds,
                        bool quiet);
/* Signal reset to the port's device. */
void usb_port_reset(UsbPort *port);
/* Device with that address at or behind the port; NULL. */
UsbDevice *usb_find_device(const UsbPort *port, uint8_t addr);

static inline void usb_packet_init(UsbPacket *p, void (*complete)(UsbPacket *p), void *opaque)
{
    *p = (UsbPacket){ .complete = complete, .opaque = opaque };
}
/* @d NULL: USB_NODEV. The result is p->status too. */
UsbStatus usb_packet_submit(UsbDevice *d, UsbPacket *p, uint8_t pid, uint8_t ep, uint8_t *data,
                            uint32_t len);
/* It isn't in flight afterwards; .complete isn't called. */
void usb_packet_cancel(UsbPacket *p);

/* All buses, by number. */
int usb_bus_foreach(int (*fn)(UsbBus *bus, void *opaque), void *opaque);

#endif
