/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver "luks": an encrypted volume in another node, opened by the password in a secret object.
 */
#include "util/osdep.h"
#include <glib.h>
#include "block/format.h"
#include "block/luks/luks.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "util/bswap.h"

typedef struct Luks {
    LuksIo io;
    LuksHeader h;
    CoMutex header;                 /* held while passwords change */
} Luks;

static int coroutine_fn luks_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    return luks_io_read(&((Luks *)n->state)->io, n->file, offset, iov, niov);
}

static int coroutine_fn luks_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    return luks_io_write(&((Luks *)n->state)->io, n->file, offset, iov, niov);
}

static int coroutine_fn luks_co_flush(BlockNode *n)
{
    return block_co_flush(n->file);
}

static int coroutine_fn luks_co_truncate(BlockNode *n, uint64_t length, Error **errp)
{
    Luks *s = n->state;

    return format_truncate_file(n, s->io.payload + length, errp);
}

static int64_t luks_length(BlockNode *n)
{
    Luks *s = n->state;
    int64_t length = block_length(n->file);

    return length < 0 ? length : ALIGN_DOWN(MAX(length - (int64_t)s->io.payload, INT64_C(0)), INT64_C(512));
}

/* What stands in the file is no zeros here. */
static int coroutine_fn luks_co_status(UNUSED BlockNode *n, UNUSED uint64_t offset, uint64_t len, BlockStatus *st)
{
    *st = (BlockStatus){ .len = len, .allocated = true, .data = true };
    return 0;
}

static void luks_info(UNUSED BlockNode *n, BlockFormatInfo *info)
{
    *info = (BlockFormatInfo){ .new_has_noise = true, .encrypted = true };
}

static struct ImageInfoSpecific *specific(BlockNode *n)
{
    return luks_specific(&((Luks *)n->state)->h);
}

/* --- opening --- */

static int luks_probe(const uint8_t *b, size_t len)
{
    return len >= 8 && !memcmp(b, "LUKS\xba\xbe", 6) && load_be16(b + 6) == 1 ? 100 : 0;
}

typedef struct Open {
    BlockNode *n;
    const uint8_t *password;
    size_t len;
    Error **errp;
    bool ok;
} Open;

static void coroutine_fn open_entry(void *opaque)
{
    Open *o = opaque;
    Luks *s = o->n->state;

    if (luks_read_header(o->n->file, 0, block_length(o->n->file), &s->h, o->errp)) {
        s->io.payload = s->h.payload * UINT64_C(512);
        s->io.cipher = luks_unlock(o->n->file, &s->h, o->password, o->len, o->errp);
    }
    o->ok = s->io.cipher;
}

static bool luks_open(BlockNode *n, const QDict *opts, Error **errp)
{
    const char *secret = qdict_str_or(opts, "key-secret", NULL);
    Open o = { .n = n, .errp = errp };
    Luks *s = n->state;
    uint8_t *password;

    n->read_only |= n->file->read_only;
    n->filename = g_strdup(n->file->filename);
    if (!secret) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "Parameter 'key-secret' is required for cipher");
        return false;
    }
    password = secret_bytes(secret, &o.len, errp);
    if (!password) {
        return false;
    }
    o.password = password;
    block_run(open_entry, &o);
    secret_free(password, o.len);
    if (!o.ok) {
        error_prepend(errp, "LUKS volume '%s': ", n->filename ? n->filename : n->file->name);
        return false;
    }
    luks_io_init(&s->io);
    co_mutex_init(&s->header);
    return true;
}

static void luks_close(BlockNode *n)
{
    Luks *s = n->state;

    co_mutex_destroy(&s->header);
    luks_io_free(&s->io);
}

static bool luks_reopen(UNUSED BlockNode *n, UNUSED bool read_only, UNUSED Error **errp)
{
    return true;
}

static void luks_limits(UNUSED BlockNode *n, BlockLimits *l)
{
    l->request_alignment = l->memory_alignment = 0;
}

static bool coroutine_fn luks_co_amend(BlockNode *n, const QDict *opts, bool force, Error **errp)
{
    Luks *s = n->state;
    bool ok;

    co_mutex_lock(&s->header);
    ok = luks_amend(n->file, &s->h, qdict_str_or(n->opts, "key-secret", NULL), opts, force, errp);
    co_mutex_unlock(&s->header);
    return ok;
}

/* --- making --- */

bool luks_check_iter_time(uint64_t ms, Error **errp)
{
    if (ms == 0 || ms > 60000) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'iter-time' is %" PRIu64 "; accepted: 1 to 60000 (milliseconds)", ms);
        return false;
    }
    return true;
}

bool luks_choose(LuksChoice *c, const QDict *opts, Error **errp)
{
    const char *cipher = qdict_str_or(opts, "cipher-alg", "aes-256"), *how = qdict_str_or(opts, "cipher-mode", "xts");
    const char *iv = qdict_str_or(opts, "ivgen-alg", "plain64"), *iv_hash = qdict_str_or(opts, "ivgen-hash-alg", "sha256");
    bool essiv = !strcmp(iv, "essiv");

    if (strcmp(cipher, "aes-128") && strcmp(cipher, "aes-256")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'cipher-alg' is '%s'; accepted: aes-128, aes-256", cipher);
        return false;
    }
    *c = (LuksChoice){ .cipher = "aes", .hash = qdict_str_or(opts, "hash-alg", "sha256"),
                       .iter_time_ms = qdict_int_or(opts, "iter-time", LUKS_ITER_TIME_MS) };
    c->key_bytes = (strcmp(cipher, "aes-128") ? 32 : 16) * (strcmp(how, "xts") ? 1 : 2);
    snprintf(c->mode, sizeof(c->mode), "%s-%s%s%s", how, iv, essiv ? ":" : "", essiv ? iv_hash : "");
    return luks_check_iter_time(c->iter_time_ms, errp);
}

/* The host's space for the data is taken: what is there reads as noise whatever it is. */
static bool coroutine_fn preallocate(BlockNode *file, const char *how, uint64_t payload, uint64_t size, Error **errp)
{
    int r = 0;

    if (!strcmp(how, "full")) {
        r = block_co_write_zeros(file, payload, size);
    } else if (!strcmp(how, "falloc")) {
        r = block_co_zero(file, payload, size, 0);
    } else if (strcmp(how, "off")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'preallocation' is '%s'; accepted: off, falloc, full", how);
        return false;
    }
    if (r < 0) {
        error_set_errno(errp, -r, "'%s' has no room for %" PRIu64 " bytes", file->filename, size);
    }
    return r == 0;
}

static bool coroutine_fn luks_co_create(BlockNode *file, const QDict *opts, Error **errp)
{
    const char *secret = qdict_str_or(opts, "key-secret", NULL);
    uint64_t size = qdict_int_or(opts, "size", 0), payload;
    uint8_t *password;
    LuksChoice c;
    size_t len;
    bool ok;

    if (!secret) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "Parameter 'key-secret' is required for cipher");
        return false;
    }
    password = secret_bytes(secret, &len, errp);
    if (!password) {
        return false;
    }
    ok = luks_choose(&c, opts, errp) && luks_make_header(file, &c, password, len, &payload, errp);
    secret_free(password, len);
    if (ok && file->drv->co_truncate) {
        ok = file->drv->co_truncate(file, payload + size, errp) == 0;
    } else if (ok && (uint64_t)block_length(file) < payload + size) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'%s' has %" PRId64 " bytes, less than the %" PRIu64 " that are needed", file->filename,
                   block_length(file), payload + size);
        ok = false;
    }
    return ok && preallocate(file, qdict_str_or(opts, "preallocation", "off"), payload, size, errp);
}

static const char *const luks_options[] = { "file", "key-secret", NULL };
static const char *const luks_create_options[] = { "size", "key-secret", "cipher-alg", "cipher-mode", "ivgen-alg", "ivgen-hash-alg",
                                                   "hash-alg", "iter-time", "preallocation", NULL };

static BlockDriver driver_luks = {
    .name = "luks", .options = luks_options, .state_size = sizeof(Luks), .open = luks_open, .close = luks_close,
    .length = luks_length, .co_preadv = luks_co_preadv, .co_pwritev = luks_co_pwritev, .co_flush = luks_co_flush,
    .co_truncate = luks_co_truncate, .limits = luks_limits, .info = luks_info, .specific = specific, .co_status = luks_co_status, .reopen = luks_reopen, .probe = luks_probe,
    .co_amend = luks_co_amend, .co_create = luks_co_create, .create_options = luks_create_options,
};

static void CONSTRUCTOR register_driver(void)
{
    block_driver_register(&driver_luks);
}
