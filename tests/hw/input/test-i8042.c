/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keyboard controller and the devices at it, from the guest's side; scan
 * codes from the keyboard's. */
#include "util/osdep.h"

#include "hw/input/ps2.h"
#include "tests/lib/qtest.h"

static QTest *kbc(Test *t)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults");

    qtest_irq_intercept_in(q, "/machine/i440fx/ioapic");
    return q;
}

static uint8_t status(QTest *q)
{
    return qtest_inb(q, 0x64);
}

static uint8_t data(QTest *q)
{
    return qtest_inb(q, 0x60);
}

static void to_mouse(QTest *q, uint8_t val)
{
    qtest_outb(q, 0x64, 0xd4);
    qtest_outb(q, 0x60, val);
}

TEST(i8042, self_test)
{
    QTest *q = kbc(t);

    qtest_outb(q, 0x64, 0xaa);
    check_u8(t, status(q) & 0x05, 0x05, "output buffer full, system flag");
    check_u8(t, data(q), 0x55, "self test passed");
    qtest_outb(q, 0x64, 0xab);
    check_u8(t, data(q), 0x00, "keyboard interface works");
    qtest_outb(q, 0x64, 0xa9);
    check_u8(t, data(q), 0x00, "mouse interface works");
}

TEST(i8042, command_byte)
{
    QTest *q = kbc(t);

    qtest_outb(q, 0x64, 0x60);
    qtest_outb(q, 0x60, 0x61);
    qtest_outb(q, 0x64, 0x20);
    check_u8(t, data(q), 0x61, "command byte reads back");
    qtest_outb(q, 0x64, 0xad);
    qtest_outb(q, 0x64, 0x20);
    check_u8(t, data(q), 0x71, "keyboard off");
    qtest_outb(q, 0x64, 0xa8);
    qtest_outb(q, 0x64, 0x20);
    check_u8(t, data(q), 0x51, "mouse on");
}

TEST(i8042, keyboard_commands)
{
    QTest *q = kbc(t);

    qtest_outb(q, 0x64, 0x60);
    qtest_outb(q, 0x60, 0x01);
    qtest_outb(q, 0x60, 0xff);
    check_true(t, qtest_irq_level(q, 1), "interrupt 1");
    check_u8(t, data(q), 0xfa, "acknowledged");
    check_u8(t, data(q), 0xaa, "basic assurance test");
    qtest_outb(q, 0x60, 0xf2);
    check_u8(t, data(q), 0xfa, "acknowledged");
    check_u8(t, data(q), 0xab, "identity");
    check_u8(t, data(q), 0x83, "of a keyboard");
    qtest_outb(q, 0x60, 0xf0);
    check_u8(t, data(q), 0xfa, "scan code set");
    qtest_outb(q, 0x60, 0x00);
    check_u8(t, data(q), 0xfa, "asked for");
    check_u8(t, data(q), 0x02, "is 2");
    qtest_outb(q, 0x60, 0xee);
    check_u8(t, data(q), 0xee, "echo");
    qtest_outb(q, 0x60, 0xe0);
    check_u8(t, data(q), 0xfe, "an unknown command is to be sent again");
    check_true(t, !qtest_irq_level(q, 1), "nothing left");
}

TEST(i8042, mouse)
{
    static const uint8_t knock[] = { 200, 100, 80 };
    QTest *q = kbc(t);

    qtest_outb(q, 0x64, 0x60);
    qtest_outb(q, 0x60, 0x02);
    to_mouse(q, 0xff);
    check_true(t, qtest_irq_level(q, 12), "interrupt 12");
    check_u8(t, status(q) & 0x21, 0x21, "the byte is the mouse's");
    check_u8(t, data(q), 0xfa, "acknowledged");
    check_u8(t, data(q), 0xaa, "test passed");
    check_u8(t, data(q), 0x00, "a plain mouse");
    for (unsigned i = 0; i < sizeof(knock); i++) {
        to_mouse(q, 0xf3);
        data(q);
        to_mouse(q, knock[i]);
        data(q);
    }
    to_mouse(q, 0xf2);
    check_u8(t, data(q), 0xfa, "acknowledged");
    check_u8(t, data(q), 0x03, "after the knock it has a wheel");
}

TEST(i8042, a20_and_reset)
{
    QTest *q = kbc(t);

    qtest_outb(q, 0x64, 0xd0);
    check_u8(t, data(q) & 0x03, 0x03, "A20 is open, reset not asserted");
    qtest_outb(q, 0x64, 0xd1);
    qtest_outb(q, 0x60, 0xdd);
    qtest_outb(q, 0x64, 0xd0);
    check_u8(t, data(q) & 0x03, 0x01, "A20 closed");
    qtest_outb(q, 0x92, 0x02);
    check_u8(t, qtest_inb(q, 0x92), 0x02, "port 92h has its own");
}

/* ------------------------------------------------- the keyboard by itself */

static void nothing(UNUSED void *opaque)
{
}

static void check_codes(Test *t, Ps2Kbd *k, const char *expect, const char *what)
{
    char got[64] = "";
    size_t n = 0;

    while (!ps2_queue_empty(&k->q) && n < sizeof(got) - 4) {
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%02x", n ? " " : "",
                              ps2_queue_take(&k->q));
    }
    check_str(t, got, expect, what);
}

static const struct {
    unsigned key;
    const char *set1, *set2, *what;
} keys[] = {
    { 0x1e, "1e 9e", "1c f0 1c", "A" },
    { 0x41, "41 c1", "83 f0 83", "F7, whose code is out of line" },
    { 0xcb, "e0 4b e0 cb", "e0 6b e0 f0 6b", "Left, with its prefix" },
    { 0xc6, "e1 1d 45 e1 9d c5", "e1 14 77 e1 f0 14 f0 77", "Pause, which has no break" },
    { 0xb7, "e0 2a e0 37 e0 b7 e0 aa", "e0 12 e0 7c e0 f0 7c e0 f0 12", "PrintScreen" },
};

TEST(ps2, scan_codes)
{
    for (unsigned set = 1; set <= 2; set++) {
        Ps2Kbd k = { 0 };

        ps2_kbd_init(&k, nothing, NULL);
        ps2_kbd_write(&k, 0xf0);
        ps2_kbd_write(&k, (uint8_t)set);
        check_codes(t, &k, "fa fa", "acknowledged");
        for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
            ps2_kbd_event(&k, keys[i].key, true);
            ps2_kbd_event(&k, keys[i].key, false);
            check_codes(t, &k, set == 1 ? keys[i].set1 : keys[i].set2, keys[i].what);
        }
    }
}

TEST(ps2, every_code_translates_back)
{
    Ps2Kbd k = { 0 };

    ps2_kbd_init(&k, nothing, NULL);
    for (unsigned key = 1; key < 0x59; key++) {
        ps2_kbd_event(&k, key, true);
        if (!ps2_queue_empty(&k.q)) {
            check_u8(t, ps2_translate(ps2_queue_take(&k.q)), key, "set 2 to set 1 and back");
        }
        ps2_kbd_event(&k, key, false);
        while (!ps2_queue_empty(&k.q)) {
            ps2_queue_take(&k.q);
        }
    }
}

TEST(ps2, set_3_make_only)
{
    Ps2Kbd k = { 0 };

    ps2_kbd_init(&k, nothing, NULL);
    ps2_kbd_write(&k, 0xf0);
    ps2_kbd_write(&k, 3);
    ps2_kbd_write(&k, 0xfd);
    ps2_kbd_write(&k, 0x1c);
    check_codes(t, &k, "fa fa fa fa", "acknowledged");
    ps2_kbd_event(&k, 0x1e, true);
    ps2_kbd_event(&k, 0x1e, false);
    check_codes(t, &k, "1c", "a make-only key has no break code");
}

TEST(ps2, mouse_packets)
{
    Ps2Mouse m = { 0 };
    uint8_t p[4];

    ps2_mouse_init(&m, nothing, NULL);
    ps2_mouse_event(&m, 5, 5, 0, 0);
    check_true(t, ps2_queue_empty(&m.q), "nothing before it is enabled");
    ps2_mouse_write(&m, 0xf4);
    ps2_queue_take(&m.q);
    ps2_mouse_event(&m, 3, 2, 0, PS2_BUTTON_LEFT);
    for (int i = 0; i < 3; i++) {
        p[i] = ps2_queue_take(&m.q);
    }
    check_u8(t, p[0], 0x29, "left button, y negative");
    check_u8(t, p[1], 3, "right is positive");
    check_u8(t, p[2], 0xfe, "down is negative");
    ps2_mouse_event(&m, 300, 0, 0, PS2_BUTTON_LEFT);
    check_int(t, m.q.count, 6, "what doesn't fit goes into a second report");
}
