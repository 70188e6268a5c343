/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI configuration space: PCI 3.0 chapter 6 and appendices, PCIe 4.0
 * chapter 7. Offsets in bytes. */
#ifndef HW_PCI_PCI_REGS_H
#define HW_PCI_PCI_REGS_H

/* Common header, PCI 6.1. */
#define PCI_VENDOR_ID           0x00
#define PCI_DEVICE_ID           0x02
#define PCI_COMMAND             0x04
#define  PCI_COMMAND_IO         0x0001
#define  PCI_COMMAND_MEMORY     0x0002
#define  PCI_COMMAND_MASTER     0x0004
#define  PCI_COMMAND_SPECIAL    0x0008
#define  PCI_COMMAND_INVALIDATE 0x0010
#define  PCI_COMMAND_VGA_SNOOP  0x0020
#define  PCI_COMMAND_PARITY     0x0040
#define  PCI_COMMAND_SERR       0x0100
#define  PCI_COMMAND_FAST_BACK  0x0200
#define  PCI_COMMAND_INTX_OFF   0x0400
#define PCI_STATUS              0x06
#define  PCI_STATUS_INTERRUPT   0x0008
#define  PCI_STATUS_CAP_LIST    0x0010
#define  PCI_STATUS_66MHZ       0x0020
#define  PCI_STATUS_FAST_BACK   0x0080
#define  PCI_STATUS_PARITY      0x0100
#define  PCI_STATUS_DEVSEL_MED  0x0200
#define  PCI_STATUS_SIG_TABORT  0x0800
#define  PCI_STATUS_REC_TABORT  0x1000
#define  PCI_STATUS_REC_MABORT  0x2000
#define  PCI_STATUS_SIG_SERR    0x4000
#define  PCI_STATUS_DET_PARITY  0x8000
#define PCI_REVISION_ID         0x08
#define PCI_CLASS_PROG          0x09
#define PCI_CLASS_DEVICE        0x0a
#define PCI_CACHE_LINE_SIZE     0x0c
#define PCI_LATENCY_TIMER       0x0d
#define PCI_HEADER_TYPE         0x0e
#define  PCI_HEADER_TYPE_MULTI  0x80
#define PCI_BIST                0x0f

/* Header type 0. */
#define PCI_BASE_ADDRESS_0      0x10
#define PCI_CARDBUS_CIS         0x28
#define PCI_SUBSYSTEM_VENDOR_ID 0x2c
#define PCI_SUBSYSTEM_ID        0x2e
#define PCI_ROM_ADDRESS         0x30
#define PCI_CAPABILITY_LIST     0x34
#define PCI_INTERRUPT_LINE      0x3c
#define PCI_INTERRUPT_PIN       0x3d
#define PCI_MIN_GNT             0x3e
#define PCI_MAX_LAT             0x3f

/* Header type 1 (PCI-to-PCI Bridge Architecture 1.2, 3.2). */
#define PCI_PRIMARY_BUS         0x18
#define PCI_SECONDARY_BUS       0x19
#define PCI_SUBORDINATE_BUS     0x1a
#define PCI_SEC_LATENCY_TIMER   0x1b
#define PCI_IO_BASE             0x1c
#define PCI_IO_LIMIT            0x1d
#define PCI_SEC_STATUS          0x1e
#define PCI_MEMORY_BASE         0x20
#define PCI_MEMORY_LIMIT        0x22
#define PCI_PREF_MEMORY_BASE    0x24
#define PCI_PREF_MEMORY_LIMIT   0x26
#define PCI_PREF_BASE_UPPER32   0x28
#define PCI_PREF_LIMIT_UPPER32  0x2c
#define PCI_IO_BASE_UPPER16     0x30
#define PCI_IO_LIMIT_UPPER16    0x32
#define PCI_BRIDGE_ROM_ADDRESS  0x38
#define PCI_BRIDGE_CONTROL      0x3e
#define  PCI_BRIDGE_CTL_SERR    0x0002

/* Capability ids, PCI appendix H. */
#define PCI_CAP_ID_PM           0x01
#define PCI_CAP_ID_MSI          0x05
#define PCI_CAP_ID_VENDOR       0x09
#define PCI_CAP_ID_SSVID        0x0d
#define PCI_CAP_ID_EXP          0x10
#define PCI_CAP_ID_MSIX         0x11
#define PCI_CAP_ID_SATA         0x12

/* Power management (PCI PM 1.2, 3.2). */
#define PCI_PM_PMC              2
#define PCI_PM_CTRL             4
#define PCI_PM_SIZEOF           8

/* MSI, PCI 6.8.1. */
#define PCI_MSI_FLAGS           2
#define  PCI_MSI_FLAGS_ENABLE   0x0001
#define  PCI_MSI_FLAGS_64BIT    0x0080
#define  PCI_MSI_FLAGS_MASKBIT  0x0100
#define PCI_MSI_ADDRESS_LO      4
#define PCI_MSI_ADDRESS_HI      8

/* MSI-X, PCI 6.8.2. */
#define PCI_MSIX_FLAGS          2
#define  PCI_MSIX_FLAGS_SIZE    0x07ff
#define  PCI_MSIX_FLAGS_MASKALL 0x4000
#define  PCI_MSIX_FLAGS_ENABLE  0x8000
#define PCI_MSIX_TABLE          4
#define PCI_MSIX_PBA            8
#define PCI_MSIX_SIZEOF         12
#define PCI_MSIX_ENTRY_SIZE     16

/* Express capability, PCIe 7.5.3. */
#define PCI_EXP_FLAGS           0x02
#define PCI_EXP_DEVCAP          0x04
#define PCI_EXP_DEVCTL          0x08
#define PCI_EXP_DEVSTA          0x0a
#define PCI_EXP_LNKCAP          0x0c
#define PCI_EXP_LNKCTL          0x10
#define PCI_EXP_LNKSTA          0x12
#define PCI_EXP_SLTCAP          0x14
#define  PCI_EXP_SLTCAP_ABP     0x00000001
#define  PCI_EXP_SLTCAP_PCP     0x00000002
#define  PCI_EXP_SLTCAP_AIP     0x00000008
#define  PCI_EXP_SLTCAP_PIP     0x00000010
#define  PCI_EXP_SLTCAP_HPC     0x00000040
#define  PCI_EXP_SLTCAP_PSN     19
#define PCI_EXP_SLTCTL          0x18
#define  PCI_EXP_SLTCTL_EVENTS  0x000f  /* the same bits as in the status */
#define  PCI_EXP_SLTCTL_CCIE    0x0010
#define  PCI_EXP_SLTCTL_HPIE    0x0020
#define  PCI_EXP_SLTCTL_AIC     0x00c0
#define  PCI_EXP_SLTCTL_AIC_OFF 0x00c0
#define  PCI_EXP_SLTCTL_PIC     0x0300
#define  PCI_EXP_SLTCTL_PIC_ON  0x0100
#define  PCI_EXP_SLTCTL_PIC_BLINK 0x0200
#define  PCI_EXP_SLTCTL_PIC_OFF 0x0300
#define  PCI_EXP_SLTCTL_PCC     0x0400  /* set: power is off */
#define  PCI_EXP_SLTCTL_EIC     0x0800
#define  PCI_EXP_SLTCTL_DLLSCE  0x1000
#define PCI_EXP_SLTSTA          0x1a
#define  PCI_EXP_SLTSTA_ABP     0x0001
#define  PCI_EXP_SLTSTA_PFD     0x0002
#define  PCI_EXP_SLTSTA_MRLSC   0x0004
#define  PCI_EXP_SLTSTA_PDC     0x0008
#define  PCI_EXP_SLTSTA_CC      0x0010
#define  PCI_EXP_SLTSTA_PDS     0x0040
#define  PCI_EXP_SLTSTA_DLLSC   0x0100
#define PCI_EXP_RTCTL           0x1c
#define PCI_EXP_RTCAP           0x1e
#define PCI_EXP_RTSTA           0x20
#define PCI_EXP_DEVCAP2         0x24
#define PCI_EXP_DEVCTL2         0x28
#define PCI_EXP_LNKCAP2         0x2c
#define PCI_EXP_LNKCTL2         0x30
#define PCI_EXP_SIZEOF          0x3c
#define  PCI_EXP_FLAGS_SLOT     0x0100
#define  PCI_EXP_LNKCAP_DLLLARC 0x00100000
#define  PCI_EXP_LNKSTA_DLLLA   0x2000
/* Device/port type, PCIe 7.5.3.2. */
enum { PCI_EXP_ENDPOINT = 0, PCI_EXP_ROOT_PORT = 4, PCI_EXP_UPSTREAM = 5, PCI_EXP_DOWNSTREAM = 6,
       PCI_EXP_TO_PCI = 7, PCI_EXP_ROOT_ENDPOINT = 9 };

/* Extended capabilities, PCIe 7.6.3: id, version and next one in four bytes. */
#define PCI_EXT_CAP_FIRST       0x100
#define PCI_EXT_CAP_ID_AER      0x0001
#define PCI_EXT_CAP_ID_DSN      0x0003
#define PCI_EXT_CAP_ID_ACS      0x000d
#define PCI_EXT_CAP_ID_ARI      0x000e

/* Advanced error reporting, PCIe 7.8.4. */
#define PCI_ERR_UNCOR_STATUS    0x04
#define PCI_ERR_UNCOR_MASK      0x08
#define PCI_ERR_UNCOR_SEVERITY  0x0c
#define PCI_ERR_COR_STATUS      0x10
#define PCI_ERR_COR_MASK        0x14
#define  PCI_ERR_COR_ADVISORY   0x00002000
#define PCI_ERR_CAP             0x18
#define  PCI_ERR_CAP_FEP        0x0000001f  /* number of the error that the log is of */
#define  PCI_ERR_CAP_PREFIX     0x00000800  /* the log has a prefix */
#define PCI_ERR_HEADER_LOG      0x1c
#define PCI_ERR_ROOT_COMMAND    0x2c
#define PCI_ERR_ROOT_STATUS     0x30
#define PCI_ERR_ROOT_SOURCE     0x34
#define PCI_ERR_PREFIX_LOG      0x38
#define PCI_ERR_SIZEOF          0x48

#endif
