/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small driver of an AHCI port, through the qtest socket: lists and tables in guest memory, commands,
 * waiting. One port a driver; registers are named in hw/ide/ahci.h.
 */
#ifndef TESTS_LIB_AHCI_DRIVER_H
#define TESTS_LIB_AHCI_DRIVER_H

#include "hw/ide/ahci.h"
#include "tests/lib/qtest.h"

#define AHCI_BAR        0xe0000000u     /* where ahci_find() puts it */
#define AHCI_TABLE_SIZE 0x1000u         /* of a command table */

typedef struct AhciDriver {
    Test *t;
    QTest *q;
    unsigned bdf, port;
    uint64_t bar;
    uint64_t list, frames, tables, data;        /* guest memory; data: 1 MiB and more */
} AhciDriver;

typedef struct AhciCmd {
    uint8_t opcode, feature, hob_feature, device, control, pmp;
    uint64_t lba;
    uint16_t count;
    bool write, atapi, not_command;
    uint32_t flags;             /* more of the header's DW 0 */
    const uint8_t *packet;      /* 12 bytes */
    uint64_t buffer;            /* one region of @bytes; @prds replaces it */
    uint32_t bytes;
    const uint64_t (*prds)[2];  /* address, bytes */
    unsigned num_prds;
} AhciCmd;

/* The HBA at @bdf: its BAR 5 goes to AHCI_BAR (+ 64 KiB for each port number above), AE, IE. */
AhciDriver ahci_find(Test *t, QTest *q, unsigned bdf, unsigned port);
uint32_t ahci_hba(const AhciDriver *a, unsigned reg);
void ahci_set_hba(const AhciDriver *a, unsigned reg, uint32_t v);
uint32_t ahci_port(const AhciDriver *a, unsigned reg);
void ahci_set_port(const AhciDriver *a, unsigned reg, uint32_t v);
/* FRE, the link is up, ST. */
void ahci_start(const AhciDriver *a);
void ahci_stop(const AhciDriver *a);
/* Until (PxREG & mask) == want; fails the case when it doesn't come. */
void ahci_wait(const AhciDriver *a, unsigned reg, uint32_t mask, uint32_t want, const char *what);
void ahci_build(const AhciDriver *a, unsigned slot, const AhciCmd *c);
/* Build, issue, wait for CI (and SACT) to clear or an error; the task file. */
uint32_t ahci_run(const AhciDriver *a, unsigned slot, const AhciCmd *c);
/* A queued read or write of @count sectors: tag and SACT are set. */
AhciCmd ahci_queued(const AhciDriver *a, unsigned slot, bool write, uint64_t lba, uint16_t count,
                    uint64_t buffer);

/* An image of AHCI_SECTORS sectors whose bytes tell their place; freed with g_free(). */
#define AHCI_SECTORS    4096u
char *ahci_image(Test *t, const char *name);
uint8_t ahci_image_byte(unsigned sector, unsigned i);
/* @sectors from @lba on of such an image are in guest memory at @at. */
void ahci_check_data(const AhciDriver *a, uint64_t at, unsigned lba, unsigned sectors);
/* A PC with an HBA "ahci0" in slot 4 and such a disk, id hd, back end d, at its first port. @hba, @drive, @disk: more
 * options of -device ahci, -drive, -device ide-hd; more arguments may follow the last. */
QTest *ahci_disk_pc(Test *t, const char *hba, const char *drive, const char *disk);

#endif
