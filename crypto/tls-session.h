/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TLS connection over any byte stream that never blocks: a socket, or something between. Reads
 * and writes are as those of a non-blocking socket; from coroutines use the _co forms, with
 * watched descriptors call tls_handshake() until it is done. One thread at a time.
 */
#ifndef CRYPTO_TLS_SESSION_H
#define CRYPTO_TLS_SESSION_H

#include <sys/types.h>
#include "crypto/tls-creds.h"

typedef struct TlsSession TlsSession;

/* What carries the encrypted bytes. As read() and write(): a count, 0 at the end of the stream, or
 * -1 with errno (EAGAIN: later). */
typedef struct TlsCarrier {
    ssize_t (*read)(void *opaque, void *buf, size_t len);
    ssize_t (*write)(void *opaque, const void *buf, size_t len);
    void *opaque;
} TlsCarrier;

/*
 * @creds is held by reference. @hostname: a client's, checked against the server's certificate;
 * may be NULL. @authz: a server's, id of the object that must allow the client's name; may be
 * NULL. NULL with errp set.
 */
TlsSession *tls_session_new(TlsCreds *creds, const char *hostname, const char *authz,
                            const TlsCarrier *carrier, Error **errp);
/* The same on a non-blocking socket, which stays the caller's. */
TlsSession *tls_session_new_fd(TlsCreds *creds, const char *hostname, const char *authz, int fd,
                               Error **errp);
void tls_session_free(TlsSession *s);           /* NULL is allowed */

typedef enum TlsProgress {
    TLS_DONE, TLS_WANT_READ, TLS_WANT_WRITE, TLS_FAILED,
} TlsProgress;

/* Go on with the handshake. TLS_DONE: the other end is checked as the credentials say.
 * TLS_FAILED: errp is set. */
TlsProgress tls_handshake(TlsSession *s, Error **errp);
/* The whole of it; waits at @fd. */
bool coroutine_fn tls_handshake_co(TlsSession *s, int fd, Error **errp);

/* As TlsCarrier's. A stream that is cut without a proper end: -1 with ECONNABORTED. */
ssize_t tls_read(TlsSession *s, void *buf, size_t len);
ssize_t tls_write(TlsSession *s, const void *buf, size_t len);
/* Decrypted bytes that wait: the descriptor won't tell of them. */
size_t tls_pending(const TlsSession *s);
/* Tell the other end that no more comes. */
void tls_bye(TlsSession *s);
/* Distinguished name in the other end's certificate, or NULL; lent. */
const char *tls_peer_name(const TlsSession *s);

#endif
