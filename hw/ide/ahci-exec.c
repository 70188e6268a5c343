/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands: from the list (AHCI 5.3) to the drive, queued or not, and back as frames.
 *
 * One command that isn't queued runs at a time, in the drive's own state (ata.c, atapi.c); queued ones
 * each have an AhciTransfer.
 */
#include "util/osdep.h"
#include "hw/ide/ahci-int.h"
#include "hw/ide/sata-pm.h"

#define FIS_H2D         0x27
#define FIS_COMMAND     0x80            /* C: the command register was written, else the control register */
#define ACMD_AT         0x40

static bool can_run(const AhciPort *p)
{
    return (p->reg[P_CMD] & (CMD_ST | CMD_CR)) == (CMD_ST | CMD_CR) && !p->halted && !p->draining &&
           !p->s->resetting && (p->reg[P_SSTS] & 0xf) == 3;
}

static bool fbs(const AhciPort *p)
{
    return p->reg[P_FBS] & FBS_EN;
}

static bool is_busy(AhciLink *l)
{
    return *ahci_link_tfd(l) & (ATA_BSY | ATA_DRQ);
}

/* The command has left the list. */
static void end_slot(AhciPort *p, unsigned slot)
{
    p->reg[P_CI] &= ~BIT(slot);
    p->issued &= ~BIT(slot);
}

/* --- queued commands --- */

static void make_stale(AhciLink *l)
{
    for (unsigned i = 0; i < AHCI_SLOTS; i++) {
        AhciTransfer *t = &l->port->transfer[i];

        if (t->busy && t->link == l) {
            t->stale = true;
        }
    }
}

/* The others of the drive's queue are aborted, without a word of them (ACS 4.16.4). */
static void queued_error(AhciLink *l, const NcqCommand *c)
{
    ahci_tell_finished(l);
    make_stale(l);
    ncq_failed(c->d, c);
    if (c->error & ATA_ERR_ICRC) {
        l->port->reg[P_SERR] |= SERR_DIAG_C;
    }
    ahci_fis_sdb(l, 0, ATA_DRDY | ATA_ERR, c->error, false);
}

static void transfer_done(NcqCommand *c)
{
    AhciTransfer *t = (AhciTransfer *)c;
    AhciLink *l = t->link;
    AhciPort *p = l->port;
    IdeDrive *d = c->d;

    ahci_unmap(p->s, t, c->to_host);
    t->busy = false;
    p->in_flight--;
    if (t->stale) {
        ahci_port_settled(p);
        if (p->reg[P_CI] & ~p->issued) {
            ahci_port_schedule(p);              /* its slot may have been wanted */
        }
    } else if (c->error) {
        queued_error(l, c);
    } else {
        l->finished |= BIT(t->slot);
        if (t->interrupt) {
            ahci_port_irq(p, PIS_DPS);
        }
        if (p->running) {
            /* ahci_port_run() tells. */
        } else if (p->in_flight && !current_cpu) {
            ahci_port_schedule(p);              /* more of them may have ended in this round of the loop */
        } else {
            ahci_gather(l);
        }
    }
    object_unref(d);
}

static bool has_queue(const AhciLink *l)
{
    for (unsigned i = 0; i < AHCI_SLOTS; i++) {
        if (l->port->transfer[i].busy && l->port->transfer[i].link == l) {
            return true;
        }
    }
    return l->hung != 0;
}

static void fill_regs(IdeRegs *r, const uint8_t *f)
{
    *r = (IdeRegs){ .feature = f[3], .lba_low = f[4], .lba_mid = f[5], .lba_high = f[6], .device = f[7],
                    .hob_low = f[8], .hob_mid = f[9], .hob_high = f[10], .hob_feature = f[11],
                    .count = f[12], .hob_count = f[13] };
}

static void start_queued(AhciLink *l, IdeDrive *d, unsigned slot, const AhciCommand *cmd)
{
    AhciPort *p = l->port;
    AhciTransfer *t = &p->transfer[slot];
    NcqCommand begun = { .d = d, .opcode = cmd->fis[2], .done = transfer_done }, *c = &t->ncq;
    uint32_t failure;
    bool ok;

    fill_regs(&begun.r, cmd->fis);
    begun.tag = begun.r.count >> 3;
    ok = ncq_begin(&begun);
    /* A tag is the slot's number (AHCI 5.3.13), and one that is in use can't come again (ACS 4.16.1). */
    if (ok && (begun.tag != slot || t->busy || l->hung & BIT(slot))) {
        begun.error = ATA_ERR_ABRT;
        ok = false;
    }
    if (!ok && d->ncq_stopped) {
        ahci_fis_d2h_regs(l, &begun.r, ATA_DRDY | ATA_ERR, begun.error, true);
        return;
    }
    /* The drive has it: the port is free for the next one. */
    end_slot(p, slot);
    ahci_fis_d2h_regs(l, &begun.r, ATA_DRDY | ATA_DSC, 0, false);
    if (p->halted) {
        return;
    }
    if (!ok) {
        queued_error(l, &begun);
        return;
    }
    *c = begun;
    if (c->bytes) {
        failure = ahci_map(p->s, t, cmd, c->bytes, c->to_host);
        if (failure) {
            ahci_port_fatal(l, failure, failure == PIS_HBFS ? SERR_ERR_E : 0);
            return;
        }
        ahci_fis_dma_setup(l, slot, c->to_host, c->bytes);
    }
    c->iov = t->iov;
    c->niov = t->mapped;
    t->link = l;
    t->slot = slot;
    t->busy = true;
    t->stale = false;
    object_ref(d);
    p->in_flight++;
    ncq_run(c);
    if (c->hung) {
        ahci_unmap(p->s, t, false);
        t->busy = false;
        p->in_flight--;
        l->hung |= BIT(slot);
        object_unref(d);
    }
}

/* --- the others --- */

void ahci_exec_pending(void *opaque)
{
    AhciLink *l = opaque;
    IdeDrive *d = ahci_link_drive(l);

    if (l->slot != NO_SLOT) {
        ide_dma_go(d);
    }
}

uint32_t ahci_exec_move(void *opaque, void *buf, uint32_t len, bool to_memory)
{
    AhciLink *l = opaque;
    uint32_t n;

    if (l->slot == NO_SLOT) {
        return 0;               /* the list was stopped */
    }
    n = ahci_move(l, buf, len, to_memory);
    l->moved += n;
    if (n < len) {
        bool over = l->prd >= l->cmd.prds;

        ahci_port_fatal(l, over ? PIS_OFS : PIS_HBFS, over ? 0 : SERR_ERR_E);
    }
    return n;
}

/* False: it can't be moved, and the drive waits for ever. */
static bool move_phase(AhciLink *l, IdeDrive *d)
{
    bool in = ide_host_reads(d), last = d->phase == IDE_PIO_IN_DONE, packet = d->phase == IDE_PACKET;
    bool first_out = !in && !l->moved;
    uint32_t bytes = d->end - d->pos;
    uint8_t e_status = last ? ATA_DRDY | ATA_DSC : ATA_BSY | ATA_DRDY | ATA_DSC;

    if (packet && l->cmd.flags & HDR_ATAPI) {
        if (!ahci_mem_read(l->port->s, l->cmd.table + ACMD_AT, d->buffer, bytes)) {
            ahci_port_fatal(l, PIS_HBFS, SERR_ERR_E);
            return false;
        }
    } else if (ahci_exec_move(l, d->buffer + d->pos, bytes, in) < bytes) {
        return false;
    }
    ahci_fis_pio_setup(l, d, in, !packet && !first_out, e_status, bytes);
    d->pos = d->end;
    d->status = ATA_BSY;
    return true;
}

/* The next phase may come while the end of this one is handled: it doesn't nest. */
void ahci_exec_data(void *opaque, IdeDrive *d)
{
    AhciLink *l = opaque;

    if (l->in_data) {
        l->more_data = true;
        return;
    }
    l->in_data = true;
    do {
        l->more_data = false;
        if (l->slot != NO_SLOT && move_phase(l, d)) {
            ide_data_end(d);
        }
    } while (l->more_data);
    l->in_data = false;
}

static void finish(AhciLink *l, bool error)
{
    AhciPort *p = l->port;
    unsigned slot = l->slot;
    uint8_t count[4] = { l->moved, l->moved >> 8, l->moved >> 16, l->moved >> 24 };

    ahci_mem_write(p->s, l->cmd.header + 4, count, sizeof(count));      /* PRDBC */
    if (l->prd_interrupt) {
        ahci_port_irq(p, PIS_DPS);
    }
    l->slot = NO_SLOT;
    if (error) {
        return;                 /* it stays in the list */
    }
    end_slot(p, slot);
    ahci_command_done(p, 1);
    ahci_port_idle(p);
    if (p->reg[P_CI] & ~p->issued) {
        if (p->running) {
            p->run_again = true;
        } else {
            ahci_port_schedule(p);
        }
    }
}

void ahci_exec_ended(void *opaque, IdeDrive *d, bool interrupt)
{
    AhciLink *l = opaque;

    if (l->slot == NO_SLOT) {
        if (interrupt) {
            ahci_fis_d2h(l, d, true);
        }
        return;
    }
    if (d->error & ATA_ERR_ICRC && d->status & ATA_ERR && !d->is_cd) {
        l->port->reg[P_SERR] |= SERR_DIAG_C;
    }
    if (!interrupt) {
        *ahci_link_tfd(l) = d->error << 8 | d->status;
    }
    finish(l, d->status & ATA_ERR);
    if (interrupt) {
        ahci_fis_d2h(l, d, true);
    }
}

/* SATA 11.4 and AHCI 10.4.1: SRST is set by one frame and cleared by another. */
static void control(AhciLink *l, IdeDrive *d, unsigned slot, const AhciCommand *cmd)
{
    AhciPort *p = l->port;
    bool srst = cmd->fis[15] & CTL_SRST;

    if (srst) {
        make_stale(l);
        ide_abandon(d);
        d->status = ATA_BSY;
        l->srst = true;
        l->slot = NO_SLOT;
        l->hung = 0;
        *ahci_link_tfd(l) = cmd->flags & HDR_CLEAR ? 0 : ATA_BSY;
        end_slot(p, slot);
    } else if (l->srst) {
        *ahci_link_tfd(l) = ATA_BSY;
        end_slot(p, slot);
        ahci_link_reset(l);
    } else {
        end_slot(p, slot);
    }
}

static bool reads_error_log(const IdeRegs *r, uint8_t opcode)
{
    return (opcode == 0x2f || opcode == 0x47) && r->lba_low == 0x10;
}

static void start_plain(AhciLink *l, IdeDrive *d, unsigned slot, const AhciCommand *cmd)
{
    uint8_t opcode = cmd->fis[2];
    bool queued = has_queue(l);

    fill_regs(&d->r, cmd->fis);
    l->cmd = *cmd;
    l->slot = slot;
    l->prd = l->prd_done = l->moved = 0;
    l->prd_interrupt = false;
    *ahci_link_tfd(l) = ATA_BSY | ATA_DRDY | ATA_DSC;
    d->error = 0;
    d->status = ATA_BSY;
    if (queued) {
        /* ACS 4.16.1: it may not come between; the whole queue is lost. */
        NcqCommand c = { .d = d, .r = d->r, .error = ATA_ERR_ABRT, .tag = 0x80 };

        make_stale(l);
        ncq_failed(d, &c);
        ide_abort(d, ATA_ERR_ABRT);
    } else if (d->ncq_stopped && !reads_error_log(&d->r, opcode)) {
        ide_abort(d, ATA_ERR_ABRT);
    } else if (opcode == 0x90 || (opcode == 0x08 && d->is_cd)) {
        ide_drive_reset(d);                     /* EXECUTE DEVICE DIAGNOSTIC, DEVICE RESET */
        finish(l, false);
        ahci_fis_d2h_regs(l, &d->r, d->status, d->error, true);
    } else {
        ata_command(d, opcode);
    }
}

/* --- the list --- */

/* The device refuses the frame (SATA 9.6.4: R_ERR). */
static void refused(AhciLink *l)
{
    ahci_port_fatal(l, PIS_IFS, SERR_DIAG_H | SERR_ERR_P);
}

static AhciLink *link_of(AhciPort *p, const AhciCommand *c)
{
    return &p->link[p->pm ? c->fis[1] & 15 : 0];
}

static void start(AhciPort *p, unsigned slot, const AhciCommand *c)
{
    AhciLink *l = link_of(p, c);
    unsigned dwords = c->flags & HDR_CFL;
    IdeDrive *d = ahci_link_drive(l);

    p->issued |= BIT(slot);
    p->last = slot;
    p->reg[P_CMD] = (p->reg[P_CMD] & ~(0x1fu << CMD_CCS_SHIFT)) | slot << CMD_CCS_SHIFT;
    if (dwords < 5 || dwords > 16 || c->fis[0] != FIS_H2D || c->flags & HDR_BIST) {
        refused(l);
    } else if (p->pm && l->pmp == AHCI_PM_CONTROL) {
        end_slot(p, slot);
        sata_pm_command(p->pm, l, c);
        ahci_port_idle(p);
    } else if (!d) {
        refused(l);
    } else if (!(c->fis[1] & FIS_COMMAND)) {
        control(l, d, slot, c);
    } else if (d->asleep) {
        *ahci_link_tfd(l) = ATA_BSY;            /* it doesn't answer before it is reset */
    } else if (!d->is_cd && ncq_is_queued(c->fis[2])) {
        start_queued(l, d, slot, c);
    } else {
        start_plain(l, d, slot, c);
    }
}

/* The next one, in a circle from the last (AHCI 5.3.2.2). False: nothing can be begun now. */
static bool start_next(AhciPort *p)
{
    uint32_t ready = p->reg[P_CI] & ~p->issued;

    if (!ready || !can_run(p) || (!fbs(p) && is_busy(&p->link[0]))) {
        return false;
    }
    for (unsigned i = 1; i <= AHCI_SLOTS; i++) {
        unsigned slot = (p->last + i) % AHCI_SLOTS;
        AhciCommand c;
        AhciLink *l;

        if (!(ready & BIT(slot)) || (p->transfer[slot].busy && p->transfer[slot].stale)) {
            continue;           /* what was aborted there hasn't ended yet */
        }
        if (!ahci_fetch(p, slot, &c)) {
            ahci_port_fatal(&p->link[0], PIS_HBFS, SERR_ERR_E);
            return false;
        }
        l = link_of(p, &c);
        if (fbs(p) && (is_busy(l) || l->halted)) {
            continue;
        }
        start(p, slot, &c);
        return true;
    }
    return false;
}

void ahci_port_run(AhciPort *p)
{
    if (p->running) {
        p->run_again = true;
        return;
    }
    p->running = true;
    do {
        p->run_again = false;
        while (start_next(p)) {
        }
        for (unsigned i = 0; i < (p->pm ? AHCI_LINKS : 1); i++) {
            ahci_gather(&p->link[i]);
        }
    } while (p->run_again);
    p->running = false;
}

void ahci_port_schedule(AhciPort *p)
{
    bh_schedule(ahci_port_in_thread(p) ? p->thread_bh : p->bh);
}

void ahci_port_kick(AhciPort *p)
{
    if (ahci_port_in_thread(p) ? current_event_loop() == p->s->loop : big_lock_held()) {
        ahci_port_run(p);
    } else {
        ahci_port_schedule(p);
    }
}

/* Of its device: what was issued, or is in flight, is forgotten. */
void ahci_link_stop(AhciLink *l)
{
    make_stale(l);
    l->slot = NO_SLOT;
    l->finished = 0;
    l->hung = 0;
    l->halted = false;
}

void ahci_port_stop(AhciPort *p)
{
    p->reg[P_CI] = p->reg[P_SACT] = 0;
    p->issued = 0;
    p->halted = false;
    p->last = AHCI_SLOTS - 1;
    p->reg[P_CMD] &= ~(0x1fu << CMD_CCS_SHIFT);
    for (unsigned i = 0; i < AHCI_LINKS; i++) {
        ahci_link_stop(&p->link[i]);
    }
    p->draining = p->in_flight != 0;
}
