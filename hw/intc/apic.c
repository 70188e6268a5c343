/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local APIC: xAPIC registers in a page of each CPU's own memory, x2APIC MSRs, timer
 * (one-shot, periodic, TSC deadline), local vectors, interprocessor
 * interrupts, and the message bus between APICs.
 *
 * Sources: SDM vol. 3A chapter 11 ("Advanced Programmable Interrupt
 * Controller"; section numbers as of edition 081); MultiProcessor Spec 1.4, 3.6.2 (virtual
 * wire mode).
 * Not modelled: thermal and performance counter events (their vectors are
 * registers only), EOI broadcast suppression, lowest-priority arbitration
 * other than by processor priority.
 */
#include "util/osdep.h"
#include "hw/intc/apic.h"
#include "hw/intc/apic-state.h"
#include "hw/core/regs.h"
#include "util/host-utils.h"
#include "util/log.h"
#include "util/timer.h"

/* Registers: offset / 16 in the page, and number of the x2APIC MSR. */
enum {
    R_ID = 0x02, R_VERSION = 0x03, R_TPR = 0x08, R_APR = 0x09, R_PPR = 0x0a, R_EOI = 0x0b,
    R_RRD = 0x0c, R_LDR = 0x0d, R_DFR = 0x0e, R_SVR = 0x0f, R_ISR = 0x10, R_TMR = 0x18,
    R_IRR = 0x20, R_ESR = 0x28, R_ICR = 0x30, R_ICR_HI = 0x31, R_LVT = 0x32, R_LVT_LAST = 0x37,
    R_INIT_COUNT = 0x38, R_CUR_COUNT = 0x39, R_DCR = 0x3e, R_SELF_IPI = 0x3f,
};
enum { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_NUM };

#define BASE_BSP        BIT64(8)            /* IA32_APIC_BASE, 11.4.4 */
#define BASE_EXTD       BIT64(10)
#define BASE_EN         BIT64(11)
#define VERSION         (0x14 | (LVT_NUM - 1) << 16)
#define SVR_ENABLE      BIT(8)
#define LVT_MASKED      BIT(16)
#define LVT_LEVEL       BIT(15)
#define LVT_REMOTE_IRR  BIT(14)
#define LVT_POLARITY    BIT(13)
#define LVT_PENDING     BIT(12)
#define LVT_TIMER_MODE  (3u << 17)
#define TIMER_ONESHOT   (0u << 17)
#define TIMER_PERIODIC  (1u << 17)
#define TIMER_DEADLINE  (2u << 17)
#define ICR_LOGICAL     BIT(11)
#define ICR_ASSERT      BIT(14)
#define ICR_LEVEL       BIT(15)
#define ESR_SEND_VECTOR BIT(5)
#define ESR_RECV_VECTOR BIT(6)
#define ESR_REGISTER    BIT(7)
#define DEST_ALL        UINT32_MAX

/* Ticks of the timer's input: the bus clock, 1 GHz. */
#define MIN_PERIOD_NS   10000

/* Bits that can be written in each local vector (figure 11-8). */
static const uint32_t lvt_writable[LVT_NUM] = {
    [LVT_TIMER] = 0x700ff, [LVT_THERMAL] = 0x107ff, [LVT_PERF] = 0x107ff,
    [LVT_LINT0] = 0x1a7ff, [LVT_LINT1] = 0x1a7ff, [LVT_ERROR] = 0x100ff,
};

typedef struct ApicState {
    Device dev;
    Object *cpu_obj;            /* property; a CPUState */
    CPUState *cpu;
    uint32_t id;                /* initial id; property */
    bool bsp;
    MemRegion page;
    uint64_t base;
    uint32_t xapic_id;          /* bits 31:24 */
    uint32_t tpr, ldr, dfr, svr, esr, esr_new, lvt[LVT_NUM], dcr, init_count;
    uint64_t icr;
    uint32_t irr[8], isr[8], tmr[8];
    uint8_t sipi_vector;
    bool lint[2];
    Timer timer;
    int64_t count_start_ns;     /* when the count was loaded */
    uint64_t deadline;          /* IA32_TSC_DEADLINE */
    uint64_t tsc_hz, tsc_offset;
    struct ApicState *next;
} ApicState;

DEFINE_CAST(APIC, ApicState, TYPE_LOCAL_APIC)

/* The bus: all realized APICs in order of id, and who hears EOIs. Big lock. */
static struct {
    ApicState *first;
    ApicEoiListener *listeners;
    MemRegion msi;
} bus;

static bool is_enabled(const ApicState *s) { return s->base & BASE_EN; }
static bool is_x2apic(const ApicState *s) { return s->base & BASE_EXTD; }
static bool soft_enabled(const ApicState *s)
{
    return is_enabled(s) && (s->svr & SVR_ENABLE);
}

/* -------------------------------------------------------- priorities, delivery */

static void set_bit(uint32_t *map, unsigned n) { map[n / 32] |= BIT(n % 32); }
static void clear_bit(uint32_t *map, unsigned n) { map[n / 32] &= ~BIT(n % 32); }
static bool test_bit(const uint32_t *map, unsigned n) { return map[n / 32] >> (n % 32) & 1; }

static int highest(const uint32_t *map)
{
    for (int i = 7; i >= 0; i--) {
        if (map[i]) {
            return i * 32 + 31 - clz32(map[i]);
        }
    }
    return -1;
}

/* 11.8.3.1 */
static uint32_t ppr(const ApicState *s)
{
    int v = highest(s->isr);
    uint32_t isrv = v < 0 ? 0 : v & 0xf0;

    return (s->tpr & 0xf0) >= isrv ? s->tpr : isrv;
}

static int deliverable(const ApicState *s)
{
    int v = soft_enabled(s) ? highest(s->irr) : -1;

    return v >= 0 && (uint32_t)(v & 0xf0) > (ppr(s) & 0xf0) ? v : -1;
}

static void update(ApicState *s)
{
    bool extint = s->lint[0] &&
                  (!is_enabled(s) || (s->lvt[LVT_LINT0] & (LVT_MASKED | 0x700)) == 0x700);

    cpu_set_interrupt_line(s->cpu, CPU_INTR_HARD, extint);
    cpu_set_interrupt_line(s->cpu, CPU_INTR_POLL, deliverable(s) >= 0);
}

static void local_vector(ApicState *s, unsigned n);

static void error(ApicState *s, uint32_t bit)
{
    if (!(s->esr_new & bit)) {
        s->esr_new |= bit;
        local_vector(s, LVT_ERROR);
    }
}

static void accept_fixed(ApicState *s, uint8_t vector, bool level)
{
    if (!soft_enabled(s)) {
        return;
    }
    if (vector < 16) {
        error(s, ESR_RECV_VECTOR);
        return;
    }
    set_bit(s->irr, vector);
    if (level) {
        set_bit(s->tmr, vector);
    } else {
        clear_bit(s->tmr, vector);
    }
    update(s);
}

/* A message or a local vector has arrived. */
static void accept(ApicState *s, unsigned mode, uint8_t vector, bool level)
{
    switch (mode) {
    case APIC_DM_FIXED:
    case APIC_DM_LOWEST:
        accept_fixed(s, vector, level);
        break;
    case APIC_DM_SMI:
        cpu_raise(s->cpu, CPU_INTR_SMI);
        break;
    case APIC_DM_NMI:
        cpu_raise(s->cpu, CPU_INTR_NMI);
        break;
    case APIC_DM_INIT:
        /* A STARTUP that was sent before is void; one behind it waits. */
        cpu_lower(s->cpu, CPU_INTR_SIPI);
        cpu_raise(s->cpu, CPU_INTR_INIT);
        break;
    case APIC_DM_STARTUP:
        s->sipi_vector = vector;
        cpu_raise(s->cpu, CPU_INTR_SIPI);
        break;
    default:
        break;
    }
}

static void local_vector(ApicState *s, unsigned n)
{
    uint32_t lvt = s->lvt[n];
    unsigned mode = lvt >> 8 & 7;

    if ((lvt & LVT_MASKED) || !is_enabled(s)) {
        return;
    }
    if (n == LVT_TIMER || n == LVT_ERROR) {
        mode = APIC_DM_FIXED;
    }
    if (mode == APIC_DM_EXTINT) {
        update(s);
        return;
    }
    if (mode == APIC_DM_FIXED && (n == LVT_LINT0 || n == LVT_LINT1) && (lvt & LVT_LEVEL)) {
        s->lvt[n] |= LVT_REMOTE_IRR;
        accept(s, mode, lvt, true);
        return;
    }
    accept(s, mode, lvt, false);
}

static void set_lint(Device *dev, int pin, int level)
{
    ApicState *s = APIC(dev);
    bool was = s->lint[pin];

    s->lint[pin] = level;
    if (pin == 0 && (!is_enabled(s) || (s->lvt[LVT_LINT0] & 0x700) == 0x700)) {
        update(s);
    } else if (!is_enabled(s)) {
        if (level && !was) {                    /* LINT1 is the NMI pin */
            cpu_raise(s->cpu, CPU_INTR_NMI);
        }
    } else if (level && (!was || ((s->lvt[LVT_LINT0 + pin] & (LVT_LEVEL | LVT_REMOTE_IRR)) ==
                                  LVT_LEVEL))) {
        local_vector(s, LVT_LINT0 + pin);
    }
}

/* ------------------------------------------------------------------- messages */

static uint32_t x2_ldr(const ApicState *s)
{
    return (s->id >> 4) << 16 | BIT(s->id & 15);        /* 11.12.10.2 */
}

/* 11.6.2. @wide: a 32-bit destination, from an x2APIC. */
static bool matches(const ApicState *s, uint32_t dest, bool logical, bool wide)
{
    if (dest == (wide ? DEST_ALL : 0xff)) {
        return true;
    }
    if (!logical) {
        return dest == (is_x2apic(s) || wide ? s->id : s->xapic_id >> 24);
    }
    if (is_x2apic(s)) {
        uint32_t ldr = x2_ldr(s);

        if (!wide) {                            /* cluster 0, 8 of its members */
            return (ldr >> 16) == 0 && (ldr & dest & 0xff);
        }
        return (ldr >> 16) == (dest >> 16) && (ldr & dest & 0xffff);
    }
    if (wide && dest > 0xff) {
        return false;
    }
    if ((s->dfr >> 28) == 0xf) {                /* flat */
        return s->ldr >> 24 & dest;
    }
    return (s->ldr >> 28) == (dest >> 4 & 0xf) && (s->ldr >> 24 & dest & 0xf);
}

static int send(uint32_t dest, bool logical, bool wide, unsigned mode, uint8_t vector, bool level)
{
    ApicState *lowest = NULL;
    int n = 0;

    if (mode == 3) {
        return -1;
    }
    for (ApicState *s = bus.first; s; s = s->next) {
        if (!is_enabled(s) || !matches(s, dest, logical, wide)) {
            continue;
        }
        if (mode == APIC_DM_LOWEST) {
            if (soft_enabled(s) && (!lowest || ppr(s) < ppr(lowest))) {
                lowest = s;
            }
            continue;
        }
        accept(s, mode, vector, level);
        n++;
    }
    if (lowest) {
        accept(lowest, APIC_DM_FIXED, vector, level);
        n = 1;
    }
    return n;
}

int apic_deliver(uint32_t dest, bool logical, unsigned mode, uint8_t vector, bool level)
{
    return send(dest, logical, dest > 0xff, mode, vector, level);
}

/* 11.6.1 */
static void write_icr(ApicState *s, uint64_t icr)
{
    unsigned mode = icr >> 8 & 7, shorthand = icr >> 18 & 3;
    uint8_t vector = icr;
    bool x2 = is_x2apic(s), level = icr & ICR_LEVEL;
    uint32_t dest = x2 ? icr >> 32 : icr >> 56;

    s->icr = icr & ~UINT64_C(0x1000);           /* delivery status: idle at once */
    if (mode == APIC_DM_INIT && level && !(icr & ICR_ASSERT)) {
        return;                                 /* INIT level de-assert */
    }
    if ((mode == APIC_DM_FIXED || mode == APIC_DM_LOWEST) && vector < 16) {
        error(s, ESR_SEND_VECTOR);
        return;
    }
    /* Only INIT level de-assert makes use of the trigger mode (table 11-3). */
    switch (shorthand) {
    case 0:
        send(dest, icr & ICR_LOGICAL, x2, mode, vector, false);
        break;
    case 1:
        accept(s, mode, vector, false);
        break;
    default:
        for (ApicState *a = bus.first; a; a = a->next) {
            if (is_enabled(a) && (shorthand == 2 || a != s)) {
                accept(a, mode == APIC_DM_LOWEST ? APIC_DM_FIXED : mode, vector, false);
            }
        }
        break;
    }
}

void apic_add_eoi_listener(ApicEoiListener *l)
{
    l->next = bus.listeners;
    bus.listeners = l;
}

void apic_remove_eoi_listener(ApicEoiListener *l)
{
    for (ApicEoiListener **p = &bus.listeners; *p; p = &(*p)->next) {
        if (*p == l) {
            *p = l->next;
            return;
        }
    }
}

/* 11.8.5 */
static void end_of_interrupt(ApicState *s)
{
    int v = highest(s->isr);

    if (v < 0) {
        return;
    }
    clear_bit(s->isr, v);
    if (test_bit(s->tmr, v)) {
        ApicEoiListener *next;

        for (ApicEoiListener *l = bus.listeners; l; l = next) {
            next = l->next;
            l->eoi(l, v);
        }
        for (int pin = 0; pin < 2; pin++) {     /* a level pin that is still high */
            uint32_t *lvt = &s->lvt[LVT_LINT0 + pin];

            if ((*lvt & LVT_REMOTE_IRR) && (*lvt & 0xff) == (uint32_t)v) {
                *lvt &= ~LVT_REMOTE_IRR;
                if (s->lint[pin]) {
                    local_vector(s, LVT_LINT0 + pin);
                }
            }
        }
    }
    update(s);
}

/* ---------------------------------------------------------------------- timer */

static uint32_t timer_mode(const ApicState *s) { return s->lvt[LVT_TIMER] & LVT_TIMER_MODE; }

/* Figure 11-10: the divider is 2, 4 .. 128, 1. */
static unsigned divide_shift(const ApicState *s)
{
    return (((s->dcr & 3) | (s->dcr >> 1 & 4)) + 1) & 7;
}

static int64_t period_ns(const ApicState *s)
{
    return (int64_t)((uint64_t)s->init_count << divide_shift(s));
}

static uint32_t current_count(const ApicState *s)
{
    uint64_t gone, period = s->init_count;

    if (!period || timer_mode(s) == TIMER_DEADLINE) {
        return 0;
    }
    gone = (uint64_t)(clock_get_ns(CLOCK_VIRTUAL) - s->count_start_ns) >> divide_shift(s);
    if (timer_mode(s) == TIMER_PERIODIC) {
        return period - gone % period;
    }
    return gone >= period ? 0 : period - gone;
}

static void arm_count(ApicState *s)
{
    if (!s->init_count || timer_mode(s) == TIMER_DEADLINE) {
        timer_del(&s->timer);
        return;
    }
    timer_mod_ns(&s->timer, s->count_start_ns + period_ns(s));
}

static void load_count(ApicState *s)
{
    s->count_start_ns = clock_get_ns(CLOCK_VIRTUAL);
    arm_count(s);
}

/* When the TSC reaches @tsc. */
static int64_t tsc_to_ns(const ApicState *s, uint64_t tsc)
{
    int64_t ticks = (int64_t)(tsc - s->tsc_offset);

    if (ticks < 0) {
        return 0;
    }
    if (!s->tsc_hz || s->tsc_hz == (uint64_t)NS_PER_SECOND) {
        return ticks;
    }
    return (int64_t)muldiv64_up((uint64_t)ticks, NS_PER_SECOND, s->tsc_hz);
}

static void arm_deadline(ApicState *s)
{
    if (s->deadline) {
        timer_mod_ns(&s->timer, tsc_to_ns(s, s->deadline));
    } else {
        timer_del(&s->timer);
    }
}

static void timer_fired(void *opaque)
{
    ApicState *s = opaque;

    switch (timer_mode(s)) {
    case TIMER_PERIODIC: {
        int64_t now = clock_get_ns(CLOCK_VIRTUAL), period = MAX(period_ns(s), MIN_PERIOD_NS);

        s->count_start_ns += period;
        if (s->count_start_ns + period <= now) {        /* late: drop the lost ones */
            s->count_start_ns = now - (now - s->count_start_ns) % period;
        }
        timer_mod_ns(&s->timer, s->count_start_ns + period);
        break;
    }
    case TIMER_DEADLINE:
        s->deadline = 0;
        break;
    default:
        break;
    }
    local_vector(s, LVT_TIMER);
}

static uint64_t get_deadline(Device *dev)
{
    ApicState *s = APIC(dev);

    return timer_mode(s) == TIMER_DEADLINE ? s->deadline : 0;
}

static void set_deadline(Device *dev, uint64_t tsc)
{
    ApicState *s = APIC(dev);

    if (timer_mode(s) == TIMER_DEADLINE) {      /* else ignored: 11.5.4.1 */
        s->deadline = tsc;
        arm_deadline(s);
    }
}

static void set_tsc(Device *dev, uint64_t hz, uint64_t offset)
{
    ApicState *s = APIC(dev);

    s->tsc_hz = hz;
    s->tsc_offset = offset;
    if (timer_mode(s) == TIMER_DEADLINE) {
        arm_deadline(s);
    }
}

/* ------------------------------------------------------------------ registers */

static void write_lvt(ApicState *s, unsigned n, uint32_t v)
{
    uint32_t old = s->lvt[n];

    v = (v & lvt_writable[n]) | (old & LVT_REMOTE_IRR);
    if (!(s->svr & SVR_ENABLE)) {
        v |= LVT_MASKED;                        /* 11.4.7.2 */
    }
    s->lvt[n] = v;
    if (n == LVT_TIMER && ((old ^ v) & LVT_TIMER_MODE)) {
        if (timer_mode(s) == TIMER_DEADLINE || (old & LVT_TIMER_MODE) == TIMER_DEADLINE) {
            s->deadline = 0;
            s->init_count = 0;
            timer_del(&s->timer);
        } else {
            arm_count(s);
        }
    }
    if (n == LVT_LINT0) {
        update(s);
    }
}

static void write_svr(ApicState *s, uint32_t v)
{
    s->svr = v & 0x1ff;
    if (!(v & SVR_ENABLE)) {
        for (unsigned i = 0; i < LVT_NUM; i++) {
            s->lvt[i] |= LVT_MASKED;
        }
    }
    update(s);
}

/* False: not a register. */
static bool read_reg(ApicState *s, unsigned r, uint32_t *v)
{
    switch (r) {
    case R_ID: *v = is_x2apic(s) ? s->id : s->xapic_id; return true;
    case R_VERSION: *v = VERSION; return true;
    case R_TPR: *v = s->tpr; return true;
    case R_APR: *v = ppr(s); return !is_x2apic(s);
    case R_PPR: *v = ppr(s); return true;
    case R_RRD: *v = 0; return !is_x2apic(s);
    case R_LDR: *v = is_x2apic(s) ? x2_ldr(s) : s->ldr; return true;
    case R_DFR: *v = s->dfr; return !is_x2apic(s);
    case R_SVR: *v = s->svr; return true;
    case R_ISR ... R_ISR + 7: *v = s->isr[r - R_ISR]; return true;
    case R_TMR ... R_TMR + 7: *v = s->tmr[r - R_TMR]; return true;
    case R_IRR ... R_IRR + 7: *v = s->irr[r - R_IRR]; return true;
    case R_ESR: *v = s->esr; return true;
    case R_ICR: *v = s->icr; return true;
    case R_ICR_HI: *v = s->icr >> 32; return !is_x2apic(s);
    case R_LVT ... R_LVT_LAST: *v = s->lvt[r - R_LVT]; return true;
    case R_INIT_COUNT: *v = s->init_count; return true;
    case R_CUR_COUNT: *v = current_count(s); return true;
    case R_DCR: *v = s->dcr; return true;
    default: return false;
    }
}

static bool write_reg(ApicState *s, unsigned r, uint32_t v)
{
    switch (r) {
    case R_ID:
        s->xapic_id = v & 0xff000000;
        return !is_x2apic(s);
    case R_TPR:
        s->tpr = v & 0xff;
        update(s);
        return true;
    case R_EOI:
        end_of_interrupt(s);
        return true;
    case R_LDR:
        s->ldr = v & 0xff000000;
        return !is_x2apic(s);
    case R_DFR:
        s->dfr = v | 0x0fffffff;
        return !is_x2apic(s);
    case R_SVR:
        write_svr(s, v);
        return true;
    case R_ESR:                                 /* 11.5.3: a write latches the new errors */
        s->esr = s->esr_new;
        s->esr_new = 0;
        return true;
    case R_ICR:
        write_icr(s, (s->icr & ~UINT64_C(0xffffffff)) | v);
        return true;
    case R_ICR_HI:
        s->icr = (s->icr & 0xffffffff) | (uint64_t)(v & 0xff000000) << 32;
        return true;
    case R_LVT ... R_LVT_LAST:
        write_lvt(s, r - R_LVT, v);
        return true;
    case R_INIT_COUNT:
        if (timer_mode(s) != TIMER_DEADLINE) {
            s->init_count = v;
            load_count(s);
        }
        return true;
    case R_DCR: {
        uint32_t left = current_count(s);

        s->dcr = v & 0xb;
        if (s->init_count && left) {            /* what is left counts at the new rate */
            s->count_start_ns = clock_get_ns(CLOCK_VIRTUAL) -
                                (int64_t)((uint64_t)(s->init_count - left) << divide_shift(s));
            arm_count(s);
        }
        return true;
    }
    default:
        return false;
    }
}

static MemResult page_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    ApicState *s = opaque;
    uint32_t v = 0;

    if ((addr & 0xf) || !read_reg(s, addr >> 4, &v)) {
        log_guest_error("apic", "read of reserved register 0x%03" PRIx64, addr);
        error(s, ESR_REGISTER);
        v = 0;
    }
    *val = v;
    return MEM_OK;
}

static MemResult page_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                            UNUSED MemAttrs attrs)
{
    ApicState *s = opaque;

    if ((addr & 0xf) || !write_reg(s, addr >> 4, val)) {
        log_guest_error("apic", "write of %08" PRIx64 " to reserved or read-only register "
                        "0x%03" PRIx64, val, addr);
        error(s, ESR_REGISTER);
    }
    return MEM_OK;
}

static const MemOps page_ops = {
    .read = page_read, .write = page_write, .order = MEM_LE,
    .valid = { .min = 1, .max = 4 }, .impl = { .min = 4, .max = 4 },
};

/* 11.11: a message. */
static MemResult msi_write(UNUSED void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    bool logical = addr & BIT(2);
    unsigned mode = val >> 8 & 7;

    send(addr >> 12 & 0xff, logical, false, mode, val, val & BIT(15));
    return MEM_OK;
}

static MemResult msi_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val,
                          UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = UINT64_MAX;
    return MEM_OK;
}

static const MemOps msi_ops = {
    .read = msi_read, .write = msi_write, .order = MEM_LE,
    .valid = { .min = 1, .max = 8 }, .impl = { .min = 4, .max = 4 },
};

/* x2APIC: table 11-6. */
static bool read_msr(Device *dev, unsigned reg, uint64_t *v)
{
    ApicState *s = APIC(dev);
    uint32_t v32 = 0;

    if (!is_x2apic(s)) {
        return false;
    }
    if (reg == R_ICR) {
        *v = s->icr;
        return true;
    }
    if (!read_reg(s, reg, &v32)) {
        return false;
    }
    *v = v32;
    return true;
}

static bool write_msr(Device *dev, unsigned reg, uint64_t v)
{
    ApicState *s = APIC(dev);

    if (!is_x2apic(s)) {
        return false;
    }
    switch (reg) {
    case R_ICR:
        write_icr(s, v);
        return true;
    case R_SELF_IPI:
        if (v & ~UINT64_C(0xff)) {
            return false;
        }
        accept(s, APIC_DM_FIXED, v, false);
        return true;
    case R_EOI:
    case R_ESR:
        return v == 0 && write_reg(s, reg, 0);
    case R_ID:
    case R_LDR:
    case R_DFR:
    case R_ICR_HI:
        return false;
    default:
        return !(v >> 32) && write_reg(s, reg, v);
    }
}

/* -------------------------------------------------------------- the CPU's side */

static MemRegion *mmio(Device *dev) { return &APIC(dev)->page; }
static uint64_t get_base(Device *dev) { return APIC(dev)->base; }
static uint8_t get_tpr(Device *dev) { return APIC(dev)->tpr; }
static uint8_t sipi_vector(Device *dev) { return APIC(dev)->sipi_vector; }
static bool intr_pending(Device *dev) { return deliverable(APIC(dev)) >= 0; }

static void set_tpr(Device *dev, uint8_t tpr)
{
    APIC(dev)->tpr = tpr;
    update(APIC(dev));
}

static int intr_ack(Device *dev)
{
    ApicState *s = APIC(dev);
    int v = deliverable(s);

    if (v >= 0) {
        clear_bit(s->irr, v);
        set_bit(s->isr, v);
    }
    update(s);
    return v;
}

static void init_reset(Device *dev)
{
    ApicState *s = APIC(dev);

    s->tpr = s->ldr = s->esr = s->esr_new = s->dcr = s->init_count = 0;
    s->dfr = UINT32_MAX;
    s->svr = 0xff;
    s->icr = 0;
    memset(s->irr, 0, sizeof(s->irr));
    memset(s->isr, 0, sizeof(s->isr));
    memset(s->tmr, 0, sizeof(s->tmr));
    for (unsigned i = 0; i < LVT_NUM; i++) {
        s->lvt[i] = LVT_MASKED;
    }
    if (s->bsp) {
        /* Virtual wire mode, which software that knows no APIC expects. */
        s->lvt[LVT_LINT0] = APIC_DM_EXTINT << 8;
    }
    s->deadline = 0;
    s->count_start_ns = 0;
    timer_del(&s->timer);
    update(s);
}

/* 11.12.5: which mode may follow which. */
static bool set_base(Device *dev, uint64_t v)
{
    ApicState *s = APIC(dev);
    uint64_t old = s->base, modes = BASE_EN | BASE_EXTD;

    if ((v & 0x2ff) || (v & modes) == BASE_EXTD ||
        ((v & BASE_EXTD) && !(old & BASE_EN)) ||
        ((old & BASE_EXTD) && (v & modes) == BASE_EN)) {
        return false;
    }
    s->base = (v & ~BASE_BSP) | (s->bsp ? BASE_BSP : 0);
    if ((old & BASE_EN) && !(v & BASE_EN)) {
        init_reset(dev);
        s->xapic_id = s->id << 24;
    }
    update(s);
    return true;
}

static void apic_reset_hold(Device *dev)
{
    ApicState *s = APIC(dev);

    s->base = 0xfee00000 | BASE_EN | (s->bsp ? BASE_BSP : 0);
    s->xapic_id = s->id << 24;
    s->sipi_vector = 0;
    init_reset(dev);
}

static const LocalApicOps apic_ops = {
    .mmio = mmio, .get_base = get_base, .set_base = set_base, .get_tpr = get_tpr,
    .set_tpr = set_tpr, .read_msr = read_msr, .write_msr = write_msr, .intr_ack = intr_ack,
    .intr_pending = intr_pending, .get_deadline = get_deadline, .set_deadline = set_deadline,
    .set_tsc = set_tsc, .sipi_vector = sipi_vector, .init_reset = init_reset,
    .set_lint = set_lint,
};

/* ------------------------------------------------------------------- the device */

static void apic_init(Device *dev)
{
    ApicState *s = APIC(dev);

    timer_init_ns(&s->timer, CLOCK_VIRTUAL, timer_fired, s);
}

static void apic_finalize(Device *dev)
{
    timer_del(&APIC(dev)->timer);
}

static bool apic_realize(Device *dev, Error **errp)
{
    ApicState *s = APIC(dev), **p;

    if (!s->cpu_obj) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "property 'cpu' of an APIC is not set");
        return false;
    }
    for (p = &bus.first; *p && (*p)->id <= s->id; p = &(*p)->next) {
        if ((*p)->id == s->id) {
            error_setf(errp, ERR_DUPLICATE_ID, "there is an APIC with id %u already", s->id);
            return false;
        }
    }
    s->cpu = CPU(s->cpu_obj);
    memory_region_init_io(&s->page, dev, &page_ops, s, "apic", 4096);
    if (!bus.first) {
        memory_region_init_io(&bus.msi, NULL, &msi_ops, NULL, "apic-msi", APIC_MSI_SIZE);
        memory_region_add_overlap(system_memory(), APIC_MSI_BASE, &bus.msi, 1);
    }
    s->next = *p;
    *p = s;
    apic_reset_hold(dev);
    return true;
}

static void apic_unrealize(Device *dev)
{
    ApicState *s = APIC(dev), **p;

    for (p = &bus.first; *p && *p != s; p = &(*p)->next) {
    }
    if (*p) {
        *p = s->next;
    }
    if (!bus.first) {
        memory_region_cleanup(&bus.msi);
    }
    timer_del(&s->timer);
    memory_region_cleanup(&s->page);
}

/* A pin's level comes again from whoever drives it; the rest must be possible. */
static bool apic_post_load(void *opaque, Error **errp)
{
    ApicState *s = opaque;
    uint64_t modes = s->base & (BASE_EN | BASE_EXTD);

    for (unsigned i = 0; i < LVT_NUM; i++) {
        if (s->lvt[i] & ~(lvt_writable[i] | LVT_REMOTE_IRR)) {
            error_setf(errp, ERR_STATE_INVALID, "local vector %u holds reserved bits", i);
            return false;
        }
    }
    if (modes == BASE_EXTD || (s->svr & ~0x1ffu) || (s->dcr & ~0xbu) || (s->tpr & ~0xffu)) {
        error_setf(errp, ERR_STATE_INVALID, "the APIC's mode or registers can't be");
        return false;
    }
    update(s);
    return true;
}

static const VmField apic_fields[] = {
    VM_U64(ApicState, base), VM_U32(ApicState, xapic_id), VM_U32(ApicState, tpr),
    VM_U32(ApicState, ldr), VM_U32(ApicState, dfr), VM_U32(ApicState, svr),
    VM_U32(ApicState, esr), VM_U32(ApicState, esr_new), VM_U32_ARRAY(ApicState, lvt),
    VM_U32(ApicState, dcr), VM_U32(ApicState, init_count), VM_U64(ApicState, icr),
    VM_U32_ARRAY(ApicState, irr), VM_U32_ARRAY(ApicState, isr), VM_U32_ARRAY(ApicState, tmr),
    VM_U8(ApicState, sipi_vector), VM_BOOL_ARRAY(ApicState, lint),
    VM_I64(ApicState, count_start_ns), VM_U64(ApicState, deadline), VM_TIMER(ApicState, timer),
    VM_END
};

static const Property apic_props[] = {
    PROP_LINK("cpu", ApicState, cpu_obj, TYPE_CPU, "whose APIC it is"),
    PROP_U32("id", ApicState, id, 0, "initial APIC id"),
    PROP_BOOL("bsp", ApicState, bsp, false, "belongs to the boot processor"),
    PROP_END
};

static const DeviceType apic_type = {
    .name = TYPE_LOCAL_APIC, .parent = TYPE_DEVICE, .desc = "local APIC", .size = sizeof(ApicState),
    .not_user_creatable = true, .props = apic_props, .init = apic_init,
    .finalize = apic_finalize, .realize = apic_realize, .unrealize = apic_unrealize,
    .reset_hold = apic_reset_hold,
    .vm = { .version = 1, .fields = apic_fields, .post_load = apic_post_load, .meanings = apic_meanings },
    .printers = apic_printers,
    .data = &apic_ops,
};
DEVICE_TYPE(apic_type)
