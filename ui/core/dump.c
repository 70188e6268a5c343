/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Screen dumps: PPM (Netpbm, P6) and PNG. */
#include "util/osdep.h"
#include <glib.h>
#include "config.h"
#ifdef CONFIG_PNG
#include <png.h>
#endif
#include "ui/core/console.h"

static void rgb_line(const Console *c, int y, uint8_t *out)
{
    const uint32_t *p = console_line(c, y);

    for (int x = 0; x < console_width(c); x++) {
        *out++ = p[x] >> 16;
        *out++ = p[x] >> 8;
        *out++ = p[x];
    }
}

static bool write_ppm(const Console *c, FILE *f, uint8_t *line)
{
    int w = console_width(c), h = console_height(c);
    bool ok = fprintf(f, "P6\n%d %d\n255\n", w, h) > 0;

    for (int y = 0; ok && y < h; y++) {
        rgb_line(c, y, line);
        ok = fwrite(line, 3, w, f) == (size_t)w;
    }
    return ok;
}

#ifdef CONFIG_PNG
static bool write_png(const Console *c, FILE *f, uint8_t *line)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;

    if (!info || setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_init_io(png, f);
    png_set_IHDR(png, info, console_width(c), console_height(c), 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    png_write_info(png, info);
    for (int y = 0; y < console_height(c); y++) {
        rgb_line(c, y, line);
        png_write_row(png, line);
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return true;
}
#else
static bool write_png(UNUSED const Console *c, UNUSED FILE *f, UNUSED uint8_t *line)
{
    errno = ENOTSUP;                    /* console_dump() has said so before */
    return false;
}
#endif

bool console_dump(Console *c, const char *path, bool png, Error **errp)
{
    FILE *f;
    uint8_t *line;
    bool ok;

#ifndef CONFIG_PNG
    if (png) {
        error_setf(errp, ERR_NOT_SUPPORTED, "can't write '%s': this program was built without libpng", path);
        return false;
    }
#endif
    f = fopen(path, "wbe");
    if (!f) {
        error_set_errno(errp, errno, "can't write '%s'", path);
        return false;
    }
    line = g_malloc(3 * (size_t)console_width(c));
    ok = png ? write_png(c, f, line) : write_ppm(c, f, line);
    ok &= fclose(f) == 0;
    g_free(line);
    if (!ok) {
        error_set_errno(errp, errno ? errno : EIO, "can't write '%s'", path);
    }
    return ok;
}
