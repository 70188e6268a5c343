/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "qobject/leaks.h"
#include "qobject/qobject.h"

/* In builds without --enable-debug nothing is counted, and that costs nothing. */
TEST(leaks, live_values_are_counted_by_site)
{
    size_t before = qobject_live_count(), len;
    QDict *d = qdict_from_fmt("{'a': [1, 2.5, 'x', null, true], 'b': {}}");
    char *text = NULL;
    FILE *f = open_memstream(&text, &len);
#ifdef CONFIG_DEBUG
    size_t made = 6;                /* null and true are never made */
#else
    size_t made = 0;
#endif

    check_int(t, qobject_live_count() - before, made, "values that live");
    qobject_leaks_report(f);
    fclose(f);
    check_true(t, !made || strstr(text, "values made by:"), "the report names sites");
    free(text);
    qobject_unref(d);
    check_int(t, qobject_live_count(), before, "all gone");
}
