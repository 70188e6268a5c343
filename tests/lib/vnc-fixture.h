/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VNC server in this process on a console that the test paints, while viewers run in a thread
 * of their own.
 */
#ifndef TESTS_LIB_VNC_FIXTURE_H
#define TESTS_LIB_VNC_FIXTURE_H

#include "tests/lib/rfb-client.h"
#include "tests/lib/test.h"
#include "ui/core/console.h"

typedef struct Fixture {
    Test *t;
    Console *con;
    char *where;                /* for rfb_connect() */
    char *where_ws;
    int resize_w, resize_h;     /* what a viewer has asked for; 0: nothing */
} Fixture;

/* @options: after the place of -vnc, such as "password=on,share=ignore"; may be "". Websockets
 * listen too where it says "websocket". NULL: the test has failed. */
Fixture *fixture_start(Test *t, int width, int height, const char *options);
void fixture_stop(Fixture *f);
/* Run @fn in a thread, and the main loop until it returns. */
void fixture_run(Fixture *f, void (*fn)(Fixture *f, void *arg), void *arg);
/* From that thread: run @fn in the main loop, and wait for it. */
void fixture_main(void (*fn)(void *arg), void *arg);

/* From that thread. */
void fixture_fill(Fixture *f, int x, int y, int w, int h, uint32_t rgb);
/* Colors that depend on @seed: desktop, text, photograph by turns. */
void fixture_paint(Fixture *f, unsigned seed);
void fixture_scroll(Fixture *f, int lines);
void fixture_resize(Fixture *f, int w, int h);
/* How many pixels the viewer has wrong. */
unsigned fixture_wrong(Fixture *f, const RfbClient *c);
/* Ask for updates until it has all of it, at most @tries. */
bool fixture_settle(Fixture *f, RfbClient *c, unsigned tries);

#endif
