/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of ide-state.c, for the other files of IDE. */
#ifndef HW_IDE_IDE_STATE_H
#define HW_IDE_IDE_STATE_H

#include "hw/core/state-view.h"

extern const VmMeaning ide_regs_meanings[], ide_drive_meanings[], ide_bm_meanings[], ide_channel_meanings[];
extern const VmMeaning ahci_meanings[], ahci_command_meanings[];
extern const StatePrinter ide_drive_printers[], piix_ide_printers[], ahci_printers[];

/* An ATA command's name; NULL: it has none. */
const char *ide_command_name(uint64_t command);

#endif
