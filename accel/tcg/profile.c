/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples of where vCPUs are, and the guest's symbols; see profile.h. */
#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/profile.h"
#include "accel/tcg/vcpu.h"
#include "util/timer.h"

#define PLACES      65536       /* more than that are counted, not told apart */

typedef struct Symbol {
    uint64_t pc;
    char *name;
} Symbol;

static struct {
    Mutex lock;
    GHashTable *places;         /* of ProfilePlace, by pc and mode */
    uint64_t total;
    Timer *timer;
    int64_t period_ns;
    Symbol *symbols;            /* sorted; fixed once a vCPU runs */
    size_t n_symbols;
} prof = { .lock = MUTEX_INITIALIZER };

static guint place_hash(gconstpointer p)
{
    const ProfilePlace *x = p;

    return (guint)((x->pc ^ x->mode) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static gboolean place_equal(gconstpointer a, gconstpointer b)
{
    const ProfilePlace *x = a, *y = b;

    return x->pc == y->pc && x->mode == y->mode;
}

static void tick(UNUSED void *opaque)
{
    CPU_FOREACH(cpu) {
        VcpuTcg *v = cpu->accel;

        if (v && v->running) {
            v->sample = true;
            __atomic_store_n(&v->env->exit_request, 1, __ATOMIC_SEQ_CST);
        }
    }
    timer_mod_ns(prof.timer, clock_get_ns(CLOCK_RT) + prof.period_ns);
}

void profile_start(unsigned hz)
{
    prof.places = g_hash_table_new_full(place_hash, place_equal, g_free, NULL);
    prof.period_ns = 1000 * NS_PER_MS / hz;
    prof.timer = timer_new_ns(CLOCK_RT, tick, NULL);
    timer_mod_ns(prof.timer, clock_get_ns(CLOCK_RT) + prof.period_ns);
}

void profile_note(uint64_t pc, uint32_t mode)
{
    ProfilePlace key = { .pc = pc, .mode = mode }, *p;

    mutex_lock(&prof.lock);
    if (prof.places) {
        p = g_hash_table_lookup(prof.places, &key);
        if (!p && g_hash_table_size(prof.places) < PLACES) {
            p = g_memdup2(&key, sizeof(key));
            g_hash_table_add(prof.places, p);
        }
        if (p) {
            p->samples++;
        }
        prof.total++;
    }
    mutex_unlock(&prof.lock);
}

static int more_samples(const void *a, const void *b)
{
    uint64_t x = ((const ProfilePlace *)a)->samples, y = ((const ProfilePlace *)b)->samples;

    return x < y ? 1 : x > y ? -1 : 0;
}

unsigned profile_top(ProfilePlace *list, unsigned max, uint64_t *total)
{
    ProfilePlace *all = NULL;
    unsigned n = 0;
    GHashTableIter it;
    gpointer p;

    mutex_lock(&prof.lock);
    *total = prof.total;
    if (prof.places) {
        all = g_new(ProfilePlace, g_hash_table_size(prof.places) + 1);
        g_hash_table_iter_init(&it, prof.places);
        while (g_hash_table_iter_next(&it, &p, NULL)) {
            all[n++] = *(ProfilePlace *)p;
        }
    }
    mutex_unlock(&prof.lock);
    if (n) {
        qsort(all, n, sizeof(*all), more_samples);
    }
    n = MIN(n, max);
    for (unsigned i = 0; i < n; i++) {
        list[i] = all[i];
    }
    g_free(all);
    return n;
}

/* --- symbols --- */

static int by_pc(const void *a, const void *b)
{
    uint64_t x = ((const Symbol *)a)->pc, y = ((const Symbol *)b)->pc;

    return x < y ? -1 : x > y;
}

bool tcg_symbols_load(const char *path, Error **errp)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    GError *e = NULL;
    size_t n = 0;

    if (!g_file_get_contents(path, &text, NULL, &e)) {
        error_setf(errp, ERR_GENERIC, "-accel tcg: can't read the symbols: %s", e->message);
        g_error_free(e);
        return false;
    }
    lines = g_strsplit(text, "\n", -1);
    prof.symbols = g_new(Symbol, g_strv_length(lines) + 1);
    for (char **l = lines; *l; l++) {
        char type, name[256];
        uint64_t pc;

        if (sscanf(*l, "%" SCNx64 " %c %255s", &pc, &type, name) == 3 && strchr("tTwW", type)) {
            prof.symbols[n++] = (Symbol){ pc, g_strdup(name) };
        }
    }
    if (!n) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "-accel tcg: property 'symbols' is '%s', which has no line like "
                   "'ffffffff81000000 T _stext'", path);
        return false;
    }
    qsort(prof.symbols, n, sizeof(*prof.symbols), by_pc);
    prof.n_symbols = n;
    return true;
}

const char *tcg_symbol(uint64_t pc, uint64_t *offset)
{
    size_t lo = 0, hi = prof.n_symbols;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (prof.symbols[mid].pc <= pc) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    if (!lo) {
        return NULL;
    }
    *offset = pc - prof.symbols[lo - 1].pc;
    return prof.symbols[lo - 1].name;
}
