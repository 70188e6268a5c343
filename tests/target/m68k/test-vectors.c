/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single steps of a real 68000: registers and memory before and after one instruction.
 *
 * M68K_VECTORS names a folder with files of the public collection SingleStepTests/m68000 (v1/NAME.json.bin), which
 * are run whole; M68K_VECTORS_SHOW=N prints the first N differences of each. Without it a few of them, in
 * vectors.txt, are run, and one or two address errors of each. Bus cycles and times aren't compared.
 */
#include "util/osdep.h"
#include "tests/target/m68k/machine.h"

#include "util/bswap.h"

#define MAX_WORDS   64

typedef struct State {
    uint32_t d[8], a[7], usp, ssp, sr, pc;
    unsigned n;                         /* words of memory */
    struct { uint32_t addr; uint16_t v; } ram[MAX_WORDS];
} State;

static void put_word(uint32_t addr, uint16_t v)
{
    address_space_store(&address_space_memory, addr, v, 2, MEM_BE, MEM_ATTRS_NONE, NULL);
}

static uint16_t get_word(uint32_t addr)
{
    return (uint16_t)address_space_load(&address_space_memory, addr, 2, MEM_BE, MEM_ATTRS_NONE, NULL);
}

static void load(Machine68 *m, const State *st)
{
    M68kState *s = m->s;

    for (unsigned i = 0; i < 8; i++) {
        s->d[i] = st->d[i];
        s->a[i] = i < 7 ? st->a[i] : st->sr & SR_S ? st->ssp : st->usp;
    }
    s->sr = (uint16_t)(st->sr & SR_SYSTEM);
    m68k_set_ccr(s, st->sr);
    s->usp = st->usp;
    s->isp = st->ssp;
    s->tcg.pc = st->pc - 4;             /* two words have been prefetched */
    s->excp = EXCP_NONE;
    s->delivering = s->in_group0 = s->dead = s->stopped = s->trace_pending = false;
    m->cpu->parent.halted = false;
    m->cpu->parent.interrupt_request = 0;
    for (unsigned i = 0; i < st->n; i++) {
        put_word(st->ram[i].addr, st->ram[i].v);
    }
    tcg_mode_changed(&s->tcg);
}

/* What differs, or NULL. */
static char *compare(Machine68 *m, const State *st)
{
    M68kState *s = m->s;
    uint32_t usp = st->sr & SR_S ? s->usp : (uint32_t)s->a[7];
    uint32_t ssp = st->sr & SR_S ? (uint32_t)s->a[7] : s->isp;

    for (unsigned i = 0; i < 8; i++) {
        if (s->d[i] != st->d[i]) {
            return g_strdup_printf("D%u is %08x, not %08x", i, (uint32_t)s->d[i], st->d[i]);
        }
        if (i < 7 && s->a[i] != st->a[i]) {
            return g_strdup_printf("A%u is %08x, not %08x", i, (uint32_t)s->a[i], st->a[i]);
        }
    }
    if (m68k_get_sr(s) != st->sr) {
        return g_strdup_printf("SR is %04x, not %04x", m68k_get_sr(s), st->sr);
    }
    if (usp != st->usp || ssp != st->ssp) {
        return g_strdup_printf("USP is %08x, not %08x; SSP is %08x, not %08x", usp, st->usp, ssp, st->ssp);
    }
    /* STOP hasn't prefetched what follows. */
    if ((uint32_t)s->tcg.pc != st->pc - (s->stopped ? 0 : 4)) {
        return g_strdup_printf("PC is %08x, not %08x", (uint32_t)s->tcg.pc, st->pc - 4);
    }
    for (unsigned i = 0; i < st->n; i++) {
        uint16_t v = get_word(st->ram[i].addr);

        if (v != st->ram[i].v) {
            return g_strdup_printf("%06x holds %04x, not %04x", st->ram[i].addr, v, st->ram[i].v);
        }
    }
    return NULL;
}

/* An address error: its frame tells where the prefetch stood. */
static bool is_group0(const State *after)
{
    uint32_t vector = 0;

    for (unsigned i = 0; i < after->n; i++) {
        if (after->ram[i].addr == 12) {
            vector |= (uint32_t)after->ram[i].v << 16;
        } else if (after->ram[i].addr == 14) {
            vector |= after->ram[i].v;
        }
    }
    return vector && vector == after->pc - 4;
}

static char *step(Machine68 *m, const State *before, const State *after)
{
    char *what;

    load(m, before);
    vcpu_exec(m->v);
    what = compare(m, after);
    /* What the next one doesn't name is zero. */
    for (unsigned i = 0; i < before->n; i++) {
        put_word(before->ram[i].addr, 0);
    }
    for (unsigned i = 0; i < after->n; i++) {
        put_word(after->ram[i].addr, 0);
    }
    for (unsigned i = 0; what && i < 32; i += 2) {
        put_word((uint32_t)m->s->a[7] + i, 0);
    }
    return what;
}

/* ---------------------------------------------------------------- the collection's files */

static const uint8_t *read_state(const uint8_t *p, State *st)
{
    const uint8_t *end = p + load_le32(p), *q = p + 8;
    uint32_t r[19], n;

    for (unsigned i = 0; i < 19; i++, q += 4) {
        r[i] = load_le32(q);
    }
    memcpy(st->d, r, 32);
    memcpy(st->a, r + 8, 28);
    st->usp = r[15];
    st->ssp = r[16];
    st->sr = r[17];
    st->pc = r[18];
    q += 8;                             /* the prefetched words are in memory, too */
    n = load_le32(q);
    q += 4;
    st->n = MIN(n, MAX_WORDS);
    for (unsigned i = 0; i < st->n; i++, q += 6) {
        st->ram[i].addr = load_le32(q) & 0xfffffe;
        st->ram[i].v = load_le16(q + 4);
    }
    return end;
}

static void run_file(Test *t, Machine68 *m, const char *path)
{
    g_autofree char *data = NULL, *base = g_path_get_basename(path);
    const char *env = getenv("M68K_VECTORS_SHOW");
    unsigned n, failed = 0, errors = 0, show = env ? (unsigned)atoi(env) : 1;
    const uint8_t *p;
    gsize len;

    if (!g_file_get_contents(path, &data, &len, NULL) || len < 8) {
        test_fail(t, "can't read %s", path);
        return;
    }
    p = (const uint8_t *)data;
    n = load_le32(p + 4);
    p += 8;
    for (unsigned i = 0; i < n && (size_t)(p - (const uint8_t *)data) + 8 < len; i++) {
        const uint8_t *end = p + load_le32(p), *q = p + 8;
        g_autofree char *name = g_strndup((const char *)q + 12, load_le32(q + 8));
        g_autofree char *what = NULL;
        State before, after;

        q += load_le32(q);
        q = read_state(q, &before);
        read_state(q, &after);
        what = step(m, &before, &after);
        errors += is_group0(&after);
        if (what) {
            if (failed++ < show) {
                test_note(t, "%s: %s", name, what);
            }
        }
        p = end;
    }
    test_note(t, "%s: %u of %u differ, %u of them are address errors", base, failed, n, errors);
    if (failed) {
        test_fail(t, "%s: %u of %u differ", base, failed, n);
    }
}

/* -------------------------------------------------------------------- our own sample */

static void parse_registers(const char *text, State *st)
{
    uint32_t r[19] = { 0 };

    for (unsigned i = 0; i < 19; i++) {
        char *end;

        r[i] = (uint32_t)strtoul(text, &end, 16);
        text = end;
    }
    memcpy(st->d, r, 32);
    memcpy(st->a, r + 8, 28);
    st->usp = r[15];
    st->ssp = r[16];
    st->sr = r[17];
    st->pc = r[18];
}

static void parse_memory(const char *text, State *st)
{
    st->n = 0;
    for (const char *eq; st->n < MAX_WORDS && (eq = strchr(text, '=')); ) {
        char *end;

        st->ram[st->n].addr = (uint32_t)strtoul(text, NULL, 16);
        st->ram[st->n++].v = (uint16_t)strtoul(eq + 1, &end, 16);
        text = end;
    }
}

static void run_folder(Test *t, Machine68 *m, const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);

    if (!dir) {
        test_fail(t, "the folder %s can't be read", folder);
    }
    for (const char *name; dir && (name = g_dir_read_name(dir)); ) {
        if (g_str_has_suffix(name, ".json.bin")) {
            g_autofree char *path = g_build_filename(folder, name, NULL);

            run_file(t, m, path);
        }
    }
    if (dir) {
        g_dir_close(dir);
    }
}

/* The folder that M68K_VECTORS names; without it the sample. */
TEST(m68k_vectors, as_the_chip_does)
{
    const char *folder = getenv("M68K_VECTORS");
    g_autofree char *path = test_src_path("tests/target/m68k/vectors.txt"), *text = NULL;
    Machine68 *m = machine68(t, "m68000-m68k-cpu");
    g_auto(GStrv) lines = NULL;
    unsigned n = 0;

    if (m && folder) {
        run_folder(t, m, folder);
        return;
    }
    if (!m || !g_file_get_contents(path, &text, NULL, NULL)) {
        test_fail(t, "can't read %s", path);
        return;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **l = lines; *l; l++) {
        g_auto(GStrv) part = **l && **l != '#' ? g_strsplit(*l, ";", 5) : NULL;
        g_autofree char *what = NULL;
        State before, after;

        if (!part || g_strv_length(part) != 5) {
            continue;
        }
        parse_registers(part[1], &before);
        parse_memory(part[2], &before);
        parse_registers(part[3], &after);
        parse_memory(part[4], &after);
        what = step(m, &before, &after);
        if (what) {
            test_fail(t, "%s: %s", part[0], what);
        }
        n++;
    }
    check_true(t, n > 200, "the sample has them all");
}
