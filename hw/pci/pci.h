/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI: functions, buses, host bridges.
 *
 * Sources: PCI Local Bus Specification 3.0 ("PCI"), PCI-to-PCI Bridge
 * Architecture 1.2, PCI Express Base 4.0.
 *
 * A function is a DeviceType derived from TYPE_PCI_DEVICE with .pci filled
 * in. Its realize finds config space set up, registers BARs and capabilities,
 * and may change config, wmask and w1cmask. DMA goes through dma_as, which
 * answers only while bus mastering is enabled; MSI is a write there.
 */
#ifndef HW_PCI_PCI_H
#define HW_PCI_PCI_H

#include "hw/core/device.h"
#include "hw/core/regs.h"
#include "hw/pci/pci_regs.h"
#include "memory/memory.h"

#define TYPE_PCI_DEVICE     "pci-device"
#define TYPE_PCI_BUS        "PCI"
#define TYPE_PCIE_BUS       "PCIE"
#define TYPE_PCI_HOST       "pci-host-bridge"

typedef struct PCIDevice PCIDevice;
typedef struct PCIBus PCIBus;

#define PCI_CONFIG_SIZE         256
#define PCIE_CONFIG_SIZE        4096
#define PCI_NUM_BARS            6
#define PCI_ROM_SLOT            6
#define PCI_NUM_REGIONS         7
#define PCI_DEVFN(slot, fn)     (((slot) << 3) | (fn))
#define PCI_SLOT(devfn)         (((devfn) >> 3) & 0x1f)
#define PCI_FUNC(devfn)         ((devfn) & 7)
enum { PCI_PIN_A, PCI_PIN_B, PCI_PIN_C, PCI_PIN_D, PCI_NUM_PINS,
       PCI_PIN_NONE = 0xff };

typedef enum PciBarType {
    PCI_BAR_IO,
    PCI_BAR_MEM32,
    PCI_BAR_MEM64,
    PCI_BAR_MEM32_PREFETCH,
    PCI_BAR_MEM64_PREFETCH,
} PciBarType;

typedef struct PciBar {
    MemRegion *mr;              /* NULL: there is none */
    PciBarType type;
    uint64_t size;
    hwaddr addr;                /* where it is mapped; PCI_BAR_UNMAPPED */
} PciBar;
#define PCI_BAR_UNMAPPED    UINT64_MAX

typedef struct MsixState MsixState;

struct PCIDevice {
    Device dev;
    uint8_t *config;            /* what the guest reads */
    uint8_t *wmask;             /* bits it may write */
    uint8_t *w1cmask;           /* bits it clears by writing 1 */
    uint8_t *hwmask;            /* bits that the device changes by itself */
    uint32_t config_size;
    PciInfo info;               /* of the type, with inheritance resolved */
    int32_t devfn;              /* -1 until the bus has given it one */
    bool multifunction;
    uint32_t rom_bar;
    char *romfile;
    PciBar bars[PCI_NUM_REGIONS];
    MemRegion rom;
    bool irq_level;             /* what the function wants on its INTx pin */
    bool irq_driven;            /* what the bus sees: INTX_OFF heeded */
    IrqLine *irq;               /* pci_irq_line()'s; owned */
    AddressSpace dma_as;
    MemRegion dma_root, dma_alias;
    uint8_t pm_cap, msi_cap, msix_cap, exp_cap;     /* offsets; 0: none */
    uint16_t aer_cap;
    MsixState *msix;
    uint8_t *used;              /* of each config byte: in a capability? */
    bool on_bus;                /* realize has put it into bus->devices */
};
static inline PCIDevice *PCI_DEVICE(const void *obj)
{
    return (PCIDevice *)object_cast(obj, TYPE_PCI_DEVICE);
}

/* From realize. @mr's size is a power of two, 4 bytes (I/O) or 16 up. */
void pci_register_bar(PCIDevice *pci, int n, PciBarType type, MemRegion *mr);
hwaddr pci_bar_address(const PCIDevice *pci, int n);
/* Level of the INTx pin that .pci.pin names. */
void pci_set_irq(PCIDevice *pci, int level);
/* A handle that does it. */
IrqLine *pci_irq_line(PCIDevice *pci);

/* Capabilities. @offset 0: the next free. Returns the offset; 0 with errp
 * set. The bytes after the two-byte head are zeros and read-only. */
uint8_t pci_add_capability(PCIDevice *pci, uint8_t id, uint8_t offset,
                           uint8_t len, Error **errp);
uint8_t pci_find_capability(const PCIDevice *pci, uint8_t id);  /* 0 */
/* PCI PM 1.2: D0 and D3hot, no soft reset. */
bool pci_add_pm(PCIDevice *pci, Error **errp);
/* Default access to config space; @len 1, 2, 4, inside the space. */
uint32_t pci_default_config_read(PCIDevice *pci, uint32_t addr, unsigned len);
void pci_default_config_write(PCIDevice *pci, uint32_t addr, uint32_t val,
                              unsigned len);
/* Does a write of @len bytes at @addr touch @reg .. @reg+@n-1? */
static inline bool pci_config_touches(uint32_t addr, unsigned len,
                                      uint32_t reg, unsigned n)
{
    return addr < reg + n && reg < addr + len;
}
static inline uint8_t pci_get_byte(const uint8_t *p) { return p[0]; }
static inline uint16_t pci_get_word(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t pci_get_long(const uint8_t *p)
{
    return pci_get_word(p) | (uint32_t)pci_get_word(p + 2) << 16;
}
static inline void pci_set_byte(uint8_t *p, uint8_t v) { p[0] = v; }
static inline void pci_set_word(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}
static inline void pci_set_long(uint8_t *p, uint32_t v)
{
    pci_set_word(p, (uint16_t)v);
    pci_set_word(p + 2, (uint16_t)(v >> 16));
}

/* DMA by the function. MEM_DECODE_ERROR while it isn't a bus master. */
MemResult pci_dma_read(PCIDevice *pci, hwaddr addr, void *buf, hwaddr len);
MemResult pci_dma_write(PCIDevice *pci, hwaddr addr, const void *buf,
                        hwaddr len);
MemResult pci_dma_rw(PCIDevice *pci, hwaddr addr, void *buf, hwaddr len,
                     bool is_write);
void *pci_dma_map(PCIDevice *pci, hwaddr addr, hwaddr *len, bool is_write);
void pci_dma_unmap(PCIDevice *pci, void *host, hwaddr len, bool is_write,
                   hwaddr access_len);
uint32_t pci_dma_ld32(PCIDevice *pci, hwaddr addr, MemResult *result);
void pci_dma_st32(PCIDevice *pci, hwaddr addr, uint32_t val,
                  MemResult *result);
static inline AddressSpace *pci_dma_as(PCIDevice *pci)
{
    return &pci->dma_as;
}
MemAttrs pci_attrs(const PCIDevice *pci);       /* with the requester id */
uint16_t pci_requester_id(const PCIDevice *pci);

/* MSI (PCI 6.8.1); 1 to 32 vectors, a power of two. */
bool msi_init(PCIDevice *pci, uint8_t offset, unsigned vectors, bool is64,
              bool per_vector_mask, Error **errp);
bool msi_enabled(const PCIDevice *pci);
void msi_notify(PCIDevice *pci, unsigned vector);
/* MSI-X (PCI 6.8.2); table and pending bits in regions of the device. */
bool msix_init(PCIDevice *pci, unsigned vectors, MemRegion *table_bar,
               uint8_t table_bar_nr, uint32_t table_offset, MemRegion *pba_bar,
               uint8_t pba_bar_nr, uint32_t pba_offset, uint8_t cap_offset,
               Error **errp);
/* The whole of BAR @bar_nr, which is made here. */
bool msix_init_exclusive_bar(PCIDevice *pci, unsigned vectors, uint8_t bar_nr,
                             Error **errp);
/* PCI does it at the end of a device's life; the device itself only where the table is inside of a region that it cleans up,
 * never with a BAR that was made for it. */
void msix_cleanup(PCIDevice *pci);
bool msix_enabled(const PCIDevice *pci);
void msix_notify(PCIDevice *pci, unsigned vector);
bool msix_is_masked(const PCIDevice *pci, unsigned vector);
/* Vector's message, or its mask, was changed by the guest; may be NULL. */
void msix_set_observer(PCIDevice *pci,
                       void (*changed)(PCIDevice *pci, unsigned vector));

/* Buses. */
typedef void (*PciSetIrqFn)(void *opaque, int n, int level);
/* Input of the host's router that @pin of @pci leads to. */
typedef int (*PciMapIrqFn)(PCIDevice *pci, int pin);
typedef AddressSpace *(*PciIommuFn)(PCIBus *bus, void *opaque, int devfn);
#define PCI_MAX_IRQS    64

/* How functions come and go while the guest runs: told by the guest's firmware tables. */
typedef struct PciHotplugOps {
    void (*plugged)(void *opaque, PCIDevice *pci);
    /* The user wants it back; device_unplug_done() when the guest has let go. */
    void (*unplug_request)(void *opaque, PCIDevice *pci);
} PciHotplugOps;

struct PCIBus {
    Bus bus;
    uint8_t devfn_min, num_slots;
    bool powered_off;           /* nobody behind a port's power controller answers */
    bool acpi_hotplug;          /* .hotplug is the firmware tables', not a port's own */
    PCIDevice *devices[256];
    PCIDevice *bridge;          /* behind which it is; NULL: root bus */
    MemRegion *mem, *io;        /* where BARs appear */
    PciSetIrqFn set_irq;
    PciMapIrqFn map_irq;
    void *irq_opaque;
    int num_irqs;
    int irq_count[PCI_MAX_IRQS];        /* pins that pull each input */
    PciIommuFn iommu;
    void *iommu_opaque;
    AddressSpace *dma;          /* without IOMMU; address_space_memory */
    /* A function came or went; NULL: nobody wants to know. */
    void (*changed)(PCIBus *bus);
    const PciHotplugOps *hotplug;       /* NULL: nothing comes while the guest runs */
    void *hotplug_opaque;
};
static inline PCIBus *PCI_BUS(const void *obj)
{
    return (PCIBus *)object_cast(obj, TYPE_PCI_BUS);
}
/* A root bus of @host. @type is TYPE_PCI_BUS or TYPE_PCIE_BUS. */
PCIBus *pci_root_bus_new(Device *host, const char *type, const char *name,
                         MemRegion *mem, MemRegion *io, uint8_t devfn_min);
void pci_bus_set_irqs(PCIBus *bus, PciSetIrqFn set_irq, PciMapIrqFn map_irq,
                      void *opaque, int num_irqs);
void pci_bus_set_hotplug(PCIBus *bus, const PciHotplugOps *ops, void *opaque);
void pci_bus_set_iommu(PCIBus *bus, PciIommuFn fn, void *opaque);
/* Swizzle for a slot: (slot + pin) mod 4 (PCI bridge 1.2, table 9-1). */
int pci_swizzle(PCIDevice *pci, int pin);
/* The router's mapping changed: drive its inputs anew. */
void pci_bus_irq_changed(PCIBus *bus);
int pci_bus_number(const PCIBus *bus);
static inline PCIBus *pci_bus(const PCIDevice *pci)
{
    return (PCIBus *)pci->dev.bus;
}
/* Behind a PCI Express port? */
static inline bool pcie_bus_is_port(PCIBus *bus)
{
    return bus->bridge && object_is_a(bus, TYPE_PCIE_BUS);
}
PCIBus *pci_bus_root(PCIBus *bus);
/* The bus behind a bridge; NULL if it is none. */
PCIBus *pci_bridge_bus(const PCIDevice *pci);
PCIDevice *pci_bus_find_device(PCIBus *root, uint8_t bus_nr, uint8_t devfn);
int pci_bus_foreach(PCIBus *bus, int (*fn)(PCIDevice *pci, void *opaque),
                    void *opaque);

/* Boards: a function at a fixed place. One reference, the caller's. */
PCIDevice *pci_new(int devfn, const char *type);
bool pci_realize(PCIDevice *pci, PCIBus *bus, Error **errp);
/* Both; borrowed. -1: the next free slot. NULL with errp set. */
PCIDevice *pci_create(PCIBus *bus, int devfn, const char *type, Error **errp);

/* What a host bridge answers on config cycles: all ones and nothing. @addr
 * as in CONFIG_ADDRESS without the enable bit: bus, devfn, register. */
uint32_t pci_data_read(PCIBus *root, uint32_t addr, unsigned len);
void pci_data_write(PCIBus *root, uint32_t addr, uint32_t val, unsigned len);

/* Host bridge with configuration mechanism #1 (PCI 3.2.2.3.2): parent of
 * machines' host bridges, which map both regions. */
typedef struct PCIHost {
    Device dev;
    MemRegion conf, data;       /* 4 bytes each: 0xcf8, 0xcfc on a PC */
    uint32_t config_address;
    PCIBus *bus;                /* set by the derived type's realize */
} PCIHost;
static inline PCIHost *PCI_HOST(const void *obj)
{
    return (PCIHost *)object_cast(obj, TYPE_PCI_HOST);
}
extern const VmState pci_host_vm;
/* ECAM (PCIe 7.2.2): config space as memory, 4 KiB a function. */
void pcie_init_ecam(MemRegion *mr, void *owner, PCIHost *host, uint64_t size);

/* First field of a PCI device's table: config space, BARs, INTx, MSI-X. */
extern const VmKind vm_kind_pci;
#define VM_PCI(S, f) \
    { .name = #f, .kind = &vm_kind_pci, .num = 1, .size = sizeof(PCIDevice), \
      .offset = VM_TYPED_(S, f, PCIDevice) }
/* For VmMeaning.show of that field: registers behind the header by name. */
void pci_state_name_registers(StateNode *pci, const RegDef *defs, size_t n);

#endif
