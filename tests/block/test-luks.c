/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LUKS volumes: random requests against a shadow; the distribution's qemu-img reads ours, and we its; wrong passwords, hostile headers. */
#include "util/osdep.h"
#include <sys/stat.h>
#include <unistd.h>
#include "crypto/kdf.h"
#include "crypto/sector-cipher.h"
#include "qobject/json.h"
#include "tests/lib/shadow.h"
#include "util/bswap.h"

static const struct Shape { const char *opts, *theirs; } shapes[] = {
    { "", "" },
    { ", 'cipher-alg': 'aes-128', 'ivgen-alg': 'plain'", ",cipher-alg=aes-128,ivgen-alg=plain" },
    { ", 'cipher-mode': 'cbc', 'ivgen-alg': 'essiv', 'hash-alg': 'sha1'",
      ",cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha256,hash-alg=sha1" },
    { ", 'cipher-alg': 'aes-128', 'cipher-mode': 'cbc', 'hash-alg': 'sha512'", ",cipher-alg=aes-128,cipher-mode=cbc,hash-alg=sha512" },
};
#define SIZE        (3 * MIB + 512)
#define OPEN        "'key-secret': 's0', 'cache.no-flush': true"

static char *path_of(Test *t, const char *name)
{
    return g_build_filename(test_tmpdir(t), name, NULL);
}

static bool make(Test *t, const char *path, const char *more)
{
    char *opts = g_strdup_printf("'key-secret': 's0', 'iter-time': 1%s", more);
    bool ok = image_create_format(t, path, "luks", SIZE, opts);

    g_free(opts);
    return ok;
}

/* RFC 7914, 11 (PBKDF2 with SHA-256); IEEE 1619-2007, annex B, vector 10 (XTS-AES-256, sector ffh). */
TEST(luks, primitives)
{
    static const uint8_t xts_key[64] = {
        0x27, 0x18, 0x28, 0x18, 0x28, 0x45, 0x90, 0x45, 0x23, 0x53, 0x60, 0x28, 0x74, 0x71, 0x35, 0x26,
        0x62, 0x49, 0x77, 0x57, 0x24, 0x70, 0x93, 0x69, 0x99, 0x59, 0x57, 0x49, 0x66, 0x96, 0x76, 0x27,
        0x31, 0x41, 0x59, 0x26, 0x53, 0x58, 0x97, 0x93, 0x23, 0x84, 0x62, 0x64, 0x33, 0x83, 0x27, 0x95,
        0x02, 0x88, 0x41, 0x97, 0x16, 0x93, 0x99, 0x37, 0x51, 0x05, 0x82, 0x09, 0x74, 0x94, 0x45, 0x92,
    };
    static const uint8_t xts_first[16] = { 0x1c, 0x3b, 0x3a, 0x10, 0x2f, 0x77, 0x03, 0x86, 0xe4, 0x83, 0x6c, 0x99, 0xe3, 0x70, 0xcf, 0x9b };
    static const uint8_t kdf[16] = { 0x55, 0xac, 0x04, 0x6e, 0x56, 0xe3, 0x08, 0x9f, 0xec, 0x16, 0x91, 0xc2, 0x25, 0x44, 0xb6, 0x05 };
    uint8_t out[64], sector[512];
    SectorCipher *c;

    kdf_pbkdf2("sha256", (const uint8_t *)"passwd", 6, (const uint8_t *)"salt", 4, 1, out, sizeof(out));
    check_true(t, !memcmp(out, kdf, sizeof(kdf)), "PBKDF2-HMAC-SHA-256");
    for (int i = 0; i < 512; i++) {
        sector[i] = i;
    }
    c = sector_cipher_new("aes", "xts-plain64", xts_key, sizeof(xts_key), NULL);
    if (check_true(t, c, "a cipher")) {
        sector_cipher_run(c, true, 0xff, sector, 512);
        check_true(t, !memcmp(sector, xts_first, sizeof(xts_first)), "XTS-AES-256");
        sector_cipher_run(c, false, 0xff, sector, 512);
        check_true(t, sector[1] == 1 && sector[511] == 0xff, "and back");
    }
    sector_cipher_free(c);
}

TEST(luks, random_requests)
{
    char *path = path_of(t, "v.luks"), *args, *out = NULL;

    printf("# timeout: 240\n");         /* ten seconds of work, most of it the distribution's program that measures itself */
    image_secrets();
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        Shadow s = { g_malloc0(SIZE), SIZE, g_rand_new_with_seed(i + 1) };
        BlockNode *n = make(t, path, shapes[i].opts) ? image_open(t, path, "luks", OPEN) : NULL;
        bool ok = n && image_write(n, 0, s.data, SIZE) == 0;

        for (int k = 0; ok && k < 60; k++) {
            ok = shadow_step(t, n, &s);
        }
        check_true(t, ok && shadow_read_all(t, n, &s, shapes[i].opts), "requests");
        block_node_unref(n);
        args = g_strdup_printf("%s.raw", path);
        g_file_set_contents(args, (char *)s.data, SIZE, NULL);
        out = g_strdup_printf("compare --object 'secret,id=s0,data=open sesame' --image-opts driver=raw,file.filename='%s' "
                              "driver=luks,key-secret=s0,file.filename='%s'", args, path);
        check_true(t, distribution_qemu_img(out, NULL) <= 0, "the distribution's qemu-img reads the same");
        g_free(out);
        out = g_strdup_printf("convert --object 'secret,id=s0,data=open sesame' -f raw -O luks -o key-secret=s0,iter-time=100%s '%s' '%s'",
                              shapes[i].theirs, args, path);
        if (distribution_qemu_img(out, NULL) == 0) {
            n = image_open(t, path, "luks", OPEN);
            check_true(t, n && shadow_read_all(t, n, &s, "a volume that it made"), "read");
            block_node_unref(n);
        }
        g_free(out);
        g_free(args);
        g_rand_free(s.rand);
        g_free(s.data);
    }
    g_free(path);
}

static char *open_error(const char *path, const char *secret)
{
    QDict *d = qdict_from_fmt("{'driver': 'luks', 'read-only': true, 'file': {'driver': 'file', 'filename': %s, 'locking': 'off'}}", path);

    if (secret) {
        qdict_put_str(d, "key-secret", secret);
    }
    return image_refusal(d);
}

TEST(luks, hostile)
{
    static const struct { const char *what, *secret; uint64_t offset; uint8_t bytes[8]; unsigned len; const char *text; } bad[] = {
        { "another password", "s1", 0, { 0 }, 0, "Invalid password" },
        { "no password", NULL, 0, { 0 }, 0, "key-secret" },
        { "a secret that there isn't", "s2", 0, { 0 }, 0, "s2" },
        { "no magic", "s0", 4, { 0 }, 1, "no LUKS volume" },
        { "version 2", "s0", 6, { 0, 2 }, 2, "byte 6" },
        { "a cipher that nobody knows", "s0", 8, "rot13", 6, "rot13" },
        { "a mode that nobody knows", "s0", 40, "cbc-tea", 8, "cbc-tea" },
        { "a hash that nobody knows", "s0", 72, "md1", 4, "byte 72" },
        { "names without an end", "s0", 72, { 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x' }, 8, "byte 72" },
        { "data past the end", "s0", 104, { 0x7f, 0, 0, 0 }, 4, "byte 104" },
        { "data in the header", "s0", 104, { 0 }, 4, "byte 104" },
        { "a key of 0 bytes", "s0", 108, { 0 }, 4, "byte 108" },
        { "a key of 4 GiB", "s0", 108, { 255, 255, 255, 255 }, 4, "byte 108" },
        { "a key of 17 bytes", "s0", 108, { 0, 0, 0, 17 }, 4, "key" },
        { "a digest by 4 G iterations", "s0", 164, { 255, 255, 255, 255 }, 4, "byte 164" },
        { "a slot with 4 G iterations", "s0", 212, { 255, 255, 255, 255 }, 4, "key slot 0" },
        { "a slot without iterations", "s0", 212, { 0 }, 4, "key slot 0" },
        { "key material past the data", "s0", 248, { 0x7f }, 4, "key slot 0" },
        { "4 G stripes", "s0", 252, { 255, 255, 255, 255 }, 4, "key slot 0" },
        { "no slot in use", "s0", 208, { 0, 0, 0xde, 0xad }, 4, "Invalid password" },
        { "another key's material", "s0", 4096, { 1, 2, 3, 4 }, 4, "Invalid password" },
    };
    char *path = path_of(t, "bad.luks");

    image_secrets();
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *text;

        if (!make(t, path, "")) {
            break;
        }
        image_patch(path, bad[i].offset, bad[i].bytes, bad[i].len);
        text = open_error(path, bad[i].secret);
        if (!text || !strstr(text, bad[i].text)) {
            test_fail(t, "%s: expected a message with '%s', got '%s'", bad[i].what, bad[i].text, text ? text : "(it was opened)");
        }
        g_free(text);
    }
    if (truncate(path, 100) < 0) {
        abort();
    }
    g_free(open_error(path, "s0"));
    g_free(path);
}

/* --- passwords that come and go --- */

/* @text: part of the error that is expected; NULL: none is. */
static void change(Test *t, BlockNode *n, bool force, const char *opts, const char *text)
{
    char *json = g_strdup_printf("{'driver': 'luks', %s}", opts);
    Error *err = NULL;
    bool ok;

    g_strdelimit(json, "'", '"');
    ok = image_amend(n, json_parse_dict(json, NULL), force, &err);
    if (ok != !text || (text && !strstr(error_message(err), text))) {
        test_fail(t, "%s: %s", opts, ok ? "done" : error_message(err));
    }
    error_free(err);
    g_free(json);
}

static void opens(Test *t, const char *path, const char *secret, bool expected)
{
    char *text = open_error(path, secret), *out = NULL;
    char *theirs = g_strdup_printf("compare -U --object 'secret,id=s0,data=open sesame' --object 'secret,id=s1,data=open barley' --image-opts "
                                   "driver=luks,key-secret=%s,file.filename='%s' driver=luks,key-secret=%s,file.filename='%s'", secret, path,
                                   secret, path);
    int status = distribution_qemu_img(theirs, &out);

    if (!text != expected || (status >= 0 && !status != expected)) {
        test_fail(t, "with %s: %s, the distribution's qemu-img: %d, %s", secret, text ? text : "it opens", status, out ? out : "");
    }
    g_free(out);
    g_free(theirs);
    g_free(text);
}

TEST(luks, passwords_come_and_go)
{
    char *path = path_of(t, "v.luks");
    uint8_t b[512];
    BlockNode *n;

    image_secrets();
    n = make(t, path, "") ? image_open(t, path, "luks", OPEN) : NULL;
    if (!check_true(t, n, "a volume")) {
        g_free(path);
        return;
    }
    memset(b, 0x5a, sizeof(b));
    check_int(t, image_write(n, 512, b, sizeof(b)), 0, "with something on it");
    change(t, n, false, "'state': 'active', 'new-secret': 's1', 'iter-time': 1", NULL);
    opens(t, path, "s0", true);
    opens(t, path, "s1", true);
    change(t, n, false, "'state': 'active', 'new-secret': 's1', 'iter-time': 1, 'keyslot': 7", NULL);
    change(t, n, false, "'state': 'active', 'new-secret': 's1', 'keyslot': 7", "in use");
    change(t, n, true, "'state': 'active', 'new-secret': 's0', 'secret': 's1', 'iter-time': 1, 'keyslot': 7", NULL);
    change(t, n, false, "'state': 'inactive', 'old-secret': 's1', 'keyslot': 7", "no key slot");
    change(t, n, false, "'state': 'inactive', 'keyslot': 7", NULL);
    change(t, n, false, "'state': 'inactive', 'keyslot': 7", "isn't active");
    change(t, n, false, "'state': 'inactive', 'old-secret': 's0'", NULL);
    opens(t, path, "s0", false);
    opens(t, path, "s1", true);
    change(t, n, false, "'state': 'active', 'new-secret': 's0', 'iter-time': 1", "Invalid password");
    change(t, n, false, "'state': 'inactive', 'old-secret': 's1'", "no password would be left");
    change(t, n, false, "'state': 'inactive', 'keyslot': 1", "no password would be left");
    change(t, n, false, "'state': 'inactive'", "'keyslot'");
    change(t, n, false, "'state': 'active'", "'new-secret'");
    change(t, n, false, "'state': 'active', 'new-secret': 's2'", "s2");
    change(t, n, false, "'state': 'active', 'new-secret': 's0', 'keyslot': 8", "0 to 7");
    change(t, n, false, "'state': 'active', 'new-secret': 's0', 'keyslot': -1", "0 to 7");
    change(t, n, false, "'state': 'active', 'new-secret': 's0', 'iter-time': 0", "iter-time");
    memset(b, 0, sizeof(b));
    check_true(t, image_read(n, 512, b, sizeof(b)) == 0 && b[0] == 0x5a && b[511] == 0x5a, "what is on it stays");
    change(t, n, true, "'state': 'inactive', 'old-secret': 's1'", NULL);
    opens(t, path, "s1", false);
    block_node_unref(n);
    g_free(path);
}

TEST(luks, facts)
{
    char *path = path_of(t, "v.luks"), *args = g_strdup_printf("--object 'secret,id=s0,data=open sesame' --image-opts "
                                                               "driver=luks,key-secret=s0,file.filename='%s'", path);

    image_secrets();
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        BlockNode *n = make(t, path, shapes[i].opts) ? image_open(t, path, "luks", OPEN) : NULL;

        image_must_have_facts(t, n, args, shapes[i].opts);
        block_node_unref(n);
    }
    g_free(args);
    g_free(path);
}

TEST(luks, preallocation)
{
    static const struct { const char *how; bool taken; } ways[] = { { "off", false }, { "falloc", true }, { "full", true } };
    char *path = path_of(t, "v.luks"), *opts;
    struct stat st;

    image_secrets();
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        unlink(path);
        opts = g_strdup_printf(", 'preallocation': '%s'", ways[i].how);
        check_true(t, make(t, path, opts) && stat(path, &st) == 0, "a volume");
        check_true(t, ((uint64_t)st.st_blocks * 512 >= SIZE) == ways[i].taken, ways[i].how);
        g_free(opts);
    }
    g_free(path);
}
