/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/ahci-driver.h"

#include <glib.h>
#include "util/bswap.h"

#define MEMORY          0x100000u       /* of the first port's structures */
#define PORT_MEMORY     0x200000u

AhciDriver ahci_find(Test *t, QTest *q, unsigned bdf, unsigned port)
{
    uint64_t at = MEMORY + port * PORT_MEMORY;
    AhciDriver a = { .t = t, .q = q, .bdf = bdf, .port = port, .bar = AHCI_BAR + (bdf << 16),
                     .list = at, .frames = at + 0x1000, .tables = at + 0x2000, .data = at + 0x80000 };

    qpci_map(q, bdf, 5, a.bar);
    ahci_set_hba(&a, HBA_GHC, GHC_AE | GHC_IE);
    return a;
}

uint32_t ahci_hba(const AhciDriver *a, unsigned reg)
{
    return qtest_readl(a->q, a->bar + reg);
}

void ahci_set_hba(const AhciDriver *a, unsigned reg, uint32_t v)
{
    qtest_writel(a->q, a->bar + reg, v);
}

uint32_t ahci_port(const AhciDriver *a, unsigned reg)
{
    return qtest_readl(a->q, a->bar + HBA_PORTS + a->port * HBA_PORT_SIZE + reg);
}

void ahci_set_port(const AhciDriver *a, unsigned reg, uint32_t v)
{
    qtest_writel(a->q, a->bar + HBA_PORTS + a->port * HBA_PORT_SIZE + reg, v);
}

/* Each question lets the emulator's loop go round; the harness has the limit. */
void ahci_wait(const AhciDriver *a, unsigned reg, uint32_t mask, uint32_t want, UNUSED const char *what)
{
    while ((ahci_port(a, reg) & mask) != want) {
        g_usleep(100);
    }
}

void ahci_stop(const AhciDriver *a)
{
    ahci_set_port(a, PORT_CMD, ahci_port(a, PORT_CMD) & ~CMD_ST);
    ahci_wait(a, PORT_CMD, CMD_CR, 0, "the list stops");
}

void ahci_start(const AhciDriver *a)
{
    qtest_memset(a->q, a->list, 0, 0x2000);
    ahci_set_port(a, PORT_CLB, a->list);
    ahci_set_port(a, PORT_CLBU, a->list >> 32);
    ahci_set_port(a, PORT_FB, a->frames);
    ahci_set_port(a, PORT_FBU, a->frames >> 32);
    ahci_set_port(a, PORT_CMD, ahci_port(a, PORT_CMD) | CMD_FRE | CMD_SUD);
    ahci_wait(a, PORT_SSTS, 0xf, 3, "the link is up");
    if (ahci_port(a, PORT_TFD) == 0x7f) {       /* a multiplier that has no drive at its first port */
        ahci_set_port(a, PORT_CMD, ahci_port(a, PORT_CMD) | CMD_CLO);
    }
    ahci_wait(a, PORT_TFD, 0x88, 0, "the drive is ready");
    ahci_set_port(a, PORT_SERR, UINT32_MAX);
    ahci_set_port(a, PORT_IS, UINT32_MAX);
    ahci_set_hba(a, HBA_IS, UINT32_MAX);
    ahci_set_port(a, PORT_IE, UINT32_MAX);
    ahci_set_port(a, PORT_CMD, ahci_port(a, PORT_CMD) | CMD_ST);
}

void ahci_build(const AhciDriver *a, unsigned slot, const AhciCmd *c)
{
    uint64_t table = a->tables + slot * AHCI_TABLE_SIZE;
    unsigned prds = c->prds ? c->num_prds : c->bytes ? 1 : 0;
    uint8_t h[32] = { 0 }, f[64] = { 0 }, prd[16] = { 0 };

    store_le32(h, 5 | c->flags | (c->write ? BIT(6) : 0) | (c->atapi ? BIT(5) : 0) |
                  (uint32_t)c->pmp << 12 | prds << 16);
    store_le32(h + 8, table);
    store_le32(h + 12, table >> 32);
    qtest_write(a->q, a->list + slot * 32, h, sizeof(h));

    f[0] = 0x27;
    f[1] = (c->not_command ? 0 : 0x80) | c->pmp;
    f[2] = c->opcode;
    f[3] = c->feature;
    for (int i = 0; i < 3; i++) {
        f[4 + i] = c->lba >> 8 * i;
        f[8 + i] = c->lba >> (24 + 8 * i);
    }
    f[7] = c->device;
    f[11] = c->hob_feature;
    store_le16(f + 12, c->count);
    f[15] = c->control;
    qtest_write(a->q, table, f, sizeof(f));
    if (c->packet) {
        qtest_write(a->q, table + 0x40, c->packet, 12);
    }
    for (unsigned i = 0; i < prds; i++) {
        uint64_t addr = c->prds ? c->prds[i][0] : c->buffer;
        uint32_t bytes = c->prds ? c->prds[i][1] : c->bytes;

        store_le64(prd, addr);
        store_le32(prd + 12, (bytes & ~BIT(31)) - 1);
        qtest_write(a->q, table + 0x80 + i * 16, prd, sizeof(prd));
    }
}

uint32_t ahci_run(const AhciDriver *a, unsigned slot, const AhciCmd *c)
{
    ahci_build(a, slot, c);
    if (c->opcode >= 0x60 && c->opcode <= 0x65) {
        ahci_set_port(a, PORT_SACT, BIT(slot));
    }
    ahci_set_port(a, PORT_CI, BIT(slot));
    while ((ahci_port(a, PORT_CI) | ahci_port(a, PORT_SACT)) & BIT(slot) &&
           !(ahci_port(a, PORT_IS) & (PIS_TFES | PIS_HBFS | PIS_IFS | PIS_OFS))) {
        g_usleep(100);
    }
    return ahci_port(a, PORT_TFD);
}

AhciCmd ahci_queued(const AhciDriver *a, unsigned slot, bool write, uint64_t lba, uint16_t count,
                    uint64_t buffer)
{
    (void)a;
    return (AhciCmd){ .opcode = write ? 0x61 : 0x60, .feature = count, .hob_feature = count >> 8,
                      .count = slot << 3, .lba = lba, .device = 0x40, .write = write, .buffer = buffer,
                      .bytes = (count ? count : 65536) * 512 };
}

uint8_t ahci_image_byte(unsigned sector, unsigned i)
{
    unsigned at = sector * 512 + i;

    return at / 512 + at * 7;
}

char *ahci_image(Test *t, const char *name)
{
    char *path = g_strdup_printf("%s/%s", test_tmpdir(t), name);
    g_autofree uint8_t *data = g_malloc(AHCI_SECTORS * 512);

    for (unsigned i = 0; i < AHCI_SECTORS * 512; i++) {
        data[i] = ahci_image_byte(i / 512, i % 512);
    }
    check_true(t, g_file_set_contents(path, (char *)data, AHCI_SECTORS * 512, NULL), "the image");
    return path;
}

void ahci_check_data(const AhciDriver *a, uint64_t at, unsigned lba, unsigned sectors)
{
    g_autofree uint8_t *b = g_malloc(sectors * 512);

    qtest_read(a->q, at, b, sectors * 512);
    for (unsigned i = 0; i < sectors * 512; i++) {
        if (b[i] != ahci_image_byte(lba + i / 512, i % 512)) {
            test_fail(a->t, "byte %u of sector %u is 0x%02x", i % 512, lba + i / 512, b[i]);
            return;
        }
    }
}

QTest *ahci_disk_pc(Test *t, const char *hba, const char *drive, const char *disk)
{
    g_autofree char *path = ahci_image(t, "disk.img");

    return qtest_start_qmp(t, "-machine pc -m 64 -nodefaults -object iothread,id=io "
                              "-device ahci,id=ahci0,addr=4%s -drive file=%s,format=raw,if=none,id=d%s "
                              "-device ide-hd,id=hd,drive=d,bus=ahci0.0%s", hba, path, drive, disk);
}
