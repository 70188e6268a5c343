/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open H.264: what moves, as a film (rfbproto.rst, "Open H.264 Encoding"), by libx264.
 *
 * The picture in the film's colors is shared by all clients; the stream is each one's own. A client has one
 * context: a film at another place or of another size, or one that has been asked for coarser or finer, begins a
 * new one. Colors: BT.601 of full range, which decoders take if they aren't told or don't look.
 */
#include "util/osdep.h"
#include "config.h"
#include "ui/vnc/enc.h"
#include "util/bswap.h"
#include "util/lazy-lib.h"

enum { RESET_ALL_CONTEXTS = BIT(1) };

/* In front of the picture: what makes a context. */
typedef struct Film {
    uint16_t x, y, w, h;        /* of the film: even */
    int16_t quality;
} Film;

#ifdef CONFIG_X264
#include <x264.h>

struct EncVideo {
    x264_t *x264;
    Film film;
    int64_t frames;
};

bool enc_h264_available(void)
{
    return !lazy_lib_load("libx264.");
}

static uint8_t luma(uint32_t c)
{
    return ((c >> 16 & 255) * 19595 + (c >> 8 & 255) * 38470 + (c & 255) * 7471 + 32768) >> 16;
}

/* Of the sum of four pixels. */
static uint8_t blue_of(int r, int g, int b)
{
    return MIN((b * 32768 - r * 11059 - g * 21709 + (128 << 18) + (1 << 17)) >> 18, 255);
}

static uint8_t red_of(int r, int g, int b)
{
    return MIN((r * 32768 - g * 27439 - b * 5329 + (128 << 18) + (1 << 17)) >> 18, 255);
}

/* Planes of I420; what an odd size lacks is its last column and line again. */
static void put_planes(uint8_t *to, const EncPicture *pic, int w, int h)
{
    uint8_t *u = to + (size_t)w * h, *v = u + (size_t)w * h / 4;

    for (int y = 0; y < h; y += 2) {
        const uint32_t *line[2];

        for (int k = 0; k < 2; k++) {
            line[k] = pic->rgb + (size_t)MIN(y + k, pic->h - 1) * pic->stride;
            for (int x = 0; x < w; x++) {
                to[(size_t)(y + k) * w + x] = luma(line[k][MIN(x, pic->w - 1)]);
            }
        }
        for (int x = 0; x < w; x += 2) {
            int x1 = MIN(x + 1, pic->w - 1), r = 0, g = 0, b = 0;
            uint32_t four[4] = { line[0][x], line[0][x1], line[1][x], line[1][x1] };

            for (int k = 0; k < 4; k++) {
                r += four[k] >> 16 & 255;
                g += four[k] >> 8 & 255;
                b += four[k] & 255;
            }
            *u++ = blue_of(r, g, b);
            *v++ = red_of(r, g, b);
        }
    }
}

void enc_h264(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    Film f = { pic->x, pic->y, ALIGN_UP(pic->w, 2), ALIGN_UP(pic->h, 2), p->quality };
    size_t size = (size_t)f.w * f.h * 3 / 2;
    uint8_t *buf = enc_scratch(o, SCRATCH_BYTES, sizeof(f) + size);

    memcpy(buf, &f, sizeof(f));
    put_planes(buf + sizeof(f), pic, f.w, f.h);
    enc_rect(o, pic->x, pic->y, pic->w, pic->h, ENC_H264);
    enc_film(o, buf, sizeof(f) + size);
}

static x264_t *open_stream(const Film *f)
{
    x264_param_t p;

    if (x264_param_default_preset(&p, "superfast", "zerolatency") < 0) {
        return NULL;
    }
    p.i_log_level = X264_LOG_NONE;
    p.i_threads = 1;
    p.i_width = f->w;
    p.i_height = f->h;
    p.i_csp = X264_CSP_I420;
    p.i_keyint_max = X264_KEYINT_MAX_INFINITE;
    p.b_vfr_input = 0;
    p.b_repeat_headers = 1;
    p.b_annexb = 1;
    p.rc.i_rc_method = X264_RC_CRF;
    p.rc.f_rf_constant = 38 - 2.4f * f->quality;
    p.vui.b_fullrange = 1;
    p.vui.i_colorprim = 1;              /* BT.709, as sRGB has them */
    p.vui.i_transfer = 13;              /* sRGB */
    p.vui.i_colmatrix = 6;              /* BT.601 */
    /* The encoding prescribes it. */
    return x264_param_apply_profile(&p, "baseline") < 0 ? NULL : x264_encoder_open(&p);
}

void enc_video_free(EncVideo *v)
{
    if (v) {
        if (v->x264) {
            x264_encoder_close(v->x264);
        }
        g_free(v);
    }
}

bool enc_h264_finish(EncVideo **vp, const uint8_t *data, size_t len, GByteArray *to)
{
    EncVideo *v = *vp;
    bool fresh = !v || memcmp(&v->film, data, sizeof(Film)) != 0;
    x264_picture_t in, out;
    x264_nal_t *nals;
    size_t planes;
    int n, bytes;
    uint8_t head[8];

    if (fresh) {
        enc_video_free(v);
        v = *vp = g_new0(EncVideo, 1);
        memcpy(&v->film, data, sizeof(Film));
        v->x264 = open_stream(&v->film);
    }
    planes = (size_t)v->film.w * v->film.h;
    if (!v->x264 || len != sizeof(Film) + planes * 3 / 2) {
        return false;
    }
    x264_picture_init(&in);
    in.i_pts = v->frames++;
    in.img.i_csp = X264_CSP_I420;
    in.img.i_plane = 3;
    in.img.i_stride[0] = v->film.w;
    in.img.i_stride[1] = in.img.i_stride[2] = v->film.w / 2;
    in.img.plane[0] = (uint8_t *)data + sizeof(Film);
    in.img.plane[1] = in.img.plane[0] + planes;
    in.img.plane[2] = in.img.plane[1] + planes / 4;
    bytes = x264_encoder_encode(v->x264, &nals, &n, &in, &out);
    if (bytes <= 0) {
        return false;
    }
    store_be32(head, bytes);
    store_be32(head + 4, fresh ? RESET_ALL_CONTEXTS : 0);
    g_byte_array_append(to, head, 8);
    g_byte_array_append(to, nals[0].p_payload, bytes);
    return true;
}

#else

bool enc_h264_available(void)
{
    return false;
}

void enc_h264(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    enc_raw(o, p, pic);
}

void enc_video_free(UNUSED EncVideo *v)
{
}

bool enc_h264_finish(UNUSED EncVideo **vp, UNUSED const uint8_t *data, UNUSED size_t len, UNUSED GByteArray *to)
{
    return false;
}
#endif
