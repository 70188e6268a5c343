/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * secret: the text is given in "data" or read from "file" once, when the object is made. With
 * "keyid" it is encrypted: AES-256 in CBC mode (NIST SP 800-38A) with PKCS #7 padding (RFC 5652,
 * 6.3), the initial vector in "iv", both in base64.
 */
#include "util/osdep.h"
#include "config.h"
#include <glib.h>
#ifdef CONFIG_GNUTLS
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#endif
#include "crypto/secret.h"
#include "qom/object.h"

#define AES_BLOCK   16
#define AES_KEY     32

typedef struct Secret {
    Object parent;
    char *data, *file, *keyid, *iv;
    int format;
    bool loaded;                /* accepted, without effect */
    uint8_t *bytes;             /* owned; decoded; a NUL after it */
    size_t len;
} Secret;

enum { FORMAT_RAW, FORMAT_BASE64 };
static const char *const format_names[] = { "raw", "base64", NULL };

DEFINE_CAST(SECRET, Secret, "secret")

void secret_free(void *p, size_t len)
{
    if (p) {
        explicit_bzero(p, len);
        g_free(p);
    }
}

/* Padded with blanks and line ends, as files are; NULL if it isn't base64. */
static uint8_t *from_base64(const char *text, size_t *len)
{
    char *clean = g_strdup(text), *to = clean;
    uint8_t *bytes = NULL;
    size_t n;

    for (const char *p = text; *p; p++) {
        if (!g_ascii_isspace(*p)) {
            *to++ = *p;
        }
    }
    *to = '\0';
    n = to - clean;
    if (n % 4 == 0 && strspn(clean, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789+/") + strcspn(clean, "=") >= n) {
        size_t body = strcspn(clean, "=");

        if (n - body <= 2 && strspn(clean + body, "=") == n - body) {
            gsize out = 0;

            bytes = g_base64_decode(clean, &out);
            *len = out;
        }
    }
    secret_free(clean, strlen(text));
    return bytes;
}

static uint8_t *with_nul(uint8_t *bytes, size_t len)
{
    uint8_t *copy = g_malloc(len + 1);

    memcpy(copy, bytes, len);
    copy[len] = '\0';
    secret_free(bytes, len);
    return copy;
}

#ifdef CONFIG_GNUTLS
static bool decrypt(Secret *s, Error **errp)
{
    size_t key_len = 0, iv_len = 0;
    uint8_t *key = secret_bytes(s->keyid, &key_len, errp), *iv = NULL;
    gnutls_cipher_hd_t cipher = NULL;
    bool ok = false;

    if (!key) {
        return false;
    }
    iv = s->iv ? from_base64(s->iv, &iv_len) : NULL;
    if (!iv || iv_len != AES_BLOCK) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "secret: an encrypted secret needs 'iv': %d bytes "
                   "in base64", AES_BLOCK);
    } else if (key_len != AES_KEY) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "secret: the key '%s' has %zu bytes; accepted: %d",
                   s->keyid, key_len, AES_KEY);
    } else if (s->len == 0 || s->len % AES_BLOCK) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "secret: %zu encrypted bytes; accepted: a multiple "
                   "of %d", s->len, AES_BLOCK);
    } else {
        gnutls_datum_t k = { key, key_len }, v = { iv, iv_len };
        int rc = gnutls_cipher_init(&cipher, GNUTLS_CIPHER_AES_256_CBC, &k, &v);

        if (rc == 0) {
            rc = gnutls_cipher_decrypt(cipher, s->bytes, s->len);
            gnutls_cipher_deinit(cipher);
        }
        if (rc != 0) {
            error_setf(errp, ERR_HOST, "secret: can't decrypt: %s", gnutls_strerror(rc));
        } else {
            uint8_t pad = s->bytes[s->len - 1];

            ok = pad >= 1 && pad <= AES_BLOCK;
            for (unsigned i = 1; ok && i <= pad; i++) {
                ok = s->bytes[s->len - i] == pad;
            }
            if (ok) {
                s->len -= pad;
                s->bytes[s->len] = '\0';
            } else {
                error_setf(errp, ERR_INVALID_ARGUMENT, "secret: the padding is wrong: another key "
                           "or another 'iv' than it was encrypted with");
            }
        }
    }
    secret_free(key, key_len);
    g_free(iv);
    return ok;
}
#else
static bool decrypt(UNUSED Secret *s, Error **errp)
{
    error_setf(errp, ERR_NOT_SUPPORTED, "secret: 'keyid' needs GnuTLS, which this build is without");
    return false;
}
#endif

static bool read_file(const char *path, uint8_t **bytes, size_t *len, Error **errp)
{
    FILE *f = fopen(path, "rbe");
    uint8_t *buf;

    if (!f) {
        error_set_errno(errp, errno, "secret: can't read '%s'", path);
        return false;
    }
    buf = g_malloc(SECRET_MAX_BYTES + 2);
    *len = fread(buf, 1, SECRET_MAX_BYTES + 1, f);
    if (ferror(f) || *len > SECRET_MAX_BYTES) {
        error_setf(errp, ERR_OUT_OF_RANGE, "secret: can't read '%s', or it has more than %d bytes",
                   path, SECRET_MAX_BYTES);
        fclose(f);
        secret_free(buf, SECRET_MAX_BYTES + 2);
        return false;
    }
    fclose(f);
    *bytes = g_malloc(*len + 1);
    memcpy(*bytes, buf, *len);
    (*bytes)[*len] = '\0';
    secret_free(buf, SECRET_MAX_BYTES + 2);
    return true;
}

static bool secret_complete(Object *obj, Error **errp)
{
    Secret *s = SECRET(obj);

    if (!s->data == !s->file) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "secret: exactly one of 'data' and 'file' must be "
                   "given");
        return false;
    }
    if (s->data) {
        s->len = strlen(s->data);
        s->bytes = (uint8_t *)g_strdup(s->data);
    } else if (!read_file(s->file, &s->bytes, &s->len, errp)) {
        return false;
    }
    if (s->format == FORMAT_BASE64 || s->keyid) {
        size_t len = 0;
        uint8_t *plain;

        if (s->format == FORMAT_RAW && s->file) {
            return decrypt(s, errp);            /* the file has the encrypted bytes themselves */
        }
        plain = from_base64((char *)s->bytes, &len);
        if (!plain) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "secret: the %s isn't base64",
                       s->data ? "data" : "file");
            return false;
        }
        secret_free(s->bytes, s->len);
        s->bytes = with_nul(plain, len);
        s->len = len;
    }
    return !s->keyid || decrypt(s, errp);
}

static void secret_finalize(Object *obj)
{
    Secret *s = SECRET(obj);

    secret_free(s->bytes, s->len);
}

static const Property secret_props[] = {
    PROP_STR("data", Secret, data, NULL, "the secret itself"),
    PROP_STR("file", Secret, file, NULL, "a file that holds the secret"),
    PROP_ENUM("format", Secret, format, FORMAT_RAW, format_names, "how it is written: raw, base64"),
    PROP_STR("keyid", Secret, keyid, NULL, "another secret: the key that it is encrypted with"),
    PROP_STR("iv", Secret, iv, NULL, "initial vector of the encryption, in base64"),
    PROP_BOOL("loaded", Secret, loaded, false, "accepted; secrets are read when they are made"),
    PROP_END
};

static const TypeInfo secret_type = {
    .name = "secret", .desc = "a password or key", .size = sizeof(Secret), .user_creatable = true,
    .props = secret_props, .complete = secret_complete, .finalize = secret_finalize,
};
TYPE(secret_type)

uint8_t *secret_bytes(const char *id, size_t *len, Error **errp)
{
    Object *obj = user_object_find(id, "secret", NULL);
    uint8_t *copy;

    if (!obj) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "there is no secret object '%s'", id);
        error_hint(errp, "-object secret,id=%s,file=FILE makes one", id);
        return NULL;
    }
    *len = SECRET(obj)->len;
    copy = g_malloc(*len + 1);
    memcpy(copy, SECRET(obj)->bytes, *len + 1);
    return copy;
}

char *secret_text(const char *id, Error **errp)
{
    size_t len;
    char *text = (char *)secret_bytes(id, &len, errp);

    if (text && (strlen(text) != len || !g_utf8_validate(text, len, NULL))) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "the secret '%s' isn't text in UTF-8", id);
        secret_free(text, len);
        return NULL;
    }
    return text;
}
