/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the kinds of credentials and the session. */
#ifndef CRYPTO_TLS_CREDS_INT_H
#define CRYPTO_TLS_CREDS_INT_H

#include "crypto/tls-creds.h"
#include "util/thread.h"

enum { TLS_ENDPOINT_CLIENT, TLS_ENDPOINT_SERVER };

/* What GnuTLS was given; sessions hold it while a reload makes another. */
typedef struct TlsCredsData TlsCredsData;

struct TlsCreds {
    Object parent;
    char *dir, *priority;
    int endpoint;
    bool verify_peer, loaded;
    Mutex lock;
    TlsCredsData *data;         /* lock: a reference of ours; NULL until complete */
};
DEFINE_CAST(TLS_CREDS, TlsCreds, TYPE_TLS_CREDS)

/* What a kind adds; TypeInfo.data of its type. */
typedef struct TlsCredsKind {
    const char *priority;       /* appended to GnuTLS's, or NULL */
    /* New data, or NULL with errp set. */
    TlsCredsData *(*load)(TlsCreds *c, Error **errp);
} TlsCredsKind;

/* TlsCredsData wraps one of GnuTLS's credentials, of that gnutls_credentials_type_t. */
TlsCredsData *tls_creds_data_new(int type, void *creds);
int tls_creds_data_type(const TlsCredsData *d);
void *tls_creds_data_handle(const TlsCredsData *d);
/* A reference to what @c has now. Any thread: sessions begin in several, a reload may come between. */
TlsCredsData *tls_creds_data_of(TlsCreds *c);
void tls_creds_data_unref(TlsCredsData *d);     /* NULL is allowed */

/* Path of a file in the credentials' folder, if it is there: else NULL, with errp set if
 * @needed. Freed by the caller. */
char *tls_creds_file(const TlsCreds *c, const char *name, bool needed, Error **errp);
/* The priority string for a session; freed by the caller. */
char *tls_creds_priority(const TlsCreds *c);
bool tls_creds_complete(Object *obj, Error **errp);

#endif
