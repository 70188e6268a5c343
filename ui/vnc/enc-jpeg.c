/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures as JPEG (ITU-T T.81), by libjpeg-turbo. */
#include "util/osdep.h"
#include "config.h"
#include "ui/vnc/enc.h"
#ifdef CONFIG_JPEG
#include <setjmp.h>
#include <jpeglib.h>
#include "util/bswap.h"

#define CHUNK   16384

typedef struct Sink {
    struct jpeg_destination_mgr mgr;
    GByteArray *to;
} Sink;

typedef struct Failure {
    struct jpeg_error_mgr mgr;
    jmp_buf jump;
} Failure;

static void more_room(j_compress_ptr c)
{
    Sink *s = (Sink *)c->dest;
    size_t at = s->to->len;

    g_byte_array_set_size(s->to, at + CHUNK);
    s->mgr.next_output_byte = s->to->data + at;
    s->mgr.free_in_buffer = CHUNK;
}

static boolean full(j_compress_ptr c)
{
    more_room(c);
    return TRUE;
}

static void last(j_compress_ptr c)
{
    Sink *s = (Sink *)c->dest;

    g_byte_array_set_size(s->to, s->to->len - s->mgr.free_in_buffer);
}

static void failed(j_common_ptr c)
{
    longjmp(((Failure *)c->err)->jump, 1);
}

static void quiet(UNUSED j_common_ptr c)
{
}

/* rfbproto.rst, "JPEG Subsampling Level": none, 4X, 2X, gray, 8X, 16X. */
static void set_sampling(struct jpeg_compress_struct *c, int level)
{
    static const uint8_t factor[6][2] = { { 1, 1 }, { 2, 2 }, { 2, 1 }, { 1, 1 }, { 4, 2 }, { 4, 4 } };

    c->comp_info[0].h_samp_factor = factor[level][0];
    c->comp_info[0].v_samp_factor = factor[level][1];
}

bool enc_jpeg(GByteArray *to, const EncPicture *pic, int quality, int subsampling)
{
    struct jpeg_compress_struct c;
    Failure fail;
    Sink sink = { .to = to, .mgr = { .init_destination = more_room, .empty_output_buffer = full,
                                     .term_destination = last } };
    size_t start = to->len;

    c.err = jpeg_std_error(&fail.mgr);
    fail.mgr.error_exit = failed;
    fail.mgr.output_message = quiet;
    if (setjmp(fail.jump)) {
        jpeg_destroy_compress(&c);
        g_byte_array_set_size(to, start);
        return false;
    }
    jpeg_create_compress(&c);
    c.dest = &sink.mgr;
    c.image_width = pic->w;
    c.image_height = pic->h;
    c.input_components = 4;
    c.in_color_space = HOST_BIG_ENDIAN ? JCS_EXT_XRGB : JCS_EXT_BGRX;
    jpeg_set_defaults(&c);
    if (subsampling == 3) {
        jpeg_set_colorspace(&c, JCS_GRAYSCALE);
    }
    jpeg_set_quality(&c, quality, TRUE);
    c.dct_method = quality > 95 ? JDCT_ISLOW : JDCT_FASTEST;
    set_sampling(&c, subsampling);
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height) {
        JSAMPROW row = (JSAMPROW)(pic->rgb + (size_t)c.next_scanline * pic->stride);

        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    return true;
}
#else
bool enc_jpeg(UNUSED GByteArray *to, UNUSED const EncPicture *pic, UNUSED int quality,
              UNUSED int subsampling)
{
    return false;
}
#endif
