/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source: VESA Enhanced Extended Display Identification Data Standard, Release A, Revision 2 ("EDID"), section 3. */
#include "util/osdep.h"
#include "hw/display/edid.h"

#include "util/bswap.h"

#define DPI             100     /* of the picture that is made up */
#define HBLANK          160     /* reduced blanking: pixels */
#define VBLANK          40      /* lines */
#define CLOCK_MAX       65535   /* in units of 10 kHz */

/* EDID 3.9: two bytes a mode, of which only the ones that fit into these are told. */
static const struct { uint16_t x, y; uint8_t byte, bit; } established[] = {
    { 640, 480, 35, 0x20 }, { 800, 600, 35, 0x01 }, { 1024, 768, 36, 0x08 },
};
static const struct { uint16_t x, y; uint8_t aspect; } standard[] = {
    { 1920, 1200, 0 }, { 1920, 1080, 3 }, { 1680, 1050, 0 }, { 1600, 1200, 1 }, { 1440, 900, 0 }, { 1280, 1024, 2 },
    { 1280, 960, 1 }, { 1280, 800, 0 },
};

/* EDID 3.10.2: the detailed timing of the best mode. */
static void put_timing(uint8_t *d, unsigned x, unsigned y)
{
    unsigned width_mm = x * 254 / (DPI * 10), height_mm = y * 254 / (DPI * 10);
    unsigned clock = (x + HBLANK) * (y + VBLANK) / 10000 * 60;

    store_le16(d, (uint16_t)MIN(clock, CLOCK_MAX));
    d[2] = (uint8_t)x;
    d[3] = HBLANK;
    d[4] = (uint8_t)(x >> 8 << 4);
    d[5] = (uint8_t)y;
    d[6] = VBLANK;
    d[7] = (uint8_t)(y >> 8 << 4);
    d[8] = 48;                  /* front porch and sync width */
    d[9] = 32;
    d[10] = 3 << 4 | 6;
    d[12] = (uint8_t)width_mm;
    d[13] = (uint8_t)height_mm;
    d[14] = (uint8_t)(width_mm >> 8 << 4 | height_mm >> 8);
    d[17] = 0x18;               /* digital, separate sync */
}

/* EDID 3.10.3.4: @tag's text, at most 13 bytes. */
static void put_text(uint8_t *d, uint8_t tag, const char *text)
{
    size_t n = strlen(text);

    d[3] = tag;
    memset(d + 5, ' ', 13);
    memcpy(d + 5, text, n);
    d[5 + n] = '\n';
}

void edid_fill(uint8_t b[EDID_SIZE], unsigned xres, unsigned yres)
{
    static const uint8_t header[8] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
    /* sRGB's primaries and white (EDID 3.7). */
    static const uint8_t srgb[10] = { 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54 };
    uint8_t sum = 0;
    unsigned n = 38;

    memset(b, 0, EDID_SIZE);
    memcpy(b, header, sizeof(header));
    store_be16(b + 8, ('R' - '@') << 10 | ('H' - '@') << 5 | ('T' - '@'));
    store_le16(b + 10, 0x1234);
    b[16] = 1;                  /* made in the first week of 2022 */
    b[17] = 2022 - 1990;
    b[18] = 1;                  /* EDID 1.4 */
    b[19] = 4;
    b[20] = 0xa5;               /* digital, 8 bits a colour, DisplayPort */
    b[21] = (uint8_t)(xres * 254 / (DPI * 100));
    b[22] = (uint8_t)(yres * 254 / (DPI * 100));
    b[23] = 220 - 100;          /* gamma 2.2 */
    b[24] = 0x06;               /* sRGB; the first timing is the native one */
    memcpy(b + 25, srgb, sizeof(srgb));
    for (size_t i = 0; i < ARRAY_SIZE(established); i++) {
        if (established[i].x <= xres && established[i].y <= yres) {
            b[established[i].byte] |= established[i].bit;
        }
    }
    memset(b + 38, 0x01, 16);   /* EDID 3.9: unused */
    for (size_t i = 0; i < ARRAY_SIZE(standard); i++) {
        if (standard[i].x <= xres && standard[i].y <= yres) {
            b[n++] = (uint8_t)(standard[i].x / 8 - 31);
            b[n++] = (uint8_t)(standard[i].aspect << 6);        /* 60 Hz */
        }
    }
    put_timing(b + 54, xres, yres);
    put_text(b + 72, 0xfc, "Monitor");
    put_text(b + 90, 0xff, "1");
    b[111] = 0x10;              /* a dummy: nothing in the fourth place */
    for (unsigned i = 0; i < EDID_SIZE - 1; i++) {
        sum = (uint8_t)(sum + b[i]);
    }
    b[127] = (uint8_t)-sum;
}
