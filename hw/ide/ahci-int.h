/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of the AHCI model:
 *
 *   ahci.c       generic host control, interrupts, coalescing, enclosure, reset
 *   ahci-port.c  a port's registers, its link, resets, hot-plug
 *   ahci-exec.c  fetching and running commands
 *   ahci-gather.c when the ends of queued commands are told
 *   ahci-fis.c   frames that arrive
 *   ahci-mem.c   guest memory: command tables, regions (PRDs)
 *   ahci-state.c commands and frames for people
 *   ahci-pci.c   the PCI functions
 *   sata-pm.c    the port multiplier
 *
 * Everything is guarded by AhciState.lock, which is taken after the big lock. Drives whose requests run
 * in the main loop need the big lock too; with an I/O thread, commands run in that thread without it.
 * Callbacks of requests come with the lock taken by us; it is recursive, since some come at once.
 */
#ifndef HW_IDE_AHCI_INT_H
#define HW_IDE_AHCI_INT_H

#include <time.h>
#include "hw/core/cpu.h"
#include "hw/core/iothread.h"
#include "hw/core/regs.h"
#include "hw/ide/ahci.h"
#include "hw/ide/ide.h"
#include "util/main-loop.h"

typedef struct AhciState AhciState;
typedef struct AhciPort AhciPort;
typedef struct AhciLink AhciLink;
typedef struct SataPm SataPm;

enum { R_CAP, R_GHC, R_IS, R_PI, R_VS, R_CCC_CTL, R_CCC_PORTS, R_EM_LOC, R_EM_CTL, R_CAP2, R_BOHC, R_NUM };
enum { P_CLB, P_CLBU, P_FB, P_FBU, P_IS, P_IE, P_CMD, P_TFD, P_SIG, P_SSTS, P_SCTL, P_SERR, P_SACT, P_CI,
       P_SNTF, P_FBS, P_NUM };

#define NO_SLOT         0xff
#define EM_BYTES        128             /* of the enclosure's message buffer */

/* A command header (AHCI 4.2.2) and the frame of its table. */
typedef struct AhciCommand {
    uint64_t header, table;             /* guest addresses */
    uint32_t flags;                     /* DW 0 */
    uint32_t prds;
    uint8_t fis[64];
} AhciCommand;
#define HDR_CFL         0x1f
#define HDR_ATAPI       BIT(5)
#define HDR_WRITE       BIT(6)
#define HDR_PREFETCH    BIT(7)
#define HDR_RESET       BIT(8)
#define HDR_BIST        BIT(9)
#define HDR_CLEAR       BIT(10)
#define HDR_PMP_SHIFT   12

/* A queued command that is in the image's hands. */
typedef struct AhciTransfer {
    NcqCommand ncq;                     /* first */
    AhciLink *link;
    uint8_t slot;
    bool busy;
    bool stale;                         /* the port was stopped meanwhile */
    struct iovec *iov;                  /* mapped regions; owned, room for @room */
    size_t room;
    uint32_t mapped;
    bool interrupt;                     /* a region with its I bit was used */
} AhciTransfer;

/* What a port leads to: the drive, or one drive behind the multiplier. */
struct AhciLink {
    AhciPort *port;
    uint8_t pmp;                        /* port at the multiplier; 0 without one */
    IdeChannel *channel;                /* NULL: there is none */
    /* The command that isn't queued. */
    uint8_t slot;                       /* NO_SLOT: none */
    AhciCommand cmd;                    /* of slot */
    uint32_t prd, prd_done;             /* region, bytes of it that were moved */
    uint32_t moved;                     /* PRDBC */
    bool prd_interrupt;
    bool halted;                        /* an error of its own (FBS), until FBS.DEC */
    bool srst;                          /* the control register has SRST */
    bool signature;                     /* a frame with the signature waits */
    bool in_data, more_data;
    uint32_t tfd;                       /* with FIS-based switching */
    uint32_t finished;                  /* tags that a Set Device Bits frame will tell */
    uint32_t hung;                      /* tags that never end: errors asked for by the user */
};

/* How many ends of commands go into a frame (ahci-gather.c). */
typedef struct AhciGather {
    uint8_t expect;                     /* ends that are told together, 1 to 32 */
    uint16_t every, until_try;          /* frames between two that try for more */
    uint8_t tries;                      /* frames that are still held back to learn it */
    bool waits;
    int64_t latest;                     /* while it waits */
    clockid_t cpu_clock;                      /* of the CPU that gave the first command, and what it was then */
    int64_t cpu_ran;
    CpuIdleWork idle;
    Timer timer;
} AhciGather;

struct AhciPort {
    AhciState *s;
    uint8_t n;
    uint32_t reg[P_NUM];
    IdeChannel channel;                 /* of the port itself */
    SataPm *pm;                         /* NULL: none */
    AhciLink link[AHCI_LINKS];
    uint8_t num_links;                  /* 1, or AHCI_LINKS with a multiplier */
    uint32_t issued;                    /* slots of CI or SACT that were fetched and haven't ended */
    uint8_t last;                       /* slot that was fetched last */
    bool halted;                        /* after a fatal error, until ST is cleared */
    bool draining;                      /* commands begin again when all transfers have ended */
    bool signature_wait;                /* so does the end of a drive's reset */
    bool link_wait;                     /* the link comes up when all transfers have ended */
    bool running, run_again;
    unsigned in_flight;                 /* transfers that are busy */
    AhciTransfer transfer[AHCI_SLOTS];
    AhciGather gather;
    BottomHalf *bh, *thread_bh;         /* run commands: in the main loop, in the I/O thread */
};

struct AhciState {
    Device *dev;
    AddressSpace *as;
    MemAttrs (*attrs)(AhciState *s);
    void (*set_irq)(AhciState *s, bool level);          /* big lock */
    bool (*msi)(AhciState *s, bool send);               /* whether messages are used; @send: one */
    Mutex lock;
    unsigned depth;                     /* of the lock */
    uint32_t reg[R_NUM];
    AhciPort *port;                     /* owned */
    uint32_t num_ports;                 /* property */
    bool wide, staggered;               /* properties: 64-bit addresses; spin-up on demand */
    IOThread *iothread;
    EventLoop *loop;                    /* of iothread; NULL: main loop */
    bool level, edge, told_level;       /* of the interrupt; an event since the last message */
    bool telling;
    Timer irq_timer;                    /* tells the rest */
    bool resetting;                     /* GHC.HR, until all transfers have ended */
    uint32_t ccc_done;                  /* commands completed since the last interrupt */
    Timer ccc_timer;
    uint8_t em[EM_BYTES];
    uint8_t led[AHCI_MAX_PORTS];        /* activity, locate, fault */
    uint32_t em_offset;
    MemRegion mmio;
};

/* --- ahci.c --- */
void ahci_lock(AhciState *s);
void ahci_unlock(AhciState *s);         /* and tells what the interrupt has become */
void ahci_update_irq(AhciState *s);
void ahci_port_irq(AhciPort *p, uint32_t bits);         /* PxIS bits that come */
void ahci_command_done(AhciPort *p, unsigned n);        /* for coalescing */
void ahci_settle(AhciState *s);
bool ahci_init(AhciState *s, Device *dev, Error **errp);
void ahci_cleanup(AhciState *s);
void ahci_finalize(AhciState *s);
void ahci_reset(AhciState *s);
IdeChannel *ahci_channel(AhciState *s, Bus *bus);
uint64_t ahci_bar_size(const AhciState *s);
MemResult ahci_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size, MemAttrs attrs);
MemResult ahci_write(void *opaque, hwaddr addr, uint64_t val, unsigned size, MemAttrs attrs);
extern const VmState ahci_vm;

/* --- ahci-port.c --- */
extern const RegDef ahci_port_regs[P_NUM];
extern const IdeTransport ahci_transport;
extern const VmState ahci_port_vm;
void ahci_port_init(AhciPort *p, AhciState *s, unsigned n);
void ahci_port_cleanup(AhciPort *p);
void ahci_port_reset(AhciPort *p, bool power_on);       /* of the machine; else by GHC.HR */
void ahci_port_settled(AhciPort *p);    /* a transfer has ended */
IdeDrive *ahci_link_drive(const AhciLink *l);
uint32_t *ahci_link_tfd(AhciLink *l);
/* The list stops after an error: PxIS bits and SERR bits. */
void ahci_port_fatal(AhciLink *l, uint32_t is, uint32_t serr);
void ahci_link_reset(AhciLink *l);      /* the drive sees COMRESET */
void ahci_link_gone(AhciLink *l);       /* the drive was taken out */
void ahci_link_stop(AhciLink *l);
void ahci_port_idle(AhciPort *p);
bool ahci_port_is_quiet(AhciPort *p);
/* Its drive's requests are made in the I/O thread. */
bool ahci_port_in_thread(AhciPort *p);
void ahci_port_plugged(void *opaque, bool there);       /* IdeChannel.plugged of p->channel */
void ahci_link_signature(AhciLink *l);  /* the frame that ends a reset */

/* --- ahci-exec.c --- */
void ahci_port_kick(AhciPort *p);       /* commands may be there: in the drive's loop, soon or now */
void ahci_port_run(AhciPort *p);
void ahci_port_schedule(AhciPort *p);
void ahci_port_stop(AhciPort *p);       /* forgets the commands */
void ahci_exec_pending(void *opaque);
uint32_t ahci_exec_move(void *opaque, void *buf, uint32_t len, bool to_memory);
void ahci_exec_data(void *opaque, IdeDrive *d);
void ahci_exec_ended(void *opaque, IdeDrive *d, bool interrupt);

/* --- ahci-gather.c --- */
void ahci_gather_init(AhciPort *p);
void ahci_gather_reset(AhciPort *p);
void ahci_gather_cleanup(AhciPort *p);
/* Tells which commands of the link have ended, now or together with others. */
void ahci_gather(AhciLink *l);
void ahci_tell_finished(AhciLink *l);   /* now */

/* --- ahci-fis.c --- */
void ahci_fis_d2h(AhciLink *l, const IdeDrive *d, bool interrupt);
void ahci_fis_d2h_regs(AhciLink *l, const IdeRegs *r, uint8_t status, uint8_t error, bool interrupt);
void ahci_fis_pio_setup(AhciLink *l, const IdeDrive *d, bool to_host, bool interrupt, uint8_t e_status,
                        uint32_t bytes);
void ahci_fis_dma_setup(AhciLink *l, unsigned tag, bool to_host, uint32_t bytes);
void ahci_fis_sdb(AhciLink *l, uint32_t tags, uint8_t status, uint8_t error, bool notify);

/* --- ahci-mem.c --- */
/* False: the address is no memory (host bus fatal error). */
bool ahci_mem_read(AhciState *s, uint64_t addr, void *buf, uint32_t len);
bool ahci_mem_write(AhciState *s, uint64_t addr, const void *buf, uint32_t len);
bool ahci_fetch(AhciPort *p, unsigned slot, AhciCommand *c);
/* Maps @bytes of the command's regions into t->iov; PxIS bits of the failure, 0. */
uint32_t ahci_map(AhciState *s, AhciTransfer *t, const AhciCommand *c, uint32_t bytes, bool to_memory);
void ahci_unmap(AhciState *s, AhciTransfer *t, bool to_memory);
/* Between the link's command's regions, at its position, and @buf. */
uint32_t ahci_move(AhciLink *l, void *buf, uint32_t len, bool to_memory);

#endif
