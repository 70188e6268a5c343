/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every encoder with every pixel format: what the test viewer decodes is exactly the picture, as
 * the format counts it.
 */
#include "util/osdep.h"
#include <glib.h>
#include <math.h>
#include "tests/lib/rfb-client.h"
#include "tests/lib/test.h"
#include "ui/vnc/enc.h"
#include "util/bswap.h"

#define W   203
#define H   157

static const RfbFormat rgb888_d32 = { 32, 32, false, true, { 255, 255, 255 }, { 16, 8, 0 } };
static const RfbFormat rgb101010 = { 32, 30, true, true, { 1023, 1023, 1023 }, { 20, 10, 0 } };

static const struct {
    const char *name;
    const RfbFormat *f;
} formats[] = {
    { "rgb888", &rfb_rgb888 }, { "rgb888 big endian", &rfb_rgb888_be }, { "bgr888", &rfb_bgr888 },
    { "rgb565", &rfb_rgb565 }, { "rgb565 big endian", &rfb_rgb565_be }, { "rgb555", &rfb_rgb555 },
    { "bgr233", &rfb_bgr233 }, { "rgb888 depth 32", &rgb888_d32 }, { "rgb101010", &rgb101010 },
};

static const struct {
    int32_t number;
    EncFn *fn;
} encoders[] = {
    { ENC_RAW, enc_raw }, { ENC_RRE, enc_rre }, { ENC_HEXTILE, enc_hextile }, { ENC_ZLIB, enc_zlib },
    { ENC_TIGHT, enc_tight }, { ENC_ZLIBHEX, enc_zlibhex }, { ENC_ZRLE, enc_zrle },
    { ENC_TIGHT_PNG, enc_tight_png }, { ENC_ZYWRLE, enc_zywrle },
};

/* --- pictures --- */

static uint32_t noise(uint32_t *s)
{
    *s = *s * 1664525 + 1013904223;
    return *s >> 8;
}

static void paint(uint32_t *p, unsigned kind)
{
    uint32_t seed = kind;

    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++, p++) {
            switch (kind) {
            case 0:             /* one color */
                *p = 0x123456;
                break;
            case 1:             /* two colors, like text */
                *p = noise(&seed) % 5 ? 0xffffff : 0;
                break;
            case 2:             /* a window on a desktop */
                *p = x > 40 && x < 160 && y > 20 && y < 120 ? (y < 36 ? 0x2040c0 : 0xf0f0f0)
                                                            : 0x306030;
                if (x > 50 && x < 150 && y > 40 && y < 110 && noise(&seed) % 7 == 0) {
                    *p = 0x101010;
                }
                break;
            case 3:             /* some colors in runs */
                *p = (x / 7 + y / 3) % 12 * 0x151301;
                break;
            case 4:             /* a photograph */
                *p = (uint32_t)(127 + 100 * sin(x / 31.0 + y / 57.0)) << 16 |
                     (uint32_t)(127 + 90 * cos(x / 23.0)) << 8 |
                     (uint32_t)(127 + 80 * sin(y / 19.0 + x / 77.0));
                break;
            case 5:             /* noise */
                *p = noise(&seed) & 0xffffff;
                break;
            default:            /* a palette of 200 colors */
                *p = noise(&seed) % 200 * 0x010307 & 0xffffff;
                break;
            }
        }
    }
}
#define KINDS   7

static VncFormat *server_format(const RfbFormat *f)
{
    uint8_t b[16] = { f->bits, f->depth, f->big_endian, f->true_color };

    for (unsigned i = 0; i < 3; i++) {
        store_be16(b + 4 + 2 * i, f->max[i]);
        b[10 + i] = f->shift[i];
    }
    return vnc_format_parse(b);
}

/* Read the rectangles of @o, finished by @st, into @c. */
static bool decode(RfbClient *c, EncStreams *st, const EncOut *o)
{
    GByteArray *bytes = g_byte_array_new();
    bool ok = enc_finish(st, o, bytes);

    c->memory = bytes->data;
    c->memory_end = bytes->data + bytes->len;
    for (unsigned i = 0; ok && i < o->n_rects; i++) {
        uint8_t b[12];

        ok = rfb_recv(c, b, 12) && rfb_decode(c, load_be32(b + 8), load_be16(b), load_be16(b + 2),
                                              load_be16(b + 4), load_be16(b + 6));
    }
    if (ok && c->memory != c->memory_end) {
        ok = rfb_fail(c, "%zd bytes are left", c->memory_end - c->memory);
    }
    g_byte_array_unref(bytes);
    return ok;
}

static void run(EncParams *p, EncFn *fn, const uint32_t *rgb, RfbClient *c, EncStreams *st, Test *t,
                const char *what)
{
    uint32_t *values = g_new(uint32_t, W * H);
    EncPicture pic = { 0, 0, W, H, rgb, values, W };
    EncOut *o = enc_out_new();

    vnc_values(p->format, values, rgb, W * H);
    fn(o, p, &pic);
    if (!decode(c, st, o)) {
        test_fail(t, "%s: %s", what, c->error);
    }
    enc_out_free(o);
    g_free(values);
}

static unsigned wrong(const RfbClient *c, const uint32_t *rgb)
{
    unsigned n = 0;

    for (int i = 0; i < W * H; i++) {
        n += c->values[i] != rfb_value(&c->format, rgb[i]);
    }
    return n;
}

/* All pictures one after the other over the same streams, at several levels. */
TEST(encoders, exact)
{
    uint32_t *rgb = g_new(uint32_t, W * H);

    for (unsigned e = 0; e < ARRAY_SIZE(encoders); e++) {
        for (unsigned f = 0; f < ARRAY_SIZE(formats); f++) {
            EncParams p = { server_format(formats[f].f), encoders[e].number, -1, -1, -1, -1, false };
            EncStreams st = { { NULL } };
            RfbClient c;

            /* PNG has eight bits a color: more than those can't be exact. */
            if (encoders[e].number == ENC_TIGHT_PNG && formats[f].f == &rgb101010) {
                vnc_format_unref(p.format);
                continue;
            }
            rfb_open_memory(&c, W, H, formats[f].f);
            for (unsigned k = 0; k < 2 * KINDS; k++) {
                char what[64];

                snprintf(what, sizeof(what), "%s, %s, picture %u", enc_name(encoders[e].number),
                         formats[f].name, k % KINDS);
                p.compress = k < KINDS ? -1 : (int)(k * 7 % 10);
                paint(rgb, k % KINDS);
                memset(c.values, 0xee, 4 * W * H);
                run(&p, encoders[e].fn, rgb, &c, &st, t, what);
                check_int(t, wrong(&c, rgb), 0, what);
            }
            enc_streams_free(&st);
            vnc_format_unref(p.format);
            rfb_close(&c);
        }
    }
    g_free(rgb);
}

/* Sizes from 1x1 on, and slivers. */
TEST(encoders, sizes)
{
    static const int sizes[][2] = { { 1, 1 }, { 2, 1 }, { 1, 2 }, { 3, 3 }, { 15, 17 }, { 16, 16 },
                                    { 17, 15 }, { 63, 65 }, { 64, 64 }, { 65, 1 }, { 1, 65 },
                                    { 203, 2 }, { 2, 157 } };
    uint32_t *all = g_new(uint32_t, W * H), *rgb = g_new(uint32_t, W * H),
             *values = g_new(uint32_t, W * H);

    for (unsigned e = 0; e < ARRAY_SIZE(encoders); e++) {
        EncParams p = { vnc_format_native(), encoders[e].number, 6, -1, -1, -1, false };
        EncStreams st = { { NULL } };
        RfbClient c;

        rfb_open_memory(&c, W, H, &rfb_rgb888);
        c.format.big_endian = HOST_BIG_ENDIAN;
        for (unsigned k = 0; k < ARRAY_SIZE(sizes) * KINDS; k++) {
            int w = sizes[k / KINDS][0], h = sizes[k / KINDS][1];
            EncPicture pic = { 0, 0, w, h, rgb, values, w };
            EncOut *o = enc_out_new();
            unsigned bad = 0;

            paint(all, k % KINDS);
            memcpy(rgb, all, 4 * (size_t)(w * h));
            vnc_values(p.format, values, rgb, w * h);
            memset(c.values, 0xee, 4 * W * H);
            encoders[e].fn(o, &p, &pic);
            if (!decode(&c, &st, o)) {
                test_fail(t, "%s %dx%d: %s", enc_name(p.encoding), w, h, c.error);
            }
            for (int i = 0; i < w * h; i++) {
                bad += c.values[i / w * W + i % w] != rgb[i];
            }
            check_int(t, bad, 0, enc_name(p.encoding));
            for (int i = 0; i < W * H; i++) {
                bad += (i % W >= w || i / W >= h) && c.values[i] != 0xeeeeeeee;
            }
            check_int(t, bad, 0, "nothing beside it");
            enc_out_free(o);
        }
        enc_streams_free(&st);
        vnc_format_unref(p.format);
        rfb_close(&c);
    }
    g_free(all);
    g_free(rgb);
    g_free(values);
}

static double psnr(const RfbClient *c, const uint32_t *rgb)
{
    double sum = 0;

    for (int i = 0; i < W * H; i++) {
        uint32_t v = rfb_value_rgb(&c->format, c->values[i]);

        for (unsigned k = 0; k < 24; k += 8) {
            double d = (double)(v >> k & 255) - (double)(rgb[i] >> k & 255);

            sum += d * d;
        }
    }
    return sum ? 10 * log10(255.0 * 255.0 / (sum / (3.0 * W * H))) : 100;
}

TEST(encoders, tight_forms)
{
    EncParams p = { vnc_format_native(), ENC_TIGHT, 6, -1, -1, -1, false };
    uint32_t *rgb = g_new(uint32_t, W * H);
    EncStreams st = { { NULL } };
    double last = 0;
    RfbClient c;

    rfb_open_memory(&c, W, H, &rfb_rgb888);
    c.format.big_endian = HOST_BIG_ENDIAN;
    paint(rgb, 0);
    run(&p, enc_tight, rgb, &c, &st, t, "fill");
    check_true(t, c.tight_fill == 1 && c.rects == 0, "one color is one fill");
    paint(rgb, 1);
    run(&p, enc_tight, rgb, &c, &st, t, "mono");
    check_true(t, c.tight_mono > 0, "two colors");
    paint(rgb, 6);
    run(&p, enc_tight, rgb, &c, &st, t, "palette");
    check_true(t, c.tight_palette > 0, "a palette");
    paint(rgb, 4);
    run(&p, enc_tight, rgb, &c, &st, t, "gradient");
    check_true(t, c.tight_gradient > 0, "a photograph without loss");
    paint(rgb, 5);
    run(&p, enc_tight, rgb, &c, &st, t, "full color");
    check_true(t, c.tight_full > 0, "noise");
    check_true(t, c.tight_jpeg == 0, "no JPEG without a quality");
    paint(rgb, 4);
    for (int q = 0; q <= 9; q += 3) {
        double now;

        p.quality = q;
        run(&p, enc_tight, rgb, &c, &st, t, "jpeg");
        now = psnr(&c, rgb);
        test_note(t, "quality %d: %.1f dB", q, now);
        check_true(t, now > last, "a higher level is better");
        last = now;
    }
    check_true(t, c.tight_jpeg > 0 && last > 35, "JPEG");
    p.quality = -1;
    p.compress = 0;
    p.tight_plain = true;
    for (unsigned k = 0; k < KINDS; k++) {
        paint(rgb, k);
        run(&p, enc_tight, rgb, &c, &st, t, "without zlib");
        check_int(t, wrong(&c, rgb), 0, "without zlib");
    }
    paint(rgb, 4);
    p.compress = 6;
    p.encoding = ENC_TIGHT_PNG;
    run(&p, enc_tight_png, rgb, &c, &st, t, "png");
    check_true(t, c.tight_png > 0 && wrong(&c, rgb) == 0, "PNG is exact");
    enc_streams_free(&st);
    vnc_format_unref(p.format);
    rfb_close(&c);
    g_free(rgb);
}

/* Grays in squares that no quality makes coarser, and text, come out exactly; photographs nearly so, the better the
 * more levels are left; with 16 bits too. */
TEST(encoders, zywrle)
{
    static const RfbFormat red_low = { 32, 24, false, true, { 255, 255, 255 }, { 0, 8, 16 } };
    static const RfbFormat *const wide[] = { &rfb_rgb888, &rfb_rgb888_be, &red_low },
                           *const all[] = { &rfb_rgb888, &red_low, &rfb_rgb565, &rfb_rgb565_be, &rfb_rgb555 };
    static const double at_least[] = { 24, 27, 28, 28 };
    uint32_t *rgb = g_new(uint32_t, W * H), seed = 1;

    for (int q = 0; q <= 9; q += 3) {
        int square = q < 3 ? 8 : q < 6 ? 4 : 2;

        for (unsigned f = 0; f < ARRAY_SIZE(wide); f++) {
            EncParams p = { server_format(wide[f]), ENC_ZYWRLE, 6, q, -1, -1, false };
            EncStreams st = { { NULL } };
            RfbClient c;

            rfb_open_memory(&c, W, H, wide[f]);
            c.wavelet_levels = 3 - q / 3;
            for (int i = 0; i < W * H; i++) {
                int x = i % W / 64 * 64 + i % W % 64 / square * square, y = i / W / 64 * 64 + i / W % 64 / square * square;

                rgb[i] = i == y * W + x ? (1 + noise(&seed) % 255) * 0x010101 : rgb[y * W + x];
            }
            run(&p, enc_zywrle, rgb, &c, &st, t, "squares");
            check_int(t, wrong(&c, rgb), 0, "squares of grays are exact");
            check_true(t, q < 3 || (c.wavelets > 0) == (q < 9), "and were coefficients, but with the best quality");
            paint(rgb, 1);
            run(&p, enc_zywrle, rgb, &c, &st, t, "text");
            check_int(t, wrong(&c, rgb), 0, "text is exact");
            enc_streams_free(&st);
            vnc_format_unref(p.format);
            rfb_close(&c);
        }
        for (unsigned f = 0; f < ARRAY_SIZE(all); f++) {
            EncParams p = { server_format(all[f]), ENC_ZYWRLE, 6, q, -1, -1, false };
            EncStreams st = { { NULL } };
            RfbClient c;
            double now;

            rfb_open_memory(&c, W, H, all[f]);
            c.wavelet_levels = 3 - q / 3;
            paint(rgb, 4);
            run(&p, enc_zywrle, rgb, &c, &st, t, "a photograph");
            now = psnr(&c, rgb);
            test_note(t, "quality %d, %u bits: %.1f dB, %u tiles of coefficients", q, all[f]->bits, now, c.wavelets);
            check_true(t, now >= at_least[MIN(q / 3, 3)] && (c.wavelets > 0) == (q < 9), "a photograph");
            enc_streams_free(&st);
            vnc_format_unref(p.format);
            rfb_close(&c);
        }
    }
    /* Where colors have other places, viewers would transform something else: nothing is dropped. */
    {
        EncParams p = { server_format(&rfb_bgr888), ENC_ZYWRLE, 6, 0, -1, -1, false };
        EncStreams st = { { NULL } };
        RfbClient c;

        rfb_open_memory(&c, W, H, &rfb_bgr888);
        c.wavelet_levels = 3;
        paint(rgb, 4);
        run(&p, enc_zywrle, rgb, &c, &st, t, "another format");
        check_true(t, wrong(&c, rgb) == 0 && c.wavelets == 0, "another format is exact");
        enc_streams_free(&st);
        vnc_format_unref(p.format);
        rfb_close(&c);
    }
    g_free(rgb);
}

/* --- Open H.264 --- */

#define FILM_FRAMES 5

/* A photograph that moves, of an odd size. */
static void film_frame(uint32_t *rgb, int n)
{
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            rgb[y * W + x] = (uint32_t)(127 + 100 * sin((x + 4 * n) / 31.0 + y / 57.0)) << 16 |
                             (uint32_t)(127 + 90 * cos((x + 4 * n) / 23.0)) << 8 |
                             (uint32_t)(127 + 80 * sin(y / 19.0 + (x + 4 * n) / 77.0));
        }
    }
}

/* Let a real decoder make pixels of the stream: it must be the last frame, nearly. */
static void check_film(Test *t, const RfbClient *c, const uint32_t *rgb)
{
    char *program = g_find_program_in_path("ffmpeg");
    char *file = g_build_filename(test_tmpdir(t), "film.h264", NULL), *command, *out = NULL;
    const GByteArray *a = c->film;
    int w = ALIGN_UP(W, 2), h = ALIGN_UP(H, 2);
    const uint8_t *last;
    FILE *f;
    double sum = 0;

    if (!program) {
        test_note(t, "ffmpeg is missing: not decoded");
        g_free(file);
        return;
    }
    g_file_set_contents(file, (const char *)a->data, a->len, NULL);
    command = g_strdup_printf("%s -v error -i %s -f rawvideo -pix_fmt rgb24 - 2>&1", program, file);
    f = popen(command, "r");
    out = g_malloc0((size_t)w * h * 3 * FILM_FRAMES + 1);
    check_int(t, fread(out, 1, (size_t)w * h * 3 * FILM_FRAMES + 1, f), w * h * 3 * FILM_FRAMES, "as many frames");
    pclose(f);
    last = (uint8_t *)out + (size_t)w * h * 3 * (FILM_FRAMES - 1);
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            for (int k = 0; k < 3; k++) {
                double d = (double)last[(y * w + x) * 3 + k] - (double)(rgb[y * W + x] >> (16 - 8 * k) & 255);

                sum += d * d;
            }
        }
    }
    sum = 10 * log10(255.0 * 255.0 / (sum / (3.0 * W * H)));
    test_note(t, "%u bytes, %.1f dB", a->len, sum);
    check_true(t, sum > 35, "it is the picture");
    g_free(command);
    g_free(program);
    g_free(file);
    g_free(out);
}

TEST(encoders, film)
{
    EncParams p = { vnc_format_native(), ENC_ZRLE, 6, 9, -1, -1, false };
    uint32_t *rgb = g_new(uint32_t, W * H);
    EncStreams st = { { NULL } };
    const GByteArray *a;
    RfbClient c;

    if (!enc_h264_available()) {
        test_skip(t, "this build is without libx264");
        vnc_format_unref(p.format);
        g_free(rgb);
        return;
    }
    rfb_open_memory(&c, W, H, &rfb_rgb888);
    for (int i = 0; i < FILM_FRAMES; i++) {
        film_frame(rgb, i);
        run(&p, enc_h264, rgb, &c, &st, t, "film");
    }
    check_true(t, c.film_frames == FILM_FRAMES && c.film_resets == 1, "the first frame begins a context");
    a = c.film;
    /* H.264 7.3.1, 7.4.1: the parameters come first; profile 66 is the baseline. */
    check_true(t, a->len > 6 && load_be32(a->data) == 1 && (a->data[4] & 31) == 7 && a->data[5] == 66, "baseline");
    check_film(t, &c, rgb);
    p.quality = 2;
    run(&p, enc_h264, rgb, &c, &st, t, "coarser");
    check_int(t, c.film_resets, 2, "another quality begins another");
    enc_streams_free(&st);
    vnc_format_unref(p.format);
    rfb_close(&c);
    g_free(rgb);
}

/* Two clients share what was encoded; each has streams of its own, in another state. */
TEST(encoders, shared)
{
    EncParams p = { vnc_format_native(), ENC_ZRLE, 6, -1, -1, -1, false };
    uint32_t *rgb = g_new(uint32_t, W * H), *values = g_new(uint32_t, W * H);
    EncPicture pic = { 0, 0, W, H, rgb, values, W };
    EncStreams st[2] = { { { NULL } } };
    RfbClient c[2];

    for (int i = 0; i < 2; i++) {
        rfb_open_memory(&c[i], W, H, &rfb_rgb888);
        c[i].format.big_endian = HOST_BIG_ENDIAN;
    }
    paint(rgb, 1);
    run(&p, enc_zrle, rgb, &c[1], &st[1], t, "the second is ahead");
    for (unsigned k = 2; k < KINDS; k++) {
        EncOut *o = enc_out_new();

        paint(rgb, k);
        vnc_values(p.format, values, rgb, W * H);
        enc_zrle(o, &p, &pic);
        for (int i = 0; i < 2; i++) {
            check_true(t, decode(&c[i], &st[i], o), c[i].error);
            check_int(t, wrong(&c[i], rgb), 0, "each sees the same");
        }
        enc_out_free(o);
    }
    for (int i = 0; i < 2; i++) {
        enc_streams_free(&st[i]);
        rfb_close(&c[i]);
    }
    vnc_format_unref(p.format);
    g_free(rgb);
    g_free(values);
}

TEST(format, refused)
{
    uint8_t good[16] = { 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 }, b[16];
    VncFormat *f = vnc_format_parse(good);

    check_true(t, f, "a good one");
    vnc_format_put(f, b);
    check_mem(t, b, good, 16, "it can be written again");
    vnc_format_unref(f);
    memcpy(b, good, 16);
    b[0] = 24;
    check_true(t, !vnc_format_parse(b), "24 bits");
    b[0] = 32;
    b[10] = 32;
    check_true(t, !vnc_format_parse(b), "a shift of 32");
    b[10] = 16;
    b[5] = 200;
    check_true(t, !vnc_format_parse(b), "maxima are one less than a power of two");
    b[5] = 255;
    b[3] = 0;
    check_true(t, !vnc_format_parse(b), "a color map for 32 bits");
    b[0] = 8;
    f = vnc_format_parse(b);
    check_true(t, f && f->red_max == 7, "and for 8");
    vnc_format_unref(f);
}
