/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-state shows of a file what query-device-state shows of the machine that was saved into it. */
#include "util/osdep.h"
#include <glib.h>
#include <glib/gstdio.h>
#include "qobject/json.h"
#include "tests/lib/qtest.h"

/* Its output; NULL when it fails, or (@fails) when it doesn't. */
static char *run(Test *t, bool fails, const char *args)
{
    g_autofree char *line = g_strdup_printf("%s/qemu-state %s", g_getenv("BUILD_DIR"), args);
    char *out = NULL, *errors = NULL;
    int status = -1;

    if (!check_true(t, g_spawn_command_line_sync(line, &out, &errors, &status, NULL), line) ||
        !check_true(t, (status == 0) != fails && (fails ? *errors : *out), line)) {
        test_note(t, "%s", errors);
        g_clear_pointer(&out, g_free);
    }
    g_free(errors);
    return out;
}

/* Regions of devices aren't in a file. */
static void drop_regions(QObject *o)
{
    QDict *d = qobject_to_dict(o);
    QList *l = qobject_to_list(o);

    if (d) {
        qdict_del(d, "region");
        QDICT_FOR_EACH(e, d) {
            drop_regions(e->value);
        }
    } else if (l) {
        QLIST_FOR_EACH(e, l) {
            drop_regions(e);
        }
    }
}

static const QDict *find(const QObject *list, const char *section)
{
    QLIST_FOR_EACH(e, qobject_to_list(list)) {
        if (!strcmp(qdict_str_or(qobject_to_dict(e), "section", ""), section)) {
            return qobject_to_dict(e);
        }
    }
    return NULL;
}

static void same_view(Test *t, QObject *live, QObject *file)
{
    unsigned n = 0;

    drop_regions(live);
    drop_regions(file);
    QLIST_FOR_EACH(e, qobject_to_list(live)) {
        const char *section = qdict_str_or(qobject_to_dict(e), "section", NULL);
        const QDict *other = section ? find(file, section) : NULL;

        /* What sits on the bus is the same; one device's clock may have its own name. */
        if (other) {
            char *diff = qobject_diff(qobject_get_path(e, "sections[0]"),
                                      qobject_get_path(QOBJECT(other), "sections[0]"));

            if (!check_true(t, !diff, section)) {
                test_note(t, "%s", diff);
            }
            free(diff);
            n++;
        } else if (section) {
            test_fail(t, "the file has nothing of '%s'", section);
        }
    }
    check_true(t, n > 10, "as many devices as there are");
}

/* The clock runs with guest time, which stands still. */
#define MACHINE "-machine pc -m 16 -nodefaults -rtc clock=vm -device e1000,id=net -device virtio-rng-pci,id=rng"

TEST(qemu_state, of_a_migration_file)
{
    g_autofree char *dir = g_dir_make_tmp("state-XXXXXX", NULL), *path = g_build_filename(dir, "m", NULL);
    g_autofree char *args = g_strdup_printf("--all --json %s", path), *plain = g_strdup_printf("%s e1000", path);
    g_autofree char *none = g_strdup_printf("%s nowhere", path), *out = NULL, *text = NULL, *cut = NULL;
    QTest *q = qtest_start_qmp(t, MACHINE);
    QOBJECT_AUTO QObject *live = NULL, *file = NULL;
    g_autofree char *data = NULL;
    QObject *r;
    gsize len = 0;

    qtest_outb(q, 0x21, 0x5a);
    r = qmp_cmd(qtest_qmp(q), "stop", NULL, NULL);
    qobject_unref(r);
    live = qmp_cmd(qtest_qmp(q), "query-device-state", qdict_from_fmt("{'all': true}"), NULL);
    r = qmp_cmd(qtest_qmp(q), "migrate", qdict_from_fmt("{'uri': %p}", qstring_from_printf("file:%s", path)), NULL);
    qobject_unref(r);
    for (bool done = false; !done; ) {
        r = qmp_cmd(qtest_qmp(q), "query-migrate", NULL, NULL);
        done = !r || !strcmp(qdict_str_or(qobject_to_dict(r), "status", ""), "completed") ||
               !strcmp(qdict_str_or(qobject_to_dict(r), "status", ""), "failed");
        qobject_unref(r);
    }
    out = run(t, false, args);
    file = out ? json_parse(out, NULL) : NULL;
    if (check_true(t, live && file, "both can be shown")) {
        same_view(t, live, file);
    }
    text = run(t, false, plain);
    check_true(t, text && strstr(text, "(e1000)") && !strstr(text, "i8259"), "one device, as text");
    g_free(run(t, true, none));
    /* Damaged and cut off. */
    g_file_get_contents(path, &data, &len, NULL);
    cut = g_build_filename(dir, "cut", NULL);
    for (gsize n = 0; n < len; n += len / 16 + 1) {
        g_autofree char *cut_args = g_strdup_printf("%s", cut);

        g_file_set_contents(cut, data, (gssize)n, NULL);
        g_free(run(t, true, cut_args));
    }
    g_unlink(cut);
    g_unlink(path);
    g_rmdir(dir);
}

TEST(qemu_state, of_a_snapshot)
{
    g_autofree char *dir = g_dir_make_tmp("state-XXXXXX", NULL), *image = g_build_filename(dir, "d.qcow2", NULL);
    g_autofree char *make = g_strdup_printf("%s/qemu-img create -q -f qcow2 %s 16M", g_getenv("BUILD_DIR"), image);
    g_autofree char *list = g_strdup_printf("--list %s", image), *two = g_strdup_printf("%s isa-i8259", image);
    g_autofree char *first = g_strdup_printf("--snapshot a %s isa-i8259", image);
    g_autofree char *bad = g_strdup_printf("--snapshot x %s", image), *out = NULL, *names = NULL;
    g_autofree char *before = NULL, *after = NULL;
    gsize len_before = 0, len_after = 0;
    QTest *q;
    QObject *r;

    if (!check_true(t, g_spawn_command_line_sync(make, NULL, NULL, NULL, NULL), make)) {
        return;
    }
    q = qtest_start_qmp(t, MACHINE " -drive if=none,id=d,file=%s,format=qcow2 -device virtio-blk-pci,drive=d", image);
    qtest_outb(q, 0x21, 0x5a);
    r = qmp_cmd(qtest_qmp(q), "human-monitor-command", qdict_from_fmt("{'command-line': 'savevm a'}"), NULL);
    qobject_unref(r);
    qtest_outb(q, 0x21, 0xa5);
    r = qmp_cmd(qtest_qmp(q), "human-monitor-command", qdict_from_fmt("{'command-line': 'savevm b'}"), NULL);
    qobject_unref(r);
    qtest_stop(q);
    g_file_get_contents(image, &before, &len_before, NULL);
    names = run(t, false, list);
    check_true(t, names && strstr(names, "\ta\t") && strstr(names, "\tb\t"), "its snapshots");
    out = run(t, false, first);
    check_true(t, out && strstr(out, "0x5a [") && !strstr(out, "0xa5 ["), "the one that was asked for");
    g_free(run(t, true, two));
    g_free(run(t, true, bad));
    g_file_get_contents(image, &after, &len_after, NULL);
    check_true(t, len_before && len_before == len_after && !memcmp(before, after, len_before), "the image is untouched");
    g_unlink(image);
    g_rmdir(dir);
}
