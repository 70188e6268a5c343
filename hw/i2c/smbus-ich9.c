/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICH9 (82801IB), device 31 function 3: SMBus host controller.
 *
 * Source: Intel ICH9 data sheet, 316972 ("DS"), chapter 19. Transactions end at once.
 * Not modelled: the byte-by-byte mode of blocks (AUX_CTL.E32B is always set for them), PEC, the slave, SMLink.
 */
#include "util/osdep.h"
#include "hw/i2c/smbus-host.h"

#include "hw/i2c/smbus-ich9.h"

#define HOSTC           0x40            /* DS 19.1.17 */
#define HOSTC_HST_EN    BIT(0)
#define HOSTC_RW        0x07
#define SMB_BAR         4
#define SMB_IO_SIZE     32
#define HST_STS_W1C     0xfe            /* DS 19.2.1 */
#define HST_STS_IRQ     0x1e


typedef struct Ich9Smbus {
    PCIDevice pci;
    MemRegion io;
    SmbusHost host;
} Ich9Smbus;

DEFINE_CAST(ICH9_SMBUS, Ich9Smbus, TYPE_ICH9_SMBUS)

static void update_irq(Ich9Smbus *s)
{
    const uint8_t *r = s->host.reg;

    pci_set_irq(&s->pci, r[SMBHSTCNT] & SMBHSTCNT_INTREN && r[SMBHSTSTS] & HST_STS_IRQ);
}

static MemResult smb_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    Ich9Smbus *s = opaque;

    *val = !(s->pci.config[HOSTC] & HOSTC_HST_EN) ? UINT8_MAX
           : addr < SMBUS_HOST_REGS ? smbus_host_read(&s->host, (unsigned)addr) : 0;
    return MEM_OK;
}

static MemResult smb_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    Ich9Smbus *s = opaque;

    if (s->pci.config[HOSTC] & HOSTC_HST_EN && addr < SMBUS_HOST_REGS) {
        smbus_host_write(&s->host, (unsigned)addr, (uint8_t)val);
        update_irq(s);
    }
    return MEM_OK;
}

static const MemOps smb_ops = {
    .read = smb_read, .write = smb_write, .order = MEM_LE, .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static void smbus_reset_hold(Device *dev)
{
    Ich9Smbus *s = ICH9_SMBUS(dev);

    s->pci.config[HOSTC] = 0;
    smbus_host_reset(&s->host);
    update_irq(s);
}

static bool smbus_realize(Device *dev, UNUSED Error **errp)
{
    Ich9Smbus *s = ICH9_SMBUS(dev);

    pci_set_word(s->pci.config + PCI_STATUS, PCI_STATUS_FAST_BACK | PCI_STATUS_DEVSEL_MED);
    s->pci.wmask[HOSTC] = HOSTC_RW;
    memory_region_init_io(&s->io, s, &smb_ops, s, "ich9-smbus", SMB_IO_SIZE);
    pci_register_bar(&s->pci, SMB_BAR, PCI_BAR_IO, &s->io);
    s->host.bus = smbus_new(dev, "i2c");
    s->host.sts_w1c = HST_STS_W1C;
    return true;
}

static void smbus_unrealize(Device *dev)
{
    memory_region_cleanup(&ICH9_SMBUS(dev)->io);
}

static bool smbus_post_load(void *opaque, UNUSED Error **errp)
{
    update_irq(opaque);
    return true;
}

static const VmField smbus_fields[] = {
    VM_PCI(Ich9Smbus, pci), VM_U8_ARRAY(Ich9Smbus, host.reg), VM_U8_ARRAY(Ich9Smbus, host.block),
    VM_U8_RANGE(Ich9Smbus, host.index, 0, SMBUS_BLOCK_MAX - 1), VM_END
};

static const VmMeaning smbus_meanings[] = {
    { "host.index", "which byte of the block comes next" },
    { "host.reg", "host registers", ELEMENTS("HST_STS", NULL, "HST_CNT", "HST_CMD", "XMIT_SLVA", "HST_D0", "HST_D1", "HOST_BLOCK_DB", "PEC",
      "RCV_SLVA", "SLV_DATA0", "SLV_DATA1", "AUX_STS", "AUX_CTL", "SMLINK_PIN_CTL", "SMBUS_PIN_CTL", "SLV_STS", "SLV_CMD", NULL, NULL,
      "NOTIFY_DADDR", NULL, "NOTIFY_DLOW", "NOTIFY_DHIGH") },
    { "host.block", "the block", .payload = "bytes of an SMBus block transfer" },
    { .name = NULL }
};

static const DeviceType smbus_type = {
    .name = TYPE_ICH9_SMBUS, .parent = TYPE_PCI_DEVICE, .size = sizeof(Ich9Smbus),
    .desc = "ICH9 SMBus host controller", .not_user_creatable = true, .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x8086, .device = 0x2930, .class_code = 0x0c0500, .revision = 2, .pin = PCI_PIN_B },
    .realize = smbus_realize, .unrealize = smbus_unrealize, .reset_hold = smbus_reset_hold,
    .vm = { 1, smbus_fields, .post_load = smbus_post_load, .meanings = smbus_meanings },
};
DEVICE_TYPE(smbus_type)

static const DeviceType ich7_smbus_type = {
    .name = TYPE_ICH7_SMBUS, .parent = TYPE_ICH9_SMBUS, .desc = "ICH7 SMBus host controller", .not_user_creatable = true,
    .pci = { .device = 0x27da, .revision = 2 },
};
DEVICE_TYPE(ich7_smbus_type)

Bus *ich9_smbus_bus(PCIDevice *pci)
{
    return ICH9_SMBUS(pci)->host.bus;
}
