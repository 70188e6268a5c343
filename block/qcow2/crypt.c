/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: encryption (Spec "Header", crypt_method, "Full disk encryption header pointer", "Data encryption"). A LUKS header lies in clusters of
 * its own; data clusters, those of machine state too, are encrypted by sectors of 512 bytes, each by its number in the file. Tables aren't.
 */
#include "util/osdep.h"
#include "block/qcow2/qcow2.h"
#include "crypto/secret.h"
#include "util/bswap.h"

enum { EXT_LEN = 16 };
#define MAX_CRYPT_HEADER    (64 * MIB)

/* @opts: those of "encrypt". */
static bool is_luks(const QDict *opts, Error **errp)
{
    const char *format = qdict_str_or(opts, "format", "luks");

    if (strcmp(format, "luks")) {
        error_setf(errp, ERR_NOT_SUPPORTED, "'encrypt.format' is '%s'; accepted: luks", format);
        return false;
    }
    return true;
}

static uint8_t *password(const QDict *opts, size_t *len, Error **errp)
{
    const char *secret = opts ? qdict_str_or(opts, "key-secret", NULL) : NULL;

    if (opts && !is_luks(opts, errp)) {
        return NULL;
    }
    if (!secret) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "Parameter 'encrypt.key-secret' is required for cipher");
        return NULL;
    }
    return secret_bytes(secret, len, errp);
}

/* --- opening --- */

static bool find_header(Qcow2 *s, Error **errp)
{
    int64_t file = block_length(s->n->file);

    for (guint i = 0; i < s->extensions->len; i++) {
        const Extension *e = &g_array_index(s->extensions, Extension, i);

        if (e->type == EXT_CRYPT && e->len >= EXT_LEN) {
            s->crypt_offset = load_be64(e->data);
            s->crypt_length = load_be64(e->data + 8);
        }
    }
    if (!s->crypt_offset || s->crypt_offset & (s->cluster_size - 1) || s->crypt_length < LUKS_HEADER_BYTES ||
        s->crypt_length > MAX_CRYPT_HEADER || file < 0 || s->crypt_offset > (uint64_t)file ||
        s->crypt_length > ALIGN_UP((uint64_t)file, s->cluster_size) - s->crypt_offset) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the encryption header (extension 0x%08x) is at offset 0x%" PRIx64 ", %" PRIu64 " bytes; accepted: "
                   "a cluster in the file, %d bytes to %" PRIu64, EXT_CRYPT, s->crypt_offset, s->crypt_length, LUKS_HEADER_BYTES,
                   (uint64_t)MAX_CRYPT_HEADER);
        return false;
    }
    return true;
}

static bool coroutine_fn open_crypt(Qcow2 *s, const QDict *opts, Error **errp)
{
    uint8_t *key;
    size_t len;

    if (!s->crypt_method) {
        if (opts) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "No encryption in image header, but options specified format '%s'",
                       qdict_str_or(opts, "format", "luks"));
        }
        return !opts;
    }
    if (!find_header(s, errp) || !luks_read_header(s->n->file, s->crypt_offset, s->crypt_length, &s->luks, errp)) {
        return false;
    }
    if (s->n->check_only && !opts) {
        return true;                /* tables alone are looked at */
    }
    key = password(opts, &len, errp);
    if (key) {
        s->crypt.cipher = luks_unlock(s->n->file, &s->luks, key, len, errp);
        secret_free(key, len);
    }
    return s->crypt.cipher;
}

bool coroutine_fn qcow2_open_crypt(Qcow2 *s, const QDict *opts, Error **errp)
{
    QDict *encrypt = block_nested_options(opts, "encrypt");
    bool ok = open_crypt(s, encrypt, errp);

    qobject_unref(encrypt);
    return ok;
}

/* --- data --- */

int coroutine_fn qcow2_read_data(Qcow2 *s, uint64_t host, const struct iovec *iov, size_t niov)
{
    if (!s->crypt_method) {
        return block_co_preadv(s->n->file, host, iov, niov);
    }
    return s->crypt.cipher ? luks_io_read(&s->crypt, s->n->file, host, iov, niov) : -EACCES;
}

int coroutine_fn qcow2_write_data(Qcow2 *s, uint64_t host, const struct iovec *iov, size_t niov)
{
    if (!s->crypt_method) {
        return block_co_pwritev(s->n->file, host, iov, niov);
    }
    return s->crypt.cipher ? luks_io_write(&s->crypt, s->n->file, host, iov, niov) : -EACCES;
}

/* --- passwords come and go --- */

bool coroutine_fn qcow2_co_amend(BlockNode *n, const QDict *opts, bool force, Error **errp)
{
    const QDict *change = qobject_to_dict(qdict_get(opts, "encrypt"));
    Qcow2 *s = n->state;
    QDict *encrypt;
    bool ok;

    if (!change) {
        return true;
    }
    if (!s->crypt.cipher) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "the image '%s' isn't encrypted", n->filename);
        return false;
    }
    encrypt = block_nested_options(n->opts, "encrypt");
    co_mutex_lock(&s->crypt_header);
    ok = luks_amend(n->file, &s->luks, qdict_str_or(encrypt, "key-secret", NULL), change, force, errp);
    co_mutex_unlock(&s->crypt_header);
    qobject_unref(encrypt);
    return ok;
}

/* --- making --- */

bool qcow2_choose_crypt(Qcow2 *s, const QDict *opts, LuksChoice *c, Error **errp)
{
    if (!opts) {
        return true;
    }
    if (!qdict_has(opts, "format")) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "Parameter 'encrypt.format' is missing");
        return false;
    }
    if (!is_luks(opts, errp) || !luks_choose(c, opts, errp)) {
        return false;
    }
    s->crypt_method = CRYPT_LUKS;
    s->crypt_length = luks_header_bytes(c);
    return true;
}

bool coroutine_fn qcow2_make_crypt(Qcow2 *s, const QDict *opts, LuksChoice *c, Error **errp)
{
    Extension e = { EXT_CRYPT, EXT_LEN, NULL };
    uint64_t payload, end = s->crypt_offset + ALIGN_UP(s->crypt_length, s->cluster_size);
    uint8_t *key;
    size_t len;
    bool ok;

    key = password(opts, &len, errp);
    if (!key) {
        return false;
    }
    c->base = s->crypt_offset;
    ok = luks_make_header(s->n->file, c, key, len, &payload, errp);
    secret_free(key, len);
    if (!ok || (block_length(s->n->file) < (int64_t)end && !format_set_length(s->n->file, end, errp))) {
        return false;
    }
    e.data = g_malloc(EXT_LEN);
    store_be64(e.data, s->crypt_offset);
    store_be64(e.data + 8, s->crypt_length);
    s->extensions = g_array_new(false, true, sizeof(Extension));
    g_array_append_val(s->extensions, e);
    return true;
}
