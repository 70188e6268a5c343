/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes a picture of a running machine's screen.
 *
 *     cc screenshot.c $(pkg-config --cflags --libs libqmp) -o screenshot
 *     qemu-system-x86_64 -qmp unix:/tmp/qmp,server=on,wait=off &
 *     ./screenshot unix:/tmp/qmp /tmp/screen.png
 */
#include <libqmp/qmp.h>

int main(int argc, char **argv)
{
    Error *err = NULL;
    QmpClient *c;
    VersionInfo *version;
    bool ok;

    if (argc != 3) {
        fprintf(stderr, "usage: %s unix:PATH|tcp:HOST:PORT FILE.png\n", argv[0]);
        return 2;
    }
    c = qmp_client_new(argv[1], 5000, &err);
    version = c ? qmpc_query_version(c, &err) : NULL;
    if (version) {
        printf("QEMU %d.%d\n", (int)version->qemu->major, (int)version->qemu->minor);
    }
    /* Without a device the first console is meant. */
    ok = version && qmpc_screendump(c, argv[2], NULL, false, 0, true, IMAGE_FORMAT_PNG, &err);
    if (!ok) {
        fprintf(stderr, "%s\n", error_message(err));
        error_free(err);
    }
    qapi_free_VersionInfo(version);
    qmp_client_free(c);
    return ok ? 0 : 1;
}
