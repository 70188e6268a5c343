/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables as firmware gets them: read from fw_cfg, linked by the loader's
 * commands, and checked. ACPI_DUMP=DIR keeps the tables for iasl -d.
 */
#include "util/osdep.h"

#include <glib.h>
#include "tests/lib/qtest.h"
#include "util/bswap.h"

#define BASE    0x7f00000u          /* where we pretend to put the tables */

static uint8_t *read_fw_cfg(QTest *q, unsigned key, size_t len)
{
    uint8_t *buf = g_malloc(len + 1);

    qtest_outw(q, 0x510, (uint16_t)key);
    for (size_t i = 0; i < len; i++) {
        buf[i] = qtest_inb(q, 0x511);
    }
    return buf;
}

static uint8_t *read_file(QTest *q, const char *name, size_t *len)
{
    g_autofree uint8_t *head = read_fw_cfg(q, 0x19, 4);
    unsigned n = load_be32(head);
    g_autofree uint8_t *dir = read_fw_cfg(q, 0x19, 4 + n * 64);

    for (unsigned i = 0; i < n; i++) {
        const uint8_t *e = dir + 4 + i * 64;

        if (!strcmp((const char *)e + 8, name)) {
            *len = load_be32(e);
            return read_fw_cfg(q, load_be16(e + 4), *len);
        }
    }
    *len = 0;
    return NULL;
}

typedef struct Loaded {
    uint8_t *tables, *rsdp;
    size_t tables_len, rsdp_len;
} Loaded;

static uint8_t *file_data(Loaded *l, const char *name, size_t *len)
{
    *len = strstr(name, "rsdp") ? l->rsdp_len : l->tables_len;
    return strstr(name, "rsdp") ? l->rsdp : l->tables;
}

/* What firmware does with etc/table-loader. */
static void link_tables(Test *t, Loaded *l, const uint8_t *script, size_t len)
{
    for (size_t at = 0; at + 128 <= len; at += 128) {
        const uint8_t *c = script + at;
        size_t n;
        uint8_t *d = file_data(l, (const char *)c + 4, &n);

        switch (load_le32(c)) {
        case 2: {
            uint32_t off = load_le32(c + 116);
            unsigned size = c[120];

            if (check_true(t, off + size <= n && size <= 8, "pointer lies in its file")) {
                store_le(d + off, size, load_le(d + off, size) + BASE);
            }
            break;
        }
        case 3: {
            uint32_t off = load_le32(c + 60), start = load_le32(c + 64), sum_len = load_le32(c + 68);
            uint8_t sum = 0;

            if (check_true(t, off < n && start + sum_len <= n, "sum lies in its file")) {
                d[off] = 0;
                for (uint32_t i = 0; i < sum_len; i++) {
                    sum += d[start + i];
                }
                d[off] = (uint8_t)-sum;
            }
            break;
        }
        }
    }
}

static const uint8_t *find_table(const Loaded *l, const char *sig, uint32_t *len)
{
    uint32_t rsdt = load_le32(l->rsdp + 16) - BASE;
    uint32_t n = (load_le32(l->tables + rsdt + 4) - 36) / 4;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = load_le32(l->tables + rsdt + 36 + 4 * i) - BASE;

        if (!memcmp(l->tables + at, sig, 4)) {
            *len = load_le32(l->tables + at + 4);
            return l->tables + at;
        }
    }
    return NULL;
}

static void dump(const char *name, const void *data, size_t len)
{
    const char *dir = g_getenv("ACPI_DUMP");

    if (dir) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        g_file_set_contents(path, data, (gssize)len, NULL);
    }
}

TEST(acpi, tables_link_and_sum)
{
    QTest *q = qtest_start(t, "-machine pc -m 128 -smp 2");
    g_autofree uint8_t *script = NULL;
    const uint8_t *fadt, *madt, *dsdt, *hpet;
    uint32_t len = 0;
    size_t n = 0;
    Loaded l = { 0 };

    qpci_writel(q, 0x0b, 0x40, 0x601);          /* as firmware places the ports */
    qpci_writeb(q, 0x0b, 0x80, 1);
    l.tables = read_file(q, "etc/acpi/tables", &l.tables_len);
    l.rsdp = read_file(q, "etc/acpi/rsdp", &l.rsdp_len);
    script = read_file(q, "etc/table-loader", &n);
    if (!check_true(t, l.tables && l.rsdp && script, "the three files exist")) {
        return;
    }
    link_tables(t, &l, script, n);
    check_mem(t, l.rsdp, "RSD PTR ", 8, "signature of the RSDP (ACPI 5.2.5.3)");
    fadt = find_table(&l, "FACP", &len);
    check_u32(t, len, 244, "a revision 3 FADT has 244 bytes (ACPI 3.0, 5.2.9)");
    check_u32(t, load_le32(fadt + 56), 0x600, "PM1a_EVT_BLK is where firmware put it");
    check_u32(t, load_le32(fadt + 76), 0x608, "PM_TMR_BLK follows");
    check_u32(t, load_le32(fadt + 208 + 4), 0x608, "X_PM_TMR_BLK is the same");
    check_u32(t, load_le32(fadt + 36) % 64, 0, "the FACS is aligned to 64 bytes (5.2.10)");
    dsdt = l.tables + load_le32(fadt + 40) - BASE;
    check_mem(t, dsdt, "DSDT", 4, "the FADT points to the DSDT");
    dump("dsdt.dat", dsdt, load_le32(dsdt + 4));
    dump("facp.dat", fadt, len);
    madt = find_table(&l, "APIC", &len);
    check_u32(t, load_le32(madt + 36), 0xfee00000, "local APIC address (5.2.12)");
    check_u8(t, madt[44], 0, "first entry is a local APIC");
    check_u8(t, madt[52 + 3], 1, "the second processor's id");
    dump("apic.dat", madt, len);
    hpet = find_table(&l, "HPET", &len);
    if (hpet) {
        dump("hpet.dat", hpet, len);
    }
    g_free(l.tables);
    g_free(l.rsdp);
}

/* -numa: four CPUs and 6 GiB in two nodes, the second's part of it below the hole. */
TEST(acpi, numa)
{
    QTest *q = qtest_start(t, "-machine pc -m 6G -smp 4,sockets=2,cores=2"
        " -object memory-backend-ram,id=a,size=2G -object memory-backend-ram,id=b,size=4G"
        " -numa node,memdev=a,cpus=0,cpus=2 -numa node,memdev=b,cpus=1,cpus=3"
        " -numa dist,src=0,dst=1,val=31");
    static const uint8_t distances[] = { 10, 31, 31, 10 };
    const uint8_t *srat, *slit;
    g_autofree uint8_t *script = NULL;
    uint32_t len = 0;
    uint64_t sum[2] = { 0 };
    unsigned cpus = 0;
    size_t n = 0;
    Loaded l = { 0 };

    l.tables = read_file(q, "etc/acpi/tables", &l.tables_len);
    l.rsdp = read_file(q, "etc/acpi/rsdp", &l.rsdp_len);
    script = read_file(q, "etc/table-loader", &n);
    link_tables(t, &l, script, n);
    srat = find_table(&l, "SRAT", &len);
    if (check_true(t, srat, "a SRAT")) {
        for (uint32_t at = 48; at < len; at += srat[at + 1]) {
            if (srat[at] == 0) {
                check_u8(t, srat[at + 2], cpus & 1, "the CPU's node");
                check_u8(t, srat[at + 3], cpus++, "its APIC");
            } else {
                uint64_t base = load_le64(srat + at + 8), size = load_le64(srat + at + 16);

                sum[load_le32(srat + at + 2) & 1] += size;
                check_true(t, base + size <= UINT64_C(0xe0000000) || base >= 4 * GIB,
                           "not in the hole");
            }
        }
        check_int(t, cpus, 4, "all CPUs");
        check_true(t, sum[0] == 2 * GIB && sum[1] == 4 * GIB, "all memory");
    }
    slit = find_table(&l, "SLIT", &len);
    if (check_true(t, slit, "a SLIT")) {
        check_u64(t, load_le64(slit + 36), 2, "nodes");
        check_mem(t, slit + 44, distances, 4, "distances, the same both ways");
    }
    qtest_writel(q, 0x7fffffff, 0x12345678);    /* across the back ends */
    check_u32(t, qtest_readl(q, 0x7fffffff), 0x12345678, "one RAM");
    qtest_writel(q, 0x100000000, 0x55);
    check_u32(t, qtest_readl(q, 0x100000000), 0x55, "above 4 GiB");
    g_free(l.tables);
    g_free(l.rsdp);
}

/* What AML tells of a device by name: "PNP" and @id, first port and interrupt. */
static void check_isa(Test *t, const uint8_t *dsdt, uint32_t len, const char *name, uint16_t id, uint16_t port,
                      unsigned irq)
{
    /* A DWordPrefix, and EISA's compressed text (ACPI 6.1.5). */
    const uint8_t hid[] = { 0x0c, 0x41, 0xd0, (uint8_t)(id >> 8), (uint8_t)id };
    const uint8_t *at = memmem(dsdt, len, name, 4), *r;

    if (!check_true(t, at && at + 100 < dsdt + len, name)) {
        return;
    }
    check_true(t, memmem(at, 24, hid, sizeof(hid)), "its id");
    r = memmem(at, 60, (const uint8_t[]){ 0x47, 0x01, (uint8_t)port, (uint8_t)(port >> 8) }, 4);
    check_true(t, r, "its ports (ACPI 6.4.2.5)");
    check_true(t, r && load_le16(r + 9) == BIT(irq), "its interrupt (ACPI 6.4.2.1)");
}

/* Serial and parallel ports, of the board and others. */
TEST(acpi, ports)
{
    QTest *q = qtest_start(t, "-machine pc -m 128 -serial null -parallel null -chardev null,id=s -chardev null,id=p"
                           " -device isa-serial,chardev=s,iobase=0x2e8,irq=5"
                           " -device isa-parallel,chardev=p,iobase=0x3bc,irq=9");
    g_autofree uint8_t *script = NULL;
    const uint8_t *fadt, *dsdt;
    uint32_t len = 0;
    size_t n = 0;
    Loaded l = { 0 };

    l.tables = read_file(q, "etc/acpi/tables", &l.tables_len);
    l.rsdp = read_file(q, "etc/acpi/rsdp", &l.rsdp_len);
    script = read_file(q, "etc/table-loader", &n);
    link_tables(t, &l, script, n);
    fadt = find_table(&l, "FACP", &len);
    dsdt = l.tables + load_le32(fadt + 40) - BASE;
    len = load_le32(dsdt + 4);
    check_isa(t, dsdt, len, "COM1", 0x0501, 0x3f8, 4);
    check_isa(t, dsdt, len, "COM2", 0x0501, 0x2e8, 5);
    check_isa(t, dsdt, len, "LPT1", 0x0400, 0x378, 7);
    check_isa(t, dsdt, len, "LPT2", 0x0400, 0x3bc, 9);
    check_true(t, !memmem(dsdt, len, "COM3", 4) && !memmem(dsdt, len, "LPT3", 4), "no others");
    g_free(l.tables);
    g_free(l.rsdp);
}

TEST(acpi, off)
{
    QTest *q = qtest_start(t, "-machine pc,acpi=off");
    size_t n;

    check_true(t, !read_file(q, "etc/table-loader", &n), "acpi=off: no tables");
    check_u32(t, qpci_readl(q, 0x0b, 0), UINT32_MAX, "acpi=off: no power management function");
}
