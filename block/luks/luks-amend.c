/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LUKS: passwords of a volume that is open come and go (x-blockdev-amend). The last one stays unless it is forced: with it
 * goes the key, and all that is on the volume.
 */
#include "util/osdep.h"
#include <glib.h>
#include "block/luks/luks.h"
#include "crypto/secret.h"

typedef struct Amend {
    BlockNode *file;
    LuksHeader h;
    const QDict *opts;
    int64_t slot;                   /* -1: none is named */
    bool force;
} Amend;

static unsigned active_slots(const LuksHeader *h)
{
    unsigned n = 0;

    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        n += h->slots[i].active;
    }
    return n;
}

/* The password that a member names. */
static uint8_t *password(const Amend *a, const char *member, const char *otherwise, size_t *len, Error **errp)
{
    const char *id = qdict_str_or(a->opts, member, otherwise);

    if (!id) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "Parameter '%s' is missing", member);
        return NULL;
    }
    return secret_bytes(id, len, errp);
}

/* --- a new one --- */

static bool choose_slot(Amend *a, Error **errp)
{
    for (unsigned i = 0; i < LUKS_SLOTS && a->slot < 0; i++) {
        a->slot = a->h.slots[i].active ? -1 : (int)i;
    }
    if (a->slot < 0) {
        error_setf(errp, ERR_OUT_OF_RANGE, "all %d key slots are in use: there is no room for another password", LUKS_SLOTS);
        return false;
    }
    if (a->h.slots[a->slot].active && !a->force) {
        error_setf(errp, ERR_IN_USE, "key slot %" PRId64 " is in use: deactivate it first, or use 'force', which loses its password "
                   "even if the new one can't be written", a->slot);
        return false;
    }
    return true;
}

static bool coroutine_fn activate(Amend *a, const char *secret, Error **errp)
{
    uint64_t ms = qdict_int_or(a->opts, "iter-time", LUKS_ITER_TIME_MS);
    size_t old_len = 0, new_len = 0;
    uint8_t key[SECTOR_CIPHER_KEY_MAX], *old = NULL, *new = NULL;
    bool ok = luks_check_iter_time(ms, errp) && choose_slot(a, errp) &&
              (new = password(a, "new-secret", NULL, &new_len, errp)) &&
              (old = password(a, "secret", secret, &old_len, errp)) &&
              luks_find_key(a->file, &a->h, old, old_len, key, errp) &&
              luks_fill_slot(a->file, &a->h, a->slot, new, new_len, key, ms, errp);

    explicit_bzero(key, sizeof(key));
    secret_free(old, old_len);
    secret_free(new, new_len);
    return ok;
}

/* --- one that goes --- */

/* Marks the slots that open with "old-secret", of those that may be meant; without that member, the one that is named. */
static bool coroutine_fn choose_old(Amend *a, bool *goes, Error **errp)
{
    bool any = false, ok = true;
    size_t len;
    uint8_t *old;

    if (!qdict_get(a->opts, "old-secret")) {
        if (a->slot < 0) {
            error_setf(errp, ERR_MISSING_ARGUMENT, "one of 'keyslot' and 'old-secret' is needed to know which password goes");
            return false;
        }
        goes[a->slot] = true;
        return true;
    }
    old = password(a, "old-secret", NULL, &len, errp);
    if (!old) {
        return false;
    }
    for (unsigned i = 0; i < LUKS_SLOTS && ok; i++) {
        if (a->h.slots[i].active && (a->slot < 0 || a->slot == i)) {
            ok = luks_slot_opens(a->file, &a->h, i, old, len, &goes[i], errp);
            any |= goes[i];
        }
    }
    secret_free(old, len);
    if (ok && !any) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "no key slot that is meant opens with the password in 'old-secret'");
    }
    return ok && any;
}

static bool coroutine_fn deactivate(Amend *a, Error **errp)
{
    bool goes[LUKS_SLOTS] = { false };
    unsigned n = 0;

    if (qdict_get(a->opts, "new-secret") || qdict_get(a->opts, "iter-time")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'new-secret' and 'iter-time' are of state 'active' only");
        return false;
    }
    if (a->slot >= 0 && !a->h.slots[a->slot].active) {
        error_setf(errp, ERR_WRONG_STATE, "key slot %" PRId64 " isn't active", a->slot);
        return false;
    }
    if (!choose_old(a, goes, errp)) {
        return false;
    }
    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        n += goes[i];
    }
    if (n == active_slots(&a->h) && !a->force) {
        error_setf(errp, ERR_PERMISSION, "no password would be left, and all that is on the volume would be lost; 'force' does it");
        return false;
    }
    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        if (goes[i] && !luks_erase_slot(a->file, &a->h, i, errp)) {
            return false;
        }
    }
    return true;
}

bool coroutine_fn luks_amend(BlockNode *file, LuksHeader *h, const char *secret, const QDict *opts, bool force, Error **errp)
{
    Amend a = { .file = file, .opts = opts, .slot = qdict_int_or(opts, "keyslot", -1), .force = force };
    bool on = !strcmp(qdict_str_or(opts, "state", ""), "active");
    int r;

    if (qdict_get(opts, "keyslot") && (a.slot < 0 || a.slot >= LUKS_SLOTS)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'keyslot' is %" PRId64 "; accepted: 0 to %d", a.slot, LUKS_SLOTS - 1);
        return false;
    }
    if (on && qdict_get(opts, "old-secret")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'old-secret' is of state 'inactive' only");
        return false;
    }
    if (!luks_read_header(file, h->base, block_length(file) - h->base, &a.h, errp) || !(on ? activate(&a, secret, errp) : deactivate(&a, errp)) ||
        !luks_write_header(file, &a.h, errp)) {
        return false;
    }
    *h = a.h;
    r = block_co_flush(file);
    if (r < 0) {
        error_set_errno(errp, -r, "the volume's header can't be flushed");
    }
    return r == 0;
}
