/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img create, resize, snapshot. */
#include "util/osdep.h"
#include "tools/qemu-img/img.h"
#include "block/block-qmp.h"
#include "util/timer.h"

/* --- create --- */

/* "Formatting ..." tells all options with their values. */
static void tell(const char *name, const char *format, const QDict *o)
{
    printf("Formatting '%s', fmt=%s", name, format);
    if (!strcmp(format, "qcow2")) {
        printf(" cluster_size=%lld extended_l2=%s", (long long)qdict_int_or(o, "cluster_size", 65536),
               qdict_bool_or(o, "extended_l2", false) ? "on" : "off");
        if (qdict_has(o, "preallocation")) {
            printf(" preallocation=%s", qdict_str_or(o, "preallocation", "off"));
        }
        printf(" compression_type=%s size=%lld", qdict_str_or(o, "compression_type", "zlib"),
               (long long)qdict_int_or(o, "size", 0));
        if (qdict_has(o, "backing_file")) {
            printf(" backing_file=%s", qdict_str_or(o, "backing_file", ""));
        }
        if (qdict_has(o, "backing_fmt")) {
            printf(" backing_fmt=%s", qdict_str_or(o, "backing_fmt", ""));
        }
        if (qdict_has(o, "compat")) {
            printf(" compat=%s", qdict_str_or(o, "compat", ""));
        }
        printf(" lazy_refcounts=%s refcount_bits=%lld\n",
               qdict_bool_or(o, "lazy_refcounts", false) ? "on" : "off",
               (long long)qdict_int_or(o, "refcount_bits", 16));
    } else {
        printf(" size=%lld", (long long)qdict_int_or(o, "size", 0));
        if (qdict_has(o, "preallocation")) {
            printf(" preallocation=%s", qdict_str_or(o, "preallocation", "off"));
        }
        printf("\n");
    }
}

/* The base must be there, unless -u; its size is the default. */
static bool look_at_base(const char *name, QDict *opts, bool unsafe, bool have_size)
{
    const char *base = qdict_str_or(opts, "backing_file", NULL);
    const char *format = qdict_str_or(opts, "backing_fmt", NULL);
    char *path;
    BlockNode *n;

    if (!base || !*base || (unsafe && have_size)) {
        return true;
    }
    if (!format) {
        img_complain("%s: Backing file specified without backing format", name);
        return false;
    }
    path = block_backing_path(name, base);
    n = img_open(path, format, NULL, IMG_FORCE_SHARE);
    g_free(path);
    if (!n) {
        return false;
    }
    if (!have_size) {
        qdict_put_uint(opts, "size", block_length(n));
    }
    block_node_unref(n);
    return true;
}

int img_create(int argc, char **argv)
{
    ImgOptions o = { .format = "raw" };
    const char *base = NULL, *base_format = NULL, *name;
    QDict *opts = qdict_new();
    bool unsafe = false;
    Error *err = NULL;
    uint64_t size;
    int c;

    while ((c = img_getopt(argc, argv, "f:b:F:o:qu", 0, NULL, &o)) != -1) {
        switch (c) {
        case 'b':
            base = optarg;
            break;
        case 'F':
            base_format = optarg;
            break;
        case 'o':
            if (img_wants_help(optarg)) {
                img_print_create_options(o.format);
                return 0;
            }
            if (!img_options(optarg, opts)) {
                return 1;
            }
            break;
        case 'u':
            unsafe = true;
            break;
        default:
            return 1;
        }
    }
    name = optind < argc ? argv[optind++] : NULL;
    if (!name || optind + 1 < argc) {
        return img_complain("Expecting image file name and size");
    }
    if (base) {
        qdict_put_str(opts, "backing_file", base);
    }
    if (base_format) {
        qdict_put_str(opts, "backing_fmt", base_format);
    }
    if (optind < argc) {
        if (!img_size(argv[optind], "image size", &size)) {
            return 1;
        }
        qdict_put_uint(opts, "size", size);
    }
    if (!img_typed_options(o.format, opts, &err)) {
        error_prepend(&err, "%s: ", name);
        return img_fail(err);
    }
    if (!look_at_base(name, opts, unsafe, qdict_has(opts, "size"))) {
        return 1;
    }
    if (!qdict_has(opts, "size")) {
        return img_complain("%s: Image creation needs a size parameter", name);
    }
    size = ALIGN_UP((uint64_t)qdict_int_or(opts, "size", 0), UINT64_C(512));
    qdict_put_uint(opts, "size", size);
    if (!o.quiet) {
        tell(name, o.format, opts);
    }
    if (!img_make(name, o.format, opts, &err)) {
        error_prepend(&err, "%s: ", name);
        return img_fail(err);
    }
    qobject_unref(opts);
    return 0;
}

/* --- resize --- */

int img_resize(int argc, char **argv)
{
    static const struct option longs[] = { { "shrink", no_argument, NULL, 's' },
                                           { "preallocation", required_argument, NULL, 'P' }, { 0 } };
    ImgOptions o = { .flags = IMG_RW };
    const char *text;
    bool shrink = false, relative;
    uint64_t size, old;
    Error *err = NULL;
    BlockNode *n;
    int c;

    /* The size may begin with a minus: it is no option. */
    if (argc < 3) {
        return img_complain("Expecting image file name and size");
    }
    text = argv[--argc];
    while ((c = img_getopt(argc, argv, "f:q", IMG_TAKES_IMAGE_OPTS, longs, &o)) != -1) {
        switch (c) {
        case 's':
            shrink = true;
            break;
        case 'P':
            if (strcmp(optarg, "off")) {
                return img_complain("Preallocation of '%s' isn't supported when resizing", optarg);
            }
            break;
        default:
            return 1;
        }
    }
    if (optind != argc - 1) {
        return img_complain("Expecting image file name and size");
    }
    relative = *text == '+' || *text == '-';
    if (!img_size(text + relative, "image size", &size)) {
        return 1;
    }
    n = img_open(argv[optind], o.format, NULL, o.flags);
    if (!n) {
        return 1;
    }
    old = block_length(n);
    size = *text == '+' ? old + size : *text == '-' ? old - MIN(size, old) : size;
    if (size == 0 && relative) {
        return img_complain("New image size must be positive");
    }
    if (size < old && !shrink) {
        return img_complain("Use the --shrink option to perform a shrink operation.\n"
                            "qemu-img: Shrinking an image will delete all data beyond the shrunken image's "
                            "end. Before performing such an operation, make sure there is no important data "
                            "there.");
    }
    if (!block_truncate(n, size, &err)) {
        block_node_unref(n);
        return img_fail(err);
    }
    block_node_unref(n);
    if (!o.quiet) {
        printf("Image resized.\n");
    }
    return 0;
}

/* --- snapshot --- */

void img_print_snapshots(const SnapshotInfoList *list)
{
    printf("%-10s%-17s%8s%20s%13s%11s\n", "ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT");
    for (size_t i = 0; i < list->n; i++) {
        const SnapshotInfo *s = list->items[i];
        char *size = img_size_text(s->vm_state_size);
        time_t date = s->date_sec;
        char text[32], clock[32], icount[32] = "";
        struct tm tm;

        localtime_r(&date, &tm);
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
        snprintf(clock, sizeof(clock), "%02d:%02d:%02d.%03d", (int)(s->vm_clock_sec / 3600),
                 (int)(s->vm_clock_sec / 60 % 60), (int)(s->vm_clock_sec % 60),
                 (int)(s->vm_clock_nsec / 1000000));
        if (s->has_icount) {
            snprintf(icount, sizeof(icount), "%" PRId64, s->icount);
        }
        printf("%-9s %-16s %8s%20s%13s%11s\n", s->id, s->name, size, text, clock, icount);
        g_free(size);
    }
}

static int list_snapshots(BlockNode *n)
{
    SnapshotInfoList *list = block_qmp_snapshots(n);

    if (list->n) {
        printf("Snapshot list:\n");
        img_print_snapshots(list);
    }
    qapi_free_SnapshotInfoList(list);
    return 0;
}

int img_snapshot(int argc, char **argv)
{
    ImgOptions o = { .flags = IMG_NO_BACKING };
    const char *name = NULL;
    int64_t now = clock_get_ns(CLOCK_HOST);
    int what = 'l', c;
    Error *err = NULL;
    BlockNode *n;
    bool ok;

    while ((c = img_getopt(argc, argv, "la:c:d:f:qU", IMG_TAKES_IMAGE_OPTS, NULL, &o)) != -1) {
        switch (c) {
        case 'a':
        case 'c':
        case 'd':
            name = optarg;
            what = c;
            o.flags |= IMG_RW;
            break;
        case 'l':
            break;
        default:
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
    if (what == 'l') {
        ok = list_snapshots(n) == 0;
    } else if (what == 'c') {
        BlockSnapshot s = { .name = (char *)name, .date_sec = now / NS_PER_SECOND,
                            .date_nsec = now % NS_PER_SECOND, .icount = UINT64_MAX };

        ok = block_snapshot_create(n, &s, &err);
        g_free(s.id);
    } else {
        ok = what == 'a' ? block_snapshot_goto(n, name, &err) : block_snapshot_delete(n, name, &err);
    }
    block_node_unref(n);
    return ok ? 0 : img_fail(err);
}
