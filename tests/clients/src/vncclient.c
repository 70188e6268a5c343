/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A viewer by LibVNCClient: vncclient PORT ENCODINGS PPM TEXT [QUALITY FIRST]. Connects, types TEXT, waits until
 * the screen has been quiet for half a second, and saves it. With a quality: what the first update with a picture showed is saved as FIRST.
 */
#include <rfb/rfbclient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *password(rfbClient *c)
{
    (void)c;
    return strdup("letmein");
}

static int quiet(rfbClient *c, int rounds)
{
    while (rounds > 0) {
        int n = WaitForMessage(c, 100000);

        if (n < 0 || (n > 0 && !HandleRFBServerMessage(c))) {
            return 0;
        }
        rounds = n > 0 ? 5 : rounds - 1;
    }
    return 1;
}

static void save(const rfbClient *c, const char *path)
{
    FILE *f = fopen(path, "wb");

    if (!f) {
        return;
    }
    fprintf(f, "P6\n%d %d\n255\n", c->width, c->height);
    for (int i = 0; i < c->width * c->height; i++) {
        uint32_t v = ((uint32_t *)c->frameBuffer)[i];

        fputc(v >> c->format.redShift & 255, f);
        fputc(v >> c->format.greenShift & 255, f);
        fputc(v >> c->format.blueShift & 255, f);
    }
    fclose(f);
}

static void updated(rfbClient *c)
{
    char *path = rfbClientGetClientData(c, &updated);
    size_t i = 0, n = (size_t)c->width * c->height * 4;

    while (i < n && !c->frameBuffer[i]) {
        i++;
    }
    if (path && i < n) {
        save(c, path);
        rfbClientSetClientData(c, &updated, NULL);
    }
}

int main(int argc, char **argv)
{
    rfbClient *c = rfbGetClient(8, 3, 4);

    if (argc != 5 && argc != 7) {
        return 2;
    }
    if (argc == 7) {
        c->appData.qualityLevel = atoi(argv[5]);
        c->FinishedFrameBufferUpdate = updated;
        rfbClientSetClientData(c, &updated, argv[6]);
    }
    c->serverHost = strdup("127.0.0.1");
    c->serverPort = atoi(argv[1]);
    c->appData.encodingsString = argv[2];
    c->appData.compressLevel = 6;
    c->appData.enableJPEG = argc == 7;
    c->appData.useRemoteCursor = FALSE;
    c->GetPassword = password;
    c->canHandleNewFBSize = TRUE;
    if (!rfbInitClient(c, NULL, NULL) || !quiet(c, 5)) {
        return 1;
    }
    for (const char *p = argv[4]; *p; p++) {
        SendKeyEvent(c, (unsigned char)*p, TRUE);
        SendKeyEvent(c, (unsigned char)*p, FALSE);
        if (!quiet(c, 1)) {
            return 1;
        }
    }
    if (!quiet(c, 5)) {
        return 1;
    }
    save(c, argv[3]);
    rfbClientCleanup(c);
    return 0;
}
