/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Security types: None, VNC Authentication (RFC 6143, 7.2), VeNCrypt and SASL (rfbproto.rst,
 * "Security Types").
 */
#include "util/osdep.h"
#include <sys/random.h>
#include <time.h>
#include "crypto/des.h"
#include "crypto/secret.h"
#include "ui/vnc/vnc-int.h"
#include "util/bswap.h"

enum { SECURITY_NONE = 1, SECURITY_VNC = 2, SECURITY_VENCRYPT = 19, SECURITY_SASL = 20 };
enum {
    SUB_TLS_NONE = 257, SUB_TLS_VNC, SUB_TLS_PLAIN, SUB_X509_NONE, SUB_X509_VNC, SUB_X509_PLAIN,
    SUB_TLS_SASL, SUB_X509_SASL,
};

#define NAME_MAX_BYTES      255
#define PASSWORD_MAX_BYTES  1024
#define CHALLENGE           16

/* What the client must do, once encryption is settled. */
static unsigned inner_type(const VncServer *s)
{
    return s->use_sasl ? SECURITY_SASL : s->use_password ? SECURITY_VNC : SECURITY_NONE;
}

/* TLS of a websocket lies below it, and needs no VeNCrypt. */
static bool uses_vencrypt(const VncServer *s, bool websocket)
{
    return s->tls && !websocket;
}

VncPrimaryAuth vnc_auth_primary(const VncServer *s, bool websocket)
{
    if (uses_vencrypt(s, websocket)) {
        return VNC_PRIMARY_AUTH_VENCRYPT;
    }
    return s->use_sasl ? VNC_PRIMARY_AUTH_SASL
         : s->use_password ? VNC_PRIMARY_AUTH_VNC : VNC_PRIMARY_AUTH_NONE;
}

bool vnc_auth_vencrypt(const VncServer *s, VncVencryptSubAuth *sub)
{
    static const VncVencryptSubAuth names[2][3] = {
        { VNC_VENCRYPT_SUB_AUTH_TLS_NONE, VNC_VENCRYPT_SUB_AUTH_TLS_VNC,
          VNC_VENCRYPT_SUB_AUTH_TLS_SASL },
        { VNC_VENCRYPT_SUB_AUTH_X509_NONE, VNC_VENCRYPT_SUB_AUTH_X509_VNC,
          VNC_VENCRYPT_SUB_AUTH_X509_SASL },
    };

    if (s->tls) {
        *sub = names[tls_creds_is_x509(s->tls)][s->use_sasl ? 2 : s->use_password ? 1 : 0];
    }
    return s->tls;
}

/* --- passwords --- */

static bool password_valid(const VncServer *s)
{
    return s->password && (s->expires_s == INT64_MAX || time(NULL) < s->expires_s);
}

/* In a time that doesn't tell where they differ. */
static bool same_bytes(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint8_t diff = 0;

    for (size_t i = 0; i < n; i++) {
        diff |= a[i] ^ b[i];
    }
    return diff == 0;
}

static bool coroutine_fn vnc_authentication(VncClient *c, bool *accepted, Error **errp)
{
    const VncServer *s = c->server;
    uint8_t challenge[CHALLENGE], response[CHALLENGE], expect[CHALLENGE], key[8] = { 0 };

    if (getrandom(challenge, sizeof(challenge), 0) != sizeof(challenge)) {
        error_set_errno(errp, errno, "no random numbers");
        return false;
    }
    vnc_put(c, challenge, sizeof(challenge));
    vnc_flush(c);
    if (!vnc_co_read(c, response, sizeof(response))) {
        return false;
    }
    if (!password_valid(s)) {
        return true;
    }
    for (unsigned i = 0; i < 8 && s->password[i]; i++) {
        uint8_t v = s->password[i];

        /* Each byte's bits are in reverse, unlike FIPS 46. */
        v = (v & 0xf0) >> 4 | (v & 0x0f) << 4;
        v = (v & 0xcc) >> 2 | (v & 0x33) << 2;
        key[i] = (v & 0xaa) >> 1 | (v & 0x55) << 1;
    }
    if (!des_ecb_encrypt(key, challenge, expect, sizeof(expect))) {
        error_setf(errp, ERR_NOT_SUPPORTED, "VNC passwords need Nettle, which this build is without");
        return false;
    }
    *accepted = same_bytes(expect, response, sizeof(expect));
    return true;
}

/* Any name, with the server's password. */
static bool coroutine_fn plain(VncClient *c, bool *accepted)
{
    char name[NAME_MAX_BYTES + 1], password[PASSWORD_MAX_BYTES + 1];
    const VncServer *s = c->server;
    uint32_t n, p;
    uint8_t b[8];

    if (!vnc_co_read(c, b, 8)) {
        return false;
    }
    n = load_be32(b);
    p = load_be32(b + 4);
    if (n > NAME_MAX_BYTES || p > PASSWORD_MAX_BYTES || !vnc_co_read(c, name, n) ||
        !vnc_co_read(c, password, p)) {
        return false;
    }
    *accepted = password_valid(s) && strlen(s->password) == p &&
                same_bytes((uint8_t *)s->password, (uint8_t *)password, p);
    explicit_bzero(password, sizeof(password));
    return true;
}

/* --- what is offered --- */

static bool coroutine_fn run_type(VncClient *c, unsigned type, bool *accepted, Error **errp)
{
    switch (type) {
    case SECURITY_NONE:
        *accepted = true;
        return true;
    case SECURITY_VNC:
        return vnc_authentication(c, accepted, errp);
    case SECURITY_SASL:
        return vnc_auth_sasl(c, accepted, errp);
    default:
        return false;
    }
}

static bool coroutine_fn vencrypt(VncClient *c, bool *accepted, Error **errp)
{
    bool x509 = tls_creds_is_x509(c->server->tls);
    uint32_t subs[2], chosen;
    unsigned n = 1;
    uint8_t b[4];

    vnc_put(c, "\0\2", 2);                      /* version 0.2 */
    vnc_flush(c);
    if (!vnc_co_read(c, b, 2)) {
        return false;
    }
    if (b[0] != 0 || b[1] != 2) {
        vnc_put_u8(c, 1);
        vnc_flush(c);
        error_setf(errp, ERR_PROTOCOL, "VeNCrypt version %u.%u; accepted: 0.2", b[0], b[1]);
        return false;
    }
    switch (inner_type(c->server)) {
    case SECURITY_SASL:
        subs[0] = x509 ? SUB_X509_SASL : SUB_TLS_SASL;
        break;
    case SECURITY_VNC:
        subs[0] = x509 ? SUB_X509_VNC : SUB_TLS_VNC;
        subs[1] = x509 ? SUB_X509_PLAIN : SUB_TLS_PLAIN;
        n = 2;
        break;
    default:
        subs[0] = x509 ? SUB_X509_NONE : SUB_TLS_NONE;
        break;
    }
    vnc_put_u8(c, 0);
    vnc_put_u8(c, n);
    for (unsigned i = 0; i < n; i++) {
        vnc_put_u32(c, subs[i]);
    }
    vnc_flush(c);
    if (!vnc_co_read(c, b, 4)) {
        return false;
    }
    chosen = load_be32(b);
    if (chosen != subs[0] && (n == 1 || chosen != subs[1])) {
        vnc_put_u8(c, 0);
        vnc_flush(c);
        error_setf(errp, ERR_PROTOCOL, "VeNCrypt subtype %u wasn't offered", chosen);
        return false;
    }
    vnc_put_u8(c, 1);
    vnc_flush(c);
    if (!vnc_co_tls(c, errp)) {
        return false;
    }
    return n == 2 && chosen == subs[1] ? plain(c, accepted)
                                       : run_type(c, inner_type(c->server), accepted, errp);
}

/* 7.1.3. With 3.8 a refusal has a reason. */
static void result(VncClient *c, bool accepted)
{
    static const char why[] = "Authentication failed";

    vnc_put_u32(c, !accepted);
    if (!accepted && c->minor >= 8) {
        vnc_put_u32(c, sizeof(why) - 1);
        vnc_put(c, why, sizeof(why) - 1);
    }
    vnc_flush(c);
}

bool coroutine_fn vnc_auth(VncClient *c, Error **errp)
{
    const VncServer *s = c->server;
    unsigned type = c->skip_auth ? SECURITY_NONE
                  : uses_vencrypt(s, c->websocket) ? SECURITY_VENCRYPT : inner_type(s);
    bool accepted = false;
    uint8_t chosen = type;

    if (c->minor == 3) {
        if (type > SECURITY_VNC) {              /* 7.1.2: the server can't ask for more */
            static const char why[] = "this server needs RFB 3.7 or later";

            vnc_put_u32(c, 0);
            vnc_put_u32(c, sizeof(why) - 1);
            vnc_put(c, why, sizeof(why) - 1);
            vnc_flush(c);
            error_setf(errp, ERR_PROTOCOL, "the client speaks RFB 3.3 only");
            return false;
        }
        vnc_put_u32(c, type);
        vnc_flush(c);
    } else {
        vnc_put_u8(c, 1);
        vnc_put_u8(c, type);
        vnc_flush(c);
        if (!vnc_co_read(c, &chosen, 1)) {
            return false;
        }
        if (chosen != type) {
            error_setf(errp, ERR_PROTOCOL, "security type %u wasn't offered", chosen);
            result(c, false);
            return false;
        }
    }
    if (type == SECURITY_VENCRYPT ? !vencrypt(c, &accepted, errp)
                                  : !run_type(c, type, &accepted, errp)) {
        return false;
    }
    if ((type != SECURITY_NONE || c->minor >= 8) && !c->result_sent) {
        result(c, accepted);
    }
    if (!accepted) {
        error_setf(errp, ERR_PERMISSION, "authentication failed");
    }
    return accepted;
}
