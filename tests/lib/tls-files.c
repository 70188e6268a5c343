/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "config.h"
#include "tests/lib/tls-files.h"
#ifdef CONFIG_GNUTLS
#include <glib.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

typedef struct Pair {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t cert;
} Pair;

static void save(const char *dir, const char *name, gnutls_datum_t d)
{
    char *path = g_build_filename(dir, name, NULL);

    g_file_set_contents(path, (char *)d.data, d.size, NULL);
    gnutls_free(d.data);
    g_free(path);
}

static void save_pair(const char *dir, const char *name, const Pair *p, bool with_key)
{
    gnutls_datum_t d;
    char *file = g_strconcat(name, "-cert.pem", NULL);

    gnutls_x509_crt_export2(p->cert, GNUTLS_X509_FMT_PEM, &d);
    save(dir, file, d);
    g_free(file);
    if (with_key) {
        file = g_strconcat(name, "-key.pem", NULL);
        gnutls_x509_privkey_export2(p->key, GNUTLS_X509_FMT_PEM, &d);
        save(dir, file, d);
        g_free(file);
    }
}

/* @signer NULL: by itself, an authority. */
static void make(Pair *p, const Pair *signer, const char *cn, const char *purpose, int serial,
                 bool expired)
{
    static const char org[] = "Tests";
    time_t now = time(NULL);
    uint8_t number = serial;

    gnutls_x509_privkey_init(&p->key);
    gnutls_x509_privkey_generate(p->key, GNUTLS_PK_ECDSA,
                                 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    gnutls_x509_crt_init(&p->cert);
    gnutls_x509_crt_set_version(p->cert, 3);
    gnutls_x509_crt_set_serial(p->cert, &number, 1);
    gnutls_x509_crt_set_dn_by_oid(p->cert, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, org,
                                  sizeof(org) - 1);
    gnutls_x509_crt_set_dn_by_oid(p->cert, GNUTLS_OID_X520_COMMON_NAME, 0, cn, strlen(cn));
    gnutls_x509_crt_set_activation_time(p->cert, now - 7200);
    gnutls_x509_crt_set_expiration_time(p->cert, expired ? now - 3600 : now + 86400);
    gnutls_x509_crt_set_key(p->cert, p->key);
    gnutls_x509_crt_set_basic_constraints(p->cert, !signer, -1);
    gnutls_x509_crt_set_key_usage(p->cert, signer ? GNUTLS_KEY_DIGITAL_SIGNATURE
                                                  : GNUTLS_KEY_KEY_CERT_SIGN);
    if (purpose) {
        gnutls_x509_crt_set_key_purpose_oid(p->cert, purpose, 0);
        gnutls_x509_crt_set_subject_alt_name(p->cert, GNUTLS_SAN_DNSNAME, "localhost", 9,
                                             GNUTLS_FSAN_SET);
    }
    signer = signer ? signer : p;
    gnutls_x509_crt_sign2(p->cert, signer->cert, signer->key, GNUTLS_DIG_SHA256, 0);
}

static void end(Pair *p)
{
    gnutls_x509_crt_deinit(p->cert);
    gnutls_x509_privkey_deinit(p->key);
}

bool tls_files_make(const char *dir)
{
    static const char psk[] = "viewer:00112233445566778899aabbccddeeff\n";
    Pair ca, server, client;
    char *path = g_build_filename(dir, "keys.psk", NULL);

    make(&ca, NULL, "authority", NULL, 1, false);
    make(&server, &ca, "localhost", GNUTLS_KP_TLS_WWW_SERVER, 2, false);
    make(&client, &ca, "viewer", GNUTLS_KP_TLS_WWW_CLIENT, 3, false);
    save_pair(dir, "ca", &ca, true);
    save_pair(dir, "server", &server, true);
    save_pair(dir, "client", &client, true);
    g_file_set_contents(path, psk, -1, NULL);
    g_free(path);
    end(&ca);
    end(&server);
    end(&client);
    return true;
}

bool tls_files_spoil(const char *dir, bool expired)
{
    Pair ca, server;

    make(&ca, NULL, "another authority", NULL, 9, false);
    make(&server, &ca, "localhost", GNUTLS_KP_TLS_WWW_SERVER, 4, expired);
    save_pair(dir, "server", &server, true);
    end(&ca);
    end(&server);
    return true;
}
#else
bool tls_files_make(UNUSED const char *dir)
{
    return false;
}

bool tls_files_spoil(UNUSED const char *dir, UNUSED bool expired)
{
    return false;
}
#endif
