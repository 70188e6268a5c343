/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-clipboard: the guest's end of the shared clipboard. See docs/vnc.md. */
#include "guest/clipboard/port.h"
#include "guest/clipboard/formats.h"
#include "guest/clipboard/screen.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "Usage: qemu-clipboard [-p PORT] [-P] [copy|paste [FORMAT]]\n"
    "Shares the clipboard with the host of this virtual machine.\n"
    "  without a command   for the Wayland compositor of $WAYLAND_DISPLAY, else the X server of $DISPLAY, until it\n"
    "                      ends\n"
    "  copy, paste         standard input to the clipboard, the clipboard to standard output\n"
    "  FORMAT              text (default), html, rtf, png, bmp\n"
    "  -p PORT             instead of " PORT_PATH "\n"
    "  -P                  the selection PRIMARY too\n";

int main(int argc, char **argv)
{
    const char *path = PORT_PATH, *command, *format;
    bool primary = false;
    int o;

    signal(SIGPIPE, SIG_IGN);
    while ((o = getopt(argc, argv, "p:Ph")) != -1) {
        if (o == 'p') {
            path = optarg;
        } else if (o == 'P') {
            primary = true;
        } else {
            fputs(usage, o == 'h' ? stdout : stderr);
            return o != 'h';
        }
    }
    command = optind < argc ? argv[optind] : NULL;
    format = optind + 1 < argc ? argv[optind + 1] : "text";
    if (format_by_name(format) < 0) {
        fprintf(stderr, "qemu-clipboard: '%s' is no format; accepted: text, html, rtf, png, bmp\n", format);
        return 1;
    }
    if (!command) {
        int status = wayland_run(path, primary);

#ifdef WITH_X11
        if (status < 0) {
            status = x11_run(path, primary);
        }
#endif
        if (status < 0) {
            fputs("qemu-clipboard: no Wayland compositor with data control, and built without X11\n", stderr);
        }
        return status != 0;
    }
    if (strcmp(command, "copy") == 0) {
        return console_copy(path, format);
    }
    if (strcmp(command, "paste") == 0) {
        return console_paste(path, format);
    }
    fputs(usage, stderr);
    return 1;
}
