/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "config.h"
#include "crypto/tls-session.h"
#ifdef CONFIG_GNUTLS
#include <glib.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sys/socket.h>
#include "crypto/authz.h"
#include "crypto/tls-creds-int.h"
#include "util/coroutine.h"
#include "util/main-loop.h"

struct TlsSession {
    TlsCreds *creds;            /* a reference */
    TlsCredsData *data;         /* a reference */
    gnutls_session_t gnutls;
    TlsCarrier carrier;
    int fd;
    bool server, done;
    char *hostname, *authz, *peer;
};

static ssize_t carrier_result(TlsSession *s, ssize_t n)
{
    if (n < 0) {
        gnutls_transport_set_errno(s->gnutls, errno == EWOULDBLOCK ? EAGAIN : errno);
    }
    return n;
}

static ssize_t pull(gnutls_transport_ptr_t p, void *buf, size_t len)
{
    TlsSession *s = p;

    return carrier_result(s, s->carrier.read(s->carrier.opaque, buf, len));
}

static ssize_t push(gnutls_transport_ptr_t p, const void *buf, size_t len)
{
    TlsSession *s = p;

    return carrier_result(s, s->carrier.write(s->carrier.opaque, buf, len));
}

static ssize_t fd_read(void *opaque, void *buf, size_t len)
{
    TlsSession *s = opaque;

    return recv(s->fd, buf, len, MSG_DONTWAIT);
}

static ssize_t fd_write(void *opaque, const void *buf, size_t len)
{
    TlsSession *s = opaque;

    return send(s->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

TlsSession *tls_session_new(TlsCreds *creds, const char *hostname, const char *authz,
                            const TlsCarrier *carrier, Error **errp)
{
    TlsSession *s = g_new0(TlsSession, 1);
    char *priority = tls_creds_priority(creds);
    int rc;

    s->server = creds->endpoint == TLS_ENDPOINT_SERVER;
    s->creds = object_ref(creds);
    s->data = tls_creds_data_of(creds);
    s->hostname = g_strdup(hostname);
    s->authz = g_strdup(authz);
    s->fd = -1;
    s->carrier = *carrier;
    rc = gnutls_init(&s->gnutls, (s->server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK |
                                 GNUTLS_NO_SIGNAL);
    if (rc == 0) {
        rc = gnutls_priority_set_direct(s->gnutls, priority, NULL);
    }
    if (rc == 0) {
        rc = gnutls_credentials_set(s->gnutls, abs(tls_creds_data_type(s->data)),
                                    tls_creds_data_handle(s->data));
    }
    g_free(priority);
    if (rc != 0) {
        error_setf(errp, ERR_HOST, "can't begin a TLS session: %s", gnutls_strerror(rc));
        tls_session_free(s);
        return NULL;
    }
    if (s->server && creds->verify_peer) {
        gnutls_certificate_server_set_request(s->gnutls, GNUTLS_CERT_REQUEST);
    }
    if (!s->server && hostname) {
        gnutls_server_name_set(s->gnutls, GNUTLS_NAME_DNS, hostname, strlen(hostname));
    }
    gnutls_transport_set_ptr(s->gnutls, s);
    gnutls_transport_set_pull_function(s->gnutls, pull);
    gnutls_transport_set_push_function(s->gnutls, push);
    return s;
}

TlsSession *tls_session_new_fd(TlsCreds *creds, const char *hostname, const char *authz, int fd,
                               Error **errp)
{
    TlsCarrier carrier = { fd_read, fd_write, NULL };
    TlsSession *s = tls_session_new(creds, hostname, authz, &carrier, errp);

    if (s) {
        s->fd = fd;
        s->carrier.opaque = s;
    }
    return s;
}

void tls_session_free(TlsSession *s)
{
    if (!s) {
        return;
    }
    if (s->gnutls) {
        gnutls_deinit(s->gnutls);
    }
    tls_creds_data_unref(s->data);
    object_unref(s->creds);
    g_free(s->hostname);
    g_free(s->authz);
    g_free(s->peer);
    g_free(s);
}

/* --- who is at the other end --- */

static bool read_peer_name(TlsSession *s, const gnutls_datum_t *der, Error **errp)
{
    gnutls_x509_crt_t cert;
    gnutls_datum_t dn = { NULL, 0 };
    int rc = gnutls_x509_crt_init(&cert);

    if (rc == 0) {
        rc = gnutls_x509_crt_import(cert, der, GNUTLS_X509_FMT_DER);
        if (rc == 0) {
            rc = gnutls_x509_crt_get_dn3(cert, &dn, 0);
        }
        if (rc == 0) {
            s->peer = g_strndup((char *)dn.data, dn.size);
            free(dn.data);      /* gnutls_free is a variable, which can't be loaded lazily */
            if (s->hostname && !gnutls_x509_crt_check_hostname(cert, s->hostname)) {
                error_setf(errp, ERR_PERMISSION, "the certificate isn't for the host '%s'",
                           s->hostname);
                gnutls_x509_crt_deinit(cert);
                return false;
            }
        }
        gnutls_x509_crt_deinit(cert);
    }
    if (rc != 0) {
        error_setf(errp, ERR_PERMISSION, "the peer's certificate can't be read: %s",
                   gnutls_strerror(rc));
    }
    return rc == 0;
}

static bool check_certificate(TlsSession *s, Error **errp)
{
    const gnutls_datum_t *certs;
    unsigned status = 0, n = 0;
    gnutls_datum_t text = { NULL, 0 };
    int rc;

    certs = gnutls_certificate_get_peers(s->gnutls, &n);
    if (!certs || n == 0) {
        error_setf(errp, ERR_PERMISSION, "the other end has shown no certificate");
        return false;
    }
    rc = gnutls_certificate_verify_peers2(s->gnutls, &status);
    if (rc < 0 || status) {
        if (rc == 0) {
            gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0);
        }
        error_setf(errp, ERR_PERMISSION, "the other end's certificate isn't trusted: %s",
                   rc < 0 ? gnutls_strerror(rc) : text.data ? (char *)text.data : "");
        free(text.data);
        return false;
    }
    return read_peer_name(s, &certs[0], errp);
}

static bool check_peer(TlsSession *s, Error **errp)
{
    bool allowed = false;

    if (tls_creds_data_type(s->data) != GNUTLS_CRD_CERTIFICATE || !s->creds->verify_peer) {
        return true;
    }
    if (!check_certificate(s, errp)) {
        return false;
    }
    if (s->authz) {
        if (!authz_allows(s->authz, s->peer, &allowed, errp)) {
            return false;
        }
        if (!allowed) {
            error_setf(errp, ERR_PERMISSION, "'%s' doesn't allow '%s'", s->authz, s->peer);
            return false;
        }
    }
    return true;
}

TlsProgress tls_handshake(TlsSession *s, Error **errp)
{
    int rc;

    if (s->done) {
        return TLS_DONE;
    }
    do {
        rc = gnutls_handshake(s->gnutls);
    } while (rc == GNUTLS_E_INTERRUPTED || rc == GNUTLS_E_WARNING_ALERT_RECEIVED);
    if (rc == GNUTLS_E_AGAIN) {
        return gnutls_record_get_direction(s->gnutls) ? TLS_WANT_WRITE : TLS_WANT_READ;
    }
    if (rc < 0) {
        error_setf(errp, ERR_PROTOCOL, "TLS handshake failed: %s", gnutls_strerror(rc));
        return TLS_FAILED;
    }
    if (!check_peer(s, errp)) {
        gnutls_alert_send(s->gnutls, GNUTLS_AL_FATAL, GNUTLS_A_ACCESS_DENIED);
        return TLS_FAILED;
    }
    s->done = true;
    return TLS_DONE;
}

bool coroutine_fn tls_handshake_co(TlsSession *s, int fd, Error **errp)
{
    for (;;) {
        TlsProgress p = tls_handshake(s, errp);

        if (p == TLS_DONE || p == TLS_FAILED) {
            return p == TLS_DONE;
        }
        co_wait_fd(fd, p == TLS_WANT_READ ? FD_READ : FD_WRITE);
    }
}

/* --- data --- */

static ssize_t to_errno(ssize_t n)
{
    if (n >= 0) {
        return n;
    }
    switch (n) {
    case GNUTLS_E_AGAIN:
        errno = EAGAIN;
        break;
    case GNUTLS_E_INTERRUPTED:
        errno = EINTR;
        break;
    case GNUTLS_E_PREMATURE_TERMINATION:
        errno = ECONNABORTED;
        break;
    default:
        errno = EIO;
        break;
    }
    return -1;
}

ssize_t tls_read(TlsSession *s, void *buf, size_t len)
{
    return to_errno(gnutls_record_recv(s->gnutls, buf, len));
}

ssize_t tls_write(TlsSession *s, const void *buf, size_t len)
{
    return to_errno(gnutls_record_send(s->gnutls, buf, len));
}

size_t tls_pending(const TlsSession *s)
{
    return gnutls_record_check_pending(s->gnutls);
}

void tls_bye(TlsSession *s)
{
    gnutls_bye(s->gnutls, GNUTLS_SHUT_WR);
}

const char *tls_peer_name(const TlsSession *s)
{
    return s->peer;
}

#else

TlsSession *tls_session_new(UNUSED TlsCreds *creds, UNUSED const char *hostname,
                            UNUSED const char *authz, UNUSED const TlsCarrier *carrier,
                            Error **errp)
{
    error_setf(errp, ERR_NOT_SUPPORTED, "TLS needs GnuTLS, which this build is without");
    return NULL;
}

TlsSession *tls_session_new_fd(TlsCreds *creds, const char *hostname, const char *authz,
                               UNUSED int fd, Error **errp)
{
    return tls_session_new(creds, hostname, authz, NULL, errp);
}

void tls_session_free(UNUSED TlsSession *s)
{
}

TlsProgress tls_handshake(UNUSED TlsSession *s, UNUSED Error **errp)
{
    return TLS_DONE;
}

bool coroutine_fn tls_handshake_co(UNUSED TlsSession *s, UNUSED int fd, UNUSED Error **errp)
{
    return true;
}

ssize_t tls_read(UNUSED TlsSession *s, UNUSED void *buf, UNUSED size_t len)
{
    return 0;
}

ssize_t tls_write(UNUSED TlsSession *s, UNUSED const void *buf, UNUSED size_t len)
{
    errno = EPIPE;
    return -1;
}

size_t tls_pending(UNUSED const TlsSession *s)
{
    return 0;
}

void tls_bye(UNUSED TlsSession *s)
{
}

const char *tls_peer_name(UNUSED const TlsSession *s)
{
    return NULL;
}
#endif
