/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls-creds-psk: a key that both ends know (RFC 4279). The file keys.psk has a line
 * "NAME:KEY IN HEX" for each name, as psktool writes it.
 */
#include "util/osdep.h"
#include "config.h"
#ifdef CONFIG_GNUTLS
#include <glib.h>
#include <gnutls/gnutls.h>
#include "crypto/secret.h"
#include "crypto/tls-creds-int.h"

typedef struct TlsCredsPsk {
    TlsCreds parent;
    char *username;
} TlsCredsPsk;
DEFINE_CAST(TLS_CREDS_PSK, TlsCredsPsk, "tls-creds-psk")

static char *find_key(const char *path, const char *name, Error **errp)
{
    char *text = NULL, *key = NULL;
    gsize len = 0;
    size_t n = strlen(name);

    if (!g_file_get_contents(path, &text, &len, NULL)) {
        error_set_errno(errp, errno, "tls-creds-psk: can't read '%s'", path);
        return NULL;
    }
    for (char *save = NULL, *line = strtok_r(text, "\r\n", &save); line && !key;
         line = strtok_r(NULL, "\r\n", &save)) {
        if (strncmp(line, name, n) == 0 && line[n] == ':') {
            key = g_strdup(line + n + 1);
        }
    }
    secret_free(text, len);
    if (!key) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "tls-creds-psk: '%s' has no key for '%s'", path,
                   name);
    }
    return key;
}

static TlsCredsData *load_client(TlsCreds *c, const char *path, Error **errp)
{
    TlsCredsPsk *p = TLS_CREDS_PSK(c);
    const char *name = p->username ? p->username : "qemu";
    gnutls_psk_client_credentials_t creds;
    char *key = find_key(path, name, errp);
    gnutls_datum_t datum = { (unsigned char *)key, key ? strlen(key) : 0 };
    int rc;

    if (!key) {
        return NULL;
    }
    rc = gnutls_psk_allocate_client_credentials(&creds);
    if (rc == 0) {
        rc = gnutls_psk_set_client_credentials(creds, name, &datum, GNUTLS_PSK_KEY_HEX);
        if (rc == 0) {
            secret_free(key, datum.size);
            return tls_creds_data_new(-GNUTLS_CRD_PSK, creds);
        }
        gnutls_psk_free_client_credentials(creds);
    }
    secret_free(key, datum.size);
    error_setf(errp, ERR_INVALID_ARGUMENT, "tls-creds-psk: the key of '%s' in '%s': %s", name, path,
               gnutls_strerror(rc));
    return NULL;
}

static TlsCredsData *load_server(const char *path, Error **errp)
{
    gnutls_psk_server_credentials_t creds;
    int rc = gnutls_psk_allocate_server_credentials(&creds);

    if (rc == 0) {
        rc = gnutls_psk_set_server_credentials_file(creds, path);
        if (rc == 0) {
            gnutls_psk_set_server_known_dh_params(creds, GNUTLS_SEC_PARAM_MEDIUM);
            return tls_creds_data_new(GNUTLS_CRD_PSK, creds);
        }
        gnutls_psk_free_server_credentials(creds);
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "tls-creds-psk: '%s': %s", path, gnutls_strerror(rc));
    return NULL;
}

static TlsCredsData *psk_load(TlsCreds *c, Error **errp)
{
    char *path = tls_creds_file(c, "keys.psk", true, errp);
    TlsCredsData *d = NULL;

    if (path) {
        d = c->endpoint == TLS_ENDPOINT_SERVER ? load_server(path, errp)
                                               : load_client(c, path, errp);
        g_free(path);
    }
    return d;
}

static const TlsCredsKind psk_kind = {
    .priority = "+ECDHE-PSK:+DHE-PSK:+PSK", .load = psk_load,
};

static const Property psk_props[] = {
    PROP_STR("username", TlsCredsPsk, username, NULL, "a client's name; default qemu"),
    PROP_END
};

static const TypeInfo psk_type = {
    .name = "tls-creds-psk", .parent = TYPE_TLS_CREDS, .desc = "TLS with a key known to both ends",
    .size = sizeof(TlsCredsPsk), .user_creatable = true, .props = psk_props, .data = &psk_kind,
};
TYPE(psk_type)
#endif
