/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * i6300esb: the watchdog of Intel's 6300ESB I/O controller hub.
 *
 * Source: Intel 6300ESB data sheet 300641, chapter 16 ("DS"). Two stages: the end of the first
 * may interrupt, the end of the second acts on the machine. Not modelled: the SMI of stage 1.
 */
#include "util/osdep.h"
#include "hw/core/runstate.h"
#include "hw/pci/pci.h"

/* DS 16.3: configuration registers. */
#define CONFIG_REG      0x60
enum { CONFIG_INT_TYPE = 3, CONFIG_INT_IRQ = 0, CONFIG_PRE_SEL = BIT(2), CONFIG_NO_OUTPUT = BIT(5),
       CONFIG_RW = 0x27 };
#define LOCK_REG        0x68
enum { LOCK_LOCK = BIT(0), LOCK_ENABLE = BIT(1), LOCK_FREE_RUN = BIT(2) };
/* DS 16.4: memory-mapped registers. */
enum { PRELOAD1 = 0x0, PRELOAD2 = 0x4, INT_STATUS = 0x8, RELOAD = 0xc, MEM_SIZE = 0x10 };
enum { RELOAD_RELOAD = BIT(8), RELOAD_TIMEOUT = BIT(9) };
#define UNLOCK1         0x80            /* DS 16.5.1: both, then one register may be written */
#define UNLOCK2         0x86
#define PRELOAD_MASK    0xfffffu
/* The 33 MHz clock, divided by 2^15, or by 2^5 with PRE_SEL. */
#define PCI_CLOCK_HZ    33000000

typedef struct EsbState {
    PCIDevice pci;
    MemRegion mem;
    Timer timer;
    uint32_t preload[2];
    uint8_t int_status;                 /* bit 0: stage 1 has ended */
    uint8_t stage;                      /* 1 or 2 */
    uint8_t unlock;                     /* steps of the sequence that were right: 0 to 2 */
    bool timed_out;
    uint8_t config, lock;               /* their writable bits */
} EsbState;
DEFINE_CAST(ESB, EsbState, "i6300esb")

static void update_irq(EsbState *s)
{
    pci_set_irq(&s->pci, (s->int_status & 1) && (s->config & CONFIG_INT_TYPE) == CONFIG_INT_IRQ);
}

static void start_stage(EsbState *s, uint8_t stage)
{
    int64_t divider = s->config & CONFIG_PRE_SEL ? 1 << 5 : 1 << 15;
    int64_t ticks = (int64_t)s->preload[stage - 1] + 1;

    s->stage = stage;
    timer_mod_ns(&s->timer, clock_get_ns(CLOCK_VIRTUAL) +
                 ticks * divider * 1000 / (PCI_CLOCK_HZ / 1000000));
}

static void expired(void *opaque)
{
    EsbState *s = opaque;

    if (s->stage == 1) {
        s->int_status |= 1;
        update_irq(s);
        start_stage(s, 2);
        return;
    }
    if (!(s->config & CONFIG_NO_OUTPUT)) {
        s->timed_out = true;
        system_watchdog_expired();
    }
    if (s->lock & LOCK_FREE_RUN) {
        start_stage(s, 1);
    }
}

static void enable(EsbState *s, uint8_t lock)
{
    bool was = s->lock & LOCK_ENABLE;

    s->lock = lock;
    if ((lock & LOCK_ENABLE) && !was) {
        start_stage(s, 1);
    } else if (!(lock & LOCK_ENABLE)) {
        timer_del(&s->timer);
    }
}

static void esb_config_write(PCIDevice *pci, uint32_t addr, uint32_t val, unsigned len)
{
    EsbState *s = ESB(pci);

    if (addr == CONFIG_REG && len <= 2) {
        s->config = val & CONFIG_RW;
        update_irq(s);
    } else if (addr == LOCK_REG && len == 1) {
        if (!(s->lock & LOCK_LOCK)) {   /* DS 16.3.2: locked until a reset */
            enable(s, val & 7);
        }
    } else {
        pci_default_config_write(pci, addr, val, len);
    }
}

static uint32_t esb_config_read(PCIDevice *pci, uint32_t addr, unsigned len)
{
    EsbState *s = ESB(pci);

    if (addr == CONFIG_REG && len <= 2) {
        return s->config;
    }
    return addr == LOCK_REG && len == 1 ? s->lock : pci_default_config_read(pci, addr, len);
}

static MemResult mem_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                          UNUSED MemAttrs attrs)
{
    EsbState *s = opaque;

    switch (addr & ~3u) {
    case INT_STATUS:
        *val = s->int_status;
        break;
    case RELOAD:
        *val = s->timed_out ? RELOAD_TIMEOUT : 0;
        break;
    default:
        *val = 0;                       /* write-only */
        break;
    }
    *val >>= 8 * (addr & 3);
    return MEM_OK;
}

static MemResult mem_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    EsbState *s = opaque;

    if (addr == RELOAD && val == UNLOCK1) {
        s->unlock = 1;
        return MEM_OK;
    }
    if (addr == RELOAD && val == UNLOCK2 && s->unlock == 1) {
        s->unlock = 2;
        return MEM_OK;
    }
    if (addr == INT_STATUS) {           /* write 1 to clear, needs no unlocking */
        s->int_status &= ~val & 1;
        update_irq(s);
    } else if (s->unlock == 2) {
        if (addr == PRELOAD1 || addr == PRELOAD2) {
            s->preload[addr / 4] = (uint32_t)val & PRELOAD_MASK;
        } else if (addr == RELOAD) {
            if (val & RELOAD_TIMEOUT) {
                s->timed_out = false;
            }
            if ((val & RELOAD_RELOAD) && (s->lock & LOCK_ENABLE)) {
                start_stage(s, 1);
            }
        }
    }
    s->unlock = 0;
    return MEM_OK;
}

static const MemOps mem_ops = {
    .read = mem_read, .write = mem_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { .min = 1, .max = 4 },
};

static void esb_reset_hold(Device *dev)
{
    EsbState *s = ESB(dev);

    timer_del(&s->timer);
    s->preload[0] = s->preload[1] = PRELOAD_MASK;
    s->stage = 1;
    s->unlock = s->int_status = s->config = s->lock = 0;
    /* DS 16.4.4: the flag of a time-out survives the reset that it has made. */
    update_irq(s);
}

static bool esb_realize(Device *dev, UNUSED Error **errp)
{
    EsbState *s = ESB(dev);

    timer_init_ns(&s->timer, CLOCK_VIRTUAL, expired, s);
    memory_region_init_io(&s->mem, s, &mem_ops, s, "i6300esb", MEM_SIZE);
    pci_register_bar(&s->pci, 0, PCI_BAR_MEM32, &s->mem);
    return true;
}

static void esb_unrealize(Device *dev)
{
    EsbState *s = ESB(dev);

    timer_del(&s->timer);
    memory_region_cleanup(&s->mem);
}

static bool esb_post_load(void *opaque, UNUSED Error **errp)
{
    update_irq(opaque);
    return true;
}

static const VmField esb_fields[] = {
    VM_PCI(EsbState, pci), VM_TIMER(EsbState, timer), VM_U32_ARRAY(EsbState, preload),
    VM_U8_RANGE(EsbState, int_status, 0, 1), VM_U8_RANGE(EsbState, stage, 1, 2),
    VM_U8_RANGE(EsbState, unlock, 0, 2), VM_BOOL(EsbState, timed_out),
    VM_U8_RANGE(EsbState, config, 0, CONFIG_RW), VM_U8_RANGE(EsbState, lock, 0, 7), VM_END
};
static const VmMeaning esb_meanings[] = {
    { "preload", "Preload Value registers, of both stages", ELEMENTS("stage 1", "stage 2") },
    { "int_status", "interrupt status", .flags = FLAGS({ "ACTIVE", 1 }) },
    { "stage", "the stage that counts down" },
    { "unlock", "how much of the sequence that unlocks the registers was written (80h, 86h)" },
    { "config", "configuration register", .flags = FLAGS({ "INT_TYPE", 3 }, { "PRE_SEL", 4 }, { "OUTPUT_OFF", 0x20 }) },
    { "lock", "lock register", .flags = FLAGS({ "LOCK", 1 }, { "ENABLE", 2 }, { "FREE_RUN", 4 }) },
    { .name = NULL }
};

static const DeviceType esb_type = {
    .name = "i6300esb", .parent = TYPE_PCI_DEVICE, .size = sizeof(EsbState),
    .desc = "Intel 6300ESB watchdog", .category = DEVICE_WATCHDOG, .hotpluggable = true,
    .pci = { .vendor = 0x8086, .device = 0x25ab, .class_code = 0x088000, .pin = PCI_PIN_A,
             .config_read = esb_config_read, .config_write = esb_config_write },
    .realize = esb_realize, .unrealize = esb_unrealize, .reset_hold = esb_reset_hold,
    .vm = { 1, esb_fields, .post_load = esb_post_load, .meanings = esb_meanings },
};
DEVICE_TYPE(esb_type)
