/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, attributes and results of memory accesses. */
#ifndef MEMORY_ATTRS_H
#define MEMORY_ATTRS_H

#include "util/osdep.h"

typedef uint64_t hwaddr;        /* an address in some address space */
typedef uint64_t ram_addr_t;    /* a byte of RAM, whichever block it is in */
#define RAM_ADDR_INVALID    UINT64_MAX

#define MEM_PAGE_BITS       12  /* granule of dirty tracking and mappings */
#define MEM_PAGE_SIZE       (UINT64_C(1) << MEM_PAGE_BITS)
#define MEM_PAGE_MASK       (~(MEM_PAGE_SIZE - 1))

/* Who accesses, and how; passed by value. */
typedef struct MemAttrs {
    uint16_t requester_id;      /* PCI: bus << 8 | devfn; else 0 */
    bool unspecified : 1;       /* the accessor has no attributes to tell */
    bool secure : 1;            /* ARM secure state; x86: in SMM */
    bool user : 1;              /* unprivileged */
    bool debug : 1;             /* monitor, gdb: without side effects */
    bool instruction : 1;       /* instruction fetch */
} MemAttrs;
#define MEM_ATTRS_NONE  ((MemAttrs){ .unspecified = true })
#define MEM_ATTRS_DEBUG ((MemAttrs){ .debug = true })

/* Bits: an access in several parts returns what any of them met. */
typedef enum MemResult {
    MEM_OK = 0,
    MEM_DECODE_ERROR = BIT(0),  /* nothing there, or not for this size */
    MEM_DEVICE_ERROR = BIT(1),  /* the device answered with an error */
    MEM_IOMMU_ERROR = BIT(2),   /* an IOMMU refused the access */
} MemResult;

typedef enum MemOrder { MEM_LE, MEM_BE } MemOrder;      /* byte order */

#ifdef __BYTE_ORDER__
#define MEM_HOST_ORDER \
    (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? MEM_BE : MEM_LE)
#endif

#endif
