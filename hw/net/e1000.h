/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State of Intel's Gigabit Ethernet controllers, and what their files share:
 *
 *   e1000.c      registers, EEPROM, PHY, interrupts; the 82540EM
 *   e1000-rx.c   receive: filters, descriptors
 *   e1000-tx.c   transmit: descriptors and offloads
 *   e1000e.c     the 82574L: its own registers, extended descriptors, MSI-X
 *   e1000e-rss.c its hash of received packets
 *
 * Sources: PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual,
 * 317453-006 ("SDM"); Intel 82574 GbE Controller Family Datasheet, 315-3.4 ("82574").
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
    /* The 82574's. */
    REG_EIAC, REG_IAM, REG_IVAR, REG_EITR0, REG_EITR1, REG_EITR2, REG_EITR3, REG_EITR4, REG_TCTL_EXT, REG_EXTCNF_CTRL,
    REG_EXTCNF_SIZE, REG_PHY_CTRL, REG_PBS, REG_EEMNGCTL, REG_PSRCTL, REG_RXDCTL1, REG_KABGTXD, REG_TARC0, REG_TXDCTL1,
    REG_TARC1, REG_RFCTL, REG_MRQC, REG_MANC2H, REG_GCR, REG_FACTPS, REG_SWSM, REG_FWSM, REG_SWSM2, REG_GCR2,
    REG_SYSTIML, REG_SYSTIMH, REG_TIMINCA, REG_TSYNCTXCTL, REG_TSYNCRXCTL, REG_RXMTRL, REG_RXUDP,
    /* Its second queues, in the order of the first ones. */
    REG_RDBAL1, REG_RDBAH1, REG_RDLEN1, REG_RDH1, REG_RDT1, REG_TDBAL1, REG_TDBAH1, REG_TDLEN1, REG_TDH1, REG_TDT1,
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

/* 82574 10.2.4.1: causes of queues; with two of them RXT0, RXDMT0 and TXDW say of either that something was done. */
enum { ICR_RXQ0 = BIT(20), ICR_RXQ1 = BIT(21), ICR_TXQ0 = BIT(22), ICR_TXQ1 = BIT(23) };
#define E1000_QUEUES        2           /* of each direction, of the 82574 */

#define E1000_CTRL_RST      BIT(26)
#define E1000_CTRL_PHY_RST  BIT(31)
#define E1000_STATUS_LU     BIT(1)
#define E1000_RCTL_EN       BIT(1)
#define E1000_RCTL_UPE      BIT(3)
#define E1000_RCTL_MPE      BIT(4)
#define E1000_RCTL_BAM      BIT(15)
/* 82574 9.2.5.1, 9.2.5.16: receive descriptors of 32 bytes that split packets; extended ones. */
#define E1000_RCTL_DTYP_PS  BIT(10)
#define E1000_RFCTL_EXSTEN  BIT(15)
#define E1000_RXCSUM_PCSD   BIT(13)     /* 82574: no checksum of the packet in its descriptor */
#define E1000_MRQC_TWO      BIT(0)      /* 82574 10.2.5.16: two queues, by the hash */

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

typedef struct E1000State E1000State;

/* What the last descriptor of a frame tells about it. */
typedef struct E1000RxResult {
    uint8_t status, errors, hash_type;      /* hash_type 0: there is none */
    uint8_t queue;
    uint16_t vlan, checksum;
    uint32_t hash;
} E1000RxResult;

/* .data of a controller's type. */
typedef struct E1000Model {
    const RegDef *regs;         /* REG_NUM rows */
    uint16_t phy_id2;
    uint32_t causes;            /* bits that ICR and IMS have */
    /* @causes and what they mean for queues; NULL: this is no 82574. */
    uint32_t (*derive)(uint32_t causes);
    /* The lines or messages, after a change of ICR or IMS. */
    void (*update_irq)(E1000State *s);
    /* Bytes of a receive descriptor, and of the buffers that it names. */
    uint32_t (*rx_size)(const E1000State *s, uint32_t *buffers);
    /* Fill the descriptor @d (.rx_size() bytes) with up to @n bytes; @r: of the frame's last one, else NULL. */
    void (*rx_fill)(E1000State *s, uint8_t *d, const uint8_t *p, size_t n, const E1000RxResult *r);
    uint8_t queues;             /* of each direction */
    /* Sets .hash, its type and .queue; NULL: this model knows none. */
    void (*rx_hash)(E1000State *s, const uint8_t *p, size_t len, E1000RxResult *r);
    /* Other words than the registers; NULL: there are none. */
    uint32_t *(*words)(E1000State *s, hwaddr addr);
} E1000Model;

#define E1000_INT_ASSERTED  BIT(31)     /* 82574: in ICR as it is read */
#define E1000_CTRL_EXT_IAME BIT(27)
#define E1000_RX_LEGACY     16          /* bytes */
#define E1000_RX_DESC_MAX   32
#define E1000_VECTORS   5       /* of the 82574 */

struct E1000State {
    PCIDevice pci;
    const E1000Model *model;
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
    uint8_t tx_queue;           /* from which it comes: the other one waits for its end */
    uint8_t tx[E1000_TX_MAX];
    bool tx_busy;
    /* Interrupt throttling: none before the timer has expired (SDM 13.4.18). */
    Timer itr;
    bool itr_waiting;
    /* The 82574's. */
    MemRegion flash;
    Timer eitr[E1000_VECTORS];
    uint32_t told;              /* causes in ICR whose message was sent; bit 0: of MSI */
    uint32_t reta[32], rssrk[10];
    int64_t systim_ns;          /* when SYSTIM was what its registers hold */
};

/* Register @first, one of REG_RDBAL to REG_RDT or REG_TDBAL to REG_TDT, of queue @q. */
static inline uint32_t *e1000_rx_reg(E1000State *s, unsigned q, unsigned first)
{
    return &s->reg[q ? first - REG_RDBAL + REG_RDBAL1 : first];
}

static inline uint32_t *e1000_tx_reg(E1000State *s, unsigned q, unsigned first)
{
    return &s->reg[q ? first - REG_TDBAL + REG_TDBAL1 : first];
}

#define TYPE_E1000_BASE     "e1000-base"
static inline E1000State *E1000(const void *obj)
{
    return (E1000State *)object_cast(obj, TYPE_E1000_BASE);
}

/* Rows that both controllers' tables have. */
#define E1000_RW32 .rw = UINT32_MAX
#define E1000_SHARED_REGS \
    [REG_CTRL]    = { 0x0000, "CTRL", .reset = 0x00140240, .rw = ~0u, .write = e1000_ctrl_write, \
                      .flags = FLAGS({ "FD", BIT(0) }, { "SLU", BIT(6) }, { "RST", E1000_CTRL_RST }) }, \
    [REG_CTRL_EXT] = { 0x0018, "CTRL_EXT", E1000_RW32 }, \
    [REG_MDIC]    = { 0x0020, "MDIC", .hw = UINT32_MAX, .write = e1000_mdic_write }, \
    [REG_FCAL]    = { 0x0028, "FCAL", E1000_RW32 }, \
    [REG_FCAH]    = { 0x002c, "FCAH", .rw = 0xffff }, \
    [REG_FCT]     = { 0x0030, "FCT", .rw = 0xffff }, \
    [REG_VET]     = { 0x0038, "VET", .rw = 0xffff }, \
    [REG_ICR]     = { 0x00c0, "ICR", .hw = UINT32_MAX, .read = e1000_icr_read, .write = e1000_icr_write, \
                      .flags = FLAGS({ "TXDW", ICR_TXDW }, { "LSC", ICR_LSC }, \
                                     { "RXDMT0", ICR_RXDMT0 }, { "RXO", ICR_RXO }, \
                                     { "RXT0", ICR_RXT0 }) }, \
    [REG_ITR]     = { 0x00c4, "ITR", .rw = 0xffff }, \
    [REG_ICS]     = { 0x00c8, "ICS", .write_only = true, .write = e1000_ics_write }, \
    [REG_IMS]     = { 0x00d0, "IMS", .hw = UINT32_MAX, .write = e1000_ims_write }, \
    [REG_IMC]     = { 0x00d8, "IMC", .write_only = true, .write = e1000_imc_write }, \
    [REG_FCTTV]   = { 0x0170, "FCTTV", .rw = 0xffff }, \
    [REG_TXCW]    = { 0x0178, "TXCW", E1000_RW32 }, \
    [REG_RXCW]    = { 0x0180, "RXCW" }, \
    [REG_TIPG]    = { 0x0410, "TIPG", .rw = 0x3fffffff }, \
    [REG_AIT]     = { 0x0458, "AIT", .rw = 0xffff }, \
    [REG_LEDCTL]  = { 0x0e00, "LEDCTL", .reset = 0x07068302, E1000_RW32 }, \
    [REG_PBA]     = { 0x1000, "PBA", .reset = 0x00100030, .rw = 0xffff }, \
    [REG_FCRTL]   = { 0x2160, "FCRTL", E1000_RW32 }, \
    [REG_FCRTH]   = { 0x2168, "FCRTH", E1000_RW32 }, \
    [REG_RDBAL]   = { 0x2800, "RDBAL", .rw = ~15u }, \
    [REG_RDBAH]   = { 0x2804, "RDBAH", E1000_RW32 }, \
    [REG_RDLEN]   = { 0x2808, "RDLEN", .rw = 0xfff80 }, \
    [REG_RDH]     = { 0x2810, "RDH", .rw = 0xffff }, \
    [REG_RDT]     = { 0x2818, "RDT", .rw = 0xffff, .written = e1000_rctl_written }, \
    [REG_RDTR]    = { 0x2820, "RDTR", .rw = 0xffff }, \
    [REG_RADV]    = { 0x282c, "RADV", .rw = 0xffff }, \
    [REG_RSRPD]   = { 0x2c00, "RSRPD", .rw = 0xfff }, \
    [REG_TDBAL]   = { 0x3800, "TDBAL", .rw = ~15u }, \
    [REG_TDBAH]   = { 0x3804, "TDBAH", E1000_RW32 }, \
    [REG_TDLEN]   = { 0x3808, "TDLEN", .rw = 0xfff80 }, \
    [REG_TDH]     = { 0x3810, "TDH", .rw = 0xffff }, \
    [REG_TDT]     = { 0x3818, "TDT", .rw = 0xffff, .written = e1000_tctl_written }, \
    [REG_TIDV]    = { 0x3820, "TIDV", .rw = 0xffff }, \
    [REG_TXDCTL]  = { 0x3828, "TXDCTL", E1000_RW32 }, \
    [REG_TADV]    = { 0x382c, "TADV", .rw = 0xffff }, \
    [REG_TSPMT]   = { 0x3830, "TSPMT", E1000_RW32 }, \
    [REG_WUFC]    = { 0x5808, "WUFC", .rw = 0xf00ff }, \
    [REG_WUS]     = { 0x5810, "WUS", .w1c = 0xf00ff }, \
    [REG_MANC]    = { 0x5820, "MANC", .reset = 0x00002000, E1000_RW32 }, \
    [REG_IPAV]    = { 0x5838, "IPAV", .rw = 0xf000f }

/* e1000.c: for the tables. */
void e1000_ctrl_write(void *opaque, uint32_t val, uint32_t old);
uint32_t e1000_icr_read(void *opaque);
void e1000_icr_write(void *opaque, uint32_t val, uint32_t old);
void e1000_ics_write(void *opaque, uint32_t val, uint32_t old);
void e1000_ims_write(void *opaque, uint32_t val, uint32_t old);
void e1000_imc_write(void *opaque, uint32_t val, uint32_t old);
void e1000_mdic_write(void *opaque, uint32_t val, uint32_t old);
void e1000_rctl_written(void *opaque);
void e1000_tctl_written(void *opaque);
/* INTA# or MSI, by all causes together and no sooner than ITR lets it. */
void e1000_update_line(E1000State *s);
/* e1000-rx.c */
extern const NetDeviceOps e1000_net_ops;
void e1000_link_changed(void *opaque, bool up);
/* Of RCTL, bytes. */
uint32_t e1000_buffer_size(const E1000State *s);
/* The legacy descriptor, for E1000Model. */
uint32_t e1000_rx_size(const E1000State *s, uint32_t *buffers);
void e1000_rx_fill(E1000State *s, uint8_t *d, const uint8_t *p, size_t n, const E1000RxResult *r);

/* Raise causes and drive the interrupt. */
void e1000_interrupt(E1000State *s, uint32_t causes);
void e1000_count(E1000State *s, unsigned stat, uint32_t n);     /* saturates */
void e1000_count64(E1000State *s, unsigned stat, uint32_t n);   /* low and high word */
/* A frame from the wire, or from our own transmitter in loopback. */
void e1000_receive(void *opaque, const uint8_t *frame, size_t len);
/* TDT was written, or transmitting was enabled. */
void e1000_transmit(E1000State *s);
/* A field table's rows of everything that all controllers have. */
extern const VmState e1000_context_vm;
#define E1000_FIELDS(table) \
    VM_PCI(E1000State, pci), VM_REGS(E1000State, reg, table), \
    VM_U32_ARRAY(E1000State, stats), VM_U32_ARRAY(E1000State, mta), VM_U32_ARRAY(E1000State, ra), \
    VM_U32_ARRAY(E1000State, vfta), VM_U32(E1000State, io_address), \
    VM_U16_ARRAY(E1000State, eeprom), VM_U16_ARRAY(E1000State, phy), \
    VM_U32(E1000State, eecd_in), VM_U8_RANGE(E1000State, eecd_bits, 0, 9), \
    VM_BOOL(E1000State, eecd_reading), VM_U16(E1000State, eecd_out), VM_BOOL(E1000State, link_up), \
    VM_STRUCT(E1000State, tso, e1000_context_vm), VM_STRUCT(E1000State, csum, e1000_context_vm), \
    VM_TIMER(E1000State, itr), VM_BOOL(E1000State, itr_waiting), \
    VM_U8(E1000State, tx_popts), VM_U8(E1000State, tx_dcmd), VM_U16(E1000State, tx_vlan), \
    VM_BOOL(E1000State, tx_extended), VM_U32_RANGE(E1000State, tx_len, 0, E1000_TX_MAX), \
    VM_VARRAY(E1000State, tx, tx_len, E1000_TX_MAX)
bool e1000_post_load(void *opaque, Error **errp);
/* e1000-state.c */
extern const VmMeaning e1000_meanings[], e1000e_meanings[];
extern const StatePrinter e1000_printers[], e1000e_printers[];
/* Ones' complement sum, 16 bits big-endian at a time. */
uint16_t e1000_checksum(const uint8_t *p, size_t n, uint32_t sum);

/* e1000e-rss.c: the hash, and the queue that it leads to */
void e1000e_rx_hash(E1000State *s, const uint8_t *p, size_t len, E1000RxResult *r);

#endif
