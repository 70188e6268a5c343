/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/clipboard/formats.h"
#include <string.h>
#include <time.h>

const FormatType format_types[FORMAT_TYPES] = {
    { "UTF8_STRING", FORMAT_TEXT }, { "text/plain;charset=utf-8", FORMAT_TEXT }, { "text/plain", FORMAT_TEXT },
    { "text/html", FORMAT_HTML }, { "text/rtf", FORMAT_RTF }, { "application/rtf", FORMAT_RTF },
    { "image/png", FORMAT_PNG }, { "image/bmp", FORMAT_BMP },
};

static const char *const names[FORMAT_NUM] = { "text", "html", "rtf", "png", "bmp" };

int format_by_name(const char *name)
{
    for (int f = 0; f < FORMAT_NUM; f++) {
        if (strcmp(name, names[f]) == 0) {
            return f;
        }
    }
    return -1;
}

int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * (int64_t)1000 + t.tv_nsec / 1000000;
}
