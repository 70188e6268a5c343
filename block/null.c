/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drivers "null-co" and "null-aio": a disk of zeros that forgets what is written. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"
#include "util/coroutine.h"
#include "util/iov.h"

typedef struct NullState {
    uint64_t size, latency_ns;
    bool zeros;                     /* reads write zeros into the buffer */
} NullState;

static bool null_open(BlockNode *n, const QDict *opts, Error **errp)
{
    NullState *s = n->state;

    s->size = GIB;
    s->zeros = block_bool_option(opts, "read-zeroes", false);
    return block_size_option(opts, "latency-ns", &s->latency_ns, errp) && block_size_option(opts, "size", &s->size, errp);
}

static int64_t null_length(BlockNode *n)
{
    return ((NullState *)n->state)->size;
}

static int coroutine_fn wait(BlockNode *n)
{
    NullState *s = n->state;

    if (s->latency_ns) {
        co_sleep_ns(CLOCK_RT, MIN(s->latency_ns, (uint64_t)INT64_MAX / 2));
    }
    return 0;
}

static int coroutine_fn null_co_preadv(BlockNode *n, UNUSED uint64_t offset,
                                       const struct iovec *iov, size_t niov)
{
    /* Without read-zeroes what is in the buffer would do; a guest's memory isn't told by zeros. */
    iov_memset(iov, niov, 0, 0, iov_size(iov, niov));
    return wait(n);
}

static int coroutine_fn null_co_pwritev(BlockNode *n, UNUSED uint64_t offset,
                                        UNUSED const struct iovec *iov, UNUSED size_t niov)
{
    return wait(n);
}

static int coroutine_fn null_co_flush(BlockNode *n)
{
    return wait(n);
}

static int coroutine_fn null_co_status(BlockNode *n, UNUSED uint64_t offset, uint64_t len,
                                       BlockStatus *st)
{
    bool zeros = ((NullState *)n->state)->zeros;

    *st = (BlockStatus){ .len = len, .allocated = true, .data = !zeros, .zero = zeros };
    return 0;
}

static const char *const null_options[] = { "size", "read-zeroes", "latency-ns", NULL };

static BlockDriver driver_null = {
    .name = "null-co", .options = null_options, .state_size = sizeof(NullState),
    .open = null_open, .length = null_length, .co_preadv = null_co_preadv,
    .co_pwritev = null_co_pwritev, .co_flush = null_co_flush, .co_status = null_co_status,
};

static BlockDriver driver_null_aio = {
    .name = "null-aio", .options = null_options, .state_size = sizeof(NullState),
    .open = null_open, .length = null_length, .co_preadv = null_co_preadv,
    .co_pwritev = null_co_pwritev, .co_flush = null_co_flush, .co_status = null_co_status,
};

static void CONSTRUCTOR register_drivers(void)
{
    block_driver_register(&driver_null);
    block_driver_register(&driver_null_aio);
}
