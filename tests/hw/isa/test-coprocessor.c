/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The coprocessor's error as PCs have it: with CR0.NE clear an unmasked x87 exception becomes IRQ13,
 * whose handler writes to port F0h and clears the exception (82371SB 2.5.9; SDM vol. 1, 8.7.2).
 */
#include "util/osdep.h"
#include <glib.h>
#include <sys/wait.h>
#include "tests/lib/qtest.h"
#include "tests/lib/test.h"

/*
 * At F000:0000: vector 75h, both 8259As with IRQ13 open alone, FLDCW 037b (division by zero unmasked),
 * 1 / 0, STI, FWAIT; then CLI, BL to port F4h. The handler: BL += 8, and 4 if FSW has ZE;
 * OUT F0h; FNCLEX; EOIs.
 */
static const uint8_t code[] = {
    0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x70, 0xc7, 0x06,
    0xd4, 0x01, 0x53, 0x00, 0xc7, 0x06, 0xd6, 0x01, 0x00, 0xf0, 0xb0, 0x11,
    0xe6, 0x20, 0xe6, 0xa0, 0xb0, 0x08, 0xe6, 0x21, 0xb0, 0x70, 0xe6, 0xa1,
    0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x02, 0xe6, 0xa1, 0xb0, 0x01, 0xe6, 0x21,
    0xe6, 0xa1, 0xb0, 0xfb, 0xe6, 0x21, 0xb0, 0xdf, 0xe6, 0xa1, 0x31, 0xdb,
    0xdb, 0xe3, 0x2e, 0xd9, 0x2e, 0x69, 0x00, 0xd9, 0xe8, 0xd9, 0xee, 0xde,
    0xf9, 0xfb, 0x9b, 0xfa, 0x88, 0xd8, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd, 0x80,
    0xc3, 0x08, 0xdf, 0xe0, 0x24, 0x04, 0x00, 0xc3, 0x30, 0xc0, 0xe6, 0xf0,
    0xdb, 0xe2, 0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20, 0xcf, 0x7b, 0x03,
};

static int run(Test *t, const char *machine)
{
    g_autofree char *path = g_build_filename(test_tmpdir(t), "rom", NULL);
    g_autofree uint8_t *rom = g_malloc0(0x10000);
    const char *argv[] = {
        "timeout", "60", test_qemu_bin(), "-machine", machine, "-nodefaults", "-display", "none",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-bios", path, NULL,
    };
    int status = -1;

    memcpy(rom, code, sizeof(code));
    memcpy(rom + 0xfff0, (uint8_t[]){ 0xea, 0, 0, 0, 0xf0 }, 5);    /* JMP F000:0000 */
    g_file_set_contents(path, (const char *)rom, 0x10000, NULL);
    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                      &status, NULL)) {
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(coprocessor, error_is_irq13)
{
    check_int(t, run(t, "pc"), (8 + 4) << 1 | 1, "one interrupt, which saw the division by zero");
}

/* Nothing but the device: FERR# raises IRQ13 until the port is written. */
TEST(coprocessor, latch)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults");

    check_u8(t, qtest_inb(q, 0xf0), 0xff, "port F0h is write-only");
    qtest_outb(q, 0xf0, 0);
    check_u8(t, qtest_inb(q, 0xf0), 0xff, "a write without an error does nothing");
}
