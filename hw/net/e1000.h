/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State of the 82540EM, shared by its files: e1000.c (registers, EEPROM, PHY,
 * interrupts, receive), e1000-tx.c (transmit descriptors and offloads).
 *
 * Source: PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual,
 * 317453-006 ("SDM").
 */
#ifndef HW_NET_E1000_H
#define HW_NET_E1000_H

#include "hw/core/regs.h"
#include "hw/core/state-view.h"
#include "hw/pci/pci.h"
#include "net/net.h"
#include "util/timer.h"

enum {
    REG_CTRL, REG_STATUS, REG_EECD, REG_EERD, REG_CTRL_EXT, REG_MDIC, REG_FCAL, REG_FCAH,
    REG_FCT, REG_VET, REG_ICR, REG_ITR, REG_ICS, REG_IMS, REG_IMC, REG_RCTL, REG_FCTTV,
    REG_TXCW, REG_RXCW, REG_TCTL, REG_TIPG, REG_AIT, REG_LEDCTL, REG_PBA, REG_FCRTL, REG_FCRTH,
    REG_RDBAL, REG_RDBAH, REG_RDLEN, REG_RDH, REG_RDT, REG_RDTR, REG_RXDCTL, REG_RADV, REG_RSRPD,
    REG_TXDMAC, REG_TDBAL, REG_TDBAH, REG_TDLEN, REG_TDH, REG_TDT, REG_TIDV, REG_TXDCTL,
    REG_TADV, REG_TSPMT, REG_RXCSUM, REG_WUC, REG_WUFC, REG_WUS, REG_MANC, REG_IPAV,
    REG_NUM
};

/* SDM 13.4.17: causes of interrupts. */
enum {
    ICR_TXDW = BIT(0), ICR_TXQE = BIT(1), ICR_LSC = BIT(2), ICR_RXSEQ = BIT(3),
    ICR_RXDMT0 = BIT(4), ICR_RXO = BIT(6), ICR_RXT0 = BIT(7), ICR_MDAC = BIT(9),
    ICR_RXCFG = BIT(10), ICR_GPI = MASK(13, 2), ICR_TXD_LOW = BIT(15), ICR_SRPD = BIT(16),
    ICR_ALL = ICR_TXDW | ICR_TXQE | ICR_LSC | ICR_RXSEQ | ICR_RXDMT0 | ICR_RXO | ICR_RXT0 |
              ICR_MDAC | ICR_RXCFG | ICR_GPI | ICR_TXD_LOW | ICR_SRPD,
};

#define E1000_CTRL_VME  BIT(30)     /* SDM 9: VLAN tags are inserted and taken out */

#define E1000_TX_MAX    0x10000     /* bytes of one packet before segmentation */

/* Statistics registers (SDM 13.7), by offset from 0x4000 in words. */
#define E1000_STATS     64
enum { STAT_MPC = 0x10 / 4, STAT_PRC64 = 0x5c / 4, STAT_GPRC = 0x74 / 4, STAT_BPRC = 0x78 / 4,
       STAT_MPRC = 0x7c / 4, STAT_GPTC = 0x80 / 4, STAT_GORCL = 0x88 / 4, STAT_GOTCL = 0x90 / 4,
       STAT_RNBC = 0xa0 / 4, STAT_ROC = 0xac / 4, STAT_TORL = 0xc0 / 4, STAT_TOTL = 0xc8 / 4,
       STAT_TPR = 0xd0 / 4, STAT_TPT = 0xd4 / 4, STAT_MPTC = 0xf0 / 4, STAT_BPTC = 0xf4 / 4,
       STAT_TSCTC = 0xf8 / 4 };

/* The context that a TCP/IP context descriptor sets (SDM 3.3.6). */
typedef struct E1000Context {
    uint8_t ipcss, ipcso, tucss, tucso, hdrlen, tucmd;
    uint16_t ipcse, tucse, mss;
    uint32_t paylen;
} E1000Context;

typedef struct E1000State {
    PCIDevice pci;
    MemRegion mmio, io;
    NetBackend *netdev;
    MacAddr mac;
    int32_t bootindex;
    uint32_t reg[REG_NUM];
    uint32_t stats[E1000_STATS];
    uint32_t mta[128], ra[32], vfta[128];
    uint32_t io_address;
    uint16_t eeprom[64];
    uint16_t phy[32];
    /* Microwire transfer to the EEPROM (SDM 5.3). */
    uint32_t eecd_in;
    uint8_t eecd_bits;
    bool eecd_reading;
    uint16_t eecd_out;
    bool link_up;
    /* Packet being gathered from transmit descriptors. */
    E1000Context tso, csum;     /* of contexts with TSE and without */
    uint8_t tx_popts, tx_dcmd;
    uint16_t tx_vlan;           /* tag to be inserted, with DCMD_VLE */
    bool tx_extended;
    uint32_t tx_len;
    uint8_t tx[E1000_TX_MAX];
    bool tx_busy;
    /* Interrupt throttling: none before the timer has expired (SDM 13.4.18). */
    Timer itr;
    bool itr_waiting;
} E1000State;

static inline E1000State *E1000(const void *obj)
{
    return (E1000State *)object_cast(obj, "e1000");
}

/* Raise causes and drive INTA#. */
void e1000_interrupt(E1000State *s, uint32_t causes);
void e1000_count(E1000State *s, unsigned stat, uint32_t n);     /* saturates */
void e1000_count64(E1000State *s, unsigned stat, uint32_t n);   /* low and high word */
/* A frame from the wire, or from our own transmitter in loopback. */
void e1000_receive(void *opaque, const uint8_t *frame, size_t len);
/* TDT was written, or transmitting was enabled. */
void e1000_transmit(E1000State *s);
/* e1000-state.c */
extern const VmMeaning e1000_meanings[];
extern const StatePrinter e1000_printers[];
/* Ones' complement sum, 16 bits big-endian at a time. */
uint16_t e1000_checksum(const uint8_t *p, size_t n, uint32_t sum);

#endif
