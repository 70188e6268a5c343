/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img info, check, map, measure. */
#include "util/osdep.h"
#include "tools/qemu-img/img.h"
#include "block/block-qmp.h"
#include "qobject/json.h"

static void print_json(QObject *o)
{
    char *text = json_write(o, JSON_PRETTY);

    printf("%s\n", text);
    free(text);
    qobject_unref(o);
}

/* --- info --- */

static void print_bitmaps(const Qcow2BitmapInfoList *list)
{
    for (size_t i = 0; list && i < list->n; i++) {
        const Qcow2BitmapInfo *b = list->items[i];

        printf("%s        [%zu]:\n            flags:\n", i ? "" : "    bitmaps:\n", i);
        for (size_t k = 0; k < b->flags->n; k++) {
            printf("                [%zu]: %s\n", k, Qcow2BitmapInfoFlags_name(b->flags->items[k]));
        }
        printf("            name: %s\n            granularity: %u\n", b->name, b->granularity);
    }
}

static void print_vmdk(const ImageInfoSpecificVmdk *v)
{
    printf("Format specific information:\n    cid: %" PRId64 "\n    parent cid: %" PRId64 "\n    create type: %s\n    extents:\n",
           v->cid, v->parent_cid, v->create_type);
    for (size_t i = 0; i < v->extents->n; i++) {
        const ImageInfo *e = v->extents->items[i];

        printf("        [%zu]:\n", i);
        if (e->has_compressed) {
            printf("            compressed: %s\n", e->compressed ? "true" : "false");
        }
        printf("            virtual size: %" PRId64 "\n            filename: %s\n", e->virtual_size, e->filename);
        if (e->has_cluster_size) {
            printf("            cluster size: %" PRId64 "\n", e->cluster_size);
        }
        printf("            format: %s\n", e->format);
    }
}

/* @in: spaces before each line. */
static void print_luks(const QCryptoBlockInfoLUKS *l, const char *in)
{
    printf("%sivgen alg: %s\n", in, QCryptoIVGenAlgorithm_name(l->ivgen_alg));
    if (l->has_ivgen_hash_alg) {
        printf("%sivgen hash alg: %s\n", in, QCryptoHashAlgorithm_name(l->ivgen_hash_alg));
    }
    printf("%shash alg: %s\n%scipher alg: %s\n%suuid: %s\n%scipher mode: %s\n%sslots:\n", in,
           QCryptoHashAlgorithm_name(l->hash_alg), in, QCryptoCipherAlgorithm_name(l->cipher_alg), in, l->uuid, in,
           QCryptoCipherMode_name(l->cipher_mode), in);
    for (size_t k = 0; k < l->slots->n; k++) {
        const QCryptoBlockInfoLUKSSlot *slot = l->slots->items[k];

        printf("%s    [%zu]:\n%s        active: %s\n", in, k, in, slot->active ? "true" : "false");
        if (slot->active) {
            printf("%s        iters: %" PRId64 "\n", in, slot->iters);
        }
        printf("%s        key offset: %" PRId64 "\n", in, slot->key_offset);
        if (slot->active) {
            printf("%s        stripes: %" PRId64 "\n", in, slot->stripes);
        }
    }
    printf("%spayload offset: %" PRId64 "\n%smaster key iters: %" PRId64 "\n", in, l->payload_offset, in, l->master_key_iters);
}

static void print_info(const ImageInfo *i)
{
    char *virtual = img_size_text(i->virtual_size);
    char *actual = i->has_actual_size ? img_size_text(i->actual_size) : g_strdup("unavailable");

    printf("image: %s\nfile format: %s\nvirtual size: %s (%" PRId64 " bytes)\ndisk size: %s\n",
           i->filename, i->format, virtual, i->virtual_size, actual);
    if (i->has_cluster_size) {
        printf("cluster_size: %" PRId64 "\n", i->cluster_size);
    }
    if (i->has_dirty_flag && i->dirty_flag) {
        printf("cleanly shut down: no\n");
    }
    if (i->backing_filename) {
        printf("backing file: %s", i->backing_filename);
        if (i->full_backing_filename && strcmp(i->backing_filename, i->full_backing_filename)) {
            printf(" (actual path: %s)", i->full_backing_filename);
        }
        printf("\n");
        if (i->backing_filename_format) {
            printf("backing file format: %s\n", i->backing_filename_format);
        }
    }
    if (i->snapshots) {
        printf("Snapshot list:\n");
        img_print_snapshots(i->snapshots);
    }
    if (i->has_encrypted && i->encrypted) {
        printf("encrypted: yes\n");
    }
    if (i->format_specific && i->format_specific->type == IMAGE_INFO_SPECIFIC_KIND_LUKS) {
        printf("Format specific information:\n");
        print_luks(i->format_specific->u.luks.data, "    ");
    } else if (i->format_specific && i->format_specific->type == IMAGE_INFO_SPECIFIC_KIND_VMDK) {
        print_vmdk(i->format_specific->u.vmdk.data);
    } else if (i->format_specific) {
        const ImageInfoSpecificQCow2 *q = i->format_specific->u.qcow2.data;

        printf("Format specific information:\n    compat: %s\n    compression type: %s\n", q->compat,
               q->compression_type == QCOW2_COMPRESSION_TYPE_ZSTD ? "zstd" : "zlib");
        if (q->has_lazy_refcounts) {
            printf("    lazy refcounts: %s\n", q->lazy_refcounts ? "true" : "false");
        }
        print_bitmaps(q->bitmaps);
        if (q->encrypt) {
            printf("    encrypt:\n        format: luks\n");
            print_luks(&q->encrypt->u.luks, "        ");
        }
        printf("    refcount bits: %" PRId64 "\n", q->refcount_bits);
        if (q->has_corrupt) {
            printf("    corrupt: %s\n    extended l2: %s\n", q->corrupt ? "true" : "false",
                   q->extended_l2 ? "true" : "false");
        }
    }
    g_free(virtual);
    g_free(actual);
}

/* Of a chain each image is opened alone, so that one that is broken doesn't hide the ones above. */
static int info_chain(const char *name, const char *format, unsigned flags, bool chain, QList *out,
                      bool human)
{
    char *path = g_strdup(name), *fmt = g_strdup(format), *next = NULL;
    int status = 0;

    for (unsigned depth = 0; path && depth < 200; depth++) {
        BlockNode *n = img_open(path, fmt, NULL, flags);
        ImageInfo *info;

        if (!n) {
            status = 1;
            break;
        }
        info = block_qmp_image_info(n, false);
        if (human) {
            printf("%s", depth ? "\n" : "");
            print_info(info);
        }
        qlist_append(out, qapi_encode_struct(&qapi_type_ImageInfo, info));
        next = chain && n->backing_file ? block_backing_path(n->filename, n->backing_file) : NULL;
        g_free(fmt);
        fmt = g_strdup(n->backing_format);
        g_free(path);
        path = next;
        qapi_free_ImageInfo(info);
        block_node_unref(n);
    }
    g_free(path);
    g_free(fmt);
    return status;
}

int img_info(int argc, char **argv)
{
    static const struct option longs[] = { { "backing-chain", no_argument, NULL, 'b' }, { 0 } };
    ImgOptions o = { .flags = IMG_NO_BACKING | IMG_CHECK };
    bool chain = false;
    QList *out = qlist_new();
    int c, status;

    while ((c = img_getopt(argc, argv, "f:U", IMG_TAKES_OUTPUT | IMG_TAKES_IMAGE_OPTS, longs, &o)) != -1) {
        if (c != 'b') {
            return 1;
        }
        chain = true;
    }
    if (optind != argc - 1) {
        return img_complain("Expecting one image file name");
    }
    status = info_chain(argv[optind], o.format, o.flags, chain, out, !o.json);
    if (o.json && status == 0) {
        print_json(chain ? (QObject *)qobject_ref(out) : qobject_ref(qlist_get(out, 0)));
    }
    qobject_unref(out);
    return status;
}

/* --- check --- */

typedef struct Check {
    BlockNode *n;
    unsigned fix;
    BlockCheck *result;
    Error **errp;
    int r;
} Check;

static void coroutine_fn check_entry(void *opaque)
{
    Check *c = opaque;

    c->r = c->n->drv->co_check(c->n, c->fix, c->result, c->errp);
}

static void tell(void *opaque, const char *text)
{
    if (!*(bool *)opaque) {
        printf("%s\n", text);
    }
}

static void print_check(const BlockCheck *b)
{
    uint64_t left = b->corruptions - b->corruptions_fixed, leaks = b->leaks - b->leaks_fixed;

    if (!left && !leaks) {
        printf("No errors were found on the image.\n");
    }
    if (left) {
        printf("\n%" PRIu64 " errors were found on the image.\nData may be corrupted, or further writes to "
               "the image may corrupt it.\n", left);
    }
    if (leaks) {
        printf("\n%" PRIu64 " leaked clusters were found on the image.\nThis means waste of disk space, but "
               "no harm to data.\n", leaks);
    }
    if (b->total && b->allocated) {
        printf("%" PRIu64 "/%" PRIu64 " = %0.2f%% allocated, %0.2f%% fragmented, %0.2f%% compressed "
               "clusters\n", b->allocated, b->total, b->allocated * 100.0 / b->total,
               b->fragmented * 100.0 / b->allocated, b->compressed * 100.0 / b->allocated);
    }
    if (b->end_offset) {
        printf("Image end offset: %" PRIu64 "\n", b->end_offset);
    }
}

static QObject *check_json(const char *name, const char *format, const BlockCheck *b)
{
    QDict *d = qdict_from_fmt("{'image-end-offset': %llu, 'total-clusters': %llu, 'check-errors': 0, "
                              "'allocated-clusters': %llu, 'filename': %s, 'format': %s}",
                              (unsigned long long)b->end_offset, (unsigned long long)b->total,
                              (unsigned long long)b->allocated, name, format);
    const struct { const char *key; uint64_t v; } some[] = {
        { "corruptions", b->corruptions - b->corruptions_fixed }, { "leaks", b->leaks - b->leaks_fixed },
        { "corruptions-fixed", b->corruptions_fixed }, { "leaks-fixed", b->leaks_fixed },
        { "fragmented-clusters", b->fragmented }, { "compressed-clusters", b->compressed },
    };

    for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
        if (some[i].v) {
            qdict_put_uint(d, some[i].key, some[i].v);
        }
    }
    return (QObject *)d;
}

/* Mended images are looked at again. */
static int check_image(BlockNode *n, unsigned fix, bool *quiet, BlockCheck *b, bool human)
{
    Error *err = NULL;
    BlockCheck again = { .tell = tell, .opaque = quiet };
    Check c = { .n = n, .fix = fix, .result = b, .errp = &err };

    *b = (BlockCheck){ .tell = tell, .opaque = quiet };
    block_run(check_entry, &c);
    if (c.r == 0 && (b->corruptions_fixed || b->leaks_fixed)) {
        if (human) {
            printf("The following inconsistencies were found and repaired:\n\n    %" PRIu64
                   " leaked clusters\n    %" PRIu64 " corruptions\n\nDouble checking the fixed image now...\n",
                   b->leaks_fixed, b->corruptions_fixed);
        }
        c.fix = 0;
        c.result = &again;
        block_run(check_entry, &c);
        again.corruptions += again.corruptions_fixed = b->corruptions_fixed;
        again.leaks += again.leaks_fixed = b->leaks_fixed;
        *b = again;
    }
    return c.r < 0 ? img_fail(err) : 0;
}

int img_check(int argc, char **argv)
{
    ImgOptions o = { .flags = IMG_NO_BACKING | IMG_CHECK };
    const char *cache = NULL;
    unsigned fix = 0;
    bool silent;
    BlockCheck b;
    BlockNode *n;
    int c, status;

    while ((c = img_getopt(argc, argv, "f:r:T:qU", IMG_TAKES_OUTPUT | IMG_TAKES_IMAGE_OPTS, NULL, &o)) != -1) {
        switch (c) {
        case 'r':
            if (strcmp(optarg, "leaks") && strcmp(optarg, "all")) {
                return img_complain("-r expects 'leaks' or 'all', not '%s'", optarg);
            }
            fix = !strcmp(optarg, "leaks") ? BLOCK_FIX_LEAKS : BLOCK_FIX_LEAKS | BLOCK_FIX_ERRORS;
            o.flags |= IMG_RW;
            break;
        case 'T':
            cache = optarg;
            break;
        default:
            return 1;
        }
    }
    if (optind != argc - 1) {
        return img_complain("Expecting one image file name");
    }
    n = img_open(argv[optind], o.format, cache, o.flags);
    if (!n) {
        return 1;
    }
    if (!n->drv->co_check) {
        img_complain("This image format does not support checks");
        block_node_unref(n);
        return 63;
    }
    silent = o.quiet || o.json;
    status = check_image(n, fix, &silent, &b, !silent);
    if (status == 0) {
        if (o.json) {
            print_json(check_json(argv[optind], n->drv->name, &b));
        } else if (!o.quiet) {
            print_check(&b);
        }
        status = b.corruptions > b.corruptions_fixed ? 2 : b.leaks > b.leaks_fixed ? 3 : 0;
    }
    block_node_unref(n);
    return status;
}

/* --- map --- */

typedef struct Piece {
    uint64_t start;
    BlockStatus st;
    BlockNode *where;
    unsigned depth;
    int r;
    BlockNode *top;
    uint64_t len;
} Piece;

static void coroutine_fn piece_entry(void *opaque)
{
    Piece *p = opaque;

    p->r = block_co_chain_status(p->top, p->start, p->len, &p->st, &p->where, &p->depth);
    /* Of a raw image the file's holes count. */
    if (p->r == 0 && p->st.data && p->st.has_offset && p->where->file && !p->where->drv->has_backing) {
        BlockStatus below;
        int r = block_co_status(p->where->file, p->st.offset, p->st.len, &below);

        if (r == 0) {
            p->st.len = MIN(p->st.len, below.len);
            p->st.zero |= below.zero;
            p->st.data &= !below.zero;
        }
    }
}

static bool same(const Piece *a, const Piece *b)
{
    return a->where == b->where && a->depth == b->depth && a->st.zero == b->st.zero &&
           a->st.data == b->st.data && a->st.allocated == b->st.allocated &&
           a->st.compressed == b->st.compressed && a->st.has_offset == b->st.has_offset &&
           (!a->st.has_offset || a->st.offset + a->st.len == b->st.offset);
}

static void print_piece(const Piece *p, bool json, bool *first)
{
    const BlockStatus *s = &p->st;

    if (json) {
        printf("%s{ \"start\": %" PRIu64 ", \"length\": %" PRIu64 ", \"depth\": %u, \"present\": %s, "
               "\"zero\": %s, \"data\": %s", *first ? "[" : ",\n", p->start, s->len, p->depth,
               s->allocated ? "true" : "false", s->zero ? "true" : "false", s->data ? "true" : "false");
        if (s->has_offset) {
            printf(", \"offset\": %" PRIu64, s->offset);
        }
        printf("}");
    } else if (s->data && !s->zero) {
        printf("%#-16" PRIx64 "%#-16" PRIx64 "%#-16" PRIx64 "%s\n", p->start, s->len, s->offset,
               p->where->filename ? p->where->filename : "");
    }
    *first = false;
}

static int map_image(BlockNode *n, uint64_t start, uint64_t end, bool json)
{
    Piece p = { .top = n, .start = start }, next;
    bool have = false, first = true;

    if (!json) {
        printf("%-16s%-16s%-16s%s\n", "Offset", "Length", "Mapped to", "File");
    }
    while (start < end) {
        next = (Piece){ .top = n, .start = start, .len = end - start };
        block_run(piece_entry, &next);
        if (next.r < 0) {
            return img_complain("Failed to read image metadata: %s", strerror(-next.r));
        }
        if (!json && next.st.data && !next.st.zero && next.st.compressed) {
            return img_complain("File contains external, encrypted or compressed clusters.");
        }
        start += next.st.len;
        if (have && same(&p, &next)) {
            p.st.len += next.st.len;
        } else {
            if (have) {
                print_piece(&p, json, &first);
            }
            p = next;
            have = true;
        }
    }
    if (have) {
        print_piece(&p, json, &first);
    }
    if (json) {
        printf("%s]\n", have ? "" : "[");
    }
    return 0;
}

int img_map(int argc, char **argv)
{
    static const struct option longs[] = { { "start-offset", required_argument, NULL, 's' },
                                           { "max-length", required_argument, NULL, 'l' }, { 0 } };
    uint64_t start = 0, max = INT64_MAX, end;
    ImgOptions o = { 0 };
    BlockNode *n;
    int c, status;

    while ((c = img_getopt(argc, argv, "f:s:l:U", IMG_TAKES_OUTPUT | IMG_TAKES_IMAGE_OPTS, longs, &o)) != -1) {
        if (c == '?' ||
            !img_size(optarg, c == 's' ? "start offset" : "max length", c == 's' ? &start : &max)) {
            return 1;
        }
    }
    if (optind != argc - 1) {
        return img_complain("Expecting one image file name");
    }
    n = img_open(argv[optind], o.format, NULL, o.flags);
    if (!n) {
        return 1;
    }
    end = block_length(n);
    end = start < end ? start + MIN(max, end - start) : start;
    status = map_image(n, start, end, o.json);
    block_node_unref(n);
    return status;
}

/* --- measure --- */

/* What a qcow2 image with @data bytes in clusters needs: header, L1, L2 tables, refcounts. */
static uint64_t qcow2_size(uint64_t size, uint64_t data, uint64_t cluster, unsigned refcount_bits,
                           bool extended)
{
    uint64_t l2_entries = cluster / (extended ? 16 : 8);
    uint64_t l2 = DIV_ROUND_UP(DIV_ROUND_UP(size, cluster), l2_entries);
    uint64_t l1 = DIV_ROUND_UP(l2 * 8, cluster), meta = 1 + l2 + MAX(l1, UINT64_C(1));
    uint64_t clusters = meta + DIV_ROUND_UP(data, cluster), per_block = cluster * 8 / refcount_bits;
    uint64_t blocks = 0, table = 0, last;

    do {
        last = blocks + table;
        blocks = DIV_ROUND_UP(clusters + last, per_block);
        table = DIV_ROUND_UP(blocks * 8, cluster);
    } while (blocks + table != last);
    return (clusters + last) * cluster;
}

/* Bytes in clusters that hold data. */
static bool used(BlockNode *n, uint64_t cluster, uint64_t *bytes)
{
    uint64_t at = 0, end = block_length(n), counted = 0;

    *bytes = 0;
    while (at < end) {
        Piece p = { .top = n, .start = at, .len = end - at };

        block_run(piece_entry, &p);
        if (p.r < 0) {
            img_complain("Failed to read image metadata: %s", strerror(-p.r));
            return false;
        }
        if (p.st.data && !p.st.zero) {
            uint64_t first = MAX(at / cluster, counted), last = DIV_ROUND_UP(at + p.st.len, cluster);

            *bytes += last > first ? (last - first) * cluster : 0;
            counted = MAX(counted, last);
        }
        at += p.st.len;
    }
    return true;
}

int img_measure(int argc, char **argv)
{
    static const struct option longs[] = { { "size", required_argument, NULL, 's' }, { 0 } };
    ImgOptions o = { 0 };
    const char *out = "raw";
    QDict *opts = qdict_new();
    bool have_size = false;
    uint64_t size = 0, data = 0, required, full, cluster = 65536;
    unsigned bits;
    Error *err = NULL;
    bool qcow2, bitmaps = false;        /* bitmaps of the source: none are copied */
    int c;

    while ((c = img_getopt(argc, argv, "f:O:o:U", IMG_TAKES_OUTPUT | IMG_TAKES_IMAGE_OPTS, longs, &o)) != -1) {
        switch (c) {
        case 'O':
            out = optarg;
            break;
        case 'o':
            if (!img_options(optarg, opts)) {
                return 1;
            }
            break;
        case 's':
            if (!img_size(optarg, "image size", &size)) {
                return 1;
            }
            have_size = true;
            break;
        default:
            return 1;
        }
    }
    qcow2 = !strcmp(out, "qcow2");
    if (have_size == (optind < argc)) {
        return img_complain("Either --size N or one filename must be specified.");
    }
    if (!img_typed_options(out, opts, &err)) {
        return img_fail(err);
    }
    cluster = qdict_int_or(opts, "cluster_size", 65536);
    bits = qdict_int_or(opts, "refcount_bits", 16);
    if (cluster < 512 || cluster > 2 * MIB || bits < 1 || bits > 64) {
        return img_complain("Cluster size must be a power of two between 512 and 2048k");
    }
    if (!have_size) {
        BlockNode *n = img_open(argv[optind], o.format, NULL, o.flags);
        bool ok = n && used(n, qcow2 ? cluster : 512, &data);

        size = n ? block_length(n) : 0;
        if (n && n->drv->info && qcow2) {
            BlockFormatInfo f;

            n->drv->info(n, &f);
            bitmaps = f.v3;
        }
        block_node_unref(n);
        if (!ok) {
            return 1;
        }
    }
    if (qdict_has(opts, "preallocation") && strcmp(qdict_str_or(opts, "preallocation", "off"), "off")) {
        data = size;
    }
    required = qcow2 ? qcow2_size(size, data, cluster, bits, qdict_bool_or(opts, "extended_l2", false))
                     : size;
    full = qcow2 ? qcow2_size(size, size, cluster, bits, qdict_bool_or(opts, "extended_l2", false)) : size;
    if (o.json) {
        QDict *d = qdict_from_fmt("{'fully-allocated': %llu, 'required': %llu}", (unsigned long long)full,
                                  (unsigned long long)required);

        if (bitmaps) {
            qdict_put_int(d, "bitmaps", 0);
        }
        print_json((QObject *)d);
    } else {
        printf("required size: %" PRIu64 "\nfully allocated size: %" PRIu64 "\n%s", required, full,
               bitmaps ? "bitmaps size: 0\n" : "");
    }
    qobject_unref(opts);
    return 0;
}
