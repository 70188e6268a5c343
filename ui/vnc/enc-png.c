/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures as PNG (ISO/IEC 15948), by libpng. */
#include "util/osdep.h"
#include "config.h"
#include "ui/vnc/enc.h"
#ifdef CONFIG_PNG
#include <png.h>

static void append(png_structp png, png_bytep data, png_size_t len)
{
    g_byte_array_append(png_get_io_ptr(png), data, len);
}

static void no_flush(UNUSED png_structp png)
{
}

static void write_rows(png_structp png, png_infop info, const EncPicture *pic, const EncPalette *pal,
                       const VncFormat *f, uint8_t *row)
{
    unsigned bits = !pal ? 8 : pal->n <= 2 ? 1 : pal->n <= 4 ? 2 : pal->n <= 16 ? 4 : 8;

    png_set_IHDR(png, info, pic->w, pic->h, bits, pal ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    if (pal) {
        png_color colors[256];

        for (unsigned i = 0; i < pal->n; i++) {
            uint32_t c = vnc_value_rgb(f, pal->value[i]);

            colors[i] = (png_color){ c >> 16, c >> 8, c };
        }
        png_set_PLTE(png, info, colors, pal->n);
    }
    png_write_info(png, info);
    png_set_packing(png);
    for (int y = 0; y < pic->h; y++) {
        const uint32_t *v = enc_line(pic, y), *rgb = pic->rgb + (size_t)y * pic->stride;
        uint8_t *p = row, index = 0;

        for (int x = 0; pal && x < pic->w; x++) {
            if (x == 0 || v[x] != v[x - 1]) {
                index = enc_palette_index(pal, v[x]);
            }
            *p++ = index;
        }
        for (int x = 0; !pal && x < pic->w; x++, p += 3) {
            p[0] = rgb[x] >> 16;
            p[1] = rgb[x] >> 8;
            p[2] = rgb[x];
        }
        png_write_row(png, row);
    }
    png_write_end(png, NULL);
}

bool enc_png(GByteArray *to, const EncPicture *pic, int level, const EncPalette *pal, bool smooth,
             const VncFormat *f)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    uint8_t *row = g_malloc(3 * (size_t)pic->w);

    if (!info || setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        g_free(row);
        return false;
    }
    png_set_write_fn(png, to, append, no_flush);
    png_set_compression_level(png, level);
    if (smooth && level > 1) {
        /* Of what is noise, the average of two neighbours adds least; and short matches count. */
        png_set_filter(png, 0, PNG_FILTER_AVG | PNG_FILTER_SUB);
        png_set_compression_level(png, level == 5 ? 6 : level);
        png_set_compression_strategy(png, Z_DEFAULT_STRATEGY);
    } else {
        png_set_filter(png, 0, pal || level < 2 ? PNG_FILTER_NONE : PNG_FILTER_SUB);
    }
    write_rows(png, info, pic, pal, f, row);
    png_destroy_write_struct(&png, &info);
    g_free(row);
    return true;
}
#else
bool enc_png(UNUSED GByteArray *to, UNUSED const EncPicture *pic, UNUSED int level, UNUSED const EncPalette *pal,
             UNUSED bool smooth, UNUSED const VncFormat *f)
{
    return false;
}
#endif
