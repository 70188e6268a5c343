/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xHCI host controllers: what xhci.c (registers, ports), xhci-cmd.c (commands, slots) and
 * xhci-xfer.c (transfer rings) share.
 *
 * Source: eXtensible Host Controller Interface for USB, revision 1.1 ("xHCI").
 */
#ifndef HW_USB_XHCI_H
#define HW_USB_XHCI_H

#include "hw/pci/pci.h"
#include "hw/usb/usb.h"

#define TYPE_XHCI           "base-xhci"
#define XHCI_SLOTS          64
#define XHCI_EPS            31          /* endpoint ids 1 to 31 (xHCI 4.5.1) */
#define XHCI_INTRS          16
#define XHCI_PORTS          15          /* of each kind at most */
#define XHCI_EVENTS         64          /* kept while the guest's ring is full */

/* xHCI 5.4.1, 5.4.2 */
enum { CMD_RS = BIT(0), CMD_HCRST = BIT(1), CMD_INTE = BIT(2), CMD_HSEE = BIT(3), CMD_CSS = BIT(8),
       CMD_CRS = BIT(9), CMD_EWE = BIT(10), CMD_RW = 0x40d };
enum { STS_HCH = BIT(0), STS_HSE = BIT(2), STS_EINT = BIT(3), STS_PCD = BIT(4), STS_SRE = BIT(10),
       STS_HCE = BIT(12), STS_W1C = 0x41c, STS_ALL = 0x1f1d };
/* xHCI table 6-91: TRB types. */
enum { TRB_NORMAL = 1, TRB_SETUP = 2, TRB_DATA = 3, TRB_STATUS = 4, TRB_ISOCH = 5, TRB_LINK = 6,
       TRB_EVENT_DATA = 7, TRB_NOOP = 8, TRB_ENABLE_SLOT = 9, TRB_DISABLE_SLOT = 10,
       TRB_ADDRESS_DEVICE = 11, TRB_CONFIGURE_EP = 12, TRB_EVALUATE_CTX = 13, TRB_RESET_EP = 14,
       TRB_STOP_EP = 15, TRB_SET_DEQUEUE = 16, TRB_RESET_DEVICE = 17, TRB_NOOP_CMD = 23,
       TRB_EV_TRANSFER = 32, TRB_EV_COMMAND = 33, TRB_EV_PORT = 34 };
enum { TRB_C = BIT(0), TRB_TC = BIT(1), TRB_ISP = BIT(2), TRB_CH = BIT(4), TRB_IOC = BIT(5),
       TRB_IDT = BIT(6), TRB_BSR = BIT(9), TRB_DC = BIT(9), TRB_DIR_IN = BIT(16) };
#define TRB_TYPE(c)         ((c) >> 10 & 0x3f)
/* xHCI table 6-90: completion codes. */
enum { CC_SUCCESS = 1, CC_DATA_BUFFER = 2, CC_BABBLE = 3, CC_TRANSACTION = 4, CC_TRB = 5,
       CC_STALL = 6, CC_NO_SLOTS = 9, CC_SLOT_NOT_ENABLED = 11, CC_EP_NOT_ENABLED = 12,
       CC_SHORT = 13, CC_PARAMETER = 17, CC_CONTEXT_STATE = 19, CC_RING_STOPPED = 24,
       CC_STOPPED = 26 };
/* xHCI 6.2.2, 6.2.3: states of slots and endpoints. */
enum { SLOT_ENABLED = 0, SLOT_DEFAULT = 1, SLOT_ADDRESSED = 2, SLOT_CONFIGURED = 3 };
enum { EP_DISABLED = 0, EP_RUNNING = 1, EP_HALTED = 2, EP_STOPPED = 3, EP_ERROR = 4 };

typedef struct XhciTrb {
    uint64_t param;
    uint32_t status, control;
    uint64_t addr;              /* where it lies; 0 of our own */
} XhciTrb;

typedef struct XhciState XhciState;
typedef struct XhciTransfer XhciTransfer;

typedef struct XhciEp {
    uint8_t state, type;        /* EP_...; 0: not set up; xHCI table 6-9 */
    uint64_t dequeue;
    uint8_t cycle;
    uint32_t edtla;             /* bytes since the last event data TRB */
    bool nak;                   /* poll it again when the device has something */
    XhciTransfer *transfer;     /* in flight; not saved */
} XhciEp;

typedef struct XhciSlot {
    bool enabled, addressed;
    uint64_t ctx;               /* device context */
    uint8_t port;               /* root port, from 1, as the guest counts; 0: none */
    uint32_t route;
    uint16_t intr;              /* interrupter target */
    XhciEp ep[XHCI_EPS];
} XhciSlot;

typedef struct XhciPort {
    uint32_t sc;
    uint8_t phys;               /* index of the UsbPort */
    bool super;
} XhciPort;

typedef struct XhciIntr {
    uint32_t iman, imod, erstsz;
    uint64_t erstba, erdp, base;        /* base, size: of the one segment */
    uint32_t size, enqueue;
    uint8_t cycle;
    /* Events that wait for room: control, status, parameter. */
    uint64_t wait_param[XHCI_EVENTS];
    uint32_t wait_status[XHCI_EVENTS], wait_control[XHCI_EVENTS];
    uint32_t n_wait;
} XhciIntr;

struct XhciState {
    PCIDevice pci;
    MemRegion mem;
    UsbBus *bus;
    uint32_t p2, p3, intrs;     /* properties */
    int msi, msix;
    uint32_t n_phys;
    UsbPort usb[XHCI_PORTS];
    XhciPort ports[2 * XHCI_PORTS];     /* USB 2's first */
    uint32_t cmd, status, dnctrl, config;
    uint64_t crcr, dcbaap;
    uint64_t ring;              /* of commands: where it is */
    uint8_t ring_cycle;
    bool ring_running;
    int64_t start_ns;           /* when MFINDEX was 0 */
    unsigned busy;              /* runs rings: what DMA writes to registers is ignored */
    XhciIntr intr[XHCI_INTRS];
    XhciSlot slot[XHCI_SLOTS];
};
DEFINE_CAST(XHCI, XhciState, TYPE_XHCI)

/* --- xhci.c --- */
void xhci_event(XhciState *s, unsigned intr, uint64_t param, uint32_t status, uint32_t control);
void xhci_host_error(XhciState *s);
/* Root port's or hub's port of a slot; NULL. */
UsbPort *xhci_usb_port(XhciState *s, unsigned root, uint32_t route);

/* --- xhci-cmd.c --- */
void xhci_run_commands(XhciState *s);
/* Everything of the slot goes. */
void xhci_slot_free(XhciState *s, unsigned slot);
bool xhci_read_trb(XhciState *s, uint64_t addr, XhciTrb *trb);
bool xhci_read_words(XhciState *s, uint64_t addr, uint32_t *w, unsigned n);
bool xhci_write_words(XhciState *s, uint64_t addr, const uint32_t *w, unsigned n);

/* --- xhci-xfer.c --- */
void xhci_run_ep(XhciState *s, unsigned slot, unsigned ep);     /* both from 1 */
void xhci_ep_cancel(XhciEp *e);
/* State and dequeue pointer to the guest's context. */
void xhci_ep_store(XhciState *s, unsigned slot, unsigned ep);
/* Endpoints that had NAK, of all slots or (>0) one. */
void xhci_poll(XhciState *s, unsigned slot);
/* What is done goes to memory (before saving). */
void xhci_finish_done(XhciState *s);

#endif
