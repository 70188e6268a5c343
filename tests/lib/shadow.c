/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/shadow.h"

static void random_range(Shadow *s, uint64_t *offset, uint64_t *len, bool aligned)
{
    uint64_t max = g_rand_int_range(s->rand, 0, 8) ? 16 * KIB : 600 * KIB, unit = aligned ? 512 : 1;

    *offset = (uint64_t)(g_rand_double(s->rand) * (s->size / unit)) * unit;
    *len = ((uint64_t)(g_rand_double(s->rand) * (max / unit)) + 1) * unit;
    *len = MIN(*len, s->size - *offset);
}

bool shadow_read_all(Test *t, BlockNode *n, const Shadow *s, const char *what)
{
    uint8_t *buf = g_malloc(s->size);
    int r = image_read(n, 0, buf, s->size);
    bool ok = check_int(t, r, 0, what);

    for (uint64_t i = 0; ok && i < s->size; i++) {
        if (buf[i] != s->data[i]) {
            test_fail(t, "%s: byte %" PRIu64 " is %02x, expected %02x", what, i, buf[i], s->data[i]);
            ok = false;
        }
    }
    g_free(buf);
    return ok;
}

bool shadow_step(Test *t, BlockNode *n, Shadow *s)
{
    uint64_t offset, len;
    int what = g_rand_int_range(s->rand, 0, 20), r = 0;
    uint8_t *buf;

    random_range(s, &offset, &len, what >= 14);
    if (what < 8) {
        buf = g_malloc(len);
        for (uint64_t i = 0, v = g_rand_int(s->rand); i < len; i++) {
            v = v * 6364136223846793005 + 1442695040888963407;
            buf[i] = v >> 33 | 1;
        }
        r = image_write(n, offset, buf, len);
        memcpy(s->data + offset, buf, len);
        g_free(buf);
    } else if (what < 14) {
        buf = g_malloc(len);
        r = image_read(n, offset, buf, len);
        if (r == 0 && memcmp(buf, s->data + offset, len)) {
            test_fail(t, "a read at %" PRIu64 ", %" PRIu64 " bytes, gives something else", offset, len);
            g_free(buf);
            return false;
        }
        g_free(buf);
    } else if (what < 17) {
        r = image_zero(n, offset, len, what & 1 ? BLOCK_ZERO_UNMAP : 0);
        memset(s->data + offset, 0, len);
    } else if (what < 19) {
        /* What is read afterwards isn't defined: zeros, or what was there. Read it. */
        r = image_discard(n, offset, len);
        if (r == 0) {
            r = image_read(n, offset, s->data + offset, len);
        }
    } else {
        r = image_flush(n);
    }
    return check_int(t, r, 0, "a request succeeds");
}

void shadow_compare_by_distribution(Test *t, const char *path, const char *format, const Shadow *s, const char *what)
{
    char *raw = g_build_filename(test_tmpdir(t), "copy.raw", NULL), *got = NULL;
    char *args = g_strdup_printf("convert -f %s -O raw '%s' '%s'", format, path, raw);
    gsize len;

    if (distribution_qemu_img(args, NULL) == 0) {
        check_true(t, g_file_get_contents(raw, &got, &len, NULL) && len == s->size, "the same size");
        check_true(t, got && len == s->size && memcmp(got, s->data, len) == 0, what);
    }
    g_free(got);
    g_free(args);
    g_free(raw);
}
