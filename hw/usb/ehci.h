/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EHCI host controllers: what ehci.c (registers, ports) and ehci-sched.c (schedules) share.
 *
 * Sources: Enhanced Host Controller Interface Specification 1.0 ("EHCI"); ICH9 data sheet
 * 316972 for PCI configuration.
 */
#ifndef HW_USB_EHCI_H
#define HW_USB_EHCI_H

#include "hw/pci/pci.h"
#include "hw/usb/usb.h"

#define TYPE_EHCI       "pci-ehci-usb"
#define EHCI_PORTS      6

/* EHCI 2.3.1 to 2.3.3 */
enum { CMD_RS = BIT(0), CMD_HCRESET = BIT(1), CMD_FLS = 0x0c, CMD_PSE = BIT(4), CMD_ASE = BIT(5),
       CMD_IAAD = BIT(6), CMD_LHCR = BIT(7), CMD_ITC = 0xff0000,
       CMD_RW = CMD_RS | CMD_FLS | CMD_PSE | CMD_ASE | CMD_IAAD | CMD_ITC };
enum { STS_INT = BIT(0), STS_ERR = BIT(1), STS_PCD = BIT(2), STS_FLR = BIT(3), STS_HSE = BIT(4),
       STS_IAA = BIT(5), STS_W1C = 0x3f, STS_HALTED = BIT(12), STS_RECLAIM = BIT(13),
       STS_PSS = BIT(14), STS_ASS = BIT(15), STS_ALL = STS_W1C | 0xf000 };

typedef struct EhciState EhciState;

/* The transfer descriptor of a queue whose packet waits for its device. */
typedef struct EhciTransfer {
    EhciState *ehci;
    UsbPacket packet;
    uint32_t qh, qtd, token;    /* addresses; token as it was started */
    uint64_t seen;              /* walk of the schedules that came by */
    bool done;
    struct EhciTransfer *next;
    uint8_t data[];
} EhciTransfer;

typedef struct EhciPort {
    UsbPort port;
    uint32_t sc;                /* PORTSC */
    const UsbPortOps *companion;        /* NULL: there is none */
    void *companion_opaque;
} EhciPort;

struct EhciState {
    PCIDevice pci;
    MemRegion mem;
    UsbBus *bus;
    EhciPort ports[EHCI_PORTS];
    uint32_t cmd, status, intr, frindex, periodic, async, config_flag;
    int64_t frame_ns;           /* when the frame of frindex began */
    Timer timer;
    /* Not saved. */
    unsigned n_companions;
    uint64_t walk;
    uint32_t idle_frames, pending;      /* pending: interrupts of this tick */
    bool busy, progress;
    uint32_t bytes;
    EhciTransfer *transfers;
    unsigned n_transfers;
};
DEFINE_CAST(EHCI, EhciState, TYPE_EHCI)

/* --- ehci-sched.c --- */
/* All frames until now; interrupts are raised. */
void ehci_run(EhciState *s);
/* When to run next. */
void ehci_schedule(EhciState *s);
/* Poll again: there may be something. */
void ehci_wake(EhciState *s);
void ehci_cancel_all(EhciState *s);
/* What is done goes to memory (before saving). */
void ehci_finish_done(EhciState *s);
/* EHCI 4.8.2: nothing of queues that were taken off is in use any more. */
void ehci_doorbell(EhciState *s);

/* --- ehci.c --- */
void ehci_interrupt(EhciState *s, uint32_t bits);
void ehci_host_error(EhciState *s);
UsbDevice *ehci_find_device(EhciState *s, uint8_t addr);

#endif
