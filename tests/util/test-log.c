/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "util/log.h"
#include <glib.h>

TEST(log, items)
{
    char *bad = NULL;

    check_true(t, log_set_items("in_asm,guest_errors", &bad), "known items");
    check_u32(t, log_mask, LOG_IN_ASM | LOG_GUEST_ERROR, "exactly these");
    check_true(t, !log_set_items("in_asm,nonsense", &bad), "unknown item");
    check_str(t, bad, "nonsense", "its name is told");
    free(bad);
    check_u32(t, log_mask, LOG_IN_ASM | LOG_GUEST_ERROR, "nothing changed");
    check_true(t, log_set_items("none", &bad), "none");
    check_u32(t, log_mask, 0, "all off");
}

TEST(log, lines_go_to_the_file)
{
    g_autofree char *path = g_build_filename(test_tmpdir(t), "log", NULL);
    g_autofree char *text = NULL;
    FILE *f;

    check_int(t, log_set_file(path), 0, "open");
    check_int(t, log_set_file("/nonexistent/x"), -ENOENT, "cannot open");
    log_set_mask(LOG_GUEST_ERROR | LOG_OP);
    log_guest_error("dut", "write of 0x%x to a read-only register", 5u);
    log_unimp("dut", "not shown");
    log_printf(LOG_OP, "a\n");
    f = log_begin(LOG_OP);
    if (check_true(t, f, "on")) {
        fprintf(f, "b\n");
        log_end(f);
    }
    check_true(t, !log_begin(LOG_MMU), "off");
    log_set_mask(0);
    log_set_file(NULL);
    check_true(t, g_file_get_contents(path, &text, NULL, NULL), "read");
    check_str(t, text, "dut: write of 0x5 to a read-only register\na\nb\n", "content");
}
