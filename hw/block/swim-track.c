/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracks of Macintosh floppy disks (swim-track.h). */
#include "util/osdep.h"
#include "hw/block/swim-track.h"

#define MARK_A1         (SWIM_MARK | 0xa1)
#define MARK_C2         (SWIM_MARK | 0xc2)
#define SIZE_512        2               /* ECMA-125: length code of a sector */
#define GCR_TAG         12              /* bytes in front of a sector's data */
#define GCR_RAW         (GCR_TAG + SWIM_SECTOR)
#define GCR_FORMAT      0x02            /* TIL: interleave 2:1; bit 5: two sides */
#define GCR_BAD         0xff
#define SECTOR_SPAN     800u            /* a header at the turn's end has its data at the beginning */

SwimMedium swim_medium(uint64_t bytes)
{
    return bytes == 1440 * KIB ? SWIM_MFM_1440 : bytes == 720 * KIB ? SWIM_MFM_720 :
           bytes == 800 * KIB ? SWIM_GCR_800 : bytes == 400 * KIB ? SWIM_GCR_400 : SWIM_NONE;
}

unsigned swim_heads(SwimMedium m)
{
    return m == SWIM_GCR_400 ? 1 : 2;
}

/* TIL: tracks 0 to 15 have 12 sectors, the next 16 have 11, and so on. */
unsigned swim_sectors(SwimMedium m, unsigned track)
{
    return m == SWIM_MFM_1440 ? 18 : m == SWIM_MFM_720 ? 9 : 12 - track / 16;
}

uint32_t swim_first_block(SwimMedium m, unsigned track, unsigned head)
{
    uint32_t n = 0;

    for (unsigned t = 0; t < track; t++) {
        n += swim_sectors(m, t) * swim_heads(m);
    }
    return n + head * swim_sectors(m, track);
}

uint16_t swim_crc(uint16_t crc, uint8_t byte)
{
    crc ^= (uint16_t)(byte << 8);
    for (unsigned i = 0; i < 8; i++) {
        crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

/* --------------------------------------------------------------------- writing */

typedef struct Pen {
    SwimTrack *t;
    uint16_t at, crc;
} Pen;

static void put(Pen *p, unsigned cell)
{
    if (p->at < SWIM_TRACK_MAX) {
        p->t->cell[p->at++] = (uint16_t)cell;
        p->crc = swim_crc(p->crc, (uint8_t)cell);
    }
}

static void fill(Pen *p, unsigned cell, unsigned n)
{
    while (n--) {
        put(p, cell);
    }
}

static void put_crc(Pen *p)
{
    uint16_t crc = p->crc;

    put(p, crc >> 8);
    put(p, crc & 0xff);
}

static void put_mark(Pen *p, unsigned mark, unsigned id)
{
    fill(p, 0, 12);
    p->crc = 0xffff;
    fill(p, mark, 3);
    put(p, id);
}

static void make_mfm(Pen *p, SwimMedium m, unsigned track, unsigned head, const uint8_t *data)
{
    unsigned sectors = swim_sectors(m, track), gap = m == SWIM_MFM_1440 ? 0x6c : 0x50;

    fill(p, 0x4e, 80);
    put_mark(p, MARK_C2, 0xfc);
    fill(p, 0x4e, 50);
    for (unsigned s = 0; s < sectors; s++) {
        put_mark(p, MARK_A1, 0xfe);
        put(p, track);
        put(p, head);
        put(p, s + 1);
        put(p, SIZE_512);
        put_crc(p);
        fill(p, 0x4e, 22);
        put_mark(p, MARK_A1, 0xfb);
        for (unsigned i = 0; i < SWIM_SECTOR; i++) {
            put(p, data[s * SWIM_SECTOR + i]);
        }
        put_crc(p);
        fill(p, 0x4e, gap);
    }
    p->t->len = m == SWIM_MFM_1440 ? SWIM_TRACK_MAX : SWIM_TRACK_MAX / 2;
    while (p->at < p->t->len) {
        put(p, 0x4e);
    }
}

/* Six bits as a disk byte: those with the upper bit set, no two zeros in a row too many, without D5 and AA. */
static const uint8_t gcr_code[64] = {
    0x96, 0x97, 0x9a, 0x9b, 0x9d, 0x9e, 0x9f, 0xa6, 0xa7, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xb2, 0xb3,
    0xb4, 0xb5, 0xb6, 0xb7, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf, 0xcb, 0xcd, 0xce, 0xcf, 0xd3,
    0xd6, 0xd7, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe5, 0xe6, 0xe7, 0xe9, 0xea, 0xeb, 0xec,
    0xed, 0xee, 0xef, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff,
};

static void put6(Pen *p, unsigned v)
{
    put(p, gcr_code[v & 0x3f]);
}

/* Three checksums that take turns: each byte is added to one, and mixed with another before it is written. */
typedef struct GcrSum {
    unsigned a, b, c;
} GcrSum;

static void sum_turn(GcrSum *s)
{
    s->a = (s->a & 0xff) << 1 | (s->a >> 7 & 1);      /* bit 8: what went round */
}
static void sum_add(unsigned *to, unsigned *from, unsigned v)
{
    *to = (*to & 0xff) + v + (*from >> 8 & 1);
    *from &= 0xff;
}

/* Three bytes as four: the upper bits of all of them first. */
static void put3(Pen *p, unsigned x, unsigned y, unsigned z, unsigned n)
{
    put6(p, (x & 0xc0) >> 2 | (y & 0xc0) >> 4 | (z & 0xc0) >> 6);
    put6(p, x);
    put6(p, y);
    if (n == 3) {
        put6(p, z);
    }
}

static void put_gcr_data(Pen *p, const uint8_t *data)
{
    GcrSum s = { 0, 0, 0 };
    uint8_t raw[GCR_RAW + 1] = { 0 };

    memcpy(raw + GCR_TAG, data, SWIM_SECTOR);
    for (unsigned i = 0; i < GCR_RAW; i += 3) {
        unsigned x, y, z = 0, n = MIN(GCR_RAW - i, 3u);

        sum_turn(&s);
        sum_add(&s.c, &s.a, raw[i]);
        x = raw[i] ^ (s.a & 0xff);
        sum_add(&s.b, &s.c, raw[i + 1]);
        y = raw[i + 1] ^ (s.c & 0xff);
        if (n == 3) {
            sum_add(&s.a, &s.b, raw[i + 2]);
            z = raw[i + 2] ^ (s.b & 0xff);
        }
        put3(p, x, y, z, n);
    }
    put3(p, s.c, s.b, s.a, 3);
}

static void make_gcr(Pen *p, SwimMedium m, unsigned track, unsigned head, const uint8_t *data)
{
    unsigned sectors = swim_sectors(m, track), side = head << 5 | track >> 6;
    unsigned format = GCR_FORMAT | (swim_heads(m) == 2 ? 0x20 : 0);

    for (unsigned i = 0; i < sectors; i++) {
        /* Interleave 2:1: the even places first. */
        unsigned half = (sectors + 1) / 2, s = i & 1 ? half + i / 2 : i / 2;

        fill(p, 0xff, 14);
        put(p, 0xd5);
        put(p, 0xaa);
        put(p, 0x96);
        put6(p, track);
        put6(p, s);
        put6(p, side);
        put6(p, format);
        put6(p, track ^ s ^ side ^ format);
        put(p, 0xde);
        put(p, 0xaa);
        fill(p, 0xff, 6);
        put(p, 0xd5);
        put(p, 0xaa);
        put(p, 0xad);
        put6(p, s);
        put_gcr_data(p, data + s * SWIM_SECTOR);
        put(p, 0xde);
        put(p, 0xaa);
        put(p, 0xff);
    }
    p->t->len = p->at;
}

void swim_track_make(SwimTrack *t, SwimMedium m, unsigned track, unsigned head, const uint8_t *data)
{
    Pen p = { .t = t };

    if (swim_is_gcr(m)) {
        make_gcr(&p, m, track, head, data);
    } else {
        make_mfm(&p, m, track, head, data);
    }
}

/* --------------------------------------------------------------------- reading */

static unsigned cell(const SwimTrack *t, unsigned at)
{
    return t->cell[at % t->len];
}

static bool field_ok(const SwimTrack *t, unsigned at, unsigned n)
{
    uint16_t crc = 0xffff;

    for (unsigned i = 0; i < n + 2; i++) {      /* with its own CRC it gives zero */
        crc = swim_crc(crc, (uint8_t)cell(t, at + i));
    }
    return crc == 0;
}

static uint32_t parse_mfm(const SwimTrack *t, SwimMedium m, unsigned track, unsigned head, uint8_t *data)
{
    unsigned sectors = swim_sectors(m, track), s = 0;
    uint32_t found = 0;

    for (unsigned at = 0; at < t->len + SECTOR_SPAN; at++) {
        if (cell(t, at) != MARK_A1 || cell(t, at + 1) != MARK_A1 || cell(t, at + 2) != MARK_A1) {
            continue;
        }
        if (cell(t, at + 3) == 0xfe) {
            s = field_ok(t, at, 8) && cell(t, at + 4) == track && cell(t, at + 5) == head &&
                cell(t, at + 7) == SIZE_512 ? cell(t, at + 6) : 0;
        } else if (cell(t, at + 3) == 0xfb && s >= 1 && s <= sectors && field_ok(t, at, 4 + SWIM_SECTOR)) {
            for (unsigned i = 0; i < SWIM_SECTOR; i++) {
                data[(s - 1) * SWIM_SECTOR + i] = (uint8_t)cell(t, at + 4 + i);
            }
            found |= 1u << (s - 1);
            s = 0;
        }
    }
    return found;
}

static unsigned get6(const SwimTrack *t, unsigned at)
{
    unsigned c = cell(t, at);

    for (unsigned i = 0; i < 64; i++) {
        if (gcr_code[i] == c) {
            return i;
        }
    }
    return GCR_BAD;
}

static bool gcr_is(const SwimTrack *t, unsigned at, unsigned third)
{
    return cell(t, at) == 0xd5 && cell(t, at + 1) == 0xaa && cell(t, at + 2) == third;
}

/* Bytes of four codes; false: one of them is none. */
static bool get3(const SwimTrack *t, unsigned at, unsigned n, unsigned v[3])
{
    unsigned upper = get6(t, at);

    v[2] = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned lower = get6(t, at + 1 + i);

        if (upper == GCR_BAD || lower == GCR_BAD) {
            return false;
        }
        v[i] = lower | (upper << (2 + 2 * i) & 0xc0);
    }
    return true;
}

static bool get_gcr_data(const SwimTrack *t, unsigned at, uint8_t *data)
{
    GcrSum s = { 0, 0, 0 };
    uint8_t raw[GCR_RAW + 1];
    unsigned v[3];

    for (unsigned i = 0; i < GCR_RAW; i += 3) {
        unsigned n = MIN(GCR_RAW - i, 3u);

        if (!get3(t, at, n, v)) {
            return false;
        }
        at += n + 1;
        sum_turn(&s);
        raw[i] = (uint8_t)(v[0] ^ s.a);
        sum_add(&s.c, &s.a, raw[i]);
        raw[i + 1] = (uint8_t)(v[1] ^ s.c);
        sum_add(&s.b, &s.c, raw[i + 1]);
        if (n == 3) {
            raw[i + 2] = (uint8_t)(v[2] ^ s.b);
            sum_add(&s.a, &s.b, raw[i + 2]);
        }
    }
    if (!get3(t, at, 3, v) || v[0] != (s.c & 0xff) || v[1] != (s.b & 0xff) || v[2] != (s.a & 0xff)) {
        return false;
    }
    memcpy(data, raw + GCR_TAG, SWIM_SECTOR);
    return true;
}

static uint32_t parse_gcr(const SwimTrack *t, SwimMedium m, unsigned track, unsigned head, uint8_t *data)
{
    unsigned sectors = swim_sectors(m, track), s = GCR_BAD;
    uint32_t found = 0;

    for (unsigned at = 0; at < t->len + SECTOR_SPAN; at++) {
        if (gcr_is(t, at, 0x96)) {
            unsigned side = get6(t, at + 5), sum = get6(t, at + 3) ^ get6(t, at + 4) ^ side ^ get6(t, at + 6);

            s = sum == get6(t, at + 7) && get6(t, at + 3) == (track & 0x3f) &&
                side == (head << 5 | track >> 6) ? get6(t, at + 4) : GCR_BAD;
        } else if (gcr_is(t, at, 0xad) && s < sectors && get6(t, at + 3) == s) {
            if (get_gcr_data(t, at + 4, data + s * SWIM_SECTOR)) {
                found |= 1u << s;
            }
            s = GCR_BAD;
        }
    }
    return found;
}

uint32_t swim_track_parse(const SwimTrack *t, SwimMedium m, unsigned track, unsigned head, uint8_t *data)
{
    return !t->len ? 0 : swim_is_gcr(m) ? parse_gcr(t, m, track, head, data) : parse_mfm(t, m, track, head, data);
}
