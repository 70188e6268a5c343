/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/image.h"
#include <sys/wait.h>
#include "block/block-qmp.h"
#include "qapi/commands-objects.h"
#include "qobject/json.h"
#include "util/main-loop.h"

typedef struct Op {
    enum { OP_READ, OP_WRITE, OP_ZERO, OP_DISCARD, OP_FLUSH, OP_CHECK, OP_CREATE } what;
    BlockNode *n;
    uint64_t offset, len;
    struct iovec v;
    unsigned flags;
    BlockCheck *check;
    const char *format;
    const QDict *opts;
    Error *err;
    int result;
} Op;

static void coroutine_fn entry(void *opaque)
{
    Op *o = opaque;

    switch (o->what) {
    case OP_READ:
        o->result = block_co_preadv(o->n, o->offset, &o->v, 1);
        break;
    case OP_WRITE:
        o->result = block_co_pwritev(o->n, o->offset, &o->v, 1);
        break;
    case OP_ZERO:
        o->result = block_co_zero(o->n, o->offset, o->len, o->flags);
        break;
    case OP_DISCARD:
        o->result = block_co_discard(o->n, o->offset, o->len);
        break;
    case OP_FLUSH:
        o->result = block_co_flush(o->n);
        break;
    case OP_CHECK:
        o->result = o->n->drv->co_check(o->n, o->flags, o->check, &o->err);
        break;
    default:
        o->result = block_driver_find(o->format)->co_create(o->n, o->opts, &o->err) ? 0 : -1;
    }
}

static int run(Op *o)
{
    block_run(entry, o);
    if (o->err) {
        printf("# %s\n", error_message(o->err));
        error_free(o->err);
    }
    return o->result;
}

void image_must_have_facts(Test *t, BlockNode *n, const char *args, const char *what)
{
    ImageInfo *info = n ? block_qmp_image_info(n, false) : NULL;
    char *all = g_strdup_printf("info -U --output=json %s", args), *out = NULL, *differ;

    if (!info || !info->format_specific) {
        test_fail(t, "%s: there are no facts", what);
    } else if (distribution_qemu_img(all, &out) == 0) {
        QObject *mine = QOBJECT(qapi_encode_struct(&qapi_type_ImageInfoSpecific, info->format_specific));
        QDict *d = json_parse_dict(out, NULL);

        differ = qobject_diff(d ? qdict_get(d, "format-specific") : NULL, mine);
        if (differ) {
            test_fail(t, "%s: theirs -> ours:\n%s", what, differ);
        }
        free(differ);
        qobject_unref(mine);
        qobject_unref(d);
    }
    g_free(out);
    g_free(all);
    qapi_free_ImageInfo(info);
}

char *image_refusal(QDict *opts)
{
    Error *err = NULL;
    BlockNode *n = block_node_open(opts, &err);
    char *text = n ? NULL : g_strdup(error_message(err));

    block_node_unref(n);
    error_free(err);
    qobject_unref(opts);
    return text;
}

int image_read(BlockNode *n, uint64_t offset, void *buf, size_t len)
{
    return run(&(Op){ .what = OP_READ, .n = n, .offset = offset, .v = { buf, len } });
}

int image_write(BlockNode *n, uint64_t offset, const void *buf, size_t len)
{
    return run(&(Op){ .what = OP_WRITE, .n = n, .offset = offset, .v = { (void *)buf, len } });
}

int image_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    return run(&(Op){ .what = OP_ZERO, .n = n, .offset = offset, .len = len, .flags = flags });
}

int image_discard(BlockNode *n, uint64_t offset, uint64_t len)
{
    return run(&(Op){ .what = OP_DISCARD, .n = n, .offset = offset, .len = len });
}

int image_flush(BlockNode *n)
{
    return run(&(Op){ .what = OP_FLUSH, .n = n });
}

int image_check(BlockNode *n, unsigned fix, BlockCheck *result)
{
    return run(&(Op){ .what = OP_CHECK, .n = n, .flags = fix, .check = result });
}

bool image_create_format(Test *t, const char *path, const char *format, uint64_t size, const char *opts)
{
    char *json = g_strdup_printf("{'size': %" PRIu64 "%s%s}", size, opts && *opts ? ", " : "",
                                 opts ? opts : "");
    QDict *file = qdict_from_fmt("{'driver': 'file', 'filename': %s}", path), *d;
    BlockNode *n;
    bool ok;

    g_strdelimit(json, "'", '"');
    d = json_parse_dict(json, NULL);
    g_file_set_contents(path, "", 0, NULL);
    n = block_node_open(file, NULL);
    ok = d && n && run(&(Op){ .what = OP_CREATE, .n = n, .format = format, .opts = d }) == 0;
    block_node_unref(n);
    qobject_unref(file);
    qobject_unref(d);
    g_free(json);
    return check_true(t, ok, "an image is made");
}

bool image_create(Test *t, const char *path, uint64_t size, const char *opts)
{
    return image_create_format(t, path, "qcow2", size, opts);
}

BlockNode *image_open(Test *t, const char *path, const char *format, const char *opts)
{
    char *json = g_strdup_printf("{'driver': '%s', 'discard': 'unmap', 'file': {'driver': 'file', "
                                 "'filename': '%s', 'discard': 'unmap'}%s%s}", format, path,
                                 opts && *opts ? ", " : "", opts ? opts : "");
    Error *err = NULL;
    BlockNode *n;
    QDict *d;

    g_strdelimit(json, "'", '"');
    d = json_parse_dict(json, &err);
    n = d ? block_node_open(d, &err) : NULL;
    if (!n) {
        test_fail(t, "%s: %s", path, error_message(err));
        error_free(err);
    }
    qobject_unref(d);
    g_free(json);
    return n;
}

int distribution_qemu_img(const char *args, char **output)
{
    char *command, *out = NULL;
    int status = -1;
    bool have = g_file_test("/usr/bin/qemu-img", G_FILE_TEST_EXISTS);

    if (!have) {
        return -1;
    }
    command = g_strdup_printf("sh -c \"/usr/bin/qemu-img %s 2>&1\"", args);
    if (!g_spawn_command_line_sync(command, &out, NULL, &status, NULL)) {
        status = -1;
    }
    g_free(command);
    if (output) {
        *output = out;
    } else {
        g_free(out);
    }
    return status < 0 ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void image_must_be_sound(Test *t, const char *path, bool leaks, const char *what)
{
    char *args = g_strdup_printf("check -f qcow2 '%s'", path), *out = NULL;
    int status = distribution_qemu_img(args, &out);

    g_free(args);
    /* 0: nothing, 3: leaks */
    if (status >= 0 && status != 0 && !(leaks && status == 3)) {
        test_fail(t, "%s: qemu-img check says %d: %.600s", what, status, out ? out : "");
    }
    g_free(out);
}

/* --- encrypted ones --- */

void image_secrets(void)
{
    static const char *const secrets[][2] = { { "s0", "open sesame" }, { "s1", "open barley" } };

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
        QDict *d = qdict_from_fmt("{'qom-type': 'secret', 'id': %s, 'data': %s}", secrets[i][0], secrets[i][1]);

        qmp_object_add(d, NULL);
        qobject_unref(d);
    }
}

typedef struct Amend {
    BlockNode *n;
    QDict *opts;
    bool force, ok;
    Error **errp;
} Amend;

static void coroutine_fn amend_entry(void *opaque)
{
    Amend *a = opaque;

    a->ok = a->n->drv->co_amend(a->n, a->opts, a->force, a->errp);
}

bool image_amend(BlockNode *n, QDict *opts, bool force, Error **errp)
{
    Amend a = { .n = n, .opts = opts, .force = force, .errp = errp };

    block_run(amend_entry, &a);
    qobject_unref(opts);
    return a.ok;
}

void image_patch(const char *path, uint64_t offset, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "r+b");

    if (!f || fseek(f, offset, SEEK_SET) < 0 || fwrite(bytes, 1, len, f) != len) {
        abort();
    }
    fclose(f);
}
