/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/guest-random.h"

#include <errno.h>
#include <sys/random.h>

static bool seeded;
static uint64_t counter;        /* atomic */

void guest_random_seed(uint64_t seed)
{
    seeded = true;
    counter = seed;
}

/* SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators"): a counter
 * that is mixed, so that threads need no lock. */
static uint64_t next(void)
{
    uint64_t v = __atomic_add_fetch(&counter, UINT64_C(0x9e3779b97f4a7c15), __ATOMIC_RELAXED);

    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

uint64_t guest_random_u64(void)
{
    uint64_t v;

    guest_random_bytes(&v, sizeof(v));
    return v;
}

void guest_random_bytes(void *buf, size_t n)
{
    uint8_t *p = buf;

    while (n) {
        size_t part = MIN(n, sizeof(uint64_t));
        ssize_t got;
        uint64_t v;

        if (seeded) {
            v = next();
            memcpy(p, &v, part);
            got = part;
        } else {
            got = getrandom(p, part, 0);
            if (got < 0) {
                assert(errno == EINTR);         /* with small requests nothing else can be */
                continue;
            }
        }
        p += got;
        n -= got;
    }
}
