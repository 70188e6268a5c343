/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source: "PC Screen Font" formats as psf.h of the kbd project's documentation (psffontfiles) has them. */
#include "util/osdep.h"
#include "ui/vc/font.h"

#include <glib.h>
#include <zlib.h>
#include "util/bswap.h"

#define PSF1_MAGIC      0x0436
#define PSF2_MAGIC      0x864ab572U
#define FILE_MAX        (4 * 1024 * 1024)
#define GLYPHS_MAX      65536

enum { PSF1_MODE_512 = 1, PSF1_MODE_TABLE = 2, PSF1_SEPARATOR = 0xffff, PSF1_SEQUENCE = 0xfffe };
enum { PSF2_HAS_TABLE = 1, PSF2_SEPARATOR = 0xff, PSF2_SEQUENCE = 0xfe };

static const VcFont *font;      /* read once */

static void name_glyph(VcFont *f, uint32_t ch, unsigned glyph)
{
    if (!g_hash_table_contains(f->by_char, GUINT_TO_POINTER(ch))) {
        g_hash_table_insert(f->by_char, GUINT_TO_POINTER(ch), GUINT_TO_POINTER(glyph + 1));
    }
}

/* For each glyph the characters that it stands for, up to a separator; sequences are for combined ones. */
static void read_table1(VcFont *f, const uint8_t *p, const uint8_t *end)
{
    bool sequence = false;

    for (unsigned g = 0; g < f->n_glyphs && end - p >= 2; p += 2) {
        uint16_t v = load_le16(p);

        if (v == PSF1_SEPARATOR) {
            g++;
            sequence = false;
        } else if (v == PSF1_SEQUENCE) {
            sequence = true;
        } else if (!sequence) {
            name_glyph(f, v, g);
        }
    }
}

static void read_table2(VcFont *f, const uint8_t *p, const uint8_t *end)
{
    bool sequence = false;

    for (unsigned g = 0; g < f->n_glyphs && p < end;) {
        gunichar c;

        if (*p == PSF2_SEPARATOR) {
            g++;
            p++;
            sequence = false;
        } else if (*p == PSF2_SEQUENCE) {
            p++;
            sequence = true;
        } else {
            c = g_utf8_get_char_validated((const char *)p, end - p);
            if (c >= 0x110000) {
                p++;                    /* no UTF-8: passed over */
                continue;
            }
            if (!sequence) {
                name_glyph(f, c, g);
            }
            p = (const uint8_t *)g_utf8_next_char(p);
        }
    }
}

static VcFont *bad(Error **errp, const char *why)
{
    error_setf(errp, ERR_INVALID_ARGUMENT, "not a console font: %s", why);
    return NULL;
}

VcFont *vc_font_parse(const uint8_t *data, size_t len, Error **errp)
{
    size_t header, glyph_bytes, bytes;
    bool table, second = len >= 32 && load_le32(data) == PSF2_MAGIC;
    VcFont *f, v = { 0 };

    if (second) {
        header = load_le32(data + 8);
        table = load_le32(data + 12) & PSF2_HAS_TABLE;
        v.n_glyphs = load_le32(data + 16);
        glyph_bytes = load_le32(data + 20);
        v.height = load_le32(data + 24);
        v.width = load_le32(data + 28);
    } else if (len >= 4 && load_le16(data) == PSF1_MAGIC) {
        header = 4;
        table = data[2] & PSF1_MODE_TABLE;
        v.n_glyphs = data[2] & PSF1_MODE_512 ? 512 : 256;
        glyph_bytes = v.height = data[3];
        v.width = 8;
    } else {
        return bad(errp, "the magic number is another");
    }
    if (!v.width || !v.height || v.width > 32 || v.height > 32 || !v.n_glyphs || v.n_glyphs > GLYPHS_MAX) {
        return bad(errp, "its size is impossible");
    }
    v.row_bytes = (v.width + 7) / 8;
    bytes = (size_t)v.n_glyphs * glyph_bytes;
    if (glyph_bytes != (size_t)v.row_bytes * v.height || header > len || bytes > len - header) {
        return bad(errp, "it is cut off");
    }
    f = g_memdup2(&v, sizeof(v));
    f->bits = g_memdup2(data + header, bytes);
    f->by_char = g_hash_table_new(NULL, NULL);
    if (table && second) {
        read_table2(f, data + header + bytes, data + len);
    } else if (table) {
        read_table1(f, data + header + bytes, data + len);
    } else {
        for (unsigned i = 0; i < f->n_glyphs; i++) {
            name_glyph(f, i, i);
        }
    }
    return f;
}

void vc_font_free(VcFont *f)
{
    if (f) {
        g_hash_table_unref(f->by_char);
        g_free(f->bits);
        g_free(f);
    }
}

static VcFont *read_font(const char *path)
{
    gzFile z = gzopen(path, "rb");
    uint8_t *data;
    VcFont *f = NULL;
    int n;

    if (!z) {
        return NULL;
    }
    data = g_malloc(FILE_MAX);
    n = gzread(z, data, FILE_MAX);
    if (n > 0) {
        f = vc_font_parse(data, (size_t)n, NULL);
    }
    g_free(data);
    gzclose(z);
    return f;
}

const VcFont *vc_font(Error **errp)
{
    static const char *const paths[] = {
        "/usr/share/consolefonts/spleen-8x16.psfu.gz", "/usr/share/consolefonts/Uni2-VGA16.psf.gz",
        "/usr/share/consolefonts/Uni2-Fixed16.psf.gz", "/usr/share/consolefonts/Unifont-APL8x16.psf.gz",
        "/usr/share/kbd/consolefonts/default8x16.psfu.gz", "/usr/lib/kbd/consolefonts/default8x16.psfu.gz",
    };

    for (size_t i = 0; i < ARRAY_SIZE(paths) && !font; i++) {
        font = read_font(paths[i]);
    }
    if (!font) {
        error_setf(errp, ERR_FILE_NOT_FOUND, "a virtual console needs a font, and none is installed");
        error_hint(errp, "Debian packages: fonts-spleen, console-setup-linux");
    }
    return font;
}

const uint8_t *vc_font_glyph(const VcFont *f, uint32_t ch)
{
    unsigned g = GPOINTER_TO_UINT(g_hash_table_lookup(f->by_char, GUINT_TO_POINTER(ch)));

    g = g ? g : GPOINTER_TO_UINT(g_hash_table_lookup(f->by_char, GUINT_TO_POINTER('?')));
    return f->bits + (size_t)(g ? g - 1 : 0) * f->row_bytes * f->height;
}
