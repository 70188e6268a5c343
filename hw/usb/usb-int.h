/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the USB core share. */
#ifndef HW_USB_USB_INT_H
#define HW_USB_USB_INT_H

#include "hw/usb/usb.h"

/* UsbDevice.setup_state */
enum { USB_CONTROL_IDLE, USB_CONTROL_DATA_IN, USB_CONTROL_DATA_OUT, USB_CONTROL_STATUS_IN,
       USB_CONTROL_STALLED };

/* All packets in flight end with USB_NODEV. */
void usb_device_end_packets(UsbDevice *d);
bool usb_is_halted(const UsbDevice *d, uint8_t ep_addr);
/* Forget the configuration; the class isn't told. */
void usb_device_unconfigure(UsbDevice *d);
/* Row of config->interfaces that is in use for interface @number; NULL. */
const UsbInterfaceDesc *usb_interface(const UsbDevice *d, unsigned number);
/* UTF-8 of string @index, the "serial" property honoured; NULL: there is none. */
const char *usb_string(const UsbDevice *d, unsigned index);

#endif
