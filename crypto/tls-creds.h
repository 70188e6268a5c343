/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS credentials: objects (-object tls-creds-x509, -anon, -psk) that hold what one end of TLS
 * connections proves itself with and how it checks the other. Servers and clients name them by
 * id. Big lock.
 */
#ifndef CRYPTO_TLS_CREDS_H
#define CRYPTO_TLS_CREDS_H

#include "qobject/error.h"
#include "qom/object.h"

#define TYPE_TLS_CREDS      "tls-creds"

typedef struct TlsCreds TlsCreds;

/* The object @id for that end of a connection, with a reference of the caller's
 * (object_unref()); NULL with errp set. */
TlsCreds *tls_creds_get(const char *id, bool server, Error **errp);
bool tls_creds_is_x509(const TlsCreds *c);
bool tls_creds_is_anon(const TlsCreds *c);
/* Read the files again; later sessions use them. On failure the old ones stay. */
bool tls_creds_reload(TlsCreds *c, Error **errp);

#endif
