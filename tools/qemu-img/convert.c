/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img convert: several copying coroutines, each of which takes the next chunk. */
#include "util/osdep.h"
#include "tools/qemu-img/img.h"
#include <getopt.h>
#include "util/coroutine.h"

#define CHUNK           (2 * MIB)
#define MAX_COROUTINES  16

typedef struct Convert {
    BlockNode **src;
    uint64_t *src_end;              /* where each source ends in the output */
    size_t n_src;
    BlockNode *dst;
    uint64_t size, next, done;      /* bytes */
    uint64_t chunk;
    uint64_t sparse;                /* runs of zeros of this many bytes aren't written; 0: all are */
    bool compress, zero_init;       /* zero_init: the target reads as zeros already */
    bool has_base;                  /* -B: what isn't in the source's own image stays below */
    bool any_order;                 /* -W */
    uint64_t write_next;            /* chunks are written in order, so that images aren't scattered */
    CoQueue turn;
    unsigned running;
    int result;
    ImgProgress progress;
} Convert;

static BlockNode *source_of(Convert *c, uint64_t at, uint64_t *start, uint64_t *end)
{
    size_t i = 0;

    while (at >= c->src_end[i]) {
        i++;
    }
    *start = i ? c->src_end[i - 1] : 0;
    *end = c->src_end[i];
    return c->src[i];
}

static bool all_zero(const uint8_t *p, size_t len)
{
    return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* Until all chunks before this one are written. */
static void coroutine_fn wait_for_turn(Convert *c, uint64_t at)
{
    while (!c->any_order && c->write_next < at / c->chunk * c->chunk && c->result == 0) {
        co_queue_wait(&c->turn, NULL);
    }
}

static int coroutine_fn put_zeros(Convert *c, uint64_t at, uint64_t len)
{
    return c->zero_init || len == 0 ? 0 : block_co_zero(c->dst, at, len, BLOCK_ZERO_UNMAP);
}

static int coroutine_fn put_data(Convert *c, uint64_t at, const uint8_t *buf, uint64_t len)
{
    struct iovec v;
    uint64_t i = 0;
    int r = 0;

    wait_for_turn(c, at);
    if (c->compress) {
        if (all_zero(buf, len)) {
            return put_zeros(c, at, len);
        }
        return c->dst->drv->co_write_compressed(c->dst, at, buf, len);
    }
    /* Runs of zeros and of data, in steps of the sparse size. */
    while (i < len && r == 0) {
        uint64_t step = c->sparse ? c->sparse : len, n = MIN(step, len - i);
        bool zero = c->sparse && all_zero(buf + i, n);

        while (i + n < len && c->sparse && all_zero(buf + i + n, MIN(step, len - i - n)) == zero) {
            n += MIN(step, len - i - n);
        }
        if (zero) {
            r = put_zeros(c, at + i, n);
        } else {
            v = (struct iovec){ (void *)(buf + i), n };
            r = block_co_pwritev(c->dst, at + i, &v, 1);
        }
        i += n;
    }
    return r;
}

/* One run of the same status. */
static int coroutine_fn copy_run(Convert *c, uint64_t at, uint64_t len, uint8_t *buf, uint64_t *n)
{
    uint64_t start, end;
    BlockNode *src = source_of(c, at, &start, &end), *where;
    struct iovec v;
    BlockStatus st;
    unsigned depth;
    int r;

    len = MIN(len, end - at);
    r = block_co_chain_status(src, at - start, len, &st, &where, &depth);
    if (r < 0) {
        return r;
    }
    *n = MIN(st.len, len);
    if (c->has_base && depth > 0) {
        return 0;
    }
    if (st.zero && c->sparse) {
        if (c->has_base && !c->compress) {
            return block_co_zero(c->dst, at, *n, BLOCK_ZERO_UNMAP);
        }
        return put_zeros(c, at, *n);
    }
    v = (struct iovec){ buf, *n };
    r = block_co_preadv(src, at - start, &v, 1);
    return r < 0 ? r : put_data(c, at, buf, *n);
}

/* Compressed clusters are written whole. */
static int coroutine_fn copy_cluster(Convert *c, uint64_t at, uint64_t len, uint8_t *buf)
{
    uint64_t done = 0;
    bool any = !c->has_base;

    while (done < len) {
        uint64_t start, end, n;
        BlockNode *src = source_of(c, at + done, &start, &end), *where;
        struct iovec v;
        BlockStatus st;
        unsigned depth;
        int r;

        n = MIN(len - done, end - at - done);
        if (c->has_base) {
            r = block_co_chain_status(src, at + done - start, n, &st, &where, &depth);
            if (r < 0) {
                return r;
            }
            any |= depth == 0;
        }
        v = (struct iovec){ buf + done, n };
        r = block_co_preadv(src, at + done - start, &v, 1);
        if (r < 0) {
            return r;
        }
        done += n;
    }
    return any ? put_data(c, at, buf, len) : 0;
}

static void coroutine_fn worker(void *opaque)
{
    Convert *c = opaque;
    uint8_t *buf = g_malloc(c->chunk);

    while (c->next < c->size && c->result == 0) {
        uint64_t at = c->next, len = MIN(c->chunk, c->size - at), done = 0;
        int r = 0;

        c->next += len;
        if (c->compress) {
            r = copy_cluster(c, at, len, buf);
        }
        while (!c->compress && done < len && r == 0) {
            uint64_t n = 0;

            r = copy_run(c, at + done, len - done, buf, &n);
            done += n;
        }
        if (r < 0 && c->result == 0) {
            c->result = r;
            img_complain("error while copying at byte %" PRIu64 ": %s", at, strerror(-r));
        }
        wait_for_turn(c, at);
        c->write_next = MAX(c->write_next, at + len);
        co_queue_all(&c->turn);
        c->done += len;
        img_progress(&c->progress, 100.0 * c->done / c->size);
    }
    g_free(buf);
    co_queue_all(&c->turn);
    c->running--;
}

static void coroutine_fn flush_entry(void *opaque)
{
    Convert *c = opaque;

    c->result = block_co_flush(c->dst);
}

static int copy_all(Convert *c, unsigned coroutines)
{
    co_queue_init(&c->turn);
    c->running = coroutines;
    for (unsigned i = 0; i < coroutines; i++) {
        co_start(worker, c);
    }
    while (c->running) {
        main_loop_iterate(true);
    }
    if (c->result == 0) {
        block_run(flush_entry, c);
        if (c->result < 0) {
            img_complain("error while flushing: %s", strerror(-c->result));
        }
    }
    return c->result < 0;
}

/* --- options --- */

typedef struct Args {
    const char *format, *out_format, *cache, *src_cache, *base, *base_format, *snapshot;
    QDict *opts;
    bool compress, progress, quiet, no_create, zero_target, any_order;
    unsigned flags, coroutines;
    uint64_t sparse;
} Args;

static bool parse(int argc, char **argv, Args *a)
{
    static const struct option longs[] = { { "force-share", no_argument, NULL, 'U' },
                                           { "image-opts", no_argument, NULL, 'i' }, { "object", required_argument, NULL, 'j' },
                                           { "target-is-zero", no_argument, NULL, 'z' },
                                           { "salvage", no_argument, NULL, 'x' }, { 0 } };
    int c;

    while ((c = getopt_long(argc, argv, "f:O:B:F:o:l:S:pqnm:Wt:T:cUC", longs, NULL)) != -1) {
        switch (c) {
        case 'f':
            a->format = optarg;
            break;
        case 'O':
            a->out_format = optarg;
            break;
        case 'B':
            a->base = optarg;
            break;
        case 'F':
            a->base_format = optarg;
            break;
        case 'o':
            if (img_wants_help(optarg)) {
                img_print_create_options(a->out_format);
                exit(0);
            }
            if (!img_options(optarg, a->opts)) {
                return false;
            }
            break;
        case 'l':
            a->snapshot = g_str_has_prefix(optarg, "snapshot.name=") ? optarg + 14
                          : g_str_has_prefix(optarg, "snapshot.id=") ? optarg + 12 : optarg;
            break;
        case 'S':
            if (!img_size(optarg, "sparse size", &a->sparse)) {
                return false;
            }
            if (a->sparse % 512) {
                img_complain("Invalid buffer size for sparse output specified. Valid sizes are multiples of "
                             "512 up to %d. Select 0 to disable sparse detection (fully allocates output).",
                             (int)CHUNK);
                return false;
            }
            break;
        case 'p':
            a->progress = true;
            break;
        case 'q':
            a->quiet = true;
            break;
        case 'n':
            a->no_create = true;
            break;
        case 'm':
            a->coroutines = strtoul(optarg, NULL, 10);
            if (a->coroutines < 1 || a->coroutines > MAX_COROUTINES) {
                img_complain("Invalid number of coroutines. Allowed number of coroutines is between 1 and %d",
                             MAX_COROUTINES);
                return false;
            }
            break;
        case 't':
            a->cache = optarg;
            break;
        case 'T':
            a->src_cache = optarg;
            break;
        case 'c':
            a->compress = true;
            break;
        case 'U':
            a->flags |= IMG_FORCE_SHARE;
            break;
        case 'i':
            a->flags |= IMG_IMAGE_OPTS;
            break;
        case 'j':
            if (!img_object(optarg)) {
                return false;
            }
            break;
        case 'z':
            a->zero_target = true;
            break;
        case 'W':
            a->any_order = true;
            break;
        case 'C':
            break;
        default:
            return false;
        }
    }
    return true;
}

static bool open_sources(Convert *c, const Args *a, int n, char **names)
{
    c->src = g_new0(BlockNode *, n);
    c->src_end = g_new0(uint64_t, n);
    for (int i = 0; i < n; i++) {
        c->src[i] = img_open(names[i], a->format, a->src_cache, a->flags);
        if (!c->src[i]) {
            return false;
        }
        c->n_src++;
        c->size += block_length(c->src[i]);
        c->src_end[i] = c->size;
    }
    return true;
}

static bool make_target(Convert *c, const Args *a, const char *name)
{
    Error *err = NULL;

    if (a->base) {
        qdict_put_str(a->opts, "backing_file", a->base);
    }
    if (a->base_format) {
        qdict_put_str(a->opts, "backing_fmt", a->base_format);
    }
    c->has_base = qdict_has(a->opts, "backing_file");
    if (c->has_base && !qdict_has(a->opts, "backing_fmt")) {
        img_complain("backing file specified without backing format");
        return false;
    }
    if (c->has_base && c->n_src > 1) {
        img_complain("Having a backing file for the target makes no sense when concatenating multiple input "
                     "images");
        return false;
    }
    if (!qdict_has(a->opts, "size")) {
        qdict_put_uint(a->opts, "size", ALIGN_UP(c->size, UINT64_C(512)));
    }
    if (!img_typed_options(a->out_format, a->opts, &err) ||
        !img_make(name, a->out_format, a->opts, &err)) {
        error_prepend(&err, "%s: error while converting %s: ", name, a->out_format);
        img_fail(err);
        return false;
    }
    return true;
}

/* The id of the secret that opens the new image, or NULL. */
static const char *secret_of(const Args *a)
{
    const QObject *o = qdict_get(a->opts, !strcmp(a->out_format, "luks") ? "key-secret" : "encrypt.key-secret");

    return o ? qobject_get_str(o, "key-secret", NULL) : NULL;
}

static bool open_target(Convert *c, const Args *a, const char *name)
{
    BlockFormatInfo f = { 0 };

    c->dst = img_open_with_secret(name, a->out_format, a->cache ? a->cache : "unsafe", secret_of(a));
    if (!c->dst) {
        return false;
    }
    if ((uint64_t)block_length(c->dst) < c->size) {
        img_complain("output file is smaller than input file");
        return false;
    }
    if (c->dst->drv->info) {
        c->dst->drv->info(c->dst, &f);
    }
    c->zero_init = (!a->no_create && !c->has_base && !f.new_has_noise) || a->zero_target;
    c->compress = a->compress || f.only_compressed;
    c->any_order = a->any_order;
    c->sparse = a->sparse;
    c->chunk = CHUNK;
    if (c->compress) {
        if (!c->dst->drv->co_write_compressed) {
            img_complain("Compression not supported for this file format");
            return false;
        }
        c->chunk = f.cluster_size;
    }
    return true;
}

int img_convert(int argc, char **argv)
{
    Args a = { .out_format = "raw", .coroutines = 8, .sparse = 4096, .opts = qdict_new() };
    Convert c = { 0 };
    int status = 1, n;

    if (!parse(argc, argv, &a)) {
        return 1;
    }
    n = argc - optind - 1;
    if (n < 1) {
        return img_complain("Must specify image file name");
    }
    c.progress.on = a.progress && !a.quiet;
    if (!open_sources(&c, &a, n, argv + optind)) {
        goto out;
    }
    if (a.snapshot) {
        img_complain("-l: reading a snapshot without going to it isn't supported");
        goto out;
    }
    if (!a.no_create && !make_target(&c, &a, argv[argc - 1])) {
        goto out;
    }
    if (!open_target(&c, &a, argv[argc - 1])) {
        goto out;
    }
    img_progress(&c.progress, 0);
    status = copy_all(&c, a.coroutines);
    if (status == 0) {
        img_progress_end(&c.progress);
    }
out:
    block_node_unref(c.dst);
    for (size_t i = 0; i < c.n_src; i++) {
        block_node_unref(c.src[i]);
    }
    g_free(c.src);
    g_free(c.src_end);
    qobject_unref(a.opts);
    return status;
}
