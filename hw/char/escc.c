/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zilog Z85C30 serial communications controller, asynchronous modes.
 *
 * Source: Zilog SCC/ESCC User's Manual UM010903. Not modelled: synchronous modes, DMA requests, the baud-rate
 * counter's interrupt; what is written goes to the back end at once.
 */
#include "util/osdep.h"
#include "hw/char/escc.h"

#include "chardev/chardev.h"
#include "hw/core/state-view.h"
#include "qom/property.h"

#define RX_FIFO     3u          /* UM 4.?: three bytes and the shift register */

enum { CHAN_B, CHAN_A };
/* WR0 commands, bits 5-3. */
enum { CMD_POINT_HIGH = 1, CMD_RESET_EXT = 2, CMD_ENABLE_NEXT_RX = 4, CMD_RESET_TX = 5,
       CMD_RESET_ERROR = 6, CMD_RESET_IUS = 7 };
/* WR1. */
#define WR1_EXT         BIT(0)
#define WR1_TX          BIT(1)
#define WR1_RX_MASK     0x18
enum { WR1_RX_OFF, WR1_RX_FIRST = 0x08, WR1_RX_ALL = 0x10, WR1_RX_SPECIAL = 0x18 };
#define WR3_RX_ENABLE   BIT(0)
#define WR5_TX_ENABLE   BIT(3)
#define WR5_BREAK       BIT(4)
#define WR9_MIE         BIT(3)
#define WR9_RESET       0xc0
#define WR14_LOOPBACK   BIT(4)
/* RR0. */
#define RR0_RX          BIT(0)
#define RR0_ZERO_COUNT  BIT(1)
#define RR0_TX_EMPTY    BIT(2)
#define RR0_DCD         BIT(3)
#define RR0_CTS         BIT(5)
#define RR0_TX_UNDERRUN BIT(6)
#define RR0_BREAK       BIT(7)
#define RR1_ALL_SENT    BIT(0)
#define RR1_RESIDUE     0x06
#define RR1_OVERRUN     BIT(5)

typedef struct Escc Escc;
typedef struct EsccChan {
    Escc *owner;
    CharFrontend fe;
    Chardev *chr;
    uint8_t wr[16];
    uint8_t rx[RX_FIFO], rx_count;
    uint8_t rr1;
    uint8_t tx;                 /* the byte that the back end didn't take */
    bool tx_waits;
    uint8_t point;              /* register that the next access means */
    bool ip_rx, ip_tx, ip_ext;
    bool first_rx;              /* armed for "interrupt on first character" */
    bool brk;                   /* a break is being received */
} EsccChan;

struct Escc {
    Device dev;
    MemRegion mr;
    IrqLine *irq;
    EsccChan chan[2];           /* B, A */
    uint32_t frequency, it_shift;
    uint8_t wr9;
    bool disabled, bit_swap;
};

static Escc *ESCC(const void *obj)
{
    return (Escc *)object_cast(obj, TYPE_ESCC);
}

/* ------------------------------------------------------------------ interrupts */

static bool asks(const EsccChan *c)
{
    return (c->ip_rx && (c->wr[1] & WR1_RX_MASK)) || (c->ip_tx && (c->wr[1] & WR1_TX)) ||
           (c->ip_ext && (c->wr[1] & WR1_EXT));
}

static void update_irq(Escc *s)
{
    irq_set(s->irq, (s->wr9 & WR9_MIE) && (asks(&s->chan[CHAN_A]) || asks(&s->chan[CHAN_B])));
}

/* RR3, of channel A only (UM chapter 5, RR3). */
static uint8_t pending(const Escc *s)
{
    const EsccChan *a = &s->chan[CHAN_A], *b = &s->chan[CHAN_B];

    return (uint8_t)((b->ip_ext && (b->wr[1] & WR1_EXT) ? 1 : 0) |
                     (b->ip_tx && (b->wr[1] & WR1_TX) ? 2 : 0) |
                     (b->ip_rx && (b->wr[1] & WR1_RX_MASK) ? 4 : 0) |
                     (a->ip_ext && (a->wr[1] & WR1_EXT) ? 8 : 0) |
                     (a->ip_tx && (a->wr[1] & WR1_TX) ? 16 : 0) |
                     (a->ip_rx && (a->wr[1] & WR1_RX_MASK) ? 32 : 0));
}

/* RR2 of channel B: the vector with the status of the highest request (UM chapter 5, RR2). */
static uint8_t vector(const Escc *s)
{
    uint8_t p = pending(s), v = s->chan[CHAN_A].wr[2], code;

    code = p & 32 ? 6 : p & 16 ? 4 : p & 8 ? 5 : p & 4 ? 2 : p & 2 ? 0 : p & 1 ? 1 : 3;
    if (s->wr9 & BIT(4)) {      /* status high: the bits are turned round */
        return (uint8_t)((v & 0x8f) | (code & 1) << 6 | (code & 2) << 4 | (code & 4) << 2);
    }
    return (uint8_t)((v & 0xf1) | code << 1);
}

static void note_rx(EsccChan *c)
{
    unsigned mode = c->wr[1] & WR1_RX_MASK;

    if (!c->rx_count) {
        c->ip_rx = false;
    } else if (mode == WR1_RX_ALL || (mode == WR1_RX_FIRST && c->first_rx)) {
        c->ip_rx = true;
    }
    update_irq(c->owner);
}

/* ------------------------------------------------------------------------ data */

static void push_rx(EsccChan *c, uint8_t byte)
{
    if (!(c->wr[3] & WR3_RX_ENABLE)) {
        return;
    }
    if (c->rx_count == RX_FIFO) {
        c->rr1 |= RR1_OVERRUN;
        c->rx_count--;
    }
    c->rx[c->rx_count++] = byte;
    note_rx(c);
}

static uint8_t read_data(EsccChan *c, bool debug)
{
    uint8_t v = c->rx[0];

    if (c->rx_count && !debug) {
        memmove(c->rx, c->rx + 1, RX_FIFO - 1);
        c->rx_count--;
        c->first_rx = false;
        note_rx(c);
        chr_fe_accept_input(&c->fe);
    }
    return v;
}

static void try_transmit(EsccChan *c)
{
    if (c->tx_waits && chr_fe_write(&c->fe, &c->tx, 1) == 1) {
        c->tx_waits = false;
        c->ip_tx = true;
    }
    update_irq(c->owner);
}

static void write_data(EsccChan *c, uint8_t v)
{
    c->ip_tx = false;
    if (c->wr[14] & WR14_LOOPBACK) {
        push_rx(c, v);
        c->ip_tx = true;
    } else if (c->wr[5] & WR5_TX_ENABLE) {
        c->tx = v;
        c->tx_waits = true;
        try_transmit(c);
        return;
    }
    update_irq(c->owner);
}

static size_t can_receive(void *opaque)
{
    EsccChan *c = opaque;

    return c->wr[3] & WR3_RX_ENABLE ? RX_FIFO - c->rx_count : 0;
}

static void receive(void *opaque, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        push_rx(opaque, buf[i]);
    }
}

static void event(void *opaque, ChrEvent ev)
{
    EsccChan *c = opaque;

    if (ev == CHR_EVENT_BREAK) {
        c->brk = true;
        c->ip_ext = c->wr[15] & 0x80;
        push_rx(c, 0);
    }
    update_irq(c->owner);
}

static void writable(void *opaque)
{
    try_transmit(opaque);
}

static const ChrHandlers handlers = { can_receive, receive, event, writable };

/* ------------------------------------------------------------------- registers */

static uint8_t rr0(EsccChan *c)
{
    uint8_t v = RR0_TX_UNDERRUN | RR0_CTS | RR0_DCD;

    v |= c->rx_count ? RR0_RX : 0;
    v |= c->tx_waits ? 0 : RR0_TX_EMPTY;
    v |= c->brk ? RR0_BREAK : 0;
    return v;
}

static uint8_t read_control(EsccChan *c, bool debug)
{
    Escc *s = c->owner;
    unsigned reg = c->point;

    if (!debug) {
        c->point = 0;
    }
    switch (reg) {
    case 0: case 4: return rr0(c);
    case 1: case 5: return (uint8_t)(c->rr1 | RR1_RESIDUE | (c->tx_waits ? 0 : RR1_ALL_SENT));
    case 2: case 6: return c == &s->chan[CHAN_B] ? vector(s) : s->chan[CHAN_A].wr[2];
    case 3: case 7: return c == &s->chan[CHAN_A] ? pending(s) : 0;
    case 8: return read_data(c, debug);
    case 9: case 13: return c->wr[13];
    case 12: return c->wr[12];
    case 11: case 15: return c->wr[15] & 0xfa;
    default: return 0;          /* RR10, RR14: nothing of synchronous modes */
    }
}

static void update_params(EsccChan *c)
{
    static const uint8_t divs[] = { 1, 16, 32, 64 };
    static const uint8_t bits[] = { 5, 7, 6, 8 };
    uint32_t clock = c->owner->frequency / divs[c->wr[4] >> 6] / 2;
    uint32_t divisor = (uint32_t)(c->wr[12] | c->wr[13] << 8) + 2;
    ChrSerialParams p = {
        .speed = (int)(clock / divisor), .parity = !(c->wr[4] & 1) ? 'N' : c->wr[4] & 2 ? 'E' : 'O',
        .data_bits = bits[c->wr[5] >> 5 & 3], .stop_bits = (c->wr[4] & 0x0c) == 0x0c ? 2 : 1,
    };

    if (p.speed) {
        chr_fe_set_serial_params(&c->fe, &p);
    }
}

/* UM chapter 4: channel reset. */
static void chan_reset(EsccChan *c)
{
    memset(c->wr, 0, sizeof(c->wr));
    c->wr[4] = 4;
    c->wr[11] = 8;
    c->wr[14] = 0x30 & ~WR14_LOOPBACK;
    c->wr[15] = 0xf8;
    c->rx_count = 0;
    c->rr1 = 0;
    c->tx_waits = false;
    c->point = 0;
    c->ip_rx = c->ip_tx = c->ip_ext = c->brk = false;
    c->first_rx = true;
}

static void write_wr9(Escc *s, uint8_t v)
{
    switch (v & WR9_RESET) {
    case 0x40: chan_reset(&s->chan[CHAN_B]); break;
    case 0x80: chan_reset(&s->chan[CHAN_A]); break;
    case 0xc0:
        chan_reset(&s->chan[CHAN_A]);
        chan_reset(&s->chan[CHAN_B]);
        break;
    }
    s->wr9 = v & 0x3f;
}

static void command(EsccChan *c, unsigned cmd)
{
    switch (cmd) {
    case CMD_RESET_EXT:
        c->ip_ext = false;
        c->brk = false;
        break;
    case CMD_ENABLE_NEXT_RX:
        c->first_rx = true;
        note_rx(c);
        break;
    case CMD_RESET_TX: c->ip_tx = false; break;
    case CMD_RESET_ERROR: c->rr1 = 0; break;
    default: break;             /* there is no interrupt-under-service: no acknowledge cycles */
    }
}

static void write_control(EsccChan *c, uint8_t v)
{
    Escc *s = c->owner;
    unsigned reg = c->point;

    c->point = 0;
    switch (reg) {
    case 0:
        c->point = v & 7;
        if ((v >> 3 & 7) == CMD_POINT_HIGH) {
            c->point |= 8;
        } else {
            command(c, v >> 3 & 7);
        }
        break;
    case 2: s->chan[CHAN_A].wr[2] = v; break;
    case 8: write_data(c, v); break;
    case 9: write_wr9(s, v); break;
    case 5:
        if ((c->wr[5] ^ v) & WR5_BREAK) {
            chr_fe_set_break(&c->fe, v & WR5_BREAK);
        }
        c->wr[5] = v;
        update_params(c);
        break;
    case 3:
        c->wr[3] = v;
        chr_fe_accept_input(&c->fe);
        break;
    default:
        c->wr[reg] = v;
        if (reg == 4 || reg == 12 || reg == 13) {
            update_params(c);
        } else if (reg == 1) {
            note_rx(c);
        }
        break;
    }
    update_irq(s);
}

static MemResult escc_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                           MemAttrs attrs)
{
    Escc *s = opaque;
    unsigned n = addr >> s->it_shift & 3;
    EsccChan *c = &s->chan[n & 1];

    *val = n & 2 ? read_data(c, attrs.debug) : read_control(c, attrs.debug);
    return MEM_OK;
}

static MemResult escc_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                            UNUSED MemAttrs attrs)
{
    Escc *s = opaque;
    unsigned n = addr >> s->it_shift & 3;

    if (n & 2) {
        write_data(&s->chan[n & 1], (uint8_t)val);
    } else {
        write_control(&s->chan[n & 1], (uint8_t)val);
    }
    return MEM_OK;
}

static const MemOps escc_ops = {
    .read = escc_read, .write = escc_write, .order = MEM_BE, .valid = { 1, 4 },
    .impl = { .min = 1, .max = 1 },
};

/* ---------------------------------------------------------------------- device */

static void escc_reset_hold(Device *dev)
{
    Escc *s = ESCC(dev);

    chan_reset(&s->chan[CHAN_A]);
    chan_reset(&s->chan[CHAN_B]);
    s->wr9 = 0;
    update_irq(s);
}

static void escc_init(Device *dev)
{
    device_init_irq_out(dev, "irq", &ESCC(dev)->irq, 1);
}

static bool escc_realize(Device *dev, Error **errp)
{
    Escc *s = ESCC(dev);

    for (unsigned i = 0; i < 2; i++) {
        s->chan[i].owner = s;
        if (!chr_fe_init(&s->chan[i].fe, s->chan[i].chr, errp)) {
            if (i) {
                chr_fe_deinit(&s->chan[0].fe);
            }
            return false;
        }
        chan_reset(&s->chan[i]);
        chr_fe_set_handlers(&s->chan[i].fe, &handlers, &s->chan[i]);
    }
    memory_region_init_io(&s->mr, s, &escc_ops, s, "escc", UINT64_C(4) << s->it_shift);
    return true;
}

static void escc_unrealize(Device *dev)
{
    Escc *s = ESCC(dev);

    memory_region_cleanup(&s->mr);
    for (unsigned i = 0; i < 2; i++) {
        chr_fe_deinit(&s->chan[i].fe);
    }
}

MemRegion *escc_region(Device *dev)
{
    return &ESCC(dev)->mr;
}

static const VmField chan_fields[] = {
    VM_BUFFER(EsccChan, wr), VM_BUFFER(EsccChan, rx), VM_U8_RANGE(EsccChan, rx_count, 0, RX_FIFO),
    VM_U8(EsccChan, rr1), VM_U8(EsccChan, tx), VM_BOOL(EsccChan, tx_waits),
    VM_U8_RANGE(EsccChan, point, 0, 15), VM_BOOL(EsccChan, ip_rx), VM_BOOL(EsccChan, ip_tx),
    VM_BOOL(EsccChan, ip_ext), VM_BOOL(EsccChan, first_rx), VM_BOOL(EsccChan, brk), VM_END
};
static const VmMeaning chan_meanings[] = {
    { "rx_count", "bytes in it" },
    { "wr", "write registers", ELEMENTS("WR0", "WR1", "WR2", "WR3", "WR4", "WR5", "WR6", "WR7", "WR8", "WR9", "WR10",
                                        "WR11", "WR12", "WR13", "WR14", "WR15") },
    { "rx", "receive FIFO", .payload = "rx_count bytes" },
    { "rr1", "RR1", .flags = FLAGS({ "ALL_SENT", RR1_ALL_SENT }, { "RESIDUE", 0x0e }, { "PARITY", 0x10 },
                                   { "OVERRUN", RR1_OVERRUN }, { "FRAMING", 0x40 }, { "END", 0x80 }) },
    { "tx", "the byte that the back end didn't take" }, { "point", "register that the next access means" },
    { "ip_rx", "receive interrupt pending" }, { "ip_tx", "transmit interrupt pending" },
    { "ip_ext", "external interrupt pending" }, { "brk", "a break is being received" }, { .name = NULL }
};
static const VmState chan_vm = { 1, chan_fields, .name = "escc-channel", .meanings = chan_meanings };

static bool escc_post_load(void *opaque, UNUSED Error **errp)
{
    Escc *s = opaque;

    for (unsigned i = 0; i < 2; i++) {
        update_params(&s->chan[i]);
        try_transmit(&s->chan[i]);
        chr_fe_accept_input(&s->chan[i].fe);        /* it was full before, perhaps */
    }
    update_irq(s);
    return true;
}

static const VmField escc_fields[] = {
    VM_STRUCT_ARRAY(Escc, chan, chan_vm), VM_U8(Escc, wr9), VM_END
};

static const VmMeaning escc_meanings[] = {
    { "chan", "channels B and A" },
    { "wr9", "WR9, of both", .flags = FLAGS({ "VIS", 1 }, { "NV", 2 }, { "DLC", 4 }, { "MIE", WR9_MIE }) }, { .name = NULL }
};

/* UM: WR3, WR4, WR5, WR12 and WR13. */
static void print_lines(StateView *v, StateNode *into)
{
    static const char *const names[] = { "B", "A" };
    static const char *const stops[] = { "synchronous", "1 stop", "1.5 stops", "2 stops" };

    for (unsigned i = 0; i < 2; i++) {
        unsigned wr4 = (unsigned)state_view_get(v, "chan[%u].wr.WR4", i);
        unsigned wr5 = (unsigned)state_view_get(v, "chan[%u].wr.WR5", i);
        unsigned wr3 = (unsigned)state_view_get(v, "chan[%u].wr.WR3", i);
        unsigned constant = (unsigned)(state_view_get(v, "chan[%u].wr.WR12", i) |
                                       state_view_get(v, "chan[%u].wr.WR13", i) << 8);
        static const uint8_t bits[] = { 5, 7, 6, 8 };
        StateNode *n = state_add_uint(into, names[i], constant, 16);

        state_mean(n, "time constant; %u bits, %s parity, %s, receiver %s, transmitter %s", bits[wr3 >> 6 & 3],
                   !(wr4 & 1) ? "no" : wr4 & 2 ? "even" : "odd", stops[wr4 >> 2 & 3],
                   wr3 & WR3_RX_ENABLE ? "on" : "off", wr5 & WR5_TX_ENABLE ? "on" : "off");
    }
}

static const Property escc_props[] = {
    PROP_U32("frequency", Escc, frequency, 3686400, "clock at RTxC, Hz"),
    PROP_U32_RANGE("it_shift", Escc, it_shift, 0, 0, 12, "log2 of the bytes between registers"),
    PROP_BOOL("disabled", Escc, disabled, false, "accepted; the board doesn't map it then"),
    PROP_BOOL("bit_swap", Escc, bit_swap, false, "accepted; boards map the registers as they are wired"),
    PROP_CHARDEV("chrA", Escc, chan[CHAN_A].chr, "back end of channel A"),
    PROP_CHARDEV("chrB", Escc, chan[CHAN_B].chr, "back end of channel B"),
    PROP_END
};

static const DeviceType escc_type = {
    .name = TYPE_ESCC, .size = sizeof(Escc), .desc = "Z85C30 serial controller",
    .category = DEVICE_INPUT, .not_user_creatable = true, .props = escc_props, .init = escc_init,
    .realize = escc_realize, .unrealize = escc_unrealize, .reset_hold = escc_reset_hold,
    .vm = { 1, escc_fields, .post_load = escc_post_load, .meanings = escc_meanings },
    .printers = STATE_PRINTERS({ "lines", "how the channels are programmed", print_lines }),
};
DEVICE_TYPE(escc_type)
