/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AHCI: generic host control (AHCI 3.1), interrupts, command completion coalescing, the enclosure's
 * lights, reset. The ports are in ahci-port.c.
 *
 * Not modelled: legacy (task file) access beside AHCI mode, NVMHCI, DevSleep, mechanical presence
 * switches and cold presence detection; their capabilities say so.
 */
#include "util/osdep.h"
#include "hw/ide/ahci-int.h"
#include "hw/ide/ide-state.h"

#include <glib.h>
#include "util/bswap.h"

#define VERSION         0x00010301
#define EM_ROOM         0x80            /* of the BAR's end */
#define MSI_AT_ONCE     4               /* a message may cause the next; then others get their turn */

/* --- interrupts (AHCI 10.6) --- */

static bool level(const AhciState *s)
{
    return s->reg[R_GHC] & GHC_IE && s->reg[R_IS];
}

/* A bit of IS that is set anew is an event; one message stands for all that come before IS is written. */
void ahci_update_irq(AhciState *s)
{
    for (uint32_t i = 0; i < s->num_ports; i++) {
        AhciPort *p = &s->port[i];

        if (p->reg[P_IS] & p->reg[P_IE] && !(s->reg[R_IS] & BIT(i))) {
            s->reg[R_IS] |= BIT(i);
            s->edge = true;
        }
    }
}

void ahci_port_irq(AhciPort *p, uint32_t bits)
{
    AhciState *s = p->s;

    p->reg[P_IS] |= bits;
    if (p->reg[P_IS] & p->reg[P_IE] && !(s->reg[R_IS] & BIT(p->n))) {
        s->reg[R_IS] |= BIT(p->n);
        s->edge = true;
    }
}

static bool must_tell(AhciState *s)
{
    if (s->msi(s, false)) {
        if (!level(s)) {
            s->edge = false;
        }
        return s->edge || s->told_level;
    }
    return level(s) != s->told_level;
}

static void tell_locked(AhciState *s)
{
    bool up;

    if (s->msi(s, false)) {
        s->msi(s, true);
        if (!s->told_level) {
            return;
        }
    }
    mutex_lock(&s->lock);
    up = level(s) && !s->msi(s, false);
    s->told_level = up;
    mutex_unlock(&s->lock);
    s->set_irq(s, up);
}

/* Without the lock: a message may be a write to our own registers. */
static void tell(AhciState *s)
{
    bool held = big_lock_held();

    if (!held) {
        big_lock();             /* an I/O thread's message, too, goes now */
    }
    tell_locked(s);
    if (!held) {
        big_unlock();
    }
}

void ahci_lock(AhciState *s)
{
    mutex_lock(&s->lock);
    s->depth++;
}

void ahci_unlock(AhciState *s)
{
    if (--s->depth == 0 && !s->telling) {
        for (unsigned i = 0; must_tell(s); i++) {
            if (i == MSI_AT_ONCE) {
                timer_mod_ns(&s->irq_timer, clock_get_ns(CLOCK_RT) + NS_PER_MS);
                break;
            }
            s->edge = false;
            s->telling = true;
            mutex_unlock(&s->lock);
            tell(s);
            mutex_lock(&s->lock);
            s->telling = false;
        }
    }
    mutex_unlock(&s->lock);
}

static void tell_late(void *opaque)
{
    ahci_lock(opaque);
    ahci_unlock(opaque);
}

/* --- command completion coalescing (AHCI 11) --- */

static bool coalesces(const AhciState *s)
{
    return s->reg[R_CCC_CTL] & CCC_EN;
}

static void ccc_interrupt(AhciState *s)
{
    unsigned n = s->reg[R_CCC_CTL] >> 3 & 0x1f;

    s->ccc_done = 0;
    timer_del(&s->ccc_timer);
    if (!(s->reg[R_IS] & BIT(n))) {
        s->reg[R_IS] |= BIT(n);
        s->edge = true;
    }
}

static void ccc_timeout(void *opaque)
{
    AhciState *s = opaque;

    ahci_lock(s);
    if (coalesces(s) && s->ccc_done) {
        ccc_interrupt(s);
    }
    ahci_unlock(s);
}

void ahci_command_done(AhciPort *p, unsigned n)
{
    AhciState *s = p->s;
    uint32_t most, ms;

    if (!coalesces(s) || !(s->reg[R_CCC_PORTS] & BIT(p->n))) {
        return;
    }
    most = s->reg[R_CCC_CTL] >> 8 & 0xff;
    ms = s->reg[R_CCC_CTL] >> 16;
    if (!s->ccc_done) {
        timer_mod_ns(&s->ccc_timer, clock_get_ns(CLOCK_VIRTUAL) + ms * NS_PER_MS);
    }
    s->ccc_done += n;
    if (most && s->ccc_done >= most) {
        ccc_interrupt(s);
    }
}

static void ccc_ctl_write(void *opaque, UNUSED uint32_t val, uint32_t old)
{
    AhciState *s = opaque;

    /* TV and CC can't be changed while it is enabled. */
    if (old & CCC_EN) {
        s->reg[R_CCC_CTL] = old & ~CCC_EN;
        s->reg[R_CCC_CTL] |= val & CCC_EN;
    }
    if (!coalesces(s)) {
        s->ccc_done = 0;
        timer_del(&s->ccc_timer);
    }
}

/* --- enclosure management (AHCI 12): messages of type LED --- */

static void em_ctl_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    AhciState *s = opaque;
    uint32_t head = load_le32(s->em), led = load_le32(s->em + 4);

    if (val & EM_RST) {
        memset(s->em, 0, sizeof(s->em));
        memset(s->led, 0, sizeof(s->led));
        return;
    }
    /* Table 7: type 0, 4 bytes of data; table 8: the port, 3 bits for each of three lights. */
    if (val & EM_TM && (head >> 24) == 0 && (head >> 8 & 0xff) == 4 && (led & 0xff) < s->num_ports) {
        unsigned bits = led >> 16;

        s->led[led & 0xff] = (bits & 7 ? 1 : 0) | (bits >> 3 & 7 ? 2 : 0) | (bits >> 6 & 7 ? 4 : 0);
    }
}

/* --- reset --- */

static void reset_registers(AhciState *s, bool power_on);

static void ghc_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    AhciState *s = opaque;

    if (val & GHC_IE && !(old & GHC_IE) && s->reg[R_IS]) {
        s->edge = true;
    }
    if (val & GHC_HR && !s->resetting) {
        s->resetting = true;
        s->reg[R_GHC] |= GHC_HR;
        for (uint32_t i = 0; i < s->num_ports; i++) {
            ahci_port_stop(&s->port[i]);
        }
        ahci_settle(s);
    }
}

/* HR clears itself when the last transfer has ended (AHCI 10.4.3). */
void ahci_settle(AhciState *s)
{
    for (uint32_t i = 0; i < s->num_ports; i++) {
        if (!ahci_port_is_quiet(&s->port[i])) {
            return;
        }
    }
    s->resetting = false;
    reset_registers(s, false);
}

static void is_write(void *opaque, UNUSED uint32_t val, UNUSED uint32_t old)
{
    AhciState *s = opaque;

    /* AHCI 10.6.2.1: what is left is told by a message of its own. */
    ahci_update_irq(s);
    s->edge |= s->reg[R_IS] != 0;
}

static void bohc_write(void *opaque, uint32_t val, uint32_t old)
{
    AhciState *s = opaque;

    /* AHCI 10.6.3: the ownership has changed. */
    if ((val ^ old) & BOHC_OOS) {
        s->reg[R_BOHC] |= BOHC_OOC;
    }
}

static uint32_t ccc_ctl_read(void *opaque)
{
    return ((AhciState *)opaque)->reg[R_CCC_CTL];
}

static const RegDef hba_regs[R_NUM] = {
    [R_CAP]       = { HBA_CAP,       "CAP", .hw = UINT32_MAX,
                      .flags = FLAGS({ "S64A", CAP_S64A }, { "SNCQ", CAP_SNCQ }, { "SSS", CAP_SSS },
                                     { "SPM", CAP_SPM }, { "FBSS", CAP_FBSS }, { "NP", 0x1f }) },
    [R_GHC]       = { HBA_GHC,       "GHC", .reset = GHC_AE, .rw = GHC_IE, .hw = GHC_HR,
                      .flags = FLAGS({ "AE", GHC_AE }, { "IE", GHC_IE }, { "HR", GHC_HR }),
                      .write = ghc_write },
    [R_IS]        = { HBA_IS,        "IS", .w1c = UINT32_MAX, .write = is_write },
    [R_PI]        = { HBA_PI,        "PI", .hw = UINT32_MAX },
    [R_VS]        = { HBA_VS,        "VS", .reset = VERSION },
    [R_CCC_CTL]   = { HBA_CCC_CTL,   "CCC_CTL", .rw = 0xffffff01, .hw = 0xf8, .read = ccc_ctl_read,
                      .write = ccc_ctl_write },
    [R_CCC_PORTS] = { HBA_CCC_PORTS, "CCC_PORTS", .rw = UINT32_MAX },
    [R_EM_LOC]    = { HBA_EM_LOC,    "EM_LOC", .hw = UINT32_MAX },
    [R_EM_CTL]    = { HBA_EM_CTL,    "EM_CTL", .reset = EM_LED, .rw = 0, .write = em_ctl_write },
    [R_CAP2]      = { HBA_CAP2,      "CAP2", .reset = CAP2_APST | CAP2_BOH },
    [R_BOHC]      = { HBA_BOHC,      "BOHC", .rw = BOHC_BOS | BOHC_OOS | BOHC_SOOE | BOHC_BB,
                      .w1c = BOHC_OOC, .write = bohc_write },
};

static uint32_t capabilities(const AhciState *s)
{
    return (s->wide ? CAP_S64A : 0) | CAP_SNCQ | CAP_SSNTF | (s->staggered ? CAP_SSS : 0) | CAP_SALP |
           CAP_SAL | CAP_SCLO | 3u << CAP_ISS_SHIFT | CAP_SAM | CAP_SPM | CAP_FBSS | CAP_PMD | CAP_SSC |
           CAP_PSC | (AHCI_SLOTS - 1) << CAP_NCS_SHIFT | (s->num_ports < 32 ? CAP_CCCS : 0) | CAP_EMS |
           (s->num_ports - 1);
}

static void reset_registers(AhciState *s, bool power_on)
{
    uint32_t bohc = s->reg[R_BOHC];

    regs_reset(s->reg, hba_regs, R_NUM);
    s->reg[R_CAP] = capabilities(s);
    s->reg[R_PI] = UINT32_MAX >> (32 - s->num_ports);
    s->reg[R_EM_LOC] = s->em_offset / 4 << 16 | 2;
    if (s->num_ports < 32) {
        s->reg[R_CCC_CTL] = 1 << 8 | 1u << 16 | s->num_ports << 3;
    }
    if (!power_on) {
        s->reg[R_BOHC] = bohc;                  /* AHCI 3.1.11: not changed by HR */
    }
    timer_del(&s->ccc_timer);
    s->ccc_done = 0;
    memset(s->em, 0, sizeof(s->em));
    memset(s->led, 0, sizeof(s->led));
    s->edge = false;
    for (uint32_t i = 0; i < s->num_ports; i++) {
        ahci_port_reset(&s->port[i], power_on);
    }
}

/* A multiplier's drives too. */
static void drain(AhciState *s)
{
    for (uint32_t i = 0; i < s->num_ports; i++) {
        for (unsigned j = 0; j < AHCI_LINKS; j++) {
            IdeDrive *d = ahci_link_drive(&s->port[i].link[j]);

            if (d) {
                blk_cancel_held(d->conf.blk);
                blk_drain(d->conf.blk);
            }
        }
    }
}

void ahci_reset(AhciState *s)
{
    ahci_lock(s);
    for (uint32_t i = 0; i < s->num_ports; i++) {
        ahci_port_stop(&s->port[i]);
        s->port[i].halted = true;
    }
    ahci_unlock(s);
    /* The callbacks of what is in flight need the lock. */
    drain(s);
    ahci_lock(s);
    s->resetting = false;
    reset_registers(s, true);
    ahci_unlock(s);
}

/* --- memory-mapped access --- */

uint64_t ahci_bar_size(const AhciState *s)
{
    return HBA_PORTS + s->num_ports * HBA_PORT_SIZE + EM_ROOM <= 4096 ? 4096 : 8192;
}

static AhciPort *port_at(AhciState *s, hwaddr addr)
{
    hwaddr n = addr < HBA_PORTS ? UINT64_MAX : (addr - HBA_PORTS) / HBA_PORT_SIZE;

    return n < s->num_ports ? &s->port[n] : NULL;
}

static bool in_em(const AhciState *s, hwaddr addr)
{
    return addr >= s->em_offset && addr < s->em_offset + EM_BYTES;
}

MemResult ahci_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size, UNUSED MemAttrs attrs)
{
    AhciState *s = opaque;
    AhciPort *p = port_at(s, addr);

    ahci_lock(s);
    if (p) {
        *val = regs_read(ahci_port_regs, P_NUM, p->reg, p, (addr - HBA_PORTS) % HBA_PORT_SIZE, size);
    } else if (in_em(s, addr)) {
        *val = load_le32(s->em + (addr - s->em_offset) / 4 * 4) >> 8 * (addr & 3);
    } else {
        *val = regs_read(hba_regs, R_NUM, s->reg, s, addr, size);
    }
    ahci_unlock(s);
    return MEM_OK;
}

static void write_locked(AhciState *s, hwaddr addr, uint64_t val, unsigned size)
{
    AhciPort *p = port_at(s, addr);

    ahci_lock(s);
    if (s->resetting) {
        /* AHCI 10.4.3: nothing is taken meanwhile. */
    } else if (p) {
        regs_write(ahci_port_regs, P_NUM, p->reg, p, (addr - HBA_PORTS) % HBA_PORT_SIZE, val, size);
    } else if (in_em(s, addr)) {
        for (unsigned i = 0; i < size; i++) {
            s->em[addr - s->em_offset + i] = val >> 8 * i;
        }
    } else {
        regs_write(hba_regs, R_NUM, s->reg, s, addr, val, size);
    }
    ahci_unlock(s);
}

/* A drive that is taken out mustn't be looked at. */
static bool in_thread(AhciPort *p)
{
    MUTEX_GUARD(&p->s->lock);
    return ahci_port_in_thread(p);
}

/* Drives of the main loop are served under the big lock. */
MemResult ahci_write(void *opaque, hwaddr addr, uint64_t val, unsigned size, UNUSED MemAttrs attrs)
{
    AhciState *s = opaque;
    AhciPort *p = port_at(s, addr);
    unsigned reg = (addr - HBA_PORTS) % HBA_PORT_SIZE;
    bool simple = !p ? addr == HBA_IS
                     : reg == PORT_IS || reg == PORT_SACT || (reg == PORT_CI && in_thread(p));
    bool lock = !simple && !big_lock_held();

    if (lock) {
        big_lock();
    }
    write_locked(s, addr, val, size);
    if (lock) {
        big_unlock();
    }
    return MEM_OK;
}

static const MemOps ahci_ops = {
    .read = ahci_read, .write = ahci_write, .order = MEM_LE, .valid = { 1, 8 }, .impl = { 1, 4 },
    .lockless = true,
};

IdeChannel *ahci_channel(AhciState *s, Bus *bus)
{
    for (uint32_t i = 0; i < s->num_ports; i++) {
        if (s->port[i].channel.bus == bus) {
            return &s->port[i].channel;
        }
    }
    return NULL;
}

/* --- saved state --- */

static void run_port(void *opaque)
{
    AhciPort *p = opaque;

    ahci_lock(p->s);
    ahci_port_run(p);
    ahci_unlock(p->s);
}

/* What is in flight ends first. */
static void hba_pre_save(void *opaque)
{
    AhciState *s = opaque;

    for (uint32_t i = 0; i < s->num_ports; i++) {
        if (s->loop) {
            iothread_run(s->loop, run_port, &s->port[i]);
        } else {
            run_port(&s->port[i]);
        }
        for (unsigned j = 0; j < AHCI_LINKS; j++) {
            IdeDrive *d = ahci_link_drive(&s->port[i].link[j]);

            if (d) {
                blk_drain(d->conf.blk);
            }
        }
    }
}

/* What was scheduled before has run, and finds the old state. */
static bool hba_pre_load(void *opaque, UNUSED Error **errp)
{
    AhciState *s = opaque;

    event_loop_park(s->loop);
    event_loop_unpark(s->loop);
    return true;
}

static bool hba_post_load(void *opaque, Error **errp)
{
    AhciState *s = opaque;

    if (!regs_valid(s->reg, hba_regs, R_NUM, errp)) {
        return false;
    }
    if (s->reg[R_CAP] != capabilities(s) || s->reg[R_EM_LOC] != (s->em_offset / 4 << 16 | 2) ||
        s->reg[R_PI] != UINT32_MAX >> (32 - s->num_ports)) {
        error_setf(errp, ERR_STATE_INVALID, "the HBA's capabilities are 0x%x; this one's are 0x%x",
                   s->reg[R_CAP], capabilities(s));
        return false;
    }
    s->reg[R_GHC] &= ~GHC_HR;
    s->resetting = false;
    s->edge = false;
    ahci_lock(s);
    s->told_level = !level(s);                  /* the line is driven anew */
    for (uint32_t i = 0; i < s->num_ports; i++) {
        ahci_port_schedule(&s->port[i]);
    }
    ahci_unlock(s);
    return true;
}

static const VmField ahci_fields[] = {
    VM_REGS(AhciState, reg, hba_regs), VM_U32(AhciState, ccc_done), VM_TIMER(AhciState, ccc_timer),
    VM_BUFFER(AhciState, em), VM_U8_ARRAY(AhciState, led),
    { .name = "port", .kind = &vm_kind_struct, .offset = offsetof(AhciState, port), .size = sizeof(AhciPort),
      .num = AHCI_MAX_PORTS, .count_offset = offsetof(AhciState, num_ports), .count_size = 4,
      .flags = VM_F_ARRAY | VM_F_POINTER, .vm = &ahci_port_vm },
    VM_END
};
const VmState ahci_vm = {
    1, ahci_fields, .pre_save = hba_pre_save, .pre_load = hba_pre_load, .post_load = hba_post_load, .meanings = ahci_meanings,
};

/* --- life --- */

void ahci_finalize(AhciState *s)
{
    if (s->port) {
        g_free(s->port);
        s->port = NULL;
        mutex_destroy(&s->lock);
    }
}

bool ahci_init(AhciState *s, Device *dev, Error **errp)
{
    if (s->num_ports < 1 || s->num_ports > AHCI_MAX_PORTS) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'ports' is %u; accepted: 1 to %u", s->num_ports,
                   AHCI_MAX_PORTS);
        return false;
    }
    ahci_finalize(s);                           /* of an earlier life */
    s->dev = dev;
    mutex_init_recursive(&s->lock);
    s->em_offset = ahci_bar_size(s) - EM_ROOM;
    timer_init_ns(&s->irq_timer, CLOCK_RT, tell_late, s);
    timer_init_ns(&s->ccc_timer, CLOCK_VIRTUAL, ccc_timeout, s);
    s->loop = s->iothread ? iothread_attach(s->iothread) : NULL;
    s->port = g_new0(AhciPort, s->num_ports);
    for (uint32_t i = 0; i < s->num_ports; i++) {
        ahci_port_init(&s->port[i], s, i);
    }
    memory_region_init_io(&s->mmio, dev, &ahci_ops, s, "ahci", ahci_bar_size(s));
    reset_registers(s, true);
    return true;
}

static void drop_thread(void *opaque)
{
    AhciState *s = opaque;

    for (uint32_t i = 0; i < s->num_ports; i++) {
        bh_delete(s->port[i].thread_bh);
    }
}

/* The drives have gone. */
void ahci_cleanup(AhciState *s)
{
    memory_region_cleanup(&s->mmio);
    if (s->loop) {
        iothread_run(s->loop, drop_thread, s);
        iothread_detach(s->iothread);
        s->loop = NULL;
    }
    timer_del(&s->ccc_timer);
    timer_del(&s->irq_timer);
    for (uint32_t i = 0; i < s->num_ports; i++) {
        ahci_port_cleanup(&s->port[i]);
    }
}
