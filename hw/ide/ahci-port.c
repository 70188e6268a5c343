/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A port: its registers (AHCI 3.3), its link, resets, power of the link, drives that come and go. */
#include "util/osdep.h"
#include "hw/ide/ahci-int.h"
#include "hw/ide/ide-state.h"
#include "hw/ide/sata-pm.h"

#include <glib.h>

enum { DET_NONE = 0, DET_PRESENT = 1, DET_UP = 3, DET_OFF = 4 };
enum { ICC_ACTIVE = 1, ICC_PARTIAL = 2, ICC_SLUMBER = 6 };
#define SSTS_IPM_SHIFT  8
#define SSTS_SPD_SHIFT  4
#define GEN3            3

IdeDrive *ahci_link_drive(const AhciLink *l)
{
    return l->channel ? l->channel->drive[0] : NULL;
}

/* With FIS-based switching each device has its own (AHCI 9.3). */
uint32_t *ahci_link_tfd(AhciLink *l)
{
    return l->port->reg[P_FBS] & FBS_EN ? &l->tfd : &l->port->reg[P_TFD];
}

static bool is_present(const AhciPort *p)
{
    return p->pm || p->channel.drive[0];
}

bool ahci_port_in_thread(AhciPort *p)
{
    const IdeDrive *d = p->channel.drive[0];

    return p->s->loop && !p->pm && d && !d->is_cd;
}

bool ahci_port_is_quiet(AhciPort *p)
{
    if (p->in_flight) {
        return false;
    }
    for (unsigned i = 0; i < AHCI_LINKS; i++) {
        IdeDrive *d = ahci_link_drive(&p->link[i]);

        if (d && d->abandoned) {
            return false;
        }
    }
    return true;
}

/* PCS and PRCS show bits of SERR (AHCI 3.3.5). */
static void show_diag(AhciPort *p)
{
    uint32_t serr = p->reg[P_SERR];

    p->reg[P_IS] &= ~(PIS_PCS | PIS_PRCS);
    ahci_port_irq(p, (serr & SERR_DIAG_X ? PIS_PCS : 0) | (serr & SERR_DIAG_N ? PIS_PRCS : 0));
}

void ahci_port_fatal(AhciLink *l, uint32_t is, uint32_t serr)
{
    AhciPort *p = l->port;

    p->reg[P_SERR] |= serr;
    if (p->reg[P_FBS] & FBS_EN && is == PIS_TFES) {
        l->halted = true;                       /* AHCI 9.3.6: a single device's error */
        p->reg[P_FBS] = (p->reg[P_FBS] & ~(0xfu << FBS_DWE_SHIFT)) | FBS_SDE |
                        (uint32_t)l->pmp << FBS_DWE_SHIFT;
    } else {
        p->halted = p->reg[P_CMD] & CMD_ST;     /* else there is no list to be stopped */
    }
    ahci_port_irq(p, is);
}

/* --- the link --- */

void ahci_link_signature(AhciLink *l)
{
    AhciPort *p = l->port;
    IdeDrive *d = ahci_link_drive(l);

    if (!d || !l->signature) {
        return;
    }
    p->reg[P_SIG] = (uint32_t)d->r.lba_high << 24 | d->r.lba_mid << 16 | d->r.lba_low << 8 | d->r.count;
    ahci_fis_d2h(l, d, false);
    l->signature = !(p->reg[P_CMD] & CMD_FRE);
}

/* A drive's reset, by SRST or COMRESET. It is ready when nothing is in flight any more. */
void ahci_link_reset(AhciLink *l)
{
    IdeDrive *d = ahci_link_drive(l);

    l->srst = false;
    l->slot = NO_SLOT;
    l->halted = false;
    l->hung = 0;
    if (!d) {
        return;
    }
    ide_drive_reset(d);
    l->signature = true;
    if (ahci_port_is_quiet(l->port)) {
        ahci_link_signature(l);
    } else {
        l->port->signature_wait = true;
    }
}

void ahci_link_gone(AhciLink *l)
{
    ahci_link_stop(l);
    l->signature = l->srst = false;
    l->tfd = 0x7f;
}

static void set_ipm(AhciPort *p, unsigned ipm)
{
    p->reg[P_SSTS] = (p->reg[P_SSTS] & ~(0xfu << SSTS_IPM_SHIFT)) | ipm << SSTS_IPM_SHIFT;
}

static void link_down(AhciPort *p, unsigned det)
{
    ahci_port_stop(p);
    p->link_wait = p->signature_wait = false;
    p->reg[P_SSTS] = det;
    p->reg[P_TFD] = is_present(p) ? ATA_BSY : 0x7f;
    p->reg[P_SIG] = UINT32_MAX;
}

static void link_up(AhciPort *p)
{
    unsigned limit = p->reg[P_SCTL] >> 4 & 0xf, speed = limit ? MIN(limit, GEN3) : GEN3;

    if ((p->reg[P_SCTL] & 0xf) != 0 || !is_present(p) || !(p->reg[P_CMD] & CMD_SUD)) {
        return;
    }
    if (!ahci_port_is_quiet(p)) {
        p->link_wait = true;
        p->reg[P_SSTS] = DET_PRESENT;
        return;
    }
    p->link_wait = false;
    p->reg[P_SSTS] = 1 << SSTS_IPM_SHIFT | speed << SSTS_SPD_SHIFT | DET_UP;
    p->reg[P_SERR] |= SERR_DIAG_X | SERR_DIAG_N;
    show_diag(p);
    if (p->pm) {
        sata_pm_link_up(p->pm);
    } else {
        ahci_link_reset(&p->link[0]);
    }
}

/* What has waited for the last transfer. */
void ahci_port_settled(AhciPort *p)
{
    if (!ahci_port_is_quiet(p)) {
        return;
    }
    if (p->draining) {
        p->draining = false;
        if (!(p->reg[P_CMD] & CMD_ST)) {
            p->reg[P_CMD] &= ~CMD_CR;
        }
    }
    if (p->s->resetting) {
        ahci_settle(p->s);
        return;
    }
    if (p->link_wait) {
        link_up(p);
    }
    if (p->signature_wait) {
        p->signature_wait = false;
        for (unsigned i = 0; i < AHCI_LINKS; i++) {
            ahci_link_signature(&p->link[i]);
        }
    }
    if (p->reg[P_CI] & ~p->issued) {
        ahci_port_kick(p);
    }
}

/* A drive or a multiplier came, or goes. */
void ahci_port_plugged(void *opaque, bool there)
{
    AhciLink *l = opaque;
    AhciPort *p = l->port;

    if (there && ahci_port_in_thread(p)) {
        blk_set_loop(p->channel.drive[0]->conf.blk, p->s->loop);
    }
    ahci_lock(p->s);
    link_down(p, DET_NONE);
    if (there) {
        link_up(p);
    } else {
        p->reg[P_TFD] = 0x7f;
        p->reg[P_SERR] |= SERR_DIAG_N | SERR_DIAG_X;
        show_diag(p);
    }
    ahci_unlock(p->s);
}

/* No command is left: aggressive link power management (AHCI 8.3.1.3). */
void ahci_port_idle(AhciPort *p)
{
    uint32_t cmd = p->reg[P_CMD];
    unsigned ipm = cmd & CMD_ASP ? ICC_SLUMBER : ICC_PARTIAL;

    if (cmd & CMD_ALPE && !p->reg[P_CI] && !p->reg[P_SACT] && (p->reg[P_SSTS] & 0xf) == DET_UP &&
        !(p->reg[P_SCTL] >> 8 & (ipm == ICC_SLUMBER ? 2 : 1))) {
        set_ipm(p, ipm);
    }
}

static void wake_link(AhciPort *p)
{
    if ((p->reg[P_SSTS] & 0xf) == DET_UP) {
        set_ipm(p, ICC_ACTIVE);
    }
}

/* --- registers --- */

static void clb_written(void *opaque)
{
    AhciPort *p = opaque;

    if (!p->s->wide) {
        p->reg[P_CLBU] = p->reg[P_FBU] = 0;
    }
}

static void is_written(void *opaque)
{
    ahci_update_irq(((AhciPort *)opaque)->s);
}

static void set_icc(AhciPort *p, unsigned icc)
{
    uint32_t deny = p->reg[P_SCTL] >> 8;

    if ((p->reg[P_SSTS] & 0xf) != DET_UP) {
        return;
    }
    if (icc == ICC_ACTIVE || (icc == ICC_PARTIAL && !(deny & 1)) || (icc == ICC_SLUMBER && !(deny & 2))) {
        set_ipm(p, icc);
    }
}

static void cmd_write(void *opaque, uint32_t val, uint32_t old)
{
    AhciPort *p = opaque;
    uint32_t *cmd = &p->reg[P_CMD];
    uint32_t rose = *cmd & ~old, fell = old & ~*cmd;

    if (!p->s->staggered) {
        *cmd |= CMD_SUD;
    }
    if (val >> CMD_ICC_SHIFT) {
        set_icc(p, val >> CMD_ICC_SHIFT);
    }
    if (fell & CMD_ST) {
        ahci_port_stop(p);
        if (!p->in_flight) {
            *cmd &= ~CMD_CR;
        }
    }
    if (val & CMD_CLO && !(old & CMD_ST)) {
        for (unsigned i = 0; i < AHCI_LINKS; i++) {
            *ahci_link_tfd(&p->link[i]) &= ~(uint32_t)(ATA_BSY | ATA_DRQ);
        }
    }
    if (rose & CMD_FRE) {
        *cmd |= CMD_FR;
        for (unsigned i = 0; i < AHCI_LINKS && !p->signature_wait; i++) {
            ahci_link_signature(&p->link[i]);
        }
    }
    if (fell & CMD_FRE) {
        *cmd &= ~CMD_FR;
    }
    if (rose & CMD_SUD && p->s->staggered) {
        link_up(p);
    }
    if (rose & CMD_ST) {
        *cmd |= CMD_CR;
    }
}

static uint32_t tfd_read(void *opaque)
{
    AhciPort *p = opaque;

    return p->reg[P_FBS] & FBS_EN ? p->link[p->reg[P_FBS] >> FBS_DEV_SHIFT & 15].tfd : p->reg[P_TFD];
}

/* COMRESET while DET is 1, no link while it is 4 (AHCI 3.3.11). */
static void sctl_write(void *opaque, uint32_t val, uint32_t old)
{
    AhciPort *p = opaque;
    unsigned now = val & 0xf, was = old & 0xf;

    if (now == was) {
        return;
    }
    if (now == 1) {
        link_down(p, DET_NONE);
    } else if (now == DET_OFF) {
        link_down(p, DET_OFF);
    } else if (now == 0) {
        p->reg[P_SSTS] = DET_NONE;
        link_up(p);
    }
}

static void serr_written(void *opaque)
{
    AhciPort *p = opaque;

    show_diag(p);
    ahci_update_irq(p->s);
}

static void sact_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    AhciPort *p = opaque;

    if (p->reg[P_CMD] & CMD_ST) {
        p->reg[P_SACT] |= val;
    }
}

static void ci_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    AhciPort *p = opaque;

    if (p->reg[P_CMD] & CMD_ST) {
        p->reg[P_CI] |= val;
        wake_link(p);
        ahci_port_kick(p);
    }
}

static void fbs_write(void *opaque, uint32_t val, uint32_t old)
{
    AhciPort *p = opaque;

    /* AHCI 3.3.16: EN may change while ST is clear only. */
    if (p->reg[P_CMD] & CMD_ST) {
        p->reg[P_FBS] = (p->reg[P_FBS] & ~FBS_EN) | (old & FBS_EN);
    }
    if (p->reg[P_FBS] & ~old & FBS_EN) {
        for (unsigned i = 0; i < AHCI_LINKS; i++) {
            p->link[i].tfd = p->reg[P_TFD];
        }
    }
    if (val & FBS_DEC) {
        AhciLink *l = &p->link[val >> FBS_DEV_SHIFT & 15];

        l->halted = false;
        l->tfd &= ~(uint32_t)(ATA_BSY | ATA_DRQ);
        p->reg[P_FBS] &= ~(FBS_SDE | 0xfu << FBS_DWE_SHIFT);
        ahci_port_kick(p);
    }
}

const RegDef ahci_port_regs[P_NUM] = {
    [P_CLB]  = { PORT_CLB,  "CLB", .rw = 0xfffffc00 },
    [P_CLBU] = { PORT_CLBU, "CLBU", .rw = UINT32_MAX, .written = clb_written },
    [P_FB]   = { PORT_FB,   "FB", .rw = 0xffffff00 },
    [P_FBU]  = { PORT_FBU,  "FBU", .rw = UINT32_MAX, .written = clb_written },
    [P_IS]   = { PORT_IS,   "IS", .w1c = 0xfd8000af, .hw = PIS_PCS | PIS_PRCS | PIS_UFS,
                 .flags = FLAGS({ "TFES", PIS_TFES }, { "HBFS", PIS_HBFS }, { "IFS", PIS_IFS },
                                { "OFS", PIS_OFS }, { "PRCS", PIS_PRCS }, { "PCS", PIS_PCS },
                                { "DPS", PIS_DPS }, { "SDBS", PIS_SDBS }, { "DSS", PIS_DSS },
                                { "PSS", PIS_PSS }, { "DHRS", PIS_DHRS }), .written = is_written },
    [P_IE]   = { PORT_IE,   "IE", .rw = 0xfdc000ff, .written = is_written },
    [P_CMD]  = { PORT_CMD,  "CMD", .reset = CMD_POD | CMD_HPCP | CMD_FBSCP,
                 .rw = CMD_ASP | CMD_ALPE | CMD_DLAE | CMD_ATAPI | CMD_APSTE | CMD_PMA | CMD_FRE | CMD_SUD |
                       CMD_ST,
                 .hw = CMD_CR | CMD_FR | 0x1fu << CMD_CCS_SHIFT,
                 .flags = FLAGS({ "ASP", CMD_ASP }, { "ALPE", CMD_ALPE }, { "ATAPI", CMD_ATAPI },
                                { "PMA", CMD_PMA }, { "CR", CMD_CR }, { "FR", CMD_FR },
                                { "CCS", 0x1fu << CMD_CCS_SHIFT }, { "FRE", CMD_FRE }, { "POD", CMD_POD },
                                { "SUD", CMD_SUD }, { "ST", CMD_ST }), .write = cmd_write },
    [P_TFD]  = { PORT_TFD,  "TFD", .reset = 0x7f, .hw = 0xffff, .read = tfd_read,
                 .flags = FLAGS({ "ERR", 0xff00 }, { "BSY", ATA_BSY }, { "DRDY", ATA_DRDY },
                                { "DRQ", ATA_DRQ }, { "CHK", ATA_ERR }) },
    [P_SIG]  = { PORT_SIG,  "SIG", .reset = UINT32_MAX, .hw = UINT32_MAX },
    [P_SSTS] = { PORT_SSTS, "SSTS", .hw = 0xfff,
                 .flags = FLAGS({ "IPM", 0xf00 }, { "SPD", 0xf0 }, { "DET", 0xf }) },
    [P_SCTL] = { PORT_SCTL, "SCTL", .rw = 0xfff, .write = sctl_write,
                 .flags = FLAGS({ "IPM", 0xf00 }, { "SPD", 0xf0 }, { "DET", 0xf }) },
    [P_SERR] = { PORT_SERR, "SERR", .w1c = 0x07ff0f03, .written = serr_written },
    [P_SACT] = { PORT_SACT, "SACT", .hw = UINT32_MAX, .write = sact_write },
    [P_CI]   = { PORT_CI,   "CI", .hw = UINT32_MAX, .write = ci_write },
    [P_SNTF] = { PORT_SNTF, "SNTF", .w1c = 0xffff },
    [P_FBS]  = { PORT_FBS,  "FBS", .reset = 15u << FBS_ADO_SHIFT, .rw = FBS_EN | 0xfu << FBS_DEV_SHIFT,
                 .hw = FBS_SDE | 0xfu << FBS_DWE_SHIFT, .write = fbs_write },
};

/* --- life --- */

static void run_bh(void *opaque)
{
    AhciPort *p = opaque;

    ahci_lock(p->s);
    ahci_port_run(p);
    ahci_unlock(p->s);
}

void ahci_port_init(AhciPort *p, AhciState *s, unsigned n)
{
    p->s = s;
    p->n = n;
    for (unsigned i = 0; i < AHCI_LINKS; i++) {
        p->link[i] = (AhciLink){ .port = p, .pmp = i, .slot = NO_SLOT };
    }
    p->link[0].channel = &p->channel;
    p->num_links = 1;
    ahci_gather_init(p);
    p->bh = bh_new_on(main_event_loop(), run_bh, p);
    p->thread_bh = s->loop ? bh_new_on(s->loop, run_bh, p) : NULL;
    ide_link_init(&p->channel, s->dev, &ahci_transport, &p->link[0]);
    p->channel.plugged = ahci_port_plugged;
    regs_reset(p->reg, ahci_port_regs, P_NUM);
}

void ahci_port_cleanup(AhciPort *p)
{
    ahci_gather_cleanup(p);
    bh_delete(p->bh);
    for (unsigned i = 0; i < AHCI_SLOTS; i++) {
        g_free(p->transfer[i].iov);
    }
}

/* The command list's and the frames' addresses stay as they are (AHCI 10.4.3). */
void ahci_port_reset(AhciPort *p, bool power_on)
{
    static const unsigned kept[] = { P_CLB, P_CLBU, P_FB, P_FBU };
    uint32_t old[ARRAY_SIZE(kept)];

    link_down(p, DET_NONE);
    ahci_gather_reset(p);
    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++) {
        old[i] = p->reg[kept[i]];
    }
    regs_reset(p->reg, ahci_port_regs, P_NUM);
    for (unsigned i = 0; i < ARRAY_SIZE(kept) && !power_on; i++) {
        p->reg[kept[i]] = old[i];
    }
    for (unsigned i = 0; i < AHCI_LINKS; i++) {
        p->link[i].tfd = p->reg[P_TFD];
        p->link[i].signature = false;
    }
    if (!p->s->staggered) {
        p->reg[P_CMD] |= CMD_SUD;
    }
    link_up(p);
}

/* --- saved state: nothing is in flight --- */

static const VmField command_fields[] = {
    VM_U64(AhciCommand, header), VM_U64(AhciCommand, table), VM_U32(AhciCommand, flags),
    VM_U32_RANGE(AhciCommand, prds, 0, 0xffff), VM_BUFFER(AhciCommand, fis), VM_END
};
static const VmState command_vm = { 1, command_fields, .meanings = ahci_command_meanings };

static const VmField link_fields[] = {
    VM_U8(AhciLink, slot), VM_STRUCT(AhciLink, cmd, command_vm), VM_U32(AhciLink, prd),
    VM_U32(AhciLink, prd_done), VM_U32(AhciLink, moved), VM_BOOL(AhciLink, prd_interrupt),
    VM_BOOL(AhciLink, halted), VM_BOOL(AhciLink, srst), VM_BOOL(AhciLink, signature), VM_U32(AhciLink, tfd),
    VM_U32(AhciLink, finished), VM_U32(AhciLink, hung), VM_END
};
static const VmMeaning link_meanings[] = {
    { "slot", "command slot that runs; 255: none" }, { "prd", "region of its table that comes next" },
    { "prd_done", "bytes of that region that are done" }, { "moved", "bytes moved" },
    { "tfd", "task file: error and status", .flags = FLAGS({ "ERR", 1 }, { "DRQ", 8 }, { "BSY", 0x80 }, { "ERROR", 0xff00 }) },
    { "finished", "queued commands that have ended and weren't told, a bit each" },
    { "hung", "queued commands that never end (fault injection), a bit each" },
    { .name = NULL }
};
static const VmState link_vm = { 1, link_fields, .meanings = link_meanings };

static bool port_post_load(void *opaque, Error **errp)
{
    AhciPort *p = opaque;

    if (!regs_valid(p->reg, ahci_port_regs, P_NUM, errp)) {
        return false;
    }
    if (p->num_links != (p->pm ? AHCI_LINKS : 1)) {
        error_setf(errp, ERR_STATE_INVALID, "port %u has %u links, but a multiplier is%s there", p->n,
                   p->num_links, p->pm ? "" : "n't");
        return false;
    }
    for (unsigned i = 0; i < p->num_links; i++) {
        AhciLink *l = &p->link[i];

        if (l->slot >= AHCI_SLOTS && l->slot != NO_SLOT) {
            error_setf(errp, ERR_STATE_INVALID, "port %u runs slot %u of %u", p->n, l->slot, AHCI_SLOTS);
            return false;
        }
        l->tfd &= 0xffff;
    }
    if (!p->s->wide) {
        p->reg[P_CLBU] = p->reg[P_FBU] = 0;
    }
    p->draining = p->link_wait = p->signature_wait = false;
    return true;
}

static const VmField port_fields[] = {
    VM_REGS(AhciPort, reg, ahci_port_regs), VM_U32(AhciPort, issued),
    VM_U8_RANGE(AhciPort, last, 0, AHCI_SLOTS - 1), VM_BOOL(AhciPort, halted), VM_U8(AhciPort, num_links),
    VM_STRUCT_VARRAY(AhciPort, link, num_links, AHCI_LINKS, link_vm), VM_END
};
static const VmMeaning port_meanings[] = {
    { "issued", "commands taken from PxCI, a bit each" }, { "last", "slot that was begun last" },
    { "num_links", "drives: one, or those of a port multiplier" },
    { .name = NULL }
};
const VmState ahci_port_vm = { 1, port_fields, .post_load = port_post_load, .meanings = port_meanings };

/* --- what the drives' commands call --- */

static void lock_link(void *opaque)
{
    ahci_lock(((AhciLink *)opaque)->port->s);
}

static void unlock_link(void *opaque)
{
    ahci_unlock(((AhciLink *)opaque)->port->s);
}

static void settled(void *opaque)
{
    ahci_port_settled(((AhciLink *)opaque)->port);
}

static void notify(void *opaque)
{
    AhciLink *l = opaque;

    if ((l->port->reg[P_SSTS] & 0xf) == DET_UP) {
        ahci_fis_sdb(l, 0, *ahci_link_tfd(l), *ahci_link_tfd(l) >> 8, true);
    }
}

static void done(UNUSED void *opaque, UNUSED bool error)
{
    /* The end of the command tells all. */
}

const IdeTransport ahci_transport = {
    .pending = ahci_exec_pending, .move = ahci_exec_move, .done = done, .data = ahci_exec_data,
    .ended = ahci_exec_ended, .notify = notify, .settled = settled, .lock = lock_link, .unlock = unlock_link,
};
