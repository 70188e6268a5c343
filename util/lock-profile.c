/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of fixed size that nobody locks, since locks are what it is about: a slot is claimed once, by its first
 * wait, and its counters are atomic.
 */
#include "util/osdep.h"
#include "util/lock-profile.h"

enum { SLOT_BITS = 12, SLOTS = 1 << SLOT_BITS };
enum { FREE, CLAIMED, USED };

typedef struct Slot {
    _Atomic int state;
    LockKind kind;
    const void *object;
    const char *site;
    _Atomic uint64_t count, wait_ns;
} Slot;

_Atomic bool lock_profile_on;
/* Made when profiling is switched on for the first time, and never freed: some thread may be about to count. */
static Slot *_Atomic table;
static _Atomic uint64_t lost;

void lock_profile_set(bool on)
{
    if (on && !atomic_load(&table)) {
        Slot *made = g_new0(Slot, SLOTS), *none = NULL;

        if (!atomic_compare_exchange_strong(&table, &none, made)) {
            g_free(made);
        }
    }
    atomic_store(&lock_profile_on, on);
}

bool lock_profile_is_on(void)
{
    return atomic_load(&lock_profile_on);
}

/* Waits that are being counted now may be counted after it. */
void lock_profile_reset(void)
{
    Slot *slots = atomic_load(&table);

    for (unsigned i = 0; slots && i < SLOTS; i++) {
        atomic_store(&slots[i].count, 0);
        atomic_store(&slots[i].wait_ns, 0);
    }
    atomic_store(&lost, 0);
}

uint64_t lock_profile_lost(void)
{
    return atomic_load(&lost);
}

static bool is_of(Slot *s, const void *object, const char *site)
{
    int state = FREE;

    if (atomic_load_explicit(&s->state, memory_order_acquire) == FREE &&
        atomic_compare_exchange_strong(&s->state, &state, CLAIMED)) {
        s->object = object;
        s->site = site;
        atomic_store_explicit(&s->state, USED, memory_order_release);
    }
    while (atomic_load_explicit(&s->state, memory_order_acquire) == CLAIMED) {
    }
    return s->object == object && s->site == site;
}

void lock_profile_add(LockKind kind, const void *object, const char *site, int64_t ns)
{
    Slot *slots = atomic_load_explicit(&table, memory_order_acquire);
    uint64_t hash = ((uintptr_t)object ^ (uintptr_t)site << 20) * UINT64_C(0x9e3779b97f4a7c15);

    for (unsigned i = 0; i < SLOTS; i++) {
        Slot *s = &slots[((hash >> (64 - SLOT_BITS)) + i) % SLOTS];

        if (is_of(s, object, site)) {
            s->kind = kind;
            atomic_fetch_add_explicit(&s->count, 1, memory_order_relaxed);
            atomic_fetch_add_explicit(&s->wait_ns, (uint64_t)MAX(ns, 0), memory_order_relaxed);
            return;
        }
    }
    atomic_fetch_add(&lost, 1);
}

static const char *without_up(const char *site)
{
    while (g_str_has_prefix(site, "../")) {
        site += 3;
    }
    return site;
}

static LockWaits *same_place(GArray *all, const char *site)
{
    for (unsigned i = 0; i < all->len; i++) {
        LockWaits *w = &g_array_index(all, LockWaits, i);

        if (!strcmp(w->site, site)) {
            return w;
        }
    }
    return NULL;
}

GArray *lock_profile_get(bool merge)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(LockWaits));
    Slot *slots = atomic_load(&table);

    for (unsigned i = 0; slots && i < SLOTS; i++) {
        Slot *s = &slots[i];
        LockWaits w, *before;

        if (atomic_load_explicit(&s->state, memory_order_acquire) != USED || !atomic_load(&s->count)) {
            continue;
        }
        w = (LockWaits){ s->kind, s->object, 1, without_up(s->site), atomic_load(&s->count), atomic_load(&s->wait_ns) };
        before = merge ? same_place(all, w.site) : NULL;
        if (before) {
            before->objects++;
            before->count += w.count;
            before->wait_ns += w.wait_ns;
        } else {
            g_array_append_val(all, w);
        }
    }
    return all;
}
