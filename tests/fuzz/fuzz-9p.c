/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as 9P messages to a file system in memory: a message is a length (two bytes, little-endian), the room for its
 * answer in units of 16 bytes (one byte), and its bytes, whose size field is put right if the top bit of the
 * length is clear.
 */
#include "util/osdep.h"
#include <glib.h>
#include "hw/9p/p9.h"
#include "util/bswap.h"
#include "util/main-loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define MESSAGES    64

typedef struct Call {
    P9Io io;
    bool done;
} Call;

static void call_done(P9Io *io, UNUSED size_t len)
{
    container_of(io, Call, io)->done = true;
}

static size_t one_message(P9 *p, const uint8_t *data, size_t size)
{
    size_t len = MIN((size_t)(load_le16(data) & 0x7fff), size - 3);
    g_autofree uint8_t *m = g_memdup2(data + 3, len), *ans = g_malloc0(16 * data[2] + 1);
    struct iovec out = { m, len }, in = { ans, 16 * data[2] };
    Call call = { .io = { .out = &out, .n_out = 1, .out_bytes = len, .in = &in, .n_in = 1, .in_bytes = in.iov_len,
                          .done = call_done } };

    if (!(data[1] & 0x80) && len >= 4) {
        store_le32(m, (uint32_t)len);
    }
    p9_request(p, &call.io);
    main_loop_run_until(&call.done);
    return 3 + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    QOBJECT_AUTO QDict *opts = qdict_from_fmt("{'fsdriver': 'synth', 'id': 'f'}");
    FsDev *fs;
    P9 *p;

    fsdev_add(opts, NULL);
    fs = fsdev_use("f", NULL);
    p = p9_new(fs, "fuzz");
    for (int i = 0; i < MESSAGES && size > 3; i++) {
        size_t n = one_message(p, data, size);

        data += n;
        size -= n;
    }
    p9_free(p);
    fsdev_release(fs);
    fsdev_close_all();
    return 0;
}

int LLVMFuzzerInitialize(UNUSED int *argc, UNUSED char ***argv)
{
    main_loop_init();
    return 0;
}
