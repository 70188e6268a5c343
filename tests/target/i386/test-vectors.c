/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single instructions as real 8086 and 80286 chips executed them in real mode: registers, defined flags and
 * memory before and after. vectors-8086.txt and vectors-286.txt hold a sample of the public sets
 * (SingleStepTests/8086 and /80286 on GitHub), a line each:
 *
 *     FORM AX BX CX DX CS SS DS ES SP BP SI DI IP FLAGS / ADDR:BYTES ... / REG=VALUE ... / ADDR:BYTES ... [/ FLAGS-ADDR]
 *
 * FORM is the opcode, with ".N" for ModRM's reg field where it tells instructions apart; memory and registers after
 * the slash in the middle are those that changed; FLAGS-ADDR is where an exception pushed the flags.
 * X86_VECTORS (environment) is a folder with a whole set (*.MOO.gz), X86_VECTORS_CPU 8086 or 286; with
 * X86_VECTORS_SAMPLE=N every N-th is printed as such a line instead of run. See scripts/x86-vectors.sh.
 */
#include "util/osdep.h"
#include <glib.h>
#include <zlib.h>
#include "tests/lib/test.h"
#include "tests/lib/x86-harness.h"
#include "util/bswap.h"

enum { N_AX, N_BX, N_CX, N_DX, N_CS, N_SS, N_DS, N_ES, N_SP, N_BP, N_SI, N_DI, N_IP, N_FLAGS, N_REGS,
       MAX_BYTES = 2000 };

static const char reg_names[N_REGS][3] = { "ax", "bx", "cx", "dx", "cs", "ss", "ds", "es", "sp", "bp",
                                           "si", "di", "ip", "fl" };

typedef struct MemByte { uint32_t addr; uint8_t v; } MemByte;

typedef struct Vector {
    char form[8];
    unsigned number;
    uint16_t in[N_REGS], out[N_REGS];
    unsigned n_before, n_after;
    MemByte before[MAX_BYTES], after[MAX_BYTES];
    bool has_flags_at;
    uint32_t flags_at;
} Vector;

/* Flags that @form leaves undefined (the sets' metadata.json). */
static uint16_t undefined_flags(const char *form, bool is_8086)
{
    enum { SZAP = FL_SF | FL_ZF | FL_AF | FL_PF };
    unsigned op = strtoul(form, NULL, 16), reg = form[2] == '.' ? form[3] - '0' : 0;

    if ((op < 0x40 && (op & 7) < 6) || (op >= 0x80 && op <= 0x83)) {
        unsigned alu = op < 0x40 ? op >> 3 : reg;

        return alu == 1 || alu == 4 || alu == 6 ? FL_AF : 0;
    }
    switch (op) {
    case 0x27: case 0x2f:
        return FL_OF;
    case 0x37: case 0x3f:
        return FL_OF | FL_SF | FL_ZF | FL_PF;
    case 0x69: case 0x6b:
        return is_8086 ? 0 : SZAP;
    case 0x84: case 0x85: case 0xa8: case 0xa9:
        return FL_AF;
    case 0xd0: case 0xd1:
        return reg == 6 && is_8086 ? FL_ARITH : reg >= 4 ? FL_AF : 0;
    case 0xc0: case 0xc1:
        return is_8086 ? 0 : reg >= 4 ? FL_OF | FL_AF | FL_CF : FL_OF;
    case 0xd2: case 0xd3:
        return reg == 6 && is_8086 ? FL_ARITH : reg < 4 ? FL_OF : FL_OF | FL_AF | (is_8086 ? 0 : FL_CF);
    case 0xd4: case 0xd5:
        return FL_OF | FL_AF | FL_CF;
    case 0xf6: case 0xf7:
        return reg < 2 ? FL_AF : reg < 4 ? 0 : reg < 6 ? SZAP : FL_ARITH;
    default:
        return 0;
    }
}

/* --- one of them --- */

static void set_state(Xh *h, const Vector *v, bool is_8086)
{
    static const uint8_t gpr[] = { [N_AX] = R_AX, [N_BX] = R_BX, [N_CX] = R_CX, [N_DX] = R_DX,
                                   [N_SP] = R_SP, [N_BP] = R_BP, [N_SI] = R_SI, [N_DI] = R_DI };
    static const uint8_t seg[] = { [N_CS] = S_CS, [N_SS] = S_SS, [N_DS] = S_DS, [N_ES] = S_ES };
    X86State *s = xh_cpu(h);

    for (unsigned k = N_AX; k <= N_DI; k++) {
        if (k >= N_CS && k <= N_ES) {
            x86_set_segment_real(s, seg[k], v->in[k]);
        } else {
            s->regs[gpr[k]] = v->in[k];
        }
    }
    s->tcg.pc = v->in[N_IP];
    x86_set_eflags(s, (v->in[N_FLAGS] & 0xfff) | (is_8086 ? 0xf000 : 0));
    s->excp = s->excp_old = EXCP_NONE;
    s->int_shadow = s->in_hlt = false;
}

static void get_state(Xh *h, uint16_t r[N_REGS])
{
    X86State *s = xh_cpu(h);

    memcpy(r, (uint16_t[N_REGS]){ s->regs[R_AX], s->regs[R_BX], s->regs[R_CX], s->regs[R_DX],
        s->seg[S_CS].selector, s->seg[S_SS].selector, s->seg[S_DS].selector, s->seg[S_ES].selector,
        s->regs[R_SP], s->regs[R_BP], s->regs[R_SI], s->regs[R_DI], s->tcg.pc, x86_get_eflags(s) },
        2 * N_REGS);
}

static void put_bytes(Xh *h, const MemByte *b, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        xh_ram(h)[b[k].addr] = b[k].v;
        if (k == 0 || b[k].addr >> 12 != b[k - 1].addr >> 12) {
            xh_forget(h, b[k].addr & ~0xfffu, 0x1000);
        }
    }
}

static bool masked_byte(const Vector *v, uint32_t addr, uint16_t undefined, uint8_t *mask)
{
    if (!v->has_flags_at || addr - v->flags_at > 1) {
        return false;
    }
    *mask = addr == v->flags_at ? ~undefined : ~(undefined >> 8);
    return true;
}

/* What differs, to @text; true if nothing does. */
static bool run_vector(Xh *h, const Vector *v, bool is_8086, GString *text)
{
    uint16_t r[N_REGS], undefined = undefined_flags(v->form, is_8086);
    bool ok = true;

    put_bytes(h, v->before, v->n_before);
    set_state(h, v, is_8086);
    xh_step(h);
    get_state(h, r);
    if (!is_8086 && strcmp(v->form, "F4")) {
        r[N_IP]++;                              /* the set has HLT executed behind each */
    }
    for (unsigned k = 0; k < N_REGS; k++) {
        uint16_t mask = k == N_FLAGS ? ~undefined : 0xffff;

        if ((r[k] ^ v->out[k]) & mask) {
            g_string_append_printf(text, " %s %04x, not %04x;", reg_names[k], r[k] & mask, v->out[k] & mask);
            ok = false;
        }
    }
    for (unsigned k = 0; k < v->n_after; k++) {
        uint8_t mask = 0xff, now = xh_ram(h)[v->after[k].addr];

        masked_byte(v, v->after[k].addr, undefined, &mask);
        if ((now ^ v->after[k].v) & mask) {
            g_string_append_printf(text, " [%05x] %02x, not %02x;", v->after[k].addr, now, v->after[k].v);
            ok = false;
        }
    }
    for (unsigned k = 0; k < v->n_before; k++) {
        bool changes = false;

        for (unsigned j = 0; j < v->n_after && !changes; j++) {
            changes = v->after[j].addr == v->before[k].addr;
        }
        if (!changes && xh_ram(h)[v->before[k].addr] != v->before[k].v) {
            g_string_append_printf(text, " [%05x] %02x, was %02x;", v->before[k].addr,
                                   xh_ram(h)[v->before[k].addr], v->before[k].v);
            ok = false;
        }
    }
    return ok;
}

/* --- our lines --- */

static void print_bytes(GString *s, const MemByte *b, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        if (k == 0 || b[k].addr != b[k - 1].addr + 1) {
            g_string_append_printf(s, " %x:", b[k].addr);
        }
        g_string_append_printf(s, "%02x", b[k].v);
    }
}

static void print_line(const Vector *v)
{
    g_autoptr(GString) s = g_string_new(v->form);

    for (unsigned k = 0; k < N_REGS; k++) {
        g_string_append_printf(s, " %x", v->in[k]);
    }
    g_string_append(s, " /");
    print_bytes(s, v->before, v->n_before);
    g_string_append(s, " /");
    for (unsigned k = 0; k < N_REGS; k++) {
        if (v->in[k] != v->out[k]) {
            g_string_append_printf(s, " %s=%x", reg_names[k], v->out[k]);
        }
    }
    g_string_append(s, " /");
    print_bytes(s, v->after, v->n_after);
    if (v->has_flags_at) {
        g_string_append_printf(s, " / %x", v->flags_at);
    }
    printf("%s\n", s->str);
}

static unsigned parse_bytes(char **p, MemByte *b)
{
    unsigned n = 0;

    while (**p == ' ' && (*p)[1] != '/' && (*p)[1]) {
        uint32_t addr = strtoul(*p, p, 16);
        unsigned v;

        for (*p += **p == ':'; sscanf(*p, "%2x", &v) == 1 && **p != ' ' && n < MAX_BYTES; *p += 2) {
            b[n++] = (MemByte){ addr++ % XH_REAL_SIZE, v };
        }
    }
    *p += **p == ' ' ? 2 : 0;
    return n;
}

static bool parse_line(char *line, Vector *v)
{
    char *p = strchr(line, ' ');

    if (!p || p - line >= (int)sizeof(v->form)) {
        return false;
    }
    memset(v, 0, offsetof(Vector, before));
    memcpy(v->form, line, p - line);
    for (unsigned k = 0; k < N_REGS; k++) {
        v->in[k] = v->out[k] = strtoul(p, &p, 16);
    }
    if (strncmp(p, " /", 2)) {
        return false;
    }
    p += 2;
    v->n_before = parse_bytes(&p, v->before);
    while (*p == ' ' && p[1] != '/' && p[1]) {
        for (unsigned k = 0; k < N_REGS; k++) {
            if (!strncmp(p + 1, reg_names[k], 2)) {
                v->out[k] = strtoul(p + 4, NULL, 16);
            }
        }
        p += 1 + strcspn(p + 1, " ");
    }
    p += 2;
    v->n_after = parse_bytes(&p, v->after);
    v->has_flags_at = *p == ' ';
    v->flags_at = strtoul(p, NULL, 16);
    return true;
}

/* --- the sets' files: chunks of a name, a length and contents ("MOO") --- */

static const uint8_t *chunk(const uint8_t *p, const uint8_t *end, const uint8_t **body, uint32_t *size)
{
    if (end - p < 8 || load_le32(p + 4) > (size_t)(end - p - 8)) {
        return NULL;
    }
    *size = load_le32(p + 4);
    *body = p + 8;
    return p + 8 + *size;
}

static unsigned read_state(const uint8_t *p, const uint8_t *end, uint16_t r[N_REGS], MemByte *b)
{
    const uint8_t *body, *next;
    uint32_t size;
    unsigned n = 0;

    for (; (next = chunk(p, end, &body, &size)) != NULL; p = next) {
        if (!memcmp(p, "REGS", 4)) {
            uint16_t mask = load_le16(body);

            body += 2;
            for (unsigned k = 0; k < N_REGS; k++) {
                if (mask >> k & 1) {
                    r[k] = load_le16(body);
                    body += 2;
                }
            }
        } else if (!memcmp(p, "RAM ", 4)) {
            uint32_t count = load_le32(body);

            for (body += 4; n < MIN(count, MAX_BYTES) && next - body >= 5; n++, body += 5) {
                b[n] = (MemByte){ load_le32(body) % XH_REAL_SIZE, body[4] };
            }
        }
    }
    return n;
}

static int by_address(const void *a, const void *b)
{
    const MemByte *x = a, *y = b;

    return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static void read_test(const uint8_t *p, const uint8_t *end, bool is_8086, Vector *v)
{
    const uint8_t *body, *next;
    uint32_t size;

    v->has_flags_at = false;
    for (p += 4; (next = chunk(p, end, &body, &size)) != NULL; p = next) {
        if (!memcmp(p, "INIT", 4)) {
            v->n_before = read_state(body, next, v->in, v->before);
            memcpy(v->out, v->in, sizeof(v->out));
            v->out[N_FLAGS] = (v->in[N_FLAGS] & 0xfff) | (is_8086 ? 0xf000 : 0);
        } else if (!memcmp(p, "FINA", 4)) {
            v->n_after = read_state(body, next, v->out, v->after);
        } else if (!memcmp(p, "EXCP", 4)) {
            v->has_flags_at = true;
        }
    }
    if (is_8086 && undefined_flags(v->form, true) && (uint16_t)(v->in[N_SP] - 6) == v->out[N_SP]) {
        v->has_flags_at = true;                 /* a divide error */
    }
    if (v->has_flags_at) {                      /* what the file says is a bus address, which is even */
        v->flags_at = ((v->out[N_SS] << 4) + (uint16_t)(v->out[N_SP] + 4)) & (is_8086 ? 0xfffff : 0xffffff);
    }
    qsort(v->before, v->n_before, sizeof(MemByte), by_address);
    qsort(v->after, v->n_after, sizeof(MemByte), by_address);
}

static GByteArray *read_gz(const char *path)
{
    GByteArray *a = g_byte_array_new();
    uint8_t buf[65536];
    gzFile f = gzopen(path, "rb");
    int n;

    while (f && (n = gzread(f, buf, sizeof(buf))) > 0) {
        g_byte_array_append(a, buf, n);
    }
    if (f) {
        gzclose(f);
    }
    return a;
}

/* Of these the files don't have all bytes (C6), or SS lies on the stack where CS was pushed. */
static bool is_broken(const Vector *v, bool is_8086)
{
    static const struct { const char *form; unsigned number; } broken[] = {
        { "C6", 1982 }, { "CD", 2044 }, { "CE", 1193 }, { "FF.3", 1141 },
    };

    for (unsigned k = 0; k < ARRAY_SIZE(broken); k++) {
        if (!is_8086 && !strcmp(v->form, broken[k].form) && v->number == broken[k].number) {
            return true;
        }
    }
    return false;
}

/* Gives how many failed, of *@total. */
static unsigned run_file(Test *t, Xh *h, const char *dir, const char *name, bool is_8086, unsigned sample,
                         unsigned *total)
{
    static Vector v;
    g_autofree char *path = g_build_filename(dir, name, NULL);
    GByteArray *a = read_gz(path);
    const uint8_t *p = a->data, *end = p + a->len, *body, *next;
    unsigned failed = 0, seen = 0;
    uint32_t size;

    snprintf(v.form, sizeof(v.form), "%.*s", (int)strcspn(name, "Mm") - 1, name);
    for (; (next = chunk(p, end, &body, &size)) != NULL; p = next) {
        g_autoptr(GString) text = g_string_new("");

        if (memcmp(p, "TEST", 4)) {
            continue;
        }
        read_test(body, next, is_8086, &v);
        if (sample) {
            if (seen++ % sample == 0) {
                print_line(&v);
            }
            continue;
        }
        v.number = seen++;
        if (is_broken(&v, is_8086)) {
            continue;
        }
        ++*total;
        if (!run_vector(h, &v, is_8086, text) && ++failed <= 3) {
            test_note(t, "%s %u:%s", v.form, v.number, text->str);
        }
    }
    if (failed) {
        test_note(t, "%s: %u failed", v.form, failed);
    }
    g_byte_array_free(a, true);
    return failed;
}

static void run_folder(Test *t, Xh *h, const char *dir, bool is_8086)
{
    const char *sample = getenv("X86_VECTORS_SAMPLE"), *only = getenv("X86_VECTORS_ONLY"), *name;
    unsigned total = 0, failed = 0;
    GDir *d = g_dir_open(dir, 0, NULL);
    GList *names = NULL;

    if (!d) {
        test_fail(t, "can't read %s", dir);
        return;
    }
    while ((name = g_dir_read_name(d)) != NULL) {
        if (g_str_has_suffix(name, ".MOO.gz") && (!only || g_str_has_prefix(name, only))) {
            names = g_list_insert_sorted(names, g_strdup(name), (GCompareFunc)strcmp);
        }
    }
    g_dir_close(d);
    for (GList *l = names; l; l = l->next) {
        failed += run_file(t, h, dir, l->data, is_8086, sample ? strtoul(sample, NULL, 10) : 0, &total);
    }
    g_list_free_full(names, g_free);
    test_note(t, "%u vectors, %u failed", total, failed);
    if (failed) {
        test_fail(t, "%u of %u vectors fail", failed, total);
    }
}

static void run_lines(Test *t, Xh *h, const char *cpu, bool is_8086)
{
    static Vector v;
    g_autofree char *path = g_strdup_printf("%s/tests/target/i386/vectors-%s.txt", getenv("SRC_DIR"), cpu);
    char *all = NULL;
    unsigned n = 0;

    if (!g_file_get_contents(path, &all, NULL, NULL)) {
        test_fail(t, "can't read %s", path);
        return;
    }
    for (char *line = all, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        g_autoptr(GString) text = g_string_new("");

        *end = 0;
        if (*line == '#') {
            continue;
        }
        if (!parse_line(line, &v)) {
            test_fail(t, "%s: not a vector: %.40s", path, line);
        } else if (!run_vector(h, &v, is_8086, text)) {
            test_fail(t, "%s: line of %.60s:%s", cpu, line, text->str);
        }
        n++;
    }
    test_note(t, "%u vectors", n);
    g_free(all);
}

static void run(Test *t, const TcgBackend *be, const char *cpu)
{
    const char *dir = getenv("X86_VECTORS"), *only = getenv("X86_VECTORS_CPU");
    g_autofree char *type = g_strdup_printf("%s-i386-cpu", cpu);
    bool is_8086 = !strcmp(cpu, "8086");
    Xh *h;

    if (dir && (!only || strcmp(only, cpu))) {
        test_skip(t, "X86_VECTORS_CPU asks for another");
        return;
    }
    h = xh_new_real(be, type);
    if (!h) {
        test_fail(t, "no CPU '%s'", type);
    } else if (dir) {
        run_folder(t, h, dir, is_8086);
    } else {
        run_lines(t, h, cpu, is_8086);
    }
}

#ifdef __x86_64__
#define BACKEND tcg_backend_x86_64
#else
#define BACKEND tcg_backend_interp
#endif

TEST(x86_vectors, chip_8086)
{
    run(t, &BACKEND, "8086");
}

TEST(x86_vectors, chip_286)
{
    run(t, &BACKEND, "286");
}
