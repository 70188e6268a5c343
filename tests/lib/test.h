/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests: thin macros over GLib's harness, TAP output.
 *
 *     TEST(ex9050, register_access)
 *     {
 *         check_u32(t, bar_read32(bar, 0), 1, "CTRL keeps only defined bits");
 *     }
 *
 * Each tests/.../test-NAME.c is one program; main() comes from this room. A
 * check that fails marks the case as failed, prints what was found, and goes
 * on; it returns whether it held, for what makes no sense after a failure.
 */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

#include "util/osdep.h"

typedef struct Test Test;       /* the running case; lives until it ends */

typedef struct TestCase {
    const char *path;           /* "/suite/name" */
    void (*run)(Test *t);
    struct TestCase *next;
} TestCase;

void test_register(TestCase *c);

#define TEST(suite, name) \
    static void test_##suite##_##name(Test *t); \
    static TestCase test_case_##suite##_##name = \
        { "/" #suite "/" #name, test_##suite##_##name, NULL }; \
    CONSTRUCTOR static void test_register_##suite##_##name(void) \
    { \
        test_register(&test_case_##suite##_##name); \
    } \
    static void test_##suite##_##name(UNUSED Test *t)

/* Fail, skip the case (then return from it), tell the reader something. */
void test_fail_at(Test *t, const char *file, int line, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
#define test_fail(t, ...)   test_fail_at(t, __FILE__, __LINE__, __VA_ARGS__)
void test_skip(Test *t, const char *why);
void test_note(Test *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Call fn(arg) when the case ends, last registered first. */
void test_at_end(Test *t, void (*fn)(void *arg), void *arg);
/* A new empty folder, removed with its content when the case ends. Borrowed. */
const char *test_tmpdir(Test *t);
/* Whether somebody takes connections at this unix socket: its file is there a moment before. */
bool test_has_server(const char *path);
/* Path of the emulator's binary. */
const char *test_qemu_bin(void);
/* Path of a file of the source tree. The caller frees it. */
char *test_src_path(const char *relative);

bool check_true_at(Test *t, bool ok, const char *expr, const char *what,
                   const char *file, int line);
bool check_u_at(Test *t, uint64_t got, uint64_t expect, int digits,
                const char *what, const char *file, int line);
bool check_i_at(Test *t, int64_t got, int64_t expect,
                const char *what, const char *file, int line);
bool check_f64_at(Test *t, double got, double expect,
                  const char *what, const char *file, int line);
bool check_str_at(Test *t, const char *got, const char *expect,
                  const char *what, const char *file, int line);
bool check_mem_at(Test *t, const void *got, const void *expect, size_t len,
                  const char *what, const char *file, int line);

/* @what says which sentence of the document is checked. */
#define check_true(t, ok, what) \
    check_true_at(t, !!(ok), #ok, what, __FILE__, __LINE__)
#define check_u8(t, got, expect, what) \
    check_u_at(t, (uint8_t)(got), (uint8_t)(expect), 2, what, __FILE__, __LINE__)
#define check_u16(t, got, expect, what) \
    check_u_at(t, (uint16_t)(got), (uint16_t)(expect), 4, what, __FILE__, __LINE__)
#define check_u32(t, got, expect, what) \
    check_u_at(t, (uint32_t)(got), (uint32_t)(expect), 8, what, __FILE__, __LINE__)
#define check_u64(t, got, expect, what) \
    check_u_at(t, (uint64_t)(got), (uint64_t)(expect), 16, what, __FILE__, __LINE__)
#define check_int(t, got, expect, what) \
    check_i_at(t, (int64_t)(got), (int64_t)(expect), what, __FILE__, __LINE__)
/* Equal as bits, so that NaN and the sign of zero count. */
#define check_f64(t, got, expect, what) \
    check_f64_at(t, got, expect, what, __FILE__, __LINE__)
/* NULL equals only NULL. */
#define check_str(t, got, expect, what) \
    check_str_at(t, got, expect, what, __FILE__, __LINE__)
#define check_mem(t, got, expect, len, what) \
    check_mem_at(t, got, expect, len, what, __FILE__, __LINE__)

#endif
