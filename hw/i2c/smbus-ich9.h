/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICH9: SMBus host controller. Big lock. */
#ifndef HW_I2C_SMBUS_ICH9_H
#define HW_I2C_SMBUS_ICH9_H

#include "hw/pci/pci.h"

#define TYPE_ICH9_SMBUS     "ICH9-SMB"
#define TYPE_ICH7_SMBUS     "ICH7-SMB"
#define ICH9_SMBUS_DEVFN    PCI_DEVFN(31, 3)

/* Its bus, when it is realized. */
Bus *ich9_smbus_bus(PCIDevice *pci);

#endif
