/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secrets, authorization by name, DES. */
#include "util/osdep.h"
#include "config.h"
#include <glib.h>
#include "crypto/authz.h"
#include "crypto/des.h"
#include "crypto/secret.h"
#include "qom/object.h"
#include "qobject/json.h"
#include "tests/lib/test.h"
#include "util/main-loop.h"

static bool make(Test *t, const char *type, const char *id, const char *json, const char *error)
{
    char *text = g_strdelimit(g_strdup(json), "'", '"');
    QDict *props = json_parse_dict(text, NULL);
    Error *err = NULL;
    bool ok = user_object_new(type, id, props, true, &err);

    qobject_unref(props);
    g_free(text);
    if (error) {
        check_true(t, !ok, json);
        check_true(t, err && strstr(error_message(err), error), err ? error_message(err) : json);
    } else {
        check_true(t, ok, err ? error_message(err) : json);
    }
    error_free(err);
    return ok;
}

static void drop(const char *id)
{
    user_object_delete(id, NULL);
}

TEST(secret, data_and_formats)
{
    char *text;

    main_loop_init();
    make(t, "secret", "a", "{'data': 'letmein'}", NULL);
    make(t, "secret", "b", "{'data': 'bGV0bWVpbg==', 'format': 'base64'}", NULL);
    text = secret_text("a", NULL);
    check_str(t, text, "letmein", "raw");
    g_free(text);
    text = secret_text("b", NULL);
    check_str(t, text, "letmein", "base64");
    g_free(text);
    check_true(t, !secret_text("none", NULL), "no such secret");
    make(t, "secret", "c", "{'data': '!!!', 'format': 'base64'}", "isn't base64");
    make(t, "secret", "c", "{}", "exactly one");
    make(t, "secret", "c", "{'data': 'x', 'file': 'y'}", "exactly one");
    make(t, "secret", "c", "{'file': '/nonexistent/x'}", "can't read");
    make(t, "secret", "c", "{'data': 'AP8=', 'format': 'base64'}", NULL);
    check_true(t, !secret_text("c", NULL), "a NUL inside is no text");
    drop("a");
    drop("b");
    drop("c");
}

TEST(secret, from_file)
{
    char *path = g_build_filename(test_tmpdir(t), "pw", NULL);
    char *json = g_strdup_printf("{'file': '%s'}", path), *text;

    main_loop_init();
    g_file_set_contents(path, "from a file", -1, NULL);
    make(t, "secret", "f", json, NULL);
    text = secret_text("f", NULL);
    check_str(t, text, "from a file", "read once");
    g_free(text);
    drop("f");
    g_free(json);
    g_free(path);
}

/* Made with: openssl enc -aes-256-cbc -a -K 000102..1f -iv 00..0f */
TEST(secret, encrypted)
{
#ifdef CONFIG_GNUTLS
    char *text;

    main_loop_init();
    make(t, "secret", "key", "{'data': 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=', "
                             "'format': 'base64'}", NULL);
    make(t, "secret", "e", "{'data': 'SI4JuWqmJF8bjD9IJ662eg==', 'format': 'base64', "
                           "'keyid': 'key', 'iv': 'AAECAwQFBgcICQoLDA0ODw=='}", NULL);
    text = secret_text("e", NULL);
    check_str(t, text, "letmein", "AES-256-CBC");
    g_free(text);
    make(t, "secret", "w", "{'data': 'SI4JuWqmJF8bjD9IJ662eg==', 'format': 'base64', "
                           "'keyid': 'key', 'iv': 'AAECAwQFBgcICQoLDA0ODg=='}", "padding");
    make(t, "secret", "w", "{'data': 'SI4JuWqmJF8bjD9IJ662', 'format': 'base64', "
                           "'keyid': 'key', 'iv': 'AAECAwQFBgcICQoLDA0ODw=='}", "multiple of 16");
    make(t, "secret", "w", "{'data': 'SI4JuWqmJF8bjD9IJ662eg==', 'format': 'base64', "
                           "'keyid': 'key'}", "needs 'iv'");
    make(t, "secret", "w", "{'data': 'SI4JuWqmJF8bjD9IJ662eg==', 'format': 'base64', "
                           "'keyid': 'other', 'iv': 'AAECAwQFBgcICQoLDA0ODw=='}", "no secret");
    drop("e");
    drop("key");
#else
    test_skip(t, "this build has no GnuTLS");
#endif
}

static bool allows(const char *id, const char *name)
{
    bool yes = false;

    return authz_allows(id, name, &yes, NULL) && yes;
}

TEST(authz, simple_and_list)
{
    main_loop_init();
    make(t, "authz-simple", "s", "{'identity': 'CN=fred'}", NULL);
    check_true(t, allows("s", "CN=fred") && !allows("s", "CN=bob"), "one name");
    make(t, "authz-list", "l",
         "{'policy': 'deny', 'rules': [{'match': 'bob', 'policy': 'deny'},"
         " {'match': 'b*', 'policy': 'allow', 'format': 'glob'}]}", NULL);
    check_true(t, !allows("l", "bob"), "the first rule that matches decides");
    check_true(t, allows("l", "bert"), "glob");
    check_true(t, !allows("l", "fred"), "the policy for the rest");
    make(t, "authz-list", "x", "{'rules': [{'match': 'bob'}]}", "rule 0");
    make(t, "authz-list", "x", "{'rules': [7]}", "rule 0");
    check_true(t, !allows("nobody", "bob"), "no such object");
    drop("s");
    drop("l");
}

/* FIPS 81's example, first block. */
TEST(des, block)
{
    static const uint8_t key[8] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
    static const uint8_t cipher[8] = { 0x3f, 0xa4, 0x0e, 0x8a, 0x98, 0x4d, 0x48, 0x15 };
    uint8_t out[8];

    if (!des_ecb_encrypt(key, (const uint8_t *)"Now is t", out, 8)) {
        test_skip(t, "this build has no Nettle");
        return;
    }
    check_mem(t, out, cipher, 8, "\"Now is t\"");
}
