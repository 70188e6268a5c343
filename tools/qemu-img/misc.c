/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img dd, bitmap, bench. */
#include "util/osdep.h"
#include <getopt.h>
#include "block/track.h"
#include "tools/qemu-img/img.h"
#include "util/coroutine.h"
#include "util/main-loop.h"
#include "util/timer.h"

/* --- dd --- */

typedef struct Dd {
    BlockNode *in, *out;
    uint64_t from, len, block;
    int result;
} Dd;

static void coroutine_fn dd_entry(void *opaque)
{
    Dd *d = opaque;
    uint8_t *buf = g_malloc(d->block);

    for (uint64_t done = 0; done < d->len && d->result == 0;) {
        struct iovec v = { buf, MIN(d->block, d->len - done) };

        d->result = block_co_preadv(d->in, d->from + done, &v, 1);
        if (d->result == 0) {
            d->result = block_co_pwritev(d->out, done, &v, 1);
        }
        done += v.iov_len;
    }
    if (d->result == 0) {
        d->result = block_co_flush(d->out);
    }
    g_free(buf);
}

typedef struct DdArgs {
    const char *in, *out, *in_format, *out_format;
    uint64_t bs, count, skip;
    bool has_count;
    unsigned flags;
} DdArgs;

static bool dd_operand(DdArgs *a, char *text)
{
    char *value = strchr(text, '=');

    if (!value) {
        img_complain("unrecognized operand %s", text);
        return false;
    }
    *value++ = 0;
    if (!strcmp(text, "if")) {
        a->in = value;
    } else if (!strcmp(text, "of")) {
        a->out = value;
    } else if (!strcmp(text, "bs")) {
        return img_size(value, "bs", &a->bs) && (a->bs > 0 || (img_complain("bs must be positive"), false));
    } else if (!strcmp(text, "count")) {
        a->has_count = true;
        return img_size(value, "count", &a->count);
    } else if (!strcmp(text, "skip")) {
        return img_size(value, "skip", &a->skip);
    } else {
        img_complain("unrecognized operand %s", text);
        return false;
    }
    return true;
}

static int dd_run(const DdArgs *a)
{
    QDict *opts = qdict_new();
    Error *err = NULL;
    Dd d = { .block = MIN(a->bs, 16 * MIB) };
    uint64_t size;

    d.in = img_open(a->in, a->in_format, NULL, a->flags);
    if (!d.in) {
        qobject_unref(opts);
        return 1;
    }
    size = block_length(d.in);
    d.from = a->skip > size / a->bs ? size : a->skip * a->bs;
    d.len = size - d.from;
    if (a->has_count && a->count <= d.len / a->bs) {
        d.len = a->count * a->bs;
    }
    qdict_put_int(opts, "size", (int64_t)d.len);
    if (!img_make(a->out, a->out_format, opts, &err)) {
        qobject_unref(opts);
        block_node_unref(d.in);
        return img_fail(err);
    }
    qobject_unref(opts);
    d.out = img_open(a->out, a->out_format, NULL, IMG_RW);
    if (d.out) {
        block_run(dd_entry, &d);
    }
    block_node_unref(d.out);
    block_node_unref(d.in);
    return !d.out ? 1 : d.result < 0 ? img_complain("error while copying: %s", strerror(-d.result)) : 0;
}

int img_dd(int argc, char **argv)
{
    DdArgs a = { .bs = 512, .out_format = "raw" };
    int o;

    while ((o = getopt(argc, argv, "f:O:U")) >= 0) {
        switch (o) {
        case 'f': a.in_format = optarg; break;
        case 'O': a.out_format = optarg; break;
        case 'U': a.flags |= IMG_FORCE_SHARE; break;
        default: return 1;
        }
    }
    for (; optind < argc; optind++) {
        if (!dd_operand(&a, argv[optind])) {
            return 1;
        }
    }
    if (!a.in || !a.out) {
        return img_complain("Must specify both input and output file names");
    }
    return dd_run(&a);
}

/* --- bitmap --- */

typedef struct BitmapAct {
    enum { ACT_ADD, ACT_REMOVE, ACT_CLEAR, ACT_ENABLE, ACT_DISABLE, ACT_MERGE } what;
    const char *source;
} BitmapAct;

static bool act(BlockNode *n, const char *name, const BitmapAct *a, unsigned shift, BlockNode *source, Error **errp)
{
    BlockBitmap *b = a->what == ACT_ADD ? NULL : block_bitmap_find(n, name, errp), *from;

    if (a->what == ACT_ADD) {
        b = block_can_store_bitmap(n, name, errp) ? block_bitmap_new(n, name, shift, errp) : NULL;
        if (b) {
            b->persistent = true;
        }
        return b;
    }
    if (!b || (a->what != ACT_REMOVE && !block_bitmap_usable(b, true, errp))) {
        return false;
    }
    switch (a->what) {
    case ACT_REMOVE:
        block_bitmap_free(b);
        break;
    case ACT_CLEAR:
        block_bitmap_take(b, NULL);
        break;
    case ACT_MERGE:
        from = block_bitmap_find(source ? source : n, a->source, errp);
        if (!from || !block_bitmap_usable(from, false, errp)) {
            return false;
        }
        block_bitmap_merge(b, from);
        break;
    default:
        b->enabled = a->what == ACT_ENABLE;
    }
    return true;
}

int img_bitmap(int argc, char **argv)
{
    static const struct option longs[] = {
        { "add", no_argument, NULL, 1 }, { "remove", no_argument, NULL, 2 }, { "clear", no_argument, NULL, 3 },
        { "enable", no_argument, NULL, 4 }, { "disable", no_argument, NULL, 5 },
        { "merge", required_argument, NULL, 6 }, { "granularity", required_argument, NULL, 'g' },
        { "source-file", required_argument, NULL, 'b' }, { "source-format", required_argument, NULL, 'F' },
        { NULL, 0, NULL, 0 },
    };
    const char *format = NULL, *source = NULL, *source_format = NULL;
    uint64_t granularity = 0;
    BitmapAct acts[16];
    unsigned count = 0;
    BlockNode *n, *src = NULL;
    Error *err = NULL;
    bool ok = true;
    int o;

    while ((o = getopt_long(argc, argv, "f:g:b:F:", longs, NULL)) >= 0) {
        switch (o) {
        case 'f': format = optarg; break;
        case 'b': source = optarg; break;
        case 'F': source_format = optarg; break;
        case 'g':
            if (!img_size(optarg, "granularity", &granularity)) {
                return 1;
            }
            break;
        case '?': return 1;
        default:
            if (count == ARRAY_SIZE(acts)) {
                return img_complain("too many actions");
            }
            acts[count++] = (BitmapAct){ o - 1, o == 6 ? optarg : NULL };
        }
    }
    if (optind != argc - 2) {
        return img_complain("Expecting filename and bitmap name");
    }
    if (!count) {
        return img_complain("Need at least one of --add, --remove, --clear, --enable, --disable, or --merge");
    }
    if (granularity && (granularity < 512 || granularity > BIT64(31) || !IS_POWER_OF_2(granularity))) {
        return img_complain("Granularity must be power of 2, and at least 512");
    }
    n = img_open(argv[optind], format, NULL, IMG_RW);
    if (!n) {
        return 1;
    }
    src = source ? img_open(source, source_format, NULL, 0) : NULL;
    ok = !source || src;
    for (unsigned i = 0; i < count && ok; i++) {
        ok = act(n, argv[optind + 1], &acts[i],
                 granularity ? (unsigned)__builtin_ctzll(granularity) : block_bitmap_default_shift(n), src, &err);
    }
    block_node_unref(src);
    block_node_unref(n);
    return err ? img_fail(err) : !ok;
}

/* --- bench --- */

typedef struct Bench {
    BlockNode *n;
    bool write;
    uint64_t offset, size, step, image;
    unsigned count, started, done, flush_interval;
    unsigned running;               /* coroutines */
    int pattern, result;
    bool over;
} Bench;

static void coroutine_fn bench_entry(void *opaque)
{
    Bench *b = opaque;
    void *buf;

    if (posix_memalign(&buf, 4096, b->size)) {
        b->result = -ENOMEM;
        b->over = --b->running == 0;
        return;
    }
    memset(buf, b->pattern, b->size);
    while (b->started < b->count && b->result == 0) {
        struct iovec v = { buf, b->size };
        uint64_t at = b->offset;
        int r;

        b->started++;
        b->offset = (b->offset + b->step) % MAX(b->image - MIN(b->image, b->size) + 1, UINT64_C(1));
        r = b->write ? block_co_pwritev(b->n, at, &v, 1) : block_co_preadv(b->n, at, &v, 1);
        b->done++;
        if (r == 0 && b->flush_interval && b->done % b->flush_interval == 0) {
            r = block_co_flush(b->n);
        }
        b->result = b->result ? b->result : r;
        co_pause();
    }
    free(buf);
    b->over = --b->running == 0;
}

int img_bench(int argc, char **argv)
{
    static const struct option longs[] = {
        { "flush-interval", required_argument, NULL, 1 }, { "pattern", required_argument, NULL, 2 },
        { "no-drain", no_argument, NULL, 3 }, { NULL, 0, NULL, 0 },
    };
    Bench b = { .count = 75000, .size = 4096 };
    const char *format = NULL, *cache = NULL;
    unsigned depth = 64;
    bool quiet = false;
    int64_t begin;
    int o;

    while ((o = getopt_long(argc, argv, "c:d:f:i:no:qs:S:t:wU", longs, NULL)) >= 0) {
        switch (o) {
        case 'c': b.count = strtoul(optarg, NULL, 0); break;
        case 'd': depth = strtoul(optarg, NULL, 0); break;
        case 'f': format = optarg; break;
        case 'n': cache = "none"; break;
        case 't': cache = optarg; break;
        case 'q': quiet = true; break;
        case 'w': b.write = true; break;
        case 1: b.flush_interval = strtoul(optarg, NULL, 0); break;
        case 2: b.pattern = strtoul(optarg, NULL, 0); break;
        case 'i': case 'U': case 3: break;
        case 'o': case 's': case 'S':
            if (!img_size(optarg, o == 'o' ? "offset" : o == 's' ? "buffer size" : "step size",
                          o == 'o' ? &b.offset : o == 's' ? &b.size : &b.step)) {
                return 1;
            }
            break;
        default: return 1;
        }
    }
    if (optind != argc - 1) {
        return img_complain("Expecting one image file name");
    }
    if (!depth || depth > 1024 || !b.size || b.size > 64 * MIB || !b.count) {
        return img_complain("depth is 1 to 1024, size 1 to 64M, count 1 and more");
    }
    b.step = b.step ? b.step : b.size;
    b.n = img_open(argv[optind], format, cache, b.write ? IMG_RW : 0);
    if (!b.n) {
        return 1;
    }
    b.image = block_length(b.n);
    if (b.size > b.image || b.offset > b.image - b.size) {
        block_node_unref(b.n);
        return img_complain("the image is smaller than a request at that offset");
    }
    if (!quiet) {
        printf("Sending %u %s requests, %" PRIu64 " bytes each, %u in parallel (starting at offset %" PRIu64
               ", step size %" PRIu64 ")\n", b.count, b.write ? "write" : "read", b.size, depth, b.offset, b.step);
    }
    begin = clock_get_ns(CLOCK_RT);
    b.running = depth;
    for (unsigned i = 0; i < depth; i++) {
        co_start(bench_entry, &b);
    }
    main_loop_run_until(&b.over);
    if (!quiet && b.result == 0) {
        printf("Run completed in %.3f seconds.\n", (double)(clock_get_ns(CLOCK_RT) - begin) / NS_PER_SECOND);
    }
    block_node_unref(b.n);
    return b.result < 0 ? img_complain("Failed request: %s", strerror(-b.result)) : 0;
}
