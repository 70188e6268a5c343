/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include <ftw.h>
#include <glib.h>
#include <unistd.h>

typedef struct AtEnd {
    void (*fn)(void *arg);
    void *arg;
    struct AtEnd *next;
} AtEnd;

struct Test {
    AtEnd *at_end;              /* owned, last registered first */
    char *tmpdir;               /* owned; NULL until asked for */
};

static TestCase *first_case;
static TestCase **last_case = &first_case;

void test_register(TestCase *c)
{
    *last_case = c;
    last_case = &c->next;
}

void test_fail_at(UNUSED Test *t, const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    char *s;

    va_start(ap, fmt);
    s = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_test_message("%s:%d: %s", file, line, s);
    g_free(s);
    g_test_fail();
}

void test_skip(UNUSED Test *t, const char *why)
{
    g_test_skip(why);
}

void test_note(UNUSED Test *t, const char *fmt, ...)
{
    va_list ap;
    char *s;

    va_start(ap, fmt);
    s = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_test_message("%s", s);
    g_free(s);
}

void test_at_end(Test *t, void (*fn)(void *arg), void *arg)
{
    AtEnd *e = g_new(AtEnd, 1);

    *e = (AtEnd){ fn, arg, t->at_end };
    t->at_end = e;
}

static int remove_one(const char *path, UNUSED const struct stat *sb,
                      UNUSED int type, UNUSED struct FTW *ftw)
{
    return remove(path);
}

const char *test_tmpdir(Test *t)
{
    if (!t->tmpdir) {
        t->tmpdir = g_dir_make_tmp("qemu-test-XXXXXX", NULL);
        g_assert(t->tmpdir);
    }
    return t->tmpdir;
}

bool test_has_server(const char *path)
{
    g_autofree char *sockets = NULL, *end = g_strdup_printf(" %s\n", path);
    const char *at;

    if (!g_file_get_contents("/proc/net/unix", &sockets, NULL, NULL)) {
        return access(path, F_OK) == 0;
    }
    at = strstr(sockets, end);
    while (at && at > sockets && at[-1] != '\n') {
        at--;
    }
    /* Num, RefCount, Protocol, Flags, of which 10000h says that it listens. */
    return at && strstr(at, " 00010000 ") && strstr(at, " 00010000 ") < strchr(at, '\n');
}

const char *test_qemu_bin(void)
{
    const char *bin = getenv("QEMU_BIN");

    return bin ? bin : "./qemu-system";
}

char *test_src_path(const char *relative)
{
    const char *src = getenv("SRC_DIR");

    return g_build_filename(src ? src : "..", relative, NULL);
}

bool check_true_at(Test *t, bool ok, const char *expr, const char *what,
                   const char *file, int line)
{
    if (!ok) {
        test_fail_at(t, file, line, "%s: not so: %s", what, expr);
    }
    return ok;
}

bool check_u_at(Test *t, uint64_t got, uint64_t expect, int digits,
                const char *what, const char *file, int line)
{
    if (got != expect) {
        test_fail_at(t, file, line, "%s: got 0x%0*" PRIx64 ", expected 0x%0*" PRIx64,
                     what, digits, got, digits, expect);
    }
    return got == expect;
}

bool check_i_at(Test *t, int64_t got, int64_t expect,
                const char *what, const char *file, int line)
{
    if (got != expect) {
        test_fail_at(t, file, line, "%s: got %" PRId64 ", expected %" PRId64,
                     what, got, expect);
    }
    return got == expect;
}

bool check_f64_at(Test *t, double got, double expect,
                  const char *what, const char *file, int line)
{
    bool ok = memcmp(&got, &expect, sizeof(got)) == 0;

    if (!ok) {
        test_fail_at(t, file, line, "%s: got %.17g (%a), expected %.17g (%a)",
                     what, got, got, expect, expect);
    }
    return ok;
}

bool check_str_at(Test *t, const char *got, const char *expect,
                  const char *what, const char *file, int line)
{
    bool ok = g_strcmp0(got, expect) == 0;

    if (!ok) {
        test_fail_at(t, file, line, "%s: got \"%s\", expected \"%s\"", what,
                     got ? got : "(NULL)", expect ? expect : "(NULL)");
    }
    return ok;
}

bool check_mem_at(Test *t, const void *got, const void *expect, size_t len,
                  const char *what, const char *file, int line)
{
    const uint8_t *g = got, *e = expect;

    for (size_t i = 0; i < len; i++) {
        if (g[i] != e[i]) {
            test_fail_at(t, file, line,
                         "%s: byte %zu of %zu: got 0x%02x, expected 0x%02x",
                         what, i, len, g[i], e[i]);
            return false;
        }
    }
    return true;
}

static void run_case(gconstpointer data)
{
    const TestCase *c = data;
    Test t = { 0 };
    AtEnd *e;

    c->run(&t);
    while ((e = t.at_end)) {
        t.at_end = e->next;
        e->fn(e->arg);
        g_free(e);
    }
    if (t.tmpdir) {
        nftw(t.tmpdir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        g_free(t.tmpdir);
    }
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();   /* later cases run all the same */
    for (TestCase *c = first_case; c; c = c->next) {
        g_test_add_data_func(c->path, c, run_case);
    }
    return g_test_run();
}
