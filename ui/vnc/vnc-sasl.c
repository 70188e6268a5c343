/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SASL (RFC 4422) as a security type (rfbproto.rst, "SASL"), by Cyrus' library; its settings are
 * those of the application "qemu". Without TLS below, mechanisms must bring encryption.
 */
#include "util/osdep.h"
#include "config.h"
#include "crypto/authz.h"
#include "qapi/sockets.h"
#include "ui/vnc/vnc-int.h"
#include "util/bswap.h"
#ifdef CONFIG_SASL
#include <sasl/sasl.h>
#include <unistd.h>

#define MECH_MAX        100
#define DATA_MAX        (1024 * 1024)
#define STEPS_MAX       64
#define MIN_SSF         56              /* what rfbproto.rst recommends */
#define ENCODE_MAX      8192

bool vnc_sasl_available(void)
{
    return sasl_server_init(NULL, "qemu") == SASL_OK;
}

void vnc_sasl_free(VncClient *c)
{
    if (c->sasl) {
        sasl_dispose((sasl_conn_t **)&c->sasl);
    }
}

/* --- protected data --- */

typedef struct SaslLayer {
    VncLayer layer;
    sasl_conn_t *conn;          /* the client's */
    size_t max_out;
    GByteArray *in, *out;       /* decoded, encoded */
    size_t in_at, out_at;
} SaslLayer;

static ssize_t sasl_layer_read(VncLayer *l, void *buf, size_t len)
{
    SaslLayer *s = (SaslLayer *)l;

    while (s->in_at == s->in->len) {
        char raw[4096];
        const char *plain;
        unsigned n_plain;
        ssize_t n = l->below->read(l->below, raw, sizeof(raw));

        if (n <= 0) {
            return n;
        }
        if (sasl_decode(s->conn, raw, n, &plain, &n_plain) != SASL_OK) {
            errno = EPROTO;
            return -1;
        }
        g_byte_array_set_size(s->in, 0);
        s->in_at = 0;
        g_byte_array_append(s->in, (const uint8_t *)plain, n_plain);
    }
    len = MIN(len, s->in->len - s->in_at);
    memcpy(buf, s->in->data + s->in_at, len);
    s->in_at += len;
    return len;
}

static bool sasl_layer_flush(VncLayer *l)
{
    SaslLayer *s = (SaslLayer *)l;

    while (s->out_at < s->out->len) {
        ssize_t n = l->below->write(l->below, s->out->data + s->out_at, s->out->len - s->out_at);

        if (n <= 0) {
            return false;
        }
        s->out_at += n;
    }
    g_byte_array_set_size(s->out, 0);
    s->out_at = 0;
    return true;
}

static ssize_t sasl_layer_write(VncLayer *l, const void *buf, size_t len)
{
    SaslLayer *s = (SaslLayer *)l;
    const char *coded;
    unsigned n;

    if (!sasl_layer_flush(l)) {
        return -1;
    }
    len = MIN(len, s->max_out);
    if (sasl_encode(s->conn, buf, len, &coded, &n) != SASL_OK) {
        errno = EIO;
        return -1;
    }
    g_byte_array_append(s->out, (const uint8_t *)coded, n);
    sasl_layer_flush(l);
    return len;
}

static void sasl_layer_free(VncLayer *l)
{
    SaslLayer *s = (SaslLayer *)l;

    g_byte_array_unref(s->in);
    g_byte_array_unref(s->out);
    g_free(s);
}

VncLayer *vnc_layer_sasl(VncLayer *below, struct sasl_conn *conn, size_t max_out)
{
    SaslLayer *s = g_new0(SaslLayer, 1);

    s->layer = (VncLayer){ .read = sasl_layer_read, .write = sasl_layer_write,
                           .flush = sasl_layer_flush, .free = sasl_layer_free, .below = below };
    s->conn = conn;
    s->max_out = max_out;
    s->in = g_byte_array_new();
    s->out = g_byte_array_new();
    return &s->layer;
}

/* --- the dialogue --- */

/* "127.0.0.1;5900", as the library wants it. */
static char *address(int fd, bool peer)
{
    SocketAddress *a = peer ? socket_peer_address(fd, NULL) : socket_local_address(fd, NULL);
    char *text = a && a->type == SOCKET_ADDRESS_TYPE_INET
               ? g_strdup_printf("%s;%s", a->u.inet.host, a->u.inet.port) : NULL;

    qapi_free_SocketAddress(a);
    return text;
}

static bool begin(VncClient *c, Error **errp)
{
    char *local = address(c->fd, false), *remote = address(c->fd, true);
    bool encrypted = c->tls || c->family == NETWORK_ADDRESS_FAMILY_UNIX;
    sasl_security_properties_t props = { .maxbufsize = ENCODE_MAX };
    sasl_conn_t *conn = NULL;
    int rc = sasl_server_new("vnc", NULL, NULL, local, remote, NULL, SASL_SUCCESS_DATA, &conn);

    g_free(local);
    g_free(remote);
    c->sasl = (struct sasl_conn *)conn;
    if (rc == SASL_OK && c->tls) {
        sasl_ssf_t ssf = 128;

        rc = sasl_setprop(conn, SASL_SSF_EXTERNAL, &ssf);
    }
    if (!encrypted) {
        props.min_ssf = MIN_SSF;
        props.max_ssf = 100000;
        props.security_flags = SASL_SEC_NOANONYMOUS | SASL_SEC_NOPLAINTEXT;
    }
    if (rc == SASL_OK) {
        rc = sasl_setprop(conn, SASL_SEC_PROPS, &props);
    }
    if (rc != SASL_OK) {
        error_setf(errp, ERR_HOST, "SASL: %s", sasl_errstring(rc, NULL, NULL));
    }
    return rc == SASL_OK;
}

static bool coroutine_fn read_data(VncClient *c, char **data, uint32_t *len)
{
    uint8_t b[4];

    if (!vnc_co_read(c, b, 4) || load_be32(b) > DATA_MAX) {
        return false;
    }
    *len = load_be32(b);
    *data = *len ? g_malloc(*len) : NULL;
    if (*len && !vnc_co_read(c, *data, *len)) {
        g_free(*data);
        return false;
    }
    if (*len) {
        --*len;                 /* the NUL that tells "" from nothing */
    }
    return true;
}

static bool coroutine_fn read_mechanism(VncClient *c, const char *list, char *mech)
{
    char **names;
    uint8_t b[4];
    uint32_t n;
    bool known;

    if (!vnc_co_read(c, b, 4)) {
        return false;
    }
    n = load_be32(b);
    if (n < 1 || n > MECH_MAX || !vnc_co_read(c, mech, n)) {
        return false;
    }
    mech[n] = '\0';
    names = g_strsplit(list, ",", -1);
    known = strlen(mech) == n && g_strv_contains((const char *const *)names, mech);
    g_strfreev(names);
    return known;
}

static void put_step(VncClient *c, const char *out, unsigned len, bool complete)
{
    vnc_put_u32(c, out ? len + 1 : 0);
    if (out) {
        vnc_put(c, out, len);
        vnc_put_u8(c, 0);
    }
    vnc_put_u8(c, complete);
    vnc_flush(c);
}

/* Who it is, and whether he may. */
static bool authorized(VncClient *c, bool *accepted, Error **errp)
{
    sasl_conn_t *conn = (sasl_conn_t *)c->sasl;
    const void *value = NULL;
    const int *ssf;

    if (sasl_getprop(conn, SASL_USERNAME, &value) != SASL_OK || !value) {
        return true;
    }
    g_free(c->sasl_username);
    c->sasl_username = g_strdup(value);
    if (!c->tls && c->family != NETWORK_ADDRESS_FAMILY_UNIX &&
        (sasl_getprop(conn, SASL_SSF, &value) != SASL_OK || !(ssf = value) || *ssf < MIN_SSF)) {
        return true;
    }
    *accepted = true;
    return !c->server->sasl_authz ||
           authz_allows(c->server->sasl_authz, c->sasl_username, accepted, errp);
}

bool coroutine_fn vnc_auth_sasl(VncClient *c, bool *accepted, Error **errp)
{
    char mech[MECH_MAX + 1], *in;
    const char *list = NULL, *out;
    sasl_conn_t *conn;
    const void *value;
    unsigned list_n, n;
    uint32_t in_n;
    int rc = SASL_FAIL, count;

    if (!begin(c, errp)) {
        return false;
    }
    conn = (sasl_conn_t *)c->sasl;
    if (sasl_listmech(conn, NULL, "", ",", "", &list, &list_n, &count) != SASL_OK || !count) {
        error_setf(errp, ERR_HOST, "SASL has no mechanism for this connection");
        return false;
    }
    vnc_put_u32(c, list_n);
    vnc_put(c, list, list_n);
    vnc_flush(c);
    if (!read_mechanism(c, list, mech)) {
        error_setf(errp, ERR_PROTOCOL, "a SASL mechanism that wasn't offered");
        return false;
    }
    for (unsigned step = 0; step < STEPS_MAX; step++) {
        if (!read_data(c, &in, &in_n)) {
            return false;
        }
        rc = step ? sasl_server_step(conn, in, in_n, &out, &n)
                  : sasl_server_start(conn, mech, in, in_n, &out, &n);
        g_free(in);
        if (rc != SASL_OK && rc != SASL_CONTINUE) {
            put_step(c, NULL, 0, true);
            return true;                        /* refused */
        }
        put_step(c, out, n, rc == SASL_OK);
        if (rc == SASL_OK) {
            break;
        }
    }
    if (rc != SASL_OK || !authorized(c, accepted, errp)) {
        return false;
    }
    /* What follows the result is protected, if that was agreed. */
    if (*accepted && sasl_getprop(conn, SASL_SSF, &value) == SASL_OK && *(const int *)value > 0 &&
        !c->tls) {
        const void *max = NULL;

        sasl_getprop(conn, SASL_MAXOUTBUF, &max);
        vnc_put_u32(c, 0);
        vnc_flush(c);
        while (!c->closing && c->out_bytes) {
            vnc_park(c);
        }
        c->top = vnc_layer_sasl(c->top, c->sasl, max && *(const unsigned *)max
                                                     ? *(const unsigned *)max : ENCODE_MAX);
        c->result_sent = true;
    }
    return true;
}

#else
bool vnc_sasl_available(void)
{
    return false;
}

void vnc_sasl_free(UNUSED VncClient *c)
{
}

bool coroutine_fn vnc_auth_sasl(UNUSED VncClient *c, UNUSED bool *accepted, Error **errp)
{
    error_setf(errp, ERR_NOT_SUPPORTED, "this build is without SASL");
    return false;
}
#endif
