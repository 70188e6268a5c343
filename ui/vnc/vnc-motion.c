/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has moved: text that scrolls, windows that are dragged.
 *
 * Lines of the shown picture and of the new one are hashed, SPAN pixels at each place. Of these hashes a
 * few are remembered, chosen by their own value: so the same pixels are chosen wherever they
 * are. A hash that is there once in the old picture and found in the new one is a vote for the distance
 * between the two places. Around the places that voted for the winner, rectangles are grown in which
 * each pixel has moved by that distance.
 */
#include "util/osdep.h"
#include "ui/vnc/vnc-int.h"

#define SPAN            32                  /* pixels that are hashed together; half of the hash's bits */
#define OLD_LINES       4                   /* of as many old lines one is remembered */
#define MIN_SIDE        32                  /* of the changed part */
#define MIN_AREA        4096                /* of a rectangle, less isn't worth a copy */
#define MIN_VOTES       8
#define TABLE_BITS      14
#define TABLE           BIT(TABLE_BITS)
#define ANCHORS_MAX     (TABLE / 2)
#define FACTOR          UINT64_C(0x9e3779b97f4a7c15)

typedef struct Anchor {
    uint32_t hash;              /* 0: nobody */
    int16_t x, y;               /* where in the old picture; x -1: in several places */
} Anchor;

typedef struct Vote {
    int16_t dx, dy;             /* old - new */
    int16_t x, y;               /* in the new picture */
} Vote;

typedef struct Count {
    int16_t dx, dy;
    int n;
} Count;

typedef struct Search {
    const VncScreen *s;
    pixman_box16_t e;
    uint64_t mask;              /* bits of the hash, zero in those that are chosen */
    Anchor *anchors;
    Vote *votes;
    unsigned n_anchors, n_votes;
    uint32_t *line;             /* as wide as the screen */
} Search;

/* The shown line from @x0 to @x1. */
static const uint32_t *shown(const Search *m, int y, int x0, int x1)
{
    const VncScreen *s = m->s;

    for (int x = x0; x < x1; ) {
        const VncTile *t = s->tiles[(size_t)(y / VNC_TILE) * s->tiles_x + x / VNC_TILE];
        int n = MIN(x1, (x / VNC_TILE + 1) * VNC_TILE) - x;

        if (t) {
            memcpy(m->line + x - x0, t->px + (y % VNC_TILE) * VNC_TILE + x % VNC_TILE, 4 * (size_t)n);
        } else {
            memset(m->line + x - x0, 0, 4 * (size_t)n);
        }
        x += n;
    }
    return m->line;
}

static const uint32_t *fresh(const Search *m, int y)
{
    return vnc_screen_line(m->s, y);
}

/* --- votes --- */

static void remember(Search *m, uint32_t hash, int x, int y)
{
    unsigned i = hash & (TABLE - 1);

    while (m->anchors[i].hash && m->anchors[i].hash != hash) {
        i = (i + 1) & (TABLE - 1);
    }
    if (m->anchors[i].hash) {
        m->anchors[i].x = -1;
    } else if (m->n_anchors < ANCHORS_MAX) {
        m->anchors[i] = (Anchor){ hash, x, y };
        m->n_anchors++;
    }
}

static void vote(Search *m, uint32_t hash, int x, int y)
{
    unsigned i = hash & (TABLE - 1);

    while (m->anchors[i].hash && m->anchors[i].hash != hash) {
        i = (i + 1) & (TABLE - 1);
    }
    if (m->anchors[i].hash && m->anchors[i].x >= 0 && m->n_votes < ANCHORS_MAX &&
        (m->anchors[i].x != x || m->anchors[i].y != y)) {
        m->votes[m->n_votes++] = (Vote){ m->anchors[i].x - x, m->anchors[i].y - y, x, y };
    }
}

static uint64_t scatter(uint32_t pixel)
{
    uint64_t h = (pixel + UINT64_C(1)) * FACTOR;

    return h ^ h >> 29;
}

/* For each chosen place of a line of @n pixels, which begins at @x0. */
static void choose(Search *m, const uint32_t *p, int n, int x0, int y,
                   void (*fn)(Search *m, uint32_t hash, int x, int y))
{
    uint64_t h = 0;

    for (int i = 0; i < n; i++) {
        h = (h << 1 | h >> 63) ^ scatter(p[i]);
        if (i >= SPAN) {                    /* it has been turned by 32 since */
            uint64_t leaves = scatter(p[i - SPAN]);

            h ^= leaves << SPAN | leaves >> SPAN;
        }
        if (i >= SPAN - 1 && !(h & m->mask)) {
            uint32_t hash = (h * FACTOR) >> 32;

            fn(m, hash ? hash : 1, x0 + i - (SPAN - 1), y);
        }
    }
}

/* The distance with the most votes; false: too few agree. */
static bool winner(const Search *m, int *dx, int *dy)
{
    Count *counts = g_new0(Count, TABLE), best = { 0, 0, 0 };

    for (unsigned k = 0; k < m->n_votes; k++) {
        const Vote *v = &m->votes[k];
        unsigned i = ((uint16_t)v->dx * 40503u + (uint16_t)v->dy * 9973u) & (TABLE - 1);

        while (counts[i].n && (counts[i].dx != v->dx || counts[i].dy != v->dy)) {
            i = (i + 1) & (TABLE - 1);
        }
        counts[i].dx = v->dx;
        counts[i].dy = v->dy;
        if (++counts[i].n > best.n) {
            best = counts[i];
        }
    }
    g_free(counts);
    *dx = best.dx;
    *dy = best.dy;
    return best.n >= MIN_VOTES && (unsigned)best.n * 4 >= m->n_votes;
}

/* --- rectangles --- */

/* How far the new line @y is the old one, moved, to both sides of @x within @b. Empty: not at @x. */
static bool run_around(const Search *m, const pixman_box16_t *b, int dx, int dy, int x, int y, int *left,
                       int *right)
{
    const uint32_t *now = fresh(m, y);
    const uint32_t *old = shown(m, y + dy, b->x1 + dx, b->x2 + dx) - b->x1;

    if (now[x] != old[x]) {
        return false;
    }
    for (*left = x; *left > b->x1 && now[*left - 1] == old[*left - 1]; --*left) {
    }
    for (*right = x + 1; *right < b->x2 && now[*right] == old[*right]; ++*right) {
    }
    return true;
}

static int area_of(const pixman_box16_t *b)
{
    return (b->x2 - b->x1) * (b->y2 - b->y1);
}

/* The largest rectangle around @x, @y within @b. */
static pixman_box16_t grow(const Search *m, const pixman_box16_t *b, int dx, int dy, int x, int y)
{
    int h = b->y2 - b->y1, top = y, bottom = y + 1, l = b->x1, r = b->x2;
    int *left = g_new(int, 2 * h), *right = left + h;
    pixman_box16_t best = { x, y, x, y };

    while (top > b->y1 && run_around(m, b, dx, dy, x, top - 1, &left[top - 1 - b->y1],
                                     &right[top - 1 - b->y1])) {
        top--;
    }
    if (!run_around(m, b, dx, dy, x, y, &left[y - b->y1], &right[y - b->y1])) {
        g_free(left);
        return best;
    }
    while (bottom < b->y2 && run_around(m, b, dx, dy, x, bottom, &left[bottom - b->y1],
                                        &right[bottom - b->y1])) {
        bottom++;
    }
    for (int t = y; t >= top; t--) {
        int l2, r2;

        l = MAX(l, left[t - b->y1]);
        r = MIN(r, right[t - b->y1]);
        l2 = l;
        r2 = r;
        for (int k = y; k < bottom; k++) {
            pixman_box16_t c;

            l2 = MAX(l2, left[k - b->y1]);
            r2 = MIN(r2, right[k - b->y1]);
            c = (pixman_box16_t){ l2, t, r2, k + 1 };
            if (area_of(&c) > area_of(&best)) {
                best = c;
            }
        }
    }
    g_free(left);
    return best;
}

static bool overlap(const pixman_box16_t *a, const pixman_box16_t *b)
{
    return a->x1 < b->x2 && b->x1 < a->x2 && a->y1 < b->y2 && b->y1 < a->y2;
}

/* An order in which none overwrites what a later one copies. All move by the same distance, and
 * none overlap: there is one. */
static void put_in_order(VncCopy *copy)
{
    for (int i = 0; i < copy->n; i++) {
        for (int k = i; k < copy->n; k++) {
            bool early = false;
            pixman_box16_t b = copy->dst[k];

            for (int j = i; j < copy->n; j++) {
                const pixman_box16_t *d = &copy->dst[j];
                pixman_box16_t src = { d->x1 + copy->dx, d->y1 + copy->dy, d->x2 + copy->dx,
                                       d->y2 + copy->dy };

                early |= j != k && overlap(&src, &b);
            }
            if (!early) {
                copy->dst[k] = copy->dst[i];
                copy->dst[i] = b;
                break;
            }
        }
    }
}

static void collect(const Search *m, VncCopy *copy)
{
    const VncScreen *s = m->s;
    int dx = copy->dx, dy = copy->dy;
    /* Where it may have moved to. */
    pixman_box16_t b = { MAX(m->e.x1, -dx), MAX(m->e.y1, -dy), MIN(m->e.x2, s->width - dx),
                         MIN(m->e.y2, s->height - dy) };

    for (unsigned k = 0; k < m->n_votes && copy->n < VNC_COPIES_MAX; k++) {
        const Vote *v = &m->votes[k];
        pixman_box16_t r, within = b;
        bool done = v->dx != dx || v->dy != dy;

        for (int i = 0; i < copy->n && !done; i++) {
            const pixman_box16_t *d = &copy->dst[i];

            done = v->x >= d->x1 && v->x < d->x2 && v->y >= d->y1 && v->y < d->y2;
            /* Stay beside what is taken already. */
            if (v->y >= d->y2) {
                within.y1 = MAX(within.y1, d->y2);
            } else if (v->y < d->y1) {
                within.y2 = MIN(within.y2, d->y1);
            } else if (v->x >= d->x2) {
                within.x1 = MAX(within.x1, d->x2);
            } else {
                within.x2 = MIN(within.x2, d->x1);
            }
        }
        if (done || v->x < within.x1 || v->x >= within.x2 || v->y < within.y1 || v->y >= within.y2) {
            continue;
        }
        r = grow(m, &within, dx, dy, v->x, v->y);
        if (area_of(&r) >= MIN_AREA) {
            copy->dst[copy->n++] = r;
        }
    }
    put_in_order(copy);
}

bool vnc_motion_find(const VncScreen *s, const pixman_box16_t *e, VncCopy *copy)
{
    int w = e->x2 - e->x1, h = e->y2 - e->y1;
    Search m = { .s = s, .e = *e };

    copy->n = 0;
    if (w < MIN_SIDE || h < MIN_SIDE) {
        return false;
    }
    m.mask = (size_t)w * h > 256 * KIB ? MASK(0, 7) : MASK(0, 5);
    m.anchors = g_new0(Anchor, TABLE);
    m.votes = g_new(Vote, ANCHORS_MAX);
    m.line = g_new(uint32_t, s->width);
    for (int y = e->y1; y < e->y2; y += OLD_LINES) {
        choose(&m, shown(&m, y, e->x1, e->x2), w, e->x1, y, remember);
    }
    for (int y = e->y1; y < e->y2; y++) {
        choose(&m, fresh(&m, y) + e->x1, w, e->x1, y, vote);
    }
    if (winner(&m, &copy->dx, &copy->dy)) {
        collect(&m, copy);
    }
    g_free(m.anchors);
    g_free(m.votes);
    g_free(m.line);
    return copy->n;
}
