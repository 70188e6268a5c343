/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img compare, commit, rebase: two images and what differs. */
#include "util/osdep.h"
#include "tools/qemu-img/img.h"

#define CHUNK   (2 * MIB)

typedef struct Job {
    BlockNode *a, *b, *top;
    ImgProgress progress;
    bool strict, delete;
    const char *file, *format;      /* rebase: the new names */
    uint64_t where;                 /* of the first difference */
    enum { SAME, DIFFERENT, FAILED } result;
    int error;
    Error *err;
} Job;

static int coroutine_fn read_clamped(BlockNode *n, uint64_t at, uint8_t *buf, uint64_t len)
{
    int64_t size = n ? block_length(n) : 0;
    uint64_t have = size < 0 || at >= (uint64_t)size ? 0 : MIN(len, size - at);
    struct iovec v = { buf, have };

    memset(buf + have, 0, len - have);
    return have ? block_co_preadv(n, at, &v, 1) : 0;
}

static bool fail(Job *j, int r)
{
    j->result = FAILED;
    j->error = -r;
    return false;
}

/* --- compare --- */

static bool coroutine_fn both_zero(Job *j, uint64_t at, uint64_t *len)
{
    BlockNode *nodes[2] = { j->a, j->b }, *where;
    unsigned depth;

    for (int i = 0; i < 2; i++) {
        int64_t size = block_length(nodes[i]);
        BlockStatus st;

        if (at >= (uint64_t)size) {
            continue;
        }
        if (block_co_chain_status(nodes[i], at, MIN(*len, size - at), &st, &where, &depth) < 0 || !st.zero) {
            return false;
        }
        *len = MIN(*len, st.len);
    }
    return true;
}

static void coroutine_fn compare_entry(void *opaque)
{
    Job *j = opaque;
    uint64_t la = block_length(j->a), lb = block_length(j->b), end = MAX(la, lb), len;
    uint8_t *p = g_malloc(CHUNK), *q = g_malloc(CHUNK);

    for (uint64_t at = 0; at < end && j->result == SAME; at += len) {
        int r;

        len = MIN(CHUNK, end - at);
        if (both_zero(j, at, &len)) {
            continue;
        }
        r = read_clamped(j->a, at, p, len);
        r = r < 0 ? r : read_clamped(j->b, at, q, len);
        if (r < 0) {
            fail(j, r);
        } else if (memcmp(p, q, len)) {
            j->where = at;
            while (p[j->where - at] == q[j->where - at]) {
                j->where++;
            }
            j->result = DIFFERENT;
        }
        img_progress(&j->progress, 100.0 * (at + len) / end);
    }
    g_free(p);
    g_free(q);
}

int img_compare(int argc, char **argv)
{
    ImgOptions o = { 0 };
    const char *fb = NULL, *cache = NULL;
    Job j = { 0 };
    int c, status = 2;

    while ((c = img_getopt(argc, argv, "f:F:T:pqsU", IMG_TAKES_IMAGE_OPTS, NULL, &o)) != -1) {
        switch (c) {
        case 'F':
            fb = optarg;
            break;
        case 'T':
            cache = optarg;
            break;
        case 's':
            j.strict = true;
            break;
        default:
            return 2;
        }
    }
    if (argc - optind != 2) {
        img_complain("Expecting two image file names");
        return 2;
    }
    j.progress.on = o.progress && !o.quiet;
    j.a = img_open(argv[optind], o.format, cache, o.flags);
    j.b = j.a ? img_open(argv[optind + 1], fb, cache, o.flags) : NULL;
    if (j.b) {
        bool other_size = block_length(j.a) != block_length(j.b);

        if (other_size && j.strict) {
            if (!o.quiet) {
                printf("Strict mode: Image size mismatch!\n");
            }
            status = 1;
        } else {
            if (other_size && !o.quiet) {
                printf("Warning: Image size mismatch!\n");
            }
            block_run(compare_entry, &j);
            status = j.result == SAME ? 0 : j.result == DIFFERENT ? 1 : 2;
            if (j.result == FAILED) {
                img_complain("Error while reading: %s", strerror(j.error));
            } else if (!o.quiet) {
                if (j.result == SAME) {
                    printf("Images are identical.\n");
                } else {
                    printf("Content mismatch at offset %" PRIu64 "!\n", j.where);
                }
            }
        }
    }
    block_node_unref(j.a);
    block_node_unref(j.b);
    return status;
}

/* --- commit --- */

static void coroutine_fn commit_entry(void *opaque)
{
    Job *j = opaque;
    uint64_t end = block_length(j->top), len;
    uint8_t *buf = g_malloc(CHUNK);
    int r = 0;

    for (uint64_t at = 0; at < end && r == 0; at += len) {
        BlockStatus st;
        struct iovec v;

        r = block_co_status(j->top, at, MIN(CHUNK, end - at), &st);
        len = r == 0 ? st.len : 0;
        if (r < 0 || !st.allocated) {
            continue;
        }
        if (st.zero) {
            r = block_co_zero(j->b, at, len, BLOCK_ZERO_UNMAP);
            continue;
        }
        v = (struct iovec){ buf, len };
        r = block_co_preadv(j->top, at, &v, 1);
        r = r < 0 ? r : block_co_pwritev(j->b, at, &v, 1);
        img_progress(&j->progress, 100.0 * (at + len) / end);
    }
    if (r == 0) {
        r = block_co_flush(j->b);
    }
    if (r == 0 && !j->delete && j->top->drv->co_make_empty) {
        r = j->top->drv->co_make_empty(j->top);
    }
    if (r < 0) {
        fail(j, r);
    }
    g_free(buf);
}

int img_commit(int argc, char **argv)
{
    ImgOptions o = { .flags = IMG_RW };
    const char *cache = NULL, *base = NULL;
    Error *err = NULL;
    Job j = { 0 };
    int c, status = 1;

    while ((c = img_getopt(argc, argv, "f:t:b:dpqr:", 0, NULL, &o)) != -1) {
        switch (c) {
        case 't':
            cache = optarg;
            break;
        case 'b':
            base = optarg;
            break;
        case 'd':
            j.delete = true;
            break;
        default:
            return 1;
        }
    }
    if (optind != argc - 1) {
        return img_complain("Expecting one image file name");
    }
    j.progress.on = o.progress && !o.quiet;
    j.top = img_open(argv[optind], o.format, cache, o.flags);
    if (!j.top) {
        return 1;
    }
    j.b = j.top->backing;
    if (!j.b) {
        img_complain("Image does not have a backing file");
    } else if (base && (!j.top->backing_file || strcmp(base, j.top->backing_file)) &&
               strcmp(base, j.b->filename ? j.b->filename : "")) {
        img_complain("-b: only the image directly below ('%s') can be committed to", j.top->backing_file);
    } else if (!block_node_set_read_only(j.b, false, &err) ||
               (block_length(j.b) < block_length(j.top) &&
                !block_truncate(j.b, block_length(j.top), &err))) {
        img_fail(err);
    } else {
        block_run(commit_entry, &j);
        if (j.result == FAILED) {
            img_complain("Error while committing: %s", strerror(j.error));
        } else {
            img_progress_end(&j.progress);
            if (!o.quiet) {
                printf("Image committed.\n");
            }
            status = 0;
        }
    }
    block_node_unref(j.top);
    return status;
}

/* --- rebase --- */

/* What shows through from the old base and isn't so in the new one is copied. */
static void coroutine_fn rebase_entry(void *opaque)
{
    Job *j = opaque;
    uint64_t end = block_length(j->top), len;
    uint8_t *p = g_malloc(CHUNK), *q = g_malloc(CHUNK);
    int r = 0;

    for (uint64_t at = 0; at < end && r == 0 && j->a != j->b; at += len) {
        BlockStatus st;
        struct iovec v;

        r = block_co_status(j->top, at, MIN(CHUNK, end - at), &st);
        len = r == 0 ? st.len : 0;
        if (r < 0 || st.allocated) {
            continue;
        }
        r = read_clamped(j->a, at, p, len);
        r = r < 0 ? r : read_clamped(j->b, at, q, len);
        /* By sectors, so that little is copied. */
        for (uint64_t i = 0; i < len && r == 0; ) {
            uint64_t n = MIN(UINT64_C(65536), len - i);

            if (memcmp(p + i, q + i, n)) {
                v = (struct iovec){ p + i, n };
                r = block_co_pwritev(j->top, at + i, &v, 1);
            }
            i += n;
        }
        img_progress(&j->progress, 100.0 * (at + len) / end);
    }
    if (r == 0) {
        r = block_co_flush(j->top);
    }
    if (r == 0) {
        r = j->top->drv->co_change_backing(j->top, j->file && *j->file ? j->file : NULL, j->format, &j->err);
    }
    if (r < 0) {
        fail(j, r);
    }
    g_free(p);
    g_free(q);
}

int img_rebase(int argc, char **argv)
{
    ImgOptions o = { .flags = IMG_RW };
    const char *cache = NULL, *src_cache = NULL;
    bool unsafe = false;
    Job j = { 0 };
    int c, status = 1;

    while ((c = img_getopt(argc, argv, "f:F:b:t:T:upqU", 0, NULL, &o)) != -1) {
        switch (c) {
        case 'F':
            j.format = optarg;
            break;
        case 'b':
            j.file = optarg;
            break;
        case 't':
            cache = optarg;
            break;
        case 'T':
            src_cache = optarg;
            break;
        case 'u':
            unsafe = true;
            break;
        default:
            return 1;
        }
    }
    if (optind != argc - 1 || !j.file) {
        return img_complain(j.file ? "Expecting one image file name" : "Use -b to specify the new base");
    }
    if (*j.file && !j.format) {
        return img_complain("-b also requires -F: the format of the new base");
    }
    j.progress.on = o.progress && !o.quiet;
    o.flags |= unsafe ? IMG_NO_BACKING : 0;
    j.top = img_open(argv[optind], o.format, cache, o.flags);
    if (!j.top) {
        return 1;
    }
    if (!j.top->drv->co_change_backing) {
        img_complain("Image format driver '%s' does not support backing files", j.top->drv->name);
        block_node_unref(j.top);
        return 1;
    }
    if (!unsafe) {
        char *path = *j.file ? block_backing_path(j.top->filename, j.file) : NULL;

        j.a = j.top->backing;
        j.b = path ? img_open(path, j.format, src_cache, 0) : NULL;
        g_free(path);
        if (*j.file && !j.b) {
            block_node_unref(j.top);
            return 1;
        }
    }
    block_run(rebase_entry, &j);
    if (j.result == FAILED) {
        if (j.err) {
            img_fail(j.err);
        } else {
            img_complain("Could not change the backing file to '%s': %s", j.file, strerror(j.error));
        }
    } else {
        img_progress_end(&j.progress);
        status = 0;
    }
    block_node_unref(j.b);
    block_node_unref(j.top);
    return status;
}
