/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test viewer's connection, handshake and messages. */
#include "util/osdep.h"
#include "config.h"
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>
#ifdef CONFIG_GNUTLS
#include <gnutls/gnutls.h>
#endif
#ifdef CONFIG_NETTLE
#include <nettle/des.h>
#endif
#include "tests/lib/rfb-client.h"
#include "util/bswap.h"

bool rfb_fail(RfbClient *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (!*c->error) {
        vsnprintf(c->error, sizeof(c->error), fmt, ap);
    }
    va_end(ap);
    return false;
}

/* --- bytes --- */

static bool fd_wait(int fd, short events, int ms)
{
    struct pollfd p = { fd, events, 0 };

    return poll(&p, 1, ms) > 0;
}

static ssize_t some(RfbClient *c, void *buf, size_t len)
{
    for (;;) {
        ssize_t n;

#ifdef CONFIG_GNUTLS
        if (c->tls) {
            n = gnutls_record_recv(c->tls, buf, len);
            if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) {
                continue;
            }
            return n < 0 ? -1 : n;
        }
#endif
        if (!fd_wait(c->fd, POLLIN, RFB_TIMEOUT_S * 1000)) {
            rfb_fail(c, "nothing comes");
            return -1;
        }
        n = recv(c->fd, buf, len, 0);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        return n;
    }
}

static bool exactly(RfbClient *c, void *buf, size_t len)
{
    for (size_t got = 0; got < len; ) {
        ssize_t n = some(c, (uint8_t *)buf + got, len - got);

        if (n <= 0) {
            return rfb_fail(c, "the connection ended");
        }
        got += n;
    }
    return true;
}

static bool all_out(RfbClient *c, const void *data, size_t len)
{
    for (size_t done = 0; done < len; ) {
        ssize_t n;

#ifdef CONFIG_GNUTLS
        if (c->tls) {
            n = gnutls_record_send(c->tls, (const uint8_t *)data + done, len - done);
            if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) {
                continue;
            }
        } else
#endif
        {
            n = send(c->fd, (const uint8_t *)data + done, len - done, MSG_NOSIGNAL);
            if (n < 0 && errno == EAGAIN && fd_wait(c->fd, POLLOUT, RFB_TIMEOUT_S * 1000)) {
                continue;
            }
        }
        if (n <= 0) {
            return rfb_fail(c, "can't send");
        }
        done += n;
    }
    return true;
}

/* RFC 6455, 5.2: a binary frame, masked. */
static bool ws_send(RfbClient *c, const uint8_t *data, size_t len)
{
    static const uint8_t key[4] = { 0x11, 0x22, 0x33, 0x44 };
    uint8_t *frame = g_malloc(len + 14);
    size_t n = 2;
    bool ok;

    frame[0] = 0x82;
    if (len < 126) {
        frame[1] = 0x80 | len;
    } else if (len < 65536) {
        frame[1] = 0x80 | 126;
        store_be16(frame + 2, len);
        n = 4;
    } else {
        frame[1] = 0x80 | 127;
        store_be64(frame + 2, len);
        n = 10;
    }
    memcpy(frame + n, key, 4);
    n += 4;
    for (size_t i = 0; i < len; i++) {
        frame[n + i] = data[i] ^ key[i % 4];
    }
    ok = all_out(c, frame, n + len);
    g_free(frame);
    return ok;
}

static bool ws_fill(RfbClient *c)
{
    uint8_t b[10];
    uint64_t len;

    if (c->ws_n == 0) {
        if (!exactly(c, b, 2)) {
            return false;
        }
        if (b[0] != 0x82 && b[0] != 0x80) {
            return rfb_fail(c, "websocket: frame %#x", b[0]);
        }
        len = b[1];
        if (len == 126) {
            if (!exactly(c, b, 2)) {
                return false;
            }
            len = load_be16(b);
        } else if (len == 127) {
            if (!exactly(c, b, 8)) {
                return false;
            }
            len = load_be64(b);
        }
        c->ws_n = len;
    }
    return true;
}

bool rfb_send(RfbClient *c, const void *data, size_t len)
{
    return c->websocket ? ws_send(c, data, len) : all_out(c, data, len);
}

bool rfb_recv(RfbClient *c, void *data, size_t len)
{
    uint8_t *p = data;

    c->bytes += len;
    if (c->memory) {
        if ((size_t)(c->memory_end - c->memory) < len) {
            return rfb_fail(c, "the bytes end early");
        }
        memcpy(p, c->memory, len);
        c->memory += len;
        return true;
    }
    while (c->websocket && len) {
        size_t n;

        if (!ws_fill(c)) {
            return false;
        }
        n = MIN(len, c->ws_n);
        if (!exactly(c, p, n)) {
            return false;
        }
        c->ws_n -= n;
        p += n;
        len -= n;
    }
    return !len || exactly(c, p, len);
}

bool rfb_readable(RfbClient *c, int ms)
{
#ifdef CONFIG_GNUTLS
    if (c->tls && gnutls_record_check_pending(c->tls)) {
        return true;
    }
#endif
    return c->ws_n || fd_wait(c->fd, POLLIN, ms);
}

int rfb_connect(const char *where)
{
    int fd;

    if (strncmp(where, "unix:", 5) == 0) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };

        g_strlcpy(a.sun_path, where + 5, sizeof(a.sun_path));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
            close(fd);
            return -1;
        }
    } else {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(where)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
            close(fd);
            return -1;
        }
    }
    return fd;
}

/* --- handshake --- */

static bool start_tls(RfbClient *c, const RfbLogin *login, bool x509)
{
#ifdef CONFIG_GNUTLS
    gnutls_session_t s;
    gnutls_certificate_credentials_t cred;
    gnutls_anon_client_credentials_t anon;
    int rc;

    gnutls_init(&s, GNUTLS_CLIENT);
    c->tls = s;
    if (x509) {
        char *ca = g_build_filename(login->tls_dir, "ca-cert.pem", NULL);
        char *cert = g_build_filename(login->tls_dir, "client-cert.pem", NULL);
        char *key = g_build_filename(login->tls_dir, "client-key.pem", NULL);

        gnutls_certificate_allocate_credentials(&cred);
        c->cert = cred;
        gnutls_certificate_set_x509_trust_file(cred, ca, GNUTLS_X509_FMT_PEM);
        if (login->tls_cert) {
            gnutls_certificate_set_x509_key_file(cred, cert, key, GNUTLS_X509_FMT_PEM);
        }
        g_free(ca);
        g_free(cert);
        g_free(key);
        gnutls_priority_set_direct(s, "NORMAL", NULL);
        gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, cred);
        gnutls_session_set_verify_cert(s, "localhost", 0);
    } else {
        gnutls_anon_allocate_client_credentials(&anon);
        c->anon = anon;
        gnutls_priority_set_direct(s, "NORMAL:-VERS-TLS1.3:+ANON-ECDH:+ANON-DH", NULL);
        gnutls_credentials_set(s, GNUTLS_CRD_ANON, anon);
    }
    gnutls_transport_set_int(s, c->fd);
    gnutls_handshake_set_timeout(s, RFB_TIMEOUT_S * 1000);
    do {
        rc = gnutls_handshake(s);
    } while (rc < 0 && !gnutls_error_is_fatal(rc));
    if (rc < 0) {
        return rfb_fail(c, "TLS: %s", gnutls_strerror(rc));
    }
    gnutls_record_set_timeout(s, RFB_TIMEOUT_S * 1000);
    return true;
#else
    (void)login, (void)x509;
    return rfb_fail(c, "no TLS here");
#endif
}

static bool start_websocket(RfbClient *c)
{
    static const char request[] =
        "GET /websockify HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n\r\n";
    char answer[2048];
    size_t n = 0;

    if (!all_out(c, request, sizeof(request) - 1)) {
        return false;
    }
    do {
        if (n == sizeof(answer) - 1 || !exactly(c, answer + n, 1)) {
            return false;
        }
        answer[++n] = '\0';
    } while (n < 4 || memcmp(answer + n - 4, "\r\n\r\n", 4) != 0);
    /* RFC 6455, 1.3 has this key and this answer as its example. */
    if (strncmp(answer, "HTTP/1.1 101", 12) != 0 ||
        !strstr(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") ||
        !strstr(answer, "Sec-WebSocket-Protocol: binary\r\n")) {
        return rfb_fail(c, "websocket: %.40s", answer);
    }
    c->websocket = true;
    return true;
}

static bool vnc_auth(RfbClient *c, const char *password)
{
    uint8_t challenge[16], answer[16] = { 0 }, key[8] = { 0 };

    if (!rfb_recv(c, challenge, 16)) {
        return false;
    }
    for (unsigned i = 0; i < 8 && password[i]; i++) {
        for (unsigned b = 0; b < 8; b++) {      /* the bits of each byte in reverse */
            key[i] |= (password[i] >> b & 1) << (7 - b);
        }
    }
#ifdef CONFIG_NETTLE
    {
        struct des_ctx ctx;

        (void)!des_set_key(&ctx, key);
        des_encrypt(&ctx, 16, answer, challenge);
    }
#endif
    return rfb_send(c, answer, 16);
}

static bool send_u32(RfbClient *c, uint32_t v)
{
    uint8_t b[4];

    store_be32(b, v);
    return rfb_send(c, b, 4);
}

static bool plain_auth(RfbClient *c, const RfbLogin *login)
{
    return send_u32(c, strlen(login->username)) && send_u32(c, strlen(login->password)) &&
           rfb_send(c, login->username, strlen(login->username)) &&
           rfb_send(c, login->password, strlen(login->password));
}

/* Mechanism PLAIN (RFC 4616), or ANONYMOUS without a name. */
static bool sasl_auth(RfbClient *c, const RfbLogin *login)
{
    uint8_t b[4], list[300], flag;
    GByteArray *out = g_byte_array_new();
    const char *mech = login->username ? "PLAIN" : "ANONYMOUS";
    uint32_t n;
    bool ok;

    if (!rfb_recv(c, b, 4) || (n = load_be32(b)) >= sizeof(list) || !rfb_recv(c, list, n)) {
        g_byte_array_unref(out);
        return rfb_fail(c, "SASL: list of mechanisms");
    }
    list[n] = 0;
    if (!strstr((char *)list, mech)) {
        g_byte_array_unref(out);
        return rfb_fail(c, "SASL: only '%s'", list);
    }
    if (login->username) {
        g_byte_array_append(out, (const uint8_t *)"", 1);
        g_byte_array_append(out, (const uint8_t *)login->username, strlen(login->username) + 1);
        g_byte_array_append(out, (const uint8_t *)login->password, strlen(login->password));
    } else {
        g_byte_array_append(out, (const uint8_t *)"me", 2);
    }
    g_byte_array_append(out, (const uint8_t *)"", 1);       /* the extra NUL */
    ok = send_u32(c, strlen(mech)) && rfb_send(c, mech, strlen(mech)) && send_u32(c, out->len) &&
         rfb_send(c, out->data, out->len) && rfb_recv(c, b, 4);
    g_byte_array_unref(out);
    n = ok ? load_be32(b) : 0;
    return ok && n < sizeof(list) && rfb_recv(c, list, n) && rfb_recv(c, &flag, 1);
}

static bool vencrypt(RfbClient *c, const RfbLogin *login)
{
    uint8_t b[256], n;
    bool found = false;

    if (!rfb_recv(c, b, 2) || !rfb_send(c, "\0\2", 2) || !rfb_recv(c, b, 1) || b[0] ||
        !rfb_recv(c, &n, 1) || n > 32 || !rfb_recv(c, b, 4u * n)) {
        return rfb_fail(c, "VeNCrypt: version or subtypes");
    }
    for (unsigned i = 0; i < n; i++) {
        found |= load_be32(b + 4 * i) == (uint32_t)login->vencrypt;
    }
    if (!found) {
        return rfb_fail(c, "VeNCrypt: subtype %d isn't offered", login->vencrypt);
    }
    if (!send_u32(c, login->vencrypt)) {
        return false;
    }
    if (login->vencrypt >= 257 && login->vencrypt <= 264) {
        bool x509 = (login->vencrypt >= 260 && login->vencrypt <= 262) || login->vencrypt == 264;

        if (!rfb_recv(c, b, 1) || b[0] != 1 || !start_tls(c, login, x509)) {
            return rfb_fail(c, "VeNCrypt: TLS");
        }
    }
    switch (login->vencrypt) {
    case 258:
    case 261:
        return vnc_auth(c, login->password);
    case 256:
    case 259:
    case 262:
        return plain_auth(c, login);
    case 263:
    case 264:
        return sasl_auth(c, login);
    default:
        return true;
    }
}

static bool reason(RfbClient *c)
{
    uint8_t b[4];
    char text[200] = "";

    if (rfb_recv(c, b, 4) && load_be32(b) < sizeof(text)) {
        rfb_recv(c, text, load_be32(b));
    }
    *c->error = '\0';
    return rfb_fail(c, "refused: %s", text);
}

static bool security(RfbClient *c, const RfbLogin *login, unsigned minor)
{
    uint8_t want = login->vencrypt ? 19 : login->sasl ? 20 : login->password ? 2 : 1, n, b[256];

    if (minor == 3) {
        if (!rfb_recv(c, b, 4)) {
            return false;
        }
        if (load_be32(b) != want) {
            return load_be32(b) ? rfb_fail(c, "security %u", load_be32(b)) : reason(c);
        }
    } else {
        if (!rfb_recv(c, &n, 1)) {
            return false;
        }
        if (n == 0) {
            return reason(c);
        }
        if (!rfb_recv(c, b, n)) {
            return false;
        }
        if (!memchr(b, want, n)) {
            return rfb_fail(c, "security %u isn't offered", want);
        }
        if (!rfb_send(c, &want, 1)) {
            return false;
        }
    }
    if ((want == 2 && !vnc_auth(c, login->password)) || (want == 19 && !vencrypt(c, login)) ||
        (want == 20 && !sasl_auth(c, login))) {
        return false;
    }
    if (want != 1 || minor == 8) {
        if (!rfb_recv(c, b, 4)) {
            return false;
        }
        if (load_be32(b)) {
            return minor == 8 ? reason(c) : rfb_fail(c, "refused");
        }
    }
    return true;
}

static void parse_format(RfbFormat *f, const uint8_t *b)
{
    *f = (RfbFormat){ b[0], b[1], b[2], b[3],
                      { load_be16(b + 4), load_be16(b + 6), load_be16(b + 8) },
                      { b[10], b[11], b[12] } };
}

static void resize(RfbClient *c, int w, int h)
{
    g_free(c->values);
    c->values = g_new0(uint32_t, (size_t)w * h + 1);
    c->width = w;
    c->height = h;
}

static void reset(RfbClient *c)
{
    memset(c, 0, sizeof(*c));
    c->fd = -1;
    c->leds = -1;
    c->cursor_w = -1;
}

bool rfb_open(RfbClient *c, int fd, const RfbLogin *login)
{
    static const RfbLogin none = { 0 };
    uint8_t b[32];
    char text[13] = "", version[32];
    unsigned minor;
    uint32_t n;

    reset(c);
    c->fd = fd;
    login = login ? login : &none;
    if (fd < 0) {
        return rfb_fail(c, "can't connect");
    }
    if ((login->wss && !start_tls(c, login, login->tls_dir)) ||
        (login->websocket && !start_websocket(c))) {
        return false;
    }
    snprintf(version, sizeof(version), "RFB %s\n", login->version ? login->version : "003.008");
    if (!rfb_recv(c, text, 12) || strncmp(text, "RFB 003.008\n", 12) != 0 ||
        !rfb_send(c, version, 12)) {
        return rfb_fail(c, "version '%s'", text);
    }
    minor = strtoul(version + 8, NULL, 10);
    minor = minor >= 8 ? 8 : minor == 7 ? 7 : 3;
    if (!security(c, login, minor)) {
        return false;
    }
    b[0] = !login->exclusive;
    if (!rfb_send(c, b, 1) || !rfb_recv(c, b, 24)) {
        return false;
    }
    resize(c, load_be16(b), load_be16(b + 2));
    parse_format(&c->format, b + 4);
    n = load_be32(b + 20);
    return n < sizeof(c->name) && rfb_recv(c, c->name, n);
}

void rfb_open_memory(RfbClient *c, int width, int height, const RfbFormat *f)
{
    reset(c);
    c->format = *f;
    resize(c, width, height);
}

void rfb_close(RfbClient *c)
{
    for (unsigned i = 0; i < 8; i++) {
        if (c->inflate[i]) {
            inflateEnd(c->inflate[i]);
            g_free(c->inflate[i]);
        }
    }
#ifdef CONFIG_GNUTLS
    if (c->tls) {
        gnutls_deinit(c->tls);
    }
    if (c->cert) {
        gnutls_certificate_free_credentials(c->cert);
    }
    if (c->anon) {
        gnutls_anon_free_client_credentials(c->anon);
    }
#endif
    if (c->fd >= 0) {
        close(c->fd);
    }
    g_free(c->values);
    g_free(c->cut_text);
    g_free(c->clip_data);
    if (c->film) {
        g_byte_array_unref(c->film);
    }
    reset(c);
}

/* --- what the viewer says --- */

bool rfb_set_format(RfbClient *c, const RfbFormat *f)
{
    uint8_t b[20] = { 0, 0, 0, 0, f->bits, f->depth, f->big_endian, f->true_color };

    for (unsigned i = 0; i < 3; i++) {
        store_be16(b + 8 + 2 * i, f->max[i]);
        b[14 + i] = f->shift[i];
    }
    c->format = *f;
    return rfb_send(c, b, 20);
}

bool rfb_set_encodings(RfbClient *c, const int32_t *e, unsigned n)
{
    uint8_t *b = g_malloc(4 + 4 * (size_t)n);
    bool ok;

    b[0] = 2;
    b[1] = 0;
    store_be16(b + 2, n);
    for (unsigned i = 0; i < n; i++) {
        store_be32(b + 4 + 4 * i, e[i]);
    }
    ok = rfb_send(c, b, 4 + 4 * (size_t)n);
    g_free(b);
    return ok;
}

bool rfb_request(RfbClient *c, bool incremental, int x, int y, int w, int h)
{
    uint8_t b[10] = { 3, incremental };

    store_be16(b + 2, x);
    store_be16(b + 4, y);
    store_be16(b + 6, w);
    store_be16(b + 8, h);
    return rfb_send(c, b, 10);
}

bool rfb_key(RfbClient *c, bool down, uint32_t keysym)
{
    uint8_t b[8] = { 4, down };

    store_be32(b + 4, keysym);
    return rfb_send(c, b, 8);
}

bool rfb_pointer(RfbClient *c, uint8_t buttons, int x, int y)
{
    uint8_t b[6] = { 5, buttons };

    store_be16(b + 2, x);
    store_be16(b + 4, y);
    return rfb_send(c, b, 6);
}

/* --- what the server says --- */

static bool cursor(RfbClient *c, int x, int y, int w, int h)
{
    unsigned n = c->format.bits / 8, row = (w + 7) / 8;
    uint8_t *pixels, *mask;
    bool ok;

    if (w > 128 || h > 128) {
        return rfb_fail(c, "cursor of %dx%d", w, h);
    }
    pixels = g_malloc((size_t)w * h * n + 1);
    mask = g_malloc((size_t)row * h + 1);
    ok = rfb_recv(c, pixels, (size_t)w * h * n) && rfb_recv(c, mask, (size_t)row * h);
    for (int i = 0; ok && i < w * h; i++) {
        const uint8_t *p = pixels + (size_t)i * n;
        bool valid = mask[(size_t)(i / w) * row + i % w / 8] >> (7 - i % w % 8) & 1;

        c->cursor[i] = (c->format.big_endian ? load_be(p, n) : load_le(p, n)) |
                       (valid ? 0x80000000 : 0);
    }
    g_free(pixels);
    g_free(mask);
    c->cursor_x = x;
    c->cursor_y = y;
    c->cursor_w = w;
    c->cursor_h = h;
    c->cursor_alpha = false;
    return ok;
}

static bool alpha_cursor(RfbClient *c, int x, int y, int w, int h)
{
    uint8_t b[4];

    if (w > 128 || h > 128 || !rfb_recv(c, b, 4) || load_be32(b) != 0) {
        return rfb_fail(c, "alpha cursor: encoding");
    }
    for (int i = 0; i < w * h; i++) {
        if (!rfb_recv(c, b, 4)) {
            return false;
        }
        c->cursor[i] = (uint32_t)b[3] << 24 | b[0] << 16 | b[1] << 8 | b[2];
    }
    c->cursor_x = x;
    c->cursor_y = y;
    c->cursor_w = w;
    c->cursor_h = h;
    c->cursor_alpha = true;
    return true;
}

static bool ext_size(RfbClient *c, int x, int y, int w, int h)
{
    uint8_t b[16];

    if (!rfb_recv(c, b, 4) || b[0] > ARRAY_SIZE(c->screens)) {
        return rfb_fail(c, "ExtendedDesktopSize");
    }
    c->n_screens = b[0];
    for (unsigned i = 0; i < c->n_screens; i++) {
        if (!rfb_recv(c, b, 16)) {
            return false;
        }
        c->screens[i] = (RfbScreenInfo){ load_be32(b), load_be32(b + 12), load_be16(b + 4),
                                         load_be16(b + 6), load_be16(b + 8), load_be16(b + 10) };
    }
    c->ext_size = true;
    c->size_reason = x;
    c->size_status = y;
    if ((x != 1 || y == 0) && (w != c->width || h != c->height)) {
        resize(c, w, h);
        c->resizes++;
    }
    return true;
}

static bool rectangle(RfbClient *c, bool *end)
{
    uint8_t b[12];
    int x, y, w, h;
    int32_t e;

    if (!rfb_recv(c, b, 12)) {
        return false;
    }
    x = load_be16(b);
    y = load_be16(b + 2);
    w = load_be16(b + 4);
    h = load_be16(b + 6);
    e = load_be32(b + 8);
    c->rects++;
    switch (e) {
    case -223:
        resize(c, w, h);
        c->resizes++;
        return true;
    case -224:
        *end = true;
        return true;
    case -225:
    case -232:
        c->pointer_x = x;
        c->pointer_y = y;
        return true;
    case -239:
        return cursor(c, x, y, w, h);
    case -257:
        c->pointer_known = true;
        c->pointer_absolute = x;
        return true;
    case -258:
        c->ext_keys = true;
        return true;
    case -259:
        c->audio = true;
        return true;
    case -261:
        if (!rfb_recv(c, b, 1)) {
            return false;
        }
        c->leds = b[0];
        return true;
    case -307: {
        uint32_t n;

        if (!rfb_recv(c, b, 4) || (n = load_be32(b)) >= sizeof(c->name)) {
            return rfb_fail(c, "DesktopName");
        }
        c->name[n] = '\0';
        return rfb_recv(c, c->name, n);
    }
    case -308:
        return ext_size(c, x, y, w, h);
    case -314:
        return alpha_cursor(c, x, y, w, h);
    case -316:
        c->ext_buttons = true;
        return true;
    default:
        return rfb_decode(c, e, x, y, w, h);
    }
}

static bool update(RfbClient *c)
{
    uint8_t b[3];
    unsigned n;
    bool end = false;

    if (!rfb_recv(c, b, 3)) {
        return false;
    }
    n = load_be16(b + 1);
    for (unsigned i = 0; i < n && !end; i++) {
        if (!rectangle(c, &end)) {
            return false;
        }
    }
    c->updates++;
    return true;
}

static bool extended_clipboard(RfbClient *c, uint32_t len)
{
    uint8_t *buf;
    bool ok = len >= 4 && len < 64 * MIB;

    if (!ok) {
        return rfb_fail(c, "clipboard message of %u bytes", len);
    }
    buf = g_malloc(len);
    ok = rfb_recv(c, buf, len);
    c->clip_flags = ok ? load_be32(buf) : 0;
    if (ok && c->clip_flags & BIT(28)) {
        uLongf size = 64 * MIB;
        z_stream z = { 0 };

        g_free(c->clip_data);
        c->clip_data = g_malloc(size);
        inflateInit(&z);
        z.next_in = buf + 4;
        z.avail_in = len - 4;
        z.next_out = c->clip_data;
        z.avail_out = size;
        inflate(&z, Z_SYNC_FLUSH);
        c->clip_len = size - z.avail_out;
        inflateEnd(&z);
    }
    g_free(buf);
    return ok;
}

static bool cut_text(RfbClient *c)
{
    uint8_t b[7];
    int32_t n;

    if (!rfb_recv(c, b, 7)) {
        return false;
    }
    n = load_be32(b + 3);
    if (n < 0) {
        return extended_clipboard(c, -n);
    }
    g_free(c->cut_text);
    c->cut_text = g_malloc0(n + 1u);
    return rfb_recv(c, c->cut_text, n);
}

static bool fence(RfbClient *c)
{
    uint8_t b[8];

    if (!rfb_recv(c, b, 8) || b[7] > 64 || !rfb_recv(c, c->fence_payload, b[7])) {
        return rfb_fail(c, "fence");
    }
    c->fence_flags = load_be32(b + 3);
    c->fence_len = b[7];
    c->fences++;
    if (c->auto_fence && c->fence_flags & BIT(31)) {
        uint8_t answer[9 + 64] = { 248 };

        store_be32(answer + 4, c->fence_flags & 7);
        answer[8] = b[7];
        memcpy(answer + 9, c->fence_payload, b[7]);
        return rfb_send(c, answer, 9u + b[7]);
    }
    return true;
}

static bool color_map(RfbClient *c)
{
    uint8_t b[6];
    unsigned first, n;

    if (!rfb_recv(c, b, 5)) {
        return false;
    }
    first = load_be16(b + 1);
    n = load_be16(b + 3);
    for (unsigned i = 0; i < n; i++) {
        if (!rfb_recv(c, b, 6)) {
            return false;
        }
        for (unsigned k = 0; k < 3 && first + i < 256; k++) {
            c->map[first + i][k] = load_be16(b + 2 * k);
        }
    }
    return true;
}

static bool qemu_audio(RfbClient *c)
{
    uint8_t b[4], skip[4096];
    uint32_t n;

    if (!rfb_recv(c, b, 3) || b[0] != 1) {
        return rfb_fail(c, "server message 255/%u", b[0]);
    }
    switch (load_be16(b + 1)) {
    case 0:
    case 1:
        c->audio_on = b[2];
        return true;
    default:
        if (!rfb_recv(c, b, 4)) {
            return false;
        }
        for (n = load_be32(b); n; ) {
            uint32_t k = MIN(n, sizeof(skip));

            if (!rfb_recv(c, skip, k)) {
                return false;
            }
            n -= k;
            c->audio_bytes += k;
        }
        return true;
    }
}

int rfb_message(RfbClient *c)
{
    uint8_t type, b[3];
    bool ok;

    if (!rfb_recv(c, &type, 1)) {
        return -1;
    }
    switch (type) {
    case 0:
        ok = update(c);
        break;
    case 1:
        ok = color_map(c);
        break;
    case 2:
        c->bells++;
        ok = true;
        break;
    case 3:
        ok = cut_text(c);
        break;
    case 150:
        c->end_of_cu++;
        ok = true;
        break;
    case 248:
        ok = fence(c);
        break;
    case 250:
        ok = rfb_recv(c, b, 3);
        c->xvp = ok && b[2] == 1;
        break;
    case 255:
        ok = qemu_audio(c);
        break;
    default:
        ok = rfb_fail(c, "server message %u", type);
        break;
    }
    return ok ? type : -1;
}

bool rfb_update(RfbClient *c, bool full)
{
    unsigned before = c->updates;

    if (!rfb_request(c, !full, 0, 0, c->width, c->height)) {
        return false;
    }
    while (c->updates == before) {
        if (rfb_message(c) < 0) {
            return false;
        }
    }
    return true;
}
