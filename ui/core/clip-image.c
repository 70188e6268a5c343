/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "config.h"
#ifdef CONFIG_PNG
#include <png.h>
#endif
#include "ui/core/clip-image.h"
#include "util/bswap.h"

#define INFO_SIZE   40          /* BITMAPINFOHEADER */
#define MASKS_SIZE  12          /* of BI_BITFIELDS, behind it */

enum { BI_RGB = 0, BI_BITFIELDS = 3 };

typedef struct Dib {
    const uint8_t *pixels;
    int width, height;
    bool downward;              /* the first line is the upper one */
    unsigned bytes;             /* of a pixel: blue, green, red */
    size_t stride;
} Dib;

/* Where the pixels begin; 0: not of the kinds that are known. */
static size_t pixels_at(const uint8_t *dib, size_t len)
{
    uint32_t size = len >= INFO_SIZE ? load_le32(dib) : 0;
    unsigned bits = size >= INFO_SIZE ? load_le16(dib + 14) : 0, kind = size >= INFO_SIZE ? load_le32(dib + 16) : 0;

    if (size < INFO_SIZE || size > 1024 || size > len || (bits != 24 && bits != 32)) {
        return 0;
    }
    if (kind == BI_RGB) {
        return size;
    }
    size += size == INFO_SIZE ? MASKS_SIZE : 0;         /* later versions have the masks inside */
    if (kind != BI_BITFIELDS || bits != 32 || len < INFO_SIZE + MASKS_SIZE ||
        load_le32(dib + 40) != 0xff0000 || load_le32(dib + 44) != 0xff00 || load_le32(dib + 48) != 0xff) {
        return 0;
    }
    return size;
}

static bool parse(Dib *d, const uint8_t *dib, size_t len, size_t at)
{
    size_t first = pixels_at(dib, len);
    int32_t height;

    if (!first) {
        return false;
    }
    height = (int32_t)load_le32(dib + 8);
    *d = (Dib){ .width = (int32_t)load_le32(dib + 4), .bytes = load_le16(dib + 14) / 8, .downward = height < 0 };
    if (d->width <= 0 || d->width > 65535 || height < -65535 || height > 65535 || !height) {
        return false;
    }
    d->height = abs(height);
    d->stride = ((size_t)d->width * d->bytes + 3) & ~(size_t)3;
    at = MAX(at, first);
    d->pixels = dib + at;
    return at <= len && d->stride * d->height <= len - at;
}

GBytes *clip_bmp_from_dib(const uint8_t *dib, size_t len)
{
    size_t at = pixels_at(dib, len);
    uint8_t *b;
    Dib d;

    if (!parse(&d, dib, len, 0)) {
        return NULL;
    }
    b = g_malloc(CLIP_BMP_HEAD + len);
    memcpy(b, "BM", 2);
    store_le32(b + 2, CLIP_BMP_HEAD + len);
    store_le32(b + 6, 0);
    store_le32(b + 10, CLIP_BMP_HEAD + at);
    memcpy(b + CLIP_BMP_HEAD, dib, len);
    return g_bytes_new_take(b, CLIP_BMP_HEAD + len);
}

#ifdef CONFIG_PNG
GBytes *clip_png_from_bmp(GBytes *bmp)
{
    gsize len;
    const uint8_t *b = g_bytes_get_data(bmp, &len);
    png_image image = { .version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_BGR };
    png_alloc_size_t size = 0;
    uint8_t *rows, *png = NULL;
    Dib d;

    if (len < CLIP_BMP_HEAD || memcmp(b, "BM", 2) != 0 || load_le32(b + 10) < CLIP_BMP_HEAD ||
        !parse(&d, b + CLIP_BMP_HEAD, len - CLIP_BMP_HEAD, load_le32(b + 10) - CLIP_BMP_HEAD)) {
        return NULL;
    }
    rows = g_malloc(3 * (size_t)d.width * d.height);
    for (int y = 0; y < d.height; y++) {
        const uint8_t *from = d.pixels + (size_t)(d.downward ? y : d.height - 1 - y) * d.stride;
        uint8_t *to = rows + 3 * (size_t)d.width * y;

        for (int x = 0; x < d.width; x++, from += d.bytes, to += 3) {
            memcpy(to, from, 3);
        }
    }
    image.width = d.width;
    image.height = d.height;
    /* How many bytes, then the bytes: room for the worst case would be as large as the picture. */
    size = PNG_IMAGE_PNG_SIZE_MAX(image);
    png = g_malloc(size);
    if (!png_image_write_to_memory(&image, png, &size, 0, rows, 0, NULL)) {
        g_free(png);
        png = NULL;
    }
    g_free(rows);
    return png ? g_bytes_new_take(g_realloc(png, size), size) : NULL;
}

GBytes *clip_bmp_from_png(GBytes *png, size_t max)
{
    gsize len;
    const void *data = g_bytes_get_data(png, &len);
    png_image image = { .version = PNG_IMAGE_VERSION };
    /* What is transparent is white below. */
    static const png_color white = { 255, 255, 255 };
    size_t stride, size;
    uint8_t *b;

    if (!png_image_begin_read_from_memory(&image, data, len)) {
        return NULL;
    }
    stride = (3 * (size_t)image.width + 3) & ~(size_t)3;
    size = CLIP_BMP_HEAD + INFO_SIZE + stride * image.height;
    if (image.width > 65535 || image.height > 65535 || size > max) {
        png_image_free(&image);
        return NULL;
    }
    b = g_malloc0(size);
    memcpy(b, "BM", 2);
    store_le32(b + 2, size);
    store_le32(b + 10, CLIP_BMP_HEAD + INFO_SIZE);
    store_le32(b + 14, INFO_SIZE);
    store_le32(b + 18, image.width);
    store_le32(b + 22, image.height);
    store_le16(b + 26, 1);
    store_le16(b + 28, 24);
    image.format = PNG_FORMAT_BGR;
    /* A negative stride: from below. */
    if (!png_image_finish_read(&image, &white, b + CLIP_BMP_HEAD + INFO_SIZE, -(png_int_32)stride, NULL)) {
        g_free(b);
        return NULL;
    }
    return g_bytes_new_take(b, size);
}
#else
GBytes *clip_png_from_bmp(UNUSED GBytes *bmp)
{
    return NULL;
}

GBytes *clip_bmp_from_png(UNUSED GBytes *png, UNUSED size_t max)
{
    return NULL;
}
#endif
