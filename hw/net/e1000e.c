/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel 82574L Gigabit Ethernet controller: what it has beyond the 82540EM's: PCI Express, MSI and MSI-X with five vectors,
 * extended and packet-split receive descriptors, semaphores, the system time.
 *
 * Source: 82574 (see e1000.h). Not modelled: the flash, time stamps of frames, the order that TARC gives the two transmit
 * queues (the first one goes first), management, wake-up.
 */
#include "util/osdep.h"
#include "hw/net/e1000.h"

#include "hw/pci/pcie.h"
#include "net/offload.h"
#include "util/bswap.h"

/* The causes that have vectors, in the order of IVAR's fields. */
enum { ICR_OTHER = BIT(24),
       ICR_QUEUES = MASK(20, 5), ICR_ACK = BIT(17), ICR_MNG = BIT(18),
       ICR_IS_OTHER = ICR_LSC | ICR_RXO | ICR_MDAC | ICR_SRPD | ICR_ACK | ICR_MNG };
#define CTRL_GIO_MASTER_DISABLE BIT(2)
#define STATUS_GIO_MASTER       BIT(19)
#define STATUS_RESET    0x00080281u     /* master enabled, initialized from NVM, 1000 Mb/s, full duplex */
#define CTRL_EXT_EIAME  BIT(24)
#define EECD_REQ        BIT(6)
#define EECD_GNT        BIT(7)
#define EECD_PRES       BIT(8)
#define EECD_AUTO_RD    BIT(9)
#define SWSM_SMBI       BIT(0)
#define IVAR_VALID      8
#define SYSTIM_TICK_NS  40              /* 82574 10.2.10: 25 MHz */
#define EITR_UNIT_NS    256
#define FLASH_SIZE      0x20000
#define MSIX_BAR        3

/* --- interrupts (82574 7.4) --- */

static uint32_t derive(uint32_t causes)
{
    causes |= causes & (ICR_RXT0 | ICR_RXDMT0) && !(causes & ICR_RXQ1) ? ICR_RXQ0 : 0;
    causes |= causes & ICR_TXDW && !(causes & ICR_TXQ1) ? ICR_TXQ0 : 0;
    return causes & ICR_IS_OTHER ? causes | ICR_OTHER : causes;
}

/* The vector of cause 20 + @n; -1: it has none. */
static int vector_of(const E1000State *s, unsigned n)
{
    unsigned v = s->reg[REG_IVAR] >> 4 * n & 15;

    return v & IVAR_VALID && (v & 7) < E1000_VECTORS ? (int)(v & 7) : -1;
}

/* One message for each cause that is there and wasn't told. */
static void update_msix(E1000State *s)
{
    pci_set_irq(&s->pci, 0);
    for (unsigned n = 0; n < 5; n++) {
        uint32_t bit = ICR_RXQ0 << n, eitr;
        int v = vector_of(s, n);

        if (!(s->reg[REG_ICR] & s->reg[REG_IMS] & bit)) {
            s->told &= ~bit;
            continue;
        }
        if (s->told & bit || v < 0 || timer_pending(&s->eitr[v])) {
            continue;
        }
        eitr = s->reg[REG_EITR0 + v];
        if (eitr > 1) {
            timer_mod_ns(&s->eitr[v], clock_get_ns(CLOCK_VIRTUAL) + (int64_t)eitr * EITR_UNIT_NS);
        }
        s->told |= bit;
        if (s->reg[REG_CTRL_EXT] & CTRL_EXT_EIAME) {        /* 82574 10.2.2.5: masked until the driver is through */
            s->reg[REG_IMS] &= ~(s->reg[REG_IAM] & bit);
        }
        if (s->reg[REG_EIAC] & bit) {
            s->reg[REG_ICR] &= ~bit;
        }
        if (!(s->reg[REG_ICR] & s->reg[REG_IMS] & bit)) {
            s->told &= ~bit;
        }
        msix_notify(&s->pci, (unsigned)v);
    }
}

static void e1000e_update_irq(E1000State *s)
{
    if (msix_enabled(&s->pci)) {
        update_msix(s);
    } else {
        e1000_update_line(s);
    }
}

static void irq_written(void *opaque)
{
    e1000e_update_irq(opaque);
}

/* --- receive descriptors (82574 7.1.4, 7.1.5) --- */

static bool extended(const E1000State *s)
{
    return s->reg[REG_RFCTL] & E1000_RFCTL_EXSTEN;
}

static bool packet_split(const E1000State *s)
{
    return extended(s) && s->reg[REG_RCTL] & E1000_RCTL_DTYP_PS;
}

/* PSRCTL: the header's buffer in units of 128 bytes, three others in units of 1 KiB. */
static uint32_t split_size(const E1000State *s, unsigned n)
{
    uint32_t v = s->reg[REG_PSRCTL];

    return n ? (v >> 8 * n & 0x3f) * 1024 : (v & 0x7f) * 128;
}

static uint32_t e1000e_rx_size(const E1000State *s, uint32_t *buffers)
{
    if (!packet_split(s)) {
        return e1000_rx_size(s, buffers);
    }
    *buffers = 0;
    for (unsigned i = 0; i < 4; i++) {
        *buffers += split_size(s, i);
    }
    return E1000_RX_DESC_MAX;
}

/* Ethernet, IP, TCP or UDP headers of the frame; 0: they are none that the chip knows. */
static size_t header_bytes(const uint8_t *p, size_t len)
{
    NetHeaders h;
    size_t n;

    if (!net_headers(p, len, &h)) {
        return 0;
    }
    n = h.l4 + (h.udp ? 8u : h.l4 + 13u <= len ? (p[h.l4 + 12] >> 4) * 4u : 0);
    return n <= len ? n : 0;
}

static void put(E1000State *s, uint64_t addr, const uint8_t *p, size_t n)
{
    if (addr && n) {
        pci_dma_write(&s->pci, addr, p, n);
    }
}

/* The words that both forms have. */
static void put_status(E1000State *s, uint8_t *d, size_t n, const E1000RxResult *r)
{
    uint32_t word = !r ? 0 : s->reg[REG_RXCSUM] & E1000_RXCSUM_PCSD ? r->hash : (uint32_t)r->checksum << 16;

    store_le32(d, r ? r->hash_type | (uint32_t)r->queue << 8 : 0);      /* MRQ */
    store_le32(d + 4, word);
    store_le32(d + 8, r ? 3u | r->status | (uint32_t)r->errors << 24 : 1);      /* DD, EOP */
    store_le16(d + 12, (uint16_t)n);
    store_le16(d + 14, r ? r->vlan : 0);
}

static void fill_split(E1000State *s, uint8_t *d, const uint8_t *p, size_t n, const E1000RxResult *r)
{
    size_t header = header_bytes(p, n), done, most = 0;
    uint64_t addr[4];
    uint16_t length[4] = { 0 };

    for (unsigned i = 0; i < 4; i++) {
        addr[i] = load_le64(d + 8 * i);
        most += i ? split_size(s, i) : 0;
    }
    done = header && header <= split_size(s, 0) && n - header <= most ? header : MIN(n, split_size(s, 0));
    put(s, addr[0], p, done);
    memset(d, 0, E1000_RX_DESC_MAX);
    put_status(s, d, done, r);
    for (unsigned i = 1; i < 4; i++) {
        length[i] = (uint16_t)MIN(n - done, split_size(s, i));
        put(s, addr[i], p + done, length[i]);
        done += length[i];
        store_le16(d + 16 + 2 * i, length[i]);
    }
    store_le16(d + 16, (uint16_t)(header ? header | 0x8000 : 0));       /* HDRSP, length of the header */
}

static void e1000e_rx_fill(E1000State *s, uint8_t *d, const uint8_t *p, size_t n, const E1000RxResult *r)
{
    if (packet_split(s)) {
        fill_split(s, d, p, n, r);
    } else if (extended(s)) {
        put(s, load_le64(d), p, n);
        put_status(s, d, n, r);
    } else {
        e1000_rx_fill(s, d, p, n, r);
    }
}

/* --- registers --- */

static uint32_t status_read(void *opaque)
{
    const E1000State *s = opaque;

    return s->reg[REG_STATUS] & (s->reg[REG_CTRL] & CTRL_GIO_MASTER_DISABLE ? ~STATUS_GIO_MASTER : ~0u);
}

static void eecd_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    E1000State *s = opaque;

    s->reg[REG_EECD] = (s->reg[REG_EECD] & ~EECD_GNT) | (val & EECD_REQ ? EECD_GNT : 0);
}

/* 82574 10.2.2.4: START, DONE, the address from bit 2. */
static void eerd_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    E1000State *s = opaque;
    uint32_t at = val >> 2 & 0x3fff;

    if (val & BIT(0)) {
        s->reg[REG_EERD] = at << 2 | BIT(1) | (uint32_t)(at < ARRAY_SIZE(s->eeprom) ? s->eeprom[at] : 0xffff) << 16;
    }
}

/* 82574 10.2.8.11: who reads it first has the semaphore. */
static uint32_t swsm_read(void *opaque)
{
    E1000State *s = opaque;
    uint32_t v = s->reg[REG_SWSM];

    s->reg[REG_SWSM] |= SWSM_SMBI;
    return v;
}

static uint64_t systim(const E1000State *s)
{
    uint64_t start = s->reg[REG_SYSTIML] | (uint64_t)s->reg[REG_SYSTIMH] << 32;
    uint32_t period = MAX(s->reg[REG_TIMINCA] >> 24, 1u);
    uint64_t ticks = (uint64_t)(clock_get_ns(CLOCK_VIRTUAL) - s->systim_ns) / SYSTIM_TICK_NS / period;

    return start + ticks * (s->reg[REG_TIMINCA] & 0xffffff);
}

static uint32_t systiml_read(void *opaque)
{
    return (uint32_t)systim(opaque);
}

static uint32_t systimh_read(void *opaque)
{
    return (uint32_t)(systim(opaque) >> 32);
}

/* From now on, with what was written. */
static void systim_write(void *opaque, UNUSED uint32_t val, UNUSED uint32_t old)
{
    ((E1000State *)opaque)->systim_ns = clock_get_ns(CLOCK_VIRTUAL);
}

static void timinca_write(void *opaque, uint32_t val, uint32_t old)
{
    E1000State *s = opaque;
    uint64_t now;

    s->reg[REG_TIMINCA] = old;
    now = systim(s);
    s->reg[REG_TIMINCA] = val;
    s->reg[REG_SYSTIML] = (uint32_t)now;
    s->reg[REG_SYSTIMH] = (uint32_t)(now >> 32);
    s->systim_ns = clock_get_ns(CLOCK_VIRTUAL);
}

static const RegDef e1000e_regs[REG_NUM] = {
    E1000_SHARED_REGS,
    [REG_STATUS]  = { 0x0008, "STATUS", .reset = STATUS_RESET, .hw = E1000_STATUS_LU, .read = status_read,
                      .flags = FLAGS({ "FD", BIT(0) }, { "LU", E1000_STATUS_LU }) },
    [REG_EECD]    = { 0x0010, "EECD", .reset = EECD_PRES | EECD_AUTO_RD, .rw = 0x4f, .hw = EECD_GNT, .write = eecd_write },
    [REG_EERD]    = { 0x0014, "EERD", .hw = UINT32_MAX, .write = eerd_write },
    [REG_EIAC]    = { 0x00dc, "EIAC", .rw = ICR_QUEUES },
    [REG_IAM]     = { 0x00e0, "IAM", E1000_RW32 },
    [REG_IVAR]    = { 0x00e4, "IVAR", .rw = 0x800fffff, .written = irq_written },
    [REG_EITR0]   = { 0x00e8, "EITR0", .rw = 0xffff },
    [REG_EITR1]   = { 0x00ec, "EITR1", .rw = 0xffff },
    [REG_EITR2]   = { 0x00f0, "EITR2", .rw = 0xffff },
    [REG_EITR3]   = { 0x00f4, "EITR3", .rw = 0xffff },
    [REG_EITR4]   = { 0x00f8, "EITR4", .rw = 0xffff },
    [REG_RCTL]    = { 0x0100, "RCTL", .rw = 0x07fffffe, .written = e1000_rctl_written,
                      .flags = FLAGS({ "EN", E1000_RCTL_EN }, { "UPE", E1000_RCTL_UPE }, { "MPE", E1000_RCTL_MPE },
                                     { "DTYP_PS", E1000_RCTL_DTYP_PS }, { "BAM", E1000_RCTL_BAM }) },
    [REG_TCTL]    = { 0x0400, "TCTL", .rw = 0x1ffffffa, .written = e1000_tctl_written,
                      .flags = FLAGS({ "EN", BIT(1) }, { "PSP", BIT(3) }, { "MULR", BIT(28) }) },
    [REG_TCTL_EXT] = { 0x0404, "TCTL_EXT", .reset = 0x42, E1000_RW32 },
    [REG_EXTCNF_CTRL] = { 0x0f00, "EXTCNF_CTRL", E1000_RW32 },
    [REG_EXTCNF_SIZE] = { 0x0f08, "EXTCNF_SIZE", E1000_RW32 },
    [REG_PHY_CTRL] = { 0x0f10, "PHY_CTRL", E1000_RW32 },
    [REG_PBS]     = { 0x1008, "PBS", .reset = 0x28, E1000_RW32 },
    [REG_EEMNGCTL] = { 0x1010, "EEMNGCTL", .reset = 3u << 18 },         /* the configuration is done */
    [REG_PSRCTL]  = { 0x2170, "PSRCTL", .reset = 0x00040402, .rw = 0x3f3f3f7f },
    [REG_RDBAL1]  = { 0x2900, "RDBAL1", .rw = ~15u },
    [REG_RDBAH1]  = { 0x2904, "RDBAH1", E1000_RW32 },
    [REG_RDLEN1]  = { 0x2908, "RDLEN1", .rw = 0xfff80 },
    [REG_RDH1]    = { 0x2910, "RDH1", .rw = 0xffff },
    [REG_RDT1]    = { 0x2918, "RDT1", .rw = 0xffff, .written = e1000_rctl_written },
    [REG_RXDCTL]  = { 0x2828, "RXDCTL", .reset = 0x00010000, E1000_RW32 },
    [REG_RXDCTL1] = { 0x2928, "RXDCTL1", .reset = 0x00010000, E1000_RW32 },
    [REG_KABGTXD] = { 0x3004, "KABGTXD", E1000_RW32 },
    [REG_TARC0]   = { 0x3840, "TARC0", .reset = 0x403, E1000_RW32 },
    [REG_TDBAL1]  = { 0x3900, "TDBAL1", .rw = ~15u },
    [REG_TDBAH1]  = { 0x3904, "TDBAH1", E1000_RW32 },
    [REG_TDLEN1]  = { 0x3908, "TDLEN1", .rw = 0xfff80 },
    [REG_TDH1]    = { 0x3910, "TDH1", .rw = 0xffff },
    [REG_TDT1]    = { 0x3918, "TDT1", .rw = 0xffff, .written = e1000_tctl_written },
    [REG_TXDCTL1] = { 0x3928, "TXDCTL1", E1000_RW32 },
    [REG_TARC1]   = { 0x3940, "TARC1", .reset = 0x403, E1000_RW32 },
    [REG_RXCSUM]  = { 0x5000, "RXCSUM", .rw = 0x37ff },
    [REG_RFCTL]   = { 0x5008, "RFCTL", .rw = 0x0003ffff, .flags = FLAGS({ "EXSTEN", E1000_RFCTL_EXSTEN }) },
    [REG_WUC]     = { 0x5800, "WUC", .rw = 0x1ff },
    [REG_MRQC]    = { 0x5818, "MRQC", .rw = 0xffff0003 },
    [REG_MANC2H]  = { 0x5860, "MANC2H", E1000_RW32 },
    [REG_GCR]     = { 0x5b00, "GCR", E1000_RW32 },
    [REG_FACTPS]  = { 0x5b30, "FACTPS" },
    [REG_SWSM]    = { 0x5b50, "SWSM", .rw = 0xf, .read = swsm_read },
    [REG_FWSM]    = { 0x5b54, "FWSM" },
    [REG_SWSM2]   = { 0x5b58, "SWSM2", .rw = 2 },
    [REG_GCR2]    = { 0x5b64, "GCR2", E1000_RW32 },
    [REG_SYSTIML] = { 0xb600, "SYSTIML", E1000_RW32, .read = systiml_read, .write = systim_write },
    [REG_SYSTIMH] = { 0xb604, "SYSTIMH", E1000_RW32, .read = systimh_read, .write = systim_write },
    [REG_TIMINCA] = { 0xb608, "TIMINCA", E1000_RW32, .write = timinca_write },
    [REG_TSYNCTXCTL] = { 0xb614, "TSYNCTXCTL", .rw = 0x10 },
    [REG_TSYNCRXCTL] = { 0xb620, "TSYNCRXCTL", .rw = 0x1e },
    [REG_RXMTRL]  = { 0xb634, "RXMTRL", E1000_RW32 },
    [REG_RXUDP]   = { 0xb638, "RXUDP", .reset = 0x3f01, .rw = 0xffff },
};

static uint32_t *e1000e_words(E1000State *s, hwaddr addr)
{
    if (addr >= 0x5c00 && addr < 0x5c00 + sizeof(s->reta)) {
        return &s->reta[(addr - 0x5c00) / 4];
    }
    return addr >= 0x5c80 && addr < 0x5c80 + sizeof(s->rssrk) ? &s->rssrk[(addr - 0x5c80) / 4] : NULL;
}

static const E1000Model e1000e_model = {
    .regs = e1000e_regs, .phy_id2 = 0x0cb1, .causes = ICR_ALL | ICR_QUEUES | ICR_ACK | ICR_MNG, .derive = derive,
    .update_irq = e1000e_update_irq, .rx_size = e1000e_rx_size, .rx_fill = e1000e_rx_fill, .rx_hash = e1000e_rx_hash,
    .words = e1000e_words, .queues = E1000_QUEUES,
};

/* --- device --- */

/* An empty flash. */
static MemResult flash_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val, UNUSED unsigned size,
                            UNUSED MemAttrs attrs)
{
    *val = UINT64_MAX;
    return MEM_OK;
}

static MemResult flash_write(UNUSED void *opaque, UNUSED hwaddr addr, UNUSED uint64_t val, UNUSED unsigned size,
                             UNUSED MemAttrs attrs)
{
    return MEM_OK;
}

static const MemOps flash_ops = {
    .read = flash_read, .write = flash_write, .order = MEM_LE, .valid = { 1, 8 }, .impl = { 1, 8 },
};

static bool e1000e_realize(Device *dev, Error **errp)
{
    E1000State *s = E1000(dev);

    memory_region_init_io(&s->flash, s, &flash_ops, s, "e1000e-flash", FLASH_SIZE);
    pci_register_bar(&s->pci, 1, PCI_BAR_MEM32, &s->flash);
    pci_register_bar(&s->pci, 2, PCI_BAR_IO, &s->io);
    if (!msix_init_exclusive_bar(&s->pci, E1000_VECTORS, MSIX_BAR, errp) || !pci_add_pm(&s->pci, errp) ||
        !msi_init(&s->pci, 0xd0, 1, true, false, errp) || !pcie_add_endpoint(&s->pci, errp)) {
        return false;
    }
    if (s->pci.config_size == PCIE_CONFIG_SIZE && s->pci.exp_cap) {
        pcie_add_aer(&s->pci, false);
        /* 82574 6.6.2: the address with FFFFh in its middle. */
        pcie_add_serial_number(&s->pci, (uint64_t)s->mac.a[0] << 56 | (uint64_t)s->mac.a[1] << 48 |
                                        (uint64_t)s->mac.a[2] << 40 | UINT64_C(0xffff) << 24 |
                                        (uint64_t)s->mac.a[3] << 16 | (uint64_t)s->mac.a[4] << 8 | s->mac.a[5]);
    }
    return true;
}

static void e1000e_unrealize(Device *dev)
{
    memory_region_cleanup(&E1000(dev)->flash);
}

static const VmField e1000e_fields[] = {
    E1000_FIELDS(e1000e_regs), VM_TIMER(E1000State, eitr[0]), VM_TIMER(E1000State, eitr[1]), VM_TIMER(E1000State, eitr[2]),
    VM_TIMER(E1000State, eitr[3]), VM_TIMER(E1000State, eitr[4]), VM_U32(E1000State, told), VM_U32_ARRAY(E1000State, reta),
    VM_U32_ARRAY(E1000State, rssrk), VM_I64(E1000State, systim_ns),
    VM_U8_RANGE(E1000State, tx_queue, 0, E1000_QUEUES - 1), VM_END
};

static const DeviceType e1000e_type = {
    .name = "e1000e", .parent = TYPE_E1000_BASE, .desc = "Intel Gigabit Ethernet (82574L)", .hotpluggable = true,
    .pci = { .device = 0x10d3, .romfile = "efi-e1000e.rom", .express = true, .subsystem_vendor = 0x8086 },
    .realize = e1000e_realize, .unrealize = e1000e_unrealize, .data = &e1000e_model,
    .vm = { 1, e1000e_fields, .post_load = e1000_post_load, .meanings = e1000e_meanings }, .printers = e1000e_printers,
};
DEVICE_TYPE(e1000e_type)
