/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DP83932 SONIC: descriptor rings in memory, a CAM of sixteen addresses, a watchdog timer.
 *
 * Not modelled: collisions and other errors of the line, transceiver loop-back, the byte order that isn't
 * the board's. Frames are sent and received at once.
 *
 * Source: National Semiconductor DP83932C data sheet, sections 3.4 and 3.5 (receive and transmit buffer management), 4 (registers).
 */
#include "util/osdep.h"
#include "hw/net/dp8393x.h"
#include "hw/net/dp8393x-state.h"

#include <zlib.h>
#include "net/net.h"
#include "qom/property.h"
#include "util/bswap.h"
#include "util/host-utils.h"
#include "util/log.h"
#include "util/timer.h"

/* DS 4. */
enum { R_CR, R_DCR, R_RCR, R_TCR, R_IMR, R_ISR, R_UTDA, R_CTDA, R_TPS, R_TFC, R_TSA0, R_TSA1, R_TFS,
       R_URDA, R_CRDA, R_CRBA0, R_CRBA1, R_RBWC0, R_RBWC1, R_EOBC, R_URRA, R_RSA, R_REA, R_RRP, R_RWP,
       R_TRBA0, R_TRBA1, R_TBWC0, R_TBWC1, R_ADDR0, R_ADDR1, R_LLFA, R_TTDA, R_CEP, R_CAP2, R_CAP1,
       R_CAP0, R_CE, R_CDP, R_CDC, R_SR, R_WT0, R_WT1, R_RSC, R_CRCT, R_FAET, R_MPT, R_MDT,
       R_DCR2 = 0x3f, NUM_REGS = 64 };
enum { CR_LCAM = 0x200, CR_RRRA = 0x100, CR_RST = 0x80, CR_ST = 0x20, CR_STP = 0x10, CR_RXEN = 0x08,
       CR_RXDIS = 0x04, CR_TXP = 0x02, CR_HTX = 0x01 };
enum { DCR_DW = 0x20 };
enum { RCR_BRD = 0x2000, RCR_PRO = 0x1000, RCR_AMC = 0x0800, RCR_LB = 0x0600, RCR_MC = 0x100,
       RCR_BC = 0x80, RCR_LPKT = 0x40, RCR_LBK = 0x02, RCR_PRX = 0x01, RCR_STATUS = 0x01ff };
enum { TCR_PINTR = 0x8000, TCR_CRCI = 0x2000, TCR_CONFIG = 0xf000, TCR_BCM = 0x02,
       TCR_PTX = 0x01 };
enum { ISR_LCD = 0x1000, ISR_PINT = 0x800, ISR_PKTRX = 0x400, ISR_TXDN = 0x200, ISR_TXER = 0x100,
       ISR_TC = 0x80, ISR_RDE = 0x40, ISR_RBE = 0x20, ISR_RBAE = 0x10 };
#define EOL             1
#define TIMER_HZ        5000000     /* DS 4: half of the transmit clock */
#define MAX_FRAGMENTS   32
#define MAX_DESCRIPTORS 1024        /* of one command */
#define FRAME_MAX       2048

typedef struct Sonic {
    Device dev;
    MemRegion mr;
    IrqLine *irq;
    NetBackend *netdev;
    MacAddr mac;
    Timer watchdog;
    int64_t wt_start_ns;
    uint16_t regs[NUM_REGS];
    uint8_t cam[16][6];
    bool big_endian;
    uint32_t it_shift;
} Sonic;

static Sonic *SONIC(const void *obj)
{
    return (Sonic *)object_cast(obj, TYPE_DP8393X);
}

static void update_irq(Sonic *s)
{
    irq_set(s->irq, (s->regs[R_ISR] & s->regs[R_IMR]) != 0);
}

static void set_isr(Sonic *s, uint16_t bits)
{
    s->regs[R_ISR] |= bits;
    update_irq(s);
}

/* ------------------------------------------------------- words in the host's memory */

static unsigned width(const Sonic *s)
{
    return s->regs[R_DCR] & DCR_DW ? 4 : 2;
}

static MemOrder order(const Sonic *s)
{
    return s->big_endian ? MEM_BE : MEM_LE;
}

/* Word number @n from @addr: in 32-bit mode the lower half of a long word. */
static uint16_t get_word(const Sonic *s, uint32_t addr, unsigned n)
{
    return (uint16_t)address_space_load(&address_space_memory, addr + n * width(s), width(s), order(s),
                                        MEM_ATTRS_NONE, NULL);
}

static void put_word(const Sonic *s, uint32_t addr, unsigned n, uint16_t v)
{
    address_space_store(&address_space_memory, addr + n * width(s), v, width(s), order(s),
                        MEM_ATTRS_NONE, NULL);
}

static uint32_t address(uint16_t hi, uint16_t lo)
{
    return (uint32_t)hi << 16 | lo;
}

/* -------------------------------------------------------------------------- CAM */

static void load_cam(Sonic *s)
{
    unsigned n = s->regs[R_CDC] & 31;

    for (unsigned i = 0; i < n; i++) {
        uint32_t at = address(s->regs[R_URRA], s->regs[R_CDP] & 0xfffe);
        unsigned entry = get_word(s, at, 0) & 15;

        for (unsigned k = 0; k < 3; k++) {
            store_le16(&s->cam[entry][2 * k], get_word(s, at, 1 + k));
        }
        s->regs[R_CDP] = (uint16_t)(s->regs[R_CDP] + 4 * width(s));
    }
    s->regs[R_CE] = get_word(s, address(s->regs[R_URRA], s->regs[R_CDP] & 0xfffe), 0);
    s->regs[R_CDC] = 0;
    s->regs[R_CR] &= (uint16_t)~CR_LCAM;
    set_isr(s, ISR_LCD);
}

/* ------------------------------------------------------------------------ receive */

static void read_resource(Sonic *s)
{
    uint32_t at = address(s->regs[R_URRA], s->regs[R_RRP]);

    s->regs[R_CRBA0] = get_word(s, at, 0);
    s->regs[R_CRBA1] = get_word(s, at, 1);
    s->regs[R_RBWC0] = get_word(s, at, 2);
    s->regs[R_RBWC1] = get_word(s, at, 3);
    s->regs[R_RRP] = (uint16_t)(s->regs[R_RRP] + 4 * width(s));
    if (s->regs[R_RRP] == s->regs[R_REA]) {
        s->regs[R_RRP] = s->regs[R_RSA];
    }
    if (s->regs[R_RRP] == s->regs[R_RWP]) {
        set_isr(s, ISR_RBE);
    }
    s->regs[R_CR] &= (uint16_t)~CR_RRRA;
}

/* Bits of RCR that say why the frame is taken; -1: it isn't ours. */
static int filter(const Sonic *s, const uint8_t *frame)
{
    static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    uint16_t rcr = s->regs[R_RCR];

    if (!memcmp(frame, broadcast, 6)) {
        return rcr & (RCR_BRD | RCR_PRO) ? RCR_BC : -1;
    }
    if ((frame[0] & 1) && (rcr & (RCR_AMC | RCR_PRO))) {
        return RCR_MC;
    }
    if (rcr & RCR_PRO) {
        return 0;
    }
    for (unsigned i = 0; i < 16; i++) {
        if ((s->regs[R_CE] & 1u << i) && !memcmp(frame, s->cam[i], 6)) {
            return frame[0] & 1 ? RCR_MC : 0;
        }
    }
    return -1;
}

static bool sonic_can_receive(void *opaque)
{
    const Sonic *s = opaque;

    /* Without a buffer (RBE) the chip waits for the host; so do frames. */
    return (s->regs[R_CR] & CR_RXEN) && !(s->regs[R_CR] & CR_RST) && !(s->regs[R_ISR] & ISR_RBE);
}

/* The descriptor that comes next; a list that had ended may go on now (DS 3.4). Only then does the host get the
 * list's last descriptor (DS 3.4): the place to put the next one was in its link. */
static bool find_descriptor(Sonic *s)
{
    if (s->regs[R_CRDA] & EOL) {
        uint32_t link = address(s->regs[R_URDA], s->regs[R_LLFA]);

        s->regs[R_CRDA] = get_word(s, link, 0);
        if (s->regs[R_CRDA] & EOL) {
            set_isr(s, ISR_RDE);
            return false;
        }
        put_word(s, link, 1, 0);
        set_isr(s, ISR_PKTRX);
    }
    return true;
}

static void receive(Sonic *s, const uint8_t *data, size_t len, uint16_t why)
{
    uint8_t frame[FRAME_MAX + 8] = { 0 };
    uint32_t n = (uint32_t)MAX(len, 60), total = n + 4, room, padded, buf, rda;
    uint16_t status, seq;

    memcpy(frame, data, len);
    store_le32(frame + n, (uint32_t)crc32(0, frame, n));
    padded = ALIGN_UP(total, width(s));
    room = address(s->regs[R_RBWC1], s->regs[R_RBWC0]) * 2;
    if (padded > room) {
        set_isr(s, ISR_RBAE);
        return;
    }
    if (!find_descriptor(s)) {
        return;
    }
    buf = address(s->regs[R_CRBA1], s->regs[R_CRBA0]);
    s->regs[R_TRBA0] = s->regs[R_CRBA0];
    s->regs[R_TRBA1] = s->regs[R_CRBA1];
    address_space_write(&address_space_memory, buf, MEM_ATTRS_NONE, frame, total);
    buf += padded;
    s->regs[R_CRBA0] = (uint16_t)buf;
    s->regs[R_CRBA1] = (uint16_t)(buf >> 16);
    room = (room - padded) / 2;
    s->regs[R_RBWC0] = (uint16_t)room;
    s->regs[R_RBWC1] = (uint16_t)(room >> 16);

    status = (uint16_t)((s->regs[R_RCR] & ~RCR_STATUS) | RCR_PRX | why |
                        (room < s->regs[R_EOBC] ? RCR_LPKT : 0));
    s->regs[R_RCR] = status;
    seq = s->regs[R_RSC];
    rda = address(s->regs[R_URDA], s->regs[R_CRDA] & 0xfffe);
    put_word(s, rda, 0, status);
    put_word(s, rda, 1, (uint16_t)total);
    put_word(s, rda, 2, s->regs[R_TRBA0]);
    put_word(s, rda, 3, s->regs[R_TRBA1]);
    put_word(s, rda, 4, seq);
    s->regs[R_LLFA] = (uint16_t)(s->regs[R_CRDA] + 5 * width(s));
    s->regs[R_CRDA] = get_word(s, rda, 5);
    if (s->regs[R_CRDA] & EOL) {
        set_isr(s, ISR_RDE);
    } else {
        put_word(s, rda, 6, 0);
        set_isr(s, ISR_PKTRX);
    }
    if (status & RCR_LPKT) {
        s->regs[R_RSC] = (uint16_t)((seq & 0xff00) + 0x100);
        read_resource(s);
    } else {
        s->regs[R_RSC] = (uint16_t)((seq & 0xff00) | ((seq + 1) & 0xff));
    }
}

static void sonic_receive(void *opaque, const uint8_t *frame, size_t len)
{
    Sonic *s = opaque;
    int why;

    if (len < 14 || len > FRAME_MAX || !sonic_can_receive(s)) {
        return;
    }
    why = filter(s, frame);
    if (why >= 0) {
        receive(s, frame, len, (uint16_t)why);
    }
}

static const NetDeviceOps net_ops = { .can_receive = sonic_can_receive, .receive = sonic_receive };

/* ----------------------------------------------------------------------- transmit */

/* One descriptor at @tda; the place of its link is *@link. */
static void transmit_one(Sonic *s, uint32_t tda, unsigned *link)
{
    uint8_t frame[FRAME_MAX];
    size_t len = 0;
    unsigned frags = get_word(s, tda, 3);
    uint16_t config = get_word(s, tda, 1) & TCR_CONFIG;
    bool ok = frags <= MAX_FRAGMENTS;

    s->regs[R_TPS] = get_word(s, tda, 2);
    s->regs[R_TFC] = (uint16_t)frags;
    for (unsigned i = 0; i < frags && ok; i++) {
        uint32_t at = address(get_word(s, tda, 5 + 3 * i), get_word(s, tda, 4 + 3 * i));
        unsigned n = get_word(s, tda, 6 + 3 * i);

        ok = len + n <= sizeof(frame) &&
             address_space_read(&address_space_memory, at, MEM_ATTRS_NONE, frame + len, n) == MEM_OK;
        len += ok ? n : 0;
    }
    *link = 4 + 3 * MIN(frags, MAX_FRAGMENTS);
    s->regs[R_TCR] = config;
    if (ok && len >= 14) {
        if (config & TCR_CRCI) {        /* the host has put its own check sum there */
            len -= 4;
        }
        if (s->regs[R_RCR] & RCR_LB) {
            int why = filter(s, frame);

            if (sonic_can_receive(s) && why >= 0) {
                receive(s, frame, len, (uint16_t)(why | RCR_LBK));
            }
        } else {
            net_send(s->netdev, frame, len);
        }
        s->regs[R_TCR] |= TCR_PTX;
    } else {
        s->regs[R_TCR] |= TCR_BCM;      /* byte counts that don't agree */
        set_isr(s, ISR_TXER);
    }
    put_word(s, tda, 0, s->regs[R_TCR] & 0x0fff);
    if (config & TCR_PINTR) {
        set_isr(s, ISR_PINT);
    }
}

static void transmit(Sonic *s)
{
    for (unsigned n = 0; n < MAX_DESCRIPTORS; n++) {
        uint32_t tda = address(s->regs[R_UTDA], s->regs[R_CTDA] & 0xfffe);
        unsigned link;

        s->regs[R_TTDA] = s->regs[R_CTDA] & 0xfffe;
        transmit_one(s, tda, &link);
        s->regs[R_CTDA] = get_word(s, tda, link);
        if (s->regs[R_CTDA] & EOL) {
            break;
        }
    }
    s->regs[R_CR] &= (uint16_t)~CR_TXP;
    set_isr(s, ISR_TXDN);
}

/* ---------------------------------------------------------------------- watchdog */

static void watchdog_start(Sonic *s)
{
    uint64_t ticks = address(s->regs[R_WT1], s->regs[R_WT0]);

    s->wt_start_ns = clock_get_ns(CLOCK_VIRTUAL);
    timer_mod_ns(&s->watchdog, s->wt_start_ns + (int64_t)muldiv64(ticks, NS_PER_SECOND, TIMER_HZ));
}

static void watchdog_stop(Sonic *s)
{
    if (timer_pending(&s->watchdog)) {
        uint64_t gone = muldiv64((uint64_t)(clock_get_ns(CLOCK_VIRTUAL) - s->wt_start_ns), TIMER_HZ,
                                 NS_PER_SECOND);
        uint32_t left = address(s->regs[R_WT1], s->regs[R_WT0]) - (uint32_t)gone;

        s->regs[R_WT0] = (uint16_t)left;
        s->regs[R_WT1] = (uint16_t)(left >> 16);
        timer_del(&s->watchdog);
    }
}

static void watchdog_fired(void *opaque)
{
    Sonic *s = opaque;

    s->regs[R_WT0] = s->regs[R_WT1] = 0xffff;
    set_isr(s, ISR_TC);
    watchdog_start(s);
}

/* ---------------------------------------------------------------------- registers */

/* DS 4: a bit stays until its command is done; reset goes before all. */
static void command(Sonic *s, uint16_t v)
{
    uint16_t *cr = &s->regs[R_CR];

    if (v & CR_RST) {
        *cr = (uint16_t)((*cr & ~(CR_RXEN | CR_TXP | CR_HTX | CR_LCAM | CR_RRRA | CR_ST)) | CR_RST |
                         CR_RXDIS | CR_STP);
        watchdog_stop(s);
        return;
    }
    *cr &= (uint16_t)~CR_RST;
    if (v & CR_HTX) {
        *cr &= (uint16_t)~CR_TXP;
    }
    if (v & CR_RXDIS) {
        *cr = (uint16_t)((*cr & ~CR_RXEN) | CR_RXDIS);
    }
    if (v & CR_STP) {
        *cr = (uint16_t)((*cr & ~CR_ST) | CR_STP);
        watchdog_stop(s);
    }
    if (v & CR_ST) {
        *cr = (uint16_t)((*cr & ~CR_STP) | CR_ST);
        watchdog_start(s);
    }
    if (v & CR_LCAM) {
        *cr |= CR_LCAM;
        load_cam(s);
    }
    if (v & CR_RRRA) {
        read_resource(s);
    }
    if (v & CR_RXEN) {
        *cr = (uint16_t)((*cr & ~CR_RXDIS) | CR_RXEN);
        net_flush(s->netdev);
    }
    if (v & CR_TXP) {
        *cr |= CR_TXP;
        transmit(s);
    }
}

static uint16_t read_reg(const Sonic *s, unsigned reg)
{
    unsigned cep = s->regs[R_CEP] & 15;

    switch (reg) {
    case R_SR: return 4;                /* DS 4: revision C */
    case R_CAP0: case R_CAP1: case R_CAP2:
        return load_le16(&s->cam[cep][2 * (R_CAP0 - reg)]);
    default: return s->regs[reg];
    }
}

static void write_reg(Sonic *s, unsigned reg, uint16_t v)
{
    bool had_rbe = s->regs[R_ISR] & ISR_RBE;

    switch (reg) {
    case R_CR: command(s, v); break;
    case R_ISR:
        s->regs[R_ISR] &= (uint16_t)~v;
        if (had_rbe && (v & ISR_RBE)) {
            /* DS 3.4: clearing it reads the next resource. */
            if (s->regs[R_CR] & CR_RXEN) {
                read_resource(s);
            }
            net_flush(s->netdev);
        }
        update_irq(s);
        break;
    case R_IMR:
        s->regs[R_IMR] = v & 0x7fff;
        update_irq(s);
        break;
    case R_RCR: s->regs[R_RCR] = (uint16_t)((v & ~RCR_STATUS) | (s->regs[R_RCR] & RCR_STATUS)); break;
    case R_TCR: s->regs[R_TCR] = v & TCR_CONFIG; break;
    /* DS 4: tallies are written inverted. */
    case R_CRCT: case R_FAET: case R_MPT: s->regs[reg] = (uint16_t)~v; break;
    case R_RSA: case R_REA: case R_RRP: case R_RWP: case R_UTDA: case R_URDA: case R_URRA: case R_CTDA:
    case R_CRDA: case R_EOBC: case R_CDP: case R_CDC: case R_CEP: case R_CE: case R_WT0: case R_WT1:
    case R_RSC: case R_DCR2: case R_DCR: case R_CRBA0: case R_CRBA1: case R_RBWC0: case R_RBWC1:
        s->regs[reg] = v;
        break;
    default:
        log_guest_error("dp8393x", "register %02x is written", reg);
        break;
    }
}

/* Registers are words in the last (big-endian) or first two bytes of their places. */
static MemResult sonic_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                            UNUSED MemAttrs attrs)
{
    Sonic *s = opaque;

    *val = read_reg(s, addr >> s->it_shift >> 1 & (NUM_REGS - 1));
    return MEM_OK;
}

static MemResult sonic_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                             UNUSED MemAttrs attrs)
{
    Sonic *s = opaque;
    hwaddr place = (hwaddr)2 << s->it_shift, at = addr & (place - 1);

    if (at == (s->big_endian ? place - 2 : 0)) {
        write_reg(s, addr >> s->it_shift >> 1 & (NUM_REGS - 1), (uint16_t)val);
    }
    return MEM_OK;
}

static const MemOps sonic_ops = {
    .read = sonic_read, .write = sonic_write, .order = MEM_BE, .valid = { 1, 4 },
    .impl = { .min = 2, .max = 2 },
};

/* -------------------------------------------------------------------------- device */

static void sonic_reset_hold(Device *dev)
{
    Sonic *s = SONIC(dev);

    timer_del(&s->watchdog);
    memset(s->regs, 0, sizeof(s->regs));
    memset(s->cam, 0, sizeof(s->cam));
    s->regs[R_CR] = CR_RST | CR_STP | CR_RXDIS;         /* DS 4 */
    s->regs[R_TCR] = 0x0101;
    s->regs[R_EOBC] = 0x02f8;
    update_irq(s);
}

static void sonic_init(Device *dev)
{
    device_init_irq_out(dev, "irq", &SONIC(dev)->irq, 1);
}

static bool sonic_realize(Device *dev, UNUSED Error **errp)
{
    Sonic *s = SONIC(dev);
    static const uint8_t none[6];

    if (memcmp(s->mac.a, none, 6) == 0) {
        s->mac = net_new_mac();
    }
    timer_init_ns(&s->watchdog, CLOCK_VIRTUAL, watchdog_fired, s);
    memory_region_init_io(&s->mr, s, &sonic_ops, s, "dp8393x", (UINT64_C(2) << s->it_shift) * NUM_REGS);
    net_connect(s->netdev, &net_ops, s);
    return true;
}

static void sonic_unrealize(Device *dev)
{
    Sonic *s = SONIC(dev);

    net_disconnect(s->netdev);
    timer_del(&s->watchdog);
    memory_region_cleanup(&s->mr);
}

MemRegion *dp8393x_regs(Device *dev)
{
    return &SONIC(dev)->mr;
}

const uint8_t *dp8393x_mac(Device *dev)
{
    return SONIC(dev)->mac.a;
}

static bool sonic_post_load(void *opaque, UNUSED Error **errp)
{
    update_irq(opaque);
    return true;
}

static const VmField sonic_fields[] = {
    VM_U16_ARRAY(Sonic, regs), VM_BUFFER(Sonic, cam), VM_I64(Sonic, wt_start_ns),
    VM_TIMER(Sonic, watchdog), VM_END
};

static const Property sonic_props[] = {
    PROP_MAC("mac", Sonic, mac, "MAC address; zeros: a new one"),
    PROP_NETDEV("netdev", Sonic, netdev, "the network behind it"),
    PROP_U32_RANGE("it_shift", Sonic, it_shift, 0, 0, 4, "log2 of the places between registers"),
    PROP_BOOL("big_endian", Sonic, big_endian, false, "byte order of the board"),
    PROP_END
};

static const DeviceType sonic_type = {
    .name = TYPE_DP8393X, .size = sizeof(Sonic), .desc = "DP83932 SONIC Ethernet controller",
    .category = DEVICE_NETWORK, .not_user_creatable = true, .props = sonic_props, .init = sonic_init,
    .realize = sonic_realize, .unrealize = sonic_unrealize, .reset_hold = sonic_reset_hold,
    .vm = { 1, sonic_fields, .post_load = sonic_post_load, .meanings = sonic_meanings }, .printers = sonic_printers,
};
DEVICE_TYPE(sonic_type)
