/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NCR 53C9x SCSI controllers (53C90, 53C94, 53C96): initiator. The board maps esp_regs(), 16 registers at a stride of
 * 1 << it_shift bytes, and esp_pdma(), through which the processor moves the DMA bytes itself
 * (pseudo-DMA). Outputs "irq", "drq". Bus "scsi.0".
 *
 * Source: NCR 53C94, 53C95, 53C96 Data Manual ("DM"). Big lock.
 */
#ifndef HW_SCSI_ESP_H
#define HW_SCSI_ESP_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_ESP        "esp"

MemRegion *esp_regs(Device *dev);
MemRegion *esp_pdma(Device *dev);

#endif
