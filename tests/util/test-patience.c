/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/patience.h"
#include "tests/lib/test.h"

#include <glib.h>

TEST(patience, is_learnt)
{
    Patience p = { 0 };
    int64_t last = 0;

    patience_begin(&p);
    check_true(t, !p.looking && !patience_lasts(&p), "a new one has none");
    while (p.ns < PATIENCE_MAX_NS) {
        patience_learn(&p, PATIENCE_MAX_NS);
        if (!check_true(t, p.ns > last, "brief waits, asleep: more")) {
            return;
        }
        last = p.ns;
    }
    patience_learn(&p, PATIENCE_MAX_NS);
    check_int(t, p.ns, PATIENCE_MAX_NS, "no more than that");
    patience_learn(&p, 1);
    check_int(t, p.ns, PATIENCE_MAX_NS, "it was enough");
    for (int i = 0; i < 5; i++) {
        patience_learn(&p, NS_PER_SECOND);
    }
    check_int(t, p.ns, 0, "long waits: none");
}

TEST(patience, no_more_lookers_than_processors)
{
    unsigned n = g_get_num_processors(), looking = 0;
    g_autofree Patience *p = g_new0(Patience, n + 1);

    for (unsigned i = 0; i <= n; i++) {
        p[i].ns = PATIENCE_MAX_NS;
        patience_begin(&p[i]);
        looking += p[i].looking;
    }
    check_int(t, looking, n > 1 ? n : 0, "as many");
    for (unsigned i = 0; i <= n; i++) {
        patience_end(&p[i]);
        check_true(t, !p[i].looking, "over");
    }
    p[n].ns = PATIENCE_MAX_NS;
    patience_begin(&p[n]);
    check_true(t, p[n].looking == (n > 1), "there is room again");
    while (patience_lasts(&p[n])) {
    }
    check_true(t, !p[n].looking, "it ends by itself");
    patience_end(&p[n]);
}
