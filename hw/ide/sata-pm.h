/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The port multiplier, as the AHCI port sees it that it hangs on. The HBA's lock. */
#ifndef HW_IDE_SATA_PM_H
#define HW_IDE_SATA_PM_H

#include "hw/ide/ahci-int.h"

/* A frame to its control port has come. */
void sata_pm_command(SataPm *pm, AhciLink *l, const AhciCommand *c);
/* The host's link has come up: all drives are reset. */
void sata_pm_link_up(SataPm *pm);

#endif
