/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "qobject/leaks.h"
#include "qobject/qobject.h"

TEST(leaks, live_values_are_counted_by_site)
{
#ifdef CONFIG_DEBUG
    size_t before = qobject_live_count(), len;
    QDict *d = qdict_from_fmt("{'a': [1, 2.5, 'x', null, true], 'b': {}}");
    char *text = NULL;
    FILE *f = open_memstream(&text, &len);

    check_int(t, qobject_live_count() - before, 6, "null and true are never made");
    qobject_leaks_report(f);
    fclose(f);
    check_true(t, strstr(text, "values made by:"), "the report names sites");
    free(text);
    qobject_unref(d);
    check_int(t, qobject_live_count(), before, "all gone");
#else
    test_skip(t, "needs --enable-debug");
#endif
}
