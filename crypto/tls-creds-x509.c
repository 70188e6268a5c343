/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls-creds-x509: certificates (RFC 5280). In the folder: ca-cert.pem, ca-crl.pem (may be
 * missing), server-cert.pem and server-key.pem, or client-cert.pem and client-key.pem (a client
 * may be without). Errors of the files are told when the object is made, not when a client comes.
 */
#include "util/osdep.h"
#include "config.h"
#ifdef CONFIG_GNUTLS
#include <glib.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include "crypto/secret.h"
#include "crypto/tls-creds-int.h"

#define CERTS_MAX   16

typedef struct TlsCredsX509 {
    TlsCreds parent;
    bool sanity_check;
    char *passwordid;
} TlsCredsX509;
DEFINE_CAST(TLS_CREDS_X509, TlsCredsX509, "tls-creds-x509")

typedef struct CertList {
    gnutls_x509_crt_t certs[CERTS_MAX];
    unsigned n;
} CertList;

static void free_certs(CertList *l)
{
    for (unsigned i = 0; i < l->n; i++) {
        gnutls_x509_crt_deinit(l->certs[i]);
    }
    l->n = 0;
}

static bool read_certs(const char *path, CertList *l, Error **errp)
{
    gnutls_datum_t data;
    gsize len;
    char *text;
    int rc;

    if (!g_file_get_contents(path, &text, &len, NULL)) {
        error_set_errno(errp, errno, "tls-creds-x509: can't read '%s'", path);
        return false;
    }
    data = (gnutls_datum_t){ (unsigned char *)text, len };
    l->n = CERTS_MAX;
    rc = gnutls_x509_crt_list_import(l->certs, &l->n, &data, GNUTLS_X509_FMT_PEM, 0);
    g_free(text);
    if (rc < 0) {
        l->n = 0;
        error_setf(errp, ERR_FILE_FORMAT, "tls-creds-x509: '%s' has no certificate: %s", path,
                   gnutls_strerror(rc));
        return false;
    }
    return true;
}

static bool check_times(gnutls_x509_crt_t cert, const char *path, Error **errp)
{
    time_t now = time(NULL);

    if (gnutls_x509_crt_get_expiration_time(cert) < now) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "tls-creds-x509: '%s' has expired", path);
        return false;
    }
    if (gnutls_x509_crt_get_activation_time(cert) > now) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "tls-creds-x509: '%s' isn't valid yet", path);
        return false;
    }
    return true;
}

/* RFC 5280, 4.2.1.9: an authority says so. */
static bool check_authority(const CertList *l, const char *path, Error **errp)
{
    for (unsigned i = 0; i < l->n; i++) {
        unsigned critical;

        if (!check_times(l->certs[i], path, errp)) {
            return false;
        }
        if (gnutls_x509_crt_get_basic_constraints(l->certs[i], &critical, NULL, NULL) <= 0) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "tls-creds-x509: '%s' isn't an authority's: "
                       "its basic constraints don't say CA", path);
            return false;
        }
    }
    return true;
}

/* RFC 5280, 4.2.1.12: if purposes are listed, ours is among them. */
static bool check_purpose(gnutls_x509_crt_t cert, const char *path, bool server, Error **errp)
{
    const char *want = server ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT;
    bool any = false;

    for (unsigned i = 0; i < 32; i++) {
        char oid[128];
        size_t size = sizeof(oid);
        unsigned critical;

        if (gnutls_x509_crt_get_key_purpose_oid(cert, i, oid, &size, &critical) < 0) {
            break;
        }
        if (strcmp(oid, want) == 0 || strcmp(oid, GNUTLS_KP_ANY) == 0) {
            return true;
        }
        any = true;
    }
    if (any) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "tls-creds-x509: '%s' isn't for a TLS %s", path,
                   server ? "server" : "client");
    }
    return !any;
}

static bool check_signed(const CertList *own, const CertList *ca, const char *path, Error **errp)
{
    unsigned status = 0;
    int rc = gnutls_x509_crt_list_verify(own->certs, own->n, ca->certs, ca->n, NULL, 0, 0, &status);

    if (rc < 0 || status) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "tls-creds-x509: '%s' doesn't agree with the "
                   "authority in ca-cert.pem%s%s", path,
                   status & GNUTLS_CERT_SIGNER_NOT_FOUND ? ": it isn't signed by it" : "",
                   status & GNUTLS_CERT_INSECURE_ALGORITHM ? ": its algorithm is insecure" : "");
        return false;
    }
    return true;
}

static bool sane(TlsCreds *c, const char *ca_path, const char *cert_path, Error **errp)
{
    CertList ca = { .n = 0 }, own = { .n = 0 };
    bool server = c->endpoint == TLS_ENDPOINT_SERVER;
    bool ok = read_certs(ca_path, &ca, errp) && check_authority(&ca, ca_path, errp) &&
              (!cert_path ||
               (read_certs(cert_path, &own, errp) && check_times(own.certs[0], cert_path, errp) &&
                check_purpose(own.certs[0], cert_path, server, errp) &&
                check_signed(&own, &ca, cert_path, errp)));

    free_certs(&ca);
    free_certs(&own);
    return ok;
}

static bool set_files(TlsCreds *c, gnutls_certificate_credentials_t creds, const char *ca,
                      const char *crl, const char *cert, const char *key, Error **errp)
{
    const char *passwordid = TLS_CREDS_X509(c)->passwordid;
    char *password = NULL;
    int rc = gnutls_certificate_set_x509_trust_file(creds, ca, GNUTLS_X509_FMT_PEM);

    if (rc < 0) {
        error_setf(errp, ERR_FILE_FORMAT, "tls-creds-x509: '%s': %s", ca, gnutls_strerror(rc));
        return false;
    }
    if (cert && key) {
        if (passwordid) {
            password = secret_text(passwordid, errp);
            if (!password) {
                return false;
            }
        }
        rc = gnutls_certificate_set_x509_key_file2(creds, cert, key, GNUTLS_X509_FMT_PEM, password,
                                                   0);
        secret_free(password, password ? strlen(password) : 0);
        if (rc < 0) {
            error_setf(errp, ERR_FILE_FORMAT, "tls-creds-x509: '%s' with '%s': %s", cert, key,
                       gnutls_strerror(rc));
            return false;
        }
    }
    if (crl) {
        rc = gnutls_certificate_set_x509_crl_file(creds, crl, GNUTLS_X509_FMT_PEM);
        if (rc < 0) {
            error_setf(errp, ERR_FILE_FORMAT, "tls-creds-x509: '%s': %s", crl, gnutls_strerror(rc));
            return false;
        }
    }
    return true;
}

static TlsCredsData *x509_load(TlsCreds *c, Error **errp)
{
    bool server = c->endpoint == TLS_ENDPOINT_SERVER;
    gnutls_certificate_credentials_t creds;
    TlsCredsData *d = NULL;
    char *ca = tls_creds_file(c, "ca-cert.pem", true, errp), *crl = NULL, *cert = NULL,
         *key = NULL;

    if (!ca) {
        return NULL;
    }
    cert = tls_creds_file(c, server ? "server-cert.pem" : "client-cert.pem", server, errp);
    key = cert ? tls_creds_file(c, server ? "server-key.pem" : "client-key.pem", true, errp) : NULL;
    if ((server && !cert) || (cert && !key) ||
        (TLS_CREDS_X509(c)->sanity_check && !sane(c, ca, cert, errp))) {
        goto out;
    }
    crl = tls_creds_file(c, "ca-crl.pem", false, NULL);
    if (gnutls_certificate_allocate_credentials(&creds) < 0) {
        error_setf(errp, ERR_HOST, "tls-creds-x509: no memory");
        goto out;
    }
    if (set_files(c, creds, ca, crl, cert, key, errp)) {
        gnutls_certificate_set_known_dh_params(creds, GNUTLS_SEC_PARAM_MEDIUM);
        d = tls_creds_data_new(GNUTLS_CRD_CERTIFICATE, creds);
    } else {
        gnutls_certificate_free_credentials(creds);
    }
out:
    g_free(ca);
    g_free(crl);
    g_free(cert);
    g_free(key);
    return d;
}

static const TlsCredsKind x509_kind = { .load = x509_load };

static const Property x509_props[] = {
    PROP_BOOL("sanity-check", TlsCredsX509, sanity_check, true,
              "check the certificates when they are read"),
    PROP_STR("passwordid", TlsCredsX509, passwordid, NULL,
             "the secret that the key file is encrypted with"),
    PROP_END
};

static const TypeInfo x509_type = {
    .name = "tls-creds-x509", .parent = TYPE_TLS_CREDS, .desc = "TLS with certificates",
    .size = sizeof(TlsCredsX509), .user_creatable = true, .props = x509_props, .data = &x509_kind,
};
TYPE(x509_type)
#endif
