/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <sys/mman.h>
#include <unistd.h>
#include "qobject/error.h"
#include "tests/fuzz/image.h"
#include "util/main-loop.h"

int fuzz_image_file(char path[64], const uint8_t *data, size_t size, size_t round)
{
    int fd = memfd_create("image", MFD_CLOEXEC);

    snprintf(path, 64, "/proc/self/fd/%d", fd);
    if (fd < 0 || write(fd, data, size) < 0 || ftruncate(fd, ALIGN_UP(size + 1, round)) < 0) {
        abort();
    }
    return fd;
}

BlockNode *fuzz_image_open(QDict *opts)
{
    Error *err = NULL;
    BlockNode *n = block_node_open(opts, &err);

    if (!n && (!err || !*error_message(err))) {
        abort();                        /* refused without a word */
    }
    error_free(err);
    qobject_unref(opts);
    return n;
}

void fuzz_image_settle(void)
{
    while (main_loop_iterate(false)) {
    }
}

void coroutine_fn fuzz_image_io(BlockNode *n, const uint8_t *c, bool write)
{
    uint64_t length = block_length(n), offset, len = (c[0] + 1) * (c[1] & 1 ? 509 : 512);
    uint8_t *buf, *back;
    struct iovec v;

    if (length < len) {
        return;
    }
    offset = c[2] & 1 ? length - len : ((uint64_t)c[3] << 9 | (uint64_t)c[4] << 17) % (length - len + 1);
    buf = g_malloc0(len);
    back = g_malloc0(len);
    v = (struct iovec){ buf, len };
    if (!write) {
        block_co_preadv(n, offset, &v, 1);
    } else if (c[1] & 2) {
        block_co_zero(n, offset, len, c[1] >> 2 & 1);
    } else if (c[1] & 8) {
        block_co_discard(n, offset, len);
    } else {
        memset(buf, 0xa5, len);
        if (block_co_pwritev(n, offset, &v, 1) == 0) {
            /* A damaged image may hold the same cluster twice, but not within one write's. */
            v.iov_base = back;
            block_co_preadv(n, offset, &v, 1);
        }
    }
    g_free(buf);
    g_free(back);
}
