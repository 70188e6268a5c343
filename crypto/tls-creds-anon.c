/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tls-creds-anon: encryption without identities. TLS 1.3 has no such key exchange (RFC 8446). */
#include "util/osdep.h"
#include "config.h"
#ifdef CONFIG_GNUTLS
#include <gnutls/gnutls.h>
#include "crypto/tls-creds-int.h"

static TlsCredsData *anon_load(TlsCreds *c, Error **errp)
{
    int rc;

    if (c->endpoint == TLS_ENDPOINT_SERVER) {
        gnutls_anon_server_credentials_t creds;

        rc = gnutls_anon_allocate_server_credentials(&creds);
        if (rc == 0) {
            gnutls_anon_set_server_known_dh_params(creds, GNUTLS_SEC_PARAM_MEDIUM);
            return tls_creds_data_new(GNUTLS_CRD_ANON, creds);
        }
    } else {
        gnutls_anon_client_credentials_t creds;

        rc = gnutls_anon_allocate_client_credentials(&creds);
        if (rc == 0) {
            return tls_creds_data_new(-GNUTLS_CRD_ANON, creds);
        }
    }
    error_setf(errp, ERR_HOST, "tls-creds-anon: %s", gnutls_strerror(rc));
    return NULL;
}

static const TlsCredsKind anon_kind = {
    .priority = "-VERS-TLS1.3:+ANON-ECDH:+ANON-DH", .load = anon_load,
};

static const TypeInfo anon_type = {
    .name = "tls-creds-anon", .parent = TYPE_TLS_CREDS, .desc = "TLS without identities",
    .size = sizeof(TlsCreds), .user_creatable = true, .data = &anon_kind,
};
TYPE(anon_type)
#endif
