/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-serial: an adapter with FTDI's FT232BM between USB and a serial line, which is a byte stream.
 *
 * Sources: Linux, drivers/usb/serial/ftdi_sio.h (requests, status bytes, divisors: "SIO"); FTDI, "FT232BM USB UART"
 * data sheet 1.8 ("DS").
 * Not modelled: the EEPROM (reads as erased), event and error characters, flow control by the line.
 */
#include "util/osdep.h"
#include "chardev/chardev.h"
#include "hw/usb/usb.h"

#include <glib.h>
#include "util/log.h"

#define TYPE_USB_SERIAL "usb-serial"
#define RX_SIZE         384         /* DS: receive buffer */
#define MAX_PACKET      64
#define STATUS_LEN      2           /* SIO: at the head of each packet to the host */
enum { EP_IN = 0x81, EP_OUT = 0x02 };

/* SIO: vendor requests. */
enum { REQ_RESET = 0, REQ_MODEM_CTRL = 1, REQ_FLOW_CTRL = 2, REQ_BAUD = 3, REQ_DATA = 4, REQ_MODEM_STATUS = 5,
       REQ_EVENT_CHAR = 6, REQ_ERROR_CHAR = 7, REQ_SET_LATENCY = 9, REQ_GET_LATENCY = 10, REQ_READ_EEPROM = 0x90 };
enum { RESET_SIO = 0, RESET_PURGE_RX = 1, RESET_PURGE_TX = 2 };
enum { DATA_BREAK = BIT(14) };
/* SIO: first status byte, second one. */
enum { RS0_ONE = BIT(0), RS0_CTS = BIT(4), RS0_DSR = BIT(5), RS0_RLSD = BIT(7) };
enum { RS_BI = BIT(4), RS_THRE = BIT(5), RS_TEMT = BIT(6) };
#define LATENCY_MS      16          /* DS: after reset */

typedef struct UsbSerial {
    UsbDevice usb;
    CharFrontend fe;
    Chardev *chr;
    uint8_t rx[RX_SIZE];
    uint32_t rx_head, rx_count;
    uint8_t modem;              /* RS0_*, as the host was told */
    bool told, got_break;
    uint8_t latency;
    uint32_t divisor;           /* in eighths of the 3 MHz clock; 0: none set */
    uint16_t format;            /* of REQ_DATA */
    UsbPacket *out;             /* waits for room; its .actual has gone */
} UsbSerial;
DEFINE_CAST(USB_SERIAL, UsbSerial, TYPE_USB_SERIAL)

/* --- the line --- */

static uint8_t modem_now(const UsbSerial *s)
{
    return RS0_ONE | (chr_fe_is_open(&s->fe) ? RS0_CTS | RS0_DSR | RS0_RLSD : 0);
}

static void set_params(UsbSerial *s)
{
    static const char parities[] = { 'N', 'O', 'E', 'O', 'E' };      /* mark and space: as near as can be */
    unsigned parity = s->format >> 8 & 7, bits = s->format & 0xff;
    ChrSerialParams p = {
        .speed = s->divisor ? (int)(24000000 / s->divisor) : 9600,
        .parity = parities[MIN(parity, sizeof(parities) - 1)],
        .data_bits = bits == 7 ? 7 : 8,
        .stop_bits = s->format >> 11 & 7 ? 2 : 1,
    };

    chr_fe_set_serial_params(&s->fe, &p);
    chr_fe_set_break(&s->fe, s->format & DATA_BREAK);
}

/* SIO: the lower 14 bits are whole, the code of the eighths is above; 0 and 1 are 3 and 2 MHz. */
static uint32_t divisor_of(uint16_t value, uint16_t index)
{
    static const uint8_t eighths[] = { 0, 4, 2, 1, 3, 5, 6, 7 };
    uint32_t whole = value & 0x3fff, part = eighths[value >> 14 | (index & 1) << 2];

    if (!part && whole < 2) {
        return whole ? 12 : 8;
    }
    return MAX(whole * 8 + part, 8u);
}

static size_t can_receive(void *opaque)
{
    return RX_SIZE - ((UsbSerial *)opaque)->rx_count;
}

static void receive(void *opaque, const uint8_t *buf, size_t len)
{
    UsbSerial *s = opaque;

    for (size_t i = 0; i < len && s->rx_count < RX_SIZE; i++) {
        s->rx[(s->rx_head + s->rx_count++) % RX_SIZE] = buf[i];
    }
    usb_wakeup(&s->usb);
}

static void event(void *opaque, ChrEvent e)
{
    UsbSerial *s = opaque;

    if (e == CHR_EVENT_BREAK) {
        s->got_break = true;
    }
    if (s->got_break || modem_now(s) != s->modem) {
        s->told = false;
        usb_wakeup(&s->usb);
    }
}

/* What the line doesn't take at once waits. */
static bool transmit(UsbSerial *s, UsbPacket *p)
{
    p->actual += chr_fe_write(&s->fe, p->data + p->actual, p->len - p->actual);
    return p->actual == p->len;
}

static void writable(void *opaque)
{
    UsbSerial *s = opaque;
    UsbPacket *p = s->out;

    if (p && transmit(s, p)) {
        s->out = NULL;
        p->status = USB_OK;
        usb_packet_complete(&s->usb, p);
    }
}

static const ChrHandlers handlers = { can_receive, receive, event, writable };

/* --- USB --- */

static void put_status(UsbSerial *s, uint8_t *to)
{
    to[0] = s->modem = modem_now(s);
    to[1] = RS_THRE | RS_TEMT | (s->got_break ? RS_BI : 0);
    s->got_break = false;
    s->told = true;
}

static UsbStatus serial_in(UsbSerial *s, UsbPacket *p)
{
    p->actual = 0;
    if (!s->rx_count && s->told) {
        return USB_NAK;
    }
    /* Each transaction has a status of its own; the last one is short, or the controller wants no more. */
    do {
        uint32_t n = MIN(p->len - p->actual, MAX_PACKET);

        if (n < STATUS_LEN) {
            return p->actual ? USB_OK : USB_BABBLE;
        }
        put_status(s, p->data + p->actual);
        p->actual += STATUS_LEN;
        for (n = MIN(n - STATUS_LEN, s->rx_count); n; n--) {
            p->data[p->actual++] = s->rx[s->rx_head];
            s->rx_head = (s->rx_head + 1) % RX_SIZE;
            s->rx_count--;
        }
    } while (s->rx_count && p->actual % MAX_PACKET == 0 && p->actual < p->len);
    chr_fe_accept_input(&s->fe);
    return USB_OK;
}

static UsbStatus serial_transfer(UsbDevice *d, UsbPacket *p)
{
    UsbSerial *s = USB_SERIAL(d);

    if (usb_ep_addr(p) == EP_IN) {
        return serial_in(s, p);
    }
    if (s->out) {
        return USB_NAK;
    }
    p->actual = 0;
    if (transmit(s, p)) {
        return USB_OK;
    }
    s->out = p;
    return USB_ASYNC;
}

static void serial_cancel(UsbDevice *d, UsbPacket *p)
{
    UsbSerial *s = USB_SERIAL(d);

    if (s->out == p) {
        s->out = NULL;
    }
}

static void clear(UsbSerial *s)
{
    s->rx_head = s->rx_count = 0;
    s->told = s->got_break = false;
    chr_fe_accept_input(&s->fe);
}

static UsbStatus serial_control(UsbDevice *d, const UsbSetup *r, uint8_t *data, uint32_t *actual)
{
    UsbSerial *s = USB_SERIAL(d);
    uint8_t answer[STATUS_LEN];
    uint32_t len = 0;

    if ((r->type & USB_TYPE_MASK) != USB_TYPE_VENDOR) {
        return USB_STALL;
    }
    switch (USB_REQ(r->type & USB_DIR_IN, r->request)) {
    case USB_REQ(0, REQ_RESET):
        if (r->value != RESET_PURGE_TX) {
            clear(s);
        }
        break;
    case USB_REQ(0, REQ_MODEM_CTRL): case USB_REQ(0, REQ_FLOW_CTRL): case USB_REQ(0, REQ_EVENT_CHAR):
    case USB_REQ(0, REQ_ERROR_CHAR):
        break;
    case USB_REQ(0, REQ_BAUD):
        s->divisor = divisor_of(r->value, r->index);
        set_params(s);
        break;
    case USB_REQ(0, REQ_DATA):
        s->format = r->value;
        set_params(s);
        break;
    case USB_REQ(0, REQ_SET_LATENCY):
        s->latency = (uint8_t)r->value;
        break;
    case USB_REQ(USB_DIR_IN, REQ_MODEM_STATUS):
        put_status(s, answer);
        len = STATUS_LEN;
        break;
    case USB_REQ(USB_DIR_IN, REQ_GET_LATENCY):
        answer[0] = s->latency;
        len = 1;
        break;
    case USB_REQ(USB_DIR_IN, REQ_READ_EEPROM):
        memset(answer, 0xff, sizeof(answer));
        len = sizeof(answer);
        break;
    default:
        log_guest_error(TYPE_USB_SERIAL, "request 0x%02x, type 0x%02x", r->request, r->type);
        return USB_STALL;
    }
    *actual = MIN(r->length, len);
    memcpy(data, answer, *actual);
    return USB_OK;
}

static void serial_reset(UsbDevice *d)
{
    UsbSerial *s = USB_SERIAL(d);

    clear(s);
    s->latency = LATENCY_MS;
    s->divisor = 0;
    s->format = 8;
}

static const UsbEndpointDesc serial_eps[] = {
    { EP_IN, USB_EP_BULK, MAX_PACKET, 0, 0 }, { EP_OUT, USB_EP_BULK, MAX_PACKET, 0, 0 },
};
static const UsbInterfaceDesc serial_interface = {
    .class_code = 0xff, .subclass = 0xff, .protocol = 0xff, .string = 2, .n_eps = ARRAY_SIZE(serial_eps),
    .eps = serial_eps,
};
static const UsbConfigDesc serial_config = {
    .value = 1, .attributes = USB_CFG_ONE, .max_power_ma = 100, .n_interfaces = 1, .n = 1,
    .interfaces = &serial_interface,
};
static const UsbDeviceDesc serial_device = {
    .usb_version = 0x0200, .max_packet0 = 8, .n_configs = 1, .configs = &serial_config,
};
static const char *const serial_strings[] = { "", "QEMU", "QEMU USB SERIAL", "1", NULL };
/* SIO: the version tells the chips apart. */
static const UsbDescriptors serial_desc = {
    .vendor = 0x0403, .product = 0x6001, .device_version = 0x0400, .manufacturer = 1, .product_string = 2,
    .serial = 3, .speeds = { [USB_SPEED_FULL] = &serial_device }, .strings = serial_strings,
};

/* --- the device --- */

static bool serial_realize(Device *dev, Error **errp)
{
    UsbSerial *s = USB_SERIAL(dev);

    if (!s->chr) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "'" TYPE_USB_SERIAL "' needs property 'chardev'");
        error_argument(errp, "chardev", NULL, "the id of a character device");
        return false;
    }
    if (!chr_fe_init(&s->fe, s->chr, errp)) {
        return false;
    }
    chr_fe_set_handlers(&s->fe, &handlers, s);
    return true;
}

static void serial_unrealize(Device *dev)
{
    chr_fe_deinit(&USB_SERIAL(dev)->fe);
}

static bool serial_post_load(void *opaque, UNUSED Error **errp)
{
    UsbSerial *s = opaque;

    set_params(s);
    chr_fe_accept_input(&s->fe);
    return true;
}

static const VmField serial_fields[] = {
    VM_USB(UsbSerial, usb), VM_U8_ARRAY(UsbSerial, rx), VM_U32_RANGE(UsbSerial, rx_head, 0, RX_SIZE - 1),
    VM_U32_RANGE(UsbSerial, rx_count, 0, RX_SIZE), VM_U8(UsbSerial, modem), VM_BOOL(UsbSerial, told),
    VM_BOOL(UsbSerial, got_break), VM_U8(UsbSerial, latency), VM_U32(UsbSerial, divisor),
    VM_U16(UsbSerial, format), VM_END
};
static const VmMeaning serial_meanings[] = {
    { "rx_head", "where it begins" }, { "rx_count", "bytes in it" },
    { "rx", "what came from the line, a ring of bytes", .payload = "bytes that the guest hasn't read" },
    { "modem", "the modem's lines as last told" }, { "latency", "latency timer, milliseconds" },
    { "divisor", "baud rate divisor, in eighths of 3 MHz" }, { "format", "data bits, parity, stop bits, break" },
    { .name = NULL }
};
static const Property serial_props[] = {
    PROP_CHARDEV("chardev", UsbSerial, chr, "the other end of the line"),
    PROP_END
};
static const UsbClass serial_class = {
    .desc = &serial_desc, .reset = serial_reset, .control = serial_control, .transfer = serial_transfer,
    .cancel = serial_cancel,
};
static const DeviceType serial_type = {
    .name = TYPE_USB_SERIAL, .parent = TYPE_USB_DEVICE, .desc = "USB serial adapter (FTDI FT232BM)",
    .size = sizeof(UsbSerial), .category = DEVICE_INPUT, .props = serial_props, .realize = serial_realize,
    .unrealize = serial_unrealize,
    .vm = { 1, serial_fields, .post_load = serial_post_load, .meanings = serial_meanings },
    .data = &serial_class,
};
DEVICE_TYPE(serial_type)
