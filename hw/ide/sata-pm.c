/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Serial ATA port multiplier (SATA 16): up to 15 drives at one port of an HBA, with buses of their own
 * ("<id>.N"). Command-based or FIS-based switching is the HBA's choice.
 */
#include "util/osdep.h"
#include "hw/ide/sata-pm.h"

#define TYPE_SATA_PM    "sata-pm"
#define MAX_PORTS       15

enum { READ_PM = 0xe4, WRITE_PM = 0xe8 };
/* General registers (SATA 16.3.1), registers of a port (16.3.2). */
enum { GSCR_ID = 0, GSCR_REV = 1, GSCR_PORTS = 2, GSCR_ERROR = 32, GSCR_ERROR_EN = 33, GSCR_FEAT = 64,
       GSCR_FEAT_EN = 96 };
enum { PSCR_STATUS = 0, PSCR_ERROR = 1, PSCR_CONTROL = 2, PSCR_ACTIVE = 3 };
#define FEAT_NOTIFY     BIT(3)
#define STATUS_UP       0x133           /* active, Gen3, device and link */

typedef struct PmPort {
    uint32_t status, error, control;
} PmPort;

struct SataPm {
    Device dev;
    AhciPort *port;
    uint8_t num_ports;                  /* property */
    IdeChannel channel[MAX_PORTS];
    PmPort pscr[MAX_PORTS];
    uint32_t error_enable, feature_enable;
    bool srst;
};
DEFINE_CAST(SATA_PM, SataPm, TYPE_SATA_PM)

static bool is_up(const SataPm *pm, unsigned n)
{
    return pm->channel[n].drive[0] && !(pm->pscr[n].control & 0xf);
}

/* A drive came or went: a Set Device Bits frame of the control port says so (SATA 16.5.2). */
static void notify(SataPm *pm, unsigned n)
{
    if (pm->feature_enable & FEAT_NOTIFY && pm->pscr[n].error & pm->error_enable &&
        (pm->port->reg[P_SSTS] & 0xf) == 3) {
        ahci_fis_sdb(&pm->port->link[AHCI_PM_CONTROL], 0, 0x50, 0, true);
    }
}

static void port_up(SataPm *pm, unsigned n)
{
    if (is_up(pm, n)) {
        pm->pscr[n].status = STATUS_UP;
        pm->pscr[n].error |= SERR_DIAG_X | SERR_DIAG_N;
        ahci_link_reset(&pm->port->link[n]);
    } else {
        pm->pscr[n].status = (pm->pscr[n].control & 0xf) == 4 ? 4 : 0;
    }
}

void sata_pm_link_up(SataPm *pm)
{
    pm->error_enable = 0x0400ffff;
    pm->feature_enable = 0;
    pm->srst = false;
    for (unsigned n = 0; n < pm->num_ports; n++) {
        pm->pscr[n] = (PmPort){ 0 };
        if (n == 0) {
            port_up(pm, n);             /* the others' signatures are asked for by their resets */
        } else if (is_up(pm, n)) {
            pm->pscr[n].status = STATUS_UP;
            pm->pscr[n].error = SERR_DIAG_X | SERR_DIAG_N;
            ide_drive_reset(pm->channel[n].drive[0]);
        }
    }
    if (!is_up(pm, 0)) {
        pm->port->reg[P_TFD] = 0x7f;
    }
}

static uint32_t read_register(SataPm *pm, unsigned port, unsigned reg)
{
    uint32_t errors = 0;

    if (port < pm->num_ports) {
        const PmPort *p = &pm->pscr[port];

        return reg == PSCR_STATUS ? p->status : reg == PSCR_ERROR ? p->error
               : reg == PSCR_CONTROL ? p->control : 0;
    }
    switch (reg) {
    case GSCR_ID: return 0x00011b36;
    case GSCR_REV: return 0x0000010e;   /* port multiplier 1.0 to 1.2 */
    case GSCR_PORTS: return pm->num_ports;
    case GSCR_ERROR:
        for (unsigned n = 0; n < pm->num_ports; n++) {
            errors |= pm->pscr[n].error & pm->error_enable ? BIT(n) : 0;
        }
        return errors;
    case GSCR_ERROR_EN: return pm->error_enable;
    case GSCR_FEAT: return FEAT_NOTIFY;
    case GSCR_FEAT_EN: return pm->feature_enable;
    default: return 0;
    }
}

static void write_control(SataPm *pm, unsigned n, uint32_t v)
{
    unsigned was = pm->pscr[n].control & 0xf, now = v & 0xf;

    pm->pscr[n].control = v & 0xfff;
    if (now == 0 && was != 0) {
        port_up(pm, n);
    } else if (now != 0) {
        pm->pscr[n].status = now == 4 ? 4 : 0;
    }
}

static void write_register(SataPm *pm, unsigned port, unsigned reg, uint32_t v)
{
    if (port < pm->num_ports) {
        if (reg == PSCR_ERROR) {
            pm->pscr[port].error &= ~v;
        } else if (reg == PSCR_CONTROL) {
            write_control(pm, port, v);
        }
    } else if (reg == GSCR_ERROR_EN) {
        pm->error_enable = v;
    } else if (reg == GSCR_FEAT_EN) {
        pm->feature_enable = v & FEAT_NOTIFY;
    }
}

static void answer(AhciLink *l, uint8_t error, uint32_t value)
{
    IdeRegs r = { .count = value, .lba_low = value >> 8, .lba_mid = value >> 16, .lba_high = value >> 24 };

    ahci_fis_d2h_regs(l, &r, ATA_DRDY | (error ? ATA_ERR : 0), error, true);
}

/* SATA 16.4.2: the signature. */
static void control(SataPm *pm, AhciLink *l, bool srst)
{
    IdeRegs r = { .count = 1, .lba_low = 1, .lba_mid = 0x69, .lba_high = 0x96 };

    if (!srst && pm->srst) {
        l->port->reg[P_SIG] = 0x96690101;
        ahci_fis_d2h_regs(l, &r, ATA_DRDY | ATA_DSC, 1, false);
    }
    pm->srst = srst;
}

void sata_pm_command(SataPm *pm, AhciLink *l, const AhciCommand *c)
{
    const uint8_t *f = c->fis;
    unsigned port = f[7] & 15, reg = f[3] | f[11] << 8;
    uint32_t value = f[12] | f[4] << 8 | f[5] << 16 | (uint32_t)f[6] << 24;

    if (!(f[1] & 0x80)) {
        control(pm, l, f[15] & CTL_SRST);
    } else if ((f[2] == READ_PM || f[2] == WRITE_PM) && (port == AHCI_PM_CONTROL || port < pm->num_ports)) {
        if (f[2] == READ_PM) {
            value = read_register(pm, port, reg);
        } else {
            write_register(pm, port, reg, value);
            value = 0;
        }
        answer(l, 0, value);
    } else {
        answer(l, ATA_ERR_ABRT, 0);
    }
}

static void plugged(void *opaque, bool there)
{
    AhciLink *l = opaque;
    SataPm *pm = l->port->pm;
    PmPort *p = &pm->pscr[l->pmp];

    ahci_lock(l->port->s);
    if (there) {
        port_up(pm, l->pmp);
    } else {
        p->status = 0;
        p->error |= SERR_DIAG_N | SERR_DIAG_X;
        ahci_link_gone(l);
    }
    notify(pm, l->pmp);
    ahci_unlock(l->port->s);
}

static IdeChannel *find_channel(Device *owner, Bus *bus)
{
    SataPm *pm = SATA_PM(owner);

    for (unsigned n = 0; n < pm->num_ports; n++) {
        if (pm->channel[n].bus == bus) {
            return &pm->channel[n];
        }
    }
    return NULL;
}

static bool pm_realize(Device *dev, Error **errp)
{
    SataPm *pm = SATA_PM(dev);
    IdeChannel *up = object_is_a(dev->bus, TYPE_SATA_BUS) ? ide_channel_of(dev->bus) : NULL;

    if (!up || object_is_a(dev->bus->parent, TYPE_SATA_PM)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "bus '%s' is no port of an AHCI controller",
                   dev->bus->name);
        return false;
    }
    pm->port = ((AhciLink *)up->opaque)->port;
    for (unsigned n = 0; n < pm->num_ports; n++) {
        ide_link_init(&pm->channel[n], dev, &ahci_transport, &pm->port->link[n]);
        pm->channel[n].plugged = plugged;
    }
    ahci_lock(pm->port->s);
    for (unsigned n = 0; n < pm->num_ports; n++) {
        pm->port->link[n].channel = &pm->channel[n];
    }
    pm->port->pm = pm;
    pm->port->num_links = AHCI_LINKS;
    ahci_unlock(pm->port->s);
    ahci_port_plugged(&pm->port->link[0], true);
    return true;
}

/* The drives have gone before. */
static void pm_unrealize(Device *dev)
{
    SataPm *pm = SATA_PM(dev);
    AhciPort *p = pm->port;

    ahci_lock(p->s);
    for (unsigned n = 0; n < AHCI_LINKS; n++) {
        p->link[n].channel = n == 0 ? &p->channel : NULL;
    }
    p->pm = NULL;
    p->num_links = 1;
    ahci_unlock(p->s);
    ahci_port_plugged(&p->link[0], false);
}

static const VmField pscr_fields[] = {
    VM_U32(PmPort, status), VM_U32(PmPort, error), VM_U32(PmPort, control), VM_END
};
static const VmMeaning pscr_meanings[] = {
    { "status", "PSCR0, SStatus", .flags = FLAGS({ "DET", 0xf }, { "SPD", 0xf0 }, { "IPM", 0xf00 }) },
    { "error", "PSCR1, SError", .flags = FLAGS({ "ERR", 0xffff }, { "N", 0x10000 }, { "I", 0x20000 }, { "W", 0x40000 },
      { "B", 0x80000 }, { "D", 0x100000 }, { "C", 0x200000 }, { "H", 0x400000 }, { "S", 0x800000 }, { "T", 0x1000000 },
      { "F", 0x2000000 }, { "X", 0x4000000 }) },
    { "control", "PSCR2, SControl", .flags = FLAGS({ "DET", 0xf }, { "SPD", 0xf0 }, { "IPM", 0xf00 }) },
    { .name = NULL }
};
static const VmState pscr_vm = { 1, pscr_fields, .meanings = pscr_meanings };

static const VmField pm_fields[] = {
    VM_STRUCT_ARRAY(SataPm, pscr, pscr_vm), VM_U32(SataPm, error_enable), VM_U32(SataPm, feature_enable),
    VM_BOOL(SataPm, srst), VM_END
};
static const VmMeaning pm_meanings[] = {
    { "error_enable", "GSCR33: bits of SError that are told in GSCR32" },
    { "feature_enable", "GSCR96", .flags = FLAGS({ "BIST", 1 }, { "PMREQ", 2 }, { "SSC", 4 }, { "NOTIFY", 8 }) },
    { .name = NULL }
};

static const Property pm_props[] = {
    PROP_U8_RANGE("ports", SataPm, num_ports, 5, 1, MAX_PORTS, "ports for drives, 1 to 15"), PROP_END
};

static const DeviceType pm_type = {
    .name = TYPE_SATA_PM, .parent = TYPE_DEVICE, .desc = "Serial ATA port multiplier", .size = sizeof(SataPm),
    .bus_type = TYPE_IDE_BUS, .category = DEVICE_STORAGE, .hotpluggable = true, .props = pm_props,
    .realize = pm_realize, .unrealize = pm_unrealize, .vm = { 1, pm_fields, .meanings = pm_meanings }, .data = find_channel,
};
DEVICE_TYPE(pm_type)
