/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines without CPUs that run, one of which is moved to the other. */
#ifndef TESTS_MIGRATION_MOVE_H
#define TESTS_MIGRATION_MOVE_H

#include "tests/lib/qtest.h"

#include <glib.h>

#define PC      "-machine pc -m 32 -nodefaults -vga none "
#define PLACE   0x300000u

static inline QDict *query(QTest *q)
{
    Error *err = NULL;
    QObject *o = qmp_cmd(qtest_qmp(q), "query-migrate", NULL, &err);

    error_free(err);
    return o ? qobject_to_dict(o) : qdict_new();
}

static inline bool is_over(const char *status)
{
    return !strcmp(status, "completed") || !strcmp(status, "failed") ||
           !strcmp(status, "cancelled");
}

/* Until @q's migration has @status, or has ended otherwise: the harness has the time limit. */
static inline QDict *wait_status(Test *t, QTest *q, const char *status)
{
    for (;;) {
        QObject *o = qmp_cmd(qtest_qmp(q), "query-migrate", NULL, NULL);
        QDict *d = o ? qobject_to_dict(o) : qdict_new();
        const char *now = qdict_str_or(d, "status", "none");

        if (!strcmp(now, status)) {
            return d;
        }
        if (!o) {
            test_fail(t, "status '%s' does not come: nobody answers", status);
            return d;
        }
        if (is_over(now)) {
            test_fail(t, "status '%s' instead of '%s': %s", now, status,
                      qdict_str_or(d, "error-desc", ""));
            return d;
        }
        qobject_unref(d);
        g_usleep(10000);
    }
}

static inline void expect_status(Test *t, QTest *q, const char *status)
{
    qobject_unref(wait_status(t, q, status));
}

static inline void wait_run_state(Test *t, QTest *q, const char *state)
{
    for (;;) {
        QObject *o = qmp_cmd(qtest_qmp(q), "query-status", NULL, NULL);
        bool gone = !o;
        bool there = o && !strcmp(qdict_str_or(qobject_to_dict(o), "status", ""), state);

        qobject_unref(o);
        if (there) {
            return;
        }
        if (gone) {
            test_fail(t, "run state '%s' does not come: nobody answers", state);
            return;
        }
        g_usleep(10000);
    }
}

static inline bool run(Test *t, QTest *q, const char *name, QDict *args)
{
    Error *err = NULL;
    bool ok = qmp_cmd_ok(qtest_qmp(q), name, args, &err);

    if (!ok) {
        test_fail(t, "%s: %s", name, error_message(err));
        error_free(err);
    }
    return ok;
}

/* The command fails with a message that has @words. */
static inline void refused(Test *t, QTest *q, const char *name, QDict *args, const char *words)
{
    Error *err = NULL;

    if (!check_true(t, !qmp_cmd_ok(qtest_qmp(q), name, args, &err), "it is refused")) {
        return;
    }
    check_true(t, strstr(error_message(err), words), error_message(err));
    error_free(err);
}

static inline void migrate(Test *t, QTest *q, const char *uri)
{
    run(t, q, "migrate", qdict_from_fmt("{'uri': %s}", uri));
}

static inline void capability(Test *t, QTest *q, const char *name)
{
    run(t, q, "migrate-set-capabilities",
        qdict_from_fmt("{'capabilities': [{'capability': %s, 'state': true}]}", name));
}

static inline void fill(QTest *q)
{
    for (unsigned i = 0; i < 16; i++) {
        qtest_memset(q, PLACE + i * 4096, (uint8_t)(i + 1), 4096);
    }
    qtest_outb(q, 0x70, 0x30);
    qtest_outb(q, 0x71, 0x5a);
}

static inline void check(Test *t, QTest *q)
{
    for (unsigned i = 0; i < 16; i++) {
        check_u8(t, qtest_readb(q, PLACE + i * 4096 + 4095), (uint8_t)(i + 1), "memory");
    }
    qtest_outb(q, 0x70, 0x30);
    check_u8(t, qtest_inb(q, 0x71), 0x5a, "a device's register");
}

static inline char *path_of(Test *t, const char *name)
{
    return g_strdup_printf("%s/%s", test_tmpdir(t), name);
}

#endif
