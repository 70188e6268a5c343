/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/postcopy.h"

#include <glib.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include "migration/userfault.h"
#include "util/bitmap.h"
#include "util/thread.h"

struct Postcopy {
    RamBlock *const *blocks;    /* borrowed */
    size_t n;
    uint64_t **missing;         /* a bit for each page of a block that has to come; the reading thread's */
    Mutex lock;
    uint64_t **asked;           /* lock; those that were asked for */
    Userfault *faults;
    void (*request)(void *opaque, uint32_t block, uint64_t page);
    void *opaque;
};

bool postcopy_check(RamBlock *const *blocks, size_t n, Error **errp)
{
    return userfault_check(blocks, n, USERFAULT_MISSING, "post-copy", errp);
}

static void wanted(void *opaque, uint32_t block, uint64_t page)
{
    Postcopy *p = opaque;
    bool is_new;

    mutex_lock(&p->lock);
    is_new = !bitmap_test(p->asked[block], page);
    bitmap_set_bit(p->asked[block], page);
    mutex_unlock(&p->lock);
    if (is_new) {
        p->request(p->opaque, block, page);
    }
}

static void free_maps(Postcopy *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->asked[i]);
        free(p->missing[i]);
    }
    g_free(p->asked);
    g_free(p->missing);
    mutex_destroy(&p->lock);
    g_free(p);
}

Postcopy *postcopy_new(RamBlock *const *blocks, size_t n,
                       void (*request)(void *opaque, uint32_t block, uint64_t page), void *opaque,
                       Error **errp)
{
    Postcopy *p = g_new0(Postcopy, 1);

    p->blocks = blocks;
    p->n = n;
    p->request = request;
    p->opaque = opaque;
    mutex_init(&p->lock);
    p->missing = g_new0(uint64_t *, n);
    p->asked = g_new0(uint64_t *, n);
    for (size_t i = 0; i < n; i++) {
        p->missing[i] = bitmap_new(blocks[i]->size >> MEM_PAGE_BITS);
        p->asked[i] = bitmap_new(blocks[i]->size >> MEM_PAGE_BITS);
    }
    p->faults = userfault_new(blocks, n, USERFAULT_MISSING, "post-copy", wanted, p, errp);
    if (!p->faults) {
        free_maps(p);
        return NULL;
    }
    return p;
}

void postcopy_discard(Postcopy *p, uint32_t block, uint64_t page, uint64_t n)
{
    ram_block_discard(p->blocks[block], page << MEM_PAGE_BITS, n << MEM_PAGE_BITS);
    bitmap_set(p->missing[block], page, n);
}

const uint64_t *postcopy_missing(const Postcopy *p, uint32_t block)
{
    return p->missing[block];
}

void postcopy_ask_again(Postcopy *p)
{
    for (size_t i = 0; i < p->n; i++) {
        uint64_t pages = p->blocks[i]->size >> MEM_PAGE_BITS;

        for (uint64_t page = bitmap_find_set(p->missing[i], pages, 0); page < pages;
             page = bitmap_find_set(p->missing[i], pages, page + 1)) {
            bool asked;

            mutex_lock(&p->lock);
            asked = bitmap_test(p->asked[i], page);
            mutex_unlock(&p->lock);
            if (asked) {
                p->request(p->opaque, (uint32_t)i, page);
            }
        }
    }
}

bool postcopy_place(Postcopy *p, uint32_t block, uint64_t page, const uint8_t *data, Error **errp)
{
    struct uffdio_copy copy = {
        .dst = (uintptr_t)p->blocks[block]->host + (page << MEM_PAGE_BITS),
        .src = (uintptr_t)data, .len = MEM_PAGE_SIZE,
    };

    bitmap_clear_bit(p->missing[block], page);
    while (ioctl(userfault_fd(p->faults), UFFDIO_COPY, &copy) < 0) {
        if (errno == EEXIST) {
            /* It is there already: so is whoever waited, perhaps without having been told. */
            struct uffdio_range range = { copy.dst, copy.len };

            ioctl(userfault_fd(p->faults), UFFDIO_WAKE, &range);
            return true;
        }
        if (errno != EAGAIN) {
            error_set_errno(errp, errno, "RAM block '%s', page %" PRIu64 " can't be put in place",
                            p->blocks[block]->id, page);
            return false;
        }
        copy.copy = 0;
    }
    return true;
}

void postcopy_free(Postcopy *p)
{
    if (p) {
        userfault_free(p->faults);
        free_maps(p);
    }
}
