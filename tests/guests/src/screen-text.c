/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is written on a screen: a screendump (PPM) as text, by comparing each cell with the glyphs
 * of the VGA's 8x16 font. It is found in the ROM of the VGA BIOS; Linux's console has the same.
 *
 *   screen-text ROM < PPM
 *
 * A cell is 9 pixels wide on a screen of 720 (VGA text mode), else 8. What is no glyph is '?'.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GLYPH_H     16
#define PIXELS_MAX  (4096u * 4096u)

static uint8_t rom[1 << 18];

/* The font starts where 'A' is 65 glyphs further on. */
static const uint8_t *find_font(const char *path)
{
    static const uint8_t a[GLYPH_H] = {
        0, 0, 0x10, 0x38, 0x6c, 0xc6, 0xc6, 0xfe, 0xc6, 0xc6, 0xc6, 0xc6
    };
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(rom, 1, sizeof(rom), f) : 0;

    if (f) {
        fclose(f);
    }
    for (size_t i = 65 * GLYPH_H; i + (256 - 65) * GLYPH_H <= n; i++) {
        if (!memcmp(rom + i, a, GLYPH_H)) {
            return rom + i - 65 * GLYPH_H;
        }
    }
    fprintf(stderr, "screen-text: no 8x16 font in '%s'\n", path);
    exit(1);
}

/* The glyph whose lit pixels are @rows, or their opposite; the cursor's lines at the bottom don't count. */
static int match(const uint8_t *font, const uint8_t *rows)
{
    for (int rows_that_count = GLYPH_H; rows_that_count >= GLYPH_H - 3; rows_that_count -= 3) {
        for (int c = ' '; c < 0x7f; c++) {
            bool same = true, opposite = true;

            for (int y = 0; y < rows_that_count; y++) {
                same = same && rows[y] == font[c * GLYPH_H + y];
                opposite = opposite && (rows[y] ^ 0xff) == font[c * GLYPH_H + y];
            }
            if (same || opposite) {
                return c;
            }
        }
    }
    return '?';
}

int main(int argc, char **argv)
{
    const uint8_t *font = find_font(argc > 1 ? argv[1] : "");
    unsigned w, h, depth, cell;
    uint8_t *pixels;

    if (scanf("P6 %u %u %u", &w, &h, &depth) != 3 || depth != 255 || w < 8 || h < GLYPH_H ||
        w > PIXELS_MAX / h) {
        fprintf(stderr, "screen-text: standard input is no PPM with 8 bits a colour\n");
        return 1;
    }
    getchar();
    pixels = malloc((size_t)w * h * 3);
    if (!pixels || fread(pixels, 3, (size_t)w * h, stdin) != (size_t)w * h) {
        fprintf(stderr, "screen-text: the picture is cut short\n");
        return 1;
    }
    cell = w == 720 ? 9 : 8;
    for (unsigned y = 0; y + GLYPH_H <= h; y += GLYPH_H) {
        char line[4096 / 8 + 1];
        unsigned n = 0, end = 0;

        for (unsigned x = 0; x + cell <= w; x += cell) {
            const uint8_t *corner = pixels + ((size_t)y * w + x) * 3;
            uint8_t rows[GLYPH_H] = { 0 };

            for (unsigned i = 0; i < GLYPH_H * 8; i++) {
                const uint8_t *p = corner + ((size_t)(i / 8) * w + i % 8) * 3;

                rows[i / 8] |= (uint8_t)((memcmp(p, corner, 3) != 0) << (7 - i % 8));
            }
            line[n] = (char)match(font, rows);
            n++;
            end = line[n - 1] == ' ' ? end : n;
        }
        printf("%.*s\n", (int)end, line);
    }
    free(pixels);
    return 0;
}
