/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In what the chip sets of the PC machines differ: .data of their machine types. Big lock. */
#ifndef HW_I386_CHIPSET_H
#define HW_I386_CHIPSET_H

#include "hw/acpi/aml-build.h"
#include "hw/i386/pc.h"

/* What the FADT says of power management; offsets are from @base, 0 while firmware has set none. */
typedef struct PcPmInfo {
    uint16_t base;
    uint8_t evt, cnt, tmr, gpe0, gpe0_len;
    uint8_t smi_cmd, acpi_enable, acpi_disable, sci;
} PcPmInfo;

/* Types of an I/O controller hub's functions; NULL: there is none. */
typedef struct PcHub {
    const char *lpc, *ide, *ahci, *smbus, *hda, *codec, *ehci, *uhci[3];
    uint8_t hda_slot;
    bool usb_always;            /* also without -usb */
    uint8_t gpe0, gpe0_len;
} PcHub;

typedef struct PcChipset {
    uint64_t low_max;           /* RAM below this stays in one piece */
    uint64_t low_split;         /* else it goes on at 4 GiB from here */
    uint16_t cpu_hotplug_io;
    bool cpu_hotplug_always;    /* also where no processor can come: OVMF's SMM code looks for its registers */
    uint8_t slp_typ_s3, slp_typ_s4, slp_typ_s5;
    uint32_t isa_adr;           /* _ADR of the bridge to ISA */
    const PcHub *hub;           /* of the machines of q35.c */
    bool smc;                   /* with a Mac's System Management Controller */
    const char *maker, *product, *product_version;      /* SMBIOS; NULL: as all have it */
    /* How PCI functions come and go by ACPI; @bridges: also behind bridges. NULL: not at all. */
    struct PciHotplug *(*pci_hotplug)(PcMachine *pc, bool *bridges);
    void (*pm_info)(PcMachine *pc, PcPmInfo *info);
    /* Where config space is memory; NULL: nowhere. */
    bool (*ecam)(PcMachine *pc, uint64_t *base, uint64_t *size);
    /* Parts of the DSDT: inside of PCI0, its names; inside of the ISA bridge, its interrupt router's registers; inside
     * of \_SB, interrupt links; inside of PCI0, _PRT. */
    void (*put_root)(Aml *a, PcMachine *pc);
    void (*put_router)(Aml *a);
    void (*put_links)(Aml *a, PcMachine *pc);
    void (*put_routing)(Aml *a, PcMachine *pc);
} PcChipset;

static inline const PcChipset *pc_chipset(const PcMachine *pc)
{
    return pc->parent.type->data;
}

/* --- pieces that their functions use (acpi-links.c, acpi-dsdt.c) --- */

void aml_put_hid(Aml *a, const char *name, const char *id);     /* Name (name, EisaId (id)) */
void aml_put_int(Aml *a, const char *name, uint64_t v);
/* Methods that all links use, then link @n, LNKA to LNKH, of the router's register PRQ0 to PRQ7. */
void acpi_put_link_methods(Aml *a);
void acpi_put_link(Aml *a, unsigned n);
/* A link that can't be set: @name with interrupt @gsi. */
void acpi_put_fixed_link(Aml *a, const char *name, unsigned uid, uint32_t gsi);
/* An element of _PRT. */
void acpi_put_route(Aml *a, unsigned slot, unsigned pin, const char *link);
extern const char *const acpi_link_paths[8];

/* PIIX's (acpi-dsdt-piix.c). */
void piix_put_root(Aml *a, PcMachine *pc);
void piix_put_router(Aml *a);
void piix_put_links(Aml *a, PcMachine *pc);
void piix_put_routing(Aml *a, PcMachine *pc);
/* Q35's (acpi-dsdt-q35.c). */
void q35_put_root(Aml *a, PcMachine *pc);
void q35_put_router(Aml *a);
void q35_put_links(Aml *a, PcMachine *pc);
void q35_put_routing(Aml *a, PcMachine *pc);

#endif
