/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtl8139: Realtek's RTL8139C fast Ethernet controller.
 *
 * Source: RTL8139C data sheet 1.4 ("DS"). Frames go through four transmit slots and one receive
 * ring. Not modelled: the descriptor mode of the RTL8139C+ (the PCI revision is 10h, so that drivers don't
 * look for it), wake-up, early interrupts, flow control.
 */
#include "util/osdep.h"
#include "hw/core/boot.h"
#include "hw/net/rtl8139-state.h"
#include "hw/pci/pci.h"
#include "net/net.h"

#include <glib.h>
#include "util/bswap.h"
#include "util/log.h"

#define TYPE_RTL8139    "rtl8139"
#define REG_SIZE        0x100

/* DS 5: registers. */
enum { IDR0 = 0x00, MAR0 = 0x08, TSD0 = 0x10, TSAD0 = 0x20, RBSTART = 0x30, ERBCR = 0x34,
       ERSR = 0x36, CR = 0x37, CAPR = 0x38, CBR = 0x3a, IMR = 0x3c, ISR = 0x3e, TCR = 0x40,
       RCR = 0x44, TCTR = 0x48, MPC = 0x4c, CR9346 = 0x50, CONFIG0 = 0x51, CONFIG1 = 0x52,
       TIMERINT = 0x54, MSR = 0x58, CONFIG3 = 0x59, CONFIG4 = 0x5a, MULINT = 0x5c, RERID = 0x5e,
       TSAD = 0x60, BMCR = 0x62, BMSR = 0x64, ANAR = 0x66, ANLPAR = 0x68, ANER = 0x6a };
enum { CR_BUFE = BIT(0), CR_TE = BIT(2), CR_RE = BIT(3), CR_RST = BIT(4) };
enum { INT_ROK = BIT(0), INT_RER = BIT(1), INT_TOK = BIT(2), INT_TER = BIT(3), INT_RXOVW = BIT(4),
       INT_LINK = BIT(5), INT_FOVW = BIT(6), INT_TIMEOUT = BIT(14), INT_ALL = 0xe07f };
/* DS 5.2: transmit status. */
enum { TSD_OWN = BIT(13), TSD_TOK = BIT(15), TSD_SIZE = 0x1fff, TSD_RW = 0x003f1fff };
#define TSD_MAX         1792            /* DS 5.2: bytes of a frame at most */
/* DS 5.1: receive header. */
enum { RX_ROK = BIT(0), RX_BAR = BIT(13), RX_PAM = BIT(14), RX_MAR = BIT(15) };
enum { RCR_AAP = BIT(0), RCR_APM = BIT(1), RCR_AM = BIT(2), RCR_AB = BIT(3), RCR_WRAP = BIT(7),
       RCR_RBLEN = 3u << 11 };
enum { TCR_LOOPBACK = 3u << 17, TCR_RW = 0x0107fff0 };
#define TCR_HWVER       0x74000000u     /* RTL8139C */
enum { EE_DO = BIT(0), EE_DI = BIT(1), EE_SK = BIT(2), EE_CS = BIT(3), EE_MODE = 0xc0,
       EE_PROGRAM = 0x80, EE_CONFIG = 0xc0 };
enum { MSR_LINKB = BIT(2) };
enum { BMSR_LINK = BIT(2), BMSR_ABILITIES = 0x7829 };
#define RX_FRAME_MAX    1792
#define FRAME_MIN       60
#define TICK_NS         30              /* of TCTR: the PCI clock */

typedef struct Rtl8139State {
    PCIDevice pci;
    MemRegion io, mem;
    NetBackend *netdev;
    MacAddr mac;
    int32_t bootindex;
    Timer timer;
    uint8_t idr[6], mar[8];
    uint32_t tsd[4], tsad[4];
    uint32_t rbstart, tcr, rcr, mpc, timerint;
    uint16_t capr, cbr, imr, isr, mulint, bmcr, anar;
    uint8_t cr, cr9346, config[5];
    int64_t timer_ns;                   /* when TCTR was 0 */
    bool link_up;
    /* The 93C46 (Microwire): bits that have come, and the word that goes out. */
    uint32_t ee_in;
    uint8_t ee_bits, ee_out_bits;
    uint16_t ee_out;
    /* Not saved. */
    uint16_t eeprom[64];
} Rtl8139State;
DEFINE_CAST(RTL8139, Rtl8139State, TYPE_RTL8139)

static void update_irq(Rtl8139State *s)
{
    pci_set_irq(&s->pci, (s->isr & s->imr) != 0);
}

static void interrupt(Rtl8139State *s, uint16_t bits)
{
    s->isr |= bits;
    update_irq(s);
}

/* --- receiving (DS 6.1) --- */

static uint32_t ring_size(const Rtl8139State *s)
{
    return 8192u << (s->rcr >> 11 & 3);
}

static uint32_t ring_free(const Rtl8139State *s)
{
    /* CAPR is 16 bytes behind what was read. */
    uint32_t size = ring_size(s), read = (s->capr + 16u) % size;

    return s->cbr == read ? size : (read + size - s->cbr) % size;
}

static uint32_t crc32_be(const uint8_t *p, size_t n)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            bool carry = (crc >> 31) ^ (p[i] >> bit & 1);

            crc = crc << 1 ^ (carry ? 0x04c11db7 : 0);
        }
    }
    return crc;
}

/* DS 5.9: status bits if the frame is wanted, 0 else. */
static uint16_t accept(const Rtl8139State *s, const uint8_t *frame)
{
    static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    if (!memcmp(frame, broadcast, 6)) {
        return s->rcr & (RCR_AB | RCR_AAP) ? RX_ROK | RX_BAR : 0;
    }
    if (frame[0] & 1) {
        unsigned n = crc32_be(frame, 6) >> 26;
        bool wanted = (s->rcr & RCR_AM) && (s->mar[n / 8] >> n % 8 & 1);

        return wanted || (s->rcr & RCR_AAP) ? RX_ROK | RX_MAR : 0;
    }
    if (!memcmp(frame, s->idr, 6)) {
        return s->rcr & (RCR_APM | RCR_AAP) ? RX_ROK | RX_PAM : 0;
    }
    return s->rcr & RCR_AAP ? RX_ROK : 0;
}

static void ring_write(Rtl8139State *s, const void *data, uint32_t len)
{
    uint32_t size = ring_size(s), first = MIN(len, size - s->cbr);

    /* DS 5.9, WRAP: what goes past the end stays there, the driver has room for it. */
    if (s->rcr & RCR_WRAP) {
        first = len;
    }
    pci_dma_write(&s->pci, s->rbstart + s->cbr, data, first);
    if (first < len) {
        pci_dma_write(&s->pci, s->rbstart, (const uint8_t *)data + first, len - first);
    }
}

/* While it is off frames are lost, not kept. */
static bool has_room(const Rtl8139State *s)
{
    return !(s->cr & CR_RE) || ring_free(s) > RX_FRAME_MAX + 8;
}

/* Frames that find the ring full wait, but the driver hears of it (ISR, RXOVW): Linux's rests with data in
 * the ring, until the next event. */
static bool can_receive(void *opaque)
{
    Rtl8139State *s = opaque;

    if (!has_room(s)) {
        interrupt(s, INT_RXOVW);
        return false;
    }
    return true;
}

static void receive(void *opaque, const uint8_t *frame, size_t len)
{
    Rtl8139State *s = opaque;
    uint8_t buf[4 + RX_FRAME_MAX + 4] = { 0 };
    uint32_t n = (uint32_t)MAX(len, FRAME_MIN), total = (4 + n + 4 + 3) & ~3u;
    uint16_t status;

    if (!(s->cr & CR_RE) || len < 14 || len > RX_FRAME_MAX - 4) {
        return;
    }
    status = accept(s, frame);
    if (!status) {
        return;
    }
    if (total > ring_free(s) || (total == ring_free(s) && s->cbr != (s->capr + 16u) % ring_size(s))) {
        s->mpc++;
        interrupt(s, INT_RXOVW);
        return;
    }
    store_le16(buf, status);
    store_le16(buf + 2, (uint16_t)(n + 4));
    memcpy(buf + 4, frame, len);
    /* The four bytes of the CRC: drivers don't look at them. */
    ring_write(s, buf, total);
    s->cbr = (uint16_t)((s->cbr + total) % ring_size(s));
    s->cr &= ~CR_BUFE;
    interrupt(s, INT_ROK);
}

static void link_changed(void *opaque, bool up)
{
    Rtl8139State *s = opaque;

    s->link_up = up;
    interrupt(s, INT_LINK);
}

static const MacAddr *own_mac(void *opaque)
{
    return &((Rtl8139State *)opaque)->mac;
}

static const NetDeviceOps net_ops = { .can_receive = can_receive, .receive = receive,
                                      .link_changed = link_changed, .mac = own_mac };

/* --- sending (DS 6.2) --- */

static void transmit(Rtl8139State *s, unsigned n)
{
    uint32_t len = s->tsd[n] & TSD_SIZE;
    uint8_t frame[TSD_MAX];

    if (!(s->cr & CR_TE) || (s->tsd[n] & TSD_OWN)) {
        return;
    }
    if (len > TSD_MAX || pci_dma_read(&s->pci, s->tsad[n], frame, len) != MEM_OK) {
        s->tsd[n] |= TSD_OWN;
        interrupt(s, INT_TER);
        return;
    }
    s->tsd[n] |= TSD_OWN | TSD_TOK;
    if (s->tcr & TCR_LOOPBACK) {
        receive(s, frame, len);
    } else if (len) {
        net_send(s->netdev, frame, len);
    }
    interrupt(s, INT_TOK);
}

/* --- the timer (DS 5.11) --- */

static void set_timer(Rtl8139State *s)
{
    if (s->timerint) {
        timer_mod_ns(&s->timer, s->timer_ns + (int64_t)s->timerint * TICK_NS);
    } else {
        timer_del(&s->timer);
    }
}

static void timer_fired(void *opaque)
{
    interrupt(opaque, INT_TIMEOUT);
}

/* --- the EEPROM (DS 7): start bit, two bits of opcode, six of address --- */

static void eeprom_lines(Rtl8139State *s, uint8_t now, uint8_t old)
{
    if (!(now & EE_CS)) {
        s->ee_bits = s->ee_out_bits = 0;
        s->ee_in = 0;
        return;
    }
    if (!(now & EE_SK) || (old & EE_SK)) {
        return;
    }
    if (s->ee_out_bits) {
        /* The first clock ends the zero, each later one a bit. */
        s->ee_out = (uint16_t)(s->ee_out_bits < 17 ? s->ee_out << 1 : s->ee_out);
        s->ee_out_bits--;
        return;
    }
    if (!s->ee_bits && !(now & EE_DI)) {
        return;                         /* waits for the start bit */
    }
    s->ee_in = s->ee_in << 1 | ((now & EE_DI) != 0);
    if (++s->ee_bits == 9) {
        if ((s->ee_in >> 6 & 3) == 2) { /* READ; a zero goes before the word */
            s->ee_out = s->eeprom[s->ee_in & 0x3f];
            s->ee_out_bits = 17;
        }
        s->ee_bits = 0;
        s->ee_in = 0;
    }
}

/* The dummy zero first, then the word's bits. */
static bool eeprom_out(const Rtl8139State *s)
{
    return s->ee_out_bits && s->ee_out_bits < 17 && (s->ee_out & 0x8000);
}

static void write_9346(Rtl8139State *s, uint8_t val)
{
    uint8_t old = s->cr9346;

    s->cr9346 = val & (EE_MODE | EE_CS | EE_SK | EE_DI);
    if ((val & EE_MODE) == EE_PROGRAM) {
        eeprom_lines(s, val, old);
    }
}

/* --- registers --- */

static void chip_reset(Rtl8139State *s)
{
    memset(s->tsd, 0, sizeof(s->tsd));
    memset(s->tsad, 0, sizeof(s->tsad));
    for (int i = 0; i < 4; i++) {
        s->tsd[i] = TSD_OWN;
    }
    s->rbstart = s->mpc = s->timerint = 0;
    s->tcr = s->rcr = 0;
    s->capr = 0xfff0;
    s->cbr = s->imr = s->isr = s->mulint = 0;
    s->cr = CR_BUFE;
    s->cr9346 = 0;
    s->ee_bits = s->ee_out_bits = 0;
    s->ee_in = s->ee_out = 0;
    s->timer_ns = clock_get_ns(CLOCK_VIRTUAL);
    timer_del(&s->timer);
    memcpy(s->idr, s->mac.a, 6);
    s->bmcr = 0x1000;
    s->anar = 0x05e1;
    s->config[0] = 0;
    s->config[1] = 0x0c;
    s->config[2] = s->config[3] = s->config[4] = 0;
    update_irq(s);
}

static uint32_t read_byte(Rtl8139State *s, uint32_t addr)
{
    uint32_t word = 0, shift = 8 * (addr & 3);

    switch (addr & ~3u) {
    case IDR0:
    case IDR0 + 4:
        return addr < 6 ? s->idr[addr] : 0;
    case MAR0:
    case MAR0 + 4:
        return s->mar[addr - MAR0];
    case TSD0 ... TSD0 + 12:
        word = s->tsd[(addr - TSD0) / 4];
        break;
    case TSAD0 ... TSAD0 + 12:
        word = s->tsad[(addr - TSAD0) / 4];
        break;
    case RBSTART:
        word = s->rbstart;
        break;
    case ERBCR:
        word = (uint32_t)(s->cr | ((s->cr & CR_RE) && s->cbr == (s->capr + 16u) % ring_size(s)
                                   ? CR_BUFE : 0)) << 24;
        break;
    case CAPR:
        word = s->capr | (uint32_t)s->cbr << 16;
        break;
    case IMR:
        word = s->imr | (uint32_t)s->isr << 16;
        break;
    case TCR:
        word = s->tcr | TCR_HWVER;
        break;
    case RCR:
        word = s->rcr;
        break;
    case TCTR:
        word = (uint32_t)((clock_get_ns(CLOCK_VIRTUAL) - s->timer_ns) / TICK_NS);
        break;
    case MPC:
        word = s->mpc & 0xffffff;
        break;
    case CR9346:
        word = s->cr9346 | (eeprom_out(s) ? EE_DO : 0) | (uint32_t)s->config[0] << 8 |
               (uint32_t)s->config[1] << 16;
        break;
    case TIMERINT:
        word = s->timerint;
        break;
    case MSR:
        word = (s->link_up ? 0 : MSR_LINKB) | (uint32_t)s->config[3] << 8 |
               (uint32_t)s->config[4] << 16;
        break;
    case MULINT:
        word = s->mulint | 0x100000u;
        break;
    case TSAD:                          /* DS 5.12: OWN, TABT, TUN, TOK of each slot */
        for (int i = 0; i < 4; i++) {
            word |= (s->tsd[i] & TSD_OWN ? BIT(i) : 0) | (s->tsd[i] & TSD_TOK ? BIT(12 + i) : 0);
        }
        word |= (uint32_t)s->bmcr << 16;
        break;
    case BMSR:
        word = BMSR_ABILITIES | (s->link_up ? BMSR_LINK : 0) | (uint32_t)s->anar << 16;
        break;
    case ANLPAR:
        word = s->link_up ? 0x45e1 | 1u << 16 : 0;
        break;
    default:
        break;
    }
    return word >> shift & 0xff;
}

static MemResult reg_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                          UNUSED MemAttrs attrs)
{
    *val = 0;
    for (unsigned i = 0; i < size; i++) {
        *val |= (uint64_t)read_byte(opaque, (uint32_t)addr + i) << 8 * i;
    }
    return MEM_OK;
}

static void write_command(Rtl8139State *s, uint8_t val)
{
    if (val & CR_RST) {
        chip_reset(s);
        return;
    }
    if ((val & CR_RE) && !(s->cr & CR_RE)) {
        s->cbr = 0;
        s->capr = 0xfff0;
    }
    s->cr = (uint8_t)((s->cr & CR_BUFE) | (val & (CR_TE | CR_RE)));
    net_flush(s->netdev);
}

/* An overflow lasts as long as a frame waits for room. */
static void acknowledge(Rtl8139State *s, uint16_t bits)
{
    s->isr &= ~bits;
    if (s->netdev && s->netdev->queued && !has_room(s)) {
        s->isr |= INT_RXOVW;
    }
}

static void write_register(Rtl8139State *s, uint32_t addr, uint32_t v, unsigned size)
{
    bool config = (s->cr9346 & EE_MODE) == EE_CONFIG;

    switch (addr) {
    case TSD0 ... TSD0 + 15:
        if (size == 4 && !(addr & 3)) {
            unsigned n = (addr - TSD0) / 4;

            s->tsd[n] = (s->tsd[n] & TSD_OWN & v) | (v & (TSD_RW | TSD_OWN));
            transmit(s, n);
        }
        break;
    case TSAD0 ... TSAD0 + 15:
        if (size == 4 && !(addr & 3)) {
            s->tsad[(addr - TSAD0) / 4] = v;
        }
        break;
    case RBSTART:
        s->rbstart = size == 4 ? v : s->rbstart;
        break;
    case CR:
        write_command(s, (uint8_t)v);
        break;
    case CAPR:
        s->capr = (uint16_t)v;
        net_flush(s->netdev);
        break;
    case IMR:
        s->imr = v & INT_ALL;
        if (size == 4) {
            acknowledge(s, v >> 16);
        }
        update_irq(s);
        break;
    case ISR:
        acknowledge(s, v);
        update_irq(s);
        net_flush(s->netdev);
        break;
    case TCR:
        s->tcr = v & TCR_RW;
        break;
    case RCR:
        s->rcr = v & 0x0f00ffff;
        s->cbr = (uint16_t)(s->cbr % ring_size(s));
        net_flush(s->netdev);
        break;
    case TCTR:                          /* any write starts it again */
        s->timer_ns = clock_get_ns(CLOCK_VIRTUAL);
        set_timer(s);
        break;
    case MPC:
        s->mpc = 0;
        break;
    case CR9346:
        write_9346(s, (uint8_t)v);
        break;
    case CONFIG0:
    case CONFIG1:
        if (config) {
            s->config[addr - CONFIG0] = (uint8_t)v;
        }
        break;
    case CONFIG3:
    case CONFIG4:
        if (config) {
            s->config[addr - CONFIG3 + 3] = (uint8_t)v;
        }
        break;
    case TIMERINT:
        s->timerint = v;
        set_timer(s);
        break;
    case MULINT:
        s->mulint = (uint16_t)v;
        break;
    case BMCR:
        s->bmcr = v & 0x3100;           /* reset and restart end at once */
        break;
    case ANAR:
        s->anar = (uint16_t)v;
        break;
    default:
        break;
    }
}

static MemResult reg_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                           UNUSED MemAttrs attrs)
{
    Rtl8139State *s = opaque;

    if (addr < MAR0 + 8) {              /* bytes at any width */
        for (unsigned i = 0; i < size; i++) {
            uint32_t at = (uint32_t)addr + i;

            if (at < 6) {
                s->idr[at] = (uint8_t)(val >> 8 * i);
            } else if (at >= MAR0 && at < MAR0 + 8) {
                s->mar[at - MAR0] = (uint8_t)(val >> 8 * i);
            }
        }
        return MEM_OK;
    }
    write_register(s, (uint32_t)addr, (uint32_t)val, size);
    return MEM_OK;
}

static const MemOps reg_ops = {
    .read = reg_read, .write = reg_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 4 },
};

/* --- life --- */

static void eeprom_init(Rtl8139State *s)
{
    memset(s->eeprom, 0, sizeof(s->eeprom));
    s->eeprom[0] = 0x8129;              /* DS 7: the mark, then vendor, device, ..., address */
    s->eeprom[1] = s->eeprom[3] = 0x10ec;
    s->eeprom[2] = s->eeprom[4] = 0x8139;
    for (int i = 0; i < 3; i++) {
        s->eeprom[7 + i] = load_le16(s->mac.a + 2 * i);
    }
}

static void rtl8139_reset_hold(Device *dev)
{
    Rtl8139State *s = RTL8139(dev);

    s->link_up = !s->netdev || !s->netdev->link_down;
    memset(s->mar, 0, sizeof(s->mar));
    chip_reset(s);
}

static bool rtl8139_realize(Device *dev, Error **errp)
{
    Rtl8139State *s = RTL8139(dev);
    static const uint8_t none[6];

    if (memcmp(s->mac.a, none, 6) == 0) {
        s->mac = net_new_mac();
    }
    eeprom_init(s);
    timer_init_ns(&s->timer, CLOCK_VIRTUAL, timer_fired, s);
    memory_region_init_io(&s->io, s, &reg_ops, s, "rtl8139-io", REG_SIZE);
    memory_region_init_io(&s->mem, s, &reg_ops, s, "rtl8139-mem", REG_SIZE);
    pci_register_bar(&s->pci, 0, PCI_BAR_IO, &s->io);
    pci_register_bar(&s->pci, 1, PCI_BAR_MEM32, &s->mem);
    if (!boot_add(dev, s->bootindex, "/ethernet-phy@0", errp)) {
        memory_region_cleanup(&s->io);
        memory_region_cleanup(&s->mem);
        return false;
    }
    net_connect(s->netdev, &net_ops, s);
    return true;
}

static void rtl8139_unrealize(Device *dev)
{
    Rtl8139State *s = RTL8139(dev);

    net_disconnect(s->netdev);
    boot_remove(dev);
    timer_del(&s->timer);
    memory_region_cleanup(&s->io);
    memory_region_cleanup(&s->mem);
}

static bool rtl8139_post_load(void *opaque, Error **errp)
{
    Rtl8139State *s = opaque;

    if (s->cbr >= ring_size(s) || s->timer_ns < 0 || s->timer_ns > INT64_MAX / 2) {
        error_setf(errp, ERR_STATE_INVALID, "rtl8139: place 0x%04x of a ring of 0x%x bytes, timer %"
                   PRId64, s->cbr, ring_size(s), s->timer_ns);
        s->cbr = 0;
        s->timer_ns = 0;
        return false;
    }
    update_irq(s);
    return true;
}

static const VmField rtl8139_fields[] = {
    VM_PCI(Rtl8139State, pci), VM_TIMER(Rtl8139State, timer), VM_U8_ARRAY(Rtl8139State, idr),
    VM_U8_ARRAY(Rtl8139State, mar), VM_U32_ARRAY(Rtl8139State, tsd),
    VM_U32_ARRAY(Rtl8139State, tsad), VM_U32(Rtl8139State, rbstart),
    VM_U32(Rtl8139State, tcr), VM_U32(Rtl8139State, rcr), VM_U32(Rtl8139State, mpc),
    VM_U32(Rtl8139State, timerint), VM_U16(Rtl8139State, capr), VM_U16(Rtl8139State, cbr),
    VM_U16(Rtl8139State, imr), VM_U16(Rtl8139State, isr), VM_U16(Rtl8139State, mulint),
    VM_U16(Rtl8139State, bmcr), VM_U16(Rtl8139State, anar), VM_U8(Rtl8139State, cr),
    VM_U8(Rtl8139State, cr9346), VM_U8_ARRAY(Rtl8139State, config), VM_I64(Rtl8139State, timer_ns),
    VM_BOOL(Rtl8139State, link_up), VM_U32(Rtl8139State, ee_in),
    VM_U8_RANGE(Rtl8139State, ee_bits, 0, 8), VM_U8_RANGE(Rtl8139State, ee_out_bits, 0, 17),
    VM_U16(Rtl8139State, ee_out), VM_END
};

static const Property rtl8139_props[] = {
    PROP_MAC("mac", Rtl8139State, mac, "MAC address; zeros: a new one"),
    PROP_NETDEV("netdev", Rtl8139State, netdev, "the network behind it"),
    PROP_BOOTINDEX(Rtl8139State, bootindex),
    PROP_END
};

static const DeviceType rtl8139_type = {
    .name = TYPE_RTL8139, .parent = TYPE_PCI_DEVICE, .desc = "Realtek RTL8139C fast Ethernet",
    .size = sizeof(Rtl8139State), .category = DEVICE_NETWORK,
    .pci = { .vendor = 0x10ec, .device = 0x8139, .class_code = 0x020000, .revision = 0x10,
             .pin = PCI_PIN_A, .romfile = "efi-rtl8139.rom" },
    .props = rtl8139_props, .realize = rtl8139_realize, .unrealize = rtl8139_unrealize,
    .reset_hold = rtl8139_reset_hold,
    .vm = { 1, rtl8139_fields, .post_load = rtl8139_post_load, .meanings = rtl8139_meanings },
    .printers = rtl8139_printers,
};
DEVICE_TYPE(rtl8139_type)
