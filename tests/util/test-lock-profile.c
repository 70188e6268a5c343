/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits for locks and conditions are counted by place and object. */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "util/lock-profile.h"
#include "util/thread.h"

#define HERE    "test-lock-profile.c:"

typedef struct Pair {
    Mutex a, b;
    Cond c;
} Pair;

static void lock_both(Pair *p)
{
    Mutex *each[] = { &p->a, &p->b };

    for (unsigned i = 0; i < 2; i++) {
        mutex_lock(each[i]);                /* one place, two objects */
        mutex_unlock(each[i]);
    }
}

static unsigned find(GArray *all, LockKind kind, LockWaits *found)
{
    unsigned n = 0;

    for (unsigned i = 0; i < all->len; i++) {
        const LockWaits *w = &g_array_index(all, LockWaits, i);

        if (w->kind == kind && strstr(w->site, HERE)) {
            *found = *w;
            n++;
        }
    }
    return n;
}

TEST(lock_profile, counts_by_place_and_object)
{
    Pair p;
    LockWaits w = { .count = 0 };
    GArray *all;

    mutex_init(&p.a);
    mutex_init(&p.b);
    cond_init(&p.c);
    lock_both(&p);
    all = lock_profile_get(true);
    check_u64(t, find(all, LOCK_MUTEX, &w), 0, "off: nothing is counted");
    g_array_unref(all);

    lock_profile_set(true);
    check_true(t, lock_profile_is_on(), "on");
    lock_both(&p);
    lock_both(&p);
    all = lock_profile_get(true);
    check_u64(t, find(all, LOCK_MUTEX, &w), 1, "one place");
    check_u64(t, w.count, 4, "four locks");
    check_u64(t, w.objects, 2, "of two objects");
    check_true(t, g_str_has_prefix(w.site, "tests/util/" HERE), "the place is told from the source's root");
    g_array_unref(all);
    all = lock_profile_get(false);
    check_u64(t, find(all, LOCK_MUTEX, &w), 2, "each object by itself");
    check_u64(t, w.count, 2, "its locks");
    g_array_unref(all);

    mutex_lock(&p.a);
    check_true(t, !cond_wait_ns(&p.c, &p.a, 2000000), "nobody signals");
    mutex_unlock(&p.a);
    all = lock_profile_get(true);
    check_u64(t, find(all, LOCK_COND, &w), 1, "a condition");
    check_true(t, w.object == &p.c && w.count == 1 && w.wait_ns >= 2000000, "two milliseconds at least");
    g_array_unref(all);

    lock_profile_set(false);
    lock_both(&p);
    all = lock_profile_get(true);
    check_true(t, find(all, LOCK_COND, &w), "off: what was counted stays");
    g_array_unref(all);
    lock_profile_reset();
    all = lock_profile_get(true);
    check_u64(t, all->len, 0, "reset");
    g_array_unref(all);
    cond_destroy(&p.c);
    mutex_destroy(&p.b);
    mutex_destroy(&p.a);
}

TEST(lock_profile, more_objects_than_there_is_room_for)
{
    enum { MANY = 5000 };
    Mutex *m = g_new0(Mutex, MANY);
    GArray *all;
    uint64_t counted = 0;

    lock_profile_set(true);
    lock_profile_reset();
    for (unsigned i = 0; i < MANY; i++) {
        mutex_init(&m[i]);
        mutex_lock(&m[i]);
        mutex_unlock(&m[i]);
        mutex_destroy(&m[i]);
    }
    lock_profile_set(false);
    all = lock_profile_get(true);
    for (unsigned i = 0; i < all->len; i++) {
        counted += g_array_index(all, LockWaits, i).count;
    }
    check_true(t, lock_profile_lost() > 0, "some had no room");
    check_u64(t, counted + lock_profile_lost(), MANY, "none is forgotten");
    g_array_unref(all);
    lock_profile_reset();
    g_free(m);
}
