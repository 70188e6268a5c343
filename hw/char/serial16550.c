/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 16550A UART.
 *
 * Source: National Semiconductor PC16550D data sheet ("DS").
 * What is written goes to the back end at once, so the guest never waits for
 * a line speed; the transmitter is busy only while the back end takes nothing.
 * The modem's inputs say "connected" while the back end's other side is there.
 */
#include "util/osdep.h"
#include "hw/char/serial16550.h"

/* DS, table II. */
enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR };
#define IER_RX          BIT(0)
#define IER_THRE        BIT(1)
#define IER_LINE        BIT(2)
#define IER_MODEM       BIT(3)
#define IIR_NONE        0x01
#define IIR_MODEM       0x00
#define IIR_THRE        0x02
#define IIR_RX          0x04
#define IIR_LINE        0x06
#define IIR_TIMEOUT     0x0c
#define IIR_FIFO        0xc0
#define FCR_ENABLE      BIT(0)
#define FCR_CLEAR_RX    BIT(1)
#define FCR_CLEAR_TX    BIT(2)
#define LCR_DATA_BITS   0x03
#define LCR_STOP        BIT(2)
#define LCR_PARITY      BIT(3)
#define LCR_EVEN        BIT(4)
#define LCR_BREAK       BIT(6)
#define LCR_DLAB        BIT(7)
#define MCR_DTR         BIT(0)
#define MCR_RTS         BIT(1)
#define MCR_OUT1        BIT(2)
#define MCR_OUT2        BIT(3)
#define MCR_LOOP        BIT(4)
#define LSR_DR          BIT(0)
#define LSR_OE          BIT(1)
#define LSR_BI          BIT(4)
#define LSR_THRE        BIT(5)
#define LSR_TEMT        BIT(6)
#define LSR_FIFO_ERROR  BIT(7)
#define LSR_ERRORS      0x1e
#define MSR_DELTA       0x0f
#define MSR_TERI        BIT(2)
#define MSR_CTS         BIT(4)
#define MSR_DSR         BIT(5)
#define MSR_RI          BIT(6)
#define MSR_DCD         BIT(7)

static const uint8_t fcr_trigger[] = { 1, 4, 8, 14 };

static bool uart_fifo_on(const Uart *u)
{
    return u->fcr & FCR_ENABLE;
}

static unsigned uart_rx_room(const Uart *u)
{
    return uart_fifo_on(u) ? UART_FIFO_SIZE : 1;
}

static unsigned uart_rx_trigger(const Uart *u)
{
    return uart_fifo_on(u) ? fcr_trigger[u->fcr >> 6] : 1;
}

/* DS, table IV: the interrupt of highest priority. */
static uint8_t uart_iir(const Uart *u)
{
    if ((u->ier & IER_LINE) && (u->lsr & LSR_ERRORS)) {
        return IIR_LINE;
    }
    if (u->ier & IER_RX) {
        if (u->timeout_pending && u->rx_count) {
            return IIR_TIMEOUT;
        }
        if (u->rx_count >= uart_rx_trigger(u)) {
            return IIR_RX;
        }
    }
    if ((u->ier & IER_THRE) && u->thr_pending) {
        return IIR_THRE;
    }
    if ((u->ier & IER_MODEM) && (u->msr & MSR_DELTA)) {
        return IIR_MODEM;
    }
    return IIR_NONE;
}

static void uart_update_irq(Uart *u)
{
    irq_set(u->irq, uart_iir(u) != IIR_NONE);
}

static int64_t uart_char_ns(const Uart *u)
{
    unsigned bits = 1 + (u->lcr & LCR_DATA_BITS) + 5 + (u->lcr & LCR_PARITY ? 1 : 0) +
                    (u->lcr & LCR_STOP ? 2 : 1);

    return (int64_t)bits * 16 * (u->divisor ? u->divisor : 1) * NS_PER_SECOND / u->clock_hz;
}

/* DS 8.4.1: bytes below the trigger level that nobody fetches for four
 * character times interrupt too. */
static void uart_restart_timeout(Uart *u)
{
    u->timeout_pending = false;
    if (uart_fifo_on(u) && u->rx_count) {
        timer_mod_ns(&u->rx_timeout, clock_get_ns(CLOCK_VIRTUAL) + 4 * uart_char_ns(u));
    } else {
        timer_del(&u->rx_timeout);
    }
}

static void uart_timeout(void *opaque)
{
    Uart *u = opaque;

    u->timeout_pending = true;
    uart_update_irq(u);
}

/* LSR's receive half belongs to the byte at the head of the FIFO. */
static void uart_show_head(Uart *u)
{
    bool any_error = false;

    u->lsr &= (uint8_t)~(LSR_DR | LSR_FIFO_ERROR);
    if (u->rx_count) {
        u->lsr |= LSR_DR | u->rx_err[u->rx_head];
        u->rx_err[u->rx_head] = 0;      /* shown once */
    }
    for (unsigned i = 0; i < u->rx_count; i++) {
        any_error |= u->rx_err[(u->rx_head + i) % UART_FIFO_SIZE] != 0;
    }
    if (uart_fifo_on(u) && any_error) {
        u->lsr |= LSR_FIFO_ERROR;
    }
}

static void uart_rx_push(Uart *u, uint8_t byte, uint8_t errors)
{
    unsigned tail;

    if (u->rx_count >= uart_rx_room(u)) {
        u->lsr |= LSR_OE;
        if (uart_fifo_on(u)) {
            return;             /* DS 8.6.5: the shift register is lost */
        }
        u->rx_count = 0;        /* ... the holding register is overwritten */
    }
    tail = (u->rx_head + u->rx_count) % UART_FIFO_SIZE;
    u->rx[tail] = byte;
    u->rx_err[tail] = errors;
    u->rx_count++;
    uart_show_head(u);
    uart_restart_timeout(u);
    uart_update_irq(u);
}

static uint8_t uart_rx_pop(Uart *u)
{
    uint8_t byte = u->rx[u->rx_head];

    if (u->rx_count) {
        u->rx_head = (u->rx_head + 1) % UART_FIFO_SIZE;
        u->rx_count--;
        uart_show_head(u);
        uart_restart_timeout(u);
        uart_update_irq(u);
        chr_fe_accept_input(&u->fe);
    }
    return byte;
}

static void uart_clear_rx(Uart *u)
{
    u->rx_head = u->rx_count = 0;
    u->lsr &= (uint8_t)~(LSR_DR | LSR_BI | LSR_FIFO_ERROR);
    timer_del(&u->rx_timeout);
    u->timeout_pending = false;
}

/* Hand over what is waiting; what isn't taken keeps the transmitter busy. */
static void uart_transmit(Uart *u)
{
    size_t n = u->tx_count ? chr_fe_write(&u->fe, u->tx, u->tx_count) : 0;

    u->tx_count -= (uint8_t)n;
    memmove(u->tx, u->tx + n, u->tx_count);
    if (!u->tx_count && !(u->lsr & LSR_THRE)) {
        u->lsr |= LSR_THRE | LSR_TEMT;
        u->thr_pending = true;
    }
    uart_update_irq(u);
}

static void uart_write_thr(Uart *u, uint8_t val)
{
    u->thr_pending = false;
    if (u->mcr & MCR_LOOP) {    /* DS 8.7: received by ourselves */
        u->lsr |= LSR_THRE | LSR_TEMT;
        u->thr_pending = true;
        uart_rx_push(u, val & (0xff >> (3 - (u->lcr & LCR_DATA_BITS))), 0);
        uart_update_irq(u);
        return;
    }
    if (u->tx_count == UART_FIFO_SIZE) {
        u->tx_count--;          /* the guest didn't look at THRE */
    }
    u->tx[u->tx_count++] = val;
    u->lsr &= (uint8_t)~(LSR_THRE | LSR_TEMT);
    uart_transmit(u);
}

/* The modem's outputs as our inputs (DS 8.8), and what changed. */
static void uart_update_modem(Uart *u)
{
    uint8_t old = u->msr & 0xf0, now, changed;

    if (u->mcr & MCR_LOOP) {
        now = (uint8_t)((u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
                        (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
    } else {
        now = !chr_fe_is_connected(&u->fe) || chr_fe_is_open(&u->fe)
              ? MSR_CTS | MSR_DSR | MSR_DCD : 0;
    }
    changed = (uint8_t)((old ^ now) >> 4);
    if (!(old & MSR_RI)) {
        changed &= (uint8_t)~MSR_TERI;      /* trailing edge only */
    }
    u->msr = (uint8_t)(now | (u->msr & MSR_DELTA) | changed);
    uart_update_irq(u);
}

static void uart_update_params(Uart *u)
{
    ChrSerialParams p = {
        .speed = u->divisor ? (int)(u->clock_hz / 16 / u->divisor) : 0,
        .parity = !(u->lcr & LCR_PARITY) ? 'N' : u->lcr & LCR_EVEN ? 'E' : 'O',
        .data_bits = (u->lcr & LCR_DATA_BITS) + 5,
        .stop_bits = u->lcr & LCR_STOP ? 2 : 1,
    };

    if (p.speed) {
        chr_fe_set_serial_params(&u->fe, &p);
    }
}

static void uart_write_fcr(Uart *u, uint8_t val)
{
    if ((val ^ u->fcr) & FCR_ENABLE) {
        val |= FCR_CLEAR_RX | FCR_CLEAR_TX;     /* DS 8.5 */
    }
    u->fcr = val & (val & FCR_ENABLE ? 0xc9 : 0);
    if (val & FCR_CLEAR_RX) {
        uart_clear_rx(u);
    }
    if (val & FCR_CLEAR_TX) {
        u->tx_count = 0;
        if (!(u->lsr & LSR_THRE)) {
            u->thr_pending = true;
        }
        u->lsr |= LSR_THRE | LSR_TEMT;
    }
    uart_update_irq(u);
    chr_fe_accept_input(&u->fe);
}

void uart_write(Uart *u, unsigned reg, uint8_t val)
{
    uint8_t old;

    if (reg <= REG_IER && (u->lcr & LCR_DLAB)) {
        u->divisor = reg == REG_DATA ? (uint16_t)((u->divisor & 0xff00) | val)
                                     : (uint16_t)((u->divisor & 0xff) | val << 8);
        uart_update_params(u);
        return;
    }
    switch (reg) {
    case REG_DATA:
        uart_write_thr(u, val);
        break;
    case REG_IER:
        old = u->ier;
        u->ier = val & 0x0f;
        /* Enabling it while THRE is set makes the interrupt (DS 8.6). */
        if ((u->ier & ~old & IER_THRE) && (u->lsr & LSR_THRE)) {
            u->thr_pending = true;
        }
        uart_update_irq(u);
        break;
    case REG_IIR_FCR:
        uart_write_fcr(u, val);
        break;
    case REG_LCR:
        old = u->lcr;
        u->lcr = val;
        if ((old ^ val) & ~LCR_DLAB) {
            uart_update_params(u);
        }
        if ((old ^ val) & LCR_BREAK) {
            if (u->mcr & MCR_LOOP) {
                if (val & LCR_BREAK) {
                    uart_rx_push(u, 0, LSR_BI);
                }
            } else {
                chr_fe_set_break(&u->fe, val & LCR_BREAK);
            }
        }
        break;
    case REG_MCR:
        u->mcr = val & 0x1f;
        uart_update_modem(u);
        break;
    case REG_SCR:
        u->scr = val;
        break;
    default:                    /* LSR and MSR: for factory tests only */
        break;
    }
}

uint8_t uart_read(Uart *u, unsigned reg, bool debug)
{
    uint8_t val = 0;

    if (reg <= REG_IER && (u->lcr & LCR_DLAB)) {
        return (uint8_t)(reg == REG_DATA ? u->divisor : u->divisor >> 8);
    }
    switch (reg) {
    case REG_DATA:
        val = debug ? u->rx[u->rx_head] : uart_rx_pop(u);
        break;
    case REG_IER:
        val = u->ier;
        break;
    case REG_IIR_FCR:
        val = uart_iir(u);
        if (val == IIR_THRE && !debug) {        /* DS: reading it answers it */
            u->thr_pending = false;
            uart_update_irq(u);
        }
        val |= uart_fifo_on(u) ? IIR_FIFO : 0;
        break;
    case REG_LCR:
        val = u->lcr;
        break;
    case REG_MCR:
        val = u->mcr;
        break;
    case REG_LSR:
        val = u->lsr;
        if ((val & LSR_ERRORS) && !debug) {
            u->lsr &= (uint8_t)~LSR_ERRORS;
            uart_update_irq(u);
        }
        break;
    case REG_MSR:
        val = u->msr;
        if ((val & MSR_DELTA) && !debug) {
            u->msr &= (uint8_t)~MSR_DELTA;
            uart_update_irq(u);
        }
        break;
    case REG_SCR:
        val = u->scr;
        break;
    }
    return val;
}

static MemResult uart_mem_read(void *opaque, hwaddr addr, uint64_t *val,
                               UNUSED unsigned size, MemAttrs attrs)
{
    *val = uart_read(opaque, addr & 7, attrs.debug);
    return MEM_OK;
}

static MemResult uart_mem_write(void *opaque, hwaddr addr, uint64_t val,
                                UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    uart_write(opaque, addr & 7, (uint8_t)val);
    return MEM_OK;
}

const MemOps uart_mem_ops = {
    .read = uart_mem_read, .write = uart_mem_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static size_t uart_can_receive(void *opaque)
{
    Uart *u = opaque;

    if (u->mcr & MCR_LOOP) {
        return 0;
    }
    return u->rx_count < uart_rx_room(u) ? uart_rx_room(u) - u->rx_count : 0;
}

static void uart_receive(void *opaque, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uart_rx_push(opaque, buf[i], 0);
    }
}

static void uart_event(void *opaque, ChrEvent event)
{
    Uart *u = opaque;

    if (event == CHR_EVENT_BREAK) {
        uart_rx_push(u, 0, LSR_BI);
    } else {
        uart_update_modem(u);
    }
}

static void uart_writable(void *opaque)
{
    uart_transmit(opaque);
}

static const ChrHandlers uart_chr_handlers = {
    uart_can_receive, uart_receive, uart_event, uart_writable,
};

/* DS, table III. */
void uart_reset(Uart *u)
{
    u->ier = u->lcr = u->mcr = u->fcr = u->scr = 0;
    u->divisor = 12;            /* 9600 baud; the chip's is random */
    u->lsr = LSR_THRE | LSR_TEMT;
    u->tx_count = 0;
    u->thr_pending = false;
    uart_clear_rx(u);
    uart_update_modem(u);
    u->msr &= (uint8_t)~MSR_DELTA;
    uart_update_irq(u);
}

bool uart_init(Uart *u, Chardev *chr, uint32_t clock_hz, Error **errp)
{
    u->clock_hz = clock_hz;
    timer_init_ns(&u->rx_timeout, CLOCK_VIRTUAL, uart_timeout, u);
    if (!chr_fe_init(&u->fe, chr, errp)) {
        return false;
    }
    uart_reset(u);
    chr_fe_set_handlers(&u->fe, &uart_chr_handlers, u);
    return true;
}

void uart_cleanup(Uart *u)
{
    timer_del(&u->rx_timeout);
    chr_fe_deinit(&u->fe);
}

static bool uart_post_load(void *opaque, UNUSED Error **errp)
{
    Uart *u = opaque;

    uart_update_params(u);
    uart_transmit(u);
    chr_fe_accept_input(&u->fe);        /* it was full before, perhaps */
    return true;
}

static const VmField uart_fields[] = {
    VM_U16(Uart, divisor), VM_U8(Uart, ier), VM_U8(Uart, lcr), VM_U8(Uart, mcr),
    VM_U8(Uart, lsr), VM_U8(Uart, msr), VM_U8(Uart, scr), VM_U8(Uart, fcr),
    VM_BOOL(Uart, thr_pending), VM_BOOL(Uart, timeout_pending),
    VM_U8_ARRAY(Uart, rx), VM_U8_ARRAY(Uart, rx_err),
    VM_U8_RANGE(Uart, rx_head, 0, UART_FIFO_SIZE - 1),
    VM_U8_RANGE(Uart, rx_count, 0, UART_FIFO_SIZE),
    VM_U8_RANGE(Uart, tx_count, 0, UART_FIFO_SIZE),
    VM_U8_ARRAY(Uart, tx), VM_TIMER(Uart, rx_timeout), VM_END
};
static char *baud_text(uint64_t divisor)
{
    return divisor ? g_strdup_printf("%" PRIu64 " baud", UINT64_C(115200) / divisor) : NULL;
}

static const VmMeaning uart_meanings[] = {
    { "scr", "SCR, scratch" }, { "rx_head", "where it begins" }, { "rx_count", "bytes in it" }, { "tx_count", "bytes in it" },
    { "divisor", "divisor latch", .text = baud_text },
    { "ier", "IER", .flags = FLAGS({ "RDA", 1 }, { "THRE", 2 }, { "RLS", 4 }, { "MS", 8 }) },
    { "lcr", "LCR", .flags = FLAGS({ "WLS", 3 }, { "STB", 4 }, { "PEN", 8 }, { "EPS", 0x10 }, { "STICK", 0x20 },
                                   { "BREAK", 0x40 }, { "DLAB", 0x80 }) },
    { "mcr", "MCR", .flags = FLAGS({ "DTR", 1 }, { "RTS", 2 }, { "OUT1", 4 }, { "OUT2", 8 }, { "LOOP", 0x10 }) },
    { "lsr", "LSR", .flags = FLAGS({ "DR", 1 }, { "OE", 2 }, { "PE", 4 }, { "FE", 8 }, { "BI", 0x10 }, { "THRE", 0x20 },
                                   { "TEMT", 0x40 }, { "FIFO_ERR", 0x80 }) },
    { "msr", "MSR", .flags = FLAGS({ "DCTS", 1 }, { "DDSR", 2 }, { "TERI", 4 }, { "DDCD", 8 }, { "CTS", 0x10 },
                                   { "DSR", 0x20 }, { "RI", 0x40 }, { "DCD", 0x80 }) },
    { "fcr", "FCR", .flags = FLAGS({ "ENABLE", 1 }, { "DMA", 8 }, { "TRIGGER", 0xc0 }) },
    { "rx", "receive FIFO", .payload = "bytes received, from rx_head" },
    { "rx_err", "errors of the bytes in rx", .payload = "LSR bits of each" },
    { "tx", "transmit FIFO", .payload = "bytes to be sent" },
    { .name = NULL }
};
const VmState uart_vm = { 1, uart_fields, .name = "uart", .post_load = uart_post_load, .meanings = uart_meanings };
