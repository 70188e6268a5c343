/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors of USB devices as constant tables (USB2 9.6).
 */
#ifndef HW_USB_DESC_H
#define HW_USB_DESC_H

#include "util/osdep.h"

typedef struct UsbDevice UsbDevice;

#define USB_MAX_INTERFACES  4

typedef enum UsbSpeed { USB_SPEED_LOW, USB_SPEED_FULL, USB_SPEED_HIGH, USB_SPEED_SUPER,
                        USB_SPEED__MAX } UsbSpeed;

/* USB2 table 9-5, USB3 table 9-6, HID 1.11 7.1. */
enum {
    USB_DT_DEVICE = 1, USB_DT_CONFIG = 2, USB_DT_STRING = 3, USB_DT_INTERFACE = 4,
    USB_DT_ENDPOINT = 5, USB_DT_QUALIFIER = 6, USB_DT_OTHER_SPEED = 7, USB_DT_BOS = 15,
    USB_DT_HID = 0x21, USB_DT_REPORT = 0x22, USB_DT_HUB = 0x29, USB_DT_EP_COMPANION = 0x30,
};
/* bmAttributes of an endpoint and of a configuration. */
enum { USB_EP_CONTROL = 0, USB_EP_ISO = 1, USB_EP_BULK = 2, USB_EP_INTERRUPT = 3 };
enum { USB_CFG_ONE = 0x80, USB_CFG_SELF_POWERED = 0x40, USB_CFG_WAKEUP = 0x20 };

typedef struct UsbEndpointDesc {
    uint8_t addr;               /* with USB_DIR_IN */
    uint8_t attributes;
    uint16_t max_packet;
    uint8_t interval;
    uint8_t max_burst;          /* SuperSpeed: packets a burst, less one */
} UsbEndpointDesc;

typedef struct UsbInterfaceDesc {
    uint8_t number, alt, class_code, subclass, protocol, string;
    const uint8_t *extra;       /* class descriptors behind the interface's; extra[0] long */
    uint8_t n_eps;
    const UsbEndpointDesc *eps;
} UsbInterfaceDesc;

typedef struct UsbConfigDesc {
    uint8_t value, string, attributes;
    uint8_t max_power_ma;       /* even */
    uint8_t n_interfaces;       /* bNumInterfaces */
    uint8_t n;                  /* rows, with alternate settings */
    const UsbInterfaceDesc *interfaces;
} UsbConfigDesc;

typedef struct UsbDeviceDesc {
    uint16_t usb_version;       /* BCD */
    uint8_t class_code, subclass, protocol;
    uint8_t max_packet0;        /* SuperSpeed: its exponent */
    uint8_t n_configs;
    const UsbConfigDesc *configs;
} UsbDeviceDesc;

typedef struct UsbDescriptors {
    uint16_t vendor, product, device_version;
    uint8_t manufacturer, product_string, serial;       /* indexes of strings */
    const UsbDeviceDesc *speeds[USB_SPEED__MAX];        /* NULL: not at that speed */
    const char *const *strings; /* UTF-8; [0] is unused; ends with NULL */
    /* Microsoft OS descriptors say that an idle device may be suspended. */
    bool msos_selective_suspend;
} UsbDescriptors;

#endif
