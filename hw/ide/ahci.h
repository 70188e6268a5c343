/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AHCI host bus adapters, for boards: types and the registers' names.
 *
 * Each port is a bus for one drive (ide-hd, ide-cd) or a port multiplier (sata-pm), named
 * "<id>.N" after the HBA, or "ide.N" by the next free N if it has no id.
 *
 * Sources: Serial ATA AHCI 1.3.1 ("AHCI"), Serial ATA 3.2 ("SATA"), ATA/ATAPI Command Set 3 ("ACS").
 */
#ifndef HW_IDE_AHCI_H
#define HW_IDE_AHCI_H

#include "util/osdep.h"

#define TYPE_AHCI_PCI   "ahci-pci"      /* abstract */
#define TYPE_ICH9_AHCI  "ich9-ahci"     /* 8086:2922; "ahci" is the same; a board puts it at 1f.2 */
#define TYPE_ICH7_AHCI  "ich7-ahci"     /* 8086:27c1 */
#define TYPE_ICH7R_AHCI "ich7r-ahci"    /* 8086:27c3 */
#define TYPE_ICH7M_AHCI "ich7m-ahci"    /* 8086:27c5 */

#define AHCI_MAX_PORTS  32
#define AHCI_SLOTS      32
#define AHCI_LINKS      16              /* of a port: the multiplier's device ports, and its control port */
#define AHCI_PM_CONTROL 15

/* Generic host control: AHCI 3.1. */
enum { HBA_CAP = 0x00, HBA_GHC = 0x04, HBA_IS = 0x08, HBA_PI = 0x0c, HBA_VS = 0x10, HBA_CCC_CTL = 0x14,
       HBA_CCC_PORTS = 0x18, HBA_EM_LOC = 0x1c, HBA_EM_CTL = 0x20, HBA_CAP2 = 0x24, HBA_BOHC = 0x28,
       HBA_PORTS = 0x100, HBA_PORT_SIZE = 0x80 };
#define CAP_S64A        BIT(31)
#define CAP_SNCQ        BIT(30)
#define CAP_SSNTF       BIT(29)
#define CAP_SSS         BIT(27)
#define CAP_SALP        BIT(26)
#define CAP_SAL         BIT(25)
#define CAP_SCLO        BIT(24)
#define CAP_ISS_SHIFT   20
#define CAP_SAM         BIT(18)
#define CAP_SPM         BIT(17)
#define CAP_FBSS        BIT(16)
#define CAP_PMD         BIT(15)
#define CAP_SSC         BIT(14)
#define CAP_PSC         BIT(13)
#define CAP_NCS_SHIFT   8
#define CAP_CCCS        BIT(7)
#define CAP_EMS         BIT(6)
#define GHC_AE          BIT(31)
#define GHC_MRSM        BIT(2)
#define GHC_IE          BIT(1)
#define GHC_HR          BIT(0)
#define CAP2_APST       BIT(2)
#define CAP2_BOH        BIT(0)
#define BOHC_BB         BIT(4)
#define BOHC_OOC        BIT(3)
#define BOHC_SOOE       BIT(2)
#define BOHC_OOS        BIT(1)
#define BOHC_BOS        BIT(0)
#define CCC_EN          BIT(0)
#define EM_MR           BIT(0)
#define EM_TM           BIT(8)
#define EM_RST          BIT(9)
#define EM_LED          BIT(16)
#define EM_ALHD         BIT(26)

/* Ports: AHCI 3.3. */
enum { PORT_CLB = 0x00, PORT_CLBU = 0x04, PORT_FB = 0x08, PORT_FBU = 0x0c, PORT_IS = 0x10, PORT_IE = 0x14,
       PORT_CMD = 0x18, PORT_TFD = 0x20, PORT_SIG = 0x24, PORT_SSTS = 0x28, PORT_SCTL = 0x2c,
       PORT_SERR = 0x30, PORT_SACT = 0x34, PORT_CI = 0x38, PORT_SNTF = 0x3c, PORT_FBS = 0x40 };
#define PIS_TFES        BIT(30)
#define PIS_HBFS        BIT(29)
#define PIS_HBDS        BIT(28)
#define PIS_IFS         BIT(27)
#define PIS_INFS        BIT(26)
#define PIS_OFS         BIT(24)
#define PIS_IPMS        BIT(23)
#define PIS_PRCS        BIT(22)
#define PIS_DMPS        BIT(7)
#define PIS_PCS         BIT(6)
#define PIS_DPS         BIT(5)
#define PIS_UFS         BIT(4)
#define PIS_SDBS        BIT(3)
#define PIS_DSS         BIT(2)
#define PIS_PSS         BIT(1)
#define PIS_DHRS        BIT(0)
#define CMD_ICC_SHIFT   28
#define CMD_ASP         BIT(27)
#define CMD_ALPE        BIT(26)
#define CMD_DLAE        BIT(25)
#define CMD_ATAPI       BIT(24)
#define CMD_APSTE       BIT(23)
#define CMD_FBSCP       BIT(22)
#define CMD_HPCP        BIT(18)
#define CMD_PMA         BIT(17)
#define CMD_CR          BIT(15)
#define CMD_FR          BIT(14)
#define CMD_CCS_SHIFT   8
#define CMD_FRE         BIT(4)
#define CMD_CLO         BIT(3)
#define CMD_POD         BIT(2)
#define CMD_SUD         BIT(1)
#define CMD_ST          BIT(0)
#define SERR_ERR_I      BIT(0)          /* recovered data integrity */
#define SERR_ERR_T      BIT(8)          /* transient data integrity */
#define SERR_ERR_P      BIT(10)         /* protocol */
#define SERR_ERR_E      BIT(11)         /* internal */
#define SERR_DIAG_N     BIT(16)         /* PhyRdy changed */
#define SERR_DIAG_C     BIT(21)         /* CRC */
#define SERR_DIAG_H     BIT(22)         /* handshake */
#define SERR_DIAG_F     BIT(25)         /* unknown FIS type */
#define SERR_DIAG_X     BIT(26)         /* exchanged */
#define FBS_EN          BIT(0)
#define FBS_DEC         BIT(1)
#define FBS_SDE         BIT(2)
#define FBS_DEV_SHIFT   8
#define FBS_ADO_SHIFT   12
#define FBS_DWE_SHIFT   16

#endif
