/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line gives firmware: -smbios, -fw_cfg, -boot, as the guest reads them. */
#include "util/osdep.h"

#include <glib.h>
#include "tests/lib/qtest.h"
#include "util/bswap.h"

/* The content of a fw_cfg file; NULL: there is none. */
static uint8_t *read_file(QTest *q, const char *name, uint32_t *len)
{
    uint8_t e[64], n[4];
    uint16_t key = 0;

    qtest_outw(q, 0x510, 0x19);
    for (unsigned i = 0; i < 4; i++) {
        n[i] = qtest_inb(q, 0x511);
    }
    for (uint32_t k = 0; k < load_be32(n) && !key; k++) {
        for (unsigned i = 0; i < sizeof(e); i++) {
            e[i] = qtest_inb(q, 0x511);
        }
        if (!strcmp((char *)e + 8, name)) {
            key = load_be16(e + 4);
            *len = load_be32(e);
        }
    }
    if (!key) {
        return NULL;
    }
    uint8_t *data = g_malloc0(*len + 1);
    qtest_outw(q, 0x510, key);
    for (uint32_t i = 0; i < *len; i++) {
        data[i] = qtest_inb(q, 0x511);
    }
    return data;
}

/* The nth structure of a type (SM 6.1.2); NULL: there is none. */
static const uint8_t *find(const uint8_t *tables, uint32_t len, uint8_t type)
{
    for (uint32_t at = 0; at + 4 < len; ) {
        uint32_t next = at + tables[at + 1];

        if (tables[at] == type) {
            return tables + at;
        }
        while (next + 1 < len && (tables[next] || tables[next + 1])) {
            next++;
        }
        at = next + 2;
    }
    return NULL;
}

/* The string whose number is at this offset; "" without one. */
static const char *text(const uint8_t *s, unsigned off)
{
    const char *p = s ? (const char *)s + s[1] : "";

    for (unsigned n = s ? s[off] : 0; n > 1; n--) {
        p += strlen(p) + 1;
    }
    return s && s[off] ? p : "";
}

TEST(smbios, fields)
{
    QTest *q = qtest_start(t, "-machine pc -m 64 -nodefaults"
        " -smbios type=0,vendor=V0,version=1.0,date=01/02/2030,release=3.4,uefi=on"
        " -smbios type=1,manufacturer=M1,product=P1,serial=S1,sku=K1,family=F1"
        " -smbios type=1,product=P1b,uuid=00112233-4455-6677-8899-aabbccddeeff"
        " -smbios type=2,manufacturer=M2,location=L2,asset=A2 -smbios type=3,sku=K3,asset=A3"
        " -smbios type=4,sock_pfx=Socket,part=T4,max-speed=4000,processor-id=0x1122334455667788"
        " -smbios type=11,value=one,value=two -smbios type=11,value=three"
        " -smbios type=17,loc_pfx=Slot,bank=B17,speed=2666");
    static const uint8_t uuid[] = { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99,
                                    0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
    static const struct { uint8_t type, off; const char *want; } cases[] = {
        { 0, 0x04, "V0" }, { 0, 0x05, "1.0" }, { 0, 0x08, "01/02/2030" }, { 1, 0x04, "M1" },
        { 1, 0x05, "P1b" }, { 1, 0x07, "S1" }, { 1, 0x19, "K1" }, { 1, 0x1a, "F1" },
        { 2, 0x04, "M2" }, { 2, 0x08, "A2" }, { 2, 0x0a, "L2" }, { 3, 0x08, "A3" }, { 3, 0x15, "K3" },
        { 4, 0x04, "Socket 0" }, { 4, 0x22, "T4" }, { 17, 0x10, "Slot 0" }, { 17, 0x11, "B17" },
    };
    uint32_t len = 0;
    g_autofree uint8_t *all = read_file(q, "etc/smbios/smbios-tables", &len);
    const uint8_t *s;

    if (!check_true(t, all, "the tables")) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        check_str(t, text(find(all, len, cases[i].type), cases[i].off), cases[i].want, "field");
    }
    s = find(all, len, 0);
    check_true(t, s && s[0x14] == 3 && s[0x15] == 4 && s[0x13] & 8, "release 3.4, UEFI");
    s = find(all, len, 1);
    check_true(t, s && !memcmp(s + 8, uuid, 16), "its UUID, three fields turned round");
    s = find(all, len, 4);
    check_true(t, s && load_le64(s + 8) == UINT64_C(0x1122334455667788) && load_le16(s + 0x14) == 4000,
               "id and speed");
    s = find(all, len, 11);
    check_true(t, s && s[4] == 3 && !strcmp((const char *)s + 5, "one"), "three texts");
    s = find(all, len, 17);
    check_true(t, s && load_le16(s + 0x15) == 2666, "speed");
}

TEST(smbios, file)
{
    static const uint8_t own[] = { 1, 8, 0x34, 0x12, 0xaa, 0xbb, 0xcc, 0xdd, 'h', 'i', 0, 0 };
    g_autofree char *path = g_strdup_printf("%s/own", test_tmpdir(t));
    uint32_t len = 0;

    g_file_set_contents(path, (const char *)own, sizeof(own), NULL);
    QTest *q = qtest_start(t, "-machine pc -m 64 -nodefaults -smbios file=%s", path);
    g_autofree uint8_t *all = read_file(q, "etc/smbios/smbios-tables", &len);
    const uint8_t *s = all ? find(all, len, 1) : NULL;

    check_true(t, s == all && s && !memcmp(s, own, sizeof(own)), "it replaces ours");
    check_true(t, s && !find(s + sizeof(own), len - sizeof(own), 1), "which isn't there");
}

TEST(fw_cfg, files_of_the_user)
{
    g_autofree char *path = g_strdup_printf("%s/own", test_tmpdir(t));
    uint32_t len = 0;

    g_file_set_contents(path, "a\0b", 3, NULL);
    QTest *q = qtest_start(t, "-machine pc -m 64 -nodefaults -fw_cfg name=opt/org/a,string=hello"
                              " -fw_cfg opt/org/b,file=%s", path);
    g_autofree uint8_t *a = read_file(q, "opt/org/a", &len);
    check_true(t, a && len == 5 && !memcmp(a, "hello", 5), "a text, without a zero");
    g_autofree uint8_t *b = read_file(q, "opt/org/b", &len);
    check_true(t, b && len == 3 && !memcmp(b, "a\0b", 3), "a file's bytes");
}

static uint8_t cmos(QTest *q, uint8_t reg)
{
    qtest_outb(q, 0x70, reg);
    return qtest_inb(q, 0x71);
}

/* c, d, n are 2, 3, 4 (82077 boot codes of the CMOS). */
TEST(boot, once_and_splash)
{
    g_autofree char *path = g_strdup_printf("%s/splash", test_tmpdir(t));
    uint32_t len = 0;

    g_file_set_contents(path, "\xff\xd8\xff\xe0", 4, NULL);
    QTest *q = qtest_start_qmp(t, "-machine pc -m 64 -nodefaults -boot order=cd,once=n,menu=on,"
                                  "splash=%s,splash-time=1234,reboot-timeout=4321", path);
    g_autofree uint8_t *splash = read_file(q, "bootsplash.jpg", &len);
    check_true(t, splash && len == 4, "the picture");
    g_autofree uint8_t *wait = read_file(q, "etc/boot-menu-wait", &len);
    check_true(t, wait && len == 2 && load_le16(wait) == 1234, "how long");
    g_autofree uint8_t *fail = read_file(q, "etc/boot-fail-wait", &len);
    check_true(t, fail && len == 4 && load_le32(fail) == 4321, "until the next try");
    check_u8(t, cmos(q, 0x3d), 0x04, "the network, once");
    qmp_cmd_ok(qtest_qmp(q), "system_reset", NULL, NULL);
    while (cmos(q, 0x3d) == 0x04) {
    }
    check_u8(t, cmos(q, 0x3d), 0x32, "then disk and CD");
}
